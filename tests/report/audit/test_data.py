"""What programs read of an audit: JSON, JSON lines and CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from keyguard.leaks import Audit, Sighting
from keyguard.report import render
from keyguard.report.audit import render_audit
from tests import audits
from tests.report.audit.made import ADDED, CLEAN, FULL, GONE, IN_HEAD, OTHER, REMOVED, ROW, SHOP, SMALL, leak
from tests.report.made import FIXABLE, ODD, OPTIONS, report

DOCS = Path(__file__).parents[3] / "docs"


def read(made: Audit) -> Any:  # noqa: ANN401  # plain data
    return json.loads(render_audit(made, "json", OPTIONS))


def lines(made: Audit) -> list[Any]:
    return [json.loads(line) for line in render_audit(made, "jsonl", OPTIONS).splitlines()]


def table(made: Audit) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render_audit(made, "csv", OPTIONS), newline=""), strict=True))


# -- JSON --------------------------------------------------------------------------------------------------------------


def test_a_clean_audit() -> None:
    assert read(CLEAN) == {
        "version": 1,
        "tool": {"name": "keyguard", "version": "1.2.3"},
        "summary": {
            "repositories": 1,
            "commits": 48,
            "blobs": 310,
            "bytes": 1_048_576,
            "files": 120,
            "findings": 0,
            "by_severity": {"high": 0, "medium": 0, "low": 0},
            "leaks": 0,
            "by_rank": {"head": 0, "history": 0, "test": 0, "public": 0, "malformed": 0},
        },
        "complete": True,
        "findings": [],
        "leaks": [],
        "repositories": [
            {
                "name": "shop",
                "path": "/srv/git/shop",
                "head": "main",
                "commits": 48,
                "blobs": 310,
                "bytes": 1_048_576,
                "files": 120,
                "refs": 3,
                "missing": 0,
                "shallow": False,
                "error": None,
                "complete": True,
            }
        ],
        "connections": [],
        "notices": [],
    }


def test_a_finding_is_what_a_check_gives_and_when_it_stood_there() -> None:
    [checked] = json.loads(render(report(FIXABLE), "json", OPTIONS))["findings"]
    found, gone = read(SMALL)["findings"]
    assert {name: found[name] for name in checked} == checked
    assert {name: value for name, value in found.items() if name not in checked} == {
        "repository": None,
        "kind": "file",
        "blob": "8e" * 20,
        "commit": "a1b2c3d4" * 5,
        "first_seen": {
            "commit": "a1b2c3d4" * 5,
            "date": "2023-04-01T08:00:00Z",
            "author": "Ann",
            "subject": "Add a client",
        },
        "last_seen": None,
        "at_head": True,
        "on_disk": True,
        "refs": ["heads/main", "remotes/origin/dev", "tags/v1.2"],
        "ref_count": 3,
    }
    assert (gone["last_seen"]["commit"], gone["last_seen"]["date"]) == (REMOVED.commit, REMOVED.date)
    assert (gone["at_head"], gone["refs"]) == (False, [])


def test_what_no_commit_held_has_none() -> None:
    sighting = IN_HEAD._replace(first=None, blob=None, at_head=False, refs=(), ref_count=0)
    [found] = read(Audit((SHOP,), (leak(sighting, first=None),)))["findings"]
    assert [found[name] for name in ("blob", "commit", "first_seen", "last_seen")] == [None] * 4


def test_what_is_gone_has_no_fix() -> None:
    gone = IN_HEAD._replace(at_head=False, on_disk=False)
    assert [found["fix"] for found in read(Audit((SHOP,), (leak(gone),)))["findings"]] == [None]
    assert [found["fix"] is None for found in read(Audit((SHOP,), (leak(IN_HEAD),)))["findings"]] == [False]


def test_a_leak_names_its_findings_and_they_name_it() -> None:
    made = read(FULL)
    [first, *_] = made["leaks"]
    assert first == {
        "key": "aa" * 32,
        "rank": "head",
        "new": True,
        "provider": "acme",
        "provider_name": "Acme AI",
        "masked": "ak-… (40 characters)",
        "severity": "high",
        "reach": "calls models at its account's cost",
        "hosts": ["relay.example"],
        "first_seen": {**ADDED._asdict()},
        "last_seen": None,
        "at_head": True,
        "verdict": {
            "state": "live",
            "host": "api.acme.example",
            "status": 200,
            "reason": "it is accepted",
            "limits": [{"name": "x-left", "value": "99"}],
            "at": "2026-10-30T09:00:00Z",
        },
        "steps": [
            {"kind": "revoke", "text": "Revoke it at Acme AI", "url": "https://acme.example/keys"},
            {
                "kind": "usage",
                "text": "Look for uses since 2023-04-01 that are not yours",
                "url": "https://acme.example/keys",
            },
            {"kind": "fix", "text": "Move it out of the code: keyguard fix", "url": None},
            {"kind": "purge", "text": "Last, if at all, git filter-repo", "url": "https://docs.example/purge"},
        ],
        "findings": ["f1" * 32, "f2" * 32],
    }
    assert [one["rank"] for one in made["leaks"]] == ["head", "history", "test"]
    assert [one["verdict"] for one in made["leaks"][1:]] == [None, None]
    named = {found["fingerprint"] for found in made["findings"] if found["key"] == "aa" * 32}
    assert named == {"f1" * 32, "f2" * 32}


def test_findings_come_by_repository_and_place_whatever_the_order() -> None:
    places = [(found["repository"], found["path"]) for found in read(FULL)["findings"]]
    assert places == [
        ("infra", "deploy/.env"),
        ("lab", "deploy/.env"),
        ("shop", "app/client.py"),
        ("shop", "app/log.py"),
        ("shop", "tests/test_1.py"),
        ("shop", "tests/test_2.py"),
    ]
    swapped = SMALL.leaks[0]._replace(sightings=(GONE, IN_HEAD))
    assert read(Audit((SHOP,), (swapped,)))["findings"] == read(SMALL)["findings"]


def test_connections_are_those_of_connections_with_their_repository() -> None:
    made = read(FULL)["connections"]
    assert [(one["repository"], one["path"], one["client"], one["route"]) for one in made] == [
        ("lab", ROW.path, "acme.Client", "relay"),
        ("shop", ROW.path, "acme.Client", "relay"),
    ]


def test_what_was_not_read_is_told() -> None:
    made = read(FULL)
    assert made["complete"] is False
    assert made["repositories"][3]["error"] == "is no git repository"
    assert [one["complete"] for one in made["repositories"]] == [True, True, False, False]
    assert [one["missing"] for one in made["repositories"]] == [0, 14, 0, 0]
    assert [one["shallow"] for one in made["repositories"]] == [False, False, True, False]
    assert made["notices"] == [
        {"level": "warning", "path": "lab", "message": "what was written meanwhile was not read"}
    ]


def test_the_page_names_every_field() -> None:
    page = (DOCS / "audit.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    shown, made = fields(json.loads(block)), fields(read(FULL))
    # Null on the page: the commit that took something away is told as the one that brought it is.
    for name in (".findings", ".leaks"):
        assert made.pop(f"{name}.last_seen") == made[f"{name}.first_seen"]
    # Connections have a page of their own.
    for found in (shown, made):
        for name in [name for name in found if name.startswith(".connections")]:
            del found[name]
    assert made == shown


def fields(value: object, at: str = "", found: dict[str, set[str]] | None = None) -> dict[str, set[str]]:
    found = {} if found is None else found
    if isinstance(value, dict):
        found.setdefault(at, set()).update(value)
    for name, item in value.items() if isinstance(value, dict) else ():
        fields(item, f"{at}.{name}", found)
    for item in value if isinstance(value, list) else ():
        fields(item, at, found)
    return found


# -- JSON lines --------------------------------------------------------------------------------------------------------


def test_a_line_is_what_the_document_holds() -> None:
    document = read(FULL)
    for kind, name in [
        ("finding", "findings"),
        ("leak", "leaks"),
        ("repository", "repositories"),
        ("connection", "connections"),
        ("notice", "notices"),
    ]:
        assert [line for line in lines(FULL) if line["type"] == kind] == [
            {"type": kind, **item} for item in document[name]
        ]
    last = {name: document[name] for name in ("version", "tool", "summary", "complete")}
    assert lines(FULL)[-1] == {"type": "summary", **last}


def test_a_clean_audit_is_a_repository_and_a_summary() -> None:
    assert [line["type"] for line in lines(CLEAN)] == ["repository", "summary"]


# -- CSV ---------------------------------------------------------------------------------------------------------------


def test_a_clean_audit_is_a_header() -> None:
    assert render_audit(CLEAN, "csv", OPTIONS) == (
        "repository,rank,verdict,rule,name,severity,confidence,path,cell,part,line,column,end_line,end_column,provider,"
        "message,remedy,url,fingerprint,key,kind,commit,first_seen,author,removed_by,last_seen,at_head,on_disk,refs,"
        "blob\r\n"
    )


def test_a_sighting_is_a_row() -> None:
    found, gone = table(SMALL)
    assert [found[name] for name in ("rank", "path", "line", "commit", "first_seen", "author")] == [
        "head",
        "app/client.py",
        "3",
        ADDED.commit,
        ADDED.date,
        "Ann",
    ]
    assert (found["at_head"], found["refs"]) == ("true", "heads/main remotes/origin/dev tags/v1.2")
    assert (gone["removed_by"], gone["last_seen"], gone["at_head"]) == (REMOVED.commit, REMOVED.date, "false")


def test_a_finding_about_anything_else_has_no_rank() -> None:
    [row] = table(Audit((SHOP,), others=(OTHER,)))
    assert (row["rule"], row["rank"], row["verdict"]) == ("KG104", "", "")
    assert [row["verdict"] for row in table(FULL)] == ["", "live", "live", "", "", ""]


def test_hostile_names_start_no_formula() -> None:
    odd = Sighting(OTHER.finding._replace(path="=1+1"), repository="+cmd", first=ADDED._replace(author="@SUM(1)"))
    [row] = table(Audit((SHOP,), others=(odd,)))
    assert (row["repository"], row["path"], row["author"]) == ("'+cmd", "'=1+1", "'@SUM(1)")


@pytest.mark.parametrize("made", [FULL, audits.audit(), audits.hostile(ODD), audits.large(30, 200)])
def test_every_row_has_every_column(made: Audit) -> None:
    assert {None not in row and None not in row.values() for row in table(made)} == {True}
    assert len(table(made)) == len(read(made)["findings"])
