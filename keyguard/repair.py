"""A run's fixes: files are repaired in memory, keys go to the store, and only then are the files written."""

from __future__ import annotations

from collections import Counter

from keyguard.engine import check_bytes
from keyguard.files import ChangedMeanwhile, write_atomically
from keyguard.findings import file_finding, hidden_keys
from keyguard.fixer import Repaired, is_applicable, repair
from keyguard.keystore import StoreError, ignore
from keyguard.lang import why_unread
from keyguard.model import FileReport, Finding, Notice, Safety
from keyguard.source import decode, encode, kind_of
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from keyguard.discover import Target
    from keyguard.engine import Outcome, Session
    from keyguard.keystore import KeyStore, Receipt
    from keyguard.model import Move, Report
    from keyguard.source import SourceFile


class Change(NamedTuple):
    """One file as it was and as its fixes make it; `first` and `last` are what a check says of either."""

    target: Target
    before: bytes
    repaired: Repaired
    first: Outcome
    last: Outcome


class Written(NamedTuple):
    """What came of writing changes: those that are on disk, what the store says, and what went wrong."""

    changes: tuple[Change, ...] = ()
    receipt: Receipt | None = None
    notices: tuple[Notice, ...] = ()


class Terms(NamedTuple):
    """What may be fixed, and what belongs to it.

    Fixes less safe than `least` are not made; `accept` takes out of a file's report what a baseline holds, which is
    never fixed; `finish` gives the text of a file that keys moved out of with what it needs besides, None for nothing.
    """

    least: Safety = Safety.SAFE
    accept: Callable[[FileReport], FileReport] = lambda file: file
    finish: Callable[[SourceFile], str | None] = lambda _: None


def plan(report: Report, targets: Iterable[Target], session: Session, terms: Terms) -> list[Change]:
    """Repair, in memory, the files in which a finding of the report has a fix that is safe enough, in path order.

    Files that changed since they were checked are planned as they are now; those that can no longer be read are left
    out.
    """
    waiting = {file.path for file in report.files if any(is_applicable(found, terms.least) for found in file.findings)}
    by_path = {target.path: target for target in targets if target.path in waiting and not target.is_large}
    changes = (_planned(by_path[path], session, terms) for path in sorted(by_path))
    return [change for change in changes if change and (change.repaired.fixed or change.repaired.failed)]


def _planned(target: Target, session: Session, terms: Terms) -> Change | None:
    try:
        data = target.read()
    except OSError:
        return None
    kind = kind_of(target.path, data[:256])
    outcomes: dict[bytes, Outcome] = {}

    def check(text: bytes) -> tuple[Finding, ...]:
        if text not in outcomes:
            outcome = check_bytes(target, text, session)
            outcomes[text] = outcome._replace(report=terms.accept(outcome.report))
        return outcomes[text].report.findings

    def read(text: bytes) -> SourceFile:
        return decode(target.path, text, kind=kind, place=target.place)

    repaired = repair(data, read, check, lambda found: is_applicable(found, terms.least))
    source = read(repaired.data) if repaired.moves else None
    finished = terms.finish(source) if source is not None else None
    if source is not None and finished is not None:
        done = encode(source, finished)
        if len(check(done)) <= len(repaired.left):
            repaired = repaired._replace(data=done, left=check(done))
    return Change(target, data, repaired, outcomes[data], outcomes[repaired.data])


def write(changes: Sequence[Change], store: KeyStore, root: str, lang: str = "en") -> Written:
    """Put every key that moves into the store, then write the files, each as a whole or not at all.

    Where the store fails, the files whose keys it should have taken stay as they are; a file that changed meanwhile
    stays too. Keys of a file that then could not be written are in the store and in the code: nothing is lost.
    """
    notices: list[Notice] = []
    receipt = None
    ready = [change for change in changes if change.repaired.fixed]
    moves = tuple(dict.fromkeys(move for change in ready for move in change.repaired.moves))
    if moves:
        try:
            receipt = store.put(moves)
        except StoreError as error:
            notices.append(Notice(str(error), error=True))
            ready = [change for change in ready if not change.repaired.moves]
    excludes = tuple(dict.fromkeys(path for change in ready for path in change.repaired.excludes))
    if excludes:
        try:
            ignore(root, excludes)
        except StoreError as error:
            notices.append(Notice(str(error), error=True))
            ready = [change for change in ready if not change.repaired.excludes]
    failures = {change.target.path: failure for change in ready if (failure := _written(change, lang)) is not None}
    notices += (
        Notice(why_unread(lang, "file.not-fixed", path=path, reason=reason), path, error=True)
        for path, reason in failures.items()
    )
    return Written(tuple(change for change in ready if change.target.path not in failures), receipt, tuple(notices))


def _written(change: Change, lang: str) -> str | None:
    """Write one file; the reason if it was left alone."""
    try:
        if change.repaired.data != change.before:
            write_atomically(change.target.location, change.repaired.data, expect=change.before)
    except ChangedMeanwhile:
        return why_unread(lang, "file.changed")
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


def after(report: Report, changes: Iterable[Change], session: Session) -> Report:
    """The report of a run whose fixes were written: what is left, what was fixed, and what was taken back (KG004)."""
    by_path = {change.target.path: change for change in changes}
    hidden = Counter(report.hidden)
    unused = report.unused_ignores
    files = []
    for file in report.files:
        change = by_path.get(file.path)
        if change is None:
            files.append(file)
            continue
        hidden.update(dict(change.last.hidden))
        hidden.subtract(dict(change.first.hidden))
        unused += change.last.unused - change.first.unused
        files.append(_file_after(change, session))
    return report._replace(files=tuple(files), hidden=dict(+hidden), unused_ignores=max(unused, 0))


def _file_after(change: Change, session: Session) -> FileReport:
    repaired = change.repaired
    settings = session.finder.for_path(change.target.location)
    taken_back = [_taken_back(found, change.target, session) for found in repaired.failed]
    shown = [
        one
        for one in taken_back
        if settings.is_selected("KG004") and settings.is_shown("KG004", one.severity, one.confidence)
    ]
    findings = (*map(without_moves, repaired.left), *shown)
    last = change.last.report
    ordered = tuple(
        sorted(findings, key=lambda found: (found.cell or 0, found.part or "", found.line, found.column, found.rule))
    )
    return last._replace(findings=ordered, fixed=tuple(map(without_moves, repaired.fixed)))


def without_moves(finding: Finding) -> Finding:
    """The finding without the keys of its fix: they stay with who writes them."""
    return finding if finding.fix is None else finding._replace(fix=finding.fix._replace(moves=()))


def _taken_back(finding: Finding, target: Target, session: Session) -> Finding:
    found = file_finding(session.catalogue, "KG004", target.path, target.place, finding.rule, session.lang)
    return found._replace(
        line=finding.line,
        column=finding.column,
        end_line=finding.end_line,
        end_column=finding.end_column,
        cell=finding.cell,
        part=finding.part,
    )


def diff(changes: Iterable[Change], session: Session) -> str:
    """What fixes would change, as a unified diff to read: keys are masked, so it cannot be applied."""
    import difflib  # noqa: PLC0415  # 3 ms, for --diff only

    texts: list[str] = []
    for change in changes:
        path = change.target.path
        secrets = {move.secret.value: "…" for move in change.repaired.moves}
        before, after = (
            hidden_keys(_text(change.target, data), secrets, session.catalogue).splitlines(keepends=True)
            for data in (change.before, change.repaired.data)
        )
        texts += map(_whole_line, difflib.unified_diff(before, after, f"a/{path}", f"b/{path}"))
        texts += [f"# git will ignore {name}\n" for name in change.repaired.excludes]
    return "".join(texts)


def _whole_line(line: str) -> str:
    return line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n"


def _text(target: Target, data: bytes) -> str:
    return decode(target.path, data, kind=kind_of(target.path, data[:256])).text


def moved(changes: Iterable[Change]) -> Mapping[str, tuple[Move, tuple[Finding, ...]]]:
    """By variable: the key that moved there, and the places it was moved from."""
    found: dict[str, tuple[Move, tuple[Finding, ...]]] = {}
    for change in changes:
        for finding in change.repaired.fixed:
            for move in finding.fix.moves if finding.fix else ():
                held = found.get(move.name, (move, ()))
                found[move.name] = (move, (*held[1], without_moves(finding)))
    return dict(sorted(found.items(), key=lambda item: _natural(item[0])))


def _natural(name: str) -> tuple[str, int]:
    """`KEY_2` before `KEY_10`."""
    stem, _, number = name.rpartition("_")
    return (stem, int(number)) if number.isdecimal() else (name, 0)
