"""What the checks see of a Python module: keys with the place they stand in, and values with a key that are shown or put in URLs."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from keyguard.model import Span
from keyguard.python import values as v
from keyguard.python.index import Place, Role, flatten, index, plain_string, spell
from keyguard.python.module import Module, ParseFailure, comments, parse, parse_parts
from keyguard.secrets.placeholders import is_placeholder, looks_random
from keyguard.secrets.shapes import Context, keys_in_text, keys_in_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keyguard.catalogue import Catalogue, Constructor, HttpClient, OptionDefiner, Provider, Sdk, Sink, Writer
    from keyguard.python.index import CallUse, Index, Node, Scope, Use
    from keyguard.python.project import Project
    from keyguard.python.values import Evaluator, Text, Value
    from keyguard.secrets.shapes import KeyMatch
    from keyguard.source import SourceFile

SHORTEST_KEY = 16  # characters: shorter than any key of the catalogue
LONG_TEXT = 200  # characters: in a longer literal, or one of several lines, a finding points at the key itself
UNKNOWN_KEY = 20  # characters a literal of no known shape must have to be taken for a key (rule KG101)
_RUN = re.compile(r"[A-Za-z0-9_.+/=|:-]{%d}" % SHORTEST_KEY)
_HOST = re.compile(r"\b(?:https?|wss?)://(?:[^/\s@\"'<>{}]{1,200}@)?([A-Za-z0-9.-]{1,253}(?::\d{1,5})?)")
_URL_NAME = re.compile(r"[?&]([A-Za-z0-9_-]{1,40})=[ ]?$")
_USER_PART = re.compile(r"[a-z][a-z0-9+.-]{1,15}://(?:[^/\s@:\"']{0,80}:)?$")
_CREDENTIAL = re.compile(r"key|token|secret|auth|bearer|credential|passw|^[as]k$|_[as]k$|header|cookie", re.IGNORECASE)
_DOUBLE_STAR = -2  # the position of a role that is a call's `**mapping`
_ADDRESS = re.compile(r"url|base|host|endpoint|server|address|api_type|domain|proxy", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key that stands in the module as text.

    `where` is code, comment, docstring, url, env-default, parameter, option or field; `form` is literal, pieces,
    encoded or env-name. `name` is what the default belongs to, or what is given the key; `names` are all names it goes by,
    inside out. `expression` is the span of the whole expression the key is made by, for who wants to replace it. `known` is
    False for a text of no known shape that an SDK is given as its key; `restricted` marks keys that are often public.
    """

    span: Span
    value: str
    where: str
    form: str
    match: KeyMatch | None
    provider: str | None
    names: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    env: str | None = None
    name: str = ""
    expression: Span | None = None
    pieces: tuple[Span, ...] = ()
    known: bool = True
    restricted: bool = False

    @property
    def public(self) -> bool:
        """Tell whether it is a published example key."""
        return self.match is not None and self.match.case == "public-example"


@dataclass(frozen=True, slots=True)
class UrlKey:
    """A value that holds a key and becomes part of a URL; `name` is the variable it is read from."""

    span: Span
    name: str


@dataclass(frozen=True, slots=True)
class Output:
    """A value that holds a key and reaches a sink; `kind` is key, url, environ or settings, `where` the sink as code."""

    span: Span
    name: str
    kind: str
    where: str
    sink: str
    source: Span | None = None


@dataclass(frozen=True, slots=True)
class PythonFacts:
    """Facts about one file, or about the code cells of one notebook; spans are offsets of `module.text`."""

    module: Module
    index: Index
    evaluator: Evaluator
    catalogue: Catalogue
    keys: tuple[KeyText, ...]
    url_keys: tuple[UrlKey, ...]
    outputs: tuple[Output, ...]
    hosts: tuple[str, ...] = ()

    @property
    def source(self) -> SourceFile:
        """The file, or the notebook's first cell."""
        return self.module.source

    def place(self, span: Span) -> tuple[SourceFile, Span]:
        """The cell (or file) a span lies in and where it lies there."""
        return self.module.place(span)


def read_module(source: SourceFile, catalogue: Catalogue, project: Project | None = None) -> PythonFacts | ParseFailure:
    """Read one Python file into facts; a text that cannot be parsed gives the reason instead."""
    return _facts(parse(source), catalogue, project)


def read_cells(
    parts: Sequence[SourceFile], catalogue: Catalogue, project: Project | None = None
) -> PythonFacts | ParseFailure:
    """Read the code cells of one notebook, in order, as one module: names of earlier cells are seen in later ones.

    Spans are offsets of the joined text; `PythonFacts.place` leads back to a cell. A cell that does not parse fails them all:
    read the cells before and after it on their own then.
    """
    return _facts(parse_parts(parts), catalogue, project)


def _facts(module: Module | ParseFailure, catalogue: Catalogue, project: Project | None) -> PythonFacts | ParseFailure:
    if isinstance(module, ParseFailure):
        return module
    here = project.at(module.source.path) if project is not None else None
    found = index(module, here.name if here else "", is_package=here.is_package if here else False)
    evaluator = v.Evaluator(found, catalogue, here)
    return _Reader(module, found, evaluator, catalogue).read()


# The tables the catalogue gives -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Client:
    """A callable that takes a key: an SDK's class or call."""

    sdk: Sdk
    key_params: tuple[str, ...]
    key_position: int | None
    base_params: tuple[str, ...]
    env: tuple[str, ...]
    provider: str | None
    base_default: str | None


@dataclass(frozen=True, slots=True)
class _Tables:
    clients: Mapping[str, _Client]
    settings: Mapping[str, Sdk]
    http: Mapping[str, HttpClient]
    writers: Mapping[str, Writer]
    write_subscripts: Mapping[str, Writer]
    write_mappings: Mapping[str, Writer]
    options: Mapping[str, OptionDefiner]
    option_methods: Mapping[str, OptionDefiner]
    sinks: Mapping[str, Sink]
    sink_methods: Mapping[str, tuple[Sink, ...]]
    raising: Sink | None
    views: tuple[Sink, ...]
    query: frozenset[str]
    headers: frozenset[str]
    not_secret: tuple[str, ...]
    words: frozenset[str]


@functools.lru_cache(maxsize=4)  # one table a catalogue, and a run has one catalogue
def _tables(catalogue: Catalogue) -> _Tables:
    clients: dict[str, _Client] = {}
    settings: dict[str, Sdk] = {}
    for sdk in catalogue.sdks.values():
        for made in sdk.constructors:
            clients.setdefault(made.name, _constructor(sdk, made))
        for call in sdk.calls:
            clients.setdefault(
                call.name,
                _Client(sdk, call.key_params, None, call.base_url_params, sdk.env, call.provider or sdk.provider, None),
            )
        for name in sdk.settings:
            settings.setdefault(name, sdk)
    http: dict[str, HttpClient] = {}
    for client in catalogue.http_clients:
        for name in client.calls:
            http.setdefault(name, client)
        for session in client.sessions:
            http.setdefault(session, client)
            for method in client.methods:
                http.setdefault(f"{session}().{method}", client)
    env = catalogue.env_access
    sinks: dict[str, Sink] = {}
    methods: dict[str, list[Sink]] = {}
    raising = None
    views: list[Sink] = []
    for sink in catalogue.sinks.sinks:
        if sink.returned:
            views.append(sink)
            continue
        if sink.raises:
            raising = sink
        for name in sink.calls:
            sinks.setdefault(name, sink)
        for name in (*sink.instances, *sink.factories):
            for method in sink.methods:
                sinks.setdefault(f"{name}.{method}", sink)
                sinks.setdefault(f"{name}().{method}", sink)
        if sink.names:
            for method in sink.methods:
                methods.setdefault(method, []).append(sink)
    words = frozenset(
        word.replace(" ", "_").replace("-", "_") for item in catalogue.providers.values() for word in (*item.words, item.id)
    )
    return _Tables(
        clients,
        settings,
        http,
        {name: writer for writer in env.writers for name in writer.calls},
        {name: writer for writer in env.writers for name in writer.subscripts},
        {name: writer for writer in env.writers for name in writer.mapping_calls},
        {name: option for option in env.options for name in option.calls},
        {name: option for option in env.options for name in option.methods},
        sinks,
        {name: tuple(found) for name, found in methods.items()},
        raising,
        tuple(views),
        frozenset(catalogue.words.query),
        frozenset(catalogue.words.headers),
        catalogue.words.not_secret,
        words,
    )


def _constructor(sdk: Sdk, made: Constructor) -> _Client:
    return _Client(
        sdk,
        sdk.key_params if made.key_params is None else made.key_params,
        sdk.key_position if made.key_position is None else made.key_position,
        sdk.base_url_params if made.base_url_params is None else made.base_url_params,
        sdk.env if made.env is None else made.env,
        made.provider or sdk.provider,
        sdk.base_url_default if made.base_url_default is None else made.base_url_default,
    )


def is_key_variable(name: str, catalogue: Catalogue) -> bool:
    """Tell whether an environment variable of this name holds a model-API key: a provider's own, or one named like it."""
    if catalogue.providers_of_env(name):
        return True
    tables = _tables(catalogue)
    lowered = name.lower()
    if lowered.endswith(tables.not_secret):
        return False
    if lowered in {"api_key", "apikey"} or lowered.endswith(("_api_key", "_apikey", "_api_keys", "_api_token")):
        return True
    parts = lowered.split("_")
    return parts[-1] in {"key", "keys", "token", "secret"} and any(part in tables.words for part in parts[:-1])


# From index to facts ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Around:
    """What is known around a text: names inside out, hosts near first, the variable and the client it belongs to."""

    names: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    env: str | None = None
    client: _Client | None = None
    is_key: bool = False
    given_to: str = ""

    def merged(self, others: Iterable[_Around]) -> _Around:
        """This and what other uses of the same text tell, nearest first."""
        names, hosts = list(self.names), list(self.hosts)
        env, client, is_key, given_to = self.env, self.client, self.is_key, self.given_to
        for other in others:
            names.extend(name for name in other.names if name not in names)
            hosts.extend(host for host in other.hosts if host not in hosts)
            env = env or other.env
            client = client or other.client
            given_to = given_to or other.given_to
            is_key = is_key or other.is_key
        return _Around(tuple(names), tuple(hosts), env, client, is_key, given_to)


@dataclass(slots=True)
class _Draft:
    """A key found, before its span is known."""

    node: Node  # what the finding points at
    inner: tuple[int, int] | None  # a range of the node's source, when only that is meant
    value: str
    where: str
    form: str
    match: KeyMatch | None
    around: _Around
    name: str
    root: Node
    leaves: tuple[Node, ...]
    known: bool = True


class _Reader:
    """Turns one module's index into facts; every question to the evaluator is bounded, so the whole is linear."""

    def __init__(self, module: Module, found: Index, evaluator: Evaluator, catalogue: Catalogue) -> None:
        self.module, self.index, self.evaluator, self.catalogue = module, found, evaluator, catalogue
        self.tables = _tables(catalogue)
        self.callees: dict[int, str] = {}
        self.calls: dict[int, CallUse] = {id(call.node): call for call in found.calls}
        self.flows: dict[int, list[_Around]] = {}
        self.scope_hosts: dict[int, tuple[str, ...]] = {}
        self.drafts: list[_Draft] = []
        self.covered: set[int] = set()  # literals that are pieces of a key found in what they build
        self.holding: set[int] = set()  # literals that hold a key
        self.call_hosts: dict[int, tuple[str, ...]] = {}
        self.key_variables: set[str] = set()  # variables that are given to a client as its key here
        self.url_literals: list[tuple[Node, Node]] = []  # an expression that makes a URL, and a literal it puts there

    def read(self) -> PythonFacts:
        self.find_hosts()
        self.follow()
        url_drafts: list[tuple[Node, str]] = []
        for use in self.index.composites:
            self.composite(use, url_drafts)
        for use in self.index.strings:
            self.literal(use)
        self.unknown_keys()
        named = {id(leaf): draft for draft in self.drafts for leaf in draft.leaves}
        for root, leaf in self.url_literals:
            draft = named.get(id(leaf))
            if draft is not None and draft.root is not root and draft.where != "url":
                url_drafts.append((root, draft.around.names[0] if draft.around.names else "a literal"))
        self.query_tables(url_drafts)
        output_drafts = list(self.outputs())
        return self.place(url_drafts, output_drafts)

    # hosts

    def find_hosts(self) -> None:
        """Note the hosts that each function, class and the module name in literals."""
        found: dict[int, list[str]] = {}
        for use in self.index.strings:
            if use.role.kind == "docstring":
                continue
            for leaf in _leaves(use.node):
                raw = leaf.value
                if "://" in raw:
                    hosts = [match[1].lower() for match in _HOST.finditer(raw[:4096])]
                    found.setdefault(id(use.place.scope.function), []).extend(hosts)
        self.scope_hosts = {key: tuple(dict.fromkeys(hosts)) for key, hosts in found.items()}

    def hosts_at(self, place: Place) -> tuple[str, ...]:
        """The hosts named in the nearest scope that names any; the module's only when they agree on whose they are."""
        scope: Scope | None = place.scope.function
        while scope is not None:
            hosts = self.scope_hosts.get(id(scope))
            if hosts:
                owners = {provider.id for host in hosts if (provider := self.catalogue.provider_of_host(host)) is not None}
                return hosts if len(owners) <= 1 else ()
            scope = scope.parent
        return ()

    def hosts_of_call(self, call: Node, place: Place) -> tuple[str, ...]:
        """The hosts that the arguments of a call name."""
        known = self.call_hosts.get(id(call))
        if known is not None:
            return known
        self.call_hosts[id(call)] = ()
        callee = self.callee(call, place)
        client = self.tables.clients.get(callee)
        hosts: list[str] = []
        position = 0
        for argument in call.args:
            name = argument.keyword.value if argument.keyword is not None else ""
            wanted = bool(_ADDRESS.search(name)) if name else position < 3 and not argument.star  # noqa: PLR2004  # method, url, body
            if argument.keyword is None:
                position += 1
            if wanted or (client is not None and name in client.base_params):
                for value in v.alternatives(self.evaluator.value(argument.value, place)):
                    hosts.extend(_hosts(v.show(value), bare=bool(name)))
        if not hosts and client is not None and client.base_default and not any(
            argument.keyword is not None and argument.keyword.value in client.base_params for argument in call.args
        ):
            hosts.extend(_hosts(client.base_default, bare=True))
        if not hosts and callee.count("().") == 1:
            base = self.receiver(call, place)
            if base is not None and base.node is not None and base.place is not None:
                hosts.extend(self.hosts_of_call(base.node, base.place))
        self.call_hosts[id(call)] = tuple(dict.fromkeys(hosts))
        return self.call_hosts[id(call)]

    def receiver(self, call: Node, place: Place) -> v.Instance | None:
        node = call.func
        while type(node).__name__ == "Attribute":
            node = node.value
        value = self.evaluator.value(node, place)
        return value if isinstance(value, v.Instance) else None

    def callee(self, call: Node, place: Place) -> str:
        name = self.callees.get(id(call))
        if name is None:
            name = self.callees[id(call)] = self.evaluator.name(call.func, place)
        return name

    # context

    def around(self, role: Role, place: Place) -> _Around:
        """What the roles of an expression tell: names inside out, and whose it is."""
        names: list[str] = []
        hosts: tuple[str, ...] = ()
        env = None
        client: _Client | None = None
        is_key = False
        given_to = ""
        for item in role.up():
            names.extend(name for name in item.names if name and name not in names)
            if item.kind == "argument" and item.node is not None:
                call = item.node
                callee = self.callee(call, place)
                found = self.tables.clients.get(callee)
                if found is not None:
                    client = client or found
                    if item.position == _DOUBLE_STAR and names and names[0] in found.key_params:
                        is_key, given_to = True, given_to or spell(call.func) or callee
                    if self.is_key_argument(found, item):
                        is_key = True
                        given_to = given_to or spell(call.func) or callee
                        if not item.names:
                            names.append(found.key_params[0] if found.key_params else "api_key")
                hosts = hosts or self.hosts_of_call(call, place)
                env = env or self.written_name(callee, call, item, place) or self.read_name(callee, call, item, place)
            elif item.kind == "dict-value" and item.node is not None:
                hosts = hosts or self.hosts_of_table(item.node)
            elif item.kind == "subscript-assign" and item.node is not None:
                env = env or self.subscript_env(item.node, place)
            elif item.kind == "attribute" and item.node is not None:
                sdk = self.setting(item.node, place)
                if sdk is not None:
                    is_key = True
                    client = client or _Client(sdk, (), None, (), sdk.env, sdk.provider, None)
                    given_to = given_to or spell(item.node.targets[0].target)
            elif item.kind == "fallback" and item.node is not None:
                names.extend(name for name in self.env_of_left(item.node, place) if name not in names)
        if env is None:
            env = next((name for name in names if self.catalogue.providers_of_env(name)), None)
        elif env not in names:
            names.insert(0, env)
        return _Around(tuple(names), hosts or self.hosts_at(place), env, client, is_key, given_to)

    def is_key_argument(self, client: _Client, role: Role) -> bool:
        if role.names:
            return role.names[0] in client.key_params
        return role.position is not None and role.position == client.key_position

    def written_name(self, callee: str, call: Node, role: Role, place: Place) -> str | None:
        """The variable that a call such as `os.putenv("X", …)` writes."""
        writer = self.tables.writers.get(callee)
        if writer is None:
            return None
        name = _argument(call, writer.name_position, writer.name_keywords)
        return self.text_of(name, place) if name is not None and name is not role.node else None

    def read_name(self, callee: str, call: Node, role: Role, place: Place) -> str | None:
        """The variable that a call such as `os.getenv("X", …)` reads, when the role is its default."""
        reader = self.evaluator.access.calls.get(callee)
        if reader is None or not _is_argument(role, reader.default_position, reader.default_keywords):
            return None
        name = _argument(call, reader.name_position, reader.name_keywords)
        return self.text_of(name, place) if name is not None else None

    def subscript_env(self, statement: Node, place: Place) -> str | None:
        target = statement.targets[0].target
        if self.evaluator.name(target.value, place) not in self.tables.write_subscripts:
            return None
        part = target.slice[0].slice
        return self.text_of(part.value, place) if type(part).__name__ == "Index" else None

    def setting(self, statement: Node, place: Place) -> Sdk | None:
        target = statement.targets[0].target if hasattr(statement, "targets") else statement.target
        if type(target).__name__ != "Attribute":
            return None
        base = self.evaluator.name(target.value, place)
        return self.tables.settings.get(f"{base}.{target.attr.value}") if base else None

    def env_of_left(self, node: Node, place: Place) -> tuple[str, ...]:
        """The variables read on the left of an `or`."""
        return tuple(
            name
            for item in v.alternatives(self.evaluator.value(node.left, place))
            if isinstance(item, v.EnvRead)
            for name in item.names
        )

    def text_of(self, node: Node, place: Place) -> str | None:
        value = self.evaluator.value(node, place)
        return value.text if isinstance(value, v.Text) else None

    def hosts_of_table(self, node: Node) -> tuple[str, ...]:
        hosts: list[str] = []
        if type(node).__name__ != "Dict":
            return ()
        for element in node.elements[:64]:
            if type(element).__name__ == "DictElement":
                key, text = plain_string(element.key), plain_string(element.value)
                if key and text and _ADDRESS.search(key):
                    hosts.extend(_hosts(text, bare=False))
        return tuple(hosts)

    # where texts flow

    def follow(self) -> None:
        """Note for every literal what the places tell to which names carry it."""
        for call in self.index.calls:
            callee = self.callee(call.node, call.place)
            client = self.tables.clients.get(callee)
            writer = self.tables.writers.get(callee)
            http = self.tables.http.get(callee)
            position = 0
            for argument in call.node.args:
                name = argument.keyword.value if argument.keyword is not None else ""
                here = None if name or argument.star else position
                position += here is not None
                if _is_text(argument.value):
                    continue
                if argument.star:
                    wanted = client is not None
                elif name:
                    wanted = bool(_CREDENTIAL.search(name)) or (client is not None and name in client.key_params)
                else:
                    wanted = writer is not None or (client is not None and here == client.key_position)
                    wanted = wanted or (http is not None and here == http.headers_position)
                if wanted:
                    role = Role("argument", call.role, call.node, (name,) if name else (), here)
                    self.flow(argument.value, role, call.place)
                    if client is not None and self.is_key_argument(client, role):
                        for value in v.alternatives(self.evaluator.value(argument.value, call.place)):
                            self.key_variables.update(value.names if isinstance(value, v.EnvRead) else ())
        for write in self.index.writes:
            if _is_text(write.node):
                continue
            kind = type(write.target).__name__
            names = _names_of(write.target)
            if any(_CREDENTIAL.search(name) for name in names) or kind == "Subscript":
                role_kind = {"Attribute": "attribute", "Subscript": "subscript-assign"}.get(kind, "assign")
                if role_kind == "subscript-assign" and type(write.statement).__name__ != "Assign":
                    role_kind = "assign"
                self.flow(write.node, Role(role_kind, None, write.statement, names), write.place)

    def flow(self, node: Node, role: Role, place: Place) -> None:
        around: _Around | None = None
        for text, name in _texts(self.evaluator.value(node, place)):
            for piece in text.pieces:
                if piece.leaf is not None:
                    around = around or self.around(role, place)
                    named = around
                    if name:
                        named = _Around((name, *around.names), around.hosts, around.env, around.client, around.is_key, around.given_to)
                        if role.position == _DOUBLE_STAR and around.client is not None and name in around.client.key_params:
                            named.is_key, named.given_to = True, spell(role.node.func)
                    self.flows.setdefault(id(piece.leaf), []).append(named)

    # keys

    def literal(self, use: Use) -> None:
        """Look for keys in a literal, or in several that are concatenated by standing side by side."""
        node = use.node
        kind = type(node).__name__
        if kind in {"FormattedString", "TemplatedString"}:
            for part in node.parts:
                raw = getattr(part, "value", None)
                if isinstance(raw, str) and len(raw) >= SHORTEST_KEY and id(part) not in self.covered and _RUN.search(raw):
                    text = v.literal_text(part)
                    self.keys_of(v.Text(text, (v.Piece(0, len(text), part, 0),)), use, node)
            return
        leaves = _leaves(node)
        if len(leaves) == 1:
            if len(node.value) < SHORTEST_KEY or id(node) in self.covered or not _RUN.search(node.value):
                if id(node) in self.flows and id(node) not in self.covered and len(node.value) > SHORTEST_KEY:
                    self.keys_of(self.evaluator.value(node, use.place), use, node)
                return
            if use.role.kind == "docstring":
                self.docstring(node, use)
                return
        elif use.role.kind == "docstring":
            for leaf in leaves:
                self.docstring(leaf, use)
            return
        elif id(leaves[0]) in self.covered or sum(len(leaf.value) for leaf in leaves) < SHORTEST_KEY:
            return
        value = self.evaluator.value(node, use.place)
        self.keys_of(value, use, node)

    def docstring(self, node: Node, use: Use) -> None:
        for match in keys_in_text(node.value, self.catalogue):
            inner = (match.span.start, match.span.end)
            around = _Around()
            self.drafts.append(_Draft(node, inner, match.value, "docstring", "literal", match, around, "", node, (node,)))
        _ = use

    def composite(self, use: Use, url_drafts: list[tuple[Node, str]]) -> None:
        node = use.node
        if type(node).__name__ == "AugAssign":
            value = self.evaluator.value(node.target, Place(use.place.scope, use.place.order + 0.5, use.place.block))
        else:
            value = self.evaluator.value(node, use.place)
        for item in v.alternatives(value):
            if isinstance(item, v.Text):
                if len(item.text) >= SHORTEST_KEY:
                    self.keys_of(item, use, node, composite=True)
                    self.literal_in_url(item, node)
            elif isinstance(item, v.Joined):
                self.joined(item, use, url_drafts)

    def joined(self, value: v.Joined, use: Use, url_drafts: list[tuple[Node, str]]) -> None:
        before = ""
        for part in value.parts:
            if isinstance(part, v.Text):
                if len(part.text) >= SHORTEST_KEY and len({id(piece.leaf) for piece in part.pieces}) > 1:
                    self.keys_of(part, use, use.node, composite=True)
                before = (before + part.text)[-512:]
                continue
            named = _URL_NAME.search(before)
            if named is not None and named[1].lower() in self.tables.query:
                name = self.url_key(part, named[1], before)
                if name:
                    url_drafts.append((use.node, name))
            elif _USER_PART.search(before) and self.key_name(part):
                url_drafts.append((use.node, self.key_name(part)))
            before += "{}"

    def literal_in_url(self, value: Text, root: Node) -> None:
        """Remember a literal that another one makes part of a URL: it may turn out to be a key."""
        for before, piece in zip(value.pieces, value.pieces[1:], strict=False):
            if piece.leaf is None or piece.end - piece.start < SHORTEST_KEY or before.leaf is piece.leaf:
                continue
            named = _URL_NAME.search(value.text[max(piece.start - 60, 0) : piece.start])
            if named is not None and named[1].lower() in self.tables.query:
                self.url_literals.append((root, piece.leaf))

    def url_key(self, part: Value, parameter: str, before: str) -> str:
        """The name of the variable whose key goes into a URL; a value nobody knows counts at a host that takes keys so."""
        name = self.key_name(part)
        if name:
            return name
        if isinstance(part, v.Unknown):
            for host in _hosts(before, bare=False):
                provider = self.catalogue.provider_of_host(host)
                if provider is not None and parameter in provider.auth.query:
                    return part.name or parameter
        return ""

    def keys_of(self, value: Value, use: Use, root: Node, *, composite: bool = False) -> None:
        if not isinstance(value, v.Text) or not value.text:
            return
        leaves = {id(piece.leaf): piece.leaf for piece in value.pieces if piece.leaf is not None}
        if _RUN.search(value.text) is None and not any(key in self.flows for key in leaves):
            return
        if composite and (not leaves or (len(leaves) == 1 and all(piece.leaf_start >= 0 for piece in value.pieces))):
            return  # the literal itself is asked
        around = self.around(use.role, use.place).merged(
            flow for key in leaves for flow in self.flows.get(key, ())
        )
        providers = (around.client.provider,) if around.client is not None and around.client.provider else ()
        context = Context(names=around.names, hosts=around.hosts, providers=providers, credential=around.is_key)
        for match in keys_in_value(value.text, context, self.catalogue):
            if match.case == "unknown-shape" and (composite or self.module.source.role == "test"):
                continue  # a made-up text in a test, or letters that met by chance
            self.draft(value, match, use, root, around, composite=composite)

    def draft(self, value: Text, match: KeyMatch, use: Use, root: Node, around: _Around, *, composite: bool) -> None:
        start, end = match.span.start, match.span.end
        pieces = [piece for piece in value.pieces if piece.start < end and piece.end > start]
        own = [piece for piece in pieces if piece.leaf is not None]
        leaves = {id(piece.leaf): piece.leaf for piece in own}
        if not leaves and not value.how:
            return  # it stands in another module, and is found there
        whole = len(leaves) == 1 and len(pieces) == len(own)
        if composite and whole and all(piece.leaf_start >= 0 for piece in own):
            return  # the literal itself is asked
        self.covered.update(leaves)
        self.holding.update(leaves)
        where, name = self.place_of(value.text, start, end, use, around)
        form = value.how if composite or len(leaves) > 1 else "literal"
        form = form or "pieces"
        if where == "code" and name == "env-name":
            form, name = "env-name", around.given_to
        node: Node = root
        inner: tuple[int, int] | None = None
        if whole:
            node = own[0].leaf
            if own[0].leaf_start >= 0:
                inner = self.inside(node, own[0].leaf_start + start - own[0].start, own[0].leaf_start + end - own[0].start)
        elif type(root).__name__ == "AugAssign":
            node = root.value
        self.drafts.append(
            _Draft(node, inner, match.value, where, form, match, around, name, root, tuple(leaves.values()))
        )

    def inside(self, node: Node, start: int, end: int) -> tuple[int, int] | None:
        """The range of a literal's source to point at, or None for the whole literal."""
        raw: str = node.value
        is_part = type(node).__name__ != "SimpleString"
        if is_part or len(raw) > LONG_TEXT or "\n" in raw or "\r" in raw:
            return v.literal_range(node, start, end)
        return None

    def place_of(self, text: str, start: int, end: int, use: Use, around: _Around) -> tuple[str, str]:
        """Where a key stands, and the name that belongs to it: precedence is comment, URL, default, code."""
        before = text[max(start - 200, 0) : start]
        named = _URL_NAME.search(before)
        if named is not None and named[1].lower() in self.tables.query:
            return "url", named[1]
        if _USER_PART.search(before) and re.match(r"(?::[^/\s@]{0,80})?@", text[end : end + 90]):
            return "url", "user"
        roles = list(use.role.up())
        for position, role in enumerate(roles):
            kind = role.kind
            if kind == "dict-value" and role.names and role.names[0].lower() in self.tables.query:
                outer = roles[position + 1] if position + 1 < len(roles) else None
                if outer is not None and outer.kind == "argument" and outer.names in {("params",), ("query",), ("fields",)}:
                    return "url", role.names[0]
            if kind == "docstring":
                return "docstring", ""
            found = self.default_of(role, use, around)
            if found is not None:
                return found
        return "code", ""

    def default_of(self, role: Role, use: Use, around: _Around) -> tuple[str, str] | None:  # noqa: C901, PLR0911, PLR0912  # one arm a form
        kind, node, place = role.kind, role.node, use.place
        if kind == "fallback":
            names = self.env_of_left(node, place)
            if names:
                return "env-default", names[0]
            left = node.left
            if type(left).__name__ == "Name" and self.is_parameter(left.value, place):
                return "parameter", left.value
        elif kind == "choice" and type(node).__name__ == "IfExp":
            for side in (node.body, node.orelse):
                for item in v.alternatives(self.evaluator.value(side, place)):
                    if isinstance(item, v.EnvRead) and item.names:
                        return "env-default", item.names[0]
        elif kind == "default":
            return "parameter", role.names[0]
        elif kind == "field":
            scope = place.scope
            if scope.kind == "class" and self.evaluator.settings_class(scope) is not None:
                return "field", role.names[0] if role.names else ""
        elif kind == "argument":
            callee = self.callee(node, place)
            reader = self.evaluator.access.calls.get(callee)
            if reader is not None:
                if _is_argument(role, reader.default_position, reader.default_keywords):
                    return "env-default", self.read_name(callee, node, role, place) or around.env or ""
                if reader.kind == "env" and _is_argument(role, reader.name_position, reader.name_keywords):
                    return "code", "env-name"
            option = self.option(callee, node)
            if option is not None and _is_argument(role, option.default_position, option.default_keywords):
                return "option", self.option_name(option, node, use)
            if callee.endswith(".set_defaults") and role.names:
                return "option", role.names[0]
            for settings in self.evaluator.access.settings:
                if callee in settings.field_calls and _is_argument(
                    role, settings.default_position, settings.default_keywords
                ):
                    return "field", _field_name(role)
        elif kind == "subscript":
            reader = self.evaluator.access.subscripts.get(self.evaluator.name(node.value, place))
            if reader is not None and reader.kind == "env":
                return "code", "env-name"
        return None

    def is_parameter(self, name: str, place: Place) -> bool:
        found = self.evaluator.bindings(name, place)
        return bool(found) and any(binding.kind == "param" for binding in found or ())

    def option(self, callee: str, call: Node) -> OptionDefiner | None:
        found = self.tables.options.get(callee)
        if found is not None or type(call.func).__name__ != "Attribute":
            return found
        return self.tables.option_methods.get(call.func.attr.value)

    def option_name(self, option: OptionDefiner, call: Node, use: Use) -> str:
        positional = [item.value for item in call.args if item.keyword is None and not item.star]
        texts = [plain_string(positional[at]) for at in range(len(positional)) if at != option.default_position]
        named = [text for text in texts if text]
        if named:
            return max(named, key=len)
        return next((name for role in use.role.up() for name in role.names if role.kind != "argument"), "")

    # a literal of no known shape, given to an SDK as its key

    def unknown_keys(self) -> None:
        if self.module.source.role == "test":
            return
        for use in (*self.index.strings, *self.index.composites):
            node = use.node
            if type(node).__name__ not in {"SimpleString", "ConcatenatedString", "BinaryOperation"}:
                continue
            if use.root is not None or use.role.kind == "docstring":
                continue
            value = self.evaluator.value(node, use.place) if self.may_be_key(use) else None
            if not isinstance(value, v.Text) or len(value.text) < UNKNOWN_KEY:
                continue
            leaves = {id(piece.leaf): piece.leaf for piece in value.pieces if piece.leaf is not None}
            if not leaves or any(key in self.holding for key in leaves):
                continue
            around = self.around(use.role, use.place).merged(flow for key in leaves for flow in self.flows.get(key, ()))
            if not around.is_key or around.client is None:
                continue
            text = value.text.strip()
            if is_placeholder(text, self.catalogue) or not looks_random(text):
                continue
            where, name = self.place_of(value.text, 0, len(value.text), use, around)
            self.holding.update(leaves)
            self.drafts.append(
                _Draft(node, None, text, where, "literal", None, around, name, node, tuple(leaves.values()), known=False)
            )

    def may_be_key(self, use: Use) -> bool:
        """Cheaply: is the text an argument or setting, or does a name carry it to one?"""
        if any(id(leaf) in self.flows for leaf in _leaves(use.node)):
            return True
        return any(role.kind in {"argument", "attribute"} for role in use.role.up())

    # keys from variables in query tables

    def query_tables(self, url_drafts: list[tuple[Node, str]]) -> None:
        for call in self.index.calls:
            for argument in call.node.args:
                name = argument.keyword.value if argument.keyword is not None else ""
                if name not in {"params", "query"} or type(argument.value).__name__ != "Dict":
                    continue
                hosts = None
                for element in argument.value.elements[:64]:
                    if type(element).__name__ != "DictElement":
                        continue
                    key = plain_string(element.key) or ""
                    if key.lower() not in self.tables.query or _is_text(element.value):
                        continue
                    for value in v.alternatives(self.evaluator.value(element.value, call.place)):
                        found = self.key_name(value)
                        if not found and isinstance(value, v.Unknown):
                            hosts = hosts if hosts is not None else self.hosts_of_call(call.node, call.place)
                            owners = [self.catalogue.provider_of_host(host) for host in hosts]
                            if any(owner is not None and key in owner.auth.query for owner in owners):
                                found = spell(element.value) or key
                        if found:
                            url_drafts.append((element.value, found))
                            break

    # what is shown

    def key_name(self, value: Value) -> str:
        """The name by which a value that holds a key goes; empty when it is not known to hold one."""
        return next((name for kind, name, _ in self.revealed(value) if kind == "key"), "")

    def revealed(self, value: Value, depth: int = 0) -> Iterator[tuple[str, str, Node]]:  # noqa: C901, PLR0912  # one arm a value
        """Yield what of a value is a key: its kind (key, url, environ, settings), a name for it, the node it was read at."""
        if depth > 8:  # noqa: PLR2004  # structures in real output are flat
            return
        if isinstance(value, v.EnvRead):
            for name in value.names:
                if name in self.key_variables or is_key_variable(name, self.catalogue):
                    yield "key", name, value.node
                    return
        elif isinstance(value, v.SecretRead):
            name = value.names[-1] if value.names else ""
            if value.store == "client":
                yield "key", name or "api_key", value.node
            elif any(is_key_variable(item, self.catalogue) for item in value.names):
                yield "key", name, value.node
        elif isinstance(value, v.Text):
            held = next((piece.leaf for piece in value.pieces if id(piece.leaf) in self.holding), None)
            if held is not None:
                yield "key", "", held
        elif isinstance(value, v.Joined):
            before = ""
            for part in value.parts:
                if isinstance(part, v.Text):
                    before = part.text[-60:]
                    yield from self.revealed(part, depth + 1)
                    continue
                in_url = _URL_NAME.search(before) is not None
                before = ""
                for kind, name, node in self.revealed(part, depth + 1):
                    yield ("url" if in_url and kind == "key" else kind), name, node
        elif isinstance(value, (v.OneOf, v.Items)):
            for item in value.values if isinstance(value, v.OneOf) else value.items[:64]:
                yield from self.revealed(item, depth + 1)
        elif isinstance(value, v.Table):
            for _, item in value.entries[:64]:
                yield from self.revealed(item, depth + 1)
        elif self.evaluator.holds_environ(value):
            yield "environ", "os.environ", None
        elif isinstance(value, (v.Unknown, v.Reference)):
            tail = value.name.rpartition(".")[2]
            named = isinstance(value, v.Unknown) or "." in value.name
            if tail and named and "_" in tail and self.catalogue.providers_of_env(tail):
                yield "settings", tail, None

    def outputs(self) -> Iterator[tuple[Node, str, str, str, Sink, Node]]:
        """Yield expressions that show a key: the expression, kind, name, the sink as code, the sink, where it was read."""
        for call in self.index.calls:
            sink = self.sink(call)
            if sink is None:
                continue
            if self.to_file(call.node):
                continue
            where = spell(call.node.func) or self.callee(call.node, call.place).replace("()", "")
            for argument in call.node.args:
                name = argument.keyword.value if argument.keyword is not None else ""
                if name in sink.ignored_keywords or (sink.keywords and name not in sink.keywords):
                    continue
                yield from self.shown(argument.value, call.place, where, sink)
        if self.tables.raising is not None:
            for use in self.index.raises:
                if type(use.node).__name__ == "Call":
                    where = spell(use.node.func) or "raise"
                    for argument in use.node.args:
                        yield from self.shown(argument.value, use.place, where, self.tables.raising)
        for use in self.index.returns:
            view = self.view(use.place.scope.function)
            if view is not None:
                yield from self.shown(use.node, use.place, f"return {use.place.scope.function.name}()", view)
        for use in self.index.displays:
            if self.module.source.cell is not None and type(use.node).__name__ in {"Name", "Attribute", "Subscript", "FormattedString"}:
                printing = self.tables.sinks.get("print")
                if printing is not None and self.is_last_of_cell(use.node):
                    yield from self.shown(use.node, use.place, "Out", printing)

    def is_last_of_cell(self, node: Node) -> bool:
        """A notebook shows the last expression of a cell."""
        span = self.module.span(node)
        source, inner = self.module.place(span)
        return not source.text[inner.end :].strip()

    def shown(
        self, node: Node, place: Place, where: str, sink: Sink
    ) -> Iterator[tuple[Node, str, str, str, Sink, Node]]:
        if type(node).__name__ in {"SimpleString", "Integer", "ConcatenatedString"}:
            return
        for kind, name, read_at in self.revealed(self.evaluator.value(node, place)):
            if kind == "key" and not name and self.own_literal(node, read_at):
                continue  # the literal itself stands here, and is a finding by itself
            yield node, kind, name or _label(node), where, sink, read_at
            return

    def own_literal(self, node: Node, leaf: Node) -> bool:
        from keyguard.python.module import walk  # noqa: PLC0415  # only for a shown text that holds a key

        return any(item is leaf for item in walk(node))

    def sink(self, call: CallUse) -> Sink | None:
        func = call.node.func
        kind = type(func).__name__
        if kind == "Name" or kind == "Attribute":
            callee = self.callee(call.node, call.place)
            found = self.tables.sinks.get(callee)
            if found is not None or kind == "Name":
                return found
            named = self.tables.sink_methods.get(func.attr.value)
            if named is None:
                return None
            base = func.value
            tail = base.value if type(base).__name__ == "Name" else base.attr.value if type(base).__name__ == "Attribute" else ""
            for sink in named:
                if tail in sink.names and (not callee or callee.partition("(")[0].rpartition(".")[2] in {tail, func.attr.value}):
                    return sink
        return None

    def to_file(self, call: Node) -> bool:
        """`print(…, file=f)` shows nothing unless the file is a standard stream."""
        for argument in call.args:
            if argument.keyword is not None and argument.keyword.value == "file":
                return not spell(argument.value).startswith("sys.std")
        return False

    def view(self, scope: Scope) -> Sink | None:
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

    # spans, for what was found and nothing else

    def place(self, urls: list[tuple[Node, str]], outputs: list[tuple[Node, str, str, str, Sink, Node]]) -> PythonFacts:
        module = self.module
        wanted: list[Node] = []
        for draft in self.drafts:
            wanted.extend((draft.node, draft.root, *draft.leaves) if type(draft.root).__name__ != "AugAssign" else (draft.node, *draft.leaves))
        wanted.extend(node for node, _ in urls)
        for node, *_, read_at in outputs:
            wanted.append(node)
            if read_at is not None:
                wanted.append(read_at)
        spans = module.spans(wanted) if wanted else {}
        keys = [self.finish(draft, spans) for draft in self.drafts]
        keys.extend(self.in_comments())
        keys.extend(self.in_magics())
        shown = tuple(
            Output(spans[id(node)], name, kind, where, sink.id, spans.get(id(read_at)) if read_at is not None else None)
            for node, kind, name, where, sink, read_at in outputs
        )
        url_keys = tuple(dict.fromkeys(UrlKey(spans[id(node)], name) for node, name in urls))
        hosts = tuple(dict.fromkeys(host for found in self.scope_hosts.values() for host in found))
        unique = {(key.span, key.value): key for key in reversed(keys)}
        ordered = tuple(sorted(unique.values(), key=lambda key: (key.span, key.where)))
        return PythonFacts(module, self.index, self.evaluator, self.catalogue, ordered, url_keys, shown, hosts)

    def finish(self, draft: _Draft, spans: Mapping[int, Span]) -> KeyText:
        span = spans[id(draft.node)]
        if draft.inner is not None:
            span = Span(span.start + draft.inner[0], span.start + draft.inner[1])
        match, around = draft.match, draft.around
        provider = match.provider if match is not None else self.owner(around)
        public = match is not None and match.case == "restricted"
        name = draft.name or around.given_to or (around.names[0] if around.names else "")
        return KeyText(
            span,
            draft.value,
            draft.where,
            draft.form,
            match,
            provider,
            around.names,
            around.hosts,
            self.variable(around, provider),
            name,
            spans.get(id(draft.root)),
            tuple(spans[id(leaf)] for leaf in draft.leaves),
            known=draft.known and (match is None or match.case != "unknown-shape"),
            restricted=public and not self.confirmed(around, provider),
        )

    def owner(self, around: _Around) -> str | None:
        for host in around.hosts:
            provider = self.catalogue.provider_of_host(host)
            if provider is not None:
                return provider.id
        return around.client.provider if around.client is not None else None

    def confirmed(self, around: _Around, provider: str | None) -> bool:
        """Tell whether host, variable, client or words say that an often public key is a provider's secret one."""
        if provider is None:
            return False
        if any(found is not None and found.id == provider for found in map(self.catalogue.provider_of_host, around.hosts)):
            return True
        if around.client is not None and around.client.provider == provider:
            return True
        item = self.catalogue.providers[provider]
        names = " ".join(around.names).lower()
        return any(found.id == provider for name in around.names for found in self.catalogue.providers_of_env(name)) or any(
            word in names for word in item.words
        ) or self.imports_of(item)

    def imports_of(self, provider: Provider) -> bool:
        modules = {name for sdk in self.catalogue.sdks.values() if sdk.provider == provider.id for name in sdk.imports}
        return any(name in modules or any(name.startswith(module + ".") for module in modules) for name, _ in self.index.imports)

    def variable(self, around: _Around, provider: str | None) -> str:
        """The variable a key should be read from (rules: Autofix): its own, its host's, its provider's, its client's."""
        if around.env:
            return around.env
        for host in around.hosts:
            owner = self.catalogue.provider_of_host(host)
            if owner is not None:
                return owner.variable
        if provider is not None:
            return self.catalogue.providers[provider].variable
        if around.client is not None and around.client.env:
            return around.client.env[0]
        for name in around.names:
            if name.isupper() and name.isidentifier() and is_key_variable(name, self.catalogue):
                return name
        return "API_KEY"

    def in_comments(self) -> Iterator[KeyText]:
        text = self.module.text
        for start, end in comments(self.module):
            chunk = text[start:end]
            if _RUN.search(chunk) is None:
                continue
            for match in keys_in_text(chunk, self.catalogue):
                span = Span(start + match.span.start, start + match.span.end)
                around = _Around()
                yield KeyText(
                    span, match.value, "comment", "literal", match, match.provider, env=self.variable(around, match.provider)
                )

    def in_magics(self) -> Iterator[KeyText]:
        for line in self.module.stepped:
            chunk = self.module.text[line.start : line.end]
            if _RUN.search(chunk) is None:
                continue
            for match in keys_in_text(chunk, self.catalogue):
                span = Span(line.start + match.span.start, line.start + match.span.end)
                yield KeyText(
                    span, match.value, "code", "literal", match, match.provider, env=self.variable(_Around(), match.provider)
                )


# Small helpers ----------------------------------------------------------------------------------------------------


def _leaves(node: Node) -> list[Node]:
    return flatten(node) if type(node).__name__ == "ConcatenatedString" else [node] if hasattr(node, "value") else []


def _is_text(node: Node) -> bool:
    return type(node).__name__ in {"SimpleString", "ConcatenatedString", "Integer", "Float"}


def _names_of(node: Node) -> tuple[str, ...]:
    kind = type(node).__name__
    if kind == "Name":
        return (node.value,)
    if kind == "Attribute":
        return (node.attr.value,)
    if kind == "Subscript" and len(node.slice) == 1 and type(node.slice[0].slice).__name__ == "Index":
        text = plain_string(node.slice[0].slice.value)
        return (text,) if text else ()
    return ()


def _texts(value: Value, name: str = "", depth: int = 0) -> Iterator[tuple[Text, str]]:
    """The texts inside a value, with the key of the table they stand under."""
    if depth > 4:  # noqa: PLR2004  # headers in settings in clients: deeper structures carry no key
        return
    if isinstance(value, v.Text):
        yield value, name
    elif isinstance(value, v.OneOf):
        for item in value.values:
            yield from _texts(item, name, depth + 1)
    elif isinstance(value, v.Joined):
        for item in value.parts:
            yield from _texts(item, name, depth + 1)
    elif isinstance(value, v.Sealed):
        yield from _texts(value.value, name, depth + 1)
    elif isinstance(value, v.Items):
        for item in value.items[:256]:
            yield from _texts(item, name, depth + 1)
    elif isinstance(value, v.Table):
        for key, item in value.entries[:256]:
            yield from _texts(item, key.text if isinstance(key, v.Text) else name, depth + 1)
    elif isinstance(value, v.EnvRead) and value.default is not None:
        yield from _texts(value.default, value.names[0] if value.names else name, depth + 1)


def _hosts(text: str, *, bare: bool) -> list[str]:
    """The hosts in a text; with `bare`, a text that is a host without a scheme counts too."""
    found = [match[1].lower() for match in _HOST.finditer(text[:4096])]
    if not found and bare and "." in text and re.fullmatch(r"[A-Za-z0-9.-]{4,253}(?::\d{1,5})?(?:/\S{0,200})?", text):
        found = [text.partition("/")[0].lower()]
    return found


def _argument(call: Node, position: int | None, keywords: tuple[str, ...]) -> Node:
    """The expression a call gives for a parameter, by position or keyword; None when it gives none."""
    at = 0
    for argument in call.args:
        if argument.keyword is not None:
            if argument.keyword.value in keywords:
                return argument.value
        elif not argument.star:
            if at == position:
                return argument.value
            at += 1
    return None


def _is_argument(role: Role, position: int | None, keywords: tuple[str, ...]) -> bool:
    if role.names:
        return role.names[0] in keywords
    return role.position is not None and role.position == position


def _field_name(role: Role) -> str:
    for outer in role.up():
        if outer.kind in {"field", "assign"} and outer.names:
            return outer.names[0]
    return role.names[0] if role.names else ""


def _label(node: Node) -> str:
    """Name an expression in a message: a name or attribute as written, else nothing more than what it is."""
    spelled = spell(node)
    if spelled:
        return spelled
    if type(node).__name__ == "Call":
        return (spell(node.func) or "call") + "(…)"
    return "this text"
