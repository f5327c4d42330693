"""Requests without a timeout in a folder: what ruff's S113, bandit's B113 and keyguard report, and every difference.

    python -m benchmarks.timeouts FOLDER

keyguard's KG301 (no timeout) and KG303 (one that is switched off) together are what the other two report as one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from benchmarks.peers import keyguard, peers

RULES = ("KG301", "KG303")
Place = tuple[str, int, str]  # path, line, rule
_SPAN = 12  # lines of one call


def main(argv: list[str] | None = None) -> int:
    """Compare the three on a folder and print what each says alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quiet", action="store_true", help="print the counts only")
    arguments = parser.parse_args(argv)
    root = arguments.folder.resolve()
    ours = of_keyguard(root)
    theirs = {"ruff S113": of_ruff(root), "bandit B113": of_bandit(root)}
    both = {place for places in theirs.values() for place in places}
    print(f"{'keyguard ' + '+'.join(RULES):<24}{len(ours):>6}")
    for name, places in theirs.items():
        agreed = sum(any(_same(one, place) for one in ours) for place in places)
        print(f"{name:<24}{len(places):>6}   agreed {agreed:>5}")
    only_theirs = sorted(place for place in both if not any(_same(one, place) for one in ours))
    only_ours = sorted(place for place in ours if not any(_same(place, one) for one in both))
    print(f"{'only theirs':<24}{len(only_theirs):>6}")
    print(f"{'only ours':<24}{len(only_ours):>6}")
    if not arguments.quiet:
        for title, alone in (("only theirs", only_theirs), ("only ours", only_ours)):
            for path, line, rule in alone:
                print(f"{title}: {rule} {path}:{line}: {_text(root / path, line)}")
    return 0


def of_keyguard(root: Path) -> set[Place]:
    """Where keyguard finds a request without a timeout."""
    options = ("--isolated", "--select", ",".join(RULES), "--output-format", "json", "--exit-zero")
    done = _run((keyguard(), "check", *options, "."), root)
    found = json.loads(done)["findings"]
    return {
        (_relative(item["path"], root), item["line"], item["rule"])
        for item in found
        if not item["path"].endswith(".ipynb")
    }


def of_ruff(root: Path) -> set[Place]:
    """Where ruff finds one."""
    options = (
        "--isolated",
        "--no-cache",
        "--select",
        "S113",
        "--ignore-noqa",
        "--output-format",
        "json",
        "--exit-zero",
    )
    done = _run((peers() / "ruff", "check", *options, "."), root)
    return {
        (_relative(item["filename"], root), item["location"]["row"], item["code"])
        for item in json.loads(done)
        if not item["filename"].endswith(".ipynb") and item["code"] == "S113"
    }


def of_bandit(root: Path) -> set[Place]:
    """Where bandit finds one."""
    options = ("-q", "-r", ".", "-t", "B113", "-f", "json", "--exit-zero", "--ignore-nosec")
    done = _run((peers() / "bandit", *options), root)
    found = json.loads(done)["results"]
    return {(_relative(item["filename"], root), item["line_number"], item["test_id"]) for item in found}


def _run(command: tuple[str | Path, ...], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, encoding="utf-8")
    if done.returncode not in {0, 1}:
        sys.exit(done.stderr)
    return done.stdout


def _relative(name: str, root: Path) -> str:
    path = Path(name)
    return (path.relative_to(root) if path.is_absolute() else path).as_posix()


def _same(ours: Place, theirs: Place) -> bool:
    """Tell whether two findings mean one call: the others point at its first line, KG303 at the argument."""
    return ours[0] == theirs[0] and theirs[1] <= ours[1] <= theirs[1] + (_SPAN if ours[2] == "KG303" else 0)


def _text(path: Path, line: int) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[line - 1].strip()[:120] if line <= len(lines) else ""


if __name__ == "__main__":
    sys.exit(main())
