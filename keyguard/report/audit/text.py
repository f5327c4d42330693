"""An audit for people: what was read, each leak as one story with what to do, then the rest in short."""

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
from keyguard.report.connections import HOST_HEADS, host_cells
from keyguard.report.listings import table, table_sizes
from keyguard.report.paint import hanging, paint
from keyguard.report.safe import cells, cut, visible, wrap
from keyguard.report.summary import by_rule, notices, with_command
from keyguard.report.text import spelled
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keyguard.leaks import Audit, Leak
    from keyguard.report.options import RenderOptions
    from keyguard.report.paint import Line

_WIDTH = 80  # cells where nobody knows the width: a pipe, a mail, a log
_PLACES = 5  # of one leak; --verbose lists all, as of everything below
_LEAKS = 20  # of each urgent rank that are told in full
_SHORT = 10  # leaks that are told in a line each, of one rank
_HOSTS = 12
_COLUMNS = ("host", "provider", "route", "connections", "problems")  # of the table of hosts: what fits 80 cells
_PROVIDER, _LEAST = 1, 12  # the column that is cut when they do not, and the cells that stay of it
_STATES = {"live": "high", "restricted": "medium", "dead": "good"}  # the styles of verdicts


def render(audit: Audit, options: RenderOptions) -> str:
    """Render for a terminal (`color`, `width`) or a pipe (80 cells wide); with `quiet` only the leaks."""
    options = options._replace(width=options.width or _WIDTH)
    known: set[str] = set()
    blocks = [block for rank, members in by_rank(audit) for block in _rank(rank, members, known, options)]
    if not options.quiet:
        head = [
            line
            for sentence in (headline(audit, options), found(audit, options))
            for line in _sentence(sentence, options)
        ]
        rest = (_others(audit, options), _connections(audit, options), _gaps(audit, options), _next(audit, options))
        blocks = [head, *blocks, *(block for block in rest if block)]
    lines: list[Line] = []
    for block in blocks:
        lines += [[], *block] if lines else block
    return paint(spelled(lines, options), color=options.color)


def _sentence(text: str, options: RenderOptions) -> list[Line]:
    return [[(line, "title")] for line in wrap(text, options.width)]


def _rank(rank: str, members: Sequence[tuple[int, Leak]], known: set[str], options: RenderOptions) -> list[list[Line]]:
    """Give a heading and the leaks of one rank: a block each as long as there are few, a line each otherwise."""
    heading: Line = [(texts(options.lang).say(f"rank.{rank}"), "title"), (f" ({len(members)})", "dim")]
    told = (len(members) if options.verbose else _LEAKS) if rank in URGENT else 0
    listed = len(members) if options.verbose else told + _SHORT
    blocks = [_leak(number, leak, known, options) for number, leak in members[:told]]
    short = [line for _, leak in members[told:listed] for line in _line(leak, options)]
    if len(members) > listed:
        short.append(_more(len(members) - listed, "  ", options))
    if short:
        blocks.append(short)
    blocks[0] = [heading, *blocks[0]]
    return blocks


def _leak(number: int, leak: Leak, known: set[str], options: RenderOptions) -> list[Line]:
    say = texts(options.lang).say
    label = f"{number}. "
    indent = " " * len(label)
    severity = leak.severity.label
    lines = hanging(
        [(label, "dim"), (say(f"severity.{severity}"), severity), ("  ", "")],
        title(leak, options),
        "key",
        options.width,
    )
    if leak.is_new:
        lines[0] += [("  ", ""), (say("audit.new.one"), "warning")]
    heard = verdict(leak, options)
    if heard is not None and leak.verdict is not None:
        lines += hanging([(indent, "")], heard, _STATES.get(leak.verdict.state, ""), options.width)
    lines += hanging([(indent, "")], life(leak, options), "", options.width)
    lines += _entry(indent, "audit.reach", visible(leak.reach), "", options)
    if leak.hosts:
        lines += _entry(indent, "audit.hosts", ", ".join(map(visible, leak.hosts)), "", options)
    groups, more = places(leak.sightings, options, None if options.verbose else _PLACES)
    for group in groups:
        name = say(group.name)
        for at, (place, note) in enumerate(group.shown):
            before: Line = [(indent + "  ", "")] if at else [(indent, ""), (f"{name} ", "dim")]
            lines += _place(before, place, note, options)
    if more:
        lines.append(_more(more, indent, options))
    for at, text in enumerate(steps(leak, options, known), start=1):
        lines += hanging([(indent, ""), (f"{at}) ", "dim")], text, "", options.width)
    return lines


def _place(before: Line, place: str, note: str, options: RenderOptions) -> list[Line]:
    """A place is never broken, so that it can be copied; what is said of it goes below when there is no room beside."""
    line: Line = [*before, (place, "path")]
    if not note:
        return [line]
    if _used(line) + 1 + cells(note) <= (options.width or _WIDTH):
        return [[*line, (" ", ""), (note, "dim")]]
    return [line, *hanging([(" " * _used(before), "")], note, "dim", options.width)]


def _used(line: Line) -> int:
    return sum(cells(piece) for piece, _ in line)


def _entry(indent: str, name: str, text: str, style: str, options: RenderOptions) -> list[Line]:
    return hanging([(indent, ""), (texts(options.lang).say(name) + ": ", "dim")], text, style, options.width)


def _line(leak: Leak, options: RenderOptions) -> list[Line]:
    """Tell a leak in short: what it is, its first place, and how many more there are."""
    severity = leak.severity.label
    label: Line = [("  ", ""), (texts(options.lang).say(f"severity.{severity}"), severity), ("  ", "")]
    rest = len(leak.sightings) - 1
    place = where(leak.sightings[0], options) + (f" +{rest}" if rest else "")
    lines = hanging(label, title(leak, options), "", options.width)
    if _used(lines[-1]) + 2 + cells(place) <= (options.width or _WIDTH):
        return [*lines[:-1], [*lines[-1], ("  ", ""), (place, "path")]]
    return [*lines, [(" " * 6, ""), (place, "path")]]


def _more(count: int, indent: str, options: RenderOptions) -> Line:
    return [(indent, ""), (texts(options.lang).say("audit.more", count=count), "dim")]


# -- the rest ----------------------------------------------------------------------------------------------------------


def _others(audit: Audit, options: RenderOptions) -> list[Line]:
    if not audit.others:
        return []
    say = texts(options.lang).say
    findings = [one.finding for one in audit.others]
    rules = ",".join(sorted({visible(finding.rule) for finding in findings}))
    return [
        [(say("audit.others"), "title"), (f" ({len(findings)})", "dim")],
        *([("  ", ""), *line] for line in by_rule(findings, options)),
        with_command("audit.others.show", f"keyguard check --select {rules}", options),
    ]


def _connections(audit: Audit, options: RenderOptions) -> list[Line]:
    summed = connected(audit, options)
    if not summed:
        return []
    say = texts(options.lang).say
    shown = summed if options.verbose else summed[:_HOSTS]
    columns = [HOST_HEADS.index(name) for name in _COLUMNS]
    rows = [[host_cells(item, options)[column] for column in columns] for item in shown]
    head = [say(f"connections.{name}") for name in _COLUMNS]
    sizes = table_sizes([head, *rows])
    room = (options.width or _WIDTH) - 2 * len(sizes) - sum(sizes) + sizes[_PROVIDER]
    if not options.verbose:
        rows = [
            [*row[:_PROVIDER], cut(visible(row[_PROVIDER]), max(room, _LEAST)), *row[_PROVIDER + 1 :]] for row in rows
        ]
    styles = [["rule", "", "medium" if item.peer.route == "relay" else "", "", "medium"] for item in shown]
    lines = [[("  ", ""), *line] for line in table(head, rows, styles)]
    if len(summed) > len(shown):
        lines.append(_more(len(summed) - len(shown), "  ", options))
    return [[(say("audit.connections"), "title"), (f" ({len(audit.rows)})", "dim")], *lines]


def _gaps(audit: Audit, options: RenderOptions) -> list[Line]:
    told = gaps(audit, options)
    lines = [line for text in told for line in hanging([("  ", "")], text, "warning", options.width)]
    for line in notices(audit.notices, options):
        *before, (text, style) = line
        lines += hanging([("  ", ""), *before], text, style, options.width)
    return [[(texts(options.lang).say("audit.gaps"), "title")], *lines] if lines else []


def _next(audit: Audit, options: RenderOptions) -> list[Line]:
    return [with_command(command.name, command.line, options) for command in commands(audit)]
