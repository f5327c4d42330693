"""The index tells what is awaited and which functions are generators."""

from __future__ import annotations

import pytest

from keyguard.python.evaluate import Evaluator
from keyguard.python.index import index
from tests.python.made import loaded, module


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("async def f():\n    probe()\n", False),
        ("async def f():\n    with probe() as x: pass\n", False),
        ("async def f():\n    for x in probe(): pass\n", False),
        ("async def f():\n    await probe()\n", True),
        ("async def f():\n    async with probe() as x: pass\n", True),
        ("async def f():\n    async for x in probe(): pass\n", True),
        ("async def f():\n    return [x async for x in probe()]\n", True),
    ],
    ids=["call", "with", "for", "await", "async with", "async for", "async comprehension"],
)
def test_what_is_awaited_by_whatever_statement_is_known(text: str, expected: bool) -> None:  # noqa: FBT001  # a parameter of the test
    found = index(module(text))
    assert (id(found.calls[0].node) in found.awaited) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f():\n    def g():\n        yield 1\n    return g\n", {"g"}),
        ("def f():\n    x = yield\n    return [y for y in (yield from x)]\n", {"f"}),
        ("def f():\n    return (y for y in range(3))\n", set()),
    ],
    ids=["inner", "from", "expression"],
)
def test_generators_are_told_by_their_yield(text: str, expected: set[str]) -> None:
    assert {scope.name for scope in index(module(text)).scopes if scope.is_generator} == expected


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("def g(a: A): a.f()\n", 1),
        ("def g(a: 'A'): a.f()\n", 1),
        ("a = A()\na.f()\n", 1),
        ("def g(a): a.f()\n", 0),
        ("def g(a: B): a.f()\n", 0),
        ("a = A() if x else B()\na.f()\n", 0),
        ("a.f()\n", 0),
    ],
    ids=["annotation", "annotation as text", "instance", "parameter", "another class", "one of two", "unbound"],
)
def test_calls_of_a_method_are_found_where_the_class_is_known(text: str, number: int) -> None:
    head = "class A:\n    def f(self): pass\n    def h(self):\n        def inner(): return self.f()\n"
    found = index(module(head + text))
    scope = next(scope for scope in found.scopes if scope.name == "f")
    assert len(Evaluator(found, loaded()).sites(scope)) == number + 1
