"""What the page of an audit shows of it: which leaks and places, under which names, and what can be filtered by."""

from __future__ import annotations

import hashlib
import re

from keyguard.inventory import hosts, row_order
from keyguard.lang import texts
from keyguard.leaks import RANKS, VERDICTS
from keyguard.patterns import regex
from keyguard.report.common import MOST_SEVERE_FIRST, provider_name, rule_url, titled
from keyguard.report.connections import host_cells, peer_order, row_cells, whom
from keyguard.report.excerpt import fit
from keyguard.report.html import lifelines
from keyguard.report.options import EPOCH
from keyguard.report.safe import cells_of, visible
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from keyguard.inventory import Row
    from keyguard.leaks import Audit, Audited, Leak, Sighting
    from keyguard.model import Excerpt
    from keyguard.report.options import RenderOptions

# A place takes about 900 bytes of the page, a leak 3,000: with these the largest page is some 10 MB, which a browser
# shows in a second. What is left out is said, and stands in the JSON report.
MOST_LEAKS = 2_000
MOST_PLACES = 5_000
MOST_PLACES_OF_ONE = 50
MOST_OTHERS = 1_000
MOST_ROWS = 1_000
_EXCERPT = 110  # characters of a source line
_NOBODY = "-"  # the value of what has no provider or was not asked
_LENGTH = regex(r"\(([0-9]+) characters\)$")  # what `mask` says in English
_ADDRESS = regex(r"https://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::[0-9]+)?(?:[/?#][A-Za-z0-9._~:/?#@!$&()*+,;=%-]*)?")


class Place(NamedTuple):
    """One place of a key, and every rule that found it there."""

    one: Sighting
    rules: tuple[str, ...]


class Card(NamedTuple):
    """One leak as it is shown: `places` are those on the page, `more` counts those that are not."""

    id: str
    leak: Leak
    provider: str
    masked: str
    places: tuple[Place, ...]
    more: int
    repositories: tuple[str, ...]
    rules: tuple[str, ...]
    line: lifelines.Line | None

    @property
    def total(self) -> int:
        """How many places it has, on the page or not."""
        return len(self.places) + self.more


class Group(NamedTuple):
    """The leaks of one rank."""

    rank: str
    cards: tuple[Card, ...]


class Chart(NamedTuple):
    """All lives: cards by their first day, what no commit held last; `most` keys stood at one time."""

    cards: tuple[Card, ...]
    ticks: tuple[lifelines.Tick, ...]
    most: int
    area: str


class RuleCount(NamedTuple):
    """How often one rule found something: leaks, their places, and findings about other things."""

    rule: str
    leaks: int
    places: int
    others: int


class Marked(NamedTuple):
    """A source line in three: what stands before the finding, the finding, and what follows it."""

    before: str
    marked: str
    after: str


class Connected(NamedTuple):
    """One connection in words; `first_of` is whom it talks to, if the row before it talks to somebody else."""

    repository: str
    provider: str
    first_of: tuple[str, str, str] | None
    cells: tuple[str, ...]


class Choice(NamedTuple):
    """One value that can be filtered by, and how it is called."""

    value: str
    label: str


class View(NamedTuple):
    """Everything the templates show besides the audit itself."""

    groups: tuple[Group, ...]
    chart: Chart | None
    rules: tuple[RuleCount, ...]
    hosts: tuple[tuple[str, ...], ...]
    rows: tuple[Connected, ...]
    others: tuple[Sighting, ...]
    choices: dict[str, tuple[Choice, ...]]
    counts: dict[str, int]
    leaks_of: dict[str, int]

    @property
    def cards(self) -> tuple[Card, ...]:
        """Every leak on the page."""
        return tuple(card for group in self.groups for card in group.cards)

    @property
    def left_out(self) -> int:
        """How many places are not on the page, so that its search cannot see them."""
        return self.counts["places"] - sum(len(card.places) for card in self.cards)


def show(audit: Audit, options: RenderOptions) -> View:
    """Choose and name what is shown; no text of it is escaped yet."""
    shown = audit.leaks[:MOST_LEAKS]
    over = lifelines.scale(shown, "" if options.scan_time == EPOCH else options.scan_time)
    places = [_places(leak) for leak in audit.leaks]
    most = _most_places([len(found) for found in places[:MOST_LEAKS]])
    cards = [
        _card(leak, name, _Part(found, most), over, options)
        for leak, name, found in zip(shown, _ids(shown), places, strict=False)
    ]
    groups = [Group(rank, tuple(card for card in cards if card.leak.rank == rank)) for rank in RANKS]
    others = audit.others[:MOST_OTHERS]
    rows = sorted(audit.rows, key=lambda pair: (*_row_order(pair[1], options), pair[0]))
    return View(
        groups=tuple(group for group in groups if group.cards),
        chart=None if over is None else _chart(cards, over),
        rules=_rules(audit),
        hosts=_hosts(audit.rows, options),
        rows=_connected(rows[:MOST_ROWS], options),
        others=others,
        choices=_choices(cards, others, rows[:MOST_ROWS], options),
        counts=_counts(audit, sum(map(len, places))),
        leaks_of=_leaks_of(audit),
    )


def facets(shown: View) -> list[dict[str, Any]]:
    """Give what the page's script filters and sorts by, one object for each leak, other finding and connection."""
    found: list[dict[str, Any]] = [
        {
            "id": card.id,
            "rank": card.leak.rank,
            "provider": visible(card.leak.provider or _NOBODY),
            "severity": card.leak.severity.label,
            "verdict": card.leak.verdict.state if card.leak.verdict else _NOBODY,
            "new": bool(card.leak.is_new),
            "repository": [visible(name) for name in card.repositories],
            "rule": [visible(rule) for rule in card.rules],
            "first": card.leak.first.date[:10] if card.line and card.leak.first else "",
            "last": card.leak.last.date[:10] if card.line and card.leak.last else "",
            "places": card.total,
            "name": visible(f"{card.provider} {card.masked}"),
        }
        for card in shown.cards
    ]
    found += [
        {
            "id": f"other-{number}",
            "provider": visible(one.finding.provider or _NOBODY),
            "severity": one.finding.severity.label,
            "repository": [visible(one.repository)],
            "rule": [visible(one.finding.rule)],
        }
        for number, one in enumerate(shown.others)
    ]
    found += [
        {"id": f"row-{number}", "provider": visible(row.provider), "repository": [visible(row.repository)]}
        for number, row in enumerate(shown.rows)
    ]
    return found


def marked(excerpt: Excerpt) -> Marked:
    """Cut a source line to what can be shown, and into three."""
    text, column, count = fit(excerpt, _EXCERPT)
    start = _index(text, column)
    end = _index(text, column + count)
    return Marked(text[:start], text[start:end], text[end:])


def link(url: str | None) -> str | None:
    """Give an address if it is a plain https one, else None: it is then shown as text."""
    return url if url is not None and _ADDRESS.fullmatch(url) else None


def in_words(masked: str, options: RenderOptions) -> str:
    """Say a masked key in the report's language: `sk-… (51 characters)`."""
    count = _LENGTH.search(masked)
    if count is None:
        return masked
    return masked[: count.start()] + texts(options.lang).say("length", count=int(count[1]))


def rule_link(rule: str, options: RenderOptions) -> str | None:
    """Give the address of a rule's page."""
    return link(rule_url(rule, options))


def lacks(one: Audited, options: RenderOptions) -> tuple[str, ...]:
    """Say what of a repository was not read."""
    say = texts(options.lang).say
    said = []
    if one.error is not None:
        said.append(say("html.lack.error", reason=one.error))
    elif not one.is_complete:
        said.append(say("html.lack.stopped"))
    if one.is_shallow:
        said.append(say("html.lack.shallow"))
    if one.missing:
        said.append(say("html.lack.missing", count=one.missing))
    return tuple(said)


def bytes_in_words(size: int) -> str:
    """Say a size in decimal units: `412 MB`."""
    number = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:  # noqa: PLR2004  # of the next unit
            return f"{number:.3g} {unit}" if unit != "B" else f"{size} B"
        number /= 1000
    return f"{number:.3g} TB"


# -- leaks -----------------------------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """The places of a leak, and how many of them may be shown."""

    places: tuple[Place, ...]
    most: int


def _card(leak: Leak, name: str, part: _Part, over: lifelines.Scale | None, options: RenderOptions) -> Card:
    shown = part.places[: part.most]
    return Card(
        id=name,
        leak=leak,
        provider=_provider(leak.provider, options),
        masked=in_words(leak.masked, options),
        places=shown,
        more=len(part.places) - len(shown),
        repositories=tuple(dict.fromkeys(one.repository for one in leak.sightings)),
        rules=tuple(sorted({one.finding.rule for one in leak.sightings})),
        line=None if over is None else lifelines.line(leak, over),
    )


def _provider(provider: str | None, options: RenderOptions) -> str:
    return provider_name(provider, options) if provider else texts(options.lang).say("html.nobody")


def _places(leak: Leak) -> tuple[Place, ...]:
    """Put together what several rules said of one place; what stands there still is first: it has to be changed."""
    found: dict[tuple[object, ...], list[Sighting]] = {}
    for one in leak.sightings:
        at = one.finding
        found.setdefault((one.repository, at.path, one.blob, at.cell, at.part, at.line, at.column), []).append(one)
    places = [Place(held[0], tuple(dict.fromkeys(one.finding.rule for one in held))) for held in found.values()]
    return tuple(sorted(places, key=lambda place: not (place.one.at_head or place.one.on_disk)))


def _ids(leaks: Sequence[Leak]) -> list[str]:
    """Name leaks for links into the page; the same key has the same name in every audit."""
    names: dict[str, int] = {}
    found = []
    for leak in leaks:
        key = leak.key if re.fullmatch(r"[0-9a-f]{12,64}", leak.key) else _digest(leak.key)
        name = f"leak-{key[:12]}"
        names[name] = names.get(name, 0) + 1
        found.append(name if names[name] == 1 else f"{name}-{names[name]}")
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _most_places(sizes: Sequence[int]) -> int:
    """How many places each leak may show so that all together show at most `MOST_PLACES`; one at least."""
    most = MOST_PLACES_OF_ONE
    while most > 1 and sum(min(size, most) for size in sizes) > MOST_PLACES:
        most -= 1
    return most


def _index(text: str, column: int) -> int:
    """Which character stands in a cell of the terminal."""
    for index, character in enumerate(text):
        if column <= 0:
            return index
        column -= cells_of(character)
    return len(text)


def _chart(cards: Sequence[Card], over: lifelines.Scale) -> Chart:
    ordered = sorted(cards, key=lambda card: (card.line is None, card.line.start if card.line else 0, card.id))
    most, area = lifelines.standing([card.line for card in cards if card.line is not None])
    return Chart(tuple(ordered), lifelines.ticks(over), most, area)


# -- what is counted -------------------------------------------------------------------------------------------------


def _counts(audit: Audit, places: int) -> dict[str, int]:
    """Every number of the summary by its name; all leaks count, shown or not."""
    counts = {rank: sum(leak.rank == rank for leak in audit.leaks) for rank in RANKS}
    for name in ("files", "commits", "blobs", "size", "refs"):
        counts[name] = sum(getattr(one, name) for one in audit.repositories)
    counts["new"] = sum(leak.is_new is True for leak in audit.leaks)
    counts["places"] = places
    return counts


def _leaks_of(audit: Audit) -> dict[str, int]:
    """How many leaks each repository has a place of."""
    found = {one.name: 0 for one in audit.repositories}
    alone = audit.repositories[0].name if len(audit.repositories) == 1 else ""
    for leak in audit.leaks:
        for name in {one.repository or alone for one in leak.sightings}:
            found[name] = found.get(name, 0) + 1
    return found


def _rules(audit: Audit) -> tuple[RuleCount, ...]:
    leaks: dict[str, int] = {}
    places: dict[str, int] = {}
    others: dict[str, int] = {}
    for leak in audit.leaks:
        for one in leak.sightings:
            places[one.finding.rule] = places.get(one.finding.rule, 0) + 1
        for rule in {one.finding.rule for one in leak.sightings}:
            leaks[rule] = leaks.get(rule, 0) + 1
    for one in audit.others:
        others[one.finding.rule] = others.get(one.finding.rule, 0) + 1
    every = sorted({*places, *others})
    return tuple(RuleCount(rule, leaks.get(rule, 0), places.get(rule, 0), others.get(rule, 0)) for rule in every)


def _choices(
    cards: Sequence[Card], others: Sequence[Sighting], rows: Sequence[tuple[str, Row]], options: RenderOptions
) -> dict[str, tuple[Choice, ...]]:
    """What each filter offers: the values that occur, and no filter where there is nothing to choose."""
    say = texts(options.lang).say
    ranks = {card.leak.rank for card in cards}
    states = {card.leak.verdict.state if card.leak.verdict else _NOBODY for card in cards}
    severities = {card.leak.severity for card in cards} | {one.finding.severity for one in others}
    providers = {card.leak.provider for card in cards} | {row.peer.provider for _, row in rows}
    rules = {rule for card in cards for rule in card.rules} | {one.finding.rule for one in others}
    names = {name for card in cards for name in card.repositories}
    names |= {one.repository for one in others} | {name for name, _ in rows}
    found = {
        "rank": [Choice(rank, say(f"rank.{rank}")) for rank in RANKS if rank in ranks],
        "provider": _sorted_choices(
            Choice(provider or _NOBODY, _provider(provider, options)) for provider in providers
        ),
        "repository": _sorted_choices(Choice(name, name) for name in names),
        "rule": _sorted_choices(Choice(rule, titled(rule, options)) for rule in rules),
        "severity": [
            Choice(severity.label, say(f"severity.{severity.label}"))
            for severity in MOST_SEVERE_FIRST
            if severity in severities
        ],
        "verdict": [
            Choice(state, say("html.unasked") if state == _NOBODY else say(f"verdict.{state}"))
            for state in (*VERDICTS, _NOBODY)
            if state in states
        ],
    }
    return {name: tuple(values) for name, values in found.items() if len(values) > 1}


def _sorted_choices(found: Iterable[Choice]) -> list[Choice]:
    return sorted(found, key=lambda choice: (choice.value == _NOBODY, choice.label.casefold(), choice.value))


# -- connections -----------------------------------------------------------------------------------------------------


def _row_order(row: Row, options: RenderOptions) -> tuple[object, ...]:
    return peer_order(row.peer, options), row.peer.host, row_order(row)


def _hosts(rows: Sequence[tuple[str, Row]], options: RenderOptions) -> tuple[tuple[str, ...], ...]:
    # Equal paths of two repositories are two files.
    apart = [row._replace(path=f"{repository}\0{row.path}") for repository, row in rows]
    every = options._replace(verbose=True)
    found = hosts(apart, lambda peer: peer_order(peer, options))
    return tuple(tuple(host_cells(item, every)) for item in found)


def _connected(rows: Sequence[tuple[str, Row]], options: RenderOptions) -> tuple[Connected, ...]:
    every = options._replace(verbose=True)
    found = []
    last = None
    for repository, row in rows:
        who = whom(row.peer, options)
        found.append(
            Connected(
                repository, row.peer.provider or _NOBODY, None if who == last else who, tuple(row_cells(row, every))
            )
        )
        last = who
    return tuple(found)
