"""KG107: an env file with real values that git tracks, is about to, or would."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keyguard.checks.variables import is_secret_setting
from keyguard.model import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.facts import TextFacts

_CASES = frozenset({"tracked", "staged", "untracked"})
# `NAME=value`, `export NAME = value`, and the `NAME: value` that some loaders take.
_ASSIGNMENT = re.compile(
    r"[ \t]*(?:(?:export|set|setenv)[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]{0,127})[ \t]{0,8}[=:][ \t]{0,8}"
)
_LINE_END = re.compile(r"[\r\n]")
_BARE = re.compile(r"[^\r\n]*")
_COMMENT = re.compile(r"[ \t]#.*")
_QUOTED = {'"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL), "'": re.compile(r"'([^']*)'")}
_LONGEST = 16_384  # characters of a quoted value: a private key of several lines fits


def check(facts: TextFacts) -> Iterator[Hit]:
    """Yield one hit at line 1; git is asked only when the file holds something to hide."""
    source = facts.source
    if not facts.is_env or facts.is_encrypted or (source.first_line, source.first_column) != (1, 1):
        return
    if _holds_secret(facts) and facts.git_status in _CASES:
        yield Hit("KG107", source.line_span(1), case=facts.git_status)


def _holds_secret(facts: TextFacts) -> bool:
    if any(key.case not in {"public-example", "restricted"} for key in facts.keys):
        return True
    return any(is_secret_setting(name, value, facts.catalogue) for name, value in _settings(facts.source.text))


def _settings(text: str) -> Iterator[tuple[str, str]]:
    """The variables that a loader of env files would set: name and value, without quotes and comments."""
    place = 0
    while place < len(text):
        found = _ASSIGNMENT.match(text, place)
        if found is None:
            place = _next_line(text, place)
            continue
        start = found.end()
        pattern = _QUOTED.get(text[start : start + 1])
        quoted = pattern.match(text, start, start + _LONGEST) if pattern is not None else None
        if quoted is not None:
            yield found[1], quoted[1]
            place = _next_line(text, quoted.end())
            continue
        bare = _BARE.match(text, start, start + _LONGEST)
        yield found[1], _COMMENT.sub("", bare[0]).strip() if bare is not None else ""
        place = _next_line(text, start)


def _next_line(text: str, place: int) -> int:
    end = _LINE_END.search(text, place)
    return end.end() if end else len(text)
