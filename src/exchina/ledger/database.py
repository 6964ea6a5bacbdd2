"""The rows of a ledger in SQLite, through SQLAlchemy Core; the database itself refuses to change or delete one."""

import json
import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event

from exchina.errors import Problem, PublicationError
from exchina.ledger.chain import RESTORE, Sealed, canonical, columns_of

BUSY_SECONDS = 30
Made = TypeVar("Made")
TYPES = {str: sa.String, int: sa.Integer, float: sa.Float}


def table_of(name: str, columns: Mapping[str, type], key: Sequence[str]) -> sa.Table:
    """The table of one kind of row.

    Args:
        name: of the table.
        columns: the fields between sequence and the two hashes, each str, int or float (which may be empty).
        key: the fields that no two rows have alike.
    """
    return sa.Table(
        name,
        sa.MetaData(),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(column, TYPES[kind], nullable=kind is float) for column, kind in columns.items()),
        sa.Column("previous_hash", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False, unique=True),
        sa.UniqueConstraint(*key, name="key"),
    )


def _guards(table: sa.Table) -> list[str]:
    """Triggers that refuse a change; a row that REPLACE takes out fires no delete trigger, so its insert is refused."""
    key = next([c.name for c in one.columns] for one in table.constraints if one.name == "key")  # pyright: ignore[reportAttributeAccessIssue]
    mine, new = ", ".join(key), ", ".join(f"NEW.{name}" for name in key)
    taken = (
        f"WHEN EXISTS (SELECT 1 FROM {table.name} WHERE sequence = NEW.sequence OR hash = NEW.hash "
        f"OR ({mine}) = ({new}))"
    )
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table.name}_no_{name} BEFORE {verb} ON {table.name} {condition} "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
        for name, verb, condition in (("update", "UPDATE", ""), ("delete", "DELETE", ""), ("replace", "INSERT", taken))
    ]


@contextmanager
def connected(database: Path, begin: str = "BEGIN") -> Generator[sa.Connection]:
    """A connection to an SQLite file that waits for other writers and survives a power cut.

    Args:
        database: the file; SQLite creates it if it is missing.
        begin: how a transaction starts; ``BEGIN IMMEDIATE`` shuts out other writers from its start.
    """
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(database)), poolclass=sa.NullPool, connect_args={"timeout": BUSY_SECONDS}
    )

    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the BEGIN below shall be the only one
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous=FULL")

    event.listen(engine, "connect", prepare)

    def start(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "begin", start)
    with engine.connect() as connection:
        yield connection


def _write_ahead(connection: Any) -> None:
    """Switch to a write-ahead log; while another writes, SQLite refuses that at once, whatever the timeout."""
    deadline = monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            sleep(0.01)
        else:
            return


def read_rows(connection: sa.Connection, table: sa.Table, made: Callable[[dict[str, Any]], Made]) -> list[Made]:
    """Every row by sequence; none where the table was not yet made.

    Args:
        connection: to the database.
        table: of `table_of`.
        made: the row from its columns; a column ``files`` or ``inputs`` comes as a mapping.

    Raises:
        PublicationError: a row is not what `add_row` writes.
    """
    if not sa.inspect(connection).has_table(table.name):
        return []
    listed = connection.execute(sa.select(table).order_by(table.c.sequence)).mappings()
    return [_read(row, made, Path(connection.engine.url.database or "").name) for row in listed]


def add_row(connection: sa.Connection, table: sa.Table, entry: Sealed) -> None:
    """Insert a row, making the table and its guards first where they are missing; the caller commits."""
    table.create(connection, checkfirst=True)
    for guard in _guards(table):
        connection.exec_driver_sql(guard)
    connection.execute(table.insert().values({name: _stored(value) for name, value in columns_of(entry).items()}))


def _stored(value: Any) -> Any:
    if isinstance(value, Mapping):
        return canonical(value)
    return value.isoformat() if isinstance(value, date) else value


def _read(row: Mapping[Any, Any], made: Callable[[dict[str, Any]], Made], where: str) -> Made:
    try:
        fields: dict[str, Any] = dict(row)
        fields |= {name: dict(json.loads(row[name])) for name in ("files", "inputs") if name in fields}
        return made(fields)
    except (TypeError, ValueError) as fault:
        what = f"is not a row that exchina wrote: {fault}"
        raise PublicationError(Problem(f"{where} row {row['sequence']}", what, RESTORE)) from fault
