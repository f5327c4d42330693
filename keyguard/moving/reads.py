"""How the read of a variable is spelled at a place, in the project's code style, and the edits that it takes."""

from __future__ import annotations

import re

from keyguard.patterns import regex
from keyguard.python.imports import Imports, Way, wants_of, with_name
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from keyguard.knowledge import Form
    from keyguard.model import Edit
    from keyguard.python.imports import Want
    from keyguard.python.index import Index, Place

_ODD = regex(r"[\"'\\{}]")  # what would need escapes, which f-strings do not take everywhere
_DEFINED = regex(r"^(?:class|def) (\w+)", re.MULTILINE)


class CodeStyle(NamedTuple):
    """How a project's code reads a value; `words` are what the key store keeps keys under, by their markers."""

    form: Form
    words: tuple[tuple[str, str], ...] = ()


class Reads:
    """Spells reads in one module."""

    def __init__(self, index: Index, style: CodeStyle) -> None:
        """Spell them in a style."""
        self.style = style
        self.imports = Imports(index)
        self._text = index.module.text

    def read(self, name: str, place: Place, at: int, quotes: set[str], *, optional: bool = False) -> Way | None:
        """The expression that reads a variable at a place, and what it takes; None where it cannot be spelled.

        `quotes` are those that it must not use. With `optional` it gives None for a variable that is not set, if the
        style can say that.
        """
        form = self.style.form
        if any(_ODD.search(word) for marker, word in self.style.words if marker in f"{form.expression}{form.helper}"):
            return None
        expression = (optional and form.optional) or form.expression
        edits: list[Edit] = []
        for bound, want in wants_of(form.imports).items():
            way = self._usual(bound, want, place, at) if form.helper else self._way(expression, bound, want, place, at)
            if way is None:
                return None
            expression = way.expression
            edits += way.edits
        if form.helper:
            helped = self._helper(form.helper, name, at)
            if helped is None:
                return None
            edits += helped
        expression = self._filled(form.expression if form.helper else expression, name)
        if '"' in quotes:
            if "'" in quotes:
                return None
            expression = expression.replace('"', "'")
        return Way(expression, tuple(edits))

    def _way(self, expression: str, bound: str, want: Want, place: Place, at: int) -> Way | None:
        """An expression with the name that an import binds spelled as it is known here."""
        match = re.search(rf"(?<![\w.\"]){bound}(?:\.(\w+))?", expression)
        if match is None:
            return Way(expression)
        attribute = match[1] if not want.direct and match[1] else ""
        way = self.imports.way(with_name(want, attribute), place, at)
        if way is None:
            return None
        end = match.end() if attribute else match.start() + len(bound)
        return Way(expression[: match.start()] + way.expression + expression[end:], way.edits)

    def _usual(self, bound: str, want: Want, place: Place, at: int) -> Way | None:
        """What a helper imports: its lines are written with the usual names."""
        way = self.imports.way(want, place, at)
        return way if way is not None and way.expression == bound else None

    def _helper(self, helper: str, name: str, at: int) -> list[Edit] | None:
        """The edits that define a helper; none where the module has it, None where another thing has its name."""
        text = self._filled(helper, name).strip("\n")
        if text in re.sub(r"\r\n?", "\n", self._text):
            return []
        defined = _DEFINED.search(text)
        if defined is None or re.search(rf"\b{defined[1]}\b", self._text):
            return None
        edit = self.imports.below(text, at)
        return None if edit is None else [edit]

    def _filled(self, template: str, name: str) -> str:
        camel = "".join(part.capitalize() for part in name.split("_"))
        filled = re.sub(r"\bNAME\b", name, re.sub(r"\bCLASS\b", camel, template))
        for marker, word in (*self.style.words, ("<name>", name)):
            filled = filled.replace(marker, word)
        return filled
