"""KG406: a retry around a client that already tries again: the numbers multiply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyguard.checks.repeats import REFUSED, is_local, refused, retries
from keyguard.checks.spots import Spot
from keyguard.python.errors import errors_of

if TYPE_CHECKING:
    from collections.abc import Iterator

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
            yield _spot(loop, inner, call)


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
