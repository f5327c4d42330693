"""KG108: a secret that is no model-API key: a cloud key, another service's token, a private key, a password."""

from __future__ import annotations

from keyguard.model import Hit, Secret
from keyguard.secrets.detect import find
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.facts import TextFacts


def check(facts: TextFacts) -> Iterator[Hit]:
    """Yield one hit for each secret that detect-secrets' plug-ins find and that is no stand-in."""
    if facts.is_encrypted:
        return
    settings = facts.settings
    for found in find(
        facts.source,
        facts.catalogue,
        on=settings.plugins_on,
        off=settings.plugins_off,
        possible=facts.signals.plugins,
    ):
        values = {"name": found.name, "masked": found.masked}
        yield Hit("KG108", found.span, values, found.case, Secret(found.value))
