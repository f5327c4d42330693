"""Who may be asked next: at most so many at once, and each host no faster than so often; time is given to it."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Lines(Generic[T]):
    """One line of waiting jobs for each host; `now` and every other moment are seconds of one clock."""

    def __init__(self, at_once: int, rate: float) -> None:
        """Let `at_once` jobs be under way, and start `rate` a second at each host (0: as fast as they come)."""
        self._at_once = at_once
        self._gap = 1 / rate if rate > 0 else 0.0
        self._waiting: dict[str, deque[T]] = {}
        self._free_at: dict[str, float] = {}
        self._under_way = 0

    def __bool__(self) -> bool:
        """Tell whether anything waits or is under way."""
        return self._under_way > 0 or bool(self._waiting)

    def add(self, host: str, job: T, *, first: bool = False) -> None:
        """Put a job at the end of its host's line, or at its head."""
        line = self._waiting.setdefault(host, deque())
        if first:
            line.appendleft(job)
        else:
            line.append(job)

    def hold(self, host: str, until: float) -> None:
        """Start nothing at a host before `until`."""
        self._free_at[host] = max(until, self._free_at.get(host, until))

    def start(self, now: float) -> T | None:
        """Take the next job that may start now; None when none may. It counts as under way until `finish`."""
        if self._under_way >= self._at_once:
            return None
        for host, line in self._waiting.items():
            if self._free_at.get(host, now) <= now:
                job = line.popleft()
                del self._waiting[host]
                if line:
                    self._waiting[host] = line  # behind the other hosts, so that each gets its turn
                self._free_at[host] = now + self._gap
                self._under_way += 1
                return job
        return None

    def finish(self) -> None:
        """Tell that a job that was started is over."""
        self._under_way -= 1

    def drop(self, host: str) -> tuple[T, ...]:
        """Take everything out of a host's line."""
        return tuple(self._waiting.pop(host, ()))

    def next_start(self, now: float) -> float | None:
        """When a job could start at the earliest, as far as time alone decides; None when none can."""
        if self._under_way >= self._at_once or not self._waiting:
            return None
        return min(self._free_at.get(host, now) for host in self._waiting)
