"""KG203: a model that the host does not serve, or an id in a form that it does not know."""

from __future__ import annotations

import re

from keyguard.checks.belonging import answering, are_allied, is_relay, location
from keyguard.checks.spots import Spot
from keyguard.python import values as v
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import ModelFamily, Provider
    from keyguard.python.arguments import Given
    from keyguard.python.index import Node
    from keyguard.python.network import Connection, Host, Network

_ANY = "any"


class _Asked(NamedTuple):
    """A model that a client is asked for, or made for."""

    model: str
    node: Node
    connection: Connection
    host: Host
    provider: Provider


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each model that a host is asked for in vain."""
    for asked in _all_asked(network):
        found = _judge(asked, network.catalogue)
        if found is None:
            continue
        case, owner = found
        host, connection = asked.host, asked.connection
        values = {
            "model": asked.model,
            "owner": owner.id,
            "provider": asked.provider.id,
            "host": host.name,
            "name": asked.model.partition("/")[2] or asked.model,
        }
        if case is None and host.origin == "default":
            case = "default-host"
        inner = connection.http is not None or connection.arguments is None or _is_given(asked)
        related = () if inner or connection.node is None else ((connection.node, "client"),)
        yield Spot("KG203", asked.node, values, case, f"{asked.model}@{host.name}", related)


def _is_given(asked: _Asked) -> bool:
    """Tell whether the model stands in the call that makes the client."""
    arguments = asked.connection.arguments
    return arguments is not None and any(node is asked.node for _, node in arguments)


def _all_asked(network: Network) -> Iterator[_Asked]:
    """The models whose host and id are known for certain; one that a client is made for counts once."""
    given: list[tuple[Connection | None, Given | None]] = [(call.connection, call.model) for call in network.calls]
    for made in network.connections:
        client, arguments = made.client, made.arguments
        if not made.calls and client is not None and arguments is not None and not client.is_call:
            given.append((made, arguments.get(client.model_params)))
    clients: dict[int, set[int]] = {}
    for asking, model in given:
        if model is not None:
            clients.setdefault(id(model.node), set()).add(id(asking))
    seen: set[int] = set()
    for connection, model in given:
        host = connection.host if connection is not None else None
        provider = answering(host) if host is not None else None
        if connection is None or host is None or provider is None or model is None or id(model.node) in seen:
            continue
        if not isinstance(model.value, v.Text) or len(clients[id(model.node)]) > 1:
            continue  # what goes to one of several clients is meant for some of them
        if _is_judged(connection, host, provider, network.catalogue):
            seen.add(id(model.node))
            yield _Asked(model.value.text, model.node, connection, host, provider)


def _is_judged(connection: Connection, host: Host, provider: Provider, catalogue: Catalogue) -> bool:
    """Tell whether a model's id means to a host what it says.

    Not at relays and hosts that nobody checked, not in front of deployments with names of their own, not below a path
    for another vendor's clients (which maps ids), and not with clients whose ids begin with a provider.
    """
    client = connection.client
    if is_relay(provider) or not provider.curated or provider.models.id_form == "deployment":
        return False
    if client is not None and (client.provider is None or client.sdk.routes or client.sdk.routes_of):
        return False
    if host.origin == "env" and connection.base is not None:
        return False
    mapped = catalogue.mapped_protocols
    if client is not None and client.provider in mapped and client.provider != provider.id:
        return False
    protocol = _protocol(host, provider)
    return protocol not in mapped or protocol == provider.id


def _protocol(host: Host, provider: Provider) -> str:
    """The protocol that a provider speaks at a URL, by its longest base URL there; empty when that is not known."""
    here = f"{location(host)}/"
    best, protocol = 0, ""
    for name, urls in provider.base_urls.items():
        for url in urls:
            there = f"{url.partition('//')[2].rstrip('/')}/"
            if here.startswith(there) and len(there) > best:
                best, protocol = len(there), name
    return protocol


def _judge(asked: _Asked, catalogue: Catalogue) -> tuple[str | None, Provider] | None:
    """What is wrong with a model at a host: the case and the model's owner."""
    model, provider = asked.model, asked.provider
    form, serves = provider.models.id_form, provider.models.serves
    vendor, slash, bare = model.partition("/")
    family = _family(model, catalogue)
    owner = catalogue.providers.get(family.owner or "") if family is not None else None
    if _ANY in (serves or ()):
        if form == "vendor/model" and not slash and owner is not None and location(asked.host) in _main(provider):
            return "bare", owner
        return None
    if slash and form == "bare":
        inner = _family(bare, catalogue)
        owners = catalogue.providers_of_word(vendor.lower())
        return ("prefixed", owners[0]) if owners and inner is not None else None
    if family is None or owner is None or family.open_weights or (serves is None and provider.aggregator):
        return None
    return None if _serves(provider, family, owner, model) else (None, owner)


def _main(provider: Provider) -> set[str]:
    return {url.partition("//")[2].rstrip("/") for urls in provider.base_urls.values() for url in urls[:1]}


def _serves(provider: Provider, family: ModelFamily, owner: Provider, model: str) -> bool:
    models = provider.models
    if are_allied(owner, provider) or provider.id in family.served_by or family.id in (models.serves or ()):
        return True
    return model.startswith((*models.closed, *models.open, *models.also))


def _family(model: str, catalogue: Catalogue) -> ModelFamily | None:
    return next((family for family in catalogue.families if re.search(family.pattern, model)), None)
