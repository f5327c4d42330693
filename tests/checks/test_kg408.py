"""KG408: what starts one model call for each item of a row, and what limits how many run at once."""

from __future__ import annotations

import pytest

from keyguard.checks.kg408 import check
from tests.checks.networks import heard

_HEAD = """\
import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from openai import AsyncOpenAI, OpenAI
client = AsyncOpenAI()
plain = OpenAI()
async def ask(q):
    return await client.responses.create(model='gpt-5', input=q)
def tell(q):
    return plain.responses.create(model='gpt-5', input=q)
"""
_LINES = _HEAD.count("\n")


def short(text: str, role: str = "code") -> list[tuple[int, str | None]]:
    """Line (from the end of the head) and case of every hit."""
    return [(one.line - _LINES, one.case) for one in heard(check, _HEAD + text, role=role)]


QUIET = {
    "two": """\
async def f(a, b): await asyncio.gather(ask(a), ask(b))
""",
    "literal row": """\
async def f(): await asyncio.gather(*[ask(q) for q in ('a', 'b', 'c')])
""",
    "range of eight": """\
async def f(): await asyncio.gather(*[ask(q) for q in range(8)])
""",
    "range of a setting": """\
async def f(n): await asyncio.gather(*[ask(q) for q in range(n)])
""",
    "slice": """\
async def f(qs): await asyncio.gather(*[ask(q) for q in qs[:20]])
""",
    "slice by name": """\
async def f(qs):
    top = qs[:20]
    await asyncio.gather(*[ask(q) for q in top])
""",
    "batch by name": """\
async def f(batch): await asyncio.gather(*[ask(q) for q in batch])
""",
    "chunks": """\
async def f(qs):
    for part in in_chunks(qs, 9):
        await asyncio.gather(*[ask(q) for q in part])
""",
    "models": """\
async def f(self): await asyncio.gather(*[ask(m) for m in self.models])
""",
    "semaphore of a nested coroutine": """\
async def f(qs, sem):
    async def one(q):
        async with sem: return await ask(q)
    await asyncio.gather(*[one(q) for q in qs])
""",
    "acquire": """\
gate = asyncio.Semaphore(4)
async def g(q):
    await gate.acquire()
    return await ask(q)
async def f(qs): await asyncio.gather(*map(g, qs))
""",
    "limiter around it": """\
async def f(qs): await asyncio.gather(*[with_limit(ask(q)) for q in qs])
""",
    "someone's own gather": """\
async def f(qs): await gather_some(5, *[ask(q) for q in qs])
""",
    "flushed in rounds": """\
async def f(qs):
    tasks = []
    for q in qs:
        tasks.append(ask(q))
        if len(tasks) == 9:
            await asyncio.gather(*tasks)
            tasks = []
""",
    "one after another": """\
async def f(qs):
    for q in qs:
        await ask(q)
""",
    "task awaited at once": """\
async def f(qs):
    for q in qs:
        t = asyncio.create_task(ask(q))
        await t
""",
    "list awaited in turn": """\
async def f(qs):
    tasks = [ask(q) for q in qs]
    for t in tasks: await t
""",
    "no model": """\
async def f(xs): await asyncio.gather(*[read(x) for x in xs])
""",
    "counted by hand": """\
async def f(qs):
    for q in qs:
        if running >= MAX_CONCURRENT: continue
        asyncio.create_task(ask(q))
""",
    "threads of the loop": """\
async def f(qs): await asyncio.gather(*[asyncio.to_thread(tell, q) for q in qs])
""",
    "pool by default": """\
def f(qs):
    with ThreadPoolExecutor() as ex: return list(ex.map(tell, qs))
""",
    "pool of unknown size": """\
def f(qs, n):
    with ThreadPoolExecutor(max_workers=n) as ex: return list(ex.map(tell, qs))
""",
    "pool of 64": """\
def f(qs):
    with ThreadPoolExecutor(64) as ex: return [ex.submit(tell, q) for q in qs]
""",
    "pool of at most nine": """\
def f(qs):
    with ThreadPoolExecutor(min(len(qs), 9)) as ex: return list(ex.map(tell, qs))
""",
    "pool without a model": """\
def f(xs):
    with ThreadPoolExecutor(500) as ex: return list(ex.map(len, xs))
""",
    "one thread": """\
def f(q): threading.Thread(target=tell, args=(q,)).start()
""",
    "thread joined at once": """\
def f(qs):
    for q in qs:
        t = threading.Thread(target=tell, args=(q,))
        t.start()
        t.join()
""",
    "connections": """\
import httpx
own = AsyncOpenAI(http_client=httpx.AsyncClient(limits=httpx.Limits(max_connections=9)))
async def f(qs): await asyncio.gather(*[own.responses.create(model='m', input=q) for q in qs])
""",
    "local": """\
own = AsyncOpenAI(base_url='http://localhost:8000/v1', api_key='x')
async def f(qs): await asyncio.gather(*[own.responses.create(model='m', input=q) for q in qs])
""",
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_what_is_limited_stays_quiet(text: str) -> None:
    assert short(text) == []


def test_tests_are_left_alone() -> None:
    assert short("async def f(qs): await asyncio.gather(*[ask(q) for q in qs])\n", role="test") == []


LOUD = {
    "gather": (
        2,
        None,
        """\
async def f(qs):
    await asyncio.gather(*[ask(q) for q in qs])
""",
    ),
    "generator": (
        2,
        None,
        """\
async def f(qs):
    await asyncio.gather(*(ask(q) for q in qs), return_exceptions=True)
""",
    ),
    "map": (
        2,
        None,
        """\
async def f(qs):
    await asyncio.gather(*map(ask, qs))
""",
    ),
    "list by name": (
        3,
        None,
        """\
async def f(qs):
    ts = [ask(q) for q in qs]
    return await asyncio.gather(*ts)
""",
    ),
    "tasks": (
        3,
        None,
        """\
async def f(qs):
    ts = [asyncio.create_task(ask(q)) for q in qs]
    await asyncio.wait(ts)
""",
    ),
    "as_completed": (
        2,
        None,
        """\
async def f(qs):
    for d in asyncio.as_completed([ask(q) for q in qs]):
        await d
""",
    ),
    "appended": (
        5,
        None,
        """\
async def f(qs):
    ts = []
    for q in qs:
        ts.append(ask(q))
    await asyncio.gather(*ts)
""",
    ),
    "thrown away": (
        3,
        None,
        """\
async def f(qs):
    for q in qs:
        asyncio.create_task(ask(q))
""",
    ),
    "task appended": (
        6,
        None,
        """\
async def f(qs):
    ts = []
    for q in qs:
        t = asyncio.create_task(ask(q))
        ts.append(t)
    await asyncio.gather(*ts)
""",
    ),
    "task group": (
        4,
        None,
        """\
async def f(qs):
    async with asyncio.TaskGroup() as tg:
        for q in qs:
            tg.create_task(ask(q))
""",
    ),
    "anyio": (
        5,
        None,
        """\
async def f(qs):
    import anyio
    async with anyio.create_task_group() as tg:
        for q in qs:
            tg.start_soon(ask, q)
""",
    ),
    "range of 500": (
        2,
        "counted",
        """\
async def f():
    await asyncio.gather(*[ask(q) for q in range(500)])
""",
    ),
    "range of len": (
        2,
        None,
        """\
async def f(qs):
    await asyncio.gather(*[ask(i) for i in range(len(qs))])
""",
    ),
    "enumerate": (
        2,
        None,
        """\
async def f(qs):
    await asyncio.gather(*[ask(q) for i, q in enumerate(qs)])
""",
    ),
    "method": (
        4,
        None,
        """\
class A:
    async def one(self, q): return await ask(q)
    async def all(self, qs):
        return await asyncio.gather(*[self.one(q) for q in qs])
""",
    ),
    "the client's own method": (
        2,
        None,
        """\
async def f(qs):
    await asyncio.gather(*[client.responses.create(model='m', input=q) for q in qs])
""",
    ),
    "pool of 100": (
        2,
        "pool",
        """\
def f(qs):
    with ThreadPoolExecutor(max_workers=100) as ex:
        return list(ex.map(tell, qs))
""",
    ),
    "pool of 128": (
        2,
        "pool",
        """\
def f(qs):
    ex = ThreadPoolExecutor(128)
    for q in qs: ex.submit(tell, q)
""",
    ),
    "pool of all": (
        2,
        "pool-of-all",
        """\
def f(qs):
    with ThreadPoolExecutor(len(qs)) as ex:
        return list(ex.map(lambda q: tell(q), qs))
""",
    ),
    "threads in a loop": (
        3,
        None,
        """\
def f(qs):
    for q in qs:
        threading.Thread(target=tell, args=(q,)).start()
""",
    ),
    "threads in a list": (
        2,
        None,
        """\
def f(qs):
    ts = [threading.Thread(target=tell, args=(q,)) for q in qs]
""",
    ),
}


@pytest.mark.parametrize(("line", "case", "text"), LOUD.values(), ids=LOUD)
def test_what_nothing_limits_is_found(line: int, case: str | None, text: str) -> None:
    assert short(text) == [(line, case)]


def test_the_message_names_the_row_and_the_finding_leads_to_the_call() -> None:
    found = heard(check, _HEAD + "async def f(self):\n    await asyncio.gather(*[ask(q) for q in self.rows])\n")
    assert [(one.text, one.hit.values["name"], one.hit.values["items"]) for one in found] == [
        ("asyncio.gather(*[ask(q) for q in self.rows])", "asyncio.gather", "self.rows")
    ]
    assert [text for _, text in found[0].hit.related] == ["model-call"]


def test_a_pool_is_shown_at_its_size() -> None:
    found = heard(check, _HEAD + "def f(qs):\n    with ThreadPoolExecutor(max_workers=100) as ex: ex.map(tell, qs)\n")
    assert [(one.text, one.hit.values["number"]) for one in found] == [("100", "100")]
