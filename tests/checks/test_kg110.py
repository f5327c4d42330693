"""KG110: keys in variables that a bundler ships to every visitor."""

from __future__ import annotations

import pytest

from keyguard.checks import kg110
from tests.checks.test_kg106 import _facts
from tests.keys import fill


def _names(path: str, text: str, status: str = "untracked") -> list[str]:
    return [hit.values["name"] for hit in kg110.check(_facts(path, fill(text), status))]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".env", "OPENAI_API_KEY=<openai-key>"),
        (".env", "VITE_OPENAI_API_KEY="),
        (".env", "VITE_OPENAI_API_KEY=your-api-key-here"),
        (".env", "VITE_BUILD=<sha1>\nNEXT_PUBLIC_ID=<uuid>"),
        ("compose.yml", "- VITE_OPENAI_API_KEY=${VITE_OPENAI_API_KEY}"),
        (".env", "NEXT_PUBLIC_MAPS_KEY=<google_gemini/standard>"),
        ("app.py", 'VITE_OPENAI_API_KEY = "<openai-key>"'),
        ("client.ts", "const key = import.meta.env.VITE_OPENAI_API_KEY"),
    ],
)
def test_what_is_meant_for_the_browser_or_no_key_is_quiet(path: str, text: str) -> None:
    assert _names(path, text) == []


@pytest.mark.parametrize("prefix", ["NEXT_PUBLIC_", "VITE_", "REACT_APP_", "EXPO_PUBLIC_", "NUXT_PUBLIC_"])
def test_a_key_under_a_browser_s_variable_is_found(prefix: str) -> None:
    assert _names(".env", f"A=1\n{prefix}OPENAI_API_KEY=<openai-key>\n") == [f"{prefix}OPENAI_API_KEY"]


def test_that_git_ignores_the_file_changes_nothing() -> None:
    assert _names(".env.local", "VITE_GROQ_API_KEY=<groq-key>", "ignored") == ["VITE_GROQ_API_KEY"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("eas.json", '{"env": {"EXPO_PUBLIC_KEY": "<anthropic-key>"}}'),
        ("build.sh", "EXPO_PUBLIC_KEY=<huggingface-key> npm run build"),
        ("compose.yml", "      - EXPO_PUBLIC_KEY=<groq-key>"),
        ("Dockerfile", "ENV EXPO_PUBLIC_KEY=<openrouter-key>"),
    ],
)
def test_it_is_found_in_every_kind_of_file(path: str, text: str) -> None:
    assert _names(path, text) == ["EXPO_PUBLIC_KEY"]
