"""Fixes become text: all edits of a fix or none, round after round, taken back where they do not keep their word."""

from __future__ import annotations

import ast
import warnings
from bisect import bisect_left
from collections import Counter
from itertools import pairwise

from keyguard.model import Edit, Finding, Fix, Move, Safety, Span
from keyguard.source import NotebookError, Undecodable, edited, encode, notebook_parts
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keyguard.source import SourceFile

_ROUNDS = 10  # a fix that waits for nine others has found something else to wait for


class Repaired(NamedTuple):
    """What became of one file: its new bytes, what was fixed and what could not be.

    `fixed` are findings as they stood in the round that fixed them, `left` those of the new text, `failed` those whose
    fix was taken back. `moves` are the keys that must be in the key store before the bytes are written, `excludes` the
    paths that git must ignore.
    """

    data: bytes
    fixed: tuple[Finding, ...] = ()
    left: tuple[Finding, ...] = ()
    failed: tuple[Finding, ...] = ()
    moves: tuple[Move, ...] = ()
    excludes: tuple[str, ...] = ()


def repair(
    data: bytes,
    read: Callable[[bytes], SourceFile],
    check: Callable[[bytes], Sequence[Finding]],
    wanted: Callable[[Finding], bool],
) -> Repaired:
    """Fix what is `wanted` of the findings in a file's bytes, and check each round's text before it is believed.

    `read` turns bytes into a text, `check` into findings. After a round what was fixed must be gone, Python that was
    parsed must still be, and there is no finding of equal or higher severity that was not there before; else the round
    is taken back and halved until the fix at fault is known, which is left out. Nothing is written.
    """
    before = tuple(check(data))
    fixed: list[Finding] = []
    failed: list[Finding] = []
    barred: set[tuple[str, ...]] = set()
    moves: dict[Move, None] = {}
    excludes: dict[str, None] = {}
    rounds, most = 0, None
    while rounds < _ROUNDS:
        todo = [found for found in before if found.fix and wanted(found) and _identity(found) not in barred]
        taken = compatible([found.fix for found in todo if found.fix])[:most]
        if not taken:
            break
        chosen = [todo[index] for index in taken]
        after = _attempt(data, read, check, before, chosen)
        if after is not None:
            data, before = after
            fixed += chosen
            moves.update((move, None) for found in chosen if found.fix for move in found.fix.moves)
            excludes.update((path, None) for found in chosen if found.fix for path in found.fix.excludes)
            barred.update(_identity(found) for found in chosen if found.fix and not found.fix.edits)
            rounds += most is None
        elif len(chosen) == 1:
            failed += chosen
            barred.add(_identity(chosen[0]))
            most = None
        else:
            most = len(chosen) // 2
    told = {_identity(found) for found in fixed if found.fix and not found.fix.edits}
    left = tuple(found for found in before if _identity(found) not in told)
    return Repaired(data, tuple(fixed), left, tuple(failed), tuple(moves), tuple(excludes))


def is_applicable(finding: Finding, least: Safety) -> bool:
    """Tell whether a finding has a fix that does something and is at least as safe as was asked for."""
    fix = finding.fix
    return fix is not None and fix.safety >= max(least, Safety.UNSAFE) and bool(fix.edits or fix.excludes)


def _identity(finding: Finding) -> tuple[str, ...]:
    """What tells a finding from the others of its file, though its place may change."""
    line = finding.excerpt.text.strip() if finding.excerpt else ""
    return finding.rule, finding.fingerprint, finding.fix.title if finding.fix else "", line


def compatible(fixes: Sequence[Fix]) -> list[int]:
    """Choose the fixes whose edits can be made at once, by index, those that begin first before others.

    Two fixes may ask for the very same edit, such as one import; edits that otherwise overlap or touch wait for the
    next round, since what stands beside a removed argument is not what the second one was made for.
    """
    taken: list[int] = []
    edits: list[Edit] = []  # disjoint, in order
    for index in sorted(range(len(fixes)), key=lambda index: (min(fixes[index].edits, default=_NOWHERE), index)):
        wanted = sorted(set(fixes[index].edits))
        places = [_place(edits, edit) for edit in wanted]
        if None in places or any(_touch(*pair) for pair in pairwise(wanted)):
            continue
        taken.append(index)
        edits = sorted({*edits, *wanted}) if wanted else edits
    return sorted(taken)


_NOWHERE = Edit(Span(1 << 62, 1 << 62), "")  # where a fix without an edit stands: behind all others


def _place(edits: Sequence[Edit], edit: Edit) -> int | None:
    """Where an edit would stand among others; None where one is in its way."""
    index = bisect_left(edits, edit)
    if index < len(edits) and edits[index] == edit:
        return index
    beside = (*edits[max(index - 1, 0) : index], *edits[index : index + 1])
    return None if any(_touch(other, edit) for other in beside) else index


def _touch(one: Edit, other: Edit) -> bool:
    return one.span.start <= other.span.end and other.span.start <= one.span.end


def _attempt(
    data: bytes,
    read: Callable[[bytes], SourceFile],
    check: Callable[[bytes], Sequence[Finding]],
    before: tuple[Finding, ...],
    chosen: Sequence[Finding],
) -> tuple[bytes, tuple[Finding, ...]] | None:
    """Make the fixes of some findings; None if the result does not hold what they promise."""
    if not any(found.fix and found.fix.edits for found in chosen):
        return data, before
    try:
        source = read(data)
        changed = _rewritten(source, chosen)
        new = encode(source, changed)
        if new == data or read(new).text != changed or _broken(source, read(new)):
            return None
    except (NotebookError, UnicodeError, Undecodable):
        return None
    after = tuple(check(new))
    return (new, after) if _keeps_its_word(before, after, chosen) else None


def _rewritten(source: SourceFile, chosen: Sequence[Finding]) -> str:
    """The text of a file, or a notebook's JSON, after the fixes."""
    if source.kind != "notebook":
        return edited(source.text, (edit for found in chosen if found.fix for edit in found.fix.edits))
    from keyguard.source.notebook import with_edits  # noqa: PLC0415  # 1 ms, for notebooks

    by_part: dict[tuple[int | None, str | None], set[Edit]] = {}
    for found in chosen:
        by_part.setdefault((found.cell, found.part), set()).update(found.fix.edits if found.fix else ())
    for (cell, part), edits in by_part.items():
        source = with_edits(source, cell or 0, part or "source", edits)
    return source.text


def _broken(before: SourceFile, after: SourceFile) -> bool:
    """Tell whether Python, or a cell of it, that could be parsed no longer can."""
    if before.kind == "notebook":
        old, new = _cells(before), _cells(after)
        return any(
            _parses(text) and not _parses(new.get(cell, "")) for cell, text in old.items() if text != new.get(cell)
        )
    return before.kind == "python" and _parses(before.text) and not _parses(after.text)


def _cells(notebook: SourceFile) -> dict[int | None, str]:
    """The code of a notebook by the number of its cell; an empty cell is none."""
    parts = notebook_parts(notebook)
    return {part.cell: part.text for part in parts if part.part == "source" and part.kind == "python"}


def _parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the user's own escapes
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _keeps_its_word(before: Sequence[Finding], after: Sequence[Finding], chosen: Sequence[Finding]) -> bool:
    """Tell whether as many findings of each fixed rule are gone as were fixed, and nothing as severe has come.

    Findings are counted: what names one, such as the text before a short secret, may be what a fix changes. What was
    fixed must be gone by rule and case; what has come is told by rule alone, since a fix of one finding may change the
    case of another, such as how long a call waits that holds others up. A finding may also take the place of another of
    its family: a foreign key in the code, once it is moved, is a foreign variable (KG201, KG202).
    """
    had = Counter(_sort(found) for found in before)
    have = Counter(_sort(found) for found in after)
    done = Counter(_sort(found) for found in chosen if found.fix and found.fix.edits)
    if any(have[sort] > had[sort] - count for sort, count in done.items()):
        return False
    least = min(found.severity for found in chosen)
    were, are = (Counter(one.rule for one in some if one.severity >= least) for some in (before, after))
    come, gone = are - were, were - are - Counter(found.rule for found in chosen)
    room = Counter(_family(rule) for rule in gone.elements())
    # … also where nobody saw that it was foreign as long as it was a literal.
    room["KG2"] += sum(_family(found.rule) == "KG1" for found in chosen)
    return not Counter(_family(rule) for rule in come.elements()) - room


def _family(rule: str) -> str:
    return rule[:3]


def _sort(found: Finding) -> tuple[str, str | None]:
    """What a finding says: a key that leaves a URL leaves a variable in it, a lesser case of the same rule."""
    return found.rule, found.case
