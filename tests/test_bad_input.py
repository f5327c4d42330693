"""Bad input through the command line: each gets a finding or an error with file and remedy, and the rest is checked."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from keyguard.discover import Target
from tests.keys import fill, make
from tests.runs import Result, Tree, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAK = 'from openai import OpenAI\n\nclient = OpenAI(api_key="<openai-key>")\n'
CLEAN = 'import os\n\nkey = os.environ["OPENAI_API_KEY"]\n'
# The file that must still be checked, whatever lies beside it.
REST = ("KG101", "rest.py", 3)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A git repository with one leaking file; whatever a test adds, that leak is found."""
    found = Tree(tmp_path / "project")
    found.git("init", "-q", "-b", "main")
    found.write("rest.py", LEAK)
    return found


def messages(done: Result) -> list[str]:
    """What the report says of paths and settings."""
    return [notice["message"] for notice in done.report["notices"]]


def of(done: Result, path: str) -> list[tuple[str, int, str]]:
    """Rule, line and message of each finding in one file."""
    return [(one["rule"], one["line"], one["message"]) for one in done.findings if one["path"] == path]


# Files that cannot be read -------------------------------------------------------------------------------------------


def _refuse(monkeypatch: pytest.MonkeyPatch, name: str, error: OSError) -> None:
    honest = Target.read

    def read(target: Target) -> bytes:
        if target.path == name:
            raise error
        return honest(target)

    monkeypatch.setattr(Target, "read", read)


def test_a_file_without_permission_is_a_finding(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.write("locked.py", CLEAN)
    _refuse(monkeypatch, "locked.py", PermissionError(13, "Permission denied"))
    done = tree.check(code=1)
    assert REST in done.places
    assert of(done, "locked.py") == [("KG001", 1, "this file could not be read: Permission denied")]
    assert "Make it readable, or exclude it" in tree.run("check").out


def test_a_named_file_without_permission_exits_two(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.write("locked.py", CLEAN)
    _refuse(monkeypatch, "locked.py", PermissionError(13, "Permission denied"))
    assert REST in tree.check("locked.py", "rest.py", code=2).places


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_really_without_permission(tree: Tree) -> None:
    tree.write("locked.py", CLEAN).chmod(0)
    assert of(tree.check(code=1), "locked.py")[0][0] == "KG001"


def test_a_file_that_vanishes_while_the_run_goes_on(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.write("gone.py", CLEAN)
    _refuse(monkeypatch, "gone.py", FileNotFoundError(2, "No such file or directory"))
    done = tree.check(code=1)
    assert REST in done.places
    assert of(done, "gone.py") == [("KG001", 1, "this file could not be read: No such file or directory")]


def test_a_large_file_that_cannot_be_read_to_its_end(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.write("big.txt", b"a row of words\n" * 600_000)

    def windows(target: Target) -> object:
        if target.size:
            raise OSError(5, "Input/output error", target.path)
        yield

    monkeypatch.setattr(Target, "windows", windows)
    done = tree.check("--jobs", "1", code=1)
    assert REST in done.places
    assert of(done, "big.txt") == [("KG001", 1, "this file could not be read: Input/output error")]


def test_a_file_tracked_and_deleted_is_no_error(tree: Tree) -> None:
    tree.write("a.py", CLEAN)
    tree.commit()
    (tree.root / "a.py").unlink()
    done = tree.check(code=1)
    assert done.places == [REST]
    assert messages(done) == []


def test_a_folder_given_twice_is_read_once(tree: Tree) -> None:
    tree.write("sub/a.py", LEAK)
    assert tree.check(".", ".", "sub", "sub/a.py", str(tree.root), code=1).places == [REST, ("KG101", "sub/a.py", 3)]


def test_a_name_that_is_none(tree: Tree) -> None:
    done = tree.check("", "rest.py", "no\0name", code=2)
    assert REST in done.places
    assert all(name in " ".join(messages(done)) for name in ("''", "check the path"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_never_opened(tree: Tree) -> None:
    os.mkfifo(tree.root / "pipe.py")
    assert tree.check(code=1).places == [REST]
    named = tree.check("pipe.py", "rest.py", code=2)
    assert named.places == [REST]
    assert "pipe.py: a pipe, socket or device, which is never opened" in messages(named)[0]


def test_links_in_a_loop_end(tree: Tree) -> None:
    tree.write("sub/a.py", CLEAN)
    (tree.root / "sub" / "up").symlink_to("..")
    (tree.root / "self.py").symlink_to("self.py")
    assert tree.check(code=1).places == [REST]
    named = tree.check("self.py", "rest.py", code=2)
    assert named.places == [REST]
    assert "self.py: a link to nothing; repair or remove it" in messages(named)


def test_a_link_that_leaves_the_tree_is_not_followed(tree: Tree, tmp_path: Path) -> None:
    outside = Tree(tmp_path / "outside")
    outside.write("secret.py", LEAK)
    (tree.root / "link.py").symlink_to(outside.root / "secret.py")
    (tree.root / "folder").symlink_to(outside.root)
    assert tree.check(code=1).places == [REST]
    assert any("leaves the tree" in message for message in messages(tree.check("link.py", "rest.py")))


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
def test_names_with_line_ends_and_odd_bytes(tree: Tree) -> None:
    (tree.root / "two\nlines.py").write_text(fill(LEAK))
    (tree.root / os.fsdecode(b"caf\xe9.py")).write_text(fill(LEAK))
    (tree.root / "\x1b[31mred.py").write_text(fill(LEAK))
    done = tree.check(code=1)
    assert sorted(path for _, path, _ in done.places) == sorted(
        ["two\nlines.py", "caf\\xe9.py", "\x1b[31mred.py", "rest.py"]
    )
    text = tree.process("check")
    assert text.code == 1
    assert "\x1b" not in text.out
    assert "two\\nlines.py:3:25" in text.out
    assert "caf\\xe9.py" in text.out


# Texts that are none -------------------------------------------------------------------------------------------------


def test_binary_files_are_counted_and_not_findings(tree: Tree) -> None:
    tree.write("image.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 20)
    tree.write("model.bin", fill("<anthropic-key>").encode() + b"\0" * 100)
    tree.write("nul.py", b'key = "\0"\n' + fill(LEAK).encode())
    done = tree.run("check", "--verbose")
    assert tree.check(code=1).places == [REST]
    assert "Skipped 3 files: 3 binary" in done.out
    assert "skipped: nul.py (binary)" in done.out


ODD = (
    b"",
    b"\n",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xff\xfe\x00",
    b"\0",
    b"\r",
    b"\x80",
    b"#",
    b"# -*- coding: nonsense -*-\nx = 1\n",
    b"# -*- coding: utf-7 -*-\nopenai = '+AGE-'\n",
    b"\xed\xa0\x80 lone surrogate, openai",
    b"openai \xff\xfe\xfd\xfc sk-",
    "ключ = 'openai' # 密钥\n".encode("utf-16"),
    b"from openai import OpenAI\nprint('",
    b"import openai\nprint(api_key)\x0c\x0b\x1c",
    b"\xf0\x9f\x94\x91" * 50 + b" openai.api_key",
)


@pytest.mark.parametrize("name", ["odd.py", "odd.txt", "odd.ipynb", ".env", "odd.yaml", "odd.sh"])
def test_odd_bytes_never_stop_a_run(tree: Tree, name: str) -> None:
    for number, data in enumerate(ODD):
        tree.write(f"{number:02}/{name}", data)
    done = tree.check("--min-severity", "low")
    assert done.code == 1, done.out + done.err
    assert REST in done.places
    assert messages(done) == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("broken.py", b'key = "\xff\xfe"\n'),
        ("surrogate.py", b'key = "\xed\xa0\x80"\n'),
        ("latin.py", 'name = "café" # é\n'.encode("latin-1")),
        ("chinese.py", 'name = "密钥在这里请不要提交"\n'.encode("gb18030")),
        ("cookie.py", "# -*- coding: cp1251 -*-\nname = 'ключ'\n".encode("cp1251")),
    ],
)
def test_a_key_in_a_text_of_another_encoding_is_found(tree: Tree, name: str, data: bytes) -> None:
    tree.write(name, data + fill(LEAK).encode())
    line = data.count(b"\n") + 3
    assert ("KG101", name, line) in tree.check(code=1).places


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
def test_a_key_in_a_wide_text_is_found(tree: Tree, encoding: str) -> None:
    tree.write("wide.txt", fill("api key\r\nvalue: <anthropic-key>\r\n").encode(encoding))
    found = [one for one in tree.check(code=1).findings if one["path"] == "wide.txt"]
    assert [(one["rule"], one["line"], one["column"]) for one in found] == [("KG106", 2, 8)]


# Large files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line_end", [b"\n", b" "])
def test_a_very_large_file_is_read_in_windows(tree: Tree, line_end: bytes) -> None:
    row = b"a row of words and nothing else" + line_end
    key = fill(" <anthropic-key> ").encode()
    rows = 14_000_000 // len(row)
    tree.write("big.txt", row * rows + key + row * 1000 + key)
    done = tree.check(code=1)
    assert REST in done.places
    found = [(one["rule"], one["line"], one["column"]) for one in done.findings if one["path"] == "big.txt"]
    if line_end == b"\n":
        assert found == [("KG106", rows + 1, 2), ("KG106", rows + 1001, 2)]
    else:
        assert found == [("KG106", 1, rows * len(row) + 2), ("KG106", 1, (rows + 1000) * len(row) + len(key) + 2)]
    assert "1 file is very large: only the text rules read it." in tree.run("check").out


def test_a_very_large_binary_file_is_skipped(tree: Tree) -> None:
    tree.write("big.bin", b"\x00\x01\x02\x03" * 2_500_000)
    done = tree.run("check")
    assert "Skipped 1 file: 1 binary" in done.out


def test_a_sparse_file_costs_no_memory(tree: Tree) -> None:
    with (tree.root / "sparse.bin").open("wb") as stream:
        stream.truncate(1 << 30)
    assert tree.check(code=1).places == [REST]


def test_a_very_large_python_file_still_gets_its_text_findings(tree: Tree) -> None:
    tree.write("big.py", "# a row of words\n" * 550_000 + LEAK)
    done = tree.check(code=1)
    assert [rule for rule, path, _ in done.places if path == "big.py"] == ["KG101"]


# Code that LibCST cannot survive -------------------------------------------------------------------------------------

DEEP = {
    "parentheses": "(" * 5_000 + "1" + ")" * 5_000,
    "brackets": "[" * 2_000 + "]" * 2_000,
    "open": "(" * 5_000,
    "braces": "{1:" * 3_000 + "1" + "}" * 3_000,
    "sum": "1" + "+1" * 20_000,
    "strings": "'a' " * 5_000,
    "attributes": "a" + ".b" * 20_000,
    "calls": "a" + "()" * 10_000,
    "subscripts": "a" + "[0]" * 10_000,
    "not": "not " * 5_000 + "1",
    "minus": "-" * 5_000 + "1",
    "power": "1" + "**1" * 5_000,
    "comparison": "1" + "<1" * 5_000,
    "and": "1" + " and 1" * 5_000,
    "ternary": "1 if 1 else " * 3_000 + "1",
    "lambda": "lambda: " * 3_000 + "1",
    "await": "await " * 3_000 + "x",
    "f-string": "f'{" * 200 + "1" + "}'" * 200,
    "names": "a = " * 5_000 + "1",
}


def test_nothing_nested_or_chained_crashes_the_run(tree: Tree) -> None:
    for name, text in DEEP.items():
        tree.write(f"{name}.py", f'import openai\nx = {text}\nopenai.api_key = "<openai-key>"\nprint(openai.api_key)\n')
    done = tree.process("check", "--output-format", "json")
    assert (done.code, done.err) == (1, "")
    assert messages(done) == []
    assert REST in done.places
    assert {path for rule, path, line in done.places if (rule, line) == ("KG101", 3)} == {
        "rest.py",
        *(f"{name}.py" for name in DEEP),
    }


def test_thousands_of_branches_and_blocks(tree: Tree) -> None:
    elifs = "if x == 0:\n    pass\n" + "".join(f"elif x == {n}:\n    pass\n" for n in range(3_000))
    blocks = "".join(" " * depth + "if x:\n" for depth in range(150)) + " " * 150 + "pass\n"
    for name, code in (("elifs.py", elifs), ("blocks.py", blocks)):
        tree.write(name, "import openai\n" + code + 'openai.api_key = "<openai-key>"\n')
    done = tree.process("check", "--output-format", "json")
    assert (done.code, done.err) == (1, "")
    assert {path for rule, path, _ in done.places if rule == "KG101"} == {"rest.py", "elifs.py", "blocks.py"}


def test_code_too_deep_to_parse_is_told(tree: Tree) -> None:
    tree.write("deep.py", f"import openai\nx = {DEEP['parentheses']}\nopenai.api_key = 'x'\nprint(openai.api_key)\n")
    [(rule, line, message)] = of(tree.check(code=1), "deep.py")
    assert (rule, line) == ("KG002", 2)
    assert "nested too deeply" in message
    assert "Split the expression" in tree.run("check").out


# Python that is none -------------------------------------------------------------------------------------------------


def test_a_syntax_error_is_told_and_its_key_found(tree: Tree) -> None:
    tree.write("half.py", 'import openai\n\ndef ask(:\n    openai.api_key = "<openai-key>"\n')
    found = of(tree.check(code=1), "half.py")
    assert [(rule, line) for rule, line, _ in found if rule == "KG101"] == [("KG101", 4)]
    [told] = [message for rule, line, message in found if rule == "KG002" and line in {3, 4}]
    assert "so only its text was checked" in told


def test_python_two_and_templates_are_low_and_their_keys_are_found(tree: Tree) -> None:
    tree.write("old.py", 'import openai\nprint "hello"\nopenai.api_key = "<openai-key>"\n')
    tree.write("{{name}}.py", 'import openai\n{% if x %}\nopenai.api_key = "<openai-key>"\n{% endif %}\n')
    assert sorted(tree.check(code=1).places) == sorted([REST, ("KG101", "old.py", 3), ("KG101", "{{name}}.py", 3)])
    low = tree.check("--min-severity", "low", code=1).places
    assert {("KG002", "old.py", 2), ("KG002", "{{name}}.py", 2)} <= set(low)


def test_a_merge_conflict_holds_a_key_on_each_side(tree: Tree) -> None:
    tree.write(
        "merge.py",
        "import openai\n<<<<<<< HEAD\nopenai.api_key = '<openai-key>'\n=======\n"
        "openai.api_key = '<openai-key-2>'\n>>>>>>> theirs\n",
    )
    found = of(tree.check(code=1), "merge.py")
    assert [(rule, line) for rule, line, _ in found] == [("KG002", 2), ("KG101", 3), ("KG101", 5)]
    assert "merge conflict" in found[0][2]


# Notebooks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"cells": 1}', '{"cells": [1, null, {"cell_type": 3}]}', "\ufeff{}"]
)
def test_a_notebook_that_is_none_is_told_or_empty(tree: Tree, text: str) -> None:
    tree.write("odd.ipynb", text)
    assert REST in tree.check(code=1).places
    tree.write("odd.ipynb", text + fill('\n"<anthropic-key>"'))
    found = of(tree.check(code=1), "odd.ipynb")
    assert [rule for rule, _, _ in found] == ["KG001", "KG106"]
    assert "Make it readable, or exclude it" in tree.run("check").out


def test_a_notebook_of_version_three_is_read(tree: Tree) -> None:
    cell = {
        "cell_type": "code",
        "language": "python",
        "input": [fill('key = "<openai-key>"\n'), "x = 1"],
        "outputs": [],
    }
    book = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"metadata": {}, "cells": [cell]}]}
    tree.write("old.ipynb", json.dumps(book).encode())
    found = [one for one in tree.check(code=1).findings if one["path"] == "old.ipynb"]
    assert [(one["rule"], one["cell"], one["line"]) for one in found] == [("KG101", 1, 1)]


def test_one_broken_cell_spoils_no_other(tree: Tree) -> None:
    sources = ["import openai\nkey = (\n", fill('openai.api_key = "<openai-key>"\n'), "%%bash\necho hello\n", "x = [\n"]
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in sources]
    tree.write("book.ipynb", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode())
    found = [one for one in tree.check(code=1).findings if one["path"] == "book.ipynb"]
    assert [(one["rule"], one["cell"]) for one in found] == [("KG002", 1), ("KG101", 2), ("KG002", 4)]


# Settings and baselines ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("pyproject.toml", "[tool.keyguard\nselect = 1\n", "pyproject.toml"),
        ("keyguard.toml", 'select = ["KG101"\n', "keyguard.toml"),
        ("keyguard.toml", 'selct = ["KG101"]\n', "select"),
        ("keyguard.toml", 'select = ["KG1O1"]\n', "KG1"),
        ("keyguard.toml", 'select = "KG101"\nmin-severity = "severe"\n', "medium"),
        ("keyguard.toml", "min-severity = 3\n", "min-severity"),
        ("keyguard.toml", "jobs = -1\n", "jobs"),
        ("keyguard.toml", 'per-file-ignores = "tests"\n', "per-file-ignores"),
        ("keyguard.toml", "\xff\xfe", "keyguard.toml"),
        ("pyproject.toml", '[tool.keyguard]\nforce-exclude = "yes"\n', "force-exclude"),
    ],
)
def test_wrong_settings_are_told_and_the_rest_is_checked(tree: Tree, name: str, text: str, hint: str) -> None:
    tree.write(name, text.encode("latin-1"))
    done = tree.check(code=2)
    assert REST in done.places
    assert any(name in message and hint in message for message in messages(done)), messages(done)


def test_a_pyproject_of_somebody_elses_is_not_ours_to_judge(tree: Tree) -> None:
    tree.write("pyproject.toml", "[tool.other\n")
    assert tree.check(code=1).places == [REST]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('{"version": 99, "tool": "keyguard", "findings": []}', "version 99"),
        ("{", "not valid JSON"),
        ("", "not valid JSON"),
        ("<<<<<<< HEAD\n{}\n", "merge conflict"),
        ("[]", "no baseline of keyguard"),
        ('{"version": 1, "findings": [{"path": 3}]}', "entry 1"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_a_baseline_that_cannot_be_used_is_told_with_a_remedy(tree: Tree, text: str, hint: str) -> None:
    tree.write(".keyguard-baseline.json", text.encode())
    done = tree.run("check")
    assert (done.code, done.out) == (2, "")
    assert ".keyguard-baseline.json" in done.err
    assert hint in done.err
    assert "keyguard baseline" in done.err
    assert REST in tree.check("--isolated", code=1).places


# Git in odd states ---------------------------------------------------------------------------------------------------


def test_without_git_installed_folders_are_walked(tree: Tree, tmp_path: Path) -> None:
    tree.write(".gitignore", "ignored.py\n")
    tree.write("ignored.py", LEAK)
    empty = tmp_path / "empty"
    empty.mkdir()
    done = tree.check(environ={"PATH": str(empty)}, code=1)
    assert done.places == [REST]
    staged = tree.check("--staged", environ={"PATH": str(empty)}, code=2)
    assert "git" in staged.err


def test_outside_git_folders_are_walked(tmp_path: Path) -> None:
    plain = Tree(tmp_path / "plain")
    plain.write("rest.py", LEAK)
    plain.write(".gitignore", "ignored.py\n")
    plain.write("ignored.py", LEAK)
    assert plain.check(code=1).places == [REST]


def test_a_bare_repository_has_no_files(tree: Tree, tmp_path: Path) -> None:
    tree.commit()
    subprocess.run(["git", "clone", "-q", "--bare", tree.root, tmp_path / "bare.git"], check=True, env=environment())
    done = Tree(tmp_path / "bare.git").check(code=2)
    assert "without a work tree" in done.err


def test_a_linked_work_tree_is_a_work_tree(tree: Tree, tmp_path: Path) -> None:
    tree.commit()
    tree.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    linked = Tree(tmp_path / "linked")
    assert linked.check(code=1).places == [REST]
    linked.write("a.py", LEAK)
    linked.git("add", "a.py")
    assert linked.check("--staged", code=1).places == [("KG101", "a.py", 3)]


def test_a_work_tree_whose_repository_lies_elsewhere(tmp_path: Path) -> None:
    apart = Tree(tmp_path / "apart")
    apart.git("init", "-q", "--separate-git-dir", str(tmp_path / "store"))
    apart.write("rest.py", LEAK)
    apart.write(".gitignore", "ignored.py\n")
    apart.write("ignored.py", LEAK)
    apart.git("add", "-A")
    assert apart.check(code=1).places == [REST]
    assert apart.check("--staged", code=1).places == [REST]
    (apart.root / ".git").unlink()
    told = {"GIT_DIR": str(tmp_path / "store"), "GIT_WORK_TREE": str(apart.root)}
    assert apart.check(environ=told, code=1).places == [REST]
    assert apart.check("--staged", environ=told, code=1).places == [REST]


def test_a_detached_head_is_no_obstacle(tree: Tree) -> None:
    first = tree.commit()
    tree.write("a.py", LEAK)
    tree.commit()
    tree.git("checkout", "-q", "--detach")
    assert tree.check("--range", f"{first}..HEAD", code=1).places == [("KG101", "a.py", 3)]


def test_submodules_are_read(tree: Tree, tmp_path: Path) -> None:
    inner = Tree(tmp_path / "inner")
    inner.git("init", "-q", "-b", "main")
    inner.write("lib.py", LEAK)
    inner.commit()
    tree.git("submodule", "add", "-q", str(inner.root), "vendor")
    tree.commit()
    assert tree.check(code=1).places == [REST, ("KG101", "vendor/lib.py", 3)]
    assert tree.check("vendor", code=1).places == [("KG101", "vendor/lib.py", 3)]


def test_a_repository_that_is_broken_is_walked(tree: Tree) -> None:
    (tree.root / ".git" / "HEAD").write_text("nonsense\n")
    done = tree.check()
    assert REST in done.places


# The user and the terminal -------------------------------------------------------------------------------------------


@pytest.fixture
def heeds_interrupts() -> Iterator[None]:
    """Start processes as a terminal does: what runs in a shell's background inherits that SIGINT is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def wait_for_work(pid: int) -> None:
    """Wait until a process has computed for half a second: on a busy machine it may not have begun to listen before."""
    stat = Path(f"/proc/{pid}/stat")
    time.sleep(1.2)
    for _ in range(100):
        if not stat.exists() or sum(map(int, stat.read_text().split()[13:15])) >= os.sysconf("SC_CLK_TCK") // 2:
            return
        time.sleep(0.1)


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.usefixtures("heeds_interrupts")
def test_ctrl_c_ends_at_once_without_a_traceback(tree: Tree) -> None:
    """Over a tree large enough for worker processes; the signal goes to the whole group, as a terminal sends it."""
    key = fill("api_key: <anthropic-key>\n")
    for number in range(60):
        tree.write(f"data{number:02}.txt", (key + "a row of words\n" * 400) * 200)
    for jobs in ("1", "2"):  # alone, and with workers
        process = subprocess.Popen(
            [sys.executable, "-m", "keyguard", "check", "--jobs", jobs],
            cwd=tree.root,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        time.sleep(1.2)
        assert process.poll() is None, "the tree is too small for this machine: make it larger"
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (130, b"", b"")


@pytest.mark.parametrize(
    "environ",
    [
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_narrow_console_shows_escapes_and_never_fails(tree: Tree, environ: dict[str, str], lang: str) -> None:
    tree.write("密钥.py", LEAK.replace("client", "客户"))
    done = tree.process("check", "--lang", lang, environ=environ)
    assert (done.code, done.err) == (1, "")
    assert "KG101" in done.out
    assert make("openai/project")[8:20] not in done.out


def test_a_closed_standard_output_is_no_traceback(tree: Tree) -> None:
    tree.write("leak.yaml", "api_key: <openai-key>\n")
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m keyguard check >&-"],
        cwd=tree.root,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_a_pipe_closed_early_is_no_traceback(tree: Tree) -> None:
    for number in range(60):
        tree.write(f"{number:02}.yaml", f"api_key: <openai-key-{number + 1}>\nother: <anthropic-key-{number + 1}>\n")
    for name in ("text", "json", "concise"):
        done = subprocess.run(
            ["bash", "-c", f"{sys.executable} -m keyguard check --output-format {name} | true"],
            cwd=tree.root,
            env=environment(),
            capture_output=True,
            check=False,
        )
        assert done.stderr == b""


def test_python_too_large_to_be_parsed_is_read_as_text(tree: Tree) -> None:
    filler = "".join(f"number_{line} = {line}\n" for line in range(70_000))
    tree.write("generated.py", f"import openai\nopenai.api_key = '<openai-key>'\n{filler}")
    found = [one for one in tree.check().findings if one["path"] == "generated.py"]
    assert [(one["rule"], one["line"]) for one in found] == [("KG002", 1), ("KG101", 2)]
    assert found[0]["message"] == (
        "this Python is too large to be parsed (over 1,200,000 characters), so only its text was checked"
    )
