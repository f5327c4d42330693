"""Sends planned requests, few at once, and yields a verdict for each key as it comes.

Every attempt has a thread of its own, which only sends; all deciding happens in the caller's thread. So a deadline
holds whatever the attempt hangs in (a name server has no time limit of its own), and Ctrl-C ends at once: the threads
are daemons that nobody waits for.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from contextlib import suppress

from keyguard.leaks import Verdict
from keyguard.typed import TYPE_CHECKING, NamedTuple
from keyguard.verify.answers import Judgement, Reply, judge, limits
from keyguard.verify.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from keyguard.lang import Texts
    from keyguard.verify.client import Client
    from keyguard.verify.planning import Ask, Request

_NAP = 0.2  # seconds: on Windows, Ctrl-C is only seen between two waits
# What one attempt at a host tells of all others: nobody there will answer.
_FOR_ALL = frozenset({"timeout", "unreachable", "no-host", "certificate", "proxy", "no-socks"})


class Terms(NamedTuple):
    """How patiently and how politely to ask.

    `timeout` is what one attempt may take, in seconds; `tries` how many there are at most. `concurrency` requests run
    at once (one at least), `rate` start a second at each host (0: no limit). `pause` is the first one between two
    tries, in seconds; it doubles each time, follows what the host asks for, and is never longer than `patience`.
    """

    timeout: float = 10.0
    concurrency: int = 8
    rate: float = 4.0
    tries: int = 3
    pause: float = 0.5
    patience: float = 20.0


class _Answered(NamedTuple):
    """What one of a request's hosts said."""

    host: str
    judgement: Judgement
    status: int | None
    limits: tuple[tuple[str, str], ...]


class _Job:
    """A request on its way through its asks: which one it is at, which URL of it, and the tries that took."""

    __slots__ = ("answers", "at", "is_control", "pending", "request", "tries", "url")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.at = 0
        self.url = 0
        self.tries = 0
        self.is_control = False
        self.pending: _Answered | None = None
        self.answers: list[_Answered] = []

    @property
    def ask(self) -> Ask:
        return self.request.asks[self.at]


def verify(requests: Iterable[Request], terms: Terms, lang: str) -> Iterator[tuple[str, Verdict]]:
    """Ask about each key, and yield its id with what came of it, in the order in which the answers come.

    Nothing is sent before the first value is asked for. On Ctrl-C, what has been answered by then is still yielded
    before KeyboardInterrupt goes on. `lang` is `en` or `zh`.

    Raises:
        UsageError: the environment names certificates that cannot be read.
    """
    from keyguard.lang.verify import texts  # noqa: PLC0415  # for whoever asks a provider

    said = texts(lang)
    jobs = []
    for request in requests:
        if request.asks:
            jobs.append(_Job(request))
        else:
            yield request.key, Verdict("unknown", reason=said.say(f"why.{request.why}", host="", status=""))
    if jobs:
        yield from _Asking(terms, said).run(jobs)


class _Asking:
    """One run over all jobs."""

    def __init__(self, terms: Terms, said: Texts) -> None:
        from keyguard.verify.client import Client  # noqa: PLC0415  # urllib3: 40 ms, for whoever asks a provider

        self.terms, self.said = terms._replace(concurrency=max(1, terms.concurrency)), said
        self.client: Client = Client(self.terms.concurrency)
        self.lines: Lines[_Job] = Lines(self.terms.concurrency, terms.rate)
        self.under_way: dict[int, tuple[_Job, float]] = {}
        self.done: queue.SimpleQueue[tuple[int, Reply | BaseException]] = queue.SimpleQueue()
        self.tickets = 0
        self.silent: dict[str, Judgement] = {}  # hosts that nobody reaches, and why
        self.is_open: dict[str, bool] = {}  # URLs that answer those without a key as well

    def run(self, jobs: Iterable[_Job]) -> Iterator[tuple[str, Verdict]]:
        for job in jobs:
            self.lines.add(job.ask.host, job)
        try:
            while self.lines:
                self._start()
                yield from self._collect(self._patience())
                yield from self._give_up()
        except KeyboardInterrupt:
            yield from self._collect(0)
            raise
        finally:
            self.client.close()

    def _start(self) -> None:
        while (job := self.lines.start(time.monotonic())) is not None:
            self.tickets += 1
            self.under_way[self.tickets] = job, time.monotonic() + self.terms.timeout
            ask = job.ask
            parts = () if job.is_control else (job.request.secret.value,)
            arguments = (self.tickets, ask, ask.urls[job.url], *parts)
            threading.Thread(target=self._attempt, args=arguments, daemon=True).start()

    def _attempt(self, ticket: int, ask: Ask, url: str, key: str | None = None) -> None:
        """Send once; runs in a thread of its own, and touches nothing but the client and the queue."""
        try:
            headers, body = filled(ask, key)
            reply = self.client.send(ask.method, url, headers, body, self.terms.timeout)
        except BaseException as error:  # noqa: BLE001  # it goes on in the caller's thread
            self.done.put((ticket, error))
        else:
            self.done.put((ticket, reply))

    def _patience(self) -> float:
        """For how long nothing but an answer can happen, in seconds."""
        now = time.monotonic()
        moments = [deadline for _, deadline in self.under_way.values()]
        start = self.lines.next_start(now)
        if start is not None:
            moments.append(start)
        return max(0.0, min(moments, default=now) - now)

    def _collect(self, patience: float) -> Iterator[tuple[str, Verdict]]:
        """Take in what was answered, waiting for the first answer as long as `patience` says."""
        with suppress(queue.Empty):
            while True:
                ticket, reply = self.done.get(timeout=min(patience, _NAP)) if patience > 0 else self.done.get_nowait()
                patience = 0.0
                job, _ = self.under_way.pop(ticket, (None, 0.0))
                if job is None:  # its deadline was over
                    continue
                self.lines.finish()
                if isinstance(reply, BaseException):
                    # Named, not chained: the error of a library may hold what it was given.
                    message = f"asking {job.ask.host} failed with {type(reply).__name__}"
                    raise RuntimeError(message)  # noqa: TRY004  # no wrong type, but a bug
                yield from self._take(job, reply)

    def _give_up(self) -> Iterator[tuple[str, Verdict]]:
        """Take what is beyond its deadline as not answered."""
        now = time.monotonic()
        for ticket, (job, deadline) in tuple(self.under_way.items()):
            if deadline <= now:
                del self.under_way[ticket]
                self.lines.finish()
                yield from self._take(job, Reply(failure="timeout"))

    def _take(self, job: _Job, reply: Reply) -> Iterator[tuple[str, Verdict]]:
        """Go on with what a reply says: again, at another URL or host, or with the verdict."""
        ask = job.ask
        judgement = judge(reply, ask.reading)
        if job.is_control:
            yield from self._controlled(job, judgement)
            return
        job.tries += 1
        if judgement.again and job.tries < self.terms.tries:
            self.lines.hold(ask.host, time.monotonic() + self._pause(job.tries, reply.wait))
            self.lines.add(ask.host, job, first=True)
            return
        if judgement.is_elsewhere and job.url + 1 < len(ask.urls):
            job.url, job.tries = job.url + 1, 0
            self.lines.add(ask.host, job, first=True)
            return
        answered = _Answered(ask.host, judgement, reply.status or None, limits(reply, ask.reading, job.request.secret))
        if ask.control and judgement.why == "accepted":
            job.pending = answered
            url = ask.urls[job.url]
            if url in self.is_open:
                yield from self._settled(job, is_open=self.is_open[url])
                return
            job.is_control = True
            self.lines.add(ask.host, job, first=True)
            return
        yield from self._next(job, answered)
        if judgement.why in _FOR_ALL and ask.host not in self.silent:
            self.silent[ask.host] = judgement
            for other in self.lines.drop(ask.host):
                if other.is_control:
                    yield from self._settled(other, is_open=False)
                else:
                    yield from self._next(other, _Answered(ask.host, judgement, None, ()))

    def _controlled(self, job: _Job, judgement: Judgement) -> Iterator[tuple[str, Verdict]]:
        is_open = judgement.why == "accepted"
        self.is_open[job.ask.urls[job.url]] = is_open
        yield from self._settled(job, is_open=is_open)

    def _settled(self, job: _Job, *, is_open: bool) -> Iterator[tuple[str, Verdict]]:
        answered = job.pending
        job.pending, job.is_control = None, False
        assert answered is not None  # noqa: S101  # for the type checker
        yield from self._next(job, answered._replace(judgement=Judgement("unknown", "open")) if is_open else answered)

    def _next(self, job: _Job, answered: _Answered) -> Iterator[tuple[str, Verdict]]:
        """Note what a host said; yield the verdict, or ask the next host."""
        job.answers.append(answered)
        while answered.judgement.state not in {"live", "restricted"} and job.at + 1 < len(job.request.asks):
            job.at, job.url, job.tries = job.at + 1, 0, 0
            host = job.ask.host
            if host not in self.silent:
                self.lines.add(host, job, first=True)
                return
            answered = _Answered(host, self.silent[host], None, ())
            job.answers.append(answered)
        yield job.request.key, self._verdict(job.answers)

    def _verdict(self, answers: list[_Answered]) -> Verdict:
        """One verdict out of what all hosts said: a key is dead only where none of them leaves it open."""
        rank = {"live": 0, "restricted": 1, "unknown": 2, "dead": 3}
        told = min(answers, key=lambda answered: rank[answered.judgement.state])
        status = told.status
        hosts = [answered.host for answered in answers if answered.judgement.state == told.judgement.state]
        host = self.said.say("plan.join").join(dict.fromkeys(hosts)) if told.judgement.state == "dead" else told.host
        reason = self.said.say(f"why.{told.judgement.why}", host=host, status=status)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return Verdict(told.judgement.state, told.host, status, reason, told.limits, at)

    def _pause(self, tries: int, wanted: float) -> float:
        return pause(self.terms, tries, wanted, random.uniform(0.5, 1))  # noqa: S311  # no secret


def pause(terms: Terms, tries: int, wanted: float, part: float) -> float:
    """How long to wait after so many tries, in seconds: `wanted` is what the host asks for, `part` a share of ours."""
    own: float = terms.pause * 2 ** (tries - 1) * part
    return min(terms.patience, max(own, wanted))


def filled(ask: Ask, key: str | None) -> tuple[Mapping[str, str], str]:
    """The headers and the body of a request with the key in its place; without a key, those that need none."""
    if key is None:
        headers = {name: value for name, value in ask.headers if "{" not in value}
        return headers, "" if "{" in ask.body else ask.body
    from base64 import b64encode  # noqa: PLC0415  # for whoever asks a provider
    from urllib.parse import quote_plus  # noqa: PLC0415  # see above

    as_user = b64encode(f"{key}:".encode()).decode()
    headers = {name: value.replace("{key_as_user}", as_user).replace("{key}", key) for name, value in ask.headers}
    return headers, ask.body.replace("{key}", quote_plus(key))
