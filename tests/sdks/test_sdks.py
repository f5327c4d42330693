"""Each default of the catalogue against the package it speaks of, and what clients really do on a loopback server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.sdks.claims import GROUP_OF, NO_CLIENT, OLD, SDKS, answers, answers_of
from tests.sdks.probe import CASES, LIMIT, NO_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from keyguard.knowledge import Constructor, HttpClient, Sdk

# One worker asks the packages, once.
pytestmark = pytest.mark.xdist_group("sdks")

every_sdk = pytest.mark.parametrize("name", sorted(GROUP_OF))
every_client = pytest.mark.parametrize("name", sorted(set(GROUP_OF) & set(CASES)))

# What older releases had and code still uses, by SDK: methods, and arguments of constructors.
OLD_METHODS = {
    "anthropic": {"completions.create"},
    "huggingface_hub": {"post"},
    "mistralai": {"fine_tuning.jobs.create", "fine_tuning.jobs.create_async"},
}
# Classes that came with the newest major of an SDK whose others are the same.
NEWER_ERRORS = {
    "anthropic.CredentialsError",
    "anthropic.GatewayTimeoutError",
    "anthropic.OverloadedError",
    "anthropic.RequestTimeoutError",
    "anthropic.RequestTooLargeError",
    "anthropic.ServiceUnavailableError",
}
LANGCHAIN_OLD = {"__call__", "predict", "apredict", "predict_messages", "apredict_messages"}
OLD_ARGUMENTS = {
    "mistralai": {"endpoint"},
    "tencentcloud-hunyuan": {"secretKey"},
    "langchain-google-genai": {"request_timeout"},
}
# Names of packages that the environment leaves out, and of releases that are gone.
ELSEWHERE = re.compile(
    r"(?:datasets|transformers|langchain|langchain_community|langchain_(?!openai|anthropic|google|deepseek)\w+"
    r"|mistralai_azure|autogen|pydantic_ai\.(?:models|providers)\.(?!(?:openai|anthropic|google)\.)\w+"
    r"|llama_index\.(?!llms\.(?:openai|google_genai)\.)|autogen_ext\.models\.(?:anthropic|ollama)|ag2\.config\.(?!OpenAI))"
    r"\b.*|instructor\.from_\w+|guidance\.models\.AzureOpenAI|fireworks\.client\..*"
)


def gone(sdk: Sdk, name: str) -> bool:
    """Tell whether the catalogue itself says that the newest release has no such name."""
    return any(item.name and (name == item.name or name.startswith(f"{item.name}.")) for item in sdk.removed) or bool(
        re.match(r"mistralai\.(?:sdk|client\.MistralClient|async_client)\b", name)
    )


def own(made: Constructor, sdk: Sdk, part: str) -> tuple[str, ...]:
    """The arguments of a constructor: its own ones, or those of the SDK."""
    value = getattr(made, part)
    return getattr(sdk, part) if value is None else value


def roots(names: Iterable[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


@every_sdk
def test_the_version_that_was_verified_is_the_one_that_is_asked(name: str) -> None:
    found = answers(GROUP_OF[name])["versions"]
    assert SDKS[name].verified == found.get(name)


@every_sdk
def test_every_name_of_the_catalogue_is_there(name: str) -> None:
    sdk = SDKS[name]
    missing = {item for item, there in answers_of(name)["names"].items() if not there}
    assert {item for item in missing if not gone(sdk, item) and not ELSEWHERE.fullmatch(item)} == set()


@every_sdk
def test_what_was_removed_is_not_there(name: str) -> None:
    sdk = SDKS[name]
    alive = {item.name for item in sdk.removed if item.name and not item.end_of_life and not item.package}
    there = {item for item, found in answers_of(name)["names"].items() if found}
    there = {item for item in there if not re.match(r"openai\.[A-Z]", item)}  # stand-ins that raise when called
    assert not {item for item in there for dead in alive if item == dead or item.startswith(f"{dead}.")}


@every_sdk
def test_constructors_take_the_arguments_that_the_catalogue_names(name: str) -> None:
    sdk = SDKS[name]
    wrong = {}
    for made in sdk.constructors:
        taken = answers_of(name)["parameters"][made.name]
        if taken is None or "**" in taken:
            continue
        timeout, retry = made.timeout or sdk.timeout, made.retry or sdk.retry
        wanted = {
            *own(made, sdk, "key_params"),
            *own(made, sdk, "base_url_params"),
            *(timeout.params if timeout and made.methods != () else ()),
            *(retry.params if retry and made.methods != () else ()),
        }
        lacking = roots(wanted) - set(taken) - OLD_ARGUMENTS.get(name, set())
        if lacking and name in CHECKED_ARGUMENTS:
            wrong[made.name] = lacking
    assert wrong == {}


# Clients whose every constructor takes the same arguments; the rest differ class by class, and a name too many there
# only means that an argument is looked for which nobody gives.
CHECKED_ARGUMENTS = {
    "anthropic",
    "cerebras",
    "cohere",
    "dashscope",
    "fireworks",
    "google-genai",
    "groq",
    "huggingface_hub",
    "langchain-openai",
    "mistralai",
    "ollama",
    "openai",
    "openrouter",
    "perplexity",
    "replicate",
    "together",
    "volcengine-ark",
    "zai-sdk",
    "zhipuai",
}


@every_client
def test_methods_are_spelt_as_the_client_spells_them(name: str) -> None:
    found = answers_of(name)["methods"]
    missing = {method for method, there in found.items() if not there} - OLD_METHODS.get(name, set())
    if name.startswith("langchain"):
        missing = {method for method in missing - LANGCHAIN_OLD if "embed" not in method}
    if name.startswith("llama-index"):
        missing = {method for method in missing if "embedding" not in method}
    if name == "litellm":
        missing = set()  # its functions are the client
    made = next((item for item in SDKS[name].constructors if item.name == CASES[name][0]), None)
    if made is not None and made.methods is not None:
        missing &= set(made.methods)
    assert missing == set()


@every_client
def test_the_default_base_url(name: str) -> None:
    found = answers_of(name)["base"]
    if found is not None:
        assert found.rstrip("/") == (SDKS[name].base_url_default or found).rstrip("/")


@every_client
def test_the_path_that_a_call_adds_to_the_base(name: str) -> None:
    path = SDKS[name].path
    if path is None or not path.appended:
        pytest.skip("the path depends on the model")
    sent = answers_of(name)["run"]["path"].partition("?")[0]
    pattern = re.escape(path.appended).replace(re.escape("{model}"), "[^/:]+")
    assert re.fullmatch(pattern, sent), (path.appended, sent)


@every_client
def test_the_key_travels_in_the_header_that_is_named(name: str) -> None:
    header = SDKS[name].header
    if header is not None and SDKS[name].key_params:
        assert header.lower() in answers_of(name)["run"]["sent"]


@every_client
def test_a_base_with_its_ending_doubles_it(name: str) -> None:
    path = SDKS[name].path
    if path is None or path.version != "added":
        pytest.skip("the client adds no version")
    assert any(path.appended.startswith(ending) for ending in path.doubled), path


@every_client
def test_without_a_setting_a_call_waits_as_long_as_the_catalogue_says(name: str) -> None:
    timeout = SDKS[name].timeout
    assert timeout is not None
    limit = answers_of(name)["run"]["limit"]
    if limit == "unknown":
        pytest.skip("the transport does not tell its limit")
    expected = None if timeout.endless or name in NO_LIMIT else timeout.default
    assert limit == (None if expected is None else pytest.approx(expected))


@every_client
def test_the_setting_of_a_limit_has_the_unit_that_the_catalogue_says(name: str) -> None:
    run = answers_of(name)["run"]
    retry = SDKS[name].retry
    tries = (retry.attempts if retry else None) or 1
    for key in ("limited", "call_limited"):
        if key in run:
            assert LIMIT * 0.8 < run[key] < LIMIT * tries + 3, (key, run[key])


@every_client
def test_a_wrong_key_is_tried_once(name: str) -> None:
    assert answers_of(name)["run"]["tries"]["401"] == 1


@every_client
@pytest.mark.parametrize("status", [429, 500])
def test_a_refused_request_is_sent_as_often_as_the_catalogue_says(name: str, status: int) -> None:
    retry = SDKS[name].retry
    assert retry is not None
    sent = answers_of(name)["run"]["tries"][str(status)]
    repeated = bool({str(status), f"{status // 100}xx"} & set(retry.on))
    if name == "smolagents" and status == 500:
        assert sent == 3, "the SDK's own tries; smolagents repeats rate limits alone"
    elif name == "litellm":
        assert sent == next(route.attempts for route in SDKS[name].routes if route.prefix == "openai/")
    elif repeated and retry.counts == "time" and retry.attempts is None:
        assert sent > 20, "bounded by time alone"
    elif name == "azure-ai-inference" and status == 429:
        assert sent == 1, "a 429 is repeated only when it says when"
    else:
        assert sent == (retry.attempts if repeated else 1)


@every_client
def test_the_number_of_tries_counts_what_the_catalogue_says(name: str) -> None:
    run, retry = answers_of(name)["run"], SDKS[name].retry
    assert retry is not None
    if "one" not in run or name in {"litellm", "smolagents", "azure-ai-inference", "llama-index-llms-openai"}:
        pytest.skip("the argument is no number, or one of several that count")
    assert run["one"] == (2 if retry.counts == "retries" else 1)


@every_client
@pytest.mark.parametrize(
    ("scene", "kind"), [("401", "auth"), ("429", "rate_limit"), ("500", "server"), ("timeout", "timeout")]
)
def test_errors_are_instances_of_the_classes_that_are_named(name: str, scene: str, kind: str) -> None:
    errors = SDKS[name].errors
    raised = answers_of(name)["run"]["errors"].get(scene)
    if raised is None or not getattr(errors, kind):
        pytest.skip("no such error is named")
    assert kind in raised[1:], raised


@every_client
def test_each_variable_alone_is_sent_to_whatever_host_is_given(name: str) -> None:
    """A base URL of one's own does not keep a client from sending the key of its maker."""
    sdk, sent = SDKS[name], answers_of(name)["environment"]
    for variable in (*sdk.env, *sdk.env_fallback):
        if variable != "OPENAI_ADMIN_KEY":  # model calls do not take it
            assert sent[variable] == [variable]
    if sdk.env:
        assert sent["all"] == [sdk.env[0]], "the first one wins"


@every_client
def test_without_a_key_a_client_does_what_the_catalogue_says(name: str) -> None:
    sdk, sent = SDKS[name], answers_of(name)["environment"]["none"]
    made = next((item for item in sdk.constructors if item.name == CASES[name][0]), None)
    missing = (made.missing_key if made else None) or sdk.missing_key
    if missing == "anonymous" and name != "langchain-anthropic":
        assert sent == []
    else:
        assert sent is None or isinstance(sent, str), "nothing is sent"


def test_litellm_repeats_by_itself_only_where_a_route_says_so() -> None:
    sent = answers_of("litellm")["routes"]
    claimed = {route.prefix: route.attempts for route in SDKS["litellm"].routes}
    assert {"openai/", "anthropic/", "gemini/", "deepseek/", "groq/"} <= set(sent)
    assert sent == {prefix: claimed[prefix] for prefix in sent}


# --- older majors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(OLD))
def test_an_older_major_is_as_the_catalogue_remembers_it(name: str) -> None:
    found = answers("sdks-old")
    assert found["versions"][name] == OLD[name]
    answer, sdk = found["sdks"][name], SDKS[name].at(OLD[name])
    assert "failed" not in answer, answer["failed"]
    own_names = {item for item, there in answer["names"].items() if not there and item.startswith(sdk.imports[0])}
    assert own_names - NEWER_ERRORS == set()
    if name in NO_CLIENT:
        return
    run, timeout, retry, path = answer["run"], sdk.timeout, sdk.retry, sdk.path
    assert timeout is not None
    assert retry is not None
    assert path is not None
    if run["limit"] != "unknown":
        assert run["limit"] == (None if timeout.endless else pytest.approx(timeout.default))
    assert LIMIT * 0.8 < run["limited"] < LIMIT * (retry.attempts or 1) + 3
    assert run["tries"]["401"] == 1
    if retry.attempts is not None:
        assert run["tries"]["500"] == retry.attempts
    pattern = re.escape(path.appended).replace(re.escape("{model}"), "[^/:]+")
    assert re.fullmatch(pattern, run["path"].partition("?")[0]), run["path"]
    if answer["base"] is not None and sdk.base_url_default:
        assert answer["base"].rstrip("/") == sdk.base_url_default.rstrip("/")


# --- HTTP libraries ---------------------------------------------------------------------------------------------------

HTTP = [
    "http.client",
    "httpx",
    "httpx.Client",
    "httpx2",
    "httpx2.Client",
    "requests",
    "requests.Session",
    "urllib",
    "urllib3",
]


@pytest.mark.parametrize("name", HTTP)
def test_an_http_library_waits_and_repeats_as_the_catalogue_says(
    name: str, client_of: Callable[[str], HttpClient]
) -> None:
    found = answers("sdks")["http"][name]
    client = client_of(name)
    timeout = client.timeout
    assert timeout is not None
    assert found["limit"] == (None if timeout.endless else timeout.default)
    assert found["tries"] == {"429": 1, "500": 1}
    assert found["raises"] is client.status_raises


@pytest.mark.parametrize("name", ["httpx None", "httpx2 None"])
def test_none_takes_the_limit_of_httpx_away(name: str) -> None:
    assert answers("sdks")["http"][name]["limit"] is None


def test_none_means_two_things_to_aiohttp() -> None:
    found = answers("sdks")["http"]["aiohttp"]
    assert found["default"] == found["none"] == 300
    assert found["call_none"] == "pending"
    assert found["call"] == pytest.approx(LIMIT, abs=1)
    assert found["number"] == "ValueError"
