"""KG211: a key that manages an account is used for model calls."""

from __future__ import annotations

from keyguard.checks.belonging import keys_in, shapes_of
from keyguard.checks.spots import Spot
from keyguard.model import Secret
from keyguard.python.credentials import NAMED, literals, variables
from keyguard.python.hosts import MODEL_PATH, urls_of
from keyguard.secrets.placeholders import mask
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.network import Connection, Network

_MANAGING = "admin"  # in the name of a parameter that is made for such a key


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each key of this kind that is sent with a model call."""
    catalogue = network.catalogue
    for connection in network.connections:
        if not _calls_models(connection):
            continue
        for sent in variables(connection, network):
            owners = [item for item in catalogue.providers_of_env(sent.name) if sent.name in item.env_admin]
            if sent.how == NAMED and owners:
                values = {"env": sent.name, "provider": owners[0].id, "where": owners[0].variable_of_calls}
                related = ((sent.read, "read"),) if sent.read is not None else ()
                values["name"] = sent.name
                yield Spot("KG211", sent.node, values, None, sent.name, related)
        for written in literals(connection, network):
            for key in keys_in(written.text, catalogue):
                shape = next((item for item in shapes_of(key, catalogue) if item.manages), None)
                if shape is None:
                    continue
                provider = catalogue.providers[shape.provider]
                values = {"masked": mask(key, shape), "provider": provider.id, "where": provider.variable_of_calls}
                yield Spot("KG211", written.node, values, "literal", secret=Secret(key, provider.id))


def _calls_models(connection: Connection) -> bool:
    """Tell whether models are called through a connection, and not what such a key is for."""
    if connection.http is not None:
        url = connection.http.url
        return url is not None and any(MODEL_PATH.search(text) is not None for text, _ in urls_of(url.value))
    client, arguments = connection.client, connection.arguments
    if connection.key is not None and _MANAGING in connection.key.name:
        return False
    if connection.calls:
        return True
    return client is not None and arguments is not None and arguments.get(client.model_params) is not None
