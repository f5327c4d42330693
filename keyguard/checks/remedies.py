"""The catalogue's remedies as changes of code: an argument of a call, an entry of a settings object, another number."""

from __future__ import annotations

import ast
import builtins

from msgspec import Struct

from keyguard.checks.patches import Import, Patch, Replace, SetArgument, SetEntry
from keyguard.model import Edit, Safety
from keyguard.patterns import regex
from keyguard.python.arguments import entry_node
from keyguard.python.imports import Want, Way
from keyguard.python.retrytools import tools_of
from keyguard.typed import TYPE_CHECKING
from keyguard.versions import before

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from keyguard.checks.patches import Change
    from keyguard.knowledge import Retry, Sdk, Timeout
    from keyguard.model import Span
    from keyguard.python.index import Node, Place
    from keyguard.python.network import Network

_BUILTINS = frozenset(vars(builtins))
_MANY = 10_000
_FROM = regex(r"(\s*from [\w.]+ import )(\w+)(\s*)\Z")
_LITERALS = frozenset({"Integer", "Float"})


class _ImpossibleError(Exception):
    """A remedy does not fit what stands there."""


class Remedy(Struct, frozen=True):
    """Arguments to write: `code` as in a call, `needs` the dotted names of what it names (see `knowledge.Timeout`)."""

    code: str
    needs: tuple[str, ...] = ()

    @property
    def arguments(self) -> Mapping[str, ast.expr]:
        """The arguments by name; nothing when the remedy is something else than arguments."""
        try:
            call = ast.parse(f"_({self.code})", mode="eval").body
        except SyntaxError:
            return {}
        if not isinstance(call, ast.Call) or call.args or not all(item.arg for item in call.keywords):
            return {}
        return {item.arg: item.value for item in call.keywords if item.arg}


class Writer:
    """Writes remedies into calls of one module."""

    def __init__(self, network: Network) -> None:
        """Write with the names that the module has imported."""
        self._evaluator, self._catalogue = network.evaluator, network.catalogue
        self._imports, self._start = network.imports, network.start

    def given(
        self, call: Node, place: Place, remedy: Remedy, params: Iterable[str], *, replace: bool = False
    ) -> tuple[Change, ...]:
        """The changes that give a call what a remedy says; nothing when it cannot be done for certain.

        `params` are those the callee is known to take: the remedy's first argument must be one of them. With `replace`
        a number that is given already gives way.
        """
        arguments = remedy.arguments
        roots = {name.partition(".")[0] for name in params}
        if call is None or not arguments or next(iter(arguments)) not in roots:
            return ()
        try:
            return _together(self._into_call(call, place, arguments, remedy.needs, replace=replace))
        except _ImpossibleError:
            return ()

    def spelled(
        self, code: str, node: Node, place: Place, needs: Sequence[str] = ()
    ) -> tuple[str, tuple[Change, ...]] | None:
        """An expression in the names that hold where `node` stands, with the imports that it needs."""
        try:
            changes: list[Change] = []
            return self._code(ast.parse(code, mode="eval").body, node, place, needs, changes), tuple(changes)
        except (_ImpossibleError, SyntaxError):
            return None

    def _into_call(
        self, call: Node, place: Place, arguments: Mapping[str, ast.expr], needs: Sequence[str], *, replace: bool
    ) -> list[Change]:
        changes: list[Change] = []
        for name, value in arguments.items():
            there = next((item for item in call.args if item.keyword is not None and item.keyword.value == name), None)
            if there is None:
                changes.append(SetArgument(call, name, self._code(value, call, place, needs, changes)))
            else:
                changes += self._into(there.value, place, value, needs, replace=replace)
        return changes

    def _into(
        self, node: Node, place: Place, value: ast.expr, needs: Sequence[str], *, replace: bool
    ) -> Sequence[Change]:
        """The changes that make what is given for an argument say what a remedy says."""
        kind = type(node).__name__
        if isinstance(value, ast.Call) and not value.args:
            inner = {item.arg: item.value for item in value.keywords if item.arg}
            if kind == "Dict":
                return self._into_dict(node, place, inner, needs, replace=replace)
            if kind == "Call" and self._evaluator.name(node.func, place) in self._fulls(value.func, needs):
                return self._into_call(node, place, inner, needs, replace=replace)
        if isinstance(value, ast.Dict) and kind == "Dict":
            return self._into_dict(node, place, _entries(value), needs, replace=replace)
        if isinstance(value, ast.Constant) and replace and (kind in _LITERALS or _is_none(node)):
            return (Replace(node, _constant(value)),)
        raise _ImpossibleError

    def _into_dict(
        self, node: Node, place: Place, entries: Mapping[str, ast.expr], needs: Sequence[str], *, replace: bool
    ) -> list[Change]:
        if any(type(item).__name__ != "DictElement" for item in node.elements):
            raise _ImpossibleError
        quote = _quote_of(node)
        changes: list[Change] = []
        for name, value in entries.items():
            there = entry_node(node, name)
            if there is None:
                changes.append(SetEntry(node, f"{quote}{name}{quote}", _as_entries(value, quote)))
            else:
                changes += self._into(there, place, value, needs, replace=replace)
        return changes

    def _code(self, value: ast.expr, at: Node, place: Place, needs: Sequence[str], changes: list[Change]) -> str:
        """An expression's code with its names as they are imported at a node; what is missing goes to `changes`."""
        chains = [node for node in ast.walk(value) if isinstance(node, (ast.Name, ast.Attribute))]
        inner = {id(node.value) for node in chains if isinstance(node, ast.Attribute)}
        said: dict[str, str] = {}
        for node in chains:
            fulls = () if id(node) in inner else self._fulls(node, needs)
            spelling = ast.unparse(node)
            if id(node) in inner or (not fulls and spelling in _BUILTINS):
                continue
            way = fulls and self._way(fulls, spelling.count("."), at, place)
            if not way:
                raise _ImpossibleError
            changes.append(Import(way.edits))
            said[spelling] = way.expression
        return _unparsed(value, said)

    def _way(self, fulls: Sequence[str], members: int, at: Node, place: Place) -> Way | None:
        """How to spell one of these dotted names, whose last `members` parts are attributes of what a remedy needs.

        What is imported already comes first, then one more name in an import that is there, then a new import.
        """
        offset = self._start(at)
        wants = [(_want(full), "") for full in fulls]
        if members:
            parts = fulls[0].split(".")
            wants.insert(0, (_want(".".join(parts[:-members])), "." + ".".join(parts[-members:])))
        ways = [
            Way(way.expression + rest, way.edits)
            for want, rest in wants
            if (way := self._imports.way(want, place, offset)) is not None
        ]
        there = next((way for way in ways if not way.edits), None)
        wider = next((way for way in ways if not any("import " in edit.text for edit in way.edits)), None)
        return there or wider or next(iter(ways), None)

    def _fulls(self, node: ast.expr, needs: Sequence[str]) -> tuple[str, ...]:
        """The dotted names of what a chain of names in a remedy means, those of the same thing elsewhere included."""
        first, *rest = ast.unparse(node).split(".")
        need = next((item for item in needs if item.rpartition(".")[2] == first), None)
        if need is None:
            return ()
        full = ".".join((need, *rest))
        last = full.rpartition(".")[2]
        tables = tools_of(self._catalogue)
        same = tables.tools.get(full) or tables.parts.get(full)
        others = same.names if same is not None else ()
        return (full, *(name for name in others if name != full and name.rpartition(".")[2] == last))


def _want(dotted: str) -> Want:
    module, _, name = dotted.rpartition(".")
    return Want(module, name, direct=True) if module else Want(dotted)


def _together(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Changes whose new imports from one module are one statement."""
    found: dict[tuple[Span, str], list[str]] = {}
    others: list[Change] = []
    for change in changes:
        for edit in change.edits if isinstance(change, Import) else ():
            match = _FROM.match(edit.text)
            key = (edit.span, f"{match[1]}{{}}{match[3]}") if match else (edit.span, edit.text)
            found.setdefault(key, []).append(match[2] if match else "")
        if not isinstance(change, Import):
            others.append(change)
    edits = (Edit(span, text.format(", ".join(sorted(set(names))))) for (span, text), names in found.items())
    return (*others, Import(tuple(edits)))


def repaired(title: str, changes: Sequence[Change], new: str, old: str = "", by_hand: str = "") -> Patch:
    """A patch that makes changes, or one that only says what to write where they cannot be made for certain."""
    values = {"new": new, "old": old}
    if not changes:
        return Patch(by_hand or f"{title} why.unsure", Safety.SHOWN, (), values)
    return Patch(title, Safety.UNSAFE, tuple(changes), values)


def is_older(network: Network, sdk: Sdk, known: Timeout | Retry) -> bool:
    """Tell whether the project may use a release of an SDK that does not have an argument yet."""
    version = network.versions.get(sdk.package)
    return bool(known.since) and version is not None and before(version, known.since)


def is_literal(node: Node) -> bool:
    """Tell whether an expression is a number, or None, that stands there as such."""
    return type(node).__name__ in _LITERALS or _is_none(node)


def _is_none(node: Node) -> bool:
    return type(node).__name__ == "Name" and node.value == "None"


def _entries(value: ast.Dict) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for key, item in zip(value.keys, value.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            raise _ImpossibleError
        found[key.value] = item
    return found


def _as_entries(value: ast.expr, quote: str) -> str:
    """An expression inside a dict display: what builds a settings object is a dict there, too."""
    if isinstance(value, ast.Call) and not value.args:
        inner = (f"{quote}{item.arg}{quote}: {_as_entries(item.value, quote)}" for item in value.keywords)
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, ast.Constant):
        return _constant(value)
    raise _ImpossibleError


def _quote_of(node: Node) -> str:
    """The quotes that the keys of a dict display have."""
    first = next((item.key for item in node.elements if type(item.key).__name__ == "SimpleString"), None)
    return "'" if first is not None and first.value.endswith("'") else '"'


def _constant(node: ast.Constant) -> str:
    if isinstance(node.value, str):
        return f'"{node.value}"'
    is_large = isinstance(node.value, int) and not isinstance(node.value, bool) and node.value >= _MANY
    return grouped(node.value) if is_large else repr(node.value)  # type: ignore[arg-type]  # an int, then


def grouped(number: float) -> str:
    """A number as code writes it: thousands are set apart."""
    return f"{number:g}" if number % 1 else f"{int(number):_}"


def _unparsed(value: ast.expr, said: Mapping[str, str]) -> str:
    """Code as people write it, which `ast.unparse` is not: double quotes, thousands set apart."""
    if isinstance(value, ast.Constant):
        return _constant(value)
    if isinstance(value, (ast.Name, ast.Attribute)):
        spelling = ast.unparse(value)
        return said.get(spelling, spelling)
    if isinstance(value, ast.Call):
        parts = [_unparsed(item, said) for item in value.args]
        parts += [f"{item.arg}={_unparsed(item.value, said)}" for item in value.keywords]
        return f"{_unparsed(value.func, said)}({', '.join(parts)})"
    if isinstance(value, (ast.List, ast.Tuple, ast.Set)):
        brackets = {ast.List: "[]", ast.Tuple: "()", ast.Set: "{}"}[type(value)]
        return f"{brackets[0]}{', '.join(_unparsed(item, said) for item in value.elts)}{brackets[1]}"
    if isinstance(value, ast.Dict):
        items = zip(value.keys, value.values, strict=True)
        return "{" + ", ".join(f"{_unparsed(key, said)}: {_unparsed(item, said)}" for key, item in items if key) + "}"
    return ast.unparse(value)
