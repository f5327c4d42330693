"""KG411: a rate limit is answered with nothing or with a constant, as if the model had said so."""

from __future__ import annotations

from keyguard.checks.repeats import at_clause
from keyguard.checks.spots import Spot
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.network import Network


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each except clause that drops a rate limit."""
    for rescue in network.repetition.rescues:
        for handler in rescue.handlers:
            if handler.repeats or "rate_limit" not in handler.kinds or not handler.answer:
                continue
            values = {"name": handler.spelled}
            case = "pass" if handler.answer == "pass" else None
            statement = f"except {handler.spelled} {handler.answer}"
            yield at_clause(Spot("KG411", handler.node, values, case, statement), handler)
