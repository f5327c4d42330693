"""Whatever can be found passes the prefilter; what cannot be found stops there, without a heavy import."""

from __future__ import annotations

import base64
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.catalogue import load
from keyguard.prefilter import NOTHING, PLUGINS, Prefilter, default_plugins
from keyguard.secrets.shapes import keys_in_text
from keyguard.triggers import word_owners
from tests.keys import fill, make, shape_ids
from tests.test_shapes import CONTEXTS

CATALOGUE = load()
PREFILTER = Prefilter(CATALOGUE)
SMALL = Prefilter(CATALOGUE, small=True)  # for few bytes: the same, searched in another way
WIDE = Prefilter(CATALOGUE, connections=True, wide=True)
OWNERS = word_owners((provider.id, provider.words) for provider in CATALOGUE.providers.values())
SHAPES = [
    shape.id
    for shape in map(CATALOGUE.shapes.__getitem__, shape_ids())
    if shape.secret and not shape.malformed and shape.max_length is not None
]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "text"),
        ("import os\n\nprint(sorted(os.listdir()))\n", "python"),
        (".sk-fading-circle .sk-circle-fade-dot { animation: sk-fade 1.2s; }", "css"),
        (fill("commit <sha1>\nid <uuid>\nmd5 <md5>\n"), "text"),
        ("env = dict(os.environ)\nsubprocess.run(command, env=env)\n", "python"),
        ("word = text[::-1]\nif name == 'abc'[::-1]:\n    pass\n", "python"),
        ("token = 'sk' + suffix\n", "python"),
        ("It fails; see the details of these emails.\n", "text"),
        ("details = _fails(emails)\nclass TestDetails: pass\n", "python"),
        ("on: push\nenv:\n  A: 1\njobs:\n  test:\n    steps:\n      - run: echo done\n", "yaml"),
        ('#!/bin/sh\nset -eu\necho "$HOME"\ncat README.md\n', "shell"),
    ],
)
def test_a_file_that_can_hold_nothing_stops_here(text: str, kind: str) -> None:
    assert PREFILTER.scan(text.encode(), kind) == NOTHING


def test_code_that_only_talks_to_a_model_is_not_parsed() -> None:
    code = b"from openai import OpenAI\n\nclient = OpenAI()\nclient.chat.completions.create(model='gpt-4o-mini')\n"
    assert not PREFILTER.scan(code, "python").python


@pytest.mark.parametrize("kind", ["python", "text"])
@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_few_bytes_are_searched_alike(shape: str, context: str, kind: str) -> None:
    provider = CATALOGUE.providers[shape.split("/", maxsplit=1)[0]]
    for name in (*provider.env, "API_KEY"):
        text = CONTEXTS[context].format(v=name, k=make(shape)).encode()
        assert SMALL.scan(text, kind) == PREFILTER.scan(text, kind)
        assert SMALL.matters(text.decode()) == PREFILTER.matters(text.decode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "def add(a, b):\n    return a + b\n",
        "env = dict(os.environ)\n",
        "word = 'abc'[::-1]\n",
        'API_KEY"',
        "x = 1  # keyguard: ignore[KG101]\n",
        "from openai import OpenAI\n",
        "AccountKey=abc",
        'print(os.environ)\nurl = "https://api.openai.com/v1"\n',
        '"gsk_" + rest',
    ],
)
def test_few_bytes_without_a_key_are_searched_alike(text: str) -> None:
    for kind in ("python", "text", "yaml"):
        assert SMALL.scan(text.encode(), kind) == PREFILTER.scan(text.encode(), kind)
    assert SMALL.matters(text) == PREFILTER.matters(text)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_is_found_in_a_text_passes(shape: str, context: str) -> None:
    provider = CATALOGUE.providers[shape.split("/", maxsplit=1)[0]]
    text = CONTEXTS[context].format(v=(*provider.env, "API_KEY")[0], k=make(shape))
    if keys_in_text(text, CATALOGUE):
        signals = PREFILTER.scan(text.encode(), "python")
        assert signals.keys
        assert signals.python


@pytest.mark.parametrize("form", ["{}", "my_{}_key", "2{}2", "{}-4", "my{0:u}Key", "{0:U}_KEY", "MY{0:u}", "of {}."])
@pytest.mark.parametrize("word", sorted(word for word in OWNERS if word.isalpha() and word.isascii()))
def test_a_providers_word_counts_wherever_a_name_or_a_sentence_has_it(word: str, form: str) -> None:
    text = f"x {form.format(_Cased(word))} = '<md5>'"
    assert PREFILTER.scan(fill(text).encode(), "text").model, text


class _Cased(str):
    """A word that `format` writes as it is, with a capital (`u`) or in capitals (`U`)."""

    __slots__ = ()

    def __format__(self, how: str) -> str:
        return {"u": self.capitalize(), "U": self.upper()}.get(how, str(self))


@settings(deadline=None, max_examples=80)
@given(
    st.text(max_size=60),
    st.sampled_from(SHAPES),
    st.integers(0, 100),
    st.sampled_from([" ", "\n", '"', "=", ":", "\\n", "%22", "，", "\t", "("]),  # noqa: RUF001  # a full-width comma
    st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32", "gb18030"]),
)
def test_whatever_is_found_passes_in_any_encoding(noise: str, shape: str, seed: int, sign: str, encoding: str) -> None:
    noise = noise.encode("utf-8", "ignore").decode().replace("\0", "")
    text = f"# a long enough first line of plain text\n{noise} api_key{sign}{make(shape, seed)}\n"
    if keys_in_text(text, CATALOGUE) and "\ufffe" not in text and "\uffff" not in text:
        data = text.encode(encoding)
        assert PREFILTER.scan(data, "text").keys or PREFILTER.scan(data, "text").is_binary


@pytest.mark.parametrize(
    "code",
    [
        'key = "<openai-key|head>" + "<openai-key|tail>"',
        'key = ("<anthropic-key|head>"\n       "<anthropic-key|tail>")',
        'key = "sk-" + "<deepseek-key|body>"',
        'A = "gsk_"\nB = "<groq-key|body>"\nkey = A + B',
        'key = base64.b64decode("<groq-key|base64>").decode()',
        'key = "<openai-key|reversed>"[::-1]',
        'key = "<openai-key|dashed>".replace("~", "")',
        "key = f\"sk-{'<moonshot-key|body>'}\"",
        'client = Anthropic(api_key="<unknown-token>")\nfrom anthropic import Anthropic',
        'import os\nprint(os.environ["OPENAI_API_KEY"])',
        'import os\nkey = os.getenv("GROQ_API_KEY")\nlogger.info("key %s", key)',
        "import os\nprint(os.environ)",
        "import os\nsettings = dict(os.environ)\nprint(settings)",
        "for name, value in os.environ.items():\n    print(name, value)",
        "url = f\"https://x.example/v1?key={os.environ['GEMINI_API_KEY']}\"",
        "import os\nraise ValueError(f\"bad key {os.environ['MY_API_KEY']}\")",
    ],
)
def test_python_that_hides_or_shows_a_key_is_parsed(code: str) -> None:
    assert PREFILTER.scan(fill(code).encode(), "python").python
    assert not PREFILTER.scan(fill(code).encode(), "text").python


@pytest.mark.parametrize(
    ("text", "plugin"),
    [
        ("<aws-access-key>", "AWSKeyDetector"),
        ("<slack-token>", "SlackDetector"),
        ("<slack-webhook>", "SlackDetector"),
        ("<stripe-key>", "StripeDetector"),
        ("<sendgrid-key>", "SendGridDetector"),
        ("<gitlab-token>", "GitLabTokenDetector"),
        ("<jwt>", "JwtTokenDetector"),
        ("postgres://app:<random-password>@db.example.net/x", "BasicAuthDetector"),
        ("-----BEGIN RSA" + " PRIVATE KEY-----", "PrivateKeyDetector"),
        ("//registry.example/:_authToken=<npm-token>", "NpmDetector"),
    ],
)
def test_a_plugin_is_named_only_where_it_can_find_something(text: str, plugin: str) -> None:
    assert PREFILTER.scan(fill(text).encode(), "text").plugins == {plugin}
    assert PREFILTER.scan(b"nothing of the kind", "text").plugins == set()


def test_a_plugin_that_is_off_says_nothing_until_it_is_turned_on() -> None:
    text = b"SERVER = '93.184.216.34'"
    assert PREFILTER.scan(text, "python") == NOTHING
    on = Prefilter(CATALOGUE, default_plugins() | {"IPPublicDetector"})
    assert on.scan(text, "python").plugins == {"IPPublicDetector"}


def test_a_plugin_without_a_trigger_looks_at_every_file_once_it_is_on() -> None:
    on = Prefilter(CATALOGUE, frozenset({"KeywordDetector"}))
    assert on.scan(b"hello", "text").plugins == {"KeywordDetector"}
    assert default_plugins() <= PLUGINS.keys()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("echo $OPENAI_API_KEY", "shell"),
        ("printenv OPENAI_API_KEY", "shell"),
        ("printenv", "shell"),
        ('set -euxo pipefail\ncurl -H "$OPENAI_API_KEY" https://api.openai.com', "shell"),
        ("cat .env", "shell"),
        ("Write-Host $env:OPENAI_API_KEY", "powershell"),
        ("      - run: echo ${{ secrets.OPENAI_API_KEY }}", "yaml"),
        ("ENV OPENAI_API_KEY=$OPENAI_API_KEY", "dockerfile"),
    ],
)
def test_commands_that_may_print_a_key_pass_where_they_are_run(text: str, kind: str) -> None:
    assert PREFILTER.scan(text.encode(), kind).scripts
    assert not PREFILTER.scan(text.encode(), "markdown").scripts


def test_an_env_file_and_our_own_marks_always_pass() -> None:
    assert PREFILTER.scan(b"A=1\n", "env", ".env").env
    assert PREFILTER.scan(b"export A=1\n", "shell", ".envrc").env
    assert PREFILTER.scan(b"x = 1  # keyguard: ignore[KG101] no reason\n", "python").marks


def test_base64_of_a_key_passes() -> None:
    hidden = base64.b64encode(make("openai/project").encode())
    assert PREFILTER.scan(b"data: " + hidden, "yaml").keys
    assert not PREFILTER.scan(b"data: " + base64.b64encode(b"sk is no key, " * 9), "yaml").keys


def test_what_is_no_text_is_binary() -> None:
    assert PREFILTER.scan(b"\x7fELF\0\0\1" + make("openai/project").encode(), "text").is_binary


def test_nothing_heavy_is_imported_for_a_file_without_a_signal() -> None:
    code = (
        "import sys; from keyguard.catalogue import load; from keyguard.prefilter import Prefilter;"
        "load(); Prefilter(load()).scan(b'hello = 1', 'python', 'x.py');"
        "print([name for name in ('libcst', 'detect_secrets', 'requests', 'rich', 'keyguard.knowledge',"
        " 'keyguard.secrets.shapes') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "source",
    ['{"cells": [{"source": ["from openai import OpenAI\\n"]}]}', '{"cells": [{"source": "x = 1\\nimport openai"}]}'],
    ids=["first", "escaped"],
)
def test_an_import_in_a_notebook_talks(source: str) -> None:
    assert Prefilter(load()).scan(source.encode(), "notebook").talks


# Files that say something by their first or last characters, by what they are, or by nothing at all.
ENDS = (
    "",
    "\n",
    "a",
    "qwen",
    "x = 1",
    "OPENAI_API_KEY",
    "keyguard:",
    "'sk-' +",
    '"sk-"\n',
    "- run: env\n",
    "  together:\n",
    "from google import",
    " genai\n",
    "-us12",
    "abcd",
    "print(os.environ)",
    "\0\1",
)


@given(
    files=st.lists(
        st.tuples(
            st.sampled_from(ENDS),
            st.one_of(st.just(""), st.sampled_from(SHAPES), st.text("aok-_ \n'\"", max_size=8)),
            st.sampled_from(ENDS),
            st.sampled_from(["python", "text", "yaml", "env", "notebook"]),
            st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16"]),
        ),
        max_size=6,
    ),
    wide=st.booleans(),
    leaks=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_what_a_search_of_many_files_leaves_out_holds_nothing(
    files: list[tuple[str, str, str, str, str]], *, wide: bool, leaks: bool
) -> None:
    read = [
        ((before + (make(middle) if middle in SHAPES else middle) + after).encode(encoding), kind)
        for before, middle, after, kind, encoding in files
    ]
    prefilter = WIDE if wide else PREFILTER.for_leaks() if leaks else PREFILTER
    worth = prefilter.worth_a_scan(read)
    for number, (data, kind) in enumerate(read):
        if number not in worth:
            assert prefilter.scan(data, kind) == NOTHING


def test_files_without_a_signal_are_left_out_whatever_stands_beside_them() -> None:
    key = make("openai/project").encode()
    read = [
        (b"nothing", "text"),
        (b"key = '" + key + b"'", "python"),
        (b"print(1)\n", "python"),
        (b"", "text"),
        (b"on: push\n", "yaml"),
        (b"plain\n", "text"),
    ]
    assert PREFILTER.worth_a_scan(read) == {1, 4}
    assert PREFILTER.worth_a_scan(()) == set()


def test_what_begins_in_one_file_and_would_end_in_the_next_leaves_out_neither() -> None:
    key = make("openai/project")
    read = [(b"value = 'sk-'", "python"), (f"'{key}'".encode(), "python"), (b"\n", "text")]
    assert 1 in PREFILTER.worth_a_scan(read)
