"""What the checks of KG101, KG102, KG103 and KG105 share: which rule a key in Python belongs to, and the values of its message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyguard.model import Hit, Secret
from keyguard.secrets.placeholders import mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import KeyShape
    from keyguard.python.facts import KeyText, PythonFacts
    from keyguard.secrets.shapes import KeyMatch

# One text, one finding: the first rule that names the place a key stands in takes it; what is left is KG101's.
RULE_OF_PLACE = {
    "comment": "KG105",
    "docstring": "KG105",
    "url": "KG103",
    "env-default": "KG102",
    "parameter": "KG102",
    "option": "KG102",
    "field": "KG102",
    "code": "KG101",
}


def rule_of(key: KeyText) -> str:
    """The rule that reports a key; what is hardly one (published, public by design, of no known shape) is a case of KG101."""
    return RULE_OF_PLACE[key.where] if key.known and not key.restricted and not key.public else "KG101"


def keys_of(facts: PythonFacts, rule: str) -> Iterator[KeyText]:
    """The keys of a module that `rule` reports."""
    return (key for key in facts.keys if rule_of(key) == rule)


def hit(facts: PythonFacts, key: KeyText, rule: str, case: str | None) -> Hit:
    """One hit about one key; the message never gets more of it than its mask."""
    shape = key.match.shape if key.match is not None else None
    values = {**_values(key.value, shape, key.provider, facts.catalogue), "env": key.env or "API_KEY", "name": key.name}
    return Hit(rule, key.span, values, case, Secret(key.value, key.provider))


def text_hit(match: KeyMatch, catalogue: Catalogue) -> Hit:
    """One hit of KG101 about a key found in text alone."""
    provider = catalogue.providers.get(match.provider) if match.provider else None
    values = {
        **_values(match.value, match.shape, match.provider, catalogue),
        "env": provider.variable if provider is not None else "API_KEY",
        "name": match.name or "",
    }
    return Hit("KG101", match.span, values, match.case or "literal", Secret(match.value, match.provider))


def _values(value: str, shape: KeyShape | None, owner: str | None, catalogue: Catalogue) -> dict[str, str]:
    provider = catalogue.providers.get(owner) if owner else None
    return {
        "provider": provider.name if provider is not None else "model-API",
        "masked": mask(value, shape),
        "console_url": (provider.console_url if provider is not None else None) or "the provider's console",
    }
