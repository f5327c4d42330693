"""Where a module starts many model calls at once, and what limits how many: a semaphore, a pool, a batch, few items."""

from __future__ import annotations

import functools

from msgspec import Struct

from keyguard.python import values as v
from keyguard.python.arguments import Arguments, Given, numbers
from keyguard.python.callees import Callees, code_of, is_async, last_name
from keyguard.python.index import Place, spell
from keyguard.python.module import walk
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import Pool
    from keyguard.python.index import Block, CallUse, Node, Role, Scope
    from keyguard.python.network import ModelCall, Network

FEW = 8  # calls at once that every model API takes
_DEEPEST = 4  # names and wrappers that are looked through for the length of a row
_COMPREHENSIONS = frozenset({"ListComp", "GeneratorExp", "SetComp", "DictComp"})
# Calls that give the same row again, item by item.
_SAME_ROW = frozenset({"enumerate", "iter", "list", "reversed", "set", "sorted", "tuple", "tqdm", "zip", "filter"})
_VIEWS = frozenset({"items", "keys", "values"})
_KEEPING = frozenset({"add", "append", "appendleft", "extend"})
_SAME_TASK = frozenset({"shield", "wait_for"})


class FanOut(Struct, frozen=True, eq=False):
    """Model calls that start at once, one for each item of a row.

    `node` starts them, `name` is how that is spelt. `bound` tells what limits them: `few` items, a `batch` of a longer
    row, a `limiter`, a `pool`, the HTTP client's `connections`; empty for nothing. `size` is the number of workers or
    items when it is known, `given` the argument that says it, `items` the row as it is spelt.
    """

    node: Node
    place: Place
    name: str
    calls: tuple[ModelCall, ...]
    bound: str = ""
    items: str = ""
    size: int | None = None
    given: Given | None = None


class _Names(Struct, frozen=True):
    gather: frozenset[str]
    spawn: frozenset[str]
    threads: frozenset[str]
    limiters: frozenset[str]
    batching: frozenset[str]
    lasts: frozenset[str]  # last words of everything that starts something
    pool_methods: frozenset[str]


@functools.lru_cache(maxsize=4)  # one table a catalogue, and a run has one catalogue
def _names_of(catalogue: Catalogue) -> _Names:
    running = catalogue.running
    together = running.together
    lasts = {name.rpartition(".")[2] for name in (*together.gather, *together.spawn, *together.threads)}
    methods = {name for pool in running.pools for name in pool.methods}
    return _Names(
        frozenset(together.gather),
        frozenset(together.spawn),
        frozenset(together.threads),
        frozenset(running.limit.names),
        frozenset(running.limit.batching),
        frozenset(lasts | methods | {*together.spawn_methods, *together.hand_methods, "map"}),
        frozenset(methods),
    )


def fan_outs(network: Network) -> Iterator[FanOut]:
    """Yield every place where a module starts model calls for the items of a row without waiting for each."""
    if network.calls:
        yield from _Finder(network).find()


class _Way(Struct):
    """Where a coroutine goes: comprehensions it is the element of, what starts it, the names of the list it is in."""

    comprehensions: list[Node]
    spawned: Node = None
    gathered: Node = None
    names: tuple[str, ...] = ()
    wrappers: list[Scope] | None = None
    is_limited: bool = False
    is_lost: bool = False


class _Finder:
    """One pass over the calls of a module."""

    def __init__(self, network: Network) -> None:
        self.network, self.index, self.evaluator = network, network.index, network.evaluator
        self.running = network.catalogue.running
        self.names = _names_of(network.catalogue)
        self.callees = Callees(self.index, self.evaluator)
        self.at: dict[int, ModelCall] = {id(call.node): call for call in network.calls}
        reaching = [scope for scope in self.index.scopes if network.callers.get(id(scope)) is not None]
        self.reaching = {scope.name for scope in reaching if scope.kind == "function"}
        self.methods = {call.method.rpartition(".")[2] for call in network.calls if call.is_async}
        self.gathers: dict[int, list[CallUse]] = {}
        self.keeping: dict[int, list[CallUse]] = {}
        self.limited: set[int] = set()
        self.seen: set[int] = set()
        for use in self.index.calls:
            last = last_name(use.node.func)
            if last in self.names.lasts and self._name(use.node.func, use.place) in self.names.gather:
                self.gathers.setdefault(id(use.place.scope.function), []).append(use)
            elif last in _KEEPING:
                self.keeping.setdefault(id(use.place.scope.function), []).append(use)
            if last in self.running.limit.methods:
                self.limited.add(id(use.place.scope.function))
        for held in self.index.withs:
            if any(self._limits(item.item, held.place) for item in held.node.items):
                self.limited.add(id(held.place.scope.function))
        for scope in self.index.scopes:
            if any(self._limits(item, _outside(scope)) for item in scope.decorators):
                self.limited.add(id(scope))

    def find(self) -> Iterator[FanOut]:
        for use in self.index.calls:
            last = last_name(use.node.func)
            if last in self.methods or last in self.reaching:
                yield from self._coroutine(use)
            elif last in self.names.lasts:
                yield from self._handed(use, last)

    def _name(self, node: Node, place: Place) -> str:
        return self.evaluator.name(node, place)

    # coroutines

    def _coroutine(self, use: CallUse) -> Iterator[FanOut]:
        """A call that makes a coroutine: a model call itself, or a function that leads to one."""
        if id(use.node) in self.index.awaited:
            return
        own = self.at.get(id(use.node))
        if own is not None:
            if own.is_async:
                yield from self._started(use, (own,), (), [])
            return
        scope = self.callees.function(use.node.func, use.place)
        if scope is not None and is_async(scope) and not scope.is_generator:
            yield from self._started(use, self._reached(scope), (scope,), [])

    def _reached(self, scope: Scope) -> tuple[ModelCall, ...]:
        return self.network.callers.get(id(scope), ())

    def _started(
        self, use: CallUse, calls: tuple[ModelCall, ...], scopes: tuple[Scope, ...], rows: list[tuple[Node, Place]]
    ) -> Iterator[FanOut]:
        """Follow a coroutine to what runs it, and see how many of it there are."""
        if not calls:
            return
        way = self._way(use)
        if way.is_lost:
            return
        starter = way.gathered or way.spawned
        around: Block | None = None  # loops around this block wait for each round
        if way.gathered is not None:
            around = use.place.block
        elif way.names:
            kept = self._kept_in(way.names, use) if way.spawned is not None else way.names
            found = self._gather_of(kept or way.names, use)
            if found is not None:
                if self._is_sliced(found.node):
                    return
                starter, around = found.node, found.place.block
            elif kept is None:
                return
        if starter is None:
            return
        rows = [*rows, *self._clauses(way.comprehensions, use.place), *self._loops(use, around)]
        if rows and id(starter) not in self.seen:
            self.seen.add(id(starter))
            yield self._made(use, starter, calls, (*scopes, *(way.wrappers or ())), rows, is_limited=way.is_limited)

    def _way(self, use: CallUse) -> _Way:
        way = _Way([])
        for role in use.role.up():
            kind = role.kind
            if kind == "element" and type(role.node).__name__ in _COMPREHENSIONS:
                way.comprehensions.append(role.node)
            elif kind == "argument":
                if self._passed(role, use, way):
                    return way
            elif kind in {"assign", "attribute"}:
                way.names = role.names
                return way
            elif kind == "expression":
                return way
            elif kind not in {"element", "part", "choice", "fallback", "dict-value"}:
                way.is_lost = True
                return way
        return way

    def _passed(self, role: Role, use: CallUse, way: _Way) -> bool:  # noqa: PLR0911  # one return a kind of callee
        """Note what a coroutine, or a list of them, is given to; tell whether that is the end of its way."""
        func = role.node.func
        last = last_name(func)
        name = self._name(func, use.place)
        if name in self.names.gather:
            way.gathered = role.node
            return True
        if name in self.names.spawn or last in self.running.together.spawn_methods:
            way.spawned = role.node
            return False
        if last in _KEEPING and type(func).__name__ == "Attribute":
            way.names = (spell(func.value).rpartition(".")[2],)
            return True
        if last in _SAME_ROW or last in _SAME_TASK or name == "dict":
            return False
        if self._is_limiter_word(last):
            way.is_limited = True
            return False
        scope = self.callees.function(func, use.place)
        if scope is not None and is_async(scope):
            way.wrappers = [*(way.wrappers or ()), scope]
            return False
        way.is_lost = True
        return True

    def _kept_in(self, names: tuple[str, ...], use: CallUse) -> tuple[str, ...] | None:
        """The lists that a task is put into; None when it is only held by its own name, and awaited soon."""
        for kept in self.keeping.get(id(use.place.scope.function), ()):
            for item in kept.node.args:
                if type(item.value).__name__ == "Name" and item.value.value in names:
                    return (*names, spell(kept.node.func.value).rpartition(".")[2])
                if item.value is use.node or use.role.node is item.value:
                    return names
        return names if use.place.scope.kind == "comprehension" else None

    def _gather_of(self, names: tuple[str, ...], use: CallUse) -> CallUse | None:
        """What runs the coroutines of a list, in the same function."""
        for found in self.gathers.get(id(use.place.scope.function), ()):
            for item in found.node.args:
                node = item.value
                while type(node).__name__ in {"Subscript", "Starred"}:
                    node = node.value
                if last_name(node) in names and found.place.order >= use.place.order:
                    return found
        return None

    @staticmethod
    def _is_sliced(call: Node) -> bool:
        return any(type(item.value).__name__ == "Subscript" for item in call.args)

    @staticmethod
    def _clauses(comprehensions: Iterable[Node], place: Place) -> Iterator[tuple[Node, Place]]:
        for node in comprehensions:
            clause = node.for_in
            while clause is not None:
                if clause.asynchronous is None:
                    yield clause.iter, place
                clause = clause.inner_for_in

    def _loops(self, use: CallUse, around: Block | None) -> Iterator[tuple[Node, Place]]:
        """The rows of the loops that start one call a round and do not wait for it."""
        for block in use.place.block.chain():
            if not block.loop or (around is not None and block.holds(around)):
                continue
            if type(block.node).__name__ == "For" and block.node.asynchronous is None:
                yield block.node.iter, use.place

    # functions handed over

    def _handed(self, use: CallUse, last: str) -> Iterator[FanOut]:
        """A call that starts a function it is given."""
        name = self._name(use.node.func, use.place)
        if name == "map":
            given = [item.value for item in use.node.args if item.keyword is None and not item.star]
            if len(given) > 1 and (scope := self.callees.function(given[0], use.place)) is not None and is_async(scope):
                yield from self._started(use, self._reached(scope), (scope,), [(given[1], use.place)])
        elif name in self.names.threads:
            yield from self._thread(use)
        elif last in self.running.together.hand_methods:
            scope = self._first(use)
            rows = list(self._loops(use, None))
            if scope is not None and rows and self._reached(scope):
                yield self._made(use, use.node, self._reached(scope), (scope,), rows)
        elif last in self.names.pool_methods and type(use.node.func).__name__ == "Attribute":
            yield from self._pooled(use, last)

    def _first(self, use: CallUse) -> Scope | None:
        """The function that a call is given first."""
        args = use.node.args
        return self.callees.function(args[0].value, use.place) if args and not args[0].star else None

    def _thread(self, use: CallUse) -> Iterator[FanOut]:
        target = Arguments(use.node, use.place, self.evaluator)
        node = next((node for name, node in target if name in self.running.together.thread_params), None)
        scope = self.callees.function(node, use.place) if node is not None else None
        if scope is None or not self._reached(scope):
            return
        rows = list(self._loops(use, None))
        comprehensions = [
            role.node
            for role in use.role.up()
            if role.kind == "element" and type(role.node).__name__ in _COMPREHENSIONS
        ]
        rows += self._clauses(comprehensions, use.place)
        if rows and not self._joined(use):
            yield self._made(use, use.node, self._reached(scope), (scope,), rows)

    def _joined(self, use: CallUse) -> bool:
        """Tell whether a thread is waited for in the round that starts it."""
        names = use.role.outer.names
        loop = next((block for block in use.place.block.chain() if block.loop), None)
        return loop is not None and any(
            last_name(other.node.func) == "join"
            and type(other.node.func).__name__ == "Attribute"
            and last_name(other.node.func.value) in names
            and loop.holds(other.place.block)
            for other in self.callees.calls_in(use.place.scope.function)
        )

    def _pooled(self, use: CallUse, last: str) -> Iterator[FanOut]:
        scope = self._first(use)
        calls = self._reached(scope) if scope is not None else ()
        if not calls:
            return
        for item in v.alternatives(self.evaluator.value(use.node.func.value, use.place)):
            if not isinstance(item, v.Instance) or item.node is None or item.place is None:
                continue
            pool = next((pool for pool in self.running.pools if item.name in pool.names and last in pool.methods), None)
            if pool is not None and id(item.node) not in self.seen:
                self.seen.add(id(item.node))
                yield self._of_pool(pool, item.node, item.place, item.name, calls, scope)

    def _of_pool(  # noqa: PLR0913, PLR0917  # what is known of a pool
        self, pool: Pool, node: Node, place: Place, name: str, calls: tuple[ModelCall, ...], scope: Scope | None
    ) -> FanOut:
        given = Arguments(node, place, self.evaluator).get(pool.params, pool.position)
        size = max(map(int, numbers(given.value)), default=None) if given is not None and given.is_known else None
        items = self._counted(given.node, given.place) if given is not None else ""
        bound = "" if items else "pool"
        if scope is not None and self._is_limited(scope):
            bound = "limiter"
        return FanOut(node, place, name.rpartition(".")[2], calls, bound, items, size, given)

    # limits

    def _made(  # noqa: PLR0913  # what is known of a fan-out
        self,
        use: CallUse,
        starter: Node,
        calls: tuple[ModelCall, ...],
        scopes: Sequence[Scope],
        rows: Sequence[tuple[Node, Place]],
        *,
        is_limited: bool = False,
    ) -> FanOut:
        bound, items, size = "", "", None
        lengths = [(self._length(node, place), node) for node, place in rows]
        endless = next((((kind, count), node) for (kind, count), node in lengths if not kind), None)
        if endless is not None:
            (_, size), node = endless
            items = code_of(node)
        else:
            bound = lengths[0][0][0]
        if is_limited or any(map(self._is_limited, scopes)) or self._holds_back(use):
            bound = "limiter"
        elif not bound and all(map(self._has_own_connections, calls)):
            bound = "connections"
        return FanOut(starter, use.place, spell(starter.func) or last_name(starter.func), calls, bound, items, size)

    def _length(self, node: Node, place: Place, depth: int = 0) -> tuple[str, int | None]:  # noqa: C901, PLR0911  # one arm a kind of row
        """What limits a row (`few` or `batch`, empty for nothing), and its length when it is known."""
        kind = type(node).__name__
        if kind == "Subscript" and any(type(item.slice).__name__ == "Slice" for item in node.slice):
            return "batch", None
        if self._is_part(last_name(node)):
            return "batch", None
        if last_name(node).lower().endswith(self.running.limit.few):
            return "few", None
        if kind == "Call":
            return self._length_of_call(node, place, depth)
        if kind in {"List", "Tuple", "Set", "Dict"} and not any(
            "Starred" in type(item).__name__ for item in node.elements
        ):
            count = len(node.elements)
            return ("few" if count <= FEW else ""), count
        if kind in _COMPREHENSIONS:
            return self._length(node.for_in.iter, place, depth + 1) if depth < _DEEPEST else ("", None)
        if kind == "Name" and depth < _DEEPEST:
            found = self.evaluator.bindings(node.value, place) or []
            if self._grows(node.value, place):
                return "", None
            if len(found) == 1 and found[0].kind in {"assign", "walrus"}:
                return self._length(found[0].node, found[0].place, depth + 1)
            if len(found) == 1 and found[0].kind == "for" and self._is_part(last_name(found[0].node)):
                return "batch", None
        if kind in {"Name", "Attribute"}:
            value = self.evaluator.value(node, place)
            counts = [len(item.items) for item in v.alternatives(value) if isinstance(item, v.Items)]
            counts += [len(item.entries) for item in v.alternatives(value) if isinstance(item, v.Table)]
            if counts and len(counts) == len(v.alternatives(value)) and min(counts):
                return ("few" if max(counts) <= FEW else ""), max(counts)
        return "", None

    def _length_of_call(self, node: Node, place: Place, depth: int) -> tuple[str, int | None]:  # noqa: PLR0911  # one return a kind of call
        last = last_name(node.func)
        given = [item.value for item in node.args if item.keyword is None and not item.star]
        if self._name(node.func, place) in self.names.batching:
            return "batch", None
        if last == "range":
            values = [self.evaluator.value(item, place) for item in given]
            if any(self._counted(item, place) for item in given):
                return "", None
            known = [int(number) for value in values[:2] for number in numbers(value)]
            if len(known) == len(values[:2]) == len(values) and known:
                count = known[-1] - (known[0] if len(known) > 1 else 0)
                return ("few" if count <= FEW else ""), count
            return "few", None  # a number that somebody chose
        if last in _SAME_ROW and given and depth < _DEEPEST:
            lengths = [self._length(item, place, depth + 1) for item in given]
            return next((found for found in lengths if found[0]), lengths[0])
        if last in _VIEWS and type(node.func).__name__ == "Attribute" and depth < _DEEPEST:
            return self._length(node.func.value, place, depth + 1)
        return "", None

    def _counted(self, node: Node, place: Place) -> str:
        """What a number of items is counted of (`len(prompts)`), as it is spelt; empty for another number."""
        if type(node).__name__ == "Name":
            found = self.evaluator.bindings(node.value, place) or []
            if len(found) == 1 and found[0].kind in {"assign", "walrus"}:
                node = found[0].node
        if type(node).__name__ == "Call" and last_name(node.func) == "len" and node.args:
            return code_of(node.args[0].value) or "…"
        return ""

    def _grows(self, name: str, place: Place) -> bool:
        """Tell whether a list is added to after it was made."""
        return any(
            last_name(use.node.func.value) == name and use.node.func.attr.value in _KEEPING
            for use in self.keeping.get(id(place.scope.function), ())
            if type(use.node.func).__name__ == "Attribute"
        )

    def _is_part(self, name: str) -> bool:
        lowered = name.lower()
        return any(word in lowered for word in self.running.limit.batches)

    def _is_limiter_word(self, name: str) -> bool:
        lowered = name.lower()
        return any(word in lowered for word in self.running.limit.words)

    def _limits(self, node: Node, place: Place) -> bool:
        """Tell whether an expression is what lets only so many through."""
        name = last_name(node)
        if name and self._is_limiter_word(name):
            return True
        if type(node).__name__ == "Call" and type(node.func).__name__ == "Attribute":
            owner = last_name(node.func.value)
            if owner and self._is_limiter_word(owner):
                return True
        return any(
            isinstance(item, v.Instance) and item.name in self.names.limiters
            for item in v.alternatives(self.evaluator.value(node, place))
        )

    def _is_limited(self, scope: Scope) -> bool:
        return any(id(item) in self.limited for item in self.callees.below(scope))

    def _holds_back(self, use: CallUse) -> bool:
        """Tell whether each round waits for its turn before it starts its call, or the call is given a limiter."""
        for item in use.node.args:
            named = item.keyword.value if item.keyword is not None else ""
            if self._is_limiter_word(named) or self._is_limiter_word(last_name(item.value)):
                return True
        function = use.place.scope.function
        if any(
            held.holds(use.place) and any(self._limits(item.item, held.place) for item in held.node.items)
            for held in self.index.withs
            if held.place.scope.function is function
        ):
            return True
        asking = (last_name(other.node.func) for other in self.callees.calls_in(function))
        return any(last in self.running.limit.methods for last in asking) or self._is_counted(use)

    def _is_counted(self, use: CallUse) -> bool:
        """Tell whether the loop that starts calls asks how many there are (`if running >= MAX_CONCURRENT`)."""
        loop = next((block.node for block in use.place.block.chain() if block.loop), None)
        return loop is not None and any(
            self._is_limiter_word(part.value) or part.value == "len"
            for statement in walk(loop.body, lambda node: type(node).__name__ not in {"FunctionDef", "Lambda"})
            if type(statement).__name__ in {"If", "While"}
            for part in walk(statement.test)
            if type(part).__name__ == "Name"
        )

    def _has_own_connections(self, call: ModelCall) -> bool:
        """Tell whether the HTTP client of a call was told how many connections it may open."""
        names = self.running.limit.connection_params
        if call.http is not None:
            own = call.http.session_arguments
            return own is not None and any(own.has(name) for name in names)
        connection = call.connection
        if connection is None or connection.arguments is None or connection.sdk is None:
            return False
        given = connection.arguments.get(connection.sdk.http_params)
        return given is not None and any(
            Arguments(item.node, item.place, self.evaluator).has(name)
            for item in v.alternatives(given.value)
            if isinstance(item, v.Instance) and item.node is not None and item.place is not None
            for name in names
        )


def _outside(scope: Scope) -> Place:
    """Where what decorates a function is evaluated: around it."""
    outer = scope.parent or scope
    return Place(outer, float("inf"), outer.root)
