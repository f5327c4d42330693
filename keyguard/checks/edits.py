"""Changes to code, said about nodes of its tree, become edits of its text: arguments, entries, names, expressions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from keyguard.model import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keyguard.model import Safety

_FROM = re.compile(r"(\s*from [\w.]+ import )([\w, ]+)(\s*)\Z")


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


Change = Put | Add | Drop | Edit


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
            texts = added.pop(id(change.to), [])  # all with the first of them
            made = _added(change.to, texts, spans, text) if texts else []
        elif isinstance(change, Drop):
            made = _dropped(change.call, change.argument, spans, text)
        else:
            made = [change]
        if made is None:
            return ()
        found += made
    return _side_by_side(sorted(set(found)))


def _parts(node: Any) -> Sequence[Any]:  # noqa: ANN401  # a LibCST node
    return node.args if type(node).__name__ == "Call" else node.elements  # type: ignore[no-any-return]


def _added(node: Any, texts: Sequence[str], spans: Mapping[int, Span], text: str) -> list[Edit] | None:  # noqa: ANN401  # a LibCST node
    parts, close = _parts(node), spans[id(node)].end - 1
    if not parts:
        return _added_alone(texts, close, text)
    last = parts[-1]
    if len(parts) == 1 and type(getattr(last, "value", None)).__name__ == "GeneratorExp":
        return None  # it would need parentheses of its own
    span = spans[id(last)]
    comma = text.index(",", span.end) + 1 if type(last.comma).__name__ == "Comma" else span.end
    if "#" in text[span.end : comma]:
        return None
    indent = text[_line_start(text, span.start) : span.start]
    if not indent.strip(" \t") and _has_line_break(text[span.end : close]):
        return _added_below(texts, indent, comma, text, has_comma=comma > span.end)
    if "#" in text[span.end : close]:
        return None
    new = "".join(f" {item}," if comma > span.end else f", {item}" for item in texts)
    return [Edit(Span(comma, comma), new)]


def _added_alone(texts: Sequence[str], close: int, text: str) -> list[Edit] | None:
    """Into empty brackets, unless there is a comment in them or they have lines of their own."""
    start = close
    while text[start - 1] in " \t":
        start -= 1
    return [Edit(Span(start, close), ", ".join(texts))] if text[start - 1] in "({" else None


def _added_below(texts: Sequence[str], indent: str, comma: int, text: str, *, has_comma: bool) -> list[Edit]:
    """Where each argument has its line the new ones get theirs, behind a comment of the last one's line."""
    stop = _line_end(text, comma)
    new = "".join(f"{_line_break(text, stop)}{indent}{item}," for item in texts)
    if has_comma:
        return [Edit(Span(stop, stop), new)]
    if stop == comma:
        return [Edit(Span(stop, stop), f",{new[:-1]}")]
    return [Edit(Span(comma, comma), ","), Edit(Span(stop, stop), new[:-1])]


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


def _side_by_side(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """Make one edit of those that are written at the same place, as imports are."""
    merged: list[Edit] = []
    for edit in edits:
        last = merged[-1] if merged else None
        if last is None or last.span != edit.span or edit.span.start != edit.span.end:
            merged.append(edit)
            continue
        old, new = _FROM.match(last.text), _FROM.match(edit.text)
        if old is not None and new is not None and old[1] == new[1]:
            merged[-1] = Edit(edit.span, f"{old[1]}{old[2]}, {new[2]}{new[3]}")
        else:
            merged[-1] = Edit(edit.span, last.text + edit.text)
    return tuple(merged)


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
