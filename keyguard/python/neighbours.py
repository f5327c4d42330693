"""Chooses of a module's functions those that have to do with some lines: what calls them, decides for them, is shared.

A gateway's own source says something about waiting, addresses or keys in nearly every function; a third of them have
to do with a connection.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property

from keyguard.patterns import regex
from keyguard.python.bodies import CALL, STEPS, function_bodies, line_starts, logical_lines, without_texts
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from keyguard.python.bodies import Body, Choice

_WORD = regex(r"[^\W\d]\w*")
_MENTION = regex(r"\w+\(?")
_ATTRIBUTE = regex(r"\.([^\W\d]\w*)")
_DEFINED = regex(r"\bdef[ \t]+\w+")
_DECORATOR = regex(r"^[ \t]*@[\w.]*?(\w+)[ \t]*(?:\(|$)", re.MULTILINE)
_CLASS = regex(r"^([ \t]*)class[ \t]+([^\W\d]\w*)", re.MULTILINE)
_INDENT = regex(r"[ \t]*")
_SET = regex(r"\b(?:self|cls)\.(\w+)[ \t]*(?::[^=\n]*)?=(?!=)")
_GLOBAL = regex(r"^[ \t]*global[ \t]+([\w, \t]+)", re.MULTILINE)
# What a statement outside of functions names: a class, what it assigns to, an alias.
_NAMED = regex(r"^[ \t]*class[ \t]+(\w+)|^([^=\n]*?)(?::[^=\n]*)?=(?!=)|\bas[ \t]+(\w+)")


class _Of(NamedTuple):
    """What the text of a body, or of several, names: words, calls, attributes, and what it sets for other functions."""

    words: frozenset[str]
    calls: frozenset[str]
    attributes: frozenset[str]
    sets: frozenset[str]
    shares: frozenset[str]
    owner: str = ""


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
        self._bodies = function_bodies(code)
        rising, self._given, asked = self._begin(lines)
        self._known = {body.start: True for body in rising}  # by body: whether it says something
        self._kept = {body.start for body in rising}
        # What a statement outside of functions calls gives it a value, whatever its own words are.
        leaves = [body for body in self._bodies if body.name in asked and body.start not in self._kept]
        self._kept.update(body.start for body in leaves)
        called = self._called_outside
        for _ in range(STEPS):
            if len(self._kept) == len(self._bodies):
                break
            rising, leaves = self._step(rising, leaves, called)
            called = frozenset()

    def wants(self, body: Body) -> bool:
        """Tell whether a body has to do with the lines."""
        return body.start in self._kept

    def _step(
        self, rising: Sequence[Body], leaves: Sequence[Body], used: frozenset[str]
    ) -> tuple[list[Body], list[Body]]:
        """Keep the neighbours of some bodies, and of `leaves`, which only give something, those that decide for them.

        `used` are the names that are called outside of functions. Gives new ones of both kinds.
        """
        names = {body.name for body in rising if not body.name.startswith("__")}
        called = frozenset().union(*(self._of[body.start].calls for body in rising if self._says(body)))
        reached = self._reached((*rising, *leaves), used)
        higher, lower = [], []
        for body in self._bodies:
            if body.start in self._kept:
                continue
            if not names.isdisjoint(self._of[body.start].words) or (self._shares(body, reached) and self._says(body)):
                higher.append(body)
            elif body.name in called or (body.name in reached.words and self._says(body)):
                lower.append(body)
        self._kept.update(body.start for body in (*higher, *lower))
        return higher, lower

    def _reached(self, bodies: Sequence[Body], used: frozenset[str]) -> _Of:
        known = [self._of[body.start] for body in bodies]
        return _Of(
            used.union(*(item.words for item in known)),
            frozenset(),
            frozenset().union(*(item.attributes for item in known)),
            frozenset().union(*(item.sets for item in known)),
            self._given.union({item.owner for item in known if item.owner}, *(item.shares for item in known)),
        )

    def _shares(self, body: Body, reached: _Of) -> bool:
        """Tell whether a body shares a place or a class with what was reached."""
        own = self._of[body.start]
        return (
            own.owner in self._given
            or not reached.sets.isdisjoint(own.attributes)
            or not reached.attributes.isdisjoint(own.sets)
            or not reached.shares.isdisjoint(own.words)
            or not reached.words.isdisjoint(own.shares)
        )

    def _says(self, body: Body) -> bool:
        known = self._known.get(body.start)
        if known is None:
            known = self._known[body.start] = self._says_of(self._code[body.start : body.end])
        return known

    @property
    def _called_outside(self) -> frozenset[str]:
        """The functions that are called, or decorate, outside of functions."""
        place = 0
        pieces = []
        for body in self._bodies:
            pieces.append(self._code[place : body.start])
            place = body.end
        rim = "".join((*pieces, self._code[place:]))
        return frozenset(CALL.findall(_DEFINED.sub("", rim))) | frozenset(_DECORATOR.findall(rim))

    def _begin(self, lines: Collection[int]) -> tuple[list[Body], frozenset[str], frozenset[str]]:
        """The bodies on the lines or right under them; what other lines give names to, and what they call."""
        starts = line_starts(self._code)
        begins = [body.start for body in self._bodies]
        seeds: dict[int, Body] = {}
        outside = []
        for place in sorted(starts[line - 1] for line in lines if 0 < line <= len(starts)):
            at = bisect_right(begins, place) - 1
            if at >= 0 and place < self._bodies[at].end:
                seeds[at] = self._bodies[at]
            else:
                outside.append(place)
        given: set[str] = set()
        asked: set[str] = set()
        if outside:
            statements = list(logical_lines(self._code))
            firsts = [start for start, _ in statements]
            for place in outside:
                number = bisect_right(firsts, place) - 1
                while _DECORATOR.match(self._code, firsts[number]) and number + 1 < len(statements):
                    number += 1  # a decorator has to do with what it stands on
                start, end = statements[number]
                at = bisect_left(begins, end)
                if at < len(begins) and begins[at] == end:
                    seeds[at] = self._bodies[at]
                else:
                    statement = without_texts(self._code[start:end])
                    named = _NAMED.findall(statement)
                    given.update(word for found in named for part in found for word in _WORD.findall(part))
                    asked.update(CALL.findall(statement))
        return [seeds[at] for at in sorted(seeds)], frozenset(given), frozenset(asked)

    @cached_property
    def _of(self) -> Mapping[int, _Of]:
        """By the place where a body starts: what it names."""
        code = self._code
        found: dict[int, _Of] = {}
        for body, owner in zip(self._bodies, self._owners(), strict=True):
            text = code[body.start : body.end]
            mentions = frozenset(_MENTION.findall(text))  # one search for both is twice as fast as two
            calls = frozenset(word[:-1] for word in mentions if word.endswith("("))
            found[body.start] = _Of(
                calls.union(word for word in mentions if not word.endswith("(")),
                calls,
                frozenset(_ATTRIBUTE.findall(text)),
                frozenset(_SET.findall(text)),
                frozenset(_WORD.findall(" ".join(_GLOBAL.findall(text)))),
                owner,
            )
        return found

    def _owners(self) -> Iterator[str]:
        """For each body: the class it is a method of, or nothing."""
        classes = [(found.start(), len(found[1]), found[2]) for found in _CLASS.finditer(self._code)]
        starts = [start for start, _, _ in classes]
        for body in self._bodies:
            header = self._code.rfind("\n", 0, body.named) + 1
            indent = _INDENT.match(self._code, header)
            at = bisect_right(starts, header) - 1
            is_method = at >= 0 and indent is not None and len(indent[0]) > classes[at][1]
            yield classes[at][2] if is_method else ""
