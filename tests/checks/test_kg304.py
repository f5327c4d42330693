"""KG304: seconds where milliseconds are counted, and the other way round."""
# ruff: noqa: RUF001  # Chinese has its own punctuation

from __future__ import annotations

import pytest

from keyguard.checks.kg304 import check
from tests.checks.spoken import short, spoken

_GENAI = "from google import genai\nfrom google.genai import types\n"

QUIET = {
    "milliseconds": f"{_GENAI}genai.Client(http_options=types.HttpOptions(timeout=30_000))\n",
    "one second": f"{_GENAI}genai.Client(http_options=types.HttpOptions(timeout=1000))\n",
    "no number": f"{_GENAI}genai.Client(http_options=types.HttpOptions(timeout=None))\n",
    "unknown": f"{_GENAI}def f(t):\n    genai.Client(http_options=types.HttpOptions(timeout=t))\n",
    "computed": f"{_GENAI}genai.Client(http_options=types.HttpOptions(timeout=30 * 1000))\n",
    "seconds": "from openai import OpenAI\nOpenAI(timeout=600)\n",
    "many seconds": "from openai import OpenAI\nOpenAI(timeout=9000)\n",
    "hours": "from openai import OpenAI\nOpenAI(timeout=10 * 3600)\nOpenAI(timeout=36000)\nOpenAI(timeout=86400)\n",
    "infinity": "import math\nfrom openai import OpenAI\nOpenAI(timeout=math.inf)\n",
    "another parameter": "from openai import OpenAI\nOpenAI(max_retries=30000)\n",
    "another library": "f(timeout_ms=30)\n",
}

LOUD = {
    "gemini": (f"{_GENAI}genai.Client(http_options=types.HttpOptions(timeout=30))\n", 3, None, "timeout=30_000"),
    "gemini, dict": (f"{_GENAI}genai.Client(http_options={{'timeout': 2.5}})\n", 3, None, "timeout=2_500"),
    "gemini, call": (
        (
            f"{_GENAI}c = genai.Client()\n"
            "c.models.generate_content(config=types.GenerateContentConfig(http_options=types.HttpOptions(timeout=60)))\n"
        ),
        4,
        None,
        "timeout=60_000",
    ),
    "mistral": ("from mistralai import Mistral\nMistral(timeout_ms=120)\n", 2, None, "timeout_ms=120_000"),
    "openai": ("from openai import OpenAI\nOpenAI(timeout=30000)\n", 2, "milliseconds", "timeout=30"),
    "requests": ("import requests\nrequests.get(u, timeout=10000)\n", 2, "milliseconds", "timeout=10"),
    "httpx": ("import httpx\nhttpx.Client(timeout=httpx.Timeout(60_000))\n", 2, "milliseconds", "60"),
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET.keys())
def test_values_that_make_sense_stay_quiet(text: str) -> None:
    assert short(check, text) == []


@pytest.mark.parametrize(("text", "line", "case", "remedy"), LOUD.values(), ids=LOUD.keys())
def test_the_other_unit_is_found(text: str, line: int, case: str | None, remedy: str) -> None:
    found = spoken(check, text)
    assert [(one.rule, one.line, one.case, one.remedy) for one in found] == [("KG304", line, case, f"Write {remedy}")]


def test_the_message_says_how_long_that_is() -> None:
    (one,) = spoken(check, f"{_GENAI}genai.Client(http_options=types.HttpOptions(timeout=30))\n")
    assert one.message == "timeout=30 gives genai.Client() 30 ms: the number counts milliseconds here"
    (one,) = spoken(check, "from openai import OpenAI\nOpenAI(timeout=30000)\n")
    assert one.message == "timeout=30000 lets OpenAI() wait 30,000 s (8.3 hours): the number counts seconds here"
    (one,) = spoken(check, "from openai import OpenAI\nOpenAI(timeout=30000)\n", lang="zh")
    assert one.message == "timeout=30000 会让 OpenAI() 等 30,000 秒（8.3 小时）：这里的单位是秒"
