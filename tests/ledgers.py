"""Small ledgers for tests, and ways to look at them and to spoil them."""

import os
import sqlite3
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from exchina.ledger import Ledger, open_ledger, store
from exchina.model import Publication
from tests import postgres

DAY = date(2026, 6, 3)
NOW = datetime(2026, 6, 3, 22, 15, tzinfo=UTC)


def publish(
    ledger: Ledger, day: date = DAY, content: bytes = b"weights", revision: int = 0
) -> tuple[Publication, bool]:
    files = {f"magnet-chain/{day}-r{revision}/weights.csv": content}
    return ledger.publish(
        "magnet-chain", "rebalance", day, files, {"rulebook": "ab"}, published_at=NOW, revision=revision
    )


def three(ledger: Ledger) -> Ledger:
    """Three publications."""
    for days in range(3):
        publish(ledger, DAY + timedelta(days))
    return ledger


def whats(ledger: Ledger) -> str:
    return "\n".join(str(problem) for problem in ledger.verify())


def weights(ledger: Ledger) -> Path:
    return ledger.folder / "magnet-chain/2026-06-03-r0/weights.csv"


def database(ledger: Ledger) -> Path:
    """The file of an SQLite ledger."""
    return ledger.folder / "ledger.sqlite"


def on_disk(folder: Path) -> dict[str, bytes]:
    """Every file that a reader would see; the database's rows stand in for its pages."""
    kept = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {path: content for path, content in kept.items() if not path.startswith("ledger.sqlite")}


def run(ledger: Ledger, *statements: str) -> None:
    """Statements in the database, past exchina, each committed by itself."""
    if ledger.url:
        postgres.run(ledger.url, *statements)
        return
    connection = sqlite3.connect(database(ledger), isolation_level=None)
    try:
        for statement in statements:
            connection.execute(statement)
    finally:
        connection.close()


def guards_off(ledger: Ledger) -> Sequence[str]:
    """What somebody with the right to change the database says to take the guards off."""
    tables = ("publications", "publications_files")
    if ledger.url:
        return [f"ALTER TABLE {table} DISABLE TRIGGER {table}_guard" for table in tables]
    return [f"DROP TRIGGER {table}_no_{verb}" for table in tables for verb in ("update", "delete")]


def unguarded(ledger: Ledger, *statements: str) -> None:
    """Somebody with the right to write takes the guards off and changes rows."""
    run(ledger, *guards_off(ledger), *statements)


def crash_before_commit(folder: Path, url: str) -> None:
    """Run in a process of its own: the power goes after the files were placed and before the row was committed."""
    sa.Connection.commit = lambda _: os._exit(9)  # type: ignore[method-assign, assignment]
    publish(open_ledger(folder, url), DAY + timedelta(9))


def crash_before_export(folder: Path, url: str) -> None:
    """Run in a process of its own: the power goes after the row was committed and before it was exported."""
    store.append_through = lambda *_: os._exit(9)  # type: ignore[assignment]
    publish(open_ledger(folder, url), DAY + timedelta(9))
