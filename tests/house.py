"""What the tests of hooks, action, wheel and init share: the project's copy, a git of their own, the wheelhouse."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Variables of an outer git (a hook that runs the tests) or of the user that would change what these tests see.
_FOREIGN = (
    "GIT_",
    "PRE_COMMIT",
    "SKIP",
    "KEYGUARD_OUTPUT_FORMAT",
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "GITHUB_",
)


def wheelhouse() -> Path:
    """The folder `.ci/setup` filled with all that an installation of keyguard needs; skips where there is none."""
    named = os.environ.get("KEYGUARD_WHEELHOUSE")
    folder = Path(named) if named else ROOT / ".wheelhouse"
    if named is None and not any(folder.glob("*.whl")):
        pytest.skip(".wheelhouse is empty: run .ci/setup dev first")
    assert any(folder.glob("*.whl")), f"{folder} holds no wheel; remove .venv and run .ci/setup dev again"
    return folder


def environment(home: Path, **more: str) -> dict[str, str]:
    """An environment of its own: no user's git settings, no package index, all caches below `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    home.mkdir(parents=True, exist_ok=True)
    settings = home / ".gitconfig"  # pre-commit drops GIT_CONFIG_GLOBAL and reads this
    if not settings.exists():
        settings.write_text("[user]\n\tname = A Person\n\temail = person@example.org\n[init]\n\tdefaultBranch = main\n")
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return kept | {
        "GIT_CONFIG_GLOBAL": str(settings),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file",
        "PRE_COMMIT_HOME": str(home / "pre-commit"),
        "PRE_COMMIT_COLOR": "never",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "NO_COLOR": "1",
        **more,
    }


def offline(home: Path) -> dict[str, str]:
    """An environment in which pip installs from the wheelhouse alone."""
    return environment(
        home,
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(wheelhouse()),
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PIP_CONFIG_FILE=os.devnull,
        PIP_NO_INPUT="1",
    )


def run(*command: str | Path, cwd: Path, env: dict[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program to its end; its output is text, its exit code the caller's to judge."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def git(*arguments: str, cwd: Path, env: dict[str, str]) -> str:
    """Run git and give its output; a failure fails the test."""
    done = run("git", *arguments, cwd=cwd, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def project_copy(target: Path) -> Path:
    """Copy the project's files as git would take them: tracked and untracked ones, none that is ignored."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT, env={**os.environ})
    if listed.returncode != 0:  # a source archive without git
        return Path(shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(".*", "__pycache__")))
    for name in filter(None, listed.stdout.split("\0")):
        source, copy = ROOT / name, target / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    return target


def hook_repository(target: Path, env: dict[str, str]) -> str:
    """Make a git repository of the work tree as it is now, tagged with its version, and give the commit."""
    project_copy(target)
    git("init", "-q", cwd=target, env=env)
    git("add", "-A", cwd=target, env=env)
    git("commit", "-qm", "The work tree under test", cwd=target, env=env)
    return git("rev-parse", "HEAD", cwd=target, env=env).strip()
