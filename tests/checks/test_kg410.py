"""KG410: clients that are made again in each round or request, or that nothing holds."""

from __future__ import annotations

import pytest

from keyguard.checks.kg410 import check
from tests.checks.networks import heard

_HEAD = """\
import functools, os
import streamlit as st
from fastapi import Depends, FastAPI
from google import genai
from openai import OpenAI
app = FastAPI()
"""
_LINES = _HEAD.count("\n")


def short(text: str, role: str = "code") -> list[tuple[int, str | None]]:
    """Line (from the end of the head) and case of every hit."""
    return [(one.line - _LINES, one.case) for one in heard(check, _HEAD + text, role=role)]


QUIET = {
    "module": "client = OpenAI()\n",
    "function": "def f(q): return OpenAI().responses.create(model='m', input=q)\n",
    "before the loop": """\
client = OpenAI()
for q in qs: client.responses.create(model='m', input=q)
""",
    "one a key": "clients = [OpenAI(api_key=key) for key in keys]\n",
    "one an address": """\
for host in hosts:
    url = f'https://{host}/v1'
    clients.append(OpenAI(base_url=url))
""",
    "the user's own key": """\
@app.post('/')
def f(key: str): return OpenAI(api_key=key).models.list()
""",
    "a key from the request": """\
@app.post('/')
def f(request):
    key = request.headers['x-key']
    return OpenAI(api_key=key).models.list()
""",
    "cache": """\
@functools.cache
def make(): return OpenAI()
@app.post('/')
def f(): return make().models.list()
""",
    "cache with arguments": """\
@functools.lru_cache(maxsize=1)
def make(): return OpenAI()
for q in qs: make().models.list()
""",
    "cache of a page": """\
@st.cache_resource
def make(): return OpenAI()
for q in qs: make().models.list()
""",
    "made when there is none": """\
client = None
@app.post('/')
def f():
    global client
    if client is None: client = OpenAI()
    return client.models.list()
""",
    "property made once": """\
class A:
    @property
    def client(self):
        if not self._client: self._client = OpenAI()
        return self._client
    def f(self, qs):
        for q in qs: self.client.models.list()
""",
    "cache by hand": """\
def make(name):
    if name not in cache: cache[name] = OpenAI()
    return cache[name]
for q in qs: make('a').models.list()
""",
    "fallback": """\
for q in qs:
    client = client or OpenAI()
""",
    "tries": """\
for attempt in range(3):
    try:
        client = OpenAI()
        break
    except Exception: pass
""",
    "held": """\
client = genai.Client()
client.models.generate_content(model='m', contents='x')
""",
    "held by a block": """\
with genai.Client() as client: client.models.generate_content(model='m', contents='x')
""",
    "other SDKs do not close": "OpenAI().models.list()\n",
    "other decorators": """\
@functools.wraps(print)
def f(): return OpenAI().models.list()
""",
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_clients_that_are_made_once_stay_quiet(text: str) -> None:
    assert short(text) == []


def test_tests_are_left_alone() -> None:
    assert short("for q in qs: OpenAI().models.list()\n", role="test") == []


LOUD = {
    "loop": (1, None, "for q in qs: OpenAI().responses.create(model='m', input=q)\n"),
    "while": (
        2,
        None,
        """\
while True:
    client = OpenAI(api_key=os.environ['OPENAI_API_KEY'])
    client.responses.create(model='m', input=input())
""",
    ),
    "comprehension": (1, None, "xs = [OpenAI().responses.create(model='m', input=q) for q in qs]\n"),
    "factory in a loop": (
        1,
        None,
        """\
def make(): return OpenAI()
for q in qs: make().models.list()
""",
    ),
    "helper in a loop": (
        2,
        None,
        """\
def ask(q):
    client = OpenAI()
    return client.responses.create(model='m', input=q)
def main(qs): return [ask(q) for q in qs]
""",
    ),
    "object in a loop": (
        2,
        None,
        """\
class Bot:
    def __init__(self): self.client = OpenAI()
for q in qs:
    bot = Bot()
""",
    ),
    "handler": (
        3,
        "handler",
        """\
@app.post('/ask')
async def f(q: str):
    return OpenAI().responses.create(model='m', input=q)
""",
    ),
    "flask": (
        5,
        "handler",
        """\
import flask
bp = flask.Blueprint('x', __name__)
@bp.route('/ask', methods=['POST'])
def f():
    client = OpenAI()
    return client.models.list()
""",
    ),
    "django": (
        4,
        "handler",
        "from django.views import View\nclass A(View):\n    def post(self, request):\n        c = OpenAI()\n",
    ),
    "gradio": (
        2,
        "handler",
        "import gradio as gr\ndef f(message, history): return OpenAI().models.list()\ngr.ChatInterface(f)\n",
    ),
    "dependency": (1, "handler", "def make(): return OpenAI()\n@app.get('/')\ndef f(c=Depends(make)): pass\n"),
    "unheld": (1, "unheld", "genai.Client().models.generate_content(model='m', contents='x')\n"),
    "unheld with a key": (
        1,
        "unheld",
        "t = genai.Client(api_key=k).models.generate_content(model='m', contents='x').text\n",
    ),
    "unheld, async": (
        1,
        "unheld",
        "async def f(): await genai.Client().aio.models.generate_content(model='m', contents='x')\n",
    ),
}


@pytest.mark.parametrize(("line", "case", "text"), LOUD.values(), ids=LOUD)
def test_clients_that_are_made_too_often_are_found(line: int, case: str | None, text: str) -> None:
    assert short(text) == [(line, case)]


def test_the_finding_is_the_client_and_leads_to_the_loop() -> None:
    found = heard(check, _HEAD + "for q in qs: OpenAI().models.list()\n")
    assert [(one.text, one.hit.values["name"], [text for _, text in one.hit.related]) for one in found] == [
        ("OpenAI()", "OpenAI", ["loop-around"])
    ]
