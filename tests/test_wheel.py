"""The wheel and the source archive: built offline, installed in a clean environment, run far from the checkout."""

from __future__ import annotations

import os
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from keyguard import __version__
from tests.house import offline, project_copy, run
from tests.keys import fill

# One process builds both archives once.
pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which pip sees the wheelhouse alone."""
    return offline(tmp_path_factory.mktemp("home"))


def make_environment(folder: Path, env: dict[str, str]) -> Path:
    """Make a virtual environment and give its folder of programs."""
    done = run(sys.executable, "-m", "venv", folder, cwd=folder.parent, env=env)
    assert done.returncode == 0, done.stderr
    return folder / ("Scripts" if os.name == "nt" else "bin")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory, env: dict[str, str]) -> tuple[Path, Path]:
    """The wheel, built from the source archive, and the source archive itself."""
    folder = tmp_path_factory.mktemp("build")
    project = project_copy(folder / "project")
    scripts = make_environment(folder / "builder", env)
    for command in (("pip", "install", "--quiet", "hatchling"), ("hatchling", "build", "-t", "sdist", "-d", folder)):
        done = run(scripts / "python", "-m", *command, cwd=project, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
    source = next(folder.glob("keyguard-*.tar.gz"))
    done = run(scripts / "pip", "wheel", "--quiet", "--no-deps", "-w", folder, source, cwd=folder, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("keyguard-*.whl")), source


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, archives: tuple[Path, Path], env: dict[str, str]) -> Path:
    """The programs of an environment that holds the wheel and what it requires, nothing else."""
    scripts = make_environment(tmp_path_factory.mktemp("clean") / "venv", env)
    done = run(scripts / "pip", "install", "--quiet", archives[0], cwd=scripts, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return scripts


def test_the_wheel_holds_the_knowledge_and_no_tests(archives: tuple[Path, Path]) -> None:
    names = zipfile.ZipFile(archives[0]).namelist()
    assert "keyguard/rules/KG101.toml" in names
    assert "keyguard/rules/providers/openai.toml" in names
    for file in ("page.html", "page.css", "page.js"):
        assert f"keyguard/report/html/{file}" in names
    assert {name.split("/")[0] for name in names} == {"keyguard", f"keyguard-{__version__}.dist-info"}


def test_under_rules_there_is_data_only(archives: tuple[Path, Path]) -> None:
    names = zipfile.ZipFile(archives[0]).namelist()
    below = {Path(name).suffix for name in names if name.startswith("keyguard/rules/")}
    assert below <= {".toml", ".md"}


def test_the_source_archive_holds_what_the_tests_and_the_hook_need(archives: tuple[Path, Path]) -> None:
    with tarfile.open(archives[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for name in ("rules/KG101.toml", "tests/keys.py", "LICENSE", "README.md", ".pre-commit-hooks.yaml", "action.yml"):
        assert name in names


def test_the_version_is_the_same_everywhere(installed: Path, tmp_path: Path, env: dict[str, str]) -> None:
    for command in ((installed / "keyguard",), (installed / "python", "-m", "keyguard")):
        done = run(*command, "--version", cwd=tmp_path, env=env)
        assert done.stdout == f"keyguard {__version__}\n", done.stderr


def test_a_clean_file_is_clean(installed: Path, tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "app.py").write_text("print('hello')\n", encoding="utf-8")
    done = run(installed / "keyguard", "check", "app.py", cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_leaking_file_is_found_with_its_rule_and_provider(
    installed: Path, tmp_path: Path, env: dict[str, str]
) -> None:
    text = 'from openai import OpenAI\n\nclient = OpenAI(api_key="<openai-key>")\n'
    (tmp_path / "app.py").write_text(fill(text), encoding="utf-8")
    done = run(installed / "keyguard", "check", "app.py", cwd=tmp_path, env=env)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "KG101" in done.stdout
    assert "OpenAI" in done.stdout
    assert fill("<openai-key>") not in done.stdout + done.stderr


def test_every_rule_explains_itself(installed: Path, tmp_path: Path, env: dict[str, str]) -> None:
    done = run(installed / "keyguard", "explain", "KG106", cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert "KG106" in done.stdout
