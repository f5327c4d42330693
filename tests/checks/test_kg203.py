"""KG203: which models a host is asked for in vain."""

from __future__ import annotations

import pytest

from keyguard.checks.kg203 import check
from tests.python.connected import cases, told


def asked(model: str, base: str = "", made: str = "openai.OpenAI") -> str:
    where = f'base_url="{base}"' if base else ""
    client = f"import openai\nclient = {made}({where})\n"
    return f'{client}client.chat.completions.create(\n  model="{model}", messages=[])\n'


@pytest.mark.parametrize(
    ("model", "base"),
    [
        pytest.param("gpt-4o", "", id="its-own"),
        pytest.param("ft:gpt-4o-mini:me::id", "https://api.openai.com/v1", id="fine-tuned"),
        pytest.param("deepseek-chat", "https://api.deepseek.com", id="the-hosts-own"),
        pytest.param("deepseek-r1", "https://dashscope.aliyuncs.com/compatible-mode/v1", id="resold"),
        pytest.param("gemini-3-pro", "https://api.poloapi.top/v1", id="relay"),
        pytest.param("gpt-4o", "https://gateway.ai.cloudflare.com/v1/a/b/openai", id="gateway"),
        pytest.param("openai/gpt-4o", "https://openrouter.ai/api/v1", id="aggregator-of-everything"),
        pytest.param("claude-sonnet-4-5", "https://api.githubcopilot.com", id="aggregator-that-serves-it"),
        pytest.param("gpt-4o", "https://models.inference.ai.azure.com", id="aggregator-by-its-old-host"),
        pytest.param("openai/gpt-oss-120b", "https://api.groq.com/openai/v1", id="open-weights"),
        pytest.param("llama-3.3-70b", "https://api.openai.com/v1", id="open-weights-at-a-vendor"),
        pytest.param("my-claude", "https://x.openai.azure.com/openai/v1/", id="deployment"),
        pytest.param("claude-sonnet-4-5", "http://localhost:4000", id="loopback"),
        pytest.param("claude-sonnet-4-5", "https://llm.corp.example/v1", id="unknown-host"),
        pytest.param("my-model", "https://api.deepseek.com", id="unknown-model"),
        pytest.param("accounts/me/models/x", "https://api.fireworks.ai/inference/v1", id="path"),
    ],
)
def test_models_that_may_be_served_stay_quiet(model: str, base: str) -> None:
    assert cases(check, asked(model, base)) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("import openai\ndef f(m): openai.OpenAI().chat.completions.create(model=m)\n", id="any"),
        pytest.param(
            "import openai\nm = 'gpt-4o' if x else 'gemini-3-pro'\n"
            "openai.OpenAI().chat.completions.create(model=m, messages=[])\n",
            id="one-of-two",
        ),
        pytest.param(
            "import openai\nif x:\n  c = openai.OpenAI()\nelse:\n  c = openai.OpenAI(base_url='https://api.deepseek.com')\n"
            "c.chat.completions.create(model='deepseek-chat', messages=[])\n",
            id="one-of-two-clients",
        ),
        pytest.param(
            "import os, openai\nm = os.getenv('M', 'gemini-3-pro')\n"
            "openai.OpenAI().chat.completions.create(model=m, messages=[])\n",
            id="model-from-the-environment",
        ),
        pytest.param(
            "import os, openai\nc = openai.OpenAI(base_url=os.getenv('B', 'https://api.openai.com/v1'))\n"
            "c.chat.completions.create(model='gemini-3-pro', messages=[])\n",
            id="host-from-the-environment",
        ),
        pytest.param(
            "import anthropic\nc = anthropic.Anthropic(base_url='https://api.deepseek.com/anthropic')\n"
            "c.messages.create(model='claude-sonnet-4-5', max_tokens=1, messages=[])\n",
            id="mapped-names",
        ),
        pytest.param("import litellm\nlitellm.completion(model='gemini/gemini-3-pro', messages=[])\n", id="litellm"),
        pytest.param("import openai\nopenai.AzureOpenAI().chat.completions.create(model='claude-x')\n", id="azure"),
    ],
)
def test_what_is_not_known_stays_quiet(text: str) -> None:
    assert cases(check, text) == []


@pytest.mark.parametrize(
    ("model", "base", "case"),
    [
        pytest.param("gemini-3-pro", "https://api.openai.com/v1", None, id="at-another-vendor"),
        pytest.param("gpt-4o", "https://api.deepseek.com", None, id="the-other-way-round"),
        pytest.param("claude-sonnet-4-5", "https://api.groq.com/openai/v1", None, id="closed-at-open-weights-only"),
        pytest.param("qwen-max", "https://api.siliconflow.cn/v1", None, id="closed-sibling-of-open-ones"),
        pytest.param("gemini-3-pro", "", "default-host", id="no-base-url"),
        pytest.param("deepseek/deepseek-chat", "https://api.deepseek.com", "prefixed", id="a-vendor-in-front"),
        pytest.param("gpt-4o", "https://openrouter.ai/api/v1", "bare", id="no-vendor-in-front"),
    ],
)
def test_a_model_that_is_not_served_is_told(model: str, base: str, case: str | None) -> None:
    assert cases(check, asked(model, base)) == [(4, case)]


def test_the_message_says_whose_it_is_and_the_client_is_related() -> None:
    found = told(check, asked("gpt-4o", "https://api.deepseek.com"))
    assert [(one.message, one.text, one.related) for one in found] == [
        ("api.deepseek.com does not serve gpt-4o, a model of OpenAI", '"gpt-4o"', ("the client is made here",))
    ]


def test_a_model_given_to_the_client_is_judged_once() -> None:
    text = (
        "from langchain_openai import ChatOpenAI\nm = ChatOpenAI(model='claude-3-opus')\nm.invoke('a')\nm.invoke('b')\n"
    )
    assert cases(check, text) == [(2, "default-host")]


def test_the_model_in_a_requests_body_is_judged() -> None:
    text = (
        "import requests\nrequests.post('https://api.openai.com/v1/chat/completions',\n"
        "  json={'messages': [],\n    'model': 'claude-3-opus'})\n"
    )
    assert cases(check, text) == [(4, None)]
