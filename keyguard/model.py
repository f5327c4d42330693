"""The words every room of the house shares: spans, edits, fixes, hits, findings and reports."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping


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


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of character offsets into a decoded text without its BOM."""

    start: int
    end: int

    def covers(self, other: Span) -> bool:
        """Tell whether `other` lies wholly inside this span."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        """Tell whether the two spans share at least one character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Secret:
    """A key in the clear: it lives inside one process and is never printed, logged or pickled."""

    value: str = field(repr=False)
    provider: str | None = None

    def __reduce__(self) -> NoReturn:
        """Refuse pickling, so that no worker, cache or log can carry a key away."""
        msg = "a Secret never leaves the process that found it"
        raise TypeError(msg)

    def __str__(self) -> str:
        """Show nothing of the value."""
        return f"<secret of {self.provider or 'an unknown provider'}, {len(self.value)} characters>"


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace one span of text; the text never holds a key."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Move:
    """A key on its way to the key store under an environment variable's name."""

    name: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that belong together: all of them are applied or none."""

    title: str
    safety: Safety
    edits: tuple[Edit, ...]
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that explains a finding; lines and columns count from 1, columns in characters."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    message: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The source line of a finding with every key masked; `start` and `end` are where the carets go in `text`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hit:
    """What a check yields: where, and the values its rule's message needs; the engine adds the words.

    `secret` is the key the hit is about, if there is one; `statement` stands in for it in the fingerprint of a
    hit about code. `case` names a `[case.…]` of the rule's TOML with its own severity, confidence and message.
    `related` pairs a span of the same file with a message.
    """

    rule: str
    span: Span
    values: Mapping[str, str] = field(default_factory=dict)
    case: str | None = None
    secret: Secret | None = None
    statement: str | None = None
    related: tuple[tuple[Span, str], ...] = ()
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A hit with its rule's words and a place a person can go to; never a node, never the secret.

    `line` and `column` count from 1, in characters; in a notebook they count inside cell number `cell` (from 1)
    and `part` is `source` or `output`. `fingerprint` names the finding across moved lines and renames, `key`
    names the secret wherever it stands; both are hexadecimal HMAC-SHA-256. `count` is the finding's number
    among equal fingerprints of its file, from 0.
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


@dataclass(frozen=True, slots=True)
class FileReport:
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


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know that is no finding: a path that could not be read, a useless entry."""

    message: str
    path: str | None = None
    error: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run.

    `files` are in path order, whatever the number of workers; `hidden` counts, by severity label, findings
    under the minimum severity or confidence; they are not in `files`. `checked` is the number of files read.
    """

    files: tuple[FileReport, ...]
    checked: int = 0
    hidden: Mapping[str, int] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    unused_ignores: int = 0
    root: str = "."

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every reported finding, by path, position and rule."""
        return tuple(finding for file in self.files for finding in file.findings)
