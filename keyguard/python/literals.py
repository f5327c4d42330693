"""Asks whether a literal that may be a key stands, or arrives, where its name or a client says that it is one."""

from __future__ import annotations

import ast
from functools import lru_cache

from keyguard.patterns import regex
from keyguard.python.flow import last, literal, written
from keyguard.python.tables import tables_of
from keyguard.secrets.shapes import MayBe, is_credential_name, looks_unknown, may_be_key
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keyguard.catalogue import Catalogue
    from keyguard.python.flow import Flow, Taken, Told

# What turns a text into another one that may be a key, though it is none itself.
_DECODING = frozenset(
    {"b64decode", "standard_b64decode", "urlsafe_b64decode", "decodebytes", "b32decode", "b85decode", "a85decode"}
    | {"b16decode", "a2b_base64", "unhexlify", "a2b_hex", "fromhex", "rot13"}
)
_SHORTEST = 16  # characters of a text that is decoded
_LONGEST = 4_200  # characters of the longest key
_RUN = regex(r"[A-Za-z0-9_.+/=|:-]{16}")
_MOST_FOLDED = 64  # literals that are put together with `+`


class Literals:
    """Does a literal that may be a key arrive where it is known to be one?"""

    sources: tuple[type[ast.AST], ...] = (ast.Constant, ast.BinOp)
    targets: tuple[type[ast.AST], ...] = (
        ast.Constant,
        ast.Call,
        ast.Assign,
        ast.AnnAssign,
        ast.NamedExpr,
        ast.AugAssign,
        ast.Dict,
        ast.BoolOp,
        ast.Compare,
        ast.For,
        ast.AsyncFor,
        ast.comprehension,
        ast.FunctionDef,
        ast.AsyncFunctionDef,
    )
    keyed = False

    def __init__(self, catalogue: Catalogue, *, of_clients: bool = False) -> None:
        """Ask so with a catalogue's shapes, names and clients; `of_clients`, for what only a client makes a key."""
        self._catalogue, self._of_clients = catalogue, of_clients
        self._names, self._callees = _places(catalogue)
        self._clients, self._settings = clients_of(catalogue)
        self._known: dict[str, MayBe] = {}
        self._candidates: set[int] = set()

    def begins(self, node: ast.AST) -> bool:
        """Tell whether an expression is a literal that may be a key."""
        text = self._text(node)
        if not text or _RUN.search(text) is None:
            return False
        if self._of_clients:
            found = len(text) <= _LONGEST and len(text.split()) == 1 and looks_unknown(text.strip(), self._catalogue)
        else:
            found = self._may_be(text) is not MayBe.NEVER
        if found:
            self._candidates.add(id(node))
        return found

    def _may_be(self, text: str) -> MayBe:
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = may_be_key(text, self._catalogue)
        return known

    @staticmethod
    def _text(node: ast.AST) -> str | None:
        if not isinstance(node, ast.BinOp):
            return literal(node)
        parts: list[str] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and len(parts) < _MOST_FOLDED:
            parts.append(literal(node.right) or "")
            node = node.left
        return "".join((literal(node) or "", *reversed(parts))) if any(parts) else None

    def is_cut(self, node: ast.Call | ast.Subscript) -> bool:  # noqa: ARG002  # other questions look
        """Nothing of the kind ends anywhere."""
        return False

    def taken_from(self, node: ast.Attribute | ast.Subscript | ast.Call) -> Taken | None:  # noqa: ARG002  # as above
        """A part is made from all that the whole is made from."""
        return None

    def arrives(self, node: ast.AST, flow: Flow) -> Iterator[set[str]]:
        """Yield what is given a credential's name, or to a client as its key."""
        if self._of_clients:
            yield from self._to_client(node, flow)
        elif isinstance(node, ast.Constant):
            if id(node) in self._candidates and self._may_be(literal(node) or "") is MayBe.ALWAYS:
                yield {""}
        elif isinstance(node, ast.Call):
            yield from self._given(node, flow)
        elif isinstance(node, (ast.BoolOp, ast.Compare)):
            yield from self._beside(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from self._of_function(node, flow)
        else:
            yield from self._named(node, flow)

    def _to_client(self, node: ast.AST, flow: Flow) -> Iterator[set[str]]:
        if isinstance(node, ast.Call):
            if written(last(node.func)) in self._clients:
                yield self._all(flow, *node.args, *(keyword.value for keyword in node.keywords))
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Attribute) and target.attr in self._settings for target in targets):
                yield self._all(flow, node.value)

    def _named(self, node: ast.AST, flow: Flow) -> Iterator[set[str]]:
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if node.value is not None and any(self._is_named(target) for target in targets):
                yield self._all(flow, node.value)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            if self._is_named(node.target):
                yield self._all(flow, node.iter)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if key is not None and self._is_key(key):
                    yield self._all(flow, value)

    def _given(self, node: ast.Call, flow: Flow) -> Iterator[set[str]]:
        name = written(last(node.func))
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        # A variable's name among the arguments: what is read under it unless there is none, or written.
        if name in self._callees or any(self._is_key(item) for item in values if isinstance(item, ast.Constant)):
            yield self._all(flow, *values)
            return
        if name in _DECODING and any(len(literal(item) or "") >= _SHORTEST for item in values):
            yield {""}
        for keyword in node.keywords:
            if keyword.arg is None or self._is_credential(keyword.arg):
                yield self._all(flow, keyword.value)

    def _beside(self, node: ast.BoolOp | ast.Compare) -> Iterator[set[str]]:
        """What stands in for another value, or is compared with one: a variable that is read may be of any name."""
        operands = node.values if isinstance(node, ast.BoolOp) else [node.left, *node.comparators]
        if any(id(part) in self._candidates for item in operands for part in ast.walk(item)):
            yield {""}

    def _of_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, flow: Flow) -> Iterator[set[str]]:
        given = node.args
        places = (*zip(reversed((*given.posonlyargs, *given.args)), reversed(given.defaults), strict=False),)
        for parameter, default in (*places, *zip(given.kwonlyargs, given.kw_defaults, strict=True)):
            if default is not None and self._is_credential(written(parameter.arg)):
                yield self._all(flow, default)
        if self._is_credential(node.name):
            yield self._all(flow, *flow.returns_of(node))

    def _all(self, flow: Flow, *nodes: ast.AST) -> set[str]:
        """What expressions are made from, or hold anywhere."""
        held = any(id(part) in self._candidates for node in nodes for part in ast.walk(node))
        return {""} if held else flow.made_from(*nodes)

    def _is_named(self, target: ast.AST) -> bool:
        for part in ast.walk(target):
            name = part.attr if isinstance(part, ast.Attribute) else part.id if isinstance(part, ast.Name) else ""
            if name and self._is_credential(written(name)):
                return True
            if isinstance(part, ast.Subscript) and self._is_key(part.slice):
                return True
        return False

    def _is_key(self, node: ast.AST) -> bool:
        """Tell whether a key of a mapping is a credential's name; of what is no literal, nobody knows."""
        text = literal(node)
        return self._is_credential(text) if text is not None else not isinstance(node, (ast.Constant, ast.Slice))

    def _is_credential(self, name: str) -> bool:
        return name in self._names or is_credential_name(name, self._catalogue)


def gives_to_clients(told: Told, catalogue: Catalogue) -> bool:
    """Tell whether a module calls what takes a key, or sets an attribute that is one."""
    clients, settings = clients_of(catalogue)
    return any(written(last(node.func)) in clients for node in told.of(ast.Call)) or any(
        isinstance(node.ctx, ast.Store) and node.attr in settings for node in told.of(ast.Attribute)
    )


@lru_cache(maxsize=4)
def _places(catalogue: Catalogue) -> tuple[frozenset[str], frozenset[str]]:
    """The parameters that are given keys, and the last parts of the names of what is given one by position."""
    tables = tables_of(catalogue)
    names = {name.rpartition(".")[2] for client in tables.clients.values() for name in client.key_params}
    callees = [name for name, client in tables.clients.items() if client.key_position is not None]
    callees += [name for name, http in tables.http.items() if http.headers_position is not None]
    return frozenset(names), frozenset(name.rpartition(".")[2] for name in (*callees, *tables.writers))


@lru_cache(maxsize=4)
def clients_of(catalogue: Catalogue) -> tuple[frozenset[str], frozenset[str]]:
    """The last parts of the names of what is given a key, and of the attributes of modules that are."""
    tables = tables_of(catalogue)
    takes = {name for name, client in tables.clients.items() if client.key_params or client.key_position is not None}
    return _lasts(takes), _lasts(tables.settings)


def _lasts(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.rpartition(".")[2] for name in names)
