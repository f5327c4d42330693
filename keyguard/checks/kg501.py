"""KG501: a key travels to another machine over plain HTTP, where everyone on the way can read it."""

from __future__ import annotations

from keyguard.checks.carried import sends_key
from keyguard.checks.literals import body_of, respelled
from keyguard.checks.patches import Patch, Replace
from keyguard.checks.spots import Spot
from keyguard.model import Fix, Safety
from keyguard.python import values as v
from keyguard.python.hosts import is_reserved_host
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from keyguard.python.arguments import Given
    from keyguard.python.network import Connection, Host, Network

_PLAIN = ("http://", "ws://")


def check(network: Network) -> Iterator[Spot]:
    """Yield one hit for each base URL or request that takes a key over plain HTTP."""
    seen: set[int] = set()
    for node, host, statement, given in _plain(network):
        if id(node) not in seen:
            seen.add(id(node))
            values = {"host": host.name, "url": host.url}
            name, patch, fix = f"{statement} {host.name}", None, None
            if ":" in host.name or host.name.replace(".", "").isdigit():
                # A server at a port, or without a name for a certificate, speaks what it was set up for.
                fix = Fix("fix.https fix.why.port", Safety.SHOWN, ())
            else:
                patch = _patch(given)
            yield Spot("KG501", node, values, statement=name, fix=fix, patch=patch)


def _plain(network: Network) -> Iterator[tuple[Any, Host, str, Given | None]]:
    for connection in network.connections:
        host = _in_plain_text(connection.hosts)
        if host is not None and connection.http is None and sends_key(connection, network.catalogue):
            given = _given(connection, host, network)
            yield given.node if given is not None else connection.node, host, connection.name, given
    for call in network.http_calls:
        host = _in_plain_text(call.hosts)
        if host is not None and call.carries_key:
            yield call.url.node if call.url is not None else call.node, host, call.name, call.url


def _in_plain_text(hosts: tuple[Host, ...]) -> Host | None:
    """The first host that is reached over plain HTTP and is no machine of one's own."""
    for host in hosts:
        if host.url.strip().lower().startswith(_PLAIN) and not host.is_local and not is_reserved_host(host.name):
            return host
    return None


def _given(connection: Connection, host: Host, network: Network) -> Given | None:
    """What names the host: the argument, or the variable that the module sets; None for the client's own default."""
    if connection.base is not None:
        return connection.base
    if host.origin == "env" and connection.client is not None:
        for name in connection.client.env_base:
            for given in network.env_writes.get(name, ()):
                return given
    return None


def _patch(given: Given | None) -> Patch | None:
    """HTTPS in every literal that the URL is written in."""
    changes = [change for item in (v.alternatives(given.value) if given else ()) for change in _encrypted(item)]
    if not changes:
        return None
    return Patch("https", Safety.UNSAFE, tuple({id(change.node): change for change in changes}.values()))


def _encrypted(value: v.Value) -> Iterator[Replace]:
    if isinstance(value, v.EnvRead) and value.default is not None:
        yield from _encrypted(value.default)
    elif isinstance(value, v.Joined):
        yield from _encrypted(value.parts[0])
    elif isinstance(value, v.Text) and value.text.lower().startswith(_PLAIN) and value.pieces:
        leaf = value.pieces[0].leaf
        body = body_of(leaf) if leaf is not None and value.pieces[0].leaf_start == 0 else None
        scheme = next((scheme for scheme in _PLAIN if body is not None and body.lower().startswith(scheme)), None)
        if scheme is not None and body is not None:
            new = respelled(leaf, scheme.replace("://", "s://") + body[len(scheme) :])
            if new is not None:
                yield Replace(leaf, new)
