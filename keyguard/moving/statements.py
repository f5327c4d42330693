"""Takes statements out of a block: with their line, or only themselves; a block that would be empty gets a `pass`."""

from __future__ import annotations

import re

from keyguard.model import Edit, Span
from keyguard.moving.tree import kind
from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.moving.tree import Tree
    from keyguard.python.index import Node

# Comments that are about the code of their line, and go with it.
_MARK = regex(r"#\s*(?:noqa|type:|pragma|keyguard|pylint|pyright|mypy|nosec|fmt:|ruff|gitleaks)", re.IGNORECASE)
_BLANK = regex(r"[ \t\f]*(?:\r\n?|\n)")


def removed(small: Node, tree: Tree) -> tuple[Edit, ...]:
    """The edits that take a simple statement away; what is said about it in a comment stays."""
    line = tree.parent(small)
    span = tree.span(small)
    if kind(line) != "SimpleStatementLine" or len(line.body) > 1:
        return (_beside_others(small, line, span, tree),)
    block = tree.parent(line)
    if kind(block) != "Module" and len(block.body) == 1:
        return (Edit(span, "pass"),)
    start, end = tree.line_start(span.start), tree.line_end(span.end)
    behind = tree.text[span.end : end]
    comment = behind.strip(" \t;\r\n")
    if tree.text[start : span.start].strip(" \t\f"):
        return (Edit(span, "pass"),)
    if comment.startswith("#") and not _MARK.match(comment):
        return (Edit(Span(span.start, span.end + behind.index("#")), ""),)
    return (Edit(_with_blank_line(Span(start, end), tree), ""),)


def _beside_others(small: Node, line: Node, span: Span, tree: Tree) -> Edit:
    """Take one statement of several on a line away, with the semicolon that parts it from a neighbour."""
    number = next(number for number, item in enumerate(line.body) if item is small)
    if kind(line) != "SimpleStatementLine" and len(line.body) == 1:
        return Edit(span, "pass")
    if number + 1 < len(line.body):
        return Edit(Span(span.start, tree.span(line.body[number + 1]).start), "")
    return Edit(Span(tree.span(line.body[number - 1]).end, span.end), "")


def _with_blank_line(span: Span, tree: Tree) -> Span:
    """The span of whole lines, and one blank line beside them where two would be left."""
    text = tree.text
    above = tree.line_start(span.start - 1) if span.start else 0
    blank_above = span.start > 0 and not text[above : span.start].strip()
    below = _BLANK.match(text, span.end)
    if below is not None and (blank_above or span.start == 0):
        return Span(span.start, below.end())
    if blank_above and span.end == len(text):
        return Span(above, span.end)
    return span
