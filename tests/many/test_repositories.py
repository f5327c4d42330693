"""Which repositories an argument stands for: each once, named so that audits can be compared, hostile ones harmless."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from keyguard.discover.git import GitError
from keyguard.errors import UsageError
from keyguard.many.repositories import NoRepository, Repo, opened, repositories_of, state_of
from tests.keys import make
from tests.runs import Tree

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments are relative to the test's own folder."""
    monkeypatch.chdir(tmp_path)


def clone(path: Path, *, bare: bool = False) -> Tree:
    """A repository with one commit."""
    tree = Tree(path)
    if bare:
        tree.git("init", "-q", "--bare", "-b", "main")
    else:
        tree.git("init", "-q", "-b", "main")
        tree.write("a.txt", "text\n")
        tree.commit()
    return tree


def names(*arguments: str) -> list[str]:
    """The names of the repositories."""
    return [repo.name for repo in repositories_of(*arguments)]


def errors(*arguments: str) -> dict[str, str | None]:
    """What is known to be wrong with each repository."""
    return {repo.name: repo.error for repo in repositories_of(*arguments)}


# Nothing to find


def test_an_empty_list_and_an_empty_folder_name_nothing(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("\n# nothing yet\n   \n")
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    assert repositories_of("list.txt", "empty") == ()


def test_what_lies_inside_a_repository_is_left_alone(tmp_path: Path) -> None:
    clone(tmp_path / "all" / "app")
    clone(tmp_path / "all" / "app" / "vendor" / "inner")
    assert names("all") == ["app"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    clone(tmp_path / "elsewhere")
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "all" / "loop").symlink_to(tmp_path / "all")
    assert repositories_of("all") == ()


def test_a_store_that_leads_out_of_the_searched_folder_is_told_and_not_read(tmp_path: Path) -> None:
    outside = clone(tmp_path / "elsewhere")
    outside.git("worktree", "add", "-q", str(tmp_path / "all" / "tree"), "-b", "other")
    (tmp_path / "all" / "linked").mkdir()
    (tmp_path / "all" / "linked" / ".git").symlink_to(tmp_path / "elsewhere" / ".git")
    told = "its .git leads out of the folder that was searched: name the repository in a list to audit it"
    assert errors("all") == {"linked": told, "tree": told}
    # Who names it means it.
    (tmp_path / "list.txt").write_text("all/tree\n")
    assert errors("list.txt") == {"all/tree": None}


# Lists


def test_a_list_is_relative_to_its_own_folder(tmp_path: Path) -> None:
    clone(tmp_path / "src" / "app")
    (tmp_path / "src" / "list.txt").write_text("# ours\napp\n")
    assert repositories_of("src/list.txt") == (Repo("app", "app", str(tmp_path / "src" / "app")),)


@pytest.mark.parametrize("text", ["\ufeffapp\r\n# no\r\nweb.git\r\n", "  app  \n\n\tweb.git", "app/\nweb.git/\napp\n"])
def test_a_list_may_be_written_in_any_editor(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.txt").write_text(text, encoding="utf-8", newline="")
    assert names("list.txt") == ["app", "web"]


def test_a_path_that_is_no_repository_is_kept_for_the_report(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "list.txt").write_text("folder\ngone\nfile\n")
    told = {}
    for repo in repositories_of("list.txt"):
        with pytest.raises(NoRepository) as raised:
            opened(repo)
        told[repo.name] = str(raised.value)
    assert told == {
        "folder": "this is no git repository",
        "gone": "there is no such folder",
        "file": "this is no git repository",
    }


def test_a_folder_inside_a_repository_is_none_itself(tmp_path: Path) -> None:
    clone(tmp_path / "app")
    (tmp_path / "app" / "inner").mkdir()
    (tmp_path / "list.txt").write_text("app/inner\n")
    with pytest.raises(NoRepository, match="no git repository"):
        opened(repositories_of("list.txt")[0])


@pytest.mark.parametrize("url", ["https://example.org/team/app.git", "git@example.org:team/app.git", "file:///srv/app"])
def test_a_url_is_told_to_be_cloned_first(tmp_path: Path, url: str) -> None:
    (tmp_path / "list.txt").write_text(f"{url}\n")
    assert list(errors("list.txt").values()) == [
        "this is a URL: clone it with `git clone --mirror`, and list the folder"
    ]


@pytest.mark.parametrize("user", ["x-access-token:{}@", "{}@", "a:{}@b@"])
def test_a_token_in_a_url_is_shown_nowhere(tmp_path: Path, user: str) -> None:
    token = make("gitlab-token")
    (tmp_path / "list.txt").write_text(f"https://{user.format(token)}example.org/team/app.git\n")
    repos = repositories_of("list.txt")
    assert [(repo.name, repo.path) for repo in repos] == [
        ("https://…@example.org/team/app", "https://…@example.org/team/app.git")
    ]
    assert token not in repr(repos)


@pytest.mark.parametrize("argument", ["gone.txt", "nul\0name"])
def test_an_argument_that_is_not_there_is_wrong_usage(argument: str) -> None:
    with pytest.raises(UsageError, match=r"^--repos: .*name a list of paths, a folder of clones or a repository"):
        repositories_of(argument)


def test_a_list_that_is_no_text_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "audit.sqlite").write_bytes(b"SQLite format 3\0")
    with pytest.raises(UsageError, match=r"audit\.sqlite: a list holds one path a line"):
        repositories_of("audit.sqlite")


# Folders


def test_a_folder_of_clones_and_mirrors_is_looked_through_in_order(tmp_path: Path) -> None:
    for name in ("web", "app", "team/one"):
        clone(tmp_path / "all" / name)
    clone(tmp_path / "all" / "team" / "mirror.git", bare=True)
    repos = repositories_of("all")
    assert [repo.name for repo in repos] == ["app", "web", "team/mirror", "team/one"]
    assert [repo.path for repo in repos] == ["all/app", "all/web", "all/team/mirror.git", "all/team/one"]
    assert all(os.path.isabs(repo.location) and opened(repo) for repo in repos)  # noqa: PTH117  # a str


def test_a_repository_may_be_named_itself(tmp_path: Path) -> None:
    clone(tmp_path / "app")
    clone(tmp_path / "mirror.git", bare=True)
    assert names("app", "mirror.git", "app/.git") == ["app", "mirror", ".git"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="nothing is unreadable for root")
def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "all" / "locked").mkdir(parents=True, mode=0o000)
    assert errors("all") == {"locked": "this folder could not be read"}


# Names


def test_names_are_unique_and_repositories_come_once(tmp_path: Path) -> None:
    clone(tmp_path / "app")
    clone(tmp_path / "app.git", bare=True)
    (tmp_path / "list.txt").write_text("app\napp.git\n./app\n" + str(tmp_path / "app") + "\n")
    assert names("list.txt", "app") == ["app", "app.git"]


def test_two_folders_may_hold_a_repository_of_the_same_name(tmp_path: Path) -> None:
    clone(tmp_path / "one" / "app")
    clone(tmp_path / "two" / "app")
    clone(tmp_path / "three" / "app")
    assert names("one", "two", "three") == ["app", "app (2)", "app (3)"]


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems refuse such names")
def test_hostile_names_are_found_and_shown_harmless(tmp_path: Path) -> None:
    hostile = ["--upload-pack=touch x", "-c", "a\nb", "\x1b[31mred", "\u202eabc", os.fsdecode(b"caf\xe9"), "$(touch x)"]
    for name in hostile:
        clone(tmp_path / "all" / name)
    repos = repositories_of("all")
    assert {repo.path for repo in repos} == {os.path.join("all", name) for name in hostile}  # noqa: PTH118  # a str
    assert {repo.name for repo in repos} == {
        "--upload-pack=touch x",
        "-c",
        "a\\nb",
        "\\x1b[31mred",
        "\\u202eabc",
        "caf\\udce9",
        "$(touch x)",
    }
    assert len({state_of(opened(repo)) for repo in repos}) == len(hostile)
    assert not list(tmp_path.rglob("x"))


# What a repository holds now


def digest(tree: Tree, stamp: str = "") -> str:
    """The state of a repository."""
    return state_of(opened(Repo("x", "x", str(tree.root))), stamp)


def test_nothing_new_is_the_same_state(tmp_path: Path) -> None:
    tree = clone(tmp_path / "app")
    before = digest(tree)
    tree.git("gc", "-q")
    tree.git("status")
    assert digest(tree) == before


def test_whatever_an_audit_would_read_changes_the_state(tmp_path: Path) -> None:
    tree = clone(tmp_path / "app")
    seen = [digest(tree), digest(tree, "other rules")]
    tree.write("b.txt", "untracked\n")
    seen.append(digest(tree))
    tree.commit()
    seen.append(digest(tree))
    tree.git("branch", "other")
    seen.append(digest(tree))
    tree.git("tag", "-a", "v1", "-m", "a message")
    seen.append(digest(tree))
    tree.git("switch", "-q", "other")
    seen.append(digest(tree))
    tree.write("a.txt", "changed and stashed\n")
    tree.git("stash")
    seen.append(digest(tree))
    tree.git("reset", "-q", "--hard", "HEAD~1")
    tree.git("reset", "-q", "--hard", "HEAD@{1}")  # the reflog alone tells
    seen.append(digest(tree))
    assert len(set(seen)) == len(seen)


def test_a_repository_without_commits_and_a_bare_one_have_a_state(tmp_path: Path) -> None:
    empty = Tree(tmp_path / "empty")
    empty.git("init", "-q", "-b", "main")
    before = digest(empty)
    empty.git("symbolic-ref", "HEAD", "refs/heads/other")
    assert digest(empty) != before
    bare = clone(tmp_path / "bare.git", bare=True)
    assert digest(bare) == digest(bare)


def test_a_state_runs_nothing_of_the_repository(tmp_path: Path) -> None:
    tree = clone(tmp_path / "app")
    mark = tmp_path / "ran"
    for setting in ("core.fsmonitor", "filter.x.clean", "filter.x.process", "core.pager", "diff.external"):
        tree.git("config", setting, f"touch {mark};")
    tree.write(".gitattributes", "* filter=x\n")
    os.utime(tree.root / "a.txt", (1, 1))
    digest(tree)
    assert not mark.exists()


def test_a_damaged_repository_is_gits_error(tmp_path: Path) -> None:
    tree = clone(tmp_path / "app")
    shutil.rmtree(tree.root / ".git" / "objects")
    with pytest.raises(GitError):
        digest(tree)
