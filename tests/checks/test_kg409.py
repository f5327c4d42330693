"""KG409: what waits in an `async def` without being awaited."""

from __future__ import annotations

import pytest

from keyguard.checks.kg409 import check
from tests.checks.networks import heard

_HEAD = """\
import asyncio, time, httpx, requests
from openai import AsyncOpenAI, OpenAI
client = AsyncOpenAI()
plain = OpenAI()
def tell(q): return plain.responses.create(model='m', input=q)
"""
_LINES = _HEAD.count("\n")


def short(text: str, head: str = _HEAD, role: str = "code") -> list[tuple[int, str | None]]:
    """Line (from the end of the head) and case of every hit."""
    return [(one.line - head.count("\n"), one.case) for one in heard(check, head + text, role=role)]


QUIET = {
    "awaited": """\
async def f(q): return await client.responses.create(model='m', input=q)
""",
    "async stream": """\
async def f(q):
    async with client.responses.stream(model='m', input=q) as stream: pass
""",
    "sync function": """\
def f(q):
    time.sleep(1)
    return plain.responses.create(model='m', input=q), requests.get('https://example.com')
""",
    "to_thread": """\
async def f(q): return await asyncio.to_thread(tell, q)
""",
    "executor": """\
async def f(q): return await asyncio.get_running_loop().run_in_executor(None, lambda: tell(q))
""",
    "nested function": """\
async def f(q):
    def g(): return plain.responses.create(model='m', input=q)
    return g
""",
    "nested class": """\
async def f(q):
    class A:
        def g(self): time.sleep(1)
    return A
""",
    "generator": """\
def g(q):
    for part in plain.responses.create(model='m', input=q, stream=True):
        yield part
async def f(q): return Response(g(q))
""",
    "asyncio.sleep": """\
async def f(): await asyncio.sleep(1)
""",
    "async http": """\
async def f():
    async with httpx.AsyncClient() as http: return await http.get('https://example.com')
""",
    "gathered": """\
async def f(qs): return await asyncio.gather(*[client.responses.create(model='m', input=q) for q in qs])
""",
    "either client": """\
class A:
    def __init__(self, fast): self.client = AsyncOpenAI() if fast else OpenAI()
    async def f(self, q): return await self.client.responses.create(model='m', input=q)
""",
    "unknown client": """\
async def f(given, q): return given.chat.completions.create(model='m', messages=q)
""",
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_what_does_not_hold_up_the_loop_stays_quiet(text: str) -> None:
    assert short(text) == []


def test_modules_without_a_model_are_left_alone() -> None:
    assert short("async def f(): time.sleep(1)\n", head="import time, requests\n") == []


def test_tests_are_left_alone() -> None:
    assert short("async def f(): time.sleep(1)\n", role="test") == []


LOUD = {
    "sync client": (
        1,
        None,
        """\
async def f(q): return plain.responses.create(model='m', input=q)
""",
    ),
    "client made there": (
        2,
        None,
        """\
async def f(q):
    return OpenAI().responses.create(model='m', input=q)
""",
    ),
    "endless request": (
        1,
        "endless",
        """\
async def f(): return requests.get('https://example.com')
""",
    ),
    "request with a limit": (
        1,
        None,
        """\
async def f(): return requests.get('https://example.com', timeout=9)
""",
    ),
    "sync session": (
        3,
        None,
        """\
async def f():
    with httpx.Client() as http:
        return http.get('https://example.com')
""",
    ),
    "sleep": (1, "sleep", "async def f(): time.sleep(1)\n"),
    "sleep by a name": (2, "sleep", "from time import sleep as rest\nasync def f(): rest(2)\n"),
    "unknown sleep": (1, "sleep-unknown", "async def f(n): time.sleep(n)\n"),
    "helper": (1, "helper", "async def f(q): return tell(q)\n"),
    "helper of a helper": (2, "helper", "def more(q): return tell(q)\nasync def f(q): return more(q)\n"),
    "helper that sleeps": (2, "helper-sleep", "def rest(): time.sleep(3)\nasync def f(q): rest()\n"),
    "method": (
        3,
        "helper",
        """\
class A:
    def ask(self, q): return plain.responses.create(model='m', input=q)
    async def f(self, q): return self.ask(q)
""",
    ),
    "async generator": (
        2,
        None,
        """\
async def f(q):
    for part in plain.responses.create(model='m', input=q, stream=True):
        yield part
""",
    ),
}


@pytest.mark.parametrize(("line", "case", "text"), LOUD.values(), ids=LOUD)
def test_what_holds_up_the_loop_is_found(line: int, case: str | None, text: str) -> None:
    assert short(text) == [(line, case)]


def test_the_message_says_how_long() -> None:
    found = heard(check, "from openai import OpenAI\nc = OpenAI(timeout=30)\nasync def f(): c.models.list()\n")
    assert [(one.text, one.hit.values) for one in found] == [
        ("c.models.list()", {"name": "c.models.list", "where": "f", "number": "30"})
    ]


def test_a_helper_leads_to_what_waits() -> None:
    found = heard(check, _HEAD + "async def f(q): return tell(q)\n")
    assert [(one.text, [text for _, text in one.hit.related]) for one in found] == [("tell(q)", ["blocks"])]
