"""Tells from a key alone whether it can be whole: checksums, markers and encodings, each a named pure function.

A pass means well-formed, not alive: anyone can compute a checksum. A failure means cut, mistyped, invented, or another
provider's key, as the shape's `test_means` says. Nothing here connects to anything.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Any

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_WORD = 0xFFFFFFFF
_LONGEST = 16_384  # no key is longer; what is, is not decoded

_HEXADECIMAL = frozenset("0123456789abcdef")


def _base62(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits


def _decode(text: str, *, urlsafe: bool = False) -> bytes | None:
    """Decode base64 with or without its padding; None when it is none."""
    if len(text) > _LONGEST:
        return None
    padded = text.rstrip("=")
    padded += "=" * (-len(padded) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_" if urlsafe else None, validate=True)
    except (binascii.Error, ValueError):
        return None


def marker_centred(value: str, *, marker: str) -> bool:
    """Pass when `marker` parts the body after the last prefix dash into two halves of equal length.

    The prefix is what stands before the body: the halves are compared from the end, so it need not be known.
    """
    before, found, after = value.rpartition(marker)
    if not found:
        return False
    half = len(after)
    if not half or len(before) <= half:
        return False
    return before[: len(before) - half].endswith("-") and not before.endswith(marker)


def marker_at(value: str, *, marker: str, offset: int) -> bool:
    """Pass when `marker` (a regular expression of fixed length) stands at `offset` characters from the start."""
    return re.compile(marker).match(value, offset) is not None


def lacks_marker(value: str, *, marker: str) -> bool:
    """Pass when `marker` stands nowhere in the key: with it, the key is another provider's."""
    return marker not in value


def matches_start(value: str, *, pattern: str) -> bool:
    """Pass when the key begins as every issued key did."""
    return re.match(pattern, value) is not None


def ends_with(value: str, *, tail: str) -> bool:
    """Pass when the key ends in the letters that its encoding must end in."""
    return value.endswith(tail)


def letters_only(value: str, *, prefix: str) -> bool:
    """Pass when ASCII letters alone follow the prefix."""
    body = value.removeprefix(prefix)
    return body.isascii() and body.isalpha()


def hex_run_at(value: str, *, offset: int, length: int) -> bool:
    """Pass when `length` lower-case hexadecimal digits stand at `offset`, and other letters among what follows.

    A key that is hexadecimal to its end is of another kind: many a server of one's own gives out `sk-` and 48 digits.
    """
    run, rest = value[offset : offset + length], value[offset + length :]
    return len(run) == length and _HEXADECIMAL.issuperset(run) and not (rest and _HEXADECIMAL.issuperset(rest))


def crc32_tail(value: str, *, prefix_length: int) -> bool:
    """Pass when the last six characters are the CRC-32 of the body before them, in base 62."""
    body = value[prefix_length:]
    return body.isascii() and len(body) > len(crc32_base62("")) and body[-6:] == crc32_base62(body[:-6])


def crc32_base62(body: str) -> str:
    """The six-character checksum `crc32_tail` expects after `body`."""
    return _base62(zlib.crc32(body.encode())).rjust(6, "0")


def sha256_tail(value: str) -> bool:
    """Pass when the eight characters before the last eight are the SHA-256 of all before them, in base 32."""
    return value.isascii() and len(value) > 16 and value[-16:-8] == sha256_base32(value[:-16])  # noqa: PLR2004  # two times eight


def sha256_base32(body: str) -> str:
    """The eight-character checksum `sha256_tail` expects after `body`."""
    import hashlib  # noqa: PLC0415  # 2.5 ms with OpenSSL, for this test only

    return base64.b32encode(hashlib.sha256(body.encode()).digest()).decode("ascii")[:8]


def marvin32_tail(value: str, *, seed: str) -> bool:
    """Pass when the last four characters are the Marvin32 of the 80 before them, in base 62 or (older) base 64."""
    return len(value) == 84 and value[80:] in marvin32_checksums(value[:80], seed)  # noqa: PLR2004  # 80 and 4 for the checksum


def marvin32_checksums(body: str, seed: str) -> tuple[str, ...]:
    """The checksums `marvin32_tail` takes after the 80 characters of `body`, today's form first."""
    raw = _decode(body)
    if raw is None:
        return ()
    checksum = _marvin32(raw, int.from_bytes(seed.encode()[::-1], "little")).to_bytes(4, "little")
    today = _base62(int.from_bytes(checksum, "big")).ljust(6, "0")[:4]
    return today, base64.b64encode(checksum[:3]).decode("ascii")


def _marvin32(data: bytes, seed: int) -> int:
    """Marvin32, the keyed checksum of .NET, with its two halves folded into one."""
    low, high = seed & _WORD, seed >> 32 & _WORD
    whole = len(data) - len(data) % 4
    blocks = [int.from_bytes(data[at : at + 4], "little") for at in range(0, whole, 4)]
    blocks += [int.from_bytes(data[whole:] + b"\x80", "little"), 0]
    for block in blocks:
        low = (low + block) & _WORD
        high ^= low
        low = _rotate(low, 20)
        low = (low + high) & _WORD
        high = _rotate(high, 9)
        high ^= low
        low = _rotate(low, 27)
        low = (low + high) & _WORD
        high = _rotate(high, 19)
    return low ^ high


def _rotate(number: int, bits: int) -> int:
    return (number << bits | number >> (32 - bits)) & _WORD


def uuid_case_alternation(value: str, *, offset: int) -> bool:
    """Pass when 32 characters at `offset` are a version 4 UUID, upper-case at even positions and lower at odd ones."""
    uuid = value[offset : offset + 32]
    if len(uuid) != 32 or any(character not in "0123456789abcdefABCDEF" for character in uuid):  # noqa: PLR2004  # a UUID in hexadecimal
        return False
    if uuid[12] != "4" or uuid[16].lower() not in "89ab":
        return False
    return uuid[0::2] == uuid[0::2].upper() and uuid[1::2] == uuid[1::2].lower()


def der_signature_tail(value: str, *, separator: str) -> bool:
    """Pass when what follows the last separator is a DER sequence of just two integers: an ECDSA signature."""
    raw = _decode(value.rpartition(separator)[2], urlsafe=True)
    if raw is None or len(raw) < 8 or raw[0] != 0x30 or raw[1] != len(raw) - 2:  # noqa: PLR2004  # the DER tag of a sequence
        return False
    at = 2
    for _ in range(2):
        if at + 2 > len(raw) or raw[at] != 0x02 or not raw[at + 1]:  # noqa: PLR2004  # the DER tag of an integer
            return False
        at += 2 + raw[at + 1]
    return at == len(raw)


def base64_starts_with(value: str, *, prefix: str, start: str) -> bool:
    """Pass when the body after `prefix` is base64 whose text begins with `start`."""
    raw = _decode(value.removeprefix(prefix))
    return raw is not None and raw.startswith(start.encode())


def jwt_decodes(value: str) -> bool:
    """Pass when header and payload of a JSON Web Token decode to objects and the header names an algorithm."""
    header, payload = jwt_part(value, 0), jwt_part(value, 1)
    return header is not None and "alg" in header and payload is not None


def jwt_part(value: str, number: int) -> Mapping[str, Any] | None:
    """The header (0) or payload (1) of a JSON Web Token; None when it is none."""
    import json  # noqa: PLC0415  # 2 ms, needed for tokens alone

    parts = value.split(".")
    if len(parts) != 3 or len(value) > _LONGEST:  # noqa: PLR2004  # header, payload, signature
        return None
    raw = _decode(parts[number], urlsafe=True)
    if raw is None:
        return None
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def expires(value: str) -> datetime | None:
    """When the key itself says that it ends, in UTC: a token's `exp`, or date and lifetime of a presigned URL."""
    from datetime import datetime, timedelta, timezone  # noqa: PLC0415  # 2 ms, needed when a key decodes

    payload = jwt_part(value, 1)
    try:
        if payload is not None:
            return datetime.fromtimestamp(float(payload["exp"]), timezone.utc)
        raw = _decode(value.rpartition("-")[2])
        if raw is None:
            return None
        text = raw.decode("latin-1")
        start = re.search(r"[?&]X-Amz-Date=(\d{8}T\d{6}Z)", text)
        lifetime = re.search(r"[?&]X-Amz-Expires=(\d{1,7})", text)
        if start is None or lifetime is None:
            return None
        begin = datetime.strptime(start[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        return begin + timedelta(seconds=int(lifetime[1]))
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def expired(value: str, now: datetime | None = None) -> bool:
    """Tell whether the key itself says that its time is over; False when it says nothing."""
    from datetime import datetime, timezone  # noqa: PLC0415  # see expires

    end = expires(value)
    return end is not None and end < (now or datetime.now(timezone.utc))


def check_args(test: str, args: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the arguments a shape gives its test, or None."""
    expected = _ARGS[test]
    if set(args) != set(expected):
        return f"{test} takes {', '.join(expected) or 'no arguments'}"
    for name, kind in expected.items():
        if not isinstance(args[name], kind):
            return f"{name} must be {'text' if kind is str else 'a whole number'}"
    return None


TESTS: Mapping[str, Callable[..., bool]] = {
    "base64_starts_with": base64_starts_with,
    "crc32_tail": crc32_tail,
    "der_signature_tail": der_signature_tail,
    "ends_with": ends_with,
    "hex_run_at": hex_run_at,
    "jwt_decodes": jwt_decodes,
    "lacks_marker": lacks_marker,
    "letters_only": letters_only,
    "marker_at": marker_at,
    "marker_centred": marker_centred,
    "marvin32_tail": marvin32_tail,
    "matches_start": matches_start,
    "sha256_tail": sha256_tail,
    "uuid_case_alternation": uuid_case_alternation,
}
"""Every test by the name the rules give it; all take the key, and by keyword what `test_args` holds."""

_ARGS: Mapping[str, Mapping[str, type]] = {
    "base64_starts_with": {"prefix": str, "start": str},
    "crc32_tail": {"prefix_length": int},
    "der_signature_tail": {"separator": str},
    "ends_with": {"tail": str},
    "hex_run_at": {"offset": int, "length": int},
    "jwt_decodes": {},
    "lacks_marker": {"marker": str},
    "letters_only": {"prefix": str},
    "marker_at": {"marker": str, "offset": int},
    "marker_centred": {"marker": str},
    "marvin32_tail": {"seed": str},
    "matches_start": {"pattern": str},
    "sha256_tail": {},
    "uuid_case_alternation": {"offset": int},
}
