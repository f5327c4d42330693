"""What an audit leaves for the next one: no secret, nothing that others could have written, and only news is read."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from keyguard.history import Memory, Progress, Scope
from keyguard.history.memory import open_memory
from keyguard.history.record import from_json, to_json
from keyguard.history.sift import Sifted, Suspect
from tests.history.made import Made, Past, Place
from tests.keys import fill

if TYPE_CHECKING:
    from pathlib import Path

CODE = 'import os\n\nkey = os.environ["OPENAI_API_KEY"]\n'
NAME, OTHER = "ab" * 20, "cd" * 20


def leak(number: int = 1) -> str:
    """Python that holds one key, on line 3."""
    return f'from openai import OpenAI\n\nclient = OpenAI(api_key="<openai-key-{number}>")\n'


@pytest.fixture
def made(tmp_path: Path) -> Made:
    past = Past()
    past.commit("begin", {"a.py": leak(1), "b.py": CODE}, message="Begin\n\nkey <openai-key-3>\n")
    past.commit("next", {"a.py": CODE, "prod.env": "OPENAI_API_KEY=<openai-key-2>\n"})
    past.tag("v1", "next", "One\n\n<openai-key-4>\n")
    return past.write(tmp_path / "r")


def test_a_second_read_asks_nothing_and_answers_the_same(made: Made, tmp_path: Path) -> None:
    kept = str(tmp_path / "memory")
    first = made.read(memory=Memory(kept))
    told: list[Progress] = []
    assert made.read(memory=Memory(kept), tell=told.append) == first
    assert told == []


def test_only_what_is_new_is_searched(made: Made, tmp_path: Path) -> None:
    kept = str(tmp_path / "memory")
    made.read(memory=Memory(kept))
    past = Past()
    past.commit("more", {"more.py": leak(7)}, on="refs/heads/more")
    made.add(past)
    told: list[Progress] = []
    found = made.read(memory=Memory(kept), tell=told.append)
    size = len(fill(leak(7))) + len(made.git("cat-file", "-p", "more").encode())
    assert [step for step in told if step.step == "sift"] == [Progress("sift", size, size)]
    assert [step for step in told if step.step == "check"] == [Progress("check", 1, 1)]
    assert found == made.read()


def test_what_is_gone_is_forgotten(made: Made, tmp_path: Path) -> None:
    kept = str(tmp_path / "memory")
    assert len(made.read(memory=Memory(kept)).sightings) == 4
    made.git("update-ref", "refs/heads/main", made.commits["begin"])
    made.git("tag", "-d", "v1")
    found = made.read(memory=Memory(kept))
    assert [one.finding.path[:7] for one in found.sightings] == ["a.py", "commit "]
    assert made.places(found, "<openai-key-1>") == [Place("a.py", 3, "begin", "", ("HEAD", "heads/main"))]
    assert found == made.read()


def test_another_scope_asks_anew(made: Made, tmp_path: Path) -> None:
    kept = str(tmp_path / "memory")
    made.read(memory=Memory(kept))
    for scope in (
        Scope(most=1),
        Scope(branches=("main",)),
        Scope(since="2020-01-01"),
        Scope(unreachable=True),
        Scope(),
    ):
        assert made.read(scope, memory=Memory(kept)) == made.read(scope)


def test_what_dangles_is_seen_though_no_ref_moved(made: Made, tmp_path: Path) -> None:
    kept = str(tmp_path / "memory")
    scope = Scope(unreachable=True)
    before = made.read(scope, memory=Memory(kept))
    blob = made.git("hash-object", "-w", "--stdin", given=fill('k = "<openai-key-9>"\n').encode())
    found = made.read(scope, memory=Memory(kept))
    assert {one.blob for one in found.sightings} - {one.blob for one in before.sightings} == {blob}


def test_it_holds_no_key_and_is_this_users_alone(made: Made, tmp_path: Path) -> None:
    kept = tmp_path / "deep" / "memory"
    made.read(memory=Memory(str(kept)))
    data = kept.read_bytes()
    for number in range(1, 5):
        key = fill(f"<openai-key-{number}>").encode()
        assert key not in data
        assert key[8:40] not in data
    if os.name == "posix":
        assert kept.stat().st_mode & 0o777 == 0o600
        assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert list(kept.parent.iterdir()) == [kept]


@pytest.mark.skipif(os.name == "nt", reason="modes say nothing there")
def test_what_others_may_write_is_not_believed(made: Made, tmp_path: Path) -> None:
    kept = tmp_path / "memory"
    made.read(memory=Memory(str(kept)))
    kept.chmod(0o666)
    told: list[Progress] = []
    assert len(made.read(memory=Memory(str(kept)), tell=told.append).sightings) == 4
    assert told, "everything was read again"


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"\n",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda _: b"{}\n",
        lambda data: b"[1, 2]\n" + data,
        lambda _: b"[" * 100_000,
        lambda data: data.replace(b'"format":1', b'"format":999'),
        lambda data: data.replace(b'"checked":{', b'"checked":{"x":7,'),
        lambda data: data.replace(b'"answers":{', b'"answers":{"history":["x",7],"x":3,'),
        lambda data: data.replace(b"heads/main", b"heads/\xff\xfein"),
        lambda data: bytes(byte ^ 1 for byte in data),
    ],
    ids=range(13),
)
def test_a_damaged_file_is_as_good_as_none(made: Made, tmp_path: Path, damage: object) -> None:
    kept = tmp_path / "memory"
    fresh = made.read(memory=Memory(str(kept)))
    kept.write_bytes(damage(kept.read_bytes()))  # type: ignore[operator]
    kept.chmod(0o600)
    assert made.read(memory=Memory(str(kept))) == fresh
    assert made.read(memory=Memory(str(kept))) == fresh


def test_a_changed_answer_is_as_good_as_none(made: Made, tmp_path: Path) -> None:
    kept = tmp_path / "memory"
    fresh = made.read(memory=Memory(str(kept)))
    head, _, names = kept.read_bytes().partition(b"\n")
    for change in ({"sightings": 7}, {"sightings": [{}]}, {"unknown": 1}, None, []):
        held = json.loads(head)
        question, answer = held["answers"]["history"]
        held["answers"]["history"] = [question, {**answer, **change} if isinstance(change, dict) else change]
        kept.write_bytes(json.dumps(held).encode() + b"\n" + names)
        kept.chmod(0o600)
        assert made.read(memory=Memory(str(kept))) == fresh


def test_where_nothing_can_be_written_it_lasts_as_long_as_the_run(made: Made, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="ascii")
    memory = Memory(str(tmp_path / "file" / "memory"))
    assert len(made.read(memory=memory).sightings) == 4
    told: list[Progress] = []
    assert len(made.read(memory=memory, tell=told.append).sightings) == 4
    assert told == []


def test_what_could_not_be_read_is_tried_again() -> None:
    memory = Memory()
    memory.learn(Sifted((NAME, OTHER), 2, (Suspect(NAME, "blob", 1, "01"),), (OTHER,)))
    assert (memory.knows(NAME), memory.knows(OTHER)) == (True, False)
    assert memory.suspects == {NAME: Suspect(NAME, "blob", 1, "01")}


def test_an_answer_is_to_its_question_alone() -> None:
    memory = Memory()
    memory.keep("history", "who?", {"a": 1})
    memory.keep("tree", "what?", [2])
    assert memory.recall("history", "who?") == {"a": 1}
    assert memory.recall("tree", "what?") == [2]
    assert [memory.recall("history", "what?"), memory.recall("history", ""), memory.recall("none", "who?")] == [
        None
    ] * 3
    memory.keep("history", "", {"a": 2})
    assert memory.recall("history", "") is None, "what has no question is never the same"


def test_memories_are_apart_by_what_they_agree_on(tmp_path: Path) -> None:
    for number, stamp in enumerate((("a", 1), ("a", 2), ("b", 1))):
        memory = open_memory(str(tmp_path), stamp)
        assert not memory.knows(NAME)
        memory.learn(Sifted((NAME,), number))
        memory.write()
        assert open_memory(str(tmp_path), stamp).knows(NAME)
    assert len(list(tmp_path.iterdir())) == 3


def test_old_memories_go_before_they_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyguard.history.memory._KEPT", 5)
    for number in range(20):
        memory = open_memory(str(tmp_path), (number,))
        memory.learn(Sifted((NAME,), 1, (Suspect(NAME, "blob", 1, "01" * 400),)))
        memory.write()
        os.utime(newest := max(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns), (number, number))
        assert newest.exists()
    kept = [number for number in range(20) if open_memory(str(tmp_path), (number,)).knows(NAME)]
    assert kept == list(range(20 - len(kept), 20))
    assert 3 < len(kept) <= 5


def test_a_history_survives_as_json(made: Made) -> None:
    found = made.read()
    assert from_json(json.loads(json.dumps(to_json(found)))) == found
    assert from_json(None) is None
