"""The article that keyguard answers: its code, as printed there, gives just the right findings.

Today's rules are KG0 and KG1: nothing on the Chinese placeholder, nothing on the `export` of a placeholder, KG109 on
the `echo` of a script. What the rules of key and host, timeouts and retries will add comes with them: KG204 on the
Chinese placeholder with KG302 as low advice, KG403 on the sleep and KG407 on the undefined `RateLimitError`.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CHAT = """\
from openai import OpenAI
client = OpenAI(
base_url="https://api.poloapi.top/v1", # 配置为poloapi.top的API地址
api_key="你的API密钥")
response = client.chat.completions.create(
model="gemini-3-pro", # 使用Gemini-3 Pro模型
messages=[{"role": "system", "content": "你是一个编程助手"}]
)
print(response.choices[0].message.content)
"""

RETRY = """\
import time
def request_with_retry(api_call, retries=5):
    for _ in range(retries):
        try:
            return api_call()
        except RateLimitError:
            time.sleep(1)  # 暂停1秒重试
    raise Exception("Rate Limit exceeded after retries")
"""

REQUEST = """\
response = requests.get("https://api.poloapi.top", timeout=30)  # 设置超时为30秒
"""

SHELL = """\
export GEMINI_API_KEY="your-api-key-here"
echo $GEMINI_API_KEY
"""

BLOCKS = (("python", CHAT), ("python", RETRY), ("python", REQUEST), ("bash", SHELL))
PAGE = "# Gemini-3 Pro API Key 获取与使用指南\n\n" + "\n".join(f"```{name}\n{code}```\n" for name, code in BLOCKS)


def _cell(kind: str, source: str) -> dict[str, object]:
    code: dict[str, object] = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True), **code}


NOTEBOOK = json.dumps(
    {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [_cell("code", CHAT), _cell("code", RETRY), _cell("code", REQUEST), _cell("markdown", PAGE)],
    },
    ensure_ascii=False,
)

FILES = {
    "chat.py": CHAT,
    "retry.py": RETRY,
    "fetch.py": REQUEST,
    "all.py": CHAT + RETRY + REQUEST,
    "guide.md": PAGE,
    "guide.rst": "Guide\n=====\n\n.. code-block:: bash\n\n" + "".join(f"   {line}\n" for line in SHELL.splitlines()),
    "guide.ipynb": NOTEBOOK,
    "setup.sh": "#!/bin/bash\n" + SHELL,
    "bare.sh": SHELL,
    ".env.example": "GEMINI_API_KEY=your-api-key-here\n",
}
QUIET = [name for name in FILES if not name.endswith(".sh")]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[str, int, str]]]:
    """Rule, line and message of every finding, low ones too, by file, in a repository that has committed the code."""
    root = tmp_path_factory.mktemp("article")
    for name, text in FILES.items():
        (root / name).write_text(text, encoding="utf-8", newline="\n")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "--no-verify", "-m", "article"]):
        subprocess.run([*git, *command], cwd=root, check=True)
    options = [
        "--isolated",
        "--min-severity",
        "low",
        "--min-confidence",
        "low",
        "--output-format",
        "json",
        "--exit-zero",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "keyguard", "check", *options, "--select", "KG0,KG1", "."],
        cwd=root,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["skipped"] == 0, done.stderr
    by_file: dict[str, list[tuple[str, int, str]]] = {}
    for finding in report["findings"]:
        by_file.setdefault(finding["path"], []).append((finding["rule"], finding["line"], finding["message"]))
    return by_file


@pytest.mark.parametrize("name", QUIET)
def test_placeholders_and_documentation_are_no_leak(found: dict[str, list[tuple[str, int, str]]], name: str) -> None:
    assert found.get(name, []) == []


@pytest.mark.parametrize(("name", "line"), [("setup.sh", 3), ("bare.sh", 2)])
def test_a_script_that_echoes_the_variable_is_told_so(
    found: dict[str, list[tuple[str, int, str]]], name: str, line: int
) -> None:
    assert found.get(name, []) == [("KG109", line, "this prints the key in GEMINI_API_KEY")]
