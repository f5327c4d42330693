"""The quick look at connections spares modules that only name models, and no module that may hold one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keyguard.catalogue import load
from keyguard.python.bringing import Given
from keyguard.python.glance import dialed
from keyguard.python.project import Project

if TYPE_CHECKING:
    from pathlib import Path

CATALOGUE = load()


def _dials(code: str) -> bool:
    return bool(dialed(code, CATALOGUE, lambda *_: False))


@pytest.mark.parametrize(
    "code",
    [
        "import httpx\ndef f(response: httpx.Response) -> httpx.Client:\n    return response.json()\n",
        "import openai\ntry:\n    run()\nexcept openai.RateLimitError:\n    wait()\n",
        "import requests\ndef f(e):\n    return isinstance(e, requests.RequestException)\n",
        "MODEL = 'gpt-5'\ndef ask(client, text):\n    return client.get(text, timeout=60)\n",
        "def f(api_key):\n    return {'Authorization': f'Bearer {api_key}'}\n",
        "import os\nkey = os.environ['OPENAI_API_KEY']\nheader = f'Bearer {other}'\n",
        "import os\nos.environ['TOKENIZERS_PARALLELISM'] = 'false'\n",
        "import os\nos.environ.setdefault('CUDA_VISIBLE_DEVICES', '0')\n",
        "def test(monkeypatch):\n    monkeypatch.setenv('COLUMNS', '80')\n",
    ],
    ids=[
        "annotation",
        "except",
        "isinstance",
        "any object",
        "a parameter's header",
        "a read apart from a header",
        "a variable of something else",
        "a default of a variable of something else",
        "a variable of something else in a test",
    ],
)
def test_a_module_without_a_connection_is_spared(code: str) -> None:
    assert not _dials(code)


@pytest.mark.parametrize(
    "code",
    [
        "from openai import OpenAI\nclient = OpenAI()\n",
        "import openai as o\nclient = o.OpenAI()\n",
        "def f():\n    import openai\n    return openai.OpenAI()\n",
        "import openai\no = openai\nclient = o.OpenAI()\n",
        "import openai\nuse(openai)\n",
        "from openai import *\nclient = OpenAI()\n",
        "from openai import OpenAI\ndef f(client: OpenAI):\n    client.chat.completions.create()\n",
        "def f(client):\n    client.chat.completions.create(model='gpt-5')\n",
        "def f(client):\n    client.chat.completions.with_raw_response.create(model='gpt-5')\n",
        "import requests\nrequests.post(url, json=body)\n",
        "import requests\nsend = partial(requests.post, url)\n",
        "import requests\nsend = getattr(requests, 'post')\n",
        "import requests\nclass S(requests.Session):\n    pass\n",
        "import openai\nopenai.api_key = key\n",
        "import os\nos.environ['OPENAI_API_KEY'] = key\n",
        "import os\nos.environ.setdefault('OPENAI_API_KEY', key)\n",
        "import os\nos.environ['openai_api_key'] = key\n",
        "import os\nos.environ[name] = key\n",
        "import os\nos.environ['CORP_ENDPOINT'] = 'http://localhost'\n",
        "import os\nos.environ['PYTHONHTTPSVERIFY'] = '0'\n",
        "import os\nos.environ['COLUMNS'] = '80'\nclient = connect(os.environ['COLUMNS'])\n",
        "def test(monkeypatch):\n    monkeypatch.setenv('OPENAI_BASE_URL', 'http://localhost')\n",
        "from dotenv import load_dotenv\nload_dotenv()\n",
        "import os\nkey = os.getenv('OPENAI_API_KEY')\nheader = f'Bearer {key}'\n",
        "import os\nheader = 'Bearer %s' % os.environ.get('OPENAI_API_KEY')\n",
        "import os\ndef f(key):\n    return 'Bearer {}'.format(key)\nf(os.getenv('OPENAI_API_KEY'))\n",
        "print('unfinished\n",
    ],
)
def test_a_module_that_may_connect_is_read(code: str) -> None:
    assert _dials(code)


@pytest.mark.parametrize(
    ("code", "tells"),
    [
        ("name = make(1)\n", False),
        ("def name():\n    return OpenAI()\n", False),
        ("name = OpenAI()\n", True),
        ("name = OpenAI(\n    timeout=30,\n)\n", True),
        ("def make():\n    return OpenAI()\nname = make()\n", True),
        ("class name:\n    def __init__(self):\n        self.client = OpenAI()\n", True),
        ("class name:\n    size = 3\nclass other:\n    client = OpenAI()\n", False),
    ],
)
def test_a_name_of_another_module_may_be_a_client(code: str, tells: bool) -> None:  # noqa: FBT001  # a parameter of the test
    assert Given(code, lambda text: "OpenAI" in text).tells("name") is tells


def test_names_are_followed_through_modules_that_hand_them_on(
    tmp_path: Path,
) -> None:
    files = {
        "pkg/__init__.py": "from .inner import client\nfrom .inner import size\n",
        "pkg/inner.py": "from .made import client\nsize = 3\n",
        "pkg/made.py": "client = OpenAI()\n",
        "main.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    here = Project(tmp_path, CATALOGUE).at("main.py")
    assert here.may_bring("pkg", 0, "client", lambda text: "OpenAI" in text)
    assert not here.may_bring("pkg", 0, "size", lambda text: "OpenAI" in text)
    assert not here.may_bring("elsewhere", 0, "client", lambda text: "OpenAI" in text)


_PROJECT = {
    "pkg/__init__.py": "from . import inner\nfrom .inner import client as c\nsize = 3\n",
    "pkg/inner.py": "from openai import OpenAI\nclient = OpenAI()\nlimit = 3\n",
    "pkg/words.py": "class Embedding:\n    api_key: str\nclass Box:\n    part: Embedding\n    text = f'LM {api_key}'\n",
    "pkg/said.py": "class Named:  # OpenAI\n    '''Unlike Groq.'''\n    kind = 'OpenAI'\n",
}


def _lines(folder: Path, code: str) -> frozenset[int] | None:
    for name, text in {**_PROJECT, "main.py": code}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return dialed(code, CATALOGUE, Project(folder, CATALOGUE).at("main.py").may_bring).lines


@pytest.mark.parametrize(
    "code",
    [
        "import pkg\nprint(pkg.size)\n",
        "import pkg.inner\nprint(pkg.inner.limit)\n",
        "from pkg import inner\nprint(inner.limit)\n",
        "from pkg.inner import client\ndef f(x: client) -> None:\n    pass\n",
        "from pkg.inner import *\nprint(limit)\n",
        "from pkg.inner import *\ndef f(client):\n    return client.get()\n",
        "from pkg.words import Box\nprint(Box())\n",
        "from pkg.said import Named\nprint(Named())\n",
    ],
    ids=["attribute", "module", "from", "annotation", "star", "parameter", "own names", "comments and strings"],
)
def test_what_a_project_has_beside_its_clients_is_spared(tmp_path: Path, code: str) -> None:
    assert _lines(tmp_path, code) == frozenset()


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("import pkg\n\nprint(pkg.c)\n", {3}),
        ("import pkg.inner\n\nprint(pkg.inner.client)\n", {3}),
        ("from pkg import inner as i\nprint(i.limit)\nprint(i.client.models)\n", {3}),
        ("from pkg.inner import client\n\n\ndef f():\n    return client\n", {5}),
        ("from pkg.inner import *\nprint(limit)\ndef f():\n    return client.get()\n", {4}),
        ("import pkg.inner as i\nuse(\n    i,\n)\n", {3}),
        ("import openai\n\nopenai.api_key = 'k'\nuse(openai.OpenAI())\n", {3, 4}),
    ],
)
def test_each_line_that_uses_a_client_is_told(tmp_path: Path, code: str, lines: set[int]) -> None:
    assert _lines(tmp_path, code) == lines
