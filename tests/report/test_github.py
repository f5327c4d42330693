"""GitHub annotations: on the right lines, and no text can give a command of its own."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.model import Severity
from keyguard.report import render
from tests.report.made import CELL, EMPTY, FULL, HOSTILE, KEY, OPTIONS, OUTPUT, finding, report

COMMAND = re.compile(r"::(error|warning|notice)( [a-zA-Z]+=[^:,\r\n]*(,[a-zA-Z]+=[^:,\r\n]*)*)?::[^\r\n]*")


def test_a_clean_run_prints_nothing() -> None:
    assert render(EMPTY, "github", OPTIONS) == ""


def test_annotation() -> None:
    assert render(report(OUTPUT), "github", OPTIONS) == (
        "::warning file=app/log.py,line=9,endLine=9,col=7,endColumn=19,title=KG104 key-in-output"
        "::key holds a key and is written to the log\n"
    )


def test_the_remedy_is_a_second_line() -> None:
    shown = render(report(KEY), "github", OPTIONS)
    assert shown.endswith(
        "::Acme AI key ak-…(40) is written into the code"
        "%0ARead it from ACME_API_KEY, and revoke this key: https://acme.example/keys\n"
    )


def test_severities() -> None:
    made = [finding(path=f"{severity}.py", severity=severity) for severity in Severity]
    levels = re.findall(r"^::(\w+) file=(\d)", render(report(*made), "github", OPTIONS), re.MULTILINE)
    assert levels == [("notice", "1"), ("warning", "2"), ("error", "3")]


def test_several_lines_have_no_columns() -> None:
    shown = render(report(finding(end_line=5)), "github", OPTIONS)
    assert shown.startswith("::error file=app/client.py,line=3,endLine=5,title=")


def test_a_cell_is_named_in_the_message() -> None:
    shown = render(report(CELL), "github", OPTIONS)
    assert shown.startswith(
        "::error file=notes/try it.ipynb,line=1,title=KG101 hardcoded-key::cell 3, line 2, column 5: "
    )


def test_notices() -> None:
    assert render(FULL, "github", OPTIONS).endswith(
        "::error file=secret.txt::could not be read: give yourself permission\n::warning::an old baseline\n"
    )


def test_properties_and_messages_are_escaped() -> None:
    shown = render(report(finding(path="a,b:c%.py", message="100%\n::error::x", remedy=None)), "github", OPTIONS)
    assert "file=a%2Cb%3Ac%25.py," in shown
    assert shown.endswith("::100%25\\n::error::x\n")


def test_hostile_text_gives_no_commands() -> None:
    lines = render(HOSTILE, "github", OPTIONS).split("\n")
    assert len(lines) == 5
    assert all(COMMAND.fullmatch(line) for line in lines[:-1])


@given(st.text(max_size=40), st.text(max_size=40))
@settings(deadline=None, max_examples=100)
def test_any_text_is_one_command(path: str, message: str) -> None:
    shown = render(report(finding(path=path, message=message, remedy=message)), "github", OPTIONS)
    assert COMMAND.fullmatch(shown.removesuffix("\n"))
