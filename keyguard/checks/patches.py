"""Changes to nodes of a tree become edits of its text: arguments set, removed or renamed, expressions replaced."""

from __future__ import annotations

import ast
import re
import warnings
from types import MappingProxyType

from msgspec import Struct, field

from keyguard.model import Edit, Fix, Safety, Span
from keyguard.patterns import regex
from keyguard.python.module import children
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from keyguard.python.imports import Imports, Want
    from keyguard.python.index import Place
    from keyguard.python.module import Module

_NOTHING: Mapping[str, str] = MappingProxyType({})


class SetArgument(NamedTuple):
    """Give a call `name=text`: in place of the value it gives by that name, else behind its last argument.

    `text` may be any expression but a walrus or a bare generator. Whether the callee takes `name`, and that it is not
    given by position, is for the check to know.
    """

    call: Any
    name: str
    text: str

    @property
    def nodes(self) -> Iterator[Any]:
        """What its edits are counted from."""
        return _parts_of(self.call)


class RemoveArgument(NamedTuple):
    """Take an argument out of a call: by its name, or the one whose value a node is."""

    call: Any
    argument: Any

    @property
    def nodes(self) -> Iterator[Any]:
        """What its edits are counted from."""
        return _parts_of(self.call)


class RenameArgument(NamedTuple):
    """Give an argument another name; with `text` another value too."""

    call: Any
    old: str
    new: str
    text: str | None = None

    @property
    def nodes(self) -> Iterator[Any]:
        """What its edits are counted from."""
        return _parts_of(self.call)


class SetEntry(NamedTuple):
    """Write `key: text` behind the last entry of a dict display, which has none of that key; `key` is a literal."""

    table: Any
    key: str
    text: str

    @property
    def nodes(self) -> Iterator[Any]:
        """What its edits are counted from."""
        yield self.table
        for item in self.table.elements:
            yield item
            yield item.value


class Import(NamedTuple):
    """Edits that something else made, such as those of an import: see `python.imports`."""

    edits: tuple[Edit, ...]

    @property
    def nodes(self) -> Iterator[Any]:
        """Nothing: they are counted already."""
        return iter(())


class Replace(NamedTuple):
    """Write another expression in a node's place; it gets parentheses where the node's surroundings ask for them."""

    node: Any
    text: str

    @property
    def nodes(self) -> Iterator[Any]:
        """What its edits are counted from."""
        yield self.node


class Wrap(NamedTuple):
    """Write something in front of an expression, and behind it: `await …`, `….strip()`, `float(…)`."""

    node: Any
    before: str = ""
    after: str = ""

    @property
    def nodes(self) -> Iterator[Any]:
        """What its edits are counted from."""
        yield self.node


Change = SetArgument | RemoveArgument | RenameArgument | SetEntry | Import | Replace | Wrap


class Patch(NamedTuple):
    """What a fix changes, in nodes: see `model.Fix`.

    `title` names a text `fix.…` of `lang`, which is filled from the hit's values and these. Where the changes cannot
    be made, the fix is only shown, and says why; so is one without any, whose title says so itself. `wants` are what
    the texts of the changes stand in need of from other modules, by the word that holds their place there:
    `<environ>["X"]`; `place` is where they are used.
    """

    title: str
    safety: Safety
    changes: tuple[Change, ...]
    values: Mapping[str, str] = _NOTHING
    wants: Mapping[str, Want] = MappingProxyType({})
    place: Place | None = None

    @property
    def nodes(self) -> Iterator[Any]:
        """Whatever must have a span before the patch can become a fix."""
        for change in self.changes:
            yield from change.nodes


class ImpossibleError(Exception):
    """A change that cannot be made without harm; its text names a text `fix.why.…` of `lang`."""


def fix_of(
    patch: Patch,
    module: Module,
    spans: Mapping[int, Span],
    imports: Imports | None = None,
    around: Surroundings | None = None,
) -> Fix:
    """Turn a patch into a fix; `spans` holds those of `patch.nodes`, and its edits count in `module.text`.

    `imports` answers for the same module what a patch wants of others, `around` what stands around its expressions:
    one for all patches of a module spares each a walk over the tree.
    """
    title = " ".join(f"fix.{name}" for name in patch.title.split())
    if not patch.changes:
        return Fix(title, Safety.SHOWN, ())
    try:
        patch, edits = _imported(patch, spans, imports) if patch.wants else (patch, ())
        return Fix(
            title,
            patch.safety,
            _joined((*edits, *_edits(patch, module, spans, around or Surroundings(module, (patch,))))),
        )
    except ImpossibleError as error:
        return Fix(f"{title} fix.why.{error}", Safety.SHOWN, ())


def _imported(patch: Patch, spans: Mapping[int, Span], imports: Imports | None) -> tuple[Patch, tuple[Edit, ...]]:
    """A patch that spells what it wants as its place can, and the edits that make it available there."""
    edits: list[Edit] = []
    changes = patch.changes
    at = min(spans[id(node)].start for node in patch.nodes)
    for word, want in patch.wants.items():
        way = imports.way(want, patch.place, at) if imports is not None and patch.place is not None else None
        if way is None:
            raise ImpossibleError("import")  # noqa: EM101  # a name
        changes = tuple(_spelled(change, f"<{word}>", way.expression) for change in changes)
        edits += way.edits
    return patch._replace(changes=changes), tuple(edits)


def _spelled(change: Change, word: str, expression: str) -> Any:  # noqa: ANN401  # of the same kind
    """A change whose texts have an expression in the place of a word."""
    make: Any = type(change)
    return make(*(item.replace(word, expression) if isinstance(item, str) else item for item in change))


def _edits(patch: Patch, module: Module, spans: Mapping[int, Span], around: Surroundings) -> Iterator[Edit]:
    calls: dict[int, _Call] = {}
    is_done = True
    for change in patch.changes:
        made: Iterable[Edit] = ()
        if isinstance(change, Replace):
            made = tuple(_replaced(change, module.text, spans[id(change.node)], around))
        elif isinstance(change, Wrap):
            made = tuple(_wrapped(change, module.text, spans[id(change.node)], around))
        elif isinstance(change, Import):
            made = change.edits
        elif isinstance(change, SetEntry):
            if id(change.table) not in calls:
                calls[id(change.table)] = _Call.read_table(change.table, module.text, spans)
            calls[id(change.table)].add(change)
        else:
            if id(change.call) not in calls:
                calls[id(change.call)] = _Call.read(change.call, module.text, spans)
            calls[id(change.call)].make(change)
        is_done = is_done and not made
        yield from made
    for call in calls.values():
        made = tuple(call.edits())
        is_done = is_done and not made
        yield from made
    if is_done:
        raise ImpossibleError("done")  # noqa: EM101  # a name


def _joined(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Edits in order, those that touch made one; what overlaps cannot be made at once."""
    made: list[Edit] = []
    for edit in sorted(set(edits)):
        if made and made[-1].span.end > edit.span.start:
            raise ImpossibleError("overlap")  # noqa: EM101  # a name
        if made and made[-1].span.end == edit.span.start:
            last = made.pop()
            edit = Edit(Span(last.span.start, edit.span.end), last.text + edit.text)  # noqa: PLW2901  # the one it is
        made.append(edit)
    return tuple(made)


# -- the arguments of a call ---------------------------------------------------------------------------------------

# What may stand between the parts of a call. Its alternatives begin with different characters: linear on any text.
_TRIVIA = regex(r"(?:[ \t\f]+|\\(?:\r\n?|\n)|\r\n?|\n|#[^\r\n]*)*")
_LINE_END = regex(r"\r\n?|\n")


def _parts_of(call: Any) -> Iterator[Any]:  # noqa: ANN401  # a LibCST node
    yield call
    yield call.func
    for item in call.args:
        yield item
        yield item.value
        if item.keyword is not None:
            yield item.keyword


class _Item(Struct):
    """One argument: the blanks before it, its text, the blanks before its comma, and the comma."""

    before: list[Span | str]
    pieces: list[Span | str]
    after: list[Span | str]
    comma: list[Span | str]
    name: str | None = None
    star: str = ""
    value: Any = None
    keyword_span: Span | None = None
    value_span: Span | None = None

    @property
    def all(self) -> list[Span | str]:
        return [*self.before, *self.pieces, *self.after, *self.comma]


class _Call(Struct):
    """The text between a call's brackets, in pieces that keep their order: those that stay, and what is new."""

    text: str
    inside: Span
    items: list[_Item] = field(default_factory=list)
    tail: list[Span | str] = field(default_factory=list)

    @classmethod
    def read(cls, node: Any, text: str, spans: Mapping[int, Span]) -> _Call:  # noqa: ANN401  # a LibCST node
        """Find the commas and blanks of a call; what does not read as one (a magic inside, a wrong span) is refused."""
        whole = spans[id(node)]
        place = spans[id(node.func)].end
        for sign in [")"] * len(getattr(node.func, "rpar", ())) + ["("]:
            place = _expect(text, _past_trivia(text, place), sign)
        return cls(text, Span(place, whole.end - 1)).filled(node.args, ")", spans)

    @classmethod
    def read_table(cls, node: Any, text: str, spans: Mapping[int, Span]) -> _Call:  # noqa: ANN401  # a LibCST node
        """The same of a dict display: its entries have no names here."""
        if any(type(item).__name__ != "DictElement" for item in node.elements):
            raise ImpossibleError("star")  # noqa: EM101  # a name
        whole = spans[id(node)]
        place = _expect(text, whole.start, "{")
        return cls(text, Span(place, whole.end - 1)).filled(node.elements, "}", spans)

    def filled(self, parts: Sequence[Any], closing: str, spans: Mapping[int, Span]) -> _Call:
        """Read what stands between the brackets."""
        text, place = self.text, self.inside.start
        for number, argument in enumerate(parts):
            span = spans[id(argument)]
            start = _past_trivia(text, place)
            if start != span.start:
                raise ImpossibleError("layout")  # noqa: EM101  # a name
            end = _past_trivia(text, span.end)
            has_comma = text.startswith(",", end)
            if not has_comma and number + 1 < len(parts):
                raise ImpossibleError("layout")  # noqa: EM101  # a name
            named = getattr(argument, "keyword", None) is not None
            item = _Item(
                [Span(place, start)],
                [span],
                [Span(span.end, end)] if has_comma else [],
                [Span(end, end + 1)] if has_comma else [],
                argument.keyword.value if named else None,
                getattr(argument, "star", ""),
                argument.value,
                spans[id(argument.keyword)] if named else None,
                spans[id(argument.value)],
            )
            self.items.append(item)
            place = end + 1 if has_comma else span.end
        self.tail = [Span(place, self.inside.end)]
        blanks = [piece for item in self.items for piece in (*item.before, *item.after)] + self.tail
        if "\\" in self._said(blanks):  # a line that goes on must not end elsewhere
            raise ImpossibleError("layout")  # noqa: EM101  # a name
        if _past_trivia(text, place) != self.inside.end or not text.startswith(closing, self.inside.end):
            raise ImpossibleError("layout")  # noqa: EM101  # a name
        return self

    def make(self, change: SetArgument | RemoveArgument | RenameArgument) -> None:
        """Make one change; those before it are made."""
        if isinstance(change, RemoveArgument):
            self._remove(self._index(change.argument))
        elif isinstance(change, RenameArgument):
            self._rename(change)
        else:
            self._set(change.name, change.text)

    def add(self, change: SetEntry) -> None:
        """Write one entry behind the others."""
        self._append(None, f"{change.key}: {change.text}")

    def edits(self) -> Iterator[Edit]:
        """What differs from the text as it was."""
        pieces = [piece for item in self.items for piece in item.all] + self.tail
        place, new = self.inside.start, ""
        for piece in (*pieces, Span(self.inside.end, self.inside.end)):
            if isinstance(piece, str):
                new += piece
                continue
            if piece.start != place or new:
                yield Edit(Span(place, piece.start), new)
            place, new = piece.end, ""

    def _index(self, argument: Any) -> int:  # noqa: ANN401  # a name or a LibCST node
        for number, item in enumerate(self.items):
            if item.name == argument if isinstance(argument, str) else item.value is argument:
                return number
        raise ImpossibleError("elsewhere")  # noqa: EM101  # a name

    def _said(self, pieces: Iterable[Span | str]) -> str:
        return "".join(piece if isinstance(piece, str) else self.text[piece.start : piece.end] for piece in pieces)

    # setting

    def _set(self, name: str, text: str) -> None:
        for item in self.items:
            if item.name == name:
                self._give(item, text)
                return
        if any(item.star for item in self.items):
            raise ImpossibleError("star")  # noqa: EM101  # a name
        if len(self.items) == 1 and self._is_bare_generator(self.items[0]):
            raise ImpossibleError("generator")  # noqa: EM101  # a name
        self._append(name, f"{name}={text}")

    def _give(self, item: _Item, text: str) -> None:
        """Replace the value of an argument given by name, between its own parentheses if it has some."""
        (span,) = item.pieces if len(item.pieces) == 1 else (None,)
        value = item.value_span
        if not isinstance(span, Span) or value is None:
            raise ImpossibleError("overlap")  # noqa: EM101  # a name
        if self.text[value.start : value.end] != text:
            item.pieces = [Span(span.start, value.start), text, Span(value.end, span.end)]

    def _is_bare_generator(self, item: _Item) -> bool:
        return type(item.value).__name__ == "GeneratorExp" and not self._said(item.pieces).startswith("(")

    def _append(self, name: str | None, text: str) -> None:
        made = _Item([], [text], [], [], name)
        tail = self._said(self.tail)
        if not self.items:
            if "#" in tail:
                raise ImpossibleError("comment")  # noqa: EM101  # a name
            self.items, self.tail = [made], []
            return
        last = self.items[-1]
        own_line = self._indent(last) if self._is_list() else None
        if own_line is None:
            made.before = [" "]
            made.comma = [","] if last.comma else []
        else:
            made.before = [own_line]
            made.comma = [","] if last.comma else []
            # A comment behind the last argument stays on its line.
            comment = re.match(r"[ \t\f]*#[^\r\n]*", tail)
            if comment is not None:
                (span,) = self.tail
                if not isinstance(span, Span):
                    raise ImpossibleError("overlap")  # noqa: EM101  # a name
                middle = span.start + comment.end()
                made.before.insert(0, Span(span.start, middle))
                self.tail = [Span(middle, span.end)]
        if not last.comma:
            last.comma = [","]
        self.items.append(made)

    def _is_list(self) -> bool:
        """Tell whether each argument begins its own line, the first perhaps behind the bracket."""
        rows = ["\n" in (said := self._said(item.before)) or "\r" in said for item in self.items]
        return all(rows[1:]) and (rows[0] or len(rows) > 1)

    def _indent(self, item: _Item) -> str:
        """The line end and indent before an argument."""
        said = self._said(item.before)
        *_, match = _LINE_END.finditer(said)
        return said[match.start() :]

    # removing

    def _remove(self, index: int) -> None:
        item = self.items[index]
        if item.star or (item.name is None and any(self._is_positional(other) for other in self.items[index + 1 :])):
            raise ImpossibleError("position")  # noqa: EM101  # a name
        is_last = index + 1 == len(self.items)
        behind = self.tail if is_last else self.items[index + 1].before
        before, following = self._said(item.before), self._said(behind)
        head, *lines_before = _LINE_END.split(before)
        first_line, *lines_behind = _LINE_END.split(following)
        # A comment on its line, or alone on the line above, speaks of the argument.
        if "#" in self._said(item.after) or "#" in first_line or any("#" in line for line in lines_before):
            raise ImpossibleError("comment")  # noqa: EM101  # a name
        is_alone = len(self.items) == 1
        if not (lines_before and lines_behind) or is_alone:
            loses_before = is_alone or (is_last or bool(lines_behind and index))
            loses_behind = is_alone or (index == 0 and not is_last)
            if ("#" in head and loses_before) or ("#" in following and loses_behind):
                raise ImpossibleError("comment")  # noqa: EM101  # a name
        if is_alone:
            self.items, self.tail = [], []
            return
        if lines_before and lines_behind:
            # Its line goes; what stood behind the comma on the line before stays there.
            (span,) = item.before
            behind[:0] = [Span(span.start, span.start + len(head))] if head.strip() and isinstance(span, Span) else []
        elif not is_last and (index == 0 or not lines_behind):
            behind[:] = item.before  # the next takes its place
        del self.items[index]
        if is_last and not item.comma:
            last = self.items[-1]
            last.after, last.comma = last.after if "#" in self._said(last.after) else [], []

    @staticmethod
    def _is_positional(item: _Item) -> bool:
        return item.name is None and item.star != "**"

    # renaming

    def _rename(self, change: RenameArgument) -> None:
        item = self.items[self._index(change.old)]
        if any(other.star == "**" or other.name == change.new for other in self.items):
            raise ImpossibleError("star")  # noqa: EM101  # a name
        span = item.keyword_span
        if span is None or len(item.pieces) != 1 or not isinstance(item.pieces[0], Span):
            raise ImpossibleError("overlap")  # noqa: EM101  # a name
        whole = item.pieces[0]
        if change.text is not None:
            self._give(item, change.text)
        head, rest = item.pieces[0], item.pieces[1:]
        end = head.end if isinstance(head, Span) else whole.end
        item.pieces = [change.new, Span(span.end, end), *rest]
        item.name = change.new


def _past_trivia(text: str, place: int) -> int:
    match = _TRIVIA.match(text, place)
    return match.end() if match else place


def _expect(text: str, place: int, sign: str) -> int:
    if not text.startswith(sign, place):
        raise ImpossibleError("layout")  # noqa: EM101  # a name
    return place + 1


# -- expressions ---------------------------------------------------------------------------------------------------

# How tightly expressions bind, loosest first; what binds as tightly as the one it replaces needs no parentheses.
_LEVELS = (
    ("Tuple", "Yield"),
    ("NamedExpr",),
    ("Lambda",),
    ("IfExp",),
    ("Or",),
    ("And",),
    ("Not",),
    ("Comparison", "Compare"),
    ("BitOr",),
    ("BitXor",),
    ("BitAnd",),
    ("LeftShift", "RightShift", "LShift", "RShift"),
    ("Add", "Subtract", "Sub"),
    ("Multiply", "Divide", "FloorDivide", "Modulo", "MatrixMultiply", "Mult", "Div", "FloorDiv", "Mod", "MatMult"),
    ("Plus", "Minus", "BitInvert", "UAdd", "USub", "Invert"),
    ("Power", "Pow"),
    ("Await",),
)
_LEVEL = {name: number for number, names in enumerate(_LEVELS) for name in names}
_PRIMARY = len(_LEVELS)  # names, literals, calls, attributes, subscripts, displays
_ANYTHING = _LEVEL["Lambda"]  # what may stand as an argument, an element or an assigned value
# Where an expression stands alone, between brackets, commas or as a statement.
_FREE = frozenset(
    {
        "AnnAssign",
        "Arg",
        "Assign",
        "AugAssign",
        "DictElement",
        "Element",
        "Expr",
        "Index",
        "Param",
        "Return",
    }
)
_STRINGS = frozenset({"FormattedString", "TemplatedString"})


class Surroundings:
    """What stands around the expressions of patches that are replaced; one walk over the tree, if there are any."""

    def __init__(self, module: Module, patches: Iterable[Patch]) -> None:
        """Nothing is looked for yet."""
        self._module = module
        self._wanted = {
            id(change.node) for patch in patches for change in patch.changes if isinstance(change, (Replace, Wrap))
        }
        self._found: dict[int, tuple[Any, ...]] | None = None

    def of(self, node: Any) -> tuple[Any, ...]:  # noqa: ANN401  # a LibCST node
        """The nodes around an expression, outermost first, up to its statement."""
        if self._found is None:
            self._found = dict(_paths(self._module.tree, self._wanted))
        if id(node) not in self._found:
            raise ImpossibleError("elsewhere")  # noqa: EM101  # a name
        return self._found[id(node)]


def _paths(tree: Any, wanted: set[int]) -> Iterator[tuple[int, tuple[Any, ...]]]:  # noqa: ANN401  # a LibCST node
    """Yield each wanted node's `id` with the nodes around it, without recursion."""
    parents: dict[int, Any] = {}
    left = len(wanted)
    stack = [tree]
    while stack and left:
        node = stack.pop()
        if id(node) in wanted:
            left -= 1
            path = [node]
            while id(path[-1]) in parents:
                path.append(parents[id(path[-1])])
            yield id(node), tuple(reversed(path[1:]))
        below = children(node)
        parents.update((id(child), node) for child in below)
        stack.extend(reversed(below))


def _replaced(change: Replace, text: str, span: Span, around: Surroundings) -> Iterator[Edit]:
    """The edit that writes an expression in a node's place."""
    path = around.of(change.node)
    new = _within_strings(change.text, path)
    if text[span.start : span.end] == new:
        return
    if _is_part_of_text(change.node, path) and not _is_text(new):
        raise ImpossibleError("joined")  # noqa: EM101  # a name
    if not _fits(_level_of_text(new), change.node, path):
        new = f"({new})"
    before, after = text[: span.start][-1:], text[span.end :][:1]
    if new[-1].isdigit() and after == ".":
        new = f"({new})"
    if _is_word(new[0]) and _is_word(before):
        new = f" {new}"
    if new.startswith("{") and before == "{":
        new = f" {new}"
    if _is_word(new[-1]) and _is_word(after):
        new = f"{new} "
    yield Edit(span, new)


def _wrapped(change: Wrap, text: str, span: Span, around: Surroundings) -> Iterator[Edit]:
    """The edits that write something around an expression, which gets parentheses of its own where it needs them."""
    node, path = change.node, around.of(change.node)
    if _is_part_of_text(node, path):
        raise ImpossibleError("joined")  # noqa: EM101  # a name
    before, after = (_within_strings(part, path) for part in (change.before, change.after))
    outer = _level_of_text(f"{before}x{after}")
    is_bracketed = before.endswith("(") and after.startswith(")")
    inner = _PRIMARY if after.startswith((".", "[")) or before.endswith("await ") else _ANYTHING
    is_number = after.startswith(".") and text[span.end - 1].isdigit()
    if not is_bracketed and (_level(node) < inner or is_number):
        before, after = f"{before}(", f"){after}"
    if not _fits(outer, node, path):
        before, after = f"({before}", f"{after})"
    if before and _is_word(before[0]) and _is_word(text[: span.start][-1:]):
        before = f" {before}"
    if before:
        yield Edit(Span(span.start, span.start), before)
    if after:
        yield Edit(Span(span.end, span.end), after)


def _fits(level: int, node: Any, path: Sequence[Any]) -> bool:  # noqa: ANN401  # a LibCST node
    """Tell whether an expression can stand in a node's place as it is."""
    if getattr(node, "lpar", ()):
        return True
    if path and type(path[-1]).__name__ in _FREE and level >= _ANYTHING:
        return not (type(path[-1]).__name__ == "Arg" and path[-1].star) or level > _LEVEL["IfExp"]
    return level >= _level(node)


def _level(node: Any) -> int:  # noqa: ANN401  # a LibCST node
    """How tightly a node of the tree binds."""
    operator = getattr(node, "operator", None)
    return _LEVEL.get(type(node if operator is None else operator).__name__, _PRIMARY)


def _level_of_text(text: str) -> int:
    """How tightly an expression binds."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            node: Any = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ImpossibleError("layout") from None  # noqa: EM101  # a name
    if text.startswith("(") and isinstance(node, (ast.GeneratorExp, ast.Tuple)):
        return _PRIMARY
    operator = getattr(node, "op", None)
    name = type(node if operator is None else operator).__name__
    return _LEVEL.get(name, _PRIMARY)


def _is_part_of_text(node: Any, path: Sequence[Any]) -> bool:  # noqa: ANN401  # a LibCST node
    """Tell whether a literal is joined to one beside it, where no other expression can stand."""
    return bool(path) and type(path[-1]).__name__ == "ConcatenatedString" and not getattr(node, "lpar", ())


def _is_text(text: str) -> bool:
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_" or sign > "\x7f"


def _within_strings(text: str, path: Sequence[Any]) -> str:
    """An expression as it can stand inside the f-strings around it.

    Python before 3.12 allows neither a backslash nor a comment in them, nor their own quotes.
    """
    inside = {node.start.lstrip("rRbBfFtTuU")[0] for node in path if type(node).__name__ in _STRINGS}
    if not inside or not text:
        return text
    if any(sign in text for sign in "\\#\r\n"):
        raise ImpossibleError("string")  # noqa: EM101  # a name
    if not any(sign in text for sign in inside):
        return text
    other = "'" if '"' in inside else '"'
    used = "'\"".replace(other, "")
    if len(inside) > 1 or other in text:
        raise ImpossibleError("string")  # noqa: EM101  # a name
    return text.replace(used, other)
