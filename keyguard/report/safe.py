"""Untrusted text made harmless: for terminals, for machine formats, and measured in terminal cells."""

from __future__ import annotations

import unicodedata

TAB = "    "
# Nothing is ever cut inside: a column is a whole character, wide ones take two cells.
_WIDE = frozenset("WF")
_MARKS = frozenset({"Mn", "Me", "Cf"})
# No line starts with a space or with closing punctuation, Chinese or Western.
_NEVER_FIRST = frozenset(" ，。：；！？、）」』”’…,.:;!?)")  # noqa: RUF001  # the full-width forms are meant


def visible(text: str) -> str:
    r"""Spell out what could steer a terminal or hide text: controls (ANSI, bidi, zero width) and lone surrogates.

    Newlines become `\n`, so the result is one line.
    """
    if text.isprintable():
        return text
    return "".join(visible_character(character) for character in text)


def visible_character(character: str) -> str:
    r"""Spell out one character as `\x1b` or `\u202e` unless it is harmless; a tab becomes four spaces."""
    if character == "\t":
        return TAB
    if character.isprintable() or unicodedata.category(character) in {"Zs", "Cn", "Co"}:
        return character
    return character.encode("unicode_escape").decode("ascii")


def encodable(text: str) -> str:
    r"""Spell out lone surrogates (`\udcff`, from a file name that is no UTF-8): few parsers take them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def cells(text: str) -> int:
    """Count the terminal cells of a text that `visible` made harmless."""
    if text.isascii():
        return len(text)
    return sum(map(cells_of, text))


def cells_of(character: str) -> int:
    """Count the cells of one character: 2 for East Asian wide ones, 0 for combining marks."""
    if unicodedata.east_asian_width(character) in _WIDE:
        return 2
    return 0 if unicodedata.category(character) in _MARKS else 1


def pad(text: str, width: int) -> str:
    """Fill a text with spaces up to `width` cells."""
    return text + " " * max(0, width - cells(text))


def cut(text: str, width: int, mark: str = "…") -> str:
    """Cut a text that `visible` made harmless to `width` cells, `mark` at its end when something is missing."""
    if cells(text) <= width:
        return text
    shown, room = "", width - cells(mark)
    for character in text:
        room -= cells_of(character)
        if room < 0:
            break
        shown += character
    return shown.rstrip() + mark


def wrap(text: str, width: int | None) -> list[str]:
    """Break a text into lines of at most `width` cells, between words or beside a wide character; None: one line.

    A word that is too long for a line stays whole: a path or a URL is worth more than a margin.
    """
    if width is None or cells(text) <= width:
        return [text]
    lines: list[str] = []
    line = ""
    used = 0
    for piece in _pieces(text):
        size = cells(piece)
        if line and used + cells(piece.rstrip(" ")) > width:
            lines.append(line.rstrip(" "))
            line, used = "", 0
            if not piece.strip(" "):
                continue
        line += piece
        used += size
    lines.append(line.rstrip(" "))
    return lines


def _pieces(text: str) -> list[str]:
    """Split a text where a line may end: after spaces and after each wide character."""
    pieces: list[str] = []
    start = 0
    for index, character in enumerate(text):
        breaks = character == " " or (not character.isascii() and cells_of(character) != 1)
        following = text[index + 1 : index + 2]
        if breaks and following and following not in _NEVER_FIRST:
            pieces.append(text[start : index + 1])
            start = index + 1
    pieces.append(text[start:])
    return pieces
