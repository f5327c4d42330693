"""The names that settings and ignore comments may use: rules, plug-ins, and what the catalogue knows."""

from __future__ import annotations

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.catalogue import Catalogue
    from keyguard.settings import Vocabulary


class Words:
    """A catalogue's vocabulary, made when the first one asks; a worker gets its own."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Remember whose rules they are."""
        self._catalogue = catalogue
        self._words: Vocabulary | None = None

    def __call__(self) -> Vocabulary:
        """Give the vocabulary."""
        if self._words is None:
            self._words = vocabulary_of(self._catalogue)
        return self._words


def vocabulary_of(catalogue: Catalogue) -> Vocabulary:
    """Give the names that settings and comments may use."""
    from keyguard.secrets.detect import PLUGINS  # noqa: PLC0415  # asked only when a setting names a rule or plug-in
    from keyguard.settings import Vocabulary  # noqa: PLC0415  # as above

    return Vocabulary(dict(catalogue.rule_names), PLUGINS, catalogue.known)
