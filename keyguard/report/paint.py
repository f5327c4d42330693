"""Lines of styled pieces → a string, with colours from rich when they are wanted."""

from __future__ import annotations

from keyguard.report.safe import cells, wrap
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    # A line is pieces of harmless text, each with the name of a style (empty: none).
    Line = list[tuple[str, str]]

# The sixteen standard colours follow the user's own theme, dark or light.
STYLES: Mapping[str, str] = {
    "high": "bold red",
    "medium": "bold yellow",
    "low": "bold cyan",
    "path": "bold",
    "rule": "bold",
    "title": "bold",
    "key": "bold",
    "dim": "dim",
    "good": "green",
    "command": "bold cyan",
    "error": "bold red",
    "warning": "bold yellow",
}


_NARROWEST = 20  # cells of a paragraph, however narrow the terminal is


def hanging(label: Line, text: str, style: str, width: int | None) -> list[Line]:
    """Lay out a harmless text beside a label: at most `width` cells a line, further lines under the text's start."""
    indent = sum(cells(piece) for piece, _ in label)
    first, *others = wrap(text, None if width is None else max(width - indent, _NARROWEST))
    return [[*label, (first, style)], *([(" " * indent, ""), (line, style)] for line in others)]


def paint(lines: Iterable[Line], *, color: bool) -> str:
    """Join lines into a text that ends with a line end; no lines give the empty text.

    The pieces are printed as they are: markup in them means nothing, and they must have been made harmless before.
    """
    if not color:
        return "".join("".join(piece for piece, _ in line).rstrip() + "\n" for line in lines)
    from rich.color import ColorSystem  # noqa: PLC0415  # rich: 36 ms, for a terminal only
    from rich.style import Style  # noqa: PLC0415  # as above

    styles = {name: Style.parse(definition) for name, definition in STYLES.items()}
    return "".join(
        "".join(
            styles[style].render(piece, color_system=ColorSystem.STANDARD) if style and piece else piece
            for piece, style in line
        )
        + "\n"
        for line in lines
    )
