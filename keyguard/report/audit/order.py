"""The order in which programs get the sightings of an audit."""

from __future__ import annotations

from keyguard.model import position
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from keyguard.leaks import Audit, Leak, Sighting


class Seen(NamedTuple):
    """A sighting and the leak it belongs to, None for a finding about anything but a key."""

    sighting: Sighting
    leak: Leak | None


def ordered(audit: Audit) -> list[Seen]:
    """Give every sighting by repository, place and the commit that brought it in.

    What is gone has no fix: its edits count in a text that is no longer there.
    """
    seen = [Seen(_fixable(one), leak) for leak in audit.leaks for one in leak.sightings]
    seen += [Seen(_fixable(one), None) for one in audit.others]
    return sorted(seen, key=_place)


def _fixable(one: Sighting) -> Sighting:
    return one if one.is_present else one._replace(finding=one.finding._replace(fix=None))


def _place(seen: Seen) -> tuple[object, ...]:
    one = seen.sighting
    return (
        one.repository,
        position(one.finding),
        one.kind,
        one.first or (),
        one.last or (),
        one.blob or "",
        one.finding.key or "",
        one.refs,
    )
