"""Spreads chunks of work over threads and processes; a worker that dies costs the one item it died on."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import TypeVar

from keyguard.engine import Outcome, Session, Sifted, sift_chunk
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keyguard.discover import Target

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# Seconds a thread that imports keeps the interpreter from one whose search has ended: with Python's 5 ms, two threads
# take 5 % longer for a tree of 240 MB, and 10 % with processes of others beside them.
_SWITCH = 0.0002

# One run a worker: set once when the worker starts and never changed, so that a chunk carries only its files.
_session: Session | None = None


def sift(  # noqa: PLR0913, PLR0917  # what is sifted, how, and who is told
    targets: Sequence[Target],
    session: Session,
    threads: int,
    chunks: Sequence[tuple[int, int]],
    advance: Callable[[int], None],
    prepare: Callable[[Sifted], None],
) -> tuple[list[Outcome], list[tuple[Target, Sifted | None]]]:
    """Let the prefilter look at the targets in threads: RE2 searches without the interpreter's lock.

    `prepare` is told at once what was found. All threads have ended when this returns, so that processes can be forked.
    """
    outcomes: list[Outcome] = []
    left: list[tuple[Target, Sifted | None]] = []
    pool = ThreadPoolExecutor(threads)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH)
    try:
        parts = [targets[start:end] for start, end in chunks]
        for part, (found, waiting) in zip(parts, pool.map(lambda part: sift_chunk(part, session), parts), strict=True):
            outcomes += found
            left += waiting
            if _inherited():
                for _, sifted in waiting:
                    if sifted is not None:
                        prepare(sifted)
            advance(len(part) - len(waiting))
    finally:
        pool.shutdown(cancel_futures=True)
        sys.setswitchinterval(usual)
    return outcomes, left


def spread(  # noqa: PLR0913  # what is to be done, by whom, and where it goes
    items: Sequence[_Item],
    session: Session,
    workers: int,
    chunks: Sequence[tuple[int, int]],
    *,
    work: Callable[[Sequence[_Item], Session], list[_Result]],
    lost: Callable[[_Item, Session], _Result],
    take: Callable[[list[_Result], int], None],
) -> None:
    """Let `workers` processes do the work; `take` gets the results of each chunk and how many items it had.

    `chunks` are the index ranges that travel together. When a worker dies, the chunks that were being worked on are
    done again item by item in another process; for an item that kills that one too, `lost` gives the result.
    """
    left = list(chunks)
    while left:
        broken = _together(items, session, workers, left, work, take)
        # Chunks are taken in their order, so the first ones without a result, one a worker, were being worked on.
        for start, end in broken[:workers]:
            _one_by_one(items[start:end], session, work, lost, take)
        left = broken[workers:]


def share(
    items: Sequence[_Item],
    session: Session,
    workers: int,
    *,
    work: Callable[[_Item, Session], _Result],
    take: Callable[[_Result], None],
) -> None:
    """Let `workers` processes do the work, of which this is one; `take` gets the results in any order.

    What this one learns meanwhile (an automaton that grows as it searches), processes that are forked later have, too:
    so it does the last item first, and alone. What a worker that dies had in hand is done here.
    """
    *rest, last = items
    take(work(last, session))
    handed_on: dict[Future[_Result], _Item] = {}
    others = workers - 1
    with _pool(others, session) as pool:
        try:
            while rest or handed_on:
                # The others have the front, and one item each that waits; this one has the end.
                with suppress(BrokenProcessPool):
                    while rest and len(handed_on) < 2 * others:
                        handed_on[pool.submit(_work, work, rest[0])] = rest[0]
                        del rest[0]
                if rest:
                    take(work(rest.pop(), session))
                for future in wait(handed_on, 0 if rest else None, FIRST_COMPLETED).done:
                    item = handed_on.pop(future)
                    try:
                        result = future.result()
                    except BrokenProcessPool:
                        result = work(item, session)
                    take(result)
        except KeyboardInterrupt:
            _stop(pool)
            raise


def _together(  # noqa: PLR0913, PLR0917  # what `spread` was given
    items: Sequence[_Item],
    session: Session,
    workers: int,
    chunks: Sequence[tuple[int, int]],
    work: Callable[[Sequence[_Item], Session], list[_Result]],
    take: Callable[[list[_Result], int], None],
) -> list[tuple[int, int]]:
    """Hand on the chunks' results, until all are there or a worker dies; give the chunks that are not."""
    waiting: dict[Future[list[_Result]], tuple[int, int]] = {}
    finished: set[tuple[int, int]] = set()
    with _pool(workers, session) as pool:
        try:
            with suppress(BrokenProcessPool):
                for start, end in chunks:
                    waiting[pool.submit(_work, work, items[start:end])] = (start, end)
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    chunk = waiting.pop(future)
                    with suppress(BrokenProcessPool):
                        take(future.result(), chunk[1] - chunk[0])
                        finished.add(chunk)
        except KeyboardInterrupt:
            _stop(pool)
            raise
    return [chunk for chunk in chunks if chunk not in finished]


def _one_by_one(
    items: Sequence[_Item],
    session: Session,
    work: Callable[[Sequence[_Item], Session], list[_Result]],
    lost: Callable[[_Item, Session], _Result],
    take: Callable[[list[_Result], int], None],
) -> None:
    left = list(items)
    while left:
        with _pool(1, session) as pool:
            try:
                while left:
                    take(pool.submit(_work, work, left[:1]).result(), 1)
                    del left[0]
            except BrokenProcessPool:
                take([lost(left.pop(0), session)], 1)
            except KeyboardInterrupt:
                _stop(pool)
                raise


def _pool(workers: int, session: Session) -> ProcessPoolExecutor:
    # Forking shares the catalogue and costs 10 ms; elsewhere a worker loads its own (100 ms).
    method = "fork" if _inherited() else None
    return ProcessPoolExecutor(workers, multiprocessing.get_context(method), initializer=_start, initargs=(session,))


def _inherited() -> bool:
    """Tell whether processes begin with all that is in memory here."""
    return sys.platform == "linux"


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


def _work(work: Callable[[_Item, Session], _Result], item: _Item) -> _Result:
    if _session is None:
        msg = "a worker was given work before it was started"
        raise RuntimeError(msg)
    return work(item, _session)
