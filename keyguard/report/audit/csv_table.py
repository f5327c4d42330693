"""An audit as CSV: a row a sighting, what `check` says of a finding and then when it stood there."""

from __future__ import annotations

from keyguard.report.audit.order import ordered
from keyguard.report.csv_table import FINDING_COLUMNS, finding_cells, written
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.leaks import Audit, Moment
    from keyguard.report.audit.order import Seen
    from keyguard.report.options import RenderOptions

COLUMNS = (
    "repository",
    "rank",
    "verdict",
    *FINDING_COLUMNS,
    "kind",
    "commit",
    "first_seen",
    "author",
    "removed_by",
    "last_seen",
    "at_head",
    "on_disk",
    "refs",
    "blob",
)


def render(audit: Audit, options: RenderOptions) -> str:
    """Render a header and a row a sighting, lines ended by CRLF; several refs are parted by spaces."""
    return written(COLUMNS, [_row(seen, options) for seen in ordered(audit)])


def _row(seen: Seen, options: RenderOptions) -> tuple[object, ...]:
    one, leak = seen
    commit, date, author = _moment(one.first)
    last, last_date, _ = _moment(one.last)
    return (
        one.repository,
        None if leak is None else leak.rank,
        None if leak is None or leak.verdict is None else leak.verdict.state,
        *finding_cells(one.finding, options),
        one.kind,
        commit,
        date,
        author,
        last,
        last_date,
        "true" if one.at_head else "false",
        "true" if one.on_disk else "false",
        " ".join(one.refs),
        one.blob,
    )


def _moment(moment: Moment | None) -> tuple[str | None, str | None, str | None]:
    return (None, None, None) if moment is None else (moment.commit, moment.date, moment.author)
