"""The catalogue as look-up tables by dotted name: what takes a key, reads, writes or shows one."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import Constructor, HttpClient, OptionDefiner, Sdk, Sink, Writer


@dataclass(frozen=True, slots=True)
class Client:
    """A callable that takes a key: an SDK's class or call."""

    sdk: Sdk
    key_params: tuple[str, ...]
    key_position: int | None
    base_params: tuple[str, ...]
    env: tuple[str, ...]
    provider: str | None
    base_default: str | None


@dataclass(frozen=True, slots=True)
class Tables:
    clients: Mapping[str, Client]
    settings: Mapping[str, Sdk]
    http: Mapping[str, HttpClient]
    writers: Mapping[str, Writer]
    write_subscripts: Mapping[str, Writer]
    write_mappings: Mapping[str, Writer]
    options: Mapping[str, OptionDefiner]
    option_methods: Mapping[str, OptionDefiner]
    sinks: Mapping[str, Sink]
    sink_methods: Mapping[str, tuple[Sink, ...]]
    raising: Sink | None
    views: tuple[Sink, ...]
    query: frozenset[str]
    headers: frozenset[str]
    not_secret: tuple[str, ...]
    words: frozenset[str]


@functools.lru_cache(maxsize=4)  # one table a catalogue, and a run has one catalogue
def tables_of(catalogue: Catalogue) -> Tables:
    clients: dict[str, Client] = {}
    settings: dict[str, Sdk] = {}
    for sdk in catalogue.sdks.values():
        for made in sdk.constructors:
            clients.setdefault(made.name, _constructor(sdk, made))
        for call in sdk.calls:
            clients.setdefault(
                call.name,
                Client(sdk, call.key_params, None, call.base_url_params, sdk.env, call.provider or sdk.provider, None),
            )
        for name in sdk.settings:
            settings.setdefault(name, sdk)
    http: dict[str, HttpClient] = {}
    for client in catalogue.http_clients:
        for name in client.calls:
            http.setdefault(name, client)
        for session in client.sessions:
            http.setdefault(session, client)
            for method in client.methods:
                http.setdefault(f"{session}().{method}", client)
    env = catalogue.env_access
    sinks: dict[str, Sink] = {}
    methods: dict[str, list[Sink]] = {}
    raising = None
    views: list[Sink] = []
    for sink in catalogue.sinks.sinks:
        if sink.returned:
            views.append(sink)
            continue
        if sink.raises:
            raising = sink
        for name in sink.calls:
            sinks.setdefault(name, sink)
        for name in (*sink.instances, *sink.factories):
            for method in sink.methods:
                sinks.setdefault(f"{name}.{method}", sink)
                sinks.setdefault(f"{name}().{method}", sink)
        if sink.names:
            for method in sink.methods:
                methods.setdefault(method, []).append(sink)
    words = frozenset(
        word.replace(" ", "_").replace("-", "_")
        for item in catalogue.providers.values()
        for word in (*item.words, item.id)
    )
    return Tables(
        clients,
        settings,
        http,
        {name: writer for writer in env.writers for name in writer.calls},
        {name: writer for writer in env.writers for name in writer.subscripts},
        {name: writer for writer in env.writers for name in writer.mapping_calls},
        {name: option for option in env.options for name in option.calls},
        {name: option for option in env.options for name in option.methods},
        sinks,
        {name: tuple(found) for name, found in methods.items()},
        raising,
        tuple(views),
        frozenset(catalogue.words.query),
        frozenset(catalogue.words.headers),
        catalogue.words.not_secret,
        words,
    )


def _constructor(sdk: Sdk, made: Constructor) -> Client:
    return Client(
        sdk,
        sdk.key_params if made.key_params is None else made.key_params,
        sdk.key_position if made.key_position is None else made.key_position,
        sdk.base_url_params if made.base_url_params is None else made.base_url_params,
        sdk.env if made.env is None else made.env,
        made.provider or sdk.provider,
        sdk.base_url_default if made.base_url_default is None else made.base_url_default,
    )


def is_key_variable(name: str, catalogue: Catalogue) -> bool:
    """Tell whether an environment variable of this name holds a model-API key: a provider's own, or one named like it."""
    if catalogue.providers_of_env(name):
        return True
    tables = tables_of(catalogue)
    lowered = name.lower()
    if lowered.endswith(tables.not_secret):
        return False
    if lowered in {"api_key", "apikey"} or lowered.endswith(("_api_key", "_apikey", "_api_keys", "_api_token")):
        return True
    parts = lowered.split("_")
    return parts[-1] in {"key", "keys", "token", "secret"} and any(part in tables.words for part in parts[:-1])
