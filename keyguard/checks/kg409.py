"""KG409: a call that waits in an `async def` without being awaited: no other task runs meanwhile."""

from __future__ import annotations

from keyguard.checks.patches import Import, Replace, Wrap
from keyguard.checks.remedies import repaired
from keyguard.checks.spots import Spot
from keyguard.python.blocking import blocking_calls
from keyguard.python.imports import Want
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.patches import Change, Patch
    from keyguard.python.blocking import Blocking
    from keyguard.python.network import Network


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each call in an `async def` that holds up the event loop."""
    if network.source.role == "test":
        return
    found = list(blocking_calls(network))
    network.index.module.spans(held.node for held in found)  # all at once: each alone takes a walk
    for held in found:
        related = () if held.source is held.node else ((held.source, "blocks"),)
        values = {"name": held.name, "where": held.scope.name, "number": f"{held.seconds or 0:g}"}
        patch = _patch(held, network) if held.kind == "sleep" and held.source is held.node else None
        statement = f"{held.name}:{held.kind}"
        yield Spot("KG409", held.node, values, _case(held), statement=statement, related=related, patch=patch)


def _patch(held: Blocking, network: Network) -> Patch:
    """An awaited sleep, where the call is a statement of its own: other tasks then run meanwhile."""
    instead = network.catalogue.running.blocking.instead
    use = network.uses.get(id(held.node))
    changes: tuple[Change, ...] = ()
    # Another task that wants what a `with` around holds, such as a lock of threads, would stop the loop for good.
    if (
        use is not None
        and use.statement
        and not any(block.holds(use.place) and block.node.asynchronous is None for block in network.index.withs)
    ):
        module, _, name = instead.rpartition(".")
        way = network.imports.way(Want(module, name), use.place, network.start(held.node))
        if way is not None and not _has_another_loop(network, module):
            changes = (Wrap(held.node, "await "), Replace(held.node.func, way.expression), Import(way.edits))
    return repaired("use", changes, f"await {instead}(…)")


def _case(held: Blocking) -> str | None:
    if held.kind == "sleep":
        case = "sleep" if held.seconds else "sleep-unknown"
    else:
        case = "" if held.seconds else "endless" if held.is_endless else "unknown"
    if held.source is not held.node:
        case = "helper" if held.kind != "sleep" else "helper-sleep"
    return case or None


def _has_another_loop(network: Network, module: str) -> bool:
    """Tell whether a module imports an event loop of another kind, under which this one's sleep may not work."""
    others = {name.partition(".")[0] for name in network.catalogue.retrying.sleeps} - {module}
    others -= {name.partition(".")[0] for name in network.catalogue.running.blocking.sleep}
    return any(name.partition(".")[0] in others for name, _ in network.index.imports)
