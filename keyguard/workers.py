"""Spreads chunks of files over threads and processes; a worker that dies costs the one file it died on."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import TYPE_CHECKING

from keyguard.engine import Outcome, Session, Sifted, check_chunk, sift_chunk, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keyguard.discover import Target

# One run a worker: set once when the worker starts and never changed, so that a chunk carries only its files.
_session: Session | None = None


def sift(
    targets: Sequence[Target],
    session: Session,
    threads: int,
    chunks: Sequence[tuple[int, int]],
    advance: Callable[[int], None],
) -> tuple[list[Outcome], list[tuple[Target, Sifted | None]]]:
    """Let the prefilter look at the targets in threads: RE2 searches without the interpreter's lock.

    All threads have ended when this returns, so that processes can be forked.
    """
    outcomes: list[Outcome] = []
    left: list[tuple[Target, Sifted | None]] = []
    pool = ThreadPoolExecutor(threads)
    try:
        parts = [targets[start:end] for start, end in chunks]
        for part, (found, waiting) in zip(parts, pool.map(lambda part: sift_chunk(part, session), parts), strict=True):
            outcomes += found
            left += waiting
            advance(len(part) - len(waiting))
    finally:
        pool.shutdown(cancel_futures=True)
    return outcomes, left


def spread(
    targets: Sequence[Target],
    session: Session,
    workers: int,
    chunks: Sequence[tuple[int, int]],
    advance: Callable[[int], None],
) -> list[Outcome]:
    """Check the targets in `workers` processes, `chunks` being the index ranges that travel together.

    When a worker dies, the chunks that were being worked on are done again file by file in another process, and the
    file that kills that one too is reported as unreadable.
    """
    outcomes: list[Outcome] = []
    left = list(chunks)
    while left:
        broken = _together(targets, session, workers, left, outcomes, advance)
        # Chunks are taken in their order, so the first ones without a result, one a worker, were being worked on.
        for start, end in broken[:workers]:
            outcomes += _one_by_one(targets[start:end], session)
            advance(end - start)
        left = broken[workers:]
    return outcomes


def _together(  # noqa: PLR0913, PLR0917  # what `spread` was given, and where results go
    targets: Sequence[Target],
    session: Session,
    workers: int,
    chunks: Sequence[tuple[int, int]],
    outcomes: list[Outcome],
    advance: Callable[[int], None],
) -> list[tuple[int, int]]:
    """Add the chunks' outcomes, until all are there or a worker dies; give the chunks that are not."""
    waiting: dict[Future[list[Outcome]], tuple[int, int]] = {}
    finished: set[tuple[int, int]] = set()
    with _pool(workers, session) as pool:
        try:
            with suppress(BrokenProcessPool):
                for start, end in chunks:
                    waiting[pool.submit(_work, targets[start:end])] = (start, end)
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    chunk = waiting.pop(future)
                    with suppress(BrokenProcessPool):
                        outcomes += future.result()
                        advance(chunk[1] - chunk[0])
                        finished.add(chunk)
        except KeyboardInterrupt:
            _stop(pool)
            raise
    return [chunk for chunk in chunks if chunk not in finished]


def _one_by_one(targets: Sequence[Target], session: Session) -> list[Outcome]:
    outcomes: list[Outcome] = []
    left = list(targets)
    while left:
        with _pool(1, session) as pool:
            try:
                while left:
                    outcomes += pool.submit(_work, left[:1]).result()
                    del left[0]
            except BrokenProcessPool:
                outcomes.append(unreadable(left.pop(0), session, "the process that read it died"))
            except KeyboardInterrupt:
                _stop(pool)
                raise
    return outcomes


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
