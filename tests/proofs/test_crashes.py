"""Whatever ends a fix in its middle, every file is old or new, and every key is in the code or in the store."""

from __future__ import annotations

import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from tests.faults import meet
from tests.keys import fill
from tests.runs import Tree, environment

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from pathlib import Path

FILES = {
    "app.py": 'from openai import OpenAI\n\nclient = OpenAI(api_key="<openai-key>", timeout=60)\n',
    "pkg/bot.py": '"""A bot."""\nimport os\n\nKEY = "<anthropic-key>"\nOTHER = "<openai-key>"\n',
    "note.ipynb": (
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "metadata": {}, '
        '"execution_count": null, "outputs": [], "source": ["from groq import Groq\\n", '
        '"client = Groq(api_key=\\"<groq-key>\\")\\n"]}]}\n'
    ),
}
STORE = "# mine\nDEBUG=1\n"
PARTS = 4  # tests that share the moments at which it is killed
KEYS = [fill(name) for name in ("<openai-key>", "<anthropic-key>", "<groq-key>")]

# The system calls by which anything reaches the disk.
CALLS = ("fsync", "replace", "rename", "link", "unlink", "fchmod", "chmod", "write", "mkdir", "makedirs")
FIX = """
from keyguard.cli import main

code = main(["fix", "--isolated", "--no-cache", "--jobs", "1", "--select", "KG1", "-q", "."])
if fault == "count":
    os.write(1, b"calls %d\\n" % calls)
sys.exit(code)
"""


class Project:
    """A project that leaks, and what it was before."""

    def __init__(self, folder: Path) -> None:
        """Write it."""
        self.tree = Tree(folder)
        self.tree.git("init", "-q")
        for name, text in FILES.items():
            self.tree.write(name, text)
        self.tree.write(".gitignore", "*.pyc\n")
        self.tree.write(".env", STORE)
        self.before = {name: (folder / name).read_bytes() for name in FILES}

    def fix(self, fault: str, at: int = 0) -> subprocess.CompletedProcess[str]:
        """Fix it in a process of its own that meets a fault."""
        return meet(FIX, fault, at, CALLS, cwd=self.tree.root, environ=environment())

    def check(self, after: Mapping[str, bytes]) -> None:
        """Hold what is there against what may be: old or new, never half, no key lost, no line of the store's owner."""
        for name, old in self.before.items():
            assert (self.tree.root / name).read_bytes() in {old, after[name]}, name
        code = b"".join((self.tree.root / name).read_bytes() for name in FILES)
        store = (self.tree.root / ".env").read_bytes() if (self.tree.root / ".env").exists() else b""
        assert store.startswith(STORE.encode())
        for key in KEYS:
            assert key.encode() in code or key.encode() in store
            if key.encode() in store:  # git does not see it at any moment
                assert self.tree.git("check-ignore", ".env") == ".env"


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a project whose fix went well."""
    project = Project(tmp_path_factory.mktemp("whole") / "project")
    done = project.fix("whole")
    assert done.returncode == 1, done.stderr
    found = {name: (project.tree.root / name).read_bytes() for name in FILES}
    assert not any(key.encode() in data for key in KEYS for data in found.values())
    return found


def calls(folder: Path) -> int:
    """Count the calls of a fix that goes well."""
    done = Project(folder).fix("count")
    return int(done.stdout.rpartition("calls ")[2])


@pytest.mark.parametrize("part", range(PARTS))
def test_a_fix_that_is_killed_loses_nothing(tmp_path: Path, after: dict[str, bytes], part: int) -> None:
    most = calls(tmp_path / "count")
    assert most > 20  # store, template, ignore lines, and three files, each synchronised and renamed
    for at in range(part + 1, most, PARTS):
        project = Project(tmp_path / f"project{at}")
        done = project.fix("before" if at % 2 else "after", at)
        assert done.returncode == -signal.SIGKILL
        project.check(after)
        if at % 5 == 0:  # what a user does next
            project.fix("whole")
            assert {name: (project.tree.root / name).read_bytes() for name in FILES} == after
        shutil.rmtree(project.tree.root)


@pytest.mark.parametrize("room", [0, 1, 30, 100, 200, 300])
def test_a_full_disk_loses_nothing(tmp_path: Path, after: dict[str, bytes], room: int) -> None:
    project = Project(tmp_path / "project")
    done = project.fix("full", room)
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr
    project.check(after)
