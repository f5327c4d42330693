"""What the doctor looks at and what it says: settings, env files, problems, a diagnosis; all frozen."""

from __future__ import annotations

from types import MappingProxyType

from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyguard.leaks import Verdict
    from keyguard.model import Secret

_NOTHING: Mapping[str, object] = MappingProxyType({})
ERRORS = ("400", "401", "402", "403", "404", "429", "timeout", "ssl", "connection")
"""What a failing model call shows: HTTP statuses, and what ends a request that no server answered."""
EXPLAINED = ERRORS[:-1]
"""Those with a page of their own; a connection error is what `timeout` explains too."""
KINDS = ("key", "base_url")
"""What a variable holds."""
LEVELS = ("problem", "note")
"""A problem makes model calls fail or a key leak, and decides on the exit code; a note does not."""


class Place(NamedTuple):
    """Where something is: a file as the user would type it, its line from 1 (0: the whole); no path: the shell."""

    path: str = ""
    line: int = 0


SHELL = Place()


class Setting(NamedTuple):
    """One variable set to one value, as a program gets it: from the shell as it is, from a file as loaders read it."""

    name: str
    value: Secret
    place: Place = SHELL


class Unread(NamedTuple):
    """A line of an env file that loaders do not take as it is meant: `kind` is form, value or quote."""

    name: str
    kind: str
    line: int


class EnvFile(NamedTuple):
    """An env file that a program would load, or that is there to be loaded.

    `is_loaded` says that code of the project loads it, `overrides` that it then wins over the shell. `status` is what
    git does with it (`tracked`, `staged`, `untracked`, `ignored`, `outside`), `is_open` that other users of the machine
    can read it, `served` the folder that web servers hand out and it lies in. `has_secrets` says that it holds
    credentials of any kind, `coding` is `bom` or `utf-16` where loaders stumble, `ends` is `crlf` for the line ends of
    Windows. `error` says why it could not be read.
    """

    path: str
    settings: tuple[Setting, ...] = ()
    unread: tuple[Unread, ...] = ()
    is_loaded: bool = False
    overrides: bool = False
    status: str = "outside"
    is_open: bool = False
    served: str = ""
    has_secrets: bool = False
    coding: str = ""
    ends: str = ""
    error: str = ""


class Named(NamedTuple):
    """A place that has to do with a variable which is not set.

    `kind` is code (which sets it), template (which names it) or elsewhere (a CI or compose file that sets it).
    """

    name: str
    kind: str
    place: Place


class Environment(NamedTuple):
    """What a program of the project would find.

    `shell` are the variables of this process that matter, `files` the env files, those that win first. `loads` says
    that code of the project loads env files. `named` are places of variables that are set nowhere, `others` the names
    of credentials that are set and that nobody asked for. `proxies` pair a variable with the scheme of its proxy,
    `missing_bundles` one with the path of certificates that is not there.
    """

    shell: tuple[Setting, ...] = ()
    files: tuple[EnvFile, ...] = ()
    loads: bool = False
    named: tuple[Named, ...] = ()
    others: tuple[str, ...] = ()
    proxies: tuple[tuple[str, str], ...] = ()
    missing_bundles: tuple[tuple[str, str], ...] = ()


class Problem(NamedTuple):
    """Something that is wrong: `kind` is a text of `lang.doctor`, `values` are what its words need.

    `flaw` is a text of `identify.` that completes the words. `variable` is what it is about, empty for a file or the
    whole; `leads` are those of `ERRORS` it leads to. Nothing in it is a key or a part of one.
    """

    kind: str
    variable: str = ""
    place: Place = SHELL
    values: Mapping[str, object] = _NOTHING
    leads: tuple[str, ...] = ()
    level: str = "problem"
    flaw: str = ""
    url: str | None = None


class Shown(NamedTuple):
    """One setting as it may be shown: a key's public prefix and its length, or a base URL without what may be secret.

    `state` is set, empty, placeholder or reference (the value lies elsewhere). `wins` says that it is the one that
    counts.
    """

    place: Place
    state: str = "set"
    prefix: str = ""
    length: int = 0
    url: str = ""
    wins: bool = True


class Variable(NamedTuple):
    """One variable: what it is for, where it is set, who needs it, and what came of asking the provider.

    `provider` is the id of whose key it is, or who answers at the base URL; `needed` are places of code that send it.
    """

    name: str
    kind: str
    provider: str | None = None
    settings: tuple[Shown, ...] = ()
    needed: tuple[Place, ...] = ()
    verdict: Verdict | None = None


class Diagnosis(NamedTuple):
    """What the doctor says of an environment: variables by name; problems by variable, then files, then the rest.

    `files` are the env files that were read, `was_asked` says that providers were asked about keys.
    """

    variables: tuple[Variable, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()
    was_asked: bool = False

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is wrong; notes do not count."""
        return all(one.level != "problem" for one in self.problems)
