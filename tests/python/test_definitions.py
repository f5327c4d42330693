"""What a name of a module hangs on is cut out of its text: nothing that decides is lost, and little else is kept."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import pytest

from keyguard.python.bodies import outline
from keyguard.python.definitions import Definitions
from keyguard.python.evaluate import Evaluator
from keyguard.python.index import index
from keyguard.python.values import Local, OneOf
from tests.python.made import loaded, module

_SETTINGS = '''\
"""Settings, such as HOST and KEY."""
import os
from typing import (  # names
    Any,
    Optional as Maybe,
)

HOST: Maybe[str] = "example.com"
KEY = os.environ["KEY"]  # for URL
URL = f"https://{HOST}/v1"
TEXT = "URL"


class Base:
    kind = "base"


@decorated
class Settings(Base):
    """Holds KEY."""

    limit = 3

    def __init__(self, url=URL):
        self.url = url

    def method(self, key=KEY):
        return key


def function(x):
    return KEY


if os.name == "nt":
    HOST = "windows.example.com"
OTHER = Settings(TEXT)
'''


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("nothing", "import os HOST KEY URL TEXT Base Settings function OTHER"),
        ("KEY", "HOST TEXT Base Settings function OTHER typing"),
        ("TEXT", "import os HOST KEY Base Settings function OTHER"),
        ("HOST", "KEY URL TEXT Base Settings function OTHER Any"),
        ("Base", "import os HOST KEY URL TEXT Settings function OTHER"),
        ("function", "import os HOST KEY URL TEXT Base Settings OTHER return"),
        ("Settings", "return KEY function key"),
    ],
)
def test_what_a_name_does_not_hang_on_is_left_out(name: str, without: str) -> None:
    text = Definitions(_SETTINGS).of(name).replace("Holds KEY", "")
    assert not [word for word in without.split() if word in text]
    ast.parse(text)


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("KEY", ["import os\n", 'KEY = os.environ["KEY"]']),
        ("HOST", ["import Optional as Maybe\n", '"example.com"', '    HOST = "windows.example.com"\n']),
        ("URL", ["HOST: Maybe", "windows", "import os\n", "URL ="]),
        (
            "Settings",
            ["@decorated\nclass", "class Base", "URL =", "self.url = url", "OTHER = Settings(TEXT)", "TEXT ="],
        ),
        ("function", ["def function(*_):\n"]),
        ("Maybe", ["from typing import Optional as Maybe\n"]),
    ],
)
def test_what_a_name_hangs_on_is_kept_in_order(name: str, held: list[str]) -> None:
    text = Definitions(_SETTINGS).of(name)
    assert [part for part in held if part not in text] == []
    assert text.index("import") < text.index(name) if "import" in text else True


def test_names_that_hang_on_the_same_share_one_text() -> None:
    found = Definitions("a = b = 'k'\n(c, d) = make()\n")
    assert found.of("a") is found.of("b")
    assert found.of("c") is found.of("d")
    assert found.of("a") != found.of("c")


@pytest.mark.parametrize(
    "text",
    [
        "K = 'a'\nK += 'b'",
        "K = {}\nK['x'] = 'y'",
        "K = {}\nK.update(x='y')",
        "K = 'a'\ndel \\\n  K",
        "try:\n    from m import K\nexcept ImportError:\n    K = None",
        "from m import \\\n    L, \\\n    K",
        "import m.K, m.L as K",
        "for K in ('a', 'b'):\n    pass",
        "with open('x') as K:\n    pass",
        "L = (K := 'a')",
        "L = 1; K = 2",
        "K: dict[\n    str, str\n] = {'a': 'b'}",
        "(\n    L,\n    K,\n) = ('a', 'b')",
        "L, K = 'a', 'b'",
        "A = 'a'\nK = f'{A}b'",
        "class C:\n    def __init__(self):\n        global K\n        K = 'a'\nK = 'b'",
        "class K:\n    def __init__(self, a):\n        self.a = a\nK('x')",
        "class C:\n    a = 'b'\nclass K(C):\n    pass\nC.a = 'c'",
        "if A:\n    K = 'a'\nelif B:\n    K = 'b'\nelse:\n    K = 'c'",
        "'''\nK = 'c'\n'''\nK = 'd'  # K = 'e'",
        "def K(): return 'a'",
        "x = 1\\\n    + 2\nK = x",
    ],
)
def test_a_name_is_worth_the_same_as_in_the_whole_module(text: str) -> None:
    assert _seen(_exported(Definitions(text).of("K"), "K")) == _seen(_exported(text, "K"))


def test_names_of_the_standard_library_are_worth_the_same_as_in_whole_modules() -> None:
    folder = Path(sysconfig.get_path("stdlib"))
    for name in ("ssl", "calendar", "string", "logging/__init__", "http/client", "datetime", "types", "opcode"):
        text = (folder / f"{name}.py").read_text("utf-8")
        whole, _, _ = outline(text, lambda body: body.name == "__init__")
        found = Definitions(text)
        evaluator = _evaluator(whole)
        for item in list(evaluator.index.scope.bindings)[:12]:
            assert _seen(_exported(found.of(item), item)) == _seen(evaluator.exported(item)), (name, item)


def _evaluator(text: str) -> Evaluator:
    return Evaluator(index(module(text), "m"), loaded())


def _exported(text: str, name: str) -> object:
    return _evaluator(text).exported(name)


def _seen(value: object) -> object:
    """A value as two evaluators can agree on it: a definition by its name and what it holds."""
    if isinstance(value, OneOf):
        return [_seen(item) for item in value.values]
    if isinstance(value, Local):
        members = {*value.scope.bindings, *value.scope.attributes} if value.scope.kind == "class" else set()
        return value.scope.name, value.instance, sorted(members)
    return value
