"""KG401: requests to models that are sent once, with nothing on their way that sends them again."""

from __future__ import annotations

import pytest

from keyguard.checks.kg401 import check
from tests.checks.networks import heard, network
from tests.checks.spoken import spoken

_HEAD = """\
import requests, httpx, tenacity, time
from google import genai
from openai import OpenAI
URL = 'https://api.openai.com/v1/responses'
"""
_LINES = _HEAD.count("\n")


def short(text: str, role: str = "code") -> list[tuple[int, str | None]]:
    """Line (from the end of the head) and case of every hit."""
    return [(one.line - _LINES, one.case) for one in heard(check, _HEAD + text, role=role)]


QUIET = {
    "an SDK that tries again": "OpenAI().responses.create(model='m', input='x')\n",
    "another host": "requests.post('https://example.com/v1/things', json={})\n",
    "a server of one's own": "requests.post('http://localhost:11434/api/chat', json={})\n",
    "an unknown host": "def f(base): requests.post(f'{base}/api/embeddings', json={})\n",
    "a list": "requests.get('https://api.openai.com/v1/models')\n",
    "a local SDK whose host is unknown": """\
import ollama
def f(host): return ollama.Client(host=host).chat(model='m', messages=[])
""",
    "a login": "requests.post('https://aip.baidubce.com/oauth/2.0/token', params={})\n",
    "a file": "requests.post('https://api.openai.com/v1/files', files={})\n",
    "a count of tokens": (
        "requests.post('https://api.anthropic.com/v1/messages/count_tokens', json={})\n"
        "requests.post('https://generativelanguage.googleapis.com/v1beta/models/m:countTokens', json={})\n"
    ),
    "rights": "requests.post('https://generativelanguage.googleapis.com/v1beta/tunedModels/m/permissions', json={})\n",
    "SDK lists": "client = genai.Client()\nfor m in client.models.list(): print(m)\nclient.models.get(model='m')\n",
    "an SDK's files": "client = genai.Client()\nclient.files.upload(file='a')\nclient.operations.get(1)\n",
    "an SDK's counts of tokens": """\
client = genai.Client()
client.interactions.create(model='m', input='x')
client.models.count_tokens(model='m', contents='x')
async def f(): await client.aio.models.compute_tokens(model='m', contents='x')
""",
    "what an SDK stores": "client = genai.Client()\nclient.caches.create(model='m')\nclient.caches.update(name='x')\n",
    "an older SDK's count of tokens": """\
import google.generativeai as g
g.GenerativeModel('m').count_tokens('x')
""",
    "a key that only servers of one's own take": """\
from huggingface_hub import InferenceClient
def f(url): return InferenceClient(base_url=url, api_key='EMPTY').chat_completion(messages=[])
""",
    "an unknown verb": "def f(verb): requests.request(verb, URL, json={})\n",
    "a stream": "requests.post(URL, json={}, stream=True)\n",
    "a stream in the body": "requests.post(URL, json={'stream': True})\n",
    "decorator": "@tenacity.retry(stop=tenacity.stop_after_attempt(5))\ndef f(): return requests.post(URL, json={})\n",
    "loop": """\
def f():
    for attempt in range(5):
        try:
            return requests.post(URL, json={}).json()
        except requests.RequestException:
            time.sleep(2**attempt)
""",
    "caller": """\
def ask(): return requests.post(URL, json={})
def f():
    for attempt in range(5):
        try:
            return ask()
        except Exception:
            time.sleep(2**attempt)
""",
    "helper": """\
def ask(): return requests.post(URL, json={})
def f(): return with_retries(ask)
""",
    "adapter": """\
from requests.adapters import HTTPAdapter
from urllib3 import Retry
session = requests.Session()
session.mount('https://', HTTPAdapter(max_retries=Retry(5, status_forcelist=[429], allowed_methods=None)))
session.post(URL, json={})
""",
    "the SDK's own setting": """\
from google.genai import types
client = genai.Client(http_options=types.HttpOptions(retry_options=types.HttpRetryOptions(attempts=5)))
client.models.generate_content(model='m', contents='x')
""",
    "an unknown setting": """\
def f(options):
    client = genai.Client(http_options=options)
    client.models.generate_content(model='m', contents='x')
""",
    "a method that its SDK repeats, other than the rest": """\
client = genai.Client()
client.interactions.create(model='m', input='x')
async def f(): await client.aio.interactions.create(model='m', input='x')
""",
    "a client without calls": "client = genai.Client()\n",
    "a client that streams": """\
client = genai.Client()
client.models.generate_content_stream(model='m', contents='x')
""",
    "a client behind a decorator": """\
client = genai.Client()
@tenacity.retry(stop=tenacity.stop_after_attempt(5))
def f(): return client.models.generate_content(model='m', contents='x')
""",
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_what_is_sent_again_stays_quiet(text: str) -> None:
    assert short(text) == []


def test_tests_are_left_alone() -> None:
    assert short("requests.post(URL, json={})\n", role="test") == []


LOUD = {
    "function": (1, "http", "requests.post(URL, json={})\n"),
    "session": (2, "http", "session = requests.Session()\nsession.post(URL, json={})\n"),
    "httpx": (1, "http", "with httpx.Client() as http: http.post(URL, json={})\n"),
    "a tool that tries once": (
        2,
        "http",
        "@tenacity.retry(stop=tenacity.stop_after_attempt(1))\ndef f(): return requests.post(URL, json={})\n",
    ),
    "a loop over other things": (2, "http", "def f(rows):\n    for row in rows: requests.post(URL, json=row)\n"),
    "a client": (1, None, "client = genai.Client()\nclient.models.generate_content(model='m', contents='x')\n"),
    "a client that repeats some errors only": (
        2,
        "part",
        "import google.generativeai as g\ng.GenerativeModel('m').generate_content('x')\n",
    ),
    "a client whose counts stand beside questions": (
        1,
        None,
        (
            "client = genai.Client()\nclient.models.count_tokens(model='m', contents='x')\n"
            "client.models.generate_content(model='m', contents='x')\n"
        ),
    ),
    "a client with a key of a stranger's": (
        2,
        None,
        (
            "def f(url, key):\n    c = genai.Client(http_options={'base_url': url}, api_key=key)\n"
            "    return c.models.generate_content(model='m', contents='x')\n"
        ),
    ),
    "a path that only begins like a count": (1, "http", "requests.post(URL + '/count_tokens_and_answer', json={})\n"),
    "a client whose retries are off": (
        2,
        None,
        "from mistralai import Mistral\nMistral(api_key='x').chat.complete(model='m', messages=[])\n",
    ),
    "a client of a release without retries": (
        2,
        "call-wrapped",
        "import openai\nopenai.ChatCompletion.create(model='m', messages=[])\n",
    ),
}


@pytest.mark.parametrize(("line", "case", "text"), LOUD.values(), ids=LOUD)
def test_what_is_sent_once_is_found(line: int, case: str | None, text: str) -> None:
    assert short(text) == [(line, case)]


def test_a_client_is_reported_once_with_its_calls_beside_it() -> None:
    text = "c = genai.Client()\nc.models.generate_content(model='m')\nc.models.embed_content(model='m', contents='x')\n"
    found = heard(check, _HEAD + text)
    assert [(one.text, one.hit.values["name"], len(one.hit.related)) for one in found] == [
        ("genai.Client()", "Client", 2)
    ]
    assert "HttpRetryOptions" in found[0].hit.values["code"]


def test_a_call_that_the_sdk_repeats_does_not_stand_beside_those_it_does_not() -> None:
    text = "c = genai.Client()\nc.interactions.create(model='m', input='x')\nc.models.generate_content(model='m')\n"
    found = heard(check, _HEAD + text)
    assert [(one.line - _LINES, len(one.hit.related)) for one in found] == [(1, 1)]


def test_a_client_that_repeats_other_methods_is_named_by_the_method_that_it_sends_once() -> None:
    text = "c = genai.Client()\nc.interactions.create(model='m', input='x')\nc.models.generate_content(model='m')\n"
    (one,) = spoken(check, _HEAD + text)
    assert (one.line - _LINES, one.case) == (1, "call")
    assert one.message.startswith("c.models.generate_content sends its request once: one 429")
    assert (
        one.remedy
        == "Turn its retries on: http_options=types.HttpOptions(retry_options=types.HttpRetryOptions(attempts=5))"
    )
    # Who accepted the finding before the other call was written has accepted this one.
    (alone,) = heard(check, _HEAD + text.replace("c.interactions.create(model='m', input='x')", ""))
    (both,) = heard(check, _HEAD + text)
    assert alone.hit.statement == both.hit.statement


def test_a_client_that_repeats_some_errors_says_which() -> None:
    (one,) = spoken(check, "import google.generativeai as g\ng.GenerativeModel('m').generate_content('x')\n")
    assert one.message == "GenerativeModel sends a request again after 503, and never after 429: one 429 ends the call"


@pytest.mark.parametrize(
    ("options", "versions", "total"),
    [
        ("", {}, 5),
        ("", {"google-genai": "2.34.0"}, 4),
        ("", {"google-genai": "1.60.0"}, 4),
        ("http_options=genai.types.HttpOptions(retry_options=genai.types.HttpRetryOptions(attempts=1))", {}, 1),
        ("http_options=genai.types.HttpOptions(retry_options=genai.types.HttpRetryOptions(attempts=7))", {}, 7),
    ],
)
def test_a_method_with_retries_of_its_own_has_those_unless_it_is_told_otherwise(
    options: str, versions: dict[str, str], total: int
) -> None:
    text = f"c = genai.Client({options})\nc.interactions.create(model='m', input='x')\n"
    calls = network(_HEAD + text, versions=versions).calls
    assert [call.attempts.total for call in calls] == [total]


@pytest.mark.parametrize(("given", "total"), [("", 1), ("max_retries=1", 1), ("max_retries=3", 3)])
def test_retries_that_count_attempts_are_attempts(given: str, total: int) -> None:
    text = f"import voyageai\nc = voyageai.Client({given})\nc.embed(texts=['x'], model='m')\n"
    assert [call.attempts.total for call in network(text).calls] == [total]


def test_a_method_that_is_never_repeated_is_sent_once() -> None:
    text = "import cohere\nc = cohere.Client('k')\nc.chat(message='x')\nc.chat_stream(message='x')\n"
    assert [call.attempts.total for call in network(text).calls] == [3, 1]


def test_a_request_names_its_host() -> None:
    found = heard(check, _HEAD + "requests.post(URL, json={})\n")
    assert [(one.text, one.hit.values["name"], one.hit.values["where"]) for one in found] == [
        ("requests.post(URL, json={})", "requests.post", "api.openai.com")
    ]
