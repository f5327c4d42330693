"""KG204: a placeholder is given as the key of a model API, or as the value of a variable that holds one."""

from __future__ import annotations

from keyguard.checks.literals import ENVIRON, body_of, environ, leaf_of, quote_of
from keyguard.checks.patches import Patch, Replace
from keyguard.checks.spots import Spot
from keyguard.model import Safety
from keyguard.python import values as v
from keyguard.python.arguments import names_read, written
from keyguard.python.supplied import connections_of, credentials_of, is_set_again
from keyguard.python.tables import is_key_variable
from keyguard.secrets.placeholders import asks_for_key, is_local_value, is_placeholder
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.arguments import Given
    from keyguard.python.index import Node, Place
    from keyguard.python.network import Connection, Network

_LONGEST_SHOWN = 40  # characters of a placeholder that a message quotes


class _Found(NamedTuple):
    """A placeholder: its text, the value it is, and the variable whose fallback it is."""

    text: str
    value: v.Value
    env: str = ""


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each placeholder that code gives where a key belongs."""
    if network.source.role != "code":
        return
    seen: set[int] = set()
    for spot in (*_given(network), *_written_to_environment(network)):
        if id(spot.node) not in seen:
            seen.add(id(spot.node))
            yield spot


def _given(network: Network) -> Iterator[Spot]:
    """Placeholders that a client or a request is given."""
    for connection in connections_of(network):
        for given in credentials_of(connection, network.catalogue):
            found = _placeholder(given, network)
            if found is None or not _reaches_a_judge(connection, found.text, network):
                continue
            if is_set_again(given, network) or found.text in network.tested:
                continue
            is_name = _is_name(found.text, network)
            case = "variable-name" if is_name else "fallback" if found.env else None
            env = found.env or (found.text if is_name else _variable(connection))
            yield Spot(
                "KG204",
                written(given, found.value),
                {"name": _shown(found.text), "where": _where(connection), "env": env},
                case,
                statement=f"{connection.name}({given.name}={found.text})",
                patch=_patch(given, found, env, network),
            )


def _variable(connection: Connection) -> str:
    """The variable that belongs to where the key is sent; empty when nobody knows."""
    host = connection.host
    if host is not None and host.provider is not None:
        return host.provider.variable_of_calls
    return connection.implied[0] if connection.implied and not connection.hosts and connection.base is None else ""


def _patch(given: Given, found: _Found, env: str, network: Network) -> Patch | None:
    """A read of the environment in the literal's place, where it is given or where its one name gets its value.

    What a class or a function has for a default is read when the module is imported, and another key may be meant.
    """
    leaf = leaf_of(found.value) if isinstance(found.value, v.Text) else None
    if leaf is None or not env:
        return None
    node, place = leaf, given.place
    if found.env and type(given.node).__name__ == "Call" and any(item.value is leaf for item in given.node.args):
        node = given.node  # without a fallback a read tells that the variable is missing
    elif found.env:
        return None
    elif given.node is not leaf:
        home = _assigned(given, leaf, network)
        if home is None:
            return None
        place = home
    body = body_of(leaf) or ""
    scheme = body[: len(body) - len(_bare(body, network))]
    quote, other = quote_of(leaf), "'" if quote_of(leaf) == '"' else '"'
    if scheme.strip():
        if not body.startswith(scheme) or "{" in body or "}" in body:
            return None
        text = f"f{quote}{scheme}{{{environ(env, other)}}}{quote}"
    else:
        text = environ(env, quote)
    return Patch("read-env", Safety.SAFE, (Replace(node, text),), {"new": env}, ENVIRON, place)


def _entries(node: Node) -> list[Node]:
    """The values of a dict display."""
    if type(node).__name__ != "Dict":
        return []
    return [element.value for element in node.elements if type(element).__name__ == "DictElement"]


def _assigned(given: Given, leaf: Node, network: Network) -> Place | None:
    """Where a literal is the one value of a name or of its table, outside of classes; None where it is not."""
    name = given.node.value if type(given.node).__name__ == "Name" else None
    found = network.evaluator.bindings(name, given.place) or [] if name is not None else []
    if len(found) == 1 and found[0].kind == "assign" and (found[0].node is leaf or leaf in _entries(found[0].node)):
        return found[0].place if found[0].place.scope.kind != "class" else None
    return None


def _placeholder(given: Given, network: Network) -> _Found | None:
    """The placeholder a value is, or is unless a variable is set."""
    env = next(iter(names_read(given.value)), "")
    items = v.alternatives(given.value)
    if any(isinstance(item, v.Unknown) for item in items):
        return None
    for item in items:
        inner = item.value if isinstance(item, v.Sealed) else item
        if isinstance(inner, v.EnvRead) and inner.default is not None:
            inner = inner.default
        elif not isinstance(inner, v.Text):
            continue
        if not isinstance(inner, v.Text) or not inner.text.strip():
            continue
        text = _bare(inner.text, network)
        if not text:
            continue
        is_name = _is_name(text, network)
        if _is_reference(text, network) or not (is_name or is_placeholder(text, network.catalogue)):
            continue
        if len(items) == 1 or is_name or asks_for_key(text, network.catalogue):
            return _Found(text, inner, env)
    return None


def _bare(text: str, network: Network) -> str:
    """The text without the scheme of a header."""
    scheme, space, rest = text.strip().partition(" ")
    schemes = {name.lower() for name in network.catalogue.words.schemes}
    if scheme.lower() in schemes:
        return rest.strip() if space else ""  # with nothing behind it, the key is put there elsewhere
    return text.strip()


def _is_reference(text: str, network: Network) -> bool:
    return text.lower().startswith(network.catalogue.placeholders.references)


def _is_name(text: str, network: Network) -> bool:
    return (
        text.isupper()
        and text.isidentifier()
        and is_key_variable(text, network.catalogue)
        and not asks_for_key(text, network.catalogue)
    )


def _reaches_a_judge(connection: Connection, text: str, network: Network) -> bool:
    """Tell whether the text goes to a host that looks at keys; what one's own server takes is not known."""
    asks = asks_for_key(text, network.catalogue) or _is_name(text, network)
    if not connection.hosts:
        # A base that is written out and names no host is a placeholder itself.
        return asks and connection.base is not None and isinstance(connection.base.value, v.Text)
    if any(host.is_local for host in connection.hosts):
        return False
    if asks:
        return True
    if any(host.route in {"unknown", "own"} or host.origin == "default" for host in connection.hosts):
        return False
    arguments, sdk = connection.arguments, connection.sdk
    if arguments is not None and sdk is not None and arguments.get((*sdk.header_params, *sdk.http_params)) is not None:
        return False  # the key may travel in a header of their own
    return not is_local_value(text, network.catalogue) or all(host.provider for host in connection.hosts)


def _written_to_environment(network: Network) -> Iterator[Spot]:
    """Placeholders that become the value of a variable from which a key is read."""
    for env, items in network.env_writes.items():
        if not network.catalogue.providers_of_env(env) and not _readers(env, network):
            continue
        readers = _readers(env, network)
        if readers and all(not item.hosts or any(host.is_local for host in item.hosts) for item in readers):
            continue
        for given in items:
            value = given.value
            if not isinstance(value, v.Text) or not value.text.strip() or len(items) > 1:
                continue
            text = value.text.strip()
            if not asks_for_key(text, network.catalogue) or text in network.tested:
                continue
            yield Spot(
                "KG204",
                written(given, value),
                {"name": _shown(text), "env": env, "where": ""},
                "variable",
                statement=f"{env}={text}",
            )


def _readers(env: str, network: Network) -> list[Connection]:
    return [item for item in network.connections if env in (item.key_names or item.implied)]


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _where(connection: Connection) -> str:
    return connection.hosts[0].name if connection.hosts else connection.name
