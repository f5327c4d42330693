"""The readers of env files that must agree: the real bash, the real python-dotenv, and compose by its rules."""

from __future__ import annotations

import io
import logging
import subprocess
from typing import TYPE_CHECKING

from dotenv import dotenv_values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

logging.getLogger("dotenv.main").setLevel(logging.ERROR)  # it warns of each line that it cannot read
_PRINT = 'set -a; . "$0" && for name in "$@"; do printf "%s\\0" "${!name}"; done'


def by_bash(file: Path, names: Sequence[str]) -> list[str] | None:
    """What `set -a; . ./.env` leaves in variables; None if bash cannot run the file."""
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", _PRINT, str(file), *names],
        capture_output=True,
        env={"LC_ALL": "C.UTF-8"},
        check=False,
    )
    return None if done.returncode or done.stderr else done.stdout.decode("utf-8").split("\0")[:-1]


def by_dotenv(text: str) -> dict[str, str | None]:
    """What python-dotenv gives for a text that it decoded, `${…}` filled in as it does."""
    return dotenv_values(stream=io.StringIO(text))


def by_compose(line: str) -> str:
    """The value of one line by compose-go's rules (`dotenv/parser.go`); fails where it would fill in a variable.

    Single quotes: as it stands, but a backslash lets a quote follow. Double quotes: escapes and `$` count. Else up to
    ` #`, without spaces at the ends, and `$` counts.
    """
    value = line.partition("=")[2].strip(" \t")
    if value[:1] not in {"'", '"'}:
        assert "$" not in value
        assert "\\" not in value
        return value.partition(" #")[0].strip()
    quote, read, escaped = value[0], "", False
    for place, char in enumerate(value[1:], 1):
        if char == "\\" and not escaped:
            escaped = True
            continue
        if char == quote and not escaped:
            assert not value[place + 1 :].strip(), "nothing may follow"
            assert quote == "'" or not set(read) & set("$\\")
            return read
        read += "\\" * (escaped and char != quote) + char
        escaped = False
    raise AssertionError(line)
