"""What each command does: arguments to settings, settings to a run, a run to what is printed."""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING, Any

from keyguard import __version__
from keyguard.cli.codes import BUG, CLEAN, FOUND, USAGE
from keyguard.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from keyguard.baseline import Baseline, Entry, SecretsBaseline
    from keyguard.cache import ResultCache
    from keyguard.catalogue import Catalogue
    from keyguard.discover import GitState, Target
    from keyguard.engine import Session
    from keyguard.inventory import Inventory, Survey
    from keyguard.keystore import KeyStore
    from keyguard.model import FileReport, Finding, Notice, Report
    from keyguard.prefilter import Prefilter
    from keyguard.repair import Change
    from keyguard.report import RenderOptions
    from keyguard.settings import Settings, SettingsFinder, Vocabulary

_LONGEST_NAME = 128  # characters of a variable: longer than any, shorter than what somebody pastes by mistake

# os.path and not pathlib in this module: pathlib costs 8 ms at start, and a hook has 70.
# ruff: noqa: PTH118, PTH123


# The families of rules about connections: asked for by name, so that a run without Python imports none of them.
_CONNECTIONS = ("KG2", "KG3", "KG4", "KG5")
_WORTH_A_CACHE = 24  # files: fewer are checked before the cache would be read


def check(arguments: argparse.Namespace) -> int:
    """Check files and report what was found."""
    run = _Run(arguments)
    if arguments.show_settings:
        from keyguard.settings import show_settings  # noqa: PLC0415  # in memory already

        _say(show_settings(run.settings))
        return CLEAN
    run.find()
    if arguments.show_files:
        _say("".join(f"{target.path}\n" for target in run.targets))
        return USAGE if run.failed else CLEAN
    if arguments.fix or arguments.fix_only or arguments.diff:
        return _fixed(run, arguments)
    report = run.report()
    code = run.code(found=bool(report.findings))
    run.write(report, code)
    return code


def _fixed(run: _Run, arguments: argparse.Namespace) -> int:
    """Repair what was found and report the rest, or show what would be repaired."""
    from keyguard import repair  # noqa: PLC0415  # for runs that fix only
    from keyguard.cli import fixing  # noqa: PLC0415  # as above
    from keyguard.model import Safety  # noqa: PLC0415  # in memory already

    fixing.refuse_what_is_no_file(arguments)
    report = run.report()
    store = run.key_store()
    session = run.fixing_session(store)
    terms = repair.Terms(
        Safety.UNSAFE if run.settings.unsafe_fixes else Safety.SAFE,
        run.accepted_file,
        fixing.loading(run.settings, session, store),
    )
    changes = repair.plan(report, run.targets, session, terms)
    if arguments.diff:
        return _shown_only(run, changes, session, arguments)
    fixed = fixing.fix(report, changes, session, store, run.options())
    report = run.noted_after(fixed.report, fixed.notices)
    if arguments.fix_only:
        report = report._replace(files=tuple(file._replace(findings=()) for file in report.files), hidden={})
    code = run.code(found=bool(report.findings or fixed.has_rewritten))
    if fixed.said:
        is_text = arguments.output_file is None and run.settings.output_format in {"text", "concise"}
        fixing.tell(fixed.said + "\n", to_error=not is_text)
    run.write(report, code, show_fixes=arguments.show_fixes, has_fixed=True)
    return code


def _shown_only(run: _Run, changes: Sequence[Change], session: Session, arguments: argparse.Namespace) -> int:
    """Show what fixes would change."""
    from keyguard import repair  # noqa: PLC0415  # in memory already
    from keyguard.lang import texts  # noqa: PLC0415  # as above

    say = texts(run.lang).say
    count = sum(len(change.repaired.fixed) for change in changes)
    _say(repair.diff(changes, session))
    run.tell_notices()
    if not arguments.quiet:
        lines = [say("diff.would_fix", count=count), *([say("diff.masked")] if count else [])]
        sys.stderr.write(" ".join(lines) + "\n")
    return run.code(found=count > 0)


def baseline(arguments: argparse.Namespace) -> int:
    """Create, update or show the baseline."""
    from keyguard import baseline as baselines  # noqa: PLC0415  # this command, or where there is a baseline
    from keyguard.lang import texts  # noqa: PLC0415  # after the arguments are known to be right

    run = _Run(arguments)
    file = baselines.target(run.settings)
    say = texts(run.lang).say
    if arguments.action == "show":
        held = baselines.read(file)
        if not isinstance(held, baselines.Baseline):
            msg = f"{file}: this is detect-secrets' baseline; `keyguard check` honours it as it is"
            raise UsageError(msg)
        _say(held.to_text())
        return CLEAN
    before = baselines.Baseline(file)
    if os.path.lexists(file):
        if arguments.action == "create":
            msg = f"{file}: there is a baseline already; run `keyguard baseline update`, or delete it to begin anew"
            raise UsageError(msg)
        held = baselines.read(file)
        before = held if isinstance(held, baselines.Baseline) else before
    elif arguments.action == "update":
        msg = f"{file}: there is no baseline yet; run `keyguard baseline create`"
        raise UsageError(msg)
    run.find()
    report = run.report(accept=False)
    looked = {before.place(target.path) for target in run.targets}
    after = before.updated(report.findings, lambda path: path in looked)
    after.write()
    _say(say("baseline.written", count=len(after.entries), file=_shown(file)) + "\n")
    run.tell_notices()
    return run.code()


def connections(arguments: argparse.Namespace) -> int:
    """List the connections to model APIs, sum them up by host, or list the places of a variable."""
    from keyguard.inventory import Survey  # noqa: PLC0415  # this command only
    from keyguard.report import connections as listed  # noqa: PLC0415  # as above

    name = _variable(arguments.env)
    run = _Run(arguments)
    run.find(ignored_env_files=name is not None)
    inventory = run.inventory(Survey(name))
    options = run.options()
    if name is not None:
        text = listed.render_variable(inventory, name, options, arguments.output_format)
    else:
        render = listed.render_hosts if arguments.hosts else listed.render_connections
        text = render(inventory, options, arguments.output_format)
    _put(text, arguments.output_file)
    run.tell_notices()
    return run.code()


def rules(arguments: argparse.Namespace) -> int:
    """List every rule."""
    from keyguard.report.listings import render_rules  # noqa: PLC0415  # this command only

    catalogue = _catalogue()
    _say(render_rules(catalogue, _options(arguments, catalogue), arguments.output_format))
    return CLEAN


def explain(arguments: argparse.Namespace) -> int:
    """Show the page of one rule."""
    from keyguard.report.listings import render_rule  # noqa: PLC0415  # this command only
    from keyguard.settings import quote  # noqa: PLC0415  # in memory already

    catalogue = _catalogue()
    words = _vocabulary(catalogue)
    found = words.resolve(arguments.rule)
    rule = catalogue.rules.get(found or "")
    if rule is None:
        near = words.closest(arguments.rule)
        hint = f"did you mean {near}?" if near else "`keyguard rules` lists them"
        msg = f"there is no rule {quote(arguments.rule)}; {hint}"
        raise UsageError(msg)
    _say(render_rule(rule, _options(arguments, catalogue), arguments.output_format))
    return CLEAN


def providers(arguments: argparse.Namespace) -> int:
    """List the providers keyguard knows."""
    from keyguard.report.listings import render_providers  # noqa: PLC0415  # this command only

    catalogue = _catalogue()
    _say(render_providers(catalogue, _options(arguments, catalogue), arguments.output_format, word=arguments.word))
    return CLEAN


def identify(arguments: argparse.Namespace) -> int:
    """Tell whose a key is; 0 when that is known, 1 when it is not."""
    from keyguard.cli.identify import read_key, told  # noqa: PLC0415  # this command only
    from keyguard.lang import texts  # noqa: PLC0415  # as above
    from keyguard.report.listings import render_identity  # noqa: PLC0415  # as above
    from keyguard.secrets.identify import identify as known  # noqa: PLC0415  # as above

    if arguments.key:
        msg = (
            "a key never goes on the command line, where the shell's history and other users see it: "
            "pipe it into `keyguard identify`, or name its variable with --env NAME"
        )
        raise UsageError(msg)
    said = texts(_language(arguments))
    value = read_key(arguments.env, said.say("identify.ask"))
    catalogue = _catalogue()
    found = known(value, catalogue, name=arguments.env or "")
    _say(render_identity(told(found, said), _options(arguments, catalogue), arguments.output_format))
    return CLEAN if found.candidates else FOUND


def init(arguments: argparse.Namespace) -> int:
    """Set keyguard up in a project."""
    from keyguard.cli.parser import build  # noqa: PLC0415  # in memory already
    from keyguard.init import dialogue, run  # noqa: PLC0415  # this command only

    def findings(root: Path) -> int:
        held = _Run(build().parse_args(["check", str(root)]))
        held.find()
        return len(held.report().findings)

    def accept(root: Path) -> int:
        return baseline(build().parse_args(["baseline", "create", str(root)]))

    run(arguments.path, dialogue(yes=arguments.yes, lang=_language(arguments)), findings, accept)
    return CLEAN


def doctor(arguments: argparse.Namespace) -> int:
    """Look at the environment that programs start in; 0 when it is healthy, 1 when something is wrong."""
    from keyguard.cli import doctor as asked  # noqa: PLC0415  # this command only
    from keyguard.report import doctor as told  # noqa: PLC0415  # as above

    if arguments.explain is not None:
        catalogue = _catalogue()
        _put(
            told.render_explanation(arguments.explain, _options(arguments, catalogue), arguments.output_format),
            arguments.output_file,
        )
        return CLEAN
    from keyguard import doctor as judged  # noqa: PLC0415  # as above
    from keyguard.inventory import Survey  # noqa: PLC0415  # as above

    arguments.paths = [asked.folder_of(arguments)]
    run = _Run(arguments)
    run.find()
    run.targets = asked.own(run.targets)
    rows = run.inventory(Survey()).rows
    trusted = dict(run.settings.advice.trusted)
    environment = judged.read_environment(
        os.environ, arguments.path, run.settings.root, run.targets, rows, run.catalogue
    )
    diagnosis = judged.diagnose(environment, rows, run.catalogue, trusted)
    if arguments.verify:
        asking = judged.questions_about(environment, rows, run.catalogue, trusted)
        verdicts = asked.ask(asking, run.catalogue, run.lang, yes=arguments.yes)
        if verdicts is not None:
            diagnosis = judged.with_verdicts(diagnosis, verdicts, run.catalogue)
    _put(told.render_diagnosis(diagnosis, run.options(), arguments.output_format), arguments.output_file)
    run.tell_notices()
    return run.code(found=not diagnosis.is_healthy)


class _Run:
    """One run of the engine as the arguments ask for it: find, check, accept, write."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self.catalogue = _catalogue()
        self._paths: list[str] = list(arguments.paths)
        for alone, others in (("staged", "range"), ("range", "staged")):
            if getattr(arguments, alone) and (getattr(arguments, others) or arguments.stdin_filename):
                msg = "--staged, --range and --stdin-filename exclude one another: give one of them"
                raise UsageError(msg)
        self._stdin = arguments.stdin_filename is not None or "-" in self._paths
        if self._stdin and any(path != "-" for path in self._paths):
            msg = "standard input (-) is read alone: leave out the other paths"
            raise UsageError(msg)
        self._finder = _finder(arguments, self.catalogue)
        shown = [arguments.stdin_filename or "stdin"] if self._stdin else self._paths
        self.settings: Settings = self._finder.for_run(shown)
        self.lang = _language(arguments, self.settings.lang)
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
            found = discover.discover(self._paths or (".",), respect_gitignore=settings.respect_gitignore, **options)
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
        session = self._session._replace(accepts=theirs.accepts if theirs else None)
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

        session = self._session
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
        from keyguard import engine  # noqa: PLC0415  # when there are files to check
        from keyguard.report.progress import progress  # noqa: PLC0415  # 1 ms, and nothing more off a terminal

        session = self._session._replace(survey=survey)
        with progress("keyguard", len(self.targets), enabled=not self._arguments.quiet) as advance:
            report, found = engine.inventory_targets(self.targets, session, jobs=self.settings.jobs, advance=advance)
        self._noted(report)
        return found

    def options(self) -> RenderOptions:
        """Say how to render a list: in the language of the run's settings, with its catalogue."""
        to_file = self._arguments.output_file is not None
        return _options(self._arguments, self.catalogue, to_file=to_file, lang=self.lang)

    def tell_notices(self) -> None:
        """Print what the user should know to the error stream."""
        from keyguard.lang import texts  # noqa: PLC0415  # in memory already

        say = texts(self.lang).say
        sys.stderr.writelines(
            f"keyguard: {say('notice.error' if notice.error else 'notice.warning')}: {notice.message}\n"
            for notice in self._notices
        )

    @functools.cached_property
    def _session(self) -> Session:
        """What every check of this run shares: patterns, settings and the project's modules, read once."""
        from keyguard import engine  # noqa: PLC0415  # when there are files to check
        from keyguard.settings import own_of  # noqa: PLC0415  # in memory already

        self.catalogue = self.catalogue.extended(own_of(self._finder.found))
        return engine.Session(
            self.catalogue,
            self._prefilter(),
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

    def _prefilter(self) -> Prefilter:
        """Search for what any settings file of the run turns on; each file's own settings decide again."""
        from keyguard.model import Confidence, Severity  # noqa: PLC0415  # in memory already
        from keyguard.prefilter import WIDE, Prefilter, default_plugins  # noqa: PLC0415  # 1 ms, when there are files to check

        found = self._finder.found
        on = {name for settings in found for name in settings.plugins_on}
        off = frozenset.intersection(*(frozenset(settings.plugins_off) for settings in found)) if found else frozenset()
        every = found or (self.settings,)
        connections = any(settings.may_select(family) for settings in every for family in _CONNECTIONS)
        wide = any(
            settings.is_selected(rule) and settings.is_shown(rule, Severity.LOW, Confidence.HIGH)
            for settings in every
            for rule in WIDE
        )
        plugins = frozenset((default_plugins() | on) - off)
        return Prefilter(self.catalogue, plugins, connections=connections, wide=wide)

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

        versions = sorted(session.project().versions.items())
        stamp = (stamp_of_code(), self.catalogue.version, self.lang, self.settings.root, os.getcwd(), versions)  # noqa: PTH109  # pathlib costs 8 ms
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
                extra += (self._useless("baseline", _shown(ours.file), entry.path, entry.line) for entry, _ in idle)
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
        options = _options(
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
        _put(render(report, settings.output_format, options), arguments.output_file)


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


class Words:
    """The names settings and ignore comments may use, made when the first one asks; a worker gets its own."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Remember whose rules they are."""
        self._catalogue = catalogue
        self._words: Vocabulary | None = None

    def __call__(self) -> Vocabulary:
        """Give the vocabulary."""
        if self._words is None:
            self._words = _vocabulary(self._catalogue)
        return self._words


def _finder(arguments: argparse.Namespace, catalogue: Catalogue) -> SettingsFinder:
    from keyguard.settings import SettingsFinder  # noqa: PLC0415  # 4 ms, for commands that read settings

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
    overrides = {name: value for name, value in given.items() if value is not None}
    return SettingsFinder(
        Words(catalogue), overrides, config=arguments.config, isolated=arguments.isolated, keep_going=True
    )


def _shown(path: str) -> str:
    from keyguard.settings import display  # noqa: PLC0415  # in memory already

    return display(path)


def _catalogue() -> Catalogue:
    from keyguard.catalogue import load  # noqa: PLC0415  # 12 ms, not for --help

    return load()


def _vocabulary(catalogue: Catalogue) -> Vocabulary:
    from keyguard.secrets.detect import PLUGINS  # noqa: PLC0415  # asked only when a setting names a rule or plug-in
    from keyguard.settings import Vocabulary  # noqa: PLC0415  # as above

    return Vocabulary({rule.id: rule.name for rule in catalogue.rules.values()}, PLUGINS, catalogue.known)


def _language(arguments: argparse.Namespace, chosen: str | None = None) -> str:
    from keyguard.lang import choose  # noqa: PLC0415  # after the arguments are known to be right

    return choose(arguments.lang or chosen, os.environ, terminal=sys.stdout.isatty())


def _options(
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
        "lang": _language(arguments),
        "version": __version__,
        "color": color,
        "width": width,
        "unicode": to_file or speaks_unicode(sys.stdout.encoding),
        "verbose": arguments.verbose,
        "quiet": arguments.quiet,
    }
    return RenderOptions(**{**values, **more})  # type: ignore[arg-type]  # each value is of its field's type


def _variable(name: str | None) -> str | None:
    """Give the variable that `--env` asks for; a key in its place is refused without being shown."""
    if name is None or (name.isidentifier() and name.isascii() and len(name) <= _LONGEST_NAME):
        return name
    from keyguard.settings import quote  # noqa: PLC0415  # for a wrong name only

    msg = f"--env takes the name of a variable, such as MY_API_KEY, not {quote(name)}"
    raise UsageError(msg)


def _put(text: str, file: str | None) -> None:
    """Write a report to a file, or to standard output."""
    if file is None:
        _say(text)
        return
    try:
        with open(file, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except OSError as error:
        msg = f"{file}: the report could not be written ({error.strerror})"
        raise UsageError(msg) from error


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "check": check,
    "fix": check,
    "baseline": baseline,
    "connections": connections,
    "rules": rules,
    "explain": explain,
    "providers": providers,
    "identify": identify,
    "doctor": doctor,
    "init": init,
}
