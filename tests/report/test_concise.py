"""One line a finding."""

from __future__ import annotations

from textwrap import dedent

from keyguard.report import render
from tests.report.made import CHINESE, EMPTY, FULL, HOSTILE, SMALL, options


def test_a_clean_run() -> None:
    assert render(EMPTY, "concise", options()) == "No leaked keys in 42 files.\n"
    assert render(EMPTY, "concise", options(quiet=True)) == ""


def test_lines_by_path_then_the_counts() -> None:
    expected = """\
        app/client.py:3:18: KG101 Acme AI key ak-…(40) is written into the code
        app/log.py:9:7: KG104 key holds a key and is written to the log
        deploy/.env:1:14: KG106 Acme AI key ak-…(40) is written into the code
        notes/try it.ipynb:cell 3:2:5: KG101 Acme AI key ak-…(40) is written into the code
        error: secret.txt: could not be read: give yourself permission
        warning: an old baseline
        Found 4 problems (3 high, 1 medium) in 4 of 42 files: 2 different keys.
        Hidden: 12 low (--min-severity low shows them).
        Not reported: 1 ignored by a comment or setting, 1 accepted by the baseline (--show-ignored lists them).
        1 ignore hides nothing any more (--extend-select KG003 shows it).
        Skipped 1 file: 1 binary (--verbose lists it).
        """
    assert render(FULL, "concise", options()) == dedent(expected)


def test_quiet_is_only_the_lines() -> None:
    line = "app/client.py:3:18: KG101 Acme AI key ak-…(40) is written into the code\n"
    assert render(SMALL, "concise", options(quiet=True)) == line


def test_what_was_ignored_is_marked() -> None:
    shown = render(FULL, "concise", options(show_ignored=True))
    assert "app/client.py:7:18: KG101 Acme AI key ak-…(40) is written into the code (ignored)\n" in shown
    assert "(accepted)\n" in shown


def test_chinese_cells() -> None:
    assert "notes/try it.ipynb:单元格 3:2:5: KG101" in render(FULL, "concise", CHINESE)


def test_hostile_text_stays_on_its_line() -> None:
    shown = render(HOSTILE, "concise", options(quiet=True))
    assert len(shown.splitlines()) == 2
    assert "\x1b" not in shown


def test_statistics() -> None:
    assert render(SMALL, "concise", options(statistics=True, quiet=True)).startswith("1  KG101  hardcoded-key\n")
