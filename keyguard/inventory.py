"""What `keyguard connections` lists: rows that travel between processes, and what several of them come to."""

from __future__ import annotations

from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ACTIONS = ("set", "read", "named")
"""What a place does with a variable, in the order a report lists them: where a new value goes comes first."""


class Survey(NamedTuple):
    """What to list besides findings: every connection and, with `variable`, every place that has to do with it."""

    variable: str | None = None


class Peer(NamedTuple):
    """Whom a connection may talk to.

    `host` is empty when it is not known, `provider` an id or None. `route` is official, cloud, gateway, relay, local,
    own or unknown. `origin` says how the host is known, as `network.Host` does.
    """

    host: str = ""
    provider: str | None = None
    route: str = "unknown"
    origin: str = "unknown"


NOBODY = Peer()


class KeySource(NamedTuple):
    """Where a key comes from, never the key.

    `kind` is literal, placeholder, variable, store, none or unknown; `names` are the variables or a store's entries.
    `implied` says that the client reads them by itself, `optional` that something else steps in when none is set.
    """

    kind: str = "unknown"
    names: tuple[str, ...] = ()
    implied: bool = False
    optional: bool = False


class Wait(NamedTuple):
    """How long a call waits at most: `state` is limited, none (nothing ends it) or unknown; `origin` as `Limit`'s."""

    state: str = "unknown"
    seconds: float | None = None
    origin: str = "unknown"


class Row(NamedTuple):
    """One connection.

    `kind` is sdk, http (a request of an HTTP library) or elsewhere (calls through a client that comes from another
    place). `name` is what is called, `library` the id of the SDK or HTTP library. `base_names` are variables that the
    base URL may come from. `waits` and `attempts` are what holds for its calls, each once; an attempt count that
    nobody knows is None. `calls` are cell and line of the calls. Places count as in a finding.
    """

    path: str
    line: int
    column: int
    cell: int | None
    kind: str
    name: str
    library: str
    peers: tuple[Peer, ...] = ()
    base_names: tuple[str, ...] = ()
    key: KeySource = KeySource()
    models: tuple[str, ...] = ()
    waits: tuple[Wait, ...] = ()
    attempts: tuple[int | None, ...] = ()
    calls: tuple[tuple[int | None, int], ...] = ()
    is_async: bool = False
    problems: tuple[str, ...] = ()

    @property
    def sent(self) -> tuple[str, ...]:
        """The variables whose keys it sends; of those that a client looks for by itself the one it means first."""
        if self.key.kind != "variable":
            return ()
        return self.key.names[:1] if self.key.implied else self.key.names

    @property
    def peer(self) -> Peer:
        """The one it talks to as far as is known: the first it may talk to."""
        return self.peers[0] if self.peers else NOBODY


class Usage(NamedTuple):
    """A place that has to do with a variable: `action` is one of `ACTIONS`.

    `where` is code, notebook, env, shell, dockerfile, compose, ci, config, docs or other; `by` is what reads or sets
    it, as far as that has a name, and `implied` says that it does so by itself.
    """

    path: str
    line: int
    column: int
    cell: int | None
    action: str
    where: str
    by: str = ""
    implied: bool = False


class HostSummary(NamedTuple):
    """What goes to one host: how many connections in how many files, and the variables whose keys are sent there."""

    peer: Peer
    connections: int
    files: int
    variables: tuple[str, ...]
    literal: bool
    problems: tuple[str, ...]


class Inventory(NamedTuple):
    """What was found in a run: rows and usages by path and place; `unread` are files whose Python was not read."""

    rows: tuple[Row, ...] = ()
    usages: tuple[Usage, ...] = ()
    unread: tuple[str, ...] = ()


def row_order(row: Row) -> tuple[object, ...]:
    """Order rows by place."""
    return row.path, row.cell or 0, row.line, row.column, row.name


def usage_order(usage: Usage) -> tuple[object, ...]:
    """Order usages by what they do, then by place; what only people read comes after what runs."""
    return (
        ACTIONS.index(usage.action),
        usage.where in {"docs", "other"},
        usage.path,
        usage.cell or 0,
        usage.line,
        usage.column,
        usage.by,
    )


def hosts(rows: Iterable[Row], order: Callable[[Peer], object]) -> list[HostSummary]:
    """Sum up by host; a connection that may talk to several counts at each, one to nobody known at the unknown host."""
    found: dict[Peer, list[Row]] = {}
    for row in rows:
        for peer in dict.fromkeys(peer._replace(origin="") for peer in row.peers or (NOBODY,)):
            found.setdefault(peer, []).append(row)
    return [
        HostSummary(
            peer,
            len(held),
            len({row.path for row in held}),
            tuple(sorted({name for row in held for name in row.sent})),
            any(row.key.kind == "literal" for row in held),
            tuple(sorted({rule for row in held for rule in row.problems})),
        )
        for peer, held in sorted(found.items(), key=lambda item: (order(item[0]), item[0].host))
    ]
