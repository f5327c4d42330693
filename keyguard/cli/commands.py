"""What each command does: arguments to settings, settings to a run, a run to what is printed."""

from __future__ import annotations

import os
import sys

from keyguard.cli.codes import CLEAN, FOUND, USAGE
from keyguard.cli.run import (
    Run,
    catalogue_of_rules,
    language_of,
    options_of,
    put,
    show,
    shown_path,
)
from keyguard.errors import UsageError
from keyguard.typed import TYPE_CHECKING
from keyguard.vocabulary import vocabulary_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from keyguard.engine import Session
    from keyguard.repair import Change

_LONGEST_NAME = 128  # characters of a variable: longer than any, shorter than what somebody pastes by mistake

# os.path and not pathlib in this module: pathlib costs 8 ms at start, and a hook has 70.


def check(arguments: argparse.Namespace) -> int:
    """Check files and report what was found."""
    run = Run(arguments)
    if arguments.show_settings:
        from keyguard.settings import show_settings  # noqa: PLC0415  # in memory already

        show(show_settings(run.settings))
        return CLEAN
    run.find()
    if arguments.show_files:
        show("".join(f"{target.path}\n" for target in run.targets))
        return USAGE if run.failed else CLEAN
    if arguments.fix or arguments.fix_only or arguments.diff:
        return _fixed(run, arguments)
    report = run.report()
    code = run.code(found=bool(report.findings))
    run.write(report, code)
    return code


def _fixed(run: Run, arguments: argparse.Namespace) -> int:
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


def _shown_only(run: Run, changes: Sequence[Change], session: Session, arguments: argparse.Namespace) -> int:
    """Show what fixes would change."""
    from keyguard import repair  # noqa: PLC0415  # in memory already
    from keyguard.lang import texts  # noqa: PLC0415  # as above

    say = texts(run.lang).say
    count = sum(len(change.repaired.fixed) for change in changes)
    show(repair.diff(changes, session))
    run.tell_notices()
    if not arguments.quiet:
        lines = [say("diff.would_fix", count=count), *([say("diff.masked")] if count else [])]
        sys.stderr.write(" ".join(lines) + "\n")
    return run.code(found=count > 0)


def baseline(arguments: argparse.Namespace) -> int:
    """Create, update or show the baseline."""
    from keyguard import baseline as baselines  # noqa: PLC0415  # this command, or where there is a baseline
    from keyguard.lang import texts  # noqa: PLC0415  # after the arguments are known to be right

    run = Run(arguments)
    file = baselines.target(run.settings)
    say = texts(run.lang).say
    if arguments.action == "show":
        held = baselines.read(file)
        if not isinstance(held, baselines.Baseline):
            msg = f"{file}: this is detect-secrets' baseline; `keyguard check` honours it as it is"
            raise UsageError(msg)
        show(held.to_text())
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
    show(say("baseline.written", count=len(after.entries), file=shown_path(file)) + "\n")
    run.tell_notices()
    return run.code()


def connections(arguments: argparse.Namespace) -> int:
    """List the connections to model APIs, sum them up by host, or list the places of a variable."""
    from keyguard.inventory import Survey  # noqa: PLC0415  # this command only
    from keyguard.report import connections as listed  # noqa: PLC0415  # as above

    name = _variable(arguments.env)
    run = Run(arguments)
    run.find(ignored_env_files=name is not None)
    inventory = run.inventory(Survey(name))
    options = run.options()
    if name is not None:
        text = listed.render_variable(inventory, name, options, arguments.output_format)
    else:
        render = listed.render_hosts if arguments.hosts else listed.render_connections
        text = render(inventory, options, arguments.output_format)
    put(text, arguments.output_file)
    run.tell_notices()
    return run.code()


def rules(arguments: argparse.Namespace) -> int:
    """List every rule."""
    from keyguard.report.listings import render_rules  # noqa: PLC0415  # this command only

    catalogue = catalogue_of_rules()
    show(render_rules(catalogue, options_of(arguments, catalogue), arguments.output_format))
    return CLEAN


def explain(arguments: argparse.Namespace) -> int:
    """Show the page of one rule."""
    from keyguard.report.listings import render_rule  # noqa: PLC0415  # this command only
    from keyguard.settings import quote  # noqa: PLC0415  # in memory already

    catalogue = catalogue_of_rules()
    words = vocabulary_of(catalogue)
    found = words.resolve(arguments.rule)
    rule = catalogue.rules.get(found or "")
    if rule is None:
        near = words.closest(arguments.rule)
        hint = f"did you mean {near}?" if near else "`keyguard rules` lists them"
        msg = f"there is no rule {quote(arguments.rule)}; {hint}"
        raise UsageError(msg)
    show(render_rule(rule, options_of(arguments, catalogue), arguments.output_format))
    return CLEAN


def providers(arguments: argparse.Namespace) -> int:
    """List the providers keyguard knows."""
    from keyguard.report.listings import render_providers  # noqa: PLC0415  # this command only

    catalogue = catalogue_of_rules()
    show(render_providers(catalogue, options_of(arguments, catalogue), arguments.output_format, word=arguments.word))
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
    said = texts(language_of(arguments))
    value = read_key(arguments.env, said.say("identify.ask"))
    catalogue = catalogue_of_rules()
    found = known(value, catalogue, name=arguments.env or "")
    show(render_identity(told(found, said), options_of(arguments, catalogue), arguments.output_format))
    return CLEAN if found.candidates else FOUND


def audit(arguments: argparse.Namespace) -> int:
    """Audit a repository with its history, or many."""
    from keyguard.cli import auditing  # noqa: PLC0415  # this command only

    return auditing.audit(arguments)


def init(arguments: argparse.Namespace) -> int:
    """Set keyguard up in a project."""
    from keyguard.cli.parser import build  # noqa: PLC0415  # in memory already
    from keyguard.init import dialogue, run  # noqa: PLC0415  # this command only

    def findings(root: Path) -> int:
        held = Run(build().parse_args(["check", str(root)]))
        held.find()
        return len(held.report().findings)

    def accept(root: Path) -> int:
        return baseline(build().parse_args(["baseline", "create", str(root)]))

    run(arguments.path, dialogue(yes=arguments.yes, lang=language_of(arguments)), findings, accept)
    return CLEAN


def doctor(arguments: argparse.Namespace) -> int:
    """Look at the environment that programs start in; 0 when it is healthy, 1 when something is wrong."""
    from keyguard.cli import doctor as asked  # noqa: PLC0415  # this command only
    from keyguard.report import doctor as told  # noqa: PLC0415  # as above

    if arguments.explain is not None:
        catalogue = catalogue_of_rules()
        put(
            told.render_explanation(arguments.explain, options_of(arguments, catalogue), arguments.output_format),
            arguments.output_file,
        )
        return CLEAN
    from keyguard import doctor as judged  # noqa: PLC0415  # as above
    from keyguard.inventory import Survey  # noqa: PLC0415  # as above

    arguments.paths = [asked.folder_of(arguments)]
    run = Run(arguments)
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
    put(told.render_diagnosis(diagnosis, run.options(), arguments.output_format), arguments.output_file)
    run.tell_notices()
    return run.code(found=not diagnosis.is_healthy)


def _variable(name: str | None) -> str | None:
    """Give the variable that `--env` asks for; a key in its place is refused without being shown."""
    if name is None or (name.isidentifier() and name.isascii() and len(name) <= _LONGEST_NAME):
        return name
    from keyguard.settings import quote  # noqa: PLC0415  # for a wrong name only

    msg = f"--env takes the name of a variable, such as MY_API_KEY, not {quote(name)}"
    raise UsageError(msg)


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "check": check,
    "fix": check,
    "baseline": baseline,
    "connections": connections,
    "rules": rules,
    "explain": explain,
    "providers": providers,
    "identify": identify,
    "audit": audit,
    "doctor": doctor,
    "init": init,
}
