"""What to write for something of another module at a place, and the edits that make it available there."""

from __future__ import annotations

import itertools
import re
import sys

from msgspec import Struct, field

from keyguard.model import Edit, Span
from keyguard.patterns import regex
from keyguard.python.index import spell
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keyguard.python.index import Binding, Index, Node, Place, Scope
    from keyguard.python.module import Part

_LINE_END = regex(r"\r\n?|\n")
_CODING = regex(r"#!|#.*coding[:=]|#.*-\*-")
_LICENCE = regex(r"copyright|licen[cs]e|spdx|///", re.IGNORECASE)
_TRIES = 20  # free names tried for an alias


class Want(NamedTuple):
    """Something of another module: `os.environ` is `Want("os", "environ")`.

    Where nothing that is imported gives it, `import module` is added, under the customary `alias` if it has one; with
    `direct`, `from module import name`.
    """

    module: str
    name: str = ""
    direct: bool = False
    alias: str = ""

    @property
    def dotted(self) -> str:
        """The full name."""
        return f"{self.module}.{self.name}" if self.name else self.module


class Way(NamedTuple):
    """How to spell what was wanted, and the edits of the module's text that this takes; none where it is there."""

    expression: str
    edits: tuple[Edit, ...] = ()


class _Line(Struct):
    """One statement of the module's own block: where it and its lines begin and end; of one with a block, its first."""

    node: Node
    start: int
    line_start: int
    line_end: int  # behind its line end

    @property
    def imports(self) -> bool:
        """Tell whether it is nothing but imports."""
        return type(self.node).__name__ == "SimpleStatementLine" and all(
            type(item).__name__ in {"Import", "ImportFrom"} for item in self.node.body
        )


class _Imported(Struct):
    """A name that an import of the module's own block binds: run once, whatever happens, before what stands below."""

    name: str
    dotted: str
    end: int


class Imports(Struct):
    """Answers for one module how to get at something of another one; every answer is for one place."""

    index: Index
    _lines: list[_Line] = field(default_factory=list)
    _imported: list[_Imported] = field(default_factory=list)
    _from: list[tuple[Node, int]] = field(default_factory=list)

    @property
    def nodes(self) -> Iterator[Node]:
        """What it will ask the spans of: for who wants to ask for all spans at once."""
        for statement in self._statements():
            if self._block_start(statement) is None:
                yield statement
                yield from getattr(statement, "decorators", ())
            for small in _imports_in(statement):
                yield small
                yield from small.names if isinstance(small.names, (list, tuple)) else ()

    def _statements(self) -> Iterator[Node]:
        yield from self.index.module.tree.body

    def _block_start(self, statement: Node) -> int | None:
        """Where a statement with a block begins: it is not spelled to tell, since of where it ends nobody asks."""
        return None if type(statement).__name__ == "SimpleStatementLine" else self.index.module.start(statement)

    def way(self, want: Want, place: Place, at: int) -> Way | None:
        """How to spell `want` at a place, which stands at the offset `at` of the module's text; None if nobody can.

        An import counts that stands above, in the module's own block or at the top of the place's function, and whose
        name means nothing else on the way. Else one is added above the statement of the module that `at` lies in, in
        a notebook in the cell that it lies in.
        """
        self._read()
        if self._is_replaced(want):
            return None
        there = self.there(want, place, at)
        if there is not None:
            return Way(there)
        extended = self._extended(want, place, at) if want.direct else None
        return extended or self._added(want, place, at)

    # what is there

    def _read(self) -> None:
        """Note the statements of the module's own block and what they import."""
        module = self.index.module
        if self._lines or not module.tree.body:
            return
        spans = module.spans(self.nodes)
        text = module.text
        for node in self._statements():
            start = end = self._block_start(node)
            if start is None or end is None:
                start = min(spans[id(part)].start for part in (node, *getattr(node, "decorators", ())))
                end = spans[id(node)].end
            if _is_magic(node, text, start):
                continue
            match = _LINE_END.search(text, end)
            self._lines.append(_Line(node, start, _line_start(text, start), match.end() if match else len(text)))
            for small in _imports_in(node):
                self._note(small, spans[id(small)].end)

    def _note(self, small: Node, end: int) -> None:
        kind = type(small).__name__
        if kind == "Import":
            for alias in small.names:
                dotted = spell(alias.name)
                if alias.asname is not None:
                    self._imported.append(_Imported(alias.asname.name.value, dotted, end))
                else:
                    top = dotted.partition(".")[0]
                    self._imported.append(_Imported(top, top, end))
        elif kind == "ImportFrom" and isinstance(small.names, (list, tuple)) and not small.relative and small.module:
            base = spell(small.module)
            self._from.append((small, end))
            for alias in small.names:
                bound = alias.asname.name.value if alias.asname is not None else alias.name.value
                self._imported.append(_Imported(bound, f"{base}.{alias.name.value}", end))

    def _is_replaced(self, want: Want) -> bool:
        """Tell whether the module puts something else in the place of what is wanted: `os.environ = {}`."""
        return want.dotted in self.index.attributes

    def there(self, want: Want, place: Place, at: int) -> str | None:
        """The spelling by what is imported already, the usual form of the import first; None where nothing is."""
        self._read()
        ways = [(want.dotted, "")] if want.name else []
        ways.insert(len(ways) if want.direct else 0, (want.module, f".{want.name}" if want.name else ""))
        for dotted, rest in ways:
            for name in self._names(dotted, place, at):
                return name + rest
        return None

    def _names(self, dotted: str, place: Place, at: int) -> Iterator[str]:
        for item in self._imported:
            if item.dotted == dotted and item.end <= at and self._means(item.name, dotted, place):
                yield item.name
        scope: Scope | None = place.scope
        while scope is not None and scope.parent is not None:
            if scope.kind == "function":
                for name, bindings in scope.bindings.items():
                    first = bindings[0]
                    if (
                        first.kind in {"import", "module"}
                        and first.detail == dotted
                        and first.block is scope.root
                        and first.order < place.order
                        and self._means(name, dotted, place)
                    ):
                        yield name
            scope = scope.parent

    def _means(self, name: str, dotted: str, place: Place) -> bool:
        """Tell whether a name is bound to nothing but an import of `dotted` wherever a place may look it up."""
        found = False
        for scope in self._seen_from(place, name):
            bindings = scope.bindings.get(name)
            if not bindings:
                continue
            if not all(_imports(binding, dotted) for binding in bindings):
                return False
            if scope.parent is None:
                found = True
            else:
                # A function's own import must have run.
                return bindings[0].block is scope.root and bindings[0].order < place.order
        return found and not self._is_declared_global(name)

    def _seen_from(self, place: Place, name: str) -> Iterator[Scope]:
        """The scopes in which a place looks a name up, nearest first."""
        scope: Scope | None = place.scope
        direct = True
        while scope is not None:
            if scope.foreign.get(name) == "global":
                scope, direct = scope.module, False
            if scope.kind != "class" or direct:
                yield scope
            if scope.kind == "function":
                direct = False
            scope = scope.parent

    def _is_declared_global(self, name: str) -> bool:
        """Tell whether some function may rebind a name of the module: its body may not have been parsed."""
        text = self.index.module.text
        return "global" in text and re.search(rf"\bglobal\b[^\n\r#;]*\b{re.escape(name)}\b", text) is not None

    # what is added

    def _is_free(self, name: str, dotted: str, place: Place) -> bool:
        """Tell whether an import in the module's block can take a name, seen from a place."""
        for scope in self._seen_from(place, name):
            bindings = scope.bindings.get(name, ())
            if scope.parent is not None and bindings:
                return False
            if not all(_imports(binding, dotted) for binding in bindings):
                return False
        return not self._is_declared_global(name)

    def _is_unused(self, name: str) -> bool:
        return re.search(rf"\b{re.escape(name)}\b", self.index.module.text) is None

    def _bound(self, want: Want, place: Place) -> tuple[str, str] | None:
        """The name that a new import binds, and what it is called there; None when all that were tried are taken."""
        if want.direct:
            usual = want.name
        else:
            usual = want.alias or want.module.partition(".")[0]
            if "." in want.module and not want.alias:
                usual = ""  # `import a.b` binds `a`, whatever else it may be
        # A star import may give the name, and then it means something else.
        is_starred = want.direct and bool(self.index.scope.stars) and not self._is_unused(usual)
        dotted = want.dotted if want.direct else want.module
        if usual and not is_starred and self._is_free(usual, dotted, place):
            return usual, dotted
        last = usual or want.module.rpartition(".")[2]
        for number in range(1, _TRIES):
            name = f"_{last}{number if number > 1 else ''}"
            if self._is_unused(name):
                return name, dotted
        return None

    def _extended(self, want: Want, place: Place, at: int) -> Way | None:
        """Add a name to a `from module import …` that stands above."""
        if self.index.scope.stars and not self._is_unused(want.name):
            return None
        if not self._is_free(want.name, want.dotted, place):
            return None
        module = self.index.module
        for small, end in self._from:
            if spell(small.module) != want.module or end > at or not self._is_same_cell(end, at):
                continue
            spans = module.spans(())
            names = list(small.names)
            before = [alias for alias in names if _order(alias.name.value) < _order(want.name)]
            if before:
                there = spans[id(before[-1])]
                # The node's span takes the comma with it.
                offset = there.end
                while module.text[offset - 1] in ", \t\r\n":
                    offset -= 1
                line = _line_start(module.text, there.start)
                lead = module.text[line : there.start]
                own_line = not lead.strip() and len(_LINE_END.findall(module.text, spans[id(small)].start, there.end))
                between = f",{self._line_end_at(at)}{lead}" if own_line else ", "
                return Way(want.name, (Edit(Span(offset, offset), between + want.name),))
            offset = spans[id(names[0])].start
            return Way(want.name, (Edit(Span(offset, offset), f"{want.name}, "),))
        return None

    def _added(self, want: Want, place: Place, at: int) -> Way | None:
        bound = self._bound(want, place)
        if bound is None:
            return None
        name, _ = bound
        if want.direct:
            alias = "" if name == want.name else f" as {name}"
            statement = f"from {want.module} import {want.name}{alias}"
            expression = name
        else:
            usual = name == want.module
            statement = f"import {want.module}" if usual else f"import {want.module} as {name}"
            expression = f"{name}.{want.name}" if want.name else name
        edit = self._insertion(statement, want, at)
        return None if edit is None else Way(expression, (edit,))

    def below(self, text: str, at: int, blank: int = 2) -> Edit | None:
        """The edit that puts lines of code below the imports, above the statement that `at` lies in.

        `blank` lines stand above and below: two around a helper, one around a statement.
        """
        self._read()
        standing = self._standing(at)
        if standing is None:
            return None
        here, current, section = standing
        nl = self._line_end_at(at)
        body = nl.join(text.split("\n"))
        if section:
            offset = here[section[1] - 1].line_end
            lead = "" if self._ends_line(offset) else nl
            there = re.compile(r"(?:[ \t\f]*(?:\r\n?|\n)){0,2}").match(self.index.module.text, offset)
            more = nl * (blank - len(_LINE_END.findall(there[0] if there else "")))
            return self._checked(offset, f"{lead}{nl * blank}{body}{nl}{more}", current)
        first = self._first(here)
        offset = here[first - 1].line_end if first else here[0].line_start
        lead = nl if first else ""
        return self._checked(offset, f"{lead}{body}{nl}{nl * blank}", current)

    # where

    def _insertion(self, statement: str, want: Want, at: int) -> Edit | None:
        standing = self._standing(at)
        if standing is None:
            return None
        here, current, section = standing
        nl = self._line_end_at(at)
        if section is None:
            return self._first_import(statement, here, current, nl)
        offset, text = _in_section(
            [here[number] for number in range(*section)], self.index.module.text, statement, want, nl
        )
        if text.endswith(nl) and not self._ends_line(offset):
            text = nl + text
        return self._checked(offset, text, current)

    def _checked(self, offset: int, text: str, current: _Line) -> Edit | None:
        """An edit, unless it would stand behind (or inside) the statement that needs it."""
        source = self.index.module.text
        if offset > current.line_start or source[current.line_start : current.start].strip(" \t\f"):
            return None
        return Edit(Span(offset, offset), text)

    def _first_import(self, statement: str, here: Sequence[_Line], current: _Line, nl: str) -> Edit | None:
        """The edit for a text without imports: below docstring and `__future__`, or below what heads the file."""
        text = self.index.module.text
        first = self._first(here)
        if first:
            offset = here[first - 1].line_end
            lead = nl if self._ends_line(offset) else nl + nl
            match = _LINE_END.match(text, offset)
            more = "" if match or offset >= len(text) else nl
            return self._checked(offset, f"{lead}{statement}{nl}{more}", current)
        line = here[0]
        offset = self._above(line)
        if line.line_start != line.start and text[line.line_start : line.start].strip("\f"):
            return None  # an indented first line: a cell that IPython dedents
        is_definition = type(line.node).__name__ in {"FunctionDef", "ClassDef"}
        return self._checked(offset, f"{statement}{nl}{nl}{nl if is_definition else ''}", current)

    def _first(self, here: Sequence[_Line]) -> int:
        """How many statements must stay in front: a docstring, imports from `__future__`."""
        number = 0
        if here and _is_docstring(here[0].node) and len(self.index.module.parts) == 1:
            number = 1
        while number < len(here) and _is_future(here[number].node):
            number += 1
        return number

    def _above(self, line: _Line) -> int:
        """Where the comments begin that belong to a first statement; those that head the file stay above."""
        text = self.index.module.text
        offset = line.line_start
        while True:
            before = _line_start(text, offset - 1) if offset else 0
            comment = text[before:offset].strip(" \t\f\r\n")
            if offset == 0 or not comment.startswith("#") or self._is_stepped(before):
                break
            offset = before
        comments = text[offset : line.line_start]
        if _LICENCE.search(comments):
            return line.line_start
        for match in re.finditer(r"[^\r\n]*(?:\r\n?|\n)", comments):
            if not _CODING.match(match[0].strip()):
                break
            offset += len(match[0])
        return offset

    def _is_stepped(self, offset: int) -> bool:
        return any(span.start <= offset < span.end for span in self.index.module.stepped)

    def _standing(self, at: int) -> tuple[list[_Line], _Line, tuple[int, int] | None] | None:
        """The statements of the file or cell that an offset lies in, the one it stands in, and the imports above it."""
        here = self._here(at)
        current = _current(here, at) if here else None
        return None if current is None else (here, current, _section(here, current))

    def _here(self, at: int) -> list[_Line]:
        """The statements of the file, or of the cell that an offset lies in."""
        part = self._part(at)
        return [line for line in self._lines if self._part(line.start) is part]

    def _part(self, offset: int) -> Part:
        parts = self.index.module.parts
        return next((part for part in reversed(parts) if part.start <= offset), parts[0])

    def _is_same_cell(self, one: int, other: int) -> bool:
        return self._part(one) is self._part(other)

    def _ends_line(self, offset: int) -> bool:
        return offset == 0 or self.index.module.text[offset - 1] in "\r\n"

    def _line_end_at(self, at: int) -> str:
        """The line end that the text around an offset uses: the one before it, else the next."""
        text = self.index.module.text
        start = _line_start(text, at)
        if start:
            return "\r\n" if text.startswith("\r\n", start - 2) and start > 1 else text[start - 1]
        match = _LINE_END.search(text, at)
        return match[0] if match else "\n"


def _imports_in(node: Node) -> list[Node]:
    """The imports of a line of statements."""
    if type(node).__name__ != "SimpleStatementLine":
        return []
    return [small for small in node.body if type(small).__name__ in {"Import", "ImportFrom"}]


def _imports(binding: Binding, dotted: str) -> bool:
    return binding.kind in {"import", "module"} and binding.detail == dotted


def _line_start(text: str, offset: int) -> int:
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def _is_docstring(node: Node) -> bool:
    if type(node).__name__ != "SimpleStatementLine":
        return False
    first = node.body[0]
    return type(first).__name__ == "Expr" and type(first.value).__name__ in {"SimpleString", "ConcatenatedString"}


def _is_magic(node: Node, text: str, start: int) -> bool:
    """Tell whether a statement stands in for a line that is IPython's (see `source.magics`)."""
    if type(node).__name__ != "SimpleStatementLine":
        return False
    kind = type(node.body[0]).__name__
    if kind == "Expr":
        return getattr(node.body[0].value, "value", None) == "_" and not text.startswith("_", start)
    return kind == "Pass" and not text.startswith("pass", start)


def _is_future(node: Node) -> bool:
    if type(node).__name__ != "SimpleStatementLine":
        return False
    first = node.body[0]
    return type(first).__name__ == "ImportFrom" and first.module is not None and spell(first.module) == "__future__"


def _current(here: Sequence[_Line], at: int) -> _Line | None:
    """The statement of the module that an offset lies in."""
    found = None
    for line in here:
        if line.start > at:
            break
        found = line
    return found


def _section(here: Sequence[_Line], current: _Line) -> tuple[int, int] | None:
    """The first run of imports above a statement, `__future__` apart."""
    first = None
    for number, line in enumerate(here):
        if line is current:
            return None if first is None else (first, number)
        if line.imports and not _is_future(line.node):
            first = number if first is None else first
        elif first is not None:
            return first, number
    return None


def _in_section(lines: list[_Line], text: str, statement: str, want: Want, nl: str) -> tuple[int, str]:
    """Where a new import goes among others, and its text: beside its like, in their order; a group of its own else."""
    groups: list[list[_Line]] = [[]]
    for number, line in enumerate(lines):
        between = text[lines[number - 1].line_end : line.line_start] if number else ""
        if any(not row.strip() for row in _LINE_END.split(between)[:-1]):
            groups.append([])
        groups[-1].append(line)
    kind = _kind(want.module)
    alike = [group for group in groups if any(_kind(_module(line)) == kind for line in group)]
    if not alike and kind == "standard":
        return lines[0].line_start, f"{statement}{nl}{nl}"
    if not alike:
        standard = [group for group in groups if any(_kind(_module(line)) == "standard" for line in group)]
        if not standard:
            return lines[0].line_start, f"{statement}{nl}{nl}"
        return standard[-1][-1].line_end, f"{nl}{statement}{nl}"
    return _in_group(alike[0], kind, statement, want, nl)


def _in_group(group: list[_Line], kind: str, statement: str, want: Want, nl: str) -> tuple[int, str]:
    forms = [_is_plain(line) for line in group]
    is_mixed = any(not before and after for before, after in itertools.pairwise(forms))
    like = [line for line in group if _kind(_module(line)) == kind]
    key = _key(want.module)
    same = [line for line in like if is_mixed or _is_plain(line) != want.direct]
    later = [line for line in same if _key(_module(line)) > key]
    if later:
        return _before(later[0], group, f"{statement}{nl}")
    if same:
        return same[-1].line_end, f"{statement}{nl}"
    if want.direct:
        return like[-1].line_end, f"{statement}{nl}"
    return _before(like[0], group, f"{statement}{nl}")


def _before(line: _Line, group: list[_Line], text: str) -> tuple[int, str]:
    """Right below the statement before, so that a comment stays with the import it stands above."""
    number = group.index(line)
    return (group[number - 1].line_end if number else line.line_start), text


def _is_plain(line: _Line) -> bool:
    return type(line.node.body[0]).__name__ == "Import"


def _module(line: _Line) -> str:
    small = line.node.body[0]
    if type(small).__name__ == "Import":
        return spell(small.names[0].name)
    return "." * len(small.relative) + (spell(small.module) if small.module is not None else "")


def _kind(module: str) -> str:
    if module.startswith("."):
        return "local"
    return "standard" if module.partition(".")[0] in sys.stdlib_module_names else "other"


def _key(module: str) -> tuple[str, str]:
    return module.lower(), module


def _order(name: str) -> tuple[int, str]:
    """The order of imported names: constants, classes, then the rest, as isort and ruff have it."""
    rank = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return rank, name


def wants_of(statements: Iterable[str]) -> dict[str, Want]:
    """What import statements bind, by name: `from a import b`, `import a`, `import a as b`."""
    found: dict[str, Want] = {}
    for statement in statements:
        words = statement.split()
        if words[0] == "from":
            found[words[-1]] = Want(words[1], words[3], direct=True)
        else:
            found[words[-1]] = Want(words[1], alias=words[3] if len(words) > 2 else "")  # noqa: PLR2004  # `as`
    return found


def with_name(want: Want, name: str) -> Want:
    """The same module, and of it `name`."""
    return want if want.direct else want._replace(name=name)
