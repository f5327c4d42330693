"""An audit as Markdown, for a job summary or an issue: the urgent keys with what to do, the rest as tables."""

from __future__ import annotations

from keyguard.lang import texts
from keyguard.report.audit.words import (
    URGENT,
    by_rank,
    commands,
    connected,
    found,
    gaps,
    headline,
    life,
    places,
    steps,
    title,
    verdict,
    where,
)
from keyguard.report.common import MOST_SEVERE_FIRST
from keyguard.report.connections import HOST_HEADS, host_cells
from keyguard.report.listings import markdown_table
from keyguard.report.markdown import code, escape, notices, rule_link, with_links
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keyguard.leaks import Audit, Leak
    from keyguard.report.options import RenderOptions

# A job summary holds a mebibyte: a leak that is told in full is about two kilobytes, a row 200 bytes.
_LEAKS = 20  # of each urgent rank that are told in full
_ROWS = 100  # of a table
_PLACES = 10


def render(audit: Audit, options: RenderOptions) -> str:
    """Render a heading, what was read and found, a section a rank, and the rest in tables."""
    say = texts(options.lang).say
    heading = say("audit.heading")
    lines = [f"### {heading}", "", escape(headline(audit, options)), "", escape(found(audit, options)), ""]
    known: set[str] = set()
    for rank, members in by_rank(audit):
        lines += _heading(f"rank.{rank}", len(members), options)
        told = _LEAKS if rank in URGENT else 0
        for number, leak in members[:told]:
            lines += _leak(number, leak, known, options)
        lines += _short([leak for _, leak in members[told:]], options)
    lines += [*_others(audit, options), *_connections(audit, options), *_gaps(audit, options)]
    for command in commands(audit):
        before, _, after = say(command.name, command="\0").partition("\0")
        lines += [f"{escape(before)}{code(command.line)}{escape(after)}", ""]
    return "\n".join(lines[:-1]) + "\n"


def _heading(name: str, count: int, options: RenderOptions) -> list[str]:
    return [f"#### {texts(options.lang).say(name)} ({count})", ""]


def _leak(number: int, leak: Leak, known: set[str], options: RenderOptions) -> list[str]:
    say = texts(options.lang).say
    marks = [say(f"severity.{leak.severity.label}"), *([say("audit.new.one")] if leak.is_new else [])]
    lines = [f"**{number}. {escape(title(leak, options))}** ({', '.join(marks)})", "", escape(life(leak, options)), ""]
    heard = verdict(leak, options)
    entries = [("audit.reach", escape(leak.reach))]
    if leak.hosts:
        entries.append(("audit.hosts", ", ".join(map(code, leak.hosts))))
    groups, more = places(leak.sightings, options, _PLACES)
    for group in groups:
        shown = [f"{code(place)} {escape(note)}".rstrip() for place, note in group.shown]
        entries.append((group.name, ", ".join(shown)))
    lines += [f"* {escape(heard)}"] if heard is not None else []
    lines += [f"* {say(name)}: {text}" for name, text in entries]
    if more:
        lines.append(f"* +{more}")
    lines += ["", *(f"{at}. {with_links(text)}" for at, text in enumerate(steps(leak, options, known), start=1))]
    return [*lines, ""]


def _short(leaks: Sequence[Leak], options: RenderOptions) -> list[str]:
    """Give a table, a row a leak."""
    if not leaks:
        return []
    say = texts(options.lang).say
    lines = [_row([say("table.severity"), say("table.key"), say("table.place")]), _row(["---"] * 3)]
    for leak in leaks[:_ROWS]:
        rest = f" +{len(leak.sightings) - 1}" if len(leak.sightings) > 1 else ""
        place = code(where(leak.sightings[0], options)) + rest
        lines.append(_row([say(f"severity.{leak.severity.label}"), escape(title(leak, options)), place]))
    return [*lines, "", *_more(len(leaks), options)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _more(count: int, options: RenderOptions) -> list[str]:
    return [texts(options.lang).say("markdown.more", count=count - _ROWS), ""] if count > _ROWS else []


def _others(audit: Audit, options: RenderOptions) -> list[str]:
    if not audit.others:
        return []
    say = texts(options.lang).say
    rows = [_row([say("table.count"), say("table.severity"), say("table.rule")]), _row(["---"] * 3)]
    found_ones = [one.finding for one in audit.others]
    counted = {rule: [one for one in found_ones if one.rule == rule] for rule in {one.rule for one in found_ones}}
    for rule, members in sorted(counted.items(), key=lambda item: (-len(item[1]), item[0])):
        worst = min((finding.severity for finding in members), key=MOST_SEVERE_FIRST.index)
        rows.append(_row([str(len(members)), say(f"severity.{worst.label}"), rule_link(rule, options)]))
    return [*_heading("audit.others", len(found_ones), options), *rows, ""]


def _connections(audit: Audit, options: RenderOptions) -> list[str]:
    summed = connected(audit, options)
    if not summed:
        return []
    say = texts(options.lang).say
    head = [say(f"connections.{name}") for name in HOST_HEADS]
    table = markdown_table(head, [host_cells(item, options) for item in summed[:_ROWS]])
    return [*_heading("audit.connections", len(audit.rows), options), table, *_more(len(summed), options)]


def _gaps(audit: Audit, options: RenderOptions) -> list[str]:
    told = [f"* {escape(text)}" for text in gaps(audit, options)]
    lines = [*told, ""] if told else []
    lines += notices(audit.notices, options)
    heading = texts(options.lang).say("audit.gaps")
    return [f"#### {heading}", "", *lines] if lines else []
