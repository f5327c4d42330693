"""The commits of a repository, newest first, and what each did to which path: git's walk, read while it is written."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from typing import TYPE_CHECKING, NamedTuple

from keyguard.discover import git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from keyguard.discover.git import Repository

_READ_AT_ONCE = 1 << 20
_LINKS = frozenset({b"160000", b"120000"})  # submodules and symbolic links hold no text of their own
# Plumbing, which no configuration makes run anything (`git log` would ask gpg for signatures).
_DIFF = ("diff-tree", "--stdin", "--raw", "-z", "-r", "-c", "--root", "--no-renames", "--no-abbrev", "--no-relative")
_NOT_RUN = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=all")
_NO_OBJECT = re.compile(rb"0+")


class Scope(NamedTuple):
    """Which part of a history is meant; by default everything that any ref, stash or reflog reaches.

    `since` is a date as git reads them, `branches` are refs to keep to, `most` is a number of commits, newest first.
    With `unreachable` objects count that no ref reaches any more.
    """

    since: str | None = None
    branches: tuple[str, ...] = ()
    most: int | None = None
    unreachable: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every object of the repository may belong to it."""
        return self.since is None and not self.branches and self.most is None


class Change(NamedTuple):
    """What a commit did to a path: `age` counts the commits that are newer.

    `olds` are the blobs there in its parents, `new` the one in the commit; empty for none. A merge is only there if it
    left something that no parent has.
    """

    age: int
    commit: str
    path: str
    olds: tuple[str, ...]
    new: str


class Walk:
    """A walk under way: git writes it to a temporary file, which `changes` reads when it is complete."""

    def __init__(self, repository: Repository, scope: Scope) -> None:
        """List the commits and let git begin to compare them.

        Raises:
            GitError: git cannot walk here: no such branch, or commits are missing.
        """
        found = git.run(repository, "rev-list", *_revisions(scope))
        self._commits = found
        self.commits = found.count(b"\n")
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed at the end of the walk
        self._process = git.start(repository, *_DIFF, *_NOT_RUN, output=self._file)
        names = [found[:-1].decode("ascii")] if found else []
        self._feeder = threading.Thread(target=git.feed, args=(self._process.stdin, names), daemon=True)
        self._feeder.start()

    def __enter__(self) -> Self:
        """Give the walk itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End git and let the file go."""
        self._process.kill()
        self._feeder.join()
        git.stop(self._process)
        self._file.close()

    def names(self) -> list[str]:
        """Give the names of the commits, newest first."""
        return self._commits.decode("ascii").splitlines()

    def holds(self, commit: str) -> bool:
        """Tell whether a commit is one of those; each question reads the whole list (40 MB for a million commits)."""
        return commit.encode("ascii") in self._commits

    def changes(self, wanted: Callable[[str, str], bool]) -> Iterator[Change]:
        """Yield, newest first, the changes in which a blob is `wanted(name, path)`, as the old or the new one.

        Raises:
            GitError: git could not compare all commits; what it did compare was yielded.
        """
        self._feeder.join()
        code = self._process.wait()
        self._file.seek(0)
        age, commit = -1, ""
        fields = self._fields()
        for field in fields:
            if not field.startswith(b":"):
                age, commit = age + 1, field.decode("ascii", "replace")
                continue
            path = os.fsdecode(next(fields, b""))
            change = _change(age, commit, field, path)
            if change is not None and any(name and wanted(name, path) for name in (change.new, *change.olds)):
                yield change
        if code:
            msg = f"git diff-tree ended with {code}: some commits could not be compared"
            raise git.GitError(msg)

    def _fields(self) -> Iterator[bytes]:
        rest = b""
        while data := self._file.read(_READ_AT_ONCE):
            *fields, rest = (rest + data).split(b"\0")
            yield from fields


def _change(age: int, commit: str, head: bytes, path: str) -> Change | None:
    """Read `:100644 100644 <old> <new> M`, or with a colon, a mode and an old blob more for each further parent."""
    parents = len(head) - len(head.lstrip(b":"))
    fields = head[parents:].split(b" ")
    modes, names = fields[: parents + 1], fields[parents + 1 : -1]
    if len(names) != parents + 1 or modes[-1] in _LINKS:
        return None
    *olds, new = (_name(name, mode) for name, mode in zip(names, modes, strict=True))
    return Change(age, commit, path, tuple(olds), new)


def _name(name: bytes, mode: bytes) -> str:
    return "" if mode in _LINKS or _NO_OBJECT.fullmatch(name) else name.decode("ascii")


def _revisions(scope: Scope) -> list[str]:
    # No commit before its children, whatever the clocks of those who made them said.
    limits = [] if scope.most is None else [f"--max-count={scope.most}"]
    if scope.since is not None:
        limits.append(f"--since={scope.since}")
    if not scope.branches:
        return [*limits, "--date-order", "--all", "--reflog"]
    # Behind this no name is taken for an option; git says which one is unknown.
    return [*limits, "--date-order", "--end-of-options", *scope.branches, "--"]
