"""The generated pages say what the rules say, and every page's links lead somewhere."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from keyguard.catalogue import load
from tools import docs

ROOT = Path(docs.ROOT)
PAGES = sorted((ROOT / "docs").rglob("*.md"))


def test_no_page_is_stale(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs.main(["--check"]) == 0, capsys.readouterr().out


def test_a_stale_a_missing_and_a_left_over_page_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    assert docs.main([], root=tmp_path) == 0
    page = tmp_path / "docs/rules/KG101.md"
    page.write_text(page.read_text(encoding="utf-8") + "\nby hand\n", encoding="utf-8")
    (tmp_path / "docs/providers/README.md").unlink()
    (tmp_path / "docs/zh/rules/KG999.md").write_text("a rule that is gone\n", encoding="utf-8")
    assert docs.main(["--check"], root=tmp_path) == 1
    told = capsys.readouterr().out
    assert "docs/rules/KG101.md: stale" in told
    assert "docs/providers/README.md: stale" in told
    assert "docs/zh/rules/KG999.md: stale" in told
    assert "KG102" not in told


def test_writing_repairs_what_is_stale(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    (tmp_path / "docs/rules").mkdir(parents=True)
    (tmp_path / "docs/rules/KG999.md").write_text("a rule that is gone\n", encoding="utf-8")
    docs.main([], root=tmp_path)
    assert not (tmp_path / "docs/rules/KG999.md").exists()
    assert docs.main(["--check"], root=tmp_path) == 0


def test_the_provider_page_lists_every_provider() -> None:
    text = (ROOT / "docs/providers/README.md").read_text(encoding="utf-8")
    for provider in load().providers.values():
        if provider.curated:
            assert provider.name in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = re.sub(r"(`{3,}).*?\1|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target and not target.startswith("#"):
            assert (page.parent / target.split("#")[0]).exists(), f"{page.name} links to {target}"
