"""KG210: which of two variables is passed over."""

from __future__ import annotations

import pytest

from keyguard.checks.kg210 import check, check_text
from tests.checks.facts import hits
from tests.keys import fill
from tests.python.connected import cases


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("GOOGLE_API_KEY=<gemini-key>\n", id="one"),
        pytest.param("GOOGLE_API_KEY=<gemini-key>\nGEMINI_API_KEY=<gemini-key>\n", id="equal"),
        pytest.param("GOOGLE_API_KEY=<gemini-key>\nGEMINI_API_KEY='<gemini-key>'  # same\n", id="equal-in-quotes"),
        pytest.param("GOOGLE_API_KEY=\nGEMINI_API_KEY=<gemini-key>\n", id="empty"),
        pytest.param("GOOGLE_API_KEY=your-key-here\nGEMINI_API_KEY=<gemini-key>\n", id="placeholder"),
        pytest.param("# GOOGLE_API_KEY=<gemini-key>\nGEMINI_API_KEY=<gemini-key-2>\n", id="comment"),
        pytest.param("GEMINI_API_KEY=<gemini-key>\nGOOGLE_API_KEY=${GEMINI_API_KEY}\n", id="reference"),
        pytest.param("OPENAI_API_KEY=<openai-key>\nANTHROPIC_API_KEY=<claude-key>\n", id="two-providers"),
    ],
)
def test_variables_that_do_not_conflict_stay_quiet(text: str) -> None:
    assert hits(check_text, ".env", text) == []


def test_a_template_sets_nothing() -> None:
    assert hits(check_text, ".env.example", "GOOGLE_API_KEY=<gemini-key>\nGEMINI_API_KEY=<gemini-key-2>\n") == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("GOOGLE_API_KEY=<gemini-key>\nGEMINI_API_KEY=<gemini-key-2>\n", "GEMINI_API_KEY"),
        ("export GEMINI_API_KEY=<gemini-key>\nexport GOOGLE_API_KEY=<gemini-key-2>\n", "GEMINI_API_KEY"),
        ("ANTHROPIC_API_KEY=<claude-key>\nANTHROPIC_AUTH_TOKEN=<claude-key-2>\n", "ANTHROPIC_AUTH_TOKEN"),
        ("OPENAI_API_BASE=https://api.openai.com/v1\nOPENAI_BASE_URL=https://api.deepseek.com\n", "OPENAI_BASE_URL"),
    ],
)
def test_the_one_that_is_passed_over_is_shown(text: str, name: str) -> None:
    found = hits(check_text, ".env", text)
    assert [fill(text)[hit.span.start : hit.span.end] for hit in found] == [name]
    assert [other for hit in found for _, other in hit.related] == ["wins"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('os.environ["GEMINI_API_KEY"] = load()\n', [], id="unknown"),
        pytest.param('os.environ["GEMINI_API_KEY"] = "<gemini-key>"\n', [], id="equal"),
        pytest.param('if x:\n    os.environ["GEMINI_API_KEY"] = "<gemini-key-2>"\n', [], id="in-a-branch"),
        pytest.param('os.environ["GEMINI_API_KEY"] = "<gemini-key-2>"\n', [(3, None)], id="both"),
        pytest.param('os.environ.setdefault("GEMINI_API_KEY", "<gemini-key-2>")\n', [(3, None)], id="a-call"),
    ],
)
def test_what_code_sets_is_compared(text: str, expected: list[tuple[int, str | None]]) -> None:
    assert cases(check, f'import os\nos.environ["GOOGLE_API_KEY"] = "<gemini-key>"\n{text}') == expected
