"""Makes git ignore a file before a key is written to it, in a way that outlasts what hooks undo."""

from __future__ import annotations

import os

from keyguard.discover import git
from keyguard.keystore.base import StoreError
from keyguard.keystore.rewriting import failed, rewrite
from keyguard.settings import display
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keyguard.discover.git import Repository

# os.path and not pathlib: pathlib costs 8 ms at start, and a hook has 70.
# ruff: noqa: PTH103, PTH113, PTH114, PTH117, PTH118, PTH119, PTH120

IGNORE_FILE = ".gitignore"
# What a writer that was killed leaves beside the file (`keyguard.files`): it holds what the file was to hold.
_LEFTOVERS = b".keyguard-*.tmp"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Verdict(NamedTuple):
    """The pattern that decides about a path: where it stands, and its text; behind a `!` it says "not ignored"."""

    source: str
    line: str
    pattern: str


def ignore(root: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Make git ignore some paths (from the root), and give the files that were changed for it.

    The line goes to `.git/info/exclude`, which is no part of the work tree: pre-commit puts tracked files back where a
    hook's changes meet unstaged ones, `.gitignore` too. And it goes to the nearest `.gitignore`, for whoever clones,
    unless one ignores the path already.

    Raises:
        StoreError: git tracks a path, would not ignore it for all that, or cannot be asked.
    """
    changed: dict[str, None] = {}
    for path in paths:
        place = os.path.realpath(os.path.join(root, path))  # the file that a link leads to is what holds the key
        repository = git.repository_of(os.path.dirname(place))
        if repository is None:
            # It may become one: `git init && git add .` is what people do with a folder that works.
            changed.update(dict.fromkeys(_noted(os.path.dirname(place), place)))
        else:
            try:
                changed.update(dict.fromkeys(_ignored(repository, place)))
            except git.GitError as error:
                message = f"git cannot say if it ignores {display(place)} ({error}); repair that, then run this again"
                raise StoreError(message) from None
    return tuple(changed)


def _ignored(repository: Repository, place: str) -> Iterator[str]:
    top = os.path.realpath(repository.top)
    path = _from(top, place)
    _refuse_tracked(repository, path)
    verdict = _verdict(repository, path)
    if verdict is not None and verdict.pattern.startswith("!"):
        # Even with a line of ours behind it in the same file, a hook's rollback would bring it back alone.
        raise _let_through(path, verdict, top)
    exclude = os.path.join(
        top, os.fsdecode(git.run(repository, "rev-parse", "--git-path", "info/exclude")).rstrip("\n")
    )
    if _with_lines(exclude, _pattern(path), _LEFTOVERS):
        yield exclude
    # A user's own `core.excludesFile` may be called .gitignore too, and has an absolute path.
    if verdict is None or os.path.isabs(verdict.source) or os.path.basename(verdict.source) != IGNORE_FILE:
        yield from _noted(top, place)
    if path not in git.ignored(repository, [path]):
        raise _let_through(path, _verdict(repository, path), top)


def _refuse_tracked(repository: Repository, path: str) -> None:
    """Refuse what git tracks, in a hook's index (`git commit FILE` makes a temporary one) or in the user's."""
    plain = repository._replace(variables=tuple(pair for pair in repository.variables if pair[0] != "GIT_INDEX_FILE"))
    for view in {repository, plain}:
        if git.statuses(view, [path])[path] in {"tracked", "staged"}:
            message = (
                f"git tracks {path}, so a key in it would be published; run `git rm --cached -- {path}` "
                f"(the file stays on your disk), commit that, then run this again"
            )
            raise StoreError(message)


def _verdict(repository: Repository, path: str) -> Verdict | None:
    given = b"./" + os.fsencode(path) + b"\0"
    found = git.run(repository, "check-ignore", "-v", "-n", "-z", "--stdin", given=given, failing=(1,))
    source, line, pattern, *_ = os.fsdecode(found).split("\0") + [""] * 3
    return Verdict(source, line, pattern) if source else None


def _let_through(path: str, verdict: Verdict | None, top: str) -> StoreError:
    if verdict is None or not verdict.pattern.startswith("!"):
        return StoreError(f"git does not ignore {path} although a line for it was added; add it to .gitignore by hand")
    source = display(os.path.join(top, verdict.source))
    return StoreError(
        f'{source}:{verdict.line}: "{verdict.pattern}" makes git take {path}, so a key in it would be published; '
        f"remove that line, or choose another env-file"
    )


def _noted(top: str, place: str) -> Iterator[str]:
    """Add a line to the nearest `.gitignore` from a file's folder up to the top, or make one at the top."""
    folder = os.path.dirname(place)
    while folder != top and not os.path.isfile(os.path.join(folder, IGNORE_FILE)):
        folder = os.path.dirname(folder)
    file = os.path.join(folder, IGNORE_FILE)
    # git reads no .gitignore through a link; the other line has to do.
    if not os.path.islink(file) and _with_lines(file, _pattern(_from(folder, place))):
        yield file


def _with_lines(file: str, *lines: bytes) -> bool:
    """Make sure that an ignore file has some lines; tell whether it had to be changed."""

    def change(old: bytes | None) -> bytes:
        old = old or b""
        if old.startswith(_WIDE_MARKS):
            message = f"{display(file)} is UTF-16, which git does not read; save it as UTF-8, then run this again"
            raise StoreError(message)
        end = b"\r\n" if b"\r\n" in old else b"\n"
        missing = [line + end for line in lines if line not in old.splitlines()]
        return b"".join([old, end if missing and old and not old.endswith(b"\n") else b"", *missing])

    folder = os.path.dirname(file)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise failed(file, "cannot be written", error) from None
    return rewrite(file, os.path.realpath(folder), change)


def _pattern(path: str) -> bytes:
    """Spell a path as a pattern: a bare name as people write it, which counts in folders below too, else that path."""
    special = {char: f"\\{char}" for char in "\\*?["}
    text = "".join(special.get(char, char) for char in path)
    bare = text.rstrip(" ")
    start = "/" if "/" in path or path[0] in "#!" else ""
    return os.fsencode(start + bare + "\\ " * (len(text) - len(bare)))


def _from(top: str, place: str) -> str:
    return os.path.relpath(place, top).replace(os.sep, "/")
