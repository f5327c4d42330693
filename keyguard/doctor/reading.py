"""Reads what a program of the project would find: the shell, env files, what git and other users see of them."""

from __future__ import annotations

import os
import re
import stat

from keyguard.checks.variables import is_secret_setting
from keyguard.discover import git_statuses
from keyguard.doctor.goals import named, watched
from keyguard.doctor.loading import Load, loads_of, may_load, resolved
from keyguard.doctor.records import EnvFile, Environment, Named, Place, Setting, Unread
from keyguard.keystore.base import VARIABLE
from keyguard.keystore.env_text import bindings
from keyguard.mentions import mentions, where
from keyguard.model import Secret
from keyguard.patterns import regex
from keyguard.secrets.shapes import is_credential_name
from keyguard.settings import display
from keyguard.source import Undecodable, decode, is_env_file, is_env_template, kind_of
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from keyguard.catalogue import Catalogue
    from keyguard.discover import Target
    from keyguard.inventory import Row
    from keyguard.keystore.env_text import Binding
    from keyguard.source import SourceFile

# os.path and not pathlib: paths are compared with what the finder of files gives.
# ruff: noqa: PTH100, PTH113, PTH116, PTH118, PTH120, PTH208

_USUAL = (".env.local", ".env")  # what is there to be loaded, the one that wins first
_MOST_FILES = 16  # env files; a project has a handful
_MOST_BYTES = 1 << 20  # of an env file, and of a file that may load one
_LONGEST_NAME = 128  # characters of a variable
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "bom"}
_SERVED = frozenset({"public", "static", "www", "htdocs", "html", "public_html", "wwwroot", "dist", "webroot"})
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy")
_BUNDLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# A line that means to set a variable, whatever stands in front of the name.
_LINE = regex(
    r"[ \t]*(?P<before>(?:(?:export|set|setx|setenv|declare[ \t]+-x|env|ENV)[ \t]+|\$env:)*)[\"']?"
    r"(?P<name>[A-Za-z_][A-Za-z0-9_]{0,127})[\"']?[ \t]*(?P<sign>[=:]|[ \t]|$)"
)
_BREAK = regex(r"\r\n|\n|\r")
# What a file says that has to do with env files, in whatever language; `process.env` is another thing.
_ABOUT = regex(rb"dotenv|env[_-]file|(?<![\w])\.env\b|BaseSettings|decouple|environs|dynaconf", re.IGNORECASE)
_SILENT = frozenset({".gitignore", ".dockerignore"})
_SETTERS = frozenset({"compose", "ci", "dockerfile", "shell", "config"})


def read_environment(  # noqa: PLR0913, PLR0917  # what a run, a project and the code each know
    environ: Mapping[str, str],
    folder: str,
    root: str,
    targets: Sequence[Target],
    rows: Sequence[Row],
    catalogue: Catalogue,
) -> Environment:
    """Read the shell's variables and the env files that code of a project loads or that lie in its folder.

    Args:
        environ: the shell's.
        folder: the project's folder as the user gave it.
        root: the folder of its settings.
        targets: its files.
        rows: the connections of its own code.
        catalogue: the variables that matter.
    """
    kinds = watched(rows, catalogue)
    shell = tuple(Setting(name, Secret(value)) for name, value in sorted(environ.items()) if name in kinds)
    loaded = _loaded(targets, root, catalogue)
    places = dict.fromkeys((*loaded, *_usual(folder, root)))
    files = tuple(_file(path, loaded.get(path), kinds, catalogue, root) for path in list(places)[:_MOST_FILES])
    files = _with_status(files, list(places)[:_MOST_FILES])
    environment = Environment(
        shell,
        files,
        loads=bool(loaded),
        others=_others(environ, places, kinds, catalogue),
        proxies=tuple(_socks(environ)),
        missing_bundles=tuple(_missing(environ)),
    )
    return _with_hints(environment, folder, root, targets, rows)


# -- env files -------------------------------------------------------------------------------------------------------


def _loaded(targets: Iterable[Target], root: str, catalogue: Catalogue) -> dict[str, Load]:
    """The files that code loads, those that win first."""
    loaders = catalogue.env_access.loaders
    found: dict[str, Load] = {}
    for target in targets:
        if not target.path.endswith((".py", ".pyw", ".ipynb")) or target.role == "test":
            continue
        data = _bytes_of(target)
        if not may_load(data, loaders):
            continue
        for load in loads_of(_python(target, data), loaders):
            file = resolved(load, target.location, root)
            if file is not None:
                known = found.get(file, load)
                found[file] = load._replace(overrides=load.overrides or known.overrides)
    over = [file for file, load in found.items() if load.overrides]
    return {file: found[file] for file in (*reversed(over), *(file for file in found if file not in over))}


def _usual(folder: str, root: str) -> Iterator[str]:
    for place in dict.fromkeys((os.path.abspath(folder), os.path.abspath(root))):
        for name in _USUAL:
            file = os.path.join(place, name)
            if os.path.lexists(file):
                yield file


def _file(path: str, load: Load | None, kinds: Collection[str], catalogue: Catalogue, root: str) -> EnvFile:
    """Read one env file as loaders do."""
    shown = display(path)
    found = EnvFile(shown, is_loaded=load is not None, overrides=load is not None and load.overrides)
    try:
        data = _read(path)
    except OSError as error:
        return found._replace(error=error.strerror or type(error).__name__)
    coding = next((coding for mark, coding in _MARKS.items() if data.startswith(mark)), "")
    found = found._replace(coding=coding, served=_served(path, root), is_open=_is_open(path))
    if coding == "utf-16" or b"\0" in data:
        return found._replace(coding="utf-16", has_secrets=True)
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    held = list(bindings(text))
    return found._replace(
        settings=tuple(
            Setting(one.name, Secret(one.value), Place(shown, _line(text, one.start)))
            for one in held
            if one.value is not None and one.name in kinds
        ),
        unread=tuple(_unread(text, held, kinds)),
        has_secrets=any(is_secret_setting(one.name, one.value or "", catalogue) for one in held),
        ends="crlf" if "\r\n" in text and os.name != "nt" else "",
    )


def _unread(text: str, held: Sequence[Binding], kinds: Collection[str]) -> Iterator[Unread]:
    """The lines that mean to set a variable that matters, and that set nothing."""
    bound = {_line(text, one.start): one for one in held if VARIABLE.fullmatch(one.name)}
    sealed = [one for one in held if (one.value or "").startswith("-----BEGIN")]
    begin = 0
    for number, line in enumerate(_BREAK.split(text), 1):
        here, begin = begin, begin + len(line) + 1
        found = _LINE.match(line)
        if found is None or found["name"] not in kinds or any(one.start < here < one.end for one in sealed):
            continue
        one = bound.get(number)
        if one is not None and one.name == found["name"]:
            if one.value is None:
                yield Unread(found["name"], "value", number)
            continue
        if found["before"].strip() == "export" and found["sign"] == "":
            yield Unread(found["name"], "value", number)
        elif found["sign"] == "=" and found["before"].strip() in {"", "export"}:
            yield Unread(found["name"], "quote", number)
        elif found["sign"] == ":" or found["before"]:
            yield Unread(found["name"], "form", number)


def _with_status(files: Sequence[EnvFile], places: Sequence[str]) -> tuple[EnvFile, ...]:
    """Ask git about all of them at once."""
    statuses = git_statuses(places) if places else {}
    return tuple(file._replace(status=statuses[place]) for file, place in zip(files, places, strict=True))


def _is_open(path: str) -> bool:
    """Tell whether other users of the machine can read a file: its mode lets them, and so does every folder above."""
    if os.name == "nt":
        return False
    place = os.path.realpath(path)
    try:
        if not os.stat(place).st_mode & stat.S_IROTH:
            return False
        while (parent := os.path.dirname(place)) != place:
            place = parent
            if not os.stat(place).st_mode & stat.S_IXOTH:
                return False
    except OSError:
        return False
    return True


def _served(path: str, root: str) -> str:
    """The folder of the project that a file lies in and that web servers hand out by its name."""
    inner = os.path.relpath(os.path.dirname(path), root).replace(os.sep, "/").split("/")
    return next((part for part in inner if part.lower() in _SERVED), "")


def _read(path: str) -> bytes:
    """Read a regular file; never waits for a pipe, as password managers put in a `.env`'s place."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as stream:  # noqa: PTH123  # a descriptor
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "no regular file")
        return stream.read(_MOST_BYTES)


def _line(text: str, place: int) -> int:
    return len(_BREAK.findall(text, 0, place)) + 1


# -- the rest of the shell -------------------------------------------------------------------------------------------


def _socks(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The proxies that speak SOCKS, each once."""
    seen = set()
    for name in _PROXIES:
        scheme = environ.get(name, "").partition("://")[0].lower()
        if scheme.startswith("socks") and scheme.isalnum() and name.upper() not in seen:
            seen.add(name.upper())
            yield name, scheme


def _missing(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The certificates that a variable names and that are not there."""
    for name in _BUNDLES:
        path = environ.get(name, "")
        if path and not os.path.exists(path):  # noqa: PTH110  # as above
            yield name, path


def _others(
    environ: Mapping[str, str], files: Iterable[str], kinds: Collection[str], catalogue: Catalogue
) -> tuple[str, ...]:
    """The names of credentials that are set and that nobody asked for: one of them may be misspelt."""
    names = set(environ)
    for path in files:
        try:
            text = _read(path).decode("utf-8", "replace")
        except OSError:
            continue
        names |= {one.name for one in bindings(text.removeprefix("\ufeff"))}
    return tuple(
        sorted(
            name
            for name in names
            if name not in kinds
            and len(name) <= _LONGEST_NAME
            and VARIABLE.fullmatch(name)
            and is_credential_name(name, catalogue)
        )
    )


# -- why a variable is missing ---------------------------------------------------------------------------------------


def _with_hints(
    environment: Environment, folder: str, root: str, targets: Sequence[Target], rows: Sequence[Row]
) -> Environment:
    """Look into the project's files for what is needed and set nowhere, and for what loads env files."""
    filled = {one.name for one in environment.shell if one.value.value.strip()}
    in_files = {one.name for file in environment.files for one in file.settings if one.value.value.strip()}
    wanted = named(rows)
    unset = [name for name in wanted if name not in filled and name not in in_files]
    if unset:
        hints = (*_in_templates(folder, root, unset), *_in_targets(targets, unset))
        environment = environment._replace(named=hints)
    if not environment.loads and any(name in in_files and name not in filled for name in wanted):
        environment = environment._replace(loads=any(map(_is_about_env_files, targets)))
    return environment


def _in_templates(folder: str, root: str, names: Collection[str]) -> Iterator[Named]:
    for place in dict.fromkeys((os.path.abspath(folder), os.path.abspath(root))):
        for entry in sorted(os.listdir(place)):
            path = os.path.join(place, entry)
            if not is_env_template(entry) or not os.path.isfile(path):
                continue
            try:
                text = _read(path).decode("utf-8", "replace")
            except OSError:
                continue
            for one in bindings(text):
                if one.name in names:
                    yield Named(one.name, "template", Place(display(path), _line(text, one.start)))


def _in_targets(targets: Iterable[Target], names: Sequence[str]) -> Iterator[Named]:
    """Code that sets a variable itself, and files that set it for a run of their own."""
    for target in targets:
        if is_env_file(target.path) or target.role == "test":
            continue
        data = _bytes_of(target)
        for name in names:
            if name.encode() in data:
                yield from _set_in(target, data, name)


def _set_in(target: Target, data: bytes, name: str) -> Iterator[Named]:
    for source in _sources(target, data):
        kind = "code" if source.kind == "python" else "elsewhere"
        if kind == "elsewhere" and where(target.place, source.kind) not in _SETTERS:
            continue
        for found in mentions(source, name):
            if found.action == "set":
                yield Named(name, kind, Place(target.path, source.position(found.start)[0]))


def _is_about_env_files(target: Target) -> bool:
    if target.role == "docs" or is_env_file(target.path) or os.path.basename(target.path) in _SILENT:  # noqa: PTH119  # as above
        return False
    return _ABOUT.search(_bytes_of(target)) is not None


def _sources(target: Target, data: bytes) -> tuple[SourceFile, ...]:
    """The texts of a file: its own, or the code cells of a notebook; none where it is no text."""
    try:
        source = decode(target.path, data, kind=kind_of(target.path, data[:256]), place=target.place)
    except Undecodable:
        return ()
    if source.kind != "notebook":
        return (source,)
    from keyguard.source import NotebookError, notebook_parts  # noqa: PLC0415  # dataclasses: 18 ms, for notebooks

    try:
        parts = notebook_parts(source)
    except NotebookError:
        return ()
    return tuple(part for part in parts if part.kind == "python" and part.part == "source")


def _python(target: Target, data: bytes) -> str:
    from keyguard.source import python_text  # noqa: PLC0415  # 1 ms, where a module may load an env file

    return "\n".join(map(python_text, _sources(target, data)))


def _bytes_of(target: Target) -> bytes:
    """A file's bytes; none of one that is too large to be written by hand, or that cannot be read."""
    if target.size > _MOST_BYTES:
        return b""
    try:
        return target.read()
    except OSError:
        return b""
