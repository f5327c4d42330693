"""Sessions of HTTP libraries: which expressions and classes are one, and what was changed on them since."""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct

from keyguard.python import values as v
from keyguard.python.arguments import Arguments, Given
from keyguard.python.index import spell
from keyguard.python.module import walk
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.knowledge import HttpClient
    from keyguard.python.around import Surroundings
    from keyguard.python.index import Node, Place, Scope, Write

_DEEPEST = 4  # classes between one of the project and a library's
_MARK = "timeout"  # what a class that sets a time limit of its own cannot do without


class Opened(Struct, frozen=True):
    """A session, or what may be one: an object of a library's class, or of a class of the project derived from it.

    `name` is the library's class; `node` and `place` are the call that makes the object, None for one from elsewhere;
    `scope` is the class of the project. `is_tuned` says that something besides its arguments may limit its requests.
    """

    http: HttpClient
    name: str
    node: Node = None
    place: Place | None = None
    scope: Scope | None = None
    is_tuned: bool = False


class Sessions:
    """Answers for one module which expressions are sessions, and what the module changes on them."""

    def __init__(self, near: Surroundings) -> None:
        """Nothing is looked for yet."""
        self._near, self._evaluator, self._tables = near, near.evaluator, near.tables
        self._words = {name.rpartition(".")[2] for name in self._tables.http} | {"send", _MARK}
        self._classes: dict[int, tuple[HttpClient, str] | None] = {}
        self._tuning: dict[int, bool] = {}

    def of_value(self, value: v.Value) -> Opened | None:
        """The session a value is."""
        if isinstance(value, v.Instance):
            http = self._tables.http.get(value.name)
            if http is None or value.name not in http.sessions:
                return None
            return Opened(http, value.name, value.node, value.place, None, id(value.node) in self.tuned)
        if isinstance(value, v.Local) and value.instance:
            made = self.of_class(value.scope, value)
            if made is None:
                return None
            tuned = made.is_tuned or id(value.node) in self.tuned
            return Opened(made.http, made.name, value.node, value.place, value.scope, tuned)
        return None

    def of_class(self, scope: Scope, value: v.Local | None = None) -> Opened | None:
        """The session that objects of a class of the project are."""
        found = self._base(scope, value.owner if value is not None else None, 0)
        if found is None:
            return None
        http, name = found
        return Opened(http, name, scope=scope, is_tuned=self._tunes_itself(scope, value, 0))

    def of_self(self, node: Node, place: Place) -> Opened | None:
        """The session that `self` or `super()` is, inside a class derived from one."""
        function = place.scope.function
        owner = function.parent
        if owner is None or owner.kind != "class" or function.self_name is None:
            return None
        kind = type(node).__name__
        if kind == "Call":
            named = type(node.func).__name__ == "Name" and node.func.value == "super"
        else:
            named = kind == "Name" and node.value == function.self_name
        return self.of_class(owner) if named else None

    def _base(self, scope: Scope, owner: object, depth: int) -> tuple[HttpClient, str] | None:
        if scope.kind != "class" or depth > _DEEPEST:
            return None
        if id(scope) not in self._classes:
            self._classes[id(scope)] = None  # a class is no base of itself
            self._classes[id(scope)] = next(self._bases(scope, owner, depth), None)
        return self._classes[id(scope)]

    def _bases(self, scope: Scope, owner: object, depth: int) -> Iterator[tuple[HttpClient, str]]:
        for value, _ in self._base_values(scope, owner):
            if isinstance(value, v.Local):
                found = self._base(value.scope, value.owner, depth + 1)
                if found is not None:
                    yield found
                continue
            name = v.dotted(value)
            http = self._tables.http.get(name)
            if http is not None and name in http.sessions:
                yield http, name

    def _base_values(self, scope: Scope, owner: object) -> Iterator[tuple[v.Value, Node]]:
        from keyguard.python.evaluate import Evaluator  # noqa: PLC0415  # in memory already
        from keyguard.python.index import Place  # noqa: PLC0415  # as above

        evaluator = owner if isinstance(owner, Evaluator) else self._evaluator
        for argument in scope.node.bases:
            place = Place(scope.parent or scope, float("inf"), scope.module.root)
            yield evaluator.value(argument.value, place), argument.value

    def _tunes_itself(self, scope: Scope, value: v.Local | None, depth: int) -> bool:
        """Tell whether a class or one of its bases speaks of a time limit, or has one that nobody can see."""
        known = self._tuning.get(id(scope))
        if known is not None:
            return known
        self._tuning[id(scope)] = False
        owner = value.owner if value is not None and value.owner is not None else self._evaluator
        tunes = any(_MARK in _word(part) for part in walk(scope.node))
        for base, _ in self._base_values(scope, owner):
            if isinstance(base, v.Local):
                tunes = tunes or depth > _DEEPEST or self._tunes_itself(base.scope, base, depth + 1)
            elif v.dotted(base) not in self._tables.http and v.dotted(base) != "object":
                tunes = True  # a mix-in from elsewhere may do anything
        self._tuning[id(scope)] = tunes
        return tunes

    # what is changed on objects

    @cached_property
    def _attribute_writes(self) -> tuple[Write, ...]:
        return tuple(write for write in self._near.index.writes if type(write.target).__name__ == "Attribute")

    @cached_property
    def tuned(self) -> frozenset[int]:
        """The calls, by `id`, whose session gets a limit after it was made: another `request`, an adapter."""
        found: set[int] = set()
        for write in self._attribute_writes:
            word = write.target.attr.value
            if word not in self._words:
                continue
            for value in v.alternatives(self._evaluator.value(write.target.value, write.place)):
                node = getattr(value, "node", None)
                http = self._tables.http.get(value.name) if isinstance(value, v.Instance) else None
                if node is None:
                    continue
                is_method = word in {"send", *(http.methods if http is not None else ())}
                is_limit = word == _MARK and http is not None and http.timeout is not None and http.timeout.params
                if is_method or is_limit or (isinstance(value, v.Local) and word in {"request", _MARK}):
                    found.add(id(node))
        for call in self._near.index.calls:
            func = call.node.func
            if type(func).__name__ == "Attribute" and func.attr.value == "mount":
                found.update(self._mounted(func.value, call.node, call.place))
        return frozenset(found)

    def _mounted(self, base: Node, node: Node, place: Place) -> Iterator[int]:
        arguments = Arguments(node, place, self._evaluator)
        given = arguments.get(("adapter",), 1)
        adapters = v.alternatives(given.value) if given is not None else (v.UNKNOWN,)
        for value in v.alternatives(self._evaluator.value(base, place)):
            http = self._tables.http.get(value.name) if isinstance(value, v.Instance) else None
            plain = http.adapters if http is not None else ()
            if not all(isinstance(item, v.Instance) and item.name in plain for item in adapters):
                yield id(getattr(value, "node", None))

    @cached_property
    def replaced(self) -> frozenset[str]:
        """The libraries, by id, one of whose functions or classes the module replaces or changes."""
        found: set[str] = set()
        for write in self._attribute_writes:
            if write.target.attr.value not in self._words:
                continue
            owner = v.dotted(self._evaluator.value(write.target.value, write.place))
            if not owner or "()" in owner:
                continue
            name = f"{owner}.{write.target.attr.value}"
            for candidate in (name, owner):
                http = self._tables.http.get(candidate)
                if http is not None and (candidate != owner or write.target.attr.value in {"send", *http.methods}):
                    found.add(http.id)
            found.update(client.id for client in self._near.catalogue.http.clients if owner in client.adapters)
        return frozenset(found)

    @cached_property
    def has_global_limit(self) -> bool:
        """Tell whether the module gives every socket a limit."""
        limits = self._near.catalogue.http.global_timeouts
        lasts = {name.rpartition(".")[2] for name in limits}
        for call in self._near.index.calls:
            func = call.node.func
            last = func.attr.value if type(func).__name__ == "Attribute" else getattr(func, "value", "")
            if last in lasts and self._near.callee(call.node, call.place) in limits:
                given = Arguments(call.node, call.place, self._evaluator).get((), 0)
                if given is None or not isinstance(given.value, v.Null):
                    return True
        return False

    @cached_property
    def unchecked(self) -> dict[int, Given]:
        """What switches certificate checks off on an object after it was made, by the `id` of the call that made it."""
        found: dict[int, Given] = {}
        for given, value in self._unchecking():
            node = getattr(value, "node", None)
            if node is not None and _is_certain(given.place, getattr(value, "place", None)):
                found.setdefault(id(node), given)
        return found

    @cached_property
    def unchecked_everywhere(self) -> tuple[Given, ...]:
        """What the module assigns that switches certificate checks off for everything that is opened later."""
        settings = self._near.catalogue.http.insecure_settings
        return tuple(
            given
            for given, value in self._unchecking()
            if isinstance(value, v.Reference) and f"{value.name}.{given.name}" in settings
        )

    def _unchecking(self) -> Iterator[tuple[Given, v.Value]]:
        """The attributes that the module sets so that checks are off, each with the object that has it."""
        http = self._near.catalogue.http
        places = {(name.partition(".")[0], name.rpartition(".")[2]) for name in http.insecure_settings}
        lasts = {last for _, last in places}
        for write in self._attribute_writes:
            word = write.target.attr.value
            if word not in lasts:
                continue
            given = Given(word, self._evaluator.value(write.node, write.place), write.node, write.place)
            if not is_insecure(given.value, http.insecure, http.insecure_values):
                continue
            owner = self._evaluator.value(write.target.value, write.place)
            for value in v.alternatives(owner):
                opened = self.of_value(value)
                name = opened.name if opened is not None else v.dotted(value)
                if (name.partition(".")[0], word) in places:
                    yield given, value
            if spell(write.target.value) and isinstance(owner, v.Unknown):
                opened = self.of_self(write.target.value, write.place)
                if opened is not None and (opened.name.partition(".")[0], word) in places:
                    yield given, v.Local(opened.scope, node=opened.scope.node)  # type: ignore[arg-type,union-attr]  # it has one


def _word(node: Node) -> str:
    """The word that a name or literal is."""
    return node.value if type(node).__name__ in {"Name", "SimpleString", "FormattedStringText"} else ""


def _is_certain(change: Place, made: Place | None) -> bool:
    """Tell whether an object that was made at one place gets a change at another whatever happens at run time."""
    if made is not None and made.scope.function is change.scope.function:
        return change.block.holds(made.block)
    return change.block is change.scope.function.root


def is_insecure(value: v.Value, calls: tuple[str, ...], values: tuple[str, ...]) -> bool:
    """Tell whether a value switches certificate checks off wherever it is given, whatever happens at run time."""
    return all(_is_off(item, calls, values) for item in v.alternatives(value))


def _is_off(value: v.Value, calls: tuple[str, ...], values: tuple[str, ...]) -> bool:
    if isinstance(value, v.Number):
        return not value.number
    if isinstance(value, v.Text):
        return value.text in values
    if isinstance(value, v.Instance):
        return value.name in calls
    return v.dotted(value) in values
