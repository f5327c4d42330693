"""The text of an env file: every reader reads the same, and no line but our own is another one afterwards."""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import TemporaryDirectory

import dotenv.parser
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from keyguard.keystore.base import StoreError
from keyguard.keystore.env_text import bindings, placed, quoted, values_of
from tests.keystore.readers import by_bash, by_compose, by_dotenv

# What the keys of every provider are made of, and what else a credential may hold.
KEYS = st.text("ABCxyz0189_-./+=:|~@%", min_size=1, max_size=60)
ANY_VALUE = st.text(st.characters(codec="utf-8"), max_size=12) | st.text("aB1 '\"\\$`#!~{}()&;|*?[]<>^%\t", max_size=8)
NAMES = st.sampled_from(["OPENAI_API_KEY", "GEMINI_API_KEY", "A", "_B2"])
# Pieces that mean something to one reader or another.
PIECES = [
    *"AB_=#'\"\\ \t\n\r$x{}",
    "\u00a0",
    "\u2028",
    "\x85",
    "\ufeff",
    "export ",
    "A=",
    "OPENAI_API_KEY=",
    "OPENAI_API_KEY=\n",
    "\r\n",
    "\\'",
    "='",
    '="',
    "=''\r\n",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)


@settings(max_examples=1000)
@given(TEXTS)
@example("A='\\'")
@example("A= # b")
@example("A=b #c'\nB='\n'")
def test_a_text_is_read_as_python_dotenv_reads_it(text: str) -> None:
    text = text.lstrip("\ufeff")
    parsed = dotenv.parser.parse_stream(io.StringIO(text, newline=""))
    expected = [(found.key, found.value) for found in parsed if found.key is not None and not found.error]
    assert [(found.name, found.value) for found in bindings(text)] == expected


def test_a_text_of_any_size_is_read_in_one_go() -> None:
    for piece in ("A=' ", " # ", "\\", "='\\'", " " * 9, "A= \t"):
        assert len(values_of(f"A={piece * 200_000}")) < 3


@pytest.mark.parametrize(
    ("value", "spelt"),
    [
        ("sk-abc_DEF/+=.:@%,1", "sk-abc_DEF/+=.:@%,1"),
        ("a b", "'a b'"),
        ("a#b", "'a#b'"),
        ("$x", "'$x'"),
        ('say "x"', "'say \"x\"'"),
        ("a\\b", "'a\\b'"),
        ("~/x", "'~/x'"),
        ("it's", '"it\'s"'),
    ],
)
def test_a_value_is_plain_where_that_will_do(value: str, spelt: str) -> None:
    assert quoted("X", value) == spelt


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a\nb",
        "a\rb",
        "a\0b",
        "a${B}",
        "a\\\\b",
        "a b\\",
        "it's $5",
        'it\'s "it"',
        "it's a\\b",
        "it's `x`",
        "\ud800",
    ],
)
def test_a_value_that_readers_take_differently_is_refused(value: str) -> None:
    with pytest.raises(StoreError) as caught:
        quoted("THE_NAME", value)
    assert "THE_NAME" in str(caught.value)
    assert not value or value not in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(st.lists(ANY_VALUE | KEYS, min_size=1, max_size=12))
def test_bash_python_dotenv_and_compose_read_the_same(values: list[str]) -> None:
    held = [value for value in values if can_be_spelt(value)]
    assume(held)
    lines = [f"V{number}={quoted('V', value)}" for number, value in enumerate(held)]
    text = "".join(f"{line}\n" for line in lines)
    assert list(by_dotenv(text).values()) == held
    assert [by_compose(line) for line in lines] == held
    with TemporaryDirectory() as folder:
        (Path(folder) / ".env").write_text(text, encoding="utf-8", newline="")
        assert by_bash(Path(folder) / ".env", [f"V{number}" for number in range(len(lines))]) == held


def can_be_spelt(value: str) -> bool:
    """Tell whether a value has a spelling that is the same for all."""
    try:
        return bool(quoted("V", value))
    except StoreError:
        return False


@given(KEYS)
def test_every_key_can_be_spelt(value: str) -> None:
    assert quoted("X", value)


@settings(max_examples=1000)
@given(TEXTS, st.dictionaries(NAMES, KEYS, min_size=1))
@example("OPENAI_API_KEY=\nA='", {"OPENAI_API_KEY": "x"})
@example("A='\n", {"OPENAI_API_KEY": "a~b"})
@example("\ufeff", {"A": "x"})
def test_no_other_line_is_lost_or_altered(text: str, wanted: dict[str, str]) -> None:
    try:
        result = placed(text, wanted)
    except StoreError:
        return
    for mark in ("\ufeff", ""):
        # Another mark in front, which python-dotenv removes, makes it take the text's own one as it used to.
        before, after = (by_dotenv("\ufeff" * (not mark) + one.removeprefix(mark)) for one in (text, result.text))
        assert after == {**before, **{name: wanted[name] for name in result.written}}
    assert {*result.written, *result.kept} == {*wanted}
    # Byte for byte: only a line that waits for a key of ours is another one, and what is new follows at the end.
    *old, rest = text.split("\n")
    new = result.text.split("\n")
    for before_, after_ in zip(old, new, strict=False):
        assert after_ in {before_, *(filled for name in result.written for filled in fillings(before_, name, wanted))}
    assert (
        new[len(old)] in {rest, *(filled for name in result.written for filled in fillings(rest, name, wanted))}
        or not rest
    )
    assert placed(result.text, wanted) == (result.text, (), tuple(wanted))


def fillings(line: str, name: str, wanted: dict[str, str]) -> list[str]:
    """What a line may become when it waits for a key."""
    starts = [f"{name}=", f"export {name}="]
    indent = line[: len(line) - len(line.lstrip())]
    waiting = [start for start in starts if line.rstrip("\r\t '\"") == indent + start]
    return [indent + start + quoted(name, wanted[name]) for start in waiting]


SHELL_LINES = st.sampled_from(
    [
        "# it's a comment\n",
        "\n",
        "export REGION='eu west'\n",
        'GREETING="hello # you"\n',
        "DEBUG=1\r\n",
        "URL=https://example.org/?a=b\n",
        "JOINED=a\\\n",
        "LINES='one\ntwo'\n",
        "EMPTY=\n",
        "REGION=us\n",
        "  INDENTED=x # why\n",
        "MAIL=a@b.example",
    ]
)


@settings(max_examples=80, deadline=None)
@given(st.lists(SHELL_LINES, max_size=6).map("".join), st.dictionaries(NAMES, KEYS, min_size=1, max_size=3))
@example("JOINED=a\\\n", {"A": "x"})
@example("MAIL=a@b.example", {"A": "a~b"})
def test_what_bash_could_load_it_loads_with_the_keys(text: str, wanted: dict[str, str]) -> None:
    others = ["REGION", "GREETING", "DEBUG", "URL", "JOINED", "LINES", "EMPTY", "INDENTED", "MAIL"]
    with TemporaryDirectory() as folder:
        file = Path(folder) / ".env"
        file.write_text(text, encoding="utf-8", newline="")
        before = by_bash(file, others)
        assume(before is not None)
        assert before is not None
        file.write_text(placed(text, wanted).text, encoding="utf-8", newline="")
        assert by_bash(file, [*others, *wanted]) == [*before, *wanted.values()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "K=v\n"),
        ("A=1\n", "A=1\nK=v\n"),
        ("A=1", "A=1\nK=v\n"),
        ("A=1\r\nB=2", "A=1\r\nB=2\nK=v\n"),
        ("A=1\r", "A=1\r\nK=v\n"),
        ("K=\nA=1\n", "K=v\nA=1\n"),
        ("A=1\nK=", "A=1\nK=v"),
        ("A=1\rK=\rB=1\n", "A=1\rK=\rB=1\nK=v\n"),
        ("K=\rB=1\n", "K=\rB=1\nK=v\n"),
        ("K=''\n", "K=v\n"),
        ('export K=""  \nA=1', "export K=v\nA=1"),
        ("K=\r\nA=1\r\n", "K=v\nA=1\r\n"),
        ("K= # your key\n", "K= # your key\nK=v\n"),
        ("K=other\nK=\n", "K=other\nK=v\n"),
        ("K=\nK=v\n", "K=\nK=v\n"),
        ("#K=\n", "#K=\nK=v\n"),
        ("A=x\\\nK=\n", "A=x\\\nK=\nK=v\n"),
        ("A=x\\", "A=x\\\n\nK=v\n"),
        ("\ufeff", "\ufeff\nK=v\n"),
        ("\ufeffK=v\n", "\ufeffK=v\nK=v\n"),
        ("KK=v\nxK=v\n", "KK=v\nxK=v\nK=v\n"),
    ],
)
def test_a_key_takes_the_place_that_waits_for_it_or_a_line_at_the_end(text: str, expected: str) -> None:
    assert placed(text, {"K": "v"}).text == expected


@pytest.mark.parametrize(
    "text", ["K=v\n", "export K='v'\n", 'K = "v" # why\n', "K=x\nK=v", "K=v\r\n", "'K'=v\n"], ids=ascii
)
def test_a_key_that_is_there_is_kept_as_it_stands(text: str) -> None:
    assert placed(text, {"K": "v"}) == (text, (), ("K",))


@pytest.mark.parametrize("text", ["K=x\n", "K=v\nK=x\n", "\ufeffK=x\n"], ids=ascii)
def test_another_value_is_never_overwritten(text: str) -> None:
    with pytest.raises(StoreError, match="holds another value"):
        placed(text, {"K": "v"})


def test_a_stand_in_stays_and_the_key_behind_it_counts() -> None:
    assert placed("K=your-key\nA=1\n", {"K": "v"}, {"K": True}).text == "K=your-key\nA=1\nK=v\n"


@pytest.mark.parametrize(("text", "value"), [("A='\n", "a~b"), ("A=\"b\n# it's\n", "it's")], ids=["single", "double"])
def test_a_line_that_would_swallow_ours_is_told(text: str, value: str) -> None:
    with pytest.raises(StoreError, match="opens a quote"):
        placed(text, {"K": value})
