"""Which keys of an environment a provider may be asked about, and what its answers mean for the diagnosis."""

from __future__ import annotations

from keyguard.checks.belonging import issuers
from keyguard.doctor import keys
from keyguard.doctor.goals import Held, goals_of, watched
from keyguard.doctor.records import Problem
from keyguard.fingerprint import key_id
from keyguard.typed import TYPE_CHECKING, NamedTuple
from keyguard.verify import Question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keyguard.catalogue import Catalogue
    from keyguard.doctor.goals import Goal
    from keyguard.doctor.records import Diagnosis, Environment
    from keyguard.inventory import Row
    from keyguard.leaks import Verdict

_IN_VAIN = frozenset({"masked", "published", "twice-in-one"})  # what no provider need be asked about
_SPENT = frozenset({402, 429})  # statuses of keys that live and may not be used now


class Asking(NamedTuple):
    """The questions about the keys that count, and the variables that hold each key, by its id."""

    questions: tuple[Question, ...]
    names: Mapping[str, tuple[str, ...]]


def questions_about(
    environment: Environment, rows: Sequence[Row], catalogue: Catalogue, trusted: Mapping[str, str]
) -> Asking:
    """Ask about every key that counts, where a program of the project would send it, or at its own provider."""
    held = Held(environment)
    questions: list[Question] = []
    names: dict[str, list[str]] = {}
    for name, kind in sorted(watched(rows, catalogue).items()):
        setting = held.first(name)
        if kind != "key" or setting is None:
            continue
        goals = goals_of(name, rows, held, catalogue, trusted)
        judged = keys.judge(setting, goals, catalogue)
        if judged.shown.state != "set" or any(problem.kind in _IN_VAIN for problem in judged.problems):
            continue
        value = setting.value.value
        key = key_id(value, path=setting.place.path, context=name)
        if name not in names.setdefault(key, []):
            names[key].append(name)
        for goal in goals or (None,):
            provider, base = _addressee(value, goal, judged.provider, catalogue)
            questions.append(Question(setting.value, key, provider, base))
    return Asking(tuple(dict.fromkeys(questions)), {key: tuple(found) for key, found in names.items()})


def _addressee(value: str, goal: Goal | None, owner: str | None, catalogue: Catalogue) -> tuple[str | None, str | None]:
    """Whose key it is (an id), and the base URL that it goes to: who issued it for certain, else who answers there."""
    base = goal.url or None if goal is not None else None
    sure = issuers(value, catalogue)
    if sure:
        return sure[0].id, base
    if goal is None:
        return owner, None
    answering = goal.answering
    return answering.id if answering is not None else None, base


def with_verdicts(diagnosis: Diagnosis, verdicts: Mapping[str, Verdict], catalogue: Catalogue) -> Diagnosis:
    """Add what providers said: a verdict for each variable that was asked about, and what it means."""
    problems = list(diagnosis.problems)
    variables = []
    for variable in diagnosis.variables:
        verdict = verdicts.get(variable.name)
        variables.append(variable._replace(verdict=verdict))
        if verdict is None:
            continue
        provider = catalogue.providers.get(variable.provider or "")
        url = provider.console_url if provider is not None else None
        values: dict[str, object] = {"host": verdict.host, "status": verdict.status or ""}
        place = variable.settings[0].place
        if verdict.state == "dead":
            problems.append(Problem("dead", variable.name, place, values, ("401",), url=url))
        elif verdict.status in _SPENT and verdict.state != "unknown":
            problems.append(Problem("limited", variable.name, place, values, (str(verdict.status),), url=url))
        elif verdict.state == "restricted":
            problems.append(Problem("restricted", variable.name, place, values, ("403",), "note", url=url))
    problems.sort(key=lambda one: (not one.variable, one.variable))  # stable: what is about no variable stays behind
    return diagnosis._replace(variables=tuple(variables), problems=tuple(problems), was_asked=True)
