"""KG206: a base URL from which the client makes an address where nothing answers."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from keyguard.checks.spots import Spot
from keyguard.python import values as v
from keyguard.python.arguments import written
from keyguard.python.hosts import is_local_host, split_host, urls_of
from keyguard.python.supplied import connections_of, is_set_again
from keyguard.versions import before

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import BasePath, Provider
    from keyguard.python.arguments import Given
    from keyguard.python.network import Connection, Host, Network

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_MISTYPED = re.compile(r"(?:https?|htps|htpps|htttps|ttps)(?:[:;/]|\b)", re.IGNORECASE)
_TWO_SCHEMES = re.compile(r"https?:/{0,2}https?:", re.IGNORECASE)
_HOST_LIKE = re.compile(
    r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?::\d{1,5})?(?:/\S*)?$|localhost:\d{1,5}(?:/\S*)?$"
)
_TWICE = re.compile(r"(/v\d[a-z0-9]{0,5})\1(?:/|$)")


class _Base(NamedTuple):
    """One base URL as it is written, and where it is given."""

    url: str
    given: Given
    value: v.Value
    setting: str = ""


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each base URL that cannot be right for its client."""
    seen: set[int] = set()
    for connection in connections_of(network):
        for base in _bases(connection, network):
            spot = _raw(base, connection) if connection.http is not None else _judged(base, connection, network)
            if spot is not None and id(spot.node) not in seen:
                seen.add(id(spot.node))
                yield spot


def _bases(connection: Connection, network: Network) -> Iterator[_Base]:
    """The URLs a connection's base may be, with the setting or variable they come through."""
    given = connection.base
    if given is not None:
        if is_set_again(given, network):
            return
        setting = next(
            (name for name, items in network.settings.items() if any(item.node is given.node for item in items)), ""
        )
        if not _is_ignored(setting, connection, network):
            yield from _urls(given, setting)
    elif connection.client is not None and connection.hosts and connection.hosts[0].origin == "env":
        for name in connection.client.env_base:
            items = network.env_writes.get(name, ())
            if len(items) == 1:
                yield from _urls(items[0], "")


def _is_ignored(setting: str, connection: Connection, network: Network) -> bool:
    """Tell whether nobody reads a setting any more: what it is set to does not matter then."""
    sdk = connection.sdk
    version = network.versions.get(sdk.package) if sdk is not None else None
    return sdk is not None and any(
        setting and item.setting == setting and (version is None or not before(version, item.since))
        for item in sdk.removed
    )


def _urls(given: Given, setting: str) -> Iterator[_Base]:
    for item in v.alternatives(given.value):
        inner = item.default if isinstance(item, v.EnvRead) and item.default is not None else item
        if isinstance(inner, v.Text):
            yield _Base(inner.text, given, inner, setting)
        else:
            for url, _ in urls_of(inner):
                yield _Base(url, given, inner, setting)


def _spot(base: _Base, case: str, network_values: Mapping[str, str]) -> Spot:
    values = {"name": _shown(base.url), **network_values}
    return Spot("KG206", written(base.given, base.value), values, case, statement=f"{case}:{_shown(base.url)}")


def _shown(url: str) -> str:
    """The URL without what may be secret in it."""
    plain = url.strip().partition("?")[0]
    return re.sub(r"//[^/@]{1,200}@", "//", plain)[:80]


def _raw(base: _Base, connection: Connection) -> Spot | None:
    """Judge the URL of a raw request: what its text alone tells."""
    if not base.url.strip() or base.url.startswith("{}"):
        return None
    twice = _TWICE.search(path_of(base.url))
    if twice is not None and connection.hosts and connection.hosts[0].provider is not None:
        return _spot(
            base, "doubled", {"where": twice[1] * 2, "instead": _shown(base.url.replace(twice[1] * 2, twice[1]))}
        )
    return None


def path_of(url: str) -> str:
    """The path of a URL; empty for what is no URL."""
    try:
        return urlsplit(url.strip()).path
    except ValueError:
        return ""


def _judged(base: _Base, connection: Connection, network: Network) -> Spot | None:  # noqa: PLR0911  # one return a fault
    path = _facts(connection)
    if path is None:
        return None
    url = base.url
    if not url.strip():
        is_plain = isinstance(base.value, v.Text)
        return _spot(base, "empty", {"instead": _default(connection)}) if is_plain and path.empty == "fails" else None
    if any(map(str.isspace, url)) and not url.strip().startswith("<"):
        return _spot(base, "space", {"instead": _shown("".join(url.split()))})
    spot = _scheme(base, path)
    if spot is not None:
        return spot
    host = _host(connection, url)
    if host is not None:
        owner = network.catalogue.foreign_hosts.get(host.name)
        if owner is not None and host.provider is None:
            right = _right(network.catalogue.providers[owner], path, network.catalogue)
            return _spot(base, "foreign", {"where": host.name, "provider": owner, "instead": right})
    if path.params and base.given.name not in path.params:
        return None
    return _path(base, path, host, connection, network)


def _facts(connection: Connection) -> BasePath | None:
    client, sdk = connection.client, connection.sdk
    if client is None or sdk is None:
        return None
    return client.path if client.path is not client.sdk.path else sdk.path


def _default(connection: Connection) -> str:
    return (connection.client.base_default if connection.client is not None else "") or ""


def _host(connection: Connection, url: str) -> Host | None:
    return next((host for host in connection.hosts if host.url == url), None)


def _scheme(base: _Base, path: BasePath) -> Spot | None:
    url = base.url.strip()
    if _TWO_SCHEMES.match(url):
        return _spot(base, "scheme", {"instead": _shown(url[url.index(":", 6) - 5 :].lstrip(":/"))})
    has_scheme = _SCHEME.match(url) is not None
    if not path.scheme:
        return _spot(base, "bare-host", {"instead": split_host(url)}) if has_scheme else None
    if has_scheme or path.bare or "{}" in url.partition("/")[0]:
        return None
    if _MISTYPED.match(url):
        rest = re.sub(r"^[A-Za-z]+[:;/]*", "", url)
        return _spot(base, "scheme", {"instead": f"https://{_shown(rest)}"})
    if _HOST_LIKE.match(url):
        scheme = "http" if is_local_host(split_host(url)) else "https"
        return _spot(base, "scheme", {"instead": f"{scheme}://{_shown(url)}"})
    return None


def _path(base: _Base, path: BasePath, host: Host | None, connection: Connection, network: Network) -> Spot | None:
    """Judge the path of a base URL: what the client adds must not be there, and what it does not add must."""
    here = path_of(base.url).rstrip("/")
    chosen = connection.arguments is not None and connection.arguments.get(path.version_params) is not None
    ending = next((end for end in sorted(path.doubled, key=len, reverse=True) if here.endswith(end)), None)
    if ending is not None and not chosen:
        url = base.url.strip().partition("?")[0].rstrip("/")
        instead = url.removesuffix(ending)
        right = _right(host.provider, path, network.catalogue, host) if host is not None and host.provider else ""
        return _spot(base, "doubled", {"where": f"{here}{path.appended}", "instead": right or _shown(instead)})
    if host is not None and host.provider is not None and not chosen:
        bases = _known_bases(host, path, network.catalogue)
        if _is_wrong(here, host, bases, path, network.catalogue):
            right = _right(host.provider, path, network.catalogue, host)
            where = f"{here}{path.appended}" if here else path.appended
            return _spot(base, "path", {"where": where, "instead": right, "provider": host.provider.id})
    # A URL without any path has the slash of its root.
    is_joined_blindly = bool(here) and (base.setting in path.slash_settings or path.slash)
    if is_joined_blindly and not base.url.strip().endswith("/") and "?" not in base.url:
        joined = f"{here}{path.appended.lstrip('/')}"
        return _spot(base, "slash", {"where": joined, "instead": f"{_shown(base.url)}/"})
    return None


@functools.lru_cache(maxsize=4)  # one table a catalogue, and a run has one catalogue
def _protocols(catalogue: Catalogue) -> Mapping[str, str]:
    """The kind of base URL, as providers list them, that belongs to what a client appends."""
    kinds = {kind for provider in catalogue.providers.values() for kind in provider.base_urls}
    found: dict[str, str] = {}
    for sdk in catalogue.sdks.values():
        if sdk.path is not None and sdk.path.appended and sdk.provider in kinds:
            found.setdefault(sdk.path.appended, sdk.provider)
    return found


@functools.lru_cache(maxsize=4)  # one table a catalogue, and a run has one catalogue
def _habits(catalogue: Catalogue) -> frozenset[str]:
    """The paths under which some provider answers: what people append to another's host out of habit."""
    urls = (url for item in catalogue.providers.values() for urls in item.base_urls.values() for url in urls)
    return frozenset(path_of(url).rstrip("/") for url in urls if "{" not in url)


def _known_bases(host: Host, path: BasePath, catalogue: Catalogue) -> tuple[str, ...]:
    """The paths under which a host is known to answer a client; those of its provider's other hosts for want of own."""
    kind = _protocols(catalogue).get(path.appended)
    provider = host.provider
    if kind is None or provider is None or not provider.curated:
        return ()
    listed = [
        url for key, urls in provider.base_urls.items() if key == kind or key.startswith(f"{kind}_") for url in urls
    ]
    own = [url for url in listed if split_host(url) == host.name]
    return tuple(path_of(url).rstrip("/") for url in own or listed)


def _is_wrong(here: str, host: Host, bases: tuple[str, ...], path: BasePath, catalogue: Catalogue) -> bool:
    """Tell whether a path is none of those that a host answers under, and known to be wrong rather than unknown."""
    provider = host.provider
    if not bases or provider is None or here in bases or any("{" in item or "<" in item for item in bases):
        return False
    kind = _protocols(catalogue)[path.appended]
    foreign = {
        path_of(url).rstrip("/")
        for key, urls in provider.base_urls.items()
        if key != kind and not key.startswith(f"{kind}_")
        for url in urls
        if split_host(url) == host.name
    }
    if here in foreign:
        return True
    if host.is_local:
        return False
    return not here or (here in _habits(catalogue) and provider.required_path is not None)


def _right(provider: Provider, path: BasePath, catalogue: Catalogue, host: Host | None = None) -> str:
    """The base URL of a provider for what a client appends, at the same host if there is one."""
    kind = _protocols(catalogue).get(path.appended)
    urls = provider.base_urls.get(kind, ()) if kind is not None else ()
    same = [url for url in urls if host is not None and split_host(url) == host.name]
    return next(iter((*same, *urls)), "")
