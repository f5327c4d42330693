"""KG206: a base URL from which the client makes an address where nothing answers."""

from __future__ import annotations

from keyguard.checks.bases import Asked, Fault, fault_of, path_of, shown
from keyguard.checks.literals import leaf_of, respelled
from keyguard.checks.patches import Patch, Replace
from keyguard.checks.spots import Spot
from keyguard.model import Safety
from keyguard.patterns import regex
from keyguard.python import values as v
from keyguard.python.arguments import written
from keyguard.python.guards import is_looked_at
from keyguard.python.hosts import urls_of
from keyguard.python.supplied import connections_of, is_set_again
from keyguard.typed import TYPE_CHECKING, NamedTuple
from keyguard.versions import before

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.knowledge import BasePath
    from keyguard.python.arguments import Given
    from keyguard.python.network import Connection, Host, Network

_PLACEHOLDER = regex(r"[{}<>…\s]")
_TWICE = regex(r"(/v\d[a-z0-9]{0,5})\1(?:/|$)")


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
            spot = (
                _raw(base, connection, network) if connection.http is not None else _judged(base, connection, network)
            )
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


def _spot(base: _Base, fault: Fault) -> Spot:
    values = {"name": shown(base.url), "instead": fault.instead, "where": fault.where}
    if fault.provider:
        values["provider"] = fault.provider
    node = written(base.given, base.value)
    statement = f"{fault.case}:{shown(base.url)}"
    return Spot("KG206", node, values, fault.case, statement, patch=_patch(base, fault.instead))


def _patch(base: _Base, instead: str) -> Patch | None:
    """The right URL between the quotes of the literal; none where it is put together or holds more than is shown."""
    leaf = leaf_of(base.value) if isinstance(base.value, v.Text) else None
    if leaf is None or not instead or _PLACEHOLDER.search(instead) or (shown(base.url) != base.url.strip()):
        return None
    new = respelled(leaf, instead)
    return None if new is None else Patch("url", Safety.UNSAFE, (Replace(leaf, new),), {"new": instead})


def _raw(base: _Base, connection: Connection, network: Network) -> Spot | None:
    """Judge the URL of a raw request: what its text alone tells."""
    if not base.url.strip() or base.url.startswith("{}"):
        return None
    twice = _TWICE.search(path_of(base.url))
    if twice is not None and connection.hosts and connection.hosts[0].provider is not None:
        if not isinstance(base.value, v.Text) and "endswith" in network.tested:
            return None  # what is put together depends on how its first part ends
        doubled = twice[1] * 2
        return _spot(base, Fault("doubled", shown(base.url.replace(doubled, twice[1])), doubled))
    return None


def _judged(base: _Base, connection: Connection, network: Network) -> Spot | None:
    path = _facts(connection)
    if path is None:
        return None
    asked = Asked(
        path,
        host=_host(connection, base.url),
        name=base.given.name,
        is_joined_blindly=base.setting in path.slash_settings,
        chosen=connection.arguments is not None and connection.arguments.get(path.version_params) is not None,
        default=_default(connection),
    )
    if _is_for_another(base, connection, asked.host):
        return None
    fault = fault_of(base.url, asked, network.catalogue)
    if fault is None or (fault.case == "empty" and not _is_always(base, network)):
        return None
    return _spot(base, fault)


def _is_for_another(base: _Base, connection: Connection, host: Host | None) -> bool:
    """Tell whether one of several URLs is for another client: what chooses among them chooses the client, too.

    Only a client with base URLs of its own form, such as one for a cloud, tells that a URL is not meant for it.
    """
    client = connection.client
    if client is None or client.path is client.sdk.path or not isinstance(base.given.value, v.OneOf):
        return False
    return host is not None and host.provider is not None and host.provider.id != client.provider


def _is_always(base: _Base, network: Network) -> bool:
    """Tell whether a text is all that is ever given: an empty one is often where a value starts, or is asked for."""
    leaf = leaf_of(base.value) if isinstance(base.value, v.Text) else None
    if base.given.value is not base.value or is_looked_at(base.given.node, network.tested):
        return False
    # A default of a class that another module has is set here, or by whoever makes the object.
    return leaf is not None and any(use.node is leaf for use in network.index.strings)


def _facts(connection: Connection) -> BasePath | None:
    client, sdk = connection.client, connection.sdk
    if client is None or sdk is None:
        return None
    return client.path if client.path is not client.sdk.path else sdk.path


def _default(connection: Connection) -> str:
    return (connection.client.base_default if connection.client is not None else "") or ""


def _host(connection: Connection, url: str) -> Host | None:
    return next((host for host in connection.hosts if host.url == url), None)
