"""KG106: a model-API key is in a text file that is not Python."""

from __future__ import annotations

from keyguard.model import Confidence, Edit, Fix, Hit, Safety, Secret, Span
from keyguard.secrets.placeholders import mask
from keyguard.source import is_ci_file
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.facts import TextFacts
    from keyguard.secrets.shapes import KeyMatch


def check(facts: TextFacts) -> Iterator[Hit]:
    """Yield one hit for each key; an env file that git ignores is where keys belong."""
    if not facts.keys or (facts.is_env and facts.git_status == "ignored"):
        return
    fix = None
    if facts.source.part == "output":
        # What was printed may be all that is left of a run.
        fix = Fix("fix.clear-output", Safety.UNSAFE, (Edit(Span(0, len(facts.source.text)), ""),))
    for key in facts.keys:
        values = {"masked": mask(key.value, key.shape), "env": variable(key, facts), "name": key.name or ""}
        yield Hit("KG106", key.span, values, _case(key, facts), Secret(key.value, key.provider), fix=fix)


def variable(key: KeyMatch, facts: TextFacts) -> str:
    """The environment variable that should hold the key: the one it stands under, else its provider's own."""
    name = key.name or ""
    for prefix in facts.catalogue.words.browser_prefixes:
        name = name.removeprefix(prefix)
    if name.isidentifier() and name.isupper() and "_" in name:
        return name
    provider = facts.catalogue.providers.get(key.provider or "")
    return provider.variable if provider else ""


def _case(key: KeyMatch, facts: TextFacts) -> str | None:
    if key.case is not None:
        return key.case
    if key.confidence is Confidence.MEDIUM:
        return "likely"
    if key.confidence is Confidence.LOW:
        return "malformed" if key.is_malformed else "unsure"
    return _place(facts)


def _place(facts: TextFacts) -> str | None:
    """The kind of file, where it changes what is to be done."""
    source = facts.source
    if source.part == "output":
        return "notebook-output"
    if facts.is_env and facts.git_status != "outside":
        return "env-file"
    if is_ci_file(source.path):
        return "workflow"
    return "image" if source.kind == "dockerfile" else None
