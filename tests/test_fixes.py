"""Fixes as a user makes them, through the command line: comments, env files, outputs of notebooks, scripts, cells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.keys import fill
from tests.runs import Tree

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A git tree without a commit."""
    made = Tree(tmp_path / "tree")
    made.git("init", "-q")
    return made


def _fix(tree: Tree, rule: str, *more: str) -> str:
    """Fix what one rule finds and give what is left of it: rule, line and the fix's title."""
    tree.run("fix", "--isolated", "--no-cache", "--select", rule, "--min-severity", "low", *more, ".")
    left = tree.check("--isolated", "--no-cache", "--select", rule, "--min-severity", "low", ".").findings
    return ", ".join(
        f"{one['line']} {one['fix']['title'] if one['fix'] else '-'}" for one in left if one["rule"] == rule
    )


IGNORES = {
    "alone": ("# keyguard: ignore[KG101] old\nx = 1\n", "x = 1\n"),
    "behind code": ("x = 1  # keyguard: ignore[KG101] old\ny = 2\n", "x = 1\ny = 2\n"),
    "other tool's mark first": ("x = 1  # noqa: E501  # keyguard: ignore[KG101]\n", "x = 1  # noqa: E501\n"),
    "other tool's mark behind": ("x = 1  # keyguard: ignore[KG101]  # noqa: E501\n", "x = 1  # noqa: E501\n"),
    "words first": ("x = 1  # the limit # keyguard: ignore[KG101]\n", "x = 1  # the limit\n"),
    "last line": ("x = 1  # keyguard: ignore[KG101]", "x = 1"),
    "carriage returns": ("# keyguard: ignore[KG101]\r\nx = 1\r\n", "x = 1\r\n"),
    "one of two rules": (
        "k = '<openai-key>'  # keyguard: ignore[KG101, KG301] old\n",
        "k = '<openai-key>'  # keyguard: ignore[KG101] old\n",
    ),
    "the first of two": (
        "k = '<openai-key>'  # keyguard: ignore[KG301,KG101]\n",
        "k = '<openai-key>'  # keyguard: ignore[KG101]\n",
    ),
    "on an indented line": ("if 1:\n    # keyguard: ignore[KG101]\n    x = 1\n", "if 1:\n    x = 1\n"),
    "for a file": ("# keyguard: ignore-file[KG101]\nx = 1\n", "x = 1\n"),
}


@pytest.mark.parametrize(("text", "expected"), IGNORES.values(), ids=IGNORES.keys())
def test_a_useless_ignore_goes_and_what_else_the_comment_says_stays(tree: Tree, text: str, expected: str) -> None:
    path = tree.write("app.py", text)
    assert _fix(tree, "KG003,KG101,KG301") in {"", "1 -"}
    assert path.read_bytes().decode() == fill(expected)


KEPT = {
    "it hides something": "k = '<openai-key>'  # keyguard: ignore[KG101]\n",
    "no rule": "x = 1  # keyguard: ignore\n",
    "unknown rule": "x = 1  # keyguard: ignore[KG999]\n",
    "another tool's": "x = 1  # noqa: KG101\n",
    "inside a text": "x = '# keyguard: ignore[KG101]'\n",
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT.keys())
def test_a_comment_that_hides_something_or_says_too_little_stays(tree: Tree, text: str) -> None:
    path = tree.write("app.py", text)
    _fix(tree, "KG003,KG101", "--unsafe-fixes")
    assert path.read_text(encoding="utf-8") == fill(text)


def test_an_ignore_in_a_cell_goes(tree: Tree) -> None:
    cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": ["import os\n", "x = 1"]},
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": ["# keyguard: ignore[KG101]\n", "y = 2"]},
    ]
    path = tree.write("a.ipynb", json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    assert _fix(tree, "KG003,KG101") == ""
    assert ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]] == ["import os\nx = 1", "y = 2"]


@pytest.mark.parametrize("place", [".env", "deploy/.env.production"])
def test_an_env_file_that_git_would_take_is_ignored(tree: Tree, place: str) -> None:
    path = tree.write(place, "OPENAI_API_KEY=<openai-key>\n")
    assert _fix(tree, "KG107") == ""
    assert path.read_text() == fill("OPENAI_API_KEY=<openai-key>\n"), "the file itself stays as it is"
    assert tree.git("check-ignore", place) == place
    assert place in (tree.root / ".git/info/exclude").read_text()


def test_an_env_file_of_an_inner_project_is_ignored_where_it_lies(tree: Tree) -> None:
    """The settings' root and git's are two folders here."""
    tree.write("inner/pyproject.toml", "[tool.keyguard]\n")
    tree.write("inner/.env", "OPENAI_API_KEY=<openai-key>\n")
    tree.run("fix", "--no-cache", "--select", "KG107", ".", cwd=tree.root / "inner")
    assert tree.git("check-ignore", "inner/.env") == "inner/.env"


@pytest.mark.parametrize("commit", [False, True], ids=["staged", "tracked"])
def test_an_env_file_that_git_has_is_left_to_the_user(tree: Tree, commit: bool) -> None:  # noqa: FBT001  # a case
    tree.write("a b/.env", "OPENAI_API_KEY=<openai-key>\n")
    tree.git("add", "-A")
    if commit:
        tree.commit()
    assert _fix(tree, "KG107", "--unsafe-fixes") == "1 run git rm --cached 'a b/.env', then add it to .gitignore"
    assert not (tree.root / ".gitignore").exists()


def _notebook(text: str) -> str:
    output = {"name": "stdout", "output_type": "stream", "text": [text]}
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [output], "source": ["x = 1"]}
    return json.dumps({"cells": [cell, cell | {"outputs": []}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def test_an_output_with_a_key_is_cleared_only_when_unsafe_fixes_are_asked_for(tree: Tree) -> None:
    path = tree.write("a.ipynb", _notebook("<openai-key> and <anthropic-key>"))
    assert _fix(tree, "KG106") == "1 clear the outputs of this cell, 1 clear the outputs of this cell"
    assert path.read_text() == fill(_notebook("<openai-key> and <anthropic-key>"))
    assert _fix(tree, "KG106", "--unsafe-fixes") == ""
    assert [cell["outputs"] for cell in json.loads(path.read_text())["cells"]] == [[], []]


def test_a_script_checks_certificates_again(tree: Tree) -> None:
    path = tree.write("run.sh", "export OPENAI_API_KEY\nNODE_TLS_REJECT_UNAUTHORIZED='0' node app.js 0\n")
    assert _fix(tree, "KG502") == "2 check certificates: NODE_TLS_REJECT_UNAUTHORIZED=1"
    assert _fix(tree, "KG502", "--unsafe-fixes") == ""
    assert path.read_text() == "export OPENAI_API_KEY\nNODE_TLS_REJECT_UNAUTHORIZED='1' node app.js 0\n"


def _cells(*sources: str) -> str:
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": [source]} for source in sources]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, ensure_ascii=False)


def test_a_fix_in_a_notebook_counts_in_its_own_cell(tree: Tree) -> None:
    first = "!pip install openai\nimport os  # 密钥"
    second = "from openai import OpenAI\nclient = OpenAI(base_url='https://api.poloapi.top/v1/chat/completions')"
    path = tree.write("a.ipynb", _cells(first, second))
    assert _fix(tree, "KG206", "--unsafe-fixes") == ""
    fixed = ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    assert fixed == [first, second.replace("/chat/completions", "")]


def test_a_fix_that_lies_in_another_cell_than_its_finding_is_not_offered(tree: Tree) -> None:
    client = "from openai import OpenAI\nclient = OpenAI(base_url=BASE)"
    path = tree.write("a.ipynb", _cells("BASE = 'https://api.poloapi.top/v1/chat/completions'", client))
    tree.run("fix", "--isolated", "--no-cache", "--select", "KG501,KG206", "--unsafe-fixes", ".")
    fixed = ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    assert fixed[1] == client


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_encodings_and_line_ends_stay(tree: Tree, encoding: str, newline: str) -> None:
    cookie = f"# -*- coding: {encoding} -*-\n" if encoding == "gb18030" else ""
    text = (
        f"{cookie}from openai import OpenAI\nnote = '密钥'\n"
        "client = OpenAI(\n\ttimeout=60,\n\tbase_url='https://api.poloapi.top/v1',\n)\n"
    )
    path = tree.root / "app.py"
    path.write_bytes(text.replace("\n", newline).encode(encoding))
    assert _fix(tree, "KG202", "--unsafe-fixes") == ""
    expected = text.replace("from openai", "import os\n\nfrom openai", 1).replace(
        "\n)\n", '\n\tapi_key=os.environ["POLOAPI_KEY"],\n)\n'
    )
    assert path.read_bytes() == expected.replace("\n", newline).encode(encoding)
