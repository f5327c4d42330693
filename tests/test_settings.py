"""Settings: which file counts for which path, what its words mean, and what a mistake is told."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from keyguard.catalogue import load
from keyguard.errors import UsageError
from keyguard.model import Confidence, Severity, Span
from keyguard.settings import (
    FORMATS,
    OPTIONS,
    Settings,
    SettingsFinder,
    Vocabulary,
    find_upwards,
    show_settings,
    unused_per_file_ignores,
)

RULES = {
    "KG001": "unreadable-file",
    "KG003": "unused-ignore",
    "KG101": "hardcoded-key",
    "KG102": "key-as-default",
    "KG106": "key-in-file",
    "KG108": "other-secret",
    "KG301": "http-call-without-timeout",
}
VOCABULARY = Vocabulary(RULES, ("IPPublicDetector", "KeywordDetector"), load().known)


def find(**options: object) -> SettingsFinder:
    options.setdefault("environ", {})
    overrides = options.pop("overrides", None)
    return SettingsFinder(lambda: VOCABULARY, overrides, **options)  # type: ignore[arg-type]


def of_toml(folder: Path, text: str, **options: object) -> Settings:
    (folder / "keyguard.toml").write_text(text, encoding="utf-8")
    return find(**options).for_path(str(folder / "app.py"))


def error_of(folder: Path, text: str, name: str = "keyguard.toml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        find().for_path(str(folder / "app.py"))
    return str(caught.value)


pytestmark = pytest.mark.usefixtures("project")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the working folder the root of a git tree, so that no file above it counts."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Which file counts.


def test_without_a_file_the_defaults_hold(project: Path) -> None:
    settings = find().for_path("src/app.py")
    assert settings.source is None
    assert settings.root == str(project)
    assert settings.is_selected("KG101")
    assert (settings.min_severity, settings.min_confidence) == (Severity.MEDIUM, Confidence.MEDIUM)


def test_without_a_file_no_toml_is_imported(project: Path) -> None:
    (project / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    code = (
        "import sys; from keyguard.settings import *; s = SettingsFinder(dict).for_path('a.py'); "
        "s.is_excluded('a/b.py'); print(sorted({'tomllib', 'tomli', 'pathspec', 'json', 'pathlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, env=_path())
    assert done.stdout.strip() == "[]"


def _path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}


def test_a_pyproject_without_our_table_is_no_settings_file(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\ndependencies = ["keyguard"]\n')
    assert find().for_path("app.py").source is None


def test_a_broken_pyproject_that_is_not_about_us_is_left_alone(project: Path) -> None:
    (project / "pyproject.toml").write_text("[project\n")
    assert find().for_path("app.py").source is None


def test_the_nearest_file_above_each_path_counts(project: Path) -> None:
    (project / "one" / "deep").mkdir(parents=True)
    (project / "pyproject.toml").write_text('[tool.keyguard]\nmin-severity = "high"\n')
    (project / "one" / "keyguard.toml").write_text('min-severity = "low"\n')
    finder = find()
    assert finder.for_path("one/deep/a.py").min_severity is Severity.LOW
    assert finder.for_path("one/deep/a.py").source == "one/keyguard.toml"
    assert finder.for_path("two/a.py").min_severity is Severity.HIGH
    assert finder.for_path("two/a.py").source == "pyproject.toml"


def test_the_search_stops_at_the_git_root(project: Path) -> None:
    (project / "keyguard.toml").write_text('min-severity = "low"\n')
    (project / "inner" / ".git").mkdir(parents=True)
    assert find().for_path("inner/a.py").min_severity is Severity.MEDIUM


def test_a_folder_is_looked_at_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finder = find()
    finder.for_path("src/a.py")
    (project / "keyguard.toml").write_text('min-severity = "low"\n')
    assert finder.for_path("src/b.py").min_severity is Severity.MEDIUM
    monkeypatch.undo()


def test_of_two_files_in_a_folder_ours_wins_and_the_user_is_told(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.keyguard]\nmin-severity = "high"\n')
    (project / "keyguard.toml").write_text('min-severity = "low"\n')
    finder = find()
    assert finder.for_path("app.py").min_severity is Severity.LOW
    (notice,) = finder.notices
    assert notice.message.startswith("pyproject.toml: [tool.keyguard] is not read")
    assert not notice.error


def test_config_stands_in_for_every_file_and_counts_paths_from_the_working_folder(project: Path) -> None:
    (project / "keyguard.toml").write_text('min-severity = "high"\n')
    (project / "ci").mkdir()
    (project / "ci" / "strict.toml").write_text('min-severity = "low"\n[per-file-ignores]\n"/app.py" = ["KG101"]\n')
    settings = find(config="ci/strict.toml").for_path("app.py")
    assert settings.min_severity is Severity.LOW
    assert settings.ignored_by_path("app.py")


def test_config_may_be_a_file_with_a_tool_table(project: Path) -> None:
    (project / "other.toml").write_text('[tool.keyguard]\nmin-severity = "low"\n')
    assert find(config="other.toml").for_path("app.py").min_severity is Severity.LOW


def test_isolated_reads_no_file(project: Path) -> None:
    (project / "keyguard.toml").write_text('min-severity = "low"\n')
    assert find(isolated=True).for_path("app.py").min_severity is Severity.MEDIUM


def test_a_run_over_one_folder_takes_its_format_from_there(project: Path) -> None:
    (project / "one").mkdir()
    (project / "one" / "keyguard.toml").write_text('output-format = "json"\n')
    assert find().for_run(["one"]).output_format == "json"
    assert find().for_run([]).output_format == "text"
    assert find().for_run(["one", "two.py"]).output_format == "text"


def test_command_line_beats_environment_beats_file(project: Path) -> None:
    text = 'output-format = "json"\n'
    assert of_toml(project, text).output_format == "json"
    assert of_toml(project, text, environ={"KEYGUARD_OUTPUT_FORMAT": "sarif"}).output_format == "sarif"
    both = {"environ": {"KEYGUARD_OUTPUT_FORMAT": "sarif"}, "overrides": {"output-format": "csv"}}
    assert of_toml(project, text, **both).output_format == "csv"


def test_an_option_that_was_not_given_changes_nothing(project: Path) -> None:
    assert of_toml(project, 'lang = "zh"\n', overrides={"lang": None}).lang == "zh"


def test_a_byte_order_mark_and_crlf_are_fine(project: Path) -> None:
    (project / "keyguard.toml").write_bytes(b'\xef\xbb\xbflang = "zh"\r\njobs = 2\r\n')
    settings = find().for_path("app.py")
    assert (settings.lang, settings.jobs) == ("zh", 2)


# What the words mean.


def test_every_rule_runs_by_default_and_quiet_ones_are_hidden() -> None:
    settings = find().for_path("app.py")
    assert settings.is_selected("KG301")
    assert not settings.is_shown("KG301", Severity.LOW, Confidence.HIGH)
    assert not settings.is_shown("KG301", Severity.HIGH, Confidence.LOW)
    assert settings.is_shown("KG301", Severity.MEDIUM, Confidence.MEDIUM)


@pytest.mark.parametrize("word", ["KG101", "kg101", "hardcoded-key"])
def test_a_rule_may_be_selected_by_id_or_name(project: Path, word: str) -> None:
    settings = of_toml(project, f'select = ["{word}"]\n')
    assert settings.is_selected("KG101")
    assert not settings.is_selected("KG102")


def test_a_rule_selected_by_its_full_id_shows_whatever_its_severity(project: Path) -> None:
    settings = of_toml(project, 'select = ["KG1", "KG108"]\n')
    assert settings.is_shown("KG108", Severity.LOW, Confidence.LOW)
    assert not settings.is_shown("KG101", Severity.LOW, Confidence.LOW)


def test_the_more_specific_selector_wins(project: Path) -> None:
    settings = of_toml(project, 'select = ["KG1"]\nextend-select = ["KG301"]\nignore = ["KG10", "KG3"]\n')
    assert settings.is_selected("KG301")
    assert not settings.is_selected("KG101")
    settings = of_toml(project, 'select = ["KG101"]\nignore = ["KG1"]\n')
    assert settings.is_selected("KG101")
    assert not settings.is_selected("KG102")


def test_among_equals_ignore_wins(project: Path) -> None:
    assert not of_toml(project, 'select = ["KG101"]\nignore = ["hardcoded-key"]\n').is_selected("KG101")


def test_select_on_the_command_line_starts_afresh(project: Path) -> None:
    settings = of_toml(project, 'select = ["KG3"]\nignore = ["KG101"]\n', overrides={"select": ["KG1"]})
    assert settings.is_selected("KG101")
    assert not settings.is_selected("KG301")


def test_ignore_on_the_command_line_adds_to_the_file(project: Path) -> None:
    settings = of_toml(project, 'ignore = ["KG102"]\n', overrides={"ignore": ["KG101"]})
    assert not settings.is_selected("KG101")
    assert not settings.is_selected("KG102")
    assert settings.is_selected("KG106")


def test_extend_select_on_the_command_line_takes_back_an_ignore_of_the_file(project: Path) -> None:
    assert of_toml(project, 'ignore = ["KG101"]\n', overrides={"extend-select": ["KG101"]}).is_selected("KG101")


def test_per_file_ignores_follow_gitignore_patterns_from_the_settings_folder(project: Path) -> None:
    (project / "pkg").mkdir()
    text = '[per-file-ignores]\n"tests/**" = ["hardcoded-key"]\n"*.md" = ["KG1"]\n"conftest.py" = ["ALL"]\n'
    settings = of_toml(project / "pkg", text)

    def hidden(path: str, rule: str) -> bool:
        return any(entry.hides(rule) for entry in settings.ignored_by_path(path))

    assert hidden("pkg/tests/a/b.py", "KG101")
    assert not hidden("pkg/tests/a/b.py", "KG102")
    assert not hidden("tests/a.py", "KG101")
    assert hidden(str(project / "pkg" / "docs" / "a.md"), "KG106")
    assert hidden("pkg/src/conftest.py", "KG301")
    assert not hidden("pkg/src/conftest2.py", "KG301")


def test_per_file_ignores_of_the_command_line_count_from_the_working_folder() -> None:
    settings = find(overrides={"per-file-ignores": ["docs/*:KG101,KG102", "docs/*:KG106"]}).for_path("docs/a.py")
    (entry,) = settings.ignored_by_path("docs/a.py")
    assert entry.rules == ("KG101", "KG102", "KG106")


def test_per_file_ignores_that_hid_nothing_are_told_for_rules_that_ran(project: Path) -> None:
    text = '[per-file-ignores]\n"a.py" = ["KG101", "KG102"]\n"b.py" = ["KG301"]\n"c.py" = ["KG106"]\n'
    settings = of_toml(project, text)
    useless = unused_per_file_ignores(settings, [("a.py", "KG101"), ("x.py", "KG106")], lambda rule: rule != "KG301")
    assert [(entry.pattern, idle) for entry, idle in useless] == [("a.py", ("KG102",)), ("c.py", ("KG106",))]


def test_a_per_file_ignore_is_found_in_its_file(project: Path) -> None:
    text = '[per-file-ignores]\n"a.py" = ["KG101"]\n'
    (entry,) = of_toml(project, text).per_file_ignores
    span = entry.place_in(text)
    assert text[span.start : span.end] == '"a.py"'
    assert entry.place_in("") == Span(0, 0)


def test_default_excludes_are_whole_names() -> None:
    settings = find().for_path("app.py")
    assert settings.is_excluded("node_modules/a/b.js")
    assert settings.is_excluded("pkg/.venv/lib/x.py")
    assert not settings.is_excluded("my_node_modules/a.js")
    assert not settings.is_excluded(".vscode/settings.json")


def test_default_excludes_do_not_take_what_the_user_named() -> None:
    settings = find().for_path("app.py")
    assert not settings.is_excluded("node_modules/a/b.js", below="node_modules")
    assert not settings.is_excluded("node_modules/a/b.js", below="node_modules/a")
    assert settings.is_excluded("node_modules/a/node_modules/b.js", below="node_modules/a")


def test_default_excludes_hold_outside_the_working_folder_too(project: Path) -> None:
    settings = find().for_path("app.py")
    elsewhere = project.parent / "elsewhere"
    assert settings.is_excluded(str(elsewhere / "node_modules" / "a.js"), below=str(elsewhere))
    assert not settings.is_excluded(str(elsewhere / "a.js"), below=str(elsewhere))


def test_exclude_replaces_and_extend_exclude_adds(project: Path) -> None:
    settings = of_toml(project, 'exclude = ["/data/*.csv"]\n', overrides={"extend-exclude": ["*.min.js"]})
    assert settings.is_excluded("data/a.csv")
    assert settings.is_excluded("web/a.min.js")
    assert not settings.is_excluded("other/data/a.csv")
    assert not settings.is_excluded("node_modules/a.js")
    settings = of_toml(project, 'extend-exclude = ["*.csv"]\n')
    assert settings.is_excluded("node_modules/a.js")


def test_a_pattern_may_take_back_an_earlier_one(project: Path) -> None:
    settings = of_toml(project, 'extend-exclude = ["data", "*.csv", "!keep.csv"]\n')
    assert settings.is_excluded("a.csv")
    assert not settings.is_excluded("keep.csv")


def test_switches_and_words_reach_the_settings(project: Path) -> None:
    settings = of_toml(
        project,
        'force-exclude = true\nrespect-gitignore = false\nshow-ignored = true\nbaseline = "b.json"\nlang = "zh"\n'
        'jobs = 3\nmin-confidence = "high"\n[other-secrets]\nenable = ["IPPublicDetector"]\n'
        'disable = ["KeywordDetector"]\n',
    )
    assert (settings.force_exclude, settings.respect_gitignore, settings.show_ignored) == (True, False, True)
    assert settings.baseline == str(project / "b.json")
    assert (settings.lang, settings.jobs, settings.min_confidence) == ("zh", 3, Confidence.HIGH)
    assert (settings.plugins_on, settings.plugins_off) == (("IPPublicDetector",), ("KeywordDetector",))


def test_an_empty_baseline_means_none(project: Path) -> None:
    assert of_toml(project, 'baseline = ""\n').baseline == ""


def test_every_format_of_the_reports_is_a_setting() -> None:
    report = pytest.importorskip("keyguard.report")
    assert set(FORMATS) == set(report.FORMATS)


def test_settings_are_frozen_and_travel_to_workers(project: Path) -> None:
    settings = of_toml(project, 'select = ["KG1"]\n[per-file-ignores]\n"a" = ["KG101"]\n')
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301  # our own bytes
    with pytest.raises(AttributeError):
        settings.lang = "zh"  # type: ignore[misc]


def test_a_file_is_found_upwards_to_the_git_root_only(project: Path) -> None:
    (project / "pkg").mkdir()
    (project / "pkg" / "keyguard.toml").touch()
    settings = find().for_path("pkg/a.py")
    assert find_upwards(settings, "base.json") is None
    (project / "base.json").touch()
    assert find_upwards(settings, "base.json") == str(project / "base.json")
    (project.parent / "above.json").touch()
    assert find_upwards(settings, "above.json") is None


# Mistakes.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('selct = ["KG1"]\n', 'keyguard.toml:1: has no setting "selct"; did you mean "select"?'),
        ('jobs = 1\n"qqqq" = 1\n', 'keyguard.toml:2: has no setting "qqqq"; the settings are select, '),
        ('select = ["KG999"]\n', 'keyguard.toml:1: select: unknown rule "KG999"; `keyguard rules` lists them'),
        (
            '\nignore = ["hardcoded-keys"]\n',
            'keyguard.toml:2: ignore: unknown rule "hardcoded-keys"; did you mean hardcoded-key?',
        ),
        ('select = ["xyzzy"]\n', 'unknown rule "xyzzy"; `keyguard rules` lists them'),
        ('select = "KG101"\n', 'expected a list of rules, like ["KG101"], not "KG101"'),
        ("select = [1]\n", "expected a list of texts"),
        ('min-severity = "hgh"\n', 'expected "low", "medium" or "high", not "hgh"; did you mean "high"?'),
        ("min-confidence = 3\n", 'expected "low", "medium" or "high", not a number'),
        ('lang = "fr"\n', 'expected "en" or "zh", not "fr"'),
        ('output-format = "sariff"\n', 'did you mean "sarif"?'),
        ("jobs = 0\n", "expected a whole number from 1, not a number"),
        ("jobs = true\n", "expected a whole number from 1, not true"),
        ('force-exclude = "yes"\n', 'expected true or false, not "yes"'),
        ("baseline = 1\n", "expected a text, not a number"),
        ('per-file-ignores = ["a:KG101"]\n', "expected a table of patterns"),
        ('[per-file-ignores]\n"a" = ["KG1O1"]\n', 'per-file-ignores: unknown rule "KG1O1"; did you mean KG101?'),
        ('[per-file-ignores]\na.py = ["KG101"]\n', '"a" is a table; put the whole pattern in quotes'),
        (
            '[other-secrets]\nenable = ["IpPublic"]\n',
            'unknown detect-secrets plug-in "IpPublic"; did you mean IPPublicDetector?',
        ),
        ('[other-secrets]\nenabled = ["x"]\n', 'unknown setting "enabled"; did you mean enable?'),
        (
            '[other-secrets]\nenable = ["KeywordDetector"]\ndisable = ["KeywordDetector"]\n',
            "KeywordDetector is both enabled and disabled",
        ),
        ('x = "\n', "keyguard.toml: not valid TOML:"),
    ],
)
def test_a_mistake_names_file_setting_and_remedy(project: Path, text: str, expected: str) -> None:
    message = error_of(project, text)
    assert message.startswith("keyguard.toml:")
    assert expected in message


def test_a_mistake_in_pyproject_names_our_table_and_the_line(project: Path) -> None:
    text = '[project]\nselect = 1\n\n[tool.keyguard]\nselect = ["KG1"]\nlang = "fr"\n'
    assert error_of(project, text, "pyproject.toml").startswith("pyproject.toml:6: [tool.keyguard] lang: expected")


def test_a_toml_error_names_the_line(project: Path) -> None:
    assert "line 2" in error_of(project, "[tool.keyguard]\nselect = \n", "pyproject.toml")


def test_every_mistake_of_a_file_is_told_at_once(project: Path) -> None:
    message = error_of(project, 'lang = "fr"\njobs = 0\n')
    assert [line.split(": ")[1] for line in message.splitlines()] == ["lang", "jobs"]


@pytest.mark.parametrize("data", [b"lang = '\xff'\n", "lang = 'zh'".encode("utf-16")])
def test_a_file_that_is_no_utf8_says_so(project: Path, data: bytes) -> None:
    (project / "keyguard.toml").write_bytes(data)
    with pytest.raises(UsageError, match=r"keyguard\.toml: the settings are not UTF-8 .*save the file as UTF-8"):
        find().for_path("a.py")


def test_deep_nesting_is_an_error_of_the_user(project: Path) -> None:
    assert error_of(project, "x = " + "[" * 5000).startswith("keyguard.toml: ")


def test_a_config_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml: the settings cannot be read"):
        find(config="nowhere.toml")


def test_a_config_without_our_table_says_so(project: Path) -> None:
    (project / "sub").mkdir()
    (project / "sub" / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(UsageError, match=r"sub/pyproject\.toml: there is no \[tool\.keyguard\]"):
        find(config="sub/pyproject.toml")


def test_a_pattern_git_could_not_read_is_named(project: Path) -> None:
    settings = of_toml(project, 'extend-exclude = ["!"]\n')
    with pytest.raises(UsageError, match='"!"'):
        settings.is_excluded("a.py")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"select": ["KG999"]}, '--select: unknown rule "KG999"'),
        (
            {"per-file-ignores": ["tests"]},
            '--per-file-ignores: expected PATTERN:RULE, like "tests/**:KG101", not "tests"',
        ),
        ({"jobs": "two"}, '--jobs: expected a whole number from 1, not "two"'),
        ({"seveity": "low"}, 'there is no option "--seveity"'),
    ],
)
def test_a_mistake_on_the_command_line_names_the_option(overrides: dict[str, object], expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(overrides=overrides)
    assert expected in str(caught.value)


def test_a_mistake_in_the_environment_names_the_variable() -> None:
    with pytest.raises(UsageError, match=r'KEYGUARD_OUTPUT_FORMAT: expected .*did you mean "json"'):
        find(environ={"KEYGUARD_OUTPUT_FORMAT": "jsn"})


def test_keeping_going_tells_the_mistake_and_takes_the_rest(project: Path) -> None:
    (project / "keyguard.toml").write_text('lang = "fr"\nmin-severity = "low"\n')
    (project / "sub").mkdir()
    (project / "sub" / "pyproject.toml").write_text("[tool.keyguard]\nselect =\n")
    finder = find(keep_going=True)
    assert finder.for_path("a.py").min_severity is Severity.LOW
    assert finder.for_path("sub/a.py").min_severity is Severity.LOW
    assert [(notice.path, notice.error) for notice in finder.notices] == [
        ("keyguard.toml", True),
        ("sub/pyproject.toml", True),
    ]


@pytest.mark.parametrize(
    "template",
    [
        'select = ["{}"]\n',
        '"{}" = 1\n',
        'lang = "{}"\n',
        'jobs = "{}"\n',
        '[other-secrets]\nenable = ["{}"]\n',
        '[other-secrets]\n"{}" = []\n',
        'a = {{"{0}" = 1, "{0}" = 2}}\n',
        '[per-file-ignores]\n"a" = ["{}"]\n',
    ],
)
def test_no_mistake_shows_a_key_that_was_pasted_there(project: Path, template: str) -> None:
    key = "sk-" + "aB3x" * 12
    assert key not in error_of(project, template.format(key))


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.one_of(st.sampled_from(sorted(OPTIONS)), st.text(max_size=8)),
        st.recursive(
            st.one_of(st.booleans(), st.integers(-3, 9), st.text(max_size=8), st.sampled_from(["KG101", "low", "zh"])),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=2)
            ),
            max_leaves=4,
        ),
        max_size=4,
    ),
)
def test_any_overrides_become_settings_or_a_usage_error(overrides: dict[str, object]) -> None:
    try:
        settings = find(overrides=overrides).for_path("src/app.py")
    except UsageError:
        return
    assert settings.is_selected("KG101") in (True, False)
    show_settings(settings)


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_any_file_becomes_settings_or_a_usage_error(project: Path, data: bytes) -> None:
    (project / "keyguard.toml").write_bytes(data)
    try:
        find().for_path("app.py")
    except UsageError as error:
        told = str(error)
    else:
        return
    assert told.startswith("keyguard.toml")


# Showing them.


def test_what_is_shown_can_be_read_back(project: Path) -> None:
    text = (
        'select = ["KG1", "KG301"]\nignore = ["KG106"]\nlang = "zh"\nextend-exclude = ["*.csv"]\nforce-exclude = true\n'
        '[per-file-ignores]\n"tests/\\"x\\".py" = ["ALL"]\n[other-secrets]\nenable = ["IPPublicDetector"]\n'
    )
    settings = of_toml(project, text)
    shown = show_settings(settings)
    assert shown.startswith("# keyguard.toml\n")
    assert of_toml(project, shown) == settings


def test_defaults_are_shown_as_such() -> None:
    assert show_settings(find().for_path("a.py")).startswith("# no settings file: defaults\n")


def test_the_page_lists_every_setting_with_an_example_that_works(project: Path) -> None:
    page = (Path(__file__).parent.parent / "docs" / "settings.md").read_text(encoding="utf-8")
    headings = [line.removeprefix("### `").removesuffix("`") for line in page.splitlines() if line.startswith("### `")]
    assert headings == list(OPTIONS)
    for section in page.split("\n### `")[1:]:
        name = section.partition("`")[0]
        assert "\nDefault: " in section, name
        example = section.split("```toml\n")[1].split("```")[0]
        assert name in example
        assert of_toml(project, example).source == "keyguard.toml"
