"""GitLab's two reports: code quality and secret detection."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.model import Excerpt, Report, Severity
from keyguard.report import render, scan_time
from tests.report.made import CELL, EMPTY, FULL, HOSTILE, KEY, OUTPUT, finding, options, report

# What GitLab's secret detection schema 15 asks for, written down from its documentation.
_NAMED = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}}}
_TOOL = {
    "type": "object",
    "required": ["id", "name", "version", "vendor"],
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "name": {"type": "string", "minLength": 1},
        "version": {"type": "string", "minLength": 1},
        "url": {"type": "string", "pattern": "^https?://.+"},
        "vendor": _NAMED,
    },
}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"}
_DETAIL = {
    "type": "object",
    "required": ["name", "type", "value"],
    "properties": {"type": {"enum": ["text", "code"]}, "value": {"type": "string"}},
}
_VULNERABILITY = {
    "type": "object",
    "required": ["id", "identifiers", "location"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "name": {"type": "string", "maxLength": 255},
        "description": {"type": "string", "maxLength": 1048576},
        "severity": {"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
        "solution": {"type": "string", "maxLength": 7000},
        "identifiers": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["type", "name", "value"],
                "properties": {
                    "type": {"type": "string", "minLength": 1},
                    "name": {"type": "string", "minLength": 1},
                    "value": {"type": "string", "minLength": 1},
                    "url": {"type": "string", "pattern": "^(https?|ftp)://.+"},
                },
            },
        },
        "links": {
            "type": "array",
            "items": {"type": "object", "required": ["url"], "properties": {"url": {"pattern": "^(https?|ftp)://.+"}}},
        },
        "details": {"type": "object", "additionalProperties": _DETAIL},
        "location": {
            "type": "object",
            "required": ["commit"],
            "properties": {
                "file": {"type": "string"},
                "commit": {
                    "type": "object",
                    "required": ["sha"],
                    "properties": {"sha": {"type": "string", "minLength": 1}},
                },
                "start_line": {"type": "number"},
                "end_line": {"type": "number"},
            },
        },
    },
}
SECRETS = {
    "type": "object",
    "required": ["scan", "version", "vulnerabilities"],
    "properties": {
        "version": {"type": "string", "pattern": r"^15\.[0-9]+\.[0-9]+$"},
        "scan": {
            "type": "object",
            "required": ["analyzer", "end_time", "scanner", "start_time", "status", "type"],
            "properties": {
                "analyzer": _TOOL,
                "scanner": _TOOL,
                "start_time": _TIME,
                "end_time": _TIME,
                "status": {"enum": ["success", "failure"]},
                "type": {"const": "secret_detection"},
                "messages": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["level", "value"],
                        "properties": {
                            "level": {"enum": ["info", "warn", "fatal"]},
                            "value": {"type": "string", "minLength": 1},
                        },
                    },
                },
            },
        },
        "vulnerabilities": {"type": "array", "items": _VULNERABILITY},
    },
}
QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {"lines": {"required": ["begin"], "properties": {"begin": {"type": "integer"}}}},
            },
        },
    },
}


def quality(made: Report, **changes: Any) -> Any:  # noqa: ANN401  # plain data
    issues = json.loads(render(made, "gitlab-quality", options(**changes)))
    jsonschema.validate(issues, QUALITY)
    fingerprints = [issue["fingerprint"] for issue in issues]
    assert len(set(fingerprints)) == len(fingerprints)
    return issues


def secrets(made: Report, **changes: Any) -> Any:  # noqa: ANN401  # plain data
    document = json.loads(render(made, "gitlab-secrets", options(**changes)))
    jsonschema.validate(document, SECRETS)
    ids = [vulnerability["id"] for vulnerability in document["vulnerabilities"]]
    assert len(set(ids)) == len(ids)
    return document


def test_a_clean_run_is_an_empty_list() -> None:
    assert quality(EMPTY) == []
    assert secrets(EMPTY)["vulnerabilities"] == []


def test_quality_issue() -> None:
    assert quality(report(KEY)) == [
        {
            "description": "KG101 hardcoded-key: Acme AI key ak-…(40) is written into the code",
            "check_name": "KG101",
            "fingerprint": "f1" * 32,
            "severity": "critical",
            "location": {"path": "app/client.py", "lines": {"begin": 3, "end": 3}},
        }
    ]


@pytest.mark.parametrize(
    ("severity", "in_quality", "in_secrets"),
    [(Severity.HIGH, "critical", "Critical"), (Severity.MEDIUM, "major", "Medium"), (Severity.LOW, "minor", "Low")],
)
def test_severities(severity: Severity, in_quality: str, in_secrets: str) -> None:
    made = report(finding(severity=severity))
    assert quality(made)[0]["severity"] == in_quality
    assert secrets(made)["vulnerabilities"][0]["severity"] == in_secrets


def test_equal_findings_stay_apart_and_the_first_keeps_its_fingerprint() -> None:
    twice = report(KEY, finding(line=8, end_line=8))
    first, second = (issue["fingerprint"] for issue in quality(twice))
    assert first == "f1" * 32
    assert re.fullmatch("[0-9a-f]{64}", second)
    assert len(secrets(twice)["vulnerabilities"]) == 2


def test_a_cell_is_named_because_its_lines_are_not_the_file_s() -> None:
    [issue] = quality(report(CELL))
    assert issue["location"] == {"path": "notes/try it.ipynb", "lines": {"begin": 1, "end": 1}}
    assert "cell 3, line 2, column 5" in issue["description"]
    [vulnerability] = secrets(report(CELL))["vulnerabilities"]
    assert "start_line" not in vulnerability["location"]
    assert vulnerability["details"]["place"]["value"] == "cell 3, line 2, column 5"


def test_secret_detection_says_what_where_and_how_to_repair() -> None:
    [vulnerability] = secrets(report(KEY), commit="c0ffee")["vulnerabilities"]
    assert vulnerability["name"] == "KG101 hardcoded-key"
    assert vulnerability["description"] == "Acme AI key ak-…(40) is written into the code"
    assert vulnerability["solution"].startswith("Read it from ACME_API_KEY")
    assert vulnerability["location"] == {
        "file": "app/client.py",
        "commit": {"sha": "c0ffee"},
        "start_line": 3,
        "end_line": 3,
    }
    assert [identifier["value"] for identifier in vulnerability["identifiers"]] == ["KG101", "798"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}", vulnerability["id"])


def test_only_leaks_are_secrets() -> None:
    others = [finding(rule="KG202", fingerprint="d1"), finding(rule="KG001", fingerprint="d2")]
    assert secrets(report(*others))["vulnerabilities"] == []
    assert [v["identifiers"][0]["value"] for v in secrets(report(*others, OUTPUT))["vulnerabilities"]] == ["KG104"]


def test_the_raw_source_is_never_there_but_an_excerpt_with_the_key_masked() -> None:
    [vulnerability] = secrets(report(KEY))["vulnerabilities"]
    assert "raw_source_code_extract" not in vulnerability
    assert vulnerability["details"]["excerpt"]["value"] == 'client = Client("ak-…(40)")'


def test_long_texts_are_cut_to_the_schema_s_limits() -> None:
    long = finding(remedy="r" * 10_000, excerpt=Excerpt("x" * 100_000, 50_000, 50_010))
    [vulnerability] = secrets(report(long))["vulnerabilities"]
    assert len(vulnerability["solution"]) == 7000
    assert len(vulnerability["details"]["excerpt"]["value"]) <= 160


def test_a_failed_run_says_so() -> None:
    assert secrets(FULL, exit_code=1)["scan"]["status"] == "success"
    assert secrets(FULL, exit_code=2)["scan"]["status"] == "failure"
    assert secrets(FULL)["scan"]["messages"] == [
        {"level": "fatal", "value": "secret.txt: could not be read: give yourself permission"},
        {"level": "warn", "value": "an old baseline"},
    ]


def test_hostile_text_is_valid_and_harmless() -> None:
    quality(HOSTILE)
    text = json.dumps(secrets(HOSTILE), ensure_ascii=False)
    text.encode("utf-8")
    assert "\x1b" not in text


@given(st.text(max_size=30), st.text(max_size=30))
@settings(deadline=None, max_examples=25)
def test_any_text_is_valid(path: str, message: str) -> None:
    made = report(finding(path=path, message=message), finding(path=path, message=message, line=9))
    quality(made)
    secrets(made)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, "1970-01-01T00:00:00", id="nothing-known"),
        pytest.param({"SOURCE_DATE_EPOCH": "1700000000"}, "2023-11-14T22:13:20", id="reproducible-builds"),
        pytest.param({"CI_JOB_STARTED_AT": "2026-03-01T09:30:00+08:00"}, "2026-03-01T01:30:00", id="gitlab"),
        pytest.param({"CI_JOB_STARTED_AT": "2026-03-01T09:30:00Z"}, "2026-03-01T09:30:00", id="gitlab-utc"),
        pytest.param({"SOURCE_DATE_EPOCH": "soon"}, "1970-01-01T00:00:00", id="no-number"),
        pytest.param({"SOURCE_DATE_EPOCH": "9" * 30}, "1970-01-01T00:00:00", id="too-large"),
        pytest.param({"CI_JOB_STARTED_AT": "now"}, "1970-01-01T00:00:00", id="no-time"),
    ],
)
def test_the_time_of_a_run_comes_from_its_environment(environ: dict[str, str], expected: str) -> None:
    assert scan_time(environ) == expected
    assert secrets(EMPTY, scan_time=expected)["scan"]["start_time"] == expected
