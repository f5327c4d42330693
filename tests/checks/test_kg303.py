"""KG303: timeouts that are switched off, by each library's own meaning of None and 0."""
# ruff: noqa: RUF001  # Chinese has its own punctuation

from __future__ import annotations

import pytest

from keyguard.checks.kg303 import check
from tests.checks.spoken import short, spoken

QUIET = {
    "a number": "import requests, openai\nrequests.get(u, timeout=5)\n",
    "none at all": "import requests, openai\nrequests.get(u)\nopenai.OpenAI()\n",
    "parameter": "import requests, openai\ndef f(u, timeout=None):\n    requests.get(u, timeout=timeout)\n",
    "attribute": (
        "import requests, openai\nclass A:\n    timeout = None\n    def f(self):\n"
        "        requests.get(u, timeout=self.timeout)\n"
    ),
    "attribute in a mapping": (
        "import requests, openai\nclass A:\n    timeout = None\n    def f(self):\n"
        "        o = {'timeout': self.timeout}\n        requests.get(u, **o)\n"
    ),
    "one of two": "import requests, openai\nrequests.get(u, timeout=5 if fast else None)\n",
    "aiohttp session": (
        "import aiohttp, openai\nasync def f():\n    async with aiohttp.ClientSession(timeout=None) as s:\n"
        "        await s.get(u)\n"
    ),
    "read bounded": "import httpx, openai\nhttpx.Client(timeout=httpx.Timeout(None, read=60))\n",
    "sock_read bounded": (
        "import aiohttp, openai\naiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_read=9))\n"
    ),
    "connect only unbounded": "import requests, openai\nrequests.get(u, timeout=(None, 9))\n",
    "zero that is zero": "import httpx, openai\nhttpx.get(u, timeout=0)\n",
    "gemini call": (
        "from google import genai\nc = genai.Client()\n"
        "c.models.generate_content(config={'http_options': {'timeout': None}})\n"
    ),
    "niquests call": "import niquests, openai\nniquests.get(u, timeout=None)\n",
    "anything else": "import openai\nf(timeout=None)\nopenai.f(timeout=None)\n",
}

LOUD = {
    "requests": ("import requests, openai\nrequests.get(u, timeout=None)\n", 2, "None"),
    "mapping": ("import requests, openai\no = {'timeout': None}\nrequests.get(u, **o)\n", 2, "None"),
    "pair": ("import requests, openai\nrequests.get(u, timeout=(3, None))\n", 2, "None"),
    "infinity": ("import requests, openai\nrequests.get(u, timeout=float('inf'))\n", 2, "float('inf')"),
    "math": ("import math, httpx, openai\nhttpx.get(u, timeout=math.inf)\n", 2, "math.inf"),
    "openai": ("from openai import OpenAI\nc = OpenAI(timeout=None)\n", 2, "None"),
    "openai call": ("from openai import OpenAI\nc = OpenAI(timeout=5)\nc.responses.create(timeout=None)\n", 3, "None"),
    "with_options": (
        "from openai import OpenAI\nc = OpenAI()\nc.with_options(timeout=None).responses.create()\n",
        3,
        "None",
    ),
    "httpx object": ("import httpx, openai\nc = httpx.Client(timeout=httpx.Timeout(None))\n", 2, "None"),
    "httpx read": ("import httpx, openai\nc = httpx.Client(timeout=httpx.Timeout(9, read=None))\n", 2, "None"),
    "handed over": ("import httpx, openai\nc = openai.OpenAI(http_client=httpx.Client(timeout=None))\n", 2, "None"),
    "constant, once": ("import httpx, openai\nT = None\nhttpx.get(u, timeout=T)\n", 3, "T"),
    "aiohttp call": (
        (
            "import aiohttp, openai\nasync def f():\n    async with aiohttp.ClientSession() as s:\n"
            "        await s.get(u, timeout=None)\n"
        ),
        4,
        "None",
    ),
    "aiohttp total": (
        "import aiohttp, openai\ns = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))\n",
        2,
        "None",
    ),
    "aiohttp zero": (
        "import aiohttp, openai\ns = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0))\n",
        2,
        "0",
    ),
    "urlopen": ("import urllib.request, openai\nurllib.request.urlopen(u, timeout=None)\n", 2, "None"),
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET.keys())
def test_a_wait_that_ends_stays_quiet(text: str) -> None:
    assert short(check, text) == []


@pytest.mark.parametrize(("text", "line", "shown"), LOUD.values(), ids=LOUD.keys())
def test_a_limit_that_is_switched_off_is_found(text: str, line: int, shown: str) -> None:
    found = spoken(check, text)
    assert [(one.rule, one.line, one.case, one.text) for one in found] == [("KG303", line, None, shown)]


def test_the_message_says_what_is_written_and_for_what() -> None:
    (one,) = spoken(check, "from openai import OpenAI\nc = OpenAI(timeout=None)\n")
    assert one.message == "timeout=None switches the timeout of OpenAI() off: it may wait for ever"
    assert (one.remedy, one.severity) == ("Give it a number: timeout=120", "medium")
    (one,) = spoken(check, "from openai import OpenAI\nc = OpenAI(timeout=None)\n", lang="zh")
    assert one.message == "timeout=None 关掉了 OpenAI() 的超时：可能永远等下去"


def test_away_from_models_it_is_low() -> None:
    (one,) = spoken(check, "import requests\nrequests.get(u, timeout=None)\n")
    assert (one.case, one.severity) == ("elsewhere", "low")


def test_one_value_for_several_clients_is_one_finding() -> None:
    text = "import httpx, openai\nT = httpx.Timeout(None)\na = httpx.Client(timeout=T)\nb = openai.OpenAI(timeout=T)\n"
    assert short(check, text) == [(2, None)]
