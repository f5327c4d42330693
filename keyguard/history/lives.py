"""When a key came to a path, when it went, and which tips still hold it: a history's changes read for a few keys."""

from __future__ import annotations

import datetime as dt
import io
import os
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

from keyguard.discover import git, shown
from keyguard.history.objects import batches, resolved
from keyguard.leaks import MOST_REFS, Moment
from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from keyguard.discover.git import Repository
    from keyguard.history.objects import Object
    from keyguard.history.walk import Change

_MOST_QUESTIONS = 400_000  # of `<tip>:<path>`: 3 s; tips beyond are not asked about, HEAD and branches come first
_ASKED_AT_ONCE = 8_000
_ASKING = 2
_MOST_FOLDERS = 16  # of a path are asked for one by one; what lies deeper in one question
_ODD = regex(r"(?:^|/)\.{0,2}(?:/|$)")  # a path that no tree of git's own holds
_LINK = b"120000"
HEAD = "HEAD"


class Tip(NamedTuple):
    """A ref: its name without `refs/`, what it names, of which type, and the tag object it names that by, if it does.

    `kind` is `commit`, or `tree` or `blob` (a tag may name any object); `missing` or `damaged` when that is not there.
    """

    name: str
    commit: str
    tag: str = ""
    kind: str = "commit"


class Life(NamedTuple):
    """What became of a key at a path: the newest blob there that held it, the commits that brought it and took it.

    `first` is empty where the changes do not go back so far, `last` where nothing took it.
    """

    path: str
    blob: str
    first: str
    last: str


class Refs(NamedTuple):
    """What git says of a repository's refs: a line `<object> <ref>` each, and the `branch` and `commit` of HEAD.

    `branch` is empty when none is checked out, `commit` before the first one.
    """

    listed: str
    branch: str
    commit: str


def refs_of(repository: Repository) -> Refs:
    """Ask for the refs and HEAD.

    Raises:
        GitError: as `git.run`.
    """
    # Nothing else may be asked of a ref: for one whose object is missing git would end.
    found = git.run(repository, "for-each-ref", "--format=%(objectname) %(refname)").decode("utf-8", "surrogateescape")
    branch = git.run(repository, "symbolic-ref", "-q", "--short", "HEAD", failing=(1, 128)).decode("utf-8", "replace")
    commit = git.run(repository, "rev-parse", "-q", "--verify", "HEAD^{commit}", failing=(1, 128)).decode("ascii")
    return Refs(found, shown(branch.strip()), commit.strip())


def tips_of(repository: Repository, refs: Refs) -> list[Tip]:
    """Tell what the refs name: HEAD first (with its branch), then branches, tags and the rest.

    Raises:
        GitError: as `git.run`.
    """
    named = [
        (name, ref.removeprefix("refs/")) for name, _, ref in (line.partition(" ") for line in _lines(refs.listed))
    ]
    objects = resolved(repository, (name for name, _ in named))
    tips = [Tip(shown(ref), name, kind=found.type) for (name, ref), found in zip(named, objects, strict=True)]
    tags = [number for number, tip in enumerate(tips) if tip.kind == "tag"]
    ends = resolved(repository, (f"{tips[number].commit}^{{}}" for number in tags))
    for number, end in zip(tags, ends, strict=True):
        tips[number] = tips[number]._replace(commit=end.name, tag=tips[number].commit, kind=end.type)
    tips.sort(key=lambda tip: (tip.name != f"heads/{refs.branch}", _order(tip.name), tip.name))
    return [Tip(HEAD, refs.commit), *tips] if refs.commit else tips


def files_of(repository: Repository, tree: str) -> list[tuple[str, str]]:
    """List the files below a tree that no commit holds: path and blob; nothing for one that cannot be read.

    Raises:
        GitError: git is not there.
    """
    listed = git.run(repository, "ls-tree", "-r", "-z", "--full-tree", tree, failing=(128,))
    files = []
    for entry in listed.split(b"\0")[:-1]:
        head, _, path = entry.partition(b"\t")
        mode, kind, name = head.split(b" ")
        if kind == b"blob" and mode != _LINK:
            files.append((os.fsdecode(path), name.decode("ascii")))
    return files


def naming(repository: Repository, name: str) -> list[str]:
    """Give the refs that name an object, or a tag of it, without `refs/`.

    Raises:
        GitError: as `git.run`.
    """
    found = git.run(repository, "for-each-ref", "--format=%(refname)", "--points-at", name, failing=(128, 129))
    return [shown(line.removeprefix("refs/")) for line in _lines(found.decode("utf-8", "surrogateescape"))]


def _lines(text: str) -> list[str]:
    # Not `splitlines`: a name may hold other characters that end lines elsewhere.
    return text.split("\n")[:-1]


def _order(name: str) -> int:
    kinds = ("heads/", "remotes/", "tags/", "stash")
    return next((number for number, kind in enumerate(kinds) if name.startswith(kind)), len(kinds))


def lives(
    changes: Iterable[Change], keys: Mapping[str, Collection[str]], unsure: Collection[str] = ()
) -> dict[str, list[Life]]:
    """Tell for each key what became of it at each path.

    `changes` come newest first; `keys` are those of each blob. A commit that moves a key inside a file, or replaces one
    version that holds it by another, neither brings nor takes it. Of `unsure` commits nobody knows what stood before.
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
            # An older change comes later and wins.
            was_there = change.commit in unsure or any(key in old for old in olds)
            first[place] = "" if was_there else change.commit
        for key in {key for old in olds for key in old} - set(new):
            first[key, change.path] = ""
            last.setdefault((key, change.path), change.commit)
    found: dict[str, list[Life]] = defaultdict(list)
    for (key, path), blob in newest.items():
        place = (key, path)
        found[key].append(Life(path, blob, first.get(place, ""), last.get(place, "")))
    return dict(found)


class Holders(NamedTuple):
    """Who still holds a key at a path: HEAD's tip or not, the first names of other refs, and how many those are."""

    at_head: bool = False
    refs: tuple[str, ...] = ()
    ref_count: int = 0


def containing(repository: Repository, tips: Sequence[Tip], commits: Sequence[str]) -> dict[str, Holders]:
    """Tell of each of some commits which tips have it in their history; nothing of those that none has.

    Raises:
        GitError: as `git.run`, or commits in between are missing.
    """
    if not commits:
        return {}
    masks = _handed_on(repository, commits)
    names: list[list[str]] = [[] for _ in commits]
    head, wanted = 0, (1 << len(commits)) - 1
    counts: Counter[int] = Counter()
    for tip in tips:
        mask = masks.get(tip.commit.encode("ascii"), 0)
        if tip.name == HEAD:
            head = mask
            continue
        counts[mask] += 1
        for number in _numbers(mask & wanted):
            names[number].append(tip.name)
            if len(names[number]) == MOST_REFS:
                wanted ^= 1 << number
    totals = [0] * len(commits)
    for mask, count in counts.items():
        for number in _numbers(mask):
            totals[number] += count
    return {
        commit: Holders(bool(head >> number & 1), tuple(names[number]), totals[number])
        for number, commit in enumerate(commits)
    }


def _handed_on(repository: Repository, commits: Sequence[str]) -> dict[bytes, int]:
    """Hand a bit for each of some commits on from parents to children: one walk, however many are asked for."""
    bits = {commit.encode("ascii"): 1 << number for number, commit in enumerate(commits)}
    masks: dict[bytes, int] = {}
    for line in io.BytesIO(git.run(repository, "rev-list", "--topo-order", "--reverse", "--parents", "--all")):
        name, *parents = line.split()
        mask = bits.get(name, 0)
        for parent in parents:
            mask |= masks.get(parent, 0)
        if mask:
            masks[name] = mask
    return masks


def _numbers(mask: int) -> Iterator[int]:
    """Give the places of a number's bits."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def held(
    repository: Repository, tips: Sequence[Tip], paths: Collection[str], keys: Mapping[str, Collection[str]]
) -> tuple[dict[tuple[str, str], Holders], frozenset[str]]:
    """Tell which tips hold which key at which path, by key and path; and of which paths every tip could be asked.

    `keys` are those of each blob.

    Raises:
        GitError: as `git.run`.
    """
    # Git reads the questions line by line, and takes a path that begins so as one from the folder it runs in.
    asked = [path for path in paths if "\n" not in path and not path.startswith(("./", "../"))]
    commits = list(dict.fromkeys(tip.commit for tip in tips if tip.kind in {"commit", "tree"}))
    some = commits[: max(1, _MOST_QUESTIONS // max(1, len(asked)))]
    holding: dict[tuple[str, str], set[str]] = defaultdict(set)
    sure = set(asked) if len(some) == len(commits) else set()
    for (commit, path), answer in _looked_up(repository, some, asked).items():
        if answer.type == "damaged":
            sure.discard(path)
        for key in keys.get(answer.name, ()):
            holding[key, path].add(commit)
    return {place: _holders(tips, by) for place, by in holding.items()}, frozenset(sure)


def _looked_up(
    repository: Repository, trees: Sequence[str], paths: Collection[str], most: int = _MOST_FOLDERS
) -> dict[tuple[str, str], Object]:
    """Tell what stands at some paths below some trees, or in some commits, and what git failed on.

    Folder by folder: of scrapy's 5,569 tips 3,294 have different tests, and 60 different keys in those.
    """
    below: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        folder, _, rest = path.partition("/") if most and not _ODD.search(path) else (path, "", "")
        below[folder].append(rest)
    questions = [(tree, folder) for tree in trees for folder in below]
    parts = [questions[at : at + _ASKED_AT_ONCE] for at in range(0, len(questions), _ASKED_AT_ONCE)]
    held: dict[str, dict[str, Object]] = defaultdict(dict)
    with ThreadPoolExecutor(_ASKING) as pool:  # git is asked by processes, which need no lock of ours
        ask = pool.map(lambda part: resolved(repository, (f"{tree}:{folder}" for tree, folder in part)), parts)
        for part, answers in zip(parts, ask, strict=True):
            for (tree, folder), answer in zip(part, answers, strict=True):
                if answer.type != "missing":
                    held[folder][tree] = answer
    found: dict[tuple[str, str], Object] = {}
    for folder, there in held.items():
        rests = [rest for rest in below[folder] if rest]
        inner = dict.fromkeys(answer.name for answer in there.values() if answer.type == "tree")
        deeper = _looked_up(repository, list(inner), rests, most - 1) if rests and inner else {}
        for tree, answer in there.items():
            if "" in below[folder]:
                found[tree, folder] = answer
            for rest in rests:
                lower = answer if answer.type == "damaged" else deeper.get((answer.name, rest))
                if lower is not None:
                    found[tree, f"{folder}/{rest}"] = lower
    return found


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
