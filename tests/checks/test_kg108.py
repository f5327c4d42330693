"""KG108 reports what is no model-API key: where, in which case, and never in the clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keyguard.catalogue import load
from keyguard.checks.facts import TextFacts
from keyguard.checks.kg108 import check
from keyguard.prefilter import PLUGINS, Prefilter
from keyguard.settings import Settings
from keyguard.source import decode
from tests.keys import fill, make

if TYPE_CHECKING:
    from keyguard.model import Hit

CATALOGUE = load()


def hits(text: str, path: str = "config/app.yml", on: tuple[str, ...] = (), off: tuple[str, ...] = ()) -> list[Hit]:
    """The hits on a text in which placeholders stand for secrets."""
    source = decode(path, fill(text).encode())
    wanted = frozenset(name for name, (_, default, _) in PLUGINS.items() if default or name in on)
    signals = Prefilter(CATALOGUE, wanted).scan(source.text.encode(), source.kind, path)
    settings = Settings(plugins_on=on, plugins_off=off)
    return list(check(TextFacts(source, CATALOGUE, settings, signals, lambda: "tracked")))


def said(hit: Hit) -> str:
    """The message a person reads."""
    rule = CATALOGUE.rules["KG108"]
    case = rule.cases.get(hit.case) if hit.case else None
    return (case.message if case and case.message else rule.message).format_map(hit.values)


@pytest.mark.parametrize(
    "text",
    [
        "token: ${SLACK_TOKEN}\n",
        "url: postgres://app:${DB_PASSWORD}@db/app\n",
        "url: https://user:password@example.com/\n",
        "aws: AKIAIOSFODNN7EXAMPLE\n",
        "digest: <sha256>\nbuild: <uuid>\nblob: <unknown-token>\n",
        "-----BEGIN PRIVATE KEY-----\n",
        "password: hunter2-is-my-password\n",
        "dns: 8.8.8.8\n",
        "$ANSIBLE_VAULT;1.1;AES256\nkey: <aws-access-key>\n",
    ],
)
def test_stays_quiet_on(text: str) -> None:
    assert hits(text) == []


def test_is_quiet_where_settings_turned_the_plug_in_off() -> None:
    assert hits("key: <aws-access-key>\n", off=("AWSKeyDetector",)) == []


@pytest.mark.parametrize(
    ("text", "secret", "case", "message"),
    [
        ("key: <aws-access-key>\n", "aws-access-key", None, "AWS Access Key found: AKIA… (20 characters)"),
        ("t: <slack-token>\n", "slack-token", None, "Slack Token found: xoxb-… (55 characters)"),
        ("t: <jwt>\n", "jwt", "jwt", "a signed token (JWT) is in this file: eyJ… "),
        (
            "url: redis://app:<random-password>@cache.prod.net/0\n",
            "random-password",
            "basic-auth",
            "a URL holds a user name and a password",
        ),
    ],
)
def test_points_at_the_secret_and_says_what_it_is(text: str, secret: str, case: str | None, message: str) -> None:
    (hit,) = hits(text)
    value = make(secret)
    assert hit.rule == "KG108"
    assert hit.case == case
    assert fill(text)[hit.span.start : hit.span.end] == value
    assert hit.secret is not None
    assert hit.secret.value == value
    assert said(hit).startswith(message)
    assert value not in said(hit)


def test_a_private_key_is_reported_at_its_header_and_hides_its_body() -> None:
    (hit,) = hits("<private-key>\n", "keys/id_deploy")
    assert hit.case == "private-key"
    assert fill("<private-key>\n")[hit.span.start : hit.span.end] == "-----BEGIN PRIVATE KEY-----"
    assert hit.secret is not None
    assert hit.secret.value == make("private-key").split("\n")[1]
    assert said(hit) == "a private key is in this file"


def test_a_plug_in_that_is_off_finds_what_it_knows_once_it_is_turned_on() -> None:
    text = 'password = "correct-horse-battery"\n'
    assert hits(text, "app.py") == []
    (hit,) = hits(text, "app.py", on=("KeywordDetector",))
    assert hit.case == "keyword"
    assert said(hit) == "Secret Keyword found: … (21 characters)"


def test_a_call_that_takes_the_secret_is_no_reason_to_drop_it() -> None:
    (hit,) = hits('client = Client(token="<slack-token>")\n', "app.py")
    assert hit.values["name"] == "Slack Token"
