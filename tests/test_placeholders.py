"""Stand-ins are told from keys, in every language, and no mask shows a character of a key's own."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.catalogue import load
from keyguard.secrets.placeholders import entropy, is_lookalike, is_placeholder, looks_random, mask
from tests.keys import make, shape_ids

CATALOGUE = load()
SEARCHED = [
    shape.id
    for shape in map(CATALOGUE.shapes.__getitem__, shape_ids())
    if shape.secret and not shape.malformed and shape.max_length is not None and shape.max_length >= 24
]

# Written with `~` in place of `-`, so that no line has the form of a key.
STAND_INS = [
    text.replace("~", "-")
    for text in (
        "",
        "your-api-key",
        "YOUR_API_KEY",
        "<YOUR_OPENAI_API_KEY>",
        "sk~your~key~here",
        "sk~proj~REPLACE_WITH_YOUR_KEY",
        "sk~xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk~...",
        "sk~proj~****************",
        "sk~ZqSk...1IE7",
        "sk~or~v1~[REDACTED]",
        "changeme",
        "INSERT_KEY_HERE",
        "dummy",
        "test-api-key",
        "${OPENAI_API_KEY}",
        "$OPENAI_API_KEY",
        "${{ secrets.OPENAI_API_KEY }}",
        "{{ openai_api_key }}",
        "%OPENAI_API_KEY%",
        "{api_key}",
        "你的API密钥",
        "sk~在此填写您的API密钥",
        "在這裡貼上你的金鑰",
        "ここにAPIキー",
        "발급받은 API 키",
        "сюда-ваш-ключ",
        "votre-cle-api",
        "tu-clave-aqui",
        "sua-chave-api",
        "hier-dein-schluessel",
        "0123456789abcdef0123456789abcdef",
        "deadbeefdeadbeefdeadbeefdeadbeef",
        "sk~1234567890abcdef1234567890abcdef",
        "sk~abcdefghijklmnopqrstuvwxyz1234567890abcdef",
        "sk~a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6",
        "sk~qwertyuiopasdfghjklzxcvbnmqwertyuiopasdfghjkl",
        f"hf_{'requiredCharacteristicTypesForDisplay'}",
        f"gsk_{'thisisnotarealkeybutlooksalittlelikeoneforthetests'}",
        "sk~this~is~my~super~secret~key~for~openai",
        "SuperSecretPasswordForTheDatabase",
        "00000000-0000-0000-0000-000000000000",
    )
]


@pytest.mark.parametrize("value", STAND_INS)
def test_a_stand_in_is_no_key(value: str) -> None:
    assert is_placeholder(value, CATALOGUE)


@pytest.mark.parametrize("shape", SEARCHED)
def test_no_key_of_any_shape_is_a_stand_in(shape: str) -> None:
    assert [key for key in (make(shape, seed) for seed in range(20)) if is_placeholder(key, CATALOGUE)] == []


@pytest.mark.parametrize("word", ["test", "my", "key", "tu", "demo", "fake"])
def test_a_word_that_chance_spelled_inside_a_random_text_says_nothing(word: str) -> None:
    body = "q7Zr9" + word + "K2vXw8Lp3Nf6Td1Hs4Gb5Jc"
    assert not is_placeholder(body, CATALOGUE)


@pytest.mark.parametrize("text", ["short1A", "é" * 30, "a" * 40, "ab" * 20, "x" * 5000])
def test_what_nobody_rolled_does_not_look_random(text: str) -> None:
    assert not looks_random(text)


@pytest.mark.parametrize(
    "text",
    [
        "gpt-4o-mini-2024-07-18",
        "claude-sonnet-4-20250514",
        "sk-toggleable__label-arrow",
        "sk-ssh-ed25519@openssh.com",
        "al-jazeera-news-channel",
        "sha256-" + "ab12" * 11,
    ],
)
def test_names_of_models_classes_and_hashes_look_like_keys_and_are_none(text: str) -> None:
    assert is_lookalike(text, CATALOGUE)


def test_an_unknown_token_is_no_lookalike() -> None:
    assert [key for key in (make("unknown-token", seed) for seed in range(20)) if is_lookalike(key, CATALOGUE)] == []


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=300))
def test_any_text_is_judged_without_an_error(text: str) -> None:
    assert is_placeholder(text, CATALOGUE) in {True, False}
    assert looks_random(text) in {True, False}
    assert entropy(text) >= 0.0


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet=string.ascii_letters + string.digits + "-_", min_size=8, max_size=80))
def test_a_mask_without_a_shape_shows_only_the_length(value: str) -> None:
    assert mask(value) == f"… ({len(value)} characters)"


@pytest.mark.parametrize("shape", SEARCHED)
def test_a_mask_shows_the_public_prefix_and_the_length(shape: str) -> None:
    key, known = make(shape), CATALOGUE.shapes[shape]
    shown, _, length = mask(key, known).partition("…")
    assert shown in {"", *known.prefixes}
    assert key.startswith(shown)
    assert length == f" ({len(key)} characters)"


def test_entropy_counts_bits_per_character() -> None:
    assert entropy("") == 0.0
    assert entropy("aaaa") == 0.0
    assert entropy("abcd") == 2.0
