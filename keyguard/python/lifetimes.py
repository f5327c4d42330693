"""Where clients are made again and again: in a loop, for each request of a server, for one expression."""

from __future__ import annotations

from msgspec import Struct

from keyguard.python import values as v
from keyguard.python.arguments import Arguments
from keyguard.python.callees import Callees, last_name
from keyguard.python.index import Place
from keyguard.python.module import walk
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.index import Block, CallUse, Node, Scope
    from keyguard.python.network import Connection, Network

_DEEPEST = 5  # factories between a client and the loop or handler that asks for it
_NAMES = 64  # names of a client's arguments that are looked at
_VARYING = frozenset({"param", "for", "other", "augment"})
_FOLLOWED = frozenset({"assign", "walrus", "with", "unpack"})
_RETURNED = frozenset({"Return", "Break"})


class Remade(Struct, frozen=True, eq=False):
    """A client that is made more than once although one would do.

    `why` is `loop`, `handler` (once a request) or `unheld` (it is gone before its call is sent); `around` is the loop's
    row or test, or the handler's name, None for an unheld one. `where` is how the handler is called.
    """

    connection: Connection
    why: str
    around: Node = None
    where: str = ""


def remade_clients(network: Network) -> Iterator[Remade]:
    """Yield the clients of a module that are made again and again, each once."""
    clients = [item for item in network.connections if item.client is not None and not item.client.is_call]
    if clients:
        yield from _Finder(network).find(clients)


class _Finder:
    """Looks at the places where clients are made, and at the places where the functions around them are called."""

    def __init__(self, network: Network) -> None:
        self.network, self.index, self.evaluator = network, network.index, network.evaluator
        self.handler, self.kept = network.catalogue.running.handler, network.catalogue.running.kept
        self.callees = Callees(self.index, self.evaluator)
        self.uses = {id(use.node): use for use in self.index.calls}
        self._taken: dict[int, Scope] | None = None

    def find(self, clients: list[Connection]) -> Iterator[Remade]:
        for connection in clients:
            if connection.node is None or connection.place is None:
                continue
            if connection.sdk is not None and connection.sdk.closed_unheld and _is_unheld(connection):
                yield Remade(connection, "unheld")
                continue
            use = self.uses.get(id(connection.node))
            found = self._around(use, connection) if use is not None else None
            if found is not None:
                yield found

    def _around(self, use: CallUse, connection: Connection) -> Remade | None:
        """The loop or handler a client is made in, directly or by a factory that it calls."""
        front = [use]
        seen: set[int] = set()
        for _ in range(_DEEPEST):
            following: list[CallUse] = []
            for site in front:
                scope = site.place.scope.function
                if self._is_kept(site) or (site is use and self._varies(site)):
                    continue
                loop = self._loop(site)
                if loop is not None:
                    return Remade(connection, "loop", loop)
                if scope.kind != "function" or self._keeps(scope):
                    continue
                if self._is_handler(scope):
                    return Remade(connection, "handler", scope.node.name, scope.name)
                if id(scope) not in seen:
                    seen.add(id(scope))
                    following += self.evaluator.sites(scope)
            front = following
        return None

    # what keeps a client

    def _keeps(self, scope: Scope) -> bool:
        """Tell whether a function is run once and its result kept, by a decorator."""
        return any(self._keeping(item, scope) for item in scope.decorators)

    def _keeping(self, node: Node, scope: Scope) -> bool:
        lowered = last_name(node).lower()
        if any(word in lowered for word in self.kept.words):
            return True
        func = node.func if type(node).__name__ == "Call" else node
        return self.evaluator.name(func, _outside(scope)) in self.kept.decorators

    @staticmethod
    def _is_kept(use: CallUse) -> bool:
        """Tell whether a client is made only when there is none yet (`if client is None`), or put where it stays."""
        role = use.role.outer
        for block in use.place.block.chain():
            test = getattr(block.node, "test", None)
            if test is not None and not block.loop and any(_asks_for_one(part) for part in walk(test)):
                return True
            if type(block.node).__name__ == "ExceptHandler":
                return True  # `try: return clients[key]  except KeyError: …`
        if role.kind in {"fallback", "subscript-assign"}:
            return True
        target = role.node if role.kind == "attribute" else None
        return target is not None and last_name(getattr(target, "value", None)) in {
            "state",
            "g",
            "session_state",
            "cls",
        }

    def _varies(self, use: CallUse) -> bool:
        """Tell whether a client is made of something that differs from time to time: a loop's item, a parameter."""
        front = [(item.value, use.place) for item in use.node.args]
        seen: set[int] = set()
        for _ in range(_NAMES):
            if not front:
                return False
            node, place = front.pop()
            for part in walk(node):
                if type(part).__name__ != "Name":
                    continue
                if _is_item(part.value, place.scope):
                    return True
                for binding in self.evaluator.bindings(part.value, place) or ():
                    if binding.kind == "param" and part.value == place.scope.function.self_name:
                        continue
                    if binding.kind in _VARYING:
                        return True
                    if binding.kind in _FOLLOWED and id(binding) not in seen:
                        seen.add(id(binding))
                        front.append((binding.node, binding.place))
        return True

    # where it is made again

    @staticmethod
    def _loop(use: CallUse) -> Node:
        """The row or the test of the loop that makes a client in each round; None when it ends with the client."""
        scope = use.place.scope
        if scope.kind == "comprehension":
            return scope.node.for_in.iter
        for block in use.place.block.chain():
            if block.loop and not _ends(block, use):
                node = block.node
                return node.iter if type(node).__name__ == "For" else node.test
        return None

    def _is_handler(self, scope: Scope) -> bool:
        """Tell whether a function answers requests."""
        if any(self._routes(item, scope) for item in scope.decorators):
            return True
        owner = scope.parent
        if owner is not None and owner.kind == "class" and scope.name in self.handler.base_methods:
            bases = (self.evaluator.name(item.value, _outside(owner)) for item in owner.node.bases)
            if any(name in self.handler.bases for name in bases):
                return True
        return id(scope) in self._given

    def _routes(self, node: Node, scope: Scope) -> bool:
        func = node.func if type(node).__name__ == "Call" else node
        if type(func).__name__ == "Attribute" and func.attr.value in self.handler.methods:
            receiver = last_name(func.value).lower()
            if any(receiver == word or receiver.endswith(f"_{word}") for word in self.handler.receivers):
                return True
        return self.evaluator.name(func, _outside(scope)) in self.handler.decorators

    @property
    def _given(self) -> dict[int, Scope]:
        """The functions that are handed to what runs them for each event."""
        if self._taken is None:
            self._taken = {}
            lasts = {name.rpartition(".")[2] for name in self.handler.takers}
            for use in self.index.calls:
                if last_name(use.node.func) not in lasts:
                    continue
                if self.evaluator.name(use.node.func, use.place) not in self.handler.takers:
                    continue
                given = Arguments(use.node, use.place, self.evaluator).get(
                    self.handler.taker_params, self.handler.taker_position
                )
                for item in v.alternatives(given.value) if given is not None else ():
                    if isinstance(item, v.Local) and item.scope.kind == "function":
                        self._taken[id(item.scope)] = item.scope
        return self._taken


def _is_item(name: str, scope: Scope | None) -> bool:
    """Tell whether a name is what a comprehension runs over."""
    while scope is not None and scope.kind == "comprehension":
        if name in scope.bindings:
            return True
        scope = scope.parent
    return False


def _is_unheld(connection: Connection) -> bool:
    """Tell whether a call is sent through a client that nothing holds (`Client().models.generate_content(…)`)."""
    for call in connection.calls:
        node = call.node.func
        while type(node).__name__ == "Attribute":
            node = node.value
        if node is connection.node:
            return True
    return False


def _asks_for_one(part: Node) -> bool:
    """Tell whether a piece of a test asks whether something is there: `is None`, `not x`, `not in`, `hasattr`."""
    kind = type(part).__name__
    if kind == "Comparison":
        operators = {type(item.operator).__name__ for item in part.comparisons}
        return bool(operators & {"Is", "IsNot", "In", "NotIn", "NotEqual"})
    if kind == "UnaryOperation":
        return type(part.operator).__name__ == "Not"
    return kind == "Call" and last_name(part.func) in {"hasattr", "getattr"}


def _ends(block: Block, use: CallUse) -> bool:
    """Tell whether a loop is left once its client has answered: tries of one thing, not rounds over many."""
    inner = use.place.block
    body = block.node.body if inner is block or inner.node is None else inner.node.body
    if isinstance(body, (list, tuple)):
        return False
    return any(type(part).__name__ in _RETURNED for part in walk(body, _stays))


def _stays(node: Node) -> bool:
    return type(node).__name__ not in {"FunctionDef", "Lambda", "ClassDef", "For", "While", "If"}


def _outside(scope: Scope) -> Place:
    """Where what decorates a definition is evaluated."""
    outer = scope.parent or scope
    return Place(outer, float("inf"), outer.root)
