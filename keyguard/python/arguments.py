"""What a call gives for a parameter: by name, by position, out of a known `**mapping`, inside a settings object."""

from __future__ import annotations

from msgspec import Struct

from keyguard.python import values as v
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from keyguard.python.evaluate import Evaluator
    from keyguard.python.index import Node, Place

_DEEPEST = 6  # `copy()`s and members of members that are followed for one argument


class Given(Struct, frozen=True, eq=False):
    """A value that code gives, and the expression that gives it; `name` is the parameter, key or attribute."""

    name: str
    value: v.Value
    node: Node
    place: Place

    @property
    def is_known(self) -> bool:
        """Tell whether the value is known whatever happens at run time."""
        return not any(isinstance(item, (v.Unknown, v.OneOf)) for item in v.alternatives(self.value)) and not (
            isinstance(self.value, v.OneOf)
        )


class Arguments:
    """The arguments of one call; `is_open` when a star hides some of them."""

    __slots__ = ("_evaluator", "is_open", "named", "node", "place", "positional")

    def __init__(self, node: Node, place: Place, evaluator: Evaluator) -> None:
        """Read a call where it stands; nothing but `**mapping`s is evaluated yet."""
        self.node, self.place, self._evaluator = node, place, evaluator
        self.named: dict[str, Node | Given] = {}
        self.positional: list[Node] = []
        self.is_open = False
        for item in node.args if node is not None else ():
            if item.star == "**":
                self._unpack(item.value)
            elif item.star:
                self.is_open = True
            elif item.keyword is not None:
                self.named[item.keyword.value] = item.value
            elif not self.is_open:
                self.positional.append(item.value)

    def _unpack(self, node: Node) -> None:
        self._take(self._evaluator.value(node, self.place), node, self.place)
        for change in self._evaluator.changes(node, self.place):
            if change.key is not None:
                value = self._evaluator.value(change.node, change.place)
                if not change.place.block.holds(self.place.block):
                    value = v.one_of((value, v.UNKNOWN))  # only on some ways to the call
                self.named[change.key] = Given(change.key, value, change.node, change.place)
            elif change.node is not None:
                self._take(self._evaluator.value(change.node, change.place), change.node, change.place)
            else:
                self.is_open = True

    def _take(self, table: v.Value, node: Node, place: Place) -> None:
        """Take what a mapping gives."""
        if not isinstance(table, v.Table):
            self.is_open = True
            return
        self.is_open = self.is_open or not table.complete
        display, where = self._display(node, place)
        for key, value in table.entries:
            if isinstance(key, v.Text):
                entry = entry_node(display, key.text)
                own = (node, place) if entry is None else (entry, where)
                self.named[key.text] = Given(key.text, value, *own)
            else:
                self.is_open = True

    def _display(self, node: Node, place: Place) -> tuple[Node, Place]:
        """The dict display that a name stands for, if it is the only one it can be."""
        if type(node).__name__ == "Name":
            found = self._evaluator.bindings(node.value, place) or []
            if len(found) == 1 and found[0].kind == "assign":
                return found[0].node, found[0].place
        return node, place

    def after(self, bound: Arguments) -> Arguments:
        """These arguments with those that a partial function brings: the function itself stands first in `bound`."""
        made = Arguments(None, self.place, self._evaluator)
        made.node = self.node
        made.named = {**bound.named, **self.named}
        made.positional = [*bound.positional[1:], *self.positional]
        made.is_open = self.is_open or bound.is_open
        return made

    def has(self, name: str) -> bool:
        """Tell whether a parameter is given by name."""
        return name in self.named

    def get(self, names: Iterable[str], position: int | None = None) -> Given | None:
        """What is given for the first of these parameters; `a.b` asks for a member of what is given for `a`."""
        for name in names:
            first, _, member = name.partition(".")
            given = self._named(first)
            if given is None:
                continue
            if not member:
                return given
            inner = member_of(given, member, self._evaluator)
            if inner is not None:
                return inner
        if position is not None and position < len(self.positional):
            node = self.positional[position]
            return Given("", self._evaluator.value(node, self.place), node, self.place)
        return None

    def _named(self, name: str) -> Given | None:
        found = self.named.get(name)
        if found is None or isinstance(found, Given):
            return found
        return Given(name, self._evaluator.value(found, self.place), found, self.place)

    def is_hidden(self, names: Iterable[str]) -> bool:
        """Tell whether one of these parameters may be given where it cannot be seen: behind a star, in an object."""
        if self.is_open:
            return True
        for name in names:
            first, _, member = name.partition(".")
            if not member:
                continue
            given = self._named(first)
            if given is not None and not _is_transparent(given.value):
                return True
        return False

    def __iter__(self) -> Iterator[tuple[str, Node]]:
        """Yield the names and expressions of what is given by name, as written."""
        for name, found in self.named.items():
            yield name, found.node if isinstance(found, Given) else found


def _is_transparent(value: v.Value) -> bool:
    """Tell whether every member that a value may have can be seen."""
    if isinstance(value, v.Table):
        return value.complete
    if isinstance(value, v.Instance):
        return value.node is not None and value.place is not None and not any(item.star for item in value.node.args)
    return isinstance(value, v.Null)


def member_of(given: Given, name: str, evaluator: Evaluator, depth: int = 0) -> Given | None:
    """A member of a dictionary or settings object: an entry, or what its constructor was given by that name."""
    name, _, rest = name.partition(".")
    for value in v.alternatives(given.value):
        found: Given | None = None
        if isinstance(value, v.Table):
            entry = value.get(name)
            node = entry_node(given.node, name)
            found = None if entry is None else Given(name, entry, given.node if node is None else node, given.place)
        elif isinstance(value, v.Instance) and value.node is not None and value.place is not None:
            found = Arguments(value.node, value.place, evaluator).get((name,))
        elif isinstance(value, v.Items):
            # A list of settings, such as a router's deployments: the first that has the member speaks for it.
            inner = (
                member_of(Given("", item, given.node, given.place), name, evaluator, depth) for item in value.items
            )
            found = next((item for item in inner if item is not None), None)
        if found is not None:
            return member_of(found, rest, evaluator, depth + 1) if rest and depth < _DEEPEST else found
    return None


def entry_node(node: Node, name: str) -> Node:
    """The expression of a dict display's entry; None when the display is elsewhere."""
    if type(node).__name__ != "Dict":
        return None
    from keyguard.python.index import plain_string  # noqa: PLC0415  # keeps this module's top plain

    for element in reversed(node.elements):
        if type(element).__name__ == "DictElement" and plain_string(element.key) == name:
            return element.value
    return None


def numbers(value: v.Value) -> Iterator[float]:
    """The numbers a value may be."""
    for item in v.alternatives(value):
        if isinstance(item, v.Number):
            yield float(item.number)


def texts(value: v.Value) -> Iterator[str]:
    """The texts a value may be, the fallback of an environment read included."""
    for item in v.alternatives(value):
        if isinstance(item, v.Text):
            yield item.text
        elif isinstance(item, v.EnvRead) and item.default is not None:
            yield from texts(item.default)


def names_read(value: v.Value) -> Iterator[str]:
    """The environment variables a value may be read from."""
    for item in v.alternatives(value):
        if isinstance(item, v.EnvRead):
            yield from item.names
        elif isinstance(item, v.Joined):
            for part in item.parts:
                yield from names_read(part)
        elif isinstance(item, v.Sealed):
            yield from names_read(item.value)


def lookup(table: Mapping[str, object], value: v.Value) -> str:
    """The first name of a table that a value refers to; empty when there is none."""
    return next((name for item in v.alternatives(value) if (name := v.dotted(item)) in table), "")


def written(given: Given, value: v.Value) -> Node:
    """The literal of this module that a text stands in; the expression that gives it when it is put together."""
    if isinstance(value, v.Text):
        leaves = {id(piece.leaf): piece.leaf for piece in value.pieces}
        if len(leaves) == 1:
            leaf = next(iter(leaves.values()))
            if leaf is not None:
                return leaf
    return given.node
