"""The rows of a chain in a database, through SQLAlchemy Core; the database itself refuses to change or delete one."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

import sqlalchemy as sa

from exchina.errors import Problem, PublicationError
from exchina.ledger.chain import RESTORE, Sealed, canonical, columns_of
from exchina.ledger.database import Connection, shown

Made = TypeVar("Made")
TYPES = {str: sa.String, int: sa.Integer, float: sa.Float}
REFUSAL = "the ledger is append-only"
FUNCTION = f"BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END"


def table_of(name: str, columns: Mapping[str, type], key: Sequence[str]) -> sa.Table:
    """The table of one kind of row, and beside it ``<name>_files``: each path, its SHA-256 and the row it came with.

    Args:
        name: of the table.
        columns: the fields but sequence and the two hashes, each str, int or float (which may be empty).
        key: the fields that no two rows have alike.
    """
    metadata = sa.MetaData()
    sa.Table(
        f"{name}_files",
        metadata,
        sa.Column("path", sa.String, primary_key=True),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
    )
    return sa.Table(
        name,
        metadata,
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(column, TYPES[kind], nullable=kind is float) for column, kind in columns.items()),
        sa.Column("previous_hash", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False, unique=True),
        sa.UniqueConstraint(*key, name=f"{name}_key"),
    )


def _files(table: sa.Table) -> sa.Table:
    return table.metadata.tables[f"{table.name}_files"]


def guard(connection: Connection, table: sa.Table) -> None:
    """Make a table that nobody may change but by adding rows, or what is missing of that; the caller commits."""
    table.create(connection, checkfirst=True)
    for statement in lacking(connection, table):
        connection.exec_driver_sql(statement)


def lacking(connection: Connection, table: sa.Table) -> list[str]:
    """The statements that put the guards of a table back that were taken off or changed."""
    return (_lacking_sqlite if connection.dialect.name == "sqlite" else _lacking_postgresql)(connection, table)


def _lacking_sqlite(connection: Connection, table: sa.Table) -> list[str]:
    """Triggers; a row that REPLACE takes out fires no delete trigger, so its insert is refused."""
    unique = [one for one in table.constraints if isinstance(one, sa.UniqueConstraint | sa.PrimaryKeyConstraint)]
    same = sorted(" AND ".join(f"{c.name} = NEW.{c.name}" for c in one.columns) for one in unique)
    taken = f"WHEN EXISTS (SELECT 1 FROM {table.name} WHERE {' OR '.join(same)}) "
    wanted = {
        f"{table.name}_no_{name}": f"CREATE TRIGGER {table.name}_no_{name} BEFORE {verb} ON {table.name} {condition}"
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for name, verb, condition in (("update", "UPDATE", ""), ("delete", "DELETE", ""), ("replace", "INSERT", taken))
    }
    listed = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
    found: dict[str, str] = {row.name: row.sql for row in listed}
    missing = [name for name in wanted if found.get(name) != wanted[name]]
    return [text for name in missing for text in (f"DROP TRIGGER IF EXISTS {name}", wanted[name])]


def _lacking_postgresql(connection: Connection, table: sa.Table) -> list[str]:
    """One trigger that also fires where replication would switch triggers off."""
    found = connection.execute(
        sa.text(
            "SELECT 1 FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid WHERE tgrelid = to_regclass(:table) "
            "AND tgname = :name AND tgenabled = 'A' AND tgtype = 58 AND prosrc = :source"
        ),
        {"table": table.name, "name": f"{table.name}_guard", "source": FUNCTION},
    ).first()  # 58: before update, delete or truncate, once a statement
    if found:
        return []
    return [
        f"CREATE OR REPLACE FUNCTION exchina_append_only() RETURNS trigger LANGUAGE plpgsql AS $${FUNCTION}$$",
        f"CREATE OR REPLACE TRIGGER {table.name}_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON {table.name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION exchina_append_only()",
        f"ALTER TABLE {table.name} ENABLE ALWAYS TRIGGER {table.name}_guard",
    ]


def exists(connection: Connection, table: sa.Table) -> bool:
    """Whether a table was made already."""
    return sa.inspect(connection).has_table(table.name)


def ready(connection: Connection, table: sa.Table, made: Callable[[dict[str, Any]], Sealed]) -> None:
    """Make the tables of `table_of` and their guards, as far as they are missing; the caller commits."""
    unlisted = not exists(connection, _files(table))
    for one in (table, _files(table)):
        guard(connection, one)
    for entry in read_rows(connection, table, made) if unlisted else ():
        _name_files(connection, table, entry)


def alike(table: sa.Table, entry: Any, names: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """The condition that a row has the same in some fields."""
    return [table.c[name] == _stored(getattr(entry, name)) for name in names]


def read_rows(
    connection: Connection, table: sa.Table, made: Callable[[dict[str, Any]], Made], *where: sa.ColumnElement[bool]
) -> list[Made]:
    """Every row of which the conditions hold, by sequence.

    Args:
        connection: to the database.
        table: of `table_of`.
        made: the row from its columns; a column ``files`` or ``inputs`` comes as a mapping.
        where: the conditions.

    Raises:
        PublicationError: a row is not what `add_row` writes.
    """
    listed = connection.execute(sa.select(table).where(*where).order_by(table.c.sequence)).mappings()
    return [_read(row, table, made, shown(connection.engine.url)) for row in listed]


def last_row(connection: Connection, table: sa.Table, made: Callable[[dict[str, Any]], Made]) -> Made | None:
    """The row with the highest sequence; None where there is none. Raises as `read_rows`."""
    highest = sa.select(sa.func.max(table.c.sequence)).scalar_subquery()
    return next(iter(read_rows(connection, table, made, table.c.sequence == highest)), None)


def add_row(connection: Connection, table: sa.Table, entry: Sealed) -> None:
    """Insert a row into tables that are `ready`, and the paths that no row named before; the caller commits."""
    connection.execute(table.insert().values({name: _stored(value) for name, value in columns_of(entry).items()}))
    _name_files(connection, table, entry)


def _name_files(connection: Connection, table: sa.Table, entry: Sealed) -> None:
    new = entry.files.keys() - named(connection, table, entry.files).keys()
    rows = [{"path": path, "sha256": entry.files[path], "sequence": entry.sequence} for path in sorted(new)]
    if rows:
        connection.execute(_files(table).insert(), rows)


def named(connection: Connection, table: sa.Table, paths: Collection[str]) -> dict[str, tuple[str, int]]:
    """Which of some paths a row names: with what SHA-256, and which was the first row to do so."""
    files = _files(table)
    found = connection.execute(files.select().where(files.c.path.in_(paths)))
    return {path: (digest, row) for path, digest, row in found}


def listing_faults(connection: Connection, table: sa.Table, rows: Sequence[Sealed]) -> list[Problem]:
    """Paths that the table of files has otherwise than the rows; a table that is missing is made anew with the next."""
    if not exists(connection, _files(table)):
        return []
    wanted: dict[str, tuple[str, int]] = {}
    for row in rows:
        for path, digest in row.files.items():
            wanted.setdefault(path, (digest, row.sequence))
    found = {path: (digest, row) for path, digest, row in connection.execute(_files(table).select())}
    where = f"{shown(connection.engine.url)} {_files(table).name}"
    wrong = sorted(path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path))
    return [Problem(f"{where} {path}", "is not what the rows say", RESTORE) for path in wrong[:1]]


def guard_faults(connection: Connection, table: sa.Table) -> list[Problem]:
    """Tables of `table_of` that somebody could change, since their guards were taken off."""
    bare = [one.name for one in (table, _files(table)) if exists(connection, one) and lacking(connection, one)]
    what, cure = "its guard against changes was taken off", "the next row puts it back; ask who took it off"
    return [Problem(f"{shown(connection.engine.url)} {name}", what, cure) for name in bare]


def _stored(value: Any) -> Any:
    if isinstance(value, Mapping):
        return canonical(value)
    return value.isoformat() if isinstance(value, date) else value


def _read(row: Mapping[Any, Any], table: sa.Table, made: Callable[[dict[str, Any]], Made], where: str) -> Made:
    try:
        fields: dict[str, Any] = dict(row)
        for column in table.columns:
            kind = column.type.python_type
            if not isinstance(fields[column.name], (kind, type(None)) if column.nullable else kind):
                raise TypeError(f"{column.name} is no {kind.__name__}")
        fields |= {name: dict(json.loads(row[name])) for name in ("files", "inputs") if name in fields}
        return made(fields)
    except (TypeError, ValueError) as fault:
        what = f"is not a row that exchina wrote: {fault}"
        raise PublicationError(Problem(f"{where} row {row['sequence']}", what, RESTORE)) from fault
