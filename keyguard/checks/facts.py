"""What the text checks see of a file: its text, the keys in it, and what git does with it."""

from __future__ import annotations

import os
from functools import cached_property

from keyguard.source import is_env_file, is_env_template
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyguard.catalogue import Catalogue
    from keyguard.discover import GitState, Target
    from keyguard.prefilter import Signals
    from keyguard.secrets.shapes import KeyMatch
    from keyguard.settings import Settings
    from keyguard.source import SourceFile

# A file that begins so is encrypted as a whole: nothing in it is a key.
_VAULTS = (
    "$ANSIBLE_VAULT;",
    "age-encryption.org/",
    "-----BEGIN AGE ENCRYPTED FILE-----",
    "-----BEGIN PGP MESSAGE-----",
)


class TextFacts:
    """One text: a file, a window of a large one, or a cell of a notebook or its output.

    `status` asks what git does with the file: `tracked`, `staged`, `untracked`, `ignored` or `outside`. `place` gives
    its path from the root of the run's project.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # what is known of one text, a word each
        self,
        source: SourceFile,
        catalogue: Catalogue,
        settings: Settings,
        signals: Signals,
        status: Callable[[], str],
        place: Callable[[], str] = str,
    ) -> None:
        """Take what is known; nothing is read yet."""
        self.source = source
        self.catalogue = catalogue
        self.settings = settings
        self.signals = signals
        self.status = status
        self.place = place

    @cached_property
    def keys(self) -> tuple[KeyMatch, ...]:
        """The model-API keys in the text, in order; none in an encrypted file, nor in Python, whose values are read."""
        if not self.signals.keys or self.is_encrypted or self.is_python:
            return ()
        from keyguard.secrets.shapes import keys_in_text  # noqa: PLC0415  # 20 ms with the catalogue's shapes

        return keys_in_text(self.source, self.catalogue)

    @cached_property
    def git_status(self) -> str:
        """What git does with the file; git is asked once, and only if a check wants to know."""
        return self.status()

    @property
    def is_python(self) -> bool:
        """Tell whether the text is code that the Python rules judge."""
        return self.source.kind == "python"

    @cached_property
    def is_env(self) -> bool:
        """Tell whether it is an env file with values of its own, no template to copy from."""
        return is_env_file(self.source.path) and not is_env_template(self.source.path)

    @property
    def is_encrypted(self) -> bool:
        """Tell whether the whole file is encrypted."""
        return self.source.text.startswith(_VAULTS)


def text_facts(  # noqa: PLR0913, PLR0917  # what a file, a run and git each know
    source: SourceFile,
    target: Target,
    catalogue: Catalogue,
    settings: Settings,
    signals: Signals,
    git: GitState | None,
    root: str,
) -> TextFacts:
    """Put together what the text checks may ask."""

    def status() -> str:
        return "outside" if git is None else git.status(target.location)

    return TextFacts(source, catalogue, settings, signals, status, lambda: _from(root, target.location))


def _from(root: str, location: str) -> str:
    """The path of a file from a folder; the whole path where there is none, on another drive."""
    try:
        return os.path.relpath(location, os.path.realpath(root)).replace(os.sep, "/")
    except ValueError:
        return location
