"""Runs programs one after another inside an environment of SDKs, and answers with the requests that each one sent.

It imports nothing but the standard library; the programs import their SDKs. Every request goes to a server of its own
on 127.0.0.1. Reads a JSON from standard input: `programs` maps a name to the path of a program, `environment` the name
to its variables; writes a JSON that maps the name to `requests` and `error`.
"""

from __future__ import annotations

import contextlib
import http.server
import io
import json
import os
import runpy
import sys
import threading
import traceback
from typing import Any

# What differs from run to run, or says nothing about the program.
VOLATILE = {"user-agent", "date", "content-length", "connection", "accept-encoding", "accept"}
CHAT = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
MESSAGE = {
    "id": "1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
CONTENT = {"candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}, "finishReason": "STOP"}]}

_seen: list[dict[str, Any]] = []


class _Handler(http.server.BaseHTTPRequestHandler):
    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length).decode("utf-8", "replace")
        headers = {name.lower(): value for name, value in self.headers.items()}
        kept = sorted((name, value) for name, value in headers.items() if name not in VOLATILE)
        _seen.append({"method": self.command, "path": self.path, "headers": kept, "body": body})
        answer = MESSAGE if "/messages" in self.path else CONTENT if "generateContent" in self.path else CHAT
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815  # the names http.server asks for

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hung up is no news."""


def run(path: str, variables: dict[str, str], before: dict[str, str]) -> dict[str, Any]:
    """Run one program in its own folder, with nothing of the program before it but the SDKs."""
    _seen.clear()
    os.environ.clear()
    os.environ.update(before | variables)
    known = set(sys.modules)
    folder = os.path.dirname(path)  # noqa: PTH120  # the standard library's own names are enough here
    sys.path.insert(0, folder)
    sys.argv = [path]
    os.chdir(folder)
    error = None
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as stopped:
            error = None if not stopped.code else f"exit {stopped.code}"
        except BaseException:  # noqa: BLE001  # whatever a program does, the next one runs
            error = traceback.format_exc(limit=-3)
    sys.path.remove(folder)
    for name in set(sys.modules) - known:
        file = getattr(sys.modules[name], "__file__", None)
        if file and file.startswith(folder):
            del sys.modules[name]
    openai = sys.modules.get("openai")
    if openai is not None:  # a client of its own, with a key of its own, is kept in the module
        openai.api_key = openai.base_url = openai._client = None  # type: ignore[attr-defined]  # noqa: SLF001
    return {"requests": list(_seen), "error": error}


def main() -> None:
    """Answer the question on standard input."""
    asked = json.load(sys.stdin)
    server = _Server(("127.0.0.1", asked.get("port", 0)), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_address[1]}"
    names = ("PATH", "HOME", "LANG", "TMPDIR")
    before = {name: os.environ[name] for name in names if name in os.environ}
    before |= {"BASE": f"http://{host}", "HOST": host, "NO_PROXY": "127.0.0.1"}
    answer = {name: run(path, asked["environment"][name], before) for name, path in asked["programs"].items()}
    text = json.dumps(answer).replace(host, "<host>")
    sys.__stdout__.write(text)  # type: ignore[union-attr]  # it is there


if __name__ == "__main__":
    main()
