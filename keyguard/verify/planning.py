"""From leaked keys to the requests that would tell whether they live, so that all is known before any is sent."""

from __future__ import annotations

import re

from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING, NamedTuple
from keyguard.verify.addresses import Base, Refused, is_loopback, read_base

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import Auth, KeyShape, Meaning, Provider, Verify, Verifying
    from keyguard.model import Secret

# Whose hosts sell other vendors' models under keys of their own, as any server of that software does.
_RESELLERS = frozenset({"relay", "gateway", "aggregator", "local"})
_BRACES = regex(r"\{[^{}]*\}")
_FILLED = regex(r"\{(?!key\}|key_as_user\})[^{}]*\}")
_VERSION = regex(r"/v[0-9]+[a-z0-9.]*$")
_MOST_PLACES = 6  # so many hosts of one provider are asked about one key


class Question(NamedTuple):
    """A key of which somebody wants to know whether it lives.

    `key` is its id, as `Finding.key` has it. `provider` is whose it is, if that is known; `base_url` the address it
    was found with. Two questions about one key are two places that it was found with.
    """

    secret: Secret
    key: str
    provider: str | None = None
    base_url: str | None = None

    def __repr__(self) -> str:
        """Show no base URL: what stands in somebody's code may hold the key."""
        return f"Question(key={self.key!r}, provider={self.provider!r}, secret={self.secret!r})"


class Reading(NamedTuple):
    """How an answer is read; see `knowledge.Verify`. `headers` are how the names of headers begin that tell limits."""

    valid: tuple[int, ...]
    invalid: tuple[int, ...]
    restricted: tuple[int, ...] = ()
    expects: str = ""
    meanings: tuple[Meaning, ...] = ()
    headers: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


class Ask(NamedTuple):
    """One question to one host: no value in it is the key, which is filled in when the request is sent.

    `urls` are tried one after the other until one is there; all of them are at `host`. `headers` and `body` hold
    `{key}` or `{key_as_user}`. `control` asks once more without a key when it seems to live.
    """

    host: str
    urls: tuple[str, ...]
    method: str
    headers: tuple[tuple[str, str], ...]
    body: str
    reading: Reading
    control: bool = False


class Request(NamedTuple):
    """What is asked about one key: nothing (`why` names a text `why.…` of `keyguard.lang.verify`), or all of `asks`.

    They are asked in their order until one says that the key lives; it is dead when all of them say so.
    """

    key: str
    secret: Secret
    asks: tuple[Ask, ...] = ()
    why: str = ""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where the key may be sent, in this order."""
        return tuple(dict.fromkeys(ask.host for ask in self.asks))


def plan(questions: Iterable[Question], catalogue: Catalogue) -> tuple[Request, ...]:
    """Tell what would be asked about each key, one request a key, in the order of the questions; nothing is sent.

    A key goes to hosts of its own provider; only where that is not known, or is software that anyone may run, to the
    base URL it was found with.
    """
    of_keys: dict[str, list[Question]] = {}
    for question in questions:
        of_keys.setdefault(question.key, []).append(question)
    return tuple(_request(of_key, catalogue) for of_key in of_keys.values())


def _request(questions: list[Question], catalogue: Catalogue) -> Request:
    """What the questions about one key come to; once its provider is known, other places do not count."""
    asks: list[Ask] = []
    reasons: list[str] = []
    for question in [one for one in questions if one.provider is not None] or questions:
        for outcome in _outcomes(question, catalogue):
            if isinstance(outcome, Refused):
                reasons.append(outcome.why)
            elif outcome not in asks:
                asks.append(outcome)
    return Request(questions[0].key, questions[0].secret, tuple(asks), "" if asks else reasons[0])


def _outcomes(question: Question, catalogue: Catalogue) -> list[Ask] | list[Refused]:
    """What to ask about a key, or one reason to ask nothing."""
    value = question.secret.value
    # A header carries visible ASCII; what is refused here would show the key in the error of an HTTP library.
    if not value.isascii() or not value.isprintable() or not value or " " in value:
        return [Refused("unsendable")]
    general = catalogue.verifying
    base = read_base(question.base_url, general.refused) if question.base_url else None
    if question.base_url and value.lower() in question.base_url.lower():
        base = Refused("key-in-url")
    owner = catalogue.provider_of_host(base.host) if isinstance(base, Base) else None
    if question.provider is None:
        return _where_found(value, None, owner, base, general)
    provider = catalogue.providers.get(question.provider)
    if provider is None:  # somebody who serves no models
        return [Refused("no-request")]
    if not provider.host_patterns and all(map(is_loopback, provider.hosts)):  # software that anyone may run
        return _where_found(value, provider, owner, base, general)
    own = base if isinstance(base, Base) and owner is not None and owner.id == provider.id else None
    return _of_provider(provider, _shape_of(value, provider), own, general)


def _where_found(
    value: str, software: Provider | None, owner: Provider | None, base: Base | Refused | None, general: Verifying
) -> list[Ask] | list[Refused]:
    """Ask about a key where it was found: nobody knows whose it is, or it is of `software` that anyone may run."""
    if base is None:
        return [Refused("no-provider" if software is None else "needs-base")]
    if isinstance(base, Refused):
        return [base]
    if owner is None:
        return [_models_ask(base, software.auth if software is not None else None, None, general)]
    if software is not None and owner.kind not in _RESELLERS:
        return [Refused("foreign")]
    return _of_provider(owner, _shape_of(value, owner), base, general)


def _of_provider(
    provider: Provider, shape: KeyShape | None, own: Base | None, general: Verifying
) -> list[Ask] | list[Refused]:
    """Ask about a key at its provider, of whose addresses it may have been found with one."""
    asks: list[Ask] | list[Refused] | None = None
    if shape is not None and shape.unasked:
        return [Refused("no-request")]
    verify = provider.verify
    if verify is not None:
        if shape is not None and shape.verify_url is not None:
            return [_own_ask(verify, shape.verify_url, general)]
        asks = _of_verify(verify, shape, own, general)
    if asks is None:
        asks = _of_models(provider, shape, own, general)
    return asks or [Refused("no-request")]


def _shape_of(value: str, provider: Provider) -> KeyShape | None:
    """The most telling shape of the provider's that the whole key has."""
    import re2  # noqa: PLC0415  # 9 ms, and planning starts no check

    fits = [
        shape for shape in provider.shapes if not shape.malformed and re2.fullmatch(shape.pattern, value) is not None
    ]
    return max(fits, key=lambda shape: max(map(len, shape.prefixes), default=0), default=None)


def _of_verify(
    verify: Verify, shape: KeyShape | None, own: Base | None, general: Verifying
) -> list[Ask] | list[Refused] | None:
    """The provider's own request, at each host that may know the key; None when none of them takes such a key."""
    if own is not None and _bare(own.host) in verify.apart:
        return [Refused("apart")]
    if any(_FILLED.search(text) for text in (*verify.headers.values(), verify.body)):
        return [Refused("needs-more")]
    urls = [verify.url, *verify.elsewhere]
    if _BRACES.search(verify.url):
        if own is None:
            return [Refused("needs-base")]
        urls = [own.origin + re.sub(r"^https://[^/]*", "", verify.url)]
    elif shape is not None and shape.endpoints:
        urls = [url for url in urls if _is_at(url, shape.endpoints)]
    if own is not None:
        urls.sort(key=lambda url: _host_of(url) != own.host)  # stable: the host it was found with comes first
    return [_own_ask(verify, url, general) for url in urls] or None


def _own_ask(verify: Verify, url: str, general: Verifying) -> Ask:
    reading = Reading(
        verify.valid,
        verify.invalid,
        verify.restricted,
        verify.expects,
        (*verify.meanings, *general.meanings),
        general.limits,
        verify.limits,
    )
    headers = tuple(verify.headers.items())
    return Ask(_host_of(url), (url,), verify.method, headers, verify.body, reading, verify.control)


def _of_models(provider: Provider, shape: KeyShape | None, own: Base | None, general: Verifying) -> list[Ask]:
    """The list of models, which most hand out to keys alone, at each of the hosts that may know the key."""
    if not provider.models_tell:
        return []
    known: dict[str, str | None] = {
        url: kind
        for kind in general.models
        for url in provider.base_urls.get(kind, ())
        if url.startswith("https://") and not re.search(r"[{<]", url)
    }
    bases: list[tuple[Base, str | None]] = []
    if own is not None:
        bases.append((own, _kind_of(own, known, general)))
    for url, kind in known.items():
        base = read_base(url, general.refused)
        if isinstance(base, Base) and all(base.host != other.host for other, _ in bases):
            bases.append((base, kind))
    if shape is not None and shape.endpoints:
        bases = [(base, kind) for base, kind in bases if _is_at(base.url, shape.endpoints)] or [
            (base, kind)
            for url, kind in known.items()
            if _is_at(url, shape.endpoints) and isinstance(base := read_base(url), Base)
        ][:1]
    asks = (_models_ask(base, provider.auth, kind, general) for base, kind in bases[:_MOST_PLACES])
    return [ask for ask in asks if ask.headers]


def _kind_of(base: Base, known: Mapping[str, str | None], general: Verifying) -> str | None:
    """What kind of base URL one is: the one the catalogue has under that very URL."""
    cut = _cut(base.path, general)
    return next((kind for url, kind in known.items() if url.rstrip("/") == base.origin + cut), None)


def _models_ask(base: Base, auth: Auth | None, kind: str | None, general: Verifying) -> Ask:
    path = _cut(base.path, general)
    if kind is not None:
        paths = [path + general.models[kind]]
    else:
        listed = next(iter(general.models.values()))
        paths = [path + listed] if _VERSION.search(path) else [path + listed, path + general.version + listed]
        if not path:
            paths.reverse()  # the page of a relay's own console is at its root
    reading = Reading(general.valid, general.invalid, (), general.expects, general.meanings, general.limits)
    urls = tuple(base.origin + path for path in paths)
    return Ask(base.host, urls, "GET", tuple(_headers(auth)), "", reading, control=True)


def _headers(auth: Auth | None) -> Iterator[tuple[str, str]]:
    """The headers a key travels in; none when the key alone does not make them."""
    if auth is None:
        yield "Authorization", "Bearer {key}"
        return
    header, scheme = auth.header, auth.scheme
    if scheme == "Basic":
        other = next((form for form in auth.alternatives if form.endswith(": Bearer")), None)
        if other is None:
            return
        header, scheme = other.split(": ")
    yield header, f"{scheme} {{key}}".strip()
    yield from auth.extra.items()


def _cut(path: str, general: Verifying) -> str:
    """A path without the call that it ends in."""
    return next((path.removesuffix(end) for end in general.endings if path.endswith(end)), path)


def _host_of(url: str) -> str:
    return url.split("://", 1)[1].split("/", 1)[0]


def _bare(host: str) -> str:
    return host.rsplit(":", 1)[0] if not host.endswith("]") else host


def _is_at(url: str, endpoints: tuple[str, ...]) -> bool:
    """Tell whether a URL is at one of some hosts or hosts with a path."""
    place = url.split("://", 1)[1]
    return any(place == end or place.startswith((f"{end}/", f"{end}?")) for end in endpoints)
