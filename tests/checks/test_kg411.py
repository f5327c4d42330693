"""KG411: a rate limit that is answered with nothing."""

from __future__ import annotations

import pytest

from keyguard.checks import kg411
from tests.checks.networks import heard

_HEAD = "import openai\nfrom openai import OpenAI, RateLimitError\nclient = OpenAI()\n"
_CALL = "client.responses.create(model='gpt-4o', input='x')"


def _heard(text: str) -> list[tuple[int, str | None, str]]:
    found = heard(kg411.check, _HEAD + text.replace("CALL", _CALL))
    return [(one.line - 3, one.case, one.text) for one in found]


def _ask(clause: str) -> str:
    return f"def ask():\n    try:\n        return CALL\n    {clause}\n"


@pytest.mark.parametrize(
    "text",
    [
        _ask("except RateLimitError: raise"),
        _ask("except RateLimitError as e: raise ValueError from e"),
        _ask("except RateLimitError: return fallback()"),
        _ask("except RateLimitError:\n        log()\n        return None"),
        _ask("except RateLimitError:\n        logger.error('limited')\n        raise"),
        _ask("except RateLimitError:\n        logger.error('limited')\n        return fallback()"),
        _ask("except RateLimitError: print('limited, ask again later')"),
        _ask("except openai.APITimeoutError: return None"),
        _ask("except Exception: return None"),
        "for i in range(3):\n    try:\n        x = CALL\n        break\n    except RateLimitError: pass\n",
        "try:\n    x = 1\nexcept RateLimitError: pass\n",
    ],
    ids=[
        "raise",
        "another error",
        "another model",
        "told",
        "logged and raised",
        "logged",
        "printed",
        "timeout",
        "everything",
        "tried again",
        "no model call",
    ],
)
def test_rate_limits_that_are_answered_for_are_fine(text: str) -> None:
    assert _heard(text) == []


@pytest.mark.parametrize(
    ("text", "line", "case", "shown"),
    [
        (_ask("except RateLimitError: return None"), 4, None, "except RateLimitError"),
        (_ask("except RateLimitError: return ''"), 4, None, "except RateLimitError"),
        (_ask("except RateLimitError: return []"), 4, None, "except RateLimitError"),
        (
            _ask("except RateLimitError:\n        logging.warning('limited')\n        return ''"),
            4,
            None,
            "except RateLimitError",
        ),
        (
            _ask("except RateLimitError as e:\n        print(e)\n        self.log(e)\n        return None"),
            4,
            None,
            "except RateLimitError",
        ),
        (_ask("except openai.RateLimitError: pass"), 4, "pass", "except openai.RateLimitError"),
        ("try:\n    x = CALL\nexcept RateLimitError:\n    x = ''\n", 3, None, "except RateLimitError"),
        (
            "for q in ['a']:\n    try:\n        print(CALL)\n    except RateLimitError: pass\n",
            4,
            "pass",
            "except RateLimitError",
        ),
    ],
    ids=[
        "None",
        "empty text",
        "empty list",
        "logged",
        "printed and logged",
        "pass",
        "assigned",
        "in a loop over questions",
    ],
)
def test_a_swallowed_rate_limit_is_reported(text: str, line: int, case: str | None, shown: str) -> None:
    assert _heard(text) == [(line, case, shown)]
