"""What a run need not do again: outcomes taken from the cache, and what it is told of the others."""

from __future__ import annotations

from keyguard.cache import Kept, ResultCache, Seen, digest_of, from_json, status_of, to_json
from keyguard.engine import Outcome
from keyguard.model import FileReport
from keyguard.source import is_env_file, is_env_template
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keyguard.discover import Status, Target
    from keyguard.engine import Session


class Recalled(NamedTuple):
    """What is known of a run's files: `outcomes` of some, the `waiting` rest, and its status before it is read."""

    outcomes: tuple[Outcome, ...]
    waiting: tuple[Target, ...]
    status: dict[str, Status]


def recall(targets: Sequence[Target], session: Session, cache: ResultCache) -> Recalled:
    """Part the files that the cache knows from those that must be checked."""
    outcomes: list[Outcome] = []
    waiting: list[Target] = []
    status: dict[str, Status] = {}
    marks, layout = _Marks(session, cache), session.project.layout
    for target in targets:
        if not _is_kept(target):
            waiting.append(target)
            continue
        found = target.status or status_of(target.location)
        kept = cache.known(target.location, found, marks.of(target), layout) if found is not None else None
        outcome = _outcome(target, kept) if kept is not None else None
        if outcome is not None:
            outcomes.append(outcome)
            continue
        waiting.append(target)
        if found is not None:
            status[target.location] = found
    return Recalled(tuple(outcomes), tuple(waiting), status)


def remember(known: Recalled, outcomes: Iterable[Outcome], session: Session, cache: ResultCache) -> None:
    """Tell the cache what came of the files that were checked."""
    by_path = {outcome.report.path: outcome for outcome in outcomes}
    marks, layout = _Marks(session, cache), session.project.layout
    for target in known.waiting:
        status = known.status.get(target.location)
        if status is None:
            continue
        outcome = by_path.get(target.path)
        if outcome is None:
            cache.keep(target.location, Kept(status, marks.of(target)))
            continue
        report = to_json(outcome.report)
        if outcome.bug or report is None or any(finding.rule == "KG001" for finding in outcome.report.findings):
            continue
        start = layout.module_name(target.location)[2] if outcome.seen else ""
        seen = tuple(Seen(module, at, path, cache.digest(path) if path else "") for module, at, path in outcome.seen)
        result = None if outcome.is_empty else [report, [list(item) for item in outcome.hidden], outcome.unused]
        cache.keep(target.location, Kept(status, marks.of(target), outcome.digest, start, seen, result))
    cache.write()


def _is_kept(target: Target) -> bool:
    """Tell whether a file's result hangs on its bytes alone: no git object, and no env file, whose state git knows."""
    by_git = is_env_file(target.path) and not is_env_template(target.path)
    return target.blob is None and target.data is None and target.added is None and not by_git


def _outcome(target: Target, kept: Kept) -> Outcome | None:
    """The outcome that is remembered; None when it cannot be read."""
    if kept.result is None:
        return Outcome(FileReport(target.path))
    try:
        report, hidden, unused = kept.result
        return Outcome(from_json(report), tuple((str(label), int(count)) for label, count in hidden), int(unused))
    except (ValueError, TypeError, KeyError, IndexError):
        return None


class _Marks:
    """Digests of what is in force for the files of a folder: settings, and the requirements that ask for releases."""

    def __init__(self, session: Session, cache: ResultCache) -> None:
        self._session, self._cache = session, cache
        self._known: dict[str, str] = {}
        # By identity, which a run's settings and requirements keep: most folders share them, and spelling them out
        # takes 60 us.
        self._spelt: dict[tuple[int, int], str] = {}

    def of(self, target: Target) -> str:
        folder = target.location.rpartition("/")[0]
        if folder not in self._known:
            settings = self._session.finder.for_path(target.location)
            files = self._session.project.layout.requirements_at(target.location)
            both = (id(settings), id(files))
            if both not in self._spelt:
                said = repr((settings, [(file, self._cache.digest(file)) for file in files]))
                self._spelt[both] = digest_of(said.encode("utf-8", "surrogatepass"))
            self._known[folder] = self._spelt[both]
        return self._known[folder]
