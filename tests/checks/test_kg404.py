"""KG404: a retry needs an end; servers, consumers and conversations are no retries."""

from __future__ import annotations

import pytest

from keyguard.checks import kg404
from tests.checks.networks import heard

_HEAD = "import time, itertools\nfrom openai import OpenAI, RateLimitError\nclient = OpenAI()\n"
_CALL = "client.chat.completions.create(model='gpt-4o', messages=[])"


def _heard(text: str) -> list[tuple[int, str | None, str]]:
    found = heard(kg404.check, _HEAD + text.replace("CALL", _CALL))
    return [(one.line - 3, one.case, one.text) for one in found]


def _loop(head: str, clause: str = "time.sleep(1)", done: str = "break", first: str = "") -> str:
    return f"{head}:\n{first}    try:\n        x = CALL\n        {done}\n    except Exception as e:\n        {clause}\n"


@pytest.mark.parametrize(
    "text",
    [
        _loop("for _ in range(5)"),
        _loop("while True", "raise"),
        _loop("while True", "return"),
        "tries = 0\n" + _loop("while True", "tries += 1\n        if tries > 5: raise"),
        "tries = 0\n" + _loop("while True", "tries += 1", first="    if tries > 5: break\n"),
        "tries = 0\n" + _loop("while tries < 5", "tries += 1"),
        "x = None\ntries = 0\n" + _loop("while x is None and tries < 5", "tries += 1", "print(x)"),
        "tries = 5\n" + _loop("while tries", "tries -= 1"),
        _loop("while time.time() < end"),
        _loop("while not stop.is_set()"),
        (
            "class A:\n    def f(self):\n        while self.running:\n            try:\n                return CALL\n"
            "            except Exception:\n                time.sleep(1)\n"
        ),
        _loop("while True", "print(e)", "print(x)"),
        _loop("while True", "print(e)", "break", "    q = input()\n"),
        _loop("while True", "print(e)", "q.task_done()", "    item = q.get()\n    if item is None: break\n"),
        _loop("while True", "print(e)", "if x == 'exit': break\n        speak(x)"),
        _loop("while True").replace("CALL", "client.batches.retrieve('b')"),
        "def f(n=0):\n    try:\n        return CALL\n    except Exception:\n        return f(n + 1)\n",
        "def f():\n    try:\n        return CALL\n    except Exception:\n        if again: return f()\n        raise\n",
        "import tenacity\n@tenacity.retry(stop=tenacity.stop_after_attempt(3))\ndef f(): return CALL\n",
        "import tenacity\n@tenacity.retry(stop=my_stop)\ndef f(): return CALL\n",
        "import backoff\n@backoff.on_exception(backoff.expo, RateLimitError, max_time=60)\ndef f(): return CALL\n",
        "import stamina\n@stamina.retry(on=RateLimitError)\ndef f(): return CALL\n",
        "from utils import retry\n@retry\ndef f(): return CALL\n",
        "import tenacity\n@tenacity.retry\ndef f(): return 1\n",
        _loop("for _ in range(1000)"),
    ],
    ids=[
        "range",
        "raise",
        "return",
        "counted in the clause",
        "counted before",
        "counted in the test",
        "answer or count",
        "counted down",
        "time",
        "event",
        "attribute",
        "server",
        "conversation",
        "consumer",
        "voice",
        "job",
        "recursion that counts",
        "recursion on a condition",
        "tenacity",
        "a stop of one's own",
        "backoff",
        "stamina",
        "somebody's decorator",
        "no model call",
        "a thousand",
    ],
)
def test_what_ends_or_is_no_retry_is_fine(text: str) -> None:
    assert _heard(text) == []


@pytest.mark.parametrize(
    ("text", "line", "case", "shown"),
    [
        (_loop("while True"), 1, None, "while True"),
        (_loop("while 1", "continue"), 1, None, "while 1"),
        ("x = None\n" + _loop("while x is None", "pass", "print(x)"), 2, None, "while x is None"),
        ("ok = False\n" + _loop("while not ok", "pass", "ok = True"), 2, None, "while not ok"),
        ("i = 0\n" + _loop("while i < len(items)", "print(e)", "i += 1"), 2, None, "while i < len(items)"),
        (_loop("for _ in itertools.count()"), 1, None, "for _ in itertools.count()"),
        (_loop("for _ in range(1000000)"), 1, "unreached", "for _ in range(1000000)"),
        ("def f():\n    try:\n        return CALL\n    except Exception:\n        return f()\n", 5, "recursion", "f()"),
        ("import tenacity\n@tenacity.retry\ndef f(): return CALL\n", 2, "tool", "tenacity.retry"),
        (
            "import backoff\n@backoff.on_exception(backoff.expo, RateLimitError)\ndef f(): return CALL\n",
            2,
            "tool",
            "backoff.on_exception(backoff.expo, RateLimitError)",
        ),
        (
            "import tenacity\ndef f():\n    for a in tenacity.Retrying():\n        with a:\n            return CALL\n",
            3,
            "tool",
            "tenacity.Retrying()",
        ),
    ],
    ids=[
        "while true",
        "while one",
        "until answered",
        "flag",
        "index",
        "count",
        "million",
        "recursion",
        "tenacity",
        "backoff",
        "context",
    ],
)
def test_a_retry_without_an_end_is_reported(text: str, line: int, case: str | None, shown: str) -> None:
    assert _heard(text) == [(line, case, shown)]


def test_a_helper_that_never_ends_counts_once_it_is_given_a_model_call() -> None:
    helper = "def again(fn):\n    while True:\n        try: return fn()\n        except Exception: time.sleep(1)\n"
    assert _heard(helper) == []
    assert _heard(helper + "again(lambda: CALL)\n") == [(2, None, "while True")]


def test_of_several_clauses_the_one_that_always_calls_itself_again_is_reported() -> None:
    text = (
        "def f():\n    try:\n        return CALL\n    except ValueError as e:\n"
        "        if 'again' in str(e): return f()\n"
        "        raise\n    except RateLimitError:\n        return f()\n"
    )
    assert _heard(text) == [(8, "recursion", "f()")]
