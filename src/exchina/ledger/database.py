"""The rows of the ledger in SQLite, through SQLAlchemy Core; the database itself refuses to change or delete one."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from exchina.errors import Problem, PublicationError
from exchina.ledger.chain import RESTORE, canonical
from exchina.model import Publication

BUSY_SECONDS = 30
TABLE = sa.Table(
    "publications",
    sa.MetaData(),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    *(sa.Column(name, sa.String, nullable=False) for name in ("index_id", "what", "for_day")),
    sa.Column("revision", sa.Integer, nullable=False),
    *(sa.Column(name, sa.String, nullable=False) for name in ("published_at", "files", "inputs", "previous_hash")),
    sa.Column("hash", sa.String, nullable=False, unique=True),
    sa.UniqueConstraint("index_id", "what", "for_day", "revision"),
)
TAKEN = (
    "WHEN EXISTS (SELECT 1 FROM publications WHERE sequence = NEW.sequence OR hash = NEW.hash "
    "OR (index_id, what, for_day, revision) = (NEW.index_id, NEW.what, NEW.for_day, NEW.revision))"
)  # a row that REPLACE takes out fires no delete trigger
GUARDS = tuple(
    f"CREATE TRIGGER IF NOT EXISTS publications_no_{name} BEFORE {verb} ON publications {condition} "
    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    for name, verb, condition in (("update", "UPDATE", ""), ("delete", "DELETE", ""), ("replace", "INSERT", TAKEN))
)


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
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    event.listen(engine, "connect", prepare)

    def start(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "begin", start)
    with engine.connect() as connection:
        yield connection


def read_rows(connection: sa.Connection) -> list[Publication]:
    """Every row by sequence; none where the table was not yet made.

    Raises:
        PublicationError: a row is not what this module writes.
    """
    if not sa.inspect(connection).has_table(TABLE.name):
        return []
    return [_publication(row) for row in connection.execute(sa.select(TABLE).order_by(TABLE.c.sequence)).mappings()]


def add_row(connection: sa.Connection, entry: Publication) -> None:
    """Insert a row, making the table and its guards first where they are missing; the caller commits."""
    TABLE.create(connection, checkfirst=True)
    for guard in GUARDS:
        connection.exec_driver_sql(guard)
    texts = {"files": canonical(entry.files), "inputs": canonical(entry.inputs)}
    connection.execute(TABLE.insert().values({**asdict(entry), **texts, "for_day": entry.for_day.isoformat()}))


def _publication(row: Mapping[Any, Any]) -> Publication:
    try:
        fields: dict[str, Any] = dict(row)
        fields["for_day"] = date.fromisoformat(row["for_day"])
        fields["files"], fields["inputs"] = dict(json.loads(row["files"])), dict(json.loads(row["inputs"]))
        return Publication(**fields)
    except (TypeError, ValueError) as fault:
        what = f"is not a row that exchina wrote: {fault}"
        raise PublicationError(Problem(f"ledger.sqlite row {row['sequence']}", what, RESTORE)) from fault
