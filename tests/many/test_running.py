"""Repositories go through any workers: every unit's result arrives once, whoever dies and whatever comes first."""

from __future__ import annotations

import random
import threading
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyguard.errors import UsageError
from keyguard.many import running
from keyguard.many.executors import Serial, Workers, serial
from keyguard.many.repositories import Repo, repositories_of
from keyguard.many.running import Ended, Progress, run
from keyguard.many.store import open_store, read, summed_up
from keyguard.model import Notice
from tests.many import engines
from tests.many.engines import MEGABYTE, Script, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from keyguard.leaks import Audit

SMALL, LARGE = 1 * MEGABYTE, 100 * MEGABYTE
NAMES = ("app", "docs", "web", "zoo")


@pytest.fixture(scope="module")
def repos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repo, ...]:
    """Repositories, empty ones: what is in them is the engine's affair."""
    return repositories_of(engines.clones(tmp_path_factory.mktemp("clones"), NAMES))


def audited(path: str, repos: Sequence[Repo], script: Script, **more: Any) -> Ended:  # noqa: ANN401  # for `run`
    """Run an audit right here."""
    workers = more.pop("workers", None)
    stamp = more.pop("stamp", "")
    with serial() as here, open_store(path) as store:
        return run(repos, engines.engine(script, stamp), workers or here, store, group=summed_up, **more)


def script_of(folder: Path, costs: dict[str, list[int]], **more: Any) -> Script:  # noqa: ANN401  # fields
    """A script with its own folder."""
    folder.mkdir(exist_ok=True)
    (folder / "log").touch()
    return Script(str(folder), costs, **more)


def numbers(audit: Audit) -> dict[str, list[int]]:
    """Which units' results each repository has."""
    found: dict[str, list[int]] = {one.name: [] for one in audit.repositories}
    alone = audit.repositories[0].name if len(audit.repositories) == 1 else ""
    for leak in audit.leaks:
        for one in leak.sightings:
            found[one.repository or alone].append(one.finding.span.start)
    return found


# Nothing to do


def test_no_repositories_are_an_empty_audit(tmp_path: Path) -> None:
    path = str(tmp_path / "audit.sqlite")
    assert audited(path, (), script_of(tmp_path / "s", {})) == Ended(0, 0)
    assert read(path).repositories == ()
    assert read(path).is_complete


def test_a_repository_without_units_is_assembled(tmp_path: Path, repos: tuple[Repo, ...]) -> None:
    path = str(tmp_path / "audit.sqlite")
    script = script_of(tmp_path / "s", {"app": []})
    assert audited(path, repos[:1], script) == Ended(1, 0)
    assert steps(script) == ["app/assemble", "app/plan"]
    assert read(path).is_complete


# Everything goes well


def test_small_repositories_go_in_one_step_and_large_ones_in_units(tmp_path: Path, repos: tuple[Repo, ...]) -> None:
    path = str(tmp_path / "audit.sqlite")
    script = script_of(tmp_path / "s", {"app": [SMALL] * 3, "docs": [LARGE] * 4, "web": [], "zoo": [SMALL]})
    heard: list[Progress] = []
    assert audited(path, repos, script, advance=heard.append) == Ended(4, 0)
    assert steps(script) == sorted(
        ["app/0", "app/1", "app/2", "docs/0", "docs/1", "docs/2", "docs/3", "zoo/0"]
        + [f"{name}/{what}" for name in NAMES for what in ("plan", "assemble")]
    )
    audit = read(path)
    assert numbers(audit) == {"app": [0, 1, 2], "docs": [0, 1, 2, 3], "web": [], "zoo": [0]}
    # The engine's own words for the name do not count.
    assert [(one.name, one.path, one.blobs) for one in audit.repositories] == [
        (repo.name, repo.path, count) for repo, count in zip(repos, (3, 4, 0, 1), strict=True)
    ]
    assert (heard[-1].done, heard[-1].total, heard[-1].bytes, heard[-1].share) == (4, 4, 404 * MEGABYTE, 1.0)
    assert [one.share for one in heard] == sorted(one.share for one in heard)
    assert [one.done for one in heard] == sorted(one.done for one in heard)


def test_a_repository_is_in_the_store_before_the_next_is_begun(tmp_path: Path, repos: tuple[Repo, ...]) -> None:
    path = str(tmp_path / "audit.sqlite")
    seen: list[int] = []

    def look(progress: Progress) -> None:
        seen.append(sum(one.is_complete for one in read(path).repositories))
        assert seen[-1] == progress.done

    audited(path, repos, script_of(tmp_path / "s", {name: [LARGE, LARGE] for name in NAMES}), advance=look)
    assert seen[-1] == len(NAMES)


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_small_repositories_travel_together_as_long_as_there_is_time(
    tmp_path: Path, repos: tuple[Repo, ...], monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(running, "_BATCH", seconds)
    many = tuple(repos[0]._replace(name=f"copy-{number:02}") for number in range(40))
    calls: list[int] = []

    class Counting(Serial):
        """Notes how many repositories travel in each call."""

        def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401  # its interface
            calls.append(len(args[2]))
            return super().submit(call, *args, **kwargs)

    path = str(tmp_path / "audit.sqlite")
    script = script_of(tmp_path / "s", {repo.name: [SMALL] for repo in many})
    assert audited(path, many, script, workers=Workers(Counting(), lambda: 1, lambda: None)) == Ended(40, 0)
    assert steps(script) == sorted(f"{repo.name}/{what}" for repo in many for what in ("plan", "0", "assemble"))
    assert [one.name for one in read(path).repositories if one.is_complete] == [repo.name for repo in many]
    assert calls[0] == 10
    # Without time each gives back all but its first.
    assert (len(calls) == len(many)) == (seconds == 0)


def test_progress_knows_its_rate_and_what_is_left() -> None:
    half = Progress(5, 10, 30 * MEGABYTE, "app", seconds=3.0, share=0.5)
    assert (half.rate, half.left) == (10 * MEGABYTE, 3.0)
    begin = Progress(0, 10, 0, "app", seconds=0.0, share=0.0)
    assert (begin.rate, begin.left) == (0.0, None)


# Again


def test_what_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    names = engines.clones(tmp_path, NAMES[:2])
    repos, path = repositories_of(names), str(tmp_path / "audit.sqlite")
    costs = {"app": [SMALL], "docs": [LARGE, LARGE]}
    audited(path, repos, script_of(tmp_path / "one", costs))
    before = read(path)
    second = script_of(tmp_path / "two", costs)
    assert audited(path, repos, second) == Ended(2, 2)
    assert steps(second) == []
    assert read(path) == before
    (tmp_path / "docs" / "new.txt").write_text("new\n")
    third = script_of(tmp_path / "three", costs)
    assert audited(path, repos, third) == Ended(2, 1)
    assert steps(third) == ["docs/0", "docs/1", "docs/assemble", "docs/plan"]


@pytest.mark.parametrize("more", [{"again": True}, {"stamp": "other rules"}], ids=str)
def test_everything_is_read_again_when_asked_or_when_the_rules_changed(
    tmp_path: Path, repos: tuple[Repo, ...], more: dict[str, Any]
) -> None:
    path = str(tmp_path / "audit.sqlite")
    audited(path, repos[:1], script_of(tmp_path / "one", {"app": [SMALL]}))
    second = script_of(tmp_path / "two", {"app": [SMALL]})
    assert audited(path, repos[:1], second, **more) == Ended(1, 0)
    assert steps(second) == ["app/0", "app/assemble", "app/plan"]


# Things that go wrong


def test_what_is_no_repository_is_told_and_the_rest_is_audited(tmp_path: Path, repos: tuple[Repo, ...]) -> None:
    path = str(tmp_path / "audit.sqlite")
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.txt").write_text(f"empty\ngone\n{repos[0].location}\nhttps://example.org/a\n")
    listed = repositories_of(str(tmp_path / "list.txt"))
    assert audited(path, listed, script_of(tmp_path / "s", {repos[0].location: [SMALL]})) == Ended(4, 0)
    assert [(one.name, one.error) for one in read(path).repositories] == [
        ("empty", "this is no git repository"),
        ("gone", "there is no such folder"),
        (repos[0].location, None),
        ("https://example.org/a", "this is a URL: clone it with `git clone --mirror`, and list the folder"),
    ]


def test_an_error_of_git_is_the_repositorys(tmp_path: Path, repos: tuple[Repo, ...]) -> None:
    path = str(tmp_path / "audit.sqlite")
    script = script_of(tmp_path / "s", {"app": [SMALL], "docs": [SMALL]}, fail=["app/plan"])
    audited(path, repos[:2], script)
    assert [one.error for one in read(path).repositories] == ["app/plan failed", None]
    # What went wrong is tried again the next time.
    again = script_of(tmp_path / "t", {"app": [SMALL], "docs": [SMALL]})
    assert audited(path, repos[:2], again) == Ended(2, 1)
    assert [one.error for one in read(path).repositories] == [None, None]


def test_a_bug_costs_its_unit_and_quotes_nothing(tmp_path: Path, repos: tuple[Repo, ...]) -> None:
    path = str(tmp_path / "audit.sqlite")
    costs = {"app": [SMALL], "docs": [LARGE] * 3}
    ended = audited(path, repos[:2], script_of(tmp_path / "s", costs, fail=["app/0", "docs/1"]))
    audit = read(path)
    assert numbers(audit) == {"app": [], "docs": [0, 2]}
    assert audit.repositories[1].missing == LARGE, "the engine knows what was lost"
    assert [one.is_complete for one in audit.repositories] == [True, False]
    assert str(audit.repositories[0].error).startswith("keyguard failed on it: ValueError in step, line ")
    assert ended == Ended(2, 0)
    (notice,) = audit.notices
    assert notice.path == "docs"
    assert notice.message.startswith("a part of its history (100 MB) was left out: keyguard failed on it: ValueError")


def test_ctrl_c_keeps_what_is_done(tmp_path: Path, repos: tuple[Repo, ...]) -> None:
    path = str(tmp_path / "audit.sqlite")

    def press(progress: Progress) -> None:
        if progress.done == 2:
            raise KeyboardInterrupt

    script = script_of(tmp_path / "s", {name: [SMALL] for name in NAMES})
    assert audited(path, repos, script, advance=press) == Ended(2, 0, interrupted=True)
    audit = read(path)
    assert [one.is_complete for one in audit.repositories] == [True, True, False, False]
    assert len(audit.leaks[0].sightings) == 2
    # The next run does the rest, and only that.
    rest = script_of(tmp_path / "t", {name: [SMALL] for name in NAMES})
    assert audited(path, repos, rest) == Ended(4, 2)
    assert {what.partition("/")[0] for what in steps(rest)} == {"web", "zoo"}


# Any order, any death


class Chaotic(Executor):
    """Does calls in any order, some twice, and loses some: before they were done, or with their result."""

    def __init__(self, seed: int, deaths: float) -> None:
        """Begin a thread that does them; each dies with the probability `deaths`."""
        self._random = random.Random(seed)  # noqa: S311  # no secret
        self._deaths = deaths
        self._waiting: list[tuple[Future[Any], Callable[[], Any]]] = []
        self._changed = threading.Condition()
        self._is_over = False
        self.most = 0
        self._thread = threading.Thread(target=self._go)
        self._thread.start()

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401  # its interface
        """Keep a call for later."""
        future: Future[Any] = Future()
        with self._changed:
            self._waiting.append((future, lambda: call(*args, **kwargs)))
            self.most = max(self.most, len(self._waiting))
            self._changed.notify()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """End."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join()

    def _go(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_over)
                if not self._waiting:
                    return
                future, call = self._waiting.pop(self._random.randrange(len(self._waiting)))
            dies = self._random.random() < self._deaths
            if not dies or self._random.random() < 0.5:
                result = call()
            if dies:
                future.set_exception(BrokenExecutor("gone"))
            else:
                future.set_result(result)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 2**32),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.integers(1, 4),
    st.lists(st.lists(st.sampled_from([SMALL, LARGE]), max_size=4), min_size=2, max_size=4),
)
def test_nothing_is_lost_and_nothing_comes_twice(  # noqa: PLR0913, PLR0917  # what is drawn
    tmp_path_factory: pytest.TempPathFactory,
    repos: tuple[Repo, ...],
    seed: int,
    deaths: float,
    places: int,
    costs: list[list[int]],
) -> None:
    folder = tmp_path_factory.mktemp("chaos")
    listed = repos[: len(costs)]
    script = script_of(folder / "s", {repo.name: each for repo, each in zip(listed, costs, strict=True)})
    path = str(folder / "audit.sqlite")
    heard: list[Progress] = []
    with Chaotic(seed, deaths) as executor:
        workers = Workers(executor, lambda: places, lambda: None)
        ended = audited(path, listed, script, workers=workers, advance=heard.append)
    audit = read(path)
    assert executor.most <= 2 * places
    assert ended.done == len(listed) == heard[-1].done
    found = numbers(audit)
    for one, repo in zip(audit.repositories, listed, strict=True):
        assert one.name == repo.name
        lost = [notice for notice in audit.notices if notice.path == one.name]
        expected = list(range(len(script.costs[one.name])))
        if one.error is not None:
            assert (one.error, found[one.name]) == ("the process that read it died", [])
        else:
            assert sorted(set(found[one.name])) == found[one.name]
            assert set(found[one.name]) <= set(expected)
            assert len(expected) - len(found[one.name]) == len(lost)
            assert one.is_complete == (not lost)
    if not deaths:
        assert audit.is_complete
        assert len(steps(script)) == sum(map(len, costs)) + 2 * len(listed)


def test_one_that_kills_its_worker_twice_is_divided_and_then_told(
    tmp_path: Path, repos: tuple[Repo, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "audit.sqlite")
    script = script_of(tmp_path / "s", {"app": [SMALL] * 3, "docs": [SMALL]}, fail=["app/1"])
    original = running._do  # noqa: SLF001  # what a worker calls

    def dying(step: str, *given: Any) -> Any:  # noqa: ANN401
        """As a worker that the failing unit kills."""
        result = original(step, *given)
        if "ValueError" in str(result):
            raise BrokenExecutor
        return result

    monkeypatch.setattr(running, "_do", dying)
    assert audited(path, repos[:2], script) == Ended(2, 0)
    audit = read(path)
    assert audit.notices == (Notice("a part of its history (1 MB) was left out: the process that read it died", "app"),)
    assert numbers(audit) == {"app": [0, 2], "docs": [0]}
    assert [one.is_complete for one in audit.repositories] == [False, True]


def test_workers_out_of_reach_end_the_audit_with_what_is_done(tmp_path: Path, repos: tuple[Repo, ...]) -> None:
    path = str(tmp_path / "audit.sqlite")

    class Gone(Executor):
        """Does two calls, and cancels the others by itself."""

        calls = 0

        def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401  # its interface
            future: Future[Any] = Future()
            self.calls += 1
            if self.calls <= 2:
                future.set_result(call(*args, **kwargs))
            else:
                future.cancel()
            return future

    class Silent(Gone):
        """Does not even do that."""

        def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401  # as above
            return Future() if self.calls == 2 else super().submit(call, *args, **kwargs)

    script = script_of(tmp_path / "s", {name: [SMALL] for name in NAMES})
    gone, silent = Gone(), Silent()
    workers = [Workers(gone, lambda: 4, lambda: None), Workers(silent, lambda: 4, lambda: None, are_lost=lambda: True)]
    for some in workers:
        with pytest.raises(UsageError, match="out of reach; what is done is kept: run the same command again"):
            audited(path, repos, script, workers=some, again=True)
    assert [one.is_complete for one in read(path).repositories] == [True, True, False, False]
