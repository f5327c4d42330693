"""Versions of packages, told apart as far as the rules ask: which of two comes first."""

from __future__ import annotations

import re

from keyguard.patterns import regex

# Digits are few on purpose: `int` refuses a number of thousands of digits with an exception.
_VERSION = regex(
    r"[vV]?(?:[0-9]{1,9}!)?(?P<release>[0-9]{1,9}(?:\.[0-9]{1,9}){0,9})"
    r"(?:[-_.]?(?P<stage>dev|alpha|beta|preview|pre|post|rev|rc|a|b|c|r)(?![a-z])[-_.]?(?P<number>[0-9]{0,9}))?",
    re.IGNORECASE,
)
_STAGES = {"dev": -4, "a": -3, "alpha": -3, "b": -2, "beta": -2, "rc": -1, "c": -1, "pre": -1, "preview": -1}


def order(version: str) -> tuple[tuple[int, ...], int, int] | None:
    """What sorts a version: its numbers without trailing zeros, its stage and the stage's number; None for no version.

    Epochs and local parts are left out, and what follows the first stage: no package of the rules uses them.
    """
    found = _VERSION.match(version.strip()[:100])
    if found is None:
        return None
    numbers = [int(part) for part in found["release"].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    stage = found["stage"]
    return tuple(numbers), _STAGES.get(stage.lower(), 1) if stage else 0, int(found["number"] or 0) if stage else 0


def is_version(text: str) -> bool:
    """Tell whether a text has an `order`."""
    return _VERSION.match(text.strip()[:100]) is not None


def before(version: str, other: str) -> bool:
    """Tell whether a version is older than another; False when one of them is none."""
    first, second = order(version), order(other)
    return first is not None and second is not None and first < second


def just_below(version: str) -> str | None:
    """A version that is older than `version` and newer than every release before it; None for no version."""
    found = _VERSION.match(version.strip()[:100])
    return None if found is None else f"{found['release']}.dev0"
