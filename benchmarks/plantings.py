"""Plants made keys into real code, lets keyguard fix it, and counts what became of every one of them."""

from __future__ import annotations

import argparse
import ast
import difflib
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.peers import keyguard
from tests.keys import make

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_READS = {"getenv", "get"}
_NAMES = ("api_key", "apikey", "openai_key", "access_token", "auth_token", "secret_key")
_SHAPES = ("openai", "anthropic", "google_gemini", "groq", "openrouter", "xai", "huggingface", "replicate")
_PER_FILE = 6


class Place(NamedTuple):
    """Where a key is planted: the span it replaces, in bytes, and how it is written there."""

    start: int
    end: int
    form: str  # with `{}` for the key
    kind: str


class Planted(NamedTuple):
    """One key in one file."""

    path: Path
    key: str
    kind: str


def places(text: bytes) -> list[Place]:
    """The places of a module where people put keys: what reads one now, what is given one, what stands for one."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    starts = [0]
    for line in text.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    found = list(_places(tree, starts))
    kept: list[Place] = []
    for place in sorted(found):
        if not kept or place.start > kept[-1].end:
            kept.append(place)
    return kept[:_PER_FILE]


def _places(tree: ast.AST, starts: Sequence[int]) -> Iterator[Place]:
    for node in ast.walk(tree):
        for found, form, kind in _wanted(node):
            end_line, end_column = found.end_lineno or found.lineno, found.end_col_offset or found.col_offset
            yield Place(starts[found.lineno - 1] + found.col_offset, starts[end_line - 1] + end_column, form, kind)


def _wanted(node: ast.AST) -> Iterator[tuple[ast.expr, str, str]]:
    """The expressions below a node, one level deep, that a key may stand for."""
    if isinstance(node, (ast.Call, ast.Subscript)) and _reads_key(node):
        yield node, '"{}"', "instead of a read"
    elif isinstance(node, ast.keyword) and node.arg in _NAMES and isinstance(node.value, (ast.Name, ast.Attribute)):
        yield node.value, '"{}"', "argument"
    elif isinstance(node, ast.Dict):
        yield from _of_dict(node)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        for parameter, default in zip(reversed(node.args.args), reversed(node.args.defaults), strict=False):
            if parameter.arg in _NAMES and isinstance(default, ast.Constant) and default.value in {None, ""}:
                yield default, '"{}"', "default of a parameter"
    elif isinstance(node, ast.Assign) and isinstance(node.value, (ast.Name, ast.Constant)) and _is_named(node.targets):
        yield node.value, '"{}"', "assignment"


def _is_named(targets: Sequence[ast.expr]) -> bool:
    return len(targets) == 1 and ast.unparse(targets[0]).rpartition(".")[2].lower() in _NAMES


def _of_dict(node: ast.Dict) -> Iterator[tuple[ast.expr, str, str]]:
    for key, value in zip(node.keys, node.values, strict=True):
        name = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
        if name == "Authorization" and isinstance(value, ast.JoinedStr):
            yield value, '"Bearer {}"', "header"
        elif name.lower() in _NAMES and isinstance(value, (ast.Name, ast.Attribute)):
            yield value, '"{}"', "value of a dict"


def _reads_key(node: ast.Call | ast.Subscript) -> bool:
    if isinstance(node, ast.Subscript):
        name = node.slice.value if isinstance(node.slice, ast.Constant) else None
        return isinstance(node.ctx, ast.Load) and ast.unparse(node.value) == "os.environ" and _is_key(name)
    text = ast.unparse(node.func)
    names = [item.value for item in node.args[:1] if isinstance(item, ast.Constant)]
    return text in {"os.getenv", "os.environ.get"} and any(_is_key(name) for name in names)


def _is_key(name: object) -> bool:
    return isinstance(name, str) and name.endswith(("_API_KEY", "_KEY", "_TOKEN"))


def plant(root: Path, most: int) -> list[Planted]:
    """Put a key of its own into each place of the Python files below a folder."""
    planted: list[Planted] = []
    for path in sorted(root.rglob("*.py")):
        if not path.is_file() or path.is_symlink() or len(planted) >= most:
            continue
        text = path.read_bytes()
        for place in reversed(places(text)):
            key = make(_SHAPES[len(planted) % len(_SHAPES)], len(planted))
            text = text[: place.start] + place.form.format(key).encode() + text[place.end :]
            planted.append(Planted(path, key, place.kind))
        path.write_bytes(text)
    return planted


class Result(NamedTuple):
    """What became of the keys of one repository."""

    name: str
    planted: int
    moved: int
    left: Counter[str]
    lost: int
    broken: int
    unstable: int
    stray: int


def prove(folder: Path, most: int) -> Result:
    """Plant, fix and look: in a copy of the folder's Python files, which is a git repository of its own."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary, "copy")
        shutil.copytree(folder, root, ignore=_others, symlinks=True)
        planted = plant(root, most)
        files = sorted({one.path for one in planted})
        before = {path: path.read_bytes() for path in files}
        subprocess.run(("git", "init", "-q", root), check=True)
        first = _fix(root)
        after = {path: path.read_bytes() for path in files}
        _fix(root)
        again = {path: path.read_bytes() for path in files}
        store = root / ".env"
        held = store.read_text(encoding="utf-8") if store.exists() else ""
        code = "\n".join(data.decode("utf-8", "replace") for data in after.values())
        left = Counter(one.kind for one in planted if one.key in code)
        lost = sum(one.key not in code and one.key not in held for one in planted)
        broken = sum(_parses(before[path]) and not _parses(after[path]) for path in files)
        if first not in {0, 1}:
            print(f"{folder.name}: keyguard ended with {first}", file=sys.stderr)
        return Result(
            folder.name,
            len(planted),
            sum(one.key in held and one.key not in code for one in planted),
            left,
            lost,
            broken,
            sum(after[path] != again[path] for path in files),
            sum(_stray(before[path], after[path], planted) for path in files),
        )


def _others(folder: str, names: list[str]) -> list[str]:
    return [
        name for name in names if name != ".git" and not name.endswith(".py") and not Path(folder, name).is_dir()
    ] + [".git"]


def _fix(root: Path) -> int:
    command = (keyguard(), "fix", "--isolated", "--select=KG101,KG102,KG103,KG105", "--no-cache", "-q", ".")
    return subprocess.run(command, cwd=root, stdout=subprocess.DEVNULL, check=False).returncode


def _parses(data: bytes) -> bool:
    try:
        ast.parse(data)
    except (SyntaxError, ValueError):
        return False
    return True


def _stray(before: bytes, after: bytes, planted: Sequence[Planted]) -> int:
    """Count the changed lines that held no planted key and are neither an import nor an inserted read."""
    keys = [one.key.encode() for one in planted]
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    stray = 0
    for tag, start, end, first, last in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        stray += sum(not any(key in line for key in keys) for line in old[start:end])
        if tag == "insert":
            stray += sum(not _is_expected(line) for line in new[first:last])
    return stray


def _is_expected(line: bytes) -> bool:
    text = line.strip()
    return not text or text.startswith((b"import ", b"from ", b"if ")) or b"environ" in text


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a Markdown table; 1 when a key was lost, a file broken or a second run changed something."""
    parser = argparse.ArgumentParser(prog="plantings.py", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="repositories to plant keys into copies of")
    parser.add_argument("--most", type=int, default=100, help="keys a repository (default: 100)")
    given = parser.parse_args(arguments)
    results = [prove(folder, given.most) for folder in given.folders]
    titles = ("planted", "moved", "left in the code", "lost", "files broken", "changed by a second run", "stray lines")
    print(f"| repository | {' | '.join(titles)} |\n|---{'|--:' * len(titles)}|")
    rows = [(one.name, _numbers(one)) for one in results]
    totals = tuple(map(sum, zip(*(numbers for _, numbers in rows), strict=True)))
    for name, numbers in (*rows, ("all", totals)):
        print(f"| {name} | {' | '.join(f'{number:,}' for number in numbers)} |")
    left = sum((one.left for one in results), Counter[str]())
    print("\nleft in the code:", ", ".join(f"{kind} {count}" for kind, count in left.most_common()) or "none")
    return int(any(totals[3:6]))


def _numbers(one: Result) -> tuple[int, ...]:
    return one.planted, one.moved, one.left.total(), one.lost, one.broken, one.unstable, one.stray


if __name__ == "__main__":
    sys.exit(main())
