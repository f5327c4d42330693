"""JSON lines: one object a line, each with its `type`, the findings first and the `summary` last."""

from __future__ import annotations

import json

from keyguard.report.common import ordered, suppressed
from keyguard.report.json_report import VERSION, finding_object, notice_object, summary, tool
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from keyguard.model import Report
    from keyguard.report.options import RenderOptions


def render(report: Report, options: RenderOptions) -> str:
    """Render a line a finding (`finding`, and `ignored` and `accepted` when asked for), notice and, last, `summary`."""
    lines: list[dict[str, Any]] = [
        {"type": "finding", **finding_object(finding, options)} for finding in ordered(report.findings)
    ]
    if options.show_ignored:
        lines += [{"type": word, **finding_object(finding, options)} for word, finding in suppressed(report)]
    lines += [{"type": "notice", **notice_object(notice)} for notice in report.notices]
    lines.append({"type": "summary", "version": VERSION, "tool": tool(options), "summary": summary(report)})
    return written(lines)


def written(lines: Iterable[Mapping[str, Any]]) -> str:
    """Write one object a line."""
    return "".join(json.dumps(line) + "\n" for line in lines)
