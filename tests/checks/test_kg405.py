"""KG405: a retry on every error also repeats a wrong key."""

from __future__ import annotations

import pytest

from keyguard.checks import kg405
from tests.checks.networks import heard

_HEAD = "import time, openai, requests\nfrom openai import OpenAI, RateLimitError\nclient = OpenAI()\n"
_URL = "'https://api.openai.com/v1/chat/completions'"
_CALL = "client.chat.completions.create(model='gpt-4o', messages=[])"


def _heard(text: str) -> list[tuple[int, str | None, str]]:
    found = heard(kg405.check, _HEAD + text.replace("CALL", _CALL).replace("URL", _URL))
    return [(one.line - 3, one.case, one.text) for one in found]


def _loop(*clauses: str, head: str = "for i in range(5)") -> str:
    return f"{head}:\n    try:\n        x = CALL\n        break\n" + "".join(f"    {clause}\n" for clause in clauses)


@pytest.mark.parametrize(
    "text",
    [
        _loop("except openai.APIConnectionError: time.sleep(i)"),
        _loop("except (openai.InternalServerError, openai.APITimeoutError): time.sleep(i)"),
        _loop("except openai.AuthenticationError: raise", "except Exception: time.sleep(i)"),
        _loop("except openai.APIError: raise", "except Exception: time.sleep(i)"),
        _loop("except Exception as e:\n        if e.status_code == 401: raise\n        time.sleep(i)"),
        _loop(
            "except Exception as e:\n        text = str(e)\n        if 'rate' not in text: raise\n        time.sleep(i)"
        ),
        _loop("except Exception: raise"),
        _loop("except RateLimitError as e:\n        if e.code == 'insufficient_quota': raise\n        time.sleep(i)"),
        _loop("except ValueError: continue"),
        "for q in ['a']:\n    try:\n        x = CALL\n    except Exception: pass\n",
        "import tenacity as t\n@t.retry(retry=t.retry_if_exception_type(RateLimitError))\ndef f(): return CALL\n",
        "import tenacity as t\n@t.retry(retry=t.retry_if_exception(lambda e: e.code == 429))\ndef f(): return CALL\n",
        "import backoff\n@backoff.on_exception(backoff.expo, Exception, giveup=fatal)\ndef f(): return CALL\n",
        "import stamina\n@stamina.retry(on=RateLimitError)\ndef f(): return CALL\n",
        (
            "for i in range(5):\n    try:\n"
            "        r = requests.post(URL, json={})\n        if r.status_code == 200: break\n"
            "    except Exception: continue\n"
        ),
        "x = CALL\n",
    ],
    ids=[
        "connections",
        "servers",
        "wrong key first",
        "api errors first",
        "status",
        "text",
        "raise",
        "quota",
        "an error of one's own",
        "one try",
        "tenacity with a class",
        "tenacity with a test",
        "giveup",
        "stamina",
        "statuses are answered, only connections raise",
        "no retry",
    ],
)
def test_what_is_repeated_with_care_is_fine(text: str) -> None:
    assert _heard(text) == []


@pytest.mark.parametrize(
    ("text", "line", "case", "shown"),
    [
        (_loop("except Exception: time.sleep(i)"), 5, None, "except Exception"),
        (_loop("except: time.sleep(i)"), 5, None, "except"),
        (_loop("except (ValueError, Exception): time.sleep(i)"), 5, None, "except (ValueError, Exception"),
        (_loop("except RateLimitError: time.sleep(i)", "except Exception: pass"), 6, None, "except Exception"),
        (_loop("except RateLimitError: time.sleep(i)"), 5, "quota", "except RateLimitError"),
        (_loop("except Exception: time.sleep(i)", head="while True"), 5, None, "except Exception"),
        ("import tenacity\n@tenacity.retry\ndef f(): return CALL\n", 2, "tool", "tenacity.retry"),
        (
            "import tenacity as t\n@t.retry(stop=t.stop_after_attempt(3))\ndef f(): return CALL\n",
            2,
            "tool-default",
            "t.retry(stop=t.stop_after_attempt(3))",
        ),
        (
            "import tenacity as t\n@t.retry(stop=t.stop_after_attempt(9))\ndef f(): return CALL\n",
            2,
            "tool",
            "t.retry(stop=t.stop_after_attempt(9))",
        ),
        (
            "import backoff\n@backoff.on_exception(backoff.expo, Exception, max_tries=3)\ndef f(): return CALL\n",
            2,
            "tool",
            "Exception",
        ),
        ("import litellm\nx = litellm.completion(model='gpt-4o', messages=[], num_retries=3)\n", 2, "setting", "3"),
    ],
    ids=[
        "Exception",
        "bare",
        "Exception among others",
        "second clause",
        "quota",
        "endless",
        "tenacity",
        "tenacity's default",
        "tenacity nine times",
        "backoff",
        "litellm",
    ],
)
def test_a_retry_on_every_error_is_reported(text: str, line: int, case: str | None, shown: str) -> None:
    assert _heard(text) == [(line, case, shown)]


def test_the_setting_says_how_many_requests_a_wrong_key_costs() -> None:
    text = "import litellm\nx = litellm.completion(model='gpt-4o', messages=[], num_retries=3)\n"
    assert heard(kg405.check, text)[0].hit.values["attempts"] == "4"
