"""Fixes of moved keys as the engine gives them: in a cell's own offsets, and without the keys unless a fix asks."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from keyguard.model import Fix, Hit, Move, Safety, Secret, Span
from keyguard.moving import with_fixes
from keyguard.naming import Naming
from tests.fixes import apply
from tests.keys import fill, make
from tests.moving.made import moved, style
from tests.python.made import facts, loaded, said, source
from tests.runs import Tree

if TYPE_CHECKING:
    from pathlib import Path

from keyguard.findings import Speaker


def fixes(tree: Tree, *argv: str) -> list[dict[str, Any]]:
    """The findings about keys, with their fixes."""
    return [found for found in tree.check(*argv).findings if found["rule"] in {"KG101", "KG102", "KG103", "KG105"}]


def notebook(*cells: str) -> str:
    made = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": cell} for cell in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "project")


def test_a_check_shows_the_edits_and_no_key(tree: Tree) -> None:
    path = tree.write("app.py", 'key = "<openai-key>"\n')
    (found,) = fixes(tree)
    assert found["fix"]["safety"] == "safe"
    assert found["fix"]["title"] == "read OPENAI_API_KEY from the environment"
    edits = [((edit["start"], edit["end"]), edit["text"]) for edit in found["fix"]["edits"]]
    text = path.read_text(encoding="utf-8")
    after = apply(text, [edit_of(*edit) for edit in edits])
    assert after == 'import os\n\nkey = os.environ["OPENAI_API_KEY"]\n'
    assert make("openai") not in json.dumps(found)


def edit_of(span: tuple[int, int], text: str) -> Any:  # noqa: ANN401  # an edit
    from keyguard.model import Edit  # noqa: PLC0415  # one use

    return Edit(Span(*span), text)


def test_the_import_stands_in_the_cell_of_the_key(tree: Tree) -> None:
    tree.write(
        "a.ipynb", fill(notebook("import sys\n", '%pip install x\nkey = "<openai-key>"\n', "print(key)")).encode()
    )
    (found,) = fixes(tree)
    edits = [edit_of((edit["start"], edit["end"]), edit["text"]) for edit in found["fix"]["edits"]]
    assert found["cell"] == 2
    after = apply(fill('%pip install x\nkey = "<openai-key>"\n'), edits)
    assert after == '%pip install x\nimport os\n\nkey = os.environ["OPENAI_API_KEY"]\n'


def test_a_key_of_a_magic_is_only_shown(tree: Tree) -> None:
    tree.write("a.ipynb", fill(notebook("%env OPENAI_API_KEY=<openai-key>\nx = 1\n")).encode())
    found = [one for one in fixes(tree) if one["fix"] is not None]
    assert [(one["fix"]["safety"], one["fix"]["edits"]) for one in found] == [("shown", [])]


def test_pieces_in_two_cells_are_only_shown(tree: Tree) -> None:
    cells = notebook("a = '<openai-key|head>'\n", "key = a + '<openai-key|tail>'\n")
    tree.write("a.ipynb", fill(cells).encode())
    assert all(one["fix"] is None or not one["fix"]["edits"] for one in fixes(tree))


def test_settings_choose_style_and_names(tree: Tree) -> None:
    tree.write("keyguard.toml", 'code-style = "getenv"\n\n[env]\n"api.acme.io" = "CORP_LLM_KEY"\n')
    tree.write(
        "app.py", 'from openai import OpenAI\nOpenAI(base_url="https://api.acme.io/v1", api_key="<openai-key>")\n'
    )
    (found,) = fixes(tree)
    assert 'os.getenv("CORP_LLM_KEY")' in [edit["text"] for edit in found["fix"]["edits"]]
    assert "CORP_LLM_KEY" in found["message"] + tree.run("check").out


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('code-style = "getnev"', 'did you mean "getenv"?'),
        ("code-style = 1", "not a number"),
        ('env = "X"', "expected a table"),
        ('[env]\n"api acme" = "X"', "is no host"),
        ('[env]\n"api.acme.io" = "my-key"', "capitals, digits and _"),
    ],
)
def test_a_wrong_setting_is_told(tree: Tree, line: str, told: str) -> None:
    tree.write("keyguard.toml", line + "\n")
    tree.write("app.py", "x = 1\n")
    done = tree.run("check")
    assert done.code == 2
    assert told in done.out + done.err


def test_a_finding_leaves_the_keys_of_its_fix_behind() -> None:
    move = Move("X", Secret(make("openai")))
    hit = Hit("KG101", Span(0, 3), secret=move.secret, fix=Fix("move.name-it", Safety.SAFE, (), (move,)))
    text = source("abc\n")
    finding = Speaker(loaded()).finding(hit, text, "app.py", {})
    assert finding.fix is not None
    assert finding.fix.moves == ()
    assert make("openai").encode() not in pickle.dumps(finding)
    kept = Speaker(loaded(), keeps_moves=True).finding(hit, text, "app.py", {})
    assert kept.fix is not None
    assert kept.fix.moves == (move,)


def test_names_follow_the_text_whatever_the_order_of_the_hits() -> None:
    found = facts('a = "<openai-key>"\nb = "<openai-key-2>"\n')
    hits = [one.hit for one in said('a = "<openai-key>"\nb = "<openai-key-2>"\n')]
    for ordered in (hits, hits[::-1]):
        fixed = with_fixes(found, ordered, Naming(loaded()), style())
        assert [hit.span for hit in fixed] == [hit.span for hit in ordered]
        names = {hit.span.start: hit.values["env"] for hit in fixed}
        assert [names[start] for start in sorted(names)] == ["OPENAI_API_KEY", "OPENAI_API_KEY_2"]


def test_one_ledger_names_the_keys_of_all_files() -> None:
    naming = Naming(loaded())
    chosen = style()
    names = []
    for text in ('k = "<openai-key>"\n', 'k = "<openai-key-2>"\n', 'k = "<openai-key>"\n'):
        hits = [one.hit for one in said(text)]
        names += [hit.values["env"] for hit in with_fixes(facts(text), hits, naming, chosen)]
    assert names == ["OPENAI_API_KEY", "OPENAI_API_KEY_2", "OPENAI_API_KEY"]


def test_what_is_no_key_of_the_code_keeps_its_hit() -> None:
    found = facts("x = 1\n")
    hit = Hit("KG104", Span(0, 1))
    assert with_fixes(found, [hit], Naming(loaded()), style()) == [hit]


def test_a_key_that_is_often_public_is_moved_only_on_demand() -> None:
    fixed = moved("firebase = {'apiKey': '<gemini-aiza-key>'}\n")
    assert fixed.safety == "unsafe"
    assert "os.environ" in fixed.text


def test_a_docstring_is_redacted_only_on_demand() -> None:
    fixed = moved('def f():\n    """Say <openai-key>."""\n')
    assert fixed.safety == "unsafe"
    assert fixed.text == 'def f():\n    """Say <OPENAI_API_KEY>."""\n'
    assert fixed.moves == {"OPENAI_API_KEY": make("openai")}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(
            'import os\na = os.getenv("A_KEY", "<openai-key>")\nb = os.getenv("A_KEY", "<openai-key-2>")\n',
            "the variable would hold the first",
            id="two-fallbacks-of-one-variable",
        ),
        pytest.param(
            'import os\na = os.getenv("A_KEY", "<openai-key>")\nb = os.getenv("A_KEY", "Bearer <openai-key>")\n',
            "the variable would hold the key alone",
            id="more-than-the-key",
        ),
        pytest.param(
            'import app\n\n\n@app.route("/")\ndef f(key="<openai-key>"):\n    return key\n',
            "the decorator may read the signature",
            id="decorator",
        ),
    ],
)
def test_what_may_change_more_is_unsafe(text: str, why: str) -> None:
    assert moved(text).safety == "unsafe", why


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param(
            'KEY = "<deepseek-key>"\nopenai_url = "https://api.deepseek.com"\n', "DEEPSEEK_API_KEY", id="near"
        ),
        pytest.param(
            'from openai import OpenAI\nKEY = "<openai-key>"\nOpenAI(api_key=KEY, base_url="https://api.poloapi.top/v1")\n',
            "POLOAPI_KEY",
            id="relay-by-variable",
        ),
        pytest.param(
            'from openai import OpenAI\nOPENAI_API_KEY = "<openai-key>"\n'
            'OpenAI(api_key=OPENAI_API_KEY, base_url="https://api.poloapi.top/v1")\n',
            "POLOAPI_KEY",
            id="relay-not-by-its-variable",
        ),
        pytest.param(
            'from langchain_openai import ChatOpenAI\nChatOpenAI(openai_api_key="<openai-key>")\n',
            "OPENAI_API_KEY",
            id="parameter",
        ),
        pytest.param('x = "<openai-key>"\ndocs = "https://wiki.acme.io/keys"\n', "OPENAI_API_KEY", id="unrelated-host"),
        pytest.param("# GROQ_TOKEN_KEY=<openai-key>\nx = 1\n", "GROQ_TOKEN_KEY", id="comment"),
        pytest.param('import os\nos.environ["MY_SPECIAL_KEY"] = "<openai-key>"\n', "MY_SPECIAL_KEY", id="written"),
        pytest.param('import os\nk = os.getenv("TEAM_KEY", "<openai-key>")\n', "TEAM_KEY", id="read"),
    ],
)
def test_a_key_gets_the_name_of_its_place(text: str, name: str) -> None:
    assert list(moved(text).moves) == [name]


@pytest.mark.parametrize(
    ("body", "after"),
    [
        pytest.param(
            '    """Doc."""\n    return token\n',
            '    """Doc."""\n    if token is None:\n        token = os.environ["OPENAI_API_KEY"]\n    return token\n',
            id="docstring",
        ),
        pytest.param(
            "    import os\n    return os.sep, token\n",
            '    if token is None:\n        token = _os.environ["OPENAI_API_KEY"]\n    import os\n'
            "    return os.sep, token\n",
            id="local-import",
        ),
        pytest.param("    ...\n", None, id="only-declared"),
    ],
)
def test_a_body_that_says_nothing_of_keys_is_looked_at_before_it_gets_a_statement(
    tree: Tree, body: str, after: str | None
) -> None:
    before = 'def ask(token="<openai-key>"):\n' + body
    path = tree.write("app.py", before)
    (found,) = fixes(tree)
    edits = [edit_of((edit["start"], edit["end"]), edit["text"]) for edit in found["fix"]["edits"]]
    text = apply(path.read_text(encoding="utf-8"), edits)
    if after is None:
        assert found["fix"]["safety"] == "shown"
        assert text == fill(before)
    else:
        assert text.endswith(f"\n\n\ndef ask(token=None):\n{after}")
