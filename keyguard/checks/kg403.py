"""KG403: a model call is sent again at once, or after the same pause every time."""

from __future__ import annotations

from keyguard.checks.growing import grown, told_to_grow
from keyguard.checks.remedies import Remedy, Writer, repaired
from keyguard.checks.repeats import at_clause, is_local, refused, retries, seconds, statement_of, tool_name
from keyguard.checks.spots import Spot
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.network import Network
    from keyguard.python.retries import RetryLoop

_LONG = 5  # seconds: a bounded loop that waits this long meets few limits twice
_BY_HAND = frozenset({"loop", "recursion"})


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each retry without backoff, at the pause, or where the pause is missing."""
    for loop in retries(network):
        if loop.delay not in {"none", "fixed"} or loop.honours_wait or is_local(loop):
            continue
        yield from _by_hand(network, loop) if loop.kind in _BY_HAND else _by_tool(network, loop)
    for call, given, tool in network.repetition.settings():
        if call.attempts.backoff or (call.attempts.total or 0) <= 1 or call.is_local:
            continue
        values = {"name": given.name, "code": tool.remedy_wait}
        remedy = Remedy(tool.remedy_wait, tool.needs)
        direct = any(item.value is given.node for item in call.node.args)
        changes = Writer(network).given(call.node, call.place, remedy, tool.looks_params) if direct else ()
        patch = repaired("set", changes, tool.remedy_wait)
        yield Spot("KG403", given.node, values, "setting", f"{call.method} {given.name} at once", patch=patch)


def _by_hand(network: Network, loop: RetryLoop) -> Iterator[Spot]:
    clauses = refused(loop)
    if loop.handlers and not clauses:
        return
    if loop.delay == "fixed":
        patch = grown(network, loop)
        yield Spot("KG403", loop.sleep, _values(loop), _case(loop), statement_of(loop, "fixed"), patch=patch)
        return
    # A clause that lets some errors out and repeats others has chosen what to send again at once.
    clauses = tuple(clause for clause in clauses if not (clause.looks and clause.leaves))
    statement = statement_of(loop, "none")
    if loop.sleep is not None:
        yield Spot("KG403", loop.sleep, case="at-once", statement=statement)
    elif clauses:
        yield at_clause(Spot("KG403", loop.node, case="at-once", statement=statement), clauses[0])


def _by_tool(network: Network, loop: RetryLoop) -> Iterator[Spot]:
    told = loop.told
    if told is None or told.tool.catches in {"none", "connection"}:
        return
    node = loop.sleep
    if node is None:
        node = told.arguments.node if told.arguments is not None else loop.node
        node = loop.node if loop.kind in {"decorator", "context"} and loop.kind != "context" else node
    values = {**_values(loop), "tool": tool_name(loop), "code": told.tool.remedy_wait}
    case = "tool-at-once" if loop.delay == "none" else f"tool-{_case(loop) or 'fixed'}"
    yield Spot("KG403", node, values, case, statement_of(loop, loop.delay), patch=told_to_grow(network, loop, told))


def _case(loop: RetryLoop) -> str | None:
    if loop.seconds is None:
        return "constant"
    return "long" if loop.seconds >= _LONG and not loop.is_endless else None


def _values(loop: RetryLoop) -> dict[str, str]:
    return {"seconds": seconds(loop.seconds) if loop.seconds is not None else ""}
