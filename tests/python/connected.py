"""What the tests of the rules about connections share: the hits of one check on a module's text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keyguard.catalogue import load
from keyguard.checks.spots import hits_of
from keyguard.findings import Speaker
from keyguard.python.connections import network_of
from keyguard.settings import Advice
from tests.python.made import facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from keyguard.checks.spots import Spot
    from keyguard.python.network import Network


class Told(NamedTuple):
    """One hit, as a test reads it; `text` is the code it points at."""

    line: int
    case: str | None
    message: str
    text: str
    related: tuple[str, ...]

    @property
    def short(self) -> tuple[int, str | None]:
        """Line and case."""
        return self.line, self.case


def told(
    check: Callable[[Network], Iterable[Spot]],
    text: str,
    *,
    trusted: tuple[tuple[str, str], ...] = (),
    lang: str = "en",
) -> list[Told]:
    """Every hit of a check on a text whose placeholders are filled, in order of lines."""
    found = facts(text)
    network = network_of(found.near, Advice(trusted=trusted))
    speaker = Speaker(load(), lang)
    made = []
    for hit in hits_of(tuple(check(network)), found.module):
        finding = speaker.finding(hit, found.source, "app.py", {})
        shown = found.source.text[hit.span.start : hit.span.end]
        made.append(Told(finding.line, hit.case, finding.message, shown, tuple(one.message for one in finding.related)))
    return sorted(made, key=lambda one: (one.line, one.case or "", one.message))


def cases(
    check: Callable[[Network], Iterable[Spot]], text: str, *, trusted: tuple[tuple[str, str], ...] = ()
) -> list[tuple[int, str | None]]:
    """The line and case of every hit."""
    return [one.short for one in told(check, text, trusted=trusted)]
