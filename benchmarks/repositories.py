"""CPU on repositories full of model code, next to bandit and ruff: `python -m benchmarks.repositories FOLDER …`.

keyguard runs with all its rules on one core, cold and then from its cache; every tool runs in turns with the others on
the same folder. The limits at the end are the project's own: half of bandit's CPU, and a tenth of the first run's for a
second one that finds nothing changed (of fewer than two dozen files nothing is remembered).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure, peers
from benchmarks.measure import Command
from benchmarks.speed import compile_keyguard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.measure import Cost

SHARE_OF_BANDIT = 0.5
SHARE_OF_COLD = 0.1
HEADER = (
    "folder", "keyguard s", "bandit s", "ruff (S) s", "keyguard ÷ bandit", "keyguard again s", "again ÷ first", "kept"
)  # fmt: skip


def commands(folder: Path, elsewhere: Path) -> list[Command]:
    """Every tool on one folder; all of them run in another one, so that no settings of the repository hold."""
    tools = peers.peers()
    check = (peers.keyguard(), "check", "--isolated", "--quiet", "--jobs=1")
    return [
        Command("keyguard", (*check, "--no-cache", folder), elsewhere),
        Command("bandit", (tools / "bandit", "-q", "-r", folder), elsewhere),
        Command(
            "ruff (S)", (tools / "ruff", "check", "--isolated", "--no-cache", "--select=S", "-q", folder), elsewhere
        ),
        # The run that warms the disk cache fills keyguard's own, too.
        Command("keyguard again", (*check, folder), elsewhere),
    ]


def row(folder: Path, costs: Mapping[str, Cost]) -> tuple[list[str], bool]:
    """The line of one folder, and whether both limits are kept there."""
    cold, again, bandit = costs["keyguard"].cpu, costs["keyguard again"].cpu, costs["bandit"].cpu
    kept = cold <= SHARE_OF_BANDIT * bandit and again <= SHARE_OF_COLD * cold
    cells = [
        folder.name,
        f"{cold:.2f}",
        f"{bandit:.2f}",
        f"{costs['ruff (S)'].cpu:.2f}",
        f"{cold / bandit:.2f}",
        f"{again:.2f}",
        f"{again / cold:.2f}",
        "yes" if kept else "**no**",
    ]
    return cells, kept


def measured(folders: Sequence[Path], rounds: int) -> tuple[list[list[str]], bool]:
    """Measure every folder; the lines of the table, and whether the limits are kept everywhere."""
    rows: list[list[str]] = []
    everywhere = True
    for folder in folders:
        print(folder, file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="keyguard-bench-") as elsewhere:
            # A cache of its own: what other runs remember would make the first one a second.
            env = {**os.environ, "XDG_CACHE_HOME": elsewhere, "KEYGUARD_CACHE_DIR": elsewhere}
            cells, kept = row(folder, measure.side_by_side(commands(folder, Path(elsewhere)), rounds, env))
        rows.append(cells)
        everywhere = everywhere and kept
    return rows, everywhere


def main() -> int:
    """Measure, print a Markdown table, and give 1 if a limit is broken."""
    parser = argparse.ArgumentParser(description="Measures keyguard's CPU on repositories next to bandit and ruff.")
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a repository with Python in it")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each tool, of which the median counts")
    arguments = parser.parse_args()
    compile_keyguard()
    rows, kept = measured([folder.resolve() for folder in arguments.folders], arguments.rounds)
    print(f"Python {sys.version.split()[0]}, ", end="")
    print(", ".join(f"{name} {version}" for name, version in peers.versions().items()))
    print(f"\n{measure.table(HEADER, rows)}")
    print(f"\nLimits: keyguard ÷ bandit ≤ {SHARE_OF_BANDIT}, again ÷ first ≤ {SHARE_OF_COLD}.")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
