"""KG412: conversations that only grow, and files that go into a request whole."""

from __future__ import annotations

import pytest

from keyguard.checks.kg412 import check
from tests.checks.networks import heard

_HEAD = """\
import base64, sys
from openai import OpenAI
client = OpenAI()
def send(messages): return client.chat.completions.create(model='m', messages=messages)
"""
_LINES = _HEAD.count("\n")
_ASK = "client.chat.completions.create(model='m', messages=messages)"


def short(text: str, role: str = "code") -> list[tuple[int, str | None, str]]:
    """Line (from the end of the head), case and text of every hit."""
    return [(one.line - _LINES, one.case, one.text) for one in heard(check, _HEAD + text, role=role)]


QUIET = {
    "no loop": f"messages = []\nmessages.append(input())\n{_ASK}\n",
    "built before": f"messages = []\nfor row in rows: messages.append(row)\n{_ASK}\n",
    "anew each round": f"while True:\n    messages = [1]\n    messages.append(input())\n    {_ASK}\n",
    "a number of rounds": f"messages = []\nfor _ in range(9):\n    messages.append(input())\n    {_ASK}\n",
    "a list in a list": f"""\
for _ in range(9):
    for i, messages in enumerate(all):
        messages.append(i)
        {_ASK}
""",
    "a count in the test": f"while len(messages) < 9:\n    messages.append(input())\n    {_ASK}\n",
    "a slice": f"while True:\n    messages.append(input())\n    del messages[1]\n    {_ASK}\n",
    "a slice kept": f"while True:\n    messages.append(input())\n    messages = messages[-9:]\n    {_ASK}\n",
    "pop": f"while True:\n    messages.append(input())\n    if much: messages.pop(0)\n    {_ASK}\n",
    "a length looked at": f"while True:\n    messages.append(input())\n    if len(messages) > 9: break\n    {_ASK}\n",
    "tokens counted": f"while True:\n    messages.append(input())\n    if count_tokens(messages): end()\n    {_ASK}\n",
    "a summary": f"while True:\n    messages.append(input())\n    messages = summarise(messages)\n    {_ASK}\n",
    "the recent ones": f"while True:\n    messages.append(input())\n    keep_recent(messages, 9)\n    {_ASK}\n",
    "another list": f"while True:\n    log.append(input())\n    {_ASK}\n",
    "trimmed elsewhere in the class": """\
class Bot:
    def run(self):
        while True:
            self.messages.append(input())
            client.chat.completions.create(model='m', messages=self.messages)
    def forget(self): self.messages = self.messages[-9:]
""",
    "handed to a function that cuts it": """\
def ask(messages):
    messages = messages[-9:]
    client.responses.create(model='m', input=messages)
while True:
    history.append(input())
    ask(history)
""",
    "handed to a function that measures it": """\
def ask(messages):
    if len(messages) > 9: raise ValueError
    client.responses.create(model='m', input=messages)
while True:
    history.append(input())
    ask(history)
""",
    "handed over outside of the loop": """\
def ask(messages): client.responses.create(model='m', input=messages)
for row in rows: history.append(row)
ask(history)
""",
    "a file of the project": "client.responses.create(model='m', input=open('prompt.txt').read())\n",
    "a file beside others": "def f(d): client.responses.create(model='m', input=open(f'{d}/prompt.md').read())\n",
    "so many characters": "client.responses.create(model='m', input=open(sys.argv[1]).read(9999))\n",
    "a part of a file": "client.responses.create(model='m', input=open(sys.argv[1]).read()[:9999])\n",
    "a size looked at": """\
def f(path):
    if os.path.getsize(path) > 9999: return
    client.responses.create(model='m', input=open(path).read())
""",
    "an image made smaller": """\
def f(path):
    resize(path)
    data = base64.b64encode(open(path, 'rb').read()).decode()
    client.responses.create(model='m', input=[{'image_url': f'data:image/png;base64,{data}'}])
""",
    "bytes from elsewhere": "def f(data): client.responses.create(model='m', input=base64.b64encode(data).decode())\n",
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_payloads_with_a_limit_stay_quiet(text: str) -> None:
    assert short(text) == []


def test_tests_are_left_alone() -> None:
    assert short(f"while True:\n    messages.append(input())\n    {_ASK}\n", role="test") == []


LOUD = {
    "while": (3, None, "messages", f"while True:\n    messages.append(input())\n    {_ASK}\n"),
    "for": (3, None, "messages", f"for q in qs:\n    messages.append(q)\n    {_ASK}\n"),
    "added": (3, None, "messages", f"while True:\n    messages += [input()]\n    {_ASK}\n"),
    "put together": (3, None, "messages", f"while True:\n    messages = messages + [input()]\n    {_ASK}\n"),
    "attribute": (
        5,
        None,
        "self.messages",
        """\
class Bot:
    def run(self):
        while True:
            self.messages.append(input())
            client.chat.completions.create(model='m', messages=self.messages)
""",
    ),
    "handed to a function": (
        4,
        None,
        "history",
        """\
def ask(name, messages): return client.responses.create(model=name, input=messages)
while True:
    history.append(input())
    history.append(ask('m', history))
""",
    ),
    "handed to a method": (
        6,
        None,
        "self.history",
        """\
class Bot:
    def ask(self, messages): return client.responses.create(model='m', input=messages)
    def run(self):
        while True:
            self.history.append(input())
            self.ask(messages=self.history)
""",
    ),
    "file": (
        1,
        "file",
        "open(sys.argv[1]).read()",
        "client.responses.create(model='m', input=open(sys.argv[1]).read())\n",
    ),
    "file of a parameter": (
        3,
        "file",
        "file.read()",
        """\
def f(path):
    with open(path) as file:
        text = file.read()
    send([{'role': 'user', 'content': f'Read this: {text}'}])
    client.responses.create(model='m', input=f'Read this: {text}')
""",
    ),
    "image": (
        2,
        "file",
        "open(path, 'rb').read()",
        """\
def f(path):
    data = base64.b64encode(open(path, 'rb').read()).decode('utf-8')
    client.responses.create(model='m', input=[{'image_url': f'data:image/png;base64,{data}'}])
""",
    ),
    "image of a helper": (
        3,
        "file",
        "f.read()",
        """\
def encode(path):
    with open(path, 'rb') as f:
        return base64.b64encode(f.read()).decode()
def ask(path):
    client.responses.create(model='m', input=[{'image_url': f'data:image/png;base64,{encode(path)}'}])
""",
    ),
}


@pytest.mark.parametrize(("line", "case", "part", "text"), LOUD.values(), ids=LOUD)
def test_payloads_without_a_limit_are_found(line: int, case: str | None, part: str, text: str) -> None:
    assert short(text) == [(line, case, part)]
