"""Makes a notebook's Python parse: IPython's own syntax is blanked, character for character."""

from __future__ import annotations

import re

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.source.text import SourceFile

# Cell magics that run the rest of the cell as Python; `%%writefile app.py` does so by its file's name.
PYTHON_CELL_MAGICS = frozenset(
    {
        "black",
        "capture",
        "debug",
        "file",
        "heat",
        "ipytest",
        "local",
        "lprun",
        "manim",
        "memit",
        "mprun",
        "notify",
        "opts",
        "output",
        "prun",
        "px",
        "pyinstrument",
        "pypy",
        "python",
        "python3",
        "run_pytest",
        "save",
        "scalene",
        "skip_if",
        "snakeviz",
        "tensorboard",
        "time",
        "timeit",
        "wandb",
        "writefile",
    }
)
# The patterns stay text here: compiling them costs 1 ms, which only a notebook's Python should pay.
# Shell words IPython takes without a `%` (automagic) and that stand bare in many notebooks.
_AUTOMAGIC = (
    r"(?:pip3?|conda|mamba|cd|ls|ll|cat|mkdir|rmdir|rm|cp|mv|man|more|less)[ \t]+"
    r"(?!(?:in|is|and|or|if|not|else|for)\b)[\w./~'\"-]"
)
_LINE_END = r"\r\n|\r|\n"
_MAYBE = (
    r"^[ \t]*[%!?]|[?][ \t]*(?:\r|\n|$)|=[ \t]*[%!](?!=)"
    r"|^[ \t]*(?:pip3?|conda|mamba|cd|ls|ll|cat|mkdir|rmdir|rm|cp|mv|man|more|less)[ \t]"
)
_PIECE = r"""
    (?P<space>[ \t\f]+)
  | (?P<comment>\#[^\r\n]*)
  | (?P<quote>\"\"\"|'''|\"|')
  | (?P<open>[(\[{])
  | (?P<close>[)\]}])
  | (?P<joined>\\(?:\r\n|\r|\n))
  | (?P<end>\r\n|\r|\n)
  | (?P<help>\?)
  | (?P<assign>(?<![=!<>:+\-*/%&|^@~])=[ \t]*(?=[%!](?!=)))
  | (?P<word>\w+)
  | (?P<other>.)
"""
_DEPTH = {"open": 1, "close": -1}


def python_text(part: SourceFile) -> str:
    """Give the text a Python parser can read, of the same length, so that every offset stays true.

    In a notebook cell (and in an `.ipy` file) `%magic`, `!command` and `?help` become `pass` and spaces, a value
    that is one becomes `_`. Lone surrogates become U+FFFD, since no parser encodes them.
    """
    text = part.text
    if not text.isascii():
        text = re.sub(r"[\ud800-\udfff]", "\ufffd", text)
    if (part.cell is None and not part.path.endswith(".ipy")) or not re.search(_MAYBE, text, re.MULTILINE):
        return text
    pieces: list[str] = []
    done = 0
    for start, end, is_value in _magics(text):
        pieces += (text[done:start], _blank(text[start:end], is_value=is_value))
        done = end
    pieces.append(text[done:])
    return "".join(pieces)


def cell_magic(text: str) -> tuple[str, str] | None:
    """Give the name and the rest of the line of the `%%magic` a cell begins with; None if it has none."""
    match = re.match(r"\s*%%(\w+)[ \t]*([^\r\n]*)", text)
    return (match[1], match[2].strip()) if match else None


def _blank(magic: str, *, is_value: bool) -> str:
    """Replace a magic by Python that says nothing: line ends stay, everything else becomes spaces."""
    word = "_" if is_value or len(magic) < len("pass") else "pass"
    first = re.search(_LINE_END, magic)
    if first is not None and first.start() < len(word):
        word = "_"
    return word + re.sub(r"[^\r\n]", " ", magic[len(word) :])


def _magics(text: str) -> list[tuple[int, int, bool]]:
    """Find the stretches that are IPython's and not Python's: start, end, and whether it is a value."""
    found: list[tuple[int, int, bool]] = []
    automagic = re.compile(_AUTOMAGIC)
    at = 0
    while at < len(text):
        start = at
        while start < len(text) and text[start] in " \t\f":
            start += 1
        if start < len(text) and (text[start] in "%!?" or automagic.match(text, start)):
            at = _line_end(text, start)
            found.append((start, at, False))
        else:
            at = _statement(text, start, found)
        if at < len(text):  # step over the line end
            at += 2 if text.startswith("\r\n", at) else 1
    return found


def _line_end(text: str, at: int) -> int:
    """Find where a magic's line ends; a backslash before the line end carries it on."""
    line_end = re.compile(_LINE_END)
    while True:
        match = line_end.search(text, at)
        if match is None:
            return len(text)
        if text[match.start() - 1 : match.start()] != "\\":
            return match.start()
        at = match.end()


def _statement(text: str, start: int, found: list[tuple[int, int, bool]]) -> int:
    """Walk one logical line of Python and return where it ends, noting a magic value or a help request."""
    token = re.compile(_PIECE, re.VERBOSE | re.DOTALL)
    at, depth, asks = start, 0, False
    while at < len(text):
        match = token.match(text, at)
        kind = match.lastgroup if match else None
        if match is None or (kind == "end" and depth == 0):
            break
        if kind == "assign" and depth == 0:
            end = _line_end(text, match.end())
            found.append((match.end(), end, True))
            return end
        at = _string_end(text, match.end(), match[0]) if kind == "quote" else match.end()
        depth = max(0, depth + _DEPTH.get(kind or "", 0))
        asks = kind == "help" or (asks and kind in {"space", "comment"})
    if asks and at > start:
        found.append((start, at, False))
    return at


def _string_end(text: str, at: int, quote: str) -> int:
    """Find where a string literal ends; one that is never closed ends with its line, or with the text."""
    single = len(quote) == 1
    pattern = r"\\(?:\r\n|.)|[\r\n]|" + quote if single else r"\\.|" + quote
    for match in re.compile(pattern, re.DOTALL).finditer(text, at):
        if match[0] == quote:
            return match.end()
        if single and match[0] in "\r\n":
            return match.start()
    return len(text)
