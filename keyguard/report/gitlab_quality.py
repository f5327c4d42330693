"""GitLab Code Quality: the widget of a merge request."""

from __future__ import annotations

import json

from keyguard.report.common import LEVELS, message_with_cell, ordered, titled
from keyguard.report.safe import encodable
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from keyguard.model import Finding, Report
    from keyguard.report.options import RenderOptions


def render(report: Report, options: RenderOptions) -> str:
    """Render an array of issues; GitLab drops equal fingerprints, so repeats of one finding are numbered."""
    seen: dict[str, int] = {}
    issues = []
    for finding in ordered(report.findings):
        number = seen.get(finding.fingerprint, 0)
        seen[finding.fingerprint] = number + 1
        issues.append(_issue(finding, number, options))
    return json.dumps(issues, indent=2) + "\n"


def _issue(finding: Finding, number: int, options: RenderOptions) -> dict[str, Any]:
    import hashlib  # noqa: PLC0415  # 2 ms, for this format only

    # The first keeps its own fingerprint, so a finding stays the same one when another copy comes or goes behind it.
    fingerprint = finding.fingerprint
    if number or not fingerprint:
        fingerprint = hashlib.sha256(encodable(f"{fingerprint}/{number}").encode()).hexdigest()
    # In a notebook the lines are those of a cell, which the message names; the file's own line is not known.
    lines = {"begin": finding.line, "end": finding.end_line} if finding.cell is None else {"begin": 1, "end": 1}
    return {
        "description": f"{titled(finding.rule, options)}: {message_with_cell(finding, options)}",
        "check_name": finding.rule,
        "fingerprint": fingerprint,
        "severity": LEVELS[finding.severity].gitlab_quality,
        "location": {"path": encodable(finding.path), "lines": lines},
    }
