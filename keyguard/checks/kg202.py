"""KG202: the variable of one provider's key goes to a host of another one."""

from __future__ import annotations

from keyguard.checks.belonging import are_allied, is_relay, issuers, keys_in, owner_of
from keyguard.checks.env_file import settings
from keyguard.checks.literals import ENVIRON, environ
from keyguard.checks.patches import Patch, Replace, SetArgument
from keyguard.checks.spots import Spot
from keyguard.model import Hit, Safety
from keyguard.python import values as v
from keyguard.python.arguments import texts
from keyguard.python.credentials import FALLBACK, IMPLIED, NAMED, carried, reads_of, variables
from keyguard.python.module import walk
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keyguard.catalogue import Catalogue
    from keyguard.checks.facts import TextFacts
    from keyguard.checks.patches import Change
    from keyguard.knowledge import Provider
    from keyguard.python.credentials import Sent
    from keyguard.python.index import Node
    from keyguard.python.network import Connection, Host, Network


# What may be wrong is the variable alone; elsewhere it may be the host, or which of two keys is sent.
_ONE_WAY = frozenset({None, "relay", "relay-shared", "implied", "relay-implied"})


class _Way(NamedTuple):
    """A variable, whose it is, and where it goes; `is_second` when the host's own is sent first."""

    sent: Sent
    owner: Provider
    host: Host
    provider: Provider
    is_second: bool


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each variable and host that do not belong together, and for each key in a foreign variable."""
    sent = [(connection, tuple(variables(connection, network))) for connection in network.connections]
    at_home = frozenset(_at_home(sent, network.catalogue))
    for connection, names in sent:
        yield from _elsewhere(connection, names, at_home, network)
    yield from _misnamed(network)


def check_text(facts: TextFacts) -> Iterator[Hit]:
    """Yield one hit for each key in an env file that stands under another provider's variable."""
    if not facts.is_env or facts.is_encrypted:
        return
    found = list(settings(facts.source.text))
    bases = {item.name: item.value for item in found}
    for item in found:
        pair = _misfit(item.name, item.value, facts.catalogue)
        if pair is not None and not _is_base_of(pair[1], pair[0], bases, facts.catalogue):
            values = {"env": item.name, "owner": pair[0].id, "provider": pair[1].id}
            yield Hit("KG202", item.span, values, "wrong-variable", statement=f"{item.name}={pair[1].id}")


# -- variables at hosts -----------------------------------------------------------------------------------------------


def _elsewhere(
    connection: Connection, names: Iterable[Sent], at_home: frozenset[str], network: Network
) -> Iterator[Spot]:
    """The variables of a connection that go where they do not belong, each once."""
    hosts = connection.hosts
    if not hosts:
        return
    sent = [item for item in names if item.name not in network.env_writes]
    named = {item.name for item in sent if item.how == NAMED}
    if (len(hosts) > 1 or _is_open(connection)) and not _is_one(connection, named):
        return  # which key goes with which host is decided at run time
    seen: set[str] = set()
    for host in hosts:
        has_own = any(owner_of(name, host, connection, network.catalogue) is None for name in named)
        for item in sent:
            owner = owner_of(item.name, host, connection, network.catalogue)
            if owner is None or item.name in seen or host.provider is None:
                continue
            if item.how == IMPLIED and host.origin == "default":
                continue
            if item.how == NAMED and has_own and not _is_alternative(item):
                continue
            seen.add(item.name)
            yield _spot(_Way(item, owner, host, host.provider, is_second=has_own), connection, at_home)


def _is_open(connection: Connection) -> bool:
    """Tell whether the base URL may be another one than those that are known; one that has a fallback is known."""
    base = connection.base
    return base is not None and any(
        not isinstance(item, (v.Text, v.Joined, v.EnvRead)) for item in v.alternatives(base.value)
    )


def _is_one(connection: Connection, named: set[str]) -> bool:
    """Tell whether one and the same variable is sent whatever the host is."""
    key = connection.key
    return key is not None and len(named) == 1 and len(v.alternatives(key.value)) == 1


def _is_alternative(sent: Sent) -> bool:
    """Tell whether the code itself names a second variable for when the first is missing."""
    return type(sent.node).__name__ == "BooleanOperation"


def _spot(way: _Way, connection: Connection, at_home: frozenset[str]) -> Spot:
    sent, host, client = way.sent, way.host, connection.client
    values = {
        "env": sent.name,
        "owner": way.owner.id,
        "provider": way.provider.id,
        "host": host.name,
        "name": sent.instead_of or sent.name,
        "where": way.provider.variable,
        "param": client.key_params[0] if client is not None and client.key_params else "api_key",
    }
    related = ((sent.read, "read"),) if sent.read is not None else ()
    case = _case(way, connection, at_home)
    patch = _patch(way, connection) if case in _ONE_WAY else None
    return Spot("KG202", sent.node, values, case, f"{sent.name}>{host.name}", related, patch=patch)


def _patch(way: _Way, connection: Connection) -> Patch | None:
    """The host's own variable, passed explicitly: in the place of the read, or as the argument that is missing."""
    sent, client, name = way.sent, connection.client, way.provider.variable_of_calls
    if sent.how == IMPLIED:
        if client is None or not client.key_params or connection.key is not None or sent.node is not connection.node:
            return None
        change: Change = SetArgument(connection.node, client.key_params[0], environ(name))
    else:
        read = _read_within(sent.node, connection, sent.name)
        if read is None:
            return None
        change = Replace(read, environ(name))
    place = connection.key.place if connection.key is not None else connection.place
    return Patch("read-env", Safety.UNSAFE, (change,), {"new": name}, ENVIRON, place)


def _read_within(node: Node, connection: Connection, name: str) -> Node | None:
    """The expression that reads the variable where the key is given; the whole of what is given if it is the key."""
    reads = [read for value, given in carried(connection) if given is node for read in reads_of(value)]
    if len(reads) != 1 or reads[0].names != (name,):
        return None  # what else is read may be meant
    if reads[0].node is not None and any(one is reads[0].node for one in walk(node)):
        return reads[0].node
    # A header is put together from more than the key.
    return node if connection.http is None and type(node).__name__ in {"Name", "Attribute"} else None


def _case(way: _Way, connection: Connection, at_home: frozenset[str]) -> str | None:  # noqa: PLR0911  # one return a case
    if way.host.origin == "env" and connection.base is not None:
        return "unless-set"
    if way.sent.how == FALLBACK:
        return "fallback"
    if way.is_second:
        return "second"
    if way.host.origin == "default":
        return "default-host"
    if not is_relay(way.provider):
        return "implied" if way.sent.how == IMPLIED else None
    if way.sent.how == IMPLIED:
        return "relay-implied"
    return "relay-shared" if way.sent.name in at_home else "relay"


def _at_home(sent: Iterable[tuple[Connection, tuple[Sent, ...]]], catalogue: Catalogue) -> Iterator[str]:
    """The variables that the module also sends to their owners."""
    for connection, names in sent:
        hosts = {host.provider.id for host in connection.hosts if host.provider is not None}
        for item in names:
            if any(owner.id in hosts for owner in catalogue.providers_of_env(item.name)):
                yield item.name


# -- keys under a foreign variable ------------------------------------------------------------------------------------


def _misnamed(network: Network) -> Iterator[Spot]:
    """The variables that a module sets to a key of somebody else, unless it also talks to that one's host."""
    catalogue = network.catalogue
    bases = {name: text for name, written in network.env_writes.items() for one in written for text in texts(one.value)}
    homes = {host.provider.id for one in network.connections for host in one.hosts if host.provider is not None}
    for name, written in network.env_writes.items():
        for one in written:
            for text in texts(one.value):
                pair = _misfit(name, text, catalogue)
                if pair is None or pair[1].id in homes or _is_base_of(pair[1], pair[0], bases, catalogue):
                    continue
                values = {"env": name, "owner": pair[0].id, "provider": pair[1].id}
                yield Spot("KG202", one.node, values, "wrong-variable", f"{name}={pair[1].id}")


def _misfit(name: str, text: str, catalogue: Catalogue) -> tuple[Provider, Provider] | None:
    """Whose variable it is, and who issued the key in it, if they are not the same."""
    owners = catalogue.providers_of_env(name)
    if not owners:
        return None
    for key in keys_in(text, catalogue):
        found = issuers(key, catalogue)
        pairs = [(owner, issuer) for owner in owners for issuer in found]
        if pairs and not any(owner.kind == "gateway" or are_allied(owner, issuer) for owner, issuer in pairs):
            return pairs[0]
    return None


def _is_base_of(issuer: Provider, owner: Provider, settings: dict[str, str], catalogue: Catalogue) -> bool:
    """Tell whether the owner's base URL is set to a host of the issuer, or to one that nobody knows."""
    for name in owner.env_base_url:
        url = settings.get(name, "")
        if "//" in url:
            found = catalogue.provider_of_host(url.partition("//")[2].partition("/")[0].lower())
            if found is None or found.id == issuer.id or are_allied(found, issuer):
                return True
    return False
