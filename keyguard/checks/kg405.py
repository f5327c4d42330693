"""KG405: a retry also repeats what cannot get better: a wrong key, a bad request, a quota that is used up."""

from __future__ import annotations

from keyguard.checks.repeats import at_clause, is_local, retries, statement_of, tool_name
from keyguard.checks.spots import Spot
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.network import Network
    from keyguard.python.retries import Handler, RetryLoop

_MANY = 6  # tries from which on a tool's own default is worth a word
_HOPELESS = frozenset({"auth", "base", "all"})  # an earlier clause that takes one of these spares the wrong key


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each retry on every error, at the except clause, the tool or the setting."""
    for loop in retries(network):
        if is_local(loop):
            continue
        if loop.handlers:
            yield from _clauses(loop)
        elif loop.told is not None and loop.catches_all and not loop.looks:
            yield _tool(loop)
    yield from _settings(network)


def _clauses(loop: RetryLoop) -> Iterator[Spot]:
    """The first clause of a loop that takes everything, else one that only knows rate limits."""
    for handler in loop.handlers:
        if _takes_everything(loop, handler):
            yield at_clause(Spot("KG405", handler.node, statement=statement_of(loop, "everything")), handler)
            return
    for handler in loop.handlers:
        if "rate_limit" in handler.kinds and not (handler.looks or loop.looks_at_quota or loop.looks):
            values = {"name": handler.spelled}
            statement = statement_of(loop, "quota")
            yield at_clause(Spot("KG405", handler.node, values, "quota", statement), handler)
            return


def _takes_everything(loop: RetryLoop, handler: Handler) -> bool:
    if not handler.catches_all or handler.looks or loop.looks or handler.misses_statuses:
        return False
    return not _HOPELESS.intersection(handler.spares)


def _tool(loop: RetryLoop) -> Spot:
    told = loop.told
    assert told is not None  # noqa: S101  # `check` asked
    is_default = told.catch is None
    many = loop.is_endless or loop.attempts is None or loop.attempts >= _MANY
    values = {"tool": tool_name(loop), "code": told.tool.remedy_catch}
    case = "tool" if many or not is_default else "tool-default"
    return Spot("KG405", told.catch or loop.node, values, case, statement_of(loop, "everything"))


def _settings(network: Network) -> Iterator[Spot]:
    """Numbers of retries that a client spends on a wrong key, too."""
    for call, given, _ in network.repetition.settings():
        attempts = call.attempts
        if "401" in attempts.on and (attempts.total or 0) > 1 and not call.is_local:
            values = {"name": given.name, "attempts": str(attempts.total)}
            yield Spot("KG405", given.node, values, "setting", f"{call.method} {given.name} 401")
