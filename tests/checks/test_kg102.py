"""KG102: a key as a default; defaults that are no keys stay quiet."""

from __future__ import annotations

import pytest

from tests.python.made import said, short

_DATACLASS = "from dataclasses import dataclass, field\n@dataclass(frozen=True)\nclass C:\n"


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.getenv('OPENAI_MODEL', 'gpt-4o-mini')\n",
        "import os\nos.getenv('OPENAI_API_KEY', '')\n",
        "import os\nos.getenv('OPENAI_API_KEY', 'sk-your-key-here')\n",
        "import os\nos.environ.get('A_API_KEY') or os.environ['B_API_KEY']\n",
        "def f(api_key=None, commit='<sha1>'): pass\n",
        "import argparse\nargparse.ArgumentParser().add_argument('--api-key', default=None, help='such as sk-...')\n",
        "import click\n@click.option('--api-key', envvar='OPENAI_API_KEY')\ndef f(api_key): pass\n",
        _DATACLASS + "    key: str = field(default='')\n    digest: str = '<sha256>'\n",
    ],
)
def test_defaults_that_are_no_keys_stay_quiet(text: str) -> None:
    assert short(text) == []


@pytest.mark.parametrize(
    ("text", "line", "case", "name"),
    [
        ("import os\nos.getenv('MY_KEY', '<openai-key>')\n", 2, "env-default", "MY_KEY"),
        ("import os\nos.getenv('MY_KEY', default='<openai-key>')\n", 2, "env-default", "MY_KEY"),
        ("import os\nos.environ.get('MY_KEY', '<openai-key>')\n", 2, "env-default", "MY_KEY"),
        ("import os\nos.environ.setdefault('MY_KEY', '<openai-key>')\n", 2, "env-default", "MY_KEY"),
        ("import os\nk = os.environ.get('MY_KEY') or '<openai-key>'\n", 2, "env-default", "MY_KEY"),
        ("import os\nk = os.environ.get('A') or os.environ.get('B') or '<openai-key>'\n", 2, "env-default", "A"),
        ("import os\nk = os.environ['A'] if 'A' in os.environ else '<openai-key>'\n", 2, "env-default", "A"),
        ("from decouple import config\nk = config('MY_KEY', default='<openai-key>')\n", 2, "env-default", "MY_KEY"),
        ("def f(key='<openai-key>'): pass\n", 1, "parameter", "key"),
        ("def f(*, key: str = '<openai-key>'): pass\n", 1, "parameter", "key"),
        ("f = lambda key='<openai-key>': key\n", 1, "parameter", "key"),
        ("async def f(\n    a,\n    key='<openai-key>',\n): pass\n", 3, "parameter", "key"),
        ("def f(key=None):\n    key = key or '<openai-key>'\n", 2, "parameter", "key"),
        (
            "import argparse\np = argparse.ArgumentParser()\np.add_argument('-k', '--key', default='<openai-key>')\n",
            3,
            "option",
            "--key",
        ),
        ("import argparse\np = argparse.ArgumentParser()\np.set_defaults(key='<openai-key>')\n", 3, "option", "key"),
        ("import click\n@click.option('--key', default='<openai-key>')\ndef f(key): pass\n", 2, "option", "--key"),
        ("import typer\ndef f(key: str = typer.Option('<openai-key>', '--key')): pass\n", 2, "option", "--key"),
        ("from absl import flags\nflags.DEFINE_string('key', '<openai-key>', 'help')\n", 2, "option", "key"),
        ("from dataclasses import dataclass\n@dataclass\nclass C:\n    key: str = '<openai-key>'\n", 4, "field", "key"),
        (
            _DATACLASS + "    key: str = field(default='<openai-key>')\n",
            4,
            "field",
            "key",
        ),
        ("from pydantic import BaseModel\nclass C(BaseModel):\n    key: str = '<openai-key>'\n", 3, "field", "key"),
        (
            "from pydantic import BaseModel, Field\nclass C(BaseModel):\n    key: str = Field('<openai-key>')\n",
            3,
            "field",
            "key",
        ),
        (
            "from pydantic_settings import BaseSettings\nclass C(BaseSettings):\n    key: str = '<openai-key>'\n",
            3,
            "field",
            "key",
        ),
        ("import attr\n@attr.define\nclass C:\n    key: str = '<openai-key>'\n", 4, "field", "key"),
    ],
)
def test_a_key_as_a_default_is_found(text: str, line: int, case: str, name: str) -> None:
    found = said(text)
    assert [one.short for one in found] == [("KG102", line, case)]
    assert found[0].hit.values["name"] == name


def test_a_plain_class_attribute_is_no_default() -> None:
    assert short("class C:\n    key: str = '<openai-key>'\n") == [("KG101", 2, "literal")]


def test_a_default_in_a_url_is_a_key_in_a_url() -> None:
    text = "import os\nu = os.getenv('U', 'https://api.example.com/?api_key=<openai-key>')\n"
    assert short(text) == [("KG103", 2, "literal")]
