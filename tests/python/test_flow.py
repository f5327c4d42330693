"""The quick looks at pieces, names and the environment lose nothing that the whole reading finds."""

from __future__ import annotations

import ast

import pytest

from keyguard.catalogue import load
from keyguard.python.flow import told_apart
from keyguard.python.glance import built_on, environment_shown_on, may_hold
from tests.keys import fill

CATALOGUE = load()
BODY = "<groq-key|body>"  # what follows `gsk_`


@pytest.mark.parametrize(
    "code",
    [
        "x = random('gsk_', 16)\n",
        "def random(tag, size):\n    return new(tag).read(size)\nx = random('gsk_', 16) + b'0'\n",
        "if name.startswith('gsk_'):\n    name = 'a' + rest\n",
        "same = x == 'gsk_' and y + z\n",
        "def f():\n    tag = 'gsk_'\n    return tag\ndef g(tag):\n    return tag + 'x'\n",
    ],
)
def test_a_prefix_that_gets_into_no_longer_text_is_let_go(code: str) -> None:
    assert built_on(fill(code), CATALOGUE) == frozenset()


@pytest.mark.parametrize(
    "code",
    [
        f"key = 'gsk_' + '{BODY}'\n",
        f"key = 'gsk_' '{BODY}'\n",
        f"key = ('gsk_'\n       '{BODY}')\n",
        f"key = f\"gsk_{{'{BODY}'}}\"\n",
        f"A = 'gsk_'\nB = '{BODY}'\nkey = A + B\n",
        f"A = B = 'gsk_'\nkey = B + '{BODY}'\n",
        f"A: str = 'gsk_'\nkey = f'{{A}}{BODY}'\n",
        f"key = 'gsk_%s' % '{BODY}'\n",
        f"key = '%s%s' % ('gsk_', '{BODY}')\n",
        f"key = 'gsk_{{}}'.format('{BODY}')\n",
        f"key = '{{}}{{}}'.format('gsk_', '{BODY}')\n",
        f"key = '{{a}}{{b}}'.format(a='gsk_', b='{BODY}')\n",
        f"key = ''.join(['gsk_', '{BODY}'])\n",
        f"parts = ['gsk_', '{BODY}']\nkey = ''.join(parts)\n",
        f"key = 'gsk_'\nkey += '{BODY}'\n",
        "key = 'gsk_~<groq-key|body>'.replace('~', '')\n",
        f"key = 'gsk_|{BODY}'.replace('|', '')\n",
        f"key = ''.join('gsk_ {BODY}'.split())\n",
        f"key = '\\x67sk_{BODY}'\n",
        f"table = {{'a': 'gsk_'}}\nkey = table['a'] + '{BODY}'\n",
        f"table = {{}}\ntable['a'] = 'gsk_'\nkey = table.get('a', '') + '{BODY}'\n",
        f"def prefix():\n    return 'gsk_'\nkey = prefix() + '{BODY}'\n",
        f"def make(a, b):\n    return a + b\nkey = make('gsk_', '{BODY}')\n",
        f"def make(a='gsk_', b='{BODY}'):\n    return a + b\nkey = make()\n",
        f"def make(*, a, b):\n    return f'{{a}}{{b}}'\nkey = make(b='{BODY}', a='gsk_')\n",
        f"class A:\n    p = 'gsk_'\n    def key(self):\n        return self.p + '{BODY}'\n",
        f"class A:\n    def __init__(self):\n        self.p = 'gsk_'\n        self.key = self.p + '{BODY}'\n",
        f"class A:\n    def __init__(self, p):\n        self.p = p\n        self.k = self.p + '{BODY}'\nA('gsk_')\n",
        f"class A:\n    p: str = 'gsk_'\na = A()\nkey = a.p + '{BODY}'\n",
        f"for p in ['gsk_']:\n    key = p + '{BODY}'\n",
        f"keys = [p + '{BODY}' for p in ('gsk_',)]\n",
        f"key = (p := 'gsk_') + '{BODY}'\n",
        f"import os\nkey = os.getenv('P', 'gsk_') + '{BODY}'\n",
        f"key = ('gsk_' if new else 'x') + '{BODY}'\n",
        f"key = 'gsk_'.strip() + '{BODY}'\n",
        f"key = (b'gsk_' + b'{BODY}').decode()\n",
        f"def f():\n    a = 'gsk_'\n    def g():\n        return a + '{BODY}'\n    return g()\n",
        f"def f():\n    global a\n    a = 'gsk_'\nf()\nkey = a + '{BODY}'\n",
        f"a, b = 'gsk_', '{BODY}'\nkey = a + b\n",
        f"join = lambda a, b: a + b\nkey = join('gsk_', '{BODY}')\n",
        f"key = str('gsk_') + '{BODY}'\n",
        f"class A:\n    p = 'gsk_'\nkey = getattr(A, 'p') + '{BODY}'\n",
        f"key = 'key_' + '{'<cursor-key|body>'}'\n",
        f"A = 'hf_'\nkey = A + '{'<huggingface-key|body>'}'\n",
        f"key = 'hf_' '{'<huggingface-key|body>'}'\n",
        "key = '<openai-key|head>' + '<openai-key|tail>'\n",
        "key = ('<anthropic-key|head>'\n       '<anthropic-key|tail>')\n",
        "key = '<huggingface-key|head>' + '<huggingface-key|tail>'\n",
        "key = '<cursor-key|head>' '<cursor-key|tail>'\n",
    ],
)
def test_a_key_that_is_put_together_is_read(code: str) -> None:
    assert built_on(fill(code), CATALOGUE) != frozenset()


@pytest.mark.parametrize(
    "code",
    [
        "__all__ = ['HTTPPasswordMgr', 'HTTPPasswordMgrWithDefaultRealm', 'AbstractDigestAuthHandler']\n",
        "# CVE-2016-1000110\nheaders = {'Proxy-Authorization': auth}\n",
        "def key_of(value: SSHCertPrivateKeyTypes) -> SSHCertificateBuilderOfTypes2: ...\n",
        "call('https://example.com:8092/site-updates.py')\n",
    ],
)
def test_names_and_addresses_are_no_keys(code: str) -> None:
    assert may_hold(code, CATALOGUE) is False


@pytest.mark.parametrize("value", ["<md5>", "<uuid>", "<unknown-token>", "<sha1>", "<azure_openai/legacy_hex32>"])
@pytest.mark.parametrize(
    "form",
    [
        "NAME = '{}'\n",
        "NAME: str = '{}'\n",
        "def f(key='{}'):\n    pass\n",
        "def f(*, key: str = '{}'):\n    pass\n",
        "f(key='{}')\n",
        "class A:\n    key = '{}'\n",
        "table = {{'key': '{}'}}\n",
        "headers = {{'Authorization': 'Bearer {}'}}\n",
        "key = os.environ.get('KEY', '{}')\n",
        "key = given or '{}'\n",
        "x['key'] = '{}'\n",
        "key = b'{}'\n",
        "key = ('{}')\n",
        "key = f'{}'\n",
        '"""The key is {}."""\n',
        "# key: {}\n",
        "x = 1  # {}\n",
    ],
)
def test_a_value_that_only_its_name_tells_is_read(form: str, value: str) -> None:
    assert may_hold(fill(form.format(value)), CATALOGUE) is True


@pytest.mark.parametrize(
    "code",
    [
        "env = os.environ.copy()\nrun(command, env=env)\nprint(command)\n",
        "print('HOME' in os.environ)\nprint(os.environ['HOME'], os.environ.get(name), sorted(os.environ.keys()))\n",
        "def start(command, environ):\n    run(command, env=environ)\nstart('ls', os.environ)\nprint(command)\n",
        "def f():\n    name = os.environ\n    return 1\ndef g(name):\n    print(name)\n",
        'print("""for k, v in os.environ.items():\n    print(k, v)""")\n',
    ],
)
def test_an_environment_that_is_handed_on_is_not_shown(code: str) -> None:
    assert environment_shown_on("import os\n" + code, CATALOGUE) == frozenset()


@pytest.mark.parametrize(
    "code",
    [
        "print(os.environ)\n",
        "print(dict(os.environ))\n",
        "print({**os.environ})\n",
        "print(f'{os.environ}')\n",
        "print(json.dumps(dict(os.environ), indent=2))\n",
        "env = os.environ.copy()\nprint(env)\n",
        "for name, value in os.environ.items():\n    print(name, value)\n",
        "for name, value in sorted(os.environ.items()):\n    print(f'{name}={value}')\n",
        "def show(value):\n    print(value)\nshow(os.environ)\n",
        "def show(*, value=None):\n    print(value)\nshow(value=os.environ)\n",
        "def read():\n    return os.environ\nprint(read())\n",
        "class A:\n    def __init__(self):\n        self.env = os.environ\n    def f(self):\n        print(self.env)\n",
        "import logging\nlogging.getLogger(__name__).info('env %s', os.environ)\n",
        "raise ValueError(os.environ)\n",
        "@app.get('/')\ndef index():\n    return dict(os.environ)\n",
        "os.environ\n",
        "def f():\n    yield from os.environ.items()\nfor name, value in f():\n    print(name, value)\n",
        "def f():\n    env = dict(os.environ)\n    def g():\n        print(env)\n    g()\n",
        "print(f'unfinished\n",
    ],
)
def test_an_environment_that_may_be_shown_is_read(code: str) -> None:
    assert environment_shown_on("import os\n" + code, CATALOGUE) != frozenset()


def test_variables_of_functions_are_told_apart_and_the_others_are_not() -> None:
    tree = ast.parse(
        "a = 1\n"
        "def f(a, b=a):\n"
        "    global c\n"
        "    c = d = a\n"
        "    def g():\n"
        "        return d, e\n"
        "    class K:\n"
        "        h = b\n"
        "    return K.h\n"
    )
    told_apart(tree)
    text = ast.unparse(tree)
    number = text.partition("def f(a@")[2].partition(",")[0]
    assert text == (
        "a = 1\n\n"
        f"def f(a@{number}, b@{number}=a):\n"
        "    global c\n"
        f"    c = d@{number} = a@{number}\n\n"
        "    def g():\n"
        f"        return (d@{number}, e)\n\n"
        "    class K:\n"
        f"        h = b@{number}\n"
        "    return K.h"
    )
