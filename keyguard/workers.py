"""Spreads chunks of files over processes; a worker that dies costs the one file it died on."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from keyguard.engine import Outcome, Session, check_chunk
from keyguard.model import FileReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keyguard.discover import Target

# One run a worker: set once when the worker starts and never changed, so that a chunk carries only its files.
_session: Session | None = None


def spread(
    targets: Sequence[Target],
    session: Session,
    workers: int,
    chunks: Sequence[tuple[int, int]],
    advance: Callable[[int], None],
) -> list[Outcome]:
    """Check the targets in `workers` processes, `chunks` being the index ranges that travel together.

    When a worker dies, its chunk is done again file by file, each in a process of its own, and the file that kills
    that one too is reported as skipped.
    """
    outcomes: list[Outcome] = []
    broken: list[tuple[int, int]] = []
    with _pool(workers, session) as pool:
        try:
            waiting: dict[Future[list[Outcome]], tuple[int, int]] = {}
            for start, end in chunks:
                waiting[pool.submit(_work, targets[start:end])] = (start, end)
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    start, end = waiting.pop(future)
                    try:
                        outcomes += future.result()
                        advance(end - start)
                    except BrokenProcessPool:
                        broken.append((start, end))
        except KeyboardInterrupt:
            _stop(pool)
            raise
    for start, end in sorted(broken):
        for target in targets[start:end]:
            outcomes += _alone(target, session)
            advance(1)
    return outcomes


def _alone(target: Target, session: Session) -> list[Outcome]:
    with _pool(1, session) as pool:
        try:
            return pool.submit(_work, [target]).result()
        except BrokenProcessPool:
            return [Outcome(FileReport(target.path, skipped="the worker died reading it"))]


def _pool(workers: int, session: Session) -> ProcessPoolExecutor:
    # Forking shares the catalogue and costs 10 ms; elsewhere a worker loads its own (100 ms).
    method = "fork" if sys.platform == "linux" else None
    return ProcessPoolExecutor(workers, multiprocessing.get_context(method), initializer=_start, initargs=(session,))


def _stop(pool: ProcessPoolExecutor) -> None:
    """End the workers at once: whoever pressed Ctrl-C does not wait for a chunk."""
    processes = list((pool._processes or {}).values())  # noqa: SLF001  # the executor offers no way to end its workers before 3.14
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()


def _start(session: Session) -> None:
    global _session  # noqa: PLW0603  # see `_session`
    _session = session
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the group; the parent answers it


def _work(targets: Sequence[Target]) -> list[Outcome]:
    if _session is None:
        msg = "a worker was given files before it was started"
        raise RuntimeError(msg)
    return check_chunk(targets, _session)
