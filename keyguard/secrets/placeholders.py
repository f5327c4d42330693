"""Tells stand-ins from keys (placeholders in many languages, words, runs and rows) and masks keys."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from operator import add, sub

from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import KeyShape

_LONGEST = 4_096  # no key and no placeholder is longer; what is, is neither
_SHORTEST_RANDOM = 16  # below, chance and design look alike

# The 170 commonest pairs of letters in the words of the standard library: 85 % of the pairs in English and in
# identifiers, 25 % of the pairs in random letters.
_PAIRS = (
    "abacadagaialamanaparasatbabeblbucacechcickclcocrctcudadedidodseaecedeeefelemeneperesetevexfefffifofr"
    "gegihahehihoiaibicidieifigiliminioipirisitivizkelaldlelilllolsltlymamemimompnancndnenfngninonsntnuoc"
    "odolomonoooporosotouowpapepiplpoppprptqurarcrdrergrirmrorrrsrtrysascseshsisospssstsutatctethtitltotr"
    "tstttutyueulumunupurusutvaveviwawixtypze"
)
_COMMON_PAIRS = frozenset(_PAIRS[place : place + 2] for place in range(0, len(_PAIRS), 2))
_SHORT_WORD, _LONG_WORD = 4, 6  # letters: what chance spells now and then, and what it never does
_RUN = regex(r"(.)\1{5}", re.DOTALL)  # equal neighbours: six have a chance of one in ten million in 48 characters
_ENOUGH_PAIRS = 8  # fewer pairs of letters say nothing about a language
_HEX_LETTERS = frozenset("abcdef")
_WORD = regex(r"[a-z]+")
_SIGNS = regex(r"[\x00-/:-`{-\x7f]+")  # what is ASCII and neither a digit nor a lower letter
_PREFIX = regex(r"(?:[A-Za-z0-9]{1,10}[-_.|]){1,3}")


def entropy(text: str) -> float:
    """Shannon entropy of the text's characters in bits per character; 0.0 for the empty text."""
    if not text:
        return 0.0
    total = len(text)
    return -sum(n / total * math.log2(n / total) for n in (text.count(char) for char in set(text)))


def looks_random(value: str) -> bool:
    """Tell whether a text of at least 16 characters looks as if dice had made it: no words, runs, rows or repetition.

    Tuned so that fewer than one in ten thousand random keys of any catalogue shape fail; short texts never pass.
    """
    if not _SHORTEST_RANDOM <= len(value) <= _LONGEST or not value.isascii():
        return False
    letters = sum(map(str.isalpha, value))
    digits = sum(map(str.isdigit, value))
    if letters + digits < 0.75 * len(value) or not letters:
        return False
    if _few_characters(value) or _reads_like_words(value) or _has_rows(value):  # what is told most often comes first
        return False
    return not _repeats(value)  # last: 0.2 s for a prompt of 3,400 characters, which the words tell in a millisecond


def _few_characters(value: str) -> bool:
    """Hexadecimal of 32 digits shows 14 different ones on average and practically never fewer than 8."""
    return len(set(value.lower())) < min(8, 4 + len(value) // 8)


def _has_rows(value: str) -> bool:
    """Equal, ascending or descending neighbours (`aaaa`, `1234`, `fedc`), next to each other or in turns (`a1b2c3`)."""
    lowered = value.lower()
    codes = lowered.encode()
    for stride in (1, 2):
        steps = list(map(sub, codes, codes[stride:]))
        # Random hexadecimal digits reach a sixth on average; 0.55 is five standard deviations away at 32 digits.
        if steps.count(0) + steps.count(1) + steps.count(-1) > 0.55 * (len(codes) - stride):
            return True
    return _RUN.search(lowered) is not None


def _repeats(value: str) -> bool:
    """The text is a shorter one again and again; random texts hold hardly any three characters twice."""
    size = len(value)
    if len({value[place : place + 3] for place in range(size - 2)}) > 0.7 * (size - 2):
        return False
    for period in range(2, size // 2 + 1):
        same = sum(map(str.__eq__, value, value[period:]))
        if same >= 0.8 * (size - period):
            return True
    return False


def _reads_like_words(value: str) -> bool:
    """Far more of its neighbouring letters are common pairs than chance would bring together."""
    words = _WORD.findall(value.lower())
    if max(map(len, words), default=0) < _SHORT_WORD or _HEX_LETTERS.issuperset("".join(words)):
        return False  # nearly every pair of the letters a to f is a common one
    pairs = sum(map(len, words)) - len(words)
    text = " ".join(words)
    common = sum(map(_COMMON_PAIRS.__contains__, map(add, text, text[1:])))
    # Random pairs are common with p = 0.25. Overlapping pairs are not independent, hence five standard deviations.
    return pairs >= _ENOUGH_PAIRS and common > min(0.25 * pairs + 5 * math.sqrt(0.1875 * pairs), 0.95 * pairs)


def is_placeholder(value: str, catalogue: Catalogue) -> bool:
    """Tell whether a text stands in for a key: a template, a word such as `your`, filler, or nothing random at all.

    Texts under 16 characters count only by the catalogue's lists, since chance cannot be told from design there.
    """
    text = value.strip()
    if len(text) > _LONGEST:
        return False
    lowered = text.lower()
    known = catalogue.placeholders
    if not text or lowered in known.values:
        return True
    body = _body(text)
    patterns = _patterns(catalogue)
    if any(patterns.search(part.encode("utf-8", "replace")) is not None for part in {text, body}):
        return True
    random = looks_random(body)
    if (len(body) >= _SHORTEST_RANDOM and not random) or _holds_word(text, lowered, catalogue, random=random):
        return True
    fillers = ((len(filler), lowered.count(filler)) for filler in known.fillers)
    return any(times > 1 or 2 * size * times > len(body) for size, times in fillers)


def asks_for_key(value: str, catalogue: Catalogue) -> bool:
    """Tell whether a placeholder tells the reader to put a key there (`your-key`, `<key>`), and is no dummy (`test`).

    A dummy is what a server of one's own may well accept, and what a test gives.
    """
    text = value.strip()
    known = catalogue.placeholders
    lowered = text.lower()
    if not is_placeholder(text, catalogue) or lowered in _local(catalogue) or lowered.startswith(known.references):
        return False
    if len(set(text)) > 1 and _patterns(catalogue).search(text.encode("utf-8", "replace")) is not None:
        return True
    parts = _SIGNS.split(lowered)
    parts += [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text)]
    return not _asking(catalogue).isdisjoint(parts)


def is_local_value(value: str, catalogue: Catalogue) -> bool:
    """Tell whether a text is one that servers of one's own ask for or ignore (`EMPTY`)."""
    return value.strip().lower() in _local(catalogue)


@lru_cache(maxsize=4)
def _local(catalogue: Catalogue) -> frozenset[str]:
    return frozenset(item.value.lower() for item in catalogue.placeholders.local)


@lru_cache(maxsize=4)
def _asking(catalogue: Catalogue) -> frozenset[str]:
    return frozenset(catalogue.placeholders.asks)


def is_lookalike(value: str, catalogue: Catalogue) -> bool:
    """Tell whether a text has a form that is no key's: a model's id, a CSS class, a slug, a hash with its name.

    For texts of no known shape only: one in some hundred keys has such a form by chance.
    """
    starts, patterns = _lookalikes(catalogue)
    if len(value) > _LONGEST:
        return False
    return value.startswith(starts) or patterns.search(value.encode("utf-8", "replace")) is not None


@lru_cache(maxsize=4)
def _lookalikes(catalogue: Catalogue) -> tuple[tuple[str, ...], Any]:
    import re2  # noqa: PLC0415  # 9 ms, in memory already wherever a key was found

    starts = tuple(prefix for item in catalogue.lookalikes for prefix in item.prefixes)
    patterns = [f"(?:{pattern})" for item in catalogue.lookalikes for pattern in item.patterns]
    return starts, re2.compile("|".join(patterns).encode())


def _body(text: str) -> str:
    """What follows a prefix such as `sk-proj-`, if enough does."""
    found = _PREFIX.match(text)
    return text[found.end() :] if found and len(text) - found.end() >= _SHORTEST_RANDOM else text


def _holds_word(text: str, lowered: str, catalogue: Catalogue, *, random: bool) -> bool:
    """A random body spells `my` or `tu` by chance: there only long words and parts set off by signs count."""
    words = _words(catalogue)
    parts = set(_SIGNS.split(lowered))
    if random:
        return (
            any(len(part) >= _SHORT_WORD and part in words for part in parts)
            or _long_words(catalogue).search(lowered.encode("utf-8", "replace")) is not None
        )
    if not words.isdisjoint(parts):
        return True
    return any(word.lower() in words for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text))


@lru_cache(maxsize=4)
def _words(catalogue: Catalogue) -> frozenset[str]:
    return frozenset(catalogue.placeholders.words)


@lru_cache(maxsize=4)
def _patterns(catalogue: Catalogue) -> Any:  # noqa: ANN401  # re2 ships no types
    import re2  # noqa: PLC0415  # 9 ms, in memory already wherever a key was found

    return re2.compile("|".join(f"(?:{pattern})" for pattern in catalogue.placeholders.patterns).encode())


@lru_cache(maxsize=4)
def _long_words(catalogue: Catalogue) -> Any:  # noqa: ANN401  # re2 ships no types
    """Words of six ASCII letters and more: one in ten million random keys holds a given one by chance."""
    import re2  # noqa: PLC0415  # 9 ms, in memory already wherever a key was found

    words = (
        word for word in catalogue.placeholders.words if len(word) >= _LONG_WORD and word.isascii() and word.isalpha()
    )
    return re2.compile("|".join(words).encode())


def public_prefix(value: str, shape: KeyShape | None) -> str:
    """The part of a key that every key of its shape shares; empty when none is known."""
    if shape is None:
        return ""
    fitting = [prefix for prefix in shape.prefixes if value.startswith(prefix)]
    return max(fitting, key=len, default="")


def mask(value: str, shape: KeyShape | None = None) -> str:
    """How a key is shown: its shape's public prefix, `…`, and how long it is; never a character of its own."""
    return f"{public_prefix(value, shape)}… ({len(value)} characters)"
