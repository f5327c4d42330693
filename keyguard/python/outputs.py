"""Follows values that hold a key to where they are shown: print, logs, exceptions, responses, URLs."""

from __future__ import annotations

from keyguard.python import values as v
from keyguard.python.around import Surroundings, hosts_in
from keyguard.python.index import plain_string, spell
from keyguard.python.keys import QUERY_PARAMETERS, URL_NAME, KeyFinder, is_text
from keyguard.python.tables import is_key_variable
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from keyguard.knowledge import Sink
    from keyguard.python.index import CallUse, Node, Place, Scope
    from keyguard.python.module import Module
    from keyguard.python.values import Value


class Shown(NamedTuple):
    """An expression that shows a key: its kind and name, the sink as code and as data, the node the key was read at."""

    node: Any
    kind: str
    name: str
    where: str
    sink: Sink
    read_at: Any


class OutputFinder:
    """Follows values that hold a key to URLs and to what shows them."""

    def __init__(self, module: Module, near: Surroundings, keys: KeyFinder) -> None:
        """Search one module whose keys were found."""
        self.module, self.near, self.keys = module, near, keys
        self.index, self.evaluator, self.catalogue, self.tables = (
            near.index,
            near.evaluator,
            near.catalogue,
            near.tables,
        )

    def urls(self) -> list[tuple[Node, str]]:
        """Expressions that put a key of a variable into a URL, with the variable's name."""
        found: list[tuple[Node, str]] = []
        for root, parameter, before, value in self.keys.url_parts:
            name = self._url_key(value, parameter, before)
            if name:
                found.append((root, name))
        named = {id(leaf): draft for draft in self.keys.drafts for leaf in draft.leaves}
        for root, leaf in self.keys.url_literals:
            draft = named.get(id(leaf))
            if draft is not None and draft.root is not root and draft.where != "url":
                found.append((root, draft.around.names[0] if draft.around.names else "a literal"))
        self._query_tables(found)
        return found

    def _url_key(self, part: Value, parameter: str, before: str) -> str:
        """The variable whose key goes into a URL; a value nobody knows counts at a host that takes keys so."""
        name = self._key_name(part)
        if name:
            return name
        if isinstance(part, v.Unknown):
            for host in hosts_in(before, bare=False):
                provider = self.catalogue.provider_of_host(host)
                if provider is not None and parameter in provider.auth.query:
                    return part.name or parameter
        return ""

    def _query_tables(self, found: list[tuple[Node, str]]) -> None:
        """Look for keys of variables in `params={"key": …}`."""
        for call in self.index.calls:
            for argument in call.node.args:
                name = argument.keyword.value if argument.keyword is not None else ""
                if name not in QUERY_PARAMETERS or type(argument.value).__name__ != "Dict":
                    continue
                for element in argument.value.elements[:64]:
                    if type(element).__name__ == "DictElement":
                        held = self._query_key(call, element)
                        if held:
                            found.append((element.value, held))

    def _query_key(self, call: CallUse, element: Node) -> str:
        key = plain_string(element.key) or ""
        if key.lower() not in self.tables.query or is_text(element.value):
            return ""
        for value in v.alternatives(self.evaluator.value(element.value, call.place)):
            name = self._key_name(value)
            if name:
                return name
            if isinstance(value, v.Unknown):
                owners = map(self.catalogue.provider_of_host, self.near.hosts_of_call(call.node, call.place))
                if any(owner is not None and key in owner.auth.query for owner in owners):
                    return spell(element.value) or key
        return ""

    def _key_name(self, value: Value) -> str:
        """The name by which a value that holds a key goes; empty when it is not known to hold one."""
        return next((name for kind, name, _ in self._revealed(value) if kind == "key"), "")

    def _revealed(self, value: Value, depth: int = 0) -> Iterator[tuple[str, str, Node]]:  # noqa: C901, PLR0912  # one arm a value
        """Yield what of a value is a key: key, url, environ or settings, a name for it, the node it was read at."""
        if depth > 8:  # noqa: PLR2004  # structures in real output are flat
            return
        if isinstance(value, v.EnvRead):
            for name in value.names:
                if name in self.keys.key_variables or is_key_variable(name, self.catalogue):
                    yield "key", name, value.node
                    return
        elif isinstance(value, v.SecretRead):
            name = value.names[-1] if value.names else ""
            if value.store == "client":
                yield "key", name or "api_key", value.node
            elif any(is_key_variable(item, self.catalogue) for item in value.names):
                yield "key", name, value.node
        elif isinstance(value, v.Text):
            held = next((piece.leaf for piece in value.pieces if id(piece.leaf) in self.keys.holding), None)
            if held is not None:
                yield "key", "", held
        elif isinstance(value, v.Joined):
            before = ""
            for part in value.parts:
                if isinstance(part, v.Text):
                    before = part.text[-60:]
                    yield from self._revealed(part, depth + 1)
                    continue
                in_url = URL_NAME.search(before) is not None
                before = ""
                for kind, name, node in self._revealed(part, depth + 1):
                    yield ("url" if in_url and kind == "key" else kind), name, node
        elif isinstance(value, (v.OneOf, v.Items)):
            for item in value.values if isinstance(value, v.OneOf) else value.items[:64]:
                yield from self._revealed(item, depth + 1)
        elif isinstance(value, v.Table):
            for _, item in value.entries[:64]:
                yield from self._revealed(item, depth + 1)
        elif self.evaluator.holds_environ(value):
            yield "environ", "os.environ", None
        elif isinstance(value, (v.Unknown, v.Reference)):
            tail = value.name.rpartition(".")[2]
            named = isinstance(value, v.Unknown) or "." in value.name
            if tail and named and "_" in tail and self.catalogue.providers_of_env(tail):
                yield "settings", tail, None

    def outputs(self) -> Iterator[Shown]:
        """Yield the expressions that show a key."""
        for call in self.index.calls:
            sink = self._sink(call)
            if sink is not None and not self._to_file(call.node):
                yield from self._shown_by(call, sink)
        if self.tables.raising is not None:
            yield from self._raised(self.tables.raising)
        for use in self.index.returns:
            scope = use.place.scope.function
            view = self._view(scope)
            if view is not None:
                yield from self._shown(use.node, use.place, f"return {scope.name}()", view)
        printing = self.tables.sinks.get("print")
        if printing is not None and self.module.source.cell is not None:
            yield from self._displayed(printing)

    def _raised(self, sink: Sink) -> Iterator[Shown]:
        for use in self.index.raises:
            if type(use.node).__name__ == "Call":
                for argument in use.node.args:
                    yield from self._shown(argument.value, use.place, spell(use.node.func) or "raise", sink)

    def _displayed(self, sink: Sink) -> Iterator[Shown]:
        """What a notebook shows because it is the last expression of a cell."""
        for use in self.index.displays:
            if type(use.node).__name__ in {"Name", "Attribute", "Subscript", "FormattedString"}:
                shown = list(self._shown(use.node, use.place, "Out", sink))
                if shown and self._is_last_of_cell(use.node):
                    yield from shown

    def _shown_by(self, call: CallUse, sink: Sink) -> Iterator[Shown]:
        where = spell(call.node.func) or self.near.callee(call.node, call.place).replace("()", "")
        for argument in call.node.args:
            name = argument.keyword.value if argument.keyword is not None else ""
            if name not in sink.ignored_keywords and (not sink.keywords or name in sink.keywords):
                yield from self._shown(argument.value, call.place, where, sink)

    def _is_last_of_cell(self, node: Node) -> bool:
        span = self.module.span(node)
        source, inner = self.module.place(span)
        return not source.text[inner.end :].strip()

    def _shown(self, node: Node, place: Place, where: str, sink: Sink) -> Iterator[Shown]:
        if type(node).__name__ in {"SimpleString", "Integer", "ConcatenatedString"}:
            return
        for kind, name, read_at in self._revealed(self.evaluator.value(node, place)):
            if kind == "environ" and place.block.fork is not None and any(block.loop for block in place.block.chain()):
                continue  # a loop over the environment that picks what it shows
            if kind == "key" and not name and self._own_literal(node, read_at):
                continue  # the literal itself stands here, and is a finding by itself
            yield Shown(node, kind, name or _label(node), where, sink, read_at)
            return

    def _own_literal(self, node: Node, leaf: Node) -> bool:
        from keyguard.python.module import walk  # noqa: PLC0415  # only for a shown text that holds a key

        return any(item is leaf for item in walk(node))

    def _sink(self, call: CallUse) -> Sink | None:
        func = call.node.func
        if type(func).__name__ not in {"Name", "Attribute"}:
            return None
        callee = self.near.callee(call.node, call.place)
        found = self.tables.sinks.get(callee)
        if found is not None or type(func).__name__ == "Name":
            return found
        named = self.tables.sink_methods.get(func.attr.value)
        tail = spell(func.value).rpartition(".")[2]
        if named is None or not tail:
            return None
        sink = next((sink for sink in named if tail in sink.names), None)
        if sink is None:
            return None
        if callee:  # known by name: only if that name, from wherever it is imported, is the customary one
            return sink if callee.rpartition(".")[0].rpartition(".")[2] == tail else None
        values = v.alternatives(self.evaluator.value(func.value, call.place))
        return None if any(isinstance(value, v.Local) for value in values) else sink

    def _to_file(self, call: Node) -> bool:
        """`print(…, file=f)` shows nothing unless the file is a standard stream."""
        for argument in call.args:
            if argument.keyword is not None and argument.keyword.value == "file":
                return not spell(argument.value).startswith("sys.std")
        return False

    def _view(self, scope: Scope) -> Sink | None:
        """The sink a function's return value reaches through its decorators: a web framework's route."""
        if not scope.decorators or not self.tables.views:
            return None
        for decorator in scope.decorators:
            if type(decorator).__name__ != "Call" or type(decorator.func).__name__ != "Attribute":
                continue
            method, base = decorator.func.attr.value, spell(decorator.func.value).rpartition(".")[2]
            for sink in self.tables.views:
                if method in sink.methods and base in sink.names:
                    return sink
        return None


def _label(node: Node) -> str:
    """Name an expression in a message: a name or attribute as written, else nothing more than what it is."""
    spelled = spell(node)
    if spelled:
        return spelled
    if type(node).__name__ == "Call":
        return (spell(node.func) or "call") + "(…)"
    return "this text"
