"""KG206: a base URL from which the client makes an address where nothing answers."""

from __future__ import annotations

import pytest

from keyguard.checks import kg206
from tests.checks.networks import heard
from tests.python.made import loaded


def _openai(url: str) -> str:
    return f"from openai import OpenAI\nOpenAI(base_url={url!r})\n"


def _claude(url: str) -> str:
    return f"from anthropic import Anthropic\nAnthropic(base_url={url!r})\n"


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "https://api.openai.com/v1/",
        "https://us.api.openai.com/v1",
        "https://api.deepseek.com",
        "https://api.deepseek.com/beta",
        "https://api.groq.com/openai/v1",
        "https://open.bigmodel.cn/api/paas/v4/",
        "https://open.bigmodel.cn/api/coding/paas/v4",
        "https://ark.cn-beijing.volces.com/api/v3",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        "https://generativelanguage.googleapis.com/v1beta/openai/",
        "https://api.perplexity.ai",
        "https://gateway.ai.cloudflare.com/v1/1234/my/openai",
        "https://myresource.openai.azure.com/openai/v1/",
        "https://llm.example.net",
        "https://llm.example.net/anything",
        "http://localhost:8000",
        "http://vllm:8000/v1",
        "<your base url>",
        "YOUR_BASE_URL",
        "your base url",
        "fill it",
        "{base}/v1",
        "$OPENAI_BASE_URL",
    ],
)
def test_what_may_be_right_for_the_openai_sdk_stays_quiet(url: str) -> None:
    assert heard(kg206.check, _openai(url)) == []


@pytest.mark.parametrize(
    "text",
    [
        _claude("https://api.anthropic.com"),
        _claude("https://api.deepseek.com/anthropic"),
        _claude("https://open.bigmodel.cn/api/anthropic"),
        _claude("https://llm.example.net/proxy"),
        "from openai import AzureOpenAI\nAzureOpenAI(azure_endpoint='https://x.openai.azure.com/', api_version='1')\n",
        "from openai import AzureOpenAI\nAzureOpenAI(base_url='https://x.openai.azure.com/openai/deployments/d')\n",
        "import openai\nopenai.base_url = 'https://api.openai.com/v1/'\nopenai.models.list()\n",
        "from groq import Groq\nGroq(base_url='https://api.groq.com')\n",
        "import openai\nopenai.base_url = 'https://api.deepseek.com'\nopenai.models.list()\n",
        (
            "from google import genai\n"
            "genai.Client(http_options={'base_url': 'https://g.example/v1beta', 'api_version': ''})\n"
        ),
        (
            "from huggingface_hub import InferenceClient\n"
            "InferenceClient(base_url='https://h.example/v1/chat/completions')\n"
        ),
        "import requests\nrequests.post('https://api.openai.com/v1/chat/completions')\n",
        "import os\nfrom openai import OpenAI\nOpenAI(base_url=os.getenv('URL'))\n",
        "from openai import OpenAI\ndef f(url=''): OpenAI(base_url=url or None)\n",
        "import ollama\nollama.Client(host='localhost:11434')\n",
    ],
)
def test_what_other_clients_may_be_given_stays_quiet(text: str) -> None:
    assert heard(kg206.check, text) == []


@pytest.mark.parametrize(
    ("url", "case", "instead"),
    [
        ("https://api.poloapi.top/v1/chat/completions", "doubled", "https://api.poloapi.top/v1"),
        ("https://llm.example.net/v1/chat/completions/", "doubled", "https://llm.example.net/v1"),
        ("https://llm.example.net/v1/embeddings", "doubled", "https://llm.example.net/v1"),
        ("https://api.poloapi.top", "path", "https://api.poloapi.top/v1"),
        ("https://api.openai.com", "path", "https://api.openai.com/v1"),
        ("https://api.groq.com/v1", "path", "https://api.groq.com/openai/v1"),
        ("https://openrouter.ai/v1", "path", "https://openrouter.ai/api/v1"),
        ("https://open.bigmodel.cn/v1", "path", "https://open.bigmodel.cn/api/paas/v4"),
        ("https://dashscope.aliyuncs.com/api/v1", "path", "https://dashscope.aliyuncs.com/compatible-mode/v1"),
        (
            "https://generativelanguage.googleapis.com/v1beta",
            "path",
            "https://generativelanguage.googleapis.com/v1beta/openai/",
        ),
        ("http://localhost:11434", "path", "http://localhost:11434/v1"),
        ("api.openai.com/v1", "scheme", "https://api.openai.com/v1"),
        ("llm.example.net/v1", "scheme", "https://llm.example.net/v1"),
        ("localhost:8000/v1", "scheme", "http://localhost:8000/v1"),
        ("https//llm.example.net/v1", "scheme", "https://llm.example.net/v1"),
        ("https:/llm.example.net/v1", "scheme", "https://llm.example.net/v1"),
        ("https://https://llm.example.net/v1", "scheme", "https://llm.example.net/v1"),
        (" https://api.openai.com/v1", "space", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1\n", "space", "https://api.openai.com/v1"),
        ("", "empty", "https://api.openai.com/v1"),
        ("https://api.deepseek.ai/v1", "foreign", "https://api.deepseek.com"),
    ],
)
def test_what_is_wrong_for_the_openai_sdk_is_found(url: str, case: str, instead: str) -> None:
    found = heard(kg206.check, _openai(url))
    assert [one.short for one in found] == [(2, case)]
    assert found[0].hit.values["instead"] == instead
    assert found[0].text == repr(url)


@pytest.mark.parametrize(
    ("text", "line", "case"),
    [
        pytest.param(_claude("https://api.anthropic.com/v1"), 2, "doubled", id="version-twice"),
        pytest.param(_claude("https://llm.example.net/v1/messages"), 2, "doubled", id="messages-twice"),
        pytest.param(_claude("https://api.deepseek.com"), 2, "path", id="openai-path-for-anthropic"),
        pytest.param(_claude("https://open.bigmodel.cn/api/paas/v4"), 2, "path", id="other-protocol"),
        pytest.param(
            "from groq import Groq\nGroq(base_url='https://api.groq.com/openai/v1')\n", 2, "doubled", id="groq"
        ),
        pytest.param(
            "from openai import AzureOpenAI\nAzureOpenAI(azure_endpoint='https://x.openai.azure.com/openai/')\n",
            2,
            "doubled",
            id="azure-suffix",
        ),
        pytest.param(
            "import openai\nopenai.base_url = 'https://api.openai.com/v1'\nopenai.models.list()\n",
            2,
            "slash",
            id="module-setting",
        ),
        pytest.param(
            "from google import genai\ngenai.Client(http_options={'base_url': 'https://g.example/v1beta'})\n",
            2,
            "doubled",
            id="gemini",
        ),
        pytest.param(
            "import os\nfrom anthropic import Anthropic\nos.environ['ANTHROPIC_BASE_URL'] = 'https://r.example/v1'\n"
            "Anthropic()\n",
            3,
            "doubled",
            id="environment",
        ),
        pytest.param(
            "import os\nfrom openai import OpenAI\nOpenAI(base_url=os.getenv('U', 'https://api.openai.com'))\n",
            3,
            "path",
            id="fallback",
        ),
        pytest.param("from openai import OpenAI\nU = 'https://api.x.ai'\nOpenAI(base_url=U)\n", 2, "path", id="name"),
        pytest.param(
            "from openai import OpenAI\nOpenAI(base_url=f'https://api.openai.com/v1/chat/completions')\n",
            2,
            "doubled",
            id="f-string",
        ),
        pytest.param(
            "import requests\nrequests.post('https://api.openai.com/v1/v1/chat/completions')\n",
            2,
            "doubled",
            id="raw-request",
        ),
    ],
)
def test_what_is_wrong_for_other_clients_is_found(text: str, line: int, case: str) -> None:
    assert [one.short for one in heard(kg206.check, text)] == [(line, case)]


def test_the_message_tells_where_requests_go() -> None:
    found = heard(kg206.check, "import openai\nopenai.base_url = 'https://r.example/v1'\nopenai.models.list()\n")
    assert found[0].hit.values["where"] == "/v1chat/completions"


def test_a_setting_that_nobody_reads_is_judged_only_where_it_is_read() -> None:
    text = "import openai\nopenai.api_base = 'https://api.poloapi.top'\nopenai.ChatCompletion.create()\n"
    assert heard(kg206.check, text) == []
    assert [one.short for one in heard(kg206.check, text, versions={"openai": "0.28.1"})] == [(2, "path")]


def test_a_setting_without_a_call_in_the_module_is_judged() -> None:
    text = "import openai\nopenai.base_url = 'https://openrouter.ai/api/v1'\n"
    assert [one.short for one in heard(kg206.check, text)] == [(2, "slash")]


def test_a_password_in_a_url_is_not_shown() -> None:
    found = heard(kg206.check, _openai("https://user:secret@r.example/v1/chat/completions?key=secret"))
    assert [one.case for one in found] == ["doubled"]
    assert all("secret" not in text for text in found[0].hit.values.values())


def test_hosts_mistaken_for_an_api_are_nobody_s() -> None:
    for host, owner in loaded().foreign_hosts.items():
        assert loaded().provider_of_host(host) is None, host
        assert owner in loaded().providers


_EMPTY = "import os\nfrom openai import OpenAI, AzureOpenAI\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("def f(base=''):\n  OpenAI(base_url=base)\n", id="default-of-a-parameter"),
        pytest.param("base = ''\nif base != '': OpenAI(base_url=base)\n", id="asked-for"),
        pytest.param("c = {'base': ''}\nb = c['base']\nif b: OpenAI(base_url=b)\n", id="asked-for-in-a-table"),
        pytest.param(
            "class A:\n  def __init__(self, card):\n    self.base = ''\n    if 'b' in card: self.base = card['b']\n"
            "    OpenAI(base_url=self.base)\n",
            id="where-an-attribute-starts",
        ),
        pytest.param(
            "OpenAI(base_url=os.getenv('OPENAI_BASE_URL', '').strip() or 'https://api.openai.com/v1')\n",
            id="or-another",
        ),
    ],
)
def test_an_empty_text_that_may_be_something_else_stays_quiet(text: str) -> None:
    assert heard(kg206.check, _EMPTY + text) == []


def test_an_empty_text_that_is_all_there_is_is_found() -> None:
    found = heard(kg206.check, _EMPTY + "BASE = ''\nOpenAI(base_url=BASE)\n")
    assert [(one.line, one.case, one.text) for one in found] == [(3, "empty", "''")]


_CHOSEN = "if os.getenv('API_TYPE') == 'azure': url = 'https://x.openai.azure.com'\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            f"{_CHOSEN}else: url = 'https://api.openai.com/v1/chat/completions'\nAzureOpenAI(azure_endpoint=url)\n",
            id="one-of-two-for-another-client",
        ),
        pytest.param(
            "url = os.getenv('URL', 'https://api.openai.com/v1/chat/completions')\n"
            "OpenAI(base_url=url.rstrip('chat/completions'))\n",
            id="stripped",
        ),
        pytest.param(
            "import requests\nb = os.getenv('B', 'https://api.openai.com/v1')\n"
            "if not b.endswith('/v1'): requests.post(f'{b}/v1/chat/completions')\n",
            id="put-together-by-how-it-ends",
        ),
    ],
)
def test_a_url_that_is_never_given_so_stays_quiet(text: str) -> None:
    assert heard(kg206.check, _EMPTY + text) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            "url = 'https://api.deepseek.com' if x else 'https://api.openai.com/v1/chat/completions'\n"
            "OpenAI(base_url=url)\n",
            3,
            id="one-of-two-for-this-client",
        ),
        pytest.param(
            "url = os.getenv('URL', 'https://api.openai.com/v1/chat/completions')\nOpenAI(base_url=url.rstrip('/'))\n",
            3,
            id="only-a-slash-stripped",
        ),
        pytest.param(
            "import requests\nb = os.getenv('B', 'https://api.openai.com/v1')\n"
            "requests.post(f'{b}/v1/chat/completions')\n",
            5,
            id="put-together",
        ),
    ],
)
def test_a_url_that_is_given_so_is_found(text: str, line: int) -> None:
    found = heard(kg206.check, _EMPTY + text)
    assert [one.short for one in found] == [(line, "doubled")]
