"""Databases of ledgers: SQLite in a file, or PostgreSQL by its URL; one writer at a time, and a commit is on disk."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from exchina.errors import Problem, PublicationError
from exchina.ledger.chain import RESTORE

Connection: TypeAlias = sa.Connection
Place: TypeAlias = sa.URL

BUSY_SECONDS = 30
CONNECT_SECONDS = 10
DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
URLS = (
    "leave it empty for an SQLite file in the folder, or write postgresql://user:password@host:port/database, "
    "in the password %40 for @"
)
SERVER = "see that the server runs and has space, and that the URL names host, port, database, user and password right"
OTHER_TABLES = "another version of exchina, or another program, made the tables: name another database, or move it away"
# One lock for all writers of a database, gone with the transaction; a writer that vanished gives it up in five minutes.
LOCKED = (
    f"SELECT set_config('lock_timeout', '{BUSY_SECONDS}s', true), "
    "set_config('idle_in_transaction_session_timeout', '300s', true)",
    "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'",
    "SELECT pg_advisory_xact_lock(hashtextextended('exchina ledger', 0))",
)


def place_of(url: str, file: Path) -> Place:
    """Where rows stand: at a URL, or in an SQLite file where the URL is empty.

    Raises:
        PublicationError: the URL is neither that of an SQLite file nor of a PostgreSQL database.
    """
    if not url:
        return sa.URL.create("sqlite", database=str(file))
    try:
        place = sa.make_url(url)
    except (ArgumentError, ValueError):
        place = sa.URL.create("unknown")
    driver = DRIVERS.get(place.get_backend_name())
    in_memory = driver == "sqlite" and place.database in (None, "", ":memory:")
    if driver is None or in_memory or url.count("@") > 1:  # a second @ would be a piece of the password in the host
        raise PublicationError(Problem("URL of the ledger", "is not that of an SQLite file or a PostgreSQL one", URLS))
    return place.set(drivername=driver)


def file_of(place: Place) -> Path | None:
    """The file of an SQLite database; None for a server."""
    return Path(place.database or "") if place.drivername == "sqlite" else None


def shown(place: Place) -> str:
    """A place in words, without user and password."""
    bare = sa.URL.create("postgresql", host=place.host, port=place.port, database=place.database)
    return str(file_of(place) or bare.render_as_string())


@contextmanager
def connected(place: Place, *, write: bool = False) -> Generator[Connection]:
    """A connection whose transactions survive a power cut once they are committed.

    Args:
        place: of `place_of`; SQLite makes a file that is missing.
        write: each transaction waits for other writers at its start and shuts them out to its end.

    Raises:
        PublicationError: the library for PostgreSQL is missing.
    """
    with _engine(place, write).connect() as connection:
        yield connection


@lru_cache(maxsize=16)
def _engine(place: Place, write: bool) -> sa.Engine:
    if file_of(place):
        engine = sa.create_engine(place, poolclass=sa.NullPool, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _prepared)
        return _beginning(engine, ("BEGIN IMMEDIATE" if write else "BEGIN",))
    settings = {"connect_timeout": CONNECT_SECONDS}
    try:
        engine = sa.create_engine(place, poolclass=sa.NullPool, isolation_level="READ COMMITTED", connect_args=settings)
    except ImportError as fault:
        cure = "pip install 'exchina[postgres]'"
        raise PublicationError(Problem(shown(place), f"a library is missing: {fault}", cure)) from fault
    return _beginning(engine, LOCKED if write else ())


def _beginning(engine: sa.Engine, statements: tuple[str, ...]) -> sa.Engine:
    def start(connection: Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    event.listen(engine, "begin", start)
    return engine


def _prepared(connection: Any, _: Any) -> None:
    """Switch to a write-ahead log; while another writes, SQLite refuses that at once, whatever the timeout."""
    connection.isolation_level = None  # the BEGIN of the transaction shall be the only one
    deadline = monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            sleep(0.01)
        else:
            break
    connection.execute("PRAGMA synchronous=FULL")


def damage(connection: Connection) -> list[Problem]:
    """What SQLite itself finds wrong with its file; a server looks after its own."""
    file = file_of(connection.engine.url)
    if file is None:
        return []
    found = [line for (line,) in connection.exec_driver_sql("PRAGMA integrity_check") if line != "ok"]
    with file.open("rb") as opened:
        if opened.read(20)[18:] not in (b"", b"\2\2"):  # else SQLite reads the file, but writes no more
            found.append("its header is not that of a database with a write-ahead log")
    return [Problem(shown(connection.engine.url), f"is damaged: {line}", RESTORE) for line in found[:1]]


@contextmanager
def refusing(place: Place, where: Path, what: str, cure: str) -> Generator[None]:
    """What the disk or the database refuses, as a `PublicationError` without any password.

    Args:
        place: the database.
        where: of what the disk refuses without a name.
        what: what has not happened.
        cure: where no better one is known.
    """
    try:
        yield
    except OSError as fault:
        said = f"{what}: {fault.strerror or fault}"
        raise PublicationError(Problem(str(fault.filename or where), said, cure)) from fault
    except UnicodeError as fault:  # SQLite names a damaged table in an error that Python cannot read
        raise PublicationError(Problem(shown(place), f"{what}: it is damaged: {fault}", RESTORE)) from fault
    except SQLAlchemyError as fault:
        raw = " ".join(str(getattr(fault, "orig", None) or fault).split())
        said = _without_secrets(raw, place)
        problem = Problem(shown(place), f"{what}: {said}", _cure(fault, said, place, cure))
        raise PublicationError(problem) from (fault if said == raw else None)


def _without_secrets(said: str, place: Place) -> str:
    """A text without the password and the options of a URL, one of which may be a password too."""
    for secret in filter(None, [place.password, *map(str, place.query.values())]):
        said = said.replace(secret, "***")
    return said


def _cure(fault: SQLAlchemyError, said: str, place: Place, cure: str) -> str:
    if "not a database" in said or "malformed" in said:
        return RESTORE
    undefined = getattr(getattr(fault, "orig", None), "sqlstate", "") == "42703"  # undefined_column
    if undefined or "no such column" in said or "has no column" in said:
        return OTHER_TABLES
    return cure if file_of(place) else SERVER
