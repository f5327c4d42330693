"""What packs say of a history's texts, and that a text searched where it differs is told as one that is read whole."""

from __future__ import annotations

import difflib
import importlib
import itertools
import os
import tracemalloc
import zlib
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyguard.catalogue import Own
from keyguard.history.objects import listed
from keyguard.history.packs import Lineage, Text, lineages, texts
from keyguard.history.sift import divided, sifted, units
from keyguard.prefilter import Prefilter
from keyguard.workers import share
from tests.history.made import Made, Past, alone, run_git, session_of
from tests.keys import make

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from keyguard.engine import Session
    from keyguard.history.objects import Object
    from keyguard.history.sift import Suspect

KEY = make("openai/project", "packs")
HEX = "0a1b2c3d4e5f6a7b" * 2
PACKS = importlib.import_module("keyguard.history.packs")

# Lines of which a text is made: noise, keys, halves of keys, what stands beside one, what joins lines to one match.
LINES = (
    *("x = 1", "", "    ", "def f():", "# nothing", "return y + 2", "+", "\\", "é密", "- value", "\t\\ +", "'a' 'b'"),
    *(f'k = "{KEY}"', KEY, f'    "{KEY[:30]}"', f'    + "{KEY[30:]}"', f'"{KEY[:12]}" + ', f"value: {HEX[:24]}"),
    *("api_key =", "OPENAI_API_KEY:", "token", f'    "{HEX}"', HEX, "openai", "deepseek", "# keyguard: ignore"),
    *("from openai import OpenAI", "from google import genai", "client = OpenAI()", "https://api.openai.com/v1"),
    *(
        "# noqa",
        '"nbformat": 4',
        "a\0b",
        "AKIA",
        '"abcdefgh1i2j3"',
        '"zyxwvu9t8s7"',
        '"sk-proj-"',
        '"sk-"',
        "g\r",
        "\r",
    ),
    *(f'"{KEY[::-1]}"[::-1]', 'x = f("------") \\', "https://user:" + "word@example.org/"),
)
SOME = st.lists(st.sampled_from(LINES), min_size=1, max_size=5)


class Edit(NamedTuple):
    """What happens to a text: from a place on so many characters go, and some lines or a piece of one come."""

    at: int
    gone: int
    come: str


PIECES = st.sampled_from(["", "a", "\n", '"', " "])
EDITS = st.builds(
    Edit,
    st.integers(0, 400),
    st.sampled_from([0, 0, 1, 2, 7, 20, 60]),
    st.one_of(SOME.map(lambda lines: "".join(f"{line}\n" for line in lines)), PIECES),
)
TEXTS = st.lists(st.sampled_from(LINES), min_size=1, max_size=24).map(lambda lines: "\n".join(lines) + "\n")


def edited(text: str, edits: Sequence[Edit]) -> str:
    """A text after some edits."""
    for edit in edits:
        at = edit.at % (len(text) + 1)
        text = text[:at] + edit.come + text[at + edit.gone :]
    return text


@pytest.fixture
def every(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let packs be read for the smallest store, and the shortest stretches count."""
    monkeypatch.setattr(PACKS, "_FEWEST", 0)
    monkeypatch.setattr(PACKS, "_SHORTEST", 8)


# What differs decides -----------------------------------------------------------------------------------------------


def tells_as_much(old: bytes, new: bytes, shared: Sequence[tuple[int, int, int]]) -> None:
    """What is left without shared stretches (size, and where it is in both) decides wherever it is asked."""
    prefilter = session_of("/nowhere").prefilter
    part = prefilter.apart(new, [(at, at + size) for size, _, at in shared])
    gone = prefilter.apart(old, [(at, at + size) for size, at, _ in shared])
    if not prefilter.finds(old) and prefilter.finds(new):
        assert prefilter.finds(part)
    if not prefilter.may_leak(old, 0, len(old)):
        assert prefilter.may_leak(part, 0, len(part)) or not prefilter.may_leak(new, 0, len(new))
    elif not (prefilter.is_counted_whole(old, 0, len(old)) or prefilter.decides(part) or prefilter.decides(gone)):
        assert prefilter.may_leak(new, 0, len(new))
        assert prefilter.gist(new, 0, len(new)) == prefilter.gist(old, 0, len(old))


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, edits=st.lists(EDITS, min_size=1, max_size=4), least=st.sampled_from([1, 4, 16]))
def test_what_is_left_of_a_text_tells_as_much_as_all_of_it(text: str, edits: list[Edit], least: int) -> None:
    old, new = (f"\n{one}".encode() for one in (text, edited(text, edits)))
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    tells_as_much(old, new, [(block.size, block.a, block.b) for block in blocks if block.size >= least])


# Lines that match with one another, some with blanks between them, and none of them alone; or count for the gist of
# the one above them.
FIRST = st.sampled_from(['"abcdefgh"', '"abcdefgh" \\', '"hf_abc"', "- name: api_key", "token", "# noqa", "x = 1"])
BETWEEN = st.lists(st.sampled_from(["", "  ", "+", "\t\\", " + \r", "- y"]), max_size=2)
LAST = st.sampled_from(['"ijklmnop"', '+ f"ijklmnop"', '"y"', f"value: {HEX[:24]}", f'"{HEX}"', "y = 2"])
NOISE = st.lists(st.sampled_from(["", "w = 3", "return"]), max_size=2)
FAR = "".join(f"far away {name}\n" for name in "abcdef")
LINES_OF_A_MATCH = st.tuples(NOISE, FIRST.map(lambda line: [line]), BETWEEN, LAST.map(lambda line: [line]), NOISE)


@settings(max_examples=1_000, deadline=None)
@given(
    lines=LINES_OF_A_MATCH.map(lambda parts: list(itertools.chain(*parts))),
    at=st.integers(0, 9),
    instead=st.lists(st.sampled_from(["", "z = 4", "+", "0", '"nbformat": 4']), max_size=1),
    beside=st.sampled_from(["", "", f'k = "{KEY}"\n', "from openai import OpenAI\n"]),
    turn=st.sampled_from([1, -1]),
)
def test_a_line_that_changes_beside_a_match_tells_of_it(
    lines: list[str], at: int, instead: list[str], beside: str, turn: int
) -> None:
    at %= len(lines)
    versions = [lines, [*lines[:at], *instead, *lines[at + 1 :]]][::turn]
    texts = [
        f"\n{FAR}{beside}{FAR}{''.join(f'{line}{chr(10)}' for line in some)}{FAR}{FAR}".encode() for some in versions
    ]
    old, new = texts
    # Git cuts anywhere, not where lines begin.
    before = next((place for place, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 1)
    backwards = zip(old[before:][::-1], new[before:][::-1], strict=False)
    behind = next((place for place, (a, b) in enumerate(backwards) if a != b), min(len(old), len(new)) - before)
    tells_as_much(old, new, [(before - 1, 1, 1), (behind, len(old) - behind, len(new) - behind)])


def test_what_is_left_are_the_lines_a_match_may_reach() -> None:
    prefilter = session_of("/nowhere").prefilter
    data = ("\n" + "".join(f"line {name}\n" for name in "abcdefghijklmnop")).encode()
    first, last = data.index(b"h") - 2, data.index(b"h") + 3
    left = prefilter.apart(data, [(1, first), (last, len(data))]).decode()
    begin, middle, end = "\nline a\nline b\n", "\nline f\nline g\nline h\nline i\nline j\n", "\nline o\nline p\n"
    assert left == begin + middle + end
    assert prefilter.apart(data, []) == data
    assert prefilter.apart(data, [(1, 3), (5, 9)]) == data, "too short to be left out"


def test_blanks_between_two_literals_are_passed() -> None:
    prefilter = session_of("/nowhere").prefilter
    gap = "\n \t\\\n\n+\n"
    old = f'\none\ntwo\n"{KEY[:12]}"{gap}changed\nthree\nfour\n'.encode()
    new = f'\none\ntwo\n"{KEY[:12]}"{gap}"{KEY[12:]}"\nthree\nfour\n'.encode()
    start = new.index(f'"{KEY[12:]}"'.encode())
    end = new.index(b"\nthree")
    part = prefilter.apart(new, [(1, start), (end, len(new))])
    assert f'"{KEY[:12]}"{gap}"{KEY[12:]}"'.encode() in part
    assert old.startswith(new[:start])


def test_with_forms_of_a_project_nothing_is_left_out() -> None:
    own = Own((("mine", '{"id": "mine", "name": "mine", "env": ["MINE_API_KEY"], "hosts": ["api.mine.example"]}'),))
    catalogue = session_of("/nowhere").catalogue
    data = b"\n" + b"x = 1\n" * 99
    assert len(Prefilter(catalogue, leaks_only=True).apart(data, [(1, 400)])) < len(data)
    assert Prefilter(catalogue.extended(own), leaks_only=True).apart(data, [(1, 400)]) == data


# What packs hold ----------------------------------------------------------------------------------------------------


PICTURE = bytes(range(256)) * 99  # binary, and unlike anything else


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A store whose one pack has long and branching lines of texts that were made from one another."""
    past = Past()
    lines = [f"line {number} of a text that is long enough to be worth a delta" for number in range(80)]
    for number in range(30):
        lines[number * 2] = f"changed by {number}"
        files = {
            "a.py": "\n".join(lines),
            "b.py": "\n".join(reversed(lines[number:])),
            "c.bin": bytes(lines[number].encode() * 9),
        }
        past.commit(f"c{number}", files)
    past.commit("picture", {"picture": PICTURE})
    past.commit("odd", {"empty": "", "end": "\n", "large": b"x" * 70_000 + b"y", "larger": b"x" * 140_000 + b"z"})
    made = past.write(tmp_path_factory.mktemp("packs") / "r")
    made.git("repack", "-adfq", "--depth=20", "--window=30")
    return made


def blobs(made: Made) -> dict[str, bytes]:
    """Every file's text, as git gives it."""
    found = made.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)").splitlines()
    names = [line.split()[0] for line in found if line.endswith("blob")]
    module = importlib.import_module("keyguard.history.objects")
    with alone():
        return {
            name: batch.data[start:end]
            for batch in module.batches(made.repository, names)
            for name, start, end in zip(batch.names, batch.starts, batch.ends, strict=True)
        }


def objects_of(made: Made) -> list[Object]:
    """What its store lists."""
    with alone():
        return list(listed(made.repository))


def lined_up(made: Made, most: int = 1 << 20) -> list[Lineage]:
    """Its lineages."""
    with alone():
        return lineages(made.repository, objects_of(made), most)[0]


def made_from(lineage: Lineage) -> Iterator[tuple[Text, Text | None]]:
    """Each text, and the one it was made from."""
    above: list[Text] = []
    for text in texts(lineage):
        del above[text.depth :]
        yield text, above[-1] if above else None
        above.append(text)


@pytest.mark.usefixtures("every")
@pytest.mark.parametrize("most", [1, 5_000, 1 << 20])
def test_a_pack_gives_the_texts_that_git_gives(store: Made, most: int) -> None:
    wanted = blobs(store)
    found: dict[str, bytes] = {}
    deepest = taken = 0
    for lineage in lined_up(store, most):
        for text, base in made_from(lineage):
            assert text.data is not None
            assert text.data[:1] == b"\n"
            found[text.name] = text.data[1:]
            deepest = max(deepest, text.depth)
            for start, end, where in text.taken:
                assert base is not None
                assert base.data is not None
                assert text.data[start:end] == base.data[where : where + end - start]
                taken += end - start
    picture = store.git("rev-parse", "main:picture")
    assert found.pop(picture) == PICTURE[:4096], "of what is binary the head is enough"
    assert wanted.pop(picture) == PICTURE
    assert found == wanted
    assert deepest > 3
    assert taken > 50_000


@pytest.mark.usefixtures("every")
def test_what_is_not_in_a_pack_is_left_to_git(store: Made, tmp_path: Path) -> None:
    run_git(tmp_path, "clone", "-q", "--mirror", "--shared", str(store.root), "r")
    made = Made(tmp_path / "r")
    loose = made.git("hash-object", "-w", "--stdin", given=b"loose\n")
    with alone():
        found, others = lineages(made.repository, objects_of(made), 1 << 20)
    assert {name for lineage in found for name in lineage.names} == blobs(made).keys() - {loose}, "borrowed packs count"
    assert {one.type for one in others} == {"blob", "commit"}
    assert [one.name for one in others if one.type == "blob"] == [loose]


def test_few_objects_are_left_to_git(store: Made) -> None:
    with alone():
        found, others = lineages(store.repository, objects_of(store), 1 << 20)
    assert (found, others) == ([], objects_of(store))


@pytest.mark.usefixtures("every")
def test_what_is_made_from_a_text_left_to_git_is_left_to_it_too(store: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PACKS, "_HELD", 9_000)
    found = {name for lineage in lined_up(store) for name in lineage.names}
    assert 0 < len(found) < len(blobs(store))
    assert max(depth for lineage in lined_up(store) for depth in lineage.depths) < 4


@pytest.mark.usefixtures("every")
def test_a_place_that_holds_something_else_is_left_to_git(store: Made) -> None:
    picture = store.git("rev-parse", "main:picture")  # of which half is as good as all
    lineage = next(one for one in lined_up(store, 1) if max(one.depths) > 3 and picture not in one.names)
    right = list(texts(lineage))
    assert all(text.data is not None for text in right)
    for wrong in (
        lineage._replace(places=tuple((offset + 1, length) for offset, length in lineage.places)),
        lineage._replace(places=tuple((offset, length // 2) for offset, length in lineage.places)),
        lineage._replace(places=tuple((1 << 40, length) for _, length in lineage.places)),
        lineage._replace(places=tuple(reversed(lineage.places))),
        lineage._replace(pack=f"{lineage.pack}.none"),
        lineage._replace(pack=os.devnull),
    ):
        for text, one in zip(texts(wrong), right, strict=True):
            assert (text.name, text.depth) == (one.name, one.depth)
            assert text.data is None or wrong.places == tuple(reversed(lineage.places))


@pytest.mark.usefixtures("every")
def test_a_text_whose_base_is_another_than_was_said_is_left_to_git(store: Made) -> None:
    for lineage in lined_up(store):
        flat = lineage._replace(depths=tuple(min(depth, 1) for depth in lineage.depths))
        for text, one, depth in zip(texts(flat), texts(lineage), lineage.depths, strict=True):
            assert text.data == one.data if depth < 2 else text.data is None


# Both ways agree -----------------------------------------------------------------------------------------------------

_numbers = itertools.count()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=TEXTS,
    steps=st.lists(st.lists(EDITS, min_size=1, max_size=2), min_size=1, max_size=10),
    encoding=st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16", "utf-16-le", "utf-8-sig"]),
)
@pytest.mark.usefixtures("every")
def test_texts_are_told_from_packs_as_git_gives_them(
    tmp_path_factory: pytest.TempPathFactory, text: str, steps: list[list[Edit]], encoding: str
) -> None:
    past = Past()
    # What makes a delta worth its while.
    padding = "".join(f"{number} plain words of no meaning at all\n" for number in range(12))
    text = padding + text + padding
    past.commit("begin", {"a.py": text.encode(encoding)})
    for number, edits in enumerate(steps):
        text = edited(text, [edit._replace(at=edit.at + len(padding) - 40) for edit in edits])
        past.commit(f"c{number}", {"a.py": text.encode(encoding)})
    made = past.write(tmp_path_factory.mktemp("both", numbered=True) / "r")
    made.git("repack", "-adfq", "--depth=20")
    objects = objects_of(made)
    assert suspects(made, packed=True, objects=objects) == suspects(made, packed=False, objects=objects)


# Every way in which versions of a text may follow one another: in each of them one line of many is another.
# None shares a word with another one, which git would take from there.
LONG = [" ".join([f"{chr(97 + number % 26)}{number}"] * 9) for number in range(40)]
TURNS = {
    "a key comes, moves, goes and returns": [{}, {9: KEY}, {9: KEY, 1: "new"}, {30: KEY}, {}, {30: KEY, 31: "x"}],
    "what stands beside a key changes": [{9: f"k: {HEX}"}, {8: "mistral", 9: f"k: {HEX}"}, {8: "none", 9: f"k: {HEX}"}],
    "who is named far away changes": [{20: f"api_key = {HEX}"}, {1: "mistral", 20: f"api_key = {HEX}"}],
    "a mark comes and goes": [{9: KEY}, {8: "# keyguard: ignore", 9: KEY}, {8: "#", 9: KEY}, {9: KEY, 30: "# noqa"}],
    "a text becomes binary and is none again": [{9: KEY}, {9: KEY, 35: "\0"}, {9: KEY, 35: "1"}, {35: "\0"}],
    "a text becomes a notebook's": [{9: KEY}, {9: KEY, 35: '"nbformat"'}, {9: KEY, 35: '"nbformat"', 36: "x"}],
    "halves of a key meet": [{9: f'"{KEY[:20]}"'}, {9: f'"{KEY[:20]}"', 10: f'"{KEY[20:]}"'}, {10: f'"{KEY[20:]}"'}],
    "an import comes": [{9: f'k = "{HEX}"'}, {1: "from openai import OpenAI", 9: f'k = "{HEX}"'}, {1: "", 9: HEX}],
}


@pytest.mark.usefixtures("every")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("turn", TURNS.values(), ids=list(TURNS))
def test_each_turn_of_a_text_is_told_from_packs_as_git_gives_it(
    tmp_path: Path, turn: list[dict[int, str]], encoding: str
) -> None:
    past = Past()
    for number, changed in enumerate([*turn, *reversed(turn)]):
        lines = [changed.get(at, line) for at, line in enumerate(LONG)]
        # Each a text of its own, whichever way the deltas go.
        text = "\n".join([*lines, f"version {number}"])
        past.commit(f"c{number}", {"a.py": text.encode(encoding)})
    made = past.write(tmp_path / "r")
    made.git("repack", "-adfq", "--depth=20")
    objects = objects_of(made)
    assert suspects(made, packed=True, objects=objects) == suspects(made, packed=False, objects=objects)


@pytest.mark.usefixtures("every")
def test_a_text_in_another_order_is_another_text(tmp_path: Path) -> None:
    one, other = (
        [*LONG[at : at + 8], f'k = "{make("openai/project", f"order:{at}")}"', *LONG[at + 8 : at + 16]]
        for at in (0, 16)
    )
    past = Past()
    past.commit("first", {"a.py": "\n".join([*one, *other, *LONG[32:], ""])})
    past.commit("then", {"a.py": "\n".join([*other, *one, *LONG[32:], ""])})
    made = past.write(tmp_path / "r")
    made.git("repack", "-adfq")
    objects = objects_of(made)
    assert max(depth for lineage in lined_up(made) for depth in lineage.depths) == 1
    found = suspects(made, packed=True, objects=objects)
    assert found == suspects(made, packed=False, objects=objects)
    assert len({suspect.gist for suspect in found}) == 2


def suspects(made: Made, *, packed: bool, objects: Sequence[Object]) -> list[Suspect]:
    """The objects of a store that may hold a key, read in one of the two ways."""
    with alone():
        session = session_of(str(made.root))
        work = (divided if packed else units)(made.repository, objects)
        assert any(unit.lineage for unit in work) == packed
        found = [sifted(unit, session) for unit in work]
    assert sorted(name for one in found for name in one.names) == sorted(one.name for one in objects)
    assert [name for one in found for name in one.missing] == []
    return sorted(suspect for one in found for suspect in one.suspects)


@pytest.mark.usefixtures("every")
@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_a_damaged_pack_costs_no_more_than_git_misses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    past = Past()
    lines = [f"line {number} of a text that is long enough" for number in range(60)]
    for number in range(20):
        lines[number] = f'k = "{make("openai/project", f"damaged:{number}")}"'
        past.commit(f"c{number}", {"a.py": "\n".join(lines) + "\n"})
    made = past.write(tmp_path / "r")
    made.git("repack", "-adfq")
    pack = next((made.root / "objects" / "pack").glob("*.pack"))
    data = bytearray(pack.read_bytes())
    pack.chmod(0o600)
    lineage = next(one for one in lined_up(made) if max(one.depths) > 2)
    offset, length = lineage.places[5]
    data[offset + length // 2] ^= 255
    pack.write_bytes(data)
    monkeypatch.setattr(importlib.import_module("keyguard.history.sift"), "_ALONE", 0)
    monkeypatch.setattr(importlib.import_module("keyguard.history.sift"), "UNIT", 1)
    found = made.read(jobs=jobs)
    monkeypatch.setattr(PACKS, "_FEWEST", 1_000)
    assert found == made.read(jobs=jobs)
    assert found.missing > 0
    assert found.sightings


# Work that is shared -------------------------------------------------------------------------------------------------


def doubled(number: int, _: Session) -> int:
    """Work that any process can do."""
    return number * 2


def doubled_here(number: int, session: Session) -> int:
    """Work that ends every process but the one that began it."""
    if os.getpid() != int(os.environ["KEYGUARD_TEST_HERE"]):
        os._exit(1)
    return doubled(number, session)


@pytest.mark.parametrize("workers", [2, 4])
def test_shared_work_is_all_done(monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    monkeypatch.setenv("KEYGUARD_TEST_HERE", str(os.getpid()))
    session = session_of("/nowhere")
    for work in (doubled, doubled_here):
        for count in (1, 2, 30):
            found: list[int] = []
            share(range(count), session, workers, work=work, take=found.append)
            assert sorted(found) == [number * 2 for number in range(count)]


def entry(kind: int, size: int, packed: bytes) -> bytes:
    """A pack's entry whose head says `size`, whatever is packed."""
    head = bytearray([kind << 4 | size & 15])
    size >>= 4
    while size:
        head[-1] |= 128
        head.append(size & 127)
        size >>= 7
    return bytes(head) + packed


def read_back(folder: Path, *entries: tuple[bytes, int]) -> list[Text]:
    """The texts of a file that holds these entries, each with its depth."""
    pack = folder / "made.pack"
    pack.write_bytes(b"".join(data for data, _ in entries))
    starts = list(itertools.accumulate((len(data) for data, _ in entries), initial=0))
    names = tuple(f"{number:040x}" for number in range(len(entries)))
    places = tuple((start, len(data)) for start, (data, _) in zip(starts, entries, strict=False))
    return list(texts(Lineage(str(pack), names, places, tuple(depth for _, depth in entries), 0)))


def test_an_honest_entry_is_read_to_its_end(tmp_path: Path) -> None:
    change = bytes([5, 7, 0b10010000, 5, 2]) + b"!\n"
    whole = entry(3, 5, zlib.compress(b"hello"))
    made = entry(6, len(change), bytes([len(whole)]) + zlib.compress(change))
    assert [text.data for text in read_back(tmp_path, (whole, 0), (made, 1))] == [b"\nhello", b"\nhello!\n"]


@pytest.mark.parametrize("said", [5, 2_000, 1 << 20, 1 << 40])
def test_of_an_entry_that_hides_more_than_it_says_no_more_is_unpacked(tmp_path: Path, said: int) -> None:
    bomb = zlib.compress(b"a" * (64 << 20))
    base = entry(3, 5, zlib.compress(b"hello"))
    tracemalloc.start()
    try:
        found = read_back(
            tmp_path, (base, 0), (entry(6, said, bytes([len(base)]) + bomb), 1), (entry(3, said, bomb), 0)
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [text.data for text in found] == [b"\nhello", None, None]
    assert peak < 16 << 20


@pytest.mark.parametrize("wanted", [10, 1 << 20])
def test_a_change_that_repeats_its_base_for_ever_is_no_change(tmp_path: Path, wanted: int) -> None:
    size = bytes([wanted & 127 | 128, wanted >> 7 & 127 | 128, wanted >> 14])
    change = bytes([0x80 | 1000 & 127, 1000 >> 7]) + size + bytes([0b10110000, 0xE8, 0x03]) * 60_000
    base = entry(3, 1000, zlib.compress(b"a" * 1000))
    back = len(base)
    assert back < 128
    tracemalloc.start()
    try:
        found = read_back(tmp_path, (base, 0), (entry(6, len(change), bytes([back]) + zlib.compress(change)), 1))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [text.data is None for text in found] == [False, True]
    assert peak < 16 << 20
