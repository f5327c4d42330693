"""The engine: one leak finding a text, order, windows that change no position, and workers that may die."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from keyguard import engine
from keyguard.catalogue import load
from keyguard.discover import GitState, Target, discover
from keyguard.discover.targets import LARGE
from keyguard.findings import one_leak_a_text
from keyguard.model import Hit, Secret, Span
from keyguard.prefilter import Prefilter
from keyguard.settings import SettingsFinder
from keyguard.vocabulary import Words
from tests.keys import fill, make
from tests.runs import Tree

if TYPE_CHECKING:
    from pathlib import Path

    from keyguard.model import Report

LEAK = 'from openai import OpenAI\n\nclient = OpenAI(api_key="<openai-key>")\n'
# From the strongest claim to the weakest, as rules.md has it.
PRECEDENCE = ("KG105", "KG103", "KG102", "KG101", "KG110", "KG106", "KG109", "KG108")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A git repository."""
    found = Tree(tmp_path / "project")
    found.git("init", "-q", "-b", "main")
    return found


def session(tree: Tree) -> engine.Session:
    """A run over a tree with default settings."""
    catalogue = load()
    words = Words(catalogue)
    finder = SettingsFinder(words, config=None, isolated=True)
    return engine.Session(
        catalogue, Prefilter(catalogue), finder, words, engine.LazyProject(str(tree.root), catalogue), git=GitState()
    )


def targets(tree: Tree) -> tuple[Target, ...]:
    """Every file of a tree."""
    return discover([str(tree.root)]).targets


def places(report: Report) -> list[tuple[str, str, int]]:
    """Rule, file name and line of each finding."""
    return [(one.rule, one.path.rpartition("/")[2], one.line) for one in report.findings]


# One text, one leak finding ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weaker", range(1, len(PRECEDENCE)))
def test_of_two_leaks_on_one_text_the_stronger_claim_stays(weaker: int) -> None:
    hits = [Hit(PRECEDENCE[weaker], Span(0, 30)), Hit(PRECEDENCE[weaker - 1], Span(10, 20))]
    assert [hit.rule for hit in one_leak_a_text(hits)] == [PRECEDENCE[weaker - 1]]
    assert [hit.rule for hit in one_leak_a_text(reversed(hits))] == [PRECEDENCE[weaker - 1]]


def test_what_says_something_else_stands_beside_a_leak() -> None:
    hits = [Hit("KG104", Span(0, 30)), Hit("KG101", Span(10, 20)), Hit("KG107", Span(0, 30))]
    assert [hit.rule for hit in one_leak_a_text(hits)] == ["KG104", "KG107", "KG101"]


def test_leaks_side_by_side_all_stay_in_the_order_of_the_text() -> None:
    hits = [Hit("KG106", Span(20, 30)), Hit("KG101", Span(30, 40)), Hit("KG108", Span(0, 20))]
    assert [hit.rule for hit in one_leak_a_text(hits)] == ["KG108", "KG106", "KG101"]


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("a.py", "# openai key: <openai-key>\n", "KG105"),
        ("a.py", 'import requests\nrequests.get("https://api.openai.com/v1?api_key=<openai-key>")\n', "KG103"),
        ("a.py", 'import os\nkey = os.getenv("OPENAI_API_KEY", "<openai-key>")\n', "KG102"),
        ("a.py", LEAK, "KG101"),
        ("config.js", 'const VITE_OPENAI_API_KEY = "<openai-key>"\n', None),
        (".env.example", "VITE_OPENAI_API_KEY=<openai-key>\n", "KG110"),
        ("a.yaml", "key: <openai-key>\n", "KG106"),
        ("Dockerfile", "FROM x\nENV OPENAI_API_KEY=<openai-key>\n", "KG106"),
    ],
)
def test_a_key_is_one_leak_wherever_it_stands(tree: Tree, name: str, text: str, rule: str | None) -> None:
    tree.write(name, text)
    leaks = [one for one in tree.check("--min-severity", "low").rules if one in PRECEDENCE]
    assert len(leaks) == 1
    assert rule is None or leaks == [rule]


# Order ---------------------------------------------------------------------------------------------------------------


def test_findings_are_by_path_position_and_rule(tree: Tree) -> None:
    tree.write("b.py", 'import openai\nprint("<openai-key>"); openai.api_key = "<openai-key-2>"\n')
    tree.write("a/z.yaml", "one: <openai-key>\ntwo: <anthropic-key>\n")
    tree.write("B.yaml", "one: <openai-key>\n")
    found = [(one["path"], one["line"], one["column"], one["rule"]) for one in tree.check().findings]
    assert found == sorted(found)
    assert found[0][0] == "B.yaml"


def test_the_same_input_gives_the_same_bytes(tree: Tree) -> None:
    tree.write("a.py", LEAK + 'print("<openai-key-2>", "<anthropic-key>")\n')
    tree.write("b.py", LEAK)
    assert tree.run("check", "--output-format", "sarif") == tree.run("check", "--output-format", "sarif")
    assert tree.process("check", environ={"PYTHONHASHSEED": "1"}) == tree.process(
        "check", environ={"PYTHONHASHSEED": "2"}
    )


# Where a file lies ---------------------------------------------------------------------------------------------------


def test_constants_are_imported_whatever_the_working_folder(tree: Tree) -> None:
    tree.write("app/__init__.py", "")
    tree.write("app/parts.py", 'HEAD = "<openai-key|head>"\n')
    tree.write(
        "app/chat.py",
        "from openai import OpenAI\n\nfrom app.parts import HEAD\n\n"
        'client = OpenAI(api_key=HEAD + "<openai-key|tail>")\n',
    )
    assert [rule for rule, path, _ in tree.check().places if path == "app/chat.py"] == ["KG101"]
    inside = tree.check(cwd=tree.root / "app")
    assert [rule for rule, path, _ in inside.places if path == "chat.py"] == ["KG101"]


def test_a_module_that_is_no_text_is_no_constant(tree: Tree) -> None:
    tree.write("parts.py", b"\0\x01\x02 KEY = 1\n")
    tree.write(
        "chat.py",
        "from openai import OpenAI\n\nfrom parts import KEY\n\nclient = OpenAI(api_key=KEY)\nprint(client.api_key)\n",
    )
    assert tree.check().rules == ["KG104"]


# Windows -------------------------------------------------------------------------------------------------------------


def _positions(tree: Tree, *, windowed: bool) -> list[tuple[Any, ...]]:
    (file,) = engine.check_targets(targets(tree), session(tree), jobs=1).files
    assert file.windowed is windowed
    return [
        (one.rule, one.span, one.line, one.column, one.end_line, one.end_column, one.excerpt, one.fingerprint, one.key)
        for one in file.findings
    ]


@pytest.mark.parametrize(
    ("row", "line_end", "encoding"),
    [
        ("a row of words, nothing else\n", "\n", "utf-8"),
        ("a row of words, nothing else\n", "\r\n", "utf-8"),
        ("a row of words, nothing else\n", "\r", "utf-8"),
        ("ключ 密钥 🔑 a row of words\n", "\n", "utf-8"),
        ("ключ 密钥 🔑 a row of words\n", "\r\n", "utf-8-sig"),
        ("ключ 密钥 🔑 one line of words ", "\n", "utf-8"),
        ("密钥 a row of words\n", "\n", "utf-16"),
        ("café a row of words\n", "\n", "latin-1"),
        ("密钥在这里 a row of words\n", "\n", "gb18030"),
    ],
)
def test_windows_change_no_position(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, row: str, line_end: str, encoding: str
) -> None:
    """A file in windows of a few kilobytes against the same file read whole: every finding, word for word."""
    rows = 3_000
    text = "".join(
        row + (f"key: <anthropic-key-{number % 90 + 1}> \n" if number % 97 == 5 else "") for number in range(rows)
    )
    if not row.endswith("\n"):
        text = text.replace("\n", "")
    tree.write("large.txt", fill(text).replace("\n", line_end).encode(encoding))
    whole = _positions(tree, windowed=False)
    assert len(whole) > 20
    honest = Target.windows
    monkeypatch.setattr("keyguard.discover.targets.LARGE", 1_000)
    monkeypatch.setattr(Target, "windows", lambda target: honest(target, 20_000, 1_600))
    assert _positions(tree, windowed=True) == whole


def test_a_file_over_the_limit_is_read_as_one_below_it(tree: Tree) -> None:
    row = "ключ 密钥 a row of words\r\n"
    rows = LARGE // len(row.encode()) + 1_000
    text = row * rows + "key: <anthropic-key>\r\n" + row * 3 + "key: <openai-key>\r\n"
    tree.write("large.txt", text)
    (file,) = engine.check_targets(targets(tree), session(tree), jobs=1).files
    assert file.windowed
    first, second = file.findings
    filled = fill(text)
    assert (first.line, first.column, first.span.start) == (rows + 1, 6, filled.index(make("anthropic")))
    assert (second.line, second.column, second.span.start) == (rows + 5, 6, filled.index(make("openai/project")))
    assert first.end_column - first.column == len(make("anthropic"))


def test_an_ignore_for_the_whole_file_reaches_every_window(tree: Tree) -> None:
    tree.write(
        "large.yaml",
        "# keyguard: ignore-file[KG106] test data\n" + "a: row of words\n" * 600_000 + "key: <anthropic-key>\n",
    )
    (file,) = engine.check_targets(targets(tree), session(tree), jobs=1).files
    assert file.windowed
    assert file.findings == ()
    assert [one.rule for one in file.ignored] == ["KG106"]


# Workers -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(tree: Tree) -> Tree:
    """Forty files that travel to workers in ten chunks."""
    for number in range(40):
        tree.write(f"file{number:02}.yaml", f"key: <anthropic-key-{number + 1}>\n")
    return tree


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let little work be spread."""
    monkeypatch.setattr(engine, "_ALONE", 0)
    monkeypatch.setattr(engine, "_CHUNK_FILES", 4)


@pytest.mark.usefixtures("small_chunks")
def test_workers_give_what_one_process_gives(many: Tree) -> None:
    run = session(many)
    done: list[int] = []
    together = engine.check_targets(targets(many), run, jobs=2, advance=done.append)
    assert together == engine.check_targets(targets(many), run, jobs=1)
    assert sum(done) == 40
    assert len(done) > 1


@pytest.mark.parametrize("jobs", [2, 3, 8])
@pytest.mark.usefixtures("small_chunks")
def test_any_number_of_workers_gives_the_same_of_every_kind_of_file(many: Tree, jobs: int) -> None:
    many.write("a/binary.bin", "x\0y")
    many.write("a/chat.py", LEAK)
    many.write("a/plain.py", "x = 1\n")
    many.write("a/broken.py", "import openai\nprint(os.environ['OPENAI_API_KEY']\n")
    many.write("a/gone.yaml", "key: <anthropic-key>\n")
    found = targets(many)
    (many.root / "a" / "gone.yaml").unlink()
    report = engine.check_targets(found, session(many), jobs=jobs)
    assert report == engine.check_targets(found, session(many), jobs=1)
    assert {("KG001", "gone.yaml", 1), ("KG101", "chat.py", 3)} <= set(places(report))
    assert [file.skipped for file in report.files if file.skipped] == ["binary"]


def test_a_file_that_changes_while_others_are_searched_is_searched_again(tree: Tree) -> None:
    tree.write("a.yaml", "key: <anthropic-key>\n")
    (target,) = targets(tree)
    size = len(target.read())
    nothing = engine.Sifted(hash(b" " * size), session(tree).prefilter.scan(b" " * size, "yaml"))
    outcome = engine.check_target(target, session(tree)._replace(sifted={target.location: nothing}))
    assert [finding.rule for finding in outcome.report.findings] == ["KG106"]


@pytest.mark.skipif(sys.platform != "linux", reason="the patched check reaches workers by fork")
@pytest.mark.parametrize("deadly", [("file07.yaml",), ("file00.yaml", "file01.yaml", "file39.yaml")])
@pytest.mark.usefixtures("small_chunks")
def test_a_worker_that_dies_costs_one_file(
    many: Tree, monkeypatch: pytest.MonkeyPatch, deadly: tuple[str, ...]
) -> None:
    honest = engine.check_target
    parent = os.getpid()

    def check(target: Target, run: engine.Session) -> engine.Outcome:
        if target.path.endswith(deadly):
            assert os.getpid() != parent
            os.kill(os.getpid(), signal.SIGKILL)  # as a crash in a parser written in C would
        return honest(target, run)

    monkeypatch.setattr(engine, "check_target", check)
    done: list[int] = []
    report = engine.check_targets(targets(many), session(many), jobs=2, advance=done.append)
    expected = [("KG001" if f"file{n:02}.yaml" in deadly else "KG106", f"file{n:02}.yaml", 1) for n in range(40)]
    assert places(report) == expected
    lost = [one.message for one in report.findings if one.rule == "KG001"]
    assert set(lost) == {"this file could not be read: the process that read it died"}
    assert sum(done) == 40


@pytest.mark.skipif(sys.platform != "linux", reason="the patched check reaches workers by fork")
@pytest.mark.usefixtures("small_chunks")
def test_a_bug_in_a_worker_is_told_with_its_file(many: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = engine.check_bytes

    def check(target: Target, data: bytes, run: engine.Session) -> engine.Outcome:
        if target.path.endswith("file07.yaml"):
            raise ValueError(data.decode())
        return honest(target, data, run)

    monkeypatch.setattr(engine, "check_bytes", check)
    report = engine.check_targets(targets(many), session(many), jobs=2)
    (notice,) = report.notices
    assert notice.error
    assert "file07.yaml: not checked, a bug in keyguard (" in notice.message
    assert "ValueError" in notice.message
    assert make("anthropic", "0:8") not in notice.message
    assert len(places(report)) == 39


@pytest.mark.parametrize("error", [RecursionError, MemoryError])
def test_a_file_that_asks_for_too_much_is_a_finding(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    tree.write("a.yaml", "key: <anthropic-key>\n")
    tree.write("b.yaml", "key: <anthropic-key>\n")
    honest = engine.check_bytes

    def check(target: Target, data: bytes, run: engine.Session) -> engine.Outcome:
        if target.path.endswith("a.yaml"):
            raise error
        return honest(target, data, run)

    monkeypatch.setattr(engine, "check_bytes", check)
    assert places(engine.check_targets(targets(tree), session(tree))) == [
        ("KG001", "a.yaml", 1),
        ("KG106", "b.yaml", 1),
    ]


@pytest.mark.usefixtures("small_chunks")
def test_workers_that_are_spawned_load_what_they_need(many: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS and Windows, where nothing is inherited: the session travels as a pickle."""
    spawn = multiprocessing.get_context("spawn")
    monkeypatch.setattr("keyguard.workers.multiprocessing.get_context", lambda _: spawn)
    many.write("keyguard.toml", 'per-file-ignores = {"file0*.yaml" = ["KG106"]}\n')
    many.write("chat.py", LEAK)
    catalogue = load()
    words = Words(catalogue)
    finder = SettingsFinder(words, {"ignore": ("KG109",)}, keep_going=True)
    run = engine.Session(
        catalogue, Prefilter(catalogue), finder, words, engine.LazyProject(str(many.root), catalogue), git=GitState()
    )
    together = engine.check_targets(targets(many), run, jobs=2)
    assert together == engine.check_targets(targets(many), run, jobs=1)
    assert ("KG101", "chat.py", 3) in places(together)


def test_an_outcome_travels_and_a_secret_does_not(tree: Tree) -> None:
    tree.write("chat.py", LEAK)
    (target,) = targets(tree)
    outcome = engine.check_target(target, session(tree))
    data = pickle.dumps(outcome)
    assert pickle.loads(data) == outcome  # noqa: S301  # made a line above
    assert make("openai/project").encode() not in data
    with pytest.raises(TypeError):
        pickle.dumps(Secret("x"))
