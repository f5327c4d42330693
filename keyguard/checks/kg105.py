"""KG105: a key stands in a comment or a docstring."""

from __future__ import annotations

from keyguard.checks.keys import hit, keys_of
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.model import Hit
    from keyguard.python.facts import PythonFacts


def check(facts: PythonFacts) -> Iterator[Hit]:
    """Yield one hit for each key in a comment or docstring, at the key itself."""
    for key in keys_of(facts, "KG105"):
        yield hit(key, "KG105", key.where)
