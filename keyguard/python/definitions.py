"""Cuts out of a module what one of its names is made of, without parsing it, so that only that is parsed."""

from __future__ import annotations

import keyword
import re
from functools import cached_property

from keyguard.patterns import regex
from keyguard.python.bodies import function_bodies, logical_lines, without_texts
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = regex(r"(?<![\w.])[^\W\d]\w*(?![\w\"'])")  # and not what says of which kind a string is
# Lines that go on with the statement above them, and those of whose names nothing is made.
_GOES_ON = regex(r"[ \t\f\r\n#]|(?:else|elif|except|finally)\b")
_SAYS_NOTHING = ("'", '"', "#", " ", "\t", "\r", "\n")
_HEAD = regex(r"^(?:class|(?:async[ \t]+)?def)[ \t]+([^\W\d]\w*)", re.MULTILINE)
_IMPORT = regex(r"(?:from[ \t]*([.\w \t]*?)[ \t]*\b)?import\b[ \t]*\(?([\w., \t\r\n\\]*)\)?\s*\Z")
# Where a statement may give names a value or change it: left of a sign of equality, in a list of imports, where a
# loop, an alias or a definition names it, and before a method or an item at a line's beginning.
_GIVING = regex(
    r"^[ \t]*(?P<assigned>[^\n=]*)=(?!=)|\bfor[ \t]+(?P<looped>[^\n]*?)\bin\b|\bas[ \t]+(?P<alias>\(?[\w, \t]+)"
    r"|\bimport\b[ \t]*(?P<imported>\([^)]*\)|(?:\\\r?\n|[^\n])*)|\b(?:def|class)[ \t]+(?P<defined>\w+)"
    r"|\b(?:del|global)\b[ \t]*(?P<listed>\([^)]*\)|(?:\\\r?\n|[^\n])*)|(?P<walrus>\w+)[ \t]*:="
    r"|^[ \t]*(?P<first>\w+)[.\[]|(?<![\w.])(?P<put>\w+)(?:\.\w+)*\.(?:update|setdefault)\(",
    re.MULTILINE,
)
_ASSIGNED = regex(r"([^\W\d]\w*)[ \t]*(?::[^=]*)?=(?!=)[ \t]*")
_GLOBAL = regex(r"\bglobal[ \t]+([\w, \t]+)")
_NO_NAMES = frozenset(keyword.kwlist)


class _Block(NamedTuple):
    """A statement at the left edge, or one item of an import: the names it may give a value, and those it mentions.

    `called` is the function or class it defines: what it gives may hang on how others call it.
    """

    text: str
    gives: frozenset[str]
    mentions: frozenset[str] = frozenset()
    called: str = ""


class Definitions:
    """The statements of one module, from which those are taken that a name hangs on.

    Of a gateway's own source, whose modules ask each other for 1,600 names, a third is parsed of what would be if only
    the bodies of functions were left out.
    """

    def __init__(self, code: str) -> None:
        """Ask about the names of a module's text."""
        self._code = code
        self._made: dict[tuple[int, ...], str] = {}

    def of(self, name: str) -> str:
        """The statements that decide what a name at the left edge stands for, in order; equal ones are one object.

        Constants stand outside of functions, or in the one that makes an object: other bodies are left out.
        """
        kept: set[int] = set()
        waiting, asked = [name], {name}
        while waiting:
            for number in self._by_name.get(waiting.pop(), ()):
                if number not in kept:
                    kept.add(number)
                    fresh = self._blocks[number].mentions - asked
                    asked |= fresh
                    waiting += fresh
        places = tuple(sorted(kept))
        if places not in self._made:
            self._made[places] = "".join(self._blocks[place].text for place in places)
        return self._made[places]

    @cached_property
    def _blocks(self) -> list[_Block]:
        return [block for text in _statements(self._code) for block in _read(text)]

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        """By name: the statements that may give it a value, and those that call what it stands for."""
        found: dict[str, list[int]] = {}
        for number, block in enumerate(self._blocks):
            for name in block.gives:
                found.setdefault(name, []).append(number)
        for name in {block.called for block in self._blocks if block.called}:
            call = re.compile(rf"\b{name}[ \t]*\(")
            for number, block in enumerate(self._blocks):
                if name in block.mentions and block.called != name and call.search(block.text) is not None:
                    found[name].append(number)
        return found


def _statements(code: str) -> Iterator[str]:
    """Yield the statements at the left edge, decorators with what they belong to."""
    first = 0
    is_decorator = False
    for start, _ in logical_lines(code):
        if _GOES_ON.match(code, start) is None:
            if start > first and not is_decorator:
                yield code[first:start]
                first = start
            is_decorator = code[start] == "@"
    yield code[first:]


def _read(text: str) -> Iterator[_Block]:
    """Yield what stands in a statement, if it is more than words."""
    if not text or text.startswith(_SAYS_NOTHING):
        return
    if text.startswith(("from", "import")):
        imported = _IMPORT.match(without_texts(text))
        if imported is not None:
            yield from _imports(imported[1], imported[2])
            return
    head = _HEAD.search(text) if text.startswith(("@", "class", "def", "async")) else None
    text = _without_bodies(text) if "def" in text else text
    plain = without_texts(text)
    mentions = frozenset(_WORD.findall(plain)) - _NO_NAMES
    if head is not None:
        shared = _GLOBAL.findall(plain)
        yield _Block(text, frozenset({head[1], *_WORD.findall(" ".join(shared))}), mentions, head[1])
    else:
        yield _Block(text, _assigned(plain) or _given(plain), mentions)


def _without_bodies(text: str) -> str:
    """Leave out what functions are given and do, but for those that make an object: it says nothing of what is kept."""
    pieces: list[str] = []
    place = 0
    for body in function_bodies(text):
        if body.name != "__init__":
            pieces += (text[place : body.named], f"(*_):\n{body.indent}0\n")
            place = body.end
    pieces.append(text[place:])
    return "".join(pieces)


def _imports(module: str | None, items: str) -> Iterator[_Block]:
    """Yield each item of an import as a statement of its own: some modules bring five hundred names in one."""
    for item in items.split(","):
        name, _, alias = " ".join(item.replace("\\", " ").split()).partition(" as ")
        if not name or name == "*":
            continue
        text = f"import {name} as {alias}\n" if alias else f"import {name}\n"
        own = alias or (name if module is not None else name.partition(".")[0])
        yield _Block(text if module is None else f"from {module} {text}", frozenset({own}))


def _assigned(plain: str) -> frozenset[str]:
    """The names that a plain assignment gives a value; none where a statement may do more."""
    names: set[str] = set()
    place = 0
    while (found := _ASSIGNED.match(plain, place)) is not None and found[1] not in _NO_NAMES:
        names.add(found[1])
        place = found.end()
    return frozenset() if ";" in plain or ":=" in plain else frozenset(names)


def _given(plain: str) -> frozenset[str]:
    """All names that a statement may give a value somewhere."""
    if ";" in plain or plain.startswith(("(", "[")):  # several statements; targets on lines of their own
        return frozenset(_WORD.findall(plain))
    return frozenset(
        word for found in _GIVING.finditer(plain) for text in found.groups() if text for word in _WORD.findall(text)
    )
