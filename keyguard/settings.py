"""`[tool.keyguard]` in pyproject.toml, or keyguard.toml, becomes one frozen `Settings`; mistakes are told by name."""

from __future__ import annotations

import functools
import os
import sys

from keyguard.catalogue import Known, Own
from keyguard.errors import UsageError
from keyguard.model import Confidence, Notice, Severity, Span
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    _Reader: TypeAlias = "Callable[[object, _File | _Given, Callable[[], Vocabulary]], object]"

# Named tuples for the small things: making a frozen dataclass costs 0.7 ms at start, a named tuple 0.06.
# os.path and not pathlib in this module: pathlib costs 8 ms at start, and a hook has 70.
# ruff: noqa: PTH100, PTH109, PTH112, PTH113, PTH118, PTH119, PTH120, PTH123, PTH206

# The baselines that are used when they stand at the root: our own, and that of detect-secrets.
BASELINES = (".keyguard-baseline.json", ".secrets.baseline")
OWN_FILE = "keyguard.toml"
SHARED_FILE = "pyproject.toml"
FORMAT_VARIABLE = "KEYGUARD_OUTPUT_FORMAT"

FORMATS = (
    "text",
    "concise",
    "json",
    "jsonl",
    "csv",
    "sarif",
    "github",
    "gitlab-quality",
    "gitlab-secrets",
    "junit",
    "markdown",
)
LANGUAGES = ("en", "zh")
KEY_STORES = ("env-file", "keyring", "aws-secrets-manager", "vault", "none")

# Folders nobody writes by hand. `.vscode`, `dist`, `build` and `.ipynb_checkpoints` are not here: keys leak there.
DEFAULT_EXCLUDE = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".hg",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    "__pycache__",
    "__pypackages__",
    "node_modules",
    "site-packages",
    "venv",
)

_LARGEST = 1 << 20  # bytes read of a settings file: nobody writes one, and a file of a gigabyte must not fill memory
_EVERY_RULE = "KG"
_SHOWN_WHOLE = 16  # a wrong word up to this length is no key worth hiding, see `quote`
_SHOWN_WORDS = 40
_SHOWN_START = 4


class Vocabulary(NamedTuple):
    """The names a setting may use: rule ids with their names, and the detect-secrets plug-ins of KG108.

    `known` gives those of the catalogue, for settings about hosts, providers and SDKs.
    """

    rules: Mapping[str, str]
    plugins: tuple[str, ...] = ()
    known: Callable[[], Known] = Known

    def resolve(self, word: str) -> str | None:
        """Give the id or id prefix that `KG101`, `KG1`, `ALL` or a rule's name stands for; None if there is none."""
        upper = word.strip().upper()
        if upper == "ALL":
            return _EVERY_RULE
        if upper.startswith(_EVERY_RULE) and any(rule.startswith(upper) for rule in self.rules):
            return upper
        lower = word.strip().lower()
        return next((rule for rule, name in self.rules.items() if name == lower), None)

    def closest(self, word: str) -> str | None:
        """Give the id or name most like a word that is neither, None if nothing is alike."""
        return closest(word.strip(), (*self.rules, *self.rules.values(), "ALL"))


class Patterns(NamedTuple):
    """Gitignore patterns and the folder they count from."""

    base: str
    patterns: tuple[str, ...]

    def matches(self, path: str) -> bool:
        """Tell whether a pattern takes the path, given absolute or from the working folder, or a folder above it."""
        names, others = _split(self.patterns)
        # The common case, asked of every file: no name of the path is one of the plain ones, and there are no others.
        if not others and names.isdisjoint(os.path.abspath(path).split(os.sep)):
            return False
        inside = relative(path, self.base)
        if inside is not None:
            return _matches(self.patterns, inside)
        # Elsewhere a pattern with a place means nothing, but `node_modules` is still node_modules.
        return not names.isdisjoint(os.path.abspath(path).split(os.sep))


_DEFAULT_EXCLUDE = Patterns(".", DEFAULT_EXCLUDE)


class PerFileIgnore(NamedTuple):
    """One line of `per-file-ignores`: what is not reported in the files a pattern takes."""

    pattern: str
    rules: tuple[str, ...]
    base: str

    def takes(self, path: str) -> bool:
        """Tell whether the pattern takes the path."""
        return Patterns(self.base, (self.pattern,)).matches(path)

    def hides(self, rule: str) -> bool:
        """Tell whether the rule is one of those not reported."""
        return any(rule.startswith(selector) for selector in self.rules)

    def place_in(self, text: str) -> Span:
        """Give where the pattern stands in the text of its settings file, the beginning if it is spelt otherwise."""
        start = max(text.find(f'"{self.pattern}"'), text.find(f"'{self.pattern}'"), -1)
        return Span(0, 0) if start < 0 else Span(start, start + len(self.pattern) + 2)


class Selection(NamedTuple):
    """What one source of settings says about rules; `select` None leaves the sources before it in force."""

    select: tuple[str, ...] | None = None
    extend: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


class Advice(NamedTuple):
    """What the rules about connections are told: limits to recommend in seconds, and hosts that are known and fine.

    `trusted` maps a host to a provider's id or to `own`. `one_off` are the files whose calls may go without a retry.
    """

    http_timeout: int = 30
    model_timeout: int = 120
    trusted: tuple[tuple[str, str], ...] = ()
    one_off: Patterns = Patterns(".", ())


class Storing(NamedTuple):
    """Where `fix` puts the keys it takes out of code.

    What says where a remote store answers, and who asks, is not here: a cloned repository's settings must not be able
    to send keys to a host of its own choice. `env_file` None means `.env` at the root; of `keyring_service` and
    `vault_path` None means the name of the project's folder.
    """

    kind: str = "env-file"
    env_file: str | None = None
    keyring_service: str | None = None
    aws_prefix: str = ""
    vault_mount: str = "secret"
    vault_path: str | None = None


class Settings(NamedTuple):
    """Everything a run was told, by file, environment and command line; paths are absolute.

    `root` is the folder of the settings file, else the git root, else the working folder; `source` the settings
    file as the user would type it. `lang` None means the terminal's language, `jobs` None every core.
    `baseline` None means the one that is found, an empty text none at all. `code_style` is how fixes read a variable,
    `env` the variables by which the project calls the keys of hosts; `load_dotenv` None means where it is a dependency.
    """

    root: str = "."
    source: str | None = None
    selections: tuple[Selection, ...] = ()
    per_file_ignores: tuple[PerFileIgnore, ...] = ()
    exclude: Patterns = _DEFAULT_EXCLUDE
    extend_exclude: tuple[Patterns, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    min_severity: Severity = Severity.MEDIUM
    min_confidence: Confidence = Confidence.MEDIUM
    show_ignored: bool = False
    baseline: str | None = None
    lang: str | None = None
    output_format: str = "text"
    jobs: int | None = None
    plugins_on: tuple[str, ...] = ()
    plugins_off: tuple[str, ...] = ()
    advice: Advice = Advice()
    storing: Storing = Storing()
    own: Own = Own()
    unsafe_fixes: bool = False
    load_dotenv: bool | None = None
    code_style: str = "os.environ"
    env: tuple[tuple[str, str], ...] = ()

    @property
    def keyring_service(self) -> str:
        """The service under which the keyring keeps this project's keys."""
        return self.storing.keyring_service or os.path.basename(self.root) or "keyguard"

    @property
    def vault_path(self) -> str:
        """The secret of Vault that holds this project's keys."""
        name = "".join(c if c.isascii() and c.isalnum() else "-" for c in os.path.basename(self.root)).strip("-")
        return self.storing.vault_path or name or "keyguard"

    def is_selected(self, rule: str) -> bool:
        """Tell whether a rule runs: the more specific selector wins, `ignore` among equals."""
        return _selected(self.selections, rule)[0]

    def may_select(self, family: str) -> bool:
        """Tell whether any rule whose id begins so may run: cheaply, without knowing which rules there are."""
        wanted = (word for selection in self.selections for word in (*(selection.select or ()), *selection.extend))
        return self.is_selected(family) or any(selector.startswith(family) for selector in wanted)

    def is_named(self, rule: str) -> bool:
        """Tell whether a rule that runs was selected by its full id or name."""
        return _selected(self.selections, rule) == (True, True)

    def is_shown(self, rule: str, severity: Severity, confidence: Confidence) -> bool:
        """Tell whether a finding is reported, else only counted; a rule selected by its full id always is."""
        loud = severity >= self.min_severity and confidence >= self.min_confidence
        return loud or self.is_named(rule)

    def ignored_by_path(self, path: str) -> tuple[PerFileIgnore, ...]:
        """Give the per-file ignores that take this path."""
        return tuple(entry for entry in self.per_file_ignores if entry.takes(path))

    def is_excluded(self, path: str, below: str | None = None) -> bool:
        """Tell whether `exclude` or `extend-exclude` leaves the path out.

        With `below`, a folder the user named: what takes that folder itself does not count.
        """
        for group in (self.exclude, *self.extend_exclude):
            if not group.matches(path):
                continue
            if below is None or not group.matches(below):
                return True
            rest = relative(path, below)
            if rest is not None and _matches(group.patterns, rest):
                return True
        return False


class SettingsFinder:
    """Finds the settings of each path: the nearest settings file above it, then environment and command line.

    `overrides` are command-line options by setting name (`{"min-severity": "low", "select": ["KG1"]}`), `config` a
    settings file that stands in for all others (its paths count from the working folder, as with ruff), `isolated`
    reads none. `vocabulary` is asked only when a setting names a rule or plug-in. Everything wrong raises
    `UsageError`; with `keep_going` a mistake in a settings file that was found becomes an error in `notices`, what
    is right in that file counts, and the rest of the project is still checked.
    """

    def __init__(  # noqa: PLR0913  # one word for each thing the command line can say about settings
        self,
        vocabulary: Callable[[], Vocabulary],
        overrides: Mapping[str, object] | None = None,
        *,
        config: str | None = None,
        isolated: bool = False,
        environ: Mapping[str, str] | None = None,
        keep_going: bool = False,
    ) -> None:
        """Check command line, environment and `config` at once; settings files are read when a path asks."""
        self._vocabulary = vocabulary
        self._keep_going = keep_going
        self._isolated = isolated
        self._notices: list[Notice] = []
        self._cache: dict[str, Settings] = {}
        self._roots: dict[str, str] = {}
        self._cwd = os.getcwd()
        self._last: list[tuple[dict[str, Any], str]] = []
        chosen = (os.environ if environ is None else environ).get(FORMAT_VARIABLE)
        if chosen:
            self._last.append((self._loose({"output-format": chosen}, FORMAT_VARIABLE), self._cwd))
        if overrides:
            self._last.append((self._loose(overrides, None), self._cwd))
        self._fixed: Settings | None = None
        if config is not None and not isolated:
            self._fixed = self._of_file(config, self._cwd, keep_going=False)
            if self._fixed is None:
                text = f"{display(config)}: there is no [tool.keyguard] in it; add the table or name another file"
                raise UsageError(text)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the user should know about the settings files read so far; errors among them mean exit code 2."""
        return tuple(self._notices)

    @property
    def found(self) -> tuple[Settings, ...]:
        """Every settings in force for a path that was asked for so far."""
        return (self._fixed,) if self._fixed is not None else tuple(set(self._cache.values()))

    def for_path(self, path: str) -> Settings:
        """Give the settings of a file, which need not exist."""
        if self._fixed is not None:
            return self._fixed
        # What is known is known by absolute folders: a run asks three times for each file, most often by such a path.
        known = self._cache.get(path[: path.rfind(os.sep)])  # half of what os.path.dirname takes
        return self.for_folder(os.path.dirname(os.path.abspath(path))) if known is None else known

    def for_folder(self, folder: str) -> Settings:
        """Give the settings of what lies directly in a folder."""
        if self._fixed is not None:
            return self._fixed
        folder = os.path.abspath(folder)
        missing = []
        while (found := self._cache.get(folder)) is None:
            missing.append(folder)
            found = self._of_folder(folder)
            parent = os.path.dirname(folder)
            if found is not None or parent == folder:
                break
            folder = parent
        found = found or self._finished(_defaults(self._cwd))
        for below in missing:
            self._cache[below] = found
        return found

    def for_run(self, paths: Sequence[str] = ()) -> Settings:
        """Give the settings of what belongs to a run and not to a file: format, language, jobs, baseline.

        They are those of the one folder named or of the folder above everything named, else of the working folder.
        """
        folders = [path if os.path.isdir(path) else os.path.dirname(path) for path in map(os.path.abspath, paths)]
        try:
            return self.for_folder(os.path.commonpath(folders) if folders else self._cwd)
        except ValueError:  # two drives
            return self.for_folder(self._cwd)

    def _of_folder(self, folder: str) -> Settings | None:
        """Give the settings that begin in this folder: it has a settings file or is the root of a git tree."""
        if not self._isolated:
            own, shared = os.path.join(folder, OWN_FILE), os.path.join(folder, SHARED_FILE)
            if os.path.isfile(own):
                if _has_table(shared):
                    shown = display(shared)
                    text = f"{shown}: [tool.keyguard] is not read, since {OWN_FILE} stands beside it; keep one of them"
                    self._notices.append(Notice(text, path=shown))
                return self._of_file(own, folder, keep_going=self._keep_going)
            found = self._of_file(shared, folder, keep_going=self._keep_going) if _mentions_us(shared) else None
            if found is not None:
                return found
        if os.path.lexists(os.path.join(folder, ".git")):
            return self._finished(_defaults(folder))
        return None

    def _of_file(self, file: str, base: str, *, keep_going: bool) -> Settings | None:
        """Read one settings file; None for a pyproject.toml without our table, or broken when we keep going."""
        shown = display(file)
        problems: list[str] = []
        values: dict[str, Any] = {}
        table: Mapping[str, object] | None = None
        try:
            table, text, title = _table(file, shown)
        except UsageError as error:
            if not keep_going:
                raise
            problems.append(str(error))
        if table is not None:
            values = _read_all(table, _File(shown, title, text), self._vocabulary, problems)
        if problems and not keep_going:
            raise UsageError("\n".join(problems))
        self._notices += [Notice(problem, path=shown, error=True) for problem in problems]
        if table is None:
            return None
        return self._finished(_applied(_defaults(base, shown), values, base))

    def _loose(self, overrides: Mapping[str, object], variable: str | None) -> dict[str, Any]:
        problems: list[str] = []
        values = _read_all(overrides, _Given(variable), self._vocabulary, problems)
        if problems:
            raise UsageError("\n".join(problems))
        return values

    def _finished(self, settings: Settings) -> Settings:
        for values, base in self._last:
            settings = _applied(settings, values, base)
        return settings


def find_upwards(settings: Settings, name: str) -> str | None:
    """Give the path of a file in the settings' root, or in the nearest folder above it up to the git root."""
    folders = [settings.root]
    while not os.path.lexists(os.path.join(folders[-1], ".git")):
        parent = os.path.dirname(folders[-1])
        if parent == folders[-1]:  # no git tree: nothing says that a folder above belongs to the project
            del folders[1:]
            break
        folders.append(parent)
    return next((path for path in (os.path.join(folder, name) for folder in folders) if os.path.isfile(path)), None)


def unused_per_file_ignores(
    settings: Settings, ignored: Iterable[tuple[str, str]], ran: Callable[[str], bool]
) -> tuple[tuple[PerFileIgnore, tuple[str, ...]], ...]:
    """Give the per-file ignores that hid nothing in a whole-project run, each with its useless selectors.

    `ignored` are path and rule of every finding that was hidden; `ran` tells whether all the rules a selector
    stands for were run, since an ignore for a rule that did not run cannot be judged.
    """
    hidden: dict[str, set[str]] = {}
    for path, rule in ignored:
        hidden.setdefault(path, set()).add(rule)
    useless = []
    for entry in settings.per_file_ignores:
        used = {rule for path, rules in hidden.items() if entry.takes(path) for rule in rules}
        idle = tuple(s for s in entry.rules if ran(s) and not any(rule.startswith(s) for rule in used))
        if idle:
            useless.append((entry, idle))
    return tuple(useless)


def show_settings(settings: Settings) -> str:
    """Give the settings in force as a keyguard.toml would say them, after a line with the file they come from."""
    select: tuple[str, ...] = _ALL
    extend: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    for selection in settings.selections:
        if selection.select is not None:
            select, extend, ignore = selection.select, (), ()
        extend, ignore = extend + selection.extend, ignore + selection.ignore
    rows: dict[str, object] = {
        "select": _words(select),
        "extend-select": _words(extend),
        "ignore": _words(ignore),
        "exclude": settings.exclude.patterns,
        "extend-exclude": tuple(text for group in settings.extend_exclude for text in group.patterns),
        "force-exclude": settings.force_exclude,
        "respect-gitignore": settings.respect_gitignore,
        "min-severity": settings.min_severity.label,
        "min-confidence": settings.min_confidence.label,
        "show-ignored": settings.show_ignored,
        "baseline": settings.baseline and display(settings.baseline),
        "lang": settings.lang,
        "output-format": settings.output_format,
        "jobs": settings.jobs,
        "unsafe-fixes": settings.unsafe_fixes,
        "load-dotenv": settings.load_dotenv,
        "code-style": settings.code_style,
        "http-timeout": settings.advice.http_timeout,
        "model-timeout": settings.advice.model_timeout,
        "one-off": settings.advice.one_off.patterns,
        "key-store": settings.storing.kind,
        "env-file": settings.storing.env_file and display(settings.storing.env_file),
        "keyring-service": settings.storing.keyring_service,
        "aws-prefix": settings.storing.aws_prefix,
        "vault-mount": settings.storing.vault_mount,
        "vault-path": settings.storing.vault_path,
    }
    lines = [f"# {settings.source or 'no settings file: defaults'}"]
    lines += [f"{name} = {_toml(value)}" for name, value in rows.items() if value is not None]
    if settings.per_file_ignores:
        lines += ["", "[per-file-ignores]"]
        lines += [f"{_toml(entry.pattern)} = {_toml(_words(entry.rules))}" for entry in settings.per_file_ignores]
    if settings.plugins_on or settings.plugins_off:
        lines += ["", "[other-secrets]"]
        lines += [f"enable = {_toml(settings.plugins_on)}", f"disable = {_toml(settings.plugins_off)}"]
    if settings.advice.trusted:
        lines += ["", "[trusted-hosts]"]
        lines += [f"{_toml(host)} = {_toml(owner)}" for host, owner in settings.advice.trusted]
    if settings.env:
        lines += ["", "[env]"]
        lines += [f"{_toml(host)} = {_toml(name)}" for host, name in settings.env]
    if settings.own != Own():
        lines += _own_shown(settings.own)
    return "\n".join(lines) + "\n"


def _own_shown(own: Own) -> Iterator[str]:
    import json  # noqa: PLC0415  # 8 ms, for --show-settings only

    for title, items in (("providers", own.providers), ("wrappers", own.wrappers)):
        for name, text in items:
            data: dict[str, object] = json.loads(text)
            # What the table's own name says is no key of it.
            known = "id" if title == "providers" else "name"
            yield from ("", f"[{title}.{_bare(name)}]")
            yield from (f"{_bare(key)} = {_toml(value)}" for key, value in data.items() if key != known)


def own_of(found: Iterable[Settings]) -> Own:
    """Put together what several settings files add to the catalogue.

    Raises:
        UsageError: two of them say different things of one name.
    """
    merged: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for settings in sorted(found, key=lambda item: item.source or ""):
        for held, items, title in zip(merged, settings.own, ("providers", "wrappers"), strict=True):
            for name, text in items:
                if held.setdefault(name, text) != text:
                    message = f"{settings.source}: {title}.{name}: another settings file says otherwise; let them agree"
                    raise UsageError(message)
    return Own(*(tuple(sorted(held.items())) for held in merged))


def relative(path: str, base: str) -> str | None:
    """Give the path from a folder, with `/`; None if it lies elsewhere. No link is followed."""
    path, base = os.path.abspath(path), os.path.abspath(base)
    if path == base:
        return "."
    base = base if base.endswith(os.sep) else base + os.sep
    return path[len(base) :].replace(os.sep, "/") if path.startswith(base) else None


def display(path: str) -> str:
    """Give a path as the user would type it: from the working folder if it lies there, with `/`."""
    return relative(path, os.getcwd()) or os.path.abspath(path).replace(os.sep, "/")


def closest(word: str, words: Iterable[str]) -> str | None:
    """Give the word most like a mistyped one, None if nothing is alike; case does not count."""
    import difflib  # noqa: PLC0415  # 4 ms, for an error only

    by_lower = {candidate.lower(): candidate for candidate in words}
    lowered = word[:_SHOWN_WORDS].lower()
    found = difflib.get_close_matches(lowered, by_lower, n=4)
    # Of the likest, the one that begins like it: `KG1O1` is meant to be KG101, not KG211.
    return by_lower[max(found, key=lambda one: _shared(one, lowered))] if found else None


def _shared(one: str, other: str) -> int:
    """Count the characters that two words have in common at their beginning."""
    return next((at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right), len(one))


def quote(word: str) -> str:
    """Give a wrong word in quotes, cut short where it could be a key pasted in the wrong place."""
    if len(word) > _SHOWN_WORDS or may_be_key(word):
        return f'"{word[:_SHOWN_START]}…" ({len(word)} characters)'
    return f'"{word}"'


def may_be_key(word: str) -> bool:
    """Tell whether a wrong word may be a key: no name of an option, setting, rule or command looks like that."""
    if len(word) <= _SHOWN_WHOLE:
        return False
    parts = word.replace("_", "-").split("-")
    # Names are short words with hyphens in between; some kinds of keys have no digits, and some no capitals either.
    return any(map(str.isdigit, word)) or not (word.islower() or word.isupper()) or max(map(len, parts)) > _SHOWN_WHOLE


_ALL = (_EVERY_RULE,)


def _defaults(root: str, source: str | None = None) -> Settings:
    return Settings(root=root, source=source, exclude=Patterns(root, DEFAULT_EXCLUDE))


class _WrongValueError(Exception):
    """A value that a setting cannot take; the text says what it could, `at` which key below the setting it is."""

    def __init__(self, message: str, at: str = "") -> None:
        """Keep both."""
        super().__init__(message)
        self.at = at


class _File:
    """A settings file as errors name it: with the line of the setting."""

    loose = False

    def __init__(self, shown: str, title: str, text: str) -> None:
        self.shown, self.title, self.text = shown, title, text

    def __call__(self, name: str) -> str:
        return f"{self.shown}{self._line(name)}: {self.title}{name}"

    def unknown(self, name: str) -> str:
        return f"{self.shown}{self._line(name)}: {self.title}has no setting {quote(name)}"

    def _line(self, name: str) -> str:
        # tomllib tells no positions; a line that begins with the name, after our table's header, is the place.
        # Of `providers.corp.hosts` the nearest header that there is.
        while True:
            ours = not self.title
            for number, line in enumerate(self.text.splitlines(), start=1):
                bare = line.strip()
                if bare.startswith("["):
                    ours = "keyguard" in bare if self.title else True
                if ours and bare.split("=")[0].strip().strip("\"'[]").endswith(name.rstrip("\"'")):
                    return f":{number}"
            name, dot, _ = name.rpartition(".")
            if not dot:
                return ""


class _Given:
    """The command line, or an environment variable, as errors name it; values may be text to be read."""

    loose = True

    def __init__(self, variable: str | None) -> None:
        self.variable = variable

    def __call__(self, name: str) -> str:
        return self.variable or f"--{name}"

    def unknown(self, name: str) -> str:
        return f"there is no option {quote('--' + name)}"


def _texts(value: object, where: _File | _Given, _: Callable[[], Vocabulary]) -> tuple[str, ...]:
    if where.loose and isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        message = f'expected a list of texts, like ["…"], not {_shown(value)}'
        raise _WrongValueError(message)
    if where.loose:
        value = [part for item in value for part in item.split(",")]
    return tuple(item.strip() for item in value if item.strip())


def _selectors(value: object, where: _File | _Given, vocabulary: Callable[[], Vocabulary]) -> tuple[str, ...]:
    if not where.loose and not isinstance(value, (list, tuple)):
        message = f'expected a list of rules, like ["KG101"], not {_shown(value)}'
        raise _WrongValueError(message)
    found = []
    for word in _texts(value, where, vocabulary):
        selector = vocabulary().resolve(word)
        if selector is None:
            raise _WrongValueError(_unknown("rule", word, vocabulary().closest(word), "keyguard rules"))
        found.append(selector)
    return tuple(found)


def _per_file(
    value: object, where: _File | _Given, vocabulary: Callable[[], Vocabulary]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if where.loose and isinstance(value, (list, tuple)):
        table: dict[str, object] = {}
        for item in value:
            pattern, colon, rules = str(item).rpartition(":")
            if not colon:
                message = f'expected PATTERN:RULE, like "tests/**:KG101", not {_shown(item)}'
                raise _WrongValueError(message)
            table[pattern] = [*_listed(table.get(pattern)), *rules.split(",")]
        value = table
    if not isinstance(value, dict):
        message = f'expected a table of patterns, like {{"tests/**" = ["KG101"]}}, not {_shown(value)}'
        raise _WrongValueError(message)
    for pattern, rules in value.items():
        if isinstance(rules, dict):  # TOML reads conftest.py = … as a table of its own
            message = f"{quote(pattern)} is a table; put the whole pattern in quotes"
            raise _WrongValueError(message)
    return tuple((pattern, _selectors(rules, where, vocabulary)) for pattern, rules in value.items())


def _listed(value: object) -> list[str]:
    return value if isinstance(value, list) else []


def _plugins(
    value: object, where: _File | _Given, vocabulary: Callable[[], Vocabulary]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not isinstance(value, dict):
        message = f'expected a table, like {{enable = ["…"], disable = ["…"]}}, not {_shown(value)}'
        raise _WrongValueError(message)
    wanted: dict[str, tuple[str, ...]] = {"enable": (), "disable": ()}
    for name, plugins in value.items():
        if name not in wanted:
            raise _WrongValueError(_unknown("setting", name, closest(name, wanted), None, "enable and disable"))
        wanted[name] = _texts(plugins, where, vocabulary)
        for plugin in wanted[name]:
            known = vocabulary().plugins
            if plugin not in known:
                raise _WrongValueError(
                    _unknown("detect-secrets plug-in", plugin, closest(plugin, known), None, ", ".join(known))
                )
    both = sorted({*wanted["enable"]} & {*wanted["disable"]})
    if both:
        message = f"{both[0]} is both enabled and disabled; keep one"
        raise _WrongValueError(message)
    return wanted["enable"], wanted["disable"]


def _trusted(value: object, _where: _File | _Given, _: Callable[[], Vocabulary]) -> tuple[tuple[str, str], ...]:
    import re  # noqa: PLC0415  # in memory already through tomllib

    if isinstance(value, (list, tuple)) and all(isinstance(host, str) for host in value):
        value = dict.fromkeys(value, _OWN)
    if not isinstance(value, dict) or not all(isinstance(owner, str) for owner in value.values()):
        message = f'expected a table of hosts, like {{"llm.corp.example" = "own"}}, not {_shown(value)}'
        raise _WrongValueError(message)
    for host in value:
        if not isinstance(host, str) or not re.fullmatch(_HOST, host.lower()):
            message = f"{_shown(host)} is no host; write llm.corp.example or *.corp.example, without scheme and path"
            raise _WrongValueError(message)
    return tuple((host.lower(), owner) for host, owner in value.items())


def _variables(value: object, _where: _File | _Given, _: Callable[[], Vocabulary]) -> tuple[tuple[str, str], ...]:
    import re  # noqa: PLC0415  # in memory through tomllib

    if not isinstance(value, dict):
        message = f'expected a table such as {{"llm.corp.example" = "CORP_LLM_KEY"}}, not {_shown(value)}'
        raise _WrongValueError(message)
    for host, name in value.items():
        if not re.fullmatch(_HOST, host.lower()) or host.startswith("*"):
            message = f"{quote(host)} is no host; give its name, as in api.example.com"
            raise _WrongValueError(message)
        if not isinstance(name, str) or not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,99}", name):
            message = f"{_shown(name)} for {quote(host)} is no variable: capitals, digits and _"
            raise _WrongValueError(message)
    return tuple((host.lower(), name) for host, name in value.items())


def _code_style(value: object, where: _File | _Given, vocabulary: Callable[[], Vocabulary]) -> str:
    return _one_of(*vocabulary().known().forms)(value, where, vocabulary)


def _seconds(value: object, _where: _File | _Given, _: Callable[[], Vocabulary]) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        message = f"expected a whole number of seconds from 1, not {_shown(value)}"
        raise _WrongValueError(message)
    return value


def _env_file(value: object, _where: _File | _Given, _: Callable[[], Vocabulary]) -> str:
    from keyguard.source import is_env_file, is_env_template  # noqa: PLC0415  # for a project that has this setting

    if not isinstance(value, str):
        message = f"expected the path of an env file, not {_shown(value)}"
        raise _WrongValueError(message)
    if not is_env_file(value) or is_env_template(value):
        message = f'{_shown(value)} is no name of a file that holds keys; write one such as ".env" or "config/prod.env"'
        raise _WrongValueError(message)
    return value


def _name_in_store(pattern: str, expected: str) -> _Reader:
    """Give what reads a name that becomes part of a remote store's own names or paths."""

    def read(value: object, _where: _File | _Given, _: Callable[[], Vocabulary]) -> str:
        import re  # noqa: PLC0415  # in memory already through tomllib

        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            message = f"expected {expected}, not {_shown(value)}"
            raise _WrongValueError(message)
        return value

    return read


def _own_reader(check: str, example: str) -> _Reader:
    """Give what reads providers or wrappers of a project's own: tables, each checked as those in `rules/` are."""

    def read(value: object, _: _File | _Given, vocabulary: Callable[[], Vocabulary]) -> tuple[tuple[str, str], ...]:
        import json  # noqa: PLC0415  # for a project with providers or wrappers of its own

        from keyguard import schema  # noqa: PLC0415  # 30 ms, as above

        if not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
            message = f"expected tables such as {example}, not {_shown(value)}"
            raise _WrongValueError(message)
        known, checked = vocabulary().known(), getattr(schema, check)
        found = []
        for name, item in sorted(value.items()):
            at = name if name.isidentifier() else f'"{name}"'
            if may_be_key(name) and "." not in name:
                message = f"{quote(name)} is no name"
                raise _WrongValueError(message)
            data, problems = checked(name, item, known)
            if problems:
                key, problem = problems[0]
                raise _WrongValueError(_without_quotes(problem), ".".join(filter(None, (at, key))))
            try:
                found.append((name, json.dumps(data, ensure_ascii=False, sort_keys=True)))
            except TypeError as error:  # TOML has dates, which no key of a provider takes
                message = "a date is nothing that belongs here"
                raise _WrongValueError(message, at) from error
        return tuple(found)

    return read


def _switch(value: object, _where: _File | _Given, _: Callable[[], Vocabulary]) -> bool:
    if not isinstance(value, bool):
        message = f"expected true or false, not {_shown(value)}"
        raise _WrongValueError(message)
    return value


def _text(value: object, _where: _File | _Given, _: Callable[[], Vocabulary]) -> str:
    if not isinstance(value, str):
        message = f"expected a text, not {_shown(value)}"
        raise _WrongValueError(message)
    return value


def _count(value: object, where: _File | _Given, _: Callable[[], Vocabulary]) -> int:
    if where.loose and isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:9])
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        message = f"expected a whole number from 1, not {_shown(value)}"
        raise _WrongValueError(message)
    return value


def _one_of(*words: str) -> Callable[[object, _File | _Given, Callable[[], Vocabulary]], str]:
    def read(value: object, _where: _File | _Given, _: Callable[[], Vocabulary]) -> str:
        if not isinstance(value, str) or value not in words:
            alike = closest(value, words) if isinstance(value, str) else None
            hint = f'; did you mean "{alike}"?' if alike else ""
            message = f"expected {_either(words)}, not {_shown(value)}{hint}"
            raise _WrongValueError(message)
        return value

    return read


def _level(levels: type[Severity | Confidence]) -> _Reader:
    word = _one_of(*(level.label for level in levels))

    def read(value: object, where: _File | _Given, vocabulary: Callable[[], Vocabulary]) -> Severity | Confidence:
        return levels[word(value, where, vocabulary).upper()]

    return read


_VAULT_PATH = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}){0,9}"
OPTIONS: Mapping[str, _Reader] = {
    "select": _selectors,
    "extend-select": _selectors,
    "ignore": _selectors,
    "per-file-ignores": _per_file,
    "exclude": _texts,
    "extend-exclude": _texts,
    "force-exclude": _switch,
    "respect-gitignore": _switch,
    "min-severity": _level(Severity),
    "min-confidence": _level(Confidence),
    "show-ignored": _switch,
    "baseline": _text,
    "lang": _one_of(*LANGUAGES),
    "output-format": _one_of(*FORMATS),
    "jobs": _count,
    "other-secrets": _plugins,
    "http-timeout": _seconds,
    "model-timeout": _seconds,
    "one-off": _texts,
    "trusted-hosts": _trusted,
    "key-store": _one_of(*KEY_STORES),
    "env-file": _env_file,
    "keyring-service": _name_in_store(r"[^\x00-\x1f]{1,200}", "a name of 1 to 200 characters"),
    "aws-prefix": _name_in_store(r"[A-Za-z0-9/_+=.@-]{0,200}", "letters, digits and /_+=.@-"),
    "vault-mount": _name_in_store(_VAULT_PATH, 'a path such as "secret"'),
    "vault-path": _name_in_store(_VAULT_PATH, 'a path such as "team/app"'),
    "providers": _own_reader("own_provider", "[providers.corp]"),
    "wrappers": _own_reader("own_wrapper", '[wrappers."mylib.client.make"]'),
    "unsafe-fixes": _switch,
    "load-dotenv": _switch,
    "code-style": _code_style,
    "env": _variables,
}
_ADVICE = {
    "http-timeout": "http_timeout",
    "model-timeout": "model_timeout",
    "one-off": "one_off",
    "trusted-hosts": "trusted",
}
_STORING = {
    "key-store": "kind",
    "env-file": "env_file",
    "keyring-service": "keyring_service",
    "aws-prefix": "aws_prefix",
    "vault-mount": "vault_mount",
    "vault-path": "vault_path",
}
# Settings that are kept in a group of their own.
_GROUPED = frozenset({"select", "extend-select", "ignore", "providers", "wrappers", *_ADVICE, *_STORING})
_OWN = "own"
_HOST = r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?"


def _read_all(
    table: Mapping[str, object],
    where: _File | _Given,
    vocabulary: Callable[[], Vocabulary],
    problems: list[str],
) -> dict[str, Any]:
    """Read every setting of a table; what is wrong becomes a line of `problems`, and the rest still counts."""
    values: dict[str, Any] = {}
    for name, value in table.items():
        if value is None:  # an option that was not given
            continue
        if name not in OPTIONS:
            alike = closest(name, OPTIONS)
            hint = f'did you mean "{alike}"?' if alike else f"the settings are {', '.join(OPTIONS)}"
            problems.append(f"{where.unknown(name)}; {hint}")
            continue
        try:
            values[name] = OPTIONS[name](value, where, vocabulary)
        except _WrongValueError as error:
            problems.append(f"{where(f'{name}.{error.at}' if error.at else name)}: {error}")
    problems += _unknown_providers(values, where, vocabulary)
    return values


def _unknown_providers(
    values: dict[str, Any], where: _File | _Given, vocabulary: Callable[[], Vocabulary]
) -> Iterator[str]:
    """Tell of owners of hosts and wrappers that are neither known nor the file's own; they are dropped."""
    named = [("trusted-hosts", host, owner) for host, owner in values.get("trusted-hosts", ()) if owner != _OWN]
    if "wrappers" in values:
        import json  # noqa: PLC0415  # for a project with wrappers of its own

        for name, text in values["wrappers"]:
            provider = json.loads(text).get("provider")
            named += [("wrappers", name, provider)] if provider is not None else []
    if not named:
        return
    known = {*vocabulary().known().providers, *(name for name, _ in values.get("providers", ()))}
    for setting, name, owner in named:
        if owner not in known:
            alike = closest(owner, (*known, _OWN) if setting == "trusted-hosts" else known)
            hint = f'did you mean "{alike}"?' if alike else "`keyguard providers` lists them"
            text = f'{where(setting)}: no provider {quote(owner)} for "{name}"; {hint}'
            yield text + (' (or "own")' if setting == "trusted-hosts" and not alike else "")
            values[setting] = tuple(item for item in values[setting] if item[0] != name)


def _applied(settings: Settings, values: Mapping[str, Any], base: str) -> Settings:
    """Put the values of a later source over the settings of the earlier ones."""
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if name == "per-file-ignores":
            changes["per_file_ignores"] = tuple(PerFileIgnore(pattern, rules, base) for pattern, rules in value)
        elif name == "exclude":
            changes["exclude"] = Patterns(base, value)
        elif name == "extend-exclude":
            changes["extend_exclude"] = (*settings.extend_exclude, Patterns(base, value))
        elif name == "baseline":
            changes["baseline"] = value and os.path.join(base, value)
        elif name == "other-secrets":
            changes["plugins_on"], changes["plugins_off"] = value
        elif name not in _GROUPED:
            changes[name.replace("-", "_")] = value
    advice = {_ADVICE[name]: value for name, value in values.items() if name in _ADVICE and value != ()}
    if "one_off" in advice:
        advice["one_off"] = Patterns(base, advice["one_off"])
    changes["advice"] = settings.advice._replace(**advice)
    changes["storing"] = _stored(settings.storing, values, base)
    changes["own"] = settings.own._replace(**{key: values[key] for key in Own._fields if key in values})
    selection = Selection(values.get("select"), values.get("extend-select", ()), values.get("ignore", ()))
    if selection != Selection():
        changes["selections"] = (*settings.selections, selection)
    return settings._replace(**changes)


def _stored(storing: Storing, values: Mapping[str, Any], base: str) -> Storing:
    found = {_STORING[name]: value for name, value in values.items() if name in _STORING}
    if "env_file" in found:
        found["env_file"] = os.path.abspath(os.path.join(base, found["env_file"]))
    return storing._replace(**found)


@functools.lru_cache(maxsize=512)
def _selected(selections: tuple[Selection, ...], rule: str) -> tuple[bool, bool]:
    """Tell whether a rule runs and whether it was selected by its full id."""
    chosen, named = True, False
    for selection in selections:
        wanted = (*(selection.select or ()), *selection.extend)
        best = max((len(selector) for selector in wanted if rule.startswith(selector)), default=0)
        worst = max((len(selector) for selector in selection.ignore if rule.startswith(selector)), default=0)
        if selection.select is not None:
            chosen, named = best > worst, False
        elif best or worst:
            chosen = best > worst
        named = chosen and (named or best == len(rule))
    return chosen, named


def _matches(patterns: tuple[str, ...], inside: str) -> bool:
    names, others = _split(patterns)
    if not names.isdisjoint(inside.split("/")):
        return True
    return bool(others) and bool(_compiled(others).match_file(inside))


@functools.lru_cache(maxsize=64)
def _split(patterns: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Part plain names, which need no pattern engine, from patterns; order matters once one begins with `!`."""
    if any(pattern.startswith("!") for pattern in patterns):
        return frozenset(), patterns
    plain = frozenset(p for p in patterns if not set(p) & set("*?[]!/\\#") and p == p.strip())
    return plain, tuple(p for p in patterns if p not in plain)


@functools.lru_cache(maxsize=64)
def _compiled(patterns: tuple[str, ...]) -> Any:  # noqa: ANN401  # pathspec's type, which is not imported here
    import pathspec  # noqa: PLC0415  # 38 ms, only where a setting has a pattern that is no plain name

    try:
        return pathspec.GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        text = f"settings: one of the patterns {', '.join(map(quote, patterns))} is none git could read; repair it"
        raise UsageError(text) from error


def _mentions_us(file: str) -> bool:
    """Tell whether a file could hold our table, without the 16 ms that reading TOML costs to begin with."""
    try:
        with open(file, "rb") as stream:
            return b"keyguard" in stream.read(_LARGEST)
    except OSError:
        return False  # absent, or not readable: then it is nobody's settings, and the check itself reports it


def _has_table(file: str) -> bool:
    try:
        return _mentions_us(file) and _table(file, file)[0] is not None
    except UsageError:
        return False


def _table(file: str, shown: str) -> tuple[Mapping[str, object] | None, str, str]:
    """Give our table of a TOML file (None if a pyproject.toml has none), the text and the table's title."""
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415  # 16 ms with re, only where a settings file stands
    else:
        import tomli as tomllib  # noqa: PLC0415  # the same, before it came with Python
    try:
        with open(file, "rb") as stream:
            text = stream.read(_LARGEST).decode("utf-8-sig")
        data = tomllib.loads(text.replace("\r\n", "\n"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"{shown}: the settings cannot be read ({reason}); name a file that can"
        raise UsageError(message) from error
    except UnicodeDecodeError as error:
        message = f"{shown}: the settings are not UTF-8 (byte {error.start}); save the file as UTF-8"
        raise UsageError(message) from error
    except tomllib.TOMLDecodeError as error:
        message = f"{shown}: not valid TOML: {_without_quotes(str(error))}; repair it, nothing in it is read until then"
        raise UsageError(message) from error
    except RecursionError as error:
        message = f"{shown}: brackets are nested too deep to be read; settings need two levels"
        raise UsageError(message) from error
    tool = data.get("tool")
    ours = tool.get("keyguard") if isinstance(tool, dict) else None
    if ours is None and os.path.basename(file) != SHARED_FILE:
        return data, text, ""
    if ours is not None and not isinstance(ours, dict):
        message = f"{shown}: [tool.keyguard] must be a table, not {_shown(ours)}"
        raise UsageError(message)
    return ours, text, "[tool.keyguard] "


def _without_quotes(reason: str) -> str:
    """Cut what a TOML error quotes down to what cannot be a key."""
    pieces = reason.split("'")
    return "".join(quote(piece) if number % 2 else piece for number, piece in enumerate(pieces))


def _unknown(kind: str, word: str, alike: str | None, command: str | None, known: str = "") -> str:
    hint = f"did you mean {alike}?" if alike else f"`{command}` lists them" if command else f"there are {known}"
    return f"unknown {kind} {quote(word)}; {hint}"


def _either(words: Sequence[str]) -> str:
    quoted = [f'"{word}"' for word in words]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _shown(value: object) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "a list" if all(isinstance(item, str) for item in value) else "a list with something else in it"
    if isinstance(value, dict):
        return "a table"
    return "a number" if isinstance(value, (int, float)) else f"a {type(value).__name__}"


def _words(selectors: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("ALL" if selector == _EVERY_RULE else selector for selector in selectors)


def _bare(key: str) -> str:
    return key if key.replace("_", "a").replace("-", "a").isalnum() and key.isascii() else _toml(key)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_bare(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        import json  # noqa: PLC0415  # 8 ms, for --show-settings only

        return json.dumps(value, ensure_ascii=False)  # a JSON string is a TOML basic string
    return str(value)
