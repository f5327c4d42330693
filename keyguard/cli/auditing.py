"""`keyguard audit`: a work tree and its history, ranked by key, and what is asked of providers about them."""

from __future__ import annotations

import datetime as dt
import os
import sys
from contextlib import suppress

from keyguard import audit as audits
from keyguard import history
from keyguard.audit.questions import questions_about
from keyguard.audit.ranking import judged
from keyguard.audit.tree import recalled, tree_of
from keyguard.cache import status_of
from keyguard.cli.codes import INTERRUPTED
from keyguard.cli.run import Run, agreed, catalogue_of_rules, put
from keyguard.discover import git, shown
from keyguard.errors import UsageError
from keyguard.history.memory import Memory, memory_of
from keyguard.inventory import Survey
from keyguard.lang import texts
from keyguard.leaks import Audited
from keyguard.report.audit import render_audit, see_that_known
from keyguard.report.options import EPOCH, scan_time
from keyguard.report.progress import stages
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from keyguard.audit.tree import Tree
    from keyguard.discover.git import Repository
    from keyguard.leaks import Audit, Leak
    from keyguard.verify import Request

    Where = Callable[[str], tuple[Repository | None, str]]

_STORE = "audit.sqlite"
_MOST_GONE = 10

# os.path and not pathlib, as in the rest of this room.
# ruff: noqa: PTH112, PTH118, PTH119, PTH120


def audit(arguments: argparse.Namespace) -> int:
    """Audit what the arguments name, ask providers if that is wanted, write the report, and give the exit code.

    Raises:
        UsageError: an argument is wrong, or a file it names cannot be used.
    """
    form = arguments.audit_format
    see_that_known(form)
    if arguments.store is None and (arguments.repos or arguments.parquet):
        arguments.store = _STORE
    folder, repository = (".", None) if arguments.repos else folder_of(arguments)
    arguments.paths = [folder]
    run = Run(arguments)
    if arguments.repos:
        found, gone, where, was_interrupted = audit_of_many(run, arguments)
    else:
        if not is_bare(folder, repository):
            run.find()
        found, gone = kept(audit_of(run, folder, repository, arguments), arguments)
        was_interrupted = not found.is_complete
        where = lambda _: (repository, folder)  # noqa: E731  # one line
    told_gone(gone, run.lang)
    if arguments.verify and not was_interrupted:
        found = verified(run, found, where, yes=arguments.yes)
    exported(found, arguments)
    code = run.code(found=bool(found.leaks or found.others))
    options = run.options()._replace(exit_code=code, scan_time=now(os.environ))
    put(render_audit(found, form, options), arguments.output_file)
    return INTERRUPTED if was_interrupted else code


def folder_of(arguments: argparse.Namespace) -> tuple[str, Repository | None]:
    """Find what is to be audited: a folder of files, and the repository it belongs to, whole.

    Raises:
        UsageError: there is no such folder, or no history in it although one is asked for.
    """
    path: str = arguments.path
    if not os.path.isdir(path):
        msg = f"{shown(path)}: there is no such folder; name a repository's folder"
        raise UsageError(msg)
    real = os.path.realpath(path)
    if git.is_git_folder(real):
        if not arguments.history:
            msg = f"{shown(path)}: a git repository without a work tree has only its history; leave out --no-history"
            raise UsageError(msg)
        return real, git.Repository(real, (("GIT_DIR", real),))
    repository = git.repository_of(real)
    if repository is None and arguments.history:
        msg = f"{shown(path)}: it is in no git repository; with --no-history its files alone are audited"
        raise UsageError(msg)
    return (real if repository is None else repository.top), repository


def is_bare(folder: str, repository: Repository | None) -> bool:
    """Whether there is a history only, and no work tree."""
    return repository is not None and git.is_git_folder(folder)


def scope_of(arguments: argparse.Namespace) -> history.Scope:
    """The part of the history that the arguments ask for."""
    return history.Scope(arguments.since, tuple(arguments.branch or ()), arguments.max_commits, arguments.unreachable)


def audit_of(run: Run, folder: str, repository: Repository | None, arguments: argparse.Namespace) -> Audit:
    """Audit one repository, or the files of a folder.

    Raises:
        UsageError: git cannot read the repository, or the scope names what is not there.
    """
    memory = _memory(run, folder, repository, arguments)
    bare = is_bare(folder, repository)
    tree = None if bare else recalled(memory, run.targets, _about(run, repository), lambda: _tree(run, folder))
    past = None
    if arguments.history and repository is not None:
        try:
            past = _history(run, repository, memory, arguments)
        except git.GitError as error:
            raise _refused(folder, error) from error
        except KeyboardInterrupt:  # what lies on disk is known
            past = history.History(is_complete=False)
        run.broke = run.broke or bool(past.notices)
    memory.write()
    name = os.path.basename(folder.removesuffix("/.git")) or folder
    return audits.put_together(Audited(shown(name), shown(arguments.path)), tree, past, run.catalogue, run.lang)


def audit_of_many(run: Run, arguments: argparse.Namespace) -> tuple[Audit, Sequence[Leak], Where, bool]:
    """Audit many repositories into a store.

    Gives besides the audit the leaks that are gone since the one it is compared with, where each repository lies, and
    whether Ctrl-C cut it short.

    Raises:
        UsageError: the list, the store, the cluster or the audit to compare with cannot be used.
    """
    from keyguard.many import Options, audit_many, repositories_of  # noqa: PLC0415  # SQLite: 10 ms, for many only
    from keyguard.many.repositories import NoRepository, opened  # noqa: PLC0415  # as above

    repos = repositories_of(*arguments.repos)
    options = Options(
        run.lang,
        tuple(run.overrides.items()),
        arguments.config,
        arguments.isolated,
        scope_of(arguments),
        arguments.history,
        # The caches of a cluster's workers, which come and go, are of little use.
        not arguments.no_cache and arguments.cluster is None,
    )
    say = texts(run.lang).say
    with stages(enabled=run.shows_progress) as tell:
        found = audit_many(
            repos,
            options,
            arguments.store,
            jobs=run.settings.jobs or os.cpu_count() or 1,
            address=arguments.cluster,
            last=arguments.compare,
            again=arguments.no_cache,
            advance=lambda step: tell(say("audit.step.many"), step.done, step.total),
        )
    places = {repo.name: repo for repo in repos}

    def where(name: str) -> tuple[Repository | None, str]:
        # An audit of one repository names it nowhere.
        repo = places.get(name) or repos[0]
        try:
            repository = opened(repo)
        except NoRepository:
            return None, repo.location
        return repository, repository.top

    return found.audit, found.gone, where, found.ended.interrupted


def kept(found: Audit, arguments: argparse.Namespace) -> tuple[Audit, Sequence[Leak]]:
    """Compare the audit of one repository with an earlier one, and put it into a store, as far as that is asked for.

    Raises:
        UsageError: one of the files cannot be used.
    """
    if arguments.compare is None and arguments.store is None:
        return found, ()
    from keyguard.many.comparing import compare, gone, read_last  # noqa: PLC0415  # SQLite: 10 ms, for these options
    from keyguard.many.store import open_store  # noqa: PLC0415  # as above

    missing: Sequence[Leak] = ()
    if arguments.compare is not None:
        last = read_last(arguments.compare)
        found, missing = compare(found, last), gone(found, last)
    if arguments.store is not None:
        with open_store(arguments.store) as store:
            store.put_audit(found)
    return found, missing


def exported(found: Audit, arguments: argparse.Namespace) -> None:
    """Put what the providers said into the store, and write it as Parquet, as far as that is asked for.

    Raises:
        UsageError: the store or the folder cannot be written, or a package is missing.
    """
    if arguments.store is None or not (arguments.verify or arguments.parquet):
        return
    from keyguard.many.parquet import export  # noqa: PLC0415  # SQLite: 10 ms, for these options
    from keyguard.many.store import open_store  # noqa: PLC0415  # as above

    if arguments.verify:
        with open_store(arguments.store) as store:
            store.put_leaks(found.leaks)
    if arguments.parquet:
        export(arguments.store, arguments.parquet)


def told_gone(leaks: Sequence[Leak], lang: str) -> None:
    """Say which keys of the audit that was compared with are nowhere any more."""
    say = texts(lang).say
    if leaks:
        shown_keys = ", ".join(leak.masked for leak in leaks[:_MOST_GONE])
        more = "" if len(leaks) <= _MOST_GONE else ", …"
        sys.stderr.write(say("audit.gone", count=len(leaks), keys=shown_keys + more) + "\n")


def verified(run: Run, found: Audit, where: Where, *, yes: bool) -> Audit:
    """Say what would be sent where, ask whether to, and add what the providers said of the keys.

    Raises:
        UsageError: nobody can be asked, and `yes` was not given.
    """
    from keyguard.verify import Terms, plan, say_count, verify  # noqa: PLC0415  # urllib3: 40 ms, for --verify only

    # With the rules as they are: what a repository says of its own hosts must not decide where a key is sent.
    catalogue = catalogue_of_rules()
    requests = plan(questions_about(found.leaks, where, history.session_of(run.session)), catalogue)
    if not _may_send(requests, run.lang, yes=yes):
        return found
    verdicts = {}
    say = texts(run.lang).say
    with stages(enabled=run.shows_progress) as tell, suppress(KeyboardInterrupt):  # what was answered stands
        for key, verdict in verify(requests, Terms(), run.lang):
            verdicts[key] = verdict
            tell(say("audit.step.verify"), len(verdicts), len(requests))
    if verdicts:
        sys.stderr.write(say_count(verdicts.values(), run.lang) + "\n")
    return found._replace(leaks=judged(found.leaks, verdicts, run.catalogue, run.lang))


def _may_send(requests: Sequence[Request], lang: str, *, yes: bool) -> bool:
    from keyguard.verify import say_plan  # noqa: PLC0415  # as above

    say = texts(lang).say
    sys.stderr.write(say_plan(requests, lang) + "\n")
    if not any(request.asks for request in requests):
        return bool(requests)
    return yes or agreed(say("audit.verify.ask"), say("audit.verify.needs-yes"))


def now(environ: Mapping[str, str]) -> str:
    """When the audit is made: what the environment states, so that equal runs give equal bytes, else the clock."""
    stated = scan_time(environ)
    if stated != EPOCH:
        return stated
    return dt.datetime.now(tz=dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def _tree(run: Run, folder: str) -> Tree:
    report, inventory = run.surveyed(Survey())
    return tree_of(report, inventory, run.targets, folder)


def _history(run: Run, repository: Repository, memory: Memory, arguments: argparse.Namespace) -> history.History:
    say = texts(run.lang).say
    names = {"sift": say("audit.step.sift"), "check": say("audit.step.check")}
    with stages(enabled=run.shows_progress) as tell:
        return history.read(
            repository,
            history.session_of(run.session),
            scope_of(arguments),
            jobs=run.settings.jobs,
            memory=memory,
            tell=lambda step: tell(names[step.step], step.done, step.total, in_bytes=step.step == "sift"),
        )


def _memory(run: Run, folder: str, repository: Repository | None, arguments: argparse.Namespace) -> Memory:
    """What earlier audits of the same repository, with the same settings, left behind."""
    if arguments.no_cache or repository is None:
        return Memory()
    return memory_of(folder, run.settings_of(folder), run.session, scope_of(arguments))


def _about(run: Run, repository: Repository | None) -> tuple[object, ...]:
    """What a result for the work tree stands on besides its files."""
    settings = sorted({repr(run.settings_of(os.path.dirname(target.location))) for target in run.targets})
    index = None
    with suppress(git.GitError):  # it refuses to look: then it says nothing about files either
        if repository is not None:
            found = git.run(repository, "rev-parse", "--git-path", "index").decode("utf-8", "surrogateescape")
            index = status_of(os.path.join(repository.top, found.removesuffix("\n")))
    return (*settings, index, sorted(run.session.project().versions.items()))


def _refused(folder: str, error: git.GitError) -> UsageError:
    import shlex  # noqa: PLC0415  # for an error only

    text = str(error)
    hint = ""
    if "dubious ownership" in text or "safe.directory" in text:
        hint = f"; if you trust it: git config --global --add safe.directory {shlex.quote(folder)}"
    return UsageError(f"{shown(folder)}: git cannot read its history ({text}){hint}")
