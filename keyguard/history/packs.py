"""The texts of a store as its packs keep them: most are written there as what they change in another one.

Git itself gives each text whole. Of those of scrapy's history, 895 MB, its packs hold 350 MB that stand nowhere else:
who knows what one text holds need not read again what the next one took from it. Git remains the judge: what is not
just as it should be here is left to it.
"""

from __future__ import annotations

import os
import struct
import sys
import zlib
from array import array
from contextlib import suppress

from keyguard.discover import git
from keyguard.source import wide_encoding
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keyguard.discover.git import Repository
    from keyguard.history.objects import Object

# os.path and open() as elsewhere here.
# ruff: noqa: PTH118, PTH123, PTH208

_FEWEST = 1_000  # objects: to look for fewer costs more than git does
_LARGEST = 1 << 20  # bytes of a text: of larger ones, few as they are, git need not be spared
_LONGEST = _LARGEST + (
    64 << 10
)  # bytes of a text or a change as they are packed, or unpacked from it: no honest one is longer
_HELD = 32 << 20  # bytes of the texts that one was made from, and they from others: all are in memory at once
_SHORTEST = 1_024  # bytes in one piece: to leave a shorter one out costs more than to search it
_AT_ONCE = 20_000  # texts of one lineage
HEAD = 4_096  # bytes by which UTF-16 is told from what is no text: of that, no more need be read

# Git's gitformat-pack(5): the head of an index, and the numbers of types.
_INDEX = b"\xfftOc\0\0\0\2"
_FAN_OUT = 256
_FAR = 1 << 31
_BLOB, _BY_OFFSET, _BY_NAME = 3, 6, 7


class Lineage(NamedTuple):
    """Texts of one pack: each stands somewhere behind the one it was made from, whose depth is one less.

    `places` are offset and length of each in the pack, `size` the bytes of all texts.
    """

    pack: str
    names: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    depths: tuple[int, ...]
    size: int


class Text(NamedTuple):
    """A text of a lineage: `data` has a line end before it; it is None where git must be asked.

    Of a binary one that no other was made from it is no more than the head.

    `taken` are longer stretches of `data` that stand in one piece in the text it was made from: start, end, and where
    they start there.
    """

    name: str
    depth: int
    data: bytes | None = None
    taken: Sequence[tuple[int, int, int]] = ()


def lineages(repository: Repository, objects: Sequence[Object], most: int) -> tuple[list[Lineage], list[Object]]:
    """Find the objects in packs, in lineages of about `most` bytes; and give those that git must be asked for.

    Raises:
        GitError: as `git.run`.
    """
    if len(objects) < _FEWEST or not hasattr(os, "pread"):
        return [], list(objects)
    # Commits and tags are small, and more of them come from git at a time.
    some = [one for one in objects if one.type == "blob" and one.size <= _LARGEST and 0 < one.stored <= _LONGEST]
    left = {one.name: one for one in some}
    found: list[Lineage] = []
    for index in _indexes(repository):
        if not left:
            break
        with suppress(OSError, ValueError, struct.error):
            placed = _placed(index, left)
            for lineage in _lined_up(f"{index.removesuffix('.idx')}.pack", placed, most):
                found.append(lineage)
                for name in lineage.names:
                    del left[name]
    taken = {name for lineage in found for name in lineage.names}
    return found, [one for one in objects if one.name not in taken]


def texts(lineage: Lineage) -> Iterator[Text]:
    """Read the texts of a lineage, in its order."""
    above: list[tuple[int, Text]] = []
    try:
        pack = os.open(lineage.pack, os.O_RDONLY)
    except OSError:
        yield from map(Text, lineage.names, lineage.depths)
        return
    try:
        entries = zip(lineage.names, lineage.places, lineage.depths, (*lineage.depths[1:], 0), strict=True)
        for name, (offset, length), depth, after in entries:
            del above[depth:]
            try:
                entry = os.pread(pack, length, offset)
                if depth:
                    text = Text(name, depth, *_made(entry, offset, *above[-1]))
                else:
                    text = Text(name, 0, _whole(entry, is_base=after > 0))
            except (OSError, ValueError, IndexError, zlib.error):
                text = Text(name, depth)
            above.append((offset, text))
            yield text
    finally:
        os.close(pack)


# -- which texts a store holds, and where -----------------------------------------------------------------------------


def _indexes(repository: Repository) -> Iterator[str]:
    """List the indexes of a store's packs, and of those it borrows from."""
    own = git.run(repository, "rev-parse", "--git-path", "objects").decode("utf-8", "surrogateescape")
    folders = [os.path.join(repository.top, own.removesuffix("\n"))]
    counted = git.run(repository, "count-objects", "-v").decode("utf-8", "surrogateescape")
    folders += [line.partition(": ")[2] for line in counted.splitlines() if line.startswith("alternate:")]
    for folder in folders:
        with suppress(OSError):
            for name in sorted(os.listdir(os.path.join(folder, "pack"))):
                if name.endswith(".idx"):
                    yield os.path.join(folder, "pack", name)


def _placed(index: str, wanted: dict[str, Object]) -> dict[str, tuple[int, Object]]:
    """Read where a pack holds those of some objects that it has."""
    with open(index, "rb") as file:
        data = file.read()
    head = len(_INDEX) + 4 * _FAN_OUT
    if not data.startswith(_INDEX) or not wanted:
        return {}
    (count,) = struct.unpack_from(">I", data, head - 4)
    length = len(next(iter(wanted)))
    size = length // 2
    # Names, checksums of 4 bytes, offsets of 4 bytes.
    offsets = array("I", data[head + count * (size + 4) : head + count * (size + 8)])
    if sys.byteorder == "little":
        offsets.byteswap()
    text = data[head : head + count * size].hex()
    names = (text[at : at + length] for at in range(0, count * length, length))
    # What lies behind 2 GB has a place in another table.
    return {
        name: (offset, wanted[name])
        for name, offset in zip(names, offsets, strict=True)
        if name in wanted and offset < _FAR
    }


def _lined_up(pack: str, placed: dict[str, tuple[int, Object]], most: int) -> Iterator[Lineage]:
    """Put objects of a pack behind those they were made from; those made from what is not among them stay out."""
    children: dict[str, list[str]] = {}
    for name, (_, one) in placed.items():
        children.setdefault(one.base, []).append(name)
    names: list[str] = []
    depths: list[int] = []
    size = 0
    waiting: list[tuple[str, int, int]] = [(name, 0, 0) for name in children.get("", ())]
    while waiting:
        name, depth, held = waiting.pop()
        if depth == 0 and (size >= most or len(names) >= _AT_ONCE):
            yield _lineage(pack, names, depths, size, placed)
            names, depths, size = [], [], 0
        one = placed[name][1]
        names.append(name)
        depths.append(depth)
        size += one.size
        held += one.size
        if held <= _HELD and name in children:
            waiting += [(child, depth + 1, held) for child in children[name]]
    if names:
        yield _lineage(pack, names, depths, size, placed)


def _lineage(
    pack: str, names: Sequence[str], depths: Sequence[int], size: int, placed: dict[str, tuple[int, Object]]
) -> Lineage:
    places = tuple((placed[name][0], placed[name][1].stored) for name in names)
    return Lineage(pack, tuple(names), places, tuple(depths), size)


# -- what stands there ------------------------------------------------------------------------------------------------


def _whole(entry: bytes, *, is_base: bool) -> bytes:
    """Read a text that a pack holds whole. Raises ValueError, IndexError or zlib.error if it does not."""
    kind, size, place = _head(entry)
    if kind != _BLOB:
        raise ValueError
    packed = memoryview(entry)[place:]
    if not is_base and size > HEAD:
        # A fifth of the bytes that are packed whole in scrapy's history are pictures and the like.
        head = zlib.decompressobj().decompress(packed, HEAD)
        if b"\0" in head and wide_encoding(head) is None:
            return b"\n" + head
    return b"\n" + _inflated(packed, size)


def _made(entry: bytes, offset: int, base_at: int, base: Text) -> tuple[bytes, list[tuple[int, int, int]]]:
    """Read a text that a pack holds as what it changes in another, its `base`. Raises as `_whole`."""
    kind, size, place = _head(entry)
    if kind == _BY_OFFSET:
        byte = entry[place]
        back = byte & 127
        while byte & 128:
            place += 1
            byte = entry[place]
            back = (back + 1) << 7 | byte & 127
        is_based = offset - back == base_at
        place += 1
    else:
        name = bytes.fromhex(base.name)
        is_based = kind == _BY_NAME and entry.startswith(name, place)
        place += len(name)
    if not is_based or base.data is None:
        raise ValueError
    return _applied(base.data, _inflated(memoryview(entry)[place:], size))


def _inflated(packed: memoryview, size: int) -> bytes:
    """Unpack just so many bytes: who made the pack may have hidden gigabytes in it. Raises as `_whole`."""
    stream = zlib.decompressobj()
    data = stream.decompress(packed, size + 1) if size <= _LONGEST else b""
    if len(data) != size or not stream.eof:
        raise ValueError
    return data


def _head(entry: bytes) -> tuple[int, int, int]:
    """Read an entry's type, the size of what is packed in it, and where its head ends."""
    byte = entry[0]
    kind, size = byte >> 4 & 7, byte & 15
    place, shift = 1, 4
    while byte & 128:
        byte = entry[place]
        size |= (byte & 127) << shift
        place += 1
        shift += 7
    return kind, size, place


def _size(delta: bytes, place: int) -> tuple[int, int]:
    """Read a size at the beginning of a delta, and where it ends."""
    size = shift = 0
    while True:
        byte = delta[place]
        size |= (byte & 127) << shift
        place += 1
        shift += 7
        if not byte & 128:
            return size, place


def _applied(base: bytes, delta: bytes) -> tuple[bytes, list[tuple[int, int, int]]]:  # noqa: C901  # git's own form; 40 instructions a text, so no calls
    """Make a text from another by git's delta; give the longer stretches that it took in one piece.

    Both texts have a line end before them.
    """
    size, at = _size(delta, 0)
    wanted, at = _size(delta, at)
    if size != len(base) - 1 or wanted > _LARGEST:
        raise ValueError
    pieces = [b"\n"]
    taken = []
    place, end = 1, len(delta)
    while at < end and place <= wanted + 1:
        code = delta[at]
        at += 1
        if code < 128:  # noqa: PLR2004  # so many bytes of its own follow
            pieces.append(delta[at : at + code])
            at += code
            place += code
            continue
        # It takes a piece: each bit says that a byte follows, of the offset and then of the length.
        start, length = 1, 0
        if code & 1:
            start += delta[at]
            at += 1
        if code & 2:
            start += delta[at] << 8
            at += 1
        if code & 4:
            start += delta[at] << 16
            at += 1
        if code & 8:
            start += delta[at] << 24
            at += 1
        if code & 16:
            length = delta[at]
            at += 1
        if code & 32:
            length |= delta[at] << 8
            at += 1
        if code & 64:
            length |= delta[at] << 16
            at += 1
        length = length or 1 << 16
        pieces.append(base[start : start + length])
        if length >= _SHORTEST:
            taken.append((place, place + length, start))
        place += length
    data = b"".join(pieces)
    if not len(data) == place == wanted + 1:
        raise ValueError
    return data, taken
