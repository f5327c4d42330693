"""KG207: what a library no longer has or reads, and variables that are loaded too late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keyguard.checks import kg207
from keyguard.checks.spots import hits_of
from keyguard.python.connections import network_of
from keyguard.python.pins import installed
from keyguard.python.project import Project
from keyguard.settings import Advice
from tests.checks.networks import heard
from tests.python.made import facts, loaded

if TYPE_CHECKING:
    from pathlib import Path

_OPENAI = "from openai import OpenAI\n"
_DOTENV = "import os\nfrom dotenv import load_dotenv\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_OPENAI + "OpenAI(timeout=60, max_retries=3)\n", id="arguments-that-are-there"),
        pytest.param(
            "import openai\nopenai.api_key = 'x'\nopenai.base_url = 'https://x/v1/'\n", id="settings-that-are-read"
        ),
        pytest.param("import openai\nopenai.chat.completions.create(model='m')\n", id="module-client"),
        pytest.param("import openai\ntry:\n  f()\nexcept openai.RateLimitError:\n  pass\n", id="class-that-is-there"),
        pytest.param(
            "try:\n  from openai.error import APIError\nexcept ImportError:\n  from openai import APIError\n",
            id="import-tried",
        ),
        pytest.param(
            "import openai\nif openai.__version__ < '1':\n  openai.ChatCompletion.create()\nelse:\n  pass\n",
            id="version-asked",
        ),
        pytest.param(
            "import openai\nif hasattr(openai, 'error'):\n  E = openai.error.APIError\n", id="attribute-asked"
        ),
        pytest.param("class openai: pass\nopenai.ChatCompletion.create()\n", id="a-name-of-ones-own"),
        pytest.param("def f(openai): openai.ChatCompletion.create()\n", id="a-parameter"),
        pytest.param(
            "import instructor\nfrom openai import OpenAI\nc = instructor.from_openai(OpenAI())\n"
            "c.chat.completions.create(response_model=M, max_retries=3)\n",
            id="argument-of-a-wrapper",
        ),
        pytest.param("def f(client): client.chat.completions.create(max_retries=3)\n", id="client-unknown"),
        pytest.param("from urllib3.util import Retry\nimport openai\nRetry(allowed_methods=None)\n", id="retry-today"),
        pytest.param(_DOTENV + "load_dotenv()\nK = os.getenv('OPENAI_API_KEY')\n", id="loaded-first"),
        pytest.param(_DOTENV + "P = os.getenv('PORT')\nload_dotenv()\n", id="no-key"),
        pytest.param(_DOTENV + "def f(): return os.getenv('OPENAI_API_KEY')\nload_dotenv()\n", id="read-later"),
        pytest.param(_DOTENV + "K = os.environ['OPENAI_API_KEY']\nload_dotenv()\n", id="raises-at-once"),
        pytest.param(_DOTENV + "K = os.getenv('OPENAI_API_KEY')\ndef main(): load_dotenv()\n", id="load-in-a-function"),
        pytest.param(_DOTENV + "import openai\nload_dotenv()\nopenai.models.list()\n", id="import-that-reads-no-key"),
        pytest.param(_DOTENV + _OPENAI + "C = OpenAI(api_key='x')\nload_dotenv()\n", id="client-with-a-key"),
    ],
)
def test_what_works_stays_quiet(text: str) -> None:
    assert heard(kg207.check, text) == []


@pytest.mark.parametrize(
    ("text", "line", "case", "shown"),
    [
        pytest.param(
            "import openai\nopenai.ChatCompletion.create(model='m')\n",
            2,
            None,
            "openai.ChatCompletion.create",
            id="call",
        ),
        pytest.param(
            "import openai as o\nawait_ = o.Embedding.acreate()\n", 2, None, "o.Embedding.acreate", id="alias"
        ),
        pytest.param(
            "from openai import ChatCompletion\nChatCompletion.create()\n", 1, None, "ChatCompletion", id="import"
        ),
        pytest.param("from openai.error import APIError, Timeout\n", 1, None, "APIError", id="import-once"),
        pytest.param(
            "import openai\ntry:\n  f()\nexcept (ValueError, openai.error.Timeout):\n  pass\n",
            4,
            None,
            "openai.error.Timeout",
            id="except",
        ),
        pytest.param(
            "import openai\nopenai.api_base = 'https://x/v1'\n", 2, "ignored", "openai.api_base", id="setting"
        ),
        pytest.param(
            _OPENAI + "OpenAI(api_base='https://x/v1')\n", 2, "argument", "'https://x/v1'", id="client-argument"
        ),
        pytest.param(
            _OPENAI + "OpenAI().chat.completions.create(request_timeout=3)\n", 2, "argument", "3", id="call-argument"
        ),
        pytest.param(
            _OPENAI + "OpenAI().responses.create(max_retries=3)\n", 2, "argument", "3", id="retries-of-a-call"
        ),
        pytest.param(
            "from mistralai.client import Mistral\nMistral(timeout=30)\n", 2, "argument", "30", id="other-unit"
        ),
        pytest.param("import google.generativeai as genai\n", 1, "end-of-life", "google.generativeai", id="given-up"),
        pytest.param(
            "import openai\nfrom urllib3.util.retry import Retry\nRetry(method_whitelist=['POST'])\n",
            3,
            "argument",
            "['POST']",
            id="retry",
        ),
        pytest.param(
            _DOTENV + "K = os.getenv('OPENAI_API_KEY')\nload_dotenv()\n",
            3,
            "late",
            "os.getenv('OPENAI_API_KEY')",
            id="read-before-load",
        ),
        pytest.param(
            _DOTENV + _OPENAI + "C = OpenAI()\nload_dotenv()\n", 4, "late", "OpenAI()", id="client-before-load"
        ),
        pytest.param(
            _DOTENV + "import dashscope\nload_dotenv()\ndashscope.Generation.call(model='qwen-max')\n",
            3,
            "late-import",
            "dashscope",
            id="package-before-load",
        ),
    ],
)
def test_what_is_gone_or_late_is_found(text: str, line: int, case: str | None, shown: str) -> None:
    found = heard(kg207.check, text)
    assert [one.short for one in found] == [(line, case)]
    assert found[0].text == shown


def test_a_call_that_is_gone_is_one_finding_whatever_it_is_given() -> None:
    text = "import openai\nopenai.ChatCompletion.create(engine='e', request_timeout=3, max_retries=2)\n"
    assert [one.short for one in heard(kg207.check, text)] == [(2, None)]


@pytest.mark.parametrize(
    ("versions", "quiet"),
    [({"openai": "0.28.1"}, True), ({"openai": "1.dev0"}, True), ({"openai": "1.0.0"}, False), ({}, False)],
)
def test_the_project_s_requirements_decide(versions: dict[str, str], quiet: bool) -> None:  # noqa: FBT001  # a case of a test
    found = heard(kg207.check, "import openai\nopenai.ChatCompletion.create()\n", versions=versions)
    assert (found == []) is quiet


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!pip install openai==0.28", {"openai": "0.28"}),
        ("%pip install -q 'openai<1' tiktoken", {"openai": "1.dev0"}),
        ("!pip3 install --upgrade openai", {}),
        ("!pip install openai>=1.0 && echo done==1", {}),
        ("pip", {}),
    ],
)
def test_what_a_notebook_installs_is_read(text: str, expected: dict[str, str]) -> None:
    assert dict(installed(text)) == expected


def test_a_constant_imported_before_the_load_is_found(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text("import os\nKEY = os.getenv('OPENAI_API_KEY')\n", encoding="utf-8")
    (tmp_path / "loads.py").write_text(
        "import os\nfrom dotenv import load_dotenv\nload_dotenv()\nKEY = os.getenv('OPENAI_API_KEY')\n",
        encoding="utf-8",
    )
    project = Project(tmp_path, loaded())

    def lines(module: str) -> list[tuple[str | None, int]]:
        text = f"from dotenv import load_dotenv\nfrom openai import OpenAI\nfrom {module} import KEY\nload_dotenv()\n"
        found = facts(text, "app.py", project=project)
        hits = hits_of(kg207.check(network_of(found.near, Advice())), found.module)
        return [(hit.case, found.source.position(hit.span.start)[0]) for hit in hits]

    assert lines("config") == [("late-import", 3)]
    assert lines("loads") == []
