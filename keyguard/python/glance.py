"""A quick look with Python's own parser: can a key be in this code, or be shown by it, at all?

LibCST takes 160 ms to import and parses 18,000 lines a second; `ast` is in memory and does 120,000. Most code that
talks to models prints something, reads a key, and never shows it; most code that has `"key_128"` in it makes no key of
that: one look spares it the rest. What is said here is an upper bound: names count the same in every scope, and
whatever is made from a tainted value is tainted.
"""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

from keyguard.prefilter import BUILT, ENVIRONMENT, HELD, SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from keyguard.catalogue import Catalogue
    from keyguard.python.flow import Flow

# A name that may hold a credential, as a variable of the environment, a setting or an attribute.
_CREDENTIAL = re.compile(
    r"(?i)(?:key|secret|passw(?:or)?d|credentials?|(?<!next_)(?<!page_)token|bearer|authorization|_[as]k)"
    r"(?:_[a-z0-9]{1,8})?$"
)
_URL = re.compile(r"[?&][A-Za-z_-]{0,20}(?:key|token|secret|auth)[A-Za-z_-]{0,8}=|://[^/\s\"']{0,80}@|\bparams\b")
# What holds the environment, what reads a value by its name, and what gives its arguments back in another form.
_ENVIRONMENTS = frozenset({"environ", "environb"})
_READS = frozenset({"get", "getenv", "pop", "setdefault"})
_STORE = re.compile(r"(?i)secret|passw|getpass|credential")
_HANDED_ON = frozenset(
    {"dict", "list", "tuple", "set", "sorted", "reversed", "zip", "enumerate", "map", "filter", "next", "iter", "str"}
    | {"repr", "bytes", "bytearray", "format", "format_map", "join", "replace", "ljust", "rjust", "center", "vars"}
    | {"print", "pformat", "dumps", "dump", "asdict", "model_dump", "items", "values", "copy", "deepcopy", "partial"}
)
# Decorators after which what a function gives stays in the program.
_PLAIN = frozenset(
    {"property", "cached_property", "staticmethod", "classmethod", "cache", "lru_cache", "abstractmethod", "overload"}
    | {"override", "wraps", "contextmanager", "asynccontextmanager", "fixture", "retry", "setter", "dataclass", "tool"}
)
_VIEW = re.compile(r"View|Resource|Handler|Endpoint|Controller")
# What a key without a prefix is made of, of a fifth less than its shortest length; and what names are made of.
_RUN = re.compile(r"[A-Za-z0-9_.-]{16,}|[A-Za-z0-9+/]{16,}")
_WHOLE_RUN = re.compile(r"[A-Za-z0-9_.-]{20,}|[A-Za-z0-9+/]{20,}")
_SPLIT = re.compile(r"[^A-Za-z]+")
_NAME_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_RANDOM = 20  # letters without a digit among them: one in a hundred keys of 20, hardly any longer one
_PART_OF_NAME = 4.5  # letters that the parts of a name have on average; of one in a hundred random texts, too
_COMMENT = re.compile(r"#[^\r\n]*")
_ROUNDS = 40  # a name that is tainted through more steps than this is not worth a parse


def may_show(text: str, catalogue: Catalogue) -> bool:
    """Tell whether a module may show a value that holds a key, or put one into a URL; True if it cannot be told."""
    return _URL.search(text) is not None or _reaches(text, _Look(*_names(catalogue)))


def may_show_environment(text: str, catalogue: Catalogue) -> bool:
    """Tell whether a module may show the whole environment; True if it cannot be told."""
    from keyguard.python.flow import Environment, Flow  # noqa: PLC0415  # 4 ms that code about models does not pay

    shown, read, wrappers = _names(catalogue)
    return _reaches(text, Flow(Environment(shown), read | wrappers | _READS))


def may_build(text: str, catalogue: Catalogue) -> bool:
    """Tell whether a module may put a key together from pieces, of which one is its prefix; True if it cannot be told.

    Pieces that lie side by side are one literal here, which is asked for a whole key.
    """
    from keyguard.python.flow import Flow, Pieces  # noqa: PLC0415  # as above

    _, read, wrappers = _names(catalogue)
    return _reaches(text, Flow(Pieces(text, catalogue), read | wrappers | _READS))


def may_hold(text: str, _: Catalogue) -> bool:
    """Tell whether a module may hold a key that only a name or words tell; True if it cannot be told."""
    from keyguard.python.flow import literal  # noqa: PLC0415  # as in may_show_environment

    tree = _parsed(text)
    if tree is None or any(_looks_like_value(comment, _WHOLE_RUN) for comment in _COMMENT.findall(text)):
        return True
    constants = (node for node in nodes_of(tree) if isinstance(node, ast.Constant))
    return any(_looks_like_value(found, _RUN) for node in constants if (found := literal(node)))


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in the code that is read is not the user's to see now
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _reaches(text: str, look: _Look | Flow) -> bool:
    tree = _parsed(text)
    if tree is None:
        return True
    try:
        look.take(tree)
        return look.shows()
    except RecursionError:
        return True


def nodes_of(tree: ast.AST) -> list[ast.AST]:
    """All nodes, those above before those below."""
    found = [tree]
    for node in found:
        if not isinstance(node, (ast.Name, ast.Constant)):
            found += below(node)
    return found


def below(node: ast.AST) -> list[ast.AST]:
    """`ast.iter_child_nodes` in half its time, without what only says load or store."""
    found: list[ast.AST] = []
    for name in node._fields:
        held = getattr(node, name, None)
        if isinstance(held, list):
            found += [item for item in held if isinstance(item, ast.AST)]
        elif isinstance(held, ast.AST) and not isinstance(held, ast.expr_context):
            found.append(held)
    return found


def _looks_like_value(text: str, run: re.Pattern[str]) -> bool:
    """Tell whether a text holds what a key without a prefix may look like, and not just names."""
    return any(
        any(map(str.isdigit, found)) or any(map(_is_no_name, _SPLIT.split(found))) for found in run.findall(text)
    )


def _is_no_name(letters: str) -> bool:
    if len(letters) < _RANDOM or len(letters) >= _PART_OF_NAME * len(_NAME_PARTS.findall(letters)):
        return False
    from keyguard.secrets.placeholders import looks_random  # noqa: PLC0415  # in memory where keys were searched for

    return looks_random(letters)


@lru_cache(maxsize=4)
def _names(catalogue: Catalogue) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The last parts of the names that show a value, that read one from somewhere, and that wrap one."""
    shown: set[str] = set()
    for sink in catalogue.sinks.sinks:
        if not sink.returned:  # its methods are the decorators of functions that return a response
            shown.update(name.rpartition(".")[2] for name in (*sink.calls, *sink.methods))
    read: set[str] = set()
    for reader in catalogue.env_access.readers:
        read.update(name.rpartition(".")[2] for name in (*reader.calls, *reader.subscripts))
        read.update(name for name in reader.methods if name not in {"", "[]", "get"})
    wrappers = {name.rpartition(".")[2] for name in (*catalogue.sinks.wrappers, *catalogue.env_access.unwrap_methods)}
    return frozenset(shown), frozenset(read), frozenset(wrappers)


class _Look:
    """Collects what flows into which names, and what is shown."""

    def __init__(self, shown: frozenset[str], read: frozenset[str], wrappers: frozenset[str]) -> None:
        self._shown, self._read, self._wrappers = shown, read, wrappers
        self._flows: list[tuple[set[str], set[str]]] = []
        self._sinks: list[set[str]] = []
        self._parameters: dict[str, set[str]] = {}
        self._calls: list[tuple[str, set[str]]] = []

    def take(self, tree: ast.Module) -> None:
        """Take in a module."""
        for node in nodes_of(tree):
            self._at(node)

    def _at(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            self._flow({name for target in node.targets for name in self._mentions(target)}, node.value)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)):
            self._flow(self._mentions(node.target), node.value)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            self._flow(self._mentions(node.target), node.iter)
        elif isinstance(node, ast.withitem):
            self._flow(self._mentions(node.optional_vars) if node.optional_vars else set(), node.context_expr)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._function(node)
        elif isinstance(node, ast.ClassDef):
            self._class(node)
        elif isinstance(node, ast.Call):
            self._call(node)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            self._sinks += (self._mentions(item) for item in (*node.exc.args, *node.exc.keywords))
        elif isinstance(node, ast.Expr) and not isinstance(node.value, (ast.Call, ast.Constant, ast.Await)):
            self._sinks.append(self._mentions(node))  # the value of a notebook's cell

    def _flow(self, targets: set[str], value: ast.AST | None) -> None:
        if value is not None and targets:
            self._flows.append((targets, self._mentions(value)))

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._parameters.setdefault(node.name, set()).update(_parameters(node))
        given = {
            name
            for item in ast.walk(node)
            if isinstance(item, (ast.Return, ast.Yield))
            for name in self._mentions(item)
        }
        self._flows.append(({node.name, f".{node.name}"}, given))
        # What a decorated function gives may be a response.
        if any(_last(item.func if isinstance(item, ast.Call) else item) not in _PLAIN for item in node.decorator_list):
            self._sinks.append(given)
        defaults = [*node.args.defaults, *(item for item in node.args.kw_defaults if item is not None)]
        for default in defaults:
            self._flow(_parameters(node), default)

    def _class(self, node: ast.ClassDef) -> None:
        methods = [item for item in node.body if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))]
        for item in methods:
            if item.name == "__init__":
                self._parameters.setdefault(node.name, set()).update(_parameters(item))
        # Methods of a view, which are named after HTTP's, give its responses.
        if any(_VIEW.search(_last(base)) for base in node.bases):
            self._sinks += ({item.name} for item in methods if item.name in {"get", "post", "put", "patch", "delete"})

    def _call(self, node: ast.Call) -> None:
        name = _last(node.func)
        given: set[str] = set()
        for item in (*node.args, *(keyword.value for keyword in node.keywords)):
            given |= self._mentions(item)
        if name in self._shown:
            self._sinks.append(given)
        self._calls.append((name, given))

    def shows(self) -> bool:
        """Let taint flow until nothing changes; tell whether it reached a sink."""
        tainted = {""}
        for name, given in self._calls:
            if name in self._parameters:
                self._flows.append((self._parameters[name], given))
        for _ in range(_ROUNDS):
            before = len(tainted)
            for targets, given in self._flows:
                if not given.isdisjoint(tainted):
                    tainted |= targets
            if len(tainted) == before:
                return any(not given.isdisjoint(tainted) for given in self._sinks)
        return True

    def _mentions(self, node: ast.AST) -> set[str]:
        """Name every variable and attribute an expression is made from; an empty name stands for a credential read."""
        found: set[str] = set()
        waiting = [node]
        while waiting:
            part = waiting.pop()
            if isinstance(part, ast.Call):
                waiting += self._of_call(part, found)
            elif isinstance(part, ast.Subscript) and (name := _text(part.slice)) is not None:
                self._named(name, found)
                if _last(part.value) not in _ENVIRONMENTS:
                    waiting.append(part.value)
            elif isinstance(part, ast.Name):
                found.add(part.id)
                self._named(part.id, found)
                if part.id == "environ":
                    found.add("")
            elif isinstance(part, ast.Attribute):
                found.add(f".{part.attr}")
                if part.attr == "environ" or _CREDENTIAL.search(part.attr):
                    found.add("")
                waiting.append(part.value)
            elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                self._named(part.value, found)
            else:
                waiting += ast.iter_child_nodes(part)
        return found

    def _of_call(self, node: ast.Call, found: set[str]) -> Iterator[ast.AST]:
        """What a call's result is made from: what its method belongs to, and the arguments of what hands them on."""
        name = _last(node.func)
        found.add(name)
        read = _text(node.args[0]) if node.args else None
        if _STORE.search(name):
            found.add("")
        if read is not None and (name in self._read or name in _READS):
            self._named(read, found)
            if isinstance(node.func, ast.Attribute) and _last(node.func.value) not in _ENVIRONMENTS:
                yield node.func.value
            yield from node.args[1:]
            return
        if isinstance(node.func, ast.Attribute):
            found.add(f".{name}")
            yield node.func.value
        if name in _HANDED_ON or name in self._wrappers:
            yield from node.args
            yield from (item.value for item in node.keywords)

    @staticmethod
    def _named(name: str, found: set[str]) -> None:
        if name.isidentifier() and name.isupper() and _CREDENTIAL.search(name):
            found.add("")


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _last(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    given = node.args
    every: Iterator[ast.arg | None] = iter(
        (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg)
    )
    return {item.arg for item in every if item is not None}


LOOKS: Mapping[str, Callable[[str, Catalogue], bool]] = {
    HELD: may_hold,
    BUILT: may_build,
    SHOWN: may_show,
    ENVIRONMENT: may_show_environment,
}
