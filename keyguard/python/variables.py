"""Where a Python module reads, sets or names one variable of the environment: for whoever replaces a key."""

from __future__ import annotations

from keyguard.python import values as v
from keyguard.python.index import plain_string
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.knowledge import Writer
    from keyguard.model import Span
    from keyguard.python.facts import PythonFacts
    from keyguard.python.index import Node, Role, Use
    from keyguard.python.network import Connection, Network


class Touch(NamedTuple):
    """A place that has to do with the variable: `action` is read, set or named; `by` is the code that does it."""

    span: Span
    action: str
    by: str = ""
    implied: bool = False


def touches(facts: PythonFacts, name: str, network: Network | None = None) -> list[Touch]:
    """Find every place of a module, by its span in the joined text; what an SDK reads by itself counts too."""
    found = _Looking(facts, name)
    seen: dict[int, tuple[Node, str, str, bool]] = {}
    for node, action, by, implied in (*found.places(), *_implied(network, name)):
        held = seen.get(id(node))
        if held is None or held[1] == "named":
            seen[id(node)] = (node, action, by, implied)
    spans = facts.module.spans([node for node, *_ in seen.values()])
    made = [Touch(spans[id(node)], action, by, implied) for node, action, by, implied in seen.values()]
    told = [one.span for one in made if one.action != "named"]
    kept = [one for one in made if one.action != "named" or not any(span.covers(one.span) for span in told)]
    return sorted(set(kept))


def _implied(network: Network | None, name: str) -> Iterator[tuple[Node, str, str, bool]]:
    """The clients that look for the variable because nobody gives them a key or a base URL."""
    for item in network.connections if network is not None else ():
        if item.node is None or item.client is None or item.http is not None:
            continue
        if (item.key is None and name in item.implied) or (item.base is None and name in item.client.env_base):
            yield item.node, "read", item.name.replace("()", ""), not _is_hidden(item)


def _is_hidden(item: Connection) -> bool:
    return item.arguments is None or item.client is None or item.arguments.is_hidden(item.client.key_params)


class _Looking:
    """One search for one variable."""

    def __init__(self, facts: PythonFacts, name: str) -> None:
        self.near, self.name = facts.near, name
        self.index, self.evaluator, self.access = facts.index, facts.evaluator, facts.evaluator.access
        self.tables = facts.near.tables
        self._targets = {id(write.target) for write in facts.index.writes}

    def places(self) -> Iterator[tuple[Node, str, str, bool]]:
        for use in self.index.strings:
            if use.role.kind != "docstring" and plain_string(use.node) == self.name:
                node, action, by = self._string(use)
                yield node, action, by, False
        yield from self._calls()
        yield from self._values()
        yield from self._fields()

    def _string(self, use: Use) -> tuple[Node, str, str]:
        """What code does with the variable's name."""
        role = use.role.outer
        if role.kind == "subscript":
            spelled = self.evaluator.name(role.node.value, use.place)
            is_target = id(role.node) in self._targets
            if is_target and spelled in self.tables.write_subscripts:
                return role.node, "set", spelled
            if not is_target and (spelled in self.access.subscripts or spelled in self.access.environs):
                return role.node, "read", spelled
        elif role.kind == "argument":
            return self._argument(use, role)
        elif role.kind == "dict-key":
            by = self._mapping(role, use)
            if by:
                return use.node, "set", by
        elif role.kind == "compare":
            sides = (role.node.left, *(item.comparator for item in role.node.comparisons))
            asked = next((name for side in sides if (name := self.evaluator.name(side, use.place))), "")
            if asked in self.access.environs:
                return use.node, "read", asked
        return use.node, "named", ""

    def _argument(self, use: Use, role: Role) -> tuple[Node, str, str]:
        callee = self.near.callee(role.node, use.place)
        writer = self._writer(callee)
        if writer is not None and _is_name(role, writer.name_position, writer.name_keywords):
            return role.node, "set", callee
        reader = self.access.calls.get(callee)
        if reader is not None and _is_name(role, reader.name_position, reader.name_keywords):
            return role.node, "read", callee
        # `option("--key", envvar="NAME")`, `Field(alias="NAME")`
        keyword = role.names[0] if role.names else ""
        options = {word for option in self.tables.options.values() for word in option.env_keywords}
        fields = {word for kind in self.access.settings for word in kind.env_keywords}
        if keyword in options | fields:
            return use.node, "read", callee
        return use.node, "named", callee.replace("()", "")

    def _writer(self, callee: str) -> Writer | None:
        return self.tables.writers.get(callee)

    def _mapping(self, role: Role, use: Use) -> str:
        """The call that puts a dictionary's entries into the environment; empty when the dictionary goes elsewhere."""
        for outer in role.up():
            if outer.kind == "argument":
                callee = self.near.callee(outer.node, use.place)
                writers = self.near.catalogue.env_access.writers
                return callee if any(callee in writer.mapping_calls for writer in writers) else ""
        return ""

    def _calls(self) -> Iterator[tuple[Node, str, str, bool]]:
        """Calls that read it under a name that is a constant elsewhere."""
        for use in self.index.calls:
            callee = self.near.callee(use.node, use.place)
            if callee in self.access.calls and callee not in self.tables.writers:
                yield from self._reads(self.evaluator.value(use.node, use.place), use.node, callee)

    def _values(self) -> Iterator[tuple[Node, str, str, bool]]:
        for write in self.index.writes:
            for item in v.alternatives(self.evaluator.value(write.node, write.place)):
                if isinstance(item, (v.EnvRead, v.SecretRead)) and item.node is not None:
                    kind = type(item.node).__name__
                    if kind == "Subscript":
                        yield from self._reads(item, item.node, self.evaluator.name(item.node.value, write.place))

    def _reads(self, value: v.Value, node: Node, by: str) -> Iterator[tuple[Node, str, str, bool]]:
        for item in v.alternatives(value):
            if isinstance(item, (v.EnvRead, v.SecretRead)) and item.node is node and self.name in item.names:
                yield node, "read", by, False

    def _fields(self) -> Iterator[tuple[Node, str, str, bool]]:
        """Fields of settings classes, which are read under their own names."""
        for scope in self.index.scopes:
            if scope.kind != "class":
                continue
            kind = self.evaluator.settings_class(scope)
            if kind is None or not kind.reads_env:
                continue
            for name, bindings in scope.bindings.items():
                binding = bindings[-1]
                node = binding.annotation if binding.annotation is not None else binding.node
                if node is None:
                    continue
                value = self.evaluator.member(scope, name, binding.place)
                for item in v.alternatives(value) if value is not None else ():
                    inner = item.value if isinstance(item, v.Sealed) else item
                    if isinstance(inner, v.EnvRead) and self.name in inner.names:
                        yield node, "read", scope.name, False


def _is_name(role: Role, position: int | None, keywords: tuple[str, ...]) -> bool:
    return role.names[0] in keywords if role.names else role.position is not None and role.position == position
