"""What the source lets us know about a value: text with the literals it came from, environment reads, or Unknown."""

from __future__ import annotations

from msgspec import Struct

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any, TypeAlias

    from keyguard.python.evaluate import Evaluator
    from keyguard.python.index import Node, Place, Scope

MAX_TEXT = 65_536  # characters of one evaluated text: the longest known key has 4,096
MAX_PIECES = 512  # literals one text is made of
MAX_CHOICES = 8  # alternatives worth telling apart
MAX_NESTING = 20  # structures inside structures of a value taken to another module


class Piece(Struct, frozen=True):
    """`text[start:end]` comes from the literal `leaf` (None: from another module).

    `leaf_start` is where in the literal's own value it begins, or -1 when it was transformed on the way.
    """

    start: int
    end: int
    leaf: Node
    leaf_start: int = -1


class Text(Struct, frozen=True):
    """A text known in full; `how` is empty, `pieces` (put together) or `encoded` (base64, hex, reversed …)."""

    text: str
    pieces: tuple[Piece, ...] = ()
    how: str = ""


class Joined(Struct, frozen=True):
    """A text of which only some parts are known: an f-string, a concatenation, a dump of a structure."""

    parts: tuple[Value, ...]


class EnvRead(Struct, frozen=True):
    """A value read by name from the environment or a file of variables; `names` is empty when the name is unknown."""

    names: tuple[str, ...]
    default: Value | None = None
    reader: str = ""
    node: Node = None


class SecretRead(Struct, frozen=True):
    """A value from a secret store, a prompt, or a client that holds a key (`store` says which)."""

    store: str
    names: tuple[str, ...] = ()
    node: Node = None


class Unset(Struct, frozen=True):
    """Nothing was given."""


class Null(Struct, frozen=True):
    """None."""


class Number(Struct, frozen=True):
    """An int, a float or a bool."""

    number: float | bool


class OneOf(Struct, frozen=True):
    """One of several values, depending on what happens at run time."""

    values: tuple[Value, ...]


class Items(Struct, frozen=True):
    """A list, tuple or set display."""

    items: tuple[Value, ...]


class Table(Struct, frozen=True):
    """A dict display; `entries` without those it could not name (`complete` is False then)."""

    entries: tuple[tuple[Value, Value], ...]
    complete: bool = True

    def get(self, name: str) -> Value | None:
        """The last value under a text key."""
        for key, value in reversed(self.entries):
            if isinstance(key, Text) and key.text == name:
                return value
        return None


class Reference(Struct, frozen=True):
    """Something of another module, or a builtin, by its dotted name."""

    name: str


class Instance(Struct, frozen=True):
    """What calling `name` gave; `node` is the call and `place` where it stands."""

    name: str
    node: Node = None
    place: Place | None = None


class Local(Struct, frozen=True):
    """A function, a class or (with `instance`) an object of a class, defined in the module that `owner` evaluates."""

    scope: Scope
    instance: bool = False
    node: Node = None
    place: Place | None = None
    owner: Evaluator | None = None


class Sealed(Struct, frozen=True):
    """A value in a wrapper that masks itself when shown (pydantic's SecretStr)."""

    value: Value


class Unknown(Struct, frozen=True):
    """Not known; `name` is the attribute or variable it was asked by, if any."""

    name: str = ""


Value: TypeAlias = (
    Text
    | Joined
    | EnvRead
    | SecretRead
    | Unset
    | Null
    | Number
    | OneOf
    | Items
    | Table
    | Reference
    | Instance
    | Local
    | Sealed
    | Unknown
)

UNKNOWN = Unknown()
NULL = Null()
UNSET = Unset()


def alternatives(value: Value) -> tuple[Value, ...]:
    """The values it may be: itself, or those of a OneOf."""
    return value.values if isinstance(value, OneOf) else (value,)


def one_of(values: Iterable[Value]) -> Value:
    """One of these: flat, without repetition, at most eight; more are Unknown."""
    flat: list[Value] = []
    for value in values:
        for item in alternatives(value):
            if item not in flat:
                flat.append(item)
    if len(flat) == 1:
        return flat[0]
    if not flat:
        return UNKNOWN
    if len(flat) > MAX_CHOICES:
        flat = [*flat[:MAX_CHOICES], UNKNOWN]
    return OneOf(tuple(flat))


def join(values: Sequence[Value], how: str = "pieces") -> Value:
    """Put texts one after another; parts that are not known stay as they are in a Joined."""
    merged: list[Value] = []
    run: list[Text] = []
    for part in _parts(values):
        if isinstance(part, Text):
            run.append(part)
            continue
        if run:
            merged.append(_concatenate(run, how))
            run = []
        if not (isinstance(part, Unknown) and merged and isinstance(merged[-1], Unknown)):
            merged.append(part)
    if run or not merged:
        merged.append(_concatenate(run, how))
    if len(merged) > MAX_PIECES:
        return UNKNOWN
    return merged[0] if len(merged) == 1 and isinstance(merged[0], (Text, Unknown)) else Joined(tuple(merged))


def _parts(values: Iterable[Value]) -> Iterator[Value]:
    for value in values:
        if isinstance(value, Joined):
            yield from value.parts
        else:
            yield Text(str(value.number)) if isinstance(value, Number) else value


def _concatenate(texts: Sequence[Text], how: str) -> Value:
    filled = [text for text in texts if text.text]
    if len(filled) == 1:
        return filled[0]
    if sum(len(text.text) for text in filled) > MAX_TEXT or sum(len(text.pieces) for text in filled) > MAX_PIECES:
        return UNKNOWN
    pieces: list[Piece] = []
    position = 0
    for text in filled:
        pieces.extend(
            Piece(item.start + position, item.end + position, item.leaf, item.leaf_start) for item in text.pieces
        )
        position += len(text.text)
    kinds = {text.how for text in filled}
    return Text("".join(text.text for text in filled), tuple(pieces), "encoded" if "encoded" in kinds else how)


def part_of(value: Text, start: int, end: int) -> Text:
    """Cut a known text; the pieces are cut with it."""
    pieces = []
    for item in value.pieces:
        first, last = max(item.start, start), min(item.end, end)
        if first < last:
            inner = item.leaf_start + first - item.start if item.leaf_start >= 0 else -1
            pieces.append(Piece(first - start, last - start, item.leaf, inner))
    return Text(value.text[start:end], tuple(pieces), value.how)


def changed(value: Text, text: str, how: str) -> Value:
    """The text after a transformation: every literal it came from is still told."""
    if text == value.text:
        return value
    if len(text) > MAX_TEXT:
        return UNKNOWN
    leaves = {id(item.leaf): item.leaf for item in value.pieces}
    return Text(text, tuple(Piece(0, len(text), leaf) for leaf in leaves.values()), how)


def foreign(value: Value, depth: int = 0) -> Value:  # noqa: PLR0911  # one return a kind of value
    """A value as another module sees it: without the literals and definitions it came from."""
    if depth > MAX_NESTING:
        return UNKNOWN
    if isinstance(value, Text):
        return Text(value.text, tuple(Piece(item.start, item.end, None) for item in value.pieces), value.how)
    if isinstance(value, Joined):
        return Joined(tuple(foreign(part, depth + 1) for part in value.parts))
    if isinstance(value, OneOf):
        return OneOf(tuple(foreign(item, depth + 1) for item in value.values))
    if isinstance(value, Items):
        return Items(tuple(foreign(item, depth + 1) for item in value.items))
    if isinstance(value, Table):
        return Table(
            tuple((foreign(key, depth + 1), foreign(item, depth + 1)) for key, item in value.entries), value.complete
        )
    if isinstance(value, Sealed):
        return Sealed(foreign(value.value, depth + 1))
    if isinstance(value, EnvRead):
        return EnvRead(value.names, None if value.default is None else foreign(value.default, depth + 1), value.reader)
    if isinstance(value, Instance):
        return Instance(value.name)
    return value


def show(value: Value) -> str:
    """The known text of a value with a placeholder for every unknown part: for messages about URLs and names."""
    if isinstance(value, Text):
        return value.text
    if isinstance(value, Joined):
        return "".join(show(part) if isinstance(part, (Text, Joined)) else "{}" for part in value.parts)
    return "{}"


def dotted(value: Value) -> str:
    """The dotted name of a reference, with `()` after what was called; empty when there is none."""
    if isinstance(value, Reference):
        return value.name
    if isinstance(value, Instance):
        return f"{value.name}()"
    return ""


def item_at(value: Value, path: tuple[Any, ...]) -> Value:
    """Follow positions into displays; a step that leads nowhere is Unknown."""
    for step in path:
        if isinstance(value, Items) and isinstance(step, int) and -len(value.items) <= step < len(value.items):
            value = value.items[step]
        else:
            return UNKNOWN
    return value


# Literals ---------------------------------------------------------------------------------------------------------

_SIMPLE_ESCAPES = {
    "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
_HEX_ESCAPES = {"x": 2, "u": 4, "U": 8}
_OCTAL_DIGITS = 3


def literal_body(raw: str) -> tuple[str, int, int]:
    """Split a string literal's source into its prefix (lower case) and the range of its body."""
    quote = raw[-1]
    start = raw.index(quote)
    size = 3 if raw.startswith(quote * 3, start) and len(raw) - start >= 6 else 1  # noqa: PLR2004  # two triple quotes
    return raw[:start].lower(), start + size, len(raw) - size


def unescape(body: str) -> tuple[str, list[int]]:  # noqa: C901  # one arm a kind of escape
    """Decode a literal's body; the list gives for every character (and the end) where it begins in the body."""
    text: list[str] = []
    offsets: list[int] = []
    position, length = 0, len(body)
    while position < length:
        char = body[position]
        if char != "\\" or position + 1 >= length:
            text.append(char)
            offsets.append(position)
            position += 1
            continue
        mark = body[position + 1]
        end = position + 2
        made: str | None = _SIMPLE_ESCAPES.get(mark)
        if made is None:
            if mark in "\r\n":
                end += body.startswith("\r\n", position + 1)
                made = ""
            elif mark in _HEX_ESCAPES:
                end = position + 2 + _HEX_ESCAPES[mark]
                made = _character(body[position + 2 : end], 16, _HEX_ESCAPES[mark])
            elif mark in "01234567":
                while end < position + 1 + _OCTAL_DIGITS and body[end : end + 1] in set("01234567"):
                    end += 1
                made = _character(body[position + 1 : end], 8, 1)
            elif mark == "N" and body.startswith("{", end):
                close = body.find("}", end, end + 100)
                end = close + 1 if close > 0 else end
                made = "\ufffd" if close > 0 else None
            if made is None:
                made, end = "\\", position + 1
        for char in made:
            text.append(char)
            offsets.append(position)
        position = end
    offsets.append(length)
    return "".join(text), offsets


def _character(digits: str, base: int, least: int) -> str | None:
    if len(digits) < least:
        return None
    try:
        return chr(int(digits, base))
    except (ValueError, OverflowError):
        return None


def literal_text(node: Node) -> str:
    """The text of a SimpleString or of an f-string's text part; bytes are read as their characters."""
    kind = type(node).__name__
    raw: str = node.value
    if kind != "SimpleString":
        body = raw.replace("{{", "{").replace("}}", "}") if "{" in raw or "}" in raw else raw
        return unescape(body)[0] if "\\" in body else body
    prefix, start, end = literal_body(raw)
    body = raw[start:end]
    return body if "r" in prefix or "\\" not in body else unescape(body)[0]


def literal_range(node: Node, start: int, end: int) -> tuple[int, int]:
    """Where a range of a literal's text stands in the literal's source, prefix and quotes counted."""
    raw: str = node.value
    if type(node).__name__ == "SimpleString":
        prefix, first, last = literal_body(raw)
        body = raw[first:last]
    else:
        prefix, first, body = "", 0, raw
    is_part = type(node).__name__ != "SimpleString"
    offsets = list(range(len(body) + 1))
    if is_part and ("{{" in body or "}}" in body):
        # Of doubled braces one is the text's.
        body, offsets = body.replace("{{", "\0").replace("}}", "\0"), [0]
        for char in body:
            offsets.append(offsets[-1] + (2 if char == "\0" else 1))
    if "\\" in body and "r" not in prefix:
        offsets = [offsets[at] for at in unescape(body)[1]]
    top = len(offsets) - 1
    return first + offsets[min(start, top)], first + offsets[min(end, top)]
