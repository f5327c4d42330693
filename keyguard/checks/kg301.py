"""KG301: a request of an HTTP library that has no time limit of its own is given none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyguard.checks.spots import Spot
from keyguard.checks.words import advised, spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.network import HttpCall, Network


def check(network: Network) -> Iterator[Spot]:
    """Yield one hit for each request, or connection object, that may wait for ever because nobody said how long."""
    case = "model" if network.talks else None
    limited = {id(call.node) for call in network.http_calls if not _is_endless(call)}
    seen: set[int] = set()
    for call in network.http_calls:
        if not call.sends or id(call.node) in limited:
            continue
        # Where only the constructor takes a limit, that is the place to set it.
        at_call = call.http.timeout is not None and bool(call.http.timeout.call_params)
        node = call.node if at_call or call.session is None else call.session
        if id(node) in seen:
            continue
        seen.add(id(node))
        name = spelled(node) or call.name
        values = {"call": f"{name}()", "remedy": _remedy(call, network)}
        yield Spot("KG301", node, values, case, statement=f"{name} without timeout")


def _is_endless(call: HttpCall) -> bool:
    return call.timeout.is_default and call.timeout.is_endless


def _remedy(call: HttpCall, network: Network) -> str:
    """The code that sets a limit; for a call that takes none, what sets one for every socket."""
    seconds = network.advice.model_timeout if call.is_model else network.advice.http_timeout
    if call.name in call.http.unbounded:
        return f"{network.catalogue.http.global_timeouts[0]}({seconds})"
    return advised(call.http.timeout, seconds)
