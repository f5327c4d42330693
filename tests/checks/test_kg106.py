"""KG106: keys in text files that are not Python, with the words for the kind of file."""

from __future__ import annotations

import pytest

from keyguard.catalogue import load
from keyguard.checks import kg106
from keyguard.checks.facts import TextFacts
from keyguard.prefilter import Prefilter
from keyguard.settings import Settings
from keyguard.source import SourceFile, kind_of
from tests.keys import fill, make

CATALOGUE = load()
PREFILTER = Prefilter(CATALOGUE)


def _facts(path: str, text: str, status: str = "untracked", **more: object) -> TextFacts:
    kind = kind_of(path, text[:100].encode())
    source = SourceFile(path, text, kind=kind, **more)  # type: ignore[arg-type]  # a table of keywords
    signals = PREFILTER.scan(text.encode(), kind, path)
    return TextFacts(source, CATALOGUE, Settings(), signals, lambda: status)


def _hits(path: str, text: str, status: str = "untracked", **more: object) -> list[tuple[int, str | None, str | None]]:
    facts = _facts(path, fill(text), status, **more)
    found = []
    for hit in kg106.check(facts):
        assert hit.secret is not None
        assert facts.source.text[hit.span.start : hit.span.end] == hit.secret.value
        assert hit.secret.value not in str(hit.values)
        found.append((facts.source.position(hit.span.start)[0], hit.case, hit.secret.provider))
    return found


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("app.py", 'OPENAI_API_KEY = "<openai-key>"'),  # KG101's
        (".env", "OPENAI_API_KEY=${OPENAI_API_KEY}"),
        (".env.example", "OPENAI_API_KEY=sk-your-key-here"),
        ("compose.yaml", "OPENAI_API_KEY: ${OPENAI_API_KEY:?set it}"),
        ("secrets.yaml", "openai_api_key: ENC[AES256_GCM,data:<sha256>,iv:<md5>,tag:<md5-2>,type:str]"),
        ("vault.yml", "$ANSIBLE_VAULT;1.1;AES256\n<sha256>\n<sha256-2>"),
        (".env", 'OPENAI_API_KEY="encrypted:<sha256><sha256-2>"'),
        ("package-lock.json", '{"integrity": "sha512-<sha256><sha256-2>=="}'),
        ("poetry.lock", 'MISTRAL_API_KEY = "<mistral-key>"'),
        ("site.css", ".sk-fading-circle .sk-circle-fade-dot-with-a-long-name { color: red; }"),
        ("README.md", "Set `OPENAI_API_KEY` to your key, such as `sk-proj-xxxxxxxxxxxxxxxxxxxxxxxx`."),
    ],
)
def test_what_holds_no_usable_key_is_quiet(path: str, text: str) -> None:
    assert _hits(path, text) == []


def test_an_env_file_that_git_ignores_is_where_a_key_belongs() -> None:
    assert _hits(".env", "OPENAI_API_KEY=<openai-key>", "ignored") == []
    assert _hits("config.yml", "OPENAI_API_KEY: <openai-key>", "ignored") == [(1, None, "openai")]


@pytest.mark.parametrize(
    ("path", "case"),
    [
        (".env", "env-file"),
        ("prod.env", "env-file"),
        (".github/workflows/test.yml", "workflow"),
        ("Dockerfile", "image"),
        ("config.yml", None),
        ("config.toml", None),
        ("notes.txt", None),
        ("src/client.ts", None),
        ("main.go", None),
        ("run.bat", None),
    ],
)
def test_the_kind_of_file_decides_what_is_to_be_done(path: str, case: str | None) -> None:
    assert _hits(path, "# first\nGROQ_API_KEY=<groq-key>\n", "tracked") == [(2, case, "groq")]


def test_without_git_an_env_file_is_a_file_like_any_other() -> None:
    assert _hits(".env", "GROQ_API_KEY=<groq-key>", "outside") == [(1, None, "groq")]


def test_the_output_of_a_notebook_cell_is_named_as_such() -> None:
    found = _hits("a.ipynb", "Authorization: Bearer <openai-key>", cell=3, part="output")
    assert found == [(1, "notebook-output", "openai")]


def test_a_doubt_is_said() -> None:
    assert _hits("a.yml", "NEBIUS_API_KEY: <unknown-token>") == [(1, "unknown-shape", "nebius")]
    assert _hits("a.html", 'mapsKey: "<google_gemini/standard>"') == [(1, "restricted", "google_gemini")]
    assert _hits("a.txt", "see <moonshot-key> there") == [(1, "likely", None)]
    key = make("github_models/classic_pat")
    assert _hits("a.txt", "x " + key[:-1] + ("A" if key[-1] != "A" else "B")) == [(1, "malformed", "github_models")]


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("MY_OWN_KEY=<groq-key>", "MY_OWN_KEY"),
        ("VITE_GROQ_API_KEY=<groq-key>", "GROQ_API_KEY"),
        ("apiKey: <groq-key>", "GROQ_API_KEY"),
        ("api_key: <moonshot-key>", ""),
    ],
)
def test_the_message_names_the_variable_the_key_should_have(text: str, variable: str) -> None:
    (hit,) = kg106.check(_facts("a.yml", fill(text)))
    assert hit.values["env"] == variable


def test_every_case_has_words() -> None:
    cases = {
        "likely",
        "unsure",
        "malformed",
        "unknown-shape",
        "restricted",
        "public-example",
        "notebook-output",
        "env-file",
        "workflow",
    }
    assert cases | {"image"} <= CATALOGUE.rules["KG106"].cases.keys()
