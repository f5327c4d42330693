"""Rules are data people read: their words are complete in both languages, true to their examples, and hold no key."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from keyguard.catalogue import find_rules, load
from tests.keys import FORMS, fill, make, names_a_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.catalogue import KeyShape, Rule

RULES = sorted(load().rules.values(), key=lambda rule: rule.id)
LEAKS = [rule for rule in RULES if rule.id.startswith("KG1")]
FILES = sorted(Path(find_rules()).rglob("*.toml"))

# What checks about files and keys, and the engine, give messages, and remedies besides. What a rule about connections
# has to say differs from rule to rule: its examples show that every message is whole (test_examples.py).
MESSAGE_VALUES = {"provider", "masked", "env", "name", "where", "reason"}
REMEDY_VALUES = MESSAGE_VALUES | {"console_url"}

CHINESE = re.compile("[\u4e00-\u9fff]")

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
each_leak_rule = pytest.mark.parametrize("rule", LEAKS, ids=lambda rule: rule.id)


def _wordings(rule: Rule) -> Iterator[tuple[str, str, str]]:
    """What is said, in English and in Chinese."""
    yield "message", rule.message, rule.message_zh
    yield "remedy", rule.remedy, rule.remedy_zh
    for name, case in rule.cases.items():
        if case.message or case.message_zh:
            yield f"case {name}", case.message or "", case.message_zh or ""
        if case.remedy or case.remedy_zh:
            yield f"remedy of {name}", case.remedy or "", case.remedy_zh or ""


def _values(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_rules_of_leaks_are_all_there() -> None:
    ids = {rule.id for rule in RULES}
    assert {f"KG1{number:02}" for number in range(1, 11)} <= ids
    assert {"KG001", "KG002", "KG003"} <= ids


def test_no_two_rules_share_a_name() -> None:
    names = [rule.name for rule in RULES]
    assert sorted(names) == sorted(set(names))


@each_rule
def test_the_name_reads_well_after_allow(rule: Rule) -> None:
    """`allow hardcoded-key` says what is allowed; `allow no-hardcoded-key` or `allow check-keys` would not."""
    first = rule.name.split("-")[0]
    assert first not in {"no", "avoid", "check", "find", "detect", "use", "dont"}
    assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+){1,4}", rule.name)


@each_rule
def test_both_languages_say_the_same_with_the_same_values(rule: Rule) -> None:
    for what, english, chinese in _wordings(rule):
        assert english, f"{rule.id} {what} has no English text"
        assert CHINESE.search(chinese), f"{rule.id} {what} has no Chinese text"
        assert _values(english) == _values(chinese), f"{rule.id} {what}"


@each_leak_rule
def test_messages_use_only_values_every_hit_has(rule: Rule) -> None:
    for what, english, _ in _wordings(rule):
        known = REMEDY_VALUES if "remedy" in what else MESSAGE_VALUES
        assert _values(english) <= known, f"{rule.id} {what}"


@each_rule
def test_messages_are_one_short_line(rule: Rule) -> None:
    for what, english, chinese in _wordings(rule):
        for text in (english, chinese):
            assert "\n" not in text
            assert len(text) <= 120, f"{rule.id} {what}"
            assert not text.endswith((".", "。", " ")), f"{rule.id} {what}"


@each_rule
def test_the_page_has_every_heading_in_both_languages(rule: Rule) -> None:
    assert rule.docs_zh is not None
    for docs in (rule.docs, rule.docs_zh):
        assert docs.what.strip()
        assert docs.why.strip()
        assert docs.fix_safety.strip()
    for text in (rule.docs_zh.what, rule.docs_zh.why, rule.docs_zh.fix_safety):
        assert CHINESE.search(text)
    for reference in rule.docs.references:
        assert reference.startswith("https://")


@each_leak_rule
def test_a_leak_rule_names_references_and_settings(rule: Rule) -> None:
    assert rule.docs.references
    assert rule.docs.options


@each_leak_rule
def test_quiet_examples_are_as_many_as_loud_ones(rule: Rule) -> None:
    loud = [example for example in rule.examples if example.lines]
    quiet = [example for example in rule.examples if not example.lines]
    assert len(loud) >= 6
    assert len(quiet) >= len(loud)


@each_rule
def test_quiet_examples_say_why(rule: Rule) -> None:
    for example in rule.examples:
        if not example.lines:
            assert example.why, f"{rule.id}: {example.source}"


@each_rule
def test_lines_of_examples_exist(rule: Rule) -> None:
    for example in rule.examples:
        assert not example.source.startswith("\n")
        if not example.filename.endswith(".ipynb"):  # there lines count inside a cell or its output
            assert all(1 <= line <= example.source.count("\n") for line in example.lines), example.source


@each_rule
def test_every_key_of_an_example_can_be_made(rule: Rule) -> None:
    for example in rule.examples:
        for text in re.findall(r"<[A-Za-z0-9_/|-]+>", example.source):
            name = text.strip("<>").split("|")[0]
            if "/" in name.strip("/") or re.search(r"-key(?:-\d+)?$", name):
                assert names_a_key(text), f"{rule.id}: {text}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_of_the_rules_holds_a_key(path: Path) -> None:
    """A shape that needs context is no key where none is given; hashes of published keys are 64 hexadecimal digits."""
    text = path.read_text(encoding="utf-8")
    for shape in load().shapes.values():
        if not shape.needs_context and shape.secret:
            found = re.search(rf"(?<![A-Za-z0-9_-])(?:{shape.pattern})(?![A-Za-z0-9_-])", text)
            assert found is None, f"{path.name} holds what looks like {shape.id}"


@pytest.mark.parametrize("shape", load().shapes.values(), ids=lambda shape: shape.id)
def test_made_keys_have_their_shape_and_pass_its_test(shape: KeyShape) -> None:
    keys = {make(shape.id, seed) for seed in range(4)}
    for key in keys:
        assert re.fullmatch(shape.pattern, key)
        assert shape.well_formed(key) is not False
        assert shape.min_length is None or len(key) >= shape.min_length
        assert shape.max_length is None or len(key) <= shape.max_length


def test_the_same_placeholder_gives_the_same_key() -> None:
    first, second, other = fill("<openai-key> <openai-key> <openai-key-2>").split()
    assert first == second != other
    assert fill("<openai-key>", seed=1) != first


def test_what_names_no_key_stays_as_it_is() -> None:
    text = "<div> <your-api-key> <a-key> <uuid/> <secret>"
    assert fill(text) == text


def test_the_halves_of_a_key_make_the_key() -> None:
    assert fill("<openai-key|head><openai-key|tail>") == fill("<openai-key>")
    assert fill("<openai-key|prefix><openai-key|body>") == fill("<openai-key>")


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_differs_from_the_key(form: str) -> None:
    assert fill(f"<openai-key|{form}>") != fill("<openai-key>")
