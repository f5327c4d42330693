"""What keyguard knows: providers, key shapes, SDKs, how code reads and shows values, and the words of every rule.

The knowledge is TOML under `rules/`. Reading some 200 files costs over 100 ms, so the checked data is compiled once
into a cache file of plain JSON (never a pickle: a changed cache must not be able to run code), and each part is decoded
only when it is asked for. The values are those of `knowledge`; their names can be imported from here.
"""

from __future__ import annotations

import os
import sys
from binascii import crc32
from contextlib import suppress
from functools import cached_property
from types import MappingProxyType

from keyguard import __version__
from keyguard.errors import UsageError
from keyguard.typed import TYPE_CHECKING, NamedTuple

# os.path and not pathlib: pathlib costs 8 ms at start, and a hook has 70.
# ruff: noqa: PTH100, PTH111, PTH112, PTH116, PTH118, PTH120, PTH123

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping
    from typing import Any

    from keyguard.knowledge import (
        Auth,
        Call,
        Case,
        Constructor,
        Docs,
        EnvAccess,
        Example,
        Http,
        HttpClient,
        KeyShape,
        LocalValue,
        Lookalike,
        Meaning,
        ModelFamily,
        Models,
        OptionDefiner,
        Placeholders,
        Provider,
        Reader,
        Retrying,
        Rule,
        Running,
        Sdk,
        SettingsClass,
        Sink,
        Sinks,
        Verify,
        Verifying,
        Words,
        Writer,
    )

__all__ = [
    "Auth",
    "Call",
    "Case",
    "Catalogue",
    "CatalogueError",
    "Constructor",
    "Docs",
    "EnvAccess",
    "Example",
    "Http",
    "HttpClient",
    "KeyShape",
    "Known",
    "LocalValue",
    "Lookalike",
    "Meaning",
    "ModelFamily",
    "Models",
    "OptionDefiner",
    "Own",
    "Placeholders",
    "Provider",
    "Reader",
    "Retrying",
    "Rule",
    "Sdk",
    "SettingsClass",
    "Sink",
    "Sinks",
    "Triggers",
    "Verify",
    "Verifying",
    "Words",
    "Writer",
    "find_rules",
    "load",
]

_FORMAT = 2  # raised when the layout of the cache file changes
_LONGEST_HOST = 253  # RFC 1035: a longer text is no host, and no pattern needs to look at it


def __getattr__(name: str) -> Any:  # noqa: ANN401  # the module protocol
    """Give the values of `knowledge` on demand: making them takes 5 ms that the prefilter saves."""
    if name in __all__:
        from keyguard import knowledge  # noqa: PLC0415  # see above

        return getattr(knowledge, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


class CatalogueError(UsageError):
    """A rules file is wrong: the message names the file, the key and what belongs there."""


class Triggers(NamedTuple):
    """Literals without one of which a file cannot have a finding about a model-API key.

    `prefixes` start a key and `infixes` stand inside one without a prefix; `hosts` and `env` are names in full;
    `words` name providers; `imports` are the top-level modules of SDKs. Hosts and words are lower-case.
    """

    prefixes: tuple[str, ...]
    infixes: tuple[str, ...]
    hosts: tuple[str, ...]
    env: tuple[str, ...]
    words: tuple[str, ...]
    imports: tuple[str, ...]


class Own(NamedTuple):
    """What a project's settings add: providers by id and wrappers by dotted name, each with its data as JSON.

    The data was checked by `schema.own_provider` and `schema.own_wrapper`.
    """

    providers: tuple[tuple[str, str], ...] = ()
    wrappers: tuple[tuple[str, str], ...] = ()


class Known(NamedTuple):
    """The names that settings may refer to or must not take: ids, whose each host is, and what makes a client.

    `forms` are the code styles of fixes, the default first.
    """

    providers: frozenset[str] = frozenset()
    hosts: Mapping[str, str] = MappingProxyType({})
    sdks: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()
    forms: tuple[str, ...] = ()


class Catalogue:
    """Everything in `rules/`, each part decoded when it is first asked for; equal rules give equal catalogues."""

    def __init__(self, root: str, version: str, section: Callable[[str], Any], own: Own | None = None) -> None:
        """Keep where the rules came from; `section` gives a part's plain data by name, `own` is in it already."""
        self.root = root
        self.version = version
        self._section = section
        self._own = own or Own()

    def __reduce__(self) -> tuple[Callable[[str, Own], Catalogue], tuple[str, Own]]:
        """Let a worker process load its own copy instead of carrying this one over."""
        return load, (self.root, self._own)

    def extended(self, own: Own) -> Catalogue:
        """This catalogue with a project's own providers and wrappers: a new one, or itself when there are none."""
        return _extended(self, own) if own != Own() else self

    def known(self) -> Known:
        """The names in it, without making any of its values."""
        providers, sdks = self._section("providers"), self._section("sdks")
        return Known(
            frozenset(item["id"] for item in providers),
            {host: item["id"] for item in providers for host in (*item.get("hosts", ()), *item.get("more_hosts", ()))},
            frozenset(item["id"] for item in sdks),
            frozenset(made["name"] for item in sdks for made in (*item.get("constructor", ()), *item.get("call", ()))),
            tuple(item["id"] for item in self._section("env")["form"]),
        )

    def __repr__(self) -> str:
        """Name the rules folder."""
        return f"Catalogue({self.root!r})"

    @property
    def has_own_forms(self) -> bool:
        """Whether a project's own providers are in it, and with them forms of keys and hosts that nobody tested."""
        return bool(self._own.providers)

    @cached_property
    def own_hosts(self) -> frozenset[str]:
        """The hosts of a project's own providers."""
        return frozenset(host for name, _ in self._own.providers for host in self.providers[name].hosts)

    @cached_property
    def triggers(self) -> Triggers:
        """The literals of the prefilter: the cheapest part, so it is stored apart."""
        return Triggers(**{key: tuple(value) for key, value in self._section("triggers").items()})

    @cached_property
    def patterns(self) -> Mapping[str, str]:
        """The search patterns of the prefilter by name (see `triggers.patterns`), stored apart like the literals."""
        return MappingProxyType(self._section("patterns"))

    @cached_property
    def providers(self) -> Mapping[str, Provider]:
        """Every provider by id, hand-checked ones first, each group in the order of ids."""
        from keyguard import knowledge  # noqa: PLC0415  # 5 ms, for whoever asks for this part

        return MappingProxyType({data["id"]: knowledge.provider(data) for data in self._section("providers")})

    @cached_property
    def shapes(self) -> Mapping[str, KeyShape]:
        """Every key shape by id (`provider/name`), in provider order and in the order of its file."""
        return MappingProxyType({shape.id: shape for item in self.providers.values() for shape in item.shapes})

    @cached_property
    def sdks(self) -> Mapping[str, Sdk]:
        """Every SDK by id."""
        from keyguard import knowledge  # noqa: PLC0415  # 5 ms, for whoever asks for this part

        return MappingProxyType({data["id"]: knowledge.sdk(data) for data in self._section("sdks")})

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """Every rule by id, in the order of ids."""
        from keyguard import knowledge  # noqa: PLC0415  # 5 ms, for whoever asks for this part

        return MappingProxyType({data["id"]: knowledge.rule(data) for data in self._section("rules")})

    @cached_property
    def rule_names(self) -> Mapping[str, str]:
        """The name of every rule by id: all that most reports need of one, stored apart (the rules take 1 ms)."""
        return MappingProxyType(self._section("names"))

    @cached_property
    def http(self) -> Http:
        """HTTP libraries, the objects that hold their time limits, and what switches TLS checks off."""
        from keyguard import knowledge  # noqa: PLC0415  # 5 ms, for whoever asks for this part

        return knowledge.http(self._section("http"))

    @cached_property
    def retrying(self) -> Retrying:
        """What repeats calls: tools, the parts of their limits, and the words of loops written by hand."""
        from keyguard import knowledge  # noqa: PLC0415  # 5 ms, for whoever asks for this part

        return knowledge.retrying(self._section("retry"))

    @cached_property
    def env_access(self) -> EnvAccess:
        """How code reads and writes values by name."""
        from keyguard import knowledge  # noqa: PLC0415  # 5 ms, for whoever asks for this part

        return knowledge.env_access(self._section("env"))

    @cached_property
    def sinks(self) -> Sinks:
        """What prints, logs and sends values, and what masks them."""
        from keyguard import knowledge  # noqa: PLC0415  # 5 ms, for whoever asks for this part

        return knowledge.sinks(self._section("sinks"))

    @cached_property
    def running(self) -> Running:
        """How code runs things: at once, behind a limit, for each request, once."""
        from keyguard import knowledge  # noqa: PLC0415  # 5 ms, for whoever asks for this part

        return knowledge.running(self._section("running"))

    @cached_property
    def placeholders(self) -> Placeholders:
        """Stand-ins for keys in every language."""
        from keyguard import knowledge  # noqa: PLC0415  # 5 ms, for whoever asks for this part

        return knowledge.placeholders(self._section("placeholders"))

    @cached_property
    def public_keys(self) -> Mapping[str, str]:
        """Published example keys: lower-case SHA-256 in hexadecimal to what the key is."""
        return MappingProxyType({item["sha256"]: item["what"] for item in self._section("public")["key"]})

    @cached_property
    def lookalikes(self) -> tuple[Lookalike, ...]:
        """Forms that only look like keys."""
        from keyguard import knowledge  # noqa: PLC0415  # 5 ms, for whoever asks for this part

        found = self._section("lookalikes")["lookalike"]
        return tuple(knowledge.flat(knowledge.Lookalike, item) for item in found)

    @cached_property
    def foreign_hosts(self) -> Mapping[str, str]:
        """Hosts that are mistaken for a provider's API and answer no model call, with the provider's id."""
        return MappingProxyType({item["name"]: item["provider"] for item in self._section("lookalikes")["host"]})

    @cached_property
    def words(self) -> Words:
        """Names that tell a credential without naming a provider."""
        from keyguard import knowledge  # noqa: PLC0415  # 5 ms, for whoever asks for this part

        return knowledge.flat(knowledge.Words, self._section("words"))

    @cached_property
    def verifying(self) -> Verifying:
        """How hosts without a request of their own are asked about a key, and how answers are read."""
        from keyguard import knowledge  # noqa: PLC0415  # 20 ms, for whoever asks for this part

        return knowledge.verifying(self._section("verify"))

    @cached_property
    def mapped_protocols(self) -> frozenset[str]:
        """The vendors whose clients others answer too, under the vendor's own model ids."""
        return frozenset(self._section("models")["mapped"])

    @cached_property
    def families(self) -> tuple[ModelFamily, ...]:
        """Families of model ids, the first match counts."""
        from keyguard import knowledge  # noqa: PLC0415  # 5 ms, for whoever asks for this part

        return tuple(knowledge.flat(knowledge.ModelFamily, item) for item in self._section("models")["family"])

    @cached_property
    def _hosts(self) -> Mapping[str, str]:
        return {host: item.id for item in self.providers.values() for host in (*item.hosts, *item.more_hosts)}

    @cached_property
    def _host_patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        import re  # noqa: PLC0415  # 2 ms; compiled only when a host is asked for

        return tuple(
            (re.compile(pattern), item.id) for item in self.providers.values() for pattern in item.host_patterns
        )

    @cached_property
    def _env(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for item in self.providers.values():
            for name in item.env:
                found.setdefault(name, []).append(item.id)
        return {name: tuple(ids) for name, ids in found.items()}

    def provider_of_host(self, host: str) -> Provider | None:
        """Whose host is it? Accepts `host` or `host:port` in any case; exact names win over patterns.

        A subdomain belongs to the host above it only where a pattern says so: `evil-api.example.com` is nobody's.
        """
        host = host.strip().rstrip(".").lower()
        bare = host.rsplit(":", 1)[0] if ":" in host and host.rsplit(":", 1)[1].isdigit() else host
        for name in (host, bare):
            found = self._hosts.get(name)
            if found is not None:
                return self.providers[found]
        if len(bare) > _LONGEST_HOST:
            return None
        for pattern, owner in self._host_patterns:
            if pattern.fullmatch(bare):
                return self.providers[owner]
        return None

    def providers_of_env(self, name: str) -> tuple[Provider, ...]:
        """The providers whose key the variable holds, usually none or one; names compare in upper case."""
        return tuple(self.providers[owner] for owner in self._env.get(name.upper(), ()))

    def providers_of_word(self, word: str) -> tuple[Provider, ...]:
        """The providers that a lower-case word names."""
        return tuple(self.providers[owner] for owner in self._words.get(word, ()))

    @cached_property
    def _words(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for item in self.providers.values():
            for word in item.words:
                found.setdefault(word, []).append(item.id)
        return {word: tuple(ids) for word, ids in found.items()}

    def shapes_with_prefix(self, prefix: str) -> tuple[KeyShape, ...]:
        """The shapes one of whose literal prefixes is exactly `prefix`."""
        return self._by_prefix.get(prefix, ())

    @cached_property
    def _by_prefix(self) -> Mapping[str, tuple[KeyShape, ...]]:
        found: dict[str, list[KeyShape]] = {}
        for shape in self.shapes.values():
            for prefix in shape.prefixes:
                found.setdefault(prefix, []).append(shape)
        return {prefix: tuple(shapes) for prefix, shapes in found.items()}


_LONGEST_HOST = 253  # RFC 1035: a longer text is no host, and no pattern needs to look at it


def find_rules() -> str:
    """The rules that came with this keyguard: inside the package in a wheel, beside it in a checkout."""
    package = os.path.dirname(os.path.abspath(__file__))
    for parent in (package, os.path.dirname(package)):
        folder = os.path.join(parent, "rules")
        if os.path.isdir(os.path.join(folder, "providers")):
            return folder
    msg = f"{os.path.join(package, 'rules')}: the rules of keyguard are missing; install keyguard again"
    raise CatalogueError(msg)


def load(rules_dir: str | os.PathLike[str] | None = None, own: Own | None = None) -> Catalogue:
    """Load the catalogue from `rules_dir`, or the rules that came with keyguard, with what a project adds of its own.

    The first load reads and checks every file (some 100 ms) and leaves a cache; the next ones take the cache as long as
    no file's name, size or time changed.

    Raises:
        CatalogueError: a file is no TOML, or a key or value in it is not what belongs there.
    """
    root = find_rules() if rules_dir is None else os.path.abspath(rules_dir)
    stamp = _stamp(root)
    cache = _cache_path(root)
    section = _from_cache(stamp, cache) if cache is not None else None
    if section is None:
        from keyguard.schema import read_rules  # noqa: PLC0415  # tomllib and 180 files: 100 ms, not for a cached load

        sections = read_rules(root)
        if cache is not None:
            _write_cache(cache, stamp, sections)
        section = sections.__getitem__
    return Catalogue(root, stamp, section).extended(own or Own())


_CHANGED = frozenset({"providers", "sdks", "triggers", "patterns"})


def _extended(base: Catalogue, own: Own) -> Catalogue:
    """Put a project's own providers and wrappers into the parts they change; those are cached by what they say."""
    stamp = "\n".join([base.version, *(text for named in own for item in named for text in item)])
    cache = _cache_path(f"{base.root}\0{stamp}")
    section = _from_cache(stamp, cache) if cache is not None else None
    if section is None:
        from keyguard.schema import with_own  # noqa: PLC0415  # the search patterns are made anew: 90 ms

        plain = base._section  # noqa: SLF001  # the same class
        changed = with_own(plain("providers"), plain("sdks"), {"http": plain("http"), "env": plain("env")}, own)
        if cache is not None:
            _write_cache(cache, stamp, changed)
        section = changed.__getitem__
    own_part = section

    def part(name: str) -> Any:  # noqa: ANN401  # plain JSON data of any form
        return own_part(name) if name in _CHANGED else base._section(name)  # noqa: SLF001  # the same class

    return Catalogue(base.root, stamp, part, own)


def _stamp(root: str) -> str:
    """Everything that makes a cache stale: versions, and name, size and time of every rules file and its readers."""
    entries = [f"{_FORMAT} {__version__} {sys.version_info[:3]}"]
    try:
        for folder in ("", "providers", "sdks"):
            with os.scandir(os.path.join(root, folder)) as found:
                for entry in found:
                    if entry.name.endswith(".toml"):
                        status = entry.stat()
                        entries.append(f"{folder}/{entry.name} {status.st_size} {status.st_mtime_ns}")
    except OSError as error:
        msg = f"{error.filename or root}: {error.strerror}; give a folder of rules with providers/ and sdks/"
        raise CatalogueError(msg) from None
    package = os.path.dirname(os.path.abspath(__file__))
    for module in ("catalogue.py", "knowledge.py", "schema.py", "triggers.py"):
        with suppress(OSError):  # installed as byte code alone: the version says enough
            status = os.stat(os.path.join(package, module))
            entries.append(f"{module} {status.st_size} {status.st_mtime_ns}")
    entries.sort()
    return "\n".join(entries)


def cache_folder() -> str | None:
    """Where keyguard may keep what it can make again, None when there is no place; `KEYGUARD_CACHE_DIR` comes first."""
    folder = os.environ.get("KEYGUARD_CACHE_DIR")
    if not folder:
        parent = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
        if not parent:
            home = os.path.expanduser("~")
            if home == "~":
                return None
            parent = os.path.join(home, ".cache")
        folder = os.path.join(parent, "keyguard")
    return folder


def _cache_path(root: str) -> str | None:
    """The cache file of a rules folder; `root` is the folder, and behind it what a project adds."""
    folder = cache_folder()
    name = f"catalogue-{crc32(root.encode('utf-8', 'surrogateescape')):08x}.json"
    return None if folder is None else os.path.join(folder, name)


def _from_cache(stamp: str, path: str) -> Callable[[str], Any] | None:
    """The cached data by section; None when there is none, it is stale, or it was not written by us and whole.

    Layout: one JSON line with the stamp, the CRC-32 of the rest and each section's offset and length; the sections.
    """
    import json  # noqa: PLC0415  # 2 ms

    try:
        with open(path, "rb") as file:
            if not _is_ours(os.fstat(file.fileno())):
                return None
            head, body = file.readline(), file.read()
        index = json.loads(head)
        if index["stamp"] != stamp or index["crc"] != crc32(body):
            return None
        places = {name: (int(start), int(length)) for name, (start, length) in index["sections"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None

    def section(name: str) -> Any:  # noqa: ANN401  # plain JSON data of any form
        start, length = places[name]
        return json.loads(body[start : start + length])

    return section


def _is_ours(status: os.stat_result) -> bool:
    """Tell whether nobody else could have written a file: a foreign cache could teach keyguard to overlook keys."""
    if sys.platform == "win32":
        return True  # the folder's access list says it, and there is no owner to ask for
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _write_cache(path: str, stamp: str, sections: Mapping[str, Any]) -> None:
    """Write the cache whole or not at all; a folder that cannot be written to is no error."""
    import json  # noqa: PLC0415  # only after a cold read

    from keyguard.files import leave  # noqa: PLC0415  # as above

    places: dict[str, tuple[int, int]] = {}
    chunks: list[bytes] = []
    start = 0
    for name, value in sections.items():
        chunk = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        places[name] = (start, len(chunk))
        chunks.append(chunk)
        start += len(chunk)
    body = b"".join(chunks)
    head = json.dumps({"stamp": stamp, "crc": crc32(body), "sections": places}, separators=(",", ":")).encode()
    leave(path, (head, b"\n", body))
