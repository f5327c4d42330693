"""KG208: a variable that is not set fails far from where it is read."""

from __future__ import annotations

import pytest

from keyguard.checks import kg208
from tests.checks.networks import heard

_OS = "import os\n"
_POST = "import requests\n"
_URL = "'https://api.openai.com/v1/responses'"


def _request(key: str, before: str = "") -> str:
    return f"{_OS}{_POST}{before}requests.post({_URL}, headers={{'Authorization': {key}}})\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_request("f\"Bearer {os.environ['OPENAI_API_KEY']}\""), id="raises"),
        pytest.param(_request("'Bearer ' + os.getenv('OPENAI_API_KEY')"), id="adding-None-raises"),
        pytest.param(
            _request("f'Bearer {k}'", "k = os.getenv('OPENAI_API_KEY')\nif not k: raise SystemExit\n"), id="if-not"
        ),
        pytest.param(_request("f'Bearer {k}'", "k = os.getenv('OPENAI_API_KEY')\nassert k\n"), id="assert"),
        pytest.param(_request("f'Bearer {k}'", "if not (k := os.getenv('OPENAI_API_KEY')): exit()\n"), id="walrus"),
        pytest.param(_request("f'Bearer {k}'", "k = os.getenv('OPENAI_API_KEY') or exit('set it')\n"), id="or-exit"),
        pytest.param(
            _request("f\"Bearer {os.getenv('OPENAI_API_KEY')}\"", "if 'OPENAI_API_KEY' not in os.environ: exit()\n"),
            id="name-in-environ",
        ),
        pytest.param(
            _request("f\"Bearer {os.getenv('OPENAI_API_KEY')}\"", "os.environ['OPENAI_API_KEY']\n"), id="read-before"
        ),
        pytest.param(
            _request("f'Bearer {k}'", "k = os.getenv('OPENAI_API_KEY')\nvalidate_key(k)\n"), id="checking-function"
        ),
        pytest.param(_request("f'Bearer {k}'", "def f(k=os.getenv('OPENAI_API_KEY')): pass\n"), id="parameter"),
        pytest.param(_request("f\"Bearer {os.getenv('OPENAI_API_KEY', 'none')}\""), id="fallback-text"),
        pytest.param(_OS + "print(f\"Bearer {os.getenv('GREETING')}\")\nimport openai\n", id="no-key"),
        pytest.param(
            _OS + "from openai import OpenAI\nOpenAI(api_key=os.getenv('OPENAI_API_KEY'))\n", id="sdk-tells-at-once"
        ),
        pytest.param(
            _OS + "from openai import OpenAI\nOpenAI(api_key=os.getenv('MY_KEY'))\n", id="own-variable-own-host"
        ),
        pytest.param(
            _OS + "from openai import OpenAI\nOpenAI(api_key=os.getenv('K'), base_url='http://localhost:1/v1')\n",
            id="local",
        ),
        pytest.param(
            _OS + "from openai import OpenAI\n"
            "OpenAI(api_key=os.getenv('DEEPSEEK_API_KEY'), base_url='https://api.deepseek.com')\n",
            id="known-host-is-another-rule-s",
        ),
        pytest.param(
            _OS + "from anthropic import Anthropic\nclass A:\n  def __init__(self):\n"
            "    self.key = os.getenv('ANTHROPIC_API_KEY', '')\n    if not self.key: raise ValueError\n"
            "    self.c = Anthropic(api_key=self.key)\n",
            id="attribute-tested",
        ),
        pytest.param(
            "from pydantic_settings import BaseSettings\nfrom anthropic import Anthropic\n"
            "class S(BaseSettings):\n  anthropic_api_key: str\nAnthropic(api_key=S().anthropic_api_key)\n",
            id="settings-class",
        ),
    ],
)
def test_what_is_told_at_once_or_looked_at_stays_quiet(text: str) -> None:
    assert heard(kg208.check, text) == []


@pytest.mark.parametrize(
    ("read", "condition"),
    [
        ("os.getenv('GROQ_API_KEY')", "if os.path.exists('.env'): load()\n"),
        ("os.environ.get('GROQ_API_KEY')", "if 'DEBUG' in os.environ: load()\n"),
        ("os.environ.get('GROQ_API_KEY')", "if {}.get('debug'): load()\n"),
    ],
    ids=["a file", "another variable", "another table"],
)
def test_what_reads_a_variable_may_stand_in_other_conditions(read: str, condition: str) -> None:
    found = heard(kg208.check, _request(f'f"Bearer {{{read}}}"', condition))
    assert [(one.line, one.case, one.text) for one in found] == [(4, "text", read)]


def test_tests_may_run_without_a_key() -> None:
    assert heard(kg208.check, _request("f\"Bearer {os.getenv('OPENAI_API_KEY')}\""), role="test") == []


@pytest.mark.parametrize(
    ("text", "line", "case"),
    [
        pytest.param(_request("f\"Bearer {os.getenv('OPENAI_API_KEY')}\""), 3, "text", id="f-string"),
        pytest.param(_request("'Bearer {}'.format(os.getenv('OPENAI_API_KEY'))"), 3, "text", id="format"),
        pytest.param(_request("'Bearer %s' % os.getenv('OPENAI_API_KEY')"), 3, "text", id="percent"),
        pytest.param(
            _request("f'Bearer {k}'", "k = os.environ.get('OPENAI_API_KEY')\n"), 3, "text", id="through-a-name"
        ),
        pytest.param(_request("f\"Bearer {os.getenv('OPENAI_API_KEY', '')}\""), 3, "text", id="empty"),
        pytest.param(
            _OS + _POST + "H = {'x-api-key': os.getenv('ANTHROPIC_API_KEY')}\n"
            "requests.post('https://api.anthropic.com/v1/messages', headers=H)\n",
            3,
            "header",
            id="header",
        ),
        pytest.param(
            _OS + "from anthropic import Anthropic\nAnthropic(api_key=os.getenv('ANTHROPIC_API_KEY', ''))\n",
            3,
            "empty",
            id="empty-key",
        ),
        pytest.param(
            _OS + "from mistralai.client import Mistral\nMistral(api_key=os.getenv('MISTRAL_API_KEY'))\n",
            3,
            "anonymous",
            id="anonymous",
        ),
        pytest.param(
            _OS + "from openai import OpenAI\nOpenAI(api_key=os.getenv('LLM_KEY'), base_url=os.environ['U'])\n",
            3,
            "fallback",
            id="fallback",
        ),
        pytest.param(
            _OS + "from openai import OpenAI\nOpenAI(api_key=os.getenv('LLM_KEY'), base_url='https://x.example/v1')\n",
            3,
            "fallback",
            id="fallback-at-an-unknown-host",
        ),
    ],
)
def test_what_fails_late_is_found(text: str, line: int, case: str) -> None:
    assert [one.short for one in heard(kg208.check, text)] == [(line, case)]


def test_the_message_tells_what_is_sent() -> None:
    found = heard(kg208.check, _request("f\"Bearer {os.getenv('OPENAI_API_KEY')}\""))
    assert found[0].hit.values["name"] == "Bearer None"
    assert found[0].hit.values["env"] == "OPENAI_API_KEY"
