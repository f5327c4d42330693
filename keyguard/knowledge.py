"""The values that rules are made of: frozen, compared by content, and built from the plain data of the TOML files.

They stand apart from `catalogue` because a file without any trigger needs none of them. Named tuples and not
dataclasses: fifty frozen ones take 25 ms at start.
"""

# Without `from __future__ import annotations`: named tuples compile each of 530 annotations that is a text (7 ms).
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from keyguard.model import Confidence, Severity
from keyguard.typed import NamedTuple
from keyguard.versions import before, order

T = TypeVar("T")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


REACHES = (
    "models",
    "files",
    "keys",
    "billing",
    "repositories",
    "data",
    "prompts",
    "cloud",
    "compute",
    "voices",
    "search",
)
"""What a key can open.

`models`: calls at the owner's cost; `files`: uploads and tuned models; `keys`: makes and deletes keys and members;
`billing`: reads what was used and paid; `repositories`: code, models and data sets in repositories; `data`: what is
stored in a database; `prompts`: recorded requests and answers; `cloud`: other services of the same account; `compute`:
starts machines; `voices`: cloned voices; `search`: searches and page fetches at the owner's cost.
"""


class KeyShape(NamedTuple):
    """One form a provider's key takes.

    `pattern` is unanchored, case-sensitive and valid in RE2 and in `re`; lengths are in characters of the whole key.
    `test` names a function of `secrets.structure`, called with `test_args`. `test_means` says what the answer tells:
    `proves` (a pass is certain, a failure means mistyped or cut, still this provider's), `excludes` (a failure means
    another provider's key) or `decides` (both). `endpoints` are the only hosts (or host/path) that take this key.
    `charset` is that of the body after the prefix. `often_public` keys are public by design in some products,
    and keys that `manages` create keys or read a whole account: more than a model call needs. `verify_url` tells
    whether a key of this shape lives, where the provider's own request does not; `unasked` that no harmless request
    does. `reach` is what such a key opens, where that is not what the provider's others do (see `Provider.reach_of`).
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
    test_args: Mapping[str, Any] = _NOTHING
    test_means: str | None = None
    needs_context: bool = False
    confidence: Confidence = Confidence.HIGH
    secret: bool = True
    malformed: bool = False
    retired: bool = False
    often_public: bool = False
    manages: bool = False
    endpoints: tuple[str, ...] = ()
    verify_url: str | None = None
    unasked: bool = False
    reach: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """The literal that every key of this shape starts with; empty when there is none or more than one."""
        return self.prefixes[0] if len(self.prefixes) == 1 else ""

    def well_formed(self, value: str) -> bool | None:
        """Answer the offline structure test for a value that matches the pattern; None when the shape has no test."""
        if self.test is None:
            return None
        from keyguard.secrets import structure  # noqa: PLC0415  # base64 and zlib: 1 ms only a candidate pays

        return structure.TESTS[self.test](value, **self.test_args)

    @property
    def proven_by_test(self) -> bool:
        """Tell whether passing the structure test makes context unnecessary."""
        return self.test_means in ("proves", "decides")


class Auth(NamedTuple):
    """How a key travels: header, scheme (empty for the bare key), other forms as `Header: Scheme`, URL parameters."""

    header: str = "Authorization"
    scheme: str = "Bearer"
    alternatives: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    extra: Mapping[str, str] = _NOTHING


class Meaning(NamedTuple):
    """What an answer to the question whether a key lives says, beyond its status.

    It holds for `statuses` (for every one when empty) whose body holds `pattern` (RE2, anywhere; empty for any body).
    `state` is one of `leaks.VERDICTS`; `why` names a text `why.…` of `keyguard.lang.verify`.
    """

    state: str
    why: str
    statuses: tuple[int, ...] = ()
    pattern: str = ""


class Verify(NamedTuple):
    """A harmless request that tells whether a key lives.

    In `headers` and `body`, `{key}` stands for the key and `{key_as_user}` for base64 of `key:`; any other name in
    braces is something that nobody has who only found the key. Names in braces in `url` are the resource's, and its own
    host fills them. `valid`, `restricted` (it lives, but may not do this) and `invalid` are statuses; `meanings` come
    before them, the first that fits. `expects` (RE2) must be in the body of a valid answer. `elsewhere` are further
    URLs of such a request: a key is dead only when all of them say so, since regions have keys of their own. `apart`
    are hosts with keys of their own that no harmless request is known for. `control` says that whoever sends no key
    may get a valid answer too. `limits` are the fields of the answer that tell what is left, as `data.0.balance`.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    valid: tuple[int, ...]
    invalid: tuple[int, ...]
    restricted: tuple[int, ...] = ()
    body: str = ""
    expects: str = ""
    elsewhere: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    control: bool = False
    meanings: tuple[Meaning, ...] = ()
    limits: tuple[str, ...] = ()


class Verifying(NamedTuple):
    """What holds for hosts without a request of their own, and how any answer is read.

    `models` gives the path of the list of models below a base URL, by the kind of base URL; `version` is what such a
    base URL may lack. `endings` are paths of calls, which are no part of a base URL. `expects` must be in the list.
    `limits` are how the names of headers begin that tell what is left. `refused` are hosts that hand out the secrets
    of the machine that asks them.
    """

    models: Mapping[str, str]
    version: str
    endings: tuple[str, ...]
    expects: str
    valid: tuple[int, ...]
    invalid: tuple[int, ...]
    limits: tuple[str, ...]
    refused: tuple[str, ...]
    meanings: tuple[Meaning, ...] = ()


class Models(NamedTuple):
    """Model ids of a provider: prefixes only it owns, prefixes with open weights, closed families it serves.

    `serves` is None when nobody wrote it down and `("any",)` when a mismatch must never be reported. `id_form` is one
    of `bare`, `vendor/model`, `deployment`, `alias`, `path` or empty.
    """

    closed: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    serves: tuple[str, ...] | None = None
    id_form: str = ""


class Provider(NamedTuple):
    """Who issues keys and answers requests.

    `env` are variables that hold a key, the primary one first; `env_admin` those of them that hold one to manage an
    account with; `env_other` belong to the provider but hold no secret; `env_reused` belong to another provider and its
    own documentation uses them. `hosts` are lower-case, with a port where one tells (`localhost:4000`). `console_url`
    is where keys are made, `revoke_url` where they are taken back (None: there too), `usage_url` shows what a key was
    used for, `limits_url` what it may spend. `reach` are things a key opens, of `REACHES`. `models_tell` is False when
    its list of models says nothing about a key: it is public, or is asked for in another way. `asked` is the JSON of
    `verify`. `words` are lower-case names by which nearby text names the provider. `curated` is False for a host that
    was taken over from public lists and not checked by hand.
    """

    id: str
    name: str
    kind: str
    name_zh: str | None = None
    aggregator: bool = False
    shapes: tuple[KeyShape, ...] = ()
    env: tuple[str, ...] = ()
    env_admin: tuple[str, ...] = ()
    env_other: tuple[str, ...] = ()
    env_base_url: tuple[str, ...] = ()
    env_reused: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    host_patterns: tuple[str, ...] = ()
    more_hosts: tuple[str, ...] = ()
    base_urls: Mapping[str, tuple[str, ...]] = _NOTHING
    required_path: str | None = None
    models: Models = Models()
    auth: Auth = Auth()
    console_url: str | None = None
    usage_url: str | None = None
    limits_url: str | None = None
    revoke_url: str | None = None
    reach: tuple[str, ...] = ()
    models_tell: bool = True
    asked: str | None = None
    words: tuple[str, ...] = ()
    curated: bool = True

    @property
    def verify(self) -> Verify | None:
        """The harmless request that tells whether a key lives; built anew each time, for only `--verify` needs it."""
        if self.asked is None:
            return None
        import json  # noqa: PLC0415  # the catalogue read its cache with it

        return Verify(**_with_meanings(json.loads(self.asked)))

    def reach_of(self, shape: KeyShape | None = None) -> tuple[str, ...]:
        """What a key opens, of `REACHES`: the shape's own, else the provider's, else calls of models."""
        named = (shape.reach if shape is not None else ()) or self.reach or ("models",)
        manages = shape is not None and shape.manages and "keys" not in named
        return (*named, "keys") if manages else named

    @property
    def revoking(self) -> str | None:
        """Where a key is taken back, as far as anybody knows."""
        return self.revoke_url or self.console_url

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
        name = f"{self.id}_API_KEY".upper()
        short = name.removeprefix("RELAY_")
        return short if short.isidentifier() else name

    @property
    def variable_of_calls(self) -> str:
        """The variable whose key is for model calls and no more."""
        return next((name for name in self.env if name not in self.env_admin and name.isidentifier()), self.variable)

    def label(self, lang: str = "en") -> str:
        """The name for a person who reads `lang`."""
        return self.name_zh if lang == "zh" and self.name_zh else self.name


class Beside(NamedTuple):
    """The time limit that holds by default with a release of a `package` that is older than `below`.

    `default` is in seconds; without it nobody knows. An explicit None means the same.
    """

    package: str
    below: str
    default: float | None = None


class Timeout(NamedTuple):
    """How long a client waits: where a limit is given, in which unit, and what holds without one.

    `params` are arguments of the constructor (or of the one call there is), `call_params` of each call; `a.b` is the
    member `b` of what `a` is given: a dictionary's entry, a settings object's argument. `settings` are module
    attributes, `env` variables. `default` is in seconds, whatever the unit of the arguments; `endless` says that there
    is no limit at all; with neither, nobody knows. `none` and `call_none` tell what an explicit None means:
    `endless`, `default`, `error`, or `client` (a call keeps the client's limit). `endless_calls` are methods that no
    limit bounds, not the client's either. `zero` says that a 0 means no limit. `remedy` is the code that sets one,
    `needs` are the dotted names of what that code names, and `since` is the first release that has the argument.
    `beside` is what holds with an older release of the package that the client hands its limit on to.
    """

    params: tuple[str, ...] = ()
    call_params: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    unit: str = "s"
    default: float | None = None
    endless: bool = False
    none: str = "endless"
    call_none: str = "endless"
    endless_calls: tuple[str, ...] = ()
    zero: bool = False
    remedy: str = ""
    needs: tuple[str, ...] = ()
    since: str = ""
    beside: Beside | None = None

    def among(self, versions: Mapping[str, str]) -> "Timeout":
        """Give what holds with the releases that a project asks for."""
        beside = self.beside
        version = versions.get(beside.package) if beside is not None else None
        if beside is None or version is None or not before(version, beside.below):
            return self
        return self._replace(default=beside.default, endless=False, none="default")


class OwnRetry(NamedTuple):
    """Methods that an SDK repeats otherwise than the rest when nobody says how often; `attempts` as in `Retry`."""

    methods: tuple[str, ...] = ()
    attempts: int | None = None
    on: tuple[str, ...] = ()


class Retry(NamedTuple):
    """How often a client sends one request: where that is set, what the number counts, and what holds without it.

    `counts` is `retries` (after the first attempt), `attempts` (the first included) or `time`; `attempts` is what one
    call sends by default, the first included, None when it is bounded by time or unknown. `on` lists what is repeated:
    statuses, `5xx`, `connection`, `timeout`. `backoff` tells that the pauses grow, `none` what an explicit None means:
    `default`, `off` or `error`. `never` are methods that are sent once all the same, `own` those that are repeated by
    default otherwise than the rest. `remedy` is the code that turns retries on; `needs` and `since` are as for a time
    limit.
    """

    params: tuple[str, ...] = ()
    call_params: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    counts: str = "retries"
    attempts: int | None = None
    on: tuple[str, ...] = ()
    backoff: bool = True
    none: str = "default"
    never: tuple[str, ...] = ()
    own: OwnRetry | None = None
    remedy: str = ""
    needs: tuple[str, ...] = ()
    since: str = ""


class Errors(NamedTuple):
    """The exception classes of an SDK by dotted name; `silent` means that a failed request raises nothing."""

    base: tuple[str, ...] = ()
    rate_limit: tuple[str, ...] = ()
    timeout: tuple[str, ...] = ()
    auth: tuple[str, ...] = ()
    connection: tuple[str, ...] = ()
    server: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    silent: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every class."""
        return (
            *self.base,
            *self.rate_limit,
            *self.timeout,
            *self.auth,
            *self.connection,
            *self.server,
            *self.other,
        )


class BasePath(NamedTuple):
    """What a client makes of its base URL.

    `appended` is the path that the most usual call adds. `version` is `needed` when the base must end with a version
    path, `added` when the client adds it itself (so that a base which has it doubles it), empty when both work.
    `doubled` are endings that come twice. `scheme` is False where a bare host belongs, and `bare` tells that one is
    taken too; `slash` says that the base needs a slash at its end, being joined blindly, and `slash_settings` are the
    module attributes that need one although the arguments do not. `params` are the arguments that this holds for, all
    of them when empty. `version_params` choose another version path than the one that is added. `empty` tells what an
    empty text gives: `default` (as if nothing was given) or `fails` (a request without a host); nothing when nobody
    knows.
    """

    appended: str = ""
    version: str = ""
    doubled: tuple[str, ...] = ()
    scheme: bool = True
    bare: bool = False
    slash: bool = False
    slash_settings: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    version_params: tuple[str, ...] = ()
    empty: str = ""


class Removed(NamedTuple):
    """Something an SDK no longer has: a `name` (and what lies below it), a `setting`, or the argument `param`.

    `of` are the dotted names of constructors and functions, or the methods as `methods` spells them, whose argument
    `param` was; empty means the SDK's constructors and calls alike. `since` is the first version without it, or the
    day on which an SDK at its `end_of_life` was given up; it is a version of `package`, when that is not the SDK's
    own. `effect` is `raises` or `ignored`; `instead` is the code that works now, `instead_zh` what Chinese says where
    that holds words. `rename` is the argument or setting that takes the same value today; a number times `factor`, a
    text with `ending` behind it.
    """

    since: str
    effect: str
    instead: str = ""
    instead_zh: str = ""
    name: str = ""
    setting: str = ""
    param: str = ""
    of: tuple[str, ...] = ()
    package: str = ""
    end_of_life: bool = False
    rename: str = ""
    factor: int = 1
    ending: str = ""


class Constructor(NamedTuple):
    """A class or factory that makes a client; what differs from the SDK's own facts, None where nothing does.

    `client_params` and `client_position` tell where it takes a client of some SDK, whose key, host, timeout and retries
    then hold (`instructor.from_openai`). What `sends` nothing only holds a key: a credential, a downloader, a login.
    """

    name: str
    sends: bool = True
    is_async: bool = False
    provider: str | None = None
    key_params: tuple[str, ...] | None = None
    key_position: int | None = None
    base_url_params: tuple[str, ...] | None = None
    base_url_position: int | None = None
    env: tuple[str, ...] | None = None
    env_base_url: tuple[str, ...] | None = None
    base_url_default: str | None = None
    methods: tuple[str, ...] | None = None
    missing_key: str | None = None
    model_params: tuple[str, ...] | None = None
    model_position: int | None = None
    timeout: Timeout | None = None
    retry: Retry | None = None
    path: BasePath | None = None
    client_params: tuple[str, ...] = ()
    client_position: int | None = None


class Call(NamedTuple):
    """A function that takes a key or sends a request itself; if it `sends` nothing, it only keeps the key."""

    name: str
    sends: bool = True
    key_params: tuple[str, ...] = ("api_key",)
    key_position: int | None = None
    base_url_params: tuple[str, ...] = ()
    is_async: bool = False
    provider: str | None = None
    model_params: tuple[str, ...] | None = None
    model_position: int | None = None
    timeout: Timeout | None = None
    retry: Retry | None = None
    path: BasePath | None = None


class Major(NamedTuple):
    """What differs in the releases below a version: whole tables that stand in for the newest release's."""

    below: str
    timeout: Timeout | None = None
    retry: Retry | None = None
    path: BasePath | None = None
    errors: Errors | None = None
    base_url_default: str | None = None
    env: tuple[str, ...] | None = None


class Route(NamedTuple):
    """What an SDK that serves many providers does for a model id with this `prefix` (`anthropic/`).

    `env` are the variables it reads for the key, in order, `attempts` what one call sends by default, the first
    included; None when that is not known.
    """

    prefix: str
    provider: str | None = None
    env: tuple[str, ...] = ()
    env_base_url: tuple[str, ...] = ()
    base_url_default: str | None = None
    attempts: int | None = None


_MAJOR_PARTS = ("timeout", "retry", "path", "errors", "base_url_default", "env")


class Sdk(NamedTuple):
    """A client library: its names, where key, base URL, timeout, retries and model go, and what it reads itself.

    `methods` are the calls that send a request, as they are spelt after a client (`chat.completions.create`);
    `distinctive` those that tell by themselves that a model is called. `derive` are methods that give the same client
    with other settings, `clients` attributes and methods that give a part of it that sends requests under names of its
    own (`aio`, `chats.create`: its methods stand in `methods` as `chats.create().send_message`). `http_params` take an
    HTTP client; False for one of `verify_params` switches certificate checks off. `missing_key` tells what happens
    without a key: `raises`, `anonymous` (a request without one, or with a stand-in) or `fallback` (the variables of
    others in `env_fallback` are sent), and `empty_key` that an empty text `fails` only when a request is sent.
    `forgives` is what it takes away from a key by itself: `space`, `scheme`. `env_at_import` are variables that are
    read once, when the package is imported. `closed_unheld` says that a client nothing holds is closed before its call
    is sent. `routes` are model prefixes that choose a provider, `routes_of` another SDK whose prefixes hold here.
    `verified` is the version whose defaults a test holds against the real package.
    """

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
    base_url_position: int | None = None
    header_params: tuple[str, ...] = ()
    http_params: tuple[str, ...] = ()
    verify_params: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    env_base_url: tuple[str, ...] = ()
    base_url_default: str | None = None
    hosts: tuple[str, ...] = ()
    header: str | None = None
    version: str | None = None
    verified: str | None = None
    methods: tuple[str, ...] = ()
    distinctive: tuple[str, ...] = ()
    async_methods: tuple[str, ...] = ()
    derive: tuple[str, ...] = ()
    model_params: tuple[str, ...] = ("model",)
    model_position: int | None = None
    payload_params: tuple[str, ...] = ()
    stream_params: tuple[str, ...] = ()
    missing_key: str = ""
    empty_key: str = ""
    forgives: tuple[str, ...] = ()
    env_fallback: tuple[str, ...] = ()
    env_at_import: tuple[str, ...] = ()
    closed_unheld: bool = False
    routes: tuple[Route, ...] = ()
    routes_of: str | None = None
    timeout: Timeout | None = None
    retry: Retry | None = None
    path: BasePath | None = None
    errors: Errors = Errors()
    removed: tuple[Removed, ...] = ()
    majors: tuple[Major, ...] = ()

    def at(self, version: str | None) -> "Sdk":
        """Give the SDK as it is in a version: its older majors stand in for the newest; None means the newest."""
        if version is None:
            return self
        older = [major for major in self.majors if before(version, major.below)]
        changed: dict[str, Any] = {}
        # From the newest of them down: what an older one does not say is as in the one above it.
        for major in sorted(older, key=lambda major: order(major.below) or (), reverse=True):
            changed |= {name: value for name in _MAJOR_PARTS if (value := getattr(major, name)) is not None}
        return self._replace(**changed) if changed else self


class HttpClient(NamedTuple):
    """An HTTP library: the calls that send a request, and the arguments that matter.

    `sessions` make an object whose `methods` send requests; `async_sessions` are those whose calls are awaited.
    `requests` make a request that is sent later, by a call whose URL argument it is; they take the URL like a call.
    `timeout.params` belong to a session's constructor and `timeout.call_params` to each request, at `timeout_position`
    of a function in `calls`. `verify_params` switch certificate checks off with False (or with what `insecure` names),
    and `insecure` are calls that give a context without them. `status_raises` tells that a bad status raises by itself.
    `prepares` are those of `calls` and `methods` that send nothing yet, `unbounded` take no time limit; `adapters` are
    transports that leave a request's time limit alone, while any other that is mounted may set one.
    """

    id: str
    imports: tuple[str, ...]
    calls: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    async_sessions: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    prepares: tuple[str, ...] = ()
    unbounded: tuple[str, ...] = ()
    adapters: tuple[str, ...] = ()
    url_params: tuple[str, ...] = ("url",)
    url_position: int | None = 0
    url_position_verb: int | None = None
    headers_params: tuple[str, ...] = ("headers",)
    headers_position: int | None = None
    query_params: tuple[str, ...] = ("params",)
    auth_params: tuple[str, ...] = ("auth",)
    body_params: tuple[str, ...] = ("json", "data")
    base_url_params: tuple[str, ...] = ()
    timeout: Timeout | None = None
    timeout_position: int | None = None
    retry: Retry | None = None
    errors: Errors = Errors()
    verify_params: tuple[str, ...] = ()
    status_raises: bool = False


class TimeLimit(NamedTuple):
    """A class that holds time limits (`httpx.Timeout`): the arguments that bound a wait for an answer, best first.

    `params` by name, the first that is given counts; `position` is that of the one that may stand without a name, None
    where there is none. `also` bound the wait too. `unit` is that of the numbers, `default` what the object gives when
    none of them is set: seconds, or None for no limit. `zero` says that a 0 means no limit.
    """

    names: tuple[str, ...]
    params: tuple[str, ...]
    also: tuple[str, ...] = ()
    position: int | None = 0
    unit: str = "s"
    default: float | None = None
    zero: bool = False


class Http(NamedTuple):
    """`http.toml`: HTTP libraries, the objects that hold their time limits, and what switches TLS checks off.

    `insecure` are calls whose result checks no certificate, `insecure_settings` attributes that switch checks off when
    they are set to False or to a name in `insecure_values`; `global_timeouts` are calls that give every socket a limit,
    `bounds` those that end what they are given, or what stands in their `with` or under them as a decorator;
    `insecure_env` are variables with the value that switches checks off (`NAME=0`); `removed` are arguments that these
    libraries no longer have.
    """

    clients: tuple[HttpClient, ...] = ()
    limits: tuple[TimeLimit, ...] = ()
    insecure: tuple[str, ...] = ()
    insecure_settings: tuple[str, ...] = ()
    insecure_values: tuple[str, ...] = ()
    insecure_env: tuple[str, ...] = ()
    global_timeouts: tuple[str, ...] = ()
    removed: tuple[Removed, ...] = ()
    bounds: tuple[str, ...] = ()


class RetryTool(NamedTuple):
    """Something that repeats calls: a decorator, a class whose objects do, an adapter, a method of a client.

    `names` are dotted names, `methods_of_calls` methods that tell by themselves; `handed` says that its first argument
    is the function to repeat, `call_methods` are those of its objects that are given one. Of each limit it says where
    it is given: `attempts_*` (counting as `counts` says), `time_*`, `stop_*` (a part, see RetryPart), `wait_*` (a
    part), `delay_*` (a number in `unit`), `growth_*` (a number; above `growth_from` the pauses grow), `interval_*`
    (the number of a part that is only named), `catch_*` (classes, or a part), `looks_params` (something that looks at
    the error), `inner_*` (another tool that decides). `attempts`, `is_timed`, `delay` and `catches` hold without any:
    no attempts and no time is for ever. `delay` is `none`, `fixed`, `growing` or `unknown`, `catches` is `all`,
    `transient`, `status`, `connection` or `none`. `raised_in` are the packages that raise what it repeats by default,
    where those are known. `methods` and `statuses` are the verbs and statuses it repeats by default. `kind` is how it
    comes to be on a call's way: empty (decorator, loop, or given the function), `adapter`, `transport` or `setting`.
    The remedies are code, and `needs` the dotted names of what that code names.
    """

    id: str
    imports: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    methods_of_calls: tuple[str, ...] = ()
    handed: bool = False
    call_methods: tuple[str, ...] = ()
    attempts_params: tuple[str, ...] = ()
    attempts_position: int | None = None
    counts: str = "attempts"
    time_params: tuple[str, ...] = ()
    stop_params: tuple[str, ...] = ()
    stop_position: int | None = None
    wait_params: tuple[str, ...] = ()
    wait_position: int | None = None
    delay_params: tuple[str, ...] = ()
    delay_position: int | None = None
    growth_params: tuple[str, ...] = ()
    growth_position: int | None = None
    growth_from: float = 0
    interval_params: tuple[str, ...] = ()
    unit: str = "s"
    catch_params: tuple[str, ...] = ()
    catch_position: int | None = None
    looks_params: tuple[str, ...] = ()
    inner_params: tuple[str, ...] = ()
    inner_position: int | None = None
    attempts: int | None = None
    is_timed: bool = False
    delay: str = "unknown"
    catches: str = "transient"
    raised_in: tuple[str, ...] = ()
    methods_params: tuple[str, ...] = ()
    methods: tuple[str, ...] | None = None
    statuses_params: tuple[str, ...] = ()
    statuses: tuple[int, ...] | None = None
    kind: str = ""
    remedy_wait: str = ""
    remedy_stop: str = ""
    remedy_catch: str = ""
    remedy_methods: str = ""
    remedy_statuses: str = ""
    needs: tuple[str, ...] = ()


class RetryPart(NamedTuple):
    """A piece that a tool's limits and pauses are made of: see `retry.toml` for its kinds."""

    kind: str
    names: tuple[str, ...]
    params: tuple[str, ...] = ()
    position: int | None = 0
    default: float | None = None


class Retrying(NamedTuple):
    """`retry.toml`: the tools that repeat calls, their parts, and the words of loops written by hand."""

    tools: tuple[RetryTool, ...] = ()
    parts: tuple[RetryPart, ...] = ()
    attempt_words: tuple[str, ...] = ()
    helper_words: tuple[str, ...] = ()
    wait_words: tuple[str, ...] = ()
    sleeps: tuple[str, ...] = ()
    exits: tuple[str, ...] = ()
    input_calls: tuple[str, ...] = ()
    input_methods: tuple[str, ...] = ()
    polling_methods: tuple[str, ...] = ()
    status_names: tuple[str, ...] = ()
    quota_texts: tuple[str, ...] = ()
    wait_texts: tuple[str, ...] = ()
    limiters: tuple[str, ...] = ()
    own_errors: tuple[str, ...] = ()
    foreign_errors: tuple[str, ...] = ()


class Reader(NamedTuple):
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


class Writer(NamedTuple):
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


class SettingsClass(NamedTuple):
    """A class whose fields are read from the environment, and the calls that describe a field.

    `factory_calls` take, as `factory_keyword`, a function that gives the default when an object is made.
    """

    id: str
    bases: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    field_calls: tuple[str, ...] = ()
    default_position: int | None = None
    default_keywords: tuple[str, ...] = ("default",)
    env_keywords: tuple[str, ...] = ()
    reads_env: bool = False
    factory_keyword: str | None = None
    factory_calls: tuple[str, ...] = ()


class OptionDefiner(NamedTuple):
    """A call that defines a command-line option: where its default and its environment variable stand.

    `rewrite` is how a fix reads the default: an `optional` read, a plain `read`, a `variable` that the option reads by
    itself, or `required` with a variable; the latter two only without a keyword of `plain_without`.
    """

    id: str
    imports: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    name_positions: tuple[int, ...] = (0,)
    default_position: int | None = None
    default_keywords: tuple[str, ...] = ("default",)
    env_keywords: tuple[str, ...] = ()
    rewrite: str = "read"
    plain_without: tuple[str, ...] = ()


class Form(NamedTuple):
    """How a fix writes the read of one value: see `rules/env.toml`."""

    id: str
    place: str
    place_zh: str
    expression: str
    imports: tuple[str, ...] = ()
    optional: str | None = None
    environment: bool = False
    helper: str | None = None


class Precedence(NamedTuple):
    """Two variables for one thing: when both are set, `reader` takes `wins` and says nothing about `over`."""

    wins: str
    over: str
    reader: str


class Loading(NamedTuple):
    """What fills the environment from the env file in a program: the distribution that brings it, and the function."""

    package: str
    function: str


class EnvAccess(NamedTuple):
    """How code reads values, writes them, and declares settings and options.

    `environs` are the whole environment, `loaders` fill it from a file, `loading` is what a fix writes for that,
    `file_reads` give a file's text with the line end that editors put behind it. `precedences` are the pairs of
    variables of which one silently wins.
    """

    readers: tuple[Reader, ...] = ()
    writers: tuple[Writer, ...] = ()
    settings_classes: tuple[SettingsClass, ...] = ()
    options: tuple[OptionDefiner, ...] = ()
    forms: tuple[Form, ...] = ()
    precedences: tuple[Precedence, ...] = ()
    environs: tuple[str, ...] = ()
    loaders: tuple[str, ...] = ()
    loading: Loading | None = None
    file_reads: tuple[str, ...] = ()
    unwrap_methods: tuple[str, ...] = ()


class Sink(NamedTuple):
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


class Sinks(NamedTuple):
    """Where values are shown, and what masks them first."""

    sinks: tuple[Sink, ...] = ()
    mask_calls: tuple[str, ...] = ()
    mask_methods: tuple[str, ...] = ()
    mask_words: tuple[str, ...] = ()
    max_slice: int = 8
    wrappers: tuple[str, ...] = ()


class Together(NamedTuple):
    """What starts one thing for each item: `gather` waits for all it is given, `spawn` starts an awaitable.

    `hand_methods` start a function they are given; `threads` are classes of threads, their function at `thread_params`.
    """

    gather: tuple[str, ...] = ()
    spawn: tuple[str, ...] = ()
    spawn_methods: tuple[str, ...] = ()
    hand_methods: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    thread_params: tuple[str, ...] = ()


class Pool(NamedTuple):
    """Workers that share what they are given; `params` say how many, `methods` take the function first."""

    names: tuple[str, ...]
    methods: tuple[str, ...]
    params: tuple[str, ...] = ()
    position: int | None = None


class Limiters(NamedTuple):
    """What lets only so many through: by name, by a word in its name, by the method that is asked to pass.

    `batches` are words for a part of a longer row, `batching` what gives such parts, `few` ends of names of rows that
    are short; `connection_params` tell an HTTP client how many connections it may open.
    """

    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    batching: tuple[str, ...] = ()
    few: tuple[str, ...] = ()
    connection_params: tuple[str, ...] = ()


class Blocking(NamedTuple):
    """What holds a thread; `instead` is what lets others run, when it is awaited."""

    sleep: tuple[str, ...] = ()
    instead: str = ""


class Handlers(NamedTuple):
    """What runs once for each request: functions by their decorator, methods by their class, functions handed over."""

    methods: tuple[str, ...] = ()
    receivers: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    base_methods: tuple[str, ...] = ()
    takers: tuple[str, ...] = ()
    taker_params: tuple[str, ...] = ()
    taker_position: int | None = None


class Kept(NamedTuple):
    """Decorators that keep what a function made, by name or by a word in it."""

    decorators: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


class Short(NamedTuple):
    """What keeps a conversation short (words in names, methods of a list), and what measures a payload.

    `params` name the payload in a request's body; `reads` give a whole file, `encoders` make text of bytes.
    """

    words: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    encoders: tuple[str, ...] = ()


class Running(NamedTuple):
    """`running.toml`: how code runs things at once, behind limits, for each request, once, or in the way of others."""

    together: Together = Together()
    pools: tuple[Pool, ...] = ()
    limit: Limiters = Limiters()
    blocking: Blocking = Blocking()
    handler: Handlers = Handlers()
    kept: Kept = Kept()
    short: Short = Short()


class LocalValue(NamedTuple):
    """A value that servers on one's own machine ask for or ignore."""

    value: str
    what: str


class Placeholders(NamedTuple):
    """Stand-ins for a key: exact values and words compare in lower case; patterns are RE2-valid and searched.

    `asks` are those of `words` that ask the reader for a key, where the others make up a dummy. `references` begin
    texts that some library turns into a key by itself.
    """

    values: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    fillers: tuple[str, ...] = ()
    local: tuple[LocalValue, ...] = ()


class Lookalike(NamedTuple):
    """A form that is no key although a prefix matches: patterns of the whole token, RE2-valid."""

    id: str
    what: str
    patterns: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()


class Words(NamedTuple):
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


class ModelFamily(NamedTuple):
    """A family of model ids: an anchored pattern, its owner and the providers that serve it first-hand."""

    id: str
    pattern: str
    owner: str | None = None
    open_weights: bool = False
    served_by: tuple[str, ...] = ()


class Example(NamedTuple):
    """A piece of code that is documentation and test at once; without `lines` it must stay quiet.

    Keys are written `<openai-key>` and filled in when a test runs.
    """

    source: str
    filename: str = "example.py"
    lines: tuple[int, ...] = ()
    messages: tuple[str, ...] = ()
    fixed: str | None = None
    why: str = ""
    options: Mapping[str, Any] = _NOTHING


class Case(NamedTuple):
    """A case of a rule with words, severity or confidence of its own; None means the rule's."""

    id: str
    severity: Severity | None = None
    confidence: Confidence | None = None
    message: str | None = None
    message_zh: str | None = None
    remedy: str | None = None
    remedy_zh: str | None = None


class Docs(NamedTuple):
    """The page of a rule, `explain` and the SARIF help."""

    what: str
    why: str
    fix_safety: str = ""
    options: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


class Rule(NamedTuple):
    """A rule's words and defaults; `fixable` is derived from its examples."""

    id: str
    name: str
    severity: Severity
    confidence: Confidence
    message: str
    message_zh: str
    remedy: str = ""
    remedy_zh: str = ""
    docs: Docs = Docs("", "")
    docs_zh: Docs | None = None
    cases: Mapping[str, Case] = _NOTHING
    examples: tuple[Example, ...] = ()

    @property
    def fixable(self) -> bool:
        """Tell whether some example shows a fix."""
        return any(example.fixed is not None for example in self.examples)


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}


def flat(kind: type[T], data: Mapping[str, Any]) -> T:
    """Build a value whose fields are the keys of a table."""
    return kind(**_tuples(data))


def provider(data: Mapping[str, Any]) -> Provider:
    """Build a provider from its file."""
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
        plain["asked"] = plain.pop("verify")
    return Provider(**plain)


def verifying(data: Mapping[str, Any]) -> Verifying:
    """Build what holds for every host from `verify.toml`."""
    return Verifying(**_with_meanings(data))


def _with_meanings(data: Mapping[str, Any]) -> dict[str, Any]:
    plain = _tuples(data)
    plain["meanings"] = tuple(flat(Meaning, item) for item in plain.pop("answer", ()))
    return plain


def _shape(provider: str, data: dict[str, Any]) -> KeyShape:
    plain = _tuples(data)
    plain["confidence"] = Confidence[plain.get("confidence", "high").upper()]
    return KeyShape(id=f"{provider}/{plain['name']}", provider=provider, **plain)


_PARTS: Mapping[str, type] = {
    "timeout": Timeout,
    "retry": Retry,
    "path": BasePath,
    "errors": Errors,
    "own": OwnRetry,
    "beside": Beside,
}


_TABLES = frozenset({"constructor", "call", "route", "removed", "major"})


def _with_parts(kind: type[T], data: Mapping[str, Any]) -> T:
    """Build a value some of whose fields are tables of their own."""
    plain = _tuples(data)
    for name, part in _PARTS.items():
        if isinstance(plain.get(name), dict):  # the errors have a `timeout` that is a list
            plain[name] = _with_parts(part, plain[name])
    return kind(**plain)


def sdk(data: Mapping[str, Any]) -> Sdk:
    """Build an SDK from its file."""
    plain = dict(data)
    return _with_parts(
        Sdk,
        {
            **{key: value for key, value in plain.items() if key not in _TABLES},
            "constructors": [_with_parts(Constructor, item) for item in plain.get("constructor", ())],
            "calls": [_with_parts(Call, item) for item in plain.get("call", ())],
            "routes": [flat(Route, item) for item in plain.get("route", ())],
            "removed": [flat(Removed, item) for item in plain.get("removed", ())],
            "majors": [_with_parts(Major, item) for item in plain.get("major", ())],
        },
    )


def http(data: Mapping[str, Any]) -> Http:
    """Build `http.toml`."""
    tls = data.get("tls", {})
    return Http(
        clients=tuple(_with_parts(HttpClient, item) for item in data["client"]),
        limits=tuple(flat(TimeLimit, item) for item in data.get("limit", ())),
        insecure=tuple(tls.get("insecure", ())),
        insecure_settings=tuple(tls.get("settings", ())),
        insecure_values=tuple(tls.get("values", ())),
        insecure_env=tuple(tls.get("env", ())),
        global_timeouts=tuple(data.get("global_timeouts", ())),
        removed=tuple(flat(Removed, item) for item in data.get("removed", ())),
        bounds=tuple(data.get("bounds", ())),
    )


def retrying(data: Mapping[str, Any]) -> Retrying:
    """Build `retry.toml`."""
    plain = _tuples(data)
    return Retrying(
        tools=tuple(flat(RetryTool, item) for item in plain.pop("tool")),
        parts=tuple(flat(RetryPart, item) for item in plain.pop("part")),
        **plain,
    )


def rule(data: Mapping[str, Any]) -> Rule:
    """Build a rule from its file."""
    plain = _tuples(data)
    cases = plain.pop("case", {})
    examples = plain.pop("example", ())
    plain["severity"] = Severity[plain["severity"].upper()]
    plain["confidence"] = Confidence[plain["confidence"].upper()]
    plain["docs"] = Docs(**_tuples(plain["docs"]))
    if "docs_zh" in plain:
        plain["docs_zh"] = Docs(**_tuples(plain["docs_zh"]))
    return Rule(
        cases=MappingProxyType({name: _case(name, case, cases) for name, case in cases.items()}),
        examples=tuple(flat(Example, item) for item in examples),
        **plain,
    )


def _case(name: str, data: dict[str, Any], cases: Mapping[str, dict[str, Any]]) -> Case:
    """Build a case; one that is `like` another has what it does not say itself from there."""
    plain = {**cases[data["like"]], **data} if "like" in data else dict(data)
    plain.pop("like", None)
    if "severity" in plain:
        plain["severity"] = Severity[plain["severity"].upper()]
    if "confidence" in plain:
        plain["confidence"] = Confidence[plain["confidence"].upper()]
    return Case(id=name, **plain)


def env_access(data: Mapping[str, Any]) -> EnvAccess:
    """Build `env.toml`."""
    return EnvAccess(
        readers=tuple(flat(Reader, item) for item in data["reader"]),
        writers=tuple(flat(Writer, item) for item in data["writer"]),
        settings_classes=tuple(flat(SettingsClass, item) for item in data["settings_class"]),
        options=tuple(flat(OptionDefiner, item) for item in data["option"]),
        forms=tuple(flat(Form, item) for item in data["form"]),
        precedences=tuple(flat(Precedence, item) for item in data["precedence"]),
        environs=tuple(data["environs"]),
        loaders=tuple(data["loaders"]),
        loading=flat(Loading, data["loading"]),
        file_reads=tuple(data["file_reads"]),
        unwrap_methods=tuple(data["unwrap_methods"]),
    )


def sinks(data: Mapping[str, Any]) -> Sinks:
    """Build `sinks.toml`."""
    mask = data["mask"]
    return Sinks(
        sinks=tuple(flat(Sink, item) for item in data["sink"]),
        mask_calls=tuple(mask["calls"]),
        mask_methods=tuple(mask["methods"]),
        mask_words=tuple(mask["words"]),
        max_slice=mask["max_slice"],
        wrappers=tuple(mask["wrappers"]),
    )


def running(data: Mapping[str, Any]) -> Running:
    """Build `running.toml`."""
    return Running(
        together=flat(Together, data["together"]),
        pools=tuple(flat(Pool, item) for item in data["pool"]),
        limit=flat(Limiters, data["limit"]),
        blocking=flat(Blocking, data["blocking"]),
        handler=flat(Handlers, data["handler"]),
        kept=flat(Kept, data["kept"]),
        short=flat(Short, data["short"]),
    )


def placeholders(data: Mapping[str, Any]) -> Placeholders:
    """Build `placeholders.toml`."""
    return Placeholders(
        values=frozenset(value.lower() for value in data["values"]),
        words=tuple(data["words"]),
        asks=tuple(data["asks"]),
        references=tuple(data["references"]),
        patterns=tuple(data["patterns"]),
        fillers=tuple(data["fillers"]),
        local=tuple(flat(LocalValue, item) for item in data["local"]),
    )
