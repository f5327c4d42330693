"""A module's tree from the inside out: what stands around a node, where it stands, and how a text is edited there."""

from __future__ import annotations

from keyguard.model import Edit, Span
from keyguard.patterns import regex
from keyguard.python.module import children, walk
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from keyguard.python.index import Node
    from keyguard.python.module import Module

_LINE_END = regex(r"\r\n?|\n")
_STRINGS = frozenset({"FormattedString", "TemplatedString"})
# Where an expression of several terms may stand without brackets.
_LOOSE = frozenset(
    {"AnnAssign", "Arg", "Assign", "AugAssign", "DictElement", "Element", "Expr", "Index", "Param", "Return"}
)


def kind(node: Node) -> str:
    """The name of a node's type: LibCST itself is not imported here."""
    return type(node).__name__


class Tree:
    """Parents and spans of the nodes around the keys of a module; all spans are asked for at once."""

    def __init__(self, module: Module, leaves: Iterable[Node], more: Iterable[Node] = ()) -> None:
        """Prepare for questions about what stands around `leaves`; `more` are nodes that somebody will ask about."""
        self.module = module
        self.text = module.text
        self._parents: dict[int, Node] = {}
        stack = [module.tree]
        while stack:
            node = stack.pop()
            for child in children(node):
                self._parents[id(child)] = node
                stack.append(child)
        wanted = list(more)
        seen: set[int] = set()
        for leaf in leaves:
            top = leaf
            for top in self.up(leaf):  # noqa: B007  # the last one is the statement of the module
                pass
            if id(top) in seen:
                continue
            seen.add(id(top))
            for node in walk(top):
                wanted.append(node)
                for side in ("lpar", "rpar"):
                    brackets = getattr(node, side, None)
                    if isinstance(brackets, (list, tuple)):
                        wanted.extend(brackets)
        self._spans: Mapping[int, Span] = module.spans(wanted) if wanted else {}

    def parent(self, node: Node) -> Node:
        """What a node is part of; None for the module, and for what is not in it."""
        return self._parents.get(id(node))

    def up(self, node: Node) -> Iterator[Node]:
        """A node and what is around it, inside out, the module left out."""
        while node is not None and kind(node) != "Module":
            yield node
            node = self._parents.get(id(node))

    def pairs(self, node: Node) -> Iterator[tuple[Node, Node]]:
        """A node with its parent, and so on outwards."""
        for child in self.up(node):
            parent = self.parent(child)
            if parent is not None:
                yield child, parent

    def around(self, node: Node, *kinds: str) -> Node:
        """The nearest node of some kinds around (or at) a node."""
        return next((outer for outer in self.up(node) if kind(outer) in kinds), None)

    def inside(self, node: Node, outer: Node) -> bool:
        """Tell whether a node is part of another one, or is it."""
        return any(item is outer for item in self.up(node))

    def span(self, node: Node) -> Span:
        """Where a node stands, without its own brackets."""
        found = self._spans.get(id(node))
        return found if found is not None else self.module.span(node)

    def whole(self, node: Node) -> Span:
        """Where a node stands with its brackets, unless a comment stands in them."""
        span = self.span(node)
        if not getattr(node, "lpar", None) or not isinstance(node.lpar, (list, tuple)):
            return span
        outer = Span(self.span(node.lpar[0]).start, self.span(node.rpar[-1]).end)
        around = self.text[outer.start : span.start] + self.text[span.end : outer.end]
        return span if "#" in around else outer

    def quotes(self, node: Node) -> set[str]:
        """The quotes that an expression at a node must not use: those of the f-strings around it.

        Pythons before 3.12 end the outer string at them.
        """
        return {outer.start[-1] for outer in self.up(node) if kind(outer) in _STRINGS and outer is not node}

    def is_loose(self, node: Node) -> bool:
        """Tell whether a sum may stand in the place of a node as it is."""
        if getattr(node, "lpar", None):
            return True
        return kind(self.parent(node)) in _LOOSE

    def line_start(self, offset: int) -> int:
        """Where the line of an offset begins."""
        return max(self.text.rfind("\n", 0, offset), self.text.rfind("\r", 0, offset)) + 1

    def line_end(self, offset: int) -> int:
        """Where the line after that of an offset begins, or the text ends."""
        match = _LINE_END.search(self.text, offset)
        return match.end() if match else len(self.text)

    def newline(self, offset: int) -> str:
        """The line end in use around an offset."""
        match = _LINE_END.search(self.text, self.line_start(offset) - 1 if self.line_start(offset) else offset)
        if match is not None and match[0] == "\n" and self.text.startswith("\r\n", match.start() - 1):
            return "\r\n"
        return match[0] if match else "\n"

    def replace(self, span: Span, new: str) -> Edit:
        """Put a text in the place of a span; a word before it stays a word of its own (`return"…"`)."""
        before = self.text[span.start - 1 : span.start]
        glued = new[:1].isidentifier() and (before.isalnum() or before == "_")
        return Edit(span, f" {new}" if glued else new)

    def after_edits(self, span: Span, edits: Iterable[Edit]) -> str:
        """The text of a span with the edits made that lie in it."""
        pieces: list[str] = []
        place = span.start
        for edit in sorted(edits):
            if span.covers(edit.span):
                pieces += (self.text[place : edit.span.start], edit.text)
                place = edit.span.end
        pieces.append(self.text[place : span.end])
        return "".join(pieces)


def merged(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Edits in order, each once; those that touch become one, since two would be in each other's way."""
    done: list[Edit] = []
    for edit in sorted(set(edits), key=_in_place):
        if done and edit.span.start <= done[-1].span.end:
            last = done.pop()
            edit = Edit(Span(last.span.start, max(last.span.end, edit.span.end)), last.text + edit.text)  # noqa: PLW2901  # what is kept
        done.append(edit)
    return tuple(done)


def _in_place(edit: Edit) -> tuple[Span, bool, str]:
    """Of what is put into one place, imports come first: helpers use them."""
    return edit.span, not edit.text.startswith(("import ", "from ")), edit.text
