"""What the doctor says: a table of variables, what is wrong and what to do, and what each error means."""

from __future__ import annotations

import os

from keyguard.doctor.keys import refusals
from keyguard.doctor.records import EXPLAINED, SHELL, Place
from keyguard.errors import UsageError
from keyguard.lang import texts as all_texts
from keyguard.lang.doctor import causes, texts
from keyguard.report.common import provider_name
from keyguard.report.listings import json_text, table_row, table_sizes
from keyguard.report.paint import paint
from keyguard.report.safe import encodable, visible, wrap
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from keyguard.catalogue import Catalogue
    from keyguard.doctor.records import Diagnosis, Problem, Shown, Variable
    from keyguard.lang import Texts
    from keyguard.leaks import Verdict
    from keyguard.report.options import RenderOptions
    from keyguard.report.paint import Line

DOCTOR_FORMATS = ("text", "json")
_INDENT = "  "
_FEW = 3  # places that need a variable; all with --verbose
_MOST_NAMED = 6  # providers and texts that a page names
_STYLES = {"problem": "high", "note": "low", "ok": "good", "unset": "high", "hidden": "dim"}
_MISSING = "missing"  # begins the kinds of problems that name one place which needs a variable
_RULE = "KG206"  # whose words tell what is wrong with a base URL


def render_diagnosis(diagnosis: Diagnosis, options: RenderOptions, format: str = "text") -> str:  # noqa: A002  # the option's own name
    """Say what is set where, and what of it is wrong."""
    said = _Said(options)
    if format == "json":
        return json_text(_object(diagnosis, said))
    _known(format)
    if not diagnosis.variables and not diagnosis.problems:
        return paint([[(said.say("nothing"), "")]], color=options.color)
    lines: list[Line] = _table(diagnosis, said) if diagnosis.variables else []
    for variable in diagnosis.variables:
        lines += _verdict_lines(variable, said)
    for heading, problems in _grouped(diagnosis.problems, said):
        lines += [[], [(visible(heading), "title")]]
        for problem in problems:
            lines += _problem_lines(problem, said)
            if problem.kind.startswith(_MISSING):
                lines += _needing(problem.variable, diagnosis, said)
    return paint([*lines, *([[]] if lines else []), *_summary(diagnosis, said)], color=options.color)


def render_explanation(error: str, options: RenderOptions, format: str = "text") -> str:  # noqa: A002  # as above
    """Say what an error of a model call means: each cause, the likeliest first, and what to do about it.

    Raises:
        UsageError: there is no page about it.
    """
    said = _Said(options)
    error = _ALIASES.get(error.lower(), error.lower())
    if error not in EXPLAINED:
        known = ", ".join(EXPLAINED)
        raise UsageError(said.say("explain.unknown", error=visible(error[:_MOST_SHOWN]), known=known))
    values = _facts(options, said)
    meaning = said.say(f"explain.{error}")
    pairs = [
        (said.say(name, **values), said.say(f"{name}.do"))
        for name in (f"explain.{error}.{number}" for number in range(1, causes(error) + 1))
    ]
    if format == "json":
        listed = [{"cause": cause, "remedy": remedy} for cause, remedy in pairs]
        return json_text({"version": 1, "error": error, "meaning": meaning, "causes": listed})
    _known(format)
    lines: list[Line] = [[(meaning, "title")]]
    for number, (cause, remedy) in enumerate(pairs, 1):
        lines.append([])
        lines += _wrapped(f"{number}. ", cause, "", options)
        lines += _wrapped("   ", remedy, "dim" if options.color else "", options)
    return paint(lines, color=options.color)


_MOST_SHOWN = 20  # characters of an error that nobody knows
_ALIASES = {"connection": "timeout", "certificate": "ssl", "tls": "ssl"}  # what else the errors are called


class _Said:
    """The words of one report."""

    def __init__(self, options: RenderOptions) -> None:
        self.options = options
        self._texts: Texts = texts(options.lang)
        self._others: Texts = all_texts(options.lang)

    def say(self, name: str, /, **values: object) -> str:
        """Give a text of the doctor's."""
        return self._texts.say(name, **values)

    def place(self, place: Place) -> str:
        """Name a place."""
        if place == SHELL:
            return self.say("shell")
        return f"{place.path}:{place.line}" if place.line else place.path

    def message(self, problem: Problem) -> str:
        """Say what is wrong."""
        values = self._values(problem)
        if problem.kind in {"flaw", "flaw.inside"}:
            values["flaw"] = self._others.say(f"identify.{problem.flaw}", **values)
        elif problem.kind == "url.fault":
            values["flaw"] = self._rule_words(problem.flaw, values)
        return self.say(problem.kind, **values)

    def remedy(self, problem: Problem) -> str:
        """Say what to do."""
        name = f"{problem.kind}.do"
        if problem.kind == "url.fault" and not problem.values.get("instead"):
            name = "url.fault.do.bare"
        return self.say(name, **self._values(problem))

    def errors(self, leads: Iterable[str]) -> str:
        """Name what a problem leads to."""
        return self.say("and").join(one if one.isdigit() else self.say(f"error.{one}") for one in leads)

    def _values(self, problem: Problem) -> dict[str, object]:
        found: dict[str, object] = {"variable": problem.variable, "unset": _unset(problem.variable)}
        for name, value in problem.values.items():
            found[name] = self._value(name, value)
        found["url"] = problem.url or self._others.say("no-console")
        return found

    def _value(self, name: str, value: object) -> object:
        if isinstance(value, Place):
            return visible(self.place(value))
        if name in {"provider", "owner"}:
            return provider_name(str(value), self.options)
        if isinstance(value, tuple):
            return self.say("and").join(visible(f"{one}…" if name == "prefixes" else one) for one in value)
        return value if isinstance(value, int) else visible(str(value))

    def _rule_words(self, case: str, values: Mapping[str, object]) -> str:
        """What the rule about base URLs says of a case."""
        catalogue = self.options.catalogue
        rule = catalogue.rules[_RULE] if catalogue is not None else None
        found = rule.cases.get(case) if rule is not None else None
        message = (found.message_zh if self.options.lang == "zh" else found.message) if found is not None else None
        return (message or case).format_map(values)


def _unset(variable: str) -> str:
    return f"Remove-Item Env:{variable}" if os.name == "nt" else f"unset {variable}"


# -- the table -------------------------------------------------------------------------------------------------------


def _table(diagnosis: Diagnosis, said: _Said) -> list[Line]:
    """One line a setting; the one that counts stands first and names the variable."""
    head = [said.say(f"table.{name}") for name in ("state", "variable", "set", "whose", "value")]
    levels = _levels(diagnosis.problems)
    rows: list[list[str]] = []
    states: list[str] = []
    for variable in diagnosis.variables:
        whose = provider_name(variable.provider, said.options) if variable.provider else ""
        state = levels.get(variable.name, "ok")
        if not variable.settings:
            rows.append([said.say("state.unset"), variable.name, "", whose, ""])
            states.append("unset" if state == "problem" else "hidden")
        for shown in variable.settings:
            mine = state if shown.wins else "hidden"
            name = variable.name if shown.wins else ""
            rows.append([said.say(f"state.{mine}"), name, said.place(shown.place), whose, _value(shown, said)])
            states.append(mine)
            whose = ""
    sizes = table_sizes([head, *rows])
    lines: list[Line] = [table_row(head, sizes, ["dim"] * len(head))]
    for row, state in zip(rows, states, strict=True):
        lines.append(table_row(row, sizes, [_STYLES[state], "rule", "path", "", "key"]))
    return lines


def _levels(problems: Iterable[Problem]) -> dict[str, str]:
    """The worst that is said of each variable."""
    found: dict[str, str] = {}
    for problem in problems:
        if found.get(problem.variable) != "problem":
            found[problem.variable] = problem.level
    return found


def _value(shown: Shown, said: _Said) -> str:
    if shown.state != "set":
        return said.say(f"value.{shown.state}")
    return shown.url or said.say("value.key", prefix=shown.prefix, count=shown.length)


def _verdict_lines(variable: Variable, said: _Said) -> list[Line]:
    if variable.verdict is None:
        return []
    from keyguard.verify import say_verdict  # noqa: PLC0415  # for whoever asked a provider

    text = f"{variable.name}: {say_verdict(variable.verdict, said.options.lang)}"
    return [[], *_wrapped("", text, _VERDICT_STYLES.get(variable.verdict.state, ""), said.options)]


_VERDICT_STYLES = {"live": "good", "dead": "high", "restricted": "medium"}


# -- problems --------------------------------------------------------------------------------------------------------


def _grouped(problems: Sequence[Problem], said: _Said) -> Iterator[tuple[str, list[Problem]]]:
    """Problems by what they are about, in their order: a variable, a file, the shell."""
    groups: dict[str, list[Problem]] = {}
    for problem in problems:
        groups.setdefault(problem.variable or said.place(problem.place), []).append(problem)
    yield from groups.items()


def _problem_lines(problem: Problem, said: _Said) -> list[Line]:
    options = said.options
    state = said.say(f"state.{problem.level}")
    where = f"{said.place(problem.place)}: " if problem.variable and problem.place != SHELL else ""
    lines = _wrapped(f"{_INDENT}{state}: ", visible(where) + said.message(problem), _STYLES[problem.level], options)
    lines += _wrapped(f"{_INDENT}{_INDENT}{said.say('do')}: ", said.remedy(problem), "", options)
    if problem.leads:
        lines += _wrapped(f"{_INDENT}{_INDENT}{said.say('leads')}: ", said.errors(problem.leads), "", options)
    return lines


def _needing(name: str, diagnosis: Diagnosis, said: _Said) -> list[Line]:
    """The further places that need a variable which is not set."""
    places = next((one.needed[1:] for one in diagnosis.variables if one.name == name), ())
    most = len(places) if said.options.verbose else _FEW
    shown = [visible(said.place(place)) for place in places[:most]]
    if len(places) > most:
        shown.append(said.say("needed.more", count=len(places) - most))
    text = said.say("and").join(shown)
    return _wrapped(f"{_INDENT}{_INDENT}{said.say('needed')}: ", text, "", said.options) if places else []


def _wrapped(head: str, text: str, style: str, options: RenderOptions) -> list[Line]:
    """A paragraph behind a head, its further lines as far in as the head begins."""
    inner = len(head) - len(head.lstrip(" "))
    width = options.width - inner if options.width is not None else None
    first, *rest = wrap(head.lstrip(" ") + text, width)
    word = head.strip()
    is_split = bool(word) and first.startswith(word)
    pieces: Line = [(word, style), (first[len(word) :], "")] if is_split else [(first, style)]
    return [[(" " * inner, ""), *pieces], *([(" " * inner + line, "")] for line in rest)]


def _summary(diagnosis: Diagnosis, said: _Said) -> list[Line]:
    count = sum(problem.level == "problem" for problem in diagnosis.problems)
    if not count:
        where = said.say("and").join((said.say("shell"), *map(visible, diagnosis.files)))
        name = "healthy.notes" if diagnosis.problems else "healthy"
        lines: list[Line] = [[(said.say(name, count=len(diagnosis.variables), where=where), "good")]]
        has_keys = any(one.kind == "key" and one.settings for one in diagnosis.variables)
        return [*lines, [(said.say("next.verify"), "dim")]] if has_keys and not diagnosis.was_asked else lines
    lines = [[(said.say("found", count=count), "high")]]
    page = next((one for problem in diagnosis.problems for one in map(_page, problem.leads)), None)
    return [*lines, [(said.say("next", error=page), "command")]] if page else lines


def _page(error: str) -> str:
    """The page that explains an error."""
    return _ALIASES.get(error, error)


# -- what errors mean ------------------------------------------------------------------------------------------------


def _facts(options: RenderOptions, said: _Said) -> dict[str, str]:
    """What the pages name from the catalogue."""
    catalogue = options.catalogue
    if catalogue is None:
        return dict.fromkeys(("wrong_key_400", "wrong_key_403", "quota", "usual"), "…")
    join = said.say("and").join
    quota = [text for text in catalogue.retrying.quota_texts if "_" in text or " " in text]
    return {
        "wrong_key_400": join(_refusing(catalogue, 400, options)),
        "wrong_key_403": join(_refusing(catalogue, 403, options)),
        "quota": join(f'"{text}"' for text in quota[:_MOST_NAMED]),
        "usual": f"{_usual(catalogue):g} s",
    }


def _refusing(catalogue: Catalogue, status: int, options: RenderOptions) -> list[str]:
    """The providers that answer a wrong key with this status."""
    found = [
        provider.label(options.lang)
        for provider in catalogue.providers.values()
        if provider.verify is not None and str(status) in refusals(provider)
    ]
    return found[:_MOST_NAMED]


def _usual(catalogue: Catalogue) -> float:
    """How long most SDKs wait when nobody says how long, in seconds."""
    timeouts = (sdk.timeout.default for sdk in catalogue.sdks.values() if sdk.timeout is not None)
    waits = [seconds for seconds in timeouts if seconds]
    return max(sorted(set(waits)), key=waits.count, default=0)


# -- for programs ----------------------------------------------------------------------------------------------------


def _object(diagnosis: Diagnosis, said: _Said) -> dict[str, Any]:
    problems = [problem for problem in diagnosis.problems if problem.level == "problem"]
    return {
        "version": 1,
        "summary": {
            "healthy": diagnosis.is_healthy,
            "variables": len(diagnosis.variables),
            "problems": len(problems),
            "notes": len(diagnosis.problems) - len(problems),
            "files": list(map(encodable, diagnosis.files)),
        },
        "variables": [_variable_object(variable) for variable in diagnosis.variables],
        "problems": [_problem_object(problem, said) for problem in diagnosis.problems],
    }


def _variable_object(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "holds": variable.kind,
        "provider": variable.provider,
        "settings": [_shown_object(shown) for shown in variable.settings],
        "needed_by": [{"path": encodable(place.path), "line": place.line} for place in variable.needed],
        "verdict": _verdict_object(variable.verdict) if variable.verdict is not None else None,
    }


def _shown_object(shown: Shown) -> dict[str, Any]:
    return {
        **_place_object(shown.place),
        "counts": shown.wins,
        "state": shown.state,
        "prefix": shown.prefix or None,
        "length": shown.length,
        "url": shown.url or None,
    }


def _verdict_object(verdict: Verdict) -> dict[str, Any]:
    return {
        "state": verdict.state,
        "host": verdict.host or None,
        "status": verdict.status,
        "reason": verdict.reason,
        "limits": dict(verdict.limits),
        "at": verdict.at or None,
    }


def _problem_object(problem: Problem, said: _Said) -> dict[str, Any]:
    return {
        "problem": problem.kind,
        "flaw": problem.flaw or None,
        "level": problem.level,
        "variable": problem.variable or None,
        **_place_object(problem.place),
        "message": encodable(said.message(problem)),
        "remedy": encodable(said.remedy(problem)),
        "leads_to": list(problem.leads),
        "url": problem.url,
    }


def _place_object(place: Place) -> dict[str, Any]:
    return {"path": encodable(place.path) or None, "line": place.line or None}


def _known(format: str) -> None:  # noqa: A002  # the option's own name
    if format not in DOCTOR_FORMATS:
        msg = f"unknown output format {format!r}: use one of {', '.join(DOCTOR_FORMATS)}"
        raise UsageError(msg)
