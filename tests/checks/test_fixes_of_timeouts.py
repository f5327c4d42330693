"""What the fixes of KG301 to KG304 write, and where they write nothing."""
# ruff: noqa: RUF001  # Chinese has its own punctuation

from __future__ import annotations

import pytest

from keyguard.checks import kg301, kg302, kg303, kg304
from tests.checks.mending import mended, titles

_GEMINI = "from google import genai\nfrom google.genai import types\n"

UNTOUCHED_301 = {
    "a mapping": "import requests\ndef f(u, o):\n    return requests.get(u, **o)\n",
    "a row": "import requests\ndef f(*a):\n    return requests.get(*a)\n",
    "a class with a `request` of its own": (
        "import requests\nclass S(requests.Session):\n    def request(self, method, url):\n"
        "        return super().request(method, url)\n    def f(self):\n        return self.get('https://a.b')\n"
    ),
    "a class whose base is elsewhere": (
        "import requests\nfrom x import Base\nclass S(Base, requests.Session): pass\ns = S()\ns.get('https://a.b')\n"
    ),
    "a class of a class": (
        "import requests\nclass A(requests.Session):\n    def request(self, m, u): ...\nclass B(A):\n"
        "    def f(self):\n        return self.get('https://a.b')\n"
    ),
    "no such argument": "import urllib.request\nurllib.request.urlretrieve('https://a.b', 'c')\n",
    "by position": "import http.client\nc = http.client.HTTPSConnection('a.b', 443)\nc.request('GET', '/')\n",
    "a setting by a call": "import pycurl\nc = pycurl.Curl()\nc.perform()\n",
    "a function of that name": "def get(u): ...\nget('https://a.b')\n",
    "a timeout": "import requests\nrequests.get('https://a.b', timeout=5)\n",
    "a generator": "import requests\nrequests.get(u for u in ['https://a.b'])\n",
}

MENDED_301 = {
    "function": ("import requests\nrequests.get('https://a.b')\n", "requests.get('https://a.b', timeout=30)"),
    "session": ("import requests\ns = requests.Session()\ns.get('u')\n", "s.get('u', timeout=30)"),
    "a class of one's own": (
        "import requests\nclass S(requests.Session):\n    def f(self):\n        return self.get('https://a.b')\n",
        "self.get('https://a.b', timeout=30)",
    ),
    "super": (
        "import requests\nclass S(requests.Session):\n    def get(self, u):\n        return requests.get(u)\n",
        "requests.get(u, timeout=30)",
    ),
    "partial": (
        "import functools, requests\nf = functools.partial(requests.get, 'https://a.b')\nf()\n",
        "\nf(timeout=30)",
    ),
    "urlopen": ("from urllib.request import urlopen\nurlopen('https://a.b')\n", "urlopen('https://a.b', timeout=30)"),
    "urllib3": (
        "import urllib3\np = urllib3.PoolManager()\np.request('GET', 'u')\n",
        "p.request('GET', 'u', timeout=30)",
    ),
    "connection": (
        "import http.client\nc = http.client.HTTPSConnection('a.b')\nc.request('GET', '/')\n",
        "HTTPSConnection('a.b', timeout=30)",
    ),
    "a model's host": (
        "import requests\nrequests.post('https://api.openai.com/v1/responses', json={})\n",
        "json={}, timeout=120)",
    ),
    "over lines": (
        "import requests\nrequests.get(\n    'https://a.b',  # why\n    params={},\n)\n",
        "    params={},\n    timeout=30,\n)",
    ),
    "a block": ("import requests\nrequests.get('u', json={\n    'a': 1\n})\n", "    'a': 1\n}, timeout=30)"),
    "trailing comma": ("import requests\nrequests.get('u',)\n", "requests.get('u', timeout=30,)"),
    "tabs and CRLF": (
        "import requests\r\nrequests.get(\r\n\t'u'\r\n)\r\n",
        "requests.get(\r\n\t'u',\r\n\ttimeout=30\r\n)\r\n",
    ),
}

UNTOUCHED_302 = {
    "kwargs": "from openai import OpenAI\ndef f(**k):\n    return OpenAI(**k)\n",
    "a mapping that is known": "from openai import OpenAI\no = {'api_key': 'x'}\nc = OpenAI(**o)\n",
    "a class of that name": "class OpenAI: pass\nOpenAI()\n",
    "options made elsewhere": _GEMINI + "o = types.HttpOptions(api_version='v1')\nc = genai.Client(http_options=o)\n",
    "options in a table elsewhere": _GEMINI + "o = {'api_version': 'v1'}\nc = genai.Client(http_options=o)\n",
    "options with a star": _GEMINI + "o = {}\nc = genai.Client(http_options={**o, 'api_version': 'v1'})\n",
    "functions without a limit": "import ollama\nollama.chat(model='m')\n",
    "no setting at all": (
        "from langchain_google_genai import GoogleGenerativeAIEmbeddings\nGoogleGenerativeAIEmbeddings(model='m')\n"
    ),
    "every call has one": (
        "from openai import OpenAI\nc = OpenAI()\nc.responses.create(model='m', input='x', timeout=5)\n"
    ),
    "a client of a client, from elsewhere": "import instructor\nfrom x import c\ni = instructor.from_openai(c)\n",
}

MENDED_302 = {
    "openai": ("from openai import OpenAI\nc = OpenAI()\n", "OpenAI(timeout=120)"),
    "under another name": (
        "import openai as o\nc = o.AsyncOpenAI(api_key='x')\n",
        "AsyncOpenAI(api_key='x', timeout=120)",
    ),
    "an HTTP client without one": (
        "import httpx\nfrom openai import OpenAI\nc = OpenAI(http_client=httpx.Client())\n",
        "OpenAI(http_client=httpx.Client(), timeout=120)",
    ),
    "milliseconds": (
        "from mistralai import Mistral\nc = Mistral(api_key='x')\n",
        "Mistral(api_key='x', timeout_ms=120_000)",
    ),
    "a settings object": (
        _GEMINI + "c = genai.Client()\n",
        "genai.Client(http_options=types.HttpOptions(timeout=120_000))",
    ),
    "a settings object by its package": (
        "from google import genai\nc = genai.Client()\n",
        "genai.Client(http_options=genai.types.HttpOptions(timeout=120_000))",
    ),
    "a settings object by its own name": (
        "from google.genai import Client\nfrom google.genai.types import HttpOptions\nc = Client()\n",
        "Client(http_options=HttpOptions(timeout=120_000))",
    ),
    "an import that is made wider": (
        "from google.genai import Client\nc = Client()\n",
        "from google.genai import Client, types\nc = Client(http_options=types.HttpOptions(timeout=120_000))",
    ),
    "a name that means something else": (
        "import types\nfrom google import genai\nc = genai.Client()\n",
        "genai.Client(http_options=genai.types.HttpOptions(timeout=120_000))",
    ),
    "options that are there": (
        _GEMINI + "c = genai.Client(http_options=types.HttpOptions(api_version='v1'))\n",
        "types.HttpOptions(api_version='v1', timeout=120_000)",
    ),
    "options as a table": (
        _GEMINI + "c = genai.Client(http_options={'api_version': 'v1'})\n",
        "{'api_version': 'v1', 'timeout': 120_000}",
    ),
    "an empty table": (_GEMINI + "c = genai.Client(http_options={})\n", '{"timeout": 120_000}'),
    "hugging face": (
        "from huggingface_hub import InferenceClient\nc = InferenceClient('m')\n",
        "InferenceClient('m', timeout=120)",
    ),
    "a class of many releases": (
        "from langchain.chat_models import ChatOpenAI\nm = ChatOpenAI(model_name='m')\n",
        "ChatOpenAI(model_name='m', request_timeout=120)",
    ),
    "a table of client arguments": (
        "from langchain_ollama import ChatOllama\nm = ChatOllama(model='m', base_url='https://a.b')\n",
        "base_url='https://a.b', client_kwargs={\"timeout\": 120})",
    ),
    "functions": (
        "import litellm\nlitellm.completion(model='m', messages=[])\nlitellm.completion(model='n', messages=[])\n",
        "(model='m', messages=[], timeout=120)\nlitellm.completion(model='n', messages=[], timeout=120)",
    ),
    "calls of a client that takes none": (
        "import google.generativeai as genai\nm = genai.GenerativeModel('gemini-pro')\nm.generate_content('x')\n",
        "m.generate_content('x', request_options={\"timeout\": 120})",
    ),
    "a function that is called with what cannot be seen, too": (
        "import litellm\ndef f(o):\n    litellm.completion(model='m', messages=[])\n    litellm.completion(**o)\n",
        "(model='m', messages=[], timeout=120)\n    litellm.completion(**o)\n",
    ),
    "one call without": (
        (
            "from openai import OpenAI\nc = OpenAI()\nc.responses.create(model='m', input='x', timeout=5)\n"
            "c.responses.create(model='m', input='x')\n"
        ),
        "OpenAI(timeout=120)",
    ),
}

UNTOUCHED_303 = {
    "a name": "from openai import OpenAI\nNONE = None\nc = OpenAI(timeout=NONE)\n",
    "a default": "import requests, openai\ndef f(u, timeout=None):\n    return requests.get(u, timeout=timeout)\n",
    "the session's own meaning": (
        "import aiohttp, openai\nasync def f():\n    async with aiohttp.ClientSession(timeout=None) as s: ...\n"
    ),
}

MENDED_303 = {
    "None": ("from openai import OpenAI\nc = OpenAI(timeout=None)\n", "OpenAI(timeout=120)"),
    "parentheses stay": ("from openai import OpenAI\nc = OpenAI(timeout=(None))\n", "OpenAI(timeout=(120))"),
    "infinity": ("from openai import OpenAI\nc = OpenAI(timeout=float('inf'))\n", "OpenAI(timeout=120)"),
    "math's infinity": (
        "import math\nfrom openai import OpenAI\nc = OpenAI(timeout=math.inf)\n",
        "OpenAI(timeout=120)",
    ),
    "an object": (
        "import httpx\nfrom openai import OpenAI\nc = OpenAI(timeout=httpx.Timeout(None, connect=5))\n",
        "httpx.Timeout(120, connect=5)",
    ),
    "an object with a name": (
        "import httpx, openai\nlimit = httpx.Timeout(None)\nc = httpx.Client(timeout=limit)\n",
        "limit = httpx.Timeout(30)",
    ),
    "the read limit of an object": (
        "import httpx, openai\nc = httpx.Client(timeout=httpx.Timeout(connect=5, read=None, write=5, pool=5))\n",
        "httpx.Timeout(connect=5, read=30, write=5, pool=5)",
    ),
    "a pair": ("import requests, openai\nrequests.get('u', timeout=(3, None))\n", "timeout=(3, 30)"),
    "milliseconds": (
        _GEMINI + "c = genai.Client(http_options=types.HttpOptions(timeout=None))\n",
        "types.HttpOptions(timeout=120_000)",
    ),
    "milliseconds in a table": (
        _GEMINI + "c = genai.Client(http_options={'timeout': None})\n",
        "{'timeout': 120_000}",
    ),
    "the class that a library wants, to a model": (
        (
            "import aiohttp\nasync def f():\n    async with aiohttp.ClientSession() as s:\n"
            "        return await s.post('https://api.openai.com/v1/responses', timeout=None)\n"
        ),
        "timeout=aiohttp.ClientTimeout(total=120))",
    ),
    "the class that a library wants": (
        (
            "import aiohttp, openai\nasync def f():\n    async with aiohttp.ClientSession() as s:\n"
            "        return await s.get('https://a.b', timeout=None)\n"
        ),
        "s.get('https://a.b', timeout=aiohttp.ClientTimeout(total=30))",
    ),
    "zero": (
        (
            "import aiohttp, openai\nt = aiohttp.ClientTimeout(total=0)\nasync def f():\n"
            "    async with aiohttp.ClientSession(timeout=t) as s:\n        return await s.get('u')\n"
        ),
        "ClientTimeout(total=30)",
    ),
}

UNTOUCHED_304 = {
    "a name": _GEMINI + "SECONDS = 30\nc = genai.Client(http_options=types.HttpOptions(timeout=SECONDS))\n",
    "an expression": "from openai import OpenAI\nc = OpenAI(timeout=30 * 1001)\n",
    "no sense in either unit": _GEMINI + "c = genai.Client(http_options={'timeout': 0.5})\n",
    "no sense in either unit, long": "from openai import OpenAI\nc = OpenAI(timeout=123456789)\n",
    "plausible": "from openai import OpenAI\nc = OpenAI(timeout=1800)\n",
    "hours": "from openai import OpenAI\nc = OpenAI(timeout=36000)\n",
}

MENDED_304 = {
    "seconds": (_GEMINI + "c = genai.Client(http_options=types.HttpOptions(timeout=30))\n", "(timeout=30_000)"),
    "milliseconds": ("from openai import OpenAI\nc = OpenAI(timeout=45_000)\n", "OpenAI(timeout=45)"),
    "odd milliseconds": ("import requests\nrequests.get('u', timeout=12500)\n", "timeout=12.5"),
    "mistral": ("from mistralai import Mistral\nc = Mistral(timeout_ms=60)\n", "Mistral(timeout_ms=60_000)"),
}

_CHECKS = {
    kg301.check: (UNTOUCHED_301, MENDED_301),
    kg302.check: (UNTOUCHED_302, MENDED_302),
    kg303.check: (UNTOUCHED_303, MENDED_303),
    kg304.check: (UNTOUCHED_304, MENDED_304),
}
_UNTOUCHED = [
    pytest.param(check, text, id=f"{check.__module__[-5:]}, {name}")
    for check, (texts, _) in _CHECKS.items()
    for name, text in texts.items()
]
_MENDED = [
    pytest.param(check, *pair, id=f"{check.__module__[-5:]}, {name}")
    for check, (_, pairs) in _CHECKS.items()
    for name, pair in pairs.items()
]


@pytest.mark.parametrize(("check", "text"), _UNTOUCHED)
def test_nothing_is_written_where_it_may_not_be_taken_or_mean_something_else(check, text) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  # a check
    assert mended(text, check) == text


@pytest.mark.parametrize(("check", "text", "part"), _MENDED)
def test_the_limit_is_written_as_the_library_wants_it(check, text, part) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  # a check
    after = mended(text, check)
    assert part in after
    compile(after, "fixed.py", "exec")
    assert mended(after, check) == after, "what is fixed is fixed"


def test_the_number_is_that_of_the_settings() -> None:
    text = "import requests\nrequests.get('u')\n"
    assert "timeout=7)" in mended(text, kg301.check, http_timeout=7)
    text = _GEMINI + "c = genai.Client()\n"
    assert "timeout=45_000)" in mended(text, kg302.check, model_timeout=45)
    assert "timeout=45)" in mended("import openai\nc = openai.OpenAI(timeout=None)\n", kg303.check, model_timeout=45)


@pytest.mark.parametrize(
    ("version", "part"),
    [("0.28.1", "request_timeout=120"), ("1.50.0", "request_timeout=120"), (None, "request_timeout=120")],
    ids=["old", "newer than the function", "not said"],
)
def test_an_old_function_gets_its_old_argument(version: str | None, part: str) -> None:
    text = "import openai\nopenai.ChatCompletion.create(model='m', messages=[])\n"
    assert part in mended(text, kg302.check, versions={"openai": version} if version else None)


def test_a_fix_says_what_it_does_in_both_languages() -> None:
    text = "from openai import OpenAI\nc = OpenAI(timeout=None)\n"
    assert titles(kg303.check, text) == ["write timeout=120 instead of timeout=None"]
    assert titles(kg303.check, text, lang="zh") == ["把 timeout=None 改为 timeout=120"]


def test_what_is_left_to_do_by_hand_says_why() -> None:
    text = "import requests\no = {'params': {}}\nrequests.get('https://a.b', **o)\n"
    assert titles(kg301.check, text) == ["- set timeout=30: by hand, since * or ** may give the argument too"]
    assert titles(kg301.check, text, lang="zh") == ["- 设置 timeout=30：* 或 ** 可能也传入了该参数，请手动修改"]
    text = "import urllib.request\nurllib.request.urlretrieve('https://a.b', 'c')\n"
    assert titles(kg301.check, text) == [
        "- set socket.setdefaulttimeout(30): by hand, since it cannot be told for certain what that would change here"
    ]
