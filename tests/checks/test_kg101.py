"""KG101: a key written into the code is found whatever way it is spelled, and what is no key stays quiet."""

from __future__ import annotations

import pytest

from tests.keys import make
from tests.python.made import said, short

_CLIENT = "from openai import OpenAI\n"


@pytest.mark.parametrize(
    "text",
    [
        "key = 'sk-your-key-here'\n",
        "key = 'your_api_key'\nkey = '你的API密钥'\nkey = 'ВАШ_КЛЮЧ'\n",
        "key = 'sk-" + "x" * 48 + "'\n",
        "key = 'sk-...'\nkey = 'sk-proj-********************'\n",
        (
            "import os\nfrom anthropic import AnthropicBedrock\n"
            "c = AnthropicBedrock(aws_secret_key=os.getenv('AWS_SECRET_ACCESS_KEY'))\n"
        ),
        "digest = '<sha256>'\ncommit = '<sha1>'\nmd5 = '<md5>'\nrequest = '<uuid>'\n",
        "css = '.sk-toggleable__label-arrow:before { }'\n",
        "html = '<div class=\"sk-fading-circle sk-container-id-12\">'\n",
        "import re\nP = re.compile(r'sk-[A-Za-z0-9]{48}')\nQ = r'hf_[a-zA-Z]{34}'\n",
        "if key.startswith('sk-ant-api03-') or key[:8] == 'sk-proj-': pass\n",
        "shown = '<openai-key|masked>'\nalso = '<openai-key|starred>'\n",
        "models = ['gpt-4o-mini-2024-07-18', 'claude-sonnet-4-20250514']\n",
        "from openai import OpenAI\nc = OpenAI(base_url='http://localhost:11434/v1', api_key='ollama')\n",
        "from openai import OpenAI\nc = OpenAI(api_key=read())\n",
        "import os\nfrom openai import OpenAI\nc = OpenAI(api_key=os.environ['OPENAI_API_KEY'])\n",
        "import hashlib\nok = hashlib.md5(b'x').hexdigest() == '<md5>'\n",
        "def f(key, token='cls'):\n    for key in d: print(key)\n",
        "path = '/usr/share/sk-SK/LC_MESSAGES/some-long-file-name-0123456789.mo'\n",
        "from openai import OpenAI\nc = OpenAI(api_key='this-is-just-a-test-key-for-you')\n",
        "from other import OpenAI\nc = OpenAI(api_key='<unknown-token>')\n",
        "PREFIX = '<openai-key|prefix>'\n",
        "x = '<openai-key|prefix>' + body\n",
        "image = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4'\n",
    ],
)
def test_what_is_no_key_stays_quiet(text: str) -> None:
    assert short(text) == []


def test_a_text_of_no_known_shape_stays_quiet_in_tests() -> None:
    text = "from anthropic import Anthropic\nc = Anthropic(api_key='<unknown-token>')\n"
    assert short(text, "tests/test_a.py", "test") == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (_CLIENT + "c = OpenAI(api_key='<openai-key>')\n", 2),
        (
            _CLIENT + "c = OpenAI(\n    base_url='https://openrouter.ai/api/v1',\n    api_key='<openrouter-key>',\n)\n",
            4,
        ),
        ("KEY = '<openai-key>'\n", 1),
        ("class C:\n    token = '<huggingface-key>'\n", 2),
        ("class C:\n    token: str = '<huggingface-key>'\n", 2),
        ("class C:\n    def __init__(self):\n        self.key = '<groq-key>'\n", 3),
        ("cfg = {\n    'openai': {'api_key': '<openai-key>'},\n}\n", 2),
        ("keys = [\n    'x',\n    '<openai-key>',\n]\n", 3),
        ("headers = {'Authorization': 'Bearer <openrouter-key>'}\n", 1),
        ("headers = {'x-api-key': '<anthropic-key>'}\n", 1),
        ("import openai\nopenai.api_key = '<openai-key>'\n", 2),
        ("import os\nos.environ['OPENAI_API_KEY'] = '<openai-key>'\n", 2),
        ("import os\nos.putenv('OPENAI_API_KEY', '<openai-key>')\n", 2),
        ("import os\nos.environ.update({'A': 'b', 'OPENAI_API_KEY': '<openai-key>'})\n", 2),
        ("import os\nos.environ.update(OPENAI_API_KEY='<openai-key>')\n", 2),
        ("def f():\n    return '<openai-key>'\n", 2),
        ("k = ' <openai-key>'\n", 1),
        ("k = b'<openai-key>'\n", 1),
        ("k = r'<openai-key>'\n", 1),
        ("k = '<openai-key>' if x else ''\n", 1),
        ("k = x and '<openai-key>'\n", 1),
        ("f(k := '<openai-key>')\n", 1),
        ("match x:\n    case 1:\n        k = '<openai-key>'\n", 3),
        ("lambda: '<openai-key>'\n", 1),
        ("print('<openai-key>')\n", 1),
        ("assert k == '<openai-key>'\n", 1),
        ("SQL = 'INSERT INTO keys VALUES (1, \"<openai-key>\")'\n", 1),
        ("JS = '''\nfetch(u, {\n  headers: {Authorization: \"Bearer <openai-key>\"}})\n'''\n", 3),
        ('JSON = \'{"api_key": "<groq-key>"}\'\n', 1),
        ("h = {'Authorization': f'Bearer <openrouter-key>'}\n", 1),
        (_CLIENT + "c = OpenAI(base_url='https://api.deepseek.com', api_key='<deepseek-key>')\n", 2),
        ("DASHSCOPE_API_KEY = '<dashscope-key>'\n", 1),
        ("api_key = '<deepseek-key>'\n", 1),
    ],
)
def test_a_key_as_text_is_found(text: str, line: int) -> None:
    assert short(text) == [("KG101", line, "literal")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("p = '<openai-key|prefix>'\nb = '<openai-key|body>'\nkey = p + b\n", 3),
        ("key = '<openai-key|head>' + '<openai-key|tail>'\n", 1),
        ("key = ('<openai-key|head>'\n       '<openai-key|tail>')\n", 1),
        ("b = '<openai-key|body>'\nkey = f'<openai-key|prefix>{b}'\n", 2),
        ("key = '%s%s' % ('<openai-key|head>', '<openai-key|tail>')\n", 1),
        ("key = '{}{x}'.format('<openai-key|head>', x='<openai-key|tail>')\n", 1),
        ("key = ''.join(['<openai-key|head>', '<openai-key|tail>'])\n", 1),
        ("parts = ['<openai-key|head>', '<openai-key|tail>']\nkey = ''.join(parts)\n", 2),
        ("key = '<openai-key|dashed>'.replace('~', '')\n", 1),
        ("marked = '<openai-key|dashed>'\nkey = marked.replace('~', '')\n", 1),
        ("def f():\n    a = '<openai-key|prefix>'\n    a += '<openai-key|body>'\n    return a\n", 3),
        ("class C:\n    P = '<openai-key|prefix>'\n    def f(self):\n        return self.P + '<openai-key|body>'\n", 4),
    ],
)
def test_a_key_put_together_is_found_where_it_comes_together(text: str, line: int) -> None:
    found = said(text)
    assert [one.short for one in found] == [("KG101", line, "pieces")]
    assert found[0].hit.secret is not None
    assert found[0].hit.secret.value == make("openai")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import base64\nk = base64.b64decode('<openai-key|base64>').decode()\n", 2),
        ("import base64\nK = '<openai-key|base64>'\nk = base64.b64decode(K).decode('utf-8')\n", 2),
        ("from base64 import b64decode as d\nk = d(b'<openai-key|base64>').decode()\n", 2),
        ("k = bytes.fromhex('<openai-key|hex>').decode()\n", 1),
        ("k = '<openai-key|reversed>'[::-1]\n", 1),
        ("k = ''.join(reversed('<openai-key|reversed>'))\n", 1),
    ],
)
def test_an_encoded_key_is_found_at_its_literal(text: str, line: int) -> None:
    found = said(text)
    assert [one.short for one in found] == [("KG101", line, "encoded")]
    assert found[0].hit.secret is not None
    assert found[0].hit.secret.value == make("openai")


def test_a_key_that_fails_its_own_check_is_told_apart() -> None:
    key = make("github_models/classic_pat")
    broken = key[:-1] + ("A" if key[-1] != "A" else "B")
    assert short(f"key = '{key}'\n") == [("KG101", 1, "literal")]
    assert short(f"key = '{broken}'\n") == [("KG101", 1, "malformed")]


def test_a_key_of_numbers_is_found() -> None:
    numbers = [ord(char) for char in make("openai")]
    assert short(f"k = ''.join(chr(n) for n in {numbers})\n") == [("KG101", 1, "encoded")]


@pytest.mark.parametrize(
    "read", ["os.getenv('<openai-key>')", "os.environ['<openai-key>']", "os.environ.get('<openai-key>')"]
)
def test_a_key_as_the_name_of_a_variable_is_found(read: str) -> None:
    assert short(f"import os\nk = {read}\n") == [("KG101", 2, "env-name")]


@pytest.mark.parametrize(
    "text",
    [
        "import openai\nopenai.api_key = '<unknown-token>'\n",
        "from openai import OpenAI as O\nO(api_key='<unknown-token>')\n",
        "from openai import AsyncOpenAI\nAsyncOpenAI(**{'api_key': '<unknown-token>'})\n",
        "import anthropic as a\na.Anthropic(api_key='<unknown-token>')\n",
    ],
)
def test_a_text_of_no_known_shape_counts_as_the_key_of_an_sdk(text: str) -> None:
    assert short(text) == [("KG101", 2, "unknown-shape")]


def test_a_named_text_of_no_known_shape_is_followed_to_the_sdk() -> None:
    text = "from openai import OpenAI\nVALUE = '<unknown-token>'\nclient = OpenAI(api_key=VALUE)\n"
    assert short(text) == [("KG101", 2, "unknown-shape")]


def test_a_google_key_is_only_restricted_without_context() -> None:
    assert short("firebase = {'apiKey': '<gemini-aiza-key>'}\n") == [("KG101", 1, "restricted")]
    assert short("URL = 'https://maps.example.com/api/js?key=<gemini-aiza-key>'\n") == [("KG101", 1, "restricted")]


@pytest.mark.parametrize(
    "text",
    [
        "import google.generativeai as genai\ngenai.configure(api_key='<gemini-aiza-key>')\n",
        "from google import genai\nc = genai.Client(api_key='<gemini-aiza-key>')\n",
        "x = 1\nGEMINI_API_KEY = '<gemini-aiza-key>'\n",
    ],
)
def test_a_google_key_with_context_is_a_key(text: str) -> None:
    assert short(text) == [("KG101", 2, "literal")]


def test_the_message_has_the_mask_and_never_the_key() -> None:
    (found,) = said("from openai import OpenAI\nc = OpenAI(api_key='<openai-key>')\n")
    assert found.text == f"'{make('openai')}'"
    assert found.hit.values["env"] == "OPENAI_API_KEY"
    assert make("openai") not in str(found.hit)


def test_one_key_used_in_many_places_is_one_finding() -> None:
    text = (
        "from openai import OpenAI\nK = '<openai-key>'\na = OpenAI(api_key=K)\nh = {'Authorization': 'Bearer ' + K}\n"
        "import os\nos.environ['OPENAI_API_KEY'] = K\n"
    )
    assert short(text) == [("KG101", 2, "literal")]
