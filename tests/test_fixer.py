"""The fixer makes all edits of a fix or none, takes back what breaks its word, and touches nothing else."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyguard.fixer import compatible, is_applicable, repair
from keyguard.model import Confidence, Edit, Finding, Fix, Move, Safety, Secret, Severity, Span
from keyguard.source import decode, edited, encode, notebook_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyguard.source import SourceFile


def fix(*edits: tuple[int, int, str], safety: Safety = Safety.SAFE, title: str = "repair it") -> Fix:
    """A fix of edits given as start, end and text."""
    return Fix(title, safety, tuple(Edit(Span(start, end), text) for start, end, text in edits))


def finding(rule: str, made: Fix | None, name: str = "", **more: object) -> Finding:
    """A finding with a fix; where it stands plays no part."""
    severity = more.pop("severity", Severity.MEDIUM)
    return Finding(rule, "a.py", Span(0, 0), 1, 1, 1, 1, "", severity, Confidence.HIGH, name or rule, fix=made, **more)  # type: ignore[arg-type]  # by name


def read(data: bytes) -> SourceFile:
    """Python in a file of its own."""
    return decode("a.py", data)


def words(pattern: str, new: str, rule: str = "T1", **more: object) -> Callable[[bytes], list[Finding]]:
    """A check that finds every match of a pattern and would put another text in its place."""

    def check(data: bytes) -> list[Finding]:
        text = read(data).text
        return [
            finding(rule, fix((*found.span(), found.expand(new))), f"{rule}{number}", **more)
            for number, found in enumerate(re.finditer(pattern, text))
        ]

    return check


def every(_: Finding) -> bool:
    """Want all of them."""
    return True


# --- which fixes go together -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fixes", "taken"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([fix((0, 2, "a")), fix((4, 6, "b"))], [0, 1], id="apart"),
        pytest.param([fix((4, 6, "b")), fix((0, 2, "a"))], [0, 1], id="in any order"),
        pytest.param([fix((0, 3, "a")), fix((2, 5, "b"))], [0], id="overlapping"),
        pytest.param([fix((0, 3, "a")), fix((3, 5, "b"))], [0], id="touching"),
        pytest.param([fix((0, 9, "a")), fix((3, 5, "b"))], [0], id="one inside another"),
        pytest.param([fix((3, 3, "a")), fix((3, 3, "b"))], [0], id="two insertions at one place"),
        pytest.param(
            [fix((0, 0, "import os\n"), (9, 12, "a")), fix((0, 0, "import os\n"), (20, 22, "b"))],
            [0, 1],
            id="an edit that two share",
        ),
        pytest.param([fix((0, 1, "a"), (8, 9, "b")), fix((8, 10, "c"), (20, 21, "d"))], [0], id="all edits or none"),
        pytest.param([fix((0, 3, "a"), (2, 5, "b")), fix((9, 10, "c"))], [1], id="edits of one fix that overlap"),
        pytest.param([fix(), fix((0, 1, "a"))], [0, 1], id="a fix without an edit"),
    ],
)
def test_fixes_that_go_together_are_taken(fixes: list[Fix], taken: list[int]) -> None:
    assert compatible(fixes) == taken


EDITS = st.builds(
    lambda start, length, text: Edit(Span(start, start + length), text),
    st.integers(0, 30),
    st.integers(0, 6),
    st.text("xyz", max_size=3),
)
FIXES = st.lists(
    st.builds(lambda edits: Fix("", Safety.SAFE, tuple(edits)), st.lists(EDITS, min_size=1, max_size=3)), max_size=6
)


def simply_edited(text: str, edits: set[Edit]) -> str:
    """The oracle: a cell for each character, into which the edits are written."""
    before = [""] * (len(text) + 1)
    cells = [*text, ""]
    for span, new in edits:
        before[span.start] += new
        for place in range(span.start, span.end):
            cells[place] = ""
    return "".join(new + cell for new, cell in zip(before, cells, strict=True))


@given(FIXES)
def test_the_edits_of_what_is_taken_are_made_and_nothing_else(fixes: list[Fix]) -> None:
    text = "abcdefghijklmnopqrstuvwABCDEFGHIJKLMNOPQRS"
    taken = compatible(fixes)
    edits = {edit for index in taken for edit in fixes[index].edits}
    assert edited(text, edits) == simply_edited(text, edits)
    ordered = sorted(edits)
    assert all(one.span.end < other.span.start for one, other in pairwise(ordered))
    for index, other in enumerate(fixes):
        if index not in taken:  # it had a reason to wait
            touches = any(
                a != b and a.span.start <= b.span.end and b.span.start <= a.span.end
                for a in other.edits
                for b in (*edits, *other.edits)
            )
            assert touches


# --- rounds ----------------------------------------------------------------------------------------------------------


def test_nothing_to_fix_leaves_the_bytes_alone() -> None:
    done = repair(b"x = 1\r\n", read, lambda _: [], every)
    assert (done.data, done.fixed, done.left, done.failed) == (b"x = 1\r\n", (), (), ())


def test_what_is_not_wanted_stays() -> None:
    done = repair(b"old\n", read, words("old", "new"), lambda _: False)
    assert done.data == b"old\n"
    assert [found.rule for found in done.left] == ["T1"]


def test_all_are_fixed_in_one_round() -> None:
    done = repair(b"old; old = old\n", read, words("old", "new"), every)
    assert done.data == b"new; new = new\n"
    assert len(done.fixed) == 3
    assert done.left == ()


def test_what_touches_waits_for_the_next_round() -> None:
    done = repair(b"oldold\n", read, words("old", "new"), every)
    assert done.data == b"newnew\n"


def test_a_fix_that_never_ends_stops() -> None:
    done = repair(b"a\n", read, lambda data: [finding("T1", fix((0, 0, "a")), str(len(data)))], every)
    assert done.data == b"a\n"  # it is never gone, so it does not hold its word
    assert [found.rule for found in done.failed] == ["T1"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("\ufeffx = 'old' # 变量\r\ny = 'old'".encode(), id="mark, CRLF and no last line end"),
        pytest.param("# -*- coding: gb18030 -*-\nx = 'old' # 变量\n".encode("gb18030"), id="gb18030"),
        pytest.param("x = 'old' # 变量\n".encode("utf-16"), id="utf-16"),
        pytest.param(b"x = 'old' # \xff broken\r", id="broken utf-8 and CR"),
        pytest.param("# coding: latin-1\nx = 'old' # \xe9\n".encode("latin-1"), id="latin-1"),
    ],
)
def test_other_bytes_stay_what_they_are(data: bytes) -> None:
    done = repair(data, read, words("old", "new"), every)
    source = read(data)
    assert done.data == encode(source, source.text.replace("old", "new"))
    assert len(done.data) == len(data)
    assert sum(one != other for one, other in zip(data, done.data, strict=True)) == 3 * source.text.count("old")


# --- what is taken back ----------------------------------------------------------------------------------------------


def test_a_fix_that_breaks_the_syntax_is_taken_back_and_the_others_stay() -> None:
    def check(data: bytes) -> list[Finding]:
        return [*words("old", "new")(data), *words("bad", "(", "T2")(data)]

    done = repair(b"old = bad = 1\nother = old\nold\n", read, check, every)
    assert done.data == b"new = bad = 1\nother = new\nnew\n"
    assert [found.rule for found in done.failed] == ["T2"]
    assert [found.rule for found in done.left] == ["T2"]


def test_python_that_never_parsed_is_fixed_all_the_same() -> None:
    assert repair(b"print 'old'\n", read, words("old", "new"), every).data == b"print 'new'\n"


def test_a_finding_that_stays_was_not_fixed() -> None:
    done = repair(b"old\n", read, words(r"old\w*", r"\g<0>er"), every)
    assert done.data == b"old\n"
    assert [found.rule for found in done.failed] == ["T1"]


@pytest.mark.parametrize(
    ("severity", "data"),
    [(Severity.LOW, b"new\n"), (Severity.MEDIUM, b"old\n"), (Severity.HIGH, b"old\n")],
    ids=["less severe", "as severe", "more severe"],
)
def test_a_fix_that_makes_something_as_severe_is_taken_back(severity: Severity, data: bytes) -> None:
    def check(text: bytes) -> list[Finding]:
        return [
            *words("old", "new")(text),
            *(one._replace(severity=severity, fix=None) for one in words("new", "", "T2")(text)),
        ]

    assert repair(b"old\n", read, check, every).data == data


def test_a_fix_may_change_the_case_of_another_finding() -> None:
    def check(text: bytes) -> list[Finding]:
        is_old = b"old" in text
        return [*words("old", "new")(text), finding("T2", None, case="endless" if is_old else "long")]

    assert repair(b"old\n", read, check, every).data == b"new\n"


def test_a_finding_may_take_the_place_of_another_of_its_family() -> None:
    def check(text: bytes) -> list[Finding]:
        was, now = (text.count(word) for word in (b"old", b"new"))
        others = [finding("KG201", None, severity=Severity.HIGH)] * was + [
            finding("KG202", None, severity=Severity.HIGH)
        ] * now
        return [*words("old", "new", "KG101", severity=Severity.HIGH)(text), *others]

    done = repair(b"old\n", read, check, every)
    assert done.data == b"new\n"
    assert [found.rule for found in done.left] == ["KG202"]


def test_a_finding_may_not_take_the_place_of_one_of_another_family() -> None:
    def check(text: bytes) -> list[Finding]:
        was, now = (text.count(word) for word in (b"old", b"new"))
        others = [finding("KG301", None, severity=Severity.HIGH)] * was + [
            finding("KG501", None, severity=Severity.HIGH)
        ] * now
        return [*words("old", "new", "KG101", severity=Severity.HIGH)(text), *others]

    assert repair(b"old\n", read, check, every).data == b"old\n"


def test_a_text_that_the_encoding_lacks_is_not_written() -> None:
    data = "# coding: latin-1\nx = 'old'\n".encode("latin-1")
    done = repair(data, read, words("old", "变量"), every)
    assert done.data == data
    assert [found.rule for found in done.failed] == ["T1"]


def test_a_fix_that_changes_nothing_is_no_fix() -> None:
    done = repair(b"old\n", read, words("old", "old"), every)
    assert (done.data, [found.rule for found in done.failed]) == (b"old\n", ["T1"])


# --- keys and paths --------------------------------------------------------------------------------------------------


def test_the_keys_of_fixes_that_were_made_are_told_once() -> None:
    move = Move("A_KEY", Secret("not a real one"))

    def check(data: bytes) -> list[Finding]:
        return [one._replace(fix=one.fix._replace(moves=(move,))) for one in words("old", "new")(data) if one.fix]

    assert repair(b"old; old\n", read, check, every).moves == (move,)


def test_the_keys_of_fixes_that_were_taken_back_are_not() -> None:
    move = Move("A_KEY", Secret("not a real one"))

    def check(data: bytes) -> list[Finding]:
        return [one._replace(fix=one.fix._replace(moves=(move,))) for one in words("old", "(")(data) if one.fix]

    assert repair(b"old = 1\n", read, check, every).moves == ()


def test_a_path_to_ignore_is_told_and_the_bytes_stay() -> None:
    def check(_: bytes) -> list[Finding]:
        return [finding("T1", Fix("ignore it", Safety.SAFE, (), excludes=(".env",)))]

    done = repair(b"A=1\n", lambda data: decode(".env", data), check, every)
    assert (done.data, done.excludes, done.left) == (b"A=1\n", (".env",), ())
    assert [found.rule for found in done.fixed] == ["T1"]


@pytest.mark.parametrize(
    ("made", "least", "expected"),
    [
        (None, Safety.UNSAFE, False),
        (fix((0, 1, "a")), Safety.SAFE, True),
        (fix((0, 1, "a"), safety=Safety.UNSAFE), Safety.SAFE, False),
        (fix((0, 1, "a"), safety=Safety.UNSAFE), Safety.UNSAFE, True),
        (fix((0, 1, "a"), safety=Safety.SHOWN), Safety.SHOWN, False),
        (fix(), Safety.SAFE, False),
        (Fix("", Safety.SAFE, (), excludes=(".env",)), Safety.SAFE, True),
    ],
    ids=["none", "safe", "unsafe unasked", "unsafe", "shown", "without an edit", "a path to ignore"],
)
def test_a_fix_is_made_if_it_is_safe_enough_and_does_something(
    made: Fix | None, least: Safety, *, expected: bool
) -> None:
    assert is_applicable(finding("T1", made), least) is expected


# --- notebooks -------------------------------------------------------------------------------------------------------

NOTEBOOK = r"""{"nbformat": 4, "nbformat_minor": 5,   "metadata": {"caf\u00e9": 1}, "cells": [
 {"cell_type": "markdown", "metadata": {}, "source": ["# old\n", "caf\u00e9"]},
 {"cell_type": "code", "metadata": {}, "execution_count": 1,
  "source": ["# \u4e2d\u6587\n", "x = 'old'\n", "y = 'old'"],
  "outputs": [{"output_type": "stream", "name": "stdout", "text": ["old\n"]}]},
 {"cell_type": "code", "metadata": {}, "execution_count": 2, "outputs": [], "source": "z = 'old' # \u00e9\n"}
]}
"""


def notebook(data: bytes) -> SourceFile:
    """A notebook in a file of its own."""
    return decode("a.ipynb", data, kind="notebook")


def in_cells(pattern: str, new: str, part: str = "source") -> Callable[[bytes], list[Finding]]:
    """A check of the code cells of a notebook."""

    def check(data: bytes) -> list[Finding]:
        return [
            finding("T1", fix((*found.span(), new)), f"{cell.cell}{number}", cell=cell.cell, part=cell.part)
            for cell in notebook_parts(notebook(data))
            if cell.part == part and (cell.kind == "python" or part == "output")
            for number, found in enumerate(re.finditer(pattern, cell.text))
        ]

    return check


def test_cells_are_edited_and_the_rest_of_the_notebook_stays() -> None:
    done = repair(NOTEBOOK.encode(), notebook, in_cells("old", "new"), every)
    assert done.data.decode() == NOTEBOOK.replace("'old'", "'new'")
    assert len(done.fixed) == 3


def test_lines_put_into_a_cell_are_lines_of_its_list() -> None:
    def check(data: bytes) -> list[Finding]:
        cell = notebook_parts(notebook(data))[1]
        at = cell.text.find("x = 'old'")
        return (
            [finding("T1", fix((0, 0, "import os\n"), (at + 4, at + 9, "os.sep")), cell=cell.cell, part="source")]
            if at >= 0
            else []
        )

    done = repair(NOTEBOOK.encode(), notebook, check, every)
    assert json.loads(done.data)["cells"][1]["source"] == ["import os\n", "# 中文\n", "x = os.sep\n", "y = 'old'"]
    assert r"# \u4e2d\u6587\n" in done.data.decode()


def test_an_output_is_cleared_as_a_whole() -> None:
    done = repair(NOTEBOOK.encode(), notebook, in_cells("(?s).+", "", "output"), every)
    before, after = json.loads(NOTEBOOK), json.loads(done.data)
    before["cells"][1]["outputs"] = []
    assert before == after
    assert done.data.decode() == re.sub(r'"outputs": \[\{.*?\}\]', '"outputs": []', NOTEBOOK)


def test_a_cell_that_would_no_longer_parse_is_left_alone() -> None:
    done = repair(NOTEBOOK.encode(), notebook, in_cells("'old'", "("), every)
    assert done.data == NOTEBOOK.encode()
    assert {found.cell for found in done.failed} == {2, 3}


# --- properties ------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(["old", "older", " = ", "\n", "\r\n", "(", ")", "x", "'", "变", "bad"]), max_size=20))
def test_fixing_twice_is_fixing_once(pieces: list[str]) -> None:
    def check(data: bytes) -> list[Finding]:
        return [*words(r"old\b", "new")(data), *words("bad", ")", "T2")(data), *words("older", "old", "T3")(data)]

    data = "".join(pieces).encode()
    once = repair(data, read, check, every)
    again = repair(once.data, read, check, every)
    assert again.data == once.data
    assert not again.fixed
