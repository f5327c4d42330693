"""The baseline: what it accepts, what is new all the same, and what its file holds."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import os
import pickle
import random
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from keyguard.baseline import OWN_FILE, SECRETS_FILE, Baseline, Entry, SecretsBaseline, load, read, target
from keyguard.errors import UsageError
from keyguard.fingerprint import ENOUGH_BITS, context_before, entropy_bits, fingerprint, key_id, normalise
from keyguard.model import Confidence, FileReport, Finding, Severity, Span
from keyguard.settings import Settings

KEY = "sk-" + "".join(random.Random(7).choices(string.ascii_letters + string.digits, k=48))  # noqa: S311  # a dummy
OTHER = "sk-" + "".join(random.Random(8).choices(string.ascii_letters + string.digits, k=48))  # noqa: S311  # a dummy
FINGERPRINT = fingerprint("KG101", secret=KEY)


def finding(path: str = "app.py", line: int = 1, print_: str = FINGERPRINT, rule: str = "KG101") -> Finding:
    return Finding(
        rule=rule,
        path=path,
        span=Span(line * 10, line * 10 + 5),
        line=line,
        column=1,
        end_line=line,
        end_column=6,
        message="a key",
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        fingerprint=print_,
        key=key_id(KEY),
    )


def report(path: str, *lines: int, print_: str = FINGERPRINT) -> FileReport:
    return FileReport(path, tuple(finding(path, line, print_) for line in lines))


def of(*findings: Finding) -> Baseline:
    return Baseline(os.path.abspath(OWN_FILE)).updated(findings)  # noqa: PTH100  # as the module has it


def left(baseline: Baseline, *reports: FileReport, gone: tuple[str, ...] = ()) -> list[tuple[str, int]]:
    """Give path and line of what is still reported."""
    folder = Path(baseline.file).parent
    match = baseline.match(reports, lambda path: Path(path).relative_to(folder).as_posix() not in gone)
    return [(found.path, found.line) for file in match.files for found in file.findings]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# What is new all the same.


def test_an_empty_baseline_accepts_nothing() -> None:
    assert left(Baseline(os.path.abspath(OWN_FILE)), report("app.py", 1)) == [("app.py", 1)]  # noqa: PTH100


def test_the_same_key_in_a_new_file_is_new() -> None:
    assert left(of(finding()), report("app.py", 1), report("b.py", 1)) == [("b.py", 1)]


def test_the_same_key_in_a_new_file_is_new_though_the_old_place_is_clean() -> None:
    assert left(of(finding()), report("b.py", 1)) == [("b.py", 1)]


def test_one_more_of_the_same_key_in_the_same_file_is_new() -> None:
    assert left(of(finding()), report("app.py", 1, 9)) == [("app.py", 9)]


def test_another_key_in_the_same_place_is_new() -> None:
    other = fingerprint("KG101", secret=OTHER)
    assert left(of(finding()), report("app.py", 1, print_=other)) == [("app.py", 1)]


def test_another_rule_on_the_same_key_is_new() -> None:
    other = fingerprint("KG104", secret=KEY)
    assert left(of(finding()), report("app.py", 1, print_=other)) == [("app.py", 1)]


def test_a_renamed_file_and_a_copy_are_one_too_many() -> None:
    assert left(of(finding("old.py")), report("a/new.py", 1), report("b/new.py", 1), gone=("old.py",)) == [
        ("b/new.py", 1)
    ]


# What is accepted.


def test_what_was_recorded_is_accepted_wherever_it_moved_in_its_file() -> None:
    assert left(of(finding(line=1), finding(line=5)), report("app.py", 80, 90)) == []


def test_a_renamed_file_keeps_what_was_accepted() -> None:
    assert left(of(finding("old.py")), report("new.py", 3), gone=("old.py",)) == []


def test_a_moved_file_comes_before_a_stranger() -> None:
    reports = report("a/other.py", 1), report("z/app.py", 1)
    assert left(of(finding("app.py")), *reports, gone=("app.py",)) == [("a/other.py", 1)]


def test_versions_of_one_file_are_each_accepted() -> None:
    assert left(of(finding()), report("app.py", 1), report("app.py", 2), report("app.py", 2, 3)) == [("app.py", 3)]


def test_paths_count_from_the_baselines_folder(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    baseline = of(finding("pkg/app.py"))
    (project / "pkg").mkdir()
    monkeypatch.chdir(project / "pkg")
    assert left(baseline, report("app.py", 1)) == []
    assert left(baseline, report(str(project / "pkg" / "app.py"), 1)) == []


def test_what_is_accepted_is_listed_as_such_in_order() -> None:
    early = finding(line=1)._replace(fingerprint="0" * 64)
    file = FileReport("app.py", (finding(line=5),), accepted=(finding(line=9), early))
    (after,) = of(finding()).match([file]).files
    assert [found.line for found in after.accepted] == [1, 5, 9]


def test_entries_that_met_nothing_are_given_with_how_often() -> None:
    baseline = of(finding(line=1), finding(line=2), finding("b.py"), finding("c.py"))
    match = baseline.match([report("app.py", 1), report("b.py", 1)], lambda _: True)
    assert [(entry.path, spare) for entry, spare in match.unused] == [("app.py", 1), ("c.py", 1)]


# The file.


def test_create_write_and_read_give_the_same(project: Path) -> None:
    baseline = of(finding("pkg/ä 中.py", 3), finding("b.py"), finding("b.py"))
    baseline.write()
    after = read(OWN_FILE)
    assert isinstance(after, Baseline)
    assert [dataclasses.replace(entry, line=0) for entry in after.entries] == list(baseline.entries)
    assert sorted(path.name for path in project.iterdir()) == [OWN_FILE]


def test_the_file_is_one_line_an_entry_and_holds_no_key() -> None:
    baseline = of(finding("b.py"), finding("a.py"), finding("a.py", 2))
    text = baseline.to_json()
    assert KEY not in text
    rows = [line.strip().rstrip(",") for line in text.splitlines() if "fingerprint" in line]
    assert [(json.loads(row)["path"], json.loads(row)["count"]) for row in rows] == [("a.py", 2), ("b.py", 1)]
    assert json.loads(text)["version"] == 1


def test_writing_keeps_the_mode_of_the_file(project: Path) -> None:
    of(finding()).write()
    (project / OWN_FILE).chmod(0o600)
    of(finding(), finding("b.py")).write()
    assert (project / OWN_FILE).stat().st_mode & 0o777 == 0o600


def test_writing_where_that_is_not_possible_is_an_error_of_the_user(project: Path) -> None:
    baseline = Baseline(str(project / "nowhere" / OWN_FILE))
    with pytest.raises(UsageError, match=r"nowhere/\.keyguard-baseline\.json: the baseline cannot be written"):
        baseline.write()


def test_update_keeps_reasons_drops_the_vanished_and_adds_the_new() -> None:
    old = of(finding("kept.py"), finding("gone.py"), finding("renamed.py", print_="1" * 64))
    old = dataclasses.replace(old, entries=tuple(dataclasses.replace(e, reason=f"why {e.path}") for e in old.entries))
    new = old.updated(
        [finding("kept.py", 9), finding("added.py"), finding("moved.py", print_="1" * 64)],
        exists=lambda path: not path.endswith("renamed.py"),
    )
    assert [(entry.path, entry.reason) for entry in new.entries] == [
        ("added.py", None),
        ("kept.py", "why kept.py"),
        ("moved.py", "why renamed.py"),
    ]


def test_update_of_a_part_leaves_the_rest_alone() -> None:
    old = of(finding("pkg/a.py"), finding("other.py"), finding("deleted.py"))
    new = old.updated(
        [], covers=lambda path: path.startswith("pkg/"), exists=lambda path: not path.endswith("deleted.py")
    )
    assert [entry.path for entry in new.entries] == ["other.py"]


def test_entries_know_their_line() -> None:
    of(finding("a.py"), finding("b.py"), finding("b.py", print_="1" * 64)).write()
    after = read(OWN_FILE)
    assert isinstance(after, Baseline)
    lines = Path(OWN_FILE).read_text(encoding="utf-8").splitlines()
    for entry in after.entries:
        assert entry.path in lines[entry.line - 1]
        assert entry.fingerprint in lines[entry.line - 1]


def test_show_says_what_is_accepted_and_why() -> None:
    baseline = of(finding("a.py"), finding("a.py"))
    baseline = dataclasses.replace(baseline, entries=(dataclasses.replace(baseline.entries[0], reason="revoked"),))
    first, last = baseline.to_text().splitlines()
    assert first == f"a.py: KG101 (2 times) {FINGERPRINT[:12]}  # revoked"
    assert last == f"{OWN_FILE}: 2 accepted in 1 file"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the baseline is not valid JSON (line 1)"),
        (
            '{\n<<<<<<< HEAD\n"version": 1',
            "the baseline is not valid JSON (line 2); repair it (a merge conflict?), or delete it",
        ),
        ("[" * 100_000, "the baseline is not valid JSON"),
        ("[]", "this is no baseline of keyguard or detect-secrets"),
        ('{"version": 1}', "this is no baseline"),
        (
            '{"version": 2, "findings": []}',
            "the baseline is of version 2, this keyguard reads 1; update keyguard, or delete it",
        ),
        ('{"version": "x", "findings": []}', "the baseline is of version another"),
        ('{"version": 1, "findings": [1]}', "entry 1 of the baseline is broken; take it out"),
        (
            '{"version": 1, "findings": [{"path": "a", "rule": "KG101", "fingerprint": "0"}]}',
            "entry 1 of the baseline is broken",
        ),
        (
            '{"version": 1, "findings": [{"path": "a", "rule": "KG101", "fingerprint": 3}]}',
            "entry 1 of the baseline is broken",
        ),
        (
            json.dumps(
                {"version": 1, "findings": [{"path": "a", "rule": "KG101", "fingerprint": "0" * 64, "count": 0}]}
            ),
            "entry 1 of the baseline: count must be a whole number from 1",
        ),
        ('{"results": {"a": [{}]}}', "this baseline of detect-secrets is broken; run `detect-secrets scan"),
        ('{"results": {"a": 1}}', "this baseline of detect-secrets is broken"),
    ],
)
def test_a_file_that_is_no_baseline_of_this_version_says_what_to_do(project: Path, text: str, expected: str) -> None:
    (project / OWN_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read(OWN_FILE)
    assert str(caught.value).startswith(f"{OWN_FILE}: {expected}")


def test_bytes_that_are_no_text_are_no_baseline(project: Path) -> None:
    (project / OWN_FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="the baseline is not valid JSON"):
        read(OWN_FILE)


def test_a_baseline_that_is_named_but_absent_is_an_error(project: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.json: there is no such baseline; run `keyguard baseline create`"):
        load(Settings(root=str(project), baseline=str(project / "nowhere.json")))


def test_the_baseline_at_the_root_is_used_when_present(project: Path) -> None:
    settings = Settings(root=str(project))
    assert load(settings) == (None, None)
    of(finding()).write()
    own, _ = load(settings)
    assert own is not None
    assert own.entries[0].path == "app.py"
    assert load(settings._replace(baseline="")) == (None, None)
    assert target(settings) == str(project / OWN_FILE)


# detect-secrets.


def secrets_baseline(project: Path, **more: object) -> SecretsBaseline:
    row = {"type": "X", "hashed_secret": hashlib.sha1(KEY.encode()).hexdigest(), "line_number": 3, **more}  # noqa: S324  # its form
    (project / SECRETS_FILE).write_text(json.dumps({"version": "1.5.0", "results": {".\\pkg\\a.py": [row]}}))
    _, foreign = load(Settings(root=str(project)))
    assert foreign is not None
    return foreign


def test_a_secret_listed_by_detect_secrets_is_accepted_in_its_file(project: Path) -> None:
    baseline = secrets_baseline(project)
    sha1 = hashlib.sha1(KEY.encode()).hexdigest()  # noqa: S324  # the form of detect-secrets
    assert baseline.accepts("pkg/a.py", sha1)
    assert baseline.accepts(str(project / "pkg" / "a.py"), sha1)
    assert not baseline.accepts("pkg/b.py", sha1)
    assert not baseline.accepts("pkg/a.py", hashlib.sha1(OTHER.encode()).hexdigest())  # noqa: S324  # as above


def test_a_secret_audited_as_real_is_not_accepted(project: Path) -> None:
    sha1 = hashlib.sha1(KEY.encode()).hexdigest()  # noqa: S324  # the form of detect-secrets
    assert not secrets_baseline(project, is_secret=True).accepts("pkg/a.py", sha1)
    assert secrets_baseline(project, is_secret=False).accepts("pkg/a.py", sha1)


def test_baselines_travel_to_workers(project: Path) -> None:
    foreign = secrets_baseline(project)
    assert pickle.loads(pickle.dumps(foreign)) == foreign  # noqa: S301  # our own bytes
    assert pickle.loads(pickle.dumps(of(finding()))) == of(finding())  # noqa: S301  # our own bytes


# Any findings.

FINDINGS = st.lists(
    st.builds(
        finding,
        path=st.sampled_from(["a.py", "pkg/a.py", "pkg/b.py", "é.py"]),
        line=st.integers(1, 50),
        print_=st.sampled_from(["0" * 64, "1" * 64, "2" * 64]),
    ),
    max_size=12,
)


def grouped(findings: list[Finding]) -> list[FileReport]:
    paths = sorted({found.path for found in findings})
    return [FileReport(path, tuple(found for found in findings if found.path == path)) for path in paths]


@hypothesis_settings(deadline=None, max_examples=150)
@given(FINDINGS, st.randoms(use_true_random=False))
def test_whatever_is_recorded_is_accepted_in_any_order_on_any_lines(
    findings: list[Finding], chance: random.Random
) -> None:
    baseline = of(*findings)
    moved = [found._replace(line=chance.randrange(1, 99)) for found in findings]
    chance.shuffle(moved)
    reports = grouped(moved)
    chance.shuffle(reports)
    match = baseline.match(reports, lambda _: True)
    assert [file.findings for file in match.files if file.findings] == []
    assert match.unused == ()
    assert of(*moved).to_json() == baseline.to_json()


@hypothesis_settings(deadline=None, max_examples=150)
@given(FINDINGS)
def test_whatever_is_recorded_is_accepted_after_renaming_every_file(findings: list[Finding]) -> None:
    baseline = of(*findings)
    moved = [found._replace(path=f"new/{found.path}") for found in findings]
    assert left(baseline, *grouped(moved), gone=tuple({found.path for found in findings})) == []


@hypothesis_settings(deadline=None, max_examples=150)
@given(FINDINGS, FINDINGS)
def test_never_more_is_accepted_than_was_recorded(recorded: list[Finding], found: list[Finding]) -> None:
    baseline = of(*recorded)
    match = baseline.match(grouped(found), lambda path: "pkg" not in path)
    for print_ in {item.fingerprint for item in found}:
        accepted = sum(item.fingerprint == print_ for file in match.files for item in file.accepted)
        assert accepted <= sum(entry.count for entry in baseline.entries if entry.fingerprint == print_)
    assert sum(len(file.findings) + len(file.accepted) for file in match.files) == len(found)
    spare = sum(count for _, count in match.unused)
    assert spare + sum(len(file.accepted) for file in match.files) == len(recorded)


@hypothesis_settings(deadline=None, max_examples=150)
@given(st.text(), st.text(), st.text())
def test_any_path_and_reason_survive_writing(path: str, reason: str, rule: str) -> None:
    entry = Entry(path, rule, "0" * 64, reason=reason or None)
    baseline = Baseline(os.path.abspath("any.json"), (entry,))  # noqa: PTH100  # as the module has it
    baseline.write()
    after = read("any.json")
    assert isinstance(after, Baseline)
    assert after.entries == (dataclasses.replace(entry, line=5),)


# Fingerprints.


def test_a_key_has_one_name_wherever_it_stands() -> None:
    assert key_id(KEY, path="a.py", context="x") == key_id(KEY, path="b.py", context="y")
    assert fingerprint("KG101", secret=KEY, path="a.py") == fingerprint("KG101", secret=KEY, path="b.py")
    assert key_id(KEY) != key_id(OTHER)
    assert key_id(KEY) != fingerprint("KG101", secret=KEY)


def test_rule_and_role_are_part_of_the_name_of_a_finding() -> None:
    names = {fingerprint(rule, secret=KEY, role=role) for rule in ("KG101", "KG102") for role in ("code", "test")}
    assert len(names) == len(("KG101", "KG102")) * len(("code", "test"))


def test_names_are_the_same_on_every_machine_and_in_every_version() -> None:
    assert (
        key_id("x" * 8 + "aB3dE5gH7jK9mN1pQ3rS5tU7")
        == "e3cc4c064fa303c3520ddb2b3f5dafd82d080925981ef0582ed45b4e45ff96fe"
    )
    assert (
        fingerprint("KG302", statement="client = OpenAI()")
        == "bdf104bd5c3f175c4fb83d47862234f6de28989c3713fcb618d87e5e2b4f40a1"
    )


@given(st.text(max_size=400))
def test_a_name_is_an_hmac_of_what_is_named(statement: str) -> None:
    said = normalise(statement).encode("utf-8", "surrogatepass")
    message = b"9:statement5:KG3014:code%d:%s" % (len(said), said)
    expected = hmac.digest(b"keyguard fingerprint 1", message, "sha256").hex()
    assert fingerprint("KG301", statement=statement) == expected


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "hunter2",
        "Passw0rd!Passw0rd!",
        "changeme-changeme-changeme-changeme",
        "correct-horse-battery-staple",
        "sk-proj-abc12345",
        "sk-" + "a" * 48,
        "1234567890" * 7,
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "12345678-1234-1234-1234-123456789012",
    ],
)
def test_a_secret_that_can_be_guessed_is_named_by_its_place(secret: str) -> None:
    assert entropy_bits(secret) < ENOUGH_BITS
    at = {"path": "a.py", "context": "password"}
    assert fingerprint("KG108", secret=secret, **at) == fingerprint("KG108", secret="another1", **at)  # noqa: S106  # a dummy
    assert key_id(secret, rule="KG108", **at) == key_id("another1", rule="KG108", **at)
    assert key_id(secret, path="a.py") != key_id(secret, path="b.py")


@pytest.mark.parametrize("characters", ["0123456789abcdef", string.ascii_letters, string.ascii_lowercase])
def test_random_keys_have_enough_bits(characters: str) -> None:
    for seed in range(100):
        key = "sk-" + "".join(random.Random(seed).choices(characters, k=48))  # noqa: S311  # a dummy
        assert entropy_bits(key) >= ENOUGH_BITS


@hypothesis_settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(["a", "Zq7", "word ", "1234", "-", "xK", "correct", "=="]), min_size=30, max_size=400))
def test_a_long_secret_is_named_by_its_place_exactly_if_it_has_too_few_bits(parts: list[str]) -> None:
    secret = "".join(parts)
    by_place = key_id(secret, path="a.py") != key_id(secret, path="b.py")
    assert by_place == (entropy_bits(secret) < ENOUGH_BITS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f(a, b)", "f(\n    a,\n    b,\n)"),
        ("f('x')", 'f("x")'),
        ("f('x')", 'f("another")'),
        ("x = a + b", "x = a \\\n    + b"),
        ("f('it\\'s', 1)", 'f("", 1)'),
        ("f([1, 2])", "f([\n1,\n2,\n],)"),
        ("f('''x\n''')", "f('x')"),
    ],
)
def test_reformatting_leaves_a_statement_the_same(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


def test_different_statements_stay_different() -> None:
    assert normalise("f(a)") != normalise("f(b)")
    assert normalise("f(timeout=3)") != normalise("f(timeout=30)")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('api_key="', "api_key"),
        ('f(api_key="', "api_key"),
        ('"password": "', "password"),
        ("'pw' => '", "pw"),
        ('headers["Authorization"] = f"', "Authorization"),
        ("export A=", "A"),
        ("x = (\n    '", "x"),
        ('f("hunter2", "', ""),
        ('["hunter2", "', ""),
        ("", ""),
        ("hunter2 ", ""),
    ],
)
def test_the_context_of_a_secret_is_a_name_and_never_another_value(text: str, name: str) -> None:
    assert context_before(text + "SECRET", len(text)) == name


@hypothesis_settings(deadline=None, max_examples=200)
@given(st.text(alphabet=st.one_of(st.sampled_from("\"'`=:( \n\\[]"), st.characters())), st.integers(0, 30))
def test_any_text_can_be_named(text: str, start: int) -> None:
    assert len(fingerprint("KG101", secret=text, statement=text, path=text, context=context_before(text, start))) == 64
    assert len(fingerprint("KG101", statement=text)) == 64
    assert entropy_bits(text) >= 0
