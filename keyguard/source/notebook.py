"""Takes a notebook apart: one text per cell and per cell's output, and the way back into the JSON."""

from __future__ import annotations

import re

from keyguard.lang import why_unread
from keyguard.model import Edit, Span
from keyguard.source.kinds import kind_of
from keyguard.source.magics import PYTHON_CELL_MAGICS, cell_magic
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import NoReturn

    from keyguard.source.text import SourceFile

# Colours of a traceback: a key behind one would have the letter `m` as its left neighbour.
_COLOUR = r"\x1b\[[0-9;?]*[ -/]*[@-~]"

_KIND_BY_LANGUAGE = {
    "python": "python",
    "python3": "python",
    "ipython": "python",
    "r": "r",
    "julia": "julia",
    "bash": "shell",
    "sh": "shell",
    "zsh": "shell",
    "fish": "shell",
    "shell": "shell",
    "system": "shell",
    "script": "shell",
    "shellscript": "shell",
    "powershell": "powershell",
    "pwsh": "powershell",
    "cmd": "batch",
    "javascript": "javascript",
    "typescript": "javascript",
    "js": "javascript",
    "node": "javascript",
    "html": "html",
    "svg": "html",
    "css": "css",
    "sql": "sql",
    "markdown": "markdown",
    "latex": "tex",
    "ruby": "ruby",
    "perl": "perl",
    "scala": "java",
    "java": "java",
    "kotlin": "java",
    "go": "go",
    "rust": "rust",
    "c++": "c",
    "cpp": "c",
    "c": "c",
    "cython": "cython",
    "csharp": "csharp",
    "c#": "csharp",
    "json": "json",
    "yaml": "yaml",
}


class NotebookError(Exception):
    """A notebook that could not be taken apart; the message names the file and the remedy."""


class NoNotebookError(NotebookError):
    """A text that is no notebook; `why` names a text `notebook.…` of `lang.reading`, which `values` fill."""

    def __init__(self, path: str, why: str, **values: object) -> None:
        """Say it in English, and keep what other languages need."""
        self.why, self.values = why, values
        super().__init__(f"{path}: {self.said('en')}")

    def said(self, lang: str) -> str:
        """Say in `lang` what is wrong and the remedy, without the file's name."""
        return why_unread(lang, f"notebook.{self.why}", **self.values)


class _Literal(NamedTuple):
    """A string of the JSON: its value and where it stands, quotes included."""

    value: str
    start: int
    end: int


class _Array(list[object]):
    """An array of the JSON, and where it stands, brackets included."""

    start = end = 0


def notebook_parts(source: SourceFile) -> tuple[SourceFile, ...]:
    """Take a notebook (nbformat 2 to 4) apart into the texts a reader sees.

    A code cell gives its source and, if it has any text output, one part `output` with all of them; a Markdown or
    raw cell gives its source. `cell` counts all cells from 1. Images and attachments are left out; the colour codes
    of an output are dropped. An empty file has no parts.

    Raises:
        NoNotebookError: the file is no JSON, or JSON but no notebook.
    """
    if not source.text.strip():
        return ()
    document = _load(source)
    language = _language(document)
    parts: list[SourceFile] = []
    for number, cell in enumerate(_cells(source, document), 1):
        if not isinstance(cell, dict):
            continue
        text = "".join(_strings(_source_value(cell)))
        if text:
            kind = _cell_kind(cell, text, language)
            parts.append(_part(source, text, kind, number, "source"))
        shown = "\n".join(piece.removesuffix("\n") for piece in _output_texts(cell))
        if shown:
            parts.append(_part(source, shown, "text", number, "output"))
    return tuple(parts)


def raw_span(notebook: SourceFile, part: SourceFile, span: Span) -> Span:
    """Find, in the notebook's JSON, the characters that a span of a part stands for.

    In a cell's source the two ends are exact. In an output, which is joined and stripped of colours, it is
    the whole of the cell's outputs.

    Raises:
        NotebookError: the notebook does not hold the part.
    """
    cell = _located_cell(notebook, part)
    if part.part != "source":
        literals = list(_literals(cell.get("outputs")))
        if not literals:
            _fail(notebook, f"cell {part.cell} has no output")
        return Span(literals[0].start, literals[-1].end)
    start, end = _ends(notebook, list(_literals(_source_value(cell))), span)
    return Span(start[1], end[1])


def raw_edit(notebook: SourceFile, part: SourceFile, edit: Edit) -> Edit:
    """Turn an edit of a cell's source into the edit of the notebook's JSON that has just this effect.

    What the edit does not touch keeps its bytes, escapes included; a list of lines stays a list of lines.

    Raises:
        NotebookError: the notebook does not hold the part, or the part is an output.
    """
    if part.part != "source":
        _fail(notebook, f"the output of cell {part.cell} is cleared, not edited")
    raw = notebook.text
    value = _source_value(_located_cell(notebook, part))
    literals = list(_literals(value))
    (first, raw_start), (last, raw_end) = _ends(notebook, literals, edit.span)
    inside = raw[literals[first].start + 1 : raw_start] + _escaped(edit.text) + raw[raw_end : literals[last].end - 1]
    if not isinstance(value, list):
        return Edit(Span(literals[first].start, literals[last].end), f'"{inside}"')
    if not inside and len(literals) > last - first + 1:
        # Whole lines go: take them out of the list, together with the comma that parted them from the next.
        if last + 1 < len(literals):
            return Edit(Span(literals[first].start, literals[last + 1].start), "")
        return Edit(Span(literals[first - 1].end, literals[last].end), "")
    if inside and last + 1 < len(literals) and not _ends_line(inside):
        # The edit took a line end away, so the next line joins this one.
        last += 1
        inside += raw[literals[last].start + 1 : literals[last].end - 1]
    between = raw[literals[0].end : literals[1].start] if len(literals) > 1 else ", "
    lines = _raw_lines(inside)
    text = between.join(f'"{line}"' for line in lines) or '""'
    return Edit(Span(literals[first].start, literals[last].end), text)


def with_edits(notebook: SourceFile, cell: int, part: str, edits: Iterable[Edit]) -> SourceFile:
    """Make edits of a cell's source, which do not overlap, or clear its outputs, whatever the edits of an output say.

    Raises:
        NotebookError: the notebook does not hold the part.
    """
    if part == "output":
        whole = notebook.replaced(cell=cell, part=part)
        outputs = _located_cell(notebook, whole).get("outputs")
        if not isinstance(outputs, _Array):
            _fail(notebook, f"cell {cell} has no output")
        return notebook.replaced(text=notebook.text[: outputs.start] + "[]" + notebook.text[outputs.end :])
    # From the last to the first, so that the places of those before stay what they are.
    for edit in sorted(set(edits), reverse=True):
        span, new = raw_edit(notebook, notebook.replaced(cell=cell, part="source"), edit)
        notebook = notebook.replaced(text=notebook.text[: span.start] + new + notebook.text[span.end :])
    return notebook


def _part(source: SourceFile, text: str, kind: str, number: int, part: str) -> SourceFile:
    return source.replaced(text=text, kind=kind, cell=number, part=part, tail=b"")


def _fail(source: SourceFile, why: str) -> NoReturn:
    msg = f"{source.path}: {why}"
    raise NotebookError(msg)


def _load(source: SourceFile) -> dict[str, object]:
    import json  # noqa: PLC0415  # 2 ms, and most trees hold no notebook with anything in it

    if source.text.startswith("version https://git-lfs"):
        raise NoNotebookError(source.path, "pointer")
    try:
        document = json.loads(source.text)
    except json.JSONDecodeError as error:
        raise NoNotebookError(source.path, "broken", line=error.lineno, error=error.msg) from None
    except ValueError:
        raise NoNotebookError(source.path, "number") from None
    except RecursionError:
        raise NoNotebookError(source.path, "deep") from None
    if not isinstance(document, dict):
        raise NoNotebookError(source.path, "other")
    return document


def _cells(source: SourceFile, document: dict[str, object]) -> list[object]:
    """List the cells of either layout: `cells` since nbformat 4, `worksheets` before."""
    cells = document.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = document.get("worksheets")
    if isinstance(sheets, list):
        found: list[object] = []
        for sheet in sheets:
            inner = sheet.get("cells") if isinstance(sheet, dict) else None
            found += inner if isinstance(inner, list) else []
        return found
    raise NoNotebookError(source.path, "no-cells")


def _source_value(cell: dict[str, object]) -> object:
    value = cell.get("source")
    return cell.get("input") if value is None else value


def _strings(value: object) -> Iterator[str]:
    """Yield the text of a value that is a string or a list of lines; anything else holds no text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (line for line in value if isinstance(line, str))


def _inner(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _language(document: dict[str, object]) -> str:
    metadata = document.get("metadata")
    found = _inner(metadata, "language_info", "name") or _inner(metadata, "kernelspec", "language")
    return found.lower() if isinstance(found, str) else "python"


def _cell_kind(cell: dict[str, object], text: str, language: str) -> str:
    cell_type = cell.get("cell_type")
    if cell_type != "code":
        return "text" if cell_type == "raw" else "markdown"
    own = _inner(cell, "metadata", "vscode", "languageId") or cell.get("language") or language
    kind = _KIND_BY_LANGUAGE.get(own.lower(), "text") if isinstance(own, str) else "text"
    magic = cell_magic(text) if kind == "python" else None
    if magic is None:
        return kind
    name, rest = magic[0].lower(), magic[1]
    if name in {"writefile", "file"}:
        return kind_of(rest.split()[-1].strip("'\"")) if rest else "text"
    if name == "script":
        return kind_of("", b"#!" + rest.encode("ascii", "replace")) if rest else "shell"
    return "python" if name in PYTHON_CELL_MAGICS else _KIND_BY_LANGUAGE.get(name, "text")


def _output_texts(cell: dict[str, object]) -> Iterator[str]:
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, dict):
            for text in _texts_of(output):
                # One sub per output; without an escape character it costs a scan.
                yield re.sub(_COLOUR, "", text) if "\x1b" in text else text


def _texts_of(output: dict[str, object]) -> Iterator[str]:
    """Yield the texts of one output: a stream, a traceback, or the text forms of what was shown."""
    trace = "\n".join(_strings(output.get("traceback")))
    if trace:
        yield trace
    value = output.get("evalue")
    if isinstance(value, str) and value not in trace:
        yield value
    bundle = output.get("data")
    # Before nbformat 4 the forms stood in the output itself, under short names.
    forms = bundle if isinstance(bundle, dict) else output
    for name, form in forms.items():
        if name.startswith("text") or name in {"html", "latex", "javascript", "application/javascript"}:
            yield "".join(_strings(form))
        elif name in {"json", "application/json"}:
            yield "".join(_strings(form)) or _as_json(form)


def _as_json(value: object) -> str:
    import json  # noqa: PLC0415  # in memory already: the notebook came through it

    return json.dumps(value, ensure_ascii=False, indent=1) if value else ""


# --- the way back: where in the JSON a string stands ---------------------------------------------------------


def _located_cell(notebook: SourceFile, part: SourceFile) -> dict[str, object]:
    """Read the JSON again, this time keeping the place of every string; only a finding pays for it."""
    try:
        tree, _ = _located(notebook.text, _skip_space(notebook.text, 0))
        cells = _cells(notebook, tree if isinstance(tree, dict) else {})
        cell = cells[(part.cell or 0) - 1] if part.cell else None
    except (ValueError, IndexError, RecursionError):
        cell = None
    if not isinstance(cell, dict):
        _fail(notebook, f"it has no cell {part.cell} (any more); run keyguard again")
    return cell


def _skip_space(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def _located(text: str, at: int) -> tuple[object, int]:
    """Parse one JSON value at `at`; strings become `_Literal`, numbers and names None. Return it and its end."""
    import json  # noqa: PLC0415  # in memory already: the notebook came through it

    char = text[at]
    if char == '"':
        value, end = json.JSONDecoder().raw_decode(text, at)
        return _Literal(value, at, end), end
    if char == "{":
        return _located_object(text, at + 1)
    if char == "[":
        return _located_array(text, at + 1)
    match = re.compile(r"[^\s,\]}]+").match(text, at)
    if match is None:
        msg = "no JSON value"
        raise ValueError(msg)
    return None, match.end()


def _located_object(text: str, at: int) -> tuple[dict[str, object], int]:
    found: dict[str, object] = {}
    at = _skip_space(text, at)
    while text[at] != "}":
        if text[at] == ",":
            at = _skip_space(text, at + 1)
        name, at = _located(text, at)
        at = _skip_space(text, at)
        value, at = _located(text, _skip_space(text, at + 1))  # over the colon
        at = _skip_space(text, at)
        if isinstance(name, _Literal):
            found[name.value] = value
    return found, at + 1


def _located_array(text: str, at: int) -> tuple[list[object], int]:
    found = _Array()
    found.start = at - 1
    at = _skip_space(text, at)
    while text[at] != "]":
        if text[at] == ",":
            at = _skip_space(text, at + 1)
        value, at = _located(text, at)
        found.append(value)
        at = _skip_space(text, at)
    found.end = at + 1
    return found, at + 1


def _literals(value: object) -> Iterator[_Literal]:
    """Yield every string below a value, in the order of the text."""
    if isinstance(value, _Literal):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _literals(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _literals(item)


def _ends(notebook: SourceFile, literals: list[_Literal], span: Span) -> tuple[tuple[int, int], tuple[int, int]]:
    """Place both ends of a span: the literal each lies in, and the offset in the JSON."""
    starts = [0]
    for literal in literals:
        starts.append(starts[-1] + len(literal.value))
    if not literals or not 0 <= span.start <= span.end <= starts[-1]:
        _fail(notebook, "a finding's place is not in the cell (any more); run keyguard again")
    raw = notebook.text
    # The start belongs to the line that begins there, the end to the line that ends there.
    first = max(index for index in range(len(literals)) if starts[index] <= span.start)
    last = min(index for index in range(first, len(literals)) if span.end <= starts[index + 1])
    return (
        (first, _raw_offset(raw, literals[first], span.start - starts[first])),
        (last, _raw_offset(raw, literals[last], span.end - starts[last])),
    )


def _raw_offset(raw: str, literal: _Literal, characters: int) -> int:
    # A surrogate pair is one character of the value.
    character = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|[^\\]", re.DOTALL)
    at = literal.start + 1
    for _ in range(characters):
        match = character.match(raw, at)
        at = match.end() if match else at + 1
    return at


def _escaped(text: str) -> str:
    import json  # noqa: PLC0415  # in memory already: the notebook came through it

    return json.dumps(text, ensure_ascii=False)[1:-1]


def _ends_line(inside: str) -> bool:
    return inside.endswith("\\n") and (len(inside) - len(inside[:-1].rstrip("\\")) - 1) % 2 == 1


def _raw_lines(inside: str) -> list[str]:
    r"""Split the inside of JSON strings behind each `\n`, as a notebook's list of lines is split."""
    lines = re.findall(r"(?:[^\\]|\\[^n])*?\\n|(?:[^\\]|\\[^n])+", inside, re.DOTALL)
    return [line for line in lines if line]
