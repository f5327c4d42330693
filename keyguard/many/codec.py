"""The words of an audit as plain JSON data and back: never a pickle, since a changed store must not run code."""

from __future__ import annotations

import json

from keyguard.cache import finding_from_json, finding_to_json, row_from_json, row_to_json
from keyguard.leaks import Moment, Step, Verdict
from keyguard.model import Notice
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from keyguard.inventory import Row
    from keyguard.leaks import Leak
    from keyguard.model import Finding


def dumps(data: Any) -> str:  # noqa: ANN401  # plain JSON data
    """Write JSON in ASCII: what no encoding takes (a lone surrogate of an odd file name) comes back as it was."""
    return json.dumps(data, separators=(",", ":"))


def finding_text(finding: Finding) -> str:
    """A finding as JSON; a fix that carries a key is left out, whole."""
    if finding.fix is not None and finding.fix.moves:
        finding = finding._replace(fix=None)
    return dumps(finding_to_json(finding))


def finding_of(text: str) -> Finding:
    """The finding that `finding_text` gave.

    Raises:
        ValueError, TypeError, KeyError: it is something else.
    """
    return finding_from_json(json.loads(text))


def row_text(row: Row) -> str:
    """A connection as JSON."""
    return dumps(row_to_json(row))


def row_of(text: str) -> Row:
    """The connection that `row_text` gave; raises as `finding_of` does."""
    return row_from_json(json.loads(text))


def leak_text(leak: Leak) -> str:
    """What a leak says beyond its columns, as JSON."""
    return dumps([leak.hosts, leak.first, leak.last, leak.steps, leak.verdict])


def leak_parts(text: str) -> dict[str, Any]:
    """The fields that `leak_text` wrote, by name; raises as `finding_of` does."""
    hosts, first, last, steps, verdict = json.loads(text)
    return {
        "hosts": tuple(hosts),
        "first": moment_of(first),
        "last": moment_of(last),
        "steps": tuple(Step(*one) for one in steps),
        "verdict": None if verdict is None else verdict_of(verdict),
    }


def moment_of(item: Any) -> Moment | None:  # noqa: ANN401  # plain JSON data
    """A moment from its list, None from None."""
    return None if item is None else Moment(*item)


def verdict_of(item: Any) -> Verdict:  # noqa: ANN401  # plain JSON data
    """A verdict from its list."""
    verdict = Verdict(*item)
    return verdict._replace(limits=tuple((name, value) for name, value in verdict.limits))


def notices_text(notices: Iterable[Notice]) -> str:
    """Notices as JSON."""
    return dumps(list(notices))


def notices_of(text: str) -> tuple[Notice, ...]:
    """The notices that `notices_text` gave; raises as `finding_of` does."""
    return tuple(Notice(*one) for one in json.loads(text))


def strings_of(text: str) -> tuple[str, ...]:
    """Strings from a JSON list."""
    return tuple(json.loads(text))
