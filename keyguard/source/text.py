"""Bytes to text and back: encodings, byte order marks, and offsets that turn into lines and columns."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from keyguard.model import Span
from keyguard.patterns import regex
from keyguard.source.kinds import kind_of, role_of
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from keyguard.model import Edit

_BOM_UTF8 = b"\xef\xbb\xbf"
# UTF-32 first: its little-endian mark begins with UTF-16's.
_WIDE_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_UNIT = {"utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}
# How a text keeps bytes that mean nothing in its encoding, so that writing it back is byte-true.
_ERRORS = {"utf-8": "surrogateescape", **dict.fromkeys(_UNIT, "surrogatepass")}
_SAMPLE = 65_536
_LINE_END = regex(r"\r\n|\r|\n")

# Codecs under which ASCII bytes do not mean ASCII text, or that compute instead of reading.
_NOT_A_SOURCE_ENCODING = frozenset(
    {"utf_7", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined", "hz", "mbcs", "oem"},
)


class Undecodable(Exception):  # noqa: N818  # the name is the seam's word: a state of the file, not a bug
    """The bytes are no text in any encoding keyguard reads; `reason` says why in two or three words."""

    def __init__(self, path: str, reason: str) -> None:
        """Keep the path and the reason apart, so that a report can count by reason."""
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        """Name the file and the remedy."""
        return f"{self.path}: not read, {self.reason}; save it as UTF-8 if it is meant to be text"


class SourceFile:
    r"""A text and where it comes from; every offset counts characters of `text`, which has no byte order mark.

    Lines end at `\r\n`, `\r` or `\n` and at nothing else. `first_line` and `first_column` are above 1 only
    for a window into a large file, `tail` holds the bytes of a last, cut-off UTF-16 or UTF-32 character.
    Treat it as frozen: `replaced` makes a changed copy.
    """

    __slots__ = (
        "_starts",
        "bom",
        "cell",
        "encoding",
        "first_column",
        "first_line",
        "kind",
        "part",
        "path",
        "role",
        "tail",
        "text",
    )

    def __init__(  # noqa: PLR0913, PLR0917  # one word for each fact
        self,
        path: str,
        text: str,
        encoding: str = "utf-8",
        bom: bool = False,  # noqa: FBT001, FBT002  # a fact of the file, as the others
        kind: str = "text",
        cell: int | None = None,
        part: str | None = None,
        role: str = "code",
        first_line: int = 1,
        first_column: int = 1,
        tail: bytes = b"",
    ) -> None:
        """Keep the facts; the table of lines is made on the first question for a position, which is rare."""
        self.path, self.text, self.encoding, self.bom, self.kind = path, text, encoding, bom, kind
        self.cell, self.part, self.role = cell, part, role
        self.first_line, self.first_column, self.tail = first_line, first_column, tail
        self._starts: list[int] = []

    def _facts(self) -> tuple[object, ...]:
        return (
            self.path,
            self.text,
            self.encoding,
            self.bom,
            self.kind,
            self.cell,
            self.part,
            self.role,
            self.first_line,
            self.first_column,
            self.tail,
        )

    def __eq__(self, other: object) -> bool:
        """Compare every fact."""
        return isinstance(other, SourceFile) and self._facts() == other._facts()

    def __hash__(self) -> int:
        """Hash what is compared."""
        return hash(self._facts())

    def __repr__(self) -> str:
        """Name the file, never its text."""
        cell = "" if self.cell is None else f", cell={self.cell}, part={self.part!r}"
        return f"SourceFile({self.path!r}, kind={self.kind!r}, encoding={self.encoding!r}{cell})"

    def __reduce__(self) -> tuple[type[SourceFile], tuple[object, ...]]:
        """Pickle without the line table: it is cheaper to rebuild than to send."""
        return SourceFile, self._facts()

    def replaced(self, **changes: Any) -> SourceFile:  # noqa: ANN401  # each of its parameter's type
        """Give a copy with some facts changed."""
        facts = {name: getattr(self, name) for name in self.__slots__ if name != "_starts"}
        return SourceFile(**{**facts, **changes})

    def _line_starts(self) -> list[int]:
        if not self._starts:
            text = self.text
            if "\r" in text:
                starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
            else:
                # 3 times as fast as the pattern on a million lines; the last sum is one past the end.
                starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
                starts.pop()
            # One call, so that a second thread never sees half a table.
            self._starts[:] = starts
        return self._starts

    @property
    def line_count(self) -> int:
        """The number of lines; a text that ends with a line end has an empty last one."""
        return len(self._line_starts())

    def position(self, offset: int) -> tuple[int, int]:
        """Turn a character offset (0 to the text's length) into a line and a column, both from 1."""
        starts = self._line_starts()
        index = bisect_right(starts, offset) - 1
        column = offset - starts[index] + 1
        return self.first_line + index, column + (self.first_column - 1 if index == 0 else 0)

    def line_span(self, line: int) -> Span:
        """Give the characters of a line (from `first_line`) without its line end.

        Raises:
            IndexError: the text has no such line.
        """
        starts = self._line_starts()
        index = line - self.first_line
        if not 0 <= index < len(starts):
            msg = f"{self.path} has no line {line}"
            raise IndexError(msg)
        start = starts[index]
        if index + 1 == len(starts):
            return Span(start, len(self.text))
        end = starts[index + 1]
        return Span(start, end - (2 if self.text[end - 2 : end] == "\r\n" else 1))

    def line_text(self, line: int) -> str:
        """Give the text of a line without its line end; raises IndexError as `line_span` does."""
        span = self.line_span(line)
        return self.text[span.start : span.end]


def decode(  # noqa: PLR0913  # the window's origin and the overrides are one fact each
    path: str,
    data: bytes,
    *,
    kind: str | None = None,
    place: str | None = None,
    first_line: int = 1,
    first_column: int = 1,
) -> SourceFile:
    """Read bytes as text: byte order marks, UTF-16 without one, UTF-8, coding cookies, GB18030, Latin-1.

    Broken UTF-8 is kept byte for byte as lone surrogates (U+DC80 to U+DCFF), so `encode` gives it back.

    Args:
        path: the path to report, with `/`.
        data: the file's bytes, or those of one window of a large file.
        kind: overrides what the path and the first line say.
        place: the path below the project's root, which decides the role; `path` if not given.
        first_line: the line number the text begins on, for a window.
        first_column: the column the text begins on, for a window.

    Raises:
        Undecodable: the bytes hold NUL and are no UTF-16 or UTF-32.
    """
    kind = kind or kind_of(path, data[:256])
    text, encoding, bom, tail = _decode(path, data, kind)
    return SourceFile(
        path,
        text,
        encoding,
        bom,
        kind,
        role=role_of(place or path),
        first_line=first_line,
        first_column=first_column,
        tail=tail,
    )


def encode(source: SourceFile, text: str) -> bytes:
    """Give the bytes of a changed text as the file holds them: encoding, byte order mark, undecodable bytes.

    Line ends are part of the text and stay as they are.

    Raises:
        UnicodeEncodeError: the file's encoding has no such character.
    """
    mark = b""
    if source.bom:
        mark = _BOM_UTF8 if source.encoding == "utf-8" else _mark(source.encoding)
    return mark + text.encode(source.encoding, _ERRORS.get(source.encoding, "strict")) + source.tail


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Make edits that do not touch one another; equal ones are made once."""
    pieces: list[str] = []
    place = 0
    for span, new in sorted(set(edits)):
        pieces += (text[place : span.start], new)
        place = span.end
    pieces.append(text[place:])
    return "".join(pieces)


def is_plain(data: bytes) -> bool:
    """Tell whether ASCII words can be searched in the bytes as they are: neither UTF-16 nor UTF-32, nor binary."""
    return b"\0" not in data and data[:2] not in {b"\xff\xfe", b"\xfe\xff"}


def searchable(data: bytes) -> bytes | None:
    """Give bytes that ASCII words can be searched in: the data itself, UTF-8 for UTF-16 and UTF-32; None for binary.

    Costs one scan for NUL; nothing is decoded unless the file is wide.
    """
    if is_plain(data):
        return data
    try:
        text, _, _, _ = _decode("", data, "text")
    except Undecodable:
        return None
    return text.encode("utf-8", "surrogatepass")


def wide_encoding(head: bytes) -> tuple[str, int] | None:
    """Tell from a file's first bytes whether it is UTF-16 or UTF-32: the encoding and its mark's length."""
    for mark, encoding in _WIDE_BOMS:
        if head.startswith(mark):
            return encoding, len(mark)
    guess = _wide_without_mark(head[: len(head) & ~1]) if b"\0" in head else None
    return (guess[1], 0) if guess else None


def _mark(encoding: str) -> bytes:
    return next(mark for mark, name in _WIDE_BOMS if name == encoding)


def _decode(path: str, data: bytes, kind: str) -> tuple[str, str, bool, bytes]:
    """Return text, encoding, whether there was a byte order mark, and the bytes after the last whole character."""
    if data.startswith(_BOM_UTF8):
        data = data[3:]
        if b"\0" in data:
            raise Undecodable(path, "NUL bytes")
        return data.decode("utf-8", "surrogateescape"), "utf-8", True, b""
    if b"\0" not in data and data.isascii():
        return data.decode("ascii"), "utf-8", False, b""
    wide = _decode_wide(data)
    if wide is not None:
        return wide
    if b"\0" in data:
        raise Undecodable(path, "NUL bytes")
    text, encoding = _decode_narrow(data, kind)
    return text, encoding, False, b""


def _decode_wide(data: bytes) -> tuple[str, str, bool, bytes] | None:
    for mark, encoding in _WIDE_BOMS:
        # UTF-32 must be whole: two of its four bytes more, and it could as well be UTF-16 that begins with NUL.
        if data.startswith(mark) and (len(mark) == 2 or len(data) % 4 == 0):  # noqa: PLR2004  # bytes
            whole = len(data) - (len(data) - len(mark)) % _UNIT[encoding]
            try:
                text = data[len(mark) : whole].decode(encoding, "surrogatepass")
            except UnicodeDecodeError:
                continue  # UTF-32 with numbers beyond Unicode: perhaps UTF-16 that begins with NUL
            if "\0" not in text:
                return text, encoding, True, data[whole:]
    guess = _wide_without_mark(data) if b"\0" in data else None
    return (guess[0], guess[1], False, b"") if guess else None


def _wide_without_mark(data: bytes) -> tuple[str, str] | None:
    """Read UTF-16 without a mark where it is beyond doubt: Latin text has NUL in every other byte, never elsewhere."""
    if len(data) < 8 or len(data) % 2:  # noqa: PLR2004  # four characters are the least to judge by
        return None
    even, odd = data[:_SAMPLE:2].count(0), data[1:_SAMPLE:2].count(0)
    if (even and odd) or (even + odd) * 6 < min(len(data), _SAMPLE):  # a third of the characters are Latin
        return None
    encoding = "utf-16-le" if odd else "utf-16-be"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    # Tables of small numbers look alike, but hold control characters.
    return None if re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]", text) else (text, encoding)


def _decode_narrow(data: bytes, kind: str) -> tuple[str, str]:
    if kind == "python":
        encoding = _cookie(data)
        if encoding is not None:
            text = _decode_exactly(data, encoding)
            if text is not None:
                return text, encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    # A few broken characters in UTF-8 are still UTF-8: count, at C speed, the bytes that are good and bad.
    text = data.decode("utf-8", "surrogateescape")
    good_and_ascii = len(text.encode("utf-8", "ignore"))
    good = good_and_ascii - len(text.encode("ascii", "ignore"))
    bad = len(data) - good_and_ascii
    if bad * 4 <= good:
        return text, "utf-8"
    if _looks_like_gb(data):
        chinese = _decode_exactly(data, "gb18030")
        if chinese is not None:
            return chinese, "gb18030"
    return data.decode("latin-1"), "latin-1"


def _decode_exactly(data: bytes, encoding: str) -> str | None:
    """Decode only if encoding again gives the same bytes: nothing else could be written back."""
    try:
        text = data.decode(encoding)
        return text if text.encode(encoding) == data else None
    except (UnicodeError, ValueError):
        return None


def _looks_like_gb(data: bytes) -> bool:
    """Tell Chinese, whose bytes above 127 come in pairs, from a Latin accent, which stands alone between letters."""
    runs = re.findall(rb"[\x80-\xff]+", data[:_SAMPLE])
    odd = sum(len(run) % 2 for run in runs)
    return odd * 2 <= len(runs)


def _cookie(data: bytes) -> str | None:
    """Read a coding cookie (PEP 263) from the first two lines; None if there is none or it names no such encoding."""
    for line in data[:4096].splitlines()[:2]:
        match = re.match(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", line)
        if match:
            return _codec(match[1].decode("ascii", "replace"))
        if not re.match(rb"[ \t\f]*(?:#|$)", line):
            return None
    return None


def _codec(name: str) -> str | None:
    import codecs  # noqa: PLC0415  # in memory at any start of Python; named here, where alone it is used

    normal = name[:12].lower().replace("_", "-")
    if normal == "utf-8" or normal.startswith("utf-8-"):
        return None  # what is tried anyhow
    if normal in {"latin-1", "iso-8859-1", "iso-latin-1"} or normal.startswith(("latin-1-", "iso-8859-1-")):
        return "latin-1"
    if name.lower().replace("-", "_") in _NOT_A_SOURCE_ENCODING:
        return None
    letters = bytes(code for code in range(32, 127) if code != ord("\\"))
    try:
        found = codecs.lookup(name).name
        return found if letters.decode(found) == letters.decode("ascii") else None
    except (LookupError, ValueError):
        return None
