"""Vault as a store, over HTTP on loopback: no writer loses another's key, and no error says a key."""

from __future__ import annotations

import threading
import time
import traceback
from typing import TYPE_CHECKING

import pytest

from keyguard.keystore import StoreError, open_store, remote
from keyguard.keystore.vault import Vault
from keyguard.model import Move, Secret
from keyguard.settings import Settings, Storing
from tests.keys import fill
from tests.keystore.vault_server import TOKEN, VaultServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "OPENAI_API_KEY"
KEY = fill("<openai-key>")
OTHER = fill("<anthropic-key>")


def move(name: str = NAME, value: str = KEY) -> Move:
    """A key on its way."""
    return Move(name, Secret(value))


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[VaultServer]:
    """A Vault that the environment names; nobody waits between tries."""
    server = VaultServer()
    monkeypatch.setenv("VAULT_ADDR", server.address)
    monkeypatch.setenv("VAULT_TOKEN", TOKEN)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("VAULT_NAMESPACE", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(remote, "_FIRST_PAUSE", 0.0)
    yield server
    server.stop()


def store(path: str = "team/app") -> Vault:
    """The store of a project."""
    return Vault("secret", path)


def failure(*moves: Move, path: str = "team/app") -> str:
    """The error of a key that is not stored, the whole of what a traceback would show."""
    with pytest.raises(StoreError) as caught:
        store(path).put(moves or [move()])
    shown = "".join(traceback.format_exception(caught.value, chain=not caught.value.__suppress_context__))
    assert KEY not in shown
    assert TOKEN not in shown
    return str(caught.value)


def test_keys_are_stored_in_one_secret_by_their_names(vault: VaultServer) -> None:
    receipt = store().put([move(), move("ANTHROPIC_API_KEY", OTHER)])
    assert receipt == ("Vault (secret/team/app)", (NAME, "ANTHROPIC_API_KEY"), (), ())
    assert vault.secrets == {"team/app": [{NAME: KEY, "ANTHROPIC_API_KEY": OTHER}]}
    assert store().lookup(NAME) == KEY
    assert store().lookup("OTHER") is None


def test_what_the_secret_holds_besides_stays(vault: VaultServer) -> None:
    vault.secrets["team/app"] = [{"user": "me", "ports": [1, 2], "none": None}]
    store().put([move()])
    assert vault.latest("team/app") == {"user": "me", "ports": [1, 2], "none": None, NAME: KEY}


def test_a_second_time_writes_nothing(vault: VaultServer) -> None:
    store().put([move()])
    assert store().put([move()]) == ("Vault (secret/team/app)", (), (NAME,), ())
    assert len(vault.secrets["team/app"]) == 1


def test_nothing_connects_before_it_is_asked(vault: VaultServer) -> None:
    opened = open_store(Settings(root="/x/my app", storing=Storing(kind="vault", vault_mount="kv")))
    assert isinstance(opened, Vault)
    assert (opened.kind, opened.mount, opened.path) == ("vault", "kv", "my-app")
    assert opened.name_of(KEY) is None
    assert vault.requests == []


@pytest.mark.parametrize("held", [OTHER, "", 5, {"a": 1}], ids=str)
def test_another_value_is_never_overwritten(vault: VaultServer, held: object) -> None:
    vault.secrets["team/app"] = [{NAME: held}]
    assert "holds another value under OPENAI_API_KEY" in failure(move(), move("A"))
    assert vault.secrets["team/app"] == [{NAME: held}]


@pytest.mark.parametrize("last", ["deleted", "destroyed"])
def test_a_version_that_was_removed_is_followed_by_ours(vault: VaultServer, last: str) -> None:
    vault.secrets["team/app"] = [{NAME: OTHER}, last]
    store().put([move()])
    assert vault.secrets["team/app"] == [{NAME: OTHER}, last, {NAME: KEY}]


def test_of_two_writers_none_loses_a_key(vault: VaultServer) -> None:
    vault.before_write = lambda: vault.secrets.setdefault("team/app", []).append({"A": "first"})
    assert store().put([move()]).written == (NAME,)
    assert vault.latest("team/app") == {"A": "first", NAME: KEY}


def test_the_same_key_from_another_writer_is_kept(vault: VaultServer) -> None:
    vault.before_write = lambda: vault.secrets.setdefault("team/app", []).append({NAME: KEY})
    assert store().put([move()])[1:3] == ((), (NAME,))


def test_many_writers_at_once_all_get_their_keys_in(vault: VaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_FIRST_PAUSE", 0.01)
    names = [f"KEY_{number}" for number in range(6)]
    failures: list[StoreError] = []

    def work(name: str) -> None:
        try:
            store().put([move(name, KEY + name)])
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert vault.latest("team/app") == {name: KEY + name for name in names}


def test_a_secret_that_never_rests_is_told(vault: VaultServer) -> None:
    count = [0]

    def again() -> None:
        count[0] += 1
        vault.secrets.setdefault("team/app", []).append({"A": count[0]})
        vault.before_write = again

    vault.before_write = again
    assert "changed by others again and again" in failure()


def test_a_write_whose_answer_is_lost_is_not_made_twice(vault: VaultServer) -> None:
    vault.drop_answers = 1
    assert NAME in [name for names in store().put([move()])[1:3] for name in names]
    assert vault.secrets["team/app"] == [{NAME: KEY}]


@pytest.mark.parametrize("status", [500, 502, 503, 429, 412])
def test_a_fault_that_passes_is_waited_for(vault: VaultServer, status: int) -> None:
    vault.faults = [(status, {"errors": ["a fault"]})] * 2
    assert store().put([move()]).written == (NAME,)


def test_a_fault_that_stays_is_told_after_a_few_tries(vault: VaultServer) -> None:
    vault.faults = [(500, {"errors": [f"quoting {KEY}"]})] * 99
    assert "could not be read (InternalServerError); look at VAULT_ADDR" in failure()
    assert len(vault.requests) == remote.ATTEMPTS


def test_a_vault_that_failed_is_not_asked_again_in_the_same_run(vault: VaultServer) -> None:
    vault.faults = [(500, {"errors": []})] * remote.ATTEMPTS
    opened = store()
    for name in ("A", "B"):
        with pytest.raises(StoreError, match="InternalServerError"):
            opened.lookup(name)
    assert len(vault.requests) == remote.ATTEMPTS


def test_a_sealed_vault_is_told_at_once(vault: VaultServer) -> None:
    vault.faults = [(503, {"errors": ["Vault is sealed"]})] * 9
    assert "Vault is sealed; unseal it" in failure()
    assert len(vault.requests) == 1


def test_a_token_without_rights_is_told_at_once(vault: VaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "another")
    assert "(Forbidden); the token may not do that" in failure()
    assert len(vault.requests) == 1


def test_a_write_that_is_not_allowed_is_told(vault: VaultServer) -> None:
    vault.faults = [(404, {"errors": []}), (403, {"errors": [f"no: {KEY}"]})]
    assert "could not be written (Forbidden)" in failure()
    assert vault.secrets == {}


def test_a_mount_that_is_not_there_is_told(vault: VaultServer) -> None:
    vault.mount = "kv"
    assert 'no KV engine of version 2 at "secret"' in failure()


def test_a_write_that_is_refused_is_told(vault: VaultServer) -> None:
    vault.faults = [(404, {"errors": []}), (400, {"errors": [f"too long: {KEY}"]})]
    assert "could not be written (InvalidRequest)" in failure()


@pytest.mark.parametrize("answer", [b"<html>a portal</html>", ["x"]], ids=["html", "list"])
def test_what_is_no_vault_is_told(vault: VaultServer, answer: object) -> None:
    vault.faults = [(200, answer)]
    assert "is no Vault" in failure()


def test_a_server_that_says_nothing_is_left(vault: VaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyguard.keystore.vault.READ_TIMEOUT", 0.1)
    vault.silence = 0.5
    begin = time.monotonic()
    assert "look at VAULT_ADDR" in failure()
    assert time.monotonic() - begin < 3


def test_a_port_where_nobody_listens_is_told(vault: VaultServer) -> None:
    vault.stop()
    assert "look at VAULT_ADDR" in failure()


def test_a_vault_that_nothing_names_is_told(vault: VaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAULT_ADDR")
    assert "VAULT_ADDR is not set" in failure()
    assert vault.requests == []


def test_a_token_that_is_not_there_is_told(vault: VaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAULT_TOKEN")
    assert "no token for Vault; run vault login" in failure()
    assert vault.requests == []


def test_no_key_travels_in_the_clear(monkeypatch: pytest.MonkeyPatch, vault: VaultServer) -> None:
    monkeypatch.setenv("VAULT_ADDR", "http://vault.example.org:8200")
    assert "would travel in the clear; use https://" in failure()
    assert vault.requests == []


def test_a_namespace_of_the_environment_counts(vault: VaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_NAMESPACE", "team-a")
    store().put([move()])
    assert {headers.get("X-Vault-Namespace") for headers in vault.headers} == {"team-a"}
