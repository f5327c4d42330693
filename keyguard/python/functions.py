"""The functions of the standard library that keep, change or hide a text: how a value goes through them."""

from __future__ import annotations

from keyguard.python.values import (
    MAX_PIECES,
    MAX_TEXT,
    UNKNOWN,
    EnvRead,
    Items,
    Joined,
    Null,
    Number,
    OneOf,
    Reference,
    Sealed,
    SecretRead,
    Table,
    Text,
    Unknown,
    Unset,
    changed,
    item_at,
    join,
    one_of,
    part_of,
)
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from keyguard.python.evaluate import Evaluator
    from keyguard.python.index import Node, Place
    from keyguard.python.values import Value


def rot13(value: Text) -> Value:
    """The text with its letters turned by half the alphabet."""
    import codecs  # noqa: PLC0415  # only for code that hides text this way

    return changed(value, codecs.encode(value.text, "rot13"), "encoded")


def _decoded(value: Value, decode: Callable[[str], bytes]) -> Value:
    if isinstance(value, OneOf):
        return one_of([_decoded(item, decode) for item in value.values])
    if not isinstance(value, Text):
        return UNKNOWN
    try:
        text = decode(value.text).decode("utf-8")
    except (ValueError, TypeError):  # binascii.Error and UnicodeDecodeError are ValueErrors
        return UNKNOWN
    return changed(value, text, "encoded")


def _base64(evaluator: Evaluator, node: Node, place: Place) -> Value:
    import base64  # noqa: PLC0415  # 2 ms, only for code that decodes

    def decode(text: str) -> bytes:
        text = text.replace("-", "+").replace("_", "/")
        return base64.b64decode(text + "=" * (-len(text) % 4))

    return _decoded(evaluator.argument(node, place), decode)


def _base32(evaluator: Evaluator, node: Node, place: Place) -> Value:
    import base64  # noqa: PLC0415  # see `_base64`

    return _decoded(evaluator.argument(node, place), base64.b32decode)


def _base85(evaluator: Evaluator, node: Node, place: Place) -> Value:
    import base64  # noqa: PLC0415  # see `_base64`

    return _decoded(evaluator.argument(node, place), base64.b85decode)


def _ascii85(evaluator: Evaluator, node: Node, place: Place) -> Value:
    import base64  # noqa: PLC0415  # see `_base64`

    return _decoded(evaluator.argument(node, place), base64.a85decode)


def _hex(evaluator: Evaluator, node: Node, place: Place) -> Value:
    return _decoded(evaluator.argument(node, place), bytes.fromhex)


def _codec(evaluator: Evaluator, node: Node, place: Place) -> Value:
    value, codec = evaluator.argument(node, place), evaluator.argument(node, place, 1)
    if not isinstance(value, Text) or not isinstance(codec, Text):
        return UNKNOWN
    name = codec.text.lower().replace("-", "_").replace("_", "")
    if name == "rot13":
        return rot13(value)
    if name in {"hex", "hexcodec"}:
        return _decoded(value, bytes.fromhex)
    if name in {"base64", "base64codec"}:
        return _base64(evaluator, node, place)
    return value if name in {"utf8", "ascii", "latin1", "utf8sig"} else UNKNOWN


def _same(evaluator: Evaluator, node: Node, place: Place) -> Value:
    value = evaluator.argument(node, place)
    if isinstance(value, Sealed):
        return UNKNOWN
    if isinstance(value, Items) and value.items and all(isinstance(item, Number) for item in value.items):
        return _characters(value)
    return value if not isinstance(value, Unset) else Text("")


def _shown_call(evaluator: Evaluator, node: Node, place: Place) -> Value:
    value = evaluator.argument(node, place)
    if isinstance(value, (Sealed, Number, Null, Unset)):
        return UNKNOWN
    return value if isinstance(value, (Text, Joined, EnvRead, SecretRead, OneOf, Unknown)) else Joined((value,))


def _characters(value: Items) -> Value:
    codes = [int(item.number) for item in value.items if isinstance(item, Number)]
    if all(0 < code < 0x110000 for code in codes) and len(codes) <= MAX_TEXT:  # noqa: PLR2004  # Unicode's end
        return Text("".join(map(chr, codes)), (), "encoded")
    return UNKNOWN


def _chr(evaluator: Evaluator, node: Node, place: Place) -> Value:
    value = evaluator.argument(node, place)
    return _characters(Items((value,))) if isinstance(value, Number) else UNKNOWN


def _map(evaluator: Evaluator, node: Node, place: Place) -> Value:
    function, given = evaluator.argument(node, place), evaluator.argument(node, place, 1)
    if isinstance(function, Reference) and isinstance(given, Items):
        if function.name == "chr" and all(isinstance(item, Number) for item in given.items):
            return Items(tuple(_characters(Items((item,))) for item in given.items[:MAX_PIECES]))
        if function.name == "str":
            return given
    return UNKNOWN


def _reversed(evaluator: Evaluator, node: Node, place: Place) -> Value:
    value = evaluator.argument(node, place)
    if isinstance(value, Text):
        return changed(value, value.text[::-1], "encoded")
    return Items(value.items[::-1]) if isinstance(value, Items) else UNKNOWN


def _items(evaluator: Evaluator, node: Node, place: Place) -> Value:
    value = evaluator.argument(node, place)
    if isinstance(value, Text):
        return Items(tuple(part_of(value, at, at + 1) for at in range(min(len(value.text), MAX_PIECES))))
    if isinstance(value, Table):
        return Items(tuple(key for key, _ in value.entries))
    return value if isinstance(value, Items) or evaluator.holds_environ(value) else UNKNOWN


def _dict_call(evaluator: Evaluator, node: Node, place: Place) -> Value:
    entries: list[tuple[Value, Value]] = []
    complete = True
    for item in node.args:
        value = evaluator.value(item.value, place)
        if item.keyword is not None:
            entries.append((Text(item.keyword.value), value))
        elif evaluator.holds_environ(value):
            return value
        elif isinstance(value, Table):
            entries.extend(value.entries)
            complete = complete and value.complete
        else:
            complete = False
    return Table(tuple(entries), complete)


def _dumped(evaluator: Evaluator, node: Node, place: Place) -> Value:
    value = evaluator.argument(node, place)
    return value if evaluator.holds_environ(value) else Joined((value,))


def _getattr(evaluator: Evaluator, node: Node, place: Place) -> Value:
    name = evaluator.argument(node, place, 1)
    if not isinstance(name, Text):
        return UNKNOWN
    return evaluator.member_of(evaluator.argument(node, place), name.text, place)


def _query(evaluator: Evaluator, node: Node, place: Place) -> Value:
    value = evaluator.argument(node, place)
    pairs: list[tuple[Value, Value]] = []
    if isinstance(value, Table):
        pairs = list(value.entries)
    elif isinstance(value, Items):
        pairs = [(item_at(item, (0,)), item_at(item, (1,))) for item in value.items]
    parts: list[Value] = []
    for number, (key, item) in enumerate(pairs):
        parts.extend((*((Text("&"),) if number else ()), key, Text("="), item))
    return join(parts) if parts else UNKNOWN


def _partial(evaluator: Evaluator, node: Node, place: Place) -> Value:
    return evaluator.argument(node, place)


FUNCTIONS: Mapping[str, Callable[[Evaluator, Any, Place], Value]] = {
    "base64.b64decode": _base64,
    "base64.standard_b64decode": _base64,
    "base64.urlsafe_b64decode": _base64,
    "base64.decodebytes": _base64,
    "base64.b32decode": _base32,
    "base64.b85decode": _base85,
    "base64.a85decode": _ascii85,
    "base64.b16decode": _hex,
    "binascii.a2b_base64": _base64,
    "binascii.unhexlify": _hex,
    "binascii.a2b_hex": _hex,
    "bytes.fromhex": _hex,
    "bytearray.fromhex": _hex,
    "codecs.decode": _codec,
    "codecs.encode": _codec,
    "str": _same,
    "bytes": _same,
    "bytearray": _same,
    "repr": _shown_call,
    "ascii": _shown_call,
    "format": _shown_call,
    "chr": _chr,
    "map": _map,
    "reversed": _reversed,
    "list": _items,
    "tuple": _items,
    "set": _items,
    "sorted": _items,
    "dict": _dict_call,
    "getattr": _getattr,
    "urllib.parse.quote": _same,
    "urllib.parse.quote_plus": _same,
    "urllib.parse.unquote": _same,
    "urllib.parse.unquote_plus": _same,
    "urllib.parse.urlencode": _query,
    "typing.cast": lambda evaluator, node, place: evaluator.argument(node, place, 1),
    "copy.copy": _same,
    "copy.deepcopy": _same,
    "textwrap.dedent": _same,
    "functools.partial": _partial,
    "itertools.cycle": _items,
    "random.choice": lambda evaluator, node, place: evaluator.item(evaluator.argument(node, place), UNKNOWN, node),
    "next": lambda evaluator, node, place: evaluator.item(evaluator.argument(node, place), UNKNOWN, node),
    "iter": _items,
    "types.MappingProxyType": _dict_call,
    "pathlib.Path": _shown_call,
    "json.dumps": _dumped,
    "pprint.pformat": _dumped,
    "yaml.dump": _dumped,
    "yaml.safe_dump": _dumped,
    "vars": _dumped,
}
