"""Tells whose a key is, of which kind and whether it is whole, from the key alone; nothing connects to anything."""

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType

from keyguard.model import Confidence
from keyguard.patterns import regex
from keyguard.secrets.placeholders import is_placeholder, looks_random, public_prefix
from keyguard.secrets.shapes import is_credential_name, is_public_example, providers_of_name
from keyguard.triggers import character_class
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import KeyShape, Provider

_LONGEST = 16_384  # characters; no key is longer
_LEAST_OF_CUT = 8  # characters after a prefix from which a text is a key that was cut
_UNKNOWN_LEAST = 20  # characters of a key of no known form
_INVISIBLE = regex("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_DASHES = regex("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_QUOTES = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019", "\u300c": "\u300d"}
_ASSIGNED = regex(r"(?:(?:export|set|setx|setenv)\s+)?(?:\$env:)?([A-Za-z_][A-Za-z0-9_]{1,80})\s*[=:]\s*(?=\S)")


class Remark(NamedTuple):
    """Something to be said: `name` is a text of `keyguard.lang` (behind `identify.`), `values` are what it needs."""

    name: str
    values: Mapping[str, object] = MappingProxyType({})


class Candidate(NamedTuple):
    """Whose key it can be: `whole` is None when nothing can tell offline, and `flaws` say why it is not whole."""

    provider: Provider
    shape: KeyShape | None
    confidence: Confidence
    whole: bool | None = None
    flaws: tuple[Remark, ...] = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that take the key: only some of the provider's for some kinds."""
        return (self.shape.endpoints if self.shape else ()) or self.provider.hosts


class Identity(NamedTuple):
    """What is known of a text: its length in characters as given, a key's public prefix, and owners, likeliest first.

    `remarks` say what is known beyond owners: a placeholder, a published key, another provider's variable.
    """

    length: int
    prefix: str = ""
    candidates: tuple[Candidate, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def masked(self) -> str:
        """How the key is shown: what every key of its kind begins with, and nothing of its own."""
        return f"{self.prefix}…"


def identify(value: str, catalogue: Catalogue, *, name: str = "", now: datetime | None = None) -> Identity:
    """Tell whose key a text is.

    Args:
        value: the text, in which stray quotes, white space or `Bearer ` are found and told.
        catalogue: the providers.
        name: the variable it was read from, which counts as context; one in the text (`NAME=…`) does too.
        now: the time to judge expiry by.
    """
    length = len(value)
    if length > _LONGEST:
        return Identity(length)
    key, name, flaws = _bare(value, name, catalogue)
    if not key or (is_placeholder(key, catalogue) and not _is_pem(key)):
        return Identity(length, remarks=(Remark("placeholder"),))
    if _is_masked(key):
        return Identity(length, remarks=(Remark("masked"),))
    remarks = [Remark("public")] if is_public_example(key, catalogue) else []
    named = providers_of_name(name, catalogue) if name else ()
    candidates = list(
        _whole(key, named, catalogue) or _damaged(key, named, catalogue) or _unknown(key, named, catalogue)
    )
    ended = _ended(key, now)
    candidates = [_flawed(candidate, (*flaws, *ended)) for candidate in candidates]
    owners = {candidate.provider.id for candidate in candidates}
    if named and owners and owners.isdisjoint(named):
        provider = catalogue.providers[named[0]]
        remarks.append(Remark("other-owner", {"variable": name, "provider": provider}))
    shape = candidates[0].shape if candidates else None
    return Identity(length, public_prefix(key, shape), tuple(candidates), tuple(remarks))


# -- what stands around the key ---------------------------------------------------------------------------------------


def _bare(value: str, name: str, catalogue: Catalogue) -> tuple[str, str, tuple[Remark, ...]]:
    """Take away what does not belong to a key; give the key, the name it stands under, and what was taken away."""
    flaws: list[Remark] = []
    key = _INVISIBLE.sub("", value)
    if key != value:
        flaws.append(Remark("invisible", {"count": len(value) - len(key)}))
    plain = _DASHES.sub("-", key)
    if plain != key:
        flaws.append(Remark("dashes"))
    key = unicodedata.normalize("NFKC", plain)
    if any("\uff01" <= char <= "\uff5e" for char in plain):
        flaws.append(Remark("full-width"))
    schemes = re.compile(
        rf"(?:authorization\s*:\s*)?(?:{'|'.join(map(re.escape, catalogue.words.schemes))})\s+", re.IGNORECASE
    )
    before = None
    while before != key:
        before = key
        key = _stripped(key, flaws)
        assigned = _ASSIGNED.match(key)
        if assigned and is_credential_name(assigned[1], catalogue) and assigned[1].lower() != "authorization":
            name = name or assigned[1]
            flaws.append(Remark("assignment", {"variable": assigned[1]}))
            key = key[assigned.end() :]
        scheme = schemes.match(key)
        if scheme and scheme.end() < len(key):
            flaws.append(Remark("scheme", {"scheme": scheme[0].split()[-1]}))
            key = key[scheme.end() :]
    if not _is_pem(key) and any(map(str.isspace, key)):
        flaws.append(Remark("space-inside"))
        key = "".join(key.split())
    return key, name, tuple({flaw.name: flaw for flaw in flaws}.values())


def _stripped(key: str, flaws: list[Remark]) -> str:
    """Take away white space, quotes and signs at both ends."""
    bare = key.strip()
    if bare != key:
        flaws.append(Remark("space"))
    closing = _QUOTES.get(bare[:1])
    if closing and len(bare) > 1 and bare.endswith(closing):
        flaws.append(Remark("quotes"))
        return bare[1:-1]
    if bare[:1] in _QUOTES or bare[-1:] in _QUOTES.values():
        flaws.append(Remark("quotes"))
        return bare.strip("".join([*_QUOTES, *_QUOTES.values()]))
    if bare[-1:] in {",", ";"}:
        flaws.append(Remark("sign", {"sign": bare[-1]}))
        return bare[:-1]
    return bare


def _is_pem(key: str) -> bool:
    return "-----BEGIN" in key


def _is_masked(key: str) -> bool:
    return "***" in key or "…" in key or "..." in key or "•" in key


# -- whose it is ------------------------------------------------------------------------------------------------------


def _whole(key: str, named: tuple[str, ...], catalogue: Catalogue) -> list[Candidate]:
    """The owners of a key that has the form of theirs: those that the form proves, else those it allows."""
    proven: list[Candidate] = []
    plain: list[Candidate] = []
    shared: list[Candidate] = []
    failed: list[Candidate] = []
    for shape in catalogue.shapes.values():
        if shape.malformed or not _has_form(key, shape):
            continue
        provider = catalogue.providers[shape.provider]
        passed = shape.well_formed(key)
        if passed is False:
            if shape.test_means == "proves":
                flaw = Remark("checksum" if shape.test in _CHECKSUMS else "test")
                failed.append(Candidate(provider, shape, Confidence.MEDIUM, whole=False, flaws=(flaw,)))
        elif passed and shape.proven_by_test:
            proven.append(Candidate(provider, shape, Confidence.HIGH, whole=True))
        elif shape.needs_context:
            sure = Confidence.HIGH if shape.provider in named else Confidence.LOW
            shared.append(Candidate(provider, shape, sure, whole=_fits(shape)))
        else:
            plain.append(Candidate(provider, shape, max(shape.confidence, Confidence.MEDIUM), whole=_fits(shape)))
    for group in (proven, _most_telling(plain, key), failed):
        if group:
            return _by_name(group, named)
    if shared and looks_random(key):
        prefixed = _most_telling(shared, key)
        return _by_name(prefixed, named)
    return []


def _has_form(key: str, shape: KeyShape) -> bool:
    """Tell whether a text has the form of a key; a private key may stand in the file it came in."""
    if "-----" in shape.pattern:
        return re.search(shape.pattern, key) is not None
    if shape.prefixes and not key.startswith(shape.prefixes):
        return False  # most shapes of the catalogue, whose patterns would take 3 ms to make
    return re.fullmatch(shape.pattern, key) is not None


_CHECKSUMS = frozenset({"crc32_tail", "sha256_tail", "marvin32_tail"})


def _fits(shape: KeyShape) -> bool | None:
    """A key that has the one length of its form is whole as far as can be seen; where lengths differ, nobody knows."""
    return True if shape.min_length is not None and shape.min_length == shape.max_length else None


def _most_telling(candidates: list[Candidate], key: str) -> list[Candidate]:
    """Of several forms those with the longest prefix."""
    lengths = [len(public_prefix(key, candidate.shape)) for candidate in candidates]
    most = max(lengths, default=0)
    return [candidate for candidate, length in zip(candidates, lengths, strict=True) if length == most]


def _by_name(candidates: Iterable[Candidate], named: tuple[str, ...]) -> list[Candidate]:
    """Each provider once; those that the variable names alone if there are any, vendors before who resells them."""
    once: dict[str, Candidate] = {}
    for candidate in candidates:
        once.setdefault(candidate.provider.id, candidate)
    chosen = [candidate for candidate in once.values() if candidate.provider.id in named] or list(once.values())
    return sorted(chosen, key=lambda one: (one.provider.kind == "relay", -one.confidence, not one.provider.curated))


def _damaged(key: str, named: tuple[str, ...], catalogue: Catalogue) -> list[Candidate]:
    """The owners of a key that begins like theirs and goes on wrong: cut, too long, or with a strange character."""
    found: list[tuple[int, int, Candidate]] = []
    for shape in catalogue.shapes.values():
        prefix = public_prefix(key, shape)
        if len(prefix) < 3 or not shape.secret or len(key) < len(prefix) + _LEAST_OF_CUT:  # noqa: PLR2004  # `sk-`
            continue
        flaw, badness = _damage(key, prefix, shape)
        provider = catalogue.providers[shape.provider]
        sure = Confidence.LOW if shape.needs_context and provider.id not in named else Confidence.MEDIUM
        found.append((-len(prefix), badness, Candidate(provider, shape, sure, whole=False, flaws=(flaw,))))
    if not found:
        return []
    best = min(length for length, _, _ in found)
    ordered = sorted((item for item in found if item[0] == best), key=lambda item: item[1])
    return _by_name((candidate for _, _, candidate in ordered), named)


def _damage(key: str, prefix: str, shape: KeyShape) -> tuple[Remark, int]:
    """What is wrong with a key of this form, and how much."""
    body = key[len(prefix) :]
    strange = re.search(f"[^{character_class(shape.charset)[1:]}", body) if shape.charset else None
    if strange is not None:
        return Remark("strange", {"place": len(prefix) + strange.start() + 1}), 1_000 + len(key)
    missing = _missing_half(body, shape)
    if missing:
        return Remark("cut" if missing > 0 else "long", {"count": abs(missing)}), abs(missing)
    if shape.min_length is not None and len(key) < shape.min_length:
        missing = shape.min_length - len(key)
        exact = shape.min_length == shape.max_length
        return Remark("cut" if exact else "cut-least", {"count": missing}), missing
    if shape.max_length is not None and len(key) > shape.max_length:
        extra = len(key) - shape.max_length
        return Remark("long", {"count": extra}), extra
    return Remark("form"), 500


def _missing_half(body: str, shape: KeyShape) -> int:
    """How many characters a key lacks (below 0: has too many) behind the marker in its middle; 0 without one."""
    marker = shape.test_args.get("marker") if shape.test == "marker_centred" else None
    before, found, after = body.partition(marker) if marker else ("", "", "")
    return len(before) - len(after) if found else 0


def _unknown(key: str, named: tuple[str, ...], catalogue: Catalogue) -> list[Candidate]:
    """A random text in a provider's variable, where nobody wrote down the form of its keys."""
    if len(key) < _UNKNOWN_LEAST or not looks_random(key):
        return []
    owners = [catalogue.providers[provider] for provider in named]
    return [Candidate(owner, None, Confidence.LOW) for owner in owners if not any(map(_is_known, owner.shapes))]


def _is_known(shape: KeyShape) -> bool:
    return shape.secret and not shape.malformed


def _ended(key: str, now: datetime | None) -> Iterator[Remark]:
    """A key that says itself that its time is over."""
    from keyguard.secrets import structure  # noqa: PLC0415  # 3 ms, as in KeyShape.well_formed

    if structure.expired(key, now):
        end = structure.expires(key)
        if end is not None:
            yield Remark("expired", {"date": f"{end:%Y-%m-%d %H:%M} UTC"})


def _flawed(candidate: Candidate, flaws: tuple[Remark, ...]) -> Candidate:
    """Add what is wrong whoever's key it is."""
    shape = candidate.shape
    if shape is not None and shape.retired:
        flaws = (*flaws, Remark("retired"))
    if not flaws:
        return candidate
    return candidate._replace(whole=False, flaws=(*candidate.flaws, *flaws))
