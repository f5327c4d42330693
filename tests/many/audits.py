"""Audits made at random, for properties: what a store gives back is what it was given."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from keyguard.audit.ranking import by_urgency
from keyguard.inventory import KeySource, Peer, Row, Wait
from keyguard.leaks import KINDS, RANKS, STEPS, VERDICTS, Audit, Audited, Leak, Moment, Sighting, Step, Verdict
from keyguard.many.store import Found
from keyguard.model import Confidence, Edit, Excerpt, Finding, Fix, Notice, Related, Safety, Severity, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXT = st.text(max_size=8)
# A file's name may be any bytes: those that are no UTF-8 are lone surrogates in Python.
PATHS = st.binary(min_size=1, max_size=8).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
NUMBERS = st.integers(0, 2**40)
LINES = st.integers(1, 10**6)
FLAGS = st.booleans()
DATES = st.datetimes().map(lambda date: date.strftime("%Y-%m-%dT%H:%M:%SZ"))
KEYS = st.sampled_from([f"{number:064x}" for number in range(5)])
COMMITS = st.text(string.hexdigits[:16], min_size=40, max_size=40)


def tuples(of: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    """A few of something."""
    return st.lists(of, max_size=2).map(tuple)


def maybe(of: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Something or None."""
    return st.none() | of


MOMENTS = st.builds(Moment, COMMITS, DATES, TEXT, TEXT)
FIXES = st.builds(
    Fix,
    TEXT,
    st.sampled_from(Safety),
    tuples(st.builds(Edit, st.builds(Span, NUMBERS, NUMBERS), TEXT)),
    moves=st.just(()),
    excludes=tuples(PATHS),
)
FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from(["KG101", "KG301"]),
    path=PATHS,
    span=st.builds(Span, NUMBERS, NUMBERS),
    line=LINES,
    column=LINES,
    end_line=LINES,
    end_column=LINES,
    message=TEXT,
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    fingerprint=TEXT,
    key=st.none(),
    provider=maybe(TEXT),
    case=maybe(TEXT),
    remedy=maybe(TEXT),
    cell=maybe(LINES),
    part=maybe(st.sampled_from(["source", "output"])),
    excerpt=maybe(st.builds(Excerpt, TEXT, NUMBERS, NUMBERS)),
    related=tuples(st.builds(Related, PATHS, LINES, LINES, LINES, LINES, TEXT, maybe(LINES))),
    fix=maybe(FIXES),
    masked=maybe(TEXT),
)
ROWS = st.builds(
    Row,
    path=PATHS,
    line=LINES,
    column=LINES,
    cell=maybe(LINES),
    kind=st.sampled_from(["sdk", "http", "elsewhere"]),
    name=TEXT,
    library=TEXT,
    peers=tuples(st.builds(Peer, TEXT, maybe(TEXT), TEXT, TEXT)),
    base_names=tuples(TEXT),
    key=st.builds(KeySource, st.sampled_from(["literal", "variable", "none"]), tuples(TEXT), FLAGS, FLAGS),
    models=tuples(TEXT),
    waits=tuples(st.builds(Wait, TEXT, maybe(st.floats(0, 1e6)), TEXT)),
    attempts=tuples(maybe(NUMBERS)),
    calls=tuples(st.tuples(maybe(LINES), LINES)),
    is_async=FLAGS,
    problems=tuples(TEXT),
)
VERDICT = st.builds(
    Verdict, st.sampled_from(VERDICTS), TEXT, maybe(st.integers(100, 599)), TEXT, tuples(st.tuples(TEXT, TEXT)), DATES
)


@st.composite
def sightings(draw: st.DrawFn, moments: Sequence[Moment], keys: st.SearchStrategy[object]) -> Sighting:
    """One sighting whose commits are some of these."""
    when = maybe(st.sampled_from(moments)) if moments else st.none()
    return draw(
        st.builds(
            Sighting,
            finding=st.builds(lambda finding, key: finding._replace(key=key), FINDINGS, keys),
            kind=st.sampled_from(KINDS),
            blob=maybe(COMMITS),
            first=when,
            last=when,
            at_head=FLAGS,
            on_disk=FLAGS,
            refs=tuples(TEXT),
            ref_count=NUMBERS,
        )
    )


@st.composite
def founds(draw: st.DrawFn, name: str) -> Found:
    """What was found in a repository of this name."""
    moments = draw(st.lists(MOMENTS, max_size=3, unique_by=lambda moment: moment.commit))
    audited = draw(
        st.builds(
            Audited,
            name=st.just(name),
            path=PATHS,
            head=TEXT,
            files=NUMBERS,
            commits=NUMBERS,
            blobs=NUMBERS,
            size=NUMBERS,
            refs=NUMBERS,
            missing=NUMBERS,
            is_shallow=FLAGS,
            error=maybe(TEXT),
            is_complete=FLAGS,
        )
    )
    places = draw(st.lists(sightings(moments, st.none() | KEYS), max_size=4))
    return Found(audited, tuple(places), draw(tuples(ROWS)))


def named(found: Found, name: str) -> Found:
    """The same, its sightings with their repository's name."""
    return found._replace(sightings=tuple(one._replace(repository=name) for one in found.sightings))


@st.composite
def lists_of_founds(draw: st.DrawFn, *, at_least: int = 0) -> list[Found]:
    """What was found in several repositories."""
    names = draw(st.lists(st.text(min_size=1, max_size=6), min_size=at_least, max_size=4, unique=True))
    return [draw(founds(name)) for name in names]


@st.composite
def audits(draw: st.DrawFn) -> Audit:
    """A whole audit, in the order an audit has."""
    found = draw(lists_of_founds())
    places = [one for each in found for one in (named(each, each.audited.name) if len(found) != 1 else each).sightings]
    leaks = []
    for key in dict.fromkeys(one.finding.key for one in places if one.finding.key is not None):
        # In any order: a leak's own is kept.
        held = draw(st.permutations([one for one in places if one.finding.key == key]))
        leaks.append(
            draw(
                st.builds(
                    Leak,
                    key=st.just(key),
                    rank=st.sampled_from(RANKS),
                    provider=maybe(TEXT),
                    masked=TEXT,
                    severity=st.sampled_from(Severity),
                    sightings=st.just(tuple(held)),
                    reach=TEXT,
                    hosts=tuples(TEXT),
                    first=maybe(MOMENTS),
                    last=maybe(MOMENTS),
                    at_head=FLAGS,
                    steps=tuples(st.builds(Step, st.sampled_from(STEPS), TEXT, maybe(TEXT))),
                    verdict=maybe(VERDICT),
                    is_new=maybe(FLAGS),
                )
            )
        )
    return Audit(
        tuple(one.audited for one in found),
        by_urgency(leaks),
        tuple(one for one in places if one.finding.key is None),
        tuple((one.audited.name if len(found) != 1 else "", row) for one in found for row in one.rows),
        draw(tuples(st.builds(Notice, TEXT, maybe(PATHS), FLAGS))),
    )
