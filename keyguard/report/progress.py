"""A progress bar on standard error, for a person who waits longer than a second."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Protocol

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from rich.progress import Progress, TaskID

DELAY = 1.0  # seconds: a bar that flashes up tells nobody anything


class Tell(Protocol):
    """Is told a step's name, what of it is done, of how much, and whether that counts bytes."""

    def __call__(self, name: str, done: int, total: int, *, in_bytes: bool = False) -> None:
        """Be told."""


@contextlib.contextmanager
def progress(
    description: str, total: int | None = None, *, stream: TextIO | None = None, enabled: bool = True
) -> Iterator[Callable[[int], None]]:
    """Give a function to call with the number of files done since the last call.

    On a terminal a bar appears once the run has lasted `DELAY` seconds and leaves no trace; elsewhere, or without
    `enabled`, nothing is imported and nothing is written. `total` is None while the number of files is unknown.
    """
    stream = sys.stderr if stream is None else stream
    if not (enabled and _is_terminal(stream)):
        yield _ignore
        return
    bar = _Bar(description, total, stream)
    try:
        yield bar.advance
    finally:
        bar.stop()


@contextlib.contextmanager
def stages(*, stream: TextIO | None = None, enabled: bool = True) -> Iterator[Tell]:
    """Give a function to tell how far a step is.

    Each step has a bar of its own, with its rate and the time that is left; else as `progress`.
    """
    stream = sys.stderr if stream is None else stream
    if not (enabled and _is_terminal(stream)):
        yield _tell_nobody
        return
    shown: dict[str, _Bar] = {}

    def tell(name: str, done: int, total: int, *, in_bytes: bool = False) -> None:
        if name not in shown:
            for bar in shown.values():
                bar.stop()
            shown[name] = _Bar(name, total, stream, in_bytes=in_bytes)
        shown[name].reach(done)

    try:
        yield tell
    finally:
        for bar in shown.values():
            bar.stop()


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _tell_nobody(name: str, done: int, total: int, *, in_bytes: bool = False) -> None:
    """Take how far a step is and do nothing."""


def _ignore(_: int) -> None:
    """Take a number and do nothing."""


class _Bar:
    """Counts, and draws once it is worth it."""

    def __init__(self, description: str, total: int | None, stream: TextIO, *, in_bytes: bool = False) -> None:
        self._in_bytes = in_bytes
        self._description = description
        self._total = total
        self._stream = stream
        self._start = time.monotonic()
        self._done = 0
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def advance(self, files: int) -> None:
        """Count files that are done."""
        self.reach(self._done + files)

    def reach(self, done: int) -> None:
        """Be told how much is done by now."""
        self._done = done
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=self._done)
        elif time.monotonic() - self._start >= DELAY:
            self._show()

    def stop(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()

    def _show(self) -> None:
        from rich.console import Console  # noqa: PLC0415  # rich: 36 ms, after a second of waiting
        from rich.progress import (  # noqa: PLC0415  # as above, 40 ms
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        counted = (DownloadColumn(), TransferSpeedColumn()) if self._in_bytes else (MofNCompleteColumn(),)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), *counted, TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(file=self._stream), transient=True)
        self._task = self._progress.add_task(self._description, total=self._total, completed=self._done)
        self._progress.start()
