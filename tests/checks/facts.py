"""Facts of a text for the tests of text checks: the file as the engine sees it, prefilter included."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from keyguard.catalogue import load
from keyguard.checks.facts import TextFacts
from keyguard.prefilter import Prefilter
from keyguard.source import decode
from tests.keys import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from keyguard.model import Hit
    from keyguard.settings import Settings

CATALOGUE = load()
_PREFILTER = Prefilter(CATALOGUE)


def facts_of(path: str, text: str, *, status: str = "outside") -> TextFacts:
    """Facts of a file with this text, keys put in place of their placeholders; git says `status` of it."""
    data = fill(text).encode()
    source = decode(path, data)
    signals = _PREFILTER.scan(data, source.kind, path)
    return TextFacts(source, CATALOGUE, cast("Settings", None), signals, lambda: status, lambda: path)


def hits(check: Callable[[TextFacts], Iterable[Hit]], path: str, text: str, *, status: str = "outside") -> list[Hit]:
    """What a check yields for a file, nothing if the prefilter would not let the file through."""
    facts = facts_of(path, text, status=status)
    return list(check(facts)) if facts.signals else []
