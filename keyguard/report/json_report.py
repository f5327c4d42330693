"""JSON: the contract for scripts; version 1 only ever gains fields."""

from __future__ import annotations

import json

from keyguard.report.common import counts, ordered, rule_name, rule_url, suppressed
from keyguard.report.safe import encodable
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from keyguard.model import Finding, Fix, Notice, Related, Report
    from keyguard.report.options import RenderOptions

VERSION = 1


def render(report: Report, options: RenderOptions) -> str:
    """Render one JSON document; `ignored` and `accepted` lists are there when `show_ignored` asks for them."""
    document: dict[str, Any] = {
        "version": VERSION,
        "tool": tool(options),
        "summary": summary(report),
        "findings": [finding_object(finding, options) for finding in ordered(report.findings)],
    }
    if options.show_ignored:
        pairs = suppressed(report)
        for word in ("ignored", "accepted"):
            document[word] = [finding_object(finding, options) for kind, finding in pairs if kind == word]
    document["notices"] = [notice_object(notice) for notice in report.notices]
    return json.dumps(document, indent=2) + "\n"


def notice_object(notice: Notice) -> dict[str, Any]:
    """Give one notice as plain data."""
    return {
        "level": "error" if notice.error else "warning",
        "path": None if notice.path is None else encodable(notice.path),
        "message": encodable(notice.message),
    }


def tool(options: RenderOptions) -> dict[str, str]:
    """Name the tool and its version."""
    return {"name": "keyguard", "version": options.version}


def summary(report: Report) -> dict[str, Any]:
    """Give the counts of a run: numbers, and `by_severity` with one for every severity."""
    numbers = counts(report)
    return {
        "files": numbers.files,
        "findings": numbers.findings,
        "by_severity": numbers.by_severity,
        "hidden": numbers.hidden,
        "ignored": numbers.ignored,
        "accepted": numbers.accepted,
        "fixed": numbers.fixed,
        "skipped": sum(numbers.skipped.values()),
        "unused_ignores": report.unused_ignores,
    }


def finding_object(finding: Finding, options: RenderOptions) -> dict[str, Any]:
    """Give one finding as plain data; every field is always there, null when it does not apply."""
    return {
        "rule": finding.rule,
        "name": rule_name(finding.rule, options),
        "severity": finding.severity.label,
        "confidence": finding.confidence.label,
        "path": encodable(finding.path),
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "cell": finding.cell,
        "part": finding.part,
        "message": encodable(finding.message),
        "remedy": None if finding.remedy is None else encodable(finding.remedy),
        "fingerprint": finding.fingerprint,
        "key": finding.key,
        "provider": finding.provider,
        "url": rule_url(finding.rule, options),
        "related": [_related(related) for related in finding.related],
        "fix": None if finding.fix is None else _fix(finding.fix),
    }


def _related(related: Related) -> dict[str, Any]:
    return {
        "path": encodable(related.path),
        **({} if related.cell is None else {"cell": related.cell}),
        "line": related.line,
        "column": related.column,
        "end_line": related.end_line,
        "end_column": related.end_column,
        "message": encodable(related.message),
    }


def _fix(fix: Fix) -> dict[str, Any]:
    # Only `edits`: `moves` hold the key itself.
    return {
        "title": encodable(fix.title),
        "safety": fix.safety.label,
        "edits": [{"start": edit.span.start, "end": edit.span.end, "text": encodable(edit.text)} for edit in fix.edits],
    }
