"""Turns the connections of a module into rows of the inventory: places for nodes, names for values, never a key."""

from __future__ import annotations

from typing import TypeVar

from keyguard.inventory import NOBODY, KeySource, Peer, Row, Wait
from keyguard.python import values as v
from keyguard.python.arguments import names_read
from keyguard.python.hosts import route_of
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from keyguard.knowledge import Route
    from keyguard.model import Finding, Span
    from keyguard.python.arguments import Given
    from keyguard.python.index import Node
    from keyguard.python.module import Module
    from keyguard.python.network import Attempts, Connection, Host, Limit, ModelCall, Network

T = TypeVar("T")

_MOST_MODELS = 32
_MOST_NAMES = 8
_LONG = 20  # characters: a shorter text is a key only if it looks random


class Draft(NamedTuple):
    """A row with the spans, by cell, of everything that belongs to it: findings there are its problems."""

    row: Row
    spans: tuple[tuple[int | None, Span], ...]
    lines: tuple[tuple[int | None, int], ...]


def drafts_of(network: Network, module: Module, clean: Callable[[str], str]) -> list[Draft]:
    """Give the rows of a module in source order; `clean` takes whatever may be a key out of a text."""
    return _Drafting(network, module, clean).drafts()


def rows_with_problems(drafts: Iterable[Draft], findings: Sequence[Finding]) -> tuple[Row, ...]:
    """Give the rows with the rules that report at them: inside of them, or about them elsewhere."""
    return tuple(
        draft.row._replace(problems=tuple(sorted({one.rule for one in findings if _concerns(one, draft)})))
        for draft in drafts
    )


def _concerns(finding: Finding, draft: Draft) -> bool:
    if any(cell == finding.cell and span.overlaps(finding.span) for cell, span in draft.spans):
        return True
    places = {(related.cell, related.line) for related in finding.related if related.path == draft.row.path}
    return not places.isdisjoint(draft.lines)


class _Drafting:
    def __init__(self, network: Network, module: Module, clean: Callable[[str], str]) -> None:
        self.network, self.module, self.clean = network, module, clean
        self.catalogue = network.catalogue
        self.spans = module.spans(
            [
                *(item.node for item in network.connections if item.node is not None),
                *(call.node for call in network.calls),
            ]
        )

    def drafts(self) -> list[Draft]:
        found = [self._draft(item) for item in self.network.connections if item.node is not None]
        elsewhere: dict[str, list[ModelCall]] = {}
        for call in self.network.calls:
            if call.connection is None:
                elsewhere.setdefault(call.sdk.id if call.sdk is not None else "", []).append(call)
        found += [self._elsewhere(library, calls) for library, calls in elsewhere.items()]
        return sorted(found, key=lambda draft: (draft.row.cell or 0, draft.row.line, draft.row.column, draft.row.name))

    def _place(self, node: Node) -> tuple[str, int | None, int, int, Span]:
        source, span = self.module.place(self.spans[id(node)])
        line, column = source.position(span.start)
        return source.path, source.cell, line, column, span

    def _made(self, nodes: Iterable[Node], row: Row) -> Draft:
        """Put a row in its place: that of the first node, the others being its calls."""
        places = [self._place(node) for node in nodes]
        path, cell, line, column, _ = places[0]
        lines = tuple(sorted({(place[1], place[2]) for place in places}, key=lambda item: (item[0] or 0, item[1])))
        return Draft(
            row._replace(path=path, cell=cell, line=line, column=column),
            tuple((place[1], place[4]) for place in places),
            lines,
        )

    def _draft(self, item: Connection) -> Draft:
        calls = [call.node for call in item.calls if call.node is not item.node]
        row = Row(
            "",
            0,
            0,
            None,
            kind="http" if item.http is not None else "sdk",
            name=item.name.replace("()", ""),
            library=item.http.http.id if item.http is not None else item.sdk.id if item.sdk is not None else "",
            peers=self._peers(item),
            base_names=self._names(names_read(item.base.value)) if item.base is not None else (),
            key=self._key(item),
            models=self._models(item.calls),
            waits=_waits(item.timeout, item.calls),
            attempts=_attempts(item.attempts, item.calls),
            calls=self._lines(item.calls),
            is_async=item.is_async,
        )
        return self._made([item.node, *calls], row)

    def _elsewhere(self, library: str, calls: list[ModelCall]) -> Draft:
        row = Row(
            "",
            0,
            0,
            None,
            kind="elsewhere",
            name=calls[0].method.replace("()", ""),
            library=library,
            models=self._models(calls),
            waits=_distinct(_wait(call.timeout) for call in calls),
            attempts=_distinct(call.attempts.total for call in calls),
            calls=self._lines(calls),
            is_async=any(call.is_async for call in calls),
        )
        return self._made([call.node for call in calls], row)

    def _lines(self, calls: Iterable[ModelCall]) -> tuple[tuple[int | None, int], ...]:
        return _distinct(self._place(call.node)[1:3] for call in calls)

    def _models(self, calls: Iterable[ModelCall]) -> tuple[str, ...]:
        found = dict.fromkeys(model for call in calls for model in call.models if model)
        return tuple(self.clean(model) for model in list(found)[:_MOST_MODELS])

    def _names(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.clean(name) for name in list(names)[:_MOST_NAMES]))

    # whom it talks to

    def _peers(self, item: Connection) -> tuple[Peer, ...]:
        if item.hosts:
            return _distinct(self._peer(host) for host in item.hosts)
        routed = _distinct(self._routes(item))
        if routed:
            return routed
        client = item.client
        known = item.base is None and item.arguments is not None and client is not None
        if known and client is not None and item.arguments is not None and client.provider is not None:
            provider = self.catalogue.providers.get(client.provider)
            if provider is not None and not item.arguments.is_hidden(client.base_params):
                return (Peer("", provider.id, route_of(provider), "default"),)
        return (NOBODY,)

    def _peer(self, host: Host) -> Peer:
        name = self.clean(host.name.replace("{}", "*"))
        return Peer(name, host.provider.id if host.provider is not None else None, host.route, host.origin)

    def _routes(self, item: Connection) -> Iterator[Peer]:
        """The providers that an SDK for many of them chooses by the names of models."""
        routes = self._routes_of(item) if item.base is None else ()
        for model in item.models:
            route = _route_for(model, routes)
            provider = self.catalogue.providers.get(route.provider or "") if route is not None else None
            if provider is not None:
                yield Peer("", provider.id, route_of(provider), "default")

    def _routes_of(self, item: Connection) -> tuple[Route, ...]:
        if item.sdk is None:
            return ()
        other = self.catalogue.sdks.get(item.sdk.routes_of or "")
        return item.sdk.routes or (other.routes if other is not None else ())

    # where its key comes from

    def _key(self, item: Connection) -> KeySource:
        if item.http is not None:
            return self._raw_key(item)
        if item.key is not None:
            return self._source(item.key.value, item.key_names)
        client = item.client
        if client is not None and item.arguments is not None and item.arguments.is_hidden(client.key_params):
            return KeySource()
        routes = self._routes_of(item)
        names = [name for model in item.models if (route := _route_for(model, routes)) for name in route.env]
        implied = names or item.implied
        if implied:
            return KeySource("variable", self._names(implied), implied=True)
        return KeySource("unknown" if routes else "none")

    def _source(self, value: v.Value, names: Iterable[str]) -> KeySource:
        kinds: dict[str, tuple[str, ...]] = {}
        for one in v.alternatives(value):
            item = one.value if isinstance(one, v.Sealed) else one
            if isinstance(item, v.Text) and item.text.strip():
                kinds["literal" if self._may_be_key(item.text.strip()) else "placeholder"] = ()
            elif isinstance(item, v.SecretRead):
                kinds["store"] = self._names(item.names)
            elif isinstance(item, v.Joined):
                kinds["unknown"] = ()
        variables = self._names(names)
        if variables:
            kinds["variable"] = variables
        for kind in ("literal", "variable", "store", "placeholder"):
            if kind in kinds:
                return KeySource(kind, kinds[kind], optional=kind == "variable" and _steps_in(value))
        return KeySource("none" if isinstance(value, (v.Null, v.Unset)) else "unknown")

    def _may_be_key(self, text: str) -> bool:
        """Tell a key from the word that stands for one: servers on one's own machine take anything."""
        from keyguard.secrets.placeholders import is_placeholder, looks_random  # noqa: PLC0415  # for an inventory only

        known = any(text == item.value for item in self.catalogue.placeholders.local)
        return not known and not is_placeholder(text, self.catalogue) and (len(text) >= _LONG or looks_random(text))

    def _raw_key(self, item: Connection) -> KeySource:
        """The key of a raw request travels in a header, a parameter or the URL."""
        if item.key_names:
            return KeySource("variable", self._names(item.key_names))
        if item.http is None or not item.http.carries_key:
            return KeySource("none" if item.key is None or _is_readable(item.key) else "unknown")
        words = {name.lower().replace("_", "-") for name in self.catalogue.words.headers}
        for table in v.alternatives(item.key.value) if item.key is not None else ():
            for name, value in table.entries if isinstance(table, v.Table) else ():
                if isinstance(name, v.Text) and name.text.lower().replace("_", "-") in words:
                    found = self._source(value, ())
                    if found.kind != "unknown" or isinstance(value, v.Text):
                        return found
        return KeySource()


def _steps_in(value: v.Value) -> bool:
    """Tell whether a value that is read from variables may be something else when none of them is set."""
    for one in v.alternatives(value):
        item = one.value if isinstance(one, v.Sealed) else one
        if isinstance(item, v.EnvRead):
            default = item.default
            if default is not None and not isinstance(default, v.Null) and not _is_empty(default):
                return True
        elif not isinstance(item, (v.Null, v.Unset, v.Joined)) and not _is_empty(item):
            return True
    return False


def _is_empty(value: v.Value) -> bool:
    return isinstance(value, v.Text) and not value.text.strip()


def _is_readable(given: Given) -> bool:
    return all(isinstance(item, (v.Table, v.Null)) and getattr(item, "complete", True) for item in _all(given))


def _all(given: Given) -> tuple[v.Value, ...]:
    return v.alternatives(given.value)


def _route_for(model: str, routes: Sequence[Route]) -> Route | None:
    fitting = [route for route in routes if model.startswith(route.prefix)]
    return max(fitting, key=lambda route: len(route.prefix), default=None)


def _wait(limit: Limit) -> Wait:
    if not limit.is_known:
        return Wait("unknown", None, limit.origin)
    return Wait("none" if limit.seconds is None else "limited", limit.seconds, limit.origin)


def _waits(own: Limit, calls: Sequence[ModelCall]) -> tuple[Wait, ...]:
    """What holds for the calls; for a client without a call here, what it sets."""
    return _distinct([_wait(call.timeout) for call in calls] or [_wait(own)])


def _attempts(own: Attempts, calls: Sequence[ModelCall]) -> tuple[int | None, ...]:
    return _distinct([call.attempts.total for call in calls] or [own.total])


def _distinct(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
