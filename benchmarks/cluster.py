"""An audit of many repositories on local processes and on a Dask cluster: `python -m benchmarks.cluster`.

It makes small repositories with planted keys, and audits them with 1, 2 and 4 workers of each kind, in turns. Workers
are started, and their session made, before the clock runs: a cluster is there already when an audit begins. The limit
at the end is the project's own: what the cluster takes over local processes on the same cores.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import measure
from benchmarks.speed import MODEL_CODE, Promise
from keyguard.catalogue import load
from keyguard.many.executors import Workers, cluster, local
from keyguard.many.reading import Options, engine, grouping
from keyguard.many.repositories import repositories_of
from keyguard.many.running import run
from keyguard.many.store import open_store
from tests.clusters import running
from tests.keys import make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from keyguard.leaks import Audit
    from keyguard.many.repositories import Repo

MEGABYTE = 1_000_000
REPOSITORIES = 200
WORKERS = (1, 2, 4)
OVERHEAD = 0.10
KEYS = ("openai/project", "anthropic", "groq", "huggingface", "openrouter")
MANY = 100_000
PRICE = 0.05  # $ a core hour: what clouds ask for machines on demand
_WARM = 8  # repositories that are audited before the clock runs


class Cost(NamedTuple):
    """What one audit took: seconds of the clock, seconds that this process and all together worked, bytes of store."""

    wall: float
    own: float
    cpu: float
    store: int


# Repositories ---------------------------------------------------------------------------------------------------------


def make_repositories(folder: Path, count: int, *, seed: int = 0) -> int:
    """Make bare repositories of 20 to 60 commits, every other one with a leaked key; give how many keys there are."""
    planted = 0
    for number in range(count):
        rng = random.Random(f"{seed}:{number}")  # noqa: S311  # the same repositories each time
        keys = [make(rng.choice(KEYS), f"{seed}:{number}")] if number % 2 else []
        planted += len(keys)
        place = folder / f"team-{number // 20}" / f"repository-{number}.git"
        subprocess.run(("git", "init", "-q", "--bare", "-b", "main", place), check=True)
        subprocess.run(
            ("git", "-C", place, "fast-import", "--quiet"),
            input=b"".join(history(rng, commits=rng.randint(20, 60), keys=keys)),
            check=True,
        )
    return planted


def history(rng: random.Random, *, commits: int, keys: Sequence[str]) -> Iterator[bytes]:
    """Give a history as `git fast-import` reads it: files that grow, and keys that come and go."""
    files = {f"app/chat_{number}.py": MODEL_CODE.format(number=number) for number in range(rng.randint(3, 8))}
    leaks = {rng.randrange(1, commits // 2): key for key in keys}
    for number in range(commits):
        # The first commit brings all files, the others change a few.
        changed = list(files) if number == 0 else rng.sample(sorted(files), rng.randint(1, 3))
        for name in changed:
            files[name] += f"\n\ndef step_{number}() -> int:\n    return {rng.randrange(10**9)}\n"
        if number in leaks:
            changed.append("settings.py")
            files["settings.py"] = f'OPENAI_API_KEY = "{leaks[number]}"\n'
        elif "settings.py" in files and number > commits // 2:
            changed.append("settings.py")
            files["settings.py"] = 'import os\n\nOPENAI_API_KEY = os.environ["OPENAI_API_KEY"]\n'
        when = 1_700_000_000 + 3600 * number
        yield f"commit refs/heads/main\ncommitter A Person <person@example.org> {when} +0000\n".encode()
        yield _data(f"step {number}\n")
        for name in changed:
            yield f"M 100644 inline {name}\n".encode() + _data(files[name])
    yield b"done\n"


def _data(text: str) -> bytes:
    raw = text.encode()
    return b"data %d\n%s\n" % (len(raw), raw)


# Workers --------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def dask(workers: int, folder: Path) -> Iterator[Workers]:
    """A Dask scheduler and so many workers of one thread, each a process."""
    with running(folder / "dask", workers, "--no-nanny") as started, cluster(started.address) as opened:
        yield opened


# Measuring ------------------------------------------------------------------------------------------------------------


def audited(repos: Sequence[Repo], workers: Workers, store: Path) -> tuple[Cost, Audit]:
    """Audit repositories into a new store, and tell what it took."""
    store.unlink(missing_ok=True)
    own, cpu, began = time.process_time(), _cpu(), time.perf_counter()
    with open_store(str(store)) as opened:
        run(repos, engine(Options()), workers, opened, group=grouping(load()))
        wall, own, cpu = time.perf_counter() - began, time.process_time() - own, _cpu() - cpu
        audit = opened.read()
    return Cost(wall, own, cpu, store.stat().st_size), audit


def _cpu() -> float:
    """The seconds that this process and all that it started have worked; those that were waited for are in it."""
    total, waiting = 0.0, [os.getpid()]
    tick = os.sysconf("SC_CLK_TCK")
    while waiting:
        one = waiting.pop()
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text("ascii").rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / tick
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (task / "children").read_text("ascii").split())
    return total


def measured(repos: Sequence[Repo], folder: Path, rounds: int) -> dict[tuple[str, int], Cost]:
    """Audit with every kind and number of workers, in turns, and give the medians."""
    kinds: Mapping[str, Callable[[int], contextlib.AbstractContextManager[Workers]]] = {
        "processes": local,
        "dask": lambda workers: dask(workers, folder),
    }
    costs: dict[tuple[str, int], list[Cost]] = {}
    found: list[object] = []
    for workers in WORKERS:
        for number in range(rounds):
            for kind, opens in kinds.items():
                print(f"  {kind}, {workers} workers, {number + 1}", file=sys.stderr)
                with opens(workers) as opened:
                    audited(repos[: _WARM * workers], opened, folder / "warm.sqlite")
                    cost, audit = audited(repos, opened, folder / "audit.sqlite")
                costs.setdefault((kind, workers), []).append(cost)
                found.append(audit)
    if any(one != found[0] for one in found):
        sys.exit("audits of the same repositories differ")
    return {
        which: Cost(
            statistics.median(one.wall for one in some),
            statistics.median(one.own for one in some),
            statistics.median(one.cpu for one in some),
            max(one.store for one in some),
        )
        for which, some in costs.items()
    }


def promises(costs: Mapping[tuple[str, int], Cost]) -> list[Promise]:
    """Hold the project's limit against what was measured."""
    cores = os.cpu_count() or 1
    return [
        Promise(
            f"{workers} workers: what Dask takes over local processes, wall time",
            costs["dask", workers].wall / costs["processes", workers].wall - 1,
            OVERHEAD,
        )
        for workers in WORKERS
        if workers <= cores
    ]


def show(costs: Mapping[tuple[str, int], Cost], size: int, count: int, kept: Sequence[Promise]) -> str:
    """The tables."""
    rows = [
        [
            f"{kind}, {workers}",
            f"{cost.wall:.2f}",
            f"{cost.cpu:.2f}",
            f"{count / cost.wall:.1f}",
            f"{size / cost.wall / MEGABYTE:.1f}",
            f"{cost.cpu / count * 1000:.1f}",
        ]
        for (kind, workers), cost in costs.items()
    ]
    header = ("workers", "wall s", "CPU s", "repositories a second", "MB a second", "CPU ms a repository")
    parts = [measure.table(header, rows)]
    lines = [[one.what, f"{one.measured:+.1%}", f"≤ {one.limit:.0%}", "yes" if one.kept else "**no**"] for one in kept]
    parts.append(measure.table(("what", "measured", "limit", "kept"), lines))
    parts.append(measure.table(("100,000 repositories like these", ""), further(costs, size, count)))
    return "\n\n".join(parts)


def further(costs: Mapping[tuple[str, int], Cost], size: int, count: int) -> list[list[str]]:
    """What 100,000 repositories would take on a cluster, from what these took on the one with two workers."""
    cost, share = costs["dask", 2], MANY / count
    work, own = (cost.cpu - cost.own) * share, cost.own * share
    hours = work / 3600
    return [
        ["distinct blobs, GB", f"{size * share / 1e9:,.0f}"],
        ["work, core hours", f"{hours:,.1f}"],
        ["… of the process that starts it, minutes of one core", f"{own / 60:,.1f}"],
        ["workers that it keeps busy at most", f"{work / own:,.0f}"],
        ["minutes with 32 workers", f"{max(hours / 32, own / 3600) * 60:,.0f}"],
        [f"cost at {PRICE} $ a core hour, $", f"{hours * PRICE:,.2f}"],
        ["store, MB", f"{cost.store * share / MEGABYTE:,.0f}"],
    ]


def main() -> int:
    """Measure, print, and give 1 if the promise is broken."""
    parser = argparse.ArgumentParser(description="Measures audits of many repositories on local processes and Dask.")
    parser.add_argument("--repositories", type=int, default=REPOSITORIES, help="how many to make")
    parser.add_argument("--rounds", type=int, default=3, help="audits of each kind")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keyguard-bench-") as name:
        folder = Path(name)
        planted = make_repositories(folder / "clones", arguments.repositories)
        repos = repositories_of(str(folder / "clones"))
        with local(1) as one:
            _, audit = audited(repos, one, folder / "audit.sqlite")
        size = sum(each.size for each in audit.repositories)
        if len(audit.leaks) != planted:
            sys.exit(f"{len(audit.leaks)} keys were found of {planted}")
        costs = measured(repos, folder, arguments.rounds)
    kept = promises(costs)
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores; {len(repos)} repositories, ", end="")
    print(f"{size / MEGABYTE:.1f} MB of distinct blobs, {planted} keys\n\n{show(costs, size, len(repos), kept)}")
    return 0 if all(one.kept for one in kept) else 1


if __name__ == "__main__":
    sys.exit(main())
