"""One run of the engine as the command line asks for it, and what every command shares: rules, language, output."""

from __future__ import annotations

import functools
import os
import sys

from keyguard import __version__
from keyguard.cli.codes import BUG, CLEAN, FOUND, USAGE
from keyguard.errors import UsageError
from keyguard.typed import TYPE_CHECKING
from keyguard.vocabulary import Words

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from keyguard.baseline import Baseline, Entry, SecretsBaseline
    from keyguard.cache import ResultCache
    from keyguard.catalogue import Catalogue
    from keyguard.discover import GitState, Target
    from keyguard.engine import Session
    from keyguard.inventory import Inventory, Survey
    from keyguard.keystore import KeyStore
    from keyguard.model import FileReport, Finding, Notice, Report
    from keyguard.report import RenderOptions
    from keyguard.settings import Settings, SettingsFinder

# os.path and not pathlib in this module: pathlib costs 8 ms at start, and a hook has 70.
# ruff: noqa: PTH118, PTH123

_WORTH_A_CACHE = 24  # files: fewer are checked before the cache would be read


class Run:
    """One run of the engine as the arguments ask for it: find, check, accept, write."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Read the settings that are in force; raises UsageError where they, or the arguments, are wrong."""
        self._arguments = arguments
        self.catalogue = catalogue_of_rules()
        self._paths: list[str] = list(arguments.paths)
        for alone, others in (("staged", "range"), ("range", "staged")):
            if getattr(arguments, alone) and (getattr(arguments, others) or arguments.stdin_filename):
                msg = "--staged, --range and --stdin-filename exclude one another: give one of them"
                raise UsageError(msg)
        self._stdin = arguments.stdin_filename is not None or "-" in self._paths
        if self._stdin and any(path != "-" for path in self._paths):
            msg = "standard input (-) is read alone: leave out the other paths"
            raise UsageError(msg)
        self._finder = finder_of(arguments, self.catalogue)
        shown = [arguments.stdin_filename or "stdin"] if self._stdin else self._paths
        self.settings: Settings = self._finder.for_run(shown)
        self.lang = language_of(arguments, self.settings.lang)
        self.targets: tuple[Target, ...] = ()
        self._notices: list[Notice] = []
        self._ours: Baseline | None = None
        self._accepts: Callable[[str, str], bool] | None = None
        self.failed = False
        self.broke = False

    def find(self, *, ignored_env_files: bool = False) -> None:
        """Find the files to check; with `ignored_env_files` those that git ignores too, where keys are set."""
        from keyguard import discover  # noqa: PLC0415  # 6 ms, when there are files to find

        arguments, settings = self._arguments, self.settings
        groups = [(group.base, group.patterns) for group in (settings.exclude, *settings.extend_exclude)]
        options: dict[str, Any] = {"exclude": groups, "force_exclude": settings.force_exclude}
        if self._stdin:
            name = arguments.stdin_filename or "stdin"
            if settings.force_exclude and settings.is_excluded(name):
                return
            self.targets = (discover.stdin_target(sys.stdin.buffer.read(), name),)
            return
        if arguments.staged:
            found = discover.staged_targets(self._paths or (".",), **options)
        elif arguments.range is not None:
            found = discover.range_targets(arguments.range, self._paths or (".",), **options)
        else:
            respects = settings.respect_gitignore
            found = discover.discover(self._paths or (".",), respect_gitignore=respects, lang=self.lang, **options)
        targets = found.targets
        if ignored_env_files and settings.respect_gitignore:
            from keyguard.source import is_env_file  # noqa: PLC0415  # in memory already

            known = {target.path for target in targets}
            more = discover.discover(self._paths or (".",), respect_gitignore=False, **options).targets
            targets = (*targets, *(one for one in more if is_env_file(one.path) and one.path not in known))
        self.targets = tuple(target for target in targets if not self._excluded_below(target))
        self._notices += (self._without_keys(notice) for notice in found.notices)

    def _without_keys(self, notice: Notice) -> Notice:
        """Mask a key given where a path belongs: it is in the shell's history already, but not in a log."""
        if not notice.error:
            return notice
        from keyguard.secrets.placeholders import mask  # noqa: PLC0415  # for a wrong path only
        from keyguard.secrets.shapes import keys_in_text  # noqa: PLC0415  # as above

        said, path = notice.message, notice.path
        for key in keys_in_text(notice.path or notice.message, self.catalogue):
            said = said.replace(key.value, mask(key.value, key.shape))
            path = path and path.replace(key.value, mask(key.value, key.shape))
        return notice._replace(message=said, path=path)

    def _excluded_below(self, target: Target) -> bool:
        """Apply the excludes of a settings file deeper in the tree than the run's own."""
        settings = self._finder.for_path(target.location)
        if settings is self.settings or (target.named and not settings.force_exclude):
            return False
        return settings.is_excluded(target.location)

    def report(self, *, accept: bool = True) -> Report:
        """Check the files; with `accept`, take out what the baselines hold."""
        from keyguard import engine  # noqa: PLC0415  # when there are files to check

        ours, theirs = self._baselines() if accept else (None, None)
        self._ours, self._accepts = ours, theirs.accepts if theirs else None
        session = self.session._replace(accepts=theirs.accepts if theirs else None)
        from keyguard.report.progress import progress  # noqa: PLC0415  # 1 ms, and nothing more off a terminal

        enabled = not self._arguments.quiet
        with progress("keyguard", len(self.targets), enabled=enabled) as advance:
            cache = self._cache(session) if theirs is None else None
            report = engine.check_targets(self.targets, session, jobs=self.settings.jobs, advance=advance, cache=cache)
        if accept:
            report = self._accepted(report, ours)
        return self._noted(report)

    def code(self, *, found: bool = False) -> int:
        """The exit code: what went wrong counts before what was found."""
        if self.broke or self.failed:
            return BUG if self.broke else USAGE
        return FOUND if found and not self._arguments.exit_zero else CLEAN

    def accepted_file(self, file: FileReport) -> FileReport:
        """Take out of one file's report what the baseline holds."""
        return file if self._ours is None else self._ours.match((file,)).files[0]

    def fixing_session(self, store: KeyStore) -> Session:
        """A session that keeps the keys of fixes, which never leave this process, and names each for the whole run."""
        from keyguard.naming import Naming  # noqa: PLC0415  # where fixes are made only

        session = self.session
        naming = Naming(
            session.catalogue,
            by_host=dict(self.settings.env),
            variables=session.project.variables,
            held=lambda name: _asked(store.lookup, name),
            name_of=lambda value: _asked(store.name_of, value),
        )
        return session._replace(accepts=self._accepts, keeps_moves=True, naming=naming)

    def key_store(self) -> KeyStore:
        """Open the store that keys move to."""
        from keyguard.keystore import open_store  # noqa: PLC0415  # where keys move only

        return open_store(self.settings)

    def noted_after(self, report: Report, notices: Iterable[Notice]) -> Report:
        """Note what went wrong while fixes were written."""
        self._notices += notices
        self.failed = self.failed or any(notice.error for notice in self._notices)
        return report._replace(notices=tuple(self._notices))

    def inventory(self, survey: Survey) -> Inventory:
        """List what the survey asks for."""
        return self.surveyed(survey)[1]

    @property
    def overrides(self) -> dict[str, object]:
        """The settings that the arguments set, by name."""
        return overrides_of(self._arguments)

    @property
    def shows_progress(self) -> bool:
        """Whether a bar may be drawn while somebody waits."""
        return not self._arguments.quiet

    def settings_of(self, folder: str) -> Settings:
        """The settings of what lies in a folder."""
        return self._finder.for_folder(folder)

    def surveyed(self, survey: Survey) -> tuple[Report, Inventory]:
        """Check the files, whatever a baseline accepts, and list what the survey asks for."""
        from keyguard import engine  # noqa: PLC0415  # when there are files to check
        from keyguard.report.progress import progress  # noqa: PLC0415  # 1 ms, and nothing more off a terminal

        session = self.session._replace(survey=survey)
        with progress("keyguard", len(self.targets), enabled=not self._arguments.quiet) as advance:
            report, found = engine.inventory_targets(self.targets, session, jobs=self.settings.jobs, advance=advance)
        return self._noted(report), found

    def options(self) -> RenderOptions:
        """Say how to render a list: in the language of the run's settings, with its catalogue."""
        to_file = self._arguments.output_file is not None
        return options_of(self._arguments, self.catalogue, to_file=to_file, lang=self.lang)

    def tell_notices(self) -> None:
        """Print what the user should know to the error stream."""
        from keyguard.lang import texts  # noqa: PLC0415  # in memory already

        say = texts(self.lang).say
        sys.stderr.writelines(
            f"keyguard: {say('notice.error' if notice.error else 'notice.warning')}: {notice.message}\n"
            for notice in self._notices
        )

    @functools.cached_property
    def session(self) -> Session:
        """What every check of this run shares: patterns, settings and the project's modules, read once."""
        from keyguard import engine  # noqa: PLC0415  # when there are files to check
        from keyguard.prefilter import prefilter_of  # noqa: PLC0415  # 1 ms, when there are files to check
        from keyguard.settings import own_of  # noqa: PLC0415  # in memory already

        self.catalogue = self.catalogue.extended(own_of(self._finder.found))
        return engine.Session(
            self.catalogue,
            prefilter_of(
                self.catalogue,
                self._finder.found or (self.settings,),
                sum(max(target.size, 0) for target in self.targets),
            ),
            self._finder,
            Words(self.catalogue),
            engine.LazyProject(self.settings.root, self.catalogue),
            lang=self.lang,
            git=self._git(),
        )

    def _noted(self, report: Report) -> Report:
        """Note what went wrong in a run."""
        self.broke = bool(report.notices)
        self._notices += (*self._finder.notices, *report.notices)
        named = {target.path for target in self.targets if target.named}
        self.failed = any(notice.error for notice in self._notices) or any(
            finding.rule == "KG001" and finding.path in named for finding in report.findings
        )
        return report._replace(notices=tuple(self._notices), root=self.settings.root)

    def _cache(self, session: Session) -> ResultCache | None:
        """The results of earlier runs that agree with this one in all but the files; None for a few files or git's."""
        arguments = self._arguments
        of_git = self._stdin or arguments.staged or arguments.range
        if arguments.no_cache or of_git or len(self.targets) < _WORTH_A_CACHE:
            return None
        from keyguard.catalogue import cache_folder  # noqa: PLC0415  # in memory already

        folder = cache_folder()
        if folder is None:
            return None
        from keyguard.cache import open_cache, stamp_of_code  # noqa: PLC0415  # JSON and hashes: 5 ms, for folders

        stamp = (stamp_of_code(), self.catalogue.version, self.lang, self.settings.root, os.getcwd())  # noqa: PTH109  # pathlib costs 8 ms
        return open_cache(folder, (*stamp, session.prefilter.about))

    def _git(self) -> GitState:
        from keyguard.discover import GitState  # noqa: PLC0415  # in memory already
        from keyguard.source import is_env_file  # noqa: PLC0415  # as above

        return GitState(target.location for target in self.targets if is_env_file(target.path))

    def _baselines(self) -> tuple[Baseline | None, SecretsBaseline | None]:
        if self._arguments.isolated:
            return None, None
        from keyguard.settings import BASELINES, find_upwards  # noqa: PLC0415  # in memory already

        settings = self.settings
        if settings.baseline is None and not any(find_upwards(settings, name) for name in BASELINES):
            return None, None
        from keyguard import baseline as baselines  # noqa: PLC0415  # dataclasses: 18 ms, where there is a baseline

        return baselines.load(settings)

    def _accepted(self, report: Report, ours: Baseline | None) -> Report:
        """Accept what the baseline holds, and tell what hides nothing any more if the whole project was checked."""
        whole = self._is_whole()
        unused = report.unused_ignores
        extra: list[Finding] = []
        if ours is not None:
            matched = ours.match(report.files)
            report = report._replace(files=matched.files)
            if whole:
                idle = [(entry, count) for entry, count in matched.unused if self._judged(entry)]
                unused += len(idle)
                extra += (self._useless("baseline", shown_path(ours.file), entry.path, entry.line) for entry, _ in idle)
        if whole and self.settings.source is not None:
            from keyguard.settings import unused_per_file_ignores  # noqa: PLC0415  # in memory already

            hidden = [(file.path, finding.rule) for file in report.files for finding in file.ignored]
            for entry, rules in unused_per_file_ignores(self.settings, hidden, self._all_ran):
                unused += 1
                extra.append(self._useless("per-file", self.settings.source, f"{entry.pattern}: {', '.join(rules)}"))
        if extra and self.settings.is_shown("KG003", extra[0].severity, extra[0].confidence):
            report = report._replace(files=_with(report.files, extra))
        return report._replace(unused_ignores=unused)

    def _useless(self, case: str, path: str, name: str, line: int = 0) -> Finding:
        from keyguard.findings import file_finding  # noqa: PLC0415  # for a useless entry only

        found = file_finding(self.catalogue, "KG003", path, path, name, self.lang, case)
        return found._replace(line=max(line, 1), end_line=max(line, 1))

    def _judged(self, entry: Entry) -> bool:
        settings = self.settings
        return settings.is_selected(entry.rule) and settings.is_shown(entry.rule, entry.severity, entry.confidence)

    def _all_ran(self, selector: str) -> bool:
        return all(self.settings.is_selected(rule) for rule in self.catalogue.rules if rule.startswith(selector))

    def _is_whole(self) -> bool:
        arguments = self._arguments
        if self._stdin or arguments.staged or arguments.range is not None or not self.settings.is_selected("KG003"):
            return False
        root = os.path.join(os.path.realpath(self.settings.root), "")
        return any(root.startswith(os.path.join(os.path.realpath(path), "")) for path in self._paths or (".",))

    def write(self, report: Report, code: int, *, show_fixes: bool = False, has_fixed: bool = False) -> None:
        """Render the report to standard output or to the file asked for."""
        from keyguard.report import render, scan_time  # noqa: PLC0415  # when there is a report

        arguments, settings = self._arguments, self.settings
        options = options_of(
            arguments,
            self.catalogue,
            to_file=arguments.output_file is not None,
            lang=self.lang,
            statistics=arguments.statistics,
            show_ignored=settings.show_ignored,
            show_fixes=show_fixes,
            offer_fixes=True,
            has_fixed=has_fixed,
            min_severity=settings.min_severity.label,
            exit_code=code,
            scan_time=scan_time(os.environ),
        )
        put(render(report, settings.output_format, options), arguments.output_file)


def _asked(question: Callable[[str], str | None], about: str) -> str | None:
    """Ask a store; one that cannot answer will say so when it is to keep something."""
    from keyguard.keystore import StoreError  # noqa: PLC0415  # in memory already

    try:
        return question(about)
    except StoreError:
        return None


def _with(files: Sequence[FileReport], extra: Iterable[Finding]) -> tuple[FileReport, ...]:
    """Add findings about files that had none, in path order."""
    from keyguard.model import FileReport  # noqa: PLC0415  # in memory already

    by_path = {file.path: file for file in files}
    for finding in extra:
        held = by_path.get(finding.path, FileReport(finding.path))
        by_path[finding.path] = held._replace(findings=(*held.findings, finding))
    return tuple(by_path[path] for path in sorted(by_path))


def overrides_of(arguments: argparse.Namespace) -> dict[str, object]:
    """Give the settings that the arguments set, by name."""
    names = (
        "select",
        "extend_select",
        "ignore",
        "exclude",
        "extend_exclude",
        "force_exclude",
        "min_severity",
        "min_confidence",
        "per_file_ignores",
        "show_ignored",
        "baseline",
        "lang",
        "output_format",
        "jobs",
        "key_store",
        "unsafe_fixes",
    )
    given = {name.replace("_", "-"): getattr(arguments, name, None) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def finder_of(arguments: argparse.Namespace, catalogue: Catalogue) -> SettingsFinder:
    """Find settings as the arguments ask for it: their options win over those of files."""
    from keyguard.settings import SettingsFinder  # noqa: PLC0415  # 4 ms, for commands that read settings

    return SettingsFinder(
        Words(catalogue), overrides_of(arguments), config=arguments.config, isolated=arguments.isolated, keep_going=True
    )


def shown_path(path: str) -> str:
    """Give a path as messages show it."""
    from keyguard.settings import display  # noqa: PLC0415  # in memory already

    return display(path)


def catalogue_of_rules() -> Catalogue:
    """Load what keyguard knows."""
    from keyguard.catalogue import load  # noqa: PLC0415  # 12 ms, not for --help

    return load()


def language_of(arguments: argparse.Namespace, chosen: str | None = None) -> str:
    """Choose the language of the texts: the argument's, a setting's, else the terminal's."""
    from keyguard.lang import choose  # noqa: PLC0415  # after the arguments are known to be right

    return choose(arguments.lang or chosen, os.environ, terminal=sys.stdout.isatty())


def options_of(
    arguments: argparse.Namespace, catalogue: Catalogue, *, to_file: bool = False, **more: object
) -> RenderOptions:
    """Say how to render: what the arguments and the terminal ask for."""
    from keyguard.report import RenderOptions, speaks_unicode  # noqa: PLC0415  # 2 ms, when there is something to show

    terminal = sys.stdout.isatty() and not to_file
    width = None
    if terminal:
        import shutil  # noqa: PLC0415  # 3 ms, for a terminal only

        width = shutil.get_terminal_size().columns
    color = arguments.color == "always" or (arguments.color == "auto" and terminal and not os.environ.get("NO_COLOR"))
    values: dict[str, object] = {
        "catalogue": catalogue,
        "lang": language_of(arguments),
        "version": __version__,
        "color": color,
        "width": width,
        "unicode": to_file or speaks_unicode(sys.stdout.encoding),
        "verbose": arguments.verbose,
        "quiet": arguments.quiet,
    }
    return RenderOptions(**{**values, **more})  # type: ignore[arg-type]  # each value is of its field's type


def put(text: str, file: str | None) -> None:
    """Write a report to a file, or to standard output."""
    if file is None:
        show(text)
        return
    try:
        with open(file, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except OSError as error:
        msg = f"{file}: the report could not be written ({error.strerror})"
        raise UsageError(msg) from error


def show(text: str) -> None:
    """Print a text.

    Raises:
        UsageError: it cannot be written, to a full disk for one.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        msg = f"what there is to say cannot be written: {error.strerror}"
        raise UsageError(msg) from None


def agreed(question: str, refusal: str) -> bool:
    """Ask a person on the error stream; anything but yes is no.

    Raises:
        UsageError: nobody sits at a terminal; the message is `refusal`.
    """
    if not is_terminal():
        raise UsageError(refusal)
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def is_terminal() -> bool:
    """Tell whether somebody can answer."""
    return sys.stdin.isatty()
