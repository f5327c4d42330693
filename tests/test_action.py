"""The shell steps of action.yml and of the GitLab job, run in bash as the runners would."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from keyguard import __version__
from tests.house import ROOT, environment, git, offline, project_copy, run
from tests.keys import fill

if TYPE_CHECKING:
    import subprocess

BASH = shutil.which("bash") or ""
pytestmark = [
    pytest.mark.skipif(not BASH, reason="the steps are written for bash"),
    pytest.mark.xdist_group("hooks"),
]

LEAK = 'from openai import OpenAI\n\nclient = OpenAI(api_key="<openai-key>")\n'
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: dict[str, dict[str, Any]] = {step["id"]: step for step in ACTION["runs"]["steps"] if "id" in step}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checked-out repository with one leaking and one clean file."""
    folder = tmp_path / "checkout"
    (folder / "my app").mkdir(parents=True)
    env = environment(tmp_path / "home")
    (folder / "my app" / "leak.py").write_text(fill(LEAK), encoding="utf-8")
    (folder / "clean.py").write_text("print('hello')\n", encoding="utf-8")
    git("init", "-q", cwd=folder, env=env)
    git("add", "-A", cwd=folder, env=env)
    git("commit", "-qm", "Start", cwd=folder, env=env)
    return folder


def step_environment(step: str, contexts: dict[str, str], inputs: dict[str, str]) -> dict[str, str]:
    """A step's `env` with its expressions filled in, as the runner does it."""
    values = {f"inputs.{name}": str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
    values |= {f"inputs.{name}": value for name, value in inputs.items()} | contexts
    return {name: values[text.removeprefix("${{ ").removesuffix(" }}")] for name, text in STEPS[step]["env"].items()}


class Runner:
    """The folders and files a runner gives to a step."""

    def __init__(self, folder: Path, repository: Path) -> None:
        """Make them; keyguard is found where these tests run it."""
        self.temp, self.repository = folder / "runner temp", repository
        self.temp.mkdir()
        self.output, self.summary = self.temp / "output", self.temp / "summary"

    def check(self, **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run the `check` step with these inputs (`_` for `-` in their names)."""
        named = {name.replace("_", "-"): value for name, value in inputs.items()}
        scripts = str(Path(sys.executable).parent)
        env = step_environment("check", {"steps.install.outputs.scripts": scripts}, named)
        return self.script(STEPS["check"]["run"], environment(self.temp / "home", **env))

    def script(self, text: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a step's text as `shell: bash` does."""
        file = self.temp / "step.sh"
        file.write_text(text, encoding="utf-8")
        for out in (self.output, self.summary):
            out.write_text("", encoding="utf-8")
        runner = {
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }
        flags = ("--noprofile", "--norc", "-e", "-o", "pipefail")
        return run(BASH, *flags, file, cwd=self.repository, env=env | runner)

    def outputs(self) -> dict[str, str]:
        """What the step wrote for later steps."""
        return dict(line.split("=", 1) for line in self.output.read_text(encoding="utf-8").splitlines())


@pytest.fixture
def runner(tmp_path: Path, repository: Path) -> Runner:
    """A runner in the checked-out repository."""
    return Runner(tmp_path, repository)


def test_a_clean_path_passes(runner: Runner) -> None:
    done = runner.check(paths="clean.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert runner.outputs()["exit-code"] == "0"


def test_a_leak_annotates_its_line_and_fails_the_step(runner: Runner) -> None:
    done = runner.check()
    assert done.returncode == 1, done.stdout + done.stderr
    assert any(line.startswith("::error ") and "leak.py" in line for line in done.stdout.splitlines()), done.stdout
    assert runner.outputs()["exit-code"] == "1"


def test_no_output_of_a_step_holds_the_key(runner: Runner) -> None:
    done = runner.check(upload_sarif="true")
    key = fill("<openai-key>")
    written = "".join(path.read_text(encoding="utf-8") for path in runner.temp.iterdir() if path.is_file())
    assert key not in done.stdout + done.stderr + written


def test_the_summary_page_names_the_finding(runner: Runner) -> None:
    runner.check()
    assert "KG101" in runner.summary.read_text(encoding="utf-8")


def test_no_summary_is_written_when_it_is_turned_off(runner: Runner) -> None:
    runner.check(summary="false")
    assert runner.summary.read_text(encoding="utf-8") == ""


def test_sarif_is_written_for_the_upload_although_the_step_fails(runner: Runner) -> None:
    done = runner.check(upload_sarif="true")
    assert done.returncode == 1
    report = json.loads(Path(runner.outputs()["sarif-file"]).read_text(encoding="utf-8"))
    assert [result["ruleId"] for result in report["runs"][0]["results"]] == ["KG101"]


def test_paths_stand_one_a_line_and_may_hold_spaces(runner: Runner) -> None:
    assert runner.check(paths="clean.py\nmy app/leak.py\n").returncode == 1
    assert runner.check(paths="clean.py\n\n").returncode == 0


def test_args_reach_the_command(runner: Runner) -> None:
    done = runner.check(args="--ignore KG1,KG3\n  --min-severity=low")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["paths", "args", "range", "format"])
@pytest.mark.parametrize(
    "attack", ["$(touch hit)", "`touch hit`", '"; touch hit; "', "x && touch hit", "';touch$IFS'hit"]
)
def test_an_input_never_becomes_a_command(runner: Runner, name: str, attack: str) -> None:
    runner.check(**{name: attack})
    assert not (runner.repository / "hit").exists()


@pytest.mark.parametrize("name", ["paths", "range"])
def test_an_input_that_looks_like_an_option_is_none(runner: Runner, name: str) -> None:
    done = runner.check(**{name: "--exit-zero"})
    assert done.returncode == 2, done.stdout + done.stderr


def test_a_range_finds_what_a_commit_added_and_a_later_one_took_away(runner: Runner) -> None:
    env = environment(runner.temp / "home")
    git("rm", "-qr", "my app", cwd=runner.repository, env=env)
    git("commit", "-qm", "Base", cwd=runner.repository, env=env)
    (runner.repository / "late.py").write_text(fill(LEAK), encoding="utf-8")
    git("add", "-A", cwd=runner.repository, env=env)
    git("commit", "-qm", "Leak", cwd=runner.repository, env=env)
    git("rm", "-q", "late.py", cwd=runner.repository, env=env)
    git("commit", "-qm", "Unleak", cwd=runner.repository, env=env)
    done = runner.check(range="HEAD~2..HEAD")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "late.py" in done.stdout


def test_no_step_puts_an_expression_into_its_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", ""), step["name"]


def test_every_output_and_every_step_it_reads_exists() -> None:
    for output in ACTION["outputs"].values():
        step = output["value"].split(".")[1]
        assert step in STEPS


@pytest.mark.parametrize("version", ["0.1.0; touch hit", "$(touch hit)", "-r evil.txt", "https://example.org/x.whl"])
def test_a_version_that_is_none_is_refused(runner: Runner, version: str) -> None:
    done = install(runner, environment(runner.temp / "home"), version=version)
    assert done.returncode == 2
    assert "version number" in done.stdout
    assert not (runner.repository / "hit").exists()


def test_installing_takes_the_code_of_the_action_itself(runner: Runner, tmp_path: Path) -> None:
    action = project_copy(tmp_path / "the action")
    done = install(runner, offline(runner.temp / "home"), action=action)
    assert done.returncode == 0, done.stdout + done.stderr
    scripts = Path(runner.outputs()["scripts"])
    env = environment(runner.temp / "home")
    version = run(scripts / "keyguard", "--version", cwd=runner.repository, env=env)
    assert version.stdout.startswith("keyguard "), version.stderr
    found = run(scripts / "keyguard", "check", ".", cwd=runner.repository, env=env)
    assert found.returncode == 1, found.stdout + found.stderr
    assert "KG101" in found.stdout


def install(
    runner: Runner, env: dict[str, str], *, version: str = "", action: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run the `install` step."""
    contexts = {"github.action_path": str(action)}
    inputs = {"version": version, "python": sys.executable}
    return runner.script(STEPS["install"]["run"], env | step_environment("install", contexts, inputs))


# GitLab --------------------------------------------------------------------------------------------------------------

GITLAB: dict[str, Any] = yaml.safe_load((ROOT / "docs/ci/gitlab.yml").read_text(encoding="utf-8"))["keyguard"]


def test_the_gitlab_job_passes_on_a_clean_project(runner: Runner) -> None:
    (runner.repository / "my app" / "leak.py").write_text("print('hello')\n", encoding="utf-8")
    done = runner.script("\n".join(GITLAB["script"]), environment(runner.temp / "home"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_gitlab_job_fails_on_a_leak_and_leaves_the_reports_it_promises(runner: Runner) -> None:
    done = runner.script("\n".join(GITLAB["script"]), environment(runner.temp / "home"))
    assert done.returncode == 1, done.stdout + done.stderr
    names = GITLAB["artifacts"]["reports"]
    reports = {kind: json.loads((runner.repository / name).read_text(encoding="utf-8")) for kind, name in names.items()}
    assert [one["location"]["path"] for one in reports["codequality"]] == ["my app/leak.py"]
    assert [one["location"]["file"] for one in reports["secret_detection"]["vulnerabilities"]] == ["my app/leak.py"]
    key = fill("<openai-key>")
    assert all(key not in json.dumps(report) for report in reports.values())
    assert key not in done.stdout + done.stderr


def test_the_gitlab_job_installs_the_version_it_stands_beside() -> None:
    assert any(line.endswith(f'@v{__version__}"') for line in GITLAB["before_script"])
