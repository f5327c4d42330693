"""What KG101, KG102, KG103 and KG105 share: which of them reports a key in Python, and the values of its message."""

from __future__ import annotations

from keyguard.model import Hit, Secret
from keyguard.secrets.placeholders import mask
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.facts import KeyText, PythonFacts

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
    """The rule that reports a key; what may be none (published, public by design, unknown) is a case of KG101."""
    return RULE_OF_PLACE[key.where] if key.known and not key.restricted and not key.public else "KG101"


def keys_of(facts: PythonFacts, rule: str) -> Iterator[KeyText]:
    """The keys of a module that `rule` reports."""
    return (key for key in facts.keys if rule_of(key) == rule)


def hit(key: KeyText, rule: str, case: str | None) -> Hit:
    """One hit about one key; the message never gets more of it than its mask."""
    shape = key.match.shape if key.match is not None else None
    values = {"masked": mask(key.value, shape), "env": key.env or "", "name": key.name}
    related = tuple((span, "piece") for span in key.pieces if not key.span.overlaps(span))
    return Hit(rule, key.span, values, case, Secret(key.value, key.provider), related=related)
