"""What must hold for every text: bytes come back, positions agree with the text, blanking keeps every offset."""

from __future__ import annotations

import codecs
import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.discover import Target
from keyguard.model import Edit, Span
from keyguard.source import (
    NotebookError,
    SourceFile,
    Undecodable,
    decode,
    encode,
    kind_of,
    notebook_parts,
    python_text,
    raw_edit,
    raw_span,
    role_of,
    searchable,
)

quick = settings(deadline=None, max_examples=150)

# Line ends, marks, NUL and bytes of several encodings, far oftener than chance would bring them.
_PIECES = st.sampled_from(
    [
        b"\r",
        b"\n",
        b"\r\n",
        b"\0",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"# coding: gbk\n",
        "中".encode(),
        b"\xd6\xd0",
    ],
)
_BYTES = st.lists(st.one_of(_PIECES, st.binary(max_size=6)), max_size=12).map(b"".join)
_TEXT = st.text(
    st.one_of(st.sampled_from("\r\n\r\n%!?='\"\\#()[] \tab中😀\x85\u2028"), st.characters(exclude_categories=["Cs"])),
    max_size=60,
)
_CELL = st.lists(
    st.sampled_from(
        [
            "%pip x",
            "!ls",
            "x = !ls",
            "x = 1",
            "f(",
            ")",
            "'''",
            '"',
            "a?",
            "    ",
            "\n",
            "\r\n",
            "\\\n",
            " % 2",
            "# c",
            "中",
        ],
    ),
    max_size=14,
).map("".join)


@given(data=_BYTES, name=st.sampled_from(["a.py", "a.txt", "a.ipynb"]))
@quick
def test_bytes_that_are_read_come_back_and_anything_else_is_undecodable(data: bytes, name: str) -> None:
    try:
        source = decode(name, data)
    except Undecodable:
        assert b"\0" in data
        assert searchable(data) is None
    else:
        assert encode(source, source.text) == data
        assert searchable(data) is not None


@given(text=_TEXT, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"]))
@quick
def test_text_with_a_mark_or_in_utf8_is_read_as_it_was_written(text: str, encoding: str) -> None:
    text = text.replace("\0", "").removeprefix("\ufeff")
    data = text.encode(encoding)
    if encoding == "utf-16" and data.startswith(codecs.BOM_UTF32_LE):
        return
    source = decode("a.txt", data)
    if encoding != "gb18030":
        assert source.text == text
    assert encode(source, source.text) == data


@given(text=_TEXT)
@quick
def test_positions_and_lines_agree_with_the_text(text: str) -> None:
    source = SourceFile("a.txt", text)
    lines = re.split(r"\r\n|\r|\n", text)
    assert [source.line_text(number) for number in range(1, source.line_count + 1)] == lines
    for offset in range(len(text) + 1):
        line, column = source.position(offset)
        span = source.line_span(line)
        assert offset == span.start + column - 1
        # Only a line's own end lies past its text.
        assert span.start <= offset
        assert offset <= span.end or text[span.end : offset] in {"\r", "\n"}


@given(text=_CELL)
@quick
def test_blanked_python_keeps_length_and_line_ends(text: str) -> None:
    part = SourceFile("n.ipynb", text, kind="python", cell=1, part="source")
    found = python_text(part)
    assert len(found) == len(text)
    for before, after in zip(text, found, strict=True):
        assert (before in "\r\n") == (after in "\r\n")
    assert python_text(SourceFile("n.ipynb", found, kind="python", cell=1, part="source")) == found


@given(path=st.text(max_size=30), first=st.binary(max_size=20))
@quick
def test_every_path_has_a_kind_and_a_role(path: str, first: bytes) -> None:
    assert kind_of(path, first)
    assert role_of(path) in {"code", "test", "docs", "example"}


@given(text=st.text(max_size=80))
@quick
def test_any_text_is_a_notebook_or_a_notebook_error(text: str) -> None:
    try:
        said = repr(notebook_parts(SourceFile("n.ipynb", text)))
    except NotebookError as error:
        said = str(error)
    assert said == "()" or said.startswith("n.ipynb: ")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["cells", "source", "outputs", "data", "text", "cell_type", "traceback", "metadata", "input"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@given(cells=st.lists(_JSON, max_size=4), metadata=_JSON)
@quick
def test_any_json_in_a_notebook_is_read_or_stepped_over(cells: list[object], metadata: object) -> None:
    document = json.dumps({"cells": cells, "metadata": metadata})
    for part in notebook_parts(SourceFile("n.ipynb", document)):
        assert 1 <= (part.cell or 0) <= len(cells)
        assert part.text


@given(
    data=st.data(),
    lines=st.lists(_TEXT, min_size=1, max_size=5),
    new=_TEXT,
    as_list=st.booleans(),
    ascii_=st.booleans(),
)
@quick
def test_an_edit_of_a_cell_has_just_that_effect_on_the_notebook(
    data: st.DataObject, lines: list[str], new: str, *, as_list: bool, ascii_: bool
) -> None:
    text = "".join(lines)
    if not text:
        return
    cell = {"cell_type": "code", "source": lines if as_list else text, "outputs": []}
    document = {"cells": [{"cell_type": "raw", "source": "before"}, cell], "nbformat": 4}
    notebook = SourceFile("n.ipynb", json.dumps(document, indent=1, ensure_ascii=ascii_))
    part = notebook_parts(notebook)[1]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    edit = raw_edit(notebook, part, Edit(Span(start, end), new))
    after = json.loads(notebook.text[: edit.span.start] + edit.text + notebook.text[edit.span.end :])
    found = after["cells"][1]["source"]
    assert "".join(found) == text[:start] + new + text[end:]
    assert isinstance(found, list) == as_list
    after["cells"][1] = cell
    assert after == document
    raw = raw_span(notebook, part, Span(start, end))
    assert raw.start <= raw.end


@given(data=_BYTES, size=st.integers(128, 200), overlap=st.integers(2, 30))
@quick
def test_windows_cover_a_file_once_and_count_as_the_whole_file_does(data: bytes, size: int, overlap: int) -> None:
    data = data.replace(b"\0", b"").removeprefix(codecs.BOM_UTF8) * 40
    if data[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} or data.startswith(codecs.BOM_UTF8):
        return
    text = data.decode("utf-8", "surrogateescape")
    whole = SourceFile("a.txt", text)
    owned = b""
    for window in Target("a.txt", "a.txt", "a.txt", data=data).windows(size, overlap):
        assert data[window.offset : window.offset + len(window.data)] == window.data
        assert len(window.data) <= size
        owned += window.data[window.own_start : window.own_end]
        if data[: window.offset].decode("utf-8", "surrogateescape") == text[: window.characters]:
            assert whole.position(window.characters) == (window.first_line, window.first_column)
    assert owned == data
