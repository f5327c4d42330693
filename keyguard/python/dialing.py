"""Asks with Python's own parser where a module may hold anything that the rules about connections speak of.

Code about models names timeouts, keys and `httpx.Response` on every page, and one module in ten of it opens a
connection. What is said here is an upper bound: a name that an import brings is that name wherever it stands.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cached_property, lru_cache

from keyguard.patterns import regex
from keyguard.python.flow import ENVIRONMENTS, last, literal, written
from keyguard.python.tables import RAW, names_of, tables_of
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from keyguard.catalogue import Catalogue
    from keyguard.python.flow import Flow, Taken, Told

Brings: TypeAlias = "Callable[[str, int, str, Callable[[str], bool], str], bool]"
_GETTING = frozenset({"getattr", "hasattr"})
_WRITING = frozenset({"putenv", "setdefault", "setenv", "set_key", "update", "load_dotenv"})
_READING = frozenset({"getenv", "getenvb"})
_SECRET = regex(r"KEY|TOKEN|SECRET|AUTH|CRED|PASS")
_WORD = regex(r"\w+")
_PATCHING = frozenset({"setattr", "setitem"})
_SETTING = frozenset({"putenv", "setdefault", "setenv"})  # of what writes, that which takes a variable's name first
# What the name of a variable says that may decide about a connection, whoever reads it.
_DECIDING = regex(
    r"KEY|TOKEN(?!IZ)|SECRET|AUTH|CRED|PASS|UR[LI]|BASE|HOST|ENDPOINT|SERVER|PROX|TIMEOUT|RETR|ATTEMPT|SSL|TLS|CERT|VERIF"
)


class _Foreign(NamedTuple):
    """What an import may bring from another module of the project; `whole` are the words that stand for a module."""

    module: str
    level: int
    name: str
    whole: str

    def used(self, parts: list[str]) -> str:
        """The attribute of it that is used where its name stands with some attributes; empty for all of it."""
        above = self.whole.count(".")  # `import a.b` gives `a` a name, of which `a.b.c` uses `c`
        return parts[above] if len(parts) > above else ""


class _Names(NamedTuple):
    """What is looked for, by dotted name: what is used, what is set, what either may lie below, what is no longer.

    `tops` are their first parts, `readers` are packages besides Python's own that read variables, `variables` those
    that SDKs, providers and HTTP clients go by.
    """

    used: frozenset[str]
    set: frozenset[str]
    above: frozenset[str]
    removed: frozenset[str]
    tops: frozenset[str]
    readers: frozenset[str]
    scheme: re.Pattern[str]
    classes: frozenset[str]
    functions: frozenset[str]
    made: re.Pattern[str]
    variables: frozenset[str]

    def makes(self, text: str) -> bool:
        """Tell whether a text names what makes an object that connects.

        A function does so where it is called, or is all there is: `api_key` is the name of one, and of much else.
        """
        words = _WORD.findall(text)  # a pattern of two hundred names takes five times as long
        if not self.classes.isdisjoint(words):
            return True
        if not self.functions.isdisjoint(words) and self.made.search(text) is not None:
            return True
        return text in self.functions or text in self.tops  # a name, or a library, that another module imports


class Dialed(NamedTuple):
    """The lines on which a module may open a connection, or set what connections go by; None for all.

    `headers` are those over which a variable that is read gets behind the scheme of a header.
    """

    lines: frozenset[int] | None
    headers: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        """Tell whether there is anything, as far as can be told."""
        return self.lines is None or bool(self.lines or self.headers)


def dialed_on(told: Told, catalogue: Catalogue, brings: Brings) -> frozenset[int] | None:
    """The lines on which a module may open a connection, or set what connections go by; None for all.

    `brings` tells of a name of another module of the project, and of the attribute of it that is used, whether it may
    be, or have, what a function finds there.
    """
    return _Look(told, catalogue, brings).lines()


class _Look:
    """Collects what imports bring, then holds every use against what is looked for."""

    def __init__(self, told: Told, catalogue: Catalogue, brings: Brings) -> None:
        self._told, self._catalogue, self._brings = told, catalogue, brings
        self._names = _wanted(catalogue)
        self._clients = tables_of(catalogue).clients
        self._distinctive = names_of(catalogue).distinctive
        self._brought: dict[str, set[str]] = {}  # by name here: dotted names
        self._foreign: dict[str, list[_Foreign]] = {}  # by name here: what an import from the project may bring
        self._stars: list[tuple[str, int]] = []
        self._asked: dict[tuple[_Foreign, str], bool] = {}
        self._inner: set[int] = set()  # parts of a dotted name that was looked at as a whole

    def lines(self) -> frozenset[int] | None:
        """The lines on which anything is; None where an import is gone or brings all there is."""
        told = self._told
        if any(map(self._import, told.of(ast.Import, ast.ImportFrom))):
            return None
        for node in told.of(ast.Assign):
            self._alias(node)
        looks = (
            (ast.Subscript, self._writes),
            (ast.Call, self._is_called),
            (ast.arg, self._is_typed),
            # A name and its attributes before its parts.
            (ast.Attribute, self._is_used),
            (ast.Name, self._is_used),
        )
        return frozenset(node.lineno for kind, look in looks for node in told.of(kind) if look(node))

    def _import(self, node: ast.Import | ast.ImportFrom) -> bool:
        """Note what an import brings; tell whether it is gone, or brings all there is."""
        module = "" if isinstance(node, ast.Import) else node.module or ""
        level = 0 if isinstance(node, ast.Import) else node.level
        for item in node.names:
            dotted = f"{module}.{item.name}" if module else item.name
            top = dotted.partition(".")[0]
            if not level and top in self._names.tops:
                if self._is_removed(dotted) or (item.name == "*" and module in self._names.above):
                    return True
                name = item.asname or (top if isinstance(node, ast.Import) else item.name)
                value = dotted if item.asname or isinstance(node, ast.ImportFrom) else top
                self._brought.setdefault(name, set()).add(value)
            foreign = _Foreign(module, level, item.name, "" if module or level or item.asname else dotted)
            if item.name == "*":
                self._stars.append((module, level))
                continue
            self._foreign.setdefault(item.asname or item.name.partition(".")[0], []).append(foreign)
        return False

    def _may_bring(self, foreign: _Foreign, used: str) -> bool:
        asked = (foreign, used)
        if asked not in self._asked:
            self._asked[asked] = self._brings(foreign.module, foreign.level, foreign.name, self._names.makes, used)
        return self._asked[asked]

    def _is_foreign(self, name: str, parts: list[str]) -> bool:
        """Tell whether a name with some attributes may be something of the project that connects."""
        known = self._foreign.get(name)
        if known is None:  # any name that nothing here assigns may come with a star
            known = self._foreign[name] = [_Foreign(module, level, name, "") for module, level in self._stars]
        return any(self._may_bring(foreign, foreign.used(parts)) for foreign in known)

    def _is_typed(self, node: ast.arg) -> bool:
        """Tell whether a parameter is said to be a client."""
        annotation = node.annotation
        return isinstance(annotation, (ast.Name, ast.Attribute)) and any(
            name in self._clients for name in self._dotted(annotation)
        )

    def _alias(self, node: ast.Assign) -> None:
        """Follow a module to the further names that it is given."""
        if isinstance(node.value, (ast.Name, ast.Attribute)):
            above = {name for name in self._dotted(node.value) if name in self._names.above}
            if above and all(isinstance(target, ast.Name) for target in node.targets):
                self._inner.add(id(node.value))
                for target in node.targets:
                    self._brought.setdefault(written(last(target)), set()).update(above)

    def _dotted(self, node: ast.AST) -> Iterator[str]:
        """The dotted names that a name, or a name and its attributes, may stand for."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            for base in self._brought.get(written(node.id), ()):
                yield ".".join((base, *parts))

    def _is_used(self, node: ast.Name | ast.Attribute) -> bool:
        if id(node) in self._inner:
            return False
        below: ast.AST = node
        parts: list[str] = []
        while isinstance(below, ast.Attribute):
            parts.insert(0, below.attr)
            below = below.value
            self._inner.add(id(below))
        if not isinstance(below, ast.Name):
            return False
        name = written(below.id)
        known = name in self._brought or name in self._foreign
        if not known and (not self._stars or name != below.id):  # no star brings a variable of a function's own
            return False
        return (name in self._brought and self._is_ours(node)) or self._is_foreign(name, parts)

    def _is_ours(self, node: ast.Name | ast.Attribute) -> bool:
        """Tell whether a name that an import brings, with some attributes, is looked for, or is set and so decides."""
        if isinstance(node.ctx, ast.Store):
            return isinstance(node, ast.Attribute) and any(name in self._names.set for name in self._dotted(node))
        return any(map(self._is_wanted, self._dotted(node)))

    def _is_wanted(self, name: str) -> bool:
        for raw in RAW:
            name = name.replace(raw, "")
        return name in self._names.above or name in self._names.used or self._is_removed(name)

    def _is_removed(self, name: str) -> bool:
        while name:
            if name in self._names.removed:
                return True
            name = name.rpartition(".")[0]
        return False

    def _is_called(self, node: ast.Call) -> bool:
        func = node.func
        name = written(last(func))
        if name in _GETTING and len(node.args) > 1:
            attribute = literal(node.args[1])
            if attribute is not None:
                self._inner.add(id(node.args[0]))
                return any(self._is_wanted(f"{base}.{attribute}") for base in self._dotted(node.args[0]))
        if name in _WRITING or name in _PATCHING:
            if name in _SETTING and node.args and not self._may_decide(node.args[0]):
                return False
            return name in {"putenv", "setenv", "set_key"} or any(
                written(last(part)) in ENVIRONMENTS for part in ast.walk(node) if not isinstance(part, ast.Constant)
            )
        return isinstance(func, ast.Attribute) and self._is_telling(func)

    def _is_telling(self, func: ast.Attribute) -> bool:
        """Tell whether a method's name alone says that a model is called."""
        names = self._distinctive.get(func.attr)
        if not names:
            return False
        parts: list[str] = []
        node: ast.AST = func
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        spelled = ".".join(parts)
        for raw in RAW:
            spelled = spelled.replace(raw, "")
        return any(spelled == name or spelled.endswith(f".{name}") for name in names)

    def _writes(self, node: ast.Subscript) -> bool:
        is_write = isinstance(node.ctx, ast.Store) and written(last(node.value)) in ENVIRONMENTS
        return is_write and self._may_decide(node.slice)

    def _may_decide(self, node: ast.AST) -> bool:
        """Tell whether a variable that is set may decide about a connection: one that is known, or named again here."""
        name = literal(node)
        return (
            name is None
            or name.upper() in self._names.variables
            or _DECIDING.search(name.upper()) is not None
            or self._said[name] > 1
        )

    @cached_property
    def _said(self) -> Counter[str | None]:
        """How often each text stands in the module: counted once, since a module may set ten thousand variables."""
        return Counter(map(literal, self._told.of(ast.Constant)))


class Behind:
    """Is a variable that is read put behind the scheme of a header, so that `Bearer None` may come of it?"""

    sources: tuple[type[ast.AST], ...] = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)
    targets: tuple[type[ast.AST], ...] = (ast.JoinedStr, ast.BinOp, ast.Call)
    keyed = True

    def __init__(self, told: Told, catalogue: Catalogue) -> None:
        """Ask so about a module."""
        self._names = _wanted(catalogue)
        self.is_asked = any(map(self._is_scheme, told.of(ast.Constant)))
        self._others = any(map(self._may_read, told.of(ast.alias, ast.ImportFrom, ast.ClassDef)))

    def _is_scheme(self, node: ast.AST) -> bool:
        text = literal(node)
        return text is not None and self._names.scheme.search(text) is not None

    def _may_read(self, node: ast.AST) -> bool:
        """Tell whether variables are read in other ways than with Python's own: by a package, in a settings class."""
        if isinstance(node, ast.alias):
            return node.name.partition(".")[0] in self._names.readers
        if isinstance(node, ast.ImportFrom):
            return not node.level and (node.module or "").partition(".")[0] in self._names.readers
        return isinstance(node, ast.ClassDef) and any(last(base).endswith("Settings") for base in node.bases)

    def begins(self, node: ast.AST) -> bool:
        """Tell whether an expression may be a variable that is read, here or where a constant is from."""
        if isinstance(node, ast.Name):
            return node.id.isupper() and _SECRET.search(node.id) is not None
        if isinstance(node, ast.Attribute):
            return self._others and _SECRET.search(node.attr.upper()) is not None
        if isinstance(node, ast.Subscript):
            return self._others or written(last(node.value)) in ENVIRONMENTS
        if not isinstance(node, ast.Call):
            return False
        of = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        return self._others or written(last(of)) in ENVIRONMENTS or written(last(node.func)) in _READING

    def is_cut(self, node: ast.Call | ast.Subscript) -> bool:  # noqa: ARG002  # other questions look
        """Nothing of the kind ends anywhere."""
        return False

    def taken_from(self, node: ast.Attribute | ast.Subscript | ast.Call) -> Taken | None:  # noqa: ARG002  # as above
        """A part is made from all that the whole is made from."""
        return None

    def arrives(self, node: ast.AST, flow: Flow) -> Iterator[set[str]]:
        """Yield what stands behind a scheme in a text."""
        if isinstance(node, ast.JoinedStr):
            if any(map(self._is_scheme, node.values)):
                yield flow.made_from(*node.values)
        elif isinstance(node, ast.BinOp):
            if isinstance(node.op, ast.Mod) and self._is_scheme(node.left):
                yield flow.made_from(node.right)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and self._is_scheme(node.func.value):
            yield flow.arguments(node)


@lru_cache(maxsize=4)
def _wanted(catalogue: Catalogue) -> _Names:
    tables = tables_of(catalogue)
    http = catalogue.http
    removed = [item for sdk in catalogue.sdks.values() for item in sdk.removed]
    used = {name for name in (*tables.clients, *tables.http) if "()" not in name}
    used.update(catalogue.env_access.loaders)
    used.update(name for item in http.removed for name in item.of if "()" not in name)
    to_set = {*tables.assignable, *http.insecure_settings, *(item.setting for item in removed if item.setting)}
    gone = frozenset(item.name for item in removed if item.name)
    every = (*used, *to_set, *gone)
    made = {name.rpartition(".")[2] for name, client in tables.clients.items() if not client.is_call}
    made.update(name.rpartition(".")[2] for client in http.clients for name in client.sessions)
    functions = frozenset(filter(str.islower, made))
    classes = frozenset(made - functions)
    schemes = "|".join(re.escape(scheme) for scheme in catalogue.words.schemes)
    return _Names(
        frozenset(used),
        frozenset(to_set),
        frozenset(above for name in every for above in _above(name)) - used,
        gone,
        frozenset(name.partition(".")[0] for name in every),
        frozenset(name.partition(".")[0] for name in _reading(catalogue)) - {"os"},
        re.compile(rf"(?i)(?:{schemes}) (?:\Z|[{{%])"),
        classes,
        functions,
        re.compile(rf"(?<!def )\b(?:{'|'.join(sorted(functions))})(?=\s*\()"),
        frozenset(map(str.upper, _variables(catalogue))),
    )


def _variables(catalogue: Catalogue) -> Iterator[str]:
    for provider in catalogue.providers.values():
        for names in (provider.env, provider.env_other, provider.env_base_url, provider.env_reused):
            yield from names
    for sdk in catalogue.sdks.values():
        for names in (sdk.env, sdk.env_base_url, sdk.env_fallback, sdk.env_at_import):
            yield from names
        for limit in (sdk.timeout, sdk.retry):
            yield from limit.env if limit is not None else ()
        for route in sdk.routes:
            yield from (*route.env, *route.env_base_url)
    yield from (item.partition("=")[0] for item in catalogue.http.insecure_env)


def _reading(catalogue: Catalogue) -> Iterator[str]:
    for reader in catalogue.env_access.readers:
        if reader.kind == "env":
            yield from reader.calls
            yield from reader.instances


def _above(name: str) -> Iterable[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name
