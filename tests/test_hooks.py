"""The hook of `.pre-commit-hooks.yaml`, run by the real pre-commit on real repositories, without any index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.house import ROOT, git, hook_repository, offline, run
from tests.keys import fill

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

# One process builds the hook's environment once, for all tests of this file.
pytestmark = pytest.mark.xdist_group("hooks")

CLEAN = 'import os\n\nfrom openai import OpenAI\n\nclient = OpenAI(api_key=os.environ["OPENAI_API_KEY"])\n'
LEAK = 'from openai import OpenAI\n\nclient = OpenAI(api_key="<openai-key>")\n'


class Repository:
    """A user's repository with keyguard as its hook."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        """Remember where it is."""
        self.folder, self.env = folder, env

    def write(self, name: str, text: str) -> str:
        """Write a file whose placeholders become keys, and give its whole text."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(fill(text), encoding="utf-8")
        return path.read_text(encoding="utf-8")

    def add(self, name: str, text: str) -> str:
        """Write and stage a file."""
        written = self.write(name, text)
        git("add", "--", name, cwd=self.folder, env=self.env)
        return written

    def commit(self) -> subprocess.CompletedProcess[str]:
        """Commit as a user does: the hook decides."""
        return run("git", "commit", "-m", "A change", cwd=self.folder, env=self.env)

    def pre_commit(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run pre-commit by hand."""
        return run("pre-commit", *arguments, cwd=self.folder, env=self.env)

    def committed(self) -> list[str]:
        """The files of the last commit's tree."""
        command = ("-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", "HEAD")
        return git(*command, cwd=self.folder, env=self.env).splitlines()


@pytest.fixture(scope="module")
def hook_config(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    """A `.pre-commit-config.yaml` with this work tree as hook repository, and the environment to run it in."""
    home = tmp_path_factory.mktemp("hooks")
    env = offline(home / "home")
    revision = hook_repository(home / "keyguard", env)
    entry = {"repo": str(home / "keyguard"), "rev": revision, "hooks": [{"id": "keyguard"}]}
    return yaml.safe_dump({"repos": [entry]}), env


@pytest.fixture
def repository(hook_config: tuple[str, dict[str, str]], tmp_path: Path) -> Repository:
    """A repository with one commit and the hook installed."""
    config, env = hook_config
    folder = tmp_path / "a project"
    folder.mkdir()
    git("init", "-q", cwd=folder, env=env)
    repository = Repository(folder, env)
    repository.add(".pre-commit-config.yaml", config)
    git("commit", "-qm", "Start", cwd=folder, env=env)
    installed = repository.pre_commit("install")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    return repository


def blocked(done: subprocess.CompletedProcess[str]) -> str:
    """The output of a run that keyguard's findings stopped (an environment that failed to install is no finding)."""
    output = done.stdout + done.stderr
    assert done.returncode == 1, output
    assert "- hook id: keyguard" in output, output
    assert "- exit code: 1" in output, output
    assert fill("<openai-key>") not in output
    return output


def test_a_clean_commit_goes_through(repository: Repository) -> None:
    repository.add("app.py", CLEAN)
    done = repository.commit()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "app.py" in repository.committed()


def test_a_commit_of_nothing_but_a_binary_file_goes_through(repository: Repository) -> None:
    (repository.folder / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    git("add", "logo.png", cwd=repository.folder, env=repository.env)
    assert repository.commit().returncode == 0


def test_a_leaking_commit_is_blocked_and_names_file_line_and_rule(repository: Repository) -> None:
    repository.add("app.py", LEAK)
    output = blocked(repository.commit())
    assert "app.py" in output
    assert "KG101" in output
    assert "OpenAI" in output
    assert "app.py" not in repository.committed()


def test_an_ignore_comment_lets_the_commit_through(repository: Repository) -> None:
    line = 'client = OpenAI(api_key="<openai-key>")  # keyguard: ignore[KG101] opens nothing\n'
    repository.add("app.py", f"from openai import OpenAI\n\n{line}")
    done = repository.commit()
    assert done.returncode == 0, done.stdout + done.stderr


def test_all_files_finds_what_was_committed_without_the_hook(repository: Repository) -> None:
    repository.add("old/settings.toml", 'api_key = "<openai-key>"\n')
    git("commit", "-qnm", "Past the hook", cwd=repository.folder, env=repository.env)
    repository.add("app.py", CLEAN)
    assert repository.pre_commit("run").returncode == 0
    assert "old/settings.toml" in blocked(repository.pre_commit("run", "--all-files"))


def test_a_leak_that_is_not_staged_does_not_block_and_stays_on_disk(repository: Repository) -> None:
    repository.add("app.py", CLEAN)
    on_disk = repository.write("app.py", CLEAN + "\n" + LEAK)
    done = repository.commit()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (repository.folder / "app.py").read_text(encoding="utf-8") == on_disk


def test_a_staged_leak_blocks_although_the_file_on_disk_is_clean_again(repository: Repository) -> None:
    repository.add("app.py", LEAK)
    repository.write("app.py", CLEAN)
    assert "app.py" in blocked(repository.commit())
    assert (repository.folder / "app.py").read_text(encoding="utf-8") == CLEAN


@pytest.mark.parametrize("name", ["my notes.txt", "配置 文件.py", "-n.py", "données/clé.env"])
def test_any_file_name_is_read(repository: Repository, name: str) -> None:
    repository.add(name, 'OPENAI_API_KEY = "<openai-key>"\n')
    assert name in blocked(repository.commit())


@pytest.mark.parametrize("name", ["my notes.txt", "配置 文件.py"])
def test_any_file_name_is_fine_when_clean(repository: Repository, name: str) -> None:
    repository.add(name, "OPENAI_API_KEY = None\n")
    done = repository.commit()
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_excluded_file_stays_excluded_although_pre_commit_names_it(repository: Repository) -> None:
    repository.add("pyproject.toml", '[tool.keyguard]\nextend-exclude = ["recorded/"]\n')
    repository.add("recorded/answer.py", LEAK)
    done = repository.commit()
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_mistake_in_the_settings_blocks_and_names_the_file(repository: Repository) -> None:
    repository.add("pyproject.toml", '[tool.keyguard]\nextend-excludes = ["recorded/"]\n')
    done = repository.commit()
    assert done.returncode == 1
    assert "- exit code: 2" in done.stdout + done.stderr
    assert "pyproject.toml" in done.stdout + done.stderr
    assert "extend-exclude" in done.stdout + done.stderr


# --- the hook that repairs -------------------------------------------------------------------------------------------

FIXED = CLEAN
SPACED = f"{LEAK}\n# one\n# two\n# three\n# four\n# five\n# six\nmodel = 1\n"


@pytest.fixture
def repairing(repository: Repository) -> Repository:
    """The same repository with `keyguard-fix` in front of `keyguard`."""
    config = yaml.safe_load((repository.folder / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    config["repos"][0]["hooks"] = [{"id": "keyguard-fix"}, {"id": "keyguard"}]
    repository.add(".pre-commit-config.yaml", yaml.safe_dump(config))
    git("commit", "-qnm", "Repair", cwd=repository.folder, env=repository.env)
    return repository


def on_disk(repository: Repository, name: str) -> str:
    """A file of the work tree."""
    return (repository.folder / name).read_text(encoding="utf-8")


def test_a_clean_commit_goes_through_the_repairing_hook(repairing: Repository) -> None:
    repairing.add("app.py", CLEAN)
    done = repairing.commit()
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_leak_is_repaired_the_commit_stops_and_goes_through_once_staged(repairing: Repository) -> None:
    repairing.add("app.py", LEAK)
    done = repairing.commit()
    output = done.stdout + done.stderr
    assert done.returncode == 1
    assert "- hook id: keyguard-fix" in output
    assert "- files were modified by this hook" in output
    assert fill("<openai-key>") not in output
    assert on_disk(repairing, "app.py") == FIXED
    assert fill("<openai-key>") in on_disk(repairing, ".env")
    git("add", "-A", cwd=repairing.folder, env=repairing.env)
    done = repairing.commit()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "app.py" in repairing.committed()
    assert ".env" not in repairing.committed()
    assert ".gitignore" in repairing.committed()


def test_changes_that_are_not_staged_stay_beside_the_repair(repairing: Repository) -> None:
    repairing.add("app.py", SPACED)
    repairing.write("app.py", SPACED.replace("model = 1", "model = 2"))
    assert repairing.commit().returncode == 1
    assert on_disk(repairing, "app.py") == SPACED.replace(LEAK, FIXED).replace("model = 1", "model = 2")


def test_a_repair_that_conflicts_with_what_is_not_staged_loses_neither(repairing: Repository) -> None:
    repairing.add(".gitignore", "*.pyc\n")
    repairing.add("app.py", LEAK)
    later = LEAK.replace(")\n", ", timeout=9)\n")
    written = repairing.write("app.py", later)
    repairing.write(".gitignore", "*.pyc\n*.log\n")
    assert repairing.commit().returncode == 1
    assert on_disk(repairing, "app.py") == written  # pre-commit took the repair back
    assert on_disk(repairing, ".gitignore") == "*.pyc\n*.log\n"
    assert fill("<openai-key>") in on_disk(repairing, ".env")
    assert git("check-ignore", ".env", cwd=repairing.folder, env=repairing.env).strip() == ".env"


def test_every_hook_runs_a_command_that_exists_and_passes_force_exclude() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks] == ["keyguard", "keyguard-fix"]
    for hook, command in zip(hooks, ("check", "fix"), strict=True):
        assert hook["entry"].split()[:2] == ["keyguard", command]
        assert "--force-exclude" in hook["entry"].split()
        assert hook["require_serial"] is True
