"""What the doctor's tests share: a project to be looked at, in an environment in which nothing else is set."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from unittest import mock

from tests.keys import fill
from tests.runs import Result, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a system needs to start programs; nothing that a user or a CI has set counts besides.
_KEPT = ("PATH", "PYTHONPATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME")

OPENAI = "from openai import OpenAI\n\nclient = OpenAI(timeout=60)\n"
LOADS = "from dotenv import load_dotenv\n\nload_dotenv()\n"
IGNORED = ".env*\n"


class Patient:
    """A project that the doctor looks at."""

    def __init__(self, tree: Tree) -> None:
        """Take a folder."""
        self.tree = tree

    def write(self, name: str, text: str | bytes, *, newline: str = "\n", mode: int = 0o600) -> None:
        """Write a file that only its owner can read; placeholders of keys are filled."""
        self.tree.write(name, text, newline=newline).chmod(mode)

    def run(self, *argv: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
        """Run `keyguard doctor` in this process, with nothing set but what is given."""
        with self._alone():
            return self.tree.run("doctor", *argv, environ=_filled(env), stdin=stdin)

    def process(self, *argv: str, env: Mapping[str, str] | None = None) -> Result:
        """Run `keyguard doctor` in a process of its own, with nothing set but what is given."""
        with self._alone():
            return self.tree.process("doctor", *argv, environ=_filled(env))

    def python(self, code: str) -> Result:
        """Run some Python of ours in a process of its own, with nothing set."""
        with self._alone():
            command = [sys.executable, "-c", code]
            done = subprocess.run(command, cwd=self.tree.root, capture_output=True, text=True, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    def look(self, *argv: str, env: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401  # JSON
        """Run it for a JSON report; its exit code must say what the report says."""
        done = self.run("--output-format", "json", *argv, env=env)
        assert done.code in {0, 1}, done
        report = done.report
        assert done.code == (0 if report["summary"]["healthy"] else 1), done
        return report

    def told(self, *argv: str, env: Mapping[str, str] | None = None) -> list[str]:
        """What it says is wrong: `place: message [errors]`, notes with `(note)` in front."""
        return [_told(problem) for problem in self.look(*argv, env=env)["problems"]]

    @staticmethod
    def _alone() -> Any:  # noqa: ANN401  # a context manager
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return mock.patch.dict(os.environ, kept, clear=True)


def _filled(env: Mapping[str, str] | None) -> dict[str, str]:
    return {name: fill(value) for name, value in (env or {}).items()}


def _told(problem: Mapping[str, Any]) -> str:
    place = "shell" if problem["path"] is None else problem["path"]
    line = f":{problem['line']}" if problem["line"] else ""
    note = "(note) " if problem["level"] == "note" else ""
    errors = f" [{' '.join(problem['leads_to'])}]" if problem["leads_to"] else ""
    return f"{note}{place}{line}: {problem['message']}{errors}"
