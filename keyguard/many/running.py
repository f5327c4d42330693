"""Audits repositories on workers and puts each into the store as soon as its last unit is done.

A repository's way: a worker looks whether it changed and plans its units; units go to any workers; when all are there,
a worker assembles them. A repository of less than `_WHOLE` bytes goes this way in one step, and several of them travel
together. Of all that, only the repositories that were begun are in memory: two steps for each place of the workers.

A unit whose worker died is done again at the end, with no other beside it, so that none is blamed for another's fault;
the one that ends its worker there too is left out, and its repository is told to be incomplete.
"""

from __future__ import annotations

import functools
import pickle  # its own engine, to its own workers
import queue
import time
import traceback
from collections import deque
from concurrent.futures import CancelledError
from typing import Protocol

from keyguard.discover.git import GitError
from keyguard.errors import UsageError
from keyguard.leaks import Audited
from keyguard.many.repositories import NoRepository
from keyguard.many.store import Found
from keyguard.model import Notice
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from typing import Any

    from keyguard.many.executors import Workers
    from keyguard.many.repositories import Repo
    from keyguard.many.store import Group, Store

_WHOLE = 64 << 20  # bytes of blobs, 1 s of work: less travels as one unit
_TOGETHER = 32  # repositories that travel to a worker at once; with Dask each journey takes 5 ms of CPU
_BATCH = 0.5  # seconds after which a worker gives back those it did not begin
_LOOK = 1.0  # seconds between looks at how many places there are
_LOST = "the process that read it died"
_OUT_OF_REACH = "the workers are out of reach; what is done is kept: run the same command again to go on"


class Unit(Protocol):
    """A part of a repository's work."""

    @property
    def size(self) -> int:
        """Its size in bytes."""


class Lost(NamedTuple):
    """What came of a unit that ended its worker twice, or failed."""

    unit: Any


class Engine(NamedTuple):
    """What is done with a repository, as functions that can be pickled; they run in the workers.

    `session` makes, once a process, what the others need besides. `state` names all that decides about a repository's
    result: what it holds, settings, rules, keyguard itself; the same name means the same result. `plan` divides a
    repository into units, `work` does one, `assemble` puts together what came of all of them, in their order, with
    `Lost` in the place of a lost one. What they return travels and holds no key. The `GitError`, `NoRepository`,
    `UsageError` and `OSError` that they raise is told of the repository.
    """

    session: Callable[[], Any]
    state: Callable[[Repo, Any], str]
    plan: Callable[[Repo, Any], Sequence[Unit]]
    work: Callable[[Any, Any], Any]
    assemble: Callable[[Repo, Sequence[Any], Any], Found]


class Progress(NamedTuple):
    """How far an audit is: `done` of `total` repositories, in `seconds`; `bytes` were read.

    `current` is the repository something was last heard of. `share` is how much is done, from 0 to 1, the begun
    repositories' units counted. `unchanged` of the done ones did not have to be read.
    """

    done: int
    total: int
    bytes: int
    current: str
    seconds: float
    share: float
    unchanged: int = 0

    @property
    def rate(self) -> float:
        """Bytes a second."""
        return self.bytes / self.seconds if self.seconds else 0.0

    @property
    def left(self) -> float | None:
        """How many seconds are left if it goes on like this; None while that is anybody's guess."""
        return self.seconds * (1 - self.share) / self.share if self.share > 0 else None


class Ended(NamedTuple):
    """How an audit ended: how many repositories were done, how many of these had not changed; cut short by Ctrl-C."""

    done: int
    unchanged: int
    interrupted: bool = False


def run(  # noqa: PLR0913  # what, how, where, and who is told
    repos: Sequence[Repo],
    engine: Engine,
    workers: Workers,
    store: Store,
    *,
    group: Group,
    advance: Callable[[Progress], None] | None = None,
    again: bool = False,
) -> Ended:
    """Audit repositories into a store.

    A repository that the store knows and that did not change since is not read, unless `again`. `group` sums up the
    sightings of a key in this process.

    After Ctrl-C it returns soon: the workers' units are given up, the store holds every repository that was finished,
    and the others are incomplete.

    Raises:
        UsageError: the store cannot be written, or all workers are out of reach; what was done is in the store.
    """
    store.begin((repo.name, repo.path) for repo in repos)
    known = {} if again else store.known()
    way = _Way(repos, engine, workers, store, known, advance or (lambda _: None))
    interrupted = False
    try:
        way.go()
    except KeyboardInterrupt:
        interrupted = True
        workers.stop()
    finally:
        store.settle(group)
        store.finish(is_complete=way.done == len(repos))
    return Ended(way.done, way.unchanged, interrupted)


class _Task(NamedTuple):
    """One call on a worker: several repositories to open, or one step of one, `number` being the unit's."""

    step: str
    repos: tuple[Repo, ...]
    number: int = 0
    is_second: bool = False

    @property
    def repo(self) -> Repo:
        return self.repos[0]


class _Begun:
    """A repository on its way."""

    def __init__(self, state: str, units: Sequence[Any]) -> None:
        self.state = state
        self.units: dict[int, Any] = dict(enumerate(units))
        self.size = sum(unit.size for unit in units)
        self.read = 0
        self.results: dict[int, Any] = {}
        self.notices: list[Notice] = []

    @property
    def share(self) -> float:
        return self.read / self.size if self.size else 0.0


class _Way:
    """The repositories on their way: what waits, what is being worked on, what was found."""

    def __init__(  # noqa: PLR0913, PLR0917  # what `run` was given
        self,
        repos: Sequence[Repo],
        engine: Engine,
        workers: Workers,
        store: Store,
        known: dict[str, str],
        advance: Callable[[Progress], None],
    ) -> None:
        self._total = len(repos)
        self._fresh = deque(repos)
        self._recipe = pickle.dumps(engine)
        self._workers, self._store, self._known, self._advance = workers, store, known, advance
        self._ready: deque[_Task] = deque()
        self._alone: deque[_Task] = deque()
        self._begun: dict[str, _Begun] = {}
        self._ended: queue.SimpleQueue[tuple[_Task, Future[Any]]] = queue.SimpleQueue()
        self._start = time.monotonic()
        self._bytes = 0
        self.done = self.unchanged = 0

    def go(self) -> None:
        """Bring every repository to its end."""
        active = places = 0
        looked = float("-inf")
        while True:
            if time.monotonic() - looked >= _LOOK:
                looked, places = time.monotonic(), self._workers.places() or max(places, 1)
            # As much again waits at the workers, so that none has to wait for its next unit.
            while active < 2 * places and (task := self._next(places)) is not None:
                self._submit(task)
                active += 1
            if not active and self._alone:
                self._submit(self._alone.popleft())
                active = 1
            if not active:
                return
            try:
                task, future = self._ended.get(timeout=_LOOK)
            except queue.Empty:
                if self._workers.are_lost():
                    raise UsageError(_OUT_OF_REACH) from None
                continue
            active -= 1
            self._take(task, future)

    def _next(self, places: int) -> _Task | None:
        """Give what to do next: what is begun is finished before anything new is begun."""
        if self._ready:
            return self._ready.popleft()
        # Fewer at a time towards the end, so that all workers end together.
        count = max(1, min(_TOGETHER, len(self._fresh) // (4 * places)))
        repos = tuple(self._fresh.popleft() for _ in range(min(count, len(self._fresh))))
        return _Task("open", repos) if repos else None

    def _submit(self, task: _Task) -> None:
        given: tuple[Any, ...]
        if task.step == "open":
            # One that ended its worker is divided, so that only a part of it can do so again.
            known = [self._known.get(repo.name) for repo in task.repos]
            given = (task.repos, known, 0 if task.is_second else _WHOLE)
        elif task.step == "work":
            given = (self._begun[task.repo.name].units[task.number],)
        else:
            results = self._begun[task.repo.name].results
            given = (task.repo, [results[number] for number in sorted(results)])
        future = self._workers.executor.submit(_do, task.step, self._recipe, *given)
        future.add_done_callback(lambda future: self._ended.put((task, future)))

    def _take(self, task: _Task, future: Future[Any]) -> None:
        try:
            outcome = future.result()
        except self._workers.died:
            if not task.is_second:
                self._alone += self._apart(task)
                return
            outcome = _Failed(_LOST)
        except CancelledError as error:
            raise UsageError(_OUT_OF_REACH) from error
        except Exception as error:  # noqa: BLE001  # an engine's result that cannot travel, or one that cannot be made
            if len(task.repos) > 1:
                self._alone += self._apart(task)
                return
            outcome = _Failed(_where(error))
        if task.step == "open":
            outcomes = [outcome] if isinstance(outcome, _Failed) else outcome
            self._fresh.extendleft(reversed(task.repos[len(outcomes) :]))
            for repo, one in zip(task.repos, outcomes, strict=False):
                self._opened(repo, one)
                self._tell(repo.name)
        else:
            (self._worked if task.step == "work" else self._assembled)(task, outcome)
            self._tell(task.repo.name)

    @staticmethod
    def _apart(task: _Task) -> list[_Task]:
        """The same once more, one repository at a time."""
        return [task._replace(repos=(repo,), is_second=True) for repo in task.repos]

    def _opened(self, repo: Repo, outcome: _Opened | _Failed) -> None:
        if isinstance(outcome, _Failed):
            self._put_failed(repo, outcome)
        elif outcome.is_known:
            self._store.confirm(repo.name)
            self.unchanged += 1
            self.done += 1
        elif outcome.found is not None:
            # One that was not divided tells its size at the end.
            self._bytes += outcome.size or outcome.found.audited.size
            self._put(repo, outcome.found, outcome.state)
        else:
            self._begun[repo.name] = _Begun(outcome.state, outcome.units)
            self._ready += [_Task("work", (repo,), number) for number in range(len(outcome.units))]
            if not outcome.units:
                self._ready.append(_Task("assemble", (repo,)))

    def _worked(self, task: _Task, outcome: Any) -> None:  # noqa: ANN401  # what the engine's work gives
        begun, number = self._begun[task.repo.name], task.number
        unit = begun.units.pop(number)
        if isinstance(outcome, _Failed):
            begun.results[number] = Lost(unit)
            size = f"{unit.size / 1e6:,.0f} MB"
            message = f"a part of its history ({size}) was left out: {outcome.reason}"
            begun.notices.append(Notice(message, task.repo.name))
        else:
            begun.results[number] = outcome
        begun.read += unit.size
        self._bytes += unit.size
        if not begun.units:
            self._ready.appendleft(_Task("assemble", (task.repo,)))

    def _assembled(self, task: _Task, outcome: Found | _Failed) -> None:
        begun = self._begun.pop(task.repo.name)
        if isinstance(outcome, _Failed):
            self._put_failed(task.repo, outcome)
        elif begun.notices:
            audited = outcome.audited._replace(is_complete=False)
            notices = (*outcome.notices, *sorted(begun.notices))
            self._put(task.repo, outcome._replace(audited=audited, notices=notices), None)
        else:
            self._put(task.repo, outcome, begun.state)

    def _put(self, repo: Repo, found: Found, state: str | None) -> None:
        named = found.audited._replace(name=repo.name, path=repo.path)
        # What was not read to its end must be read again.
        is_whole = named.is_complete and named.error is None
        self._store.put(found._replace(audited=named), state if is_whole else None)
        self.done += 1

    def _put_failed(self, repo: Repo, failed: _Failed) -> None:
        self._put(repo, Found(Audited(repo.name, repo.path, error=failed.reason)), None)

    def _tell(self, current: str) -> None:
        begun = sum(one.share for one in self._begun.values())
        share = (self.done + begun) / self._total if self._total else 1.0
        seconds = time.monotonic() - self._start
        self._advance(Progress(self.done, self._total, self._bytes, current, seconds, share, self.unchanged))


# In a worker ---------------------------------------------------------------------------------------------------------


class _Failed(NamedTuple):
    """Why a step has no result."""

    reason: str


class _Opened(NamedTuple):
    """A repository that was looked at: it is known, or done already (`found`), or there are units to do."""

    state: str = ""
    is_known: bool = False
    found: Found | None = None
    size: int = 0
    units: Sequence[Unit] = ()


def _do(step: str, recipe: bytes, *given: Any) -> Any:  # noqa: ANN401  # a step's own arguments and result
    """Do one step; every error is a result, since not every error can travel."""
    if step == "open":
        return _open_some(recipe, *given)
    return _tried(lambda: getattr(_made(recipe)[0], step)(*given, _made(recipe)[1]))


def _open_some(recipe: bytes, repos: Sequence[Repo], known: Sequence[str | None], whole: int) -> list[Any]:
    """Open repositories one after another, as many as the time allows and at least one."""
    outcomes: list[Any] = []
    start = time.monotonic()
    for repo, state in zip(repos, known, strict=True):
        outcomes.append(_tried(functools.partial(_open, recipe, repo, state, whole)))
        if time.monotonic() - start > _BATCH:
            break
    return outcomes


def _tried(call: Callable[[], Any]) -> Any:  # noqa: ANN401  # a step's own result
    try:
        return call()
    except (GitError, UsageError, NoRepository) as error:
        return _Failed(str(error))
    except OSError as error:
        return _Failed(error.strerror or type(error).__name__)
    except Exception as error:  # noqa: BLE001  # a bug of ours costs one repository, and is told
        return _Failed(_where(error))


# The engine is the same in all calls, so a process makes it and its session once.
@functools.lru_cache(maxsize=1)
def _made(recipe: bytes) -> tuple[Engine, Any]:
    engine: Engine = pickle.loads(recipe)  # noqa: S301  # it comes from the process that gives the work
    return engine, engine.session()


def _open(recipe: bytes, repo: Repo, known: str | None, whole: int) -> _Opened:
    engine, session = _made(recipe)
    # Before the plan: what changes meanwhile counts as changed the next time.
    state = engine.state(repo, session)
    if state == known:
        return _Opened(state, is_known=True)
    units = engine.plan(repo, session)
    size = sum(unit.size for unit in units)
    if size >= whole:
        return _Opened(state, size=size, units=units)
    found = engine.assemble(repo, [engine.work(unit, session) for unit in units], session)
    return _Opened(state, found=found, size=size)


def _where(error: BaseException) -> str:
    """Say where a bug is; not what it says, which may quote a file."""
    frames: Iterator[Any] = reversed(traceback.extract_tb(error.__traceback__))
    place = next((f" in {frame.name}, line {frame.lineno}" for frame in frames), "")
    return f"keyguard failed on it: {type(error).__name__}{place}"
