"""Follows what a module makes of some of its expressions, with Python's own parser: an upper bound, in one quick pass.

Attributes, fields, keywords and global variables of a name are one place, whosever they are; the variables of a
function are its own. Whatever is made from what flows is followed too, as far as the evaluator does it: what an unknown
function gives has nothing to do with what it is given.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from itertools import count, pairwise
from typing import Protocol

from keyguard.patterns import regex
from keyguard.prefilter import compiled
from keyguard.python.syntax import below
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from keyguard.catalogue import Catalogue

ENVIRONMENTS = frozenset({"environ", "environb"})
# Methods that make a text of several, or another one of one.
_COMBINING = frozenset(
    {"join", "format", "format_map", "replace", "translate", "removeprefix", "removesuffix", "lower", "upper", "title"}
    | {"swapcase", "capitalize", "casefold", "split", "rsplit", "splitlines", "partition", "rpartition", "zfill"}
)
# Calls whose result is made from what they are given, or from what the method belongs to.
_HANDING_ON = _COMBINING | frozenset(
    {"enumerate", "zip", "filter", "encode", "decode", "expandtabs", "strip", "lstrip", "rstrip", "__str__", "copy"}
    | {
        "get",
        "pop",
        "setdefault",
        "items",
        "values",
        "keys",
        "ljust",
        "rjust",
        "center",
        "print",
        "asdict",
        "frozenset",
    }
    | {"namedtuple", "replace", "field", "Field", "model_dump"}
)
_PLAIN = frozenset(
    {"property", "cached_property", "staticmethod", "classmethod", "cache", "lru_cache", "abstractmethod", "overload"}
    | {"override", "wraps", "contextmanager", "asynccontextmanager", "fixture", "retry", "setter", "dataclass", "tool"}
)
_VIEW = regex(r"View|Resource|Handler|Endpoint|Controller")
_SHORTEST = 16  # characters: shorter than any key of the catalogue
_MARK = "@"  # no name has it
_ROUNDS = 40  # what flows through more steps than this is not worth a closer look

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_FLOWING = (
    ast.Call,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.NamedExpr,
    ast.For,
    ast.AsyncFor,
    ast.comprehension,
    ast.withitem,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Dict,
)


class Question(Protocol):
    """What is followed, and where it must arrive; `sources` and `targets` are the kinds of nodes to ask."""

    sources: tuple[type[ast.AST], ...]
    targets: tuple[type[ast.AST], ...]
    keyed: bool  # whether what is put into a mapping under a name, or asked of it by one, is a place of that name

    def begins(self, node: ast.AST) -> bool:
        """Tell whether an expression is what is followed."""

    def is_cut(self, node: ast.Call | ast.Subscript) -> bool:
        """Tell whether what is followed ends in an expression, whatever that is made from."""

    def arrives(self, node: ast.AST, flow: Flow) -> Iterator[set[str]]:
        """Yield the names that make up what arrives in a node, an empty name being what is followed itself."""

    def taken_from(self, node: ast.Attribute | ast.Subscript | ast.Call) -> Taken | None:
        """Tell what a part of something is made from, where that is not all that the whole is made from."""


class Taken(NamedTuple):
    """What a part of something is made from: places by name, and expressions."""

    names: tuple[str, ...]
    made_from: tuple[ast.AST, ...] = ()


class _Step(NamedTuple):
    """Names that get what other names hold, and a line of the function in which they do."""

    into: set[str]
    made_from: set[str]
    line: int


class _Signature(NamedTuple):
    """The parameters of a function: the variables at each position, by name, and of any number of arguments."""

    positional: tuple[str, ...]
    named: Mapping[str, str]
    rest: frozenset[str]


# The fields of every kind of node that hold nodes: what only says load or store, or which operator it is, has no use.
_IDLE = frozenset(
    {"ctx", "op", "ops", "id", "attr", "arg", "name", "asname", "module", "level", "lineno", "kind", "type_comment"}
    | {"conversion", "simple", "is_async", "type_ignores", "tag", "rest", "kwd_attrs", "annotation", "returns"}
)
_FIELDS: Mapping[type[ast.AST], tuple[str, ...]] = {
    kind: ()
    if kind in {ast.Constant, ast.Global, ast.Nonlocal, ast.MatchSingleton}
    else tuple(name for name in kind._fields if name not in _IDLE)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
_FUNCTIONS = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda})
_DECLARING = frozenset({ast.ClassDef, ast.Global, ast.Nonlocal, ast.Return, ast.Yield, ast.YieldFrom})


class Flow:
    """Collects what flows into which names and where it must not arrive, from all nodes of a module."""

    def __init__(self, question: Question, read: frozenset[str]) -> None:
        """Follow what a question asks for; `read` are further calls that give back what they are given."""
        self._question = question
        self._handing_on = read | _handing_on()
        self._flows: list[_Step] = []
        self._arrived: list[_Step] = []
        self._signatures: dict[str, list[_Signature]] = {}
        self._calls: list[ast.Call] = []
        self._begins: frozenset[int] = frozenset()
        self._returns: Mapping[int, Sequence[ast.AST]] = {}

    def take(self, told: Told) -> None:
        """Take in a module as `told_apart` gives it."""
        self._returns = told.returns
        question = self._question
        self._begins = frozenset(id(node) for node in told.of(*question.sources) if question.begins(node))
        if not self._begins:
            return
        for node in told.of(*_FLOWING):
            self._at(node)
        for node in told.of(*question.targets):
            self._arrived += [_Step(set(), names, _line(node)) for names in question.arrives(node, self)]

    def _at(self, node: ast.AST) -> None:  # noqa: C901  # one arm a kind of node
        if isinstance(node, ast.Call):
            self._calls.append(node)
        elif isinstance(node, ast.Assign):
            self._assign(node.targets, node.value)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)):
            self._assign([node.target], node.value)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            self._assign([node.target], node.iter)
        elif isinstance(node, ast.withitem):
            self._assign([node.optional_vars] if node.optional_vars else [], node.context_expr)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._define(node.name, node.args)
            self._flows.append(_Step({node.name}, self.returned(node), _line(node)))
        elif isinstance(node, ast.ClassDef):
            self._class(node)
        elif isinstance(node, ast.Dict) and self._question.keyed:
            for key, value in zip(node.keys, node.values, strict=True):
                name = literal(key) if key is not None else None
                if name and not isinstance(value, ast.Constant):
                    self._flows.append(_Step({name}, self.made_from(value), node.lineno))

    def _assign(self, targets: Iterable[ast.AST], value: ast.expr | None) -> None:
        names = {name for target in targets for name in changed(target, keyed=self._question.keyed)}
        if value is None or not names:
            return
        self._flows.append(_Step(names, self.made_from(value), value.lineno))
        if isinstance(value, ast.Lambda):
            for name in names:
                self._define(name, value.args)

    def _define(self, name: str, given: ast.arguments) -> None:
        positional = tuple(item.arg for item in (*given.posonlyargs, *given.args))
        if positional and written(positional[0]) in {"self", "cls"}:
            positional = positional[1:]
        rest = frozenset(item.arg for item in (given.vararg, given.kwarg) if item is not None)
        named = {written(name): name for name in (*positional, *(item.arg for item in given.kwonlyargs))}
        self._signatures.setdefault(name, []).append(_Signature(positional, named, rest))
        defaults = zip(reversed((*given.posonlyargs, *given.args)), reversed(given.defaults), strict=False)
        for parameter, default in (*defaults, *zip(given.kwonlyargs, given.kw_defaults, strict=False)):
            if default is not None:
                self._flows.append(_Step({parameter.arg}, self.made_from(default), default.lineno))

    def _class(self, node: ast.ClassDef) -> None:
        """A class is called as its `__init__` is, or with its fields in their order."""
        fields = [name for item in node.body if isinstance(item, ast.AnnAssign) for name in changed(item.target)]
        self._signatures.setdefault(node.name, []).append(_Signature(tuple(fields), {}, frozenset()))
        for item in node.body:
            if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and item.name in {"__init__", "__new__"}:
                self._define(node.name, item.args)

    def shows(self) -> bool:
        """Tell whether what is followed arrived."""
        return self.way() != frozenset()

    def way(self) -> frozenset[int] | None:
        """Let everything flow until nothing changes; give the lines over which what is followed arrived.

        None of them when it did not arrive, and no set at all when it goes too far to tell. A line stands for the
        function that it is in.
        """
        if not self._arrived:
            return frozenset()
        for call in self._calls:
            self._call(call)
        reached = {""}
        for _ in range(_ROUNDS):
            before = len(reached)
            for into, made_from, _ in self._flows:
                if not made_from.isdisjoint(reached):
                    reached |= into
            if len(reached) == before:
                return self._back(reached)
        return None

    def _back(self, reached: set[str]) -> frozenset[int]:
        """The lines of the steps that led to where it arrived, from there back to where it began."""
        arrived = [step for step in self._arrived if not step.made_from.isdisjoint(reached)]
        lines = {step.line for step in arrived}
        flowing = [step for step in self._flows if not step.made_from.isdisjoint(reached)]
        wanted = {name for step in arrived for name in step.made_from if name in reached}
        # What stands beside a key in a URL tells whose it is.
        beside = {name for step in arrived if "" in step.made_from for name in step.made_from} - reached
        lines.update(step.line for step in self._flows if not step.into.isdisjoint(beside))
        while flowing:
            used = [step for step in flowing if not step.into.isdisjoint(wanted)]
            if not used:
                break
            flowing = [step for step in flowing if step.into.isdisjoint(wanted)]
            lines.update(step.line for step in used)
            wanted.update(name for step in used for name in step.made_from if name in reached)
        return frozenset(lines)

    def _call(self, node: ast.Call) -> None:
        """Let arguments flow into the parameters they are given for; a keyword is a field's name as well."""
        for keyword in node.keywords:
            if keyword.arg is not None:
                self._flows.append(_Step({keyword.arg}, self.made_from(keyword.value), node.lineno))
        for signature in self._signatures.get(last(node.func), ()):
            every = {*signature.positional, *signature.named.values(), *signature.rest}
            if any(isinstance(item, ast.Starred) for item in node.args) or any(not item.arg for item in node.keywords):
                self._flows.append(_Step(every, self.arguments(node), node.lineno))
                continue
            for place, item in enumerate(node.args):
                into = set(signature.positional[place : place + 1]) or set(signature.rest)
                self._flows.append(_Step(into, self.made_from(item), node.lineno))
            for keyword in node.keywords:
                parameter = signature.named.get(keyword.arg or "")
                into = {parameter} if parameter else set(signature.rest)
                self._flows.append(_Step(into, self.made_from(keyword.value), node.lineno))

    def arguments(self, node: ast.Call) -> set[str]:
        """Name what all arguments of a call are made from."""
        return self.made_from(*node.args, *(keyword.value for keyword in node.keywords))

    def returned(self, node: _Function) -> set[str]:
        """Name what a function gives is made from."""
        return self.made_from(*self.returns_of(node))

    def returns_of(self, node: _Function) -> Sequence[ast.AST]:
        """The statements with which a function gives something."""
        return self._returns[id(node)]

    def made_from(self, *nodes: ast.AST) -> set[str]:
        """Name everything that expressions are made from; an empty name stands for what is followed."""
        found: set[str] = set()
        waiting = list(nodes)
        while waiting:
            part = waiting.pop()
            if id(part) in self._begins:
                found.add("")
            if isinstance(part, (ast.Attribute, ast.Subscript, ast.Call)):
                taken = self._question.taken_from(part)
                if taken is not None:
                    found.update(taken.names)
                    waiting += taken.made_from
                    continue
            if isinstance(part, ast.Call):
                waiting += self._of_call(part, found)
            elif isinstance(part, ast.Subscript):
                waiting += () if self._question.is_cut(part) else (part.value,)
            elif isinstance(part, ast.Name):
                found.add(part.id)
            elif isinstance(part, ast.Attribute):
                found.add(part.attr)
                waiting.append(part.value)
            elif not isinstance(part, (ast.Compare, ast.Constant)):  # a comparison gives nothing of its sides
                waiting += below(part)
        return found

    def _of_call(self, node: ast.Call, found: set[str]) -> Iterator[ast.AST]:
        """What a call's result is made from: the returns of a function here, or what is handed on."""
        name = last(node.func)
        found.add(name)
        if self._question.is_cut(node):
            return
        if not name:
            yield node.func
        if name == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            found.add(literal(node.args[1]) or name)
        if written(name) in self._handing_on:
            if isinstance(node.func, ast.Attribute):
                yield node.func.value
            yield from node.args
            yield from (item.value for item in node.keywords)


class _Scope:
    """A function or the module: what it assigns to, what of that is no variable of its own, what it calls global."""

    __slots__ = ("assigned", "declared", "number", "parent", "returns", "shared")

    def __init__(self, number: int, parent: _Scope | None) -> None:
        self.number, self.parent = number, parent
        self.assigned: set[str] = set()
        self.shared: set[str] = set()
        self.declared: set[str] = set()
        self.returns: list[ast.AST] = []

    def own(self, name: str) -> str:
        """The name of a variable with the number of the function it belongs to; of a global one, the name."""
        scope = self
        while scope.parent is not None and name not in scope.declared:
            if name in scope.assigned and name not in scope.shared:
                return f"{name}{_MARK}{scope.number}"
            scope = scope.parent
        return name


class Told(NamedTuple):
    """The nodes of a module by kind, those above before those below, and what each function gives back, by `id`."""

    nodes: Mapping[type[ast.AST], Sequence[Any]]
    returns: Mapping[int, Sequence[ast.AST]]

    def of(self, *kinds: type[ast.AST]) -> Iterator[Any]:
        """Yield the nodes of some kinds, one kind after the other."""
        for kind in kinds:
            yield from self.nodes.get(kind, ())


def told_apart(tree: ast.Module) -> Told:  # noqa: C901, PLR0912  # one arm a kind of node, on the hottest path
    """Give the variables of every function names of their own; give all nodes but operators and annotations.

    A name that a class in the function has for an attribute stays as it is, as do the functions' own names.
    """
    nodes: dict[type[ast.AST], list[Any]] = {}
    returns: dict[int, Sequence[ast.AST]] = {}
    names: list[tuple[Any, _Scope]] = []
    waiting: list[tuple[Any, _Scope, bool]] = [(tree, _Scope(0, None), False)]
    numbers = count(1)
    while waiting:
        node, scope, in_class = waiting.pop()
        kind = type(node)
        nodes.setdefault(kind, []).append(node)
        if kind is ast.Constant:
            continue
        if kind is ast.Name:
            names.append((node, scope))
            if type(node.ctx) is not ast.Load:
                (scope.shared if in_class else scope.assigned).add(node.id)
            continue
        if kind is ast.arg:
            names.append((node, scope))
            scope.assigned.add(node.arg)
            continue
        if kind in _FUNCTIONS:
            scope.shared.add(getattr(node, "name", ""))
            inner, outer = _parts(node)
            inside = _Scope(next(numbers), scope)
            returns[id(node)] = inside.returns
            waiting += [(item, inside, False) for item in inner]
            waiting += [(item, scope, in_class) for item in outer]
            continue
        if kind in _DECLARING:
            _declare(node, scope)
            in_class = in_class or kind is ast.ClassDef
        for name in _FIELDS[kind]:
            held = getattr(node, name, None)
            if type(held) is list:
                waiting += [(item, scope, in_class) for item in held if item is not None]
            elif held is not None:
                waiting.append((held, scope, in_class))
    for name, scope in names:
        if type(name) is ast.Name:
            name.id = scope.own(name.id)
        else:
            name.arg = scope.own(name.arg)
    return Told(nodes, returns)


def _declare(node: ast.AST, scope: _Scope) -> None:
    """Note what a statement says of names, or gives back."""
    if isinstance(node, ast.ClassDef):
        scope.shared.add(node.name)
    elif isinstance(node, ast.Global):
        scope.declared.update(node.names)
    elif isinstance(node, ast.Nonlocal):
        scope.shared.update(node.names)
    else:
        scope.returns.append(node)


def _parts(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> tuple[list[ast.AST], list[ast.AST]]:
    """What of a function is evaluated inside, and what where it is defined."""
    given = node.args
    parameters = (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg)
    body = node.body if isinstance(node.body, list) else [node.body]
    outer = (*given.defaults, *given.kw_defaults, *getattr(node, "decorator_list", ()))
    return [item for item in (*parameters, *body) if item is not None], [item for item in outer if item is not None]


def written(name: str) -> str:
    """Give a variable the name back that it has in the source."""
    return name.partition(_MARK)[0]


def reads_less(node: ast.Call | ast.Subscript) -> bool:
    """Tell whether one value of the environment is read, or only names."""
    if isinstance(node, ast.Subscript):
        return written(last(node.value)) in ENVIRONMENTS
    func = node.func
    return (
        isinstance(func, ast.Attribute)
        and written(last(func.value)) in ENVIRONMENTS
        and func.attr in {"get", "pop", "setdefault", "keys"}
    )


class Environment:
    """Does the whole environment arrive where it is shown?"""

    sources: tuple[type[ast.AST], ...] = (ast.Name, ast.Attribute)
    targets: tuple[type[ast.AST], ...] = (
        ast.Call,
        ast.Raise,
        ast.Expr,
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
    )
    keyed = False

    def __init__(self, shown: frozenset[str]) -> None:
        """Ask so; `shown` are the last parts of the names of what shows its arguments."""
        self._shown = shown

    def begins(self, node: ast.AST) -> bool:
        """Tell whether an expression is the environment."""
        return (isinstance(node, ast.Name) and node.id in ENVIRONMENTS) or (
            isinstance(node, ast.Attribute) and node.attr in ENVIRONMENTS
        )

    def is_cut(self, node: ast.Call | ast.Subscript) -> bool:
        """Tell whether one value is read, or only names."""
        return reads_less(node)

    def taken_from(self, node: ast.Attribute | ast.Subscript | ast.Call) -> Taken | None:  # noqa: ARG002  # other questions look
        """A part is made from all that the whole is made from."""
        return None

    def arrives(self, node: ast.AST, flow: Flow) -> Iterator[set[str]]:
        """Yield what is shown: printed, logged, raised, the value of a notebook's cell, the response of a web page."""
        if isinstance(node, ast.Call):
            if written(last(node.func)) in self._shown:
                yield flow.arguments(node)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield flow.arguments(node.exc)
        elif isinstance(node, ast.Expr) and not isinstance(node.value, (ast.Call, ast.Constant, ast.Await)):
            yield flow.made_from(node.value)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            made = (item.func if isinstance(item, ast.Call) else item for item in node.decorator_list)
            if any(last(item) not in _PLAIN for item in made):
                yield flow.returned(node)
        elif isinstance(node, ast.ClassDef) and any(_VIEW.search(last(base)) for base in node.bases):
            methods = (item.name for item in node.body if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)))
            yield from ({name} for name in methods if name in {"get", "post", "put", "patch", "delete"})


class Pieces:
    """Does a literal that begins with the prefix of a key become part of a longer text?"""

    sources: tuple[type[ast.AST], ...] = (ast.Constant,)
    targets: tuple[type[ast.AST], ...] = (ast.BinOp, ast.JoinedStr, ast.AugAssign, ast.Call, ast.Constant)
    keyed = False

    def __init__(self, text: str, catalogue: Catalogue) -> None:
        """Ask so about a module's text."""
        self._text = text
        self._prefixes = tuple(catalogue.triggers.prefixes)
        self._piece = compiled(catalogue.patterns["pieces"])
        self._key = compiled(catalogue.patterns["keys"])
        self._seen: set[int] = set()  # operations that are operands of one that was looked at

    def begins(self, node: ast.AST) -> bool:
        """Tell whether an expression is such a literal, or one that is a key once its pieces are put together."""
        text = literal(node) if isinstance(node, ast.Constant) else None
        if not text:
            return False
        quoted = f'"{text}"'.encode("utf-8", "surrogatepass")
        return self._piece.search(quoted) is not None or text.startswith(self._prefixes) or self._is_split(node)

    def is_cut(self, node: ast.Call | ast.Subscript) -> bool:  # noqa: ARG002  # other questions look
        """Nothing of the kind ends anywhere."""
        return False

    def taken_from(self, node: ast.Attribute | ast.Subscript | ast.Call) -> Taken | None:  # noqa: ARG002  # other questions look
        """A part is made from all that the whole is made from."""
        return None

    def arrives(self, node: ast.AST, flow: Flow) -> Iterator[set[str]]:
        """Yield what a text is made from that is made from several, and the literals that are no single one."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
            yield from self._operation(node, flow)
        elif isinstance(node, ast.JoinedStr):
            yield {""} if self._has_prefix(node.values[:1]) else flow.made_from(*node.values)
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            yield changed(node.target) | flow.made_from(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _COMBINING:
            yield flow.made_from(node.func.value) | flow.arguments(node)
        elif self._is_split(node):
            yield {""}

    def _operation(self, node: ast.BinOp, flow: Flow) -> Iterator[set[str]]:
        """Look at a chain of operations once: asking each of its links would be quadratic."""
        if id(node) in self._seen:
            return
        waiting: list[ast.expr] = [node]
        operands: list[ast.expr] = []
        while waiting:
            part = waiting.pop()
            if isinstance(part, ast.BinOp) and isinstance(part.op, (ast.Add, ast.Mod)):
                self._seen.add(id(part))
                waiting += (part.right, part.left)
            else:
                operands.append(part)
        if any(isinstance(after, ast.Constant) and self._has_prefix([before]) for before, after in pairwise(operands)):
            yield {""}
        yield flow.made_from(*operands)

    def _has_prefix(self, nodes: Iterable[ast.expr]) -> bool:
        """Tell whether a literal begins with a prefix, be it one that names in code have too."""
        texts = (literal(node) for node in nodes if isinstance(node, ast.Constant))
        return any(text is not None and text.startswith(self._prefixes) for text in texts)

    def _is_split(self, node: ast.AST) -> bool:
        """Tell whether a literal that may hold a key does not stand in the source as it is: in pieces, or escaped."""
        text = literal(node) if isinstance(node, ast.Constant) else None
        if text is None or len(text) < _SHORTEST or text in self._text:
            return False
        return self._key.search(text.encode("utf-8", "surrogatepass")) is not None


def changed(target: ast.AST, *, keyed: bool = False) -> set[str]:
    """Name what an assignment to a target changes: of `a.b` and `c.b[0]` it is `b`; `keyed`, of `c["b"]` `b` too."""
    found: set[str] = set()
    waiting = [target]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, ast.Attribute):
            found.add(part.attr)
        elif isinstance(part, (ast.Subscript, ast.Starred)):
            waiting.append(part.value)
            key = literal(part.slice) if isinstance(part, ast.Subscript) and keyed else None
            if key:
                found.add(key)
        elif isinstance(part, (ast.Tuple, ast.List)):
            waiting += part.elts
    return found


def literal(node: ast.AST) -> str | None:
    """The text of a literal; of bytes, each is a character."""
    if not isinstance(node, ast.Constant):
        return None
    if isinstance(node.value, bytes):
        return node.value.decode("latin-1")
    return node.value if isinstance(node.value, str) else None


@lru_cache(maxsize=1)
def _handing_on() -> frozenset[str]:
    """All that the evaluator follows values through."""
    from keyguard.python.functions import FUNCTIONS  # noqa: PLC0415  # 4 ms, where there is something to follow

    return _HANDING_ON | {name.rpartition(".")[2] for name in FUNCTIONS}


def _line(node: ast.AST) -> int:
    """A line of the function that a node stands in; of a function, one of its body."""
    inside = node.body[0] if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else node
    return int(getattr(inside, "lineno", 0))


def last(node: ast.AST) -> str:
    """Give a name, or the last part of a dotted one; else an empty one."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
