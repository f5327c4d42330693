"""A repository's whole history: every distinct text searched once, and for each key when it came, went and where it is.

Three steps: objects are sifted as git streams them (`sift`), versions that differ in what decides are checked by the
engine like any file, and the walk over the commits tells each finding's life (`walk`, `lives`).
"""

from __future__ import annotations

import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from keyguard.cache import digest_of
from keyguard.discover import LARGE, Target, git, shown
from keyguard.engine import LazyProject, bug_of, check_each
from keyguard.history.lives import (
    HEAD,
    Holders,
    containing,
    files_of,
    held,
    lives,
    message_of,
    moments,
    naming,
    refs_of,
    tag_name,
    tips_of,
)
from keyguard.history.memory import Memory
from keyguard.history.objects import batches, listed, named, resolved
from keyguard.history.record import History, from_json, to_json
from keyguard.history.sift import Sifted, Suspect, divided, sift
from keyguard.history.walk import Change, Scope, Walk, boundaries
from keyguard.leaks import MOST_REFS, Sighting
from keyguard.patterns import regex
from keyguard.source import is_env_file, kind_of, role_of
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from keyguard.discover.git import Repository
    from keyguard.engine import Outcome, Session
    from keyguard.history.lives import Refs, Tip
    from keyguard.history.objects import Object
    from keyguard.model import Finding, Notice
    from keyguard.settings import Settings

# os.path and not pathlib: paths of a history are git's, and may not lie on this disk.
# ruff: noqa: PTH116, PTH118

__all__ = ["History", "Memory", "Progress", "Scope", "read", "session_of", "target_of"]

_MOST_TREES = 50  # trees that a ref names, with no commit
_SHORT = 12  # hexadecimal digits by which a person names an object
# Characters of a masked key. A shorter one may have too few bits to be named by itself: then its path does (a text of
# words has 2 bits a character, and 64 are enough).
_WEAK = 32
_LOOSE = "blob "  # what stands before the name of a blob that has no path
_LENGTH = regex(r"\(([0-9]+) ")


class Progress(NamedTuple):
    """How far a step is: `sift` counts bytes of objects, `check` counts texts."""

    step: str
    done: int
    total: int


def session_of(session: Session) -> Session:
    """Make of a run's session one for its history: leaks only, no question about what git does with a file now."""
    project = LazyProject(session.project.root, session.catalogue)
    prefilter = session.prefilter.for_leaks()
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
    learns the rest. Ctrl-C ends the step that is under way; what that found counts, and is remembered. Before anything
    was found it is raised.

    Raises:
        GitError: it is no repository, git refuses it (another owner), or the scope names what is not there.
    """
    memory = memory or Memory()
    try:
        refs, shallow = refs_of(repository), boundaries(repository)
        question = _question(repository, session, scope, refs, shallow)
        history = from_json(memory.recall("history", question))
        if history is None:
            reader = _Reader(repository, session, scope, jobs or os.cpu_count() or 1, memory, tell)
            history = reader.history(refs, shallow)
            if history.is_complete and not history.notices:
                memory.keep("history", question, to_json(history))
    finally:
        memory.write()
    return history


def _question(repository: Repository, session: Session, scope: Scope, refs: Refs, shallow: Collection[str]) -> str:
    """Name what is asked: the same while no ref and no object came or went; empty where time changes the answer."""
    if scope.since is not None or scope.unreachable:
        return ""
    logged = git.run(repository, "rev-list", "--no-walk=unsorted", "--all", "--reflog", failing=(128,))
    # What was missing may have been fetched: no ref moves then, but the store counts more objects and packs.
    stored = git.run(repository, "count-objects", "-v").decode("utf-8", "surrogateescape")
    elsewhere = [line.partition(": ")[2] for line in stored.splitlines() if line.startswith("alternate:")]
    lent = [_changed(os.path.join(path, "pack")) for path in elsewhere]
    settings = sorted(map(repr, session.finder.found))
    about = (scope, refs, sorted(shallow), settings, stored, lent)
    return digest_of(repr(about).encode("utf-8", "surrogatepass") + logged)


def _changed(folder: str) -> int | None:
    """When a folder last got or lost a file, in ns; None where there is none."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return None


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
        self._placed: set[str] = set()
        self._missing: set[str] = set()
        self._excluded: dict[str, bool] = {}
        self._env: dict[str, bool] = {}
        self._settings: dict[Settings, str] = {}
        self._is_complete = True
        self._notices: list[Notice] = []

    def history(self, refs: Refs, shallow: Collection[str]) -> History:
        """Do everything; `shallow` are commits whose parents were never fetched."""
        repository = self._repository
        tips = tips_of(repository, refs)
        gone = {tip.commit for tip in tips if tip.kind in {"missing", "damaged"}}
        self._missing.update(gone)
        # What a store holds is listed while git lists the commits.
        with ThreadPoolExecutor(1) as pool:
            every = pool.submit(lambda: list(listed(repository)) if self._scope.is_whole else [])
            walk = Walk(repository, self._scope)
        with walk:
            fresh, blobs, size = self._sort_out(every.result() if self._scope.is_whole else self._within(walk))
            self._sift(fresh)
            del fresh
            changes = [*self._changes(walk), *self._trees(tips)]
            lost = walk.lost
            loose = self._loose(tips, every=self._scope.unreachable or lost > 0 or bool(gone))
            texts = [*self._files(changes), *loose, *self._messages(walk, tips)]
        findings = self._checked(texts)
        sightings = _without_lives(findings)
        with self._ends_on_interrupt():
            sightings = self._sightings(findings, changes, tips, shallow)
        return History(
            tuple(sorted(sightings, key=_order)),
            refs.branch or refs.commit[:_SHORT],
            walk.commits,
            blobs,
            size,
            sum(tip.name != HEAD for tip in tips),
            len(self._missing) + lost,
            bool(shallow),
            tuple(sorted(self._notices)),
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

    def _sort_out(self, objects: Iterable[Object]) -> tuple[list[Object], int, int]:
        """Part the objects that must be searched from those that are known or large; count blobs and their bytes."""
        fresh: list[Object] = []
        blobs = size = 0
        for one in objects:
            self._present.add(one.name)
            if one.type == "blob":
                blobs, size = blobs + 1, size + one.size
            if self._memory.knows(one.name):
                continue
            if one.size <= LARGE:  # a larger one is not streamed, but read in windows as a large file is
                fresh.append(one)
            elif one.type == "blob":
                self._memory.learn(Sifted((one.name,), one.size, (Suspect(one.name, one.type, one.size, one.name),)))
            else:
                self._missing.add(one.name)  # a message that no person wrote
        return fresh, blobs, size

    def _within(self, walk: Walk) -> Iterator[Object]:
        """Give the objects of a history of which only a part is asked for."""
        # What stood there before, too: it tells whether a commit brought a key.
        blobs = dict.fromkeys(
            name for change in walk.changes(lambda *_: True) for name in (change.new, *change.olds) if name
        )
        tags = [one.name for one in resolved(self._repository, self._scope.branches) if one.type == "tag"]
        names = (*blobs, *walk.names(), *tags)
        for name, found in zip(names, named(self._repository, names), strict=True):
            if found is None:
                self._missing.add(name)
            else:
                yield found

    def _sift(self, fresh: Sequence[Object]) -> None:
        """Search the objects that are not known yet, and remember what came of it unit by unit."""
        work = divided(self._repository, fresh)
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
            return name in suspects or self._is_env(path)

        changes = []
        for change in walk.changes(wanted):
            self._placed.add(change.new)
            if not self._is_excluded(change.path):
                changes.append(change)
        return changes

    def _is_env(self, path: str) -> bool:
        if path not in self._env:  # of 100,000 changes most are to the same few thousand paths
            self._env[path] = is_env_file(path)
        return self._env[path]

    def _is_excluded(self, path: str) -> bool:
        if path not in self._excluded:
            location = os.path.join(self._repository.top, path)
            # Where the repository itself lies is no reason to read nothing of it.
            self._excluded[path] = self._session.finder.for_path(location).is_excluded(location, self._repository.top)
        return self._excluded[path]

    def _trees(self, tips: Iterable[Tip]) -> Iterator[Change]:
        """Give the files of trees that a ref names without a commit, as the oldest changes, which nobody made."""
        if self._scope.is_whole:
            for tree in list(dict.fromkeys(tip.commit for tip in tips if tip.kind == "tree"))[:_MOST_TREES]:
                for path, blob in files_of(self._repository, tree):
                    self._placed.add(blob)
                    if not self._is_excluded(path):
                        yield Change(0, "", path, (), blob)

    def _files(self, changes: Iterable[Change]) -> Iterator[_Text]:
        """Give each blob at each of its paths, newest first; where not all are read, those that were replaced, too."""
        suspects = self._memory.suspects
        seen = set()
        for change in changes:
            for name in (change.new,) if self._scope.is_whole else (change.new, *change.olds):
                text = _Text(name, change.path)
                if name in self._present and text not in seen and (name in suspects or self._is_env(change.path)):
                    seen.add(text)
                    yield text

    def _loose(self, tips: Iterable[Tip], *, every: bool) -> Iterator[_Text]:
        """Give the blobs that no commit names: those that a ref does, or all, as where the commit may be lost."""
        if not self._scope.is_whole:
            return
        named = {tip.commit for tip in tips if tip.kind == "blob"}
        if not named and not every:
            return
        for suspect in sorted(self._memory.suspects.values()):
            if (
                suspect.type == "blob"
                and suspect.name in self._present
                and suspect.name not in self._placed
                and (every or suspect.name in named)
            ):
                yield _Text(suspect.name, f"{_LOOSE}{suspect.name[:_SHORT]}")

    def _messages(self, walk: Walk, tips: Iterable[Tip]) -> Iterator[_Text]:
        """Give the messages of commits, newest first, and of tags that may hold a key."""
        some = [suspect for suspect in self._memory.suspects.values() if suspect.name in self._present]
        commits = [suspect.name for suspect in some if suspect.type == "commit"]
        tags = sorted(suspect.name for suspect in some if suspect.type == "tag")
        ages = walk.ages(commits)
        wanted = sorted(ages, key=lambda name: ages[name])
        if self._scope.unreachable:
            wanted += sorted(set(commits) - ages.keys())
            wanted += tags
        else:
            direct = {tip.tag for tip in tips}
            wanted += [name for name in tags if name in direct or naming(self._repository, name)]
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
        # What may be named by its path is checked at each of them.
        for group in [group for group in groups if any(map(_may_be_weak, self._memory.checked(group) or ()))]:
            for text in groups.pop(group):
                groups[f"{group} {shown(text.path)}"].append(text)
        self._check({group: members[0] for group, members in groups.items() if self._memory.checked(group) is None})
        found = {}
        for group, members in groups.items():
            findings = [finding for finding in self._memory.checked(group) or () if finding.key is not None]
            if findings:
                for text in members:
                    found[text] = tuple(_moved(finding, shown(text.path)) for finding in findings)
        return found

    def _group(self, text: _Text) -> str:
        """Name what the result for a text hangs on: the lines that decide, and what its path makes of them."""
        if text.kind != "file":
            return f"{text.name} message"
        suspect = self._memory.suspects.get(text.name)
        kind = kind_of(text.path)
        # An env file is read whole, whatever the lines are; a notebook's cells may stand in another order.
        gist = text.name if suspect is None or kind in {"env", "notebook"} else suspect.gist
        return f"{gist} {kind} {role_of(shown(text.path))} {self._rules_at(text.path)}"

    def _exactly(self, text: _Text) -> str:
        """Name the result for a text with its own lines."""
        return f"{text.name} at {shown(text.path)} {self._rules_at(text.path)}"

    def _rules_at(self, path: str) -> str:
        """Name the settings in force at a path, and what they ignore there."""
        location = os.path.join(self._repository.top, path)
        settings = self._session.finder.for_path(location)
        if settings not in self._settings:
            self._settings[settings] = digest_of(repr(settings).encode("utf-8", "surrogatepass"))
        ignored = settings.ignored_by_path(location)
        return self._settings[settings] + "".join(f" {settings.per_file_ignores.index(entry)}" for entry in ignored)

    def _check(self, wanted: Mapping[str, _Text]) -> None:
        targets = [self._target(text) for text in wanted.values()]
        groups = list(wanted)
        done = 0

        def take(number: int, outcome: Outcome) -> None:
            nonlocal done
            done += 1
            if outcome.bug:
                self._notices.append(bug_of(outcome, self._session.lang))
            else:
                for name in {groups[number], self._exactly(wanted[groups[number]])}:
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
        self,
        findings: Mapping[_Text, tuple[Finding, ...]],
        changes: Sequence[Change],
        tips: Sequence[Tip],
        shallow: Collection[str],
    ) -> list[Sighting]:
        keys: dict[str, set[str]] = defaultdict(set)
        for text, found in findings.items():
            keys[text.name].update(finding.key or "" for finding in found)
        unsure = {"", *shallow}
        lived = [(key, life) for key, some in lives(changes, keys, unsure).items() for life in some]
        exact = self._exact({_Text(life.blob, life.path) for _, life in lived}, findings)
        paths = dict.fromkeys(life.path for _, life in lived)
        holding, sure = held(self._repository, tips, paths, keys)
        messages = [text for text in findings if text.kind != "file"]
        commits = {life.first for _, life in lived} | {life.last for _, life in lived} | {one.name for one in messages}
        when = moments(self._repository, commits - {""}, self._clean)
        sightings = []
        for key, life in lived:
            by = holding.get((key, life.path), Holders())
            is_over = life.path in sure and not by.at_head and not by.ref_count
            for finding in exact[_Text(life.blob, life.path)]:
                if finding.key == key:
                    last = when.get(life.last) if is_over else None
                    sighting = Sighting(finding, "", "file", life.blob, when.get(life.first), last)
                    sightings.append(sighting._replace(at_head=by.at_head, refs=by.refs, ref_count=by.ref_count))
        for text, found in findings.items():
            if text.kind == "file" and text.path.startswith(_LOOSE) and text.name not in self._placed:
                refs = [tip.name for tip in tips if tip.commit == text.name]
                for finding in found:
                    sighting = Sighting(finding, blob=text.name)
                    sightings.append(sighting._replace(refs=tuple(refs[:MOST_REFS]), ref_count=len(refs)))
        reaching = self._reaching(messages, tips)
        for text in messages:
            by = reaching.get(text.name, Holders())
            for finding in findings[text]:
                sighting = Sighting(finding, "", text.kind, text.name, when.get(text.name))
                sightings.append(sighting._replace(at_head=by.at_head, refs=by.refs, ref_count=by.ref_count))
        return sightings

    def _reaching(self, messages: Iterable[_Text], tips: Sequence[Tip]) -> dict[str, Holders]:
        """Tell which refs reach the messages of commits and tags, by the object's name."""
        commits = [text.name for text in messages if text.kind == "message"]
        found: dict[str, Holders] = {}
        with suppress(git.GitError):  # commits are missing in between
            found = containing(self._repository, tips, commits)
        for text in messages:
            if text.kind == "tag":
                refs = [tip.name for tip in tips if tip.tag == text.name] or naming(self._repository, text.name)
                found[text.name] = Holders(refs=tuple(refs[:MOST_REFS]), ref_count=len(refs))
        return found

    def _exact(
        self, wanted: Iterable[_Text], findings: Mapping[_Text, tuple[Finding, ...]]
    ) -> dict[_Text, tuple[Finding, ...]]:
        """Give the findings of some texts at their own lines: what is known of a group may stand elsewhere in them."""
        texts = sorted(wanted)
        self._check({self._exactly(text): text for text in texts if self._memory.checked(self._exactly(text)) is None})
        exact = {}
        for text in texts:
            found = self._memory.checked(self._exactly(text)) or ()
            lines = tuple(finding._replace(fix=None) for finding in found if finding.key is not None)
            exact[text] = lines or findings.get(text, ())
        return exact

    def _clean(self, text: str) -> str:
        from keyguard.findings import hidden_keys  # noqa: PLC0415  # 10 ms, where a key was found

        return hidden_keys(text, {}, self._session.catalogue)


def _without_lives(findings: Mapping[_Text, tuple[Finding, ...]]) -> list[Sighting]:
    """Give each key once at each path, in its newest text: what is known before anybody asks since when."""
    newest: dict[tuple[str, str | None], str] = {}
    return [
        Sighting(finding, "", text.kind, text.name)
        for text, found in findings.items()
        for finding in found
        if newest.setdefault((finding.path, finding.key), text.name) == text.name
    ]


def _moved(finding: Finding, path: str) -> Finding:
    """Let a finding of one text of a group stand for that of another."""
    related = tuple(one._replace(path=path) if one.path == finding.path else one for one in finding.related)
    return finding._replace(path=path, related=related, fix=None)


def _may_be_weak(finding: Finding) -> bool:
    """Tell whether a finding's key may be named by its path."""
    length = None if finding.key is None else _LENGTH.search(finding.masked or "")
    return length is not None and int(length[1]) <= _WEAK


def _order(sighting: Sighting) -> tuple[object, ...]:
    finding = sighting.finding
    return finding.path, finding.cell or 0, finding.line, finding.column, finding.rule, finding.key or ""
