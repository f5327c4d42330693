"""When keys stood where: dates as places on a line, its ticks, and how many keys stood at each time."""

from __future__ import annotations

import datetime as dt

from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keyguard.leaks import Leak

_MOST_YEARS = 8  # ticks that fit a line of 300 pixels: `2024` takes 35 of them
_STEPS_OF_YEARS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)
_MOST_DATES = 5  # `2024-03` and `2024-03-11` take twice that
_MOST_MARKS = 20  # ticks on one line
_LEAST = 2  # percent between two of them: 6 pixels of 300, so that they do not run together
_DAYS_OF_YEARS = 731  # a longer time has ticks at years,
_DAYS_OF_MONTHS = 62  # … at months, and a shorter one at days
_HEIGHT = 100


class Tick(NamedTuple):
    """A date worth naming: `at` is its place in percent."""

    at: float
    label: str


class Line(NamedTuple):
    """The life of one key in percent of the scale; `end` is None while it stands somewhere.

    `marks` are where it came to further places.
    """

    start: float
    end: float | None
    marks: tuple[float, ...] = ()


class Scale(NamedTuple):
    """The time from the day number `first` to `last` (as `date.toordinal` counts), drawn from left to right."""

    first: int
    last: int

    def at(self, day: int) -> float:
        """Give a day's place in percent."""
        return round(100 * (min(max(day, self.first), self.last) - self.first) / (self.last - self.first), 2)


def day_of(date: str) -> int | None:
    """Read the day of `yyyy-mm-ddThh:mm:ssZ`; None when it is no such date, which git allows."""
    try:
        return dt.date.fromisoformat(date[:10]).toordinal()
    except ValueError:
        return None


def scale(leaks: Iterable[Leak], scan_time: str) -> Scale | None:
    """Find the time that all lives fit in, up to the audit if it says when that was; None when no commit has a date."""
    days = [
        day
        for leak in leaks
        for moment in (leak.first, leak.last, *(one.first for one in leak.sightings))
        if moment is not None and (day := day_of(moment.date)) is not None
    ]
    if not days:
        return None
    first, last = min(days), max(days)
    # A life of one day is a line too.
    return Scale(first, max(last, day_of(scan_time) or 0, first + 1))


def line(leak: Leak, over: Scale) -> Line | None:
    """Draw one key's life; None when no commit held it or its date cannot be read."""
    start = None if leak.first is None else day_of(leak.first.date)
    if start is None:
        return None
    end = None if leak.last is None else day_of(leak.last.date)
    if end is not None:
        end = max(start, end)
    later = {day_of(one.first.date) for one in leak.sightings if one.first is not None}
    marks = [over.at(start)]
    for day in sorted(day for day in later if day is not None and day > start):
        if over.at(day) - marks[-1] >= _LEAST and len(marks) <= _MOST_MARKS:
            marks.append(over.at(day))
    return Line(marks[0], None if end is None else over.at(end), tuple(marks[1:]))


def ticks(over: Scale) -> tuple[Tick, ...]:
    """Name years, months or days, as many as fit."""
    first, last = dt.date.fromordinal(over.first), dt.date.fromordinal(over.last)
    days = over.last - over.first
    if days > _DAYS_OF_YEARS:
        years = range(first.year + 1, last.year + 1)
        step = next(step for step in _STEPS_OF_YEARS if len(years) / step <= _MOST_YEARS)
        found = [(dt.date(year, 1, 1), str(year)) for year in years if year % step == 0]
    elif days > _DAYS_OF_MONTHS:
        months = range(first.year * 12 + first.month, last.year * 12 + last.month)
        step = next(step for step in (1, 2, 3, 6) if len(months) / step <= _MOST_DATES)
        starts = [dt.date(month // 12, month % 12 + 1, 1) for month in months if month % step == 0]
        found = [(start, f"{start:%Y-%m}") for start in starts]
    else:
        step = -(-days // _MOST_DATES)
        starts = [first + dt.timedelta(days=number) for number in range(0, days + 1, step)]
        found = [(start, start.isoformat()) for start in starts]
    return tuple(Tick(over.at(start.toordinal()), label) for start, label in found)


def standing(lines: Sequence[Line]) -> tuple[int, str]:
    """Give the most keys that stood at one time, and how many stood at each as the path of an area, 100 by 100."""
    changes: dict[float, int] = {}
    for one in lines:
        changes[one.start] = changes.get(one.start, 0) + 1
        if one.end is not None:
            changes[one.end] = changes.get(one.end, 0) - 1
    counts = [(0.0, 0)]
    for at in sorted(changes):
        counts.append((at, counts[-1][1] + changes[at]))
    most = max((count for _, count in counts), default=0) or 1
    path = f"M0,{_HEIGHT}"
    for at, count in counts:
        path += f"H{at:g}V{_HEIGHT - _HEIGHT * count / most:g}"
    return most, f"{path}H100V{_HEIGHT}Z"
