"""Constants from other modules of a project: found, read lazily, never outside of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from keyguard.python.evaluate import Evaluator
from keyguard.python.index import index
from keyguard.python.project import Project
from keyguard.python.values import EnvRead, Text
from tests.python.made import loaded, module

if TYPE_CHECKING:
    from keyguard.python.values import Value


def _write(root: Path, files: dict[str, str]) -> Project:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return Project(root, loaded())


def _asked(project: Project, path: str, text: str) -> Value:
    here = project.at(path)
    found = index(module(text), here.name, is_package=here.is_package)
    evaluator = Evaluator(found, loaded(), here)
    call = next(call for call in found.calls if getattr(call.node.func, "value", None) == "probe")
    return evaluator.value(call.node.args[0].value, call.place)


@pytest.mark.parametrize(
    ("files", "path", "text"),
    [
        ({}, "app.py", "from config import K\nprobe(K)"),
        ({"config.py": "K = ("}, "app.py", "from config import K\nprobe(K)"),
        ({"config.py": "X = 1"}, "app.py", "from config import K\nprobe(K)"),
        ({"config.py": "from app import K"}, "app.py", "from config import K\nprobe(K)"),
        ({"a.py": "from b import K", "b.py": "from a import K"}, "app.py", "from a import K\nprobe(K)"),
        ({"pkg/__init__.py": "", "config.py": "K = 'k'"}, "pkg/app.py", "from ..config import K\nprobe(K)"),
        ({"app.py": "K = 'k'"}, "app.py", "from app import K\nprobe(K)"),
        ({"config.py": "K = 'k'"}, "app.py", "from config import *\nprobe(K)"),
    ],
    ids=["no module", "broken", "no name", "circular", "circular pair", "above the package", "itself", "star"],
)
def test_what_is_not_there_is_not_guessed(tmp_path: Path, files: dict[str, str], path: str, text: str) -> None:
    assert not isinstance(_asked(_write(tmp_path, files), path, text), Text)


@pytest.mark.parametrize(
    ("files", "path", "text"),
    [
        ({"config.py": "K = 'k'"}, "app.py", "from config import K\nprobe(K)"),
        ({"config.py": "K = 'k'"}, "app.py", "import config\nprobe(config.K)"),
        ({"config.py": "K = 'k'"}, "app.py", "import config as c\nprobe(c.K)"),
        ({"config.py": "class C:\n    K = 'k'"}, "app.py", "from config import C\nprobe(C.K)"),
        ({"config.py": "D = {'a': 'k'}"}, "app.py", "from config import D\nprobe(D['a'])"),
        ({"config.py": "from base import K", "base.py": "K = 'k'"}, "app.py", "from config import K\nprobe(K)"),
        ({"p/__init__.py": "", "p/config.py": "K = 'k'"}, "p/app.py", "from .config import K\nprobe(K)"),
        ({"p/__init__.py": "", "p/config.py": "K = 'k'"}, "p/app.py", "from . import config\nprobe(config.K)"),
        ({"p/__init__.py": "", "p/q/__init__.py": "", "p/c.py": "K = 'k'"}, "p/q/a.py", "from ..c import K\nprobe(K)"),
        ({"p/__init__.py": "K = 'k'"}, "app.py", "from p import K\nprobe(K)"),
        ({"src/p/__init__.py": "", "src/p/config.py": "K = 'k'"}, "src/p/app.py", "from p.config import K\nprobe(K)"),
        ({"src/p/config.py": "K = 'k'"}, "tests/test_a.py", "from p.config import K\nprobe(K)"),
        ({"sub/config.py": "K = 'k'"}, "sub/app.py", "from config import K\nprobe(K)"),
    ],
)
def test_a_constant_is_found(tmp_path: Path, files: dict[str, str], path: str, text: str) -> None:
    value = _asked(_write(tmp_path, files), path, text)
    assert isinstance(value, Text)
    assert value.text == "k"
    assert all(piece.leaf is None for piece in value.pieces)


def test_settings_of_another_module_are_followed(tmp_path: Path) -> None:
    files = {
        "config.py": "from pydantic_settings import BaseSettings as B\n"
        "class S(B):\n    openai_api_key: str\nsettings = S()\n"
    }
    value = _asked(_write(tmp_path, files), "app.py", "from config import settings\nprobe(settings.openai_api_key)")
    assert isinstance(value, EnvRead)
    assert value.names == ("OPENAI_API_KEY",)


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("K = 'k'", encoding="utf-8")
    root = tmp_path / "project"
    root.mkdir()
    (root / "config.py").symlink_to(outside)
    assert not isinstance(_asked(Project(root, loaded()), "app.py", "from config import K\nprobe(K)"), Text)


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text("K = 'k'", encoding="utf-8")
    read: list[str] = []

    def reading(file: str) -> bytes:
        read.append(Path(file).name)
        return Path(file).read_bytes()

    project = Project(tmp_path, loaded(), reading)
    _asked(project, "app.py", "from config import K\nprobe('other')")
    assert read == []
    _asked(project, "app.py", "from config import K\nprobe(K)")
    _asked(project, "two.py", "from config import K\nprobe(K)")
    assert read == ["config.py"]
