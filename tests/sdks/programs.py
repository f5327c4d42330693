"""Runs inside an environment of SDKs: executes small programs and answers what they sent, and how long they waited.

Every request goes to the probe's server on 127.0.0.1. A program imports `BASE` and `KEY` from `here`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
import types
import warnings
from typing import Any

import probe


def _run(text: str, status: str, key: str) -> dict[str, Any]:
    here = types.ModuleType("here")
    scene = probe.scene(status)
    vars(here).update(BASE=f"http://{probe.HOST}/{scene}", KEY=key)
    sys.modules["here"] = here
    pauses: list[float] = []
    probe._limits.clear()  # noqa: SLF001  # one program in two files
    sleep = time.sleep

    def noted(seconds: float) -> None:
        pauses.append(seconds)
        sleep(seconds)

    time.sleep = noted
    names: dict[str, Any] = {"__name__": "program"}
    error = ""
    try:
        exec(compile(text, "program.py", "exec"), names)  # noqa: S102  # what the fixes of our tests made
    except Exception as found:  # noqa: BLE001  # any error of any SDK
        error = f"{type(found).__name__}: {found}"
    finally:
        time.sleep = sleep
    limits = list(probe._limits)  # noqa: SLF001  # as above
    sent = len(probe._seen[scene])  # noqa: SLF001  # as above
    return {"error": error, "limit": limits[0] if limits else "unknown", "sent": sent, "pauses": pauses,
            "result": names.get("result")}  # fmt: skip


def main() -> None:
    """Read programs from standard input, write what became of them to standard output."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    asked = json.load(sys.stdin)
    threading.Thread(target=probe._server.serve_forever, daemon=True).start()  # noqa: SLF001  # as above
    probe.patch()
    output, sys.stdout = sys.stdout, sys.stderr
    json.dump(
        {name: _run(item["text"], item["status"], asked["key"]) for name, item in asked["programs"].items()}, output
    )
    output.flush()
    os._exit(0)  # no client's threads or finalizers keep the process


if __name__ == "__main__":
    main()
