"""KG502 in texts: variables in scripts, Dockerfiles and env files that switch the check of certificates off."""

from __future__ import annotations

import re

from keyguard.model import Edit, Fix, Hit, Safety, Span
from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keyguard.catalogue import Catalogue
    from keyguard.checks.facts import TextFacts

_DOCUMENTS = frozenset({"markdown", "rst", "python"})  # show commands, or are judged as code
_COMMENT = regex(r"[ \t]*(?:#|//|;|\*|rem\b|::|<!--)", re.IGNORECASE)


def off(catalogue: Catalogue) -> dict[str, str]:
    """The variables that switch checks off, each with the value that does."""
    pairs = (item.partition("=") for item in catalogue.http.insecure_env)
    return {name: value for name, _, value in pairs}


def check(facts: TextFacts) -> Iterator[Hit]:
    """Yield one hit for each script, Dockerfile or env file that switches the check off for a program."""
    source = facts.source
    values = off(facts.catalogue)
    if source.kind in _DOCUMENTS or source.part == "output" or not any(name in source.text for name in values):
        return
    case = "everywhere" if facts.signals.talks else "elsewhere"
    for name, start, end in _switches(source.text, values.items()):
        line_start = source.text.rfind("\n", 0, start) + 1
        if _COMMENT.match(source.text, line_start, start) is None:
            text = source.text[start:end]
            written = {"written": text, "where": name, "new": f"{name}=1"}
            yield Hit("KG502", Span(start, end), written, case, statement=name, fix=_fix(text, end, values[name]))


def _fix(text: str, end: int, value: str) -> Fix:
    """Switched on where it was switched off: 1 is what holds without the variable too."""
    start = end - len(text) + text.rindex(value)
    return Fix("fix.verify-on", Safety.UNSAFE, (Edit(Span(start, start + len(value)), "1"),))


def _switches(text: str, values: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int, int]]:
    """Where a variable is set to the value that switches checks off: `X=0`, `X: "0"`, `set X 0`, `env.X = '0'`."""
    for name, value in values:
        pattern = (
            rf"\b{re.escape(name)}\b[\"'\]]{{0,2}}[ \t]{{0,8}}[=:, \t][ \t]{{0,8}}[\"']?{re.escape(value)}\b[\"']?"
        )
        for found in re.finditer(pattern, text):
            yield name, found.start(), found.end()
