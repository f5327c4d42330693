"""Which environment variable a key gets: its own, the project's, its host's; two keys never share one."""

from __future__ import annotations

import ipaddress
import os
import re

from keyguard.patterns import regex
from keyguard.source import is_env_file, is_env_template
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import NoReturn

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import Provider
    from keyguard.model import Secret

# os.path and not pathlib: pathlib costs 8 ms at start, and the engine makes a Naming for each run.
# ruff: noqa: PTH113, PTH114, PTH118, PTH123, PTH208

LAST_RESORT = "API_KEY"
_NAME = regex(r"[A-Z_][A-Z0-9_]{0,99}")
# Second levels below which registries hand out names, such as `co.uk` and `com.cn`.
_SECOND_LEVELS = frozenset({"ac", "co", "com", "edu", "gov", "net", "org"})
_SUFFIX = "_API_KEY"
RESELLERS = frozenset({"relay", "gateway", "aggregator"})  # whoever gets a vendor's key here can spend it
_MOST_FILES = 64  # files that may name variables; a project has a handful
_MOST_BYTES = 256 << 10
_FOLDERS = (".github/workflows", ".circleci", "ci", "config", "deploy", "docker", "scripts", ".devcontainer")
_SHELL = (".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd", ".yml", ".yaml", ".env")
_NAMED = frozenset({"dockerfile", "makefile", "justfile", "procfile", ".envrc", ".flaskenv"})
# `NAME=value` with what may stand in front of it in shells, Dockerfiles, compose and CI files; `NAME: value` in YAML.
_LINE = regex(
    r"^[ \t]*(?:-[ \t]+)?(?:(?:export|set|setx|ENV|ARG|env)[ \t]+)?(?:\$env:)?[\"']?"
    r"(?P<name>[A-Z][A-Z0-9_]{2,99})[\"']?[ \t]*(?:=|:(?=[ \t]|$))[ \t]*(?P<value>[^\r\n]{0,8192})",
    re.MULTILINE,
)


class Wish(NamedTuple):
    """What is known about a key that wants a name.

    `own` is the variable it is written to or read from; with `fixed` that name is right whatever else is known.
    `hosts` are those it is sent to, `provider` is whose key it looks like, `defaults` are the variables that the SDK it
    is given to reads by itself.
    """

    own: str | None = None
    hosts: tuple[str, ...] = ()
    provider: str | None = None
    defaults: tuple[str, ...] = ()
    fixed: bool = False


class Variables:
    """The variables that a project's env, shell and CI files name, read when first asked for; values stay inside."""

    __slots__ = ("_root", "_values")

    def __init__(self, root: str) -> None:
        """Look below a folder."""
        self._root = root
        self._values: dict[str, list[str]] | None = None

    def __repr__(self) -> str:
        """Show no value."""
        return f"Variables({self._root!r})"

    def __reduce__(self) -> tuple[type[Variables], tuple[str]]:
        """Leave what was read behind."""
        return Variables, (self._root,)

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(sorted(self._read()))

    def holds(self, name: str, value: str) -> bool | None:
        """Tell whether a variable is set to this value; None if no file gives it one."""
        values = [held for held in self._read().get(name, ()) if held]
        return value in values if values else None

    def name_of(self, value: str) -> str | None:
        """The variable that is set to this value, the first by name."""
        return next((name for name in self.names if value in self._read()[name]), None)

    def _read(self) -> dict[str, list[str]]:
        if self._values is None:
            self._values = {}
            for path in self._files():
                for name, value in self._lines(path):
                    self._values.setdefault(name, []).append(value)
        return self._values

    def _lines(self, path: str) -> Iterator[tuple[str, str]]:
        try:
            with open(os.path.join(self._root, path), "rb") as file:
                text = file.read(_MOST_BYTES).decode("utf-8", "replace")
        except OSError:
            return
        is_template = is_env_template(path)
        for match in _LINE.finditer(text):
            yield match["name"], "" if is_template else _plain(match["value"])

    def _files(self) -> Iterator[str]:
        """The files that may name variables: those of the project's root and of a few folders, no link among them."""
        found = 0
        for folder in ("", *_FOLDERS):
            try:
                entries = sorted(os.listdir(os.path.join(self._root, folder)))
            except OSError:
                continue
            for name in entries:
                path = os.path.join(folder, name)
                if not (_names_variables(name) or is_env_file(path)) or found >= _MOST_FILES:
                    continue
                full = os.path.join(self._root, path)
                if os.path.isfile(full) and not os.path.islink(full):
                    found += 1
                    yield path


def _names_variables(name: str) -> bool:
    lowered = name.lower()
    return lowered.endswith(_SHELL) or lowered in _NAMED or lowered.startswith("dockerfile.")


def _plain(value: str) -> str:
    """A value without its quotes or the comment behind it; empty when it comes from elsewhere (`$X`, `${{ … }}`)."""
    value = value.strip()
    if value[:1] in {"'", '"'}:
        return value[1:].partition(value[0])[0]
    return "" if value.startswith("$") else re.split(r"[ \t]#", value, maxsplit=1)[0].strip()


class Naming:
    """Names keys: the same key gets the same name, another key another one (`_2`, `_3`).

    A check has one for each file, a fix one for the run. `held` gives what the key store holds under a name, `name_of`
    the name under which it holds a value; `by_host` are the project's own names for hosts, `variables` what its files
    name. Nothing of a value can be seen from outside.
    """

    __slots__ = ("_by_host", "_catalogue", "_held", "_name_of", "_names", "_values", "_variables")

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        by_host: Mapping[str, str] | None = None,
        variables: Variables | None = None,
        held: Callable[[str], str | None] | None = None,
        name_of: Callable[[str], str | None] | None = None,
    ) -> None:
        """Begin an empty ledger."""
        self._catalogue = catalogue
        self._by_host = {host.lower(): name for host, name in (by_host or {}).items()}
        self._variables = variables
        self._held = held
        self._name_of = name_of
        self._names: dict[str, str] = {}  # value to name
        self._values: dict[str, str] = {}  # name to value

    def __repr__(self) -> str:
        """Show the names given and no value."""
        return f"Naming({sorted(self._values)})"

    def __reduce__(self) -> NoReturn:
        """Refuse pickling: it holds keys."""
        msg = "a Naming never leaves the process that made it"
        raise TypeError(msg)

    def name(self, secret: Secret, wish: Wish) -> str:
        """The variable that a key is stored under: always the same one for the same key."""
        value = secret.value
        known = self._names.get(value)
        if known is not None:
            return known
        name = self._free(self._wished(value, wish), value)
        self._names[value] = name
        self._values[name] = value
        return name

    def _free(self, name: str, value: str) -> str:
        """The name, or the first `name_2`, `name_3` … that holds no other value."""
        number, tried = 1, name
        while not self._can_take(tried, value):
            number += 1
            tried = f"{name}_{number}"
        return tried

    def _can_take(self, name: str, value: str) -> bool:
        if self._values.get(name, value) != value:
            return False
        held = self._held(name) if self._held is not None else None
        if held is not None:
            return held == value
        return self._variables is None or self._variables.holds(name, value) is not False

    def _wished(self, value: str, wish: Wish) -> str:
        """The name by the order of the rules: its own, what holds it, its host's, whose it looks like, the SDK's."""
        owner = self._owner(wish.hosts)
        if wish.own and _is_legal(wish.own) and (wish.fixed or self._may_be_sent(wish.own, owner, wish)):
            return wish.own
        for ask in (self._name_of, self._variables.name_of if self._variables is not None else None):
            known = ask(value) if ask is not None else None
            if known is not None and _is_legal(known):
                return known
        foreign = next((host for host in wish.hosts if _is_foreign(host)), None)
        if owner is not None:
            return self._named_by_project(owner) or self._set_for(wish.hosts) or owner.variable
        if foreign is not None:
            return self._set_for(wish.hosts) or self._of_unknown(foreign)
        provider = self._catalogue.providers.get(wish.provider or "")
        if provider is not None:
            return self._named_by_project(provider) or provider.variable
        return next(filter(_is_legal, wish.defaults), LAST_RESORT)

    def _owner(self, hosts: Iterable[str]) -> Provider | None:
        """Whose hosts these are; a server of one's own is nobody's."""
        return next(filter(None, map(self._catalogue.provider_of_host, filter(_is_foreign, hosts))), None)

    def _may_be_sent(self, own: str, owner: Provider | None, wish: Wish) -> bool:
        """Tell whether a key under this name may go where it goes: another's variable at a relay is the next leak."""
        owners = self._catalogue.providers_of_env(own)
        if not owners:
            return True
        if owner is None:
            return not any(map(_is_foreign, wish.hosts))
        return owner in owners or (own in owner.env_reused and owner.kind not in RESELLERS)

    def _set_for(self, hosts: Iterable[str]) -> str | None:
        """The name that the project's settings give a host, with or without its port."""
        for host in hosts:
            for name in (host, host.rsplit(":", 1)[0]):
                if name in self._by_host:
                    return self._by_host[name]
        return None

    def _named_by_project(self, owner: Provider) -> str | None:
        """The variable of a provider that the project's files name already."""
        if self._variables is None:
            return None
        names = self._variables.names
        return next((name for name in owner.env if name in names and _is_legal(name)), None)

    def _of_unknown(self, host: str) -> str:
        """A name made from a host that nobody knows: its registrable label, and never another provider's variable."""
        label, rest = _label(host)
        name = f"{label}{_SUFFIX}"
        if self._catalogue.providers_of_env(name):
            name = f"{label}_{rest}{_SUFFIX}"
        wanted = {name, f"{label}_KEY", f"{label}_TOKEN", f"{label}_API_TOKEN"}
        named = self._variables.names if self._variables is not None else ()
        mine = (one for one in named if one in wanted and not self._catalogue.providers_of_env(one))
        return next(mine, name)


def _is_legal(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _is_foreign(host: str) -> bool:
    """Tell whether a host lies outside: not this machine, nor a private address, nor a name without a dot."""
    bare = _bare(host)
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        local = (".local", ".internal", ".svc", ".localhost", ".lan", ".test", ".invalid", ".example")
        reserved = re.search(r"(?:^|\.)example\.(?:com|net|org)$", bare)  # RFC 2606: nobody answers there
        return (
            "." in bare and not reserved and not bare.endswith(local) and re.fullmatch(r"[a-z0-9.-]+", bare) is not None
        )
    return not (address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified)


def _bare(host: str) -> str:
    bare = host.rsplit(":", 1)[0] if host.count(":") == 1 else host
    return bare.strip("[]").rstrip(".").lower()


def _label(host: str) -> tuple[str, str]:
    """The label somebody registered, as part of a variable's name, and what is below which it was."""
    parts = _bare(host).split(".")
    if all(part.isdigit() for part in parts):
        return _word("_".join(parts)), "HOST"
    at = len(parts) - 2
    if at > 0 and parts[at] in _SECOND_LEVELS and len(parts[-1]) == 2:  # noqa: PLR2004  # a country's
        at -= 1
    at = max(at, 0)
    return _word(parts[at]), _word("_".join(parts[at + 1 :]))


def _word(text: str) -> str:
    word = re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_") or "HOST"
    return f"HOST_{word}" if word[0].isdigit() else word
