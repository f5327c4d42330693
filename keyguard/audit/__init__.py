"""One repository's audit: what lies on disk and what its history holds, put together and ranked by key."""

from __future__ import annotations

from collections import defaultdict

from keyguard.audit.ranking import leaks_of
from keyguard.leaks import Audit, Sighting
from keyguard.model import position
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keyguard.audit.tree import Tree
    from keyguard.catalogue import Catalogue
    from keyguard.history import History
    from keyguard.leaks import Audited
    from keyguard.model import Finding


def put_together(
    audited: Audited, tree: Tree | None, history: History | None, catalogue: Catalogue, lang: str
) -> Audit:
    """Make the audit of one repository, of which either part may be missing; `audited` has its name and path."""
    sightings = sightings_of(tree.findings if tree else (), history.sightings if history else ())
    rows = tuple(("", row) for row in tree.rows) if tree else ()
    audited = audited._replace(files=tree.files if tree else 0)
    return Audit(
        (audited if history is None else with_history(audited, history),),
        leaks_of(sightings, catalogue, lang, rows),
        tuple(sighting for sighting in sightings if sighting.finding.key is None),
        rows,
        (*(tree.notices if tree else ()), *(history.notices if history else ())),
    )


def with_history(audited: Audited, history: History) -> Audited:
    """Say how much of a repository's history was read."""
    return audited._replace(
        head=history.head,
        commits=history.commits,
        blobs=history.blobs,
        size=history.size,
        refs=history.refs,
        missing=history.missing,
        is_shallow=history.is_shallow,
        is_complete=history.is_complete,
    )


def sightings_of(on_disk: Iterable[Finding], in_history: Sequence[Sighting]) -> list[Sighting]:
    """Join what lies on disk to what the history holds at the same path of the same key; the disk's places win.

    Paths of both count from the repository's top.
    """
    past: dict[tuple[str, str | None], list[Sighting]] = defaultdict(list)
    for sighting in in_history:
        past[sighting.finding.path, sighting.finding.key if sighting.kind == "file" else ""].append(sighting)
    joined: list[Sighting] = []
    for finding in sorted(on_disk, key=position):
        same = past.get((finding.path, finding.key), []) if finding.key is not None else []
        known = next((one for one in same if one.finding.line == finding.line), same[0] if same else None)
        if known is None:
            joined.append(Sighting(finding, on_disk=True))
            continue
        same.remove(known)
        joined.append(known._replace(finding=finding, on_disk=True))
    return [*joined, *(sighting for some in past.values() for sighting in some)]
