"""What earlier audits of a repository found in its objects, so that a second one reads only what is new; no secret."""

from __future__ import annotations

import json
import os
from contextlib import suppress

from keyguard.cache import digest_of, finding_from_json, finding_to_json, forget_old, is_ours, stamp_of_code
from keyguard.catalogue import cache_folder
from keyguard.files import leave
from keyguard.history.sift import Sifted, Suspect
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from keyguard.engine import Session
    from keyguard.history.walk import Scope
    from keyguard.model import Finding

# os.path and open() as in the rest of the cache: pathlib costs 8 ms.
# ruff: noqa: PTH118, PTH123

_FORMAT = 1
_PREFIX = "history-"
_KEPT = 200  # repositories, or scopes of one: a few megabytes each where they are large


class Memory:
    """What is known of a repository's objects; without a path it lasts as long as the run.

    Objects are known by name alone: git names what they hold. `suspects` are those that must be checked.
    """

    def __init__(self, path: str | None = None) -> None:
        """Read what is there; a file that is damaged, or that somebody else could have written, is as good as none."""
        self._path = path
        self._seen: set[bytes] = set()
        self._packed = (b"", 0)
        self.suspects: dict[str, Suspect] = {}
        self._checked: dict[str, list[Any]] = {}
        self._answers: dict[str, list[Any]] = {}
        self._has_learnt = False
        if path is not None:
            with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
                self._read(path)

    def _read(self, path: str) -> None:
        with open(path, "rb") as file:
            if not is_ours(os.fstat(file.fileno())):
                return
            head, _, names = file.read().partition(b"\n")
        held = json.loads(head)
        size = int(held["name_size"])
        if held["format"] != _FORMAT or len(names) != held["names"] * size:
            return
        self.suspects = {str(name): Suspect(str(name), *rest) for name, *rest in held["suspects"]}
        self._checked = dict(held["checked"])
        self._answers = {str(about): [str(question), answer] for about, (question, answer) in held["answers"].items()}
        self._packed = (names, size)

    def _unpack(self) -> None:
        """Take the names apart when the first one is asked for: 10 ms for 100,000, which a whole answer spares."""
        names, size = self._packed
        self._packed = (b"", 0)
        if size:
            self._seen.update(names[at : at + size] for at in range(0, len(names), size))

    def knows(self, name: str) -> bool:
        """Tell whether an object was sifted."""
        self._unpack()
        return bool(self._seen) and bytes.fromhex(name) in self._seen

    def learn(self, one: Sifted) -> None:
        """Remember what was sifted; what could not be read is tried again the next time."""
        self._has_learnt = True
        missing = set(one.missing)
        self._seen.update(bytes.fromhex(name) for name in one.names if name not in missing)
        self.suspects.update((suspect.name, suspect) for suspect in one.suspects)

    def checked(self, group: str) -> tuple[Finding, ...] | None:
        """What was found in texts of a group, None if none was checked."""
        found = self._checked.get(group)
        try:
            return None if found is None else tuple(map(finding_from_json, found))
        except (ValueError, TypeError, KeyError, IndexError):
            return None

    def found(self, group: str, findings: Iterable[Finding]) -> None:
        """Remember what was found in a text of a group."""
        self._has_learnt = True
        self._checked[group] = [finding_to_json(finding) for finding in findings]

    def recall(self, about: str, question: str) -> Any:  # noqa: ANN401  # plain JSON data
        """The whole answer to a question, if it is what was asked last about this; None if it is not."""
        held = self._answers.get(about)
        return held[1] if held is not None and question and held[0] == question else None

    def keep(self, about: str, question: str, answer: Any) -> None:  # noqa: ANN401  # as above
        """Remember a whole answer, plain data without a secret, in the place of the last one about this."""
        self._has_learnt = True
        self._answers[about] = [question, answer]

    def write(self) -> None:
        """Leave everything for the next run; a folder that cannot be written to is no error."""
        if self._path is None or not self._has_learnt:
            return
        self._has_learnt = False
        self._unpack()
        size = len(next(iter(self._seen), b""))
        head = {
            "format": _FORMAT,
            "names": len(self._seen),
            "name_size": size,
            "suspects": list(self.suspects.values()),
            "checked": self._checked,
            "answers": self._answers,
        }
        line = json.dumps(head, separators=(",", ":")).encode("utf-8", "surrogatepass")
        if leave(self._path, (line, b"\n", *sorted(self._seen))):
            forget_old(self._path, _PREFIX, _KEPT)


def open_memory(folder: str, stamp: Sequence[object]) -> Memory:
    """Open the memory of audits that agree on `stamp`: keyguard, its rules, settings, the repository and its scope."""
    name = digest_of("\n".join(map(repr, stamp)).encode("utf-8", "surrogatepass"))
    return Memory(os.path.join(folder, f"{_PREFIX}{name}.bin"))


def memory_of(top: str, settings: object, session: Session, scope: Scope) -> Memory:
    """Open what earlier audits of a repository left, its top being `top` and `settings` in force there.

    It lasts as long as the run where this user has no cache. An audit of many and one of it alone share it.
    """
    folder = cache_folder()
    if folder is None:
        return Memory()
    rules = (stamp_of_code(), session.catalogue.version, session.lang)
    return open_memory(folder, (*rules, os.path.realpath(top), repr(settings), scope))
