"""Where modules and requirements lie: links are followed, folders are looked at once, nothing outside counts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from keyguard.python.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project with links in it and around it; its root."""
    root = tmp_path / "project"
    for name in (
        "pkg/__init__.py",
        "pkg/inner/__init__.py",
        "pkg/inner/leaf.py",
        "plain/one.py",
        "src/lib/__init__.py",
    ):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("", encoding="utf-8")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "far.py").write_text("", encoding="utf-8")
    (root / "linked").symlink_to(root / "pkg", target_is_directory=True)
    (root / "chained").symlink_to("linked/inner", target_is_directory=True)
    (root / "away").symlink_to(tmp_path / "outside", target_is_directory=True)
    (root / "alias.py").symlink_to("pkg/inner/leaf.py")
    (root / "loop").symlink_to("loop")
    (tmp_path / "door").symlink_to(root, target_is_directory=True)
    return root


PATHS = (
    "",
    ".",
    "plain/one.py",
    "plain/missing.py",
    "linked/inner/leaf.py",
    "chained/leaf.py",
    "chained/../__init__.py",
    "chained/./leaf.py",
    "plain//one.py",
    "plain/",
    "linked",
    "linked/..",
    "alias.py",
    "away/far.py",
    "../door/alias.py",
    "../door/../outside/far.py",
    "loop",
    "loop/inner.py",
)


@pytest.mark.parametrize("path", PATHS)
def test_links_are_followed_as_the_system_does(tree: Path, path: str) -> None:
    for root in (tree, tree.parent / "door"):
        layout = Layout(root)
        for _ in range(2):  # the second time from what is known
            assert layout.real(path) == os.path.realpath(tree / path)
            assert layout.real(str(root / path)) == os.path.realpath(root / path)


def test_what_is_known_of_one_path_misleads_no_other(tree: Path) -> None:
    layout = Layout(tree)
    assert [layout.real(path) for path in PATHS] == [os.path.realpath(tree / path) for path in PATHS]


@pytest.mark.parametrize(
    ("path", "name", "is_package", "start"),
    [
        ("plain/one.py", "one", False, "plain"),
        ("pkg/inner/leaf.py", "pkg.inner.leaf", False, ""),
        ("pkg/inner/__init__.py", "pkg.inner", True, ""),
        ("chained/leaf.py", "pkg.inner.leaf", False, ""),
        ("alias.py", "pkg.inner.leaf", False, ""),
        ("src/lib/__init__.py", "lib", True, "src"),
        ("new.part.py", "new.part", False, ""),
    ],
)
def test_a_file_is_named_as_an_import_would(tree: Path, path: str, name: str, is_package: bool, start: str) -> None:  # noqa: FBT001  # a row of the table
    assert Layout(tree).module_name(path) == (name, is_package, str(tree / start) if start else str(tree))


def test_a_root_that_is_a_package_ends_the_name(tree: Path) -> None:
    (tree / "__init__.py").write_text("", encoding="utf-8")
    assert Layout(tree).module_name("pkg/inner/leaf.py") == ("pkg.inner.leaf", False, str(tree))


@pytest.mark.parametrize(
    "module", ["missing", "away.far", "pkg.missing", "not-a-name", "pkg..inner", "", "loop", "plain"]
)
def test_what_is_no_module_of_the_project_is_not_found(tree: Path, module: str) -> None:
    assert Layout(tree).find(module, str(tree)) is None


@pytest.mark.parametrize(
    ("module", "start", "file"),
    [
        ("pkg", "", "pkg/__init__.py"),
        ("pkg.inner.leaf", "plain", "pkg/inner/leaf.py"),
        ("one", "plain", "plain/one.py"),
        ("lib", "plain", "src/lib/__init__.py"),
        ("linked.inner.leaf", "", "pkg/inner/leaf.py"),
        ("alias", "", "pkg/inner/leaf.py"),
    ],
)
def test_a_module_is_found_behind_its_links(tree: Path, module: str, start: str, file: str) -> None:
    assert Layout(tree).find(module, str(tree / start)) == str(tree / file)


def test_requirements_are_those_of_the_folders_above(tree: Path) -> None:
    (tree / "requirements.txt").write_text("openai\n", encoding="utf-8")
    (tree / "pkg" / "setup.cfg").write_text("[options]\n", encoding="utf-8")
    (tree.parent / "requirements.txt").write_text("openai\n", encoding="utf-8")
    layout = Layout(tree)
    above, own = str(tree / "requirements.txt"), str(tree / "pkg" / "setup.cfg")
    assert layout.requirements_at("plain/one.py") == (above,)
    assert layout.requirements_at("pkg/inner/leaf.py") == (above, own)
    assert layout.requirements_at("chained/leaf.py") == (above, own)
    assert layout.requirements_at(str(tree.parent / "outside" / "far.py")) == (above,)
    assert layout.requirements_at("plain/one.py") is layout.requirements_at("src/lib/__init__.py")
