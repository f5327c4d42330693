"""KG410: a client that is made again in each round or request, or that is gone before its call is sent."""

from __future__ import annotations

from keyguard.checks.spots import Spot
from keyguard.python.lifetimes import remade_clients
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.network import Network


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each client that is made too often, where it is made."""
    is_test = network.source.role == "test"
    for made in remade_clients(network):
        name = made.connection.name.rpartition(".")[2]
        case = None if made.why == "loop" else made.why
        if is_test and case != "unheld":
            continue
        related = ((made.around, f"{made.why}-around"),) if made.around is not None else ()
        yield Spot(
            "KG410",
            made.connection.node,
            {"name": name, "where": made.where},
            case,
            statement=f"{made.connection.name}:{made.why}",
            related=related,
        )
