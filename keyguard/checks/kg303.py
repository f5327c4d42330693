"""KG303: a time limit is switched off: None, 0 or infinity where the library takes it as no limit at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyguard.checks.spots import Spot
from keyguard.checks.words import advised, may_change, spelled, written
from keyguard.python import values as v

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.knowledge import Timeout
    from keyguard.python.network import Limit, Network


def check(network: Network) -> Iterator[Spot]:
    """Yield one hit for each value that takes the end of a wait away."""
    case = None if network.talks else "elsewhere"
    seen: set[int] = set()
    for limit, known, name, is_model in limits(network):
        given = limit.given
        # A default that is endless is KG302's.
        if given is None or limit.is_default or not limit.is_endless or may_change(given):
            continue
        if id(given.node) in seen or isinstance(network.evaluator.value(given.node, given.place), v.Table):
            continue  # told already, or somewhere in a mapping from elsewhere
        seen.add(id(given.node))
        seconds = network.advice.model_timeout if is_model else network.advice.http_timeout
        values = {"written": written(given), "call": f"{name}()", "remedy": advised(known, seconds)}
        yield Spot("KG303", given.node, values, case, statement=f"{name} {written(given)}")


def limits(network: Network) -> Iterator[tuple[Limit, Timeout | None, str, bool]]:
    """Every time limit of a module, with what is known of such limits, what it is given to, and whether to a model."""
    for connection in network.connections:
        known = connection.client.timeout if connection.client is not None else None
        yield connection.timeout, known, spelled(connection.node) or connection.name.rpartition(".")[2], True
    for call in network.calls:
        known = call.client.timeout if call.client is not None else None
        if call.http is None:
            yield call.timeout, known, spelled(call.node) or call.method, True
    for session in network.http_sessions:
        yield session.timeout, session.http.timeout, spelled(session.node) or session.name, False
    for http in network.http_calls:
        yield http.timeout, http.http.timeout, spelled(http.node) or http.name, http.is_model
