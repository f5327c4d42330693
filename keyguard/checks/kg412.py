"""KG412: what is sent to a model has no limit: a conversation that only grows, a file of any length."""

from __future__ import annotations

from keyguard.checks.spots import Spot
from keyguard.python.payloads import payloads
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.network import Network


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each payload without a limit: at what is sent, or at what reads the file."""
    if network.source.role == "test":
        return
    for sent in payloads(network):
        case = None if sent.kind == "history" else "file"
        word = "grows" if case is None else "model-call"
        related = ((sent.source, word),) if sent.source is not None else ()
        yield Spot("KG412", sent.node, {"name": sent.name}, case, f"{sent.kind}:{sent.name}", related)
