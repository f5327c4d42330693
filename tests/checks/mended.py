"""What the tests of fixes share: what a check offers to change in a module, and the text that comes of it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from keyguard.checks.spots import hits_of
from keyguard.findings import Speaker
from keyguard.python.connections import network_of
from keyguard.settings import Advice
from tests.fixes import apply
from tests.keys import fill
from tests.python.made import facts, loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from keyguard.checks.spots import Spot
    from keyguard.model import Fix
    from keyguard.python.network import Network


class Offer(NamedTuple):
    """What one finding offers: how safe it is, its title, and the text after it (None: it is only shown)."""

    safety: str
    title: str
    text: str | None


def fixes(
    check: Callable[[Network], Iterable[Spot]],
    text: str,
    versions: Mapping[str, str] | None = None,
    lang: str = "en",
    **advice: object,
) -> list[Fix | None]:
    """The fix of every finding of a check on a module whose placeholders are filled, in order of position."""
    found = facts(text)
    network = network_of(found.near, Advice(**advice), versions or {})  # type: ignore[arg-type]
    source = found.module.source
    hits = sorted(hits_of(check(network), found.module, found.index), key=lambda hit: hit.span)
    return [Speaker(loaded(), lang).finding(hit, source, source.path, {}).fix for hit in hits]


def offers(
    check: Callable[[Network], Iterable[Spot]],
    text: str,
    versions: Mapping[str, str] | None = None,
    lang: str = "en",
    **advice: object,
) -> list[Offer | None]:
    """What each finding of a check offers; what comes of it parses."""
    made: list[Offer | None] = []
    for fix in fixes(check, text, versions, lang, **advice):
        if fix is None:
            made.append(None)
            continue
        after = apply(fill(text), fix.edits) if fix.edits else None
        if after is not None:
            ast.parse(after)
        made.append(Offer(fix.safety.label, fix.title, after))
    return made


def mended(
    check: Callable[[Network], Iterable[Spot]],
    text: str,
    versions: Mapping[str, str] | None = None,
    **advice: object,
) -> str:
    """The text after every fix with edits was made, round after round; what was fixed is found no more."""
    text = fill(text)
    for _ in range(8):
        found = [fix for fix in fixes(check, text, versions, **advice) if fix is not None and fix.edits]
        if not found:
            return text
        text = apply(text, found[0].edits)
        ast.parse(text)
    msg = "fixes without an end"
    raise AssertionError(msg)
