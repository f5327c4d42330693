"""KG105: keys in comments and docstrings are found at the key itself."""

from __future__ import annotations

import pytest

from tests.keys import make
from tests.python.made import said, short


@pytest.mark.parametrize(
    "text",
    [
        "# export OPENAI_API_KEY=your-api-key-here\n",
        "# keys look like sk-proj-… or sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
        "# see <sha1> and <uuid>\n",
        "# was <openai-key|masked>\n",
        '"""Use sk-... here."""\n',
        "def f():\n    '''Model gpt-4o-mini-2024-07-18, see https://example.com/a/b/c?d=e.'''\n",
        "x = 1  # 请填入 sk-你的API密钥\n",
        "# " + "=" * 200 + "\n",
    ],
)
def test_comments_without_a_key_stay_quiet(text: str) -> None:
    assert short(text) == []


@pytest.mark.parametrize(
    ("text", "line", "case"),
    [
        ("# <openai-key>\n", 1, "comment"),
        ("x = 1  # old: <openai-key>", 1, "comment"),
        ("#!/usr/bin/env python\n#\n# api_key = '<openai-key>'\n", 3, "comment"),
        ("def f():\n    x = 1\n    # OpenAI(api_key='<openai-key>')\n", 3, "comment"),
        ('"""Run with <openai-key>"""\n', 1, "docstring"),
        ("def f():\n    '''Doc.\n\n    key: <openai-key>\n    '''\n", 4, "docstring"),
        ("class C:\n    r'''<openai-key>'''\n", 2, "docstring"),
        ("x = 1\n'''\nOpenAI(api_key=\"<openai-key>\")\n'''\n", 3, "docstring"),
    ],
)
def test_a_key_in_a_comment_or_docstring_is_found_at_the_key(text: str, line: int, case: str) -> None:
    found = said(text)
    assert [one.short for one in found] == [("KG105", line, case)]
    assert found[0].text == make("openai")


def test_the_lines_of_a_commented_call_are_read_together() -> None:
    text = "# client = OpenAI(\n#     base_url='https://api.deepseek.com',\n#     api_key='<deepseek-key>')\n"
    (found,) = said(text)
    assert found.short == ("KG105", 3, "comment")
    assert found.hit.secret is not None
    assert found.hit.secret.provider == "deepseek"


def test_a_hash_in_a_string_is_no_comment() -> None:
    assert short("x = '# <openai-key>'\n") == [("KG101", 1, "literal")]
