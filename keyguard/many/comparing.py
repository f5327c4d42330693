"""What an audit has that an earlier one did not, and what it has no more."""

from __future__ import annotations

import json

from keyguard.discover import shown
from keyguard.errors import UsageError
from keyguard.leaks import Audit, Audited, Leak, Moment, Sighting
from keyguard.many import store
from keyguard.model import Confidence, Finding, Severity, Span
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_SEVERITIES = {severity.label: severity for severity in Severity}
_CONFIDENCES = {confidence.label: confidence for confidence in Confidence}
_WRONG = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


def compare(now: Audit, last: Audit) -> Audit:
    """Mark each leak of an audit: it is new when the last one did not have its key, wherever it stood then."""
    known = {leak.key for leak in last.leaks}
    return now._replace(leaks=tuple(leak._replace(is_new=leak.key not in known) for leak in now.leaks))


def gone(now: Audit, last: Audit) -> tuple[Leak, ...]:
    """Give the leaks of the last audit that are nowhere any more, in its order.

    Only what was looked for again can be gone: a key that stood in a repository which this audit does not have, or did
    not read to its end, is not among them.
    """
    present = {leak.key for leak in now.leaks}
    read = {one.name for one in now.repositories if one.is_complete and one.error is None}
    alone = last.repositories[0].name if len(last.repositories) == 1 else ""
    if alone and len(now.repositories) == 1 and read:
        read = {alone}  # one and one are the same, whatever either calls it
    return tuple(
        leak
        for leak in last.leaks
        if leak.key not in present and all((one.repository or alone) in read for one in leak.sightings)
    )


def read_last(path: str) -> Audit:
    """Read an earlier audit: a store, or the JSON report of an audit (`--output-format json`).

    Of a report come back the repositories, and the leaks with their places; not the words about them.

    Raises:
        UsageError: the file cannot be read, or is neither.
    """
    try:
        with open(path, "rb") as stream:  # noqa: PTH123  # os.path, as everywhere in this room
            data = stream.read(1)
            if data != b"{":
                return store.read(path)
            data += stream.read()
    except (OSError, ValueError) as error:
        msg = f"--compare: {shown(path)}: {getattr(error, 'strerror', None) or error}"
        raise UsageError(msg) from error
    except UsageError as error:
        msg = f"--compare: {error}; name a store, or a report of `keyguard audit --output-format json`"
        raise UsageError(msg) from error
    try:
        return _of_report(json.loads(data))
    except _WRONG as error:
        msg = f"--compare: {shown(path)}: this is no report of `keyguard audit --output-format json`"
        raise UsageError(msg) from error


def _of_report(report: Mapping[str, Any]) -> Audit:
    places: dict[str, list[Sighting]] = {}
    for item in report["findings"]:
        if item["key"] is not None:
            places.setdefault(str(item["key"]), []).append(_sighting(item))
    leaks = (_leak(item, places.get(str(item["key"]), ())) for item in report["leaks"])
    return Audit(tuple(_repository(item) for item in report["repositories"]), tuple(leaks))


def _repository(item: Mapping[str, Any]) -> Audited:
    error = item["error"]
    return Audited(
        str(item["name"]),
        str(item["path"]),
        error=None if error is None else str(error),
        is_complete=bool(item["complete"]) or error is not None,
    )


def _sighting(item: Mapping[str, Any]) -> Sighting:
    finding = Finding(
        rule=str(item["rule"]),
        path=str(item["path"]),
        span=Span(0, 0),  # a report does not tell
        line=int(item["line"]),
        column=int(item["column"]),
        end_line=int(item["end_line"]),
        end_column=int(item["end_column"]),
        message=str(item["message"]),
        severity=_SEVERITIES[item["severity"]],
        confidence=_CONFIDENCES[item["confidence"]],
        fingerprint=str(item["fingerprint"]),
        key=str(item["key"]),
        provider=item["provider"],
        cell=item["cell"],
        part=item["part"],
    )
    return Sighting(
        finding,
        str(item["repository"] or ""),
        str(item["kind"]),
        item["blob"],
        _moment(item["first_seen"]),
        _moment(item["last_seen"]),
        bool(item["at_head"]),
        bool(item["on_disk"]),
        tuple(map(str, item["refs"])),
        int(item["ref_count"]),
    )


def _leak(item: Mapping[str, Any], places: Iterable[Sighting]) -> Leak:
    return Leak(
        str(item["key"]),
        str(item["rank"]),
        item["provider"],
        str(item["masked"]),
        _SEVERITIES[item["severity"]],
        tuple(places),
        first=_moment(item["first_seen"]),
        last=_moment(item["last_seen"]),
        at_head=bool(item["at_head"]),
    )


def _moment(item: Mapping[str, Any] | None) -> Moment | None:
    return None if item is None else Moment(**{name: str(item[name]) for name in Moment._fields})
