"""Which variables matter, who sends them, and where what they hold goes in this environment."""

from __future__ import annotations

from keyguard.doctor.records import Place
from keyguard.python.hosts import host_of, is_local_host, is_reserved_host
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keyguard.catalogue import Catalogue
    from keyguard.doctor.records import EnvFile, Environment, Setting
    from keyguard.inventory import Row
    from keyguard.knowledge import Constructor, Provider, Sdk

_NO_KEYS = frozenset({"gateway", "local"})  # kinds of providers that pass others' keys on, or take any
_NOBODYS = frozenset({"local", "own", "unknown"})  # routes to hosts that are answered for, or that nobody knows
_NO_URL = "_NAME"  # ends variables that name a part of a host, such as a resource


class Goal(NamedTuple):
    """Where a key goes: `provider` is None when nobody knows, `url` the base URL that a variable gives.

    `base` is that variable, `row` the code that sends it, `library` the SDK's id; all empty where no code is known.
    """

    host: str = ""
    provider: Provider | None = None
    route: str = "unknown"
    url: str = ""
    base: str = ""
    row: Row | None = None

    @property
    def answering(self) -> Provider | None:
        """Who answers there and has keys of its own: nobody at one's own hosts, and where others' keys go through."""
        if self.provider is None or self.route in _NOBODYS or self.provider.kind in _NO_KEYS:
            return None
        return self.provider

    @property
    def is_lenient(self) -> bool:
        """Whether any text can be right as a key there, as far as anybody knows."""
        return self.answering is None


class Held:
    """What is set in an environment: of several values the one that a program gets comes first."""

    __slots__ = ("_by_name", "_files")

    def __init__(self, environment: Environment) -> None:
        """Put the settings in the order in which they win; within a file the last line counts."""
        over = [file for file in environment.files if file.overrides]
        under = [file for file in environment.files if not file.overrides]
        self._by_name: dict[str, list[Setting]] = {}
        self._files: dict[str, EnvFile] = {file.path: file for file in environment.files}
        for settings in (
            *(reversed(file.settings) for file in over),
            environment.shell,
            *(reversed(file.settings) for file in under),
        ):
            for setting in settings:
                self._by_name.setdefault(setting.name, []).append(setting)

    def all(self, name: str) -> tuple[Setting, ...]:
        """Every setting of a variable, the one that counts first."""
        return tuple(self._by_name.get(name, ()))

    def first(self, name: str) -> Setting | None:
        """The setting that counts."""
        return next(iter(self._by_name.get(name, ())), None)

    def value(self, name: str) -> str:
        """What a program gets; empty when it is not set."""
        found = self.first(name)
        return found.value.value if found is not None else ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every variable that is set somewhere, in order."""
        return tuple(sorted(self._by_name))

    def file(self, place: Place) -> EnvFile | None:
        """The env file of a setting."""
        return self._files.get(place.path)


def watched(rows: Iterable[Row], catalogue: Catalogue) -> dict[str, str]:
    """The variables that matter and what each holds (`key` or `base_url`): the catalogue's and the code's."""
    kinds: dict[str, str] = {}
    for row in rows:
        kinds.update(dict.fromkeys(row.base_names, "base_url"))
    for sdk in catalogue.sdks.values():
        kinds.update(dict.fromkeys(_bases_of(sdk), "base_url"))
    for provider in catalogue.providers.values():
        kinds.update((name, "base_url") for name in provider.env_base_url if not name.endswith(_NO_URL))
    for sdk in catalogue.sdks.values():
        kinds.update(dict.fromkeys(sdk.env, "key"))
    for provider in catalogue.providers.values():
        kinds.update(dict.fromkeys(provider.env, "key"))
    for row in rows:
        if row.key.kind == "variable":
            kinds.update(dict.fromkeys(row.key.names, "key"))
    return kinds


def named(rows: Iterable[Row]) -> tuple[str, ...]:
    """The variables that code sends or takes a base URL from, in the order of the code."""
    names = (name for row in rows for name in (*(row.key.names if row.key.kind == "variable" else ()), *row.base_names))
    return tuple(dict.fromkeys(names))


def needs(rows: Iterable[Row], held: Held) -> dict[str, tuple[Place, ...]]:
    """The places of code that send each variable, or take a base URL from it; of several for one key the first set."""
    found: dict[str, dict[Place, None]] = {}
    for row in rows:
        sent = (chosen(row, held),) if row.key.kind == "variable" else ()
        for name in (*sent, *row.base_names):
            found.setdefault(name, {})[place_of(row)] = None
    return {name: tuple(places) for name, places in found.items()}


def place_of(row: Row) -> Place:
    """Where a connection is made."""
    return Place(row.path, row.line)


def chosen(row: Row, held: Held) -> str:
    """The variable whose key a connection sends: the first that is set, else the first it asks for."""
    return next((name for name in row.key.names if held.value(name)), row.key.names[0])


def goals_of(
    name: str, rows: Sequence[Row], held: Held, catalogue: Catalogue, trusted: Mapping[str, str]
) -> list[Goal]:
    """Where the key in a variable goes: as code sends it, else where its provider's variables point."""
    sending = [row for row in rows if row.key.kind == "variable" and chosen(row, held) == name]
    if sending:
        return [goal for row in sending for goal in _goals(row, held, catalogue, trusted)]
    owners = catalogue.providers_of_env(name)
    if len(owners) != 1:
        return []
    owner = owners[0]
    for base in owner.env_base_url:
        goal = _at(base, held, catalogue, trusted)
        if goal is not None:
            return [goal]
    return [Goal(next(iter(owner.hosts), ""), owner, "official")]


def _goals(row: Row, held: Held, catalogue: Catalogue, trusted: Mapping[str, str]) -> Iterator[Goal]:
    for base in bases_of(row, catalogue):
        goal = _at(base, held, catalogue, trusted)
        if goal is not None:
            yield goal._replace(row=row)
            return
    for peer in row.peers:
        provider = catalogue.providers.get(peer.provider or "")
        yield Goal(peer.host, provider, peer.route, row=row)
    if not row.peers:
        yield Goal(row=row)


def bases_of(row: Row, catalogue: Catalogue) -> tuple[str, ...]:
    """The variables that a connection takes its base URL from: those the code reads, else those its SDK looks for."""
    if row.base_names:
        return row.base_names
    sdk = catalogue.sdks.get(row.library)
    if sdk is None or any(peer.origin not in {"default", "unknown"} for peer in row.peers):
        return ()
    made = constructor_of(row, sdk)
    return made.env_base_url if made is not None and made.env_base_url is not None else sdk.env_base_url


def constructor_of(row: Row, sdk: Sdk) -> Constructor | None:
    """What the SDK's facts say of the client that a connection makes."""
    return next((item for item in sdk.constructors if item.name == row.name), None)


def _at(base: str, held: Held, catalogue: Catalogue, trusted: Mapping[str, str]) -> Goal | None:
    """Where a base URL's variable points; None when it is not set or names no host."""
    url = held.value(base).strip()
    host = host_of(url, "env", catalogue, trusted) if url else None
    if host is None:
        return None
    route = "local" if is_local_host(host.name) or is_reserved_host(host.name) else host.route
    return Goal(host.name, host.provider, route, url, base)


def _bases_of(sdk: Sdk) -> Iterator[str]:
    yield from sdk.env_base_url
    for made in sdk.constructors:
        yield from made.env_base_url or ()
