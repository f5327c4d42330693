"""JSON: the contract scripts stand on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keyguard.model import Fix, Move, Safety, Secret
from keyguard.report import render
from tests.report.made import CELL, EMPTY, FIXABLE, FULL, HOSTILE, KEY, ODD, OPTIONS, OUTPUT, finding, options, report


def loaded(made: Any, **changes: Any) -> Any:  # noqa: ANN401  # plain data
    return json.loads(render(made, "json", options(**changes)))


def test_a_clean_run_has_every_count() -> None:
    assert loaded(EMPTY) == {
        "version": 1,
        "tool": {"name": "keyguard", "version": "1.2.3"},
        "summary": {
            "files": 42,
            "findings": 0,
            "by_severity": {"high": 0, "medium": 0, "low": 0},
            "hidden": 0,
            "ignored": 0,
            "accepted": 0,
            "fixed": 0,
            "skipped": 0,
            "unused_ignores": 0,
        },
        "findings": [],
        "notices": [],
    }


def test_a_finding_has_every_field() -> None:
    assert loaded(report(KEY))["findings"] == [
        {
            "rule": "KG101",
            "name": "hardcoded-key",
            "severity": "high",
            "confidence": "high",
            "path": "app/client.py",
            "line": 3,
            "column": 18,
            "end_line": 3,
            "end_column": 36,
            "cell": None,
            "part": None,
            "message": "Acme AI key ak-…(40) is written into the code",
            "remedy": "Read it from ACME_API_KEY, and revoke this key: https://acme.example/keys",
            "fingerprint": "f1" * 32,
            "key": "aa" * 32,
            "provider": "acme",
            "url": "https://keyguard.example/rules/KG101",
            "related": [],
            "fix": None,
        }
    ]


def test_fix_related_and_cell() -> None:
    assert loaded(report(FIXABLE))["findings"][0]["fix"] == {
        "title": "read ACME_API_KEY",
        "safety": "safe",
        "edits": [
            {"start": 40, "end": 58, "text": 'os.environ["ACME_API_KEY"]'},
            {"start": 0, "end": 0, "text": "import os\n"},
        ],
    }
    assert loaded(report(OUTPUT))["findings"][0]["related"] == [
        {
            "path": "app/log.py",
            "line": 2,
            "column": 1,
            "end_line": 2,
            "end_column": 9,
            "message": "the key is read here",
        }
    ]
    cell = loaded(report(CELL))["findings"][0]
    assert (cell["cell"], cell["part"], cell["line"], cell["column"]) == (3, "source", 2, 5)


def test_the_summary_counts_what_is_not_reported() -> None:
    assert loaded(FULL)["summary"] == {
        "files": 42,
        "findings": 4,
        "by_severity": {"high": 3, "medium": 1, "low": 0},
        "hidden": 12,
        "ignored": 1,
        "accepted": 1,
        "fixed": 0,
        "skipped": 1,
        "unused_ignores": 1,
    }


def test_suppressed_findings_are_listed_only_when_asked_for() -> None:
    assert "ignored" not in loaded(FULL)
    shown = loaded(FULL, show_ignored=True)
    assert [(f["path"], f["line"]) for f in shown["ignored"]] == [("app/client.py", 7)]
    assert [(f["path"], f["line"]) for f in shown["accepted"]] == [("app/log.py", 4)]
    assert len(shown["findings"]) == 4


def test_notices() -> None:
    assert loaded(FULL)["notices"] == [
        {"level": "error", "path": "secret.txt", "message": "could not be read: give yourself permission"},
        {"level": "warning", "path": None, "message": "an old baseline"},
    ]


def test_findings_stand_by_path_position_and_rule_whatever_the_severity() -> None:
    places = [
        finding(path="b.py", line=1),
        finding(path="a.py", line=10),
        finding(path="a.py", line=9, column=2),
        finding(path="a.py", line=9, column=1, rule="KG106"),
        finding(path="a.py", line=9, column=1, rule="KG101"),
        finding(path="n.ipynb", cell=10, part="source", line=1),
        finding(path="n.ipynb", cell=2, part="output", line=1),
        finding(path="n.ipynb", cell=2, part="source", line=5),
    ]
    found = loaded(report(*places))["findings"]
    assert [(f["path"], f["cell"], f["part"], f["line"], f["column"], f["rule"]) for f in found] == [
        ("a.py", None, None, 9, 1, "KG101"),
        ("a.py", None, None, 9, 1, "KG106"),
        ("a.py", None, None, 9, 2, "KG101"),
        ("a.py", None, None, 10, 18, "KG101"),
        ("b.py", None, None, 1, 18, "KG101"),
        ("n.ipynb", 2, "source", 5, 18, "KG101"),
        ("n.ipynb", 2, "output", 1, 18, "KG101"),
        ("n.ipynb", 10, "source", 1, 18, "KG101"),
    ]


def test_a_fix_that_moves_a_key_never_shows_it() -> None:
    secret = "not-a-real-" + "key"
    moving = finding(fix=Fix("move it", Safety.SAFE, (), (Move("ACME_API_KEY", Secret(secret)),)))
    for format_ in ("json", "jsonl", "sarif", "text"):
        assert secret not in render(report(moving), format_, options(offer_fixes=True, verbose=True))


def test_odd_text_comes_back_as_it_was_but_for_lone_surrogates() -> None:
    found = loaded(HOSTILE)["findings"]
    assert found[1]["message"] == ODD.replace("\udcff", "\\udcff")
    assert found[0]["path"] == "=cmd|' /C calc'!A0"
    assert found[0]["fix"]["safety"] == "unsafe"


def test_output_is_ascii_so_no_console_can_spoil_it() -> None:
    assert render(HOSTILE, "json", OPTIONS).isascii()
    assert render(HOSTILE, "jsonl", OPTIONS).isascii()


def test_jsonl_is_one_object_a_line_with_its_type_and_the_summary_last() -> None:
    lines = [json.loads(line) for line in render(FULL, "jsonl", options(show_ignored=True)).splitlines()]
    assert [(line["type"], line.get("path"), line.get("line")) for line in lines] == [
        ("finding", "app/client.py", 3),
        ("finding", "app/log.py", 9),
        ("finding", "deploy/.env", 1),
        ("finding", "notes/try it.ipynb", 2),
        ("ignored", "app/client.py", 7),
        ("accepted", "app/log.py", 4),
        ("notice", "secret.txt", None),
        ("notice", None, None),
        ("summary", None, None),
    ]
    whole = loaded(FULL)
    assert lines[-1] == {"type": "summary", "version": 1, "tool": whole["tool"], "summary": whole["summary"]}
    assert {"type": "finding", **whole["findings"][0]} == lines[0]


@pytest.mark.parametrize("format_", ["json", "jsonl"])
def test_without_a_catalogue_the_ids_stand_in(format_: str) -> None:
    assert '"name": "KG101"' in render(report(KEY), format_, options(catalogue=None))
