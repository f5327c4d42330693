"""What the rules say about asking for keys, about pages for their owners, and about what keys open."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from keyguard.catalogue import CatalogueError, Own, Provider, find_rules, load
from keyguard.model import Secret
from keyguard.schema import own_provider
from keyguard.verify import Question, plan
from tests.keys import make

RULES = Path(find_rules())
CATALOGUE = load()
PROVIDERS = [provider for provider in CATALOGUE.providers.values() if provider.curated]
ASKED = [provider for provider in PROVIDERS if provider.verify is not None]
# Hosts that know about keys and answer no model calls, so that they stand in no list of hosts.
ELSEWHERE = {
    "github_models": {"api.github.com"},
    "nvidia_nim": {"api.ngc.nvidia.com"},
}
ACME = """
id = "acme"
name = "Acme Models"
kind = "vendor"
words = ["acme models"]
hosts = ["api.acme-models.example"]
console_url = "https://console.acme-models.example/keys"

[verify]
method = "GET"
url = "https://api.acme-models.example/v1/account"
headers = { Authorization = "Bearer {key}" }
valid = [200]
invalid = [401]

[[verify.answer]]
statuses = [200]
pattern = "blocked"
state = "dead"
why = "blocked"

[[key]]
name = "api"
pattern = "acme-[A-Za-z0-9]{40}"
prefixes = ["acme-"]
charset = "A-Za-z0-9"
confidence = "high"
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the rules that a test may change."""
    monkeypatch.setenv("KEYGUARD_CACHE_DIR", str(tmp_path / "cache"))
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


def pages(provider: Provider) -> list[str]:
    named = (provider.console_url, provider.usage_url, provider.limits_url, provider.revoke_url)
    return [url for url in named if url is not None]


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.id)
def test_every_page_is_https_and_reads_the_same_to_every_parser(provider: Provider) -> None:
    for url in pages(provider):
        parts = urlsplit(url)
        assert parts.scheme == "https"
        assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", parts.netloc), url
        assert parts.netloc == parts.hostname
        assert "{" not in url
        assert url.isascii()
        assert url.isprintable()
    assert provider.revoking == (provider.revoke_url or provider.console_url)


@pytest.mark.parametrize("provider", ASKED, ids=lambda provider: provider.id)
def test_a_key_is_sent_to_hosts_of_its_provider_alone(provider: Provider) -> None:
    verify = provider.verify
    assert verify is not None
    shapes = [shape.verify_url for shape in provider.shapes if shape.verify_url is not None]
    for url in (verify.url, *verify.elsewhere, *shapes):
        host = re.sub(r"^\{\w+\}$", "x.cloud.databricks.com", urlsplit(url).netloc).replace("{resource}", "x")
        owner = CATALOGUE.provider_of_host(host)
        assert owner is provider or host in ELSEWHERE.get(provider.id, ()), url
        assert "key" not in re.sub(r"api[-_]keys?|/keys?/|/key$|management-keys", "", url)
    for host in verify.apart:
        assert CATALOGUE.provider_of_host(host) is provider


@pytest.mark.parametrize("provider", ASKED, ids=lambda provider: provider.id)
def test_statuses_mean_one_thing(provider: Provider) -> None:
    verify = provider.verify
    assert verify is not None
    said = [*verify.valid, *verify.restricted, *verify.invalid]
    assert len(said) == len(set(said))
    assert 200 in verify.valid
    assert not {429, *range(500, 600), *range(300, 400)} & {*verify.invalid, *verify.restricted}


def test_as_many_providers_can_be_asked_as_were_surveyed() -> None:
    assert len(ASKED) >= 38


def test_a_provider_without_data_opens_models_alone() -> None:
    assert CATALOGUE.providers["lingyiwanwu"].reach_of() == ("models",)


def test_a_new_provider_is_asked_as_its_file_says(rules: Path) -> None:
    (rules / "providers" / "acme.toml").write_text(ACME, encoding="utf-8")
    catalogue = load(rules)
    (request,) = plan([Question(Secret("acme-" + "a1" * 20), "id", "acme")], catalogue)
    (ask,) = request.asks
    assert ask.urls == ("https://api.acme-models.example/v1/account",)
    assert ask.reading.meanings[0].why == "blocked"


def test_a_provider_of_a_projects_own_is_asked_too() -> None:
    verify = {"method": "GET", "url": "https://llm.corp.example/me", "headers": {"X-Key": "{key}"}}
    data = {"kind": "gateway", "hosts": ["llm.corp.example"], "verify": {**verify, "valid": [200], "invalid": [401]}}
    whole, problems = own_provider("corp", data, CATALOGUE.known())
    assert problems == []
    catalogue = load(own=Own(providers=(("corp", json.dumps(whole)),)))
    (request,) = plan([Question(Secret(make("unknown-token")), "id", "corp")], catalogue)
    (ask,) = request.asks
    assert (ask.urls, ask.headers) == (("https://llm.corp.example/me",), (("X-Key", "{key}"),))


def test_the_template_for_a_new_provider_says_all_there_is_to_say(rules: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", (RULES / "providers" / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    (rules / "providers" / "acme.toml").write_text(found[1], encoding="utf-8")
    acme = load(rules).providers["acme"]
    assert acme.verify is not None
    assert all((acme.usage_url, acme.limits_url, acme.revoke_url, acme.verify.apart, acme.verify.meanings))
    assert acme.reach_of(acme.shapes[0]) == ("models", "files")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"https://console',
            '"http://console',
            "console_url: 'http://console.acme-models.example/keys' is no https://",
        ),
        ('example/keys"', 'example/{key}"', "console_url: "),
        ('v1/account"', 'v1/account?key={key}"', "is no https:// URL with a plain host, or holds braces"),
        (
            "https://api.acme",
            "https://u:p@api.acme",
            "verify.url: 'https://u:p@api.acme-models.example/v1/account' is no",
        ),
        ("Bearer {key}", "Bearer key", "verify.headers: nothing holds the key: write {key} where it goes"),
        ('pattern = "blocked"', 'pattern = "(?=x)"', "verify.answer[0].pattern: is no RE2 expression"),
        ('state = "dead"', 'state = "deed"', "verify.answer[0].state: 'deed' is not allowed; did you mean 'dead'?"),
        ('why = "blocked"', 'why = "bloked"', "verify.answer[0].why: 'bloked' has no text; did you mean 'blocked'?"),
        ('why = "blocked"', "", "verify.answer[0].why: missing"),
        (
            'name = "api"',
            'name = "api"\nreach = ["model"]',
            "key[0].reach: 'model' is nothing that a key opens; did you",
        ),
        (
            "invalid = [401]",
            'invalid = [401]\nelsewhere = ["https://api.acme-models.example/v1/account"]',
            "verify.elsewhere[0]: is the URL itself; leave it out",
        ),
        ("invalid = [401]", 'invalid = [401]\nelsewhere = ["https://{x}.example/"]', "verify.elsewhere: 'https://{x}."),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_mistake_is_told(rules: Path, old: str, new: str, told: str) -> None:
    assert old in ACME
    path = rules / "providers" / "acme.toml"
    path.write_text(ACME.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError) as error:
        load(rules)
    assert str(error.value).startswith(f"{path}: ")
    assert told in str(error.value)


def test_a_shape_with_a_request_needs_the_providers(rules: Path) -> None:
    text = re.sub(r"(?s)\[verify\].*?(?=\[\[key\]\])", "", ACME)
    text = text.replace('name = "api"', 'name = "api"\nverify_url = "https://api.acme-models.example/v1/me"')
    (rules / "providers" / "acme.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"key\[0\]\.verify_url: needs a \[verify\] table"):
        load(rules)


def test_every_shape_of_an_asked_provider_is_asked_or_says_that_it_is_not() -> None:
    for provider in ASKED:
        for shape in provider.shapes:
            if shape.malformed or provider.id in {"azure_openai", "databricks", "langfuse"}:
                continue
            (request,) = plan([Question(Secret(make(shape.id)), "id", provider.id)], CATALOGUE)
            assert bool(request.asks) != shape.unasked, shape.id
