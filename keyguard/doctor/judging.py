"""From what is set and what code needs to a diagnosis: pure, over frozen data, and without a value in its result."""

from __future__ import annotations

from keyguard.doctor import bases, keys
from keyguard.doctor.bases import without_keys
from keyguard.doctor.goals import Held, chosen, goals_of, needs, place_of, watched
from keyguard.doctor.records import SHELL, Diagnosis, Place, Problem, Shown, Variable
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keyguard.catalogue import Catalogue
    from keyguard.doctor.records import EnvFile, Environment, Setting
    from keyguard.inventory import Row
    from keyguard.knowledge import Precedence

_NEAR = 0.84  # of difflib's likeness: OPENAI_APIKEY is near OPENAI_API_KEY, GROQ_API_KEY is not near GROK_API_KEY


def diagnose(
    environment: Environment, rows: Sequence[Row], catalogue: Catalogue, trusted: Mapping[str, str] | None = None
) -> Diagnosis:
    """Say what is set where and what of it makes model calls fail or keys leak.

    Args:
        environment: what a program would find.
        rows: the connections of the project's own code; tests and examples left out.
        catalogue: providers and SDKs.
        trusted: hosts that the project's settings answer for, each with a provider's id or `own`.
    """
    case = _Case(environment, rows, catalogue, trusted or {})
    variables, problems = case.variables()
    problems += case.missing()
    problems += case.conflicts()
    problems.sort(key=lambda one: one.variable)
    problems += [*case.files(), *case.surroundings()]
    return Diagnosis(tuple(variables), tuple(problems), tuple(file.path for file in environment.files))


class _Case:
    """One environment that is looked at."""

    def __init__(
        self, environment: Environment, rows: Sequence[Row], catalogue: Catalogue, trusted: Mapping[str, str]
    ) -> None:
        self.environment, self.rows, self.catalogue, self.trusted = environment, rows, catalogue, trusted
        self.held = Held(environment)
        self.kinds = watched(rows, catalogue)
        self.needed = needs(rows, self.held)

    # one variable

    def variables(self) -> tuple[list[Variable], list[Problem]]:
        """Every variable that is set or needed, by name, and what is wrong with what is set."""
        variables: list[Variable] = []
        problems: list[Problem] = []
        for name in sorted({*self.needed, *self.held.names}):
            kind = self.kinds.get(name)
            if kind is None:
                continue
            first = self.held.first(name)
            if first is None:
                owner = next(iter(self.catalogue.providers_of_env(name)), None)
                variables.append(Variable(name, kind, owner.id if owner else None, needed=self.needed.get(name, ())))
                continue
            shown, provider, found = self._judged(first, kind)
            problems += [*found, *self._several(name, kind)]
            rest = tuple(self._beside(setting, kind) for setting in self.held.all(name)[1:])
            variables.append(Variable(name, kind, provider, (shown, *rest), self.needed.get(name, ())))
        return variables, problems

    def _judged(self, setting: Setting, kind: str) -> tuple[Shown, str | None, tuple[Problem, ...]]:
        if kind == "base_url":
            return bases.judge(setting, self.rows, self.catalogue, self.trusted)
        goals = goals_of(setting.name, self.rows, self.held, self.catalogue, self.trusted)
        judged = keys.judge(setting, goals, self.catalogue)
        return judged.shown, judged.provider, judged.problems

    def _beside(self, setting: Setting, kind: str) -> Shown:
        """A setting that another one hides."""
        return self._judged(setting, kind)[0]._replace(wins=False)

    def _several(self, name: str, kind: str) -> Iterator[Problem]:
        """What is wrong between several settings of one variable."""
        first, *rest = self.held.all(name)
        leads = ("401",) if kind == "key" else ("401", "404")
        for place in dict.fromkeys(setting.place.path for setting in rest):
            other = next(setting for setting in rest if setting.place.path == place)
            if other.value.value == first.value.value or not other.value.value.strip():
                continue
            if self._beside(other, kind).state in {"placeholder", "reference"}:
                continue
            values: dict[str, object] = {"other": other.place, "place": first.place}
            if place == first.place.path:
                yield Problem("twice", name, first.place, values, leads)
            elif not first.value.value.strip():
                yield Problem("empty.hides", name, first.place, values, leads)
            elif SHELL in {first.place, other.place}:
                over = "differs.file" if other.place == SHELL else "differs"
                yield Problem(over, name, first.place, values, leads)

    # what code needs

    def missing(self) -> list[Problem]:
        """Variables that code needs and nobody sets, each once with all the places that need it."""
        found: dict[str, Problem] = {}
        for row in self.rows:
            for problem in self._missing(row):
                known = found.get(problem.variable)
                if known is None:
                    found[problem.variable] = problem
        return list(found.values())

    def _missing(self, row: Row) -> Iterator[Problem]:
        if row.key.kind == "variable" and not row.key.optional and not self._takes_any(row):
            name = row.key.names[0]
            empty = next(filter(None, map(self.held.first, row.key.names)), None)
            if self._is_set_in_code(row.key.names):
                return
            if all(not self.held.value(name).strip() for name in row.key.names):
                if empty is not None:
                    is_hiding = any(setting.value.value.strip() for setting in self.held.all(empty.name))
                    if not is_hiding:
                        yield Problem("empty", empty.name, empty.place, {"needs": place_of(row)}, ("401",))
                elif not self._is_told(name) and not any(self._fallback(row)):
                    yield self._nowhere(name, row, "key")
        unset = [name for name in row.base_names if not self.held.value(name).strip()]
        is_known = any(peer.host or peer.provider for peer in row.peers)
        is_unset = bool(row.base_names) and len(unset) == len(row.base_names)
        is_told = self._is_set_in_code(row.base_names) or any(map(self._is_told, row.base_names))
        if is_unset and not is_known and not is_told:
            yield self._nowhere(row.base_names[0], row, "base")

    def _takes_any(self, row: Row) -> bool:
        """Tell whether a connection goes to one's own machine, where a key is seldom asked for."""
        goals = goals_of(chosen(row, self.held), (row,), self.held, self.catalogue, self.trusted)
        return bool(goals) and all(goal.route == "local" for goal in goals)

    def _is_told(self, name: str) -> bool:
        """Tell whether a line of an env file means to set it: what is wrong there is told there."""
        return any(unread.name == name for file in self.environment.files for unread in file.unread)

    def _is_set_in_code(self, names: Iterable[str]) -> bool:
        return any(one.kind == "code" and one.name in names for one in self.environment.named)

    def _nowhere(self, name: str, row: Row, kind: str) -> Problem:
        """A variable that is set nowhere, with the likeliest reason."""
        values: dict[str, object] = {"needs": place_of(row)}
        named = {one.kind: one.place for one in reversed(self.environment.named) if one.name == name}
        leads = ("401",) if kind == "key" else ("401", "404")
        near = self._near(name)
        owner = next(iter(self.catalogue.providers_of_env(name)), None)
        url = owner.console_url if owner is not None else None
        for hint in ("near", "template", "elsewhere"):
            if hint == "near" and near:
                return Problem("missing.near", name, SHELL, {**values, "other": near}, leads, url=url)
            if hint in named:
                return Problem(f"missing.{hint}", name, SHELL, {**values, "other": named[hint]}, leads, url=url)
        return Problem("missing", name, SHELL, values, leads, url=url)

    def _near(self, name: str) -> str:
        """A variable that is set, looks like a key's and is spelt nearly the same."""
        import difflib  # noqa: PLC0415  # 4 ms, for a variable that is missing only

        return next(iter(difflib.get_close_matches(name, self.environment.others, n=1, cutoff=_NEAR)), "")

    # between variables

    def conflicts(self) -> list[Problem]:
        """Two variables for one thing of which one silently counts, and those that step in for one that is unset."""
        found: list[Problem] = []
        for pair in self.catalogue.env_access.precedences:
            wins, over = self.held.first(pair.wins), self.held.first(pair.over)
            if wins is None or over is None or not self._is_read(pair) or not self._differ(wins, over):
                continue
            values: dict[str, object] = {"other": pair.over, "reader": pair.reader, "place": over.place}
            found.append(Problem("conflict", pair.wins, wins.place, values, ("401", "429")))
        for row in self.rows:
            found += self._fallback(row)
            found += self._second(row)
        return list({(one.kind, one.variable): one for one in found}.values())

    def _is_read(self, pair: Precedence) -> bool:
        """Tell whether the code uses what prefers one of them; without any code that is known, it may."""
        packages = {sdk.package for row in self.rows if (sdk := self.catalogue.sdks.get(row.library)) is not None}
        return not self.rows or pair.reader in packages

    def _differ(self, one: Setting, other: Setting) -> bool:
        values = [setting.value.value.strip() for setting in (one, other)]
        if not all(values) or values[0] == values[1]:
            return False
        states = {self._beside(setting, self.kinds.get(setting.name, "key")).state for setting in (one, other)}
        return states == {"set"}

    def _second(self, row: Row) -> Iterator[Problem]:
        """Keys of one form in two of the variables that an SDK looks for by itself, in its order."""
        sdk = self.catalogue.sdks.get(row.library)
        if sdk is None or row.key.kind != "variable" or not row.key.implied:
            return
        found = [setting for name in row.key.names if (setting := self.held.first(name)) is not None]
        filled = [setting for setting in found if setting.value.value.strip()]
        for other in filled[1:]:
            first = filled[0]
            shown = [self._beside(setting, "key") for setting in (first, other)]
            # Other forms may be meant for another thing: one to manage the account, the half of a pair.
            is_alike = (shown[0].prefix, shown[0].length) == (shown[1].prefix, shown[1].length)
            if is_alike and self._differ(first, other):
                values: dict[str, object] = {"other": other.name, "reader": sdk.package, "place": other.place}
                yield Problem("conflict", first.name, first.place, values, ("401", "429"))

    def _fallback(self, row: Row) -> Iterator[Problem]:
        """An SDK that sends another provider's key when its own variable is not set."""
        sdk = self.catalogue.sdks.get(row.library)
        if sdk is None or sdk.missing_key != "fallback" or row.key.kind != "variable" or not row.key.implied:
            return
        other = next((name for name in sdk.env_fallback if self.held.value(name).strip()), "")
        if other and not any(self.held.value(name).strip() for name in row.key.names):
            host = next((peer.host for peer in row.peers if peer.host), "")
            values: dict[str, object] = {"other": other, "reader": sdk.package, "host": host, "needs": place_of(row)}
            yield Problem("fallback", row.key.names[0], SHELL, values, ("401",))

    # files and the rest

    def files(self) -> list[Problem]:
        """What is wrong with the env files themselves."""
        return [problem for file in self.environment.files for problem in (*_of_file(file), *self._unloaded(file))]

    def _unloaded(self, file: EnvFile) -> Iterator[Problem]:
        """A file that nothing seems to load, and that alone holds what code needs."""
        if file.is_loaded or self.environment.loads:
            return
        firsts = [setting for name in self.needed if (setting := self.held.first(name)) is not None]
        names = [setting.name for setting in firsts if setting.place.path == file.path and setting.value.value.strip()]
        if names:
            values: dict[str, object] = {"names": tuple(names), "file": file.path}
            yield Problem("file.unloaded", "", Place(file.path), values, ("401",), "note")

    def surroundings(self) -> Iterator[Problem]:
        """What else of the environment ends requests."""
        for name, path in self.environment.missing_bundles:
            yield Problem("bundle", name, SHELL, {"path": without_keys(path, self.catalogue)}, ("ssl",))
        for name, scheme in self.environment.proxies:
            yield Problem("socks", name, SHELL, {"scheme": scheme}, ("connection",), "note")


def _of_file(file: EnvFile) -> Iterator[Problem]:
    place = Place(file.path)
    if file.error:
        yield Problem("file.unreadable", "", place, {"reason": file.error}, ("401",))
        return
    if file.coding == "utf-16":
        yield Problem("file.utf-16", "", place, leads=("401",))
        return
    if file.coding == "bom" and file.settings:
        yield Problem("file.bom", "", place, {"variable": file.settings[0].name}, ("401",))
    for unread in file.unread:
        yield Problem(f"line.{unread.kind}", unread.name, Place(file.path, unread.line), leads=("401",))
    if file.has_secrets:
        yield from _exposed(file, place)
    if file.ends == "crlf":
        yield Problem("file.crlf", "", place, level="note")


def _exposed(file: EnvFile, place: Place) -> Iterator[Problem]:
    """Who else gets to see what it holds."""
    if file.status in {"tracked", "staged"}:
        yield Problem("file.tracked", "", place, {"path": file.path})
    elif file.status == "untracked":
        yield Problem("file.untracked", "", place, {"path": file.path})
    if file.is_open:
        yield Problem("file.open", "", place, {"path": file.path})
    if file.served:
        yield Problem("file.served", "", place, {"folder": file.served})
