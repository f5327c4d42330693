"""Runs a program and tells what it cost: wall time, CPU time and memory of it and of all it started."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SAMPLE_SECONDS = 0.02  # how often the process tree's memory is added up; shorter peaks are missed
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, slots=True)
class Cost:
    """One run: seconds, and memory in bytes; `largest` is the biggest single process, `tree` all of them together.

    `tree` counts pages that processes share once for each of them, and is 0 where /proc does not exist.
    """

    wall: float
    cpu: float
    largest: int
    tree: int
    code: int


@dataclass(frozen=True, slots=True)
class Command:
    """A tool's command line, the folder it runs in and the exit codes that mean it did its work."""

    name: str
    argv: Sequence[str | Path]
    cwd: Path
    codes: tuple[int, ...] = (0, 1)
    rounds: int | None = None


def run(command: Command, env: Mapping[str, str] | None = None, *, sample: bool = False) -> Cost:
    """Run a command to its end without keeping its output; SystemExit if it fails.

    CPU time is the kernel's own account of the process and of every descendant that was waited for.
    """
    errors = _errors()
    with errors.open("wb") as stream:
        began = time.perf_counter()
        child = subprocess.Popen(
            [str(part) for part in command.argv],
            cwd=command.cwd,
            env=dict(env) if env is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stream,
        )
        tree = 0
        while sample:
            done, status, usage = os.wait4(child.pid, os.WNOHANG)
            if done:
                break
            tree = max(tree, _tree_memory(child.pid))
            time.sleep(_SAMPLE_SECONDS)
        else:
            _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in command.codes:
        tail = errors.read_text(encoding="utf-8", errors="replace")[-2000:]
        sys.exit(f"{command.name} ended with {child.returncode}:\n{tail}")
    # Kilobytes on Linux, bytes on macOS.
    largest = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Cost(wall, usage.ru_utime + usage.ru_stime, largest, tree, child.returncode)


def side_by_side(commands: Sequence[Command], rounds: int, env: Mapping[str, str] | None = None) -> dict[str, Cost]:
    """Run every command once to warm the disk cache, then in turns (A B C A B C …), and give each one's medians.

    A command with `rounds` of its own sits out the rest. Memory is the largest seen.
    """
    for command in commands:
        if command.rounds is None:
            run(command, env)
    costs: dict[str, list[Cost]] = {command.name: [] for command in commands}
    for number in range(rounds):
        for command in commands:
            if command.rounds is None or number < command.rounds:
                print(f"  {command.name} {number + 1}", file=sys.stderr)
                # Sampling wakes a core; it is done in one round only, which is not the one that is slow to start.
                costs[command.name].append(run(command, env, sample=number == 0))
    return {name: _median(found) for name, found in costs.items()}


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        max(cost.largest for cost in costs),
        max(cost.tree for cost in costs),
        costs[-1].code,
    )


def _errors() -> Path:
    import tempfile  # noqa: PLC0415  # only here

    return Path(tempfile.gettempdir(), f"keyguard-bench-{os.getpid()}.err")


def _tree_memory(pid: int) -> int:
    """Add up the resident memory of a process and its descendants, in bytes."""
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            total += int(Path(f"/proc/{one}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (task / "children").read_text(encoding="ascii").split())
        except (OSError, IndexError):
            continue  # it ended meanwhile, or there is no /proc
    return total


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table: first column to the left, numbers to the right."""
    lines = ["| " + " | ".join(header) + " |", "|" + "|".join(["---"] + ["--:"] * (len(header) - 1)) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
