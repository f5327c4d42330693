"""SARIF 2.1.0: valid, and what viewers need is where they look for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.model import Edit, Fix, Report, Safety, Span
from keyguard.report import render
from keyguard.report.sarif import artifact
from tests.report.made import (
    CELL,
    CHINESE,
    EMPTY,
    FIXABLE,
    FULL,
    HOSTILE,
    KEY,
    OPTIONS,
    OUTPUT,
    finding,
    options,
    report,
)

SCHEMA = json.loads((Path(__file__).parents[1] / "data" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA)


def run_of(made: Report, **changes: Any) -> Any:  # noqa: ANN401  # plain data
    document = json.loads(render(made, "sarif", options(**changes)))
    assert [f"{list(error.path)}: {error.message}" for error in VALIDATOR.iter_errors(document)] == []
    [run] = document["runs"]
    return run


@pytest.mark.parametrize("made", [EMPTY, FULL, HOSTILE], ids=["empty", "full", "hostile"])
@pytest.mark.parametrize("show_ignored", [False, True])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_valid_against_the_schema(made: Report, show_ignored: bool, lang: str) -> None:  # noqa: FBT001  # a case
    run_of(made, show_ignored=show_ignored, lang=lang)


def test_valid_without_a_catalogue_or_version() -> None:
    run = run_of(FULL, catalogue=None, version="")
    assert run["tool"]["driver"]["rules"][0]["id"] == "KG101"


def test_a_clean_run_has_no_results_and_no_rules() -> None:
    run = run_of(EMPTY)
    assert run["results"] == []
    assert run["tool"]["driver"]["rules"] == []
    assert run["invocations"][0]["exitCode"] == 0
    assert run["invocations"][0]["executionSuccessful"] is True


def test_columns_are_characters() -> None:
    assert run_of(EMPTY)["columnKind"] == "unicodeCodePoints"


def test_a_result_says_where_and_what() -> None:
    [result] = run_of(report(KEY))["results"]
    assert result["ruleId"] == "KG101"
    assert result["level"] == "error"
    assert result["message"]["text"].startswith(
        "Acme AI key ak-…(40) is written into the code\nRead it from ACME_API_KEY"
    )
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "app/client.py", "uriBaseId": "%SRCROOT%"}
    assert physical["region"] == {"startLine": 3, "startColumn": 18, "endLine": 3, "endColumn": 36}
    assert physical["contextRegion"]["snippet"]["text"] == 'client = Client("ak-…(40)")'
    assert result["partialFingerprints"] == {"keyguard/v1": "f1" * 32}


def test_a_rule_brings_its_page_and_defaults() -> None:
    [rule] = run_of(report(KEY))["tool"]["driver"]["rules"]
    assert rule["name"] == "HardcodedKey"
    assert rule["helpUri"] == "https://keyguard.example/rules/KG101"
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["properties"]["security-severity"] == "8.5"
    assert rule["properties"]["tags"] == ["security", "external/cwe/cwe-798"]
    assert "## Why is this bad\n\nWhoever reads the code can use it." in rule["help"]["markdown"]


def test_results_point_at_their_rule() -> None:
    run = run_of(FULL, show_ignored=True)
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [r["ruleId"] for r in run["results"]]
    assert {rule["id"] for rule in rules} == {"KG101", "KG104", "KG106"}


def test_chinese_help() -> None:
    document = json.loads(render(report(KEY), "sarif", CHINESE))
    assert "报告代码中的密钥" in document["runs"][0]["tool"]["driver"]["rules"][0]["help"]["markdown"]


def test_a_fix_is_replacements_in_order() -> None:
    [result] = run_of(report(FIXABLE))["results"]
    [fix] = result["fixes"]
    assert fix["description"]["text"] == "read ACME_API_KEY (safe)"
    assert fix["artifactChanges"] == [
        {
            "artifactLocation": {"uri": "app/client.py", "uriBaseId": "%SRCROOT%"},
            "replacements": [
                {"deletedRegion": {"charOffset": 0, "charLength": 0}, "insertedContent": {"text": "import os\n"}},
                {
                    "deletedRegion": {"charOffset": 40, "charLength": 18},
                    "insertedContent": {"text": 'os.environ["ACME_API_KEY"]'},
                },
            ],
        }
    ]


def test_a_fix_that_is_only_shown_is_not_offered_for_applying() -> None:
    shown = finding(fix=Fix("by hand", Safety.SHOWN, (Edit(Span(1, 2), "x"),)))
    assert "fixes" not in run_of(report(shown))["results"][0]


def test_a_cell_is_named_and_its_offsets_are_not_taken_for_the_file_s() -> None:
    [result] = run_of(report(CELL))["results"]
    [location] = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "notes/try%20it.ipynb"
    assert location["physicalLocation"]["region"] == {"startLine": 1}
    assert location["logicalLocations"][0]["name"] == "cell 3"
    assert result["message"]["text"].startswith("cell 3, line 2, column 5: ")
    assert result["properties"]["cell"] == 3
    assert (result["properties"]["line"], result["properties"]["column"]) == (2, 5)
    assert "fixes" not in result


def test_related_places_are_listed_once() -> None:
    twice = finding(related=OUTPUT.related * 2)
    [result] = run_of(report(twice))["results"]
    [related] = result["relatedLocations"]
    assert related["message"]["text"] == "the key is read here"
    assert related["physicalLocation"]["region"]["startLine"] == 2


def test_suppressed_results_are_there_only_when_asked_for() -> None:
    assert all("suppressions" not in result for result in run_of(FULL)["results"])
    results = run_of(FULL, show_ignored=True)["results"]
    kinds = {
        result["partialFingerprints"]["keyguard/v1"][:2]: result["suppressions"][0]["kind"]
        for result in results
        if "suppressions" in result
    }
    assert kinds == {"e1": "inSource", "e2": "external"}


def test_notices_and_the_exit_code_go_to_the_invocation() -> None:
    [invocation] = run_of(FULL, exit_code=2)["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == 2
    notices = [(note["level"], note["message"]["text"]) for note in invocation["toolExecutionNotifications"]]
    assert notices == [("error", "could not be read: give yourself permission"), ("warning", "an old baseline")]
    assert run_of(FULL, exit_code=1)["invocations"][0]["executionSuccessful"] is True


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("app/client.py", "app/client.py"),
        ("a b/#1?.py", "a%20b/%231%3F.py"),
        ("密钥.py", "%E5%AF%86%E9%92%A5.py"),
        ("a:b.py", "a%3Ab.py"),
        ("100%.py", "100%25.py"),
        ("bad\udcff.py", "bad%FF.py"),
        ("bad\ud800.py", "bad%ED%A0%80.py"),
        ("../up.py", "../up.py"),
    ],
)
def test_relative_paths_are_percent_encoded(path: str, uri: str) -> None:
    assert artifact(path) == {"uri": uri, "uriBaseId": "%SRCROOT%"}


@pytest.mark.parametrize(
    ("path", "uri"),
    [("/srv/a b.py", "file:///srv/a%20b.py"), ("C:/x/y.py", "file:///C:/x/y.py"), ("//host/x.py", "file://host/x.py")],
)
def test_absolute_paths_have_no_base(path: str, uri: str) -> None:
    assert artifact(path) == {"uri": uri}


def test_brackets_in_a_message_make_no_link() -> None:
    [result] = run_of(report(finding(message="see [here](1)", remedy=None)))["results"]
    assert result["message"]["text"] == r"see \[here\](1)"


@given(st.text(max_size=30), st.text(max_size=30))
@settings(deadline=None, max_examples=25)
def test_valid_for_any_text(path: str, message: str) -> None:
    run_of(report(finding(path=path, message=message, remedy=message), FIXABLE))


def test_an_excerpt_of_several_lines_is_left_out() -> None:
    [result] = run_of(report(finding(end_line=5)))["results"]
    assert "contextRegion" not in result["locations"][0]["physicalLocation"]


def test_equal_input_gives_equal_bytes() -> None:
    assert render(FULL, "sarif", OPTIONS) == render(FULL, "sarif", OPTIONS)
