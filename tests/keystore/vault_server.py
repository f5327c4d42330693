"""A small Vault of the tests: one KV engine of version 2 over HTTP on loopback, with the faults that real ones have."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "the-token-of-the-test"  # noqa: S105  # opens nothing


class VaultServer:
    """Speaks `/v1/<mount>/data/<path>`: read, write with compare-and-set, versions that are deleted or destroyed."""

    def __init__(self, mount: str = "secret") -> None:
        """Listen on a free port."""
        self.mount = mount
        self.secrets: dict[str, list[dict[str, Any] | str]] = {}  # versions; a text says what became of one
        self.requests: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.faults: list[tuple[int, object]] = []  # answers given in place of the next ones
        self.silence = 0.0
        self.drop_answers = 0  # writes that are made and whose answer never arrives
        self.before_write: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()

    def latest(self, path: str) -> dict[str, Any]:
        """What a secret holds."""
        version = self.secrets[path][-1]
        assert isinstance(version, dict)
        return version

    def answer(self, method: str, path: str, token: str, body: bytes) -> tuple[int, object]:
        """Answer one request."""
        self.requests.append((method, path))
        if self.silence:
            time.sleep(self.silence)
        if self.faults:
            return self.faults.pop(0)
        if token != TOKEN:
            return 403, {"errors": ["permission denied"]}
        prefix = f"/v1/{self.mount}/data/"
        if not path.startswith(prefix):
            return 404, {"errors": [f'no handler for route "{path}". route entry not found.']}
        name = path.removeprefix(prefix)
        if method == "GET":
            return self._read(name)
        if self.before_write is not None:
            before, self.before_write = self.before_write, None
            before()
        with self._lock:
            return self._write(name, json.loads(body))

    def _read(self, name: str) -> tuple[int, object]:
        versions = self.secrets.get(name)
        if versions is None:
            return 404, {"errors": []}
        last = versions[-1]
        metadata = {"version": len(versions), "destroyed": last == "destroyed", "deletion_time": ""}
        if isinstance(last, str):
            metadata["deletion_time"] = "2026-01-01T00:00:00Z" if last == "deleted" else ""
            return 404, {"data": {"data": None, "metadata": metadata}}
        return 200, {"data": {"data": last, "metadata": metadata}}

    def _write(self, name: str, body: dict[str, Any]) -> tuple[int, object]:
        versions = self.secrets.setdefault(name, [])
        if body["options"]["cas"] != len(versions):
            if not versions:
                del self.secrets[name]
            return 400, {"errors": ["check-and-set parameter did not match the current version"]}
        versions.append(body["data"])
        if self.drop_answers:
            self.drop_answers -= 1
            return 0, None
        return 200, {"data": {"version": len(versions)}}


def _handler(vault: VaultServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def _answer(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            vault.headers.append(dict(self.headers))
            status, answer = vault.answer(method, self.path.split("?")[0], self.headers.get("X-Vault-Token", ""), body)
            if not status:
                self.close_connection = True
                return
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing: a test's output is its own."""

    return Handler
