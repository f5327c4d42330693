"""The objects of a git store: which there are, in the order they are packed, and their bytes in batches."""

from __future__ import annotations

import sys

from keyguard.discover import git
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import IO

    from keyguard.discover.git import Repository

# What git may hold in memory to build deltas: 96 MB by default, for each process. With 32 MB scrapy's 57,000 blobs
# take 2 % longer. Larger files than 8 MB are passed on as they are read, and not held.
_LEAN = ("-c", "core.deltaBaseCacheLimit=32m", "-c", "core.bigFileThreshold=8m")
_READ_AT_ONCE = 4 << 20  # bytes of one batch: with 1 MB the searches start 4 times as often, with 16 MB nothing is won
_PIPE = 1 << 20  # bytes a pipe may hold, on Linux: by default 64 KB, and each process waits for the other 16 times
_CHECK = ("cat-file", "--buffer", "--batch-check=%(objectname) %(objecttype) %(objectsize)")
_LIST = ("cat-file", "--buffer", f"{_CHECK[-1]} %(objectsize:disk) %(deltabase)")
_SET_PIPE_SIZE = 1031  # fcntl's F_SETPIPE_SZ, which Python names from 3.10 on some systems only
_MOST_DAMAGED = 50  # objects: each costs a new process of git
_FAILED = (1, 128)  # git's exit codes where it ends at an object
_LISTED_AT_ONCE = 1 << 18
_NO_BASE = "0" * 40
_HEAD = 160  # bytes of the longest line before an object: a name of SHA-256, a type, a size

TEXTS = frozenset({"blob", "commit", "tag"})
"""The types of objects that people write in."""


class Object(NamedTuple):
    """An object that can be read: its name, its type and its size in bytes.

    Where all were listed, the bytes it takes on disk, and the object that it is stored as a change of.
    """

    name: str
    type: str
    size: int
    stored: int = 0
    base: str = ""


class Batch(NamedTuple):
    """Some objects' bytes in one buffer: object `n` is `data[starts[n]:ends[n]]`; `missing` are names of none."""

    data: bytes
    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    missing: tuple[str, ...] = ()


def listed(repository: Repository) -> Iterator[Object]:
    """List the blobs, commits and tags a repository holds, reachable or not, in the order they are packed.

    Deltas are built fastest in that order: git needs a third of the time it takes in the order of names.

    Raises:
        GitError: as `git.run`.
    """
    every = ("--batch-all-objects", "--unordered")
    try:
        found = iter(_stored(repository, every))
    except git.GitError:
        # In a damaged store it can still name what there was, and tell of each alone.
        names = git.run(repository, "cat-file", "--batch-check=%(objectname)", *every).decode("ascii").split()
        found = iter(resolved(repository, names))
    return (one for one in found if one.type in TEXTS)


def named(repository: Repository, names: Iterable[str]) -> list[Object | None]:
    """Tell of each name which text it names, None for one that is not there, or is a tree.

    Raises:
        GitError: as `resolved`.
    """
    return [one if one.type in TEXTS else None for one in resolved(repository, names)]


def resolved(repository: Repository, names: Iterable[str]) -> list[Object]:
    """Tell of each name what it is; names may be such as `HEAD:path`, on one line.

    What is not there has the type `missing`, what git fails on `damaged`; both have the name that was asked for.

    Raises:
        GitError: git is not there, or refuses the repository.
    """
    asked = list(names)
    found: list[Object] = []
    damaged = 0
    while len(found) < len(asked) and damaged < _MOST_DAMAGED:
        given = "".join(f"{name}\n" for name in asked[len(found) :]).encode("utf-8", "surrogateescape")
        answers = list(_answers(git.run(repository, *_CHECK, given=given, failing=_FAILED)))
        if not answers:
            git.run(repository, "rev-parse", "--git-dir")  # or it answers nothing at all
        found += answers
        if len(found) < len(asked):
            # Git ends at an object that is damaged, without a word about those behind it.
            found.append(Object(asked[len(found)], "damaged", 0))
            damaged += 1
    return [*found, *(Object(name, "damaged", 0) for name in asked[len(found) :])]


def _answers(found: bytes) -> Iterator[Object]:
    for line in found.decode("utf-8", "surrogateescape").split("\n")[:-1]:
        name, _, rest = line.partition(" ")
        kind, _, size = rest.partition(" ")
        yield Object(name, kind, int(size)) if size.isdigit() else Object(line.rpartition(" ")[0], "missing", 0)


def _stored(repository: Repository, which: Sequence[str]) -> list[Object]:
    """List texts with what is known of how they are stored, while git is still writing. Raises GitError if it fails."""
    process = git.start(repository, *_LIST, *which)
    given, shown = process.stdin, process.stdout
    found: list[Object] = []
    if given is not None and shown is not None:
        given.close()
        rest = ""
        while data := shown.read(_LISTED_AT_ONCE):
            *lines, rest = (rest + data.decode("ascii", "replace")).split("\n")
            for line in lines:
                fields = line.split(" ")
                if len(fields) > 4 and fields[1] in TEXTS:  # noqa: PLR2004  # else a tree, or the name of what is missing
                    name, kind, size, stored, base = fields
                    found.append(Object(name, kind, int(size), int(stored), "" if base.startswith(_NO_BASE) else base))
    code = process.wait()
    git.stop(process)
    if code:
        msg = f"git ended with {code}"
        raise git.GitError(msg)
    return found


def batches(repository: Repository, names: Sequence[str]) -> Iterator[Batch]:
    """Read objects through one git process, in batches of a few megabytes and in the order given.

    An object that is not there, or that git fails on, is `missing` in its batch; the others are read all the same.

    Raises:
        GitError: as `git.run`.
    """
    done = damaged = 0
    while done < len(names) and damaged < _MOST_DAMAGED:
        for batch in _of_one_process(repository, names[done:]):
            done += len(batch.names) + len(batch.missing)
            yield batch
        if done < len(names):
            # git ends at an object that is damaged, without a word about those behind it.
            yield Batch(b"", missing=(names[done],))
            done += 1
            damaged += 1
    if done < len(names):
        yield Batch(b"", missing=tuple(names[done:]))


def _of_one_process(repository: Repository, names: Sequence[str]) -> Iterator[Batch]:
    import threading  # noqa: PLC0415  # in memory once subprocess is

    process = git.start(repository, "cat-file", "--batch", "--buffer", before=_LEAN)
    given, shown = process.stdin, process.stdout
    if given is None or shown is None:
        return
    _widen(shown)
    feeder = threading.Thread(target=git.feed, args=(given, names), daemon=True)
    try:
        feeder.start()
        rest = b""
        while True:
            data = rest + shown.read(_READ_AT_ONCE)
            if len(data) == len(rest):
                return  # the end, in the middle of an object if git failed on one
            batch, passed = _cut(data)
            if batch.names or batch.missing:
                yield batch
            rest = data[passed:]
    finally:
        process.kill()  # first, or the feeder might wait for ever
        feeder.join()
        git.stop(process)


def _cut(data: bytes) -> tuple[Batch, int]:
    """Find the whole objects in what git printed, and how far they reach."""
    names, types, starts, ends, missing = [], [], [], [], []
    place, size = 0, len(data)
    while True:
        line = data.find(b"\n", place, place + _HEAD)
        if line < 0:
            break
        head = data[place:line].split(b" ")
        if len(head) != 3 or not head[2].isdigit():  # noqa: PLR2004  # name, type, size; else `name missing`
            missing.append(head[0].decode("ascii", "replace"))
            place = line + 1
            continue
        end = line + 1 + int(head[2])
        if end >= size:  # the line end behind it belongs to it
            break
        names.append(head[0].decode("ascii"))
        types.append(head[1].decode("ascii"))
        starts.append(line + 1)
        ends.append(end)
        place = end + 1
    return Batch(data, tuple(names), tuple(types), tuple(starts), tuple(ends), tuple(missing)), place


def _widen(stream: IO[bytes]) -> None:
    """Let the pipe hold more: git goes on writing while a batch is searched."""
    if sys.platform != "linux":
        return
    import fcntl  # noqa: PLC0415  # not on Windows

    try:
        fcntl.fcntl(stream.fileno(), _SET_PIPE_SIZE, _PIPE)
    except OSError:
        return  # a limit of this user: it is only slower
