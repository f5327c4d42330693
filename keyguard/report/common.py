"""What several formats need: order, counts, the one severity map, names, links and places."""

from __future__ import annotations

from keyguard.lang import texts
from keyguard.model import Severity, position
from keyguard.report.safe import visible
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keyguard.catalogue import Provider, Rule
    from keyguard.model import Finding, Report
    from keyguard.report.options import RenderOptions


class Levels(NamedTuple):
    """What one severity is called elsewhere; `score` is GitHub's security-severity (CVSS: 7.0 high, 4.0 medium)."""

    sarif: str
    github: str
    gitlab_quality: str
    gitlab_secrets: str
    score: str


LEVELS = {
    Severity.HIGH: Levels("error", "error", "critical", "Critical", "8.5"),
    Severity.MEDIUM: Levels("warning", "warning", "major", "Medium", "5.5"),
    Severity.LOW: Levels("note", "notice", "minor", "Low", "2.0"),
}
MOST_SEVERE_FIRST = (Severity.HIGH, Severity.MEDIUM, Severity.LOW)

# Common Weakness Enumeration: 798 hard-coded credentials, 598 secrets in a query string, 532 in a log, 540 in source
# that is published, 200 shown to whoever should not see it.
_CWE = {
    "KG101": "798",
    "KG102": "798",
    "KG103": "598",
    "KG104": "532",
    "KG105": "540",
    "KG106": "798",
    "KG107": "540",
    "KG108": "798",
    "KG109": "532",
    "KG110": "200",
}


class Counts(NamedTuple):
    """The numbers of a run: `by_severity` has every label, most severe first; `skipped` are files by reason."""

    files: int
    findings: int
    by_severity: dict[str, int]
    hidden: int
    ignored: int
    accepted: int
    fixed: int
    skipped: dict[str, int]
    windowed: int
    files_with_findings: int


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings as every machine format lists them."""
    return sorted(findings, key=position)


def suppressed(report: Report) -> list[tuple[str, Finding]]:
    """Pair each finding that was `ignored` or `accepted` with that word, in the order of `position`."""
    pairs = [("ignored", finding) for file in report.files for finding in file.ignored]
    pairs += [("accepted", finding) for file in report.files for finding in file.accepted]
    return sorted(pairs, key=lambda pair: (position(pair[1]), pair[0]))


def fixed(report: Report) -> list[Finding]:
    """List what was fixed."""
    return ordered(finding for file in report.files for finding in file.fixed)


def counts(report: Report) -> Counts:
    """Count everything a summary names."""
    findings = report.findings
    by_severity = {severity.label: 0 for severity in MOST_SEVERE_FIRST}
    for finding in findings:
        by_severity[finding.severity.label] += 1
    skipped: dict[str, int] = {}
    for reason in sorted(file.skipped for file in report.files if file.skipped):
        skipped[reason] = skipped.get(reason, 0) + 1
    return Counts(
        files=report.checked,
        findings=len(findings),
        by_severity=by_severity,
        hidden=sum(report.hidden.values()),
        ignored=sum(len(file.ignored) for file in report.files),
        accepted=sum(len(file.accepted) for file in report.files),
        fixed=sum(len(file.fixed) for file in report.files),
        skipped=skipped,
        windowed=sum(file.windowed for file in report.files),
        files_with_findings=len({finding.path for finding in findings}),
    )


def rule_of(rule: str, options: RenderOptions) -> Rule | None:
    """Find a rule in the catalogue, if there is one."""
    return None if options.catalogue is None else options.catalogue.rules.get(rule)


def rule_name(rule: str, options: RenderOptions) -> str:
    """Give a rule's name, `hardcoded-key`; its id when the catalogue does not know it."""
    return rule if options.catalogue is None else options.catalogue.rule_names.get(rule, rule)


def titled(rule: str, options: RenderOptions) -> str:
    """Give a rule's id and name, `KG101 hardcoded-key`."""
    name = rule_name(rule, options)
    return rule if name == rule else f"{rule} {name}"


def rule_url(rule: str, options: RenderOptions) -> str:
    """Give the address of a rule's page, the Chinese one in a Chinese report."""
    url = options.docs_url.replace("{rule}", rule)
    return url.replace("/docs/rules/", "/docs/zh/rules/") if options.lang == "zh" else url


def provider_of(finding: Finding, options: RenderOptions) -> Provider | None:
    """Find a finding's provider in the catalogue, if both are known."""
    if finding.provider is None or options.catalogue is None:
        return None
    return options.catalogue.providers.get(finding.provider)


def provider_name(provider: str, options: RenderOptions) -> str:
    """Give a provider's name in the report's language; its id when the catalogue does not know it."""
    known = None if options.catalogue is None else options.catalogue.providers.get(provider)
    return provider if known is None else known.label(options.lang)


def cwe(rule: str) -> str | None:
    """Give the number of the weakness a rule is about, if there is a fitting one."""
    return _CWE.get(rule)


def place(finding: Finding, options: RenderOptions) -> str:
    """Give `path:line:column`, in a notebook `path:cell 3:line:column`, harmless to print."""
    return f"{visible(finding.path)}:{_cell(finding, options)}{finding.line}:{finding.column}"


def _cell(finding: Finding, options: RenderOptions) -> str:
    if finding.cell is None:
        return ""
    name = "cell.output" if finding.part == "output" else "cell"
    return texts(options.lang).say(name, cell=finding.cell) + ":"


def in_cell(finding: Finding, options: RenderOptions) -> str:
    """Say where in a notebook a finding stands, for formats whose lines are the file's own; empty outside notebooks."""
    if finding.cell is None:
        return ""
    say = texts(options.lang).say
    cell = say("cell.output" if finding.part == "output" else "cell", cell=finding.cell)
    return say("place.in_cell", cell=cell, line=finding.line, column=finding.column)


def message_with_cell(finding: Finding, options: RenderOptions) -> str:
    """Give the message on one line, behind its place in the notebook if it stands in one."""
    where = in_cell(finding, options)
    message = visible(finding.message)
    return f"{where}: {message}" if where else message
