"""CSV: readable by any parser, harmless in any spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.report import render
from keyguard.report.csv_table import COLUMNS
from tests.report.made import CELL, EMPTY, FULL, HOSTILE, KEY, OPTIONS, finding, options, report

if TYPE_CHECKING:
    from keyguard.model import Report

HEADER = (
    "status,rule,name,severity,confidence,path,cell,part,line,column,end_line,end_column,provider,message,remedy,url,"
    "fingerprint,key\r\n"
)


def rows(made: Report, **changes: object) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(made, "csv", options(**changes)), newline=""), strict=True))


def test_a_clean_run_is_a_header() -> None:
    assert render(EMPTY, "csv", OPTIONS) == HEADER


def test_one_row() -> None:
    assert render(report(KEY), "csv", OPTIONS) == HEADER + (
        "reported,KG101,hardcoded-key,high,high,app/client.py,,,3,18,3,36,Acme AI,"
        "Acme AI key ak-…(40) is written into the code,"
        '"Read it from ACME_API_KEY, and revoke this key: https://acme.example/keys",'
        f"https://keyguard.example/rules/KG101,{'f1' * 32},{'aa' * 32}\r\n"
    )


def test_a_cell_has_its_number() -> None:
    [row] = rows(report(CELL))
    assert (row["cell"], row["part"], row["line"], row["column"]) == ("3", "source", "2", "5")


def test_suppressed_rows_say_so() -> None:
    assert [row["status"] for row in rows(FULL, show_ignored=True)] == ["reported"] * 4 + ["ignored", "accepted"]


@pytest.mark.parametrize("text", ["-.5 is fine", "a=1", "x+y", "mail@host"])
def test_text_that_is_no_formula_stays(text: str) -> None:
    [row] = rows(report(finding(message=f"key: {text}")))
    assert row["message"] == f"key: {text}"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "  =1+1", "＝1", "＋1", "－1", "＠A"])  # noqa: RUF001  # full width
def test_formulas_are_defused(text: str) -> None:
    [row] = rows(report(finding(message=text)))
    assert row["message"].startswith("'")


def test_quotes_commas_and_line_ends() -> None:
    text = render(report(finding(message='say "a,b"\r\nnow')), "csv", OPTIONS)
    assert '"say ""a,b""\\r\\nnow"' in text
    assert text.count("\n") == text.count("\r\n") == 2


def test_hostile_rows_are_whole() -> None:
    assert all(None not in row and len(row) == len(COLUMNS) for row in rows(HOSTILE))


@given(st.text(max_size=40))
@settings(deadline=None, max_examples=100)
def test_any_text_is_one_cell(text: str) -> None:
    found = rows(report(finding(path=text, message=text, remedy=text)))
    assert len(found) == 1
    assert found[0]["key"] == "aa" * 32
