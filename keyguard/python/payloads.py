"""What is sent to a model without a limit: a conversation that only grows, a file as long as it happens to be."""

from __future__ import annotations

from msgspec import Struct, field

from keyguard.python import values as v
from keyguard.python.callees import last_name
from keyguard.python.index import plain_string, spell
from keyguard.python.module import walk
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.knowledge import Short
    from keyguard.python.index import Block, Node, Place, Scope
    from keyguard.python.network import ModelCall, Network

_DEEPEST = 6  # lists in dictionaries in lists
_MOST = 256  # pieces of one payload that are looked at
_GROWING = frozenset({"append", "extend", "insert"})
_BOUNDING = frozenset({"LessThan", "LessThanEqual", "GreaterThan", "GreaterThanEqual"})


class Payload(Struct, frozen=True, eq=False):
    """Something that a model call sends and that has no limit.

    `kind` is history (a list that grows in the loop of the call and is never made shorter) or file. `node` is what is
    sent, or what reads the file; `name` is how the list is spelt, `source` where it grows.
    """

    call: ModelCall
    kind: str
    node: Node
    name: str = ""
    source: Node = None


class _Habits(Struct):
    """What a piece of code does to names: makes them longer, shorter, anew; and what it calls."""

    grown: dict[str, Node] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    short: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)


def payloads(network: Network) -> Iterator[Payload]:
    """Yield what model calls send without a limit, each once."""
    if network.calls:
        yield from _Finder(network).find()


class _Finder:
    """Looks at what the model calls of a module are given."""

    def __init__(self, network: Network) -> None:
        self.network, self.evaluator = network, network.evaluator
        self.words: Short = network.catalogue.running.short
        self._habits: dict[int, _Habits] = {}

    def find(self) -> Iterator[Payload]:
        seen: set[int] = set()
        for call in self.network.calls:
            for node in self._sent(call):
                found = self._history(call, node) or self._file(call, node)
                if found is not None and id(found.node) not in seen:
                    seen.add(id(found.node))
                    yield found

    def _sent(self, call: ModelCall) -> Iterator[Node]:
        """The expressions of what a call sends."""
        params = call.sdk.payload_params if call.sdk is not None and call.sdk.payload_params else self.words.params
        if call.http is None:
            for name, node in call.arguments:
                if name in params:
                    yield node
            if call.client is not None and not call.client.is_call:
                yield from (node for node in call.arguments.positional if type(node).__name__ in {"Name", "Attribute"})
            return
        for name, node in call.arguments:
            if name not in call.http.http.body_params or type(node).__name__ != "Dict":
                continue
            for item in node.elements:
                if type(item).__name__ == "DictElement" and plain_string(item.key) in self.words.params:
                    yield item.value

    # conversations

    def _history(self, call: ModelCall, node: Node) -> Payload | None:
        found = self._grown(call, node, call.place)
        scope, name = call.place.scope.function, spell(node)
        if found is not None or scope.kind != "function" or "." in name:
            return found
        habits = self._habits_of(scope.node.body)
        if name in habits.fresh or name in habits.short:
            return None
        # The loop may be where the function that sends the list is called.
        handed = (self._grown(call, given, place) for given, place in self.evaluator.handed(scope, name))
        return next(filter(None, handed), None)

    def _grown(self, call: ModelCall, node: Node, place: Place) -> Payload | None:
        """A list that grows in a loop around a place."""
        name = spell(node)
        if not name:
            return None
        for block in place.block.chain():
            if not block.loop:
                continue
            habits = self._habits_of(block.node.body)
            if name in habits.fresh or name in _targets(block.node):
                return None  # another list in each round
            source = habits.grown.get(name)
            if source is None or self._is_bounded(block):
                continue
            if any(name in self._habits_of(root).short for root in self._roots(place.scope.function, name)):
                return None
            return Payload(call, "history", node, name, source)
        return None

    @staticmethod
    def _roots(scope: Scope, name: str) -> Iterator[Node]:
        """Where a name may be made shorter: its function, and the whole class for an attribute."""
        yield scope.node if scope.kind == "module" else scope.node.body
        if "." in name and scope.parent is not None and scope.parent.kind == "class":
            yield scope.parent.node.body

    def _habits_of(self, root: Node) -> _Habits:
        known = self._habits.get(id(root))
        if known is None:
            known = self._habits[id(root)] = _Habits()
            for node in walk(root):
                self._note(node, known)
        return known

    def _note(self, node: Node, habits: _Habits) -> None:
        kind = type(node).__name__
        if kind == "Call":
            self._note_call(node, habits)
        elif kind == "Assign":
            for target in node.targets:
                self._note_assigned(spell(target.target), node.value, node, habits)
        elif kind == "AnnAssign" and node.value is not None:
            self._note_assigned(spell(node.target), node.value, node, habits)
        elif kind == "AugAssign":
            name = spell(node.target)
            if name:
                habits.grown.setdefault(name, node)
        elif kind == "Del":
            habits.short.update(
                spell(part) for part in walk(node.target) if type(part).__name__ in {"Name", "Attribute"}
            )
        elif kind == "Subscript" and any(type(item.slice).__name__ == "Slice" for item in node.slice):
            habits.short.add(spell(node.value))

    @staticmethod
    def _note_assigned(name: str, value: Node, node: Node, habits: _Habits) -> None:
        if not name:
            return
        if type(value).__name__ == "BinaryOperation" and spell(value.left) == name:
            habits.grown.setdefault(name, node)
        else:
            habits.fresh.add(name)

    def _note_call(self, node: Node, habits: _Habits) -> None:
        last = last_name(node.func)
        habits.called.add(last.lower())
        is_method = type(node.func).__name__ == "Attribute"
        owner = spell(node.func.value) if is_method else ""
        if is_method and owner:
            if last in _GROWING:
                habits.grown.setdefault(owner, node)
                return
            if last in self.words.methods:
                habits.short.add(owner)
        lowered = last.lower()
        if last == "len" or any(word in lowered for word in self.words.words):
            habits.short.update(filter(None, (spell(item.value) for item in node.args)))

    @staticmethod
    def _is_bounded(block: Block) -> bool:
        """Tell whether a loop has an end that somebody chose: a range, a row written out, a count in its test."""
        node = block.node
        if type(node).__name__ == "For":
            row = node.iter
            while type(row).__name__ == "Call" and last_name(row.func) != "range" and row.args:
                row = row.args[0].value
            return type(row).__name__ in {"Call", "List", "Tuple", "Set"}
        return any(
            type(item.operator).__name__ in _BOUNDING
            for part in walk(node.test)
            if type(part).__name__ == "Comparison"
            for item in part.comparisons
        )

    # files

    def _file(self, call: ModelCall, node: Node) -> Payload | None:
        value = self.evaluator.value(node, call.place)
        for item in _leaves(value):
            read = self._reading(item)
            if read is None or read.node is None or read.place is None or self._is_known(read):
                continue
            scopes = (call.place.scope.function, read.place.scope.function)
            if any(self._is_measured(scope) for scope in scopes):
                continue
            return Payload(call, "file", read.node, "", call.node)
        return None

    def _reading(self, item: v.Value) -> v.Instance | None:
        """The call that reads the file a value is, text or bytes made text."""
        if not isinstance(item, v.Instance):
            return None
        if item.name in self.words.reads:
            return item
        if not item.name.startswith(self.words.encoders) or item.node is None or item.place is None:
            return None
        node = item.node
        while type(node).__name__ == "Call" and self.evaluator.name(node.func, item.place) not in self.words.encoders:
            node = node.func.value if type(node.func).__name__ == "Attribute" else None
        if type(node).__name__ != "Call":
            return None
        given = [part.value for part in node.args if part.keyword is None and not part.star]
        for inner in v.alternatives(self.evaluator.value(given[0], item.place)) if given else ():
            if isinstance(inner, v.Instance) and inner.name in self.words.reads:
                return inner
        return None

    def _is_known(self, read: v.Instance) -> bool:
        """Tell whether the file is one of the project's own, by a name that stands in the code."""
        func = read.node.func
        if type(func).__name__ != "Attribute" or read.place is None:
            return True
        for opened in v.alternatives(self.evaluator.value(func.value, read.place)):
            if not isinstance(opened, v.Instance) or opened.node is None or opened.place is None:
                return True
            for path in v.alternatives(self.evaluator.argument(opened.node, opened.place)):
                ends = isinstance(path, v.Joined) and isinstance(path.parts[-1], v.Text) and path.parts[-1].text != ""
                if isinstance(path, (v.Text, v.Unset, v.Number)) or ends:
                    return True
        return bool(read.node.args)  # `read(1000)` has a limit

    def _is_measured(self, scope: Scope) -> bool:
        called = self._habits_of(next(self._roots(scope, ""))).called
        return "len" in called or any(word in name for name in called for word in self.words.measures)


def _targets(loop: Node) -> set[str]:
    """The names that a `for` sets anew in each round."""
    target = getattr(loop, "target", None)
    return set() if target is None else {part.value for part in walk(target) if type(part).__name__ == "Name"}


def _leaves(value: v.Value) -> Iterator[v.Value]:
    """The plain values that lists, dictionaries and joined texts are made of."""
    stack = [(value, 0)]
    for _ in range(_MOST):
        if not stack:
            return
        item, depth = stack.pop()
        inner: tuple[v.Value, ...] = ()
        if isinstance(item, v.OneOf):
            inner = item.values
        elif isinstance(item, v.Items):
            inner = item.items
        elif isinstance(item, v.Table):
            inner = tuple(entry for _, entry in item.entries)
        elif isinstance(item, v.Joined):
            inner = item.parts
        else:
            yield item
        if depth < _DEEPEST:
            stack.extend((part, depth + 1) for part in inner)
