"""An audit as SARIF 2.1.0: valid, each result with its commits, each path with its repository."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keyguard.leaks import Audit
from keyguard.report import render
from keyguard.report.audit import render_audit
from tests import audits
from tests.report.audit.made import CLEAN, FULL, GONE, IN_HEAD, NO_HISTORY, SHOP, SMALL, leak
from tests.report.made import FIXABLE, ODD, OPTIONS, options, report
from tests.report.test_sarif import VALIDATOR


def run_of(made: Audit, **changes: Any) -> Any:  # noqa: ANN401  # plain data
    document = json.loads(render_audit(made, "sarif", options(**changes)))
    assert [f"{list(error.path)}: {error.message}" for error in VALIDATOR.iter_errors(document)] == []
    [run] = document["runs"]
    return run


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("made", [CLEAN, NO_HISTORY, SMALL, FULL, audits.audit(), audits.hostile(ODD)])
def test_valid_against_the_schema(made: Audit, lang: str) -> None:
    run_of(made, lang=lang)


def test_a_clean_audit_has_no_results() -> None:
    run = run_of(CLEAN)
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])
    assert run["versionControlProvenance"] == [
        {"repositoryUri": "file:///srv/git/shop", "branch": "main", "mappedTo": {"uriBaseId": "%SRCROOT%"}}
    ]


def test_a_result_is_what_a_check_gives_and_names_the_commits() -> None:
    [checked] = json.loads(render(report(FIXABLE), "sarif", OPTIONS))["runs"][0]["results"]
    found, gone = run_of(SMALL)["results"]
    same = {name: found[name] for name in checked if name not in {"message", "properties"}}
    assert same == {name: value for name, value in checked.items() if name not in {"message", "properties"}}
    assert found["message"]["text"].split("\n")[0] == (
        "Acme AI key ak-…(40) is written into the code "
        "(2023-04-01 a1b2c3d Ann → still in HEAD · main, origin/dev, v1.2)"
    )
    assert " (2023-05-02 b2c3d4e 李雷 → 2023-05-09 d4e5f6a removed)\nRead it from" in gone["message"]["text"]
    assert checked["properties"].items() <= found["properties"].items()


def test_the_facts_of_the_history_are_properties() -> None:
    found, gone = run_of(SMALL)["results"]
    assert {
        name: value for name, value in gone["properties"].items() if name not in {"confidence", "key", "provider"}
    } == {
        "kind": "file",
        "atHead": False,
        "onDisk": False,
        "refs": [],
        "blob": "9f" * 20,
        "commit": "b2c3d4e5" * 5,
        "firstSeen": "2023-05-02T08:00:00Z",
        "author": "李雷",
        "removedBy": "d4e5f6a7" * 5,
        "lastSeen": "2023-05-09T08:00:00Z",
        "rank": "head",
    }
    assert "removedBy" not in found["properties"]
    assert [one["properties"].get("verdict") for one in run_of(FULL)["results"]] == [
        None,
        "live",
        "live",
        None,
        None,
        None,
    ]


def test_what_is_only_in_the_history_keeps_its_place_and_has_no_fix() -> None:
    gone = IN_HEAD._replace(at_head=False, on_disk=False, refs=())
    [result] = run_of(Audit((SHOP,), (leak(gone),)))["results"]
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "app/client.py", "uriBaseId": "%SRCROOT%"}
    assert physical["region"]["startLine"] == 3
    assert "fixes" not in result
    assert "fixes" in run_of(SMALL)["results"][0]


def test_a_message_is_a_logical_place() -> None:
    message = GONE._replace(kind="message", finding=GONE.finding._replace(path=f"commit {'a1b2c3d4' * 5}"))
    [result] = run_of(Audit((SHOP,), (leak(message),)))["results"]
    [location] = result["locations"]
    assert location["logicalLocations"] == [
        {"name": "message of commit a1b2c3d:1:14", "fullyQualifiedName": f"commit {'a1b2c3d4' * 5}"}
    ]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == f"commit%20{'a1b2c3d4' * 5}"


def test_each_of_several_repositories_is_a_base_of_its_own() -> None:
    run = run_of(FULL)
    assert {name: base.get("uri") for name, base in run["originalUriBaseIds"].items()} == {
        "%SRCROOT%": None,
        "shop": "file:///srv/git/shop/",
        "lab": "file:///srv/git/lab.git/",
        "infra": "file:///srv/git/infra/",
        "legacy": "file:///srv/git/legacy/",
    }
    assert run["versionControlProvenance"] == [
        {"repositoryUri": "file:///srv/git/shop", "branch": "main", "mappedTo": {"uriBaseId": "shop"}},
        {"repositoryUri": "file:///srv/git/lab.git", "revisionId": "c3" * 20, "mappedTo": {"uriBaseId": "lab"}},
        {"repositoryUri": "file:///srv/git/infra", "branch": "main", "mappedTo": {"uriBaseId": "infra"}},
    ]
    bases = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uriBaseId"] for one in run["results"]]
    assert bases == ["infra", "lab", "shop", "shop", "shop", "shop"]


def test_what_is_new_since_the_last_audit_says_so() -> None:
    states = [one.get("baselineState") for one in run_of(FULL)["results"]]
    assert states == ["unchanged", "new", "new", None, None, None]
    assert {one.get("baselineState") for one in run_of(SMALL)["results"]} == {None}


def test_what_was_not_read_is_a_notification() -> None:
    [invocation] = run_of(FULL, exit_code=1)["invocations"]
    assert [note["message"]["text"] for note in invocation["toolExecutionNotifications"]] == [
        "what was written meanwhile was not read",
        "lab: 14 objects are not here: fetch them and audit again",
        "infra: older commits were never fetched: git fetch --unshallow",
        "infra: interrupted before its end",
        "legacy: is no git repository",
    ]
    assert (invocation["exitCode"], invocation["properties"]["complete"]) == (1, False)
