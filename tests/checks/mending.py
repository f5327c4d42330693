"""What the tests of fixes of rules about connections share: the fixes a check offers, and the text they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyguard.fixer import compatible
from keyguard.model import Safety
from tests.checks.mended import fixes
from tests.fixes import apply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from keyguard.checks.spots import Spot
    from keyguard.python.network import Network

_ROUNDS = 5


def mended(
    text: str,
    *checks: Callable[[Network], Iterable[Spot]],
    versions: Mapping[str, str] | None = None,
    **advice: object,
) -> str:
    """A text after the fixes of some checks, round by round as `fixer.repair` has it; unchanged without one."""
    for _ in range(_ROUNDS):
        offered = [fix for check in checks for fix in fixes(check, text, versions, **advice) if fix and fix.edits]
        assert all(fix.safety is Safety.UNSAFE for fix in offered)
        if not offered:
            return text
        text = apply(text, [edit for index in compatible(offered) for edit in offered[index].edits])
    msg = f"the fixes of this text never end:\n{text}"
    raise AssertionError(msg)


def titles(check: Callable[[Network], Iterable[Spot]], text: str, **more: object) -> list[str]:
    """What the fixes say of themselves; one that only tells what to do by hand begins with `-`."""
    found = fixes(check, text, **more)  # type: ignore[arg-type]
    assert all(fix is None or bool(fix.edits) == (fix.safety is not Safety.SHOWN) for fix in found)
    return ["" if fix is None else fix.title if fix.edits else f"- {fix.title}" for fix in found]
