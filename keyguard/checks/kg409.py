"""KG409: a call that waits in an `async def` without being awaited: no other task runs meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyguard.checks.edits import Put
from keyguard.checks.remedies import Writer, repaired
from keyguard.checks.spots import Spot
from keyguard.python.blocking import blocking_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.edits import Change, Patch
    from keyguard.python.blocking import Blocking
    from keyguard.python.network import Network


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each call in an `async def` that holds up the event loop."""
    if network.source.role == "test":
        return
    for held in blocking_calls(network):
        related = () if held.source is held.node else ((held.source, "blocks"),)
        values = {"name": held.name, "where": held.scope.name, "number": f"{held.seconds or 0:g}"}
        patch = _patch(held, network) if held.kind == "sleep" and held.source is held.node else None
        statement = f"{held.name}:{held.kind}"
        yield Spot("KG409", held.node, values, _case(held), statement=statement, related=related, patch=patch)


def _patch(held: Blocking, network: Network) -> Patch:
    """An awaited sleep, where the call is a statement of its own: other tasks then run meanwhile."""
    instead = network.catalogue.running.blocking.instead
    use = next((item for item in network.index.calls if item.node is held.node), None)
    changes: tuple[Change, ...] = ()
    # Another task that wants what a `with` around holds, such as a lock of threads, would stop the loop for good.
    if use is not None and use.statement and not any(
        block.holds(use.place) and block.node.asynchronous is None for block in network.index.withs
    ):
        spelling = Writer(network).spelled(instead, use.place, (instead.rpartition(".")[0],))
        if spelling is not None:
            code, imports = spelling
            changes = (Put(held.node.func, f"await {code}"), *imports)
    return repaired("await", changes, {"fix_code": f"await {instead}(…)"})


def _case(held: Blocking) -> str | None:
    if held.kind == "sleep":
        case = "sleep" if held.seconds else "sleep-unknown"
    else:
        case = "" if held.seconds else "endless" if held.is_endless else "unknown"
    if held.source is not held.node:
        case = "helper" if held.kind != "sleep" else "helper-sleep"
    return case or None
