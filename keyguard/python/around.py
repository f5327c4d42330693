"""What stands around an expression and tells whose key it is: names, hosts, variables, clients."""

from __future__ import annotations

import re

from msgspec import Struct, field
from msgspec.structs import replace

from keyguard.patterns import regex
from keyguard.python import values as v
from keyguard.python.index import flatten, plain_string, spell
from keyguard.python.tables import setting_of, tables_of
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import Sdk
    from keyguard.python.evaluate import Evaluator
    from keyguard.python.index import Index, Node, Place, Role, Scope
    from keyguard.python.tables import Client

_HOST = regex(r"\b(?:https?|wss?)://(?:[^/\s@\"'<>{}]{1,200}@)?([A-Za-z0-9.-]{1,253}(?::\d{1,5})?)")
MAX_HOSTS = 16  # hosts of a scope worth asking
DOUBLE_STAR = -2  # the position of a role that is a call's `**mapping`
_ADDRESS = regex(r"url|base|host|endpoint|server|address|api_type|domain|proxy", re.IGNORECASE)


class Around(Struct):
    """What is known around a text: names inside out, hosts near first, the variable and the client it belongs to.

    `is_key` says that a client is given the text as its key, `given_to` how that client is spelled. `sent_to` are those
    of the hosts that stand in a call or a table with the text, and not only somewhere near it.
    """

    names: list[str] = field(default_factory=list)
    hosts: tuple[str, ...] = ()
    env: str | None = None
    client: Client | None = None
    is_key: bool = False
    given_to: str = ""
    sent_to: tuple[str, ...] = ()

    def given(self, client: Client, spelled: str) -> None:
        """Note that a client gets the text as its key."""
        self.is_key, self.client, self.given_to = True, self.client or client, self.given_to or spelled

    def named(self, name: str) -> Around:
        """The same with a nearer name."""
        return replace(self, names=[name, *(other for other in self.names if other != name)])

    def merged(self, others: Iterable[Around]) -> Around:
        """This and what other uses of the same text tell, nearest first."""
        told = replace(self, names=list(self.names))
        for other in others:
            told.names += [name for name in other.names if name not in told.names]
            told.hosts += tuple(host for host in other.hosts if host not in told.hosts)
            told.env = told.env or other.env
            told.client = told.client or other.client
            told.is_key = told.is_key or other.is_key
            told.given_to = told.given_to or other.given_to
            told.sent_to += tuple(host for host in other.sent_to if host not in told.sent_to)
        return told


class Surroundings:
    """Answers what stands around an expression: the callee, the hosts, the names and variables, the client."""

    def __init__(self, found: Index, evaluator: Evaluator, catalogue: Catalogue) -> None:
        """Look around in one module."""
        self.index, self.evaluator, self.catalogue = found, evaluator, catalogue
        self.tables = tables_of(catalogue)
        self.scope_hosts: dict[int, tuple[str, ...]] = {}
        self._agreeing: dict[int, tuple[str, ...]] = {}
        self._callees: dict[int, str] = {}
        self._call_hosts: dict[int, tuple[str, ...]] = {}
        self._find_hosts()

    def _find_hosts(self) -> None:
        """Note the hosts that each function, class and the module name in literals."""
        found: dict[int, list[str]] = {}
        for use in self.index.strings:
            if use.role.kind == "docstring":
                continue
            for leaf in leaves_of(use.node):
                raw = leaf.value
                if "://" in raw:
                    hosts = [match[1].lower() for match in _HOST.finditer(raw[:4096])]
                    found.setdefault(id(use.place.scope.function), []).extend(hosts)
        self.scope_hosts = {key: tuple(dict.fromkeys(hosts)) for key, hosts in found.items()}

    def hosts_at(self, place: Place) -> tuple[str, ...]:
        """The hosts named in the nearest scope that names any, if they do not differ on whose they are."""
        scope: Scope | None = place.scope.function
        while scope is not None:
            if id(scope) in self.scope_hosts:
                return self._agreed(scope)
            scope = scope.parent
        return ()

    def _agreed(self, scope: Scope) -> tuple[str, ...]:
        known = self._agreeing.get(id(scope))
        if known is None:
            hosts = self.scope_hosts[id(scope)]
            owners = {owner.id for owner in map(self.catalogue.provider_of_host, hosts) if owner is not None}
            known = self._agreeing[id(scope)] = hosts[:MAX_HOSTS] if len(owners) <= 1 else ()
        return known

    def hosts_of_call(self, call: Node, place: Place) -> tuple[str, ...]:
        """The hosts that the arguments of a call name."""
        known = self._call_hosts.get(id(call))
        if known is not None:
            return known
        self._call_hosts[id(call)] = ()
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
                    hosts.extend(hosts_in(v.show(value), bare=bool(name)))
        if (
            not hosts
            and client is not None
            and client.base_default
            and not any(
                argument.keyword is not None and argument.keyword.value in client.base_params for argument in call.args
            )
        ):
            hosts.extend(hosts_in(client.base_default, bare=True))
        if not hosts and callee.count("().") == 1:
            base = self._receiver(call, place)
            if base is not None and base.node is not None and base.place is not None:
                hosts.extend(self.hosts_of_call(base.node, base.place))
        self._call_hosts[id(call)] = tuple(dict.fromkeys(hosts))
        return self._call_hosts[id(call)]

    def _receiver(self, call: Node, place: Place) -> v.Instance | None:
        node = call.func
        while type(node).__name__ == "Attribute":
            node = node.value
        value = self.evaluator.value(node, place)
        return value if isinstance(value, v.Instance) else None

    def callee(self, call: Node, place: Place) -> str:
        """The dotted name of what a call calls; empty when it is not known."""
        name = self._callees.get(id(call))
        if name is None:
            name = self._callees[id(call)] = self.evaluator.name(call.func, place)
        return name

    def around(self, role: Role, place: Place) -> Around:  # noqa: C901  # one arm a kind of role
        """What the roles of an expression tell: names inside out, and whose it is."""
        told = Around()
        for item in role.up():
            told.names += [name for name in item.names if name and name not in told.names]
            if item.node is None:
                continue
            if item.kind == "argument":
                self._argument_tells(told, item, place)
            elif item.kind == "dict-value":
                told.hosts = told.hosts or self._hosts_of_table(item.node)
            elif item.kind == "subscript-assign":
                told.env = told.env or self._subscript_env(item.node, place)
            elif item.kind == "attribute":
                sdk = self._setting(item.node, place)
                if sdk is not None:
                    told.given(setting_of(sdk), spell(item.node))
            elif item.kind == "fallback":
                told.names += [name for name in self.env_of_left(item.node, place) if name not in told.names]
        if told.env is None:
            told.env = next((name for name in told.names if self.catalogue.providers_of_env(name)), None)
        elif told.env not in told.names:
            told.names.insert(0, told.env)
        told.sent_to = told.hosts
        told.hosts = told.hosts or self.hosts_at(place)
        return told

    def _argument_tells(self, told: Around, role: Role, place: Place) -> None:
        call = role.node
        callee = self.callee(call, place)
        client = self.tables.clients.get(callee)
        if client is not None:
            told.client = told.client or client
            unpacked = role.position == DOUBLE_STAR and told.names and told.names[0] in client.key_params
            if unpacked or self.is_key_argument(client, role):
                told.given(client, spell(call.func) or callee)
                if not told.names:
                    told.names.append(client.key_params[0] if client.key_params else "api_key")
        told.hosts = told.hosts or self.hosts_of_call(call, place)
        told.env = told.env or self.written_name(callee, call, role, place) or self.read_name(callee, call, role, place)

    def is_key_argument(self, client: Client, role: Role) -> bool:
        """Tell whether an argument of a client is its key."""
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
        if reader is None or not is_argument(role, reader.default_position, reader.default_keywords):
            return None
        name = _argument(call, reader.name_position, reader.name_keywords)
        return self.text_of(name, place) if name is not None else None

    def _subscript_env(self, target: Node, place: Place) -> str | None:
        if self.evaluator.name(target.value, place) not in self.tables.write_subscripts:
            return None
        part = target.slice[0].slice
        return self.text_of(part.value, place) if type(part).__name__ == "Index" else None

    def _setting(self, target: Node, place: Place) -> Sdk | None:
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
        """The text an expression is known to be, else None."""
        value = self.evaluator.value(node, place)
        return value.text if isinstance(value, v.Text) else None

    def _hosts_of_table(self, node: Node) -> tuple[str, ...]:
        hosts: list[str] = []
        if type(node).__name__ != "Dict":
            return ()
        for element in node.elements[:64]:
            if type(element).__name__ == "DictElement":
                key, text = plain_string(element.key), plain_string(element.value)
                if key and text and _ADDRESS.search(key):
                    hosts.extend(hosts_in(text, bare=False))
        return tuple(hosts)


def leaves_of(node: Node) -> list[Node]:
    """The literals of a string expression that is nothing but literals; none for anything else."""
    return flatten(node) if type(node).__name__ == "ConcatenatedString" else [node] if hasattr(node, "value") else []


def hosts_in(text: str, *, bare: bool) -> list[str]:
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


def is_argument(role: Role, position: int | None, keywords: tuple[str, ...]) -> bool:
    """Tell whether a role is the argument at a position or of one of these names."""
    if role.names:
        return role.names[0] in keywords
    return role.position is not None and role.position == position
