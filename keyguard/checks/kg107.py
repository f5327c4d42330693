"""KG107: an env file with real values that git tracks, is about to, or would."""

from __future__ import annotations

import re

from keyguard.checks.env_file import settings
from keyguard.checks.variables import is_secret_setting
from keyguard.model import Fix, Hit, Safety
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.facts import TextFacts

_CASES = frozenset({"tracked", "staged", "untracked"})


def check(facts: TextFacts) -> Iterator[Hit]:
    """Yield one hit at line 1; git is asked only when the file holds something to hide."""
    source = facts.source
    if not facts.is_env or facts.is_encrypted or (source.first_line, source.first_column) != (1, 1):
        return
    if _holds_secret(facts) and facts.git_status in _CASES:
        yield Hit("KG107", source.line_span(1), {"path": _quoted(source.path)}, case=facts.git_status, fix=_fix(facts))


def _quoted(path: str) -> str:
    """A path as a shell takes it."""
    return path if re.fullmatch(r"[\w./@+-]+", path) else "'" + path.replace("'", "'\\''") + "'"


def _fix(facts: TextFacts) -> Fix:
    """What nothing ignores yet gets its line; what git holds is taken out of it by hand: others lose the file too."""
    if facts.git_status == "untracked":
        return Fix("fix.git-ignore", Safety.SAFE, (), excludes=(facts.place(),))
    return Fix("fix.git-remove", Safety.SHOWN, ())


def _holds_secret(facts: TextFacts) -> bool:
    if any(key.case not in {"public-example", "restricted"} for key in facts.keys):
        return True
    return any(is_secret_setting(item.name, item.value, facts.catalogue) for item in settings(facts.source.text))
