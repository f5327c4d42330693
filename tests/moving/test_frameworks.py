"""Fixed options, fields and settings do what they did under the real frameworks, in the environment of SDKs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.keys import fill
from tests.moving.made import Moved, moved
from tests.runs import environment

# One worker runs them all, in two processes: the programs as they were, and fixed.
pytestmark = pytest.mark.xdist_group("frameworks")

SDKS = Path(__file__).parents[2] / ".venv-sdks" / "bin" / "python"
RUNNER = """
import json, os, sys, types
answers = {}
for name, (text, variables) in json.load(sys.stdin).items():
    seen = []
    for key in [key for key in os.environ if key.endswith("_KEY")]:
        del os.environ[key]
    os.environ.update(variables)
    module = sys.modules["program"] = types.ModuleType("program")
    module.sink = lambda *given: seen.append([repr(item) for item in given])
    try:
        exec(compile(text, "<program>", "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        seen.append([repr(error)])
    answers[name] = seen
json.dump(answers, sys.stdout)
"""

CLICK = "from click.testing import CliRunner\nimport click\n\n\n@click.command()\n"
INVOKE = "\n\n\nfor given in ([], ['--api-key', 'a']):\n    sink(CliRunner().invoke(main, given).output)\n"
TYPER = "from typer.testing import CliRunner\nimport typer\n\napp = typer.Typer()\n\n\n@app.command()\n"
APP = "\n\n\nfor given in ([], ['--api-key', 'a']):\n    sink(CliRunner().invoke(app, given).output)\n"
MODEL = "from pydantic import BaseModel, Field, SecretStr\n\n\nclass A(BaseModel):\n"
ASK = '\n\n\nsink(A().key, A(key="a").key, A().model_dump())\n'

PROGRAMS = {
    "click option": CLICK
    + '@click.option("--api-key", default="<openai-key>", help="x")\ndef main(api_key):\n    click.echo(api_key)'
    + INVOKE,
    "click option, alone": CLICK
    + '@click.option("--api-key", default="<openai-key>")\ndef main(api_key):\n    click.echo(api_key)'
    + INVOKE,
    "click option with a variable": CLICK
    + '@click.option("--api-key", envvar="MY_KEY", default="<openai-key>")\ndef main(api_key):\n    click.echo(api_key)'
    + INVOKE,
    "click option with a prompt": CLICK
    + '@click.option("--api-key", prompt=True, default="<openai-key>", show_default=False)\n'
    + "def main(api_key):\n    click.echo(api_key)"
    + INVOKE,
    "click option that is given twice": CLICK
    + '@click.option("--api-key", multiple=True, default=["<openai-key>"])\ndef main(api_key):\n    click.echo(api_key[0])'
    + INVOKE,
    "typer option": TYPER + 'def main(api_key: str = typer.Option("<openai-key>")):\n    print(api_key)' + APP,
    "typer option with a name": TYPER
    + 'def main(api_key: str = typer.Option("<openai-key>", "--api-key", "-k", help="x")):\n    print(api_key)'
    + APP,
    "typer option by name": TYPER
    + 'def main(api_key: str = typer.Option(default="<openai-key>", help="x")):\n    print(api_key)'
    + APP,
    "typer parameter": TYPER + 'def main(api_key: str = "<openai-key>"):\n    print(api_key)' + APP,
    "pydantic field": MODEL + '    key: str = "<openai-key>"' + ASK,
    "pydantic field with more": MODEL + '    key: str = "Bearer <openai-key>"' + ASK,
    "pydantic field, described": MODEL + '    key: str = Field("<openai-key>", description="x")' + ASK,
    "pydantic field, described by name": MODEL + '    key: str = Field(description="x", default="<openai-key>")' + ASK,
    "pydantic secret": MODEL
    + '    key: SecretStr = SecretStr("<openai-key>")\n\n\nsink(A().key.get_secret_value(), repr(A()))\n',
    "pydantic table": MODEL
    + '    key: dict[str, str] = {"Authorization": "Bearer <openai-key>"}'
    + "\n\n\nsink(A().key, A().key is A().key)\n",
    "pydantic by another name": "import pydantic\n\n\nclass A(pydantic.BaseModel):\n"
    '    key: str = "<openai-key>"' + ASK,
    "pydantic's own dataclass": "from pydantic.dataclasses import dataclass\n\n\n@dataclass\nclass A:\n"
    '    key: str = "<openai-key>"\n\n\nsink(A().key, A(key="a").key)\n',
    "pydantic.v1": "from pydantic.v1 import BaseModel\n\n\nclass A(BaseModel):\n"
    '    key: str = "<openai-key>"\n\n\nsink(A().key, A(key="a").key)\n',
    "settings of pydantic.v1": "from pydantic.v1 import BaseSettings\n\n\nclass A(BaseSettings):\n"
    '    openai_api_key: str = "<openai-key>"\n\n\nsink(A().openai_api_key)\n',
    "settings of pydantic.v1 with a prefix": "from pydantic.v1 import BaseSettings, Field\n\n\nclass A(BaseSettings):\n"
    '    key: str = Field("<openai-key>", env="OPENAI_API_KEY")\n\n\nsink(A().key)\n',
    "attrs": 'from attrs import define, field\n\n\n@define\nclass A:\n    key: str = "<openai-key>"\n'
    '    other: str = field(default="<openai-key>")\n\n\nsink(A().key, A().other, A(key="a").key)\n',
    "attrs of old": 'import attr\n\n\n@attr.s\nclass A:\n    key = attr.ib(default="<openai-key>")\n\n\nsink(A().key)\n',
    "attrs by annotations": 'import attr\n\n\n@attr.s(auto_attribs=True)\nclass A:\n    key: str = "<openai-key>"\n\n\nsink(A().key)\n',
}
UNSAFE = {"typer parameter"}  # the decorator reads the signature


@pytest.fixture(scope="module")
def runs() -> tuple[dict[str, Moved], dict[str, list[list[str]]], dict[str, list[list[str]]]]:
    """The fixes of each program, what it did before, and what it does with them."""
    if not SDKS.exists():
        pytest.skip(".venv-sdks is not there: run .ci/setup dev first")
    fixed = {name: moved(text) for name, text in PROGRAMS.items()}
    before = _run({name: (fill(text), {}) for name, text in PROGRAMS.items()})
    after = _run({name: (done.text, done.moves) for name, done in fixed.items()})
    return fixed, before, after


def _run(programs: dict[str, tuple[str, dict[str, str]]]) -> dict[str, list[list[str]]]:
    done = subprocess.run(
        [SDKS, "-c", RUNNER],
        input=json.dumps(programs),
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, list[list[str]]] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_fixed_program_does_what_it_did(
    runs: tuple[dict[str, Moved], dict[str, list[list[str]]], dict[str, list[list[str]]]], name: str
) -> None:
    fixed, before, after = runs
    assert not any("Error" in item for items in before[name] for item in items), before[name]
    assert fixed[name].left == ()
    assert fixed[name].safety == ("unsafe" if name in UNSAFE else "safe")
    assert after[name] == before[name], fixed[name].text
