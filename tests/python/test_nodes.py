"""LibCST as keyguard loads it, in a process that had not imported it: lighter, and the same to whoever uses it."""

from __future__ import annotations

import subprocess
import sys

import pytest


def _said(code: str) -> str:
    program = f"from keyguard.python.nodes import libcst\ncst = libcst()\n{code}"
    run = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_a_node_is_where_it_is_elsewhere() -> None:
    code = (
        "from keyguard.python.module import parse\nfrom keyguard.source import SourceFile\n"
        "found = parse(SourceFile('a.py', 'x = [\\n  f(1),  # one\\n  f(1)]\\n', kind='python'))\n"
        "inner = found.tree.body[0].body[0].value.elements[1].value\nspan = found.span(inner)\n"
        "print(span.start, span.end)"
    )
    assert _said(code) == "23 27"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print(cst.native.parse_module('x = f(1)  # one\\n', encoding='utf-8').code, end='')", "x = f(1)  # one"),
        ("print(cst.parse_module('x=1').code)", "x=1"),
        ("print(cst.Module([]).code_for_node(cst.Call(cst.Name('f'), [cst.Arg(cst.Name('a'))])))", "f(a)"),
        ("print(cst.SimpleWhitespace(' ').value == cst.SimpleWhitespace(value=' ').value)", "True"),
        ("import libcst.matchers as m\nprint(m.matches(cst.Name('a'), m.Name('a')))", "True"),
        ("import libcst.metadata as m\nprint(m.MetadataWrapper is cst.MetadataWrapper)", "True"),
        ("import libcst.metadata as m\nm.MetadataWrapper(cst.Module([])).resolve(m.PositionProvider)", ""),
        (
            "class Own(cst.Name):\n  def __init__(self):\n    super().__init__('b')\nprint(Own().value)",
            "b",
        ),
        ("print(cst.ensure_type(cst.Name('a'), cst.Name).value)", "a"),
        ("from libcst._types import StrPath\nprint(StrPath.__args__[1].__name__)", "PurePath"),
        ("print(cst.FlattenSentinel[cst.Name]([cst.Name('a')])[0].value)", "a"),
    ],
)
def test_it_does_what_it_does_elsewhere(code: str, said: str) -> None:
    assert _said(code) == said


def test_what_it_does_not_have_it_does_not_have() -> None:
    assert _said("print(hasattr(cst, 'nothing'))") == "False"


def test_what_nobody_asked_for_is_not_loaded() -> None:
    code = "import sys\nprint([name for name in sys.modules if name.startswith('libcst.metadata')])"
    assert _said(code) == "[]"
