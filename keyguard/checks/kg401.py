"""KG401: a request to a model that is sent once, with nothing on its way that sends it again."""

from __future__ import annotations

from keyguard.checks.remedies import Remedy, Writer, is_older, repaired
from keyguard.checks.spots import Spot
from keyguard.checks.unguarded import asks, guards, is_spared
from keyguard.python.callees import code_of
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.patches import Change, Patch
    from keyguard.knowledge import Retry
    from keyguard.python.network import Connection, ModelCall, Network

_MOST_RELATED = 8


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each raw request, and for each SDK client at its construction with its calls beside it."""
    if is_spared(network):
        return
    for connection in network.connections:
        if connection.node is None or connection.is_local:
            continue
        calls = [call for call in connection.calls if _is_sent_once(call) and not guards(network, call)]
        is_nowhere = not connection.hosts and connection.http is not None
        if not calls or is_nowhere or network.may_be_local(connection):
            continue
        if connection.http is None:
            spot = _client(network, connection, calls)
        else:
            spot = _raw(calls[0], connection.hosts[0].name)
        # In a notebook a person sees the error and runs the cell again.
        yield spot if network.source.cell is None else spot._replace(case=f"notebook-{spot.case or 'client'}")


def _is_sent_once(call: ModelCall) -> bool:
    """Tell whether a client sends a call once because nobody told it otherwise; told so, it is another rule's."""
    return call.attempts.total == 1 and call.attempts.is_default and asks(call)


def _raw(call: ModelCall, host: str) -> Spot:
    name = code_of(call.node.func) or call.method
    return Spot("KG401", call.node, {"name": name, "where": host, "code": ""}, "http", statement=f"{name}:once")


def _client(network: Network, connection: Connection, calls: list[ModelCall]) -> Spot:
    name = connection.name.rpartition(".")[2]
    sdk, client = connection.sdk, connection.client
    # What the SDK says in general may be of another release than the newest.
    own = client.retry if client is not None and client.retry is not client.sdk.retry else None
    retry = own or (sdk.retry if sdk is not None else None)
    code = retry.remedy if retry is not None else ""
    node = calls[0].node if client is not None and client.is_call else connection.node
    related = tuple((call.node, "sent-once") for call in calls if call.node is not node)[:_MOST_RELATED]
    case = None if code else "wrapped"
    statuses = [item for item in retry.on if item[:1].isdigit()] if retry is not None else []
    if client is not None and client.is_call:
        name, case = code_of(node.func) or name, "call" if code else "call-wrapped"
    statement = f"{name}:once"
    # What repeats some errors for a while by itself, and rate limits never, sends the others once.
    if retry is not None and retry.counts == "time" and "429" not in retry.on:
        case = "part"
    elif case in {None, "wrapped"} and any(_is_repeated(call) for call in connection.calls):
        # The client repeats other methods by itself: what is said holds for this one.
        name, case = code_of(calls[0].node.func) or calls[0].method, "call" if code else "call-wrapped"
    values = {"name": name, "code": code, "items": ", ".join(statuses)}
    patch = _patch(network, connection, retry, calls) if code else None
    return Spot("KG401", node, values, case, statement=statement, related=related, patch=patch)


def _is_repeated(call: ModelCall) -> bool:
    """Tell whether the SDK sends a call again although nobody told it to."""
    return call.attempts.is_default and (call.attempts.total or 0) > 1


def _patch(network: Network, connection: Connection, retry: Retry | None, calls: list[ModelCall]) -> Patch | None:
    """The SDK's own retries, at the client; at every call of a function that needs no client."""
    client, place = connection.client, connection.place
    changes: list[Change] = []
    if retry is None or client is None or place is None:
        return None
    # Retries of the client come on top of those that others of its calls have already.
    if not is_older(network, client.sdk, retry) and not any(guards(network, call) for call in connection.calls):
        writer, remedy = Writer(network), Remedy(retry.remedy, retry.needs)
        params = (retry.call_params or retry.params) if client.is_call else retry.params
        sent = [(call.node, call.place) for call in calls]
        for node, where in sent if client.is_call else [(connection.node, place)]:
            made = writer.given(node, where, remedy, params)
            if not made:
                changes.clear()
                break
            changes += made
    return repaired("set", changes, retry.remedy)
