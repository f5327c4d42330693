"""What a worker does with one repository of many: the same as an audit of it alone, divided where it is large."""

from __future__ import annotations

import functools

from keyguard.audit import sightings_of, with_history
from keyguard.audit.ranking import judged, leaks_of
from keyguard.audit.tree import Tree, tree_of
from keyguard.cache import stamp_of_code
from keyguard.catalogue import load
from keyguard.discover import LARGE, GitState, discover, git
from keyguard.engine import LazyProject, Session, inventory_targets
from keyguard.history import Memory, Scope, read, session_of
from keyguard.history.memory import memory_of
from keyguard.history.objects import listed
from keyguard.history.sift import Sifted, Unit, sifted, units
from keyguard.inventory import Survey
from keyguard.leaks import Audited
from keyguard.many.repositories import opened, state_of
from keyguard.many.running import Engine, Lost
from keyguard.many.store import Found
from keyguard.prefilter import Prefilter, prefilter_of
from keyguard.settings import SettingsFinder, own_of
from keyguard.source import is_env_file
from keyguard.typed import TYPE_CHECKING, NamedTuple
from keyguard.vocabulary import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keyguard.catalogue import Catalogue
    from keyguard.inventory import Row
    from keyguard.leaks import Leak, Sighting, Verdict
    from keyguard.many.repositories import Repo
    from keyguard.many.store import Group
    from keyguard.settings import Settings

_UNDIVIDED = 8 << 10  # KB of packs and loose objects, 1 s of work: less is read as a whole


class Options(NamedTuple):
    """What is the same for all repositories of an audit.

    `overrides`, `config` and `isolated` say which settings count besides a repository's own, as for `SettingsFinder`.
    Without `history` only what is checked out is read. One that `remembers` leaves in this user's cache what it found
    in a history, so that it need not be read again when it has grown.
    """

    lang: str = "en"
    overrides: tuple[tuple[str, object], ...] = ()
    config: str | None = None
    isolated: bool = False
    scope: Scope = Scope()
    history: bool = True
    remembers: bool = False


class Part(NamedTuple):
    """A unit on its way: the names of its objects as they are in git's own files, half as long as in words.

    Of a history of a million objects 20 MB are on their way then, and not 90.
    """

    repository: git.Repository
    names: bytes
    width: int
    size: int

    def unpacked(self) -> tuple[str, ...]:
        """The names in words."""
        words = self.names.hex()
        step = 2 * self.width
        return tuple(words[at : at + step] for at in range(0, len(words), step))


class Searched(NamedTuple):
    """What came of a part; the names are left to it."""

    part: Part
    found: Sifted


class _Base:
    """What a process needs for every repository: rules, and the patterns that were compiled for one before."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.catalogue = load()
        self._prefilters: dict[object, Prefilter] = {}

    def prefilter(self, catalogue: Catalogue, found: Sequence[Settings] = (), *, leaks_only: bool = False) -> Prefilter:
        """Give the patterns for some settings; those of the rules as they are serve again."""
        made = prefilter_of(catalogue, found)
        if leaks_only:
            made = made.for_leaks()
        if catalogue is not self.catalogue:
            return made
        return self._prefilters.setdefault(made.about, made)


class _Place(NamedTuple):
    """A repository as it is looked at in one step."""

    repository: git.Repository
    finder: SettingsFinder
    settings: Settings
    words: Words

    @property
    def is_bare(self) -> bool:
        return bool(self.repository.variables)


def engine(options: Options) -> Engine:
    """Give the engine that audits whole repositories."""
    return Engine(functools.partial(_Base, options), state, plan, work, assemble)


def grouping(catalogue: Catalogue, lang: str = "en") -> Group:
    """Give the function by which the store sums up a key, as an audit of a single repository does."""

    def group(
        key: str, sightings: Sequence[Sighting], rows: Sequence[tuple[str, Row]], verdict: Verdict | None
    ) -> Leak:
        (leak,) = (one for one in leaks_of(sightings, catalogue, lang, rows) if one.key == key)
        return leak if verdict is None else judged([leak], {key: verdict}, catalogue, lang)[0]

    return group


def state(repo: Repo, base: _Base) -> str:
    """Name what decides about a repository's result."""
    place = _place(repo, base)
    options = base.options._replace(remembers=False)
    return state_of(place.repository, f"{stamp_of_code()} {base.catalogue.version} {options!r} {place.settings!r}")


def plan(repo: Repo, base: _Base) -> Sequence[Part]:
    """Divide the objects of a history; a small one is not divided, nor one of which only a part is asked for."""
    place = _place(repo, base)
    if not (base.options.history and base.options.scope.is_whole):
        return ()
    told = git.run(place.repository, "count-objects", "-v").decode("ascii", "replace")
    sizes = dict(line.split(": ", 1) for line in told.splitlines() if ": " in line)
    if int(sizes.get("size", 0)) + int(sizes.get("size-pack", 0)) < _UNDIVIDED:
        return ()
    memory = _memory(place, base)
    # Larger objects are read in windows, at the end.
    fresh = (one for one in listed(place.repository) if one.size <= LARGE and not memory.knows(one.name))
    return [
        Part(unit.repository, bytes.fromhex("".join(unit.names)), len(unit.names[0]) // 2, unit.size)
        for unit in units(place.repository, fresh)
    ]


def work(part: Part, base: _Base) -> Searched:
    """Search the objects of one part; settings do not matter to that."""
    place = _Place(part.repository, *_settings(part.repository, base))
    found = sifted(Unit(part.repository, part.unpacked(), part.size), _history_session(place, base))
    return Searched(part, found._replace(names=()))


def assemble(repo: Repo, results: Sequence[Searched | Lost], base: _Base) -> Found:
    """Read what is checked out, and the history; what the parts found in its objects is not looked for again."""
    place = _place(repo, base)
    audited = Audited(repo.name, repo.path)
    tree = Tree() if place.is_bare else _tree(place, base)
    audited = audited._replace(files=tree.files)
    if not base.options.history:
        return Found(audited, tuple(sightings_of(tree.findings, ())), tree.rows, tree.notices)
    missing = 0
    # What ended a process is not tried again in this one: it counts as if nothing were in it, and is not remembered.
    memory = Memory() if any(isinstance(one, Lost) for one in results) else _memory(place, base)
    for one in results:
        if isinstance(one, Lost):
            names = one.unit.unpacked()
            memory.learn(Sifted(names, one.unit.size))
            missing += len(names)
        else:
            memory.learn(one.found._replace(names=one.part.unpacked()))
    history = read(place.repository, _history_session(place, base), base.options.scope, jobs=1, memory=memory)
    audited = with_history(audited, history._replace(missing=history.missing + missing))
    sightings = tuple(sightings_of(tree.findings, history.sightings))
    return Found(audited, sightings, tree.rows, (*tree.notices, *history.notices))


def _place(repo: Repo, base: _Base) -> _Place:
    repository = opened(repo)
    return _Place(repository, *_settings(repository, base))


def _settings(repository: git.Repository, base: _Base) -> tuple[SettingsFinder, Settings, Words]:
    options = base.options
    words = Words(base.catalogue)
    finder = SettingsFinder(
        words,
        dict(options.overrides),
        config=options.config,
        # A bare repository has no settings of its own, and the folder it lies in says nothing about it.
        isolated=options.isolated or (bool(repository.variables) and options.config is None),
        environ={},
        keep_going=True,
    )
    return finder, finder.for_folder(repository.top), words


def _tree(place: _Place, base: _Base) -> Tree:
    """Check the files of a work tree, and list its connections."""
    top, settings, finder = place.repository.top, place.settings, place.finder
    groups = [(group.base, group.patterns) for group in (settings.exclude, *settings.extend_exclude)]
    found = discover((top,), exclude=groups, respect_gitignore=settings.respect_gitignore)
    targets = []
    for target in found.targets:
        own = finder.for_path(target.location)
        if own is settings or not own.is_excluded(target.location):
            targets.append(target)
    git_state = GitState(target.location for target in targets if is_env_file(target.path))
    session = _session(place, base)._replace(git=git_state, survey=Survey())
    report, inventory = inventory_targets(targets, session, jobs=1)
    tree = tree_of(report, inventory, targets, top)
    return tree._replace(notices=(*finder.notices, *found.notices, *tree.notices))


def _session(place: _Place, base: _Base) -> Session:
    catalogue = base.catalogue.extended(own_of(place.finder.found))
    return Session(
        catalogue,
        base.prefilter(catalogue, place.finder.found),
        place.finder,
        place.words,
        LazyProject(place.settings.root, catalogue),
        base.options.lang,
    )


def _history_session(place: _Place, base: _Base) -> Session:
    session = session_of(_session(place, base))
    # With patterns that this process may have compiled already.
    return session._replace(prefilter=base.prefilter(session.catalogue, place.finder.found, leaks_only=True))


def _memory(place: _Place, base: _Base) -> Memory:
    if not base.options.remembers:
        return Memory()
    return memory_of(place.repository.top, place.settings, _session(place, base), base.options.scope)
