"""Changes to code, said about nodes of its tree, become edits of its text: arguments, entries, names, expressions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from keyguard.model import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keyguard.model import Safety

_BLANK = re.compile(r"[ \t]*")


class Put(NamedTuple):
    """Write a text in the place of an expression; its parentheses stay."""

    node: Any
    text: str


class Add(NamedTuple):
    """Write an argument behind those of a call, or an entry behind those of a dict display."""

    to: Any
    text: str


class Drop(NamedTuple):
    """Take an argument out of a call."""

    call: Any
    argument: Any


class Bring(NamedTuple):
    """Import one more name with a `from … import …` that is there."""

    statement: Any
    name: str


Change = Put | Add | Drop | Bring


class Patch(NamedTuple):
    """A fix that still speaks of nodes; `title` is the name of a text `fix.…` of `lang`, filled from `words`."""

    title: str
    words: Mapping[str, str]
    safety: Safety
    changes: tuple[Change, ...] = ()


def anchors(changes: Iterable[Change]) -> Iterator[Any]:
    """The nodes whose spans the edits of some changes are counted from."""
    for change in changes:
        if isinstance(change, Put):
            yield change.node
        elif isinstance(change, Add):
            yield from (change.to, *_parts(change.to)[-1:])
        elif isinstance(change, Drop):
            yield from (change.call, *change.call.args)
        else:
            yield from change.statement.names


def edits_of(changes: Sequence[Change], spans: Mapping[int, Span], text: str) -> tuple[Edit, ...]:
    """Turn changes into edits, all of them; none when one of them cannot be made without losing something."""
    found: list[Edit] = []
    added: dict[int, list[str]] = {}
    for change in changes:
        if isinstance(change, Add):
            added.setdefault(id(change.to), []).append(change.text)
    for change in changes:
        if isinstance(change, Put):
            made: list[Edit] | None = [Edit(spans[id(change.node)], change.text)]
        elif isinstance(change, Add):
            made = _added(change.to, added.pop(id(change.to), []), spans, text)
        elif isinstance(change, Drop):
            made = _dropped(change.call, change.argument, spans, text)
        else:
            made = _brought(change.statement, change.name, spans, text)
        if made is None:
            return ()
        found += made
    return tuple(dict.fromkeys(sorted(found)))


def _parts(node: Any) -> Sequence[Any]:  # noqa: ANN401  # a LibCST node
    return node.args if type(node).__name__ == "Call" else node.elements  # type: ignore[no-any-return]


def _added(node: Any, texts: Sequence[str], spans: Mapping[int, Span], text: str) -> list[Edit] | None:  # noqa: ANN401  # a LibCST node
    if not texts:
        return []  # made with the first of them
    parts, close = _parts(node), spans[id(node)].end - 1
    if not parts:
        start = close
        while text[start - 1] in " \t":
            start -= 1
        if text[start - 1] not in "({":
            return None  # a comment or a line of its own
        return [Edit(Span(start, close), ", ".join(texts))]
    last = parts[-1]
    if type(node).__name__ == "Call" and type(last.value).__name__ == "GeneratorExp" and len(parts) == 1:
        return None  # it would need parentheses of its own
    span = spans[id(last)]
    has_comma = type(last.comma).__name__ == "Comma"
    line = _line_start(text, span.start)
    first = _BLANK.match(text, line)
    indent = text[line : span.start]
    if first is None or first.end() != span.start or not _has_line_break(text[span.end : close]):
        if "#" in text[span.end : close]:
            return None
        if has_comma:
            comma = text.index(",", span.end) + 1
            return [Edit(Span(comma, comma), "".join(f" {item}," for item in texts))]
        return [Edit(Span(span.end, span.end), "".join(f", {item}" for item in texts))]
    # Each argument has its line: the new ones get theirs, behind a comment of the last one's line.
    comma = text.index(",", span.end) + 1 if has_comma else span.end
    if "#" in text[span.end : comma]:
        return None
    stop = _line_end(text, comma)
    new = "".join(f"{_line_break(text, stop)}{indent}{item}," for item in texts)
    if not has_comma:
        new = new[:-1]  # as it was written here
        if stop == comma:
            return [Edit(Span(comma, stop), f",{new}")]
        return [Edit(Span(comma, comma), ","), Edit(Span(stop, stop), new)]
    return [Edit(Span(stop, stop), new)]


def _dropped(call: Any, argument: Any, spans: Mapping[int, Span], text: str) -> list[Edit] | None:  # noqa: ANN401  # LibCST nodes
    index = next(number for number, item in enumerate(call.args) if item is argument)
    own = spans[id(argument)]
    if index:
        span = Span(spans[id(call.args[index - 1])].end, own.end)
    elif len(call.args) > 1:
        span = Span(own.start, spans[id(call.args[1])].start)
    else:
        span = Span(own.start, spans[id(call)].end - 1)
        while text[span.start - 1].isspace():
            span = Span(span.start - 1, span.end)
        if text[span.start - 1] != "(":
            return None  # a comment ends there
    around = text[span.start : own.start] + text[own.end : span.end]
    return None if "#" in around else [Edit(span, "")]


def _brought(statement: Any, name: str, spans: Mapping[int, Span], text: str) -> list[Edit] | None:  # noqa: ANN401  # a LibCST node
    aliases = statement.names
    names = [alias.name.value for alias in aliases]
    before = next((item for item in aliases if _rank(item.name.value) > _rank(name)), None)
    ordered = names == sorted(names, key=_rank)
    place = spans[id(before if before is not None and ordered else aliases[-1])]
    line = _line_start(text, place.start)
    first = _BLANK.match(text, line)
    own_line = len(aliases) == 1 or _has_line_break(text[spans[id(aliases[0])].start : spans[id(aliases[-1])].end])
    own_line = own_line and first is not None and first.end() == place.start
    if before is not None and ordered:
        between = f",{_line_break(text, place.start)}{text[line : place.start]}" if own_line else ", "
        return [Edit(Span(place.start, place.start), f"{name}{between}")]
    between = f",{_line_break(text, place.end)}{text[line : place.start]}" if own_line else ", "
    if own_line and "#" in text[place.end : _line_end(text, place.end)]:
        between = ", "
    return [Edit(Span(place.end, place.end), f"{between}{name}")]


def _rank(name: str) -> tuple[int, str]:
    """Where isort puts a name: constants first, then classes, then functions."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


def _line_start(text: str, offset: int) -> int:
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def _line_end(text: str, offset: int) -> int:
    ends = [found for mark in "\r\n" if (found := text.find(mark, offset)) >= 0]
    return min(ends, default=len(text))


def _has_line_break(text: str) -> bool:
    return "\n" in text or "\r" in text


def _line_break(text: str, offset: int) -> str:
    """How lines end here."""
    end = _line_end(text, offset)
    if end == len(text):
        end = max(_line_start(text, offset) - 1, 0)
        return "\r\n" if text[end - 1 : end + 1] == "\r\n" else text[end : end + 1] or "\n"
    return "\r\n" if text.startswith("\r\n", end) else text[end]
