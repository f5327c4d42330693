"""Reads the loops, recursions and except clauses around model calls: is it a retry, what ends it, how long it waits."""

from __future__ import annotations

from msgspec import Struct, field

from keyguard.python import values as v
from keyguard.python.errors import errors_of
from keyguard.python.index import spell
from keyguard.python.pauses import Pauses
from keyguard.python.retries import Caught, Handler, Rescue, RetryLoop
from keyguard.python.retrytools import likely
from keyguard.python.ways import (
    AGAIN,
    BREAK,
    CONTINUE,
    ON,
    OUT,
    RETURN,
    before,
    following,
    goes_on,
    inside,
    is_true,
    names_in,
    statements,
    ways,
    written,
)
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keyguard.python.index import Block, CallUse, Node, Place, Scope
    from keyguard.python.network import ModelCall, Network
    from keyguard.python.retries import Point
    from keyguard.python.retrytools import ToolReader

_TRIES = frozenset({"Try", "TryStar"})
_MOST_TRIES = 8  # nested or repeated in one loop
_SHOWING = frozenset({"debug", "error", "exception", "info", "log", "print", "warn", "warning", "write"})
_COUNTED = frozenset({"range", "builtins.range"})
_ENDLESS = frozenset({"itertools.count", "itertools.repeat", "itertools.cycle"})


class _Round(Struct):
    """What is known of one loop while it is looked at: the points in it, by the `try` they stand in."""

    block: Block
    points: dict[int, Point] = field(default_factory=dict)
    tries: dict[int, tuple[Block, list[Point]]] = field(default_factory=dict)
    bare: list[Point] = field(default_factory=list)


class _Path(Struct):
    """How control goes through a loop around one `try`: the ways of success and of each except clause."""

    node: Node
    success: frozenset[str]
    moving: list[Node]  # statements that run when the call succeeded
    rest: list[Sequence[Node]]
    handlers: list[Handler]


class Loops:
    """Goes through the places that lead to model calls and reads what repeats them in their own function."""

    def __init__(self, network: Network, points: Iterable[Point], reader: ToolReader) -> None:
        """Read the loops around some points."""
        self._network, self._index, self._evaluator = network, network.index, network.evaluator
        self._words, self._reader = network.catalogue.retrying, reader
        self._errors = errors_of(network.catalogue)
        self._exits = frozenset(self._words.exits)
        self._uses = {id(use.node): use for use in network.index.calls}
        self._headers = {id(block): place for _, block, place in network.index.loops}
        self._try_places = {id(block): place for _, block, place in network.index.tries}
        self._pauses = Pauses(network, self._uses)
        self._stars = any(scope.stars for scope in network.index.scopes)
        self._rounds: dict[int, _Round] = {}
        self._tried: dict[int, tuple[Block, list[Point]]] = {}
        self._silent: dict[int, bool] = {}
        for point in points:
            self._sort(point)
        self.loops = [loop for found in self._rounds.values() if (loop := self._loop(found)) is not None]
        self.recursions = [
            loop for block, inner in self._tried.values() if (loop := self._recursion(block, inner)) is not None
        ]
        self._repeating = {
            id(handler.node): handler for loop in (*self.loops, *self.recursions) for handler in loop.handlers
        }
        self.rescues = [self._rescue(block, inner) for block, inner in self._tried.values()]

    def _sort(self, point: Point) -> None:
        """Put a point to the loops and tries around it."""
        tries: list[Block] = []
        for block in point.place.block.chain():
            if type(block.node).__name__ in _TRIES:
                tries.append(block)
                self._tried.setdefault(id(block), (block, []))[1].append(point)
            elif block.loop:
                found = self._rounds.setdefault(id(block), _Round(block))
                found.points[id(point.node)] = point
                for item in tries[:_MOST_TRIES]:
                    found.tries.setdefault(id(item), (item, []))[1].append(point)
                if not tries:
                    found.bare.append(point)
                tries = []

    # loops

    def _loop(self, found: _Round) -> RetryLoop | None:
        node, header = found.block.node, self._headers.get(id(found.block))
        if header is None or node is None:
            return None
        if type(node).__name__ == "For":
            made = self._context(found, header)
            if made is not None:
                return made
        if self._waits_for_input(node):
            return None
        paths = []
        for block, points in list(found.tries.values())[:_MOST_TRIES]:
            path = self._path(node, block, points)
            if path is not None and any(handler.repeats for handler in path.handlers):
                paths.append((path, points))
        kept = [(path, points) for path, points in paths if self._is_retry(node, header, path)]
        if kept:
            return self._tried_again(found, header, kept)
        return self._asked_again(found, header) if found.bare and not paths else None

    def _context(self, found: _Round, header: Place) -> RetryLoop | None:
        """`for attempt in Retrying(…):`."""
        node = found.block.node
        for item in v.alternatives(self._evaluator.value(node.iter, header)):
            tool = self._reader.tables.tools.get(item.name.partition("()")[0]) if isinstance(item, v.Instance) else None
            if tool is None or not isinstance(item, v.Instance):
                continue
            told = self._reader.read(tool, item.node, item.place)
            calls, handed = _of_points(found.points.values())
            return RetryLoop(
                node,
                "context",
                header,
                tool.id,
                told.attempts,
                told.is_endless,
                told.delay,
                told.seconds,
                told.sleep,
                told.catches,
                told.catches_all,
                looks=told.looks,
                calls=calls,
                handed=handed,
                until=node.iter,
                told=told,
                block=found.block,
            )
        return None

    def _waits_for_input(self, loop: Node) -> bool:
        """Tell whether a loop waits for a person or a message in every round."""
        words = self._words
        for node in inside(loop):
            if type(node).__name__ != "Call":
                continue
            func = node.func
            if type(func).__name__ == "Attribute" and func.attr.value in words.input_methods:
                return True
            spelled = spell(func)
            if spelled and (spelled in words.input_calls or self._named(node) in words.input_calls):
                return True
        return False

    def _named(self, call: Node) -> str:
        use = self._uses.get(id(call))
        return self._evaluator.name(call.func, use.place) if use is not None else ""

    def _path(self, loop: Node, block: Block, points: list[Point]) -> _Path | None:
        """How control goes when the calls in a `try` of a loop succeed, and when they fail."""
        node = block.node
        body = statements(loop.body)
        rest = following(body, node)
        if rest is None:
            return None
        ids = {id(point.node) for point in points}
        inner = statements(node.body)
        at = next(
            (number for number, item in enumerate(inner) if any(id(part) in ids for part in inside(item))), len(inner)
        )
        moving = list(inner[at:])
        success = set(ways(moving, self._exits))
        if node.orelse is not None and ON in success:
            moving += statements(node.orelse.body)
            success = (success - {ON}) | ways(statements(node.orelse.body), self._exits)
        if node.finalbody is not None:
            rest = [statements(node.finalbody.body), *rest]
        after = goes_on(rest, self._exits)
        if ON in success:
            success = (success - {ON}) | after
        earlier = before(body, node) or []
        leaves_before = bool(ways(earlier, self._exits) & OUT)
        handlers: list[Handler] = []
        spares: set[str] = set()
        for item in node.handlers:
            own = ways(statements(item.body), self._exits)
            whole = (own - {ON}) | (after if ON in own else frozenset())
            handlers.append(
                self._handler(
                    item,
                    block,
                    repeats=bool(whole & AGAIN),
                    is_endless=not whole & OUT and not leaves_before,
                    ground=[*earlier, *(part for run in rest for part in run)] if ON in own else earlier,
                    loop=loop,
                    leaves=bool(own & OUT),
                    spares=tuple(sorted(spares)),
                )
            )
            spares |= handlers[-1].kinds
        return _Path(node, frozenset(success), moving, rest, handlers)

    def _is_retry(self, loop: Node, header: Place, path: _Path) -> bool:
        """Tell whether a loop ends when the call succeeded: others go through items, serve, or talk."""
        leaves = bool(path.success & {BREAK, RETURN})
        always = leaves and not path.success & AGAIN
        leaves = leaves and self._ends_by_leaving(path)
        if type(loop).__name__ == "For":
            value = self._evaluator.value(loop.iter, header)
            if not (_is_counting(value) or _are_numbers(value)):
                return False
            return always or (leaves and self._says_attempt(loop))
        if is_true(loop.test):
            return leaves
        return always or (leaves and self._says_attempt(loop)) or bool(self._moved_by_success(loop, path))

    def _ends_by_leaving(self, path: _Path) -> bool:
        """Tell whether a round ends with the question whether to go on: whatever else follows is the round's work."""
        for run in reversed([path.moving, *path.rest]):
            for statement in reversed(run):
                kind = type(statement).__name__
                if kind == "If":
                    return bool(ways([statement], self._exits) & {BREAK, RETURN})
                if kind in {"SimpleStatementLine", "SimpleStatementSuite"} and self._is_aside(statement):
                    continue
                return bool(ways([statement], self._exits) & {BREAK, RETURN, CONTINUE})
        return False

    def _is_aside(self, statement: Node) -> bool:
        """Tell whether a line only waits, shows or counts."""
        for small in statement.body:
            kind = type(small).__name__
            if kind == "Continue":
                return False
            call: Node = small.value if kind == "Expr" else None
            if type(call).__name__ == "Await":
                call = call.expression
            shows = type(call).__name__ == "Call" and (
                self._pauses.is_sleep(call) or spell(call.func).rpartition(".")[2] in _SHOWING
            )
            if not shows and kind != "AugAssign":
                return False
        return True

    def _says_attempt(self, loop: Node) -> bool:
        """Tell whether a loop's header names attempts."""
        head = (loop.target, loop.iter) if type(loop).__name__ == "For" else (loop.test,)
        words = self._words.attempt_words
        for part in head:
            for name in names_in(part):
                last = name.rpartition(".")[2].lower()
                if last == "_" or any(word in last.split("_") or (len(word) > 3 and word in last) for word in words):  # noqa: PLR2004  # `try` stands in many words
                    return True
        return False

    def _moved_by_success(self, loop: Node, path: _Path) -> set[str]:
        """The names of a loop's test that only a call that succeeded changes."""
        names = _tested(loop.test)
        return {name for name, _ in written(path.moving)} & names

    def _is_endless(self, loop: Node, header: Place, path: _Path) -> bool:
        if not any(handler.repeats and handler.is_endless for handler in path.handlers):
            return False
        if type(loop).__name__ == "For":
            value = self._evaluator.value(loop.iter, header)
            return isinstance(value, v.Instance) and value.name in _ENDLESS and not _has_times(value)
        if is_true(loop.test):
            return True
        if _asks(loop.test):
            return False
        names = _tested(loop.test)
        always = before(statements(loop.body), path.node) or []
        on_error = [*always, *(part for run in path.rest for part in run)]
        on_error += [part for handler in path.handlers for part in statements(handler.node.body)]
        if {name for name, _ in written(on_error)} & names:
            return False
        moved = {name for name, _ in written(path.moving)}
        # An attribute that the loop does not change may be changed by someone else.
        return bool(moved & names) and not any("." in name and name not in moved for name in names)

    def _tried_again(self, found: _Round, header: Place, paths: list[tuple[_Path, list[Point]]]) -> RetryLoop:
        node = found.block.node
        handlers = tuple(handler for path, _ in paths for handler in path.handlers if handler.repeats)
        calls, handed = _of_points(point for _, points in paths for point in points)
        delay, seconds, sleep = _best(handlers)
        return RetryLoop(
            node,
            "loop",
            header,
            attempts=self._attempts(node, header, [path for path, _ in paths]),
            is_endless=any(self._is_endless(node, header, path) for path, _ in paths),
            delay=delay,
            seconds=seconds,
            sleep=sleep,
            catches=tuple(dict.fromkeys(item.name for handler in handlers for item in handler.caught)),
            catches_all=any(handler.catches_all for handler in handlers),
            handlers=handlers,
            looks=all(handler.looks for handler in handlers) or self._pauses.looks_at_status(node),
            looks_at_quota=any(handler.looks_at_quota for handler in handlers),
            honours_wait=self._pauses.honours_wait(node),
            reraises=not all(handler.is_endless for handler in handlers),
            is_polling=self._is_polling(calls),
            calls=calls,
            handed=handed,
            until=node.iter if type(node).__name__ == "For" else node.test,
            block=found.block,
        )

    def _is_polling(self, calls: tuple[ModelCall, ...]) -> bool:
        """Tell whether nothing but the state of a job is asked for, or whether someone answers at all."""
        polling = self._words.polling_methods
        return bool(calls) and all(
            call.method.rpartition(".")[2] in polling or self._uses[id(call.node)].statement for call in calls
        )

    def _asked_again(self, found: _Round, header: Place) -> RetryLoop | None:
        """A loop without `try` that repeats a raw request until its status is fine."""
        node = found.block.node
        points = [point for point in found.bare if all(call.http is not None for call in point.calls)]
        if not points or not all(point.calls for point in points):
            return None
        body = statements(node.body)
        ids = {id(point.node) for point in points}
        at = next((number for number, item in enumerate(body) if any(id(part) in ids for part in inside(item))), None)
        if at is None:
            return None
        after = ways(body[at:], self._exits)
        if not after & {BREAK, RETURN} or not after & AGAIN:
            return None
        counts = type(node).__name__ == "For" and _is_counting(self._evaluator.value(node.iter, header))
        endless = type(node).__name__ == "While" and is_true(node.test)
        if not (endless or ((counts or type(node).__name__ == "While") and self._says_attempt(node))):
            return None
        if not self._pauses.looks_at_status(node):
            return None
        calls, handed = _of_points(points)
        delay, seconds, sleep = self._pauses.of(body[at:], node)
        return RetryLoop(
            node,
            "loop",
            header,
            attempts=self._attempts(node, header, []),
            delay=delay,
            seconds=seconds,
            sleep=sleep,
            looks=True,
            looks_at_quota=self._pauses.looks_at_quota(node),
            honours_wait=self._pauses.honours_wait(node),
            reraises=True,
            is_polling=self._is_polling(calls),
            calls=calls,
            handed=handed,
            until=node.iter if counts else getattr(node, "test", None),
            block=found.block,
        )

    def _attempts(self, loop: Node, header: Place, paths: list[_Path]) -> int | None:
        """How often a loop runs at most; None when nobody knows."""
        if type(loop).__name__ == "For":
            value = self._evaluator.value(loop.iter, header)
            if isinstance(value, v.Items):
                return len(value.items)
            if isinstance(value, v.Instance) and value.name in _COUNTED and value.node is not None:
                return self._ranged(value)
            return None
        return self._compared(loop, header, paths)

    def _ranged(self, value: v.Instance) -> int | None:
        if value.place is None or any(item.star or item.keyword is not None for item in value.node.args):
            return None
        known = [likely(self._evaluator.value(item.value, value.place)) for item in value.node.args]
        if len(known) == 1:
            return known[0]
        if len(known) == 2 and known[0] is not None and known[1] is not None:  # noqa: PLR2004  # start and stop
            return known[1] - known[0]
        return None

    def _compared(self, loop: Node, header: Place, paths: list[_Path]) -> int | None:
        """The bound of `while attempt < 5`, when the error path counts."""
        counted = {
            name
            for path in paths
            for name, node in written(
                [part for handler in path.handlers for part in statements(handler.node.body)]
                + [part for run in path.rest for part in run]
                + (before(statements(loop.body), path.node) or [])
            )
            if type(node).__name__ in {"AugAssign", "Assign"}
        }
        for node in inside(loop.test):
            if type(node).__name__ != "Comparison" or len(node.comparisons) != 1:
                continue
            operator = type(node.comparisons[0].operator).__name__
            if operator in {"LessThan", "LessThanEqual"} and spell(node.left) in counted:
                bound = likely(self._evaluator.value(node.comparisons[0].comparator, header))
                return bound + (operator == "LessThanEqual") if bound is not None else None
        return None

    # recursion

    def _recursion(self, block: Block, points: list[Point]) -> RetryLoop | None:
        """A function that calls itself again in an except clause."""
        place = self._try_places.get(id(block))
        scope = points[0].place.scope.function
        if place is None or scope.kind != "function":
            return None
        found: dict[int, tuple[Handler, Node]] = {}
        for site in self._evaluator.sites(scope):
            if site.place.scope.function is scope and len(found) < _MOST_TRIES:
                clause = self._again(site, block, scope)
                if clause is not None:
                    found.setdefault(id(clause.node), (clause, site.node))
        if not found:
            return None
        handlers = tuple(handler for handler, _ in found.values())
        sites = [node for handler, node in found.values() if handler.is_endless]
        calls, handed = _of_points(points)
        delay, seconds, sleep = _best(handlers)
        return RetryLoop(
            scope.node,
            "recursion",
            place,
            is_endless=bool(sites),
            delay=delay,
            seconds=seconds,
            sleep=sleep,
            catches=tuple(dict.fromkeys(item.name for handler in handlers for item in handler.caught)),
            catches_all=any(handler.catches_all for handler in handlers),
            handlers=handlers,
            looks=all(handler.looks for handler in handlers),
            looks_at_quota=any(handler.looks_at_quota for handler in handlers),
            honours_wait=any(handler.honours_wait for handler in handlers),
            reraises=not sites,
            is_polling=self._is_polling(calls),
            calls=calls,
            handed=handed,
            until=sites[0] if sites else next(node for _, node in found.values()),
        )

    def _again(self, site: CallUse, block: Block, scope: Scope) -> Handler | None:
        """The except clause of a `try` in which a function calls itself; None when the call stands elsewhere."""
        chain = list(site.place.block.chain())
        clause = next((item for item in block.node.handlers if any(part.node is item for part in chain)), None)
        if clause is None:
            return None
        below = chain[: next(number for number, part in enumerate(chain) if part.node is clause)]
        counts = any(type(part).__name__ == "BinaryOperation" for item in site.node.args for part in inside(item.value))
        conditional = any(type(part.node).__name__ == "If" for part in below)
        endless = not counts and not conditional and not self._limited(statements(scope.node.body))
        return self._handler(
            clause, block, repeats=True, is_endless=endless, ground=[], loop=scope.node, leaves=conditional
        )

    def _limited(self, body: Sequence[Node]) -> bool:
        """Tell whether a function gives up before it tries (`if self.tries > 5: raise`)."""
        return any(type(item).__name__ == "If" and self._names_attempt(item.test) for item in body)

    def _names_attempt(self, node: Node) -> bool:
        words = self._words.attempt_words
        return any(word in name.lower() for name in names_in(node) for word in words)

    # except clauses

    def _handler(  # noqa: PLR0913  # what is known of a clause
        self,
        node: Node,
        block: Block,
        *,
        repeats: bool,
        is_endless: bool,
        ground: list[Node],
        loop: Node,
        leaves: bool = False,
        spares: tuple[str, ...] = (),
    ) -> Handler:
        place = self._try_places[id(block)]
        caught = tuple(self._caught(node.type, place))
        body = list(statements(node.body))
        delay, seconds, sleep = self._pauses.of([*body, *ground], loop)
        answer, given = _answer(body)
        return Handler(
            node,
            place,
            caught,
            catches_all=node.type is None or any(item.kind == "all" for item in caught),
            spares=spares,
            leaves=leaves,
            repeats=repeats,
            is_endless=repeats and is_endless,
            delay=delay,
            seconds=seconds,
            sleep=sleep,
            looks=self._pauses.looks(node),
            looks_at_quota=self._pauses.looks_at_quota(node),
            honours_wait=self._pauses.honours_wait(node),
            misses_statuses=self._answers_statuses(block),
            answer=answer,
            given=given,
        )

    def _answers_statuses(self, block: Block) -> bool:
        """Tell whether a refusal raises nothing in a `try`, because its code looks at the status itself."""
        known = self._silent.get(id(block))
        if known is None:
            calls, handed = _of_points(self._tried[id(block)][1])
            silent = bool(calls) and not handed and all(_is_silent(call) for call in calls)
            known = self._silent[id(block)] = silent and self._pauses.answers_statuses(block.node)
        return known

    def _caught(self, node: Node, place: Place) -> Iterator[Caught]:
        if node is None:
            return
        if type(node).__name__ == "Tuple":
            for element in node.elements:
                yield from self._caught(element.value, place)
            return
        value = self._evaluator.value(node, place)
        if isinstance(value, v.Items):
            for item in value.items:
                yield Caught(node, v.dotted(item), self._errors.kind(v.dotted(item)), is_bound=True)
            return
        name, bound = v.dotted(value), True
        if type(node).__name__ == "Name" and not name and not self._stars:
            bound = self._evaluator.bindings(node.value, place) is not None
        yield Caught(node, name, self._errors.kind(name, spell(node)), bound)

    def _rescue(self, block: Block, points: list[Point]) -> Rescue:
        calls, handed = _of_points(points)
        handlers = tuple(
            self._repeating.get(id(item))
            or self._handler(item, block, repeats=False, is_endless=False, ground=[], loop=block.node)
            for item in block.node.handlers
        )
        return Rescue(block.node, self._try_places[id(block)], handlers, calls, handed)


def _is_silent(call: ModelCall) -> bool:
    """Tell whether a call that is refused raises nothing by itself."""
    if call.http is not None:
        return not call.http.http.status_raises
    return call.sdk is not None and call.sdk.errors.silent


def _of_points(points: Iterable[Point]) -> tuple[tuple[ModelCall, ...], tuple[Node, ...]]:
    calls: dict[int, ModelCall] = {}
    handed: dict[int, Node] = {}
    for point in points:
        calls.update({id(call.node): call for call in point.calls})
        handed.update({id(node): node for node in point.handed})
    return tuple(calls.values()), tuple(handed.values())


def _best(handlers: Sequence[Handler]) -> tuple[str, float | None, Node]:
    """The pause that speaks for a loop: what grows wins, then what is not known, then the longest fixed one."""
    order = ("growing", "unknown", "fixed", "none")
    best = min(handlers, key=lambda handler: (order.index(handler.delay), -(handler.seconds or 0)))
    return best.delay, best.seconds, best.sleep


def _is_counting(value: v.Value) -> bool:
    return isinstance(value, v.Instance) and value.name in _COUNTED | _ENDLESS


def _are_numbers(value: v.Value) -> bool:
    return isinstance(value, v.Items) and bool(value.items) and all(isinstance(item, v.Number) for item in value.items)


def _has_times(value: v.Instance) -> bool:
    """Tell whether `itertools.repeat` is told how often."""
    return value.node is not None and value.name.endswith("repeat") and len(value.node.args) > 1


def _tested(test: Node) -> set[str]:
    """The names that a loop's test looks at itself: what it asks others for is left out, a length is not."""
    found: set[str] = set()
    stack = [test]
    while stack:
        node = stack.pop()
        kind = type(node).__name__
        if kind == "Call":
            if type(node.func).__name__ == "Name" and node.func.value == "len":
                stack.extend(item.value for item in node.args)
        elif kind in {"Name", "Attribute"}:
            spelled = spell(node)
            if spelled and spelled not in {"None", "True", "False"}:
                found.add(spelled)
        elif kind == "Comparison":
            stack += [node.left, *(item.comparator for item in node.comparisons)]
        elif kind == "BooleanOperation":
            stack += [node.left, node.right]
        elif kind == "UnaryOperation":
            stack.append(node.expression)
        elif kind == "BinaryOperation":
            stack += [node.left, node.right]
    return found


def _asks(test: Node) -> bool:
    """Tell whether a loop's test calls something but `len`: the time, an event, a queue."""
    return any(
        (type(node).__name__ == "Call" and not (type(node.func).__name__ == "Name" and node.func.value == "len"))
        or type(node).__name__ in {"NamedExpr", "Await", "Subscript"}
        for node in inside(test)
    )


_CONSTANT = frozenset({"SimpleString", "Integer", "Float"})
_LOGGING = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})


def _answer(body: Sequence[Node]) -> tuple[str, Node]:
    """How an except clause answers: with nothing, or with a constant in place of what was asked for.

    Who logs that and gives a constant all the same has told a log, not who asked; who only prints has told somebody.
    """
    lines = {"SimpleStatementLine", "SimpleStatementSuite"}
    small = [item for line in body for item in (line.body if type(line).__name__ in lines else [line])]
    small = [item for item in small if not (type(item).__name__ == "Expr" and _says_nothing(item.value))]
    if not small or all(type(item).__name__ == "Pass" for item in small):
        return "pass", small[0] if small else None
    last = small[-1]
    if type(last).__name__ not in {"Return", "Assign"} or not all(map(_only_logs, small[:-1])):
        return "", None
    return ("constant", last) if _is_constant(last.value) else ("", None)


def _says_nothing(node: Node) -> bool:
    """Tell whether an expression statement does nothing: a docstring, an ellipsis."""
    kind = type(node).__name__
    return kind in {"SimpleString", "Ellipsis", "ConcatenatedString"}


def _only_logs(node: Node) -> bool:
    """Tell whether a statement is a call of `print` or of a logger, and nothing more."""
    if type(node).__name__ != "Expr" or type(node.value).__name__ != "Call":
        return False
    spelled = spell(node.value.func) or ""
    owner, _, name = spelled.rpartition(".")
    return spelled == "print" or (bool(owner) and name in _LOGGING and "log" in spelled.lower())


def _is_constant(node: Node) -> bool:
    kind = type(node).__name__
    if node is None or kind in _CONSTANT:
        return True
    if kind == "Name":
        return bool(node.value in {"None", "False"})
    return kind in {"List", "Dict", "Tuple"} and not node.elements
