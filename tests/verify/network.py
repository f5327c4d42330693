"""An internet of one's own on loopback: an HTTPS proxy behind which every host answers, with certificates of its CA.

The client under test is told of it as a user's would be, through HTTPS_PROXY and SSL_CERT_FILE, so that no part of it
is replaced; and whatever it sends, to whatever host, is seen here.
"""

from __future__ import annotations

import contextlib
import functools
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

import trustme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import pytest

PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR")


class Seen(NamedTuple):
    """A request as its host saw it; `headers` have lower-case names."""

    host: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: str

    @property
    def everything(self) -> str:
        """All of it as one text."""
        return "\n".join([self.host, self.method, self.path, *map(": ".join, self.headers.items()), self.body])


class Answer(NamedTuple):
    """What a host answers; `hangs` never answers, `drips` sends the body byte by byte and never ends."""

    status: int = 200
    body: str | bytes = '{"object": "list", "data": [], "models": []}'
    headers: Mapping[str, str] = {"Content-Type": "application/json"}
    hangs: bool = False
    drips: bool = False
    resets: bool = False


LIVE = Answer()
DEAD = Answer(401, json.dumps({"error": {"message": "no such key", "code": "unauthorized"}}))


@functools.cache
def authority() -> trustme.CA:
    """The CA that the client is told to trust."""
    return trustme.CA()


@functools.cache
def context_of(host: str, ca: trustme.CA) -> ssl.SSLContext:
    """What a host shows for itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(host).configure_cert(context)
    return context


class Network:
    """All hosts behind one proxy: `answers` by host, each a list of what comes next (the last one stays) or a function.

    A host that is not among them refuses the connection, as the proxy says with 502.
    """

    def __init__(self) -> None:
        """Open it; nobody is there yet."""
        self.answers: dict[str, list[Answer] | Callable[[Seen], Answer]] = {}
        self.seen: list[Seen] = []
        self.connected: list[str] = []
        self.most_at_once = 0
        self.ca = authority()
        self.over = threading.Event()
        self._at_once = 0
        self._lock = threading.Lock()
        self.server = _Server(self)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def address(self) -> str:
        """Where the proxy (and its plain server) listens."""
        return f"127.0.0.1:{self.server.server_address[1]}"

    def stop(self) -> None:
        """End it."""
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def sent_to(self, host: str) -> list[Seen]:
        """What a host saw."""
        return [seen for seen in self.seen if seen.host == host]

    def answer(self, seen: Seen) -> Answer:
        """Note a request and give what comes next at its host."""
        with self._lock:
            self.seen.append(seen)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            found = self.answers.get(seen.host, [Answer(404, "{}")])
            if not callable(found):
                return found.pop(0) if len(found) > 1 else found[0]
        return found(seen)

    def answered(self) -> None:
        """Note that one is about to be answered."""
        with self._lock:
            self._at_once -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, network: Network) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.network = network


class _Handler(BaseHTTPRequestHandler):
    """One connection: a plain request, or a tunnel to a host and the requests in it."""

    protocol_version = "HTTP/1.1"
    server: _Server
    target = ""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        """Serve a connection, of whichever kind of proxy is wanted."""
        if self.connection.recv(1, socket.MSG_PEEK) == b"\x05":
            self._socks()
        super().handle()

    def _socks(self) -> None:
        """SOCKS 5 without a login, to a host by its name (RFC 1928)."""
        self.rfile.read(self.rfile.read(2)[1])
        self.connection.sendall(b"\x05\x00")
        length = self.rfile.read(5)[4]
        host = self.rfile.read(length).decode()
        self.rfile.read(2)
        self.server.network.connected.append(host)
        self.connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
        self._tunnel(host)

    def do_CONNECT(self) -> None:
        host = self.path.removesuffix(":443")
        network = self.server.network
        network.connected.append(host)
        if host not in network.answers:
            self.send_error(502)
            return
        self.send_response(200)
        self.end_headers()
        self._tunnel(host)

    def _tunnel(self, host: str) -> None:
        network = self.server.network
        self.target = host
        context = context_of(host.rsplit(":", 1)[0], network.ca)
        try:
            self.connection = context.wrap_socket(self.connection, server_side=True)
        except OSError:  # the client did not like the certificate
            self.close_connection = True
            return
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        network = self.server.network
        host = self.target or network.address
        answer = network.answer(Seen(host, self.command, self.path, headers, body))
        network.answered()  # before the client can know, and come with the next one
        try:
            self._send(answer)
        except OSError:
            self.close_connection = True

    do_POST = do_GET  # noqa: N815  # the name that the base class looks for

    def _send(self, answer: Answer) -> None:
        if answer.hangs or answer.resets:
            self.server.network.over.wait(10 if answer.hangs else 0)
            self.close_connection = True
            return
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(10**6 if answer.drips else len(body)))
        self.end_headers()
        while answer.drips and not self.server.network.over.wait(0.02):
            self.wfile.write(b"{")
        self.wfile.write(body)

    def finish(self) -> None:
        """Close the tunnel too."""
        with contextlib.suppress(OSError):
            super().finish()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.close()


@contextlib.contextmanager
def network_for(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Network]:
    """An internet that the environment leads to."""
    network = Network()
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    trusted = folder / "ca.pem"
    network.ca.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    monkeypatch.setenv("HTTPS_PROXY", f"http://{network.address}")
    try:
        yield network
    finally:
        network.stop()
