"""What the rules about retries ask of a loop in the same words: does it matter, and what does it catch."""

from __future__ import annotations

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.spots import Spot
    from keyguard.python.network import Network
    from keyguard.python.retries import Handler, RetryLoop

# What a client raises when the API itself says no; the rest are errors of one's own, such as an answer that is no JSON.
REFUSED = frozenset({"all", "rate_limit", "base", "server"})


def retries(network: Network) -> Iterator[RetryLoop]:
    """Everything that sends a model call a second time, and not to ask how far a job is."""
    for loop in network.retry_loops:
        if loop.is_polling or not (loop.calls or loop.handed) or (loop.attempts is not None and loop.attempts <= 1):
            continue
        yield loop


def is_local(loop: RetryLoop) -> bool:
    """Tell whether everything it repeats stays on a machine of one's own."""
    return bool(loop.calls) and not loop.handed and all(call.is_local for call in loop.calls)


def refused(loop: RetryLoop) -> tuple[Handler, ...]:
    """The except clauses that answer an API's refusal with another try."""
    return tuple(handler for handler in loop.handlers if handler.kinds & REFUSED and not handler.misses_statuses)


def seconds(number: float) -> str:
    """A number of seconds as people write it."""
    return f"{number:g}"


def tool_name(loop: RetryLoop) -> str:
    """How the tool is spelled where it is told what to do."""
    from keyguard.python.index import spell  # noqa: PLC0415  # only for a finding

    told = loop.told.arguments.node if loop.told is not None and loop.told.arguments is not None else loop.node
    return spell(told.func if type(told).__name__ == "Call" else told) or loop.tool


def statement_of(loop: RetryLoop, what: str) -> str:
    """The name of a finding that survives moved lines: what is repeated, and what is wrong."""
    methods = sorted({call.method for call in loop.calls}) or ["call"]
    return f"{loop.kind} {loop.tool} {methods[0]} {what}"


def at_clause(spot: Spot, handler: Handler) -> Spot:
    """Point at the header of an except clause."""
    return spot._replace(node=handler.node, until=handler.type, width=len("except") if handler.type is None else None)
