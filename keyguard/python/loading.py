"""What a module reads from the environment before it loads the variables from a file."""

from __future__ import annotations

from keyguard.python import values as v
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.index import Node, Place
    from keyguard.python.network import Network

_AT_IMPORT = frozenset({"module", "class", "comprehension"})  # scopes whose code runs when the module is imported


class EarlyRead(NamedTuple):
    """Variables that are read before `load` fills the environment; `kind` is read, import, client or package."""

    kind: str
    names: tuple[str, ...]
    node: Node
    load: Node


def early_reads(network: Network) -> Iterator[EarlyRead]:
    """Every read of a module's own code, of what it imports, and of what it makes, that comes before the load."""
    loaders = set(network.catalogue.env_access.loaders)
    lasts = {name.rpartition(".")[2] for name in loaders}
    evaluator, index = network.evaluator, network.index
    loads = [
        call
        for call in index.calls
        if _last(call.node.func) in lasts and evaluator.name(call.node.func, call.place) in loaders
    ]
    if not loads or _runs_later(loads[0].place):
        return
    load, order = loads[0].node, loads[0].place.order
    for write in index.writes:
        if write.place.order < order and not _runs_later(write.place):
            names = _unset(evaluator.value(write.node, write.place), network)
            if names:
                yield EarlyRead("read", names, write.node, load)
    for name, node, place in index.imported:
        if place.order < order and not _runs_later(place):
            yield from _imported(name, node, load, network)
    for connection in network.connections:
        made = connection.place
        if made is None or connection.key is not None or not connection.implied or connection.http is not None:
            continue
        client = connection.client
        if client is not None and not client.is_call and made.order < order and not _runs_later(made):
            yield EarlyRead("client", connection.implied, connection.node, load)


def _imported(name: str, node: Node, load: Node, network: Network) -> Iterator[EarlyRead]:
    """What an import reads: a constant of the project, or a package that looks at its variables once."""
    catalogue, project = network.catalogue, network.evaluator.project
    if project is not None:
        value = project.value(name)
        names = _unset(value, network) if value is not None else ()
        if names and not project.names_any(name, catalogue.env_access.loaders):
            yield EarlyRead("import", names, node, load)
    for sdk in catalogue.sdks.values():
        if not sdk.env_at_import or not any(name == top or name.startswith(f"{top}.") for top in sdk.imports):
            continue
        # Only a key or base that is left to the package to find, and that it finds at no other time.
        names = tuple(env for env in sdk.env if env in sdk.env_at_import)
        used = [item for item in network.connections if item.sdk is not None and item.sdk.id == sdk.id]
        if names and used and all(item.key is None for item in used):
            yield EarlyRead("package", names, node, load)


def _unset(value: v.Value, network: Network) -> tuple[str, ...]:
    """The key variables a value is read from without an error when they are not set."""
    from keyguard.python.tables import is_key_variable  # noqa: PLC0415  # keeps this module's top plain

    quiet = {reader.id for reader in network.catalogue.env_access.readers if reader.missing != "raises"}
    return tuple(
        name
        for item in v.alternatives(value)
        if isinstance(item, v.EnvRead) and item.reader in quiet
        for name in item.names
        if is_key_variable(name, network.catalogue)
    )


def _runs_later(place: Place) -> bool:
    """Tell whether code runs only when a function is called."""
    scope = place.scope
    while scope.kind in _AT_IMPORT and scope.parent is not None:
        scope = scope.parent
    return scope.kind not in _AT_IMPORT


def _last(func: Node) -> str:
    return str(func.attr.value if type(func).__name__ == "Attribute" else getattr(func, "value", ""))
