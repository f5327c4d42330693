"""KG202: which variables go where they do not belong, and which are where they should be."""

from __future__ import annotations

import pytest

from keyguard.checks.kg202 import check, check_text
from tests.checks.facts import hits
from tests.python.connected import cases, told

HEAD = "import os\nfrom openai import OpenAI\n"
KEY = 'os.environ["OPENAI_API_KEY"]'
RELAY = "https://api.poloapi.top/v1"
DEEPSEEK = "https://api.deepseek.com"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(HEAD + "OpenAI()\n", id="its-own-host"),
        pytest.param(HEAD + f"OpenAI(api_key={KEY})\n", id="its-own-host-by-name"),
        pytest.param(HEAD + f'OpenAI(api_key={KEY}, base_url="https://api.openai.com/v1")\n', id="written-out"),
        pytest.param(
            HEAD + f'OpenAI(api_key=os.environ["DEEPSEEK_API_KEY"], base_url="{DEEPSEEK}")\n', id="the-hosts-own"
        ),
        pytest.param(HEAD + f'OpenAI(api_key={KEY}, base_url="http://localhost:1234/v1")\n', id="loopback"),
        pytest.param(HEAD + f'OpenAI(api_key={KEY}, base_url="http://192.168.1.7:8000/v1")\n', id="private-address"),
        pytest.param(HEAD + f'OpenAI(api_key={KEY}, base_url="http://vllm:8000/v1")\n', id="service"),
        pytest.param(HEAD + 'OpenAI(base_url="https://llm.internal.corp/v1")\n', id="unknown-host"),
        pytest.param(HEAD + f'OpenAI(api_key={KEY}, base_url=os.environ["BASE"])\n', id="host-from-the-environment"),
        pytest.param(HEAD + 'OpenAI(base_url=os.getenv("BASE"))\n', id="host-from-the-environment-implied"),
        pytest.param(HEAD + f'OpenAI(api_key="EMPTY", base_url="{DEEPSEEK}")\n', id="a-text-as-key"),
        pytest.param(HEAD + f'OpenAI(api_key=os.environ["MY_KEY"], base_url="{DEEPSEEK}")\n', id="nobodys-variable"),
        pytest.param(HEAD + f'def f(key): return OpenAI(api_key=key, base_url="{DEEPSEEK}")\n', id="unknown-key"),
        pytest.param(HEAD + f'def f(**kw): return OpenAI(base_url="{DEEPSEEK}", **kw)\n', id="hidden-arguments"),
        pytest.param(HEAD + f"def f(url): return OpenAI(api_key={KEY}, base_url=url)\n", id="unknown-base"),
        pytest.param(
            HEAD + f'OpenAI(api_key={KEY}, base_url="https://gateway.ai.cloudflare.com/v1/a/b/openai")\n', id="gateway"
        ),
        pytest.param(HEAD + 'OpenAI(base_url="https://oai.helicone.ai/v1")\n', id="gateway-implied"),
        pytest.param(
            "import os\nfrom openai import AzureOpenAI\n"
            f'AzureOpenAI(api_key={KEY}, azure_endpoint="https://x.openai.azure.com", api_version="1")\n',
            id="azure",
        ),
        pytest.param(
            f'{HEAD}OpenAI(api_key={KEY}, base_url="https://x.openai.azure.com/openai/v1/")\n',
            id="azure-v1",
        ),
        pytest.param(
            'from anthropic import Anthropic\nAnthropic(base_url="https://api.deepseek.com/anthropic")\n',
            id="documented-anthropic-base",
        ),
        pytest.param(
            "import os, anthropic\n"
            'anthropic.Anthropic(api_key=os.environ["ANTHROPIC_AUTH_TOKEN"], base_url="https://api.z.ai/api/anthropic")\n',
            id="documented-anthropic-token",
        ),
        pytest.param(
            HEAD + f'os.environ["OPENAI_API_KEY"] = os.environ["DEEPSEEK_API_KEY"]\nOpenAI(base_url="{DEEPSEEK}")\n',
            id="the-file-sets-it",
        ),
        pytest.param(
            HEAD + f'os.environ["OPENAI_API_KEY"] = load()\nOpenAI(base_url="{RELAY}")\n', id="the-file-sets-it-somehow"
        ),
        pytest.param(
            HEAD + f'key = os.getenv("DEEPSEEK_API_KEY")\nif not key:\n    raise SystemExit("set it")\n'
            f'OpenAI(api_key=key, base_url="{DEEPSEEK}")\n',
            id="guarded",
        ),
        pytest.param(
            HEAD + 'for name in ["DEEPSEEK_API_KEY"]:\n    require(name)\n'
            f'OpenAI(api_key=os.getenv("DEEPSEEK_API_KEY"), base_url="{DEEPSEEK}")\n',
            id="required-elsewhere",
        ),
        pytest.param(
            HEAD + f'OpenAI(api_key=os.getenv("DEEPSEEK_API_KEY", "missing"), base_url="{DEEPSEEK}")\n', id="a-fallback"
        ),
        pytest.param(
            HEAD + "import sys\n"
            f'OpenAI(api_key=os.getenv("DEEPSEEK_API_KEY") or sys.exit("set it"), base_url="{DEEPSEEK}")\n',
            id="or-exit",
        ),
        pytest.param(
            HEAD + 'if cheap:\n    key, url = os.environ["DEEPSEEK_API_KEY"], "https://api.deepseek.com"\n'
            f'else:\n    key, url = {KEY}, "https://api.openai.com/v1"\nOpenAI(api_key=key, base_url=url)\n',
            id="pairs-decided-at-run-time",
        ),
        pytest.param(
            HEAD + f'A = [("{DEEPSEEK}", "DEEPSEEK_API_KEY"), ("https://api.openai.com/v1", "OPENAI_API_KEY")]\n'
            "for url, name in A:\n    OpenAI(api_key=os.environ[name], base_url=url)\n",
            id="pairs-in-a-list",
        ),
        pytest.param(
            "import os\nfrom google import genai\ngenai.Client(api_key=os.environ['GOOGLE_API_KEY'])\n",
            id="alias",
        ),
        pytest.param(
            "import os, requests\nrequests.post('https://models.github.ai/inference/chat/completions',"
            " headers={'Authorization': f\"Bearer {os.environ['GITHUB_TOKEN']}\"})\n",
            id="shared-variable",
        ),
        pytest.param("from anthropic import AnthropicBedrock\nAnthropicBedrock()\n", id="another-cloud"),
        pytest.param(HEAD + f'OpenAI(base_url="{DEEPSEEK}", default_headers=make())\n', id="headers-unseen"),
        pytest.param('import litellm\nlitellm.completion(model="deepseek/deepseek-chat", messages=[])\n', id="litellm"),
    ],
)
def test_what_belongs_together_stays_quiet(text: str) -> None:
    assert cases(check, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(HEAD + f'OpenAI(base_url="{RELAY}")\n', [(3, "relay-implied")], id="implied-relay"),
        pytest.param(HEAD + f'OpenAI(base_url="{DEEPSEEK}")\n', [(3, "implied")], id="implied-vendor"),
        pytest.param(HEAD + f'OpenAI(api_key=None, base_url="{DEEPSEEK}")\n', [(3, "implied")], id="none-is-implied"),
        pytest.param(HEAD + f'OpenAI(\n  base_url="{DEEPSEEK}",\n  api_key={KEY},\n)\n', [(5, None)], id="named"),
        pytest.param(HEAD + f"k = {KEY}\nOpenAI(api_key=k, base_url='{DEEPSEEK}')\n", [(4, None)], id="through-a-name"),
        pytest.param(HEAD + f'OpenAI(api_key={KEY}, base_url="{RELAY}")\n', [(3, "relay")], id="named-relay"),
        pytest.param(
            HEAD + f'OpenAI(api_key={KEY})\nOpenAI(api_key={KEY}, base_url="{RELAY}")\n',
            [(4, "relay-shared")],
            id="relay-and-owner",
        ),
        pytest.param(
            HEAD + f'OpenAI(api_key=os.getenv("DEEPSEEK_API_KEY"), base_url="{DEEPSEEK}")\n',
            [(3, "fallback")],
            id="falls-back",
        ),
        pytest.param(
            HEAD
            + f'def f(k=None):\n  k = k or os.getenv("DEEPSEEK_API_KEY")\n  OpenAI(api_key=k, base_url="{DEEPSEEK}")\n',
            [(5, "fallback")],
            id="falls-back-behind-or",
        ),
        pytest.param(
            HEAD + f'OpenAI(api_key=os.environ.get("DEEPSEEK_API_KEY") or {KEY}, base_url="{DEEPSEEK}")\n',
            [(3, "second")],
            id="second-choice",
        ),
        pytest.param(
            HEAD + 'OpenAI(api_key=os.environ["ANTHROPIC_API_KEY"])\n', [(3, "default-host")], id="no-base-url"
        ),
        pytest.param(
            HEAD + f'OpenAI(api_key={KEY}, base_url=os.getenv("BASE", "{DEEPSEEK}"))\n',
            [(3, "unless-set")],
            id="base-with-a-fallback",
        ),
        pytest.param(
            HEAD + f'os.environ["OPENAI_BASE_URL"] = "{DEEPSEEK}"\nOpenAI()\n',
            [(4, "implied")],
            id="base-set-by-the-file",
        ),
        pytest.param(
            HEAD + 'OpenAI(api_key=os.environ["ANTHROPIC_API_KEY"], base_url="https://api.deepseek.com")\n',
            [(3, None)],
            id="reused-elsewhere-only",
        ),
        pytest.param(
            HEAD + f'OpenAI(api_key={KEY}, base_url="https://openrouter.ai/api/v1")\n', [(3, None)], id="aggregator"
        ),
        pytest.param(
            f'import os, openai\nopenai.api_key = {KEY}\nopenai.api_base = "{DEEPSEEK}"\n'
            "openai.ChatCompletion.create(model='deepseek-chat', messages=[])\n",
            [(2, None)],
            id="module-settings",
        ),
        pytest.param(
            "import os, requests\nrequests.post(\n  'https://api.moonshot.cn/v1/chat/completions',\n"
            "  headers={'Authorization': f\"Bearer {os.environ['OPENAI_API_KEY']}\"},\n)\n",
            [(4, None)],
            id="raw-request",
        ),
        pytest.param(
            "from langchain_openai import ChatOpenAI\nChatOpenAI(base_url='https://dashscope.aliyuncs.com/compatible-mode/v1')\n",
            [(2, "implied")],
            id="langchain",
        ),
        pytest.param(
            "from langchain_deepseek import ChatDeepSeek\nChatDeepSeek(model='m', api_base='https://api.siliconflow.cn/v1')\n",
            [(2, "fallback"), (2, "implied")],
            id="two-variables-at-a-foreign-base",
        ),
        pytest.param(
            "from langchain_deepseek import ChatDeepSeek\nChatDeepSeek(model='m', api_base='https://api.deepseek.com/beta')\n",
            [(2, "fallback")],
            id="fallback-at-its-own-other-base",
        ),
        pytest.param(
            "from huggingface_hub import InferenceClient\nInferenceClient(base_url='https://api.together.xyz/v1')\n",
            [(2, "implied")],
            id="a-token-for-any-host",
        ),
        pytest.param(
            "import ollama\nollama.Client(host='https://api.deepseek.com')\n", [(2, "implied")], id="a-key-for-any-host"
        ),
        pytest.param(
            f"import litellm\nlitellm.completion(model='openai/gpt-4o', messages=[], api_base='{RELAY}')\n",
            [(2, "relay-implied")],
            id="a-prefix-chooses-the-variable",
        ),
        pytest.param(
            f"import dspy\ndspy.LM('openai/deepseek-chat', api_base='{DEEPSEEK}')\n",
            [(2, "implied")],
            id="a-prefix-by-position",
        ),
        pytest.param(
            'import os\nos.environ["STEPFUN_API_KEY"] = "<openrouter-key>"\nimport openai\n',
            [(2, "wrong-variable")],
            id="a-foreign-key-set",
        ),
    ],
)
def test_what_goes_elsewhere_is_told(text: str, expected: list[tuple[int, str | None]]) -> None:
    assert cases(check, text) == expected


def test_the_message_names_variable_and_host_and_the_read_is_related() -> None:
    found = told(check, HEAD + f'k = os.getenv("OPENAI_API_KEY")\nOpenAI(api_key=k, base_url="{RELAY}")\n')
    assert [(one.message, one.text, one.related) for one in found] == [
        (
            "OPENAI_API_KEY is sent to the relay api.poloapi.top: where it holds a key of OpenAI, the relay has it",
            "k",
            ("OPENAI_API_KEY is read here",),
        )
    ]


def test_the_providers_are_named_in_the_readers_language() -> None:
    found = told(check, HEAD + f'OpenAI(api_key={KEY}, base_url="{DEEPSEEK}")\n', lang="zh")
    assert [one.message for one in found] == [
        "OPENAI_API_KEY 是 OpenAI 的密钥\uff0c这里却会发送到 深度求索 的 api.deepseek.com"
    ]


@pytest.mark.parametrize("owner", ["own", "openai"])
def test_a_trusted_host_is_whose_the_settings_say(owner: str) -> None:
    text = HEAD + f'OpenAI(base_url="{RELAY}")\n'
    assert cases(check, text, trusted=(("api.poloapi.top", owner),)) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("OPENAI_API_KEY=<openai-key>\n", id="its-own"),
        pytest.param("OPENAI_API_KEY=<deepseek-key>\n", id="a-shared-form"),
        pytest.param("MY_KEY=<openrouter-key>\n", id="nobodys-variable"),
        pytest.param(
            "OPENAI_API_KEY=<openrouter-key>\nOPENAI_BASE_URL=https://openrouter.ai/api/v1\n", id="its-base-url"
        ),
        pytest.param(
            "OPENAI_BASE_URL=https://llm.corp.example/v1\nOPENAI_API_KEY=<openrouter-key>\n", id="unknown-base"
        ),
        pytest.param("LITELLM_API_KEY=<openai-key>\n", id="a-gateways-variable"),
        pytest.param("# STEPFUN_API_KEY=<openrouter-key>\n", id="a-comment"),
    ],
)
def test_variables_of_env_files_that_hold_what_they_should_stay_quiet(text: str) -> None:
    assert hits(check_text, ".env", text) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("STEPFUN_API_KEY=<openrouter-key>\n", 1),
        ('A=1\nexport OPENAI_API_KEY="<openrouter-key>"\n', 2),
        ("OPENAI_API_KEY=<openrouter-key>\nOPENAI_BASE_URL=https://api.openai.com/v1\n", 1),
    ],
)
def test_a_foreign_key_in_an_env_file_is_found(text: str, line: int) -> None:
    found = hits(check_text, ".env", text)
    assert [(hit.case, hit.span.start) for hit in found] == [
        ("wrong-variable", text.index(text.splitlines()[line - 1]) + (7 if "export" in text else 0))
    ]
