"""KG204: a placeholder given as a key."""

from __future__ import annotations

import pytest

from keyguard.checks import kg204
from keyguard.secrets.placeholders import asks_for_key, is_placeholder
from tests.checks.networks import heard
from tests.python.made import loaded, short
from tests.test_article import CHAT

_OPENAI = "from openai import OpenAI\n"
_OS = "import os\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_OPENAI + "OpenAI(base_url='http://localhost:8000/v1', api_key='your-key')\n", id="loopback"),
        pytest.param(_OPENAI + "OpenAI(base_url='http://10.0.0.7:8000/v1', api_key='EMPTY')\n", id="private-range"),
        pytest.param(_OPENAI + "OpenAI(base_url='https://llm.corp.example/v1', api_key='EMPTY')\n", id="unknown-host"),
        pytest.param(_OPENAI + "OpenAI(base_url='https://llm.corp.example/v1', api_key='dummy-key')\n", id="dummy"),
        pytest.param(_OPENAI + "OpenAI(api_key='EMPTY')\n", id="default-host-may-be-changed-by-a-variable"),
        pytest.param(_OS + _OPENAI + "OpenAI(base_url=os.environ['U'], api_key='your-key')\n", id="host-from-env"),
        pytest.param(_OPENAI + "def f(url): return OpenAI(base_url=url, api_key='none')\n", id="host-unknown"),
        pytest.param(_OPENAI + "OpenAI(api_key='<openai-key>')\n", id="a-key"),
        pytest.param(_OS + _OPENAI + "OpenAI(api_key=os.environ['OPENAI_API_KEY'])\n", id="read"),
        pytest.param(_OPENAI + "def f(key='your-key'): return OpenAI(api_key=key)\n", id="parameter"),
        pytest.param(_OPENAI + "def f(key): return OpenAI(api_key=key or 'your-key')\n", id="unknown-or-placeholder"),
        pytest.param(
            _OPENAI + "KEY = 'your-key'\nif KEY == 'your-key': raise SystemExit\nOpenAI(api_key=KEY)\n", id="tested"
        ),
        pytest.param("import litellm\nlitellm.completion('gpt-4o', [], api_key='os.environ/MY_KEY')\n", id="reference"),
        pytest.param("import openai\nopenai.api_key = 'your-key'\nopenai.api_key = load()\n", id="set-again"),
        pytest.param(
            "import httpx\nH = {'Authorization': 'Bearer '}\n"
            "httpx.get('https://api.openai.com/v1/models', headers=H)\n",
            id="scheme-alone",
        ),
        pytest.param(_OS + "os.environ['OPENAI_API_KEY'] = 'EMPTY'\n", id="local-value-in-environment"),
        pytest.param(_OS + "os.environ['OPENAI_API_KEY'] = 'test'\n", id="dummy-in-environment"),
        pytest.param(_OS + "os.environ['EDITOR'] = 'your-key'\n", id="no-key-variable"),
        pytest.param(
            "import requests\nrequests.get('https://api.openai.com/v1/models', headers={'X-A': 'your-key'})\n",
            id="other-header",
        ),
    ],
)
def test_what_may_be_right_stays_quiet(text: str) -> None:
    assert heard(kg204.check, text) == []


@pytest.mark.parametrize("role", ["test", "example", "docs"])
def test_tests_and_documentation_need_no_key(role: str) -> None:
    assert heard(kg204.check, _OPENAI + "OpenAI(api_key='your-key')\n", role=role) == []


@pytest.mark.parametrize(
    ("text", "line", "case", "shown"),
    [
        pytest.param(_OPENAI + "OpenAI(api_key='your-api-key')\n", 2, None, "'your-api-key'", id="english"),
        pytest.param(
            _OPENAI + 'client = OpenAI(\nbase_url="https://api.poloapi.top/v1", # x\napi_key="你的API密钥")\n',
            4,
            None,
            '"你的API密钥"',
            id="chinese-at-a-relay",
        ),
        pytest.param(_OPENAI + "KEY = 'sk-xxxx'\n\nOpenAI(api_key=KEY)\n", 2, None, "'sk-xxxx'", id="through-a-name"),
        pytest.param(
            _OPENAI + "OpenAI(base_url='https://llm.corp.example/v1', api_key='<key>')\n",
            2,
            None,
            "'<key>'",
            id="asks-at-an-unknown-host",
        ),
        pytest.param(
            _OPENAI + "OpenAI(base_url='https://<resource>.example/v1', api_key='YOUR_KEY')\n",
            2,
            None,
            "'YOUR_KEY'",
            id="template-all-over",
        ),
        pytest.param(
            _OPENAI + "OpenAI(base_url='https://api.deepseek.com', api_key='EMPTY')\n",
            2,
            None,
            "'EMPTY'",
            id="local-value-at-a-vendor",
        ),
        pytest.param(
            "import openai\nopenai.api_key = 'YOUR_API_KEY'\nopenai.chat.completions.create(model='m')\n",
            2,
            None,
            "'YOUR_API_KEY'",
            id="module-setting",
        ),
        pytest.param(
            _OS + _OPENAI + "OpenAI(api_key=os.getenv('OPENAI_API_KEY', 'your-key'))\n",
            3,
            "fallback",
            "'your-key'",
            id="fallback",
        ),
        pytest.param(
            _OS + _OPENAI + "OpenAI(api_key=os.getenv('OPENAI_API_KEY') or 'your-key')\n",
            3,
            "fallback",
            "'your-key'",
            id="or",
        ),
        pytest.param(
            _OS + "from openai import OpenAI\nos.environ['OPENAI_API_KEY'] = 'your-key'\nOpenAI()\n",
            3,
            "variable",
            "'your-key'",
            id="environment",
        ),
        pytest.param(_OPENAI + "OpenAI(api_key='OPENAI_API_KEY')\n", 2, "variable-name", "'OPENAI_API_KEY'", id="name"),
        pytest.param(
            "import requests\n"
            "requests.post('https://api.anthropic.com/v1/messages', headers={'x-api-key': 'YOUR_KEY'})\n",
            2,
            None,
            "'YOUR_KEY'",
            id="header",
        ),
        pytest.param(
            "import httpx\nH = {'Authorization': f'Bearer your-key'}\n"
            "httpx.post('https://api.openai.com/v1/responses', headers=H)\n",
            2,
            None,
            "Bearer your-key",
            id="bearer",
        ),
    ],
)
def test_a_placeholder_where_a_key_belongs_is_found(text: str, line: int, case: str | None, shown: str) -> None:
    found = heard(kg204.check, text)
    assert [one.short for one in found] == [(line, case)]
    assert found[0].text == shown


def test_a_setting_without_a_call_in_the_module_is_judged() -> None:
    assert [one.short for one in heard(kg204.check, "import openai\nopenai.api_key = 'sk-...'\n")] == [(2, None)]
    text = "import openai\nopenai.api_key = 'sk-...'\nopenai.base_url = 'http://localhost:8000/v1/'\n"
    assert heard(kg204.check, text) == []


def test_the_article_s_code_has_this_finding_and_no_leak() -> None:
    found = heard(kg204.check, CHAT)
    assert [(one.case, one.text) for one in found] == [(None, '"你的API密钥"')]
    assert short(CHAT) == []


def test_one_placeholder_of_two_clients_is_one_finding() -> None:
    text = _OPENAI + "KEY = 'your-key'\nOpenAI(api_key=KEY)\nOpenAI(api_key=KEY)\n"
    assert [one.short for one in heard(kg204.check, text)] == [(2, None)]


@pytest.mark.parametrize("text", ["your-key", "sk-...", "<key>", "你的密钥", "votre-cle", "${KEY}", "insert_key_here"])
def test_these_ask_the_reader_for_a_key(text: str) -> None:
    assert asks_for_key(text, loaded())


@pytest.mark.parametrize(
    "text", ["test", "dummy", "EMPTY", "ollama", "sk-1234", "fake-key", "0000", "os.environ/KEY", ""]
)
def test_these_ask_for_nothing(text: str) -> None:
    assert not asks_for_key(text, loaded())


def test_words_that_ask_are_words_of_placeholders() -> None:
    known = loaded().placeholders
    assert set(known.asks) <= set(known.words)
    assert all(is_placeholder(f"{word}-key", loaded()) for word in known.asks)
