"""Keys in HashiCorp Vault, through hvac: one secret of a KV engine of version 2, changed by compare-and-set alone."""

from __future__ import annotations

import functools
import os

from keyguard.keystore.base import Receipt, StoreError, distinct, taken
from keyguard.keystore.remote import ATTEMPTS, CONNECT_TIMEOUT, READ_TIMEOUT, missing, pause, refuse_plain
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from keyguard.model import Move

_ROUNDS = 12  # other writers that may come first, one after another


class _Held(NamedTuple):
    """What a secret holds, and its version, which a write must name: 0 where there is none yet."""

    data: Mapping[str, object]
    version: int


class _OutdatedError(Exception):
    """Another writer was first."""


class Vault:
    """The store `vault`; address, token and namespace are those of the user's environment."""

    kind = "vault"

    def __init__(self, mount: str, path: str) -> None:
        """Keep where the secret is."""
        self.mount, self.path = mount, path
        self._unusable: StoreError | None = None

    @property
    def _place(self) -> str:
        return f"Vault ({self.mount}/{self.path})"

    def lookup(self, name: str) -> str | None:
        """Give what the secret holds under a name; anything but a text counts as an empty one, which is no key."""
        held = self._read().data.get(name)
        return held if held is None or isinstance(held, str) else ""

    def name_of(self, value: str) -> str | None:  # noqa: ARG002  # as the protocol has it
        """Give None: names are given before anybody agreed to connect."""
        return None

    def put(self, moves: Sequence[Move]) -> Receipt:
        """Add the keys that are not there yet; see `KeyStore.put`.

        A write names the version it was made from and fails if there is a newer one: then it starts over from that, so
        that of two writers none loses a key. All keys are written at once.
        """
        wanted = distinct(moves)
        written: tuple[str, ...] = ()
        for number in range(_ROUNDS):
            held = self._read()
            lacking = {name: value for name, value in wanted.items() if held.data.get(name) is None}
            for name in wanted.keys() - lacking.keys():
                if held.data[name] != wanted[name]:
                    raise taken(name, self._place)
            if not lacking:
                kept = tuple(name for name in wanted if name not in written)
                return Receipt(self._place, written, kept)
            try:
                self._write({**held.data, **lacking}, held.version)
            except _OutdatedError:
                pause(min(number, 2))
            else:
                written = tuple(lacking)  # the next round reads them back
        message = f"{self._place} is changed by others again and again; run this again later"
        raise StoreError(message)

    def _read(self) -> _Held:
        hvac = _hvac()
        kv = self._client.secrets.kv.v2
        try:
            found = self._asked(
                "read",
                lambda: kv.read_secret_version(self.path, mount_point=self.mount, raise_on_deleted_version=False),
            )
        except hvac.exceptions.InvalidPath as error:
            # Never written, or its last version destroyed, which counts as a version all the same.
            found = error.json or {}
        try:
            inner = found.get("data") or {}
            return _Held(inner.get("data") or {}, (inner.get("metadata") or {}).get("version", 0))
        except AttributeError:
            message = f"{self._place} could not be read: what answers at VAULT_ADDR is no Vault; look at the address"
            raise StoreError(message) from None

    def _write(self, data: Mapping[str, object], version: int) -> None:
        hvac = _hvac()
        kv = self._client.secrets.kv.v2
        try:
            self._asked(
                "written",
                lambda: kv.create_or_update_secret(self.path, dict(data), cas=version, mount_point=self.mount),
            )
        except hvac.exceptions.InvalidRequest as error:
            if "check-and-set" in str(error):
                raise _OutdatedError from None
            raise self._failed(error, "written", "look at the limits of the engine") from None
        except hvac.exceptions.InvalidPath as error:
            remedy = f'there is no KV engine of version 2 at "{self.mount}"; enable one, or set vault-mount'
            raise self._failed(error, "written", remedy) from None

    def _asked(self, what: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401  # what a library answers
        """Make a request, and again where the way or the server failed: all of them can be made twice.

        A write that arrived although its answer did not fails the second time, by its version, and is then read.
        """
        hvac = _hvac()
        if self._unusable is not None:  # a run asks for several names, and nobody wants to wait for each in turn
            raise self._unusable
        for number in range(ATTEMPTS):
            try:
                return call()
            except (hvac.exceptions.InvalidPath, hvac.exceptions.InvalidRequest):
                raise
            except hvac.exceptions.Forbidden as error:
                remedy = "the token may not do that or has ended: vault login, or ask for create, update and read there"
                raise self._failed(error, what, remedy) from None
            except (hvac.exceptions.VaultError, OSError) as error:
                if "sealed" in str(error).lower():
                    raise self._failed(error, what, "Vault is sealed; unseal it") from None
                if number + 1 == ATTEMPTS or isinstance(error, hvac.exceptions.Unauthorized):
                    raise self._failed(error, what, "look at VAULT_ADDR and at the server") from None
            pause(number)
        raise AssertionError  # the last attempt returns or raises

    def _failed(self, error: Exception, what: str, remedy: str) -> StoreError:
        """Give the error of a request; the server's own text is left out, since it may quote what it was sent."""
        self._unusable = StoreError(f"{self._place} could not be {what} ({type(error).__name__}); {remedy}")
        return self._unusable

    @functools.cached_property
    def _client(self) -> Any:  # noqa: ANN401  # a library that need not be installed
        address = os.environ.get("VAULT_ADDR", "")
        if not address:
            message = "VAULT_ADDR is not set; set it to your Vault's address, such as https://vault.corp.example:8200"
            raise StoreError(message)
        refuse_plain(address, "VAULT_ADDR")
        client = _hvac().Client(
            url=address,
            timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            namespace=os.environ.get("VAULT_NAMESPACE"),  # as the command line's; hvac itself does not read it
        )
        if not client.token:
            message = "there is no token for Vault; run vault login, or set VAULT_TOKEN"
            raise StoreError(message)
        return client


@functools.cache
def _hvac() -> Any:  # noqa: ANN401  # as above
    try:
        import hvac  # noqa: PLC0415  # 120 ms, and an extra
        import hvac.exceptions  # noqa: PLC0415  # as above
    except ImportError:
        raise missing(library="hvac", extra="vault") from None
    return hvac
