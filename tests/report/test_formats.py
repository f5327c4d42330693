"""What holds for every format: nothing raises, machines can read it, equal input gives equal bytes."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.errors import UsageError
from keyguard.model import (
    Confidence,
    Edit,
    Excerpt,
    FileReport,
    Finding,
    Fix,
    Notice,
    Related,
    Report,
    Safety,
    Severity,
    Span,
)
from keyguard.report import FORMATS, MACHINE_FORMATS, render
from tests.report.made import EMPTY, FULL, HOSTILE, OPTIONS, options

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = st.text(st.characters() | st.sampled_from("\n\r\t\x1b|`'\"<>&%:,=@[]{}\\\u202e\ud800\udcff中🔑"), max_size=25)
NUMBER = st.integers(1, 10**7)
SPAN = st.builds(lambda start, size: Span(start, start + size), st.integers(0, 99), st.integers(0, 99))
FINDING = st.builds(
    Finding,
    rule=st.sampled_from(["KG101", "KG104", "KG106", "KG202", "KG001"]),
    path=TEXT,
    span=SPAN,
    line=NUMBER,
    column=NUMBER,
    end_line=NUMBER,
    end_column=NUMBER,
    message=TEXT,
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    fingerprint=st.text("0123456789abcdef", min_size=2, max_size=3),
    key=st.none() | st.sampled_from(["aa", "bb"]),
    provider=st.none() | st.sampled_from(["acme", "unknown"]),
    remedy=st.none() | TEXT,
    cell=st.none() | NUMBER,
    part=st.none() | st.sampled_from(["source", "output"]),
    excerpt=st.none() | st.builds(Excerpt, TEXT, st.integers(0, 40), st.integers(0, 40)),
    related=st.lists(st.builds(Related, TEXT, NUMBER, NUMBER, NUMBER, NUMBER, TEXT), max_size=2).map(tuple),
    fix=st.none()
    | st.builds(Fix, TEXT, st.sampled_from(Safety), st.lists(st.builds(Edit, SPAN, TEXT), max_size=2).map(tuple)),
)
FINDINGS = st.lists(FINDING, max_size=3).map(tuple)
REPORT = st.builds(
    Report,
    files=st.lists(
        st.builds(FileReport, TEXT, FINDINGS, FINDINGS, FINDINGS, FINDINGS, st.none() | TEXT, st.booleans()),
        max_size=3,
    ).map(tuple),
    checked=st.integers(0, 9),
    hidden=st.dictionaries(st.sampled_from(["low", "medium", "high"]), st.integers(0, 3)),
    notices=st.lists(st.builds(Notice, TEXT, st.none() | TEXT, st.booleans()), max_size=2).map(tuple),
    unused_ignores=st.integers(0, 2),
)
CHANGES = st.fixed_dictionaries(
    {
        "lang": st.sampled_from(["en", "zh"]),
        "color": st.booleans(),
        "width": st.none() | st.integers(1, 120),
        "unicode": st.booleans(),
        "verbose": st.booleans(),
        "quiet": st.booleans(),
        "statistics": st.booleans(),
        "show_fixes": st.booleans(),
        "show_ignored": st.booleans(),
        "offer_fixes": st.booleans(),
        "min_severity": st.sampled_from(["low", "medium", "high"]),
        "exit_code": st.integers(0, 3),
    }
)
READERS: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
    "csv": lambda text: list(csv.reader(io.StringIO(text, newline=""), strict=True)),
    "sarif": json.loads,
    "github": str.splitlines,
    "gitlab-quality": json.loads,
    "gitlab-secrets": json.loads,
    "junit": ET.fromstring,
}


def test_every_machine_format_has_a_reader_here() -> None:
    assert tuple(READERS) == MACHINE_FORMATS


def test_the_formats_of_this_version() -> None:
    assert FORMATS == (
        "text",
        "concise",
        "json",
        "jsonl",
        "csv",
        "sarif",
        "github",
        "gitlab-quality",
        "gitlab-secrets",
        "junit",
        "markdown",
    )


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown output format 'xml': use one of text, concise, json"):
        render(EMPTY, "xml", OPTIONS)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("made", [EMPTY, FULL, HOSTILE], ids=["empty", "full", "hostile"])
def test_equal_input_gives_equal_bytes_that_end_a_line(format_: str, made: Report) -> None:
    text = render(made, format_, OPTIONS)
    assert text == render(made, format_, OPTIONS)
    assert text == "" or text.endswith("\n")


@pytest.mark.parametrize("format_", FORMATS)
@given(made=REPORT, changes=CHANGES)
@settings(deadline=None, max_examples=30)
def test_nothing_raises_everything_encodes_and_machines_can_read_it(
    format_: str, made: Report, changes: dict[str, Any]
) -> None:
    text = render(made, format_, options(**changes))
    text.encode("utf-8")
    if not (changes["color"] and format_ in {"text", "concise"}):
        assert "\x1b" not in text
    if format_ in READERS:
        READERS[format_](text)
