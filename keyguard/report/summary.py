"""The last lines of a report for people: counts, what is hidden, and what to type next."""

from __future__ import annotations

from keyguard.lang import texts
from keyguard.model import Safety, Severity
from keyguard.report.common import MOST_SEVERE_FIRST, counts, fixed, ordered, place, provider_name, rule_name
from keyguard.report.safe import visible, wrap
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from keyguard.model import Finding, Notice, Report
    from keyguard.report.common import Counts
    from keyguard.report.options import RenderOptions
    from keyguard.report.paint import Line

# From here on a user is told about the baseline: five keys can still be dealt with at once.
_MANY = 5


def summary(report: Report, options: RenderOptions, *, advice: bool = True) -> list[Line]:
    """Give notices, then counts; with `advice` the next command to type."""
    numbers = counts(report)
    lines = notices(report.notices, options)
    lines += _fixes(report, numbers, options)
    lines += _found(report, numbers, options)
    lines += _not_reported(report, numbers, options)
    lines += _files(report, numbers, options)
    if advice:
        lines += _advice(report, numbers, options)
    return [folded for line in lines for folded in _fold(line, options.width)]


def statistics(report: Report, options: RenderOptions) -> list[Line]:
    """Give a table of findings by rule, most frequent first, and one by provider."""
    lines = by_rule(report.findings, options)
    by_provider: dict[str, int] = {}
    for finding in report.findings:
        if finding.provider is not None:
            by_provider[finding.provider] = by_provider.get(finding.provider, 0) + 1
    if by_provider:
        lines += [[], [(texts(options.lang).say("statistics.providers"), "title")]]
        size = max(len(str(count)) for count in by_provider.values())
        lines += [
            [(f"{count:>{size}}  ", ""), (visible(provider_name(provider, options)), "")]
            for provider, count in sorted(by_provider.items(), key=lambda item: (-item[1], item[0]))
        ]
    return lines


def by_rule(findings: Iterable[Finding], options: RenderOptions) -> list[Line]:
    """Give a table of findings by rule, most frequent first."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.rule, []).append(finding)
    size = max((len(str(len(held))) for held in found.values()), default=0)
    lines: list[Line] = []
    for rule, held in sorted(found.items(), key=lambda item: (-len(item[1]), item[0])):
        name = rule_name(rule, options)
        label = "" if name == rule else f"  {name}"
        severity = max(finding.severity for finding in held)
        lines.append([(f"{len(held):>{size}}  ", ""), (visible(rule), severity.label), (label, "")])
    return lines


def join(parts: list[str], lang: str) -> str:
    """Join the parts of a list as the language does."""
    return ("、" if lang == "zh" else ", ").join(parts)


def by_severity(found: Mapping[str, int], options: RenderOptions) -> str:
    """Say `2 high, 1 low`, most severe first, without zeros."""
    say = texts(options.lang).say
    labels = [severity.label for severity in MOST_SEVERE_FIRST]
    parts = [
        say("by_severity", count=found[label], severity=say(f"severity.{label}"))
        for label in labels
        if found.get(label)
    ]
    return join(parts, options.lang)


def summary_sentence(report: Report, numbers: Counts, options: RenderOptions) -> str:
    """Say in one sentence what was found."""
    say = texts(options.lang).say
    if not numbers.findings:
        return say("clean", count=numbers.files) if numbers.files else say("clean.nothing")
    found = say("found", count=numbers.findings)
    total = max(numbers.files, numbers.files_with_findings)
    files = say("in_files", found=numbers.files_with_findings, count=total)
    keys = len({finding.key for finding in report.findings if finding.key is not None})
    severities = by_severity(numbers.by_severity, options)
    # The number of keys says something only when it differs: one key in many places, or many in few.
    if keys and keys != numbers.findings:
        return say("summary.keys", found=found, by_severity=severities, files=files, keys=say("keys", count=keys))
    return say("summary", found=found, by_severity=severities, files=files)


def hidden_sentence(report: Report, options: RenderOptions) -> str | None:
    """Say what is hidden and which options show it; None when nothing is."""
    labels = [label for label in ("low", "medium", "high") if report.hidden.get(label)]
    if not labels:
        return None
    wanted = Severity[options.min_severity.upper()]
    # A finding as severe as was asked for can only be hidden for its confidence.
    flags = [f"--min-severity {labels[0]}"] if Severity[labels[0].upper()] < wanted else []
    if any(Severity[label.upper()] >= wanted for label in labels):
        flags.append("--min-confidence low")
    parts = by_severity(report.hidden, options)
    count = sum(report.hidden.values())
    return texts(options.lang).say("hidden", count=count, parts=parts, options=" ".join(flags))


# What the engine says of files that it leaves alone.
_SKIPPED = {"binary": "skipped.binary", "NUL bytes": "skipped.nul", "keyguard failed on it": "skipped.failed"}


def skipped_reasons(numbers: Counts, options: RenderOptions) -> str:
    """Say `2 binary, 1 too large`: how many files were skipped for which reason."""
    parts = [f"{count} {_reason(reason, options)}" for reason, count in numbers.skipped.items()]
    return join(parts, options.lang)


def _reason(reason: str, options: RenderOptions) -> str:
    name = _SKIPPED.get(reason)
    return visible(reason) if name is None else texts(options.lang).say(name)


def notices(found: Iterable[Notice], options: RenderOptions) -> list[Line]:
    """Give a line a notice, its path in front unless the message names it."""
    say = texts(options.lang).say
    lines: list[Line] = []
    for notice in found:
        level = "error" if notice.error else "warning"
        where = "" if notice.path is None or notice.path in notice.message else f"{visible(notice.path)}: "
        lines.append([(say(f"notice.{level}"), level), (": ", ""), (where + visible(notice.message), "")])
    return lines


def _fixes(report: Report, numbers: Counts, options: RenderOptions) -> list[Line]:
    if not numbers.fixed:
        return []
    lines: list[Line] = []
    if options.show_fixes:
        for finding in fixed(report):
            title = "" if finding.fix is None else f": {visible(finding.fix.title)}"
            word = texts(options.lang).say("fixed")
            lines.append([(f"{word}: ", "good"), (place(finding, options), "path"), (f" {finding.rule}{title}", "")])
    lines.append([(texts(options.lang).say("fixed.count", count=numbers.fixed), "good")])
    return lines


def _found(report: Report, numbers: Counts, options: RenderOptions) -> list[Line]:
    style = "title" if numbers.findings else "good" if numbers.files else ""
    return [[(summary_sentence(report, numbers, options), style)]]


def _not_reported(report: Report, numbers: Counts, options: RenderOptions) -> list[Line]:
    say = texts(options.lang).say
    lines: list[Line] = []
    hidden = hidden_sentence(report, options)
    if hidden:
        lines.append([(hidden, "dim")])
    parts = [
        say(f"suppressed.{word}", count=count)
        for word, count in (("ignored", numbers.ignored), ("accepted", numbers.accepted))
        if count
    ]
    if parts:
        name = "suppressed.shown" if options.show_ignored else "suppressed"
        lines.append([(say(name, parts=join(parts, options.lang)), "dim")])
    if report.unused_ignores:
        lines.append([(say("unused", count=report.unused_ignores), "dim")])
    return lines


def _files(report: Report, numbers: Counts, options: RenderOptions) -> list[Line]:
    say = texts(options.lang).say
    lines: list[Line] = []
    if numbers.skipped:
        if options.verbose:
            lines += [
                [(say("skipped.file", path=visible(file.path), reason=_reason(file.skipped, options)), "dim")]
                for file in sorted(report.files, key=lambda file: file.path)
                if file.skipped
            ]
        reasons = skipped_reasons(numbers, options)
        name = "skipped.shown" if options.verbose else "skipped"
        lines.append([(say(name, count=sum(numbers.skipped.values()), reasons=reasons), "dim")])
    if numbers.windowed:
        lines.append([(say("windowed", count=numbers.windowed), "dim")])
    return lines


def _advice(report: Report, numbers: Counts, options: RenderOptions) -> list[Line]:
    if not numbers.findings:
        return []
    say = texts(options.lang).say
    findings = ordered(report.findings)
    lines: list[Line] = []
    if options.offer_fixes:
        fixes = [finding.fix.safety for finding in findings if finding.fix is not None]
        safe, unsafe = fixes.count(Safety.SAFE), fixes.count(Safety.UNSAFE)
        if safe and not options.has_fixed:
            lines.append([(say("fixable", count=safe), "")])
        if unsafe and options.has_fixed:
            lines.append([(say("fixable.held_back", count=unsafe), "")])
        elif unsafe:
            lines.append([(say("fixable.unsafe", count=unsafe), "")])
    worst = max(finding.severity for finding in findings)
    rules = [finding.rule for finding in findings if finding.severity == worst]
    rule = min(set(rules), key=lambda rule: (-rules.count(rule), rule))
    lines.append(with_command("next", f"keyguard explain {rule}", options))
    if len(findings) >= _MANY and not numbers.accepted:
        lines.append(with_command("next.baseline", "keyguard baseline create", options))
    return lines


def with_command(name: str, command: str, options: RenderOptions) -> Line:
    """Give the text called `name` with its `command` set off."""
    before, _, after = texts(options.lang).say(name, command="\0").partition("\0")
    return [(before, ""), (command, "command"), (after, "")]


def _fold(line: Line, width: int | None) -> list[Line]:
    """Break a line that is too wide; one of several styles is left to the terminal."""
    if width is None or len(line) != 1:
        return [line]
    [(text, style)] = line
    return [[(part, style)] for part in wrap(text, width)]
