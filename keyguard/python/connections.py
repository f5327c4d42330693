"""Finds the model calls of a module and puts connections together: client, key, host, model, timeout and attempts."""

from __future__ import annotations

import functools

from msgspec import Struct
from msgspec.structs import replace

from keyguard.python import values as v
from keyguard.python.arguments import Arguments, Given, member_of, names_read, texts
from keyguard.python.assigned import env_writes, module_settings
from keyguard.python.hosts import MODEL_PATH, host_of, is_unknown, serves_models, urls_of
from keyguard.python.index import plain_string, spell
from keyguard.python.limits import Limits
from keyguard.python.network import Attempts, Connection, Host, HttpCall, HttpSession, Limit, ModelCall, Network
from keyguard.python.pins import installed
from keyguard.python.sessions import Opened, Sessions, is_insecure
from keyguard.python.tables import RAW, is_key_variable, names_of
from keyguard.typed import TYPE_CHECKING
from keyguard.versions import before, just_below

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from keyguard.knowledge import HttpClient, Sdk
    from keyguard.python.around import Surroundings
    from keyguard.python.evaluate import Change
    from keyguard.python.index import Binding, CallUse, Node, Place, With
    from keyguard.python.tables import Client
    from keyguard.settings import Advice

_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
_DEEPEST = 4  # objects made from objects of a client (`client.chats.create(…).send_message`)
_MOST_HOSTS = 8
_MOST_HEADERS = 64  # of a session, that are looked at for one request
_MOST_BOUNDS = 256  # `with` statements of one function that are looked at for one call
_PARTIAL = frozenset({"functools.partial", "functools.partialmethod"})


def network_of(near: Surroundings, advice: Advice, versions: Mapping[str, str] | None = None) -> Network:
    """Find what a module says to model APIs.

    `versions` are the releases the project asks for, by package: they choose the facts of an older release.
    """
    module = near.index.module
    # What a notebook installs itself wins over the project's requirements.
    own = installed("\n".join(module.text[span.start : span.end] for span in module.stepped))
    finder = _Finder(near, {**(versions or {}), **own}, dict(advice.trusted))
    finder.find()
    return Network(
        near.index,
        near.evaluator,
        near.catalogue,
        tuple(finder.connections.values()),
        tuple(finder.calls),
        tuple(finder.http_calls),
        finder.env_writes,
        finder.all_settings,
        near.index.module.source,
        advice,
        finder.versions,
        tuple(finder.http_sessions.values()),
        finder.sessions.unchecked_everywhere,
    )


class _Made(Struct, frozen=True):
    """A client an expression may be: how it was made, and the settings that were changed on the way."""

    client: Client
    instance: v.Instance | None
    derived: tuple[v.Instance, ...] = ()


class _Finder:
    """One pass over the calls of a module."""

    def __init__(self, near: Surroundings, versions: Mapping[str, str], trusted: Mapping[str, str]) -> None:
        self.near, self.index, self.evaluator, self.catalogue = near, near.index, near.evaluator, near.catalogue
        self.tables, self.names = near.tables, names_of(near.catalogue)
        self.versions, self.trusted = versions, trusted
        self.env_writes = env_writes(near)
        self.all_settings = module_settings(near)
        self.settings = {name: items[-1] for name, items in self.all_settings.items()}
        self._sent_with: dict[int, list[Given]] | None = None
        self.limits = Limits(self.evaluator, self.tables.limits, self.settings)
        self.connections: dict[object, Connection] = {}
        self.calls: list[ModelCall] = []
        self.http_calls: list[HttpCall] = []
        self.http_sessions: dict[int, HttpSession] = {}
        self.sessions = Sessions(near)

    def find(self) -> None:
        for use in self.index.calls:
            func = use.node.func
            kind = type(func).__name__
            if kind == "Attribute":
                if func.attr.value in self.names.last:
                    self._attribute(use)
            elif kind == "Name" and self._may_be_ours(func.value, use.place):
                name = self.near.callee(use.node, use.place)
                if name:
                    self._named(use, name)

    # what is called

    def _may_be_ours(self, name: str, place: Place) -> bool:
        """Tell cheaply whether a name may stand for a client or a call: no function or class of the module does."""
        for binding in self.evaluator.bindings(name, place) or ():
            if binding.kind == "import":
                if name in self.names.last or binding.detail.rpartition(".")[2] in self.names.last:
                    return True
            elif binding.kind in {"assign", "walrus", "unpack"}:
                return True
        return False

    def _named(self, use: CallUse, name: str) -> bool:
        """Take in a call whose callee has a dotted name; tell whether it is one of ours."""
        client = self.tables.clients.get(name)
        if client is not None:
            if not self._answers(client):
                return True
            if client.is_call:
                self._sent(use, self._of_module(use, client), name, client)
            else:
                self._constructed(use.node, use.place, client)
            return True
        http = self.tables.http.get(name)
        if http is None:
            return False
        if name in http.sessions:
            self._session(use, http, name)
        elif name not in http.requests:
            self._http(use, http, name, None)
        return True

    def _answers(self, client: Client) -> bool:
        """Tell whether a client sends model calls, and not only keeps a key or talks to another kind of service."""
        if not client.sends or not (client.is_call or client.methods):
            return False
        owner = self.catalogue.providers.get(client.provider or "")
        return owner is None or serves_models(owner)

    def _attribute(self, use: CallUse) -> None:
        name = self.near.callee(use.node, use.place)
        if name and "()" not in name:
            if self._named(use, name):
                return
            if name.partition(".")[0] not in {"self", "cls"}:
                raw = _without_raw(name)
                if raw != name and self._named(use, raw):
                    return
        attributes = [use.node.func.attr.value]
        node = use.node.func.value
        for _ in range(8):
            value = self.evaluator.value(node, use.place)
            if self._on(use, value, ".".join(attributes)) or self._on_self(use, node, attributes):
                return
            if type(node).__name__ != "Attribute":
                break
            attributes.insert(0, node.attr.value)
            node = node.value
        self._on_unknown(use, node, ".".join(attributes))

    def _on(self, use: CallUse, value: v.Value, method: str) -> bool:
        """Take in a method called on what may be a client or a session; tell whether it is one."""
        found = False
        for item in v.alternatives(value):
            if isinstance(item, v.Local):
                opened = self.sessions.of_value(item)
                found = (opened is not None and self._through(use, opened, method)) or found
            if not isinstance(item, v.Instance):
                continue
            made, prefix = self._made(item)
            if made is not None:
                spelled = _without_raw(f"{prefix}{method}")
                if spelled in made.client.methods:
                    self._sent(use, self._connection(made), spelled, made.client, made.derived)
                    found = True
                continue
            opened = self.sessions.of_value(item)
            found = (opened is not None and self._through(use, opened, method)) or found
        return found

    def _on_self(self, use: CallUse, node: Node, attributes: list[str]) -> bool:
        """Take in a request that a class derived from a session sends through itself."""
        opened = self.sessions.of_self(node, use.place) if len(attributes) == 1 else None
        if opened is None:
            return False
        return self._through(use, opened, attributes[0], above=type(node).__name__ != "Name")

    def _through(self, use: CallUse, opened: Opened, method: str, *, above: bool = False) -> bool:
        """Take in a method called on a session, unless its class has one of its own; tell whether it sends.

        With `above`, the method is the library's own, whatever the class has.
        """
        name = f"{opened.name}().{method}"
        if name not in self.tables.http:
            return False
        if above or opened.scope is None or method not in opened.scope.bindings:
            self._http(use, opened.http, name, opened)
        return True

    def _made(self, item: v.Instance, depth: int = 0) -> tuple[_Made | None, str]:
        """The client an object is, or was made from, and how what was called on the way is spelt before a method."""
        client = self.tables.clients.get(item.name)
        if client is not None:
            return (None if client.is_call else _Made(client, item)), ""
        owner, called, path = item.name.partition("().")
        client = self.tables.clients.get(owner) if called else None
        if client is None or client.is_call or depth >= _DEEPEST or item.node is None or item.place is None:
            return None, ""
        base = item.node.func
        while type(base).__name__ == "Attribute":
            base = base.value
            for inner in v.alternatives(self.evaluator.value(base, item.place)):
                if isinstance(inner, v.Instance):
                    made, prefix = self._made(inner, depth + 1)
                    if made is not None:
                        last = path.rpartition("().")[2]
                        if last in client.sdk.derive:
                            return replace(made, derived=(*made.derived, item)), prefix
                        return made, f"{prefix}{last}()."
        return None, ""

    def _on_unknown(self, use: CallUse, base: Node, method: str) -> None:
        """Take in a call whose receiver nobody knows, when the method alone tells that a model is called."""
        typed = self._typed(base, use.place)
        spelled = _without_raw(method)
        if typed is not None:
            if spelled in typed.methods:
                self._sent(use, None, spelled, typed)
            return
        for name in self.names.distinctive.get(use.node.func.attr.value, ()):
            if spelled == name or spelled.endswith(f".{name}"):
                owner = self.names.first_of.get(name)
                self._sent(use, None, name, None, sdk=self.catalogue.sdks[owner] if owner else None)
                return

    def _typed(self, node: Node, place: Place) -> Client | None:
        """The client a parameter is by its annotation."""
        if type(node).__name__ != "Name":
            return None
        found = self.evaluator.bindings(node.value, place)
        if not found or len(found) != 1 or found[0].annotation is None:
            return None
        annotation = found[0].annotation
        name = self.evaluator.name(annotation, place) if type(annotation).__name__ in {"Name", "Attribute"} else ""
        client = self.tables.clients.get(name)
        return None if client is None or client.is_call else client

    # connections

    def _constructed(self, node: Node, place: Place, client: Client) -> Connection:
        known = self.connections.get(id(node))
        if known is None:
            arguments = Arguments(node, place, self.evaluator)
            known = self.connections[id(node)] = self._described(node, place, client, arguments)
        return known

    def _connection(self, made: _Made) -> Connection | None:
        """The connection of a client; None for one that was made in another module."""
        instance = made.instance
        if instance is None or instance.node is None or instance.place is None:
            return None
        return self._constructed(instance.node, instance.place, made.client)

    def _of_module(self, use: CallUse, client: Client) -> Connection:
        """The connection of a call without a client: its own when it brings key or host, else its module's one."""
        arguments = Arguments(use.node, use.place, self.evaluator)
        own = arguments.get((*client.key_params, *client.base_params)) is not None or arguments.is_open
        models = self._prefixed(arguments, client)
        key: object = id(use.node) if own else (client.sdk.id, client.timeout, models)
        known = self.connections.get(key)
        if known is None:
            # Limits given to one call hold for no other call of the module.
            given = arguments if own else Arguments(None, use.place, self.evaluator)
            known = self.connections[key] = self._described(use.node, use.place, client, arguments, given)
        return known

    def _prefixed(self, arguments: Arguments, client: Client) -> str:
        """What stands before the slash of a model's name: with some SDKs it chooses the provider."""
        given = arguments.get(client.model_params, client.model_position)
        names = list(texts(given.value)) if given is not None else []
        return names[0].partition("/")[0] if len(names) == 1 and "/" in names[0] and client.provider is None else ""

    def _described(
        self, node: Node, place: Place, client: Client, arguments: Arguments, limits: Arguments | None = None
    ) -> Connection:
        sdk = self._sdk(client)
        inner = self._wrapped(client, arguments)
        if inner is not None:
            return replace(inner, node=node, place=place, name=client.name, client=client, sdk=sdk, calls=[])
        key = arguments.get(client.key_params, client.key_position)
        key = key or self._setting(sdk.settings)
        base = arguments.get(client.base_params, client.base_position)
        base = base or self._setting(sdk.base_url_settings)
        hosts = self._hosts(client, arguments, base)
        names = tuple(dict.fromkeys(names_read(key.value))) if key is not None else client.env
        return Connection(
            node,
            place,
            client.name,
            client,
            sdk,
            arguments,
            key=key,
            key_names=names,
            implied=client.env,
            base=base,
            hosts=hosts,
            timeout=self._timeout(client, sdk, limits or arguments),
            attempts=self._attempts(client, sdk, limits or arguments),
            is_async=client.is_async,
            unverified=self._unverified_client(sdk, arguments),
        )

    def _wrapped(self, client: Client, arguments: Arguments) -> Connection | None:
        """The connection of the client that a client is built around, whose key, host and limits hold for both."""
        if not client.client_params and client.client_position is None:
            return None
        given = arguments.get(client.client_params, client.client_position)
        for item in v.alternatives(given.value) if given is not None else ():
            if isinstance(item, v.Instance):
                made, _ = self._made(item)
                if made is not None:
                    return self._connection(made)
        return None

    def _sdk(self, client: Client) -> Sdk:
        """The SDK as it is in the release that the project asks for, or in the last one that had what is called."""
        sdk = client.sdk
        version = self.versions.get(sdk.package)
        gone = (item for item in sdk.removed if item.name and not item.package and not item.end_of_life)
        since = next((item.since for item in gone if f"{client.name}.".startswith(f"{item.name}.")), None)
        if since is not None and (version is None or not before(version, since)):
            version = just_below(since)
        return sdk.at(version)

    def _setting(self, names: Iterable[str]) -> Given | None:
        return next((self.settings[name] for name in names if name in self.settings), None)

    def _hosts(self, client: Client, arguments: Arguments, base: Given | None) -> tuple[Host, ...]:
        """The hosts a client may talk to; none when its base URL is not known."""
        if base is not None and not isinstance(base.value, (v.Null, v.Unset)):
            origin = "argument"
            found = list(self._hosts_of(base.value, origin))
            return () if is_unknown(base.value) and not found else tuple(found)
        if base is None and arguments.is_hidden(client.base_params):
            return ()
        for name in client.env_base:
            for given in self.env_writes.get(name, ()):
                return tuple(self._hosts_of(given.value, "env"))
        if client.base_default:
            host = host_of(client.base_default, "default", self.catalogue, self.trusted)
            return () if host is None else (host,)
        return ()

    def _hosts_of(self, value: v.Value, origin: str) -> Iterator[Host]:
        seen: set[str] = set()
        for url, is_fallback in urls_of(value):
            host = host_of(url, "env" if is_fallback else origin, self.catalogue, self.trusted)
            if host is not None and host.url not in seen and len(seen) < _MOST_HOSTS:
                seen.add(host.url)
                yield host

    def _unverified_client(self, sdk: Sdk, arguments: Arguments) -> Given | None:
        """What switches the check of certificates off for a client: its own argument, or its HTTP client's."""
        given = self._unverified(arguments.get(sdk.verify_params)) if sdk.verify_params else None
        inner = arguments.get(sdk.http_params) if given is None and sdk.http_params else None
        for item in v.alternatives(inner.value) if inner is not None else ():
            opened = self.sessions.of_value(item)
            if opened is None or opened.node is None or opened.place is None:
                continue
            verify = Arguments(opened.node, opened.place, self.evaluator).get(opened.http.verify_params)
            given = self._unverified(verify) or self.sessions.unchecked.get(id(opened.node))
            if given is not None:
                return given
        return given

    # limits

    def _timeout(self, client: Client, sdk: Sdk, arguments: Arguments) -> Limit:
        known = client.timeout if client.timeout is not client.sdk.timeout else sdk.timeout
        known = known.among(self.versions) if known is not None else None
        given = self.limits.given(arguments, known, "call" if client.is_call else "client")
        if given is None and client.is_call and known is not None and known.params:
            given = self.limits.given(arguments, known, "client")
        if given is not None and (given.is_known or given.given is not None or not sdk.http_params):
            return given
        inner = self._http_client(sdk, arguments)
        return inner or given or self.limits.default(known)

    def _http_client(self, sdk: Sdk, arguments: Arguments) -> Limit | None:
        """The limit of the HTTP client that an SDK's client is given; an unknown one when it cannot be read."""
        given = arguments.get(sdk.http_params)
        if given is None or isinstance(given.value, v.Null):
            return None
        for item in v.alternatives(given.value):
            http = self.tables.http.get(item.name) if isinstance(item, v.Instance) else None
            if http is None or not isinstance(item, v.Instance) or item.node is None or item.place is None:
                return Limit(None, is_known=False, origin="http-client", given=given)
            limit = self.limits.given(Arguments(item.node, item.place, self.evaluator), http.timeout, "client")
            if limit is None:
                return None  # SDKs take the limit of an HTTP client only where it is not the library's own default
            return Limit(limit.seconds, limit.is_known, "http-client", limit.given or given, limit.number, limit.unit)
        return None

    def _attempts(self, client: Client, sdk: Sdk, arguments: Arguments) -> Attempts:
        known = client.retry if client.retry is not client.sdk.retry else sdk.retry
        given = self.limits.given_attempts(arguments, known, "call" if client.is_call else "client")
        return given or self.limits.default_attempts(known)

    # calls

    def _sent(  # noqa: PLR0913, PLR0917  # what is known of a call
        self,
        use: CallUse,
        connection: Connection | None,
        method: str,
        client: Client | None,
        derived: tuple[v.Instance, ...] = (),
        sdk: Sdk | None = None,
    ) -> None:
        """Take in one model call."""
        sdk = sdk or (client.sdk if client is not None else None)
        arguments = Arguments(use.node, use.place, self.evaluator)
        params = client.model_params if client is not None else ("model",)
        position = client.model_position if client is not None else None
        given = arguments.get(params, position)
        if given is None and connection is not None and connection.arguments is not None and not client_is_call(client):
            given = connection.arguments.get(params)
        timeout, attempts = self._effective(connection, client, sdk, method, arguments, derived)
        timeout = self._bound(use) or timeout
        call = ModelCall(
            use.node,
            use.place,
            method,
            arguments,
            connection=connection,
            sdk=sdk,
            client=client,
            models=tuple(dict.fromkeys(texts(given.value))) if given is not None else (),
            model=given,
            timeout=timeout,
            attempts=attempts,
            is_async=self._is_async(client, sdk, method),
            is_awaited=id(use.node) in self.index.awaited,
            is_streaming=_streams(sdk, method, arguments),
        )
        self.calls.append(call)
        if connection is not None:
            connection.calls.append(call)

    def _effective(  # noqa: PLR0913, PLR0917  # everything that a limit can be set with
        self,
        connection: Connection | None,
        client: Client | None,
        sdk: Sdk | None,
        method: str,
        arguments: Arguments,
        derived: tuple[v.Instance, ...],
    ) -> tuple[Limit, Attempts]:
        """The limits of a call: its own, else those of the client it goes through as it was changed on the way."""
        timeout = connection.timeout if connection is not None else Limit(None, is_known=False, origin="client")
        attempts = connection.attempts if connection is not None else Attempts(origin="client")
        if client is None or sdk is None:
            return timeout, attempts
        if client.is_call:
            sdk = self._sdk(client)
            return self._timeout(client, sdk, arguments), self._attempts(client, sdk, arguments)
        for item in derived:
            if item.node is None or item.place is None:
                continue
            changed = Arguments(item.node, item.place, self.evaluator)
            timeout = self.limits.given(changed, client.timeout, "client") or timeout
            attempts = self.limits.given_attempts(changed, client.retry, "client") or attempts
        own = self.limits.given(arguments, client.timeout, "call")
        if own is not None and own.given is not None and isinstance(own.given.value, v.Null):
            none = client.timeout.call_none if client.timeout is not None else "client"
            own = own if none == "endless" else None
        attempts = self.limits.given_attempts(arguments, client.retry, "call") or attempts
        retry = client.retry
        if retry is client.sdk.retry and connection is not None and connection.sdk is not None:
            retry = connection.sdk.retry  # that of the release which the project asks for
        return own or timeout, self.limits.attempts_of(method, attempts, retry)

    @staticmethod
    def _is_async(client: Client | None, sdk: Sdk | None, method: str) -> bool:
        if client is not None and client.is_async:
            return True
        return sdk is not None and any(
            method == name or (name.endswith(".*") and method.startswith(name[:-1])) for name in sdk.async_methods
        )

    # raw HTTP

    def _http(self, use: CallUse, http: HttpClient, name: str, session: Opened | None) -> None:
        """Take in a request of an HTTP library."""
        method = name.rpartition(".")[2]
        arguments = self._arguments(use)
        own = None
        if session is not None and session.scope is None and session.node is not None and session.place is not None:
            own = Arguments(session.node, session.place, self.evaluator)
        is_verb = method in _VERBS
        position = http.url_position if is_verb or http.url_position_verb is None else http.url_position_verb
        sent = self._request(http, arguments)
        url = sent.get(http.url_params, position)
        hosts = self._request_hosts(http, url, own)
        headers = sent.get(http.headers_params, http.headers_position)
        headers = headers or (own.get(http.headers_params) if own is not None else None)
        headers = headers or next(iter(self._headers_of(session)), None)
        verify = arguments.get(http.verify_params) or (own.get(http.verify_params) if own is not None else None)
        changed = self.sessions.unchecked.get(id(session.node)) if session is not None else None
        call = HttpCall(
            use.node,
            use.place,
            http,
            name,
            arguments,
            verb=method.upper() if is_verb else self._verb(http, arguments),
            url=url,
            hosts=hosts,
            timeout=self._bound(use) or self._request_timeout(http, arguments, own, session),
            attempts=self.limits.default_attempts(http.retry),
            session=session.node if session is not None else None,
            session_arguments=own,
            headers=headers,
            verify=verify,
            unverified=self._unverified(verify) or (changed if verify is None else None),
            is_async=session is not None and session.name in http.async_sessions,
            is_model=self._is_model(url, hosts),
            carries_key=self._carries_key(http, arguments, sent, headers, url, own, session),
            sends=name not in http.prepares and method not in http.prepares,
        )
        self.http_calls.append(call)
        if call.is_model:
            self._raw_connection(call)

    def _session(self, use: CallUse, http: HttpClient, name: str) -> None:
        """Take in the making of a session."""
        arguments = self._arguments(use)
        tuned = id(use.node) in self.sessions.tuned
        given = None if tuned else self.limits.given(arguments, http.timeout, "client")
        verify = self._unverified(arguments.get(http.verify_params))
        self.http_sessions[id(use.node)] = HttpSession(
            use.node,
            use.place,
            http,
            name,
            arguments,
            Limit(origin="client") if tuned else given or self._default(http),
            verify or self.sessions.unchecked.get(id(use.node)),
        )

    def _arguments(self, use: CallUse) -> Arguments:
        """What a call gives, and what the partial function that it calls brings."""
        arguments = Arguments(use.node, use.place, self.evaluator)
        func = use.node.func
        kind = type(func).__name__
        found = self.evaluator.bindings(func.value, use.place) if kind == "Name" else None
        if kind == "Attribute":
            found = self._attribute_bindings(func, use.place)
        for item in found or ():
            if type(item.node).__name__ == "Call" and self.near.callee(item.node, item.place) in _PARTIAL:
                arguments = arguments.after(Arguments(item.node, item.place, self.evaluator))
        return arguments

    def _attribute_bindings(self, func: Node, place: Place) -> list[Binding]:
        """What a method's or module attribute's name was assigned in this module."""
        found = self.index.attributes.get(spell(func), [])[:_MOST_HOSTS]
        function = place.scope.function
        owner = function.parent
        if type(func.value).__name__ == "Name" and func.value.value == function.self_name and owner is not None:
            found += owner.attributes.get(func.attr.value, [])[:_MOST_HOSTS]
        return found

    def _unverified(self, given: Given | None) -> Given | None:
        """What switches the check of certificates off: an argument, or what was done to the context that it is."""
        if given is None:
            return None
        http = self.catalogue.http
        if is_insecure(given.value, http.insecure, http.insecure_values):
            return given
        nodes = [getattr(value, "node", None) for value in v.alternatives(given.value)]
        changed = [self.sessions.unchecked.get(id(node)) for node in nodes if node is not None]
        return changed[0] if changed and all(changed) and len(changed) == len(nodes) else None

    # what ends a wait from outside

    @functools.cached_property
    def _bounding(self) -> dict[int, list[tuple[With, Limit]]]:
        """The `with` statements that end what stands in them, by the `id` of their function."""
        found: dict[int, list[tuple[With, Limit]]] = {}
        for block in self.index.withs if self._has_bounds else ():
            for item in block.node.items:
                limit = self._bounds(item.item, block.place)
                if limit is not None:
                    found.setdefault(id(block.place.scope.function), []).append((block, limit))
        return found

    def _bounds(self, node: Node, place: Place) -> Limit | None:
        """The limit that a call sets to what it is given or what stands under it; None when it sets none."""
        if type(node).__name__ != "Call" or self.near.callee(node, place) not in self.catalogue.http.bounds:
            return None
        arguments = Arguments(node, place, self.evaluator)
        # `wait_for(awaited, 30)`, `timeout(30)`: the last of at most two.
        given = arguments.get(("timeout", "delay", "seconds"), min(len(arguments.positional), 2) - 1)
        if given is None:
            return Limit(origin="around")
        limit = self.limits.read(given, "s", "endless", None, "around")
        return None if limit.is_endless else limit

    def _bound(self, use: CallUse, depth: int = 0) -> Limit | None:
        """What ends a call from outside: around it, its block, its function, or every call of its function."""
        for role in use.role.up():
            if role.kind == "argument":
                limit = self._bounds(role.node, use.place)
                if limit is not None:
                    return limit
        scope = use.place.scope.function
        bounding = self._bounding.get(id(scope), ())
        if len(bounding) > _MOST_BOUNDS:
            return Limit(origin="around")
        for block, limit in bounding:
            if block.holds(use.place):
                return limit
        for item in scope.decorators:
            limit = self._bounds(item, use.place)
            if limit is not None:
                return limit
        if depth >= _DEEPEST or scope.kind != "function" or not self._has_bounds:
            return None
        limits = [self._bound(site, depth + 1) for site in self.evaluator.sites(scope)[:_MOST_HOSTS]]
        return limits[0] if limits and all(limits) else None

    @functools.cached_property
    def _has_bounds(self) -> bool:
        """Tell whether the module imports anything that ends a wait from outside."""
        packages = {name.partition(".")[0] for name in self.catalogue.http.bounds}
        return any(name.partition(".")[0] in packages for name, _ in self.index.imports)

    def _default(self, http: HttpClient) -> Limit:
        """The limit of a library's requests when nobody sets one; unknown where the module changes it as a whole."""
        if self.sessions.has_global_limit or http.id in self.sessions.replaced:
            return Limit(origin="setting")
        return self.limits.default(http.timeout)

    @staticmethod
    def _is_model(url: Given | None, hosts: tuple[Host, ...]) -> bool:
        """Tell whether a request goes to a model API: by its host, or by a path that only those have."""
        if any(serves_models(host.provider) and not host.is_local for host in hosts):
            return True
        return url is not None and any(MODEL_PATH.search(v.show(item)) for item in v.alternatives(url.value))

    def _request_hosts(self, http: HttpClient, url: Given | None, own: Arguments | None) -> tuple[Host, ...]:
        found = list(self._hosts_of(url.value, "argument")) if url is not None else []
        if not found and own is not None and http.base_url_params:
            base = own.get(http.base_url_params, 0 if http.base_url_params == ("host",) else None)
            found = list(self._hosts_of(base.value, "setting")) if base is not None else []
        return tuple(found)

    def _request(self, http: HttpClient, arguments: Arguments) -> Arguments:
        """The arguments that say what is sent: the call's, or those of the request object it is given as its URL."""
        url = arguments.get(http.url_params, http.url_position)
        for item in v.alternatives(url.value) if url is not None and http.requests else ():
            if isinstance(item, v.Instance) and item.name in http.requests and item.place is not None:
                return Arguments(item.node, item.place, self.evaluator)
        return arguments

    def _headers_of(self, session: Opened | None) -> list[Given]:
        """What the module puts into the headers of a session after it was made."""
        if self._sent_with is None:
            self._sent_with = {}
            for owner, given in self._header_writes():
                for item in v.alternatives(owner):
                    if isinstance(item, v.Instance) and item.node is not None:
                        self._sent_with.setdefault(id(item.node), []).append(given)
        return self._sent_with.get(id(session.node), []) if session is not None else []

    def _header_writes(self) -> Iterator[tuple[v.Value, Given]]:
        """Objects whose headers are written (`s.headers.update(…)`, `s.headers["X"] = …`), with a table of them."""
        for use in self.index.calls:
            func = use.node.func
            if type(func).__name__ == "Attribute" and func.attr.value == "update" and _is_headers(func.value):
                given = Arguments(use.node, use.place, self.evaluator).get((), 0)
                if given is not None:
                    yield self.evaluator.value(func.value.value, use.place), given
        for write in self.index.writes:
            target, place = write.target, write.place
            if type(target).__name__ == "Subscript" and _is_headers(target.value) and len(target.slice) == 1:
                name = plain_string(getattr(target.slice[0].slice, "value", None))
                if name is not None:
                    table = v.Table(((v.Text(name), self.evaluator.value(write.node, place)),))
                    yield self.evaluator.value(target.value.value, place), Given(name, table, write.node, place)
            elif type(target).__name__ == "Attribute" and target.attr.value == "headers":
                value = self.evaluator.value(write.node, place)
                yield self.evaluator.value(target.value, place), Given("headers", value, write.node, place)

    @staticmethod
    def _verb(http: HttpClient, arguments: Arguments) -> str:
        """The verb of a call that takes one before the URL (`request(method, url)`)."""
        position = None if http.url_position_verb is None and http.url_position == 0 else 0
        given = arguments.get(("method",), position)
        return next(texts(given.value), "").upper() if given is not None else ""

    def _request_timeout(
        self, http: HttpClient, arguments: Arguments, own: Arguments | None, session: Opened | None
    ) -> Limit:
        """The limit of a request: its own, its session's, else the library's default."""
        position = http.timeout_position if session is None else None
        given = self.limits.given(arguments, http.timeout, "call", position)
        if given is not None:
            return given
        if session is not None and (session.is_tuned or (own is None and not self._is_plain(http, session))):
            return Limit(None, is_known=False, origin="client")
        inner = self.limits.given(own, http.timeout, "client") if own is not None else None
        return inner or self._default(http)

    @staticmethod
    def _is_plain(http: HttpClient, session: Opened) -> bool:
        """Tell whether a session of the project's own class can hold no limit: its library's take none."""
        return session.scope is not None and http.timeout is not None and not http.timeout.params

    def _carries_key(  # noqa: PLR0913, PLR0917  # the places a key can travel in
        self,
        http: HttpClient,
        arguments: Arguments,
        sent: Arguments,
        headers: Given | None,
        url: Given | None,
        own: Arguments | None,
        session: Opened | None,
    ) -> bool:
        """Tell whether a key travels with a request: in a credential's header, a parameter, the URL, as its login."""
        if any(part is not None and part.get(http.auth_params) is not None for part in (arguments, own)):
            return True
        words = self.catalogue.words
        whole = own.get(http.headers_params) if own is not None else None
        in_headers = (headers, whole, *self._headers_of(session)[:_MOST_HEADERS])
        query = sent.get(http.query_params)
        return (
            any(_is_named(name, words.headers) for given in in_headers for name in self._keys_of(given))
            or any(_is_named(name, words.query) for name in self._keys_of(query))
            or (url is not None and any(is_key_variable(name, self.catalogue) for name in names_read(url.value)))
        )

    def _keys_of(self, given: Given | None) -> Iterator[str]:
        """The keys of a mapping that is given, those it gets after it was made included."""
        if given is None:
            return
        for item in v.alternatives(given.value):
            if isinstance(item, v.Table):
                yield from (key.text for key, _ in item.entries if isinstance(key, v.Text))
        for change in self.evaluator.changes(given.node, given.place):
            yield from self._changed_keys(change)

    def _changed_keys(self, change: Change) -> Iterator[str]:
        if change.key is not None:
            yield change.key
        elif change.node is not None:
            value = self.evaluator.value(change.node, change.place)
            if isinstance(value, v.Table):
                yield from (key.text for key, _ in value.entries if isinstance(key, v.Text))

    def _raw_connection(self, http: HttpCall) -> None:
        connection = Connection(
            http.node,
            http.place,
            http.name,
            None,
            None,
            http.arguments,
            key=http.headers,
            key_names=tuple(dict.fromkeys(self._key_names(http))),
            base=http.url,
            hosts=http.hosts,
            timeout=http.timeout,
            attempts=http.attempts,
            is_async=http.is_async,
            http=http,
            unverified=http.unverified,
        )
        self.connections[id(http.node)] = connection
        body = http.arguments.get(http.http.body_params)
        models = _models_in(body)
        call = ModelCall(
            http.node,
            http.place,
            http.verb.lower(),
            http.arguments,
            connection=connection,
            models=models,
            model=member_of(body, "model", self.evaluator) if body is not None else None,
            timeout=http.timeout,
            attempts=http.attempts,
            is_async=http.is_async,
            is_awaited=id(http.node) in self.index.awaited,
            is_streaming=http.name.endswith(".stream") or http.arguments.has("stream") or _streams_in(body),
            http=http,
        )
        self.calls.append(call)
        connection.calls.append(call)

    def _key_names(self, http: HttpCall) -> Iterator[str]:
        sources = [http.headers, http.url, http.arguments.get(http.http.query_params)]
        for given in sources:
            for item in v.alternatives(given.value) if given is not None else ():
                values = [value for _, value in item.entries] if isinstance(item, v.Table) else [item]
                for value in values:
                    yield from (name for name in names_read(value) if is_key_variable(name, self.catalogue))


def _is_named(name: str, names: tuple[str, ...]) -> bool:
    return name.lower().replace("_", "-") in _dashed(names)


def _is_headers(node: Node) -> bool:
    return type(node).__name__ == "Attribute" and node.attr.value == "headers"


def client_is_call(client: Client | None) -> bool:
    """Tell whether a client is a function that sends a request itself."""
    return client is not None and client.is_call


def _without_raw(method: str) -> str:
    for raw in RAW:
        method = method.replace(raw, "")
    return method


def _streams(sdk: Sdk | None, method: str, arguments: Arguments) -> bool:
    if "stream" in method or method.endswith(".connect"):  # a socket that stays open is a stream, too
        return True
    given = arguments.get(sdk.stream_params if sdk is not None and sdk.stream_params else ("stream",))
    return given is not None and any(
        not (isinstance(item, v.Number) and not item.number) for item in v.alternatives(given.value)
    )


def _models_in(body: Given | None) -> tuple[str, ...]:
    """The models that a request's body names."""
    found: list[str] = []
    for item in v.alternatives(body.value) if body is not None else ():
        model = item.get("model") if isinstance(item, v.Table) else None
        if model is not None:
            found.extend(texts(model))
    return tuple(dict.fromkeys(found))


def _streams_in(body: Given | None) -> bool:
    """Tell whether a request's body asks for a stream."""
    tables = (item for item in v.alternatives(body.value) if isinstance(item, v.Table)) if body is not None else ()
    asked = (item.get("stream") for item in tables)
    return any(isinstance(value, v.Number) and bool(value.number) for value in asked)


@functools.lru_cache(maxsize=8)
def _dashed(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.lower().replace("_", "-") for name in names)
