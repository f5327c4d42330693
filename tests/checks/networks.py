"""What the tests of the rules about connections share: the spots of one check on a text, as a test reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keyguard.checks.spots import hits_of
from keyguard.python.connections import network_of
from keyguard.settings import Advice
from tests.python.made import facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from keyguard.checks.spots import Spot
    from keyguard.model import Hit
    from keyguard.python.network import Network


class Heard(NamedTuple):
    """One hit: its line, its case, the text it points at, and the hit itself."""

    line: int
    case: str | None
    text: str
    hit: Hit

    @property
    def short(self) -> tuple[int, str | None]:
        """Line and case."""
        return self.line, self.case


def network(text: str, path: str = "app.py", role: str = "code", versions: Mapping[str, str] | None = None) -> Network:
    """The facts about connections of a text whose placeholders are filled."""
    return network_of(facts(text, path, role).near, Advice(), versions)


def heard(
    check: Callable[[Network], Iterable[Spot]],
    text: str,
    *,
    role: str = "code",
    path: str = "app.py",
    versions: Mapping[str, str] | None = None,
) -> list[Heard]:
    """Every hit of one check, by line."""
    found = facts(text, path, role)
    spots = check(network_of(found.near, Advice(), versions))
    hits = [
        Heard(where.position(span.start)[0], hit.case, where.text[span.start : span.end], hit)
        for hit in hits_of(spots, found.module)
        for where, span in (found.place(hit.span),)
    ]
    return sorted(hits, key=lambda one: (one.line, one.case or ""))
