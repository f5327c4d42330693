"""A fixed program sends what it sent before: the real SDKs, a real server on loopback, the variable set."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from tests.keys import fill
from tests.proofs.programs import PROGRAMS
from tests.runs import Tree, environment

# One worker runs them all: the SDKs are imported once for the programs as they were and once for them as fixed.
pytestmark = pytest.mark.xdist_group("same-requests")

ROOT = Path(__file__).parents[2]
SDKS = ROOT / ".venv-sdks" / "bin" / "python"

WHOLE = ("<openai-key>", "<openai-key-2>", "<anthropic-key>", "<gemini-key>", "<groq-key>")
# A key in a URL becomes a variable in a URL, which is told still: it ends up in logs.
LEFT = {
    "params": ["KG103"],
    "key in a URL": ["KG103"],
    "key in a URL with more behind it": ["KG103"],
    "key in an f-string URL": ["KG103"],
}


def send(programs: dict[str, Path], variables: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Run programs inside the environment of SDKs, and give what each sent and how it ended."""
    asked = {"programs": {name: str(path) for name, path in programs.items()}, "environment": variables}
    done = subprocess.run(
        [SDKS, Path(__file__).with_name("runner.py")],
        input=json.dumps(asked),
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class Proof:
    """Every program before and after, what a fix says of it, and what is in its store."""

    def __init__(self, folder: Path) -> None:
        """Write the programs, run them, fix them in place, and run them again."""
        trees = {name: Tree(folder / f"{number:03}") for number, name in enumerate(PROGRAMS)}
        self.trees = trees
        for name, program in PROGRAMS.items():
            trees[name].git("init", "-q")
            files = {"main.py": program} if isinstance(program, str) else program
            for file, text in files.items():
                trees[name].write(file, fill(text).encode())
        paths = {name: tree.root / "main.py" for name, tree in trees.items()}
        self.texts = {name: path.read_bytes() for name, path in paths.items()}
        self.before = send(paths, {name: {} for name in trees})
        self.fixes = {
            name: tree.run("fix", "--select", "KG1", "--output-format", "json") for name, tree in trees.items()
        }
        self.stores = {
            name: {key: value or "" for key, value in dotenv_values(tree.root / ".env").items()}
            for name, tree in trees.items()
        }
        self.after = send(paths, self.stores)
        self.again = {
            name: tree.run("fix", "--select", "KG1", "--output-format", "json") for name, tree in trees.items()
        }


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    """All of it, made once."""
    if not SDKS.exists():
        pytest.skip(".venv-sdks is not there: run .ci/setup dev first")
    return Proof(tmp_path_factory.mktemp("programs"))


each = pytest.mark.parametrize("name", PROGRAMS)


@each
def test_the_program_as_it_was_sends_something(proof: Proof, name: str) -> None:
    assert proof.before[name]["error"] is None
    assert proof.before[name]["requests"]


@each
def test_the_fixed_program_sends_the_same(proof: Proof, name: str) -> None:
    assert proof.after[name]["error"] is None, (proof.trees[name].root / "main.py").read_text(encoding="utf-8")
    assert proof.after[name]["requests"] == proof.before[name]["requests"]


@each
def test_no_key_is_left_in_the_code_and_none_is_lost(proof: Proof, name: str) -> None:
    tree = proof.trees[name]
    files = sorted(tree.root.glob("*.py"))
    left = [finding["rule"] for finding in proof.fixes[name].findings]
    assert left == LEFT.get(name, [])
    program = PROGRAMS[name]
    text = program if isinstance(program, str) else "\n".join(program.values())
    keys = {fill(word) for word in WHOLE if word in text or word.replace(">", "|") in text}
    held = set(proof.stores[name].values())
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    for key in keys:
        assert key in held
        assert key not in code
    assert held <= keys


@each
def test_fixing_twice_is_fixing_once(proof: Proof, name: str) -> None:
    assert proof.again[name].report["summary"]["fixed"] == 0
    assert proof.again[name].code == (1 if name in LEFT else 0)


@each
def test_the_store_is_for_the_owner_alone_and_ignored(proof: Proof, name: str) -> None:
    tree = proof.trees[name]
    assert (tree.root / ".env").stat().st_mode & 0o777 == 0o600
    assert tree.git("check-ignore", ".env") == ".env"
