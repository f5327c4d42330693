"""Random histories against brute force: every commit's files looked at one by one, with nothing but git and `in`."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyguard.fingerprint import key_id
from keyguard.history import Memory, Progress
from tests.history.made import Made, Past
from tests.keys import make

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pytest

    from keyguard.history import History

KEYS = tuple(make("openai/project", f"oracle:{number}") for number in range(4))
PATHS = ("app.py", "conf.yaml", "deploy/.env", "notes.txt", "copy/app.py", "node_modules/x.js")
EXCLUDED = "node_modules"
REFS = ("refs/heads/main", "refs/heads/b", "refs/heads/c", "refs/stash")
NOISE = ("# nothing", "x = 1", "y: 2", "", "z=3")


class Line(NamedTuple):
    """A line of a file: noise, a key, or a key that a comment of the same line or the line above accepts."""

    kind: str
    number: int


class Edit(NamedTuple):
    """What one commit does: on which ref, which file it leaves how (None: gone), what it merges."""

    ref: int
    files: tuple[tuple[int, tuple[Line, ...] | None], ...]
    merges: int | None
    message: int | None
    day: int


LINES = st.builds(
    Line,
    st.sampled_from(["noise", "noise", "key", "key", "key", "beside", "above", "theirs"]),
    st.integers(0, len(KEYS) - 1),
)
FILES = st.lists(
    st.tuples(
        st.integers(0, len(PATHS) - 1),
        st.one_of(st.none(), st.lists(LINES, max_size=5).map(tuple)),
    ),
    max_size=2,
).map(tuple)
EDITS = st.builds(
    Edit,
    st.integers(0, len(REFS) - 1),
    FILES,
    st.one_of(st.none(), st.none(), st.integers(0, len(REFS) - 1)),
    st.one_of(st.none(), st.none(), st.none(), st.integers(0, len(KEYS) - 1)),
    st.integers(-2, 3),
)
STORIES = st.lists(EDITS, min_size=1, max_size=14)


def content(path: str, lines: Iterable[Line]) -> str:
    """A file in its own way of writing."""
    return "".join(f"{text}\n" for line in lines for text in _written(path, line))


def _written(path: str, line: Line) -> Sequence[str]:
    if line.kind == "noise":
        return (NOISE[line.number],)
    key = KEYS[line.number]
    form = {"py": 'k{} = "{}"', "js": 'const k{} = "{}"', "yaml": "k{}: {}"}.get(path.rpartition(".")[2], "K{}={}")
    text = form.format(line.number, key)
    if line.kind == "key" or path.endswith(".txt"):  # a text has no comments
        return (text,)
    if line.kind == "beside":
        return (f"{text}  # keyguard: ignore[KG1]",)
    return ("# keyguard: ignore[KG1]" if line.kind == "above" else "# pragma: allowlist nextline secret", text)


def shown(text: str) -> frozenset[int]:
    """The keys that no comment accepts, found with nothing but `in`."""
    found = set()
    lines = text.split("\n")
    for above, line in zip(["", *lines], lines, strict=False):
        accepted = "ignore[" in line or above.startswith(("# keyguard: ignore[", "# pragma: allowlist nextline"))
        found |= {number for number, key in enumerate(KEYS) if key in line and not accepted}
    return frozenset(found)


def told(edits: Sequence[Edit], tips: dict[int, str], past: Past) -> None:
    """Turn edits into a story; `tips` are the refs so far with the commits they name."""
    for edit in edits:
        name = f"c{len(past.told)}"
        parents = [tips[edit.ref]] if edit.ref in tips else []
        if edit.merges in tips and tips[edit.merges] not in parents:
            parents.append(tips[edit.merges])
        files = {PATHS[at]: None if lines is None else content(PATHS[at], lines) for at, lines in edit.files}
        message = None if edit.message is None else f"{name}\n\nwith {KEYS[edit.message]}\n"
        past.commit(name, files, on=REFS[edit.ref], after=parents, message=message, days=edit.day)
        tips[edit.ref] = name


class Truth:
    """What brute force knows of a repository."""

    def __init__(self, made: Made) -> None:
        """Look at every path of every commit."""
        listed = [line.split() for line in made.git("rev-list", "--date-order", "--parents", "--all").splitlines()]
        self.order = [name for name, *_ in listed]
        self.parents = {name: parents for name, *parents in listed}
        places = [(name, path) for name in self.order for path in PATHS]
        given = "".join(f"{name}:{path}\n" for name, path in places).encode()
        texts = _batch(made, given)
        self.texts = dict(zip(places, texts, strict=True))
        self.refs = dict(
            reversed(line.split(" ", 1))  # type: ignore[misc]
            for line in made.git("for-each-ref", "--format=%(objectname) %(refname:lstrip=1)").splitlines()
        )
        self.head = made.git("rev-parse", "-q", "--verify", "refs/heads/main") if "heads/main" in self.refs else ""

    def holds(self, commit: str, path: str) -> frozenset[int]:
        """The keys that a file holds in a commit."""
        return shown(self.texts[commit, path] or "")

    def lives(self) -> dict[tuple[int, str], tuple[str, str, frozenset[str], bool]]:
        """First and last commit, the refs and whether HEAD, of each key at each path."""
        found = {}
        for path, key in itertools.product(PATHS, range(len(KEYS))):
            if path.startswith(EXCLUDED) or not any(key in self.holds(commit, path) for commit in self.order):
                continue
            first = last = ""
            for commit in self.order:
                before = [self.holds(parent, path) for parent in self.parents[commit]]
                here = self.holds(commit, path)
                if key in here and not any(key in one for one in before):
                    first = commit
                if not last and key not in here and any(key in one for one in before) and self._is_own(commit, path):
                    last = commit
            refs = frozenset(ref for ref, tip in self.refs.items() if key in self.holds(tip, path))
            at_head = bool(self.head) and key in self.holds(self.head, path)
            found[key, path] = (first, "" if refs or at_head else last, refs, at_head)
        return found

    def _is_own(self, commit: str, path: str) -> bool:
        """Whether a commit left something there that no parent has."""
        return all(self.texts[parent, path] != self.texts[commit, path] for parent in self.parents[commit])

    def messages(self, made: Made) -> dict[tuple[int, str], frozenset[str]]:
        """The refs that reach each commit whose message holds a key."""
        reach: dict[str, set[str]] = {name: set() for name in self.order}
        for ref, tip in self.refs.items():
            for name in self._ancestors(tip):
                reach[name].add(ref)
        found = {}
        for name, text in zip(
            self.order, _batch(made, "".join(f"{one}\n" for one in self.order).encode()), strict=True
        ):
            for number in shown((text or "").partition("\n\n")[2]):
                found[number, name] = frozenset(reach[name])
        return found

    @functools.cache  # noqa: B019  # one of these lives as long as one example
    def _ancestors(self, name: str) -> frozenset[str]:
        return frozenset({name}).union(*(self._ancestors(parent) for parent in self.parents[name]))


def _batch(made: Made, given: bytes) -> list[str | None]:
    """The contents of objects, None for what is not there."""
    out = made.git("cat-file", "--batch", given=given) + "\n"
    texts: list[str | None] = []
    place = 0
    while place < len(out) and len(texts) < given.count(b"\n"):
        end = out.index("\n", place)
        head = out[place:end].split(" ")
        if head[-1] == "missing":
            texts.append(None)
            place = end + 1
            continue
        size = int(head[-1])
        texts.append(out[end + 1 : end + 1 + size])
        place = end + 1 + size + 1
    return texts


def seen(found: History) -> dict[tuple[int, str], tuple[str, str, frozenset[str], bool]]:
    """What was read, in the words of `Truth.lives`."""
    numbers = {key_id(key): number for number, key in enumerate(KEYS)}
    result = {}
    for one in found.sightings:
        if one.kind == "file":
            life = (
                one.first.commit if one.first else "",
                one.last.commit if one.last else "",
                frozenset(one.refs),
                one.at_head,
            )
            place = numbers[one.finding.key or ""], one.finding.path
            assert result.setdefault(place, life) == life, "one key at one path has one life"
    return result


def agrees(made: Made, found: History) -> None:
    """Hold a history against the truth."""
    truth = Truth(made)
    assert seen(found) == truth.lives()
    numbers = {key_id(key): number for number, key in enumerate(KEYS)}
    told_of = {(numbers[one.finding.key or ""], one.blob): one.refs for one in found.sightings if one.kind == "message"}
    assert {place: frozenset(refs) for place, refs in told_of.items()} == truth.messages(made)
    assert (found.commits, found.missing) == (len(truth.order), 0)
    for one in found.sightings:
        if one.kind == "file":
            [text] = _batch(made, f"{one.blob}\n".encode())
            assert KEYS[numbers[one.finding.key or ""]] in (text or "").split("\n")[one.finding.line - 1]


class Interrupted:
    """Presses Ctrl-C when it is told something for the `at`-th time."""

    def __init__(self, at: int) -> None:
        """Wait."""
        self._left = at

    def __call__(self, _: Progress) -> None:
        """Count down."""
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt


_folders = itertools.count()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=STORIES, cut=st.integers(0, 14), stop=st.integers(1, 12))
def test_a_history_is_what_brute_force_finds(
    tmp_path_factory: pytest.TempPathFactory, story: list[Edit], cut: int, stop: int
) -> None:
    folder = tmp_path_factory.mktemp("oracle", numbered=True)
    tips: dict[int, str] = {}
    early, late = story[:cut] or story[:1], story[cut:] if cut else story[1:]
    past = Past()
    told(early, tips, past)
    made = past.write(folder / "r")
    # What was read before the rest came must not change what is found.
    kept = str(folder / "memory")
    first = made.read(memory=Memory(kept))
    agrees(made, first)
    assert made.read(memory=Memory(kept)) == first
    told(late, tips, past)
    made.add(past)
    fresh = made.read()
    agrees(made, fresh)
    interrupted = Memory(str(folder / "interrupted"))
    made.read(memory=interrupted, tell=Interrupted(stop))
    assert made.read(memory=Memory(str(folder / "interrupted"))) == fresh
    assert made.read(memory=Memory(kept)) == fresh
    assert made.read(memory=Memory(kept)) == fresh
