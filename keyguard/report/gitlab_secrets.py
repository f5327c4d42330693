"""GitLab secret detection: a security report after schema 15, with the leak rules only."""

from __future__ import annotations

import hashlib
import json

from keyguard.lang import texts
from keyguard.report.common import (
    LEVELS,
    cwe,
    in_cell,
    message_with_cell,
    ordered,
    provider_name,
    rule_name,
    rule_url,
    titled,
)
from keyguard.report.excerpt import fit
from keyguard.report.safe import encodable, visible
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from keyguard.model import Finding, Report
    from keyguard.report.options import RenderOptions

SCHEMA_VERSION = "15.0.7"
_LEAK_RULES = "KG1"
_PROJECT = "https://github.com/keyguard/keyguard"
# The schema's own limits, in characters.
_MAX_NAME = 255
_MAX_SOLUTION = 7000
# Exit codes from here on say that the run itself failed.
_FAILED = 2
_EXCERPT_WIDTH = 160


def render(report: Report, options: RenderOptions) -> str:
    """Render the report; instead of the raw source it holds, in `details`, an excerpt with the key masked."""
    findings = [finding for finding in ordered(report.findings) if finding.rule.startswith(_LEAK_RULES)]
    seen: dict[tuple[str, str], int] = {}
    vulnerabilities = []
    for finding in findings:
        name = (finding.fingerprint, finding.path)
        number = seen.get(name, 0)
        seen[name] = number + 1
        vulnerabilities.append(_vulnerability(finding, number, options))
    document = {
        "version": SCHEMA_VERSION,
        "scan": _scan(report, options),
        "vulnerabilities": vulnerabilities,
    }
    return json.dumps(document, indent=2) + "\n"


def _scan(report: Report, options: RenderOptions) -> dict[str, Any]:
    tool = {
        "id": "keyguard",
        "name": "keyguard",
        "url": _PROJECT,
        "version": options.version or "0",
        "vendor": {"name": "keyguard"},
    }
    return {
        "analyzer": tool,
        "scanner": tool,
        "type": "secret_detection",
        "start_time": options.scan_time,
        "end_time": options.scan_time,
        "status": "failure" if options.exit_code >= _FAILED else "success",
        "messages": [
            {
                "level": "fatal" if notice.error else "warn",
                "value": visible(notice.message if notice.path is None else f"{notice.path}: {notice.message}"),
            }
            for notice in report.notices
        ],
    }


def _vulnerability(finding: Finding, number: int, options: RenderOptions) -> dict[str, Any]:
    location: dict[str, Any] = {
        "file": encodable(finding.path),
        # GitLab's own analyzer writes zeros when it scans no commit.
        "commit": {"sha": options.commit or "0000000"},
    }
    if finding.cell is None:
        location |= {"start_line": finding.line, "end_line": finding.end_line}
    vulnerability: dict[str, Any] = {
        "id": _uuid(finding, number),
        "name": titled(finding.rule, options)[:_MAX_NAME],
        "description": message_with_cell(finding, options),
        "severity": LEVELS[finding.severity].gitlab_secrets,
        "identifiers": _identifiers(finding, options),
        "links": [{"name": rule_name(finding.rule, options), "url": rule_url(finding.rule, options)}],
        "location": location,
    }
    if finding.remedy:
        vulnerability["solution"] = visible(finding.remedy)[:_MAX_SOLUTION]
    details = _details(finding, options)
    if details:
        vulnerability["details"] = details
    return vulnerability


def _identifiers(finding: Finding, options: RenderOptions) -> list[dict[str, str]]:
    identifiers = [
        {
            "type": "keyguard_rule",
            "name": titled(finding.rule, options),
            "value": finding.rule,
            "url": rule_url(finding.rule, options),
        }
    ]
    weakness = cwe(finding.rule)
    if weakness is not None:
        identifiers.append(
            {
                "type": "cwe",
                "name": f"CWE-{weakness}",
                "value": weakness,
                "url": f"https://cwe.mitre.org/data/definitions/{weakness}.html",
            }
        )
    return identifiers


def _details(finding: Finding, options: RenderOptions) -> dict[str, dict[str, str]]:
    say = texts(options.lang).say
    details = {}
    if finding.provider is not None:
        value = visible(provider_name(finding.provider, options))
        details["provider"] = {"name": say("provider"), "type": "text", "value": value}
    where = in_cell(finding, options)
    if where:
        details["place"] = {"name": say("table.place"), "type": "text", "value": where}
    if finding.excerpt is not None:
        text, _, _ = fit(finding.excerpt, _EXCERPT_WIDTH)
        details["excerpt"] = {"name": say("table.excerpt"), "type": "code", "value": text}
    return details


def _uuid(finding: Finding, number: int) -> str:
    """Name an occurrence by a UUID made from the finding and its file, version 8 (RFC 9562: free content)."""
    text = encodable(f"{finding.fingerprint}/{finding.path}/{number}")
    digits = hashlib.sha256(text.encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
