"""A plan and its verdicts in words, English and Chinese, that say all and show nothing."""

# ruff: noqa: RUF001  # full-width punctuation is what Chinese is written with

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import keyguard.verify
from keyguard.catalogue import load
from keyguard.knowledge import REACHES
from keyguard.lang.verify import ENTRIES
from keyguard.leaks import VERDICTS, Verdict
from keyguard.model import Secret
from keyguard.verify import Question, plan, say_count, say_plan, say_reach, say_verdict
from tests.keys import make

CATALOGUE = load()
CODE = "\n".join(path.read_text(encoding="utf-8") for path in Path(keyguard.verify.__file__).parent.glob("*.py"))


def questions() -> list[Question]:
    keys = [
        (make("openai", 1), "openai", None),
        (make("openai", 2), "openai", "https://relay.example/v1"),
        (make("moonshot"), "moonshot", None),
        (make("relay"), "relay_one_api", "https://relay.example/v1"),
        (make("relay", 1), "relay_one_api", None),
        (make("relay", 2), "relay_one_api", None),
        (make("langfuse"), "langfuse", None),
    ]
    return [Question(Secret(value, whose), value[-9:], whose, base) for value, whose, base in keys]


def test_a_plan_without_keys_says_so() -> None:
    assert say_plan([], "en") == "No key will be sent anywhere."
    assert say_plan([], "zh") == "不会发送任何密钥。"


def test_a_plan_of_one_key_is_in_the_singular() -> None:
    requests = plan(questions()[:1], CATALOGUE)
    assert say_plan(requests, "en") == "1 key will be sent:\n  1 to api.openai.com"


def test_a_plan_says_what_goes_where_and_what_does_not() -> None:
    requests = plan(questions(), CATALOGUE)
    assert say_plan(requests, "en").splitlines() == [
        "4 keys will be sent:",
        "  2 to api.openai.com",
        "  1 to api.moonshot.ai, then api.moonshot.cn until one knows it",
        "  1 to relay.example",
        "3 keys are not asked about:",
        "  2: only the address of its own resource can be asked, and it was found without one",
        "  1: its provider wants something beside it that was not found with it",
    ]
    assert say_plan(requests, "zh").splitlines() == [
        "将发送 4 个密钥：",
        "  2 个发往 api.openai.com",
        "  1 个发往 api.moonshot.ai，如果不认得，再依次发往 api.moonshot.cn",
        "  1 个发往 relay.example",
        "3 个密钥不作验证：",
        "  2 个：只能向它所属资源的地址验证，而发现它时没有这个地址",
        "  1 个：提供商还需要另一项凭据，而发现它时没有一并找到",
    ]


def test_a_plan_shows_no_key() -> None:
    asked = questions()
    text = say_plan(plan(asked, CATALOGUE), "en")
    assert not [one for one in asked if one.secret.value in text or one.secret.value[-9:] in text]


def test_a_verdict_is_one_line() -> None:
    verdict = Verdict("live", "api.openai.com", 200, "api.openai.com accepts it")
    assert say_verdict(verdict, "en") == "live: api.openai.com accepts it"
    assert say_verdict(verdict._replace(reason="api.openai.com 接受该密钥"), "zh") == "有效：api.openai.com 接受该密钥"
    told = verdict._replace(limits=(("x-ratelimit-limit", "60"), ("x-ratelimit-remaining", "59")))
    assert say_verdict(told, "en") == (
        "live: api.openai.com accepts it (x-ratelimit-limit 60, x-ratelimit-remaining 59)"
    )


def test_verdicts_are_counted() -> None:
    verdicts = [Verdict(state) for state in ("dead", "live", "dead", "unknown")]
    assert say_count(verdicts, "en") == "1 live, 2 dead, 1 unknown"
    assert say_count(verdicts, "zh") == "1 个有效、2 个已失效、1 个未知"
    assert say_count([], "en") == ""


def test_what_a_key_opens_is_said() -> None:
    openai = CATALOGUE.providers["openai"]
    admin = CATALOGUE.shapes["openai/admin"]
    assert say_reach(openai.reach_of(CATALOGUE.shapes["openai/project"]), "en") == (
        "call models at your cost; read and delete uploaded files and tuned models"
    )
    assert say_reach(openai.reach_of(admin), "en") == "make and delete keys and members; read what was used and paid"
    assert say_reach(CATALOGUE.providers["lingyiwanwu"].reach_of(), "zh") == "调用模型，费用由您承担"


def test_a_key_that_manages_makes_keys_whatever_else_it_opens() -> None:
    for shape in CATALOGUE.shapes.values():
        reach = CATALOGUE.providers[shape.provider].reach_of(shape)
        assert reach
        assert ("keys" in reach) == (shape.manages or "keys" in shape.reach)


@pytest.mark.parametrize("name", ENTRIES["en"])
def test_every_text_stands_in_both_languages_with_the_same_values(name: str) -> None:
    def values(lang: str) -> set[str | None]:
        entry = ENTRIES[lang][name]
        return {field for _, field, _, _ in string.Formatter().parse(entry if isinstance(entry, str) else entry[1])}

    chinese = ENTRIES["zh"][name]
    assert isinstance(chinese, str)
    assert values("en") - {None} == values("zh") - {None}


def test_both_languages_have_the_same_texts() -> None:
    assert set(ENTRIES["en"]) == set(ENTRIES["zh"])
    assert {f"state.{state}" for state in VERDICTS} <= set(ENTRIES["en"])
    assert {f"reach.{name}" for name in REACHES} <= set(ENTRIES["en"])


def test_every_reason_is_given_somewhere_and_no_other() -> None:
    given = set(re.findall(r'"([a-z-]+)"', CODE))
    meanings = [
        *CATALOGUE.verifying.meanings,
        *(one for provider in CATALOGUE.providers.values() if provider.verify for one in provider.verify.meanings),
    ]
    given |= {meaning.why for meaning in meanings}
    known = {name.removeprefix("why.") for name in ENTRIES["en"] if name.startswith("why.")}
    assert known <= given
    for name in re.findall(r'(?:Refused\(|Judgement\("[a-z]+", )"([a-z-]+)"', CODE):
        assert name in known


def test_a_reason_that_is_said_before_anybody_answered_needs_no_host() -> None:
    for name in re.findall(r'Refused\("([a-z-]+)"', CODE):
        assert "{" not in str(ENTRIES["en"][f"why.{name}"])
