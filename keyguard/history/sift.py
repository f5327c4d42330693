"""Which objects of a history can hold a key at all: searched where they lie in git's own stream, many at a time."""

from __future__ import annotations

from bisect import bisect_right
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, NamedTuple

from keyguard.history.objects import batches
from keyguard.history.packs import lineages, texts
from keyguard.source import searchable, wide_encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keyguard.discover.git import Repository
    from keyguard.engine import Session
    from keyguard.history.objects import Batch, Object
    from keyguard.history.packs import Lineage, Text
    from keyguard.prefilter import Prefilter

UNIT = 24 << 20  # bytes of objects that one process reads: 0.1 s, a hundred times what it costs to start git
_UNIT_OBJECTS = 20_000
_THREADS = 4
_ALONE = 64 << 20  # bytes read from packs: for fewer it takes longer to start a process
_HEAD_OF_WIDE = 4096  # bytes by which UTF-16 is told


# What is known of a text, and lets one that was made from it be told by what is new: that there is nothing in it that
# `first_in` would find, that it names no client and holds no form of a key. Of any other a new one is read whole.
_EMPTY, _HARMLESS, _OPEN = range(3)


class Unit(NamedTuple):
    """Some objects of one repository that are read by one process, and their bytes in all.

    The `names` are those that git is asked for, beside a `lineage` that is read from a pack.
    """

    repository: Repository
    names: tuple[str, ...]
    size: int
    lineage: Lineage | None = None


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


def units(repository: Repository, objects: Sequence[Object]) -> list[Unit]:
    """Cut objects into units of about `UNIT` bytes: those that can be read from packs, then others in their order.

    Raises:
        GitError: as `git.run`.
    """
    packed, others = lineages(repository, objects, UNIT)
    # The longest first: at the end no worker waits for another.
    packed.sort(key=lambda lineage: -lineage.size)
    cut = [Unit(repository, (), lineage.size, lineage) for lineage in packed]
    names: list[str] = []
    size = 0
    for one in others:
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

    A few workers that git feeds are threads: patterns are searched without the interpreter's lock, and all grow one
    automaton, which processes that are forked later inherit. What is read from packs needs the lock for half of its
    time, and more than a few threads would wait for what Python does for each object: those are processes.

    Raises:
        GitError: git could not be started.
    """
    packed = sum(unit.size for unit in work if unit.lineage)
    jobs = min(jobs, len(work))
    if jobs < 2 or packed == sum(unit.size for unit in work) < _ALONE:  # noqa: PLR2004  # two share it
        for unit in work:
            take(sifted(unit, session))
        return
    if jobs <= _THREADS and packed < _ALONE:
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
    names = unit.names
    if unit.lineage is not None:
        names = (*_judged(unit.lineage, prefilter, suspects), *names)
    for batch in batches(unit.repository, names):
        missing += batch.missing
        wide, found = _searched(batch, prefilter)
        for index in found:
            data, start, end = batch.data, batch.starts[index], batch.ends[index]
            if index in wide:
                data, start, end = _flat(data[start:end])
            name, kind = batch.names[index], batch.types[index]
            suspect = _suspect(name, kind, batch.ends[index] - batch.starts[index], data, start, end, prefilter)
            if suspect is not None:
                suspects.append(suspect)
    names = unit.names if unit.lineage is None else (*unit.lineage.names, *unit.names)
    return Sifted(names, unit.size, tuple(suspects), tuple(missing))


def _suspect(  # noqa: PLR0913, PLR0917  # an object, and where its text is
    name: str, kind: str, size: int, data: bytes, start: int, end: int, prefilter: Prefilter
) -> Suspect | None:
    """Search a text in which `first_in` found something; None if it holds no key."""
    # With the line end before it, which git wrote: else what begins a text would not seem to begin anything.
    before = max(start - 1, 0)
    if prefilter.may_leak(data, before, end):
        gist = prefilter.gist(data, before, end)
        if prefilter.leaks(gist, data[start:end]):
            return Suspect(name, kind, size, gist.hex())
    return None


def _flat(wide: bytes) -> tuple[bytes, int, int]:
    data = searchable(wide) or b""
    return data, 0, len(data)


def _judged(lineage: Lineage, prefilter: Prefilter, suspects: list[Suspect]) -> list[str]:
    """Search the texts of a lineage, each where it differs from the one it was made from; name those git must read."""
    left = []
    above: list[int] = []
    for text in texts(lineage):
        del above[text.depth :]
        base = above[-1] if above else _OPEN
        if text.data is None:
            left.append(text.name)
            verdict = _OPEN
        elif base != _OPEN and not _is_news(text.data, text.known, base, prefilter):
            verdict = base
        else:
            verdict = _read(text, text.data, prefilter, suspects)
        above.append(verdict)
    return left


def _is_news(data: bytes, known: Sequence[tuple[int, int]], base: int, prefilter: Prefilter) -> bool:
    """Tell whether a text may hold what the one it was made from does not."""
    part = prefilter.unknown(data, known)
    if b"\0" in part:
        return True
    if base == _EMPTY:
        return prefilter.first_in(part, 0, len(part)) is not None
    return prefilter.may_leak(part, 0, len(part))


def _read(text: Text, data: bytes, prefilter: Prefilter, suspects: list[Suspect]) -> int:
    """Search a whole text, and tell what that means for those that are made from it."""
    start, end, verdict = 1, len(data), _OPEN
    if b"\0" in data:
        if wide_encoding(data[1 : 1 + _HEAD_OF_WIDE]) is None:
            return _OPEN
        data, start, end = _flat(data[1:])
    elif prefilter.first_in(data, 0, end) is None:
        return _EMPTY
    elif not prefilter.may_leak(data, 0, end):
        return _HARMLESS
    suspect = _suspect(text.name, text.kind, len(text.data or b"") - 1, data, start, end, prefilter)
    if suspect is not None:
        suspects.append(suspect)
    return verdict


def _searched(batch: Batch, prefilter: Prefilter) -> tuple[set[int], list[int]]:
    """Search a whole batch at once and give the objects of it that are wide, and those to be searched more closely.

    What precedes an object, a line of git's, ends as a line of a file does, so that a match is the same as in the
    object alone. One that begins in an object may reach into the next and hide another: both are given.
    """
    data, starts, ends = batch.data, batch.starts, batch.ends
    found: set[int] = set()
    binary: set[int] = set()
    wide: set[int] = set()
    if b"\0" in data:
        for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
            if data.find(b"\0", start, end) >= 0:
                encoding = wide_encoding(data[start : min(start + _HEAD_OF_WIDE, end)])
                (binary if encoding is None else wide).add(index)
    place, stop = 0, ends[-1] if ends else 0
    while place < stop and (match := prefilter.first_in(data, place, stop)) is not None:
        # A match in git's own line counts for the object below, which its last character may belong to.
        first = bisect_right(ends, match[0])
        last = bisect_right(ends, match[1] - 1)
        found.update(range(first, min(last, len(ends) - 1) + 1))
        place = ends[first] + 1
    return wide, sorted((found | wide) - binary)
