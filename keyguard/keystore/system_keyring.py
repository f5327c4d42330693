"""Keys in the system's keyring, through the library `keyring`: one password a variable, under the project's service."""

from __future__ import annotations

from keyguard.keystore.base import StoreError
from keyguard.keystore.remote import missing, put_each
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from keyguard.keystore.base import Receipt
    from keyguard.model import Move

# Back ends that keep nothing: `fail` refuses, and `null` takes a key and forgets it.
_KEEPS_NOTHING = ("keyring.backends.fail", "keyring.backends.null")


class Keyring(NamedTuple):
    """The store `keyring`."""

    service: str

    @property
    def kind(self) -> str:
        """The word of the setting."""
        return "keyring"

    def lookup(self, name: str) -> str | None:
        """Give the password of a name; an empty one is none."""
        try:
            return _backend().get_password(self.service, name) or None
        except Exception as error:  # noqa: BLE001  # each system's back end has errors of its own
            raise self._failed(name, "read", error) from None

    def name_of(self, value: str) -> str | None:  # noqa: ARG002  # as the protocol has it
        """Give None: a keyring cannot be searched."""
        return None

    def put(self, moves: Sequence[Move]) -> Receipt:
        """Set the passwords that are not there yet; see `KeyStore.put`."""
        return put_each(moves, f'the keyring (service "{self.service}")', self.lookup, self._create)

    def _create(self, name: str, value: str) -> None:
        try:
            _backend().set_password(self.service, name, value)
        except Exception as error:  # noqa: BLE001  # as above
            raise self._failed(name, "written", error) from None

    def _failed(self, name: str, what: str, error: Exception) -> StoreError:
        """Give the error of a back end; its own text may quote what it was given."""
        if isinstance(error, StoreError):
            return error
        return StoreError(
            f"{name} of the keyring could not be {what} ({type(error).__name__}); "
            "unlock the keyring, or choose another --key-store"
        )


def _backend() -> Any:  # noqa: ANN401  # a library that need not be installed
    try:
        import keyring  # noqa: PLC0415  # 60 ms, and an extra
        from keyring.backends.chainer import ChainerBackend  # noqa: PLC0415  # as above
    except ImportError:
        raise missing(library="keyring", extra="keyring") from None
    backend = keyring.get_keyring()
    is_empty = isinstance(backend, ChainerBackend) and not list(backend.backends)
    if is_empty or type(backend).__module__ in _KEEPS_NOTHING:
        message = (
            "there is no keyring here that keeps anything; on Linux it takes a Secret Service such as GNOME Keyring or "
            "KWallet and a session to ask it in (`keyring --list-backends` shows what there is): "
            "set one up, or choose another --key-store"
        )
        raise StoreError(message)
    return backend
