"""What repeats a model call: which loops are retries, what ends them, how long they wait, whom they stand around."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from keyguard.python.retries import guards_of
from tests.checks.networks import network

if TYPE_CHECKING:
    from keyguard.python.retries import RetryLoop

_HEAD = """\
import time
import openai, requests
from openai import OpenAI
client = OpenAI()
"""
_CALL = "client.chat.completions.create(model='gpt-4o', messages=[])"


def _loops(text: str) -> tuple[RetryLoop, ...]:
    return network(_HEAD + textwrap.dedent(text).replace("CALL", _CALL)).retry_loops


def _only(text: str) -> RetryLoop:
    (found,) = _loops(text)
    return found


@pytest.mark.parametrize(
    "text",
    [
        (
            "def f(items):\n    for item in items:\n        try:\n"
            "            CALL\n        except Exception:\n            continue\n"
        ),
        "for i in range(9):\n    try:\n        CALL\n    except Exception:\n        continue\n",
        "while True:\n    try:\n        CALL\n    except Exception as e:\n        print(e)\n",
        (
            "while True:\n    text = input()\n    try:\n        CALL\n"
            "        if text: break\n    except Exception:\n        pass\n"
        ),
        (
            "def f(q):\n    while True:\n        item = q.get()\n"
            "        if item is None: break\n        try:\n            CALL\n"
            "        except Exception:\n            pass\n"
        ),
        (
            "def f(q):\n    while not q.empty():\n        item = q.get()\n"
            "        try:\n            CALL\n        except Exception:\n"
            "            pass\n"
        ),
        (
            "def f():\n    for _ in range(3):\n        try:\n"
            "            return CALL\n        except Exception:\n            raise\n"
        ),
        (
            "def f():\n    for _ in range(3):\n        try:\n"
            "            x = CALL\n        except Exception:\n            x = None\n"
            "        return x\n"
        ),
        "while True:\n    CALL\n    time.sleep(1)\n",
        (
            "def f(g):\n    while True:\n        try:\n"
            "            return g()\n        except Exception:\n            time.sleep(1)\n"
        ),
        (
            "def f(models):\n    for model in models:\n        try:\n"
            "            return CALL\n        except Exception:\n            pass\n"
        ),
        (
            "def f(agent):\n    for step in range(20):\n"
            "        try:\n            r = CALL\n            if r.done: break\n"
            "        except Exception as e:\n            print(e)\n"
        ),
    ],
    ids=[
        "items",
        "samples",
        "server",
        "repl",
        "consumer",
        "until empty",
        "re-raise",
        "answered at once",
        "timer",
        "a helper nobody gives a model call",
        "fallback models",
        "agent steps",
    ],
)
def test_what_is_no_retry_is_left_alone(text: str) -> None:
    assert _loops(text) == ()


@pytest.mark.parametrize(
    ("text", "attempts", "endless"),
    [
        (
            (
                "for _ in range(5):\n    try:\n        x = CALL\n"
                "        break\n    except Exception:\n        time.sleep(1)\n"
            ),
            5,
            False,
        ),
        (
            "while True:\n    try:\n        x = CALL\n        break\n    except Exception:\n        time.sleep(1)\n",
            None,
            True,
        ),
        ("a = None\nwhile a is None:\n    try:\n        a = CALL\n    except Exception:\n        pass\n", None, True),
        (
            "i = 0\nwhile i < 4:\n    try:\n        x = CALL\n        i += 1\n    except Exception:\n        pass\n",
            None,
            True,
        ),
        (
            "i = 0\nwhile i < 4:\n    try:\n        x = CALL\n        break\n    except Exception:\n        i += 1\n",
            4,
            False,
        ),
        (
            (
                "i = 0\nwhile True:\n    try:\n        x = CALL\n        break\n    except Exception:\n        i += 1\n"
                "        if i > 3: raise\n"
            ),
            None,
            False,
        ),
        (
            (
                "import itertools\nfor i in itertools.count():\n"
                "    try:\n        x = CALL\n        break\n    except Exception:\n"
                "        pass\n"
            ),
            None,
            True,
        ),
        (
            (
                "t = time.time()\nwhile time.time() - t < 60:\n"
                "    try:\n        x = CALL\n        break\n    except Exception:\n"
                "        pass\n"
            ),
            None,
            False,
        ),
    ],
    ids=["range", "while true", "until answered", "error path stands still", "counted", "gives up", "count", "time"],
)
def test_what_ends_a_loop_is_known(text: str, attempts: int | None, endless: bool) -> None:  # noqa: FBT001  # a parameter of the test
    loop = _only(text)
    assert (loop.kind, loop.attempts, loop.is_endless) == ("loop", attempts, endless)


@pytest.mark.parametrize(
    ("wait", "delay", "seconds"),
    [
        ("pass", "none", None),
        ("time.sleep(0)", "none", 0),
        ("time.sleep(2)", "fixed", 2),
        ("time.sleep(2 ** i)", "growing", None),
        ("time.sleep(i * 5)", "growing", None),
        ("time.sleep(wait); wait *= 2", "growing", None),
        ("wait = min(wait * 2, 60); time.sleep(wait)", "growing", None),
        ("time.sleep(wait)", "fixed", 1),
        ("time.sleep(random.uniform(1, 3))", "unknown", None),
        ("backoff()", "unknown", None),
        ("pause_for(i)", "unknown", None),
    ],
)
def test_how_a_loop_waits_is_known(wait: str, delay: str, seconds: float | None) -> None:
    loop = _only(
        "import random\ndef pause_for(i):\n    time.sleep(3)\nwait = 1\n"
        f"for i in range(5):\n    try:\n        x = CALL\n        break\n    except Exception:\n        {wait}\n"
    )
    assert (loop.delay, loop.seconds) == (delay, seconds)


@pytest.mark.parametrize(
    ("decorator", "told"),
    [
        ("tenacity.retry", (None, True, "none", None, True)),
        ("tenacity.retry()", (None, True, "none", None, True)),
        ("tenacity.retry(stop=tenacity.stop_after_attempt(3))", (3, False, "none", None, True)),
        (
            "tenacity.retry(stop=tenacity.stop_after_delay(60), wait=tenacity.wait_fixed(2))",
            (None, False, "fixed", 2, True),
        ),
        (
            (
                "tenacity.retry(stop=tenacity.stop_after_attempt(3) | tenacity.stop_after_delay(9), "
                "wait=tenacity.wait_fixed(3) + tenacity.wait_random(0, 2), "
                "retry=tenacity.retry_if_exception_type(openai.RateLimitError))"
            ),
            (3, False, "growing", None, False),
        ),
        ("backoff.on_exception(backoff.expo, openai.RateLimitError)", (None, True, "growing", None, False)),
        ("backoff.on_exception(backoff.constant, Exception, interval=3, max_tries=4)", (4, False, "fixed", 3, True)),
        ("stamina.retry(on=openai.RateLimitError)", (10, False, "growing", None, False)),
        ("retry.retry()", (None, True, "none", None, True)),
        ("retry.retry(tries=3, delay=2)", (3, False, "fixed", 2, True)),
        ("retry.retry(Exception, 3, 2, None, 2)", (3, False, "growing", None, True)),
        ("retrying.retry(stop_max_attempt_number=3, wait_fixed=2)", (3, False, "fixed", 0.002, True)),
        ("retrying.retry(wait_exponential_multiplier=1000)", (None, True, "growing", None, True)),
    ],
)
def test_what_a_tool_is_told_is_read(decorator: str, told: tuple[object, ...]) -> None:
    loop = _only(f"import tenacity, backoff, stamina, retry, retrying\n@{decorator}\ndef f():\n    return CALL\n")
    assert (loop.attempts, loop.is_endless, loop.delay, loop.seconds, loop.catches_all) == told
    assert loop.kind == "decorator"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("CALL\n", []),
        ("for item in [1, 2]:\n    CALL\n", []),
        ("for _ in range(3):\n    try:\n        CALL\n        break\n    except Exception:\n        pass\n", ["loop"]),
        ("import tenacity\n@tenacity.retry\ndef f():\n    return CALL\n", ["decorator"]),
        ("from utils import retry_on_429\n@retry_on_429\ndef f():\n    return CALL\n", ["decorator"]),
        ("from celery import shared_task\n@shared_task(max_retries=3)\ndef f():\n    return CALL\n", ["decorator"]),
        (
            (
                "import tenacity\ndef f():\n"
                "    for attempt in tenacity.Retrying(stop=tenacity.stop_after_attempt(3)):\n"
                "        with attempt:\n            return CALL\n"
            ),
            ["context"],
        ),
        ("import tenacity\ndef g():\n    return CALL\ntenacity.Retrying()(g)\n", ["helper"]),
        ("from retry.api import retry_call\ndef g():\n    return CALL\nretry_call(g, tries=3)\n", ["helper"]),
        ("from utils import with_retries\nwith_retries(lambda: CALL)\n", ["helper"]),
        (
            (
                "def g():\n    return CALL\ndef f():\n    for _ in range(3):\n        try:\n            return g()\n"
                "        except Exception:\n            pass\n"
            ),
            ["loop"],
        ),
        (
            (
                "def h(fn):\n    for _ in range(3):\n        try:\n            return fn()\n        except Exception:\n"
                "            pass\nh(lambda: CALL)\n"
            ),
            ["loop"],
        ),
        (
            (
                "from functools import partial\ndef g(x):\n    return CALL\n"
                "def h(fn):\n    for _ in range(3):\n        try:\n"
                "            return fn()\n        except Exception:\n            pass\nh(partial(g, 1))\n"
            ),
            ["loop"],
        ),
        (
            (
                "def again(fn):\n    def inner(*args):\n        for _ in range(3):\n            try:\n"
                "                return fn(*args)\n"
                "            except Exception:\n                pass\n    return inner\n"
                "@again\ndef g():\n    return CALL\n"
            ),
            ["loop"],
        ),
        (
            (
                "def again(times):\n    def wrap(fn):\n        def inner(*args):\n            for _ in range(times):\n"
                "                try:\n                    return fn(*args)\n                except Exception:\n"
                "                    pass\n        return inner\n"
                "    return wrap\n@again(3)\ndef g():\n    return CALL\n"
            ),
            ["loop"],
        ),
        (
            (
                "def f(x):\n    try:\n        return CALL\n"
                "    except Exception:\n        time.sleep(1)\n        return f(x)\n"
            ),
            ["recursion"],
        ),
        (
            (
                "from requests.adapters import HTTPAdapter, Retry\ns = requests.Session()\n"
                "s.mount('https://', HTTPAdapter(max_retries=Retry(3)))\n"
                "s.post('https://api.openai.com/v1/chat/completions', json={})\n"
            ),
            ["adapter"],
        ),
        (
            (
                "import httpx\nc = httpx.Client(transport=httpx.HTTPTransport(retries=3))\n"
                "c.post('https://api.openai.com/v1/chat/completions', json={})\n"
            ),
            ["transport"],
        ),
        (
            (
                "import httpx, httpx_retries\n"
                "c = OpenAI(http_client=httpx.Client(transport=httpx_retries.RetryTransport()))\n"
                "c.chat.completions.create(model='x')\n"
            ),
            ["transport"],
        ),
        (
            (
                "from langchain_openai import ChatOpenAI\n"
                "llm = ChatOpenAI().with_retry(stop_after_attempt=4)\nllm.invoke('x')\n"
            ),
            ["setting"],
        ),
    ],
)
def test_every_guard_on_the_path_of_a_call_is_found(text: str, kinds: list[str]) -> None:
    found = network(_HEAD + text.replace("CALL", _CALL))
    assert [guard.kind for call in found.calls for guard in guards_of(found, call)] == kinds


@pytest.mark.parametrize(
    ("body", "polls"),
    [
        ("x = client.batches.retrieve('b')", True),
        ("client.chat.completions.create(model='gpt-4o', messages=[], max_tokens=1)", True),
        ("x = CALL", False),
    ],
    ids=["job", "is it up", "question"],
)
def test_a_loop_that_waits_for_a_job_or_a_server_is_told_apart(body: str, polls: bool) -> None:  # noqa: FBT001  # a parameter of the test
    loop = _only(
        f"while True:\n    try:\n        {body}\n        break\n    except Exception:\n        time.sleep(9)\n"
    )
    assert loop.is_polling is polls


def test_the_articles_helper_is_a_retry_once_it_is_given_a_model_call() -> None:
    helper = (
        "def request_with_retry(api_call, retries=5):\n    for _ in range(retries):\n        try:\n"
        "            return api_call()\n        except RateLimitError:\n            time.sleep(1)\n"
        "    raise Exception('Rate Limit exceeded after retries')\n"
    )
    assert _loops(helper) == ()
    for given in ("lambda: CALL", "client.chat.completions.create"):
        loop = _only(f"{helper}request_with_retry({given})\n")
        assert (loop.attempts, loop.delay, loop.seconds) == (5, "fixed", 1)
        assert [(item.kind, item.is_bound) for handler in loop.handlers for item in handler.caught] == [
            ("rate_limit", False)
        ]


@pytest.mark.parametrize(
    "text",
    [
        (
            "def f(x): return g(x)\ndef g(x):\n    try:\n"
            "        return f(CALL)\n    except Exception:\n        return g(f(x))\n"
            "@f\ndef h(): return h()\nf = f(f)\ng = lambda: g()\nwhile f(g):\n    f(lambda: f(h))\n"
        ),
        (
            "from tenacity import *\n@retry(*a, **k)\n@retry(stop=stop_after_attempt())\n"
            "@retry(stop=(1 | 2), wait=wait_fixed(1) + 1)\n"
            "def f(): return CALL\n"
        ),
        "while True:\n  try:\n    y = CALL\n    break\n  except Exception as e:\n    if y == 0: pass\n"
        + "".join(f"    elif y == {number}: pass\n" for number in range(900)),
        "".join(
            f"def h{number}(fn):\n    try: return h{number + 1}(fn)\n    except Exception: return h{number}(fn)\n"
            for number in range(200)
        )
        + "h0(lambda: CALL)\n",
    ],
    ids=["recursive", "strange arguments", "long chain", "long way"],
)
def test_strange_code_is_read_to_its_end(text: str) -> None:
    found = network(_HEAD + text.replace("CALL", _CALL))
    assert [guards_of(found, call) for call in found.calls]
