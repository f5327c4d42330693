"""What the moves of one module share, and what is known of one key that is to be moved."""

from __future__ import annotations

from msgspec import Struct, field

from keyguard.moving.literals import Taken, spelled, take
from keyguard.moving.reads import CodeStyle, Reads
from keyguard.moving.tree import Tree, kind
from keyguard.python.imports import Want
from keyguard.python.index import spell
from keyguard.python.module import walk
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyguard.model import Edit, Span
    from keyguard.python.facts import PythonFacts
    from keyguard.python.index import Node, Place
    from keyguard.python.keys import Draft


class Desk:
    """One module whose keys are moved: its facts, its tree, and how reads are spelled in it."""

    def __init__(self, facts: PythonFacts, style: CodeStyle) -> None:
        """Lay everything out; the spans of all keys are asked for at once."""
        self.facts, self.style = facts, style
        self.reads = Reads(facts.index, style)
        drafts = [key.draft for key in facts.keys if key.draft is not None]
        nodes = [node for draft in drafts for node in (draft.root, *draft.leaves)]
        self.tree = Tree(facts.module, nodes, self.reads.imports.nodes)
        self._has_unions: bool | None = None

    @property
    def is_stub(self) -> bool:
        """Tell whether the file only declares things."""
        return self.facts.source.path.endswith(".pyi")

    @property
    def has_unions(self) -> bool:
        """Tell whether an annotation `X | None` is fine here: nobody evaluates it, or the module has one already."""
        if self._has_unions is None:
            self._has_unions = any(map(_is_modern, walk(self.facts.module.tree)))
        return self._has_unions

    def optional(self, node: Node) -> str | None:
        """How the module spells `typing.Optional` at a parameter; None if it does not import it."""
        index = self.facts.index
        function = self.tree.around(node, "FunctionDef")
        scope = self.facts.evaluator.scope_of(function)
        from keyguard.python.index import Place as At  # noqa: PLC0415  # at run time only here

        outer = scope.parent if scope is not None and scope.parent is not None else index.scope
        place = At(outer, scope.order if scope is not None else 0, outer.root)
        at = self.tree.span(function).start
        return self.reads.imports.there(Want("typing", "Optional", direct=True), place, at)


def _is_modern(node: Node) -> bool:
    if kind(node) == "ImportFrom":
        return node.module is not None and spell(node.module) == "__future__"
    if kind(node) == "Annotation":
        return any(kind(item) == "BinaryOperation" and kind(item.operator) == "BitOr" for item in walk(node))
    return kind(node) == "Match"


class Task(Struct):
    """One key that goes under a name; `own` is the variable that the code itself reads for it, if it does.

    `exact` is the expression that is the key and nothing else, None where more text stands with it.
    """

    desk: Desk
    draft: Draft
    place: Place
    name: str
    own: str | None
    exact: Node = None
    _taken: dict[bool, Taken] = field(default_factory=dict)

    @property
    def leaf(self) -> Node:
        """A literal of the key, or what makes it."""
        return self.draft.leaves[0] if self.draft.leaves else self.draft.root

    @property
    def at(self) -> int:
        """Where it stands."""
        return self.desk.tree.span(self.leaf).start

    def taken(self, *, optional: bool = False) -> Taken:
        """The edits that put the read in the place of the key, imports included."""
        if optional not in self._taken:
            self._taken[optional] = self._take(self.place, self.at, optional=optional)
        return self._taken[optional]

    def taken_at(self, place: Place, at: int) -> Taken:
        """The same, spelled for another place in which it will stand."""
        return self._take(place, at)

    def put(self, span: Span, node: Node) -> tuple[Edit, ...]:
        """The edits that put the read in the place of an expression around the key."""
        read, edits = self._reader(self.place, self.at)
        expression = spelled(read, self.desk.tree.quotes(node))
        return (self.desk.tree.replace(span, expression), *edits)

    def _take(self, place: Place, at: int, *, optional: bool = False) -> Taken:
        read, edits = self._reader(place, at, optional=optional)
        taken = take(self.draft, self.desk.tree, self.desk.facts.evaluator, read)
        return Taken((*taken.edits, *edits), taken.node)

    def _reader(
        self, place: Place, at: int, *, optional: bool = False
    ) -> tuple[Callable[[set[str]], str | None], list[Edit]]:
        """What spells the read, and the list in which it leaves the imports that this takes."""
        needed: list[Edit] = []

        def read(quotes: set[str]) -> str | None:
            way = self.desk.reads.read(self.name, place, at, quotes, optional=optional)
            if way is None:
                return None
            needed.extend(way.edits)
            return way.expression

        return read, needed
