"""Both languages say the same things, and the locale counts on a terminal only."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from keyguard.lang import LANGUAGES, choose, texts
from keyguard.lang.en import ENTRIES as ENGLISH
from keyguard.lang.zh import ENTRIES as CHINESE

PACKAGE = Path(__file__).parents[2] / "keyguard"


def placeholders(entry: str | tuple[str, str]) -> set[str]:
    forms = entry if isinstance(entry, tuple) else (entry,)
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}


def test_both_languages_hold_the_same_texts_in_the_same_order() -> None:
    assert list(CHINESE) == list(ENGLISH)


@pytest.mark.parametrize("name", ENGLISH)
def test_both_languages_name_the_same_values(name: str) -> None:
    # `count` may only choose the form: "1 file" can do without the number.
    assert placeholders(CHINESE[name]) - {"count"} == placeholders(ENGLISH[name]) - {"count"}


def test_every_text_is_used_and_every_text_used_is_there() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if "lang" not in path.parts)
    templates = "".join(path.read_text(encoding="utf-8") for path in (PACKAGE / "report").rglob("*.html"))
    literal = set(re.findall(r'"([a-z_.-]+)"', source + templates))
    # The start of a name whose rest is a value: f"route.{route}" in code, "rank." ~ rank in a template.
    prefixes = tuple(set(re.findall(r"[\"']([a-z_.]+\.)\{", source)) | set(re.findall(r'"([a-z_.]+\.)" ~', templates)))
    assert [name for name in ENGLISH if name not in literal and not name.startswith(prefixes)] == []
    # The doctor's report has texts of its own.
    modules = [path for path in (PACKAGE / "report").rglob("*.py") if path.name != "doctor.py"]
    report = "".join(path.read_text(encoding="utf-8") for path in modules)
    said = set(re.findall(r'(?<![a-z_])say\("([a-z_.-]+)"[,)]', report + templates))
    assert said <= set(ENGLISH)


def test_one_file_and_many_files() -> None:
    assert texts("en").say("clean", count=1) == "No leaked keys in 1 file."
    assert texts("en").say("clean", count=42) == "No leaked keys in 42 files."
    assert texts("zh").say("clean", count=1) == "检查了 1 个文件，没有发现泄漏的密钥。"  # noqa: RUF001  # Chinese


def test_values_are_not_read_as_templates() -> None:
    assert texts("en").say("next", command="{count} {0} {") == "Next: {count} {0} {"


def test_a_missing_text_is_an_error() -> None:
    with pytest.raises(KeyError):
        texts("en").say("nothing.of.the.kind")


@pytest.mark.parametrize(
    ("option", "environ", "terminal", "expected"),
    [
        pytest.param(None, {"LANG": "zh_CN.UTF-8"}, False, "en", id="a-pipe-is-english"),
        pytest.param(None, {}, True, "en", id="no-locale"),
        pytest.param(None, {"LANG": "C.UTF-8"}, True, "en", id="c-locale"),
        pytest.param(None, {"LC_ALL": "de_DE.UTF-8", "LANG": "zh_CN.UTF-8"}, True, "en", id="lc-all-comes-first"),
        pytest.param(None, {"LC_ALL": "", "LANG": "zh_TW"}, True, "zh", id="empty-lc-all-says-nothing"),
        pytest.param(None, {"LC_MESSAGES": "zh_CN", "LANG": "en_US"}, True, "zh", id="messages-before-lang"),
        pytest.param("zh", {}, False, "zh", id="option-in-a-pipe"),
        pytest.param("en", {"LANG": "zh_CN.UTF-8"}, True, "en", id="option-before-locale"),
    ],
)
def test_language(option: str | None, environ: dict[str, str], terminal: bool, expected: str) -> None:  # noqa: FBT001  # a case
    assert choose(option, environ, terminal=terminal) == expected
    assert expected in LANGUAGES
