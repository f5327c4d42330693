"""Which values a module looks at before it uses them: names and texts in conditions, and what checking functions get.

Names count wherever they stand in the module: who tests a variable somewhere is not told that nobody does.
"""

from __future__ import annotations

from keyguard.python import values as v
from keyguard.python.index import plain_string
from keyguard.python.module import walk
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.evaluate import Evaluator
    from keyguard.python.index import Block, Index, Node

_CHECKING = ("check", "valid", "require", "ensure", "assert", "verify", "guard", "must", "need")
_CONDITIONS = frozenset({"If", "While", "Assert", "IfExp", "CompIf"})
# A version is looked at, or an import tried: what follows is for one of several releases.
_VERSIONS = ("version", "legacy", "_v0", "_v1", "old_api", "new_api")
_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError"})


def tested(index: Index) -> frozenset[str]:
    """The names and plain texts of a module's conditions, and those given to a function whose name says it checks."""
    found: set[str] = set()
    for node in walk(index.module.tree):
        kind = type(node).__name__
        if kind in _CONDITIONS:
            found.update(_words(node.test))
        elif kind == "BooleanOperation" and type(node.operator).__name__ == "And":
            found.update(_words(node.left))
        elif kind == "Match":
            found.update(_words(node.subject))
        elif kind == "Call" and _checks(node.func):
            for argument in node.args:
                found.update(_words(argument.value))
    return frozenset(found)


def _checks(func: Node) -> bool:
    name = func.attr.value if type(func).__name__ == "Attribute" else getattr(func, "value", "")
    return isinstance(name, str) and any(word in name.lower() for word in _CHECKING)


def _words(node: Node) -> Iterator[str]:
    for part in walk(node):
        kind = type(part).__name__
        if kind == "Name":
            yield part.value
        elif kind == "Attribute":
            yield part.attr.value
        elif kind == "SimpleString":
            text = plain_string(part)
            if text:
                yield text


def is_for_some_release(block: Block) -> bool:
    """Tell whether a block runs only with some releases of a package: a version was asked, or an import tried."""
    for item in block.chain():
        kind = type(item.node).__name__
        if kind == "If" and _asks_version(item.node.test):
            return True
        if kind == "ExceptHandler" and _catches_absence(item.node.type):
            return True
        if kind in {"Try", "TryStar"} and any(_catches_absence(handler.type) for handler in item.node.handlers):
            return True
    return False


def _asks_version(test: Node) -> bool:
    return any(word == "hasattr" or any(mark in word.lower() for mark in _VERSIONS) for word in _words(test))


def _catches_absence(node: Node) -> bool:
    return node is not None and not _IMPORT_ERRORS.isdisjoint(_words(node))


def guarded(index: Index, evaluator: Evaluator, looked_at: frozenset[str]) -> frozenset[str]:
    """The variables of the environment that a module looks at: by name, or at what it read from them.

    A read that raises (`os.environ["X"]`) anywhere in the module looks at the variable too.
    """
    found = set(looked_at)
    for use in index.strings:
        if use.role.kind == "subscript":
            found.add(plain_string(use.node) or "")
    for write in index.writes:
        target = write.target
        name = target.attr.value if type(target).__name__ == "Attribute" else getattr(target, "value", None)
        if isinstance(name, str) and name in looked_at:
            for item in v.alternatives(evaluator.value(write.node, write.place)):
                found.update(item.names if isinstance(item, v.EnvRead) else ())
    return frozenset(found)


def is_looked_at(node: Node, looked_at: frozenset[str], reader: Node = None) -> bool:
    """Tell whether a name in an expression is one that the module looks at.

    What reads a variable (`os.environ.get`) does not count: its names stand in conditions about anything else.
    """
    own = set() if reader is None else set(_words(reader))
    return any(word in looked_at and word not in own for word in _words(node))
