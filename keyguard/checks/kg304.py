"""KG304: a time limit in the wrong unit: seconds where milliseconds are counted, or the other way round."""

from __future__ import annotations

from keyguard.checks.kg303 import limits
from keyguard.checks.patches import Replace
from keyguard.checks.remedies import grouped, is_literal, repaired
from keyguard.checks.spots import Spot
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keyguard.checks.patches import Patch
    from keyguard.python.arguments import Given
    from keyguard.python.network import Limit, Network

_LEAST_MILLISECONDS = 1_000  # below, no model has answered yet: it was meant as seconds
_MOST_SECONDS = 10_000  # from here on milliseconds were meant, unless somebody counted hours
_HOUR = 3_600


def check(network: Network) -> Iterator[Spot]:
    """Yield one hit for each limit that only makes sense in the other unit."""
    seen: set[int] = set()
    for limit, _, name, _ in limits(network):
        given, number = limit.given, limit.number
        if given is None or number is None or not limit.is_known or id(given.node) in seen:
            continue
        found = _judged(limit, given, number)
        if found is not None:
            seen.add(id(given.node))
            case, values = found
            words = {**values, "call": f"{name}()"}
            patch = _patch(given, number, values, is_short=case is None)
            yield Spot("KG304", given.node, words, case, statement=f"{name} {number:g}", patch=patch)


def _judged(limit: Limit, given: Given, number: float) -> tuple[str | None, dict[str, str]] | None:
    """The case and its words; None for a limit that is plausible as it stands."""
    name = f"{given.name}=" if given.name else ""
    if limit.unit == "ms" and 0 < number < _LEAST_MILLISECONDS:
        values = {"written": f"{name}{number:g}", "number": f"{number:g}", "remedy": f"{name}{grouped(number * 1_000)}"}
        return None, values
    if limit.unit == "s" and _MOST_SECONDS <= number < float("inf") and number % _HOUR:
        values = {
            "written": f"{name}{number:g}" if number % 1 else f"{name}{int(number)}",
            "number": f"{number:,.0f}",
            "hours": f"{number / _HOUR:.1f}",
            "remedy": f"{name}{number / 1_000:g}",
        }
        return "milliseconds", values
    return None


def _patch(given: Given, number: float, values: Mapping[str, str], *, is_short: bool) -> Patch:
    """The same time in the other unit, where the number stands as such."""
    other = number * 1_000 if is_short else number / 1_000
    # What makes no sense in the other unit either was meant in some way that nobody knows.
    makes_sense = other >= _LEAST_MILLISECONDS if is_short else other < _MOST_SECONDS
    changes = (Replace(given.node, grouped(other)),) if makes_sense and is_literal(given.node) else ()
    return repaired("rename", changes, values["remedy"], values["written"])
