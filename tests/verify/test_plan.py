"""Which key would go where: to its own provider or the base URL it was found with, and to nobody else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyguard.catalogue import Provider, load
from keyguard.model import Secret
from keyguard.verify import Question, Request, plan
from keyguard.verify.addresses import Base, is_loopback, read_base
from tests.keys import make, shape_ids

CATALOGUE = load()
RELAY = make("relay_one_api/new_api")
PLAIN = make("unknown-token")


def question(name: str, provider: str | None = None, base_url: str | None = None) -> Question:
    """A question about a made key of a shape, or about a given value."""
    value = name if len(name) > 39 else make(name)
    return Question(Secret(value, provider), f"id of {value}", provider, base_url)


def planned(name: str, provider: str | None = None, base_url: str | None = None) -> Request:
    """The one request that one question comes to."""
    (request,) = plan([question(name, provider, base_url)], CATALOGUE)
    return request


def urls(request: Request) -> list[str]:
    """Every URL that may be asked, in order."""
    return [url for ask in request.asks for url in ask.urls]


@pytest.mark.parametrize(
    ("value", "provider", "base_url", "why"),
    [
        pytest.param(PLAIN, None, None, "no-provider", id="nobody-knows-whose"),
        pytest.param(RELAY, "relay_one_api", None, "needs-base", id="software-without-address"),
        pytest.param(PLAIN, "litellm_proxy", None, "needs-base", id="software-on-loopback-without-address"),
        pytest.param("azure", "azure_openai", None, "needs-base", id="resource-without-address"),
        pytest.param(
            "azure", "azure_openai", "https://apim.corp.example/openai", "needs-base", id="somebody-elses-host"
        ),
        pytest.param("databricks", "databricks", "https://{workspace}/serving-endpoints", "needs-base", id="template"),
        pytest.param("langfuse/secret", "langfuse", None, "needs-more", id="half-of-a-pair"),
        pytest.param("anthropic/oauth_access", "anthropic", None, "no-request", id="shape-without-request"),
        pytest.param(
            "github_copilot", "github_copilot", "https://api.githubcopilot.com", "no-request", id="no-request"
        ),
        pytest.param("fal", "fal", None, "no-request", id="no-list-of-models"),
        pytest.param(PLAIN, "somebody-new", "https://a.example/v1", "no-request", id="issued-by-no-model-provider"),
        pytest.param(RELAY, "relay_one_api", "https://api.openai.com/v1", "foreign", id="relay-key-at-a-vendor"),
        pytest.param("mistral", "mistral", "https://codestral.mistral.ai/v1", "apart", id="host-with-keys-of-its-own"),
        pytest.param(PLAIN, None, "http://relay.example/v1", "plain", id="plain-http"),
        pytest.param(PLAIN, None, "http://10.0.0.3:4000/v1", "plain", id="plain-http-in-a-private-network"),
        pytest.param(PLAIN, None, "https://u:p@relay.example/v1", "userinfo", id="user-information"),
        pytest.param(PLAIN, None, "https://169.254.169.254/v1", "refused-host", id="metadata"),
        pytest.param(PLAIN, None, "https://metadata.google.internal/v1", "refused-host", id="metadata-name"),
        pytest.param(PLAIN, None, "https://{host}/v1", "bad-base", id="placeholder"),
        pytest.param(PLAIN, None, f"https://relay.example/{PLAIN}/v1", "key-in-url", id="key-in-the-path"),
        pytest.param(PLAIN, None, f"https://{PLAIN.lower()}.example/v1", "key-in-url", id="key-in-the-host"),
        pytest.param(PLAIN[:20] + "\n" + PLAIN[20:], None, "https://relay.example/v1", "unsendable", id="newline"),
        pytest.param(PLAIN + "é", None, "https://relay.example/v1", "unsendable", id="not-ascii"),
        pytest.param(PLAIN + " x", None, "https://relay.example/v1", "unsendable", id="space"),
    ],
)
def test_nothing_is_asked(value: str, provider: str | None, base_url: str | None, why: str) -> None:
    request = planned(value, provider, base_url)
    assert request.asks == ()
    assert request.why == why


def test_no_questions_come_to_no_requests() -> None:
    assert plan([], CATALOGUE) == ()


@pytest.mark.parametrize(
    ("value", "provider", "base_url", "expected"),
    [
        pytest.param("openai", "openai", None, ["https://api.openai.com/v1/models"], id="provider"),
        pytest.param(
            "openai",
            "openai",
            "https://relay.example/v1",
            ["https://api.openai.com/v1/models"],
            id="found-with-a-relay",
        ),
        pytest.param(
            "openai",
            "openai",
            "https://api.anthropic.com",
            ["https://api.openai.com/v1/models"],
            id="found-with-another",
        ),
        pytest.param(
            "openai", "openai", "http://a:b@c", ["https://api.openai.com/v1/models"], id="bad-address-is-ignored"
        ),
        pytest.param(
            "openai/admin",
            "openai",
            None,
            ["https://api.openai.com/v1/organization/admin_api_keys?limit=1"],
            id="shape-with-a-request-of-its-own",
        ),
        pytest.param(
            "xai/management",
            "xai",
            None,
            ["https://management-api.x.ai/auth/management-keys/validation"],
            id="shape-at-another-host",
        ),
        pytest.param(
            "moonshot",
            "moonshot",
            None,
            ["https://api.moonshot.ai/v1/models", "https://api.moonshot.cn/v1/models"],
            id="regions-have-keys-of-their-own",
        ),
        pytest.param(
            "moonshot",
            "moonshot",
            "https://api.moonshot.cn/v1",
            ["https://api.moonshot.cn/v1/models", "https://api.moonshot.ai/v1/models"],
            id="the-region-it-was-found-with-comes-first",
        ),
        pytest.param(
            "moonshot/kimi_code", "moonshot", None, ["https://api.kimi.com/coding/v1/models"], id="plan-at-its-endpoint"
        ),
        pytest.param(
            "voyage/mongodb_atlas", "voyage", None, ["https://ai.mongodb.com/v1/files"], id="endpoint-elsewhere"
        ),
        pytest.param(
            "tencent_hunyuan/token_plan",
            "tencent_hunyuan",
            None,
            ["https://tokenhub.tencentmaas.com/plan/v3/models"],
            id="endpoint-with-a-path",
        ),
        pytest.param(
            "azure",
            "azure_openai",
            "https://my-thing.openai.azure.com/openai/v1/",
            ["https://my-thing.openai.azure.com/openai/models?api-version=2024-10-21"],
            id="resource",
        ),
        pytest.param(
            "databricks",
            "databricks",
            "https://dbc-1.cloud.databricks.com/serving-endpoints",
            ["https://dbc-1.cloud.databricks.com/api/2.0/preview/scim/v2/Me"],
            id="workspace",
        ),
        pytest.param(
            PLAIN,
            "meta_llama",
            None,
            ["https://api.llama.com/compat/v1/models", "https://api.meta.ai/v1/models"],
            id="models",
        ),
        pytest.param(
            PLAIN,
            "meta_llama",
            "https://api.meta.ai/v1/",
            ["https://api.meta.ai/v1/models", "https://api.llama.com/compat/v1/models"],
            id="models-where-it-was-found-first",
        ),
        pytest.param(
            RELAY, "relay_one_api", "https://relay.example/v1", ["https://relay.example/v1/models"], id="relay"
        ),
        pytest.param(
            RELAY,
            "relay_one_api",
            "https://api.laozhang.ai/v1",
            ["https://api.laozhang.ai/v1/models"],
            id="known-relay",
        ),
        pytest.param(
            PLAIN, None, "https://llm.corp.example:8443/v1/", ["https://llm.corp.example:8443/v1/models"], id="own-host"
        ),
        pytest.param(PLAIN, None, "http://127.0.0.1:4000/v1", ["http://127.0.0.1:4000/v1/models"], id="loopback"),
        pytest.param(
            PLAIN,
            None,
            "http://localhost:4000",
            ["http://localhost:4000/v1/models", "http://localhost:4000/models"],
            id="localhost",
        ),
        pytest.param(
            PLAIN,
            None,
            "https://relay.example/api",
            ["https://relay.example/api/models", "https://relay.example/api/v1/models"],
            id="version-unknown",
        ),
        pytest.param(
            PLAIN,
            None,
            "https://relay.example/v1/chat/completions?key=1#x",
            ["https://relay.example/v1/models"],
            id="a-whole-call",
        ),
        pytest.param(
            PLAIN, None, "https://api.deepseek.com/v1", ["https://api.deepseek.com/user/balance"], id="whose-host-it-is"
        ),
    ],
)
def test_what_is_asked(value: str, provider: str | None, base_url: str | None, expected: list[str]) -> None:
    request = planned(value, provider, base_url)
    assert urls(request) == expected
    assert request.why == ""


def test_a_key_travels_as_its_provider_wants_it() -> None:
    (ask,) = planned("anthropic", "anthropic").asks
    assert ask.method == "GET"
    assert dict(ask.headers) == {"x-api-key": "{key}", "anthropic-version": "2023-06-01"}
    (ask,) = planned("nvidia_nim", "nvidia_nim").asks
    assert (ask.method, ask.body) == ("POST", "credentials={key}")
    (ask,) = planned(PLAIN, None, "https://relay.example/v1").asks
    assert dict(ask.headers) == {"Authorization": "Bearer {key}"}


def test_a_host_without_data_of_its_own_is_asked_once_more_without_the_key() -> None:
    assert planned(PLAIN, None, "https://relay.example/v1").asks[0].control
    assert not planned("openai", "openai").asks[0].control


def test_one_key_found_at_two_places_is_one_request() -> None:
    first = question(RELAY, "relay_one_api", "https://one.example/v1")
    second = question(RELAY, "relay_one_api", "https://two.example/v1")
    (request,) = plan([first, second, first], CATALOGUE)
    assert request.hosts == ("one.example", "two.example")


def test_a_place_where_nobody_knew_whose_key_it_is_does_not_get_it() -> None:
    value = make("openai")
    nobody = question(value, None, "https://relay.example/v1")
    (request,) = plan([nobody, question(value, "openai", "https://relay.example/v1"), nobody], CATALOGUE)
    assert request.hosts == ("api.openai.com",)


def test_a_place_that_cannot_be_asked_does_not_hide_one_that_can() -> None:
    first = question(RELAY, "relay_one_api", "http://one.example/v1")
    second = question(RELAY, "relay_one_api", "https://two.example/v1")
    (request,) = plan([first, second], CATALOGUE)
    assert request.hosts == ("two.example",)
    assert request.why == ""


def test_requests_come_in_the_order_of_the_questions() -> None:
    questions = [question("openai", "openai"), question(PLAIN), question("groq", "groq")]
    assert [request.key for request in plan(questions, CATALOGUE)] == [one.key for one in questions]


def own_hosts(provider: Provider) -> set[str]:
    """The hosts that a provider's file names for asking about keys."""
    verify = provider.verify
    whole = [*(url for group in provider.base_urls.values() for url in group)]
    if verify is not None:
        whole += [verify.url, *verify.elsewhere]
    whole += [shape.verify_url for shape in provider.shapes if shape.verify_url is not None]
    return {url.split("://")[1].split("/")[0] for url in whole}


HOSTS = st.sampled_from(
    [
        "relay.example",
        "api.openai.com",
        "api.anthropic.com",
        "api.laozhang.ai",
        "my.openai.azure.com",
        "evil.example/api.openai.com",
        "api.openai.com.evil.example",
        "api.openai.com@evil.example",
        "evil.example#@api.openai.com",
        "evil.example\\@api.openai.com",
        "api.openai.com:8443",
        "127.0.0.1:8000",
        "[::1]:8000",
        "169.254.169.254",
        "0xa9fea9fe",
        "[::ffff:169.254.169.254]",
        "openrouter.ai",
        "dbc-1.cloud.databricks.com",
    ]
)
BASES = (
    st.none()
    | st.text(max_size=40)
    | st.builds(
        "{}://{}{}".format,
        st.sampled_from(["https", "http", "HTTPS", "ftp", ""]),
        HOSTS,
        st.sampled_from(["", "/", "/v1", "/v1/", "/api", "/../x", "?k=1", "/v1/chat/completions"]),
    )
)


@given(
    shape=st.sampled_from(shape_ids()),
    provider=st.none() | st.sampled_from(sorted(CATALOGUE.providers)),
    base_url=BASES,
)
def test_a_key_goes_to_its_provider_or_where_it_was_found_and_nowhere_else(
    shape: str, provider: str | None, base_url: str | None
) -> None:
    value = make(shape)
    (request,) = plan([Question(Secret(value, provider), "id", provider, base_url)], CATALOGUE)
    assert bool(request.asks) != bool(request.why)
    base = read_base(base_url) if base_url is not None else None
    found_with = {base.host} if isinstance(base, Base) else set()
    owner = CATALOGUE.provider_of_host(next(iter(found_with))) if found_with else None
    whose = CATALOGUE.providers.get(provider) if provider is not None else owner
    is_software = whose is None or not (whose.host_patterns or [host for host in whose.hosts if not is_loopback(host)])
    allowed = set(found_with) if is_software else set()
    for one in (whose, owner if allowed else None):
        if one is not None:
            allowed |= own_hosts(one) | {host for host in found_with if owner is not None and owner.id == one.id}
    for ask in request.asks:
        for url in ask.urls:
            match = re.fullmatch(r"(https?)://([^/?#@\\]+)(/[!-~]*)?", url)
            assert match is not None, url
            assert match[2] == ask.host
            assert match[2] in allowed
            assert match[1] == "https" or re.match(r"127\.|\[::1\]|localhost", match[2])
            assert value not in url
        assert value not in repr(ask)
    assert value not in repr(request)
