"""Every code style reads what it says it reads, with its imports and its helper."""

from __future__ import annotations

import os
import sys
import types
from typing import Any
from unittest import mock

import pytest

from keyguard.catalogue import load
from keyguard.moving import style_of, with_fixes
from keyguard.naming import Naming
from keyguard.settings import Settings, Storing
from tests.keys import fill, make
from tests.moving.made import moved
from tests.python.made import facts, said

FORMS = [form.id for form in load().env_access.forms]
TEXT = 'from openai import OpenAI\n\nOpenAI(api_key="<openai-key>")\n'


@pytest.mark.parametrize(
    ("form", "after"),
    [
        (
            "os.environ",
            'import os\n\nfrom openai import OpenAI\n\nOpenAI(api_key=os.environ["OPENAI_API_KEY"])\n',
        ),
        ("getenv", 'import os\n\nfrom openai import OpenAI\n\nOpenAI(api_key=os.getenv("OPENAI_API_KEY"))\n'),
        (
            "decouple",
            'from decouple import config\nfrom openai import OpenAI\n\nOpenAI(api_key=config("OPENAI_API_KEY"))\n',
        ),
        (
            "pydantic-settings",
            (
                "from openai import OpenAI\nfrom pydantic_settings import BaseSettings\n\n\n"
                'class OpenaiApiKey(BaseSettings, env_file=".env", extra="ignore"):\n    OPENAI_API_KEY: str\n\n\n'
                "OpenAI(api_key=OpenaiApiKey().OPENAI_API_KEY)\n"
            ),
        ),
        (
            "st.secrets",
            'import streamlit as st\nfrom openai import OpenAI\n\nOpenAI(api_key=st.secrets["OPENAI_API_KEY"])\n',
        ),
        (
            "keyring",
            (
                "import keyring\nfrom openai import OpenAI\n\n"
                'OpenAI(api_key=keyring.get_password("app", "OPENAI_API_KEY"))\n'
            ),
        ),
    ],
)
def test_a_style_is_written_as_its_users_write_it(form: str, after: str) -> None:
    assert moved(TEXT, form=form).text == after


class Anything:
    """A store that has a value under every name."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # it is whatever is asked for
        """Whatever is asked for."""
        return self

    def __call__(self, *_: object, **__: object) -> Any:  # noqa: ANN401  # as above
        """Whatever is called."""
        return self

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  # as above
        """The key, where it is asked for by name."""
        return make("openai") if name in {"OPENAI_API_KEY", "SecretString"} else self

    @property
    def value(self) -> str:
        """The key."""
        return make("openai")

    def decode(self) -> str:
        """The key."""
        return make("openai")


def _modules(seen: list[object]) -> dict[str, Any]:
    anything = Anything()
    names = {
        "decouple": {"config": lambda name: os.environ[name]},
        "streamlit": {"secrets": {"OPENAI_API_KEY": make("openai")}},
        "keyring": {"get_password": lambda _, name: os.environ[name]},
        "boto3": {"client": anything},
        "hvac": {"Client": anything},
        "google.cloud": {"secretmanager": anything},
        "azure.identity": {"DefaultAzureCredential": anything},
        "azure.keyvault.secrets": {"SecretClient": anything},
        "openai": {"OpenAI": lambda *, api_key: seen.append(api_key)},
    }
    made: dict[str, Any] = {}
    for name, held in names.items():
        made[name] = types.ModuleType(name)
        made[name].__dict__.update(held)

    class BaseSettings:
        def __init_subclass__(cls, **_: object) -> None:
            cls.OPENAI_API_KEY = os.environ["OPENAI_API_KEY"]  # type: ignore[attr-defined]  # made here

    made["pydantic_settings"] = types.SimpleNamespace(BaseSettings=BaseSettings)
    return made


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        'from openai import OpenAI\nOpenAI(api_key=f"<openai-key>")\n',
        'from openai import OpenAI\n\n\ndef f(key="<openai-key>"):\n    return OpenAI(api_key=key)\n\n\nf()\n',
        '"""Doc."""\nfrom openai import OpenAI\nx = {"k": "<openai-key>"}\nOpenAI(api_key=x["k"])\n',
    ],
)
def test_a_style_gives_the_key(form: str, text: str) -> None:
    fixed = moved(text, form=form)
    assert fixed.safety == "safe"
    assert fixed.left == ()
    seen: list[object] = []
    variables = {**fixed.moves, "GOOGLE_CLOUD_PROJECT": "p", "AZURE_KEY_VAULT_URL": "u"}
    with mock.patch.dict(sys.modules, _modules(seen)), mock.patch.dict(os.environ, variables):
        exec(compile(fixed.text, "<program>", "exec", dont_inherit=True), {"__name__": "program"})  # noqa: S102  # a test's own text
    assert seen == [make("openai")]


@pytest.mark.parametrize("form", FORMS)
def test_two_keys_share_what_a_style_needs(form: str) -> None:
    fixed = moved('sink("<openai-key>", "Bearer <groq-key>")\n', form=form)
    assert fixed.left == ()
    assert len(fixed.moves) == 2
    assert fixed.text.count("def read_secret") <= 1


@pytest.mark.parametrize("form", FORMS)
def test_an_assignment_goes_only_where_the_environment_itself_is_read(form: str) -> None:
    text = 'import os\nos.environ["GROQ_API_KEY"] = "<groq-key>"\nprint(os.environ["GROQ_API_KEY"])\n'
    fixed = moved(text, form=form)
    assert ('os.environ["GROQ_API_KEY"] =' in fixed.text) == (form not in {"os.environ", "getenv"})


def test_a_style_reads_from_where_the_store_keeps_keys() -> None:
    storing = Storing(aws_prefix="team/", vault_mount="kv", vault_path="team/app", keyring_service="the app")
    texts = {}
    for form in ("boto3", "hvac", "keyring"):
        chosen = style_of(Settings(code_style=form, storing=storing), load())
        found = facts(TEXT)
        (hit,) = with_fixes(found, [one.hit for one in said(TEXT)], Naming(load()), chosen)
        assert hit.fix is not None
        texts[form] = "".join(edit.text for edit in hit.fix.edits)
    assert 'get_secret_value(SecretId="team/OPENAI_API_KEY")["SecretString"]' in texts["boto3"]
    assert 'read_secret_version("team/app", mount_point="kv",' in texts["hvac"]
    assert 'keyring.get_password("the app", "OPENAI_API_KEY")' in texts["keyring"]


def test_a_place_that_would_need_escapes_is_not_written() -> None:
    chosen = style_of(Settings(code_style="keyring", storing=Storing(keyring_service="Bob's")), load())
    (hit,) = with_fixes(facts(TEXT), [one.hit for one in said(TEXT)], Naming(load()), chosen)
    assert hit.fix is not None
    assert hit.fix.safety.label == "shown"


def test_a_helper_whose_name_is_taken_is_not_written() -> None:
    fixed = moved('def read_secret(x):\n    return x\n\n\nkey = "<openai-key>"\n', form="hvac")
    assert fixed.text == fill('def read_secret(x):\n    return x\n\n\nkey = "<openai-key>"\n')
    assert [fix.safety.label for fix in fixed.left] == ["shown"]
