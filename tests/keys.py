"""Makes keys at run time that look and check like real ones, so that no file of the repository ever holds one.

`make("openai/project", seed)` is a fresh key of one shape, `fill(text)` replaces placeholders by made keys:

* `<openai-key>`, `<google_gemini/standard>`: a provider's first shape, or the shape named;
* `<openai-key-2>`: another key of the same shape;
* `<openai-key|head>`: a part or form of the key, see `FORMS`;
* `<aws-access-key>`, `<sha1>`, `<unknown-token>`: other secrets and things that only look like keys, see `OTHERS`.

The same placeholder and seed give the same text on every machine.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib
import json
import random
import re
import struct
import sys
import zlib
from typing import TYPE_CHECKING, Any

from keyguard.catalogue import KeyShape, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# Placeholder words people use, by the provider (or shape) they stand for.
ALIASES = {
    "openai": "openai/project",
    "azure": "azure_openai/cask_openai",
    "claude": "anthropic",
    "gemini": "google_gemini",
    "gemini-aiza": "google_gemini/standard",
    "vertex": "google_vertex",
    "grok": "xai",
    "qwen": "alibaba_dashscope",
    "dashscope": "alibaba_dashscope",
    "glm": "zhipu",
    "kimi": "moonshot",
    "doubao": "volcengine_ark",
    "ark": "volcengine_ark",
    "qianfan": "baidu_qianfan",
    "hunyuan": "tencent_hunyuan",
    "bedrock": "aws_bedrock",
    "github": "github_models",
    "hf": "huggingface",
    "nvidia": "nvidia_nim",
    "relay": "relay_one_api",
}

# What is no model-API key, by placeholder: other services' tokens (KG108) and look-alikes that must stay quiet.
OTHERS = {
    "aws-access-key": r"AKIA[A-Z2-7]{16}",
    "aws-secret-key": r"[A-Za-z0-9/+]{40}",
    "slack-token": r"xoxb-[0-9]{12}-[0-9]{12}-[A-Za-z0-9]{24}",
    "slack-webhook": r"https://hooks\.slack\.com/services/T[A-Z0-9]{8}/B[A-Z0-9]{8}/[A-Za-z0-9]{24}",
    "stripe-key": r"sk_live_[A-Za-z0-9]{24}",
    "sendgrid-key": r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
    "npm-token": r"npm_[A-Za-z0-9]{36}",
    "gitlab-token": r"glpat-[A-Za-z0-9]{20}",
    # PKCS #8 of an Ed25519 key: 16 bytes that are the same in all, 32 random ones.
    "private-key": (
        r"-----BEGIN[ ]PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI[A-P][A-Za-z0-9+/]{42}\n-----END[ ]PRIVATE KEY-----"
    ),
    "jwt": r"eyJ[A-Za-z0-9_-]{20,80}\.eyJ[A-Za-z0-9_-]{60,200}\.[A-Za-z0-9_-]{86}",
    "random-password": r"[A-Za-z0-9]{16}",
    "unknown-token": r"[A-Za-z0-9]{40}",
    "short-token": r"[A-Za-z0-9]{12}",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "md5": r"[0-9a-f]{32}",
    "sha1": r"[0-9a-f]{40}",
    "sha256": r"[0-9a-f]{64}",
}


def _halves(key: str) -> tuple[str, str]:
    middle = len(key) // 2
    return key[:middle], key[middle:]


def _prefix_length(key: str) -> int:
    found = re.match(r"[A-Za-z0-9]{1,12}[-_.]", key)
    return found.end() if found else 0


# The parts and forms of a key that a placeholder can ask for after a bar.
FORMS: dict[str, Callable[[str], str]] = {
    "head": lambda key: _halves(key)[0],
    "tail": lambda key: _halves(key)[1],
    "prefix": lambda key: key[: _prefix_length(key)],
    "body": lambda key: key[_prefix_length(key) :],
    "masked": lambda key: f"{key[:7]}…{key[-4:]}",
    "starred": lambda key: key[:7] + "*" * 24,
    "reversed": lambda key: key[::-1],
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "hex": lambda key: key.encode().hex(),
    "sha256": lambda key: hashlib.sha256(key.encode()).hexdigest(),
    "dashed": lambda key: "~".join(key[start : start + 8] for start in range(0, len(key), 8)),
}

_PLACEHOLDER = re.compile(r"<([a-z0-9][a-z0-9_./-]{0,60}?)(?:-([1-9][0-9]?))?(?:\|([a-z0-9]{1,10}))?>")

# Words that would make a made key look like a dummy to any scanner.
_DUMMY = re.compile(
    r"test|fake|demo|dumm|mock|samp|exam|your|todo|none|null|true|fals|abcd|1234|xxx|000|(.)\1\1", re.IGNORECASE
)

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TRIES = 500


def make(name: str, seed: int | str = 0) -> str:
    """A random key: of a shape (`openai/project`), of a provider's first shape, of an alias or of `OTHERS`.

    The name may end in `-key`. Raises KeyError for a name that is none of them.
    """
    shape = _resolve(name)
    # Not for secrecy: the same seed must give the same key on every machine.
    rng = random.Random(f"{shape.id}:{seed}")  # noqa: S311  # made keys open nothing
    for _ in range(_TRIES):
        key = _mend(shape.id, _spell(_parser().parse(shape.pattern), rng), rng)
        if re.fullmatch(shape.pattern, key) and _lively(key, shape.pattern) and shape.well_formed(key) is not False:
            return key
    msg = f"no key of shape {shape.id} passes its own structure test {shape.test} in {_TRIES} tries"
    raise ValueError(msg)


def fill(text: str, seed: int | str = 0) -> str:
    """Replace every placeholder that names a known key; anything else in angle brackets stays as it is."""

    def made(match: re.Match[str]) -> str:
        name, number, form = match.groups()
        if not names_a_key(match[0]):
            return match[0]
        key = make(name, seed if number is None else f"{seed}:{number}")
        return FORMS[form](key) if form else key

    return _PLACEHOLDER.sub(made, text)


def names_a_key(text: str) -> bool:
    """Tell whether `fill` would put a key in place of `text`, such as `<openai-key>`."""
    match = _PLACEHOLDER.fullmatch(text)
    if match is None or (match[3] and match[3] not in FORMS):
        return False
    name = match[1]
    if name not in OTHERS and "/" not in name and not name.endswith("-key"):
        return False  # a bare word in angle brackets is HTML or a usage line
    try:
        _resolve(name)
    except KeyError:
        return False
    return True


def shape_ids() -> tuple[str, ...]:
    """Every shape of the catalogue, as `provider/shape`."""
    return tuple(_shapes())


@functools.cache
def _shapes() -> Mapping[str, KeyShape]:
    """Every key shape by id."""
    return load().shapes


@functools.cache
def _resolve(name: str) -> KeyShape:
    """The shape that a name stands for."""
    if name in OTHERS:
        return KeyShape(id=name, provider="", name=name, pattern=OTHERS[name])
    wanted = name.removesuffix("-key")
    wanted = ALIASES.get(wanted, wanted)
    spelled = wanted.replace("-", "_")
    shapes = _shapes()
    for candidate in (wanted, spelled):
        if candidate in shapes:
            return shapes[candidate]
    for shape in shapes.values():
        if shape.provider in (spelled, f"relay_{spelled}"):
            return shape
    raise KeyError(name)


def _parser() -> Any:  # noqa: ANN401  # a private module of the standard library has no types
    """The parser behind `re`: patterns are data of ours, so any regex the catalogue may use can be spelled."""
    return importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")


def _spell(tokens: Iterable[Any], rng: random.Random) -> str:
    """A random text that a parsed pattern matches."""
    text = ""
    for operator, argument in tokens:
        kind = str(operator)
        if kind == "LITERAL":
            text += chr(argument)
        elif kind == "IN":
            text += rng.choice(_members(argument))
        elif kind in {"MAX_REPEAT", "MIN_REPEAT"}:
            low, high, body = argument
            # Optional parts (channel numbers, regions, white space) are rare in the wild.
            times = int(rng.random() < 0.25) if low == 0 else rng.randint(low, min(int(high), low + 40))
            text += "".join(_spell(body, rng) for _ in range(times))
        elif kind == "BRANCH":
            text += _spell(rng.choice(argument[1]), rng)
        elif kind == "SUBPATTERN":
            text += _spell(argument[3], rng)
        elif kind != "AT":  # ^, $ and \b take no room
            msg = f"the key maker cannot spell {kind}"
            raise NotImplementedError(msg)
    return text


def _members(items: Iterable[Any]) -> str:
    """The characters of a class, each once."""
    members = ""
    for operator, argument in items:
        kind = str(operator)
        if kind == "LITERAL":
            members += chr(argument)
        elif kind == "RANGE":
            members += "".join(map(chr, range(argument[0], argument[1] + 1)))
        elif str(argument) == "CATEGORY_DIGIT":
            members += "0123456789"
        elif str(argument) == "CATEGORY_WORD":
            members += _BASE62 + "_"
        elif str(argument) == "CATEGORY_SPACE":
            members += " "
        else:
            msg = f"the key maker cannot spell the class {kind} {argument}"
            raise NotImplementedError(msg)
    return members


def _lively(key: str, pattern: str) -> bool:
    """Tell whether a key is as mixed as real ones: a class that allows digits or capitals shows some."""
    if len(key) < 20:  # too short for chance to matter: `sk-1234`
        return True
    if "*" in key or _DUMMY.search(re.sub(r"YmVkcm9jay5.*|eyJ.*|AAA[B-Za-z0-9]ACOG|-----", "", key)):
        return False
    if re.search(r"\[[^\]]*(?:0-9|2-7)[^\]]*\]\{(?:[2-9]\d|\d{3})", pattern) and len(re.findall(r"\d", key)) < 2:
        return False
    if re.search(r"\[[^\]]*A-Za-z[^\]]*\]\{(?:[2-9]\d|\d{3})", pattern):
        return bool(re.search(r"[a-z].*[a-z]", key) and re.search(r"[A-Z].*[A-Z]", key))
    return True


def _text(rng: random.Random, alphabet: str, length: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(length))


def _base64(data: bytes, *, url: bool = True) -> str:
    return (base64.urlsafe_b64encode(data).rstrip(b"=") if url else base64.b64encode(data)).decode()


def _mend(shape: str, key: str, rng: random.Random) -> str:
    """Put the right checksum, marker or inner structure into a key that only has the right letters."""
    for pattern, mend in _MENDERS:
        if re.match(pattern, key) or re.match(pattern, shape):
            return mend(key, rng)
    return key


def _github_classic(key: str, _: random.Random) -> str:
    number, tail = zlib.crc32(key[4:-6].encode()), ""
    while number:
        number, digit = divmod(number, 62)
        tail = _BASE62[digit] + tail
    return key[:-6] + tail.rjust(6, "0")


def _github_fine_grained(key: str, _: random.Random) -> str:
    digest = base64.b32encode(hashlib.sha256(key[:-16].encode()).digest()).decode()
    return key[:-16] + digest[:8] + key[-8:]


def _azure(key: str, _: random.Random) -> str:
    number, tail = int.from_bytes(struct.pack("<I", _marvin32(base64.b64decode(key[:80]))), "big"), ""
    while number:
        number, digit = divmod(number, 62)
        tail = _BASE62[digit] + tail
    return key[:80] + tail.ljust(6, "0")[:4]


def _marvin32(data: bytes) -> int:
    """Marvin32 with Azure's seed `Default0`, as in microsoft/security-utilities."""
    mask = 0xFFFFFFFF

    def rotate(word: int, by: int) -> int:
        return ((word << by) | (word >> (32 - by))) & mask

    def mix(low: int, high: int) -> tuple[int, int]:
        high ^= low
        low = (rotate(low, 20) + high) & mask
        high = rotate(high, 9) ^ low
        low = (rotate(low, 27) + high) & mask
        return low, rotate(high, 19)

    seed = int.from_bytes(b"Default0", "big")
    low, high = seed & mask, seed >> 32
    whole = len(data) // 4 * 4
    for start in range(0, whole, 4):
        low, high = mix((low + int.from_bytes(data[start : start + 4], "little")) & mask, high)
    low, high = mix(*mix((low + int.from_bytes(data[whole:] + b"\x80", "little")) & mask, high))
    return low ^ high


def _one_api(key: str, rng: random.Random) -> str:
    """16 characters and a version-4 UUID whose letters are capitals at even places."""
    digits = list(_text(rng, "0123456789abcdef", 32))
    digits[12], digits[16] = "4", rng.choice("89ab")
    return key[:19] + "".join(d.upper() if place % 2 == 0 else d for place, d in enumerate(digits)) + key[51:]


def _ecdsa_tail(key: str, rng: random.Random) -> str:
    """The last dotted part is a DER-encoded ECDSA signature: two integers of 32 bytes."""
    numbers = b""
    for _ in range(2):
        number = rng.randbytes(32)
        number = (b"\0" if number[0] >= 0x80 else b"") + number
        numbers += b"\x02" + bytes([len(number)]) + number
    return key[: key.rindex(".") + 1] + _base64(b"\x30" + bytes([len(numbers)]) + numbers)


def _bedrock_long(_: str, rng: random.Random) -> str:
    user, account = _text(rng, _BASE62.lower()[:36], 4), _text(rng, "123456789", 12)
    return "ABSK" + _base64(f"BedrockAPIKey-{user}-at-{account}:{_base64(rng.randbytes(54))}".encode(), url=False)


def _bedrock_short(_: str, rng: random.Random) -> str:
    access, region = _text(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16), rng.choice(["us-east-1", "eu-west-3"])
    url = (
        "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256"
        f"&X-Amz-Credential=ASIA{access}%2F20990401%2F{region}%2Fbedrock%2Faws4_request"
        f"&X-Amz-Date=20990401T063000Z&X-Amz-Expires=43200&X-Amz-Security-Token={_base64(rng.randbytes(180))}"
        f"&X-Amz-Signature={rng.randbytes(32).hex()}&X-Amz-SignedHeaders=host&Version=1"
    )
    return "bedrock-api-key-" + _base64(url.encode(), url=False)


def _jwt(_: str, rng: random.Random) -> str:
    """A signed token that expires in 2099."""
    header = {"alg": "RS256", "typ": "JWT"}
    claims = {"iss": _text(rng, _BASE62[10:], 9), "sub": rng.randbytes(12).hex(), "iat": 1760000000, "exp": 4070908800}
    parts = (json.dumps(part, separators=(",", ":")).encode() for part in (header, claims))
    return ".".join([*map(_base64, parts), _base64(rng.randbytes(64))])


def _google(key: str, rng: random.Random) -> str:
    return key[:4] + "Sy" + rng.choice("ABCD") + key[7:]


def _openai_rare(key: str, _: random.Random) -> str:
    """The marker stands in the middle here too, though the halves have no fixed length."""
    prefix, body = key[: key.index("-", 3) + 1], key[key.index("-", 3) + 1 :]
    before, marker, after = body.partition("T3BlbkFJ")
    half = min(len(before), len(after))
    return prefix + before[:half] + marker + after[:half]


def _openai(key: str, _: random.Random) -> str:
    """Both halves of the long forms end in A in every key seen."""
    return key[:-1] + "A" if len(key) > 100 else key


def _uuid(key: str, rng: random.Random) -> str:
    """The first UUID in the key becomes one of version 4."""
    found = re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f]{4}-[0-9a-f])", key)
    place = found.start(1) if found else 0
    return key[:place] + "4" + key[place + 1 : place + 5] + rng.choice("89ab") + key[place + 6 :]


# Tried in order on the key, then on the shape's id.
_MENDERS: tuple[tuple[str, Callable[[str, random.Random], str]], ...] = (
    (r"gh[a-z]_", _github_classic),
    (r"github_pat_", _github_fine_grained),
    (r"[A-Za-z0-9]{52}JQQJ99", _azure),
    (r"[a-z0-9_]+/one_api", _one_api),
    (r"sk-(?:ws|sp)-.*\.", _ecdsa_tail),
    (r"ABSK", _bedrock_long),
    (r"bedrock-api-key-", _bedrock_short),
    (r"eyJ", _jwt),
    (r"AIza", _google),
    (r"sk-(?:None|service)-", _openai_rare),
    (r"sk-(?:proj|svcacct|admin)-", _openai),
    (r".{0,6}[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-", _uuid),
)
