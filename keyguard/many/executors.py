"""Where the units of an audit are worked on: in processes of this machine, on a Dask cluster, or right here."""

from __future__ import annotations

import functools
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, suppress

from keyguard import __version__
from keyguard.errors import UsageError
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    # Hands one call to a pool.
    _Begin = Callable[[ProcessPoolExecutor], Future[Any]]

_ANSWER = "10s"  # a scheduler that does not answer in this time is not there


class Workers(NamedTuple):
    """An executor and what its interface does not tell.

    `places` says how many units can be worked on at once, 0 when that cannot be told; workers may come and go. `died`
    are the errors of a future whose worker died with it. `stop` ends everything without waiting. Once they `are_lost`
    all workers are out of reach for good, and futures may never be done; one that nobody cancelled says the same.
    """

    executor: Executor
    places: Callable[[], int]
    stop: Callable[[], None]
    died: tuple[type[BaseException], ...] = (BrokenExecutor,)
    are_lost: Callable[[], bool] = lambda: False


class Serial(Executor):
    """Does each call at once in this process."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401  # an executor's own interface
        """Call, and give a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(call(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  # the future carries it
            future.set_exception(error)
        return future


class Processes(Executor):
    """Runs calls in processes of which each does one at a time; one that dies takes its own call along, and no other.

    The pool of the standard library breaks as a whole, so each process is a pool of its own here. A process is started
    when there is work for it, and ends with this one, also when this one is killed.
    """

    def __init__(self, workers: int, preload: Sequence[str] = ()) -> None:
        """Have at most so many processes; `preload` are modules that all of them need."""
        self._workers = workers
        # A new process is started while threads of this one run, where a fork could begin with a lock that is held.
        method = "forkserver" if sys.platform == "linux" else "spawn"
        self._context = multiprocessing.get_context(method)
        if method == "forkserver":
            self._context.set_forkserver_preload([__name__, *preload])
        self._lock = threading.Lock()
        self._idle: list[ProcessPoolExecutor] = []
        self._all: set[ProcessPoolExecutor] = set()
        self._waiting: deque[tuple[Future[Any], _Begin]] = deque()
        self._pools: dict[Future[Any], ProcessPoolExecutor] = {}
        self._open: set[Future[Any]] = set()
        self._is_closed = False

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401  # an executor's own interface
        """Run a call in the next process that is free."""
        future: Future[Any] = Future()
        with self._lock:
            if self._is_closed:
                msg = "cannot schedule new futures after shutdown"
                raise RuntimeError(msg)
            self._open.add(future)
            self._waiting.append((future, functools.partial(_submit, call, args, kwargs)))
        future.add_done_callback(self._open.discard)
        self._give_out()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  # an executor's own interface
        """Take no more calls; end the processes when all are done."""
        with self._lock:
            self._is_closed = True
            waiting = list(self._waiting) if cancel_futures else []
            if cancel_futures:
                self._waiting.clear()
            left = list(self._open)
        for future, _ in waiting:
            future.cancel()
        if wait:
            _wait(left)
        for pool in list(self._all):
            pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def stop(self) -> None:
        """End the processes at once: whoever pressed Ctrl-C does not wait for a unit."""
        with self._lock:
            self._is_closed = True
            waiting, self._waiting = list(self._waiting), deque()
            pools = list(self._all)
        for future, _ in waiting:
            future.cancel()
        for pool in pools:
            processes = list((pool._processes or {}).values())  # noqa: SLF001  # it offers no way to end its workers before 3.14
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()

    def _give_out(self) -> None:
        """Let free processes begin with what waits."""
        while True:
            with self._lock:
                if not self._waiting or not (self._idle or len(self._all) < self._workers):
                    return
                pool = self._idle.pop() if self._idle else self._started()
                future, begin = self._waiting.popleft()
            if not future.set_running_or_notify_cancel():
                with self._lock:
                    self._idle.append(pool)
                continue
            inner = self._begun(pool, begin)
            if isinstance(inner, Future):
                inner.add_done_callback(functools.partial(self._ended, future))
            else:
                future.set_exception(BrokenExecutor(f"no process could be started: {inner}"))

    def _begun(self, pool: ProcessPoolExecutor, begin: _Begin) -> Future[Any] | Exception:
        """Hand a call to a process, and to another one where that died while it had nothing to do."""
        try:
            inner = begin(pool)
        except BrokenExecutor:
            with self._lock:
                self._all.discard(pool)
                fresh = self._started()
            return self._begun(fresh, begin)
        except (OSError, RuntimeError) as error:  # no memory for it; or all of them were ended meanwhile
            with self._lock:
                self._all.discard(pool)
            return error
        self._pools[inner] = pool
        return inner

    def _ended(self, future: Future[Any], inner: Future[Any]) -> None:
        """Pass a result on, in the thread that got it, once the process has its next call."""
        error = None if inner.cancelled() else inner.exception()
        with self._lock:
            pool = self._pools.pop(inner)
            if isinstance(error, BrokenExecutor):
                self._all.discard(pool)  # no more: it holds its own lock here, and puts itself away
            else:
                self._idle.append(pool)
        self._give_out()
        if inner.cancelled():
            future.set_exception(BrokenExecutor("the processes were ended"))
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(inner.result())

    def _started(self) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(1, self._context, initializer=_start)
        self._all.add(pool)
        return pool


def _submit(
    call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], pool: ProcessPoolExecutor
) -> Future[Any]:
    return pool.submit(call, *args, **kwargs)


def _wait(futures: Sequence[Future[Any]]) -> None:
    wait(futures)


def _start() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the group; the parent answers it
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End when the parent does: a pool's process would wait for its next call for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def serial() -> Iterator[Workers]:
    """Work right here, one unit after another."""
    with Serial() as executor:
        yield Workers(executor, lambda: 1, lambda: None)


@contextmanager
def local(workers: int, preload: Sequence[str] = ()) -> Iterator[Workers]:
    """Work in so many processes of this machine, one unit at a time in each."""
    executor = Processes(workers, preload)
    try:
        yield Workers(executor, lambda: workers, executor.stop)
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def cluster(address: str) -> Iterator[Workers]:
    """Work on the workers of the Dask scheduler at `address`, one unit at a time in each thread of theirs.

    Every worker must have this version of keyguard and see the repositories under the same paths. What they send is
    trusted as this program is: they run what the scheduler hands them.

    Raises:
        UsageError: Dask is not installed, no scheduler answers, or its workers cannot do the work.
    """
    try:
        import distributed  # noqa: PLC0415  # 0.7 s, and an extra
    except ImportError as error:
        msg = "--cluster needs Dask: pip install 'keyguard[cluster]'"
        raise UsageError(msg) from error
    dask: Any = distributed  # half of it is typed
    # What goes wrong is told once, by whoever notices it here; a lost worker is no news.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = dask.Client(address, timeout=_ANSWER, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        msg = f"--cluster: no Dask scheduler answers at {address}: start one with `dask scheduler`"
        raise UsageError(msg) from error
    try:
        _see_that_all_can(client, address)
        executor = _Remote(client)
        yield Workers(executor, executor.places, executor.stop, (dask.KilledWorker,), executor.are_lost)
        executor.stop()
    finally:
        with suppress(OSError, TimeoutError):
            client.close(timeout=2)


class _Remote(Executor):
    """A Dask client's executor; once the scheduler is lost, every call is cancelled, as those that were under way."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401  # Dask's client
        self._client = client
        # Two units that are equal are two all the same.
        self._inner: Executor = client.get_executor(pure=False)

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401  # an executor's own interface
        if not self.are_lost():
            try:
                return self._inner.submit(call, *args, **kwargs)
            except Exception:
                if not self.are_lost():
                    raise
        future: Future[Any] = Future()
        future.cancel()
        return future

    def are_lost(self) -> bool:
        return self._client.status in {"closing", "closed"}

    def places(self) -> int:
        try:
            return sum(self._client.nthreads().values())
        except (OSError, RuntimeError, TimeoutError, AttributeError):
            return 0  # out of reach for the moment, or for good (the client has no scheduler then): the futures tell

    def stop(self) -> None:
        try:
            self._inner.shutdown(wait=False)
        except (OSError, RuntimeError, TimeoutError, AttributeError):
            return
        except Exception:
            # A client that closed itself when its scheduler died refuses to cancel calls, with an error of its own.
            if not self.are_lost():
                raise


def _see_that_all_can(client: Any, address: str) -> None:  # noqa: ANN401  # Dask's client
    answers = client.run(version, on_error="return")
    if not answers:
        msg = f"--cluster: the scheduler at {address} has no workers: start some with `dask worker {address}`"
        raise UsageError(msg)
    wrong = sorted(worker for worker, answer in answers.items() if answer != __version__)
    if wrong:
        told = answers[wrong[0]]
        has = f"keyguard {told}" if isinstance(told, str) else "no keyguard"
        msg = f"--cluster: the worker {wrong[0]} has {has}: install keyguard {__version__} on every worker"
        raise UsageError(msg)


def version() -> str:
    """Give the version of keyguard in the process that is asked."""
    return __version__
