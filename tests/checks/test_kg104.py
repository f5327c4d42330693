"""KG104: the value is followed to what shows it; a mask, a name and a variable merely called `key` are fine."""

from __future__ import annotations

import pytest

from tests.python.made import said, short

_READ = "import os\nkey = os.environ['OPENAI_API_KEY']\n"


@pytest.mark.parametrize(
    "line",
    [
        "print(key[:4] + '…')",
        "print(key[:4] + '…' + key[-4:], len(key), bool(key), type(key))",
        "print('set' if key else 'missing')",
        "print(key is None, not key, key == 'x', key.startswith('sk-'), 'sk' in key)",
        "print(f'{key[:7]}…', f'{key:.5}', '%.4s' % key)",
        "import hashlib\nprint(hashlib.sha256(key.encode()).hexdigest())",
        "print('OPENAI_API_KEY')",
        "print(os.environ['HOME'], os.environ.get('OPENAI_BASE_URL'))",
        "def mask(value): return value[:3] + '***'\nprint(mask(key))",
        "with open('.env', 'w') as file:\n    print(f'OPENAI_API_KEY={key}', file=file)",
        "from openai import OpenAI\nclient = OpenAI(api_key=key)\nprint(client.models.list(), client.base_url)",
        "from pydantic import SecretStr\nprint(SecretStr(key))",
        "if not key:\n    raise ValueError('set OPENAI_API_KEY')",
        "key = 'other'\nprint(key)",
        "def f(key): print(key)",
        "for key, value in {'a': 1}.items(): print(key, value)",
        "import logging\nlogging.getLogger(__name__).info('done', exc_info=True)",
        "class Log:\n    def info(self, text): pass\nlog = Log()\nlog.info(key)",
        "def print(*args): pass\nprint(key)",
        "requests.post(url, headers={'Authorization': f'Bearer {key}'})",
        "print(os.environ.get('USER', 'nobody'), 'OPENAI_API_KEY' in os.environ)",
    ],
)
def test_what_shows_no_key_stays_quiet(line: str) -> None:
    assert short(_READ + line + "\n") == []


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("print(key)", "print"),
        ("print('key', key)", "print"),
        ("print(f'key: {key}')", "print"),
        ("print('key: %s' % key)", "print"),
        ("print('key: {}'.format(key))", "print"),
        ("print('key: ' + key)", "print"),
        ("print(repr(key), str(1))", "print"),
        ("print({'key': key})", "print"),
        ("print([key])", "print"),
        ("print(key.strip())", "print"),
        ("print(key[:40])", "print"),
        ("import json\nprint(json.dumps({'k': key}))", "print"),
        ("import sys\nprint(key, file=sys.stderr)", "print"),
        ("import sys\nsys.stdout.write(key)", "sys.stdout.write"),
        ("import logging\nlogging.info('key %s', key)", "logging.info"),
        ("import logging\nlog = logging.getLogger()\nlog.warning(key)", "log.warning"),
        ("class C:\n    def f(self):\n        self.logger.debug(key)", "self.logger.debug"),
        ("from loguru import logger\nlogger.debug(f'{key=}')", "logger.debug"),
        ("import warnings\nwarnings.warn(f'bad key {key}')", "warnings.warn"),
        ("raise ValueError(f'bad key {key}')", "ValueError"),
        ("raise ValueError('bad key', key) from None", "ValueError"),
        ("import sys\nsys.exit('no ' + key)", "sys.exit"),
        ("import streamlit as st\nst.write(key)", "st.write"),
        ("import flask\nflask.jsonify(key=key)", "flask.jsonify"),
        ("import flask\napp = flask.Flask('a')\n@app.route('/')\ndef view():\n    return {'k': key}", "return view()"),
        ("def show(text):\n    print(text)\nshow(key)", "print"),
        ("other = key or 'x'\nprint(other)", "print"),
        ("from rich import print\nprint(key)", "print"),
    ],
)
def test_a_value_that_holds_a_key_is_followed_to_what_shows_it(line: str, where: str) -> None:
    found = said(_READ + line + "\n")
    assert [(one.rule, one.case) for one in found] == [("KG104", None)]
    assert found[0].hit.values == {"name": "OPENAI_API_KEY", "where": where}


@pytest.mark.parametrize(
    "text",
    [
        "import streamlit as st\nprint(st.secrets['OPENAI_API_KEY'])\n",
        "import keyring\nprint(keyring.get_password('app', 'OPENAI_API_KEY'))\n",
        "from openai import OpenAI\nprint(OpenAI().api_key)\n",
        "from openai import OpenAI\nprint(OpenAI(api_key=input()).api_key)\n",
    ],
)
def test_keys_from_stores_and_clients_are_keys(text: str) -> None:
    assert short(text) == [("KG104", 2, None)]


def test_a_variable_given_to_a_client_is_a_key_variable() -> None:
    text = "import os\nfrom openai import OpenAI\nk = os.environ['MINE']\nOpenAI(api_key=k)\nprint(k)\n"
    assert short(text) == [("KG104", 5, None)]


def test_a_module_setting_is_followed() -> None:
    text = "import openai, os\nopenai.api_key = os.environ['OPENAI_API_KEY']\ndef f():\n    print(openai.api_key)\n"
    assert short(text) == [("KG104", 4, None)]


def test_a_settings_class_is_followed_and_a_sealed_field_is_not_shown() -> None:
    head = "from pydantic import SecretStr\nfrom pydantic_settings import BaseSettings\nclass S(BaseSettings):\n"
    assert short(head + "    openai_api_key: str\nprint(S().openai_api_key)\n") == [("KG104", 5, None)]
    assert short(head + "    openai_api_key: SecretStr\nprint(S().openai_api_key)\n") == []
    opened = head + "    openai_api_key: SecretStr\nprint(S().openai_api_key.get_secret_value())\n"
    assert short(opened) == [("KG104", 5, None)]


def test_an_unknown_settings_object_is_a_case_of_its_own() -> None:
    assert short("from app import settings\nprint(settings.OPENAI_API_KEY)\n") == [("KG104", 2, "settings")]


@pytest.mark.parametrize(
    "dump", ["os.environ", "dict(os.environ)", "os.environ.copy()", "{**os.environ}", "list(os.environ.items())"]
)
def test_the_whole_environment_is_told(dump: str) -> None:
    assert short(f"import os\nprint({dump})\n") == [("KG104", 2, "environ-dump")]


def test_the_environment_in_a_loop_is_told() -> None:
    text = "import os\nfor name, value in os.environ.items():\n    print(name, value)\n"
    assert short(text) == [("KG104", 3, "environ-dump")]


def test_a_url_with_a_key_is_told() -> None:
    text = "import os\nk = os.environ['GEMINI_API_KEY']\nurl = f'https://e.com/?key={k}'\nprint(url)\n"
    assert ("KG104", 4, "url") in short(text)


def test_a_literal_that_is_printed_by_name_is_two_findings() -> None:
    assert short("KEY = '<openai-key>'\nprint(KEY)\n") == [("KG101", 1, "literal"), ("KG104", 2, None)]


def test_the_finding_is_the_printed_expression() -> None:
    (found,) = said(_READ + "print('key', key, sep='')\n")
    assert found.text == "key"
    assert [_READ[span.start : span.end] for span, _ in found.hit.related] == ["os.environ['OPENAI_API_KEY']"]
