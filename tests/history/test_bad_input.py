"""Repositories that are empty, partial, damaged, huge, hostile or in use: what can be read is read, the rest is told."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from keyguard.discover.git import GitError, Repository
from keyguard.history import Memory
from tests.history.made import Made, Past, Place, read, run_git

if TYPE_CHECKING:
    from pathlib import Path

CODE = 'import os\n\nkey = os.environ["OPENAI_API_KEY"]\n'
MAIN = ("HEAD", "heads/main")


def leak(number: int = 1) -> str:
    """Python that holds one key, on line 3."""
    return f'from openai import OpenAI\n\nclient = OpenAI(api_key="<openai-key-{number}>")\n'


def steps(count: int = 4) -> Past:
    """A straight history: each commit adds a file with a key of its own, and the next one takes it."""
    past = Past()
    past.commit("begin", {"README.md": "# A project\n", "kept.py": leak(9)})
    for number in range(1, count + 1):
        gone = {f"f{number - 1}.py": None} if number > 1 else {}
        past.commit(f"step {number}", {f"f{number}.py": leak(number), **gone})
    return past


def known(made: Made, *keys: int, memory: Memory | None = None) -> dict[int, list[Place]]:
    """Where each of some keys was found."""
    found = made.read(memory=memory)
    return {number: made.places(found, f"<openai-key-{number}>") for number in keys}


# Little there --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bare", [False, True])
def test_a_repository_without_a_commit(tmp_path: Path, *, bare: bool) -> None:
    run_git(tmp_path, "init", "-q", "-b", "main", *(["--bare"] if bare else []), "r")
    found = Made(tmp_path / "r", bare=bare).read()
    assert found == found._replace(sightings=(), head="main", commits=0, blobs=0, refs=0, missing=0, is_complete=True)


def test_an_unborn_branch_beside_others(tmp_path: Path) -> None:
    made = steps(1).write(tmp_path / "r")
    made.git("symbolic-ref", "HEAD", "refs/heads/new")
    found = made.read()
    assert (found.head, found.commits) == ("new", 2)
    assert made.places(found, "<openai-key-1>") == [Place("f1.py", 3, "step 1", "", ("heads/main",))]


def test_a_head_that_is_garbage(tmp_path: Path) -> None:
    made = steps(1).write(tmp_path / "r")
    (made.root / "HEAD").write_text("nonsense\n", encoding="ascii")
    with pytest.raises(GitError, match="not a git repository"):
        made.read()


@pytest.mark.parametrize("names", ["folder", "file", "nothing"])
def test_no_repository_at_all(tmp_path: Path, names: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x", encoding="ascii")
    with pytest.raises(GitError):
        read(Repository(str(tmp_path / names), (("GIT_DIR", str(tmp_path / names)),)))


# Objects that are not there ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "found"),
    [("blob:none", [9]), ("tree:0", []), ("blob:limit=80", [])],
    ids=["blobs", "trees", "large blobs"],
)
def test_a_partial_clone_is_read_as_far_as_it_goes(tmp_path: Path, kind: str, found: list[int]) -> None:
    origin = steps().write(tmp_path / "origin")
    origin.git("config", "uploadpack.allowFilter", "true")
    run_git(tmp_path, "clone", "-q", "--bare", f"--filter={kind}", f"file://{origin.root}", "r")
    made = Made(tmp_path / "r")
    made.commits = origin.commits
    before = objects(made)
    # Who would fetch what is missing would run this.
    made.git("config", "remote.origin.uploadpack", f"touch {tmp_path}/fetched; false")
    history = made.read()
    assert history.commits == 5
    assert history.missing > 0
    assert history.sightings == ()
    assert not (tmp_path / "fetched").exists()
    assert objects(made) == before
    assert found is not None


def objects(made: Made) -> list[str]:
    """What the store holds."""
    return sorted(made.git("cat-file", "--batch-all-objects", "--batch-check").splitlines())


def test_what_was_missing_is_found_once_it_is_there(tmp_path: Path) -> None:
    made = steps().write(tmp_path / "r")
    path = loose(made, made.git("rev-parse", "main:f4.py"))
    path.rename(tmp_path / "aside")
    kept = tmp_path / "memory"
    assert made.read(memory=Memory(str(kept))).missing == 1
    (tmp_path / "aside").rename(path)
    history = made.read(memory=Memory(str(kept)))
    assert history.missing == 0
    assert made.places(history, "<openai-key-4>") == [Place("f4.py", 3, "step 4", "", MAIN)]


def test_a_shallow_clone_that_gets_deeper_is_read_again(tmp_path: Path) -> None:
    origin = steps().write(tmp_path / "origin")
    run_git(tmp_path, "clone", "-q", "--bare", "--depth=1", f"file://{origin.root}", "r")
    made = Made(tmp_path / "r")
    made.commits = origin.commits
    kept = str(tmp_path / "memory")
    assert known(made, 3, 9, memory=Memory(kept)) == {3: [], 9: [Place("kept.py", 3, "", "", MAIN)]}
    made.git("fetch", "-q", "--unshallow")
    assert known(made, 3, 9, memory=Memory(kept)) == {
        3: [Place("f3.py", 3, "step 3", "step 4")],
        9: [Place("kept.py", 3, "begin", "", MAIN)],
    }


def loose(made: Made, name: str) -> Path:
    """The file of a loose object."""
    return made.root / "objects" / name[:2] / name[2:]


def spoil(path: Path, how: str) -> None:
    """Damage a file of git's."""
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        path.write_bytes(b"this is no object")


HARM = ["missing", "empty", "cut", "garbage"]


@pytest.mark.parametrize("how", HARM)
def test_a_damaged_blob_is_told_and_the_rest_is_read(tmp_path: Path, how: str) -> None:
    made = steps().write(tmp_path / "r")
    spoil(loose(made, made.git("rev-parse", "main~2:f2.py")), how)
    history = made.read()
    assert (history.missing, history.is_complete) == (1, True)
    assert made.places(history, "<openai-key-2>") == []
    assert made.places(history, "<openai-key-1>") == [Place("f1.py", 3, "step 1", "step 2")]
    assert made.places(history, "<openai-key-3>") == [Place("f3.py", 3, "step 3", "step 4")]


@pytest.mark.parametrize("how", HARM)
def test_a_damaged_tree_is_told_and_no_key_is_lost(tmp_path: Path, how: str) -> None:
    made = steps().write(tmp_path / "r")
    blob = made.git("rev-parse", "main~2:f2.py")
    spoil(loose(made, made.git("rev-parse", "main~2^{tree}")), how)
    history = made.read()
    assert history.missing >= 1
    # Two commits cannot be compared with what stood before: what they brought is known, its path is not.
    assert made.places(history, "<openai-key-2>") == [Place(f"blob {blob[:12]}", 3)]
    assert made.places(history, "<openai-key-1>") == [Place("f1.py", 3, "step 1")]
    assert made.places(history, "<openai-key-4>") == [Place("f4.py", 3, "step 4", "", MAIN)]
    assert made.places(history, "<openai-key-9>") == [Place("kept.py", 3, "begin", "", MAIN)]


@pytest.mark.parametrize("how", HARM)
@pytest.mark.parametrize("at", ["main~2", "main"])
def test_a_damaged_commit_is_told_and_no_key_is_lost(tmp_path: Path, how: str, at: str) -> None:
    made = steps().write(tmp_path / "r")
    made.git("tag", "old", "main~3")
    path = loose(made, made.git("rev-parse", at))
    spoil(path, how)
    history = made.read()
    assert history.missing >= 1
    found = {number: made.places(history, f"<openai-key-{number}>") for number in (1, 2, 3, 4, 9)}
    assert found[1][0][:3] == ("f1.py", 3, "step 1")
    assert all(found.values()), found


def test_a_missing_tag_costs_its_message_only(tmp_path: Path) -> None:
    past = steps()
    past.tag("v1", "step 4", "The key: <openai-key-8>\n")
    made = past.write(tmp_path / "r")
    spoil(loose(made, made.git("rev-parse", "v1")), "missing")
    history = made.read()
    assert history.missing == 1
    assert made.places(history, "<openai-key-8>") == []
    assert made.places(history, "<openai-key-4>") == [Place("f4.py", 3, "step 4", "", MAIN)]


def test_a_ref_to_nothing_is_told(tmp_path: Path) -> None:
    made = steps().write(tmp_path / "r")
    (made.root / "refs" / "heads" / "lost").write_text("1" * 40 + "\n", encoding="ascii")
    (made.root / "refs" / "heads" / "garbage").write_text("no name\n", encoding="ascii")
    history = made.read()
    assert history.missing == 1
    assert made.places(history, "<openai-key-4>") == [Place("f4.py", 3, "step 4", "", MAIN)]


@pytest.mark.parametrize("part", ["pack", "idx"])
@pytest.mark.parametrize("how", ["cut", "garbage"])
def test_a_damaged_pack(tmp_path: Path, part: str, how: str) -> None:
    made = steps(2).write(tmp_path / "r")
    made.git("repack", "-q", "-a", "-d")
    past = Past()
    past.commit("loose", {"loose.py": leak(8)}, on="refs/heads/other")
    made.add(past)
    made.git("symbolic-ref", "HEAD", "refs/heads/other")
    spoil(next((made.root / "objects" / "pack").glob(f"*.{part}")), how)
    history = made.read()
    assert history.missing > 0
    assert made.places(history, "<openai-key-8>") == [Place("loose.py", 3, "loose", "", ("HEAD", "heads/other"))]


def test_a_bit_of_a_pack_that_flipped(tmp_path: Path) -> None:
    past = steps(2)
    past.commit("large", {"large.txt": os.urandom(20_000).hex() + "\n"})
    made = past.write(tmp_path / "r")
    made.git("repack", "-q", "-a", "-d")
    [pack] = (made.root / "objects" / "pack").glob("*.pack")
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 0x40
    pack.chmod(0o600)
    pack.write_bytes(data)
    history = made.read()
    assert history.missing == 1
    assert made.places(history, "<openai-key-1>") == [Place("f1.py", 3, "step 1", "step 2")]
