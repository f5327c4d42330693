"""The report for people: most severe first, one key in many files as one group, and what to type next."""

from __future__ import annotations

from keyguard.lang import texts
from keyguard.model import position
from keyguard.report.common import ordered, place, provider_name, provider_of, rule_name, suppressed
from keyguard.report.excerpt import CUT, ELLIPSIS, fit
from keyguard.report.paint import hanging, paint
from keyguard.report.safe import visible
from keyguard.report.summary import statistics, summary
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keyguard.model import Finding, Report
    from keyguard.report.options import RenderOptions
    from keyguard.report.paint import Line

_INDENT = "  "
# Wide enough for a line of code when nobody knows the width (a pipe), short enough for a log viewer.
_PIPE_WIDTH = 160
_ALSO = 5
# These say the same thing of a key wherever it stands; every other rule says something of its own.
_LEAKS = frozenset({"KG101", "KG102", "KG103", "KG105", "KG106", "KG108", "KG110"})


class Group(NamedTuple):
    """Findings that are one story: `first` is told in full, the `others` by their place."""

    first: Finding
    others: tuple[Finding, ...]


def render(report: Report, options: RenderOptions) -> str:
    """Render for a terminal (`color`, `width`) or a pipe; with `quiet` only the findings."""
    lines: list[Line] = []
    if options.statistics:
        lines += statistics(report, options)
    else:
        for group in groups(report.findings):
            lines += _group(group, options)
            lines.append([])
        if options.show_ignored:
            lines += _suppressed(report, options)
    if options.quiet:
        while lines and not lines[-1]:
            lines.pop()
    else:
        if lines and lines[-1]:
            lines.append([])
        lines += summary(report, options)
    return paint(spelled(lines, options), color=options.color)


def spelled(lines: list[Line], options: RenderOptions) -> list[Line]:
    """Give lines without the one sign of masked keys that a narrow encoding lacks."""
    if options.unicode:
        return lines
    return [[(piece.replace(ELLIPSIS, CUT), style) for piece, style in line] for line in lines]


def groups(findings: Iterable[Finding]) -> list[Group]:
    """Put findings about the same key together; groups come most severe first, then by path and position."""
    together: dict[tuple[str, ...], list[Finding]] = {}
    for number, finding in enumerate(ordered(findings)):
        if finding.key is None:
            story: tuple[str, ...] = (str(number),)
        elif finding.rule in _LEAKS:
            story = ("leak", finding.key)
        else:
            story = (finding.rule, finding.key, finding.message)
        together.setdefault(story, []).append(finding)
    result = []
    for members in together.values():
        first = max(members, key=lambda finding: finding.severity)
        result.append(Group(first, tuple(member for member in members if member is not first)))
    return sorted(result, key=lambda group: (-group.first.severity, position(group.first)))


def _group(group: Group, options: RenderOptions) -> list[Line]:
    finding = group.first
    say = texts(options.lang).say
    name = rule_name(finding.rule, options)
    title: Line = [(place(finding, options), "path"), ("  ", "")]
    title += [(say(f"severity.{finding.severity.label}"), finding.severity.label), ("  ", "")]
    title += [(finding.rule, "rule"), ("" if name == finding.rule else f" {name}", "")]
    lines: list[Line] = [title]
    lines += _paragraph(visible(finding.message), "", options)
    lines += _excerpt(finding, options)
    provider = provider_of(finding, options)
    # Most messages name the provider; saying it twice helps nobody.
    if provider is not None and provider_name(provider.id, options) not in finding.message:
        lines += _entry("provider", visible(provider_name(provider.id, options)), "key", options)
    if finding.remedy:
        lines += _entry("remedy", visible(finding.remedy), "", options)
    for related in finding.related:
        cell = "" if related.cell is None else say("cell", cell=related.cell) + ":"
        where = f"{visible(related.path)}:{cell}{related.line}:{related.column}"
        lines += _entry("see", f"{where} {visible(related.message)}", "", options)
    if finding.fix is not None and options.offer_fixes:
        safety = say(f"safety.{finding.fix.safety.label}")
        lines += _entry("fix", f"{visible(finding.fix.title)} ({safety})", "", options)
    lines += _also(group, options)
    return lines


def _paragraph(text: str, style: str, options: RenderOptions) -> list[Line]:
    return hanging([(_INDENT, "")], text, style, options.width)


def _entry(name: str, text: str, style: str, options: RenderOptions) -> list[Line]:
    """Write `name: text`, the text's further lines indented under it."""
    label = texts(options.lang).say(name) + ": "
    lines = _paragraph(label + text, style, options)
    # The label is one word or CJK run, so it stands whole at the start of the first line.
    indent, (first, _) = lines[0]
    if first.startswith(label):
        lines[0] = [indent, (label, "dim"), (first[len(label) :], style)]
    return lines


def _excerpt(finding: Finding, options: RenderOptions) -> list[Line]:
    if finding.excerpt is None or not finding.excerpt.text.strip():
        return []
    bar = "│" if options.unicode else "|"
    number = str(finding.line)
    margin = f"{_INDENT}{number} {bar} "
    available = (_PIPE_WIDTH if options.width is None else options.width) - len(margin)
    text, column, count = fit(finding.excerpt, available, unicode=options.unicode)
    return [
        [(margin, "dim"), (text, "")],
        [(f"{_INDENT}{' ' * len(number)} {bar} ", "dim"), (" " * column, ""), ("^" * count, finding.severity.label)],
    ]


def _also(group: Group, options: RenderOptions) -> list[Line]:
    if not group.others:
        return []
    say = texts(options.lang).say
    shown = group.others if options.verbose else group.others[:_ALSO]
    lines: list[Line] = []
    for finding in shown:
        rule = "" if finding.rule == group.first.rule else f" ({finding.rule})"
        lines.append([(_INDENT, ""), (say("also") + " ", "dim"), (place(finding, options), "path"), (rule, "")])
    if len(shown) < len(group.others):
        lines.append([(_INDENT, ""), (say("also.more", count=len(group.others) - len(shown)), "dim")])
    return lines


def _suppressed(report: Report, options: RenderOptions) -> list[Line]:
    say = texts(options.lang).say
    lines: list[Line] = [
        [
            (f"{say(word)}: ", "dim"),
            (place(finding, options), "path"),
            (f"  {finding.rule} ", ""),
            (visible(finding.message), "dim"),
        ]
        for word, finding in suppressed(report)
    ]
    return [*lines, []] if lines else []
