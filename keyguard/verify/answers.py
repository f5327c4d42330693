"""What an answer says of a key: pure, and in linear time over no more than the first 64 KiB of it."""

from __future__ import annotations

import functools
import json

from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from keyguard.model import Secret
    from keyguard.verify.planning import Reading

MOST_BYTES = 65536  # of a body; the longest that any rule needs to see is a list of models' beginning
_MOST_LIMITS, _LONGEST_LIMIT = 20, 40
_SHOWN_PART = 6  # a limit that repeats so many characters of the key is not shown
_REDIRECTS = range(300, 400)
_SERVER = range(500, 600)
# 407 and 511 come from something between us and the host (RFC 9110, RFC 6585).
_BETWEEN = frozenset({407, 511})
_TOO_MANY = 429
_LATER = frozenset({408, 425, _TOO_MANY})
_ABSENT = frozenset({404, 405, 410})
_REFUSED = frozenset({401, 403, 451})
_LATER_FAILURES = frozenset({"timeout", "unreachable", "broken"})
# The end of asking at this URL, when the same host may have the page at another one.
_NOT_HERE = frozenset({"absent", "page", "odd", "redirect"})
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;=+/_-")


class Reply(NamedTuple):
    """What came back: an answer, or `failure`, a text `why.…` of `keyguard.lang.verify`.

    `headers` have lower-case names; `body` is its beginning, and `is_cut` tells that there was more. `wait` is for how
    many seconds the host asks to be left alone.
    """

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    is_cut: bool = False
    failure: str = ""
    wait: float = 0.0

    def __repr__(self) -> str:
        """Show nothing that came from outside: it may repeat the key."""
        return f"Reply(status={self.status}, {len(self.body)} bytes, failure={self.failure!r})"


class Judgement(NamedTuple):
    """What a reply means: one of `leaks.VERDICTS` and why; `again` says that asking once more may tell more."""

    state: str
    why: str
    again: bool = False

    @property
    def is_elsewhere(self) -> bool:
        """Whether another URL of the same host may be the right one."""
        return self.state == "unknown" and self.why in _NOT_HERE and not self.again


def judge(reply: Reply, reading: Reading) -> Judgement:
    """Tell what a reply means."""
    if reply.failure:
        return Judgement("unknown", reply.failure, reply.failure in _LATER_FAILURES)
    status = reply.status
    again = status in _LATER or status in _SERVER
    if status in _REDIRECTS:
        return Judgement("unknown", "redirect")
    if status in _BETWEEN:
        return Judgement("unknown", "portal")
    if _is_page(reply):
        return Judgement("unknown", "page", again)
    text = reply.body.decode("utf-8", "replace")
    for meaning in reading.meanings:
        if (not meaning.statuses or status in meaning.statuses) and _holds(meaning.pattern, text):
            return Judgement(meaning.state, meaning.why, again and meaning.state == "unknown")
    return _by_status(reply, text, reading, again=again)


def _by_status(reply: Reply, text: str, reading: Reading, *, again: bool) -> Judgement:
    status = reply.status
    found = Judgement("unknown", "odd")
    if status in reading.restricted:
        found = Judgement("restricted", "scope")
    elif status in reading.invalid:
        found = Judgement("dead", "invalid")
    elif status in reading.valid and status == _TOO_MANY:
        found = Judgement("live", "busy")
    elif status in reading.valid and _document(reply) is not None and _holds(reading.expects, text):
        found = Judgement("live", "accepted")
    elif again:
        found = Judgement("unknown", "rate" if status in _LATER else "server", again=True)
    elif status in _ABSENT:
        found = Judgement("unknown", "absent")
    elif status in _REFUSED:
        found = Judgement("unknown", "refused")
    return found


def _is_page(reply: Reply) -> bool:
    """Tell whether a reply is for a person: login pages and guards answer so, with any status."""
    kind = next((value for name, value in reply.headers if name == "content-type"), "")
    return kind.lower().startswith(("text/html", "application/xhtml")) or reply.body.lstrip().startswith(b"<")


def _document(reply: Reply) -> dict[str, Any] | list[Any] | bool | None:
    """The JSON of a body: True when it begins as one and was cut, None when it is none."""
    if reply.is_cut:
        return True if reply.body.lstrip()[:1] in {b"{", b"["} else None
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):  # 30,000 brackets are too deep for any parser
        return None
    return found if isinstance(found, (dict, list)) else None


def _holds(pattern: str, text: str) -> bool:
    return not pattern or _compiled(pattern).search(text) is not None


@functools.lru_cache(maxsize=256)  # some 60 in the rules
def _compiled(pattern: str) -> Any:  # noqa: ANN401  # re2 ships no types
    import re2  # noqa: PLC0415  # 9 ms, for whoever got an answer

    return re2.compile(pattern)


def limits(reply: Reply, reading: Reading, secret: Secret) -> tuple[tuple[str, str], ...]:
    """Tell what an answer says of quota and rate limits, by header or field: short plain values, never the key."""
    found: dict[str, str] = {}
    for name, value in (*_headers(reply, reading), *_fields(reply, reading)):
        if _is_plain(value, secret.value) and _is_plain(name, secret.value) and len(found) < _MOST_LIMITS:
            found.setdefault(name, value)
    return tuple(sorted(found.items()))


def _headers(reply: Reply, reading: Reading) -> Iterator[tuple[str, str]]:
    for name, value in reply.headers:
        if name.startswith(reading.headers):
            yield name, value.strip()


def _fields(reply: Reply, reading: Reading) -> Iterator[tuple[str, str]]:
    document = _document(reply) if reading.fields else None
    for path in reading.fields:
        value: Any = document
        for part in path.split("."):
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and part.isdecimal():
                value = value[int(part)] if int(part) < len(value) else None
            else:
                value = None
        if isinstance(value, bool):
            yield path, str(value).lower()
        elif isinstance(value, (int, float, str)):
            yield path, str(value)


def _is_plain(value: str, key: str) -> bool:
    """Tell whether a value from outside may be shown: who answers knows the key and may repeat it."""
    if not value or len(value) > _LONGEST_LIMIT or not _SAFE.issuperset(value):
        return False
    return not any(key[at : at + _SHOWN_PART] in value for at in range(max(1, len(key) - _SHOWN_PART + 1)))
