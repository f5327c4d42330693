"""What is new and what is gone: nothing is said to be gone that was not looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from keyguard.audit.ranking import by_urgency
from keyguard.errors import UsageError
from keyguard.leaks import Audit, Audited, Sighting
from keyguard.many.comparing import compare, gone, read_last
from keyguard.many.store import open_store, summed_up
from keyguard.report.audit import render_audit
from keyguard.report.options import RenderOptions
from tests.many.audits import audits
from tests.many.test_store import finding

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO, THREE = ("ab" * 32, "cd" * 32, "ef" * 32)


def audit(places: dict[str, tuple[str, ...]], **broken: str) -> Audit:
    """An audit of repositories with these keys; those in `broken` could not be read, or (empty) not to their end."""
    repositories = tuple(
        Audited(name, name, error=broken.get(name) or None, is_complete=broken.get(name) != "") for name in places
    )
    sightings = [
        Sighting(finding(key), "" if len(places) == 1 else name) for name, keys in places.items() for key in keys
    ]
    keys = dict.fromkeys(one.finding.key or "" for one in sightings)
    return Audit(repositories, by_urgency(summed_up(key, sightings) for key in keys))


def new(now: Audit, last: Audit) -> dict[str, bool | None]:
    """Which keys are said to be new."""
    return {leak.key: leak.is_new for leak in compare(now, last).leaks}


def gone_keys(now: Audit, last: Audit) -> list[str]:
    """Which keys are said to be gone."""
    return sorted(leak.key for leak in gone(now, last))


def test_the_same_audit_has_nothing_new_and_nothing_gone() -> None:
    same = audit({"app": (ONE, TWO), "web": (ONE,)})
    assert new(same, same) == {ONE: False, TWO: False}
    assert gone(same, same) == ()
    assert compare(Audit(()), same) == Audit(())


def test_a_known_key_in_another_place_is_not_new() -> None:
    assert new(audit({"app": (), "web": (ONE,)}), audit({"app": (ONE,), "web": ()})) == {ONE: False}


def test_a_key_that_was_nowhere_is_new() -> None:
    assert new(audit({"app": (ONE, TWO)}), audit({"app": (ONE,)})) == {ONE: False, TWO: True}


def test_a_key_that_is_nowhere_any_more_is_gone() -> None:
    last = audit({"app": (ONE, TWO), "web": (TWO, THREE)})
    assert gone_keys(audit({"app": (ONE,), "web": ()}), last) == [TWO, THREE]
    assert gone_keys(audit({"app": (ONE,), "web": (TWO,)}), last) == [THREE]


@pytest.mark.parametrize(
    "now",
    [
        audit({"app": ()}),
        audit({"app": (), "site": ()}),
        audit({"app": (), "web": ()}, web="there is no such folder"),
        audit({"app": (), "web": ()}, web=""),
    ],
    ids=["no more listed", "renamed", "error", "interrupted"],
)
def test_what_was_not_looked_for_is_not_gone(now: Audit) -> None:
    assert gone_keys(now, audit({"app": (ONE,), "web": (ONE, TWO)})) == []


def test_one_repository_may_be_called_by_any_name() -> None:
    assert gone_keys(audit({"src/app": ()}), audit({"app": (ONE,)})) == [ONE]
    assert gone_keys(audit({"src/app": ()}, **{"src/app": "x"}), audit({"app": (ONE,)})) == []
    # But among many it counts by its name.
    assert gone_keys(audit({"app": (), "web": ()}), audit({"app": (ONE,)})) == [ONE]
    assert gone_keys(audit({"site": (), "web": ()}), audit({"app": (ONE,)})) == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(audits(), audits())
def test_every_key_of_two_audits_is_new_known_or_gone(now: Audit, last: Audit) -> None:
    before, after = ({leak.key for leak in one.leaks} for one in (last, now))
    marked = compare(now, last)
    assert {leak.key for leak in marked.leaks if leak.is_new} == after - before
    assert {leak.key for leak in marked.leaks if leak.is_new is False} == after & before
    assert set(gone_keys(now, last)) <= before - after
    whole = now._replace(repositories=tuple(one._replace(error=None, is_complete=True) for one in last.repositories))
    assert set(gone_keys(whole, last)) == before - after
    # Nothing else changes.
    assert marked._replace(leaks=tuple(leak._replace(is_new=None) for leak in marked.leaks)) == now._replace(
        leaks=tuple(leak._replace(is_new=None) for leak in now.leaks)
    )


# What to compare with


def test_a_store_and_a_report_say_the_same(tmp_path: Path) -> None:
    last = audit({"app": (ONE, TWO), "web": (TWO,)}, web="broken")
    with open_store(str(tmp_path / "last.sqlite")) as store:
        store.put_audit(last)
    (tmp_path / "last.json").write_text(render_audit(last, "json", RenderOptions()), encoding="utf-8")
    now = audit({"app": (THREE,), "web": ()})
    for name in ("last.sqlite", "last.json"):
        read = read_last(str(tmp_path / name))
        assert new(now, read) == {THREE: True}, name
        assert gone_keys(now, read) == gone_keys(now, last) == [ONE, TWO], name
        assert [(leak.key, leak.rank, leak.masked) for leak in read.leaks] == [
            (leak.key, leak.rank, leak.masked) for leak in last.leaks
        ], name
        assert [(one.name, one.error) for one in read.repositories] == [("app", None), ("web", "broken")], name


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(audits(), audits())
def test_any_report_can_be_compared_with(tmp_path: Path, now: Audit, last: Audit) -> None:
    file = tmp_path / "last.json"
    file.write_text(render_audit(last, "json", RenderOptions()), encoding="utf-8")
    read = read_last(str(file))
    assert new(now, read) == new(now, last)
    assert gone_keys(now, read) == gone_keys(now, last)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "this is no store of an audit; name a store, or a report"),
        (b"hello", "this is no store of an audit; name a store, or a report"),
        (b"{}", "this is no report of `keyguard audit --output-format json`"),
        (b'{"findings": [], "leaks": 3, "repositories": []}', "this is no report"),
        (b'{"findings": [1], "leaks": [], "repositories": []}', "this is no report"),
        (b"{" * 100_000, "this is no report"),
        (b"{\xff", "this is no report"),
        (None, "No such file"),
    ],
)
def test_what_is_neither_is_told(tmp_path: Path, content: bytes | None, told: str) -> None:
    file = tmp_path / "last"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=f"^--compare: .*last: {told}"):
        read_last(str(file))
