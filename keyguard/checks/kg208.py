"""KG208: a variable that is not set becomes None or an empty text, and the request fails far from where it was read."""

from __future__ import annotations

from keyguard.checks.literals import ENVIRON, place_of
from keyguard.checks.patches import Patch, Replace
from keyguard.checks.spots import Spot
from keyguard.model import Safety
from keyguard.python import values as v
from keyguard.python.guards import is_looked_at
from keyguard.python.index import spell
from keyguard.python.supplied import credentials_of, is_set_again
from keyguard.python.tables import is_key_variable
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.index import Node
    from keyguard.python.network import Connection, Network

_PUT_TOGETHER = frozenset({"FormattedString", "ConcatenatedString", "Call", "BinaryOperation"})


class _Absent(NamedTuple):
    """A read that gives `None` or an empty text when its variable is not set."""

    read: v.EnvRead
    is_empty: bool

    @property
    def text(self) -> str:
        return "" if self.is_empty else "None"


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each read whose failure shows elsewhere."""
    if network.source.role == "test":
        return
    seen: set[object] = set()
    for spot in (*_in_texts(network), *_given(network)):
        if id(spot.node) not in seen:
            seen.add(id(spot.node))
            yield spot


def _absent(value: v.Value, network: Network) -> _Absent | None:
    """What a value is when its variable is not set; None when something else steps in, or an error tells it."""
    if isinstance(value, v.Sealed):
        value = value.value
    if not isinstance(value, v.EnvRead) or not value.names:
        return None
    missing = {reader.id: reader.missing for reader in network.catalogue.env_access.readers}.get(value.reader)
    if value.default is None or isinstance(value.default, v.Null):
        return _Absent(value, missing == "empty") if missing in {"none", "empty"} else None
    return _Absent(value, is_empty=True) if isinstance(value.default, v.Text) and not value.default.text else None


def _is_guarded(absent: _Absent, node: Node, network: Network) -> bool:
    if not network.guarded.isdisjoint(absent.read.names):
        return True
    read = absent.read.node
    reader = read.func if type(read).__name__ == "Call" else getattr(read, "value", None)
    return is_looked_at(node, network.tested, reader)


def _given(network: Network) -> Iterator[Spot]:
    """What a client or a header is given."""
    for connection in network.connections:
        if connection.is_local:
            continue
        for given in credentials_of(connection, network.catalogue):
            absent = _absent(given.value, network)
            if absent is None or is_set_again(given, network):
                continue
            case = _case(connection, absent)
            if case is None or _is_guarded(absent, given.node, network):
                continue
            yield _spot(absent, given.node, case, connection, network)


def _case(connection: Connection, absent: _Absent) -> str | None:
    """What happens without the variable: None when it is told at once, or is another rule's finding."""
    sdk = connection.sdk
    if sdk is None:
        return "header" if connection.http is not None else None
    if absent.is_empty:
        return "empty" if sdk.empty_key == "fails" else None
    if sdk.missing_key == "anonymous":
        return "anonymous"
    steps_in = sdk.missing_key == "fallback"
    own = not steps_in and not set(absent.read.names).isdisjoint(connection.implied)
    others = sdk.env_fallback if steps_in else connection.implied
    # Whose host is known is told by the rule about keys that are sent elsewhere.
    known = connection.base is None or any(host.provider is not None for host in connection.hosts)
    return "fallback" if others and not own and not known else None


def _spot(absent: _Absent, node: Node, case: str, connection: Connection, network: Network) -> Spot:
    sdk = connection.sdk
    other = next(iter((*(sdk.env_fallback if sdk is not None else ()), *connection.implied)), "")
    where = connection.hosts[0].name if connection.hosts else connection.name
    read = absent.read.node
    values = {"env": absent.read.names[0], "name": other, "where": where}
    # Without a key such a client does what it can: that may be wanted.
    patch = None if case == "anonymous" else _patch(absent, network)
    statement = f"{case}:{absent.read.names[0]}"
    return Spot("KG208", node if read is None else read, values, case, statement, patch=patch)


def _patch(absent: _Absent, network: Network) -> Patch | None:
    """`os.environ["X"]` in the place of `os.getenv("X")` and its like; the name stays as it is written."""
    read, names = absent.read.node, absent.read.names
    if type(read).__name__ != "Call" or len(names) != 1 or len(read.args) not in {1, 2}:
        return None
    argument = read.args[0]
    if argument.star or argument.keyword is not None or type(argument.value).__name__ != "SimpleString":
        return None
    spelled, wants = spell(read.func), {}
    if spelled.endswith("environ.get"):
        table = spelled.removesuffix(".get")
    elif spelled.endswith(".getenv"):
        table = f"{spelled.removesuffix('.getenv')}.environ"
    elif spelled == "getenv":
        table, wants = "<environ>", ENVIRON
    else:
        return None
    change = Replace(read, f"{table}[{argument.value.value}]")
    return Patch("raise", Safety.UNSAFE, (change,), {"new": names[0]}, wants, place_of(read, network))


def _in_texts(network: Network) -> Iterator[Spot]:
    """A header's scheme and a variable in one text: without the variable it is `Bearer None`."""
    schemes = tuple(f"{scheme.lower()} " for scheme in network.catalogue.words.schemes)
    for use in network.index.composites:
        kind = type(use.node).__name__
        if kind not in _PUT_TOGETHER or (kind == "BinaryOperation" and type(use.node.operator).__name__ == "Add"):
            continue
        value = network.evaluator.value(use.node, use.place)
        parts = [part for part in value.parts if getattr(part, "text", "…")] if isinstance(value, v.Joined) else []
        if len(parts) != 2:  # noqa: PLR2004  # the scheme and the variable
            continue
        first, second = parts
        absent = _absent(second, network)
        if absent is None or not isinstance(first, v.Text) or not first.text.lower().endswith(schemes):
            continue
        names = absent.read.names
        if not any(is_key_variable(name, network.catalogue) for name in names):
            continue
        if not _is_guarded(absent, use.node, network):
            read = absent.read.node
            values = {"env": names[0], "name": f"{first.text}{absent.text}".strip(), "where": ""}
            where = use.node if read is None else read
            yield Spot("KG208", where, values, "text", f"text:{names[0]}", patch=_patch(absent, network))
