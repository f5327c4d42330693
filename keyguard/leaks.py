"""The words of an audit: each leaked key with its places, its life in the history, its rank and what to do about it."""

from __future__ import annotations

from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from keyguard.inventory import Row
    from keyguard.model import Finding, Notice, Severity

RANKS = ("head", "history", "test", "public", "malformed")
"""How urgent a leak is, most urgent first.

`head`: it stands in what is checked out or in the tip of HEAD. `history`: only in older commits, other branches,
stashes or messages. `test`: every place is a test, an example or documentation. `public`: a published example that
opens nothing, or a key that is public by design. `malformed`: it looks like a key, but cannot be a whole one.
"""
KINDS = ("file", "message", "tag")
"""What a key stood in: a file, a commit's message, an annotated tag's message."""
STEPS = ("revoke", "replace", "usage", "restrict", "fix", "purge")
"""What to do about a leak, in this order."""
VERDICTS = ("live", "restricted", "dead", "unknown")
"""What the provider said of a key, most urgent first; `restricted` is a living key that may not do everything."""
MOST_REFS = 20
"""So many names of branches, tags and stashes are kept of a sighting; `ref_count` says how many there are."""


class Moment(NamedTuple):
    r"""A commit as a point in time.

    `date` is the author's, `yyyy-mm-ddThh:mm:ssZ`; `author` and `subject` are as git holds them, odd bytes as `\\xe9`,
    every key in them masked.
    """

    commit: str
    date: str
    author: str
    subject: str


class Sighting(NamedTuple):
    """One place of a finding, and from when to when it stood there.

    `repository` is the audit's name for it, empty when it audits only one. `finding` counts in the newest text that
    holds the key at its path (the message's own, of a commit or a tag: its path is then `commit <id>` or `tag <name>`).
    `blob` names that text's object, None when it lies on disk only. `first` is the commit that brought the key to this
    path, `last` the one that took it away; both None when no commit held it or nobody can tell (it was there before the
    part that was read, or before a shallow clone begins), `last` None while some ref's tip still does. `at_head` says
    that HEAD's tip holds it there, `on_disk` that the work tree does. `refs` are the first `MOST_REFS` of the refs
    whose tips hold it there, without `refs/`, HEAD's branch first.
    """

    finding: Finding
    repository: str = ""
    kind: str = "file"
    blob: str | None = None
    first: Moment | None = None
    last: Moment | None = None
    at_head: bool = False
    on_disk: bool = False
    refs: tuple[str, ...] = ()
    ref_count: int = 0

    @property
    def is_present(self) -> bool:
        """Whether a file that is checked out, or of HEAD's tip, holds it: no message can be edited there."""
        return self.kind == "file" and (self.at_head or self.on_disk)


class Step(NamedTuple):
    """One thing to do: `kind` is one of `STEPS`, `text` says it in the report's language, `url` is where."""

    kind: str
    text: str
    url: str | None = None


class Verdict(NamedTuple):
    """What came of asking whether a key lives.

    `state` is one of `VERDICTS`, `host` who was asked (empty when nobody was), `status` the HTTP status, `reason` says
    why in the report's language, without the key. `limits` are what the answer said of quota and rate limits, by
    header or field name. `at` is when (UTC, `yyyy-mm-ddThh:mm:ssZ`).
    """

    state: str
    host: str = ""
    status: int | None = None
    reason: str = ""
    limits: tuple[tuple[str, str], ...] = ()
    at: str = ""


class Leak(NamedTuple):
    """One key wherever it stands.

    `key` names it as `Finding.key` does. `masked` is how it is shown. `reach` says in words what it could do; `hosts`
    are relays and hosts it was found with, its provider's own left out. `first` is the earliest of its sightings'
    commits, `last` the commit that took the last one away, None while one is left. `is_new` tells whether the audit it
    is compared with did not have it, None without one.
    """

    key: str
    rank: str
    provider: str | None
    masked: str
    severity: Severity
    sightings: tuple[Sighting, ...]
    reach: str = ""
    hosts: tuple[str, ...] = ()
    first: Moment | None = None
    last: Moment | None = None
    at_head: bool = False
    steps: tuple[Step, ...] = ()
    verdict: Verdict | None = None
    is_new: bool | None = None


class Audited(NamedTuple):
    """One repository of an audit and how much of it was read.

    `name` is unique in the audit, `path` where it lies as it was given, `head` the branch (or commit) that is checked
    out, empty before the first commit. `files` were read in the work tree; `commits`, `blobs` and `size` (bytes of
    distinct blobs) in the history. `missing` objects are not there (a partial clone, a damaged store); `is_shallow`
    says that older commits were never fetched. `error` says why nothing could be read; `is_complete` is False after
    Ctrl-C.
    """

    name: str
    path: str
    head: str = ""
    files: int = 0
    commits: int = 0
    blobs: int = 0
    size: int = 0
    refs: int = 0
    missing: int = 0
    is_shallow: bool = False
    error: str | None = None
    is_complete: bool = True


class Audit(NamedTuple):
    """What one audit found, over one repository or many.

    `leaks` come most urgent first; `others` are findings about anything but a key, in the order of repository and
    place; `rows` are the connections to model APIs, each with its repository's name (empty for only one).
    """

    repositories: tuple[Audited, ...]
    leaks: tuple[Leak, ...] = ()
    others: tuple[Sighting, ...] = ()
    rows: tuple[tuple[str, Row], ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether everything was read to its end."""
        return all(one.is_complete and one.error is None for one in self.repositories)
