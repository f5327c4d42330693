"""Finds the bodies of functions in Python text without parsing it, so that only what can matter is parsed."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from itertools import accumulate

from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from typing import TypeAlias

# A string of several lines, to its end or the text's.
_LONG_STRING = r"""\"\"\"(?:[^\\\"]|\\[\s\S]|\"(?!\"\"))*(?:\"\"\"|\Z)|'''(?:[^\\']|\\[\s\S]|'(?!''))*(?:'''|\Z)"""
# What a bracket or a line start may hide in: comments, strings of one line or of several, continued lines. All that
# stands before the next of them is one step, and every alternative moves forward, so the scan is linear.
_TOKEN = regex(
    rf"""[^()\[\]{{}}'"\#\\\r\n]*(?:(?P<line>\r\n|\r|\n)|(?P<open>[(\[{{])|(?P<close>[)\]}}])|\#[^\r\n]*|\\(?:\r\n|[\s\S]|\Z)
    |{_LONG_STRING}
    |"(?:[^"\\\r\n]|\\[\s\S])*(?:"|(?=[\r\n])|\Z)|'(?:[^'\\\r\n]|\\[\s\S])*(?:'|(?=[\r\n])|\Z)|\Z)""",
    re.VERBOSE,
)
# A comment or a whole string: what stands before its quotes is looked at then, which is four times as fast.
_TEXT = regex(
    rf"""\#[^\r\n]*|{_LONG_STRING}|"(?:[^"\\\r\n]|\\[\s\S])*"|'(?:[^'\\\r\n]|\\[\s\S])*'""",
)
_PREFIX = regex(r"(?<!\w)[A-Za-z]{1,2}\Z")
_EXPRESSION = regex(r"\{([^{}]+)")
_FORMATTED = frozenset("fFtT")
_DEF = regex(r"(?P<indent>[ \t\f]*)(?:async[ \t]+)?def[ \t]+(?P<name>[^\W\d]\w*)")
CALL = regex(r"\b([^\W\d]\w*)\(")
_LINE = regex(r"\r\n|\r|\n")
STEPS = 3  # calls between a function and the one it has to do with
_BLANK = regex(r"[ \t\f]*(?:#|$|[\r\n])")


class Body(NamedTuple):
    """An outermost function's body: from after the header's line end to the end of its last line.

    `named` is where its name ends, before its parameters.
    """

    name: str
    start: int
    end: int
    indent: str
    named: int


@lru_cache(maxsize=1)  # who chooses among the bodies of a module asks for them before they are left out
def function_bodies(code: str) -> tuple[Body, ...]:
    """The bodies of functions and methods, in order; functions inside functions belong to the outer body.

    A body that begins on the header's own line is left out. Runs at some 20 MB a second, eighty times LibCST's parse.
    """
    return tuple(_bodies(code))


def _bodies(code: str) -> Iterator[Body]:
    lines = list(logical_lines(code))
    index = 0
    while index < len(lines):
        start, end = lines[index]
        index += 1
        header = _DEF.match(code, start, end)
        if header is None:
            continue
        indent = header["indent"]
        first = index
        last = None
        while index < len(lines):
            line_start, line_end = lines[index]
            if _BLANK.match(code, line_start, line_end) is None:
                if not code.startswith(indent, line_start) or code[line_start + len(indent)] not in " \t":
                    break
                last = index
            index += 1
        if last is None:
            index = first
            continue
        index = last + 1
        inner = _inner_indent(code, lines[first : last + 1])
        yield Body(header["name"], lines[first][0], lines[last][1], inner, header.end())


Choice: TypeAlias = "Callable[[str], Callable[[Body], bool]]"  # of a module's text, which bodies are wanted


def saying(says: Callable[[str], bool]) -> Choice:
    """Want the bodies whose own text `says` takes."""
    return lambda code: lambda body: says(code[body.start : body.end])


def with_callers(says: Callable[[str], bool]) -> Choice:
    """Want the bodies whose text `says` takes, and those that have to do with them: see `related`."""
    return lambda code: related(code, says)


def on_lines(lines: Collection[int]) -> Choice:
    """Want the bodies in which one of these lines stands, counted from 1."""

    def choose(code: str) -> Callable[[Body], bool]:
        starts = line_starts(code)
        places = sorted(starts[line - 1] for line in lines if 0 < line <= len(starts))
        return lambda body: bisect_left(places, body.start) < bisect_left(places, body.end)

    return choose


def either(one: Choice, other: Choice) -> Choice:
    """Want the bodies that one of two wants."""

    def choose(code: str) -> Callable[[Body], bool]:
        first, second = one(code), other(code)
        return lambda body: first(body) or second(body)

    return choose


def everything(_: str) -> Callable[[Body], bool]:
    """Want all bodies."""
    return lambda _: True


def line_starts(code: str) -> list[int]:
    """Where each line begins, counted as Python's own parser does."""
    if "\r" in code:
        return [0, *(found.end() for found in _LINE.finditer(code))]
    return list(accumulate((len(line) + 1 for line in code.split("\n")[:-1]), initial=0))  # four times as fast


def outline(code: str, keep: Callable[[Body], bool]) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    """Replace the bodies that `keep` does not ask for by a constant: the rest of the module stays as it is.

    The two tuples are offsets of the result and what is added from each on to come back to `code`.
    """
    pieces: list[str] = []
    starts, shifts = [0], [0]
    place = length = 0
    for body in function_bodies(code):
        if keep(body):
            continue
        # Never longer than the shortest body, so that the way back never runs backwards.
        stub = f"{body.indent}0" + ("\n" if code[body.end - 1] in "\r\n" else "")
        pieces += (code[place : body.start], stub)
        length += body.start - place + len(stub)
        place = body.end
        starts.append(length)
        shifts.append(place - length)
    pieces.append(code[place:])
    return "".join(pieces), tuple(starts), tuple(shifts)


def logical_lines(code: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of logical lines with their line ends: those inside brackets and strings do not count."""
    depth = start = 0
    for token in _TOKEN.finditer(code):
        kind = token.lastgroup
        if kind == "line":
            if not depth:
                yield start, token.end()
                start = token.end()
        elif kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(depth - 1, 0)
    if start < len(code):
        yield start, len(code)


def without_texts(code: str) -> str:
    """Leave out comments and what strings say: names in them name nothing, but in a formatted one's expressions."""
    return _TEXT.sub(_said, code)


def without_comments(code: str) -> str:
    """Leave out comments."""
    return _TEXT.sub(lambda found: "" if found[0].startswith("#") else found[0], code) if "#" in code else code


def _said(found: re.Match[str]) -> str:
    if found[0].startswith("#"):
        return ""
    start = found.start()
    prefix = _PREFIX.search(found.string, max(start - 3, 0), start)
    if prefix is None or _FORMATTED.isdisjoint(prefix[0]):
        return '""'
    return " ".join(('""', *_EXPRESSION.findall(found[0])))


def _inner_indent(code: str, lines: list[tuple[int, int]]) -> str:
    for start, end in lines:
        if _BLANK.match(code, start, end) is None:
            text = code[start:end]
            return text[: len(text) - len(text.lstrip(" \t\f"))]
    return " "


def _called(code: str, bodies: Sequence[Body], kept: Collection[int]) -> set[int]:
    """The bodies of functions that kept ones call: what they give may be what a request is made with."""
    by_name: dict[str, list[int]] = {}
    for body in bodies:
        by_name.setdefault(body.name, []).append(body.start)
    names = {name for body in bodies if body.start in kept for name in CALL.findall(code, body.start, body.end)}
    return {start for name in names & by_name.keys() for start in by_name[name]}


def related(code: str, says: Callable[[str], bool]) -> Callable[[Body], bool]:
    """Choose the bodies of functions that `says` takes, and those that name a function so chosen, a few steps far.

    A caller decides about a call (it repeats it, bounds it, runs it beside others), so it belongs to it.
    """
    bodies = function_bodies(code)
    kept = {body.start for body in bodies if says(code[body.start : body.end])}
    kept |= _called(code, bodies, kept)
    names = {body.name for body in bodies if body.start in kept}
    fresh = names
    for _ in range(STEPS):
        fresh = {name for name in fresh if not name.startswith("__")}
        if not fresh:
            break
        mention = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(fresh)))})\b")
        found = [body for body in bodies if body.start not in kept and mention.search(code, body.start, body.end)]
        kept.update(body.start for body in found)
        fresh = {body.name for body in found} - names
        names = names | fresh
    return lambda body: body.start in kept
