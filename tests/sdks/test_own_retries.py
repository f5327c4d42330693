"""Methods with retries of their own, against the package: how often it really sends them when nobody says so."""

from __future__ import annotations

import subprocess

import pytest

from tests.keys import make
from tests.sdks.claims import ROOT, SDKS, interpreter

# One worker asks the packages.
pytestmark = pytest.mark.xdist_group("sdks")

# The pauses are short, the number of attempts is not told.
_PROGRAM = """\
import sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from google import genai
from google.genai import types

sent = []

class Refusing(BaseHTTPRequestHandler):
    def do_POST(self):
        sent.append(self.path)
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(int(sys.argv[2]))
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
threading.Thread(target=server.serve_forever, daemon=True).start()
options = types.HttpOptions(base_url=f"http://127.0.0.1:{server.server_port}", **PAUSES)
client = genai.Client(api_key=sys.argv[1], http_options=options)
try:
    client.interactions.create(model="m", input="hi")
except Exception:
    pass
print(len(sent))
"""
_PAUSES = "{'retry_options': types.HttpRetryOptions(initial_delay=0.01, max_delay=0.02)}"


@pytest.mark.parametrize(("status", "again"), [(429, True), (409, True), (500, True), (400, False)])
def test_interactions_are_sent_as_often_as_the_catalogue_says(status: int, again: bool) -> None:  # noqa: FBT001  # a parameter of the test
    if not (ROOT / ".venv-sdks" / ".made").is_file():
        pytest.skip("no environment .venv-sdks: .ci/setup dev could not make it")
    run = subprocess.run(
        [interpreter("sdks"), "-c", _PROGRAM.replace("PAUSES", _PAUSES), make("openai"), str(status)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"HOME": str(ROOT / ".venv-sdks")},
    )
    assert not run.returncode, run.stderr[-2000:]
    retry = SDKS["google-genai"].retry
    assert retry is not None
    assert retry.own is not None
    assert int(run.stdout) == (retry.own.attempts if again else 1)
