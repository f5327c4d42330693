"""The exception classes of SDKs and HTTP libraries as one table: what a class means, and who raises it."""

from __future__ import annotations

import functools

from msgspec import Struct

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import Errors

# The most telling first: a class that stands for several things is what it tells first.
KINDS = ("rate_limit", "auth", "timeout", "connection", "server", "base", "other")
BROAD = frozenset({"Exception", "BaseException", "builtins.Exception", "builtins.BaseException"})


class ErrorTables(Struct, frozen=True):
    """Kinds by dotted name, by package and last name, and by last name where they agree; who raises a class."""

    kinds: Mapping[str, str]
    within: Mapping[tuple[str, str], str]
    last: Mapping[str, str]
    owners: Mapping[str, frozenset[str]]

    def kind(self, name: str, spelled: str = "") -> str:
        """What a class means: one of KINDS, `all`, or empty when nobody knows; `spelled` is how code writes it."""
        if name in BROAD:
            return "all"
        found = self.kinds.get(name)
        if found is not None:
            return found
        last = (name or spelled).rpartition(".")[2]
        kind = self.within.get((name.partition(".")[0], last), "")
        if kind:
            return kind  # the same class by an older path
        kind = self.last.get(last, "")
        # Of a class that is only called like one, its name must say it all.
        return kind if kind in {"rate_limit", "auth"} or (not name and kind) else ""


@functools.lru_cache(maxsize=4)  # one table a catalogue, and a run has one catalogue
def errors_of(catalogue: Catalogue) -> ErrorTables:
    """Build the look-up tables of a catalogue once."""
    kinds: dict[str, str] = {}
    owners: dict[str, set[str]] = {}
    last: dict[str, set[str]] = {}
    libraries: Iterator[tuple[str, Errors]] = iter(
        (
            *((sdk.id, sdk.errors) for sdk in catalogue.sdks.values()),
            *((http.id, http.errors) for http in catalogue.http.clients),
        )
    )
    for owner, errors in libraries:
        for kind in KINDS:
            for name in getattr(errors, kind):
                owners.setdefault(name, set()).add(owner)
                if name not in kinds or KINDS.index(kinds[name]) > KINDS.index(kind):
                    kinds[name] = kind
    for name, kind in kinds.items():
        last.setdefault(name.rpartition(".")[2], set()).add(kind)
    return ErrorTables(
        kinds,
        {(name.partition(".")[0], name.rpartition(".")[2]): kind for name, kind in kinds.items()},
        {name: next(iter(found)) for name, found in last.items() if len(found) == 1},
        {name: frozenset(found) for name, found in owners.items()},
    )
