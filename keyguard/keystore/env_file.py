"""Keys in an env file of the project: for its owner's eyes, ignored by git, every other line as it was."""

from __future__ import annotations

import contextlib
import os
import stat
import time

from keyguard.discover import git
from keyguard.keystore.base import VARIABLE, Receipt, StoreError, distinct, taken
from keyguard.keystore.env_text import bindings, placed, values_of
from keyguard.keystore.ignoring import ignore
from keyguard.keystore.rewriting import failed, read, rewrite
from keyguard.settings import display
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keyguard.model import Move

# os.path and not pathlib: pathlib costs 8 ms at start, and a hook has 70.
# ruff: noqa: PTH100, PTH103, PTH108, PTH113, PTH116, PTH118, PTH119, PTH120

_PRIVATE = 0o600
_NAME = ".env"
# Files to copy from, in the order of how common they are; the first one that is there gets the names.
_TEMPLATES = (
    ".env.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    ".env.tpl",
    "env.example",
    "env.sample",
    "env.template",
    "example.env",
    "sample.env",
    "template.env",
)
_BOM = b"\xef\xbb\xbf"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
# sops and ansible-vault seal a whole file: a line that is added breaks the seal, and would stand there in the clear.
_SEALED = (b"$ANSIBLE_VAULT;", b"\nsops_mac=", b"\nsops_version=", b"\x00GITCRYPT")
_LEFTOVER = (".keyguard-", ".tmp")
_STALE = 600  # seconds after which a temporary file has no writer any more


class EnvFile(NamedTuple):
    """The store `env-file`; `tree` is the folder that the file must lie in."""

    file: str
    tree: str

    @classmethod
    def of(cls, file: str | None, root: str) -> EnvFile:
        """Give the store for a file (absolute), or for the `.env` of a root folder, in the work tree of that folder."""
        root = os.path.abspath(root)
        repository = git.repository_of(root)
        return cls(file or os.path.join(root, _NAME), repository.top if repository else root)

    @property
    def kind(self) -> str:
        """The word of the setting."""
        return "env-file"

    def lookup(self, name: str) -> str | None:
        """Give what a reader of the file gets for a name; None if that is nothing."""
        return values_of(_text(read(self.file, self.tree))).get(name) or None

    def name_of(self, value: str) -> str | None:
        """Give the first name that holds this value."""
        try:
            held = values_of(_text(read(self.file, self.tree)))
        except StoreError:  # `put` will say so
            return None
        return next((name for name, other in held.items() if other == value and VARIABLE.fullmatch(name)), None)

    def put(self, moves: Sequence[Move]) -> Receipt:
        """Write the keys that the file does not hold yet; see `KeyStore.put`."""
        wanted = distinct(moves)
        place = display(self.file)
        if not wanted:
            return Receipt(place)
        self._check(wanted)
        folder = os.path.dirname(os.path.realpath(self.file))
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise failed(self.file, "cannot be written", error) from None
        _sweep(folder)
        files = list(ignore(self.tree, [self.file]))
        written: dict[str, None] = {}

        def change(old: bytes | None) -> bytes:
            new, names = self._placed(old, wanted)
            written.clear()  # what another process wrote since the last try is kept
            written.update(dict.fromkeys(names))
            return new

        rewrite(self.file, self.tree, change, mode=_PRIVATE)
        _owner_only(self.file)
        self._read_back(wanted)
        files += self._in_template(wanted)
        kept = tuple(name for name in wanted if name not in written)
        return Receipt(place, tuple(written), kept, (self.file, *files))

    def _check(self, wanted: Mapping[str, str]) -> None:
        """Refuse what cannot be written before anything is changed, `.gitignore` included."""
        old = read(self.file, self.tree)
        self._placed(old, wanted)
        if old is None or not hasattr(os, "geteuid"):
            return
        owner = os.stat(self.file).st_uid
        if os.geteuid() not in {0, owner}:
            # A file that replaces it would be ours, and closed to its owner.
            message = f"{display(self.file)} belongs to another user; take it over, or name another file"
            raise StoreError(message)

    def _placed(self, old: bytes | None, wanted: Mapping[str, str]) -> tuple[bytes, tuple[str, ...]]:
        place, data = display(self.file), old or b""
        if data.startswith(_WIDE_MARKS) or b"\0" in data:
            message = f"{place} is no UTF-8 text, so nothing that reads env files can read it; save it as UTF-8"
            raise StoreError(message)
        if any(mark in b"\n" + data for mark in _SEALED):
            message = (
                f"{place} is encrypted as a whole; add the key with the tool that did it, or choose another env-file"
            )
            raise StoreError(message)
        text = _text(old)
        held = values_of(text)
        is_free = {}
        for name, value in wanted.items():
            other = held.get(name)
            if other and other != value:
                is_free[name] = _asks_for_key(other)
                if not is_free[name]:
                    raise taken(name, place)
        try:
            result = placed(text, wanted, is_free)
        except StoreError as error:
            message = f"{place}: {error}"
            raise StoreError(message) from None
        return result.text.encode("utf-8", "surrogateescape"), result.written

    def _read_back(self, wanted: Mapping[str, str]) -> None:
        held = values_of(_text(read(self.file, self.tree)))
        missing = [name for name, value in wanted.items() if held.get(name) != value]
        if missing:
            message = f"{display(self.file)} does not hold {', '.join(missing)} after it was written; run this again"
            raise StoreError(message)

    def _in_template(self, wanted: Mapping[str, str]) -> list[str]:
        """Add names to the file that others copy from; the keys are stored by now, so a failure here fails nothing."""
        folder = os.path.dirname(self.file)
        names = [f"{os.path.basename(self.file)}.example", *_TEMPLATES]
        found = next((name for name in names if os.path.isfile(os.path.join(folder, name))), _TEMPLATES[0])
        file = os.path.join(folder, found)
        try:
            changed = rewrite(file, self.tree, lambda old: _with_names(old, list(wanted)))
        except StoreError:
            return []
        return [os.path.realpath(file)] if changed else []


def _text(data: bytes | None) -> str:
    """Decode such that every byte can be given back; a byte order mark stays the character that it is."""
    return (data or b"").decode("utf-8", "surrogateescape")


def _with_names(old: bytes | None, names: Sequence[str]) -> bytes:
    """Add a line for each name that a template does not have, not even in a comment."""
    data = old or b""
    if data.startswith(_WIDE_MARKS) or b"\0" in data:
        return data
    text = _text(data.removeprefix(_BOM))
    known = {binding.name for binding in bindings(text)}
    known |= {line.lstrip("# \t").removeprefix("export ").split("=")[0].strip() for line in text.splitlines()}
    end = b"\r\n" if b"\r\n" in data else b"\n"
    missing = [name.encode() + b"=" + end for name in names if name not in known]
    return b"".join([data, end if missing and data and not data.endswith(b"\n") else b"", *missing])


def _asks_for_key(value: str) -> bool:
    """Tell whether a value only asks for a key (`your-key-here`); a dummy that servers accept is a value."""
    from keyguard.catalogue import load  # noqa: PLC0415  # 10 ms, where a name is in the file with another value
    from keyguard.secrets.placeholders import asks_for_key  # noqa: PLC0415  # as above

    return asks_for_key(value, load())


def _sweep(folder: str) -> None:
    """Remove what a killed writer left: it holds what the file was to hold, keys included."""
    begin, end = _LEFTOVER
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not (entry.name.startswith(begin) and entry.name.endswith(end)):
                continue
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and time.time() - status.st_mtime > _STALE:
                os.unlink(entry.path)


def _owner_only(file: str) -> None:
    """Close a file to everybody but its owner on Windows, where modes do not say that, as well as it can be done."""
    if os.name != "nt":
        return
    import subprocess  # noqa: PLC0415  # 4 ms, on one system

    with contextlib.suppress(OSError):
        subprocess.run(icacls(file, os.environ.get("USERNAME", "")), capture_output=True, check=False)  # noqa: S603


def icacls(file: str, user: str) -> list[str]:
    """Give the command that takes inherited rights away and leaves one user all of them."""
    command = os.path.join(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "icacls.exe")
    return [command, file, "/inheritance:r", "/grant:r", f"{user}:F"]
