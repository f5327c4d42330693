"""Constants that a module imports from other modules of the same project: found and read lazily, never executed."""

from __future__ import annotations

import os
import re
from functools import cached_property

from keyguard.patterns import regex
from keyguard.python.layout import Layout
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from keyguard.catalogue import Catalogue
    from keyguard.python.bringing import Given
    from keyguard.python.definitions import Definitions
    from keyguard.python.evaluate import Evaluator
    from keyguard.python.values import Value
    from keyguard.source import SourceFile

# os.path and not pathlib in this module: see `layout`.
# ruff: noqa: PTH120, PTH123, PTH202

MAX_BYTES = 1_000_000  # a module of constants is small; a larger one is not worth its parse


def _bytes(file: str) -> bytes:
    with open(file, "rb") as stream:
        return stream.read()


class Project:
    """The modules below one root, read when a name in them is asked for and kept for the run.

    Paths never leave the root, symlinks included. A module that cannot be read or parsed knows nothing.
    """

    def __init__(
        self, root: Layout | str | os.PathLike[str], catalogue: Catalogue, read: Callable[[str], bytes] = _bytes
    ) -> None:
        """Answer for the tree below `root`; `read` gives a file's bytes (from the index, for staged content)."""
        self.layout = root if isinstance(root, Layout) else Layout(root)
        self.root = self.layout.root
        self.catalogue = catalogue
        self._read = read
        self._answers: dict[tuple[str, str], Evaluator | None] = {}
        self._definitions: dict[str, Definitions] = {}
        self._evaluators: dict[tuple[str, str], Evaluator | None] = {}  # by file and the text that was parsed of it
        self._texts: dict[str, SourceFile | None] = {}
        self._given: dict[str, Given | None] = {}
        self._may_give: dict[tuple[str, str, int], bool] = {}
        self._here: dict[str, Here] = {}
        self._versions: dict[str, Mapping[str, str]] = {}
        self._asked: dict[str, set[tuple[str, str]]] = {}  # by the file that asked: module and import folder

    def versions_at(self, path: str) -> Mapping[str, str]:
        """The releases that hold for one file: those that the folders above it ask for, the nearest first."""
        return self._versions_of(os.path.dirname(self.layout.real(path)))

    def _versions_of(self, folder: str) -> Mapping[str, str]:
        """The releases that hold in a folder: equal ones are one object, since most folders ask for none themselves."""
        if folder not in self._versions:
            if not self.layout.has(folder):
                return self.versions
            from keyguard.python.pins import pins  # noqa: PLC0415  # as below

            above = self._versions_of(os.path.dirname(folder))
            own = pins(folder)
            self._versions[folder] = {**above, **own} if own else above
        return self._versions[folder]

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """The releases that the project's requirements ask for, by package: they choose the facts of older ones."""
        from keyguard.python.pins import pins  # noqa: PLC0415  # tomllib, json: for Python that talks to models

        return pins(self.root)

    def asks_for(self, package: str) -> bool:
        """Tell whether the project's requirements name a package, in any version."""
        from keyguard.python.pins import asks_for  # noqa: PLC0415  # as above

        return asks_for(self.root, package)

    def at(self, path: str) -> Here:
        """The project as one of its files sees it: with that file's folder on the import path."""
        name, is_package, folder = self.layout.module_name(path)
        return Here(self, name, is_package, folder, self.layout.real(path))

    # what a result stands on, for the cache

    def note(self, asker: str, module: str, start: str) -> None:
        """Remember that a file looked for a module from an import folder."""
        self._asked.setdefault(asker, set()).add((module, start))

    def seen_by(self, location: str) -> tuple[tuple[str, str, str], ...]:
        """Every module a file looked into for values, through others too: name, import folder, file or empty."""
        waiting, done = [self.layout.real(location)], set()
        found: set[tuple[str, str, str]] = set()
        while waiting:
            asker = waiting.pop()
            if asker in done:
                continue
            done.add(asker)
            for module, start in self._asked.get(asker, ()):
                file = self.layout.find(module, start)
                found.add((module, start, file or ""))
                if file is not None:
                    waiting.append(file)
        return tuple(sorted(found))

    def evaluator(self, file: str, name: str) -> Evaluator | None:
        """Read, parse and index the module that may give `name` a value; None when it is not to be had.

        Most imported names are functions: a module is parsed (18,000 lines a second) only if its text assigns the
        name, imports it or has a class of that name that tells something.
        """
        asked = (file, name)
        if asked not in self._answers:
            source = self.source(file)
            how = "" if source is None else _defined(source.text, name)
            self._answers[asked] = self._evaluator_of(file, source, name, how) if source is not None and how else None
        return self._answers[asked]

    def _evaluator_of(self, file: str, source: SourceFile, name: str, how: str) -> Evaluator | None:
        """The evaluator of what a name hangs on: names that hang on the same statements share it.

        None for a class when nothing that it hangs on tells anything.
        """
        from keyguard.python.bodies import without_comments  # noqa: PLC0415  # only for projects that are asked

        if file not in self._definitions:
            from keyguard.python.definitions import Definitions  # noqa: PLC0415  # as above

            self._definitions[file] = Definitions(source.text)
        needed = (file, self._definitions[file].of(name))
        if how == "class" and _TELLING.search(without_comments(needed[1])) is None:
            return None
        if needed not in self._evaluators:
            self._evaluators[needed] = self._load(file, source.replaced(text=needed[1]))
        return self._evaluators[needed]

    def given(self, file: str, says: Callable[[str], bool]) -> Given | None:
        """What the names of a module may be, by its text; None when it is not to be had."""
        if file not in self._given:
            from keyguard.python.bringing import Given  # noqa: PLC0415  # for modules that import from the project

            source = self.source(file)
            self._given[file] = None if source is None else Given(source.text, says)
        return self._given[file]

    def may_give(self, file: str, name: str, says: Callable[[str], bool], far: int) -> bool:
        """Tell whether a name of a module may be, or have, what `says` finds in texts, `far` modules away at most."""
        asked = (file, name, far)
        if asked not in self._may_give:
            self._may_give[asked] = self._looks_given(file, name, says, far)
        return self._may_give[asked]

    def _looks_given(self, file: str, name: str, says: Callable[[str], bool], far: int) -> bool:
        given = self.given(file, says)
        if given is None or name not in given.text:
            return False
        if given.tells(name) or any(says(other) for _, other in given.origins(name)):
            return True
        origins = tuple(given.origins(name)) if far > 0 else ()
        if not origins:
            return False
        there = self._seen_from(file)
        return any(there.may_give(there.absolute(*origin), other, says, far - 1) for origin, other in origins)

    def _seen_from(self, file: str) -> Here:
        if file not in self._here:
            self._here[file] = self.at(file)
        return self._here[file]

    def source(self, file: str) -> SourceFile | None:
        """The text of one of the project's modules; None when it is not to be had."""
        if file not in self._texts:
            self._texts[file] = self._decoded(file)
        return self._texts[file]

    def _decoded(self, file: str) -> SourceFile | None:
        from keyguard.source import Undecodable, decode  # noqa: PLC0415  # only for projects that are asked

        try:
            if os.path.getsize(file) > MAX_BYTES:
                return None
            return decode(self.layout.shown(file), self._read(file))
        except (OSError, ValueError, Undecodable):
            return None

    def _load(self, file: str, source: SourceFile) -> Evaluator | None:
        from keyguard.python.evaluate import Evaluator  # noqa: PLC0415  # as above
        from keyguard.python.index import index  # noqa: PLC0415  # with `module`, only for projects that are asked
        from keyguard.python.module import ParseFailure, parse  # noqa: PLC0415  # as above

        module = parse(source)
        if isinstance(module, ParseFailure):
            return None
        here = self._seen_from(file)
        return Evaluator(index(module, here.name, is_package=here.is_package), self.catalogue, here)


# What the module of a class must hold to be worth a parse: most classes that are imported hold data, no constants and
# no word about keys or hosts.
_TELLING = regex(
    r"(?i:api_?key|secret|(?<![a-z])token(?![a-z])|credential|environ|getenv|https?://|base_?url|settings)"
    r"|(?m:^[ \t]+[A-Z][A-Z0-9_]*[ \t]*(?::[^\n=]{1,80})?=)"
)


_ASSIGNED = regex(r"\b[^\n=]{0,80}=")
_ENDED = regex(r"[ \t]*(?:,|\)|$|#|;)", re.MULTILINE)
_WORD_ENDED = regex(r"\b")
_FAR = 200  # characters before a name in which its line begins, or something else stands: bounds what one line costs


def _defined(text: str, name: str) -> str:
    """Tell from a module's text how it could give a name a value: by a `value`, a telling `class`, or not at all.

    No pattern is made of the name: making one takes as long as reading 60 kB.
    """
    if not name.isidentifier():
        return ""
    how = ""
    importing = "import" in text
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        before = text[max(at - _FAR, 0) : at].rpartition("\n")[2].rstrip(" \t")
        if not before and _ASSIGNED.match(text, end) is not None:
            return "value"
        if importing and (not before or before.endswith(("import", ",", "(", "as"))) and _ENDED.match(text, end):
            return "value"
        if (
            not how
            and before.lstrip(" \t") == "class"
            and text[at - 1] in " \t"
            and _WORD_ENDED.match(text, end) is not None
            and _TELLING.search(text) is not None
        ):
            how = "class"
        at = text.find(name, at + 1)
    return how


class Here:
    """The project seen from one module: its own dotted name, and the values of names it imports."""

    def __init__(self, project: Project, name: str, is_package: bool, folder: str, file: str) -> None:  # noqa: FBT001  # a name's kind
        """See the project from `file`, whose imports start in `folder`."""
        self.project, self.name, self.is_package, self.folder, self.file = project, name, is_package, folder, file

    def value(self, name: str) -> Value | None:
        """The value of a dotted name that some module of the project defines; None when none does."""
        module, _, attribute = name.rpartition(".")
        if not module:
            return None
        self.project.note(self.file, module, self.folder)
        file = self.project.layout.find(module, self.folder)
        if file is None or file == self.file:
            return None
        evaluator = self.project.evaluator(file, attribute)
        if evaluator is None:
            return None
        return evaluator.exported(attribute)

    def may_bring(self, module: str, level: int, name: str, says: Callable[[str], bool], used: str = "") -> bool:
        """Tell whether a name that is imported from the project may be, or have, what `says` finds in texts.

        `module` is spelled as in the import, `level` counts its dots; the name may be a star. `used` is the attribute
        of it that is used: of a module, that alone counts.
        """
        base = self.absolute(module, level)
        dotted = base if name == "*" else f"{base}.{name}" if base else name
        file = self.project.layout.find(dotted, self.folder)
        if file is None:
            return bool(base) and self.may_give(base, name, says)
        if file == self.file:
            return False
        if not used:
            return self._makes_any(dotted, file, says)
        inner = self.project.layout.find(f"{dotted}.{used}", self.folder)
        may = inner is not None and self._makes_any(f"{dotted}.{used}", inner, says)
        return may or self.may_give(dotted, used, says)

    def _makes_any(self, module: str, file: str, says: Callable[[str], bool]) -> bool:
        """Tell so of a module, any of whose names may be used."""
        self.project.note(self.file, module, self.folder)
        given = self.project.given(file, says)
        return given is not None and given.makes_any

    def absolute(self, module: str, level: int) -> str:
        """The dotted name of a module as an import here spells it, with so many dots before it."""
        if not level:
            return module
        parts = self.name.split(".") if self.name else []
        parts = parts[: len(parts) - level + (1 if self.is_package else 0)]
        return ".".join(part for part in (*parts, module) if part)

    def may_give(self, module: str, name: str, says: Callable[[str], bool], far: int = 4) -> bool:
        """As `may_bring`, of a name that a module defines or has from another one, `far` modules away at most."""
        file = self.project.layout.find(module, self.folder)
        if file is None or file == self.file:
            return False
        if says(name):
            return True
        self.project.note(self.file, module, self.folder)
        return self.project.may_give(file, name, says, far)

    def names_any(self, name: str, names: Iterable[str]) -> bool:
        """Tell whether the text of the module that defines a name holds the last part of one of `names`."""
        file = self.project.layout.find(name.rpartition(".")[0], self.folder)
        source = self.project.source(file) if file is not None else None
        return source is not None and any(other.rpartition(".")[2] in source.text for other in names)
