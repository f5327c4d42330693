"""Imports for a fix: what is there is used, what is missing goes where isort has it, and what is unclear is refused."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from keyguard.python.imports import Imports, Want, wants_of
from keyguard.python.index import index
from keyguard.python.module import Module, parse_parts
from keyguard.source import SourceFile
from tests.python.made import source

if TYPE_CHECKING:
    from keyguard.python.imports import Way

ENVIRON = Want("os", "environ")
CONFIG = Want("decouple", "config", direct=True)


def way(*texts: str, want: Want = ENVIRON) -> tuple[Way | None, str]:
    """The way to what is wanted at the call of `probe`, and the last text with the edits."""
    if len(texts) == 1:
        parts = [source(texts[0])]
    else:
        parts = [SourceFile("a.ipynb", text, kind="python", cell=n) for n, text in enumerate(texts, 1)]
    module = parse_parts(parts)
    assert isinstance(module, Module), module
    found = index(module)
    call = next(call for call in found.calls if getattr(call.node.func, "value", None) == "probe")
    at = module.span(call.node).start
    answer = Imports(found).way(want, call.place, at)
    start = module.parts[-1].start
    text = texts[-1]
    for edit in sorted(answer.edits if answer else (), reverse=True):
        where, span = module.place(edit.span)
        assert where is parts[-1], "an import goes into the cell it is for"
        assert edit.span.start >= start
        text = text[: span.start] + edit.text + text[span.end :]
    return answer, text


def spelled(text: str, want: Want = ENVIRON) -> tuple[str, str]:
    """How it is spelled, and the text with the edits."""
    answer, after = way(text, want=want)
    assert answer is not None
    ast.parse(after)
    return answer.expression, after


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        pytest.param("import os\nprobe()\n", "os.environ", id="module"),
        pytest.param("import os as _os\nprobe()\n", "_os.environ", id="alias"),
        pytest.param("from os import environ\nprobe()\n", "environ", id="name"),
        pytest.param("from os import environ as env\nprobe()\n", "env", id="name-alias"),
        pytest.param("import sys, os\nprobe()\n", "os.environ", id="two-in-one"),
        pytest.param("import os.path\nprobe()\n", "os.environ", id="submodule"),
        pytest.param("import os; probe()\n", "os.environ", id="same-line"),
        pytest.param("import os\ndef f():\n    probe()\n", "os.environ", id="in-function"),
        pytest.param("import os\nclass A:\n    os = 1\n    def f(self):\n        probe()\n", "os.environ", id="class"),
        pytest.param("def f():\n    import os\n    return probe()\n", "os.environ", id="function-import"),
        pytest.param("import os\ndef f():\n    import os\n    return probe()\n", "os.environ", id="both"),
        pytest.param("import os\nx = [probe() for y in z]\n", "os.environ", id="comprehension"),
        pytest.param("import os\nf = lambda x: probe()\n", "os.environ", id="lambda"),
        pytest.param("import os\nimport os\nprobe()\n", "os.environ", id="twice"),
        pytest.param("try:\n    import os\nexcept E:\n    pass\nimport os\nprobe()\n", "os.environ", id="and-try"),
    ],
)
def test_what_is_imported_is_used(text: str, expression: str) -> None:
    assert spelled(text) == (expression, text)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        pytest.param("probe()\n", "import os\n\nprobe()\n", id="alone"),
        pytest.param("probe()", "import os\n\nprobe()", id="no-line-end"),
        pytest.param("def f():\n    probe()\n", "import os\n\n\ndef f():\n    probe()\n", id="function"),
        pytest.param("@a\ndef f():\n    probe()\n", "import os\n\n\n@a\ndef f():\n    probe()\n", id="decorated"),
        pytest.param("@probe()\ndef f(): pass\n", "import os\n\n\n@probe()\ndef f(): pass\n", id="decorator"),
        pytest.param('"""Doc."""\n\nprobe()\n', '"""Doc."""\n\nimport os\n\nprobe()\n', id="docstring"),
        pytest.param('"""Doc."""\nprobe()\n', '"""Doc."""\n\nimport os\n\nprobe()\n', id="docstring-tight"),
        pytest.param(
            '"""Doc."""\n\nfrom __future__ import annotations\n\nprobe()\n',
            '"""Doc."""\n\nfrom __future__ import annotations\n\nimport os\n\nprobe()\n',
            id="future",
        ),
        pytest.param(
            "from __future__ import annotations\nimport sys\nprobe()\n",
            "from __future__ import annotations\nimport os\nimport sys\nprobe()\n",
            id="future-then-imports",
        ),
        pytest.param(
            "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\nprobe()\n",
            "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\nimport os\n\nprobe()\n",
            id="shebang",
        ),
        pytest.param(
            "# Copyright 2024 someone\n\nprobe()\n", "# Copyright 2024 someone\n\nimport os\n\nprobe()\n", id="licence"
        ),
        pytest.param(
            "# Copyright 2024 someone\nprobe()\n",
            "# Copyright 2024 someone\nimport os\n\nprobe()\n",
            id="licence-tight",
        ),
        pytest.param("# the client\nprobe()\n", "import os\n\n# the client\nprobe()\n", id="own-comment"),
        pytest.param(
            "import abc\nimport sys\n\nimport requests\n\nprobe()\n",
            "import abc\nimport os\nimport sys\n\nimport requests\n\nprobe()\n",
            id="sorted",
        ),
        pytest.param("import abc\n\nprobe()\n", "import abc\nimport os\n\nprobe()\n", id="last"),
        pytest.param("import sys\nprobe()\n", "import os\nimport sys\nprobe()\n", id="first"),
        pytest.param(
            "from typing import Any\n\nprobe()\n", "import os\nfrom typing import Any\n\nprobe()\n", id="before-from"
        ),
        pytest.param(
            "from openai import OpenAI\n\nprobe()\n", "import os\n\nfrom openai import OpenAI\n\nprobe()\n", id="group"
        ),
        pytest.param(
            "import json\nimport requests\nimport time\nprobe()\n",
            "import json\nimport requests\nimport os\nimport time\nprobe()\n",
            id="one-group-for-all",
        ),
        pytest.param(
            "from abc import ABC\nimport json\nfrom sys import path\nimport time\nprobe()\n",
            "from abc import ABC\nimport json\nimport os\nfrom sys import path\nimport time\nprobe()\n",
            id="sorted-by-module",
        ),
        pytest.param(
            "import abc\n# of the system\nimport sys\nprobe()\n",
            "import abc\nimport os\n# of the system\nimport sys\nprobe()\n",
            id="comment-stays-with-its-import",
        ),
        pytest.param(
            "__version__ = '1'\nimport sys\nprobe()\n", "__version__ = '1'\nimport os\nimport sys\nprobe()\n", id="late"
        ),
        pytest.param(
            "import sys\nx = 1\nimport abc\nprobe()\n",
            "import os\nimport sys\nx = 1\nimport abc\nprobe()\n",
            id="first-run",
        ),
        pytest.param("x = 1; probe()\n", "import os\n\nx = 1; probe()\n", id="semicolon"),
        pytest.param("import sys; probe()\n", "import os\n\nimport sys; probe()\n", id="semicolon-import"),
        pytest.param("import sys\r\nprobe()\r\n", "import os\r\nimport sys\r\nprobe()\r\n", id="crlf"),
        pytest.param("import sys\rprobe()\r", "import os\rimport sys\rprobe()\r", id="cr"),
        pytest.param("import abc\n\x0c\nprobe()\n", "import abc\nimport os\n\x0c\nprobe()\n", id="form-feed"),
        pytest.param("\x0cprobe()\n", "import os\n\n\x0cprobe()\n", id="form-feed-first"),
        pytest.param("if x:\n\tprobe()\n", "import os\n\nif x:\n\tprobe()\n", id="tabs"),
        pytest.param(
            "from typing import (\n    Any,\n    TypeVar,\n)\nprobe()\n",
            "import os\nfrom typing import (\n    Any,\n    TypeVar,\n)\nprobe()\n",
            id="several-lines",
        ),
        pytest.param("probe()\nimport os\n", "import os\n\nprobe()\nimport os\n", id="imported-too-late"),
        pytest.param(
            "import abc\ntry:\n    import os\nexcept E:\n    pass\nprobe()\n",
            "import abc\nimport os\ntry:\n    import os\nexcept E:\n    pass\nprobe()\n",
            id="try",
        ),
        pytest.param(
            "import typing\n\nif typing.TYPE_CHECKING:\n    import os\nprobe()\n",
            "import os\nimport typing\n\nif typing.TYPE_CHECKING:\n    import os\nprobe()\n",
            id="type-checking",
        ),
        pytest.param(
            "import os as o\nimport abc\no = 1\nprobe()\n",
            "import os as o\nimport abc\nimport os\no = 1\nprobe()\n",
            id="alias-rebound",
        ),
        pytest.param(
            "def g():\n    import os\nprobe()\n", "import os\n\n\ndef g():\n    import os\nprobe()\n", id="elsewhere"
        ),
        pytest.param("from . import a\n\nprobe()\n", "import os\n\nfrom . import a\n\nprobe()\n", id="relative"),
    ],
)
def test_an_import_is_added_where_it_belongs(text: str, after: str) -> None:
    assert spelled(text) == ("os.environ", after)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("os = 1\nprobe()\n", id="assigned"),
        pytest.param("import os\nos = 1\nprobe()\n", id="assigned-later"),
        pytest.param("def f(os):\n    probe()\n", id="parameter"),
        pytest.param("import os\ndef f(os=1):\n    probe()\n", id="parameter-default"),
        pytest.param("import os\nfor os in x:\n    pass\nprobe()\n", id="loop"),
        pytest.param("import os\nx = [probe() for os in y]\n", id="comprehension"),
        pytest.param("import os\ndel os\nprobe()\n", id="deleted"),
        pytest.param("import os\ndef f():\n    def g():\n        probe()\n    os = 1\n", id="enclosing"),
        pytest.param("import os\nclass A:\n    os = 1\n    x = probe()\n", id="class-body"),
        pytest.param("import os\ndef f():\n    global os\n    os = 1\nprobe()\n", id="global"),
        pytest.param("import os\ndef f():\n    probe()\n    import os\n", id="local-import-below"),
        pytest.param("import os\nwith x as os:\n    probe()\n", id="with"),
        pytest.param("try:\n    pass\nexcept E as os:\n    pass\nprobe()\n", id="except"),
        pytest.param("from fake import os\nprobe()\n", id="another-module"),
        pytest.param("try:\n    import os\nexcept E:\n    os = None\nprobe()\n", id="maybe-none"),
        pytest.param("import os\nif (os := 1):\n    probe()\n", id="walrus"),
        pytest.param("import os\nmatch x:\n    case [os]:\n        probe()\n", id="match"),
    ],
)
def test_a_name_that_means_something_else_is_left_alone(text: str) -> None:
    expression, after = spelled(text)
    assert expression == "_os.environ"
    assert "import os as _os\n" in after


def test_an_alias_is_free() -> None:
    expression, after = spelled("_os = os = 1\nprobe(_os2)\n")
    assert (expression, after) == ("_os3.environ", "import os as _os3\n\n_os = os = 1\nprobe(_os2)\n")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('"""Doc."""; probe()\n', id="beside-docstring"),
        pytest.param("from __future__ import annotations; probe()\n", id="beside-future"),
        pytest.param("import os\nos.environ = {}\nprobe()\n", id="replaced"),
    ],
)
def test_what_cannot_be_done_is_refused(text: str) -> None:
    assert way(text)[0] is None


@pytest.mark.parametrize(
    ("text", "expression", "after"),
    [
        pytest.param(
            "from decouple import config\nprobe()\n", "config", "from decouple import config\nprobe()\n", id="there"
        ),
        pytest.param("import decouple\nprobe()\n", "decouple.config", "import decouple\nprobe()\n", id="module"),
        pytest.param("probe()\n", "config", "from decouple import config\n\nprobe()\n", id="alone"),
        pytest.param(
            "import abc\n\nprobe()\n", "config", "import abc\n\nfrom decouple import config\n\nprobe()\n", id="group"
        ),
        pytest.param(
            "import abc\n\nimport z\nfrom ab import a\nfrom flask import b\n\nprobe()\n",
            "config",
            "import abc\n\nimport z\nfrom ab import a\nfrom decouple import config\nfrom flask import b\n\nprobe()\n",
            id="sorted",
        ),
        pytest.param(
            "from decouple import Csv\nprobe()\n", "config", "from decouple import Csv, config\nprobe()\n", id="joined"
        ),
        pytest.param(
            "from decouple import zoo\nprobe()\n",
            "config",
            "from decouple import config, zoo\nprobe()\n",
            id="joined-first",
        ),
        pytest.param(
            "from decouple import (\n    Csv,\n    zoo,\n)\nprobe()\n",
            "config",
            "from decouple import (\n    Csv,\n    config,\n    zoo,\n)\nprobe()\n",
            id="joined-lines",
        ),
        pytest.param(
            "from decouple import (Csv)\nprobe()\n",
            "config",
            "from decouple import (Csv, config)\nprobe()\n",
            id="joined-brackets",
        ),
        pytest.param(
            "from decouple import Csv as C\nprobe()\n",
            "config",
            "from decouple import Csv as C, config\nprobe()\n",
            id="joined-alias",
        ),
        pytest.param(
            "config = {}\nprobe()\n",
            "_config",
            "from decouple import config as _config\n\nconfig = {}\nprobe()\n",
            id="taken",
        ),
        pytest.param(
            "from x import *\nprobe(config)\n",
            "_config",
            "from decouple import config as _config\nfrom x import *\nprobe(config)\n",
            id="starred",
        ),
        pytest.param(
            "from decouple import *\nprobe()\n",
            "config",
            "from decouple import *\nfrom decouple import config\nprobe()\n",
            id="star",
        ),
    ],
)
def test_a_name_is_imported_from_a_module(text: str, expression: str, after: str) -> None:
    assert spelled(text, CONFIG) == (expression, after)


def test_a_customary_alias_is_used() -> None:
    want = Want("streamlit", "secrets", alias="st")
    assert spelled("probe()\n", want) == ("st.secrets", "import streamlit as st\n\nprobe()\n")
    assert spelled("import streamlit\nprobe()\n", want)[0] == "streamlit.secrets"


def test_a_cell_uses_what_cells_before_it_import() -> None:
    answer, after = way("import os\n", "probe()\n")
    assert answer is not None
    assert (answer.expression, after) == ("os.environ", "probe()\n")


@pytest.mark.parametrize(
    ("cell", "after"),
    [
        pytest.param("%pip install x\nprobe()\n", "%pip install x\nimport os\n\nprobe()\n", id="pip"),
        pytest.param("!ls\n%time\n\nprobe()\n", "!ls\n%time\n\nimport os\n\nprobe()\n", id="shell"),
        pytest.param("%%time\nprobe()", "%%time\nimport os\n\nprobe()", id="cell-magic"),
        pytest.param("import sys\nprobe()", "import os\nimport sys\nprobe()", id="imports"),
        pytest.param("'text'\nprobe()", "import os\n\n'text'\nprobe()", id="no-docstring"),
    ],
)
def test_an_import_goes_into_its_own_cell(cell: str, after: str) -> None:
    answer, text = way("import sys\n", cell)
    assert answer is not None
    assert (answer.expression, text) == ("os.environ", after)


def test_statements_become_wants() -> None:
    assert wants_of(["import os", "from a.b import c", "import streamlit as st"]) == {
        "os": Want("os"),
        "c": Want("a.b", "c", direct=True),
        "st": Want("streamlit", alias="st"),
    }
