"""KG210: two variables for one thing are set, and one of them silently wins."""

from __future__ import annotations

from keyguard.checks.env_file import settings
from keyguard.checks.spots import Spot
from keyguard.model import Hit
from keyguard.python import values as v
from keyguard.secrets.placeholders import is_placeholder
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.catalogue import Catalogue
    from keyguard.checks.facts import TextFacts
    from keyguard.knowledge import Precedence
    from keyguard.python.network import Network


def check_text(facts: TextFacts) -> Iterator[Hit]:
    """Yield one hit for each variable of an env file that another one in it makes void."""
    if not facts.is_env or facts.is_encrypted:
        return
    found = {item.name: item for item in settings(facts.source.text)}  # the last of equal names counts
    for pair in facts.catalogue.env_access.precedences:
        wins, over = found.get(pair.wins), found.get(pair.over)
        if wins is None or over is None or not _differ(wins.value, over.value, facts.catalogue):
            continue
        if pair.wins not in over.value and pair.over not in wins.value:  # `${NAME}`: one is the other
            yield Hit("KG210", over.span, _values(pair), statement=_statement(pair), related=((wins.span, "wins"),))


def check(network: Network) -> Iterator[Spot]:
    """Yield one spot for each variable that a module sets in vain."""
    for pair in network.catalogue.env_access.precedences:
        wins, over = network.env_writes.get(pair.wins, ()), network.env_writes.get(pair.over, ())
        if len(wins) != 1 or len(over) != 1 or wins[0].place.scope is not over[0].place.scope:
            continue
        one, other = wins[0], over[0]
        if not _may_meet(one.place.block, other.place.block) or _is_same(one.value, other.value, network.catalogue):
            continue
        yield Spot("KG210", other.node, _values(pair), None, _statement(pair), ((one.node, "wins"),))


def _may_meet(one: object, other: object) -> bool:
    """Tell whether both are set in one run: in the same block, whatever decides on it."""
    return one is other


def _is_same(one: v.Value, other: v.Value, catalogue: Catalogue) -> bool:
    """Tell whether two values are, or may be, the same: only two texts or two reads are known to differ."""
    if isinstance(one, v.Text) and isinstance(other, v.Text):
        return not _differ(one.text, other.text, catalogue)
    if isinstance(one, v.EnvRead) and isinstance(other, v.EnvRead):
        return one.names == other.names
    return True


def _differ(one: str, other: str, catalogue: Catalogue) -> bool:
    return bool(one and other and one != other) and not (
        is_placeholder(one, catalogue) or is_placeholder(other, catalogue)
    )


def _values(pair: Precedence) -> dict[str, str]:
    return {"env": pair.wins, "name": pair.over, "where": pair.reader}


def _statement(pair: Precedence) -> str:
    return f"{pair.wins}>{pair.over}"
