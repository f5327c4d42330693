"""Parsing: what is refused before LibCST sees it, what a failure is called, and where nodes stand."""

from __future__ import annotations

import itertools
from pathlib import Path

import libcst as cst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libcst.metadata import MetadataWrapper, PositionProvider

from keyguard.model import Span
from keyguard.python.module import Module, ParseFailure, parse, parse_parts, too_deep, walk
from keyguard.source import SourceFile
from tests.python.made import module, source


def _failure(text: str) -> ParseFailure:
    found = parse(source(text))
    assert isinstance(found, ParseFailure)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 150 + "]" * 150,
        "x = " + " + ".join(["a"] * 800),
        "x = [" + ", ".join(["a.b"] * 5_000) + "]",
        "x = {" + ", ".join(f'"k{n}": [{n}, -{n}.5]' for n in range(3_000)) + "}",
        "\n".join(f"x{n} = a.b.c + d" for n in range(2_000)),
        "if a: pass\n" + "elif b: pass\n" * 900,
        "\n".join("if a: pass\nelif b: pass" for _ in range(2_000)),
        'x = """' + "((((" * 500 + '"""',
        "# " + "[" * 1_000,
        'x = f"' + "{a.b}-" * 2_000 + '"',
    ],
    ids=[
        "150 brackets",
        "800 terms",
        "long list",
        "large table",
        "many statements",
        "900 elifs",
        "many chains",
        "brackets in text",
        "brackets in a comment",
        "long f-string",
    ],
)
def test_large_but_shallow_code_is_parsed(text: str) -> None:
    assert isinstance(parse(source(text)), Module)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1\ny = " + "(" * 250 + ")" * 250, 2),
        ("(" * 100_000, 1),
        ("x = " + " + ".join(["a"] * 3_000), 1),
        ("x = " + " ".join(['"a"'] * 5_000), 1),
        ("x = a" + ".b" * 1_500, 1),
        ("x = a" + "()" * 1_500, 1),
        ("x = " + "not " * 1_500 + "a", 1),
        ("x = " + "-" * 1_500 + "a", 1),
        ("x = " + "lambda: " * 1_500 + "a", 1),
        ("x = " + "1 if a else " * 1_500 + "2", 1),
        ("if a: pass\n" + "elif b: pass\n" * 1_500, 1_002),
        ("".join("\t" * n + "if a:\n" for n in range(150)) + "\t" * 150 + "pass\n", 102),
        ("x = f'" + "{(" * 300 + ")}" * 300 + "'", 1),
        ("import a" + ".b" * 2_000, 1),
    ],
    ids=lambda value: None if isinstance(value, int) else value[:24].strip(),
)
def test_deep_code_is_refused_at_its_line(text: str, line: int) -> None:
    found = _failure(text)
    assert (found.kind, found.line) == ("too-deep", line)


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("x = 1\ny = (\n", "syntax", 3),
        ("x = 1\n\nprint((y)))\n", "syntax", 3),
        ("x = 1\ny = 'cut\n", "syntax", 2),
        ("x = 1\nprint 'a'\n", "python2", 2),
        ("def f():\n    raise IOError, 'x'\n", "python2", 2),
        ("x = 1\nexec 'y = 2'\n", "python2", 2),
        ("x = 1\n<<<<<<< HEAD\ny = 2\n=======\ny = 3\n>>>>>>> other\n", "merge-conflict", 2),
        ("import {{ cookiecutter.name }}\n", "template", 1),
        ("{% if x %}\nx = 1\n{% endif %}\n", "template", 1),
        ("x = \0\n", "syntax", 1),
    ],
)
def test_a_failure_says_what_the_text_is(text: str, kind: str, line: int) -> None:
    found = _failure(text)
    assert (found.kind, found.line) == (kind, line)


@pytest.mark.parametrize("text", ["", "\n", "\r\n", "\ufeff", "\x0c", "#", "x = '\ud800'\n", "x=1\r\ry=2", "x = 1"])
def test_odd_texts_are_parsed(text: str) -> None:
    assert isinstance(parse(source(text)), Module)


def _expected(text: str) -> dict[str, list[Span]]:
    """The spans LibCST's own metadata gives for strings and names, by their source."""
    wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    positions = wrapper.resolve(PositionProvider)
    starts = [0, *itertools.accumulate(len(line) for line in _lines(text))]
    found: dict[str, list[Span]] = {}
    for node in walk(wrapper.module):
        if isinstance(node, (cst.BaseExpression, cst.BaseSmallStatement, cst.BaseCompoundStatement)):
            at = positions[node]
            span = Span(starts[at.start.line - 1] + at.start.column, starts[at.end.line - 1] + at.end.column)
            found.setdefault(type(node).__name__, []).append(span)
    return found


def _lines(text: str) -> list[str]:
    lines, start = [], 0
    for position, char in enumerate(text):
        if char == "\n" or (char == "\r" and not text.startswith("\n", position + 1)):
            lines.append(text[start : position + 1])
            start = position + 1
    return [*lines, text[start:]]


def _found(text: str) -> dict[str, list[Span]]:
    parsed = module(text)
    nodes = [
        node
        for node in walk(parsed.tree)
        if isinstance(node, (cst.BaseExpression, cst.BaseSmallStatement, cst.BaseCompoundStatement))
    ]
    spans = parsed.spans(nodes)
    result: dict[str, list[Span]] = {}
    for node in nodes:
        result.setdefault(type(node).__name__, []).append(spans[id(node)])
    return result


_NAMES = st.sampled_from(["a", "bc", "key"])
_TEXTS = st.sampled_from(['"x"', "'y z'", '"""t\nu"""', 'f"{a}b"', "b'q'", 'r"\\d"', '"x"'])
_ATOMS = st.one_of(_NAMES, _TEXTS, st.sampled_from(["1", "None", "...", "2.5"]))
_EXPRESSIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]} + {pair[1]}"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}\n  or  {pair[1]} # c\n )"),
        st.lists(inner, max_size=3).map(lambda items: "[" + " , ".join(items) + "]"),
        st.tuples(_NAMES, inner).map(lambda pair: f"{pair[0]}.m( {pair[1]}, k = {pair[1]} )"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} if {pair[1]} else {pair[0]})"),
        inner.map(lambda one: f"{{'k': {one}, **a}}"),
        inner.map(lambda one: f"(lambda q, r={one}: {one})"),
        inner.map(lambda one: f"[{one} for z in {one} if a]"),
    ),
    max_leaves=6,
)
_STATEMENTS = _EXPRESSIONS.flatmap(
    lambda one: st.sampled_from(
        [
            f"{one}",
            f"x = y = {one}",
            f"x: int = {one}; z = {one}",
            f"if {one}:\n    x = {one}\nelif a:\n\tpass\nelse:\n\tx = {one}",
            f"def f(a, b={one}, *, c: str = {one}) -> {one}:\n    '''doc'''\n    return {one}",
            f"class C(a, k={one}):\n\n    # comment\n    x = \\\n      {one}\n",
            f"with {one} as w:\n  for i in {one}:\n    print({one})",
            f"try:\n    x = {one}\nexcept a as e:\n    raise b({one}) from e\nfinally:\n    pass",
            f"@a.b({one})\nasync def g():\n    await {one}",
            f"match a:\n  case 1: x = {one}\n  # comment\n  case bc:\n    for i in a: y\n    else: y",
        ]
    )
)


@settings(deadline=None, max_examples=120)
@given(st.lists(_STATEMENTS, min_size=1, max_size=4), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_spans_are_those_of_libcst(statements: list[str], newline: str, final: bool) -> None:  # noqa: FBT001  # drawn
    text = ("\n".join(statements) + ("\n" if final else "")).replace("\n", newline)
    assert _found(text) == _expected(text)


@pytest.mark.parametrize("name", ["module.py", "index.py", "values.py"])
def test_spans_in_this_project_are_those_of_libcst(name: str) -> None:
    text = (Path(__file__).parents[2] / "keyguard" / "python" / name).read_text(encoding="utf-8")
    assert _found(text) == _expected(text)


@settings(deadline=None, max_examples=120)
@given(st.lists(_STATEMENTS, min_size=1, max_size=4), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_statements_begin_where_their_spans_do(statements: list[str], newline: str, final: bool) -> None:  # noqa: FBT001  # drawn
    text = ("\n".join([*statements, *statements[:1]]) + ("\n" if final else "")).replace("\n", newline)
    parsed = module(text)
    for node in walk(parsed.tree):
        if isinstance(node, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
            first = min(parsed.span(part).start for part in (node, *getattr(node, "decorators", ())))
            start = parsed.start(node)
            assert start == first if start is not None else text.startswith("elif", first)


@pytest.mark.parametrize("text", ["x = f'{a['(']}'\ndef f(): pass\n", "\\\ndef f(): pass\n"])
def test_where_lines_do_not_tell_nothing_is_said(text: str) -> None:
    parsed = module(text)
    assert [parsed.start(node) for node in parsed.tree.body] == [None] * len(parsed.tree.body)


@pytest.mark.parametrize("outer", ["def f{}():", "with a{}:", "if b{}:\n    y\nelse:"])
def test_a_node_of_a_statement_that_stands_twice_is_told_by_its_line(outer: str) -> None:
    text = "".join(f"{outer.format(number)}\n    # c\n    x = k('v')\n    x = k('v')\n" for number in range(3))
    strings = [node for node in walk(module(text).tree) if isinstance(node, cst.SimpleString)]
    places = [number for number in range(len(text)) if text.startswith("'v'", number)]
    for number in range(len(strings)):
        parsed = module(text)
        node = [node for node in walk(parsed.tree) if isinstance(node, cst.SimpleString)][number]
        assert parsed.span(node) == Span(places[number], places[number] + 3)


def test_a_form_feed_and_a_mark_do_not_shift_spans() -> None:
    text = "\ufeffa = 1\n\x0c\nclass C:\n    b = 'x'\n\x0cc = 'y'\n"
    parsed = module(text)
    strings = [node for node in walk(parsed.tree) if isinstance(node, cst.SimpleString)]
    spans = parsed.spans(strings)
    assert [text[spans[id(node)].start : spans[id(node)].end] for node in strings] == ["'x'", "'y'"]


def test_a_node_of_a_tree_too_tall_to_spell_still_has_a_place() -> None:
    text = "if a: pass\n" + "".join(f"elif b{n}: x = 'v{n % 7}'\n" for n in range(900))
    parsed = module(text)
    strings = [node for node in walk(parsed.tree) if isinstance(node, cst.SimpleString)]
    spans = parsed.spans(strings)
    assert {text[span.start : span.end] for span in spans.values()} == {f"'v{n}'" for n in range(7)}


def test_neighbouring_comments_are_one() -> None:
    text = "# a\n# b\nx = 1  # c\ny = '# d'\n"
    assert [text[span.start : span.end] for span in module(text).comments] == ["# a\n# b", "# c"]


def _cell(number: int, text: str, kind: str = "python") -> SourceFile:
    return SourceFile("book.ipynb", text, kind=kind, cell=number, part="source")


def test_cells_are_one_module_and_spans_lead_back_to_their_cell() -> None:
    cells = (_cell(1, "a = 'x'"), _cell(2, "%matplotlib inline\n!ls 'y'\nb = 'z'\n"), _cell(4, "c = 'x'"))
    parsed = parse_parts(cells)
    assert isinstance(parsed, Module)
    strings = [node for node in walk(parsed.tree) if isinstance(node, cst.SimpleString)]
    placed = [parsed.place(parsed.span(node)) for node in strings]
    assert [(where.cell, where.text[span.start : span.end]) for where, span in placed] == [
        (1, "'x'"),
        (2, "'z'"),
        (4, "'x'"),
    ]


def test_a_cell_in_another_language_is_left_out() -> None:
    parsed = parse_parts((_cell(1, "%%bash\necho (((\n", kind="shell"), _cell(2, "a = 1\n")))
    assert isinstance(parsed, Module)
    assert not parsed.stepped


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="()[]{}'\"#\\\n\rf \t=,.:ab", max_size=120))
def test_measuring_never_fails(text: str) -> None:
    assert too_deep(text) is None


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=60))
def test_parsing_any_text_gives_a_module_or_a_reason(text: str) -> None:
    found = parse(source(text))
    assert isinstance(found, Module) or (found.reason and found.line >= 1)
