"""The keys of leaks, read again where they stand, as questions to who issued them; nothing else ever holds them."""

from __future__ import annotations

import os
from contextlib import suppress

from keyguard.audit.ranking import dialled
from keyguard.discover import Target
from keyguard.discover.git import GitError
from keyguard.engine import check_each
from keyguard.history import target_of
from keyguard.inventory import Survey
from keyguard.leaks import Sighting
from keyguard.typed import TYPE_CHECKING
from keyguard.verify import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from keyguard.discover.git import Repository
    from keyguard.engine import Outcome, Session
    from keyguard.leaks import Leak
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
    """
    return tuple(
        question
        for leak in leaks
        if leak.rank not in _NOT_ASKED and any(one.finding.rule != _OTHER_SECRETS for one in leak.sightings)
        for secret, hosts in _read_again(leak, where, session)
        for question in _about(leak, secret, hosts)
    )


def _about(leak: Leak, secret: Secret, hosts: Iterable[str]) -> Iterator[Question]:
    bases: list[str | None] = [_base(host) for host in hosts]
    for base in bases or [None]:
        yield Question(secret, leak.key, leak.provider, base)


def _base(host: str) -> str:
    """The address at a host where such an API answers, as nearly all have it."""
    return f"{'http' if host.startswith(_LOCAL) else 'https'}://{host}/v1"


def _read_again(
    leak: Leak, where: Callable[[str], tuple[Repository | None, str]], session: Session
) -> Iterator[tuple[Secret, Collection[str]]]:
    """Read a key at the first of its places that still has it; and, if nobody knows, whom it was sent to there."""
    survey = None if leak.hosts else Survey()
    for sighting in leak.sightings:
        heard: dict[str, Secret] = {}
        outcomes: list[Outcome] = []
        with suppress(GitError):
            target = _target(sighting, *where(sighting.repository))
            if target is not None:
                asking = session._replace(hears=heard.__setitem__, survey=survey)
                check_each((target,), asking, lambda _, outcome: outcomes.append(outcome))  # noqa: B023  # called here
        if leak.key in heard:
            yield heard[leak.key], leak.hosts or _sent_to(leak.key, outcomes)
            return


def _sent_to(key: str, outcomes: Iterable[Outcome]) -> Collection[str]:
    """The hosts that a key is sent to in a text."""
    by_key: dict[str, list[Sighting]] = {}
    rows = [("", row) for outcome in outcomes for row in outcome.rows]
    for finding in (finding for outcome in outcomes for finding in outcome.report.findings):
        if finding.key is not None:
            by_key.setdefault(finding.key, []).append(Sighting(finding, on_disk=True))
    return sorted(dialled(by_key, rows).get(key, ()))


def _target(sighting: Sighting, repository: Repository | None, top: str) -> Target | None:
    if repository is not None and sighting.blob is not None:
        return target_of(repository, sighting)
    path = sighting.finding.path
    return Target(path, os.path.join(top, path), path) if sighting.on_disk else None
