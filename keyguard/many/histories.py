"""The engine that audits histories: what `many.running` does with each repository, and where it is divided."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from keyguard.audit.ranking import judged, leaks_of
from keyguard.cache import stamp_of_code
from keyguard.catalogue import load
from keyguard.discover import git
from keyguard.engine import LazyProject, Session
from keyguard.history import Memory, read
from keyguard.history.objects import listed
from keyguard.history.sift import Sifted, Unit, sifted, units
from keyguard.leaks import Audited
from keyguard.many.repositories import opened
from keyguard.many.running import Engine, Lost
from keyguard.many.store import Found
from keyguard.prefilter import Prefilter
from keyguard.secrets.detect import PLUGINS
from keyguard.settings import SettingsFinder, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keyguard.catalogue import Catalogue
    from keyguard.inventory import Row
    from keyguard.leaks import Leak, Sighting, Verdict
    from keyguard.many.repositories import Repo
    from keyguard.many.store import Group

_UNDIVIDED = 8 << 10  # KB of packs and loose objects, 1 s of work: less is read as a whole
_LARGE = 8 << 20  # bytes: larger objects are read in windows at the end


class _Base(NamedTuple):
    """What all repositories of an audit share in one process."""

    catalogue: Catalogue
    prefilter: Prefilter
    words: Callable[[], Vocabulary]
    lang: str


def engine(lang: str = "en") -> Engine:
    """Give the engine for whole histories; no settings of a repository count, since it is not ours."""
    return Engine(functools.partial(_base, lang), plan, work, assemble, f"{stamp_of_code()} {load().version} {lang}")


def grouping(catalogue: Catalogue, lang: str = "en") -> Group:
    """Give the function by which the store sums up a key, as an audit of a single repository does."""

    def group(
        key: str, sightings: Sequence[Sighting], rows: Sequence[tuple[str, Row]], verdict: Verdict | None
    ) -> Leak:
        (leak,) = (one for one in leaks_of(sightings, catalogue, lang, rows) if one.key == key)
        return leak if verdict is None else judged([leak], {key: verdict}, catalogue, lang)[0]

    return group


def plan(repo: Repo, _: _Base) -> Sequence[Unit]:
    """Divide a repository's objects; a small one is not divided."""
    repository = opened(repo)
    told = git.run(repository, "count-objects", "-v").decode("ascii", "replace")
    sizes = dict(line.split(": ", 1) for line in told.splitlines() if ": " in line)
    if int(sizes.get("size", 0)) + int(sizes.get("size-pack", 0)) < _UNDIVIDED:
        return ()
    return units(repository, [one for one in listed(repository) if one.size <= _LARGE])


def work(unit: Unit, base: _Base) -> Sifted:
    """Search the objects of one unit."""
    return sifted(unit, _session(unit.repository, base))


def assemble(repo: Repo, results: Sequence[Sifted | Lost], base: _Base) -> Found:
    """Read the history; what the units found in its objects is not looked for again."""
    repository = opened(repo)
    memory = Memory()
    lost = 0
    for one in results:
        if isinstance(one, Lost):
            # As if they held nothing: they ended a process before.
            names, size = one.unit.names, one.unit.size
            memory.learn(Sifted(names, size))
            lost += len(names)
        else:
            memory.learn(one)
    history = read(repository, _session(repository, base), jobs=1, memory=memory)
    audited = Audited(
        repo.name,
        repo.path,
        history.head,
        commits=history.commits,
        blobs=history.blobs,
        size=history.size,
        refs=history.refs,
        missing=history.missing + lost,
        is_shallow=history.is_shallow,
        is_complete=history.is_complete,
    )
    return Found(audited, history.sightings)


def _base(lang: str) -> _Base:
    catalogue = load()
    words = Vocabulary({rule.id: rule.name for rule in catalogue.rules.values()}, PLUGINS, catalogue.known)
    return _Base(catalogue, Prefilter(catalogue, leaks_only=True), lambda: words, lang)


def _session(repository: git.Repository, base: _Base) -> Session:
    finder = SettingsFinder(base.words, isolated=True, environ={})
    project = LazyProject(repository.top, base.catalogue)
    # As `history.session_of` makes one, but with the patterns that this process has compiled already.
    return Session(base.catalogue, base.prefilter, finder, base.words, project, base.lang)
