"""Which objects of a history can hold a key at all: searched where they lie in git's own stream, many at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, NamedTuple

from keyguard.history.objects import batches
from keyguard.source import searchable, wide_encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from keyguard.discover.git import Repository
    from keyguard.engine import Session
    from keyguard.history.objects import Batch, Object
    from keyguard.prefilter import Prefilter

UNIT = 24 << 20  # bytes of objects that one process reads: 0.1 s, a hundred times what it costs to start git
_UNIT_OBJECTS = 20_000
_THREADS = 4
_HEAD_OF_WIDE = 4096  # bytes by which UTF-16 is told


class Unit(NamedTuple):
    """Some objects of one repository that are read by one process, and their bytes in all."""

    repository: Repository
    names: tuple[str, ...]
    size: int


class Suspect(NamedTuple):
    """An object that may hold a key; those with the same `gist` hold the same ones."""

    name: str
    type: str
    size: int
    gist: str


class Sifted(NamedTuple):
    """What came of a unit: its objects and their bytes, those that must be checked, those that could not be read."""

    names: tuple[str, ...] = ()
    size: int = 0
    suspects: tuple[Suspect, ...] = ()
    missing: tuple[str, ...] = ()


def units(repository: Repository, objects: Iterable[Object]) -> list[Unit]:
    """Cut objects into units of about `UNIT` bytes, in their order."""
    cut: list[Unit] = []
    names: list[str] = []
    size = 0
    for one in objects:
        names.append(one.name)
        size += one.size
        if size >= UNIT or len(names) >= _UNIT_OBJECTS:
            cut.append(Unit(repository, tuple(names), size))
            names, size = [], 0
    if names:
        cut.append(Unit(repository, tuple(names), size))
    return cut


def sift(work: Sequence[Unit], session: Session, jobs: int, take: Callable[[Sifted], None]) -> None:
    """Search the objects of some units with `jobs` workers; `take` gets what came of each, in any order.

    A few workers are threads: patterns are searched without the interpreter's lock, and all grow one automaton, which
    processes that are forked later inherit. More than that would wait for what Python does for each object.

    Raises:
        GitError: git could not be started.
    """
    jobs = min(jobs, len(work))
    if jobs < 2:  # noqa: PLR2004  # two share it
        for unit in work:
            take(sifted(unit, session))
        return
    if jobs <= _THREADS:
        _in_threads(work, session, jobs, take)
        return
    from keyguard.workers import spread  # noqa: PLC0415  # multiprocessing: 25 ms, for large histories only

    def take_all(some: list[Sifted], _: int) -> None:
        for one in some:
            take(one)

    chunks = [(number, number + 1) for number in range(len(work))]
    spread(work, session, jobs, chunks, work=_sift_all, lost=_lost, take=take_all)


def _in_threads(work: Sequence[Unit], session: Session, jobs: int, take: Callable[[Sifted], None]) -> None:
    pool = ThreadPoolExecutor(jobs)
    try:
        for future in as_completed([pool.submit(sifted, unit, session) for unit in work]):
            take(future.result())
    finally:
        pool.shutdown(cancel_futures=True)


def _sift_all(some: Sequence[Unit], session: Session) -> list[Sifted]:
    return [sifted(unit, session) for unit in some]


def _lost(unit: Unit, _: Session) -> Sifted:
    """What is left of a unit whose process died twice."""
    return Sifted(unit.names, unit.size, missing=unit.names)


def sifted(unit: Unit, session: Session) -> Sifted:
    """Search the objects of one unit, in this process.

    Raises:
        GitError: git could not be started.
    """
    prefilter = session.prefilter
    suspects: list[Suspect] = []
    missing: list[str] = []
    for batch in batches(unit.repository, unit.names):
        missing += batch.missing
        wide, found = _searched(batch, prefilter)
        for index in found:
            data, start, end = batch.data, batch.starts[index], batch.ends[index]
            size = end - start
            if index in wide:
                data = searchable(data[start:end]) or b""
                start, end = 0, len(data)
            # With the line end before it, which git wrote: else what begins a text would not seem to begin anything.
            before = max(start - 1, 0)
            if prefilter.may_leak(data, before, end):
                gist = prefilter.gist(data, before, end)
                if prefilter.leaks(gist, data[start:end]):
                    suspects.append(Suspect(batch.names[index], batch.types[index], size, gist.hex()))
    return Sifted(unit.names, unit.size, tuple(suspects), tuple(missing))


def _searched(batch: Batch, prefilter: Prefilter) -> tuple[set[int], list[int]]:
    """Search a whole batch at once and give the objects of it that are wide, and those to be searched more closely.

    What precedes an object is a line of git's.
    """
    data, starts, ends = batch.data, batch.starts, batch.ends
    binary: set[int] = set()
    wide: set[int] = set()
    if b"\0" in data:
        for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
            if data.find(b"\0", start, end) >= 0:
                encoding = wide_encoding(data[start : min(start + _HEAD_OF_WIDE, end)])
                (binary if encoding is None else wide).add(index)
    return wide, sorted((prefilter.found_among(data, ends) | wide) - binary)
