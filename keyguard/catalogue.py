"""What keyguard knows: providers, key shapes, SDKs, how code reads and shows values, and the words of every rule.

The knowledge is TOML under `rules/`. Reading some 180 files costs over 100 ms, so the checked data is compiled once into a
cache file of plain JSON (never a pickle: a changed cache must not be able to run code) and each part is decoded only
when it is asked for.
"""

from __future__ import annotations

import os
import sys
from binascii import crc32
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from keyguard import __version__
from keyguard.errors import UsageError
from keyguard.model import Confidence, Severity

# os.path and not pathlib: pathlib costs 8 ms at start, and a hook has 70.
# ruff: noqa: PTH100, PTH103, PTH105, PTH108, PTH111, PTH112, PTH118, PTH120, PTH123

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping

_FORMAT = 1  # raised when the layout of the cache file changes


class CatalogueError(UsageError):
    """A rules file is wrong: the message names the file, the key and what belongs there."""


@dataclass(frozen=True, slots=True)
class KeyShape:
    """One form a provider's key takes.

    `pattern` is unanchored, case-sensitive and valid in RE2 and in `re`; lengths are in characters of the whole key.
    `test` names a function of `secrets.structure`, called with `test_args`. `test_means` says what the answer tells:
    `proves` (a pass is certain, a failure means mistyped or cut, still this provider's), `excludes` (a failure means
    another provider's key) or `decides` (both). `endpoints` are the only hosts (or host/path) that take this kind of key.
    """

    id: str
    provider: str
    name: str
    pattern: str
    prefixes: tuple[str, ...] = ()
    infixes: tuple[str, ...] = ()
    min_length: int | None = None
    max_length: int | None = None
    charset: str = ""
    test: str | None = None
    test_args: Mapping[str, Any] = field(default_factory=dict)
    test_means: str | None = None
    needs_context: bool = False
    confidence: Confidence = Confidence.HIGH
    secret: bool = True
    malformed: bool = False
    retired: bool = False
    often_public: bool = False
    endpoints: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """The literal that every key of this shape starts with; empty when there is none or more than one."""
        return self.prefixes[0] if len(self.prefixes) == 1 else ""

    def well_formed(self, value: str) -> bool | None:
        """Answer the offline structure test for a value that matches the pattern; None when the shape has no test."""
        if self.test is None:
            return None
        from keyguard.secrets import structure  # noqa: PLC0415  # base64, hashlib and zlib: 3 ms only a candidate pays

        return structure.TESTS[self.test](value, **self.test_args)

    @property
    def proven_by_test(self) -> bool:
        """Tell whether passing the structure test makes context unnecessary."""
        return self.test_means in ("proves", "decides")


@dataclass(frozen=True, slots=True)
class Auth:
    """How a key travels: header and scheme (empty for the bare key), other forms as `Header: Scheme`, query parameters."""

    header: str = "Authorization"
    scheme: str = "Bearer"
    alternatives: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verify:
    """A harmless request that tells whether a key lives: `{key}` stands for it; statuses that mean valid or invalid."""

    method: str
    url: str
    headers: Mapping[str, str]
    valid: tuple[int, ...]
    invalid: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Models:
    """Model ids of a provider: prefixes only it owns, prefixes with open weights, closed families it serves.

    `serves` is None when nobody wrote it down and `("any",)` when a mismatch must never be reported. `id_form` is one
    of `bare`, `vendor/model`, `deployment`, `alias`, `path` or empty.
    """

    closed: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    serves: tuple[str, ...] | None = None
    id_form: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """Who issues keys and answers requests.

    `env` are variables that hold a key, the primary one first; `env_other` belong to the provider but hold no secret;
    `env_reused` belong to another provider and its own documentation uses them. `hosts` are lower-case, with a port
    where one tells (`localhost:4000`). `words` are lower-case names by which nearby text names the provider. `curated`
    is False for a host that was taken over from public lists and not checked by hand.
    """

    id: str
    name: str
    kind: str
    name_zh: str | None = None
    aggregator: bool = False
    shapes: tuple[KeyShape, ...] = ()
    env: tuple[str, ...] = ()
    env_other: tuple[str, ...] = ()
    env_base_url: tuple[str, ...] = ()
    env_reused: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    host_patterns: tuple[str, ...] = ()
    more_hosts: tuple[str, ...] = ()
    base_urls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    required_path: str | None = None
    models: Models = field(default_factory=Models)
    auth: Auth = field(default_factory=Auth)
    console_url: str | None = None
    verify: Verify | None = None
    words: tuple[str, ...] = ()
    curated: bool = True

    @property
    def closed_models(self) -> tuple[str, ...]:
        """Prefixes of model ids that only this provider and those who resell it serve."""
        return self.models.closed

    @property
    def variable(self) -> str:
        """The environment variable a fix writes: the primary one, else one made from the id."""
        for name in self.env:
            if name.isidentifier():
                return name
        return self.id.removeprefix("relay_").upper().replace("-", "_").replace(".", "_").replace(":", "_") + "_API_KEY"

    def label(self, lang: str = "en") -> str:
        """The name for a person who reads `lang`."""
        return self.name_zh if lang == "zh" and self.name_zh else self.name


@dataclass(frozen=True, slots=True)
class Constructor:
    """A class or factory that makes a client; the names of the parameters that differ from the SDK's own."""

    name: str
    is_async: bool = False
    provider: str | None = None
    key_params: tuple[str, ...] | None = None
    key_position: int | None = None
    base_url_params: tuple[str, ...] | None = None
    env: tuple[str, ...] | None = None
    base_url_default: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A function that takes the key with each call."""

    name: str
    key_params: tuple[str, ...] = ("api_key",)
    key_position: int | None = None
    base_url_params: tuple[str, ...] = ()
    is_async: bool = False
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class Sdk:
    """A client library as the rules need it: its names, where its key and base URL go, and what it reads itself."""

    id: str
    package: str
    imports: tuple[str, ...]
    provider: str | None = None
    constructors: tuple[Constructor, ...] = ()
    calls: tuple[Call, ...] = ()
    settings: tuple[str, ...] = ()
    base_url_settings: tuple[str, ...] = ()
    key_params: tuple[str, ...] = ()
    key_position: int | None = None
    base_url_params: tuple[str, ...] = ()
    header_params: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    env_base_url: tuple[str, ...] = ()
    base_url_default: str | None = None
    hosts: tuple[str, ...] = ()
    header: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class HttpClient:
    """An HTTP library: the calls that send a request and the names of the arguments that matter for keys."""

    id: str
    imports: tuple[str, ...]
    calls: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    url_params: tuple[str, ...] = ("url",)
    url_position: int | None = 0
    url_position_verb: int | None = None
    headers_params: tuple[str, ...] = ("headers",)
    headers_position: int | None = None
    query_params: tuple[str, ...] = ("params",)
    auth_params: tuple[str, ...] = ("auth",)
    body_params: tuple[str, ...] = ("json", "data")
    base_url_params: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """An expression that reads a value by name: from the environment (`env`), a `file`, a secret `store` or a `prompt`.

    `subscripts` are mappings (`X["NAME"]`), `calls` dotted functions, `instances` classes whose objects are called
    (method `""`), subscripted (method `"[]"`) or asked through `methods`. Positions count from 0, the receiver apart.
    `missing` is `raises`, `none`, `empty` or `default`.
    """

    id: str
    kind: str
    imports: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    subscripts: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    name_position: int | None = 0
    name_keywords: tuple[str, ...] = ()
    default_position: int | None = None
    default_keywords: tuple[str, ...] = ()
    missing: str = "raises"
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Writer:
    """A statement that writes the environment or an env file: `X["NAME"] = value`, a call, or a call with a mapping."""

    id: str
    kind: str
    imports: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    subscripts: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    mapping_calls: tuple[str, ...] = ()
    name_position: int | None = 0
    name_keywords: tuple[str, ...] = ()
    value_position: int | None = 1
    value_keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SettingsClass:
    """A class whose fields are read from the environment, and the calls that describe a field."""

    id: str
    bases: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    field_calls: tuple[str, ...] = ()
    default_position: int | None = None
    default_keywords: tuple[str, ...] = ("default",)
    env_keywords: tuple[str, ...] = ()
    reads_env: bool = False


@dataclass(frozen=True, slots=True)
class OptionDefiner:
    """A call that defines a command-line option: where its default and its environment variable stand."""

    id: str
    imports: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    name_positions: tuple[int, ...] = (0,)
    default_position: int | None = None
    default_keywords: tuple[str, ...] = ("default",)
    env_keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnvAccess:
    """How code reads values, writes them, and declares settings and options; `environs` are the whole environment."""

    readers: tuple[Reader, ...] = ()
    writers: tuple[Writer, ...] = ()
    settings_classes: tuple[SettingsClass, ...] = ()
    options: tuple[OptionDefiner, ...] = ()
    environs: tuple[str, ...] = ()
    loaders: tuple[str, ...] = ()
    unwrap_methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sink:
    """Something that shows or sends a value: `kind` is print, log, exception, trace, response, ui or record.

    `word` and `word_zh` complete "the key is …". `names` are conventional receivers when the object cannot be resolved.
    """

    id: str
    kind: str
    word: str
    word_zh: str
    imports: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    factories: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    raises: bool = False
    returned: bool = False
    keywords: tuple[str, ...] = ()
    ignored_keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sinks:
    """Where values are shown, and what masks them first."""

    sinks: tuple[Sink, ...] = ()
    mask_calls: tuple[str, ...] = ()
    mask_methods: tuple[str, ...] = ()
    mask_words: tuple[str, ...] = ()
    max_slice: int = 8
    wrappers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalValue:
    """A value that servers on one's own machine ask for or ignore."""

    value: str
    what: str


@dataclass(frozen=True, slots=True)
class Placeholders:
    """Stand-ins for a key: exact values and words compare in lower case; patterns are RE2-valid and searched."""

    values: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    fillers: tuple[str, ...] = ()
    local: tuple[LocalValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A form that is no key although a prefix matches: patterns of the whole token, RE2-valid."""

    id: str
    what: str
    patterns: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """Names that tell a credential: exact and patterned, in lower case with `_` between words.

    `generic` are names of any credential, `suffixes` end a variable that holds one, `not_secret` end one that does not
    (`_url`, `_id`), `browser_prefixes` are shipped to every visitor by a bundler, `headers` carry a credential and
    `query` are URL parameters that do.
    """

    generic: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    not_secret: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    browser_prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """A family of model ids: an anchored pattern, its owner and the providers that serve it first-hand."""

    id: str
    pattern: str
    owner: str | None = None
    open_weights: bool = False
    served_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A piece of code that is documentation and test at once; without `lines` it must stay quiet.

    Keys are written `<openai-key>` and filled in when a test runs.
    """

    source: str
    filename: str = "example.py"
    lines: tuple[int, ...] = ()
    messages: tuple[str, ...] = ()
    fixed: str | None = None
    why: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """A case of a rule with words, severity or confidence of its own; None means the rule's."""

    id: str
    severity: Severity | None = None
    confidence: Confidence | None = None
    message: str | None = None
    message_zh: str | None = None
    remedy: str | None = None
    remedy_zh: str | None = None


@dataclass(frozen=True, slots=True)
class Docs:
    """The page of a rule, `explain` and the SARIF help."""

    what: str
    why: str
    fix_safety: str = ""
    options: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's words and defaults; `fixable` is derived from its examples."""

    id: str
    name: str
    severity: Severity
    confidence: Confidence
    message: str
    message_zh: str
    remedy: str = ""
    remedy_zh: str = ""
    docs: Docs = field(default_factory=lambda: Docs("", ""))
    docs_zh: Docs | None = None
    cases: Mapping[str, Case] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()

    @property
    def fixable(self) -> bool:
        """Tell whether some example shows a fix."""
        return any(example.fixed is not None for example in self.examples)


@dataclass(frozen=True, slots=True)
class Triggers:
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


class Catalogue:
    """Everything in `rules/`, each part decoded when it is first asked for; equal rules give equal catalogues."""

    def __init__(self, root: str, version: str, section: Callable[[str], Any]) -> None:
        """Keep where the rules came from; `section` gives a part's plain data by name."""
        self.root = root
        self.version = version
        self._section = section

    def __reduce__(self) -> tuple[Callable[[str], Catalogue], tuple[str]]:
        """Let a worker process load its own copy instead of carrying this one over."""
        return load, (self.root,)

    def __repr__(self) -> str:
        """Name the rules folder."""
        return f"Catalogue({self.root!r})"

    @cached_property
    def triggers(self) -> Triggers:
        """The literals of the prefilter: the cheapest part, so it is stored apart."""
        return Triggers(**{key: tuple(value) for key, value in self._section("triggers").items()})

    @cached_property
    def providers(self) -> Mapping[str, Provider]:
        """Every provider by id, hand-checked ones first, each group in the order of ids."""
        return MappingProxyType({data["id"]: _provider(data) for data in self._section("providers")})

    @cached_property
    def shapes(self) -> Mapping[str, KeyShape]:
        """Every key shape by id (`provider/name`), in provider order and in the order of its file."""
        return MappingProxyType({shape.id: shape for item in self.providers.values() for shape in item.shapes})

    @cached_property
    def sdks(self) -> Mapping[str, Sdk]:
        """Every SDK by id."""
        return MappingProxyType({data["id"]: _sdk(data) for data in self._section("sdks")})

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """Every rule by id, in the order of ids."""
        return MappingProxyType({data["id"]: _rule(data) for data in self._section("rules")})

    @cached_property
    def http_clients(self) -> tuple[HttpClient, ...]:
        """HTTP libraries and the arguments in which a key can travel."""
        return tuple(_flat(HttpClient, data) for data in self._section("http")["client"])

    @cached_property
    def env_access(self) -> EnvAccess:
        """How code reads and writes values by name."""
        data = self._section("env")
        return EnvAccess(
            readers=tuple(_flat(Reader, item) for item in data["reader"]),
            writers=tuple(_flat(Writer, item) for item in data["writer"]),
            settings_classes=tuple(_flat(SettingsClass, item) for item in data["settings_class"]),
            options=tuple(_flat(OptionDefiner, item) for item in data["option"]),
            environs=tuple(data["environs"]),
            loaders=tuple(data["loaders"]),
            unwrap_methods=tuple(data["unwrap_methods"]),
        )

    @cached_property
    def sinks(self) -> Sinks:
        """What prints, logs and sends values, and what masks them."""
        data = self._section("sinks")
        mask = data["mask"]
        return Sinks(
            sinks=tuple(_flat(Sink, item) for item in data["sink"]),
            mask_calls=tuple(mask["calls"]),
            mask_methods=tuple(mask["methods"]),
            mask_words=tuple(mask["words"]),
            max_slice=mask["max_slice"],
            wrappers=tuple(mask["wrappers"]),
        )

    @cached_property
    def placeholders(self) -> Placeholders:
        """Stand-ins for keys in every language."""
        data = self._section("placeholders")
        return Placeholders(
            values=frozenset(value.lower() for value in data["values"]),
            words=tuple(data["words"]),
            patterns=tuple(data["patterns"]),
            fillers=tuple(data["fillers"]),
            local=tuple(_flat(LocalValue, item) for item in data["local"]),
        )

    @cached_property
    def public_keys(self) -> Mapping[str, str]:
        """Published example keys: lower-case SHA-256 in hexadecimal to what the key is."""
        return MappingProxyType({item["sha256"]: item["what"] for item in self._section("public")["key"]})

    @cached_property
    def lookalikes(self) -> tuple[Lookalike, ...]:
        """Forms that only look like keys."""
        return tuple(_flat(Lookalike, item) for item in self._section("lookalikes")["lookalike"])

    @cached_property
    def words(self) -> Words:
        """Names that tell a credential without naming a provider."""
        return _flat(Words, self._section("words"))

    @cached_property
    def families(self) -> tuple[ModelFamily, ...]:
        """Families of model ids, the first match counts."""
        return tuple(_flat(ModelFamily, item) for item in self._section("models")["family"])

    @cached_property
    def _hosts(self) -> Mapping[str, str]:
        return {host: item.id for item in self.providers.values() for host in (*item.hosts, *item.more_hosts)}

    @cached_property
    def _host_patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        import re  # noqa: PLC0415  # already in memory through dataclasses; compiled only when a host is asked for

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


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}


def _flat(kind: type[Any], data: Mapping[str, Any]) -> Any:  # noqa: ANN401  # one builder for every flat table; the callers are typed
    return kind(**_tuples(data))


def _provider(data: dict[str, Any]) -> Provider:
    plain = _tuples(data)
    shapes = plain.pop("key", ())
    plain["shapes"] = tuple(_shape(plain["id"], shape) for shape in shapes)
    if "base_urls" in plain:
        plain["base_urls"] = MappingProxyType({key: tuple(value) for key, value in plain["base_urls"].items()})
    if "models" in plain:
        plain["models"] = Models(**_tuples(plain["models"]))
    if "auth" in plain:
        plain["auth"] = Auth(**_tuples(plain["auth"]))
    if "verify" in plain:
        plain["verify"] = Verify(**_tuples(plain["verify"]))
    return Provider(**plain)


def _shape(provider: str, data: dict[str, Any]) -> KeyShape:
    plain = _tuples(data)
    plain["confidence"] = Confidence[plain.get("confidence", "high").upper()]
    return KeyShape(id=f"{provider}/{plain['name']}", provider=provider, **plain)


def _sdk(data: dict[str, Any]) -> Sdk:
    plain = _tuples(data)
    constructors = plain.pop("constructor", ())
    calls = plain.pop("call", ())
    return Sdk(
        constructors=tuple(_flat(Constructor, item) for item in constructors),
        calls=tuple(_flat(Call, item) for item in calls),
        **plain,
    )


def _rule(data: dict[str, Any]) -> Rule:
    plain = _tuples(data)
    cases = plain.pop("case", {})
    examples = plain.pop("example", ())
    plain["severity"] = Severity[plain["severity"].upper()]
    plain["confidence"] = Confidence[plain["confidence"].upper()]
    plain["docs"] = Docs(**_tuples(plain["docs"]))
    if "docs_zh" in plain:
        plain["docs_zh"] = Docs(**_tuples(plain["docs_zh"]))
    return Rule(
        cases=MappingProxyType({name: _case(name, case) for name, case in cases.items()}),
        examples=tuple(_flat(Example, item) for item in examples),
        **plain,
    )


def _case(name: str, data: dict[str, Any]) -> Case:
    plain = dict(data)
    if "severity" in plain:
        plain["severity"] = Severity[plain["severity"].upper()]
    if "confidence" in plain:
        plain["confidence"] = Confidence[plain["confidence"].upper()]
    return Case(id=name, **plain)


def find_rules() -> str:
    """The rules that came with this keyguard: inside the package in a wheel, beside it in a checkout."""
    package = os.path.dirname(os.path.abspath(__file__))
    for parent in (package, os.path.dirname(package)):
        folder = os.path.join(parent, "rules")
        if os.path.isdir(os.path.join(folder, "providers")):
            return folder
    msg = f"{os.path.join(package, 'rules')}: the rules of keyguard are missing; install keyguard again"
    raise CatalogueError(msg)


def load(rules_dir: str | os.PathLike[str] | None = None) -> Catalogue:
    """Load the catalogue from `rules_dir`, or the rules that came with keyguard.

    The first load reads and checks every file (some 100 ms) and leaves a cache; the next ones take the cache as long as
    no file's name, size or time changed.

    Raises:
        CatalogueError: a file is no TOML, or a key or value in it is not what belongs there.
    """
    root = find_rules() if rules_dir is None else os.path.abspath(rules_dir)
    stamp = _stamp(root)
    cache = _cache_path(root)
    if cache is not None:
        catalogue = _from_cache(root, stamp, cache)
        if catalogue is not None:
            return catalogue
    from keyguard.schema import read_rules  # noqa: PLC0415  # tomllib and 180 files: 100 ms that a cached load saves

    sections = read_rules(root)
    if cache is not None:
        _write_cache(cache, stamp, sections)
    return Catalogue(root, stamp, sections.__getitem__)


def _stamp(root: str) -> str:
    """Everything that makes a cache stale: versions, and name, size and time of every rules file."""
    entries = [f"{_FORMAT} {__version__} {sys.version_info[:3]}"]
    for folder in ("", "providers", "sdks"):
        try:
            with os.scandir(os.path.join(root, folder)) as found:
                for entry in found:
                    if entry.name.endswith(".toml"):
                        status = entry.stat()
                        entries.append(f"{folder}/{entry.name} {status.st_size} {status.st_mtime_ns}")
        except FileNotFoundError:
            if not folder:
                msg = f"{root}: no such folder; give the folder that holds the rules"
                raise CatalogueError(msg) from None
        except OSError as error:
            msg = f"{os.path.join(root, folder)}: {error.strerror}; make the rules readable"
            raise CatalogueError(msg) from None
    entries.sort()
    return "\n".join(entries)


def _cache_path(root: str) -> str | None:
    """The cache file of this rules folder, or None when there is no place for one; `KEYGUARD_CACHE_DIR` comes first."""
    folder = os.environ.get("KEYGUARD_CACHE_DIR")
    if not folder:
        parent = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
        if not parent:
            home = os.path.expanduser("~")
            if home == "~":
                return None
            parent = os.path.join(home, ".cache")
        folder = os.path.join(parent, "keyguard")
    return os.path.join(folder, f"catalogue-{crc32(os.fsencode(root)):08x}.json")


def _from_cache(root: str, stamp: str, path: str) -> Catalogue | None:
    """The cached catalogue; None when there is none, it is stale, or it was not written by us and whole.

    Layout: one JSON line with the stamp, the CRC-32 of the rest and each section's offset and length, then the sections.
    """
    import json  # noqa: PLC0415  # 2 ms once re is loaded, which dataclasses did

    try:
        with open(path, "rb") as file:
            head, _, body = file.read().partition(b"\n")
        index = json.loads(head)
        if index["stamp"] != stamp or index["crc"] != crc32(body):
            return None
        places = {name: (int(start), int(length)) for name, (start, length) in index["sections"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None

    def section(name: str) -> Any:  # noqa: ANN401  # plain JSON data of any form
        start, length = places[name]
        return json.loads(body[start : start + length])

    return Catalogue(root, stamp, section)


def _write_cache(path: str, stamp: str, sections: Mapping[str, Any]) -> None:
    """Write the cache whole or not at all; a folder that cannot be written to is no error."""
    import json  # noqa: PLC0415  # only after a cold read
    import tempfile  # noqa: PLC0415  # only after a cold read

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
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".catalogue-")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(head + b"\n" + body)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError:
        return
