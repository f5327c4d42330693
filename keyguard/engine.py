"""One file through the pipeline, and many files through workers: targets to a report."""

from __future__ import annotations

import functools
import os
from collections import Counter
from types import MappingProxyType

from keyguard.lang import why_unread
from keyguard.model import Confidence, Edit, FileReport, Finding, Hit, Notice, Report, Severity, Span
from keyguard.prefilter import FOUND, NOTHING, WIDE, Signals
from keyguard.source import SourceFile, Undecodable, decode, kind_of
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from keyguard.cache import ResultCache
    from keyguard.catalogue import Catalogue
    from keyguard.checks import NetworkCheck, PythonCheck
    from keyguard.discover import GitState, Target, Window
    from keyguard.inventory import Inventory, Row, Survey, Usage
    from keyguard.knowledge import KeyShape
    from keyguard.model import Fix, Secret
    from keyguard.naming import Naming, Variables
    from keyguard.prefilter import Prefilter
    from keyguard.python.around import Surroundings
    from keyguard.python.bodies import Choice
    from keyguard.python.dialing import Dialed
    from keyguard.python.facts import PythonFacts
    from keyguard.python.layout import Layout
    from keyguard.python.module import Module
    from keyguard.python.network import Network
    from keyguard.python.project import Project
    from keyguard.python.rows import Draft
    from keyguard.settings import Settings, SettingsFinder, Vocabulary
    from keyguard.suppress import Mark

_ALONE = 6 << 20  # bytes: less than this is done before a second process would have helped (40 ms to start one)
_CHUNK_BYTES = 1 << 20  # bytes that travel to a worker at once: small enough to share evenly, large enough to matter
_CHUNK_FILES = 200
_SIFTERS = 4  # threads at most: with more, what Python does for each file leaves them nothing to win
_ALONE_SIFTED = 512 << 10  # bytes of such files: two processes import LibCST while one checks as many
_NUMBERED, _MOST_NUMBERED = 8, 32  # versions of files that travel together: the fewest, the most
_ROUNDS = 4  # of each worker, where there are few: at the end none waits long for another
_SIFTED_BYTES = 64 << 10  # as _CHUNK_BYTES, of files that were found to hold something: each takes 100 times as long


class Session(NamedTuple):
    """What a run knows besides its files: the same for every file and in every worker.

    `finder` gives the settings of a path, `root` is the project's folder, `git` says what git does with a file;
    `accepts` asks another tool's baseline about a path and a secret's SHA-1 in hexadecimal. `project` holds the modules
    that a file of this run may import constants from; each is read once a process. `sifted` is what the prefilter said
    already of some files, by location. A run that `remembers` notes what each result stands on, for the cache; `survey`
    says what to list besides findings. One that `keeps_moves` leaves the keys of fixes in its findings, for who writes
    them, and has one `naming` for all its files; else each file names its keys for itself. `hears` is told the key of
    each finding that has one, by `Finding.key`, in this process alone. A run that `explains_only` makes no fixes.
    """

    catalogue: Catalogue
    prefilter: Prefilter
    finder: SettingsFinder
    vocabulary: Callable[[], Vocabulary]
    project: LazyProject
    lang: str = "en"
    git: GitState | None = None
    accepts: Callable[[str, str], bool] | None = None
    sifted: Mapping[str, Sifted] = MappingProxyType({})
    remembers: bool = False
    survey: Survey | None = None
    keeps_moves: bool = False
    naming: Naming | None = None
    hears: Callable[[str, Secret], None] | None = None
    explains_only: bool = False


class Sifted(NamedTuple):
    """What the prefilter said of a file, and Python's hash of its bytes then: it may have changed when it is checked.

    A process that is not forked has hashes of its own, and searches again.
    """

    content: int
    signals: Signals
    is_named: bool = False


class LazyProject:
    """The project below a folder, made when Python is first parsed; a worker process makes its own."""

    def __init__(self, root: str, catalogue: Catalogue) -> None:
        """Remember where it is."""
        self.root = root
        self._catalogue = catalogue
        self._made: Project | None = None

    @functools.cached_property
    def variables(self) -> Variables:
        """What the project's env, shell and CI files name; nothing is read before the first question."""
        from keyguard.naming import Variables  # noqa: PLC0415  # 5 ms, where a key was found

        return Variables(self.root)

    def __reduce__(self) -> tuple[type[LazyProject], tuple[str, Catalogue]]:
        """Leave the modules that were read behind."""
        return LazyProject, (self.root, self._catalogue)

    def seen_by(self, location: str) -> tuple[tuple[str, str, str], ...]:
        """The modules that a file was looked up in: see `Project.seen_by`."""
        return () if self._made is None else self._made.seen_by(location)

    @functools.cached_property
    def layout(self) -> Layout:
        """Where the project's modules and requirements lie."""
        from keyguard.python.layout import Layout  # noqa: PLC0415  # for Python, and for runs with a cache

        return Layout(self.root)

    def __call__(self) -> Project:
        """Give the project."""
        if self._made is None:
            from keyguard.python.project import Project  # noqa: PLC0415  # 1 ms, when Python is parsed

            self._made = Project(self.layout, self._catalogue)
        return self._made


class Outcome(NamedTuple):
    """What came of one file: its report, what the minimum severity hid by label, and our marks that hid nothing.

    `bug` says where keyguard itself failed on the file; the other files are checked all the same. A run that remembers
    has the `digest` of what was read, unless it `was_searched_only`, and the modules `seen` for it: name, import
    folder, and file or empty.
    `rows` and `usages` are what a survey lists of the file.
    """

    report: FileReport
    hidden: tuple[tuple[str, int], ...] = ()
    unused: int = 0
    bug: str | None = None
    digest: str = ""
    seen: tuple[tuple[str, str, str], ...] = ()
    was_searched_only: bool = False
    rows: tuple[Row, ...] = ()
    usages: tuple[Usage, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to say about the file but that it was read."""
        report = self.report
        return not (
            report.findings
            or report.ignored
            or report.accepted
            or report.skipped
            or report.windowed
            or self.hidden
            or self.unused
            or self.bug
            or self.rows
            or self.usages
        )


def check_targets(
    targets: Sequence[Target],
    session: Session,
    *,
    jobs: int | None = None,
    advance: Callable[[int], None] = lambda _: None,
    cache: ResultCache | None = None,
) -> Report:
    """Check every target and put the outcomes together in path order, whatever the number of workers.

    `jobs` None takes every core; little work is done in this process. `advance` is told how many files were done.
    What the `cache` remembers of unchanged files is taken from it, and it learns the rest. The notices of the report
    are bugs in keyguard, each with its file.
    """
    if cache is None:
        outcomes = _checked(targets, session, jobs, advance)
    else:
        from keyguard.recall import recall, remember  # noqa: PLC0415  # JSON and hashes: 5 ms, for runs over folders

        session = session._replace(remembers=True)
        known = recall(targets, session, cache)
        advance(len(targets) - len(known.waiting))
        found = _checked(known.waiting, session, jobs, advance)
        remember(known, found, session, cache)
        outcomes = [outcome for outcome in (*known.outcomes, *found) if not outcome.is_empty]
    return _report(outcomes, len(targets) - sum(1 for outcome in outcomes if outcome.bug), session.lang)


def inventory_targets(
    targets: Sequence[Target],
    session: Session,
    *,
    jobs: int | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[Report, Inventory]:
    """Check every target as `check_targets` does and list besides what the session's survey asks for."""
    from keyguard.inventory import Inventory, row_order, usage_order  # noqa: PLC0415  # for this command only

    outcomes = _checked(targets, session, jobs, advance)
    report = _report(outcomes, len(targets) - sum(1 for outcome in outcomes if outcome.bug), session.lang)
    rows = sorted((row for outcome in outcomes for row in outcome.rows), key=row_order)
    usages = sorted((usage for outcome in outcomes for usage in outcome.usages), key=usage_order)
    unread = sorted({finding.path for finding in report.findings if finding.rule in {"KG001", "KG002"}})
    return report, Inventory(tuple(rows), tuple(usages), tuple(unread))


def _checked(
    targets: Sequence[Target], session: Session, jobs: int | None, advance: Callable[[int], None]
) -> list[Outcome]:
    workers = min(jobs or os.cpu_count() or 1, len(targets))
    size = sum(max(target.size, 0) for target in targets)
    if workers > 1 and (size > _ALONE or any(target.is_large for target in targets)):
        return _together(targets, session, workers, advance)
    return list(_one_by_one(targets, session, advance))


def _together(
    targets: Sequence[Target], session: Session, workers: int, advance: Callable[[int], None]
) -> list[Outcome]:
    """Check many targets: sift them in threads, then check what is left in processes.

    The prefilter leaves one file in fifty, and its automaton is the dear part of it: threads grow one together, of
    which processes would each grow their own (0.2 s). Processes that are forked later inherit it.
    """
    from keyguard.workers import sift, spread  # noqa: PLC0415  # multiprocessing: 25 ms, for large trees only

    outcomes: list[Outcome] = []

    def take(some: list[Outcome], done: int) -> None:
        outcomes.extend(some)
        advance(done)

    check = functools.partial(spread, work=check_chunk, lost=_died_on, take=take)
    if workers > _SIFTERS:
        check(targets, session, workers, _chunks(targets))
        return outcomes
    ready: set[str] = set()
    found, left = sift(
        targets, session, workers, _chunks(targets), advance, lambda sifted: _prepare(sifted.signals, ready)
    )
    outcomes += found
    if not left:
        return outcomes
    # What takes longest first, so that no process is left with it at the end.
    left.sort(key=lambda found: -found[0].size)
    session = session._replace(sifted={target.location: sifted for target, sifted in left if sifted is not None})
    rest = [target for target, _ in left]
    check(rest, session, workers, _chunks(rest, _SIFTED_BYTES))
    return outcomes


def check_each(
    targets: Sequence[Target],
    session: Session,
    take: Callable[[int, Outcome], None],
    *,
    jobs: int | None = None,
) -> None:
    """Check some targets; `take` gets the number of each and what came of it, in any order.

    For targets that share a path, such as the versions of a file, which a report by path would mix up.
    """
    numbered = list(enumerate(targets))
    workers = min(jobs or os.cpu_count() or 1, len(targets))
    if workers < 2 or sum(max(target.size, 0) for target in targets) < _ALONE_SIFTED:  # noqa: PLR2004  # two share it
        # Not all through one process of git, which keeps what it read: 350 MB of a history of large notebooks.
        for at in range(0, len(numbered), _MOST_NUMBERED):
            for number, outcome in _numbered_checked(numbered[at : at + _MOST_NUMBERED], session):
                take(number, outcome)
        return
    from keyguard.workers import spread  # noqa: PLC0415  # multiprocessing: 25 ms, for large histories only

    # As if the first text had been found to need all that texts like these may: the processes are forked with it.
    parsed = any(kind_of(target.path) in {"python", "notebook"} for target in targets)
    _prepare(Signals(likely=parsed, looks=(FOUND,)), set())

    def take_all(some: list[tuple[int, Outcome]], _: int) -> None:
        for number, outcome in some:
            take(number, outcome)

    # Each chunk starts a process of git.
    size = max(_NUMBERED, min(_MOST_NUMBERED, len(numbered) // (_ROUNDS * workers)))
    chunks = [(at, min(at + size, len(numbered))) for at in range(0, len(numbered), size)]
    spread(numbered, session, workers, chunks, work=_check_numbered, lost=_numbered_died, take=take_all)


def _numbered_died(one: tuple[int, Target], session: Session) -> tuple[int, Outcome]:
    return one[0], _died_on(one[1], session)


def _check_numbered(numbered: Sequence[tuple[int, Target]], session: Session) -> list[tuple[int, Outcome]]:
    return list(_numbered_checked(numbered, session))


def _numbered_checked(numbered: Sequence[tuple[int, Target]], session: Session) -> Iterator[tuple[int, Outcome]]:
    from keyguard.discover import filled  # noqa: PLC0415  # as in check_chunk

    for (number, _), target in zip(numbered, filled(target for _, target in numbered), strict=True):
        yield number, check_target(target, session)


def _died_on(target: Target, session: Session) -> Outcome:
    return unreadable(target, session, why_unread(session.lang, "file.died"))


def _prepare(signals: Signals, ready: set[str]) -> None:
    """Import what a file will need while other threads search: processes that are forked later have it in memory."""
    if "checks" not in ready:
        ready.add("checks")
        from keyguard import findings, suppress  # noqa: F401, PLC0415  # 10 ms
        from keyguard.checks import TEXT_CHECKS, facts  # noqa: F401, PLC0415  # 2 ms

        for text_check in TEXT_CHECKS:
            if not text_check.only_env:
                text_check.load()
    if (signals.likely or signals.connects) and "python" not in ready:
        # A module that names a model may be spared; of a tree that has some, one never is.
        ready.add("python")
        from keyguard.checks import PYTHON_CHECKS  # noqa: PLC0415  # as above
        from keyguard.python import facts as python_facts  # noqa: F401, PLC0415  # 20 ms
        from keyguard.python import network, project  # noqa: F401, PLC0415  # 20 ms
        from keyguard.python.nodes import libcst  # noqa: PLC0415  # 60 ms

        libcst()
        for python_check in PYTHON_CHECKS:
            python_check.load()
    if signals.connects and "network" not in ready:
        ready.add("network")
        from keyguard.checks import NETWORK_CHECKS  # noqa: PLC0415  # as above

        for network_check in NETWORK_CHECKS:
            network_check.load()
    if (signals.looks or signals.connects) and "looks" not in ready:
        ready.add("looks")
        from keyguard.python import dialing, glance, showing  # noqa: F401, PLC0415  # ast: 8 ms
    if not signals.plugins <= ready:
        ready.update(signals.plugins)
        from keyguard.secrets.detect import load  # noqa: PLC0415  # 28 ms for the first plug-in

        load(signals.plugins)


def sift_chunk(targets: Iterable[Target], session: Session) -> tuple[list[Outcome], list[tuple[Target, Sifted | None]]]:
    """Let the prefilter look at some files on disk: outcomes that have something to say, and what must be checked."""
    outcomes: list[Outcome] = []
    left: list[tuple[Target, Sifted | None]] = []
    read: list[tuple[Target, bytes, str]] = []
    for target in targets:
        data = _plainly_read(target)
        if data is None:
            left.append((target, None))
        else:
            read.append((target, data, kind_of(target.path, data[:256])))
    worth = session.prefilter.worth_a_scan([(data, kind) for _, data, kind in read])
    for number, (target, data, kind) in enumerate(read):
        signals = _signals(target, data, kind, session) if number in worth else NOTHING
        is_named = _is_named(session, data)
        if signals is None:
            left.append((target, None))
        elif signals or is_named:
            left.append((target, Sifted(hash(data) if signals else 0, signals, is_named=is_named)))
        elif signals.is_binary:
            outcomes.append(_binary(target))
    return outcomes, left


def _plainly_read(target: Target) -> bytes | None:
    """Read a file that lies on disk, at once; None if it must be read otherwise, or cannot be: the check tells why."""
    if target.is_large or target.blob is not None:
        return None
    try:
        return target.read()
    except (OSError, MemoryError):
        return None


def _signals(target: Target, data: bytes, kind: str, session: Session) -> Signals | None:
    """What the prefilter says of a file; None where it fails, which is told when the file is checked."""
    try:
        return session.prefilter.scan(data, kind, target.path)
    except Exception:  # noqa: BLE001  # it will happen again, where it is reported
        return None


def _binary(target: Target) -> Outcome:
    return Outcome(FileReport(target.path, skipped="binary"), was_searched_only=True)


def check_chunk(targets: Iterable[Target], session: Session) -> list[Outcome]:
    """Check some targets and give the outcomes that have something to say."""
    from keyguard.discover import filled  # noqa: PLC0415  # git's blobs are read where they are checked

    outcomes = (check_target(target, session) for target in filled(targets))
    return [outcome for outcome in outcomes if not outcome.is_empty or outcome.digest]


def check_target(target: Target, session: Session) -> Outcome:
    """Check one file; nothing it holds raises."""
    try:
        if target.is_large:
            return _check_windows(target, session)
        try:
            data = target.read()
        except OSError as error:
            return unreadable(target, session, _reason(error))
        outcome = check_bytes(target, data, session)
        return _with_grounds(outcome, target, data, session) if session.remembers else outcome
    except (RecursionError, MemoryError) as error:
        said = why_unread(session.lang, "file.too-much", error=type(error).__name__)
        return unreadable(target, session, said)
    except Exception as error:  # noqa: BLE001  # a bug of ours on one file must not keep the others from being checked
        return Outcome(FileReport(target.path, skipped="keyguard failed on it"), bug=_where(error))


def _with_grounds(outcome: Outcome, target: Target, data: bytes, session: Session) -> Outcome:
    """Note what a result stands on; a file without a signal is searched again as fast as it would be hashed."""
    if outcome.was_searched_only:
        return outcome
    from keyguard.cache import digest_of  # noqa: PLC0415  # in memory, where results are remembered

    return outcome._replace(digest=digest_of(data), seen=session.project.seen_by(target.location))


def unreadable(target: Target, session: Session, reason: str) -> Outcome:
    """Give the outcome of a file that could not be read."""
    return _File(target, session).unreadable(reason)


def check_bytes(target: Target, data: bytes, session: Session) -> Outcome:
    """Check a file whose bytes are in hand."""
    kind = kind_of(target.path, data[:256])
    sifted = session.sifted.get(target.location)
    known = sifted is not None and sifted.content == hash(data)
    signals = sifted.signals if sifted and known else session.prefilter.scan(data, kind, target.path)
    if signals.is_binary:
        return _binary(target)
    is_named = _is_named(session, data)
    if not signals and not is_named:
        return Outcome(FileReport(target.path), was_searched_only=True)
    file = _File(target, session, is_named=is_named)
    try:
        source = decode(target.path, data, kind=kind, place=target.place)
    except Undecodable as error:
        return Outcome(FileReport(target.path, skipped=error.reason))
    if kind == "notebook":
        return _check_notebook(file, source, signals)
    file.check_text(source, signals)
    if kind == "python":
        file.check_python((source,), signals)
    return file.outcome((source,))


def _check_notebook(file: _File, source: SourceFile, signals: Signals) -> Outcome:
    """Check the parts of a notebook, its code cells as one module; one that is no JSON is checked as text."""
    from keyguard.source import NoNotebookError, notebook_parts  # noqa: PLC0415  # dataclasses: 18 ms, for notebooks

    try:
        parts = notebook_parts(source)
    except NoNotebookError as error:
        file.note("KG001", error.said(file.lang))
        source = source.replaced(kind="json")
        file.check_text(source, signals)
        return file.outcome((source,))
    for part in parts:
        file.check_text(part, signals)
    cells = tuple(part for part in parts if part.kind == "python" and part.part == "source")
    if cells:
        file.check_python(cells, signals)
    return file.outcome(parts, source)


def _is_named(session: Session, data: bytes) -> bool:
    """Tell whether a file holds the variable that is asked for; fields of settings classes spell it in lower case."""
    survey = session.survey
    if survey is None or survey.variable is None:
        return False
    from keyguard.source import searchable  # noqa: PLC0415  # for this question only

    flat = searchable(data)
    return flat is not None and survey.variable.lower().encode() in flat.lower()


def _check_windows(target: Target, session: Session) -> Outcome:
    """Run the text rules over a file too large to hold; a window without a signal costs one search."""
    file = _File(target, session)
    kind = kind_of(target.path)
    marks: tuple[Mark, ...] = ()
    passed, offset, overcounted = b"", 0, 0
    for number, window in enumerate(_readable(target)):
        if isinstance(window, OSError):
            return file.unreadable(_reason(window))
        overcounted += _overcount(passed[: window.offset - offset], target.path, kind)
        passed, offset = window.data, window.offset
        signals = session.prefilter.scan(window.data, kind, target.path)
        if signals.is_binary:
            return Outcome(FileReport(target.path, skipped="binary"), was_searched_only=True)
        file.is_named = _is_named(session, window.data)
        if not signals and not file.is_named and number:
            continue
        source = decode(
            target.path,
            window.data,
            kind=kind,
            place=target.place,
            first_line=window.first_line,
            first_column=window.first_column,
        )
        own = Span(*(_length(window.data[:end], source.encoding) for end in (window.own_start, window.own_end)))
        marks = file.check_window(source, signals, own, window.characters - overcounted, marks)
    return file.windowed_outcome()


def _length(data: bytes, encoding: str) -> int:
    """Count the characters of a window's bytes, which are UTF-8 or, byte for byte, of the file's narrow encoding."""
    return len(data.decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace"))


def _overcount(data: bytes, path: str, kind: str) -> int:
    """Tell how many characters fewer a stretch has than it seems: windows are counted as if they were UTF-8."""
    if data.isascii():
        return 0
    text = decode(path, data, kind=kind).text
    return len(data.decode("utf-8", "surrogateescape")) - len(text)


def _readable(target: Target) -> Iterator[Window | OSError]:
    """Yield the windows of a file, and the error that ended reading."""
    try:
        yield from target.windows()
    except OSError as error:
        yield error


class _File:
    """Collects the hits of one file, part by part, and turns them into its outcome."""

    def __init__(self, target: Target, session: Session, *, is_named: bool = False) -> None:
        self._target = target
        self._session = session
        self.is_named = is_named
        self._drafts: list[Draft] = []
        self._usages: list[Usage] = []
        self._settings: Settings = session.finder.for_path(target.location)
        self._hits: dict[int, list[Hit]] = {}
        self._sources: dict[int, SourceFile] = {}
        self._secrets: dict[str, str] = {}
        self._failed_rules: set[str] = set()
        self._findings: list[Finding] = []
        self._ignored: list[Finding] = []
        self._accepted: list[Finding] = []
        self._hidden: Counter[str] = Counter()
        self._unused = 0
        self._notebook: SourceFile | None = None

    @property
    def lang(self) -> str:
        """The language of what is said about the file."""
        return self._session.lang

    def note(self, rule: str, reason: str) -> None:
        """Report something about the file as a whole."""
        from keyguard.findings import file_finding  # noqa: PLC0415  # the words of rules: only for a finding

        if self._settings.is_selected(rule):
            session, target = self._session, self._target
            self._settle(file_finding(session.catalogue, rule, target.path, target.place, reason, session.lang), None)

    def unreadable(self, reason: str) -> Outcome:
        """Give the outcome of a file that could not be read."""
        self.note("KG001", reason)
        return self._outcome(windowed=False)

    def _add(self, source: SourceFile, hits: Iterable[Hit]) -> None:
        kept = self._hits.setdefault(id(source), [])
        self._sources[id(source)] = source
        for hit in hits:
            kept.append(hit)
            if hit.secret is not None:
                self._secrets.setdefault(hit.secret.value, hit.values.get("masked", "…"))

    def _remember(self, key: str, shape: KeyShape | None) -> None:
        """Let no text of this file's findings hold a key."""
        from keyguard.secrets.placeholders import mask  # noqa: PLC0415  # where a key was found

        self._secrets.setdefault(key, mask(key, shape))

    def check_text(self, source: SourceFile, signals: Signals) -> None:
        """Run the rules that read text."""
        from keyguard.checks import TEXT_CHECKS  # noqa: PLC0415  # 1 ms that a file without a signal does not pay
        from keyguard.checks.facts import text_facts  # noqa: PLC0415  # as above

        session = self._session
        facts = text_facts(
            source, self._target, session.catalogue, self._settings, signals, session.git, session.project.root
        )
        for key in facts.keys:
            self._remember(key.value, key.shape)
        if self.is_named and source.kind != "python" and source.part != "output":
            self._look_for_variable(source)
        for check in TEXT_CHECKS:
            if self._settings.is_selected(check.rule):
                self._add(source, check.run(facts))

    def check_python(self, sources: Sequence[SourceFile], signals: Signals) -> None:
        """Run the rules that read Python, over a file or the cells of a notebook in order."""
        surveyed = self._session.survey is not None and (signals.talks or signals.connects or self.is_named)
        if not signals.python and not signals.connects and not signals.requests and not surveyed:
            return
        from keyguard.checks import NETWORK_CHECKS, PYTHON_CHECKS  # noqa: PLC0415  # as in check_text

        selected = self._settings.is_selected
        wanted = [check for check in PYTHON_CHECKS if selected(check.rule)]
        connecting = [check for check in NETWORK_CHECKS if selected(check.rule) and self._concerns(check, signals)]
        dialed = self._dialed(sources) if connecting and not surveyed else None
        if dialed is not None and not dialed:
            connecting = []
        lines = None if surveyed else self._may_hold_keys(sources, signals, wanted)
        if lines is None or lines:
            choice = None if surveyed else self._bodies(signals, lines, self._connected(signals, dialed, connecting))
            self._check_whole(sources, signals, wanted, connecting, choice, surveyed=surveyed)
        elif connecting:
            self._check_connections(sources, signals, connecting, self._connected(signals, dialed, connecting))

    def _bodies(self, signals: Signals, lines: Collection[int] | None, connected: Choice | None) -> Choice | None:
        """Choose what to parse of a module that may hold or show keys; None means all of it."""
        from keyguard.python.bodies import either, on_lines, saying  # noqa: PLC0415  # where Python is parsed

        prefilter = self._session.prefilter
        if lines is None:
            # Where nothing talks to a model, what a function does without a word about keys hardly matters.
            return None if signals.talks or connected is not None else saying(prefilter.matters)
        return on_lines(lines) if connected is None else either(on_lines(lines), connected)

    def _connected(self, signals: Signals, dialed: Dialed | None, connecting: Sequence[NetworkCheck]) -> Choice | None:
        """Choose what has to do with the connections of a module; None where nobody asks for them."""
        if not connecting:
            return None
        from keyguard.python.bodies import either, everything, on_lines, with_callers  # noqa: PLC0415  # where Python is parsed

        if not signals.connects:
            return everything  # away from models a request is all that there is to find, and any body may hold one
        from keyguard.python.neighbours import around  # noqa: PLC0415  # as above

        says = self._session.prefilter.connects
        if dialed is None or dialed.lines is None:
            return with_callers(says)
        return either(around(dialed.lines, says), on_lines(dialed.headers))

    def _check_whole(  # noqa: PLR0913  # what is known of one module, a word each
        self,
        sources: Sequence[SourceFile],
        signals: Signals,
        wanted: Sequence[PythonCheck],
        connecting: Sequence[NetworkCheck],
        choice: Choice | None,
        *,
        surveyed: bool,
    ) -> None:
        """Run every rule over a module that may hold or show keys; `surveyed`, list what the survey asks for."""
        from keyguard.python.facts import read_cells  # noqa: PLC0415  # LibCST: 60 ms
        from keyguard.python.module import ParseFailure  # noqa: PLC0415  # as above

        session = self._session
        facts = read_cells(sources, session.catalogue, session.project(), choice, self._target.location)
        if isinstance(facts, ParseFailure):
            self._unparsed(sources, facts, signals)
            return
        for cell, failure in facts.failures:
            self._unparsed((cell,), failure, signals)
        # All of them, whatever was selected: the source line of another finding may hold one.
        for key in facts.keys:
            self._remember(key.value, key.match.shape if key.match else None)
        hits = [hit for check in wanted for hit in check.run(facts)]
        self._add_hits(facts.module, self._with_fixes(facts, hits))
        if connecting or surveyed:
            network = self._connect(facts.near, connecting)
            if surveyed:
                self._survey(facts, network)
            network.release()
        else:
            facts.evaluator.release()

    def _with_fixes(self, facts: PythonFacts, hits: list[Hit]) -> list[Hit]:
        """Give the hits on keys their fixes."""
        if self._session.explains_only or not any(hit.secret is not None for hit in hits):
            return hits
        from keyguard.moving import style_of, with_fixes  # noqa: PLC0415  # 5 ms, where a key was found
        from keyguard.naming import Naming  # noqa: PLC0415  # as above

        session, settings = self._session, self._settings
        variables = session.project.variables
        naming = session.naming or Naming(session.catalogue, by_host=dict(settings.env), variables=variables)
        return with_fixes(facts, hits, naming, style_of(settings, session.catalogue))

    def _check_connections(
        self,
        sources: Sequence[SourceFile],
        signals: Signals,
        checks: Sequence[NetworkCheck],
        choice: Choice | None,
    ) -> None:
        """Run the rules about connections over what of a module has to do with them."""
        from keyguard.python.facts import look_around  # noqa: PLC0415  # as above
        from keyguard.python.module import ParseFailure  # noqa: PLC0415  # as above

        session = self._session
        near = look_around(sources, session.catalogue, session.project(), choice, self._target.location)
        if isinstance(near, ParseFailure):
            self._unparsed(sources, near, signals)
        else:
            self._connect(near, checks).release()

    def _dialed(self, sources: Sequence[SourceFile]) -> Dialed:
        """Look quickly where the module has to do with connections: one in ten that names a model does at all."""
        from keyguard.python import glance  # noqa: PLC0415  # ast: 2 ms
        from keyguard.source import python_text  # noqa: PLC0415  # 1 ms

        session = self._session
        here = session.project().at(self._target.location)
        text = "\n".join(map(python_text, sources))
        return glance.dialed(text, session.catalogue, here.may_bring)

    def _concerns(self, check: NetworkCheck, signals: Signals) -> bool:
        """Tell whether a rule can say anything that is shown: elsewhere than near models, only the low voices."""
        if signals.connects:
            return True
        return (
            signals.requests
            and check.rule in WIDE
            and self._settings.is_shown(check.rule, Severity.LOW, Confidence.HIGH)
        )

    def _may_hold_keys(
        self, sources: Sequence[SourceFile], signals: Signals, wanted: Sequence[object]
    ) -> Collection[int] | None:
        """Tell whether a parse can find or explain a key: no line, what the cheaper looks leave, or None for all."""
        if not signals.python or (not wanted and not self._settings.is_selected("KG002")):
            return ()
        if signals.likely:
            return None
        lines: set[int] = set()
        for look in signals.looks:
            seen = self._sees(look, sources)
            if seen is None:
                return None
            lines.update(seen)
        return lines

    def _connect(self, near: Surroundings, checks: Sequence[NetworkCheck]) -> Network:
        """Run the rules about connections over one walk's facts."""
        from keyguard.checks.spots import hits_of  # noqa: PLC0415  # for Python that talks to models
        from keyguard.python.connections import network_of  # noqa: PLC0415  # as above

        module = near.index.module
        versions = self._session.project().versions_at(self._target.location)
        network = network_of(near, self._settings.advice, versions)
        self._add_hits(module, hits_of([spot for check in checks for spot in check.run(network)], module, near.index))
        return network

    def _survey(self, facts: PythonFacts, network: Network) -> None:
        """List the connections of a module and what it does with the variable that is asked for."""
        from keyguard.inventory import Usage  # noqa: PLC0415  # for a survey only
        from keyguard.python.rows import drafts_of  # noqa: PLC0415  # as above

        self._drafts += drafts_of(network, facts.module, self._clean)
        survey = self._session.survey
        if survey is None or survey.variable is None:
            return
        from keyguard.python.variables import touches  # noqa: PLC0415  # as above

        for touch in touches(facts, survey.variable, network):
            source, span = facts.module.place(touch.span)
            line, column = source.position(span.start)
            where = "code" if source.cell is None else "notebook"
            by = self._clean(touch.by)
            self._usages.append(
                Usage(source.path, line, column, source.cell, touch.action, where, by, implied=touch.implied)
            )
        for stepped in facts.module.stepped:
            source, span = facts.module.place(stepped)
            self._look_for_variable(source, span)

    def _look_for_variable(self, source: SourceFile, within: Span | None = None) -> None:
        """List what a text that is not parsed does with the variable that is asked for."""
        survey = self._session.survey
        if survey is None or survey.variable is None:
            return
        from keyguard.inventory import Usage  # noqa: PLC0415  # for a survey only
        from keyguard.mentions import mentions, where  # noqa: PLC0415  # as above

        place = where(self._target.place, source.kind) if source.cell is None else "notebook"
        for found in mentions(source, survey.variable):
            if within is None or within.start <= found.start < within.end:
                line, column = source.position(found.start)
                self._usages.append(Usage(source.path, line, column, source.cell, found.action, place))

    def _clean(self, text: str) -> str:
        """Take out of a text whatever is a key."""
        from keyguard.secrets.placeholders import mask  # noqa: PLC0415  # for a survey only
        from keyguard.secrets.shapes import keys_in_text  # noqa: PLC0415  # as above

        for key, masked in self._secrets.items():
            text = text.replace(key, masked)
        for found in keys_in_text(text, self._session.catalogue):
            text = text.replace(found.value, mask(found.value, found.shape))
        return text

    def _add_hits(self, module: Module, hits: Iterable[Hit]) -> None:
        """Add hits whose spans count in the whole module; each goes to the cell it lies in."""
        for hit in hits:
            source, span = module.place(hit.span)
            elsewhere = tuple((*module.place(other), text) for other, text in hit.related)
            fix = hit.fix and _placed(hit.fix, source, module)
            self._add(source, (hit._replace(span=span, related=(), elsewhere=elsewhere, fix=fix),))

    def _sees(self, look: str, sources: Sequence[SourceFile]) -> Collection[int] | None:
        """Take one of the quick looks that the prefilter asks for: what it sees may be wrong, what it leaves is not."""
        catalogue = self._session.catalogue
        if look == FOUND:
            from keyguard.secrets.shapes import keys_in_text  # noqa: PLC0415  # as in check_text

            return None if any(keys_in_text(source, catalogue) for source in sources) else ()
        from keyguard.python import glance  # noqa: PLC0415  # ast: 2 ms, for Python that reads or may hold a key
        from keyguard.source import python_text  # noqa: PLC0415  # 1 ms

        text = "\n".join(map(python_text, sources))
        return glance.LOOKS[look](text, catalogue)

    def _unparsed(self, sources: Sequence[SourceFile], failure: Any, signals: Signals) -> None:  # noqa: ANN401  # ParseFailure, whose module is heavy
        """Report Python that does not parse; its keys are still keys, found in its text."""
        for source in sources:
            self._check_unparsed(source)
            self._look_for_variable(source)
        if not self._settings.is_selected("KG002"):
            return
        source, line = _cell_line(sources, failure.line)
        case = failure.kind if failure.kind in {"python2", "template", "too-deep", "too-large"} else None
        if case is None and not signals.model:
            case = "no-trigger"
        line = min(line, source.line_count)
        span = source.line_span(line)
        reason = why_unread(self.lang, f"python.{failure.reason}", **failure.values)
        self._add(source, (Hit("KG002", span, {"reason": reason}, case=case, statement=source.line_text(line)),))

    def _check_unparsed(self, source: SourceFile) -> None:
        from keyguard.checks.kg101 import check_unparsed  # noqa: PLC0415  # only for Python without a tree

        # What these rules would have found in the tree is not known, so ignores for them are not judged.
        self._failed_rules.update(("KG101", "KG102", "KG103", "KG104", "KG105"))
        hits = tuple(check_unparsed(source, self._session.catalogue))
        for hit in hits:
            if hit.secret is not None:
                self._secrets.setdefault(hit.secret.value, hit.values["masked"])
        if self._settings.is_selected("KG101"):
            self._add(source, hits)

    def check_window(
        self, source: SourceFile, signals: Signals, own: Span, before: int, marks: tuple[Mark, ...]
    ) -> tuple[Mark, ...]:
        """Run the text rules over one window and keep what begins in its own part; give the marks of the whole file."""
        if signals or self.is_named:
            self.check_text(source, signals)
            if source.kind == "python":
                self._check_unparsed(source)
                self._look_for_variable(source)
            hits = self._hits.pop(id(source), [])
            self._sources.pop(id(source), None)
            self._hits[id(source)] = [hit for hit in hits if own.start <= hit.span.start < own.end]
            self._sources[id(source)] = source
        marks = self._settle_hits((source,), marks, shift=before, whole=False)
        self._hits.clear()
        self._sources.clear()
        return marks

    def windowed_outcome(self) -> Outcome:
        """Give the outcome of a file that was read in windows."""
        return self._outcome(windowed=True)

    def outcome(self, sources: Sequence[SourceFile], notebook: SourceFile | None = None) -> Outcome:
        """Give the outcome of a file whose parts were all checked; `notebook` is the JSON that cells came from."""
        self._notebook = notebook
        self._settle_hits(sources, ())
        return self._outcome(windowed=False)

    def _settle_hits(
        self, sources: Sequence[SourceFile], marks: tuple[Mark, ...], shift: int = 0, *, whole: bool = True
    ) -> tuple[Mark, ...]:
        """Turn the hits on each source into findings, reported or ignored; give the marks for the whole file.

        `shift` counts the characters before a window; `whole` tells that the sources are all there is of the file,
        so that a mark for the whole file that hid nothing can be judged.
        """
        from keyguard.findings import Speaker, one_leak_a_text  # noqa: PLC0415  # only when there may be a finding
        from keyguard.suppress import Suppressions, has_own_marks, unused_marks  # noqa: PLC0415  # as above

        session = self._session
        speaker = Speaker(session.catalogue, session.lang, keeps_moves=session.keeps_moves)
        secrets = self._secrets
        judged = []
        for source in sources:
            hits = one_leak_a_text(self._hits.get(id(source), ()))
            if not hits and not has_own_marks(source.text):
                continue
            suppressions = Suppressions(source, session.vocabulary(), marks)
            marks = marks or tuple(mark for mark in suppressions.marks if mark.reach == "file")
            used = []
            for hit in hits:
                finding = speaker.finding(hit, source, self._target.place, secrets)
                if session.hears is not None and hit.secret is not None and finding.key is not None:
                    session.hears(finding.key, hit.secret)
                hidden = suppressions.hides(hit.rule, finding.line, finding.end_line)
                if hidden is not None:
                    used.append(hidden)
                self._settle_in(source, finding, hit, shift, ignored=hidden is not None)
            judged.append((suppressions, used))
        if self._settings.is_selected("KG003"):
            useless = (
                unused_marks(judged, self._ran)
                if whole
                else [(one.source, hit) for one, used in judged for hit in one.unused(used, self._ran, whole=False)]
            )
            for source, hit in useless:
                self._unused += 1
                self._settle_in(source, speaker.finding(hit, source, self._target.place, secrets), hit, shift)
        return marks

    def _settle_in(self, source: SourceFile, finding: Finding, hit: Hit, shift: int, *, ignored: bool = False) -> None:
        """Settle a finding unless it stands on lines that a range of commits did not add."""
        if self._target.added is not None and not self._is_added(source, hit.span):
            return
        if shift:
            fix = finding.fix and finding.fix._replace(edits=_shifted(finding.fix.edits, shift))
            finding = finding._replace(span=Span(finding.span.start + shift, finding.span.end + shift), fix=fix)
        self._settle(finding, hit, ignored=ignored)

    def _is_added(self, source: SourceFile, span: Span) -> bool:
        """Tell whether a span of a file or a notebook's cell stands on lines that the commit added."""
        whole = source
        if self._notebook is not None:
            from keyguard.source import raw_span  # noqa: PLC0415  # in memory already

            whole, span = self._notebook, raw_span(self._notebook, source, span)
        return any(span.overlaps(added) for added in self._target.added_spans(whole.text) or ())

    def _ran(self, rule: str) -> bool:
        return self._settings.is_selected(rule) and rule not in self._failed_rules

    def _settle(self, finding: Finding, hit: Hit | None, *, ignored: bool = False) -> None:
        """Put a finding where it belongs: ignored, accepted by another tool's baseline, hidden, or reported."""
        if ignored or any(entry.hides(finding.rule) for entry in self._settings.ignored_by_path(self._target.location)):
            self._ignored.append(finding)
        elif hit is not None and self._is_accepted(hit):
            self._accepted.append(finding)
        elif not self._settings.is_shown(finding.rule, finding.severity, finding.confidence):
            self._hidden[finding.severity.label] += 1
        else:
            self._findings.append(finding)

    def _is_accepted(self, hit: Hit) -> bool:
        accepts = self._session.accepts
        if accepts is None or hit.secret is None:
            return False
        import hashlib  # noqa: PLC0415  # 3 ms, with another tool's baseline only

        # SHA-1 is what detect-secrets writes; it names, it does not protect.
        return accepts(self._target.path, hashlib.sha1(hit.secret.value.encode(), usedforsecurity=False).hexdigest())

    def _outcome(self, *, windowed: bool) -> Outcome:
        report = FileReport(
            self._target.path,
            findings=tuple(sorted(self._findings, key=_position)),
            ignored=tuple(sorted(self._ignored, key=_position)),
            accepted=tuple(sorted(self._accepted, key=_position)),
            windowed=windowed,
        )
        outcome = Outcome(report, tuple(self._hidden.items()), self._unused)
        if self._drafts or self._usages:
            from keyguard.python.rows import rows_with_problems  # noqa: PLC0415  # for a survey only

            rows = rows_with_problems(self._drafts, self._findings)
            outcome = outcome._replace(rows=rows, usages=tuple(dict.fromkeys(self._usages)))
        return outcome


def _placed(fix: Fix, source: SourceFile, module: Module) -> Fix | None:
    """A fix whose edits count in the source that its finding lies in; None where one of them lies elsewhere."""
    if len(module.parts) == 1:
        return fix
    start = next(part.start for part in module.parts if part.source is source)
    size = len(source.text)
    edits = _shifted(fix.edits, -start)
    # A last line that goes takes the line end with it that only joins its cell to the next.
    edits = tuple(
        Edit(Span(span.start, size), text) if span.end == size + 1 else Edit(span, text) for span, text in edits
    )
    if any(edit.span.start < 0 or edit.span.end > size for edit in edits):
        return None
    return fix._replace(edits=edits)


def _shifted(edits: Iterable[Edit], shift: int) -> tuple[Edit, ...]:
    return tuple(Edit(Span(span.start + shift, span.end + shift), text) for span, text in edits)


def _cell_line(sources: Sequence[SourceFile], line: int) -> tuple[SourceFile, int]:
    """Turn a line of joined cells into a cell and a line in it."""
    for source in sources:
        # A cell that ends with a line end has an empty last line, which is the next cell's first.
        lines = source.line_count - (len(sources) > 1 and source.text.endswith(("\n", "\r")))
        if line <= lines:
            return source, max(line, 1)
        line -= lines
    return sources[-1], sources[-1].line_count


def _position(finding: Finding) -> tuple[int, str, int, int, str]:
    return finding.cell or 0, finding.part or "", finding.span.start, finding.span.end, finding.rule


def _one_by_one(targets: Sequence[Target], session: Session, advance: Callable[[int], None]) -> Iterator[Outcome]:
    from keyguard.discover import filled  # noqa: PLC0415  # the caller has it in memory already

    for target in filled(targets):
        outcome = check_target(target, session)
        advance(1)
        if not outcome.is_empty or outcome.digest:
            yield outcome


def _chunks(targets: Sequence[Target], most: int = _CHUNK_BYTES) -> list[tuple[int, int]]:
    """Cut the targets into runs of about so many bytes, as index ranges."""
    cuts: list[tuple[int, int]] = []
    start = size = 0
    for index, target in enumerate(targets):
        size += max(target.size, 0)
        if size >= most or index + 1 - start >= _CHUNK_FILES:
            cuts.append((start, index + 1))
            start, size = index + 1, 0
    if start < len(targets):
        cuts.append((start, len(targets)))
    return cuts


def _report(outcomes: Iterable[Outcome], checked: int, lang: str) -> Report:
    """Put outcomes together in path order; versions of one file (a range) stay in the order of their commits."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.report.path)
    hidden: Counter[str] = Counter()
    for outcome in ordered:
        hidden.update(dict(outcome.hidden))
    return Report(
        tuple(outcome.report for outcome in ordered),
        checked=checked - sum(outcome.report.skipped is not None for outcome in ordered),
        hidden=dict(hidden),
        notices=tuple(bug_of(outcome, lang) for outcome in ordered if outcome.bug),
        unused_ignores=sum(outcome.unused for outcome in ordered),
    )


def bug_of(outcome: Outcome, lang: str) -> Notice:
    """Say in `lang` where keyguard failed on a file, for an outcome with a bug."""
    path = outcome.report.path
    return Notice(why_unread(lang, "file.bug", path=path, bug=outcome.bug), path, error=True)


def _where(error: Exception) -> str:
    """Say what failed and where, without the error's own words: they can quote the text that was being read."""
    import traceback  # noqa: PLC0415  # 6 ms, for a bug only

    package = os.path.dirname(__file__)  # noqa: PTH120  # pathlib costs 8 ms
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(package)]
    places = [f"{os.path.relpath(frame.filename, package)}:{frame.lineno}" for frame in frames[-3:]]
    return " > ".join((*places, type(error).__name__))


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
