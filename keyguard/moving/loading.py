"""Makes a program fill its environment from the env file before it reads the keys that moved there."""

from __future__ import annotations

import os

from keyguard.model import Edit, Span
from keyguard.python.facts import PythonFacts, read_module
from keyguard.python.imports import Imports, Want
from keyguard.python.index import Place, spell
from keyguard.source import edited
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from keyguard.catalogue import Catalogue
    from keyguard.python.index import Node
    from keyguard.python.project import Project
    from keyguard.source import SourceFile

# ruff: noqa: PTH100, PTH113, PTH112, PTH118, PTH119, PTH120  # os.path, as in cli.fixing

_PROLOGUE = frozenset({"Import", "ImportFrom"})


def with_loading(source: SourceFile, catalogue: Catalogue, project: Project | None = None) -> str | None:
    """The text of a module that loads the env file below its imports; None where it does, or is no entry point.

    An entry point is a module with a `__main__` guard, or one that calls something at its top level: what is imported
    by others relies on them.
    """
    wanted = catalogue.env_access.loading
    name = os.path.basename(source.path)
    if wanted is None or source.kind != "python" or source.role == "test" or name in {"__init__.py", "conftest.py"}:
        return None
    facts = read_module(source, catalogue, project)
    if not isinstance(facts, PythonFacts) or not _starts(facts) or loads(facts):
        return None
    return _loading(facts, wanted.function, catalogue, project)


def _loading(facts: PythonFacts, wanted: str, catalogue: Catalogue, project: Project | None) -> str | None:
    module, _, function = wanted.rpartition(".")
    place, at = _first(facts)
    if place is None:
        return None
    own = _first_own(facts)
    if own is not None:
        # What it imports of the project may read the environment at once.
        nl = "\r\n" if "\r\n" in facts.source.text else "\n"
        lines = f"from {module} import {function}{nl}{nl}{function}(){nl}{nl}"
        return edited(facts.source.text, (Edit(Span(own, own), lines),))
    way = Imports(facts.index).way(Want(module, function, direct=True), place, at)
    if way is None:
        return None
    again = read_module(facts.source.replaced(text=edited(facts.source.text, way.edits)), catalogue, project)
    if not isinstance(again, PythonFacts):
        return None
    call = Imports(again.index).below(f"{way.expression}()", _first(again)[1], blank=1)
    return edited(again.source.text, (call,)) if call is not None else None


def loads(facts: PythonFacts) -> bool:
    """Tell whether a module fills the environment from a file itself."""
    loaders = facts.catalogue.env_access.loaders
    return any(facts.evaluator.name(call.node.func, call.place) in loaders for call in facts.index.calls)


def _starts(facts: PythonFacts) -> bool:
    return any(_runs(statement) for statement in facts.module.tree.body)


def _runs(statement: Node) -> bool:
    kind = type(statement).__name__
    if kind == "If" and type(statement.test).__name__ == "Comparison":
        parts = (statement.test.left, *(item.comparator for item in statement.test.comparisons))
        return any(type(part).__name__ == "Name" and part.value == "__name__" for part in parts)
    if kind != "SimpleStatementLine":
        return False
    return any(type(small).__name__ == "Expr" and type(small.value).__name__ == "Call" for small in statement.body)


def _first(facts: PythonFacts) -> tuple[Place | None, int]:
    """The first statement of a module that is neither its docstring nor an import: a place, and its offset."""
    index, module = facts.index, facts.module
    for number, statement in enumerate(module.tree.body):
        small: Node = statement.body[0] if type(statement).__name__ == "SimpleStatementLine" else None  # type: ignore[index]  # a line's
        if type(small).__name__ in _PROLOGUE or (number == 0 and _is_text(small)):
            continue
        return Place(index.scope, float("inf"), index.scope.root), module.spans([statement])[id(statement)].start
    return None, 0


def _first_own(facts: PythonFacts) -> int | None:
    """Where the first import of a module of the same project begins: its file lies beside, or it is relative."""
    folder = os.path.dirname(os.path.abspath(facts.source.path))
    for statement in facts.module.tree.body:
        smalls: Any = statement.body if type(statement).__name__ == "SimpleStatementLine" else ()
        if any(_is_own(small, folder) for small in smalls):
            return facts.module.spans([statement])[id(statement)].start
    return None


def _is_own(small: Node, folder: str) -> bool:
    kind = type(small).__name__
    if kind == "ImportFrom":
        if small.relative:
            return True
        names = [spell(small.module)] if small.module is not None else []
    elif kind == "Import":
        names = [spell(item.name) for item in small.names]
    else:
        return False
    heads = [name.partition(".")[0] for name in names]
    return any(
        os.path.isfile(os.path.join(folder, f"{head}.py")) or os.path.isdir(os.path.join(folder, head))
        for head in heads
    )


def _is_text(small: Node) -> bool:
    return type(small).__name__ == "Expr" and type(small.value).__name__ in {"SimpleString", "ConcatenatedString"}
