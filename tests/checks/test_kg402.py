"""KG402: retries that are switched off while nothing else tries again."""

from __future__ import annotations

import pytest

from keyguard.checks.kg402 import check
from tests.checks.networks import heard

_HEAD = """\
import litellm, requests, tenacity, time
from openai import OpenAI
"""
_LINES = _HEAD.count("\n")


def short(text: str, role: str = "code") -> list[tuple[int, str | None, str]]:
    """Line (from the end of the head), case and text of every hit."""
    return [(one.line - _LINES, one.case, one.text) for one in heard(check, _HEAD + text, role=role)]


QUIET = {
    "default": "OpenAI().responses.create(model='m', input='x')\n",
    "on": "OpenAI(max_retries=1).responses.create(model='m', input='x')\n",
    "None is the default": "OpenAI(max_retries=None).models.list()\n",
    "unknown": "def f(n): OpenAI(max_retries=n).responses.create(model='m', input='x')\n",
    "without calls": "client = OpenAI(max_retries=0)\n",
    "decorator": """\
client = OpenAI(max_retries=0)
@tenacity.retry(stop=tenacity.stop_after_attempt(5))
def f(): return client.responses.create(model='m', input='x')
""",
    "loop": """\
client = OpenAI(max_retries=0)
def f():
    for attempt in range(5):
        try:
            return client.responses.create(model='m', input='x')
        except Exception:
            time.sleep(2**attempt)
""",
    "call with its own": "OpenAI(max_retries=0).with_options(max_retries=5).responses.create(model='m', input='x')\n",
    "local": "OpenAI(max_retries=0, base_url='http://localhost:8000/v1').responses.create(model='m', input='x')\n",
    "stream": "OpenAI(max_retries=0).responses.create(model='m', input='x', stream=True)\n",
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_what_something_else_repeats_stays_quiet(text: str) -> None:
    assert short(text) == []


def test_tests_are_left_alone() -> None:
    assert short("OpenAI(max_retries=0).responses.create(model='m', input='x')\n", role="test") == []


LOUD = {
    "client": (1, "OpenAI(max_retries=0).responses.create(model='m', input='x')\n"),
    "by name": (2, "OFF = 0\nOpenAI(max_retries=OFF).responses.create(model='m', input='x')\n"),
    "options": (1, "OpenAI().with_options(max_retries=0).responses.create(model='m', input='x')\n"),
    "function": (1, "litellm.completion(model='gpt-5', messages=[], num_retries=0)\n"),
    "one call without a guard": (
        1,
        """\
client = OpenAI(max_retries=0)
@tenacity.retry(stop=tenacity.stop_after_attempt(5))
def f(): return client.responses.create(model='m', input='x')
def g(): return client.responses.create(model='m', input='y')
""",
    ),
}


@pytest.mark.parametrize(("line", "text"), LOUD.values(), ids=LOUD)
def test_retries_that_are_off_are_found_at_the_number(line: int, text: str) -> None:
    assert [(at, case) for at, case, _ in short(text)] == [(line, None)]
    assert all(part in {"0", "OFF"} for _, _, part in short(text))


def test_an_adapter_that_tries_once_is_found() -> None:
    text = """\
from requests.adapters import HTTPAdapter
from urllib3 import Retry
session = requests.Session()
session.mount('https://', HTTPAdapter(max_retries=Retry(0)))
session.post('https://api.openai.com/v1/responses', json={})
"""
    assert [(line, case) for line, case, _ in short(text)] == [(4, "tool")]
