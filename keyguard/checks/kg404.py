"""KG404: nothing ends a retry: while the error lasts, the request is sent for ever."""

from __future__ import annotations

from keyguard.checks.repeats import retries, statement_of, tool_name
from keyguard.checks.spots import Spot
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.network import Network
    from keyguard.python.retries import RetryLoop

_UNREACHED = 10_000  # tries: at one a second nearly three hours
_TOOLS = frozenset({"decorator", "context", "helper"})


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each retry that does not end: at the loop's header, the decorator, the call of itself."""
    for loop in retries(network):
        spot = _spot(loop)
        if spot is not None:
            yield spot


def _spot(loop: RetryLoop) -> Spot | None:
    statement = statement_of(loop, "endless")
    if not loop.is_endless:
        if loop.attempts is None or loop.attempts < _UNREACHED:
            return None
        node = loop.told.stop if loop.told is not None and loop.told.stop is not None else loop.node
        until = loop.until if node is loop.node else None
        return Spot("KG404", node, {"attempts": f"{loop.attempts:,}"}, "unreached", statement, until=until)
    if loop.told is not None and loop.kind in _TOOLS:
        values = {"tool": tool_name(loop), "code": loop.told.tool.remedy_stop}
        node = loop.node if loop.kind == "decorator" or loop.told.arguments is None else loop.told.arguments.node
        return Spot("KG404", node, values, "tool", statement)
    if loop.kind == "recursion":
        return Spot("KG404", loop.until, {"name": loop.node.name.value}, "recursion", statement)
    if loop.kind != "loop":
        return None
    return Spot("KG404", loop.node, statement=statement, until=loop.until)
