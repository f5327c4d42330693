"""The facts about model calls: connections, the calls made through them, raw HTTP requests, and what holds them up."""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct, field

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import HttpClient, Provider, Sdk
    from keyguard.python.arguments import Arguments, Given
    from keyguard.python.evaluate import Evaluator
    from keyguard.python.imports import Imports
    from keyguard.python.index import CallUse, Index, Node, Place, Scope
    from keyguard.python.mentions import Mention
    from keyguard.python.repetition import Repetition
    from keyguard.python.retries import RetryLoop
    from keyguard.python.tables import Client
    from keyguard.settings import Advice
    from keyguard.source import SourceFile


class Host(Struct, frozen=True):
    """Where a request goes: `name` is the host with its port, `url` the base or full URL as far as it is known.

    `route` is official, cloud, gateway, relay, local, own or unknown. `origin` says how it is known: argument, setting,
    env (a variable that this module sets, or the fallback of one that it reads) or default (the SDK's own).
    """

    name: str
    url: str
    provider: Provider | None
    route: str
    origin: str

    @property
    def is_local(self) -> bool:
        """Tell whether it is a machine of one's own: loopback, a private range, a name without a dot."""
        return self.route == "local"


class Limit(Struct, frozen=True, eq=False):
    """How long a call waits at most.

    `seconds` is None when it waits for ever, if `is_known`. `origin` is call, client, http-client, setting, env or
    default; `given` the value that was written, `number` it as written in `unit`.
    """

    seconds: float | None = None
    is_known: bool = False
    origin: str = "default"
    given: Given | None = None
    number: float | None = None
    unit: str = "s"

    @property
    def is_endless(self) -> bool:
        """Tell whether nothing ends the wait."""
        return self.is_known and self.seconds is None

    @property
    def is_default(self) -> bool:
        """Tell whether nobody set it."""
        return self.origin == "default"


class Attempts(Struct, frozen=True, eq=False):
    """How many requests one call sends at most by the client's own doing; `total` None when it is not known.

    `number` is what was written, in the client's own counting. `on` is what is repeated, `backoff` whether the pauses
    grow.
    """

    total: int | None = None
    origin: str = "default"
    given: Given | None = None
    number: float | None = None
    on: tuple[str, ...] = ()
    backoff: bool = True

    @property
    def is_default(self) -> bool:
        """Tell whether nobody set it."""
        return self.origin == "default"


class HttpCall(Struct, frozen=True, eq=False):
    """A request of an HTTP library; `session` is the object it is sent through, if there is one.

    `verb` is in capitals, empty when unknown. `hosts` are those it may go to; `is_model` that one of them is a model
    API, or the path is one that only model APIs have. `carries_key` tells that a key travels with it, `unverified` what
    switches the check of the host's certificate off. One that does not send only prepares the request.
    """

    node: Node
    place: Place
    http: HttpClient
    name: str
    arguments: Arguments
    verb: str
    url: Given | None
    hosts: tuple[Host, ...]
    timeout: Limit
    attempts: Attempts
    session: Node = None
    session_arguments: Arguments | None = None
    headers: Given | None = None
    verify: Given | None = None
    unverified: Given | None = None
    is_async: bool = False
    is_model: bool = False
    carries_key: bool = False
    sends: bool = True


class HttpSession(Struct, frozen=True, eq=False):
    """An object of an HTTP library that sends requests, where it is made: `timeout` is what it gives each of them."""

    node: Node
    place: Place
    http: HttpClient
    name: str
    arguments: Arguments
    timeout: Limit
    unverified: Given | None = None


class Connection(Struct, eq=False):
    """One client of a model API, or one raw HTTP request to one.

    `node` is the call that makes the client, or the request itself; None for a client made in another module of the
    project. `key` is what it is given as its key (None: it reads `implied` by itself), `key_names` are the variables
    the key may come from, `base` what it is given as its base URL. `hosts` are the hosts it may talk to: empty when the
    base is not known. `timeout` and `attempts` hold for calls that set nothing of their own. `calls` are in source
    order. `unverified` is what switches the check of the host's certificate off.
    """

    node: Node
    place: Place | None
    name: str
    client: Client | None
    sdk: Sdk | None
    arguments: Arguments | None = None
    key: Given | None = None
    key_names: tuple[str, ...] = ()
    implied: tuple[str, ...] = ()
    base: Given | None = None
    hosts: tuple[Host, ...] = ()
    timeout: Limit = field(default_factory=Limit)
    attempts: Attempts = field(default_factory=Attempts)
    is_async: bool = False
    http: HttpCall | None = None
    unverified: Given | None = None
    calls: list[ModelCall] = field(default_factory=list)

    @property
    def host(self) -> Host | None:
        """The host, when there is only one it can be."""
        return self.hosts[0] if len(self.hosts) == 1 else None

    @property
    def is_local(self) -> bool:
        """Tell whether every host it may talk to is a machine of one's own."""
        return bool(self.hosts) and all(host.is_local for host in self.hosts)

    @property
    def models(self) -> tuple[str, ...]:
        """The model ids that its calls name, each once."""
        return tuple(dict.fromkeys(model for call in self.calls for model in call.models))


class ModelCall(Struct, frozen=True, eq=False):
    """One place that sends a request to a model.

    `connection` is None when the client came from outside (a parameter, another module); then `sdk` may still be
    known. `method` is spelt as after the client. `timeout` and `attempts` are the effective ones. `scope` is the
    function it stands in.
    """

    node: Node
    place: Place
    method: str
    arguments: Arguments
    connection: Connection | None = None
    sdk: Sdk | None = None
    client: Client | None = None
    models: tuple[str, ...] = ()
    model: Given | None = None
    timeout: Limit = field(default_factory=Limit)
    attempts: Attempts = field(default_factory=Attempts)
    is_async: bool = False
    is_awaited: bool = False
    is_streaming: bool = False
    http: HttpCall | None = None

    @property
    def scope(self) -> Scope:
        """The function, class or module it runs in."""
        return self.place.scope.function

    @property
    def is_local(self) -> bool:
        """Tell whether it stays on a machine of one's own."""
        return self.connection is not None and self.connection.is_local


class Network(Struct, frozen=True, eq=False, dict=True):
    """What a module says to model APIs: everything the rules about connections see.

    `env_writes` are the variables that the module itself sets, with what it sets them to, `settings` the attributes of
    SDKs' modules that it sets, by dotted name. `versions` are the releases that the project asks for, by package;
    `advice` is what the settings say to these rules. `unverified` are settings that switch the check of certificates
    off for everything the module opens.
    """

    index: Index
    evaluator: Evaluator
    catalogue: Catalogue
    connections: tuple[Connection, ...]
    calls: tuple[ModelCall, ...]
    http_calls: tuple[HttpCall, ...]
    env_writes: Mapping[str, tuple[Given, ...]]
    settings: Mapping[str, tuple[Given, ...]]
    source: SourceFile
    advice: Advice
    versions: Mapping[str, str] = field(default_factory=dict)
    http_sessions: tuple[HttpSession, ...] = ()
    unverified: tuple[Given, ...] = ()

    def release(self) -> None:
        """Let go of what refers back, as `Evaluator.release` does for the tree below it."""
        vars(self).pop("repetition", None)
        for connection in self.connections:
            connection.calls.clear()
        self.evaluator.release()

    @cached_property
    def callers(self) -> Mapping[int, tuple[ModelCall, ...]]:
        """The model calls that running a function leads to, by the `id` of its scope: its own and its callees'."""
        from keyguard.python.reach import reached  # noqa: PLC0415  # only rules about loops and load ask

        return reached(self.calls, self.evaluator)

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """What the module uses of the packages it imports: imports, calls, settings, exception classes."""
        from keyguard.python.mentions import mentions  # noqa: PLC0415  # only the rule about what was removed asks

        return mentions(self.index, self.evaluator)

    @cached_property
    def tested(self) -> frozenset[str]:
        """The names and texts that stand in some condition, or are given to a function that checks them."""
        from keyguard.python.guards import tested  # noqa: PLC0415  # a walk over the tree that only few files pay

        return tested(self.index)

    @cached_property
    def guarded(self) -> frozenset[str]:
        """The variables of the environment that the module looks at before, or while, it uses them."""
        from keyguard.python.guards import guarded  # noqa: PLC0415  # as above

        return guarded(self.index, self.evaluator, self.tested)

    @cached_property
    def repetition(self) -> Repetition:
        """What repeats its model calls, for whoever asks what is on a call's way."""
        from keyguard.python.repetition import Repetition  # noqa: PLC0415  # only rules about retries ask

        return Repetition(self)

    @cached_property
    def imports(self) -> Imports:
        """How to get at something of another module at a place: what is imported, and the edits that import it."""
        from keyguard.python.imports import Imports  # noqa: PLC0415  # only a finding that has a fix asks

        return Imports(self.index)

    @cached_property
    def uses(self) -> Mapping[int, CallUse]:
        """The calls of the module by the `id` of their node."""
        return {id(use.node): use for use in self.index.calls}

    def start(self, node: Node) -> int:
        """Where a call begins; who asks for several asks the module for all their spans before."""
        return self.index.module.span(node).start

    @cached_property
    def retry_loops(self) -> tuple[RetryLoop, ...]:
        """Everything that sends a model call again."""
        return self.repetition.loops

    def may_be_local(self, connection: Connection) -> bool:
        """Tell whether a client talks to a host nobody knows that is most likely a server of one's own.

        Its SDK is for such servers, or its key is one that only they take (`EMPTY`).
        """
        if connection.hosts:
            return False
        name = connection.client.provider if connection.client is not None else None
        provider = self.catalogue.providers.get(name) if name is not None else None
        if provider is not None and provider.kind == "local":
            return True
        if connection.key is None:
            return False
        from keyguard.python.arguments import texts  # noqa: PLC0415  # in memory where there are connections
        from keyguard.secrets.placeholders import is_local_value  # noqa: PLC0415  # for a key without a host only

        return any(is_local_value(text, self.catalogue) for text in texts(connection.key.value))

    def guards(self, call: ModelCall) -> tuple[RetryLoop, ...]:
        """Everything that repeats a model call, inside out."""
        return self.repetition.guards(call)

    @cached_property
    def talks(self) -> bool:
        """Tell whether the module reaches a model host or imports a model SDK."""
        if self.connections or self.calls:
            return True
        packages = {name for sdk in self.catalogue.sdks.values() for name in sdk.imports}
        bound = (binding for found in self.index.scope.bindings.values() for binding in found)
        names = {name for name, _ in self.index.imports} | {str(item.detail) for item in bound if item.kind == "import"}
        return any(part in packages for name in names for part in _prefixes(name))


def _prefixes(name: str) -> Iterator[str]:
    """A dotted name and the packages it lies in."""
    while name:
        yield name
        name = name.rpartition(".")[0]
