"""Audits of many real repositories: each gives what an audit of it alone gives, however it is divided."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.cluster import history
from keyguard.audit.ranking import leaks_of
from keyguard.catalogue import load
from keyguard.errors import UsageError
from keyguard.history import Scope
from keyguard.many import reading
from keyguard.many.executors import local, serial
from keyguard.many.reading import Options, engine, grouping
from keyguard.many.repositories import Repo, repositories_of
from keyguard.many.running import Ended, Lost, run
from keyguard.many.store import open_store, read
from keyguard.report.audit import render_audit
from keyguard.report.options import RenderOptions
from tests.keys import fill, make
from tests.runs import Tree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from keyguard.leaks import Audit
    from keyguard.many.executors import Workers

CATALOGUE = load()


@pytest.fixture(scope="module")
def clones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean one, one whose key is gone, one with a key on disk, a mirror that shares a key, and an empty one."""
    folder = tmp_path_factory.mktemp("clones")
    clean = Tree(folder / "clean")
    clean.git("init", "-q", "-b", "main")
    clean.write(
        "app.py", "import os\nfrom openai import OpenAI\n\nclient = OpenAI(api_key=os.environ['OPENAI_API_KEY'])\n"
    )
    clean.commit("clean")
    past = Tree(folder / "past")
    past.git("init", "-q", "-b", "main")
    past.write("settings.py", 'OPENAI_API_KEY = "<openai-key>"\n')
    past.commit("settings")
    past.write("settings.py", "import os\n")
    past.commit("no more")
    disk = Tree(folder / "disk")
    disk.git("init", "-q", "-b", "main")
    disk.write(
        "app.py",
        'from groq import Groq\n\nclient = Groq(api_key="<groq-key>", base_url="https://relay.example.org/v1")\n',
    )
    disk.commit("app")
    disk.write("draft.txt", "key: <anthropic-key>\n")
    mirror = folder / "mirror.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", mirror], check=True)
    stream = b"".join(history(random.Random(1), commits=30, keys=[make("openai")]))  # noqa: S311  # the same each time
    subprocess.run(["git", "-C", mirror, "fast-import", "--quiet"], input=stream, check=True)
    Tree(folder / "empty").git("init", "-q", "-b", "main")
    return folder


def audited(path: Path, repos: Sequence[Repo], options: Options = Options(), workers: Workers | None = None) -> Ended:  # noqa: B008  # frozen
    """Run an audit right here, or with workers."""
    with serial() as here, open_store(str(path)) as store:
        return run(repos, engine(options), workers or here, store, group=grouping(CATALOGUE, options.lang))


def leaks(audit: Audit) -> list[tuple[str, str | None, list[tuple[str, str]]]]:
    """Rank, provider and places of each leak."""
    return [
        (leak.rank, leak.provider, [(one.repository, one.finding.path) for one in leak.sightings])
        for leak in audit.leaks
    ]


def test_the_whole_of_each_repository_is_audited(tmp_path: Path, clones: Path) -> None:
    repos = repositories_of(str(clones))
    assert [repo.name for repo in repos] == ["clean", "disk", "empty", "mirror", "past"]
    assert audited(tmp_path / "audit.sqlite", repos) == Ended(5, 0)
    audit = read(str(tmp_path / "audit.sqlite"))
    assert audit.is_complete
    assert audit.notices == ()
    assert sorted(leaks(audit), key=str) == sorted(
        [
            ("head", "anthropic", [("disk", "draft.txt")]),
            ("head", "groq", [("disk", "app.py")]),
            ("history", "openai", [("mirror", "settings.py"), ("past", "settings.py")]),
        ],
        key=str,
    )
    assert [(one.name, one.head, one.files, one.commits) for one in audit.repositories] == [
        ("clean", "main", 1, 1),
        ("disk", "main", 2, 1),
        ("empty", "main", 0, 0),
        ("mirror", "main", 0, 30),
        ("past", "main", 1, 2),
    ]
    assert [(name, row.path, row.key.kind) for name, row in audit.rows] == [
        ("clean", "app.py", "variable"),
        ("disk", "app.py", "literal"),
    ]
    groq = next(leak for leak in audit.leaks if leak.provider == "groq")
    assert groq.hosts == ("relay.example.org",), "the connections of its file say where the key goes"
    assert [step.kind for step in groq.steps][:2] == ["revoke", "replace"]


def test_the_sums_are_those_of_all_sightings_together(tmp_path: Path, clones: Path) -> None:
    audited(tmp_path / "audit.sqlite", repositories_of(str(clones)))
    audit = read(str(tmp_path / "audit.sqlite"))
    sightings = [one for leak in audit.leaks for one in leak.sightings]
    assert audit.leaks == leaks_of(reversed(sightings), CATALOGUE, "en", audit.rows)


@pytest.mark.parametrize("name", ["clean", "disk", "empty", "mirror.git", "past"])
def test_each_gives_what_an_audit_of_it_alone_gives(tmp_path: Path, clones: Path, name: str) -> None:
    audited(tmp_path / "audit.sqlite", repositories_of(str(clones / name)))
    many = json.loads(render_audit(read(str(tmp_path / "audit.sqlite")), "json", RenderOptions(CATALOGUE)))
    alone = Tree(clones / name).run("audit", "--output-format", "json", "--no-cache", ".").report
    for part in ("leaks", "findings", "connections"):
        assert many[part] == alone[part], part
    for own in (many["repositories"], alone["repositories"]):
        assert own[0].pop("path")
        assert own[0].pop("name")
    assert many["repositories"] == alone["repositories"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_workers_find_the_same_and_no_key_leaves_them(tmp_path: Path, clones: Path, lang: str) -> None:
    repos, options = repositories_of(str(clones)), Options(lang)
    audited(tmp_path / "one.sqlite", repos, options)
    with local(2) as workers:
        audited(tmp_path / "two.sqlite", repos, options, workers)
    assert read(str(tmp_path / "two.sqlite")) == read(str(tmp_path / "one.sqlite"))
    written = (tmp_path / "two.sqlite").read_bytes()
    assert b"settings.py" in written
    for key in map(fill, ("<openai-key>", "<groq-key>", "<anthropic-key>")):
        assert key.encode() not in written


def test_a_divided_repository_gives_what_it_gives_whole(
    tmp_path: Path, clones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repos = repositories_of(str(clones))
    audited(tmp_path / "whole.sqlite", repos)
    monkeypatch.setattr("keyguard.many.reading._UNDIVIDED", 0)
    monkeypatch.setattr("keyguard.many.running._WHOLE", 0)
    monkeypatch.setattr(sys.modules["keyguard.history.sift"], "UNIT", 20_000)
    mirror = next(repo for repo in repos if repo.name == "mirror")
    assert len(reading.plan(mirror, engine(Options()).session())) > 2
    assert audited(tmp_path / "parts.sqlite", repos) == Ended(5, 0)
    assert read(str(tmp_path / "parts.sqlite")) == read(str(tmp_path / "whole.sqlite"))


def test_a_lost_unit_is_missing_and_not_tried_in_the_process_that_assembles(
    clones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyguard.many.reading._UNDIVIDED", 0)
    past = next(repo for repo in repositories_of(str(clones)) if repo.name == "past")
    base = engine(Options()).session()
    (unit,) = reading.plan(past, base)

    def sifted(*_: object) -> None:
        pytest.fail("this ended a process before")

    monkeypatch.setattr(sys.modules["keyguard.history.sift"], "sifted", sifted)
    found = reading.assemble(past, [Lost(unit)], base)
    assert found.sightings == ()
    assert found.audited.missing == len(unit.unpacked()) == 4, "two texts and two commits"


def test_a_second_audit_reads_only_what_changed(tmp_path: Path, clones: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(clones, copy)
    repos, path = repositories_of(str(copy)), tmp_path / "audit.sqlite"
    assert audited(path, repos) == Ended(5, 0)
    assert audited(path, repos) == Ended(5, 5)
    tree = Tree(copy / "clean")
    tree.write("new.txt", "key: <anthropic-key-2>\n")
    assert audited(path, repos) == Ended(5, 4)
    assert ("head", "anthropic", [("clean", "new.txt")]) in leaks(read(str(path)))
    # Other settings are another question.
    assert audited(path, repos, Options(isolated=True)) == Ended(5, 0)


def test_settings_count_as_for_one_repository(tmp_path: Path, clones: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(clones, copy)
    Tree(copy / "disk").write("pyproject.toml", '[tool.keyguard]\nexclude = ["draft.txt"]\n')
    repos = repositories_of(str(copy))

    def of_disk(options: Options) -> list[str]:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.sqlite"
        audited(path, repos, options)
        return sorted(
            one.finding.path for leak in read(str(path)).leaks for one in leak.sightings if one.repository == "disk"
        )

    assert of_disk(Options()) == ["app.py"]
    assert of_disk(Options(isolated=True)) == ["app.py", "draft.txt"]
    assert of_disk(Options(overrides=(("ignore", ["KG101"]),))) == []


def test_a_mistake_in_a_repositorys_settings_is_told_with_it(tmp_path: Path, clones: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(clones, copy)
    Tree(copy / "disk").write("pyproject.toml", '[tool.keyguard]\nmin-severity = "huge"\n')
    audited(tmp_path / "audit.sqlite", repositories_of(str(copy)))
    audit = read(str(tmp_path / "audit.sqlite"))
    assert len(audit.leaks) == 3
    assert [notice.error for notice in audit.notices] == [True]
    assert "min-severity" in audit.notices[0].message


def test_history_alone_and_files_alone(tmp_path: Path, clones: Path) -> None:
    repos = repositories_of(str(clones))
    audited(tmp_path / "files.sqlite", repos, Options(history=False))
    files = read(str(tmp_path / "files.sqlite"))
    assert sorted(leaks(files), key=str) == [
        ("head", "anthropic", [("disk", "draft.txt")]),
        ("head", "groq", [("disk", "app.py")]),
    ]
    audited(tmp_path / "newest.sqlite", repos, Options(scope=Scope(most=1)))
    newest = read(str(tmp_path / "newest.sqlite"))
    assert [one.commits for one in newest.repositories] == [1, 1, 0, 1, 1]


def test_what_is_remembered_need_not_be_read_again(
    tmp_path: Path, clones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYGUARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("keyguard.many.reading._UNDIVIDED", 0)
    past = next(repo for repo in repositories_of(str(clones)) if repo.name == "past")
    base = engine(Options(remembers=True)).session()
    first = reading.assemble(past, [reading.work(unit, base) for unit in reading.plan(past, base)], base)
    assert reading.plan(past, base) == []
    assert reading.assemble(past, [], base) == first
    assert len(reading.plan(past, engine(Options()).session())) == 1


def test_a_repository_git_refuses_is_told(tmp_path: Path, clones: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(clones, copy)
    (copy / "past" / ".git" / "config").write_text("[core]\n\trepositoryformatversion = 99\n")
    audited(tmp_path / "audit.sqlite", repositories_of(str(copy)))
    errors: dict[str, Any] = {one.name: one.error for one in read(str(tmp_path / "audit.sqlite")).repositories}
    assert [name for name, error in errors.items() if error is not None] == ["past"]
    assert "99" in errors["past"]


def test_settings_that_are_wrong_for_all_are_wrong_for_each(tmp_path: Path, clones: Path) -> None:
    audited(tmp_path / "audit.sqlite", repositories_of(str(clones)), Options(config="gone.toml"))
    errors = {one.error for one in read(str(tmp_path / "audit.sqlite")).repositories}
    assert len(errors) == 1
    assert "gone.toml" in str(errors.pop())
    with pytest.raises(UsageError):
        read(str(tmp_path / "gone.sqlite"))
