"""What the doctor makes of frozen data: whole keys are quiet where they belong, and loads are told by a quick look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keyguard.catalogue import load
from keyguard.doctor import Environment, Setting, diagnose
from keyguard.doctor.loading import Load, loads_of
from keyguard.inventory import KeySource, Peer, Row
from keyguard.model import Secret
from keyguard.python.hosts import route_of
from tests.keys import make

if TYPE_CHECKING:
    from keyguard.catalogue import Provider

CATALOGUE = load()
LOADERS = CATALOGUE.env_access.loaders
ISSUERS = [
    provider
    for provider in CATALOGUE.providers.values()
    if any(shape.secret and not shape.malformed for shape in provider.shapes)
]


def whole_keys(provider: Provider) -> list[str]:
    """A key of each of the provider's forms that still works."""
    shapes = [shape for shape in provider.shapes if shape.secret and not shape.malformed and not shape.retired]
    return [make(shape.id, 1) for shape in shapes]


@pytest.mark.parametrize("provider", [one for one in ISSUERS if one.env], ids=lambda one: one.id)
def test_a_whole_key_in_its_own_variable_is_quiet(provider: Provider) -> None:
    for key in whole_keys(provider):
        found = diagnose(Environment((Setting(provider.variable, Secret(key)),)), [], CATALOGUE)
        assert found.problems == ()


@pytest.mark.parametrize("provider", [one for one in ISSUERS if one.hosts], ids=lambda one: one.id)
def test_a_whole_key_that_code_sends_to_its_own_host_is_quiet(provider: Provider) -> None:
    peer = Peer(provider.hosts[0], provider.id, route_of(provider), "argument")
    source = KeySource("variable", ("MY_KEY",))
    row = Row("app.py", 1, 1, None, "sdk", "openai.OpenAI", "openai", (peer,), (), source)
    for key in whole_keys(provider):
        assert diagnose(Environment((Setting("MY_KEY", Secret(key)),)), [row], CATALOGUE).problems == ()


def test_nothing_that_holds_a_value_can_be_seen_or_carried_away() -> None:
    key = make("openai/project")
    environment = Environment((Setting("OPENAI_API_KEY", Secret(key)),))
    assert key[10:] not in repr(environment)
    assert key[10:] not in repr(diagnose(environment, [], CATALOGUE))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import os\n", ()),
        ("def load_dotenv(): ...\n\nload_dotenv()\n", ()),
        ("this is no Python (", ()),
        ("from dotenv import load_dotenv\nload_dotenv()\n", (Load(None),)),
        ("import dotenv\ndotenv.load_dotenv('.env.prod', override=True)\n", (Load(".env.prod", overrides=True),)),
        ("from dotenv import load_dotenv as go\ngo(dotenv_path='a/.env')\n", (Load("a/.env"),)),
        (
            "from dotenv import load_dotenv, find_dotenv\nload_dotenv(find_dotenv())\n",
            (Load(None, is_beside=True),),
        ),
        (
            (
                "from os.path import dirname, join\nfrom dotenv import load_dotenv\n"
                "load_dotenv(join(dirname(__file__), '..', '.env'))\n"
            ),
            (Load("../.env", is_beside=True),),
        ),
        ("from environs import Env\nenv = Env()\nenv.read_env('.env.local')\n", (Load(".env.local"),)),
        (
            "class S(BaseSettings):\n    class Config:\n        env_file = '.env', '.env.prod'\n",
            (Load(".env"), Load(".env.prod")),
        ),
    ],
)
def test_what_a_module_loads(text: str, expected: tuple[Load, ...]) -> None:
    assert loads_of(text, LOADERS) == expected
