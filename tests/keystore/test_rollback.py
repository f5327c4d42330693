"""The ignore line outlasts a real pre-commit that takes back what a hook did to tracked files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.house import environment, git, run

if TYPE_CHECKING:
    from pathlib import Path

HOOK = """
import os, sys
from keyguard.keystore.env_file import EnvFile
from keyguard.model import Move, Secret

print(EnvFile.of(None, os.getcwd()).put([Move("OPENAI_API_KEY", Secret("a-value-that-stands-in-for-a-key"))]))
"""


@pytest.mark.parametrize(
    ("committed", "edited", "rolled_back"),
    [
        ("*.log\n", "*.log\n*.bak\n", True),
        ("*.log\n", "*.bak\n*.log\n", False),
        (".env\n", "*.log\n", False),
        (None, None, False),
    ],
    ids=["edit-in-the-way", "edit-elsewhere", "edit-that-drops-the-line", "no-ignore-file"],
)
def test_the_key_stays_out_of_git(
    tmp_path: Path, committed: str | None, edited: str | None, *, rolled_back: bool
) -> None:
    env = environment(tmp_path / "home")
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "hook.py").write_text(HOOK)
    hook = {
        "id": "store",
        "name": "store",
        "language": "system",
        "entry": f'"{sys.executable}" "{tmp_path / "hook.py"}"',
        "pass_filenames": False,
    }
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": [hook]}]}))
    git("init", "-q", cwd=folder, env=env)
    (folder / "app.py").write_text("old = 1\n")
    if committed is not None:
        (folder / ".gitignore").write_text(committed)
    git("add", "-A", cwd=folder, env=env)
    git("commit", "-qm", "Start", cwd=folder, env=env)
    installed = run("pre-commit", "install", cwd=folder, env=env)
    assert installed.returncode == 0, installed.stderr

    (folder / "app.py").write_text("new = 1\n")
    git("add", "app.py", cwd=folder, env=env)
    if edited is not None:
        (folder / ".gitignore").write_text(edited)
    done = run("git", "commit", "-m", "A change", cwd=folder, env=env)

    output = done.stdout + done.stderr
    assert ("Rolling back fixes" in output) is rolled_back, output
    assert (folder / ".env").read_text() == "OPENAI_API_KEY=a-value-that-stands-in-for-a-key\n"
    if rolled_back:
        assert (folder / ".gitignore").read_text() == edited, "what the hook did to it is gone"
    git("check-ignore", ".env", cwd=folder, env=env)
    git("add", "-A", cwd=folder, env=env)
    assert ".env" not in git("ls-files", cwd=folder, env=env).splitlines()
