"""KG205: a key that cannot work as it is written: cut, mistyped, expired, or with something around it."""

from __future__ import annotations

import unicodedata

from keyguard.checks.literals import code_of
from keyguard.checks.patches import Patch, Replace, Wrap
from keyguard.checks.spots import Spot
from keyguard.model import Safety, Secret
from keyguard.python import values as v
from keyguard.python.arguments import Given, names_read, written
from keyguard.python.module import walk
from keyguard.python.supplied import connections_of, credentials_of, is_set_again
from keyguard.python.tables import is_key_variable
from keyguard.secrets.identify import identify
from keyguard.secrets.placeholders import is_placeholder, looks_random, mask, public_prefix
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.index import Node
    from keyguard.python.network import Connection, Network
    from keyguard.secrets.identify import Candidate

# What is wrong around a key, as `identify` calls it, and the case of the rule that says it.
_AROUND = {
    "space": "space",
    "space-inside": "space-inside",
    "quotes": "quotes",
    "sign": "quotes",
    "assignment": "assignment",
    "scheme": "scheme",
    "full-width": "characters",
    "invisible": "characters",
    "dashes": "characters",
}
# What is wrong with the key itself; the other flaws that `identify` knows are told by forms that providers change.
_INSIDE = {"cut": "cut", "cut-least": "cut", "checksum": "checksum", "test": "checksum", "expired": "expired"}
_SHORTEST_TELLING = 3  # characters of a prefix that many providers share (`sk-`)
_ISSUED = "eyJ"  # begins tokens that are issued for an hour and stand in for a key
_LEAST_UNKNOWN = 20  # characters of a text without a prefix that is a key all the same


class _Use(NamedTuple):
    """A value given as a key, and what takes it: `in_header` with the scheme that belongs there."""

    given: Given
    connection: Connection | None
    env: str = ""
    in_header: bool = False


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each key with a flaw, and for each that is read from a file with its line end."""
    if network.source.role == "test":
        return
    seen: set[int] = set()
    for use in _uses(network):
        for spot in _flaws(use, network):
            if id(spot.node) not in seen:
                seen.add(id(spot.node))
                yield spot


def _uses(network: Network) -> Iterator[_Use]:
    for connection in connections_of(network):
        for given in credentials_of(connection, network.catalogue):
            if not is_set_again(given, network):
                yield _Use(given, connection, in_header=connection.http is not None)
    for env, items in network.env_writes.items():
        if is_key_variable(env, network.catalogue):
            readers = [item for item in network.connections if env in item.key_names]
            for given in items:
                yield _Use(given, readers[0] if len(readers) == 1 else None, env)


def _flaws(use: _Use, network: Network) -> Iterator[Spot]:
    for item in v.alternatives(use.given.value):
        value = item.value if isinstance(item, v.Sealed) else item
        if isinstance(value, v.Instance):
            if value.name in network.catalogue.env_access.file_reads and not _forgives(use, "space"):
                node = _read_at(use, value)
                patch = Patch("strip", Safety.SAFE, (Wrap(node, "", ".strip()"),)) if node is not None else None
                yield _spot(use, node, "file", value.name, patch=patch)
            continue
        if isinstance(value, v.EnvRead) and value.default is not None:
            value = value.default
        if isinstance(value, v.Text):
            yield from _flawed_text(use, value, network)
        elif isinstance(value, v.Joined) and _adds_scheme(use, value, network):
            masked = next(iter(_variables(value)), "…")
            yield _spot(use, use.given.node, "scheme", "", masked, _without_scheme(use, value))


def _read_at(use: _Use, value: v.Instance) -> Node:
    """Where the key's text is without its end: what a function reads is the key only where it is given as one."""
    place = value.place
    is_far = place is not None and place.scope.kind == "function" and place.scope is not use.given.place.scope
    return use.given.node if is_far else value.node


def _flawed_text(use: _Use, value: v.Text, network: Network) -> Iterator[Spot]:
    text = value.text
    if use.in_header:
        text = _after_scheme(text, network)
    name = use.env or next(iter(names_read(use.given.value)), "")
    found = identify(text, network.catalogue, name=name or _variable_of(use))
    owners = _owners(use)
    candidates = [item for item in found.candidates if not owners or item.provider.id in owners]
    candidate = candidates[0] if candidates else None
    if candidate is None:
        yield from _without_prefix(use, value, network) if not found.candidates else ()
        return
    for flaw in candidate.flaws:
        case = _AROUND.get(flaw.name) or (_INSIDE.get(flaw.name) if _is_sure(candidate, text) else None)
        if case is None or (use.in_header and case == "scheme") or _forgives(use, case) or _is_made_up(text, network):
            continue
        secret = text.strip()
        yield Spot(
            "KG205",
            written(use.given, value),
            {
                "provider": candidate.provider.id,
                "masked": mask(text, candidate.shape),
                "env": name or candidate.provider.variable,
                "since": str(flaw.values.get("date", "")),
                "name": str(flaw.values.get("count", "")),
            },
            case,
            secret=Secret(secret, candidate.provider.id),
        )
        return


def _without_prefix(use: _Use, value: v.Text, network: Network) -> Iterator[Spot]:
    """A random text at a host that issues only keys with a prefix: the prefix was left out when it was copied."""
    text = value.text.strip()
    host = use.connection.host if use.connection is not None else None
    provider = host.provider if host is not None and host.route == "official" else None
    if provider is None or not provider.curated or len(text) < _LEAST_UNKNOWN or not _is_random(text, network):
        return
    shapes = [shape for shape in provider.shapes if shape.secret and not shape.malformed]
    prefixes = tuple({prefix for shape in shapes for prefix in shape.prefixes})
    if not shapes or not all(shape.prefixes for shape in shapes) or text.startswith((*prefixes, _ISSUED)):
        return
    values = {
        "provider": provider.id,
        "masked": mask(text),
        "env": provider.variable,
        "name": _shared(prefixes) or shapes[0].prefixes[0],
    }
    yield Spot("KG205", written(use.given, value), values, "prefix", secret=Secret(text, provider.id))


def _shared(texts: tuple[str, ...]) -> str:
    """What all of the texts begin with."""
    first, last = min(texts), max(texts)
    size = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:size]


def _is_random(text: str, network: Network) -> bool:
    """Tell whether dice made a text: letters in both cases and digits, and nothing that stands in for a key."""
    kinds = (str.isupper, str.islower, str.isdigit)
    return all(any(map(kind, text)) for kind in kinds) and looks_random(text) and not _is_made_up(text, network)


def _is_made_up(text: str, network: Network) -> bool:
    """Tell whether the text is a placeholder, whatever stray characters stand in it."""
    plain = "".join(char for char in unicodedata.normalize("NFKC", text) if char.isascii() and not char.isspace())
    return is_placeholder(plain, network.catalogue)


def _is_sure(candidate: Candidate, text: str) -> bool:
    """Tell whether the form alone says whose the key is, and enough of it is there to be one."""
    shape = candidate.shape
    if shape is None or shape.needs_context or shape.often_public:
        return False
    prefix = public_prefix(text.strip(), shape)
    body = text.strip()[len(prefix) :]
    return len(prefix) > _SHORTEST_TELLING and looks_random(body) and sum(map(str.isdigit, body)) > 1


def _owners(use: _Use) -> frozenset[str]:
    """Whose key it must be: the host's; empty when nobody knows."""
    hosts = use.connection.hosts if use.connection is not None else ()
    return frozenset(host.provider.id for host in hosts if host.provider is not None and host.route == "official")


def _variable_of(use: _Use) -> str:
    return use.connection.implied[0] if use.connection is not None and use.connection.implied else ""


def _forgives(use: _Use, what: str) -> bool:
    sdk = use.connection.sdk if use.connection is not None else None
    return sdk is not None and what in sdk.forgives


def _after_scheme(text: str, network: Network) -> str:
    """A header's value without its scheme: one space belongs between them."""
    for scheme in network.catalogue.words.schemes:
        if text[: len(scheme) + 1].lower() == f"{scheme.lower()} ":
            return text[len(scheme) + 1 :]
    return text


def _adds_scheme(use: _Use, value: v.Joined, network: Network) -> bool:
    """Tell whether a client is given a header's scheme and then a variable that holds a key."""
    first = value.parts[0]
    if use.in_header or _forgives(use, "scheme"):
        return False
    if not isinstance(first, v.Text) or len(value.parts) != 2:  # noqa: PLR2004  # the scheme and the variable
        return False
    schemes = {scheme.lower() for scheme in network.catalogue.words.schemes}
    return first.text.strip().lower() in schemes and any(
        is_key_variable(name, network.catalogue) for name in _variables(value)
    )


def _variables(value: v.Joined) -> Iterator[str]:
    for part in value.parts:
        yield from names_read(part)


def _without_scheme(use: _Use, value: v.Joined) -> Patch | None:
    """The read alone, where scheme and read stand together in what is given."""
    read = value.parts[1].node if isinstance(value.parts[1], v.EnvRead) else None
    first = value.parts[0]
    old = first.text.strip() if isinstance(first, v.Text) else ""
    if read is None or not any(one is read for one in walk(use.given.node)):
        return None
    kind = type(use.given.node).__name__
    # In a string of Python before 3.12 its quotes are others than outside, so that it can move out as it is.
    if kind not in {"FormattedString", "BinaryOperation"} or not _is_bare(use.given.node, read):
        return None
    return Patch("scheme", Safety.SAFE, (Replace(use.given.node, code_of(read)),), {"old": old})


def _is_bare(node: Node, read: Node) -> bool:
    """Tell whether an expression is a text and a read, and nothing is done to either."""
    if type(node).__name__ == "BinaryOperation":
        return node.right is read and type(node.left).__name__ == "SimpleString"
    return all(
        type(part).__name__ == "FormattedStringText"
        or (part.expression is read and part.conversion is None and part.format_spec is None)
        for part in node.parts
    )


def _spot(  # noqa: PLR0913, PLR0917  # one word for each thing that is told
    use: _Use, node: object, case: str, statement: str, masked: str = "", patch: Patch | None = None
) -> Spot:
    where = use.connection.name if use.connection is not None else use.env
    values = {"masked": masked, "env": use.env, "name": use.given.name or "api_key", "where": where}
    return Spot(
        "KG205",
        node if node is not None else use.given.node,
        values,
        case,
        statement=f"{where}:{case}:{statement}",
        patch=patch,
    )
