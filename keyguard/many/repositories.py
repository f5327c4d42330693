"""Which repositories an audit of many reads: lists of paths, folders of clones and mirrors, and single ones."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress

from keyguard.discover import git, shown
from keyguard.errors import UsageError
from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# os.path and not pathlib, as in discover: paths are bytes of any encoding, and a hundred thousand are looked at.
# ruff: noqa: PTH100, PTH110, PTH112, PTH113, PTH118, PTH119, PTH120, PTH123

_URL = regex(r"[A-Za-z][A-Za-z0-9+.-]*://|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:")
_USER = regex(r"//[^/\s]*@")
_NOT_ONE = "this is no git repository"
_UNREADABLE = "this folder could not be read"


class Repo(NamedTuple):
    """One repository to audit.

    `name` is unique in the audit and printable; `path` is as it was given, `location` the same made absolute. `error`
    says why it cannot be read when that is known already; whether it is a repository at all is found out by whoever
    reads it, which may be another machine.
    """

    name: str
    path: str
    location: str
    error: str | None = None


class NoRepository(Exception):  # noqa: N818  # a state of the folder, not a bug
    """A path is no repository, or one that leads elsewhere; the message says which."""


def repositories_of(*arguments: str) -> tuple[Repo, ...]:
    """Name the repositories that arguments stand for, each once, in their order.

    A file is a list: one path a line, relative to the list's folder, empty lines and those that begin with `#` left
    out. A folder is a repository (a work tree or a bare one), or else everything below it is looked through for them;
    links are not followed, and nothing inside a repository is looked at.

    A repository is named by its path as the list has it, or from the folder that was looked through, without `.git` at
    its end. The same list gives the same names, so that audits can be compared.

    Raises:
        UsageError: an argument is not there or cannot be read.
    """
    once: dict[str, Repo] = {}
    for argument in arguments:
        for repo in _in_folder(argument) if os.path.isdir(argument) else _in_list(argument):
            once.setdefault(os.path.realpath(repo.location), repo)
    return _uniquely_named(once.values())


def _in_list(file: str) -> Iterator[Repo]:
    try:
        with open(file, "rb") as stream:
            data = stream.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no path"
        msg = f"--repos: {shown(file)}: {reason}; name a list of paths, a folder of clones or a repository"
        raise UsageError(msg) from error
    if b"\0" in data:
        msg = f"--repos: {shown(file)}: a list holds one path a line, and this is no text"
        raise UsageError(msg)
    folder = os.path.dirname(os.path.abspath(file))
    for line in data.removeprefix(b"\xef\xbb\xbf").splitlines():
        text = os.fsdecode(line.strip())
        if text and not text.startswith("#"):
            yield _written(text, folder)


def _written(text: str, folder: str) -> Repo:
    location = os.path.normpath(os.path.join(folder, text))
    if _URL.match(text) and not os.path.lexists(location):
        text = _USER.sub("//…@", text)  # it may hold a token
        return Repo(text, text, text, "this is a URL: clone it with `git clone --mirror`, and list the folder")
    return Repo(text.rstrip("/") or text, text, location)


def _in_folder(folder: str) -> Iterator[Repo]:
    top = os.path.abspath(folder)
    if _is_repository(top):
        yield Repo(os.path.basename(top) or top, folder, top)
        return
    waiting = [top]
    while waiting:
        here = waiting.pop()
        path = os.path.join(folder, os.path.relpath(here, top))
        try:
            with os.scandir(here) as entries:
                below = sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError:
            yield Repo(os.path.relpath(here, top), os.path.normpath(path), here, _UNREADABLE)
            continue
        found = {place: None for place in below if _is_repository(place)}
        waiting += [place for place in reversed(below) if place not in found]
        for place in found:
            name = os.path.relpath(place, top)
            yield Repo(name, os.path.join(folder, name), place, _leading_out(place, top))


def _is_repository(place: str) -> bool:
    return os.path.lexists(os.path.join(place, ".git")) or git.is_git_folder(place)


def _leading_out(place: str, top: str) -> str | None:
    """Say why a repository that was found and not named is left alone: its store lies somewhere else."""
    store = os.path.join(place, ".git")
    with suppress(OSError, ValueError):
        if os.path.isfile(store):
            with open(store, "rb") as stream:
                told = stream.read(1 << 12)
            store = os.path.join(place, os.fsdecode(told.removeprefix(b"gitdir:").strip()))
        real, root = os.path.realpath(store), os.path.realpath(top)
        if os.path.commonpath((real, root)) == root:
            return None
    return "its .git leads out of the folder that was searched: name the repository in a list to audit it"


def _uniquely_named(repos: Iterable[Repo]) -> tuple[Repo, ...]:
    taken: set[str] = set()
    result = []
    for repo in repos:
        whole = _printable(repo.name)
        # A mirror beside a clone of the same name keeps its ending.
        short = whole.removesuffix(".git").rstrip("/") or whole
        name = next(name for name in _candidates(short, whole) if name not in taken)
        taken.add(name)
        result.append(repo._replace(name=name))
    return tuple(result)


def _candidates(short: str, whole: str) -> Iterator[str]:
    yield short
    yield whole
    number = 2
    while True:
        yield f"{whole} ({number})"
        number += 1


def _printable(text: str) -> str:
    r"""Spell out what a terminal or a database would stumble over: controls, marks of direction, odd bytes."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


# What a repository holds now -----------------------------------------------------------------------------------------


def opened(repo: Repo) -> git.Repository:
    """Give a repository to ask git about.

    Raises:
        NoRepository: there is none at its path; a folder inside another repository is none.
    """
    if repo.error is not None:
        raise NoRepository(repo.error)
    place = repo.location
    if os.path.lexists(os.path.join(place, ".git")):
        return git.Repository(place)
    if git.is_git_folder(place):
        # Named, so that git does not look for another one above.
        return git.Repository(place, (("GIT_DIR", place),))
    if not os.path.isdir(place):
        raise NoRepository("there is no such folder" if not os.path.lexists(place) else _NOT_ONE)
    raise NoRepository(_NOT_ONE)


def state_of(repository: git.Repository, stamp: str = "") -> str:
    """Give a digest of what an audit would read: every ref, HEAD, reflogs, and the files of the work tree.

    The same digest means that nothing changed. Files count by size and time, as for git itself; git's own comparison
    is not asked, since it runs the filters a repository's configuration names. `stamp` is what else decides about a
    result. 5 ms, and 1 s for 100,000 refs or files.

    Raises:
        GitError: git cannot read it.
    """
    digest = hashlib.sha256(stamp.encode("utf-8", "surrogatepass"))

    def add(*parts: bytes) -> None:
        digest.update(b"".join(b"%d:%s" % (len(part), part) for part in parts))

    add(git.run(repository, "for-each-ref", "--format=%(objectname) %(refname) %(symref)"))
    for place in _stores(repository):
        # Where refs are in tables, their list stands for HEAD. `git gc` writes reflogs anew: their times say nothing.
        told = (os.path.join(place, name) for name in (b"HEAD", b"shallow", b"reftable/tables.list"))
        for path in (*told, *_files_below(os.path.join(place, b"logs"))):
            add(path, _content(path))
    if not repository.variables:
        # A repository may have a `.git` and say that it is a bare one.
        listed = git.run(repository, "ls-files", "-z", "--cached", "--others", "--exclude-standard", failing=(128,))
        for name in listed.split(b"\0"):
            add(name, _status(os.path.join(os.fsencode(repository.top), name)))
    return digest.hexdigest()


def _stores(repository: git.Repository) -> list[bytes]:
    """The folders that hold HEAD, reflogs and what else is no object: a linked work tree has two."""
    top = os.fsencode(repository.top)
    store = os.path.join(top, b".git")
    if repository.variables:
        return [top]
    if os.path.isdir(store) and not os.path.exists(os.path.join(store, b"commondir")):
        return [store]
    found = git.run(repository, "rev-parse", "--absolute-git-dir", "--git-common-dir")
    folder, common = found.split(b"\n")[:2]
    return sorted({folder, os.path.normpath(os.path.join(top, common))})


def _files_below(folder: bytes) -> list[bytes]:
    return sorted(os.path.join(here, name) for here, _, names in os.walk(folder) for name in names)


def _content(path: bytes) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def _status(path: bytes) -> bytes:
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return b""
    return b"%d %d %d" % (found.st_size, found.st_mtime_ns, found.st_mode)
