"""Where the modules and the requirements of a project lie: paths alone, nothing is parsed and no link is trusted."""

from __future__ import annotations

import os

# os.path and not pathlib: that costs 3 ms at start, and a run from the cache asks for thousands of paths.
# ruff: noqa: PTH113, PTH114, PTH118, PTH120, PTH122, PTH208


class Layout:
    """The tree below one root as imports and requirements see it, each folder looked at once a run.

    Paths are texts: those given count from the root, those that come back are absolute with every link followed.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Answer for the tree below `root`."""
        self.root = os.path.realpath(root)
        self._below = os.path.join(self.root, "")
        self._real: dict[str, str] = {}
        self._files: dict[tuple[str, str], str | None] = {}
        self._held: dict[str, frozenset[str]] = {}
        self._is_package: dict[str, bool] = {}
        self._requirements: dict[str, tuple[str, ...]] = {}

    def real(self, path: str) -> str:
        """What a path names once every link is followed, as `os.path.realpath`; a folder is looked at once."""
        folder, name = os.path.split(os.path.join(self.root, path))
        if os.name == "nt" or name in {"", os.curdir, os.pardir}:
            return os.path.realpath(os.path.join(self.root, path))  # a name there may be short, or of another case
        found = os.path.join(self._real_folder(folder), name)
        return os.path.realpath(found) if os.path.islink(found) else found

    def folder_of(self, path: str) -> str:
        """The folder that `real` puts a path in, where the path itself is no link."""
        return self._real_folder(os.path.dirname(os.path.join(self.root, path)))

    def _real_folder(self, folder: str) -> str:
        known = self._real.get(folder)
        if known is None:
            parent = os.path.dirname(folder)
            known = folder if parent == folder else self.real(folder)
            self._real[folder] = known
        return known

    def has(self, path: str) -> bool:
        """Tell whether a path that `real` gave lies below the root."""
        return path.startswith(self._below) and path != self.root

    def shown(self, path: str) -> str:
        """A path below the root, that `real` gave, as it is seen from there, with `/`."""
        return path.removeprefix(self._below).replace(os.sep, "/")

    def module_name(self, path: str) -> tuple[str, bool, str]:
        """Name a file as an import would: dotted name, whether it is a package, the folder imports start from."""
        folder, name = os.path.split(self.real(path))
        is_package = name == "__init__.py"
        parts = [] if is_package else [os.path.splitext(name)[0]]
        while self.has(folder) and self._has_init(folder):
            folder, name = os.path.split(folder)
            parts.append(name)
        return ".".join(reversed(parts)), is_package, folder

    def _has_init(self, folder: str) -> bool:
        if folder not in self._is_package:
            self._is_package[folder] = os.path.isfile(os.path.join(folder, "__init__.py"))
        return self._is_package[folder]

    def find(self, module: str, start: str) -> str | None:
        """Find a module's file from an import folder, the root or its `src`."""
        known = (module, start)
        if known not in self._files:
            self._files[known] = self._search(module, start)
        return self._files[known]

    def _search(self, module: str, start: str) -> str | None:
        parts = module.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        for folder in dict.fromkeys((start, self.root, self._below + "src")):
            if parts[0] not in self._names_in(folder):
                continue
            base = os.path.join(folder, *parts)
            for file in (base + ".py", os.path.join(base, "__init__.py")):
                if os.path.isfile(file) and self.has(found := self.real(file)):
                    return found
        return None

    def _names_in(self, folder: str) -> frozenset[str]:
        """The names of the modules that a folder may hold: most imports are of packages that are installed."""
        if folder not in self._held:
            try:
                self._held[folder] = frozenset(name.removesuffix(".py") for name in os.listdir(folder))
            except OSError:
                self._held[folder] = frozenset()
        return self._held[folder]

    def requirements_at(self, path: str) -> tuple[str, ...]:
        """The files that ask for the releases which hold for a file: those of the folders above it, the root's first.

        Equal ones of a run are one object mostly. The file itself is taken for no link.
        """
        return self._requirements_in(self.folder_of(path))

    def _requirements_in(self, folder: str) -> tuple[str, ...]:
        if not self.has(folder):
            folder = self.root
        if folder not in self._requirements:
            from keyguard.python.requirements import sources  # noqa: PLC0415  # for runs with a cache

            above = () if folder == self.root else self._requirements_in(os.path.dirname(folder))
            own = sources(folder)
            self._requirements[folder] = (*above, *own) if own else above
        return self._requirements[folder]
