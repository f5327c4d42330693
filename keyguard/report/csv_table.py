"""CSV after RFC 4180, with formulas defused, since people open it in a spreadsheet."""

from __future__ import annotations

from keyguard.report.common import ordered, provider_name, rule_name, rule_url, suppressed
from keyguard.report.safe import visible
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keyguard.model import Finding, Report
    from keyguard.report.options import RenderOptions

FINDING_COLUMNS = (
    "rule",
    "name",
    "severity",
    "confidence",
    "path",
    "cell",
    "part",
    "line",
    "column",
    "end_line",
    "end_column",
    "provider",
    "message",
    "remedy",
    "url",
    "fingerprint",
    "key",
)
COLUMNS = ("status", *FINDING_COLUMNS)
# A spreadsheet runs a cell that starts so, the full-width forms included (OWASP, "CSV Injection").
_FORMULA = tuple("=+-@＝＋－＠")  # noqa: RUF001  # the full-width forms are meant


def render(report: Report, options: RenderOptions) -> str:
    r"""Render a header and a row a finding, lines ended by CRLF; controls are spelled out, so a row is one line.

    A cell that would be a formula gets an apostrophe in front. `status` is `reported`, `ignored` or `accepted`.
    """
    rows = [("reported", finding) for finding in ordered(report.findings)]
    if options.show_ignored:
        rows += suppressed(report)
    return written(COLUMNS, [(status, *finding_cells(finding, options)) for status, finding in rows])


def written(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a header and rows, every cell made harmless."""
    import csv  # noqa: PLC0415  # 4 ms, for this format only
    import io  # noqa: PLC0415  # loaded anyway, named here beside its only use

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def finding_cells(finding: Finding, options: RenderOptions) -> tuple[object, ...]:
    """Give what the columns `FINDING_COLUMNS` say of a finding."""
    return (
        finding.rule,
        rule_name(finding.rule, options),
        finding.severity.label,
        finding.confidence.label,
        finding.path,
        finding.cell,
        finding.part,
        finding.line,
        finding.column,
        finding.end_line,
        finding.end_column,
        None if finding.provider is None else provider_name(finding.provider, options),
        finding.message,
        finding.remedy,
        rule_url(finding.rule, options),
        finding.fingerprint,
        finding.key,
    )


def cell(value: object) -> object:
    """Make a value harmless for whoever opens the file in a spreadsheet."""
    if not isinstance(value, str):
        return value
    text = visible(value)
    # Spreadsheets strip spaces before they look for a formula.
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
