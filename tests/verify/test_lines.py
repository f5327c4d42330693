"""Who may be asked next: hosts take turns, each no faster than its rate, and only so many at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from keyguard.verify.lines import Lines


def test_nothing_waits() -> None:
    lines: Lines[int] = Lines(2, 0)
    assert not lines
    assert lines.start(0) is None
    assert lines.next_start(0) is None
    assert lines.drop("a") == ()


def test_hosts_take_turns() -> None:
    lines: Lines[str] = Lines(9, 0)
    for job in ("a1", "a2", "a3", "b1", "c1"):
        lines.add(job[0], job)
    assert [lines.start(0) for _ in range(6)] == ["a1", "b1", "c1", "a2", "a3", None]


def test_no_more_than_so_many_are_under_way() -> None:
    lines: Lines[str] = Lines(2, 0)
    for job in "abc":
        lines.add(job, job)
    assert (lines.start(0), lines.start(0), lines.start(0)) == ("a", "b", None)
    assert lines.next_start(0) is None
    lines.finish()
    assert lines.start(0) == "c"
    lines.finish()
    assert lines
    lines.finish()
    assert not lines


def test_a_host_is_left_alone_between_two_jobs() -> None:
    lines: Lines[str] = Lines(9, rate=2)
    for job in ("a1", "a2", "b1"):
        lines.add(job[0], job)
    assert [lines.start(10) for _ in range(3)] == ["a1", "b1", None]
    assert lines.next_start(10) == 10.5
    assert lines.start(10.4) is None
    assert lines.start(10.5) == "a2"


def test_a_host_that_asks_for_a_pause_gets_it_and_others_go_on() -> None:
    lines: Lines[str] = Lines(9, 0)
    lines.add("a", "a1")
    lines.add("a", "again", first=True)
    lines.add("b", "b1")
    lines.hold("a", 30)
    lines.hold("a", 20)
    assert [lines.start(1) for _ in range(2)] == ["b1", None]
    assert lines.next_start(1) == 30
    assert lines.start(30) == "again"


def test_a_line_is_emptied() -> None:
    lines: Lines[str] = Lines(9, 0)
    for job in ("a1", "a2", "b1"):
        lines.add(job[0], job)
    assert lines.drop("a") == ("a1", "a2")
    assert (lines.start(0), lines.start(0)) == ("b1", None)


@given(
    jobs=st.lists(st.sampled_from("abc"), max_size=30),
    at_once=st.integers(1, 4),
    rate=st.sampled_from([0, 1, 4]),
)
def test_every_job_starts_once_and_none_too_soon(jobs: list[str], at_once: int, rate: int) -> None:
    lines: Lines[tuple[str, int]] = Lines(at_once, rate)
    for number, host in enumerate(jobs):
        lines.add(host, (host, number))
    now, started, under_way = 0.0, [], 0
    last: dict[str, float] = {}
    while lines:
        job = lines.start(now)
        if job is not None:
            assert rate == 0 or now - last.get(job[0], -9) >= 1 / rate
            last[job[0]] = now
            started.append(job)
            under_way += 1
            assert under_way <= at_once
        elif (soonest := lines.next_start(now)) is not None:
            assert soonest > now
            now = soonest
        else:
            lines.finish()
            under_way -= 1
    assert sorted(number for _, number in started) == list(range(len(jobs)))
    for host in "abc":
        numbers = [number for name, number in started if name == host]
        assert numbers == sorted(numbers)
