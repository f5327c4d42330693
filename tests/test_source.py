"""Reading files: every encoding comes back byte for byte, lines count as editors count them, notebooks come apart."""

from __future__ import annotations

import ast
import codecs
import json
import pickle

import pytest

from keyguard.model import Edit, Span
from keyguard.source import (
    NotebookError,
    SourceFile,
    Undecodable,
    comment_forms,
    decode,
    encode,
    is_ci_file,
    is_compose_file,
    is_env_file,
    is_env_template,
    is_minified,
    kind_of,
    notebook_parts,
    python_text,
    raw_edit,
    raw_span,
    role_of,
    searchable,
)

TEXT = 'name = "值"\r\nkey = "ü"\n'


# --- encodings ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "encoding", "bom"),
    [
        (b"a = 1\n", "utf-8", False),
        (b"", "utf-8", False),
        (TEXT.encode(), "utf-8", False),
        (codecs.BOM_UTF8 + TEXT.encode(), "utf-8", True),
        (codecs.BOM_UTF8, "utf-8", True),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16-le", True),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16-be", True),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), "utf-32-le", True),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "utf-32-be", True),
        (TEXT.encode("utf-16-le"), "utf-16-le", False),
        (TEXT.encode("utf-16-be"), "utf-16-be", False),
        ("密钥 = 值 不要泄露\n".encode("gb18030"), "gb18030", False),
        ("naïve café, déjà vu\n".encode("latin-1"), "latin-1", False),
        (b"\x80\xff\xfe odd bytes\n", "latin-1", False),
    ],
)
def test_text_is_read_in_its_encoding_and_written_back_byte_for_byte(data: bytes, encoding: str, bom: bool) -> None:  # noqa: FBT001  # a parameter of the table
    source = decode("notes.txt", data)
    assert (source.encoding, source.bom) == (encoding, bom)
    assert not source.text.startswith("\ufeff")
    assert encode(source, source.text) == data


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "gb18030"])
def test_an_edit_keeps_encoding_mark_and_line_ends(encoding: str) -> None:
    source = decode("notes.txt", TEXT.encode(encoding))
    assert source.text == TEXT
    assert encode(source, source.text.replace("key", "k")).decode(encoding) == TEXT.replace("key", "k")


@pytest.mark.parametrize("data", [b"a = '\xff'\n" + "值".encode() * 9, b"x = '\xed\xa0\x80' # " + "ü".encode() * 9])
def test_broken_utf8_and_encoded_surrogates_are_kept(data: bytes) -> None:
    source = decode("a.py", data)
    assert source.encoding == "utf-8"
    assert encode(source, source.text) == data
    assert encode(source, "y" + source.text[1:]) == b"y" + data[1:]


def test_lone_surrogates_and_a_cut_off_character_in_utf16_are_kept() -> None:
    data = codecs.BOM_UTF16_LE + "a\ud800b".encode("utf-16-le", "surrogatepass") + b"\x41"
    source = decode("a.txt", data)
    assert source.text == "a\ud800b"
    assert encode(source, source.text) == data


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"), "latin-1"),
        ("#!/usr/bin/python\n# vim: set fileencoding=shift_jis :\nx = '値'\n".encode("shift_jis"), "shift_jis"),
        ("# coding=cp1252\nx = '€'\n".encode("cp1252"), "cp1252"),
        ("# coding: koi8-r\nx = 'ключ'\n".encode("koi8-r"), "koi8-r"),
        # A cookie counts in the first two lines only, and only if it names an encoding that can be written back.
        ("\n\n# coding: latin-1\nx = 'é'\n".encode(), "utf-8"),
        ("x = 1\n# coding: latin-1\ny = 'é'\n".encode(), "utf-8"),
        ("# coding: no-such-thing\nx = 'é'\n".encode(), "utf-8"),
        ("# coding: rot13\nx = 'é'\n".encode(), "utf-8"),
        ("# coding: unicode_escape\nx = 'é\\q'\n".encode(), "utf-8"),
        ("# coding: utf-7\nx = 'é'\n".encode(), "utf-8"),
        ("# coding: utf-8-unix\nx = 'é'\n".encode(), "utf-8"),
        (codecs.BOM_UTF8 + "# coding: latin-1\nx = 'é'\n".encode(), "utf-8"),
    ],
)
def test_coding_cookies_of_python_count_where_python_reads_them(data: bytes, encoding: str) -> None:
    source = decode("a.py", data)
    assert source.encoding == encoding
    assert encode(source, source.text) == data


def test_a_coding_cookie_means_nothing_outside_python() -> None:
    assert decode("a.sh", "# coding: latin-1\nx='é'\n".encode()).encoding == "utf-8"


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01\x00\x00\x00",
        b"text with a \x00 in it\n",
        codecs.BOM_UTF8 + b"a\x00",
        bytes(range(1, 9)) + b"\0",
        b"".join(bytes([number % 32, 0]) for number in range(100)),  # a table of small numbers is no UTF-16
        codecs.BOM_UTF16_LE + b"\0\0a\0",
    ],
)
def test_nul_bytes_are_binary_and_the_message_names_file_and_remedy(data: bytes) -> None:
    with pytest.raises(Undecodable) as caught:
        decode("lib/a.so", data)
    assert caught.value.reason == "NUL bytes"
    assert str(caught.value).startswith("lib/a.so: not read, NUL bytes; save it as UTF-8")
    assert searchable(data) is None


def test_what_is_searched_holds_the_ascii_words_of_wide_files() -> None:
    assert searchable(b"a = 1") == b"a = 1"
    assert searchable("é 密".encode("gb18030")) == "é 密".encode("gb18030")
    for encoding in ("utf-16", "utf-32", "utf-16-be"):
        found = searchable("OPENAI_API_KEY=值".encode(encoding))
        assert found is not None
        assert b"OPENAI_API_KEY=" in found


# --- lines ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a", ""]),
        ("a\r\nb\rc\nd", ["a", "b", "c", "d"]),
        ("\n\r\n\r\r\n", ["", "", "", "", ""]),
        # What str.splitlines() would split at is no line end to an editor.
        ("a\x0cb\x0bc\x1cd\x85e\u2028f\u2029g", ["a\x0cb\x0bc\x1cd\x85e\u2028f\u2029g"]),
    ],
)
def test_lines_end_at_cr_lf_and_crlf_only(text: str, lines: list[str]) -> None:
    source = SourceFile("a.txt", text)
    assert source.line_count == len(lines)
    assert [source.line_text(number) for number in range(1, len(lines) + 1)] == lines
    for number, line in enumerate(lines, 1):
        assert source.position(source.line_span(number).start) == (number, 1)
        assert source.position(source.line_span(number).end) == (number, len(line) + 1)


def test_there_is_no_line_zero_and_none_past_the_end() -> None:
    source = SourceFile("a.txt", "a\nb")
    for line in (0, 3, -1):
        with pytest.raises(IndexError, match=r"a\.txt has no line"):
            source.line_span(line)


def test_columns_count_characters_not_bytes() -> None:
    source = decode("a.py", "x = '😀值' + k\n".encode())
    assert source.position(source.text.index("k")) == (1, 12)


def test_a_window_counts_from_where_it_begins() -> None:
    source = decode("a.txt", b"cd\nef", first_line=7, first_column=3)
    assert source.position(1) == (7, 4)
    assert source.position(4) == (8, 2)
    assert source.line_text(8) == "ef"


def test_a_source_is_pickled_without_its_line_table_and_never_shows_its_text() -> None:
    source = decode("tests/a.py", codecs.BOM_UTF8 + b"secret\nb")
    before = pickle.dumps(source)
    assert source.position(7) == (2, 1)
    assert pickle.dumps(source) == before
    copy = pickle.loads(before)  # noqa: S301  # our own bytes
    assert copy == source
    assert hash(copy) == hash(source)
    assert copy.position(7) == (2, 1)
    assert "secret" not in repr(source)


# --- kinds and roles ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/app.py", "python"),
        ("a/B.PYI", "python"),
        ("n.ipynb", "notebook"),
        (".env", "env"),
        ("conf/.env.production", "env"),
        ("prod.env", "env"),
        (".env.example", "env"),
        ("env.sample", "env"),
        (".envrc", "shell"),
        # Code that is named after the environment is still code.
        ("src/env.py", "python"),
        ("src/env.ts", "javascript"),
        (".env.d.ts", "javascript"),
        ("environment.yml", "yaml"),
        ("docker-compose.yml", "yaml"),
        (".github/workflows/ci.yaml", "yaml"),
        ("Dockerfile", "dockerfile"),
        ("Dockerfile.prod", "dockerfile"),
        ("api.dockerfile", "dockerfile"),
        ("package.json", "json"),
        ("package-lock.json", "lock"),
        ("poetry.lock", "lock"),
        ("pnpm-lock.yaml", "lock"),
        ("go.sum", "lock"),
        ("pyproject.toml", "toml"),
        ("setup.cfg", "ini"),
        (".npmrc", "ini"),
        ("README.md", "markdown"),
        ("index.rst", "rst"),
        ("a.tsx", "javascript"),
        ("a.min.js", "javascript"),
        ("a.go", "go"),
        ("A.java", "java"),
        ("a.scss", "css"),
        ("a.vue", "html"),
        ("run.sh", "shell"),
        ("run.ps1", "powershell"),
        ("run.bat", "batch"),
        ("data.csv", "csv"),
        ("Makefile", "make"),
        ("settings.py.example", "python"),
        ("config.yaml.j2", "yaml"),
        ("app.py.j2", "text"),
        ("id_key", "text"),
        ("LICENSE", "text"),
        ("a.unknown", "text"),
        (".", "text"),
        ("", "text"),
    ],
)
def test_a_name_says_its_kind(path: str, kind: str) -> None:
    assert kind_of(path) == kind


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (b"#!/usr/bin/env python3.11\n", "python"),
        (b"#!/usr/bin/python\n", "python"),
        (b"#! /bin/bash -e\n", "shell"),
        (b"#!/usr/bin/env -S node --x\n", "javascript"),
        (b"#!/opt/strange/thing\n", "text"),
        (b"#!\xff\xfe", "text"),
        (b"plain", "text"),
    ],
)
def test_a_first_line_decides_where_the_name_does_not(first: bytes, kind: str) -> None:
    assert kind_of("bin/tool", first) == kind
    assert kind_of("bin/tool.toml", first) == "toml"


def test_env_files_and_their_templates_are_told_apart() -> None:
    for path in ("a/.env", ".env.local", ".env_prod", "x.env", ".envrc", ".flaskenv", ".dev.vars", "env.production"):
        assert is_env_file(path), path
        assert not is_env_template(path), path
    for path in (".env.example", ".env.sample", ".env.template", "example.env", ".env-sample", ".env.example.local"):
        assert is_env_file(path), path
        assert is_env_template(path), path
    for path in ("env.py", "env", "environment.yml", "venv/x.py", ".environ", "my_env.js", ".env/x.txt", ".env.json"):
        assert not is_env_file(path), path


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("app/main.py", "code"),
        ("contest/latest.py", "code"),
        ("attest.py", "code"),
        ("tests/a.py", "test"),
        ("src/pkg/testing/a.py", "test"),
        ("test_a.py", "test"),
        ("a_test.go", "test"),
        ("a.spec.ts", "test"),
        ("conftest.py", "test"),
        ("examples/a.py", "example"),
        ("examples/README.md", "example"),
        (".env.example", "example"),
        ("conf/settings.py.dist", "example"),
        ("docs/conf.py", "docs"),
        ("README.md", "docs"),
        ("a.rst", "docs"),
    ],
)
def test_a_path_says_its_role(path: str, role: str) -> None:
    assert role_of(path) == role
    assert decode("x/y.py", b"", place=path).role == role


def test_places_of_build_services_and_packed_assets_are_known() -> None:
    assert is_ci_file(".github/workflows/ci.yml")
    assert is_ci_file("sub/.gitlab-ci.yml")
    assert not is_ci_file("deploy/values.yml")
    assert is_compose_file("docker-compose.prod.yml")
    assert not is_compose_file("composer.json")
    assert is_minified("a.min.css")
    assert not is_minified("admin.js")


def test_comment_forms_fit_the_kind() -> None:
    assert comment_forms("python") == (("#", ""),)
    assert comment_forms("javascript")[0] == ("//", "")
    assert comment_forms("markdown")[0] == ("<!--", "-->")
    assert comment_forms("sql")[0] == ("--", "")
    assert ("REM", "") in comment_forms("batch")
    assert (";", "") in comment_forms("ini")
    assert ("#", "") in comment_forms("no such kind")


# --- notebooks ------------------------------------------------------------------------------------------------


def _notebook(*cells: dict[str, object], **metadata: object) -> SourceFile:
    document = {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return decode("n.ipynb", json.dumps(document, indent=1, ensure_ascii=False).encode())


def _code(source: object, *outputs: dict[str, object]) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "metadata": {}}


def test_a_notebook_comes_apart_into_cells_and_outputs() -> None:
    parts = notebook_parts(
        _notebook(
            {"cell_type": "markdown", "source": "# Title", "attachments": {"a.png": {"image/png": "c2stYWJj"}}},
            _code([]),
            _code(
                ["import os\n", "os.environ"],
                {"output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"]},
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": ["three"], "text/html": "<b>three</b>", "image/png": "c2stYWJj"},
                },
                {"output_type": "error", "ename": "E", "evalue": "no", "traceback": ["\x1b[0;31mE\x1b[0m: no", "four"]},
            ),
            {"cell_type": "raw", "source": "raw"},
        ),
    )
    assert [(part.cell, part.part, part.kind, part.text) for part in parts] == [
        (1, "source", "markdown", "# Title"),
        (3, "source", "python", "import os\nos.environ"),
        (3, "output", "text", "one\ntwo\nthree\n<b>three</b>\nE: no\nfour"),
        (4, "source", "text", "raw"),
    ]
    assert {part.path for part in parts} == {"n.ipynb"}
    assert parts[1].position(10) == (2, 1)


def test_a_notebook_of_version_3_is_read() -> None:
    cells = [
        {"cell_type": "heading", "level": 1, "source": ["Title"]},
        {
            "cell_type": "code",
            "language": "python",
            "input": ["a = 1\n", "b"],
            "outputs": [
                {"output_type": "pyout", "text": ["1"], "png": "c2stYWJj"},
                {"output_type": "stream", "stream": "stdout", "text": "2"},
            ],
        },
    ]
    data = json.dumps({"nbformat": 3, "metadata": {}, "worksheets": [{"cells": cells}]})
    parts = notebook_parts(decode("n.ipynb", data.encode()))
    assert [(part.cell, part.part, part.kind, part.text) for part in parts] == [
        (1, "source", "markdown", "Title"),
        (2, "source", "python", "a = 1\nb"),
        (2, "output", "text", "1\n2"),
    ]


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_notebook_file_has_no_parts(text: str) -> None:
    assert notebook_parts(decode("n.ipynb", text.encode())) == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "its JSON is broken at line 1"),
        ('{"cells": [\n<<<<<<< HEAD\n', "its JSON is broken at line 2"),
        ("[]", "JSON, but not a notebook"),
        ("{}", "it has no cells"),
        ('{"cells": 3}', "it has no cells"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a": ' + "9" * 10_000 + "}", "not a notebook"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
    ],
)
def test_what_is_no_notebook_is_refused_with_file_and_remedy(text: str, says: str) -> None:
    with pytest.raises(NotebookError) as caught:
        notebook_parts(decode("a/n.ipynb", text.encode()))
    assert str(caught.value).startswith("a/n.ipynb: ")
    assert says in str(caught.value)
    assert "exclude it" in str(caught.value)


def test_odd_values_in_a_notebook_are_stepped_over() -> None:
    notebook = _notebook(
        {"cell_type": "code", "source": None, "outputs": None},
        {"cell_type": "code", "source": [1, "x", None], "outputs": [None, {"data": 3}, {"traceback": [1]}]},
        {"source": "plain"},
        kernelspec=None,
    )
    assert [(part.cell, part.text) for part in notebook_parts(notebook)] == [(2, "x"), (3, "plain")]
    document = {"cells": [3, None, {"cell_type": "code", "source": "y"}]}
    assert [part.cell for part in notebook_parts(decode("n.ipynb", json.dumps(document).encode()))] == [3]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("x = 1", "python"),
        ("%%bash\nls", "shell"),
        ("%%time\nx = 1", "python"),
        ("\n%%capture out\nx = 1", "python"),
        ("%%writefile app.py\nx = 1", "python"),
        ("%%writefile -a 'conf.yaml'\nx: 1", "yaml"),
        ("%%javascript\nlet x", "javascript"),
        ("%%script node\nlet x", "javascript"),
        ("%%strange\n???", "text"),
        ("%%", "python"),
    ],
)
def test_a_cell_magic_says_what_the_cell_holds(source: str, kind: str) -> None:
    assert notebook_parts(_notebook(_code(source)))[0].kind == kind


def test_a_kernel_says_what_the_cells_hold() -> None:
    assert notebook_parts(_notebook(_code("x <- 1"), language_info={"name": "R"}))[0].kind == "r"
    assert notebook_parts(_notebook(_code("x"), kernelspec={"language": "julia"}))[0].kind == "julia"


# --- IPython's own syntax -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "x = 5 % 2\n",
        "x = (1\n%2)\n",
        "s = '''\n%pip install x\n!ls\n'''\n",
        "a = b != c\nx %= 3\n",
        "f(a=1)  # what?\n",
        "s = 'a\\\n%b'\n",
        "cd = 1\nls = [1]\nif ls in [cd]:\n    pass\n",
        "print('''it's''', \"%s?\" % 1)\n",
    ],
)
def test_python_in_a_cell_is_left_alone(source: str) -> None:
    assert python_text(notebook_parts(_notebook(_code(source)))[0]) == source


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("%pip install x\ny = 1\n", "pass          \ny = 1\n"),
        ("!ls\ny = 1\n", "_  \ny = 1\n"),
        ("if x:\n    !curl -H 'a \\\n      b' c\n    y = 1\n", None),
        ("files = !ls *.py\n", "files = _       \n"),
        ("r = %timeit -o f()\nz = 1\n", None),
        ("?help\nobj.method??\nx = 1\n", "pass \npass        \nx = 1\n"),
        ("pip install openai\nx = 1\n", None),
        ("%%time\nx = 1\n", "pass  \nx = 1\n"),
        ("def f():\r\n    %env A=b\r\n    return 1\r\n", "def f():\r\n    pass    \r\n    return 1\r\n"),
        ("for f in x:\n    !\n", None),
        ("x = 'it''s' ; y = \"a\nb = !ls\n", None),
        ("await f()\n%load_ext a\n", None),
        ("!a\\\n", None),
    ],
)
def test_magics_are_blanked_in_place(source: str, python: str | None) -> None:
    part = notebook_parts(_notebook(_code(source)))[0]
    found = python_text(part)
    assert len(found) == len(source)
    assert [index for index, char in enumerate(found) if char in "\r\n"] == [
        index for index, char in enumerate(source) if char in "\r\n"
    ]
    if python is not None:
        assert found == python
    if '"a\n' not in source:
        compile(found, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)


def test_magics_outside_notebooks_stay_errors_but_surrogates_never_reach_a_parser() -> None:
    assert python_text(decode("a.py", b"!ls\n")) == "!ls\n"
    assert python_text(decode("a.ipy", b"!ls -l\n")) == "pass  \n"
    broken = decode("a.py", b"x = '\xff'  # " + "ü".encode() * 9)
    assert python_text(broken) == "x = '\ufffd'  # üüüüüüüüü"


# --- back into the JSON ---------------------------------------------------------------------------------------


LINES = ['key = "abc"\n', 'b = "\\u00e9\\\\n"\n', "c = '中😀'\n", "d = 1"]


def _apply(notebook: SourceFile, edit: Edit) -> str:
    return notebook.text[: edit.span.start] + edit.text + notebook.text[edit.span.end :]


def test_a_span_of_a_cell_is_found_in_the_json() -> None:
    notebook = _notebook(_code("x"), _code(LINES))
    part = notebook_parts(notebook)[1]
    start = part.text.index("abc")
    span = raw_span(notebook, part, Span(start, start + 3))
    assert notebook.text[span.start : span.end] == "abc"
    start = part.text.index("d = 1")
    span = raw_span(notebook, part, Span(start, start + 5))
    assert notebook.text[span.start : span.end] == "d = 1"


def test_a_surrogate_pair_is_one_character() -> None:
    document = '{"cells": [{"cell_type": "code", "source": "\\ud83d\\ude00 \\u4e2d key"}]}'
    notebook = decode("n.ipynb", document.encode())
    (part,) = notebook_parts(notebook)
    assert part.text == "😀 中 key"
    span = raw_span(notebook, part, Span(4, 7))
    assert notebook.text[span.start : span.end] == "key"


def test_an_output_is_found_as_a_whole() -> None:
    notebook = _notebook(_code("x", {"output_type": "stream", "text": ["one\n", "two"]}))
    part = notebook_parts(notebook)[1]
    span = raw_span(notebook, part, Span(0, 3))
    assert "one" in notebook.text[span.start : span.end]
    with pytest.raises(NotebookError, match="cleared, not edited"):
        raw_edit(notebook, part, Edit(Span(0, 3), ""))


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ('"abc"', 'os.environ["K"]', ['key = os.environ["K"]\n', *LINES[1:]]),
        ('key = "abc"\n', "", LINES[1:]),
        ("\nd = 1", "", [*LINES[:2], "c = '中😀'"]),
        ("d = 1", "", LINES[:3]),
        ("key", "import os\n\nkey", ["import os\n", "\n", *LINES]),
        ('"\nb', '"; b', ['key = "abc"; ' + LINES[1], *LINES[2:]]),
    ],
)
def test_an_edit_of_a_cell_keeps_the_list_of_lines_and_every_other_byte(old: str, new: str, lines: list[str]) -> None:
    notebook = _notebook(_code(LINES), _code("other"))
    part = notebook_parts(notebook)[0]
    start = part.text.index(old)
    edit = raw_edit(notebook, part, Edit(Span(start, start + len(old)), new))
    document = json.loads(_apply(notebook, edit))
    assert document["cells"][0]["source"] == lines
    assert notebook.text[: edit.span.start] == _apply(notebook, edit)[: edit.span.start]
    assert _apply(notebook, edit) == _notebook(_code(lines), _code("other")).text


def test_an_edit_of_a_cell_that_is_one_string_keeps_it_one() -> None:
    notebook = _notebook(_code("a = 1\nb = 2\n"))
    edit = raw_edit(notebook, notebook_parts(notebook)[0], Edit(Span(6, 11), 'x\n"y"'))
    assert json.loads(_apply(notebook, edit))["cells"][0]["source"] == 'a = 1\nx\n"y"\n'


def test_a_part_that_is_not_in_the_notebook_any_more_is_refused() -> None:
    old, new = _notebook(_code("x"), _code("a long line")), _notebook(_code("x"))
    with pytest.raises(NotebookError, match=r"n\.ipynb: it has no cell 2"):
        raw_span(new, notebook_parts(old)[1], Span(0, 1))
    with pytest.raises(NotebookError, match="run keyguard again"):
        raw_span(_notebook(_code("x"), _code("a")), notebook_parts(old)[1], Span(5, 9))
