"""What the tests of Python share: a module from its text, the values given to `probe(…)`, the hits of the rules."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from keyguard import catalogue
from keyguard.checks import kg101, kg102, kg103, kg104, kg105
from keyguard.python.evaluate import Evaluator
from keyguard.python.facts import PythonFacts, read_module
from keyguard.python.index import index
from keyguard.python.module import Module, ParseFailure, parse
from keyguard.source import SourceFile
from tests.keys import fill

if TYPE_CHECKING:
    from keyguard.model import Hit
    from keyguard.python.project import Project
    from keyguard.python.values import Value

CHECKS = (kg101, kg102, kg103, kg104, kg105)


@functools.cache
def loaded() -> catalogue.Catalogue:
    return catalogue.load()


def source(text: str, path: str = "app.py", role: str = "code") -> SourceFile:
    return SourceFile(path, text, kind="python", role=role)


def module(text: str) -> Module:
    found = parse(source(text))
    assert not isinstance(found, ParseFailure), found
    return found


def probed(text: str) -> list[Value]:
    """The values of the arguments of `probe(…)`, in order of the calls."""
    found = index(module(text))
    evaluator = Evaluator(found, loaded())
    return [
        evaluator.value(argument.value, call.place)
        for call in found.calls
        if getattr(call.node.func, "value", None) == "probe"
        for argument in call.node.args
    ]


def facts(text: str, path: str = "app.py", role: str = "code", project: Project | None = None) -> PythonFacts:
    found = read_module(source(fill(text), path, role), loaded(), project)
    assert not isinstance(found, ParseFailure), found
    return found


class Said(NamedTuple):
    """One hit, as a test reads it."""

    rule: str
    line: int
    case: str | None
    text: str
    hit: Hit

    @property
    def short(self) -> tuple[str, int, str | None]:
        """Rule, line and case."""
        return self.rule, self.line, self.case


def said(text: str, path: str = "app.py", role: str = "code") -> list[Said]:
    """Every hit of KG101 to KG105 on a text whose placeholders are filled, by line and rule."""
    found = facts(text, path, role)
    hits = [hit for check in CHECKS for hit in check.check(found)]
    made = []
    for hit in hits:
        where, span = found.place(hit.span)
        made.append(Said(hit.rule, where.position(span.start)[0], hit.case, where.text[span.start : span.end], hit))
    return sorted(made, key=lambda one: (one.line, one.rule, one.case or ""))


def short(text: str, path: str = "app.py", role: str = "code") -> list[tuple[str, int, str | None]]:
    """The rule, line and case of every hit."""
    return [one.short for one in said(text, path, role)]
