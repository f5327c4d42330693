"""A Dask cluster on this machine: a scheduler and workers of one thread, each a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[1]
# What a worker does besides its work: it samples its own stack every 10 ms, and looks whether its loop is slow. Both
# are off, as docs/many.md advises: 3 % of a core.
_LEAN = {"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False", "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "500ms"}
_QUIET = ("--no-dashboard", "--host", "127.0.0.1")
_WORKER = ("--nthreads", "1", "--memory-limit", "0", *_QUIET)


class Cluster:
    """The processes of a cluster; `address` is the scheduler's."""

    def __init__(self, folder: Path, workers: int, *options: str) -> None:
        """Start them; what they say goes to a file in `folder`. `options` are for the workers."""
        self._folder = folder
        self._log = (folder / "dask.log").open("ab")
        self._processes: list[subprocess.Popen[bytes]] = []
        told = folder / "scheduler.json"
        told.unlink(missing_ok=True)
        self._start("scheduler", "--port", "0", "--scheduler-file", str(told), *_QUIET)
        while not told.exists():  # it is written whole, under another name first
            time.sleep(0.02)
        self.address = str(json.loads(told.read_text("utf-8"))["address"])
        for number in range(workers):
            self._start("worker", self.address, "--local-directory", str(folder / str(number)), *_WORKER, *options)

    def wait_for(self, workers: int) -> None:
        """Wait until so many workers are there."""
        import distributed  # noqa: PLC0415  # an extra, and slow

        dask: Any = distributed
        with dask.Client(self.address, timeout="60s", set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)

    def _start(self, *argv: str) -> None:
        environment = {**os.environ, **_LEAN, "PYTHONPATH": str(_ROOT)}
        command = [sys.executable, "-m", "dask", *argv]
        self._processes.append(
            subprocess.Popen(command, env=environment, cwd=self._folder, stdout=self._log, stderr=self._log)
        )

    def stop(self) -> None:
        """End them all."""
        # A worker that is asked to end says goodbye to the scheduler first, if it is still there.
        for process in reversed(self._processes):
            process.terminate()
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline and any(process.poll() is None for process in self._processes):
            time.sleep(0.02)
        for process in self._processes:
            process.kill()
            process.wait()
        self._log.close()


@contextmanager
def running(folder: Path, workers: int, *options: str) -> Iterator[Cluster]:
    """A cluster whose workers are there."""
    folder.mkdir(exist_ok=True)
    cluster = Cluster(folder, workers, *options)
    try:
        cluster.wait_for(workers)
        yield cluster
    finally:
        cluster.stop()
