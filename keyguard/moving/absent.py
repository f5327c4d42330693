"""Whether None has a meaning of its own for a parameter: a default that becomes None takes that meaning away."""

from __future__ import annotations

from keyguard.moving.tree import kind
from keyguard.patterns import regex
from keyguard.python.index import spell
from keyguard.python.module import walk
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.moving.desk import Desk
    from keyguard.python.index import Node

_ALLOWS = regex(r"\b(?:Optional|Any|object)\b|\bNone\b")
_CHOICES = frozenset({"Assert", "CompIf", "If", "IfExp", "While"})
_QUESTIONS = frozenset({"all", "any", "bool", "isinstance", "type"})
_GETTERS = frozenset({"get", "getenv"})  # they give None for what is not there


def means_something(param: Node, function: Node, desk: Desk) -> bool:
    """Tell whether None may be given for a parameter, and meant."""
    return (
        _allows(param, desk)
        or any(_asks(node, param.name.value) for node in walk(function.body))
        or _is_given(param, function, desk)
    )


def _allows(param: Node, desk: Desk) -> bool:
    if param.annotation is None:
        return False
    span = desk.tree.whole(param.annotation.annotation)
    return _ALLOWS.search(desk.tree.text[span.start : span.end]) is not None


def _asks(node: Node, name: str) -> bool:
    """Tell whether a node makes what happens depend on the value of a name."""
    sort = kind(node)
    if sort == "Comparison":
        return _is(node.left, name) or any(_is(item.comparator, name) for item in node.comparisons)
    if sort == "BooleanOperation":
        return _is(node.left, name) or _is(node.right, name)
    if sort == "UnaryOperation":
        return kind(node.operator) == "Not" and _is(node.expression, name)
    if sort == "Match":
        return _is(node.subject, name)
    if sort == "Call":
        return spell(node.func) in _QUESTIONS and any(_is(item.value, name) for item in node.args)
    return sort in _CHOICES and _is(node.test, name)


def _is(node: Node, name: str) -> bool:
    """Tell whether a node is a name, or an attribute that was perhaps set to it (`self.key` for `key`)."""
    if kind(node) == "Attribute":
        return str(node.attr.value).lstrip("_") == name.lstrip("_")
    return kind(node) == "Name" and node.value == name


def _is_given(param: Node, function: Node, desk: Desk) -> bool:
    """Tell whether a call in the module may give None for a parameter."""
    names = {function.name.value}
    owner = desk.tree.around(function, "ClassDef")
    if owner is not None and function.name.value in {"__init__", "__new__"}:
        names |= {owner.name.value, "cls"}
    for node in walk(desk.facts.module.tree):
        if kind(node) == "Call" and _called(node) in names:
            given = (item for item in node.args if item.keyword is None or item.keyword.value == param.name.value)
            if any(_may_be_none(item.value) for item in given):
                return True
    return False


def _called(call: Node) -> str:
    """The last name of what is called, also that of a method of something made on the spot (`A().f`)."""
    return str(call.func.attr.value) if kind(call.func) == "Attribute" else spell(call.func)


def _may_be_none(value: Node) -> bool:
    for node in walk(value):
        if kind(node) == "Name" and node.value == "None":
            return True
        if kind(node) == "Call" and _called(node) in _GETTERS and len(node.args) == 1:
            return True
    return False
