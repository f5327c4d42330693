"""What a Chinese report says of what was not read: paths, files, notebooks and texts that are no Python."""

# ruff: noqa: RUF001  # full-width punctuation is what Chinese is written with

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import pytest

from keyguard.lang import LANGUAGES
from keyguard.lang.reading import ENTRIES
from tests.keys import fill
from tests.runs import Tree

if TYPE_CHECKING:
    from pathlib import Path

CLIENT = "import openai\n\nclient = openai.OpenAI()\n"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "project")


def test_both_languages_hold_the_same_texts_with_the_same_values() -> None:
    assert tuple(ENTRIES) == LANGUAGES
    assert list(ENTRIES["zh"]) == list(ENTRIES["en"])
    for name in ENTRIES["en"]:
        english, chinese = (
            {value for _, value, _, _ in string.Formatter().parse(str(ENTRIES[lang][name])) if value}
            for lang in LANGUAGES
        )
        assert chinese == english, name


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        pytest.param(
            CLIENT + "client.chat(\n",
            "this Python cannot be parsed (it ends inside a statement), so only its text was checked",
            "这段 Python 无法解析（文件在语句中间结束），只检查了文本",
            id="end",
        ),
        pytest.param(
            "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n" + CLIENT,
            "this Python cannot be parsed (a merge conflict is not resolved), so only its text was checked",
            "这段 Python 无法解析（合并冲突尚未解决），只检查了文本",
            id="conflict",
        ),
        pytest.param(
            CLIENT + "x = = 1\ny = 2\n",
            "this Python cannot be parsed (a statement is not finished or not Python 3), so only its text was checked",
            "这段 Python 无法解析（有语句不完整，或不是 Python 3），只检查了文本",
            id="statement",
        ),
        pytest.param(
            CLIENT + "x = " + "(" * 300 + "1" + ")" * 300 + "\n",
            "this Python is nested too deeply to be parsed (over 200 brackets or 1,000 links), so only its text was"
            " checked",
            "这段 Python 嵌套过深，无法解析（超过 200 层括号或 1,000 个连续环节），只检查了文本",
            id="deep",
        ),
    ],
)
def test_a_text_that_is_no_python(tree: Tree, text: str, english: str, chinese: str) -> None:
    tree.write("app.py", text)
    for lang, message in zip(LANGUAGES, (english, chinese), strict=True):
        assert [one["message"] for one in tree.check("--lang", lang).findings if one["rule"] == "KG002"] == [message]


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        pytest.param(
            '{"cells": [',
            "not a notebook, its JSON is broken at line 1: Expecting value; open it in Jupyter and save it again, or"
            " exclude it",
            "不是 notebook，其 JSON 在第 1 行有误：Expecting value；请用 Jupyter 打开并重新保存，或将它排除",
            id="broken",
        ),
        pytest.param(
            '{"key": 1}',
            "JSON, but not a notebook: it has no cells; open it in Jupyter and save it again, or exclude it",
            "是 JSON，但不是 notebook：其中没有单元格；请用 Jupyter 打开并重新保存，或将它排除",
            id="no-cells",
        ),
    ],
)
def test_a_text_that_is_no_notebook(tree: Tree, text: str, english: str, chinese: str) -> None:
    # What holds no sign of a key is not taken apart.
    tree.write(
        "a.ipynb", fill(text + ' "<openai-key>"' if text.endswith("[") else text[:-1] + ', "b": "<openai-key>"}')
    )
    found = {lang: tree.check("--lang", lang).findings for lang in LANGUAGES}
    texts = {lang: [one["message"] for one in findings if one["rule"] == "KG001"] for lang, findings in found.items()}
    if text.endswith("["):
        english, chinese = (said.replace("Expecting value", "Expecting ',' delimiter") for said in (english, chinese))
    assert texts == {"en": [f"this file could not be read: {english}"], "zh": [f"无法读取这个文件：{chinese}"]}


def test_a_path_that_is_not_there(tree: Tree) -> None:
    tree.write("app.py", "x = 1\n")
    messages = {
        lang: [notice["message"] for notice in tree.check("--lang", lang, "nowhere.py", "app.py").report["notices"]]
        for lang in LANGUAGES
    }
    assert messages == {
        "en": ["nowhere.py: no such file or folder; check the spelling"],
        "zh": ["nowhere.py：没有这个文件或文件夹；请检查拼写"],
    }


def test_words_in_the_data_of_rules_are_chinese_too(tree: Tree) -> None:
    tree.write("app.py", "import openai\n\ntry:\n    pass\nexcept openai.error.Timeout:\n    pass\n")
    english, chinese = (
        [one["remedy"] for one in tree.check("--lang", lang).findings if one["rule"] == "KG207"] for lang in LANGUAGES
    )
    assert english == ["Write openai.RateLimitError, openai.APIError and the like, or pin openai<1.0.0"]
    assert chinese == ["请改用 openai.RateLimitError、openai.APIError 等，或固定 openai<1.0.0"]


def test_a_key_in_a_url_is_to_be_sent_in_a_header(tree: Tree) -> None:
    tree.write(
        "app.py",
        "import os\nimport requests\n\n"
        'key = os.environ["GEMINI_API_KEY"]\n'
        'requests.get(f"https://generativelanguage.googleapis.com/v1beta/models?key={key}", timeout=60)\n',
    )
    english, chinese = (
        [one["fix"]["title"] for one in tree.check("--lang", lang).findings if one["rule"] == "KG103"]
        for lang in LANGUAGES
    )
    assert english == ["send the key in a header, where the service takes it there"]
    assert chinese == ["如果服务支持，把密钥放在请求头中发送"]
