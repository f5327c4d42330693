"""Sightings become leaks: one key with all its places, its rank, its reach and what to do, the most urgent first."""

from __future__ import annotations

from collections import Counter

from keyguard.findings import is_leak
from keyguard.lang import texts
from keyguard.leaks import KINDS, RANKS, Leak, Step
from keyguard.model import position
from keyguard.naming import RESELLERS
from keyguard.patterns import regex
from keyguard.source import role_of
from keyguard.typed import TYPE_CHECKING, NamedTuple
from keyguard.verify.words import say_reach

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from keyguard.catalogue import Catalogue, Provider
    from keyguard.inventory import Row
    from keyguard.leaks import Moment, Sighting, Verdict
    from keyguard.model import Finding

# Rule and case of findings that say that a key fails its own check or is too short. Those of KG205 that stand for a key
# with something around it (quotes, a missing prefix) are none: whoever reads it can mend it.
_MALFORMED = frozenset({("KG101", "malformed"), ("KG106", "malformed"), ("KG205", "cut"), ("KG205", "checksum")})
_EXAMPLE, _RESTRICTED = "public-example", "restricted"
_OTHER_SECRETS = "KG108"
_OTHER_KINDS = frozenset({"private-key", "basic-auth", "jwt"})  # cases of KG108 with words of their own
# What was heard of a key, by urgency: of one that nobody knows about it is only not known that it is dead.
_HEARD = ("live", "restricted", "unknown", "dead")
_PURGING = "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/removing-sensitive-data-from-a-repository"
_MASK = regex(r"^(.*)… ?\(([0-9]+) characters\)$")
# The variable before a key: `NAME=`, `"NAME": "`, `getenv("NAME", "`.
_VARIABLE = regex(
    r"(?:^|[^A-Za-z0-9_])([A-Z][A-Z0-9]{0,39}(?:_[A-Z0-9]{1,40}){1,8})[\"'\])]{0,3}\s{0,9}[=:,]\s{0,9}[\"'`]?$"
)
_BEFORE = 200  # characters before a key in which its variable is looked for
_HOST = regex(r"//([A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?)")


def leaks_of(
    sightings: Iterable[Sighting], catalogue: Catalogue, lang: str, rows: Iterable[tuple[str, Row]] = ()
) -> tuple[Leak, ...]:
    """Group sightings by key, most urgent first; those of findings without a key are left out.

    The result does not depend on the order of the sightings. `rows` are connections with their repository's name:
    those that are given a literal key tell which hosts a key was found with.
    """
    by_key: dict[str, list[Sighting]] = {}
    for sighting in sightings:
        if sighting.finding.key is not None:
            by_key.setdefault(sighting.finding.key, []).append(sighting)
    found_with = dialled(by_key, rows)
    leaks = []
    for key, found in by_key.items():
        ordered = tuple(sorted(found, key=_place))
        leaks.append(_leak(ordered, _hosts(ordered, found_with.get(key, ()), catalogue), catalogue, lang, None))
    return by_urgency(leaks)


def judged(leaks: Iterable[Leak], verdicts: Mapping[str, Verdict], catalogue: Catalogue, lang: str) -> tuple[Leak, ...]:
    """Add what was heard of keys (by `Leak.key`), with the rank, the steps and the order that follow from it.

    A key that lives ranks by where it stands, however much it looked like a test, and a dead one needs no revoking.
    """
    heard = [
        _leak(leak.sightings, leak.hosts, catalogue, lang, verdicts[leak.key])._replace(is_new=leak.is_new)
        if leak.key in verdicts
        else leak
        for leak in leaks
    ]
    return by_urgency(heard)


def by_urgency(leaks: Iterable[Leak]) -> tuple[Leak, ...]:
    """Order by rank; inside one by verdict, severity, confidence, time and number of places.

    Of two that are alike otherwise the newer one comes first: it is the likelier to live.
    """
    newest_first = sorted(
        sorted(leaks, key=lambda leak: (-len(leak.sightings), leak.key)),
        key=lambda leak: leak.first.date if leak.first is not None else "",
        reverse=True,
    )
    return tuple(sorted(newest_first, key=_urgency))


def _urgency(leak: Leak) -> tuple[int, int, int, int]:
    state = "unknown" if leak.verdict is None else leak.verdict.state
    confidence = max(sighting.finding.confidence for sighting in leak.sightings)
    return RANKS.index(leak.rank), _HEARD.index(state), -leak.severity, -confidence


def _place(sighting: Sighting) -> tuple[object, ...]:
    """Order sightings: what is checked out, what other refs hold, what is gone; then by repository and place."""
    return (
        not sighting.is_present,
        not sighting.refs,
        sighting.repository,
        KINDS.index(sighting.kind),
        position(sighting.finding),
        sighting.first or (),
        sighting.last or (),
        sighting.blob or "",
    )


# -- one leak ----------------------------------------------------------------------------------------------------------


class _Known(NamedTuple):
    """What is known of a key: `finding` is the most certain one, `reach` what it opens, of `knowledge.REACHES`."""

    finding: Finding
    provider: Provider | None
    rank: str
    reach: tuple[str, ...]

    @property
    def kind(self) -> str | None:
        """Which secret it is when it is no model-API key: a case of KG108, or `other`."""
        if self.finding.rule != _OTHER_SECRETS or self.finding.provider is not None:
            return None
        return self.finding.case if self.finding.case in _OTHER_KINDS else "other"


def _leak(
    sightings: tuple[Sighting, ...],
    hosts: tuple[str, ...],
    catalogue: Catalogue,
    lang: str,
    verdict: Verdict | None,
) -> Leak:
    finding = _most_certain([sighting.finding for sighting in sightings])
    provider = catalogue.providers.get(finding.provider or "")
    masks = [sighting.finding.masked for sighting in sightings if sighting.finding.masked]
    masked = finding.masked or min(masks, default="…")
    known = _Known(finding, provider, _rank(sightings, verdict), _opens(masked, provider))
    firsts = [sighting.first for sighting in sightings if sighting.first is not None]
    lasts = [sighting.last for sighting in sightings if sighting.last is not None]
    is_gone = len(lasts) == len(sightings) and not any(sighting.is_present for sighting in sightings)
    leak = Leak(
        key=finding.key or "",
        rank=known.rank,
        provider=finding.provider,
        masked=masked,
        severity=max(sighting.finding.severity for sighting in sightings),
        sightings=sightings,
        reach=_reach(known, lang),
        hosts=hosts,
        first=min(firsts, key=_moment, default=None),
        last=max(lasts, key=_moment, default=None) if is_gone else None,
        at_head=any(sighting.at_head for sighting in sightings if sighting.kind == "file"),
        verdict=verdict,
    )
    return leak._replace(steps=_steps(leak, known, catalogue, lang))


def _moment(moment: Moment) -> tuple[str, str]:
    return moment.date, moment.commit


def _most_certain(findings: Sequence[Finding]) -> Finding:
    """The finding that speaks for a key: certain, with a provider, the one that most name; it stands first in order."""
    votes = Counter(finding.provider for finding in findings)
    return min(
        findings,
        key=lambda finding: (
            -finding.confidence,
            finding.provider is None,
            -votes[finding.provider],
            finding.provider or "",
            not is_leak(finding.rule),
            finding.masked is None,
        ),
    )


def _rank(sightings: Sequence[Sighting], verdict: Verdict | None) -> str:
    where = "head" if any(sighting.is_present for sighting in sightings) else "history"
    state = "unknown" if verdict is None else verdict.state
    if state == "live":
        return where
    cases = [sighting.finding.case for sighting in sightings]
    if _EXAMPLE in cases or all(case == _RESTRICTED for case in cases):
        return "public"
    if state == "restricted":
        return where
    if any((sighting.finding.rule, sighting.finding.case) in _MALFORMED for sighting in sightings):
        return "malformed"
    return "test" if all(map(_is_test, sightings)) else where


def _is_test(sighting: Sighting) -> bool:
    return sighting.kind == "file" and role_of(sighting.finding.path) != "code"


def _opens(masked: str, provider: Provider | None) -> tuple[str, ...]:
    """What a key opens: by its prefix and length that of one kind of key, where these leave no choice."""
    if provider is None:
        return ()
    told = _MASK.match(masked)
    prefix, length = (told[1], int(told[2])) if told is not None else ("", 0)
    opened = {
        provider.reach_of(shape)
        for shape in provider.shapes
        if prefix in shape.prefixes and (shape.min_length or 0) <= length <= (shape.max_length or length)
    }
    return opened.pop() if len(opened) == 1 else provider.reach_of()


def _reach(known: _Known, lang: str) -> str:
    provider = known.provider
    say = texts(lang).say
    if known.rank == "public":
        return say("reach.example" if known.finding.case == _EXAMPLE else "reach.restricted")
    if known.rank == "malformed":
        return say("reach.malformed")
    if known.kind is not None:
        return say(f"reach.{known.kind}")
    if provider is None:
        return say("reach.unknown")
    resold = provider.label(lang) if provider.aggregator else ""
    return say("identify.and").join(
        say("reach.resold", provider=resold) if resold and name == "models" else say_reach([name], lang)
        for name in known.reach
    )


# -- the hosts it was found with ---------------------------------------------------------------------------------------


def dialled(by_key: Mapping[str, Collection[Sighting]], rows: Iterable[tuple[str, Row]]) -> dict[str, set[str]]:
    """The hosts of connections that are given a literal key, by key, where one key alone can be meant."""
    in_file: dict[tuple[str, str], set[str]] = {}
    at_line: dict[tuple[str, str, int | None, int], set[str]] = {}
    for key, sightings in by_key.items():
        for sighting in sightings:
            if not sighting.is_present:
                continue
            file = sighting.repository, sighting.finding.path
            in_file.setdefault(file, set()).add(key)
            at_line.setdefault((*file, sighting.finding.cell, sighting.finding.line), set()).add(key)
    found: dict[str, set[str]] = {}
    for repository, row in rows:
        if row.key.kind != "literal":
            continue
        keys = at_line.get((repository, row.path, row.cell, row.line)) or in_file.get((repository, row.path), set())
        if len(keys) == 1:
            hosts = (peer.host for peer in row.peers if peer.host and peer.route != "local")
            found.setdefault(next(iter(keys)), set()).update(hosts)
    return found


def _hosts(sightings: Sequence[Sighting], dialled: Iterable[str], catalogue: Catalogue) -> tuple[str, ...]:
    """Whom a key was found with beside its own provider.

    That is whom it is sent to, whose API is written on its line, and the relay that a certain finding took it for.
    """
    owner = _most_certain([sighting.finding for sighting in sightings]).provider
    written = {
        host.lower().rstrip(".")
        for sighting in sightings
        if sighting.finding.excerpt is not None
        for host in _HOST.findall(sighting.finding.excerpt.text)
    }
    hosts = set(dialled) | {host for host in written if catalogue.provider_of_host(host) is not None}
    for sighting in sightings:
        taken_for = catalogue.providers.get(sighting.finding.provider or "")
        if taken_for is not None and taken_for.kind in RESELLERS and hosts.isdisjoint(taken_for.hosts):
            hosts.update(taken_for.hosts[:1])
    owners = {host: catalogue.provider_of_host(host) for host in hosts}
    return tuple(sorted(host for host, known in owners.items() if known is None or known.id != owner))


# -- what to do --------------------------------------------------------------------------------------------------------


def _steps(leak: Leak, known: _Known, catalogue: Catalogue, lang: str) -> tuple[Step, ...]:
    """What to do in the order of `STEPS`; the history comes last, since rewriting it protects no living key."""
    say = texts(lang).say
    if leak.rank == "public":
        if known.finding.case != _RESTRICTED:
            return ()
        return (Step("restrict", say("step.restrict.public"), _page(known.provider)),)
    if leak.rank == "malformed":
        return ()
    is_dead = leak.verdict is not None and leak.verdict.state == "dead"
    steps = [] if is_dead else [_revoke(known, lang), _replace(leak, known, lang)]
    steps.append(_usage(leak, known, lang))
    if not is_dead and known.kind is None:
        name = "step.restrict.account" if "keys" in known.reach else "step.restrict"
        steps.append(Step("restrict", say(name), _page(known.provider, "limits")))
    present = [sighting for sighting in leak.sightings if sighting.is_present]
    if present:
        rules = (catalogue.rules.get(sighting.finding.rule) for sighting in present)
        is_fixable = any(rule is not None and rule.fixable for rule in rules)
        steps.append(Step("fix", say("step.fix" if is_fixable else "step.fix.by-hand")))
    if leak.first is not None and not is_dead:
        steps.append(Step("purge", say("step.purge"), _PURGING))
    return tuple(steps)


def _revoke(known: _Known, lang: str) -> Step:
    say = texts(lang).say
    if known.kind in _OTHER_KINDS:
        return Step("revoke", say(f"revoking.{known.kind}"))
    if known.provider is None:
        return Step("revoke", say("step.revoke.unknown"))
    return Step("revoke", say("step.revoke", provider=known.provider.label(lang)), known.provider.revoking)


def _replace(leak: Leak, known: _Known, lang: str) -> Step:
    name = _variable(leak.sightings) or (known.provider.variable if known.provider is not None else "")
    if not name:
        return Step("replace", texts(lang).say("step.replace.unnamed"))
    return Step("replace", texts(lang).say("step.replace", name=name))


def _variable(sightings: Iterable[Sighting]) -> str:
    """The variable that most places give the key to; empty when none does."""
    names: Counter[str] = Counter()
    for sighting in sightings:
        excerpt = sighting.finding.excerpt
        found = excerpt and _VARIABLE.search(excerpt.text[max(0, excerpt.start - _BEFORE) : excerpt.start])
        if found:
            names[found[1]] += 1
    return min(names, key=lambda name: (-names[name], name), default="")


def _usage(leak: Leak, known: _Known, lang: str) -> Step:
    say = texts(lang).say
    text = say("step.usage.ever") if leak.first is None else say("step.usage", date=leak.first.date[:10])
    return Step("usage", text, _page(known.provider, "usage"))


def _page(provider: Provider | None, about: str = "") -> str | None:
    """A provider's page about usage or limits, else its console."""
    if provider is None:
        return None
    pages = {"usage": provider.usage_url, "limits": provider.limits_url}
    return pages.get(about) or provider.console_url
