"""The only door to detect-secrets: finds secrets that are no model-API keys, with its patterns and our judgement.

Of detect-secrets only patterns and pure functions are used. Its scanner is not: that keeps settings in a global, knows
no columns, and drops every line of the form `x = f("…")`. Importing any of it costs 100 ms, 70 of them for `requests`,
with which plug-ins ask services about what they found and which keyguard never does: so it is left out until somebody
asks for it, and the rest comes once a text holds something that a plug-in can find and that is no stand-in.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any

from keyguard.model import Span
from keyguard.patterns import regex
from keyguard.prefilter import CLOSER, compiled, default_plugins
from keyguard.prefilter import PLUGINS as _TABLE
from keyguard.secrets.placeholders import is_placeholder, looks_random, mask
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from keyguard.catalogue import Catalogue
    from keyguard.source import SourceFile

# The class names of every plug-in, for settings; known without loading detect-secrets.
PLUGINS: tuple[str, ...] = tuple(sorted(_TABLE))
DEFAULT_PLUGINS = default_plugins()
# What must stand in a text for a plug-in to find anything: a pattern of RE2, empty where nothing is rare enough.
TRIGGERS: Mapping[str, str] = {name: trigger for name, (_, _, trigger) in _TABLE.items()}

_LONGEST = 4_200  # characters of the longest token
_JUDGED = 256  # characters of a token that are looked at: whether more of them are random takes longer than it tells
_CLASSIC = 40  # characters of a token with a checksum in its last six
_SHA1 = 40  # hexadecimal digits of a commit
_SHORTEST_LOOK = 16  # characters of the shortest part that must look random
_FILLER = 2  # different characters of a part that is only filler
_BEFORE, _AFTER = 120, 240  # characters around a product's name in which its credential is looked for
_BLOB = 40  # characters of base64 beside a token that make it a piece of something else
_HEADER = 40  # characters of the rest of a private key's header
_BODY = 8_192  # characters after a private key's header in which its body must stand
_LEAST_BODY = 64  # characters of base64 of the shortest private key (Ed25519)
_PREAMBLE = 300  # characters of other text before a key's body: a version, an algorithm
_LEAST_PASSWORD = 8  # characters: shorter ones in URLs are words of an example nearly always
_LINE = 1_000  # characters of the longest line in which keywords and entropy are looked for

_ALPHANUMERIC = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_LETTERS = _ALPHANUMERIC | set("_-")
_BASE64 = _ALPHANUMERIC | set("+/")
_HOST = _LETTERS | set(".")
_HEX = frozenset("0123456789abcdefABCDEF")
_ACCESS_KEY = "A[A-Z0-9]{3}(?=[A-Z0-9]{16}$)"
_RUN = regex(r"[A-Za-z0-9+/_-]{20,}")
_BODY_LINE = regex(r"[A-Za-z0-9+/]{16,}={0,2}")
# Header, claims and signature; five parts are an encrypted token, two an unsigned one.
_SIGNED = regex(r"eyJ[A-Za-z0-9_=-]+\.[A-Za-z0-9_=-]+\.[A-Za-z0-9_-]{20,}(?![A-Za-z0-9_.-])")
_PIECES = regex(r"[^A-Za-z0-9]+")
# What a token that gives access says: whose it is, where from, what for, until when; the others sign some data.
_CLAIM = regex(r"(?i)^(?:iss|sub|aud|exp|nbf|iat|jti|scopes?|scp|roles?|azp|upn|name|e?mail)$|id$|user|login|account")
_GAP = regex(r"(?:\\[nr]|[^A-Za-z0-9])*")  # between the lines of a key: line ends, quotes, indentation
_CHANGE = regex(r"(?<=[A-Za-z])(?=[^A-Za-z])|(?<=[^A-Za-z])(?=[A-Za-z])")
_LINE_TEXT = regex(r"[^\r\n]+")
# An escape whose last character is a letter or digit: JSON's \n and \u0022, a URL's %22.
_ESCAPE = regex(r"(?:\\[nrtbf]|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2})$")
# Signs of templates and of text that is no URL, and `%` that encodes nothing.
_TEMPLATE = regex(r"[{}<>\"'`\\|^]|%(?![0-9A-Fa-f]{2})")
_NO_PASSWORD = regex(r"(?i)passw|pwd|secret|creds|credential|token|username|^user\d*$|^pass")
# One's own machine, the names set aside for examples (RFC 2606), and what an example calls a host.
_NO_HOST = regex(
    r"^(?:localhost|127\.|0\.0\.0\.0|1\.2\.3\.4)|^(?:your|my|some)(?![a-z])"
    r"|^(?:host(?:name)?|server|proxy|domain|foo|bar|x+|site|url|ip)\d*(?:\.[a-z]{2,3})?$"
    r"|(?:^|\.)(?:example|test|invalid|localhost|local|acme|foo|bar|foobar|domain|company)(?:\.[a-z]{2,3})?$"
)


class OtherSecret(NamedTuple):
    """A secret that is no model-API key, and where it stands, in characters of the source's text.

    `value` is what opens the door: the token, the password of a URL, the body of a private key (whose `span` is its
    header). `masked` shows no more of it than what all values of its kind share. `name` is detect-secrets' name of
    the kind, `case` the one of rule KG108.
    """

    span: Span
    value: str
    plugin: str
    name: str
    masked: str
    case: str | None = None

    def __repr__(self) -> str:
        """Tell it without its value."""
        return f"OtherSecret({self.span}, {self.plugin!r}, {self.masked!r})"


def find(
    source: SourceFile,
    catalogue: Catalogue,
    *,
    on: Collection[str] = (),
    off: Collection[str] = (),
    possible: Collection[str] = PLUGINS,
) -> Iterator[OtherSecret]:
    """Yield the secrets of a text by plug-in and place, in time linear in the text's length.

    `on` and `off` are the plug-ins that settings turn on and off; a plug-in in both is off. `possible` are the ones
    whose trigger the prefilter saw; it may leave out plug-ins that are on by default only.
    """
    wanted = DEFAULT_PLUGINS.intersection(possible).union(on).difference(off)
    if not wanted:
        return
    text = _Text(source, catalogue, source.text.encode("latin-1", "replace"))
    for plugin in PLUGINS:
        if plugin in wanted:
            yield from _SEARCHES.get(plugin, _tokens)(plugin, text)


def load(plugins: Iterable[str]) -> None:
    """Load plug-ins before they are asked for, so that processes that are forked later share them."""
    _heuristics()
    for plugin in plugins:
        _detector(plugin)


class _Text(NamedTuple):
    """A text beside its bytes, one for each character, so that places in one are places in the other."""

    source: SourceFile
    catalogue: Catalogue
    flat: bytes

    def triggers(self, plugin: str) -> Iterator[tuple[int, int]]:
        """Where a plug-in's trigger begins and ends."""
        return (found.span() for found in _compiled(TRIGGERS[plugin]).finditer(self.flat))

    def is_known(self, value: str) -> bool:
        """Tell whether a value is a stand-in, or published by the vendor as an example."""
        return is_placeholder(value, self.catalogue) or self.is_published(value)

    def is_published(self, value: str) -> bool:
        """Tell whether a vendor shows this very value in its documentation."""
        from keyguard.fingerprint import sha256  # noqa: PLC0415  # for candidates only

        return sha256()(value.encode("utf-8", "replace")).hexdigest() in self.catalogue.public_keys


@lru_cache(maxsize=64)
def _compiled(trigger: str) -> Any:  # noqa: ANN401  # re2 ships no types
    return compiled(trigger)


class _Later(ModuleType):
    """A module that is imported when something of it is asked for, except by annotations of what is imported now."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the module holds
        """Ask the real module."""
        if sys.modules.get(self.__name__) is self and not name.startswith("__"):
            return Any
        return getattr(import_module(self.__name__), name)


def _imported(name: str) -> ModuleType:
    """Import a module of detect-secrets without `requests`."""
    later = _Later("requests")
    sys.modules.setdefault("requests", later)
    try:
        return import_module(f"detect_secrets.{name}")
    finally:
        if sys.modules.get("requests") is later:
            del sys.modules["requests"]


@lru_cache(maxsize=64)
def _detector(plugin: str) -> Any:  # noqa: ANN401  # detect-secrets' plug-ins share no typed base
    """A plug-in with its own defaults; the first one costs 30 ms, the others 1 ms each."""
    module = _TABLE[plugin][0] or _module(plugin)
    return getattr(_imported(f"plugins.{module}"), plugin)()


def _module(plugin: str) -> str:
    """The module that is called as its class is."""
    import pkgutil  # noqa: PLC0415  # 2 ms, beside the 30 ms of detect-secrets

    wanted = plugin.removesuffix("Detector").lower()
    modules = pkgutil.iter_modules(_imported("plugins").__path__)
    return next(module.name for module in modules if module.name.replace("_", "") == wanted)


@lru_cache(maxsize=1)
def _heuristics() -> Any:  # noqa: ANN401  # untyped
    """detect-secrets' pure filters; of them only those are used that look at the value alone."""
    return _imported("filters.heuristic")


# -- tokens that show themselves -------------------------------------------------------------------------------------


class _Token(NamedTuple):
    """How a token that shows itself is reached: its pattern is tried at `start(text, place of the trigger)` alone.

    It is the pattern's `group`, or what follows `lead` there, and has at `least` so many characters. Its neighbours
    are none of `letters`; one that `grows` goes on beyond the pattern over all of them. `prefix` is a pattern of what
    every token of the kind shares.
    """

    start: Callable[[str, int], int]
    letters: frozenset[str] = _LETTERS
    grows: bool = False
    group: int = 0
    least: int = 0
    lead: str = ""
    prefix: str = "$"


def _here(_: str, place: int) -> int:
    return place


def _back(count: int) -> Callable[[str, int], int]:
    return lambda _, place: max(0, place - count)


def _first_digit(text: str, place: int) -> int:
    """A number of which the trigger holds all but the first one or two digits."""
    return place - next((count for count in (2, 1) if text[max(0, place - count) : place].isdecimal()), 0)


def _registry(text: str, place: int) -> int:
    """The `//` of the registry before its `/:_authToken=`."""
    return max(0, text.rfind("//", max(0, place - 300), max(0, place - 1)))


def _scheme(text: str, place: int) -> int:
    """The `https://` before a host."""
    return max(0, place - 8) if text[place] in "hH" else place


def _dashed(text: str, place: int) -> int:
    """The prefix before a marker in the middle."""
    return max(0, text.rfind("sk-", max(0, place - 200), place))


_TOKENS: Mapping[str, _Token] = {
    "ArtifactoryDetector": _Token(_back(1), _ALPHANUMERIC),
    "AzureStorageKeyDetector": _Token(_here, _ALPHANUMERIC | set("+/="), lead="AccountKey="),
    "DiscordBotTokenDetector": _Token(_here),
    "GitHubTokenDetector": _Token(_here, grows=True, prefix="gh[a-z]_"),
    "GitLabTokenDetector": _Token(_here, grows=True, prefix="gl[a-z]+-|GR1348941"),
    "IPPublicDetector": _Token(_first_digit, frozenset("0123456789."), group=1),
    "MailchimpDetector": _Token(_back(28), _ALPHANUMERIC),
    "NpmDetector": _Token(_registry, grows=True, group=1, least=36, prefix="npm_"),
    "OpenAIDetector": _Token(_dashed, grows=True, prefix="sk-"),
    "PypiTokenDetector": _Token(_here, grows=True, prefix="pypi-"),
    "SendGridDetector": _Token(lambda text, place: text.find("SG", place), prefix="SG[.]"),
    "SlackDetector": _Token(_scheme, grows=True, prefix="(?i)xox[a-z]-"),
    "SquareOAuthDetector": _Token(_here, prefix="sq0csp-"),
    "StripeDetector": _Token(_here, _ALPHANUMERIC, grows=True, prefix="[rs]k_live_"),
    "TelegramBotTokenDetector": _Token(_first_digit),
    "TwilioKeyDetector": _Token(_here, _ALPHANUMERIC),
}


def _tokens(plugin: str, where: _Text) -> Iterator[OtherSecret]:
    token = _TOKENS[plugin]
    text = where.source.text
    done = 0
    for place, last in where.triggers(plugin):
        start = token.start(text, place)
        if start < done or (text[start] in token.letters and not _begins(text, start, token.letters)):
            continue
        if _is_told(text, last if token.least else place, token.least, where):
            continue
        found = _first_match(_detector(plugin).denylist, text, start)
        if found is None:
            continue
        span = _span(found, token, text)
        done = span.end
        value = text[span.start : span.end]
        around = Span(span.start - len(token.lead), span.end)
        if len(value) >= token.least and _is_whole(text, around, token.letters) and _is_token(plugin, value, where):
            yield _secret(plugin, span, value, token.prefix)


def _is_told(text: str, start: int, least: int, where: _Text) -> bool:
    """Tell without loading the plug-in that what begins here is too short for a token, or a stand-in."""
    size = _end(text, start, _LETTERS) - start
    return size < least or (_SHORTEST_LOOK <= size <= _JUDGED and where.is_known(text[start : start + size]))


def _first_match(patterns: Sequence[re.Pattern[str]], text: str, start: int) -> re.Match[str] | None:
    tries = (pattern.match(text, start, start + _LONGEST) for pattern in patterns)
    return next((found for found in tries if found is not None), None)


def _span(found: re.Match[str], token: _Token, text: str) -> Span:
    """Where the token lies in a match: without what stands around it, and whole."""
    start, end = found.span(token.group)
    start += len(token.lead)
    while start < end and text[start] not in token.letters:
        start += 1
    if token.group:
        end = start
    while end > start and text[end - 1] not in token.letters:
        end -= 1
    return Span(start, _end(text, end, token.letters) if token.grows or token.group else end)


def _is_token(plugin: str, value: str, where: _Text) -> bool:
    """Tell a token from a stand-in, by the whole of it and by its longest part."""
    if plugin == "IPPublicDetector":
        return True
    if not _is_plausible(value):
        return False
    if plugin == "GitHubTokenDetector" and len(value) == _CLASSIC:
        from keyguard.secrets.structure import crc32_tail  # noqa: PLC0415  # 3 ms that only a candidate pays

        if crc32_tail(value, prefix_length=4) or where.source.role != "code":
            return crc32_tail(value, prefix_length=4)  # what is made up for a test or a page has no checksum
    parts = [part[:_JUDGED] for part in _PIECES.split(value) if part]
    longest = max(parts, key=len)
    if len(longest) >= _SHORTEST_LOOK and not looks_random(longest):
        return False
    whole = longest if "://" in value else value[:_JUDGED]
    return not where.is_known(longest) and not where.is_known(whole) and not _has_filler(parts)


def _has_filler(parts: Sequence[str]) -> bool:
    """`T00000000`, `XXXXXXXX`: a part of a token in which nothing changes."""
    return any(len(part) >= _LEAST_PASSWORD and len(set(part[1:])) <= _FILLER for part in parts)


def _is_plausible(value: str) -> bool:
    """What detect-secrets' own filters of values say, the sound ones."""
    heuristics = _heuristics()
    return not (
        heuristics.is_sequential_string(value)
        or heuristics.is_templated_secret(value)
        or heuristics.is_not_alphanumeric_string(value)
    )


# -- credentials beside a product's name -----------------------------------------------------------------------------


def _assignments(plugin: str, where: _Text) -> Iterator[OtherSecret]:
    text = where.source.text
    closer = CLOSER.get(plugin)
    if closer is not None and _compiled(closer).search(where.flat) is None:
        return  # as below: 23 ms, where a page only talks about the product
    seen = set()
    for start, end in _windows(where.triggers(plugin)):
        runs = (run[0] for run in _RUN.finditer(text, start, end))
        if not any(len(run) <= _JUDGED and looks_random(run) and not where.is_known(run) for run in runs):
            continue  # told without loading the plug-in
        for pattern in _detector(plugin).denylist:
            for found in pattern.finditer(text, start, end):
                span = Span(*found.span(found.lastindex or 0))
                value = text[span.start : span.end]
                if span in seen or not _is_whole(text, span, _ALPHANUMERIC) or _is_in_blob(text, span):
                    continue
                seen.add(span)
                if _is_plausible(value) and _is_credential(value) and not where.is_known(value):
                    yield _secret(plugin, span, value, _ACCESS_KEY)


def _windows(triggers: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Windows around triggers, those that overlap as one: each character is searched once."""
    start = end = -1
    for first, last in triggers:
        if start >= 0 and first - _BEFORE <= end:
            end = last + _AFTER
            continue
        if start >= 0:
            yield start, end
        start, end = max(0, first - _BEFORE), last + _AFTER
    if start >= 0:
        yield start, end


def _is_credential(value: str) -> bool:
    """Tell a credential from a path, a name or a commit: 40 hexadecimal digits are one of the latter."""
    return looks_random(value) and not (len(value) == _SHA1 and _HEX.issuperset(value))


def _is_in_blob(text: str, span: Span) -> bool:
    """Tell whether a span is a piece of a long base64 text, such as an image."""
    left = span.start
    while left > max(0, span.start - _BLOB) and text[left - 1] in _BASE64:
        left -= 1
    return span.start - left >= _BLOB or _end(text, span.end, _BASE64, _BLOB) - span.end >= _BLOB


# -- private keys ----------------------------------------------------------------------------------------------------


def _private_keys(plugin: str, where: _Text) -> Iterator[OtherSecret]:
    text = where.source.text
    for first, last in where.triggers(plugin):
        start, end = _header(text, first, last)
        body = _body(text, end)
        if body is None:
            continue
        if any(pattern.search(text, start, end) for pattern in _detector(plugin).denylist):
            yield _secret(plugin, Span(start, end), text[body.start : body.end], "$", "private-key")


def _header(text: str, start: int, end: int) -> tuple[int, int]:
    """The whole header around its words, dashes included."""
    while start and text[start - 1] == "-":
        start -= 1
    dashes = text.find("-----", end, end + _HEADER)
    return start, dashes + 5 if dashes >= 0 else end


def _body(text: str, start: int) -> Span | None:
    """The base64 of a private key after its header; None for a header alone, a stand-in, or one that was cut short."""
    end = min(len(text), start + _BODY)
    for sign in ("-----BEGIN", "-----END"):
        place = text.find(sign, start, end)
        end = place if place >= 0 else end
    lines: list[re.Match[str]] = []
    last = start
    for line in _BODY_LINE.finditer(text, start, end):
        if line.start() - last > _PREAMBLE or (lines and not _GAP.fullmatch(text, last, line.start())):
            break
        lines.append(line)
        last = line.end()
    body = "".join(line[0].rstrip("=") for line in lines)
    chunks = [body[place : place + 64] for place in range(0, len(body) - 32, 64)]
    if len(body) < _LEAST_BODY or 2 * sum(map(looks_random, chunks)) < len(chunks) or _is_cut_short(body):
        return None
    return Span(lines[0].start(), lines[-1].end())


def _is_cut_short(body: str) -> bool:
    """The first bytes of a key in DER say how long it is."""
    from base64 import b64decode  # noqa: PLC0415  # 2 ms that only a private key pays

    head = b64decode(body[:8])
    if head[:2] != b"\x30\x82":
        return False
    return int.from_bytes(head[2:4], "big") + 4 > len(body) * 3 // 4 + 3


# -- passwords in URLs -----------------------------------------------------------------------------------------------


def _basic_auth(plugin: str, where: _Text) -> Iterator[OtherSecret]:
    text = where.source.text
    for start, end in where.triggers(plugin):
        user, _, password = text[start + 3 : end - 1].partition(":")
        host = text[end : _end(text, end, _HOST, 253)].lower()
        if end - start > _LINE or not _is_password(password, user, host, where):
            continue
        found = _first_match(_detector(plugin).denylist, text, start)
        if found is not None:
            yield _secret(plugin, Span(*found.span(1)), found[1], "$", "basic-auth")


def _is_password(password: str, user: str, host: str, where: _Text) -> bool:
    """Tell the password of a real account from an example's, a template's, and one of one's own machine."""
    if len(password) < _LEAST_PASSWORD or not host or password.lower() == user.lower():
        return False
    if _TEMPLATE.search(user) or _TEMPLATE.search(password) or _NO_HOST.search(host) or where.is_known(password):
        return False
    if looks_random(password):
        return True
    return (
        where.source.role == "code"
        and _is_mixed(password)
        and _NO_PASSWORD.search(password) is None
        and not is_placeholder(user, where.catalogue)
    )


def _is_mixed(password: str) -> bool:
    """Letters and digits in turns, or letters of both cases with digits: no word with a number behind it."""
    kinds = {
        ("d" if char.isdigit() else "l" if char.islower() else "u" if char.isupper() else "s") for char in password
    }
    return len(kinds) > 2 and len(_CHANGE.findall(password)) > 1  # noqa: PLR2004  # three kinds, two changes


# -- signed tokens ---------------------------------------------------------------------------------------------------


def _jwts(plugin: str, where: _Text) -> Iterator[OtherSecret]:
    text = where.source.text
    for start, _ in where.triggers(plugin):
        if not _begins(text, start, _LETTERS):
            continue
        whole = _SIGNED.match(text, start, start + _LONGEST)
        if whole is None or where.is_published(whole[0]) or not _gives_access(whole[0], where):
            continue
        found = _first_match(_detector(plugin).denylist, text, start)
        if found is not None and _detector(plugin).is_formally_valid(whole[0]):
            yield _secret(plugin, Span(*whole.span()), whole[0], "eyJ", "jwt")


def _gives_access(token: str, where: _Text) -> bool:
    """Tell a token that a server would take: an algorithm, claims of access, a signature that nobody typed."""
    import json  # noqa: PLC0415  # 8 ms that only a candidate pays
    from base64 import urlsafe_b64decode  # noqa: PLC0415  # 2 ms, as above

    *parts, signature = token.split(".")
    if not looks_random(signature[:_JUDGED]):
        return False
    try:
        header, claims = (json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts)
    except (ValueError, RecursionError):
        return False
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return False
    if str(header.get("alg", "none")).lower() == "none" or claims.get("role") == "anon":
        return False  # `anon` is the role of keys that browsers are meant to hold
    subject = str(claims.get("sub", ""))
    return subject not in where.catalogue.placeholders.fillers and any(map(_CLAIM.search, claims))


# -- words and entropy: off unless a setting turns them on -----------------------------------------------------------


def _entropy(plugin: str, where: _Text) -> Iterator[OtherSecret]:
    detector = _detector(plugin)
    heuristics = _heuristics()
    for start, line in _lines(where.source):
        for found in detector.regex.finditer(line):
            value = found[2]
            if detector.calculate_shannon_entropy(value) <= detector.entropy_limit or not _is_plausible(value):
                continue
            if heuristics.is_potential_uuid(value) or heuristics.is_likely_id_string(value, line, detector):
                continue
            if not where.is_known(value):
                span = Span(start + found.start(2), start + found.end(2))
                yield _secret(plugin, span, value, "$", "entropy")


def _keywords(plugin: str, where: _Text) -> Iterator[OtherSecret]:
    detector = _detector(plugin)
    heuristics = _heuristics()
    groups = _keyword_patterns(where.source.path)
    values = where.catalogue.placeholders.values
    for start, line in _lines(where.source):
        for value in dict.fromkeys(detector.analyze_string(line, denylist_regex_to_group=groups)):
            if value.lower() in values or not _is_plausible(value) or heuristics.is_prefixed_with_dollar_sign(value):
                continue
            place = start + line.rindex(value)
            yield _secret(plugin, Span(place, place + len(value)), value, "$", "keyword")


def _keyword_patterns(path: str) -> Any:  # noqa: ANN401  # untyped
    """detect-secrets knows a keyword's assignment by the kind of file."""
    keyword = _imported("plugins.keyword")
    kind = _imported("util.filetype").determine_file_type(path)
    return keyword.REGEX_BY_FILETYPE.get(kind, keyword.QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP)


def _lines(source: SourceFile) -> Iterator[tuple[int, str]]:
    """Lines with their places; hashes of lock files and lines of no person are left out."""
    if source.kind == "lock" or _heuristics().is_lock_file(source.path):
        return
    for found in _LINE_TEXT.finditer(source.text):
        if len(found[0]) <= _LINE:
            yield found.start(), found[0]


# -- common to all ---------------------------------------------------------------------------------------------------


def _begins(text: str, start: int, letters: frozenset[str]) -> bool:
    """Tell whether nothing of a token's letters stands before it, an escape (`_ESCAPE`) aside."""
    if not start or text[start - 1] not in letters:
        return True
    before = text[max(0, start - 6) : start]
    return _ESCAPE.search(before) is not None or before.endswith("bot")


def _is_whole(text: str, span: Span, letters: frozenset[str]) -> bool:
    return _begins(text, span.start, letters) and text[span.end : span.end + 1] not in letters


def _end(text: str, start: int, letters: frozenset[str], most: int = _LONGEST) -> int:
    """Where a run of letters ends, at most `most` characters on."""
    stop = min(len(text), start + most)
    while start < stop and text[start] in letters:
        start += 1
    return start


def _secret(plugin: str, span: Span, value: str, prefix: str, case: str | None = None) -> OtherSecret:
    shared = re.match(prefix, value)
    return OtherSecret(
        span, value, plugin, _detector(plugin).secret_type, f"{shared[0] if shared else ''}{mask(value)}", case
    )


_SEARCHES: Mapping[str, Callable[[str, _Text], Iterator[OtherSecret]]] = {
    "AWSKeyDetector": _assignments,
    "Base64HighEntropyString": _entropy,
    "BasicAuthDetector": _basic_auth,
    "CloudantDetector": _assignments,
    "HexHighEntropyString": _entropy,
    "IbmCloudIamDetector": _assignments,
    "IbmCosHmacDetector": _assignments,
    "JwtTokenDetector": _jwts,
    "KeywordDetector": _keywords,
    "PrivateKeyDetector": _private_keys,
    "SoftlayerDetector": _assignments,
}
