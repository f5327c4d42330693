"""What an answer means: real messages of providers and relays, and everything that is no answer of theirs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyguard.catalogue import load
from keyguard.model import Secret
from keyguard.verify import Question, plan
from keyguard.verify.answers import Judgement, Reply, judge, limits
from keyguard.verify.client import wanted_pause
from keyguard.verify.planning import Reading
from tests.keys import make

CATALOGUE = load()
JSON = (("content-type", "application/json"),)
LISTED = '{"object": "list", "data": [{"id": "a"}]}'


def reading(provider: str | None = None) -> Reading:
    """How answers of a provider's are read, or those of a host that nobody knows."""
    base = None if provider is not None else "https://relay.example/v1"
    (request,) = plan([Question(Secret(make("unknown-token")), "id", provider, base)], CATALOGUE)
    return request.asks[0].reading


def judged(status: int, body: str = LISTED, provider: str | None = None, kind: str = "application/json") -> Judgement:
    return judge(Reply(status, (("content-type", kind),), body.encode()), reading(provider))


@pytest.mark.parametrize(
    ("status", "body", "kind", "why"),
    [
        pytest.param(200, "<!doctype html><title>Sign in</title>", "text/html; charset=utf-8", "page", id="login-page"),
        pytest.param(200, " \n<html>", "application/json", "page", id="page-under-another-name"),
        pytest.param(401, "<html>401 Authorization Required</html>", "text/html", "page", id="guard-says-401"),
        pytest.param(403, "<html>Just a moment...</html>", "text/html", "page", id="guard-says-403"),
        pytest.param(200, "ok", "text/plain", "odd", id="no-json"),
        pytest.param(200, "", "application/json", "odd", id="empty"),
        pytest.param(200, '"ok"', "application/json", "odd", id="a-bare-text"),
        pytest.param(200, '{"data": [', "application/json", "odd", id="half-of-json"),
        pytest.param(200, "[" * 60000, "application/json", "odd", id="too-deep"),
        pytest.param(200, '{"ok": true}', "application/json", "odd", id="no-list-of-models"),
        pytest.param(200, '{"error": {"message": "bad"}, "data": []}', "application/json", "odd", id="error-in-200"),
        pytest.param(204, "", "application/json", "odd", id="nothing"),
        pytest.param(301, "", "text/plain", "redirect", id="moved"),
        pytest.param(307, LISTED, "application/json", "redirect", id="sent-elsewhere"),
        pytest.param(407, "", "text/plain", "portal", id="proxy-wants-a-login"),
        pytest.param(511, "{}", "application/json", "portal", id="network-wants-a-login"),
        pytest.param(400, "{}", "application/json", "odd", id="bad-request"),
        pytest.param(403, "{}", "application/json", "refused", id="forbidden"),
        pytest.param(404, "{}", "application/json", "absent", id="not-found"),
        pytest.param(405, "{}", "application/json", "absent", id="method"),
        pytest.param(403, '{"error": "API rate limit exceeded"}', "application/json", "rate", id="limit-said-with-403"),
        pytest.param(403, '{"error":{"code":"unsupported_country"}}', "application/json", "location", id="country"),
    ],
)
def test_nobody_can_tell(status: int, body: str, kind: str, why: str) -> None:
    assert judged(status, body, None, kind) == Judgement("unknown", why)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520])
@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_some_are_asked_again(status: int, kind: str) -> None:
    found = judged(status, "{}", None, kind)
    assert (found.state, found.again) == ("unknown", True)


@pytest.mark.parametrize("failure", ["timeout", "unreachable", "broken"])
def test_a_passing_failure_is_tried_again(failure: str) -> None:
    assert judge(Reply(failure=failure), reading()) == Judgement("unknown", failure, again=True)


@pytest.mark.parametrize("failure", ["no-host", "certificate", "proxy", "no-socks"])
def test_a_lasting_failure_is_not_tried_again(failure: str) -> None:
    assert judge(Reply(failure=failure), reading()) == Judgement("unknown", failure, again=False)


GEMINI_INVALID = json.dumps(
    {
        "error": {
            "code": 400,
            "message": "API key not valid. Please pass a valid API key.",
            "status": "INVALID_ARGUMENT",
            "details": [{"reason": "API_KEY_INVALID"}],
        }
    }
)


SAID = [
    # Relays and hosts that nobody knows.
    (None, 200, LISTED, "live", "accepted"),
    (None, 200, '{"models": []}', "live", "accepted"),
    (None, 200, '[{"id": "a"}]', "live", "accepted"),
    (None, 401, '{"error":{"message":"无效的令牌 (request id: 1)","type":"one_api_error"}}', "dead", "invalid"),
    (None, 403, '{"error":{"message":"无效的令牌"}}', "dead", "invalid"),
    (None, 401, '{"error":{"message":"该令牌已过期"}}', "dead", "expired"),
    (None, 401, '{"error":{"message":"该令牌状态不可用"}}', "dead", "blocked"),
    (None, 401, '{"error":{"message":"该令牌额度已用尽"}}', "live", "no-credit"),
    (None, 403, '{"error":{"message":"用户额度不足, 剩余额度: $0"}}', "live", "no-credit"),
    (None, 403, '{"error":{"message":"您的 IP 不在令牌允许访问的列表中"}}', "restricted", "address"),
    (None, 429, '{"error":{"code":"insufficient_quota"}}', "live", "no-credit"),
    (None, 402, "{}", "live", "no-credit"),
    (None, 401, "Unauthorized", "dead", "invalid"),
    # Vendors.
    ("openai", 403, '{"error":{"message":"Missing scopes: api.model.read"}}', "restricted", "scope"),
    ("openai", 403, '{"error":{"code":"unsupported_country_region_territory"}}', "unknown", "location"),
    ("openai", 429, '{"error":{"code":"insufficient_quota"}}', "live", "no-credit"),
    ("openai", 429, '{"error":{"code":"rate_limit_exceeded"}}', "live", "busy"),
    ("openai", 401, '{"error":{"code":"ip_not_authorized"}}', "restricted", "address"),
    ("openai", 401, '{"error":{"code":"incorrect_hostname"}}', "live", "region"),
    ("openai", 401, '{"error":{"code":"account_deactivated"}}', "dead", "blocked"),
    ("openai", 401, '{"error":{"code":"invalid_api_key"}}', "dead", "invalid"),
    ("anthropic", 401, '{"type":"error","error":{"type":"authentication_error"}}', "dead", "invalid"),
    ("anthropic", 403, '{"type":"error","error":{"type":"permission_error"}}', "restricted", "scope"),
    ("anthropic", 403, '{"error":{"type":"forbidden","message":"Request not allowed"}}', "unknown", "location"),
    ("google_gemini", 400, GEMINI_INVALID, "dead", "invalid"),
    ("google_gemini", 400, '{"error":{"message":"API key expired."}}', "dead", "expired"),
    ("google_gemini", 400, '{"error":{"message":"User location is not supported."}}', "unknown", "location"),
    ("google_gemini", 400, '{"error":{"message":"Invalid page size"}}', "unknown", "odd"),
    ("google_gemini", 403, '{"error":{"details":[{"reason":"API_KEY_SERVICE_BLOCKED"}]}}', "restricted", "scope"),
    ("google_gemini", 403, '{"details":[{"reason":"API_KEY_HTTP_REFERRER_BLOCKED"}]}', "restricted", "address"),
    ("google_gemini", 403, '{"error":{"message":"Your API key was reported as leaked."}}', "dead", "blocked"),
    ("google_gemini", 429, '{"error":{"status":"RESOURCE_EXHAUSTED"}}', "live", "busy"),
    ("xai", 200, '{"api_key_blocked":false,"api_key_disabled":false,"team_blocked":false}', "live", "accepted"),
    ("xai", 200, '{"name":"a","api_key_blocked":true,"api_key_disabled":false}', "dead", "blocked"),
    ("xai", 200, '{"name":"a","api_key_blocked":false,"api_key_disabled": true}', "dead", "blocked"),
    ("xai", 200, '{"name":"a","team_blocked":true}', "restricted", "account"),
    ("xai", 400, '{"error":"Incorrect API key provided"}', "dead", "invalid"),
    ("groq", 400, '{"error":{"code":"organization_restricted"}}', "restricted", "account"),
    ("elevenlabs", 401, '{"detail":{"status":"missing_permissions"}}', "restricted", "scope"),
    ("elevenlabs", 401, '{"detail":{"status":"quota_exceeded"}}', "live", "no-credit"),
    ("elevenlabs", 401, '{"detail":{"status":"detected_unusual_activity"}}', "restricted", "account"),
    ("elevenlabs", 401, '{"detail":{"status":"invalid_api_key"}}', "dead", "invalid"),
    ("zhipu", 429, '{"error":{"code":"1113","message":"余额不足或无可用资源包,请充值。"}}', "live", "no-credit"),
    ("zhipu", 429, '{"error":{"message":"Insufficient balance or no resource package."}}', "live", "no-credit"),
    ("deepseek", 200, '{"is_available":false,"balance_infos":[]}', "live", "no-credit"),
    ("deepseek", 200, '{"is_available":true,"balance_infos":[]}', "live", "accepted"),
    ("moonshot", 429, '{"error":{"type":"exceeded_current_quota_error"}}', "live", "no-credit"),
    ("minimax", 200, '{"base_resp":{"status_code":2049,"status_msg":"invalid api key"}}', "dead", "invalid"),
    ("alibaba_dashscope", 400, '{"error":{"code":"Arrearage"}}', "live", "no-credit"),
    ("alibaba_dashscope", 401, '{"error":{"code":"invalid_api_key"}}', "dead", "invalid"),
    ("volcengine_ark", 403, '{"error":{"code":"AccountOverdueError"}}', "live", "no-credit"),
    ("pinecone", 403, '{"error":{"code":"FORBIDDEN"}}', "restricted", "scope"),
    ("baseten", 403, '{"error":"nope"}', "dead", "invalid"),
    ("tavily", 432, '{"detail":{"error":"limit"}}', "live", "no-credit"),
    ("github_models", 403, '{"message":"Resource not accessible by integration"}', "restricted", "scope"),
    ("github_models", 403, '{"message":"API rate limit exceeded for 1.2.3.4"}', "unknown", "rate"),
]
"""Provider (None: a host that nobody knows), status, body, and what that means."""


@pytest.mark.parametrize(
    ("provider", "status", "body", "state", "why"),
    SAID,
    ids=lambda value: str(value)[:24] if value is not None else "relay",
)
def test_what_providers_say(provider: str | None, status: int, body: str, state: str, why: str) -> None:
    found = judged(status, body, provider)
    assert (found.state, found.why) == (state, why)


def test_a_list_that_is_longer_than_what_is_read_counts() -> None:
    body = b'{"object": "list", "data": [' + b" " * 60000
    assert judge(Reply(200, JSON, body, is_cut=True), reading()) == Judgement("live", "accepted")
    assert judge(Reply(200, JSON, b"ok" * 30000, is_cut=True), reading()) == Judgement("unknown", "odd")


@given(status=st.integers(100, 599), body=st.binary(max_size=200), is_cut=st.booleans())
def test_any_answer_is_read(status: int, body: bytes, is_cut: bool) -> None:  # noqa: FBT001  # a made value
    found = judge(Reply(status, JSON, body, is_cut), reading())
    assert found.state in {"live", "restricted", "dead", "unknown"}
    if found.state in {"live", "dead"}:
        assert status in {200, 400, 401, 402, 403, 429}


SECRET = Secret(make("openai/project"), "openai")


def limits_of(headers: dict[str, str], body: str = "{}", provider: str = "openrouter") -> dict[str, str]:
    return dict(limits(Reply(200, tuple(headers.items()), body.encode()), reading(provider), SECRET))


def test_an_answer_without_limits_says_none() -> None:
    assert limits_of({"content-type": "application/json", "x-request-id": "1"}, "no json") == {}
    assert limits_of({}, '{"data": []}') == {}
    assert limits_of({}, '{"data": {"limit": null, "usage": {"a": 1}}}') == {}


def test_limits_are_told_by_header_and_field() -> None:
    headers = {"x-ratelimit-remaining-requests": "59", "anthropic-ratelimit-tokens-reset": "2026-01-27T12:00:00Z"}
    assert limits_of(headers, '{"data": {"limit": 5, "usage": 1.5, "is_free_tier": false}}') == {
        **headers,
        "data.limit": "5",
        "data.usage": "1.5",
        "data.is_free_tier": "false",
    }


def test_limits_are_found_in_lists() -> None:
    body = '{"is_available": true, "balance_infos": [{"currency": "CNY", "total_balance": "110.00"}]}'
    assert limits_of({}, body, "deepseek") == {
        "is_available": "true",
        "balance_infos.0.currency": "CNY",
        "balance_infos.0.total_balance": "110.00",
    }


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(SECRET.value, id="the-key"),
        pytest.param(SECRET.value[20:32], id="a-part-of-it"),
        pytest.param("\x1b[2J", id="steers-a-terminal"),
        pytest.param("9" * 41, id="long"),
        pytest.param("", id="empty"),
        pytest.param("剩余 5", id="not-ascii"),
    ],
)
def test_a_value_that_may_not_be_shown_is_left_out(value: str) -> None:
    assert limits_of({"x-ratelimit-limit": value, f"x-ratelimit-{value}": "1"} if value else {}) == {}


def test_only_so_many_limits_are_kept() -> None:
    assert len(limits_of({f"x-ratelimit-{number}": "1" for number in range(100)})) == 20


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("0", 0),
        ("7", 7),
        (" 120 ", 120),
        ("9" * 300, 999999999),
        ("²", 0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 20),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0),
        ("Thu, 99 Jan 99999999 00:00:10 GMT", 0),
    ],
)
def test_how_long_a_host_wants_to_be_left_alone(value: str, expected: float) -> None:
    assert wanted_pause(value, now=40.0) == expected


@pytest.mark.parametrize("provider", [None, *CATALOGUE.providers])
def test_every_rule_about_bodies_is_tried_here(provider: str | None) -> None:
    # A rule that no message of the table above fits is a rule that nobody knows to work.
    verify = CATALOGUE.providers[provider].verify if provider is not None else CATALOGUE.verifying
    own = [Reply(status, JSON, body.encode()) for name, status, body, *_ in SAID if name == provider]
    own += [Reply(403, JSON, b'{"error": "API rate limit exceeded"}'), Reply(200, JSON, b'{"error": {"message": "x"}}')]
    own += [Reply(403, JSON, b'{"code": "unsupported_country_region_territory"}')]
    for meaning in verify.meanings if verify is not None else ():
        alone = Reading((), (), meanings=(meaning,))
        assert any(judge(reply, alone).why == meaning.why for reply in own), meaning
