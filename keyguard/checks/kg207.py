"""KG207: a setting that its library no longer reads or that raises, and variables that are loaded too late."""

from __future__ import annotations

from keyguard.checks.literals import body_of, respelled
from keyguard.checks.patches import Patch, RenameArgument, Replace
from keyguard.checks.spots import Spot
from keyguard.model import Safety
from keyguard.python.guards import is_for_some_release
from keyguard.python.loading import early_reads
from keyguard.typed import TYPE_CHECKING
from keyguard.versions import before

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from keyguard.checks.patches import Change
    from keyguard.knowledge import Removed, Sdk
    from keyguard.python.arguments import Arguments
    from keyguard.python.index import Node, Place
    from keyguard.python.mentions import Mention
    from keyguard.python.network import Network

# An argument by which a client that another library was built around is told: it has arguments of its own.
_OF_A_WRAPPER = ("response_model",)


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each use of what is gone, and one for each read that comes before its variables."""
    pinned = network.versions
    gone = [
        (sdk, [item for item in sdk.removed if not _is_there(item, sdk, pinned)])
        for sdk in network.catalogue.sdks.values()
        if sdk.removed
    ]
    seen: set[object] = set()
    for spot in (*_names(network, gone), *_arguments(network, gone), *_of_http(network, pinned), *_late(network)):
        if id(spot.node) not in seen:
            seen.add(id(spot.node))
            yield spot


def _is_there(item: Removed, sdk: Sdk | None, pinned: Mapping[str, str]) -> bool:
    """Tell whether the project's requirements keep a release that still has it."""
    package = item.package or (sdk.package if sdk is not None else "")
    version = pinned.get(package.lower().replace("_", "-"))
    return version is not None and not item.end_of_life and before(version, item.since)


def _below(name: str, removed: str) -> bool:
    return name == removed or name.startswith(f"{removed}.")


def _names(network: Network, gone: Iterable[tuple[Sdk, list[Removed]]]) -> Iterator[Spot]:
    """Names and settings that are gone: each import once, each use of what was not imported by itself."""
    by_top: dict[str, list[tuple[Sdk, Removed]]] = {}
    for sdk, items in gone:
        for item in items:
            if item.name or item.setting:
                by_top.setdefault((item.name or item.setting).partition(".")[0], []).append((sdk, item))
    told: set[tuple[str, str, float]] = set()
    for mention in _mentions(network, by_top):
        for sdk, item in by_top.get(mention.name.partition(".")[0], ()):
            if _is_use(mention, item) and not is_for_some_release(mention.place.block):
                place = _told_by(mention, item)
                if place is None or place not in told:
                    kind = "setting" if item.setting else ""
                    patch = _renamed_setting(item, mention, network)
                    yield _spot(item, sdk, mention.node, item.setting or item.name, kind, patch)
                if place is not None:
                    told.add(place)


def _mentions(network: Network, tops: Container[str]) -> tuple[Mention, ...]:
    """What a module uses of what it imports, if it imports one of these packages at all: following all uses is dear."""
    imported = any(name.partition(".")[0] in tops for name, _, _ in network.index.imported)
    return network.mentions if imported else ()


def _is_use(mention: Mention, item: Removed) -> bool:
    """Tell whether a mention names what is gone; what an import of it gave is told at the import."""
    if item.setting:
        return mention.kind == "setting" and _below(mention.name, item.setting)
    if not _below(mention.name, item.name):
        return False
    return mention.kind == "import" or not (item.end_of_life or _below(mention.base, item.name))


def _told_by(mention: Mention, item: Removed) -> tuple[str, str, float] | None:
    """What is told once: an import statement, the clauses of one `try`, a package that was given up in a module."""
    if item.end_of_life:
        return item.name, "", 0
    return (item.name, mention.kind, mention.place.order) if mention.kind in {"import", "except"} else None


def _arguments(network: Network, gone: Iterable[tuple[Sdk, list[Removed]]]) -> Iterator[Spot]:
    """Arguments that are gone, of clients and of calls."""
    by_sdk = {sdk.id: [item for item in items if item.param] for sdk, items in gone}
    names = [item.name for _, items in gone for item in items if item.name]
    for connection in network.connections:
        sdk, client = connection.sdk, connection.client
        if sdk is None or client is None or client.is_call or connection.arguments is None or connection.place is None:
            continue
        for item in by_sdk.get(sdk.id, ()):
            if not item.of or connection.name in item.of:
                yield from _argument(item, sdk, connection.arguments, connection.place)
    for call in network.calls:
        sdk = call.sdk
        if (
            sdk is None
            or call.connection is None
            or call.http is not None
            or any(map(call.arguments.has, _OF_A_WRAPPER))
        ):
            continue
        if any(_below(call.method, name) for name in names):
            continue  # the whole call is gone
        for item in by_sdk.get(sdk.id, ()):
            if call.method in item.of or not item.of:
                yield from _argument(item, sdk, call.arguments, call.place)


def _argument(item: Removed, sdk: Sdk, arguments: Arguments, place: Place) -> Iterator[Spot]:
    given = arguments.get((item.param,))
    if given is not None and not is_for_some_release(place.block):
        yield _spot(item, sdk, given.node, f"{item.param}=", "argument", _renamed(item, arguments.node, given.node))


def _renamed(item: Removed, call: Node, value: Node) -> Patch | None:
    """The argument by the name that it has today, in the unit of today."""
    if not item.rename or type(call).__name__ != "Call" or not any(argument.value is value for argument in call.args):
        return None
    text = None
    if item.factor != 1:
        if type(value).__name__ not in {"Integer", "Float"}:
            return None
        text = f"{float(value.value.replace('_', '')) * item.factor:.15g}"
        if not text.isdigit():
            return None
    values = {"old": f"{item.param}=", "new": f"{item.rename}={text or ''}"}
    return Patch("rename", Safety.UNSAFE, (RenameArgument(call, item.param, item.rename, text),), values)


def _renamed_setting(item: Removed, mention: Mention, network: Network) -> Patch | None:
    """The setting by the name that it has today; its value must be a literal where it changes."""
    if not item.rename or mention.kind != "setting" or mention.name != item.setting:
        return None
    changes: list[Change] = [Replace(mention.node.attr, item.rename)]
    if item.ending:
        write = next((write for write in network.index.writes if write.target is mention.node), None)
        body = body_of(write.node) if write is not None else None
        new = (
            None
            if write is None or body is None
            else respelled(write.node, body.removesuffix(item.ending) + item.ending)
        )
        if new is None or write is None:
            return None
        changes += [Replace(write.node, new)] if new != write.node.value else []
    new_name = f"{item.setting.rpartition('.')[0]}.{item.rename}"
    return Patch("rename", Safety.UNSAFE, tuple(changes), {"old": item.setting, "new": new_name})


def _of_http(network: Network, pinned: Mapping[str, str]) -> Iterator[Spot]:
    """Arguments that HTTP libraries no longer have."""
    items = [item for item in network.catalogue.http.removed if not _is_there(item, None, pinned)]
    tops = {name.partition(".")[0] for item in items for name in item.of}
    for mention in _mentions(network, tops):
        for item in items:
            if mention.name not in item.of or mention.call is None or is_for_some_release(mention.place.block):
                continue
            for argument in mention.call.args:
                if argument.keyword is not None and argument.keyword.value == item.param:
                    patch = _renamed(item, mention.call, argument.value)
                    yield _spot(item, None, argument.value, f"{item.param}=", "argument", patch)


def _spot(  # noqa: PLR0913, PLR0917  # one word for each thing that is told
    item: Removed, sdk: Sdk | None, node: Node, name: str, kind: str, patch: Patch | None = None
) -> Spot:
    case = "end-of-life" if item.end_of_life else "ignored" if item.effect == "ignored" else kind or None
    if not item.instead:
        case = "no-successor"
    package = item.package or (sdk.package if sdk is not None else "")
    values = {"name": name, "where": package, "since": item.since, "instead": item.instead}
    if item.instead_zh:
        values["instead_zh"] = item.instead_zh
    return Spot("KG207", node, values, case, statement=f"{name}:{package}:{item.since}", patch=patch)


def _late(network: Network) -> Iterator[Spot]:
    """Reads that come before the variables are loaded from a file."""
    if network.source.role == "test":
        return
    for read in early_reads(network):
        values = {"env": read.names[0], "name": read.names[0], "where": read.kind}
        case = "late-import" if read.kind in {"import", "package"} else "late"
        yield Spot("KG207", read.node, values, case, statement=f"late:{read.names[0]}", related=((read.load, "load"),))
