"""The files in which a project asks for packages: which of them there are, and their bytes."""

from __future__ import annotations

import os
import stat

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# os.path and not pathlib: that costs 3 ms at start, and each folder of a run is asked.
# ruff: noqa: PTH116, PTH118, PTH123, PTH208

# What is larger is no list that people wrote; a lock file of 4,000 packages has 6 MB.
MOST_BYTES = 1_000_000
MOST_LOCK_BYTES = 16_000_000
_MOST_FILES = 50

LOCKS = ("uv.lock", "poetry.lock", "pdm.lock")
# What the names of all files that are read here begin with, in lower case: some disks do not tell the cases apart.
_ASKING = (
    *LOCKS,
    "pipfile",
    "pyproject.toml",
    "setup.cfg",
    "requirements",
    "constraints",
)


def sources(root: str) -> tuple[str, ...]:
    """The paths of the files that `pins` reads: while their bytes stay, so does its answer, which takes 10 ms."""
    if not may_ask(root):
        return ()
    files = [
        *((os.path.join(root, name), MOST_LOCK_BYTES) for name in (*LOCKS, "Pipfile.lock")),
        *((os.path.join(root, name), MOST_BYTES) for name in ("pyproject.toml", "Pipfile", "setup.cfg")),
        *((path, MOST_BYTES) for path in requirement_files(root)),
    ]
    return tuple(path for path, most in files if _is_read(path, most))


def may_ask(root: str) -> bool:
    """Tell from a folder's names whether it may hold such a file: most folders of a project do not."""
    try:
        return any(name.lower().startswith(_ASKING) for name in os.listdir(root))
    except (OSError, ValueError):
        return True  # what cannot be listed may still be read


def requirement_files(root: str) -> list[str]:
    """The paths of the lists that pip reads."""
    try:
        names = sorted(os.listdir(root))
    except (OSError, ValueError):
        return []
    found = [
        *_named(root, names, "requirements", ".txt"),
        *_named(root, names, "requirements", ".in"),
        *_named(os.path.join(root, "requirements"), _names_in(os.path.join(root, "requirements")), "", ".txt"),
        *_named(root, names, "constraints", ".txt"),
    ]
    return found[:_MOST_FILES]


def _names_in(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (OSError, ValueError):
        return []


def _named(folder: str, names: list[str], start: str, end: str) -> Iterator[str]:
    for name in names:
        plain = os.path.normcase(name)
        if plain.startswith(start) and plain.endswith(end) and len(plain) >= len(start) + len(end):
            yield os.path.join(folder, name)


def bytes_of(path: str, most: int) -> bytes:
    """The bytes of a file; none of one that cannot be read or has more than `most`."""
    try:
        if not _is_read(path, most):
            return b""
        with open(path, "rb") as file:
            return file.read(most)
    except (OSError, ValueError):
        return b""


def _is_read(path: str, most: int) -> bool:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size <= most
