"""KG303: a time limit is switched off: None, 0 or infinity where the library takes it as no limit at all."""

from __future__ import annotations

import ast

from keyguard.checks.patches import Replace
from keyguard.checks.remedies import Remedy, Writer, grouped, is_literal, repaired
from keyguard.checks.spots import Spot
from keyguard.checks.words import advised, may_change, spelled, written
from keyguard.python import values as v
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.patches import Change, Patch
    from keyguard.knowledge import Timeout
    from keyguard.python.arguments import Given
    from keyguard.python.network import Limit, Network

_THOUSAND = 1_000  # milliseconds of a second


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
        patch = _patch(given, limit, known, seconds, network)
        yield Spot("KG303", given.node, values, case, statement=f"{name} {written(given)}", patch=patch)


def _patch(given: Given, limit: Limit, known: Timeout | None, seconds: int, network: Network) -> Patch:
    """A number, or the object that a library wants, in the place of what switches a limit off."""
    code = grouped(seconds * _THOUSAND if limit.unit == "ms" else seconds)
    changes: tuple[Change, ...] = ()
    if is_literal(given.node) or _is_infinite(given, network):
        remedy = Remedy(advised(known, seconds), known.needs if known is not None else ())
        wanted = remedy.arguments.get(given.name)
        if wanted is None or isinstance(wanted, ast.Constant):
            changes = (Replace(given.node, code),)
        else:
            spelling = Writer(network).spelled(ast.unparse(wanted), given.node, given.place, remedy.needs)
            if spelling is not None:
                code, imports = spelling
                changes = (Replace(given.node, code), *imports)
    new = f"{given.name}={code}" if given.name else code
    return repaired("rename", changes, new, written(given))


def _is_infinite(given: Given, network: Network) -> bool:
    """Tell whether infinity is written out: `float("inf")`, `math.inf`."""
    value = network.evaluator.value(given.node, given.place)
    if type(given.node).__name__ == "Call":
        return isinstance(value, v.Instance) and value.name == "float" and value.node is given.node
    return type(given.node).__name__ == "Attribute" and isinstance(value, v.Reference)


def limits(network: Network) -> Iterator[tuple[Limit, Timeout | None, str, bool]]:
    """Every time limit of a module, with what is known of such limits, what it is given to, and whether to a model."""
    for connection in network.connections:
        known = connection.client.timeout if connection.client is not None else None
        known = connection.http.http.timeout if connection.http is not None else known
        yield connection.timeout, known, spelled(connection.node) or connection.name.rpartition(".")[2], True
    for call in network.calls:
        known = call.client.timeout if call.client is not None else None
        if call.http is None:
            yield call.timeout, known, spelled(call.node) or call.method, True
    for session in network.http_sessions:
        yield session.timeout, session.http.timeout, spelled(session.node) or session.name, False
    for http in network.http_calls:
        yield http.timeout, http.http.timeout, spelled(http.node) or http.name, http.is_model
