"""Where keys go that leave the code: a store is written and read back before a single line of code changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keyguard.model import Move
    from keyguard.settings import Settings

KINDS = ("env-file", "none")


class StoreError(Exception):
    """A store could not take or give a key; the message names what failed and the remedy, never a key."""


class Receipt(NamedTuple):
    """What a store says it holds: `place` for people, names that are new and that were there, and files it changed."""

    place: str
    written: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class KeyStore(Protocol):
    """A place that keeps keys by the names of environment variables."""

    @property
    def kind(self) -> str:
        """Its name in the settings."""

    def lookup(self, name: str) -> str | None:
        """Give the value held under a name; StoreError if the store cannot be asked."""

    def name_of(self, value: str) -> str | None:
        """Give a name that holds this very value, if that can be told."""

    def put(self, moves: Sequence[Move]) -> Receipt:
        """Keep every key, read all back and compare.

        A name that already holds another value is never overwritten.

        Raises:
            StoreError: not every key is in the store; of a file nothing is half-written.
        """


def open_store(settings: Settings) -> KeyStore:
    """Open the store of a run's settings; nothing is written or connected yet."""
    from keyguard.keystore.envfile import EnvFile  # noqa: PLC0415  # python-dotenv: 12 ms, where keys move

    return EnvFile(".env", settings.root)
