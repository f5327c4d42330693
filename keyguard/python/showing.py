"""Asks whether a key that a module reads arrives where it is shown, or becomes part of a URL's query."""

from __future__ import annotations

import ast
import builtins
import re
from functools import cached_property, lru_cache

from keyguard.patterns import regex
from keyguard.python.flow import ENVIRONMENTS, Taken, last, literal, reads_less, written
from keyguard.python.syntax import below
from keyguard.python.tables import is_key_variable, tables_of
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from keyguard.catalogue import Catalogue
    from keyguard.python.flow import Flow

# A name that may hold a credential, as a variable of the environment, a setting or an attribute.
_CREDENTIAL = regex(
    r"(?i)(?:key|secret|passw(?:or)?d|credentials?|(?<!next_)(?<!page_)token|bearer|authorization|_[as]k)"
    r"(?:_(?!alias|cache|count|counter|hash|id|info|limit|name|names|type)[a-z0-9]{1,8})?$"
)
QUERY_PARAMETERS = frozenset({"params", "query", "fields"})  # arguments whose mapping becomes a URL's query
_USER = regex(r"[a-z][a-z0-9+.-]{1,15}://(?:[^/\s@:\"']{0,80}:)?(?:\Z|[%{])")  # where a URL's user begins
_ASSIGNED = regex(r"^[ \t]*(\w+)[ \t]*(?::[^=\n]+)?=", re.MULTILINE)  # variables of a module's lines
_JOINING = frozenset({"format", "format_map", "join", "replace"})
_READS = frozenset({"get", "getenv", "getenvb", "pop", "setdefault"})
_GIVES_ONE = frozenset({"get", "pop", "setdefault"})
# What is asked of an answer to get at the secret in it.
_INNER = frozenset({"value", "secret_value", "payload", "data", "SecretString", "Parameter", "Value", "password"})
_STORED = regex(r"(?i)secret|passw|getpass|credential")
_ASKED = regex(r"(?i)env|conf|setting|secret|vault|store|^os$")


class _Shows(NamedTuple):
    """Who shows what is given to a method or function of a name: customary receivers, and the packages it is from."""

    receivers: frozenset[str]
    packages: frozenset[str]


class Shown:
    """Does a key that is read arrive where it is shown, or in a URL's query?"""

    # What holds a text before the texts: where it stands decides.
    sources: tuple[type[ast.AST], ...] = (
        ast.Call,
        ast.JoinedStr,
        ast.BinOp,
        ast.Name,
        ast.Attribute,
        ast.Subscript,
        ast.Constant,
        ast.Dict,
    )
    targets: tuple[type[ast.AST], ...] = (
        ast.Call,
        ast.Raise,
        ast.Expr,
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.JoinedStr,
        ast.BinOp,
        ast.AugAssign,
    )
    keyed = True

    def __init__(self, text: str, catalogue: Catalogue) -> None:
        """Ask so about a module's text."""
        self._text, self._catalogue = text, catalogue
        self._brought: dict[str, bool] = {}
        self._judged: dict[str, bool] = {}  # names that were asked whether they are a credential's
        self._shows = _sinks(catalogue)
        self._by_any: dict[str, bool] = {}  # methods and functions that may show what they are given, whosever they are
        self._views = _views(catalogue)
        self._readers, self._calls = _readers(catalogue)
        self._query = tables_of(catalogue).query
        self._named = _asking(catalogue)
        self._urls: dict[int, bool] = {}  # expressions with a text after which a key would be a URL's
        self._placed: set[int] = set()  # such texts, and tables of what is asked, that stand where they are used
        self._is_loose = False  # such a text stands elsewhere than in the expression that makes the URL
        self._limit = catalogue.sinks.max_slice

    def begins(self, node: ast.AST) -> bool:  # noqa: PLR0911  # one return a kind of node
        """Tell whether an expression may be a key that is read, or the whole environment."""
        if isinstance(node, ast.Name):
            return node.id in ENVIRONMENTS or (node.id.isupper() and self._is_brought(node.id))
        if isinstance(node, ast.Attribute):
            return node.attr in ENVIRONMENTS or self._is_credential(node.attr)
        if isinstance(node, ast.Subscript):
            name = literal(node.slice)
            if name is None:
                return written(last(node.value)) in ENVIRONMENTS and not isinstance(node.slice, ast.Constant)
            return self._is_variable(name)
        if isinstance(node, ast.Constant):
            return self._ends_in_query(node)
        if isinstance(node, ast.Dict):
            return id(node) in self._placed
        if isinstance(node, (ast.JoinedStr, ast.BinOp)):
            self._look_for_url(node, _operands(node))
            return False
        if not isinstance(node, ast.Call):
            return False
        self._look_for_tables(node)
        if isinstance(node.func, ast.Attribute):
            self._look_for_url(node, (node.func.value, *node.args))
        return self._is_read(node)

    def _ends_in_query(self, node: ast.Constant) -> bool:
        text = literal(node)
        if text is None or self._named.search(text) is None:
            return False
        self._is_loose = self._is_loose or id(node) not in self._placed
        return True

    def _look_for_url(self, node: ast.AST, parts: Iterable[ast.AST]) -> None:
        """Note whether an expression has a text after which a key would be part of a URL: named, or as its user."""
        for part in parts:
            text = literal(part)
            if text is None:
                continue
            if self._named.search(text) is not None:
                self._placed.add(id(part))
                self._urls[id(node)] = True
            elif _USER.search(text) is not None:
                self._urls.setdefault(id(node), False)

    def _look_for_tables(self, node: ast.Call) -> None:
        """Note the tables of what is asked that name a key."""
        for keyword in node.keywords:
            if keyword.arg in QUERY_PARAMETERS and isinstance(keyword.value, ast.Dict):
                keys = (literal(key) or "" for key in keyword.value.keys if key is not None)
                if any(key.lower() in self._query for key in keys):
                    self._placed.add(id(keyword.value))

    def _is_read(self, node: ast.Call) -> bool:
        name = written(last(node.func))
        if name not in self._readers and name not in _READS:
            return False
        given = [*node.args[:1], *(item.value for item in node.keywords)]
        if any(self._is_variable(text) for item in given if (text := literal(item))):
            return True
        # A name that is made elsewhere: of the environment or what is called like it, not of any mapping or file.
        of = written(last(node.func.value)) if isinstance(node.func, ast.Attribute) else ""
        asks = name in self._calls if not of else _ASKED.search(of) or _STORED.search(name)
        return bool(asks) and any(not isinstance(item, ast.Constant) for item in given)

    def _is_brought(self, name: str) -> bool:
        """Tell whether a name of a variable is another module's; what is assigned here is known by what it is given."""
        if name not in self._brought:
            self._brought[name] = name not in self._assigned and self._is_credential(name)
        return self._brought[name]

    @cached_property
    def _assigned(self) -> frozenset[str]:
        return frozenset(_ASSIGNED.findall(self._text))

    def _is_variable(self, name: str) -> bool:
        if not name.isidentifier():
            return False
        return (name.isupper() and _CREDENTIAL.search(name) is not None) or is_key_variable(name, self._catalogue)

    def _is_credential(self, name: str) -> bool:
        known = self._judged.get(name)
        if known is None:
            known = _CREDENTIAL.search(name) is not None or bool(self._catalogue.providers_of_env(name))
            self._judged[name] = known
        return known

    def is_cut(self, node: ast.Call | ast.Subscript) -> bool:
        """Tell whether one other variable is read, only names, or a few characters, which are a mask."""
        if isinstance(node, ast.Subscript):
            return self._is_short(node.slice) if isinstance(node.slice, ast.Slice) else reads_less(node)
        return (
            reads_less(node)
            and all(isinstance(item, ast.Constant) for item in node.args[1:])
            and all(isinstance(item.value, ast.Constant) for item in node.keywords)
        )

    def _is_short(self, part: ast.Slice) -> bool:
        lower, upper = _number(part.lower), _number(part.upper)
        if part.step is not None:
            return False
        if part.lower is None and upper is not None and 0 <= upper <= self._limit:
            return True
        return part.upper is None and lower is not None and -self._limit <= lower < 0

    def taken_from(self, node: ast.Attribute | ast.Subscript | ast.Call) -> Taken | None:
        """An attribute or an item of a name is a place of its own, whosever it is; the rest of the object stays out."""
        if isinstance(node, ast.Attribute):
            inner = node.attr in _INNER or not isinstance(node.value, (ast.Name, ast.Attribute))
            return Taken((node.attr,), (node.value,) if inner else ())
        if isinstance(node, ast.Subscript):
            name = literal(node.slice)
            if name is None:
                return None
            return Taken((name,), (node.value,) if self._is_inner(name, node.value) else ())
        func = node.func
        if not isinstance(func, ast.Attribute) or func.attr not in _GIVES_ONE or not node.args:
            return None
        name = literal(node.args[0])
        if name is None or written(last(func.value)) in ENVIRONMENTS:
            return None
        of = (func.value,) if self._is_inner(name, func.value) else ()
        return Taken((name, func.attr), (*of, *node.args[1:], *(item.value for item in node.keywords)))

    @staticmethod
    def _is_inner(name: str, of: ast.AST) -> bool:
        return name in _INNER or isinstance(of, (ast.Call, ast.Subscript))

    def arrives(self, node: ast.AST, flow: Flow) -> Iterator[set[str]]:
        """Yield what is shown: printed, logged, raised, the value of a notebook's cell, the response of a web page."""
        named = self._urls.get(id(node))
        if named is not None or (self._is_loose and _is_put_together(node)):
            yield flow.made_from(*_operands(node)) | ({""} if named else set())
        if isinstance(node, ast.Call):
            yield from self._given(node, flow)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield flow.arguments(node.exc)
        elif isinstance(node, ast.Expr) and not isinstance(node.value, (ast.Call, ast.Constant, ast.Await)):
            yield flow.made_from(node.value)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            made = (item.func for item in node.decorator_list if isinstance(item, ast.Call))
            if any(isinstance(item, ast.Attribute) and item.attr in self._views for item in made):
                yield flow.returned(node)

    def _given(self, node: ast.Call, flow: Flow) -> Iterator[set[str]]:
        func = node.func
        name = written(last(func))
        shows = self._shows.get(name)
        if shows is not None:
            if name not in self._by_any:
                self._by_any[name] = any(package in self._text for package in shows.packages)
            of = func.value if isinstance(func, ast.Attribute) else None
            if self._by_any[name] or (of is not None and written(last(of)) in shows.receivers):
                yield flow.arguments(node)
        for keyword in node.keywords:
            if id(keyword.value) in self._placed:
                yield {""} | flow.made_from(*node.args, *below(keyword.value))


def _operands(node: ast.AST) -> list[ast.AST]:
    """What a text is put together from, a chain of operations as one."""
    found: list[ast.AST] = []
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.BinOp):
            waiting += (part.right, part.left)
        elif part is node and isinstance(part, ast.JoinedStr):
            found += part.values
        elif part is node and isinstance(part, ast.Call):
            found += (part.func, *part.args, *(keyword.value for keyword in part.keywords))
        elif part is node:
            found += below(part)
        else:
            found.append(part)
    return found


def _is_put_together(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, (ast.Add, ast.Mod))
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr in _JOINING
    return isinstance(node, (ast.JoinedStr, ast.AugAssign))


@lru_cache(maxsize=4)
def _asking(catalogue: Catalogue) -> re.Pattern[str]:
    """Where the value of a key begins in the query of a URL."""
    names = "|".join(sorted(map(re.escape, tables_of(catalogue).query)))
    return re.compile(rf"(?i)[?&](?:{names})=[ ]?(?:\Z|[%{{])")


def _number(node: ast.AST | None) -> int | None:
    negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    value = inner.value if isinstance(inner, ast.Constant) else None
    if not isinstance(value, int):
        return None
    return -value if negative else value


@lru_cache(maxsize=4)
def _sinks(catalogue: Catalogue) -> Mapping[str, _Shows]:
    """By the last part of a name: who shows what it is given."""
    receivers: dict[str, set[str]] = {}
    packages: dict[str, set[str]] = {}
    for sink in catalogue.sinks.sinks:
        if sink.returned:  # its methods are the decorators of functions that return a response
            continue
        roots = {name.partition(".")[0] for name in (*sink.instances, *sink.factories)}
        for name in sink.calls:
            receivers.setdefault(name.rpartition(".")[2], set())
            packages.setdefault(name.rpartition(".")[2], set()).add(name.partition(".")[0])
        for name in sink.methods:
            receivers.setdefault(name, set()).update(sink.names)
            packages.setdefault(name, set()).update(roots)
    return {name: _Shows(frozenset(found), frozenset(packages[name])) for name, found in receivers.items()}


@lru_cache(maxsize=4)
def _views(catalogue: Catalogue) -> frozenset[str]:
    """The methods whose decorators make a function's result a response."""
    return frozenset(name for sink in catalogue.sinks.sinks if sink.returned for name in sink.methods)


@lru_cache(maxsize=4)
def _readers(catalogue: Catalogue) -> tuple[frozenset[str], frozenset[str]]:
    """The last parts of the names of what reads a value by its name; and of functions that do, which need no object."""
    readers = catalogue.env_access.readers
    calls = {name.rpartition(".")[2] for reader in readers for name in reader.calls}
    methods = {name.rpartition(".")[2] for reader in readers for name in reader.methods} - {"", "[]"}
    instances = {name.rpartition(".")[2] for reader in readers for name in reader.instances if "" in reader.methods}
    return frozenset(calls | methods | instances), frozenset(
        (calls | instances) - vars(builtins).keys() - {"get", "ask", "load"}
    )
