"""Chooses of a module's functions those that have to do with some lines: what calls them, decides for them, is shared.

A gateway's own source says something about waiting, addresses or keys in nearly every function; a third of them have
to do with a connection.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

from keyguard.python.bodies import CALL, STEPS, function_bodies, line_starts, logical_lines, without_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from keyguard.python.bodies import Body, Choice

_WORD = re.compile(r"[^\W\d]\w*")
_DEFINED = re.compile(r"\bdef[ \t]+\w+")
_CLASS = re.compile(r"^([ \t]*)class[ \t]+([^\W\d]\w*)", re.MULTILINE)
# What a function leaves for others: attributes it sets, variables of the module, of either one a line at most.
_LEFT = re.compile(
    r"\.(\w+)[ \t]*(?::[^=\n]*)?=(?!=)|\.(\w+)[ \t]*,[^=\n]*=(?!=)|\bglobal[ \t]+([\w, \t]+)|\bsetattr\(.*?[\"'](\w+)"
)
# What a statement outside of functions names: a class, what it assigns to, an alias.
_NAMED = re.compile(r"^[ \t]*class[ \t]+(\w+)|^([^=\n]*?)(?::[^=\n]*)?=(?!=)|\bas[ \t]+(\w+)")


def around(lines: Collection[int], says: Callable[[str], bool]) -> Choice:
    """Want the bodies that have to do with what stands on some lines, counted from 1.

    They hold such a line or stand under it, call a body that does, or are called by it. Of those that `says` takes,
    which are such as may decide about others, also those that share an attribute, a variable or a class with it.
    """
    return lambda code: _Around(code, lines, says).wants


class _Around:
    """Goes from the functions on the lines to their neighbours, and on to theirs, a few steps far."""

    def __init__(self, code: str, lines: Collection[int], says: Callable[[str], bool]) -> None:
        self._code, self._says_of = code, says
        self._bodies = list(function_bodies(code))
        self._known: dict[int, bool] = {}
        seeds, left = self._begin(lines)
        rim = "".join(self._between())
        self._kept = {body.start for body in seeds}
        reached = set(_WORD.findall(_DEFINED.sub("", without_texts(rim))))
        for _ in range(STEPS):
            if not (seeds or reached or left):
                break
            seeds = self._step(seeds, reached, left)
            reached, left = set(), set()

    def wants(self, body: Body) -> bool:
        """Tell whether a body has to do with the lines."""
        return body.start in self._kept

    def _step(self, fresh: Sequence[Body], reached: set[str], left: set[str]) -> list[Body]:
        """Keep the neighbours of some bodies, and of what is reached and left outside of functions."""
        names = {body.name for body in fresh if not body.name.startswith("__")}
        called = self._called(body for body in fresh if self._says(body))
        reached = reached.union(*(self._words[body.start] for body in fresh))
        left = left.union(*(self._left[body.start] for body in fresh), (self._owners[body.start] for body in fresh))
        left.discard("")
        found = []
        for body in self._bodies:
            if body.start in self._kept:
                continue
            words = self._words[body.start]
            near = body.name in called or not names.isdisjoint(words)
            if near or (self._is_near(body, words, reached, left) and self._says(body)):
                found.append(body)
        self._kept.update(body.start for body in found)
        return found

    def _is_near(self, body: Body, words: set[str], reached: set[str], left: set[str]) -> bool:
        """Tell whether a body is named, or shares a place, with what was reached."""
        return (
            body.name in reached
            or self._owners[body.start] in left
            or not left.isdisjoint(words)
            or not reached.isdisjoint(self._left[body.start])
        )

    def _called(self, bodies: Iterable[Body]) -> set[str]:
        return {found[1] for body in bodies for found in CALL.finditer(self._code, body.start, body.end)}

    def _says(self, body: Body) -> bool:
        known = self._known.get(body.start)
        if known is None:
            known = self._known[body.start] = self._says_of(self._code[body.start : body.end])
        return known

    def _between(self) -> Iterable[str]:
        """What stands outside of functions."""
        place = 0
        for body in self._bodies:
            yield self._code[place : body.start]
            place = body.end
        yield self._code[place:]

    def _begin(self, lines: Collection[int]) -> tuple[list[Body], set[str]]:
        """The bodies on the lines, or right under them, and the names that other lines give to what stands on them."""
        starts = line_starts(self._code)
        places = sorted(starts[line - 1] for line in lines if 0 < line <= len(starts))
        by_start = {body.start: body for body in self._bodies}
        seeds: dict[int, Body] = {}
        left: set[str] = set()
        outside = []
        begins = sorted(by_start)
        for place in places:
            at = bisect_right(begins, place) - 1
            body = by_start[begins[at]] if at >= 0 else None
            if body is not None and place < body.end:
                seeds[body.start] = body
            else:
                outside.append(place)
        if outside:
            ranges = list(logical_lines(self._code))
            firsts = [start for start, _ in ranges]
            for place in outside:
                at = bisect_right(firsts, place) - 1
                while self._code.startswith("@", firsts[at] + self._indent(firsts[at])) and at + 1 < len(ranges):
                    at += 1  # a decorator has to do with what it stands on
                body = by_start.get(ranges[at][1])
                if body is not None:
                    seeds[body.start] = body
                else:
                    text = without_texts(self._code[slice(*ranges[at])])
                    left.update(
                        word for found in _NAMED.findall(text) for part in found for word in _WORD.findall(part)
                    )
        return list(seeds.values()), left - {"self", "cls"}

    def _indent(self, start: int) -> int:
        return len(self._code[start : start + 200]) - len(self._code[start : start + 200].lstrip(" \t"))

    @cached_property
    def _words(self) -> Mapping[int, set[str]]:
        return {body.start: set(_WORD.findall(self._code, body.start, body.end)) for body in self._bodies}

    @cached_property
    def _left(self) -> Mapping[int, set[str]]:
        return {
            body.start: {
                word
                for found in _LEFT.findall(self._code, body.start, body.end)
                for part in found
                for word in _WORD.findall(part)
            }
            for body in self._bodies
        }

    @cached_property
    def _owners(self) -> Mapping[int, str]:
        """By body: the class it is a method of."""
        classes = [(found.start(), len(found[1]), found[2]) for found in _CLASS.finditer(self._code)]
        owners: dict[int, str] = {}
        at = 0
        current = (0, "")
        for body in self._bodies:
            while at < len(classes) and classes[at][0] < body.start:
                current = classes[at][1:]
                at += 1
            owners[body.start] = (
                current[1] if len(body.indent) > current[0] and self._is_method(body, current[0]) else ""
            )
        return owners

    def _is_method(self, body: Body, indent: int) -> bool:
        """Tell whether a body's header is indented further than a class."""
        line = self._code.rfind("\n", 0, body.named) + 1
        return self._indent(line) > indent
