"""An audit as JSON lines: one object a line with its `type`, the findings first and the `summary` last."""

from __future__ import annotations

from keyguard.report.audit.json_report import (
    connection_object,
    connections,
    leak_object,
    repository_object,
    sighting_object,
    summary,
)
from keyguard.report.audit.order import ordered
from keyguard.report.json_report import VERSION, notice_object, tool
from keyguard.report.jsonl import written
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from keyguard.leaks import Audit
    from keyguard.report.options import RenderOptions


def render(audit: Audit, options: RenderOptions) -> str:
    """Render a line a `finding`, `leak`, `repository`, `connection` and `notice`, and last the `summary`."""
    lines: list[dict[str, Any]] = [
        {"type": "finding", **sighting_object(seen.sighting, options)} for seen in ordered(audit)
    ]
    lines += [{"type": "leak", **leak_object(leak, options)} for leak in audit.leaks]
    lines += [{"type": "repository", **repository_object(one)} for one in audit.repositories]
    lines += [{"type": "connection", **connection_object(name, row, options)} for name, row in connections(audit)]
    lines += [{"type": "notice", **notice_object(notice)} for notice in audit.notices]
    lines.append(
        {
            "type": "summary",
            "version": VERSION,
            "tool": tool(options),
            "summary": summary(audit),
            "complete": audit.is_complete,
        }
    )
    return written(lines)
