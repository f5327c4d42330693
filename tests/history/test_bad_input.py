"""Repositories that are empty, partial, damaged, huge, hostile or in use: what can be read is, the rest is told."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from keyguard.discover.git import GitError, Repository
from keyguard.history import Memory, Scope
from tests.history.made import Made, Past, Place, read, run_git
from tests.keys import fill
from tests.runs import environment

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
    past.commit("begin", {"README.md": "# A project\n", "kept.py": leak(99)})
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


@pytest.mark.parametrize("kind", ["blob:none", "tree:0", "blob:limit=80"])
def test_a_partial_clone_is_read_as_far_as_it_goes(tmp_path: Path, kind: str) -> None:
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
    assert known(made, 3, 99, memory=Memory(kept)) == {3: [], 99: [Place("kept.py", 3, "", "", MAIN)]}
    made.git("fetch", "-q", "--unshallow")
    assert known(made, 3, 99, memory=Memory(kept)) == {
        3: [Place("f3.py", 3, "step 3", "step 4")],
        99: [Place("kept.py", 3, "begin", "", MAIN)],
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
    assert made.places(history, "<openai-key-99>") == [Place("kept.py", 3, "begin", "", MAIN)]


@pytest.mark.parametrize("how", HARM)
@pytest.mark.parametrize("at", ["main~2", "main"])
def test_a_damaged_commit_is_told_and_no_key_is_lost(tmp_path: Path, how: str, at: str) -> None:
    made = steps().write(tmp_path / "r")
    made.git("tag", "old", "main~3")
    path = loose(made, made.git("rev-parse", at))
    spoil(path, how)
    history = made.read()
    assert history.missing >= 1
    found = {number: made.places(history, f"<openai-key-{number}>") for number in (1, 2, 3, 4, 99)}
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


# Odd contents --------------------------------------------------------------------------------------------------------


def test_submodules_and_links_hold_no_text(tmp_path: Path) -> None:
    past = Past()
    modules = '[submodule "x"]\n\tpath = sub\n\turl = ext::touch ran\n\tupdate = !touch ran\n'
    past.commit("begin", {".gitmodules": modules, "a.py": CODE})
    made = past.write(tmp_path / "r")
    key = made.git("hash-object", "-w", "--stdin", given=fill("<openai-key-1>").encode())
    entries = f"160000 commit {'1' * 40}\tsub\n120000 blob {key}\tlink\n"
    tree = made.git("mktree", given=entries.encode())
    commit = made.git("commit-tree", tree, "-p", "main", "-m", "links", GIT_COMMITTER_DATE="2024-02-01T00:00:00Z")
    made.git("update-ref", "refs/heads/main", commit)
    found = made.read()
    assert (found.sightings, found.missing, found.commits) == ((), 0, 2)


ODD = [
    b"--upload-pack=touch ran",
    b"-x",
    b":(glob)**",
    b":!a.py",
    b"a b\tc.py",
    b"with\nnewline.py",
    b'quo"te\\.py',
    b"\xe9\xff.py",
    "schlüssel/密钥.py".encode(),
    b"HEAD:a.py",
    b"blob 1234",
    b"commit 1234",
    b"dir/$(touch ran)/`touch ran`.py",
    b" blob 12",
]


def test_odd_paths_are_read_like_others(tmp_path: Path) -> None:
    past = Past()
    past.commit("begin", {"README.md": "x\n"})
    past.commit("odd", {path: f'key = "<openai-key-{number}>"\n' for number, path in enumerate(ODD, 1)})
    past.commit("taken", {ODD[0]: None, ODD[3]: None, ODD[5]: None})
    made = past.write(tmp_path / "r")
    found = made.read()
    assert sorted(one.finding.path.encode() for one in found.sightings) == sorted(
        path.replace(b"\xe9\xff", rb"\xe9\xff") for path in ODD
    )
    for number, path in enumerate(ODD, 1):
        [place] = made.places(found, f"<openai-key-{number}>")
        assert place[1:3] == (1, "odd")
        if b"\n" in path:
            assert place[3:] == ("", ()), "git cannot be asked who holds it, so nobody says that it is gone"
        else:
            assert place[3:] == (("taken", ()) if path in {ODD[0], ODD[3]} else ("", MAIN)), path


def test_a_tree_that_no_git_would_write(tmp_path: Path) -> None:
    made = steps(1).write(tmp_path / "r")
    blob = made.git("rev-parse", "main:f1.py")
    inner = raw_tree(made, (b"x.py", blob))
    tree = raw_tree(made, (b"..", inner), (b".", inner), (b"/etc/a.py", blob), (b"f1.py", blob))
    commit = made.git("commit-tree", tree, "-m", "odd", GIT_COMMITTER_DATE="2024-02-01T00:00:00Z")
    made.git("update-ref", "refs/heads/odd", commit)
    made.commits["odd"] = commit
    assert made.places(made.read(), "<openai-key-1>") == [
        Place("../x.py", 3, "odd"),
        Place("./x.py", 3, "odd"),
        Place("/etc/a.py", 3, "odd", "", ("heads/odd",)),
        Place("f1.py", 3, "step 1", "", ("HEAD", "heads/main", "heads/odd")),
    ]


def raw_tree(made: Made, *entries: tuple[bytes, str]) -> str:
    """Write a tree byte by byte: folders for trees, files for blobs."""
    data = b""
    for name, item in entries:
        mode = b"40000" if made.git("cat-file", "-t", item) == "tree" else b"100644"
        data += mode + b" " + name + b"\0" + bytes.fromhex(item)
    return made.git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", given=data)


def test_odd_names_of_people_and_refs(tmp_path: Path) -> None:
    past = Past()
    past.commit("latin", {"a.py": leak(1)}, author=b"Jos\xe9 <j@example.org>", message=b"Caf\xe9\n\nmore\n")
    past.commit("key", {"b.py": leak(2)}, author=fill("<openai-key-3> <x@example.org>").encode())
    past.commit("subject", {"c.py": leak(4)}, message="use <openai-key-4> now\n")
    past.commit("nobody", {"d.py": leak(5)}, author=b"<only@example.org>")
    past.ref("refs/heads/--upload-pack=touch", "nobody")
    past.ref("refs/heads/-x", "nobody")
    past.ref("refs/heads/HEAD", "nobody")
    past.ref("refs/tags/schl\xfcssel\u2028x", "nobody")
    made = past.write(tmp_path / "r")
    found = made.read()
    people = {one.finding.path: one.first for one in found.sightings if one.kind == "file" and one.first}
    assert (people["a.py"].author, people["a.py"].subject) == ("Jos\\xe9", "Caf\\xe9")
    assert (people["b.py"].author, people["b.py"].subject) == ("…", "key")
    assert people["c.py"].subject == "use … now"
    assert people["d.py"].author == "only@example.org"
    assert made.places(found, "<openai-key-5>") == [
        Place(
            "d.py",
            3,
            "nobody",
            "",
            (
                "HEAD",
                "heads/main",
                "heads/--upload-pack=touch",
                "heads/-x",
                "heads/HEAD",
                "tags/schl\xfcssel\u2028x",
            ),
        )
    ]


@pytest.mark.parametrize(
    "header",
    [
        b"author A <a@x> 99999999999999999 +0000\ncommitter A <a@x> 1 +0000",
        b"author A <a@x> -5 +0000\ncommitter A <a@x> 1 +0000",
        b"author A <a@x> soon\ncommitter A <a@x> later",
        b"author\ncommitter",
        b"author nobody at all\ncommitter nobody",
        b"encoding nonsense\nauthor A <a@x> 1 +0000\ncommitter A <a@x> 1 +0000",
    ],
)
def test_a_commit_that_no_git_would_write(tmp_path: Path, header: bytes) -> None:
    made = steps(1).write(tmp_path / "r")
    data = f"tree {made.git('rev-parse', 'main^{tree}')}\n".encode() + header
    data += fill("\n\nOPENAI_API_KEY=<openai-key-5>\n").encode()
    name = made.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", given=data)
    made.git("update-ref", "refs/heads/odd", name)
    found = made.read()
    assert [place[:2] for place in made.places(found, "<openai-key-5>")] == [(f"commit {name[:12]}", 1)]
    assert [place[0] for place in made.places(found, "<openai-key-1>")] == ["f1.py"]


# Much there ----------------------------------------------------------------------------------------------------------


def test_many_refs(tmp_path: Path) -> None:
    made = steps(3).write(tmp_path / "r")
    names = [made.commits[f"step {number}"] for number in (1, 2, 3)]
    lines = [f"{names[number % 3]} refs/pull/{number:05}/head" for number in range(3_000)]
    head = "# pack-refs with: peeled fully-peeled sorted \n"
    (made.root / "packed-refs").write_text(head + "\n".join(lines) + "\n", encoding="ascii")
    made.git("update-ref", "refs/heads/main", made.commits["step 3"])
    found = made.read()
    assert found.refs == 3_001
    [one] = [one for one in found.sightings if one.finding.path == "f1.py"]
    assert (one.ref_count, one.refs[0], one.last) == (1_000, "pull/00000/head", None)
    [one] = [one for one in found.sightings if one.finding.path == "f3.py"]
    assert (one.ref_count, one.refs[:2], one.at_head) == (1_001, ("heads/main", "pull/00002/head"), True)


_READER = """
import resource, sys
from pathlib import Path
from tests.history.made import Made
found = Made(Path(sys.argv[1])).read()
for one in found.sightings:
    print(one.finding.path, one.finding.line, one.finding.column, one.first.subject)
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(int(peak) >> 10)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)
"""


def large(root: Path, size: int) -> Made:
    """A repository with two files of about `size` bytes, each with a key at its end; one of them is no text."""
    line = b"x = 1  # " + b"-" * 90 + b"\n"
    lines = size // len(line)
    past = Past()
    past.commit("zeros", {"zeros.bin": b"\0" * size + fill('"<openai-key-1>"\n').encode()})
    past.commit("text", {"text.py": line * lines + fill('key = "<openai-key-1>"\n').encode()})
    return past.write(root)


def read_apart(root: Path) -> tuple[list[str], list[int]]:
    """Read in a process of its own: what was found, and the most memory it and git's processes had, in MB."""
    done = subprocess.run(
        [sys.executable, "-c", _READER, str(root)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    *found, own, gits = done.stdout.splitlines()
    return found, [int(own), int(gits)]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units elsewhere")
def test_a_huge_file_is_never_held_whole(tmp_path: Path) -> None:
    size = 40 << 20
    made = large(tmp_path / "r", size)
    found, memory = read_apart(made.root)
    assert found == [f"text.py {size // 100 + 1} 8 text"]
    assert max(memory) < 200, memory


# Hostile -------------------------------------------------------------------------------------------------------------

# What a repository's own configuration may name to be run, by what would make git do it; each leaves a mark.
_RUNS = {
    "core.fsmonitor": "{run}",
    "core.hooksPath": "{folder}",
    "core.pager": "{run}",
    "core.editor": "{run}",
    "core.askPass": "{run}",
    "core.sshCommand": "{run}",
    "core.gitProxy": "{run}",
    "core.alternateRefsCommand": "{run}",
    "pager.rev-list": "{run}",
    "pager.cat-file": "{run}",
    "diff.external": "{run}",
    "diff.hostile.command": "{run}",
    "diff.hostile.textconv": "{run}",
    "diff.hostile.cachetextconv": "true",
    "filter.hostile.clean": "{run}",
    "filter.hostile.smudge": "{run}",
    "filter.hostile.process": "{run}",
    "filter.hostile.required": "true",
    "merge.hostile.driver": "{run}",
    "gpg.program": "{run}",
    "gpg.ssh.program": "{run}",
    "log.showSignature": "true",
    "log.mailmap": "true",
    "credential.helper": "!{run}",
    "alias.rev-list": "!{run}",
    "alias.cat-file": "!{run}",
    "uploadpack.packObjectsHook": "{run}",
    "remote.origin.url": "ext::{run}",
    "remote.origin.promisor": "true",
    "remote.origin.partialCloneFilter": "blob:none",
    "remote.origin.uploadpack": "{run}",
    "submodule.sub.update": "!{run}",
    "trailer.x.command": "{run}",
    "sequence.editor": "{run}",
    "gc.auto": "1",
    "maintenance.auto": "true",
}


def test_nothing_of_a_hostile_repository_is_run(tmp_path: Path) -> None:
    past = steps(2)
    attributes = "* diff=hostile filter=hostile merge=hostile\n"
    past.commit("attributes", {".gitattributes": attributes, "key.py": leak(8)}, message="M\n\nkey: <openai-key-7>\n")
    past.tag("v1", "attributes", "T\n\n<openai-key-6>\n")
    made = past.write(tmp_path / "r", bare=False)
    mark, folder = tmp_path / "ran", tmp_path / "hooks"
    folder.mkdir()
    run = folder / "run"
    run.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n", encoding="ascii")
    run.chmod(0o755)
    git_folder = made.root / ".git"
    hooks = [path.name.removesuffix(".sample") for path in (git_folder / "hooks").iterdir()]
    for name in (*hooks, "reference-transaction", "post-index-change", "fsmonitor-watchman"):
        shutil.copy(run, folder / name)
        shutil.copy(run, git_folder / "hooks" / name)
    for name, value in _RUNS.items():
        made.git("config", "--replace-all", name, value.format(run=run, folder=folder))
    included = tmp_path / "included"
    included.write_text(f"[core]\n\tfsmonitor = {run}\n[diff]\n\texternal = {run}\n", encoding="ascii")
    made.git("config", f"includeIf.gitdir:{git_folder}.path", str(included))
    made.git("config", "include.path", str(included))
    # A blob that is promised and missing would be fetched by running the remote.
    made.git("config", "core.repositoryFormatVersion", "1")
    made.git("config", "extensions.partialClone", "origin")
    (git_folder / "info" / "attributes").write_text(attributes, encoding="ascii")
    gone = made.git("rev-parse", "HEAD~1:f2.py")
    (git_folder / "objects" / gone[:2] / gone[2:]).unlink()
    # What the test itself has run so far may have left the mark.
    mark.unlink(missing_ok=True)
    found = made.read(Scope(unreachable=True), memory=Memory(str(tmp_path / "memory")))
    assert not mark.exists()
    assert found.missing == 1
    assert [place[:2] for place in made.places(found, "<openai-key-8>")] == [("key.py", 3)]
    assert len(made.places(found, "<openai-key-7>")) == len(made.places(found, "<openai-key-6>")) == 1
    assert made.places(found, "<openai-key-1>") == [Place("f1.py", 3, "step 1", "step 2")]
    for scope in (Scope(since="2020-01-01"), Scope(branches=("main",)), Scope(most=2)):
        made.read(scope)
    assert not mark.exists()
    # The mark is one: git as a person uses it does run these.
    subprocess.run(["git", "diff", "HEAD~1"], cwd=made.root, env=environment(), capture_output=True, check=False)
    assert mark.exists()


def test_a_work_tree_that_lies_elsewhere(tmp_path: Path) -> None:
    made = steps(1).write(tmp_path / "r", bare=False)
    (tmp_path / "elsewhere").mkdir()
    made.git("config", "core.worktree", str(tmp_path / "elsewhere"))
    assert made.places(made.read(), "<openai-key-1>") == [Place("f1.py", 3, "step 1", "", MAIN)]


def test_objects_of_an_alternate_are_read_and_its_dangling_ones_are_not(tmp_path: Path) -> None:
    origin = steps(1).write(tmp_path / "origin")
    origin.git("hash-object", "-w", "--stdin", given=fill('"<openai-key-5>"\n').encode())
    run_git(tmp_path, "clone", "-q", "--bare", "--shared", str(origin.root), "r")
    made = Made(tmp_path / "r")
    made.commits = origin.commits
    assert known(made, 1, 5) == {1: [Place("f1.py", 3, "step 1", "", MAIN)], 5: []}
    shutil.rmtree(origin.root)
    with pytest.raises(GitError, match="alternate object path"):
        made.read()


# Other kinds of repositories -----------------------------------------------------------------------------------------


def test_names_of_sha_256(tmp_path: Path) -> None:
    past = steps(2)
    past.tag("v1", "step 2", "The key: <openai-key-8>\n")
    made = past.write(tmp_path / "r", form="sha256")
    kept = str(tmp_path / "memory")
    found = made.read(memory=Memory(kept))
    assert {len(one.blob or "") for one in found.sightings} == {64}
    assert made.places(found, "<openai-key-1>") == [Place("f1.py", 3, "step 1", "step 2")]
    assert made.read(memory=Memory(kept)) == found
    past = Past()
    past.commit("more", {"more.py": leak(7)}, on="refs/heads/more")
    made.add(past)
    assert made.read(memory=Memory(kept)) == made.read()


def test_a_linked_work_tree_shares_the_history_and_has_a_head_of_its_own(tmp_path: Path) -> None:
    made = steps(2).write(tmp_path / "r", bare=False)
    made.git("worktree", "add", "-q", "-b", "linked", "../linked", "main~1")
    linked = Made(tmp_path / "linked", bare=False)
    linked.commits = made.commits
    found = linked.read()
    assert found.head == "linked"
    assert linked.places(found, "<openai-key-1>") == [Place("f1.py", 3, "step 1", "", ("HEAD", "heads/linked"))]
    # What only the other one has checked out counts, too.
    linked.git("checkout", "-q", "--detach")
    (linked.root / "new.py").write_text(fill(leak(7)), encoding="utf-8")
    linked.git("add", "-A")
    linked.git("commit", "-q", "-m", "detached", GIT_COMMITTER_DATE="2024-03-01T00:00:00Z")
    assert [place[:2] for place in made.places(made.read(), "<openai-key-7>")] == [("new.py", 3)]


def test_a_mirror_has_the_refs_of_others(tmp_path: Path) -> None:
    past = steps(1)
    past.commit("asked", {"asked.py": leak(7)}, on="refs/pull/7/head", after=["step 1"])
    origin = past.write(tmp_path / "origin")
    run_git(tmp_path, "clone", "-q", "--mirror", str(origin.root), "r.git")
    made = Made(tmp_path / "r.git")
    made.commits = origin.commits
    assert made.places(made.read(), "<openai-key-7>") == [Place("asked.py", 3, "asked", "", ("pull/7/head",))]


# In use --------------------------------------------------------------------------------------------------------------


def test_a_repository_that_is_written_meanwhile(tmp_path: Path) -> None:
    made = steps(12).write(tmp_path / "r")
    done = threading.Event()
    failed: list[int] = []

    def busy() -> None:
        number = 0
        while not done.is_set():
            number += 1
            for arguments in (
                ["repack", "-q", "-a", "-d", "-f"],
                ["update-ref", f"refs/heads/b{number}", "main"],
                ["pack-refs", "--all"],
                ["unpack-objects", "-q"] if number % 2 else ["prune-packed"],
                ["gc", "-q", "--prune=now"],
            ):
                ran = subprocess.run(
                    ["git", *arguments],
                    cwd=made.root,
                    env=environment(),
                    capture_output=True,
                    stdin=subprocess.DEVNULL,
                    check=False,
                )
                failed.append(ran.returncode)

    writer = threading.Thread(target=busy)
    writer.start()
    try:
        for _ in range(6):
            found = made.read()
            assert (found.missing, found.commits, found.is_complete) == (0, 13, True)
            for number in range(1, 12):
                assert made.places(found, f"<openai-key-{number}>") == [
                    Place(f"f{number}.py", 3, f"step {number}", f"step {number + 1}")
                ]
    finally:
        done.set()
        writer.join()
    assert 0 in failed
