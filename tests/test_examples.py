"""Every example of every rule is run through keyguard as a user runs it: what the pages show is true, line by line."""

from __future__ import annotations

import ast
import functools
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from keyguard.catalogue import load
from keyguard.findings import is_leak
from keyguard.model import Edit, Span
from tests.fixes import apply
from tests.keys import fill, names_a_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from keyguard.catalogue import Example, Rule

# One worker runs them all, so that each run is made once.
pytestmark = pytest.mark.xdist_group("examples")

RULES = sorted(load().rules.values(), key=lambda rule: rule.id)
EXAMPLES = [(rule, number, example) for rule in RULES for number, example in enumerate(rule.examples)]
LOUD = [item for item in EXAMPLES if item[2].lines]
QUIET = [item for item in EXAMPLES if not item[2].lines]
FIXED = [item for item in EXAMPLES if item[2].fixed is not None]


def _ids(items: list[tuple[Rule, int, Example]]) -> list[str]:
    return [f"{rule.id}-{number:02}-{example.filename}" for rule, number, example in items]


@dataclass(frozen=True)
class Run:
    """The findings of one rule's examples by the path of the example, and everything that was printed."""

    findings: Mapping[str, list[dict[str, Any]]]
    output: str


def _place(number: int, example: Example) -> str:
    return f"{number:02}/{example.filename}"


def _check(rule: Rule, root: Path, *more: str, fixed: bool = False) -> Run:
    """Write each example into its own folder of one git tree, as a file that nothing ignores, and check them.

    With `fixed`, write what comes of those that are fixed.
    """
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for number, example in enumerate(rule.examples):
        path = root / _place(number, example)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = example.source if not fixed or example.fixed is None else example.fixed
        path.write_text(fill(text), encoding="utf-8", newline="\n")
    options = [
        "--isolated",
        "--min-severity",
        "low",
        "--min-confidence",
        "low",
        "--output-format",
        "json",
        "--exit-zero",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "keyguard", "check", *options, *more, "."],
        cwd=root,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["skipped"] == 0, done.stderr
    findings: dict[str, list[dict[str, Any]]] = {}
    for finding in report["findings"]:
        findings.setdefault(finding["path"], []).append(finding)
    return Run(findings, done.stdout + done.stderr)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """One run for each rule and language, when first asked for: the examples of a rule cost one start of Python."""

    @functools.cache
    def run(rule: str, lang: str = "en", *, fixed: bool = False) -> Run:
        return _check(load().rules[rule], tmp_path_factory.mktemp("tree"), "--lang", lang, fixed=fixed)

    return run


@pytest.mark.parametrize(("rule", "number", "example"), QUIET, ids=_ids(QUIET))
def test_nothing_is_reported_where_the_page_says_so(
    runs: Callable[..., Run], rule: Rule, number: int, example: Example
) -> None:
    found = runs(rule.id).findings.get(_place(number, example), [])
    assert [(finding["line"], finding["message"]) for finding in found if finding["rule"] == rule.id] == [], example.why


@pytest.mark.parametrize(("rule", "number", "example"), LOUD, ids=_ids(LOUD))
def test_just_these_lines_are_reported(runs: Callable[..., Run], rule: Rule, number: int, example: Example) -> None:
    found = runs(rule.id).findings.get(_place(number, example), [])
    assert [finding["line"] for finding in found if finding["rule"] == rule.id] == list(example.lines)
    if example.messages:
        assert [finding["message"] for finding in found if finding["rule"] == rule.id] == list(example.messages)


@pytest.mark.parametrize(("rule", "number", "example"), FIXED, ids=_ids(FIXED))
def test_the_fix_is_what_the_page_shows(runs: Callable[..., Run], rule: Rule, number: int, example: Example) -> None:
    """Edits are made here by hand: what the page shows holds for every tool that reads them."""
    place = _place(number, example)
    own = [one for one in runs(rule.id).findings.get(place, []) if one["rule"] == rule.id]
    fixable = [one for one in own if one["fix"] is not None and one["fix"]["edits"]]
    assert fixable, "an example that is fixed has a finding with edits"
    assert example.fixed is not None
    text = _edited(fill(example.source), fixable)
    read = json.loads if example.filename.endswith(".ipynb") else str
    assert read(text) == read(fill(example.fixed))
    if example.filename.endswith(".py"):
        ast.parse(text)
    # A key that leaves a URL leaves a variable in it: another case of the rule, of less harm.
    harms = {one["severity"] for one in own}
    found = runs(rule.id, fixed=True).findings.get(place, [])
    rest = [one for one in found if one["rule"] == rule.id and one["severity"] in harms]
    assert len(rest) == len(own) - len(fixable), "what was fixed is gone"
    assert [one["fix"]["edits"] for one in rest if one["fix"] is not None] == [[]] * sum(
        one["fix"] is not None for one in rest
    ), "a second time changes nothing"


def _edited(text: str, findings: list[dict[str, Any]]) -> str:
    """A text, or a notebook's JSON, after the edits of findings."""
    edits: dict[tuple[int | None, str | None], set[Edit]] = {}
    for one in findings:
        edits.setdefault((one["cell"], one["part"]), set()).update(
            Edit(Span(edit["start"], edit["end"]), edit["text"]) for edit in one["fix"]["edits"]
        )
    if None in {cell for cell, _ in edits}:
        return apply(text, edits[None, None])
    notebook = json.loads(text)
    for (cell, part), wanted in edits.items():
        assert cell is not None
        if part == "output":
            assert {edit.text for edit in wanted} == {""}, "an output is cleared as a whole"
            notebook["cells"][cell - 1]["outputs"] = []
            continue
        whole = apply("".join(notebook["cells"][cell - 1]["source"]), wanted)
        notebook["cells"][cell - 1]["source"] = whole.splitlines(keepends=True)
    return json.dumps(notebook, ensure_ascii=False)


@pytest.mark.parametrize(("rule", "number", "example"), LOUD, ids=_ids(LOUD))
def test_one_text_is_one_leak(runs: Callable[..., Run], rule: Rule, number: int, example: Example) -> None:
    found = runs(rule.id).findings.get(_place(number, example), [])
    places = [(f["line"], f["column"], f["cell"], f["part"]) for f in found if is_leak(f["rule"])]
    assert sorted(places, key=repr) == sorted(set(places), key=repr)


@pytest.mark.parametrize(("rule", "number", "example"), LOUD, ids=_ids(LOUD))
def test_messages_are_whole(runs: Callable[..., Run], rule: Rule, number: int, example: Example) -> None:
    """A value that a check forgot to give would show as an ellipsis or a brace."""
    for finding in runs(rule.id).findings.get(_place(number, example), []):
        assert "{" not in finding["message"]
        assert not re.search(r"(?:^|\s)…(?:\s|$)(?!\(\d)", finding["message"]), finding["message"]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.examples], ids=lambda rule: rule.id)
def test_no_key_of_an_example_is_printed(runs: Callable[..., Run], rule: Rule) -> None:
    output = runs(rule.id).output
    for example in rule.examples:
        for placeholder in re.findall(r"<[^<>\s|]+>", example.source):
            if names_a_key(placeholder) and placeholder.endswith("-key>"):
                assert fill(placeholder) not in output, f"{placeholder} of {example.filename}"


@pytest.mark.parametrize(("rule", "number", "example"), LOUD, ids=_ids(LOUD))
def test_chinese_messages_are_chinese_throughout(
    runs: Callable[..., Run], rule: Rule, number: int, example: Example
) -> None:
    place = _place(number, example)
    found = runs(rule.id, "zh").findings.get(place, [])
    for finding in found:
        assert re.search("[\u4e00-\u9fff]", finding["message"])
        assert "model-API" not in finding["message"], (
            "what stands for an unknown provider is a word of the language too"
        )
        assert "characters" not in finding["message"], "a mask's length is told in the language of the message"
    same = runs(rule.id).findings.get(place, [])
    assert [finding["fingerprint"] for finding in found] == [finding["fingerprint"] for finding in same]
