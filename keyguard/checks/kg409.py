"""KG409: a call that waits in an `async def` without being awaited: no other task runs meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyguard.checks.spots import Spot
from keyguard.python.blocking import blocking_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.blocking import Blocking
    from keyguard.python.network import Network


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each call in an `async def` that holds up the event loop."""
    if network.source.role == "test":
        return
    for held in blocking_calls(network):
        related = () if held.source is held.node else ((held.source, "blocks"),)
        values = {"name": held.name, "where": held.scope.name, "number": f"{held.seconds or 0:g}"}
        yield Spot("KG409", held.node, values, _case(held), statement=f"{held.name}:{held.kind}", related=related)


def _case(held: Blocking) -> str | None:
    if held.kind == "sleep":
        case = "sleep" if held.seconds else "sleep-unknown"
    else:
        case = "" if held.seconds else "endless" if held.is_endless else "unknown"
    if held.source is not held.node:
        case = "helper" if held.kind != "sleep" else "helper-sleep"
    return case or None
