"""Which versions of packages a project asks for, read from its requirements and lock files and never executed."""

from __future__ import annotations

import os
import re
import sys
from codecs import BOM_UTF8

from keyguard.patterns import regex
from keyguard.python.requirements import (
    LOCKS,
    MOST_BYTES,
    MOST_LOCK_BYTES,
    bytes_of,
    may_ask,
    requirement_files,
)
from keyguard.typed import TYPE_CHECKING
from keyguard.versions import before, is_version, just_below, order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

# os.path and not pathlib: see `layout`.
# ruff: noqa: PTH118

_MOST_LINES = 20_000
_LONGEST_LINE = 1_000

_NAME = regex(r"\s*([A-Za-z0-9][A-Za-z0-9._-]{0,200})\s*(?:\[[^\]]{0,500}\])?\s*\(?([^;#)@]{0,500})")
_CLAUSE = regex(r"(===|==|~=|!=|<=|>=|<|>|\^|~)?\s*([0-9A-Za-z.*+!_-]{1,100})\Z")
# uv, Poetry and PDM write the same two lines first; parsing a lock file as TOML takes seconds.
_PACKAGE = b"[[package]]"
_LOCKED = regex(
    rb"""^\[\[package\]\]\s{1,8}name\s?=\s?"([^"\n]{1,200})"\s{1,8}version\s?=\s?"([^"\n]{1,100})\"""", re.MULTILINE
)


def pins(root: str | os.PathLike[str]) -> Mapping[str, str]:
    """Give package names (lower case, `-` between words) with the newest version that the project in `root` allows.

    A lock file counts before requirements, and the first place that bounds a package before the others. A package that
    may be as new as it gets is not in the answer: `openai>=1.0` says nothing, `openai<1` gives `1.dev0`, which is
    older than 1 and newer than everything before. Files that cannot be read are passed over.
    """
    found: dict[str, str] = {}
    root = os.fspath(root)
    if not may_ask(root):
        return found
    for name, version in (*_lock_files(root), *_requirements(root)):
        found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return found


def asks_for(root: str, package: str) -> bool:
    """Tell whether the project in `root` asks for a package at all, in any version."""
    name = re.sub(r"[-_.]+", "[-_.]+", package)
    wanted = re.compile(rf"(?<![\w.-]){name}(?![\w-])", re.IGNORECASE)
    files = ["pyproject.toml", "Pipfile", "setup.cfg", "setup.py", "environment.yml", "environment.yaml"]
    paths = (*(os.path.join(root, file) for file in files), *requirement_files(root))
    return any(wanted.search(_text(path)) for path in paths)


def _read(folder: str, name: str, most: int = MOST_BYTES) -> str:
    return _text(os.path.join(folder, name), most)


def _text(path: str, most: int = MOST_BYTES) -> str:
    # With "utf-8-sig" Python decodes a lock file by itself, and slowly.
    return bytes_of(path, most).removeprefix(BOM_UTF8).decode("utf-8", errors="replace")


def _lock_files(root: str) -> Iterator[tuple[str, str]]:
    for name in LOCKS:
        yield from _locked(bytes_of(os.path.join(root, name), MOST_LOCK_BYTES))
    text = _read(root, "Pipfile.lock", MOST_LOCK_BYTES)
    if not text:
        return
    import json  # noqa: PLC0415  # 2 ms, for projects that have this file

    try:
        lock = json.loads(text)
    except (ValueError, RecursionError):
        return
    for section in ("default", "develop"):
        yield from _versions(_table(lock, section))


def _locked(data: bytes) -> Iterator[tuple[str, str]]:
    # Bytes and not text, which takes 5 ms to decode of 0.7 MB; a pattern would try every one of them: 4 ms.
    place = data.find(_PACKAGE)
    while place >= 0:
        match = _LOCKED.match(data, place)
        if match is not None:
            name, version = (part.decode("utf-8", errors="replace") for part in match.groups())
            if is_version(version):
                yield name, version
        place = data.find(_PACKAGE, place + len(_PACKAGE))


def _requirements(root: str) -> Iterator[tuple[str, str]]:
    yield from _pyproject(_toml(_read(root, "pyproject.toml")))
    pipfile = _toml(_read(root, "Pipfile"))
    for section in ("packages", "dev-packages"):
        yield from _versions(_table(pipfile, section))
    yield from _setup_cfg(_read(root, "setup.cfg"))
    for path in requirement_files(root):
        yield from _lines(_text(path).splitlines()[:_MOST_LINES])


def _toml(text: str) -> Mapping[str, Any]:
    if not text:
        return {}
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415  # 3 ms, for projects that have such a file
    else:
        import tomli as tomllib  # noqa: PLC0415  # as above
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):  # TOMLDecodeError is a ValueError
        return {}


def _table(data: object, *names: str) -> Mapping[str, Any]:
    for name in names:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _pyproject(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    project = _table(data, "project")
    yield from _lines(_texts(project.get("dependencies")))
    groups = (
        _table(data, "project", "optional-dependencies"),
        _table(data, "dependency-groups"),
        _table(data, "tool", "pdm", "dev-dependencies"),
    )
    for group in groups:
        for items in group.values():
            yield from _lines(_texts(items))
    uv = _table(data, "tool", "uv")
    for key in ("dev-dependencies", "constraint-dependencies", "override-dependencies"):
        yield from _lines(_texts(uv.get(key)))
    poetry = _table(data, "tool", "poetry")
    yield from _versions(_table(poetry, "dependencies"))
    yield from _versions(_table(poetry, "dev-dependencies"))
    for name in _table(poetry, "group"):
        yield from _versions(_table(poetry, "group", name, "dependencies"))


def _versions(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Read a table of names and constraints, each a text or a table with `version`, as Poetry and Pipenv have them."""
    for name, value in table.items():
        text = value.get("version") if isinstance(value, dict) else value
        newest = _newest(text, bare_is_exact=True) if isinstance(text, str) else None
        if newest:
            yield name, newest


def _setup_cfg(text: str) -> Iterator[tuple[str, str]]:
    if not text:
        return
    import configparser  # noqa: PLC0415  # 1 ms, for projects that have this file

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
        yield from _lines(parser.get("options", "install_requires", fallback="").splitlines())
        if parser.has_section("options.extras_require"):
            for _, value in parser.items("options.extras_require"):
                yield from _lines(value.splitlines())
    except (configparser.Error, ValueError):
        return


def _lines(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Read requirements as pip writes them; options, comments and addresses are passed over."""
    for line in lines:
        found = None if len(line) > _LONGEST_LINE else _NAME.match(line)
        if found is None or "://" in line.partition("#")[0].partition(";")[0]:
            continue
        newest = _newest(found[2].partition(" --")[0].rstrip(" \\"))
        if newest:
            yield found[1], newest


def _newest(constraint: str, *, bare_is_exact: bool = False) -> str | None:
    """Give the newest version that a constraint allows; None when nothing bounds it from above or it makes no sense."""
    lowest: str | None = None
    for part in constraint[:_LONGEST_LINE].split(","):
        text = part.strip()
        clause = _CLAUSE.match(text)
        if clause is None:
            if text:
                return None
            continue
        operator = clause[1] or ("==" if bare_is_exact else "")
        upper = _upper(operator, clause[2])
        if upper is not None and (lowest is None or before(upper, lowest)):
            lowest = upper
    return lowest


def _upper(operator: str, version: str) -> str | None:
    """Give the newest version that one comparison allows."""
    numbers = re.match(r"[vV]?([0-9]{1,9}(?:\.[0-9]{1,9}){0,9})", version)
    if numbers is None or order(version) is None:
        return None
    parts = [int(part) for part in numbers[1].split(".")]
    last = len(parts) - 1
    if operator in {"==", "===", "<="}:
        return _under(parts, last) if version.endswith(".*") else version
    if operator == "<":
        return just_below(version)
    # The place whose number may not grow: `~=1.4.2` stays below 1.5, `^0.27` below 0.28.
    firm = {
        "~=": last - 1,
        "~": min(1, last),
        "^": next((place for place, number in enumerate(parts) if number), last),
    }.get(operator, -1)
    return _under(parts, firm) if firm >= 0 else None


def _under(parts: list[int], place: int) -> str:
    """Give what lies just below the next number at a place: 0.28 at place 0 gives `1.dev0`."""
    return ".".join(map(str, [*parts[:place], parts[place] + 1])) + ".dev0"


_PIP = regex(r"\bpip3?\s+install\s+(?P<what>[^\n|&;]{1,1000})")


def installed(text: str) -> Mapping[str, str]:
    """Give what the `pip install` lines of a notebook or a comment bound, as `pins` does for a project."""
    found: dict[str, str] = {}
    for match in _PIP.finditer(text):
        words = match["what"].replace('"', " ").replace("'", " ").split()
        for name, version in _lines(words):
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return found
