"""Untrusted text cannot steer a terminal, and is measured as a terminal shows it."""
# ruff: noqa: RUF001  # Chinese has its own punctuation

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.report.safe import cells, encodable, pad, visible, wrap


@pytest.mark.parametrize(
    "text", ["", "plain text", "中文，“好”", "naïve café", "🔑", "a\u00a0b", "e\u0301", "[red]no markup[/]"]
)
def test_harmless_text_stays(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("one\ntwo\r\n", r"one\ntwo\r\n"),
        ("\x9b31m", r"\x9b31m"),
        ("a\u202egpj.exe", r"a\u202egpj.exe"),
        ("\u2066x\u2069\u200b\ufeff", r"\u2066x\u2069\u200b\ufeff"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\udcff.py", r"\udcff.py"),
        ("\U000e0041", r"\U000e0041"),
        ("a\tb", "a    b"),
        ("\x00\x7f", r"\x00\x7f"),
    ],
)
def test_controls_are_spelled_out(text: str, expected: str) -> None:
    assert visible(text) == expected


def test_lone_surrogates_are_spelled_out_and_nothing_else() -> None:
    assert encodable("\x1b中\udcff\ud800") == "\x1b中\\udcff\\ud800"


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("中文", 4), ("e\u0301", 1), ("ｆ", 2), ("🔑", 2), ("…", 1)])
def test_cells(text: str, width: int) -> None:
    assert cells(text) == width


def test_padding_counts_cells() -> None:
    assert pad("中", 4) + "|" == "中  |"
    assert pad("long", 2) == "long"


def test_words_are_wrapped_and_never_cut() -> None:
    text = "Read it from ACME_API_KEY, and see https://acme.example/a/very/long/address now"
    assert wrap(text, 30) == [
        "Read it from ACME_API_KEY, and",
        "see",
        "https://acme.example/a/very/long/address",
        "now",
    ]
    assert wrap(text, None) == [text]


def test_chinese_is_wrapped_between_characters_and_no_line_starts_with_punctuation() -> None:
    assert wrap("请改为从环境变量读取，并吊销", 20) == ["请改为从环境变量读", "取，并吊销"]


@given(st.text(), st.integers(1, 40))
@settings(deadline=None, max_examples=200)
def test_wrapping_loses_nothing_but_spaces(text: str, width: int) -> None:
    shown = visible(text)
    assert "".join(wrap(shown, width)).replace(" ", "") == shown.replace(" ", "")


@given(st.text())
@settings(deadline=None, max_examples=200)
def test_visible_text_is_one_line_without_controls_that_encodes(text: str) -> None:
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown
    shown.encode("utf-8")
