"""KG501: a key travels to another machine over plain HTTP, where everyone on the way can read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyguard.checks.carried import sends_key
from keyguard.checks.spots import Spot
from keyguard.python.hosts import is_reserved_host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from keyguard.python.network import Connection, Host, Network

_PLAIN = ("http://", "ws://")


def check(network: Network) -> Iterator[Spot]:
    """Yield one hit for each base URL or request that takes a key over plain HTTP."""
    seen: set[int] = set()
    for node, host, statement in _plain(network):
        if id(node) not in seen:
            seen.add(id(node))
            yield Spot("KG501", node, {"host": host.name, "url": host.url}, statement=f"{statement} {host.name}")


def _plain(network: Network) -> Iterator[tuple[Any, Host, str]]:
    for connection in network.connections:
        host = _in_plain_text(connection.hosts)
        if host is not None and connection.http is None and sends_key(connection, network.catalogue):
            yield _where(connection, host, network), host, connection.name
    for call in network.http_calls:
        host = _in_plain_text(call.hosts)
        if host is not None and call.carries_key:
            yield call.url.node if call.url is not None else call.node, host, call.name


def _in_plain_text(hosts: tuple[Host, ...]) -> Host | None:
    """The first host that is reached over plain HTTP and is no machine of one's own."""
    for host in hosts:
        if host.url.strip().lower().startswith(_PLAIN) and not host.is_local and not is_reserved_host(host.name):
            return host
    return None


def _where(connection: Connection, host: Host, network: Network) -> Any:  # noqa: ANN401  # a LibCST node
    """The expression that names the host: the argument, or the variable that the module sets."""
    if connection.base is not None:
        return connection.base.node
    if host.origin == "env" and connection.client is not None:
        for name in connection.client.env_base:
            for given in network.env_writes.get(name, ()):
                return given.node
    return connection.node
