"""Model calls are found and put together: client, key, host, model, timeout, attempts, however the code spells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keyguard.python.connections import network_of
from keyguard.settings import Advice
from tests.python.made import facts

if TYPE_CHECKING:
    from keyguard.python.network import Connection, ModelCall, Network


def network(text: str, **advice: object) -> Network:
    return network_of(facts(text).near, Advice(**advice), {})  # type: ignore[arg-type]


def only(text: str) -> Connection:
    found = network(text).connections
    assert len(found) == 1, [connection.name for connection in found]
    return found[0]


def call(text: str) -> ModelCall:
    found = network(text).calls
    assert len(found) == 1, [one.method for one in found]
    return found[0]


# What is no connection


@pytest.mark.parametrize(
    "text",
    [
        "class OpenAI: pass\nclient = OpenAI()\nclient.run()\n",
        "from openai import OpenAIError\nraise OpenAIError()\n",
        "import requests\nrequests.get('https://example.com/v1/items')\n",
        "import requests\nrequests.post('https://chat.example.com/open-apis/im/v1/messages')\n",
        "from azure.core.credentials import AzureKeyCredential\nAzureKeyCredential('x')\n",
        "from transformers import AutoModel\nAutoModel.from_pretrained('x', token='y')\n",
        "from tavily import TavilyClient\nTavilyClient(api_key='x')\n",
        "def create(): pass\ncreate()\n",
        "client = object()\nclient.completions()\n",
        "import openai\nprint(openai.__version__)\n",
        "from openai import *\nOpenAI()\n",
    ],
    ids=lambda text: text.splitlines()[0][:40],
)
def test_what_sends_nothing_to_a_model_is_no_connection(text: str) -> None:
    found = network(text)
    assert [one.name for one in found.connections] == []
    assert [one.method for one in found.calls] == []


# Who is called


@pytest.mark.parametrize(
    ("text", "name", "method"),
    [
        ("import openai\nc = openai.OpenAI()\nc.chat.completions.create(model='m')\n", "openai.OpenAI", None),
        ("from openai import OpenAI as O\nO().chat.completions.create(model='m')\n", "openai.OpenAI", None),
        (
            "import openai as o\ndef f():\n  c = o.OpenAI()\n  return c.chat.completions.create()\n",
            "openai.OpenAI",
            None,
        ),
        (
            (
                "from openai import OpenAI\nclass A:\n  def __init__(self):\n    self.c = OpenAI()\n"
                "  def f(self):\n    return self.c.chat.completions.create()\n"
            ),
            "openai.OpenAI",
            None,
        ),
        (
            "from openai import OpenAI\ndef make():\n  return OpenAI()\nmake().chat.completions.create()\n",
            "openai.OpenAI",
            None,
        ),
        (
            "from openai import OpenAI\nwith OpenAI() as c:\n  c.chat.completions.with_raw_response.create()\n",
            "openai.OpenAI",
            None,
        ),
        (
            "from openai import OpenAI\nc = OpenAI()\nc.with_options(timeout=5).chat.completions.create()\n",
            "openai.OpenAI",
            None,
        ),
        (
            (
                "from openai import OpenAI\nclass W:\n  def __init__(self, c=None):\n    self.c = c or OpenAI()\n"
                "w = W()\nw.c.chat.completions.create()\n"
            ),
            "openai.OpenAI",
            None,
        ),
        (
            "from google import genai\nc = genai.Client()\nchat = c.chats.create(model='g')\nchat.send_message('x')\n",
            "google.genai.Client",
            "chats.create().send_message",
        ),
        (
            "from google import genai\nc = genai.Client()\nasync def f():\n  await c.aio.models.generate_content()\n",
            "google.genai.Client",
            "aio.models.generate_content",
        ),
        ("import litellm\nlitellm.completion(model='gpt-5')\n", "litellm.completion", "litellm.completion"),
        ("from litellm import completion\ncompletion(model='gpt-5')\n", "litellm.completion", "litellm.completion"),
        ("import openai\nopenai.chat.completions.create()\n", "openai.chat.completions.create", None),
        (
            "from langchain_openai import ChatOpenAI\nChatOpenAI().invoke('x')\n",
            "langchain_openai.ChatOpenAI",
            "invoke",
        ),
    ],
    ids=lambda value: value.splitlines()[0][:30] if value else None,
)
def test_a_call_is_traced_to_the_client_it_goes_through(text: str, name: str, method: str | None) -> None:
    found = call(text)
    assert found.connection is not None
    assert found.connection.name == name
    assert found.method in {method or "chat.completions.create", name}


def test_calls_through_one_client_belong_to_one_connection() -> None:
    found = only(
        "from openai import OpenAI\nc = OpenAI()\n"
        "def a():\n  return c.chat.completions.create(model='a')\n"
        "def b():\n  return c.embeddings.create(model='b')\n"
    )
    assert [one.method for one in found.calls] == ["chat.completions.create", "embeddings.create"]
    assert found.models == ("a", "b")


def test_a_client_that_comes_from_outside_is_still_called() -> None:
    found = call("def f(client):\n  return client.chat.completions.create(model='m')\n")
    assert found.connection is None
    assert found.models == ("m",)


def test_an_annotation_says_whose_client_a_parameter_is() -> None:
    found = call(
        "from openai import AsyncOpenAI\nasync def f(c: AsyncOpenAI):\n  await c.responses.create(model='m')\n"
    )
    assert found.connection is None
    assert found.sdk is not None
    assert found.sdk.id == "openai"
    assert found.is_async
    assert found.is_awaited


# Where it goes


@pytest.mark.parametrize(
    ("given", "hosts"),
    [
        ("base_url='https://api.poloapi.top/v1'", [("api.poloapi.top", "relay")]),
        ("base_url='https://API.DeepSeek.com'", [("api.deepseek.com", "official")]),
        ("base_url='http://localhost:8000/v1'", [("localhost:8000", "local")]),
        ("base_url='http://192.168.1.5/v1'", [("192.168.1.5", "local")]),
        ("base_url='http://vllm:8000/v1'", [("vllm:8000", "local")]),
        ("base_url='https://llm.corp.internal/v1'", [("llm.corp.internal", "local")]),
        ("base_url='https://llm.example.com/v1'", [("llm.example.com", "unknown")]),
        ("base_url=os.environ['LLM_URL']", []),
        ("base_url=unknown()", []),
        ("base_url=os.getenv('LLM_URL', 'https://openrouter.ai/api/v1')", [("openrouter.ai", "gateway")]),
        ("base_url=None", [("api.openai.com", "official")]),
        ("**{'base_url': 'https://api.deepseek.com'}", [("api.deepseek.com", "official")]),
        ("**settings", []),
        ("", [("api.openai.com", "official")]),
        (
            "base_url='https://api.deepseek.com' if x else 'https://api.moonshot.cn/v1'",
            [("api.deepseek.com", "official"), ("api.moonshot.cn", "official")],
        ),
        ("base_url=f'https://{region}.api.openai.com/v1'", [("{}.api.openai.com", "official")]),
        ("base_url=f'https://{host}/v1'", []),
    ],
)
def test_the_host_is_known_or_not_guessed(given: str, hosts: list[tuple[str, str]]) -> None:
    found = only(f"import os\nfrom openai import OpenAI\nc = OpenAI({given})\n")
    assert [(host.name, host.route) for host in found.hosts] == hosts


def test_a_base_url_that_the_module_puts_into_the_environment_counts() -> None:
    found = only(
        "import os\nfrom openai import OpenAI\n"
        "os.environ['OPENAI_BASE_URL'] = 'https://api.poloapi.top/v1'\nc = OpenAI()\n"
    )
    assert [(host.name, host.origin) for host in found.hosts] == [("api.poloapi.top", "env")]


def test_settings_of_a_module_hold_for_its_calls() -> None:
    found = only(
        "import os, openai\nopenai.api_key = os.environ['DEEPSEEK_API_KEY']\n"
        "openai.base_url = 'https://api.deepseek.com/'\nopenai.chat.completions.create(model='deepseek-chat')\n"
    )
    assert found.key_names == ("DEEPSEEK_API_KEY",)
    assert [host.name for host in found.hosts] == ["api.deepseek.com"]


# Which key


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("", ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY")),
        ("api_key=os.environ['X_API_KEY']", ("X_API_KEY",)),
        ("api_key=os.getenv('A_KEY') or os.getenv('B_KEY')", ("A_KEY", "B_KEY")),
        ("api_key=f\"{os.environ['X_API_KEY']}\"", ("X_API_KEY",)),
        ("api_key='not-needed'", ()),
        ("api_key=unknown()", ()),
    ],
)
def test_the_variables_a_key_comes_from_are_known(given: str, names: tuple[str, ...]) -> None:
    found = only(f"import os\nfrom openai import OpenAI\nc = OpenAI({given})\n")
    assert found.key_names[: len(names)] == names
    assert len(found.key_names) >= len(names)


# How long, how often


@pytest.mark.parametrize(
    ("given", "seconds", "origin"),
    [
        ("", 600, "default"),
        ("timeout=30", 30, "client"),
        ("timeout=1.5", 1.5, "client"),
        ("timeout=None", None, "client"),
        ("timeout=float('inf')", None, "client"),
        ("timeout=httpx.Timeout(20, connect=5)", 20, "client"),
        ("timeout=httpx.Timeout(20, read=7)", 7, "client"),
        ("timeout=httpx.Timeout(None)", None, "client"),
        ("http_client=httpx.Client(timeout=9)", 9, "http-client"),
        ("http_client=httpx.Client()", 600, "default"),
        ("**{'timeout': 4}", 4, "client"),
        ("timeout=30 if fast else 30", 30, "client"),
    ],
)
def test_the_timeout_of_a_client_is_read_as_its_sdk_reads_it(given: str, seconds: float | None, origin: str) -> None:
    found = only(f"import httpx\nfrom openai import OpenAI\nc = OpenAI({given})\n")
    assert found.timeout.is_known
    assert (found.timeout.seconds, found.timeout.origin) == (seconds, origin)


@pytest.mark.parametrize("given", ["timeout=t", "**options", "timeout=3 if fast else 9", "http_client=make()"])
def test_a_timeout_that_is_not_known_is_not_guessed(given: str) -> None:
    assert not only(f"from openai import OpenAI\nc = OpenAI({given})\n").timeout.is_known


@pytest.mark.parametrize(
    ("made", "sent", "seconds"),
    [
        ("OpenAI()", "c.chat.completions.create(timeout=5)", 5),
        ("OpenAI(timeout=9)", "c.chat.completions.create()", 9),
        ("OpenAI(timeout=9)", "c.with_options(timeout=4).chat.completions.create()", 4),
        ("OpenAI(timeout=9)", "c.with_options(timeout=4).chat.completions.create(timeout=2)", 2),
        ("OpenAI(timeout=9)", "c.with_options(max_retries=4).chat.completions.create()", 9),
    ],
)
def test_the_nearest_timeout_of_a_call_counts(made: str, sent: str, seconds: float) -> None:
    found = call(f"from openai import OpenAI\nc = {made}\n{sent}\n")
    assert found.timeout.seconds == seconds


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("http_options=types.HttpOptions(timeout=30)", 0.03),
        ("http_options={'timeout': 60_000}", 60),
        ("http_options=types.HttpOptions()", None),
        ("", None),
    ],
)
def test_milliseconds_are_milliseconds(given: str, seconds: float | None) -> None:
    found = only(f"from google import genai\nfrom google.genai import types\nc = genai.Client({given})\n")
    assert found.timeout.is_known
    assert found.timeout.seconds == seconds


@pytest.mark.parametrize(
    ("given", "total", "origin"),
    [
        ("", 3, "default"),
        ("max_retries=0", 1, "client"),
        ("max_retries=5", 6, "client"),
        ("max_retries=n", None, "client"),
    ],
)
def test_attempts_count_the_first_one(given: str, total: int | None, origin: str) -> None:
    found = only(f"from openai import OpenAI\nc = OpenAI({given})\n")
    assert (found.attempts.total, found.attempts.origin) == (total, origin)


# Raw HTTP


@pytest.mark.parametrize(
    ("text", "verb", "seconds"),
    [
        ("import requests\nrequests.post('https://api.openai.com/v1/chat/completions')\n", "POST", None),
        ("import requests\nrequests.post('https://api.openai.com/v1/responses', timeout=(3, 60))\n", "POST", 60),
        ("import requests as r\nr.request('post', 'https://api.openai.com/v1/responses', timeout=9)\n", "POST", 9),
        ("import requests\ns = requests.Session()\ns.get('https://api.openai.com/v1/models')\n", "GET", None),
        ("import httpx\nhttpx.post('https://api.openai.com/v1/responses')\n", "POST", 5),
        ("import httpx\nc = httpx.Client(timeout=None)\nc.post('https://api.openai.com/v1/responses')\n", "POST", None),
        ("import httpx\nc = httpx.Client(base_url='https://api.openai.com/v1')\nc.post('/responses')\n", "POST", 5),
        ("import httpx\nc = httpx.Client(timeout=2)\nc.post('https://api.openai.com/v1/x', timeout=4)\n", "POST", 4),
        (
            (
                "import aiohttp\nasync def f():\n  async with aiohttp.ClientSession() as s:\n"
                "    async with s.post('https://api.openai.com/v1/responses') as r:\n      pass\n"
            ),
            "POST",
            300,
        ),
        (
            "import urllib.request as u\nr = u.Request('https://api.openai.com/v1/models')\nu.urlopen(r, None, 7)\n",
            "",
            7,
        ),
        ("import requests\ndef f(base):\n  requests.post(f'{base}/chat/completions', timeout=1)\n", "POST", 1),
    ],
    ids=lambda value: value.splitlines()[-1].strip()[:40] if isinstance(value, str) and value else None,
)
def test_raw_requests_to_model_hosts_are_model_calls(text: str, verb: str, seconds: float | None) -> None:
    found = call(text)
    assert found.http is not None
    assert found.http.verb == verb
    assert found.timeout.is_known
    assert found.timeout.seconds == seconds


@pytest.mark.parametrize(
    "sent",
    [
        "requests.post(u, headers={'Authorization': f'Bearer {k}'})",
        "requests.post(u, headers={'api-key': k})",
        "requests.post(u, params={'key': k})",
        "s = requests.Session()\ns.headers.update({'Authorization': k})\ns.post(u)",
        "s = requests.Session()\ns.headers['x-api-key'] = k\ns.post(u)",
    ],
)
def test_a_key_that_travels_with_a_request_is_seen(sent: str) -> None:
    found = call(
        f"import os, requests\nu = 'https://api.openai.com/v1/responses'\nk = os.environ['OPENAI_API_KEY']\n{sent}\n"
    )
    assert found.http is not None
    assert found.http.carries_key
    assert found.connection is not None
    assert found.connection.key_names == ("OPENAI_API_KEY",) or "params" in sent


# Bounded work


@pytest.mark.parametrize(
    "text",
    [
        "def f(c):\n  return f(c).chat.completions.create()\n",
        "c = c.d = c\nc.chat.completions.create()\n",
        "from openai import OpenAI\nclass A(A):\n  c = OpenAI()\n  def f(self):\n    self.c.responses.create()\n",
        "from openai import OpenAI\nOpenAI = OpenAI\nc = OpenAI(**OpenAI)\n",
        "import openai\n" + "x = openai.OpenAI\n" * 500 + "x().chat.completions.create()\n",
        "c = lambda: c()\nc().chat.completions.create()\n",
    ],
    ids=["recursive", "self-assigned", "own-base", "shadowed", "many", "lambda"],
)
def test_odd_code_ends(text: str) -> None:
    network(text)
