"""`keyguard doctor --verify` against a server of this machine: what is said first, what is sent, what comes of it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.keys import fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.doctor.made import Patient

CODE = (
    "import os\n\nfrom openai import OpenAI\n\n"
    'client = OpenAI(base_url=os.environ["LLM_URL"], api_key=os.environ["LLM_KEY"], timeout=60)\n'
)
LIVE, SPENT, DEAD = "<relay_poloapi-key>", "<relay_poloapi-key-2>", "<relay_poloapi-key-3>"


class Server:
    """A server that lists its models to who has the right key."""

    def __init__(self) -> None:
        """Start on a free port."""
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                key = self.headers.get("Authorization", "").removeprefix("Bearer ")
                status = {fill(LIVE): 200, fill(SPENT): 429}.get(key, 401)
                body = (
                    {"object": "list", "data": [{"id": "m", "object": "model"}]} if status == 200 else {"error": {}}
                )  # HTTP
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.send_header("x-ratelimit-remaining-requests", "4999")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def shell(server: Server, key: str) -> dict[str, str]:
    """What is set for the code."""
    return {"LLM_URL": f"http://{server.host}/v1", "LLM_KEY": key, "NO_PROXY": "*"}


def test_nothing_is_sent_without_verify(patient: Patient, server: Server) -> None:
    patient.write("app.py", CODE)
    assert patient.run(env=shell(server, LIVE)).code == 0
    assert server.asked == []


def test_a_living_key_shows_what_is_left(patient: Patient, server: Server) -> None:
    patient.write("app.py", CODE)
    done = patient.process("--verify", "--yes", env=shell(server, LIVE))
    assert done.code == 0, done
    assert done.err == (
        f"One request each, which creates and costs nothing:\n  the key in LLM_KEY goes to {server.host}\n"
    )
    assert server.asked[0] == "/v1/models"
    assert "LLM_KEY: live" in done.out
    assert "x-ratelimit-remaining-requests 4999" in done.out
    assert fill(LIVE) not in done.out + done.err
    assert "keyguard doctor --verify" not in done.out


def test_a_dead_key_is_a_problem(patient: Patient, server: Server) -> None:
    patient.write("app.py", CODE)
    done = patient.run("--verify", "--yes", "--output-format", "json", env=shell(server, DEAD))
    assert done.code == 1
    (problem,) = done.report["problems"]
    assert problem["message"] == f"{server.host} says that the key in LLM_KEY is not valid"
    assert (problem["problem"], problem["variable"], problem["leads_to"]) == ("dead", "LLM_KEY", ["401"])
    (variable,) = (one for one in done.report["variables"] if one["name"] == "LLM_KEY")
    assert (variable["verdict"]["state"], variable["verdict"]["status"]) == ("dead", 401)


def test_on_no_terminal_it_wants_yes(patient: Patient, server: Server) -> None:
    patient.write("app.py", CODE)
    done = patient.run("--verify", env=shell(server, LIVE))
    assert (done.code, done.out, server.asked) == (2, "", [])
    assert done.err.splitlines()[-1] == (
        "keyguard: error: --verify asks before it sends keys, and standard input is no terminal; add --yes"
    )


@pytest.mark.parametrize(("answer", "asked"), [("y", True), ("n", False), ("", False)])
def test_on_a_terminal_it_asks(
    patient: Patient,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    asked: bool,  # noqa: FBT001  # a case
) -> None:
    monkeypatch.setattr("keyguard.cli.run.is_terminal", lambda: True)
    patient.write("app.py", CODE)
    done = patient.run("--verify", env=shell(server, LIVE), stdin=f"{answer}\n")
    assert done.code == 0, done
    assert ("LLM_KEY: live" in done.out, bool(server.asked)) == (asked, asked)
    assert "Send? [y/N] " in done.err
    assert ("Nothing was sent." in done.err) == (not asked)


def test_what_is_no_key_is_not_asked_about(patient: Patient, server: Server) -> None:
    patient.write("app.py", CODE)
    done = patient.run("--verify", "--yes", env=shell(server, "your-key"))
    assert server.asked == []
    assert done.err == "There is no key to ask about.\n"


def test_a_key_that_no_request_can_carry_is_not_sent(patient: Patient, server: Server) -> None:
    patient.write("app.py", CODE)
    done = patient.run("--verify", "--yes", env=shell(server, f"{LIVE}\r"))
    assert (done.code, server.asked) == (1, [])
    assert "the key in LLM_KEY is not asked about: it holds characters that no request can carry" in done.err


def test_one_key_in_two_variables_is_sent_once(patient: Patient, server: Server) -> None:
    patient.write("app.py", CODE + CODE.replace("LLM_KEY", "OTHER_KEY"))
    done = patient.run("--verify", "--yes", env={**shell(server, LIVE), "OTHER_KEY": LIVE})
    assert f"the key in LLM_KEY, OTHER_KEY goes to {server.host}" in done.err
    assert "LLM_KEY: live" in done.out
    assert "OTHER_KEY: live" in done.out
