"""What holds up an event loop: a call that waits in an `async def` without being awaited, directly or in a helper."""

from __future__ import annotations

from msgspec import Struct

from keyguard.python.arguments import Arguments, numbers
from keyguard.python.callees import code_of, is_async, last_name
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.index import Node, Place, Scope
    from keyguard.python.network import Network

_DEEPEST = 4  # helpers between an `async def` and the call that waits


class Blocking(Struct, frozen=True, eq=False):
    """A call in an `async def` that waits and lets nothing else run.

    `node` stands in the function `scope`; `source` is what waits: `node` itself, or a call in the helper that `node`
    calls. `kind` is model, http or sleep; `seconds` is the longest wait, None when it is endless or not known.
    """

    node: Node
    scope: Scope
    name: str
    kind: str
    source: Node
    seconds: float | None = None
    is_endless: bool = False


class _Wait(Struct, frozen=True, eq=False):
    node: Node
    place: Place
    kind: str
    seconds: float | None
    is_endless: bool = False


def blocking_calls(network: Network) -> Iterator[Blocking]:
    """Yield the calls that hold up the event loop, each once, in a module that talks to models."""
    if not (network.connections or network.calls) or not any(is_async(scope) for scope in network.index.scopes):
        return
    seen: set[int] = set()
    for wait in _waits(network):
        for node, scope in _held(network, wait.node, wait.place.scope.function):
            if id(node) not in seen:
                seen.add(id(node))
                name = code_of(node.func) or last_name(node.func)
                yield Blocking(node, scope, name, wait.kind, wait.node, wait.seconds, wait.is_endless)


def _waits(network: Network) -> Iterator[_Wait]:
    """What waits in a thread: sync model calls and requests, and sleeps."""
    awaited = network.index.awaited
    is_other = {id(call.node) for call in network.calls if call.is_async or (call.client is None and call.http is None)}
    is_other.update(id(call.node) for call in network.http_calls if call.is_async)
    for call in network.calls:
        if id(call.node) not in is_other and id(call.node) not in awaited and call.http is None:
            limit = call.timeout
            yield _Wait(call.node, call.place, "model", limit.seconds, is_endless=limit.is_endless)
    for http in network.http_calls:
        if id(http.node) not in is_other and id(http.node) not in awaited and _sends(http.name):
            kind = "model" if http.is_model else "http"
            yield _Wait(http.node, http.place, kind, http.timeout.seconds, is_endless=http.timeout.is_endless)
    sleeps = network.catalogue.running.blocking.sleep
    lasts = {name.rpartition(".")[2] for name in sleeps}
    for use in network.index.calls:
        func = use.node.func
        if (type(func).__name__ == "Name" or last_name(func) in lasts) and network.evaluator.name(
            func, use.place
        ) in sleeps:
            given = Arguments(use.node, use.place, network.evaluator).get((), 0)
            known = list(numbers(given.value)) if given is not None and given.is_known else []
            yield _Wait(use.node, use.place, "sleep", max(known, default=None))


def _sends(name: str) -> bool:
    return not name.rpartition(".")[2].startswith("build_")


def _held(network: Network, node: Node, scope: Scope) -> Iterator[tuple[Node, Scope]]:
    """The calls in `async def`s that run a call: itself, or calls of the plain functions around it."""
    front = [(node, scope)]
    seen = {id(scope)}
    for _ in range(_DEEPEST):
        following = []
        for at, inner in front:
            if is_async(inner):
                yield at, inner
            elif inner.kind == "function" and not inner.is_generator:
                for site in network.evaluator.sites(inner):
                    outer = site.place.scope.function
                    if is_async(outer):
                        yield site.node, outer
                    elif id(outer) not in seen:
                        seen.add(id(outer))
                        following.append((site.node, outer))
        front = following
