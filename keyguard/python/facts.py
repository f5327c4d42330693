"""What the checks see of a Python module: keys with the place they stand in, and values with a key that are shown."""

from __future__ import annotations

from msgspec import Struct

from keyguard.model import Span
from keyguard.python.around import Around, Surroundings
from keyguard.python.evaluate import Evaluator
from keyguard.python.index import index
from keyguard.python.keys import RUN, KeyFinder
from keyguard.python.module import Module, ParseFailure, parse, parse_parts
from keyguard.python.outputs import OutputFinder
from keyguard.python.tables import is_key_variable
from keyguard.secrets.shapes import keys_in_text
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import Provider
    from keyguard.python.bodies import Choice
    from keyguard.python.index import Index, Node
    from keyguard.python.keys import Draft
    from keyguard.python.outputs import Shown
    from keyguard.python.project import Here, Project
    from keyguard.secrets.shapes import KeyMatch
    from keyguard.source import SourceFile


class KeyText(Struct, frozen=True, eq=False):
    """A key that stands in the module as text.

    `where` is code, comment, docstring, url, env-default, parameter, option or field; `form` is literal, pieces,
    encoded or env-name. `name` is what the default belongs to, or what is given the key; `names` are all names it goes
    by, inside out. `expression` is the span of the whole expression the key is made by, for who wants to replace it.
    `known` is False for a text of no known shape that an SDK is given as its key; `restricted` marks keys that are
    often public. `draft` has the nodes, for who wants to move the key; a key in a comment or a magic has none.
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
    draft: Draft | None = None

    @property
    def public(self) -> bool:
        """Tell whether it is a published example key."""
        return self.match is not None and self.match.case == "public-example"


class UrlKey(Struct, frozen=True):
    """A value that holds a key and becomes part of a URL; `name` is the variable it is read from."""

    span: Span
    name: str


class Output(Struct, frozen=True):
    """A value with a key that reaches a sink; `kind` is key, url, environ or settings, `where` the sink as code."""

    span: Span
    name: str
    kind: str
    where: str
    sink: str
    source: Span | None = None


class PythonFacts(Struct, frozen=True):
    """Facts about one file, or about the code cells of one notebook; spans are offsets of `module.text`.

    `failures` are the cells that do not parse: their keys are here, found in their text, and nothing else of them.
    """

    module: Module
    index: Index
    evaluator: Evaluator
    catalogue: Catalogue
    keys: tuple[KeyText, ...]
    url_keys: tuple[UrlKey, ...]
    outputs: tuple[Output, ...]
    near: Surroundings
    hosts: tuple[str, ...] = ()
    failures: tuple[tuple[SourceFile, ParseFailure], ...] = ()

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
    parts: Sequence[SourceFile],
    catalogue: Catalogue,
    project: Project | None = None,
    choice: Choice | None = None,
    location: str | None = None,
) -> PythonFacts | ParseFailure:
    """Read the code cells of one notebook, in order, as one module: names of earlier cells are seen in later ones.

    Spans are offsets of the joined text; `PythonFacts.place` leads back to a cell. Cells that do not parse are left out
    of the module, told in `failures`, and only their text is searched; if none parses, the first failure is the answer.
    With a `choice`, functions of a file that it does not want are not parsed. `location` is where the file
    lies, for its imports; without it, where its reported path leads from the project's root.
    """
    module, failures = _parsed(parts, choice)
    return _facts(module, catalogue, project, failures, location)


def look_around(
    parts: Sequence[SourceFile],
    catalogue: Catalogue,
    project: Project,
    choice: Choice | None,
    location: str,
) -> Surroundings | ParseFailure:
    """Read a file or a notebook's cells for its connections alone, as `read_cells` does; its keys are not looked for.

    Functions that a `choice` does not want are not parsed; without one all are.
    """
    module, _ = _parsed(parts, choice)
    return module if isinstance(module, ParseFailure) else _around(module, catalogue, project, location)


def _parsed(
    parts: Sequence[SourceFile], choice: Choice | None
) -> tuple[Module | ParseFailure, tuple[tuple[SourceFile, ParseFailure], ...]]:
    """The module of a file or of all cells that parse, and the cells that do not."""
    whole = parse_parts(parts, choice=choice)
    if len(parts) < 2 or not isinstance(whole, ParseFailure):  # noqa: PLR2004  # one cell fails for all there is
        return whole, ()
    failures = [(part, failure) for part in parts if isinstance(failure := parse(part), ParseFailure)]
    if not failures or len(failures) == len(parts):
        return whole, ()
    return parse_parts(parts, leave_out=frozenset(id(part) for part, _ in failures)), tuple(failures)


def whole(facts: PythonFacts) -> PythonFacts:
    """The facts of a file with the functions parsed that were left out of it; these if there are none."""
    if len(facts.module.offsets.starts) < 2 or len(facts.module.parts) > 1:  # noqa: PLR2004  # nothing was cut out
        return facts
    module = parse(facts.source)
    if isinstance(module, ParseFailure):
        return facts
    return _found(module, _around_here(module, facts.catalogue, facts.evaluator.project), facts.failures)


def _around(module: Module, catalogue: Catalogue, project: Project | None, location: str | None) -> Surroundings:
    here = project.at(location or module.source.path) if project is not None else None
    return _around_here(module, catalogue, here)


def _around_here(module: Module, catalogue: Catalogue, here: Here | None) -> Surroundings:
    found = index(module, here.name if here else "", is_package=here.is_package if here else False)
    return Surroundings(found, Evaluator(found, catalogue, here), catalogue)


def _facts(
    module: Module | ParseFailure,
    catalogue: Catalogue,
    project: Project | None,
    failures: tuple[tuple[SourceFile, ParseFailure], ...] = (),
    location: str | None = None,
) -> PythonFacts | ParseFailure:
    if isinstance(module, ParseFailure):
        return module
    return _found(module, _around(module, catalogue, project, location), failures)


def _found(module: Module, near: Surroundings, failures: tuple[tuple[SourceFile, ParseFailure], ...]) -> PythonFacts:
    keys = KeyFinder(module, near)
    keys.find()
    outputs = OutputFinder(module, near, keys)
    return _Placing(module, near).facts(keys.drafts, outputs.urls(), list(outputs.outputs()), failures)


class _Placing:
    """Gives what was found its spans: the one step that may spell the tree, so it is asked for all of them at once."""

    def __init__(self, module: Module, near: Surroundings) -> None:
        self.module, self.near, self.catalogue, self.index = module, near, near.catalogue, near.index

    def facts(
        self,
        drafts: list[Draft],
        urls: list[tuple[Node, str]],
        outputs: list[Shown],
        failures: tuple[tuple[SourceFile, ParseFailure], ...],
    ) -> PythonFacts:
        module = self.module
        wanted: list[Node] = []
        for draft in drafts:
            wanted.extend((draft.node, draft.root, *draft.leaves))
        wanted.extend(node for node, _ in urls)
        wanted.extend(node for shown in outputs for node in (shown.node, shown.read_at) if node is not None)
        spans = module.spans(wanted) if wanted else {}
        keys = [self._finish(draft, spans) for draft in drafts]
        keys.extend(self._in_comments())
        keys.extend(self._in_magics())
        shown = tuple(
            Output(
                spans[id(one.node)],
                one.name,
                one.kind,
                one.where,
                one.sink.id,
                None if one.read_at is None else spans[id(one.read_at)],
            )
            for one in outputs
        )
        url_keys = tuple(dict.fromkeys(UrlKey(spans[id(node)], name) for node, name in urls))
        hosts = tuple(dict.fromkeys(host for found in self.near.scope_hosts.values() for host in found))
        unique = {(key.span, key.value): key for key in reversed(keys)}
        ordered = tuple(sorted(unique.values(), key=lambda key: (key.span, key.where)))
        return PythonFacts(
            module,
            self.index,
            self.near.evaluator,
            self.catalogue,
            ordered,
            url_keys,
            shown,
            self.near,
            hosts,
            failures,
        )

    def _finish(self, draft: Draft, spans: Mapping[int, Span]) -> KeyText:
        span = spans[id(draft.node)]
        if draft.inner is not None:
            span = Span(span.start + draft.inner[0], span.start + draft.inner[1])
        match, around = draft.match, draft.around
        provider = match.provider if match is not None else self._owner(around)
        public = match is not None and match.case == "restricted"
        name = draft.name or around.given_to or (around.names[0] if around.names else "")
        return KeyText(
            span,
            draft.value,
            draft.where,
            draft.form,
            match,
            provider,
            tuple(around.names),
            around.hosts,
            self._variable(around, provider),
            name,
            spans.get(id(draft.root)),
            tuple(spans[id(leaf)] for leaf in draft.leaves),
            known=draft.known and (match is None or match.case != "unknown-shape"),
            restricted=public and not self._confirmed(around, provider),
            draft=draft,
        )

    def _owner(self, around: Around) -> str | None:
        for host in around.hosts:
            provider = self.catalogue.provider_of_host(host)
            if provider is not None:
                return provider.id
        return around.client.provider if around.client is not None else None

    def _confirmed(self, around: Around, provider: str | None) -> bool:
        """Tell whether host, variable, client or words say that an often public key is a provider's secret one."""
        if provider is None:
            return False
        if any(
            found is not None and found.id == provider for found in map(self.catalogue.provider_of_host, around.hosts)
        ):
            return True
        if around.client is not None and around.client.provider == provider:
            return True
        item = self.catalogue.providers[provider]
        names = " ".join(around.names).lower()
        return (
            any(found.id == provider for name in around.names for found in self.catalogue.providers_of_env(name))
            or any(word in names for word in item.words)
            or self._imports_of(item)
        )

    def _imports_of(self, provider: Provider) -> bool:
        modules = {name for sdk in self.catalogue.sdks.values() if sdk.provider == provider.id for name in sdk.imports}
        return any(
            name in modules or any(name.startswith(module + ".") for module in modules)
            for name, _ in self.index.imports
        )

    def _variable(self, around: Around, provider: str | None) -> str:
        """The variable to read a key from (rules: Autofix): its own, its host's, its provider's, its client's."""
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

    def _in_comments(self) -> Iterator[KeyText]:
        text = self.module.text
        for block in self.module.comments:
            start = block.start
            chunk = text[start : block.end]
            if RUN.search(chunk) is None:
                continue
            for match in keys_in_text(chunk, self.catalogue):
                span = Span(start + match.span.start, start + match.span.end)
                around = Around()
                yield KeyText(
                    span,
                    match.value,
                    "comment",
                    "literal",
                    match,
                    match.provider,
                    env=self._variable(around, match.provider),
                )

    def _in_magics(self) -> Iterator[KeyText]:
        for line in self.module.stepped:
            chunk = self.module.text[line.start : line.end]
            if RUN.search(chunk) is None:
                continue
            for match in keys_in_text(chunk, self.catalogue):
                span = Span(line.start + match.span.start, line.start + match.span.end)
                yield KeyText(
                    span,
                    match.value,
                    "code",
                    "literal",
                    match,
                    match.provider,
                    env=self._variable(Around(), match.provider),
                )
