"""The words every room of the house shares: spans, edits, fixes, hits, findings and reports."""

from __future__ import annotations

import enum
from types import MappingProxyType

from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn

# Named tuples and not dataclasses: a frozen one costs 0.7 ms at start and the module 18 ms, a named tuple 0.06 ms.
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Severity(enum.IntEnum):
    """How much harm a finding can do."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        """The lower-case word used in settings and in every report."""
        return self.name.lower()


class Confidence(enum.IntEnum):
    """How sure we are that a finding is what it says."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        """The lower-case word used in settings and in every report."""
        return self.name.lower()


class Safety(enum.IntEnum):
    """What applying a fix can change: SHOWN is never applied, SAFE keeps the behaviour."""

    SHOWN = 1
    UNSAFE = 2
    SAFE = 3

    @property
    def label(self) -> str:
        """The lower-case word used in every report."""
        return self.name.lower()


class Span(NamedTuple):
    """A half-open range of character offsets into a decoded text without its BOM."""

    start: int
    end: int

    def covers(self, other: Span) -> bool:
        """Tell whether `other` lies wholly inside this span."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        """Tell whether the two spans share at least one character."""
        return self.start < other.end and other.start < self.end


class Secret:
    """A key in the clear: it lives inside one process and is never printed, logged or pickled."""

    __slots__ = ("_provider", "_value")

    def __init__(self, value: str, provider: str | None = None) -> None:
        """Keep the key and the id of its provider, if it is known."""
        self._value = value
        self._provider = provider

    @property
    def value(self) -> str:
        """The key itself."""
        return self._value

    @property
    def provider(self) -> str | None:
        """The id of its provider."""
        return self._provider

    def __eq__(self, other: object) -> bool:
        """Tell whether it is the same key of the same provider."""
        return isinstance(other, Secret) and (self._value, self._provider) == (other._value, other._provider)

    def __hash__(self) -> int:
        """Hash what is compared."""
        return hash((self._value, self._provider))

    def __reduce__(self) -> NoReturn:
        """Refuse pickling, so that no worker, cache or log can carry a key away."""
        msg = "a Secret never leaves the process that found it"
        raise TypeError(msg)

    def __repr__(self) -> str:
        """Show nothing of the value."""
        return f"<secret of {self._provider or 'an unknown provider'}, {len(self._value)} characters>"


class Edit(NamedTuple):
    """Replace one span of text; the text never holds a key."""

    span: Span
    text: str


class Move(NamedTuple):
    """A key on its way to the key store under an environment variable's name."""

    name: str
    secret: Secret


class Fix(NamedTuple):
    """Edits that belong together: all of them are applied or none.

    `title` names one or more texts, `fix.…` of `lang` or `move.…` of `lang.moving`; in a finding it is their words.
    Edits count in the text the finding counts in: the file's, or that of its notebook's cell. `moves` are the keys that
    must be in the key store before the text changes; `excludes` are paths from the project's root that git must ignore.
    """

    title: str
    safety: Safety
    edits: tuple[Edit, ...]
    moves: tuple[Move, ...] = ()
    excludes: tuple[str, ...] = ()


class Related(NamedTuple):
    """Another place that explains a finding; lines and columns count from 1, in characters, in a notebook in a cell."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    message: str
    cell: int | None = None


class Excerpt(NamedTuple):
    """The source line of a finding with every key masked; `start` and `end` are where the carets go in `text`."""

    text: str
    start: int
    end: int


class Hit(NamedTuple):
    """What a check yields: where, and the values its rule's message needs; the engine adds the words.

    `secret` is the key the hit is about, if there is one; `statement` stands in for it in the fingerprint of a
    hit about code. `case` names a `[case.…]` of the rule's TOML with its own severity, confidence and message.
    `related` pairs a span of the same text with what it is: a text `related.…` of `lang`, filled from `values`;
    `elsewhere` are those of a notebook's hit, each with the cell (a SourceFile) it lies in.
    """

    rule: str
    span: Span
    values: Mapping[str, str] = _NOTHING
    case: str | None = None
    secret: Secret | None = None
    statement: str | None = None
    related: tuple[tuple[Span, str], ...] = ()
    fix: Fix | None = None
    elsewhere: tuple[tuple[Any, Span, str], ...] = ()


class Finding(NamedTuple):
    """A hit with its rule's words and a place a person can go to; never a node, never the secret.

    `line` and `column` count from 1, in characters; in a notebook they count inside cell number `cell` (from 1)
    and `part` is `source` or `output`. `fingerprint` names the finding across moved lines and renames, `key`
    names the secret wherever it stands; both are hexadecimal HMAC-SHA-256. `masked` is how the secret is shown.
    """

    rule: str
    path: str
    span: Span
    line: int
    column: int
    end_line: int
    end_column: int
    message: str
    severity: Severity
    confidence: Confidence
    fingerprint: str
    key: str | None = None
    provider: str | None = None
    case: str | None = None
    remedy: str | None = None
    cell: int | None = None
    part: str | None = None
    excerpt: Excerpt | None = None
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    masked: str | None = None


def position(finding: Finding) -> tuple[object, ...]:
    """Order findings by path, place and rule; in a notebook by cell, the source before the output."""
    return (
        finding.path,
        finding.cell or 0,
        finding.part == "output",
        finding.line,
        finding.column,
        finding.end_line,
        finding.end_column,
        finding.rule,
        finding.fingerprint,
        finding.message,
    )


class FileReport(NamedTuple):
    """One file's whole result: picklable, so a file is the unit for threads, processes and the cache.

    `findings` are reported, `ignored` were hidden by a comment or a per-file setting, `accepted` by the
    baseline; `skipped` says why a file was not read (`binary`, …); `windowed` that it was too large for
    anything but the text rules.
    """

    path: str
    findings: tuple[Finding, ...] = ()
    ignored: tuple[Finding, ...] = ()
    accepted: tuple[Finding, ...] = ()
    fixed: tuple[Finding, ...] = ()
    skipped: str | None = None
    windowed: bool = False


class Notice(NamedTuple):
    """Something the user should know that is no finding: a path that could not be read, a useless entry."""

    message: str
    path: str | None = None
    error: bool = False


class Report(NamedTuple):
    """The result of a run.

    `files` are in path order, whatever the number of workers; `hidden` counts, by severity label, findings
    under the minimum severity or confidence; they are not in `files`. `checked` is the number of files read.
    """

    files: tuple[FileReport, ...]
    checked: int = 0
    hidden: Mapping[str, int] = MappingProxyType({})
    notices: tuple[Notice, ...] = ()
    unused_ignores: int = 0
    root: str = "."

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every reported finding, by path, position and rule."""
        return tuple(finding for file in self.files for finding in file.findings)
