"""An engine whose units are known beforehand: what they do is written to a log, and some of them end their process."""

from __future__ import annotations

import functools
import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from keyguard.discover.git import GitError
from keyguard.leaks import Audited, Sighting
from keyguard.many.repositories import opened, state_of
from keyguard.many.running import Engine, Lost
from keyguard.many.store import Found
from keyguard.model import Confidence, Finding, Severity, Span
from tests.runs import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keyguard.many.repositories import Repo

KEY = "ab" * 32
MEGABYTE = 1_000_000


class Part(NamedTuple):
    """One unit: of which repository, its number, its size."""

    name: str
    number: int
    size: int


class Script(NamedTuple):
    """What happens: the costs of each repository's units, and which units do what.

    `kill` are units (`name/number`, or `name/plan`) that end their process each time, `once` only the first time;
    `fail` raise; `slow` take so many seconds each. `folder` holds the log and marks.
    """

    folder: str
    costs: Mapping[str, Sequence[int]]
    kill: Sequence[str] = ()
    once: Sequence[str] = ()
    fail: Sequence[str] = ()
    slow: float = 0.0


def engine(script: Script, stamp: str = "") -> Engine:
    """The engine that follows a script."""
    return Engine(functools.partial(session, json.dumps(script)), functools.partial(state, stamp), plan, work, assemble)


def session(text: str) -> Script:
    """What a worker makes once."""
    script = Script(*json.loads(text))
    note(script, "session")
    return script


def state(stamp: str, repo: Repo, _: Script) -> str:
    """What the repository holds, as for every engine."""
    return state_of(opened(repo), stamp)


def plan(repo: Repo, script: Script) -> list[Part]:
    """The units the script has for a repository."""
    step(script, f"{repo.name}/plan")
    return [Part(repo.name, number, size) for number, size in enumerate(script.costs[repo.name])]


def work(part: Part, script: Script) -> tuple[str, int]:
    """Do one unit."""
    time.sleep(script.slow)
    step(script, f"{part.name}/{part.number}")
    return part.name, part.number


def assemble(repo: Repo, results: Sequence[Any], script: Script) -> Found:
    """One sighting for each result."""
    step(script, f"{repo.name}/assemble")
    kept = [result for result in results if not isinstance(result, Lost)]
    lost = [result.unit for result in results if isinstance(result, Lost)]
    assert all(name == repo.name for name, _ in kept)
    places = tuple(sighting(number) for _, number in kept)
    size = sum(script.costs[repo.name])
    audited = Audited("the engine's", "own", blobs=len(kept), size=size, missing=sum(unit.size for unit in lost))
    return Found(audited, places)


def sighting(number: int) -> Sighting:
    """The one that a unit of this number has found."""
    span = Span(number, number + 1)
    finding = Finding("KG101", "a.py", span, number + 1, 1, 1, 2, "a key", Severity.HIGH, Confidence.HIGH, "f", KEY)
    return Sighting(finding, at_head=True)


def step(script: Script, name: str) -> None:
    """Note that a step began, and do what the script wants of it."""
    note(script, name)
    if name in script.fail:
        message = f"{name} failed"
        raise GitError(message) if name.endswith("plan") else ValueError(message)
    if name in script.kill:
        os.kill(os.getpid(), signal.SIGKILL)
    mark = Path(script.folder) / name.replace("/", "-")
    if name in script.once and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def note(script: Script, what: str) -> None:
    """Add a line to the log; a short one is added whole by any process."""
    descriptor = os.open(Path(script.folder) / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{os.getpid()} {what}\n".encode())
    os.close(descriptor)


def log(script: Script) -> list[tuple[int, str]]:
    """Who did what."""
    lines = (Path(script.folder) / "log").read_text("ascii").splitlines()
    return [(int(line.split(" ")[0]), line.split(" ")[1]) for line in lines]


def steps(script: Script) -> list[str]:
    """What was done, in alphabetical order."""
    return sorted(what for _, what in log(script) if what != "session")


def clones(folder: Path, names: Sequence[str]) -> Any:  # noqa: ANN401  # a list file's path
    """Make a repository of each name and a list of them; give the list's path."""
    for name in names:
        Tree(folder / name).git("init", "-q", "-b", "main")
    (folder / "list.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return str(folder / "list.txt")
