"""KG403: the pause before a retry must grow; what polls, grows or asks the server is fine."""

from __future__ import annotations

import pytest

from keyguard.checks import kg403
from tests.checks.networks import heard

_HEAD = "import time, requests, openai\nfrom openai import OpenAI, RateLimitError\nclient = OpenAI()\n"
_CALL = "client.chat.completions.create(model='gpt-4o', messages=[])"
_URL = "'https://api.openai.com/v1/chat/completions'"


def _loop(clause: str, head: str = "for i in range(5)", after: str = "break") -> str:
    return f"{head}:\n    try:\n        x = CALL\n        {after}\n    {clause}\n"


def _heard(text: str) -> list[tuple[int, str | None, str]]:
    found = heard(kg403.check, _HEAD + text.replace("CALL", _CALL).replace("URL", _URL))
    return [(one.line - 3, one.case, one.text) for one in found]


@pytest.mark.parametrize(
    "text",
    [
        _loop("except RateLimitError: time.sleep(2 ** i)"),
        _loop("except RateLimitError: time.sleep(min(60, 2 ** i))"),
        "wait = 1\n" + _loop("except RateLimitError:\n        time.sleep(wait)\n        wait *= 2"),
        _loop("except RateLimitError as e: time.sleep(float(e.response.headers['retry-after']))"),
        _loop("except RateLimitError as e:\n        if 'retry-after' not in e.response.headers: time.sleep(3)"),
        _loop("except RateLimitError: raise"),
        _loop("except ValueError: continue"),
        _loop("except openai.APITimeoutError: continue"),
        _loop("except RateLimitError: limiter.wait()"),
        _loop("except Exception: time.sleep(1)", after="print(x)"),
        (
            "while True:\n    run = client.batches.retrieve('b')\n"
            "    if run.status == 'completed': break\n    time.sleep(5)\n"
        ),
        _loop("except Exception: time.sleep(1)", head="while True").replace("CALL", "client.batches.retrieve('b')"),
        "for q in ['a', 'b']:\n    try:\n        x = CALL\n    except Exception: time.sleep(1)\n",
        "import tenacity\n@tenacity.retry(wait=tenacity.wait_exponential())\ndef f(): return CALL\n",
        "import stamina\n@stamina.retry(on=RateLimitError)\ndef f(): return CALL\n",
        "import backoff\n@backoff.on_exception(backoff.expo, RateLimitError)\ndef f(): return CALL\n",
        "import tenacity\n@tenacity.retry(**options)\ndef f(): return CALL\n",
        "import tenacity\n@tenacity.retry\ndef f(): return 1\n",
        (
            "import litellm\n"
            "litellm.completion(model='gpt-4o', num_retries=3, retry_strategy='exponential_backoff_retry')\n"
        ),
        "import httpx\nc = httpx.Client(transport=httpx.HTTPTransport(retries=3))\nc.post(URL)\n",
        (
            "for i in range(5):\n    try:\n"
            "        r = requests.post(URL, json={})\n        if r.status_code == 200: break\n"
            "    except Exception: continue\n"
        ),
    ],
    ids=[
        "doubling",
        "doubling with an end",
        "a pause that is multiplied",
        "the server's wish",
        "the server's wish or three seconds",
        "raised",
        "an error of one's own",
        "a timeout",
        "a wait that cannot be seen",
        "every answer is wanted",
        "waits for a job",
        "waits for a job with try",
        "one try a question",
        "tenacity with a wait",
        "stamina",
        "backoff",
        "hidden arguments",
        "no model call",
        "litellm with a strategy",
        "connections",
        "statuses are answered, only connections raise",
    ],
)
def test_pauses_that_grow_and_loops_that_wait_are_fine(text: str) -> None:
    assert _heard(text) == []


@pytest.mark.parametrize(
    ("text", "line", "case", "shown"),
    [
        (_loop("except RateLimitError: time.sleep(1)"), 5, None, "time.sleep(1)"),
        (_loop("except Exception: time.sleep(i)", head="i = 2\nwhile True"), 6, None, "time.sleep(i)"),
        (_loop("except RateLimitError: time.sleep(30)"), 5, "long", "time.sleep(30)"),
        (_loop("except RateLimitError: time.sleep(30)", head="while True"), 5, None, "time.sleep(30)"),
        (_loop("except RateLimitError: continue"), 5, "at-once", "except RateLimitError"),
        (_loop("except: continue"), 5, "at-once", "except"),
        (_loop("except RateLimitError: time.sleep(0)"), 5, "at-once", "time.sleep(0)"),
        ("import tenacity\n@tenacity.retry\ndef f(): return CALL\n", 2, "tool-at-once", "tenacity.retry"),
        (
            "import tenacity\n@tenacity.retry(wait=tenacity.wait_fixed(2))\ndef f(): return CALL\n",
            2,
            "tool-fixed",
            "tenacity.wait_fixed(2)",
        ),
        (
            (
                "import tenacity as t\n"
                "@t.retry(stop=t.stop_after_attempt(3), wait=t.wait_fixed(9))\ndef f(): return CALL\n"
            ),
            2,
            "tool-long",
            "t.wait_fixed(9)",
        ),
        ("from retry import retry\n@retry(tries=3)\ndef f(): return CALL\n", 2, "tool-at-once", "retry(tries=3)"),
        (
            (
                "from requests.adapters import HTTPAdapter, Retry\ns = requests.Session()\n"
                "s.mount('https://', HTTPAdapter(max_retries=Retry(3, allowed_methods=None)))\ns.post(URL)\n"
            ),
            3,
            "tool-at-once",
            "Retry(3, allowed_methods=None)",
        ),
        ("import litellm\nx = litellm.completion(model='gpt-4o', messages=[], num_retries=3)\n", 2, "setting", "3"),
        (
            (
                "for attempt in range(5):\n    r = requests.post(URL, json={})\n    if r.status_code == 200: break\n"
                "    time.sleep(2)\n"
            ),
            4,
            None,
            "time.sleep(2)",
        ),
    ],
    ids=[
        "one second",
        "a name",
        "half a minute",
        "half a minute for ever",
        "none",
        "bare",
        "zero",
        "tenacity",
        "wait_fixed",
        "wait_fixed for long",
        "retry",
        "urllib3",
        "litellm",
        "status",
    ],
)
def test_the_same_pause_every_time_is_reported(text: str, line: int, case: str | None, shown: str) -> None:
    assert _heard(text) == [(line, case, shown)]


def test_the_pause_of_a_helper_counts_once_it_is_given_a_model_call() -> None:
    helper = (
        "def again(fn):\n    for _ in range(3):\n"
        "        try: return fn()\n        except RateLimitError: time.sleep(1)\n"
    )
    assert _heard(helper) == []
    assert _heard(helper + "again(print)\n") == []
    for given in ("lambda: CALL", "client.chat.completions.create"):
        assert _heard(f"{helper}again({given})\n") == [(4, None, "time.sleep(1)")]


def test_a_model_on_ones_own_machine_has_no_rate_limit() -> None:
    text = _loop("except Exception: time.sleep(1)").replace("client.", "local.")
    local = "local = OpenAI(base_url='http://localhost:11434/v1', api_key='ollama')\n"
    assert _heard(local + text.replace("CALL", _CALL.replace("client", "local"))) == []


def test_the_message_says_how_long() -> None:
    found = heard(kg403.check, _HEAD + _loop("except RateLimitError: time.sleep(0.5)").replace("CALL", _CALL))
    assert found[0].hit.values["seconds"] == "0.5"
