"""Fixtures of the doctor's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.doctor.made import IGNORED, Patient
from tests.runs import Tree

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    """A git repository that ignores env files."""
    tree = Tree(tmp_path / "project")
    tree.git("init", "-q", "-b", "main")
    tree.write(".gitignore", IGNORED)
    return Patient(tree)
