"""The house keeps its order: imports point one way, knowledge stays in the rules, and no file holds a key."""

from __future__ import annotations

import ast
import functools
import io
import subprocess
import sys
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import re2

from keyguard.catalogue import load
from tests.keys import make

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "keyguard").rglob("*.py"))
CATALOGUE = load()

# From the ground up: a room may use itself and the rooms in the lines above it. Rooms in one line do not know each
# other. A module of a package is listed when it stands lower than the rest of its package.
FLOORS = (
    ("typed",),
    ("patterns",),
    ("model", "errors", "files", "fingerprint", "inventory", "lang", "versions", "secrets.structure"),
    ("source", "knowledge", "leaks"),
    ("catalogue",),
    ("settings",),
    ("discover", "mentions", "prefilter"),
    ("secrets", "naming"),
    ("vocabulary",),
    ("python",),
    ("checks",),
    ("moving",),
    ("suppress", "baseline"),
    ("keystore",),
    ("fixer",),
    ("findings",),
    ("engine",),
    ("repair", "verify"),
    ("history", "doctor"),
    ("audit",),
    ("many",),
    ("report",),
    ("init",),
    ("cli",),
    ("__main__",),
)
# Modules that are one room with another.
ROOMS = {
    "schema": "catalogue",  # the half of it that only a cold start needs
    "triggers": "catalogue",  # what it makes for the prefilter
    "workers": "engine",  # the processes it runs in
    "cache": "engine",  # what it remembers of unchanged files
    "recall": "engine",  # how it uses that
}
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# Names of providers and SDKs that are ordinary words, or that other products share.
ORDINARY = {"agents", "azure", "datasets", "google", "guidance", "pinecone", "together", "weaviate"}
# What may name a provider all the same, and why.
NAMED = {
    "keyguard/keystore": None,  # stores are products and are chosen by name
    "keyguard/source/magics.py": {"wandb"},  # the name of a notebook magic
}


def module_name(path: Path) -> str:
    """The dotted name below `keyguard`."""
    parts = path.relative_to(ROOT / "keyguard").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The room a dotted module name stands in."""
    name = module
    while name and name not in FLOOR_OF and name not in ROOMS:
        name = name.rpartition(".")[0]
    assert name, f"keyguard.{module} has no place yet: add it to FLOORS of {Path(__file__).name}"
    return ROOMS.get(name, name)


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name (below `keyguard`) of every import of our own, those for types included."""
    names = {module_name(other) for other in MODULES}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("keyguard."):
                    yield node.lineno, alias.name.removeprefix("keyguard.")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "keyguard":
            package = node.module.removeprefix("keyguard").removeprefix(".")
            for alias in node.names:
                inner = f"{package}.{alias.name}".removeprefix(".")
                if inner in names:
                    yield node.lineno, inner
                elif package:
                    yield node.lineno, package


@pytest.mark.parametrize("path", MODULES, ids=lambda path: module_name(path) or "keyguard")
def test_imports_point_one_way(path: Path) -> None:
    name = module_name(path)
    if not name:
        assert not list(imported(path)), "the package itself imports nothing, so that every start is light"
        return
    here = room_of(name)
    for line, other in imported(path):
        there = room_of(other)
        assert there == here or FLOOR_OF[there] < FLOOR_OF[here], f"{path}:{line}: {here} must not import {there}"


def test_no_import_is_relative() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path}:{node.lineno}"


def code_of(path: Path) -> str:
    """The code of a module with its comments and docstrings taken away: they may explain with an example."""
    text = path.read_text(encoding="utf-8")
    docstrings = {
        node.body[0].lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
        and isinstance(node.body[0].value, ast.Constant)
    }
    return "\n".join(
        token.string
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type != tokenize.COMMENT and not (token.type == tokenize.STRING and token.start[0] in docstrings)
    )


@functools.cache
def named() -> re2._Regexp[str]:
    """Finds what the rules call providers and SDKs, in lower-case text."""
    names = {word for provider in CATALOGUE.providers.values() if provider.curated for word in provider.words}
    names |= {provider.id for provider in CATALOGUE.providers.values() if provider.curated and "_" in provider.id}
    names |= {name.split(".")[0] for sdk in CATALOGUE.sdks.values() for name in sdk.imports}
    names |= {name for provider in CATALOGUE.providers.values() for name in map(str.lower, provider.env)}
    either = "|".join(re2.escape(name) for name in sorted(names - ORDINARY))
    return re2.compile(rf"(?:^|[^a-z0-9])({either})(?:[^a-z0-9]|$)")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: module_name(path) or "keyguard")
def test_code_names_no_provider(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    allowed = NAMED.get(place, NAMED.get(path.parent.relative_to(ROOT).as_posix(), set()))
    if allowed is None:
        return
    for found in named().finditer(code_of(path).lower()):
        assert found[1] in allowed, f"{place} names {found[1]!r}: put it into rules/"


def tracked() -> list[Path]:
    done = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def test_no_file_of_the_project_holds_a_key() -> None:
    shapes = [
        shape for shape in CATALOGUE.shapes.values() if shape.secret and (shape.prefixes or not shape.needs_context)
    ]
    either = "|".join(f"(?:{shape.pattern})" for shape in shapes if shape.id != "litellm_proxy/master_key_default")
    pattern = re2.compile(f"(?:^|[^A-Za-z0-9_-])({either})(?:[^A-Za-z0-9_-]|$)")
    assert pattern.search(f'"{make("openai/project")}"'), "the pattern must find a key, or it says nothing"
    for path in tracked():
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1):
            found = pattern.search(line)
            # The place is enough to find it; the value must not reach a log.
            assert found is None, f"{path.relative_to(ROOT)}:{number} holds a text of a key's form"


_HEAVY = {
    "libcst",
    "rich",
    "pathspec",
    "detect_secrets",
    "tomllib",
    "tomli",
    "requests",
    "dataclasses",
    "msgspec",
    "inspect",
    "jinja2",
}


@pytest.mark.parametrize("module", ["keyguard", "keyguard.errors", "keyguard.catalogue"])
def test_a_light_module_stays_light(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({_HEAVY | {'re2'}!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


def test_a_hook_on_a_file_without_a_trigger_imports_nothing_heavy(tmp_path: Path) -> None:
    file = tmp_path / "plain.py"
    file.write_text("def add(a, b):\n    return a + b\n", encoding="utf-8")
    code = (
        "import sys; from keyguard.cli import main; code = main(sys.argv[1:]);"
        f"print(code, *sorted({_HEAVY!r} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, "check", "--force-exclude", "--quiet", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["0"]
