"""SARIF 2.1.0, as GitHub code scanning, Azure DevOps and editors read it."""

from __future__ import annotations

import json
from types import MappingProxyType
from urllib.parse import quote

from keyguard.model import Safety
from keyguard.report.common import (
    LEVELS,
    cwe,
    fixed,
    message_with_cell,
    ordered,
    provider_name,
    rule_of,
    rule_url,
    suppressed,
)
from keyguard.report.excerpt import fit
from keyguard.report.page import rule_markdown
from keyguard.report.safe import encodable, visible
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from keyguard.model import Excerpt, Finding, Fix, Notice, Report
    from keyguard.report.options import RenderOptions

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_PROJECT = "https://github.com/keyguard/keyguard"
BASE = "%SRCROOT%"
"""What paths are relative to."""
FOLDERS = {BASE: {"description": {"text": "The folder keyguard ran in."}}}
"""The folders that paths are relative to, by name."""
# What `{"kind": …}` a suppression is: a comment or setting stands in the source, the baseline beside it.
_KINDS = {"ignored": "inSource", "accepted": "external"}
# Exit codes from here on say that the run itself failed.
_FAILED = 2
_EXCERPT_WIDTH = 400


def render(report: Report, options: RenderOptions) -> str:
    """Render one run: reported rules with their help, results (with `show_ignored` the suppressed too), notices."""
    pairs: list[tuple[str | None, Finding]] = [(None, finding) for finding in ordered(report.findings)]
    if options.show_ignored:
        pairs += suppressed(report)
    rules = sorted({finding.rule for _, finding in pairs})
    results = []
    for word, finding in pairs:
        made = result(finding, rules.index(finding.rule), options)
        if word is not None:
            made["suppressions"] = [{"kind": _KINDS[word], "status": "accepted"}]
        results.append(made)
    done = invocation(report.notices, options, {"fixed": len(fixed(report))})
    return written(rules, results, done, options)


def written(
    rules: Sequence[str],
    results: Sequence[Mapping[str, Any]],
    done: Mapping[str, Any],
    options: RenderOptions,
    repositories: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """Write one run: `rules` in the order of the results' indices, and `done`, its invocation.

    `repositories` are further properties of the run that say what its places are relative to.
    """
    run = {
        "tool": {
            "driver": {
                "name": "keyguard",
                "version": options.version or "0",
                "semanticVersion": options.version or "0.0.0",
                "informationUri": _PROJECT,
                "rules": [_rule(rule, options) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": FOLDERS,
        **repositories,
        "invocations": [done],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: str, options: RenderOptions) -> dict[str, Any]:
    weakness = cwe(rule)
    tags = ["security"] + ([f"external/cwe/cwe-{weakness}"] if weakness else [])
    descriptor: dict[str, Any] = {"id": rule, "helpUri": rule_url(rule, options), "properties": {"tags": tags}}
    known = rule_of(rule, options)
    if known is None:
        return descriptor
    docs = known.docs_zh if options.lang == "zh" and known.docs_zh is not None else known.docs
    page = rule_markdown(known, options.lang, title=False)
    summary = docs.what.strip() or known.name
    descriptor |= {
        "name": "".join(word.capitalize() for word in known.name.split("-")),
        "shortDescription": {"text": known.name},
        "fullDescription": {"text": summary},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": LEVELS[known.severity].sarif},
    }
    descriptor["properties"] |= {
        "precision": {"low": "medium", "medium": "high", "high": "very-high"}[known.confidence.label],
        "problem.severity": {"high": "error", "medium": "warning", "low": "recommendation"}[known.severity.label],
        "security-severity": LEVELS[known.severity].score,
    }
    return descriptor


def result(finding: Finding, index: int, options: RenderOptions, base: str = BASE) -> dict[str, Any]:
    """Give one result; `index` is its rule's, `base` names what its paths are relative to."""
    made: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": LEVELS[finding.severity].sarif,
        "message": message(finding, options),
        "locations": [_location(finding, options, base)],
        "partialFingerprints": {"keyguard/v1": finding.fingerprint},
    }
    related = _related(finding, base)
    if related:
        made["relatedLocations"] = related
    # Offsets count inside a notebook's cell, and SARIF would apply them to the file.
    if (
        finding.fix is not None
        and finding.cell is None
        and finding.fix.safety is not Safety.SHOWN
        and finding.fix.edits
    ):
        made["fixes"] = [_fix(finding.fix, finding.path, base)]
    made["properties"] = _properties(finding, options)
    return made


def message(finding: Finding, options: RenderOptions, addition: str = "") -> dict[str, str]:
    """Give a result's message: the finding's, an addition, and on a line of its own the remedy."""
    text = message_with_cell(finding, options) + addition
    if finding.remedy:
        text += "\n" + visible(finding.remedy)
    # `[text](target)` would be a link (SARIF 3.11.6).
    return {"text": text.replace("[", "\\[").replace("]", "\\]") if "](" in text else text}


def _location(finding: Finding, options: RenderOptions, base: str) -> dict[str, Any]:
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": artifact(finding.path, base)}}
    physical = location["physicalLocation"]
    if finding.cell is None:
        physical["region"] = _region(finding.line, finding.column, finding.end_line, finding.end_column)
        if finding.excerpt is not None and finding.line == finding.end_line:
            # The whole line, its key masked: no exact snippet of the region, so it stands as its context.
            physical["contextRegion"] = {"startLine": finding.line, "snippet": {"text": _snippet(finding.excerpt)}}
        return location
    # Lines count inside the cell and the file's own are not known; GitHub demands one, so it is the first.
    physical["region"] = {"startLine": 1}
    name = f"cell {finding.cell}" + (" output" if finding.part == "output" else "")
    location["logicalLocations"] = [{"name": name, "fullyQualifiedName": f"{encodable(finding.path)}:{name}"}]
    location["message"] = {"text": message_with_cell(finding, options)}
    return location


def _snippet(excerpt: Excerpt) -> str:
    text, _, _ = fit(excerpt, _EXCERPT_WIDTH)
    return text


def _region(line: int, column: int, end_line: int, end_column: int) -> dict[str, Any]:
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _related(finding: Finding, base: str) -> list[dict[str, Any]]:
    locations = []
    for number, place in enumerate(dict.fromkeys(finding.related), start=1):
        # As in `_location`: in a notebook the file's own lines are not known.
        region = {"startLine": 1}
        if place.cell is None:
            region = _region(place.line, place.column, place.end_line, place.end_column)
        where = "" if place.cell is None else f"cell {place.cell}, line {place.line}: "
        locations.append(
            {
                "id": number,
                "physicalLocation": {"artifactLocation": artifact(place.path, base), "region": region},
                "message": {"text": where + visible(place.message)},
            }
        )
    return locations


def _fix(fix: Fix, path: str, base: str) -> dict[str, Any]:
    replacements = [
        {
            "deletedRegion": {"charOffset": edit.span.start, "charLength": edit.span.end - edit.span.start},
            "insertedContent": {"text": encodable(edit.text)},
        }
        for edit in sorted(fix.edits, key=lambda edit: edit.span)
    ]
    return {
        "description": {"text": f"{visible(fix.title)} ({fix.safety.label})"},
        "artifactChanges": [{"artifactLocation": artifact(path, base), "replacements": replacements}],
    }


def _properties(finding: Finding, options: RenderOptions) -> dict[str, Any]:
    properties: dict[str, Any] = {"confidence": finding.confidence.label}
    if finding.key is not None:
        properties["key"] = finding.key
    if finding.provider is not None:
        properties["provider"] = provider_name(finding.provider, options)
    if finding.cell is not None:
        properties |= {
            "cell": finding.cell,
            "part": finding.part,
            "line": finding.line,
            "column": finding.column,
            "endLine": finding.end_line,
            "endColumn": finding.end_column,
        }
    return properties


def invocation(notices: Iterable[Notice], options: RenderOptions, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Say how a run ended and what it has to tell."""
    return {
        "executionSuccessful": options.exit_code < _FAILED,
        "exitCode": options.exit_code,
        "toolExecutionNotifications": [_notification(notice) for notice in notices],
        "properties": dict(properties),
    }


def _notification(notice: Notice) -> dict[str, Any]:
    notification: dict[str, Any] = {
        "level": "error" if notice.error else "warning",
        "message": {"text": visible(notice.message)},
    }
    if notice.path is not None:
        notification["locations"] = [{"physicalLocation": {"artifactLocation": artifact(notice.path)}}]
    return notification


def artifact(path: str, base: str = BASE) -> dict[str, str]:
    """Name a file by its URI: relative to `base`, which is the folder keyguard ran in, or absolute."""
    uri = quote(_bytes(path), safe="/")
    if path.startswith("//"):  # a share: the server stands where a host does
        return {"uri": f"file:{uri}"}
    if path.startswith("/"):
        return {"uri": f"file://{uri}"}
    if path[1:3] == ":/":
        return {"uri": f"file:///{path[0]}:{uri[4:]}"}
    return {"uri": uri, "uriBaseId": base}


def _bytes(path: str) -> bytes:
    """Give back the bytes of a file name that is no UTF-8; other lone surrogates as they are."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogatepass")
