"""KG201: a key that is written out, at a host that does not take keys of its form."""

from __future__ import annotations

from keyguard.checks.belonging import (
    answering,
    are_allied,
    is_relay,
    is_strict,
    issuers,
    keys_in,
    location,
    shapes_of,
)
from keyguard.checks.spots import Spot
from keyguard.model import Secret
from keyguard.python.credentials import literals
from keyguard.secrets.placeholders import mask
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import KeyShape, Provider
    from keyguard.python.network import Connection, Host, Network


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each literal key and host that do not belong together."""
    for connection in network.connections:
        host = connection.host
        provider = answering(host) if host is not None else None
        if host is not None and provider is not None:
            yield from _misfits(connection, host, provider, network)


def _misfits(connection: Connection, host: Host, provider: Provider, network: Network) -> Iterator[Spot]:
    catalogue = network.catalogue
    for written in literals(connection, network):
        for key in keys_in(written.text, catalogue):
            case, owner, where = _judge(key, host, provider, catalogue)
            if not case:
                continue
            shape = next(iter(shapes_of(key, catalogue)), None)
            values = {
                "masked": mask(key, shape),
                "provider": owner.id if owner is not None else "",
                "owner": provider.id,
                "host": host.name,
                "where": where,
            }
            related = ((connection.node, "sent"),) if connection.node is not None else ()
            secret = Secret(key, owner.id if owner is not None else None)
            yield Spot("KG201", written.node, values, case, related=related, secret=secret)


def _judge(key: str, host: Host, provider: Provider, catalogue: Catalogue) -> tuple[str, Provider | None, str]:
    """The case of a key at a host, whose key it is if known, and where it belongs; no case when nothing is wrong."""
    shapes = shapes_of(key, catalogue)
    own = [shape for shape in shapes if are_allied(catalogue.providers[shape.provider], provider)]
    if own:
        case, where = _of_a_kind(own, host, provider)
        return case, provider, where
    found = issuers(key, catalogue)
    if found:
        owner = found[0]
        if is_relay(provider):
            return ("" if any(map(is_relay, found)) else "relay"), owner, owner.variable
        return ("relay-key" if is_relay(owner) else "other"), owner, owner.variable
    if shapes and is_strict(provider) and not is_relay(provider):
        return "unfit", None, provider.variable
    return "", None, ""


def _of_a_kind(own: list[KeyShape], host: Host, provider: Provider) -> tuple[str, str]:
    """The case of a key at a host of its own provider: of a kind that no longer works, or for another endpoint."""
    if all(shape.retired for shape in own):
        return "retired", provider.console_url or ""
    here = f"{location(host)}/"
    if all(shape.endpoints for shape in own):
        taken = [endpoint for shape in own for endpoint in shape.endpoints]
        return ("", "") if any(here.startswith(f"{endpoint}/") for endpoint in taken) else ("plan", taken[0])
    plans = [endpoint for shape in provider.shapes if shape not in own for endpoint in shape.endpoints]
    if not any(shape.endpoints for shape in own) and any(here.startswith(f"{endpoint}/") for endpoint in plans):
        return "no-plan", provider.hosts[0]
    return "", ""
