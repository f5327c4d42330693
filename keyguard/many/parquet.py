"""The tables of a store as Parquet files, for tools that read whole columns: one file a table."""

from __future__ import annotations

import os
from contextlib import suppress

from keyguard.discover import shown
from keyguard.errors import UsageError
from keyguard.many.store import reading
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from typing import Any

# ruff: noqa: PTH103, PTH105, PTH108, PTH118  # os.path, as everywhere in this room

TABLES = ("audits", "repositories", "leaks", "sightings", "commits", "connections")
_AT_ONCE = 20_000  # rows of one group: 20 MB of sightings
# What SQLite says of a column's type, and its yes and no.
_NUMBERS = "INTEGER"
_FLAGS = ("is_", "at_head", "on_disk")


def export(path: str, folder: str, *, advance: Callable[[int], None] = lambda _: None) -> tuple[str, ...]:
    """Write the tables of the store at `path` as `folder/<table>.parquet`, readable by their owner alone.

    The columns are the store's, dates as text in ISO 8601. Each file is replaced as a whole. `advance` hears of rows
    written. Gives the files' paths.

    Raises:
        UsageError: pyarrow is not installed, the store cannot be read, or the folder cannot be written.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415  # 0.2 s, and an extra
        from pyarrow import parquet as pq  # noqa: PLC0415  # as above
    except ImportError as error:
        msg = "Parquet needs pyarrow: pip install 'keyguard[parquet]'"
        raise UsageError(msg) from error
    files = []
    with reading(path) as connection:
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            for table in TABLES:
                file = os.path.join(folder, f"{table}.parquet")
                _write(pa, pq, connection, table, file, advance)
                files.append(file)
        except OSError as error:
            msg = f"{shown(folder)}: {error.strerror or error}"
            raise UsageError(msg) from error
    return tuple(files)


def _write(  # noqa: PLR0913, PLR0917  # two modules, and what goes where
    pa: Any,  # noqa: ANN401  # pyarrow
    pq: Any,  # noqa: ANN401  # its part for Parquet
    connection: sqlite3.Connection,
    table: str,
    file: str,
    advance: Callable[[int], None],
) -> None:
    columns = [(name, kind) for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")]
    schema = pa.schema([(name, _type(pa, name, kind)) for name, kind in columns])
    names = ", ".join(name for name, _ in columns)
    rows = connection.execute(f"SELECT {names} FROM {table} ORDER BY 1")  # noqa: S608  # names of the schema
    temporary = f"{file}.{os.getpid()}.tmp"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream, pq.ParquetWriter(stream, schema) as writer:
            while some := rows.fetchmany(_AT_ONCE):
                held = zip(columns, zip(*some, strict=True), strict=True)
                values = [[_value(name, kind, value) for value in given] for (name, kind), given in held]
                writer.write_table(pa.table(values, schema=schema))
                advance(len(some))
        os.replace(temporary, file)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _type(pa: Any, name: str, kind: str) -> Any:  # noqa: ANN401  # pyarrow's module and type
    if kind != _NUMBERS:
        return pa.string()
    return pa.bool_() if name.startswith(_FLAGS) else pa.int64()


def _value(name: str, kind: str, value: Any) -> Any:  # noqa: ANN401  # SQLite's types
    if isinstance(value, bytes):  # a path that is no UTF-8
        return value.decode("utf-8", "backslashreplace")
    return bool(value) if kind == _NUMBERS and name.startswith(_FLAGS) and value is not None else value
