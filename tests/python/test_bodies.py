"""Bodies of functions are found without parsing, and an outline still parses and leads back to the text."""

from __future__ import annotations

import ast
import sysconfig
from bisect import bisect_right
from pathlib import Path

import pytest

from keyguard.python.bodies import function_bodies, outline

_CODE = '''\
import os
KEY = "a"


@decorated
def one(a, b=")"):  # a comment with a ( bracket
    """A docstring
def not_a_function():
    """
    return a

class C:
    x = 1

    async def two(
        self,
    ):
        def inner():
            pass
        return inner

    def three(self): return 3

LAST = 2
'''


def test_the_outermost_bodies_are_found() -> None:
    assert [body.name for body in function_bodies(_CODE)] == ["one", "two"]
    assert [_CODE[body.start : body.end].strip()[-8:] for body in function_bodies(_CODE)] == ["return a", "rn inner"]


def test_an_outline_keeps_what_is_asked_for_and_everything_outside() -> None:
    text, _, _ = outline(_CODE, lambda body: body.name == "two")
    assert "return inner" in text
    assert "return a" not in text
    assert 'KEY = "a"' in text
    assert "LAST = 2" in text
    assert "return 3" in text
    ast.parse(text)


def test_every_character_outside_a_stub_leads_back_to_itself() -> None:
    text, starts, shifts = outline(_CODE, lambda _: False)
    for name in ("KEY", "@decorated", "class C", "x = 1", "three", "LAST"):
        place = text.index(name)
        assert _CODE[place + shifts[bisect_right(starts, place) - 1] :].startswith(name)


@pytest.mark.parametrize("name", ["argparse.py", "typing.py", "asyncio/base_events.py", "tarfile.py", "textwrap.py"])
def test_outlines_of_real_modules_parse(name: str) -> None:
    code = Path(sysconfig.get_paths()["stdlib"], name).read_text(encoding="utf-8")
    text, _, _ = outline(code, lambda _: False)
    assert len(text) < len(code)
    top = [type(node).__name__ for node in ast.parse(code).body]
    assert [type(node).__name__ for node in ast.parse(text).body] == top
