"""An audit as SARIF 2.1.0: a result a sighting, the commits in its message, and which repository it counts in."""

from __future__ import annotations

import os

from keyguard.model import Notice
from keyguard.patterns import regex
from keyguard.report.audit.json_report import summary
from keyguard.report.audit.order import ordered
from keyguard.report.audit.words import gaps, stay, where
from keyguard.report.safe import encodable
from keyguard.report.sarif import BASE, FOLDERS, artifact, invocation, message, result, written
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from keyguard.leaks import Audit, Audited, Leak, Sighting
    from keyguard.report.audit.order import Seen
    from keyguard.report.options import RenderOptions

_COMMIT = regex(r"[0-9a-f]{40}|[0-9a-f]{64}")


def render(audit: Audit, options: RenderOptions) -> str:
    """Render one run over all repositories; each of several has a base of its own that its paths are relative to.

    A sighting that is only in the history keeps its path, region and line of source, and says in its message and
    properties which commits it stood in: no viewer fetches a file of another revision than its own.
    """
    seen = ordered(audit)
    rules = sorted({one.sighting.finding.rule for one in seen})
    results = [_result(one, rules.index(one.sighting.finding.rule), options) for one in seen]
    told = [*audit.notices, *(Notice(text) for text in gaps(audit, options))]
    properties = {**summary(audit), "complete": audit.is_complete}
    return written(rules, results, invocation(told, options, properties), options, _repositories(audit))


def _result(seen: Seen, index: int, options: RenderOptions) -> dict[str, Any]:
    one, leak = seen
    made = result(one.finding, index, options, encodable(one.repository) or BASE)
    made["message"] = message(one.finding, options, f" ({stay(one, options)})")
    if one.kind != "file":
        # A message has no file. GitHub refuses a whole report in which one result has no physical location, so that
        # stays, under the name that the finding has for it.
        name = where(one, options)
        [location] = made["locations"]
        location["logicalLocations"] = [{"name": name, "fullyQualifiedName": encodable(one.finding.path)}]
    if leak is not None and leak.is_new is not None:
        made["baselineState"] = "new" if leak.is_new else "unchanged"
    made["properties"] |= _history(one, leak)
    return made


def _history(one: Sighting, leak: Leak | None) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "kind": one.kind,
        "atHead": one.at_head,
        "onDisk": one.on_disk,
        "refs": list(map(encodable, one.refs)),
    }
    if one.repository:
        facts["repository"] = encodable(one.repository)
    if one.blob is not None:
        facts["blob"] = encodable(one.blob)
    if one.first is not None:
        facts |= {"commit": encodable(one.first.commit), "firstSeen": encodable(one.first.date)}
        facts["author"] = encodable(one.first.author)
    if one.last is not None:
        facts |= {"removedBy": encodable(one.last.commit), "lastSeen": encodable(one.last.date)}
    if leak is not None:
        facts["rank"] = leak.rank
        if leak.verdict is not None:
            facts["verdict"] = leak.verdict.state
    return facts


def _repositories(audit: Audit) -> dict[str, Any]:
    """Say what the paths of the run are relative to, and which state of which repository that is."""
    if len(audit.repositories) == 1:
        return {"versionControlProvenance": [_state(one, BASE) for one in audit.repositories if one.error is None]}
    return {
        "originalUriBaseIds": {
            **FOLDERS,
            **{
                encodable(one.name): {"uri": f"{_uri(one)}/", "description": {"text": encodable(one.name)}}
                for one in audit.repositories
            },
        },
        "versionControlProvenance": [
            _state(one, encodable(one.name)) for one in audit.repositories if one.error is None
        ],
    }


def _state(one: Audited, base: str) -> dict[str, Any]:
    state: dict[str, Any] = {"repositoryUri": _uri(one), "mappedTo": {"uriBaseId": base}}
    if one.head:
        state["revisionId" if _COMMIT.fullmatch(one.head) else "branch"] = encodable(one.head)
    return state


def _uri(one: Audited) -> str:
    """The absolute URI that SARIF demands of a repository (3.23.3)."""
    path = os.path.abspath(one.path).replace(os.sep, "/")  # noqa: PTH100  # a Path refuses what no file may be called
    return artifact(path)["uri"].rstrip("/")
