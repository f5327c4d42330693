"""What is wrong with a key as a variable holds it: around it, in it, or in whose it is."""

from __future__ import annotations

import re
import unicodedata

from keyguard.checks.belonging import are_allied, is_strict, issuers
from keyguard.checks.variables import lies_elsewhere
from keyguard.doctor.records import SHELL, Problem, Shown
from keyguard.naming import RESELLERS
from keyguard.patterns import regex
from keyguard.secrets.identify import identify
from keyguard.secrets.placeholders import asks_for_key, is_local_value, is_placeholder, looks_random, public_prefix
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keyguard.catalogue import Catalogue
    from keyguard.doctor.goals import Goal
    from keyguard.doctor.records import Setting
    from keyguard.knowledge import KeyShape, Provider
    from keyguard.secrets.identify import Candidate, Identity, Remark

# What stands at an end of a value, and what it does before any host sees it: no header takes most of it.
_AROUND = (
    ("cr", re.compile(r"\r\n?\Z|\r\Z"), ("connection",)),
    ("newline", re.compile(r"\n\Z|\A\n"), ("connection",)),
    ("bom", re.compile("\ufeff"), ("connection",)),
    ("zero-width", re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064]"), ("connection",)),
    ("space", re.compile(r"\A[^\S\r\n]+|[^\S\r\n]+\Z"), ()),
)
_WHITE = frozenset({"cr", "newline", "space"})
# What `identify` says of what stands around a key, besides white space and what cannot be seen.
_SURROUNDINGS = frozenset({"space-inside", "quotes", "sign", "assignment", "scheme", "full-width", "dashes"})
_UNSENDABLE = frozenset({"full-width", "dashes"})  # no header takes them: the request is never sent
# What is wrong with the key itself; the other flaws that `identify` knows are told by forms that providers change.
_INSIDE = frozenset({"cut", "cut-least", "checksum", "test", "expired"})
_OF_FORM = frozenset({"form", "strange", "long"})
_SHORTEST_TELLING = 3  # characters of a prefix that many providers share (`sk-`)
_LEAST_TWICE = 32  # characters of a value that may be a key twice
_PEM = "-----BEGIN"
_REFUSING = frozenset({400, 401, 403})
_MASKED = regex(r"[A-Za-z0-9_-]{4}(?:\*{3,}|\u2026|\.{3}|\u2022{3,})[A-Za-z0-9]{2,8}\s*\Z")
_LISTED = regex(r"[,;|\s]+")
_LONGEST_DUMMY = 200  # characters; what is longer is no stand-in, whatever it reads like
_QUOTES = "\"'`\u201c\u201d\u2018\u2019\u300c\u300d"


class Judged(NamedTuple):
    """What came of looking at one value: how it is shown, whose key it is, and what is wrong."""

    shown: Shown
    provider: str | None
    problems: tuple[Problem, ...] = ()


def judge(setting: Setting, goals: Sequence[Goal], catalogue: Catalogue) -> Judged:
    """Look at the value that counts, knowing where it goes.

    Placeholders that servers of one's own take, references to other places and lists of keys are left alone.
    """
    value, name = setting.value.value, setting.name
    expected = _expected(goals)
    owner = expected[0] if expected else next(iter(catalogue.providers_of_env(name)), None)
    whose = owner.id if owner is not None else None
    if not value.strip():
        return Judged(Shown(setting.place, "empty"), whose)
    if _PEM in value:
        return Judged(Shown(setting.place, length=len(value)), whose)
    if _refers(value):
        literal = Problem("unexpanded", name, setting.place, leads=refusals(owner))
        is_literal = setting.place == SHELL and value.strip().startswith("$")
        return Judged(Shown(setting.place, "reference"), whose, (literal,) if is_literal else ())
    if _MASKED.search(value):
        masked = Problem("masked", name, setting.place, leads=refusals(owner), url=_console(owner))
        return Judged(Shown(setting.place, "placeholder", length=len(value)), whose, (masked,))
    if _is_made_up(value, catalogue):
        problem = Problem("placeholder", name, setting.place, leads=refusals(owner), url=_console(owner))
        told = (problem,) if _asks(value, catalogue) or _is_refused(goals) else ()
        return Judged(Shown(setting.place, "placeholder", length=len(value)), whose, told)
    found = identify(_bare(value), catalogue, name=owner.variable if owner is not None else name)
    candidate = _candidate(found, expected)
    shape = candidate.shape if candidate is not None else None
    shown = _shown(setting, shape)
    if candidate is not None and not expected:
        owner, whose = candidate.provider, candidate.provider.id
    problems = tuple(_problems(_Value(setting, value, found, candidate, owner), expected, goals, catalogue))
    return Judged(shown, whose, problems)


def refusals(provider: Provider | None) -> tuple[str, ...]:
    """The statuses that a provider answers a wrong key with, as it says or as all do."""
    verify = provider.verify if provider is not None else None
    found = set(verify.invalid) if verify is not None else set()
    for meaning in verify.meanings if verify is not None else ():
        if meaning.state == "dead":
            found.update(meaning.statuses)
    return tuple(str(status) for status in sorted(found & _REFUSING)) or ("401",)


class _Value(NamedTuple):
    setting: Setting
    value: str
    found: Identity
    candidate: Candidate | None
    owner: Provider | None

    def problem(
        self,
        kind: str,
        values: Mapping[str, object] | None = None,
        *,
        leads: tuple[str, ...] = (),
        flaw: str = "",
    ) -> Problem:
        """Put a problem into place; whatever else it leads to, the key is refused."""
        leads = (*leads, *refusals(self.owner))
        url = _console(self.owner)
        return Problem(kind, self.setting.name, self.setting.place, values or {}, leads, flaw=flaw, url=url)


def _problems(
    value: _Value, expected: Sequence[Provider], goals: Sequence[Goal], catalogue: Catalogue
) -> Iterator[Problem]:
    """What is wrong, the outermost first; of what is wrong inside, the one thing that explains it."""
    remarks = {remark.name for remark in value.found.remarks}
    yield from _around(value, goals, catalogue)
    if "public" in remarks:
        yield value.problem("published")
        return
    bare = _bare(value.value)
    if _is_twice(bare):
        yield value.problem("twice-in-one")
        return
    if _is_list(bare, catalogue):
        return
    inner = _inside(value, expected, goals)
    if inner is not None:
        yield inner
        return
    yield from _belonging(value, bare, expected, goals, catalogue)


def _around(value: _Value, goals: Sequence[Goal], catalogue: Catalogue) -> Iterator[Problem]:
    """What stands around a key, in or before its first and last character."""
    forgiven = _forgiven(goals, catalogue)
    text = value.value
    for kind, pattern, leads in _AROUND:
        if pattern.search(text) is None:
            continue
        text = pattern.sub("", text)
        if "space" not in forgiven or kind not in _WHITE:
            yield value.problem(f"around.{kind}", leads=leads)
    for name, values in _surroundings(value, text, catalogue).items():
        if name not in forgiven:
            leads = ("connection",) if name in _UNSENDABLE else ()
            yield value.problem("flaw", values, leads=leads, flaw=name)


def _surroundings(value: _Value, text: str, catalogue: Catalogue) -> Mapping[str, Mapping[str, object]]:
    """What `identify` says of quotes, signs and schemes; of a value of no known form what tells by itself."""
    found: dict[str, Mapping[str, object]] = {"quotes": {}} if _in_quotes(text) else {}
    if value.candidate is not None:
        flaws = {flaw.name: flaw.values for flaw in value.candidate.flaws if flaw.name in _SURROUNDINGS}
        return {**found, **flaws}
    schemes = "|".join(map(re.escape, catalogue.words.schemes))
    scheme = re.match(rf"({schemes})\s+\S", _bare(text), re.IGNORECASE)
    return {**found, "scheme": {"scheme": scheme[1]}} if scheme is not None else found


def _inside(value: _Value, expected: Sequence[Provider], goals: Sequence[Goal]) -> Problem | None:
    """What is wrong with the key itself, where its form alone says whose it is."""
    candidate = value.candidate
    shape = candidate.shape if candidate is not None else None
    if candidate is not None and shape is not None and shape.retired and candidate.provider in expected:
        # In other products keys of such a form may still open something: it counts where code sends it.
        level = "problem" if any(goal.row is not None for goal in goals) else "note"
        values = {"provider": candidate.provider.id}
        return value.problem("flaw.inside", values, flaw="retired")._replace(level=level)
    if candidate is None or shape is None or shape.needs_context or shape.often_public:
        return None
    bare = _bare(value.value)
    body = bare[len(public_prefix(bare, shape)) :]
    if len(bare) - len(body) <= _SHORTEST_TELLING or not looks_random(body):
        return None
    for flaw in candidate.flaws:
        owner = candidate.provider
        problem = value.problem("flaw.inside", {**flaw.values, "provider": owner.id}, flaw=flaw.name)
        problem = problem._replace(url=owner.console_url)
        if flaw.name in _INSIDE:
            return problem
        # Providers bring new forms from time to time, and hardly a shorter one than they had.
        if flaw.name in _OF_FORM and is_strict(owner):
            is_short = flaw.name == "form" and len(bare) < (shape.max_length or 0)
            return problem if is_short else problem._replace(level="note")
    return None


def _belonging(
    value: _Value, bare: str, expected: Sequence[Provider], goals: Sequence[Goal], catalogue: Catalogue
) -> Iterator[Problem]:
    """A key that goes to somebody else, or that has not the form of any key of those who get it."""
    if not expected:
        return
    sure = issuers(bare, catalogue)
    host = next((goal.host for goal in goals if goal.host), "")
    base = next((goal.base for goal in goals if goal.base), "")
    whom = expected[0]
    if sure:
        if any(are_allied(owner, other) for owner in sure for other in expected):
            return
        if all(owner.kind in RESELLERS for owner in sure):
            # They all run the same software, and nothing tells one's keys from another's.
            if not any(other.kind in RESELLERS for other in expected):
                yield value.problem("relay-key", {"provider": whom.id})
        else:
            values = {"owner": sure[0].id, "provider": whom.id, "host": host, "base": base}
            yield value.problem("other-owner.base" if base else "other-owner", values)
        return
    if not all(map(is_strict, expected)) or not _is_told_by_form(value, goals):
        return
    candidates = {one.provider.id for one in value.found.candidates if _SURROUNDINGS.issuperset(map(_name, one.flaws))}
    if not candidates.isdisjoint(provider.id for provider in expected):
        return
    prefixes = dict.fromkeys(prefix for shape in whom.shapes if shape.secret for prefix in shape.prefixes)
    yield value.problem("form", {"provider": whom.id, "prefixes": tuple(prefixes)})


def _name(flaw: Remark) -> str:
    return flaw.name


def _is_told_by_form(value: _Value, goals: Sequence[Goal]) -> bool:
    """Tell whether the variable is for that provider's keys and nothing else: code sends it there, or it is the first.

    Other variables of a provider hold tokens of other kinds, too (`…_AUTH_TOKEN`).
    """
    is_sent = any(goal.row is not None for goal in goals)
    return is_sent or (value.owner is not None and value.setting.name == value.owner.variable)


# -- what is no key --------------------------------------------------------------------------------------------------


def _refers(value: str) -> bool:
    """Tell whether a value stands for one that lies elsewhere: `${NAME}`, `op://…`."""
    bare = value.strip()
    return bare.startswith("$") or (bare[:1].isalpha() and lies_elsewhere(bare))


def _is_made_up(value: str, catalogue: Catalogue) -> bool:
    """Tell whether a text stands in for a key, whatever stray characters stand in a real one."""
    bare = _bare(value)
    if is_local_value(bare, catalogue):
        return True
    plain = "".join(char for char in unicodedata.normalize("NFKC", bare) if char.isascii() and not char.isspace())
    if looks_random(plain) and not is_placeholder(plain, catalogue):
        return False
    return len(bare) <= _LONGEST_DUMMY and is_placeholder(bare, catalogue)


def _asks(value: str, catalogue: Catalogue) -> bool:
    """Tell whether a stand-in says itself that a key belongs there: nobody means to send it."""
    bare = _bare(value)
    return asks_for_key(bare, catalogue) or bare.startswith("<")


def _is_refused(goals: Sequence[Goal]) -> bool:
    """Tell whether code sends it to a host that takes real keys only."""
    sent = [goal for goal in goals if goal.row is not None]
    return bool(sent) and not any(goal.is_lenient for goal in sent)


def _is_twice(value: str) -> bool:
    half = len(value) // 2
    middle = value[half : len(value) - half]
    return len(value) >= _LEAST_TWICE and value[:half] == value[-half:] and not middle.strip(" ,;")


def _is_list(value: str, catalogue: Catalogue) -> bool:
    """Tell whether a value is several keys: programs that take turns split them."""
    parts = [part for part in _LISTED.split(value) if part]
    return len(parts) > 1 and all(identify(part, catalogue).candidates for part in parts)


def _in_quotes(value: str) -> bool:
    bare = value.strip()
    return len(bare) > 1 and bare[0] in _QUOTES and bare[-1] in _QUOTES


def _bare(value: str) -> str:
    """A value without what is told of its surroundings."""
    for _, pattern, _ in _AROUND:
        value = pattern.sub("", value)
    return value.strip().strip(_QUOTES).strip()


# -- whose it is -----------------------------------------------------------------------------------------------------


def _expected(goals: Sequence[Goal]) -> tuple[Provider, ...]:
    """Whose keys are taken where it goes; nobody when one of the goals takes any key."""
    found = [goal.answering for goal in goals]
    known = [provider for provider in found if provider is not None]
    return tuple({provider.id: provider for provider in known}.values()) if len(known) == len(found) else ()


def _candidate(found: Identity, expected: Sequence[Provider]) -> Candidate | None:
    """The likeliest owner, one of those who are expected first."""
    wanted = {provider.id for provider in expected}
    return next((one for one in found.candidates if one.provider.id in wanted), next(iter(found.candidates), None))


def _forgiven(goals: Sequence[Goal], catalogue: Catalogue) -> frozenset[str]:
    """What every SDK that sends the key takes away from it by itself."""
    sdks = [catalogue.sdks.get(goal.row.library) if goal.row is not None else None for goal in goals]
    if not sdks:
        return frozenset()
    return frozenset.intersection(*(frozenset(sdk.forgives if sdk is not None else ()) for sdk in sdks))


def _shown(setting: Setting, shape: KeyShape | None) -> Shown:
    value = setting.value.value
    return Shown(setting.place, "set", public_prefix(_bare(value), shape), len(value))


def _console(owner: Provider | None) -> str | None:
    return owner.console_url if owner is not None else None
