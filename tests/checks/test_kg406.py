"""KG406: a retry around a client that tries again itself, with the numbers multiplied."""

from __future__ import annotations

import pytest

from keyguard.checks.kg406 import check
from tests.checks.networks import heard

_HEAD = """\
import json, openai, tenacity, time
from openai import OpenAI
client = OpenAI()
"""
_LINES = _HEAD.count("\n")
_ASK = "client.responses.create(model='m', input=q)"


def short(text: str, role: str = "code") -> list[tuple[int, str]]:
    """Line (from the end of the head) and number of requests of every hit."""
    return [(one.line - _LINES, one.hit.values["number"]) for one in heard(check, _HEAD + text, role=role)]


def loop(head: str, caught: str, ask: str = _ASK) -> str:
    """A retry by hand."""
    return (
        f"def f(q):\n    {head}\n        try:\n            return {ask}\n"
        f"        except {caught}:\n            time.sleep(2)\n"
    )


QUIET = {
    "a method that its SDK sends once": "from google import genai\n"
    + loop("for _ in range(4):", "Exception", "genai.Client().models.generate_content(model='m', contents=q)"),
    "no retry": f"def f(q): return {_ASK}\n",
    "off inside": loop("for _ in range(4):", "Exception", f"OpenAI(max_retries=0).{_ASK[7:]}"),
    "unknown inside": loop(
        "for _ in range(4):", "Exception", "OpenAI(max_retries=n).responses.create(model='m', input=q)"
    ),
    "unknown outside": loop("for _ in range(n):", "Exception"),
    "endless": loop("while True:", "Exception"),
    "an answer that is no JSON": loop("for _ in range(4):", "json.JSONDecodeError", f"json.loads({_ASK}.output_text)"),
    "tries once": f"@tenacity.retry(stop=tenacity.stop_after_attempt(1))\ndef f(q): return {_ASK}\n",
    "other errors": (
        "@tenacity.retry(stop=tenacity.stop_after_attempt(4), retry=tenacity.retry_if_exception_type(ValueError))\n"
        f"def f(q): return {_ASK}\n"
    ),
    "an old release": (
        "@tenacity.retry(stop=tenacity.stop_after_attempt(4))\n"
        "def f(q): return openai.ChatCompletion.create(model='m', messages=q)\n"
    ),
    "a row of questions": f"def f(qs):\n    for q in qs:\n        try: print({_ASK})\n        except Exception: pass\n",
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_retries_that_do_not_multiply_stay_quiet(text: str) -> None:
    assert short(text) == []


def test_tests_are_left_alone() -> None:
    assert short(loop("for _ in range(4):", "Exception"), role="test") == []


LOUD = {
    "a method that its SDK repeats, other than the rest": (
        3,
        "20",
        "from google import genai\n"
        + loop("for _ in range(4):", "Exception", "genai.Client().interactions.create(model='m', input=q)"),
    ),
    "loop": (2, "12", loop("for _ in range(4):", "Exception")),
    "rate limits": (2, "15", loop("for _ in range(5):", "openai.RateLimitError")),
    "decorator": (1, "12", f"@tenacity.retry(stop=tenacity.stop_after_attempt(4))\ndef f(q): return {_ASK}\n"),
    "a number of its own": (
        2,
        "24",
        loop("for _ in range(4):", "Exception", "OpenAI(max_retries=5).responses.create(model='m', input=q)"),
    ),
}


@pytest.mark.parametrize(("line", "number", "text"), LOUD.values(), ids=LOUD)
def test_retries_that_multiply_are_found(line: int, number: str, text: str) -> None:
    assert short(text) == [(line, number)]


def test_three_layers_are_multiplied_out_at_each_outer_one() -> None:
    text = f"@tenacity.retry(stop=tenacity.stop_after_attempt(2))\n{loop('for _ in range(4):', 'Exception')}"
    assert short(text) == [(1, "24"), (3, "12")]


def test_the_finding_is_the_loops_header() -> None:
    found = heard(check, _HEAD + loop("for _ in range(4):", "Exception"))
    assert [(one.text, one.hit.values["attempts"], one.hit.values["inner"]) for one in found] == [
        ("for _ in range(4)", "4", "3")
    ]
