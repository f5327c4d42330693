"""How code at a place can write the name of something of a library: by an import that is there, or one made wider."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keyguard.python import values as v
from keyguard.python.index import spell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keyguard.python.evaluate import Evaluator
    from keyguard.python.index import Node, Place, Scope


class Written(NamedTuple):
    """A name as code writes it; `statement` is the import that must be given `name` as well, if there is one."""

    text: str
    statement: Node = None
    name: str = ""


def write(names: Iterable[str], place: Place, evaluator: Evaluator) -> Written | None:
    """The first of these dotted names that can be written at a place: as it is imported there, else with one more name
    in a `from … import …` at the top of the module; None when neither is possible."""
    wanted = tuple(names)
    for dotted in wanted:
        found = _bound(dotted, place, evaluator)
        if found:
            return Written(found)
    for dotted in wanted:
        module, _, last = dotted.rpartition(".")
        statement = _statement(module, place, evaluator) if module and _is_free(last, place, evaluator) else None
        if statement is not None:
            return Written(last, statement, last)
    return None


def _bound(dotted: str, place: Place, evaluator: Evaluator) -> str:
    """How a dotted name is written with what is imported; the nearest name wins, and a package's own attribute counts."""
    prefix, rest = dotted, ""
    while prefix:
        for name in _names_of(prefix, place):
            if _is(name, prefix, place, evaluator):
                return name + rest
        prefix, _, last = prefix.rpartition(".")
        rest = f".{last}{rest}"
        if rest.count(".") > _MOST_PARTS:
            return ""
    return ""


_MOST_PARTS = 2  # attributes behind an imported name: `genai.types.HttpOptions`; what lies deeper may not be loaded


def _names_of(dotted: str, place: Place) -> Iterator[str]:
    """The names that imports around a place give to something."""
    for scope in _scopes(place):
        for name, bindings in scope.bindings.items():
            if any(item.kind in {"import", "module"} and item.detail == dotted for item in bindings):
                yield name


def _scopes(place: Place) -> Iterator[Scope]:
    scope: Scope | None = place.scope
    while scope is not None:
        if scope.kind != "class" or scope is place.scope:
            yield scope
        scope = scope.parent


def _is(name: str, dotted: str, place: Place, evaluator: Evaluator) -> bool:
    """Tell whether a name stands for something at a place, whatever happens at run time."""
    found = evaluator.bindings(name, place)
    return (
        found is not None
        and len(found) == 1
        and found[0].kind in {"import", "module"}
        and (found[0].detail == dotted or v.dotted(evaluator.bound(found[0])) == dotted)
        and _is_always_run(found[0].place)
    )


def _is_always_run(place: Place) -> bool:
    """Tell whether an import stands in no `try` or `if`: under `TYPE_CHECKING` it gives nothing at run time."""
    return place.block is place.scope.function.root


def _is_free(name: str, place: Place, evaluator: Evaluator) -> bool:
    """Tell whether nothing around a place has a name, and nothing of the module's would be hidden by it."""
    return (
        isinstance(evaluator.lookup(name, place), v.Unknown)
        and not any(name in scope.bindings for scope in _scopes(place))
        and not any(scope.stars for scope in _scopes(place))
    )


def _statement(module: str, place: Place, evaluator: Evaluator) -> Node:
    """The first `from module import …` at the top of the module that runs before a place."""
    for line in evaluator.index.module.tree.body:
        if type(line).__name__ != "SimpleStatementLine":
            continue
        for statement in line.body:
            if (
                type(statement).__name__ == "ImportFrom"
                and not statement.relative
                and type(statement.names).__name__ != "ImportStar"
                and statement.module is not None
                and spell(statement.module) == module
                and _runs_before(statement, place, evaluator)
            ):
                return statement
    return None


def _runs_before(statement: Node, place: Place, evaluator: Evaluator) -> bool:
    if place.scope.function.kind == "function":
        return True
    first = statement.names[0].name
    where = next((at for _, node, at in evaluator.index.imported if node is first), None)
    return where is not None and where.order < place.order
