"""Finding files: with real folders and a real git, and every kind of path that cannot be read."""

from __future__ import annotations

import itertools
import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from keyguard.discover import (
    Discovery,
    GitState,
    Target,
    discover,
    filled,
    git_statuses,
    range_targets,
    staged_targets,
    status_from,
    stdin_target,
)
from keyguard.errors import UsageError
from keyguard.model import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

posix = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and odd names are POSIX's")

_IDENTITY = ("-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "protocol.file.allow=always")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *_IDENTITY, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        errors="surrogateescape",
    )
    return done.stdout.strip()


def _write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        _put(folder / name.replace("__", "/").replace("_dot_", "."), text)


def _put(file: Path, text: str | bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)


def _paths(found: Discovery) -> list[str]:
    return [target.path for target in found.targets]


def _messages(found: Discovery) -> list[str]:
    return [notice.message for notice in found.notices]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the developer's own git settings, and the variables of a hook the tests may run in, out of the tests."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder outside git."""
    place = tmp_path.resolve() / "project"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def repo(folder: Path) -> Path:
    """An empty repository as working folder."""
    _git(folder, "init", "-q", "-b", "main")
    return folder


@pytest.fixture
def commit(repo: Path) -> Callable[..., str]:
    """Commit files (None removes one) and give the commit's name."""

    def make(**files: str | None) -> str:
        for name, text in files.items():
            path = repo / name.replace("__", "/").replace("_dot_", ".")
            if text is None:
                path.unlink()
            else:
                _put(path, text)
        _git(repo, "add", "-A")
        _git(repo, "commit", "-q", "--allow-empty", "-m", "x")
        return _git(repo, "rev-parse", "HEAD")

    return make


# --- folders in git -------------------------------------------------------------------------------------------


def test_a_folder_gives_tracked_and_untracked_files_but_not_ignored_ones(repo: Path) -> None:
    _write(repo, a_dot_py="1", sub__b_dot_py="2", ignored_dot_py="3", sub__new_dot_py="4", gone_dot_py="5")
    _put(repo / ".gitignore", "ignored.py\n*.log\n")
    _put(repo / "kept.log", "tracked all the same")
    _git(repo, "add", "a.py", "sub/b.py", "gone.py", ".gitignore")
    _git(repo, "add", "-f", "kept.log")
    (repo / "gone.py").unlink()
    assert _paths(discover(["."])) == [".gitignore", "a.py", "kept.log", "sub/b.py", "sub/new.py"]
    assert _paths(discover(["."], respect_gitignore=False)) == [
        ".gitignore",
        "a.py",
        "ignored.py",
        "kept.log",
        "sub/b.py",
        "sub/new.py",
    ]


def test_a_named_file_is_read_even_if_git_ignores_it(repo: Path) -> None:
    _write(repo, a_dot_py="1", _dot_env="2")
    _put(repo / ".gitignore", ".env\n")
    assert _paths(discover([".env"])) == [".env"]
    assert discover([".env"]).targets[0].named


def test_a_named_folder_that_git_ignores_is_meant(repo: Path) -> None:
    _write(repo, build__a_dot_py="1", b_dot_py="2", empty__c_dot_txt="3")
    _put(repo / ".gitignore", "build/\n")
    assert _paths(discover(["build"])) == ["build/a.py"]
    (repo / "empty" / "c.txt").unlink()
    assert discover(["empty"]) == Discovery(())


def test_a_file_comes_with_the_status_it_had(repo: Path) -> None:
    _write(repo, a_dot_py="x = 1\n", sub__b_dot_py="x = 2\n")
    (repo / "link.py").symlink_to("sub/b.py")
    for found in (discover(["."]), discover(["a.py", "link.py"])):
        assert all(target.status == status_from(Path(target.location).stat()) for target in found.targets)
        assert [target.size for target in found.targets] == [6, 6]
    _write(repo, a_dot_py="x = 11\n")
    assert discover(["a.py"]).targets[0].status != found.targets[0].status


def test_each_file_comes_once_in_path_order(repo: Path) -> None:
    _write(repo, b_dot_py="1", a__x_dot_py="2")
    found = discover(["b.py", ".", "a", "a/x.py", "./a/../b.py", str(repo / "b.py"), "."])
    assert _paths(found) == ["a/x.py", "b.py"]
    assert [target.named for target in found.targets] == [True, True]


def test_unmerged_files_come_once(repo: Path, commit: Callable[..., str]) -> None:
    commit(a_dot_py="1\n")
    _git(repo, "checkout", "-q", "-b", "other")
    commit(a_dot_py="2\n")
    _git(repo, "checkout", "-q", "main")
    commit(a_dot_py="3\n")
    with pytest.raises(subprocess.CalledProcessError):
        _git(repo, "merge", "-q", "other")
    assert _paths(discover(["."])) == ["a.py"]


def test_paths_are_shown_from_the_working_folder_or_as_given(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(repo, sub__a_dot_py="1", tests__b_dot_py="2")
    monkeypatch.chdir(repo / "sub")
    assert _paths(discover(["."])) == ["a.py"]
    assert _paths(discover([".."])) == ["../tests/b.py", "a.py"]
    assert _paths(discover(["../tests/b.py"])) == ["../tests/b.py"]
    assert _paths(discover([str(repo / "tests")])) == [f"{repo.as_posix()}/tests/b.py"]
    # The role comes from the project, not from where the command was typed.
    monkeypatch.chdir(repo / "tests")
    (target,) = discover(["."]).targets
    assert (target.path, target.place, target.role) == ("b.py", "tests/b.py", "test")


@posix
def test_names_with_spaces_other_scripts_line_ends_and_odd_bytes_are_read(repo: Path) -> None:
    names = ["with space.py", "密钥 文件.py", "line\nend.py", "-rf.py", ":(top)x.py", "quo'te\".py", "tab\t.py"]
    for name in names:
        _put(repo / name, name)
    odd = os.fsencode(repo) + b"/caf\xe9.py"
    with open(odd, "wb") as stream:  # noqa: PTH123  # a name that is no text
        stream.write(b"odd")
    found = discover(["."])
    assert set(_paths(found)) == {*names, "caf\\xe9.py"}
    for target in found.targets:
        assert target.read() in {target.path.encode(), b"odd"}
    _git(repo, "add", "-A")
    assert {(t.path, t.read()) for t in filled(staged_targets().targets)} == {(t.path, t.read()) for t in found.targets}
    _git(repo, "commit", "-q", "-m", "x")
    _git(repo, "commit", "-q", "--allow-empty", "-m", "y")
    _put(repo / "tab\t.py", "more\n")
    _put(repo / "quo'te\".py", "more\n")
    _put(repo / "with space.py", "more\n")
    _git(repo, "commit", "-q", "-a", "-m", "z")
    assert _paths(range_targets("HEAD~1..HEAD")) == sorted(["quo'te\".py", "tab\t.py", "with space.py"])


def test_submodules_and_clones_in_the_tree_are_entered(repo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    _git(other, "init", "-q")
    _write(other, in_dot_py="1", skip_dot_log="2")
    _put(other / ".gitignore", "*.log\n")
    _git(other, "add", "in.py", ".gitignore")
    _git(other, "commit", "-q", "-m", "x")
    _git(repo, "submodule", "--quiet", "add", str(other), "lib/module")
    _git(repo, "clone", "-q", str(other), "clone")
    _put(repo / "lib" / "module" / "skip.log", "2")
    cloned, module = ["clone/.gitignore", "clone/in.py"], ["lib/module/.gitignore", "lib/module/in.py"]
    assert _paths(discover(["."])) == [".gitmodules", *cloned, *module]
    assert _paths(discover(["lib/module"])) == module
    # One that is not checked out is an empty folder.
    _git(repo, "submodule", "--quiet", "deinit", "-f", "lib/module")
    assert _paths(discover(["."])) == [".gitmodules", *cloned]


def test_a_linked_work_tree_is_read(repo: Path, tmp_path: Path, commit: Callable[..., str]) -> None:
    commit(a_dot_py="1")
    linked = tmp_path.resolve() / "linked"
    _git(repo, "worktree", "add", "-q", "--detach", str(linked))
    _put(linked / "b.py", "2")
    assert [target.place for target in discover([str(linked)]).targets] == ["a.py", "b.py"]


def test_a_detached_work_tree_is_read(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store.git"
    _write(folder, a_dot_py="1", sub__b_dot_py="2", c_dot_log="3")
    _put(folder / ".gitignore", "*.log\n")
    monkeypatch.setenv("GIT_DIR", str(store))
    monkeypatch.setenv("GIT_WORK_TREE", str(folder))
    _git(folder, "init", "-q")
    _git(folder, "add", "a.py")
    assert _paths(discover(["."])) == [".gitignore", "a.py", "sub/b.py"]
    assert _paths(staged_targets()) == ["a.py"]
    monkeypatch.chdir(folder / "sub")
    assert _paths(discover(["."])) == ["b.py"]


def test_the_variables_of_a_hook_do_not_mislead_git_elsewhere(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path.resolve() / "other"
    other.mkdir()
    _git(other, "init", "-q")
    _write(other, b_dot_py="1")
    _write(repo, a_dot_py="1")
    _git(repo, "add", "a.py")
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert _paths(discover([str(other)])) == [f"{other.as_posix()}/b.py"]
    assert _paths(discover(["."])) == ["a.py"]
    assert _paths(staged_targets()) == ["a.py"]


def test_a_bare_repository_has_no_files_and_the_error_says_what_has(folder: Path) -> None:
    _git(folder, "init", "-q", "--bare", "store.git")
    with pytest.raises(
        UsageError, match=r"store\.git: a git repository without a work tree.*`keyguard audit store\.git`"
    ):
        discover(["store.git"])
    with pytest.raises(UsageError, match=r"--staged: store\.git: not in a git work tree"):
        staged_targets(["store.git"])


def test_a_repository_whose_git_fails_is_walked_and_the_notice_says_so(repo: Path) -> None:
    _write(repo, a_dot_py="1", b_dot_log="2")
    _put(repo / ".gitignore", "*.log\n")
    _put(repo / ".git" / "config", "this is = no [config\n")
    found = discover(["."])
    assert _paths(found) == [".gitignore", "a.py"]
    assert "git did not list its files" in _messages(found)[0]
    assert not found.notices[0].error


def test_without_git_the_folder_is_walked(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(repo, a_dot_py="1", b_dot_log="2")
    _put(repo / ".gitignore", "*.log\n")
    monkeypatch.setenv("PATH", str(repo))
    found = discover(["."])
    assert _paths(found) == [".gitignore", "a.py"]
    assert "git is not installed" in _messages(found)[0]
    with pytest.raises(UsageError, match=r"--staged: .*git is not installed"):
        staged_targets()
    with pytest.raises(UsageError, match=r"--range A\.\.B: git is not installed"):
        range_targets("A..B")
    assert git_statuses([str(repo / "a.py")]) == {str(repo / "a.py"): "outside"}


@posix
def test_nothing_a_repository_configures_is_run(repo: Path, commit: Callable[..., str]) -> None:
    commit(a_dot_py="1\n")
    commit(a_dot_py="2\n", _dot_gitattributes="*.py diff=evil filter=evil\n")
    script = repo.parent / "evil.sh"
    mark = repo.parent / "ran"
    _put(script, f"#!/bin/sh\ntouch '{mark}'\ncat\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "diff.evil.command", "diff.evil.textconv", "core.pager"):
        _git(repo, "config", key, str(script))
    _git(repo, "config", "core.hooksPath", str(repo.parent))
    _put(repo / "a.py", "3\n")
    discover(["."])
    subprocess.run(["git", "-c", "core.fsmonitor=false", "add", "a.py"], cwd=repo, check=True)
    assert [target.read() for target in filled(staged_targets().targets)] == [b"3\n"]
    assert [t.read() for t in filled(range_targets("HEAD~1..HEAD").targets)][-1] == b"2\n"
    assert git_statuses([str(repo / "a.py")]) == {str(repo / "a.py"): "tracked"}
    assert not mark.exists()


# --- folders outside git --------------------------------------------------------------------------------------


def test_outside_git_gitignore_files_are_honoured_nested_and_negated(folder: Path) -> None:
    _put(folder / ".gitignore", "*.log\n/only-here.txt\nbuilt/\n!keep.log\n# comment\n\n")
    _put(folder / "sub" / ".gitignore", "!special.log\nlocal.py\n")
    for name in (
        "a.py",
        "a.log",
        "keep.log",
        "only-here.txt",
        "built/x.py",
        "sub/only-here.txt",
        "sub/a.log",
        "sub/special.log",
        "sub/local.py",
        "sub/deep/local.py",
        "sub/deep/special.log",
        "other/local.py",
        "other/built/y.py",
    ):
        _put(folder / name, "x")
    expected = [
        ".gitignore",
        "a.py",
        "keep.log",
        "other/local.py",
        "sub/.gitignore",
        "sub/deep/special.log",
        "sub/only-here.txt",
        "sub/special.log",
    ]
    assert _paths(discover(["."])) == expected
    # From a folder below the working folder the rules above it still count.
    assert _paths(discover(["sub"])) == [path for path in expected if path.startswith("sub/")]
    assert "a.log" in _paths(discover(["."], respect_gitignore=False))
    # git agrees
    _git(folder, "init", "-q")
    assert _paths(discover(["."])) == expected


def test_a_repository_below_a_folder_outside_git_is_read_as_git_sees_it(folder: Path) -> None:
    inner = folder / "work" / "inner"
    _put(inner / ".gitignore", "*.log\n")
    _put(inner / "tracked.log", "x")
    _put(inner / "new.log", "x")
    _git(inner, "init", "-q")
    _git(inner, "add", "-f", "tracked.log")
    _git(folder, "init", "-q", "--bare", "store.git")
    _put(folder / "a.py", "x")
    assert _paths(discover(["."])) == ["a.py", "work/inner/.gitignore", "work/inner/tracked.log"]


def test_a_broken_gitignore_line_spoils_nothing(folder: Path) -> None:
    _put(folder / ".gitignore", b"!\n*.log\n\xff\xfe\n")
    _put(folder / "a.log", "x")
    _put(folder / "a.py", "x")
    assert _paths(discover(["."])) == [".gitignore", "a.py"]


# --- excludes -------------------------------------------------------------------------------------------------


@pytest.fixture(params=["git", "no git"])
def tree(request: pytest.FixtureRequest, folder: Path) -> Path:
    """The same working folder, in and outside git."""
    if request.param == "git":
        _git(folder, "init", "-q")
    return folder


def test_default_excludes_apply_below_a_named_folder_and_not_to_it(tree: Path) -> None:
    for name in ("a.py", "node_modules/x/b.js", ".venv/lib/c.py", "src/site-packages/d.py", "src/__pycache__/e.py"):
        _put(tree / name, "x")
    _put(tree / "myenv" / "pyvenv.cfg", "home = x")
    _put(tree / "myenv" / "f.py", "x")
    _put(tree / "package-lock.json", "x")
    assert _paths(discover(["."])) == ["a.py", "package-lock.json"]
    assert _paths(discover(["node_modules"])) == ["node_modules/x/b.js"]
    assert _paths(discover([".venv/lib/c.py"])) == [".venv/lib/c.py"]
    assert _paths(discover(["node_modules", "a.py", ".venv/lib/c.py"], force_exclude=True)) == ["a.py"]
    assert "myenv/f.py" in _paths(discover(["."], exclude=()))


def test_patterns_exclude_as_gitignore_lines_do(tree: Path) -> None:
    for name in ("a.py", "a.min.js", "gen/b.py", "sub/gen/c.py", "sub/d.min.js", "sub/keep.min.js"):
        _put(tree / name, "x")

    def paths(*patterns: str, base: str = ".", given: str = ".", force: bool = False) -> list[str]:
        return _paths(discover([given], exclude=((base, patterns),), force_exclude=force))

    everything = paths()
    assert paths("*.min.js") == ["a.py", "gen/b.py", "sub/gen/c.py"]
    assert paths("*.min.js", "!keep.min.js") == ["a.py", "gen/b.py", "sub/gen/c.py", "sub/keep.min.js"]
    assert paths("/gen") == [path for path in everything if not path.startswith("gen/")]
    assert paths("gen") == [path for path in everything if "gen/" not in path]
    assert paths("gen/", base="sub") == [path for path in everything if not path.startswith("sub/gen/")]
    # Below the named folder, not to it.
    assert paths("/sub", given="sub") == ["sub/d.min.js", "sub/gen/c.py", "sub/keep.min.js"]
    assert paths("sub/gen", given="sub") == ["sub/d.min.js", "sub/keep.min.js"]
    assert paths("*.min.js", given="a.min.js") == ["a.min.js"]
    assert paths("*.min.js", given="a.min.js", force=True) == []
    assert paths("/sub", given="sub", force=True) == []


# --- links, pipes, permissions --------------------------------------------------------------------------------


@posix
def test_links_never_leave_the_tree_and_loops_end(tree: Path) -> None:
    outside = tree.parent / "outside.py"
    _put(outside, "x")
    _put(tree / "a.py", "x")
    _put(tree / ".venv" / "hidden.py", "x")
    (tree / "same.py").symlink_to("a.py")
    (tree / "out.py").symlink_to(outside)
    (tree / "out-folder").symlink_to(tree.parent)
    (tree / "loop").symlink_to(".")
    (tree / "self").symlink_to("self")
    (tree / "broken").symlink_to("nothing")
    (tree / "hidden.py").symlink_to(".venv/hidden.py")
    assert _paths(discover(["."])) == ["a.py"]
    assert _messages(discover(["."])) == []


@posix
def test_a_file_that_only_a_link_names_is_read(repo: Path) -> None:
    _put(repo / ".gitignore", "data/\n")
    _put(repo / "data" / "a.py", "x")
    (repo / "link.py").symlink_to("data/a.py")
    assert _paths(discover(["."])) == [".gitignore", "link.py"]
    assert discover(["."]).targets[1].read() == b"x"
    assert _paths(discover(["link.py"])) == ["link.py"]


@posix
def test_a_tracked_folder_that_became_a_link_out_of_the_tree_is_not_followed(
    repo: Path, commit: Callable[..., str]
) -> None:
    commit(sub__a_dot_py="1", b_dot_py="2")
    (repo / "sub").rename(repo.parent / "elsewhere")
    (repo / "sub").symlink_to(repo.parent / "elsewhere")
    assert _paths(discover(["."])) == ["b.py"]


@posix
def test_a_named_link_is_read_inside_the_tree_and_told_outside(repo: Path) -> None:
    _put(repo.parent / "outside.py", "x")
    _put(repo / "sub" / "a.py", "x")
    (repo / "in.py").symlink_to("sub/a.py")
    (repo / "out.py").symlink_to("../outside.py")
    (repo / "folder").symlink_to("sub")
    (repo / "broken").symlink_to("nothing")
    assert _paths(discover(["in.py"])) == ["in.py"]
    assert _paths(discover(["folder"])) == ["sub/a.py"]
    found = discover(["out.py", "broken"])
    assert _paths(found) == []
    assert "a link that leaves the tree; name the file it points to" in _messages(found)[0]
    assert [notice.error for notice in found.notices] == [False, True]


@posix
def test_pipes_sockets_and_devices_are_never_opened(tree: Path) -> None:
    os.mkfifo(tree / "pipe.py")
    server = socket.socket(socket.AF_UNIX)
    server.bind("socket.py")
    try:
        assert discover(["."]) == Discovery(())
        found = discover(["pipe.py", "socket.py", "/dev/zero"])
    finally:
        server.close()
    assert _paths(found) == []
    assert [message.split(": ", 1)[0] for message in _messages(found)] == ["pipe.py", "socket.py", "/dev/zero"]
    assert all("never opened" in notice.message and notice.error for notice in found.notices)


@posix
def test_a_gitignore_that_is_a_pipe_or_a_link_is_not_opened(folder: Path) -> None:
    os.mkfifo(folder / ".gitignore")
    _put(folder / "sub" / "a.py", "x")
    _put(folder / "rules", "*.py\n")
    (folder / "sub" / ".gitignore").symlink_to("../rules")
    assert _paths(discover(["sub"])) == ["sub/a.py"]
    assert _paths(discover(["."])) == ["rules", "sub/a.py"]


@posix
def test_a_file_that_became_a_pipe_or_a_link_since_is_an_error_and_no_hang(folder: Path) -> None:
    _put(folder / "a.py", "x")
    (target,) = discover(["."]).targets
    (folder / "a.py").unlink()
    os.mkfifo(folder / "a.py")
    with pytest.raises(OSError, match="no regular file"):
        target.read()
    (folder / "a.py").unlink()
    (folder / "a.py").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match=r"a\.py"):
        target.read()


def test_a_named_path_that_is_not_there_is_an_error_and_the_rest_is_found(folder: Path) -> None:
    _put(folder / "a.py", "x")
    found = discover(["nope.py", "a.py", "", "no\0such", "a.py/b"])
    assert _paths(found) == ["a.py"]
    assert _messages(found)[0] == "nope.py: no such file or folder; check the spelling"
    assert all(notice.error for notice in found.notices)
    assert [notice.path for notice in found.notices] == ["nope.py", "''", "no\0such", "a.py/b"]


def test_a_vanished_file_is_an_os_error_when_it_is_read(folder: Path) -> None:
    _put(folder / "a.py", "x")
    (target,) = discover(["."]).targets
    (folder / "a.py").unlink()
    with pytest.raises(FileNotFoundError):
        target.read()
    with pytest.raises(FileNotFoundError):
        list(target.windows())


def test_a_file_that_may_not_be_read_is_an_os_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _put(folder / "a.py", "x")
    (target,) = discover(["."]).targets

    def refuse(path: str, _flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    # The superuser may read everything, so no mode can show it.
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PermissionError, match=r"a\.py"):
        target.read()


def test_a_folder_that_may_not_be_read_is_an_error_that_names_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _put(folder / "shut" / "a.py", "x")
    _put(folder / "b.py", "x")
    real = os.scandir

    def refuse(path: str) -> Iterator[os.DirEntry[str]]:
        if path.rstrip("/").endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = discover(["."])
    assert _paths(found) == ["b.py"]
    assert _messages(found) == ["shut/: could not be read (Permission denied); repair that or exclude it"]


def test_a_file_whose_size_lies_is_read_to_its_end(folder: Path) -> None:
    _put(folder / "a.py", "x" * 200_000)
    (target,) = discover(["."]).targets
    assert target.read() == b"x" * 200_000
    assert Target("a.py", target.location, "a.py", 3).read() == b"x" * 200_000
    assert Target("a.py", target.location, "a.py", 10**6).read() == b"x" * 200_000
    if Path("/proc/self/status").exists():
        (status,) = discover(["/proc/self/status"]).targets
        assert status.size == 0
        assert b"Name:" in status.read()


# --- the index ------------------------------------------------------------------------------------------------


def test_staged_reads_the_index_and_not_the_disk(repo: Path, commit: Callable[..., str]) -> None:
    commit(a_dot_py="old", gone_dot_py="x", same_dot_py="same", moved_dot_py="one\ntwo\nthree\n")
    _put(repo / "a.py", "staged")
    _git(repo, "add", "a.py")
    _put(repo / "a.py", "on disk")
    _put(repo / "same.py", "not staged")
    _put(repo / "untracked.py", "x")
    _put(repo / "new.py", "new")
    _git(repo, "add", "new.py")
    (repo / "new.py").unlink()
    _git(repo, "rm", "-q", "gone.py")
    _git(repo, "mv", "moved.py", "renamed.py")
    found = staged_targets()
    assert _paths(found) == ["a.py", "new.py", "renamed.py"]
    contents = [b"staged", b"new", b"one\ntwo\nthree\n"]
    assert [target.read() for target in filled(found.targets)] == contents
    assert [target.read() for target in found.targets] == contents
    assert [target.size for target in found.targets] == [len(content) for content in contents]
    assert not any(target.added for target in found.targets)


def test_staged_works_before_the_first_commit(repo: Path) -> None:
    _put(repo / "a.py", "x")
    _git(repo, "add", "a.py")
    assert _paths(staged_targets()) == ["a.py"]


def test_staged_keeps_to_the_paths_given(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(repo, a_dot_py="1", sub__b_dot_py="2", node_modules__c_dot_js="3")
    _git(repo, "add", "-A")
    assert _paths(staged_targets()) == ["a.py", "sub/b.py"]
    assert _paths(staged_targets(["sub", "node_modules/c.js"])) == ["node_modules/c.js", "sub/b.py"]
    assert _paths(staged_targets(["sub/b.py", "node_modules/c.js"], force_exclude=True)) == ["sub/b.py"]
    monkeypatch.chdir(repo / "sub")
    assert _paths(staged_targets()) == ["b.py"]
    assert _paths(staged_targets([".."])) == ["../a.py", "b.py"]


def test_staged_takes_the_index_a_commit_is_made_from(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(repo, a_dot_py="1", b_dot_py="2")
    _git(repo, "add", "a.py")
    monkeypatch.setenv("GIT_INDEX_FILE", str(repo / ".git" / "other-index"))
    _git(repo, "add", "b.py")
    assert _paths(staged_targets()) == ["b.py"]


@posix
def test_staged_links_and_submodules_have_no_content(repo: Path, commit: Callable[..., str]) -> None:
    commit(a_dot_py="1")
    (repo / "link.py").symlink_to("a.py")
    _git(repo, "update-index", "--add", "--cacheinfo", f"160000,{_git(repo, 'rev-parse', 'HEAD')},sub")
    _git(repo, "add", "link.py")
    assert staged_targets() == Discovery(())


def test_staged_outside_git_is_a_usage_error(folder: Path) -> None:
    assert folder.exists()
    with pytest.raises(UsageError, match=r"--staged: \.: not in a git work tree"):
        staged_targets()


# --- a range of commits ---------------------------------------------------------------------------------------


def _added(found: Discovery) -> list[tuple[str, bytes, tuple[tuple[int, int], ...] | None]]:
    return [(target.path, target.read(), target.added) for target in filled(found.targets)]


def test_a_range_gives_what_each_commit_adds_even_if_it_is_taken_away_again(
    repo: Path, commit: Callable[..., str]
) -> None:
    commit(a_dot_py="1\n2\n3\n", old_dot_py="x\n")
    second = commit(a_dot_py="1\nkey\n2\n3\nlast\nline")
    commit(a_dot_py="1\n2\n3\n")
    commit(a_dot_py=None, sub__b_dot_py="0\n1\n2\n3\n")
    found = range_targets("HEAD~3..HEAD")
    assert _added(found) == [
        ("a.py", b"1\nkey\n2\n3\nlast\nline", ((2, 2), (5, 6))),
        ("sub/b.py", b"0\n1\n2\n3\n", ((1, 1),)),  # renamed: only the new line is added
    ]
    assert found.targets[0].commit == second
    assert repo.exists()


def test_a_merge_adds_only_what_no_parent_has(repo: Path, commit: Callable[..., str]) -> None:
    commit(a_dot_py="1\n2\n3\n")
    _git(repo, "checkout", "-q", "-b", "work")
    commit(a_dot_py="work\n1\n2\n3\n")
    _git(repo, "checkout", "-q", "main")
    commit(a_dot_py="1\n2\n3\nmain\n", other_dot_py="main\n")
    _git(repo, "checkout", "-q", "work")
    _git(repo, "merge", "-q", "--no-commit", "main")
    merged = commit(a_dot_py="work\n1\nmerge\n2\n3\nmain\n")
    found = range_targets("main..work")
    assert _added(found) == [
        ("a.py", b"work\n1\n2\n3\n", ((1, 1),)),
        ("a.py", b"work\n1\nmerge\n2\n3\nmain\n", ((3, 3),)),
    ]
    assert found.targets[1].commit == merged


def test_a_range_from_the_root_adds_everything(repo: Path, commit: Callable[..., str]) -> None:
    _git(repo, "config", "log.showRoot", "false")
    commit(a_dot_py="1\n2")
    zeros = "0" * 40
    assert _added(range_targets(f"{zeros}..HEAD")) == [("a.py", b"1\n2", ((1, 2),))]
    assert range_targets(f"HEAD..{zeros}") == Discovery(())
    assert range_targets("HEAD..HEAD") == Discovery(())
    assert range_targets("HEAD..") == Discovery(())


def test_three_dots_mean_what_the_second_side_adds(repo: Path, commit: Callable[..., str]) -> None:
    commit(a_dot_py="1\n")
    _git(repo, "checkout", "-q", "-b", "work")
    commit(b_dot_py="2\n")
    _git(repo, "checkout", "-q", "main")
    commit(c_dot_py="3\n")
    assert _paths(range_targets("main...work")) == ["b.py"]


@pytest.mark.parametrize("commits", ["HEAD", "--output=x..y", "a..--all", "nope..HEAD", "HEAD..nope", "", "..x y"])
def test_a_range_that_is_none_is_a_usage_error(commits: str, commit: Callable[..., str], repo: Path) -> None:
    commit(a_dot_py="1")
    with pytest.raises(UsageError, match=r"--range .*A\.\.B"):
        range_targets(commits)
    assert not (repo / "x..y").exists()


def test_a_patch_that_looks_like_a_patch_is_only_content(repo: Path, commit: Callable[..., str]) -> None:
    commit(a_dot_txt="x\n")
    body = "@@ -1 +1 @@\ndiff --git a/z b/z\n" + "0" * 40 + "\n+++ b/evil\n\\ No newline\n-- \n++ b/evil\n"
    commit(a_dot_txt="x\n" + body, b_dot_txt="1")
    commit(a_dot_txt="y\n")
    assert [(path, added) for path, _, added in _added(range_targets("HEAD~2..HEAD"))] == [
        ("a.txt", ((2, 8),)),
        ("a.txt", ((1, 1),)),
        ("b.txt", ((1, 1),)),
    ]
    assert repo.exists()


def test_wide_text_long_lines_and_files_marked_binary_keep_their_lines(repo: Path, commit: Callable[..., str]) -> None:
    commit(_dot_gitattributes="*.json -diff\n", a_dot_json="1\n", w_dot_txt="")
    _put(repo / "w.txt", "a\nkey\n".encode("utf-16"))
    _put(repo / "long.txt", "x" * 200_000 + "\nkey\n")
    commit(a_dot_json="1\nkey\n")
    found = {path: added for path, _, added in _added(range_targets("HEAD~1..HEAD"))}
    assert found["a.json"] == ((2, 2),)
    assert found["long.txt"] == ((1, 2),)
    assert found["w.txt"] is not None


@posix
def test_a_range_leaves_out_links_submodules_and_excluded_folders(repo: Path, commit: Callable[..., str]) -> None:
    commit(a_dot_py="1")
    (repo / "link.py").symlink_to("a.py")
    _git(repo, "update-index", "--add", "--cacheinfo", f"160000,{_git(repo, 'rev-parse', 'HEAD')},sub")
    _put(repo / "node_modules" / "x.js", "1")
    _put(repo / "b" / "c.py", "1")
    _git(repo, "add", "link.py", "node_modules", "b")
    _git(repo, "commit", "-q", "-m", "x")
    assert _paths(range_targets("HEAD~1..HEAD")) == ["b/c.py"]
    assert _paths(range_targets("HEAD~1..HEAD", ["node_modules"])) == ["node_modules/x.js"]


def test_a_range_is_read_in_a_bare_repository(repo: Path, commit: Callable[..., str], tmp_path: Path) -> None:
    commit(a_dot_py="1\n")
    commit(sub__b_dot_py="2\n")
    _git(repo, "clone", "-q", "--bare", str(repo), str(tmp_path / "store.git"))
    assert _added(range_targets("HEAD~1..HEAD", [str(tmp_path / "store.git")])) == [("sub/b.py", b"2\n", ((1, 1),))]


def test_added_lines_are_spans_of_the_text() -> None:
    target = Target("a", "a", "a", added=((1, 1), (3, 4), (9, 9)))
    text = "one\ntwo\r\nthree\nfour"
    assert target.added_spans(text) == (Span(0, 4), Span(9, 20), Span(20, 20))
    assert Target("a", "a", "a").added_spans(text) is None


# --- what git does with a path --------------------------------------------------------------------------------


def test_git_says_what_it_does_with_a_path(repo: Path, commit: Callable[..., str]) -> None:
    _put(repo / ".gitignore", "ignored*\n")
    commit(tracked_dot_env="1")
    _put(repo / "staged.env", "1")
    _put(repo / ":(top)staged.env", "1")
    _git(repo, "--literal-pathspecs", "add", "staged.env", ":(top)staged.env")
    _put(repo / "tracked.env", "changed")
    _git(repo, "add", "tracked.env")
    wanted = {
        "tracked.env": "tracked",
        "staged.env": "staged",
        ":(top)staged.env": "staged",
        "sub/untracked.env": "untracked",
        ":(top)untracked.env": "untracked",
        "ignored.env": "ignored",
        "../outside.env": "outside",
    }
    wanted = {
        str(repo / name) if ".." not in name else str(repo.parent / "outside.env"): v for name, v in wanted.items()
    }
    assert git_statuses(wanted) == wanted
    state = GitState(wanted)
    assert {location: state.status(location) for location in wanted} == wanted
    assert pickle.loads(pickle.dumps(state)).status(str(repo / "staged.env")) == "staged"  # noqa: S301  # our own bytes
    assert GitState().status(str(repo / "new.env")) == "untracked"


# --- bytes in hand, and large files ---------------------------------------------------------------------------


def test_standard_input_stands_under_its_name(folder: Path) -> None:
    target = stdin_target(b"x = 1\n", "sub/a.py")
    assert (target.path, target.read(), target.size) == ("sub/a.py", b"x = 1\n", 6)
    assert target.location == str(folder / "sub" / "a.py")


def test_a_target_never_shows_what_it_holds() -> None:
    assert "secret" not in repr(stdin_target(b"secret", "a.py"))


def test_windows_overlap_cut_at_line_ends_and_count_on(folder: Path) -> None:
    lines = [f"line {number} é\r\n" for number in range(3_000)]
    data = "".join(lines).encode()
    _put(folder / "a.txt", b"\xef\xbb\xbf" + data)
    (target,) = discover(["."]).targets
    windows = list(target.windows(8_000, 400))
    assert b"".join(window.data[window.own_start : window.own_end] for window in windows) == data
    for window, following in itertools.pairwise(windows):
        assert len(window.data) <= 8_000
        assert window.data.endswith(b"\r\n")
        assert window.data.startswith(f"line {window.first_line - 1} ".encode())
        assert window.first_column == 1
        assert window.offset + len(window.data) - following.offset >= 400
    assert windows[-1].own_end == len(windows[-1].data)


def test_windows_of_one_endless_line_count_columns(folder: Path) -> None:
    _put(folder / "a.txt", ("é" * 50_000).encode())
    (target,) = discover(["."]).targets
    for window in target.windows(9_001, 500):
        text = window.data.decode()  # cut inside no character
        assert window.first_line == 1
        assert window.first_column == window.characters + 1 == window.offset // 2 + 1
        assert set(text) == {"é"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_windows_of_wide_text_are_utf8(folder: Path, encoding: str) -> None:
    text = "key = value\r\n" * 5_000
    _put(folder / "a.txt", text.encode(encoding))
    (target,) = discover(["."]).targets
    windows = list(target.windows(8_000, 400))
    assert b"".join(window.data[window.own_start : window.own_end] for window in windows) == text.encode()
    assert windows[1].data.startswith(b"key = value\r\n")


def test_a_large_blob_is_left_to_its_windows(repo: Path) -> None:
    _put(repo / "large.txt", b"0123456789abcde\n" * (600 << 10))
    _git(repo, "add", "large.txt")
    (target,) = filled(staged_targets().targets)
    assert target.is_large
    assert target.data is None
    first = next(target.windows())
    assert len(first.data) <= 4 << 20
    assert first.data.endswith(b"e\n")


def test_an_object_git_does_not_have_is_an_os_error(repo: Path, commit: Callable[..., str]) -> None:
    commit(a_dot_py="1")
    _put(repo / "b.py", "2")
    _git(repo, "add", "b.py")
    (target,) = staged_targets().targets
    (repo / ".git" / "objects" / str(target.blob)[:2] / str(target.blob)[2:]).unlink()
    (again,) = filled([target])
    with pytest.raises(OSError, match="git has no object"):
        again.read()
