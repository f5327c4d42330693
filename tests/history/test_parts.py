"""The parts a history is read by: git's objects in batches, which of them matter, lives, and what contains a commit."""

from __future__ import annotations

import importlib
import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.discover.git import Repository
from keyguard.history.lives import HEAD, Life, containing, lives, message_of, moments, refs_of, tag_name, tips_of
from keyguard.history.objects import Object, batches, listed, named, resolved
from keyguard.history.sift import Unit, sifted, units
from keyguard.history.walk import Change, Scope, Walk
from tests.history.made import Made, Past, alone, run_git, session_of
from tests.keys import fill, make

if TYPE_CHECKING:
    from pathlib import Path

KEY = make("openai/project", "parts")
CODE = 'import os\n\nkey = os.environ["OPENAI_API_KEY"]\n'

# Objects -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A store with blobs of many sizes."""
    past = Past()
    sizes = [0, 1, 2, 63, 64, 65, 127, 128, 1000, 5000]
    past.commit("begin", {f"f{size}": bytes(at % 251 for at in range(size)) for size in sizes})
    past.commit("next", {"g": b"\n\n\n", "h": b"blob 12\nx"}, message="M")
    past.tag("v1", "next", "T")
    return past.write(tmp_path_factory.mktemp("store") / "r")


def names(made: Made) -> list[str]:
    """Every object's name."""
    return made.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()


@pytest.mark.parametrize("at_once", [64, 200, 1 << 20])
def test_batches_hold_each_object_whole_and_in_order(
    store: Made, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(importlib.import_module("keyguard.history.objects"), "_READ_AT_ONCE", at_once)
    wanted = [*names(store), "ab" * 20, *names(store)[:3]]
    with alone():
        found = list(batches(store.repository, wanted))
    told = [
        (name, kind, batch.data[start:end])
        for batch in found
        for name, kind, start, end in zip(batch.names, batch.types, batch.starts, batch.ends, strict=True)
    ]
    assert [name for name, _, _ in told] == [name for name in wanted if name != "ab" * 20]
    assert [name for batch in found for name in batch.missing] == ["ab" * 20]
    for name, kind, data in told[:6]:
        whole = run_git(store.root, "cat-file", kind, name).encode("utf-8", "surrogateescape")
        assert (kind == "tree") or data.strip() == whole.strip()


def test_only_what_people_write_is_listed(store: Made) -> None:
    with alone():
        found = {one.name: one for one in listed(store.repository)}
    kinds = dict(
        line.split()
        for line in store.git(
            "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"
        ).splitlines()
    )
    assert {name: one.type for name, one in found.items()} == {
        name: kind for name, kind in kinds.items() if kind != "tree"
    }
    empty = store.git("rev-parse", "main:f0")
    assert found[empty][:3] == (empty, "blob", 0)


def test_names_may_be_questions(store: Made) -> None:
    blob = store.git("rev-parse", "main:f64")
    asked = ["main:f64", "main:nothing", "main:a b", "main^{tree}", "v1", "v1^{}", "--all", "", "main:./f64"]
    with alone():
        assert [one and (one.name == blob, one.type) for one in named(store.repository, asked)] == [
            (True, "blob"),
            None,
            None,
            None,
            (False, "tag"),
            (False, "commit"),
            None,
            None,
            None,
        ]
        assert [one.type for one in resolved(store.repository, asked)][1:4] == ["missing", "missing", "tree"]
        assert resolved(store.repository, ["main:nothing"]) == [Object("main:nothing", "missing", 0)]
        assert named(store.repository, []) == []


# Sifting -------------------------------------------------------------------------------------------------------------


def test_units_are_cut_by_bytes_and_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("keyguard.history.sift")
    monkeypatch.setattr(module, "UNIT", 100)
    monkeypatch.setattr(module, "_UNIT_OBJECTS", 3)
    repository = Repository("/nowhere")
    objects = [Object(str(number), "blob", size) for number, size in enumerate([10, 100, 1, 1, 1, 1, 99, 1])]
    cut = units(repository, objects)
    assert [unit.names for unit in cut] == [("0", "1"), ("2", "3", "4"), ("5", "6"), ("7",)]
    assert [unit.size for unit in cut] == [110, 3, 100, 1]
    assert units(repository, []) == []


# Pieces of texts around which a search of many at once could go wrong: at the very edges of objects.
PIECES = st.sampled_from(
    [
        KEY,
        f'k = "{KEY}"',
        KEY[: len(KEY) // 2],
        KEY[len(KEY) // 2 :],
        "\n",
        "OPENAI_API_KEY=",
        "sk-",
        " ",
        "x = 1\n",
        "from openai import OpenAI\n",
        "\0",
        "é密\n",
    ]
)
TEXTS = st.lists(st.lists(PIECES, max_size=4).map("".join), min_size=1, max_size=6, unique=True)
ENCODINGS = st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16", "utf-16-le", "utf-8-sig"])
_numbers = itertools.count()


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.tuples(TEXTS, ENCODINGS), min_size=1, max_size=2))
def test_many_objects_at_once_are_searched_like_each_alone(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[list[str], str]]
) -> None:
    root = tmp_path_factory.getbasetemp() / "sifting"
    if not root.exists():
        root.mkdir()
        run_git(root, "init", "-q", "--bare")
    repository = Repository(str(root), (("GIT_DIR", str(root)),))
    data = [text.encode(encoding) for some, encoding in texts for text in some]
    stream = b"".join(b"blob\nmark :%d\ndata %d\n%s\n" % (at, len(one), one) for at, one in enumerate(data, 1))
    marks = root / f"marks{next(_numbers)}"
    run_git(root, "fast-import", "--quiet", f"--export-marks={marks}", given=stream)
    by_mark = dict(line.split() for line in marks.read_text(encoding="ascii").splitlines())
    given_names = tuple(by_mark[f":{at}"] for at in range(1, len(data) + 1))
    session = session_of(str(root))
    with alone():
        together = {one.name for one in sifted(Unit(repository, given_names, 0), session).suspects}
        fresh = session_of(str(root))
        apart = {one.name for name in given_names for one in sifted(Unit(repository, (name,), 0), fresh).suspects}
    assert together == apart
    for name, one in zip(given_names, data, strict=True):
        signals = session.prefilter.scan(one, "python")
        if signals.keys or signals.plugins:
            assert name in together


def test_wide_texts_without_a_common_line_are_apart(tmp_path: Path) -> None:
    past = Past()
    for number, key in enumerate((CODE, fill("<openai-key-1>\n"), fill("<openai-key-2>\n"), "nothing\n")):
        past.commit(f"c{number}", {f"f{number}.txt": key.encode("utf-16")})
    made = past.write(tmp_path / "r")
    with alone():
        found = sifted(Unit(made.repository, tuple(names(made)), 0), session_of(str(made.root))).suspects
    keyed = {made.git("rev-parse", f"main:f{number}.txt") for number in (1, 2)}
    assert {one.name for one in found} == keyed
    assert len({one.gist for one in found}) == 2


# Lives ---------------------------------------------------------------------------------------------------------------


def change(commit: str, olds: str, new: str, path: str = "a.py") -> Change:
    """A change whose blobs are named by what they hold; `-` is none."""
    return Change(0, commit, path, tuple("" if old == "-" else old for old in olds.split()), "" if new == "-" else new)


KEYS = {"A": {"k"}, "B": {"k"}, "N": set[str](), "AL": {"k", "l"}}


def test_a_key_that_never_was_has_no_life() -> None:
    assert lives([change("c1", "-", "N"), change("c0", "N", "-")], KEYS) == {}
    assert lives([], KEYS) == {}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # The newest commit comes first.
        (["1 - A"], Life("a.py", "A", "1", "")),
        (["2 A B", "1 - A"], Life("a.py", "B", "1", "")),
        (["2 A -", "1 - A"], Life("a.py", "A", "1", "2")),
        (["2 A N", "1 - A"], Life("a.py", "A", "1", "2")),
        (["4 B -", "3 - B", "2 A -", "1 - A"], Life("a.py", "B", "1", "4")),
        (["3 - B", "2 A -", "1 - A"], Life("a.py", "B", "1", "2")),
        # A merge brings what no parent has, and keeps what one has.
        (["3 N;A B", "2 N A", "1 - N"], Life("a.py", "B", "2", "")),
        (["3 N;N B", "2 N N", "1 - N"], Life("a.py", "B", "3", "")),
        (["3 A;N N", "2 N A", "1 - N"], Life("a.py", "A", "2", "3")),
        # What was there before the first that is known was brought by nobody that is known.
        (["2 A B"], Life("a.py", "B", "", "")),
        (["3 - B", "2 A -"], Life("a.py", "B", "", "2")),
    ],
)
def test_a_life(told: list[str], expected: Life) -> None:
    changes = [change(commit, olds.replace(";", " "), new) for commit, olds, new in map(str.split, told)]
    assert lives(changes, KEYS)["k"] == [expected]


def test_keys_and_paths_have_lives_of_their_own() -> None:
    changes = [change("3", "AL", "A"), change("2", "-", "AL", "b.py"), change("1", "-", "AL")]
    assert lives(changes, KEYS) == {
        "k": [Life("a.py", "A", "1", ""), Life("b.py", "AL", "2", "")],
        "l": [Life("b.py", "AL", "2", ""), Life("a.py", "AL", "1", "3")],
    }


def test_of_unsure_commits_nobody_knows_what_was_there_before() -> None:
    changes = [change("2", "A", "B"), change("1", "-", "A")]
    assert lives(changes, KEYS, {"1"})["k"] == [Life("a.py", "B", "", "")]
    assert lives(changes, KEYS, {"2"})["k"] == [Life("a.py", "B", "1", "")]


# Who contains a commit -----------------------------------------------------------------------------------------------


def test_what_contains_a_commit_is_what_git_says(tmp_path: Path) -> None:
    past = Past()
    past.commit("a", {"f": "1"})
    past.commit("b", {"f": "2"})
    past.commit("c", {"g": "1"}, on="refs/heads/side", after=["a"])
    past.commit("d", {"f": "3"}, after=["b", "c"])
    past.commit("e", {"h": "1"}, on="refs/heads/alone", after=[])
    past.commit("f", {"f": "4"})
    past.ref("refs/tags/old", "b")
    past.tag("v1", "d", "T")
    past.ref("refs/heads/main", "d")
    past.ref("refs/heads/next", "f")
    made = past.write(tmp_path / "r")
    with alone():
        tips = tips_of(made.repository, refs_of(made.repository))
        asked = [made.commits[name] for name in "abcdef"]
        found = containing(made.repository, tips, asked)
        assert containing(made.repository, tips, []) == {}
    for commit in asked:
        lines = made.git("for-each-ref", "--format=%(refname:lstrip=1)", "--contains", commit).splitlines()
        assert sorted(found[commit].refs) == sorted(lines)
        assert found[commit].ref_count == len(lines)
        assert found[commit].at_head == ("heads/main" in lines)
    assert [tip.name for tip in tips][:2] == [HEAD, "heads/main"]


def test_walked_commits_know_their_age(tmp_path: Path) -> None:
    past = Past()
    for number in range(5):
        past.commit(f"c{number}", {"f": str(number)})
    made = past.write(tmp_path / "r")
    with alone(), Walk(made.repository, Scope()) as walk:
        some = {made.commits["c4"], made.commits["c1"], "ab" * 20}
        assert walk.ages(some) == {made.commits["c4"]: 0, made.commits["c1"]: 3}
        assert walk.ages(set()) == {}
        ages = {change.commit: change.age for change in walk.changes(lambda *_: True)}
        assert ages == walk.ages(set(made.commits.values()))


# Messages ------------------------------------------------------------------------------------------------------------


def test_a_message_begins_behind_the_head() -> None:
    signed = b"tree x\nauthor A <a@x> 1 +0000\ngpgsig -----BEGIN\n \n -----END\n\nSubject\n\nBody\n"
    assert message_of(signed) == b"Subject\n\nBody\n"
    assert message_of(b"tree x") == b""
    assert tag_name(b"object x\ntype commit\ntag v1\xe9\n\ntag v2\n") == "v1\\xe9"
    assert tag_name(b"object x\n\n") == ""


def test_a_moment_is_cleaned(tmp_path: Path) -> None:
    past = Past()
    past.commit("c", {"f": "1"}, message="\n\n  Say KEY  \n\nmore", author=b"KEY <k@x>")
    made = past.write(tmp_path / "r")
    with alone():
        [moment] = moments(
            made.repository, {made.commits["c"], made.git("rev-parse", "main:f")}, lambda text: text.replace("KEY", "…")
        ).values()
    assert moment == (made.commits["c"], "2024-01-01T12:00:00Z", "…", "  Say …  ")
