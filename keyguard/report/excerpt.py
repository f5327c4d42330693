"""A finding's source line fitted to the terminal, with carets that stay under it."""

from __future__ import annotations

from keyguard.report.safe import cells, visible_character
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.model import Excerpt

CUT = "..."
ELLIPSIS = "…"  # stands in a masked key


def fit(excerpt: Excerpt, width: int, *, unicode: bool = True) -> tuple[str, int, int]:
    """Trim a line around its span to `width` cells (20 at least); without `unicode` the ellipsis is three dots.

    Returns the harmless text, and the cell its carets begin at and how many there are. Only the part of the line that
    can be shown is looked at, so a line of ten megabytes costs no more than a short one.
    """
    width = max(width, 20)
    size = len(excerpt.text)
    start = min(max(excerpt.start, 0), size)
    end = min(max(excerpt.end, start), size)
    low = max(0, start - width)
    high = min(size, start + 2 * width)
    shown = [visible_character(character) for character in excerpt.text[low:high]]
    if not unicode:
        shown = [CUT if piece == ELLIPSIS else piece for piece in shown]
    first = 0 if low else _indentation(excerpt.text[low:start])
    widths = [cells(piece) for piece in shown]
    begin, finish = start - low, min(end, high) - low

    left = first
    if low or sum(widths[first:]) > width or high < size:
        # A third of the line for what stands before the span, the rest for the span and what follows.
        room = width // 3 - len(CUT)
        left = begin
        while left > first and room >= widths[left - 1]:
            left -= 1
            room -= widths[left]
    cut_left = CUT if low or left > first else ""
    room = width - len(cut_left)
    right = left
    used = 0
    while right < len(shown) and used + widths[right] <= room:
        used += widths[right]
        right += 1
    cut_right = ""
    if right < len(shown) or high < size:
        cut_right = CUT
        while right > left and used + len(CUT) > room:
            right -= 1
            used -= widths[right]
    text = cut_left + "".join(shown[left:right]) + cut_right
    column = len(cut_left) + sum(widths[left:begin])
    if finish > right:  # the span runs on behind the cut: so do the carets
        return text, column, max(1, cells(text) - column)
    return text, column, max(1, sum(widths[begin:finish]))


def _indentation(text: str) -> int:
    """Count the spaces and tabs at the start: a single line says nothing by them."""
    return len(text) - len(text.lstrip(" \t"))
