"""The commits of a repository, newest first, and what each did to which path: git's walk, read while it is written."""

from __future__ import annotations

import os
import tempfile
import threading
import time

from keyguard.discover import git, shown
from keyguard.history.objects import batches, listed, resolved
from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from keyguard.discover.git import Repository

# os.path and not pathlib: paths are git's. open() as elsewhere here.
# ruff: noqa: PTH118, PTH123

_READ_AT_ONCE = 1 << 20
_LINKS = frozenset({b"160000", b"120000"})  # submodules and symbolic links hold no text of their own
# Plumbing, which no configuration makes run anything (`git log` would ask gpg for signatures). A commit that changed
# nothing is named, too: so it is known which one git failed on.
_DIFF = (
    *("diff-tree", "--stdin", "--always", "--raw", "-z", "-r", "-c", "--root"),
    *("--no-renames", "--no-abbrev", "--no-relative"),
)
_NOT_RUN = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=all")
_NO_OBJECT = b"0" * 40
_MOST_DAMAGED = 50  # commits that git fails on: each costs a new process
_DAY = regex(r"\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}\s*")
_NOW = frozenset({"now", "today"})


class Scope(NamedTuple):
    """Which part of a history is meant; by default everything that any ref, stash or reflog reaches.

    `since` is a date as git reads them (a day alone means all of it), `branches` are refs to keep to, `most` is a
    number of commits, newest first. With `unreachable` objects count that no ref reaches any more.
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
    """A walk under way: git writes it to a temporary file, which `changes` reads when it is complete.

    Where a store is damaged, `lost` counts the commits that could not be read or compared: what they brought is known
    by its blob alone.
    """

    def __init__(self, repository: Repository, scope: Scope) -> None:
        """List the commits and let git begin to compare them.

        Raises:
            GitError: git cannot walk here, there is no such branch, or the scope's date is none.
        """
        self._repository = repository
        self.lost = 0
        found = self._listed(scope)
        self._commits = found
        self.commits = found.count(b"\n")
        self._is_complete = False
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed at the end of the walk
        self._compare([found[:-1].decode("ascii")] if found else [])

    def _listed(self, scope: Scope) -> bytes:
        """List the commits of a scope; of a damaged store, all that are there."""
        try:
            return git.run(self._repository, "rev-list", *_revisions(self._repository, scope))
        except git.GitError:
            if not scope.is_whole:
                raise
            names, self.lost = _all_there(self._repository)
            if not names:
                raise
            return b"".join(name.encode("ascii") + b"\n" for name in names)

    def _compare(self, names: Sequence[str]) -> None:
        self._process = git.start(self._repository, *_DIFF, *_NOT_RUN, output=self._file)
        self._feeder = threading.Thread(target=git.feed, args=(self._process.stdin, names), daemon=True)
        self._feeder.start()

    def __enter__(self) -> Self:
        """Give the walk itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End git and let the file go."""
        self._end(self._process)
        self._file.close()

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        self._feeder.join()
        git.stop(process)

    def names(self) -> list[str]:
        """Give the names of the commits, newest first."""
        return self._commits.decode("ascii").splitlines()

    def ages(self, commits: Collection[str]) -> dict[str, int]:
        """Tell of those of some commits that belong to the walk how many are newer."""
        wanted = set(commits)
        if not wanted:
            return {}
        size = self._commits.index(b"\n") + 1 if self._commits else 1
        names = (self._commits[at : at + size - 1].decode("ascii") for at in range(0, len(self._commits), size))
        return {name: age for age, name in enumerate(names) if name in wanted}

    def changes(self, wanted: Callable[[str, str], bool]) -> Iterator[Change]:
        """Yield, newest first, the changes in which a blob is `wanted(name, path)`, as the old or the new one.

        Raises:
            GitError: git could not be started again behind a commit that it failed on.
        """
        self._complete()
        self._file.seek(0)
        age, commit = -1, ""
        fields = self._fields()
        paths: dict[bytes, str] = {}  # of 100,000 changes most are to the same few thousand
        for field in fields:
            if not field.startswith(b":"):
                if field:
                    age, commit = age + 1, field.decode("ascii", "replace")
                continue
            encoded = next(fields, b"")
            path = paths.get(encoded)
            if path is None:
                path = paths[encoded] = os.fsdecode(encoded)
            blobs = _blobs(field)
            for name in blobs if path else ():
                if name and wanted(name, path):
                    new, *olds = blobs
                    yield Change(age, commit, path, tuple(olds), new)
                    break

    def _complete(self) -> None:
        """Wait for git; where it failed on a commit, go on behind that."""
        if self._is_complete:
            return
        self._feeder.join()
        left: list[str] | None = None
        passed = failed = 0
        while self._process.wait() != 0:
            failed += 1
            named = self._named()
            if left is None:
                left = self.names()
                # In a clone without trees git would fail on each commit.
                behind = named + 1
                left[behind:] = _with_trees(self._repository, left[behind:])
            left, passed = left[named - passed + 1 :], named
            if not left or failed > _MOST_DAMAGED:
                break
            self._file.seek(0, os.SEEK_END)
            self._file.write(b"\0")  # behind what may be half of something
            self._file.flush()
            git.stop(self._process)
            self._compare(left)
            self._feeder.join()
        if failed:
            self.lost += self.commits - self._named()
        self._is_complete = True

    def _named(self) -> int:
        """Count the commits that git has named so far."""
        self._file.seek(0)
        fields = self._fields()
        count = 0
        for field in fields:
            if field.startswith(b":"):
                next(fields, None)
            elif field:
                count += 1
        return count

    def _fields(self) -> Iterator[bytes]:
        rest = b""
        while data := self._file.read(_READ_AT_ONCE):
            *fields, rest = (rest + data).split(b"\0")
            yield from fields


def boundaries(repository: Repository) -> frozenset[str]:
    """Give the commits of a shallow clone whose parents were never fetched.

    Raises:
        GitError: as `git.run`.
    """
    found = git.run(repository, "rev-parse", "--git-path", "shallow").decode("utf-8", "surrogateescape")
    try:
        with open(os.path.join(repository.top, found.removesuffix("\n")), encoding="ascii") as file:
            return frozenset(file.read().split())
    except (OSError, ValueError):
        return frozenset()


def _all_there(repository: Repository) -> tuple[list[str], int]:
    """List all commits of a damaged store, none before its children, and count those that cannot be read."""
    from heapq import heapify, heappop, heappush  # noqa: PLC0415  # 1 ms, for a damaged store only

    names = [one.name for one in listed(repository) if one.type == "commit"]
    parents: dict[str, list[str]] = {}
    dates: dict[str, int] = {}
    for batch in batches(repository, names):
        for name, start, end in zip(batch.names, batch.starts, batch.ends, strict=True):
            head = batch.data[start:end].partition(b"\n\n")[0].split(b"\n")
            parents[name] = [line[7:].decode("ascii", "replace") for line in head if line.startswith(b"parent ")]
            dates[name] = next((_seconds(line) for line in head if line.startswith(b"committer ")), 0)
    children = dict.fromkeys(parents, 0)
    for some in parents.values():
        for parent in some:
            if parent in children:
                children[parent] += 1
    ready = [(-dates[name], name) for name, count in children.items() if not count]
    heapify(ready)
    ordered = []
    while ready:
        name = heappop(ready)[1]
        ordered.append(name)
        for parent in parents[name]:
            if parent in children:
                children[parent] -= 1
                if not children[parent]:
                    heappush(ready, (-dates[parent], parent))
    there = parents.keys()
    gone = {parent for some in parents.values() for parent in some} - there
    return ordered, len(gone | (set(names) - there))


def _seconds(line: bytes) -> int:
    fields = line.rsplit(b" ", 2)
    return int(fields[1]) if len(fields) > 2 and fields[1].isdigit() else 0  # noqa: PLR2004  # who, when, zone


def _with_trees(repository: Repository, commits: Sequence[str]) -> list[str]:
    """Leave out the commits whose own tree is not there: in a clone without trees git would fail on each."""
    found = resolved(repository, (f"{commit}^{{tree}}" for commit in commits))
    return [commit for commit, tree in zip(commits, found, strict=True) if tree.type == "tree"]


def _blobs(head: bytes) -> tuple[str, ...]:
    """Read `:100644 100644 <old> <new> M`, or with a colon, a mode and an old blob more for each further parent.

    The new one comes first; a name is empty for none. What is cut off, as where git failed, has none.
    """
    fields = head.split(b" ")
    parents = len(head) - len(head.lstrip(b":"))
    if len(fields) != parents * 2 + 3:
        return ()
    names = fields[parents + 1 : -1]
    return (
        _name(names[-1], fields[parents]),
        *(_name(name, mode.lstrip(b":")) for name, mode in zip(names[:-1], fields, strict=False)),
    )


def _name(name: bytes, mode: bytes) -> str:
    return "" if mode in _LINKS or name.startswith(_NO_OBJECT) else name.decode("ascii")


def _revisions(repository: Repository, scope: Scope) -> Iterable[str]:
    # No commit before its children, whatever the clocks of those who made them said.
    limits = ["--date-order"]
    if scope.most is not None:
        limits.append(f"--max-count={scope.most}")
    if scope.since is not None:
        limits.append(f"--max-age={_moment(repository, scope.since)}")
    if not scope.branches:
        return [*limits, "--all", "--reflog"]
    # Behind this no name is taken for an option; git says which one is unknown.
    return [*limits, "--end-of-options", *scope.branches, "--"]


def _moment(repository: Repository, text: str) -> int:
    """Read a date as git does, in seconds; a day alone begins at midnight, where git would take this time of day."""
    asked = f"{text.strip()} 00:00:00" if _DAY.fullmatch(text) else text
    before = int(time.time())
    found = git.run(repository, "rev-parse", f"--since={asked}").decode("ascii", "replace").strip()
    seconds = found.removeprefix("--max-age=")
    # Git reads what it does not understand as the present.
    is_now = seconds.isdigit() and before <= int(seconds) <= time.time()
    if not seconds.isdigit() or (is_now and text.strip().lower() not in _NOW):
        msg = f"'{shown(text)}' is no date; write it as 2024-01-31 or '3 months ago'"
        raise git.GitError(msg)
    return int(seconds)
