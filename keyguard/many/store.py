"""Keeps an audit in one SQLite file: whole after a kill, readable by its owner alone, and without a single key.

A repository goes in as a whole or not at all, in place of what was there of it, so putting it again changes nothing.
What a key comes to over all repositories is summed up afterwards, for the keys whose places changed.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import urllib.parse
from collections import defaultdict
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timezone
from importlib import resources

from keyguard import __version__
from keyguard.audit.ranking import by_urgency
from keyguard.discover import shown
from keyguard.errors import UsageError
from keyguard.leaks import RANKS, Audit, Audited, Leak, Moment, Sighting
from keyguard.many import codec
from keyguard.model import Severity
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from keyguard.inventory import Row
    from keyguard.leaks import Verdict
    from keyguard.model import Notice

    # Sums up one key: its name; its sightings, with those of other keys in files where a connection is given a literal
    # key; these connections, with their repository's name; and what was heard of it before.
    Group = Callable[[str, Sequence[Sighting], Sequence[tuple[str, Row]], Verdict | None], Leak]

# os and not pathlib: a file's mode is given when it is made, not after, and its name may be any bytes.
# ruff: noqa: PTH100, PTH123

SCHEMA = 1
_OURS = 0x4B474155  # "KGAU": the application's id in the file's header
_HEADER = b"SQLite format 3\0"
_AT_ONCE = 500  # keys that are summed up in one transaction
_SEVERITIES = {severity.label: severity for severity in Severity}
_COUNTS = ("head", "files", "commits", "blobs", "size", "refs", "missing", "is_shallow", "error", "is_complete")

_SIGHTINGS = """
SELECT sightings.id, sightings.key, sightings.place, repositories.name, finding_json, kind, blob,
  first_commit, brought.date, brought.author, brought.subject, last_commit, taken.date, taken.author, taken.subject,
  at_head, on_disk, refs_json, ref_count
FROM sightings
JOIN repositories ON repositories.id = sightings.repository AND repositories.is_listed
LEFT JOIN commits AS brought ON brought.repository = sightings.repository AND brought.id = first_commit
LEFT JOIN commits AS taken ON taken.repository = sightings.repository AND taken.id = last_commit
"""


class Found(NamedTuple):
    """What was found in one repository; the order of sightings and rows is kept.

    Their repository's name is the store's affair: it is the one in `audited`.
    """

    audited: Audited
    sightings: tuple[Sighting, ...] = ()
    rows: tuple[Row, ...] = ()
    notices: tuple[Notice, ...] = ()


class Store:
    """One store, open for writing; made by `open_store`, which closes it."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        """Use a connection to a store of this version."""
        self._connection, self._path = connection, path
        self._audit = _newest(connection)

    def begin(self, repositories: Iterable[tuple[str, str]]) -> None:
        """Begin an audit of these repositories, each a name and the path as it was given, in this order.

        What is known of others stays in the file, unlisted: it counts again once a list has them.
        """
        with self._transaction() as connection:
            done = connection.execute("INSERT INTO audits (started, version) VALUES (?, ?)", (_now(), __version__))
            self._audit = int(done.lastrowid or 0)
            connection.execute("CREATE TEMP TABLE IF NOT EXISTS listed (name TEXT PRIMARY KEY, path, number INTEGER)")
            connection.execute("DELETE FROM listed")
            connection.executemany(
                "INSERT INTO listed VALUES (?, ?, ?)",
                ((_text(name), _path(path), number) for number, (name, path) in enumerate(repositories)),
            )
            # Repositories that come or go change what their keys come to.
            connection.execute(
                "INSERT OR IGNORE INTO stale SELECT DISTINCT key FROM sightings WHERE key IS NOT NULL AND repository IN"
                " (SELECT id FROM repositories WHERE is_listed <> (name IN (SELECT name FROM listed)))"
            )
            connection.execute("UPDATE repositories SET is_listed = name IN (SELECT name FROM listed)")
            connection.execute(
                "INSERT INTO repositories (name, path, number) SELECT name, path, number FROM listed WHERE true"
                " ON CONFLICT (name) DO UPDATE SET path = excluded.path, number = excluded.number"
            )

    def known(self) -> dict[str, str]:
        """Give by name the state of each listed repository that was read to its end."""
        return dict(
            self._connection.execute(
                "SELECT name, state FROM repositories"
                " WHERE is_listed AND is_complete AND error IS NULL AND state IS NOT NULL"
            )
        )

    def confirm(self, name: str) -> None:
        """Note that a repository is as it was when it was read last."""
        with self._transaction() as connection:
            connection.execute("UPDATE repositories SET audit = ? WHERE name = ?", (self._audit, _text(name)))

    def put(self, found: Found, state: str | None = None) -> None:
        """Put what was found in a repository of this audit in the place of what is there of it.

        `state` names what it held; None if it must be read again in any case.
        """
        audited = found.audited
        with self._transaction() as connection:
            (number,) = connection.execute(
                "SELECT id FROM repositories WHERE name = ?", (_text(audited.name),)
            ).fetchone()
            stale = (
                "INSERT OR IGNORE INTO stale SELECT DISTINCT key FROM sightings WHERE repository = ? AND key NOT NULL"
            )
            connection.execute(stale, (number,))
            for table in ("sightings", "commits", "connections"):
                connection.execute(f"DELETE FROM {table} WHERE repository = ?", (number,))  # noqa: S608  # names above
            _insert(connection, "sightings", (_sighting(number, *item) for item in enumerate(found.sightings)))
            moments = [(one.first, one.last) for one in found.sightings]
            met = {moment.commit: moment for pair in moments for moment in pair if moment is not None}
            _insert(connection, "commits", (_commit(number, moment) for moment in met.values()))
            _insert(connection, "connections", (_connection(number, *item) for item in enumerate(found.rows)))
            connection.execute(stale, (number,))
            values = {name: getattr(audited, name) for name in _COUNTS}
            values.update(head=_text(audited.head), error=_text(audited.error), audit=self._audit, state=state)
            values.update(notices_json=codec.notices_text(found.notices))
            assignments = ", ".join(f"{name} = :{name}" for name in values)
            connection.execute(f"UPDATE repositories SET {assignments} WHERE id = :id", {**values, "id": number})  # noqa: S608  # names of fields

    def settle(self, group: Group) -> None:
        """Sum up every key whose sightings changed; a verdict stays until there is a newer one.

        What `group` gives counts but for its sightings, of which only the order is kept.
        """
        keys = [key for (key,) in self._connection.execute("SELECT key FROM stale")]
        for at in range(0, len(keys), _AT_ONCE):
            with self._transaction() as connection:
                for key in keys[at : at + _AT_ONCE]:
                    self._settle(connection, key, group)

    def put_leaks(self, leaks: Iterable[Leak]) -> None:
        """Put sums of keys in the place of those that are there: with a verdict, or compared with another audit."""
        with self._transaction() as connection:
            for leak in leaks:
                ids = self._of_key(connection, leak.key)
                self._put_leak(connection, leak, ids)

    def finish(self, notices: Sequence[Notice] = (), *, is_complete: bool = True) -> None:
        """End the audit; `is_complete` says that every repository had its turn."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE audits SET finished = ?, is_complete = ?, notices_json = ? WHERE id = ?",
                (_now(), is_complete, codec.notices_text(notices), self._audit),
            )

    def put_audit(self, audit: Audit) -> None:
        """Put a whole audit: its repositories become the store's list."""
        self.begin((one.name, one.path) for one in audit.repositories)
        sightings, rows = defaultdict(list), defaultdict(list)
        alone = audit.repositories[0].name if len(audit.repositories) == 1 else ""
        for sighting in (*(one for leak in audit.leaks for one in leak.sightings), *audit.others):
            sightings[sighting.repository or alone].append(sighting)
        for name, row in audit.rows:
            rows[name or alone].append(row)
        for one in audit.repositories:
            self.put(Found(one, tuple(sightings[one.name]), tuple(rows[one.name])))
        self.put_leaks(audit.leaks)
        with self._transaction() as connection:
            connection.execute("DELETE FROM leaks WHERE key NOT IN (SELECT key FROM sightings WHERE key NOT NULL)")
            connection.execute("DELETE FROM stale")
        self.finish(audit.notices, is_complete=audit.is_complete)

    def read(self) -> Audit:
        """Give the audit as it is now."""
        return _audit(self._connection)

    def _settle(self, connection: sqlite3.Connection, key: str, group: Group) -> None:
        ids = self._of_key(connection, key)
        if ids:
            held = connection.execute("SELECT leak_json FROM leaks WHERE key = ?", (key,)).fetchone()
            verdict = None if held is None else codec.leak_parts(held[0])["verdict"]
            rows = self._around(connection, key)
            others = self._beside(connection, key) if rows else []
            self._put_leak(connection, group(key, [*(one for _, one in ids), *others], rows, verdict), ids)
        else:
            connection.execute("DELETE FROM leaks WHERE key = ?", (key,))
        connection.execute("DELETE FROM stale WHERE key = ?", (key,))

    @staticmethod
    def _around(connection: sqlite3.Connection, key: str) -> list[tuple[str, Row]]:
        """The connections with a literal key in files that hold a key."""
        naming = _naming(connection)
        query = (
            "SELECT repositories.name, row_json FROM connections"
            " JOIN repositories ON repositories.id = connections.repository AND is_listed"
            " WHERE connections.id IN (SELECT there.id FROM sightings AS own JOIN connections AS there"
            " ON there.repository = own.repository AND there.key_kind = 'literal' AND there.path = own.path"
            " WHERE own.key = ?) ORDER BY repositories.number, connections.number"
        )
        return [(name if naming else "", codec.row_of(text)) for name, text in connection.execute(query, (key,))]

    @staticmethod
    def _beside(connection: sqlite3.Connection, key: str) -> list[Sighting]:
        """The sightings of other keys in files that hold a key."""
        naming = _naming(connection)
        query = (
            f"{_SIGHTINGS} WHERE sightings.key <> :key AND sightings.id IN (SELECT beside.id FROM sightings AS own"  # noqa: S608  # a constant
            " JOIN sightings AS beside ON beside.repository = own.repository AND beside.path = own.path"
            " WHERE own.key = :key) ORDER BY repositories.number, sightings.number"
        )
        return [_sighting_of(row, naming=naming) for row in connection.execute(query, {"key": key})]

    @staticmethod
    def _of_key(connection: sqlite3.Connection, key: str) -> list[tuple[int, Sighting]]:
        naming = _naming(connection)
        query = f"{_SIGHTINGS} WHERE sightings.key = ? ORDER BY repositories.number, sightings.number"
        return [(row[0], _sighting_of(row, naming=naming)) for row in connection.execute(query, (key,))]

    @staticmethod
    def _put_leak(connection: sqlite3.Connection, leak: Leak, ids: Sequence[tuple[int, Sighting]]) -> None:
        _insert(connection, "leaks", [_leak(leak, ids)])
        # The leak's own order: where two sightings are equal, either may come first.
        order: dict[Sighting, list[int]] = {}
        for place, sighting in enumerate(leak.sightings):
            order.setdefault(sighting, []).append(place)
        connection.executemany(
            "UPDATE sightings SET place = ? WHERE id = ?",
            ((places.pop(0) if (places := order.get(sighting)) else None, number) for number, sighting in ids),
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:  # Ctrl-C, too
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise _unusable(self._path, str(error)) from error


@contextmanager
def open_store(path: str) -> Iterator[Store]:
    """Open a store for writing, or make it, readable by its owner alone (mode 0600).

    While it is open its last changes stand in a second file beside it (`-wal`), from where they are taken after a kill.

    Raises:
        UsageError: the path is taken by something else, or a newer keyguard made the store, or it cannot be written.
    """
    try:
        _claim(path)
        connection = sqlite3.connect(path, timeout=10, isolation_level=None)
    except (OSError, ValueError, sqlite3.Error) as error:
        raise _unusable(path, getattr(error, "strerror", None) or str(error)) from error
    with closing(connection):
        try:
            _check(connection, path)
            # A file system without shared memory keeps the other mode, which is slower and as safe.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            if not _version(connection):
                schema = resources.files("keyguard.many").joinpath("schema.sql").read_text("utf-8")
                marks = f"PRAGMA application_id = {_OURS}; PRAGMA user_version = {SCHEMA};"
                connection.executescript(f"BEGIN IMMEDIATE; {schema} {marks} COMMIT;")
            yield Store(connection, path)
        except sqlite3.Error as error:
            raise _unusable(path, str(error)) from error
        finally:
            # One file, which can be read where nothing can be written.
            with suppress(sqlite3.Error):
                connection.execute("PRAGMA journal_mode = DELETE")


def read(path: str) -> Audit:
    """Read the audit in a store; one that was killed gives what it had found until then.

    Raises:
        UsageError: there is no store at `path`, it is damaged, or a newer keyguard made it.
    """
    with reading(path) as connection:
        return _audit(connection)


@contextmanager
def reading(path: str) -> Iterator[sqlite3.Connection]:
    """Open a store to ask it with SQL; raises UsageError as `read` does, and for rows that are not as they should."""
    try:
        with open(path, "rb") as stream:
            if stream.read(len(_HEADER)) != _HEADER:
                msg = f"{shown(path)}: this is no store of an audit"
                raise UsageError(msg)
        location = f"file:{urllib.parse.quote(os.fsencode(os.path.abspath(path)))}?mode=ro"
        connection = sqlite3.connect(location, timeout=10, isolation_level=None, uri=True)
    except (OSError, ValueError, sqlite3.Error) as error:
        raise _unusable(path, getattr(error, "strerror", None) or str(error)) from error
    with closing(connection):
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            _check(connection, path)
            if not _version(connection):
                msg = f"{shown(path)}: this is no store of an audit"
                raise UsageError(msg)
            connection.execute("BEGIN")  # all of it is of one moment
            yield connection
        except (sqlite3.Error, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise _unusable(path, f"the store is damaged ({type(error).__name__})") from error


def summed_up(
    key: str, sightings: Sequence[Sighting], _: Sequence[tuple[str, Row]] = (), verdict: Verdict | None = None
) -> Leak:
    """Sum up a key by nothing but its sightings: what a store says of one that was never settled."""
    own = tuple(one for one in sightings if one.finding.key == key)
    first = own[0].finding
    moments = [one.first for one in own if one.first is not None]
    return Leak(
        key,
        "head" if any(one.is_present for one in own) else "history",
        first.provider,
        first.masked or "",
        max(one.finding.severity for one in own),
        own,
        first=min(moments, default=None, key=lambda moment: moment.date),
        at_head=any(one.at_head for one in own if one.kind == "file"),
        verdict=verdict,
    )


# The file -------------------------------------------------------------------------------------------------------------


def _claim(path: str) -> None:
    """Make the file, or see that what is there may be a store; nobody else may read it."""
    no_follow = getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | no_follow, 0o600)
    except FileExistsError:
        descriptor = os.open(path, os.O_RDWR | no_follow | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode) or stream.read(len(_HEADER)) not in {b"", _HEADER}:
            msg = f"{shown(path)}: this is no store of an audit; name another file"
            raise UsageError(msg)
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, 0o600)


def _check(connection: sqlite3.Connection, path: str) -> None:
    (ours,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if ours != _OURS and tables:
        msg = f"{shown(path)}: this is another program's database; name another file"
        raise UsageError(msg)
    if _version(connection) > SCHEMA:
        msg = f"{shown(path)}: a newer keyguard made this store; update keyguard, or name another file"
        raise UsageError(msg)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _unusable(path: str, reason: str) -> UsageError:
    return UsageError(f"{shown(path)}: {reason}")


def _newest(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM audits").fetchone()[0])


def _naming(connection: sqlite3.Connection) -> bool:
    """Tell whether sightings say their repository's name: in an audit of only one they do not."""
    (count,) = connection.execute("SELECT count(*) FROM repositories WHERE is_listed").fetchone()
    return bool(count != 1)


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


# Rows -----------------------------------------------------------------------------------------------------------------


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Insert or replace rows that all have the same columns."""
    iterator = iter(rows)
    first = next(iterator, None)
    if first is not None:
        columns, values = ", ".join(first), ", ".join(f":{name}" for name in first)
        statement = f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({values})"  # noqa: S608  # names of this module
        connection.execute(statement, first)
        connection.executemany(statement, iterator)


def _text(value: str | None) -> str | None:
    """A text as SQLite takes it; the JSON beside it has it as it was."""
    return None if value is None else value.encode("utf-8", "backslashreplace").decode("utf-8")


def _path(value: str) -> str | bytes:
    """A path; one that is no UTF-8 is kept as its bytes."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape")
    return value


def _sighting(repository: int, number: int, sighting: Sighting) -> dict[str, Any]:
    finding = sighting.finding
    return {
        "repository": repository,
        "number": number,
        "key": finding.key,
        "rule": finding.rule,
        "severity": finding.severity.label,
        "provider": _text(finding.provider),
        "masked": _text(finding.masked),
        "message": _text(finding.message),
        "path": _text(finding.path),
        "line": finding.line,
        "col": finding.column,
        "kind": sighting.kind,
        "blob": sighting.blob,
        "first_commit": sighting.first and sighting.first.commit,
        "last_commit": sighting.last and sighting.last.commit,
        "at_head": sighting.at_head,
        "on_disk": sighting.on_disk,
        "ref_count": sighting.ref_count,
        "refs_json": codec.dumps(sighting.refs),
        "finding_json": codec.finding_text(finding),
    }


def _commit(repository: int, moment: Moment) -> dict[str, Any]:
    return {
        "repository": repository,
        "id": moment.commit,
        "date": moment.date,
        "author": _text(moment.author),
        "subject": _text(moment.subject),
    }


def _connection(repository: int, number: int, row: Row) -> dict[str, Any]:
    return {
        "repository": repository,
        "number": number,
        "path": _text(row.path),
        "line": row.line,
        "col": row.column,
        "kind": row.kind,
        "name": _text(row.name),
        "library": _text(row.library),
        "host": _text(row.peer.host),
        "provider": _text(row.peer.provider),
        "route": row.peer.route,
        "key_kind": row.key.kind,
        "variables": _text(" ".join(row.sent)),
        "row_json": codec.row_text(row),
    }


def _leak(leak: Leak, ids: Sequence[tuple[int, Sighting]]) -> dict[str, Any]:
    return {
        "key": leak.key,
        "urgency": _rank(leak),
        "rank": leak.rank,
        "severity": leak.severity.label,
        "provider": _text(leak.provider),
        "masked": _text(leak.masked),
        "reach": _text(leak.reach),
        "at_head": leak.at_head,
        "first_date": leak.first and leak.first.date,
        "last_date": leak.last and leak.last.date,
        "places": len(ids),
        "repositories": len({sighting.repository for _, sighting in ids}),
        "is_new": leak.is_new,
        "verdict": leak.verdict and leak.verdict.state,
        "asked": leak.verdict and leak.verdict.at,
        "leak_json": codec.leak_text(leak),
    }


def _rank(leak: Leak) -> int:
    return RANKS.index(leak.rank) if leak.rank in RANKS else len(RANKS)


# An audit again -------------------------------------------------------------------------------------------------------


def _audit(connection: sqlite3.Connection) -> Audit:
    newest, naming = _newest(connection), _naming(connection)
    notices = connection.execute("SELECT notices_json FROM repositories WHERE is_listed ORDER BY number").fetchall()
    notices += connection.execute("SELECT notices_json FROM audits WHERE id = ?", (newest,)).fetchall()
    leaks, others = _leaks(connection, naming=naming)
    rows = connection.execute(
        "SELECT repositories.name, row_json FROM connections JOIN repositories"
        " ON repositories.id = connections.repository AND is_listed ORDER BY repositories.number, connections.number"
    )
    return Audit(
        tuple(_repositories(connection, newest)),
        leaks,
        others,
        tuple((name if naming else "", codec.row_of(text)) for name, text in rows),
        tuple(notice for (text,) in notices for notice in codec.notices_of(text)),
    )


def _repositories(connection: sqlite3.Connection, newest: int) -> Iterator[Audited]:
    columns = ", ".join(_COUNTS)
    listed = f"SELECT name, path, audit, {columns} FROM repositories WHERE is_listed ORDER BY number"  # noqa: S608  # names of fields
    for name, path, audit, *counts in connection.execute(listed):
        values = dict(zip(_COUNTS, counts, strict=True))
        values["is_shallow"] = bool(values["is_shallow"])
        values["is_complete"] = bool(values["is_complete"]) and audit == newest
        yield Audited(name, path if isinstance(path, str) else path.decode("utf-8", "surrogateescape"), **values)


def _leaks(connection: sqlite3.Connection, *, naming: bool) -> tuple[tuple[Leak, ...], tuple[Sighting, ...]]:
    """Give the leaks, most urgent first, and the findings that are about no key."""
    places: dict[str, list[tuple[int, Sighting]]] = {}
    others = []
    for row in connection.execute(f"{_SIGHTINGS} ORDER BY repositories.number, sightings.number"):
        sighting = _sighting_of(row, naming=naming)
        if row[1] is None:
            others.append(sighting)
        else:
            held = places.setdefault(row[1], [])
            held.append((len(held) if row[2] is None else row[2], sighting))
    leaks = []
    known = "SELECT key, rank, provider, masked, severity, reach, at_head, is_new, leak_json FROM leaks"
    for key, rank, provider, masked, severity, reach, at_head, is_new, text in connection.execute(known):
        # A killed store may still have the sum of a key that went with its repository.
        if key in places:
            fields = codec.leak_parts(text)
            fields.update(reach=reach, at_head=bool(at_head), is_new=None if is_new is None else bool(is_new))
            sightings = _in_order(places.pop(key))
            leaks.append(Leak(key, rank, provider, masked, _SEVERITIES[severity], sightings, **fields))
    leaks += [summed_up(key, _in_order(held)) for key, held in places.items()]
    return by_urgency(leaks), tuple(others)


def _in_order(held: list[tuple[int, Sighting]]) -> tuple[Sighting, ...]:
    return tuple(sighting for _, sighting in sorted(held, key=lambda item: item[0]))


def _sighting_of(row: Sequence[Any], *, naming: bool) -> Sighting:
    (_, _, _, repository, finding, kind, blob, *moments, at_head, on_disk, refs, ref_count) = row
    return Sighting(
        codec.finding_of(finding),
        repository if naming else "",
        kind,
        blob,
        Moment(*moments[:4]) if moments[0] is not None else None,
        Moment(*moments[4:]) if moments[4] is not None else None,
        bool(at_head),
        bool(on_disk),
        codec.strings_of(refs),
        ref_count,
    )
