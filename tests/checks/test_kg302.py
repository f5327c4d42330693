"""KG302: clients of model SDKs whose calls nothing but the SDK's own default ends."""
# ruff: noqa: RUF001  # Chinese has its own punctuation

from __future__ import annotations

import pytest

from keyguard.checks.kg302 import check
from keyguard.python.connections import network_of
from keyguard.python.facts import read_module
from keyguard.python.module import ParseFailure
from keyguard.settings import Advice
from keyguard.source import SourceFile
from tests.checks.networks import heard
from tests.checks.spoken import short, spoken
from tests.python.made import loaded

_SEND = "c.responses.create(model='gpt-5', input='x'"

QUIET = {
    "client": f"from openai import OpenAI\nc = OpenAI(timeout=60)\n{_SEND})\n",
    "client, none": f"from openai import OpenAI\nc = OpenAI(timeout=None)\n{_SEND})\n",
    "every call": f"from openai import OpenAI\nc = OpenAI()\n{_SEND}, timeout=5)\n{_SEND}, timeout=6)\n",
    "with_options": f"from openai import OpenAI\nc = OpenAI()\nc.with_options(timeout=5).{_SEND[2:]})\n",
    "kwargs": "from openai import OpenAI\ndef f(**kwargs):\n    return OpenAI(**kwargs)\n",
    "call's kwargs": f"from openai import OpenAI\nc = OpenAI()\ndef f(**kwargs):\n    {_SEND}, **kwargs)\n",
    "parameter": "from openai import OpenAI\ndef f(seconds):\n    return OpenAI(timeout=seconds)\n",
    "http client": "import httpx\nfrom openai import OpenAI\nc = OpenAI(http_client=httpx.Client(timeout=60))\n",
    "http client from elsewhere": "from x import http\nfrom openai import OpenAI\nc = OpenAI(http_client=http)\n",
    "module setting": "import openai\nopenai.timeout = 60\nopenai.responses.create(model='gpt-5', input='x')\n",
    "loopback": "from openai import OpenAI\nc = OpenAI(base_url='http://localhost:8000/v1', api_key='EMPTY')\n",
    "wait_for": (
        "import asyncio\nfrom openai import AsyncOpenAI\nc = AsyncOpenAI()\nasync def f():\n"
        f"    return await asyncio.wait_for({_SEND}), timeout=5)\n"
    ),
    "asyncio.timeout": (
        "import asyncio\nfrom openai import AsyncOpenAI\nc = AsyncOpenAI()\nasync def f():\n"
        f"    async with asyncio.timeout(5):\n        return await {_SEND})\n"
    ),
    "wait_for around the function": (
        "import asyncio\nfrom openai import AsyncOpenAI\nc = AsyncOpenAI()\nasync def ask():\n"
        f"    return await {_SEND})\nasync def f():\n    return await asyncio.wait_for(ask(), 5)\n"
    ),
    "a local SDK whose host is unknown": (
        "import ollama\ndef f(host):\n    c = ollama.Client(host=host)\n    return c.chat(model='m')\n"
    ),
    "a key that only servers of one's own take, whose host is unknown": (
        "from openai import OpenAI\ndef f(url):\n    c = OpenAI(base_url=url, api_key='lm-studio')\n"
        "    return c.embeddings.create(model='m', input='x')\n"
    ),
    "a socket, which has a limit of its own to open": (
        "from google import genai\nc = genai.Client()\nasync def f():\n"
        "    async with c.aio.live.connect(model='m') as session: pass\n"
    ),
    "a short default": "from together import Together\nc = Together()\nc.chat.completions.create(model='m')\n",
    "gemini": (
        "from google import genai\nfrom google.genai import types\n"
        "c = genai.Client(http_options=types.HttpOptions(timeout=60_000))\n"
    ),
    "gemini, options from elsewhere": "from google import genai\nfrom x import o\nc = genai.Client(http_options=o)\n",
    "no model": "from huggingface_hub import HfApi\nHfApi()\n",
    "a class of that name": "class OpenAI: pass\nOpenAI()\n",
    "raw request": "import requests\nrequests.post('https://api.openai.com/v1/responses')\n",
}

LOUD = {
    "a key that only servers of one's own take, at a known host": (
        "from openai import OpenAI\nc = OpenAI(base_url='https://api.deepseek.com', api_key='lm-studio')\n",
        2,
        None,
        (),
    ),
    "another key, whose host is unknown": (
        "from openai import OpenAI\ndef f(url, key):\n    return OpenAI(base_url=url, api_key=key)\n",
        3,
        None,
        (),
    ),
    "a socket and a request": (
        (
            "from google import genai\nc = genai.Client()\nc.models.generate_content(model='m')\nasync def f():\n"
            "    async with c.aio.live.connect(model='m') as session: pass\n"
        ),
        2,
        "endless",
        (3,),
    ),
    "a local SDK on a host elsewhere": (
        "import ollama\nc = ollama.Client(host='https://models.example.com')\nc.chat(model='m')\n",
        2,
        "endless",
        (3,),
    ),
    "openai": ("from openai import OpenAI\nc = OpenAI()\n", 2, None, ()),
    "openai with calls": (f"from openai import OpenAI\nc = OpenAI()\n{_SEND})\n{_SEND})\n", 2, None, (3, 4)),
    "one call without": (f"from openai import OpenAI\nc = OpenAI()\n{_SEND}, timeout=5)\n{_SEND})\n", 2, None, (4,)),
    "http client without one": (
        "import httpx\nfrom openai import OpenAI\nc = OpenAI(http_client=httpx.Client())\n",
        3,
        None,
        (),
    ),
    "gemini": ("from google import genai\nc = genai.Client()\n", 2, "endless", ()),
    "hugging face": ("from huggingface_hub import InferenceClient\nc = InferenceClient()\n", 2, "endless", ()),
    "langchain": ("from langchain_openai import ChatOpenAI\nm = ChatOpenAI(model='gpt-5')\n", 2, "endless", ()),
    "module": ("import openai\nopenai.responses.create(model='gpt-5', input='x')\n", 2, None, ()),
    "waited for without end": (
        (
            "import asyncio\nfrom openai import AsyncOpenAI\nc = AsyncOpenAI()\nasync def f():\n"
            f"    return await asyncio.wait_for({_SEND}), None)\n"
        ),
        3,
        None,
        (5,),
    ),
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET.keys())
def test_a_client_whose_calls_end_or_may_end_stays_quiet(text: str) -> None:
    assert short(check, text) == []


@pytest.mark.parametrize(("text", "line", "case", "related"), LOUD.values(), ids=LOUD.keys())
def test_a_client_without_a_limit_is_found_once(
    text: str, line: int, case: str | None, related: tuple[int, ...]
) -> None:
    found = spoken(check, text)
    assert [(one.rule, one.line, one.case, one.related) for one in found] == [("KG302", line, case, related)]


def test_the_message_says_the_real_default() -> None:
    (one,) = spoken(check, "from openai import OpenAI\nc = OpenAI()\n")
    assert one.message == "OpenAI is given no timeout: a call waits up to 600 s by default"
    assert (one.remedy, one.severity) == ("Set one: timeout=120", "low")
    (one,) = spoken(check, "from google import genai\nc = genai.Client()\n", lang="zh", model_timeout=45)
    assert one.message == "genai.Client 没有设置超时，默认也没有：一次调用可能永远等下去"
    assert (one.remedy, one.severity) == ("请设置超时：http_options=types.HttpOptions(timeout=45_000)", "medium")


def test_limits_of_one_module_call_hold_for_no_other() -> None:
    text = "import litellm\nlitellm.completion(model='m', timeout=5)\nlitellm.completion(model='m')\n"
    assert [(one.line, one.related) for one in spoken(check, text)] in ([(2, (3,))], [])


@pytest.mark.parametrize(
    ("sent", "found"),
    [("", [(3, (4,))]), (", timeout=5", [])],
    ids=["without", "with its own"],
)
def test_a_client_built_around_another_is_that_one(sent: str, found: list[tuple[int, tuple[int, ...]]]) -> None:
    text = (
        "import instructor\nfrom openai import OpenAI\nc = instructor.from_openai(OpenAI())\n"
        f"c.chat.completions.create(model='m'{sent})\n"
    )
    assert [(one.line, one.related) for one in spoken(check, text)] == found


_LANGCHAIN = "from langchain.chat_models import ChatOpenAI\nm = ChatOpenAI({given})\nm.predict('x')\n"


@pytest.mark.parametrize(
    ("given", "versions", "found"),
    [
        ("", {"openai": "0.28.1"}, [(None, "600")]),
        ("request_timeout=None", {"openai": "0.28.1"}, [(None, "600")]),
        ("request_timeout=60", {"openai": "0.28.1"}, []),
        ("", {"openai": "1.0.dev0"}, [(None, "600")]),
        ("", {"openai": "1.3.0"}, [("endless", "")]),
        ("", {}, [("endless", "")]),
        ("request_timeout=60", {}, []),
    ],
)
def test_what_a_client_hands_on_means_what_the_pinned_sdk_makes_of_it(
    given: str, versions: dict[str, str], found: list[tuple[str | None, str]]
) -> None:
    heard_of = heard(check, _LANGCHAIN.format(given=given), versions=versions)
    assert [(one.case, one.hit.values.get("seconds", "")) for one in heard_of] == found


_CLAUDE = "from langchain_anthropic import ChatAnthropic\nm = ChatAnthropic(model='m')\nm.invoke('x')\n"
_CLAUDE_LLM = "from langchain_anthropic import AnthropicLLM\nm = AnthropicLLM(model='m')\nm.invoke('x')\n"
_GEMINI = "from langchain_google_genai import ChatGoogleGenerativeAI\nm = ChatGoogleGenerativeAI(model='m'{more})\n"
_EMBEDDINGS = (
    "from langchain_google_genai import GoogleGenerativeAIEmbeddings\n"
    "m = GoogleGenerativeAIEmbeddings(model='m')\nm.embed_query('x')\n"
)


@pytest.mark.parametrize(
    ("text", "package", "version", "found"),
    [
        (_CLAUDE, "langchain-anthropic", "0.1.6", [(None, "600")]),
        (_CLAUDE, "langchain-anthropic", "0.1.7", [("endless", "")]),
        (_CLAUDE, "langchain-anthropic", "0.2.dev0", [("endless", "")]),
        (_CLAUDE_LLM, "langchain-anthropic", "0.1.6", [("endless", "")]),
        (_GEMINI.format(more=""), "langchain-google-genai", "4.0.0", [("endless", "")]),
        (_GEMINI.format(more=""), "langchain-google-genai", "3.2.0", [(None, "600")]),
        (_GEMINI.format(more=", timeout=None"), "langchain-google-genai", "3.2.0", [(None, "600")]),
        (_GEMINI.format(more=", timeout=60"), "langchain-google-genai", "3.2.0", []),
        (_GEMINI.format(more=""), "langchain-google-genai", "2.0.5", []),
        (_EMBEDDINGS, "langchain-google-genai", "4.4.2", [("endless-outside", "")]),
        (_EMBEDDINGS, "langchain-google-genai", "3.2.0", []),
    ],
)
def test_an_older_release_has_the_default_of_what_it_was_built_on(
    text: str, package: str, version: str, found: list[tuple[str | None, str]]
) -> None:
    heard_of = heard(check, text, versions={package: version})
    assert [(one.case, one.hit.values.get("seconds", "")) for one in heard_of] == found


def test_a_client_that_takes_no_limit_is_given_no_code() -> None:
    (one,) = spoken(check, _EMBEDDINGS)
    assert (one.case, one.severity, "timeout=" in one.remedy) == ("endless-outside", "medium", False)
    assert one.remedy.startswith("It takes no timeout of its own")
    (hit,) = (found.hit for found in heard(check, _EMBEDDINGS))
    assert not hit.values["remedy"]
    (one,) = spoken(check, "from langchain_community.chat_models import ChatTongyi\nm = ChatTongyi()\nm.invoke('x')\n")
    assert (one.case, one.severity, "timeout=" in one.remedy) == ("outside", "low", False)
    assert "300 s" in one.message


@pytest.mark.parametrize(
    ("install", "case"),
    [("%pip install langchain-google-genai==3.2.0", None), ("%pip install langchain-google-genai", "endless")],
)
def test_what_a_notebook_installs_is_a_pin(install: str, case: str | None) -> None:
    cell = SourceFile("a.ipynb", f"{install}\n{_GEMINI.format(more='')}", kind="python", cell=1)
    found = read_module(cell, loaded())
    assert not isinstance(found, ParseFailure)
    assert [spot.case for spot in check(network_of(found.near, Advice(), {}))] == [case]
