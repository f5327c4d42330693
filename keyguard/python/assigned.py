"""What a module sets from outside: variables of the environment, and attributes of the SDKs it imports."""

from __future__ import annotations

from keyguard.python import values as v
from keyguard.python.arguments import Arguments, Given, texts
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.around import Surroundings
    from keyguard.python.index import Place

_WRITING = frozenset({"putenv", "setdefault", "setenv", "set_key"})  # last names of the writers' calls


def env_writes(near: Surroundings) -> dict[str, tuple[Given, ...]]:
    """The environment variables a module sets itself, with what it sets them to."""
    found: dict[str, list[Given]] = {}
    for given in (*_subscripts(near), *_writers(near)):
        found.setdefault(given.name, []).append(given)
    return {name: tuple(items) for name, items in found.items()}


def _subscripts(near: Surroundings) -> Iterator[Given]:
    """Assignments such as `os.environ["X"] = …`."""
    for write in near.index.writes:
        target = write.target
        if type(target).__name__ != "Subscript" or len(target.slice) != 1:
            continue
        part = target.slice[0].slice
        if type(part).__name__ != "Index":
            continue
        if near.evaluator.name(target.value, write.place) not in near.tables.write_subscripts:
            continue
        name = near.text_of(part.value, write.place)
        if name:
            yield Given(name, near.evaluator.value(write.node, write.place), write.node, write.place)


def _writers(near: Surroundings) -> Iterator[Given]:
    """Calls such as `os.putenv("X", …)` and `os.environ.setdefault("X", …)`."""
    for call in near.index.calls:
        func = call.node.func
        last = func.attr.value if type(func).__name__ == "Attribute" else getattr(func, "value", "")
        writer = near.tables.writers.get(near.callee(call.node, call.place)) if last in _WRITING else None
        if writer is None:
            continue
        arguments = Arguments(call.node, call.place, near.evaluator)
        named = arguments.get(writer.name_keywords, writer.name_position)
        given = arguments.get(writer.value_keywords, writer.value_position)
        if named is not None and given is not None:
            for name in texts(named.value):
                yield Given(name, given.value, given.node, given.place)


def module_settings(near: Surroundings) -> dict[str, tuple[Given, ...]]:
    """What the module assigns to attributes of SDKs' modules (`sdk.api_key = …`), in order, by dotted name."""
    wanted = near.tables.assignable
    lasts = {name.rpartition(".")[2] for name in wanted}
    found: dict[str, list[Given]] = {}
    for spelled, bindings in near.index.attributes.items():
        owner, _, last = spelled.rpartition(".")
        if last not in lasts:
            continue
        for binding in bindings:
            name = f"{_resolved(owner, binding.place, near)}.{last}"
            if binding.kind == "assign" and name in wanted:
                value = near.evaluator.value(binding.node, binding.place)
                found.setdefault(name, []).append(Given(last, value, binding.node, binding.place))
    return {name: tuple(items) for name, items in found.items()}


def _resolved(spelled: str, place: Place, near: Surroundings) -> str:
    """Resolve the first word of a dotted spelling through the imports."""
    first, _, rest = spelled.partition(".")
    name = v.dotted(near.evaluator.lookup(first, place))
    return ".".join(part for part in (name, rest) if part)
