"""The offline structure tests: whole keys pass, and one changed character is enough to fail a checksum."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.catalogue import load
from keyguard.secrets import structure
from tests.keys import make

CATALOGUE = load()
TESTED = [shape for shape in CATALOGUE.shapes.values() if shape.test]
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

# The body a checksum covers: start and end of the characters that may be changed.
CHECKED = {
    "github_models/classic_pat": (4, 34),
    "github_copilot/oauth_or_app": (4, 34),
    "github_models/fine_grained_pat": (11, 77),
    "azure_openai/cask_openai": (0, 52),
    "azure_openai/cask_any_cognitive": (0, 52),
}


def changed(text: str, place: int, to: str) -> str:
    return text[:place] + to + text[place + 1 :]


@pytest.mark.parametrize("shape", TESTED, ids=lambda shape: shape.id)
@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=15)
def test_a_whole_key_passes(shape, seed: int) -> None:  # noqa: ANN001  # a KeyShape, by parametrize
    assert shape.well_formed(make(shape.id, seed)) is True


@pytest.mark.parametrize("shape", CHECKED)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_one_changed_character_fails_the_checksum(shape: str, data: st.DataObject) -> None:
    key = make(shape, data.draw(st.integers(0, 50)))
    place = data.draw(st.integers(CHECKED[shape][0], CHECKED[shape][1] - 1))
    other = data.draw(st.sampled_from(ALNUM).filter(lambda character: character != key[place]))
    assert CATALOGUE.shapes[shape].well_formed(changed(key, place, other)) is False


@pytest.mark.parametrize("shape", CHECKED)
@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_a_changed_checksum_fails(shape: str, data: st.DataObject) -> None:
    key = make(shape, data.draw(st.integers(0, 50)))
    # The last eight characters of a fine-grained token stand outside its checksum.
    end = -8 if shape == "github_models/fine_grained_pat" else len(key)
    place = len(key[:end]) - 1 - data.draw(st.integers(0, 3))
    other = data.draw(st.sampled_from(ALNUM).filter(lambda character: character != key[place]))
    assert CATALOGUE.shapes[shape].well_formed(changed(key, place, other)) is False


@pytest.mark.parametrize("shape", ["alibaba_dashscope/payg_workspace", "alibaba_dashscope/token_plan"])
@given(cut=st.integers(1, 40), seed=st.integers(0, 50))
@settings(deadline=None, max_examples=40)
def test_a_cut_signature_fails(shape: str, cut: int, seed: int) -> None:
    assert CATALOGUE.shapes[shape].well_formed(make(shape, seed)[:-cut]) is False


@given(place=st.integers(3, 50), seed=st.integers(0, 50))
@settings(deadline=None, max_examples=60)
def test_a_marker_must_stand_in_the_middle(place: int, seed: int) -> None:
    marker = "T3BlbkFJ"
    key = make("openai/legacy_user", seed).replace(marker, "")
    moved = key[:place] + marker + key[place:]
    assert structure.marker_centred(moved, marker=marker) is (place == 23)


@pytest.mark.parametrize("half", [20, 46, 58, 74])
def test_the_halves_around_a_marker_may_hold_dashes(half: int) -> None:
    key = "sk-proj-" + ("a-_" * 30)[:half] + "T3BlbkFJ" + ("-b_" * 30)[:half]
    assert structure.marker_centred(key, marker="T3BlbkFJ")
    assert not structure.marker_centred(key + "x", marker="T3BlbkFJ")
    assert not structure.marker_centred(key.swapcase(), marker="T3BlbkFJ")


@given(place=st.integers(0, 31), seed=st.integers(0, 50))
@settings(deadline=None, max_examples=60)
def test_a_letter_of_the_wrong_case_is_no_relay_key(place: int, seed: int) -> None:
    key = make("relay_one_api/one_api", seed)
    letter = key[19 + place]
    if letter.isalpha():
        assert not structure.uuid_case_alternation(changed(key, 19 + place, letter.swapcase()), offset=19)


@pytest.mark.parametrize("name", structure.TESTS)
@given(value=st.text(max_size=300))
@settings(deadline=None, max_examples=60)
def test_no_text_makes_a_test_raise(name: str, value: str) -> None:
    shape = next(shape for shape in TESTED if shape.test == name)
    assert structure.TESTS[name](value, **shape.test_args) in (True, False)
    assert structure.TESTS[name](shape.prefix + value, **shape.test_args) in (True, False)


@given(value=st.binary(max_size=80))
@settings(deadline=None, max_examples=100)
def test_no_bytes_make_a_signature_raise(value: bytes) -> None:
    text = base64.urlsafe_b64encode(b"\x30" + bytes([len(value) & 0x7F]) + value).decode().rstrip("=")
    assert structure.der_signature_tail(f"x.{text}", separator=".") in (True, False)


@pytest.mark.parametrize(
    ("data", "both_halves"),
    [(b"", 0x30ED35C100CD3C7D), (b"\xaf", 0x48E73FC77D75DDC1), (b"\xe7\x0f", 0xB5F6E1FC485DBFF8)],
)
def test_the_checksum_agrees_with_published_vectors(data: bytes, both_halves: int) -> None:
    seed = 0x004FB61A001BDBCC
    folded = both_halves >> 32 ^ both_halves & 0xFFFFFFFF
    assert structure._marvin32(data, seed) == folded  # noqa: SLF001  # no key is as short as the vectors


def test_a_token_says_when_it_ends() -> None:
    def token(**claims: object) -> str:
        parts = ({"alg": "HS256"}, claims)
        coded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        return ".".join([*coded, "c2ln"])

    now = datetime(2030, 1, 1, tzinfo=timezone.utc)
    assert structure.expired(token(exp=1_800_000_000), now)
    assert not structure.expired(token(exp=4_000_000_000), now)
    assert not structure.expired(token(sub="nobody"), now)
    assert not structure.expired(token(exp="soon"), now)
    assert not structure.expired(token(exp=1e300), now)
    assert structure.expires(token(exp=0)) == datetime(1970, 1, 1, tzinfo=timezone.utc)


def test_a_presigned_url_says_when_it_ends() -> None:
    key = make("aws_bedrock/short_lived")
    end = structure.expires(key)
    assert end == datetime(2099, 4, 1, 18, 30, tzinfo=timezone.utc)
    assert not structure.expired(key, datetime(2099, 4, 1, 18, 29, tzinfo=timezone.utc))
    assert structure.expired(key, datetime(2099, 4, 1, 18, 31, tzinfo=timezone.utc))


@pytest.mark.parametrize("value", ["", ".", "..", "a.b.c", "sk-", "bedrock-api-key-", "-" * 50, "é" * 20, "a." * 4000])
def test_what_says_nothing_never_expires(value: str) -> None:
    assert structure.expires(value) is None
    assert structure.expired(value) is False


def test_the_arguments_of_a_test_are_checked() -> None:
    assert structure.check_args("crc32_tail", {"prefix_length": 4}) is None
    assert structure.check_args("crc32_tail", {}) == "crc32_tail takes prefix_length"
    assert structure.check_args("jwt_decodes", {"x": 1}) == "jwt_decodes takes no arguments"
    assert structure.check_args("ends_with", {"tail": 3}) == "tail must be text"


@pytest.mark.parametrize(
    ("tail", "is_one"),
    [
        pytest.param("abcde", False, id="hexadecimal-to-its-end"),
        pytest.param("0f0f0", False, id="digits-and-letters"),
        pytest.param("abXde", True, id="another-letter"),
        pytest.param("zzzzz", True, id="other-letters"),
    ],
)
def test_a_run_of_hexadecimal_digits_is_followed_by_others(tail: str, is_one: bool) -> None:  # noqa: FBT001  # a parameter
    assert (
        structure.hex_run_at("sk-abc" + "0123456789abcdef0123456789abcdef01234567" + tail, offset=6, length=40)
        is is_one
    )
