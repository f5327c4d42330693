"""The command line as a user meets it: exit codes, options, settings, git, baselines and ignores, end to end."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from keyguard import __version__
from keyguard.report import FORMATS
from tests.keys import fill, make
from tests.runs import Tree, environment

if TYPE_CHECKING:
    from pathlib import Path

CLEAN = 'import os\n\nfrom openai import OpenAI\n\nclient = OpenAI(api_key=os.environ["OPENAI_API_KEY"], timeout=60)\n'
LEAK = 'from openai import OpenAI\n\nclient = OpenAI(api_key="<openai-key>", timeout=60)\n'
LOW = '# keyguard: ignore[KG101]\nmodel = "gpt-4o-mini"\n'  # KG003, low


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """An empty git repository."""
    found = Tree(tmp_path / "project")
    found.git("init", "-q", "-b", "main")
    return found


@pytest.fixture
def plain(tmp_path: Path) -> Tree:
    """A folder that no git knows."""
    return Tree(tmp_path / "plain")


# Exit codes and help -----------------------------------------------------------------------------------------------


def test_alone_it_shows_the_help(tree: Tree) -> None:
    done = tree.run()
    assert (done.code, done.err) == (0, "")
    for word in ("check", "baseline", "rules", "explain", "providers", "identify", "init", "--version"):
        assert word in done.out


def test_python_m_keyguard_is_keyguard(tree: Tree) -> None:
    done = tree.process("--version")
    assert (done.code, done.out) == (0, f"keyguard {__version__}\n")


def test_the_program_ends_with_the_exit_code_and_all_it_said(tree: Tree) -> None:
    tree.write("app.py", fill(LEAK))
    done = tree.process("check", "--output-format", "concise")
    assert (done.code, done.out) == (1, tree.run("check", "--output-format", "concise").out)
    assert "app.py:3:25: KG101" in done.out


def test_what_libraries_close_at_the_end_is_closed(tree: Tree) -> None:
    tree.write("app.py", CLEAN)
    code = (
        "import atexit, sys; from keyguard.cli import run; sys.argv[1:] = ['check']; atexit.register(print, 'closed')"
    )
    done = subprocess.run(  # our own Python
        [sys.executable, "-c", f"{code}; run()"],
        cwd=tree.root,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "No leaked keys in 1 file.\nclosed\n")


@pytest.mark.skipif(sys.platform != "linux", reason="a device that takes nothing is Linux's")
def test_a_report_that_cannot_be_written_is_an_error(tree: Tree) -> None:
    tree.write("app.py", CLEAN)
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123  # a device
        done = subprocess.run(  # our own Python
            [sys.executable, "-m", "keyguard", "check"],
            cwd=tree.root,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        2,
        "keyguard: error: what there is to say cannot be written: No space left on device\n",
    )


def test_clean_files_exit_zero(tree: Tree) -> None:
    tree.write("app.py", CLEAN)
    done = tree.run("check")
    assert (done.code, done.out, done.err) == (0, "No leaked keys in 1 file.\n", "")


def test_nothing_to_check_says_so(tree: Tree) -> None:
    assert tree.run("check").out == "There was no file to check.\n"


def test_findings_exit_one(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    assert tree.check(code=1).places == [("KG101", "app.py", 3)]


def test_exit_zero_reports_and_exits_zero(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    assert tree.check("--exit-zero", code=0).places == [("KG101", "app.py", 3)]


def test_a_named_path_that_is_not_there_exits_two_and_the_rest_is_checked(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    done = tree.check("nowhere.py", "app.py", code=2)
    assert done.places == [("KG101", "app.py", 3)]
    assert done.report["notices"][0]["message"] == "nowhere.py: no such file or folder; check the spelling"


def test_a_bug_on_one_file_exits_three_names_it_and_the_rest_is_checked(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write("a.py", LEAK)
    tree.write("bad.py", LEAK)
    tree.write("z.py", LEAK)

    def broken(source: Any, *rest: Any) -> object:  # noqa: ANN401  # what the honest one is given
        if getattr(source, "path", None) == "bad.py":
            msg = "the text being read: " + make("openai/project")
            raise ValueError(msg)
        return honest(source, *rest)

    from keyguard.checks import facts  # noqa: PLC0415  # patched here only

    honest = facts.text_facts
    monkeypatch.setattr(facts, "text_facts", broken)
    done = tree.run("check")
    assert done.code == 3
    assert "bad.py: not checked, a bug in keyguard" in done.out
    assert "ValueError" in done.out
    assert "also in z.py:3:25" in done.out
    assert make("openai/project") not in done.out + done.err


def test_a_bug_elsewhere_exits_three_without_the_errors_own_words(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.write("a.py", LEAK)

    def broken(*_: object, **__: object) -> object:
        raise ValueError(make("openai/project"))

    monkeypatch.setattr("keyguard.report.render", broken)
    done = tree.run("check")
    assert done.code == 3
    assert "this is a bug in keyguard" in done.err
    assert "commands.py" in done.err
    assert make("openai/project") not in done.out + done.err


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (("check", "--slect", "KG101"), "did you mean --select?"),
        (("check", "--output-fromat=json"), "did you mean --output-format?"),
        (("rules", "--langg", "zh"), "did you mean --lang?"),
        (("chekc",), "check"),
        (("check", "--select", "KG999"), "KG999"),
        (("check", "--ignore", "hardcoded-keys"), "hardcoded-key"),
        (("explain", "hardcoded-kye"), "did you mean hardcoded-key?"),
        (("explain", "KG1O1"), "did you mean KG1"),
        (("check", "--output-format", "jsn"), "json"),
        (("check", "--min-severity", "severe"), "medium"),
        (("check", "--jobs", "0"), "--jobs"),
        (("check", "--jobs", "many"), "--jobs"),
        (("check", "--staged", "--range", "a..b"), "exclude one another"),
        (("check", "--config", "nowhere.toml"), "nowhere.toml"),
        (("check", "--baseline", "nowhere.json"), "nowhere.json"),
        (("check", "-", "a.py"), "read alone"),
        (("check", "--per-file-ignores", "a.py"), "per-file-ignores"),
    ],
)
def test_wrong_usage_exits_two_and_says_what_would_be_right(tree: Tree, argv: tuple[str, ...], hint: str) -> None:
    tree.write("a.py", CLEAN)
    done = tree.run(*argv)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("keyguard: error: ")
    assert hint in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("argv", [("identify",), ("check", "--select"), ("explain",), (), ("check", "--lang")])
def test_a_key_pasted_as_an_argument_is_not_printed(tree: Tree, argv: tuple[str, ...]) -> None:
    key = make("openai/project")
    done = tree.run(*argv, key)
    assert done.code == 2
    assert done.out == ""
    assert key[8:20] not in done.err


# What is shown on the first day --------------------------------------------------------------------------------------


def test_the_first_use_tells_rule_place_provider_remedy_and_what_to_type_next(tree: Tree) -> None:
    tree.write("bot/chat.py", LEAK)
    tree.write("deploy/values.yaml", "api_key: <anthropic-key>\n")
    tree.write("README.md", "# Bot\n\nSet `OPENAI_API_KEY`.\n")
    tree.commit()
    done = tree.process("check")
    assert done.code == 1
    lines = done.out.splitlines()
    assert lines[0] == "bot/chat.py:3:25  high  KG101 hardcoded-key"
    assert lines[1] == "  OpenAI key sk-proj-… (132 characters) is written into the code"
    assert lines[2].startswith('  3 │ client = OpenAI(api_key="')
    assert lines[3].strip(" │^") == ""
    assert "OPENAI_API_KEY" in lines[4]
    assert "https://platform.openai.com" in lines[4]
    assert "deploy/values.yaml:1:10  high  KG106 key-in-file" in lines
    assert any("Anthropic" in line for line in lines)
    assert "Found 2 problems (2 high) in 2 of 3 files." in lines
    assert lines[-1] == "Next: keyguard explain KG101"


def test_one_key_in_twenty_files_is_one_group(tree: Tree) -> None:
    for number in range(20):
        tree.write(f"app{number:02}.py", LEAK)
    tree.write("other.py", LEAK.replace("-key>", "-key-2>"))
    done = tree.run("check")
    titles = [line for line in done.out.splitlines() if line.endswith("KG101 hardcoded-key")]
    assert titles == ["app00.py:3:25  high  KG101 hardcoded-key", "other.py:3:25  high  KG101 hardcoded-key"]
    assert "  also in app01.py:3:25" in done.out
    assert "app19.py" not in done.out
    assert "and 14 more places (--verbose lists them)" in done.out
    assert "Found 21 problems (21 high) in 21 of 21 files: 2 different keys." in done.out
    assert "app19.py:3:25" in tree.run("check", "--verbose").out


def test_a_notebook_finding_names_cell_and_part(tree: Tree) -> None:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# A notebook\n"]},
        {
            "cell_type": "code",
            "metadata": {},
            "execution_count": 1,
            "source": ["from openai import OpenAI\n", fill('client = OpenAI(api_key="<openai-key>")')],
            "outputs": [{"output_type": "stream", "name": "stdout", "text": [fill("ok\n<anthropic-key>\n")]}],
        },
    ]
    tree.write("chat.ipynb", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode())
    found = tree.check(code=1).findings
    assert [(one["rule"], one["cell"], one["part"], one["line"], one["column"]) for one in found] == [
        ("KG106", 2, "output", 2, 1),
        ("KG101", 2, "source", 2, 25),
    ] or [(one["rule"], one["cell"], one["part"], one["line"], one["column"]) for one in found] == [
        ("KG101", 2, "source", 2, 25),
        ("KG106", 2, "output", 2, 1),
    ]
    assert "cell 2" in tree.run("check").out


def test_texts_are_chinese_when_asked_for(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    done = tree.run("check", "--lang", "zh")
    assert "写在" in done.out or "密钥" in done.out
    assert "Found" not in done.out
    tree.write("keyguard.toml", 'lang = "zh"\n')
    assert tree.run("check", "app.py").out == done.out
    assert "Found 1 problem" in tree.run("check", "--lang", "en").out


def test_a_pipe_is_english_and_plain_whatever_the_locale(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    done = tree.process("check", environ={"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"})
    assert "Found 1 problem" in done.out
    assert "\x1b" not in done.out


def test_colours_come_when_asked_for_and_no_color_wins_over_a_terminal(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    assert "\x1b[" in tree.run("check", "--color", "always").out
    assert "\x1b" not in tree.run("check", "--color", "never").out
    assert "\x1b" not in tree.run("check", environ={"NO_COLOR": "1"}).out


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_comes_from_the_command_line(tree: Tree, name: str) -> None:
    tree.write("app.py", LEAK)
    done = tree.run("check", "--output-format", name)
    assert (done.code, done.err) == (1, "")
    assert "app.py" in done.out


def test_the_format_can_come_from_the_environment_and_the_option_wins(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    concise = tree.run("check", environ={"KEYGUARD_OUTPUT_FORMAT": "concise"}).out
    assert concise.startswith("app.py:3:25: ")
    assert tree.run("check", "--output-format", "json", environ={"KEYGUARD_OUTPUT_FORMAT": "concise"}).findings
    wrong = tree.run("check", environ={"KEYGUARD_OUTPUT_FORMAT": "consise"})
    assert wrong.code == 2
    assert "KEYGUARD_OUTPUT_FORMAT" in wrong.err
    assert "concise" in wrong.err


def test_the_report_can_go_to_a_file(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    done = tree.run("check", "--output-format", "sarif", "--output-file", "out.sarif")
    assert (done.code, done.out) == (1, "")
    assert json.loads((tree.root / "out.sarif").read_text())["version"] == "2.1.0"
    wrong = tree.run("check", "--output-file", "no/folder/out.txt")
    assert wrong.code == 2
    assert "no/folder/out.txt" in wrong.err


def test_statistics_count_by_rule(tree: Tree) -> None:
    tree.write("a.py", LEAK)
    tree.write("b.py", LEAK)
    tree.write("c.yaml", "api_key: <anthropic-key>\n")
    done = tree.run("check", "--statistics")
    lines = done.out.splitlines()
    assert lines[0].split() == ["2", "KG101", "hardcoded-key"]
    assert lines[1].split() == ["1", "KG106", "key-in-file"]
    assert "a.py:3" not in done.out


def test_quiet_is_findings_only(tree: Tree) -> None:
    tree.write("a.py", LEAK)
    done = tree.run("check", "--quiet")
    assert "KG101" in done.out
    assert "Found" not in done.out
    assert "Next" not in done.out


# Rules and files -----------------------------------------------------------------------------------------------------


def test_a_rule_is_selected_by_id_prefix_or_name_and_ignored_alike(tree: Tree) -> None:
    tree.write("a.py", LEAK)
    tree.write("b.yaml", "api_key: <anthropic-key>\n")
    assert set(tree.check("--select", "KG101").rules) == {"KG101"}
    assert set(tree.check("--select", "key-in-file").rules) == {"KG106"}
    assert set(tree.check("--select", "KG1").rules) == {"KG101", "KG106"}
    assert set(tree.check("--select", "kg101,KG106").rules) == {"KG101", "KG106"}
    assert tree.check("--select", "KG104", code=0).rules == []
    assert set(tree.check("--ignore", "KG101").rules) == {"KG106"}
    assert set(tree.check("--select", "KG101", "--extend-select", "KG106").rules) == {"KG101", "KG106"}
    assert tree.check("--ignore", "KG1", code=0).rules == []


def test_low_findings_are_hidden_counted_and_shown_on_request(tree: Tree) -> None:
    tree.write("a.py", LOW)
    done = tree.run("check")
    assert done.code == 0
    assert "1 ignore hides nothing any more (--extend-select KG003 shows it)." in done.out
    assert tree.check("--min-severity", "low", code=1).places == [("KG003", "a.py", 1)]
    assert tree.check("--extend-select", "KG003", code=1).places == [("KG003", "a.py", 1)]
    tree.write("b.py", LEAK)
    assert tree.check("--min-severity", "high", code=1).rules == ["KG101"]


def test_per_file_ignores_from_the_command_line(tree: Tree) -> None:
    tree.write("tests/test_a.py", LEAK)
    tree.write("a.py", LEAK)
    done = tree.check("--per-file-ignores", "tests/**:KG101", code=1)
    assert done.places == [("KG101", "a.py", 3)]
    assert done.report["summary"]["ignored"] == 1
    both = tree.check("--per-file-ignores", "tests/**:KG1", "--per-file-ignores", "a.py:KG101", code=0)
    assert both.report["summary"]["ignored"] == 2
    assert "ignored: tests/test_a.py:3:25" in tree.run("check", "--show-ignored", "--per-file-ignores", "*.py:KG1").out


def test_excludes_take_from_folders_and_never_from_named_files_unless_forced(tree: Tree) -> None:
    for name in ("a.py", "gen/b.py", "node_modules/c.py"):
        tree.write(name, LEAK)
    assert [path for _, path, _ in tree.check().places] == ["a.py", "gen/b.py"]
    assert [path for _, path, _ in tree.check("--extend-exclude", "gen").places] == ["a.py"]
    assert [path for _, path, _ in tree.check("--exclude", "gen").places] == ["a.py", "node_modules/c.py"]
    assert tree.check("--extend-exclude", "gen", "gen/b.py").places == [("KG101", "gen/b.py", 3)]
    assert tree.check("--extend-exclude", "gen", "--force-exclude", "gen/b.py", code=0).places == []
    assert tree.check("node_modules/c.py").places == [("KG101", "node_modules/c.py", 3)]
    assert tree.check("--force-exclude", "node_modules/c.py", code=0).places == []


def test_show_files_lists_what_would_be_checked(tree: Tree) -> None:
    tree.write("a.py", LEAK)
    tree.write("b.py", CLEAN)
    tree.write("out/c.py", CLEAN)
    tree.write(".gitignore", "out/\n")
    assert tree.run("check", "--show-files").out == ".gitignore\na.py\nb.py\n"
    assert tree.run("check", "--show-files", "b.py", "out").out == "b.py\nout/c.py\n"


def test_show_settings_can_be_read_back(tree: Tree) -> None:
    tree.write("keyguard.toml", 'ignore = ["KG104"]\nmin-severity = "low"\n')
    shown = tree.run("check", "--show-settings")
    assert shown.code == 0
    assert shown.out.splitlines()[0] == "# keyguard.toml"
    assert 'ignore = ["KG104"]' in shown.out
    tree.write("other.toml", shown.out)
    again = tree.run("check", "--show-settings", "--config", "other.toml")
    assert again.out.splitlines()[1:] == shown.out.splitlines()[1:]


def test_config_stands_in_for_every_settings_file_and_isolated_reads_none(tree: Tree) -> None:
    tree.write("a.py", LEAK)
    tree.write("keyguard.toml", 'ignore = ["KG101"]\n')
    tree.write("ci.toml", 'select = ["KG101"]\n')
    assert tree.check(code=0).rules == []
    assert tree.check("--config", "ci.toml", code=1).rules == ["KG101"]
    assert tree.check("--isolated", code=1).rules == ["KG101"]


def test_the_nearest_settings_above_a_file_count(tree: Tree) -> None:
    tree.write("keyguard.toml", 'ignore = ["KG101"]\n')
    tree.write("a.py", LEAK)
    tree.write("web/pyproject.toml", '[tool.keyguard]\nselect = ["ALL"]\n')
    tree.write("web/app/b.py", LEAK)
    tree.write("jobs/pyproject.toml", '[tool.other]\nname = "x"\n')
    tree.write("jobs/c.py", LEAK)
    tree.write("lib/keyguard.toml", 'extend-exclude = ["vendored"]\n')
    tree.write("lib/vendored/d.py", LEAK)
    tree.write("lib/e.py", LEAK)
    assert tree.check(code=1).places == [("KG101", "lib/e.py", 3), ("KG101", "web/app/b.py", 3)]


def test_paths_are_from_the_working_folder(tree: Tree) -> None:
    tree.write("web/app/b.py", LEAK)
    tree.write("a.py", LEAK)
    assert tree.check(cwd=tree.root / "web").places == [("KG101", "app/b.py", 3)]
    outside = tree.check(str(tree.root), cwd=tree.root / "web").findings
    assert {found["path"].rpartition("/")[2] for found in outside} == {"a.py", "b.py"}


def test_standard_input_is_read_under_a_name(tree: Tree) -> None:
    assert tree.check("-", "--stdin-filename", "src/app.py", stdin=LEAK, code=1).places == [("KG101", "src/app.py", 3)]
    assert tree.check("--stdin-filename", "conf.yaml", stdin="key: <anthropic-key>\n", code=1).rules == ["KG106"]
    assert tree.check("-", stdin="<anthropic-key>\n", code=1).places == [("KG106", "stdin", 1)]
    assert tree.check("-", stdin="", code=0).places == []
    forced = ("--force-exclude", "--stdin-filename", "node_modules/x.js")
    assert tree.check(*forced, stdin='key = "<anthropic-key>"\n', code=0).places == []


def test_settings_of_the_name_count_for_standard_input(tree: Tree) -> None:
    tree.write("web/keyguard.toml", 'ignore = ["KG101"]\n')
    assert tree.check("--stdin-filename", "web/a.py", stdin=LEAK, code=0).rules == []


def test_one_process_and_two_print_the_same_bytes(tree: Tree) -> None:
    for number in range(40):
        tree.write(f"pkg{number % 4}/mod{number:02}.py", LEAK if number % 3 else CLEAN)
        tree.write(f"data{number % 4}/table{number:02}.txt", "a row of words and 1,234 numbers\n" * 3_000)
    tree.write("big.txt", ("a row of words\n" * 250_000) + "<anthropic-key>\n")
    tree.write("odd.py", "def broken(:\n    key = '<anthropic-key>'\n")
    assert sum(path.stat().st_size for path in tree.root.rglob("*") if path.is_file()) > 6 << 20
    for name in ("text", "json"):
        one = tree.process("check", "--jobs", "1", "--output-format", name)
        two = tree.process("check", "--jobs", "2", "--output-format", name)
        assert one == two
        assert one.code == 1


# Git -----------------------------------------------------------------------------------------------------------------


def test_staged_reads_the_index_and_not_the_disk(tree: Tree) -> None:
    tree.write("a.py", CLEAN)
    tree.write("b.py", CLEAN)
    tree.commit()
    tree.write("a.py", LEAK)
    tree.git("add", "a.py")
    tree.write("a.py", CLEAN)  # repaired on disk only
    tree.write("b.py", LEAK)  # leaks on disk only
    assert tree.check("--staged", code=1).places == [("KG101", "a.py", 3)]
    assert tree.check(code=1).places == [("KG101", "b.py", 3)]
    tree.git("add", "a.py")
    assert tree.check("--staged", code=0).places == []


def test_staged_knows_a_repository_without_a_commit(tree: Tree) -> None:
    tree.write("a.py", LEAK)
    assert tree.check("--staged", code=0).places == []
    tree.git("add", "a.py")
    assert tree.check("--staged", code=1).places == [("KG101", "a.py", 3)]


def test_a_range_finds_a_key_that_a_later_commit_took_away(tree: Tree) -> None:
    tree.write("a.py", CLEAN)
    first = tree.commit()
    tree.write("a.py", LEAK)
    tree.commit()
    tree.write("a.py", CLEAN)
    last = tree.commit()
    assert tree.check(code=0).places == []
    assert tree.check("--range", f"{first}..{last}", code=1).places == [("KG101", "a.py", 3)]
    assert tree.check("--range", f"{last}..HEAD", code=0).places == []


def test_only_the_lines_a_range_adds_count(tree: Tree) -> None:
    tree.write("a.py", LEAK)
    first = tree.commit()
    tree.write("a.py", "# new first line\n" + LEAK + "\nother = 1\n")
    tree.commit()
    assert tree.check("--range", f"{first}..HEAD", code=0).places == []
    tree.write("a.py", LEAK + 'second = OpenAI(api_key="<openai-key-2>")\n')
    tree.commit()
    assert tree.check("--range", f"{first}..", code=1).places == [("KG101", "a.py", 4)]


def test_a_merge_adds_only_what_none_of_its_parents_has(tree: Tree) -> None:
    tree.write("a.py", LEAK)
    tree.commit()
    tree.git("checkout", "-q", "-b", "side")
    tree.write("b.py", LEAK)
    side = tree.commit()
    tree.git("checkout", "-q", "main")
    tree.write("c.py", CLEAN)
    main = tree.commit()
    tree.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    assert tree.check("--range", f"{side}..HEAD", "--range", f"{side}..HEAD", code=0).places == []
    assert tree.check("--range", f"{main}..HEAD", code=1).places == [("KG101", "b.py", 3)]


def test_a_range_that_is_none_says_what_to_write(tree: Tree) -> None:
    tree.write("a.py", CLEAN)
    tree.commit()
    for wrong, hint in (("HEAD", "A..B"), ("nowhere..HEAD", "fetch-depth: 0")):
        done = tree.check("--range", wrong, code=2)
        assert hint in done.err


@pytest.mark.parametrize("option", [("--staged",), ("--range", "a..b")])
def test_outside_git_the_index_and_ranges_are_refused(plain: Tree, option: tuple[str, ...]) -> None:
    done = plain.check(*option, code=2)
    assert "not in a git work tree" in done.err


# Living with it ------------------------------------------------------------------------------------------------------


def test_an_ignore_comment_hides_its_rule_and_is_counted(tree: Tree) -> None:
    tree.write("a.py", LEAK.rstrip("\n") + "  # keyguard: ignore[KG101] revoked\n")
    done = tree.run("check")
    assert done.code == 0
    assert "Not reported: 1 ignored by a comment or setting (--show-ignored lists them)." in done.out
    shown = tree.run("check", "--show-ignored")
    assert "ignored: a.py:3:25  KG101" in shown.out
    assert shown.code == 0


@pytest.mark.parametrize(
    "mark", ["pragma: allowlist secret", "gitleaks:allow", "nosec", "noqa: KG101", "noqa: S105, KG101"]
)
def test_marks_of_other_tools_are_honoured(tree: Tree, mark: str) -> None:
    tree.write("a.py", LEAK.rstrip("\n") + f"  # {mark}\n")
    assert tree.check(code=0).report["summary"]["ignored"] == 1


def test_a_comment_for_another_rule_hides_nothing_and_is_useless(tree: Tree) -> None:
    tree.write("a.py", LEAK.rstrip("\n") + "  # keyguard: ignore[KG106]\n")
    done = tree.check("--min-severity", "low", code=1)
    assert sorted(done.rules) == ["KG003", "KG101"]


def test_an_ignore_for_the_whole_file(tree: Tree) -> None:
    tree.write("a.py", "# keyguard: ignore-file[KG1] a list of revoked keys\n" + LEAK)
    assert tree.check(code=0).report["summary"]["ignored"] == 1


def test_a_useless_per_file_ignore_is_counted_in_a_whole_run_only(tree: Tree) -> None:
    tree.write("keyguard.toml", '[per-file-ignores]\n"old/**" = ["KG101"]\n')
    tree.write("a.py", CLEAN)
    assert tree.check().report["summary"]["unused_ignores"] == 1
    assert tree.check("a.py").report["summary"]["unused_ignores"] == 0
    shown = tree.check("--extend-select", "KG003", code=1)
    assert shown.places == [("KG003", "keyguard.toml", 1)] or shown.rules == ["KG003"]
    assert "old/**" in shown.findings[0]["message"]


def test_a_baseline_accepts_today_and_reports_tomorrow(tree: Tree) -> None:
    tree.write("a.py", LEAK)
    made = tree.run("baseline", "create")
    assert (made.code, made.out) == (0, "The baseline .keyguard-baseline.json accepts 1 finding.\n")
    assert tree.run("check").code == 0
    assert "1 accepted by the baseline" in tree.run("check").out
    tree.write("a.py", "# two\n# lines\n" + LEAK.replace('OpenAI(api_key="', 'OpenAI(\n    api_key="') + "\n")
    assert tree.check(code=0).report["summary"]["accepted"] == 1
    tree.git("add", "-A")
    tree.git("mv", "a.py", "b.py")
    assert tree.check(code=0).report["summary"]["accepted"] == 1
    tree.write("c.py", LEAK)
    assert tree.check(code=1).places == [("KG101", "c.py", 3)]
    assert tree.check("--isolated", code=1).rules == ["KG101", "KG101"]


def test_a_baseline_that_exists_is_updated_not_created(tree: Tree) -> None:
    tree.write("a.py", LEAK)
    assert tree.run("baseline", "update").code == 2
    assert tree.run("baseline", "create").code == 0
    again = tree.run("baseline", "create")
    assert again.code == 2
    assert "keyguard baseline update" in again.err
    tree.write("b.py", LEAK)
    assert tree.check(code=1).places == [("KG101", "b.py", 3)]
    assert tree.run("baseline", "update").out == "The baseline .keyguard-baseline.json accepts 2 findings.\n"
    assert tree.check(code=0).places == []
    assert "a.py: KG101 " in tree.run("baseline", "show").out


def test_a_baseline_entry_that_met_nothing_is_counted_in_a_whole_run(tree: Tree) -> None:
    tree.write("a.py", LEAK)
    tree.run("baseline", "create")
    tree.write("a.py", CLEAN)
    done = tree.check(code=0)
    assert done.report["summary"]["unused_ignores"] == 1
    shown = tree.check("--extend-select", "KG003", code=1).findings
    assert [(one["rule"], one["path"], one["line"]) for one in shown] == [("KG003", ".keyguard-baseline.json", 5)]
    assert tree.run("baseline", "update").code == 0
    assert tree.check(code=0).report["summary"]["unused_ignores"] == 0


def test_a_baseline_file_can_be_named(tree: Tree) -> None:
    tree.write("a.py", LEAK)
    assert tree.run("baseline", "create", "--baseline", "known.json").code == 0
    assert tree.check(code=1).rules == ["KG101"]
    assert tree.check("--baseline", "known.json", code=0).rules == []


def test_a_baseline_of_detect_secrets_is_honoured(tree: Tree) -> None:
    import hashlib  # noqa: PLC0415  # this test only

    tree.write("a.py", LEAK)
    digest = hashlib.sha1(make("openai/project").encode(), usedforsecurity=False).hexdigest()
    row = {
        "type": "Secret Keyword",
        "filename": "a.py",
        "hashed_secret": digest,
        "is_verified": False,
        "line_number": 3,
    }
    tree.write(".secrets.baseline", json.dumps({"version": "1.5.0", "results": {"a.py": [row]}}).encode())
    assert tree.check(code=0).report["summary"]["accepted"] == 1
    tree.write("b.py", LEAK)
    assert tree.check(code=1).places == [("KG101", "b.py", 3)]


def test_a_path_that_fails_is_told_by_the_baseline_command_too(tree: Tree) -> None:
    tree.write("a.py", LEAK)
    done = tree.run("baseline", "create", "a.py", "nowhere")
    assert done.code == 2
    assert "nowhere: no such file or folder" in done.err


# The other commands --------------------------------------------------------------------------------------------------


def test_rules_explain_and_providers_list_what_there_is(tree: Tree) -> None:
    assert "KG101" in tree.run("rules").out
    assert {rule["rule"] for rule in json.loads(tree.run("rules", "--output-format", "json").out)} >= {"KG001", "KG110"}
    assert "hardcoded-key" in tree.run("explain", "KG101").out
    assert tree.run("explain", "hardcoded-key").out == tree.run("explain", "kg101").out
    assert "OPENAI_API_KEY" in tree.run("providers", "openai").out
    assert "DeepSeek" in tree.run("providers", "deepseek").out


def test_identify_reads_the_key_from_standard_input_or_a_variable(tree: Tree) -> None:
    done = tree.run("identify", stdin="<openai-key>\n")
    assert done.code == 0
    assert "OpenAI" in done.out
    assert make("openai/project")[10:22] not in done.out
    named = tree.run("identify", "--env", "MY_KEY", environ={"MY_KEY": make("anthropic")})
    assert "Anthropic" in named.out
    missing = tree.run("identify", "--env", "MY_KEY")
    assert missing.code == 2
    assert "MY_KEY" in missing.err


def test_init_sets_a_leaking_project_up_and_asks_nothing(tree: Tree) -> None:
    tree.write("a.py", LEAK)
    tree.commit()
    done = tree.run("init", "--yes")
    assert done.code == 0
    assert (tree.root / ".pre-commit-config.yaml").is_file()
    assert (tree.root / ".keyguard-baseline.json").is_file()
    assert tree.check(code=0).report["summary"]["accepted"] == 1
    again = tree.run("init", "--yes", cwd=tree.root)
    assert again.code == 0
    assert "done" not in again.out


def test_interrupting_gives_130(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("keyguard.engine.check_targets", pressed)
    tree.write("a.py", LEAK)
    done = tree.run("check")
    assert (done.code, done.out, done.err) == (130, "", "")


def test_a_reader_that_has_enough_is_no_error(tree: Tree) -> None:
    for number in range(90):
        tree.write(f"{number:02}.yaml", f"api_key: <openai-key-{number + 1}>\nother: <anthropic-key-{number + 1}>\n")
    command = f"{shlex.quote(sys.executable)} -m keyguard check --output-format json | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tree.root, env=environment(), capture_output=True, encoding="utf-8", check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["{", "1"]


def test_a_key_given_as_a_path_is_not_said_back(tree: Tree) -> None:
    key = fill("<openai-key>")
    done = tree.run("check", key)
    assert done.code == 2
    assert key not in done.out + done.err
    assert "sk-proj-… (132 characters): no such file or folder" in done.out + done.err
