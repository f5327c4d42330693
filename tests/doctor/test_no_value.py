"""No report of the doctor's holds a value, whatever is set to what, and the same environment gives the same report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.catalogue import load
from keyguard.doctor import EnvFile, Environment, Place, Setting, diagnose, questions_about, with_verdicts
from keyguard.doctor.records import Unread
from keyguard.inventory import KeySource, Peer, Row
from keyguard.leaks import Verdict
from keyguard.model import Secret
from keyguard.report.doctor import render_diagnosis
from keyguard.report.options import RenderOptions
from tests.keys import make, shape_ids
from tests.test_no_leak import assert_hidden

if TYPE_CHECKING:
    from collections.abc import Sequence

CATALOGUE = load()
KEYS = sorted({name for provider in CATALOGUE.providers.values() for name in provider.env if provider.curated})
BASES = sorted({name for provider in CATALOGUE.providers.values() for name in provider.env_base_url})
SHAPES = [shape for shape in shape_ids() if CATALOGUE.shapes[shape].secret]

# What people put around a key, and where they put it by mistake.
WRAPPED = st.sampled_from(
    (
        "{key}",
        " {key} ",
        "{key}\r",
        "{key}\n",
        '"{key}"',
        "“{key}”",
        "\ufeff{key}",
        "{key}\u200b",
        "Bearer {key}",
        "OPENAI_API_KEY={key}",
        "{key}{key}",
        "{key},{key}",
        "your-{key}",
        "https://api.openai.com/v1/{key}",
        "https://{key}@api.openai.com/v1",
        "https://api.openai.com/v1?key={key}",
        "https://{key}/v1",
        "http://{key}",
        "{key}/v1",
        "{key}...",
        "${{{key}}}",
        "op://{key}",
        "-{key}",
        "{key}.example.com",
    )
)
PLACES = st.sampled_from((Place(), Place(".env", 1), Place(".env", 2), Place(".env.local", 1)))


def environment(found: Sequence[tuple[str, str, Place]]) -> Environment:
    """An environment with these values at these places."""
    settings_ = [Setting(name, Secret(value), place) for name, value, place in found]
    files = tuple(
        EnvFile(
            path,
            tuple(one for one in settings_ if one.place.path == path),
            (Unread(settings_[0].name, "quote", 3),),
            status="untracked",
            is_open=True,
            has_secrets=True,
            coding="bom",
            ends="crlf",
        )
        for path in (".env.local", ".env")
    )
    return Environment(tuple(one for one in settings_ if not one.place.path), files)


def rows(names: Sequence[str]) -> list[Row]:
    """Code that sends the variables to hosts that somebody answers at."""
    peers = (Peer("api.openai.com", "openai", "official", "default"),)
    return [
        Row("app.py", number, 1, None, "sdk", "openai.OpenAI", "openai", peers, (), KeySource("variable", (name,)))
        for number, name in enumerate(names, 1)
    ]


def rendered(given_: Environment, code: Sequence[Row]) -> str:
    """Everything that can be said of it."""
    asking = questions_about(given_, code, CATALOGUE, {})
    diagnosis = diagnose(given_, code, CATALOGUE)
    verdict = Verdict("dead", "api.openai.com", 401, "no", (("left", "1"),))
    diagnosis = with_verdicts(diagnosis, {one.name: verdict for one in diagnosis.variables if one.settings}, CATALOGUE)
    texts = [repr(given_), repr(diagnosis), repr(asking)]
    for lang in ("en", "zh"):
        for form in ("text", "json"):
            options = RenderOptions(CATALOGUE, lang, width=None if form == "json" else 80, verbose=True)
            texts.append(render_diagnosis(diagnosis, options, form))
    return "\n".join(texts)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_no_report_holds_a_key(data: st.DataObject) -> None:
    found, keys = [], []
    for number in range(data.draw(st.integers(1, 3))):
        shape = data.draw(st.sampled_from(SHAPES))
        key = make(shape, data.draw(st.integers(0, 5)) + 10 * number)
        name = data.draw(st.sampled_from((*KEYS, *BASES)))
        found.append((name, data.draw(WRAPPED).format(key=key), data.draw(PLACES)))
        keys.append((key, shape))
    code = rows([name for name, _, _ in found]) if data.draw(st.booleans()) else []
    made = environment(found)
    text = rendered(made, code)
    for key, shape in keys:
        assert_hidden(text, key, shape)
    assert rendered(made, code) == text


@settings(max_examples=150, deadline=None)
@given(
    value=st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=60),
    name=st.sampled_from(KEYS),
    place=PLACES,
    sends=st.booleans(),
)
def test_no_report_holds_any_text_of_a_key_variable(value: str, name: str, place: Place, sends: bool) -> None:  # noqa: FBT001  # hypothesis gives it
    plain = rendered(environment([(name, "x", place)]), rows([name]))
    own = value.strip()
    text = rendered(environment([(name, value, place)]), rows([name]) if sends else [])
    assert len(own) < 6 or own in plain or own not in text  # shorter texts stand in it by chance


@settings(max_examples=100, deadline=None)
@given(value=st.text(max_size=120), name=st.sampled_from(BASES))
def test_any_text_can_stand_in_a_base_url(value: str, name: str) -> None:
    text = rendered(environment([(name, value, Place())]), [])
    assert name in text
    assert "\x1b" not in text
