"""The store gives back what it was given, in any order and after a kill, to its owner alone, and holds no key."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyguard.errors import UsageError
from keyguard.leaks import Audit, Audited, Leak, Moment, Sighting, Verdict
from keyguard.many.store import SCHEMA, Found, open_store, read, reading, summed_up
from keyguard.model import Confidence, Edit, Finding, Fix, Move, Notice, Safety, Secret, Severity, Span
from tests.keys import make
from tests.many.audits import audits, lists_of_founds, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Each example makes a file: 3 ms on a quiet machine.
LIGHT = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
KEY = "ab" * 32
MOMENT = Moment("1" * 40, "2024-05-06T07:08:09Z", "Zoë <zoe@example.org>", "add the key")


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where a store may be."""
    return str(tmp_path / "audit.sqlite")


def fresh(tmp_path: Path) -> str:
    """A place for a store that no other example has."""
    return str(Path(tempfile.mkdtemp(dir=tmp_path)) / "audit.sqlite")


def finding(key: str | None = KEY, **more: object) -> Finding:
    """A finding of a key."""
    fields: dict[str, object] = {
        "rule": "KG101",
        "path": "app.py",
        "span": Span(1, 9),
        "line": 3,
        "column": 5,
        "end_line": 3,
        "end_column": 13,
        "message": "a key",
        "severity": Severity.HIGH,
        "confidence": Confidence.HIGH,
        "fingerprint": "f",
        "key": key,
        "provider": "openai",
        "masked": "sk-proj-… (164 characters)",
    }
    return Finding(**{**fields, **more})  # type: ignore[arg-type]


def sighting(key: str | None = KEY, **more: object) -> Sighting:
    """A place of a key that came with `MOMENT`."""
    return Sighting(finding(key), **{"first": MOMENT, "at_head": True, **more})  # type: ignore[arg-type]


def put_all(path: str, found: Sequence[Found], order: Sequence[int], *, state: str | None = None) -> Audit:
    """Put repositories in some order into a store, whose list has them in theirs; give what it holds."""
    with open_store(path) as store:
        store.begin((one.audited.name, one.audited.path) for one in found)
        for number in order:
            store.put(found[number], state)
        store.settle(summed_up)
        store.finish()
        return store.read()


def ask(path: str, query: str) -> list[tuple[object, ...]]:
    """Ask a store."""
    with reading(path) as connection:
        return connection.execute(query).fetchall()


# Nothing in it


def test_a_store_without_an_audit_is_an_empty_audit(path: str) -> None:
    with open_store(path) as store:
        assert store.read() == Audit(())
        assert store.known() == {}
    assert read(path) == Audit(())


def test_a_repository_that_was_not_read_yet_is_incomplete(path: str) -> None:
    with open_store(path) as store:
        store.begin([("app", "src/app")])
    audit = read(path)
    assert audit == Audit((Audited("app", "src/app", is_complete=False),))
    assert not audit.is_complete
    assert ask(path, "SELECT name, error FROM not_read") == [("app", None)]


# Round trips


@LIGHT
@given(audits())
def test_an_audit_comes_back_as_it_was(tmp_path: Path, audit: Audit) -> None:
    path = fresh(tmp_path)
    with open_store(path) as store:
        store.put_audit(audit)
        assert store.read() == audit
        store.put_audit(audit)
    assert read(path) == audit


@LIGHT
@given(st.data(), lists_of_founds(at_least=1))
def test_neither_order_nor_repetition_matters(tmp_path: Path, data: st.DataObject, found: list[Found]) -> None:
    expected = put_all(fresh(tmp_path), found, range(len(found)))
    order = data.draw(st.permutations([*range(len(found)), *data.draw(st.lists(st.sampled_from(range(len(found)))))]))
    assert put_all(fresh(tmp_path), found, order) == expected
    assert expected.repositories == tuple(one.audited for one in found)
    places = [one for each in found for one in (named(each, each.audited.name) if len(found) > 1 else each).sightings]
    assert [*expected.others] == [one for one in places if one.finding.key is None]
    assert {leak.key: list(leak.sightings) for leak in expected.leaks} == {
        key: [one for one in places if one.finding.key == key] for key in {one.finding.key for one in places} - {None}
    }


@LIGHT
@given(st.data(), lists_of_founds(at_least=2))
def test_what_was_put_before_leaves_nothing_behind(tmp_path: Path, data: st.DataObject, found: list[Found]) -> None:
    path = fresh(tmp_path)
    put_all(path, found, range(len(found)))
    kept = data.draw(st.lists(st.sampled_from(found), unique_by=lambda one: one.audited.name))
    emptied = [Found(one.audited) if data.draw(st.booleans()) else one for one in kept]
    assert put_all(path, emptied, range(len(emptied))) == put_all(fresh(tmp_path), emptied, range(len(emptied)))


# What the newest list does not have


def test_a_repository_that_left_the_list_counts_again_when_it_is_back(path: str) -> None:
    app, web = (Found(Audited(name, name), (sighting(),)) for name in ("app", "web"))
    both = put_all(path, [app, web], [0, 1])
    assert [one.repository for one in both.leaks[0].sightings] == ["app", "web"]
    alone = put_all(path, [app], [0])
    assert [one.repository for one in alone.leaks[0].sightings] == [""]
    assert ask(path, "SELECT places, repositories FROM leaks") == [(1, 1)]
    with open_store(path) as store:
        store.begin([("web", "web"), ("app", "app")])
        store.confirm("web")
        store.confirm("app")
        store.settle(summed_up)
        assert [one.repository for one in store.read().leaks[0].sightings] == ["web", "app"]


def test_a_key_whose_places_are_gone_is_gone(path: str) -> None:
    put_all(path, [Found(Audited("app", "app"), (sighting(), sighting("cd" * 32)))], [0])
    audit = put_all(path, [Found(Audited("app", "app"), (sighting(),))], [0])
    assert [leak.key for leak in audit.leaks] == [KEY]
    assert ask(path, "SELECT key FROM leaks") == [(KEY,)]
    assert ask(path, "SELECT key FROM stale") == []


# Resuming


def test_only_what_was_read_to_its_end_is_known(path: str) -> None:
    found = [
        Found(Audited("whole", "whole")),
        Found(Audited("half", "half", is_complete=False)),
        Found(Audited("wrong", "wrong", error="no repository")),
    ]
    with open_store(path) as store:
        store.begin((one.audited.name, one.audited.path) for one in found)
        for one in found:
            store.put(one, "a state")
        assert store.known() == {"whole": "a state"}
        store.put(found[0], None)
        assert store.known() == {}


def test_what_is_unchanged_is_confirmed_and_complete(path: str) -> None:
    app = Found(Audited("app", "app", commits=3), (sighting(),))
    before = put_all(path, [app], [0], state="s")
    with open_store(path) as store:
        store.begin([("app", "app")])
        assert store.known() == {"app": "s"}
        assert not store.read().is_complete
        store.confirm("app")
        store.finish([Notice("told")])
    assert read(path) == before._replace(notices=(Notice("told"),))


def test_a_verdict_stays_until_there_is_a_newer_one(path: str) -> None:
    asked = Verdict("live", "api.example.org", 200, "it works", (("requests", "3"),), "2024-01-01T00:00:00Z")
    put_all(path, [Found(Audited("app", "app"), (sighting(),))], [0])
    with open_store(path) as store:
        store.put_leaks(leak._replace(verdict=asked) for leak in store.read().leaks)
    assert ask(path, "SELECT key, verdict, asked FROM live_keys") == [(KEY, "live", "2024-01-01T00:00:00Z")]
    audit = put_all(path, [Found(Audited("app", "app"), (sighting(), sighting()))], [0])
    assert [(leak.verdict, len(leak.sightings)) for leak in audit.leaks] == [(asked, 2)]


# A killed store

WRITER = """
import os, signal, sys
from keyguard.leaks import Audited
from keyguard.many.store import Found, open_store
from tests.many.test_store import sighting

path, count, at = sys.argv[1], int(sys.argv[2]), sys.argv[3]
names = [f"repository-{number}" for number in range(1000)]
with open_store(path) as store:
    store.begin((name, name) for name in names)
    for name in names[:count]:
        store.put(Found(Audited(name, name), (sighting(),) * 3), "s")
    if at == "inside":
        with store._transaction() as connection:
            connection.execute("DELETE FROM sightings")
            os.kill(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("at", ["between", "inside"])
def test_a_kill_leaves_every_repository_that_was_put(path: str, at: str) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", WRITER, path, "40", at], cwd=root, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    audit = read(path)
    assert [one.is_complete for one in audit.repositories] == [True] * 40 + [False] * 960
    # Nobody summed it up: the places themselves do.
    assert [(leak.key, leak.rank, len(leak.sightings)) for leak in audit.leaks] == [(KEY, "head", 120)]
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
    assert ask(path, "SELECT count(*) FROM not_read") == [(960,)]
    with open_store(path) as store:
        store.begin((one.name, one.path) for one in audit.repositories)
        assert len(store.known()) == 40
        store.settle(summed_up)
    assert ask(path, "SELECT places, repositories FROM leaks") == [(120, 40)]
    assert sorted(os.listdir(Path(path).parent)) == ["audit.sqlite"]  # noqa: PTH208  # names


def test_what_fails_in_the_middle_of_a_repository_changes_nothing(path: str) -> None:
    app = Found(Audited("app", "app"), (sighting(),))
    before = put_all(path, [app], [0])

    def broken() -> Iterator[Sighting]:
        yield sighting()
        raise KeyboardInterrupt

    class Broken(Found):
        __slots__ = ()

        @property
        def sightings(self) -> Iterator[Sighting]:  # type: ignore[override]
            return broken()

    with open_store(path) as store, pytest.raises(KeyboardInterrupt):
        store.put(Broken(Audited("app", "app")))
    assert read(path) == before


# What the file is


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_nobody_else_may_read_it(path: str, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with open_store(path) as store:
            store.begin([("app", "app")])
            modes = {name.name: stat.S_IMODE(name.stat().st_mode) for name in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert set(modes) >= {"audit.sqlite", "audit.sqlite-wal"}
    assert set(modes.values()) == {0o600}
    Path(path).chmod(0o644)
    with open_store(path):
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600


def test_no_key_is_ever_in_it(path: str, tmp_path: Path) -> None:
    secret = make("openai/project")
    fix = Fix("read it", Safety.SAFE, (Edit(Span(1, 9), "x"),), moves=(Move("OPENAI_API_KEY", Secret(secret)),))
    found = Found(Audited("app", "app"), (Sighting(finding(fix=fix)),))
    with open_store(path) as store:
        store.begin([("app", "app")])
        store.put(found)
        written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert secret.encode() not in written + Path(path).read_bytes()
    assert read(path).leaks[0].sightings[0].finding == finding(fix=None)


def test_odd_bytes_come_back_and_can_be_queried(path: str) -> None:
    odd = os.fsdecode(b"caf\xe9.py")
    put_all(path, [Found(Audited("app", odd), (Sighting(finding(path=odd)),))], [0])
    audit = read(path)
    assert audit.repositories[0].path == odd
    assert audit.leaks[0].sightings[0].finding.path == odd
    assert ask(path, "SELECT path FROM places") == [("caf\\udce9.py",)]


def other_database(path: Path) -> None:
    """Another program's database."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE audits (id)")
    connection.commit()
    connection.close()


def newer(path: Path) -> None:
    """A store of a version to come."""
    with open_store(str(path)):
        pass
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    connection.close()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (lambda path: path.write_text("print('hello')\n"), "this is no store of an audit"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + b"x" * 5000), "file is not a database"),
        (other_database, "this is another program's database; name another file"),
        (newer, "a newer keyguard made this store; update keyguard, or name another file"),
        (lambda path: path.mkdir(), "Is a directory"),
    ],
    ids=["text", "garbage", "foreign", "newer", "folder"],
)
def test_what_is_no_store_is_told_and_left_as_it_is(tmp_path: Path, content: object, told: str) -> None:
    path = tmp_path / "audit.sqlite"
    content(path)  # type: ignore[operator]
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(UsageError, match=told), open_store(str(path)):
        pass
    with pytest.raises(UsageError, match=told.partition(";")[0] + "|the store is damaged"):
        read(str(path))
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"")
    (tmp_path / "audit.sqlite").symlink_to(target)
    with pytest.raises(UsageError, match=r"audit\.sqlite: "), open_store(str(tmp_path / "audit.sqlite")):
        pass
    assert target.read_bytes() == b""


def test_a_store_that_is_not_there_is_told(path: str) -> None:
    with pytest.raises(UsageError, match=r"audit\.sqlite: No such file"):
        read(path)


@pytest.mark.parametrize("text", ["{}", "[1]", "not JSON", "null", "[" * 100_000])
def test_a_changed_store_is_damaged_and_runs_nothing(path: str, text: str) -> None:
    put_all(path, [Found(Audited("app", "app"), (sighting(),))], [0])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE sightings SET finding_json = ?", (text,))
    connection.commit()
    connection.close()
    with pytest.raises(UsageError, match=r"audit\.sqlite: the store is damaged"):
        read(path)


# Questions


def test_the_views_answer_what_people_ask(path: str) -> None:
    taken = Moment("2" * 40, "2025-01-01T00:00:00Z", "Bo", "remove it")
    found = [
        Found(Audited("app", "src/app"), (sighting(), sighting("cd" * 32, at_head=False, last=taken))),
        Found(Audited("web", "src/web", missing=2, is_complete=False), (sighting(), sighting(None))),
        Found(Audited("gone", "src/gone", error="there is no such folder")),
    ]
    put_all(path, found, [2, 1, 0])
    assert ask(path, "SELECT repository, path, line, masked, first_author, last_date, rank FROM places") == [
        ("app", "app.py", 3, "sk-proj-… (164 characters)", "Zoë <zoe@example.org>", None, "head"),
        ("app", "app.py", 3, "sk-proj-… (164 characters)", "Zoë <zoe@example.org>", taken.date, "history"),
        ("web", "app.py", 3, "sk-proj-… (164 characters)", "Zoë <zoe@example.org>", None, "head"),
    ]
    assert ask(path, "SELECT rank, places, repositories, first_date FROM open_leaks") == [
        ("head", 2, 2, MOMENT.date),
        ("history", 1, 1, MOMENT.date),
    ]
    assert ask(path, "SELECT * FROM not_read") == [
        ("web", "src/web", None, 2),
        ("gone", "src/gone", "there is no such folder", 0),
    ]
    assert ask(path, "SELECT * FROM live_keys") == []


def test_a_leak_without_a_commit_is_summed_up() -> None:
    alone = Sighting(finding(), on_disk=True)
    assert summed_up(KEY, [alone]) == Leak(KEY, "head", "openai", "sk-proj-… (164 characters)", Severity.HIGH, (alone,))
