"""Walks folders outside git as git would see them, and applies the exclude patterns of the settings everywhere."""

from __future__ import annotations

import os
import stat
from typing import Protocol

from keyguard.settings import Patterns, relative
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# os.path and not pathlib: pathlib costs 8 ms at start, and a hook has 70.
# ruff: noqa: PTH118, PTH123

_LARGEST = 1 << 20  # bytes read of a .gitignore: nobody writes a larger one


class _Spec(Protocol):
    """What we use of pathspec's GitIgnoreSpec."""

    def match_file(self, file: str) -> bool: ...


class Excluder:
    """Applies exclude patterns below one folder the user named, and never to that folder itself."""

    def __init__(self, groups: Sequence[tuple[str, Sequence[str]]], folder: str) -> None:
        """Sort the patterns: plain names cost a set lookup, only others need the pattern engine.

        Args:
            groups: patterns in gitignore's form, each with the folder they count from.
            folder: the named folder, absolute.
        """
        self._names: frozenset[str] = frozenset()
        self._specs: list[tuple[str, str, _Spec]] = []  # what a path must begin with, what goes before it
        for base, patterns in groups:
            names = frozenset() if any(p.startswith("!") for p in patterns) else _plain(patterns)
            self._names |= names
            others = tuple(pattern for pattern in patterns if pattern not in names)
            if not others:
                continue
            inside, lead = relative(folder, base), relative(base, folder)
            if inside == ".":
                self._specs.append(("", "", _spec(others)))
            elif inside is not None:
                # A pattern that takes the named folder itself would take everything below it.
                whole = Patterns(base, others).matches(folder + "/")
                self._specs.append(("", "" if whole else inside + "/", _spec(others)))
            elif lead is not None:
                self._specs.append((lead + "/", "", _spec(others)))

    @property
    def names(self) -> frozenset[str]:
        """The plain names: a folder or file of that name is left out wherever it stands."""
        return self._names

    def __call__(self, path: str) -> bool:
        """Tell whether a path, from the named folder and with `/`, is left out; a folder's path ends in `/`."""
        return not self._names.isdisjoint(path.split("/")) or self.takes(path)

    def takes(self, path: str) -> bool:
        """Tell whether a pattern that is no plain name leaves a path out."""
        return bool(self._specs) and any(
            path.startswith(lead) and spec.match_file(prefix + path[len(lead) :]) for lead, prefix, spec in self._specs
        )


def excluded_by_name(groups: Sequence[tuple[str, Sequence[str]]], location: str) -> bool:
    """Tell whether a pattern takes a path the user named: what `--force-exclude` asks."""
    return any(Patterns(base, tuple(patterns)).matches(location) for base, patterns in groups)


class Walked(NamedTuple):
    """A file that was found: its path from the folder, with `/`.

    A path that ends in `/` is a repository in the tree, not walked, or a folder that was not read: `trouble` says why.
    """

    path: str
    trouble: str | None = None


def walk(
    folder: str, excluder: Excluder, *, honour_gitignore: bool, above: str | None = None, below: str = ""
) -> Iterator[Walked]:
    """Yield the files below a folder; folders behind links are not entered, so no loop and no way out of the tree.

    Args:
        folder: absolute.
        excluder: what the settings leave out.
        honour_gitignore: leave out what `.gitignore` files say, nested ones and negations included.
        above: a folder above `folder` whose `.gitignore` files count too, and those between the two.
        below: walk only what is below this path from the folder, which ends in `/`.
    """
    rules = _rules_above(folder, above) if honour_gitignore and above else ()
    waiting: list[tuple[str, tuple[_Rules, ...]]] = [(below, rules)]
    while waiting:
        here, rules = waiting.pop()
        try:
            with os.scandir(os.path.join(folder, here) if here else folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            yield Walked(here, error.strerror or str(error))
            continue
        names = {entry.name for entry in entries}
        if here != below and ".git" in names:
            yield Walked(here)
            continue
        if here != below and (
            {"HEAD", "objects", "refs"} <= names or ("pyvenv.cfg" in names and "venv" in excluder.names)
        ):
            continue  # a repository's store; a virtual environment under a name of its own
        if honour_gitignore and ".gitignore" in names:
            rules = (*rules, *_read_rules(os.path.join(folder, here, ".gitignore"), here))
        for entry in entries:
            path = here + entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder:
                path += "/"
            # The names of the folders above were asked for when those were met.
            if entry.name in excluder.names or excluder.takes(path) or (rules and _ignores(rules, path)):
                continue
            if is_folder:
                waiting.append((path, rules))
            else:
                yield Walked(path)


class _Rules(NamedTuple):
    """One .gitignore: `prefix` is its folder, seen from the walked one; `lead` the way down to that, if it is above."""

    prefix: str
    lead: str
    spec: object


def _ignores(rules: tuple[_Rules, ...], path: str) -> bool:
    """Ask the .gitignore files, the nearest first: the first that says anything about the path decides."""
    for rule in reversed(rules):
        verdict = rule.spec.check_file(rule.lead + path[len(rule.prefix) :]).include  # type: ignore[attr-defined]
        if verdict is not None:
            return bool(verdict)
    return False


def _rules_above(folder: str, above: str) -> tuple[_Rules, ...]:
    inside = relative(folder, above)
    if inside is None or inside == ".":
        return ()
    rules: list[_Rules] = []
    steps = inside.split("/")
    for index in range(len(steps)):
        holder = os.path.join(above, *steps[:index])
        lead = "/".join(steps[index:]) + "/"
        rules += (rule._replace(lead=lead) for rule in _read_rules(os.path.join(holder, ".gitignore"), ""))
    # The user names a folder that is ignored: then its files are meant.
    return () if _ignores(tuple(rules), "") else tuple(rules)


def _read_rules(file: str, prefix: str) -> tuple[_Rules, ...]:
    try:
        if not stat.S_ISREG(os.lstat(file).st_mode):
            return ()  # git follows no link here, and a pipe would block
        with open(file, "rb") as stream:
            lines = stream.read(_LARGEST).decode("utf-8-sig", "replace").splitlines()
    except OSError:
        return ()
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    return (_Rules(prefix, "", _spec(lines)),) if lines else ()


def _spec(lines: Sequence[str]) -> _Spec:
    import pathspec  # noqa: PLC0415  # 38 ms, only where a pattern is no plain name or a .gitignore is met

    try:
        return pathspec.GitIgnoreSpec.from_lines(lines)
    except ValueError:
        return pathspec.GitIgnoreSpec.from_lines([line for line in lines if _is_pattern(line)])


def _is_pattern(line: str) -> bool:
    import pathspec  # noqa: PLC0415  # 38 ms, in memory already

    try:
        pathspec.GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False  # git steps over it too
    return True


def _plain(patterns: Sequence[str]) -> frozenset[str]:
    return frozenset(p for p in patterns if p and p == p.strip() and set("*?[]!/\\#").isdisjoint(p))
