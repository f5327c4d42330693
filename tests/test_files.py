"""A file is written as a whole or not at all, whatever goes wrong, and only over what was read."""

from __future__ import annotations

import os
import signal
import stat
from typing import TYPE_CHECKING

import pytest

from keyguard.files import ChangedMeanwhile, write_atomically
from tests.faults import meet

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

OLD, NEW = b"old\r\n" * 3, b"new\n" * 50_000

as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that only its owner may write."""
    path = tmp_path / "code" / "app.py"
    path.parent.mkdir()
    path.write_bytes(OLD)
    path.chmod(0o640)
    return path


def alone(path: Path) -> bool:
    """Tell whether nothing was left beside it."""
    return list(path.parent.iterdir()) == [path]


def test_the_bytes_are_replaced_and_the_mode_stays(file: Path) -> None:
    write_atomically(str(file), NEW, expect=OLD)
    assert file.read_bytes() == NEW
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert alone(file)


def test_a_mode_that_was_asked_for_is_given(file: Path) -> None:
    write_atomically(str(file), NEW, mode=0o600)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_new_file_is_made_as_others_are(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    write_atomically(str(tmp_path / "new"), NEW)
    assert (tmp_path / "new").read_bytes() == NEW
    assert (tmp_path / "new").stat().st_mode == other.stat().st_mode


@pytest.mark.parametrize("held", [b"", b"old\r\n" * 2, None], ids=["emptied", "cut", "gone"])
def test_what_changed_meanwhile_is_left_alone(file: Path, held: bytes | None) -> None:
    if held is None:
        file.unlink()
    else:
        file.write_bytes(held)
    with pytest.raises(ChangedMeanwhile):
        write_atomically(str(file), NEW, expect=OLD)
    assert (file.read_bytes() if file.exists() else None) == held
    assert [path for path in file.parent.iterdir() if path != file] == []


def test_a_link_stays_a_link_and_what_it_leads_to_changes(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.py"
    link.symlink_to(file)
    write_atomically(str(link), NEW, expect=OLD, root=str(tmp_path))
    assert link.is_symlink()
    assert file.read_bytes() == NEW


def test_a_link_out_of_the_project_is_not_followed(file: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").symlink_to(file)
    with pytest.raises(OSError, match="leads out"):
        write_atomically(str(project / "app.py"), NEW, root=str(project))
    assert file.read_bytes() == OLD


def test_a_file_that_should_be_new_is_made(tmp_path: Path) -> None:
    write_atomically(str(tmp_path / "new"), NEW, fresh=True, mode=0o600)
    assert (tmp_path / "new").read_bytes() == NEW
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    assert (tmp_path / "new").stat().st_nlink == 1
    assert alone(tmp_path / "new")


@pytest.mark.parametrize("links", [True, False], ids=["links", "no-links"])
def test_a_file_that_came_meanwhile_is_left_alone(file: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool) -> None:
    if not links:
        monkeypatch.setattr(os, "link", refused)
    with pytest.raises(ChangedMeanwhile):
        write_atomically(str(file), NEW, fresh=True)
    assert file.read_bytes() == OLD
    assert alone(file)


def test_a_new_file_needs_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", refused)
    write_atomically(str(tmp_path / "new"), NEW, fresh=True)
    assert (tmp_path / "new").read_bytes() == NEW
    assert alone(tmp_path / "new")


def refused(*_: object) -> None:
    """What a file system without hard links answers."""
    raise PermissionError(1, "Operation not permitted")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no regular file"):
        write_atomically(str(tmp_path), NEW)


@as_root
def test_a_file_that_may_only_be_read_stays(file: Path) -> None:
    file.chmod(0o444)
    with pytest.raises(PermissionError):
        write_atomically(str(file), NEW)
    assert file.read_bytes() == OLD
    assert alone(file)


@as_root
def test_a_folder_that_may_only_be_read_stays(file: Path) -> None:
    file.parent.chmod(0o555)
    try:
        with pytest.raises(PermissionError):
            write_atomically(str(file), NEW)
        assert file.read_bytes() == OLD
    finally:
        file.parent.chmod(0o755)


WRITE = """
try:
    write_atomically(sys.argv[4], b"new\\n" * 50_000, expect=b"old\\r\\n" * 3)
except OSError as error:
    sys.exit(error.strerror)
"""
CALLS = ("open", "fsync", "replace", "fchmod", "fchown", "unlink", "close")


def child(file: Path, fault: str, at: int) -> subprocess.CompletedProcess[str]:
    """Write in a process of its own that meets a fault."""
    return meet(WRITE, fault, at, CALLS, str(file), imports="from keyguard.files import write_atomically\n")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("at", range(1, 9))
def test_a_writer_that_is_killed_leaves_the_old_or_the_new(file: Path, at: int, moment: str) -> None:
    done = child(file, moment, at)
    assert done.returncode in {-signal.SIGKILL, 0}, done.stderr
    assert file.read_bytes() in {OLD, NEW}
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    if done.returncode == 0:
        assert (file.read_bytes(), alone(file)) == (NEW, True)


@pytest.mark.parametrize("room", [0, 1, 4096, 199_999])
def test_a_full_disk_leaves_the_old(file: Path, room: int) -> None:
    done = child(file, "full", room)
    assert done.stderr.strip() == "File too large"
    assert file.read_bytes() == OLD
    assert alone(file)
