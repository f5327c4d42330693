"""JUnit XML: well-formed whatever stands in the files."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.report import render
from tests.report.made import CELL, CHINESE, EMPTY, FULL, HOSTILE, KEY, OPTIONS, finding, report

if TYPE_CHECKING:
    from keyguard.model import Report


def suite(made: Report) -> ET.Element:
    text = render(made, "junit", OPTIONS)
    assert text.isascii()
    root = ET.fromstring(text)  # noqa: S314  # our own text, whose well-formedness is what is tested
    assert root.tag == "testsuites"
    [element] = root
    return element


def test_a_clean_run_is_one_passed_case() -> None:
    element = suite(EMPTY)
    assert element.attrib["tests"] == "1"
    assert element.attrib["failures"] == "0"
    assert [case.attrib["name"] for case in element] == ["No leaked keys in 42 files."]
    assert element.find("testcase/failure") is None


def test_a_finding_is_a_failed_case() -> None:
    [case] = suite(report(KEY))
    assert case.attrib == {
        "classname": "app/client.py",
        "file": "app/client.py",
        "line": "3",
        "name": "KG101 hardcoded-key 3:18",
        "time": "0",
    }
    [failure] = case
    assert failure.attrib == {"type": "KG101", "message": "Acme AI key ak-…(40) is written into the code"}
    assert failure.text == (
        "app/client.py:3:18: Acme AI key ak-…(40) is written into the code\n"
        "Read it from ACME_API_KEY, and revoke this key: https://acme.example/keys"
    )


def test_counts_and_notices() -> None:
    element = suite(FULL)
    assert (element.attrib["tests"], element.attrib["failures"]) == ("4", "4")
    notices = element.find("system-err")
    assert notices is not None
    assert notices.text == "secret.txt: could not be read: give yourself permission\nan old baseline"


def test_a_cell_is_in_the_name_and_has_no_line() -> None:
    [case] = suite(report(CELL))
    assert case.attrib["name"] == "KG101 hardcoded-key cell 3, line 2, column 5"
    assert "line" not in case.attrib


def test_chinese_is_escaped() -> None:
    assert "单元格 3" in ET.fromstring(render(report(CELL), "junit", CHINESE))[0][0].attrib["name"]  # noqa: S314  # our own text


def test_hostile_text_is_well_formed() -> None:
    assert suite(HOSTILE).attrib["failures"] == "2"


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=200)
def test_any_text_is_well_formed(text: str) -> None:
    assert len(suite(report(finding(path=text, message=text, remedy=text)))) == 1


def test_characters_that_xml_has_no_place_for() -> None:
    [case] = suite(report(finding(message="\ufffe\uffff\x00\ud800")))
    assert case[0].attrib["message"] == "\\ufffe\\uffff\\x00\\ud800"
