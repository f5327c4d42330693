"""KG110: a model-API key is in a variable that a bundler ships to every visitor."""

from __future__ import annotations

from keyguard.checks.kg106 import variable
from keyguard.model import Confidence, Hit, Secret
from keyguard.secrets.placeholders import mask
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.facts import TextFacts


def check(facts: TextFacts) -> Iterator[Hit]:
    """Yield one hit for each key under a browser's variable; that git ignores the file changes nothing."""
    prefixes = facts.catalogue.words.browser_prefixes
    for key in facts.keys:
        name = key.name or ""
        doubtful = key.case in {"public-example", "restricted"} or key.confidence is Confidence.LOW
        if name.startswith(prefixes) and not doubtful:
            values = {"masked": mask(key.value, key.shape), "env": variable(key, facts), "name": name}
            yield Hit("KG110", key.span, values, None, Secret(key.value, key.provider))
