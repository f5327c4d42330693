"""KG302: nothing ends the wait for a model's answer, or only the SDK's own long default does."""

from __future__ import annotations

from keyguard.checks.remedies import Remedy, Writer, is_older, repaired
from keyguard.checks.spots import Spot
from keyguard.checks.words import advised, spelled
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.patches import Change, Patch
    from keyguard.knowledge import Timeout
    from keyguard.python.index import Node
    from keyguard.python.network import Connection, Limit, ModelCall, Network

_LONG = 300  # seconds: a shorter default is no wait worth a word
_MOST = 8  # calls that a finding lists
_SOCKET = (
    ".connect"  # to open one has a limit of its own (websockets: 10 s), and no setting ends what it then waits for
)
_MOST_POSITIONS = 2  # `completion(model, messages)`


def check(network: Network) -> Iterator[Spot]:
    """Yield one hit for each client with a call that nothing but the SDK's default ends."""
    through = _through(network)
    for connection in network.connections:
        # A raw request is KG301's; what is built around another client waits as long as that one.
        if connection.client is None or connection.node is None or connection.is_local or _wraps(connection):
            continue
        if network.may_be_local(connection):
            continue
        calls = [*connection.calls, *through.get(id(connection.node), ())]
        waiting = [
            call
            for call in calls
            if call.timeout.is_default and _is_long(call.timeout) and not call.method.endswith(_SOCKET)
        ]
        limit = waiting[0].timeout if waiting else connection.timeout
        if (calls and not waiting) or not limit.is_default or not _is_long(limit):
            continue
        yield _spot(connection, limit, waiting, network)


def _wraps(connection: Connection) -> bool:
    """Tell whether a client is built around another one, whose arguments it has."""
    return connection.arguments is not None and connection.arguments.node is not connection.node


def _through(network: Network) -> dict[int, list[ModelCall]]:
    """The calls that reach a client through another one built around it, by the `id` of the call that made it."""
    found: dict[int, list[ModelCall]] = {}
    for connection in network.connections:
        if connection.arguments is not None and _wraps(connection):
            found.setdefault(id(connection.arguments.node), []).extend(connection.calls)
    return found


def _is_long(limit: Limit) -> bool:
    return limit.is_endless or (limit.seconds is not None and limit.seconds >= _LONG)


def _spot(connection: Connection, limit: Limit, waiting: list[ModelCall], network: Network) -> Spot:
    name = spelled(connection.node) or connection.name.rpartition(".")[2]
    if connection.client is not None and connection.client.is_call:
        name += "()"
    known = connection.client.timeout if connection.client is not None else None
    if connection.sdk is not None and connection.client is not None and known is connection.client.sdk.timeout:
        known = connection.sdk.timeout  # that of the release which the project asks for
    values = {"client": name, "remedy": advised(known, network.advice.model_timeout)}
    if limit.seconds is not None:
        values["seconds"] = f"{limit.seconds:g}"
    related = tuple((call.node, "waits") for call in waiting[:_MOST] if call.node is not connection.node)
    case = "endless" if limit.is_endless else None
    if not values["remedy"]:
        case = "endless-outside" if limit.is_endless else "outside"
    has_remedy = known is not None and bool(known.remedy)
    patch = _patch(connection, known, waiting, network, values["remedy"]) if has_remedy else None
    statement = f"{name} without timeout"
    return Spot("KG302", connection.node, values, case, statement=statement, related=related, patch=patch)


def _patch(
    connection: Connection, known: Timeout | None, waiting: list[ModelCall], network: Network, code: str
) -> Patch:
    """A limit at the client; at every call where there is no client, or it takes none."""
    changes: list[Change] = []
    client, place = connection.client, connection.place
    if known is not None and client is not None and place is not None and not is_older(network, client.sdk, known):
        writer, remedy = Writer(network), Remedy(code, known.needs)
        per_call = client.is_call or not known.params
        params = (known.call_params or known.params) if per_call else known.params
        sent = [(call.node, call.place) for call in waiting]
        for node, where in sent if per_call else [(connection.node, place)]:
            made = writer.given(node, where, remedy, params) if _is_short(node) else ()
            if not made:
                changes.clear()
                break
            changes += made
    return repaired("set", changes, code)


def _is_short(node: Node) -> bool:
    """Tell whether a call gives so few arguments without a name that none of them can be the limit."""
    return sum(not item.keyword for item in node.args) <= _MOST_POSITIONS
