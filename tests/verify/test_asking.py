"""Keys are asked about over real connections: which host sees which key, what comes of it, and what nobody sees."""

# ruff: noqa: RUF001  # full-width punctuation is what Chinese is written with

from __future__ import annotations

import logging
import pickle
import re
import socket
import subprocess
import sys
import textwrap
import threading
import traceback
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
import trustme

from keyguard.catalogue import Provider, load
from keyguard.errors import UsageError
from keyguard.model import Secret
from keyguard.verify import Question, Request, Terms, asking, plan, verify
from keyguard.verify.answers import Reply
from keyguard.verify.client import Client
from tests.keys import make
from tests.verify.network import DEAD, LIVE, Answer, Network, Seen, context_of, network_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from keyguard.leaks import Verdict

CATALOGUE = load()
TERMS = Terms(timeout=30, concurrency=4, rate=0, tries=3, pause=0, patience=0)
RELAY = "https://relay.example/v1"
ASKED = [provider for provider in CATALOGUE.providers.values() if provider.verify is not None]
ADDRESSES = {
    "azure_openai": "https://my-thing.openai.azure.com/openai/v1",
    "databricks": "https://dbc-1.cloud.databricks.com/serving-endpoints",
}


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Network]:
    """An internet of the test's own."""
    with network_for(monkeypatch, tmp_path) as made:
        yield made


def key_of(provider: Provider) -> str:
    """A key that the provider's own request is for."""
    shapes = (shape for shape in provider.shapes if not (shape.unasked or shape.malformed or shape.retired))
    return next((make(shape.id) for shape in shapes if not shape.endpoints), make("unknown-token"))


def planned(value: str, provider: str | None = None, base_url: str | None = None) -> Request:
    (request,) = plan([Question(Secret(value, provider), f"id {value[-6:]}", provider, base_url)], CATALOGUE)
    return request


def verdict(request: Request, terms: Terms = TERMS, lang: str = "en") -> Verdict:
    ((key, found),) = verify([request], terms, lang)
    assert key == request.key
    return found


def at_relay(network: Network, *answers: Answer, terms: Terms = TERMS) -> Verdict:
    """Ask about a key that was found with a relay which gives these answers, and DEAD to whoever has no key."""
    waiting = list(answers)

    def answer(seen: Seen) -> Answer:
        if "authorization" not in seen.headers:
            return DEAD
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    network.answers["relay.example"] = answer
    return verdict(planned(make("relay"), None, RELAY), terms)


def test_nothing_asked_is_nothing_sent(network: Network) -> None:
    assert list(verify([], TERMS, "en")) == []
    found = verdict(planned(make("unknown-token")))
    assert (found.state, found.host, found.status, found.at) == ("unknown", "", None, "")
    assert found.reason == "neither its provider nor the base URL it is used with is known"
    assert network.connected == []


def test_nothing_is_sent_before_the_first_value_is_wanted(network: Network) -> None:
    network.answers["api.openai.com"] = [LIVE]
    answers = verify([planned(make("openai"), "openai")], TERMS, "en")
    assert network.connected == []
    assert next(answers)[1].state == "live"
    assert network.connected == ["api.openai.com"]


@pytest.mark.parametrize("provider", ASKED, ids=lambda provider: provider.id)
def test_every_provider_is_asked_as_its_data_says(network: Network, provider: Provider) -> None:
    value = key_of(provider)
    request = planned(value, provider.id, ADDRESSES.get(provider.id))
    if provider.id == "langfuse":
        assert request.why == "needs-more"
        return
    rules = provider.verify
    assert rules is not None
    for host in request.hosts:
        network.answers[host] = [DEAD]
    dead = [Answer(status, '{"detail": "no"}') for status in rules.invalid]
    first = request.asks[0]
    forms = (value, b64encode(f"{value}:".encode()).decode())

    def with_key(seen: Seen) -> bool:
        return any(form in seen.everything for form in forms)

    def answer(told: Answer) -> str:
        network.seen.clear()
        network.answers[first.host] = lambda seen: told if with_key(seen) else DEAD
        found = verdict(request)
        sent = [seen for seen in network.seen if with_key(seen)]
        assert {seen.host for seen in sent} <= set(request.hosts)
        assert (sent[0].host, sent[0].method) == (first.host, rules.method)
        assert first.urls[0] == f"https://{sent[0].host}{sent[0].path}"
        assert not any(form in seen.path for form in forms for seen in network.seen)
        for name, template in first.headers:
            shown = template.replace("{key}", value).replace("{key_as_user}", forms[1])
            assert sent[0].headers[name.lower()] == shown
        assert sent[0].body == rules.body.replace("{key}", value)
        assert found.host in request.hosts
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found.at)
        assert value not in repr(found)
        return found.state

    assert answer(LIVE) == "live"
    for told in dead:
        assert answer(told) == "dead"
    for status in rules.restricted:
        assert answer(Answer(status, '{"detail": "no"}')) == "restricted"
    if 429 in rules.valid:
        assert answer(Answer(429, "{}")) == "live"
    else:
        assert answer(Answer(429, "{}")) == "unknown"
    assert answer(Answer(200, "<html>", {"Content-Type": "text/html"})) == "unknown"
    assert answer(Answer(200, "hello")) == "unknown"
    assert answer(Answer(302, "", {"Location": "https://evil.example/"})) == "unknown"
    assert answer(Answer(429, '{"error": {"code": "insufficient_quota"}}')) == "live"
    assert set(network.connected) <= set(request.hosts)


def test_of_several_regions_the_first_that_knows_the_key_ends_it(network: Network) -> None:
    network.answers = {"api.moonshot.ai": [DEAD], "api.moonshot.cn": [LIVE]}
    found = verdict(planned(make("moonshot"), "moonshot"))
    assert (found.state, found.host) == ("live", "api.moonshot.cn")
    network.answers = {"api.moonshot.ai": [LIVE], "api.moonshot.cn": [LIVE]}
    network.seen.clear()
    assert verdict(planned(make("moonshot"), "moonshot")).host == "api.moonshot.ai"
    assert not network.sent_to("api.moonshot.cn")


def test_a_key_is_dead_only_when_every_region_says_so(network: Network) -> None:
    network.answers = {"api.moonshot.ai": [DEAD], "api.moonshot.cn": [DEAD]}
    found = verdict(planned(make("moonshot"), "moonshot"))
    assert (found.state, found.status) == ("dead", 401)
    assert found.reason == "api.moonshot.ai, api.moonshot.cn does not know it (any more)"
    network.answers = {"api.moonshot.ai": [DEAD], "api.moonshot.cn": [Answer(404, "{}")]}
    found = verdict(planned(make("moonshot"), "moonshot"))
    assert (found.state, found.host, found.status) == ("unknown", "api.moonshot.cn", 404)


def test_a_relay_is_asked_with_and_without_the_key(network: Network) -> None:
    found = at_relay(network, LIVE)
    assert (found.state, found.status, found.reason) == ("live", 200, "relay.example accepts it")
    with_key, without = network.seen
    assert with_key.headers["authorization"].startswith("Bearer sk-")
    assert "authorization" not in without.headers
    assert with_key.path == without.path == "/v1/models"


def test_a_host_that_answers_everybody_tells_nothing(network: Network) -> None:
    network.answers["relay.example"] = [LIVE]
    requests = [planned(make("relay", seed), None, RELAY) for seed in range(6)]
    found = dict(verify(requests, TERMS._replace(concurrency=1), "en"))
    assert {one.state for one in found.values()} == {"unknown"}
    assert {one.reason for one in found.values()} == {
        "relay.example answers the same without a key, so this tells nothing"
    }
    assert len([seen for seen in network.seen if "authorization" not in seen.headers]) == 1


def test_another_path_of_the_same_host_is_tried(network: Network) -> None:
    page = Answer(200, "<!doctype html>", {"Content-Type": "text/html"})

    def answer(seen: Seen) -> Answer:
        if seen.path != "/api/v1/models":
            return page
        return LIVE if "authorization" in seen.headers else DEAD

    network.answers["relay.example"] = answer
    assert verdict(planned(make("relay"), None, "https://relay.example/api")).state == "live"
    assert [seen.path for seen in network.seen] == ["/api/models", "/api/v1/models", "/api/v1/models"]


def test_a_host_out_of_order_is_asked_again(network: Network) -> None:
    assert at_relay(network, Answer(500, "{}"), Answer(503, "{}"), LIVE).state == "live"
    network.seen.clear()
    found = at_relay(network, Answer(500, "{}"))
    assert (found.state, found.status) == ("unknown", 500)
    assert found.reason == "relay.example is out of order (status 500); ask again later"
    assert len(network.seen) == TERMS.tries


def test_a_host_that_is_asked_too_often_is_asked_again(network: Network) -> None:
    slow = Answer(429, "{}", {"Retry-After": "3600"})
    assert at_relay(network, slow, DEAD).state == "dead"
    network.seen.clear()
    found = at_relay(network, slow)
    assert (found.state, found.status) == ("unknown", 429)
    assert len(network.seen) == TERMS.tries


def test_a_dropped_connection_is_tried_again(network: Network) -> None:
    assert at_relay(network, Answer(resets=True), DEAD).state == "dead"
    found = at_relay(network, Answer(resets=True))
    assert (found.state, found.reason) == ("unknown", "the connection to relay.example broke; ask again")


def test_pauses_grow_follow_the_host_and_have_an_end() -> None:
    terms = Terms(pause=0.5, patience=20)
    assert [asking.pause(terms, tries, 0, 1) for tries in (1, 2, 3, 9)] == [0.5, 1, 2, 20]
    assert asking.pause(terms, 1, 7, 1) == 7
    assert asking.pause(terms, 1, 3600, 1) == 20
    assert asking.pause(terms, 1, 0, 0.5) == 0.25


@pytest.mark.parametrize("answer", [Answer(hangs=True), Answer(drips=True)], ids=["hangs", "drips"])
def test_a_slow_host_has_a_deadline(network: Network, answer: Answer) -> None:
    found = at_relay(network, answer, terms=TERMS._replace(timeout=0.2, tries=1))
    assert (found.state, found.status) == ("unknown", None)
    assert found.reason == "relay.example did not answer in time; ask again, or with a longer timeout"


def test_a_name_server_that_hangs_has_a_deadline_too(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def send(*_: object) -> Reply:
        over.wait(10)
        return Reply(200)

    monkeypatch.setattr(Client, "send", send)
    found = verdict(planned(make("relay"), None, RELAY), TERMS._replace(timeout=0.1, tries=1))
    over.set()
    assert found.reason.startswith("relay.example did not answer in time")
    assert network.connected == []


def test_a_host_that_nobody_reaches_is_not_asked_about_each_key(network: Network) -> None:
    requests = [planned(make("relay", seed), None, "https://gone.example/v1") for seed in range(20)]
    found = dict(verify(requests, TERMS._replace(concurrency=1), "en"))
    assert len(found) == 20
    assert {one.reason for one in found.values()} == {
        "the proxy of this environment (HTTPS_PROXY) did not let the request to gone.example through"
    }
    assert network.connected == ["gone.example"]


def test_a_redirect_is_not_followed(network: Network) -> None:
    network.answers["evil.example"] = [LIVE]
    for status in (301, 302, 303, 307, 308):
        found = at_relay(network, Answer(status, "", {"Location": "https://evil.example/v1/models"}))
        assert (found.state, found.status) == ("unknown", status)
    assert set(network.connected) == {"relay.example"}


def test_a_huge_answer_is_not_read_to_its_end(network: Network) -> None:
    body = b'{"object": "list", "data": [' + b'{"id": "a"}, ' * 400_000
    assert at_relay(network, Answer(200, body)).state == "live"


def test_a_packed_answer_is_not_unpacked(network: Network) -> None:
    packed = Answer(200, b"\x1f\x8b\x08\x00bomb", {"Content-Type": "application/json", "Content-Encoding": "gzip"})
    assert at_relay(network, packed).reason == "relay.example answered with status 200, but not as this API does"


def test_limits_of_an_answer_come_along(network: Network) -> None:
    body = '{"data": {"limit": 5, "limit_remaining": 3.5, "usage": 1.5}}'
    network.answers["openrouter.ai"] = [Answer(200, body, {"X-RateLimit-Remaining": "9", "X-Other": "1"})]
    assert verdict(planned(make("openrouter"), "openrouter")).limits == (
        ("data.limit", "5"),
        ("data.limit_remaining", "3.5"),
        ("data.usage", "1.5"),
        ("x-ratelimit-remaining", "9"),
    )


def test_a_certificate_of_a_stranger_ends_it_before_the_key_is_sent(network: Network) -> None:
    network.ca = trustme.CA()
    found = at_relay(network, LIVE)
    assert found.state == "unknown"
    assert found.reason.startswith("the certificate of relay.example is not trusted, so the key was not sent")
    assert network.seen == []


def test_a_certificate_for_another_name_ends_it_before_the_key_is_sent(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.verify.network.context_of", lambda _, ca: context_of("other.example", ca))
    assert at_relay(network, LIVE).reason.startswith("the certificate of relay.example is not trusted")
    assert network.seen == []


def test_certificates_that_cannot_be_read_are_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(UsageError, match="cannot be read as certificates; name a PEM file, or unset it"):
        list(verify([planned(make("openai"), "openai")], TERMS, "en"))


def test_loopback_is_asked_directly_and_in_the_clear(network: Network) -> None:
    network.answers[network.address] = lambda seen: LIVE if "authorization" in seen.headers else DEAD
    found = verdict(planned(make("relay"), None, f"http://{network.address}/v1"))
    assert (found.state, found.host) == ("live", network.address)
    assert network.connected == []


def test_a_closed_port_is_told(network: Network) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    found = verdict(planned(make("relay"), None, f"http://{address}/v1"))
    assert found.reason == f"no connection to {address}; look at the network and the port"
    assert network.connected == []


def test_a_name_that_leads_nowhere_is_told(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPS_PROXY")

    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    found = verdict(planned(make("relay"), None, "https://nowhere.example/v1"))
    assert found.reason == "the name nowhere.example leads nowhere; look at the base URL and the network"
    assert network.connected == []


def test_a_proxy_with_a_password_gets_it_and_nothing_of_the_key(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, str]] = []
    answer = network.server.RequestHandlerClass.do_CONNECT  # type: ignore[attr-defined]

    def connect(handler: object) -> None:
        seen.append({name.lower(): value for name, value in handler.headers.items()})  # type: ignore[attr-defined]
        answer(handler)

    monkeypatch.setattr(network.server.RequestHandlerClass, "do_CONNECT", connect)
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:pa%40ss@{network.address}")
    network.answers["api.openai.com"] = [LIVE]
    value = make("openai")
    assert verdict(planned(value, "openai")).state == "live"
    assert seen[0]["proxy-authorization"] == "Basic " + b64encode(b"me:pa@ss").decode()
    assert value not in repr(seen)


def test_hosts_without_proxy_are_asked_directly(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "relay.example")

    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("urllib3.util.connection.create_connection", nowhere)
    assert at_relay(network, LIVE).reason.startswith("the name relay.example leads nowhere")
    assert network.connected == []


def test_a_socks_proxy_needs_its_library(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5h://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "urllib3.contrib.socks", None)
    found = at_relay(network, LIVE)
    assert found.reason == "the proxy of this environment is SOCKS; run pip install pysocks, or name an HTTP proxy"
    assert network.connected == []


def test_a_socks_proxy_is_used(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setenv("ALL_PROXY", f"socks5h://{network.address}")
    assert at_relay(network, LIVE).state == "live"
    assert network.connected == ["relay.example"]


@pytest.mark.parametrize(("concurrency", "tries"), [(0, 0), (-1, -1)])
def test_terms_without_sense_still_end(network: Network, concurrency: int, tries: int) -> None:
    assert at_relay(network, LIVE, terms=TERMS._replace(concurrency=concurrency, tries=tries)).state == "live"


def test_no_more_than_so_many_are_asked_at_once(network: Network) -> None:
    hosts = [f"host{number}.example" for number in range(12)]
    both = threading.Barrier(3)

    def answer(seen: Seen) -> Answer:
        if "authorization" in seen.headers:
            both.wait(30)  # three at once, or nobody goes on
            return LIVE
        return DEAD

    network.answers = dict.fromkeys(hosts, answer)
    requests = [planned(make("relay", host), None, f"https://{host}/v1") for host in hosts]
    found = dict(verify(requests, TERMS._replace(concurrency=3), "en"))
    assert {one.state for one in found.values()} == {"live"}
    assert network.most_at_once == 3


def test_one_connection_serves_many_keys(network: Network) -> None:
    network.answers["api.openai.com"] = [LIVE]
    requests = [planned(make("openai", seed), "openai") for seed in range(10)]
    assert len(list(verify(requests, TERMS._replace(concurrency=1), "en"))) == 10
    assert network.connected == ["api.openai.com"]


def test_reasons_are_chinese_too(network: Network) -> None:
    network.answers["api.openai.com"] = [DEAD]
    assert verdict(planned(make("openai"), "openai"), lang="zh").reason == "api.openai.com 不认得该密钥（或已不再认得）"


def test_a_file_of_passwords_is_not_read(network: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("default login somebody password hidden\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    at_relay(network, LIVE)
    assert network.seen
    assert not any("hidden" in seen.everything or "Basic" in seen.everything for seen in network.seen)


def test_what_was_answered_stands_when_somebody_stops_it(network: Network) -> None:
    stuck = threading.Event()
    network.answers = {"api.openai.com": [LIVE], "api.groq.com": lambda _: stuck.wait(10) and LIVE}  # type: ignore[dict-item]
    requests = [planned(make("openai"), "openai"), planned(make("groq"), "groq")]
    answers = verify(requests, TERMS, "en")
    assert next(answers)[1].state == "live"
    answers.close()  # type: ignore[attr-defined]  # a generator
    stuck.set()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process there")
def test_ctrl_c_ends_it_at_once(network: Network, tmp_path: Path) -> None:
    network.answers = {"api.openai.com": [LIVE], "api.groq.com": [Answer(hangs=True)]}
    program = """
        import os, signal, sys
        from keyguard.catalogue import load
        from keyguard.model import Secret
        from keyguard.verify import Question, Terms, plan, verify
        questions = [Question(Secret(key), name, name) for name, key in zip(("openai", "groq"), sys.argv[1:])]
        try:
            for name, verdict in verify(plan(questions, load()), Terms(timeout=60), "en"):
                print(name, verdict.state, flush=True)
                os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            print("stopped")
    """
    file = tmp_path / "program.py"
    file.write_text(textwrap.dedent(program), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, file, make("openai"), make("groq")], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout.splitlines() == ["openai live", "stopped"], done.stderr
    assert done.returncode == 0


def test_answers_that_came_before_ctrl_c_are_still_given(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = ("api.openai.com", "api.groq.com")
    network.answers = {host: [LIVE] for host in hosts}
    running: list[asking._Asking] = []
    collect = asking._Asking._collect  # noqa: SLF001  # Ctrl-C comes while it waits

    def interrupted(self: asking._Asking, patience: float) -> Iterator[tuple[str, Verdict]]:
        if not running:
            running.append(self)
            while self.done.qsize() < len(hosts):
                threading.Event().wait(0.01)
            raise KeyboardInterrupt
        yield from collect(self, patience)

    monkeypatch.setattr(asking._Asking, "_collect", interrupted)  # noqa: SLF001  # see above
    answers = verify([planned(make("openai"), "openai"), planned(make("groq"), "groq")], TERMS, "en")
    found = [next(answers)[1].state, next(answers)[1].state]
    with pytest.raises(KeyboardInterrupt):
        next(answers)
    assert found == ["live", "live"]


def test_no_text_anywhere_shows_a_key(
    network: Network, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    value = make("relay")
    echo = Answer(
        200, value, {"X-RateLimit-Limit": value, "Location": value, "Content-Type": value, "Retry-After": value}
    )
    network.answers["relay.example"] = [echo]
    question = Question(Secret(value, None), "id", None, f"https://{value}@relay.example/{value}")
    assert value not in repr(question)
    request = planned(value, None, RELAY)
    found = verdict(request)
    reply = Reply(200, (("a", value),), value.encode())
    shown = [repr(request), repr(request.asks), repr(found), repr(reply), repr(TERMS), caplog.text]
    assert "urllib3" in caplog.text
    with pytest.raises(TypeError) as refused:
        pickle.dumps(request)
    shown.append("".join(traceback.format_exception(refused.value)))

    def broken(*_: object) -> Reply:
        raise LookupError(value)

    monkeypatch.setattr(Client, "send", broken)
    with pytest.raises(RuntimeError, match=r"asking relay\.example failed with LookupError") as bug:
        verdict(request)
    shown.append("".join(traceback.format_exception(bug.value)))
    assert not [text for text in shown if value in text]
