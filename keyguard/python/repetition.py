"""Finds what repeats the model calls of a module: what leads to them, what stands around, above and below them."""

from __future__ import annotations

import builtins
import sys

from msgspec import Struct, field

from keyguard.python import values as v
from keyguard.python.index import Place, spell
from keyguard.python.loops import Loops
from keyguard.python.retries import Point, RetryLoop
from keyguard.python.retrytools import Told, ToolReader
from keyguard.python.tables import tables_of
from keyguard.python.ways import inside, statements
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keyguard.knowledge import RetryTool, Sdk
    from keyguard.python.arguments import Given
    from keyguard.python.index import Node, Scope
    from keyguard.python.network import ModelCall, Network
    from keyguard.python.retries import Handler, Rescue

_DEEPEST = 6  # callers and helpers on the way to a call
_BUILTINS = frozenset(vars(builtins))
_MOST = 16  # guards of one call
_MOST_CALLS = 64  # model calls that one place is told to lead to


class _Led(Struct):
    """What a function or an expression leads to."""

    calls: dict[int, ModelCall] = field(default_factory=dict)
    handed: dict[int, Node] = field(default_factory=dict)

    def add(self, calls: Iterable[ModelCall], handed: Iterable[Node] = ()) -> None:
        for call in calls:
            if len(self.calls) < _MOST_CALLS:
                self.calls[id(call.node)] = call
        for node in handed:
            if len(self.handed) < _MOST_CALLS:
                self.handed[id(node)] = node

    def __bool__(self) -> bool:
        return bool(self.calls or self.handed)


class Repetition:
    """Finds what repeats the model calls of a module, once; asked by `Network`."""

    def __init__(self, network: Network) -> None:
        """Look through the module's calls, loops and decorators."""
        self._network, self._index, self._evaluator = network, network.index, network.evaluator
        self._words = network.catalogue.retrying
        self._tables = tables_of(network.catalogue)
        self._reader = ToolReader(network.evaluator, network.catalogue)
        self._uses = {id(use.node): use for use in network.index.calls}
        self._scopes = {id(scope): scope for scope in network.index.scopes}
        self._names = {scope.name for scope in network.index.scopes if id(scope) in network.callers}
        self._methods = frozenset(
            name.rpartition(".")[2] for sdk in network.catalogue.sdks.values() for name in sdk.distinctive
        )
        self._on_scope: dict[int, list[RetryLoop]] = {}  # decorators and recursion, by the function's scope
        self._on_node: dict[int, list[RetryLoop]] = {}  # adapters and settings, by the model call's node
        self._handed_at: dict[int, list[Point]] = {}  # where a function is handed over, by its scope
        self._run_at: dict[int, list[Point]] = {}  # where a helper runs what it is given, by the given function's scope
        self._mounts = [
            use
            for use in network.index.calls
            if type(use.node.func).__name__ == "Attribute" and use.node.func.attr.value == "mount"
        ]
        self._run: dict[tuple[int, str], _Led] = {}  # what helpers are given, by their scope and parameter
        self._givers: dict[tuple[int, str], list[int]] = {}  # the scopes of the functions that are given
        self._points: list[Point] = []
        self._found: list[RetryLoop] = []
        self._find()
        loops = Loops(network, self._points, self._reader)
        self._by_block = {id(loop.block): loop for loop in loops.loops if loop.block is not None}
        for loop in loops.recursions:
            self._on_scope.setdefault(id(loop.place.scope.function), []).append(loop)
        self._found += [*loops.loops, *loops.recursions]
        self.loops = tuple(self._found)
        self.rescues: tuple[Rescue, ...] = tuple(loops.rescues)

    def guards(self, call: ModelCall) -> tuple[RetryLoop, ...]:
        """Everything that repeats a call, inside out."""
        found: dict[int, RetryLoop] = {}
        for loop in self._on_node.get(id(call.node), ()):
            found[id(loop)] = loop
        front: list[Place] = [call.place]
        seen: set[int] = set()
        for _ in range(_DEEPEST):
            following: list[Place] = []
            for place in front:
                for loop in self._around(place):
                    if len(found) < _MOST:
                        found[id(loop)] = loop
                scope = place.scope.function
                if id(scope) in seen or scope.kind != "function":
                    continue
                seen.add(id(scope))
                following.extend(self._above(scope))
            front = following
        return tuple(found.values())

    def settings(self) -> Iterator[tuple[ModelCall, Given, RetryTool]]:
        """The numbers of retries that calls or their clients are given, where the catalogue knows the tool behind them.

        Each number once; a tool that is told more than the number is left out.
        """
        tools = [tool for tool in self._words.tools if tool.kind == "setting"]
        seen: set[int] = set()
        for call in self._network.calls:
            given = call.attempts.given
            if given is None or call.sdk is None or call.attempts.total is None or id(given.node) in seen:
                continue
            for tool in tools:
                if given.name in tool.attempts_params and not set(tool.imports).isdisjoint(call.sdk.imports):
                    seen.add(id(given.node))
                    if call.arguments.get(tool.looks_params) is None and not call.arguments.is_open:
                        yield call, given, tool

    def never_raised(self, handler: Handler, loop: RetryLoop) -> str | None:
        """The SDK that raises nothing of what an except clause of a loop waits for; None when something may raise it.

        Only for SDKs that wrap every error in a class of their own, and where nothing else in the `try` is called that
        could raise another library's.
        """
        sdks = {call.sdk.id: call.sdk for call in loop.calls if call.sdk is not None and call.client is not None}
        own = self._words.own_errors
        if loop.handed or len(sdks) != 1 or not all(call.client is not None for call in loop.calls):
            return None
        sdk = next(iter(sdks.values()))
        if sdk.id not in own or not handler.caught:
            return None
        tops = {name.partition(".")[0] for item in own for name in self._network.catalogue.sdks[item].imports}
        foreign = (tops | set(self._words.foreign_errors)) - {name.partition(".")[0] for name in sdk.imports}
        named = {item.name.partition(".")[0] for item in handler.caught}
        if not named <= foreign or not all(item.kind for item in handler.caught):
            return None
        node = next((item.node for item in self.rescues if handler.node in item.node.handlers), None)
        return sdk.package if node is not None and not self._may_raise(node, named, loop) else None

    def never_met(self, loop: RetryLoop) -> ModelCall | None:
        """The call of a decorated function whose SDK raises nothing of what the decorator repeats by default.

        None when it is told what to repeat, the SDK's errors are not known, or the function calls something else that
        may raise what it repeats.
        """
        told = loop.told
        if loop.kind != "decorator" or told is None or not _is_plain(told) or not loop.calls:
            return None
        call = loop.calls[0]
        if any(item is loop.node for item in call.scope.decorators) and all(
            item.scope is call.scope and item.client is not None and _raises_outside(item.sdk, told.tool.raised_in)
            for item in loop.calls
        ):
            return None if self._meets(loop, told.tool.raised_in) else call
        return None

    def _meets(self, loop: RetryLoop, raising: tuple[str, ...]) -> bool:
        """Tell whether a decorated function calls something besides the model that may raise errors of some packages.

        What belongs to the same house may, and a function of the module anything.
        """
        houses = tuple(name.partition(".")[0] for name in raising)
        own = tuple(name for call in loop.calls if call.sdk is not None for name in call.sdk.imports)
        mine = {id(call.node) for call in loop.calls}
        for use in self._index.calls:
            if use.place.scope.function is not loop.calls[0].scope or id(use.node) in mine:
                continue
            value = self._evaluator.value(use.node.func, use.place)
            name = v.dotted(value)
            is_unknown = type(use.node.func).__name__ == "Name" and not name
            if isinstance(value, v.Local) or is_unknown or (_is_in(name, houses) and not _is_in(name, own)):
                return True
        return False

    def _may_raise(self, node: Node, tops: set[str], loop: RetryLoop) -> bool:
        """Tell whether something in a `try` besides the model calls may raise an error of these libraries."""
        mine = {id(call.node) for call in loop.calls}
        for statement in statements(node.body):
            for item in inside(statement):
                if type(item).__name__ != "Call" or id(item) in mine:
                    continue
                use = self._uses.get(id(item))
                value = self._evaluator.value(item.func, use.place) if use is not None else v.UNKNOWN
                top = v.dotted(value).partition(".")[0].removesuffix("()")
                if isinstance(value, v.Local) or top in tops or (type(item.func).__name__ == "Name" and not top):
                    return True
                if top and top not in sys.stdlib_module_names and top not in _BUILTINS:
                    return True
        return False

    def _around(self, place: Place) -> Iterator[RetryLoop]:
        """The loops around a place in its own function, and what stands on that function."""
        for block in place.block.chain():
            if id(block) in self._by_block:
                yield self._by_block[id(block)]
        yield from self._on_scope.get(id(place.scope.function), ())

    def _above(self, scope: Scope) -> Iterator[Place]:
        """The places that run a function: where it is called, where it is handed over, and where that runs it."""
        for point in (*self._run_at.get(id(scope), ()), *self._handed_at.get(id(scope), ())):
            yield point.place
        for site in self._evaluator.sites(scope):
            yield site.place

    # what leads to model calls

    def _find(self) -> None:
        callers = self._network.callers
        for call in self._network.calls:
            self._points.append(Point(call.node, call.place, (call,)))
        self._on_the_wire()
        led = [scope for scope in self._index.scopes if id(scope) in callers and scope.kind == "function"]
        for scope in led:
            for site in self._evaluator.sites(scope):
                self._points.append(Point(site.node, site.place, callers[id(scope)]))
        self._handing()
        for scope in led:
            for decorator in scope.decorators:
                self._decorated(scope, decorator)
        if self._run:
            self._running()

    def _handing(self) -> None:
        """Note every call that is given a function which leads to a model call."""
        for use in self._index.calls:
            position = 0
            for argument in use.node.args:
                name = argument.keyword.value if argument.keyword is not None else None
                at = position if name is None else None
                position += name is None
                led = _Led()
                scopes = list(self._leading(argument.value, use.place, led))
                if not led:
                    continue
                point = Point(use.node, use.place, tuple(led.calls.values()), tuple(led.handed.values()))
                self._points.append(point)
                for scope in scopes:
                    self._handed_at.setdefault(id(scope), []).append(point)
                self._given(point, at, name, scopes)

    def _given(self, point: Point, position: int | None, name: str | None, scopes: list[Scope]) -> None:
        """What is done with a function that a call is given: a helper of the module runs it, a tool repeats it."""
        helper = self._helper(point.node.func, point.place)
        if helper is not None:
            param = _parameter(helper, position, name)
            if param:
                self._run.setdefault((id(helper), param), _Led()).add(point.calls, point.handed)
                self._givers.setdefault((id(helper), param), []).extend(id(scope) for scope in scopes)
            return
        made = self._of_callee(point)
        if made is None:
            return
        self._found.append(made)
        for scope in scopes:
            self._on_scope.setdefault(id(scope), []).append(made)

    def _helper(self, func: Node, place: Place) -> Scope | None:
        """The function of this module that an expression is."""
        value = self._evaluator.value(func, place)
        if isinstance(value, v.Local) and value.scope.kind == "function" and id(value.scope) in self._scopes:
            return value.scope
        return None

    def _of_callee(self, point: Point) -> RetryLoop | None:
        """The tool (or what is called like one) that is called with a function."""
        func = point.node.func
        method = func.attr.value if type(func).__name__ == "Attribute" else ""
        for item in v.alternatives(self._evaluator.value(func, point.place)):
            name = v.dotted(item)
            tool = self._reader.tables.tools.get(name)
            if tool is not None and tool.handed:
                return self._made(
                    "helper", point.node, point.place, self._reader.read(tool, point.node, point.place), point
                )
            if isinstance(item, v.Instance) and (tool := self._tool(item)) is not None:
                return self._made(
                    "helper", point.node, point.place, self._reader.read(tool, item.node, item.place), point
                )
        if method and type(func.value).__name__ in {"Name", "Call", "Attribute"}:
            for item in v.alternatives(self._evaluator.value(func.value, point.place)):
                tool = self._tool(item) if isinstance(item, v.Instance) else None
                if tool is not None and isinstance(item, v.Instance):
                    told = self._reader.read(tool, item.node, item.place)
                    return self._made("helper", point.node, point.place, told, point)
        last = method or (func.value if type(func).__name__ == "Name" else "")
        if self._names_retry(last):
            return RetryLoop(
                point.node, "helper", point.place, spell(func), calls=point.calls, handed=point.handed, looks=True
            )
        return None

    def _tool(self, item: v.Instance) -> RetryTool | None:
        return self._reader.tables.tools.get(item.name.partition("()")[0])

    def _names_retry(self, name: str) -> bool:
        lowered = name.lower()
        return any(word in lowered for word in self._words.helper_words)

    def _leading(self, node: Node, place: Place, led: _Led, depth: int = 0) -> Iterator[Scope]:
        """The functions that an expression is (with what they lead to in `led`); methods of clients go to `led`."""
        kind = type(node).__name__
        callers = self._network.callers
        if kind == "Lambda":
            scope = self._evaluator.scope_of(node)
            if scope is not None and id(scope) in callers:
                led.add(callers[id(scope)])
                yield scope
        elif kind in {"Name", "Attribute"}:
            last = node.value if kind == "Name" else node.attr.value
            if last in self._names:
                for item in v.alternatives(self._evaluator.value(node, place)):
                    if isinstance(item, v.Local) and id(item.scope) in callers:
                        led.add(callers[id(item.scope)])
                        yield item.scope
            elif kind == "Attribute" and self._is_model_method(node, place):
                led.add((), (node,))
        elif kind == "Call" and node.args and depth < 2:  # noqa: PLR2004  # a partial of a partial
            last = node.func.value if type(node.func).__name__ == "Name" else ""
            name = last or (node.func.attr.value if type(node.func).__name__ == "Attribute" else "")
            if name == "partial" or (last and self._evaluator.name(node.func, place) == "functools.partial"):
                yield from self._leading(node.args[0].value, place, led, depth + 1)

    def _is_model_method(self, node: Node, place: Place) -> bool:
        """Tell whether an expression is a method that sends a request to a model, not called yet."""
        if node.attr.value not in self._methods:
            return False
        name = self._evaluator.name(node, place)
        owner, called, method = name.partition("().")
        client = self._tables.clients.get(owner if called else name)
        if client is not None:
            return client.is_call or method in client.methods
        spelled = spell(node)
        return bool(spelled) and not name and any(spelled.endswith(f".{item}") for item in self._distinctive())

    def _distinctive(self) -> Iterator[str]:
        for sdk in self._network.catalogue.sdks.values():
            yield from sdk.distinctive

    def _decorated(self, scope: Scope, decorator: Node) -> None:
        """Note what a decorator does to a function that leads to a model call."""
        place = _place_of(scope)
        calls = self._network.callers[id(scope)]
        point = Point(decorator, place, calls)
        value = self._evaluator.value(decorator, place)
        for item in v.alternatives(value):
            name = v.dotted(item)
            tool = self._reader.tables.tools.get(name.partition("()")[0])
            if tool is not None:
                node, there = (item.node, item.place) if isinstance(item, v.Instance) else (None, None)
                made = self._made("decorator", decorator, place, self._reader.read(tool, node, there), point)
                self._on_scope.setdefault(id(scope), []).append(made)
                self._found.append(made)
                return
            if isinstance(item, v.Local) and id(item.scope) in self._scopes and item.scope.kind == "function":
                param = _parameter(item.scope, 0, None)
                if param:
                    self._run.setdefault((id(item.scope), param), _Led()).add(calls)
                    self._givers.setdefault((id(item.scope), param), []).append(id(scope))
                return
        called = decorator.func if type(decorator).__name__ == "Call" else decorator
        spelled = spell(called)
        keywords = [
            item.keyword.value for item in getattr(decorator, "args", ()) if item.keyword is not None and not item.star
        ]
        if self._names_retry(spelled.rpartition(".")[2]) or any(map(self._names_retry, keywords)):
            made = RetryLoop(decorator, "decorator", place, spelled, calls=calls, looks=True)
            self._on_scope.setdefault(id(scope), []).append(made)
            self._found.append(made)

    def _running(self) -> None:
        """Note where helpers run what they are given."""
        run, givers = self._run, self._givers
        names = {name for _, name in run}
        for use in self._index.calls:
            func = use.node.func
            candidates = [func] if type(func).__name__ == "Name" and func.value in names else []
            candidates += [
                item.value
                for item in use.node.args
                if type(item.value).__name__ == "Name" and item.value.value in names
            ]
            for node in candidates:
                found = self._evaluator.bindings(node.value, use.place)
                if not found or found[0].kind != "param":
                    continue
                key = (id(found[0].place.scope), node.value)
                led = run.get(key)
                if led is None:
                    continue
                point = Point(use.node, use.place, tuple(led.calls.values()), tuple(led.handed.values()))
                self._points.append(point)
                for scope in dict.fromkeys(givers.get(key, ())):
                    self._run_at.setdefault(scope, []).append(point)

    # what stands between a call and the wire

    def _on_the_wire(self) -> None:
        """Adapters, transports and settings of the clients that calls go through."""
        wired: dict[int, tuple[str, Node, Place, Told, list[ModelCall]]] = {}
        for call in self._network.calls:
            for kind, node, place, told in self._sent_through(call):
                wired.setdefault(id(node), (kind, node, place, told, []))[4].append(call)
        for kind, node, place, told, calls in wired.values():
            made = self._made(kind, node, place, told, Point(node, place, tuple(calls[:_MOST_CALLS])))
            self._found.append(made)
            for call in calls:
                self._on_node.setdefault(id(call.node), []).append(made)

    def _sent_through(self, call: ModelCall) -> Iterator[tuple[str, Node, Place, Told]]:
        seen: set[int] = set()
        for item in self._objects(call):
            if item.node is None or item.place is None or id(item.node) in seen:
                continue
            seen.add(id(item.node))
            tool = self._tool(item)
            if tool is None or not tool.kind:
                continue
            told = self._reader.read(tool, item.node, item.place)
            if told.arguments is not None:
                seen.add(id(told.arguments.node))  # what decides inside another tool is no second one
            yield tool.kind, item.node, item.place, told
        node = call.node.func
        for _ in range(_DEEPEST):
            node = node.value if type(node).__name__ == "Attribute" else None
            for value in v.alternatives(self._evaluator.value(node, call.place)) if node is not None else ():
                yield from self._methods_on_the_way(value)
        known = self._reader.tables.tools.get(self._evaluator.name(call.node.func, call.place))
        if known is not None and known.kind == "setting":
            yield known.kind, call.node, call.place, self._reader.read(known, call.node, call.place)

    def _methods_on_the_way(self, value: v.Value | None) -> Iterator[tuple[str, Node, Place, Told]]:
        """Methods that gave the client it is called on (`llm.with_retry(…)`)."""
        item: v.Value | None = value
        for _ in range(_DEEPEST):
            if not isinstance(item, v.Instance) or item.node is None or item.place is None:
                return
            func = item.node.func
            if type(func).__name__ != "Attribute":
                return
            tool = self._reader.tables.methods.get(func.attr.value)
            if tool is not None:
                yield tool.kind or "setting", item.node, item.place, self._reader.read(tool, item.node, item.place)
            inner = v.alternatives(self._evaluator.value(func.value, item.place))
            item = next((other for other in inner if isinstance(other, v.Instance)), None)

    def _objects(self, call: ModelCall) -> Iterator[v.Instance]:
        """What may repeat a call: its session and what is mounted there, then what call and client are given."""
        holders = [call.arguments]
        if call.connection is not None and call.connection.arguments is not None:
            holders.append(call.connection.arguments)
        if call.http is not None and call.http.session_arguments is not None:
            session, place = call.http.session, call.http.session_arguments.place
            holders.append(call.http.session_arguments)
            yield v.Instance(self._evaluator.name(session.func, place), session, place)
            yield from self._mounted(session)
        for arguments in holders:
            for name, node in arguments:
                if type(node).__name__ in {"Name", "Call", "Attribute", "Dict"}:
                    given = arguments.get((name,))
                    yield from self._instances(given.value if given is not None else v.UNKNOWN)

    def _instances(self, value: v.Value, depth: int = 0) -> Iterator[v.Instance]:
        for item in v.alternatives(value):
            if isinstance(item, v.Instance):
                yield item
                if item.node is not None and item.place is not None and depth < 2:  # noqa: PLR2004  # a client's client's transport
                    for argument in item.node.args:
                        if argument.keyword is not None and type(argument.value).__name__ in {"Name", "Call"}:
                            inner = self._evaluator.value(argument.value, item.place)
                            yield from self._instances(inner, depth + 1)
            elif isinstance(item, v.Table) and depth < 2:  # noqa: PLR2004  # as above
                for _, inner in item.entries:
                    yield from self._instances(inner, depth + 1)

    def _mounted(self, session: Node) -> Iterator[v.Instance]:
        """The adapters that are mounted on a session."""
        for use in self._mounts[:_MOST]:
            if len(use.node.args) < 2:  # noqa: PLR2004  # prefix, adapter
                continue
            owners = v.alternatives(self._evaluator.value(use.node.func.value, use.place))
            if any(isinstance(item, v.Instance) and item.node is session for item in owners):
                adapter = self._evaluator.value(use.node.args[1].value, use.place)
                yield from (item for item in v.alternatives(adapter) if isinstance(item, v.Instance))

    # making

    @staticmethod
    def _made(kind: str, node: Node, place: Place, told: Told, point: Point) -> RetryLoop:
        return RetryLoop(
            node,
            kind,
            place,
            told.tool.id,
            told.attempts,
            told.is_endless,
            told.delay,
            told.seconds,
            told.sleep,
            told.catches,
            told.catches_all,
            looks=told.looks,
            calls=point.calls,
            handed=point.handed,
            told=told,
        )


def _parameter(scope: Scope, position: int | None, name: str | None) -> str:
    """The name of the parameter that an argument is given for; empty when there is none."""
    params = scope.node.params
    positional = [item.name.value for item in (*params.posonly_params, *params.params)]
    if scope.self_name is not None:
        positional = positional[1:]
    if name is not None:
        return name if name in {*positional, *(item.name.value for item in params.kwonly_params)} else ""
    return positional[position] if position is not None and position < len(positional) else ""


def _place_of(scope: Scope) -> Place:
    """Where the decorators of a function are evaluated."""
    outer = scope.parent or scope
    return Place(outer, scope.order, outer.root)


def _is_in(name: str, packages: Iterable[str]) -> bool:
    """Tell whether a dotted name lies in one of some packages."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _is_plain(told: Told) -> bool:
    """Tell whether a tool that knows whose errors it repeats is left to that: nothing else is said, or hidden."""
    if not told.tool.raised_in or told.looks or told.is_open or told.arguments is None:
        return False
    return all(item.keyword is not None for item in told.arguments.node.args)


def _raises_outside(sdk: Sdk | None, packages: tuple[str, ...]) -> bool:
    """Tell whether the errors of an SDK are known, and none of them comes from some packages."""
    names = sdk.errors.names if sdk is not None and sdk.errors is not None else ()
    return bool(names) and not any(_is_in(name, packages) for name in names)
