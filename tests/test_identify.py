"""`keyguard identify`: whose a key is, whether it is whole, and that no key is ever shown."""

from __future__ import annotations

import base64
import getpass
import json
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.catalogue import load
from keyguard.cli.identify import read_key, told
from keyguard.errors import UsageError
from keyguard.lang import texts
from keyguard.secrets.identify import Identity, identify
from tests.keys import fill, make, shape_ids
from tests.runs import Result, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CATALOGUE = load()
REAL = [
    name
    for name in shape_ids()
    if CATALOGUE.shapes[name].secret
    and not CATALOGUE.shapes[name].malformed
    and "-----" not in CATALOGUE.shapes[name].pattern
]
ALONE = [name for name in REAL if not CATALOGUE.shapes[name].needs_context]


def known(text: str, name: str = "") -> Identity:
    return identify(fill(text), CATALOGUE, name=name)


def owners(found: Identity) -> list[str]:
    return [candidate.provider.id for candidate in found.candidates]


def flaws(found: Identity) -> list[str]:
    return [flaw.name for flaw in found.candidates[0].flaws]


def remarks(found: Identity) -> list[str]:
    return [remark.name for remark in found.remarks]


# What is no key ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["your-api-key-here", "sk-your-key", "<your key>", "changeme", "你的API密钥", "sk-xxxxxxxxxxxxxxxxxxxxxxxx"]
)
def test_a_placeholder_is_told_as_such(text: str) -> None:
    found = known(text)
    assert (owners(found), remarks(found)) == ([], ["placeholder"])


@pytest.mark.parametrize("text", ["<openai-key|masked>", "<openai-key|starred>"])
def test_a_masked_key_is_told_as_such(text: str) -> None:
    found = known(text)
    assert owners(found) == []
    assert remarks(found) in (["masked"], ["placeholder"])


@pytest.mark.parametrize("text", ["hello", "gpt-4o-mini", "https://api.openai.com/v1", "<short-token>", "x" * 20_000])
def test_other_texts_belong_to_nobody(text: str) -> None:
    assert owners(known(text)) == []


def test_a_random_text_of_no_known_form_belongs_to_nobody() -> None:
    assert owners(known("<sha256><md5>")) == []


# Whose it is ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REAL)
def test_every_kind_of_key_has_its_provider_among_the_owners(name: str) -> None:
    assert CATALOGUE.shapes[name].provider in owners(known(make(name)))


@pytest.mark.parametrize("name", ALONE)
def test_keys_that_tell_themselves_are_whole_or_cannot_be_judged(name: str) -> None:
    found = known(make(name))
    assert found.candidates[0].whole is not False or flaws(found) == ["retired"]


@pytest.mark.parametrize(
    ("text", "provider", "kind"),
    [
        ("<openai-key>", "openai", "project"),
        ("<anthropic-key>", "anthropic", "api"),
        ("<anthropic/admin>", "anthropic", "admin"),
        ("<groq-key>", "groq", "api"),
        ("<gemini-aiza-key>", "google_gemini", "standard"),
        ("<hf-key>", "huggingface", "user_token"),
    ],
)
def test_a_key_that_tells_itself_has_one_owner(text: str, provider: str, kind: str) -> None:
    (candidate,) = known(text).candidates
    assert (candidate.provider.id, candidate.shape and candidate.shape.name) == (provider, kind)


def test_a_shared_form_names_all_who_use_it_and_none_for_sure() -> None:
    found = known("<deepseek-key>")
    assert {"deepseek", "alibaba_dashscope", "baichuan"} <= set(owners(found))
    assert {candidate.confidence.label for candidate in found.candidates} == {"low"}


def test_the_variable_decides_among_owners() -> None:
    found = known("<deepseek-key>", "DEEPSEEK_API_KEY")
    assert owners(found) == ["deepseek"]
    assert found.candidates[0].confidence.label == "high"
    assert owners(known("export DEEPSEEK_API_KEY=<deepseek-key>")) == ["deepseek"]


def test_a_variable_of_somebody_else_is_told() -> None:
    found = known("<groq-key>", "OPENAI_API_KEY")
    assert (owners(found), remarks(found)) == (["groq"], ["other-owner"])


def test_vendors_come_before_resellers() -> None:
    kinds = [candidate.provider.kind == "relay" for candidate in known("<moonshot-key>").candidates]
    assert kinds == sorted(kinds)


def test_hosts_of_a_kind_that_only_some_take() -> None:
    (candidate,) = known("<alibaba_dashscope/coding_plan>").candidates
    assert candidate.hosts == CATALOGUE.shapes["alibaba_dashscope/coding_plan"].endpoints


# Is it whole ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "flaw", "count"),
    [
        ("{}<anthropic-key>", "cut", 5),
        ("{}<openai-key>", "cut", 5),
        ("{}<groq-key>", "cut", 5),
        ("{}<hf-key>", "cut", 5),
        ("{}<xai-key>", "cut", 5),
    ],
)
def test_a_cut_key_says_how_much_is_missing(text: str, flaw: str, count: int) -> None:
    found = known(fill(text.format(""))[:-count])
    (remark,) = found.candidates[0].flaws
    assert (found.candidates[0].whole, remark.name, remark.values) == (False, flaw, {"count": count})


def test_a_key_that_is_too_long() -> None:
    found = known("<groq-key>ab")
    assert flaws(found) == ["long"]


def test_a_checksum_that_does_not_match() -> None:
    key = make("github_models/classic_pat")
    changed = key[:10] + ("a" if key[10] != "a" else "b") + key[11:]
    assert known(key).candidates[0].whole is True
    assert flaws(known(changed)) == ["checksum"]


def test_a_character_no_such_key_holds() -> None:
    key = make("groq")
    found = known(key[:20] + "+" + key[21:])
    assert [(one.name, one.values) for one in found.candidates[0].flaws] == [("strange", {"place": 21})]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("<groq-key>\n", "space"),
        ("  <groq-key>", "space"),
        ("\t<groq-key>\r\n", "space"),
        ('"<groq-key>"', "quotes"),
        ("'<groq-key>", "quotes"),
        ("“<groq-key>”", "quotes"),
        ("<groq-key>,", "sign"),
        ("Bearer <groq-key>", "scheme"),
        ("Authorization: Bearer <groq-key>", "scheme"),
        ("GROQ_API_KEY=<groq-key>", "assignment"),
        ("<groq-key|head> <groq-key|tail>", "space-inside"),
        ("<groq-key|head>\n<groq-key|tail>", "space-inside"),
        ("<groq-key|head>\u200b<groq-key|tail>", "invisible"),
        ("\ufeff<groq-key>", "invisible"),
    ],
)
def test_what_stands_around_or_inside_a_whole_key(text: str, name: str) -> None:
    found = known(text)
    assert owners(found) == ["groq"]
    assert (found.candidates[0].whole, flaws(found)) == (False, [name])


def test_full_width_characters_and_dashes() -> None:
    key = make("groq")
    wide = "".join(chr(ord(char) + 0xFEE0) if char.isalnum() else char for char in key)
    assert (owners(known(wide)), flaws(known(wide))) == (["groq"], ["full-width"])
    dashed = make("anthropic").replace("-", "\u2013", 1)
    assert (owners(known(dashed)), "dashes" in flaws(known(dashed))) == (["anthropic"], True)


def test_a_token_whose_time_is_over() -> None:
    def part(data: Mapping[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")

    signature = make("unknown-token") + "Ab9_-"
    header, payload = {"alg": "RS256", "typ": "JWT"}, {"exp": 1_700_000_000, "sub": "a person of some name"}
    key = f"{part(header)}.{part(payload)}.{signature}"
    late = identify(key, CATALOGUE, name="HYPERBOLIC_API_KEY", now=datetime(2030, 1, 1, tzinfo=timezone.utc))
    assert "expired" in flaws(late)
    early = identify(key, CATALOGUE, name="HYPERBOLIC_API_KEY", now=datetime(2020, 1, 1, tzinfo=timezone.utc))
    assert "expired" not in [flaw.name for candidate in early.candidates for flaw in candidate.flaws]


# Nothing of a key is shown -------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(REAL), st.integers(0, 9), st.sampled_from(["", "\n", " ", '"', "Bearer "]), st.integers(0, 6))
def test_no_answer_holds_the_key(name: str, seed: int, around: str, cut: int) -> None:
    key = make(name, seed)
    text = around + (key[:-cut] if cut else key)
    found = identify(text, CATALOGUE)
    body = key[len(found.prefix) :]
    for lang in ("en", "zh"):
        words = repr(told(found, texts(lang)))
        assert key not in words
        assert body[:10] not in words
    assert found.masked == f"{found.prefix}…"


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=80))
def test_any_text_is_answered(text: str) -> None:
    for lang in ("en", "zh"):
        told(identify(text, CATALOGUE), texts(lang))


# The command ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "project")


def answer(done: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_a_key_from_standard_input(tree: Tree) -> None:
    done = tree.process("identify", stdin="<openai-key>\n")
    assert (done.code, done.err) == (0, "")
    assert "This looks like a key of OpenAI." in done.out
    assert "OPENAI_API_KEY" in done.out
    assert "api.openai.com" in done.out
    assert "  whole       yes\n" in done.out
    assert fill("<openai-key>")[8:20] not in done.out


def test_the_line_end_of_echo_is_no_part_of_the_key(tree: Tree) -> None:
    for end in ("", "\n", "\r\n"):
        done = tree.run("identify", "--output-format", "json", stdin=f"<groq-key>{end}")
        assert answer(done)["owners"][0]["whole"] is True


def test_a_key_from_a_variable(tree: Tree) -> None:
    done = tree.run(
        "identify",
        "--env",
        "DEEPSEEK_API_KEY",
        "--output-format",
        "json",
        environ={"DEEPSEEK_API_KEY": make("deepseek")},
    )
    assert done.code == 0
    assert [owner["provider"] for owner in answer(done)["owners"]] == ["DeepSeek"]


def test_a_line_end_in_a_variable_is_told(tree: Tree) -> None:
    done = tree.run("identify", "--env", "GROQ_API_KEY", environ={"GROQ_API_KEY": make("groq") + "\n"})
    assert "no: white space or a line end stands around it" in done.out


def test_in_chinese(tree: Tree) -> None:
    done = tree.run("identify", "--lang", "zh", stdin=make("anthropic")[:-3])
    assert "这看起来是 Anthropic 的密钥。" in done.out
    assert "缺少 3 个字符" in done.out


def test_a_text_that_is_no_key_exits_one(tree: Tree) -> None:
    assert tree.run("identify", stdin="hello\n").code == 1
    done = tree.run("identify", stdin="your-api-key\n")
    assert (done.code, "stands in for a key" in done.out) == (1, True)


@pytest.mark.parametrize("stdin", ["", "\n", "  \r\n"])
def test_nothing_on_standard_input_is_an_error(tree: Tree, stdin: str) -> None:
    done = tree.run("identify", stdin=stdin)
    assert (done.code, done.out) == (2, "")
    assert "there is no key on standard input" in done.err


def test_a_variable_that_is_not_set_or_empty_is_an_error(tree: Tree) -> None:
    done = tree.run("identify", "--env", "SOME_API_KEY")
    assert (done.code, "SOME_API_KEY" in done.err, "is not set" in done.err) == (2, True, True)
    done = tree.run("identify", "--env", "SOME_API_KEY", environ={"SOME_API_KEY": " "})
    assert (done.code, "is empty" in done.err) == (2, True)


@pytest.mark.parametrize("shape", ["openai", "hf", "groq", "deepseek", "gemini-aiza", "anthropic"])
@pytest.mark.parametrize(
    "arguments",
    [["identify", "{}"], ["identify", "--env", "{}"], ["identify", "--key={}"], ["identify", "--key", "{}"], ["{}"],
     ["identify", "--output-format", "{}"], ["rules", "{}"], ["explain", "{}"], ["check", "--select", "{}"],
     ["baseline", "{}"], ["identify", "--lang={}"], ["identify", "x", "{}"], ["check", "--{}"]],
)  # fmt: skip
def test_a_key_given_as_an_argument_is_refused_and_never_shown(tree: Tree, shape: str, arguments: list[str]) -> None:
    key = make(shape)
    done = tree.run(*(argument.replace("{}", key) for argument in arguments))
    assert done.code == 2
    assert done.err.startswith("keyguard: error: ")
    for text in (done.out, done.err):
        assert key not in text
        assert key[8:20] not in text


def test_a_key_as_an_argument_is_told_where_it_belongs(tree: Tree) -> None:
    done = tree.run("identify", make("groq"))
    assert "never goes on the command line" in done.err
    assert "--env NAME" in done.err


def test_a_terminal_is_asked_without_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Terminal:
        def isatty(self) -> bool:
            return True

    def answered(prompt: str, stream: object = None) -> str:
        assert stream is sys.stderr
        asked.append(prompt)
        return "typed"

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", answered)
    assert read_key(None, "Key: ") == "typed"
    assert asked == ["Key: "]


def test_a_terminal_that_is_closed_gives_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    def closed(prompt: str, stream: object = None) -> str:
        raise EOFError(prompt, stream)

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", closed)
    with pytest.raises(UsageError, match="no key on standard input"):
        read_key(None, "Key: ")


def test_the_help_tells_exit_codes_and_no_key_argument(tree: Tree) -> None:
    done = tree.run("identify", "--help")
    assert "Exits 0 when the kind of key is known, 1 when it is not." in done.out
    assert "[key" not in done.out
