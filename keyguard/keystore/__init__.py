"""Where keys go when they leave the code: an env file, the system's keyring, a secret manager, or nowhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keyguard.discover.git import repository_of
from keyguard.keystore.base import KeyStore, Receipt, StoreError
from keyguard.keystore.ignoring import ignore

if TYPE_CHECKING:
    from keyguard.settings import Settings

# ruff: noqa: PTH100  # os.path, as in the settings: pathlib costs 8 ms

__all__ = ["KeyStore", "Receipt", "StoreError", "ignore", "open_store"]


def open_store(settings: Settings, root: str) -> KeyStore:
    """Give the store that the settings ask for. Nothing is read, asked or written before the first question.

    Args:
        settings: those of the run.
        root: the folder that stands in for the project's where neither a settings file nor git names one.
    """
    from keyguard.keystore.env_file import EnvFile  # noqa: PLC0415  # one of five

    repository = None if settings.source else repository_of(os.path.abspath(root))
    base = settings.root if settings.source else repository.top if repository else root
    return EnvFile.of(settings.storing.env_file, base)
