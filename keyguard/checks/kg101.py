"""KG101: a model-API key is written into the code."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from keyguard.checks.keys import hit, keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.model import Hit
    from keyguard.python.facts import KeyText, PythonFacts


def check(facts: PythonFacts) -> Iterator[Hit]:
    """Yield one hit for each key that no more special rule takes."""
    for key in keys_of(facts, "KG101"):
        yield hit(facts, key, "KG101", _case(key, facts))


def _case(key: KeyText, facts: PythonFacts) -> str:
    if hashlib.sha256(key.value.encode("utf-8", "replace")).hexdigest() in facts.catalogue.public_keys:
        return "public-example"
    if not key.known:
        return "unknown-shape"
    return "restricted" if key.restricted else key.form
