"""Finds what to read: named files, folders as git sees them, the index, what a range of commits adds."""

from __future__ import annotations

import os
import stat

from keyguard.discover import git
from keyguard.discover.targets import LARGE, Status, Target, Window, filled, shown, status_from, stdin_target
from keyguard.discover.walk import Excluder, excluded_by_name, walk
from keyguard.errors import UsageError
from keyguard.lang import why_unread
from keyguard.model import Notice
from keyguard.settings import DEFAULT_EXCLUDE
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from keyguard.discover.git import Repository

# os.path and not pathlib: pathlib costs 8 ms at start, and a hook has 70.
# ruff: noqa: PTH100, PTH109, PTH112, PTH114, PTH116, PTH118, PTH119, PTH120

__all__ = [
    "LARGE",
    "Discovery",
    "GitState",
    "Status",
    "Target",
    "Window",
    "discover",
    "filled",
    "git_statuses",
    "range_targets",
    "shown",
    "staged_targets",
    "status_from",
    "stdin_target",
]

_DEFAULT_GROUPS = ((".", DEFAULT_EXCLUDE),)
_STAGED, _RANGE = "--staged", "--range"
_OBJECT_NAME = 40  # characters at least; all zeros stand for "no commit" in what git hands its hooks


class Discovery(NamedTuple):
    """What to read, by path, each file once; and what the user should know about the paths given."""

    targets: tuple[Target, ...]
    notices: tuple[Notice, ...] = ()


class GitState:
    """Answers what git does with a path, asking git once for all candidates when the first question comes."""

    def __init__(self, candidates: Iterable[str] = ()) -> None:
        """Remember the locations (absolute) that are likely to be asked for."""
        self._candidates = tuple(candidates)
        self._known: dict[str, str] = {}

    def status(self, location: str) -> str:
        """Tell `tracked`, `staged` (new in the index), `untracked`, `ignored` or `outside` of an absolute path."""
        if location not in self._known:
            self._known.update(git_statuses({location, *self._candidates} - self._known.keys()))
        return self._known[location]


def git_statuses(locations: Iterable[str]) -> dict[str, str]:
    """Tell for each absolute path what git does with it: `tracked`, `staged`, `untracked`, `ignored`, `outside`.

    One batch a repository. `outside` also stands for "git cannot say": not installed, or refusing the repository.
    """
    found: dict[str, str] = {}
    by_repository: dict[Repository, dict[str, str]] = {}
    for location in locations:
        found[location] = "outside"
        real = _real(location)
        repository = git.repository_of(os.path.dirname(real))
        if repository is not None:
            by_repository.setdefault(repository, {})[_from_top(repository, real)] = location
    for repository, paths in by_repository.items():
        try:
            states = git.statuses(repository, list(paths))
        except git.GitError:
            continue
        found.update((paths[path], state) for path, state in states.items())
    return found


def discover(
    paths: Sequence[str],
    *,
    exclude: Sequence[tuple[str, Sequence[str]]] = _DEFAULT_GROUPS,
    force_exclude: bool = False,
    respect_gitignore: bool = True,
    lang: str = "en",
) -> Discovery:
    """Find the files to check on disk.

    Named files always count unless `force_exclude` is set and a pattern takes them; a folder gives what git tracks
    or would track below it, and outside git what its `.gitignore` files leave.

    Args:
        paths: files and folders as the user gave them.
        exclude: groups of gitignore patterns, each with the folder it counts from; they apply below a named folder,
            not to it.
        force_exclude: apply `exclude` to the named paths too.
        respect_gitignore: leave out what git ignores.
        lang: the language of the notices.

    Raises:
        UsageError: a named folder is a bare repository, which has no files.
    """
    finder = _Finder(exclude, lang, respect_gitignore=respect_gitignore)
    for path in paths:
        if force_exclude and excluded_by_name(exclude, path):
            continue
        finder.take(path)
    return finder.result()


def staged_targets(
    paths: Sequence[str] = (".",),
    *,
    exclude: Sequence[tuple[str, Sequence[str]]] = _DEFAULT_GROUPS,
    force_exclude: bool = False,
) -> Discovery:
    """Find the files that the index changes against HEAD, with the index's content, whatever lies on disk.

    Read them through `filled`, so that one git process reads them all.

    Raises:
        UsageError: the paths are not in a git work tree, or git is not there.
    """
    found: dict[tuple[str, str], Target] = {}
    for repository, takes in _by_repository(_STAGED, paths, exclude, force_exclude=force_exclude):
        try:
            entries = [entry for entry in git.staged(repository) if takes(entry.path)]
            sizes = git.sizes(repository, (entry.blob for entry in entries))
        except git.GitError as error:
            raise _no_git(_STAGED, repository.top, error) from error
        for path, blob in entries:
            target = _blob_target(repository, path, blob, sizes.get(blob, -1))
            found.setdefault((repository.top, path), target)
    return Discovery(tuple(sorted(found.values(), key=lambda target: target.path)))


def range_targets(
    commits: str,
    paths: Sequence[str] = (".",),
    *,
    exclude: Sequence[tuple[str, Sequence[str]]] = _DEFAULT_GROUPS,
    force_exclude: bool = False,
) -> Discovery:
    """Find every version of a file that a commit of a range adds lines to, also if a later commit takes them away.

    Each target is the whole file as that commit left it; `added` says which lines are the commit's own. A merge
    adds what none of its parents has. Read them through `filled`.

    Args:
        commits: `A..B`, what B has and A has not; `A...B` means the same, an end left out means HEAD. With zeros for
            A (git's word for a new branch) it is what B has and no remote has.
        paths: files and folders to keep to.
        exclude: as in `discover`.
        force_exclude: as in `discover`.

    Raises:
        UsageError: no such range here, or no git.
    """
    revisions = _revisions(commits)
    found: dict[tuple[str, str, object], Target] = {}
    for repository, takes in _by_repository(_RANGE, paths, exclude, force_exclude=force_exclude):
        try:
            listed = git.commits_of(repository, revisions) if revisions else []
            changes = [change for change in git.changes(repository, listed) if takes(change.path)] if listed else []
            sizes = git.sizes(repository, (change.blob for change in changes))
        except git.GitError as error:
            msg = (
                f"--range {commits}: {error}; name two commits that are here as A..B, "
                "and in CI fetch the whole history (actions/checkout: fetch-depth: 0)"
            )
            raise UsageError(msg) from error
        for commit, path, blob, added in changes:
            target = _blob_target(repository, path, blob, sizes.get(blob, -1), commit, added)
            # The same lines of the same text, brought by another commit (a cherry-pick), say nothing new.
            found.setdefault((path, blob, added), target)
    return Discovery(tuple(sorted(found.values(), key=lambda target: target.path)))


def _revisions(commits: str) -> list[str]:
    first, dots, last = commits.partition("..")
    last = last.removeprefix(".")
    if not dots or commits.startswith("-") or last.startswith("-"):
        msg = f"--range {commits}: not a range; write A..B, for example origin/main..HEAD"
        raise UsageError(msg)
    first, last = first or "HEAD", last or "HEAD"
    if _is_no_commit(last):  # a branch is deleted: it brings nothing
        return []
    return [last, "--not", "--remotes"] if _is_no_commit(first) else [last, f"^{first}"]


def _is_no_commit(name: str) -> bool:
    return len(name) >= _OBJECT_NAME and not name.strip("0")


class _Tree(NamedTuple):
    """A folder whose files are taken, and what holds for each of them.

    `folder` is absolute; `prefix` stands before a file's path when it is reported, unless the file is to be shown
    `from_cwd`, which lies below the folder; files are placed from `top`.
    """

    folder: str
    prefix: str
    from_cwd: bool
    top: str
    repository: Repository | None
    excluder: Excluder


class _Finder:
    """Collects targets from named paths; what it holds is the state of one `discover` call."""

    def __init__(self, exclude: Sequence[tuple[str, Sequence[str]]], lang: str, *, respect_gitignore: bool) -> None:
        self._exclude = exclude
        self._lang = lang
        self._respect_gitignore = respect_gitignore
        self._found: dict[str, Target] = {}
        self._notices: dict[str, Notice] = {}
        self._cwd = os.getcwd()
        self._repositories: dict[str, Repository | None] = {}
        self._links: list[tuple[str, str, str, Excluder]] = []
        self._is_real: dict[str, bool] = {}

    def result(self) -> Discovery:
        """Give what was found, by path."""
        self._add_links()
        targets = sorted(self._found.values(), key=lambda target: target.path)
        return Discovery(tuple(targets), tuple(self._notices.values()))

    def take(self, path: str) -> None:
        """Take one path as the user gave it."""
        name = shown(path) or "''"
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            self._refuse(name, "absent")
            return
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self._refuse(name, "unseen", reason=reason)
            return
        location = _real(path)
        if stat.S_ISLNK(status.st_mode):
            self._take_link(path, location)
        elif stat.S_ISDIR(status.st_mode):
            self._take_folder(path, os.path.realpath(path))
        elif stat.S_ISREG(status.st_mode):
            self._add(location, self._path_of(location, path), status, named=True)
        else:
            self._refuse(name, "device")

    def _take_link(self, path: str, location: str) -> None:
        real = os.path.realpath(location)
        try:
            status = os.stat(real)
        except OSError:
            self._refuse(shown(path), "dangling")
            return
        if stat.S_ISDIR(status.st_mode):
            self._take_folder(path, real)
            return
        holder = os.path.dirname(location)
        repository = self._repository(holder)
        tree = repository.top if repository else (self._cwd if _is_below(holder, self._cwd) else holder)
        if not _is_below(real, tree):
            message = self._said("leaves", path=shown(path), target=shown(real))
            self._notices[message] = Notice(message, shown(path))
        elif stat.S_ISREG(status.st_mode):
            self._add(real, self._path_of(location, path), status, named=True)
        else:
            self._refuse(shown(path), "to-device")

    def _take_folder(self, path: str, folder: str) -> None:
        if git.is_git_folder(folder):
            msg = (
                f"{shown(path)}: a git repository without a work tree, so there are no files to check; "
                f"`keyguard audit {shown(path)}` reads its history"
            )
            raise UsageError(msg)
        repository = self._repository(folder)
        tree = _Tree(
            folder,
            self._prefix_of(folder, path),
            # From a folder above the working folder, what lies in that is still shown from there.
            not _is_below(folder, self._cwd),
            repository.top if repository else self._cwd,
            repository,
            Excluder(self._exclude, folder),
        )
        if repository is None or not self._take_from_git(tree, repository):
            self._take_by_walking(tree)

    def _take_from_git(self, tree: _Tree, repository: Repository, below: str = "") -> bool:
        """Take what git lists in the tree `below` a path; False if git gave no answer that can be used."""
        start = _from_top(repository, os.path.join(tree.folder, below) if below else tree.folder)
        try:
            listed = git.files_below(repository, start, with_ignored=not self._respect_gitignore)
            if not listed and start and not below and git.ignored(repository, [start]):
                return False  # the user names what git ignores: then its files are meant
        except git.GitError as error:
            message = self._said("unlisted", path=shown(repository.top), error=error)
            self._notices[message] = Notice(message, shown(repository.top))
            return False
        skip = len(start) + 1 if start else 0
        inside = [below + path[skip:] for path in listed]
        for environment in _environments(inside) if "venv" in tree.excluder.names else ():
            inside = [path for path in inside if not path.startswith(environment)]
        for path in inside:
            # A folder above a tracked file may have become a link.
            if not tree.excluder(path) and self._stays_inside(tree.folder, path.rpartition("/")[0]):
                self._consider(tree, path)
        return True

    def _take_by_walking(self, tree: _Tree, below: str = "") -> None:
        above = tree.repository.top if tree.repository else (None if tree.from_cwd else self._cwd)
        honour = self._respect_gitignore
        for path, trouble in walk(tree.folder, tree.excluder, below=below, honour_gitignore=honour, above=above):
            if trouble is not None:
                name = shown(tree.prefix + path) or "."
                self._refuse(name, "unread", reason=trouble)
            elif path.endswith("/"):
                self._take_inner(tree, path)
            else:
                self._consider(tree, path)

    def _consider(self, tree: _Tree, path: str) -> None:
        """Take a listed path if it is a file, a link to one inside the tree, or another repository's folder."""
        folder = tree.folder
        location = f"{folder}{os.sep}{path}" if folder != os.sep else os.sep + path
        try:
            status = os.lstat(location)
        except OSError:
            return  # tracked, but deleted on disk; or gone since git looked
        mode = status.st_mode
        if stat.S_ISDIR(mode):
            self._take_inner(tree, path)
        elif stat.S_ISREG(mode):
            reported = (tree.from_cwd and _from(self._cwd, location)) or tree.prefix + path
            self._add(location, reported, status, top=tree.top)
        elif stat.S_ISLNK(mode):
            self._links.append((location, tree.prefix + path, folder, tree.excluder))

    def _take_inner(self, tree: _Tree, path: str) -> None:
        """Take the files of a repository inside the tree: a submodule that is checked out, or a clone."""
        location = os.path.join(tree.folder, path).rstrip(os.sep)
        inner = git.repository_of(location)
        known = tree.repository
        if inner is None or (known is not None and inner.top == known.top) or os.path.islink(location):
            return
        below = path.rstrip("/") + "/"
        tree = tree._replace(repository=inner, top=inner.top)
        if not self._take_from_git(tree, inner, below):
            self._take_by_walking(tree, below)

    def _stays_inside(self, folder: str, path: str) -> bool:
        """Tell whether no folder on the way down to `path` is a link; asked once a folder."""
        if not path:
            return True
        location = f"{folder}{os.sep}{path}"
        known = self._is_real.get(location)
        if known is None:
            known = not os.path.islink(location) and self._stays_inside(folder, path.rpartition("/")[0])
            self._is_real[location] = known
        return known

    def _add_links(self) -> None:
        """Take the files that only a link names; last, since a file found itself is read under its own name."""
        for location, path, folder, excluder in self._links:
            real = os.path.realpath(location)
            if real in self._found or not _is_below(real, folder):
                continue
            try:
                status = os.stat(real)
            except OSError:
                continue  # a link to nothing
            if stat.S_ISREG(status.st_mode) and not excluder(_from(folder, real)):
                self._add(real, path, status)

    def _add(
        self, location: str, path: str, status: os.stat_result, *, named: bool = False, top: str | None = None
    ) -> None:
        if location in self._found and not (named and not self._found[location].named):
            return
        if top is None:
            repository = self._repository(os.path.dirname(location))
            top = repository.top if repository else self._cwd
        place = _from(top, location) or os.path.basename(location)
        reported = shown(path)
        place = reported if place == path else shown(place)
        self._found[location] = Target(reported, location, place, status.st_size, named, status=status_from(status))

    def _repository(self, folder: str) -> Repository | None:
        if folder not in self._repositories:
            self._repositories[folder] = git.repository_of(folder)
        return self._repositories[folder]

    def _path_of(self, location: str, given: str) -> str:
        return _from(self._cwd, location) or os.path.normpath(given)

    def _prefix_of(self, folder: str, given: str) -> str:
        """Give what stands before a file's path from the folder: nothing for the working folder."""
        if folder == self._cwd:
            return ""
        prefix = _from(self._cwd, folder) or os.path.normpath(given)
        return prefix if prefix.endswith("/") else prefix + "/"

    def _refuse(self, name: str, why: str, **values: object) -> None:
        said = self._said("refused", path=name, why=self._said(why, **values))
        self._notices.setdefault(name, Notice(said, name, error=True))

    def _said(self, name: str, **values: object) -> str:
        return why_unread(self._lang, f"path.{name}", **values)


def _by_repository(
    option: str, paths: Sequence[str], exclude: Sequence[tuple[str, Sequence[str]]], *, force_exclude: bool
) -> Iterator[tuple[Repository, Callable[[str], bool]]]:
    """Yield the repositories of the named paths, each with a test for its paths (from the top)."""
    tests: dict[Repository, list[Callable[[str], bool]]] = {}
    for path in paths:
        real = os.path.realpath(path) if os.path.isdir(path) else _real(path)
        folder = real if os.path.isdir(real) else os.path.dirname(real)
        repository = git.repository_of(folder)
        if repository is None and git.is_git_folder(folder) and option == _RANGE:
            repository = git.Repository(folder)
        if repository is None:
            raise _no_git(option, path, None)
        excluded = force_exclude and excluded_by_name(exclude, path)
        wanted = tests.setdefault(repository, [])
        if not excluded:
            wanted.append(_test(repository, real, Excluder(exclude, folder)))
    for repository, wanted in tests.items():
        yield repository, lambda path, wanted=wanted: any(test(path) for test in wanted)  # type: ignore[misc]


def _test(repository: Repository, real: str, excluder: Excluder) -> Callable[[str], bool]:
    start = _from_top(repository, real)
    if not start:
        return lambda path: not excluder(path)
    below = start + "/"
    return lambda path: path == start or (path.startswith(below) and not excluder(path[len(below) :]))


def _blob_target(  # noqa: PLR0913, PLR0917  # one fact each
    repository: Repository,
    path: str,
    blob: str,
    size: int,
    commit: str | None = None,
    added: tuple[tuple[int, int], ...] | None = None,
) -> Target:
    location = os.path.join(repository.top, path)
    cwd = os.getcwd()
    if not _is_below(location, cwd):
        reported = path if git.is_git_folder(repository.top) else os.path.relpath(location, cwd)
    else:
        reported = _from(cwd, location)
    return Target(
        shown(reported),
        location,
        shown(path),
        size,
        blob=blob,
        commit=commit,
        added=added,
        repository=repository,
    )


def _no_git(option: str, path: str, error: git.GitError | None) -> UsageError:
    why = f"{error}; check that git works there" if error else "not in a git work tree; go to one, or check the files"
    return UsageError(f"{option}: {shown(path)}: {why}")


def _environments(paths: Iterable[str]) -> list[str]:
    """Give the folders that are virtual environments, under whatever name."""
    return [path[: -len("pyvenv.cfg")] for path in paths if path.endswith("/pyvenv.cfg")]


def _real(path: str) -> str:
    """Resolve the folders above a path, not the path itself: it may be a link that is to be looked at."""
    head, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(head), name) if name else head


def _from_top(repository: Repository, location: str) -> str:
    return _from(repository.top, location.rstrip(os.sep))


def _from(folder: str, location: str) -> str:
    """Give a path from a folder above it, with `/`; empty if it is that folder or lies elsewhere."""
    start = folder.rstrip(os.sep) + os.sep
    return location[len(start) :].replace(os.sep, "/") if location.startswith(start) else ""


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
