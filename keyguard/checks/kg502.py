"""KG502: the check of the host's certificate is switched off, so that whoever stands on the way can be the host."""

from __future__ import annotations

from keyguard.checks.carried import sends_key
from keyguard.checks.literals import call_around
from keyguard.checks.patches import Patch, RemoveArgument, Replace
from keyguard.checks.spots import Spot
from keyguard.checks.switches import off
from keyguard.checks.words import may_change, spelled, written
from keyguard.model import Safety
from keyguard.python import values as v
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.arguments import Given
    from keyguard.python.network import Host, Network


def check(network: Network) -> Iterator[Spot]:
    """Yield one hit for each value that switches the check off, loudest where a key is at stake."""
    found: dict[int, Spot] = {}
    for given, where, with_key in (*_of_clients(network), *_of_requests(network)):
        if may_change(given):
            continue
        known = found.get(id(given.node))
        if known is None or (with_key and known.case is not None):
            values = {"written": written(given), "where": where}
            case = None if with_key else "no-key"
            statement = f"{where} {written(given)}"
            found[id(given.node)] = Spot("KG502", given.node, values, case, statement, patch=_patch(given, network))
    yield from found.values()
    case = "everywhere" if network.talks else "elsewhere"
    for given in (*network.unverified, *_variables(network)):
        yield Spot("KG502", given.node, {"written": written(given), "where": given.name}, case, statement=given.name)


def _patch(given: Given, network: Network) -> Patch | None:
    """The argument goes, so that the default holds; what is set in another way is set to True.

    A context of one's own is left alone: which of its attributes may be set first depends on the others.
    """
    node, name = given.node, given.name
    kind = type(node).__name__
    if kind not in {"Name", "Attribute", "Call", "SimpleString"} or (kind == "Name" and node.value != "False"):
        return None  # a constant with a name may hold for more than this
    call = call_around(node, network)
    if call is not None:
        old = f"{name}=" if name else written(given)
        return Patch("verify", Safety.UNSAFE, (RemoveArgument(call, node),), {"old": old})
    if kind == "Name" and name == "verify":
        return Patch("verify-on", Safety.UNSAFE, (Replace(node, "True"),), {"new": f"{name}=True"})
    return None


def _of_clients(network: Network) -> Iterator[tuple[Given, str, bool]]:
    for connection in network.connections:
        if connection.unverified is not None and connection.http is None and not connection.is_local:
            name = spelled(connection.node) or connection.name.rpartition(".")[2]
            yield connection.unverified, name, sends_key(connection, network.catalogue)


def _of_requests(network: Network) -> Iterator[tuple[Given, str, bool]]:
    local = {id(one.unverified.node) for one in network.connections if one.unverified is not None and one.is_local}
    for call in network.http_calls:
        if call.unverified is None:
            continue
        if _is_local(call.hosts):
            local.add(id(call.unverified.node))
        else:
            yield call.unverified, spelled(call.node) or call.name, call.carries_key
    for session in network.http_sessions:
        if session.unverified is not None and id(session.unverified.node) not in local:
            yield session.unverified, spelled(session.node) or session.name, False


def _is_local(hosts: tuple[Host, ...]) -> bool:
    return bool(hosts) and all(host.is_local for host in hosts)


def _variables(network: Network) -> Iterator[Given]:
    """The variables that the module sets so that checks are off."""
    values = off(network.catalogue)
    for name, written_ones in network.env_writes.items():
        for given in written_ones if name in values else ():
            if isinstance(given.value, v.Text) and given.value.text == values[name]:
                yield given
