"""KG205: a key that cannot work as it is written."""

from __future__ import annotations

import pytest

from keyguard.checks import kg205
from tests.checks.networks import heard
from tests.keys import make
from tests.python.made import probed

_OPENAI = "from openai import OpenAI\n"
_CLAUDE = "from anthropic import Anthropic\n"
_OPEN = "with open('key.txt') as f:\n    "


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_OPENAI + "OpenAI(api_key='<openai-key>')\n", id="whole"),
        pytest.param(_OPENAI + "OpenAI(api_key='  <openai-key>\\n'.strip())\n", id="stripped-literal"),
        pytest.param(_OPENAI + "OpenAI(api_key=' your-key ')\n", id="placeholder"),
        pytest.param(_OPENAI + "OpenAI(api_key='sk-proj-abc')\n", id="too-short-to-be-a-key"),
        pytest.param(_OPENAI + "OpenAI(api_key='sk-proj-this-is-my-own-project')\n", id="words"),
        pytest.param(
            _OPENAI + "OpenAI(base_url='https://llm.example.net/v1', api_key='<relay-key|head>')\n", id="relay"
        ),
        pytest.param(
            _OPENAI + "OpenAI(base_url='https://api.poloapi.top/v1', api_key='<relay-key>')\n", id="relay-key"
        ),
        pytest.param(_OPENAI + _OPEN + "OpenAI(api_key=f.read().strip())\n", id="file-stripped"),
        pytest.param(_OPENAI + _OPEN + "OpenAI(api_key=f.read().splitlines()[0])\n", id="file-lines"),
        pytest.param(_OPENAI + "def f(read): OpenAI(api_key=read())\n", id="unknown-function"),
        pytest.param("from google import genai\n" + _OPEN + "genai.Client(api_key=f.read())\n", id="sdk-strips"),
        pytest.param(
            "from mistralai.client import Mistral\nMistral(api_key='Bearer <mistral-key>')\n", id="sdk-takes-it"
        ),
        pytest.param(
            "import httpx\n"
            "httpx.get('https://api.openai.com/v1/models', headers={'Authorization': 'Bearer <openai-key>'})\n",
            id="header",
        ),
        pytest.param("import os\nos.environ['OPENAI_API_KEY'] = '<openai-key>'\n", id="environment"),
        pytest.param("import os\nos.environ['NOTE'] = ' <openai-key> '\n", id="no-key-variable"),
        pytest.param(
            _OPENAI + "OpenAI(base_url='https://api.deepseek.com', api_key='<deepseek-key>')\n", id="shared-form"
        ),
    ],
)
def test_what_may_work_stays_quiet(text: str) -> None:
    assert heard(kg205.check, text) == []


def test_tests_may_try_keys_that_fail() -> None:
    assert heard(kg205.check, _OPENAI + "OpenAI(api_key='<openai-key> ')\n", role="test") == []


@pytest.mark.parametrize(
    ("text", "line", "case"),
    [
        pytest.param(_OPENAI + "OpenAI(api_key='<openai-key>\\n')\n", 2, "space", id="line-end"),
        pytest.param(_OPENAI + "KEY = ' <openai-key>'\nOpenAI(api_key=KEY)\n", 2, "space", id="through-a-name"),
        pytest.param(
            _OPENAI + "OpenAI(api_key='<openai-key|head> <openai-key|tail>')\n", 2, "space-inside", id="inside"
        ),
        pytest.param(_OPENAI + "OpenAI(api_key='\"<openai-key>\"')\n", 2, "quotes", id="quotes"),
        pytest.param(_OPENAI + "OpenAI(api_key='OPENAI_API_KEY=<openai-key>')\n", 2, "assignment", id="assignment"),
        pytest.param(_OPENAI + "OpenAI(api_key='Bearer <openai-key>')\n", 2, "scheme", id="scheme"),
        pytest.param(
            _OPENAI + "import os\nOpenAI(api_key='Bearer ' + os.environ['OPENAI_API_KEY'])\n",
            3,
            "scheme",
            id="scheme-before-a-variable",
        ),
        pytest.param(_OPENAI + "OpenAI(api_key='\u200b<openai-key>')\n", 2, "characters", id="zero-width"),
        pytest.param(_CLAUDE + "Anthropic(api_key='<anthropic-key|head>')\n", 2, "cut", id="cut"),
        pytest.param("import os\nos.environ['ANTHROPIC_API_KEY'] = '<anthropic-key|head>'\n", 2, "cut", id="cut-env"),
        pytest.param(_OPENAI + "OpenAI(api_key='<openai-key|body>')\n", 2, "prefix", id="without-prefix"),
        pytest.param(_OPENAI + _OPEN + "OpenAI(api_key=f.read())\n", 3, "file", id="file"),
        pytest.param(
            "import openai\nopenai.api_key = open('k').readline()\nopenai.models.list()\n", 2, "file", id="readline"
        ),
        pytest.param(
            "from pathlib import Path\n" + _OPENAI + "OpenAI(api_key=(Path.home() / 'key').read_text())\n",
            3,
            "file",
            id="path",
        ),
        pytest.param(
            "import os\nos.environ['OPENAI_API_KEY'] = open('k').read()\n", 2, "file", id="file-to-environment"
        ),
        pytest.param(
            "import httpx\nH = {'Authorization': 'Bearer <openai-key>\\n'}\n"
            "httpx.get('https://api.openai.com/v1/models', headers=H)\n",
            2,
            "space",
            id="header",
        ),
    ],
)
def test_a_flaw_is_found(text: str, line: int, case: str) -> None:
    assert [one.short for one in heard(kg205.check, text)] == [(line, case)]


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("openai.api_key = read('key.txt')\n", "read('key.txt')"),
        ("key = read('key.txt')\nopenai.api_key = key\n", "key"),
        ("def setup():\n    openai.api_key = read('key.txt')\n", "read('key.txt')"),
    ],
    ids=["call", "variable", "in another function"],
)
def test_a_key_that_a_function_reads_is_stripped_where_it_is_given(key: str, shown: str) -> None:
    text = f"import openai\ndef read(path):\n    with open(path) as file:\n        return file.read()\n{key}"
    found = heard(kg205.check, f"{text}PROMPT = read('prompt.txt')\n")
    assert [(one.line, one.case, one.text) for one in found] == [(text.count("\n"), "file", shown)]


def test_a_setting_without_a_call_in_the_module_is_judged() -> None:
    found = heard(kg205.check, "import openai\nopenai.api_key = open('key.txt').read()\n")
    assert [one.short for one in found] == [(2, "file")]


def test_a_checksum_that_fails_is_found() -> None:
    key = make("github_models")
    other = "0" if key[-1] != "0" else "1"
    text = f"{_OPENAI}OpenAI(base_url='https://models.github.ai/inference', api_key='{key[:-1]}{other}')\n"
    assert [one.short for one in heard(kg205.check, text)] == [(2, "checksum")]
    assert heard(kg205.check, text.replace(f"{key[:-1]}{other}", key)) == []


def test_no_message_holds_the_key() -> None:
    found = heard(kg205.check, _OPENAI + "OpenAI(api_key='<anthropic-key|head>\\n')\n" + _CLAUDE)
    for one in found:
        assert one.hit.secret is not None
        assert all(one.hit.secret.value not in text for text in one.hit.values.values())


def test_a_path_read_as_text_is_told_from_a_text() -> None:
    value = probed("from pathlib import Path\nprobe(Path('key.txt').read_text())\n")[0]
    assert getattr(value, "name", "") == "pathlib.Path().read_text"
