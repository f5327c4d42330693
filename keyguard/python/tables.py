"""The catalogue as look-up tables by dotted name: what takes a key, reads, writes or shows one."""

from __future__ import annotations

import functools
from typing import TypeVar

from msgspec import Struct

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import (
        BasePath,
        Call,
        Constructor,
        HttpClient,
        OptionDefiner,
        Retry,
        Sdk,
        Sink,
        TimeLimit,
        Timeout,
        Writer,
    )

T = TypeVar("T")
# Between a client and a method that returns the response with its headers: the same request.
RAW = ("with_raw_response.", "with_streaming_response.")


class Client(Struct, frozen=True):
    """A callable that takes a key: an SDK's class or, if `is_call`, a function that sends a request itself.

    What the callable says of itself wins over what its SDK says in general.
    """

    sdk: Sdk
    name: str
    key_params: tuple[str, ...]
    key_position: int | None
    base_params: tuple[str, ...]
    base_position: int | None
    env: tuple[str, ...]
    env_base: tuple[str, ...]
    provider: str | None
    base_default: str | None
    methods: tuple[str, ...] = ()
    model_params: tuple[str, ...] = ()
    model_position: int | None = None
    timeout: Timeout | None = None
    retry: Retry | None = None
    path: BasePath | None = None
    is_async: bool = False
    is_call: bool = False
    sends: bool = True
    client_params: tuple[str, ...] = ()
    client_position: int | None = None


class Tables(Struct, frozen=True):
    """Everything by the dotted name that code resolves to."""

    clients: Mapping[str, Client]
    settings: Mapping[str, Sdk]
    assignable: frozenset[str]
    http: Mapping[str, HttpClient]
    limits: Mapping[str, TimeLimit]
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


class Names(Struct, frozen=True):
    """The last parts of names by which calls are told apart cheaply, before anything is evaluated."""

    last: frozenset[str]
    methods: frozenset[str]
    distinctive: Mapping[str, tuple[str, ...]]  # a method's last part: the methods that end with it
    first_of: Mapping[str, str]  # a distinctive method: the SDK when only one has it


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
        assignable=frozenset(name for sdk in catalogue.sdks.values() for name in _assignable(sdk)),
        http=_http(catalogue),
        limits={name: limit for limit in catalogue.http.limits for name in limit.names},
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


@functools.lru_cache(maxsize=4)  # one table a catalogue, and a run has one catalogue
def names_of(catalogue: Catalogue) -> Names:
    """Take the last parts of all that is called out of a catalogue, once."""
    tables = tables_of(catalogue)
    last = {name.rpartition(".")[2] for name in (*tables.clients, *tables.http)}
    methods: set[str] = set()
    distinctive: dict[str, list[str]] = {}
    owners: dict[str, set[str]] = {}
    for sdk in catalogue.sdks.values():
        own = [made.methods for made in sdk.constructors if made.methods is not None]
        methods.update(name.rpartition(".")[2] for names in (sdk.methods, *own) for name in names)
        for name in sdk.distinctive:
            distinctive.setdefault(name.rpartition(".")[2], []).append(name)
            owners.setdefault(name, set()).add(sdk.id)
    return Names(
        frozenset(last | methods),
        frozenset(methods),
        {key: tuple(sorted(set(names), key=len, reverse=True)) for key, names in distinctive.items()},
        {name: next(iter(ids)) for name, ids in owners.items() if len(ids) == 1},
    )


def _assignable(sdk: Sdk) -> Iterator[str]:
    """The attributes of an SDK's modules that its users set."""
    yield from sdk.settings
    yield from sdk.base_url_settings
    for part in (sdk.timeout, sdk.retry):
        yield from part.settings if part is not None else ()
    yield from (item.setting for item in sdk.removed if item.setting)


def _clients(catalogue: Catalogue) -> dict[str, Client]:
    found: dict[str, Client] = {}
    for sdk in catalogue.sdks.values():
        for made in sdk.constructors:
            found.setdefault(made.name, _constructor(sdk, made))
        for call in sdk.calls:
            found.setdefault(call.name, _call(sdk, call))
    return found


def _http(catalogue: Catalogue) -> dict[str, HttpClient]:
    found: dict[str, HttpClient] = {}
    for client in catalogue.http.clients:
        methods = [f"{session}().{method}" for session in client.sessions for method in client.methods]
        for name in (*client.calls, *client.requests, *client.sessions, *methods):
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
        made.name,
        key_params=_own(made.key_params, sdk.key_params),
        key_position=_own(made.key_position, sdk.key_position),
        base_params=_own(made.base_url_params, sdk.base_url_params),
        base_position=_own(made.base_url_position, sdk.base_url_position),
        env=_own(made.env, sdk.env),
        env_base=_own(made.env_base_url, sdk.env_base_url),
        provider=made.provider or sdk.provider,
        base_default=_own(
            made.base_url_default, sdk.base_url_default if made.provider in {None, sdk.provider} else None
        ),
        methods=_own(made.methods, sdk.methods),
        model_params=_own(made.model_params, sdk.model_params),
        model_position=_own(made.model_position, sdk.model_position),
        timeout=_own(made.timeout, sdk.timeout),
        retry=_own(made.retry, sdk.retry),
        path=_own(made.path, sdk.path),
        is_async=made.is_async,
        sends=made.sends,
        client_params=made.client_params,
        client_position=made.client_position,
    )


def _call(sdk: Sdk, call: Call) -> Client:
    return Client(
        sdk,
        call.name,
        key_params=call.key_params,
        key_position=call.key_position,
        base_params=call.base_url_params,
        base_position=None,
        env=sdk.env,
        env_base=sdk.env_base_url,
        provider=call.provider or sdk.provider,
        base_default=sdk.base_url_default,
        model_params=_own(call.model_params, sdk.model_params),
        model_position=_own(call.model_position, sdk.model_position),
        timeout=_own(call.timeout, sdk.timeout),
        retry=_own(call.retry, sdk.retry),
        path=_own(call.path, sdk.path),
        is_async=call.is_async,
        is_call=True,
        sends=call.sends,
    )


def setting_of(sdk: Sdk) -> Client:
    """What an SDK's own module is when its key is set on it (`sdk.api_key = …`)."""
    return Client(
        sdk,
        sdk.imports[0],
        key_params=(),
        key_position=None,
        base_params=(),
        base_position=None,
        env=sdk.env,
        env_base=sdk.env_base_url,
        provider=sdk.provider,
        base_default=None,
        is_call=True,
    )


def _own(own: T | None, general: T) -> T:
    return general if own is None else own


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
