"""Names of variables: a key's own, the project's, its host's; the same key the same name, another key another one."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from keyguard.catalogue import load
from keyguard.model import Secret
from keyguard.naming import Naming, Variables, Wish
from tests.keys import make

if TYPE_CHECKING:
    from pathlib import Path

CATALOGUE = load()


def secret(name: str = "openai", seed: int = 0) -> Secret:
    return Secret(make(name, seed), None)


def named(wish: Wish, variables: Variables | None = None, **settings: str) -> str:
    by_host = {host.replace("_", "."): name for host, name in settings.items()}
    return Naming(CATALOGUE, by_host=by_host, variables=variables).name(secret(), wish)


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        pytest.param(Wish("MY_KEY", ("api.openai.com",), "openai"), "MY_KEY", id="its-own"),
        pytest.param(Wish("my-key", (), "openai"), "OPENAI_API_KEY", id="its-own-is-no-name"),
        pytest.param(Wish(None, ("api.deepseek.com",), "openai"), "DEEPSEEK_API_KEY", id="host"),
        pytest.param(Wish(None, ("api.poloapi.top",), "openai"), "POLOAPI_KEY", id="relay"),
        pytest.param(Wish("OPENAI_API_KEY", ("api.poloapi.top",), "openai"), "POLOAPI_KEY", id="relay-not-openai"),
        pytest.param(Wish("OPENAI_API_KEY", ("api.acme.io",), "openai"), "ACME_API_KEY", id="unknown-not-openai"),
        pytest.param(Wish("OPENAI_API_KEY", ("api.acme.io",), None, (), fixed=True), "OPENAI_API_KEY", id="fixed"),
        pytest.param(
            Wish("ANTHROPIC_API_KEY", ("api.deepseek.com",), "deepseek"), "ANTHROPIC_API_KEY", id="documented-so"
        ),
        pytest.param(Wish(None, ("llm.acme-labs.co.uk",)), "ACME_LABS_API_KEY", id="unknown-host"),
        pytest.param(Wish(None, ("gw.acme.com.cn:8443",)), "ACME_API_KEY", id="unknown-host-and-port"),
        pytest.param(Wish(None, ("openai.xyz",)), "OPENAI_XYZ_API_KEY", id="never-another-provider"),
        pytest.param(Wish(None, ("9router.dev",)), "HOST_9ROUTER_API_KEY", id="legal"),
        pytest.param(Wish(None, ("8.8.4.4:3000",)), "HOST_8_8_4_4_API_KEY", id="address"),
        pytest.param(Wish(None, ("localhost:4000",), "openai"), "OPENAI_API_KEY", id="loopback"),
        pytest.param(Wish(None, ("192.168.1.5",), None, ("GROQ_API_KEY",)), "GROQ_API_KEY", id="private"),
        pytest.param(Wish(None, (), "anthropic", ("OPENAI_API_KEY",)), "ANTHROPIC_API_KEY", id="shape-before-sdk"),
        pytest.param(Wish(None, (), None, ("OPENAI_API_KEY",)), "OPENAI_API_KEY", id="sdk"),
        pytest.param(Wish(), "API_KEY", id="nothing"),
    ],
)
def test_a_key_is_named_by_what_is_known(wish: Wish, name: str) -> None:
    assert named(wish) == name


def test_every_provider_gives_a_legal_name() -> None:
    for provider in CATALOGUE.providers.values():
        for host in provider.hosts[:1]:
            name = named(Wish(None, (host,)))
            assert name.isidentifier(), provider.id
            assert name == name.upper(), provider.id
            if provider.kind == "relay":
                assert name != "OPENAI_API_KEY", provider.id


def test_settings_name_a_host() -> None:
    assert named(Wish(None, ("api.acme.io",)), api_acme_io="CORP_KEY") == "CORP_KEY"
    assert named(Wish(None, ("api.acme.io:8080",)), api_acme_io="CORP_KEY") == "CORP_KEY"
    assert named(Wish(None, ("api.deepseek.com",)), api_deepseek_com="CORP_KEY") == "CORP_KEY"


def test_the_same_key_keeps_its_name_and_another_gets_its_own() -> None:
    naming = Naming(CATALOGUE)
    wish = Wish(None, ("api.openai.com",))
    assert [naming.name(secret(seed=seed), wish) for seed in (0, 1, 0, 2)] == [
        "OPENAI_API_KEY",
        "OPENAI_API_KEY_2",
        "OPENAI_API_KEY",
        "OPENAI_API_KEY_3",
    ]
    assert naming.name(secret(seed=1), Wish("ELSE")) == "OPENAI_API_KEY_2"


def test_a_name_that_the_store_holds_with_another_value_is_taken() -> None:
    held = {"OPENAI_API_KEY": make("groq"), "OPENAI_API_KEY_2": make("openai")}
    naming = Naming(CATALOGUE, held=held.get)
    assert naming.name(secret(), Wish(None, (), "openai")) == "OPENAI_API_KEY_2"


def test_a_name_that_the_store_has_for_the_key_is_used() -> None:
    naming = Naming(CATALOGUE, name_of={make("openai"): "MAIN_KEY"}.get)
    assert naming.name(secret(), Wish(None, (), "openai")) == "MAIN_KEY"
    naming = Naming(CATALOGUE, name_of={make("openai"): "MAIN_KEY"}.get)
    assert naming.name(secret(), Wish("WRITTEN", (), "openai")) == "WRITTEN"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path


def write(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (".env.example", "DEEPSEEK_KEY=\n"),
        (".env", "export DEEPSEEK_KEY=''\n"),
        ("run.sh", "set -e\nexport DEEPSEEK_KEY=$1\n"),
        ("Dockerfile", "FROM python\nENV DEEPSEEK_KEY=\n"),
        ("compose.yaml", "services:\n  web:\n    environment:\n      - DEEPSEEK_KEY=${DEEPSEEK_KEY}\n"),
        (".github/workflows/ci.yml", "env:\n  DEEPSEEK_KEY: ${{ secrets.DEEPSEEK_KEY }}\n"),
        ("start.ps1", "$env:DEEPSEEK_KEY = $key\n"),
    ],
)
def test_what_the_project_calls_a_hosts_key_is_used(project: Path, path: str, line: str) -> None:
    write(project, path, line)
    assert named(Wish(None, ("api.deepseek.com",)), Variables(str(project))) == "DEEPSEEK_KEY"
    assert named(Wish(None, (), "deepseek"), Variables(str(project))) == "DEEPSEEK_KEY"


def test_what_the_project_calls_an_unknown_hosts_key_is_used(project: Path) -> None:
    write(project, ".env.example", "ACME_TOKEN=\n")
    assert named(Wish(None, ("api.acme.io",)), Variables(str(project))) == "ACME_TOKEN"


def test_a_variable_that_holds_the_value_is_used(project: Path) -> None:
    write(project, ".env", f'OPENAI_API_KEY={make("groq")}\nSECOND="{make("openai")}"  # new\n')
    assert named(Wish(None, (), "openai"), Variables(str(project))) == "SECOND"


def test_a_variable_with_another_value_is_taken(project: Path) -> None:
    write(project, ".env", f"OPENAI_API_KEY={make('groq')}\n")
    assert named(Wish(None, (), "openai"), Variables(str(project))) == "OPENAI_API_KEY_2"


@pytest.mark.parametrize("line", ["OPENAI_API_KEY=\n", "OPENAI_API_KEY=$OTHER\n"])
def test_a_variable_without_a_value_is_free(project: Path, line: str) -> None:
    write(project, ".env", line)
    assert named(Wish(None, (), "openai"), Variables(str(project))) == "OPENAI_API_KEY"


def test_only_a_few_folders_are_read(project: Path) -> None:
    write(project, "src/deep/.env", "DEEPSEEK_KEY=1\n")
    (project / "link.sh").symlink_to(project / "src/deep/.env")
    assert Variables(str(project)).names == ()


def test_nothing_shows_a_value(project: Path) -> None:
    write(project, ".env", f"OPENAI_API_KEY={make('openai')}\n")
    variables = Variables(str(project))
    naming = Naming(CATALOGUE, variables=variables)
    naming.name(secret(), Wish(None, (), "openai"))
    assert make("openai") not in repr(naming) + repr(variables)
    assert make("openai").encode() not in pickle.dumps(variables)
    with pytest.raises(TypeError, match="never leaves"):
        pickle.dumps(naming)
