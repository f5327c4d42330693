"""The store's tables as Parquet files: the same rows, with types that tools understand."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from keyguard.errors import UsageError
from keyguard.leaks import Audit, Audited, Sighting
from keyguard.many.parquet import TABLES, export
from keyguard.many.store import Found, open_store, reading, summed_up
from tests.many.test_store import KEY, MOMENT, finding, sighting

if TYPE_CHECKING:
    from collections.abc import Sequence

pq: Any = pytest.importorskip("pyarrow.parquet")


def exported(tmp_path: Path, found: Sequence[Found]) -> dict[str, list[dict[str, Any]]]:
    """The rows of every file."""
    path = str(tmp_path / "audit.sqlite")
    with open_store(path) as store:
        store.begin((one.audited.name, one.audited.path) for one in found)
        for one in found:
            store.put(one)
        store.settle(summed_up)
        store.finish()
    files = export(path, str(tmp_path / "audit.parquet"))
    assert [Path(file).name for file in files] == [f"{table}.parquet" for table in TABLES]
    return {Path(file).stem: pq.read_table(file).to_pylist() for file in files}


def test_an_empty_store_gives_empty_files_with_all_columns(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "audit.sqlite")) as store:
        store.put_audit(Audit(()))
    for file in export(str(tmp_path / "audit.sqlite"), str(tmp_path / "out")):
        schema = pq.read_schema(file)
        with reading(str(tmp_path / "audit.sqlite")) as connection:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({Path(file).stem})")]  # a table's name
        assert schema.names == columns


def test_rows_come_with_their_types(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    found = [
        Found(Audited("app", odd, commits=3), (sighting(), Sighting(finding(None), on_disk=True))),
        Found(Audited("web", "web", error="no repository")),
    ]
    tables = exported(tmp_path, found)
    assert [(row["name"], row["path"], row["commits"], row["is_complete"]) for row in tables["repositories"]] == [
        ("app", "caf\\xe9", 3, True),
        ("web", "web", 0, True),
    ]
    assert [(row["key"], row["at_head"], row["on_disk"], row["line"]) for row in tables["sightings"]] == [
        (KEY, True, False, 3),
        (None, False, True, 3),
    ]
    assert [(row["key"], row["rank"], row["is_new"], row["places"]) for row in tables["leaks"]] == [
        (KEY, "head", None, 1)
    ]
    assert [(row["id"], row["date"], row["author"]) for row in tables["commits"]] == [
        (MOMENT.commit, MOMENT.date, MOMENT.author)
    ]
    assert tables["connections"] == []


def test_many_rows_go_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyguard.many.parquet._AT_ONCE", 7)
    tables = exported(tmp_path, [Found(Audited("app", "app"), (sighting(),) * 50)])
    assert [row["number"] for row in tables["sightings"]] == list(range(50))
    assert pq.ParquetFile(tmp_path / "audit.parquet" / "sightings.parquet").num_row_groups == 8


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_nobody_else_may_read_them_and_nothing_else_is_left(tmp_path: Path) -> None:
    exported(tmp_path, [Found(Audited("app", "app"), (sighting(),))])
    folder = tmp_path / "audit.parquet"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {
        f"{table}.parquet": 0o600 for table in TABLES
    }


def test_what_cannot_be_written_or_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(str(tmp_path / "audit.sqlite")):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file: File exists"):
        export(str(tmp_path / "audit.sqlite"), str(tmp_path / "file"))
    with pytest.raises(UsageError, match="no store of an audit"):
        export(str(tmp_path / "file"), str(tmp_path / "out"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'keyguard\[parquet\]'"):
        export(str(tmp_path / "audit.sqlite"), str(tmp_path / "out"))
