"""What a run finds in a work tree, with paths from the repository's top, and what earlier audits remember of it."""

from __future__ import annotations

import os
import time

from keyguard.cache import (
    RACY,
    digest_of,
    finding_from_json,
    finding_to_json,
    row_from_json,
    row_to_json,
    status_of,
)
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from keyguard.discover import Status, Target
    from keyguard.history import Memory
    from keyguard.inventory import Inventory, Row
    from keyguard.model import Finding, Notice, Report

# os.path and not pathlib: pathlib costs 8 ms.
# ruff: noqa: PTH118

_ABOUT = "tree"


class Tree(NamedTuple):
    """What lies on disk: findings, connections, and the number of files that were read."""

    findings: tuple[Finding, ...] = ()
    rows: tuple[Row, ...] = ()
    files: int = 0
    notices: tuple[Notice, ...] = ()


def tree_of(report: Report, inventory: Inventory, targets: Iterable[Target], top: str) -> Tree:
    """Take what a run found, with its paths from `top` (absolute)."""
    paths = {target.path: _from(top, target.location) for target in targets}

    def moved(finding: Finding) -> Finding:
        related = tuple(one._replace(path=paths.get(one.path, one.path)) for one in finding.related)
        return finding._replace(path=paths.get(finding.path, finding.path), related=related)

    findings = tuple(moved(finding) for finding in report.findings)
    rows = tuple(row._replace(path=paths.get(row.path, row.path)) for row in inventory.rows)
    return Tree(findings, rows, report.checked, report.notices)


def recalled(memory: Memory, targets: Sequence[Target], about: Sequence[object], find: Callable[[], Tree]) -> Tree:
    """Give what is known of a tree that has not changed; else find it, and remember it.

    `about` is what the result stands on besides the files: settings, what git does with them.
    """
    status = {target.location: status_of(target.location) for target in targets}
    question = digest_of(repr((about, sorted(status.items()))).encode("utf-8", "surrogatepass"))
    known = memory.recall(_ABOUT, question)
    tree = None if known is None else _from_json(known, status)
    if tree is not None:
        return tree
    written = time.time_ns()
    tree = find()
    if not tree.notices:
        memory.keep(_ABOUT, question, _to_json(tree, written))
    return tree


def _to_json(tree: Tree, written: int) -> dict[str, Any]:
    findings = [finding_to_json(finding) for finding in tree.findings]
    return {"written": written, "findings": findings, "rows": list(map(row_to_json, tree.rows)), "files": tree.files}


def _from_json(data: Any, status: Mapping[str, Status | None]) -> Tree | None:  # noqa: ANN401  # plain JSON data
    try:
        if any(one is None or one[1] > data["written"] - RACY for one in status.values()):
            return None
        findings = tuple(map(finding_from_json, data["findings"]))
        return Tree(findings, tuple(map(row_from_json, data["rows"])), int(data["files"]))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None


def _from(top: str, location: str) -> str:
    """The path from a folder above, as reports have it; the whole path where it lies elsewhere."""
    from keyguard.discover import shown  # noqa: PLC0415  # in memory already

    start = os.path.join(top, "")
    return shown(location.removeprefix(start))
