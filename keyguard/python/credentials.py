"""Which keys a connection may send: the variables they are read from, by name or without a word, and literal texts."""

from __future__ import annotations

import functools
import re

from msgspec import Struct

from keyguard.patterns import regex
from keyguard.python import values as v
from keyguard.python.arguments import entry_node
from keyguard.python.index import spell
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.catalogue import Catalogue
    from keyguard.python.index import Node
    from keyguard.python.network import Connection, Network

NAMED, FALLBACK, IMPLIED = "named", "fallback", "implied"


class Sent(Struct, frozen=True, eq=False):
    """A variable whose value a connection may send.

    `how` is named (the code reads it), fallback (it is taken when what the code gives is missing) or implied (nothing
    is given, so the client reads it). `node` is what is given as the key, else the call; `read` where the code reads
    the variable, if that is elsewhere. `instead_of` is the variable that a fallback stands in for.
    """

    name: str
    how: str
    node: Node
    read: Node = None
    instead_of: str = ""


class Written(Struct, frozen=True, eq=False):
    """A text given as a key, or in a place where a key travels; `node` is its literal, else what is given."""

    text: str
    node: Node


def variables(connection: Connection, network: Network) -> Iterator[Sent]:
    """The variables whose values a connection may send, each once for each way."""
    if connection.node is None:
        return
    seen: set[tuple[str, str]] = set()
    for sent in (*_named(connection, network), *_implied(connection, network)):
        if (sent.name, sent.how) not in seen:
            seen.add((sent.name, sent.how))
            yield sent


def literals(connection: Connection, network: Network) -> Iterator[Written]:
    """The texts that a connection sends as its key, those included that the module puts into its variables."""
    for value, node in carried(connection):
        yield from _written(value, node)
    for name in connection.key_names[:1]:
        written = network.env_writes.get(name, ())
        if len(written) == 1:  # of several, nobody knows which one holds when the client is made
            yield from _written(written[0].value, written[0].node)


def _written(value: v.Value, node: Node) -> Iterator[Written]:
    for text in _texts(value):
        # Of a key in pieces the whole expression is pointed at: what is shown of it is masked as a whole.
        leaf = text.pieces[0].leaf if len(text.pieces) == 1 else None
        yield Written(text.text, leaf if type(leaf).__name__ == "SimpleString" else node)


def carried(connection: Connection) -> Iterator[tuple[v.Value, Node]]:
    """The values in which a connection's key travels, and the expressions that give them."""
    if connection.http is None:
        if connection.key is not None:
            yield connection.key.value, connection.key.node
        return
    http = connection.http
    tables = (http.headers, http.arguments.get(http.http.query_params))
    for given in (*tables, http.arguments.get(http.http.auth_params), http.url):
        for item in v.alternatives(given.value) if given is not None else ():
            if not isinstance(item, v.Table):
                yield item, given.node if given is not None else None
                continue
            for key, value in item.entries:
                name = key.text if isinstance(key, v.Text) else ""
                entry = entry_node(given.node, name) if given is not None else None
                yield value, entry if entry is not None else given.node if given is not None else None


def _texts(value: v.Value) -> Iterator[v.Text]:
    for item in v.alternatives(value):
        if isinstance(item, v.Text):
            yield item
        elif isinstance(item, v.EnvRead) and item.default is not None:
            yield from _texts(item.default)
        elif isinstance(item, v.Sealed):
            yield from _texts(item.value)


def reads_of(value: v.Value) -> Iterator[v.EnvRead]:
    """The reads of the environment that a value comes from, those it falls back to included."""
    for item in v.alternatives(value):
        if isinstance(item, v.EnvRead):
            yield item
            if item.default is not None:
                yield from reads_of(item.default)
        elif isinstance(item, v.Joined):
            for part in item.parts:
                yield from reads_of(part)
        elif isinstance(item, v.Sealed):
            yield from reads_of(item.value)


def _named(connection: Connection, network: Network) -> Iterator[Sent]:
    client_reader = "client"  # `client.api_key`: the first of the variables its client reads
    for value, node in carried(connection):
        last = v.alternatives(value)[-1]
        missing: list[v.EnvRead] = []
        for read in reads_of(value):
            where = read.node if read.node is not None and read.node is not node else None
            for name in read.names[:1] if read.reader == client_reader else read.names:
                yield Sent(name, NAMED, node, where)
            if read is last and is_optional(read, network.catalogue):
                missing.append(read)
        if missing and connection.http is None and not is_guarded(node, missing, network):
            for name in _own_variables(connection):
                for read in missing:
                    if name not in read.names:
                        yield Sent(name, FALLBACK, node, None, read.names[0] if read.names else "")


def _own_variables(connection: Connection) -> tuple[str, ...]:
    """The variables that a client reads when it is given no key, or None as one: only of clients that insist on one."""
    sdk, client = connection.sdk, connection.client
    if sdk is None or client is None or not client.env:
        return ()
    if sdk.missing_key == "fallback":
        return (client.env[0], *sdk.env_fallback)
    return (client.env[0],) if sdk.missing_key == "raises" else ()


def _implied(connection: Connection, network: Network) -> Iterator[Sent]:
    client, sdk, arguments = connection.client, connection.sdk, connection.arguments
    if client is None or sdk is None or arguments is None:
        return
    env = client.env if not client.is_call else ()
    env = env or _routed(connection, network.catalogue)
    if not env:
        return
    given = connection.key
    if given is None and (arguments.is_hidden(client.key_params) or _brings_header(connection, network.catalogue)):
        return
    if given is not None and not isinstance(given.value, v.Null):
        return
    node = connection.node if given is None else given.node
    yield Sent(env[0], IMPLIED, node)
    if sdk.missing_key == "fallback":
        for name in sdk.env_fallback:
            yield Sent(name, FALLBACK, node, None, env[0])


def _routed(connection: Connection, catalogue: Catalogue) -> tuple[str, ...]:
    """The variables that a client reads for the provider whose prefix its model has (`openai/gpt-4o`)."""
    client, arguments = connection.client, connection.arguments
    if client is None or arguments is None:
        return ()
    sdk = catalogue.sdks.get(client.sdk.routes_of or "", client.sdk)
    model = arguments.get(client.model_params, client.model_position) if sdk.routes else None
    if model is None or not isinstance(model.value, v.Text):
        return ()
    found = [route for route in sdk.routes if model.value.text.startswith(route.prefix)]
    return max(found, key=lambda route: len(route.prefix)).env if found else ()


def _brings_header(connection: Connection, catalogue: Catalogue) -> bool:
    """Tell whether a client is given headers of its own that hold a credential, or that nobody can see."""
    if connection.sdk is None or connection.arguments is None:
        return False
    given = connection.arguments.get(connection.sdk.header_params)
    if given is None:
        return False
    names = {name.lower() for name in catalogue.words.headers}
    for item in v.alternatives(given.value):
        if not isinstance(item, v.Table) or not item.complete:
            return True
        if any(not isinstance(key, v.Text) or key.text.lower() in names for key, _ in item.entries):
            return True
    return False


def is_optional(read: v.EnvRead, catalogue: Catalogue) -> bool:
    """Tell whether a read gives None when its variable is not set."""
    if read.default is not None:
        return isinstance(read.default, v.Null)
    reader = next((item for item in catalogue.env_access.readers if item.id == read.reader), None)
    return reader is not None and reader.missing == "none"


def is_guarded(node: Node, reads: list[v.EnvRead], network: Network) -> bool:
    """Tell whether the module looks at a value before it is used: what a test says of it is not followed, only seen.

    A variable whose name also stands where it is not read (in a list of what is required, in a decorator) counts too.
    """
    names = {name for read in reads for name in read.names}
    words = {word for word in (*names, spell(node).rpartition(".")[2] if node is not None else "") if word}
    if not words:
        return False
    return _is_seen(network.index.module.text, frozenset(names), frozenset(words))


@functools.lru_cache(maxsize=256)  # clients of one module are often made of the same few variables
def _is_seen(text: str, names: frozenset[str], words: frozenset[str]) -> bool:
    tested = rf"\b(?:if|elif|assert|while|raise)\b[^\n]{{0,200}}\b(?:{_either(words)})\b"
    if re.search(tested, text) is not None:
        return True
    quoted = rf"(\w{{0,20}}[\[(]\s{{0,40}})?['\"](?:{_either(names)})['\"]"
    return any(_READ.match(found[1] or "") is None for found in re.finditer(quoted, text)) if names else False


_READ = regex(r"(?:getenv|get|environ)[\[(]")


def _either(words: frozenset[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words))
