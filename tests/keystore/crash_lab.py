"""Stores keys in processes that meet a fault, and tells what is on disk afterwards; run by `test_crashes`.

A process of its own, since it forks: `python -m tests.keystore.crash_lab EXPERIMENT FOLDER`, results as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyguard.keystore import StoreError
from keyguard.keystore.env_file import EnvFile
from keyguard.model import Move, Secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

NAME = "OPENAI_API_KEY"
VALUE = "a-value-that-stands-in-for-a-key"  # of no key's form
OLD = "# mine\r\nDEBUG=1\n" * 400  # more than one page
NOBODY = 65534
# The calls by which a process changes what is on disk.
CALLS = frozenset(
    {"open", "write", "flush", "fsync", "replace", "link", "fchmod", "fchown", "unlink", "close", "mkdir"}
)


def put(folder: Path, name: str = NAME) -> None:
    """Store a key."""
    EnvFile.of(None, str(folder)).put([Move(name, Secret(VALUE))])


def project(folder: Path, *, is_new: bool, has_git: bool = True) -> Path:
    """Make a project, without an env file or with one that everybody may read."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    if has_git:
        subprocess.run(["git", "init", "-q", "--template=", str(folder)], check=True)
    if not is_new:
        (folder / ".env").write_text(OLD, encoding="utf-8", newline="")
        (folder / ".env").chmod(0o644)
        (folder / ".gitignore").write_text("*.log\n", encoding="utf-8")
        (folder / ".env.example").write_text("DEBUG=\n", encoding="utf-8")
    return folder


def forked(work: Callable[[], None]) -> int:
    """Do something in a process of its own; 0 if it was done, 1 for a StoreError, else what ended it."""
    child = os.fork()
    if not child:
        code = 2
        try:
            work()
            code = 0
        except StoreError as error:
            os.write(2, f"{error}\n".encode())
            code = 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at(place: int, folder: Path) -> int:
    """Store a key, and be killed before the call of that number: what follows it, the next number shows."""
    seen = 0

    def count(frame: FrameType, event: str, arg: object) -> None:
        nonlocal seen
        if event != "c_call" or getattr(arg, "__name__", "") not in CALLS:
            return
        if Path(frame.f_code.co_filename).name == "subprocess.py":  # pipes to git, which only reads here
            return
        seen += 1
        if seen == place:
            os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        sys.setprofile(count)
        try:
            put(folder)
        finally:
            sys.setprofile(None)

    return forked(work)


def state(folder: Path) -> dict[str, Any]:
    """What others find: the env file, who may read a key, and what git would publish."""
    env = folder / ".env"
    text = env.read_bytes().decode() if env.exists() else ""
    holders = [path for path in folder.rglob("*") if path.is_file() and VALUE.encode() in path.read_bytes()]
    listed = subprocess.run(
        ["git", "-C", str(folder), "ls-files", "-z", "--others", "--cached", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    visible = [name for name in os.fsdecode(listed.stdout).split("\0") if folder / name in holders]
    return {
        "text": {"": "none", OLD: "old", f"{OLD}{NAME}={VALUE}\n": "new", f"{NAME}={VALUE}\n": "new"}.get(text, "half"),
        "open": [path.name for path in holders if stat.S_IMODE(path.stat().st_mode) & 0o077],
        "published": visible,
        "left": sorted(path.name for path in folder.iterdir() if path.name.startswith(".keyguard-")),
    }


def kill_everywhere(folder: Path) -> list[dict[str, Any]]:
    """Be killed before every call, with and without an env file; where that leaves something new, store it again."""
    results = []
    for is_new in (True, False):
        place, code, seen = 0, -signal.SIGKILL, list[dict[str, Any]]()
        while code == -signal.SIGKILL:
            place += 1
            project(folder, is_new=is_new)
            code = killed_at(place, folder)
            result = {"is_new": is_new, "place": place, "code": code, "after": state(folder)}
            if result["after"] | {"left": len(result["after"]["left"])} not in seen or place % 8 == 0:
                seen.append(result["after"] | {"left": len(result["after"]["left"])})
                result |= {"again": forked(lambda: put(folder)), "then": state(folder)}
            results.append(result)
    return results


def small_files(folder: Path) -> list[dict[str, Any]]:
    """Store a key where no file may become larger than some sizes, as on a full disk."""
    results = []
    for size in (0, 1, 10, 4096, len(OLD), len(OLD) + 10):
        project(folder, is_new=False)

        def work(size: int = size) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            put(folder)

        results.append({"place": size, "code": forked(work), "after": state(folder)})
    return results


def full_disk(folder: Path) -> list[dict[str, Any]]:
    """Store a key on a disk that has no room left; `folder` is a mounted one."""
    inside = project(folder / "project", is_new=False, has_git=False)
    for name in (".gitignore", ".env.example"):
        (inside / name).write_text(f".env\n{NAME}=\n", encoding="utf-8")
    try:
        with (folder / "filler").open("wb", buffering=0) as stream:
            while True:
                stream.write(b"x" * 4096)
    except OSError:
        pass
    return [{"code": forked(lambda: put(inside)), "after": state(inside)}]


def read_only(folder: Path) -> list[dict[str, Any]]:
    """Store a key, as a user without special rights, where the file or the folder may only be read."""
    results = []
    for what, mode in ((".env", 0o444), (".", 0o555)):
        project(folder, is_new=False)
        (folder / ".gitignore").write_text(".env\n", encoding="utf-8")
        (folder / ".git" / "info").mkdir()
        (folder / ".git" / "info" / "exclude").write_text(".env\n.keyguard-*.tmp\n", encoding="utf-8")

        def work(what: str = what, mode: int = mode) -> None:
            if os.geteuid() == 0:
                for path in (folder, *folder.rglob("*")):
                    os.chown(path, NOBODY, NOBODY)
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            (folder / what).chmod(mode)
            put(folder)

        code = forked(work)
        (folder / what).chmod(0o755 if what == "." else 0o644)
        subprocess.run(["git", "config", "--global", "safe.directory", "*"], check=True)
        results.append({"what": what, "code": code, "after": state(folder)})
    return results


def crowd(folder: Path) -> list[dict[str, Any]]:
    """Store eight keys from eight processes at the same time."""
    results = []
    for is_new in (True, False):
        project(folder, is_new=is_new)
        names = [f"KEY_{number}" for number in range(8)]
        ready, start = os.pipe()
        children = []
        for name in names:
            child = os.fork()
            if not child:
                os.close(start)
                os.read(ready, 1)  # until the parent closes its end
                code = 1
                try:
                    put(folder, name)
                    code = 0
                finally:
                    os._exit(code)
            children.append(child)
        os.close(ready)
        os.close(start)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        lines = (folder / ".env").read_bytes().decode().removeprefix("" if is_new else OLD).splitlines()
        results.append({"codes": codes, "lines": sorted(lines), "ignore": (folder / ".gitignore").read_text()})
    return results


EXPERIMENTS = {
    "kill": kill_everywhere,
    "small": small_files,
    "full": full_disk,
    "read-only": read_only,
    "crowd": crowd,
}

if __name__ == "__main__":
    print(json.dumps(EXPERIMENTS[sys.argv[1]](Path(sys.argv[2]))))  # noqa: T201  # its answer
