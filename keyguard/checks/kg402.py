"""KG402: a client is told not to try again, and nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyguard.checks.spots import Spot
from keyguard.checks.unguarded import asks, guards, is_spared
from keyguard.python.callees import code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.arguments import Given
    from keyguard.python.network import ModelCall, Network


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each argument or setting that switches retries off while a call goes without."""
    if is_spared(network):
        return
    found: dict[int, tuple[Given, list[ModelCall]]] = {}
    for call in network.calls:
        given = call.attempts.given
        if given is not None and call.attempts.total == 1 and not call.attempts.is_default and asks(call):
            found.setdefault(id(given.node), (given, []))[1].append(call)
    for given, calls in found.values():
        bare = [call for call in calls if not guards(network, call)]
        if bare:
            related = tuple((call.node, "sent-once") for call in bare[:4])
            values = {"name": given.name or code_of(bare[0].node.func)}
            yield Spot("KG402", given.node, values, statement=f"{given.name}:off", related=related)
    yield from _tools(network)


def _tools(network: Network) -> Iterator[Spot]:
    """Adapters and transports that are told to send once."""
    for loop in network.retry_loops:
        if loop.attempts != 1 or loop.kind not in {"adapter", "transport", "setting"}:
            continue
        bare = [call for call in loop.calls if asks(call) and not guards(network, call)]
        told = loop.told.arguments if loop.told is not None else None
        if bare and told is not None and told.node is not None and told.node.args:
            values = {"name": code_of(told.node.func) or "Retry"}
            related = tuple((call.node, "sent-once") for call in bare[:4])
            yield Spot("KG402", told.node, values, "tool", statement="retry:off", related=related)
