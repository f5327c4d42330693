"""A second run answers from the cache, and only where nothing that decides about a result has changed."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyguard.cache import Kept, digest_of, from_json, open_cache, status_of, to_json
from keyguard.model import (
    Confidence,
    Edit,
    Excerpt,
    FileReport,
    Finding,
    Fix,
    Move,
    Related,
    Safety,
    Secret,
    Severity,
    Span,
)
from tests.keys import fill
from tests.runs import Tree

if TYPE_CHECKING:
    from pathlib import Path

LEAK = 'from openai import OpenAI\n\nclient = OpenAI(api_key="<openai-key>")\n'
CLEAN = "import os\nfrom openai import OpenAI\n\nclient = OpenAI(api_key=os.environ['OPENAI_API_KEY'])\n"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A project with enough files that a run over it is worth remembering."""
    found = Tree(tmp_path / "project")
    found.git("init", "-q", "-b", "main")
    for number in range(30):
        found.write(f"filler/module_{number}.py", f"x = {number}\n")
    return found


class Runs:
    """Runs over one tree with one cache."""

    def __init__(self, tree: Tree, folder: Path) -> None:
        """Keep the cache in `folder`."""
        self.tree, self.folder = tree, folder

    def check(self, *argv: str) -> list[tuple[str, str, int]]:
        """Check the tree; give rule, path and line of each finding."""
        return self.tree.check(*argv, environ={"KEYGUARD_CACHE_DIR": str(self.folder)}).places

    @property
    def caches(self) -> list[Path]:
        """The files of results."""
        return sorted(self.folder.glob("results-*.json"))

    def remembered(self, name: str) -> Any:  # noqa: ANN401  # JSON
        """What is remembered of one file, by the newest cache."""
        newest = max(self.caches, key=lambda path: path.stat().st_mtime_ns)
        files = json.loads(newest.read_text("utf-8"))["files"]
        return files.get(os.fspath(self.tree.root / name)) or files.get(name)


@pytest.fixture
def runs(tree: Tree, tmp_path: Path) -> Runs:
    """Runs whose cache lies beside the project."""
    return Runs(tree, tmp_path / "cache")


# Nothing has changed


def test_a_second_run_reports_the_same(runs: Runs) -> None:
    runs.tree.write("app.py", LEAK)
    runs.tree.write("other.py", "import os\nprint(os.environ['OPENAI_API_KEY'])\n")
    first = runs.check("--min-severity", "low")
    assert ("KG101", "app.py", 3) in first
    assert runs.check("--min-severity", "low") == first


def test_a_finding_that_is_remembered_is_whole(runs: Runs) -> None:
    runs.tree.write("app.py", LEAK)
    environ = {"KEYGUARD_CACHE_DIR": str(runs.folder)}
    texts = [runs.tree.run("check", "--lang", "zh", environ=environ).out for _ in range(2)]
    assert texts[0] == texts[1]
    reports = [runs.tree.check(environ=environ).out for _ in range(2)]
    assert reports[0] == reports[1]


def test_an_unchanged_file_is_not_read_again(runs: Runs) -> None:
    runs.tree.write("app.py", LEAK)
    runs.check()
    kept = runs.remembered("app.py")
    kept_path = max(runs.caches, key=lambda path: path.stat().st_mtime_ns)
    document = json.loads(kept_path.read_text("utf-8"))
    name = next(name for name in document["files"] if name.endswith("app.py"))
    assert document["files"][name] == kept
    # What the cache says is believed: the status of the file is what it was.
    document["files"][name][5] = None
    document["written"] += 10**12
    kept_path.write_text(json.dumps(document), "utf-8")
    assert runs.check() == []
    assert runs.check("--no-cache") == [("KG101", "app.py", 3)]


# What a project asks for

OLD = "import openai\n\nopenai.ChatCompletion.create(model='gpt-4', messages=[], timeout=3)\n"


def _removed(places: list[tuple[str, str, int]]) -> list[str]:
    return [path for rule, path, _ in places if rule == "KG207"]


def test_requirements_decide_again_when_they_change(runs: Runs) -> None:
    runs.tree.write("app.py", OLD)
    assert _removed(runs.check()) == ["app.py"]
    runs.tree.write("requirements.txt", "openai<1\n")
    assert _removed(runs.check()) == []
    runs.tree.write("requirements.txt", "openai>1\n")
    assert _removed(runs.check()) == ["app.py"]
    (runs.tree.root / "requirements.txt").unlink()
    assert _removed(runs.check()) == ["app.py"]


def test_requirements_of_an_inner_folder_count_for_it_alone(runs: Runs) -> None:
    for folder in ("old", "new"):
        runs.tree.write(f"{folder}/app.py", OLD)
    assert _removed(runs.check()) == ["new/app.py", "old/app.py"]
    runs.tree.write("old/requirements.txt", "openai==0.28\n")
    assert _removed(runs.check()) == ["new/app.py"]
    assert _removed(runs.check()) == ["new/app.py"]


def test_requirements_that_were_written_again_alike_change_nothing(runs: Runs) -> None:
    runs.tree.write("app.py", OLD)
    runs.tree.write("requirements.txt", "openai<1\n")
    runs.check()
    kept = runs.remembered("app.py")
    runs.tree.write("requirements.txt", "openai<1\n")
    runs.check()
    assert runs.remembered("app.py") == kept


def test_requirements_whose_status_is_old_are_not_read_again(tmp_path: Path) -> None:
    asked = tmp_path / "uv.lock"
    asked.write_bytes(b"one")
    first = open_cache(str(tmp_path), ("stamp",))
    assert first.digest(str(asked)) == digest_of(b"one")
    first.write()
    path = next(tmp_path.glob("results-*.json"))
    document = json.loads(path.read_text("utf-8"))
    # As if the digest were another: it is believed only where the file is older than the cache by some seconds.
    document["digests"][str(asked)][1] = "remembered"
    path.write_text(json.dumps(document), "utf-8")
    assert open_cache(str(tmp_path), ("stamp",)).digest(str(asked)) == digest_of(b"one")
    document["written"] += 10**12
    path.write_text(json.dumps(document), "utf-8")
    assert open_cache(str(tmp_path), ("stamp",)).digest(str(asked)) == "remembered"
    asked.write_bytes(b"two")
    assert open_cache(str(tmp_path), ("stamp",)).digest(str(asked)) == digest_of(b"two")
    asked.unlink()
    assert open_cache(str(tmp_path), ("stamp",)).digest(str(asked)) == ""


def test_no_secret_stands_in_the_cache(runs: Runs) -> None:
    runs.tree.write("app.py", LEAK)
    runs.tree.write(".env", "OPENAI_API_KEY=<openai-key>\n")
    runs.tree.write("notes.md", "token: <anthropic-key>\n")
    runs.check()
    for path in runs.folder.iterdir():
        held = path.read_text("utf-8")
        for name in ("<openai-key>", "<anthropic-key>"):
            assert fill(name) not in held


# Something has changed


def test_a_changed_file_is_checked_again(runs: Runs) -> None:
    runs.tree.write("app.py", CLEAN)
    assert runs.check() == []
    runs.tree.write("app.py", LEAK)
    assert runs.check() == [("KG101", "app.py", 3)]
    runs.tree.write("app.py", CLEAN)
    assert runs.check() == []


def test_a_change_that_keeps_size_and_time_is_seen(runs: Runs) -> None:
    path = runs.tree.write("app.py", LEAK)
    assert runs.check() == [("KG101", "app.py", 3)]
    before = path.stat()
    text = path.read_text("utf-8")
    path.write_text(text.replace(fill("<openai-key>"), "x" * len(fill("<openai-key>"))), "utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert runs.check() == []


def test_a_file_that_was_only_touched_is_known_by_its_bytes(runs: Runs) -> None:
    path = runs.tree.write("app.py", LEAK)
    runs.check()
    os.utime(path, ns=(1, 1))
    assert runs.check() == [("KG101", "app.py", 3)]


def test_a_new_file_is_checked_and_a_deleted_one_forgotten_in_the_report(runs: Runs) -> None:
    runs.check()
    path = runs.tree.write("new.py", LEAK)
    assert runs.check() == [("KG101", "new.py", 3)]
    path.unlink()
    assert runs.check() == []
    assert runs.remembered("new.py") is None


def test_a_run_over_a_part_that_learns_nothing_leaves_the_cache_as_it_is(runs: Runs) -> None:
    for path in runs.tree.root.rglob("*.py"):
        os.utime(path, ns=(1, 1))
    runs.check()
    (cache,) = runs.caches
    before = cache.read_bytes()
    runs.check("filler")
    assert cache.read_bytes() == before


def test_a_file_that_changed_just_before_the_cache_was_written_is_read_again_once(runs: Runs) -> None:
    path = runs.tree.write("app.py", LEAK)
    runs.check()
    (cache,) = runs.caches
    held = json.loads(cache.read_bytes())
    cache.write_text(json.dumps({**held, "written": path.stat().st_mtime_ns}), encoding="utf-8")
    assert runs.check() == [("KG101", "app.py", 3)]
    assert json.loads(cache.read_bytes())["written"] > path.stat().st_mtime_ns


SHOWS = "from config import KEY\n\nprint(KEY)\n"


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("KEY = 'none'\n", "import os\nKEY = os.environ['OPENAI_API_KEY']\n", True),
        ("import os\nKEY = os.environ['OPENAI_API_KEY']\n", "KEY = 'none'\n", False),
        (None, "import os\nKEY = os.environ['OPENAI_API_KEY']\n", True),
        ("from base import KEY\n", "import os\nKEY = os.environ['OPENAI_API_KEY']\n", True),
    ],
    ids=["changed", "changed back", "appears", "no longer handed on"],
)
def test_a_module_that_a_file_imports_from_decides_too(
    runs: Runs,
    before: str | None,
    after: str,
    line: bool,  # noqa: FBT001  # a parameter of a test
) -> None:
    runs.tree.write("app.py", f"# OPENAI_API_KEY\n{SHOWS}")
    if before is not None:
        runs.tree.write("config.py", before)
    first = runs.check()
    runs.tree.write("config.py", after)
    second = runs.check()
    fresh = runs.check("--no-cache")
    assert second == fresh
    assert (("KG104", "app.py", 4) in second) is line
    assert first != second


def test_a_module_behind_another_decides_too(runs: Runs) -> None:
    runs.tree.write("app.py", f"# OPENAI_API_KEY\n{SHOWS}")
    runs.tree.write("config.py", "from base import KEY\n")
    runs.tree.write("base.py", "KEY = 'none'\n")
    assert runs.check() == []
    runs.tree.write("base.py", "import os\nKEY = os.environ['OPENAI_API_KEY']\n")
    assert runs.check() == [("KG104", "app.py", 4)]


def test_settings_decide_too(runs: Runs) -> None:
    runs.tree.write("app.py", LEAK)
    assert runs.check() == [("KG101", "app.py", 3)]
    runs.tree.write("keyguard.toml", 'ignore = ["KG101"]\n')
    assert runs.check() == []
    assert runs.check("--select", "KG101") == [("KG101", "app.py", 3)]


def test_what_git_does_with_an_env_file_is_asked_each_time(runs: Runs) -> None:
    runs.tree.write(".env", "OPENAI_API_KEY=<openai-key>\n")
    assert ("KG107", ".env", 1) in runs.check()
    runs.tree.write(".gitignore", ".env\n")
    assert runs.check() == []


def test_the_template_of_an_env_file_is_remembered(runs: Runs) -> None:
    runs.tree.write(".env.example", "OPENAI_API_KEY=<openai-key>\n")
    expected = [("KG106", ".env.example", 1)]
    assert runs.check() == expected
    assert runs.remembered(".env.example") is not None
    runs.tree.write(".gitignore", ".env.example\n")
    runs.tree.git("add", "-f", ".env.example")
    assert runs.check() == expected


# The cache itself


@pytest.mark.parametrize(
    "held",
    [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 99, "files": {}, "written": 0}', b"\xff\xfe", b'{"files": 3}'],
    ids=["empty", "cut", "list", "no files", "format of tomorrow", "no text", "odd"],
)
def test_a_broken_cache_is_no_cache(runs: Runs, held: bytes) -> None:
    runs.tree.write("app.py", LEAK)
    runs.check()
    for path in runs.caches:
        path.write_bytes(held)
    assert runs.check() == [("KG101", "app.py", 3)]


def test_an_entry_that_cannot_be_read_is_checked_again(runs: Runs) -> None:
    runs.tree.write("app.py", LEAK)
    runs.check()
    for path in runs.caches:
        document = json.loads(path.read_text("utf-8"))
        for entry in document["files"].values():
            entry[5] = ["nonsense"]
        path.write_text(json.dumps(document), "utf-8")
    assert runs.check() == [("KG101", "app.py", 3)]


@pytest.mark.skipif(os.name == "nt", reason="access lists say who may write")
def test_a_cache_that_others_may_write_is_not_believed(runs: Runs) -> None:
    runs.tree.write("app.py", LEAK)
    runs.check()
    for path in runs.caches:
        document = json.loads(path.read_text("utf-8"))
        for entry in document["files"].values():
            entry[5] = None
        path.write_text(json.dumps(document), "utf-8")
        path.chmod(0o666)
    assert runs.check() == [("KG101", "app.py", 3)]


def test_a_folder_that_cannot_be_made_is_no_error(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file", "utf-8")
    runs.tree.write("app.py", LEAK)
    assert runs.check() == [("KG101", "app.py", 3)]


def test_runs_that_race_leave_a_whole_cache(runs: Runs) -> None:
    runs.tree.write("app.py", LEAK)
    environ = {"KEYGUARD_CACHE_DIR": str(runs.folder)}
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(runs.tree.process, "check", "--output-format", "json", environ=environ) for _ in range(4)]
        results = [one.result() for one in done]
    assert all(result.places == [("KG101", "app.py", 3)] for result in results)
    assert len(runs.caches) == 1
    assert json.loads(runs.caches[0].read_text("utf-8"))["format"] == 2
    assert list(runs.folder.glob(".results-*")) == []


def test_only_a_few_caches_are_kept(tmp_path: Path) -> None:
    for number in range(12):
        cache = open_cache(str(tmp_path), ("stamp", number))
        cache.keep("a.py", Kept((1, 2, 3, 4), "s"))
        cache.write()
    assert len(list(tmp_path.glob("results-*.json"))) == 8


# What is written comes back

TEXT = st.text(max_size=12)
NUMBER = st.integers(0, 10**6)
SPAN = st.builds(Span, NUMBER, NUMBER)
FIX = st.builds(
    Fix, TEXT, st.sampled_from(Safety), st.lists(st.builds(Edit, SPAN, TEXT), max_size=3).map(tuple), st.just(())
)
FINDING = st.builds(
    Finding,
    rule=TEXT,
    path=TEXT,
    span=SPAN,
    line=NUMBER,
    column=NUMBER,
    end_line=NUMBER,
    end_column=NUMBER,
    message=TEXT,
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    fingerprint=TEXT,
    key=st.none() | TEXT,
    provider=st.none() | TEXT,
    case=st.none() | TEXT,
    remedy=st.none() | TEXT,
    cell=st.none() | NUMBER,
    part=st.none() | TEXT,
    excerpt=st.none() | st.builds(Excerpt, TEXT, NUMBER, NUMBER),
    related=st.lists(st.builds(Related, TEXT, NUMBER, NUMBER, NUMBER, NUMBER, TEXT), max_size=2).map(tuple),
    fix=st.none() | FIX,
)
# One finding in one of the groups: four lists of them are more than a machine under load makes in time.
GROUPS = st.permutations(["findings", "ignored", "accepted", "fixed"])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(FINDING, GROUPS, TEXT, st.none() | TEXT, st.booleans())
def test_a_report_comes_back_as_it_was(
    finding: Finding,
    groups: list[str],
    path: str,
    skipped: str | None,
    windowed: bool,  # noqa: FBT001  # drawn by hypothesis
) -> None:
    report = FileReport(path, skipped=skipped, windowed=windowed)._replace(**{groups[0]: (finding,)})
    assert from_json(json.loads(json.dumps(to_json(report)))) == report


def test_a_fix_that_carries_a_key_is_not_written() -> None:
    fix = Fix("move", Safety.SAFE, (), (Move("OPENAI_API_KEY", Secret("not a key")),))
    finding = Finding("KG101", "a.py", Span(0, 1), 1, 1, 1, 2, "m", Severity.HIGH, Confidence.HIGH, "f", fix=fix)
    assert to_json(FileReport("a.py", (finding,))) is None


def test_a_status_and_a_digest_name_what_a_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    assert status_of(str(path)) is None
    path.write_bytes(b"one")
    first = status_of(str(path))
    path.write_bytes(b"two")
    assert status_of(str(path)) != first
    assert digest_of(b"one") != digest_of(b"two")
