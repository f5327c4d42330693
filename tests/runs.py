"""Runs keyguard as a user does: in a process of its own, or for speed through the same entry point in this one."""

from __future__ import annotations

import functools
import io
import json
import os
import subprocess
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from keyguard.catalogue import load
from keyguard.cli import main
from tests.keys import fill

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What an outer git, a CI or the user has set and what would change the result.
_FOREIGN = ("GIT_", "KEYGUARD_", "PRE_COMMIT", "LC_", "LANG", "NO_COLOR", "PYTHONIOENCODING", "PYTHONUTF8")
_GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "file",
    "GIT_AUTHOR_NAME": "A Person",
    "GIT_AUTHOR_EMAIL": "person@example.org",
    "GIT_COMMITTER_NAME": "A Person",
    "GIT_COMMITTER_EMAIL": "person@example.org",
}

Place = tuple[str, str, int]

# One catalogue for all runs in this process: its patterns are compiled once.
_catalogue = functools.cache(load)


@dataclass(frozen=True)
class Result:
    """An exit code and what was printed."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> Any:  # noqa: ANN401  # JSON
        """The report of a run with `--output-format json`."""
        return json.loads(self.out)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings of a run with `--output-format json`."""
        found: list[dict[str, Any]] = self.report["findings"]
        return found

    @property
    def places(self) -> list[Place]:
        """Rule, path and line of each finding."""
        return [(found["rule"], found["path"], found["line"]) for found in self.findings]

    @property
    def rules(self) -> list[str]:
        """The rule of each finding."""
        return [found["rule"] for found in self.findings]


def environment(**more: str) -> dict[str, str]:
    """The user's environment without what would change a result."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return kept | _GIT | more


class Tree:
    """A folder with files, and keyguard run in it; placeholders of keys in texts are filled."""

    def __init__(self, root: Path) -> None:
        """Make the folder."""
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, content: str | bytes, *, newline: str = "\n") -> Path:
        """Write a file; keys are put where a text has their placeholders."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = fill(content).replace("\n", newline).encode() if isinstance(content, str) else content
        path.write_bytes(data)
        return path

    def git(self, *arguments: str) -> str:
        """Run git here and give its output; a failure fails the test."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=environment(), capture_output=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, message: str = "work") -> str:
        """Commit everything and give the commit's name."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def run(
        self, *argv: str, stdin: str | bytes = b"", cwd: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> Result:
        """Run keyguard in this process."""
        data = fill(stdin).encode() if isinstance(stdin, str) else stdin
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="", write_through=True) for _ in range(2))
        source = io.TextIOWrapper(io.BytesIO(data), "utf-8")
        with (
            _folder(cwd or self.root),
            mock.patch.dict(os.environ, environment(**(environ or {})), clear=True),
            mock.patch.object(sys, "stdin", source),
            mock.patch("keyguard.catalogue.load", _catalogue),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                code = main(argv)
            except SystemExit as stop:  # argparse's --help and --version
                code = int(stop.code or 0)
        return Result(code, _text(out), _text(err))

    def check(
        self,
        *argv: str,
        stdin: str | bytes = b"",
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
        code: int | None = None,
    ) -> Result:
        """Run `keyguard check` for a JSON report; with `code`, that must be its exit code."""
        done = self.run("check", "--output-format", "json", *argv, stdin=stdin, cwd=cwd, environ=environ)
        assert code is None or done.code == code, done
        return done

    def process(
        self,
        *argv: str,
        stdin: str | bytes = b"",
        environ: Mapping[str, str] | None = None,
        encoding: str = "utf-8",
    ) -> Result:
        """Run keyguard in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "keyguard", *argv],
            cwd=self.root,
            env=environment(**(environ or {})),
            input=fill(stdin).encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(encoding), done.stderr.decode(encoding))


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8")


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)
