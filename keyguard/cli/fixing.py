"""What `keyguard fix` does after a check: repair, move keys, write, and say what became of them."""

from __future__ import annotations

import functools
import os
import sys

from keyguard import repair
from keyguard.errors import UsageError
from keyguard.lang import texts
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from keyguard.engine import Session
    from keyguard.keystore import KeyStore
    from keyguard.model import Notice, Report
    from keyguard.repair import Change
    from keyguard.report import RenderOptions
    from keyguard.report.after import Surroundings
    from keyguard.settings import Settings
    from keyguard.source import SourceFile

# ruff: noqa: PTH100, PTH118, PTH119, PTH120, PTH123  # os.path, as in commands: pathlib is not in memory here


class Fixed(NamedTuple):
    """The report after the fixes, what went wrong while writing, whether files changed, and what to say of keys."""

    report: Report
    notices: tuple[Notice, ...]
    has_rewritten: bool
    said: str = ""


def refuse_what_is_no_file(arguments: argparse.Namespace) -> None:
    """Refuse to repair what is checked elsewhere than on disk.

    Raises:
        UsageError: it is, so nothing could be written back.
    """
    named = (arguments.range, arguments.stdin_filename)
    if arguments.staged or any(value is not None for value in named) or "-" in arguments.paths:
        msg = "--fix, --fix-only and --diff repair files: they do not go with --staged, --range or standard input"
        raise UsageError(msg)


def loading(settings: Settings, session: Session, store: KeyStore) -> Callable[[SourceFile], str | None]:
    """What makes an entry point load the env file: where that is set, or python-dotenv is among the dependencies."""

    @functools.cache  # asked for the first file that a key moved out of
    def folder() -> str | None:
        """Where the env file lies, if a program that reads its variables may load it from there."""
        from keyguard.keystore.env_file import EnvFile  # noqa: PLC0415  # in memory where keys went to one
        from keyguard.moving import style_of  # noqa: PLC0415  # in memory already

        wanted, is_asked = session.catalogue.env_access.loading, settings.load_dotenv
        if not isinstance(store, EnvFile) or not style_of(settings, session.catalogue).form.environment:
            return None
        # The function looks for a file of this name, from the module's folder upwards.
        if wanted is None or os.path.basename(store.file) != ".env":
            return None
        if not (session.project().asks_for(wanted.package) if is_asked is None else is_asked):
            return None
        return os.path.dirname(store.file)

    def finish(source: SourceFile) -> str | None:
        from keyguard.moving.loading import with_loading  # noqa: PLC0415  # as above

        place, above = os.path.dirname(os.path.abspath(source.path)), folder()
        if above is None or os.path.commonpath((place, above)) != above:
            return None
        return with_loading(source, session.catalogue, session.project())

    return finish


def fix(report: Report, changes: Sequence[Change], session: Session, store: KeyStore, options: RenderOptions) -> Fixed:
    """Write what was planned, keys first, and say what became of it."""
    written = repair.write(changes, store, report.root, session.lang)
    done = written.changes
    failed = [change for change in changes if change.repaired.failed and not change.repaired.fixed]
    said = _said(done, written, session, report.root, options)
    rewritten = any(change.repaired.data != change.before or change.repaired.excludes for change in done)
    return Fixed(repair.after(report, (*done, *failed), session), written.notices, rewritten, said)


def _said(done: Sequence[Change], written: repair.Written, session: Session, root: str, options: RenderOptions) -> str:
    moved = repair.moved(done)
    if not moved or written.receipt is None:
        return ""
    from keyguard.report.after import MovedKey, render_moved  # noqa: PLC0415  # after keys moved only

    committed = _committed(done)
    keys = [
        MovedKey(name, places, is_committed=move.secret.value in committed) for name, (move, places) in moved.items()
    ]
    place = written.receipt.place or texts(options.lang).say("after.nowhere")
    return render_moved(keys, place, _around(moved, written, session, root), options)


def _around(names: Mapping[str, object], written: repair.Written, session: Session, root: str) -> Surroundings:
    from keyguard.report.after import Surroundings  # noqa: PLC0415  # as in _said
    from keyguard.settings import display  # noqa: PLC0415  # in memory already

    files = written.receipt.files if written.receipt is not None else ()
    env_file = display(files[0]) if files else None
    unset = frozenset(name for name in names if not os.environ.get(name))
    names_loaded = [name.rpartition(".")[2].encode() for name in session.catalogue.env_access.loaders]
    # One program that loads the file is enough: what else was fixed is imported by one.
    changed = [change.repaired.data for change in written.changes if change.repaired.moves]
    loads = any(name in data for data in changed for name in names_loaded)
    return Surroundings(unset, _shell(), _uses(root, session), env_file, loads, _is_copied(root, files))


def _is_copied(root: str, files: Sequence[str]) -> bool:
    """Tell whether an image is built from the project's folder and nothing keeps the env file out of it."""
    if not files or not os.path.lexists(os.path.join(root, "Dockerfile")):
        return False
    try:
        with open(os.path.join(root, ".dockerignore"), encoding="utf-8", errors="replace") as stream:
            patterns = [line.strip() for line in stream]
    except OSError:
        return True
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  # 20 ms, for a project with images

    # Docker's patterns are rooted; the difference to git's is that `.env` means the one at the top.
    return not GitIgnoreSpec.from_lines(patterns).match_file(os.path.relpath(files[0], root).replace(os.sep, "/"))


def _shell() -> str:
    """The user's shell, by what it leaves in the environment."""
    if os.name == "nt":
        return "powershell" if "PSModulePath" in os.environ else "cmd"
    name = os.path.basename(os.environ.get("SHELL", ""))  # as above
    return name if name in {"bash", "zsh", "fish"} else "bash"


def _uses(root: str, session: Session) -> frozenset[str]:
    """What the project has that could be given variables."""
    found = {
        "docker": ("Dockerfile", "Containerfile"),
        "compose": ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"),
        "github": (".github/workflows",),
    }
    ways = {way for way, names in found.items() if any(os.path.lexists(os.path.join(root, name)) for name in names)}
    wanted = session.catalogue.env_access.loading
    if wanted is not None and session.project().asks_for(wanted.package):
        ways.add("dotenv")
    return frozenset(ways)


def _committed(changes: Sequence[Change]) -> frozenset[str]:
    """The keys, of those that moved, that the last commit's version of their file holds."""
    from keyguard.discover import git  # noqa: PLC0415  # in memory already

    found: set[str] = set()
    for change in changes:
        keys = {move.secret.value for move in change.repaired.moves}
        if not keys:
            continue
        folder = os.path.dirname(os.path.abspath(change.target.location))  # as above
        repository = git.repository_of(folder)
        if repository is None:
            continue
        path = os.path.relpath(os.path.realpath(change.target.location), os.path.realpath(repository.top))
        held = git.committed(repository, path.replace(os.sep, "/"))
        if held is not None:
            found.update(key for key in keys if key.encode() in held)
    return frozenset(found)


def tell(text: str, *, to_error: bool) -> None:
    """Print what is no part of the report: beside a machine format it goes to the error stream."""
    stream = sys.stderr if to_error else sys.stdout
    stream.write(text)
    stream.flush()
