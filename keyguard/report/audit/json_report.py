"""An audit as JSON: what `check` says of a finding, when it stood there, and the keys, repositories and connections."""

from __future__ import annotations

from collections import Counter

from keyguard.inventory import row_order
from keyguard.leaks import RANKS
from keyguard.report.audit.order import ordered
from keyguard.report.common import MOST_SEVERE_FIRST, provider_name
from keyguard.report.connections import row_object
from keyguard.report.json_report import VERSION, finding_object, notice_object, tool
from keyguard.report.listings import json_text
from keyguard.report.safe import encodable
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from keyguard.inventory import Row
    from keyguard.leaks import Audit, Audited, Leak, Moment, Sighting, Verdict
    from keyguard.report.options import RenderOptions


def render(audit: Audit, options: RenderOptions) -> str:
    """Render one JSON document; docs/audit.md says what its fields mean."""
    return json_text(
        {
            "version": VERSION,
            "tool": tool(options),
            "summary": summary(audit),
            "complete": audit.is_complete,
            "findings": [sighting_object(seen.sighting, options) for seen in ordered(audit)],
            "leaks": [leak_object(leak, options) for leak in audit.leaks],
            "repositories": [repository_object(one) for one in audit.repositories],
            "connections": [connection_object(name, row, options) for name, row in connections(audit)],
            "notices": [notice_object(notice) for notice in audit.notices],
        }
    )


def summary(audit: Audit) -> dict[str, Any]:
    """Give the numbers of an audit."""
    seen = [one.sighting.finding for one in ordered(audit)]
    severities = Counter(finding.severity for finding in seen)
    ranks = Counter(leak.rank for leak in audit.leaks)
    return {
        "repositories": len(audit.repositories),
        "commits": sum(one.commits for one in audit.repositories),
        "blobs": sum(one.blobs for one in audit.repositories),
        "bytes": sum(one.size for one in audit.repositories),
        "files": sum(one.files for one in audit.repositories),
        "findings": len(seen),
        "by_severity": {severity.label: severities[severity] for severity in MOST_SEVERE_FIRST},
        "leaks": len(audit.leaks),
        "by_rank": {rank: ranks[rank] for rank in RANKS},
    }


def sighting_object(sighting: Sighting, options: RenderOptions) -> dict[str, Any]:
    """Give one sighting: the finding, as a check gives it, and where and how long it stood."""
    return {
        **finding_object(sighting.finding, options),
        "repository": encodable(sighting.repository) or None,
        "kind": sighting.kind,
        "blob": _text(sighting.blob),
        "commit": _text(sighting.first.commit if sighting.first is not None else None),
        "first_seen": _moment(sighting.first),
        "last_seen": _moment(sighting.last),
        "at_head": sighting.at_head,
        "on_disk": sighting.on_disk,
        "refs": list(map(encodable, sighting.refs)),
        "ref_count": sighting.ref_count,
    }


def leak_object(leak: Leak, options: RenderOptions) -> dict[str, Any]:
    """Give one key; `findings` names its findings by fingerprint, and they name it by `key`."""
    return {
        "key": encodable(leak.key),
        "rank": leak.rank,
        "new": leak.is_new,
        "provider": _text(leak.provider),
        "provider_name": None if leak.provider is None else encodable(provider_name(leak.provider, options)),
        "masked": encodable(leak.masked),
        "severity": leak.severity.label,
        "reach": encodable(leak.reach),
        "hosts": list(map(encodable, leak.hosts)),
        "first_seen": _moment(leak.first),
        "last_seen": _moment(leak.last),
        "at_head": leak.at_head,
        "verdict": _verdict(leak.verdict),
        "steps": [{"kind": step.kind, "text": encodable(step.text), "url": _text(step.url)} for step in leak.steps],
        "findings": list(dict.fromkeys(encodable(one.finding.fingerprint) for one in leak.sightings)),
    }


def repository_object(one: Audited) -> dict[str, Any]:
    """Give one repository and how much of it was read."""
    return {
        "name": encodable(one.name),
        "path": encodable(one.path),
        "head": encodable(one.head) or None,
        "commits": one.commits,
        "blobs": one.blobs,
        "bytes": one.size,
        "files": one.files,
        "refs": one.refs,
        "missing": one.missing,
        "shallow": one.is_shallow,
        "error": _text(one.error),
        "complete": one.is_complete and one.error is None,
    }


def connections(audit: Audit) -> list[tuple[str, Row]]:
    """Give the connections by repository and place."""
    return sorted(audit.rows, key=lambda pair: (pair[0], row_order(pair[1])))


def connection_object(repository: str, row: Row, options: RenderOptions) -> dict[str, Any]:
    """Give one connection as `keyguard connections` does, with its repository."""
    return {"repository": encodable(repository) or None, **row_object(row, options)}


def _text(text: str | None) -> str | None:
    return None if text is None else encodable(text)


def _moment(moment: Moment | None) -> dict[str, str] | None:
    return None if moment is None else {name: encodable(text) for name, text in moment._asdict().items()}


def _verdict(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {
        "state": verdict.state,
        "host": encodable(verdict.host) or None,
        "status": verdict.status,
        "reason": encodable(verdict.reason),
        "limits": [{"name": encodable(name), "value": encodable(value)} for name, value in verdict.limits],
        "at": encodable(verdict.at) or None,
    }
