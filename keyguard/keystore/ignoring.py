"""Makes git ignore a file before anything secret is in it, in a way that outlasts pre-commit's rollback."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keyguard.discover import git
from keyguard.files import ChangedMeanwhile, write_atomically
from keyguard.keystore import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

# ruff: noqa: PTH100, PTH103, PTH118, PTH119, PTH120, PTH123  # os.path, as in discover: pathlib costs 8 ms

_TRIES = 5  # another program may write the same file at the same moment


def ignore(root: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Make git ignore files, given from `root`, and give the files that were changed for it.

    A line goes to `.gitignore`, for everybody who clones, and to `.git/info/exclude`: pre-commit puts tracked files
    back as they were when its stash does not fit, and `.gitignore` is one. Outside git there is nothing to do.

    Raises:
        StoreError: git tracks one of them already, ignores it in spite of both lines, or could not be asked.
    """
    changed: list[str] = []
    for path in paths:
        place = os.path.abspath(os.path.join(root, path))
        repository = git.repository_of(os.path.dirname(place))
        if repository is None:
            continue
        try:
            changed += _ignored_in(repository, place)
        except git.GitError as error:
            msg = f"git could not be asked to ignore {path} ({error}), so nothing was written to it"
            raise StoreError(msg) from error
        except OSError as error:
            msg = f"{path} could not be ignored ({error.strerror}), so nothing was written to it"
            raise StoreError(msg) from error
    return tuple(dict.fromkeys(changed))


def _ignored_in(repository: git.Repository, place: str) -> list[str]:
    top = os.path.realpath(repository.top)
    name = os.path.relpath(os.path.join(os.path.realpath(os.path.dirname(place)), os.path.basename(place)), top)
    name = name.replace(os.sep, "/")
    if git.run(repository, "ls-files", "--", f":(literal){name}"):
        msg = f"git tracks {name}: keys written there would be committed. Run `git rm --cached {name}`, then try again"
        raise StoreError(msg)
    changed = []
    if not _is_ignored(repository, name):
        changed.append(_with_line(os.path.join(top, ".gitignore"), _line(name)))
    exclude = os.path.join(top, git.run(repository, "rev-parse", "--git-path", "info/exclude").decode().rstrip("\r\n"))
    os.makedirs(os.path.dirname(exclude), exist_ok=True)
    changed.append(_with_line(exclude, _line(name)))
    if not _is_ignored(repository, name):
        msg = f"git does not ignore {name}, whatever is added to .gitignore: is there a line such as `!{name}`?"
        raise StoreError(msg)
    return [path for path in changed if path]


def _is_ignored(repository: git.Repository, name: str) -> bool:
    return bool(git.run(repository, "check-ignore", "--", name, failing=(1,)))


def _line(name: str) -> str:
    """The pattern of one file: by name anywhere for a file at the top, as people write it, else its path."""
    escaped = "".join(f"\\{char}" if char in "*?[\\" else char for char in name)
    if "/" in name or name[:1] in "!#":
        return f"/{escaped}"
    return escaped


def _with_line(path: str, line: str) -> str:
    """Add a line to a file that does not have it; its path, or an empty text if it was there."""
    for _ in range(_TRIES):
        try:
            with open(path, "rb") as stream:
                held: bytes | None = stream.read()
        except FileNotFoundError:
            held = None
        data = held or b""
        ending = b"\r\n" if b"\r\n" in data else b"\n"
        if line.encode() in (one.strip() for one in data.splitlines()):
            return ""
        gap = ending if data and not data.endswith((b"\n", b"\r")) else b""
        try:
            write_atomically(path, data + gap + line.encode() + ending, expect=held)
        except ChangedMeanwhile:
            continue
        return path
    msg = f"{path}: it changes all the time, so no line could be added to it"
    raise StoreError(msg)
