"""The keys of leaks, read again where they stand, as questions to who issued them; nothing else ever holds them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keyguard.discover import Target
from keyguard.engine import check_each
from keyguard.history import target_of
from keyguard.verify import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from keyguard.discover.git import Repository
    from keyguard.engine import Session
    from keyguard.leaks import Leak, Sighting
    from keyguard.model import Secret

# os.path and not pathlib: a history's paths are git's, and may not lie on this disk.
# ruff: noqa: PTH118

_NOT_ASKED = frozenset({"public", "malformed"})
_OTHER_SECRETS = "KG108"  # private keys and the like: no provider answers for them
_LOCAL = ("localhost", "127.", "[::1]", "0.0.0.0")  # noqa: S104  # a host as code writes it


def questions_about(
    leaks: Iterable[Leak], where: Callable[[str], tuple[Repository | None, str]], session: Session
) -> tuple[Question, ...]:
    """Ask about each key that may live: at its own provider, or at the hosts it was found with.

    `where` gives a sighting's repository, if it has a history that can be read, and the folder its files lie in, by
    the audit's name for it. A key that no longer stands where it was found is left out. `session` is one of
    `history.session_of`.

    Raises:
        GitError: git cannot read the history any more.
    """
    return tuple(
        question
        for leak in leaks
        if leak.rank not in _NOT_ASKED and any(one.finding.rule != _OTHER_SECRETS for one in leak.sightings)
        for secret in _secrets(leak, where, session)
        for question in _about(leak, secret)
    )


def _about(leak: Leak, secret: Secret) -> Iterator[Question]:
    bases: list[str | None] = [_base(host) for host in leak.hosts]
    for base in bases or [None]:
        yield Question(secret, leak.key, leak.provider, base)


def _base(host: str) -> str:
    """The address at a host where such an API answers, as nearly all have it."""
    return f"{'http' if host.startswith(_LOCAL) else 'https'}://{host}/v1"


def _secrets(leak: Leak, where: Callable[[str], tuple[Repository | None, str]], session: Session) -> Iterator[Secret]:
    """Read a key at the first of its places that still has it."""
    for sighting in leak.sightings:
        target = _target(sighting, *where(sighting.repository))
        if target is None:
            continue
        heard: dict[str, Secret] = {}
        check_each((target,), session._replace(hears=heard.__setitem__), lambda *_: None)
        if leak.key in heard:
            yield heard[leak.key]
            return


def _target(sighting: Sighting, repository: Repository | None, top: str) -> Target | None:
    if repository is not None and sighting.blob is not None:
        return target_of(repository, sighting)
    path = sighting.finding.path
    return Target(path, os.path.join(top, path), path) if sighting.on_disk else None
