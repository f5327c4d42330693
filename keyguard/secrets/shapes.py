"""Finds model-API keys in text and says whose they are: exact shapes first, then what stands around them."""

from __future__ import annotations

import re
from bisect import bisect_left
from enum import IntEnum
from functools import cached_property, lru_cache

from keyguard.model import Confidence, Span
from keyguard.patterns import regex
from keyguard.prefilter import ABOUT, JUDGED, anywhere, compiled, decoded_at, may_be_random
from keyguard.secrets.placeholders import is_lookalike, is_placeholder, looks_random
from keyguard.triggers import CREDENTIAL_WORDS, RUN, word_owners
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import KeyShape, Provider
    from keyguard.source import SourceFile

# What is told apart here in few words; `KeyMatch.reason` is one of them.
STRUCTURE = "structure"  # a marker, checksum or form of its own
PREFIX = "prefix"  # a prefix that only one provider uses
HOST = "host"
NAME = "name"  # a variable, parameter or field named after the provider
WORDS = "words"  # the provider is named nearby
CREDENTIAL = "credential"  # a name of credentials, but of no provider
SHAPE = "shape"  # a form that several providers share, and nothing around it

# After these a text goes on that is no key: a path, an address, a call, a mask.
_GOES_ON = ("/", ":", "@", "(", "[", "{", "*")
_KEY_RUN = regex(r"[A-Za-z0-9_-]+")
_KEY_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_BLOB = 24  # random characters beside a run that make it a piece of something longer
_SHORTEST_PEM = 200  # characters between the lines of a private key: the shortest has 100
_URL = r"(?i:https?|wss?)://[A-Za-z0-9.-]{3,253}(?::[0-9]{1,5})?"
_LONGEST = 4_200  # characters of the longest key
_SECTION = 8  # lines above a key among which its block's name is looked for
_LINE = 200  # characters before a key on its line in which names are looked for
_NEAR = 1_500  # characters on both sides in which a host or a word says whose key it is
_FAR = 20_000  # the same where only one of the possible providers is named at all
_SHARED = 32  # characters: a shorter text with a shared prefix may be a name with a hyphen
_LONG_SHARED = 48  # characters that nobody writes by hand: `sk-` and these are a key wherever they stand
_LONG_NAME, _MANY_DIGITS = 24, 4  # characters: a longer identifier with many digits is a value itself
_MENTIONS_ASKED = 16  # mentions looked at on each side of a key
_UNKNOWN_SHORTEST, _UNKNOWN_LONGEST = 20, 200  # characters of a key of no known shape

_IDENTIFIER = regex(r"[A-Za-z_][A-Za-z0-9_]*(?:[-.][A-Za-z0-9_]+)*")
_OF_CREDENTIAL = regex(r"_?(?:api_?)?(?:key|token|secret)s?$")
_SHORT_VARIABLE = regex(r"(?:[A-Z0-9]{1,2}_)?API_KEY|.{0,4}")
_WORD = regex(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_VALUE = regex(r"[A-Za-z0-9_.\-]+")
_BASE64_VALUE = regex(r"[A-Za-z0-9+/]{24,800}={0,2}")
_ONLY_SIGNS = regex(r"""[\s"',;\[\](){}|*`<>\\-]*(?:\\n[\s"',]*)?""")
# A file's name, not the end of a sentence.
_FILE_ENDING = regex(
    r"\.(?:png|jpe?g|gif|svg|webp|ico|css|s?js|mjs|json|html?|txt|pdf|mp[34]|wav|woff2?|ttf|zip|gz|map|ya?ml|xml|csv|md|py)\b"
)
_PEM = "-----BEGIN"
_PEM_END = regex(r"-----END (?:RSA )?PRIVATE KEY-----")


class Context(NamedTuple):
    """What is known around a value, nearest first.

    `names` are variables, parameters, fields and environment variables; `hosts` are hosts it is sent to; `words` are
    other words or phrases; `providers` are ids a caller knows, such as the one of the SDK that gets the value.
    `credential` says that the value is given as a key whatever its name.
    """

    names: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    credential: bool = False


NOWHERE = Context()


class KeyMatch(NamedTuple):
    """A key and where it stands, in characters of the text it was found in.

    `provider` is an id, or None for a key of a service that speaks another's dialect and cannot be told. `shape` is
    None when only the name tells. `confidence` below HIGH means: form or checksum leave a doubt. `case` is
    `public-example` (published, opens nothing), `restricted` (public by design in some products), `unknown-shape` or
    None. `name` is the nearest name around it.
    """

    span: Span
    value: str
    shape: KeyShape | None
    provider: str | None
    confidence: Confidence
    reason: str
    case: str | None = None
    name: str | None = None

    def __repr__(self) -> str:
        """Tell it without its value."""
        return f"KeyMatch({self.span}, {self.shape.id if self.shape else None!r}, {self.provider!r})"

    @property
    def is_malformed(self) -> bool:
        """Tell whether it fails its shape's own test, so that it was mistyped, cut or made up."""
        return self.shape is not None and self.shape.well_formed(self.value) is False


def keys_in_text(source: SourceFile | str, catalogue: Catalogue) -> tuple[KeyMatch, ...]:
    """Every key in a text with its provider, in order and without overlaps.

    Time is linear in the text. Shapes that need context are left out in lock files, where everything is a hash.
    """
    if isinstance(source, str):
        return _search(source, NOWHERE, catalogue, kind="text")
    return _search(source.text, NOWHERE, catalogue, kind=source.kind)


def keys_in_value(value: str, context: Context, catalogue: Catalogue) -> tuple[KeyMatch, ...]:
    """The keys in a value of a program, such as an argument or a variable; spans count inside the value.

    The value may be a key, a header with its scheme, a URL or a long text; `context` is what the program says of it.
    """
    matcher = _matcher(catalogue)
    found = _search(value, context, catalogue, kind="value")
    start, end = matcher.bare(value)
    if any(match.span.start < end and start < match.span.end for match in found):
        return found
    whole = matcher.whole(value[start:end], context)
    if whole is None:
        return found
    return _ordered([*found, _moved(whole, start)])


class MayBe(IntEnum):
    """Whether a text can hold a key: never, if what is around it says that it is one, or whatever that says."""

    NEVER = 0
    IF_NAMED = 1
    ALWAYS = 2


def may_be_key(value: str, catalogue: Catalogue) -> MayBe:
    """Tell at a glance, and rather too often, whether `keys_in_value` finds a key in a value in any context at all."""
    return _matcher(catalogue).may_be(value) if len(value) >= _UNKNOWN_SHORTEST else MayBe.NEVER


def looks_unknown(value: str, catalogue: Catalogue) -> bool:
    """Tell whether a text of no known form may be a key: as dice would make it, and no model's id."""
    if not _UNKNOWN_SHORTEST <= len(value) <= _LONGEST or not looks_random(value):
        return False
    return not is_placeholder(value, catalogue) and not is_lookalike(value, catalogue)


def is_public_example(value: str, catalogue: Catalogue) -> bool:
    """Tell whether a key is one that a vendor or a scanner published."""
    from keyguard.fingerprint import sha256  # noqa: PLC0415  # for candidates only

    return sha256()(value.encode("utf-8", "replace")).hexdigest() in catalogue.public_keys


def is_credential_name(name: str, catalogue: Catalogue) -> bool:
    """Tell whether a variable, parameter or field of that name holds a credential (`apiKey`, `X-API-Key`)."""
    return _matcher(catalogue).credential(name)


def providers_of_name(name: str, catalogue: Catalogue) -> tuple[str, ...]:
    """The ids of the providers that a name points to: its variable, or a name with the provider's word in it."""
    return _matcher(catalogue).named(name)


def _moved(match: KeyMatch, by: int) -> KeyMatch:
    return match._replace(span=Span(match.span.start + by, match.span.end + by))


def _ordered(matches: Iterable[KeyMatch]) -> tuple[KeyMatch, ...]:
    """By position; of two that overlap the surer, then the longer one stays."""
    kept: list[KeyMatch] = []
    for match in sorted(matches, key=lambda match: (match.span.start, -match.span.end)):
        if kept and match.span.start < kept[-1].span.end:
            if (match.confidence, match.span.end - match.span.start) > (
                kept[-1].confidence,
                kept[-1].span.end - kept[-1].span.start,
            ):
                kept[-1] = match
            continue
        kept.append(match)
    return tuple(kept)


def _search(text: str, context: Context, catalogue: Catalogue, *, kind: str) -> tuple[KeyMatch, ...]:
    if len(text) < _UNKNOWN_SHORTEST:
        return ()
    data = text.encode("utf-8", "surrogatepass")
    # One character a byte: offsets of RE2 and of Python agree, and keys are ASCII anyhow.
    flat = text if len(data) == len(text) else data.decode("latin-1")
    matcher = _matcher(catalogue)
    found = list(matcher.prefixed(flat, data, context, kind))
    if kind not in {"value", "python"}:
        found += matcher.encoded(flat, data, kind)
    if kind != "lock":
        found += matcher.contextual(flat, data, context)
    matches = _ordered(found)
    return matches if flat is text else tuple(_in_characters(matches, data))


def _in_characters(matches: Sequence[KeyMatch], data: bytes) -> Iterator[KeyMatch]:
    """Turn byte offsets into character offsets, decoding the text once."""
    place = characters = 0
    for match in matches:
        characters += len(data[place : match.span.start].decode("utf-8", "surrogatepass"))
        place = match.span.start
        yield _moved(match, characters - place)


@lru_cache(maxsize=256)
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@lru_cache(maxsize=4)
def _matcher(catalogue: Catalogue) -> _Matcher:
    return _Matcher(catalogue)


class _Matcher:
    """A catalogue's shapes, names and words, ready to search with."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._shapes = tuple(shape for shape in catalogue.shapes.values() if shape.secret and not shape.malformed)
        self._finder = compiled(catalogue.patterns["keys"])
        self._unprefixed_shapes = tuple(shape for shape in self._shapes if shape.needs_context and not shape.prefixes)
        self._by_prefix: dict[str, list[tuple[str, KeyShape]]] = {}
        self._free: list[KeyShape] = []
        for shape in self._shapes:
            for prefix in shape.prefixes:
                self._by_prefix.setdefault(prefix[:2], []).append((prefix, shape))
            if not shape.prefixes and not shape.needs_context:
                self._free.append(shape)
        # `sk-` makes a key of a random text under a credential's name; `eyJ` begins every signed token there is.
        self._telling = frozenset(
            prefix for shape in self._shapes if shape.confidence > Confidence.LOW for prefix in shape.prefixes
        )
        self._plain = frozenset(
            shape.id
            for shape in self._shapes
            if shape.charset and _KEY_CHARACTERS.issuperset("".join((shape.charset, *shape.prefixes)))
        )
        words = catalogue.words
        self._generic = frozenset(words.generic)
        self._suffixes = (*words.suffixes, "_credentials", "_credential")
        self._not_secret = words.not_secret
        self._browser = words.browser_prefixes
        self._headers = frozenset(header.replace("-", "_") for header in words.headers)
        self._schemes = re.compile(rf"\s*(?:{'|'.join(map(re.escape, words.schemes))})[\s:]\s*", re.IGNORECASE)
        self._word_ids = word_owners((provider.id, provider.words) for provider in catalogue.providers.values())
        # The same few names stand before thousands of values. On the object, so that no cache outlives it.
        self.credential = lru_cache(maxsize=4_096)(self._credential)
        self.named = lru_cache(maxsize=4_096)(self._named)

    # -- what a name says --------------------------------------------------------------------------------------------

    def _unprefixed(self, name: str) -> str:
        """`process.env.VITE_X_KEY` is about `X_KEY`: what a bundler wants before a name says nothing of the value."""
        name = name.rpartition(".")[2]
        for prefix in self._browser:
            if name.startswith(prefix):
                return name[len(prefix) :]
        return name

    def _credential(self, name: str) -> bool:
        """Tell whether a name is that of a credential; of a dotted one the last part counts."""
        name = self._unprefixed(name)
        snake = _snake(name)
        if not snake:
            return False
        if self._catalogue.providers_of_env(name):
            return True
        if snake.endswith(self._not_secret) or snake in self._not_secret:
            return False
        bare = snake.rstrip("0123456789").rstrip("_")
        bare = bare.removesuffix("s") if bare.endswith(("keys", "tokens", "secrets")) else bare
        return bare in self._generic or bare in self._headers or bare.endswith((*self._suffixes, "apikey"))

    def _named(self, name: str) -> tuple[str, ...]:
        """Find the providers of a variable's or a field's name."""
        name = self._unprefixed(name)
        known = self._catalogue.providers_of_env(name)
        if known:
            return tuple(provider.id for provider in known)
        snake = _snake(name)
        # As a name of its own even a common word is a provider: `{"exa": {"api_key": …}}`, `falKey`.
        stem = _OF_CREDENTIAL.sub("", snake)
        for owner in (stem, f"relay_{stem}"):
            if owner in self._catalogue.providers:
                return (owner,)
        return self._worded(snake.split("_")) or self._ending(name)

    def _worded(self, parts: Sequence[str]) -> tuple[str, ...]:
        """Find the providers whose word some parts of a name spell, the longest word first."""
        for size in (3, 2, 1):
            for start in range(len(parts) - size + 1):
                piece = parts[start : start + size]
                for word in ("_".join(piece), "".join(piece), " ".join(piece)):
                    if word in self._word_ids:
                        return self._word_ids[word]
        return ()

    def _ending(self, name: str) -> tuple[str, ...]:
        """Find whose variable a name ends in: `MY_HF_TOKEN` is `HF_TOKEN` still, `PH8_CO_API_KEY` not `CO_API_KEY`."""
        for place, sign in enumerate(name):
            if sign == "_" and not _SHORT_VARIABLE.fullmatch(name, place + 1):
                known = self._catalogue.providers_of_env(name[place + 1 :])
                if known:
                    return tuple(provider.id for provider in known)
        return ()

    # -- shapes that show themselves ---------------------------------------------------------------------------------

    def prefixed(self, flat: str, data: bytes, context: Context, kind: str) -> Iterator[KeyMatch]:
        """Yield the keys whose form shows where they begin; what is around them says whose they are."""
        mentions = _Mentions(self, flat, data)
        before: KeyMatch | None = None
        place = 0
        while (found := self._finder.search(data, place)) is not None:
            start = next(span[0] for span in map(found.span, range(1, found.re.groups + 1)) if span[0] >= 0)
            end, shapes = self._fitting(flat, start)
            if not shapes:
                # What failed as a run may hold another start behind an escape (`\\n`) or a dot.
                place = max(found.end() - RUN, start + 1)
                continue
            place = end - 1
            token = _Token(flat, start, end)
            if is_placeholder(token.value, self._catalogue) and not token.is_pem:
                continue
            names, credential = self._names(token, kind)
            if before is not None and not names and _ONLY_SIGNS.fullmatch(flat, before.span.end, start):
                names, credential = ((before.name,) if before.name else ()), True  # the next one of a list
            credential = credential or context.credential or any(map(self.credential, context.names))
            around = _Around((*names, *context.names), context, mentions, start, credential=credential)
            match = self._judge(token, shapes, around)
            if match is not None:
                before = match
                yield match

    def encoded(self, flat: str, data: bytes, kind: str) -> Iterator[KeyMatch]:
        """Yield the keys that stand in base64, as in a secret of Kubernetes: whoever reads the file decodes it."""
        place = 0
        while (found := self._in_base64.search(data, place)) is not None:
            start = found.start(1)
            decoded, end = decoded_at(data, start)
            place = max(end, start + 1)
            value = decoded.decode("latin-1").rstrip("\r\n")
            names, credential = self._names(_Token(flat, start, end), kind)
            context = Context(names=names, credential=credential)
            for match in self.prefixed(value, value.encode("latin-1"), context, "value"):
                if match.span == Span(0, len(value)):
                    yield match._replace(span=Span(start, end))

    @cached_property
    def _in_base64(self) -> Any:  # noqa: ANN401  # re2 ships no types
        return compiled(self._catalogue.patterns["encoded"])

    def _fitting(self, flat: str, start: int) -> tuple[int, list[KeyShape]]:
        """The shapes that a key at `start` has, and where it ends; boundaries and look-alikes are settled here."""
        starting = [
            shape
            for prefix, shape in self._by_prefix.get(flat[start : start + 2], ())
            if flat.startswith(prefix, start)
        ]
        return self._longest(flat, start, starting) or self._longest(flat, start, self._free) or (start, [])

    def _longest(self, flat: str, start: int, shapes: Iterable[KeyShape]) -> tuple[int, list[KeyShape]] | None:
        run = _KEY_RUN.match(flat, start, start + _LONGEST)
        length = run.end() - start if run else 0
        best = start
        fitting: list[KeyShape] = []
        for shape in shapes:
            # A key ends where the characters of keys end, so that most shapes fail by length alone.
            if shape.id in self._plain and not (shape.min_length or 0) <= length <= (shape.max_length or _LONGEST):
                continue
            end = self._end(flat, start, shape)
            if end > best:
                best, fitting = end, [shape]
            elif end == best and end > start:
                fitting.append(shape)
        return (best, fitting) if fitting else None

    def _end(self, flat: str, start: int, shape: KeyShape) -> int:
        """Where a key of this shape that begins at `start` ends, or -1."""
        found = _regex(shape.pattern).match(flat, start, start + (shape.max_length or _LONGEST) + 1)
        if found is None:
            return -1
        end = found.end()
        if shape.max_length is None and "-----" in shape.pattern:
            closing = _PEM_END.search(flat, end, end + _LONGEST)
            return closing.end() if closing and closing.start() - end > _SHORTEST_PEM else -1
        return end if self._bounded(flat, start, end, shape) else -1

    def _bounded(self, flat: str, start: int, end: int, shape: KeyShape) -> bool:
        after = flat[end : end + 1]
        if not after:
            return not _in_blob(flat, start, end)
        if after in _KEY_CHARACTERS or (after in shape.charset and after not in ".A-Za-z0-9"):
            return False
        if after == "=" and "=" not in shape.charset and "-" not in flat[start:end] and _in_blob(flat, start, end):
            return False
        if after in "*\u2026" or flat.startswith(("...", "\xe2\x80\xa6", "[", "{"), end):
            return False  # masked, or a pattern
        if after == "." and (
            _FILE_ENDING.match(flat, end) or ("." in shape.pattern and flat[end + 1 : end + 2] in _KEY_CHARACTERS)
        ):
            return False
        return not _in_blob(flat, start, end)

    # -- shapes that need a name -------------------------------------------------------------------------------------

    def contextual(self, flat: str, data: bytes, context: Context) -> Iterator[KeyMatch]:
        """Keys of shapes without a prefix: after a credential's name, in a text that names their provider."""
        mentions = _Mentions(self, flat, data)
        if mentions.silent() and not (context.providers or context.hosts):
            return
        place = 0
        while True:
            found = self._after_name.search(data, place)
            if found is None:
                return
            start = next(span[0] for span in (found.span(1), found.span(2)) if span[0] >= 0)
            place = max(start, place + 1)
            match = self._named_value(flat, start, context, mentions)
            if match is not None:
                yield match
                place = max(place, match.span.end)

    def _named_value(self, flat: str, start: int, context: Context, mentions: _Mentions) -> KeyMatch | None:
        names, _ = self._names(_Token(flat, start, start), "named")
        names = (*names, *context.names)
        if not names or not any(map(self.credential, names[:2])):
            return None
        return self._contextual_at(flat, start, _Around(names, context, mentions, start, credential=True))

    def whole(self, value: str, context: Context) -> KeyMatch | None:
        """The key that a whole value is, told by the program around it alone."""
        if not _UNKNOWN_SHORTEST <= len(value) <= _LONGEST:
            return None
        if not (context.credential or any(map(self.credential, context.names[:2]))):
            return None
        around = _Around(context.names, context, None, 0, credential=True)
        match = self._contextual_at(value, 0, around)
        return match if match is not None and match.span.end == len(value) else None

    def _contextual_at(self, flat: str, start: int, around: _Around) -> KeyMatch | None:
        if not may_be_random(flat[start : start + JUDGED]):
            return None
        for provider, reason in self._evidence(around):
            fitting = self._longest(
                flat, start, [shape for shape in provider.shapes if shape.needs_context and not shape.prefixes]
            )
            if fitting is None or not fitting[1][0].secret:
                continue
            end, (shape, *_) = fitting
            token = _Token(flat, start, end)
            if shape.well_formed(token.value) is False and shape.test_means != "proves":
                continue
            if _is_random(token.value, shape) and not is_placeholder(token.value, self._catalogue):
                confidence = Confidence.MEDIUM if reason == WORDS else Confidence.HIGH
                return self._match(token, around, _Verdict(shape, provider.id, confidence, reason))
        return self._unknown(flat, start, around)

    def _unknown(self, flat: str, start: int, around: _Around) -> KeyMatch | None:
        """A random value under a provider's variable or beside its host: its form is new, or nobody wrote it down."""
        found = _VALUE.match(flat, start, start + _UNKNOWN_LONGEST + 1)
        if found is None or not around.names or not self.credential(around.names[0]):
            return None
        value = found[0].rstrip(".-")
        token = _Token(flat, start, start + len(value))
        if not _UNKNOWN_SHORTEST <= len(value) <= _UNKNOWN_LONGEST or flat.startswith(_GOES_ON, token.end):
            return None
        if any(flat.startswith(prefix, start) for prefix, _ in self._by_prefix.get(value[:2], ())):
            return None  # a cut or mistyped key of a known shape: another rule's business
        if not _mixed(value) or not looks_random(value):
            return None
        if is_placeholder(value, self._catalogue) or is_lookalike(value, self._catalogue):
            return None
        verdict = self._unknown_owner(around)
        return self._match(token, around, verdict) if verdict else None

    def _unknown_owner(self, around: _Around) -> _Verdict | None:
        ids = next((ids for ids in map(self.named, around.names[:2]) if ids), ())
        if ids:
            known = self._catalogue.providers[ids[0]]
            provider = known.id if len(ids) == 1 and not _shows_itself(known) else None
            return _Verdict(None, provider, Confidence.MEDIUM, NAME, "unknown-shape")
        for provider_near, reason in self._evidence(around):
            # A host whose keys have no known form; one whose form is known would have been told.
            if reason in {HOST, NAME} and not provider_near.shapes:
                return _Verdict(None, provider_near.id, Confidence.MEDIUM, reason, "unknown-shape")
        return None

    # -- whatever stands around ------------------------------------------------------------------------------------

    def may_be(self, value: str) -> MayBe:
        """Tell whether a value can hold a key in some context."""
        data = value.encode("utf-8", "surrogatepass")
        flat = value if len(data) == len(value) else data.decode("latin-1")
        place = 0
        while (found := self._finder.search(data, place)) is not None:
            start = next(span[0] for span in map(found.span, range(1, found.re.groups + 1)) if span[0] >= 0)
            end, shapes = self._fitting(flat, start)
            if shapes and (_PEM in flat[start:end] or not is_placeholder(flat[start:end], self._catalogue)):
                return MayBe.ALWAYS
            place = max(found.end() - RUN, start + 1) if not shapes else max(end - 1, start + 1)
        named = self._after_name.finditer(data)
        if any(self._may_stand_at(flat, max(found.start(1), found.start(2))) for found in named):
            return MayBe.ALWAYS
        start, end = self.bare(flat)
        return MayBe.IF_NAMED if self._may_stand_at(flat[start:end], 0) else MayBe.NEVER

    def _may_stand_at(self, flat: str, start: int) -> bool:
        """Tell whether what begins at a place has the form of some key without a prefix, or looks random enough."""
        if not may_be_random(flat[start : start + JUDGED]):
            return False
        judged: dict[str, bool] = {}  # several shapes take the same text
        for shape in self._unprefixed_shapes:
            end = self._end(flat, start, shape)
            if end < 0:
                continue
            value = flat[start:end]
            if value not in judged:
                judged[value] = looks_random(value) and not is_placeholder(value, self._catalogue)
            if judged[value] and _has_cases(value, shape):
                return True
        found = _VALUE.match(flat, start, start + _UNKNOWN_LONGEST + 1)
        value = found[0].rstrip(".-") if found is not None else ""
        return looks_unknown(value, self._catalogue)

    # -- whose key ---------------------------------------------------------------------------------------------------

    def _evidence(self, around: _Around) -> Iterator[tuple[Provider, str]]:
        """The providers that the surroundings name, strongest first, each once."""
        providers = self._catalogue.providers
        seen: set[str] = set()
        for ids, reason in self._claims(around):
            for owner in ids:
                if owner not in seen and owner in providers:
                    seen.add(owner)
                    yield providers[owner], reason

    def _claims(self, around: _Around) -> Iterator[tuple[Iterable[str], str]]:
        """Ids of providers and what names them: the host given, the names, the block, words, and what stands near."""
        context = around.context
        for host in context.hosts:
            owner = self._catalogue.provider_of_host(host)
            if owner is not None:
                yield (owner.id,), HOST
        yield context.providers, NAME
        for name in around.names:
            yield self.named(name), NAME
        if around.mentions is not None:
            for name in _section(around.mentions.flat, around.place):
                yield self.named(name), NAME
        for phrase in context.words:
            yield self._in_phrase(phrase), WORDS
        if around.mentions is not None:
            for mentioned, strong in around.mentions.near(around.place):
                yield (mentioned,), HOST if strong else WORDS

    def _in_phrase(self, phrase: str) -> Iterator[str]:
        lowered = phrase.lower()
        direct = self._word_ids.get(lowered)
        if direct:
            yield from direct
            return
        for found in self.mention.finditer(phrase.encode("utf-8", "surrogatepass")):
            yield from self.mentioned(found.group())[0]

    def _judge(self, token: _Token, shapes: list[KeyShape], around: _Around) -> KeyMatch | None:
        """Decide by the structure tests which shapes are left, then whose key it is; None when it is nobody's."""
        value = token.value
        sure: dict[str, list[KeyShape]] = {STRUCTURE: [], PREFIX: []}
        shared: list[KeyShape] = []
        failed: list[KeyShape] = []
        for shape in shapes:
            passed = shape.well_formed(value)
            if passed is False:
                failed += [shape] if shape.test_means == "proves" else []
            elif passed and shape.proven_by_test:
                sure[STRUCTURE].append(shape)
            else:
                (shared if shape.needs_context else sure[PREFIX]).append(shape)
        for reason, group in sure.items():
            if group:
                return self._match(token, around, self._sure(_longest_prefix(group, value), reason, around))
        if failed and not shared:
            shape, _ = self._owner(_longest_prefix(failed, value), around)
            return self._match(token, around, _Verdict(shape, shape.provider, Confidence.LOW, PREFIX))
        verdict = self._shared(token, shared, around) if shared and _is_random(value, shared[0]) else None
        return self._match(token, around, verdict) if verdict else None

    def _sure(self, shapes: Sequence[KeyShape], reason: str, around: _Around) -> _Verdict:
        """Shapes that need no context; what is around may still raise or lower the confidence."""
        shape, because = self._owner(shapes, around)
        named = any(provider.id == shape.provider for provider, _ in self._evidence(around))
        if shape.often_public and not named:
            return _Verdict(shape, shape.provider, Confidence.MEDIUM, because or reason, "restricted")
        confidence = Confidence.HIGH if named or around.credential else shape.confidence
        return _Verdict(shape, shape.provider, confidence, because or reason)

    def _owner(self, shapes: Sequence[KeyShape], around: _Around) -> tuple[KeyShape, str | None]:
        """Which of several equal shapes it is: the one whose provider is named, else one that is nobody's own."""
        if len({shape.provider for shape in shapes}) > 1:
            by_provider = {shape.provider: shape for shape in reversed(shapes)}
            for provider, reason in self._evidence(around):
                if provider.id in by_provider:
                    return by_provider[provider.id], reason
            providers = self._catalogue.providers
            nobody = [shape for shape in shapes if not providers[shape.provider].hosts]
            if nobody:
                return nobody[0], None
        return shapes[0], None

    def _shared(self, token: _Token, shapes: list[KeyShape], around: _Around) -> _Verdict | None:
        """A form with a prefix that several providers give out: somebody must be named, or a credential."""
        owners = {shape.provider: shape for shape in reversed(shapes)}
        length = token.end - token.start
        for provider, reason in self._evidence(around):
            if provider.id in owners and (reason != WORDS or around.credential or length > _SHARED):
                confidence = Confidence.MEDIUM if reason == WORDS and not around.credential else Confidence.HIGH
                return _Verdict(owners[provider.id], provider.id, confidence, reason)
            if reason in {HOST, NAME} and _speaks_dialect(provider, shapes):
                return _Verdict(shapes[0], provider.id, Confidence.HIGH, reason)
        if not any(prefix in self._telling for shape in shapes for prefix in shape.prefixes):
            return None
        if around.credential:
            return _Verdict(shapes[0], None, Confidence.HIGH, CREDENTIAL)
        if length >= _LONG_SHARED and _mixed(token.value):
            return _Verdict(shapes[0], None, Confidence.MEDIUM, SHAPE)
        named = length > _SHARED and next(self._evidence(around), None) is not None
        return _Verdict(shapes[0], None, Confidence.MEDIUM, WORDS) if named else None

    def _match(self, token: _Token, around: _Around, verdict: _Verdict) -> KeyMatch:
        start, value = token.start, token.value
        if token.is_pem:
            start += value.index(_PEM)
            value = token.flat[start : token.end]
        case = "public-example" if is_public_example(value, self._catalogue) else verdict.case
        name = next((name for name in around.names if self.credential(name) or self.named(name)), None)
        span = Span(start, token.end)
        return KeyMatch(span, value, verdict.shape, verdict.provider, verdict.confidence, verdict.reason, case, name)

    # -- the text around a key ---------------------------------------------------------------------------------------

    def _names(self, token: _Token, kind: str) -> tuple[tuple[str, ...], bool]:
        """The names before a key on its line, nearest first, and whether anything says that it is a credential."""
        flat, start, end = token
        if kind == "value" and start == 0:
            return (), False
        window = flat[max(0, start - _LINE) : start]
        line = max(window.rfind("\n"), window.rfind("\r"))
        above = ""
        if line >= 0:
            above, window = window[:line], window[line + 1 :]
        names = [found[0] for found in _IDENTIFIER.finditer(window)][::-1][:8]
        if not names or names[0].lower() == "value":
            # `- name: X` and `value: …` on the next line; `api_key=` and the text on the next line.
            above = above.rstrip()
            last = above[max(above.rfind("\n"), above.rfind("\r")) + 1 :]
            if not names and not last.endswith(("=", ":", "(", "[", "{", ",", "\\", "=>", "|", ">")):
                last = ""
            names += [found[0] for found in _IDENTIFIER.finditer(last)][::-1][:4]
            window = last + window
        names = [name for name in names if not _looks_like_value(name)]
        credential = (
            any(map(self.credential, names))
            or _credential_words().search(window.encode("latin-1", "replace")) is not None
        )
        if not names and kind in {"text", "csv", "env"} and not window.strip(" \t\"'") and end > start:
            rest = flat[end : end + 4].lstrip(" \t\"',;")
            credential = credential or not rest or rest[0] in "\r\n"  # a line of its own in a file of keys
        return tuple(names), credential

    def bare(self, value: str) -> tuple[int, int]:
        """Where the key of a header value lies: without white space and without its scheme."""
        start, end = len(value) - len(value.lstrip()), len(value.rstrip())
        found = self._schemes.match(value)
        if found and found.end() < end:
            start = found.end()
        return start, max(start, end)

    # -- mentions ----------------------------------------------------------------------------------------------------

    @cached_property
    def _after_name(self) -> Any:  # noqa: ANN401  # re2 ships no types
        return compiled(self._catalogue.patterns["named"])

    @cached_property
    def mention(self) -> Any:  # noqa: ANN401  # re2 ships no types
        """What may name a provider, any URL included."""
        return compiled(f"{_URL}|{self._catalogue.patterns['model']}")

    @cached_property
    def about(self) -> Sequence[Any]:
        """Tests of whether a text has anything to do with a provider; RE2 keeps those that the prefilter has grown."""
        return [anywhere(self._catalogue.patterns[name]) for name in ABOUT]

    def mentioned(self, found: bytes) -> tuple[tuple[str, ...], bool]:
        """Whom a mention names, and whether it is a host."""
        text = found.decode("utf-8", "replace")
        if "://" in text:
            owner = self._catalogue.provider_of_host(text.partition("://")[2])
            return ((owner.id,) if owner else ()), True
        owners = self._catalogue.providers_of_env(text)
        if owners:
            return tuple(owner.id for owner in owners), False
        ids = self._word_ids.get(text.lower())
        if ids:
            return ids, False
        owner = self._catalogue.provider_of_host(text)
        return ((owner.id,) if owner else ()), True


class _Token(NamedTuple):
    """A piece of a text that may be a key."""

    flat: str
    start: int
    end: int

    @property
    def value(self) -> str:
        """The piece itself."""
        return self.flat[self.start : self.end]

    @property
    def is_pem(self) -> bool:
        """Tell whether it is a field with a private key in it."""
        return _PEM in self.value


class _Verdict(NamedTuple):
    """What is known of a key once it is one."""

    shape: KeyShape | None
    provider: str | None
    confidence: Confidence
    reason: str
    case: str | None = None


class _Around(NamedTuple):
    names: tuple[str, ...]
    context: Context
    mentions: _Mentions | None
    place: int
    credential: bool


class _Mentions:
    """Where a text names providers: hosts, variables, words. Looked up once, and only when a key asks."""

    def __init__(self, matcher: _Matcher, flat: str, data: bytes) -> None:
        self._matcher = matcher
        self.flat = flat
        self._data = data
        self._found: list[tuple[int, tuple[str, ...], bool]] | None = None

    def silent(self) -> bool:
        """Tell whether nobody is named at all."""
        return all(test.match(self._data) is None for test in self._matcher.about)

    def _all(self) -> list[tuple[int, tuple[str, ...], bool]]:
        if self._found is None:
            self._found = []
            for found in self._matcher.mention.finditer(self._data):
                start, end = found.span()
                ids, strong = self._matcher.mentioned(found.group())
                if ids and (strong or self._whole_word(start, end)):
                    self._found.append((start, ids, strong))
        return self._found

    def _whole_word(self, start: int, end: int) -> bool:
        before, after = self._data[start - 1 : start], self._data[end : end + 1]
        first = self._data[start : start + 1]
        return not (before.isalpha() and not (before.islower() and first.isupper())) and not (
            after.isalpha() and after.islower()
        )

    def near(self, place: int) -> Iterator[tuple[str, bool]]:
        """Providers named near a place: hosts, then words, nearest first; one named alone counts from afar."""
        found = self._all()
        middle = bisect_left(found, (place,))
        around = found[max(0, middle - _MENTIONS_ASKED) : middle + _MENTIONS_ASKED]
        close = sorted(
            ((not strong, abs(start - place), ids) for start, ids, strong in around if abs(start - place) <= _NEAR),
        )
        for weak, _, ids in close:
            for owner in ids:
                yield owner, not weak
        far = {ids for start, ids, _ in around if abs(start - place) <= _FAR}
        if len(far) == 1:
            for owner in far.pop():
                yield owner, False


@lru_cache(maxsize=1)
def _credential_words() -> Any:  # noqa: ANN401  # re2 ships no types
    return compiled(f"(?i:{CREDENTIAL_WORDS})")


def _snake(name: str) -> str:
    """`xApiKey`, `X-API-Key` and `x.api.key` are all `x_api_key`."""
    return "_".join(word.lower() for word in _WORD.findall(name))


def _section(flat: str, start: int) -> list[str]:
    """The name of the block a line belongs to: the less indented `name:` or `"name": {` above it, or `[name]`."""
    line = flat.rfind("\n", max(0, start - _LINE), start) + 1
    indent = _indent(flat, line)
    for _ in range(_SECTION):
        if line <= 0:
            break
        end = line - 1
        line = flat.rfind("\n", max(0, end - _LINE), end) + 1
        last = flat[end - 1 : end]
        opens = last in {":", "{"} and _indent(flat, line) < indent
        if opens or (last == "]" and flat.startswith("[", line)):
            return [found[0] for found in _IDENTIFIER.finditer(flat, line, end)][:2]
    return []


def _indent(flat: str, line: int) -> int:
    place = line
    while flat[place : place + 1] in {" ", "\t"}:
        place += 1
    return place - line


def _in_blob(flat: str, start: int, end: int) -> bool:
    """Tell whether a run of letters and digits is a piece of a long base64 text, such as an image."""
    if not (flat[start - 1 : start] in ("/", "+") and start) and flat[end : end + 1] not in ("/", "+", "="):
        return False
    if not _BASE64.issuperset(flat[start:end]):
        return False
    left = start
    while left > max(0, start - 64) and flat[left - 1] in _BASE64:
        left -= 1
    right = end
    while right < min(len(flat), end + 64) and flat[right] in _BASE64:
        right += 1
    for outside in (flat[left:start], flat[end:right]):
        run = outside.replace("/", "").replace("+", "")
        if len(run) >= _BLOB and looks_random(run):
            return True
    return False


def _longest_prefix(shapes: list[KeyShape], value: str) -> list[KeyShape]:
    """Of several shapes those with the most telling prefix."""
    lengths = [max((len(p) for p in shape.prefixes if value.startswith(p)), default=0) for shape in shapes]
    most = max(lengths)
    return [shape for shape, length in zip(shapes, lengths, strict=True) if length == most]


def _is_random(value: str, shape: KeyShape) -> bool:
    body = value
    for prefix in shape.prefixes:
        if value.startswith(prefix):
            body = value[len(prefix) :]
    return _has_cases(body, shape) and looks_random(body)


def _has_cases(body: str, shape: KeyShape) -> bool:
    """Tell whether a text has capitals and small letters where a key of its form has both.

    Of 22 random letters and digits one in 100,000 has no capital; names of models and slugs have none at all.
    """
    return "A-Z" not in shape.charset or "a-z" not in shape.charset or not (body.islower() or body.isupper())


def _mixed(value: str) -> bool:
    """Letters and digits both: what a person types as a stand-in rarely has both, what dice made nearly always."""
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _shows_itself(provider: Provider) -> bool:
    """Tell whether the provider's keys have a form that needs no context, so that another form is another's key."""
    return any(shape.secret and not shape.malformed and not shape.needs_context for shape in provider.shapes)


def _speaks_dialect(provider: Provider, shapes: Sequence[KeyShape]) -> bool:
    """Tell whether a provider may give out keys of others' form: its own is not known, or it is a relay."""
    own = [shape for shape in provider.shapes if shape.secret and not shape.malformed]
    if not own:
        return True
    return provider.kind == "relay" and any(set(a.prefixes) & set(b.prefixes) for a in own for b in shapes)


def _looks_like_value(name: str) -> bool:
    return len(name) >= _LONG_NAME and sum(map(str.isdigit, name)) >= _MANY_DIGITS
