"""Fixes that could change what a program means are offered as unsafe, or only shown."""

from __future__ import annotations

import pytest

from keyguard.model import Safety
from tests.keys import fill
from tests.moving.made import moved, run

OS = "import os\n"


@pytest.mark.parametrize(
    "last",
    [
        pytest.param('os.environ.get("OPENAI_API_KEY") or "<openai-key-2>"', id="or"),
        pytest.param(
            'os.environ["OPENAI_API_KEY"] if "OPENAI_API_KEY" in os.environ else "<openai-key-2>"', id="choice"
        ),
    ],
)
def test_a_fallback_that_another_key_would_win_over_is_unsafe(last: str) -> None:
    fixed = moved(OS + f'a = os.getenv("OPENAI_API_KEY", "<openai-key>")\nb = {last}\n')
    assert [fix.safety for fix in fixed.fixes] == [Safety.SAFE, Safety.UNSAFE]
    assert set(fixed.moves) == {"OPENAI_API_KEY", "OPENAI_API_KEY_2"}


@pytest.mark.parametrize(
    "expression",
    [
        '(os.getenv("A_KEY") or os.getenv("B_KEY")) or "<openai-key>"',
        '((os.getenv("A_KEY") or os.getenv("B_KEY")) or os.getenv("C_KEY")) or "<openai-key>"',
        '(os.getenv("A_KEY") or os.getenv("B_KEY") or "<openai-key>")',
        'os.getenv("A_KEY") or (os.getenv("B_KEY") or "<openai-key>")',
    ],
)
def test_brackets_in_a_chain_of_fallbacks_stay_in_pairs(expression: str) -> None:
    before = OS + f"sink({expression})\n"
    fixed = moved(before)  # parses what it made
    assert run(fixed.text, fixed.moves) == run(fill(before), {})
    assert run(fixed.text, {**fixed.moves, "A_KEY": "mine"}) == run(fill(before), {"A_KEY": "mine"})
