"""What was found in a history, as data and as the JSON of it that is kept; it holds no secret."""

from __future__ import annotations

from keyguard.cache import finding_from_json, finding_to_json
from keyguard.leaks import Moment, Sighting
from keyguard.model import Notice
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any


class History(NamedTuple):
    """What was found in a history.

    `sightings` are in the order of path, place and key; `blobs` and `size` (bytes) count distinct files' texts,
    `commits` those in the scope. `missing` objects could not be read. `is_complete` is False after an interruption.
    """

    sightings: tuple[Sighting, ...] = ()
    head: str = ""
    commits: int = 0
    blobs: int = 0
    size: int = 0
    refs: int = 0
    missing: int = 0
    is_shallow: bool = False
    notices: tuple[Notice, ...] = ()
    is_complete: bool = True


def to_json(history: History) -> dict[str, Any]:
    """Give a history as plain data."""
    return {
        **history._asdict(),
        "sightings": [
            {**one._asdict(), "finding": finding_to_json(one.finding), "first": one.first, "last": one.last}
            for one in history.sightings
        ],
    }


def from_json(data: Any) -> History | None:  # noqa: ANN401  # plain JSON data
    """Give the history that `to_json` gave, None for anything else."""
    try:
        return _history(data)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None


def _history(data: Any) -> History:  # noqa: ANN401  # as above
    sightings = tuple(
        Sighting(
            **{
                **one,
                "finding": finding_from_json(one["finding"]),
                "first": one["first"] and Moment(*one["first"]),
                "last": one["last"] and Moment(*one["last"]),
                "refs": tuple(one["refs"]),
            }
        )
        for one in data["sightings"]
    )
    return History(**{**data, "sightings": sightings, "notices": tuple(Notice(*one) for one in data["notices"])})
