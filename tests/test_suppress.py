"""Ignore comments: which finding each hides, which it does not, and what is said of those that hide nothing."""

from __future__ import annotations

import io
import sysconfig
import tokenize
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.model import Safety
from keyguard.settings import Vocabulary
from keyguard.source import SourceFile, decode
from keyguard.suppress import Hidden, Suppressions, _comments, has_own_marks, unused_marks

VOCABULARY = Vocabulary(
    {
        "KG001": "unreadable-file",
        "KG003": "unused-ignore",
        "KG101": "hardcoded-key",
        "KG102": "key-as-default",
        "KG105": "key-in-comment",
        "KG106": "key-in-file",
        "KG108": "other-secret",
        "KG301": "http-call-without-timeout",
        "KG502": "tls-check-off",
    },
)


def source(text: str, kind: str = "python", **more: object) -> SourceFile:
    return SourceFile("app.py", text, kind=kind, **more)  # type: ignore[arg-type]


def marks(text: str, kind: str = "python", **more: object) -> Suppressions:
    return Suppressions(source(text, kind, **more), VOCABULARY)


def hidden(text: str, line: int, rule: str = "KG101", kind: str = "python", last: int | None = None) -> bool:
    return marks(text, kind).hides(rule, line, last or line) is not None


def hits(
    text: str, used: tuple[tuple[str, int], ...] = (), kind: str = "python", skipped: str = ""
) -> list[tuple[str, str]]:
    """Give case and text of each hit about marks, once the findings named by rule and line were hidden."""
    found = marks(text, kind)
    uses = [use for rule, line in used if (use := found.hides(rule, line, line))]
    return [(hit.case or "", text[hit.span.start : hit.span.end]) for hit in found.unused(uses, lambda r: r != skipped)]


def fixed(text: str, used: tuple[tuple[str, int], ...] = (), kind: str = "python") -> str:
    """Give the text after the fixes of the hits about its marks, last first."""
    found = marks(text, kind)
    uses = [use for rule, line in used if (use := found.hides(rule, line, line))]
    for hit in reversed(found.unused(uses, lambda _: True)):
        assert hit.rule == "KG003"
        if hit.fix is None:
            continue
        assert hit.fix.safety is Safety.SAFE
        for edit in hit.fix.edits:
            text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


# What hides nothing.


@pytest.mark.parametrize(
    "text",
    [
        "x = 1  # keyguard: ignore\n",
        "x = 1  # keyguard: ignore[]\n",
        "x = 1  # keyguard: ignore[KG102]\n",
        "x = 1  # keyguard: ignore[KG101\n",
        "x = 1  # keyguard ignore[KG101]\n",
        "x = 1  # keyguard: ignore-line[KG101]\n",
        "x = '# keyguard: ignore[KG101]'\n",
        'x = "\\"# keyguard: ignore[KG101]"\n',
        'x = """# keyguard: ignore[KG101]"""\n',
        "x = f'{y}# keyguard: ignore[KG101]'\n",
        "x = 1; keyguard: ignore[KG101]\n",
        "x = 1  # noqa\n",
        "x = 1  # noqa: E501\n",
        "x = 1  # noqa: S113\n",
        "x = 1  # ruff: noqa: S105\n",
        "x = 1  # nosec B113\n",
        "x = 1  # nosec B999\n",
        "x = 1  # nosec request_without_timeout\n",
        "x = 1  # pragma: no cover\n",
        "x = 1  # pragma: allowlist nextline secret\n",
        "x = 'gitleaks:allow'\n",
        "x = 1  # type: ignore\n",
    ],
)
def test_this_does_not_hide_a_key_on_its_line(text: str) -> None:
    assert not hidden(text, 1)


def test_a_mark_inside_a_string_of_several_lines_is_text() -> None:
    text = 'x = """\n# keyguard: ignore[KG101]\n"""\ny = 1\n'
    assert not any(hidden(text, line) for line in range(1, 5))
    assert hits(text) == []


def test_a_mark_beside_code_does_not_reach_the_next_line() -> None:
    assert not hidden("x = 1  # keyguard: ignore[KG101]\ny = 2\n", 2)


def test_a_mark_does_not_reach_over_a_blank_line() -> None:
    assert not hidden("# keyguard: ignore[KG101]\n\nx = 1\n", 3)


def test_a_mark_below_or_between_does_not_count() -> None:
    assert not hidden("x = 1\n# keyguard: ignore[KG101]\n", 1)
    assert not hidden("x = [\n  1,  # keyguard: ignore[KG101]\n]\n", 1, last=3)


def test_a_mark_of_another_tool_alone_on_its_line_does_not_reach_the_next() -> None:
    assert not hidden("# gitleaks:allow\nx = 1\n", 2)
    assert not hidden("# nosec\nx = 1\n", 2)


def test_code_before_a_nextline_pragma_makes_it_nothing() -> None:
    assert not hidden("x = 1  # pragma: allowlist nextline secret\ny = 2\n", 2)


def test_other_tools_marks_hide_only_what_they_mean() -> None:
    assert not hidden("x = 1  # gitleaks:allow\n", 1, "KG301")
    assert not hidden("x = 1  # nosec\n", 1, "KG106")
    assert not hidden("x = 1  # noqa: S105\n", 1, "KG301")


@pytest.mark.parametrize("kind", ["csv", "lock", "notebook"])
def test_a_file_that_has_no_comments_has_no_marks(kind: str) -> None:
    assert not hidden("a # keyguard: ignore[KG106]\n", 1, "KG106", kind)


def test_the_output_of_a_notebook_has_no_marks() -> None:
    assert marks("x  # keyguard: ignore[KG106]\n", "text", cell=1, part="output").hides("KG106", 1, 1) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"a": "// keyguard: ignore[KG106]"}\n', "json"),
        ("url: https://host/#keyguard: ignore[KG106]\n", "yaml"),
        ("a = 'x # keyguard: ignore[KG106]'\n", "yaml"),
        ("const a = `// keyguard: ignore[KG106]`\n", "javascript"),
        ("const a = 'it\\'s // keyguard: ignore[KG106]'\n", "javascript"),
        ("<p>keyguard: ignore[KG106]</p>\n", "html"),
        ("keyguard: ignore[KG106]\n", "markdown"),
        ("a: keyguard: ignore[KG106]\n", "yaml"),
        ("REMARK keyguard: ignore[KG106]\n", "batch"),
    ],
)
def test_what_is_no_comment_in_its_kind_hides_nothing(text: str, kind: str) -> None:
    assert not hidden(text, 1, "KG106", kind)


# What hides.


@pytest.mark.parametrize(
    "text",
    [
        "x = 1  # keyguard: ignore[KG101] reason\n",
        "x = 1  #keyguard:ignore[KG101]\n",
        "x = 1  # keyguard: ignore[kg102, KG101]\n",
        "x = 1  # keyguard: ignore[hardcoded-key]\n",
        "x = 1  # keyguard: ignore[KG1]\n",
        "x = 1  # keyguard: ignore[ALL] a dummy\n",
        "x = 1  # noqa: E501  # keyguard: ignore[KG101]\n",
        "x = '#'  # keyguard: ignore[KG101]\n",
        "x = 'it\\'s'  # keyguard: ignore[KG101]\n",
        "x = b'a' r'\\' '#'  # keyguard: ignore[KG101]\n",
        "x = ''  # keyguard: ignore[KG101]\n",
        "x = 1  # keyguard: ignore[KG101]",
        "x = 1  # pragma: allowlist secret\n",
        "x = 1  # pragma: whitelist secret\n",
        "x = 1  # gitleaks:allow\n",
        "x = 1  # betterleaks:allow\n",
        "x = 1  # trufflehog:ignore\n",
        "x = 1  # kingfisher:ignore\n",
        "x = 1  # nosec\n",
        "x = 1  # nosec because it is a dummy\n",
        "x = 1  # nosec B105\n",
        "x = 1  # nosec: B113, B106\n",
        "x = 1  # nosec hardcoded_password_string\n",
        "x = 1  # noqa: S105\n",
        "x = 1  # NOQA:E501,S106\n",
        "x = 1  # noqa: E501 KG101\n",
        "x = (  # syntax error, keyguard: ignore[KG101]\n",
    ],
)
def test_this_hides_a_key_on_its_line(text: str) -> None:
    assert hidden(text, 1)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_mark_alone_on_a_line_hides_the_line_below(ending: str) -> None:
    text = "a = 0\n# keyguard: ignore[KG101] reason\nx = 1\ny = 2\n".replace("\n", ending)
    assert [line for line in range(1, 5) if hidden(text, line)] == [2, 3]


def test_comments_between_a_mark_and_its_line_are_stepped_over() -> None:
    text = "    # keyguard: ignore[KG101] reason\n    # noqa: X\n    # more words\n    x = 1\n"
    assert [line for line in range(1, 6) if hidden(text, line)] == [1, 2, 3, 4]


def test_of_several_marks_above_a_line_each_hides_its_rule() -> None:
    text = "# keyguard: ignore[KG101]\n# keyguard: ignore[KG102]\nx = 1\n"
    assert hidden(text, 3, "KG101")
    assert hidden(text, 3, "KG102")
    assert not hidden(text, 1, "KG102")


def test_the_first_and_the_last_line_of_a_finding_count() -> None:
    assert hidden("x = [  # keyguard: ignore[KG101]\n  1,\n]\n", 1, last=3)
    assert hidden("x = [\n  1,\n]  # keyguard: ignore[KG101]\n", 1, last=3)


def test_a_finding_in_a_docstring_is_hidden_where_the_docstring_closes() -> None:
    text = 'def f():\n    """One.\n\n    key\n    """  # keyguard: ignore[KG105] a dummy\n'
    assert hidden(text, 4, "KG105")
    assert not hidden(text, 1, "KG105")


def test_a_finding_in_a_docstring_is_hidden_by_a_mark_above_it() -> None:
    text = "def f():\n    # keyguard: ignore[KG105] a dummy\n    '''One.\n\n    key\n    '''\n"
    assert hidden(text, 5, "KG105")


def test_a_nextline_pragma_hides_the_next_line_only() -> None:
    text = "# pragma: allowlist nextline secret\nx = 1\ny = 2\n"
    assert [line for line in range(1, 4) if hidden(text, line)] == [2]


def test_other_tools_marks_hide_what_they_mean() -> None:
    assert hidden("x = 1  # noqa: S113\n", 1, "KG301")
    assert hidden("x = 1  # nosec B501\n", 1, "KG502")
    assert hidden("x = 1  # nosec\n", 1, "KG502")
    assert hidden("x = 1  # gitleaks:allow\n", 1, "KG108")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("KEY=x # keyguard: ignore[KG106]\n", "env"),
        ("key: 'x' # keyguard: ignore[KG106]\n", "yaml"),
        ("key: it's # keyguard: ignore[KG106]\n", "yaml"),
        ("key = 'x'# keyguard: ignore[KG106]\n", "toml"),
        ("key = x ; keyguard: ignore[KG106]\n", "ini"),
        ("const a = 'x' // keyguard: ignore[KG106]\n", "javascript"),
        ("fetch('https://x') /* keyguard: ignore[KG106] why */\n", "javascript"),
        ("x <!-- keyguard: ignore[KG106] -->\n", "markdown"),
        ("don't <!-- keyguard: ignore[KG106] -->\n", "html"),
        ("key = 'x' -- keyguard: ignore[KG106]\n", "sql"),
        ("x: 1 // keyguard: ignore[KG106]\n", "json"),
        ("set A=x & REM keyguard: ignore[KG106]\n", "batch"),
        ("anything # keyguard: ignore[KG106]\n", "text"),
        ("$a = 1 <# keyguard: ignore[KG106] #>\n", "powershell"),
    ],
)
def test_every_kind_of_file_has_its_own_comments(text: str, kind: str) -> None:
    assert hidden(text, 1, "KG106", kind)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (":: keyguard: ignore[KG106]\nset A=x\n", "batch"),
        ("rem keyguard: ignore[KG106]\nset A=x\n", "batch"),
        ("<!-- keyguard: ignore[KG106] -->\nx\n", "markdown"),
        ("/* keyguard: ignore[KG106] */\nx\n", "css"),
        (".. keyguard: ignore[KG106]\nx\n", "rst"),
    ],
)
def test_a_mark_alone_reaches_the_next_line_in_every_kind(text: str, kind: str) -> None:
    assert hidden(text, 2, "KG106", kind)


def test_a_mark_in_a_block_comment_reaches_the_line_below_the_block() -> None:
    text = "/*\n * keyguard: ignore[KG106] reason\n */\nconst a = 1\nconst b = 2\n"
    assert [line for line in range(1, 6) if hidden(text, line, "KG106", "javascript")] == [2, 3, 4]


def test_a_mark_in_a_very_long_block_comment_reaches_no_further_than_its_line() -> None:
    text = "/*\nkeyguard: ignore[KG106]\n" + "x\n" * 30 + "*/\nconst a = 1\n"
    assert [line for line in range(1, 36) if hidden(text, line, "KG106", "javascript")] == [2]


def test_ignore_file_near_the_top_hides_the_whole_file() -> None:
    text = '"""Doc."""\n# keyguard: ignore-file[KG101] dummies\n' + "x = 1\n" * 50
    assert hidden(text, 40)
    assert not hidden(text, 40, "KG102")


def test_ignore_file_counts_below_a_long_licence() -> None:
    text = "# licence\n" * 30 + "# keyguard: ignore-file[KG101] dummies\nx = 1\n"
    assert hidden(text, 32)


def test_ignore_file_after_code_and_ten_lines_hides_nothing() -> None:
    text = "x = 1\n" * 10 + "# keyguard: ignore-file[KG101] dummies\nx = 1\n"
    assert not hidden(text, 12)
    assert hits(text) == [("misplaced", "keyguard: ignore-file[KG101]")]


def test_a_window_into_a_large_file_has_its_own_lines_and_the_first_windows_file_marks() -> None:
    first = marks("# keyguard: ignore-file[KG106] data\n", "text")
    window = source("a\nb # keyguard: ignore[KG108]\n", "text", first_line=1000)
    found = Suppressions(window, VOCABULARY, first.file_marks)
    assert found.hides("KG106", 1000, 1000)
    assert found.hides("KG108", 1001, 1001)
    assert not found.hides("KG108", 1000, 1000)


def test_the_reason_is_kept() -> None:
    found = marks("x = 1  # noqa: X  # keyguard: ignore[KG101] see #12, revoked  # more\n").hides("KG101", 1, 1)
    assert found is not None
    assert found.mark.reason == "see #12, revoked"


# Useless marks.


def test_a_mark_that_hid_something_is_not_told() -> None:
    assert hits("x = 1  # keyguard: ignore[KG101]\n", (("KG101", 1),)) == []


def test_a_mark_beside_another_tools_mark_counts_as_used() -> None:
    assert hits("x = 1  # gitleaks:allow  # keyguard: ignore[KG101]\n", (("KG101", 1),)) == []


@pytest.mark.parametrize(
    "text",
    [
        "x = 1  # noqa: KG101\n",
        "x = 1  # nosec\n",
        "x = 1  # pragma: allowlist secret\n",
        "# keyguard: the tool that checks this\n",
        "# see keyguard: https://keyguard\n",
        "x = 'keyguard: ignore[KG101]'\n",
    ],
)
def test_what_is_no_mark_of_ours_is_never_told(text: str) -> None:
    assert hits(text) == []


def test_a_rule_that_did_not_run_is_not_judged() -> None:
    assert hits("x = 1  # keyguard: ignore[KG101]\n", skipped="KG101") == []
    assert hits("x = 1  # keyguard: ignore[KG1]\n", skipped="KG102") == []
    assert hits("x = 1  # keyguard: ignore[KG1]\n", skipped="KG301") == [("comment", "keyguard: ignore[KG1]")]


def test_a_mark_for_the_whole_file_is_judged_by_all_its_parts() -> None:
    first = marks("# keyguard: ignore-file[KG101, KG102]\n")
    second = Suppressions(source("x = 1\n"), VOCABULARY, first.file_marks)
    use = second.hides("KG101", 1, 1)
    assert use is not None
    assert first.unused((), lambda _: True, whole=False) == ()
    found = [hit.values["name"] for _, hit in unused_marks([(first, []), (second, [use])], lambda _: True)]
    assert found == ["KG102"]


def test_examples_on_a_page_are_not_told() -> None:
    text = "```python\nx = 1  # keyguard: ignore[KG101]\n```\n"
    assert hits(text, kind="markdown") == []
    assert hits("<!-- keyguard: ignore[KG106] -->\n", kind="markdown") == [("comment", "keyguard: ignore[KG106]")]


def test_a_mark_that_hid_nothing_is_told() -> None:
    assert hits("x = 1  # keyguard: ignore[KG101] reason\n") == [("comment", "keyguard: ignore[KG101]")]


def test_of_several_rules_only_the_useless_one_is_told() -> None:
    text = "x = 1  # keyguard: ignore[KG101, hardcoded-key, KG106]\n"
    assert hits(text, (("KG101", 1),)) == [("comment", "hardcoded-key")]


@pytest.mark.parametrize(
    ("text", "case", "shown"),
    [
        ("x = 1  # keyguard: ignore because\n", "no-rule", "keyguard: ignore"),
        ("x = 1  # keyguard: ignore[ ]\n", "no-rule", "keyguard: ignore[ ]"),
        ("x = 1  # keyguard: ignore[KG101\n", "malformed", "keyguard: ignore[KG101"),
        ("x = 1  # keyguard: disable\n", "malformed", "keyguard: disable"),
        ("x = 1  # keyguard: ignored[KG101]\n", "malformed", "keyguard: ignored[KG101]"),
        ("x = 1  # keyguard: ignore[hardcoded-keys]\n", "misspelt-rule", "hardcoded-keys"),
        ("x = 1  # keyguard: ignore[E501]\n", "unknown-rule", "E501"),
    ],
)
def test_a_mark_that_cannot_hide_says_why(text: str, case: str, shown: str) -> None:
    assert hits(text) == [(case, shown)]


def test_an_unknown_rule_is_told_the_closest_one() -> None:
    (hit,) = marks("x = 1  # keyguard: ignore[key-as-defualt]\n").unused((), lambda _: True)
    assert dict(hit.values) == {"name": '"key-as-defualt"', "closest": "key-as-default"}
    assert hit.fix is None


@pytest.mark.parametrize("mark", ["ignore[{}]", "ignore[{}", "ignored[{}]", "disable[{}"])
def test_no_hit_repeats_a_key_that_stands_in_a_mark(mark: str) -> None:
    key = "sk-" + "aB3x" * 12
    found = marks(f"x = 1  # keyguard: {mark.format(key)}\n").unused((), lambda _: True)
    assert [word for hit in found for word in hit.values.values() if key in word] == []
    assert found


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("x = 1  # keyguard: ignore[KG101] reason\ny = 2\n", "x = 1\ny = 2\n", "python"),
        ("x = 1\t# keyguard: ignore[KG101]", "x = 1", "python"),
        ("a = 1\n  # keyguard: ignore[KG101] why  \nx = 1\n", "a = 1\nx = 1\n", "python"),
        ("# keyguard: ignore[KG101] why\r\nx = 1\r\n", "x = 1\r\n", "python"),
        ("x = 1  # noqa: X  # keyguard: ignore[KG101] why\n", "x = 1  # noqa: X\n", "python"),
        ("x = 1  # keyguard: ignore[KG101] why #2  # noqa: X\n", "x = 1  # noqa: X\n", "python"),
        ("x = 1  # noqa: X  # keyguard: ignore[KG101] why  # nosec\n", "x = 1  # noqa: X  # nosec\n", "python"),
        ("x = 1  # a word, keyguard: ignore[KG101] why\n", "x = 1  # a word,\n", "python"),
        ("# keyguard: ignore-file[KG101] why\nx = 1\n", "x = 1\n", "python"),
        ("a // keyguard: ignore[KG106]\n", "a\n", "javascript"),
        ("a /* keyguard: ignore[KG106] */ + b\n", "a + b\n", "javascript"),
        ("<!-- keyguard: ignore[KG106] x -->\ntext\n", "text\n", "markdown"),
        ("REM keyguard: ignore[KG106]\nset A=1\n", "set A=1\n", "batch"),
        ("/* words keyguard: ignore[KG106] */\n", "/* words keyguard: ignore[KG106] */\n", "javascript"),
    ],
)
def test_removing_a_useless_mark_leaves_the_rest_as_it_is(before: str, after: str, kind: str) -> None:
    assert fixed(before, kind=kind) == after


def test_removing_one_useless_rule_keeps_the_others_and_the_reason() -> None:
    text = "x = 1  # keyguard: ignore[KG102, KG101,KG106] why\n"
    assert fixed(text, (("KG101", 1),)) == "x = 1  # keyguard: ignore[KG101] why\n"


def test_without_our_word_there_is_nothing_to_tell() -> None:
    assert not has_own_marks("x = 1  # noqa: S105\n")
    assert has_own_marks("x = 1  # keyguard: ignore[KG101]\n")


# Any text.

TEXTS = st.lists(
    st.sampled_from(
        [
            *"\"'`#/*-;\\ \n\r\t%",
            '"""',
            "//",
            "/*",
            "*/",
            "<!--",
            "-->",
            "keyguard: ignore[",
            "keyguard: ignore[KG101]",
            "keyguard: ignore-file[KG1]",
            "# pragma: allowlist nextline secret",
            "nosec",
            "noqa: S105",
            "KG101",
            "]",
            "x = 1",
            "é中",
            "\ud800",
        ],
    ),
    max_size=25,
).map("".join)
KINDS = st.sampled_from(
    ["python", "javascript", "yaml", "markdown", "html", "batch", "rst", "toml", "sql", "text", "json"]
)


@settings(deadline=None, max_examples=400)
@given(TEXTS, KINDS)
def test_any_text_is_read_and_every_span_lies_in_it(text: str, kind: str) -> None:
    found = marks(text, kind)
    lines = found.source.line_count
    uses = [use for line in range(1, lines + 1) if (use := found.hides("KG101", line, line))]
    for hit in found.unused(uses, lambda _: True):
        assert 0 <= hit.span.start < hit.span.end <= len(text)
        for edit in hit.fix.edits if hit.fix else ():
            assert 0 <= edit.span.start < edit.span.end <= len(text)
    assert all(text[mark.span.start : mark.span.end].strip() for mark in found.marks)


@settings(deadline=None, max_examples=400)
@given(TEXTS, KINDS)
def test_what_was_hidden_stays_hidden_when_useless_marks_are_removed(text: str, kind: str) -> None:
    found = marks(text, kind)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    targets = [number for number, line in enumerate(lines, start=1) if line.strip().startswith("x = 1")]
    uses = {line: found.hides("KG101", line, line) for line in targets}
    hits_found = found.unused([use for use in uses.values() if use], lambda _: True)
    edits = sorted((edit for hit in hits_found if hit.fix for edit in hit.fix.edits), key=lambda edit: edit.span)
    result: list[str] = []
    place = 0
    for edit in edits:
        if edit.span.start < place:
            continue
        result += (text[place : edit.span.start], edit.text)
        place = edit.span.end
    after = "".join([*result, text[place:]])
    kept = marks(after, kind)
    still = sum(kept.hides("KG101", line, line) is not None for line in range(1, kept.source.line_count + 1))
    assert still >= bool([use for use in uses.values() if use and use.mark.own])


@pytest.mark.parametrize(
    "piece", ["'", '"', '"""', '\\"', "/*", "# keyguard: ignore[", "# keyguard: ignore[KG101]\n", "\\", "`"]
)
@pytest.mark.parametrize("kind", ["python", "javascript"])
def test_a_long_repetition_is_read_in_one_pass(piece: str, kind: str) -> None:
    found = marks(piece * 40_000 + "# noqa: S105", kind)
    assert found.unused((), lambda _: False) is not None


def test_comments_are_those_of_pythons_own_tokenizer() -> None:
    folder = Path(sysconfig.get_path("stdlib"))
    for path in sorted(folder.glob("[a-e]*.py"))[:40]:
        text = decode(path.name, path.read_bytes()).text
        lines = io.StringIO(text).readline
        expected = [token.string for token in tokenize.generate_tokens(lines) if token.type == tokenize.COMMENT]
        assert [text[span.start : span.end] for span in _comments(text, "python", [])] == expected, path.name


def test_what_hides_says_which_selector_did() -> None:
    found = marks("x = 1  # keyguard: ignore[KG1, KG101]\n").hides("KG101", 1, 1)
    assert isinstance(found, Hidden)
    assert found.selector == "KG101"
