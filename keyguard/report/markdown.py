"""Markdown for a job summary or a merge request's comment."""

from __future__ import annotations

import string

from keyguard.lang import texts
from keyguard.report.common import MOST_SEVERE_FIRST, counts, place, rule_url, titled
from keyguard.report.safe import visible
from keyguard.report.summary import hidden_sentence, join, skipped_reasons, summary_sentence
from keyguard.report.text import groups
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keyguard.model import Finding, Notice, Report
    from keyguard.report.options import RenderOptions
    from keyguard.report.text import Group

# A job summary holds a mebibyte; a row is a few hundred bytes.
_MAX_ROWS = 500
_MAX_PLACES = 10
_ADDRESS = frozenset(string.ascii_letters + string.digits + "-._~:/?#@!$&()*+,;=%")
_SPECIAL = frozenset("\\`*_[]<>&|#~$@!{}")


def render(report: Report, options: RenderOptions) -> str:
    """Render counts and a table, a row a key or finding, most severe first."""
    say = texts(options.lang).say
    numbers = counts(report)
    lines = ["### keyguard", "", escape(summary_sentence(report, numbers, options)), ""]
    rows = groups(report.findings)
    for severity in MOST_SEVERE_FIRST:
        members = [group for group in rows[:_MAX_ROWS] if group.first.severity == severity]
        if members:
            lines += _table(say(f"severity.{severity.label}"), members, options)
    if len(rows) > _MAX_ROWS:
        lines += [say("markdown.more", count=len(rows) - _MAX_ROWS), ""]
    lines += notices(report.notices, options)
    parts = [
        say(f"suppressed.{word}", count=count)
        for word, count in (("ignored", numbers.ignored), ("accepted", numbers.accepted))
        if count
    ]
    if parts:
        lines += [escape(say("suppressed.shown", parts=join(parts, options.lang))), ""]
    hidden = hidden_sentence(report, options)
    if hidden:
        lines += [escape(hidden), ""]
    if numbers.skipped:
        reasons = skipped_reasons(numbers, options)
        lines += [escape(say("skipped.shown", count=sum(numbers.skipped.values()), reasons=reasons)), ""]
    return "\n".join(lines[:-1]) + "\n"


def notices(found: Iterable[Notice], options: RenderOptions) -> list[str]:
    """Give a paragraph a notice, with an empty line behind each."""
    say = texts(options.lang).say
    lines: list[str] = []
    for notice in found:
        level = say("notice.error" if notice.error else "notice.warning")
        where = "" if notice.path is None else f"{code(notice.path)}: "
        lines += [f"**{level}**: {where}{escape(notice.message)}", ""]
    return lines


def rule_link(rule: str, options: RenderOptions) -> str:
    """Give a rule's id and name as a link to its page."""
    return f"[{escape(titled(rule, options))}]({visible(rule_url(rule, options))})"


def _table(title: str, members: list[Group], options: RenderOptions) -> list[str]:
    say = texts(options.lang).say
    head = [say("table.place"), say("table.rule"), say("table.message")]
    lines = [f"#### {title}", "", f"| {' | '.join(head)} |", "| --- | --- | --- |"]
    lines += [f"| {' | '.join(_row(group, options))} |" for group in members]
    return [*lines, ""]


def _row(group: Group, options: RenderOptions) -> list[str]:
    finding = group.first
    say = texts(options.lang).say
    places = [_place(member, options) for member in (finding, *group.others)[:_MAX_PLACES]]
    hidden = len(group.others) + 1 - len(places)
    if hidden > 0:
        places.append(f"+ {hidden}")
    message = escape(finding.message)
    if finding.remedy:
        message += f"<br>{say('remedy')}: {with_links(finding.remedy)}"
    return ["<br>".join(places), rule_link(finding.rule, options), message]


def _place(finding: Finding, options: RenderOptions) -> str:
    return code(place(finding, options))


def code(text: str) -> str:
    """Show text as code: a code span, or entities when it has what ends a span or a table cell."""
    text = visible(text)
    if "`" in text or "|" in text or "\\" in text or text != text.strip() or not text:
        return f"<code>{''.join(f'&#{ord(c)};' if c in _SPECIAL else c for c in text)}</code>"
    return f"`{text}`"


def with_links(text: str) -> str:
    """Escape a text and keep its https addresses as links: an escape inside one would break it."""
    first, *rest = visible(text).split("https://")
    parts = [escape(first)]
    for piece in rest:
        end = next((index for index, character in enumerate(piece) if character not in _ADDRESS), len(piece))
        address = piece[:end].rstrip(".,;:")
        parts += [f"<https://{address}>" if address else "https://", escape(piece[len(address) :])]
    return "".join(parts)


def escape(text: str) -> str:
    """Escape whatever Markdown, GitHub's or GitLab's, would read as more than text."""
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in visible(text))
