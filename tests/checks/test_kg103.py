"""KG103: a key in a URL, written out or put there from a variable."""

from __future__ import annotations

import pytest

from tests.python.made import said, short

_GEMINI = "https://generativelanguage.googleapis.com/v1beta/models"


@pytest.mark.parametrize(
    "text",
    [
        f"u = '{_GEMINI}?key=YOUR_API_KEY'\n",
        "u = 'https://example.com/?page_token=<sha1>&v=<md5>'\n",
        "def f(token): return f'https://example.com/?page_token={token}'\n",
        "def f(key): return f'https://example.com/issues?key={key}'\n",
        "import requests\nrequests.get('https://example.com', params={'key': 'title'})\n",
        "import requests\ndef f(key): requests.get('https://example.com', params={'key': key})\n",
        "import os\nu = f\"{os.environ['OPENAI_BASE_URL']}/models?limit=2\"\n",
        f"import os, requests\nrequests.get('{_GEMINI}', headers={{'x-goog-api-key': os.environ['GEMINI_API_KEY']}})\n",
        "u = 'https://user:password@example.com/'\n",
        "u = 'git@github.com:a/b.git?key='\n",
    ],
)
def test_urls_without_a_key_stay_quiet(text: str) -> None:
    assert short(text) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"u = '{_GEMINI}?key=<gemini-key>'\n", 1),
        (f"u = '{_GEMINI}?alt=sse&key=<gemini-key>&x=1'\n", 1),
        ("u = 'https://<openai-key>@example.com/v1'\n", 1),
        ("u = 'https://user:<openai-key>@example.com/v1'\n", 1),
        (f"u = '{_GEMINI}' + '?key=<gemini-key>'\n", 1),
        (f"u = f'{_GEMINI}/{{model}}?key=<gemini-key>'\n", 1),
        (f"import requests\nrequests.get('{_GEMINI}', params={{'key': '<gemini-key>'}})\n", 2),
        ("import httpx\nhttpx.get('https://example.com', params={'a': 1,\n  'api_key': '<openrouter-key>'})\n", 3),
    ],
)
def test_a_key_written_into_a_url_is_found(text: str, line: int) -> None:
    assert short(text) == [("KG103", line, "literal")]


@pytest.mark.parametrize(
    ("text", "line", "name"),
    [
        (f"import os\nk = os.environ['GEMINI_API_KEY']\nu = f'{_GEMINI}?key={{k}}'\n", 3, "GEMINI_API_KEY"),
        (f"import os\nk = os.environ['GEMINI_API_KEY']\nu = '{_GEMINI}?key=' + k\n", 3, "GEMINI_API_KEY"),
        (f"import os\nk = os.environ['GEMINI_API_KEY']\nu = '{_GEMINI}?key=%s' % k\n", 3, "GEMINI_API_KEY"),
        (f"import os\nk = os.environ['GEMINI_API_KEY']\nu = '{_GEMINI}?key={{}}'.format(k)\n", 3, "GEMINI_API_KEY"),
        ("import os\nu = f\"https://{os.environ['OPENAI_API_KEY']}@example.com/\"\n", 2, "OPENAI_API_KEY"),
        (f"def f(k):\n    return f'{_GEMINI}?key={{k}}'\n", 2, "key"),
        (
            "import os, requests\nrequests.get('https://e.com', params={'api_key': os.environ['OPENAI_API_KEY']})\n",
            2,
            "OPENAI_API_KEY",
        ),
        (f"import requests\ndef f(k):\n    requests.get('{_GEMINI}', params={{'key': k}})\n", 3, "k"),
    ],
)
def test_a_variable_put_into_a_url_is_found(text: str, line: int, name: str) -> None:
    found = said(text)
    assert [one.short for one in found] == [("KG103", line, "variable")]
    assert found[0].hit.values["name"] == name


def test_a_literal_is_one_finding_and_its_way_into_a_url_another() -> None:
    text = f"K = '<gemini-key>'\nu = '{_GEMINI}?key=' + K\n"
    assert short(text) == [("KG101", 1, "literal"), ("KG103", 2, "variable")]
