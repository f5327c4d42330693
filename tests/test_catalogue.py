"""The catalogue: what the rules folder says, how mistakes in it are told, and the cache that may never be wrong."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import re2

from keyguard.catalogue import Catalogue, CatalogueError, find_rules, load
from keyguard.model import Severity
from keyguard.secrets import structure
from tests.keys import make

RULES = Path(find_rules())
CATALOGUE = load()
CURATED = [provider for provider in CATALOGUE.providers.values() if provider.curated]

NEW_PROVIDER = """
id = "acme"
name = "Acme Models"
name_zh = "顶点模型"
kind = "vendor"
words = ["acme models"]
env = ["ACME_API_KEY"]
env_base_url = ["ACME_BASE_URL"]
hosts = ["api.acme-models.example"]

[[key]]
name = "api"
pattern = "acme-[A-Za-z0-9]{40}"
prefixes = ["acme-"]
min_length = 45
max_length = 45
charset = "A-Za-z0-9"
confidence = "high"
"""


@pytest.fixture(autouse=True)
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("KEYGUARD_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the rules that a test may change."""
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


# --- the data against itself ------------------------------------------------------------------------------------------


def test_the_surveyed_providers_are_all_there() -> None:
    assert {"openai", "deepseek", "alibaba_dashscope", "relay_poloapi", "ollama", "langfuse"} <= set(
        CATALOGUE.providers
    )
    assert len(CURATED) >= 131


@pytest.mark.parametrize("provider", CURATED, ids=lambda provider: provider.id)
def test_a_provider_can_be_named_and_found(provider) -> None:  # noqa: ANN001  # a Provider, by parametrize
    assert re.fullmatch(r"[a-z0-9_]+", provider.id)
    assert provider.words
    assert provider.label("zh")
    for host in (*provider.hosts, *provider.more_hosts):
        assert CATALOGUE.provider_of_host(host) is provider
        assert CATALOGUE.provider_of_host(host.upper()) is provider
    for name in provider.env:
        assert provider in CATALOGUE.providers_of_env(name)
    for word in provider.words:
        assert provider in CATALOGUE.providers_of_word(word)
    assert not set(provider.env) & set(provider.env_other)
    assert not set(provider.env) & set(provider.env_base_url)
    assert provider.variable.isidentifier()


def test_a_host_belongs_to_one_provider() -> None:
    owners: dict[str, str] = {}
    for provider in CATALOGUE.providers.values():
        for host in (*provider.hosts, *provider.more_hosts):
            assert owners.setdefault(host, provider.id) == provider.id, host
            for other in CATALOGUE.providers.values():
                if other is not provider:
                    assert not any(re.fullmatch(pattern, host) for pattern in other.host_patterns), (host, other.id)


def test_a_base_url_stands_at_a_host_of_its_provider() -> None:
    for provider in CURATED:
        for urls in provider.base_urls.values():
            for url in urls:
                host = url.split("/")[2].lower()
                if "{" not in host and "<" not in host and provider.kind != "local":
                    assert CATALOGUE.provider_of_host(host) is provider, url


@pytest.mark.parametrize("shape", CATALOGUE.shapes.values(), ids=lambda shape: shape.id)
def test_a_key_of_the_shape_fits_what_the_shape_says(shape) -> None:  # noqa: ANN001  # a KeyShape, by parametrize
    for seed in range(5):
        key = make(shape.id, seed)
        assert re.fullmatch(shape.pattern, key)
        assert re2.fullmatch(shape.pattern, key)
        assert shape.min_length is None or len(key) >= shape.min_length
        assert shape.max_length is None or len(key) <= shape.max_length
        assert not shape.prefixes or key.startswith(shape.prefixes)
        assert all(infix in key for infix in shape.infixes)
        assert shape.well_formed(key) in (True, None)
        prefix = next((prefix for prefix in shape.prefixes if key.startswith(prefix)), "")
        if shape.charset:
            assert re.fullmatch(f"[{shape.charset}]*", key.removeprefix(prefix))


def test_a_shape_without_context_names_its_provider_alone() -> None:
    """A key that needs no context must not fit another provider's shape that needs none either."""
    families = {"relay_one_api", "relay_aihubmix", "relay_burnhair"}  # one software, many operators
    twins = {("google_gemini", "google_vertex"), ("azure_openai", "azure_openai")}  # one company, one kind of key
    alone = [shape for shape in CATALOGUE.shapes.values() if not shape.needs_context and not shape.malformed]
    for shape in alone:
        for seed in range(3):
            key = make(shape.id, seed)
            for other in alone:
                if other.provider == shape.provider or {shape.provider, other.provider} <= families:
                    continue
                if tuple(sorted((shape.provider, other.provider))) in twins:
                    continue
                fits = re.fullmatch(other.pattern, key) and other.well_formed(key) is not False
                assert not fits, (shape.id, other.id)


def test_an_official_key_is_told_from_the_relays_that_share_its_form() -> None:
    relay = CATALOGUE.shapes["relay_one_api/new_api"]
    official = make("openai/legacy_user")
    assert re.fullmatch(relay.pattern, official)
    assert relay.well_formed(official) is False
    assert CATALOGUE.shapes["openai/legacy_user"].well_formed(official)
    imitation = make("relay_ohmygpt/api")
    assert CATALOGUE.shapes["openai/legacy_user"].well_formed(imitation) is False
    assert CATALOGUE.shapes["relay_ohmygpt/api"].well_formed(imitation)


def test_names_that_hold_no_secret_are_kept_apart() -> None:
    for name in ("GOOGLE_CLOUD_PROJECT", "MINIMAX_GROUP_ID", "TENCENTCLOUD_SECRET_ID", "AWS_REGION", "SPARK_APP_ID"):
        assert CATALOGUE.providers_of_env(name) == ()
    assert not CATALOGUE.shapes["langfuse/public"].secret
    assert not CATALOGUE.shapes["alibaba_dashscope/ram_access_key_id"].secret
    assert CATALOGUE.shapes["langfuse/secret"].secret


def test_no_word_of_a_provider_is_ordinary_english() -> None:
    for word in ("together", "poe", "exa", "fal", "cursor", "lepton", "chutes", "replicate", "voyage", "stability"):
        assert CATALOGUE.providers_of_word(word) == ()


@pytest.mark.parametrize(
    ("host", "owner"),
    [
        ("api.openai.com", "openai"),
        ("eu.api.openai.com", "openai"),
        ("API.DeepSeek.com.", "deepseek"),
        ("api.deepseek.com:443", "deepseek"),
        ("my-resource.openai.azure.com", "azure_openai"),
        ("localhost:11434", "ollama"),
        ("api.poloapi.top", "relay_poloapi"),
        ("bedrock-runtime.eu-west-3.amazonaws.com", "aws_bedrock"),
        ("router.requesty.ai", "requesty"),
    ],
)
def test_a_host_tells_its_provider(host: str, owner: str) -> None:
    found = CATALOGUE.provider_of_host(host)
    assert found is not None
    assert found.id == owner


@pytest.mark.parametrize(
    "host",
    [
        "evil-api.openai.com.example.com",
        "api.openai.com.evil.example",
        "fakeapi.openai.com.cn",
        "xapi-openai.com",
        "localhost",
        "example.com",
        "",
        "a" * 5000,
    ],
)
def test_a_lookalike_host_is_nobodys(host: str) -> None:
    assert CATALOGUE.provider_of_host(host) is None


def test_every_variable_an_sdk_reads_belongs_to_its_provider() -> None:
    for sdk in CATALOGUE.sdks.values():
        named = [(sdk.provider, sdk.env)]
        named += [(item.provider or sdk.provider, item.env or ()) for item in sdk.constructors]
        for provider, env in named:
            if provider is None:
                continue
            known = CATALOGUE.providers[provider]
            for name in env:
                assert name in {*known.env, *known.env_other, *known.env_reused}, (sdk.id, name)


def test_the_default_host_of_an_sdk_is_its_providers() -> None:
    for sdk in CATALOGUE.sdks.values():
        urls = [(sdk.provider, sdk.base_url_default)]
        urls += [(item.provider or sdk.provider, item.base_url_default) for item in sdk.constructors]
        for provider, url in urls:
            if provider and url:
                owner = CATALOGUE.provider_of_host(url.split("/")[2])
                assert owner is not None, url
                assert owner.id == provider, (sdk.id, url)


def test_an_sdk_is_imported_by_the_names_its_constructors_begin_with() -> None:
    others = {"transformers", "datasets", "llama_index", "langchain", "langchain_community", "mistralai_azure"}
    for sdk in CATALOGUE.sdks.values():
        roots = {name.split(".")[0] for name in sdk.imports}
        for item in (*sdk.constructors, *sdk.calls):
            assert item.name.split(".")[0] in roots | others, item.name


def test_the_words_of_placeholders_are_no_part_of_a_random_key() -> None:
    assert "your" in CATALOGUE.placeholders.words
    assert "你的" not in CATALOGUE.placeholders.words  # letters of no key are a pattern, not words
    assert "ollama" in {item.value for item in CATALOGUE.placeholders.local}
    for value in ("YOUR_API_KEY".lower(), "your-key"):
        assert any(word in re.split(r"[^a-z0-9]+", value) for word in CATALOGUE.placeholders.words)


@pytest.mark.parametrize(
    "value",
    [
        "<your-api-key>",
        "${OPENAI_API_KEY}",
        "{{ secrets.key }}",
        "%OPENAI_API_KEY%",
        "sk-...",
        "sk-…",
        "sk-xxxxxxxx",
        "sk-proj-********",
        "sk-2448****",
        "sk-or-v1-[REDACTED]",
        "你的API密钥",
        "ここにAPIキー",
        "여기에_본인_키",
        "[YOUR KEY]",
        "__API_KEY__",
        "000000000000",
    ],
)
def test_a_template_is_a_placeholder_in_both_regex_engines(value: str) -> None:
    patterns = CATALOGUE.placeholders.patterns
    assert any(re.search(pattern, value) for pattern in patterns)
    assert any(re2.search(pattern, value) for pattern in patterns)


@pytest.mark.parametrize("shape", CATALOGUE.shapes, ids=str)
def test_no_placeholder_pattern_takes_a_made_key(shape: str) -> None:
    if shape == "litellm_proxy/master_key_default":
        pytest.skip("the documented key is a placeholder on one's own machine")
    for seed in range(3):
        key = make(shape, seed)
        for pattern in CATALOGUE.placeholders.patterns:
            assert not re.search(pattern, key), pattern


def test_the_lookalikes_are_told_and_keys_are_not_taken_for_them() -> None:
    def told(text: str) -> bool:
        return any(
            text.startswith(item.prefixes) or any(re.search(pattern, text) for pattern in item.patterns)
            for item in CATALOGUE.lookalikes
        )

    for text in (
        "sk-toggleable__label-arrow",
        "sk-fading-circle",
        "sk-container-id-1",
        "sk-ssh-ed25519@openssh.com",
        "sk_live_",
        f"hf_{'requiredCharacteristicTypesForDisplayMetadata'}",
        "al-jazeera-english-live-news",
        "sk-[A-Za-z0-9]{20,}",
        "gpt-3.5-turbo-16k-0613",
    ):
        assert told(text), text
    for shape in CATALOGUE.shapes.values():
        if shape.secret:
            assert not told(make(shape.id)), shape.id


def test_known_public_keys_are_kept_as_hashes_only() -> None:
    assert CATALOGUE.public_keys
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in CATALOGUE.public_keys)


def test_a_closed_model_family_is_owned_and_served_by_known_providers() -> None:
    for family in CATALOGUE.families:
        assert re2.compile(family.pattern)
        for name in (*(() if family.owner is None else (family.owner,)), *family.served_by):
            assert name in CATALOGUE.providers, family.id


def test_the_families_a_provider_serves_are_known() -> None:
    known = {family.id for family in CATALOGUE.families} | {"any"}
    for provider in CATALOGUE.providers.values():
        assert set(provider.models.serves or ()) <= known, provider.id


def test_every_trigger_comes_from_the_data() -> None:
    triggers = CATALOGUE.triggers
    assert {"sk-proj-", "gsk_", "AIza"} <= set(triggers.prefixes)
    assert "JQQJ99" in triggers.infixes
    assert "api.deepseek.com" in triggers.hosts
    assert "OPENAI_API_KEY" in triggers.env
    assert "通义" in triggers.words
    assert "openai" in triggers.imports


def test_the_ways_to_read_and_write_the_environment_are_known() -> None:
    readers = {reader.id: reader for reader in CATALOGUE.env_access.readers}
    assert "os.getenv" in readers["os-getenv"].calls
    assert readers["os-getenv"].default_position == 1
    assert readers["os-environ"].subscripts[0] == "os.environ"
    assert readers["keyring"].name_position == 1
    writers = {writer.id: writer for writer in CATALOGUE.env_access.writers}
    assert "os.environ.update" in writers["os-environ"].mapping_calls
    assert {"argparse", "click", "typer"} <= {option.id for option in CATALOGUE.env_access.options}


def test_variables_of_which_one_wins_are_read_by_a_known_package() -> None:
    packages = {sdk.package for sdk in CATALOGUE.sdks.values()}
    known = {name for item in CATALOGUE.providers.values() for name in (*item.env, *item.env_base_url)}
    for pair in CATALOGUE.env_access.precedences:
        assert pair.reader in packages
        assert pair.wins != pair.over
        assert {pair.wins, pair.over} <= known | {"OPENAI_API_BASE"}, "the base URL of old releases"


def test_a_variable_that_manages_an_account_is_one_of_its_providers_keys() -> None:
    named = [item for item in CATALOGUE.providers.values() if item.env_admin]
    assert {item.id for item in named} >= {"openai", "xai", "litellm_proxy"}
    for item in named:
        assert set(item.env_admin) <= set(item.env), item.id
        assert item.variable_of_calls not in item.env_admin, item.id


def test_a_rule_has_words_in_both_languages() -> None:
    for rule in CATALOGUE.rules.values():
        assert rule.message
        assert rule.message_zh
        assert rule.docs.what


# --- one file is one provider -----------------------------------------------------------------------------------------


def test_a_new_provider_is_one_file_and_no_code(rules: Path) -> None:
    (rules / "providers" / "acme.toml").write_text(NEW_PROVIDER, encoding="utf-8")
    catalogue = load(rules)
    acme = catalogue.providers["acme"]
    assert acme.label("zh") == "顶点模型"
    assert catalogue.provider_of_host("api.acme-models.example") is acme
    assert catalogue.providers_of_env("ACME_API_KEY") == (acme,)
    assert catalogue.shapes["acme/api"].prefix == "acme-"
    assert "acme-" in catalogue.triggers.prefixes
    assert "acme" not in CATALOGUE.providers


def test_the_template_for_a_new_provider_works_as_it_stands(rules: Path) -> None:
    text = (RULES / "providers" / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert found is not None
    (rules / "providers" / "acme.toml").write_text(found[1], encoding="utf-8")
    assert load(rules).providers["acme"].shapes


# --- mistakes ---------------------------------------------------------------------------------------------------------

MISTAKES = [
    ("words = [", "wrods = [", "wrods: unknown key; did you mean 'words'?"),
    ('kind = "vendor"', 'kind = "vendr"', "kind: 'vendr' is not allowed; did you mean 'vendor'?"),
    ('kind = "vendor"', "", "kind: missing; it must be text"),
    ('name = "Acme Models"', "name = 3", "name: must be text, not a whole number"),
    ('env = ["ACME_API_KEY"]', 'env = "ACME_API_KEY"', "env: must be a list of texts, not text"),
    ('env = ["ACME_API_KEY"]', 'env = ["acme-key"]', "env: 'acme-key' is no name of an environment variable"),
    ("api.acme-models.example", "API.Acme.example", "hosts: 'API.Acme.example' is no host"),
    ("api.acme-models.example", "https://a.example/v1", "hosts: 'https://a.example/v1' is no host"),
    ('words = ["acme models"]', 'words = ["Acme"]', "words: 'Acme' must be in lower case"),
    ("[A-Za-z0-9]{40}", "(?=x)[A-Za-z0-9]{40}", "key[0].pattern: is no RE2 expression"),
    ("[A-Za-z0-9]{40}", "([A-Za-z0-9]{40}", "key[0].pattern: is no"),
    ('confidence = "high"', 'confidence = "hihg"', "key[0].confidence: 'hihg' is not allowed; did you mean 'high'?"),
    ('confidence = "high"', 'confidence = "high"\ntest = "crc_tail"', "key[0].test: 'crc_tail' is not allowed; did"),
    ('confidence = "high"', 'confidence = "high"\ntest = "crc32_tail"', "test and test_means belong together"),
    (
        'confidence = "high"',
        'confidence = "high"\ntest = "crc32_tail"\ntest_means = "proves"',
        "key[0].test_args: crc32_tail takes prefix_length",
    ),
    (
        'confidence = "high"',
        'confidence = "high"\ntest = "crc32_tail"\ntest_means = "proves"\ntest_args = { prefix_length = "4" }',
        "key[0].test_args: prefix_length must be a whole number",
    ),
    ("max_length = 45", "max_length = 4", "key[0].max_length: is below min_length"),
    ("max_length = 45", "max_length = true", "key[0].max_length: must be a whole number, not true or false"),
    ('id = "acme"', 'id = "acne"', "id: must be 'acme', the file's name"),
    ('id = "acme"', "id = ", "no TOML: "),
]


@pytest.mark.parametrize(("old", "new", "told"), MISTAKES, ids=[told for _, _, told in MISTAKES])
def test_a_mistake_is_told_with_file_and_key(rules: Path, old: str, new: str, told: str) -> None:
    assert old in NEW_PROVIDER
    path = rules / "providers" / "acme.toml"
    path.write_text(NEW_PROVIDER.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError) as error:
        load(rules)
    assert str(error.value).startswith(f"{path}: ")
    assert told in str(error.value)


def test_a_host_of_two_providers_is_told_with_both_files(rules: Path) -> None:
    text = NEW_PROVIDER.replace("api.acme-models.example", "api.openai.com")
    (rules / "providers" / "acme.toml").write_text(text, encoding="utf-8")
    with pytest.raises(
        CatalogueError, match=r"openai\.toml: hosts: 'api\.openai\.com' already belongs to .*acme\.toml"
    ):
        load(rules)


def test_a_host_in_the_list_of_hosts_is_told_with_that_file(rules: Path) -> None:
    with (rules / "hosts.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[provider]]\nid = "openai"\nname = "Twice"\nkind = "vendor"\n')
    with pytest.raises(CatalogueError, match=r"hosts\.toml: id: 'openai' already stands in .*openai\.toml"):
        load(rules)


def test_a_case_like_another_has_what_it_does_not_say_itself() -> None:
    cases = CATALOGUE.rules["KG401"].cases
    one, other = cases["notebook-http"], cases["http"]
    assert (one.message, one.message_zh, one.remedy) == (other.message, other.message_zh, other.remedy)
    assert (one.severity, other.severity) == (Severity.LOW, None)


def test_a_case_like_none_is_told(rules: Path) -> None:
    path = rules / "KG401.toml"
    text = path.read_text(encoding="utf-8").replace('like = "http"', 'like = "htpp"')
    path.write_text(text, encoding="utf-8")
    told = r"KG401\.toml: case\.notebook-http\.like: no case 'htpp' with words of its own; did you mean 'http'\?"
    with pytest.raises(CatalogueError, match=told):
        load(rules)


def test_a_file_nobody_reads_is_told(rules: Path) -> None:
    (rules / "plceholders.toml").write_text("", encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"plceholders\.toml: no file.*did you mean 'placeholders'\?"):
        load(rules)


def test_a_missing_file_is_told(rules: Path) -> None:
    (rules / "sinks.toml").unlink()
    with pytest.raises(CatalogueError, match=r"sinks\.toml: the file is missing"):
        load(rules)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"nowhere.*give a folder of rules"):
        load(tmp_path / "nowhere")


def test_a_file_in_another_encoding_is_told(rules: Path) -> None:
    path = rules / "providers" / "acme.toml"
    path.write_bytes(NEW_PROVIDER.encode("gb18030"))
    with pytest.raises(CatalogueError, match=r"acme\.toml: not UTF-8; save it as UTF-8"):
        load(rules)


def test_an_sdk_of_an_unknown_provider_is_told(rules: Path) -> None:
    path = rules / "sdks" / "openai.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('provider = "openai"', 'provider = "opneai"', 1), "utf-8")
    with pytest.raises(
        CatalogueError, match=r"sdks.openai\.toml: provider: no provider 'opneai'; did you mean 'openai'"
    ):
        load(rules)


def test_a_constructor_must_be_a_name(rules: Path) -> None:
    path = rules / "sdks" / "groq.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"groq.Groq"', '"groq.Groq()"', 1), "utf-8")
    with pytest.raises(CatalogueError, match=r"groq\.toml: constructor\[\d\]\.name: 'groq\.Groq\(\)' is no dotted"):
        load(rules)


# --- the cache --------------------------------------------------------------------------------------------------------


def cache_file(folder: Path) -> Path:
    (found,) = folder.glob("catalogue-*.json")
    return found


def test_a_cached_catalogue_says_the_same(cache_dir: Path) -> None:
    cold = load(RULES)
    assert cache_file(cache_dir).is_file()
    warm = load(RULES)
    assert dict(warm.providers) == dict(cold.providers)
    assert dict(warm.sdks) == dict(cold.sdks)
    assert dict(warm.rules) == dict(cold.rules)
    assert warm.triggers == cold.triggers
    assert warm.env_access == cold.env_access
    assert warm.sinks == cold.sinks
    assert warm.placeholders == cold.placeholders
    assert dict(warm.public_keys) == dict(cold.public_keys)
    assert warm.lookalikes == cold.lookalikes
    assert warm.words == cold.words
    assert warm.families == cold.families
    assert warm.http == cold.http


def test_a_warm_load_reads_no_rules_file(cache_dir: Path, rules: Path) -> None:
    load(rules)
    code = (
        "import sys; from keyguard.catalogue import load; c = load(sys.argv[1]); c.triggers; "
        "print(sorted({'tomllib', 'tomli', 'keyguard.schema', 'keyguard.knowledge', 're2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(rules)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert cache_file(cache_dir).is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="file modes")
def test_the_cache_is_for_its_owner_only(cache_dir: Path) -> None:
    load(RULES)
    assert stat.S_IMODE(cache_file(cache_dir).stat().st_mode) == 0o600


def test_the_cache_holds_rules_and_nothing_else(cache_dir: Path) -> None:
    load(RULES)
    head = json.loads(cache_file(cache_dir).read_bytes().split(b"\n", 1)[0])
    assert set(head) == {"stamp", "crc", "sections"}


def test_a_changed_rule_is_seen_at_once(rules: Path) -> None:
    load(rules)
    (rules / "providers" / "acme.toml").write_text(NEW_PROVIDER, encoding="utf-8")
    assert "acme" in load(rules).providers
    path = rules / "providers" / "groq.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('name = "Groq"', 'name = "Grok?"', 1), "utf-8")
    assert load(rules).providers["groq"].name == "Grok?"
    (rules / "providers" / "acme.toml").unlink()
    assert "acme" not in load(rules).providers


def test_a_change_that_leaves_the_size_alone_is_seen(rules: Path) -> None:
    load(rules)
    path = rules / "providers" / "groq.toml"
    before = path.stat()
    path.write_text(path.read_text(encoding="utf-8").replace('name = "Groq"', 'name = "Grok"', 1), "utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert load(rules).providers["groq"].name == "Grok"


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda data: data[: len(data) // 2], id="cut short"),
        pytest.param(lambda data: data + b"x", id="longer"),
        pytest.param(lambda data: data[:-9] + b"\x00" * 9, id="overwritten"),
        pytest.param(lambda data: b"\x80\x04." + data, id="a pickle"),
        pytest.param(lambda _: b"[]\n", id="another list"),
        pytest.param(lambda data: b"null\n" + data, id="null"),
        pytest.param(lambda _: b'{"stamp": 1}\n', id="another object"),
        pytest.param(lambda _: b"[" * 100_000, id="deep"),
    ],
)
def test_a_spoilt_cache_is_ignored_and_written_again(cache_dir: Path, spoil) -> None:  # noqa: ANN001  # a function of bytes
    load(RULES)
    path = cache_file(cache_dir)
    whole = path.read_bytes()
    path.write_bytes(spoil(whole))
    assert load(RULES).providers["openai"].name == "OpenAI"
    assert path.read_bytes() == whole


@pytest.mark.skipif(sys.platform == "win32", reason="file modes")
def test_a_cache_that_others_can_write_is_not_believed(cache_dir: Path) -> None:
    load(RULES)
    path = cache_file(cache_dir)
    path.write_bytes(path.read_bytes())
    path.chmod(0o666)
    load(RULES)
    assert stat.S_IMODE(cache_file(cache_dir).stat().st_mode) == 0o600


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("KEYGUARD_CACHE_DIR", str(tmp_path / "file" / "below"))
    assert load(RULES).providers["openai"].name == "OpenAI"


def test_no_temporary_file_stays_behind(cache_dir: Path) -> None:
    load(RULES)
    assert [path.name for path in cache_dir.iterdir()] == [cache_file(cache_dir).name]


def test_two_rules_folders_do_not_share_a_cache(cache_dir: Path, rules: Path) -> None:
    load(RULES)
    load(rules)
    assert len(list(cache_dir.iterdir())) == 2


def test_a_catalogue_travels_to_a_worker_by_name(rules: Path) -> None:
    (rules / "providers" / "acme.toml").write_text(NEW_PROVIDER, encoding="utf-8")
    there = pickle.loads(pickle.dumps(load(rules)))  # noqa: S301  # our own bytes
    assert isinstance(there, Catalogue)
    assert "acme" in there.providers


# --- the structure tests stand behind the data ------------------------------------------------------------------------


def test_every_structure_test_is_used_by_some_shape() -> None:
    used = {shape.test for shape in CATALOGUE.shapes.values() if shape.test}
    assert used == set(structure.TESTS)
