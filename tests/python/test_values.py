"""Evaluation: what a value is known to be, and that nothing is guessed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.python.values import (
    EnvRead,
    Instance,
    Items,
    Joined,
    Null,
    Number,
    OneOf,
    Reference,
    Sealed,
    SecretRead,
    Text,
    Unknown,
    Value,
    alternatives,
    literal_range,
    literal_text,
    show,
)
from tests.python.made import module, probed


def _one(text: str) -> Value:
    values = probed(text)
    assert len(values) == 1
    return values[0]


def _texts(value: Value) -> set[str]:
    return {item.text if isinstance(item, Text) else type(item).__name__ for item in alternatives(value)}


@pytest.mark.parametrize(
    "text",
    [
        "probe(x)",
        "def f(x): probe(x)",
        "x = input_somehow()\nprobe(x[3])",
        "from a import *\nprobe(x)",
        "from . import x\nprobe(x)",
        "x = y\ny = x\nprobe(x)",
        "x = x + 'a'\nprobe(x)",
        "def f(n): return f(n - 1)\nprobe(f(3))",
        "x = 'a'\ndel x\nprobe(x)",
        "x = 'a'\nfor x in unknown(): pass\nelse: pass\nwhile True:\n    x = f()\n    probe(x)",
        "probe('a' * 10**9)",
        "probe('a'[::0])",
        "probe('%(a' % {})",
        "probe('{'.format(1))",
        "import base64\nprobe(base64.b64decode('abcde'))",
        "probe(bytes.fromhex('xyz'))",
        "probe(''.join(chr(n) for n in [-1, 99999999]))",
        "lambda: (yield)\nprobe((yield_ := thing()).a)",
    ],
)
def test_what_cannot_be_known_is_unknown(text: str) -> None:
    assert not any(isinstance(item, (Text, EnvRead, SecretRead)) for item in alternatives(_one(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("probe('a' 'b')", "ab"),
        ("probe('a' + 'b' + 'c')", "abc"),
        ("a = 'x'\nb = a + 'y'\nprobe(b)", "xy"),
        ("a = 'x'\nprobe(f'{a}y{a}')", "xyx"),
        ("a = 'x'\nprobe('%s-%s%%' % (a, 'y'))", "x-y%"),
        ("probe('%(k)s!' % {'k': 'v'})", "v!"),
        ("probe('{}{b}{0}{{}}'.format('x', b='y'))", "xyx{}"),
        ("probe('-'.join(['a', 'b']))", "a-b"),
        ("probe(''.join(('a', 'b')))", "ab"),
        ("probe('aXbX'.replace('X', ''))", "ab"),
        ("probe('  a\\n'.strip())", "a"),
        ("probe('xxa'.lstrip('x'))", "a"),
        ("probe('pre-a'.removeprefix('pre-'))", "a"),
        ("probe('aB'.lower() + 'aB'.upper())", "abAB"),
        ("probe('abc'[::-1])", "cba"),
        ("probe(''.join(reversed('abc')))", "cba"),
        ("probe('abcdef'[2:-1])", "cde"),
        ("probe('abc'[1])", "b"),
        ("probe('a,b'.split(',')[1])", "b"),
        ("import base64\nprobe(base64.b64decode('YWJj').decode())", "abc"),
        ("import base64 as q\nprobe(q.urlsafe_b64decode(b'YWJj').decode('utf-8'))", "abc"),
        ("from base64 import b64decode as d\nprobe(str(d('YWJj'), 'utf-8'))", "abc"),
        ("probe(bytes.fromhex('616263').decode())", "abc"),
        ("import codecs\nprobe(codecs.decode('nop', 'rot13'))", "abc"),
        ("probe(''.join(chr(n) for n in [97, 98]))", "ab"),
        ("probe(''.join(map(chr, [97, 98])))", "ab"),
        ("probe(bytes([97, 98]).decode())", "ab"),
        ("probe(''.join([part for part in ['a', 'b']]))", "ab"),
        ("d = {'a': {'b': 'c'}}\nprobe(d['a']['b'])", "c"),
        ("d = dict(a='c')\nprobe(d['a'])", "c"),
        ("d = {'a': 'b'}\nprobe(d.get('z', 'dflt'))", "dflt"),
        ("probe(['a', 'b'][-1])", "b"),
        ("a, (b, c) = 'x', ('y', 'z')\nprobe(c)", "z"),
        ("probe((x := 'w'))", "w"),
        ("if (x := 'w'): probe(x)", "w"),
        ("x = 'a'\nx += 'b'\nx += 'c'\nprobe(x)", "abc"),
        ("x = 'a'\nprobe(x)\nx = 'b'", "a"),
        ("x = 'a'\nx = 'b'\nprobe(x)", "b"),
        ("def f():\n    probe(x)\nx = 'late'", "late"),
        ("x = 'outer'\ndef f():\n    x = 'inner'\n    def g():\n        probe(x)", "inner"),
        ("x = 'module'\nclass C:\n    x = 'class'\n    def f(self):\n        probe(x)", "module"),
        ("x = 'module'\nclass C:\n    x = 'class'\n    probe(x)", "class"),
        ("class C:\n    x = 'class'\nprobe(C.x)", "class"),
        ("class C:\n    x = 'class'\nprobe(C().x)", "class"),
        ("class C:\n    def __init__(self):\n        self.x = 'own'\n    def f(self):\n        probe(self.x)", "own"),
        ("class B:\n    x = 'base'\nclass C(B): pass\nprobe(C.x)", "base"),
        ("import enum\nclass E(enum.Enum):\n    A = 'm'\nprobe(E.A.value)", "m"),
        ("import dataclasses\n@dataclasses.dataclass\nclass D:\n    a: str = 'd'\nprobe(D().a)", "d"),
        ("import dataclasses\n@dataclasses.dataclass\nclass D:\n    a: str = 'd'\nprobe(D(a='given').a)", "given"),
        ("def f(): return 'r'\nprobe(f())", "r"),
        ("o = thing()\no.k = 'set'\nprobe(o.k)", "set"),
        ("async def f():\n    x = await g('a')\n    probe('k')", "k"),
        ("for x in ['only']: probe(x)", "only"),
        ("with open('f') as f, x('y'): probe('in')", "in"),
        ("probe(not_called or 'k' if False else 'k')", "k"),
    ],
)
def test_a_text_is_followed(text: str, expected: str) -> None:
    assert expected in _texts(_one(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if a:\n    x = 'p'\nelse:\n    x = 'q'\nprobe(x)", {"p", "q"}),
        ("x = 'z'\nif a:\n    x = 'p'\nelse:\n    x = 'q'\nprobe(x)", {"p", "q"}),
        ("x = 'z'\nif a:\n    x = 'p'\nprobe(x)", {"p", "z"}),
        ("if a:\n    x = 'p'\nelse:\n    x = 'q'\n    probe(x)", {"q"}),
        ("try:\n    x = 'p'\nexcept E:\n    x = 'q'\nprobe(x)", {"p", "q"}),
        ("x = 'a'\nwhile c:\n    probe(x)\n    x = 'b'", {"a", "b"}),
        ("x = 'a' if c else 'b'\nprobe(x)", {"a", "b"}),
        ("for x in ('a', 'b'): probe(x)", {"a", "b"}),
        ("for k, x in {'m': 'a'}.items(): probe(x)", {"a"}),
        ("def f(x='d'): probe(x)", {"d", "Unknown"}),
        ("def f(x): probe(x)\nf('given')", {"given", "Unknown"}),
        ("class C:\n    def __init__(self, x): probe(x)\nC('given')", {"given", "Unknown"}),
        ("probe('' or None or 'c')", {"c"}),
        ("probe(u or 'c')", {"Unknown", "c"}),
    ],
)
def test_alternatives_are_all_told(text: str, expected: set[str]) -> None:
    assert _texts(_one(text)) == expected


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import os\nprobe(os.environ['K'])", ("K",)),
        ("import os as o\nprobe(o.getenv('K'))", ("K",)),
        ("from os import environ as e\nprobe(e.get('K'))", ("K",)),
        ("from os import getenv\nN = 'K'\nprobe(getenv(N))", ("K",)),
        ("import os\nprobe(os.environ['K'].strip())", ("K",)),
        ("import os\nclass C:\n    k = os.getenv('K')\nprobe(C.k)", ("K",)),
        ("import os\ndef key():\n    return os.environ['K']\nprobe(key())", ("K",)),
        ("from decouple import config\nprobe(config('K'))", ("K",)),
        ("import environs\nenv = environs.Env()\nprobe(env.str('K'))", ("K",)),
        ("import environs\nenv = environs.Env()\nprobe(env('K'))", ("K",)),
        (
            "from pydantic_settings import BaseSettings as B\nclass S(B):\n    api_key: str\ns = S()\nprobe(s.api_key)",
            ("API_KEY",),
        ),
        (
            (
                "from pydantic_settings import BaseSettings, SettingsConfigDict as D\nclass S(BaseSettings):\n"
                "    model_config = D(env_prefix='APP_')\n    key: str\nprobe(S().key)"
            ),
            ("APP_KEY",),
        ),
        (
            (
                "from pydantic_settings import BaseSettings\nfrom pydantic import Field\nclass S(BaseSettings):\n"
                "    key: str = Field(alias='OTHER')\nprobe(S().key)"
            ),
            ("OTHER",),
        ),
    ],
)
def test_an_environment_read_names_its_variable(text: str, names: tuple[str, ...]) -> None:
    value = _one(text)
    assert isinstance(value, EnvRead)
    assert value.names == names


def test_the_default_of_a_read_is_told() -> None:
    value = _one("import os\nprobe(os.getenv('K', 'd'))")
    assert isinstance(value, EnvRead)
    assert value.default is not None
    assert show(value.default) == "d"


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos = thing()\nprobe(os.environ['K'])",
        "def f(os): probe(os.environ['K'])",
        "from mine import os\nprobe(os.environ['K'])",
        "import mine.os as os\nprobe(os.environ['K'])",
    ],
)
def test_a_shadowed_module_is_not_the_module(text: str) -> None:
    assert not isinstance(_one(text), EnvRead)


@pytest.mark.parametrize(
    ("text", "store"),
    [
        ("import keyring\nprobe(keyring.get_password('s', 'K'))", "keyring"),
        ("import streamlit as st\nprobe(st.secrets['K'])", "streamlit"),
        ("import streamlit as st\nprobe(st.secrets.K)", "streamlit"),
        ("import getpass\nprobe(getpass.getpass())", "prompt"),
    ],
)
def test_a_secret_store_is_told(text: str, store: str) -> None:
    value = _one(text)
    assert isinstance(value, SecretRead)
    assert value.store == store


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import a.b as c\nprobe(c.d)", "a.b.d"),
        ("import a.b\nprobe(a.b.d)", "a.b.d"),
        ("from a import b as c\nprobe(c.d)", "a.b.d"),
        ("probe(print)", "print"),
        ("f = print\nprobe(f)", "print"),
        ("import logging\nlog = logging.getLogger()\nprobe(log.info)", "logging.getLogger().info"),
    ],
)
def test_a_name_resolves_through_imports(text: str, name: str) -> None:
    assert _one(text) == Reference(name)


def test_masks_hide_and_long_slices_do_not() -> None:
    values = probed(
        "import os\nk = os.environ['K']\nprobe(k[:4], k[-4:], len(k), k[2:6], f'{k:.3}', '%.3s' % k, k[:40], k[1:])"
    )
    assert [isinstance(value, EnvRead) for value in values] == [False] * 6 + [True, True]


def test_a_sealed_value_shows_only_when_asked() -> None:
    sealed, opened = probed("from pydantic import SecretStr\ns = SecretStr('k')\nprobe(s, s.get_secret_value())")
    assert isinstance(sealed, Sealed)
    assert show(opened) == "k"


def test_a_text_with_a_hole_keeps_its_known_parts() -> None:
    value = _one("import os\nprobe(f\"https://h/?key={os.environ['K']}&x={u}\")")
    assert isinstance(value, Joined)
    assert show(value) == "https://h/?key={}&x={}"


def test_plain_values() -> None:
    assert probed("probe(None, 1, -2, True, [1], C())")[:4] == [Null(), Number(1), Number(-2), Number(number=True)]
    assert isinstance(_one("probe(['a'])"), Items)
    assert isinstance(_one("import a\nprobe(a.C())"), Instance)
    assert isinstance(_one("probe(a if b else 1)"), OneOf)
    assert _one("probe(a.name)") == Unknown("name")


def test_pieces_tell_their_literals() -> None:
    value = _one("a = 'xy'\nprobe((a + 'zw')[1:])")
    assert isinstance(value, Text)
    assert [(piece.start, piece.end, piece.leaf.value, piece.leaf_start) for piece in value.pieces] == [
        (0, 1, "'xy'", 1),
        (1, 3, "'zw'", 0),
    ]


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=30), st.sampled_from(["repr", "ascii"]))
def test_a_literal_is_read_as_python_reads_it(text: str, form: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    raw = repr(text) if form == "repr" else ascii(text)
    node = module(f"{raw}\n").tree.body[0].body[0].value  # type: ignore[union-attr, index]
    assert literal_text(node) == text
    start, end = literal_range(node, 0, len(text))
    assert raw[start:end] == raw[1:-1]


@pytest.mark.parametrize(
    "text",
    [
        "x = 'a'\n" + "x += 'b'\n" * 3_000 + "probe(x)",
        "x0 = 'ab'\n" + "\n".join(f"x{n + 1} = x{n} + x{n}" for n in range(200)) + "\nprobe(x200)",
        "\n".join(f"if c{n}:\n    x = 'v{n}'" for n in range(3_000)) + "\nprobe(x)",
        "x = [" + "'a', " * 50_000 + "]\nprobe(x)\n" + "probe(x)\n" * 300,
        "x = y\n" + "x = x + y\n" * 20_000 + "probe(x)",
        "while y:\n" + "    x = x + y\n" * 5_000 + "    probe(x)",
        "\n".join(f"x{n} = x{n + 1}" for n in range(2_000)) + "\nx2000 = 'e'\nprobe(x0)",
        "\n".join(f"def f{n}(): return f{n + 1}() + f{n + 1}()" for n in range(500)) + "\nprobe(f0())",
    ],
    ids=[
        "appends",
        "doubling",
        "branches",
        "long list",
        "many bindings",
        "many bindings in a loop",
        "chain of names",
        "chain of calls",
    ],
)
def test_evaluation_ends_soon(text: str) -> None:
    started = time.process_time()
    probed(text)
    assert time.process_time() - started < 30  # a bound on hanging, not a measurement
