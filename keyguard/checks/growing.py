"""The fixes of a pause that does not grow: in a loop that counts its rounds, and in what a retry library is told."""

from __future__ import annotations

import ast
import re

from keyguard.checks.patches import Import, RemoveArgument, Replace, SetArgument
from keyguard.checks.remedies import Remedy, Writer, grouped, is_literal, repaired
from keyguard.python import values as v
from keyguard.python.callees import code_of
from keyguard.python.imports import Want
from keyguard.python.index import spell
from keyguard.python.ways import names_in, statements, written
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.checks.patches import Change, Patch
    from keyguard.knowledge import RetryTool
    from keyguard.python.index import Node, Place
    from keyguard.python.network import Network
    from keyguard.python.retries import RetryLoop
    from keyguard.python.retrytools import Told

_CAP = 60  # seconds: the longest pause
_COUNTER = "attempt"
_JITTER = ("random", "random")


def grown(network: Network, loop: RetryLoop) -> Patch:
    """A pause that doubles with each round, with a random part and an upper end, where the loop counts its rounds."""
    call, (counter, renamed) = loop.sleep, _counter(network, loop)
    base, name = _base(network, loop), counter or _COUNTER
    shape = f"min({_CAP}, {base or ''}2**{name})"
    changes: tuple[Change, ...] = ()
    if counter and base is not None and loop.seconds is not None and loop.seconds <= _CAP and _is_plain(call):
        use = network.uses.get(id(call))
        # Only in the function of the loop does its variable tell the round.
        if use is not None and use.place.scope is loop.place.scope:
            way = network.imports.way(Want(*_JITTER), use.place, network.start(call))
            if way is not None:
                changes = (Replace(call.args[0].value, f"{shape} + {way.expression}()"), *renamed, Import(way.edits))
    spelled = code_of(call.func) or "sleep"
    return repaired("grow", changes, f"{spelled}({shape} + {'.'.join(_JITTER)}())")


def _base(network: Network, loop: RetryLoop) -> str | None:
    """The first pause as a factor: the number that stands there, or the name that it is given whatever happens."""
    node = loop.sleep.args[0].value if loop.sleep.args else None
    use = network.uses.get(id(loop.sleep))
    if use is None or node is None or not isinstance(network.evaluator.value(node, use.place), v.Number):
        return None
    if is_literal(node):
        return None if loop.seconds is None else "" if loop.seconds == 1 else f"{grouped(loop.seconds)} * "
    spelled = spell(node)
    return f"{spelled} * " if spelled else None


def _is_plain(call: Node) -> bool:
    return len(call.args) == 1 and not call.args[0].star and call.args[0].keyword is None


def _counter(network: Network, loop: RetryLoop) -> tuple[str, tuple[Change, ...]]:
    """The variable that tells how many rounds of a loop there were, and what gives it a name; empty without one."""
    node = loop.node
    if type(node).__name__ == "While":
        return _counter_of_while(network, node, loop.place), ()
    name = _counter_of_for(network, node, loop.place) if type(node).__name__ == "For" else ""
    if name != "_":
        return name, ()
    is_free = re.search(rf"\b{_COUNTER}\b", network.index.module.text) is None
    is_read = any("_" in names_in(part) for part in statements(node.body))
    return (_COUNTER, (Replace(node.target, _COUNTER),)) if is_free and not is_read else ("", ())


def _counter_of_for(network: Network, node: Node, place: Place) -> str:
    header = node.iter
    if type(node.target).__name__ != "Name" or type(header).__name__ != "Call":
        return ""
    if network.evaluator.name(header.func, place) != "range" or any(item.star or item.keyword for item in header.args):
        return ""
    first = header.args[0].value if len(header.args) > 1 else None
    starts = first is None or (type(first).__name__ == "Integer" and first.value in {"0", "1"})
    if len(header.args) not in {1, 2} or not starts:
        return ""
    name: str = node.target.value
    return "" if any(target == name for target, _ in written(statements(node.body))) else name


def _counter_of_while(network: Network, node: Node, place: Place) -> str:
    """The name on the left of `while tries < 5`, when a round does nothing to it but add one."""
    test = node.test
    if type(test).__name__ != "Comparison" or type(test.left).__name__ != "Name" or len(test.comparisons) != 1:
        return ""
    if type(test.comparisons[0].operator).__name__ not in {"LessThan", "LessThanEqual"}:
        return ""
    name: str = test.left.value
    changes = [item for target, item in written(statements(node.body)) if target == name]
    counts = bool(changes) and all(
        type(item).__name__ == "AugAssign"
        and type(item.operator).__name__ == "AddAssign"
        and type(item.value).__name__ == "Integer"
        and item.value.value == "1"
        for item in changes
    )
    found = network.evaluator.bindings(name, place) or []
    starts = [item for item in found if item.kind != "augment"]
    plain = all(item.kind == "assign" and type(item.node).__name__ == "Integer" for item in starts)
    return name if counts and starts and plain and all(item.node.value in {"0", "1"} for item in starts) else ""


def told_to_grow(network: Network, loop: RetryLoop, told: Told) -> Patch | None:
    """What makes a retry library's pauses grow: its own argument, in the place of the one that keeps them equal."""
    tool = told.tool
    if not tool.remedy_wait:
        return None
    remedy = Remedy(tool.remedy_wait, tool.needs)
    writer = Writer(network)
    changes: tuple[Change, ...] = ()
    if told.arguments is None:
        changes = _called(network, loop, remedy)
    elif not told.is_open and not told.arguments.is_open:
        call, place = told.arguments.node, told.arguments.place
        if next(iter(remedy.arguments), "") in tool.wait_params:
            changes = _waiting(writer, call, place, told, remedy)
        else:
            changes = _counting(writer, call, place, told, remedy)
    return repaired("set", changes, tool.remedy_wait)


def _called(network: Network, loop: RetryLoop, remedy: Remedy) -> tuple[Change, ...]:
    """A decorator that was written without a call is given one."""
    if loop.kind != "decorator" or type(loop.node).__name__ not in {"Name", "Attribute"}:
        return ()
    writer = Writer(network)
    texts: list[str] = []
    imports: list[Change] = []
    for name, value in remedy.arguments.items():
        spelling = writer.spelled(ast.unparse(value), loop.node, loop.place, remedy.needs)
        if spelling is None:
            return ()
        texts.append(f"{name}={spelling[0]}")
        imports += spelling[1]
    return (Replace(loop.node, f"{code_of(loop.node)}({', '.join(texts)})"), *imports)


def _waiting(writer: Writer, call: Node, place: Place, told: Told, remedy: Remedy) -> tuple[Change, ...]:
    """A tool that is given what computes its pauses."""
    tool = told.tool
    if told.sleep is None:
        return writer.given(call, place, remedy, tool.wait_params)
    (_, value), *others = remedy.arguments.items()
    argument = next((item for item in call.args if item.value is told.sleep), None)
    interval = [item for item in call.args if item.keyword is not None and item.keyword.value in tool.interval_params]
    if argument is None or argument in interval:
        # What was read as the pause is the number of one that is only named.
        argument = next((item for item in _of_wait(call, tool) if interval), None)
    spelling = writer.spelled(ast.unparse(value), call, place, remedy.needs) if argument is not None else None
    if argument is None or spelling is None or type(argument.value).__name__ not in {"Call", "Name", "Attribute"}:
        return ()
    if type(argument.value).__name__ == "Name" and not interval and not tool.interval_params:
        return ()  # a pause that is made elsewhere may be used elsewhere
    code, imports = spelling
    more = tuple(SetArgument(call, name, ast.unparse(item)) for name, item in others if not _has(call, name))
    return (Replace(argument.value, code), *(RemoveArgument(call, item.value) for item in interval), *more, *imports)


def _of_wait(call: Node, tool: RetryTool) -> list[Node]:
    """The argument that is the part which computes the pauses."""
    named = [item for item in call.args if item.keyword is not None and item.keyword.value in tool.wait_params]
    return named or [item for item in call.args[: (tool.wait_position or 0) + 1][-1:] if item.keyword is None]


def _counting(writer: Writer, call: Node, place: Place, told: Told, remedy: Remedy) -> tuple[Change, ...]:
    """A tool whose pauses grow by a number: the pause that it was told stays where a number makes it grow."""
    tool = told.tool
    positional = sum(item.keyword is None for item in call.args)
    if tool.growth_position is not None and positional > tool.growth_position:
        return ()
    if any(_has(call, name) for name in tool.wait_params):
        return ()
    arguments = remedy.arguments
    is_told = told.delay == "fixed" or (tool.delay_position is not None and positional > tool.delay_position)
    kept = {name: item for name, item in arguments.items() if not (name in tool.delay_params and is_told)}
    code = ", ".join(f"{name}={ast.unparse(item)}" for name, item in kept.items())
    params = (*tool.growth_params, *tool.delay_params, *tool.looks_params, *tool.inner_params)
    changes = writer.given(call, place, Remedy(code, remedy.needs), params, replace=True)
    stale = [name for name in tool.delay_params if name not in arguments]
    drops = [item for item in call.args if item.keyword is not None and item.keyword.value in stale]
    return (*changes, *(RemoveArgument(call, item.value) for item in drops)) if changes else ()


def _has(call: Node, name: str) -> bool:
    return any(item.keyword is not None and item.keyword.value == name for item in call.args)
