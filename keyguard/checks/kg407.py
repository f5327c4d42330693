"""KG407: a retry that looks like one and never sends the request again."""

from __future__ import annotations

import ast

from keyguard.checks.patches import Replace
from keyguard.checks.remedies import Remedy, Writer, repaired
from keyguard.checks.repeats import retries, statement_of, tool_name
from keyguard.checks.spots import Spot
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.patches import Change, Patch
    from keyguard.python.arguments import Arguments
    from keyguard.python.network import ModelCall, Network
    from keyguard.python.retries import Caught, RetryLoop
    from keyguard.python.retrytools import Told

_LIMITED = 429  # the status of a rate limit
_DISPLAYS = {"List": ("[", "]"), "Tuple": ("", ""), "Set": ("{", "}")}


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each class that is never raised, and each adapter that never repeats the request."""
    for loop in retries(network):
        yield from _clauses(network, loop)
        yield from _default(network, loop)
        if loop.told is not None:
            yield from _adapter(network, loop, loop.told)


def _clauses(network: Network, loop: RetryLoop) -> Iterator[Spot]:
    for handler in loop.handlers:
        for item in handler.caught:
            if not item.is_bound:
                values = {"name": item.node.value}
                statement = f"except {item.node.value} undefined"
                patch = _imported(network, loop, item)
                yield Spot("KG407", item.node, values, "undefined", statement, patch=patch)
        foreign = network.repetition.never_raised(handler, loop)
        if foreign is not None:
            values = {"name": handler.spelled, "sdk": foreign}
            yield Spot("KG407", handler.type, values, "foreign", f"except {handler.spelled} {foreign}")


def _default(network: Network, loop: RetryLoop) -> Iterator[Spot]:
    """A decorator that repeats by default what another library raises."""
    call = network.repetition.never_met(loop)
    if call is None or call.sdk is None or loop.told is None:
        return
    known = call.sdk.retry
    case = "elsewhere" if known is not None and known.remedy else "elsewhere-bare"
    values = {
        "tool": tool_name(loop),
        "raised": loop.told.tool.raised_in[0],
        "sdk": call.sdk.package,
        "code": known.remedy if known is not None else "",
    }
    yield Spot("KG407", loop.node, values, case, statement_of(loop, "elsewhere"))


def _imported(network: Network, loop: RetryLoop, item: Caught) -> Patch | None:
    """The import of a class that nothing defines from the one SDK whose calls are made and that has it."""
    sdks = {call.sdk.id: call.sdk for call in loop.calls if call.sdk is not None}
    name = item.node.value
    found = {full for sdk in sdks.values() for full in sdk.errors.names if full.rpartition(".")[2] == name}
    full = min(found, key=len, default="")
    handler = next((one for one in loop.handlers if item in one.caught), None)
    if len(sdks) != 1 or not full or handler is None:
        return None
    spelling = Writer(network).spelled(name, loop.calls[0].node, handler.place, (full,))
    changes: tuple[Change, ...] = ()
    if spelling is not None:
        code, changes = spelling
        if code != name:
            return repaired("rename", (Replace(item.node, code), *changes), code, name)
    module = full.rpartition(".")[0]
    return repaired("import", changes, f"from {module} import {name}")


def _adapter(network: Network, loop: RetryLoop, told: Told) -> Iterator[Spot]:
    if loop.kind not in {"adapter", "transport"} or told.is_open:
        return
    posts = [call for call in loop.calls if _posts(call)]
    if not posts:
        return
    tool = told.tool
    node = told.arguments.node if told.arguments is not None else loop.node
    if tool.catches == "connection":
        if all(call.http is None for call in posts):
            return  # the SDK repeats statuses itself
        values = {"tool": tool_name(loop), "code": tool.remedy_statuses}
        patch = _repaired(network, told, status=tool.remedy_statuses)
        yield Spot("KG407", node, values, "connection", statement_of(loop, "connection"), patch=patch)
    elif told.methods is not None and "POST" not in told.methods:
        values = {"tool": tool_name(loop), "code": tool.remedy_methods}
        lacks = told.statuses is not None and _LIMITED not in told.statuses
        patch = _repaired(network, told, methods=tool.remedy_methods, status=tool.remedy_statuses if lacks else "")
        yield Spot("KG407", node, values, None, statement_of(loop, "method"), patch=patch)
    elif told.statuses is not None and _LIMITED not in told.statuses:
        values = {"tool": tool_name(loop), "code": tool.remedy_statuses}
        patch = _repaired(network, told, status=tool.remedy_statuses)
        yield Spot("KG407", node, values, "status", statement_of(loop, "status"), patch=patch)


def _posts(call: ModelCall) -> bool:
    """Tell whether a call sends a POST: an SDK's calls do, and a raw one that says so."""
    return call.http is None or call.http.verb == "POST"


def _repaired(network: Network, told: Told, methods: str = "", status: str = "") -> Patch:
    """The arguments that make an adapter repeat a POST, and a rate limit."""
    changes: list[Change] = []
    arguments, tool = told.arguments, told.tool
    code = ", ".join(filter(None, (methods, status)))
    for remedy, params in ((methods, tool.methods_params), (status, tool.statuses_params)):
        if not remedy or arguments is None or arguments.is_open:
            continue
        made = _given(network, arguments, Remedy(remedy, tool.needs), (*params, *tool.inner_params))
        if not made:
            changes.clear()
            break
        changes += made
    return repaired("set", changes, code)


def _given(network: Network, arguments: Arguments, remedy: Remedy, params: tuple[str, ...]) -> tuple[Change, ...]:
    """A remedy in the place of what is given for one of some parameters, or behind all that is given."""
    call, place, writer = arguments.node, arguments.place, Writer(network)
    name, value = next(iter(remedy.arguments.items()), ("", None))
    there = [item for item in call.args if item.keyword is not None and item.keyword.value in params]
    if value is None or not there:
        return writer.given(call, place, remedy, params)
    kind = type(there[0].value).__name__
    if len(there) > 1 or there[0].keyword.value != name:
        return ()  # under its older name, which the installed release may want
    if isinstance(value, (ast.List, ast.Set)) and kind in _DISPLAYS and there[0].value.elements:
        numbers = [item.value for item in there[0].value.elements]
        if not all(type(item).__name__ == "Integer" for item in numbers):
            return ()
        opening, closing = _DISPLAYS[kind]
        more = ", ".join(str(number) for number in (_LIMITED, *(item.value for item in numbers)))
        return (Replace(there[0].value, f"{opening}{more}{closing}"),)
    if kind not in {*_DISPLAYS, "Integer"} and getattr(there[0].value, "value", "") != "None":
        return ()
    spelling = writer.spelled(ast.unparse(value), call, place, remedy.needs)
    return () if spelling is None else (Replace(there[0].value, spelling[0]), *spelling[1])
