"""KG501: keys that travel over plain HTTP."""
# ruff: noqa: RUF001  # Chinese has its own punctuation

from __future__ import annotations

import pytest

from keyguard.checks.kg501 import check
from tests.checks.spoken import short, spoken

_KEY = "import os, requests\nfrom openai import OpenAI\nk = os.environ['OPENAI_API_KEY']\n"
_HEADERS = "headers={'Authorization': f'Bearer {k}'}"

QUIET = {
    "https": f"{_KEY}OpenAI(api_key=k, base_url='https://1.2.3.4/v1')\n",
    "loopback": f"{_KEY}OpenAI(api_key=k, base_url='http://127.0.0.1:8000/v1')\n",
    "private": f"{_KEY}OpenAI(api_key=k, base_url='http://192.168.1.7:8000/v1')\n",
    "no dot": f"{_KEY}OpenAI(api_key=k, base_url='http://vllm:8000/v1')\n",
    "internal": f"{_KEY}OpenAI(api_key=k, base_url='http://models.svc:8000/v1')\n",
    "documentation": f"{_KEY}OpenAI(api_key=k, base_url='http://api.example.com/v1')\n",
    "stand-in": f"{_KEY}OpenAI(api_key='EMPTY', base_url='http://1.2.3.4:8000/v1')\n",
    "empty": f"{_KEY}OpenAI(api_key='', base_url='http://1.2.3.4:8000/v1')\n",
    "unknown host": f"{_KEY}OpenAI(api_key=k, base_url=f'http://{{host}}:8000/v1')\n",
    "unknown": f"{_KEY}def f(url):\n    OpenAI(api_key=k, base_url=url)\n",
    "no key": f"{_KEY}requests.get('http://1.2.3.4/')\n",
    "no key in the headers": f"{_KEY}requests.get('http://1.2.3.4/', headers={{'Accept': 'text/plain'}})\n",
    "key optional": "import ollama\nollama.Client(host='http://1.2.3.4:11434')\n",
    "local request": f"{_KEY}requests.get('http://localhost/', {_HEADERS})\n",
}

LOUD = {
    "client": (f"{_KEY}OpenAI(api_key=k, base_url='http://1.2.3.4:8000/v1')\n", 4, "'http://1.2.3.4:8000/v1'"),
    "implied key": (f"{_KEY}OpenAI(base_url='http://api.openai.com/v1')\n", 4, "'http://api.openai.com/v1'"),
    "parameter as key": (
        f"{_KEY}def f(key):\n    OpenAI(api_key=key, base_url='http://1.2.3.4/v1')\n",
        5,
        "'http://1.2.3.4/v1'",
    ),
    "fallback": (
        f"{_KEY}OpenAI(api_key=k, base_url=os.getenv('URL', 'http://1.2.3.4/v1'))\n",
        4,
        "os.getenv('URL', 'http://1.2.3.4/v1')",
    ),
    "variable set here": (
        f"{_KEY}os.environ['OPENAI_BASE_URL'] = 'http://1.2.3.4/v1'\nOpenAI()\n",
        4,
        "'http://1.2.3.4/v1'",
    ),
    "request": (f"{_KEY}requests.get('http://1.2.3.4/', {_HEADERS})\n", 4, "'http://1.2.3.4/'"),
    "headers filled later": (
        f"{_KEY}h = {{}}\nh['Authorization'] = k\nrequests.get('http://1.2.3.4/', headers=h)\n",
        6,
        "'http://1.2.3.4/'",
    ),
    "session": (
        f"{_KEY}s = requests.Session()\ns.headers.update({{'Authorization': k}})\ns.get('http://1.2.3.4/')\n",
        6,
        "'http://1.2.3.4/'",
    ),
    "login": (f"{_KEY}requests.get('http://1.2.3.4/', auth=('', k))\n", 4, "'http://1.2.3.4/'"),
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET.keys())
def test_what_is_encrypted_or_stays_at_home_is_quiet(text: str) -> None:
    assert short(check, text) == []


@pytest.mark.parametrize(("text", "line", "shown"), LOUD.values(), ids=LOUD.keys())
def test_a_key_in_plain_http_is_found(text: str, line: int, shown: str) -> None:
    found = spoken(check, text)
    assert [(one.rule, one.line, one.case, one.text) for one in found] == [("KG501", line, None, shown)]


def test_the_message_names_the_host() -> None:
    text = f"{_KEY}OpenAI(base_url='http://1.2.3.4:8000/v1')\n"
    assert [one.message for one in spoken(check, text)] == [
        "the key travels to 1.2.3.4:8000 over plain HTTP, readable for everyone on the way"
    ]
    assert [one.message for one in spoken(check, text, lang="zh")] == [
        "密钥会以明文 HTTP 发送到 1.2.3.4:8000，途中任何人都能读到"
    ]
