"""Findings in notebooks: each place they name is one in the cell that it lies in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.keys import fill
from tests.runs import Tree

if TYPE_CHECKING:
    from pathlib import Path

CELLS = (
    "from google import genai\n\nclient = genai.Client(http_options={'timeout': 60_000})",
    "# what we ask\nquestion = 'Why?'",
    "answer = client.models.generate_content(model='gemini-3-pro', contents=question)",
)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A folder with one notebook."""
    found = Tree(tmp_path / "project")
    cells = [
        {
            "cell_type": "code",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": text.splitlines(keepends=True),
        }
        for text in CELLS
    ]
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    found.write("note.ipynb", json.dumps(document, indent=1))
    return found


def report(tree: Tree, form: str) -> Any:  # noqa: ANN401  # JSON
    """What KG401 says in a format of JSON."""
    done = tree.run("check", "--select", "KG401", "--min-severity", "low", "--output-format", form)
    return json.loads(done.out)


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("ending", ["", "\n", ";", "  # mine"])
def test_a_cell_whose_only_statement_goes_is_left_empty(tree: Tree, number: int, ending: str) -> None:
    cells = [
        {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": [text]}
        for text in ("import os", "print(1)", "print(2)")
    ]
    cells[number]["source"] = [fill(f'import os\nos.environ["OPENAI_API_KEY"] = "<openai-key>"{ending}')]
    tree.write("note.ipynb", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    done = tree.run("fix", "--select", "KG1")
    assert done.code == 1, done.err
    after = ["".join(cell["source"]) for cell in json.loads((tree.root / "note.ipynb").read_text("utf-8"))["cells"]]
    assert fill("<openai-key>") not in "".join(after)
    assert after[number].splitlines()[0] == "import os"
    assert tree.run("fix", "--select", "KG1").code == 0


def test_a_cell_that_becomes_empty_stays(tree: Tree) -> None:
    cells = [
        {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": [text]}
        for text in ("import os", fill('os.environ["OPENAI_API_KEY"] = "<openai-key>"\n'), "print(2)")
    ]
    tree.write("note.ipynb", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    assert tree.run("fix", "--select", "KG1").code == 1
    after = json.loads((tree.root / "note.ipynb").read_text("utf-8"))["cells"]
    assert ["".join(cell["source"]) for cell in after] == ["import os", "", "print(2)"]


def test_a_related_place_names_its_own_cell(tree: Tree) -> None:
    [found] = report(tree, "json")["findings"]
    assert (found["cell"], found["line"], found["severity"]) == (1, 3, "low")
    assert (
        found["message"] == "Client sends each request once: one 429, one 503 or one dropped connection ends the call"
    )
    assert found["related"] == [
        {
            "path": "note.ipynb",
            "cell": 3,
            "line": 1,
            "column": 10,
            "end_line": 1,
            "end_column": 81,
            "message": "this call is sent once",
        }
    ]


def test_a_related_place_is_read_in_the_text_report(tree: Tree) -> None:
    done = tree.run("check", "--select", "KG401", "--min-severity", "low")
    assert "  see: note.ipynb:cell 3:1:10 this call is sent once\n" in done.out
    assert "  remedy: Turn its retries on: " in done.out


def test_a_related_place_of_sarif_counts_no_lines_of_the_file(tree: Tree) -> None:
    [found] = report(tree, "sarif")["runs"][0]["results"]
    [place] = found["relatedLocations"]
    assert place["physicalLocation"]["region"] == {"startLine": 1}
    assert place["message"]["text"] == "cell 3, line 1: this call is sent once"
