"""Tells from a module's text which of its names may be, or have, something, such as an object that connects."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import zip_longest

from keyguard.patterns import regex
from keyguard.python.bodies import without_texts
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLOCK = regex(r"^(?:class|def|async[ \t]+def)[ \t]+(\w+)|^@|^(?=[^\s#)\]}'\"])", re.MULTILINE)
_ASSIGNED = regex(r"^[ \t]*([^\W\d]\w*)\b[^\n=]{0,80}=", re.MULTILINE)
_VALUE = regex(r"[^\n]*(?:[(\[{\\]\r?\n(?:[ \t)\]}][^\n]*\n)*)?")
_FROM = regex(r"^[ \t]*from[ \t]+(\.*)([\w.]{0,200})[ \t]+import[ \t]*(\([^)]{0,8000}\)|[^\n]{0,400})", re.MULTILINE)
_BETWEEN = regex(r"[,()\s]*,[,()\s]*|[()]")
_WORD = regex(r"[^\W\d]\w*")
_ROUNDS = 1  # functions through which a class comes by an object


class Given:
    """The names of one module, asked one by one; `says` tells of a text whether it makes what is asked for."""

    def __init__(self, text: str, says: Callable[[str], bool]) -> None:
        """Ask so about a module's text, whose comments and strings make nothing."""
        self.text, self._makes = without_texts(text), says

    @cached_property
    def makes_any(self) -> bool:
        """Tell whether anything in the module makes what is asked for."""
        return self._says(self.text)

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
        for word in words & self._imported.keys():
            yield from self._imported[word]
        # A class may be derived from another one of its module.
        if block is not None and block.startswith("class"):
            for word in words & self._blocks.keys() - {name}:
                yield from self.origins(word) if self._blocks[word].startswith("class") else ()

    def _values(self, name: str) -> list[str]:
        return [found[0] for place in self._places.get(name, ()) if (found := _VALUE.match(self.text, place))]

    def _says(self, text: str) -> bool:
        """Tell whether a text makes what is asked for: a class of the module's own that has its name does not."""
        return self._makes(text if self._own is None else self._own.sub("", text))

    def _is_telling(self, text: str) -> bool:
        return self._says(text) or not self._telling.isdisjoint(_WORD.findall(text))

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        """By name: where what is assigned to it begins."""
        found: dict[str, list[int]] = {}
        for assigned in _ASSIGNED.finditer(self.text):
            found.setdefault(assigned[1], []).append(assigned.end())
        return found

    @cached_property
    def _imported(self) -> dict[str, list[tuple[tuple[str, int], str]]]:
        """By name here: the modules it is imported from, and its name there."""
        found: dict[str, list[tuple[tuple[str, int], str]]] = {}
        for line in _FROM.finditer(self.text):
            for item in _BETWEEN.split(line[3]):
                original, _, alias = item.strip().partition(" as ")
                if original:
                    found.setdefault(alias.strip() or original, []).append(((line[2], len(line[1])), original))
        return found

    @cached_property
    def _own(self) -> re.Pattern[str] | None:
        own = [name for name in self._blocks if name not in self._imported and self._makes(name)]
        return re.compile(rf"(?<!\.)\b(?:{'|'.join(own)})\b") if own else None

    @cached_property
    def _blocks(self) -> dict[str, str]:
        """The text of every class and function at the left edge, by name."""
        found: dict[str, str] = {}
        starts = list(_BLOCK.finditer(self.text))
        for start, end in zip_longest(starts, starts[1:]):
            if start[1]:
                text = self.text[start.start() : len(self.text) if end is None else end.start()]
                found[start[1]] = found.get(start[1], "") + text
        return found

    @cached_property
    def _telling(self) -> set[str]:
        telling = {name for name, text in self._blocks.items() if self._says(text)}
        words = {name: frozenset(_WORD.findall(text)) for name, text in self._blocks.items()} if telling else {}
        for _ in range(_ROUNDS):
            telling |= {name for name, own in words.items() if not telling.isdisjoint(own)}
        return telling
