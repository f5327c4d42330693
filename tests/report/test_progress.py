"""The progress bar: for a person who waits, and for nobody else."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from keyguard.report import progress as module
from keyguard.report.progress import progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_nothing_is_written_where_nobody_looks() -> None:
    stream = io.StringIO()
    with progress("Checking", 10, stream=stream) as advance:
        advance(10)
    assert stream.getvalue() == ""


def test_nothing_is_written_when_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DELAY", 0.0)
    stream = Terminal()
    with progress("Checking", 10, stream=stream, enabled=False) as advance:
        advance(10)
    assert stream.getvalue() == ""


def test_nothing_is_written_on_a_short_run() -> None:
    stream = Terminal()
    with progress("Checking", 10, stream=stream) as advance:
        advance(10)
    assert stream.getvalue() == ""


def test_a_closed_stream_is_no_terminal() -> None:
    stream = io.StringIO()
    stream.close()
    with progress("Checking", stream=stream) as advance:
        advance(1)


@pytest.mark.parametrize("total", [10, None])
def test_a_long_run_has_a_bar(monkeypatch: pytest.MonkeyPatch, total: int | None) -> None:
    monkeypatch.setattr(module, "DELAY", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with progress("Checking [x]", total, stream=stream) as advance:
        advance(3)
        advance(4)
    assert "Checking [x]" in stream.getvalue()


def test_an_interrupt_takes_the_bar_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DELAY", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()

    def run() -> None:
        with progress("Checking", 10, stream=stream) as advance:
            advance(3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert stream.getvalue().endswith("\x1b[2K")  # the line is erased


PLAIN = """
from keyguard.model import Report
from keyguard.report import RenderOptions, render
render(Report(()), "text", RenderOptions())
"""
WAITING = """
from keyguard.report.progress import progress
with progress("Checking") as advance:
    advance(1)
"""


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        pytest.param("import keyguard.report", ["rich", "json", "csv", "hashlib"], id="import"),
        pytest.param(PLAIN, ["rich", "json"], id="plain-text"),
        pytest.param(WAITING, ["rich"], id="no-terminal"),
    ],
)
def test_heavy_modules_are_not_loaded_before_they_are_needed(code: str, absent: list[str]) -> None:
    check = f"{code}\nimport sys\nprint([name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
