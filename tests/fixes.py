"""What the tests of fixes share: edits made in a text, with no help from the fixer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keyguard.model import Edit


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Make edits from the last to the first; equal ones once, and none may overlap."""
    before = len(text) + 1
    for (start, end), new in sorted(set(edits), reverse=True):
        assert start <= end < before or start == end == before == len(text) + 1 or end <= before, "edits overlap"
        text = text[:start] + new + text[end:]
        before = start
    return text
