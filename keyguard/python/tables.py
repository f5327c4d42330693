"""The catalogue as look-up tables by dotted name: what takes a key, reads, writes or shows one."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    """Everything by the dotted name that code resolves to."""

    clients: Mapping[str, Client]
    settings: Mapping[str, Sdk]
    http: Mapping[str, HttpClient]
    writers: Mapping[str, Writer]
    write_subscripts: Mapping[str, Writer]
    options: Mapping[str, OptionDefiner]
    option_methods: Mapping[str, OptionDefiner]
    sinks: Mapping[str, Sink]
    sink_methods: Mapping[str, tuple[Sink, ...]]
    raising: Sink | None
    views: tuple[Sink, ...]
    query: frozenset[str]
    not_secret: tuple[str, ...]
    words: frozenset[str]


@functools.lru_cache(maxsize=4)  # one table a catalogue, and a run has one catalogue
def tables_of(catalogue: Catalogue) -> Tables:
    """Build the look-up tables of a catalogue once."""
    env = catalogue.env_access
    sinks = catalogue.sinks.sinks
    providers = catalogue.providers.values()
    words = {word.replace(" ", "_").replace("-", "_") for item in providers for word in (*item.words, item.id)}
    return Tables(
        clients=_clients(catalogue),
        settings={name: sdk for sdk in catalogue.sdks.values() for name in sdk.settings},
        http=_http(catalogue),
        writers={name: writer for writer in env.writers for name in writer.calls},
        write_subscripts={name: writer for writer in env.writers for name in writer.subscripts},
        options={name: option for option in env.options for name in option.calls},
        option_methods={name: option for option in env.options for name in option.methods},
        sinks=_sinks(sinks),
        sink_methods=_customary(sinks),
        raising=next((sink for sink in sinks if sink.raises), None),
        views=tuple(sink for sink in sinks if sink.returned),
        query=frozenset(catalogue.words.query),
        not_secret=catalogue.words.not_secret,
        words=frozenset(words),
    )


def _clients(catalogue: Catalogue) -> dict[str, Client]:
    found: dict[str, Client] = {}
    for sdk in catalogue.sdks.values():
        for made in sdk.constructors:
            found.setdefault(made.name, _constructor(sdk, made))
        for call in sdk.calls:
            owner = call.provider or sdk.provider
            found.setdefault(call.name, Client(sdk, call.key_params, None, call.base_url_params, sdk.env, owner, None))
    return found


def _http(catalogue: Catalogue) -> dict[str, HttpClient]:
    found: dict[str, HttpClient] = {}
    for client in catalogue.http_clients:
        methods = [f"{session}().{method}" for session in client.sessions for method in client.methods]
        for name in (*client.calls, *client.sessions, *methods):
            found.setdefault(name, client)
    return found


def _sinks(sinks: Iterable[Sink]) -> dict[str, Sink]:
    """Sinks by what is called: functions, and methods of a class or of what a factory gives."""
    found: dict[str, Sink] = {}
    for sink in sinks:
        if sink.returned:
            continue
        owners = (*sink.instances, *sink.factories)
        methods = [f"{name}{call}.{method}" for name in owners for call in ("", "()") for method in sink.methods]
        for name in (*sink.calls, *methods):
            found.setdefault(name, sink)
    return found


def _customary(sinks: Iterable[Sink]) -> dict[str, tuple[Sink, ...]]:
    """Sinks by method, for receivers that go by a customary name."""
    found: dict[str, list[Sink]] = {}
    for sink in sinks:
        if sink.names and not sink.returned:
            for method in sink.methods:
                found.setdefault(method, []).append(sink)
    return {method: tuple(items) for method, items in found.items()}


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
    """Tell whether a variable of this name holds a model-API key: a provider's own, or one named like it."""
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
