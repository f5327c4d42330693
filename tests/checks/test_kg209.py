"""KG209: which hosts nobody knows."""

from __future__ import annotations

import pytest

from keyguard.checks.kg209 import check
from tests.python.connected import cases

HEAD = "import os, requests\nfrom openai import OpenAI\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("OpenAI()\n", id="default"),
        pytest.param("OpenAI(base_url='https://api.poloapi.top/v1')\n", id="relay"),
        pytest.param("OpenAI(base_url='http://localhost:1234/v1')\n", id="loopback"),
        pytest.param("OpenAI(base_url='http://llm.internal/v1')\n", id="internal-name"),
        pytest.param("OpenAI(base_url='http://10.1.2.3/v1')\n", id="private-address"),
        pytest.param("OpenAI(base_url=os.environ['BASE'])\n", id="environment"),
        pytest.param("OpenAI(base_url='https://your-host.com/v1')\n", id="a-name-to-replace"),
        pytest.param("OpenAI(base_url='https://api.example.com/v1')\n", id="documentation"),
        pytest.param("OpenAI(base_url='https://api.dummy.com/v0')\n", id="made-up"),
        pytest.param("OpenAI(base_url='https://eastus.api.cognitive.microsoft.com')\n", id="region-of-a-cloud"),
        pytest.param("def f(host): OpenAI(base_url=f'https://{host}/v1')\n", id="put-in-at-run-time"),
        pytest.param("def f(tld): OpenAI(base_url=f'https://api.models.{tld}/v1')\n", id="its-end-put-in"),
        pytest.param(
            "def f(b):\n  b = b or 'https://api.minimax.io'\n  if x:\n    b = b[:-3]\n"
            "  requests.post(f'{b}/v1/chat/completions')\n",
            id="a-piece-of-a-known-one",
        ),
        pytest.param("requests.get('https://somewhere.net/file')\n", id="no-model"),
    ],
)
def test_known_hosts_stay_quiet(text: str) -> None:
    assert cases(check, HEAD + text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("OpenAI(\n  base_url='https://gpt.cheap.xyz/v1')\n", (4, None), id="client"),
        pytest.param("requests.post('https://gpt.cheap.xyz/v1/chat/completions')\n", (3, None), id="request"),
        pytest.param("OpenAI(base_url=os.getenv('B', 'https://gpt.cheap.xyz/v1'))\n", (3, "fallback"), id="fallback"),
    ],
)
def test_a_host_in_no_list_is_told(text: str, expected: tuple[int, str | None]) -> None:
    assert cases(check, HEAD + text) == [expected]


def test_a_trusted_host_is_known() -> None:
    text = HEAD + "OpenAI(base_url='https://gpt.cheap.xyz/v1')\n"
    assert cases(check, text, trusted=(("gpt.cheap.xyz", "own"),)) == []
