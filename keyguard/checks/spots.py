"""What a check over connections yields: nodes of the tree with their words; all of a file's get their spans at once."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from keyguard.model import Fix, Hit, Safety, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from keyguard.checks.edits import Patch
    from keyguard.model import Secret
    from keyguard.python.module import Module

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Spot(NamedTuple):
    """A hit that still points at nodes: see `model.Hit` for the rest.

    `node` is what is wrong. A compound statement is shown by its header: up to the end of `until` (a loop's test, an
    except clause's type), or by its first `width` characters. `related` pairs a node with a text `related.…` of `lang`.
    `patch` is a fix that speaks of nodes, too.
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


def hits_of(spots: Iterable[Spot], module: Module) -> Iterator[Hit]:
    """Give every spot its spans; one question for all nodes of a file, which may cost a pass over its tree."""
    found = tuple(spots)
    nodes = [node for spot in found for node in (spot.node, spot.until, *(node for node, _ in spot.related))]
    patches = [spot.patch for spot in found if spot.patch is not None]
    if patches:
        from keyguard.checks.edits import anchors  # noqa: PLC0415  # only for a finding that has a fix

        nodes += [node for patch in patches for node in anchors(patch.changes)]
    spans = module.spans(node for node in nodes if node is not None) if found else {}
    for spot in found:
        span = spans[id(spot.node)]
        if spot.until is not None:
            span = Span(span.start, max(spans[id(spot.until)].end, span.start))
        elif spot.width is not None:
            span = Span(span.start, min(span.start + spot.width, span.end))
        related = tuple((spans[id(node)], text) for node, text in spot.related)
        values, fix = spot.values, spot.fix
        if spot.patch is not None:
            values, fix = {**values, **spot.patch.words}, _fix(spot.patch, spans, module)
        yield Hit(spot.rule, span, values, spot.case, spot.secret, spot.statement, related, fix)


def _fix(patch: Patch, spans: Mapping[int, Span], module: Module) -> Fix:
    """A patch as edits; one whose edits cannot be made is shown only."""
    from keyguard.checks.edits import edits_of  # noqa: PLC0415  # as above

    edits = edits_of(patch.changes, spans, module.text)
    return Fix(patch.title, patch.safety if edits else Safety.SHOWN, edits)
