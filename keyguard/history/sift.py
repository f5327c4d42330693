"""Which objects of a history can hold a key at all: in git's own stream many at a time, in packs where they differ."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import pairwise

from keyguard.history.objects import batches
from keyguard.history.packs import HEAD, lineages, texts
from keyguard.source import searchable, wide_encoding
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from keyguard.discover.git import Repository
    from keyguard.engine import Session
    from keyguard.history.objects import Batch, Object
    from keyguard.history.packs import Lineage
    from keyguard.prefilter import Prefilter

UNIT = 24 << 20  # bytes of objects that one process reads: 0.1 s, a hundred times what it costs to start git
_UNIT_OBJECTS = 20_000
_THREADS = 4
_ALONE = 64 << 20  # bytes read from packs: for fewer it takes longer to start a process


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


class _Verdict(NamedTuple):
    """What is known of a text, by which one that was made from it can be told.

    `EMPTY`: a search `finds` nothing in it. `HARMLESS`: `may_leak` would not. `SUMMED_UP`: it has a `gist`, None
    for one that is no suspect's. Of `OTHER` nothing follows.
    """

    kind: int
    gist: str | None = None


_EMPTY, _HARMLESS, _SUMMED_UP, _OTHER = map(_Verdict, range(4))


def divided(repository: Repository, objects: Sequence[Object]) -> list[Unit]:
    """Cut objects into units: those that git is asked for, then those that can be read from packs, the longest first.

    Raises:
        GitError: as `git.run`.
    """
    found, others = lineages(repository, objects, UNIT)
    found.sort(key=lambda lineage: -lineage.size)  # at the end no worker waits long for another
    return [*units(repository, others), *(Unit(repository, (), lineage.size, lineage) for lineage in found)]


def units(repository: Repository, objects: Iterable[Object]) -> list[Unit]:
    """Cut objects into units of about `UNIT` bytes that git is asked for, in their order."""
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
    from keyguard.workers import share, spread  # noqa: PLC0415  # multiprocessing: 25 ms, for large histories only

    if packed:
        share(work, session, jobs, work=sifted, take=take)
        return

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
            # With the line end before it, which git wrote: else what begins a text would not seem to begin anything.
            before = max(start - 1, 0)
            gist = _gist(data, start, end, prefilter) if prefilter.may_leak(data, before, end) else None
            if gist is not None:
                size = batch.ends[index] - batch.starts[index]
                suspects.append(Suspect(batch.names[index], batch.types[index], size, gist))
    names = unit.names if unit.lineage is None else (*unit.lineage.names, *unit.names)
    return Sifted(names, unit.size, tuple(suspects), tuple(missing))


def _gist(data: bytes, start: int, end: int, prefilter: Prefilter) -> str | None:
    """Sum up a text of which `may_leak` is true; None if it holds no key."""
    gist = prefilter.gist(data, max(start - 1, 0), end)
    return gist.hex() if prefilter.leaks(gist, data[start:end]) else None


def _flat(wide: bytes) -> tuple[bytes, int, int]:
    data = searchable(wide) or b""
    return data, 0, len(data)


def _judged(lineage: Lineage, prefilter: Prefilter, suspects: list[Suspect]) -> list[str]:
    """Search the texts of a lineage, each where it differs from the one it was made from; name those git must read."""
    left = []
    above: list[tuple[bytes, _Verdict]] = []
    for text in texts(lineage):
        del above[text.depth :]
        data = text.data
        if data is None:
            left.append(text.name)
            above.append((b"", _OTHER))
            continue
        base, verdict = above[-1] if above else (b"", _OTHER)
        if verdict.kind == _OTHER.kind or _is_news(data, base, text.taken, verdict, prefilter):
            verdict = _read(data, prefilter)
        if verdict.gist is not None:
            suspects.append(Suspect(text.name, "blob", len(data) - 1, verdict.gist))
        above.append((data, verdict))
    return left


def _is_news(
    data: bytes, base: bytes, taken: Sequence[tuple[int, int, int]], verdict: _Verdict, prefilter: Prefilter
) -> bool:
    """Tell whether the verdict on a text may be another than that on its base, from which it took some stretches."""
    part = prefilter.apart(data, [(start, end) for start, end, _ in taken])
    if b"\0" in part:
        return True
    if verdict is _EMPTY:
        return prefilter.finds(part)
    if verdict is _HARMLESS:
        return prefilter.may_leak(part, 0, len(part))
    there = [(where, where + end - start) for start, end, where in taken]
    if any(end > start for (_, end), (start, _) in pairwise(there)):
        return True  # in another order
    return prefilter.decides(part) or prefilter.decides(prefilter.apart(base, there))


def _read(data: bytes, prefilter: Prefilter) -> _Verdict:
    """Search a whole text, which has a line end before it."""
    if b"\0" in data:
        if wide_encoding(data[1 : 1 + HEAD]) is None:
            return _OTHER
        flat, start, end = _flat(data[1:])
        leaks = prefilter.may_leak(flat, start, end)
        return _OTHER._replace(gist=_gist(flat, start, end, prefilter)) if leaks else _OTHER
    end = len(data)
    if not prefilter.finds(data):
        return _EMPTY
    if not prefilter.may_leak(data, 0, end):
        return _HARMLESS
    kind = _OTHER if prefilter.is_counted_whole(data, 0, end) else _SUMMED_UP
    return kind._replace(gist=_gist(data, 1, end, prefilter))


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
                encoding = wide_encoding(data[start : min(start + HEAD, end)])
                (binary if encoding is None else wide).add(index)
    return wide, sorted((prefilter.found_among(data, ends) | wide) - binary)
