"""Which functions of a module call which, and which function an expression stands for."""

from __future__ import annotations

from keyguard.python import values as v
from keyguard.python.index import spell
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keyguard.python.evaluate import Evaluator
    from keyguard.python.index import CallUse, Index, Node, Place, Scope

_DEEPEST = 5  # calls of calls that are followed
_MOST = 64  # functions that are told apart below one


class Callees:
    """Answers which functions run when one is called, within the module; asked questions are cheap."""

    def __init__(self, index: Index, evaluator: Evaluator) -> None:
        """Look at one module; nothing is followed yet."""
        self._index, self._evaluator = index, evaluator
        self._functions: dict[str, list[Scope]] = {}
        for scope in index.scopes:
            if scope.kind == "function":
                self._functions.setdefault(scope.name, []).append(scope)
        self._callees: dict[int, list[Scope]] | None = None
        self._calls: dict[int, list[CallUse]] | None = None

    def function(self, node: Node, place: Place) -> Scope | None:
        """The function of this module that an expression stands for: a name, a lambda, a method of a known object."""
        kind = type(node).__name__
        if kind not in {"Name", "Attribute", "Lambda", "Call"}:
            return None
        if kind == "Attribute" and node.attr.value not in self._functions:
            return None
        for item in v.alternatives(self._evaluator.value(node, place)):
            if isinstance(item, v.Local) and item.scope.kind == "function" and item.owner in {None, self._evaluator}:
                return item.scope
        return None

    def below(self, scope: Scope) -> Iterator[Scope]:
        """Yield a function and those that running it leads to, each once, those defined in it included."""
        seen = {id(scope)}
        front = [scope]
        for _ in range(_DEEPEST):
            following: list[Scope] = []
            for item in front:
                yield item
                for callee in self._edges.get(id(item), ()):
                    if id(callee) not in seen and len(seen) < _MOST:
                        seen.add(id(callee))
                        following.append(callee)
            front = following
        yield from front

    @property
    def _edges(self) -> Mapping[int, list[Scope]]:
        if self._callees is None:
            self._callees = {}
            for scopes in self._functions.values():
                for scope in scopes:
                    for site in self._evaluator.sites(scope):
                        self._callees.setdefault(id(site.place.scope.function), []).append(scope)
                    if scope.parent is not None and scope.parent.function.kind == "function":
                        self._callees.setdefault(id(scope.parent.function), []).append(scope)
        return self._callees

    def calls_in(self, scope: Scope) -> Sequence[CallUse]:
        """The calls that stand in a function itself."""
        if self._calls is None:
            self._calls = {}
            for call in self._index.calls:
                self._calls.setdefault(id(call.place.scope.function), []).append(call)
        return self._calls.get(id(scope), ())


def is_async(scope: Scope) -> bool:
    """Tell whether a function is defined with `async def`."""
    return scope.kind == "function" and getattr(scope.node, "asynchronous", None) is not None


def last_name(node: Node) -> str:
    """The last word of a name, an attribute or what is called; empty for anything else."""
    while type(node).__name__ in {"Call", "Subscript"}:
        node = node.func if type(node).__name__ == "Call" else node.value
    kind = type(node).__name__
    if kind == "Attribute":
        name: str = node.attr.value
        return name
    return node.value if kind == "Name" else ""


def code_of(node: Node) -> str:
    """How an expression is spelt, short enough for a message; empty when it is long."""
    kind = type(node).__name__
    if kind in {"Name", "Attribute"}:
        return spell(node)
    if kind == "Call":
        inner = code_of(node.func)
        arguments = [code_of(item.value) for item in node.args if item.keyword is None and not item.star]
        if inner in {"enumerate", "zip", "tqdm", "sorted", "reversed", "list", "set"} and arguments:
            return arguments[0]
        return f"{inner}()" if inner else ""
    if kind == "Subscript":
        return code_of(node.value)
    return ""
