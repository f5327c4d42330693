"""Where keys go when they leave the code: an env file, the system's keyring, a secret manager, or nowhere.

A store is written and read back before a single line of code changes.
"""

from __future__ import annotations

from keyguard.keystore.base import KeyStore, Receipt, StoreError
from keyguard.keystore.ignoring import ignore
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.settings import Settings

__all__ = ["KeyStore", "Receipt", "StoreError", "ignore", "open_store"]

# ruff: noqa: PLC0415  # a run needs one of five, and most of them bring a library along


def open_store(settings: Settings) -> KeyStore:
    """Give the store that the settings ask for. Nothing is read, connected or written before the first question."""
    storing = settings.storing
    if storing.kind == "none":
        from keyguard.keystore.nowhere import Nowhere

        return Nowhere()
    if storing.kind == "keyring":
        from keyguard.keystore.system_keyring import Keyring

        return Keyring(settings.keyring_service)
    if storing.kind == "aws-secrets-manager":
        from keyguard.keystore.secrets_manager import SecretsManager

        return SecretsManager(storing.aws_prefix)
    if storing.kind == "vault":
        from keyguard.keystore.vault import Vault

        return Vault(storing.vault_mount, settings.vault_path)
    from keyguard.keystore.env_file import EnvFile

    return EnvFile.of(storing.env_file, settings.root)
