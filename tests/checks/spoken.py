"""What the tests of the rules about connections share: what a check says of a module, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keyguard.checks.spots import hits_of
from keyguard.findings import Speaker
from keyguard.python.connections import network_of
from keyguard.settings import Advice
from tests.python.made import facts, loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from keyguard.checks.spots import Spot
    from keyguard.python.network import Network


class Spoken(NamedTuple):
    """One finding, as a test reads it."""

    rule: str
    line: int
    case: str | None
    text: str
    message: str
    remedy: str
    severity: str
    related: tuple[int, ...]


def spoken(
    check: Callable[[Network], Iterable[Spot]],
    text: str,
    versions: Mapping[str, str] | None = None,
    lang: str = "en",
    **advice: object,
) -> list[Spoken]:
    """What a check says of a module whose placeholders are filled, by line."""
    found = facts(text)
    network = network_of(found.near, Advice(**advice), versions or {})  # type: ignore[arg-type]
    source = found.module.source
    made = []
    for hit in hits_of(check(network), found.module):
        finding = Speaker(loaded(), lang).finding(hit, source, source.path, {})
        shown = source.text[hit.span.start : hit.span.end]
        made.append(
            Spoken(
                hit.rule,
                finding.line,
                hit.case,
                shown,
                finding.message,
                finding.remedy or "",
                finding.severity.label,
                tuple(item.line for item in finding.related),
            )
        )
    return sorted(made, key=lambda one: (one.line, one.rule, one.case or ""))


def short(check: Callable[[Network], Iterable[Spot]], text: str) -> list[tuple[int, str | None]]:
    """The line and case of everything a check says."""
    return [(one.line, one.case) for one in spoken(check, text)]
