"""The READMEs are true: their commands parse, their snippets load, their links lead somewhere, their output is real."""

from __future__ import annotations

import random
import re
import shlex
import string
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from keyguard import __version__
from keyguard.cli.parser import build
from keyguard.settings import SettingsFinder, Vocabulary
from tests.house import ROOT
from tools.readme import READMES, blocks, is_stale, rendered

if TYPE_CHECKING:
    from pathlib import Path

PAGES = (*READMES, "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


def text_of(name: str) -> str:
    """A page's text."""
    return (ROOT / name).read_text(encoding="utf-8")


def snippets(name: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", text_of(name), re.MULTILINE | re.DOTALL)
    return [block for _, block in found]


def commands(name: str) -> list[str]:
    """Every keyguard command a page tells the reader to type."""
    shown = [line[2:] for block in snippets(name, "console") for line in block.splitlines() if line.startswith("$ ")]
    inline = re.findall(r"`(keyguard [^`…]*)`", text_of(name))
    return [line.split("  #")[0].strip() for line in (*shown, *inline) if line.startswith("keyguard ")]


@pytest.mark.parametrize(("name", "lang"), READMES.items())
def test_what_a_readme_shows_is_what_keyguard_prints(name: str, lang: str) -> None:
    text = text_of(name)
    assert not is_stale(text, rendered(text, blocks(lang))), "stale: run `make docs`"


@pytest.mark.parametrize("name", PAGES)
def test_every_command_parses(name: str) -> None:
    for command in commands(name):
        arguments = shlex.split(command)[1:]
        if len(arguments) == 1 and not arguments[0].startswith("-"):
            # Named in a sentence, not to be typed; a long command's help stands on the next line.
            assert f" {arguments[0]} " in " ".join(build().format_help().split()), command
        elif {"--help", "--version"}.isdisjoint(arguments):
            build().parse_args(arguments)


@pytest.mark.parametrize("name", PAGES)
def test_every_make_target_and_script_exists(name: str) -> None:
    targets = re.findall(r"^(\w+):", text_of("Makefile"), re.MULTILINE)
    text = text_of(name)
    for target in re.findall(
        r"\bmake (\w+)(?=[` &]|$)", "\n".join([*snippets(name, "console"), *re.findall("`[^`]+`", text)])
    ):
        assert target in targets
    for module in re.findall(r"python -m (benchmarks\.\w+)", text):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", text_of(name)):
        if not link.startswith(("http://", "https://")):
            path, _, anchor = link.partition("#")
            target = ROOT / name if not path else (ROOT / name).parent / path
            assert target.exists(), link
            if anchor:
                headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
                assert anchor in {re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in headings}, (
                    link
                )


@pytest.mark.parametrize("name", READMES)
def test_the_hook_snippet_names_this_version_and_a_hook_that_exists(name: str) -> None:
    hooks = {hook["id"] for hook in yaml.safe_load(text_of(".pre-commit-hooks.yaml"))}
    shown = [yaml.safe_load(block) for block in snippets(name, "yaml") if "repos:" in block]
    assert shown
    for config in shown:
        assert config["repos"][0]["rev"] == f"v{__version__}"
        assert {hook["id"] for hook in config["repos"][0]["hooks"]} <= hooks


@pytest.mark.parametrize("name", READMES)
def test_the_workflow_snippet_uses_this_version_and_inputs_that_exist(name: str) -> None:
    inputs = yaml.safe_load(text_of("action.yml"))["inputs"]
    flows = [yaml.safe_load(block) for block in snippets(name, "yaml") if "jobs:" in block]
    assert flows
    for flow in flows:
        steps: list[dict[str, Any]] = [step for job in flow["jobs"].values() for step in job["steps"]]
        ours = [step for step in steps if step["uses"].startswith("keyguard/")]
        assert [step["uses"] for step in ours] == [f"keyguard/keyguard@v{__version__}"]
        assert all(set(step.get("with", {})) <= set(inputs) for step in ours)


@pytest.mark.parametrize("name", READMES)
def test_the_settings_snippet_is_accepted(name: str, tmp_path: Path) -> None:
    rules = {path.stem: path.stem.lower() for path in (ROOT / "rules").glob("KG*.toml")}
    for block in snippets(name, "toml"):
        (tmp_path / "pyproject.toml").write_text(block, encoding="utf-8")
        finder = SettingsFinder(lambda: Vocabulary(rules), environ={})
        assert finder.for_folder(str(tmp_path)).source is not None
        assert finder.notices == ()


@pytest.mark.parametrize("name", READMES)
def test_the_number_of_platforms_is_the_catalogues(name: str) -> None:
    from keyguard.catalogue import load  # noqa: PLC0415  # 20 ms, for this test only

    curated = [provider for provider in load().providers.values() if provider.curated]
    assert f"{len(curated)} " in text_of(name)


def test_both_readmes_have_the_same_chapters_and_commands() -> None:
    english, chinese = (text_of(name) for name in READMES)
    assert len(re.findall("^## ", english, re.MULTILINE)) == len(re.findall("^## ", chinese, re.MULTILINE))

    def told(name: str) -> list[str]:
        return [line.replace(" --lang zh", "") for line in commands(name) if line.startswith("keyguard ")]

    assert set(told("README.md")) == set(told("README.zh-CN.md"))


def test_the_provider_of_contributing_works_as_it_stands(tmp_path: Path) -> None:
    import shutil  # noqa: PLC0415  # only this test copies

    rules = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", rules)
    block = next(block for block in snippets("CONTRIBUTING.md", "toml") if "nimbus" in block)
    (rules / "providers" / "nimbus.toml").write_text(block, encoding="utf-8")
    from keyguard.catalogue import load  # noqa: PLC0415  # only this test reads other rules
    from keyguard.secrets.shapes import keys_in_text  # noqa: PLC0415  # as above

    letters = random.Random(7).choices(string.ascii_letters + string.digits, k=40)  # noqa: S311  # it opens nothing
    key = "nim_" + "".join(letters)
    found = keys_in_text(f'token = "{key}"\n', load(str(rules)))
    assert [(match.value, match.provider) for match in found] == [(key, "nimbus")]


def test_a_check_opens_no_connection(tmp_path: Path) -> None:
    from tests.keys import fill  # noqa: PLC0415  # only this test needs a key

    (tmp_path / "app.py").write_text(fill('key = "<openai-key>"\n'), encoding="utf-8")
    forbid = (
        "import socket, sys\n"
        "def refuse(*_): raise SystemExit('a connection was opened')\n"
        "for name in ('connect', 'connect_ex', 'sendto'): setattr(socket.socket, name, refuse)\n"
        "socket.getaddrinfo = socket.create_connection = refuse\n"
        "from keyguard.cli import main\n"
        "sys.exit(main(['check', '--jobs=1', '--output-format=sarif', '.']))\n"
    )
    command = (sys.executable, "-c", forbid)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1, done.stderr
    assert "KG101" in done.stdout
