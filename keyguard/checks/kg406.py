"""KG406: a retry around a client that already tries again: the numbers multiply."""

from __future__ import annotations

from keyguard.checks.patches import Replace, SetArgument
from keyguard.checks.remedies import is_literal, repaired
from keyguard.checks.repeats import REFUSED, is_local, refused, retries
from keyguard.checks.spots import Spot
from keyguard.python.errors import errors_of
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.patches import Change, Patch
    from keyguard.knowledge import Retry
    from keyguard.python.index import Node
    from keyguard.python.network import ModelCall, Network
    from keyguard.python.retries import RetryLoop

_INNER = frozenset({"adapter", "transport", "setting"})
_MOST = 10_000  # more is an endless retry, which is another rule's


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each outer retry whose calls are already repeated by what it repeats."""
    if network.source.role == "test":
        return
    for loop in retries(network):
        if loop.kind in _INNER or loop.is_endless or loop.attempts is None or loop.attempts > _MOST or is_local(loop):
            continue
        if not _repeats_refusals(network, loop):
            continue
        inner, call = max(((_inner(network, loop, call), call) for call in loop.calls), key=_first, default=(1, None))
        if inner > 1 and call is not None:
            yield _spot(loop, inner, call)._replace(patch=_patch(loop, inner, call))


def _first(pair: tuple[int, ModelCall]) -> int:
    return pair[0]


def _repeats_refusals(network: Network, loop: RetryLoop) -> bool:
    """Tell whether it repeats what the client repeats, too: an API's refusals, and not just answers that do not fit."""
    if loop.handlers:
        return bool(refused(loop))
    if loop.catches_all:
        return True
    tables = errors_of(network.catalogue)
    return any(tables.kind(name) in REFUSED for name in loop.catches if name)


def _inner(network: Network, outer: RetryLoop, call: ModelCall) -> int:
    """How many requests one round of a retry sends: the client's own, times what stands between them."""
    number = call.attempts.total or 1
    for guard in network.guards(call):
        if guard is outer:
            break
        number *= guard.attempts if guard.attempts is not None and not guard.is_polling else 1
    return number


def _spot(loop: RetryLoop, inner: int, call: ModelCall) -> Spot:
    total = loop.attempts * inner if loop.attempts is not None else inner
    values = {"number": f"{total:,}", "attempts": str(loop.attempts), "inner": str(inner)}
    statement = f"{loop.kind} {call.method} stacked"
    related = ((call.node, "tries-itself"),)
    node, until = loop.node, loop.until
    if loop.kind == "recursion":
        node, until = loop.until, None
    elif loop.kind != "loop":
        told = loop.told.arguments if loop.told is not None else None
        node = loop.node if loop.kind == "decorator" or told is None else told.node
        until = None
    return Spot("KG406", node, values, None, statement, related, until=until)


def _patch(loop: RetryLoop, inner: int, call: ModelCall) -> Patch:
    """No retries of the client's own, where the retry around it repeats as much, as patiently, and all its calls.

    What is repeated by something else in between, or by what the client is not told, stays as it is.
    """
    retry, node = _told(loop, call)
    name = retry.params[0] if retry is not None and retry.params else "max_retries"
    code = f"{name}={0 if retry is None or retry.counts == 'retries' else 1}"
    changes: tuple[Change, ...] = ()
    if retry is not None and node is not None and inner == call.attempts.total and "." not in name:
        changes = _switched_off(node, retry, code)
    return repaired("set", changes, code, by_hand="one-retry")


def _told(loop: RetryLoop, call: ModelCall) -> tuple[Retry | None, Node]:
    """What is known of the retries of the client behind a call, and the call that makes it, if that can be told."""
    client, connection = call.client, call.connection
    if client is None:
        return None, None
    sdk = connection.sdk if connection is not None and connection.sdk is not None else client.sdk
    retry = client.retry if client.retry is not client.sdk.retry else sdk.retry
    # Only a retry of everything, with pauses that grow, does as well as the client's own.
    does_as_well = loop.delay == "growing" and (loop.catches_all or any("base" in item.kinds for item in loop.handlers))
    if retry is None or retry.counts == "time" or not does_as_well:
        return retry, None
    if client.is_call:
        return retry, call.node if (retry.call_params or retry.params) and _is_around(loop, call) else None
    if connection is None or connection.arguments is None or connection.arguments.node is not connection.node:
        return retry, None
    if not all(_is_around(loop, other) for other in connection.calls):
        return retry, None
    return retry, connection.node


def _is_around(loop: RetryLoop, call: ModelCall) -> bool:
    """Tell whether a retry stands around a call whoever runs it: in its function, or on it."""
    if loop.kind == "decorator":
        return any(loop.node is item for item in call.scope.decorators)
    inside = call.place.scope.function is loop.place.scope.function
    return inside and loop.block is not None and loop.block.holds(call.place.block)


def _switched_off(node: Node, retry: Retry, code: str) -> tuple[Change, ...]:
    if any(item.star for item in node.args):
        return ()
    name, _, number = code.partition("=")
    names = {*retry.params, *retry.call_params}
    there = [item for item in node.args if item.keyword is not None and item.keyword.value in names]
    if not there:
        return (SetArgument(node, name, number),)
    is_plain = len(there) == 1 and there[0].keyword.value == name and is_literal(there[0].value)
    return (Replace(there[0].value, number),) if is_plain else ()
