"""Facts: keys with their place, their names and hosts; what is shown; notebooks cell by cell."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.python.around import leaves_of
from keyguard.python.facts import PythonFacts, read_cells
from keyguard.python.module import ParseFailure, walk
from keyguard.python.project import Project
from keyguard.python.tables import is_key_variable
from keyguard.source import SourceFile
from tests.keys import fill, make
from tests.python.made import CHECKS, facts, loaded

if TYPE_CHECKING:
    from pathlib import Path


def test_a_module_without_keys_has_none() -> None:
    found = facts("import os\nx = 'y' + str(1)\n\n\ndef f(a, *b, c=1, **d):\n    return f'{a}' % b\n")
    assert (found.keys, found.url_keys, found.outputs) == ((), (), ())


@pytest.mark.parametrize(
    "name", ["OPENAI_BASE_URL", "HOME", "SECRET_KEY", "KEY", "MAX_TOKENS", "CACHE_KEY", "DB_PASSWORD"]
)
def test_other_variables_hold_no_model_key(name: str) -> None:
    assert not is_key_variable(name, loaded())


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "HF_TOKEN", "MY_OPENAI_KEY", "API_KEY", "AGENT_API_KEY", "openai_api_key"]
)
def test_key_variables_are_known_by_name(name: str) -> None:
    assert is_key_variable(name, loaded())


@pytest.mark.parametrize(
    ("text", "env"),
    [
        ("import os\nos.environ['MY_OWN_KEY'] = '<openai-key>'\n", "MY_OWN_KEY"),
        ("GROQ_API_KEY = '<groq-key>'\n", "GROQ_API_KEY"),
        (
            "from openai import OpenAI\nc = OpenAI(api_key='<deepseek-key>', base_url='https://api.deepseek.com')\n",
            "DEEPSEEK_API_KEY",
        ),
        ("k = '<anthropic-key>'\n", "ANTHROPIC_API_KEY"),
        ("import os\nk = os.getenv('SPECIAL', '<openai-key>')\n", "SPECIAL"),
    ],
)
def test_the_variable_to_use_follows_the_rules(text: str, env: str) -> None:
    assert [key.env for key in facts(text).keys] == [env]


@pytest.mark.parametrize(
    "text",
    [
        "from openai import OpenAI\nc = OpenAI(base_url='https://api.deepseek.com', api_key='<deepseek-key>')\n",
        "import openai\nU = 'https://api.deepseek.com'\nK = '<deepseek-key>'\nopenai.Client(base_url=U, api_key=K)\n",
        "cfg = {'base_url': 'https://api.deepseek.com', 'api_key': '<deepseek-key>'}\n",
        (
            "import requests\nk = '<deepseek-key>'\nh = {'Authorization': f'Bearer {k}'}\ndef f():\n"
            "    requests.post('https://api.deepseek.com/chat', headers={'Authorization': f'Bearer {k}'})\n"
        ),
        "import openai\nopenai.base_url = 'https://api.deepseek.com'\nopenai.api_key = '<deepseek-key>'\n",
        "import os\nos.environ['DEEPSEEK_API_KEY'] = '<deepseek-key>'\n",
        "def client(key):\n    from openai import OpenAI\n    return OpenAI(api_key=key, base_url='https://api.deepseek.com')\n\n\nclient('<deepseek-key>')\n",
        "deepseek_key = '<deepseek-key>'\n",
    ],
    ids=["call", "names", "table", "header", "module", "variable", "parameter", "name"],
)
def test_whose_a_shared_shape_is_follows_from_what_it_is_used_with(text: str) -> None:
    assert [key.provider for key in facts(text).keys] == ["deepseek"]


def _text_at(found: PythonFacts, span: object) -> str:
    start, end = span.start, span.end  # type: ignore[attr-defined]
    return found.module.text[start:end]


def test_the_finding_is_the_literal_or_the_key_in_a_long_text() -> None:
    key = make("openai")
    found = facts(f'a = "{key}"\nb = """\nlet key = "{make("groq")}";\n"""\nc = "\\u0041 {make("anthropic")}\\n"\n')
    assert [_text_at(found, item.span) for item in found.keys] == [
        f'"{key}"',
        make("groq"),
        f'"\\u0041 {make("anthropic")}\\n"',
    ]


def test_pieces_are_found_as_one_expression_and_told_apart() -> None:
    found = facts("p = '<anthropic-key|head>'\nk = (p +\n     '<anthropic-key|tail>')\n")
    (key,) = found.keys
    assert key.value == make("anthropic")
    assert _text_at(found, key.span).startswith("p +")
    assert [_text_at(found, span) for span in key.pieces] == [
        fill("'<anthropic-key|head>'"),
        fill("'<anthropic-key|tail>'"),
    ]


def test_a_key_from_another_module_is_followed_to_what_shows_it(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text("import os\nKEY = os.environ['OPENAI_API_KEY']\n", encoding="utf-8")
    found = facts("from config import KEY\nprint(KEY)\n", project=Project(tmp_path, loaded()))
    assert [(output.name, output.where) for output in found.outputs] == [("OPENAI_API_KEY", "print")]


def test_a_key_written_in_another_module_is_not_reported_here(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text(fill("KEY = '<openai-key>'\n"), encoding="utf-8")
    found = facts(
        "from config import KEY\nfrom openai import OpenAI\nOpenAI(api_key=KEY)\n", project=Project(tmp_path, loaded())
    )
    assert found.keys == ()


def _cell(number: int, text: str) -> SourceFile:
    return SourceFile("book.ipynb", fill(text), kind="python", cell=number, part="source")


def _hits(found: PythonFacts | ParseFailure) -> list[tuple[str, int | None, int]]:
    assert isinstance(found, PythonFacts)
    placed = []
    for check in CHECKS:
        for hit in check.check(found):
            where, span = found.place(hit.span)
            placed.append((hit.rule, where.cell, where.position(span.start)[0]))
    return sorted(placed, key=lambda one: (one[1] or 0, one[2]))


def test_names_of_earlier_cells_are_seen_in_later_ones() -> None:
    cells = (_cell(1, "import os\nkey = os.environ['OPENAI_API_KEY']"), _cell(3, "x = 1\nprint(key)"))
    assert _hits(read_cells(cells, loaded())) == [("KG104", 3, 2)]


def test_the_last_expression_of_a_cell_is_shown() -> None:
    cells = (_cell(1, "import os\nos.environ['OPENAI_API_KEY']"), _cell(2, "os.environ['OPENAI_API_KEY']\nx = 1"))
    assert _hits(read_cells(cells, loaded())) == [("KG104", 1, 2)]


def test_a_key_in_a_magic_is_found() -> None:
    cells = (_cell(1, "%env OPENAI_API_KEY=<openai-key>\nx = 1"),)
    assert _hits(read_cells(cells, loaded())) == [("KG101", 1, 1)]


def test_a_broken_cell_spoils_no_other() -> None:
    cells = (
        _cell(1, "import os\nkey = os.environ['OPENAI_API_KEY']"),
        _cell(2, "x = (\nk = '<groq-key>'\n"),
        _cell(3, "print(key)"),
    )
    found = read_cells(cells, loaded())
    assert _hits(found) == [("KG101", 2, 2), ("KG104", 3, 1)]
    assert isinstance(found, PythonFacts)
    assert [(part.cell, failure.kind) for part, failure in found.failures] == [(2, "syntax")]


def test_a_notebook_of_broken_cells_is_a_failure() -> None:
    assert isinstance(read_cells((_cell(1, "x = ("), _cell(2, "y = (")), loaded()), ParseFailure)


_EVERYWHERE = """
@d('a')
class C('b', k='c'):
    x: 'd' = {'e': 'f', **g['h']}
    'i'
    async def m(self, p: 'j' = 'k', *, q='l') -> 'm':
        del x['n'], y['o'].z
        a['p']['q'] += b'r'
        for s['s'] in ['t' for u in 'u' if 'v']:
            with w('w') as x['x'], y:
                yield lambda y='y': f'z{1:{'0'}}' '1' % ('2', *'3')
        while (v := '4')['5':'6']:
            assert '7', '8'
        else:
            raise E('9') from '10'
        match '11':
            case '12' | {'13': C(k='14')} if '15':
                return not '16' < -'17'
        try:
            await h('18', k='19', **'20')
        except F('21'):
            print('22' if '23' else '24')
type T = L['25']
"""


def test_every_literal_of_a_module_is_looked_at() -> None:
    found = facts(_EVERYWHERE)
    seen = {id(leaf) for use in found.index.strings for leaf in leaves_of(use.node)}
    literals = [node for node in walk(found.module.tree) if type(node).__name__ == "SimpleString"]
    assert [node.value for node in literals if id(node) not in seen] == []


def test_hundreds_of_keys_each_have_their_place() -> None:
    keys = [make("openai", number) for number in range(300)]
    text = "KEYS = [\n" + "".join(f"    '{key}',\n    '{key}',\n" for key in keys) + "]\n"
    found = facts(text)
    assert [(item.value, text[item.span.start : item.span.end]) for item in found.keys] == [
        (key, f"'{key}'") for key in keys for _ in range(2)
    ]


_PIECES = st.sampled_from(
    [
        "import os",
        "from openai import OpenAI",
        "key = os.environ['OPENAI_API_KEY']",
        "key = '<openai-key>'",
        "key += '<openai-key|body>'",
        "key, other = other, key",
        "def f(key='<groq-key>', *a, **k):\n    return key or f(key)",
        "class C:\n    key: str = '<groq-key>'\n    def m(self):\n        self.key = self.m()\n        return self.key",
        "print(key, f'{key!r:>{key}}', '%s' % key, '{}'.format(key))",
        "OpenAI(api_key=key, **{'base_url': key})",
        "url = f'https://h.example/?key={key}' + key[::-1]",
        "os.environ['X'], y[0], z.a = key, key, key",
        "for key in [key, *key]:\n    pass",
        "while (key := key):\n    key = lambda key=key: key",
        "try:\n    raise ValueError(key)\nexcept ValueError as key:\n    del key",
        "with f(key) as (key, other):\n    global g\n    g = key",
        "match key:\n    case {'k': key, **rest}:\n        print(rest)\n    case [*key] | C(key=key):\n        pass",
        "key = [key for key in key if key for k in key]",
        "async def g():\n    return await (yield key)",
        "key = ''.join(key).replace(key, key).strip(key)",
        "'''doc <anthropic-key>'''",
        "# comment <anthropic-key>",
    ]
)


@settings(deadline=None, max_examples=150)
@given(st.lists(_PIECES, max_size=8))
def test_any_program_gives_facts_and_no_two_findings_on_one_text(pieces: list[str]) -> None:
    found = facts("\n".join(pieces) + "\n")
    for check in CHECKS:
        for hit in check.check(found):
            assert 0 <= hit.span.start <= hit.span.end <= len(found.module.text)
    spans = sorted((key.span for key in found.keys), key=lambda span: span.start)
    assert all(not one.overlaps(two) for one, two in itertools.pairwise(spans))
