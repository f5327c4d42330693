"""KG408: one model call for each item of a row, all at once, with nothing that limits how many."""

from __future__ import annotations

from keyguard.checks.spots import Spot
from keyguard.python.fanout import fan_outs
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.fanout import FanOut
    from keyguard.python.network import Network

MOST = 64  # workers that a model API can be expected to bear


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each place that starts too many calls: at what starts them, or at the number of workers."""
    if network.source.role == "test":
        return
    for fan in fan_outs(network):
        if all(call.is_local for call in fan.calls):
            continue
        if fan.bound == "pool" and (fan.size or 0) > MOST:
            yield _spot(fan, "pool", {"name": fan.name, "number": str(fan.size)})
        elif not fan.bound and fan.given is not None:
            yield _spot(fan, "pool-of-all", {"name": fan.name, "items": fan.items})
        elif not fan.bound:
            case = "counted" if fan.size is not None else None if fan.items else "unnamed"
            yield _spot(fan, case, {"name": fan.name, "items": fan.items, "number": str(fan.size or "")})


def _spot(fan: FanOut, case: str | None, values: dict[str, str]) -> Spot:
    node = fan.given.node if fan.given is not None else fan.node
    related = tuple((call.node, "model-call") for call in fan.calls[:1] if call.node is not fan.node)
    return Spot("KG408", node, values, case, statement=f"{fan.name}:{case or 'all'}", related=related)
