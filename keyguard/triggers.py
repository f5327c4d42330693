"""Turns the catalogue's raw data into the few search patterns of the prefilter, to be stored with the catalogue.

Every pattern is for RE2 in Latin-1, over bytes: one linear pass, whatever the text. The provider data is the plain
content of the TOML files, so that a cold read needs no dataclasses.
"""

from __future__ import annotations

import base64
import re

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

# What may stand before a key: nothing, a character no key holds, or an escape whose last character is a letter or digit
# (JSON's \n and \u0022, a URL's %22, a terminal's colour).
BEFORE = (
    r"(?:^|[^A-Za-z0-9_-]|\\[nrtbf]|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}"
    r"|\x1b\[[0-9;]{0,12}m|(?:x1b|u001b|033)\[[0-9;]{0,12}m)"
)
RUN = 16  # characters after a prefix that make a candidate
_ENCODED_RUN = 20  # characters of base64 after an encoded prefix: 15 of the key
_COMMON = 3  # characters: `hf_` and `ms-` begin many a name
_SHORTEST_CORE = 6  # characters: a shorter part of a host stands in half of all files
_SHORT_WORD = 4  # characters of a word that may stand inside an ordinary one
_EVERYDAY = 8  # characters: `run`, `chat` and `generate` are functions of any program, `acompletion` is not
# Methods of one word that send a request and that few other objects have.
_TELLING_METHODS = frozenset(
    {"invoke", "ainvoke", "abatch", "astream", "apredict", "rerank", "acompletion", "completion"}
)
_DISTINCT = 3  # characters a prefix needs to be looked for in pieces, in base64 and backwards

# Words after which a value is a credential, in any language we saw.
CREDENTIAL_WORDS = (
    "key|token|secret|passw(?:or)?d|auth|bearer|credential|_ak|_sk"
    "|密钥|秘钥|密匙|金鑰|令牌|口令|鍵|キー|トークン|키|토큰|ключ"
)
# What stands between a name and its value besides signs: types, schemes, `value:`, the escapes of JSON and URLs.
_FILL = (
    "string|str|value|default|to|optional|bearer|token|basic|api-?key|key|is|as|of|or|secretstr|val|text|const|final"
    "|type|content|env|input|get|n|t|r|u0022|u003d|u0026|20|22|27|3d|3a|data"
)
# A form that some key without a prefix has: a run of letters and digits, a UUID, two runs with a dot.
_SHAPELESS = r"[A-Za-z0-9+/]{20}|[0-9a-f]{8}-[0-9a-f]{4}-|[A-Za-z0-9]{8}\.[A-Za-z0-9]{12}"


def patterns(
    providers: Sequence[Mapping[str, Any]],
    sdks: Sequence[Mapping[str, Any]],
    http: Mapping[str, Any],
    others: Iterable[str] = (),
    called: Iterable[str] = (),
) -> dict[str, str]:
    """Build every pattern by name.

    `others` are functions that rules about connections ask for besides, `called` functions of a project's own that give
    a client, without their modules.

    `keys`: group 1 (or a later one) begins where a key may begin. `encoded`: group 1 begins a key in base64.
    `reversed`: a literal that ends in a prefix spelled backwards. `pieces`: a literal that begins with a prefix.
    `named`: group 1 or 2 begins a value after a credential's name. `model`: a host, a variable or a word of a
    provider; `about`: the same and imports of SDKs, in few states; `dials`: hosts and imports in full;
    `words`, `names` and `phrases` are what `about` is made of; `in_full` (with variables) and `host_patterns` what
    `dials` is: what is searched for apart has fewer states than together, where each may be in the middle of others;
    `calls`: something that makes a client, sends a request or sets what decides about one, in Python; `requests`:
    imports of HTTP libraries, and `unchecked`: variables that switch the check of certificates off.
    `hints` matches wherever one of `keys`, `encoded` or `pieces` does, `first` wherever it or `model` or `about` does,
    and both elsewhere now and then: they are built to be searched in one pass. `leak` is the part of `first` that only
    keys need, and `named`.
    """
    shapes = [key for item in providers for key in item.get("key", ()) if _searched(key)]
    prefixes = {prefix for key in shapes for prefix in key.get("prefixes", ())}
    telling = [prefix for prefix in prefixes if len(prefix) >= _DISTINCT]
    variables = {name for item in providers for name in item.get("env", ())}
    hosts = {host for item in providers for host in (*item.get("hosts", ()), *item.get("more_hosts", ()))}
    host_patterns = sorted({pattern for item in providers for pattern in item.get("host_patterns", ())})
    words = set(word_owners((item["id"], item.get("words", ())) for item in providers))
    ids = {item["id"] for item in providers if item.get("key")}
    stems = {item["id"].removeprefix("relay_") for item in providers}
    modules = {name for sdk in sdks for name in sdk["imports"]}
    calls = [rf"\b{_any(called)}[ \t]*\("] if called else []
    in_full = "|".join(
        [
            rf"\b{_any(hosts)}\b",
            # At a line's beginning, which in a notebook's JSON is that of a text or stands behind an escape.
            rf"(?m:(?:^|\"|\\n)[ \t]*(?:from|import)[ \t]+{_any(modules)}\b)",
            _from_package(modules),
            *calls,
        ]
    )
    patterned = "|".join(f"(?:{pattern})" for pattern in host_patterns)
    found = {
        # Names in full: what of a file has to do with models at all, for Python, whose parse is dear.
        "in_full": rf"\b{_any(variables)}\b|{in_full}",
        "host_patterns": patterned,
        "dials": f"{in_full}|{patterned}",
        "keys": _keys(shapes),
        "encoded": _encoded(telling),
        "reversed": f"[A-Za-z0-9_-]{{{RUN}}}{_any({prefix[::-1] for prefix in telling})}[\"']",
        "pieces": _pieces(telling),
        "named": _named(providers),
        "model": _model(hosts, host_patterns, variables, words),
        "calls": "|".join([_calls(sdks, http["client"]), *_gone(sdks, others), *calls]),
    }
    found.update(_requests(http))
    cores = {pattern: _core(pattern) for pattern in host_patterns}
    literals = {*variables, *hosts, *(core for core in cores.values() if len(core) >= _SHORTEST_CORE)}
    sections = _without(ids, words, before=" ", after=" ")
    found["words"], short = _words(words)
    found["names"] = "|".join(
        [
            _any(_without(literals, words)),
            *(f"(?:{pattern})" for pattern, core in cores.items() if len(core) < _SHORTEST_CORE),
        ]
    )
    found["phrases"] = "|".join(
        [
            *short,
            rf"(?:from|import)[ \t]+{_any(_without(modules, words, before=' '))}",
            _from_package(_without(modules, words, before=" ")),
            # `falKey` and `poe_api_key`: names of their own, though no variable of the provider is called so.
            rf"(?i:\b{_any(_without(stems, words, before=' '))}[_-]?(?:api[_-]?)?(?:key|token|secret))",
            # `"exa": {…}` or `[exa]`: as the name of a section even a common word is a provider.
            rf"(?m:[\"'\[]{_any(sections)}[\"'\]]|^[ \t]*{_any(sections)}:)",
            *calls,
        ]
    )
    found["about"] = f"{found['words']}|{found['names']}|{found['phrases']}"
    # The encoded form keeps only its start: a counter of a run multiplies with every other one.
    encoded = found["encoded"].replace(f"{{{_ENCODED_RUN}}}", "{4}")
    found["hints"] = "|".join([_few_states(shapes), encoded, found["pieces"]])
    found["first"] = f"{found['hints']}|{found['about']}"
    found["leak"] = "|".join([_few_states(shapes), encoded, found["pieces"], _uncaptured(found["named"])])
    return found


def _calls(sdks: Sequence[Mapping[str, Any]], http: Sequence[Mapping[str, Any]]) -> str:
    """What a module must hold for a connection to stand in it; a method's name alone only where few others have it.

    In 1.07 million lines of a gateway's own source, where all but 26,000 name a provider, it leaves 620,000, and
    250,000 of them in functions that hold it themselves.
    """
    made = [item for sdk in sdks for kind in ("constructor", "call") for item in sdk.get(kind, ())]
    makers = {item["name"].rpartition(".")[2] for item in made}
    # Functions with everyday names are told by their module.
    everyday = {name for name in makers if name.islower()}
    qualified = {
        ".".join(item["name"].rsplit(".", 2)[-2:]) for item in made if item["name"].rpartition(".")[2] in everyday
    }
    methods = {name.replace("()", "") for sdk in sdks for name in _methods(sdk)}
    long = {".".join(name.rsplit(".", 2)[-2:]) for name in methods if "." in name}
    distinct = {name.rpartition(".")[2] for sdk in sdks for name in sdk.get("distinctive", ())}
    distinct |= {name for name in methods if "_" in name or name in _TELLING_METHODS}
    settings = {name for sdk in sdks for key in ("settings", "base_url_settings") for name in sdk.get(key, ())}
    modules = {name.partition(".")[0] for client in http for name in client["imports"]} - {"http"}
    sessions = {
        name.rpartition(".")[2]
        for client in http
        for key in ("sessions", "calls", "requests")
        for name in client.get(key, ())
        if not name.rpartition(".")[2].islower() or "url" in name.rpartition(".")[2]
    }
    return "|".join(
        [
            rf"\b{_any((makers - everyday) | sessions | {name for name in everyday if len(name) > _EVERYDAY})}[ \t]?\(",
            rf"\b{_any(qualified)}\(",
            rf"\.{_any(long | {name for name in distinct if len(name) > _SHORT_WORD})}\(",
            rf"\b{_any(modules)}\.[a-zA-Z]|\bfrom[ \t]+{_any(modules)}[. \t]",
            rf"\b{_any(settings)}[ \t]*=",
            r"\benviron\[[^\]\n]{1,80}\][ \t]*=|\bputenv\(|\benviron\.(?:setdefault|update)\(",
        ]
    )


def _gone(sdks: Sequence[Mapping[str, Any]], others: Iterable[str]) -> Iterator[str]:
    """What no longer is, as it is named or imported, and the functions that are asked for besides."""
    by_parent: dict[str, set[str]] = {}
    for sdk in sdks:
        for item in sdk.get("removed", ()):
            if item.get("name"):
                parent, _, name = item["name"].rpartition(".")
                by_parent.setdefault(parent, set()).add(name)
    for parent, names in sorted(by_parent.items()):
        if parent:
            yield rf"\b{_any({parent})}(?:\.|[ \t]+import[ \t(][^\n#]*\b){_any(names)}\b"
        else:
            yield rf"(?m:^[ \t]*(?:from|import)[ \t]+{_any(names)}\b)"
    functions = {name.rpartition(".")[2] for name in others}
    if functions:
        yield rf"\b{_any(functions)}\("


def _methods(sdk: Mapping[str, Any]) -> Iterator[str]:
    yield from sdk.get("methods", ())
    for made in sdk.get("constructor", ()):
        yield from made.get("methods", ())


def _requests(http: Mapping[str, Any]) -> dict[str, str]:
    """What code that sends requests, or that lets others answer them, cannot do without."""
    libraries = {name.partition(".")[0] for client in http["client"] for name in client["imports"]}
    tls = http.get("tls", {})
    modules = {name.partition(".")[0] for name in (*tls.get("insecure", ()), *tls.get("settings", ()))}
    variables = {item.partition("=")[0] for item in tls.get("env", ())}
    # `from .compat import requests` counts too: the library itself may stand behind it.
    imported = rf"\b(?:import|from)\b[^\n]*\b{_any(libraries | modules)}\b|^[ \t]+{_any(libraries)},?[ \t]*$"
    return {"requests": f"(?m:{imported})|{_any(variables)}", "unchecked": _any(variables)}


def _from_package(modules: Iterable[str]) -> str:
    """An import of a module by its last name: `from google import genai`."""
    pairs = sorted(module.rpartition(".")[::2] for module in modules if "." in module)
    each = [
        rf"{re.escape(package)}[ \t]+import[ \t(]+(?:[\w, \t]*[, \t])?{re.escape(name)}\b" for package, name in pairs
    ]
    return rf"\bfrom[ \t]+(?:{'|'.join(each)})"


def _pieces(prefixes: Iterable[str]) -> str:
    """A literal that begins with a prefix; one that names in code have too must end it, or a digit or sign follows."""
    names = {"key_", "pat_"}
    common = {prefix for prefix in prefixes if (len(prefix) <= _COMMON and prefix != "sk-") or prefix in names}
    other_piece = "[A-Za-z0-9_-]*[\"'][ \\t\\\\\\r\\n]*\\+?[ \\t\\\\\\r\\n]*[frb]?[\"']"
    rest = f"(?:[\"'%{{]|[A-Za-z_-]*[^A-Za-z_'\"\\s-]|{other_piece})"
    return f"[\"'](?:{_any(set(prefixes) - common)}|{_any(common)}{rest})"


def _few_states(shapes: Sequence[Mapping[str, Any]]) -> str:
    """As `keys`, for one pass beside many words: what has no prefix is told by the part of it that is rare."""
    rare = {infix for key in shapes for infix in key.get("infixes", ())}
    plain = [key for key in shapes if not key.get("infixes")]
    return _uncaptured("|".join([_keys(plain), *([_any(rare)] if rare else [])]))


def _uncaptured(pattern: str) -> str:
    """A pattern without groups that are remembered; none of ours holds a bracket that is meant as one."""
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)


def _words(words: Iterable[str]) -> tuple[str, list[str]]:
    """Words in any case, and short ones; those that hold another one left out.

    Other scripts than Latin have no case to fold.

    A short word inside a longer one means nothing (`ails` stands in `details`, in one of seven files of Python): no
    letter before it unless it begins with a capital, and no small letter after it. Long ones rarely do, and what
    stands around all of them would take the automaton five times as long.
    """
    words = sorted(words)
    least = [word for word in words if not any(other != word and _is_word_in(other, word) for other in words)]
    short = [word for word in least if _is_short(word)]
    latin = "|".join(re.escape(word) for word in least if word.isascii() and word not in short)
    humps = "|".join(f"{word[0].upper()}(?i:{word[1:]})" for word in short)
    others = [word for word in least if not word.isascii()]
    return (
        "|".join([f"(?i:{latin})", *([_any(others)] if others else [])]),
        [rf"(?:(?:\b|[0-9_])(?i:{'|'.join(short)})|{humps})(?:\b|[A-Z0-9_])"] if short else [],
    )


def _is_short(word: str) -> bool:
    return word.isascii() and word.isalpha() and len(word) <= _SHORT_WORD


def _is_word_in(word: str, text: str) -> bool:
    """Tell whether a text holds a word in such a way that `_words` finds it, whatever stands around the text."""
    if not _is_short(word):
        return word in text.lower()
    return re.search(rf"[^A-Za-z](?i:{word})[^a-z]|{word[0].upper()}(?i:{word[1:]})[^a-z]", text) is not None


def _model(hosts: set[str], host_patterns: Sequence[str], variables: set[str], words: set[str]) -> str:
    """Longest first, so that the most telling name is the one that is found."""
    ordered = [
        "|".join(map(re.escape, sorted(texts, key=lambda text: (-len(text), text))))
        for texts in (
            hosts,
            variables,
            (word for word in words if word.isascii()),
            (word for word in words if not word.isascii()),
        )
    ]
    return "|".join(
        [ordered[0], *(f"(?:{item})" for item in host_patterns), ordered[1], f"(?i:{ordered[2]})", ordered[3]]
    )


def _without(texts: Iterable[str], words: Iterable[str], *, before: str = "a", after: str = "a") -> set[str]:
    """The texts that hold none of the words; a server on one's own machine says nothing about models.

    `before` and `after` are what may stand around a text: a letter, which makes a word at its edge part of a longer
    one, or nothing of the kind.
    """
    words = tuple(words)
    mine = ("localhost", "127.")
    return {
        text
        for text in texts
        if not text.startswith(mine) and not any(_is_word_in(word, f"{before}{text}{after}") for word in words)
    }


def _core(pattern: str) -> str:
    """The longest literal part of a host's pattern."""
    plain = re.sub(r"\[[^\]]*\][+*?]?(?:\{[0-9,]+\})?", "*", pattern)
    while re.search(r"\([^()]*\)", plain):
        plain = re.sub(r"\((?:\?:)?[^()]*\)[?*+]?", "*", plain)
    return max((part.replace("\\", "") for part in re.split(r"\*|[^\\A-Za-z0-9.-]", plain)), key=len)


def word_owners(providers: Iterable[tuple[str, Iterable[str]]]) -> dict[str, tuple[str, ...]]:
    """Ids of providers by the words that name them; `exa_api` is also written `exaApi`, which is `exaapi` here."""
    owners: dict[str, tuple[str, ...]] = {}
    for provider, words in providers:
        for word in words:
            for spelled in dict.fromkeys((word, re.sub(r"[^a-z0-9]", "", word) if word.isascii() else word)):
                owners[spelled] = (*owners.get(spelled, ()), provider)
    return owners


def _searched(key: Mapping[str, Any]) -> bool:
    return bool(key.get("secret", True)) and not key.get("malformed", False)


def _any(texts: Iterable[str]) -> str:
    return "(?:" + "|".join(re.escape(text) for text in sorted(texts)) + ")"


def character_class(charset: str) -> str:
    """A character class from a catalogue charset such as `A-Za-z0-9_-.`: a lone hyphen goes last."""
    ranges = re.findall(r"([A-Za-z0-9])-([A-Za-z0-9])", charset)
    singles = re.sub(r"[A-Za-z0-9]-[A-Za-z0-9]", "", charset)
    signs = "".join(sorted({re.escape(sign) for sign in singles if sign != "-"}))
    return "[" + "".join(f"{low}-{high}" for low, high in ranges) + signs + ("-" if "-" in singles else "") + "]"


def _keys(shapes: Iterable[Mapping[str, Any]]) -> str:
    starts: dict[tuple[str, str], int] = {}
    others: set[str] = set()
    for key in shapes:
        context = key.get("needs_context", False)
        for prefix in key.get("prefixes", ()):
            # A prefix that several share says little: the whole least length must be there.
            body = (key.get("min_length") or RUN) - len(prefix)
            run = max(1, body if context else min(RUN, body))
            place = (prefix, character_class(key["charset"]))
            starts[place] = min(run, starts.get(place, run))
        if not key.get("prefixes") and not context:
            others.add(key["pattern"])
    free = sorted(pattern for pattern in others if not pattern[0].isalnum() and pattern[0] not in "[(")
    bound = [f"{re.escape(prefix)}{chars}{{{run}}}" for (prefix, chars), run in sorted(starts.items())]
    bound += sorted(others.difference(free))
    return "|".join([f"{BEFORE}({'|'.join(bound)})", *(f"({pattern})" for pattern in free)])


def _encoded(prefixes: Iterable[str]) -> str:
    """Base64 of a key begins with that of its prefix, as far as the prefix fills groups of three bytes."""
    starts = {base64.b64encode(prefix[: len(prefix) // 3 * 3].encode()).decode() for prefix in prefixes}
    return rf"(?:^|[^A-Za-z0-9+/_-]|\\[nrt])({_any(starts)}[A-Za-z0-9+/_-]{{{_ENCODED_RUN}}})"


def _named(providers: Iterable[Mapping[str, Any]]) -> str:
    names = {name for item in providers for name in item.get("env", ())}
    odd = {name for name in names if not re.search(CREDENTIAL_WORDS, name.lower())}
    stems = f"(?:(?i:{CREDENTIAL_WORDS})|{_any(odd)})" if odd else f"(?i:{CREDENTIAL_WORDS})"
    value = f"({_SHAPELESS})"
    same = rf"[^A-Za-z0-9_\n]{{1,24}}(?:(?i:{_FILL})[^A-Za-z0-9_\n]{{1,12}}){{0,3}}{value}"
    below = rf"[ \t\"',]{{0,4}}\r?\n[ \t\"'-]{{0,40}}value[\"']?[ \t]*[:=][ \t\"']{{0,4}}{value}"
    return f"{stems}[A-Za-z0-9_]{{0,16}}(?:{same}|{below})"
