"""What a loader of env files would set: names and values, and where they stand."""

from __future__ import annotations

import re

from keyguard.model import Span
from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# `NAME=value`, `export NAME = value`, and the `NAME: value` that some loaders take.
_ASSIGNMENT = regex(r"[ \t]*(?:(?:export|set|setenv)[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]{0,127})[ \t]{0,8}[=:][ \t]{0,8}")
_LINE_END = regex(r"[\r\n]")
_BARE = regex(r"[^\r\n]*")
_COMMENT = regex(r"[ \t]#.*")
_QUOTED = {'"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL), "'": re.compile(r"'([^']*)'")}
_LONGEST = 16_384  # characters of a quoted value: a private key of several lines fits


class Setting(NamedTuple):
    """One variable that a file sets: `value` without quotes and comments, `span` that of the name."""

    name: str
    value: str
    span: Span


def settings(text: str) -> Iterator[Setting]:
    """The variables that a loader of env files would set, in order."""
    place = 0
    while place < len(text):
        found = _ASSIGNMENT.match(text, place)
        if found is None:
            place = _next_line(text, place)
            continue
        start, name = found.end(), Span(*found.span(1))
        pattern = _QUOTED.get(text[start : start + 1])
        quoted = pattern.match(text, start, start + _LONGEST) if pattern is not None else None
        if quoted is not None:
            yield Setting(found[1], quoted[1], name)
            place = _next_line(text, quoted.end())
            continue
        bare = _BARE.match(text, start, start + _LONGEST)
        yield Setting(found[1], _COMMENT.sub("", bare[0]).strip() if bare is not None else "", name)
        place = _next_line(text, start)


def _next_line(text: str, place: int) -> int:
    end = _LINE_END.search(text, place)
    return end.end() if end else len(text)
