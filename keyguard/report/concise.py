"""One line a finding: `path:line:column: KG101 message`."""

from __future__ import annotations

from keyguard.lang import texts
from keyguard.report.common import ordered, place, suppressed
from keyguard.report.paint import paint
from keyguard.report.safe import visible
from keyguard.report.summary import statistics, summary
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.model import Finding, Report
    from keyguard.report.options import RenderOptions
    from keyguard.report.paint import Line


def render(report: Report, options: RenderOptions) -> str:
    """Render the lines by path, then notices and the counts unless `quiet`."""
    if options.statistics:
        lines = statistics(report, options)
    else:
        lines = [_line(finding, options) for finding in ordered(report.findings)]
        if options.show_ignored:
            say = texts(options.lang).say
            lines += [[*_line(finding, options), (f" ({say(word)})", "dim")] for word, finding in suppressed(report)]
    if not options.quiet:
        lines += summary(report, options, advice=False)
    return paint(lines, color=options.color)


def _line(finding: Finding, options: RenderOptions) -> Line:
    return [
        (place(finding, options), "path"),
        (": ", ""),
        (finding.rule, finding.severity.label),
        (f" {visible(finding.message)}", ""),
    ]
