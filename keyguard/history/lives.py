"""When a key came to a path, when it went, and which tips still hold it: a history's changes read for a few keys."""

from __future__ import annotations

import datetime as dt
import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from keyguard.discover import git, shown
from keyguard.history.objects import batches, named
from keyguard.leaks import MOST_REFS, Moment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from keyguard.discover.git import Repository
    from keyguard.history.walk import Change

_MOST_QUESTIONS = 400_000  # of `<tip>:<path>`: 3 s; tips beyond are not asked about, HEAD and branches come first
_ASKED_AT_ONCE = 8_000
_ASKING = 2
HEAD = "HEAD"


class Tip(NamedTuple):
    """A ref: its name without `refs/`, the commit it names, and the tag object it names that by, if it does."""

    name: str
    commit: str
    tag: str = ""


class Life(NamedTuple):
    """What became of a key at a path: the newest blob there that held it, the commits that brought it and took it.

    `first` is empty where the changes do not go back so far, `last` where nothing took it.
    """

    path: str
    blob: str
    first: str
    last: str


def tips_of(repository: Repository) -> list[Tip]:
    """List the refs that name commits, HEAD first (with its branch's name), then branches, tags and the rest.

    Raises:
        GitError: as `git.run`.
    """
    form = "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)"
    tips = []
    for line in git.run(repository, "for-each-ref", form).decode("utf-8", "surrogateescape").splitlines():
        kind, name, inner, target, ref = line.split(" ", 4)
        commit = name if kind == "commit" else target if inner == "commit" else ""
        if commit:
            tips.append(Tip(shown(ref.removeprefix("refs/")), commit, name if kind == "tag" else ""))
    branch, commit = head_of(repository)
    tips.sort(key=lambda tip: (tip.name != f"heads/{branch}", _order(tip.name), tip.name))
    return [Tip(HEAD, commit), *tips] if commit else tips


def head_of(repository: Repository) -> tuple[str, str]:
    """Give the branch that is checked out (empty when none is) and its commit (empty before the first)."""
    branch = git.run(repository, "symbolic-ref", "-q", "--short", "HEAD", failing=(1, 128)).decode("utf-8", "replace")
    commit = git.run(repository, "rev-parse", "-q", "--verify", "HEAD^{commit}", failing=(1, 128)).decode("ascii")
    return shown(branch.strip()), commit.strip()


def _order(name: str) -> int:
    kinds = ("heads/", "remotes/", "tags/", "stash")
    return next((number for number, kind in enumerate(kinds) if name.startswith(kind)), len(kinds))


def lives(changes: Iterable[Change], keys: Mapping[str, Collection[str]]) -> dict[str, list[Life]]:
    """Tell for each key what became of it at each path.

    `changes` come newest first; `keys` are those of each blob. A commit that moves a key inside a file, or replaces one
    version that holds it by another, neither brings nor takes it.
    """
    newest: dict[tuple[str, str], str] = {}
    first: dict[tuple[str, str], str] = {}
    last: dict[tuple[str, str], str] = {}
    for change in changes:
        new = keys.get(change.new, ())
        olds = [keys.get(old, ()) for old in change.olds]
        for key in new:
            place = (key, change.path)
            newest.setdefault(place, change.new)
            if not any(key in old for old in olds):
                first[place] = change.commit  # an older change comes later and wins
        for key in {key for old in olds for key in old} - set(new):
            last.setdefault((key, change.path), change.commit)
    found: dict[str, list[Life]] = defaultdict(list)
    for (key, path), blob in newest.items():
        place = (key, path)
        found[key].append(Life(path, blob, first.get(place, ""), last.get(place, "")))
    return dict(found)


def containing(repository: Repository, tips: Sequence[Tip], commit: str) -> Holders:
    """Tell which tips a commit is in the history of.

    Raises:
        GitError: as `git.run`.
    """
    found = git.run(repository, "for-each-ref", "--format=%(refname)", "--contains", commit)
    names = {shown(line.removeprefix("refs/")) for line in found.decode("utf-8", "surrogateescape").splitlines()}
    head = next((tip.commit for tip in tips if tip.name == HEAD), None)
    is_in_head = head is not None and any(tip.commit == head and tip.name in names for tip in tips)
    if head is not None and not is_in_head:  # HEAD may stand where no branch does
        is_in_head = not git.run(repository, "rev-list", "--max-count=1", commit, f"^{head}", "--")
    refs = [tip.name for tip in tips if tip.name in names]
    return Holders(is_in_head, tuple(refs[:MOST_REFS]), len(refs))


class Holders(NamedTuple):
    """Who still holds a key at a path: HEAD's tip or not, the first names of other refs, and how many those are."""

    at_head: bool = False
    refs: tuple[str, ...] = ()
    ref_count: int = 0


def held(
    repository: Repository, tips: Sequence[Tip], paths: Collection[str], keys: Mapping[str, Collection[str]]
) -> tuple[dict[tuple[str, str], Holders], bool]:
    """Tell which tips hold which key at which path, by key and path; and whether every tip could be asked.

    `keys` are those of each blob.

    Raises:
        GitError: as `git.run`.
    """
    asked = [path for path in paths if "\n" not in path]  # what git reads line by line
    commits = list(dict.fromkeys(tip.commit for tip in tips))
    some = commits[: max(1, _MOST_QUESTIONS // max(1, len(asked)))]
    holding: dict[tuple[str, str], set[str]] = defaultdict(set)
    questions = [(commit, path) for commit in some for path in asked]
    parts = [questions[at : at + _ASKED_AT_ONCE] for at in range(0, len(questions), _ASKED_AT_ONCE)]
    with ThreadPoolExecutor(_ASKING) as pool:  # git is asked by processes, which need no lock of ours
        ask = pool.map(lambda part: named(repository, (f"{commit}:{path}" for commit, path in part)), parts)
        for part, answers in zip(parts, ask, strict=True):
            for (commit, path), answer in zip(part, answers, strict=True):
                for key in () if answer is None else keys.get(answer.name, ()):
                    holding[key, path].add(commit)
    found = {place: _holders(tips, by) for place, by in holding.items()}
    return found, len(some) == len(commits) and len(asked) == len(paths)


def _holders(tips: Sequence[Tip], commits: Collection[str]) -> Holders:
    names = [tip.name for tip in tips if tip.commit in commits]
    refs = [name for name in names if name != HEAD]
    return Holders(HEAD in names, tuple(refs[:MOST_REFS]), len(refs))


def moments(repository: Repository, commits: Collection[str], clean: Callable[[str], str]) -> dict[str, Moment]:
    """Read who made some commits or tags, when, and what they say they do; `clean` masks keys in a text.

    Raises:
        GitError: as `git.run`.
    """
    found = {}
    for batch in batches(repository, sorted(commits)):
        for name, kind, start, end in zip(batch.names, batch.types, batch.starts, batch.ends, strict=True):
            if kind in {"commit", "tag"}:
                found[name] = _moment(name, batch.data[start:end], clean)
    return found


def message_of(data: bytes) -> bytes:
    """Give what a person wrote in a commit or an annotated tag: what follows the first empty line."""
    return data.partition(b"\n\n")[2]


def tag_name(data: bytes) -> str:
    """Give the name that an annotated tag's object says it has."""
    found = next((line[4:] for line in data.partition(b"\n\n")[0].split(b"\n") if line.startswith(b"tag ")), b"")
    return shown(os.fsdecode(found))


def _moment(name: str, data: bytes, clean: Callable[[str], str]) -> Moment:
    head, _, message = data.partition(b"\n\n")
    author, date = b"", ""
    for line in head.split(b"\n"):
        if line.startswith((b"author ", b"tagger ")):
            author, date = _author(line[7:])
            break
    subject = message.lstrip(b"\n").split(b"\n", 1)[0]
    return Moment(name, date, clean(_text(author)), clean(_text(subject)))


def _author(line: bytes) -> tuple[bytes, str]:
    """Read `Name <mail> seconds zone`; any part may be missing or wrong in what people's tools wrote."""
    name, _, rest = line.rpartition(b"> ")
    seconds = rest.split(b" ")[0]
    try:
        date = dt.datetime.fromtimestamp(int(seconds), tz=dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        date = ""
    return name.partition(b"<")[0].strip() or name.partition(b"<")[2], date


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
