"""KG101: a model-API key is written into the code."""

from __future__ import annotations

from keyguard.checks.keys import hit, keys_of
from keyguard.model import Hit, Secret
from keyguard.secrets.placeholders import mask
from keyguard.secrets.shapes import keys_in_text
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.catalogue import Catalogue
    from keyguard.python.facts import KeyText, PythonFacts
    from keyguard.source import SourceFile


def check(facts: PythonFacts) -> Iterator[Hit]:
    """Yield one hit for each key that no more special rule takes."""
    for key in keys_of(facts, "KG101"):
        yield hit(key, "KG101", _case(key))


def check_unparsed(source: SourceFile, catalogue: Catalogue) -> Iterator[Hit]:
    """Yield one hit for each key in Python that does not parse: what its text alone tells."""
    for match in keys_in_text(source, catalogue):
        provider = catalogue.providers.get(match.provider or "")
        values = {
            "masked": mask(match.value, match.shape),
            "env": provider.variable if provider is not None else "API_KEY",
            "name": match.name or "",
        }
        case = match.case or ("malformed" if match.is_malformed else "literal")
        yield Hit("KG101", match.span, values, case, Secret(match.value, match.provider))


def _case(key: KeyText) -> str:
    if key.public:
        return "public-example"
    if not key.known:
        return "unknown-shape"
    if key.restricted:
        return "restricted"
    is_malformed = key.form == "literal" and key.match is not None and key.match.is_malformed
    return "malformed" if is_malformed else key.form
