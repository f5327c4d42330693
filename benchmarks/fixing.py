"""Measures what `keyguard fix` costs next to `keyguard check`: 200 findings in 100 files, modules of real size."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from benchmarks import measure, peers
from tests.keys import make

_FILES = 100
_ROUNDS = 5
_LIMIT = 3.0  # the promise: a check that keeps the keys, and one that holds the result against it
_LEAK = """

from openai import OpenAI


def ask(text):
    client = OpenAI(api_key="{}", timeout=60)
    return client.chat.completions.create(model="gpt-5.2", messages=[{{"role": "user", "content": text}}])


OTHER_KEY = "{}"
"""


def write_repository(folder: Path) -> None:
    """Modules of the standard library, each with two leaks behind it."""
    modules = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"), key=lambda path: -path.stat().st_size)
    subprocess.run(("git", "init", "-q", folder), check=True)
    for number, module in enumerate(modules[:_FILES]):
        text = module.read_text(encoding="utf-8", errors="replace")
        leak = _LEAK.format(make("openai", number), make("anthropic", number))
        (folder / module.name).write_text(text + leak, encoding="utf-8")


def cost(folder: Path, *arguments: str) -> tuple[float, float]:
    """CPU and wall seconds of one run."""
    before, start = os.times(), time.perf_counter()
    command = (str(peers.keyguard()), *arguments, "--isolated", "--no-cache", "-q", "--select=KG1", ".")
    done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if done.returncode != 1:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}")
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return used, time.perf_counter() - start


def main() -> int:
    """Print both, and the ratio of their medians; 1 if it is above the limit."""
    checks: list[tuple[float, float]] = []
    fixes: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as temporary:
        pattern = Path(temporary, "pattern")
        pattern.mkdir()
        write_repository(pattern)
        for number in range(_ROUNDS):
            folder = Path(temporary, str(number))
            shutil.copytree(pattern, folder)
            checks.append(cost(folder, "check"))
            fixes.append(cost(folder, "fix"))
    rows = []
    for name, costs in (("check", checks), ("fix", fixes)):
        cpu, wall = (statistics.median(values) for values in zip(*costs, strict=True))
        rows.append([f"keyguard {name}", f"{wall:.2f}", f"{cpu:.2f}"])
    ratio = statistics.median(fix[0] / check[0] for check, fix in zip(checks, fixes, strict=True))
    print(measure.table(["200 findings in 100 files", "wall s", "CPU s"], rows))
    print(f"\nCPU of fix ÷ check: {ratio:.2f}, limit {_LIMIT}")
    return int(ratio > _LIMIT)


if __name__ == "__main__":
    sys.exit(main())
