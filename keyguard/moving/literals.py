"""Takes a key out of an expression and leaves a read in its place; the other text and its quotes stay as they are."""

from __future__ import annotations

from keyguard.model import Edit, Span
from keyguard.moving.reasons import RefusedError, Why
from keyguard.moving.tree import kind
from keyguard.patterns import regex
from keyguard.python import values as v
from keyguard.python.index import flatten, operands
from keyguard.python.module import walk
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyguard.moving.tree import Tree
    from keyguard.python.evaluate import Evaluator
    from keyguard.python.index import Node
    from keyguard.python.keys import Draft

# Braces of a text that are doubled when it becomes an f-string; a text with more is cut in two instead.
_MOST_BRACES = 4
_TO_BYTES = frozenset(
    {
        "a2b_base64",
        "a2b_hex",
        "a85decode",
        "b16decode",
        "b32decode",
        "b64decode",
        "b85decode",
        "bytes",
        "decodebytes",
        "encode",
        "standard_b64decode",
        "unhexlify",
        "urlsafe_b64decode",
    }
)
_TO_TEXT = frozenset({"chr", "decode", "str", "unquote", "unquote_plus"})
_BRACE = regex(r"\\N\{[^}]*\}|[{}]")


class Taken(NamedTuple):
    """The edits that put a read in the place of a key; `node` is what becomes the read itself, as a whole."""

    edits: tuple[Edit, ...]
    node: Node = None


def take(draft: Draft, tree: Tree, evaluator: Evaluator, read: Callable[[set[str]], str | None]) -> Taken:
    """The edits that replace a key where it stands.

    `read` spells the read without some quotes, or says None.

    Raises:
        RefusedError: it cannot be done.
    """
    if not all(tree.inside(leaf, draft.root) for leaf in draft.leaves):
        raise RefusedError(Why.PIECES_ELSEWHERE)
    if len(draft.leaves) == 1:
        leaf = draft.leaves[0]
        if draft.value in v.literal_text(leaf):
            return _Literal(draft, leaf, tree, read).taken()
    return _whole(draft, tree, evaluator, read) or _pieces(draft, tree, read)


def spelled(read: Callable[[set[str]], str | None], quotes: set[str]) -> str:
    """The read; refused where it would need both kinds of quotes."""
    found = read(quotes)
    if found is None:
        raise RefusedError(Why.NO_READ)
    return found


def is_bytes(node: Node) -> bool | None:
    """Tell whether an expression gives bytes; None if it may be anything else than text."""
    while True:
        name = kind(node)
        if name == "SimpleString":
            return "b" in v.literal_body(node.value)[0]
        if name in {"FormattedString", "FormattedStringText"}:
            return False
        if name in {"ConcatenatedString", "BinaryOperation"}:
            node = node.left
        elif name == "Subscript":
            node = node.value
        elif name == "Call":
            func = node.func
            method = func.attr.value if kind(func) == "Attribute" else func.value if kind(func) == "Name" else ""
            if method in _TO_BYTES or (method == "fromhex" and getattr(func.value, "value", "") == "bytes"):
                return True
            if method in _TO_TEXT:
                return False
            if kind(func) != "Attribute":
                return None
            node = func.value
        else:
            return None


class _Literal:
    """A key that one literal holds as a whole."""

    def __init__(self, draft: Draft, leaf: Node, tree: Tree, read: Callable[[set[str]], str | None]) -> None:
        self.draft, self.leaf, self.tree, self.read = draft, leaf, tree, read
        self.value = draft.value
        self.content = v.literal_text(leaf)
        self.span = tree.span(leaf)
        self.parent = tree.parent(leaf)

    def taken(self) -> Taken:
        if kind(self.leaf) == "FormattedStringText":
            return self.of_formatted()
        if is_bytes(self.leaf):
            return self.of_bytes()
        joined = kind(self.parent) == "ConcatenatedString"
        if self.is_all() and not joined:
            expression = spelled(self.read, self.tree.quotes(self.leaf))
            return Taken((self.tree.replace(self.tree.whole(self.leaf), expression),), self.leaf)
        prefix, first, last = v.literal_body(self.leaf.value)
        body = self.leaf.value[first:last]
        braces = [match for match in _BRACE.finditer(body) if len(match[0]) == 1 or "r" in prefix]
        if len(braces) > _MOST_BRACES and not joined:
            return Taken(self.cut(""))
        return Taken(self.formatted(prefix, body, first))

    def is_all(self) -> bool:
        """Tell whether the text is the key, but for what an SDK cannot use: white space, a scheme that it adds."""
        rest = self.content.replace(self.value, "", 1)
        return not rest or (self.draft.around.is_key and rest.strip().lower() in {"", "bearer"})

    def ranges(self) -> list[Span]:
        """Where the key stands in the text, as spans of the module: each time it does."""
        found = []
        at = self.content.find(self.value)
        while at >= 0:
            start, end = v.literal_range(self.leaf, at, at + len(self.value))
            found.append(Span(self.span.start + start, self.span.start + end))
            at = self.content.find(self.value, at + len(self.value))
        return found

    def formatted(self, prefix: str, body: str, first: int) -> tuple[Edit, ...]:
        """Make an f-string of the literal."""
        quote = self.leaf.value[-1]
        quotes = self.tree.quotes(self.leaf) | {quote}
        if quote in self.tree.quotes(self.leaf):
            raise RefusedError(Why.QUOTES)
        expression = spelled(self.read, quotes)
        start = self.span.start
        if "u" in prefix:
            edits = [self.tree.replace(Span(start, start + 1), "f")]
        else:
            edits = [self.tree.replace(Span(start, start), "f")]
        keys = self.ranges()
        edits += (Edit(span, f"{{{expression}}}") for span in keys)
        for match in _BRACE.finditer(body):
            if len(match[0]) > 1 and "r" not in prefix:
                continue  # the name of a character
            for at, char in enumerate(match[0], start + first + match.start()):
                if char in "{}":
                    edits.append(Edit(Span(at, at + 1), char * 2))
        return tuple(edits)

    def cut(self, encoded: str) -> tuple[Edit, ...]:
        """Make a sum of the literal: the text before, the read, the text behind."""
        if kind(self.parent) == "ConcatenatedString":
            raise RefusedError(Why.NEIGHBOUR)
        first, last = v.literal_body(self.leaf.value)[1:]
        opening = self.leaf.value[:first].replace("u", "").replace("U", "")
        closing = self.leaf.value[last:]
        expression = spelled(self.read, self.tree.quotes(self.leaf)) + encoded
        body = Span(self.span.start + first, self.span.start + last)
        edits = []
        for span in self.ranges():
            before, behind = f"{closing} + ", f" + {opening}"
            if span.start == body.start:
                span, before = Span(self.span.start, span.end), ""  # noqa: PLW2901  # the opening quote goes too
            if span.end == body.end:
                span, behind = Span(span.start, self.span.end), ""  # noqa: PLW2901  # as the closing one
            edits.append(Edit(span, before + expression + behind))
        if not self.tree.is_loose(self.leaf):
            edits += (Edit(Span(self.span.start, self.span.start), "("), Edit(Span(self.span.end, self.span.end), ")"))
        return tuple(edits)

    def of_bytes(self) -> Taken:
        if not self.is_all():
            return Taken(self.cut(".encode()"))
        if kind(self.parent) == "ConcatenatedString":
            raise RefusedError(Why.NEIGHBOUR)
        expression = spelled(self.read, self.tree.quotes(self.leaf)) + ".encode()"
        return Taken((self.tree.replace(self.tree.whole(self.leaf), expression),))

    def of_formatted(self) -> Taken:
        """A key in the text of an f-string."""
        outer = self.parent
        if kind(outer) != "FormattedString":
            raise RefusedError(Why.FORMAT)
        alone = len(outer.parts) == 1 and kind(self.tree.parent(outer)) != "ConcatenatedString"
        if alone and self.is_all():
            expression = spelled(self.read, self.tree.quotes(outer))
            return Taken((self.tree.replace(self.tree.whole(outer), expression),), outer)
        expression = spelled(self.read, self.tree.quotes(outer) | {outer.start[-1]})
        return Taken(tuple(Edit(span, f"{{{expression}}}") for span in self.ranges()))


def _whole(draft: Draft, tree: Tree, evaluator: Evaluator, read: Callable[[set[str]], str | None]) -> Taken | None:
    """Replace the largest part of an expression that makes the key and nothing else."""
    if draft.place is None:
        return None
    if not draft.leaves and _names(draft.root, draft, evaluator):
        raise RefusedError(Why.MADE_ELSEWHERE)
    made: list[Node] = []
    for node in tree.up(draft.leaves[0] if draft.leaves else draft.root):
        if kind(node) not in {"AugAssign", "Arg"} and all(tree.inside(leaf, node) for leaf in draft.leaves):
            value = evaluator.value(node, draft.place)
            if isinstance(value, v.Text) and value.text == draft.value:
                made.append(node)
        if node is draft.root:
            break
    if not made:
        return None
    node = next((node for node in reversed(made) if is_bytes(node) is not None), None)
    if node is None:
        raise RefusedError(Why.NO_TEXT)
    expression = spelled(read, tree.quotes(node)) + (".encode()" if is_bytes(node) else "")
    return Taken((tree.replace(tree.whole(node), expression),), None if is_bytes(node) else node)


def _names(root: Node, draft: Draft, evaluator: Evaluator) -> bool:
    """Tell whether an expression uses a name that something else of the module gives its value."""
    assert draft.place is not None  # noqa: S101  # for the type checker: asked before
    for node in walk(root):
        if kind(node) == "Name":
            found = evaluator.bindings(node.value, draft.place) or ()
            if any(binding.kind in {"assign", "augment", "declare", "unpack", "param"} for binding in found):
                return True
    return False


def _pieces(draft: Draft, tree: Tree, read: Callable[[set[str]], str | None]) -> Taken:
    """Replace a key that several literals beside each other hold: the first gets the read, the others lose theirs."""
    leaves = sorted(draft.leaves, key=tree.span)
    if not leaves or draft.form != "pieces":
        raise RefusedError(Why.DECODED_PART)
    root = tree.parent(leaves[0])
    while root is not None and kind(root) == "ConcatenatedString" and kind(tree.parent(root)) == "ConcatenatedString":
        root = tree.parent(root)
    if kind(root) == "ConcatenatedString":
        terms = flatten(root)
    elif kind(root) == "BinaryOperation" and kind(root.operator) == "Add":
        while kind(tree.parent(root)) == "BinaryOperation" and kind(tree.parent(root).operator) == "Add":
            root = tree.parent(root)
        terms = operands(root)
    else:
        raise RefusedError(Why.PUT_TOGETHER)
    return Taken(_joined(draft, terms, leaves, tree, read, is_sum=kind(root) == "BinaryOperation"))


def _joined(  # noqa: PLR0913  # all that is known of the pieces
    draft: Draft,
    terms: list[Node],
    leaves: list[Node],
    tree: Tree,
    read: Callable[[set[str]], str | None],
    *,
    is_sum: bool,
) -> tuple[Edit, ...]:
    at = next((number for number, term in enumerate(terms) if term is leaves[0]), None)
    if at is None or terms[at : at + len(leaves)] != leaves:
        raise RefusedError(Why.BETWEEN)
    if any(kind(leaf) != "SimpleString" or is_bytes(leaf) or leaf.lpar for leaf in leaves):
        raise RefusedError(Why.NOT_PLAIN)
    texts = [v.literal_text(leaf) for leaf in leaves]
    begin = "".join(texts).find(draft.value)
    first, last = leaves[0], leaves[-1]
    end = begin + len(draft.value) - len("".join(texts[:-1]))  # in the last text
    if begin < 0 or begin >= len(texts[0]) or end <= 0:
        raise RefusedError(Why.NOT_THERE)
    span, tail = tree.span(first), tree.span(last)
    prefix, body, stop = v.literal_body(first.value)
    edits: list[Edit] = []
    if begin == 0 and is_sum:
        edits.append(tree.replace(span, spelled(read, tree.quotes(first))))
    else:
        quote = first.value[-1]
        if quote in tree.quotes(first):
            raise RefusedError(Why.QUOTES)
        expression = spelled(read, tree.quotes(first) | {quote})
        cut = span.start + v.literal_range(first, begin, begin)[0]
        start = Span(span.start, span.start + ("u" in prefix))
        edits += (tree.replace(start, "f"), Edit(Span(cut, span.start + stop), f"{{{expression}}}"))
        for match in _BRACE.finditer(first.value, body, cut - span.start):
            if len(match[0]) == 1:
                edits.append(Edit(Span(span.start + match.start(), span.start + match.end()), match[0] * 2))
    if end == len(texts[-1]):
        edits.append(Edit(Span(span.end, tail.end), ""))
    else:
        kept = tree.span(leaves[-2]).end if len(leaves) > 2 else span.end  # noqa: PLR2004  # nothing in between
        edits.append(Edit(Span(span.end, kept), ""))
        opening = tail.start + v.literal_body(last.value)[1]
        edits.append(Edit(Span(opening, tail.start + v.literal_range(last, end, end)[0]), ""))
    return tuple(edit for edit in edits if edit.text or edit.span.start < edit.span.end)
