"""What lies on disk and what the history holds become one: the same place once, today's line, and what was read."""

from __future__ import annotations

from keyguard.audit import put_together, sightings_of, with_history
from keyguard.audit.tree import Tree
from keyguard.catalogue import load
from keyguard.history.record import History
from keyguard.leaks import Audited, Moment, Sighting
from keyguard.model import Finding, Notice
from tests.report.made import finding

FIRST = Moment("a1" * 20, "2023-04-01T08:00:00Z", "Ann", "Add it")
KEY, OTHER = "aa" * 32, "bb" * 32


def found(path: str = "a.py", line: int = 3, key: str | None = KEY) -> Finding:
    return finding(path=path, line=line, end_line=line, key=key)


def past(path: str = "a.py", line: int = 3, key: str = KEY, **changes: object) -> Sighting:
    return Sighting(found(path, line, key), blob="c3" * 20, first=FIRST, at_head=True)._replace(**changes)  # type: ignore[arg-type]


def told(sightings: list[Sighting]) -> list[tuple[str, int, bool, bool]]:
    """Path and line, whether it lies on disk, whether a commit brought it."""
    return [(one.finding.path, one.finding.line, one.on_disk, one.first is not None) for one in sightings]


def test_nothing_and_nothing_is_nothing() -> None:
    assert sightings_of((), ()) == []


def test_one_place_is_told_once() -> None:
    [one] = sightings_of((found(),), (past(),))
    assert (one.on_disk, one.at_head, one.first, one.blob) == (True, True, FIRST, "c3" * 20)


def test_todays_line_wins() -> None:
    assert told(sightings_of((found(line=9),), (past(line=3),))) == [("a.py", 9, True, True)]


def test_another_path_or_another_key_is_another_place() -> None:
    joined = sightings_of((found("b.py"), found(key=OTHER)), (past(),))
    assert told(joined) == [("a.py", 3, True, False), ("b.py", 3, True, False), ("a.py", 3, False, True)]


def test_two_lines_of_one_key_keep_their_own() -> None:
    joined = sightings_of((found(line=8), found(line=3)), (past(line=3), past(line=7)))
    assert told(joined) == [("a.py", 3, True, True), ("a.py", 8, True, True)]
    more = sightings_of((found(line=3), found(line=5), found(line=8)), (past(line=3), past(line=7)))
    assert told(more) == [("a.py", 3, True, True), ("a.py", 5, True, True), ("a.py", 8, True, False)]


def test_a_message_is_no_file_of_its_name() -> None:
    message = past("commit 1234", kind="message")
    assert len(sightings_of((found("commit 1234"),), (message,))) == 2


def test_findings_without_a_key_stay_apart() -> None:
    audit = put_together(Audited("r", "."), Tree((found(key=None), found()), files=2), History((past(),)), load(), "en")
    assert [len(leak.sightings) for leak in audit.leaks] == [1]
    assert told(list(audit.others)) == [("a.py", 3, True, False)]


def test_what_was_read_is_told() -> None:
    history = History((), "main", 7, 5, 99, 3, 2, True, (Notice("n"),), False)  # noqa: FBT003  # as they stand
    tree = Tree((), (), 4, (Notice("t"),))
    audit = put_together(Audited("r", "."), tree, history, load(), "en")
    assert audit.repositories == (Audited("r", ".", "main", 4, 7, 5, 99, 3, 2, True, None, False),)  # noqa: FBT003  # as above
    assert audit.notices == (Notice("t"), Notice("n"))
    assert not audit.is_complete
    assert put_together(Audited("r", "."), None, history, load(), "en").repositories[0].files == 0
    assert put_together(Audited("r", "."), tree, None, load(), "en").repositories == (Audited("r", ".", files=4),)
    assert with_history(Audited("r", "."), history).head == "main"
