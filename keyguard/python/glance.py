"""A quick look with Python's own parser: can a key be in this code, or be shown by it, at all?

LibCST takes 160 ms to import and parses 18,000 lines a second; `ast` is in memory and does 120,000. Most code that
talks to models prints something, reads a key, and never shows it; most code that has `"key_128"` in it makes no key of
that: one look spares it the rest. What is said here is an upper bound: names count the same in every scope, and
whatever is made from a tainted value is tainted.
"""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache

from keyguard.patterns import regex
from keyguard.prefilter import BUILT, ENVIRONMENT, GIVEN, HELD, SHOWN
from keyguard.python.syntax import nodes_of
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Collection, Mapping

    from keyguard.catalogue import Catalogue
    from keyguard.python.dialing import Brings, Dialed
    from keyguard.python.flow import Flow, Told

# What a key without a prefix is made of, of a fifth less than its shortest length; and what names are made of.
_RUN = regex(r"[A-Za-z0-9_.-]{16,}|[A-Za-z0-9+/]{16,}")
_WHOLE_RUN = regex(r"[A-Za-z0-9_.-]{20,}|[A-Za-z0-9+/]{20,}")
_SPLIT = regex(r"[^A-Za-z]+")
_NAME_PARTS = regex(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_RANDOM = 20  # letters without a digit among them: one in a hundred keys of 20, hardly any longer one
_PART_OF_NAME = 4.5  # letters that the parts of a name have on average; of one in a hundred random texts, too
_COMMENT = regex(r"#[^\r\n]*")
_READS = frozenset({"get", "getenv", "pop", "setdefault"})  # what reads a value by its name


def shown_on(text: str, catalogue: Catalogue) -> Collection[int] | None:
    """The lines over which a module may show a value that holds a key, or put one into a URL; None for all."""
    from keyguard.python.flow import Flow  # noqa: PLC0415  # 4 ms
    from keyguard.python.showing import Shown  # noqa: PLC0415  # as above

    _, read, wrappers = _names(catalogue)
    return _way(text, Flow(Shown(text, catalogue), read | wrappers | _READS))


def environment_shown_on(text: str, catalogue: Catalogue) -> Collection[int] | None:
    """The lines over which a module may show the whole environment; None for all."""
    from keyguard.python.flow import Environment, Flow  # noqa: PLC0415  # as above

    shown, read, wrappers = _names(catalogue)
    return _way(text, Flow(Environment(shown), read | wrappers | _READS))


def given_on(text: str, catalogue: Catalogue) -> Collection[int] | None:
    """The lines over which a literal that may be a key arrives where it is known to be one; None for all."""
    from keyguard.python.flow import Flow  # noqa: PLC0415  # as above
    from keyguard.python.literals import Literals, gives_to_clients  # noqa: PLC0415  # as above

    told = _told_apart(text)
    if told is None:
        return None
    _, read, wrappers = _names(catalogue)
    lines: frozenset[int] = frozenset()
    for of_clients in (False, True) if gives_to_clients(told, catalogue) else (False,):
        way = _way(text, Flow(Literals(catalogue, of_clients=of_clients), read | wrappers | _READS))
        if way is None:
            return None
        lines |= way
    return lines


def dialed(text: str, catalogue: Catalogue, brings: Brings) -> Dialed:
    """Where a module may hold anything the rules about connections speak of.

    `brings` tells of a name of another module of the project whether it may be an object that connects.
    """
    from keyguard.python import dialing  # noqa: PLC0415  # as above
    from keyguard.python.flow import Flow  # noqa: PLC0415  # as above

    told = _told_apart(text)
    lines = None if told is None else dialing.dialed_on(told, catalogue, brings)
    if told is None or lines is None:
        return dialing.Dialed(None)
    behind = dialing.Behind(told, catalogue)
    if not behind.is_asked:
        return dialing.Dialed(lines)
    _, read, wrappers = _names(catalogue)
    way = _way(text, Flow(behind, read | wrappers | _READS))
    return dialing.Dialed(None) if way is None else dialing.Dialed(lines, way)


def built_on(text: str, catalogue: Catalogue) -> Collection[int] | None:
    """The lines over which a module may put a key together from pieces, of which one is its prefix; None for all.

    Pieces that lie side by side are one literal here, which is asked for a whole key.
    """
    from keyguard.python.flow import Flow, Pieces  # noqa: PLC0415  # as above

    _, read, wrappers = _names(catalogue)
    return _way(text, Flow(Pieces(text, catalogue), read | wrappers | _READS))


def may_hold(text: str, _: Catalogue) -> bool:
    """Tell whether a module may hold a key that only a name or words tell; True if it cannot be told."""
    from keyguard.python.flow import literal  # noqa: PLC0415  # as in may_show_environment

    tree = _parsed(text)
    if tree is None or any(_looks_like_value(comment, _WHOLE_RUN) for comment in _COMMENT.findall(text)):
        return True
    constants = (node for node in nodes_of(tree) if isinstance(node, ast.Constant))
    return any(_looks_like_value(found, _RUN) for node in constants if (found := literal(node)))


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in the code that is read is not the user's to see now
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@lru_cache(maxsize=1)  # one file is looked at several times
def _told_apart(text: str) -> Told | None:
    from keyguard.python.flow import told_apart  # noqa: PLC0415  # as in shown_on

    tree = _parsed(text)
    return None if tree is None else told_apart(tree)


def _way(text: str, flow: Flow) -> frozenset[int] | None:
    told = _told_apart(text)
    if told is None:
        return None
    try:
        flow.take(told)
        return flow.way()
    except RecursionError:
        return None


def _looks_like_value(text: str, run: re.Pattern[str]) -> bool:
    """Tell whether a text holds what a key without a prefix may look like, and not just names."""
    return any(
        any(map(str.isdigit, found)) or any(map(_is_no_name, _SPLIT.split(found))) for found in run.findall(text)
    )


def _is_no_name(letters: str) -> bool:
    if len(letters) < _RANDOM or len(letters) >= _PART_OF_NAME * len(_NAME_PARTS.findall(letters)):
        return False
    from keyguard.secrets.placeholders import looks_random  # noqa: PLC0415  # in memory where keys were searched for

    return looks_random(letters)


@lru_cache(maxsize=4)
def _names(catalogue: Catalogue) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The last parts of the names that show a value, that read one from somewhere, and that wrap one."""
    shown: set[str] = set()
    for sink in catalogue.sinks.sinks:
        if not sink.returned:  # its methods are the decorators of functions that return a response
            shown.update(name.rpartition(".")[2] for name in (*sink.calls, *sink.methods))
    read: set[str] = set()
    for reader in catalogue.env_access.readers:
        read.update(name.rpartition(".")[2] for name in (*reader.calls, *reader.subscripts))
        read.update(name for name in reader.methods if name not in {"", "[]", "get"})
    wrappers = {name.rpartition(".")[2] for name in (*catalogue.sinks.wrappers, *catalogue.env_access.unwrap_methods)}
    return frozenset(shown), frozenset(read), frozenset(wrappers)


# The lines over which what is asked for came about, which stand for the functions they are in; none, or None for all.
LOOKS: Mapping[str, Callable[[str, Catalogue], Collection[int] | None]] = {
    HELD: lambda text, catalogue: None if may_hold(text, catalogue) else (),
    GIVEN: given_on,
    BUILT: built_on,
    SHOWN: shown_on,
    ENVIRONMENT: environment_shown_on,
}
