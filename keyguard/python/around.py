"""What stands around an expression and tells whose key it is: names, hosts, variables, clients."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyguard.python import values as v
from keyguard.python.index import flatten, plain_string, spell
from keyguard.python.tables import Client, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import Sdk
    from keyguard.python.evaluate import Evaluator
    from keyguard.python.index import Index, Node, Place, Role, Scope

_HOST = re.compile(r"\b(?:https?|wss?)://(?:[^/\s@\"'<>{}]{1,200}@)?([A-Za-z0-9.-]{1,253}(?::\d{1,5})?)")
DOUBLE_STAR = -2  # the position of a role that is a call's `**mapping`
_ADDRESS = re.compile(r"url|base|host|endpoint|server|address|api_type|domain|proxy", re.IGNORECASE)


@dataclass(slots=True)
class Around:
    """What is known around a text: names inside out, hosts near first, the variable and the client it belongs to."""

    names: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    env: str | None = None
    client: Client | None = None
    is_key: bool = False
    given_to: str = ""

    def merged(self, others: Iterable[Around]) -> Around:
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
        return Around(tuple(names), tuple(hosts), env, client, is_key, given_to)


class Surroundings:
    """Answers what stands around an expression: the callee, the hosts, the names and variables, the client."""

    def __init__(self, found: Index, evaluator: Evaluator, catalogue: Catalogue) -> None:
        """Look around in one module."""
        self.index, self.evaluator, self.catalogue = found, evaluator, catalogue
        self.tables = tables_of(catalogue)
        self.scope_hosts: dict[int, tuple[str, ...]] = {}
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
        """The hosts named in the nearest scope that names any; the module's only when they agree on whose they are."""
        scope: Scope | None = place.scope.function
        while scope is not None:
            hosts = self.scope_hosts.get(id(scope))
            if hosts:
                owners = {
                    provider.id for host in hosts if (provider := self.catalogue.provider_of_host(host)) is not None
                }
                return hosts if len(owners) <= 1 else ()
            scope = scope.parent
        return ()

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
        name = self._callees.get(id(call))
        if name is None:
            name = self._callees[id(call)] = self.evaluator.name(call.func, place)
        return name

    def around(self, role: Role, place: Place) -> Around:
        """What the roles of an expression tell: names inside out, and whose it is."""
        names: list[str] = []
        hosts: tuple[str, ...] = ()
        env = None
        client: Client | None = None
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
                    if item.position == DOUBLE_STAR and names and names[0] in found.key_params:
                        is_key, given_to = True, given_to or spell(call.func) or callee
                    if self.is_key_argument(found, item):
                        is_key = True
                        given_to = given_to or spell(call.func) or callee
                        if not item.names:
                            names.append(found.key_params[0] if found.key_params else "api_key")
                hosts = hosts or self.hosts_of_call(call, place)
                env = env or self.written_name(callee, call, item, place) or self.read_name(callee, call, item, place)
            elif item.kind == "dict-value" and item.node is not None:
                hosts = hosts or self._hosts_of_table(item.node)
            elif item.kind == "subscript-assign" and item.node is not None:
                env = env or self._subscript_env(item.node, place)
            elif item.kind == "attribute" and item.node is not None:
                sdk = self._setting(item.node, place)
                if sdk is not None:
                    is_key = True
                    client = client or Client(sdk, (), None, (), sdk.env, sdk.provider, None)
                    given_to = given_to or spell(item.node)
            elif item.kind == "fallback" and item.node is not None:
                names.extend(name for name in self.env_of_left(item.node, place) if name not in names)
        if env is None:
            env = next((name for name in names if self.catalogue.providers_of_env(name)), None)
        elif env not in names:
            names.insert(0, env)
        return Around(tuple(names), hosts or self.hosts_at(place), env, client, is_key, given_to)

    def is_key_argument(self, client: Client, role: Role) -> bool:
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
    if role.names:
        return role.names[0] in keywords
    return role.position is not None and role.position == position
