"""What the fixes of KG401 to KG409 write, and where they write nothing."""
# ruff: noqa: RUF001  # Chinese has its own punctuation

from __future__ import annotations

import pytest

from keyguard.checks import kg401, kg402, kg403, kg406, kg407, kg409
from tests.checks.mending import fixes, mended, titles

_GEMINI = "from google import genai\nfrom google.genai import types\n"
_SEND = "c.models.generate_content(model='m', contents='x')\n"
_OPENAI = "import time\nfrom openai import OpenAI\nc = OpenAI()\n"
_ASK = "c.responses.create(model='gpt-5', input='x')"
_URL = "'https://api.openai.com/v1/chat/completions'"


def _loop(header: str, pause: str = "time.sleep(1)", before: str = "", clause: str = "Exception") -> str:
    return (
        f"{_OPENAI}def f(n=5, delay=2):\n{before}    {header}:\n        try:\n            return {_ASK}\n"
        f"        except {clause}:\n            {pause}\n"
    )


def _told(decorator: str, imports: str = "import tenacity") -> str:
    return f"{imports}\nfrom openai import OpenAI\nc = OpenAI()\n{decorator}\ndef f():\n    return {_ASK}\n"


def _adapter(retry: str, imports: str = "Retry") -> str:
    return (
        f"import requests\nfrom requests.adapters import HTTPAdapter, {imports}\ns = requests.Session()\n"
        f"s.mount('https://', HTTPAdapter(max_retries={retry}))\ns.post({_URL}, json={{}}, timeout=60)\n"
    )


def _async(body: str, imports: str = "") -> str:
    head = f"import time\n{imports}from openai import AsyncOpenAI\nc = AsyncOpenAI()\n"
    return f"{head}async def f(x=3):\n{body}    await {_ASK}\n"


UNTOUCHED = {
    kg401.check: {
        "a raw request": f"import requests\nrequests.post({_URL}, json={{}}, timeout=60)\n",
        "an SDK without such a setting": (
            "from huggingface_hub import InferenceClient\nc = InferenceClient('m')\nc.chat_completion(messages=[])\n"
        ),
        "options made elsewhere": (
            _GEMINI + "o = types.HttpOptions(timeout=5000)\nc = genai.Client(http_options=o)\n" + _SEND
        ),
        "another call of the client is repeated": (
            _GEMINI + "import tenacity\nc = genai.Client()\n"
            f"@tenacity.retry(stop=tenacity.stop_after_attempt(3))\ndef f():\n    return {_SEND}" + _SEND
        ),
        "a stream": _GEMINI + "c = genai.Client()\nfor x in c.models.generate_content_stream(model='m'): ...\n",
    },
    kg402.check: {
        "a name": f"from openai import OpenAI\nNONE = 0\no = {{'max_retries': NONE}}\nc = OpenAI(**o)\n{_ASK}\n",
        "a module's setting": f"import openai\nopenai.max_retries = 0\nopenai.{_ASK[2:]}\n",
        "an adapter": _adapter("Retry(0)"),
        "guarded": (
            "import tenacity\nfrom openai import OpenAI\nc = OpenAI(max_retries=0)\n"
            "@tenacity.retry(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_random_exponential())\n"
            f"def f():\n    return {_ASK}\n"
        ),
        "a number": f"from openai import OpenAI\nc = OpenAI(max_retries=1)\n{_ASK}\n",
        "off where the SDK is on by time": (
            "from mistralai import Mistral\nc = Mistral(retry_config=None)\nc.chat.complete(model='m', messages=[])\n"
        ),
    },
    kg403.check: {
        "a variable that is no number": _loop("for _ in [1, 2, 3]"),
        "a variable that is changed": _loop("for i in range(n)", "i = 0; time.sleep(1)"),
        "a range with steps": _loop("for i in range(10, 0, -1)"),
        "a range that begins late": _loop("for i in range(50, 60)"),
        "no counter": _loop("while True"),
        "a counter that others change": _loop(
            "while i < 5", "i += 1; i = i + g(); time.sleep(1)", before="    i = 0\n"
        ),
        "a counter from elsewhere": _loop("while n < 5", "n += 1; time.sleep(1)"),
        "`attempt` is something else": _loop("for _ in range(5)", "attempt(); time.sleep(1)"),
        "`_` is read": _loop("for _ in range(5)", "print(_); time.sleep(1)"),
        "nothing to change": _loop("for i in range(5)", "pass"),
        "a pause that nobody knows": _loop("for i in range(5)", "time.sleep(delay)"),
        "a long pause": _loop("for i in range(5)", "time.sleep(90)"),
        "a pause that is computed": _loop("for i in range(5)", "time.sleep(60 / 30)"),
        "`random` is something else, and so is all else": _loop("for i in range(5)", "time.sleep(seconds=1)"),
        "a pause made elsewhere": _told("@tenacity.retry(wait=w)", "import tenacity\nw = tenacity.wait_fixed(2)"),
        "hidden arguments": _told("@tenacity.retry(**options)", "import tenacity\nfrom x import options"),
        "growth by position": _told("@retry(Exception, 3, 1, None, 1)", "from retry import retry"),
        "another function of that name": _told("@retry(3)", "from x import retry"),
        "growing": _told("@tenacity.retry(wait=tenacity.wait_exponential())"),
    },
    kg406.check: {
        "its pauses do not grow": _loop("for i in range(5)"),
        "it repeats rate limits alone": (
            _loop("for i in range(5)", "time.sleep(2**i)", clause="RateLimitError").replace(
                "import OpenAI", "import OpenAI, RateLimitError"
            )
        ),
        "another call of the client has none": _loop("for i in range(5)", "time.sleep(2**i)") + _ASK + "\n",
        "the call is in another function": (
            f"{_OPENAI}def ask():\n    return {_ASK}\ndef f():\n    for i in range(5):\n        try:\n"
            "            return ask()\n        except Exception:\n            time.sleep(2**i)\n"
        ),
        "a client from elsewhere": (
            "import time\nfrom openai import OpenAI\ndef f(c: OpenAI):\n    for i in range(5):\n        try:\n"
            f"            return {_ASK}\n        except Exception:\n            time.sleep(2**i)\n"
        ),
        "hidden arguments": _loop("for i in range(5)", "time.sleep(2**i)").replace("OpenAI()", "OpenAI(**options)"),
        "a number made elsewhere": _loop("for i in range(5)", "time.sleep(2**i)").replace(
            "c = OpenAI()", "MOST = 4\nc = OpenAI(max_retries=MOST)"
        ),
    },
    kg407.check: {
        "its older name": _adapter("Retry(3, status_forcelist=[429], backoff_factor=1, method_whitelist=['GET'])"),
        "verbs made elsewhere": _adapter("Retry(3, status_forcelist=CODES, allowed_methods=METHODS)"),
        "hidden": _adapter("Retry(3, **options)"),
        "a transport": f"import httpx\nc = httpx.Client(transport=httpx.HTTPTransport(retries=3))\nc.post({_URL})\n",
        "another library's error": (
            _loop("for i in range(5)", "time.sleep(2**i)", clause="requests.Timeout").replace(
                "import time", "import time, requests"
            )
        ),
        "a class that the SDK has not": _loop("for i in range(5)", "time.sleep(2**i)", clause="ModelBusyError"),
        "it works": _adapter("Retry(3, status_forcelist=[429], allowed_methods=None)"),
    },
    kg409.check: {
        "inside an expression": _async("    x = time.sleep(1) or 2\n"),
        "under a lock": _async("    with lock:\n        time.sleep(1)\n", "from x import lock\n"),
        "another event loop": _async("    time.sleep(1)\n", "import trio\n"),
        "a plain function": _async("    g()\n", "def g():\n    time.sleep(1)\n"),
        "a model call": (f"from openai import OpenAI\nc = OpenAI()\nasync def f():\n    return {_ASK}\n"),
        "a function defined there": _async("    def g():\n        time.sleep(1)\n"),
        "awaited": _async("    await asyncio.sleep(1)\n", "import asyncio\n"),
        "a lambda": _async("    g = lambda: time.sleep(1)\n"),
    },
}

_WAIT = "wait_random_exponential(min=1, max=60)"
MENDED = {
    kg401.check: {
        "a settings object": (
            _GEMINI + "c = genai.Client()\n" + _SEND,
            "Client(http_options=types.HttpOptions(retry_options=types.HttpRetryOptions(attempts=5)))",
        ),
        "options that are there": (
            _GEMINI + "c = genai.Client(http_options=types.HttpOptions(timeout=5000))\n" + _SEND,
            "types.HttpOptions(timeout=5000, retry_options=types.HttpRetryOptions(attempts=5))",
        ),
        "options as a table": (
            _GEMINI + "c = genai.Client(http_options={'timeout': 5000})\n" + _SEND,
            "{'timeout': 5000, 'retry_options': {'attempts': 5}}",
        ),
        "a client that waits by time": (
            "from mistralai.client import Mistral\nc = Mistral()\nc.chat.complete(model='m', messages=[])\n",
            'Mistral(retry_config=RetryConfig("backoff", BackoffStrategy(500, 60_000, 1.5, 300_000), True))',
        ),
    },
    kg402.check: {
        "alone": (f"from openai import OpenAI\nc = OpenAI(max_retries=0)\n{_ASK}\n", "c = OpenAI()\n"),
        "among others": (
            f"from openai import OpenAI\nc = OpenAI(api_key='x', max_retries=0, timeout=5)\n{_ASK}\n",
            "OpenAI(api_key='x', timeout=5)",
        ),
        "on its line": (
            f"from openai import OpenAI\nc = OpenAI(\n    timeout=5,\n    max_retries=0,\n)\n{_ASK}\n",
            "OpenAI(\n    timeout=5,\n)",
        ),
        "a setting of one attempt": (
            _GEMINI + "c = genai.Client(http_options={'retry_options': {'attempts': 1}})\n" + _SEND,
            "{'attempts': 5}",
        ),
        "where nobody knows the default": (
            "import litellm\nlitellm.completion(model='gpt-5', messages=[], num_retries=0)\n",
            'num_retries=5, retry_strategy="exponential_backoff_retry")',
        ),
    },
    kg403.check: {
        "a counted loop": (
            _loop("for i in range(5)"),
            "time.sleep(min(60, 2**i) + random.random())",
        ),
        "a loop whose counter has no name": (
            _loop("for _ in range(n)", "time.sleep(3)"),
            "    for attempt in range(n):\n",
        ),
        "with the pause it had": (_loop("for i in range(1, 4)", "time.sleep(2.5)"), "time.sleep(min(60, 2.5 * 2**i)"),
        "with the name it had": (
            _loop("for i in range(5)", "time.sleep(PAUSE)").replace("c = OpenAI()", "PAUSE = 4\nc = OpenAI()"),
            "time.sleep(min(60, PAUSE * 2**i) + random.random())",
        ),
        "a loop that counts by hand": (
            _loop("while i < 5", "i += 1; time.sleep(1)", before="    i = 0\n"),
            "time.sleep(min(60, 2**i) + random.random())",
        ),
        "its import": (_loop("for i in range(5)"), "import random\nimport time\n"),
        "its import, there under another name": (
            _loop("for i in range(5)").replace("import time\n", "import time\nimport random as r\n"),
            "+ r.random())",
        ),
        "tenacity": (_told("@tenacity.retry(stop=tenacity.stop_after_attempt(3))"), f", wait=tenacity.{_WAIT})"),
        "tenacity, bare": (_told("@tenacity.retry"), f"@tenacity.retry(wait=tenacity.{_WAIT})\n"),
        "tenacity, by name": (
            _told("@retry(stop=stop_after_attempt(3))", "from tenacity import retry, stop_after_attempt"),
            (
                f"stop_after_attempt, wait_random_exponential\nfrom openai import OpenAI\nc = OpenAI()\n"
                f"@retry(stop=stop_after_attempt(3), wait={_WAIT})"
            ),
        ),
        "tenacity, a fixed pause": (
            _told("@tenacity.retry(wait=tenacity.wait_fixed(2), reraise=True)"),
            f"@tenacity.retry(wait=tenacity.{_WAIT}, reraise=True)",
        ),
        "backoff": (
            _told("@backoff.on_exception(backoff.constant, Exception, max_tries=3, interval=2)", "import backoff"),
            "@backoff.on_exception(backoff.expo, Exception, max_tries=3, max_value=60)",
        ),
        "retry": (
            _told("@retry(Exception, tries=3, delay=2)", "from retry import retry"),
            "@retry(Exception, tries=3, delay=2, backoff=2, max_delay=60, jitter=(0, 1))",
        ),
        "retry, at once": (
            _told("@retry(tries=3)", "from retry import retry"),
            "@retry(tries=3, delay=1, backoff=2, max_delay=60, jitter=(0, 1))",
        ),
        "retrying": (
            _told("@retry(stop_max_attempt_number=3, wait_fixed=2000)", "from retrying import retry"),
            (
                "@retry(stop_max_attempt_number=3, wait_exponential_multiplier=1000, wait_exponential_max=60_000, "
                "wait_jitter_max=1000)"
            ),
        ),
        "urllib3": (_adapter("Retry(3, status_forcelist=[429], allowed_methods=None)"), "None, backoff_factor=1)"),
        "urllib3, none": (
            _adapter("Retry(3, backoff_factor=0, status_forcelist=[429], allowed_methods=None)"),
            "Retry(3, backoff_factor=1, status_forcelist=[429]",
        ),
        "litellm": (
            "import litellm\nlitellm.completion(model='gpt-5', messages=[], num_retries=3)\n",
            'num_retries=3, retry_strategy="exponential_backoff_retry")',
        ),
    },
    kg406.check: {
        "a loop": (_loop("for i in range(5)", "time.sleep(2**i)"), "c = OpenAI(max_retries=0)"),
        "a number": (
            _loop("for i in range(5)", "time.sleep(2**i)").replace("OpenAI()", "OpenAI(max_retries=4, timeout=9)"),
            "OpenAI(max_retries=0, timeout=9)",
        ),
        "a decorator": (
            _told("@tenacity.retry(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_random_exponential())"),
            "c = OpenAI(max_retries=0)",
        ),
    },
    kg407.check: {
        "methods": (
            _adapter("Retry(3, status_forcelist=[429], backoff_factor=1)"),
            "backoff_factor=1, allowed_methods=None)",
        ),
        "methods that are given": (
            _adapter("Retry(3, status_forcelist=[429], allowed_methods=['GET', 'PUT'])"),
            "allowed_methods=None)",
        ),
        "methods and statuses": (
            _adapter("Retry(3)"),
            "Retry(3, allowed_methods=None, status_forcelist=[429, 500, 502, 503, 504])",
        ),
        "statuses that are given": (
            _adapter("Retry(3, status_forcelist=(500, 502), allowed_methods=None)"),
            "status_forcelist=(429, 500, 502)",
        ),
        "a number": (
            _adapter("3", "DEFAULT_POOLSIZE"),
            (
                "HTTPAdapter(max_retries=Retry(5, backoff_factor=1, status_forcelist=[429, 500, 502, 503, 504], "
                "allowed_methods=None))"
            ),
        ),
        "a class that is not imported": (
            _loop("for i in range(5)", "time.sleep(2**i)", clause="RateLimitError"),
            "from openai import OpenAI, RateLimitError\n",
        ),
        "a class of a module that is": (
            _loop("for i in range(5)", "time.sleep(2**i)", clause="(ValueError, RateLimitError)")
            .replace("from openai import OpenAI", "import openai")
            .replace("OpenAI()", "openai.OpenAI()"),
            "except (ValueError, openai.RateLimitError):",
        ),
    },
    kg409.check: {
        "a call": (_async("    time.sleep(x)\n"), "    await asyncio.sleep(x)\n"),
        "its import": (_async("    time.sleep(1)\n"), "import asyncio\nimport time\n"),
        "by its own name": (
            _async("    sleep(1)\n", "from asyncio import run\nfrom time import sleep\n"),
            "    await asyncio.sleep(1)\n",
        ),
        "in a loop": (
            _async("    for i in range(3):\n        time.sleep(1); print(i)\n"),
            "await asyncio.sleep(1); print",
        ),
        "in an `async with`": (
            _async("    async with lock:\n        time.sleep(1)\n", "from x import lock\n"),
            "        await asyncio.sleep(1)\n",
        ),
    },
}

_UNTOUCHED = [
    pytest.param(check, text, id=f"{check.__module__[-5:]}, {name}")
    for check, texts in UNTOUCHED.items()
    for name, text in texts.items()
]
_MENDED = [
    pytest.param(check, *pair, id=f"{check.__module__[-5:]}, {name}")
    for check, pairs in MENDED.items()
    for name, pair in pairs.items()
]


@pytest.mark.parametrize(("check", "text"), _UNTOUCHED)
def test_nothing_is_written_where_it_may_not_be_taken_or_mean_something_else(check, text) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  # a check
    assert mended(text, check) == text


@pytest.mark.parametrize(("check", "text", "part"), _MENDED)
def test_the_retry_is_written_as_its_library_wants_it(check, text, part) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  # a check
    after = mended(text, check)
    assert part in after
    compile(after, "fixed.py", "exec")
    assert not [fix for fix in fixes(check, after) if fix and fix.edits], "what is fixed is fixed"


def test_an_old_release_gets_no_setting_that_it_does_not_have() -> None:
    text = _GEMINI + "c = genai.Client()\n" + _SEND
    assert mended(text, kg401.check, versions={"google-genai": "1.10.0"}) == text
    assert "attempts=5" in mended(text, kg401.check, versions={"google-genai": "1.40.0"})


def test_two_rules_about_one_client_are_fixed_one_after_the_other() -> None:
    from keyguard.checks import kg302  # noqa: PLC0415  # for this test

    after = mended(_GEMINI + "c = genai.Client()\n" + _SEND, kg302.check, kg401.check)
    assert "timeout=120_000" in after
    assert "attempts=5" in after
    assert after.count("http_options=") == 1


def test_names_that_one_fix_needs_are_imported_together() -> None:
    text = "from mistralai.client import Mistral\nc = Mistral()\nc.chat.complete(model='m', messages=[])\n"
    after = mended(text, kg401.check)
    assert "from mistralai.client.utils import BackoffStrategy, RetryConfig\n" in after


def test_a_fix_says_what_it_does_in_both_languages() -> None:
    text = _loop("for i in range(5)")
    assert titles(kg403.check, text) == ["let the pause grow: time.sleep(min(60, 2**i) + random.random())"]
    assert titles(kg403.check, text, lang="zh") == ["让等待时间逐次增长：time.sleep(min(60, 2**i) + random.random())"]
    text = f"from openai import OpenAI\nc = OpenAI(max_retries=0)\n{_ASK}\n"
    assert titles(kg402.check, text) == ["remove max_retries=0"]
    assert titles(kg409.check, _async("    time.sleep(1)\n")) == ["use await asyncio.sleep(…)"]
    text = _loop("for i in range(5)", "time.sleep(2**i)", clause="RateLimitError")
    assert titles(kg407.check, text) == ["write from openai import RateLimitError"]


def test_what_is_left_to_do_by_hand_is_shown() -> None:
    why = "by hand, since it cannot be told for certain what that would change here"
    assert titles(kg403.check, _loop("while True", "time.sleep(2)")) == [
        f"- let the pause grow: time.sleep(min(60, 2 * 2**attempt) + random.random()): {why}"
    ]
    assert titles(kg406.check, _loop("for i in range(5)")) == [
        "- leave retrying to one of them: max_retries=0 at the client, or no retry around it"
    ]
