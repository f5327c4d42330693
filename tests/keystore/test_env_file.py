"""The env file as a store: who may read it, what git makes of it, and what else in the project changes."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from keyguard.keystore import StoreError, open_store
from keyguard.keystore.env_file import EnvFile, icacls
from keyguard.model import Move, Secret
from keyguard.settings import Settings, Storing
from tests.house import environment, git
from tests.keys import fill
from tests.keystore.readers import by_bash, by_dotenv

if TYPE_CHECKING:
    from pathlib import Path

NAME = "OPENAI_API_KEY"
KEY = fill("<openai-key>")
OTHER = fill("<anthropic-key>")


def move(name: str = NAME, value: str = KEY) -> Move:
    """A key on its way."""
    return Move(name, Secret(value, "openai"))


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is no git tree."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def project(plain: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is a git tree, seen with no settings of the user's."""
    env = environment(plain.parent / "home")
    for name in ("HOME", "XDG_CACHE_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.setenv(name, env[name])
    in_git(plain, "init", "-q")
    return plain


def in_git(folder: Path, *arguments: str) -> str:
    """Run git as the user does."""
    return git(*arguments, cwd=folder, env=dict(os.environ))


def store_of(folder: Path, file: str | None = None) -> EnvFile:
    """The store of a project."""
    return EnvFile.of(str(folder / file) if file else None, str(folder))


def mode_of(path: Path) -> int:
    """The permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def would_add(folder: Path) -> str:
    """What `git add .` would take."""
    return in_git(folder, "add", "--dry-run", ".")


def refused(folder: Path, *moves: Move, file: str | None = None) -> str:
    """The error of a key that is not stored; nothing holds it then."""
    with pytest.raises(StoreError) as caught:
        store_of(folder, file).put(moves or [move()])
    text = str(caught.value)
    assert KEY not in text
    assert caught.value.__cause__ is None
    holders = [path for path in folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert holders == []
    return text


# What is written.


def test_a_key_is_stored_for_its_owner_alone_and_git_ignores_it(project: Path) -> None:
    receipt = store_of(project).put([move()])
    assert (receipt.place, receipt.written, receipt.kept) == (".env", (NAME,), ())
    assert (project / ".env").read_text() == f"{NAME}={KEY}\n"
    assert mode_of(project / ".env") == 0o600
    assert (project / ".gitignore").read_text() == ".env\n"
    assert "\n.env\n" in (project / ".git/info/exclude").read_text()
    assert (project / ".env.example").read_text() == f"{NAME}=\n"
    changed = [".env", ".git/info/exclude", ".gitignore", ".env.example"]
    assert receipt.files == tuple(str(project / name) for name in changed)
    assert ".env'" not in would_add(project)
    assert by_bash(project / ".env", [NAME]) == [KEY]


def test_a_second_time_changes_nothing(project: Path) -> None:
    store_of(project).put([move()])
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    receipt = store_of(project).put([move()])
    assert receipt == (".env", (), (NAME,), (str(project / ".env"),))
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_a_file_that_is_there_keeps_its_lines_and_loses_its_readers(project: Path) -> None:
    (project / ".env").write_bytes(b"# mine \xff\r\nDEBUG=1")
    (project / ".env").chmod(0o644)
    store_of(project).put([move()])
    assert (project / ".env").read_bytes() == b"# mine \xff\r\nDEBUG=1\n" + f"{NAME}={KEY}\n".encode()
    assert mode_of(project / ".env") == 0o600


def test_a_file_that_holds_the_key_already_loses_its_readers_too(project: Path) -> None:
    (project / ".env").write_text(f"{NAME}='{KEY}'\n")
    (project / ".env").chmod(0o644)
    receipt = store_of(project).put([move()])
    assert (receipt.written, receipt.kept) == ((), (NAME,))
    assert mode_of(project / ".env") == 0o600
    assert str(project / ".env") in receipt.files
    assert ".env'" not in would_add(project)


def test_several_keys_are_stored_at_once(project: Path) -> None:
    moves = [move(), move("ANTHROPIC_API_KEY", OTHER), move()]
    assert store_of(project).put(moves).written == (NAME, "ANTHROPIC_API_KEY")
    assert by_dotenv((project / ".env").read_text()) == {NAME: KEY, "ANTHROPIC_API_KEY": OTHER}


def test_nothing_to_store_touches_nothing(project: Path) -> None:
    before = in_git(project, "status", "--porcelain", "--ignored")
    assert store_of(project).put([]) == (".env", (), (), ())
    assert in_git(project, "status", "--porcelain", "--ignored") == before


def test_what_is_stored_can_be_asked_for(project: Path) -> None:
    store = store_of(project)
    assert (store.lookup(NAME), store.name_of(KEY)) == (None, None)
    store.put([move()])
    assert (store.lookup(NAME), store.name_of(KEY), store.name_of(OTHER)) == (KEY, NAME, None)


def test_the_last_of_several_lines_counts(project: Path) -> None:
    (project / ".env").write_text(f"{NAME}={OTHER}\nA={KEY}\n{NAME}={KEY}\n")
    assert store_of(project).lookup(NAME) == KEY
    assert store_of(project).put([move()]).kept == (NAME,)


def test_a_stand_in_makes_way(project: Path) -> None:
    (project / ".env").write_text(f"{NAME}=your-api-key-here\n")
    store_of(project).put([move()])
    assert (project / ".env").read_text() == f"{NAME}=your-api-key-here\n{NAME}={KEY}\n"


# What is refused, with nothing written.


@pytest.mark.parametrize("held", [OTHER, "EMPTY", "test"])
def test_another_value_is_never_overwritten(project: Path, held: str) -> None:
    (project / ".env").write_text(f"{NAME}={held}\n")
    text = refused(project)
    assert ".env holds another value under OPENAI_API_KEY already" in text
    assert OTHER not in text
    assert not (project / ".gitignore").exists()


def test_two_keys_never_share_a_name(project: Path) -> None:
    assert "two different keys want the name" in refused(project, move(), move(NAME, OTHER))


def test_a_name_that_no_variable_can_have_is_told(project: Path) -> None:
    assert '"302AI_API_KEY" is no name of a variable' in refused(project, move("302AI_API_KEY"))


@pytest.mark.parametrize("staged", [True, False], ids=["staged", "committed"])
def test_a_file_that_git_tracks_is_told(project: Path, *, staged: bool) -> None:
    (project / ".env").write_text("A=1\n")
    in_git(project, "add", ".env")
    if not staged:
        in_git(project, "commit", "-qm", "start")
    assert "git rm --cached -- .env" in refused(project)
    assert (project / ".env").read_text() == "A=1\n"


def test_a_file_in_the_users_index_counts_when_a_hook_has_its_own(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_git(project, "commit", "-q", "--allow-empty", "-m", "start")
    (project / ".env").write_text("A=1\n")
    in_git(project, "add", ".env")
    monkeypatch.setenv("GIT_INDEX_FILE", str(project / ".git" / "next-index"))
    in_git(project, "read-tree", "HEAD")
    assert "git rm --cached -- .env" in refused(project)


@pytest.mark.parametrize("lines", ["!.env\n", ".env\n!/.env\n", "*\n!.*\n"])
def test_a_pattern_that_lets_the_file_through_is_named(project: Path, lines: str) -> None:
    (project / ".gitignore").write_text(lines)
    text = refused(project)
    assert f".gitignore:{lines.count(chr(10))}:" in text
    assert (project / ".gitignore").read_text() == lines


def test_an_ignore_file_that_git_cannot_read_is_told(project: Path) -> None:
    (project / ".gitignore").write_bytes("*.log\n".encode("utf-16"))
    assert "UTF-16" in refused(project)


def test_a_file_that_nothing_could_read_is_told(project: Path) -> None:
    (project / ".env").write_bytes("A=1\n".encode("utf-16"))
    assert "save it as UTF-8" in refused(project)


@pytest.mark.parametrize(
    "sealed", ["$ANSIBLE_VAULT;1.1;AES256\n616263\n", "A=ENC[AES256_GCM,data:x]\nsops_mac=ENC[x]\n"]
)
def test_a_file_that_is_encrypted_as_a_whole_is_told(project: Path, sealed: str) -> None:
    (project / ".env").write_text(sealed)
    assert "encrypted" in refused(project)


def test_a_broken_repository_is_told(plain: Path) -> None:
    (plain / ".git").mkdir()
    assert "git cannot say" in refused(plain)


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_is_told_and_never_waited_for(project: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(project / ".env")
    else:
        (project / ".env").mkdir()
    with pytest.raises(StoreError):
        store_of(project).put([move()])
    assert store_of(project).name_of(KEY) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_keeps_its_owner(project: Path) -> None:
    (project / ".env").write_text("A=1\n")
    os.chown(project / ".env", 1234, 1235)
    store_of(project).put([move()])
    status = (project / ".env").stat()
    assert (status.st_uid, status.st_gid, mode_of(project / ".env")) == (1234, 1235, 0o600)


def test_a_file_of_another_user_is_not_taken_away_from_them(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".env").write_text("A=1\n")
    monkeypatch.setattr(os, "geteuid", lambda: (project / ".env").stat().st_uid + 1)
    assert "belongs to another user" in refused(project)


# Links.


def test_a_link_inside_the_project_leads_to_the_file_that_is_changed_and_ignored(project: Path) -> None:
    (project / "config").mkdir()
    (project / "config" / "dev.env").write_text("A=1\n")
    (project / ".env").symlink_to("config/dev.env")
    receipt = store_of(project).put([move()])
    assert (project / ".env").is_symlink()
    assert (project / "config" / "dev.env").read_text() == f"A=1\n{NAME}={KEY}\n"
    assert receipt.files[0] == str(project / ".env")
    assert (project / ".gitignore").read_text() == "/config/dev.env\n"
    assert "dev.env'" not in would_add(project)


@pytest.mark.parametrize("target", ["../outside.env", "/tmp/../etc/keyguard-no-such.env"])  # noqa: S108  # never made
def test_a_link_out_of_the_project_is_not_followed(project: Path, target: str) -> None:
    (project.parent / "outside.env").write_text("A=1\n")
    (project / ".env").symlink_to(target)
    assert "leads out of the project" in refused(project)
    assert (project.parent / "outside.env").read_text() == "A=1\n"


def test_a_file_outside_the_project_is_not_written(project: Path) -> None:
    assert "leads out of the project" in refused(project, file="../outside.env")
    assert not (project.parent / "outside.env").exists()


def test_a_folder_that_is_a_link_out_of_the_project_is_not_followed(project: Path) -> None:
    (project.parent / "elsewhere").mkdir()
    (project / "config").symlink_to("../elsewhere")
    assert "leads out of the project" in refused(project, file="config/.env")
    assert list((project.parent / "elsewhere").iterdir()) == []


# Where the file stands, and where git is told.


def test_without_git_the_folder_is_ready_for_it(plain: Path) -> None:
    receipt = store_of(plain).put([move()])
    assert (plain / ".gitignore").read_text() == ".env\n"
    assert receipt.files == tuple(str(plain / name) for name in (".env", ".gitignore", ".env.example"))


def test_a_folder_on_the_way_is_made(project: Path) -> None:
    store_of(project, "config/dev/.env").put([move()])
    assert (project / "config/dev/.env").read_text() == f"{NAME}={KEY}\n"
    assert (project / ".gitignore").read_text() == "/config/dev/.env\n"
    assert "/.env'" not in would_add(project)


def test_the_nearest_ignore_file_gets_the_line_in_its_own_way(project: Path) -> None:
    (project / "app" / "web").mkdir(parents=True)
    (project / "app" / ".gitignore").write_bytes(b"*.log\r\n*.tmp")
    store_of(project, "app/web/.env").put([move()])
    assert (project / "app" / ".gitignore").read_bytes() == b"*.log\r\n*.tmp\r\n/web/.env\r\n"
    assert not (project / ".gitignore").exists()


@pytest.mark.parametrize("line", [".env", "*.env", ".*", "/.env*"])
def test_an_ignore_file_that_takes_the_file_already_stays(project: Path, line: str) -> None:
    (project / ".gitignore").write_text(line + "\n")
    store_of(project).put([move()])
    assert (project / ".gitignore").read_text() == line + "\n"
    assert "\n.env\n" in (project / ".git/info/exclude").read_text()


def test_the_users_own_ignore_file_is_not_that_of_the_project(project: Path) -> None:
    own = project.parent / "home" / ".gitignore"
    own.write_text(".env\n")
    in_git(project, "config", "core.excludesFile", str(own))
    store_of(project).put([move()])
    assert (project / ".gitignore").read_text() == ".env\n"
    assert own.read_text() == ".env\n"


def test_an_ignore_file_that_is_a_link_is_not_written_through(project: Path) -> None:
    (project / "shared").write_text("*.log\n")
    (project / ".gitignore").symlink_to("shared")
    store_of(project).put([move()])
    assert (project / "shared").read_text() == "*.log\n"
    assert ".env'" not in would_add(project)


def test_a_linked_work_tree_and_a_missing_folder_of_gits_are_no_problem(project: Path) -> None:
    in_git(project, "commit", "-q", "--allow-empty", "-m", "start")
    (project / ".git/info/exclude").unlink()
    (project / ".git/info").rmdir()
    other = project.parent / "other"
    in_git(project, "worktree", "add", "-q", str(other))
    EnvFile.of(None, str(other)).put([move()])
    assert (project / ".git/info/exclude").read_text() == ".env\n.keyguard-*.tmp\n"
    assert ".env'" not in would_add(other)


def test_a_submodule_ignores_its_own_file(project: Path) -> None:
    in_git(project, "init", "-q", "part")
    in_git(project / "part", "commit", "-q", "--allow-empty", "-m", "start")
    store_of(project, "part/.env").put([move()])
    assert (project / "part" / ".gitignore").read_text() == ".env\n"
    assert ".env'" not in would_add(project / "part")
    assert not (project / ".gitignore").exists()


@pytest.mark.parametrize("folder", ["a[b]*?", "b\\c", "#d", "!e", "two words ", "données", "-n"])
def test_any_name_of_a_folder_can_be_ignored(project: Path, folder: str) -> None:
    store_of(project, f"{folder}/.env").put([move()])
    assert "/.env'" not in would_add(project)


def test_git_by_variables_is_asked_as_such(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".git").rename(project.parent / "elsewhere.git")
    monkeypatch.setenv("GIT_DIR", str(project.parent / "elsewhere.git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(project))
    store_of(project).put([move()])
    assert "\n.env\n" in (project.parent / "elsewhere.git/info/exclude").read_text()
    assert ".env'" not in would_add(project)


# The file to copy from.


@pytest.mark.parametrize("name", [".env.sample", ".env.template", "example.env"])
def test_a_template_of_another_name_gets_the_names(project: Path, name: str) -> None:
    (project / name).write_bytes(b"\xef\xbb\xbf# copy me\r\nA=\r\n#  ANTHROPIC_API_KEY=\r\nB=")
    store_of(project).put([move(), move("ANTHROPIC_API_KEY", OTHER)])
    end = f"B=\r\n{NAME}=\r\n".encode()
    assert (project / name).read_bytes() == b"\xef\xbb\xbf# copy me\r\nA=\r\n#  ANTHROPIC_API_KEY=\r\n" + end
    assert not (project / ".env.example").exists()


def test_a_template_of_the_file_itself_comes_first(project: Path) -> None:
    (project / ".env.example").touch()
    (project / ".env.local.example").touch()
    store_of(project, ".env.local").put([move()])
    assert (project / ".env.local.example").read_text() == f"{NAME}=\n"
    assert (project / ".env.example").read_text() == ""


def test_a_template_that_cannot_be_written_fails_nothing(project: Path) -> None:
    (project / ".env.example").symlink_to("../outside")
    assert store_of(project).put([move()]).written == (NAME,)
    assert not (project.parent / "outside").exists()


# What others do meanwhile.


def test_what_another_program_writes_meanwhile_is_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keyguard.keystore.rewriting as module  # noqa: PLC0415  # to come between

    (project / ".env").write_text("A=1\n")
    real, left = module.write_atomically, [3]

    def disturbed(path: str, data: bytes, **options: object) -> None:
        if path.endswith(".env") and left[0]:
            left[0] -= 1
            with (project / ".env").open("a") as stream:
                stream.write(f"B{left[0]}=2\n")
        real(path, data, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "write_atomically", disturbed)
    store_of(project).put([move()])
    assert (project / ".env").read_text() == f"A=1\nB2=2\nB1=2\nB0=2\n{NAME}={KEY}\n"


def test_a_key_that_another_process_stores_meanwhile_is_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keyguard.keystore.rewriting as module  # noqa: PLC0415  # to come between

    real = module.write_atomically

    def disturbed(path: str, data: bytes, **options: object) -> None:
        if path.endswith(".env") and not (project / ".env").exists():
            (project / ".env").write_text(f"{NAME}={KEY}\n")
        real(path, data, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "write_atomically", disturbed)
    receipt = store_of(project).put([move()])
    assert (receipt.written, receipt.kept) == ((), (NAME,))
    assert (project / ".env").read_text() == f"{NAME}={KEY}\n"


def test_a_file_that_never_rests_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keyguard.keystore.rewriting as module  # noqa: PLC0415  # to come between

    real = module.write_atomically

    def disturbed(path: str, data: bytes, **options: object) -> None:
        if path.endswith(".env"):
            (project / ".env").write_text(f"A={os.urandom(8).hex()}\n")
        real(path, data, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "write_atomically", disturbed)
    monkeypatch.setattr(module, "_PAUSE", 0.0)
    assert "changed by another program again and again" in refused(project)


def test_a_lock_that_is_held_is_waited_for(project: Path) -> None:
    import fcntl  # noqa: PLC0415  # not on Windows

    (project / ".git/info/exclude").write_text(".env\n.keyguard-*.tmp\n")
    holder = os.open(project, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    timer = threading.Timer(0.3, os.close, [holder])
    timer.start()
    store_of(project).put([move()])
    timer.join()
    assert (project / ".env").exists()


def test_a_lock_that_is_never_given_back_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl  # noqa: PLC0415  # not on Windows

    monkeypatch.setattr("keyguard.keystore.rewriting._PATIENCE", 0.1)
    holder = os.open(project, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    try:
        assert "another run of keyguard holds" in refused(project)
    finally:
        os.close(holder)


def test_what_a_killed_writer_left_is_removed_once_it_is_old(project: Path) -> None:
    old, fresh = project / ".keyguard-abc.tmp", project / ".keyguard-def.tmp"
    old.write_text(KEY)
    fresh.write_text("")
    os.utime(old, (1, 1))
    store_of(project).put([move()])
    assert not old.exists()
    assert fresh.exists()
    assert ".tmp'" not in would_add(project)


# Which file it is.


def settings_of(root: Path, **storing: str) -> Settings:
    """Settings with a root."""
    return Settings(root=str(root), storing=Storing(**storing))


def test_the_file_stands_beside_the_settings_file_in_the_tree_that_git_has(project: Path) -> None:
    part = project / "part"
    part.mkdir()
    assert open_store(settings_of(part)) == EnvFile(str(part / ".env"), str(project))


def test_outside_git_the_file_stands_in_the_root_folder(plain: Path) -> None:
    assert open_store(settings_of(plain)) == EnvFile(str(plain / ".env"), str(plain))


def test_the_setting_names_the_file(project: Path) -> None:
    store = open_store(settings_of(project, env_file=str(project / "dev.env")))
    assert store == EnvFile(str(project / "dev.env"), str(project))


def test_the_rights_on_windows_are_one_command() -> None:
    assert icacls(r"C:\x\.env", "me")[1:] == [r"C:\x\.env", "/inheritance:r", "/grant:r", "me:F"]
