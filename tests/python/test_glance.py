"""The quick look never loses what the whole reading would find, and spares it code that shows nothing."""

from __future__ import annotations

import pytest

from keyguard.catalogue import load
from keyguard.python.glance import shown_on

_READ = "import os\nkey = os.environ['OPENAI_API_KEY']\n"


@pytest.mark.parametrize(
    "code",
    [
        "from openai import OpenAI\nclient = OpenAI(api_key=key)\nprint(client.models.list())\n",
        "def ask(text):\n    return text\nprint(ask('hello'))\n",
        "if not key:\n    raise SystemExit('OPENAI_API_KEY is not set')\n",
        "import logging\nlogging.info('asking %s', 'gpt-5')\nsend(key)\n",
        "print(len(key), bool(key), mask(key))\n",
        "total_tokens = 3\nprint(total_tokens, usage.total_tokens)\n",
        "print(os.environ['HOME'], os.getenv('LANG'), os.environ.get('PORT', '80'))\n",
    ],
)
def test_code_that_shows_no_key_is_spared(code: str) -> None:
    assert shown_on(_READ + code, load()) == frozenset()


@pytest.mark.parametrize(
    "code",
    [
        "print(key)\n",
        "print(f'key: {key}')\n",
        "print(os.environ)\n",
        "print(os.getenv('OPENAI_API_KEY'))\n",
        "import logging\nlogging.getLogger(__name__).debug('with %s', key)\n",
        "raise ValueError('bad key ' + key)\n",
        "copy = {'key': key}\nshown = str(copy)\nprint(shown)\n",
        "def show(value):\n    print(value)\nshow(key)\n",
        "def read():\n    return key\nprint(read())\n",
        "class C:\n    def __init__(self, k):\n        self.k = k\nc = C(key)\nprint(c.k)\n",
        "for name, value in os.environ.items():\n    print(name, value)\n",
        "print(client.api_key)\nprint(settings.OPENAI_API_KEY)\n",
        "@app.get('/')\ndef index():\n    return {'key': key}\n",
        "import requests\nrequests.get('https://api.example.com/v1?key=' + key)\n",
        "import requests\nrequests.get(url, params={'key': key})\n",
        "key\n",
        "print('unfinished\n",
    ],
)
def test_code_that_may_show_a_key_is_read(code: str) -> None:
    assert shown_on(_READ + code, load()) != frozenset()
