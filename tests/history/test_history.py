"""What a history holds: every key that any commit, branch, stash, reflog or message ever had, and its life."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from keyguard.discover.git import GitError
from keyguard.history import Memory, Scope
from tests.history.made import Made, Past, Place, run_git
from tests.keys import fill

if TYPE_CHECKING:
    from pathlib import Path

    from keyguard.history import History

CODE = 'import os\n\nkey = os.environ["OPENAI_API_KEY"]\n'


def leak(number: int | str = 1) -> str:
    """Python that holds one key, on line 3."""
    return f'from openai import OpenAI\n\nclient = OpenAI(api_key="<openai-key-{number}>")\n'


# Quiet ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A repository with a long past and no leak, though much that looks like one."""
    past = Past()
    past.commit("begin", {"app.py": CODE, "README.md": "# A project\n", ".env.example": "OPENAI_API_KEY=sk-...\n"})
    past.commit(
        "placeholders", {"docs/start.md": "export OPENAI_API_KEY=your-api-key-here\n", "b.py": 'k = "sk-xxxx"\n'}
    )
    past.commit("masked", {"log.txt": "the key <openai-key|starred> was refused\n"})
    past.commit("hashes", {"lock.txt": "<sha1> <sha256> <md5> <uuid>\n", "sums": "<sha256>  app.tar.gz\n"})
    past.commit("ignored", {"ours.py": leak().replace(")\n", ")  # keyguard: ignore[KG101]\n")})
    past.commit("ignored above", {"above.py": leak().replace("client", "# keyguard: ignore[KG101]\nclient")})
    past.commit("theirs above", {"theirs.py": leak().replace("client", "# pragma: allowlist nextline secret\nclient")})
    past.commit("whole file", {"whole.py": "# keyguard: ignore-file[KG101]\n" + leak()})
    past.commit("vendored", {"node_modules/x/index.js": 'const k = "<openai-key>"\n', ".venv/lib/a.py": leak()})
    past.commit("binary", {"photo.jpg": b"\xff\xd8\0\0" + fill("<openai-key>").encode() + b"\0\n"})
    past.commit("env", {"prod.env": "OPENAI_API_KEY=${OPENAI_API_KEY}\nDEBUG=1\n"})
    past.commit("message", message="Read the key from OPENAI_API_KEY\n\nsk-... was a placeholder\n")
    past.commit("side", {"app.py": CODE + "print(1)\n"}, on="refs/heads/side", after=["masked"])
    past.commit("merge", {"app.py": CODE + "print(2)\n"}, after=["message", "side"])
    past.tag("v1", "merge", "Version 1\n\nNothing to see\n")
    made = past.write(tmp_path_factory.mktemp("quiet") / "r", bare=False)
    # It was in the index, and gone before anything was committed.
    (made.root / "staged.py").write_text(fill(leak(2)), encoding="utf-8")
    made.git("add", "staged.py")
    made.git("rm", "-q", "--cached", "staged.py")
    return made


def test_a_clean_past_is_quiet(quiet: Made) -> None:
    found = quiet.read()
    assert found.sightings == ()
    assert (found.head, found.commits, found.refs, found.missing) == ("main", 14, 3, 0)
    assert (found.is_shallow, found.is_complete, found.notices) == (False, True, ())


def test_what_was_never_committed_is_there_when_asked_for(quiet: Made) -> None:
    found = quiet.read(Scope(unreachable=True))
    blob = run_git(quiet.root, "hash-object", "staged.py")
    assert quiet.places(found, "<openai-key-2>") == [Place(f"blob {blob[:12]}", 3)]
    assert [one.blob for one in found.sightings] == [blob], "what lies in an excluded folder is no loose object"


def test_who_accepts_a_key_has_not_made_it_unread(tmp_path: Path) -> None:
    past = Past()
    past.commit("brought", {"a.py": leak(), "b.py": leak(2)})
    marks = ("# keyguard: ignore[KG101]", "# pragma: allowlist nextline secret")
    changed = {
        name: leak(number).replace("client", f"{mark}\nclient")
        for number, (name, mark) in enumerate(zip(("a.py", "b.py"), marks, strict=True), 1)
    }
    past.commit("accepted", changed)
    made = past.write(tmp_path / "r")
    found = made.read()
    assert made.places(found, "<openai-key-1>") == [Place("a.py", 3, "brought", "accepted")]
    assert made.places(found, "<openai-key-2>") == [Place("b.py", 3, "brought", "accepted")]


def test_how_far_a_mark_reaches_hangs_on_what_stands_between(tmp_path: Path) -> None:
    mark = "# keyguard: ignore[KG101]\n# since it opens nothing\n# any more\n"
    past = Past()
    past.commit("between", {"a.py": leak().replace("client", f"{mark}x = 1\nclient")})
    past.commit("no more", {"a.py": leak().replace("client", f"{mark}client")})
    past.commit("low", {"b.py": "x = 1\n" * 12 + "# keyguard: ignore-file[KG101]\n" + leak(2)})
    past.commit("high", {"b.py": "# keyguard: ignore-file[KG101]\n" + "x = 1\n" * 12 + leak(2)})
    made = past.write(tmp_path / "r")
    found = made.read()
    assert made.places(found, "<openai-key-1>") == [Place("a.py", 7, "between", "no more")]
    assert made.places(found, "<openai-key-2>") == [Place("b.py", 16, "low", "high")]


# Lives ---------------------------------------------------------------------------------------------------------------


def notebook(text: str) -> str:
    """A notebook whose only cell printed a text."""
    cell = {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {},
        "source": ["print(1)\n"],
        "outputs": [{"output_type": "stream", "name": "stdout", "text": [f"{text}\n"]}],
    }
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, History]:
    """One repository in which each key, by its number, has a life of its own."""
    past = Past()
    past.commit("begin", {"README.md": "# A project\n", "keep.py": CODE})
    past.commit("1 brought", {"one.py": leak(1)})
    past.commit("1 moved inside", {"one.py": "import os\n\n" + leak(1)})
    past.commit("1 unrelated", {"one.py": "import os\n\n" + leak(1) + "print(1)\n"})
    past.commit("2 brought", {"two.py": leak(2), "three.py": leak(3), "four.py": leak(4)})
    past.commit("2 taken", {"two.py": CODE})
    past.commit("3 renamed", {"three.py": None, "src/three.py": leak(3)})
    past.commit("4 copied", {"copy/four.py": leak(4)})
    past.commit("2 changed", {"two.py": CODE + "print(2)\n"})
    past.commit("5 brought", {"five.py": leak(5)})
    past.commit("5 taken", {"five.py": None})
    past.commit("5 again", {"five.py": leak(5)})
    past.commit("6 both", {"six.py": leak(6) + 'other = OpenAI(api_key="<openai-key-7>")\n'})
    past.commit("6 one goes", {"six.py": 'from openai import OpenAI\n\nother = OpenAI(api_key="<openai-key-7>")\n'})
    past.commit("8 env", {"deploy/prod.env": "DEBUG=1\nOPENAI_API_KEY=<openai-key-8>\n"})
    past.commit("9 notebook", {"try.ipynb": notebook("<openai-key-9>")})
    past.commit("10 utf-16", {"ten.txt": b"\xff\xfe" + fill("OPENAI_API_KEY=\n<openai-key-10>\n").encode("utf-16-le")})
    past.commit("11 everywhere", {f"many/f{number}.yaml": "key: <openai-key-11>\n" for number in range(5)})
    past.commit("11 nearly gone", {f"many/f{number}.yaml": None for number in range(4)})
    past.commit("12 link", {"twelve.py": leak(12)})
    past.commit("12 is a link now", {"twelve.py": "keep.py"}, modes={"twelve.py": "120000"})
    past.commit("13 message", message="Try it\n\nIt works with\nOPENAI_API_KEY=<openai-key-13>\n")
    past.commit("14 on side", {"side.py": leak(14)}, on="refs/heads/side", after=["begin"])
    past.commit("15 on side", {"gone.py": leak(15)}, on="refs/heads/side")
    past.commit("15 off side", {"gone.py": None}, on="refs/heads/side")
    past.commit(
        "16 in a merge", {"merged.py": leak(16), "keep.py": CODE + "print(3)\n"}, after=["13 message", "14 on side"]
    )
    past.commit("17 for a tag", {"tagged.py": leak(17)}, on="refs/heads/temporary", after=["begin"])
    past.ref("refs/tags/v0.1", "17 for a tag")
    past.tag("v1.0", "16 in a merge", "Version 1\n\nThe key for it:\n<openai-key-18>\n")
    past.commit("19 for a note", {"6fa1": "OPENAI_API_KEY=<openai-key-19>\n"}, on="refs/notes/commits", after=[])
    past.commit("20 twice", {"left.py": leak(20)}, on="refs/heads/left", after=["begin"])
    past.commit("20 there, too", {"left.py": leak(20) + "print(1)\n"}, on="refs/heads/right", after=["begin"])
    past.commit(
        "22 quoted", {"22.md": "```\n" + base64.b64encode(fill("<openai-key-22>").encode()).decode() + "\n```\n"}
    )
    past.commit("23 alone", {"key.txt": "<openai-key-23>", "pad.txt": "x"})
    past.commit("24 again and again", {"again.py": leak(24)})
    for number in (1, 2):
        past.commit(f"24 taken {number}", {"again.py": CODE})
        past.commit(f"24 back {number}", {"again.py": leak(24) + f"print({number})\n"})
    past.commit("24 taken", {"again.py": None})
    made = past.write(tmp_path_factory.mktemp("rich") / "r")
    made.git("update-ref", "-d", "refs/heads/temporary")
    return made, made.read()


MAIN = ("HEAD", "heads/main", "tags/v1.0")
SIDE = ("heads/side",)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param(1, [Place("one.py", 5, "1 brought", "", MAIN)], id="moved inside its file"),
        pytest.param(2, [Place("two.py", 3, "2 brought", "2 taken")], id="taken"),
        pytest.param(
            3,
            [
                Place("src/three.py", 3, "3 renamed", "", MAIN),
                Place("three.py", 3, "2 brought", "3 renamed"),
            ],
            id="renamed",
        ),
        pytest.param(
            4,
            [
                Place("copy/four.py", 3, "4 copied", "", MAIN),
                Place("four.py", 3, "2 brought", "", MAIN),
            ],
            id="copied",
        ),
        pytest.param(5, [Place("five.py", 3, "5 brought", "", MAIN)], id="taken and brought again"),
        pytest.param(6, [Place("six.py", 3, "6 both", "6 one goes")], id="one of two in a file goes"),
        pytest.param(7, [Place("six.py", 3, "6 both", "", MAIN)], id="the other one stays"),
        pytest.param(8, [Place("deploy/prod.env", 2, "8 env", "", MAIN)], id="an env file"),
        pytest.param(9, [Place("try.ipynb", 1, "9 notebook", "", MAIN)], id="a notebook's output"),
        pytest.param(10, [Place("ten.txt", 2, "10 utf-16", "", MAIN)], id="UTF-16"),
        pytest.param(
            11,
            [
                *(Place(f"many/f{at}.yaml", 1, "11 everywhere", "11 nearly gone") for at in range(4)),
                Place("many/f4.yaml", 1, "11 everywhere", "", MAIN),
            ],
            id="many files",
        ),
        pytest.param(12, [Place("twelve.py", 3, "12 link", "12 is a link now")], id="a file that became a link"),
        pytest.param(14, [Place("side.py", 3, "14 on side", "", SIDE)], id="on another branch"),
        pytest.param(15, [Place("gone.py", 3, "15 on side", "15 off side")], id="gone from another branch"),
        pytest.param(16, [Place("merged.py", 3, "16 in a merge", "", MAIN)], id="brought by a merge itself"),
        pytest.param(17, [Place("tagged.py", 3, "17 for a tag", "", ("tags/v0.1",))], id="only in a tag"),
        pytest.param(19, [Place("6fa1", 1, "19 for a note", "", ("notes/commits",))], id="in a note"),
        pytest.param(20, [Place("left.py", 3, "20 twice", "", ("heads/left", "heads/right"))], id="on two branches"),
        pytest.param(22, [Place("22.md", 2, "22 quoted", "", ("HEAD", "heads/main"))], id="base64"),
        pytest.param(23, [Place("key.txt", 1, "23 alone", "", ("HEAD", "heads/main"))], id="all that a file holds"),
        pytest.param(24, [Place("again.py", 3, "24 again and again", "24 taken")], id="taken three times"),
    ],
)
def test_a_life(rich: tuple[Made, History], number: int, expected: list[Place]) -> None:
    made, found = rich
    assert made.places(found, f"<openai-key-{number}>") == expected


def test_a_message_counts_in_itself(rich: tuple[Made, History]) -> None:
    made, found = rich
    commit = made.commits["13 message"]
    [one] = [one for one in found.sightings if one.kind == "message"]
    assert made.place(one) == Place(f"commit {commit[:12]}", 4, "13 message", "", MAIN)
    assert (one.finding.column, one.blob, one.is_present) == (16, commit, False)


def test_a_tags_message_names_the_tag(rich: tuple[Made, History]) -> None:
    made, found = rich
    [one] = [one for one in found.sightings if one.kind == "tag"]
    tag = made.git("rev-parse", "v1.0")
    assert made.place(one)[:2] == ("tag v1.0", 4)
    assert one.first is not None
    assert (one.blob, one.first.commit, one.first.subject) == (tag, tag, "Version 1")
    assert (one.refs, one.at_head, one.last) == (("tags/v1.0",), False, None)


def test_a_moment_is_the_authors(rich: tuple[Made, History]) -> None:
    made, found = rich
    [one] = [one for one in found.sightings if one.finding.path == "two.py"]
    assert one.first is not None
    assert one.last is not None
    assert one.first == (made.commits["2 brought"], "2024-01-05T12:00:00Z", "A Person", "2 brought")
    assert (one.last.date, one.last.subject) == ("2024-01-06T12:00:00Z", "2 taken")


def test_all_is_counted(rich: tuple[Made, History]) -> None:
    made, found = rich
    kinds = made.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectsize)").splitlines()
    sizes = [int(line.split()[1]) for line in kinds if line.startswith("blob")]
    assert (found.blobs, found.size) == (len(sizes), sum(sizes))
    assert (found.commits, found.refs, found.missing) == (len(made.commits), 7, 0)
    assert [one.finding.fix for one in found.sightings if one.finding.fix] == []


def test_sightings_come_in_order(rich: tuple[Made, History]) -> None:
    _, found = rich
    places = [(one.finding.path, one.finding.line, one.finding.column) for one in found.sightings]
    assert places == sorted(places)


# Where else a key can be ---------------------------------------------------------------------------------------------

THEN = {"GIT_AUTHOR_DATE": "2024-03-01T08:00:00Z", "GIT_COMMITTER_DATE": "2024-03-01T09:00:00Z"}


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A repository whose keys stand where no branch leads."""
    past = Past()
    past.commit("begin", {"app.py": CODE})
    made = past.write(tmp_path_factory.mktemp("hidden") / "r", bare=False)
    app = made.root / "app.py"

    def commit(text: str, name: str) -> None:
        app.write_text(fill(text), encoding="utf-8")
        made.git("commit", "-q", "-a", "-m", name, **THEN)
        made.commits[name] = made.git("rev-parse", "HEAD")

    app.write_text(fill(leak(1)), encoding="utf-8")
    made.git("stash", "push", "-q", **THEN)
    made.commits["stash"] = made.git("rev-parse", "stash")
    app.write_text(fill(leak(2)), encoding="utf-8")
    made.git("stash", "push", "-q", **THEN)
    made.commits["newer stash"] = made.git("rev-parse", "stash")
    commit(leak(3), "undone")
    made.git("reset", "-q", "--hard", "HEAD~1", **THEN)
    # Not even the reflog knows it.
    commit(leak(4), "forgotten")
    made.git("reset", "-q", "--hard", "HEAD~1", **THEN)
    for ref in ("HEAD", "refs/heads/main"):
        made.git("reflog", "delete", "--rewrite", f"{ref}@{{1}}")
        made.git("reflog", "delete", "--rewrite", f"{ref}@{{0}}")
    blob = made.git("hash-object", "-w", "--stdin", given=fill("OPENAI_API_KEY=<openai-key-5>\n").encode())
    made.git("tag", "the-blob", blob)
    made.git("tag", "-a", "-m", "a blob, with care", "the-blob-again", blob, **THEN)
    tree = made.git("mktree", given=f"100644 blob {blob}\tin/a/tree\n".replace("/", "-").encode())
    tree = made.git("mktree", given=f"040000 tree {tree}\tdeep\n".encode())
    made.git("update-ref", "refs/other/tree", tree)
    made.git("tag", "-a", "-m", fill("about <openai-key-6>"), "inner", "main", **THEN)
    made.git("tag", "-a", "-m", "of a tag", "outer", "inner", **THEN)
    made.git("tag", "-d", "inner")
    return made


def test_a_stash_is_a_ref_and_older_ones_are_in_its_reflog(hidden: Made) -> None:
    found = hidden.read()
    assert hidden.places(found, "<openai-key-2>") == [Place("app.py", 3, "newer stash", "", ("stash",))]
    assert hidden.places(found, "<openai-key-1>") == [Place("app.py", 3, "stash")]


def test_a_commit_that_was_undone_is_in_the_reflog(hidden: Made) -> None:
    found = hidden.read()
    assert hidden.places(found, "<openai-key-3>") == [Place("app.py", 3, "undone")]
    [one] = [one for one in found.sightings if one.first and one.first.subject == "undone"]
    assert (one.first, one.last) == ((hidden.commits["undone"], "2024-03-01T08:00:00Z", "A Person", "undone"), None)


def test_what_nothing_reaches_is_there_when_asked_for(hidden: Made) -> None:
    assert hidden.places(hidden.read(), "<openai-key-4>") == []
    found = hidden.read(Scope(unreachable=True))
    blob = hidden.git("rev-parse", f"{hidden.commits['forgotten']}:app.py")
    assert hidden.places(found, "<openai-key-4>") == [Place(f"blob {blob[:12]}", 3)]


def test_a_tag_may_name_a_blob_and_a_ref_a_tree(hidden: Made) -> None:
    found = hidden.read()
    assert hidden.places(found, "<openai-key-5>") == [
        Place("deep/in-a-tree", 1, "", "", ("other/tree",)),
    ]
    hidden.git("update-ref", "-d", "refs/other/tree")
    blob = hidden.git("rev-parse", "the-blob")
    assert hidden.places(hidden.read(), "<openai-key-5>") == [
        Place(f"blob {blob[:12]}", 1, "", "", ("tags/the-blob", "tags/the-blob-again"))
    ]


def test_the_tag_of_a_tag(hidden: Made) -> None:
    found = hidden.read()
    [one] = [one for one in found.sightings if one.kind == "tag"]
    assert (one.finding.path, one.finding.line, one.refs) == ("tag inner", 1, ("tags/outer",))


def test_a_detached_head_counts(tmp_path: Path) -> None:
    past = Past()
    past.commit("begin", {"app.py": CODE})
    past.commit("loose", {"app.py": leak()}, on="refs/heads/loose", after=["begin"])
    made = past.write(tmp_path / "r", bare=False)
    made.git("checkout", "-q", made.commits["loose"])
    made.git("branch", "-q", "-D", "loose")
    found = made.read()
    assert found.head == made.commits["loose"][:12]
    assert made.places(found, "<openai-key-1>") == [Place("app.py", 3, "loose", "", ("HEAD",))]


def test_a_replaced_object_hides_nothing(tmp_path: Path) -> None:
    past = Past()
    past.commit("begin", {"app.py": leak(1), "b.py": CODE})
    past.commit("next", {"app.py": CODE, "c.py": leak(2)})
    past.commit("instead", {"d.py": CODE}, on="refs/heads/other", after=[])
    made = past.write(tmp_path / "r")
    made.git("replace", made.git("rev-parse", "main~1:app.py"), made.git("rev-parse", "main:b.py"))
    made.git("replace", made.commits["next"], made.commits["instead"])
    (made.root / "info" / "grafts").write_text(made.commits["next"] + "\n", encoding="ascii")
    found = made.read()
    assert made.places(found, "<openai-key-1>") == [Place("app.py", 3, "begin", "next")]
    held = ("HEAD", "heads/main", f"replace/{made.commits['next']}")
    assert made.places(found, "<openai-key-2>")[0][:4] == Place("c.py", 3, "next", "", held)[:4]


def test_only_twenty_refs_are_named(tmp_path: Path) -> None:
    past = Past()
    past.commit("begin", {"app.py": leak()})
    for number in range(30):
        past.ref(f"refs/tags/v{number:02}", "begin")
    made = past.write(tmp_path / "r")
    [one] = made.read().sightings
    assert one.refs == ("heads/main", *(f"tags/v{number:02}" for number in range(19)))
    assert one.ref_count == 31


# Parts of a history --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A straight history of five days, with a branch."""
    past = Past()
    past.commit("first", {"old.py": leak(1), "edited.py": leak(2), "taken.py": leak(3)})
    past.commit("second", {"two.py": leak(4)}, message="Second\n\n<openai-key-7>\n")
    past.commit("third", {"edited.py": leak(2) + "print(1)\n", "two.py": leak(4) + leak(5)})
    past.commit("fourth", {"taken.py": CODE}, message="Fourth\n\n<openai-key-8>\n")
    past.commit("side", {"side.py": leak(6)}, on="refs/heads/side", after=["first"])
    past.tag("v1", "side", "With <openai-key-9>")
    return past.write(tmp_path_factory.mktemp("long") / "r")


def keys(made: Made, found: History) -> dict[int, list[Place]]:
    """Every key that was found, by its number."""
    every = {number: made.places(found, f"<openai-key-{number}>") for number in range(1, 10)}
    return {number: places for number, places in every.items() if places}


@pytest.mark.parametrize("scope", [Scope(since="2024-01-03"), Scope(since="2024-01-03 12:00:00 +0000")], ids=str)
def test_since_a_date_only_newer_commits_count(long: Made, scope: Scope) -> None:
    found = long.read(scope)
    message = long.commits["fourth"][:12]
    assert found.commits == 3
    assert keys(long, found) == {
        # It was there before: who brought it is not in what was read.
        2: [Place("edited.py", 3, "", "", ("HEAD", "heads/main", "heads/side", "tags/v1"))],
        4: [Place("two.py", 3, "", "", ("HEAD", "heads/main"))],
        5: [Place("two.py", 6, "third", "", ("HEAD", "heads/main"))],
        6: [Place("side.py", 3, "side", "", ("heads/side", "tags/v1"))],
        8: [Place(f"commit {message}", 3, "fourth", "", ("HEAD", "heads/main"))],
    }


def test_a_number_of_commits_counts_from_the_newest(long: Made) -> None:
    found = long.read(Scope(most=2))
    assert found.commits == 2
    assert sorted(keys(long, found)) == [6, 8]


def test_a_branch_alone(long: Made) -> None:
    found = long.read(Scope(branches=("side",)))
    assert (found.commits, sorted(keys(long, found))) == (2, [1, 2, 3, 6])
    assert long.places(found, "<openai-key-1>") == [
        Place("old.py", 3, "first", "", ("HEAD", "heads/main", "heads/side", "tags/v1"))
    ]


def test_a_tag_alone_brings_its_message(long: Made) -> None:
    found = long.read(Scope(branches=("v1",)))
    assert sorted(keys(long, found)) == [1, 2, 3, 6, 9]


def test_branches_and_a_number_go_together(long: Made) -> None:
    found = long.read(Scope(branches=("main", "side"), most=1))
    assert (found.commits, sorted(keys(long, found))) == (1, [6])


@pytest.mark.parametrize("name", ["nope", "--all", "-x", "--upload-pack=touch /tmp/x", "main --not", ""])
def test_a_branch_that_is_not_there_is_an_error(long: Made, name: str) -> None:
    with pytest.raises(GitError, match=r"bad revision|unknown revision|ambiguous"):
        long.read(Scope(branches=(name,)))


@pytest.mark.parametrize("text", ["nonsense", "", "-x"])
def test_what_is_no_date_is_an_error(long: Made, text: str) -> None:
    with pytest.raises(GitError, match="is no date; write it as 2024-01-31"):
        long.read(Scope(since=text))


@pytest.mark.parametrize(
    ("text", "commits"), [("today", 0), ("3 days ago", 0), ("1 Jan 2024 00:00 +0000", 5), ("1704110400", 5)]
)
def test_dates_are_gits(long: Made, text: str, commits: int) -> None:
    assert long.read(Scope(since=text)).commits == commits


def test_a_shallow_clone_says_so_and_blames_nobody(long: Made, tmp_path: Path) -> None:
    run_git(tmp_path, "clone", "-q", "--bare", "--depth=2", "--branch=main", f"file://{long.root}", "r")
    made = Made(tmp_path / "r")
    made.commits = long.commits
    found = made.read()
    assert (found.is_shallow, found.commits, found.missing) == (True, 2, 0)
    held = ("HEAD", "heads/main")
    assert made.places(found, "<openai-key-1>") == [Place("old.py", 3, "", "", held)]
    assert made.places(found, "<openai-key-3>") == [Place("taken.py", 3, "", "fourth")]


# Settings ------------------------------------------------------------------------------------------------------------


def test_what_settings_ignore_at_one_path_counts_at_another(tmp_path: Path) -> None:
    past = Past()
    settings = '[per-file-ignores]\n"legacy/*" = ["KG101"]\n'
    past.commit("begin", {"keyguard.toml": settings, "legacy/a.py": leak(), "new/a.py": leak()})
    made = past.write(tmp_path / "r", bare=False)
    assert made.places(made.read(), "<openai-key-1>") == [Place("new/a.py", 3, "begin", "", ("HEAD", "heads/main"))]


def test_settings_of_a_folder_that_changed_are_asked_again(tmp_path: Path) -> None:
    past = Past()
    past.commit("begin", {"sub/a.py": leak(), "sub/keyguard.toml": ""})
    made = past.write(tmp_path / "r", bare=False)
    memory = Memory(str(tmp_path / "memory"))
    assert len(made.read(memory=memory).sightings) == 1
    (made.root / "sub" / "keyguard.toml").write_text('ignore = ["KG101"]\n', encoding="utf-8")
    assert made.read(memory=Memory(str(tmp_path / "memory")), asked=["sub/a.py"]).sightings == ()


def test_a_weak_key_is_named_by_its_place(tmp_path: Path) -> None:
    past = Past()
    weak = "import requests\n\nrequests.get('https://bob:Tr0ub4dor3x@api.corp.io/x')\n"
    past.commit("begin", {"a.py": weak, "b.py": weak})
    past.commit("taken", {"b.py": CODE})
    made = past.write(tmp_path / "r")
    found = made.read(overrides={"min-severity": "low"})
    held = ("HEAD", "heads/main")
    assert [made.place(one) for one in found.sightings] == [
        Place("a.py", 3, "begin", "", held),
        Place("b.py", 3, "begin", "taken"),
    ]
    assert len({one.finding.key for one in found.sightings}) == 2
