"""The facts about repetition: what sends a model call again, what it catches, and how long it waits in between."""

from __future__ import annotations

from msgspec import Struct

from keyguard.python.index import spell
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

    from keyguard.python.index import Block, Node, Place
    from keyguard.python.network import ModelCall, Network
    from keyguard.python.retrytools import Told


class Caught(NamedTuple):
    """One class that an except clause names: its expression, its dotted name (empty: not known), what it means.

    `kind` is one of `errors.KINDS`, `all`, or empty; `is_bound` tells whether anything in the module binds the name.
    """

    node: Any
    name: str
    kind: str
    is_bound: bool


class Handler(Struct, frozen=True, eq=False):
    """An except clause around a model call.

    `spares` are the kinds of errors that earlier clauses took out of its way. `leaves` tells that it has ways out of
    the loop of its own, `repeats` that it leads to another try, `is_endless` that it always does. `answer` is `pass`,
    `constant` (a constant is given back or put into a variable) or empty; `given` is the statement that does. `looks`
    tells that what it does depends on the error, `misses_statuses` that a refusal raises nothing here and is answered
    inside the `try`, so that only connections and timeouts come this way.
    """

    node: Node
    place: Place
    caught: tuple[Caught, ...] = ()
    catches_all: bool = False
    spares: tuple[str, ...] = ()
    leaves: bool = False
    repeats: bool = False
    is_endless: bool = False
    delay: str = "unknown"
    seconds: float | None = None
    sleep: Node = None
    looks: bool = False
    looks_at_quota: bool = False
    honours_wait: bool = False
    misses_statuses: bool = False
    answer: str = ""
    given: Node = None

    @property
    def type(self) -> Node:
        """The expression that names what it catches; None for a bare except."""
        return self.node.type

    @property
    def kinds(self) -> frozenset[str]:
        """What it catches, by kind; `all` for everything."""
        return frozenset(item.kind for item in self.caught if item.kind) | ({"all"} if self.catches_all else set())

    @property
    def spelled(self) -> str:
        """What it catches, as code writes it."""
        return ", ".join(filter(None, (spell(item.node) for item in self.caught)))


class Rescue(Struct, frozen=True, eq=False):
    """A `try` around model calls, with the clauses that answer their errors."""

    node: Node
    place: Place
    handlers: tuple[Handler, ...]
    calls: tuple[ModelCall, ...]
    handed: tuple[Node, ...] = ()


class RetryLoop(Struct, frozen=True, eq=False):
    """Something that sends a model call again.

    `kind` is loop, recursion, decorator, context (`for attempt in …`), helper (a tool, or a function somewhere else,
    that is given the call), adapter, transport or setting. `node` is the loop, the function that calls itself, the
    decorator, or the call of the tool; `tool` its id, or the dotted name of what looks like one, empty for code of the
    module. `attempts` counts the first one (None: not known, or not bounded by a number); `is_endless` says that
    nothing ends it. `delay` is none, fixed, growing or unknown, `seconds` the pause where it is fixed and known, and
    `sleep` the expression that says so, if there is one.

    `catches` are dotted names of what it repeats (an empty text: not known), `catches_all` that it is every error;
    `handlers` are the except clauses of a loop or recursion that lead to another try. `looks` tells that status or
    error are looked at, `looks_at_quota` that a quota used up is told apart, `honours_wait` that the server's own wish
    is read. `reraises` tells that some way out of the error path exists. `is_polling` marks a loop that waits for a
    job. `calls` are the model calls it repeats, `handed` methods of clients that it is given. `until` is where the
    header of a loop ends.
    """

    node: Node
    kind: str
    place: Place
    tool: str = ""
    attempts: int | None = None
    is_endless: bool = False
    delay: str = "unknown"
    seconds: float | None = None
    sleep: Node = None
    catches: tuple[str, ...] = ()
    catches_all: bool = False
    handlers: tuple[Handler, ...] = ()
    looks: bool = False
    looks_at_quota: bool = False
    honours_wait: bool = False
    reraises: bool = False
    is_polling: bool = False
    calls: tuple[ModelCall, ...] = ()
    handed: tuple[Node, ...] = ()
    until: Node = None
    told: Told | None = None
    block: Block | None = None


class Point(Struct, frozen=True, eq=False):
    """A place that leads to model calls when it is run: the call itself, a caller, or a helper that is given one."""

    node: Node
    place: Place
    calls: tuple[ModelCall, ...]
    handed: tuple[Node, ...] = ()


def guards_of(network: Network, call: ModelCall) -> tuple[RetryLoop, ...]:
    """Everything that repeats a model call, inside out: around it, above it, and in what it is sent through."""
    return network.repetition.guards(call)
