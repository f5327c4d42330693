"""KG107: which env files hold something real, and what git does with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keyguard.checks.kg107 import check
from tests.checks.facts import facts_of, hits
from tests.keys import fill
from tests.runs import Tree

if TYPE_CHECKING:
    from pathlib import Path

KEY = "OPENAI_API_KEY=<openai-key>\n"


def cases(path: str, text: str, status: str = "untracked") -> list[str | None]:
    return [hit.case for hit in hits(check, path, text, status=status)]


@pytest.mark.parametrize("status", ["ignored", "outside"])
def test_a_file_git_does_not_see_is_where_keys_belong(status: str) -> None:
    assert cases(".env", KEY, status) == []


@pytest.mark.parametrize(
    "path",
    [".env.example", ".env.sample", ".env.template", "template.env", ".env.dist", "example.env", "config/.env.example"],
)
def test_a_template_is_made_to_be_committed(path: str) -> None:
    assert cases(path, KEY) == []


@pytest.mark.parametrize("path", ["settings.ini", "environment.yml", "env.py", "app.yaml", "notes.txt", "README.md"])
def test_other_files_are_no_env_files(path: str) -> None:
    assert cases(path, KEY) == []


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# OPENAI_API_KEY=<openai-key|head>",
        "OPENAI_API_KEY=",
        'OPENAI_API_KEY=""',
        "OPENAI_API_KEY=   # fill this in",
        "OPENAI_API_KEY=your-api-key-here",
        "OPENAI_API_KEY=sk-your-key-here",
        "OPENAI_API_KEY=<your key>",
        "OPENAI_API_KEY=你的API密钥",
        "OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxx",
        "OPENAI_API_KEY=${OPENAI_API_KEY}",
        "OPENAI_API_KEY=$OPENAI_API_KEY",
        "OPENAI_API_KEY=$(pass show openai)",
        "OPENAI_API_KEY={{ openai_api_key }}",
        "OPENAI_API_KEY=op://vault/openai/credential",
        "OPENAI_API_KEY=vault:secret/data/openai#key",
        "OPENAI_API_KEY=ENC[AES256_GCM,data:<sha1>,iv:<md5>,tag:<md5-2>,type:str]",
        'OPENAI_API_KEY="encrypted:<sha256><sha256-2>"',
        'DOTENV_PUBLIC_KEY_PRODUCTION="<sha256>"',
        "DOTENV_VAULT_PRODUCTION=<unknown-token>",
        "DEBUG=1",
        "PORT=8000",
        "OPENAI_BASE_URL=https://api.openai.com/v1",
        "OPENAI_MODEL=gpt-4o-2024-08-06",
        "MAX_TOKENS=4096",
        "DATABASE_URL=postgres://localhost:5432/app",
        "DATABASE_URL=postgres://postgres:postgres@localhost/app",
        "DATABASE_URL=postgres://user:password@localhost/app",
        "POSTGRES_PASSWORD=postgres",
        "SECRET_KEY=change-me-in-production",
        "SECRET_KEY_FILE=/run/secrets/key1234",
        "GIT_COMMIT=<sha1>",
        "PUBLIC_SITE_TOKEN=<unknown-token>",
        "VITE_MAP_KEY=<unknown-token>",
        "LOG_LEVEL=debug",
        "not an assignment",
    ],
)
def test_values_that_are_no_secret(line: str) -> None:
    assert cases(".env", f"NAME=app\n{line}\n") == []


@pytest.mark.parametrize("start", ["$ANSIBLE_VAULT;1.1;AES256\n", "-----BEGIN AGE ENCRYPTED FILE-----\n"])
def test_an_encrypted_file_may_be_committed(start: str) -> None:
    assert cases(".env", f"{start}3361626462\n{KEY}") == []


@pytest.mark.parametrize("status", ["tracked", "staged", "untracked"])
def test_git_decides_the_case(status: str) -> None:
    assert cases(".env", KEY, status) == [status]


@pytest.mark.parametrize(
    "path", [".env", ".env.local", "deploy/.env.production", "prod.env", ".env.staging", "backend/.env", ".envrc"]
)
def test_env_files_by_many_names(path: str) -> None:
    assert cases(path, f"export {KEY}") == ["untracked"]


@pytest.mark.parametrize(
    "line",
    [
        "OPENAI_API_KEY=<openai-key>",
        'OPENAI_API_KEY="<openai-key>"',
        "OPENAI_API_KEY = '<openai-key>'  # mine",
        "export ANTHROPIC_API_KEY=<anthropic-key>",
        "OPENAI_API_KEY: <openai-key>",
        "MISTRAL_API_KEY=<unknown-token>",
        "OPENAI_API_KEY_PROD=<openai-key>",
        "APP_SECRET_KEY=<unknown-token>",
        "DB_PASSWORD=<random-password>",
        "JWT_SECRET=<sha256>",
        "AWS_SECRET_ACCESS_KEY=<aws-secret-key>",
        "DOTENV_PRIVATE_KEY_PRODUCTION=<sha256>",
        "DATABASE_URL=postgres://app:<random-password>@db.example.org/app",
        'SIGNING_KEY="<private-key>"',
    ],
)
def test_values_that_are_secrets(line: str) -> None:
    assert cases(".env", f"DEBUG=1\n{line}\n") == ["untracked"]


def test_it_is_reported_once_at_the_first_line() -> None:
    text = f"# settings\n{KEY}GROQ_API_KEY=<groq-key>\n"
    facts = facts_of(".env", text, status="tracked")
    (hit,) = check(facts)
    assert fill(text)[hit.span.start : hit.span.end] == "# settings"
    assert facts.source.position(hit.span.start) == (1, 1)


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_other_line_ends(newline: str) -> None:
    assert cases(".env", "DEBUG=1\nDB_PASSWORD=<random-password>\n".replace("\n", newline)) == ["untracked"]


def test_git_is_not_asked_about_a_harmless_file() -> None:
    def fail() -> str:
        raise AssertionError

    facts = facts_of(".env", "DEBUG=1\n")
    object.__setattr__(facts, "status", fail)
    assert list(check(facts)) == []


def test_from_the_first_git_add_to_the_ignore_line(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "project")
    tree.git("init", "-q", "-b", "main")
    tree.write(".env", "DB_PASSWORD=<random-password>\n")

    def found(*argv: str) -> list[tuple[str, str]]:
        return [(one["rule"], one["message"]) for one in tree.check(*argv).findings]

    assert found() == [("KG107", "git does not ignore this env file with real values: the next git add takes it")]
    tree.git("add", ".env")
    assert found() == found("--staged") == [("KG107", "this env file with real values is about to be committed")]
    tree.commit()
    assert found() == [("KG107", "git tracks this env file with real values")]
    tree.git("rm", "-q", "--cached", ".env")
    tree.write(".gitignore", ".env\n")
    assert found() == found(".env") == []
