"""The report for people: what comes first, what is one group, what stands under the caret, what to type next."""
# ruff: noqa: RUF001  # Chinese has its own punctuation

from __future__ import annotations

import io
import re
from textwrap import dedent
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.model import Excerpt, FileReport, Notice, Report, Severity
from keyguard.report import render, speaks_unicode
from keyguard.report.excerpt import fit
from keyguard.report.safe import cells
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
    SAME_KEY,
    SMALL,
    finding,
    options,
    report,
)

STYLE = re.compile(r"\x1b\[[0-9;]*m")


def text(made: Report, **changes: object) -> str:
    return render(made, "text", options(**changes))


def dedented(expected: str) -> str:
    return dedent(expected).removeprefix("\n")


def test_a_clean_run_says_so_kindly() -> None:
    assert text(EMPTY) == "No leaked keys in 42 files.\n"
    assert text(Report((), checked=1)) == "No leaked keys in 1 file.\n"
    assert text(Report(())) == "There was no file to check.\n"
    assert render(EMPTY, "text", CHINESE) == "检查了 42 个文件，没有发现泄漏的密钥。\n"


def test_a_clean_run_says_nothing_when_quiet() -> None:
    assert text(EMPTY, quiet=True) == ""


def test_one_finding() -> None:
    assert text(SMALL) == dedented(
        """
        app/client.py:3:18  high  KG101 hardcoded-key
          Acme AI key ak-…(40) is written into the code
          3 │ client = Client("ak-…(40)")
            │                 ^^^^^^^^
          remedy: Read it from ACME_API_KEY, and revoke this key: https://acme.example/keys

        Found 1 problem (1 high) in 1 of 42 files.
        Next: keyguard explain KG101
        """
    )


def test_everything_at_once() -> None:
    assert text(FULL, offer_fixes=True) == dedented(
        """
        app/client.py:3:18  high  KG101 hardcoded-key
          Acme AI key ak-…(40) is written into the code
          3 │ client = Client("ak-…(40)")
            │                 ^^^^^^^^
          remedy: Read it from ACME_API_KEY, and revoke this key: https://acme.example/keys
          fix: read ACME_API_KEY (safe)
          also in deploy/.env:1:14 (KG106)

        notes/try it.ipynb:cell 3:2:5  high  KG101 hardcoded-key
          Acme AI key ak-…(40) is written into the code
          2 │ client = Client("ak-…(40)")
            │                 ^^^^^^^^
          remedy: Read it from ACME_API_KEY, and revoke this key: https://acme.example/keys
          fix: read ACME_API_KEY (safe)

        app/log.py:9:7  medium  KG104 key-in-output
          key holds a key and is written to the log
          9 │ print(key, secret)
            │       ^^^
          see: app/log.py:2:1 the key is read here

        error: secret.txt: could not be read: give yourself permission
        warning: an old baseline
        Found 4 problems (3 high, 1 medium) in 4 of 42 files: 2 different keys.
        Hidden: 12 low (--min-severity low shows them).
        Not reported: 1 ignored by a comment or setting, 1 accepted by the baseline (--show-ignored lists them).
        1 ignore hides nothing any more (--extend-select KG003 shows it).
        Skipped 1 file: 1 binary (--verbose lists it).
        2 can be fixed: keyguard fix
        Next: keyguard explain KG101
        """
    )


def test_chinese() -> None:
    assert render(FULL, "text", CHINESE).endswith(
        dedented(
            """
            错误: secret.txt: could not be read: give yourself permission
            警告: an old baseline
            发现 4 个问题（3 高、1 中），位于 42 个文件中的 4 个：2 个不同的密钥。
            未显示：12 低（用 --min-severity low 显示）。
            未报告：注释或设置忽略 1 个、基线接受 1 个（用 --show-ignored 列出）。
            有 1 条忽略已不再起作用（用 --extend-select KG003 查看）。
            跳过 1 个文件：1 二进制（用 --verbose 列出）。
            下一步：keyguard explain KG101
            """
        )
    )


def test_the_provider_is_named_when_the_message_does_not() -> None:
    assert "  provider: Acme AI\n" in text(report(finding(message="a key")))
    assert "provider:" not in text(SMALL)


def test_a_finding_about_a_whole_file_has_no_source_line() -> None:
    unreadable = finding(
        rule="KG001", line=1, column=1, message="no permission", remedy=None, provider=None, excerpt=Excerpt("", 0, 0)
    )
    assert text(report(unreadable), quiet=True) == "app/client.py:1:1  high  KG001\n  no permission\n"


def test_quiet_shows_the_findings_and_no_more() -> None:
    shown = text(FULL, quiet=True)
    assert shown.startswith("app/client.py:3:18")
    assert shown.endswith("see: app/log.py:2:1 the key is read here\n")


def test_most_severe_first_then_by_path() -> None:
    low = finding(path="a.py", severity=Severity.LOW, key="k1")
    high = finding(path="z.py", severity=Severity.HIGH, key="k2")
    medium = finding(path="b.py", severity=Severity.MEDIUM, key="k3")
    other = finding(path="c.py", severity=Severity.HIGH, key="k4")
    heads = re.findall(r"^\S+  (?=high|medium|low)", text(report(low, high, medium, other)), re.MULTILINE)
    assert heads == ["c.py:3:18  ", "z.py:3:18  ", "b.py:3:18  ", "a.py:3:18  "]


def test_one_key_in_twenty_files_is_one_group() -> None:
    many = report(*(finding(path=f"f{number:02}.py") for number in range(20)))
    shown = text(many)
    assert shown.count("is written into the code") == 1
    assert "  also in f01.py:3:18\n" in shown
    assert "  also in f05.py:3:18\n  and 14 more places (--verbose lists them)\n" in shown
    assert "Found 20 problems (20 high) in 20 of 42 files: 1 key." in shown
    assert "also in f19.py:3:18" in text(many, verbose=True)


def test_a_group_begins_with_its_most_severe_place() -> None:
    shown = text(report(finding(path="a.py", severity=Severity.LOW), finding(path="b.py")))
    assert shown.startswith("b.py:3:18  high")
    assert "also in a.py:3:18" in shown


def test_another_rule_about_the_same_key_is_told_in_full() -> None:
    wrong_host = finding(rule="KG202", message="it is sent elsewhere")
    shown = text(report(KEY, wrong_host))
    assert "is written into the code" in shown
    assert "it is sent elsewhere" in shown


def test_findings_without_a_key_are_never_one_group() -> None:
    assert text(report(OUTPUT, finding(path="b.py", key=None))).count("  medium  ") == 1
    twice = text(report(finding(key=None), finding(key=None, line=8)))
    assert "also in" not in twice


def test_hidden_for_their_confidence() -> None:
    made = report(hidden={"low": 2, "high": 1})
    assert "Hidden: 1 high, 2 low (--min-severity low --min-confidence low shows them).\n" in text(made)
    assert "Hidden: 1 high (--min-confidence low shows it).\n" in text(report(hidden={"high": 1}))
    assert "(--min-confidence low shows it)" in text(report(hidden={"low": 1}), min_severity="low")


def test_a_baseline_is_offered_to_whoever_has_many_and_none_yet() -> None:
    many = [finding(path=f"{number}.py") for number in range(5)]
    offer = "Too many for today? keyguard baseline create accepts what is here and stops new ones.\n"
    assert text(report(*many)).endswith(offer)
    assert offer not in text(report(*many[:4]))
    baseline = Report((*report(*many).files, FileReport("x.py", accepted=(KEY,))), checked=42)
    assert offer not in text(baseline)


def test_the_next_command_explains_the_commonest_of_the_worst() -> None:
    assert "Next: keyguard explain KG106\n" in text(report(SAME_KEY, finding(rule="KG106", path="b"), KEY, OUTPUT))


def test_ignored_and_accepted_are_listed_when_asked_for() -> None:
    shown = text(FULL, show_ignored=True)
    assert "ignored: app/client.py:7:18  KG101 Acme AI key ak-…(40) is written into the code\n" in shown
    assert "accepted: app/log.py:4:18  KG101 " in shown
    assert "Not counted: 1 ignored by a comment or setting, 1 accepted by the baseline.\n" in shown


def test_skipped_files_are_listed_when_verbose() -> None:
    shown = text(FULL, verbose=True)
    assert "skipped: logo.png (binary)\nSkipped 1 file: 1 binary.\n" in shown


def test_large_files_are_named_in_the_summary() -> None:
    assert "1 file is very large: only the text rules read it.\n" in text(
        Report((FileReport("x.js", windowed=True),), checked=1)
    )


def test_fixed_findings() -> None:
    made = Report((FileReport("app/client.py", fixed=(FIXABLE,)),), checked=1)
    assert text(made) == "Fixed 1 problem.\nNo leaked keys in 1 file.\n"
    assert text(made, show_fixes=True).startswith("fixed: app/client.py:3:18 KG101: read ACME_API_KEY\n")


def test_statistics_take_the_findings_place() -> None:
    assert text(report(KEY, SAME_KEY, finding(line=8), OUTPUT), statistics=True) == dedented(
        """
        2  KG101  hardcoded-key
        1  KG104  key-in-output
        1  KG106  key-in-file

        By provider
        3  Acme AI

        Found 4 problems (3 high, 1 medium) in 3 of 42 files: 1 key.
        Next: keyguard explain KG101
        """
    )


def test_colour_changes_no_character() -> None:
    colored = text(FULL, color=True)
    assert "\x1b[1;31mhigh\x1b[0m" in colored
    plain = [line.rstrip() for line in STYLE.sub("", colored).splitlines()]
    assert plain == text(FULL).splitlines()


def test_markup_in_untrusted_text_means_nothing() -> None:
    assert "[bold]x[/bold] :smile:" in STYLE.sub(
        "", text(report(finding(message="[bold]x[/bold] :smile:")), color=True)
    )


def test_a_hostile_repository_steers_no_terminal() -> None:
    for changes in ({}, {"verbose": True, "show_ignored": True, "offer_fixes": True}, {"statistics": True}):
        shown = text(HOSTILE, **changes)
        assert all(character == "\n" or character.isprintable() for character in shown)
        io.TextIOWrapper(io.BytesIO(), encoding="utf-8").write(shown)


def test_narrow_consoles_get_plain_marks() -> None:
    shown = text(SMALL, unicode=False)
    assert '3 | client = Client("ak-...(40)")\n    |                 ^^^^^^^^^^\n' in shown
    assert shown.isascii()


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", True), ("gb18030", True), ("ascii", False), ("cp1252", False), ("no-such", False), (None, False)],
)
def test_encodings_that_have_the_marks(encoding: str | None, expected: bool) -> None:  # noqa: FBT001  # a case
    assert speaks_unicode(encoding) is expected


def test_paragraphs_are_wrapped_to_the_terminal() -> None:
    lines = text(SMALL, width=50).splitlines()
    assert lines[4:6] == ["  remedy: Read it from ACME_API_KEY, and revoke", "  this key: https://acme.example/keys"]


@pytest.mark.parametrize("width", [1, 20, 40, 79, 200])
def test_no_width_breaks_it(width: int) -> None:
    for made in (FULL, HOSTILE):
        assert text(made, width=width, color=True)


def test_notices_do_not_repeat_the_path() -> None:
    made = report(notices=(Notice("a.toml: unknown key", "a.toml", error=True),))
    assert text(made).startswith("error: a.toml: unknown key\n")


# The source line.


def caret(made: Excerpt, width: int = 60) -> str:
    shown, column, count = fit(made, width)
    return f"{shown}\n{' ' * column}{'^' * count}"


def test_indentation_is_left_out() -> None:
    assert caret(Excerpt("\t    print(key)", 11, 14)) == "print(key)\n      ^^^"


def test_tabs_inside_are_spaces() -> None:
    assert caret(Excerpt("a\tkey", 2, 5)) == "a    key\n     ^^^"


def test_wide_characters_keep_the_caret_in_place() -> None:
    assert caret(Excerpt('名 = "密钥"', 5, 7)) == '名 = "密钥"\n      ^^^^'


def test_combining_marks_take_no_cell() -> None:
    assert caret(Excerpt("e\u0301 key", 3, 6)) == "e\u0301 key\n  ^^^"


def test_controls_are_spelled_out_under_the_caret() -> None:
    assert caret(Excerpt("\x1b[0m key", 5, 8)) == "\\x1b[0m key\n        ^^^"


def test_an_empty_span_has_one_caret() -> None:
    assert caret(Excerpt("x = 1", 5, 5)) == "x = 1\n     ^"


def test_a_long_line_is_cut_around_the_span() -> None:
    line = "a" * 500 + "KEY" + "b" * 500
    shown, column, count = fit(Excerpt(line, 500, 503), 40)
    assert shown == "..." + "a" * 10 + "KEY" + "b" * 21 + "..."
    assert (column, count) == (13, 3)
    assert cells(shown) == 40


def test_the_start_of_a_long_line_stays() -> None:
    assert fit(Excerpt("KEY" + "b" * 100, 0, 3), 20) == ("KEY" + "b" * 14 + "...", 0, 3)


def test_a_span_longer_than_the_terminal_is_underlined_to_the_edge() -> None:
    shown, column, count = fit(Excerpt("x = " + "k" * 500, 4, 504), 30)
    assert shown.endswith("k...")
    assert column + count == cells(shown) == 30


def test_ten_megabytes_in_one_line_are_not_walked_through() -> None:
    class Watched(str):
        __slots__ = ()

        def __iter__(self) -> NoReturn:
            pytest.fail("the whole line was walked through")

    line = Watched("x" * 10_000_000)
    shown, _, _ = fit(Excerpt(line, 5_000_000, 5_000_003), 80)
    assert cells(shown) == 80


@given(st.text(max_size=80), st.integers(0, 90), st.integers(0, 90), st.integers(0, 70))
@settings(deadline=None, max_examples=300)
def test_an_excerpt_always_fits_and_its_caret_stands_under_it(line: str, start: int, end: int, width: int) -> None:
    shown, column, count = fit(Excerpt(line, start, end), width)
    assert cells(shown) <= max(width, 20)
    assert count >= 1
    # An empty span may stand right behind the end.
    assert column <= cells(shown)
    assert column + count <= cells(shown) + 1


def test_the_cell_is_named_in_the_language_of_the_report() -> None:
    assert render(report(CELL), "text", CHINESE).startswith("notes/try it.ipynb:单元格 3:2:5  高  KG101")
    assert text(report(finding(cell=2, part="output", line=1))).startswith("app/client.py:cell 2 output:1:18")


def test_equal_reports_give_equal_bytes_whatever_the_order_they_were_found_in() -> None:
    turned = Report(tuple(reversed(FULL.files)), 42, FULL.hidden, FULL.notices, FULL.unused_ignores)
    for format_ in ("text", "concise", "json", "sarif", "markdown", "csv"):
        assert render(turned, format_, OPTIONS) == render(FULL, format_, OPTIONS)
