"""What a run found in each file, kept for the next run: a file that did not change is not read again.

A file is unchanged when its status is (size, times, inode), or else its bytes' digest; what was found in it holds while
keyguard, its rules, the settings in force and every module it imports constants from are the same too. The cache is
plain JSON (never a pickle: a changed cache must not be able to run code), it holds what a report would show and no key,
and it is replaced whole, so that two runs that race leave the one's or the other's.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from contextlib import suppress
from types import MappingProxyType

from keyguard.typed import TYPE_CHECKING, NamedTuple

try:
    from _blake2 import blake2b  # what hashlib gives, which loads OpenSSL besides: 2 ms
except ImportError:
    from hashlib import blake2b

from keyguard import __version__
from keyguard.discover import status_from
from keyguard.model import Confidence, Edit, Excerpt, FileReport, Finding, Fix, Related, Safety, Severity, Span

# os.path and not pathlib, which costs 8 ms at start.
# ruff: noqa: PTH100, PTH108, PTH116, PTH118, PTH120, PTH123, PTH208

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from keyguard.discover import Status
    from keyguard.inventory import Row
    from keyguard.python.layout import Layout

_FORMAT = 2  # raised when the layout changes
RACY = 2_000_000_000  # ns: a file changed so shortly before the cache was written may change again at the same time
_KEPT = 8  # caches of one root (other settings, other folders to run from) before the oldest goes
_PREFIX = "results-"


class Seen(NamedTuple):
    """A module that a file's constants were looked up in: its dotted name, the file it was found in, its digest.

    `path` is empty when there is no such module in the project: one that appears would count.
    """

    module: str
    start: str
    path: str
    digest: str


class Kept(NamedTuple):
    """What is remembered of one file; `digest` is empty when nothing but its status tells whether it changed.

    `settings` is the digest of the settings in force for it; `start` the folder its imports begin in, with `seen`.
    `result` is an outcome as JSON, None for a file about which there is nothing to say.
    """

    status: Status
    settings: str
    digest: str = ""
    start: str = ""
    seen: tuple[Seen, ...] = ()
    result: Any = None


def digest_of(data: bytes) -> str:
    """A name for a file's bytes (16 bytes of BLAKE2, 1 GB a second)."""
    return blake2b(data, digest_size=16).hexdigest()


def status_of(path: str) -> Status | None:
    """The status of a file; None when it is gone or no regular file."""
    try:
        return status_from(os.stat(path))
    except (OSError, ValueError):
        return None


class ResultCache:
    """The results of earlier runs over one project, with what this run adds."""

    def __init__(
        self,
        path: str,
        kept: Mapping[str, Kept] = MappingProxyType({}),
        digests: Mapping[str, tuple[Status, str]] = MappingProxyType({}),
        written: int = 0,
    ) -> None:
        """Hold what `path` held: of files, of files that others look into; `written` is when, in ns."""
        self._path, self._kept, self._digests, self._written = path, kept, digests, written
        self._fresh: dict[str, Kept] = {}
        self._read: dict[str, tuple[Status, str] | None] = {}
        self._is_late = False  # whether files were read again only since they changed shortly before it was written

    def known(self, location: str, status: Status, settings: str, layout: Layout) -> Kept | None:
        """What is remembered of a file that has not changed since; None when it must be checked."""
        kept = self._kept.get(location)
        if kept is None or kept.settings != settings:
            return None
        if not self._holds(status, kept.status):
            if not kept.digest or self.digest(location) != kept.digest:
                return None
            self._is_late = True
            kept = kept._replace(status=status)
        if kept.seen and not self._same_modules(location, kept, layout):
            return None
        self._fresh[location] = kept
        return kept

    def _holds(self, status: Status, known: Status) -> bool:
        """Tell from a file's status whether its bytes are those it had when the status was `known`."""
        return status == known and status[1] <= self._written - RACY

    def _same_modules(self, location: str, kept: Kept, layout: Layout) -> bool:
        """Tell whether every module a file looked into is where and what it was."""
        if layout.module_name(location)[2] != kept.start:
            return False
        for seen in kept.seen:
            path = layout.find(seen.module, seen.start) or ""
            if path != seen.path or (path and self.digest(path) != seen.digest):
                return False
        return True

    def digest(self, path: str) -> str:
        """The digest of a file's bytes as they are now, read once a run at most; empty when it cannot be read."""
        if path not in self._read:
            self._read[path] = self._digest(path)
        found = self._read[path]
        return "" if found is None else found[1]

    def _digest(self, path: str) -> tuple[Status, str] | None:
        status = status_of(path)  # before it is read: a change after that is seen by the next run
        if status is None:
            return None
        known = self._digests.get(path)
        if known is not None and self._holds(status, known[0]):
            return known
        with suppress(OSError, ValueError), open(path, "rb") as file:
            return status, digest_of(file.read())
        return None

    def keep(self, location: str, kept: Kept) -> None:
        """Remember what was found in a file."""
        self._fresh[location] = kept

    def write(self) -> None:
        """Leave what was learnt for the next run, without what is gone; a folder that takes no file is no error."""
        read = {path: known for path, known in self._read.items() if known is not None}
        others, unread = self._kept.keys() - self._fresh.keys(), self._digests.keys() - read.keys()
        gone = {path for path in others | unread if status_of(path) is None}
        learnt = any(self._kept.get(path) != item for path, item in self._fresh.items())
        if not (learnt or gone or self._is_late) and all(
            self._digests.get(path) == item for path, item in read.items()
        ):
            return
        kept = {**{path: self._kept[path] for path in others - gone}, **self._fresh}
        digests = {**{path: self._digests[path] for path in unread - gone}, **read}
        files = {path: [*item[:4], [list(one) for one in item.seen], item.result] for path, item in kept.items()}
        held = {"format": _FORMAT, "written": time.time_ns(), "files": files, "digests": digests}
        text = json.dumps(held, separators=(",", ":"))
        from keyguard.files import leave  # noqa: PLC0415  # tempfile: 3 ms, after a run that learnt something

        if leave(self._path, (text.encode("utf-8", "surrogatepass"),)):
            forget_old(self._path, _PREFIX, _KEPT)


def open_cache(folder: str, stamp: Iterable[object]) -> ResultCache:
    """Open the cache of runs that agree on `stamp`: keyguard, rules, root, working folder, language."""
    name = digest_of("\n".join(map(repr, stamp)).encode("utf-8", "surrogatepass"))
    path = os.path.join(folder, f"{_PREFIX}{name}.json")
    try:
        with open(path, "rb") as file:
            if not is_ours(os.fstat(file.fileno())):
                return ResultCache(path)
            held = json.loads(file.read().decode("utf-8", "surrogatepass"))
        if held["format"] != _FORMAT:
            return ResultCache(path)
        kept = {str(location): _kept(item) for location, item in held["files"].items()}
        digests = {str(other): (_status(status), str(digest)) for other, (status, digest) in held["digests"].items()}
        return ResultCache(path, kept, digests, int(held["written"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ResultCache(path)


@functools.cache  # a process has the code that it began with, and an audit asks for each repository
def stamp_of_code() -> str:
    """The name, size and time of every module of keyguard: a changed one may see what the last did not."""
    package = os.path.dirname(os.path.abspath(__file__))
    entries = [__version__, sys.version]
    folders = [package]
    while folders:
        folder = folders.pop()
        with suppress(OSError), os.scandir(folder) as found:
            for entry in found:
                if entry.name.endswith(".py"):
                    status = entry.stat()
                    entries.append(f"{entry.path} {status.st_size} {status.st_mtime_ns}")
                elif entry.name != "__pycache__" and entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
    return "\n".join(sorted(entries))


def _kept(item: Sequence[Any]) -> Kept:
    status, settings, digest, start, seen, result = item
    return Kept(
        _status(status),
        str(settings),
        str(digest),
        str(start),
        tuple(Seen(*map(str, one)) for one in seen),
        result,
    )


def _status(item: Sequence[Any]) -> Status:
    size, changed, altered, inode = item
    return int(size), int(changed), int(altered), int(inode)


def is_ours(status: os.stat_result) -> bool:
    """Tell whether nobody else could have written the file: a foreign cache could hide a key."""
    if sys.platform == "win32":
        return True  # the folder's access list says it, and there is no owner to ask for
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def forget_old(newest: str, prefix: str, kept: int) -> None:
    """Keep a few files of a kind beside the newest one: one is left for every set of settings and working folder."""
    folder, name_of_newest = os.path.split(newest)
    with suppress(OSError):
        names = [name for name in os.listdir(folder) if name.startswith(prefix) and name != name_of_newest]
        aged = sorted(names, key=lambda name: os.stat(os.path.join(folder, name)).st_mtime_ns, reverse=True)
        for name in aged[kept - 1 :]:
            os.unlink(os.path.join(folder, name))


# A file's report as JSON -------------------------------------------------------------------------------------------


def to_json(report: FileReport) -> Any:  # noqa: ANN401  # plain JSON data
    """A file's report as plain data; None when a fix carries a key, which never leaves the process."""
    groups = [report.findings, report.ignored, report.accepted, report.fixed]
    if any(finding.fix is not None and finding.fix.moves for group in groups for finding in group):
        return None
    return [
        report.path,
        [[finding_to_json(finding) for finding in group] for group in groups],
        report.skipped,
        report.windowed,
    ]


def finding_to_json(finding: Finding) -> list[Any]:
    """A finding as plain data; the moves of its fix stay behind."""
    given: dict[str, Any] = finding._asdict()
    given["severity"], given["confidence"] = int(finding.severity), int(finding.confidence)
    if finding.fix is not None:
        edits = [[*edit.span, edit.text] for edit in finding.fix.edits]
        given["fix"] = [finding.fix.title, int(finding.fix.safety), edits, list(finding.fix.excludes)]
    return list(given.values())


def from_json(data: Any) -> FileReport:  # noqa: ANN401  # plain JSON data
    """The report that `to_json` gave.

    Raises:
        ValueError, TypeError, KeyError, IndexError: it is something else.
    """
    path, groups, skipped, windowed = data
    found, ignored, accepted, fixed = (tuple(finding_from_json(item) for item in group) for group in groups)
    return FileReport(path, found, ignored, accepted, fixed, skipped, bool(windowed))


def finding_from_json(item: Sequence[Any]) -> Finding:
    """The finding that `finding_to_json` gave; raises as `from_json` does."""
    given: dict[str, Any] = dict(zip(Finding._fields, item, strict=True))
    excerpt, fix = given["excerpt"], given["fix"]
    given.update(
        span=Span(*given["span"]),
        severity=Severity(given["severity"]),
        confidence=Confidence(given["confidence"]),
        excerpt=None if excerpt is None else Excerpt(*excerpt),
        related=tuple(Related(*one) for one in given["related"]),
        fix=None if fix is None else _fix(fix),
    )
    return Finding(**given)


def _fix(item: Sequence[Any]) -> Fix:
    title, safety, edits, excludes = item
    made = tuple(Edit(Span(start, end), text) for start, end, text in edits)
    return Fix(title, Safety(safety), made, excludes=tuple(excludes))


def row_to_json(row: Row) -> list[Any]:
    """A connection as plain data."""
    return list(row)


def row_from_json(item: Sequence[Any]) -> Row:
    """The connection that `row_to_json` gave; raises as `from_json` does."""
    from keyguard.inventory import KeySource, Peer, Row, Wait  # noqa: PLC0415  # for inventories only

    given: dict[str, Any] = dict(zip(Row._fields, item, strict=True))
    kind, names, *rest = given["key"]
    given.update(
        peers=tuple(Peer(*one) for one in given["peers"]),
        base_names=tuple(given["base_names"]),
        key=KeySource(kind, tuple(names), *rest),
        models=tuple(given["models"]),
        waits=tuple(Wait(*one) for one in given["waits"]),
        attempts=tuple(given["attempts"]),
        calls=tuple((cell, line) for cell, line in given["calls"]),
        problems=tuple(given["problems"]),
    )
    return Row(**given)
