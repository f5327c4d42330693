"""String literals that fixes rewrite: how a new text is spelled as an old one was."""

from __future__ import annotations

from keyguard.python.imports import Want
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python import values as v
    from keyguard.python.index import Node, Place
    from keyguard.python.network import Network

# What `os.environ` is in the texts of a patch, and how it is had.
ENVIRON = {"environ": Want("os", "environ")}


def environ(name: str, quote: str = '"') -> str:
    """The code that reads a variable and raises where it is not set, as a patch that wants `ENVIRON` writes it."""
    return f"<environ>[{quote}{name}{quote}]"


def quote_of(node: Node) -> str:
    """The quotes of a literal; what most code has for anything else."""
    spelled = getattr(node, "value", "") if type(node).__name__ == "SimpleString" else ""
    return spelled.lstrip("rRuU")[:1] or '"'


def leaf_of(value: v.Text) -> Node | None:
    """The one literal that a text is, as it is written there; None when it is put together or stands elsewhere."""
    leaf = value.pieces[0].leaf if len(value.pieces) == 1 else None
    return leaf if leaf is not None and body_of(leaf) == value.text else None


def leaves_of(value: v.Text) -> Iterator[Node]:
    """The literals that a text is put together from, as far as they stand in this module."""
    for piece in value.pieces:
        if piece.leaf is not None:
            yield piece.leaf


def body_of(leaf: Node) -> str | None:
    """What stands between the quotes of a literal, if that is what it means: no escapes, no bytes, no f-string."""
    if type(leaf).__name__ != "SimpleString" or "\\" in leaf.value:
        return None
    spelled = leaf.value.lstrip("rRuU")
    quote = spelled[:3] if spelled[:3] in {"'''", '"""'} else spelled[:1]
    return spelled[len(quote) : -len(quote)] if quote[:1] in {"'", '"'} else None


def respelled(leaf: Node, text: str) -> str | None:
    """A literal with another text between its quotes; None when it would need escapes."""
    body = body_of(leaf)
    if body is None or any(sign in "\\'\"" or not sign.isprintable() for sign in text):
        return None
    head = leaf.value[: len(leaf.value) - len(leaf.value.lstrip("rRuU'\""))] if body.strip("'\"") == body else ""
    if not head:
        return None
    quotes = head.lstrip("rRuU")
    return f"{head}{text}{quotes}" if len(quotes) in {1, 3} else None


def call_around(node: Node, network: Network) -> Node | None:
    """The call that has an expression as one of its arguments."""
    return next((use.node for use in network.index.calls if any(item.value is node for item in use.node.args)), None)


def place_of(call: Node, network: Network) -> Place | None:
    """Where a call of the module is evaluated."""
    return next((use.place for use in network.index.calls if use.node is call), None)


def code_of(node: Node) -> str:
    """An expression as it is written, without the parentheses around it."""
    import libcst as cst  # noqa: PLC0415  # in memory where there is a node, and 60 ms where there is none

    return cst.Module(body=()).code_for_node(node.with_changes(lpar=(), rpar=()))
