"""`keyguard init` sets a project up: hook, settings, ignore lines, and a baseline where it already leaks.

Files are extended by inserting text, so that every line the user wrote stays as it is; nothing is overwritten, and a
second run changes nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from keyguard import __version__
from keyguard.errors import UsageError
from keyguard.lang import init as words
from keyguard.patterns import regex
from keyguard.settings import OWN_FILE, SHARED_FILE
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from keyguard.lang import Texts

REPOSITORY = "https://github.com/keyguard/keyguard"
HOOK_FILE = ".pre-commit-config.yaml"
IGNORE_FILE = ".gitignore"
BASELINE_FILE = ".keyguard-baseline.json"

_SETTINGS = """\
# Every setting stands here at its default; take the "# " away in front of one you want to change.
# select = ["ALL"]  # rules to run: "KG101", a family such as "KG1", or a name such as "hardcoded-key"
# ignore = []  # rules not to run
# extend-exclude = []  # more paths to leave out, written as in .gitignore
# per-file-ignores = {}  # such as {"tests/**" = ["KG101"]}
# respect-gitignore = true  # leave out what git ignores
# min-severity = "medium"  # hide findings below it: "low", "medium" or "high"
# min-confidence = "medium"  # hide findings we are less sure of
# output-format = "text"
"""

# Why a file is left alone: names of texts.
_SHAPE, _TOML, _LINK, _ENCODING = "reason.shape", "reason.toml", "reason.link", "reason.encoding"
_UNREADABLE, _CHANGED = "reason.unreadable", "changed"

# Files that show which variables there are, with no key in them; `.env.*` would hide them too.
_TEMPLATES = (".env.example", ".env.sample", ".env.template", ".env.dist")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing init does, or says, about `path` (from the project's root).

    `title` names a text of `keyguard.lang.init`. A step with neither `text` nor `command` only says something: that
    all is in place, or (`by_hand`) what the user must do. `before` is the file's text when the step was planned, None
    where there was no file; `added` is what the user is shown.
    """

    path: str
    title: str
    values: Mapping[str, object] = field(default_factory=dict)
    added: str = ""
    text: str | None = None
    before: str | None = None
    command: tuple[str, ...] = ()
    by_hand: bool = False

    @property
    def to_do(self) -> bool:
        """Tell whether applying the step would change anything."""
        return self.text is not None or bool(self.command)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """How init talks: `ask` gets a question and answers it, `say` shows a line; `lang` is `en` or `zh`."""

    ask: Callable[[str], bool]
    say: Callable[[str], None]
    lang: str = "en"


class _HandsOffError(Exception):
    """A file init must not touch; `reason` names a text of `keyguard.lang.init`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def dialogue(*, yes: bool, lang: str = "en") -> Dialogue:
    """Talk on the terminal; with `yes` nothing is asked.

    Raises UsageError where something would be asked and nobody is there to answer.
    """
    if not yes and not sys.stdin.isatty():
        raise UsageError(words.texts(lang).say("needs_yes"))

    def ask(question: str) -> bool:
        if yes:
            return True
        try:
            return input(question).strip().lower() in {"", "y", "yes", "是", "好"}
        except EOFError:
            return False

    return Dialogue(ask, print, lang)


def run(folder: str | Path, talk: Dialogue, findings: Callable[[Path], int], accept: Callable[[Path], object]) -> None:
    """Set up the project that `folder` belongs to: the git repository around it, else the folder itself.

    `findings` counts what a check of the project reports, `accept` writes its baseline. Raises UsageError if the
    folder does not exist or a step failed; the other steps are done all the same.
    """
    texts = words.texts(talk.lang)
    if not Path(folder).is_dir():
        raise UsageError(texts.say("no_folder", path=folder))
    root = find_root(Path(folder))
    visit = _Visit(talk, texts)
    for step in plan(root):
        visit.take(step, partial(apply, root, step))
    # Asked only now: the settings just written say what is checked.
    step = _plan_baseline(root, findings)
    if visit.take(step, partial(accept, root)):
        talk.say(f"{step.path}: {texts.say('baseline.next')}")
    step = plan_install(root)
    visit.take(step, partial(apply, root, step))
    if visit.failures:
        path, reason = visit.failures[0]
        raise UsageError(texts.say("some_failed", path=path, reason=reason))


@dataclass(slots=True)
class _Visit:
    """One run of init: what is said about each step, and what went wrong."""

    talk: Dialogue
    texts: Texts
    failures: list[tuple[str, str]] = field(default_factory=list)

    def take(self, step: Step, act: Callable[[], object]) -> bool:
        """Show a step, ask, do it and tell; True if it was done."""
        say, texts = self.talk.say, self.texts
        if not step.to_do:
            _show(step, texts, say)
            return False
        if step.added:
            say(_indented(step.added))
        title = texts.say(step.title, **step.values)
        if not self.talk.ask(texts.say("ask", path=step.path, title=title)):
            say(f"{step.path}: {texts.say('declined')}")
            return False
        reason = self._failure(act)
        if reason is None:
            say(f"{step.path}: {title}: {texts.say('done')}")
            return True
        self.failures.append((step.path, reason))
        say(f"{step.path}: {texts.say('failed', reason=reason)}")
        return False

    def _failure(self, act: Callable[[], object]) -> str | None:
        """Act, and give the reason if that failed."""
        try:
            act()
        except _HandsOffError as error:
            return self.texts.say(error.reason)
        except OSError as error:
            return error.strerror or type(error).__name__
        except subprocess.CalledProcessError as error:
            return _last_line(f"{error.stdout}\n{error.stderr}")
        return None


def find_root(folder: Path) -> Path:
    """Give the top of the git work tree that holds a folder, else the folder itself."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    return Path(top) if top else folder.resolve()


def plan(root: Path) -> tuple[Step, ...]:
    """Tell what the project's files lack; nothing is written."""
    return (_plan_hook(root), _plan_settings(root), *_plan_ignore(root))


def apply(root: Path, step: Step) -> None:
    """Do a step. Raises OSError or CalledProcessError; a file that changed since it was planned is left alone."""
    if step.text is not None:
        _write(root / step.path, step.text, step.before)
    if step.command:
        # The command is pre-commit's own, found below; no text of the project is part of it.
        subprocess.run(step.command, cwd=root, check=True, capture_output=True, text=True, errors="replace")  # noqa: S603


# The hook -------------------------------------------------------------------------------------------------------------

_HAS_HOOK = regex(r"""^[^#\n]*\bid["']?[ \t]*:[ \t]*["']?keyguard["']?[ \t\r]*(?:[,}#].*)?$""", re.MULTILINE)
_REPOS = regex(r"""^["']?repos["']?[ \t]*:[ \t]*(?P<value>[^#\r\n]*?)[ \t]*(?:#.*)?$""")
_ITEM = regex(r"^(?P<indent> *)(?P<dash>-(?: +|$))")


def _hook_lines(indent: int = 2, dash: int = 2, nested: int = 2) -> tuple[str, ...]:
    """The entry of `repos`, at the indentation the user's own entries have."""
    outer = " " * indent
    inner = " " * (indent + dash)
    first = "-".ljust(dash)
    return (
        f"{outer}{first}repo: {REPOSITORY}",
        f"{inner}rev: v{__version__}",
        f"{inner}hooks:",
        f"{inner}{' ' * nested}- id: keyguard",
    )


def _plan_hook(root: Path) -> Step:
    whole = "\n".join(("repos:", *_hook_lines())) + "\n"
    try:
        before = _read(root / HOOK_FILE)
        if before is None:
            return Step(HOOK_FILE, "hook.create", text=whole, added=whole)
        if _HAS_HOOK.search(before):
            return Step(HOOK_FILE, "hook.present")
        text, added = _with_hook(before)
    except _HandsOffError as error:
        values = {"reason": error.reason}
        return Step(HOOK_FILE, "hook.by_hand", values, added="\n".join(_hook_lines()), by_hand=True)
    return Step(HOOK_FILE, "hook.title", text=text, before=before, added=added)


def _with_hook(before: str) -> tuple[str, str]:
    """Insert our entry at the end of `repos`, and give the new text and what was added."""
    lines = before.removesuffix("\n").split("\n") if before else []
    newline = "\r" if "\r\n" in before else ""
    places = [number for number, line in enumerate(lines) if _REPOS.match(line.rstrip("\r"))]
    if any(line.startswith("...") for line in lines) or len(places) > 1:
        raise _HandsOffError(_SHAPE)  # more than one document
    if not places:
        block = "\n".join(("repos:", *_hook_lines())) + "\n"
        return _appended(before, block), block
    place = places[0]
    value = _REPOS.match(lines[place].rstrip("\r"))
    shown = value["value"].rstrip() if value else ""
    if shown == "[]":
        lines[place] = lines[place].replace("[]", "", 1).replace(":  ", ": ").rstrip() + newline
    elif shown:
        raise _HandsOffError(_SHAPE)
    style = _Style.of(lines, place + 1)
    added = list(_hook_lines(style.indent, style.dash, style.nested))
    if style.spaced:
        added.insert(0, "")
    lines[style.end : style.end] = [line + newline for line in added]
    if newline and style.end and not lines[style.end - 1].endswith("\r"):
        lines[style.end - 1] += newline  # the file did not end with a line end
    return "\n".join(lines) + "\n", "\n".join(added)


@dataclass(frozen=True, slots=True)
class _Style:
    """How the entries of `repos` are written: columns, and the line after the last of them."""

    end: int
    indent: int = 2
    dash: int = 2
    nested: int = 2
    spaced: bool = False

    @classmethod
    def of(cls, lines: Sequence[str], start: int) -> _Style:
        """Read the style of the list that begins at a line."""
        indent, dash, nested, spaced, end, hooks = -1, 2, 2, False, start, -1
        for number, line in enumerate(lines[start:], start):
            content = line.lstrip(" ").rstrip()
            column = len(line) - len(line.lstrip(" "))
            if not content or (content.startswith("#") and column <= max(indent, 0)):
                continue
            if content.startswith("\t"):
                raise _HandsOffError(_SHAPE)
            item = _ITEM.match(line.rstrip("\r"))
            if indent < 0:
                if item is None and column:
                    raise _HandsOffError(_SHAPE)
                if item is None:
                    break  # `repos:` holds nothing
                indent, dash = column, max(len(item["dash"]), 2)
            elif item is not None and column == indent:
                spaced = not lines[number - 1].strip()
            elif column <= indent:
                break
            if hooks >= 0 and item is not None:
                nested = max(column - hooks, 0)
            hooks = column if content == "hooks:" else -1
            end = number + 1
        return cls(end, max(indent, 0) if indent >= 0 else 2, dash, nested, spaced)


# The settings ---------------------------------------------------------------------------------------------------------


def _plan_settings(root: Path) -> Step:
    if os.path.lexists(root / OWN_FILE):
        return Step(OWN_FILE, "settings.present")
    try:
        before = _read(root / SHARED_FILE)
        if before is None:
            return Step(OWN_FILE, "settings.create", text=_SETTINGS, added=_SETTINGS)
        tool = _toml(before).get("tool", {})
        if isinstance(tool, dict) and "keyguard" in tool:
            return Step(SHARED_FILE, "settings.present")
        added = f"[tool.keyguard]\n{_SETTINGS}"
        text = _appended(before, added)
    except _HandsOffError as error:
        return Step(SHARED_FILE, "settings.by_hand", {"reason": error.reason}, by_hand=True)
    try:
        _toml(text)
    except _HandsOffError:  # `tool = {…}` on one line cannot be added to
        return Step(OWN_FILE, "settings.create", text=_SETTINGS, added=_SETTINGS)
    return Step(SHARED_FILE, "settings.title", text=text, before=before, added=added)


def _toml(text: str) -> dict[str, object]:
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415  # 16 ms with re, for a project with a pyproject.toml only
    else:
        import tomli as tomllib  # noqa: PLC0415  # Python 3.10
    try:
        return dict(tomllib.loads(text.replace("\r\n", "\n")))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _HandsOffError(_TOML) from error


# The ignore lines -----------------------------------------------------------------------------------------------------


def _plan_ignore(root: Path) -> Iterable[Step]:
    try:
        before = _read(root / IGNORE_FILE)
    except _HandsOffError as error:
        lines = "\n".join(_ignore_lines(root, ""))
        yield Step(IGNORE_FILE, "ignore.by_hand", {"reason": error.reason}, added=lines, by_hand=True)
        return
    added = "".join(f"{line}\n" for line in _ignore_lines(root, before or ""))
    if added:
        text = _appended(before or "", added, apart=False)
        yield Step(IGNORE_FILE, "ignore.title", text=text, before=before, added=added)
    else:
        yield Step(IGNORE_FILE, "ignore.present")
    for name in (_git(root, "ls-files", "-z", "--", ".env", ".env.*") or "").split("\0"):
        if name and name not in _TEMPLATES:
            yield Step(name, "ignore.tracked", {"path": name}, by_hand=True)


def _ignore_lines(root: Path, text: str) -> list[str]:
    """The lines that make git ignore key files and keep their templates; none that the file's own already do."""
    import pathspec  # noqa: PLC0415  # 38 ms, for this command only

    lines = text.splitlines()

    def ignored(name: str, added: Sequence[str]) -> bool:
        return pathspec.GitIgnoreSpec.from_lines([*lines, *added]).match_file(name)

    added: list[str] = []
    for line, name in ((".env", ".env"), (".env.*", ".env.local")):
        if not ignored(name, added) and f"!{line}" not in lines:  # who wrote `!.env` meant it
            added.append(line)
    templates = [name for name in _TEMPLATES if name == _TEMPLATES[0] or (root / name).exists()]
    return added + [f"!{name}" for name in templates if ignored(name, added)]


# The baseline and the git hook ----------------------------------------------------------------------------------------


def _plan_baseline(root: Path, findings: Callable[[Path], int]) -> Step:
    if os.path.lexists(root / BASELINE_FILE):
        return Step(BASELINE_FILE, "baseline.present")
    count = findings(root)
    if not count:
        return Step(BASELINE_FILE, "baseline.clean")
    # `accept` writes it; the empty text only says that there is something to do.
    return Step(BASELINE_FILE, "baseline.title", {"count": count}, text="")


def plan_install(root: Path) -> Step:
    """Tell whether pre-commit's git hook is in place, and how to put it there."""
    shown = "pre-commit"
    if _git(root, "rev-parse", "--is-inside-work-tree") != "true":
        return Step(shown, "install.no_git", by_hand=True)
    hook = root / (_git(root, "rev-parse", "--git-path", "hooks/pre-commit") or ".git/hooks/pre-commit")
    try:
        installed = "pre-commit" in hook.read_text(encoding="utf-8", errors="replace")
    except OSError:
        installed = False
    if installed:
        return Step(shown, "install.present")
    if not (root / HOOK_FILE).is_file() or not _HAS_HOOK.search(_read_or_empty(root / HOOK_FILE)):
        return Step(shown, "install.no_hook", by_hand=True)
    program = shutil.which("pre-commit")
    if program is not None:
        return Step(shown, "install.title", command=(program, "install"))
    if find_spec("pre_commit") is not None:
        return Step(shown, "install.title", command=(sys.executable, "-m", "pre_commit", "install"))
    return Step(shown, "install.no_tool", by_hand=True)


def _git(folder: Path, *arguments: str) -> str | None:
    """Ask git; None where it has no answer (no repository, a bare one, no git at all)."""
    try:
        done = subprocess.run(  # noqa: S603  # the arguments are this module's own
            ("git", *arguments),  # noqa: S607  # the user's git is the one on PATH
            cwd=folder,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except OSError:
        return None
    return os.fsdecode(done.stdout).removesuffix("\n") if done.returncode == 0 else None


# Files ----------------------------------------------------------------------------------------------------------------


def _read(path: Path) -> str | None:
    """Give a file's text with its line ends as they are; None if there is no file.

    Raises _HandsOffError for a link (it may lead out of the project) and for what is not UTF-8.
    """
    if path.is_symlink():
        raise _HandsOffError(_LINK)
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise _HandsOffError(_ENCODING) from error
    except OSError as error:
        raise _HandsOffError(_UNREADABLE) from error


def _read_or_empty(path: Path) -> str:
    try:
        return _read(path) or ""
    except _HandsOffError:
        return ""


def _appended(before: str, block: str, *, apart: bool = True) -> str:
    """Put a block behind a text, in the text's own line ends, with an empty line between them if `apart`."""
    newline = "\r\n" if "\r\n" in before else "\n"
    if before and not before.endswith("\n"):
        before += newline
    if apart and before.strip():
        before += newline
    return before + block.replace("\n", newline)


def _write(path: Path, text: str, before: str | None) -> None:
    """Replace a file in one move, keeping its mode; it must still hold the text it had when the step was planned."""
    if _read(path) != before:
        raise _HandsOffError(_CHANGED)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode())
        if before is not None:
            shutil.copymode(path, temporary)
        else:
            mask = os.umask(0)
            os.umask(mask)
            Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _show(step: Step, texts: Texts, say: Callable[[str], None]) -> None:
    values = dict(step.values)
    if "reason" in values:
        values["reason"] = texts.say(str(values["reason"]))
    say(f"{step.path}: {texts.say(step.title, **values)}")
    if step.added:
        say(_indented(step.added))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.rstrip("\n").split("\n"))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "?"
