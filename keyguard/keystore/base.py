"""What every key store promises, and how it says that it could not keep it."""

from __future__ import annotations

from typing import Protocol

from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keyguard.model import Move

# What bash, python-dotenv and docker compose all take for a variable.
VARIABLE = regex(r"[A-Za-z_][A-Za-z0-9_]*")


class StoreError(Exception):
    """A key could not be stored, or a store not be asked; the text says why and what to do, and never holds a key."""


class Receipt(NamedTuple):
    """What a store did: `written` and `kept` (held before) are names.

    `files` are absolute: the one that holds the keys, if it is a file of the project, then others that were changed.
    `place` is for people, and empty where nothing is held.
    """

    place: str
    written: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class KeyStore(Protocol):
    """Where keys go when they leave the code."""

    @property
    def kind(self) -> str:
        """The word of the setting `key-store`."""

    def lookup(self, name: str) -> str | None:
        """Give the value held under a name; raises StoreError if the store cannot be asked."""

    def name_of(self, value: str) -> str | None:
        """Give a name that holds this very value; None if there is none or the store cannot be searched."""

    def put(self, moves: Sequence[Move]) -> Receipt:
        """Store every key under its name and read it back.

        Raises:
            StoreError: a key is not safe there, or its name holds another value, which stays. Nothing is half-written:
                each key is in the store as a whole or not at all.
        """


def distinct(moves: Iterable[Move]) -> dict[str, str]:
    """Give the values by name, each once.

    Raises:
        StoreError: a name is none that a variable can have, or was given to two keys.
    """
    values: dict[str, str] = {}
    for name, secret in moves:
        if not VARIABLE.fullmatch(name):
            message = f'"{name[:40]}" is no name of a variable; choose one of letters, digits and _'
            raise StoreError(message)
        if values.setdefault(name, secret.value) != secret.value:
            message = f"two different keys want the name {name}; give one of them another name"
            raise StoreError(message)
    return values


def taken(name: str, place: str) -> StoreError:
    """Give the error for a name that holds another value."""
    return StoreError(
        f"{place} holds another value under {name} already, and keyguard overwrites none; "
        f"rename or remove that one if it is no longer used, then run this again"
    )
