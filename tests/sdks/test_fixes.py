"""Programs as the fixes of timeouts and retries leave them, run with the real packages: the settings hold."""

from __future__ import annotations

import functools
import itertools
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from keyguard.checks import kg301, kg302, kg303, kg304, kg401, kg402, kg403, kg406, kg407, kg409
from tests.checks.mending import mended
from tests.keys import make
from tests.sdks.claims import ROOT, interpreter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# One worker runs them all, in one process.
pytestmark = pytest.mark.xdist_group("sdks")

_HERE = "from here import BASE, KEY\n"
_MESSAGES = "[{'role': 'user', 'content': 'hi'}]"
_CHAT = f"c.chat.completions.create(model='m', messages={_MESSAGES})"
_GEMINI = "from google import genai\nfrom google.genai import types\n"
_GENERATE = "c.models.generate_content(model='m', contents='hi')\n"
_URL = "f'{BASE}/v1/chat/completions'"
_OPENAI = "import openai\nc = openai.OpenAI(base_url=BASE, api_key=KEY{more})\n"
_POST = f"requests.post({_URL}, json={{}})\n"

# What bounds the wait for an answer, in seconds, after the fix.
LIMITS = {
    "openai": (kg302, _OPENAI.format(more="") + _CHAT, 120),
    "openai, HTTP client": (
        kg302,
        f"import httpx\n{_OPENAI.format(more=', http_client=httpx.Client()')}{_CHAT}",
        120,
    ),
    "anthropic": (
        kg302,
        (
            "import anthropic\nc = anthropic.Anthropic(base_url=BASE, api_key=KEY)\n"
            f"c.messages.create(model='m', max_tokens=5, messages={_MESSAGES})"
        ),
        120,
    ),
    "google-genai": (
        kg302,
        f"import os\nos.environ['GOOGLE_GEMINI_BASE_URL'] = BASE\n{_GEMINI}c = genai.Client(api_key=KEY)\n{_GENERATE}",
        120,
    ),
    "google-genai, object": (
        kg302,
        f"{_GEMINI}c = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=BASE))\n{_GENERATE}",
        120,
    ),
    "google-genai, table": (
        kg302,
        f"{_GEMINI}c = genai.Client(api_key=KEY, http_options={{'base_url': BASE}})\n{_GENERATE}",
        120,
    ),
    "google-genai, imports": (
        kg302,
        (
            "import os\nos.environ['GOOGLE_GEMINI_BASE_URL'] = BASE\nfrom google.genai import Client\n"
            f"c = Client(api_key=KEY)\n{_GENERATE}"
        ),
        120,
    ),
    "mistralai": (
        kg302,
        (
            "from mistralai.client import Mistral\nc = Mistral(server_url=BASE, api_key=KEY)\n"
            f"c.chat.complete(model='m', messages={_MESSAGES})"
        ),
        120,
    ),
    "cohere": (
        kg302,
        f"import cohere\nc = cohere.ClientV2(KEY, base_url=BASE)\nc.chat(model='m', messages={_MESSAGES})",
        120,
    ),
    "huggingface_hub": (
        kg302,
        (
            "from huggingface_hub import InferenceClient\nc = InferenceClient(base_url=BASE, api_key=KEY)\n"
            f"c.chat_completion(messages={_MESSAGES})"
        ),
        120,
    ),
    # Of a host that nobody knows nothing is said: it is most likely the own machine.
    "ollama": (
        kg302,
        (
            "import ollama\nc = ollama.Client(host=BASE or 'https://models.example.com')\n"
            f"c.chat(model='m', messages={_MESSAGES})"
        ),
        120,
    ),
    "perplexity": (kg302, f"import perplexity\nc = perplexity.Perplexity(base_url=BASE, api_key=KEY)\n{_CHAT}", 120),
    "zai-sdk": (kg302, f"import zai\nc = zai.ZaiClient(base_url=BASE, api_key=KEY)\n{_CHAT}", 120),
    "openai, off": (kg303, _OPENAI.format(more=", timeout=None") + _CHAT, 120),
    "groq, off": (
        kg303,
        f"import groq\nc = groq.Groq(base_url=BASE, api_key=KEY, timeout=float('inf'))\n{_CHAT}",
        120,
    ),
    "anthropic, off": (
        kg303,
        (
            "import anthropic\n"
            "c = anthropic.Anthropic(base_url=BASE, api_key=KEY, timeout=anthropic.Timeout(None))\n"
            f"c.messages.create(model='m', max_tokens=5, messages={_MESSAGES})"
        ),
        120,
    ),
    "httpx, off": (kg303, f"import httpx, openai\nhttpx.Client(timeout=None).post({_URL})", 120),
    "requests, off": (kg303, "import requests, openai\n" + _POST.replace("{})", "{}, timeout=(3, None))"), 120),
    "google-genai, seconds": (
        kg304,
        f"{_GEMINI}c = genai.Client(api_key=KEY, http_options={{'base_url': BASE, 'timeout': 45}})\n{_GENERATE}",
        45,
    ),
    "mistralai, seconds": (
        kg304,
        (
            "from mistralai.client import Mistral\nc = Mistral(server_url=BASE, api_key=KEY, timeout_ms=45)\n"
            f"c.chat.complete(model='m', messages={_MESSAGES})"
        ),
        45,
    ),
    "openai, milliseconds": (kg304, _OPENAI.format(more=", timeout=45_000") + _CHAT, 45),
    "requests": (kg301, "import requests\n" + _POST, 120),
    "requests, session": (kg301, "import requests\ns = requests.Session()\ns.get(f'{BASE}/x')\n", 30),
    "requests, class": (
        kg301,
        (
            "import requests\nclass S(requests.Session):\n    def go(self):\n"
            "        return self.get(f'{BASE}/x')\nS().go()\n"
        ),
        30,
    ),
    "urllib": (kg301, "import urllib.request\nurllib.request.urlopen(f'{BASE}/x')\n", 30),
    "urllib3": (kg301, "import urllib3\nurllib3.PoolManager().request('GET', f'{BASE}/x')\n", 30),
    "http.client": (
        kg301,
        (
            "import http.client\nhost, scene = BASE.split('/')[2:4]\nc = http.client.HTTPConnection(host)\n"
            "c.request('GET', f'/{scene}/x')\nc.getresponse().read()\n"
        ),
        30,
    ),
}


def _loop(header: str, pause: str, before: str = "") -> str:
    return (
        f"import time\n{_OPENAI.format(more=', max_retries=0')}def ask():\n{before}    {header}:\n        try:\n"
        f"            return {_CHAT}\n        except openai.RateLimitError:\n            {pause}\nask()\n"
    )


def _told(decorator: str, imports: str, more: str = ", max_retries=0") -> str:
    return f"{imports}\n{_OPENAI.format(more=more)}{decorator}\ndef ask():\n    return {_CHAT}\nask()\n"


def _adapter(retry: str) -> str:
    return (
        "import requests\nfrom requests.adapters import HTTPAdapter, Retry\ns = requests.Session()\n"
        f"s.mount('http://', HTTPAdapter(max_retries={retry}))\ns.post({_URL}, json={{}}, timeout=60)\n"
    )


def _doubling(pauses: list[float]) -> bool:
    return bool(pauses) and all(2**number <= pause <= 2**number + 1 for number, pause in enumerate(pauses))


def _growing(pauses: list[float]) -> bool:
    waits = [pause for pause in pauses if pause]
    return len(waits) > 1 and all(later > earlier for earlier, later in itertools.pairwise(waits))


def _random(pauses: list[float]) -> bool:
    return len(set(pauses)) == len(pauses) > 1 and all(0 <= pause <= 61 for pause in pauses)  # the cap, and jitter


def _any(_: list[float]) -> bool:
    return True


_SEVERAL = 5
# How many requests a rate limit is answered with after the fix (0: some, for a time), and how the pauses between them
# are.
TRIES: Mapping[str, tuple[Any, str, int, Callable[[list[float]], bool]]] = {
    "google-genai": (
        kg401,
        f"{_GEMINI}c = genai.Client(api_key=KEY, http_options={{'base_url': BASE}})\n{_GENERATE}",
        5,
        _any,
    ),
    "google-genai, object": (
        kg401,
        f"{_GEMINI}c = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=BASE))\n{_GENERATE}",
        5,
        _any,
    ),
    "mistralai": (
        kg401,
        (
            "from mistralai.client import Mistral\nc = Mistral(server_url=BASE, api_key=KEY)\n"
            f"c.chat.complete(model='m', messages={_MESSAGES})"
        ),
        0,
        _any,
    ),
    "openai, on again": (kg402, _OPENAI.format(more=", max_retries=0") + _CHAT, 3, _any),
    "anthropic, on again": (
        kg402,
        (
            "import anthropic\nc = anthropic.Anthropic(base_url=BASE, api_key=KEY, max_retries=0)\n"
            f"c.messages.create(model='m', max_tokens=5, messages={_MESSAGES})"
        ),
        3,
        _any,
    ),
    "groq, on again": (
        kg402,
        f"import groq\nc = groq.Groq(base_url=BASE, api_key=KEY, max_retries=0)\n{_CHAT}",
        3,
        _any,
    ),
    "google-genai, on again": (
        kg402,
        (
            f"{_GEMINI}c = genai.Client(api_key=KEY, http_options=types.HttpOptions(\n    base_url=BASE,\n"
            f"    retry_options=types.HttpRetryOptions(attempts=1),\n))\n{_GENERATE}"
        ),
        5,
        _any,
    ),
    "a loop": (kg403, _loop("for i in range(5)", "time.sleep(1)"), 5, _doubling),
    "a loop without a name": (kg403, _loop("for _ in range(4)", "time.sleep(1)"), 4, _doubling),
    "a loop that counts by hand": (
        kg403,
        _loop("while i < 4", "time.sleep(1); i += 1", before="    i = 0\n"),
        4,
        _doubling,
    ),
    "tenacity": (
        kg403,
        _told("@retry(stop=stop_after_attempt(4))", "from tenacity import retry, stop_after_attempt"),
        4,
        _random,
    ),
    "tenacity, fixed": (
        kg403,
        _told("@tenacity.retry(stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_fixed(2))", "import tenacity"),
        4,
        _random,
    ),
    "backoff": (
        kg403,
        _told("@backoff.on_exception(backoff.constant, Exception, max_tries=4, interval=2)", "import backoff"),
        4,
        _random,
    ),
    "retry": (kg403, _told("@retry(Exception, tries=4, delay=1)", "from retry import retry"), 4, _growing),
    "retry, at once": (kg403, _told("@retry(tries=4)", "from retry import retry"), 4, _growing),
    "retrying": (
        kg403,
        _told("@retry(stop_max_attempt_number=4, wait_fixed=2000)", "from retrying import retry"),
        4,
        _growing,
    ),
    "urllib3": (kg403, _adapter("Retry(3, status_forcelist=[429], allowed_methods=None)"), 4, _growing),
    "tenacity around": (
        kg406,
        _told(
            "@tenacity.retry(stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_random_exponential(max=60))",
            "import tenacity",
            more="",
        ),
        4,
        _any,
    ),
    "methods": (kg407, _adapter("Retry(3, status_forcelist=[429], backoff_factor=1)"), 4, _growing),
    "methods and statuses": (kg407, _adapter("Retry(3)"), 4, _any),
    "statuses": (kg407, _adapter("Retry(3, status_forcelist={500}, allowed_methods=None)"), 4, _any),
    "a number": (kg407, _adapter("3"), 6, _growing),
    "an import": (
        kg407,
        _loop("for i in range(4)", "time.sleep(2**i)")
        .replace("import openai", "from openai import OpenAI")
        .replace("openai.", ""),
        4,
        _any,
    ),
}
_ASYNC = (
    kg409,
    (
        "import asyncio\nimport time\nimport openai\nc = openai.AsyncOpenAI(base_url=BASE, api_key=KEY)\nresult = 0\n"
        "async def tick():\n    global result\n    for _ in range(5):\n"
        "        await asyncio.sleep(0.01)\n        result += 1\n"
        "async def main():\n    task = asyncio.create_task(tick())\n    time.sleep(0.3)\n    await task\n"
        "asyncio.run(main())\n"
    ),
)


def _answers() -> dict[str, dict[str, Any]]:
    run = _ran()
    assert run.returncode == 0, run.stderr[-3000:]
    found: dict[str, dict[str, Any]] = json.loads(run.stdout)
    return found


@functools.cache  # a run that failed is not made again for each test
def _ran() -> subprocess.CompletedProcess[str]:
    if not (ROOT / ".venv-sdks" / ".made").is_file():
        pytest.skip("no environment .venv-sdks: .ci/setup dev could not make it")
    programs = {f"limit: {name}": {"text": _fixed(*case[:2]), "status": "401"} for name, case in LIMITS.items()}
    programs |= {f"tries: {name}": {"text": _fixed(*case[:2]), "status": "429"} for name, case in TRIES.items()}
    programs["async"] = {"text": _fixed(*_ASYNC), "status": "200"}
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
    return subprocess.run(
        [interpreter("sdks"), Path(__file__).with_name("programs.py")],
        input=json.dumps({"programs": programs, "key": make("zhipu")}),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,  # ten times what it takes on two free cores
        env={"HOME": str(ROOT / ".venv-sdks"), **{name: os.environ[name] for name in kept if name in os.environ}},
    )


def _fixed(rule: Any, text: str) -> str:  # noqa: ANN401  # the module of a rule
    after = mended(_HERE + text, rule.check)
    assert after != _HERE + text, f"{rule.__name__} has no fix for this any more:\n{text}"
    return after


@pytest.mark.parametrize("name", LIMITS)
def test_the_limit_that_a_fix_sets_bounds_the_wait(name: str) -> None:
    answer = _answers()[f"limit: {name}"]
    assert answer["limit"] == pytest.approx(LIMITS[name][2], abs=0.5), answer["error"]


@pytest.mark.parametrize("name", TRIES)
def test_a_rate_limit_is_answered_with_as_many_tries_and_such_pauses(name: str) -> None:
    _, _, sent, pauses = TRIES[name]
    answer = _answers()[f"tries: {name}"]
    assert answer["sent"] == sent or (not sent and answer["sent"] > _SEVERAL), answer["error"]
    assert pauses(answer["pauses"]), answer["pauses"]


def test_other_tasks_run_while_a_fixed_sleep_waits() -> None:
    answer = _answers()["async"]
    assert (answer["result"], answer["error"]) == (5, "")
