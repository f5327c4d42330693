"""Real workers, and what happens when they die: processes of this machine, and a Dask cluster on loopback."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, CancelledError
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from keyguard.errors import UsageError
from keyguard.many.executors import Processes, cluster, local, serial
from keyguard.many.repositories import Repo, repositories_of
from keyguard.many.running import Ended, Progress, run
from keyguard.many.store import open_store, read, summed_up
from keyguard.model import Notice
from tests.clusters import running
from tests.many import engines
from tests.many.engines import MEGABYTE, Script, log, steps
from tests.many.test_running import numbers, script_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from keyguard.many.executors import Workers

# One cluster for all of it: it takes seconds to start.
pytestmark = [
    pytest.mark.xdist_group("many-workers"),
    pytest.mark.skipif(sys.platform == "win32", reason="processes are killed with SIGKILL"),
]

ROOT = Path(__file__).parents[2]
SMALL, LARGE = 1 * MEGABYTE, 100 * MEGABYTE
NAMES = tuple(f"repository-{number}" for number in range(8))
COSTS = {name: [SMALL] * (number % 3) for number, name in enumerate(NAMES[:6])} | {
    NAMES[6]: [LARGE] * 12,
    NAMES[7]: [LARGE] * 5,
}
ALL = {name: list(range(len(costs))) for name, costs in COSTS.items()}


@pytest.fixture(scope="module")
def repos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repo, ...]:
    """Repositories, empty ones: what is in them is the engine's affair."""
    return repositories_of(engines.clones(tmp_path_factory.mktemp("clones"), NAMES))


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a cluster of two workers, which start again when they die."""
    pytest.importorskip("distributed")
    with running(tmp_path_factory.mktemp("cluster"), 2) as cluster:
        yield cluster.address


@pytest.fixture(params=["local", "dask"])
def workers(request: pytest.FixtureRequest) -> Callable[[], AbstractContextManager[Workers]]:
    """Opens two workers of each kind."""
    if request.param == "local":
        return lambda: local(2)
    address = request.getfixturevalue("dask")
    return lambda: cluster(address)


Open = "Callable[[], AbstractContextManager[Workers]]"


def audited(path: Path, repos: tuple[Repo, ...], script: Script, workers: Workers) -> Ended:
    """Run an audit."""
    with open_store(str(path)) as store:
        return run(repos, engines.engine(script), workers, store, group=summed_up)


# Everything goes well


def test_all_workers_find_what_one_finds(tmp_path: Path, repos: tuple[Repo, ...], workers: Open) -> None:  # type: ignore[valid-type]
    script = script_of(tmp_path / "s", COSTS, slow=0.01)
    with workers() as many:  # type: ignore[operator]
        assert audited(tmp_path / "many.sqlite", repos, script, many) == Ended(8, 0)
    expected = [f"{name}/{step}" for name in NAMES for step in ("plan", "assemble", *range(len(COSTS[name])))]
    assert steps(script) == sorted(expected)
    who = {process for process, _ in log(script)}
    assert os.getpid() not in who
    assert len(who) == 2
    # What all units need is made once a process.
    assert [what for _, what in log(script)].count("session") == 2
    with serial() as one:
        audited(tmp_path / "one.sqlite", repos, script, one)
    assert read(str(tmp_path / "many.sqlite")) == read(str(tmp_path / "one.sqlite"))


# Workers that die


@pytest.mark.parametrize("victim", [f"{NAMES[6]}/7", f"{NAMES[7]}/assemble", f"{NAMES[5]}/1", f"{NAMES[4]}/plan"])
def test_a_worker_that_is_killed_costs_nothing(
    tmp_path: Path,
    repos: tuple[Repo, ...],
    workers: Open,
    victim: str,  # type: ignore[valid-type]
) -> None:
    script = script_of(tmp_path / "s", COSTS, once=[victim], slow=0.01)
    with workers() as many:  # type: ignore[operator]
        assert audited(tmp_path / "audit.sqlite", repos, script, many) == Ended(8, 0)
    audit = read(str(tmp_path / "audit.sqlite"))
    assert audit.is_complete
    assert numbers(audit) == ALL
    assert (tmp_path / "s" / victim.replace("/", "-")).exists(), "it did die"


def test_a_unit_that_always_kills_is_told_and_no_other_is_lost(
    tmp_path: Path, repos: tuple[Repo, ...], dask: str
) -> None:
    import distributed  # noqa: PLC0415  # an extra, and slow

    killer = f"{NAMES[6]}/7"
    for name in ("local", "dask"):
        script = script_of(tmp_path / name, COSTS, kill=[killer], slow=0.01)
        with contextlib.ExitStack() as stack:
            if name == "dask":
                client = stack.enter_context(distributed.Client(dask, set_as_default=False))
                client.run_on_scheduler(_allow_failures, 0)  # else it kills four workers each time, 2 s a worker
                stack.callback(client.run_on_scheduler, _allow_failures, 3)
            many = stack.enter_context(local(2) if name == "local" else cluster(dask))
            ended = audited(tmp_path / f"{name}.sqlite", repos, script, many)
        told = "a part of its history (100 MB) was left out: the process that read it died"
        assert ended == Ended(8, 0), name
        audit = read(str(tmp_path / f"{name}.sqlite"))
        assert audit.notices == (Notice(told, NAMES[6]),), name
        assert numbers(audit) == ALL | {NAMES[6]: [number for number in range(12) if number != 7]}
        assert [one.name for one in audit.repositories if not one.is_complete] == [NAMES[6]]


def _allow_failures(count: int, dask_scheduler: Any = None) -> None:  # noqa: ANN401  # Dask's scheduler
    dask_scheduler.allowed_failures = count


def test_a_process_that_dies_takes_no_other_call_along(tmp_path: Path) -> None:
    with Processes(2) as executor, contextlib.ExitStack() as at_last:
        at_last.callback((tmp_path / "go").touch)
        slow = executor.submit(_late, str(tmp_path / "go"))
        with pytest.raises(BrokenExecutor):
            executor.submit(os._exit, 1).result()
        assert executor.submit(len, "abc").result() == 3
        with pytest.raises(ValueError, match="invalid literal"):
            executor.submit(int, "x").result()
        # One that dies while nothing is asked of it is replaced, at the latest when a call was lost with it.
        idle = executor.submit(os.getpid).result()
        os.kill(idle, signal.SIGKILL)
        _gone(idle)
        with contextlib.suppress(BrokenExecutor):
            executor.submit(len, "abcd").result()
        assert executor.submit(len, "abcd").result() == 4
        assert not slow.done()
        (tmp_path / "go").touch()
        assert slow.result() == "late"
    with pytest.raises(RuntimeError):
        executor.submit(len, "abc")


def _late(mark: str) -> str:
    while not Path(mark).exists():
        time.sleep(0.01)
    return "late"


def _gone(process: int) -> None:
    """Wait until a process is no more, or only its parent has not looked yet."""
    for _ in range(1000):
        state = Path(f"/proc/{process}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.01)
    pytest.fail(f"process {process} is still there")


# Ctrl-C, and a kill of the whole


def test_ctrl_c_leaves_what_is_done_and_workers_that_are_free(
    tmp_path: Path,
    repos: tuple[Repo, ...],
    workers: Open,  # type: ignore[valid-type]
) -> None:
    script, path = script_of(tmp_path / "s", COSTS, slow=0.01), tmp_path / "audit.sqlite"

    def press(progress: Progress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    with workers() as many, open_store(str(path)) as store:  # type: ignore[operator]
        ended = run(repos, engines.engine(script), many, store, group=summed_up, advance=press)
    assert ended == Ended(3, 0, interrupted=True)
    assert len(done(tmp_path)) == 3
    with workers() as many:  # type: ignore[operator]
        assert audited(path, repos, script, many) == Ended(8, 3)
    assert numbers(read(str(path))) == ALL


AUDIT = """
import sys
from keyguard.many.executors import local
from keyguard.many.repositories import repositories_of
from keyguard.many.running import run
from keyguard.many.store import open_store, summed_up
from tests.many.engines import Script, engine
from tests.many.test_executors import COSTS

if __name__ == "__main__":
    script = Script(sys.argv[1], COSTS, slow=float(sys.argv[4]))
    with local(2) as workers, open_store(sys.argv[2]) as store:
        print(run(repositories_of(sys.argv[3]), engine(script), workers, store, group=summed_up).interrupted)
"""


@pytest.fixture
def begun(tmp_path: Path, repos: tuple[Repo, ...]) -> Iterator[tuple[subprocess.Popen[str], Script]]:
    """An audit in a process of its own, in the middle of a large repository whose units take for ever."""
    script = script_of(tmp_path / "s", COSTS)
    (tmp_path / "audit.py").write_text(AUDIT)
    listed = Path(repos[0].location).parent / "list.txt"
    argv = [sys.executable, tmp_path / "audit.py", script.folder, tmp_path / "audit.sqlite", listed, "600"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            # The first one has no unit.
            while not ((tmp_path / "audit.sqlite").exists() and done(tmp_path) == NAMES[:1]):
                time.sleep(0.02)
                assert process.poll() is None
            yield process, script
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def done(folder: Path) -> tuple[str, ...]:
    """Which repositories a store has that may be written just now."""
    with contextlib.suppress(UsageError):
        return tuple(one.name for one in read(str(folder / "audit.sqlite")).repositories if one.is_complete)
    return ()


def test_ctrl_c_ends_every_process_and_keeps_what_is_done(
    tmp_path: Path, begun: tuple[subprocess.Popen[str], Script]
) -> None:
    process, script = begun
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    assert process.stdout is not None
    assert process.stdout.read() == "True\n"
    assert process.wait() == 0
    for worker, _ in log(script):
        _gone(worker)
    assert done(tmp_path) == NAMES[:1]
    assert [leak.key for leak in read(str(tmp_path / "audit.sqlite")).leaks] == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_end_when_their_parent_is_killed(tmp_path: Path, begun: tuple[subprocess.Popen[str], Script]) -> None:
    process, script = begun
    process.kill()
    process.wait()
    for worker, _ in log(script):
        _gone(worker)
    assert done(tmp_path) == NAMES[:1]


# A cluster that is not as it should be


def test_a_cluster_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyguard.many.executors._ANSWER", "1s")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    told = pytest.raises(UsageError, match=rf"--cluster: no Dask scheduler answers at 127\.0\.0\.1:{port}")
    with told, cluster(f"127.0.0.1:{port}"):
        pass


def test_workers_with_another_keyguard_are_told(dask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyguard.many.executors.__version__", "99.0")
    told = r"the worker tcp://127\.0\.0\.1:\d+ has keyguard .*: install keyguard 99\.0"
    with pytest.raises(UsageError, match=told), cluster(dask):
        pass


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'keyguard\[cluster\]'"), cluster("127.0.0.1:8786"):
        pass


def test_a_scheduler_that_dies_ends_the_audit_with_what_is_done(
    tmp_path: Path, repos: tuple[Repo, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("keyguard.many.executors._ANSWER", "3s")
    script = script_of(tmp_path / "s", {repos[0].name: [], repos[1].name: [LARGE] * 4})
    with running(tmp_path, 1) as own, open_store(str(tmp_path / "audit.sqlite")) as store:

        def stop(_: object) -> None:
            own.stop()

        with cluster(own.address) as workers:
            with pytest.raises(UsageError, match="the workers are out of reach"):
                run(repos[:2], engines.engine(script), workers, store, group=summed_up, advance=stop)
            # What is handed over later is not done either, and nobody waits for it.
            with pytest.raises(CancelledError):
                workers.executor.submit(len, "abc").result(timeout=60)
            assert workers.places() == 0
    assert [one.is_complete for one in read(str(tmp_path / "audit.sqlite")).repositories] == [True, False]


def test_a_cluster_whose_client_closed_itself_is_left_without_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("keyguard.many.executors._ANSWER", "3s")
    with running(tmp_path, 1) as own, cluster(own.address) as workers:
        held = workers.executor.submit(time.sleep, 60)  # a call that is not done has to be cancelled
        own.stop()
        while not workers.are_lost():
            time.sleep(0.05)
        with pytest.raises(CancelledError):
            held.result(timeout=60)
    assert workers.are_lost()
