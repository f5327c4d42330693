"""KG407: retries that are never taken: a POST, a status, an error class that does not come."""

from __future__ import annotations

import pytest

from keyguard.checks import kg407
from tests.checks.networks import heard
from tests.checks.spoken import spoken

_HEAD = "import time, requests, httpx\nfrom openai import OpenAI\nclient = OpenAI()\n"
_CALL = "client.chat.completions.create(model='gpt-4o', messages=[])"
_URL = "'https://api.openai.com/v1/chat/completions'"
_MOUNT = "from requests.adapters import HTTPAdapter, Retry\ns = requests.Session()\ns.mount('https://', {})\n"


def _heard(text: str) -> list[tuple[int, str | None, str]]:
    found = heard(kg407.check, _HEAD + text.replace("CALL", _CALL).replace("URL", _URL))
    return [(one.line - 3, one.case, one.text) for one in found]


def _adapter(retry: str, call: str = "s.post(URL, json={})") -> str:
    return _MOUNT.format(f"HTTPAdapter(max_retries={retry})") + call + "\n"


def _loop(clause: str, body: str = "x = CALL") -> str:
    return f"for i in range(5):\n    try:\n        {body}\n        break\n    {clause}\n"


@pytest.mark.parametrize(
    "text",
    [
        _adapter("Retry(3, status_forcelist=[429], allowed_methods=None)"),
        _adapter("Retry(3, status_forcelist=[429], allowed_methods=['POST'])"),
        _adapter("Retry(3, status_forcelist=CODES, allowed_methods=METHODS)"),
        _adapter("Retry(3, **options)"),
        _adapter("retry"),
        _adapter("0"),
        _adapter("Retry(3, status_forcelist=[429])", "s.get('https://api.openai.com/v1/models')"),
        _adapter("Retry(3)", "s.post('https://example.com/', json={})"),
        "c = httpx.Client(transport=httpx.HTTPTransport(http2=True))\nc.post(URL)\n",
        (
            "c = OpenAI(http_client=httpx.Client(transport=httpx.HTTPTransport(retries=3)))\n"
            "x = c.chat.completions.create()\n"
        ),
        _loop("except openai.RateLimitError: time.sleep(i)", "import openai\n        x = CALL"),
        "from openai import *\n" + _loop("except RateLimitError: time.sleep(i)"),
        "try:\n    from openai import RateLimitError\nexcept ImportError:\n    RateLimitError = Exception\n"
        + _loop("except RateLimitError: time.sleep(i)"),
        _loop("except requests.Timeout: time.sleep(i)", "page = requests.get('https://example.com')\n        x = CALL"),
        _loop("except requests.Timeout: time.sleep(i)", "page = load()\n        x = CALL"),
        _loop("except (requests.Timeout, ValueError): time.sleep(i)"),
        _loop("except httpx.ReadError: time.sleep(i)"),
        _loop("except TimeoutError: time.sleep(i)"),
        _loop("except requests.Timeout: time.sleep(i)", "x = requests.post(URL, json={})"),
        (
            "import aiohttp_retry as a\n"
            "c = a.RetryClient(retry_options=a.ExponentialRetry(3, statuses={429}))\nc.post(URL)\n"
        ),
        "try:\n    x = CALL\nexcept RateLimitError:\n    raise\n",
    ],
    ids=[
        "every method",
        "POST",
        "somebody's list",
        "hidden",
        "somebody's retry",
        "none",
        "GET",
        "no model",
        "transport without retries",
        "the SDK repeats",
        "imported",
        "star import",
        "import with a stand-in",
        "a page",
        "a helper",
        "one of two",
        "httpx below the SDK",
        "built in",
        "raw request",
        "aiohttp-retry with 429",
        "no retry",
    ],
)
def test_retries_that_work_or_cannot_be_seen_are_fine(text: str) -> None:
    assert _heard(text) == []


@pytest.mark.parametrize(
    ("text", "line", "case", "shown"),
    [
        (_adapter("Retry(3, status_forcelist=[429])"), 3, None, "Retry(3, status_forcelist=[429])"),
        (
            _adapter("Retry(3, status_forcelist=[429], allowed_methods=['GET'])"),
            3,
            None,
            "Retry(3, status_forcelist=[429], allowed_methods=['GET'])",
        ),
        (_adapter("Retry(3, allowed_methods=None)"), 3, "status", "Retry(3, allowed_methods=None)"),
        (_adapter("3"), 3, "connection", "HTTPAdapter(max_retries=3)"),
        (
            "c = httpx.Client(transport=httpx.HTTPTransport(retries=3))\nc.post(URL)\n",
            1,
            "connection",
            "httpx.HTTPTransport(retries=3)",
        ),
        (
            "import httpx_retries as h\nc = httpx.Client(transport=h.RetryTransport())\nc.post(URL)\n",
            2,
            None,
            "h.RetryTransport()",
        ),
        (
            (
                "import aiohttp_retry as a\nasync def f():\n"
                "    async with a.RetryClient(retry_options=a.ExponentialRetry(3)) as c:\n"
                "        await c.post(URL)\n"
            ),
            3,
            "status",
            "a.ExponentialRetry(3)",
        ),
        (_loop("except RateLimitError: time.sleep(i)"), 5, "undefined", "RateLimitError"),
        (_loop("except (ValueError, RateLimitError): time.sleep(i)"), 5, "undefined", "RateLimitError"),
        (_loop("except requests.exceptions.Timeout: time.sleep(i)"), 5, "foreign", "requests.exceptions.Timeout"),
        (
            "import anthropic\n" + _loop("except anthropic.RateLimitError: time.sleep(i)"),
            6,
            "foreign",
            "anthropic.RateLimitError",
        ),
    ],
    ids=[
        "POST",
        "GET alone",
        "no status",
        "number",
        "httpx",
        "httpx-retries",
        "aiohttp-retry",
        "undefined",
        "undefined among others",
        "requests",
        "another SDK",
    ],
)
def test_a_retry_that_never_fires_is_reported(text: str, line: int, case: str | None, shown: str) -> None:
    assert _heard(text) == [(line, case, shown)]


_GENAI = "from google import genai\nfrom google.api_core import retry\nc = genai.Client()\n"
_ASK = "return c.models.generate_content(model='m', contents=x)"


def _decorated(decorator: str, *lines: str) -> list[tuple[int, str | None, str]]:
    body = "".join(f"    {line}\n" for line in lines or (_ASK,))
    return _heard(f"{_GENAI}@{decorator}\ndef f(x):\n{body}")


@pytest.mark.parametrize(
    ("decorator", "lines"),
    [
        ("retry.Retry(predicate=is_transient)", ()),
        ("retry.Retry(is_transient)", ()),
        ("retry.Retry(**options)", ()),
        ("retry.Retry(timeout=300)", ("page = load(x)", _ASK)),
        ("retry.Retry(timeout=300)", ("from google.cloud import storage", "storage.Client().bucket(x)", _ASK)),
        ("retry.Retry(timeout=300)", ("try:", f"    {_ASK}", "except Exception:", "    raise Mine(x)")),
        ("retry.Retry(timeout=300)", ("return x",)),
        (
            "retry.Retry(timeout=300)",
            ("import google.generativeai as g", "return g.GenerativeModel('m').generate_content(x)"),
        ),
        ("retry.Retry(timeout=300)", ("return requests.post(URL, json={})",)),
    ],
    ids=[
        "a predicate",
        "a predicate first",
        "hidden",
        "a helper",
        "the same house",
        "an error of one's own",
        "no model",
        "an SDK that raises them",
        "a raw request",
    ],
)
def test_a_decorator_that_may_repeat_what_is_raised_is_fine(decorator: str, lines: tuple[str, ...]) -> None:
    assert _decorated(decorator, *lines) == []


@pytest.mark.parametrize("decorator", ["retry.Retry()", "retry.Retry(timeout=300.0)"])
@pytest.mark.parametrize(
    "lines",
    [
        (_ASK,),
        ("import numpy as np", "r = c.models.embed_content(model='m', contents=x)", "return np.array(r.embeddings)"),
        ("from google.genai import types", "y = types.Part(x)", "print(y)", _ASK),
    ],
    ids=["alone", "numbers", "its own types"],
)
def test_a_decorator_that_repeats_what_another_library_raises_never_fires(
    decorator: str, lines: tuple[str, ...]
) -> None:
    assert _decorated(decorator, *lines) == [(4, "elsewhere", decorator)]


def test_a_decorator_that_never_fires_is_told_in_words() -> None:
    (one,) = spoken(kg407.check, f"{_GENAI}@retry.Retry(timeout=300)\ndef f(x):\n    {_ASK}\n")
    assert one.message == (
        "retry.Retry repeats errors of google.api_core, and google-genai raises none of them: "
        "one 429 or one 503 ends the call"
    )
    assert one.remedy == (
        "Give it a predicate= for the SDK's own errors, or turn the SDK's retries on: "
        "http_options=types.HttpOptions(retry_options=types.HttpRetryOptions(attempts=5))"
    )
