"""KG103: a key, written out or read from a variable, becomes part of a URL."""

from __future__ import annotations

from keyguard.checks.keys import hit, keys_of
from keyguard.model import Fix, Hit, Safety
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.facts import PythonFacts


# Whether a service takes the key in a header, its documentation tells.
_HEADER = Fix("fix.header", Safety.SHOWN, ())


def check(facts: PythonFacts) -> Iterator[Hit]:
    """Yield one hit for each key in a URL, then one for each variable that holds one and is put there."""
    literal = list(keys_of(facts, "KG103"))
    for key in literal:
        yield hit(key, "KG103", "literal")
    for found in facts.url_keys:
        if not any(found.span.overlaps(key.span) for key in literal):
            statement = _statement(facts, found.name)
            yield Hit("KG103", found.span, {"name": found.name}, "variable", statement=statement, fix=_HEADER)


def _statement(facts: PythonFacts, name: str) -> str:
    return f"{facts.source.path}:{name}"
