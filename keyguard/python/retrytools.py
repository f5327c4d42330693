"""What a retry library is told by its arguments: how often, how long, with which pauses, on which errors."""

from __future__ import annotations

import functools

from msgspec import Struct, field
from msgspec.structs import replace

from keyguard.python import values as v
from keyguard.python.arguments import Arguments, Given, numbers
from keyguard.python.errors import BROAD
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import RetryPart, RetryTool
    from keyguard.python.evaluate import Evaluator
    from keyguard.python.index import Node, Place

_DEEPEST = 4  # tools and parts inside each other
_MILLISECONDS = 1_000


class ToolTables(Struct, frozen=True):
    """Tools and parts by dotted name, and tools by the method that tells them."""

    tools: Mapping[str, RetryTool]
    parts: Mapping[str, RetryPart]
    methods: Mapping[str, RetryTool]


@functools.lru_cache(maxsize=4)  # one table a catalogue, and a run has one catalogue
def tools_of(catalogue: Catalogue) -> ToolTables:
    """Build the look-up tables of a catalogue once."""
    known = catalogue.retrying
    return ToolTables(
        {name: tool for tool in known.tools for name in tool.names},
        {name: part for part in known.parts for name in part.names},
        {name: tool for tool in known.tools for name in tool.methods_of_calls},
    )


class Told(Struct, frozen=True, eq=False):
    """What a tool is told. `sleep` and `catch` are the expressions that say so, None where the default holds.

    `attempts` counts the first one too; None when it is not known, or bounded by time, or by nothing. `catches` are
    dotted names of classes (empty text: not known), `methods` and `statuses` what it repeats, None when not known.
    """

    tool: RetryTool
    arguments: Arguments | None
    attempts: int | None = None
    is_endless: bool = False
    delay: str = "unknown"
    seconds: float | None = None
    sleep: Node = None
    catches: tuple[str, ...] = ()
    catches_all: bool = False
    looks: bool = False
    catch: Node = None
    methods: tuple[str, ...] | None = None
    statuses: tuple[int, ...] | None = None
    is_open: bool = False
    stop: Node = field(default=None)


class ToolReader:
    """Reads the arguments of tools in one module."""

    def __init__(self, evaluator: Evaluator, catalogue: Catalogue) -> None:
        """Read with what the catalogue knows of tools."""
        self._evaluator, self.tables = evaluator, tools_of(catalogue)

    def read(self, tool: RetryTool, node: Node, place: Place | None, depth: int = 0) -> Told:
        """What a tool is told by a call; without a call its defaults hold."""
        arguments = Arguments(node, place, self._evaluator) if node is not None and place is not None else None
        if arguments is not None:
            inner = self._inner(tool, arguments, depth)
            if inner is not None:
                return inner
        told = Told(
            tool,
            arguments,
            attempts=tool.attempts,
            is_endless=tool.attempts is None and not tool.is_timed,
            delay=tool.delay,
            catches_all=tool.catches == "all",
            methods=tool.methods,
            statuses=tool.statuses,
            is_open=arguments is not None and arguments.is_open,
        )
        if arguments is None:
            return told
        told = self._bounded(told, arguments)
        told = self._paused(told, arguments)
        told = self._caught(told, arguments)
        told = self._selected(told, arguments)
        if arguments.is_open:
            # What a star hides may say anything: only what is written is known.
            return replace(
                told,
                is_endless=False,
                attempts=told.attempts if told.stop is not None else None,
                delay=told.delay if told.sleep is not None else "unknown",
                catches_all=told.catches_all and told.catch is not None,
                methods=None,
                statuses=None,
            )
        return told

    def _inner(self, tool: RetryTool, arguments: Arguments, depth: int) -> Told | None:
        """What the tool that another one is given says (`HTTPAdapter(max_retries=Retry(…))`)."""
        if not tool.inner_params or depth >= _DEEPEST:
            return None
        given = arguments.get(tool.inner_params, tool.inner_position)
        if given is None:
            return None
        for item in v.alternatives(given.value):
            if isinstance(item, v.Instance):
                found = self.tables.tools.get(item.name.partition("()")[0])
                if found is not None:
                    return self.read(found, item.node, item.place, depth + 1)
        if isinstance(given.value, v.Number):
            return None
        return Told(tool, arguments, is_open=True)

    # limits

    def _bounded(self, told: Told, arguments: Arguments) -> Told:
        tool = told.tool
        attempts = arguments.get(tool.attempts_params, tool.attempts_position) if tool.attempts_params else None
        stop = arguments.get(tool.stop_params, tool.stop_position) if tool.stop_params else None
        timed = arguments.get(tool.time_params) if tool.time_params else None
        timed = None if timed is not None and isinstance(timed.value, v.Null) else timed
        if attempts is not None:
            told = self._counted(told, attempts)
        if timed is not None:
            told = replace(told, is_endless=False, stop=told.stop or timed.node)
        if stop is not None:
            told = self._stopped(told, stop)
        return told

    @staticmethod
    def _counted(told: Told, given: Given) -> Told:
        if isinstance(given.value, v.Null):
            endless = told.tool.attempts is None and not told.tool.is_timed
            return replace(told, attempts=None, is_endless=endless, stop=given.node)
        known = list(numbers(given.value))
        if len(known) != 1 or not isinstance(given.value, v.Number):
            return replace(told, attempts=likely(given.value), is_endless=False, stop=given.node)
        number = known[0]
        if number < 0 and told.tool.attempts is None:
            return replace(told, attempts=None, is_endless=True, stop=given.node)
        total = max(int(number) + (told.tool.counts == "retries"), 1) if abs(number) < float("inf") else None
        return replace(told, attempts=total, is_endless=False, stop=given.node)

    def _stopped(self, told: Told, given: Given) -> Told:
        attempts: int | None = None
        is_never = True
        for part, number, _ in self._parts_of(given.node, given.place):
            if part != "never":
                is_never = False
            if part == "attempts" and number is not None:
                attempts = int(number)
        return replace(told, attempts=attempts, is_endless=is_never, stop=given.node)

    # pauses

    def _paused(self, told: Told, arguments: Arguments) -> Told:
        tool = told.tool
        wait = arguments.get(tool.wait_params, tool.wait_position) if tool.wait_params else None
        if wait is not None:
            return self._waiting(told, wait, arguments)
        growth = [found for name in tool.growth_params if (found := arguments.get((name,))) is not None]
        if tool.growth_position is not None and not growth:
            growth = [found for found in (arguments.get((), tool.growth_position),) if found is not None]
        for given in growth:
            known = list(numbers(given.value))
            if not isinstance(given.value, v.Number) or any(number > tool.growth_from for number in known):
                return replace(told, delay="growing", sleep=given.node)
        if growth and not tool.delay_params:
            return replace(told, sleep=growth[0].node)
        fixed = arguments.get(tool.delay_params, tool.delay_position) if tool.delay_params else None
        if fixed is None:
            return told
        return self._fixed(told, fixed)

    @staticmethod
    def _fixed(told: Told, given: Given) -> Told:
        known = list(numbers(given.value))
        seconds = known[0] / (_MILLISECONDS if told.tool.unit == "ms" else 1) if known else None
        is_none = isinstance(given.value, v.Number) and not known[0]
        return replace(told, delay="none" if is_none else "fixed", seconds=seconds, sleep=given.node)

    def _waiting(self, told: Told, wait: Given, arguments: Arguments) -> Told:
        kinds: list[tuple[str, float | None]] = []
        for part, number, _ in self._parts_of(wait.node, wait.place):
            kinds.append((part, number))
        if not kinds or any(kind in {"growing", ""} for kind, _ in kinds):
            growing = any(kind == "growing" for kind, _ in kinds)
            return replace(told, delay="growing" if growing else "unknown", sleep=wait.node)
        seconds = [number for kind, number in kinds if kind == "fixed"]
        if told.tool.interval_params and (given := arguments.get(told.tool.interval_params)) is not None:
            return self._fixed(told, given)
        if not seconds or all(number == 0 for number in seconds):
            return replace(told, delay="none", seconds=0, sleep=wait.node)
        total = None if any(number is None for number in seconds) else sum(number or 0 for number in seconds)
        return replace(told, delay="fixed", seconds=total, sleep=wait.node)

    # errors

    def _caught(self, told: Told, arguments: Arguments) -> Told:
        tool = told.tool
        if tool.looks_params and arguments.get(tool.looks_params) is not None:
            told = replace(told, looks=True)
        given = arguments.get(tool.catch_params, tool.catch_position) if tool.catch_params else None
        if given is None:
            return told
        if tool.stop_params and tool.wait_params:
            return self._chosen(told, given)
        names = tuple(self.classes(given.node, given.place))
        return replace(told, catches=names, catches_all=not BROAD.isdisjoint(names), catch=given.node)

    def _chosen(self, told: Told, given: Given) -> Told:
        """Errors chosen by parts: classes that are repeated, or something that looks at the error."""
        names: list[str] = []
        looks, everything = told.looks, False
        for part, _, node in self._parts_of(given.node, given.place):
            if part == "errors" and node is not None:
                inner = Arguments(node[0], node[1], self._evaluator).get(("exception_types",), 0)
                if inner is None:
                    everything = True  # the part's own default is Exception
                else:
                    names.extend(self.classes(inner.node, inner.place))
            elif part == "all":
                everything = True
            else:
                looks = True
        everything = everything or not BROAD.isdisjoint(names)
        return replace(told, catches=tuple(names), catches_all=everything, looks=looks, catch=given.node)

    def classes(self, node: Node, place: Place) -> Iterator[str]:
        """The dotted names of the classes an expression names; an empty text for one that is not known."""
        if type(node).__name__ in {"Tuple", "List", "Set"}:
            for element in node.elements:
                yield from self.classes(element.value, place)
            return
        for item in v.alternatives(self._evaluator.value(node, place)):
            if isinstance(item, v.Items):
                yield from (v.dotted(inner) for inner in item.items)
            else:
                yield v.dotted(item)

    # what is repeated

    def _selected(self, told: Told, arguments: Arguments) -> Told:
        tool = told.tool
        if tool.methods_params and (given := arguments.get(tool.methods_params)) is not None:
            told = replace(told, methods=_texts(given))
        if tool.statuses_params and (given := arguments.get(tool.statuses_params)) is not None:
            told = replace(told, statuses=self._statuses(given))
        return told

    def _statuses(self, given: Given) -> tuple[int, ...] | None:
        if isinstance(given.value, v.Null):
            return ()
        if not isinstance(given.value, v.Items) or not all(isinstance(item, v.Number) for item in given.value.items):
            return None
        return tuple(int(item.number) for item in given.value.items if isinstance(item, v.Number))

    def _parts_of(
        self, node: Node, place: Place, depth: int = 0
    ) -> Iterator[tuple[str, float | None, tuple[Node, Place] | None]]:
        """The kinds of the parts that an expression is made of, with their numbers; an empty kind is not known."""
        if type(node).__name__ == "BinaryOperation" and depth < _DEEPEST:
            for side in (node.left, node.right):
                yield from self._parts_of(side, place, depth + 1)
            return
        for item in v.alternatives(self._evaluator.value(node, place)):
            part = self.tables.parts.get(v.dotted(item).removesuffix("()"))
            call = item.node if isinstance(item, v.Instance) else None
            there = item.place if isinstance(item, v.Instance) else None
            if part is None:
                yield "", None, None
            elif part.kind == "several" and call is not None and there is not None and depth < _DEEPEST:
                for argument in call.args:
                    yield from self._parts_of(argument.value, there, depth + 1)
            elif call is None or there is None:
                yield part.kind, part.default, None
            else:
                given = Arguments(call, there, self._evaluator).get(part.params, part.position)
                known = list(numbers(given.value)) if given is not None else []
                yield part.kind, known[0] if known else (part.default if given is None else None), (call, there)


def likely(value: v.Value) -> int | None:
    """A number of tries that a value probably is: a default of one is there to be changed."""
    known = list(numbers(value))
    if not known or abs(known[0]) == float("inf"):
        return None
    number = int(known[0])
    return number if isinstance(value, v.Number) or number > 1 else None


def _texts(given: Given) -> tuple[str, ...] | None:
    """The verbs an argument names; None when they are not known, or every verb is meant (None, False)."""
    if not isinstance(given.value, v.Items) or not all(isinstance(item, v.Text) for item in given.value.items):
        return None
    return tuple(item.text.upper() for item in given.value.items if isinstance(item, v.Text))
