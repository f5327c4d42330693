"""The answers of `keyguard connections`: whom code talks to, summed up by host, and where a variable is used."""

from __future__ import annotations

from keyguard.errors import UsageError
from keyguard.inventory import ACTIONS, HostSummary, hosts, row_order
from keyguard.lang import texts
from keyguard.report.common import provider_name
from keyguard.report.csv_table import written as csv_written
from keyguard.report.excerpt import CUT, ELLIPSIS
from keyguard.report.listings import json_text, markdown_table, table, table_row, table_sizes
from keyguard.report.paint import paint
from keyguard.report.safe import encodable, visible
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from keyguard.inventory import Inventory, KeySource, Peer, Row, Usage, Wait
    from keyguard.report.options import RenderOptions
    from keyguard.report.paint import Line

CONNECTION_FORMATS = ("text", "json", "csv", "markdown")
ROW_HEADS = ("place", "client", "key", "models", "timeout", "attempts", "problems")
"""What `row_cells` gives, as `connections.…` names it."""
HOST_HEADS = ("host", "provider", "route", "connections", "files", "sent", "problems")
"""What `host_cells` gives, likewise."""
_FEW = 2  # models and variables of a row that a table shows; all with --verbose
_LONGEST = 36  # characters of a model's id or a variable in a table
# Columns that are cut when the terminal is narrow (models, client, key), and the characters that stay of them.
_CUT_FIRST = {3: 14, 1: 20, 2: 22}
_ROUTES = ("official", "cloud", "gateway", "relay", "own", "local", "unknown")
_ROUTE_STYLES = {"relay": "medium", "unknown": "low", "local": "dim", "own": "good", "official": "good"}


def render_connections(inventory: Inventory, options: RenderOptions, format: str = "text") -> str:  # noqa: A002  # the option's own name
    """List every connection, grouped by whom it talks to."""
    rows = _grouped(inventory.rows, options)
    if format == "json":
        return json_text({"version": 1, "connections": [row_object(row, options) for row in inventory.rows]})
    if format == "csv":
        return csv_written(_ROW_COLUMNS, [_row_record(row, options) for row in inventory.rows])
    say = texts(options.lang).say
    if format == "markdown":
        head = [say(f"connections.{name}") for name in ("provider", "route", "host", *ROW_HEADS)]
        return markdown_table(head, [[*whom(row.peer, options), *row_cells(row, options)] for row in rows])
    _known(format)
    head = [say(f"connections.{name}") for name in ROW_HEADS]
    body = _fitted(rows, head, options)
    sizes = table_sizes([head, *body])
    lines: list[Line] = [[("  ", ""), *table_row(head, sizes, ["dim"] * len(head))]] if rows else []
    last: tuple[str, ...] | None = None
    for row, cells_of_row in zip(rows, body, strict=True):
        who = whom(row.peer, options)
        if who != last:
            lines.append(_heading(row.peer, who))
            last = who
        lines.append([("  ", ""), *table_row(cells_of_row, sizes, _STYLES)])
    return paint([*lines, *_summary(inventory, options)], color=options.color)


def render_hosts(inventory: Inventory, options: RenderOptions, format: str = "text") -> str:  # noqa: A002  # as above
    """Sum the connections up by host."""
    found = hosts(inventory.rows, lambda peer: peer_order(peer, options))
    if format == "json":
        return json_text({"version": 1, "hosts": [_host_object(item, options) for item in found]})
    if format == "csv":
        return csv_written(_HOST_COLUMNS, [_host_record(item, options) for item in found])
    say = texts(options.lang).say
    head = [say(f"connections.{name}") for name in HOST_HEADS]
    body = [host_cells(item, options) for item in found]
    if format == "markdown":
        return markdown_table(head, body)
    _known(format)
    styles = [["rule", "", _ROUTE_STYLES.get(item.peer.route, ""), "", "", "", "medium"] for item in found]
    lines = table(head, body, styles) if found else []
    return paint([*lines, *_summary(inventory, options, ask_hosts=False)], color=options.color)


def render_variable(
    inventory: Inventory,
    name: str,
    options: RenderOptions,
    format: str = "text",  # noqa: A002  # as above
) -> str:
    """List every place that sets, reads or names a variable."""
    if format == "json":
        places = [_usage_object(usage) for usage in inventory.usages]
        return json_text({"version": 1, "variable": name, "providers": _owners(name, options), "places": places})
    if format == "csv":
        return csv_written(_USAGE_COLUMNS, [list(_usage_object(usage).values()) for usage in inventory.usages])
    say = texts(options.lang).say
    head = [say(f"connections.{column}") for column in ("action", "place", "where", "by")]
    body = [_usage_cells(usage, options) for usage in inventory.usages]
    if format == "markdown":
        return markdown_table(head, body)
    _known(format)
    styles = [
        [{"set": "high", "read": "good"}.get(usage.action, "dim"), "path", "dim", ""] for usage in inventory.usages
    ]
    owners = ", ".join(provider_name(owner, options) for owner in _owners(name, options))
    lines: list[Line] = [[(visible(name), "title"), (f" ({visible(owners)})" if owners else "", "")]]
    if not inventory.usages:
        lines.append([(say("connections.variable.none"), "")])
        return paint([*lines, *_unread(inventory, options)], color=options.color)
    lines += table(head, body, styles)
    files = len({usage.path for usage in inventory.usages})
    counts = [(action, sum(usage.action == action for usage in inventory.usages)) for action in ACTIONS]
    parts = say("connections.and").join(
        say(f"connections.count.{action}", count=count) for action, count in counts if count
    )
    total = say("connections.count.files", count=files)
    lines += [[], [(say("connections.variable.sum", parts=parts, files=total), "dim")], *_unread(inventory, options)]
    return paint(lines, color=options.color)


# -- rows ------------------------------------------------------------------------------------------------------------

_STYLES = ("path", "", "", "", "", "", "medium")
_ROW_COLUMNS = (
    "path", "line", "column", "cell", "kind", "client", "library", "provider", "route", "host", "host_origin",
    "base_url_variables", "key_source", "key_names", "models", "timeout_seconds", "timeout", "attempts", "calls",
    "async", "problems",
)  # fmt: skip


def _fitted(rows: Sequence[Row], head: Sequence[str], options: RenderOptions) -> list[list[str]]:
    """Give the cells of rows so that they fit the terminal, as far as that leaves every place whole.

    Clients lose their packages first; then the columns that say least are cut at their ends.
    """
    body = [row_cells(row, options) for row in rows]
    for column in (None, *_CUT_FIRST):
        sizes = table_sizes([head, *body])
        excess = sum(sizes) + 2 * len(sizes) - (options.width or 0)
        if options.width is None or options.verbose or excess <= 0:
            break
        if column is None:
            body = [row_cells(row._replace(name=_without_package(row)), options) for row in rows]
            continue
        most = max(sizes[column] - excess, _CUT_FIRST[column])
        body = [[*row[:column], _shortened(row[column], options, most), *row[column + 1 :]] for row in body]
    return body


def _without_package(row: Row) -> str:
    return row.name.rpartition(".")[2] if row.kind == "sdk" else row.name


def _grouped(rows: Sequence[Row], options: RenderOptions) -> list[Row]:
    return sorted(rows, key=lambda row: (peer_order(row.peer, options), row.peer.host, row_order(row)))


def peer_order(peer: Peer, options: RenderOptions) -> tuple[object, ...]:
    """Order by provider's name; hosts that nobody knows come after those, and what is not known at all last."""
    name = provider_name(peer.provider, options) if peer.provider else ""
    return not peer.provider, not peer.host, name.casefold(), _ROUTES.index(peer.route)


def whom(peer: Peer, options: RenderOptions) -> tuple[str, str, str]:
    """Name the provider, the route and the host of a peer, in words; the host is empty when it is not known."""
    say = texts(options.lang).say
    if peer.provider:
        name = provider_name(peer.provider, options)
    else:
        name = say(f"connections.nobody.{peer.route if peer.host else 'nowhere'}")
    return name, say(f"route.{peer.route}"), peer.host


def _heading(peer: Peer, who: tuple[str, str, str]) -> Line:
    name, route, host = map(visible, who)
    line: Line = [(name, "title"), ("  ", ""), (route, _ROUTE_STYLES.get(peer.route, ""))]
    if host:
        return [*line, ("  ", ""), (host, "")]
    return line if peer.provider else line[:1]


def row_cells(row: Row, options: RenderOptions) -> list[str]:
    """Give the texts of a row of the table of connections, in the order of `ROW_HEADS`; they may hold anything."""
    return [
        _place(row.path, row.cell, row.line, options),
        _client(row, options),
        _key(row.key, options),
        _few(row.models, options),
        _joined(row.waits, lambda wait: _wait(wait, options), options),
        _joined(row.attempts, lambda count: _attempts(count, options), options),
        ", ".join(row.problems),
    ]


def _place(path: str, cell: int | None, line: int, options: RenderOptions) -> str:
    inner = "" if cell is None else f"{texts(options.lang).say('cell', cell=cell)}:"
    return f"{path}:{inner}{line}"


def _client(row: Row, options: RenderOptions) -> str:
    say = texts(options.lang).say
    if row.kind == "elsewhere":
        return say("connections.elsewhere", name=row.name)
    others = [peer.host for peer in row.peers[1:] if peer.host]
    if row.base_names:
        return say("connections.base", client=row.name, names=", ".join(row.base_names))
    return say("connections.or", client=row.name, hosts=", ".join(others)) if others else row.name


def _key(key: KeySource, options: RenderOptions) -> str:
    say = texts(options.lang).say
    if key.kind == "variable" and key.implied:
        # The others of those that the client looks for are rarely set.
        rest = f" +{len(key.names) - 1}" if len(key.names) > 1 and not options.verbose else ""
        return _few(key.names if options.verbose else key.names[:1], options, say("connections.key.or")) + rest
    if key.kind == "variable":
        return _few(key.names, options, say("connections.key.or"))
    if key.kind == "store" and key.names:
        return say("connections.key.store.named", names=_few(key.names, options))
    return say(f"connections.key.{key.kind}")


def _few(items: Sequence[str], options: RenderOptions, between: str = ", ") -> str:
    """The first of a list and how many more there are; all of it with `verbose`."""
    most = len(items) if options.verbose else _FEW
    rest = f" +{len(items) - most}" if len(items) > most else ""
    return between.join(item if options.verbose else _shortened(item, options) for item in items[:most]) + rest


def _shortened(text: str, options: RenderOptions, most: int = _LONGEST) -> str:
    mark = ELLIPSIS if options.unicode else CUT
    return text if len(text) <= most else text[: most - len(mark)] + mark


def _joined(items: Sequence[Any], show: Callable[[Any], str], options: RenderOptions) -> str:
    return _few(tuple(dict.fromkeys(map(show, items))), options)


def _wait(wait: Wait, options: RenderOptions) -> str:
    say = texts(options.lang).say
    if wait.state != "limited" or wait.seconds is None:
        return say(f"connections.wait.{wait.state}")
    if 0 < wait.seconds < 1:
        return f"{wait.seconds * 1000:g} ms"
    return f"{wait.seconds:g} s"


def _attempts(count: int | None, options: RenderOptions) -> str:
    return texts(options.lang).say("connections.wait.unknown") if count is None else str(count)


def _row_record(row: Row, options: RenderOptions) -> list[object]:
    peer = row.peer
    wait = row.waits[0] if row.waits else None
    return [
        row.path,
        row.line,
        row.column,
        row.cell,
        row.kind,
        row.name,
        row.library,
        provider_name(peer.provider, options) if peer.provider else None,
        peer.route,
        " ".join(item.host for item in row.peers if item.host),
        peer.origin,
        " ".join(row.base_names),
        row.key.kind,
        " ".join(row.key.names),
        " ".join(row.models),
        wait.seconds if wait is not None else None,
        " ".join(dict.fromkeys(item.state for item in row.waits)),
        " ".join("unknown" if count is None else str(count) for count in row.attempts),
        " ".join(_call(item) for item in row.calls),
        "true" if row.is_async else "false",
        " ".join(row.problems),
    ]


def _call(place: tuple[int | None, int]) -> str:
    cell, line = place
    return str(line) if cell is None else f"{cell}:{line}"


def row_object(row: Row, options: RenderOptions) -> dict[str, Any]:
    """Give one connection as plain data; docs/connections.md says what its fields mean."""
    return {
        "path": encodable(row.path),
        "line": row.line,
        "column": row.column,
        "cell": row.cell,
        "kind": row.kind,
        "client": encodable(row.name),
        "library": row.library,
        "provider": row.peer.provider,
        "provider_name": provider_name(row.peer.provider, options) if row.peer.provider else None,
        "route": row.peer.route,
        "hosts": [
            {"host": encodable(peer.host), "provider": peer.provider, "route": peer.route, "known_from": peer.origin}
            for peer in row.peers
            if peer.host
        ],
        "base_url_variables": list(map(encodable, row.base_names)),
        "key": {"source": row.key.kind, "names": list(map(encodable, row.key.names)), "implied": row.key.implied},
        "models": list(map(encodable, row.models)),
        "timeouts": [{"state": wait.state, "seconds": wait.seconds, "set_by": wait.origin} for wait in row.waits],
        "attempts": list(row.attempts),
        "calls": [{"cell": cell, "line": line} for cell, line in row.calls],
        "async": row.is_async,
        "problems": list(row.problems),
    }


# -- hosts -----------------------------------------------------------------------------------------------------------

_HOST_COLUMNS = ("host", "provider", "route", "connections", "files", "variables", "literal_key", "problems")


def host_cells(item: HostSummary, options: RenderOptions) -> list[str]:
    """Give the texts of a row of the table of hosts, in the order of `HOST_HEADS`; they may hold anything."""
    name, route, host = whom(item.peer, options)
    sent = [_few(item.variables, options)] if item.variables else []
    sent += [texts(options.lang).say("connections.key.literal")] if item.literal else []
    problems = ", ".join(item.problems)
    name = name if options.verbose else _shortened(name, options)
    return [host or "?", name, route, str(item.connections), str(item.files), ", ".join(sent), problems]


def _host_record(item: HostSummary, options: RenderOptions) -> list[object]:
    peer = item.peer
    name = provider_name(peer.provider, options) if peer.provider else None
    return [
        peer.host or None,
        name,
        peer.route,
        item.connections,
        item.files,
        " ".join(item.variables),
        "true" if item.literal else "false",
        " ".join(item.problems),
    ]


def _host_object(item: HostSummary, options: RenderOptions) -> dict[str, Any]:
    peer = item.peer
    return {
        "host": encodable(peer.host) or None,
        "provider": peer.provider,
        "provider_name": provider_name(peer.provider, options) if peer.provider else None,
        "route": peer.route,
        "connections": item.connections,
        "files": item.files,
        "variables": list(map(encodable, item.variables)),
        "literal_key": item.literal,
        "problems": list(item.problems),
    }


# -- a variable ------------------------------------------------------------------------------------------------------

_USAGE_COLUMNS = ("path", "line", "column", "cell", "action", "where", "by", "implied")


def _usage_cells(usage: Usage, options: RenderOptions) -> list[str]:
    say = texts(options.lang).say
    by = say("connections.implied", name=usage.by) if usage.implied else usage.by
    place = _place(usage.path, usage.cell, usage.line, options)
    return [say(f"connections.action.{usage.action}"), place, say(f"connections.where.{usage.where}"), by]


def _usage_object(usage: Usage) -> dict[str, Any]:
    return {
        "path": encodable(usage.path),
        "line": usage.line,
        "column": usage.column,
        "cell": usage.cell,
        "action": usage.action,
        "where": usage.where,
        "by": encodable(usage.by) or None,
        "implied": usage.implied,
    }


def _owners(name: str, options: RenderOptions) -> list[str]:
    if options.catalogue is None:
        return []
    return [provider.id for provider in options.catalogue.providers_of_env(name)]


# -- what all share --------------------------------------------------------------------------------------------------


def _summary(inventory: Inventory, options: RenderOptions, *, ask_hosts: bool = True) -> list[Line]:
    """The last lines: how many, how many of them to whom nobody knows, and where to look next."""
    say = texts(options.lang).say
    rows = inventory.rows
    if not rows:
        return [[(say("connections.none"), "")], *_unread(inventory, options)]
    named = {peer.host for row in rows for peer in row.peers if peer.host}
    parts = [
        say("connections.sum.rows", count=len(rows)),
        say("connections.count.files", count=len({row.path for row in rows})),
        say("connections.sum.hosts", count=len(named)),
    ]
    lines: list[Line] = [[], [(say("connections.sum", rows=parts[0], files=parts[1], hosts=parts[2]), "")]]
    unknown = sum(not any(peer.host or peer.provider for peer in row.peers) for row in rows)
    if unknown:
        lines.append([(say("connections.sum.unknown", count=unknown), "dim")])
    problems = {rule for row in rows for rule in row.problems}
    if problems:
        affected = sum(bool(row.problems) for row in rows)
        lines.append([(say("connections.sum.problems", count=affected, rule=min(problems)), "dim")])
    lines += _unread(inventory, options)
    if ask_hosts and not options.quiet:
        lines.append([(say("connections.next"), "dim")])
    return lines


def _unread(inventory: Inventory, options: RenderOptions) -> list[Line]:
    if not inventory.unread:
        return []
    say = texts(options.lang).say
    shown = inventory.unread if options.verbose else inventory.unread[:3]
    rest = f" +{len(inventory.unread) - len(shown)}" if len(inventory.unread) > len(shown) else ""
    names = ", ".join(map(visible, shown)) + rest
    return [[(say("connections.unread", count=len(inventory.unread), names=names), "warning")]]


def _known(format: str) -> None:  # noqa: A002  # the option's own name
    if format not in CONNECTION_FORMATS:
        msg = f"unknown output format {format!r} for connections: use one of {', '.join(CONNECTION_FORMATS)}"
        raise UsageError(msg)
