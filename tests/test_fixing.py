"""`keyguard fix` as a user meets it: what it writes, what it leaves alone, what it says, and how it ends."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest
from dotenv import dotenv_values

from tests.keys import fill
from tests.runs import Tree

if TYPE_CHECKING:
    from pathlib import Path

CLEAN = 'import os\n\nfrom openai import OpenAI\n\nclient = OpenAI(api_key=os.environ["OPENAI_API_KEY"], timeout=60)\n'
LEAK = 'from openai import OpenAI\n\nclient = OpenAI(api_key="<openai-key>", timeout=60)\n'
USELESS = "import os\n\nprint(os.sep)  # keyguard: ignore[KG104] no more\n"
PLAIN = "import os\n\nprint(os.sep)\n"
SLOW = 'import requests\n\nfrom openai import OpenAI\n\nrequests.get("https://api.openai.com/v1/models")\n'


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """An empty git repository."""
    found = Tree(tmp_path / "project")
    found.git("init", "-q", "-b", "main")
    return found


def text(tree: Tree, name: str) -> str:
    """A file as it is now."""
    return (tree.root / name).read_text(encoding="utf-8")


# --- what is left alone ----------------------------------------------------------------------------------------------


def test_clean_files_stay_and_exit_zero(tree: Tree) -> None:
    tree.write("app.py", CLEAN)
    before = (tree.root / "app.py").stat()
    done = tree.run("fix")
    assert (done.code, done.out, done.err) == (0, "No leaked keys in 1 file.\n", "")
    assert (tree.root / "app.py").stat().st_mtime_ns == before.st_mtime_ns
    assert sorted(path.name for path in tree.root.iterdir()) == [".git", "app.py"]


def test_a_check_writes_nothing_and_offers_the_fix(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    done = tree.run("check")
    assert text(tree, "app.py") == fill(LEAK)
    assert "1 can be fixed: keyguard fix\n" in done.out
    assert not (tree.root / ".env").exists()


def test_diff_writes_nothing_and_shows_no_key(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    done = tree.run("fix", "--diff")
    assert text(tree, "app.py") == fill(LEAK)
    assert not (tree.root / ".env").exists()
    assert done.code == 1
    assert '-client = OpenAI(api_key="…", timeout=60)\n' in done.out
    assert '+client = OpenAI(api_key=os.environ["OPENAI_API_KEY"], timeout=60)\n' in done.out
    assert "+import os\n" in done.out
    assert done.err == "Would fix 1 problem. Keys are masked here: this is to read, not to apply.\n"


def test_diff_of_clean_files_exits_zero(tree: Tree) -> None:
    tree.write("app.py", CLEAN)
    done = tree.run("fix", "--diff")
    assert (done.code, done.out, done.err) == (0, "", "Would fix 0 problems.\n")


def test_what_a_comment_ignores_is_not_fixed(tree: Tree) -> None:
    ignored = LEAK.replace("timeout=60)", "timeout=60)  # keyguard: ignore[KG101] a dead key")
    tree.write("app.py", ignored)
    assert tree.run("fix").code == 0
    assert text(tree, "app.py") == fill(ignored)


def test_what_the_baseline_accepts_is_not_fixed(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    tree.run("baseline", "create")
    assert tree.run("fix").code == 0
    assert text(tree, "app.py") == fill(LEAK)


def test_only_the_rules_that_are_selected_are_fixed(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    tree.write("other.py", USELESS)
    assert tree.run("fix", "--select", "KG003,KG104").code == 1
    assert (text(tree, "app.py"), text(tree, "other.py")) == (fill(LEAK), PLAIN)


def test_unsafe_fixes_are_held_back_and_counted(tree: Tree) -> None:
    tree.write("app.py", SLOW)
    done = tree.run("fix", "--select", "KG301")
    assert text(tree, "app.py") == SLOW
    assert done.code == 1
    assert "1 fix held back, since it may change what the program does: use --unsafe-fixes.\n" in done.out


@pytest.mark.parametrize("options", [("--staged",), ("--range", "HEAD..HEAD"), ("--stdin-filename", "a.py"), ("-",)])
def test_what_is_no_file_is_not_fixed(tree: Tree, options: tuple[str, ...]) -> None:
    tree.commit()
    done = tree.run("check", "--fix", *options)
    assert done.code == 2
    assert "they do not go with --staged, --range or standard input" in done.err


# --- what is written -------------------------------------------------------------------------------------------------


def test_a_key_moves_to_the_env_file_and_the_code_reads_it(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    done = tree.run("fix")
    assert text(tree, "app.py") == CLEAN
    assert dotenv_values(tree.root / ".env") == {"OPENAI_API_KEY": fill("<openai-key>")}
    assert stat.S_IMODE((tree.root / ".env").stat().st_mode) == 0o600
    assert tree.git("check-ignore", ".env") == ".env"
    assert text(tree, ".gitignore") == ".env\n"
    assert text(tree, ".env.example") == "OPENAI_API_KEY=\n"
    assert done.code == 1
    assert tree.run("fix").code == 0


def test_unsafe_fixes_are_made_when_they_are_asked_for(tree: Tree) -> None:
    tree.write("app.py", SLOW)
    assert tree.run("fix", "--select", "KG301", "--unsafe-fixes").code == 1
    assert 'requests.get("https://api.openai.com/v1/models", timeout=120)' in text(tree, "app.py")


def test_unsafe_fixes_can_be_asked_for_in_the_settings(tree: Tree) -> None:
    tree.write("keyguard.toml", "unsafe-fixes = true\nmodel-timeout = 77\n")
    tree.write("app.py", SLOW)
    tree.run("fix", "--select", "KG301")
    assert 'requests.get("https://api.openai.com/v1/models", timeout=77)' in text(tree, "app.py")


def test_check_with_fix_is_fix(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    assert tree.run("check", "--fix").code == 1
    assert text(tree, "app.py") == CLEAN


def test_fix_only_reports_nothing_that_is_left(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    tree.write("run.sh", "export OPENAI_API_KEY=<openai-key>\n")
    done = tree.run("fix", "--fix-only")
    assert "KG106" not in done.out
    assert done.code == 1
    assert tree.run("fix", "--fix-only").code == 0


def test_files_that_cannot_be_written_are_told_and_others_are_fixed(tree: Tree) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everything")
    tree.write("app.py", LEAK).chmod(0o444)
    tree.write("other.py", LEAK)
    done = tree.run("fix")
    assert done.code == 2
    assert "app.py: not fixed, Permission denied" in done.out + done.err
    assert text(tree, "other.py") == CLEAN
    assert text(tree, "app.py") == fill(LEAK)


def test_a_store_that_is_tracked_takes_no_key_and_the_code_stays(tree: Tree) -> None:
    tree.write(".env", "DEBUG=1\n")
    tree.commit()
    tree.write("app.py", LEAK)
    tree.write("other.py", USELESS)
    done = tree.run("fix", "--extend-select", "KG003")
    assert done.code == 2
    assert "git rm --cached -- .env" in done.out + done.err
    assert text(tree, "app.py") == fill(LEAK)
    assert text(tree, ".env") == "DEBUG=1\n"
    assert text(tree, "other.py") == PLAIN  # what needs no store is fixed all the same


def test_a_name_that_holds_another_key_is_not_taken(tree: Tree) -> None:
    tree.write(".gitignore", ".env\n")
    tree.write(".env", "OPENAI_API_KEY=<openai-key-2>\n")
    tree.write("app.py", LEAK)
    tree.run("fix")
    assert dotenv_values(tree.root / ".env") == {
        "OPENAI_API_KEY": fill("<openai-key-2>"),
        "OPENAI_API_KEY_2": fill("<openai-key>"),
    }
    assert 'os.environ["OPENAI_API_KEY_2"]' in text(tree, "app.py")


def test_one_key_in_many_files_has_one_name_and_two_have_two(tree: Tree) -> None:
    for name in ("a.py", "b.py", "pkg/c.py"):
        tree.write(name, LEAK)
    tree.write("d.py", LEAK.replace("<openai-key>", "<openai-key-2>"))
    tree.run("fix")
    for name in ("a.py", "b.py", "pkg/c.py"):
        assert text(tree, name) == CLEAN
    assert text(tree, "d.py") == CLEAN.replace("OPENAI_API_KEY", "OPENAI_API_KEY_2")
    assert list(dotenv_values(tree.root / ".env")) == ["OPENAI_API_KEY", "OPENAI_API_KEY_2"]


# --- loading ---------------------------------------------------------------------------------------------------------

ENTRY = LEAK + '\n\ndef main():\n    print(client.models.list())\n\n\nif __name__ == "__main__":\n    main()\n'
LOADED = """import os

from dotenv import load_dotenv
from openai import OpenAI

load_dotenv()

client = OpenAI(api_key=os.environ["OPENAI_API_KEY"], timeout=60)
"""


def test_an_entry_point_loads_the_env_file_where_dotenv_is_a_dependency(tree: Tree) -> None:
    tree.write("requirements.txt", "openai\npython-dotenv==1.0.1\n")
    tree.write("app.py", ENTRY)
    done = tree.run("fix", "--select", "KG1")
    assert text(tree, "app.py") == LOADED + ENTRY.removeprefix(LEAK)
    assert "is not set here yet" not in done.out
    assert tree.run("fix", "--select", "KG1").code == 0


SETTINGS = 'OPENAI_API_KEY = "<openai-key>"\n'
MAIN = """import sys

from settings import OPENAI_API_KEY
from openai import OpenAI

if __name__ == "__main__":
    print(OpenAI(api_key=OPENAI_API_KEY, timeout=9), OpenAI(api_key="<openai-key-2>", timeout=9), sys.argv)
"""


def test_the_env_file_is_loaded_before_a_module_of_the_project_reads_it(tree: Tree) -> None:
    tree.write("pyproject.toml", '[project]\nname = "x"\ndependencies = ["openai", "python-dotenv>=1.0"]\n')
    tree.write("settings.py", SETTINGS)
    tree.write("main.py", MAIN)
    done = tree.run("fix", "--select", "KG1")
    lines = text(tree, "main.py").splitlines()
    assert lines.index("load_dotenv()") < lines.index("from settings import OPENAI_API_KEY")
    assert text(tree, "settings.py") == 'import os\n\nOPENAI_API_KEY = os.environ["OPENAI_API_KEY_2"]\n'
    assert "is not set here yet" not in done.out
    assert tree.run("fix", "--select", "KG1").code == 0


@pytest.mark.parametrize("name", ["pkg/__init__.py", "tests/test_app.py", "conftest.py"])
def test_what_nobody_runs_loads_nothing(tree: Tree, name: str) -> None:
    tree.write("requirements.txt", "python-dotenv\n")
    tree.write(name, ENTRY)
    tree.run("fix", "--select", "KG1")
    assert "load_dotenv" not in text(tree, name)


def test_a_module_that_others_import_relies_on_them(tree: Tree) -> None:
    tree.write("requirements.txt", "openai\npython-dotenv==1.0.1\n")
    tree.write("app.py", LEAK)
    tree.run("fix", "--select", "KG1")
    assert text(tree, "app.py") == CLEAN


def test_a_project_without_dotenv_gets_none(tree: Tree) -> None:
    tree.write("app.py", ENTRY)
    done = tree.run("fix", "--select", "KG1")
    assert text(tree, "app.py") == CLEAN + ENTRY.removeprefix(LEAK)
    assert "is not set here yet" in done.out


def test_a_program_that_loads_already_is_left_so(tree: Tree) -> None:
    before = "import os\n\nfrom dotenv import load_dotenv\nfrom openai import OpenAI\n\nload_dotenv()\n"
    tree.write("requirements.txt", "python-dotenv\n")
    tree.write("app.py", before + 'OpenAI(api_key="<openai-key>", timeout=9).models.list()\n')
    tree.run("fix", "--select", "KG1")
    assert text(tree, "app.py") == before + 'OpenAI(api_key=os.environ["OPENAI_API_KEY"], timeout=9).models.list()\n'


@pytest.mark.parametrize(("setting", "loads"), [("true", True), ("false", False)])
def test_loading_is_as_the_settings_say(tree: Tree, setting: str, *, loads: bool) -> None:
    tree.write("keyguard.toml", f"load-dotenv = {setting}\n")
    tree.write("requirements.txt", "" if loads else "python-dotenv\n")
    tree.write("app.py", ENTRY)
    tree.run("fix", "--select", "KG1")
    assert ("load_dotenv()" in text(tree, "app.py")) is loads


def test_a_store_that_is_no_env_file_is_not_loaded(tree: Tree) -> None:
    tree.write("requirements.txt", "python-dotenv\n")
    tree.write("app.py", ENTRY)
    tree.run("fix", "--select", "KG1", "--key-store", "none")
    assert text(tree, "app.py") == CLEAN + ENTRY.removeprefix(LEAK)
    assert not (tree.root / ".env").exists()


# --- what is said ----------------------------------------------------------------------------------------------------


def test_the_first_line_says_what_is_not_set_and_how_to_load_it(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    done = tree.run("fix", environ={"SHELL": "/bin/bash"})
    lines = done.out.splitlines()
    assert lines[0] == "OPENAI_API_KEY is not set here yet. Load it with: set -a; . ./.env; set +a"
    assert "Moved 1 key to .env:" in lines
    assert "  OPENAI_API_KEY  app.py:3:25" in lines
    assert "Whoever has read the code has the key: revoke it and put the new one in its place." in lines
    assert "  OPENAI_API_KEY  https://platform.openai.com/api-keys" in lines
    assert lines[-2:] == ["Fixed 1 problem.", "No leaked keys in 1 file."]


@pytest.mark.parametrize(
    ("shell", "command"),
    [("/usr/bin/zsh", "set -a; . ./.env; set +a"), ("/usr/bin/fish", "exec bash -c 'set -a; . ./.env; exec fish'")],
)
def test_the_command_is_the_one_of_the_shell(tree: Tree, shell: str, command: str) -> None:
    tree.write("app.py", LEAK)
    assert command in tree.run("fix", environ={"SHELL": shell}).out.splitlines()[0]


def test_a_variable_that_is_set_needs_no_loading(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    done = tree.run("fix", environ={"OPENAI_API_KEY": "something"})
    assert "is not set here yet" not in done.out


def test_ways_that_the_project_has_no_use_for_are_not_shown(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    assert "docker" not in tree.run("fix").out


def test_ways_that_the_project_has_use_for_are_shown(tree: Tree) -> None:
    tree.write("Dockerfile", "FROM python:3.12\n")
    tree.write(".github/workflows/ci.yml", "on: push\n")
    tree.write("app.py", LEAK)
    done = tree.run("fix").out
    assert "docker run --env-file ./.env …" in done
    assert "gh secret set -f ./.env" in done


@pytest.mark.parametrize(
    ("ignored", "told"),
    [(None, True), ("*.pyc\n", True), (".env\n", False), ("*\n!app.py\n", False), ("**/.env*\n", False)],
)
def test_an_image_that_would_take_the_keys_along_is_told(tree: Tree, ignored: str | None, *, told: bool) -> None:
    tree.write("Dockerfile", "FROM python:3.12\nCOPY . .\n")
    if ignored is not None:
        tree.write(".dockerignore", ignored)
    tree.write("app.py", LEAK)
    assert ("Put .env into .dockerignore too" in tree.run("fix").out) is told


def test_verbose_shows_every_way(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    done = tree.run("fix", "--verbose").out
    for way in ("bash", "zsh", "fish", "powershell", "cmd", "dotenv", "docker", "compose", "github"):
        assert f"\n  {way} " in done


def test_a_key_that_is_committed_is_told(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    tree.commit()
    told = "The last commit still holds OPENAI_API_KEY, and so does everyone who has fetched it.\n"
    assert tree.run("fix").out.count(told) == 1


def test_it_speaks_chinese(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    done = tree.run("fix", "--lang", "zh")
    assert done.out.splitlines()[0] == "OPENAI_API_KEY 尚未在此处设置。用以下命令载入：set -a; . ./.env; set +a"  # noqa: RUF001  # Chinese


def test_show_fixes_lists_them(tree: Tree) -> None:
    tree.write("other.py", USELESS)
    done = tree.run("fix", "--select", "KG003,KG104", "--show-fixes")
    assert "fixed: other.py:3:18 KG003: remove the comment that hides nothing\nFixed 1 problem.\n" in done.out


def test_a_machine_format_stays_whole_and_counts_what_was_fixed(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    done = tree.run("fix", "--output-format", "json")
    report = json.loads(done.out)
    assert report["summary"]["fixed"] == 1
    assert report["findings"] == []
    assert "Moved 1 key to .env:" in done.err


def test_json_carries_the_edits(tree: Tree) -> None:
    tree.write("app.py", LEAK)
    [found] = tree.check(code=1).findings
    fixed = fill(LEAK)
    for edit in sorted(found["fix"]["edits"], key=lambda edit: -edit["start"]):
        fixed = fixed[: edit["start"]] + edit["text"] + fixed[edit["end"] :]
    assert fixed == CLEAN
    assert found["fix"]["safety"] == "safe"


@pytest.mark.parametrize("options", [(), ("--diff",), ("--verbose",), ("--show-fixes",), ("--output-format", "sarif")])
def test_no_key_is_ever_printed(tree: Tree, options: tuple[str, ...]) -> None:
    tree.write("app.py", LEAK)
    tree.write("pieces.py", 'KEY = "<anthropic-key|head>" + "<anthropic-key|tail>"\n')
    done = tree.run("fix", *options)
    said = done.out + done.err
    for key in ("<openai-key>", "<anthropic-key>"):
        assert fill(key) not in said
        assert fill(key)[12:] not in said
        assert fill(f"{key[:-1]}|tail>") not in said
