"""GitHub workflow commands: annotations on the lines of a pull request."""

from __future__ import annotations

from keyguard.report.common import LEVELS, message_with_cell, ordered, titled
from keyguard.report.safe import visible
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.model import Finding, Report
    from keyguard.report.options import RenderOptions


def render(report: Report, options: RenderOptions) -> str:
    """Render `::error file=…::message` a finding and a notice; nothing at all when there is none."""
    lines = [_command(finding, options) for finding in ordered(report.findings)]
    for notice in report.notices:
        level = "error" if notice.error else "warning"
        where = "" if notice.path is None else f" file={_property(notice.path)}"
        lines.append(f"::{level}{where}::{_data(notice.message)}")
    return "".join(f"{line}\n" for line in lines)


def _command(finding: Finding, options: RenderOptions) -> str:
    properties = {"file": finding.path}
    if finding.cell is None:
        properties["line"] = str(finding.line)
        properties["endLine"] = str(finding.end_line)
        # GitHub refuses columns on an annotation of several lines.
        if finding.line == finding.end_line:
            properties["col"] = str(finding.column)
            properties["endColumn"] = str(finding.end_column)
    else:
        # The lines of a notebook's file are not those of its cells: the message says where.
        properties["line"] = "1"
    properties["title"] = titled(finding.rule, options)
    joined = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = message_with_cell(finding, options)
    if finding.remedy:
        message += "\n" + visible(finding.remedy)
    return f"::{LEVELS[finding.severity].github} {joined}::{_data(message)}"


def _data(text: str) -> str:
    lines = (visible(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return "%0A".join(line.replace("%", "%25") for line in lines)


def _property(text: str) -> str:
    return visible(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
