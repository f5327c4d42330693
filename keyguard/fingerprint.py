"""Names for findings and keys that are equal on every machine and let nobody guess a secret back."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# HMAC labels are public on purpose: the names must be equal on every machine. What protects a secret is its own
# entropy, so secrets that have too little of it never reach the hash.
_LABEL = b"keyguard fingerprint 1"
_BLOCK = 64  # bytes: what SHA-256 takes at a time
# HMAC (RFC 2104) hashes its key once more or less, and here the key is always the same.
_INNER, _OUTER = (bytes(byte ^ pad for byte in _LABEL.ljust(_BLOCK, b"\0")) for pad in (0x36, 0x5C))
ENOUGH_BITS = 64

# Bits a character can add, by class: log2 of the size of the class.
_DIGIT_BITS, _LETTER_BITS, _OTHER_BITS, _SEPARATOR_BITS = 3.32, 4.7, 5.0, 1.0
_WORD_BITS = 2.0  # English text carries 1.3 to 2.3 bits a letter (Shannon 1951)
_WORD_LENGTH = 4  # shorter runs of letters are as common in random text as in words
_PREFIX_SEGMENT = 6  # the longest segment of a public key prefix: `proj-`, `api03-`, `svcacct` is longer and counts
_HEAD = 256  # characters
_CONTEXT_WINDOW = 200  # characters before a secret in which the name it is given is looked for


def fingerprint(  # noqa: PLR0913  # these are the parts of the name, each by its own word
    rule: str,
    *,
    secret: str | None = None,
    statement: str | None = None,
    role: str = "code",
    path: str = "",
    context: str = "",
) -> str:
    """Name a finding: the same after moved lines, reformatting and renames within a role of files.

    It is made of the rule, the file's role and the key; without a key, the statement without its layout and the
    contents of its strings; without either, the path. A secret under 64 bits takes the rule, the path and the
    context (the name before it, see `context_before`) instead of itself. 64 hexadecimal characters.
    """
    if secret is not None:
        if _is_weak(secret):
            return _digest("weak", rule, role, path, context)
        return _digest("key", rule, role, secret)
    if statement is not None:
        return _digest("statement", rule, role, normalise(statement))
    return _digest("file", rule, role, path)


def key_id(secret: str, *, rule: str = "", path: str = "", context: str = "") -> str:
    """Name a key, the same wherever it stands; one under 64 bits is named by its place. 64 hexadecimal characters."""
    if _is_weak(secret):
        return _digest("weak key", rule, path, context)
    return _digest("key id", secret)


def _is_weak(secret: str) -> bool:
    """Tell whether a secret has too few bits; of a long one (a private key, 2 ms) its beginning often has enough."""
    head = secret[:_HEAD]
    # More characters only add bits, except that a digit more makes no passphrase of a text: there is one already. What
    # the cut adds, up to three letters that belong to a word behind it, is less than the bits asked for on top.
    if len(secret) > _HEAD and any(map(str.isdigit, _without_prefix(head))) and entropy_bits(head) >= 2 * ENOUGH_BITS:
        return False
    return entropy_bits(secret) < ENOUGH_BITS


def entropy_bits(secret: str) -> float:
    """Estimate from below how many bits an attacker has to guess, in time linear in the length.

    Every character counts with the bits of its class; letters of a run of four or more of one case count as
    English, and so do all letters of a text that has separators but no digit (a passphrase); repeated
    three-character pieces and steps of a sequence (`1234`, `aaaa`) count nothing; short segments at the front
    (`sk-ant-api03-`) are taken for a public prefix. At most the Shannon entropy of the characters.
    """
    body = _without_prefix(secret)
    total = 0.0
    counts: dict[str, int] = {}
    seen: set[str] = set()
    phrase = any(character in " -_." for character in body) and not any(map(str.isdigit, body))
    words = [character.isalpha() for character in body] if phrase else _word_letters(body)
    for index, character in enumerate(body):
        counts[character] = counts.get(character, 0) + 1
        piece = body[index - 2 : index + 1] if index > 1 else None
        if piece is not None and (piece in seen or _is_step(piece)):
            continue
        if piece is not None:
            seen.add(piece)
        if words[index]:
            total += _WORD_BITS
        elif character.isdigit():
            total += _DIGIT_BITS
        elif character.isalpha():
            total += _LETTER_BITS
        elif character in " -_.":
            total += _SEPARATOR_BITS
        else:
            total += _OTHER_BITS
    return min(total, _shannon(counts, len(body)))


def normalise(statement: str) -> str:
    """Give a statement without what a formatter changes, and without the contents of its strings.

    White space, line continuations, the kind of quotes and trailing commas go. Strings are emptied because one of
    them may be a password, short enough to be guessed from a hash of everything around it.
    """
    pieces: list[str] = []
    index, end = 0, len(statement)
    while index < end:
        character = statement[index]
        if character in "\"'":
            triple = statement[index : index + 3]
            quote = triple if triple in ('"""', "'''") else character
            index = _string_end(statement, index + len(quote), quote)
            pieces.append('""')
            continue
        index += 1
        if character.isspace() or character == "\\":
            continue
        if character in ")]}" and pieces and pieces[-1] == ",":
            pieces.pop()
        pieces.append(character)
    return "".join(pieces).rstrip(",;")


def context_before(text: str, start: int) -> str:
    """Give the name the value at `start` is assigned, passed or mapped to, or an empty string.

    Only a name is taken, never a value: text that stands beside a secret may be another one.
    """
    index = start = min(start, len(text))
    floor = max(0, start - _CONTEXT_WINDOW)

    def back(characters: str) -> None:
        nonlocal index
        while index > floor and text[index - 1] in characters:
            index -= 1

    back(" \t\r\n\"'`({[bBfFrRuU" if index > floor and text[index - 1] in "\"'`" else " \t\r\n({[")
    if index == floor or text[index - 1] not in "=:>":
        return ""
    back("=:> \t")
    back("\"'` \t]")
    stop = index
    while index > floor and (text[index - 1].isalnum() or text[index - 1] in "_.-"):
        index -= 1
    return text[index:stop]


def _digest(*parts: str) -> str:
    hashed = sha256()
    encoded = (part.encode("utf-8", "surrogatepass") for part in parts)
    # A length before each part keeps ("ab", "c") and ("a", "bc") apart.
    message = b"".join(b"%d:%s" % (len(part), part) for part in encoded)
    name: str = hashed(_OUTER + hashed(_INNER + message).digest()).hexdigest()
    return name


@cache
def sha256() -> Callable[[bytes], Any]:
    """SHA-256 as hashlib has it where there is no OpenSSL, whose loading takes 2.5 ms (by `hmac`, too)."""
    from importlib import import_module  # noqa: PLC0415  # for findings only

    for name in ("_sha2", "_sha256"):  # since 3.12, and before
        with suppress(ImportError):
            return import_module(name).sha256  # type: ignore[no-any-return]  # no types, nor in every Python
    return import_module("hashlib").sha256  # type: ignore[no-any-return]  # as above


def _without_prefix(secret: str) -> str:
    """Cut short segments of lower-case letters and digits off the front, as long as something remains."""
    start = index = 0
    while index < len(secret) and index - start <= _PREFIX_SEGMENT:
        character = secret[index]
        index += 1
        if character in "-_":
            if index == len(secret):
                break
            start = index
        elif not (character.isdigit() or character.islower()):
            break
    return secret[start:]


def _word_letters(text: str) -> list[bool]:
    """Mark the letters that stand in a run of at least four of one case (a capital may begin a run)."""
    marks = [False] * len(text)
    start = 0
    for index in range(len(text) + 1):
        same_run = (
            index > start
            and index < len(text)
            and text[index].isalpha()
            and (text[index].islower() == text[index - 1].islower() or (index == start + 1 and text[index].islower()))
        )
        if same_run:
            continue
        if index - start >= _WORD_LENGTH:
            marks[start:index] = [True] * (index - start)
        # A run begins at a letter only; anything else is a run of its own that never grows.
        start = index if index < len(text) and text[index].isalpha() else index + 1
    return marks


def _is_step(piece: str) -> bool:
    first, second, third = map(ord, piece)
    return second - first == third - second and abs(third - second) <= 1


def _shannon(counts: dict[str, int], length: int) -> float:
    import math  # noqa: PLC0415  # built in, but only findings need it

    return -sum(count * math.log2(count / length) for count in counts.values()) if length else 0.0


def _string_end(text: str, start: int, quote: str) -> int:
    """Give the offset after the closing quote; a string that is not closed ends with the text."""
    index = start
    while True:
        close = text.find(quote, index)
        if close < 0:
            return len(text)
        escapes = 0
        while close - escapes > start and text[close - escapes - 1] == "\\":
            escapes += 1
        if escapes % 2 == 0:
            return close + len(quote)
        index = close + 1
