"""Random histories against brute force: every commit's files looked at one by one, with nothing but git and `in`."""

from __future__ import annotations

import functools
import importlib
import itertools
import json
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyguard.fingerprint import key_id
from keyguard.history import Memory, Progress
from keyguard.history.record import to_json
from tests.history.made import Made, Past
from tests.keys import make

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

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


class Change(NamedTuple):
    """What a commit does to a path: write it anew, delete it, move it to another path, or change one of its lines."""

    kind: str
    path: int
    lines: tuple[Line, ...]
    at: int


class Edit(NamedTuple):
    """One commit: on which ref, what it changes, which ref it merges, the key in its message, days since the last."""

    ref: int
    changes: tuple[Change, ...]
    merges: int | None
    message: int | None
    days: int


LINES = st.builds(
    Line,
    st.sampled_from(["noise", "key", "key", "key", "beside", "above", "theirs"]),
    st.integers(0, len(KEYS) - 1),
)
CHANGES = st.builds(
    Change,
    st.sampled_from(["write", "write", "delete", "move", "insert", "remove", "accept"]),
    st.integers(0, len(PATHS) - 1),
    st.lists(LINES, min_size=1, max_size=3).map(tuple),
    st.integers(0, 5),
)
EDITS = st.builds(
    Edit,
    st.sampled_from([0, 0, 0, 1, 2, 3]),
    st.lists(CHANGES, min_size=1, max_size=2).map(tuple),
    st.sampled_from([None, None, None, 0, 1, 2]),
    st.sampled_from([None, None, None, None, 0, 1]),
    st.sampled_from([1, 1, 1, 0, 3, -2]),
)
STORIES = st.lists(EDITS, min_size=8, max_size=16)
Files = dict[str, tuple[Line, ...]]


def changed(files: Files, change: Change) -> Files:
    """The files of a commit after one change."""
    path = PATHS[change.path]
    lines = files.get(path, ())
    at = change.at % (len(lines) or 1)
    others = {other: held for other, held in files.items() if other != path}
    if change.kind == "write" or not lines:
        return {**others, path: change.lines}
    if change.kind == "delete":
        return others
    if change.kind == "move":
        return {**others, PATHS[change.at]: lines}
    if change.kind == "insert":
        return {**others, path: (*lines[:at], *change.lines, *lines[at:])}
    if change.kind == "remove":
        return {**others, path: (*lines[:at], *lines[at + 1 :])}
    return {**others, path: (*lines[:at], Line(change.lines[0].kind, lines[at].number), *lines[at + 1 :])}


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


class Teller:
    """Turns edits into a story."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.past = Past()
        self._tips: dict[int, str] = {}
        self._trees: dict[str, Files] = {}

    def tell(self, edits: Sequence[Edit]) -> None:
        """Go on with the story."""
        for edit in edits:
            name = f"c{len(self._trees)}"
            parents = [self._tips[edit.ref]] if edit.ref in self._tips else []
            if edit.merges in self._tips and self._tips[edit.merges] not in parents:
                parents.append(self._tips[edit.merges])
            before = self._trees[parents[0]] if parents else {}
            after = functools.reduce(changed, edit.changes, before)
            files = {path: content(path, lines) for path, lines in after.items() if before.get(path) != lines}
            gone = dict.fromkeys(path for path in before if path not in after)
            message = None if edit.message is None else f"{name}\n\nwith {KEYS[edit.message]}\n"
            self.past.commit(name, {**files, **gone}, on=REFS[edit.ref], after=parents, message=message, days=edit.days)
            self._tips[edit.ref], self._trees[name] = name, after


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


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=STORIES, cut=st.integers(0, 14), stop=st.integers(1, 12))
def test_a_history_is_what_brute_force_finds(
    tmp_path_factory: pytest.TempPathFactory, story: list[Edit], cut: int, stop: int
) -> None:
    folder = tmp_path_factory.mktemp("oracle", numbered=True)
    teller = Teller()
    teller.tell(story[:cut] or story[:1])
    made = teller.past.write(folder / "r")
    # What was read before the rest came must not change what is found.
    kept = str(folder / "memory")
    first = made.read(memory=Memory(kept))
    agrees(made, first)
    assert made.read(memory=Memory(kept)) == first
    teller.tell(story[cut or 1 :])
    made.add(teller.past)
    fresh = made.read()
    agrees(made, fresh)
    interrupted = Memory(str(folder / "interrupted"))
    made.read(memory=interrupted, tell=Interrupted(stop))
    assert made.read(memory=Memory(str(folder / "interrupted"))) == fresh
    assert made.read(memory=Memory(kept)) == fresh
    assert made.read(memory=Memory(kept)) == fresh


# The number of processes ---------------------------------------------------------------------------------------------


def share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a unit of each object, and no text too small to hand on."""
    monkeypatch.setattr(importlib.import_module("keyguard.history.sift"), "UNIT", 1)
    monkeypatch.setattr(importlib.import_module("keyguard.engine"), "_ALONE_SIFTED", 0)


def test_two_processes_find_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share(monkeypatch)
    past = Past()
    for number in range(24):
        files = {
            f"f{number % 5}.py": f'k = "{KEYS[number % 4]}"\nx = {number}\n',
            "e/.env": f"K={KEYS[number % 3]}\nN={number}",
        }
        past.commit(f"c{number}", files, message=f"c{number}\n\nwith {KEYS[number % 4]}\n" if number % 2 else None)
    past.commit("side", {"side.py": f'k = "{KEYS[0]}"\n'}, on="refs/heads/side", after=["c3"])
    made = past.write(tmp_path / "r")
    one = made.read(jobs=1)
    assert len({sighting.finding.path for sighting in one.sightings}) > 15
    for _ in range(3):
        two = made.read(jobs=2)
        assert json.dumps(to_json(two)) == json.dumps(to_json(one))


def test_an_interruption_in_a_process_is_told_and_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share(monkeypatch)
    past = Past()
    for number in range(8):
        past.commit(f"c{number}", {f"f{number}.py": f'k = "{KEYS[number % 4]}"\nx = {number}\n'})
    made = past.write(tmp_path / "r")
    fresh = made.read()
    memory = Memory()
    partial = made.read(memory=memory, jobs=2, tell=Interrupted(5))
    assert not partial.is_complete
    assert {one.finding.path for one in partial.sightings} < {one.finding.path for one in fresh.sightings}
    assert made.read(memory=memory, jobs=2) == fresh


def test_an_interruption_while_texts_are_checked_leaves_what_was_found(tmp_path: Path) -> None:
    past = Past()
    for number in range(8):
        past.commit(f"c{number}", {f"f{number}.py": f'k = "{KEYS[number % 4]}"\nx = {number}\n'})
    made = past.write(tmp_path / "r")
    steps: list[Progress] = []

    def stop_at_third(step: Progress) -> None:
        steps.append(step)
        if step.step == "check" and step.done == 3:
            raise KeyboardInterrupt

    partial = made.read(tell=stop_at_third)
    assert not partial.is_complete
    assert 0 < len(partial.sightings) < 8
    assert (steps[0].step, steps[0].done, steps[0].total) == ("sift", steps[0].total, steps[0].total)
    assert [step[1:] for step in steps if step.step == "check"][:3] == [(1, 8), (2, 8), (3, 8)]


def test_what_was_read_before_an_interruption_is_not_read_again(tmp_path: Path) -> None:
    past = Past()
    past.commit("c", {"a.py": f'k = "{KEYS[0]}"\n'})
    made = past.write(tmp_path / "r")
    kept = str(tmp_path / "memory")

    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    found = made.read(memory=Memory(kept), tell=stop)
    assert not found.is_complete
    told_of: list[Progress] = []
    assert made.read(memory=Memory(kept), tell=told_of.append) == made.read()
    assert [step.step for step in told_of if step.step == "sift"] == [], "what was sifted is not sifted again"


def test_an_interruption_before_lives_are_known_leaves_the_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = Past()
    for number in range(3):
        past.commit(f"c{number}", {"a.py": f'k = "{KEYS[0]}"\nx = {number}\n', "b.py": f'k = "{KEYS[1]}"\n'})
    past.commit("last", {"b.py": None}, message=f"M\n\n{KEYS[2]}\n")
    made = past.write(tmp_path / "r")
    fresh = made.read()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    memory = Memory()
    with monkeypatch.context() as patched:
        patched.setattr("keyguard.history.held", interrupted)
        partial = made.read(memory=memory)
    assert not partial.is_complete
    assert [(one.finding.path, one.finding.key, one.kind, one.blob) for one in partial.sightings] == [
        (one.finding.path, one.finding.key, one.kind, one.blob) for one in fresh.sightings
    ]
    assert {(one.first, one.last, one.refs) for one in partial.sightings} == {(None, None, ())}
    assert made.read(memory=memory) == fresh
