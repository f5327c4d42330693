"""What the doctor says is there in both languages, names the same values, and is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from keyguard.doctor.records import EXPLAINED
from keyguard.lang.doctor import ENTRIES, causes
from tests.report.test_lang import placeholders

ENGLISH, CHINESE = ENTRIES["en"], ENTRIES["zh"]
PACKAGE = Path(__file__).parents[2] / "keyguard"


def test_both_languages_hold_the_same_texts_in_the_same_order() -> None:
    assert list(CHINESE) == list(ENGLISH)


@pytest.mark.parametrize("name", ENGLISH)
def test_both_languages_name_the_same_values(name: str) -> None:
    assert placeholders(CHINESE[name]) - {"count"} == placeholders(ENGLISH[name]) - {"count"}


def test_every_text_is_used() -> None:
    places = [*(PACKAGE / "doctor").glob("*.py"), PACKAGE / "report/doctor.py", PACKAGE / "cli/doctor.py"]
    source = "".join(path.read_text(encoding="utf-8") for path in places)
    literal = set(re.findall(r"[\"']([a-z_0-9.-]+)[\"']", source))
    prefixes = tuple(set(re.findall(r"[\"']([a-z_]+\.)\{", source)))
    names = [name for name in ENGLISH if name.removesuffix(".do") not in literal and not name.startswith(prefixes)]
    assert names == []


def test_every_problem_says_what_to_do() -> None:
    problems = {name.removesuffix(".do") for name in ENGLISH if name.endswith(".do")} - {"url.fault.do.bare"}
    assert {name for name in problems if name not in ENGLISH} == set()


@pytest.mark.parametrize("error", EXPLAINED)
def test_every_error_has_a_page(error: str) -> None:
    assert f"explain.{error}" in ENGLISH
    assert causes(error) > 1
