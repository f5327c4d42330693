"""KG104: a key, or a value that holds one, is printed, logged, raised, traced or sent in a response."""

from __future__ import annotations

from keyguard.model import Hit
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.model import Span
    from keyguard.python.facts import PythonFacts

_CASES = {"key": None, "url": "url", "environ": "environ-dump", "settings": "settings"}


def check(facts: PythonFacts) -> Iterator[Hit]:
    """Yield one hit for each expression that reaches a sink with a key in it."""
    for output in facts.outputs:
        related: tuple[tuple[Span, str], ...] = ()
        if output.source is not None and not output.span.overlaps(output.source):
            related = ((output.source, "read"),)
        values = {"name": output.name, "where": output.where}
        yield Hit(
            "KG104",
            output.span,
            values,
            _CASES[output.kind],
            statement=f"{output.where}({output.name})",
            related=related,
        )
