"""KG402: a client is told not to try again, and nothing else does."""

from __future__ import annotations

from keyguard.checks.patches import RemoveArgument, Replace
from keyguard.checks.remedies import Remedy, Writer, repaired
from keyguard.checks.spots import Spot
from keyguard.checks.unguarded import asks, guards, is_spared
from keyguard.checks.words import written
from keyguard.python.callees import code_of
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.patches import Patch
    from keyguard.knowledge import Retry
    from keyguard.python.arguments import Given
    from keyguard.python.network import ModelCall, Network


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each argument or setting that switches retries off while a call goes without."""
    if is_spared(network):
        return
    found: dict[int, tuple[Given, list[ModelCall]]] = {}
    for call in network.calls:
        given = call.attempts.given
        if given is not None and call.attempts.total == 1 and not call.attempts.is_default and asks(call):
            found.setdefault(id(given.node), (given, []))[1].append(call)
    for given, calls in found.values():
        bare = [call for call in calls if not guards(network, call)]
        if bare:
            related = tuple((call.node, "sent-once") for call in bare[:4])
            values = {"name": given.name or code_of(bare[0].node.func)}
            patch = _patch(network, given, bare[0])
            yield Spot("KG402", given.node, values, statement=f"{given.name}:off", related=related, patch=patch)
    yield from _tools(network)


def _patch(network: Network, given: Given, call: ModelCall) -> Patch:
    """What switches retries off goes where the default tries again; else it becomes a number of tries."""
    retry, connection = _retry_of(call), call.connection
    made = [(call.node, call.place, retry.call_params or retry.params if retry is not None else ())]
    if connection is not None and connection.node is not None and connection.place is not None:
        made.append((connection.node, connection.place, retry.params if retry is not None else ()))
    for node, place, params in made if retry is not None else ():
        argument = next((item for item in node.args if item.value is given.node and item.keyword is not None), None)
        if argument is not None and retry is not None and retry.attempts is not None and retry.attempts > 1:
            code = f"{argument.keyword.value}={written(given).partition('=')[2]}"
            return repaired("remove", (RemoveArgument(node, given.node),), "", code)
        if retry is None or not retry.remedy:
            continue
        changes = Writer(network).given(node, place, Remedy(retry.remedy, retry.needs), params, replace=True)
        if any(isinstance(item, Replace) and item.node is given.node for item in changes):
            return repaired("set", changes, retry.remedy)
    return repaired("remove", (), "", written(given))


def _retry_of(call: ModelCall) -> Retry | None:
    """What is known of a call's retries, in the release that the project asks for."""
    client, connection = call.client, call.connection
    if client is None:
        return None
    sdk = connection.sdk if connection is not None and connection.sdk is not None else client.sdk
    return client.retry if client.retry is not client.sdk.retry else sdk.retry


def _tools(network: Network) -> Iterator[Spot]:
    """Adapters and transports that are told to send once."""
    for loop in network.retry_loops:
        if loop.attempts != 1 or loop.kind not in {"adapter", "transport", "setting"}:
            continue
        bare = [call for call in loop.calls if asks(call) and not guards(network, call)]
        told = loop.told.arguments if loop.told is not None else None
        if bare and told is not None and told.node is not None and told.node.args:
            values = {"name": code_of(told.node.func) or "Retry"}
            related = tuple((call.node, "sent-once") for call in bare[:4])
            yield Spot("KG402", told.node, values, "tool", statement="retry:off", related=related)
