"""Patterns of `re` that are compiled when they are first asked: most runs ask few of them, and all take 27 ms."""

from __future__ import annotations

import re

from keyguard.typed import TYPE_CHECKING

__all__ = ["regex"]

# What a pattern has: the stand-in gets it at the first question, so that further ones cost what they do of `re`.
_HELD = frozenset(
    {"match", "search", "fullmatch", "finditer", "findall", "sub", "subn", "split"}
    | {"pattern", "flags", "groups", "groupindex"}
)


class _Later:
    """Stands for a pattern; a wrong one raises when it is first asked, or in the test that asks all."""

    def __init__(self, text: str | bytes, flags: int | re.RegexFlag = 0) -> None:
        self._made_of: tuple[Any, int | re.RegexFlag] = (text, flags)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever a pattern has
        if name not in _HELD:
            raise AttributeError(name)
        made = re.compile(*self._made_of)
        vars(self).update({held: getattr(made, held) for held in _HELD})
        return vars(self)[name]

    def __reduce__(self) -> tuple[type[_Later], tuple[Any, int | re.RegexFlag]]:
        """Leave what was compiled behind: another process compiles its own."""
        return _Later, self._made_of


if TYPE_CHECKING:
    from re import compile as regex  # what it gives is used, and checked, as what `re` gives
    from typing import Any
else:
    regex = _Later
