"""How long code waits before it tries again, and whether it looks at the error first."""

from __future__ import annotations

from itertools import islice

from keyguard.python import values as v
from keyguard.python.arguments import numbers
from keyguard.python.index import spell
from keyguard.python.ways import inside, names_in, statements, written
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from keyguard.python.index import CallUse, Node
    from keyguard.python.network import Network

_PLAIN_CALLS = frozenset({"min", "max", "int", "float", "round", "abs"})
_GROWING = frozenset({"Power", "LeftShift", "PowerAssign", "LeftShiftAssign", "MultiplyAssign", "AddAssign"})
_DEEPEST = 4  # assignments that a pause is followed through
_MOST_NODES = 2_000  # of a helper that is searched for a pause


class Pauses:
    """Reads the waits of one module."""

    def __init__(self, network: Network, uses: Mapping[int, CallUse]) -> None:
        """Read with the calls of the module by the `id` of their node."""
        self._evaluator, self._words, self._uses = network.evaluator, network.catalogue.retrying, uses
        self._sleeps = frozenset(self._words.sleeps)
        self._last = frozenset(name.rpartition(".")[2] for name in self._sleeps)
        self._sleeping: dict[int, bool] = {}

    def of(self, body: Iterable[Node], loop: Node) -> tuple[str, float | None, Node]:
        """The pause in a run of statements of a loop: none, fixed, growing or unknown; its seconds; its call."""
        found: list[tuple[str, float | None, Node]] = []
        waits = False
        for statement in body:
            for node in inside(statement):
                if type(node).__name__ != "Call":
                    continue
                if self.is_sleep(node):
                    found.append(self._asleep(node, loop))
                elif not waits:
                    waits = self._may_wait(node, loop)
        for kind in ("growing", "unknown", "fixed"):
            kept = [item for item in found if item[0] == kind]
            if kept and (kind != "fixed" or not waits):
                return max(kept, key=lambda item: item[1] or 0)
        if waits:
            return "unknown", None, None
        return found[0] if found else ("none", None, None)

    def is_sleep(self, call: Node) -> bool:
        """Tell whether a call lets time pass."""
        func = call.func
        if type(func).__name__ == "Attribute" and func.attr.value not in self._last:
            return False
        use = self._uses.get(id(call))
        return use is not None and self._evaluator.name(func, use.place) in self._sleeps

    def _may_wait(self, call: Node, loop: Node) -> bool:
        """Tell whether a call may let time pass in a way that cannot be seen here."""
        func, last = call.func, _last_of(call).lower()
        if any(word in last for word in self._words.wait_words):
            return True
        use = self._uses.get(id(call))
        if use is None:
            return False
        for item in v.alternatives(self._evaluator.value(func, use.place)):
            if not isinstance(item, v.Local) or item.scope.kind != "function" or item.scope.node is loop:
                continue
            if self._sleeps_in(item.scope.node):
                return True
        return False

    def _sleeps_in(self, function: Node) -> bool:
        known = self._sleeping.get(id(function))
        if known is None:
            parts = (part for item in statements(function.body) for part in inside(item))
            known = any(_last_of(part) in self._last for part in islice(parts, _MOST_NODES))
            self._sleeping[id(function)] = known
        return known

    def _asleep(self, call: Node, loop: Node) -> tuple[str, float | None, Node]:
        if not call.args:
            return "unknown", None, call
        node = call.args[0].value
        use = self._uses[id(call)]
        kind = self._grows(node, loop, 0)
        if kind != "fixed":
            return kind, None, call
        known = list(numbers(self._evaluator.value(node, use.place)))
        if known and known[0] == 0:
            return "none", 0, call
        return "fixed", known[0] if known else None, call

    def _grows(self, node: Node, loop: Node, depth: int) -> str:
        """Tell whether a pause grows from round to round: it holds a power, the round's number, what rounds change."""
        kinds = {_kind_of_pause(part) for part in inside(node)}
        names = names_in(node)
        rounds = names_in(loop.target) if type(loop).__name__ == "For" else set()
        if "growing" in kinds or names & rounds:
            return "growing"
        if depth > _DEEPEST:
            return "unknown"
        kinds |= {
            self._changes(target, statement, loop, depth)
            for target, statement in (written(statements(loop.body)) if names and hasattr(loop, "body") else ())
            if target in names
        }
        if type(loop).__name__ == "FunctionDef" and names & _parameters(loop):
            return "unknown"  # in a function that calls itself, a pause may come in as an argument
        return next((kind for kind in ("growing", "unknown") if kind in kinds), "fixed")

    def _changes(self, name: str, statement: Node, loop: Node, depth: int) -> str:
        kind = type(statement).__name__
        if kind == "AugAssign":
            return "growing"
        if kind in {"Assign", "AnnAssign"} and statement.value is not None:
            if name in names_in(statement.value):
                return "growing"
            return self._grows(statement.value, loop, depth + 1)
        return "unknown"

    # what is looked at

    def looks(self, handler: Node) -> bool:
        """Tell whether what an except clause does depends on the error it caught, or on what it makes of it."""
        names = {handler.name.name.value} if handler.name is not None else set()
        for node in (part for item in statements(handler.body) for part in inside(item)):
            kind = type(node).__name__
            if kind in {"Assign", "AnnAssign"} and node.value is not None and names & _bases(node.value):
                names.update(name for name, _ in written([node]))
            elif (kind in {"If", "IfExp"} and (names & _bases(node.test) or self._has_status(node.test))) or (
                kind == "Match" and names & _bases(node.subject)
            ):
                return True
        return False

    def answers_statuses(self, node: Node) -> bool:
        """Tell whether a `try` looks at a status and raises nothing for it."""
        looks = False
        for part in (part for item in statements(node.body) for part in inside(item)):
            if type(part).__name__ == "Raise" or _last_of(part) == "raise_for_status":
                return False
            looks = looks or (type(part).__name__ == "If" and self._has_status(part.test))
        return looks

    def looks_at_status(self, loop: Node) -> bool:
        """Tell whether a loop looks at a response's status."""
        return any(
            type(node).__name__ in {"If", "IfExp"} and self._has_status(node.test)
            for item in statements(loop.body)
            for node in inside(item)
        )

    def _has_status(self, test: Node) -> bool:
        names: Sequence[str] = self._words.status_names
        return any(type(node).__name__ == "Attribute" and node.attr.value in names for node in inside(test)) or any(
            name in names and name not in {"ok", "code"} for name in names_in(test)
        )

    def looks_at_quota(self, node: Node) -> bool:
        """Tell whether code names a quota that is used up."""
        return self._mentions(node, self._words.quota_texts)

    def honours_wait(self, node: Node) -> bool:
        """Tell whether code reads how long the server asks to wait."""
        return self._mentions(node, self._words.wait_texts)

    @staticmethod
    def _mentions(node: Node, words: Sequence[str]) -> bool:
        for item in statements(node.body):
            for part in inside(item):
                kind = type(part).__name__
                if kind in {"SimpleString", "FormattedStringText", "Name"}:
                    text = part.value
                elif kind == "Attribute":
                    text = part.attr.value
                else:
                    continue
                lowered = text.lower()
                if any(word in lowered for word in words):
                    return True
        return False


def _last_of(node: Node) -> str:
    """The last part of the name that a call calls; empty for anything else."""
    func: Node = node.func if type(node).__name__ == "Call" else None
    if type(func).__name__ == "Attribute":
        return str(func.attr.value)
    return str(func.value) if type(func).__name__ == "Name" else ""


def _kind_of_pause(part: Node) -> str:
    """What a piece of a pause's expression says of it by itself."""
    kind = type(part).__name__
    if kind in _GROWING:
        return "growing"
    asks = kind == "Call" and spell(part.func) not in _PLAIN_CALLS
    return "unknown" if asks or kind in {"Await", "Subscript", "IfExp"} else "fixed"


def _parameters(function: Node) -> set[str]:
    return {item.name.value for item in (*function.params.posonly_params, *function.params.params)}


def _bases(node: Node) -> set[str]:
    """The first parts of the names an expression reads."""
    return {name.partition(".")[0] for name in names_in(node)}
