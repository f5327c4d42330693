"""Tells from a module's text which of its names may be, or have, something, such as an object that connects."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLOCK = re.compile(r"^(?:class|def|async[ \t]+def)[ \t]+(\w+)|^@|^(?=[^\s#)\]}'\"])", re.MULTILINE)
_ASSIGNED = r"^[ \t]*{name}\b[^\n=]{{0,80}}=(?P<value>[^\n]*(?:[(\[{{\\]\r?\n(?:[ \t)\]}}][^\n]*\n)*)?)"
_FROM = re.compile(
    r"^[ \t]*from[ \t]+(\.*)([\w.]{0,200})[ \t]+import[ \t]*(\([^)]{0,8000}\)|[^\n]{0,400})", re.MULTILINE
)
_WORD = re.compile(r"[^\W\d]\w*")
_ROUNDS = 1  # functions through which a class comes by an object


class Given:
    """The names of one module, asked one by one; `says` tells of a text whether it makes what is asked for."""

    def __init__(self, text: str, says: Callable[[str], bool]) -> None:
        """Ask so about a module's text."""
        self.text, self._says = text, says

    def tells(self, name: str) -> bool:
        """Tell whether a class, or what is assigned to a variable, makes or uses what is asked for."""
        block = self._blocks.get(name)
        if block is not None and block.startswith("class"):
            return name in self._telling
        return any(self._is_telling(value) for value in self._values(name))

    def origins(self, name: str) -> Iterator[tuple[tuple[str, int], str]]:
        """Where a name, or what a class or variable of that name is made of, is imported from."""
        block = self._blocks.get(name)
        head = [block.partition(":")[0]] if block is not None else []
        words = {name, *(word for text in (*head, *self._values(name)) for word in _WORD.findall(text[:400]))}
        for found in _FROM.finditer(self.text):
            for item in re.split(
                r"[,()\s]*,[,()\s]*|[()]", found[3].partition("#")[0] if "(" not in found[3] else found[3]
            ):
                original, _, alias = item.strip().partition(" as ")
                if original and (alias.strip() or original) in words:
                    yield (found[2], len(found[1])), original
        # A class may be derived from another one of its module.
        if block is not None and block.startswith("class"):
            for word in words & self._blocks.keys() - {name}:
                yield from self.origins(word) if self._blocks[word].startswith("class") else ()

    def _values(self, name: str) -> list[str]:
        if not name.isidentifier():
            return []
        return [found["value"] for found in re.finditer(_ASSIGNED.format(name=name), self.text, re.MULTILINE)]

    def _is_telling(self, text: str) -> bool:
        return self._says(text) or not self._telling.isdisjoint(_WORD.findall(text))

    @cached_property
    def _blocks(self) -> dict[str, str]:
        """The text of every class and function at the left edge, by name."""
        found: dict[str, str] = {}
        starts = list(_BLOCK.finditer(self.text))
        for start, end in zip(starts, (*starts[1:], None), strict=True):
            if start[1]:
                text = self.text[start.start() : len(self.text) if end is None else end.start()]
                found[start[1]] = found.get(start[1], "") + text
        return found

    @cached_property
    def _telling(self) -> set[str]:
        telling = {name for name, text in self._blocks.items() if self._says(text)}
        for _ in range(_ROUNDS):
            more = {
                name
                for name, text in self._blocks.items()
                if name not in telling and not telling.isdisjoint(_WORD.findall(text))
            }
            if not more:
                break
            telling |= more
        return telling
