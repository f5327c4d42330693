"""A repository's whole history: every distinct text searched once, and for each key when it came, went and where it is.

Three steps: objects are sifted as git streams them (`sift`), versions that differ in what decides are checked by the
engine like any file, and the walk over the commits tells each finding's life (`walk`, `lives`).
"""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from keyguard.cache import digest_of
from keyguard.discover import Target, git, shown
from keyguard.engine import LazyProject, check_each
from keyguard.history.lives import Holders, containing, head_of, held, lives, message_of, moments, tag_name, tips_of
from keyguard.history.memory import Memory
from keyguard.history.objects import batches, listed, named
from keyguard.history.record import History, from_json, to_json
from keyguard.history.sift import Sifted, Suspect, sift, units
from keyguard.history.walk import Scope, Walk
from keyguard.leaks import Sighting
from keyguard.prefilter import Prefilter
from keyguard.source import is_env_file, kind_of, role_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from keyguard.discover.git import Repository
    from keyguard.engine import Outcome, Session
    from keyguard.history.lives import Tip
    from keyguard.history.objects import Object
    from keyguard.history.walk import Change
    from keyguard.model import Finding

# os.path and not pathlib: paths of a history are git's, and may not lie on this disk.
# ruff: noqa: PTH118

__all__ = ["History", "Memory", "Progress", "Scope", "read", "session_of", "target_of"]

_LARGE = 8 << 20  # bytes: a larger object is not streamed, but read in windows as a large file is
_MOST_MESSAGES = 50  # messages with a key for which git is asked what contains them: 10 ms each
_SHORT = 12  # hexadecimal digits by which a person names an object


class Progress(NamedTuple):
    """How far a step is: `sift` counts bytes of objects, `check` counts texts."""

    step: str
    done: int
    total: int


def session_of(session: Session) -> Session:
    """Make of a run's session one for its history: leaks only, no question about what git does with a file now."""
    project = LazyProject(session.project.root, session.catalogue)
    prefilter = Prefilter(session.catalogue, leaks_only=True)
    return session._replace(prefilter=prefilter, project=project, git=None, remembers=False, explains_only=True)


def read(  # noqa: PLR0913  # what is read, how, and who is told
    repository: Repository,
    session: Session,
    scope: Scope = Scope(),  # noqa: B008  # it is frozen
    *,
    jobs: int | None = None,
    memory: Memory | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
) -> History:
    """Find the keys of a history; `session` is that of `session_of`.

    Paths of findings count from the repository's top. What `memory` holds of earlier runs is not done again, and it
    learns the rest. Ctrl-C ends the step that is under way; what that found counts.

    Raises:
        GitError: it is no repository, git refuses it (another owner), or the scope names what is not there.
    """
    memory = memory or Memory()
    question = _question(repository, scope)
    history = from_json(memory.recall("history", question))
    if history is None:
        history = _Reader(repository, session, scope, jobs or os.cpu_count() or 1, memory, tell).history()
        if history.is_complete:
            memory.keep("history", question, to_json(history))
    memory.write()
    return history


def _question(repository: Repository, scope: Scope) -> str:
    """Name what is asked: the answer is the same while no ref has moved. Empty where time alone changes it."""
    if scope.since is not None:
        return ""
    refs = git.run(repository, "for-each-ref", "--format=%(objectname) %(refname)")
    logged = git.run(repository, "rev-list", "--no-walk=unsorted", "--all", "--reflog", failing=(128,))
    return digest_of(b"\n".join((repr(scope).encode(), repr(head_of(repository)).encode(), refs, logged)))


def target_of(repository: Repository, sighting: Sighting) -> Target | None:
    """Give the text that a sighting of the history counts in; None when it is on disk only, or no longer there.

    Raises:
        GitError: as `git.run`.
    """
    if sighting.blob is None:
        return None
    path = sighting.finding.path
    location = os.path.join(repository.top, path)
    if sighting.kind == "file":
        return Target(path, location, path, blob=sighting.blob, repository=repository)
    for batch in batches(repository, (sighting.blob,)):
        for start, end in zip(batch.starts, batch.ends, strict=True):
            return Target(path, location, path, data=message_of(batch.data[start:end]))
    return None


class _Text(NamedTuple):
    """One text of the history: an object and where it stood; a message has its bytes in hand."""

    name: str
    path: str
    kind: str = "file"
    data: bytes | None = None


class _Reader:
    """Reads one history; what it holds is the state of one `read`."""

    def __init__(  # noqa: PLR0913, PLR0917  # what `read` was given
        self,
        repository: Repository,
        session: Session,
        scope: Scope,
        jobs: int,
        memory: Memory,
        tell: Callable[[Progress], None],
    ) -> None:
        self._repository = repository
        self._session = session
        self._scope = scope
        self._jobs = jobs
        self._memory = memory
        self._tell = tell
        self._present: set[str] = set()
        self._missing: set[str] = set()
        self._excluded: dict[str, bool] = {}
        self._is_complete = True

    def history(self) -> History:
        """Do everything."""
        repository = self._repository
        branch, commit = head_of(repository)
        tips = tips_of(repository)
        is_shallow = git.run(repository, "rev-parse", "--is-shallow-repository").strip() == b"true"
        with Walk(repository, self._scope) as walk:
            fresh, blobs, size = self._sort_out(walk)
            self._sift(fresh)
            del fresh
            changes = self._changes(walk)
            texts = [*self._files(changes), *self._messages(walk, tips)]
        findings = self._checked(texts)
        sightings = sorted(self._sightings(findings, changes, tips), key=_order)
        return History(
            tuple(sightings),
            branch or commit[:_SHORT],
            walk.commits,
            blobs,
            size,
            sum(tip.name != "HEAD" for tip in tips),
            len(self._missing),
            is_shallow,
            (),
            self._is_complete,
        )

    @contextmanager
    def _ends_on_interrupt(self) -> Iterator[None]:
        """Let Ctrl-C end a step, and note that it did."""
        try:
            yield
        except KeyboardInterrupt:
            self._is_complete = False

    # -- which objects ------------------------------------------------------------------------------------------------

    def _sort_out(self, walk: Walk) -> tuple[list[Object], int, int]:
        """Part the objects that must be streamed from those that are known or large; count blobs and their bytes."""
        fresh: list[Object] = []
        blobs = size = 0
        for one in self._objects(walk):
            self._present.add(one.name)
            if one.type == "blob":
                blobs, size = blobs + 1, size + one.size
            if self._memory.knows(one.name):
                continue
            if one.size <= _LARGE:
                fresh.append(one)
            else:
                self._memory.learn(Sifted((one.name,), one.size, (Suspect(*one, gist=one.name),)))
        return fresh, blobs, size

    def _objects(self, walk: Walk) -> Iterator[Object]:
        if self._scope.is_whole:
            yield from listed(self._repository)
            return
        blobs = dict.fromkeys(change.new for change in walk.changes(lambda *_: True) if change.new)
        names = (*blobs, *walk.names())
        for name, found in zip(names, named(self._repository, names), strict=True):
            if found is None:
                self._missing.add(name)
            else:
                yield found

    def _sift(self, fresh: Sequence[Object]) -> None:
        """Search the objects that are not known yet, and remember what came of it unit by unit."""
        work = units(self._repository, fresh)
        total, done = sum(unit.size for unit in work), 0

        def take(one: Sifted) -> None:
            nonlocal done
            done += one.size
            self._missing.update(one.missing)
            self._memory.learn(one)
            self._tell(Progress("sift", done, total))

        with self._ends_on_interrupt():
            sift(work, self._session, self._jobs, take)

    # -- which texts --------------------------------------------------------------------------------------------------

    def _changes(self, walk: Walk) -> list[Change]:
        """List the changes that have to do with an object worth checking, or with an env file, newest first."""
        suspects, present = self._memory.suspects, self._present
        whole = self._scope.is_whole

        def wanted(name: str, path: str) -> bool:
            if whole and name not in present:
                self._missing.add(name)
                return False
            return name in suspects or is_env_file(path)

        return [change for change in walk.changes(wanted) if not self._is_excluded(change.path)]

    def _is_excluded(self, path: str) -> bool:
        if path not in self._excluded:
            location = os.path.join(self._repository.top, path)
            self._excluded[path] = self._session.finder.for_path(location).is_excluded(location)
        return self._excluded[path]

    def _files(self, changes: Iterable[Change]) -> Iterator[_Text]:
        """Give each blob at each of its paths, newest first; those that no commit names only when asked for."""
        suspects = self._memory.suspects
        texts = dict.fromkeys(
            _Text(change.new, change.path)
            for change in changes
            if change.new in self._present and (change.new in suspects or is_env_file(change.path))
        )
        yield from texts
        if self._scope.unreachable:
            reached = {text.name for text in texts}
            for suspect in suspects.values():
                if suspect.type == "blob" and suspect.name in self._present and suspect.name not in reached:
                    yield _Text(suspect.name, f"blob {suspect.name[:_SHORT]}")

    def _messages(self, walk: Walk, tips: Iterable[Tip]) -> Iterator[_Text]:
        """Give the messages of commits and tags that may hold a key."""
        tags = {tip.tag for tip in tips}
        wanted = [
            suspect.name
            for suspect in self._memory.suspects.values()
            if suspect.name in self._present
            and (
                (suspect.type == "commit" and (self._scope.unreachable or walk.holds(suspect.name)))
                or (suspect.type == "tag" and (self._scope.unreachable or suspect.name in tags))
            )
        ]
        for batch in batches(self._repository, wanted):
            for name, kind, start, end in zip(batch.names, batch.types, batch.starts, batch.ends, strict=True):
                data = batch.data[start:end]
                path = f"tag {tag_name(data)}" if kind == "tag" else f"commit {name[:_SHORT]}"
                yield _Text(name, path, "tag" if kind == "tag" else "message", message_of(data))

    # -- what is in them ----------------------------------------------------------------------------------------------

    def _checked(self, texts: Sequence[_Text]) -> dict[_Text, tuple[Finding, ...]]:
        """Check one text of each group and give the findings with a key of all, under their own paths."""
        groups: dict[str, list[_Text]] = defaultdict(list)
        for text in texts:
            groups[self._group(text)].append(text)
        self._check({group: members[0] for group, members in groups.items() if self._memory.checked(group) is None})
        found = {}
        for group, members in groups.items():
            findings = [finding for finding in self._memory.checked(group) or () if finding.key is not None]
            if findings:
                for text in members:
                    path = shown(text.path)
                    found[text] = tuple(finding._replace(path=path, fix=None) for finding in findings)
        return found

    def _group(self, text: _Text) -> str:
        """Name what the result for a text hangs on: the lines that decide, and what its path makes of them."""
        suspect = self._memory.suspects.get(text.name)
        kind = kind_of(text.path) if text.kind == "file" else "text"
        # An env file is read whole, whatever the lines are; a notebook's cells may stand in another order.
        gist = text.name if suspect is None or kind in {"env", "notebook"} else suspect.gist
        return f"{gist} {kind} {role_of(shown(text.path))}"

    def _check(self, wanted: Mapping[str, _Text]) -> None:
        targets = [self._target(text) for text in wanted.values()]
        groups = list(wanted)
        done = 0

        def take(number: int, outcome: Outcome) -> None:
            nonlocal done
            done += 1
            for name in {groups[number], _exactly(wanted[groups[number]])}:
                self._memory.found(name, outcome.report.findings)
            self._tell(Progress("check", done, len(targets)))

        with self._ends_on_interrupt():
            check_each(targets, self._session, take, jobs=self._jobs)

    def _target(self, text: _Text) -> Target:
        path = shown(text.path)
        location = os.path.join(self._repository.top, text.path)
        if text.data is not None:
            return Target(path, location, path, len(text.data), data=text.data)
        suspect = self._memory.suspects.get(text.name)
        size = -1 if suspect is None else suspect.size
        return Target(path, location, path, size, blob=text.name, repository=self._repository)

    # -- how long they stood there ------------------------------------------------------------------------------------

    def _sightings(
        self, findings: Mapping[_Text, tuple[Finding, ...]], changes: Sequence[Change], tips: Sequence[Tip]
    ) -> list[Sighting]:
        keys: dict[str, set[str]] = defaultdict(set)
        for text, found in findings.items():
            keys[text.name].update(finding.key or "" for finding in found)
        lived = [(key, life) for key, some in lives(changes, keys).items() for life in some]
        exact = self._exact({_Text(life.blob, life.path) for _, life in lived}, findings)
        paths = dict.fromkeys(life.path for _, life in lived)
        holding, are_all = held(self._repository, tips, paths, keys)
        messages = [text for text in findings if text.kind != "file"]
        commits = {life.first for _, life in lived} | {life.last for _, life in lived} | {one.name for one in messages}
        when = moments(self._repository, commits - {""}, self._clean)
        sightings = []
        for key, life in lived:
            by = holding.get((key, life.path), Holders())
            is_over = are_all and not by.at_head and not by.ref_count
            for finding in exact[_Text(life.blob, life.path)]:
                if finding.key == key:
                    last = when.get(life.last) if is_over else None
                    sighting = Sighting(finding, "", "file", life.blob, when.get(life.first), last)
                    sightings.append(sighting._replace(at_head=by.at_head, refs=by.refs, ref_count=by.ref_count))
        reached = {(text.name, text.path) for text in exact}
        for text, found in findings.items():
            if text.kind == "file" and (text.name, text.path) not in reached and text.path.startswith("blob "):
                sightings += (Sighting(finding, blob=text.name) for finding in found)
        for number, text in enumerate(messages):
            is_asked = text.kind == "message" and number < _MOST_MESSAGES
            by = containing(self._repository, tips, text.name) if is_asked else Holders()
            if text.kind == "tag":
                refs = tuple(tip.name for tip in tips if tip.tag == text.name)
                by = Holders(refs=refs, ref_count=len(refs))
            for finding in findings[text]:
                sighting = Sighting(finding, "", text.kind, text.name, when.get(text.name))
                sightings.append(sighting._replace(at_head=by.at_head, refs=by.refs, ref_count=by.ref_count))
        return sightings

    def _exact(
        self, wanted: Iterable[_Text], findings: Mapping[_Text, tuple[Finding, ...]]
    ) -> dict[_Text, tuple[Finding, ...]]:
        """Give the findings of some texts at their own lines: what is known of a group may stand elsewhere in them."""
        texts = sorted(wanted)
        self._check({_exactly(text): text for text in texts if self._memory.checked(_exactly(text)) is None})
        exact = {}
        for text in texts:
            found = self._memory.checked(_exactly(text)) or ()
            lines = tuple(finding._replace(fix=None) for finding in found if finding.key is not None)
            exact[text] = lines or findings.get(text, ())
        return exact

    def _clean(self, text: str) -> str:
        from keyguard.findings import hidden_keys  # noqa: PLC0415  # 10 ms, where a key was found

        return hidden_keys(text, {}, self._session.catalogue)


def _exactly(text: _Text) -> str:
    """Name the result for a text with its own lines."""
    return f"{text.name} at {shown(text.path)}"


def _order(sighting: Sighting) -> tuple[object, ...]:
    finding = sighting.finding
    return finding.path, finding.cell or 0, finding.line, finding.column, finding.rule, finding.key or ""
