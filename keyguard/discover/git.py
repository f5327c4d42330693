"""Asks git, hardened: no hook, no pager, no filter, no lock, no network, and never a path taken for an option."""

from __future__ import annotations

import contextlib
import os
import re

from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator, Sequence
    from typing import IO

# os.path and not pathlib: pathlib costs 8 ms at start, and a hook has 70.
# ruff: noqa: PTH100, PTH109, PTH110, PTH112, PTH113, PTH118, PTH120

# What a repository's own configuration could make git run or print is turned off on the command line.
_HARDENED = (
    "--no-pager",
    "-c",
    "core.fsmonitor=false",
    "-c",
    f"core.hooksPath={os.devnull}",
    "-c",
    "core.quotepath=false",
)
# `git rev-parse --local-env-vars`: they describe one repository and mislead git in any other.
_LOCAL_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
_LEFT_OUT = frozenset(
    {*_LOCAL_VARIABLES, "GIT_EXTERNAL_DIFF"}
    | {f"GIT_{kind}_PATHSPECS" for kind in ("GLOB", "ICASE", "LITERAL", "NOGLOB")},
)
_PATHS_AT_ONCE = 400  # of 4 KB at most: under the 2 MB a command line may have
_READ_AT_ONCE = 1 << 16
_NEW_IN_INDEX = ("diff", "--cached", "--name-only", "-z", "--no-renames", "--no-relative", "--diff-filter=A")
_LINK, _SUBMODULE = b"120000", b"160000"


class GitError(Exception):
    """Git failed or is not there; the message is git's own first line."""


class Repository(NamedTuple):
    """A repository: the folder git runs in (a work tree's top), and the variables that describe it to git."""

    top: str
    variables: tuple[tuple[str, str], ...] = ()


class Staged(NamedTuple):
    """A file of the index that differs from HEAD: its path from the top, its blob."""

    path: str
    blob: str


class Change(NamedTuple):
    """A file a commit changed: `added` are the first and last numbers of the runs of lines that no parent has.

    `added` None means that git could not tell, so every line counts.
    """

    commit: str
    path: str
    blob: str
    added: tuple[tuple[int, int], ...] | None


def repository_of(folder: str) -> Repository | None:
    """Find the repository a folder's files belong to; None outside git.

    The nearest `.git` counts, folder or file (linked work trees and submodules have a file). GIT_DIR and
    GIT_WORK_TREE count for the folders below the work tree they name that have no nearer `.git`.
    """
    top = _nearest_top(folder)
    cwd = os.getcwd()
    git_dir = os.environ.get("GIT_DIR")
    if git_dir:
        tree = os.path.realpath(os.environ.get("GIT_WORK_TREE") or cwd)
        if _is_below(folder, tree) and (top is None or _is_below(tree, top)):
            return Repository(tree, (("GIT_DIR", os.path.abspath(git_dir)), ("GIT_WORK_TREE", tree), *_index_file()))
    if top is None:
        return None
    # `git commit` gives its hooks a temporary index; it belongs to the repository the hook runs in.
    return Repository(top, _index_file() if not git_dir and top == _nearest_top(cwd) else ())


def is_git_folder(folder: str) -> bool:
    """Tell whether a folder is itself a repository's store: a bare repository, or a `.git`."""
    return (
        os.path.isfile(os.path.join(folder, "HEAD"))
        and os.path.isdir(os.path.join(folder, "objects"))
        and os.path.isdir(os.path.join(folder, "refs"))
    )


def run(repository: Repository, *arguments: str, given: bytes | None = None, failing: tuple[int, ...] = ()) -> bytes:
    """Run git in a repository and return what it prints.

    Args:
        repository: where.
        arguments: the command and its arguments.
        given: what git reads on its standard input.
        failing: exit codes that are answers, not errors.

    Raises:
        GitError: git is not installed, or ended with any other exit code than 0.
    """
    import subprocess  # noqa: PLC0415  # 4 ms, and a hook that names its files needs no git

    try:
        done = subprocess.run(  # noqa: S603  # no shell; paths stand behind `--`
            _command(arguments),
            cwd=repository.top,
            env=_environment(repository),
            input=given if given is not None else b"",
            capture_output=True,
            check=False,
            start_new_session=True,  # Ctrl-C is keyguard's to answer: git must not end in the middle of its own
        )
    except OSError as error:
        msg = "git is not installed" if isinstance(error, FileNotFoundError) else f"git did not start: {error}"
        raise GitError(msg) from error
    if done.returncode not in {0, *failing}:
        raise GitError(_first_line(done.stderr) or f"git ended with {done.returncode}")
    return done.stdout


def start(
    repository: Repository, *arguments: str, before: Sequence[str] = (), output: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start git with pipes at both ends, for what is too large to hold; raises GitError as `run` does.

    `before` are options that stand before the command; with an `output` git writes there instead of to a pipe.
    """
    import subprocess  # noqa: PLC0415  # 4 ms, and a hook that names its files needs no git

    try:
        return subprocess.Popen(  # noqa: S603  # no shell; arguments are ours and object names
            _command((*before, *arguments)),
            cwd=repository.top,
            env=_environment(repository),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if output is None else output,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # as above
        )
    except OSError as error:
        msg = "git is not installed" if isinstance(error, FileNotFoundError) else f"git did not start: {error}"
        raise GitError(msg) from error


def files_below(repository: Repository, folder: str, *, with_ignored: bool = False) -> list[str]:
    """List the tracked and the untracked but not ignored files below a folder (from the top, "" for the top itself).

    Each once, paths from the top; a submodule is one entry, as is another repository in the tree, which ends in `/`.
    """
    arguments = ["--literal-pathspecs", "ls-files", "-z", "--cached", "--others"]
    if not with_ignored:
        arguments.append("--exclude-standard")
    found = run(repository, *arguments, "--", folder or ".")
    return list(dict.fromkeys(os.fsdecode(found).split("\0")[:-1]))


def ignored(repository: Repository, paths: Sequence[str]) -> set[str]:
    """Tell which of some paths (from the top) git ignores."""
    # A name may begin with `:`, git's mark of pathspec magic, and this command refuses `--literal-pathspecs`.
    given = b"".join(b"./" + os.fsencode(path) + b"\0" for path in paths)
    found = run(repository, "check-ignore", "-z", "--stdin", given=given, failing=(1,)) if paths else b""
    return {path[2:] for path in _names(found)}


def staged(repository: Repository) -> list[Staged]:
    """List the files of the index that differ from HEAD, or all of them before the first commit.

    Deleted files, links and submodules are left out; a renamed file stands under its new name.
    """
    found = run(
        repository,
        "diff",
        "--cached",
        "--raw",
        "-z",
        "--no-abbrev",
        "--no-renames",
        "--no-ext-diff",
        "--no-relative",
        "--ignore-submodules=all",
        "--diff-filter=ACMRT",
    )
    fields = found.split(b"\0")
    result = []
    for head, path in zip(fields[0::2], fields[1::2], strict=False):
        # :100644 100644 <old blob> <new blob> M
        _, mode, _, blob, _ = head.split(b" ")
        if mode not in {_LINK, _SUBMODULE}:
            result.append(Staged(os.fsdecode(path), blob.decode("ascii")))
    return result


def statuses(repository: Repository, paths: Sequence[str]) -> dict[str, str]:
    """Tell for each path (from the top): `tracked`, `staged` (new in the index), `untracked` or `ignored`."""
    found = dict.fromkeys(paths, "untracked")
    for at in range(0, len(paths), _PATHS_AT_ONCE):
        some = paths[at : at + _PATHS_AT_ONCE]
        tracked = _names(run(repository, "--literal-pathspecs", "ls-files", "-z", "--cached", "--", *some))
        if tracked:
            fresh = _names(run(repository, "--literal-pathspecs", *_NEW_IN_INDEX, "--", *some))
            found.update((path, "staged" if path in fresh else "tracked") for path in some if path in tracked)
        hidden = ignored(repository, [path for path in some if path not in tracked])
        found.update(dict.fromkeys(hidden, "ignored"))
    return found


def sizes(repository: Repository, blobs: Iterable[str]) -> dict[str, int]:
    """Give the size in bytes of each blob; one that is not there (a partial clone) is left out."""
    given = "".join(f"{blob}\n" for blob in dict.fromkeys(blobs)).encode("ascii")
    if not given:
        return {}
    lines = run(repository, "cat-file", "--batch-check", given=given).decode("ascii", "replace").splitlines()
    fields = (line.split(" ") for line in lines)
    return {name: int(rest[1]) for name, *rest in fields if len(rest) > 1 and rest[0] == "blob"}


def committed(repository: Repository, path: str) -> bytes | None:
    """Read a file, named from the repository's top, as the last commit holds it; None where it does not."""
    try:
        return run(repository, "cat-file", "blob", f"HEAD:{path}")
    except GitError:
        return None


class Blobs:
    """Reads blobs one after another through a single git process."""

    def __init__(self, repository: Repository) -> None:
        """Start the process; raises GitError as `run` does."""
        self._process = start(repository, "cat-file", "--batch")

    def read(self, blob: str) -> bytes | None:
        """Give a blob's bytes; None if it is not there."""
        given, shown = self._process.stdin, self._process.stdout
        if given is None or shown is None:
            return None
        try:
            given.write(f"{blob}\n".encode("ascii"))
            given.flush()
        except OSError:
            return None
        head = shown.readline().split()
        if len(head) != 3 or head[1] != b"blob":  # noqa: PLR2004  # name, type, size
            return None
        size = int(head[2])
        data = shown.read(size)
        shown.read(1)
        return data if len(data) == size else None

    def close(self) -> None:
        """End the process."""
        stop(self._process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process, finished or not, and close both its pipes."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what is still in the pipe has nowhere to go
                pipe.close()
    process.wait()


def commits_of(repository: Repository, revisions: Sequence[str]) -> list[tuple[str, int]]:
    """List the commits that revisions stand for, oldest first, each with the number of its parents.

    Raises:
        GitError: no such revision.
    """
    found = run(repository, "rev-list", "--reverse", "--topo-order", "--parents", *revisions, "--")
    return [(line.split(" ")[0], line.count(" ")) for line in found.decode("ascii", "replace").splitlines()]


def changes(repository: Repository, commits: Sequence[tuple[str, int]]) -> Iterator[Change]:
    """Yield what each commit adds, file by file: only lines that none of its parents has, renames followed."""
    import threading  # noqa: PLC0415  # in memory once subprocess is

    parents = dict(commits)
    process = start(
        repository,
        "diff-tree",
        "--stdin",
        "-r",
        "-m",
        "--root",
        "-p",
        "-U0",
        "-M",
        "-l1000",
        "--text",
        "--full-index",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--no-relative",
        "--src-prefix=a/",
        "--dst-prefix=b/",
        "--ignore-submodules=all",
    )
    given = process.stdin
    feeder = threading.Thread(target=feed, args=(given, [commit for commit, _ in commits]), daemon=True)
    try:
        feeder.start()
        yield from _merged(_file_changes(process), parents)
    finally:
        process.kill()  # first, or the feeder might wait for ever
        feeder.join()
        stop(process)


def feed(pipe: object, names: Iterable[str]) -> None:
    """Hand git the names of objects while it prints: both pipes fill up otherwise. The pipe is closed at the end."""
    import io  # noqa: PLC0415  # in memory at any start of Python

    if isinstance(pipe, io.BufferedIOBase):
        with contextlib.suppress(OSError, ValueError), pipe:  # git was stopped: nobody wants the rest
            pipe.writelines(f"{name}\n".encode("ascii") for name in names)


def _merged(found: Iterator[Change], parents: dict[str, int]) -> Iterator[Change]:
    """Keep of a merge only what differs from every parent: the rest was added by another commit."""
    commit, waiting = "", dict[str, list[Change]]()
    for change in found:
        if change.commit != commit:
            yield from _of_all_parents(waiting, parents.get(commit, 1))
            commit, waiting = change.commit, {}
        waiting.setdefault(change.path, []).append(change)
    yield from _of_all_parents(waiting, parents.get(commit, 1))


def _of_all_parents(waiting: dict[str, list[Change]], parents: int) -> Iterator[Change]:
    for same_file in waiting.values():
        if len(same_file) < parents:
            continue
        first, *others = same_file
        added = first.added
        for other in others:
            added = other.added if added is None else _intersection(added, other.added)
        if added is None or added:
            yield first._replace(added=added)


def _intersection(
    left: tuple[tuple[int, int], ...],
    right: tuple[tuple[int, int], ...] | None,
) -> tuple[tuple[int, int], ...]:
    if right is None:
        return left
    result, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start <= end:
            result.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(result)


def _file_changes(process: subprocess.Popen[bytes]) -> Iterator[Change]:
    """Read what `diff-tree -p -U0` prints: per commit its name, per file a head and hunks."""
    commit = b""
    head: list[bytes] = []
    added: list[tuple[int, int]] = []
    for line in _without_content(process):
        if line.startswith(b"@@ "):
            first, count = _numbers(line)[2:]
            if count:
                added.append((first, first + count - 1))
        elif line.startswith(b"diff --git "):
            yield from _change(commit, head, added)
            head, added = [line], []
        elif re.fullmatch(rb"[0-9a-f]{40,64}\n", line):
            yield from _change(commit, head, added)
            commit, head, added = line.strip(), [], []
        else:
            head.append(line)
    yield from _change(commit, head, added)
    if process.wait():
        msg = f"git diff-tree ended with {process.returncode}, so the range was not read to its end"
        raise GitError(msg)


def _without_content(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield a patch's lines without those of the files, which may look like anything: a hunk's head counts them."""
    left, at_start = 0, True
    stream = process.stdout
    while stream is not None and (line := stream.readline(_READ_AT_ONCE)):
        begins, at_start = at_start, line.endswith(b"\n")
        if not begins or line.startswith(b"\\"):  # the rest of a long line; "\ No newline at end of file"
            continue
        if left:
            left -= 1
            continue
        if line.startswith(b"@@ "):
            _, old, _, new = _numbers(line)
            left = old + new
        yield line


def _numbers(line: bytes) -> tuple[int, int, int, int]:
    """Read a hunk's head: first line and count in the old file, then in the new one."""
    match = re.match(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line)
    if match is None:
        msg = "git diff-tree printed a hunk that cannot be read"
        raise GitError(msg)
    old, old_count, new, new_count = match.groups(b"1")
    return int(old), int(old_count), int(new), int(new_count)


def _change(commit: bytes, head: list[bytes], added: list[tuple[int, int]]) -> Iterator[Change]:
    blob, mode, path, binary = b"", b"", b"", False
    for raw in head if commit else ():
        line = raw.rstrip(b"\n")
        if line.startswith(b"index "):
            names, _, same_mode = line[6:].partition(b" ")
            blob, mode = names.partition(b"..")[2], same_mode or mode
        elif line.startswith((b"new file mode ", b"new mode ")):
            mode = line.rpartition(b" ")[2]
        elif line.startswith(b"+++ "):
            path = _unquoted(line[4:].removesuffix(b"\t"))
        elif line.startswith(b"Binary files "):
            binary, path = True, path or _path_of_head(head[0])
    if blob.strip(b"0") and mode not in {_LINK, _SUBMODULE} and path.startswith(b"b/") and (added or binary):
        ranges = None if binary else tuple(added)
        yield Change(commit.decode("ascii"), os.fsdecode(path[2:]), blob.decode("ascii"), ranges)


def _path_of_head(line: bytes) -> bytes:
    """Take the new path from `diff --git a/x b/x`, which has no other place for it in a binary file."""
    names = line[len(b"diff --git ") :].rstrip(b"\n")
    if names.endswith(b'"'):
        return _unquoted(names[names.rindex(b' "') + 1 :])
    return names[len(names) // 2 + 1 :]  # both names are the same: a renamed file has "rename to"


_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


def _unquoted(name: bytes) -> bytes:
    """Undo git's quoting of a name with a quote, a backslash or a control character."""
    if not name.startswith(b'"'):
        return name
    return re.sub(
        rb"\\([0-7]{3}|.)",
        lambda match: bytes([int(match[1], 8) & 255]) if len(match[1]) > 1 else _ESCAPES.get(match[1], match[1]),
        name[1:-1],
        flags=re.DOTALL,
    )


def _names(found: bytes) -> set[str]:
    return set(os.fsdecode(found).split("\0")[:-1])


def _command(arguments: Sequence[str]) -> list[str]:
    return ["git", *_HARDENED, *arguments]


def _environment(repository: Repository) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    environment.update(
        repository.variables,
        GIT_OPTIONAL_LOCKS="0",
        # Where `.git` is broken, a repository around it must not stand in for it.
        GIT_CEILING_DIRECTORIES=os.path.dirname(repository.top),
        GIT_TERMINAL_PROMPT="0",
        # What stands in for an object or a parent would hide what is really there.
        GIT_NO_REPLACE_OBJECTS="1",
        GIT_GRAFT_FILE=os.devnull,
        # A partial clone would fetch what it misses: keyguard connects to nothing.
        GIT_NO_LAZY_FETCH="1",
        GIT_ALLOW_PROTOCOL="none",
        LC_ALL="C",
    )
    return environment


def _index_file() -> tuple[tuple[str, str], ...]:
    name = os.environ.get("GIT_INDEX_FILE")
    return (("GIT_INDEX_FILE", os.path.abspath(name)),) if name else ()


def _nearest_top(folder: str) -> str | None:
    while True:
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _first_line(shown: bytes) -> str:
    lines = [line for line in shown.decode("utf-8", "backslashreplace").splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (fatal or lines or [""])[0].removeprefix("fatal: ").removeprefix("error: ")
