"""KG407: a retry that looks like one and never sends the request again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyguard.checks.repeats import retries, statement_of, tool_name
from keyguard.checks.spots import Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.network import ModelCall, Network
    from keyguard.python.retries import RetryLoop
    from keyguard.python.retrytools import Told

_LIMITED = 429  # the status of a rate limit


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each class that is never raised, and each adapter that never repeats the request."""
    for loop in retries(network):
        yield from _clauses(network, loop)
        if loop.told is not None:
            yield from _adapter(loop, loop.told)


def _clauses(network: Network, loop: RetryLoop) -> Iterator[Spot]:
    for handler in loop.handlers:
        for item in handler.caught:
            if not item.is_bound:
                values = {"name": item.node.value}
                yield Spot("KG407", item.node, values, "undefined", f"except {item.node.value} undefined")
        foreign = network.repetition.never_raised(handler, loop)
        if foreign is not None:
            values = {"name": handler.spelled, "sdk": foreign}
            yield Spot("KG407", handler.type, values, "foreign", f"except {handler.spelled} {foreign}")


def _adapter(loop: RetryLoop, told: Told) -> Iterator[Spot]:
    if loop.kind not in {"adapter", "transport"} or told.is_open:
        return
    posts = [call for call in loop.calls if _posts(call)]
    if not posts:
        return
    tool = told.tool
    node = told.arguments.node if told.arguments is not None else loop.node
    if tool.catches == "connection":
        if all(call.http is None for call in posts):
            return  # the SDK repeats statuses itself
        values = {"tool": tool_name(loop), "code": tool.remedy_statuses}
        yield Spot("KG407", node, values, "connection", statement_of(loop, "connection"))
    elif told.methods is not None and "POST" not in told.methods:
        values = {"tool": tool_name(loop), "code": tool.remedy_methods}
        yield Spot("KG407", node, values, None, statement_of(loop, "method"))
    elif told.statuses is not None and _LIMITED not in told.statuses:
        values = {"tool": tool_name(loop), "code": tool.remedy_statuses}
        yield Spot("KG407", node, values, "status", statement_of(loop, "status"))


def _posts(call: ModelCall) -> bool:
    """Tell whether a call sends a POST: an SDK's calls do, and a raw one that says so."""
    return call.http is None or call.http.verb == "POST"
