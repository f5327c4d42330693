"""Which version of a package a project asks for: every place that says so, and no text that breaks the reading."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyguard.catalogue import load
from keyguard.python.pins import pins
from keyguard.python.requirements import sources
from keyguard.versions import before, just_below, order

if TYPE_CHECKING:
    from pathlib import Path

    from keyguard.knowledge import Sdk

SDKS = load().sdks
quick = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


def project(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("openai", None),
        ("openai>=1.0", None),
        ("openai>1", None),
        ("openai!=1.3", None),
        ("# openai==0.28", None),
        ("-e git+https://example.com/openai.git@0.28#egg=openai", None),
        ("openai @ https://example.com/openai-0.28.1.whl", None),
        ("--index-url https://example.com/openai==0.28", None),
        ("openai==latest", None),
        ("openai==0.28.1", "0.28.1"),
        ("openai == 0.28.1 ; python_version < '3.12'", "0.28.1"),
        ("openai[datalib]==0.28.1  # the last one", "0.28.1"),
        ("openai==0.28.1 --hash=sha256:00", "0.28.1"),
        ("openai==0.28.1 \\", "0.28.1"),
        ("openai===0.28.1", "0.28.1"),
        ("openai==0.28.*", "0.29.dev0"),
        ("openai<=0.28.1", "0.28.1"),
        ("openai<1", "1.dev0"),
        ("openai>=0.27,<1.0", "1.0.dev0"),
        ("openai (<1)", "1.dev0"),
        ("openai<2,<1.5,>=1", "1.5.dev0"),
        ("openai~=0.27", "1.dev0"),
        ("openai~=0.27.4", "0.28.dev0"),
    ],
)
def test_a_requirement_tells_the_newest_version_it_allows(tmp_path: Path, line: str, version: str | None) -> None:
    found = pins(project(tmp_path, {"requirements.txt": f"requests==2.0\n{line}\n"}))
    assert found.get("openai") == version
    assert found["requests"] == "2.0"


@pytest.mark.parametrize(
    ("filename", "text"),
    [
        ("pyproject.toml", '[project]\ndependencies = ["Open_AI.client==0.28.1"]\n'),
        ("pyproject.toml", '[project.optional-dependencies]\nllm = ["open-ai-client == 0.28.1"]\n'),
        ("pyproject.toml", '[dependency-groups]\nai = [{include-group = "x"}, "open.ai.client==0.28.1"]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\nopen-ai-client = "0.28.1"\n'),
        ("pyproject.toml", '[tool.poetry.group.ai.dependencies]\nopen-ai-client = {version = "0.28.1"}\n'),
        ("pyproject.toml", '[tool.pdm.dev-dependencies]\nai = ["open-ai-client==0.28.1"]\n'),
        ("pyproject.toml", '[tool.uv]\ndev-dependencies = ["open-ai-client==0.28.1"]\n'),
        ("setup.cfg", "[options]\ninstall_requires =\n    requests\n    open-ai-client==0.28.1\n"),
        ("setup.cfg", "[options.extras_require]\nai =\n    open-ai-client==0.28.1\n"),
        ("Pipfile", '[packages]\nopen-ai-client = "==0.28.1"\n'),
        ("requirements-dev.txt", "open-ai-client==0.28.1\n"),
        ("requirements/base.txt", "open-ai-client==0.28.1\r\n"),
        ("uv.lock", 'version = 1\n\n[[package]]\nname = "open-ai-client"\nversion = "0.28.1"\nsource = { }\n'),
        ("poetry.lock", '[[package]]\nname = "open-ai-client"\nversion = "0.28.1"\ndescription = ""\n'),
        ("pdm.lock", '[[package]]\nname = "open-ai-client"\nversion = "0.28.1"\n'),
        ("Pipfile.lock", '{"default": {"open-ai-client": {"version": "==0.28.1"}}, "develop": []}'),
    ],
)
def test_every_place_that_names_a_version_is_read(tmp_path: Path, filename: str, text: str) -> None:
    assert pins(project(tmp_path, {filename: text})) == {"open-ai-client": "0.28.1"}


@pytest.mark.parametrize(
    ("constraint", "version"),
    [("^0.27", "0.28.dev0"), ("^1.2", "2.dev0"), ("~1.2", "1.3.dev0"), ("~1", "2.dev0"), ("*", None), (">=1", None)],
)
def test_poetry_spells_its_bounds_in_its_own_way(tmp_path: Path, constraint: str, version: str | None) -> None:
    files = {"pyproject.toml": f'[tool.poetry.dependencies]\nopenai = "{constraint}"\n'}
    assert pins(project(tmp_path, files)).get("openai") == version


def test_a_lock_file_counts_before_requirements(tmp_path: Path) -> None:
    files = {"requirements.txt": "openai<2\n", "uv.lock": '[[package]]\nname = "openai"\nversion = "0.28.1"\n'}
    assert pins(project(tmp_path, files)) == {"openai": "0.28.1"}


@pytest.mark.parametrize(
    ("filename", "text"),
    [
        ("pyproject.toml", "[project\n"),
        ("pyproject.toml", 'project = "x"\ntool = [1]\ndependency-groups = {a = 1}\n'),
        ("pyproject.toml", '[project]\ndependencies = [1, {a = 2}]\noptional-dependencies = ["x"]\n'),
        ("Pipfile.lock", "[1, 2]"),
        ("Pipfile.lock", '{"default": [{"a": 1}]}'),
        ("Pipfile.lock", "[" * 100_000),
        ("setup.cfg", "no section\n"),
        ("setup.cfg", "[options]\ninstall_requires = a\ninstall_requires = b\n"),
        ("requirements.txt", "\0" * 100),
        ("requirements.txt", "openai==" + "9" * 5000),
        ("uv.lock", "[[package]]\n" * 1000),
    ],
)
def test_a_file_that_makes_no_sense_is_passed_over(tmp_path: Path, filename: str, text: str) -> None:
    assert pins(project(tmp_path, {filename: text})) == {}


def test_a_file_that_is_too_large_is_passed_over(tmp_path: Path) -> None:
    assert pins(project(tmp_path, {"requirements.txt": "openai==0.28.1\n" + "#" * 1_000_000})) == {}


def test_a_folder_where_a_file_belongs_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").mkdir()
    (tmp_path / "uv.lock").mkdir()
    assert pins(tmp_path) == {}
    assert pins(tmp_path / "missing") == {}


_NOISE = st.text(alphabet=st.sampled_from('openai=<>!~^,.*0123456789 []{}"\n\r\\;#@-_()\0é'), max_size=200) | st.text(
    max_size=100
)


@quick
@given(_NOISE)
def test_no_text_breaks_the_reading(tmp_path: Path, text: str) -> None:
    names = ("pyproject.toml", "requirements.txt", "setup.cfg", "Pipfile", "Pipfile.lock", "uv.lock")
    for name in names:
        (tmp_path / name).write_text(text, encoding="utf-8", errors="replace", newline="")
    for version in pins(tmp_path).values():
        assert order(version) is not None


# --- versions ---------------------------------------------------------------------------------------------------------


def test_versions_stand_in_their_order() -> None:
    row = ["0.28.1", "1.dev0", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0.post1", "1.0.1", "1.10", "1.20.3", "2.0.0"]
    for older, newer in pairwise(row):
        assert before(older, newer), (older, newer)
        assert not before(newer, older), (older, newer)
    assert not before("1.0", "1.0.0")
    assert not before("1", "latest")
    assert not before("latest", "1")


@quick
@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_the_order_of_versions(one: str, other: str) -> None:
    assert not (before(one, other) and before(other, one))
    below = just_below(one)
    assert below is None or not before(one, below)


# --- an SDK as it was -------------------------------------------------------------------------------------------------


def test_without_a_version_an_sdk_is_the_newest() -> None:
    for sdk in SDKS.values():
        assert sdk.at(None) is sdk
        assert sdk.at("99999") is sdk
        assert sdk.at("no version") is sdk


def test_an_old_version_has_what_its_major_says() -> None:
    mistral = SDKS["mistralai"]
    newest, second, first = mistral.timeout, mistral.at("1.9.2").timeout, mistral.at("0.4.2").timeout
    assert newest is not None
    assert (newest.default, newest.unit) == (300, "ms")
    assert second is not None
    assert (second.endless, second.unit) == (True, "ms")
    assert first is not None
    assert (first.default, first.params) == (120, ("timeout",))


def test_what_the_oldest_does_not_say_is_as_in_the_one_above() -> None:
    together = SDKS["together"]
    assert together.at("1.5.0").base_url_default == "https://api.together.xyz/v1"
    assert together.at("2.10").base_url_default == "https://api.together.ai/v1"
    assert together.at("2.10").timeout == together.timeout
    assert together.at("3.dev0").path == together.at("2.10").path


def test_a_bound_below_a_major_gives_the_one_before() -> None:
    openai = SDKS["openai"]
    assert "openai.error.Timeout" in openai.at("1.dev0").errors.timeout
    assert openai.at("1.0.0") is openai


@quick
@given(st.text(max_size=40), st.sampled_from(sorted(SDKS)))
def test_no_version_breaks_an_sdk(version: str, name: str) -> None:
    sdk: Sdk = SDKS[name]
    assert sdk.at(version).id == name


@pytest.mark.parametrize(
    "name",
    ["requirements.txt", "requirements/dev.txt", "constraints-old.txt", "pyproject.toml", "uv.lock", "Pipfile.lock"],
)
def test_what_is_read_is_told(tmp_path: Path, name: str) -> None:
    root = project(tmp_path, {"requirements-dev.in": "requests==2.0\n", name: "openai==0.28\n", "notes.txt": "a\n"})
    assert set(sources(str(root))) == {str(root / "requirements-dev.in"), str(root / name)}


def test_what_is_not_read_is_no_source(tmp_path: Path) -> None:
    root = project(tmp_path, {"app.py": "import openai\n", "my-requirements.txt": "openai\n"})
    assert sources(str(root)) == ()
    (root / "requirements.txt").mkdir()
    (root / "setup.cfg").write_bytes(b"#" * 1_000_001)
    assert sources(str(root)) == ()
