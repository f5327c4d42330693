"""One file to read, wherever its bytes are: on disk, in git's index or history, or already in hand."""

from __future__ import annotations

import os
import stat
from contextlib import closing, contextmanager

from keyguard.discover import git
from keyguard.model import Span
from keyguard.source import role_of, wide_encoding
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LARGE = 8 << 20  # bytes: a larger file is read in windows
_WINDOW = 4 << 20
_OVERLAP = 32 << 10  # half of it lies on each side of a seam: a PEM key of 16,384 bits has 13 KB
_READ_AT_ONCE = 1 << 20
_GROWN = 1 << 16

# Size, modification and change time in ns, inode: what git takes for "unchanged", too.
Status = tuple[int, int, int, int]


def status_from(status: os.stat_result) -> Status:
    """Give of a file's status what changes with its bytes."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


class Window(NamedTuple):
    """A stretch of a large file, in bytes that are ASCII or more (UTF-16 and UTF-32 come as UTF-8).

    `offset` and `characters` count what stands before it, without the byte order mark; `first_line` and
    `first_column` are where it begins, from 1. Neighbours overlap: what begins in `data[own_start:own_end]` is this
    window's to report, and has enough of the text on both sides to be judged.
    """

    offset: int
    first_line: int
    data: bytes
    first_column: int
    characters: int
    own_start: int
    own_end: int


class Target(NamedTuple):
    r"""A file to check.

    Attributes:
        path: as reported: from the working folder if it lies there, with `/`; odd bytes as `\xe9`.
        location: where it is opened or, for git's blobs, where it would lie.
        place: the path below the project's root, which decides the file's role.
        size: bytes, as known before reading; -1 if not known.
        named: the user named the file itself.
        blob: the object's name, if the bytes are git's.
        commit: the commit that added it, for a range.
        added: first and last numbers of the added runs of lines, for a range; None if every line counts.
        status: the status of a file on disk when it was found.
    """

    path: str
    location: str
    place: str
    size: int = -1
    named: bool = False
    blob: str | None = None
    commit: str | None = None
    added: tuple[tuple[int, int], ...] | None = None
    repository: git.Repository | None = None
    data: bytes | None = None
    status: Status | None = None

    def __repr__(self) -> str:
        """Name the file, never what it holds."""
        return f"Target({self.path!r}, size={self.size})"

    @property
    def role(self) -> str:
        """The file's role in its project: `test`, `example`, `docs` or `code`."""
        return role_of(self.place)

    @property
    def is_large(self) -> bool:
        """Whether the file is to be read by `windows`."""
        return self.size > LARGE

    def read(self) -> bytes:
        """Read the whole file.

        Raises:
            OSError: it is gone, may not be read, or is no regular file (any more).
        """
        if self.data is None and self.blob is None:
            # The plain way of almost every file: an eighth of the prefilter's time less than by `_opened`.
            descriptor = _open_regular(self.location)
            try:
                return _read_whole(lambda count: os.read(descriptor, count), self.size)
            finally:
                os.close(descriptor)
        with self._opened() as read:
            return _read_whole(read, self.size)

    def windows(self, size: int = _WINDOW, overlap: int = _OVERLAP) -> Iterator[Window]:
        """Read the file in overlapping windows of about `size` bytes, cut at line ends where there are any.

        Memory stays at a few windows whatever the file's size, in one line or in millions.

        Raises:
            OSError: as `read`.
        """
        with self._opened() as read:
            yield from _windows(_utf8(read), size, overlap)

    def added_spans(self, text: str) -> tuple[Span, ...] | None:
        """Give the added lines as character spans of the decoded text; None if every line counts."""
        if self.added is None:
            return None
        starts = [0]  # git's lines end at "\n" alone
        while (end := text.find("\n", starts[-1])) >= 0:
            starts.append(end + 1)
        starts.append(len(text) + 1)
        last = len(starts) - 1
        return tuple(Span(starts[min(first - 1, last)], starts[min(end, last)]) for first, end in self.added)

    @contextmanager
    def _opened(self) -> Iterator[Callable[[int], bytes]]:
        """Open the file and give what reads up to so many bytes of it; empty at the end."""
        if self.data is not None:
            import io  # noqa: PLC0415  # in memory at any start of Python

            yield io.BytesIO(self.data).read
        elif self.blob is not None and self.repository is not None:
            with closing(_BlobStream(self.repository, self.blob)) as stream:
                yield stream.read
        else:
            descriptor = _open_regular(self.location)
            try:
                yield lambda count: os.read(descriptor, count)
            finally:
                os.close(descriptor)


class _BlobStream:
    """One blob through a git process of its own; an object that is not there is an OSError, as a file would be."""

    def __init__(self, repository: git.Repository, blob: str) -> None:
        self._blob = blob
        self._some = False
        try:
            self._process = git.start(repository, "cat-file", "blob", blob)
        except git.GitError as error:
            raise OSError(str(error)) from error

    def read(self, count: int) -> bytes:
        stream = self._process.stdout
        data = stream.read(count) if stream else b""
        if not data and not self._some and self._process.wait() != 0:
            msg = f"git has no object {self._blob} here"
            raise OSError(msg)
        self._some = True
        return data

    def close(self) -> None:
        git.stop(self._process)


def stdin_target(data: bytes, filename: str) -> Target:
    """Make a target of bytes in hand that are to be reported under a file's name."""
    path = shown(filename)
    return Target(path, os.path.abspath(filename), path, len(data), named=True, data=data)  # noqa: PTH100  # see the top


def filled(targets: Iterable[Target]) -> Iterator[Target]:
    """Yield the targets in their order, git's blobs with their bytes in hand, through one git process a repository.

    Files on disk and large blobs pass unchanged and are read later; so does a blob git does not have. At most one
    blob is held here, so memory is the consumer's.
    """
    readers: dict[git.Repository, git.Blobs] = {}
    try:
        for target in targets:
            if target.blob is None or target.repository is None or target.data is not None or target.is_large:
                yield target
                continue
            if target.repository not in readers:
                readers[target.repository] = git.Blobs(target.repository)
            data = readers[target.repository].read(target.blob)
            yield target if data is None else target._replace(data=data, size=len(data))
    finally:
        for reader in readers.values():
            reader.close()


def shown(path: str) -> str:
    r"""Give a path as it is reported: with `/`, and bytes that are no UTF-8 as `\xe9`."""
    if os.sep != "/":
        path = path.replace(os.sep, "/")
    return path if path.isascii() else path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _open_regular(location: str) -> int:
    # The file may have been replaced since it was found: a pipe would block the open, a link leave the tree.
    careful = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(location, os.O_RDONLY | careful)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        msg = f"{shown(location)} is no regular file (any more)"
        raise OSError(msg)
    return descriptor


def _read_whole(read: Callable[[int], bytes], size: int) -> bytes:
    """Read all that is there; a known size (not -1) asks for just the memory needed, and tells where the end is."""
    first = read(size + 1 if size >= 0 else _READ_AT_ONCE)
    if len(first) == size:
        return first
    pieces = [first]  # it has grown since, or shrunk
    while pieces[-1]:
        pieces.append(read(_GROWN))
    return b"".join(pieces)


def _utf8(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield a file's bytes piece by piece, without the byte order mark, UTF-16 and UTF-32 as UTF-8."""
    head = read(_READ_AT_ONCE)
    wide = wide_encoding(head)
    if wide is None:
        yield head.removeprefix(b"\xef\xbb\xbf")
        while piece := read(_READ_AT_ONCE):
            yield piece
        return
    import codecs  # noqa: PLC0415  # in memory at any start of Python

    # "replace" and not "surrogatepass": a large file is never written back.
    decoder = codecs.getincrementaldecoder(wide[0])("replace")
    piece = head[wide[1] :]
    while piece:
        yield decoder.decode(piece).encode("utf-8")
        piece = read(_READ_AT_ONCE)


def _windows(pieces: Iterator[bytes], size: int, overlap: int) -> Iterator[Window]:
    # Bounds under which no seam can meet the next one, whatever few bytes a cut steps back for a character.
    size = max(size, 128)
    overlap = max(16, min(overlap, size // 8))
    offset, line, column, characters, own_start = 0, 1, 1, 0, 0
    buffer, ended = bytearray(), False
    while True:
        while len(buffer) <= size and not ended:
            piece = next(pieces, None)
            ended = piece is None
            buffer += piece or b""
        if len(buffer) <= size:
            data = bytes(buffer)
            yield Window(offset, line, data, column, characters, own_start, len(data))
            return
        end = _cut(buffer, size - size // 4, size)
        following = _cut(buffer, max(1, end - 2 * overlap), end - overlap)
        own_end = _cut(buffer, following + 1, following + (end - following) // 2)
        yield Window(offset, line, bytes(buffer[:end]), column, characters, own_start, own_end)
        passed = bytes(buffer[:following])
        offset += following
        characters += _length(passed)
        line, column = _after(passed, line, column)
        own_start = own_end - following
        del buffer[:following]


def _cut(buffer: bytearray, lowest: int, highest: int) -> int:
    """Choose where to cut: behind the last line end in the range, else at `highest`, but inside no character."""
    at = buffer.rfind(b"\n", lowest, highest) + 1
    if at:
        return at
    at = highest
    for back in range(4):  # a character of UTF-8 has at most three bytes that follow its first
        if at - back > 0 and buffer[at - back] & 0xC0 != 0x80:  # noqa: PLR2004  # 10xxxxxx follows
            at -= back
            break
    return at - 1 if at > 1 and buffer[at - 1] == ord("\r") and buffer[at] == ord("\n") else at


def _after(passed: bytes, line: int, column: int) -> tuple[int, int]:
    """Move a place on by some text, whose lines end as a SourceFile's do."""
    lines = passed.count(b"\n")
    if b"\r" in passed:
        lines += passed.count(b"\r") - passed.count(b"\r\n")
    if not lines:
        return line, column + _length(passed)
    start = max(passed.rfind(b"\n"), passed.rfind(b"\r")) + 1
    return line + lines, 1 + _length(passed[start:])


def _length(data: bytes) -> int:
    return len(data) if data.isascii() else len(data.decode("utf-8", "surrogateescape"))
