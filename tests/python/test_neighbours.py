"""Of a module's functions those are chosen that have to do with some lines, and no others."""

from __future__ import annotations

import re

import pytest

from keyguard.python.bodies import function_bodies
from keyguard.python.neighbours import around

_CODE = """\
import httpx

SESSION = httpx.Client()


def send(url):
    return httpx.post(url)  # here


def waits():
    sleep(3)
    return send("https://example.com")


def started():
    waits()


def elsewhere():
    sleep(5)


def plain():
    return SESSION.get("x")


def again(function):
    sleep(1)
    return function


@again
def decorated():
    return 1


class Client:
    def __init__(self):
        self.http = httpx.Client()  # here
        self.limit = limit()

    def asks(self):
        sleep(1)
        return self.http.get("x")

    def idles(self):
        sleep(1)
        return self.size

    def bounded(self, limit):
        sleep(2)
        self.limit = limit


def limit():
    return 30


def made():
    sleep(4)
    return Client()


def other():
    return Client


class Derived(httpx.Client):  # here
    def more(self):
        sleep(1)

    def less(self):
        return 1


def shared():
    global STATE
    STATE = httpx.Client()  # here


def user():
    sleep(1)
    return STATE
"""


def _kept(code: str, word: str = "# here") -> list[str]:
    lines = [number for number, line in enumerate(code.splitlines(), 1) if word in line]
    wants = around(lines, lambda text: re.search(r"sleep", text) is not None)(code)
    return [body.name for body in function_bodies(code) if wants(body)]


@pytest.mark.parametrize("name", ["elsewhere", "plain", "decorated", "idles", "other", "less"])
def test_a_function_that_has_nothing_to_do_with_the_lines_is_left_out(name: str) -> None:
    assert name not in _kept(_CODE)


@pytest.mark.parametrize(
    "name",
    ["send", "waits", "started", "again", "__init__", "asks", "bounded", "limit", "made", "more", "shared", "user"],
)
def test_a_function_that_has_to_do_with_the_lines_is_kept(name: str) -> None:
    assert name in _kept(_CODE)


def test_without_a_line_only_what_decides_for_the_whole_module_is_kept() -> None:
    assert _kept(_CODE, "nowhere") == ["again"]


def test_what_a_line_outside_of_functions_makes_is_followed_by_its_name() -> None:
    code = (
        "CLIENT = make(\n    OpenAI(),\n)\n\ndef ask():\n    sleep(1)\n    CLIENT.send()\n\ndef rest():\n    sleep(1)\n"
    )
    assert _kept(code, "OpenAI") == ["ask"]


def test_what_a_line_outside_of_functions_calls_is_kept_whatever_it_says() -> None:
    code = "KEY = OpenAI(read('k'))\n\ndef read(path):\n    return open(path).read()\n\ndef rest():\n    return 1\n"
    assert _kept(code, "OpenAI") == ["read"]


@pytest.mark.parametrize(
    "code",
    [
        "def f(client: OpenAI):\n    return client.send()\n",
        "def f(\n    client: OpenAI,\n    other=1,\n):\n    return client.send()\n",
        "@made(OpenAI)\n@cached\ndef f():\n    return 1\n",
    ],
    ids=["parameter", "parameters on lines of their own", "decorator"],
)
def test_a_function_belongs_to_what_stands_above_its_body(code: str) -> None:
    assert _kept(f"{code}\ndef g():\n    sleep(1)\n", "OpenAI") == ["f"]


def test_a_word_of_prose_shares_nothing() -> None:
    code = 'def f():\n    """Use the global pool."""\n    OpenAI()\n\ndef g():\n    """The pool."""\n    sleep(1)\n'
    assert _kept(code, "OpenAI") == ["f"]
