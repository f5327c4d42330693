"""KG109: a script, a Dockerfile or a CI step prints a key."""

from __future__ import annotations

from keyguard.model import Hit
from keyguard.source import is_ci_file
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.facts import TextFacts


def check(facts: TextFacts) -> Iterator[Hit]:
    """Yield one hit for each place that shows a key; documentation shows commands and does not run them."""
    if not facts.signals.scripts:
        return
    from keyguard.checks.scripts import printed_by  # noqa: PLC0415  # 5 ms of patterns, for a script that shows something

    source = facts.source
    in_ci = is_ci_file(source.path)
    for span, name, case in printed_by(source, facts.catalogue):
        named = "ci" if in_ci and case == "echo" else case
        yield Hit("KG109", span, {"name": name}, named, statement=f"{named} {source.text[span.start : span.end]}")
