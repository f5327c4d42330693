"""The env file: keys by name in the one format that bash, python-dotenv and docker compose read alike."""

from __future__ import annotations

import contextlib
import io
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from dotenv.parser import parse_stream

from keyguard.files import ChangedMeanwhile, write_atomically
from keyguard.keystore import Receipt, StoreError
from keyguard.keystore.ignoring import ignore
from keyguard.source import Undecodable, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keyguard.model import Move
    from keyguard.source import SourceFile

# ruff: noqa: PTH100, PTH118, PTH120, PTH123  # os.path, as in discover: pathlib costs 8 ms

_PLAIN = re.compile(r"[A-Za-z0-9_./:=+@%,-]+")  # what no reader takes for anything else without quotes
# What single quotes do not keep everywhere: bash ends at a quote, python-dotenv reads `\'` and fills `${…}` in, docker
# compose reads `\'` as well.
_UNQUOTABLE = re.compile(r"['\\\r\n\0]|\$\{")
_TEMPLATES = (".env.example", ".env.sample", ".env.template", ".env.dist")
_TRIES = 5  # another program may write the same file at the same moment


class _Binding(NamedTuple):
    name: str
    value: str
    start: int
    end: int


class EnvFile:
    """A file of `NAME=value` lines; every line that keyguard did not write stays byte for byte."""

    kind = "env-file"

    def __init__(self, path: str, root: str) -> None:
        """Use the file at `path`, from `root`; it need not exist."""
        self._root = os.path.abspath(root)
        self._path = os.path.join(self._root, path)

    def lookup(self, name: str) -> str | None:
        """Give the value of a name; the last line counts, as it does for every reader."""
        return self._values().get(name)

    def name_of(self, value: str) -> str | None:
        """Give the first name that holds a value."""
        return next((name for name, held in self._values().items() if held == value), None)

    def _values(self) -> Mapping[str, str]:
        data = self._read()
        return {} if data is None else {one.name: one.value for one in _bindings(self._decoded(data).text)}

    def put(self, moves: Sequence[Move]) -> Receipt:
        """Write the keys that are not there yet, mode 0600, once git ignores the file; then read all back.

        Raises:
            StoreError: see `KeyStore.put`.
        """
        for move in moves:
            _check(move)
        name = os.path.relpath(self._path, self._root).replace(os.sep, "/")
        changed = list(ignore(self._root, (name,)))
        with self._locked():
            written = self._write(moves)
        held = self._values()
        missing = [move.name for move in moves if held.get(move.name) != move.secret.value]
        if missing:
            msg = f"{name}: {', '.join(missing)} could not be read back from it, so the code was left as it is"
            raise StoreError(msg)
        changed += self._template(tuple(move.name for move in moves))
        kept = tuple(move.name for move in moves if move.name not in written)
        return Receipt(_shown(self._path), written, kept, (self._path, *changed))

    def _write(self, moves: Sequence[Move]) -> tuple[str, ...]:
        for _ in range(_TRIES):
            before = self._read()
            source = self._decoded(before or b"")
            text, written = _with_keys(source.text, moves, _shown(self._path))
            try:
                data = encode(source, text)
                write_atomically(self._path, data, expect=before, mode=0o600, root=self._root)
            except ChangedMeanwhile:
                continue
            except (OSError, UnicodeError) as error:
                reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
                msg = f"{_shown(self._path)} could not be written ({reason}), so the code was left as it is"
                raise StoreError(msg) from error
            return written
        msg = f"{_shown(self._path)} changes all the time, so the code was left as it is"
        raise StoreError(msg)

    def _read(self) -> bytes | None:
        try:
            with open(self._path, "rb") as stream:
                return stream.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            msg = f"{_shown(self._path)} could not be read ({error.strerror}), so the code was left as it is"
            raise StoreError(msg) from error

    def _decoded(self, data: bytes) -> SourceFile:
        try:
            return decode(self._path, data, kind="env")
        except Undecodable as error:
            msg = f"{_shown(self._path)} is no text ({error.reason}), so the code was left as it is"
            raise StoreError(msg) from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep a second keyguard out while this one writes: a lock on the folder leaves nothing behind."""
        try:
            import fcntl  # noqa: PLC0415  # not on Windows, where a file that changed meanwhile is read again
        except ImportError:
            yield
            return
        descriptor = os.open(os.path.dirname(self._path), os.O_RDONLY)
        try:
            with contextlib.suppress(OSError):  # some networks have no locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _template(self, names: Sequence[str]) -> list[str]:
        """Tell who clones which names there are: in the project's template, or a new one; never a value."""
        folder = os.path.dirname(self._path)
        found = next((name for name in _TEMPLATES if os.path.lexists(os.path.join(folder, name))), _TEMPLATES[0])
        path = os.path.join(folder, found)
        try:
            with open(path, "rb") as stream:
                before: bytes | None = stream.read()
        except FileNotFoundError:
            before = None
        except OSError:
            return []
        # A template that cannot be read or written costs nobody a key.
        with contextlib.suppress(OSError, Undecodable, ChangedMeanwhile, UnicodeError):
            source = decode(path, before or b"", kind="env")
            held = {one.name for one in _bindings(source.text)}
            lines = [f"{name}=" for name in names if name not in held]
            if lines:
                write_atomically(path, encode(source, _appended(source.text, lines)), expect=before, root=self._root)
                return [path]
        return []


def _check(move: Move) -> None:
    """Refuse a value that no form of the file keeps for every reader."""
    if _PLAIN.fullmatch(move.secret.value) is None and _UNQUOTABLE.search(move.secret.value):
        msg = (
            f"{move.name}: its key holds a quote, a backslash, `${{` or a line end, which bash, python-dotenv and "
            "docker compose do not read alike; use another --key-store"
        )
        raise StoreError(msg)


def _bindings(text: str) -> Iterator[_Binding]:
    """The lines of an env file that give a name a value, as python-dotenv reads them, with their place."""
    place = 0
    for found in parse_stream(io.StringIO(text, newline="")):
        end = place + len(found.original.string)
        if found.key is not None and not found.error:
            yield _Binding(found.key, found.value or "", place, end)
        place = end


def _with_keys(text: str, moves: Sequence[Move], shown: str) -> tuple[str, tuple[str, ...]]:
    """Add the keys that are not there: to the line of their name if it is empty or a placeholder, else behind all."""
    held = {one.name: one for one in _bindings(text)}
    edits: list[tuple[int, int, str]] = []
    lines: list[str] = []
    written: list[str] = []
    for move in moves:
        line = f"{move.name}={_quoted(move.secret.value)}"
        one = held.get(move.name)
        if one is not None and one.value == move.secret.value:
            continue
        if one is None:
            lines.append(line)
        elif not one.value.strip():
            old = text[one.start : one.end]
            lead = old[: len(old) - len(old.lstrip("\r\n"))]
            body = old[len(lead) :]
            exported = re.match(r"[ \t]*export[ \t]+", body)
            ending = body[len(body.rstrip("\r\n")) :]
            edits.append((one.start, one.end, f"{lead}{exported[0] if exported else ''}{line}{ending}"))
        else:
            msg = f"{shown}: {move.name} already holds another key, which is not overwritten; rename one of them"
            raise StoreError(msg)
        written.append(move.name)
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return _appended(text, lines), tuple(written)


def _appended(text: str, lines: Sequence[str]) -> str:
    if not lines:
        return text
    ending = "\r\n" if "\r\n" in text else "\n"
    gap = ending if text and not text.endswith(("\n", "\r")) else ""
    return text + gap + "".join(f"{line}{ending}" for line in lines)


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else f"'{value}'"


def _shown(path: str) -> str:
    from keyguard.settings import display  # noqa: PLC0415  # in memory already

    return display(path)
