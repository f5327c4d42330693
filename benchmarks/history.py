"""Whole histories next to other tools, in one run: `python -m benchmarks.history [REPOSITORY…] [--quick]`.

Every repository is cloned bare, so that all tools read the same objects and nothing else; one of more than 100,000
objects is generated. The promises at the end are the project's own limits, each with what was measured.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import measure, peers
from benchmarks.measure import Command, Cost
from benchmarks.speed import MEGABYTE, Promise, compile_keyguard, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMITS = 35_000  # of the generated history: each adds a commit, a tree and a blob
FILES = 40  # modules of the standard library that it edits


class History(NamedTuple):
    """A bare repository, and what it holds: objects, and bytes of distinct blobs."""

    folder: Path
    objects: int
    size: int


def generated(folder: Path, commits: int) -> Path:
    """Make a repository whose commits each change a line of one of the standard library's modules."""
    folder.mkdir()
    subprocess.run(("git", "init", "-q", "--bare", folder), check=True)
    # Piece by piece: what this process holds would count as the memory of each tool that it starts.
    with subprocess.Popen(("git", "-C", folder, "fast-import", "--quiet"), stdin=subprocess.PIPE) as process:
        if process.stdin is not None:
            process.stdin.writelines(_stream(commits))
    if process.returncode:
        sys.exit(f"git fast-import ended with {process.returncode}")
    subprocess.run(("git", "-C", folder, "repack", "-adq"), check=True)
    return folder


def _stream(commits: int) -> Iterator[bytes]:
    rng = random.Random(commits)  # noqa: S311  # the same history each time
    library = Path(sysconfig.get_paths()["stdlib"])
    modules = sorted(library.glob("*.py"), key=lambda path: path.name)[:FILES]
    files = {path.name: path.read_bytes().splitlines(keepends=True) for path in modules}
    for number in range(commits):
        when = f"A Person <person@example.org> {1_500_000_000 + number * 600} +0000"
        names = list(files) if number == 0 else [rng.choice(sorted(files))]
        yield f"commit refs/heads/main\ncommitter {when}\ndata 6\nchange\n".encode()
        for name in names:
            lines = files[name]
            lines[rng.randrange(len(lines))] = f"# line {number} of a change that says nothing\n".encode()
            data = b"".join(lines)
            yield f"M 100644 inline {name}\ndata {len(data)}\n".encode() + data + b"\n"


def cloned(repository: Path, folder: Path) -> Path:
    """Clone a repository bare, with all its refs; objects are shared, so that one may be missing."""
    subprocess.run(("git", "clone", "-q", "--mirror", "--shared", repository, folder), check=True)
    return folder


def history_of(folder: Path) -> History:
    """Count a repository's objects."""
    form = "--batch-check=%(objecttype) %(objectsize)"
    found = subprocess.run(
        ("git", "-C", folder, "cat-file", "--batch-all-objects", "--unordered", "--buffer", form),
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    blobs = [int(line.split()[1]) for line in found if line.startswith("blob")]
    return History(folder, len(found), sum(blobs))


def commands(folder: Path, elsewhere: Path, *, slow: int) -> list[Command]:
    """Every tool over a whole history."""
    ours = (peers.keyguard(), "audit", "--isolated", "--quiet", "--output-format=json", f"--output-file={os.devnull}")
    kingfisher = (
        peers.peers() / "kingfisher",
        "scan",
        "--no-validate",
        "--no-update-check",
        "--git-history=full",
        "--format=json",
        "--redact",
        folder,
    )
    found = [
        Command("keyguard", (*ours, "--no-cache", "."), folder),
        Command("keyguard --jobs 1", (*ours, "--no-cache", "--jobs=1", "."), folder),
        # One that has a core to itself, with its git: what a second worker adds to is this.
        *(
            [
                Command(
                    "keyguard --jobs 1, one core", ("taskset", "-c", "0", *ours, "--no-cache", "--jobs=1", "."), folder
                )
            ]
            if shutil.which("taskset")
            else []
        ),
        Command("keyguard again", (*ours, "."), folder),
        Command("kingfisher", kingfisher, elsewhere, (0, 200, 205)),
        Command("git streaming every blob", ("sh", "-c", _STREAM), folder),
    ]
    gitleaks = shutil.which("gitleaks")
    if gitleaks:
        found.append(Command("gitleaks", (gitleaks, "git", "--no-banner", "--redact", "."), folder, rounds=slow))
    betterleaks = peers.peers() / "betterleaks"
    if betterleaks.exists():
        argv = (betterleaks, "git", "--no-banner", "--redact", "--log-level=error", ".")
        found.append(Command("betterleaks", argv, folder, rounds=slow))
    return found


_STREAM = (
    "git cat-file --batch-all-objects --unordered --buffer --batch-check='%(objectname) %(objecttype)'"
    " | sed -n 's/ blob$//p' | git cat-file --batch --buffer > /dev/null"
)


def promises(name: str, costs: dict[str, Cost]) -> list[Promise]:
    """Hold the project's limits against what was measured on one history."""
    ours = costs["keyguard"]
    kept = [Promise(f"{name}: wall time of kingfisher", ours.wall / costs["kingfisher"].wall, 1.0)]
    if "gitleaks" in costs:
        kept.append(Promise(f"{name}: wall time of gitleaks", ours.wall / costs["gitleaks"].wall, 0.25))
    alone = costs.get("keyguard --jobs 1, one core", costs["keyguard --jobs 1"])
    kept.append(Promise(f"{name}: speed-up by a second core", alone.wall / ours.wall, 1.7, at_least=True))
    kept.append(Promise(f"{name}: second run's share of the first", costs["keyguard again"].wall / ours.wall, 0.05))
    kept.append(Promise(f"{name}: memory of a process, MB", ours.largest / MEGABYTE, 300))
    return kept


def measured(histories: Sequence[History], rounds: int) -> tuple[dict[str, dict[str, Cost]], list[Promise]]:
    """Measure every history; its costs by tool, and the promises."""
    results: dict[str, dict[str, Cost]] = {}
    kept: list[Promise] = []
    for history in histories:
        title = f"{history.folder.name}, {history.objects:,} objects, {history.size / MEGABYTE:,.0f} MB of blobs"
        print(title, file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="keyguard-bench-") as elsewhere:
            env = {**os.environ, "XDG_CACHE_HOME": elsewhere, "KEYGUARD_CACHE_DIR": elsewhere}
            found = measure.side_by_side(commands(history.folder, Path(elsewhere), slow=1), rounds, env)
        results[title] = found
        kept += promises(history.folder.name, found)
    return results, kept


def linear(histories: Sequence[History], results: dict[str, dict[str, Cost]]) -> Promise:
    """How much more a byte costs in the larger generated history than in the smaller one."""
    costs = [
        found["keyguard --jobs 1"].cpu / history.size
        for history, found in zip(histories, results.values(), strict=True)
    ]
    return Promise("generated: CPU a byte, the long history to the short one", costs[0] / costs[1], 1.2)


def main() -> int:
    """Measure, print, and give 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description="Measures an audit's speed and memory next to other tools.")
    parser.add_argument("repositories", nargs="*", type=Path, metavar="REPOSITORY", help="with a long history")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    arguments = parser.parse_args()
    compile_keyguard()
    rounds = 3 if arguments.quick else 7
    with tempfile.TemporaryDirectory(prefix="keyguard-bench-") as folder:
        made = [generated(Path(folder, "generated"), COMMITS), generated(Path(folder, "shorter"), COMMITS // 4)]
        histories = [history_of(one) for one in made]
        for repository in arguments.repositories:
            name = repository.resolve().name if repository.name != "repo" else repository.resolve().parent.name
            histories.append(history_of(cloned(repository.resolve(), Path(folder, name.rpartition("+")[2]))))
        results, kept = measured(histories, rounds)
        kept.append(linear(histories[:2], dict(list(results.items())[:2])))
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, ", end="")
    print(", ".join(f"{name} {version}" for name, version in peers.versions().items()))
    print(f"\n{show(results, kept)}")
    return 0 if all(one.kept for one in kept) else 1


if __name__ == "__main__":
    sys.exit(main())
