"""Speed and memory next to other tools, in one run: `python -m benchmarks.speed [--json] [--quick]`.

Every scene runs its tools in turns (A B C A B C …) on the same files and takes medians; the promises at the end are the
project's own limits, each with what was measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure, peers
from benchmarks.measure import Command, Cost

if TYPE_CHECKING:
    from collections.abc import Iterator

MEGABYTE = 1_000_000
TREE_BYTES = 60 * MEGABYTE
COPIES = 4  # of that tree, which one process checks in less than a second: it takes more to tell what cores bring

# Three files of the standard library that say nothing about models.
PLAIN = ("textwrap.py", "shlex.py", "bisect.py")

MODEL_CODE = '''\
"""Answers questions with a model ({number})."""

import os

from openai import OpenAI

client = OpenAI(api_key=os.environ["OPENAI_API_KEY"], base_url=os.getenv("OPENAI_BASE_URL"), timeout=30)


def ask_{number}(question: str, *, model: str = "gpt-5.2") -> str:
    """Give the model's answer."""
    response = client.chat.completions.create(
        model=model,
        messages=[{{"role": "system", "content": "Be short."}}, {{"role": "user", "content": question}}],
    )
    return response.choices[0].message.content or ""


class Chat{number}:
    """A conversation that remembers."""

    def __init__(self, api_key: str | None = None) -> None:
        self.client = OpenAI(api_key=api_key or os.environ["OPENAI_API_KEY"])
        self.messages: list[dict[str, str]] = []

    def say(self, text: str) -> str:
        """Send one message."""
        self.messages.append({{"role": "user", "content": text}})
        answer = self.client.chat.completions.create(model="gpt-5.2", messages=self.messages)
        self.messages.append({{"role": "assistant", "content": answer.choices[0].message.content}})
        return self.messages[-1]["content"]
'''


@dataclass(frozen=True, slots=True)
class Promise:
    """A limit the project sets itself, and what was measured; all are upper limits unless `at_least`."""

    what: str
    measured: float
    limit: float
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Tell whether it is kept."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def hook_commands(folder: Path, names: tuple[str, ...]) -> list[Command]:
    """Every tool as a hook would call it: with the names of the changed files."""
    tools = peers.peers()
    commands = [
        Command("keyguard", (peers.keyguard(), "check", "--force-exclude", "--", *names), folder),
        # What the other tools look for; the rules about connections are nobody else's.
        Command("keyguard (KG1)", (peers.keyguard(), "check", "--select=KG1", "--", *names), folder),
        Command("detect-secrets-hook", (tools / "detect-secrets-hook", *names), folder),
        Command("ruff (S)", (tools / "ruff", "check", "--isolated", "--no-cache", "--select=S", *names), folder),
        Command("bandit", (tools / "bandit", "-q", *names), folder),
        Command("kingfisher", (*_kingfisher(), *names), folder, (0, 200, 205)),
        Command("betterleaks", (*_betterleaks(), *names), folder),
        # Both Pythons, so that each tool can be held against the start of its own.
        Command("python -c pass", (sys.executable, "-c", "pass"), folder),
    ]
    return [command for command in commands if Path(command.argv[0]).exists()]


def _kingfisher() -> tuple[str | Path, ...]:
    tool = peers.peers() / "kingfisher"
    options = ("--no-validate", "--no-update-check", "--git-history=none", "--format=json", "--redact")
    return (tool, "scan", *options)


def _betterleaks() -> tuple[str | Path, ...]:
    return (peers.peers() / "betterleaks", "--no-banner", "--redact", "--log-level=error", "--silent")


def tree_commands(folder: Path, *, slow: int) -> list[Command]:
    """Every tool on a whole folder; the slow ones run `slow` times."""
    tools = peers.peers()
    return [
        Command("keyguard", (*_check("--select=KG1"), "."), folder),
        Command("keyguard --jobs 1", (*_check("--select=KG1", "--jobs=1"), "."), folder),
        Command("kingfisher", (*_kingfisher(), "."), folder, (0, 200, 205)),
        Command("ruff (S)", (tools / "ruff", "check", "--isolated", "--no-cache", "--select=S", "-q", "."), folder),
        Command("betterleaks", (*_betterleaks(), "."), folder, rounds=slow),
        Command("bandit", (tools / "bandit", "-q", "-r", "."), folder, rounds=slow),
        Command("detect-secrets", (tools / "detect-secrets", "scan", "--all-files", "."), folder, rounds=slow),
    ]


def _check(*options: str) -> tuple[str | Path, ...]:
    return (peers.keyguard(), "check", "--isolated", "--no-cache", "--quiet", *options)


def make_tree(folder: Path) -> tuple[int, int]:
    """Copy the standard library and packages of the peers' environment until `TREE_BYTES`; give files and bytes.

    Under names that no tool leaves out by default, and text only: not every tool reads compiled files. The peers'
    environment is the same for everyone who runs this.
    """
    packages = subprocess.run(
        (peers.peers() / "python", "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"),
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    files = size = 0
    for source, target in ((Path(sysconfig.get_paths()["stdlib"]), "stdlib"), (Path(packages), "packages")):
        for path in sorted(source.rglob("*")):
            inside = path.relative_to(source)
            if size >= TREE_BYTES or not path.is_file() or path.is_symlink():
                continue
            if not {"__pycache__", "site-packages"}.isdisjoint(inside.parts) or _is_binary(path):
                continue
            copy = folder / target / inside
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            files, size = files + 1, size + copy.stat().st_size
    return files, size


def _is_binary(path: Path) -> bool:
    with path.open("rb") as stream:
        return b"\0" in stream.read(8192)


def odd_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files whose shape makes careless scanners slow, each alone in a folder."""

    def place(name: str) -> Path:
        path = folder / name / "data.txt"
        path.parent.mkdir()
        return path

    one_line = place("one-line")
    one_line.write_text("lorem ipsum dolor sit amet, " * (10 * MEGABYTE // 28), encoding="ascii")
    yield "10 MB on one line", one_line.parent
    lines = place("lines")
    lines.write_text("".join(f"{number},a line of text\n" for number in range(1_000_000)), encoding="ascii")
    yield "a million lines", lines.parent
    prefixes = place("prefixes")
    prefixes.write_text("sk-" * (10 * MEGABYTE), encoding="ascii")
    yield "30 MB of sk-sk-sk-…", prefixes.parent


def compile_keyguard() -> None:
    """Compile keyguard's modules as pip does when it installs them: a checkout may never have been (0.1 s a start)."""
    package = Path(__file__).parent.parent / "keyguard"
    subprocess.run((sys.executable, "-m", "compileall", "-q", package), check=True)


def scenes(folder: Path, *, quick: bool) -> tuple[dict[str, dict[str, Cost]], dict[str, float]]:
    """Run every scene; gives the costs by scene and tool, and the sizes the promises need."""
    rounds, slow = (3, 1) if quick else (11, 1)
    results: dict[str, dict[str, Cost]] = {}
    sizes: dict[str, float] = {}
    for scene, writer in (
        ("hook, three files without model code", write_plain),
        ("hook, with model code", write_model),
    ):
        print(scene, file=sys.stderr)
        place = folder / scene.replace(" ", "-")
        place.mkdir()
        names = writer(place)
        results[scene] = measure.side_by_side(hook_commands(place, names), rounds)
    tree = folder / "tree"
    tree.mkdir()
    files, size = make_tree(tree)
    scene = f"tree, {files:,} files, {size / MEGABYTE:.0f} MB"
    print(scene, file=sys.stderr)
    sizes["tree"] = size
    results[scene] = measure.side_by_side(tree_commands(tree, slow=slow), 3 if quick else 5)
    copies = folder / "copies"
    for number in range(COPIES):
        shutil.copytree(tree, copies / str(number))
    scene = f"{COPIES} copies of the tree"
    print(scene, file=sys.stderr)
    results[scene] = measure.side_by_side(tree_commands(copies, slow=0)[:2], 5)
    shutil.rmtree(copies)
    results["odd files (keyguard)"] = {}
    for name, place in odd_files(folder):
        sizes[name] = sum(path.stat().st_size for path in place.iterdir())
        command = Command(name, (*_check("--select=KG1", "--jobs=1"), "."), place)
        results["odd files (keyguard)"] |= measure.side_by_side([command], 3)
    huge = tree / "huge.txt"
    with huge.open("wb") as stream:
        block = b"The quick brown fox jumps over the lazy dog, line after line of a log file.\n" * 13_000
        for _ in range(1000):
            stream.write(block)
    print("with a file of 1 GB", file=sys.stderr)
    command = Command("the tree with a text file of 1 GB", (*_check("--select=KG1"), "."), tree, rounds=1)
    results["odd files (keyguard)"] |= measure.side_by_side([command], 1)
    huge.unlink()
    return results, sizes


def write_plain(folder: Path) -> tuple[str, ...]:
    """Three files of the standard library."""
    for name in PLAIN:
        shutil.copy(Path(sysconfig.get_paths()["stdlib"], name), folder / name)
    return PLAIN


def write_model(folder: Path) -> tuple[str, ...]:
    """Three files that call a model and read their key from the environment, as they should."""
    names = tuple(f"chat_{number}.py" for number in range(3))
    for number, name in enumerate(names):
        (folder / name).write_text(MODEL_CODE.format(number=number), encoding="utf-8")
    return names


def promises(results: dict[str, dict[str, Cost]], sizes: dict[str, float]) -> list[Promise]:
    """Hold the project's limits against what was measured."""
    plain, model, tree, copies, odd = results.values()
    start = plain["python -c pass"].cpu
    quick, detect = plain["keyguard"].cpu, plain["detect-secrets-hook"].cpu
    kept = [
        Promise("hook without model code: CPU of detect-secrets-hook", quick / detect, 0.35),
        Promise("hook without model code: ms over `python -c pass`", (quick - start) * 1000, 70),
        Promise(
            "hook with model code, leaks: CPU of detect-secrets-hook",
            model["keyguard (KG1)"].cpu / model["detect-secrets-hook"].cpu,
            1.2,
        ),
        Promise("hook with model code, all rules: seconds", model["keyguard"].wall, 0.6),
        Promise("tree: CPU of detect-secrets", tree["keyguard"].cpu / tree["detect-secrets"].cpu, 1 / 25),
        Promise("tree: wall time of kingfisher", tree["keyguard"].wall / tree["kingfisher"].wall, 1.0),
    ]
    if (os.cpu_count() or 1) > 1:
        many = copies["keyguard --jobs 1"].wall / copies["keyguard"].wall
        kept.append(Promise("copies of the tree: speed-up by two cores", many, 1.7, at_least=True))
    one = tree["keyguard --jobs 1"]
    share = (one.cpu - start) / sizes["tree"]
    for name, cost in odd.items():
        if name in sizes:
            kept.append(
                Promise(f"{name}: its size's share of the tree's time", (cost.cpu - start) / sizes[name] / share, 2)
            )
    everything = [tree["keyguard"], one, *odd.values()]
    kept.append(Promise("memory of a process, MB", max(cost.largest for cost in everything) / MEGABYTE, 200))
    return kept


def show(results: dict[str, dict[str, Cost]], kept: list[Promise]) -> str:
    """The tables."""
    parts = []
    for scene, costs in results.items():
        ours = costs.get("keyguard")
        header = ["tool", "wall s", "CPU s", "CPU ÷ keyguard", "MB, largest process", "MB, all processes"]
        rows = [
            [
                name,
                f"{cost.wall:.3f}",
                f"{cost.cpu:.3f}",
                f"{cost.cpu / ours.cpu:.2f}" if ours else "",
                f"{cost.largest / MEGABYTE:.0f}",
                f"{cost.tree / MEGABYTE:.0f}" if cost.tree else "",
            ]
            for name, cost in costs.items()
        ]
        parts.append(f"### {scene[0].upper()}{scene[1:]}\n\n{measure.table(header, rows)}")
    rows = [
        [
            one.what,
            f"{one.measured:.3g}",
            f"{'≥' if one.at_least else '≤'} {one.limit:.3g}",
            "yes" if one.kept else "**no**",
        ]
        for one in kept
    ]
    parts.append(f"### Promises\n\n{measure.table(['what', 'measured', 'limit', 'kept'], rows)}")
    return "\n\n".join(parts)


def main() -> int:
    """Measure, print, and give 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description="Measures keyguard's speed and memory next to other tools.")
    parser.add_argument("--json", action="store_true", help="print JSON, not tables")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    arguments = parser.parse_args()
    compile_keyguard()
    with tempfile.TemporaryDirectory(prefix="keyguard-bench-") as folder:
        results, sizes = scenes(Path(folder), quick=arguments.quick)
    kept = promises(results, sizes)
    if arguments.json:
        costs = {scene: {name: asdict(cost) for name, cost in found.items()} for scene, found in results.items()}
        judged = [{**asdict(one), "kept": one.kept} for one in kept]
        print(json.dumps({"versions": peers.versions(), "scenes": costs, "promises": judged}, indent=2))
    else:
        print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, ", end="")
        print(", ".join(f"{name} {version}" for name, version in peers.versions().items()))
        print(f"\n{show(results, kept)}")
    return 0 if all(one.kept for one in kept) else 1


if __name__ == "__main__":
    sys.exit(main())
