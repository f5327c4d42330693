"""The system's keyring as a store, with back ends that the tests bring along."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

import keyring
import keyring.backend
import keyring.backends.chainer
import keyring.backends.fail
import keyring.backends.null
import keyring.errors
import pytest

from keyguard.keystore import StoreError, open_store
from keyguard.keystore.nowhere import Nowhere
from keyguard.keystore.secrets_manager import SecretsManager, _boto
from keyguard.keystore.system_keyring import Keyring
from keyguard.keystore.vault import Vault, _hvac
from keyguard.model import Move, Secret
from keyguard.settings import Settings, Storing
from tests.keys import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "OPENAI_API_KEY"
KEY = fill("<openai-key>")
OTHER = fill("<anthropic-key>")


class Memory(keyring.backend.KeyringBackend):  # type: ignore[misc]  # the library has no types
    """A keyring that lives as long as the test."""

    priority = 1

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.error: Exception | None = None
        self.forgets = False

    def get_password(self, service: str, username: str) -> str | None:
        """Give what is held."""
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Hold a password, fail or forget, as the test wants it."""
        if self.error is not None:
            raise self.error
        if not self.forgets:
            self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget a password."""
        del self.held[service, username]


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Memory]:
    """A keyring of the test in place of the system's."""
    before, backend = keyring.get_keyring(), Memory()
    keyring.set_keyring(backend)
    monkeypatch.setattr("keyguard.keystore.remote._FIRST_PAUSE", 0.0)
    yield backend
    keyring.set_keyring(before)


def move(name: str = NAME, value: str = KEY) -> Move:
    """A key on its way."""
    return Move(name, Secret(value))


def failure(*moves: Move) -> str:
    """The error of a key that is not stored."""
    with pytest.raises(StoreError) as caught:
        Keyring("app").put(moves or [move()])
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_a_key_is_the_password_of_its_name(memory: Memory) -> None:
    receipt = Keyring("app").put([move(), move("ANTHROPIC_API_KEY", OTHER)])
    assert receipt == ('the keyring (service "app")', (NAME, "ANTHROPIC_API_KEY"), (), ())
    assert memory.held == {("app", NAME): KEY, ("app", "ANTHROPIC_API_KEY"): OTHER}
    assert Keyring("app").lookup(NAME) == KEY
    assert Keyring("other").lookup(NAME) is None
    assert Keyring("app").name_of(KEY) is None


def test_a_key_that_is_there_is_kept(memory: Memory) -> None:
    memory.held["app", NAME] = KEY
    assert Keyring("app").put([move()])[1:3] == ((), (NAME,))


def test_another_password_is_never_overwritten(memory: Memory) -> None:
    memory.held["app", NAME] = OTHER
    assert "holds another value under OPENAI_API_KEY" in failure(move("A"), move())
    assert memory.held == {("app", NAME): OTHER}


def test_a_password_that_is_not_kept_is_told(memory: Memory) -> None:
    memory.forgets = True
    assert "does not hold OPENAI_API_KEY after it was written" in failure()


@pytest.mark.parametrize(
    "error", [keyring.errors.KeyringLocked(KEY), keyring.errors.PasswordSetError(KEY), OSError(KEY)]
)
def test_a_keyring_that_fails_is_told_without_its_words(memory: Memory, error: Exception) -> None:
    memory.error = error
    assert f"({type(error).__name__}); unlock the keyring" in failure()


def none_at_all() -> object:
    """What the library gives where no back end is viable."""
    return keyring.backends.fail.Keyring()


def nowhere() -> object:
    """What a user sets to switch the library off."""
    return keyring.backends.null.Keyring()


@pytest.mark.parametrize("backend", [none_at_all, nowhere])
def test_a_keyring_that_keeps_nothing_is_refused(memory: Memory, backend: Callable[[], object]) -> None:
    keyring.set_keyring(backend())
    assert "no keyring here that keeps anything" in failure()
    assert memory.held == {}


def test_a_chain_without_a_keyring_is_refused(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = keyring.backends.chainer.ChainerBackend()
    monkeypatch.setattr(type(chain), "backends", [])
    keyring.set_keyring(chain)
    assert "no keyring here that keeps anything" in failure()
    assert memory.held == {}


# All stores.


@pytest.mark.parametrize(
    ("store", "extra"),
    [(Keyring("app"), "keyring"), (SecretsManager(""), "aws"), (Vault("secret", "app"), "vault")],
    ids=lambda item: getattr(item, "kind", ""),
)
def test_a_library_that_is_not_installed_is_told_with_its_extra(
    store: Keyring | SecretsManager | Vault, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name.split(".", maxsplit=1)[0] in {"keyring", "boto3", "hvac"}:
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    _boto.cache_clear()
    _hvac.cache_clear()
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:9")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(StoreError, match=rf'pip install "keyguard\[{extra}\]"'):
        store.put([move()])


def test_the_service_is_the_projects_folder_or_as_set() -> None:
    assert open_store(Settings(root="/x/My App", storing=Storing(kind="keyring"))) == Keyring("My App")
    set_so = Storing(kind="keyring", keyring_service="bot")
    assert open_store(Settings(root="/x/My App", storing=set_so)) == Keyring("bot")


def test_nowhere_holds_nothing_and_gives_the_names() -> None:
    store = open_store(Settings(storing=Storing(kind="none")))
    assert isinstance(store, Nowhere)
    assert store.put([move(), move("B")]) == ("", (NAME, "B"), (), ())
    with pytest.raises(StoreError, match="two different keys"):
        store.put([move(), move(NAME, OTHER)])
