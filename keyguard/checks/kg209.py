"""KG209: a key or a prompt goes to a host that nobody knows."""

from __future__ import annotations

from keyguard.checks.spots import Spot
from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.network import Network

# Hosts of documentation (RFC 2606), and names that ask to be replaced.
_STANDS_FOR = regex(
    r"(?:^|\.)(?:example\.(?:com|org|net)|example)$"
    r"|(?:^|[-_.])(?:your|xxx+|placeholder|changeme|dummy|fake|mock)(?:[-_.]|$)|your-?"
)


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each client or request and host that is neither in the catalogue nor one's own."""
    for connection in network.connections:
        # A base that may be a known host, too, is put together at run time: the other one is as likely a piece of it.
        if connection.node is None or any(host.route != "unknown" for host in connection.hosts):
            continue
        node = connection.base.node if connection.base is not None else connection.node
        for host in connection.hosts:
            if "." not in host.name or _STANDS_FOR.search(host.name.partition(":")[0]):
                continue
            case = "fallback" if host.origin == "env" and connection.base is not None else None
            yield Spot("KG209", node, {"host": host.name}, case, host.name)
