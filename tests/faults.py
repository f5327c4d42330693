"""Runs code in a process of its own that meets a fault: killed at one of its system calls, or on a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[1]
_CHILD = """
import os, signal, sys

fault, at = sys.argv[1], int(sys.argv[2])
calls = 0

def counted(call):
    def faulty(*arguments, **named):
        global calls
        calls += 1
        if calls == at and fault == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = call(*arguments, **named)
        if calls == at and fault == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer
    return faulty

for name in sys.argv[3].split(","):
    setattr(os, name, counted(getattr(os, name)))
if fault == "full":
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (at, at))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
"""


def meet(  # noqa: PLR0913  # the fault, the code, and where it runs
    code: str,
    fault: str,
    at: int,
    calls: Iterable[str],
    *given: str,
    imports: str = "",
    cwd: Path | None = None,
    environ: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run code that finds what it is `given` in `sys.argv[4:]`, and meets a fault on its way.

    `fault` is `before` or `after`: SIGKILL around the call of `os` with the number `at`, of those named by `calls`;
    `full`: no file may grow beyond `at` bytes; anything else is none. The code may read `calls`, how many there were;
    what `imports` calls is not counted.
    """
    return subprocess.run(
        [sys.executable, "-c", imports + _CHILD + code, fault, str(at), ",".join(calls), *given],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        env={**(os.environ if environ is None else environ), "PYTHONPATH": str(ROOT)},
        check=False,
    )
