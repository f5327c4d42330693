"""Arguments become settings, settings a run, a run a report: the only place with exit codes."""

from __future__ import annotations

import contextlib
import os
import sys

from keyguard import __version__
from keyguard.errors import UsageError
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

from keyguard.cli.codes import BUG, CLEAN, FOUND, INTERRUPTED, USAGE


def main(argv: Sequence[str] | None = None) -> int:
    """Run keyguard and give its exit code.

    0 clean; 1 findings; 2 usage, configuration, or a named path that could not be read; 3 a bug in keyguard;
    130 interrupted.
    """
    import gc  # noqa: PLC0415  # in memory at any start of Python

    # What is made is kept (modules) or freed by count (trees hold no cycles once they are released): looking for
    # garbage every 700 objects costs 5 % of a hook and 10 % of LibCST's parse.
    gc.set_threshold(1_000_000, 50, 50)
    _tolerant_streams()
    try:
        return _run(sys.argv[1:] if argv is None else list(argv))
    except UsageError as error:
        from keyguard.report.safe import visible  # noqa: PLC0415  # for an error only; paths may hold anything

        said = "\n".join(map(visible, str(error).split("\n")))
        print(f"keyguard: error: {said}", file=sys.stderr)  # noqa: T201  # the error stream is where errors go
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has what it wanted. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FOUND
    except Exception as error:  # noqa: BLE001  # the boundary: whatever arrives here is a bug of ours
        return _report_bug(error)


def run() -> NoReturn:
    """Run keyguard as a program: what it holds at the end is left to the system, which frees it all at once.

    Python would free one object after the other: 2.5 ms of a short run, 5 of a long one.
    """
    import atexit  # noqa: PLC0415  # in memory at any start of Python

    code = main()
    atexit._run_exitfuncs()  # noqa: SLF001  # what libraries close at the end, such as the client of a cluster
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


def _tolerant_streams() -> None:
    """Let a narrow console encoding escape what it cannot show, and what a closed stream (`>&-`) is told go nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  # to the end of the run
        reconfigure = getattr(getattr(sys, name), "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _report_bug(error: Exception) -> int:
    """Say where keyguard broke without the error's own words: they can quote the text that was being read."""
    import traceback  # noqa: PLC0415  # 6 ms, for a bug only

    lines = ["keyguard: this is a bug in keyguard, please report it with the lines below (they hold no file content)"]
    lines += [f"  keyguard {__version__}, Python {sys.version.split()[0]}, {sys.platform}: {type(error).__name__}"]
    package = os.path.dirname(__file__)  # noqa: PTH120  # pathlib costs 8 ms that only a bug would spend
    for frame in traceback.extract_tb(error.__traceback__):
        name = os.path.relpath(frame.filename, package) if frame.filename.startswith(package) else "…"
        lines.append(f"  {name}:{frame.lineno} in {frame.name}")
    print("\n".join(lines), file=sys.stderr)  # noqa: T201  # the error stream is where errors go
    return BUG


def _run(argv: list[str]) -> int:
    from keyguard.cli.parser import build  # noqa: PLC0415  # argparse: 7 ms, after the error boundary stands

    parser = build(argv)
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return USAGE if argv else CLEAN
    from keyguard.cli import commands  # noqa: PLC0415  # what the command needs, once it is known

    return commands.COMMANDS[arguments.command](arguments)
