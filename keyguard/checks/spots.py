"""What a check over connections yields: nodes of the tree with their words; all of a file's get their spans at once."""

from __future__ import annotations

from types import MappingProxyType

from keyguard.checks.patches import Surroundings, fix_of
from keyguard.model import Hit, Span
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from keyguard.checks.patches import Patch
    from keyguard.model import Fix, Secret
    from keyguard.python.imports import Imports
    from keyguard.python.index import Index
    from keyguard.python.module import Module

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Spot(NamedTuple):
    """A hit that still points at nodes: see `model.Hit` for the rest.

    `node` is what is wrong. A compound statement is shown by its header: up to the end of `until` (a loop's test, an
    except clause's type), or by its first `width` characters. `related` pairs a node with a text `related.…` of `lang`.
    `patch` is what repairs it, in nodes; its values are the hit's too.
    """

    rule: str
    node: Any
    values: Mapping[str, str] = _NOTHING
    case: str | None = None
    statement: str | None = None
    related: tuple[tuple[Any, str], ...] = ()
    until: Any = None
    width: int | None = None
    secret: Secret | None = None
    fix: Fix | None = None
    patch: Patch | None = None


def hits_of(spots: Iterable[Spot], module: Module, index: Index | None = None) -> Iterator[Hit]:
    """Give every spot its spans; one question for all nodes of a file, which may cost a pass over its tree.

    `index` is the module's, for patches that want something of other modules.
    """
    found = tuple(spots)
    imports = _imports(found, index)
    nodes = [node for spot in found for node in _nodes(spot) if node is not None]
    nodes += imports.nodes if imports is not None else ()
    spans = module.spans(nodes) if found else {}
    around = Surroundings(module, [spot.patch for spot in found if spot.patch is not None])
    for spot in found:
        span = spans[id(spot.node)]
        if spot.until is not None:
            span = Span(span.start, max(spans[id(spot.until)].end, span.start))
        elif spot.width is not None:
            span = Span(span.start, min(span.start + spot.width, span.end))
        related = tuple((spans[id(node)], text) for node, text in spot.related)
        values, fix = spot.values, spot.fix
        if spot.patch is not None:
            values, fix = {**spot.patch.values, **values}, fix_of(spot.patch, module, spans, imports, around)
        yield Hit(spot.rule, span, values, spot.case, spot.secret, spot.statement, related, fix)


def _imports(spots: Iterable[Spot], index: Index | None) -> Imports | None:
    if index is None or not any(spot.patch is not None and spot.patch.wants for spot in spots):
        return None
    from keyguard.python.imports import Imports  # noqa: PLC0415  # only for fixes that import something

    return Imports(index)


def _nodes(spot: Spot) -> Iterator[Any]:
    yield spot.node
    yield spot.until
    for node, _ in spot.related:
        yield node
    if spot.patch is not None:
        yield from spot.patch.nodes
