"""What the person or machine that reads a report asked for."""

from __future__ import annotations

from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyguard.catalogue import Catalogue

DOCS_URL = "https://github.com/keyguard/keyguard/blob/main/docs/rules/{rule}.md"
EPOCH = "1970-01-01T00:00:00"


class RenderOptions(NamedTuple):
    """How to render a report; equal reports and options give equal bytes.

    `catalogue` gives rules' names, pages and providers' names; without it the ids stand in. `width` is the terminal's
    in cells, None when the output is no terminal (nothing is wrapped). `unicode` allows marks such as `│`.
    `docs_url` is a rule's page with `{rule}` for its id. `min_severity` is the label under which findings were hidden.
    `offer_fixes` asks to say what could be fixed, `has_fixed` that what is safe to fix has been.
    `scan_time` (UTC, `yyyy-mm-ddThh:mm:ss`) and `commit` go where a format demands them.
    """

    catalogue: Catalogue | None = None
    lang: str = "en"
    version: str = ""
    color: bool = False
    width: int | None = None
    unicode: bool = True
    verbose: bool = False
    quiet: bool = False
    statistics: bool = False
    show_fixes: bool = False
    show_ignored: bool = False
    offer_fixes: bool = False
    has_fixed: bool = False
    min_severity: str = "medium"
    docs_url: str = DOCS_URL
    exit_code: int = 0
    scan_time: str = EPOCH
    commit: str | None = None


def speaks_unicode(encoding: str | None) -> bool:
    """Tell whether an output in `encoding` can show the marks of the text report (`│`, `…`, `·`)."""
    try:
        "│…·".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def scan_time(environ: Mapping[str, str]) -> str:
    """Give the time of a run as its environment states it, so that equal runs give equal bytes.

    SOURCE_DATE_EPOCH (seconds) comes first, then CI_JOB_STARTED_AT, which GitLab sets (ISO 8601); else the epoch.
    """
    seconds = environ.get("SOURCE_DATE_EPOCH", "")
    started = environ.get("CI_JOB_STARTED_AT", "")
    if not seconds and not started:
        return EPOCH
    import datetime as dt  # noqa: PLC0415  # 2 ms, needed for GitLab's report only

    try:
        if seconds:
            moment = dt.datetime.fromtimestamp(int(seconds), tz=dt.timezone.utc)
        else:
            moment = dt.datetime.fromisoformat(started.replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        return EPOCH
    if moment.tzinfo is not None:
        moment = moment.astimezone(dt.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
