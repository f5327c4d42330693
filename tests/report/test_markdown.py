"""Markdown: a table that no text can break out of."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.report import render
from keyguard.report.markdown import code, escape, with_links
from tests.report.made import EMPTY, FULL, HOSTILE, ODD, OPTIONS, finding, options, report


def test_a_clean_run() -> None:
    assert render(EMPTY, "markdown", OPTIONS) == "### keyguard\n\nNo leaked keys in 42 files.\n"


def test_a_summary() -> None:
    key = "Acme AI key ak-…(40) is written into the code"
    remedy = "remedy: Read it from ACME\\_API\\_KEY, and revoke this key: <https://acme.example/keys>"
    rule = "[KG101 hardcoded-key](https://keyguard.example/rules/KG101)"
    expected = f"""\
        ### keyguard

        Found 4 problems (3 high, 1 medium) in 4 of 42 files: 2 different keys.

        #### high

        | place | rule | message |
        | --- | --- | --- |
        | `app/client.py:3:18`<br>`deploy/.env:1:14` | {rule} | {key}<br>{remedy} |
        | `notes/try it.ipynb:cell 3:2:5` | {rule} | {key}<br>{remedy} |

        #### medium

        | place | rule | message |
        | --- | --- | --- |
        | `app/log.py:9:7` | {rule.replace("KG101", "KG104").replace("hardcoded-key", "key-in-output")} | key holds a key and is written to the log |

        **error**: `secret.txt`: could not be read: give yourself permission

        **warning**: an old baseline

        Not counted: 1 ignored by a comment or setting, 1 accepted by the baseline.

        Hidden: 12 low (--min-severity low shows them).

        Skipped 1 file: 1 binary.
        """  # noqa: E501  # a table's row is one line
    assert render(FULL, "markdown", OPTIONS) == dedent(expected)


def test_many_places_of_one_key_are_capped() -> None:
    shown = render(report(*(finding(path=f"{number:02}.py") for number in range(30))), "markdown", OPTIONS)
    assert "`09.py:3:18`<br>+ 20 |" in shown
    assert "10.py" not in shown


def test_many_rows_are_capped() -> None:
    shown = render(report(*(finding(line=n, key=f"{n}") for n in range(1, 512))), "markdown", OPTIONS)
    assert "… and 11 more rows." in shown
    assert "app/client.py:500:18" in shown
    assert "app/client.py:501:18" not in shown


def test_hostile_text_stays_in_its_cell() -> None:
    lines = render(HOSTILE, "markdown", OPTIONS).split("\n")
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 4
    for line in table:
        assert len(re.findall(r"(?<!\\)\|", line)) == 4
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("app/a_b.py:1:2", "`app/a_b.py:1:2`"),
        ("a|b", "<code>a&#124;b</code>"),
        ("a`b", "<code>a&#96;b</code>"),
        ("a\\b", "<code>a&#92;b</code>"),
        (" a", "<code> a</code>"),
        ("", "<code></code>"),
        ("<img src=x|y>", "<code>&#60;img src=x&#124;y&#62;</code>"),
    ],
)
def test_code(text: str, expected: str) -> None:
    assert code(text) == expected


def test_escapes() -> None:
    assert escape("plain text, (and) more.") == "plain text, (and) more."
    assert escape("a|b *c* [d](e) <f> @g #1 `h`") == r"a\|b \*c\* \[d\](e) \<f\> \@g \#1 \`h\`"


def test_addresses_stay_whole() -> None:
    assert with_links("see https://a.example/x_y#z. Then go") == "see <https://a.example/x_y#z>. Then go"
    assert with_links("见：https://a.example，好") == "见：<https://a.example>，好"  # noqa: RUF001  # Chinese
    assert with_links("https:// nothing") == "https:// nothing"
    assert with_links("no <b> link") == r"no \<b\> link"


@given(st.text(max_size=40))
@settings(deadline=None, max_examples=100)
def test_any_text_is_one_row(text: str) -> None:
    shown = render(report(finding(path=text, message=text, remedy=text)), "markdown", options())
    assert len([line for line in shown.split("\n") if line.startswith("|")]) == 3


def test_odd_text_is_used_above() -> None:
    assert all(character in ODD for character in "|`\\<[@=%\x1b\u202e\udcff"[:5])
