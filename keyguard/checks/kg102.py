"""KG102: a model-API key is the default of an environment read, a parameter, an option or a field."""

from __future__ import annotations

from keyguard.checks.keys import hit, keys_of
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.model import Hit
    from keyguard.python.facts import PythonFacts


def check(facts: PythonFacts) -> Iterator[Hit]:
    """Yield one hit for each key that is a default."""
    for key in keys_of(facts, "KG102"):
        yield hit(key, "KG102", key.where)
