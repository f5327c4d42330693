"""KG301: a request of an HTTP library that has no time limit of its own is given none."""

from __future__ import annotations

from keyguard.checks.remedies import Remedy, Writer, repaired
from keyguard.checks.spots import Spot
from keyguard.checks.words import advised, spelled
from keyguard.python import values as v
from keyguard.python.index import Place
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.patches import Change, Patch
    from keyguard.python.network import HttpCall, Network

_MOST_POSITIONS = 3  # arguments without a name before the one that would be the limit: `post(url, data, json)`
_SENDING = ("__getattr__", "__getattribute__", "send")  # what may stand between a method and its library
_MOST_OF_SESSION = 1  # the same of a constructor: `HTTPSConnection(host)`


def check(network: Network) -> Iterator[Spot]:
    """Yield one hit for each request, or connection object, that may wait for ever because nobody said how long."""
    case = "model" if network.talks else None
    limited = {id(call.node) for call in network.http_calls if not _is_endless(call)}
    seen: set[int] = set()
    for call in network.http_calls:
        if not call.sends or id(call.node) in limited:
            continue
        # Where only the constructor takes a limit, that is the place to set it.
        at_call = call.http.timeout is not None and bool(call.http.timeout.call_params)
        node = call.node if at_call or call.session is None else call.session
        if id(node) in seen:
            continue
        seen.add(id(node))
        name = spelled(node) or call.name
        values = {"call": f"{name}()", "remedy": _remedy(call, network)}
        patch = _patch(call, network, values["remedy"], at_call=node is call.node)
        yield Spot("KG301", node, values, case, statement=f"{name} without timeout", patch=patch)


def _is_endless(call: HttpCall) -> bool:
    return call.timeout.is_default and call.timeout.is_endless


def _remedy(call: HttpCall, network: Network) -> str:
    """The code that sets a limit; for a call that takes none, what sets one for every socket."""
    seconds = network.advice.model_timeout if call.is_model else network.advice.http_timeout
    if call.name in call.http.unbounded:
        return f"{network.catalogue.http.global_timeouts[0]}({seconds})"
    return advised(call.http.timeout, seconds)


def _patch(call: HttpCall, network: Network, code: str, *, at_call: bool) -> Patch:
    arguments = call.arguments if at_call else call.session_arguments
    changes: tuple[Change, ...] = ()
    known = call.http.timeout
    if known is not None and arguments is not None and _takes_one(call, network):
        params = known.call_params if at_call else known.params
        most = _MOST_POSITIONS if at_call else _MOST_OF_SESSION
        if len(arguments.positional) <= most:
            changes = Writer(network).given(arguments.node, arguments.place, Remedy(code, known.needs), params)
    return repaired("set", changes, code)


def _takes_one(call: HttpCall, network: Network) -> bool:
    """Tell whether what is called is the library's own: a class of the project may take other arguments."""
    if call.name in call.http.unbounded:
        return False
    func = call.node.func
    if type(func).__name__ != "Attribute" or call.name in call.http.calls:
        return True
    found = list(v.alternatives(network.evaluator.value(func.value, call.place)))
    function = call.place.scope.function
    if type(func.value).__name__ == "Name" and func.value.value == function.self_name and function.parent is not None:
        found = [v.Local(function.parent, instance=True)]
    return all(_is_plain(item, call, network) for item in found)


def _is_plain(value: v.Value, call: HttpCall, network: Network) -> bool:
    """Tell whether an object is a library's session, or of a class that sends requests as the library does."""
    if isinstance(value, v.Instance):
        return value.name in call.http.sessions
    if not isinstance(value, v.Local) or value.owner not in {None, network.evaluator} or value.scope.kind != "class":
        return False
    scope = value.scope
    if any(name in scope.bindings for name in (*call.http.methods, *_SENDING)):
        return False
    place = Place(scope.parent or scope, float("inf"), scope.module.root)
    bases = [network.evaluator.name(item.value, place) for item in scope.node.bases]
    return bool(bases) and all(name in call.http.sessions for name in bases)
