"""The findings a project lives with, accepted by fingerprint and as often as recorded: only new ones are reported."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, replace

from keyguard.errors import UsageError
from keyguard.model import Confidence, Severity
from keyguard.settings import BASELINES, display, find_upwards, relative
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from keyguard.model import FileReport, Finding
    from keyguard.settings import Settings

# ruff: noqa: PTH100, PTH118, PTH119, PTH120, PTH123  # os.path as in settings: pathlib costs 8 ms

OWN_FILE, SECRETS_FILE = BASELINES
VERSION = 1

_HEX_DIGITS = 64
_SHA1_DIGITS = 40
_ANEW = "delete it and run `keyguard baseline create`"


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding that is accepted `count` times in one file; `path` counts from the baseline's folder, with `/`.

    `key` names the secret, `reason` is what somebody wrote beside it; `line` is the entry's own line in the file
    that was read, 0 for one that is new.
    """

    path: str
    rule: str
    fingerprint: str
    count: int = 1
    key: str | None = None
    severity: Severity = Severity.HIGH
    confidence: Confidence = Confidence.HIGH
    reason: str | None = None
    line: int = 0


class Match(NamedTuple):
    """Reports with what the baseline accepts moved out of the findings, and the entries with more than they met.

    `unused` pairs an entry with how often it met nothing; only a run over the whole project can judge by it, and
    only entries whose rule ran and is shown.
    """

    files: tuple[FileReport, ...]
    unused: tuple[tuple[Entry, int], ...]


@dataclass(frozen=True, slots=True)
class Baseline:
    """Accepted findings, and the absolute path of the file they stand in."""

    file: str
    entries: tuple[Entry, ...] = ()

    def match(self, files: Sequence[FileReport], exists: Callable[[str], bool] = os.path.lexists) -> Match:
        """Accept what was recorded: in the same file, else in the one it was renamed to; the rest is new.

        A file counts as renamed if its old path, given absolute to `exists`, is gone. Versions of one file (several
        reports of one path) are each accepted alike. The result does not depend on the order of `files`.
        """
        budget = _Budget(self.entries)
        paths = {report.path: self.place(report.path) for report in files}
        wanted: dict[tuple[str, str], int] = {}
        for report in files:
            for fingerprint, count in Counter(finding.fingerprint for finding in report.findings).items():
                at = (fingerprint, paths[report.path])
                wanted[at] = max(wanted.get(at, 0), count)
        granted = budget.in_place(wanted)
        budget.keep_renamed(lambda path: not exists(os.path.join(os.path.dirname(self.file), path)))
        # A file that kept its name while its folder moved comes before a stranger.
        for same_name in (True, False):
            for at in sorted(wanted):
                missing = wanted[at] - granted[at]
                granted[at] += budget.renamed(at, missing, same_name=same_name) if missing else 0
        accepted = tuple(_split(report, paths[report.path], granted) for report in files)
        return Match(accepted, budget.unused(self.entries))

    def updated(
        self,
        findings: Iterable[Finding],
        covers: Callable[[str], bool] = lambda _: True,
        exists: Callable[[str], bool] = os.path.lexists,
    ) -> Baseline:
        """Give the baseline that accepts these findings, with the reasons written so far.

        `findings` are all of a run, accepted ones too. `covers` tells whether the run looked at a path (from the
        baseline's folder): entries of files it left out stay, unless the file is gone.
        """
        folder = os.path.dirname(self.file)
        reasons = {(entry.fingerprint, entry.path): entry.reason for entry in self.entries}
        gone = {e.fingerprint: e.reason for e in self.entries if not exists(os.path.join(folder, e.path))}
        found: dict[tuple[str, str], Entry] = {}
        for finding in findings:
            at = (finding.fingerprint, self.place(finding.path))
            held = found.get(at)
            found[at] = (
                replace(held, count=held.count + 1)
                if held
                else Entry(
                    path=at[1],
                    rule=finding.rule,
                    fingerprint=finding.fingerprint,
                    key=finding.key,
                    severity=finding.severity,
                    confidence=finding.confidence,
                    reason=reasons[at] if at in reasons else gone.get(finding.fingerprint),
                )
            )
        kept = (
            entry
            for entry in self.entries
            if (entry.fingerprint, entry.path) not in found
            and not covers(entry.path)
            and exists(os.path.join(folder, entry.path))
        )
        return replace(self, entries=tuple(sorted((*found.values(), *kept), key=_order)))

    def write(self) -> None:
        """Write the file whole or not at all, one entry a line; raises UsageError where that is not possible."""
        import tempfile  # noqa: PLC0415  # 6 ms, for writing only

        folder = os.path.dirname(self.file)
        temporary = None
        try:
            mode = os.stat(self.file).st_mode & 0o777 if os.path.isfile(self.file) else 0o644  # noqa: PTH113, PTH116
            descriptor, temporary = tempfile.mkstemp(prefix=OWN_FILE, dir=folder)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(self.to_json().encode())
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(temporary, mode)  # noqa: PTH101
            os.replace(temporary, self.file)  # noqa: PTH105
        except OSError as error:
            if temporary is not None and os.path.lexists(temporary):
                os.unlink(temporary)  # noqa: PTH108
            message = (
                f"{display(self.file)}: the baseline cannot be written ({_reason(error)}); name another --baseline"
            )
            raise UsageError(message) from error

    def to_json(self) -> str:
        """Give the text of the file: sorted, one line an entry, nothing that changes from run to run."""
        rows = [_dump(_fields(entry)) for entry in sorted(self.entries, key=_order)]
        listed = "[\n    " + ",\n    ".join(rows) + "\n  ]" if rows else "[]"
        return f'{{\n  "version": {VERSION},\n  "tool": "keyguard",\n  "findings": {listed}\n}}\n'

    def to_text(self) -> str:
        """Give the entries for people, a line each, and their number."""
        lines = []
        for entry in sorted(self.entries, key=_order):
            times = f" ({entry.count} times)" if entry.count > 1 else ""
            reason = f"  # {entry.reason}" if entry.reason else ""
            lines.append(f"{entry.path}: {entry.rule}{times} {entry.fingerprint[:12]}{reason}")
        total = sum(entry.count for entry in self.entries)
        files = len({entry.path for entry in self.entries})
        lines.append(f"{display(self.file)}: {total} accepted in {files} {'file' if files == 1 else 'files'}")
        return "\n".join(lines) + "\n"

    def place(self, path: str) -> str:
        """Give a reported path as entries have it: from the baseline's folder, with `/`."""
        return _place(path, os.path.dirname(self.file))


@dataclass(frozen=True, slots=True)
class SecretsBaseline:
    """A `.secrets.baseline` of detect-secrets: by path, the SHA-1 of each secret it lists."""

    file: str
    hashes: Mapping[str, frozenset[str]]

    def accepts(self, path: str, sha1: str) -> bool:
        """Tell whether the secret with this SHA-1 (hexadecimal) is listed for this reported path.

        What detect-secrets' audit marked as a real secret is not: somebody looked, and it leaks.
        """
        return sha1 in self.hashes.get(_place(path, os.path.dirname(self.file)), ())


def load(settings: Settings) -> tuple[Baseline | None, SecretsBaseline | None]:
    """Read what the settings name as baseline, else what stands at the project's root, if anything.

    Raises UsageError for a file that is named and absent, and for one that is no baseline this version reads.
    """
    if settings.baseline is not None:
        named = read(settings.baseline) if settings.baseline else None
        return (named, None) if isinstance(named, Baseline) else (None, named)
    own, foreign = find_upwards(settings, OWN_FILE), find_upwards(settings, SECRETS_FILE)
    ours = read(own) if own else None
    theirs = read(foreign) if foreign else None
    return (
        ours if isinstance(ours, Baseline) else None,
        theirs if isinstance(theirs, SecretsBaseline) else None,
    )


def target(settings: Settings) -> str:
    """Give the absolute path `keyguard baseline create` writes to: what the settings name, else at the root."""
    return os.path.abspath(
        settings.baseline or find_upwards(settings, OWN_FILE) or os.path.join(settings.root, OWN_FILE)
    )


def read(file: str) -> Baseline | SecretsBaseline:
    """Read a baseline of ours or of detect-secrets; raises UsageError with the file and the remedy."""
    import json  # noqa: PLC0415  # 8 ms, where there is a baseline

    file, shown = os.path.abspath(file), display(file)
    try:
        with open(file, encoding="utf-8-sig") as stream:
            text = stream.read()
        data = json.loads(text)
    except FileNotFoundError as error:
        message = f"{shown}: there is no such baseline; run `keyguard baseline create` or leave out --baseline"
        raise UsageError(message) from error
    except OSError as error:
        message = (
            f"{shown}: the baseline cannot be read ({_reason(error)}); make it readable or name another --baseline"
        )
        raise UsageError(message) from error
    except (ValueError, RecursionError) as error:
        line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        message = f"{shown}: the baseline is not valid JSON{line}; repair it (a merge conflict?), or {_ANEW}"
        raise UsageError(message) from error
    if isinstance(data, dict) and isinstance(data.get("results"), dict):
        return SecretsBaseline(file, _hashes(data["results"], shown))
    if not isinstance(data, dict) or not isinstance(data.get("findings"), list) or "version" not in data:
        message = f"{shown}: this is no baseline of keyguard or detect-secrets; name another --baseline, or {_ANEW}"
        raise UsageError(message)
    if data["version"] != VERSION or isinstance(data["version"], bool):
        version = data["version"] if isinstance(data["version"], int) else "another"
        message = (
            f"{shown}: the baseline is of version {version}, this keyguard reads {VERSION}; update keyguard, or {_ANEW}"
        )
        raise UsageError(message)
    entries = [_entry(row, number, shown) for number, row in enumerate(data["findings"], start=1)]
    return Baseline(file, _with_lines(entries, text))


class _Budget:
    """How often each recorded finding may still be accepted, by fingerprint and path."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._left: Counter[tuple[str, str]] = Counter()
        for entry in entries:
            self._left[entry.fingerprint, entry.path] += entry.count
        self._renamed: dict[str, list[str]] = {}

    def in_place(self, wanted: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
        """Grant what was recorded for the very file."""
        granted = {}
        for at, count in wanted.items():
            granted[at] = min(count, self._left[at])
            self._left[at] -= granted[at]
        return granted

    def keep_renamed(self, is_gone: Callable[[str], bool]) -> None:
        """Remember which of what is left was recorded for files that are gone."""
        gone: dict[str, bool] = {}
        for fingerprint, path in sorted(at for at, count in self._left.items() if count):
            if path not in gone:
                gone[path] = is_gone(path)
            if gone[path]:
                self._renamed.setdefault(fingerprint, []).append(path)

    def renamed(self, at: tuple[str, str], missing: int, *, same_name: bool) -> int:
        """Grant what was recorded for a file that is gone, of the same name only or of any."""
        fingerprint, path = at
        taken = 0
        for old in self._renamed.get(fingerprint, ()):
            if same_name and os.path.basename(old) != os.path.basename(path):
                continue
            step = min(missing - taken, self._left[fingerprint, old])
            self._left[fingerprint, old] -= step
            taken += step
        return taken

    def unused(self, entries: Iterable[Entry]) -> tuple[tuple[Entry, int], ...]:
        """Give the entries with something left, and how much."""
        left = Counter(self._left)
        unused = []
        for entry in entries:
            spare = min(entry.count, left[entry.fingerprint, entry.path])
            left[entry.fingerprint, entry.path] -= spare
            if spare:
                unused.append((entry, spare))
        return tuple(unused)


def _split(report: FileReport, path: str, granted: Mapping[tuple[str, str], int]) -> FileReport:
    """Move what is granted from findings to accepted, the first of equal ones first."""
    left = {finding.fingerprint: granted.get((finding.fingerprint, path), 0) for finding in report.findings}
    new: list[Finding] = []
    accepted: list[Finding] = []
    for finding in report.findings:
        if left[finding.fingerprint]:
            left[finding.fingerprint] -= 1
            accepted.append(finding)
        else:
            new.append(finding)
    if not accepted:
        return report
    together = sorted(
        (*report.accepted, *accepted),
        key=lambda finding: (finding.cell or 0, finding.part or "", finding.span, finding.rule),
    )
    return report._replace(findings=tuple(new), accepted=tuple(together))


def _place(path: str, folder: str) -> str:
    inside = relative(path, folder)
    if inside is not None:
        return inside
    try:
        return os.path.relpath(path, folder).replace(os.sep, "/")
    except ValueError:  # another drive
        return os.path.abspath(path).replace(os.sep, "/")


def _order(entry: Entry) -> tuple[str, str, str]:
    return entry.path, entry.rule, entry.fingerprint


def _fields(entry: Entry) -> dict[str, object]:
    fields: dict[str, object] = {
        "path": entry.path,
        "rule": entry.rule,
        "severity": entry.severity.label,
        "confidence": entry.confidence.label,
        "count": entry.count,
        "fingerprint": entry.fingerprint,
    }
    if entry.key is not None:
        fields["key"] = entry.key
    if entry.reason:
        fields["reason"] = entry.reason
    return fields


def _dump(fields: Mapping[str, object]) -> str:
    import json  # noqa: PLC0415  # 8 ms, for writing only

    text = json.dumps(fields, ensure_ascii=False)
    # A path that is no UTF-8 holds lone surrogates, which only an escape can say.
    return text if text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text) else json.dumps(fields)


def _entry(row: Any, number: int, shown: str) -> Entry:  # noqa: ANN401  # what JSON holds
    levels = {level.name.lower(): level for level in Severity}
    try:
        entry = Entry(
            path=_text(row["path"]),
            rule=_text(row["rule"]),
            fingerprint=_hex(row["fingerprint"], _HEX_DIGITS),
            count=row.get("count", 1),
            key=None if row.get("key") is None else _hex(row["key"], _HEX_DIGITS),
            severity=levels[row.get("severity", "high")],
            confidence=Confidence(levels[row.get("confidence", "high")]),
            reason=None if row.get("reason") is None else _text(row["reason"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        message = f"{shown}: entry {number} of the baseline is broken; take it out, then run `keyguard baseline update`"
        raise UsageError(message) from error
    if not isinstance(entry.count, int) or isinstance(entry.count, bool) or entry.count < 1:
        message = f"{shown}: entry {number} of the baseline: count must be a whole number from 1; correct it"
        raise UsageError(message)
    return entry


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _hex(value: object, digits: int) -> str:
    text = _text(value)
    if len(text) != digits or set(text) - set("0123456789abcdef"):
        raise ValueError
    return text


def _with_lines(entries: Sequence[Entry], text: str) -> tuple[Entry, ...]:
    """Give each entry the line its fingerprint stands on; equal fingerprints come in the order of the file."""
    known = {entry.fingerprint for entry in entries}
    lines: dict[str, list[int]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        for word in line.split('"'):
            if word in known:
                lines.setdefault(word, []).append(number)
    for numbers in lines.values():
        numbers.reverse()
    return tuple(
        replace(entry, line=lines[entry.fingerprint].pop() if lines.get(entry.fingerprint) else 0) for entry in entries
    )


def _hashes(results: Mapping[str, object], shown: str) -> Mapping[str, frozenset[str]]:
    hashes: dict[str, set[str]] = {}
    try:
        for path, rows in results.items():
            place = path.replace("\\", "/").removeprefix("./")
            for row in _list(rows):
                if row.get("is_secret") is not True:
                    hashes.setdefault(place, set()).add(_hex(row["hashed_secret"], _SHA1_DIGITS))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        message = (
            f"{shown}: this baseline of detect-secrets is broken; run `detect-secrets scan --baseline {shown}` again"
        )
        raise UsageError(message) from error
    return {path: frozenset(found) for path, found in hashes.items()}


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
