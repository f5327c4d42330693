"""What a check of text sees: one source, the keys in it, and what is known of the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyguard.catalogue import Catalogue
    from keyguard.discover import GitState, Target
    from keyguard.prefilter import Signals
    from keyguard.secrets.shapes import KeyMatch
    from keyguard.settings import Settings
    from keyguard.source import SourceFile


@dataclass(frozen=True, slots=True)
class TextFacts:
    """One text: a file, a window of a large one, or a cell of a notebook or its output.

    `keys` are the model-API keys in the text, empty for Python, whose keys are found by value. `git_status()` is
    `tracked`, `staged`, `untracked`, `ignored` or `outside`, asked of git only when a check wants to know.
    """

    source: SourceFile
    keys: tuple[KeyMatch, ...]
    catalogue: Catalogue
    settings: Settings
    signals: Signals
    git_status: Callable[[], str]


def text_facts(  # noqa: PLR0913, PLR0917  # one word for each thing a check may ask
    source: SourceFile,
    target: Target,
    catalogue: Catalogue,
    settings: Settings,
    signals: Signals,
    git: GitState | None,
) -> TextFacts:
    """Find the keys of a text that is not Python, and bundle what its checks may ask."""
    keys: tuple[KeyMatch, ...] = ()
    if signals.keys and not (source.kind == "python" and source.part != "output"):
        from keyguard.secrets.shapes import keys_in_text  # noqa: PLC0415  # 20 ms with the catalogue's shapes

        keys = keys_in_text(source, catalogue)

    def status() -> str:
        return git.status(target.location) if git is not None else "outside"

    return TextFacts(source, keys, catalogue, settings, signals, status)
