"""Whatever happens while a key is stored, the file is old or new, and the key is where only its owner finds it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.house import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the laboratory forks")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that a user without special rights can enter, too: pytest's own is closed."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        yield Path(place)


def experiment(name: str, place: Path, home: Path) -> list[dict[str, Any]]:
    """Run an experiment of the laboratory."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.keystore.crash_lab", name, str(place)],
        cwd=ROOT,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def harmless(state: dict[str, Any], *texts: str) -> bool:
    """Tell whether the file is whole, nobody else can read a key, and git would publish none."""
    return state["text"] in texts and not state["open"] and not state["published"]


def test_a_writer_that_is_killed_leaves_old_or_new_and_the_next_one_ends_it(folder: Path, tmp_path: Path) -> None:
    results = experiment("kill", folder / "project", tmp_path)
    wrong = [
        result
        for result in results
        if not harmless(result["after"], "none" if result["is_new"] else "old", "new")
        or result.get("again", 0) != 0
        or not harmless(result.get("then", result["after"]), "none", "old", "new")
        or ("then" in result and result["then"]["text"] != "new")
    ]
    assert wrong == []
    kills = [result for result in results if result["code"] != 0]
    assert {result["code"] for result in kills} == {-9}
    assert len(kills) > 100
    assert any(result["after"]["left"] for result in kills), "some were killed while their temporary file stood there"
    assert {result["after"]["text"] for result in kills} == {"none", "old", "new"}


def test_where_files_cannot_grow_the_old_stays(folder: Path, tmp_path: Path) -> None:
    for result in experiment("small", folder / "project", tmp_path):
        assert result["code"] == 1, result
        assert harmless(result["after"], "old"), result
        assert result["after"]["left"] == []


def test_on_a_full_disk_the_old_stays(folder: Path, tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k,mode=755", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk; RLIMIT_FSIZE stands in for it above")
    try:
        (result,) = experiment("full", folder, tmp_path)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert result["code"] == 1
    assert harmless(result["after"], "old")
    assert result["after"]["left"] == []


def test_what_may_only_be_read_stays(folder: Path, tmp_path: Path) -> None:
    for result in experiment("read-only", folder / "project", tmp_path):
        assert result["code"] == 1, result
        assert harmless(result["after"], "old"), result
        assert result["after"]["left"] == []


def test_of_many_writers_at_once_none_loses_a_line(folder: Path, tmp_path: Path) -> None:
    for result in experiment("crowd", folder / "project", tmp_path):
        assert result["codes"] == [0] * 8
        assert [line.partition("=")[0] for line in result["lines"]] == [f"KEY_{number}" for number in range(8)]
        assert result["ignore"].count(".env\n") == 1
