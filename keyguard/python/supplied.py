"""What a connection is given as its key: a client's argument or setting, a request's headers and parameters."""

from __future__ import annotations

import functools

from msgspec.structs import replace

from keyguard.python import values as v
from keyguard.python.arguments import Given, entry_node
from keyguard.python.hosts import host_of, urls_of
from keyguard.python.network import Connection
from keyguard.python.tables import setting_of
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keyguard.catalogue import Catalogue
    from keyguard.python.network import Network


def credentials_of(connection: Connection, catalogue: Catalogue) -> Iterator[Given]:
    """What a connection is given as its key: once for a client, once for each header or parameter of a request."""
    if connection.http is None:
        if connection.key is not None:
            yield connection.key
        return
    http = connection.http
    headers, query = _names(catalogue)
    params = http.arguments.get(http.http.query_params)
    for given, names in ((http.headers, headers), (params, query)):
        for item in v.alternatives(given.value) if given is not None else ():
            for key, value in item.entries if isinstance(item, v.Table) else ():
                if isinstance(key, v.Text) and key.text.lower().replace("_", "-") in names and given is not None:
                    node = entry_node(given.node, key.text)
                    yield Given(key.text, value, given.node if node is None else node, given.place)


@functools.lru_cache(maxsize=4)  # one table a catalogue, and a run has one catalogue
def _names(catalogue: Catalogue) -> tuple[frozenset[str], frozenset[str]]:
    words = catalogue.words
    return tuple(  # type: ignore[return-value]  # two of them
        frozenset(name.lower().replace("_", "-") for name in names) for names in (words.headers, words.query)
    )


def connections_of(network: Network) -> Iterator[Connection]:
    """The connections of a module, and what it sets for an SDK's module whose calls are made elsewhere."""
    yield from network.connections
    used = {connection.sdk.id for connection in network.connections if connection.sdk is not None}
    for sdk in network.catalogue.sdks.values() if network.settings else ():
        key, base = _last(sdk.settings, network), _last(sdk.base_url_settings, network)
        first = key or base
        if first is None or sdk.id in used:
            continue
        client = replace(setting_of(sdk), base_default=sdk.base_url_default, path=sdk.path)
        urls = urls_of(base.value) if base is not None else ((sdk.base_url_default or "", False),)
        origin = "setting" if base is not None else "default"
        found = (host_of(url, origin, network.catalogue, dict(network.advice.trusted)) for url, _ in urls)
        hosts = tuple(host for host in found if host is not None)
        yield Connection(
            first.node, first.place, sdk.imports[0], client, sdk, key=key, implied=sdk.env, base=base, hosts=hosts
        )


def _last(names: Iterable[str], network: Network) -> Given | None:
    """What the first of these settings is set to that the module sets."""
    return next((network.settings[name][-1] for name in names if name in network.settings), None)


def is_set_again(given: Given, network: Network) -> bool:
    """Tell whether a module's setting is assigned elsewhere too: then nobody knows which of the values holds."""
    return any(len(items) > 1 and any(item.node is given.node for item in items) for items in network.settings.values())
