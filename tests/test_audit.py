"""`keyguard audit` as a person runs it: what it reads, what it says in every format, what it asks, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from keyguard.report.audit import AUDIT_FORMATS
from tests.history.made import Past
from tests.keys import fill
from tests.runs import Result, Tree, environment
from tests.test_no_leak import assert_hidden
from tests.verify import network as internet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CODE = 'import os\n\nkey = os.environ["OPENAI_API_KEY"]\n'
RELAY = "llm.relay.example"
CLIENT = 'from openai import OpenAI\n\nclient = OpenAI(base_url="https://{host}/v1", api_key="{key}", timeout=60)\n'
# What each planted key is, and where it stands.
HEAD, GONE, SIDE, MESSAGE, TAG, DISK, PART = (f"<openai-key-{number}>" for number in range(1, 8))
LIVE, DEAD = "<relay_poloapi-key>", "<relay_poloapi-key-2>"
OPENAI = (HEAD, GONE, SIDE, MESSAGE, TAG, DISK, PART)


def leak(key: str) -> str:
    """Python that holds a key, on line 3."""
    return f'from openai import OpenAI\n\nclient = OpenAI(api_key="{key}")\n'


class Audited(Tree):
    """A repository that is audited, with a cache of its own that is only used when a test wants it."""

    commits: dict[str, str]

    def audit(self, *argv: str, cache: Path | None = None, code: int | None = None, **environ: str) -> Result:
        """Run `keyguard audit` in this process, for a JSON report unless the test asks for another."""
        form = () if "--output-format" in argv else ("--output-format", "json")
        kept = {"KEYGUARD_CACHE_DIR": str(cache)} if cache else {}
        done = self.run("audit", *form, *([] if cache else ["--no-cache"]), *argv, environ={**kept, **environ})
        assert code is None or done.code == code, done
        return done


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """A work tree with keys at HEAD, in its past, elsewhere in its repository, and on disk only."""
    past = Past()
    past.commit("begin", {"README.md": "# A project\n", ".gitignore": "local.py\n", "sub/deep/ok.py": CODE})
    past.commit("head", {"app.py": leak(HEAD), "part.py": leak(PART)}, author="Zoë <z@example.org>".encode())
    past.commit("gone", {"gone.py": leak(GONE)})
    past.commit("live", {"live.py": CLIENT.format(host=RELAY, key=LIVE)})
    past.commit("taken", {"gone.py": CODE, "live.py": CODE})
    past.commit("message", message=f"Say how\n\nOPENAI_API_KEY={MESSAGE}\n")
    past.commit("side", {"side.py": leak(SIDE)}, on="refs/heads/side", after=["begin"])
    past.commit("dead", {"dead.py": CLIENT.format(host=RELAY, key=DEAD)})
    past.tag("v1", "message", f"One\n\n{TAG}\n")
    root = tmp_path_factory.mktemp("rich") / "shop"
    made = past.write(root, bare=False)
    tree = Audited(root)
    tree.commits = made.commits
    # On disk a file moved on, one is new and one is ignored; a part of the repository has a key in two lines now.
    tree.write("disk.py", leak(DISK))
    tree.write("local.py", leak("<openai-key-99>"))
    tree.write("part.py", "import os\n\n" + leak(PART))
    return tree


@pytest.fixture
def clean(tmp_path: Path) -> Audited:
    """A repository without a leak."""
    past = Past()
    past.commit("begin", {"app.py": CODE})
    past.write(tmp_path / "clean", bare=False)
    return Audited(tmp_path / "clean")


def leaks(done: Result) -> list[dict[str, Any]]:
    """The leaks of a JSON report."""
    found: list[dict[str, Any]] = done.report["leaks"]
    return found


def places(done: Result) -> set[tuple[str, int, bool, bool]]:
    """Path, line, whether HEAD and whether the disk holds it, of each place of a key."""
    return {
        (one["path"], one["line"], one["at_head"], one["on_disk"]) for one in done.findings if one["key"] is not None
    }


# Quiet ---------------------------------------------------------------------------------------------------------------


def test_a_clean_repository_is_clean(clean: Audited) -> None:
    done = clean.audit(code=0)
    assert (done.report["leaks"], done.findings, done.err) == ([], [], "")
    [one] = done.report["repositories"]
    assert (one["name"], one["commits"], one["files"], one["head"], one["complete"]) == ("clean", 1, 1, "main", True)
    assert clean.audit("--output-format", "text").out == (
        "Read clean (main): 1 commit, 1 version of a file (46 B), 1 file checked out.\nFound no leaked key.\n"
    )


def test_a_baseline_accepts_nothing_here(clean: Audited) -> None:
    clean.write("app.py", leak(HEAD))
    assert clean.run("baseline", "create").code == 0
    assert clean.check(code=0).findings == []
    assert len(leaks(clean.audit(code=1))) == 1


@pytest.mark.parametrize("before", [True, False], ids=["before the first commit", "in no repository"])
def test_files_without_a_history(tmp_path: Path, *, before: bool) -> None:
    tree = Audited(tmp_path / "r")
    tree.write("app.py", leak(HEAD))
    if before:
        tree.git("init", "-q", "-b", "main")
        assert places(tree.audit(code=1)) == {("app.py", 3, False, True)}
    assert places(tree.audit("--no-history", code=1)) == {("app.py", 3, False, True)}


# What is found -------------------------------------------------------------------------------------------------------


def test_every_place_of_every_key(rich: Audited) -> None:
    done = rich.audit(code=1)
    message, tag = rich.commits["message"], "v1"
    assert places(done) == {
        ("app.py", 3, True, True),
        ("part.py", 5, True, True),
        ("disk.py", 3, False, True),
        ("dead.py", 3, True, True),
        ("gone.py", 3, False, False),
        ("live.py", 3, False, False),
        ("side.py", 3, False, False),
        (f"commit {message[:12]}", 3, True, False),
        (f"tag {tag}", 3, False, False),
    }
    by_path = {one["path"]: one for one in done.findings if one["key"] is not None}
    gone = by_path["gone.py"]
    assert (gone["commit"], gone["first_seen"]["commit"]) == (rich.commits["gone"],) * 2
    assert (gone["last_seen"]["commit"], gone["refs"]) == (rich.commits["taken"], [])
    assert gone["blob"] == rich.git("rev-parse", f"{rich.commits['gone']}:gone.py")
    assert (by_path["app.py"]["refs"], by_path["side.py"]["refs"]) == (["heads/main", "tags/v1"], ["heads/side"])
    assert by_path["app.py"]["first_seen"]["author"] == "Zoë"
    assert (by_path["disk.py"]["blob"], by_path["disk.py"]["first_seen"]) == (None, None)
    [one] = done.report["repositories"]
    assert (one["commits"], one["files"], one["refs"], one["missing"]) == (8, 9, 3, 0)
    assert done.report["complete"] is True


def test_ranks(rich: Audited) -> None:
    ranks = {one["findings"][0]: one["rank"] for one in leaks(rich.audit())}
    by_print = {one["fingerprint"]: one["path"] for one in rich.audit().findings}
    assert {path: ranks[name] for name, path in by_print.items() if name in ranks} == {
        "app.py": "head",
        "part.py": "head",
        "disk.py": "head",
        "dead.py": "head",
        "gone.py": "history",
        "live.py": "history",
        "side.py": "history",
        f"commit {rich.commits['message'][:12]}": "history",
        "tag v1": "history",
    }


def test_connections_are_listed(rich: Audited) -> None:
    rows = rich.audit().report["connections"]
    hosts = {row["path"]: [peer["host"] for peer in row["hosts"]] for row in rows}
    assert (hosts["dead.py"], hosts["app.py"]) == ([RELAY], ["api.openai.com"])


@pytest.mark.parametrize("given", [".", "sub", "sub/deep"])
def test_a_folder_of_it_stands_for_the_whole_repository(rich: Audited, given: str) -> None:
    assert places(rich.audit(given)) == places(rich.audit())


def test_the_disk_alone(rich: Audited) -> None:
    done = rich.audit("--no-history", code=1)
    assert places(done) == {
        ("app.py", 3, False, True),
        ("part.py", 5, False, True),
        ("disk.py", 3, False, True),
        ("dead.py", 3, False, True),
    }
    assert done.report["repositories"][0]["commits"] == 0


@pytest.mark.parametrize("kind", ["--bare", "--mirror"])
def test_a_clone_without_a_work_tree(rich: Audited, tmp_path: Path, kind: str) -> None:
    rich.git("clone", "-q", kind, ".", str(tmp_path / "shop.git"))
    done = rich.audit(str(tmp_path / "shop.git"), code=1)
    on_disk = {("disk.py", 3, False, True), ("part.py", 5, True, True)}
    expected = {(path, line, at_head, False) for path, line, at_head, _ in places(rich.audit()) - on_disk}
    assert places(done) == expected | {("part.py", 3, True, False)}
    assert done.report["connections"] == []


def test_parts_of_the_history(rich: Audited) -> None:
    def paths(*argv: str) -> set[str]:
        return {one["path"] for one in rich.audit(*argv).findings if one["key"] and not one["on_disk"]}

    message = f"commit {rich.commits['message'][:12]}"
    assert paths("--branch", "side") == {"side.py"}
    assert paths("--branch", "side", "--branch", "v1") == {"side.py", "gone.py", "live.py", message, "tag v1"}
    assert paths("--max-commits", "2") == {"side.py"}
    assert paths("--since", "2024-01-06") == {message, "side.py"}


def test_what_dangles_is_read_when_asked_for(rich: Audited) -> None:
    blob = rich.git("hash-object", "-w", "local.py")
    assert f"blob {blob[:12]}" in {one["path"] for one in rich.audit("--unreachable").findings}
    assert f"blob {blob[:12]}" not in {one["path"] for one in rich.audit().findings}


def test_settings_hold_in_the_past(rich: Audited) -> None:
    assert "gone.py" not in {path for path, *_ in places(rich.audit("--extend-exclude", "gone.py"))}
    assert "gone.py" not in {path for path, *_ in places(rich.audit("--per-file-ignores", "gone.py:KG101"))}
    assert {one["rule"] for one in rich.audit("--select", "KG106").findings} == {"KG106"}


# Reports -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("form", AUDIT_FORMATS)
def test_no_format_holds_a_key(rich: Audited, form: str, lang: str) -> None:
    done = rich.audit("--output-format", form, "--lang", lang, "--verbose", code=1)
    for key in OPENAI:
        assert_hidden(done.out + done.err, fill(key), "openai/project")
    for key in (LIVE, DEAD):
        assert fill(key)[8:] not in done.out + done.err
    assert "gone.py" in done.out
    assert rich.commits["gone"][:7] in done.out


READ: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "sarif": json.loads,
    "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
    "csv": lambda text: list(csv.DictReader(io.StringIO(text))),
}


@pytest.mark.parametrize("form", READ)
def test_machines_can_read_it(rich: Audited, form: str) -> None:
    assert READ[form](rich.audit("--output-format", form).out)


def test_the_text_tells_each_story(rich: Audited) -> None:
    said = rich.audit("--output-format", "text").out
    taken, gone = rich.commits["taken"][:7], rich.commits["gone"][:7]
    assert f"2024-01-03 {gone} A Person in gone.py → 2024-01-05 {taken} removed" in said
    assert "on disk; no commit that was read holds it" in said
    zh = rich.audit("--output-format", "text", "--lang", "zh").out
    assert f"2024-01-03 {gone} A Person" in zh
    assert "在磁盘上" in zh


def test_a_report_goes_to_a_file(rich: Audited, tmp_path: Path) -> None:
    done = rich.audit("--output-file", str(tmp_path / "out.json"), code=1)
    assert done.out == ""
    assert len(json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["leaks"]) == 9


def test_a_process_of_its_own_says_the_same(rich: Audited, tmp_path: Path) -> None:
    environ = {"KEYGUARD_CACHE_DIR": str(tmp_path / "cache"), "SOURCE_DATE_EPOCH": "1767225600"}
    done = rich.process("audit", "--output-format", "json", environ=environ)
    assert (done.code, done.err) == (1, "")
    assert done.out == rich.audit(SOURCE_DATE_EPOCH="1767225600").out


# What is remembered --------------------------------------------------------------------------------------------------


def test_a_second_run_says_the_same_and_notices_what_is_new(tmp_path: Path) -> None:
    past = Past()
    past.commit("begin", {"app.py": leak(HEAD), "gone.py": leak(GONE)})
    past.commit("taken", {"gone.py": CODE})
    past.write(tmp_path / "r", bare=False)
    tree, cache = Audited(tmp_path / "r"), tmp_path / "cache"
    first = tree.audit(cache=cache, code=1)
    assert tree.audit(cache=cache, code=1).report == first.report == tree.audit().report
    for path in cache.rglob("*"):
        for key in (HEAD, GONE):
            assert path.is_dir() or fill(key)[8:40].encode() not in path.read_bytes()
    tree.write("new.py", leak(DISK))
    assert ("new.py", 3, False, True) in places(tree.audit(cache=cache))
    tree.commit("add it")
    assert ("new.py", 3, True, True) in places(tree.audit(cache=cache))
    tree.write("new.py", CODE)
    tree.commit("take it")
    assert ("new.py", 3, False, False) in places(tree.audit(cache=cache))
    assert tree.audit(cache=cache).report == tree.audit().report
    (tree.root / "keyguard.toml").write_text('extend-exclude = ["gone.py"]\n', encoding="utf-8")
    assert "gone.py" not in {path for path, *_ in places(tree.audit(cache=cache))}


# Asking --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[internet.Network]:
    """An internet in which the provider knows two keys and the relay one."""
    with internet.network_for(monkeypatch, tmp_path) as made:
        living = {fill(key) for key in (GONE, MESSAGE, DISK, LIVE)}

        def answer(seen: internet.Seen) -> internet.Answer:
            return (
                internet.LIVE
                if seen.headers.get("authorization", "").removeprefix("Bearer ") in living
                else internet.DEAD
            )

        made.answers = {"api.openai.com": answer, RELAY: answer}
        yield made


def test_nothing_is_sent_unless_it_is_asked_for(rich: Audited, network: internet.Network) -> None:
    done = rich.audit(code=1)
    assert [one["verdict"] for one in leaks(done)] == [None] * 9
    assert network.connected == []


def test_what_providers_say_decides_the_order(rich: Audited, network: internet.Network) -> None:
    """Keys are read again from blobs, messages and files on disk, and go to their own hosts alone."""
    done = rich.audit("--verify", "--yes", code=1)
    asked = {
        (seen.host, seen.headers["authorization"].removeprefix("Bearer "))
        for seen in network.seen
        if "authorization" in seen.headers
    }
    assert asked == {("api.openai.com", fill(key)) for key in OPENAI} | {(RELAY, fill(LIVE)), (RELAY, fill(DEAD))}
    assert {seen.path for seen in network.seen} == {"/v1/models"}
    assert f"to {RELAY}" in done.err
    paths = {one["fingerprint"]: one["path"] for one in done.findings}
    told = [(paths[one["findings"][0]][:8], one["rank"], one["verdict"]["state"]) for one in leaks(done)]
    assert told[0] == ("disk.py", "head", "live")
    assert sorted(told[1:4]) == [(path, "head", "dead") for path in ("app.py", "dead.py", "part.py")]
    assert sorted(told[4:7]) == [
        ("commit " + rich.commits["message"][0], "history", "live"),
        ("gone.py", "history", "live"),
        ("live.py", "history", "live"),
    ]
    assert sorted(told[7:]) == [("side.py", "history", "dead"), ("tag v1", "history", "dead")]
    for key in (*OPENAI, LIVE, DEAD):
        assert fill(key)[8:] not in done.out + done.err


def test_without_a_terminal_it_wants_yes(rich: Audited, network: internet.Network) -> None:
    done = rich.audit("--verify", code=2)
    assert (done.out, network.connected) == ("", [])
    assert done.err.splitlines()[-1] == (
        "keyguard: error: --verify sends keys over the network: answer on a terminal, or give --yes"
    )


@pytest.mark.parametrize(
    ("answer", "sends"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_on_a_terminal_it_asks(  # what the two fixtures and a case are
    rich: Audited,
    network: internet.Network,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    sends: bool,  # noqa: FBT001  # a case
) -> None:
    monkeypatch.setattr("keyguard.cli.run.is_terminal", lambda: True)
    done = rich.run("audit", "--no-cache", "--output-format", "json", "--verify", stdin=answer)
    assert "Send them? [y/N] " in done.err
    assert bool(network.seen) == sends
    assert any(one["verdict"] is not None for one in leaks(done)) == sends


def test_nothing_to_ask_about_asks_nobody(clean: Audited, network: internet.Network) -> None:
    assert leaks(clean.audit("--verify", code=0)) == []
    assert network.connected == []


# How it ends ---------------------------------------------------------------------------------------------------------


def test_wrong_arguments(clean: Audited, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "file").write_text("x", encoding="ascii")
    clean.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    cases = {
        (str(tmp_path / "nowhere"),): "there is no such folder; name a repository's folder",
        (str(tmp_path / "file"),): "there is no such folder; name a repository's folder",
        (str(tmp_path / "none"),): "it is in no git repository; with --no-history its files alone are audited",
        (str(tmp_path / "bare.git"), "--no-history"): "a git repository without a work tree has only its history",
        ("--branch", "nope"): "git cannot read its history (bad revision 'nope')",
        ("--branch=--all",): "git cannot read its history (bad revision '--all')",
        ("--since", "nonsense"): "'nonsense' is no date; write it as 2024-01-31 or '3 months ago'",
        ("--output-format", "gitlab-secrets"): "unknown output format 'gitlab-secrets' for an audit: use one of",
        ("--max-commits", "0"): "--max-commits",
    }
    for argv, said in cases.items():
        done = clean.audit(*argv, code=2)
        assert (done.out, said in done.err) == ("", True), (argv, done.err)


def test_a_repository_of_somebody_else_says_what_to_do(clean: Audited) -> None:
    done = clean.audit(code=2, GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert f"if you trust it: git config --global --add safe.directory {clean.root}" in done.err
    assert places(clean.audit("--no-history", code=0, GIT_TEST_ASSUME_DIFFERENT_OWNER="1")) == set()


def test_a_repository_around_a_broken_one_does_not_stand_in_for_it(tmp_path: Path) -> None:
    outer = Audited(tmp_path / "outer")
    outer.git("init", "-q", "-b", "main")
    outer.write("app.py", leak(HEAD))
    outer.commit()
    inner = outer.root / "inner"
    (inner / ".git").mkdir(parents=True)
    outer.write("inner/b.py", leak(DISK))
    done = outer.audit("inner", code=2)
    assert "git cannot read its history (not a git repository" in done.err
    assert places(outer.audit("inner", "--no-history", code=1)) == {("b.py", 3, False, True)}


def test_findings_may_be_no_error(rich: Audited) -> None:
    assert rich.audit("--exit-zero", code=0).report["leaks"]


def test_missing_objects_are_told(tmp_path: Path) -> None:
    past = Past()
    past.commit("begin", {"app.py": leak(HEAD), "b.py": CODE})
    made = past.write(tmp_path / "r", bare=False)
    tree = Audited(tmp_path / "r")
    name = made.git("rev-parse", "HEAD:b.py")
    (tree.root / ".git" / "objects" / name[:2] / name[2:]).unlink()
    done = tree.audit("--output-format", "text", code=1)
    assert "r: 1 object is not here: fetch it and audit again" in done.out


def test_ctrl_c_leaves_a_partial_report(
    rich: Audited, tmp_path: Path, network: internet.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def stages(**_: object) -> Iterator[Callable[..., None]]:
        def tell(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        yield tell

    with monkeypatch.context() as patched:
        patched.setattr("keyguard.cli.auditing.stages", stages)
        done = rich.audit("--verify", "--yes", cache=tmp_path, code=130)
    assert done.report["complete"] is False
    assert ("disk.py", 3, False, True) in places(done)
    assert network.connected == [], "who pressed Ctrl-C is not asked, nor is anybody else"
    # Nobody would take the part for the whole later.
    assert places(rich.audit(cache=tmp_path, code=1)) == places(rich.audit())


def test_ctrl_c_in_plain_words(rich: Audited, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def stages(**_: object) -> Iterator[Callable[..., None]]:
        def tell(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        yield tell

    monkeypatch.setattr("keyguard.cli.auditing.stages", stages)
    assert "shop: interrupted before its end" in rich.audit("--output-format", "text", code=130).out


def test_ctrl_c_before_anything_was_found_leaves_what_lies_on_disk(
    rich: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("keyguard.history.read", read)
    done = rich.audit(code=130)
    assert places(done) == places(rich.audit("--no-history"))


@pytest.mark.skipif(os.name == "nt", reason="there are no process groups to interrupt")
def test_ctrl_c_reaches_git_through_keyguard_alone(rich: Audited) -> None:
    """A terminal interrupts the whole group: git must not die of it and leave objects that seem to be missing."""
    code = (
        "import os, signal, sys\n"
        "from keyguard.discover import git\n"
        "process = git.start(git.Repository('.'), 'cat-file', '--batch')\n"
        "assert os.getpgid(process.pid) != os.getpgid(0)\n"
        "signal.signal(signal.SIGINT, lambda *_: None)\n"
        "os.killpg(os.getpgid(0), signal.SIGINT)\n"
        "process.stdin.write(b'HEAD\\n'); process.stdin.flush()\n"
        "print(process.stdout.readline().split()[1].decode())\n"
        "git.stop(process)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=rich.root,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert (done.stdout.strip(), done.stderr) == ("commit", "")
