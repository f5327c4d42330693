"""`keyguard init`: extends what is there, overwrites nothing, and a second run changes nothing."""

from __future__ import annotations

import io
import os
import re
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from keyguard import __version__, init
from keyguard.errors import UsageError
from keyguard.lang.init import ENTRIES
from keyguard.settings import Settings, SettingsFinder, Vocabulary, show_settings
from tests.house import environment, git, hook_repository, offline, run

if TYPE_CHECKING:
    from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OURS = {"repo": init.REPOSITORY, "rev": f"v{__version__}", "hooks": [{"id": "keyguard"}]}


class Talk:
    """A user who answers every question the same way; what is said is kept."""

    def __init__(self, *, yes: bool = True) -> None:
        """Answer yes or no."""
        self.yes, self.asked, self.said = yes, list[str](), list[str]()

    def __call__(self) -> init.Dialogue:
        """The dialogue init gets."""

        def ask(question: str) -> bool:
            self.asked.append(question)
            return self.yes

        return init.Dialogue(ask, self.said.append)

    @property
    def text(self) -> str:
        """All that was said."""
        return "\n".join(self.said)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository of a user whose settings are those of these tests."""
    for name, value in environment(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    for name in os.environ.keys() - environment(tmp_path / "home").keys():
        monkeypatch.delenv(name)
    folder = tmp_path / "project"
    folder.mkdir()
    git("init", "-q", cwd=folder, env={**os.environ})
    return folder


def start(folder: Path, talk: Talk | None = None, leaks: int = 0) -> Talk:
    """Run init; the project has so many findings."""
    talk = talk or Talk()

    def accept(root: Path) -> None:
        (root / init.BASELINE_FILE).write_text("accepted", encoding="utf-8")

    init.run(folder, talk(), lambda _: leaks, accept)
    return talk


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder and its git hooks."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    kept = (path for path in found if ".git" not in path.parts or path.parent.name == "hooks")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in kept}


def hooks(folder: Path) -> object:
    """What `.pre-commit-config.yaml` says to a YAML reader."""
    return yaml.safe_load((folder / init.HOOK_FILE).read_text(encoding="utf-8"))


# Nothing is overwritten -----------------------------------------------------------------------------------------------


def test_planning_writes_nothing(project: Path) -> None:
    before = files(project)
    assert any(step.to_do for step in init.plan(project))
    assert files(project) == before


def test_who_says_no_to_everything_keeps_everything(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "x"\n', encoding="utf-8")
    before = files(project)
    talk = start(project, Talk(yes=False), leaks=3)
    assert files(project) == before
    assert [question.split(":")[0] for question in talk.asked] == [
        init.HOOK_FILE,
        "pyproject.toml",
        init.IGNORE_FILE,
        init.BASELINE_FILE,
    ]


@pytest.mark.parametrize("leaks", [0, 2])
def test_a_second_run_changes_nothing_and_asks_nothing(project: Path, leaks: int) -> None:
    start(project, leaks=leaks)
    once = files(project)
    again = start(project, leaks=leaks)
    assert files(project) == once
    assert again.asked == []


def test_what_is_already_there_stays_as_it_is(project: Path) -> None:
    texts = {
        init.HOOK_FILE: "repos:\n  - {repo: local, hooks: [{id: keyguard}]}\n",
        "pyproject.toml": "[tool.keyguard]\nignore = []\n",
        init.IGNORE_FILE: ".env*\n!.env.example\n",
        init.BASELINE_FILE: "{}",
    }
    for name, text in texts.items():
        (project / name).write_text(text, encoding="utf-8")
    talk = start(project, leaks=4)
    for name, text in texts.items():
        assert (project / name).read_text(encoding="utf-8") == text
    assert [question.split(":")[0] for question in talk.asked] == ["pre-commit"]


def test_a_file_that_changed_meanwhile_is_left_alone(project: Path) -> None:
    step = init.plan(project)[0]
    (project / init.HOOK_FILE).write_text("repos: []\n", encoding="utf-8")
    with pytest.raises(Exception, match="changed"):
        init.apply(project, step)
    assert (project / init.HOOK_FILE).read_text(encoding="utf-8") == "repos: []\n"


def test_a_link_is_never_followed(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "shared.yaml"
    outside.write_text("repos: []\n", encoding="utf-8")
    (project / init.HOOK_FILE).symlink_to(outside)
    talk = start(project)
    assert outside.read_text(encoding="utf-8") == "repos: []\n"
    assert "it is a link" in talk.text
    assert f"repo: {init.REPOSITORY}" in talk.text


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_a_file_keeps_its_mode(project: Path) -> None:
    ignore = project / init.IGNORE_FILE
    ignore.write_text("dist/\n", encoding="utf-8")
    ignore.chmod(0o640)
    start(project)
    assert ignore.stat().st_mode & 0o777 == 0o640
    assert ignore.read_text(encoding="utf-8") == "dist/\n.env\n.env.*\n!.env.example\n"


# The hook -------------------------------------------------------------------------------------------------------------


def test_without_a_configuration_one_is_made(project: Path) -> None:
    start(project)
    assert hooks(project) == {"repos": [OURS]}


CONFIGURATIONS = {
    "two columns": "repos:\n  - repo: local\n    hooks:\n      - id: a\n",
    "no indentation": "repos:\n- repo: local\n  hooks:\n  - id: a\n",
    "no indentation of hooks only": "repos:\n  - repo: local\n    hooks:\n    - id: a\n",
    "four columns": "repos:\n    -   repo: local\n        hooks:\n        -   id: a\n",
    "no line end": "repos:\n  - repo: local\n    hooks:\n      - id: a",
    "what follows": "repos:\n- repo: local\n  hooks:\n  - id: a\n\n# the bot\nci:\n  skip: [a]\n",
    "what stands before": "# ours\nfail_fast: true\nrepos:  # all\n  - repo: local\n    hooks:\n      - id: a\n",
    "a text like a list": "repos:\n- repo: local\n  hooks:\n  - id: a\n    entry: |\n      # b\n      - c\nci: {}\n",
    "CRLF": "repos:\r\n  - repo: local\r\n    hooks:\r\n      - id: a\r\nfail_fast: true\r\n",
    "CRLF without the last": "repos:\r\n  - repo: local\r\n    hooks:\r\n      - id: a",
    "a document mark": "---\nrepos:\n- repo: local\n  hooks:\n  - id: a\n",
    "an empty list": "repos: []\nfail_fast: true\n",
    "an empty list with a comment": "repos: []  # later\n",
    "nothing in the list": "repos:\nfail_fast: true\n",
    "no list": "fail_fast: true\n",
    "an empty file": "",
    "a comment about us": "repos:\n# - id: keyguard\n- repo: local\n  hooks:\n  - id: keyguard-docs\n",
}


@pytest.mark.parametrize("before", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_the_hook_is_added_last_and_every_line_of_the_user_stays(project: Path, before: str) -> None:
    (project / init.HOOK_FILE).write_bytes(before.encode())
    start(project)
    after = (project / init.HOOK_FILE).read_bytes().decode()
    had = yaml.safe_load(before) or {}
    assert yaml.safe_load(after) == {**had, "repos": [*(had.get("repos") or []), OURS]}
    kept = iter(after.splitlines())
    for line in before.splitlines():
        assert line.replace("repos: []", "repos:") in kept  # in this order
    if "\r\n" in before:
        assert not re.search("(?<!\r)\n", after)
    else:
        assert "\r" not in after


def test_entries_parted_by_empty_lines_stay_so(project: Path) -> None:
    before = "repos:\n  - repo: meta\n    hooks: [{id: identity}]\n\n  - repo: local\n    hooks: [{id: a}]\n"
    (project / init.HOOK_FILE).write_text(before, encoding="utf-8")
    start(project)
    after = (project / init.HOOK_FILE).read_text(encoding="utf-8")
    assert after.startswith(f"{before}\n  - repo: {init.REPOSITORY}\n")


@pytest.mark.parametrize(
    "before",
    [
        "repos: [{repo: local, hooks: [{id: a}]}]\n",
        "repos:\n\t- repo: local\n",
        "repos: &all\n- repo: local\n",
        "repos:\n- repo: local\n...\n---\nrepos:\n- repo: meta\n",
    ],
    ids=["flow style", "tabs", "anchor", "two documents"],
)
def test_a_configuration_we_cannot_extend_is_left_and_the_lines_are_shown(project: Path, before: str) -> None:
    (project / init.HOOK_FILE).write_text(before, encoding="utf-8")
    talk = start(project)
    assert (project / init.HOOK_FILE).read_text(encoding="utf-8") == before
    assert "      - id: keyguard" in talk.text


def test_the_hook_init_wrote_stops_a_leak(project: Path, tmp_path: Path) -> None:
    env = offline(tmp_path / "home")
    tool = tmp_path / "tool"
    hook_repository(tool, env)
    git("tag", f"v{__version__}", cwd=tool, env=env)
    git("config", "--global", f"url.{tool}.insteadOf", init.REPOSITORY, cwd=project, env=env)
    start(project)
    git("add", "-A", cwd=project, env=env)
    clean = run("git", "commit", "-m", "Set keyguard up", cwd=project, env=env)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    from tests.keys import fill  # noqa: PLC0415  # the only test here that needs a key

    (project / "app.py").write_text(fill('key = "<openai-key>"\n'), encoding="utf-8")
    git("add", "-A", cwd=project, env=env)
    leaking = run("git", "commit", "-m", "Leak", cwd=project, env=env)
    assert leaking.returncode == 1
    assert "KG1" in leaking.stdout + leaking.stderr


# The settings ---------------------------------------------------------------------------------------------------------

VOCABULARY = Vocabulary({"KG101": "hardcoded-key"})


def settings_of(folder: Path) -> Settings:
    """The settings in force in a folder."""
    return SettingsFinder(lambda: VOCABULARY, environ={}).for_folder(str(folder))


def test_without_pyproject_keyguard_toml_is_made(project: Path) -> None:
    start(project)
    assert settings_of(project).source is not None
    assert not (project / "pyproject.toml").exists()


@pytest.mark.parametrize(
    "before",
    ['[project]\nname = "x"\n', '[project]\r\nname = "x"\r\n', "[tool.ruff]\nline-length = 100", "", "# only this"],
    ids=["LF", "CRLF", "no line end", "empty", "comment"],
)
def test_pyproject_gets_a_table_behind_what_it_has(project: Path, before: str) -> None:
    (project / "pyproject.toml").write_bytes(before.encode())
    start(project)
    after = (project / "pyproject.toml").read_bytes().decode()
    assert after.startswith(before)
    assert tomllib.loads(after.replace("\r\n", "\n"))["tool"]["keyguard"] == {}
    assert not (project / "keyguard.toml").exists()


def test_a_tool_table_on_one_line_gets_a_file_beside_it(project: Path) -> None:
    (project / "pyproject.toml").write_text("tool = {black = {line-length = 100}}\n", encoding="utf-8")
    start(project)
    assert (project / "keyguard.toml").is_file()
    assert (project / "pyproject.toml").read_text(encoding="utf-8") == "tool = {black = {line-length = 100}}\n"


def test_a_broken_pyproject_is_left_and_named(project: Path) -> None:
    (project / "pyproject.toml").write_text("[project\n", encoding="utf-8")
    talk = start(project)
    assert "pyproject.toml: was left alone (it is not valid TOML)" in talk.text
    assert not (project / "keyguard.toml").exists()


def test_every_setting_written_stands_at_its_default(project: Path) -> None:
    start(project)
    file = project / "keyguard.toml"
    commented = file.read_text(encoding="utf-8")
    before = show_settings(settings_of(project))
    lines = [line.removeprefix("# ") for line in commented.splitlines()[1:]]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert lines[0].startswith("select = ")
    assert show_settings(settings_of(project)) == before


# The ignore lines -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "added"),
    [
        (None, [".env", ".env.*", "!.env.example"]),
        ("dist/\n", [".env", ".env.*", "!.env.example"]),
        ("dist/", [".env", ".env.*", "!.env.example"]),
        (".env\n", [".env.*", "!.env.example"]),
        (".env*\n", ["!.env.example"]),
        (".env*\n!.env.example\n", []),
        ("*.local\n.env\n", ["!.env.example"]),
        ("!.env\n", [".env.*", "!.env.example"]),
    ],
)
def test_only_the_ignore_lines_that_are_missing_are_added(project: Path, before: str | None, added: list[str]) -> None:
    if added and before == "*.local\n.env\n":
        added = []  # `.env.local` is ignored already, and `.env.example` is not
    ignore = project / init.IGNORE_FILE
    if before is not None:
        ignore.write_text(before, encoding="utf-8")
    start(project)
    text = ignore.read_text(encoding="utf-8")
    assert text.splitlines() == [*(before or "").splitlines(), *added]


def test_git_then_ignores_key_files_and_keeps_their_templates(project: Path) -> None:
    (project / ".env.sample").write_text("", encoding="utf-8")
    start(project)
    names = [".env", ".env.local", ".env.example", ".env.sample", "app.py"]
    done = run("git", "check-ignore", "--no-index", *names, cwd=project, env={**os.environ})
    assert done.stdout.split() == [".env", ".env.local"]


def test_a_key_file_that_git_tracks_is_named_with_the_remedy(project: Path) -> None:
    (project / ".env").write_text("DEBUG=1\n", encoding="utf-8")
    git("add", ".env", cwd=project, env={**os.environ})
    assert "git rm --cached .env" in start(project).text


# Baseline and places --------------------------------------------------------------------------------------------------


def test_a_project_that_does_not_leak_gets_no_baseline(project: Path) -> None:
    talk = start(project)
    assert not (project / init.BASELINE_FILE).exists()
    assert "nothing leaks" in talk.text


def test_a_leaking_project_is_offered_a_baseline_and_told_to_renew_the_keys(project: Path) -> None:
    talk = start(project, leaks=2)
    assert any(question.startswith(f"{init.BASELINE_FILE}: accept the 2 findings") for question in talk.asked)
    assert (project / init.BASELINE_FILE).read_text(encoding="utf-8") == "accepted"
    assert "renew these keys" in talk.text


def test_the_project_is_checked_with_the_settings_just_written(project: Path) -> None:
    seen = []

    def count(root: Path) -> int:
        seen.append((root / "keyguard.toml").exists())
        return 0

    init.run(project, Talk()(), count, lambda _: None)
    assert seen == [True]


def test_in_a_subfolder_the_repository_is_set_up(project: Path) -> None:
    below = project / "src" / "app"
    below.mkdir(parents=True)
    start(below)
    assert (project / init.HOOK_FILE).is_file()
    assert list(below.iterdir()) == []


def test_outside_git_everything_but_the_git_hook_is_done(project: Path) -> None:
    folder = project.parent / "no git"
    folder.mkdir()
    talk = start(folder)
    assert {init.HOOK_FILE, "keyguard.toml", init.IGNORE_FILE} == set(files(folder))
    assert "no git repository" in talk.text


def test_the_git_hook_is_installed_and_one_of_the_users_own_still_runs(project: Path) -> None:
    own = project / ".git" / "hooks" / "pre-commit"
    own.parent.mkdir(exist_ok=True)
    own.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    start(project)
    assert "File generated by pre-commit" in own.read_text(encoding="utf-8")
    assert own.with_name("pre-commit.legacy").read_text(encoding="utf-8") == "#!/bin/sh\nexit 0\n"


def test_a_hooks_path_of_the_users_own_is_a_failure_that_is_told_and_the_rest_is_done(project: Path) -> None:
    git("config", "core.hooksPath", "/dev/null/hooks", cwd=project, env={**os.environ})
    with pytest.raises(UsageError, match="the other steps are done"):
        start(project)
    assert (project / init.HOOK_FILE).is_file()


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        start(tmp_path / "nowhere")


# Asking ---------------------------------------------------------------------------------------------------------------


def test_without_a_terminal_yes_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(UsageError, match="keyguard init --yes"):
        init.dialogue(yes=False)


def test_yes_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert init.dialogue(yes=True).ask("?")


@pytest.mark.parametrize(("answer", "agreed"), [("", True), ("Y", True), ("n", False), ("what", False), (None, False)])
def test_enter_means_yes_and_the_end_of_input_means_no(
    monkeypatch: pytest.MonkeyPatch,
    answer: str | None,
    agreed: bool,  # noqa: FBT001  # a parameter of the cases above
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("" if answer is None else f"{answer}\n"))
    assert init.dialogue(yes=False).ask("? ") is agreed


def test_both_languages_say_the_same_things() -> None:
    assert set(ENTRIES["en"]) == set(ENTRIES["zh"])
    for name, entry in ENTRIES["en"].items():
        english = entry if isinstance(entry, str) else entry[1]
        chinese = ENTRIES["zh"][name]
        assert isinstance(chinese, str)
        assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", chinese)), name
