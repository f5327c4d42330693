"""KG201: which literal keys a host takes, and which it does not."""

from __future__ import annotations

import pytest

from keyguard.checks.kg201 import check
from tests.python.connected import cases, told

HEAD = "from openai import OpenAI\n"


def client(key: str, base: str = "") -> str:
    where = f', base_url="{base}"' if base else ""
    return f'{HEAD}OpenAI(api_key="{key}"{where})\n'


@pytest.mark.parametrize(
    ("key", "base"),
    [
        pytest.param("<openai-key>", "", id="its-own-host"),
        pytest.param("<openai/legacy_user>", "https://api.openai.com/v1", id="the-old-form"),
        pytest.param("<deepseek-key>", "https://api.deepseek.com", id="a-shared-form-at-one-of-them"),
        pytest.param("<deepseek-key>", "https://dashscope.aliyuncs.com/compatible-mode/v1", id="at-the-other"),
        pytest.param("<relay-key>", "https://api.poloapi.top/v1", id="a-relays-key-at-a-relay"),
        pytest.param("<kimi-key>", "https://api.chatanywhere.tech/v1", id="48-characters-at-a-relay"),
        pytest.param("<openai-key>", "https://gateway.ai.cloudflare.com/v1/a/b/openai", id="gateway"),
        pytest.param("<openai-key>", "https://oai.helicone.ai/v1", id="another-gateway"),
        pytest.param("<openai-key>", "http://localhost:4000", id="loopback"),
        pytest.param("<openai-key>", "https://llm.corp.example/v1", id="unknown-host"),
        pytest.param("sk-your-key-here", "https://api.deepseek.com", id="placeholder"),
        pytest.param("EMPTY", "https://api.deepseek.com", id="stand-in"),
        pytest.param("<unknown-token>", "https://api.moonshot.cn/v1", id="no-known-form"),
        pytest.param(
            "<alibaba_dashscope/coding_plan>", "https://coding.dashscope.aliyuncs.com/v1", id="a-plans-key-at-the-plan"
        ),
        pytest.param("<moonshot/kimi_code>", "https://api.kimi.com/coding/v1", id="a-subscription-at-its-path"),
        pytest.param(
            "<xiaomi_mimo/token_plan>", "https://token-plan-cn.xiaomimimo.com/v1", id="a-token-plan-at-its-host"
        ),
    ],
)
def test_a_key_where_it_may_be_stays_quiet(key: str, base: str) -> None:
    assert cases(check, client(key, base)) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(HEAD + 'import os\nOpenAI(api_key="<openai-key>", base_url=os.environ["B"])\n', id="environment"),
        pytest.param(
            HEAD + 'def f(url): return OpenAI(api_key="<openai-key>", base_url=url)\n', id="a-base-nobody-knows"
        ),
        pytest.param(
            HEAD + 'for url in ["https://api.openai.com/v1", "https://api.deepseek.com"]:\n'
            '    OpenAI(api_key="<openai-key>", base_url=url)\n',
            id="several-hosts",
        ),
        pytest.param('key = "<openai-key>"\nprint("https://api.deepseek.com")\n', id="no-connection"),
    ],
)
def test_what_is_not_known_stays_quiet(text: str) -> None:
    assert cases(check, text) == []


@pytest.mark.parametrize(
    ("key", "base", "case"),
    [
        pytest.param("<openai-key>", "https://api.poloapi.top/v1", "relay", id="official-at-a-relay"),
        pytest.param("<claude-key>", "https://api.poloapi.top/v1", "relay", id="another-official-at-a-relay"),
        pytest.param("<openai-key>", "https://api.deepseek.com", "other", id="official-at-another-vendor"),
        pytest.param("<openrouter-key>", "", "other", id="aggregators-key-at-a-vendor"),
        pytest.param("<groq-key>", "https://openrouter.ai/api/v1", "other", id="vendors-key-at-an-aggregator"),
        pytest.param("<relay-key>", "", "relay-key", id="relays-key-at-a-vendor"),
        pytest.param("<kimi-key>", "", "unfit", id="48-characters-without-the-marker"),
        pytest.param("<deepseek-key>", "", "unfit", id="a-shared-form-of-others"),
        pytest.param(
            "<alibaba_dashscope/coding_plan>",
            "https://dashscope.aliyuncs.com/compatible-mode/v1",
            "plan",
            id="a-plans-key-at-the-ordinary-host",
        ),
        pytest.param("<moonshot/kimi_code>", "https://api.moonshot.cn/v1", "plan", id="a-subscription-elsewhere"),
        pytest.param("<tencent_hunyuan/token_plan>", "https://tokenhub.tencentmaas.com/v1", "plan", id="another-path"),
        pytest.param(
            "<alibaba_dashscope/payg_classic>", "https://coding.dashscope.aliyuncs.com/v1", "no-plan", id="no-plans-key"
        ),
        pytest.param("<huggingface/org_token_deprecated>", "https://router.huggingface.co/v1", "retired", id="retired"),
    ],
)
def test_a_key_at_the_wrong_host_is_told(key: str, base: str, case: str) -> None:
    assert cases(check, client(key, base)) == [(2, case)]


def test_the_literal_is_shown_and_the_client_related() -> None:
    found = told(check, f'{HEAD}KEY = "<openai-key>"\nOpenAI(api_key=KEY, base_url="https://api.deepseek.com")\n')
    assert [(one.line, one.related) for one in found] == [(2, ("it is sent here",))]
    assert "api.deepseek.com belongs to DeepSeek" in found[0].message
    assert "sk-proj-…" in found[0].message


def test_the_fallback_of_a_variable_is_judged() -> None:
    text = HEAD + 'import os\nOpenAI(api_key=os.getenv("K", "<openai-key>"), base_url="https://api.deepseek.com")\n'
    assert cases(check, text) == [(3, "other")]


def test_a_key_that_the_module_puts_into_the_variable_is_judged() -> None:
    text = f'import os\nos.environ["OPENAI_API_KEY"] = "<openai-key>"\n{HEAD}OpenAI(base_url="https://api.poloapi.top/v1")\n'
    assert cases(check, text) == [(2, "relay")]


def test_a_key_in_a_header_is_judged() -> None:
    text = (
        "import requests\nrequests.post('https://api.moonshot.cn/v1/chat/completions', headers={\n"
        "  'Authorization': 'Bearer <openrouter-key>',\n})\n"
    )
    assert cases(check, text) == [(3, "other")]
