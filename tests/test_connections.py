"""`keyguard connections` as its users run it: rows, hosts, the places of a variable, formats, settings, bad input."""

from __future__ import annotations

import csv
import io
import json
import pickle
import re
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from keyguard import engine
from keyguard.catalogue import Own, load
from keyguard.checks import kg201
from keyguard.mentions import mentions
from keyguard.source import SourceFile
from tests.keys import make, shape_ids
from tests.runs import Tree
from tests.test_no_leak import CONTEXTS, assert_hidden

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.checks.spots import Spot
    from keyguard.python.network import Network
    from keyguard.settings import Advice

ROOT = Path(__file__).parents[1]

FILES = {
    "app/chat.py": """\
import os
from openai import OpenAI

client = OpenAI(base_url="https://api.poloapi.top/v1", api_key=os.environ["OPENAI_API_KEY"], timeout=30, max_retries=0)


def ask(text):
    return client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}])


def ask_slowly(text):
    return client.chat.completions.create(model="gpt-4o-mini", messages=[], timeout=300)
""",
    "app/summary.py": """\
from anthropic import Anthropic

claude = Anthropic()
claude.messages.create(model="claude-sonnet-4-5", max_tokens=9, messages=[])
""",
    "app/raw.py": """\
import os
import requests


def ask():
    headers = {"Authorization": f"Bearer {os.environ['DEEPSEEK_API_KEY']}"}
    return requests.post("https://api.deepseek.com/chat/completions", headers=headers, json={"model": "deepseek-chat"})
""",
    "app/jobs.py": """\
import os
from openai import AsyncOpenAI

llm = AsyncOpenAI(base_url=os.environ["LLM_URL"], api_key=os.getenv("LLM_KEY"))
local = AsyncOpenAI(base_url="http://localhost:11434/v1", api_key="ollama")


def other(client):
    return client.chat.completions.create(model="m", messages=[])
""",
}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path)
    made.git("init", "-q")
    for name, text in FILES.items():
        made.write(name, text)
    made.write("nb.ipynb", _notebook("import os\nfrom groq import Groq", "client = Groq()\nclient.models.list()"))
    return made


def _notebook(*cells: str) -> str:
    made = [
        {
            "cell_type": "code",
            "metadata": {},
            "execution_count": 1,
            "outputs": [],
            "source": cell.splitlines(keepends=True),
        }
        for cell in cells
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made})


def listed(tree: Tree, *argv: str, code: int = 0) -> Any:  # noqa: ANN401  # JSON
    done = tree.run("connections", "--output-format", "json", *argv)
    assert done.code == code, done
    return json.loads(done.out)


def rows(tree: Tree, *argv: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = listed(tree, *argv)["connections"]
    return found


def row(tree: Tree, path: str, line: int) -> dict[str, Any]:
    (found,) = (item for item in rows(tree) if (item["path"], item["line"]) == (path, line))
    return found


# What a row says.


def test_a_relay_is_named_with_the_variable_whose_key_it_gets(tree: Tree) -> None:
    found = row(tree, "app/chat.py", 4)
    assert (found["provider"], found["route"]) == ("relay_poloapi", "relay")
    assert [host["host"] for host in found["hosts"]] == ["api.poloapi.top"]
    assert found["key"] == {"source": "variable", "names": ["OPENAI_API_KEY"], "implied": False}
    assert found["models"] == ["gpt-4o", "gpt-4o-mini"]
    assert [call["line"] for call in found["calls"]] == [8, 12]


def test_limits_are_those_that_hold_for_the_calls(tree: Tree) -> None:
    found = row(tree, "app/chat.py", 4)
    assert found["timeouts"] == [
        {"state": "limited", "seconds": 30.0, "set_by": "client"},
        {"state": "limited", "seconds": 300.0, "set_by": "call"},
    ]
    assert found["attempts"] == [1]


def test_a_bare_client_shows_what_its_sdk_does_by_itself(tree: Tree) -> None:
    found = row(tree, "app/summary.py", 3)
    assert (found["provider"], found["route"], found["client"]) == ("anthropic", "official", "anthropic.Anthropic")
    assert found["key"]["implied"]
    assert found["key"]["names"][0] == "ANTHROPIC_API_KEY"
    assert found["timeouts"] == [{"state": "limited", "seconds": 600.0, "set_by": "default"}]


def test_a_raw_request_without_a_limit_waits_for_ever(tree: Tree) -> None:
    found = row(tree, "app/raw.py", 7)
    assert (found["kind"], found["client"], found["provider"]) == ("http", "requests.post", "deepseek")
    assert found["key"] == {"source": "variable", "names": ["DEEPSEEK_API_KEY"], "implied": False}
    assert found["timeouts"] == [{"state": "none", "seconds": None, "set_by": "default"}]
    assert found["models"] == ["deepseek-chat"]


def test_a_host_from_a_variable_is_not_known_but_the_variable_is(tree: Tree) -> None:
    found = row(tree, "app/jobs.py", 4)
    assert (found["provider"], found["route"], found["hosts"]) == (None, "unknown", [])
    assert found["base_url_variables"] == ["LLM_URL"]
    assert found["async"]


def test_a_word_in_place_of_a_key_is_no_literal_key(tree: Tree) -> None:
    found = row(tree, "app/jobs.py", 5)
    assert (found["route"], found["key"]["source"]) == ("local", "placeholder")


def test_calls_through_a_client_from_elsewhere_are_rows_too(tree: Tree) -> None:
    found = row(tree, "app/jobs.py", 9)
    assert (found["kind"], found["provider"], found["models"]) == ("elsewhere", None, ["m"])


def test_a_notebook_counts_by_cell(tree: Tree) -> None:
    (found,) = (item for item in rows(tree) if item["path"] == "nb.ipynb")
    assert (found["cell"], found["line"], found["library"]) == (2, 1, "groq")


@pytest.mark.parametrize(
    ("key", "source"),
    [
        ('"<openai-key>"', "literal"),
        ('"EMPTY"', "placeholder"),
        ("settings.key", "unknown"),
        ('os.environ["A_KEY"]', "variable"),
        ('os.environ.get("A_KEY") or "vllm"', "variable"),
        ('keyring.get_password("llm", "me")', "store"),
    ],
    ids=["literal", "dummy", "unknown", "variable", "fallback", "store"],
)
def test_where_the_key_comes_from(tmp_path: Path, key: str, source: str) -> None:
    tree = Tree(tmp_path)
    text = f"import os, keyring\nfrom conf import settings\nfrom openai import OpenAI\nclient = OpenAI(api_key={key})\n"
    tree.write("a.py", text)
    (found,) = rows(tree)
    assert found["key"]["source"] == source


def test_a_rule_that_reports_at_a_connection_is_its_problem(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("a.py", 'from openai import OpenAI\na = OpenAI(\n    api_key="<openai-key>",\n)\nb = OpenAI()\n')
    first, second = rows(tree)
    assert "KG101" in first["problems"]
    assert "KG101" not in second["problems"]
    tree.write("keyguard.toml", 'ignore = ["KG101"]\n')
    assert "KG101" not in rows(tree)[0]["problems"]


# How it is shown.


def test_text_is_grouped_by_whom_it_talks_to(tree: Tree) -> None:
    done = tree.run("connections")
    assert done.code == 0
    lines = done.out.splitlines()
    at = lines.index("PoloAPI  relay  api.poloapi.top")
    assert re.fullmatch(
        r"  app/chat\.py:4 +openai\.OpenAI +OPENAI_API_KEY +gpt-4o, gpt-4o-mini +30 s, 300 s +1 *(KG\d+(, )?)*",
        lines[at + 1],
    )
    assert lines.index("Host not known") > at
    assert "7 connections in 5 files, to 5 hosts." in lines
    assert "  nb.ipynb:cell 2:1 " in done.out


def test_chinese_says_the_same(tree: Tree) -> None:
    done = tree.run("connections", "--lang", "zh")
    assert f"{load().providers['relay_poloapi'].label('zh')}  中转站  api.poloapi.top" in done.out
    assert "主机未知" in done.out


def test_hosts_are_summed_up_with_the_variables_sent_there(tree: Tree) -> None:
    found = {item["host"]: item for item in listed(tree, "--hosts")["hosts"]}
    assert found["api.poloapi.top"]["variables"] == ["OPENAI_API_KEY"]
    assert (found["api.poloapi.top"]["connections"], found["api.poloapi.top"]["files"]) == (1, 1)
    assert found[None]["variables"] == ["LLM_KEY"]
    text = tree.run("connections", "--hosts").out
    assert re.search(r"^api\.poloapi\.top +PoloAPI +relay +1 +1 +OPENAI_API_KEY", text, re.MULTILINE)


def test_csv_has_a_header_and_defuses_formulas(tree: Tree) -> None:
    tree.write("b.py", "from openai import OpenAI\nOpenAI().chat.completions.create(model='=1+1', messages=[])\n")
    for option in ((), ("--hosts",), ("--env", "OPENAI_API_KEY")):
        done = tree.run("connections", "--output-format", "csv", *option)
        first, *others = list(csv.reader(io.StringIO(done.out)))
        assert {len(line) for line in others} == {len(first)}
    assert ",'=1+1," in tree.run("connections", "--output-format", "csv").out


def test_markdown_is_a_table(tree: Tree) -> None:
    for option in ((), ("--hosts",), ("--env", "OPENAI_API_KEY")):
        lines = tree.run("connections", "--output-format", "markdown", *option).out.splitlines()
        assert len(lines) > 2
        assert all(line.startswith("| ") and line.endswith(" |") for line in (lines[0], *lines[2:]))
        assert set(lines[1]) == set("| -")


def test_the_page_names_every_key_of_the_json(tree: Tree) -> None:
    page = (ROOT / "docs/connections.md").read_text(encoding="utf-8")
    shown: dict[str, set[str]] = {}
    for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL):
        _keys(json.loads(block), "", shown)
    made: dict[str, set[str]] = {}
    for option in ((), ("--hosts",), ("--env", "OPENAI_API_KEY")):
        _keys(listed(tree, *option), "", made)
    assert made == shown


def _keys(value: object, at: str, found: dict[str, set[str]]) -> None:
    if isinstance(value, dict):
        found.setdefault(at, set()).update(value)
        for name, item in value.items():
            _keys(item, f"{at}.{name}", found)
    elif isinstance(value, list):
        for item in value:
            _keys(item, at, found)


def test_the_list_can_go_to_a_file(tree: Tree) -> None:
    done = tree.run("connections", "--output-format", "json", "--output-file", "out.json")
    assert (done.code, done.out) == (0, "")
    assert json.loads((tree.root / "out.json").read_text(encoding="utf-8"))["version"] == 1


@pytest.mark.parametrize("option", [(), ("--hosts",), ("--env", "OPENAI_API_KEY")], ids=["rows", "hosts", "env"])
def test_any_number_of_workers_says_the_same(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...]
) -> None:
    alone = listed(tree, "--jobs", "1", *option)
    monkeypatch.setattr(engine, "_ALONE", 0)
    monkeypatch.setattr(engine, "_CHUNK_FILES", 1)
    assert listed(tree, "--jobs", "3", *option) == alone


def test_what_steers_a_terminal_is_spelled_out(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write(
        "a\x1b[31m.py",
        "import os\nfrom openai import OpenAI\n"
        "c = OpenAI(base_url='https://x\\x1b]0;t\\x07.example/v1', api_key=os.environ['A\\x1b[2J'])\n"
        "c.chat.completions.create(model='\\x1b[31mred\\u202e', messages=[])\n",
    )
    for option in ((), ("--hosts",)):
        for form in ("text", "csv", "markdown", "json"):
            out = tree.run("connections", "--output-format", form, *option).out
            assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\u202e]", out)


# The places of a variable.

PLACES = {
    "a.py": (
        """\
        import os
        os.environ["X_KEY"] = ask()
        key = os.getenv("X_KEY")
        NAME = "X_KEY"
        other = os.environ[NAME]
        if "X_KEY" in os.environ:
            pass
        """,
        [("set", 2), ("read", 3), ("named", 4), ("read", 5), ("read", 6)],
    ),
    "conf.py": (
        """\
        from pydantic_settings import BaseSettings

        class Settings(BaseSettings):
            x_key: str
        """,
        [("read", 4)],
    ),
    "broken.py": (
        """\
        import os
        def f(:
            return os.environ["X_KEY"]
        """,
        [("read", 3)],
    ),
    ".env": (
        """\
        X_KEY=
        OTHER_X_KEY=1
        # X_KEY=old
        """,
        [("set", 1), ("named", 3)],
    ),
    "run.sh": (
        """\
        export X_KEY="$1"
        curl -H "k: $X_KEY"
        X_KEY=1 python a.py
        echo ${X_KEY:-none}
        unset X_KEY
        """,
        [("set", 1), ("read", 2), ("set", 3), ("read", 4), ("set", 5)],
    ),
    "run.ps1": (
        """\
        $env:X_KEY = "1"
        Write-Host $env:X_KEY
        """,
        [("set", 1), ("read", 2)],
    ),
    "run.bat": (
        """\
        set X_KEY=1
        echo %X_KEY%
        """,
        [("set", 1), ("read", 2)],
    ),
    "Dockerfile": (
        """\
        FROM a
        ARG X_KEY
        ENV X_KEY=$X_KEY
        ENV X_KEY 1
        """,
        [("read", 2), ("set", 3), ("read", 3), ("set", 4)],
    ),
    "compose.yaml": (
        """\
        services:
          a:
            environment:
              - X_KEY
              - X_KEY=1
              - B=${X_KEY:?no key}
          b:
            environment:
              X_KEY:
          c:
            environment:
              X_KEY: 1
        """,
        [("read", 4), ("set", 5), ("read", 6), ("read", 9), ("set", 12)],
    ),
    ".github/workflows/ci.yml": (
        """\
        jobs:
          a:
            env:
              X_KEY: ${{ secrets.X_KEY }}
            steps:
              - run: docker run -e X_KEY a
        """,
        [("set", 4), ("read", 4), ("read", 6)],
    ),
    "k8s.yaml": (
        """\
        env:
          - name: X_KEY
            value: a
        """,
        [("set", 2)],
    ),
    "app.json": ('{"env": {"X_KEY": "1"}, "needs": ["X_KEY"]}', [("set", 1), ("named", 1)]),
    "tox.ini": (
        """\
        [testenv]
        passenv = X_KEY
        setenv =
            X_KEY = 1
        """,
        [("read", 2), ("set", 4)],
    ),
    "a.ts": (
        """\
        const k = process.env.X_KEY;
        process.env['X_KEY'] = '1';
        """,
        [("read", 1), ("set", 2)],
    ),
    "a.go": (
        """\
        k := os.Getenv("X_KEY")
        os.Setenv("X_KEY", "1")
        """,
        [("read", 1), ("set", 2)],
    ),
    "README.md": (
        """\
        Give `X_KEY`:

            export X_KEY=1
        """,
        [("named", 1), ("set", 3)],
    ),
    "nb.ipynb": (
        _notebook("%env X_KEY=1\n!echo $X_KEY\nimport os\nos.environ.get('X_KEY')"),
        [("set", 1), ("read", 2), ("read", 4)],
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_places_of_a_variable(tmp_path: Path, name: str) -> None:
    tree = Tree(tmp_path)
    text, expected = PLACES[name]
    tree.write(name, textwrap.dedent(text))
    found = listed(tree, "--env", "X_KEY")["places"]
    assert sorted((place["action"], place["line"]) for place in found) == sorted(expected)


def test_a_client_that_looks_for_the_variable_by_itself_reads_it(tree: Tree) -> None:
    found = listed(tree, "--env", "ANTHROPIC_API_KEY")
    assert found["providers"] == ["anthropic"]
    (place,) = found["places"]
    assert (place["path"], place["line"], place["action"], place["by"]) == (
        "app/summary.py", 3, "read", "anthropic.Anthropic",
    )  # fmt: skip
    assert place["implied"]


def test_env_files_that_git_ignores_are_places_to_change(tree: Tree) -> None:
    tree.write(".gitignore", ".env\nsecret.py\n")
    tree.write(".env", "OPENAI_API_KEY=<openai-key>\n")
    tree.write("secret.py", "import os\nos.environ['OPENAI_API_KEY']\n")
    found = [(place["path"], place["action"]) for place in listed(tree, "--env", "OPENAI_API_KEY")["places"]]
    assert (".env", "set") in found
    assert "secret.py" not in dict(found)


def test_what_runs_comes_before_what_people_read(tree: Tree) -> None:
    tree.write("A.md", "export OPENAI_API_KEY=1\n")
    tree.write("z.sh", "export OPENAI_API_KEY=1\n")
    found = [place["path"] for place in listed(tree, "--env", "OPENAI_API_KEY")["places"] if place["action"] == "set"]
    assert found == ["z.sh", "A.md"]


def test_a_longer_name_is_another_variable(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("run.sh", "export MY_X_KEY=1 X_KEYS=2\n")
    done = tree.run("connections", "--env", "X_KEY")
    assert (done.code, done.out) == (0, "X_KEY\nNo file sets, reads or names it.\n")


def test_a_key_in_place_of_a_name_is_refused_unseen(tree: Tree) -> None:
    key = make("openai", 3)
    done = tree.run("connections", "--env", key)
    assert done.code == 2
    assert "takes the name of a variable" in done.err
    assert key[8:] not in done.err


@hypothesis_settings(max_examples=200, deadline=None)
@given(
    st.text(alphabet=" \t\r\n=:\"'${}%-#ENVARGX_KEYexport.[](),`", max_size=60),
    st.sampled_from(["yaml", "shell", "env", "text"]),
)
def test_any_text_gives_places_inside_of_it(text: str, kind: str) -> None:
    source = SourceFile("a", f"{text}X_KEY{text}", kind=kind)
    for found in mentions(source, "X_KEY"):
        assert source.text.startswith("X_KEY", found.start)
        assert found.action in {"set", "read", "named"}


def test_many_mentions_on_one_line_take_linear_time() -> None:
    text = "X_KEY=1 " * 60_000
    assert [found.action for found in mentions(SourceFile("a.sh", text, kind="shell"), "X_KEY")]


# Bad input.


def test_a_project_without_connections_says_so(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.write("a.py", "print(1)\n")
    for option in ((), ("--hosts",)):
        assert tree.run("connections", *option).out == "No connection to a model API found.\n"
    assert rows(tree) == []


def test_what_cannot_be_parsed_is_named_and_the_rest_is_listed(tree: Tree) -> None:
    tree.write("broken.py", "from openai import OpenAI\nclient = OpenAI(\n")
    tree.write("broken.ipynb", '{"cells": [{"source": ["from openai import OpenAI\\n", "OpenAI()"')
    tree.write("image.py", b"\x00\x01openai\x00" * 50)
    done = tree.run("connections")
    assert done.code == 0
    assert "2 files could not be read as a whole: broken.ipynb, broken.py" in done.out
    assert "api.poloapi.top" in done.out


def test_a_path_that_is_not_there_is_a_mistake(tree: Tree) -> None:
    done = tree.run("connections", "nowhere")
    assert done.code == 2
    assert "nowhere" in done.err


@pytest.mark.parametrize(
    "argv",
    [("--output-format", "sarif"), ("--hosts", "--env", "A"), ("--env", "A B"), ("--env", ""), ("--envv", "A")],
    ids=["format", "both", "name", "empty", "option"],
)
def test_a_wrong_option_is_a_mistake(tree: Tree, argv: tuple[str, ...]) -> None:
    assert tree.run("connections", *argv).code == 2


def test_one_file_can_be_named(tree: Tree) -> None:
    assert [item["path"] for item in rows(tree, "app/summary.py")] == ["app/summary.py"]


# No key anywhere.


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(CONTEXTS)),
    st.sampled_from(sorted(shape_ids())),
    st.integers(0, 99),
    st.sampled_from([("text",), ("text", "--verbose"), ("json",), ("csv",), ("markdown",)]),
    st.sampled_from([(), ("--hosts",), ("--env", "name")]),
)
def test_no_output_holds_a_key(
    context: str, shape: str, seed: int, form: tuple[str, ...], option: tuple[str, ...]
) -> None:
    key, other = make(shape, seed), make(shape, seed + 100)
    provider = load().shapes[shape].provider
    env = load().providers[provider].variable
    name, text = CONTEXTS[context](key, other, env)
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree(Path(folder))
        tree.write(name, text.encode("utf-8", "surrogateescape"))
        asked = ("--env", env) if option and option[0] == "--env" else option
        done = tree.run("connections", "--output-format", *form, *asked)
    assert done.code in {0, 2}, done.err  # 2: the key stands in a settings file
    for hidden in (key, other):
        assert_hidden(done.out + done.err, hidden, shape)


def test_a_key_in_a_model_a_host_or_a_name_is_masked(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    key = make("openai", 5)
    tree.write(
        "a.py",
        f"import os\nfrom openai import OpenAI\nc = OpenAI(base_url='https://{key}@api.x.example/{key}', "
        f"api_key=os.environ['{key}'])\nc.chat.completions.create(model='{key}', messages=[])\n",
    )
    for option in ((), ("--hosts",)):
        for form in ("text", "json", "csv", "markdown"):
            assert_hidden(tree.run("connections", "--output-format", form, *option).out, key, "openai/project")


# Settings.


def advised(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> Advice:
    """What a rule about connections is told of the settings."""
    told: list[Advice] = []

    def check(network: Network) -> Iterator[Spot]:
        told.append(network.advice)
        return iter(())

    monkeypatch.setattr(kg201, "check", check)
    tree.check("app/chat.py")
    (advice,) = told
    return advice


def test_limits_and_one_off_scripts_reach_the_rules(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    before = advised(tree, monkeypatch)
    assert (before.http_timeout, before.model_timeout) == (30, 120)
    assert not before.one_off.matches(str(tree.root / "app/chat.py"))
    tree.write("keyguard.toml", 'http-timeout = 7\nmodel-timeout = 90\none-off = ["app/**"]\n')
    after = advised(tree, monkeypatch)
    assert (after.http_timeout, after.model_timeout) == (7, 90)
    assert after.one_off.matches(str(tree.root / "app/chat.py"))


@pytest.mark.parametrize(
    ("setting", "provider", "route"),
    [
        ('trusted-hosts = ["api.poloapi.top"]', None, "own"),
        ('trusted-hosts = ["*.poloapi.top"]', None, "own"),
        ('[trusted-hosts]\n"API.poloapi.top" = "own"', None, "own"),
        ('[trusted-hosts]\n"api.poloapi.top" = "openai"', "openai", "official"),
        ('[trusted-hosts]\n"poloapi.top" = "own"', "relay_poloapi", "relay"),
        ('[trusted-hosts]\n"*.api.poloapi.top" = "own"', "relay_poloapi", "relay"),
    ],
    ids=["list", "wildcard", "table", "provider", "parent", "below"],
)
def test_trusted_hosts_are_known(tree: Tree, setting: str, provider: str | None, route: str) -> None:
    tree.write("keyguard.toml", setting + "\n")
    found = row(tree, "app/chat.py", 4)
    assert (found["provider"], found["route"]) == (provider, route)


CORP = """\
[providers.corp]
name = "Corp AI"
kind = "gateway"
hosts = ["ai.corp.example"]
env = ["CORP_AI_KEY"]
base_urls = { openai = ["https://ai.corp.example/v1"] }

[[providers.corp.key]]
name = "api"
pattern = "corpai_[A-Za-z0-9]{32}"
prefixes = ["corpai_"]
min_length = 39
max_length = 39
charset = "A-Za-z0-9"
confidence = "high"
"""
MAKE = """\
[wrappers."lib.client.make"]
sdk = "openai"
provider = "corp"
key_params = ["token"]
timeout = { params = ["wait"], default = 20 }
retry = { params = ["tries"], counts = "attempts", attempts = 2 }
"""
USE = """\
from lib.client import make

first = make()
second = make(token="dummy", wait=5, tries=4)
first.chat.completions.create(model="m", messages=[])
"""


def test_a_host_of_ones_own_provider_is_known(tree: Tree) -> None:
    tree.write("b.py", "from openai import OpenAI\nc = OpenAI(base_url='https://ai.corp.example/v1')\n")
    assert row(tree, "b.py", 2)["provider"] is None
    tree.write("keyguard.toml", CORP)
    found = row(tree, "b.py", 2)
    assert (found["provider"], found["provider_name"], found["route"]) == ("corp", "Corp AI", "gateway")


def test_a_host_named_in_full_says_more_than_a_trusted_domain(tree: Tree) -> None:
    tree.write("b.py", "from openai import OpenAI\nc = OpenAI(base_url='https://ai.corp.example/v1')\n")
    tree.write("keyguard.toml", f'trusted-hosts = ["*.corp.example"]\n{CORP}')
    assert row(tree, "b.py", 2)["provider"] == "corp"


def test_a_raw_request_to_ones_own_provider_is_a_connection(tree: Tree) -> None:
    tree.write("b.py", "import requests\nrequests.get('https://ai.corp.example/status')\n")
    assert not [item for item in rows(tree) if item["path"] == "b.py"]
    tree.write("keyguard.toml", CORP)
    assert row(tree, "b.py", 2)["provider"] == "corp"


def test_keys_of_ones_own_provider_are_found(tree: Tree) -> None:
    tree.write("b.txt", "corpai_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC2dF" + "\n")
    assert tree.check("b.txt").findings == []
    tree.write("keyguard.toml", CORP)
    (found,) = tree.check("b.txt", code=1).findings
    assert found["provider"] == "corp"


def test_a_wrapper_of_ones_own_is_a_client(tree: Tree) -> None:
    tree.write("b.py", USE)
    tree.write("keyguard.toml", CORP + MAKE)
    first, second = (item for item in rows(tree) if item["path"] == "b.py")
    assert (first["provider"], first["library"], first["client"]) == ("corp", "openai", "lib.client.make")
    assert first["key"] == {"source": "variable", "names": ["CORP_AI_KEY"], "implied": True}
    assert first["timeouts"] == [{"state": "limited", "seconds": 20.0, "set_by": "default"}]
    assert (first["attempts"], first["models"]) == ([2], ["m"])
    assert second["key"]["source"] == "placeholder"
    assert second["timeouts"] == [{"state": "limited", "seconds": 5.0, "set_by": "client"}]
    assert second["attempts"] == [4]


@pytest.mark.parametrize(
    "start",
    [
        "import lib.client\nx = lib.client.make()",
        "import lib.client as c\nx = c.make()",
        "from lib import client\nx = client.make()",
    ],
    ids=["whole", "alias", "module"],
)
def test_a_wrapper_is_followed_through_imports(tree: Tree, start: str) -> None:
    tree.write("b.py", start + "\n")
    tree.write("keyguard.toml", CORP + MAKE)
    assert row(tree, "b.py", 2)["client"] == "lib.client.make"


def test_a_wrapper_is_found_where_it_is_defined_in_the_project(tree: Tree) -> None:
    tree.write("lib/__init__.py", "")
    tree.write("lib/client.py", "from openai import OpenAI\n\n\ndef make(**more):\n    return OpenAI(**more)\n")
    tree.write("lib/use.py", "from .client import make\n\nx = make()\n")
    tree.write("b.py", USE)
    tree.write("keyguard.toml", CORP + MAKE)
    assert row(tree, "b.py", 3)["provider"] == "corp"
    assert row(tree, "lib/use.py", 3)["provider"] == "corp"


def test_workers_know_what_is_ones_own(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.write("b.py", USE)
    tree.write("keyguard.toml", CORP + MAKE)
    alone = rows(tree, "--jobs", "1")
    monkeypatch.setattr(engine, "_ALONE", 0)
    monkeypatch.setattr(engine, "_CHUNK_FILES", 1)
    assert rows(tree, "--jobs", "3") == alone


def test_an_extended_catalogue_travels_and_keeps_the_rest() -> None:
    data = {"id": "corp", "name": "Corp", "kind": "gateway", "hosts": ["ai.corp.example"], "env": ["CORP_KEY"]}
    base = load()
    own = Own(providers=(("corp", json.dumps(data)),))
    extended = base.extended(own)
    again = pickle.loads(pickle.dumps(extended))  # noqa: S301  # our own bytes
    for catalogue in (extended, again):
        found = catalogue.provider_of_host("ai.corp.example")
        assert found is not None
        assert found.id == "corp"
        assert "CORP_KEY" in catalogue.triggers.env
        assert catalogue.version != base.version
        assert set(base.providers) < set(catalogue.providers)
        assert catalogue.rules.keys() == base.rules.keys()
    assert base.provider_of_host("ai.corp.example") is None
    assert base.extended(Own()) is base


def test_settings_of_a_package_count_for_the_run(tree: Tree) -> None:
    tree.write("pkg/keyguard.toml", CORP)
    tree.write("pkg/b.py", "from openai import OpenAI\nc = OpenAI(base_url='https://ai.corp.example/v1')\n")
    assert row(tree, "pkg/b.py", 2)["provider"] == "corp"


def test_two_files_that_contradict_each_other_are_a_mistake(tree: Tree) -> None:
    tree.write("keyguard.toml", CORP)
    tree.write("pkg/keyguard.toml", CORP.replace("Corp AI", "Another"))
    tree.write("pkg/b.py", "")
    done = tree.run("connections")
    assert done.code == 2
    assert "providers.corp" in done.err


MISTAKES = {
    "seconds": ("http-timeout = 0", "http-timeout: expected a whole number of seconds from 1, not a number"),
    "text": ('model-timeout = "1m"', 'model-timeout: expected a whole number of seconds from 1, not "1m"'),
    "name": ("model-timeouts = 9", 'has no setting "model-timeouts"; did you mean "model-timeout"?'),
    "url": ('trusted-hosts = ["https://a.example/v1"]', "is no host; write llm.corp.example"),
    "owner": ('[trusted-hosts]\n"a.example" = "opnai"', 'no provider "opnai" for "a.example"; did you mean "openai"?'),
    "table": ("trusted-hosts = 3", "trusted-hosts: expected a table of hosts"),
    "items": ("trusted-hosts = [[]]", "trusted-hosts: expected a table of hosts"),
    "one-off": ('one-off = "a"', "one-off: expected a list of texts"),
    "kind": ("[providers.corp]\nhosts = []", "keyguard.toml:1: providers.corp.kind: missing"),
    "key": ('[providers.corp]\nkind = "gateway"\nhost = []', 'providers.corp.host: unknown key; did you mean "hosts"?'),
    "host": ('[providers.corp]\nkind = "gateway"\nhosts = ["Api"]', "providers.corp.hosts: "),
    "taken": ('[providers.openai]\nkind = "gateway"', "providers.openai: keyguard knows a provider of that id"),
    "others": ('[providers.corp]\nkind = "gateway"\nhosts = ["api.openai.com"]', "already belongs to openai"),
    "pattern": (
        '[providers.corp]\nkind = "gateway"\n[[providers.corp.key]]\nname = "a"\npattern = "("\nconfidence = "high"',
        "providers.corp.key[0].pattern: is no valid regular expression",
    ),
    "sdk": ('[wrappers."a.make"]\nsdk = "opnai"', 'wrappers."a.make".sdk: no SDK "opnai"; did you mean "openai"?'),
    "no-sdk": ('[wrappers."a.make"]\nenv = []', 'keyguard.toml:1: wrappers."a.make".sdk: missing'),
    "dotted": ('[wrappers.make]\nsdk = "openai"', 'wrappers.make: "make" is no dotted name'),
    "known": ('[wrappers."openai.OpenAI"]\nsdk = "openai"', 'wrappers."openai.OpenAI": keyguard knows it already'),
    "param": ('[wrappers."a.make"]\nsdk = "openai"\nkey_param = []', 'unknown key; did you mean "key_params"?'),
    "provider": (
        '[wrappers."a.make"]\nsdk = "openai"\nprovider = "corpp"\n[providers.corp]\nkind = "gateway"',
        'no provider "corpp" for "a.make"; did you mean "corp"?',
    ),
    "tables": ("providers = 3", "providers: expected tables such as [providers.corp], not a number"),
    "date": ('[providers.corp]\nkind = "gateway"\nname = 2020-01-01', "providers.corp.name: must be text"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_file_and_key(tree: Tree, name: str) -> None:
    text, told = MISTAKES[name]
    tree.write("keyguard.toml", text + "\n")
    done = tree.run("connections")
    assert done.code == 2
    assert "keyguard.toml" in done.err
    assert told in done.err


@pytest.mark.parametrize(
    "setting",
    [
        '[providers.corp]\nkind = "{}"',
        '[providers.corp]\nkind = "gateway"\nhosts = ["{}"]',
        '[providers.{}]\nkind = "gateway"',
        '[wrappers."{}"]\nsdk = "openai"',
        '[wrappers."a.b"]\nsdk = "{}"',
        '[trusted-hosts]\n"a.b" = "{}"',
        '[trusted-hosts]\n"{}" = "own"',
    ],
)
def test_no_mistake_shows_a_key(tree: Tree, setting: str) -> None:
    key = make("openai", 7)
    tree.write("keyguard.toml", setting.format(key) + "\n")
    done = tree.run("connections")
    assert_hidden(done.err + done.out, key, "openai/project")


def test_what_is_shown_can_be_read_back(tree: Tree) -> None:
    tree.write("keyguard.toml", f'http-timeout = 9\ntrusted-hosts = ["a.example"]\none-off = ["x"]\n{CORP}{MAKE}')
    shown = tree.run("check", "--show-settings").out
    tree.write("keyguard.toml", shown)
    assert tree.run("check", "--show-settings").out == shown
    assert '[wrappers."lib.client.make"]' in shown
