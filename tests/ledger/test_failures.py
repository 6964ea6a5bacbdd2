"""Each write of a publication fails once: everything is as it was, or the row is whole; and the next try succeeds."""

import errno
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from exchina import atomic
from exchina.errors import PublicationError
from exchina.ledger import Ledger, files, open_ledger, store
from exchina.ledger.database import connected
from tests.ledgers import DAY, NOW, on_disk, publish, three, unguarded

CODES = [errno.ENOSPC, errno.EIO, errno.EACCES]
NEXT = DAY + timedelta(9)
FILE = f"magnet-chain/{NEXT}-r0/weights.csv"


@pytest.fixture
def ledger(tmp_path: Path, ledger_url: str) -> Ledger:
    """Three publications, in a database of each kind."""
    return three(open_ledger(tmp_path / "reports", ledger_url))


def nth(real: Callable[..., Any], number: int, code: int) -> Callable[..., Any]:
    """A function whose n-th call fails as the disk does, and which works at all other calls."""
    calls = iter(range(1, 1_000_000))

    def wrapped(*given: Any, **named: Any) -> Any:
        if next(calls) == number:
            raise OSError(code, os.strerror(code))
        return real(*given, **named)

    return wrapped


WRITES = {
    "make folder": (Path, "mkdir", 1),
    "sync of the new folder": (files, "sync_folder", 1),
    "open staged": (files, "write_through", 1),
    "fsync staged": (atomic.os, "fsync", 2),
    "rename": (Path, "replace", 1),
    "sync of the folder": (files, "sync_folder", 2),
    "connect to read": (store, "connected", 1),
    "connect to write": (store, "connected", 2),
    "insert": (store, "add_row", 1),
    "commit": (sa.Connection, "commit", 1),
}


@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_failure_before_the_commit_leaves_everything_as_it_was(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, write: tuple[Any, str, int], code: int
) -> None:
    owner, name, number = write
    before = on_disk(ledger.folder)
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, nth(getattr(owner, name), number, code))
        what = rf"reports.*: (nothing was published|cannot be read): {os.strerror(code)} \((free space|give the right)"
        with pytest.raises(PublicationError, match=what):
            publish(ledger, NEXT)
    assert on_disk(ledger.folder) == before
    assert len(ledger.entries()) == 3
    assert ledger.verify() == []
    assert publish(ledger, NEXT)[1]
    assert ledger.verify() == []


EXPORT = {"open": (store, "append_through", 1), "fsync": (files.os, "fsync", 4)}


@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
@pytest.mark.parametrize("write", EXPORT.values(), ids=EXPORT)
def test_a_failure_after_the_commit_leaves_the_row_whole(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, write: tuple[Any, str, int], code: int
) -> None:
    owner, name, number = write
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, nth(getattr(owner, name), number, code))
        what = rf"ledger.jsonl: the rows are published, but could not be exported: {os.strerror(code)} \(free"
        with pytest.raises(PublicationError, match=what):
            publish(ledger, NEXT)
    assert len(ledger.entries()) == 4
    assert (ledger.folder / FILE).read_bytes() == b"weights"
    assert not publish(ledger, NEXT)[1]
    assert ledger.verify() == []


def test_a_full_disk_in_the_middle_of_a_line(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    real = store.append_through

    def short(path: Path, lines: bytes) -> None:
        real(path, lines[:99])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with monkeypatch.context() as patched:
        patched.setattr(store, "append_through", short)
        with pytest.raises(PublicationError, match="could not be exported: No space left"):
            publish(ledger, NEXT)
    assert [problem.hint[:12] for problem in ledger.verify()] == ["the next pub"]
    assert not publish(ledger, NEXT)[1]
    assert ledger.verify() == []


def test_a_line_that_breaks_behind_the_commit_costs_nothing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sa.Connection.commit

    def broken(connection: sa.Connection) -> None:
        real(connection)
        raise sa.exc.OperationalError("COMMIT", {}, Exception("server closed the connection unexpectedly"))

    with monkeypatch.context() as patched:
        patched.setattr(sa.Connection, "commit", broken)
        assert publish(ledger, NEXT)[1]
    assert ledger.verify() == []


def test_an_interrupt_behind_the_commit_keeps_the_files(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sa.Connection.commit

    def interrupted(connection: sa.Connection) -> None:
        real(connection)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sa.Connection, "commit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            publish(ledger, NEXT)
    assert (ledger.folder / FILE).exists()
    assert not publish(ledger, NEXT)[1]
    assert ledger.verify() == []


def test_where_the_database_cannot_be_asked_the_files_stay(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sa.Connection, "commit", nth(sa.Connection.commit, 1, errno.EIO))
        patched.setattr(store, "connected", nth(connected, 3, errno.EIO))
        with pytest.raises(PublicationError, match="it is not known whether the row was published"):
            publish(ledger, NEXT)
    assert (ledger.folder / FILE).exists()
    assert publish(ledger, NEXT)[1]
    assert ledger.verify() == []


def test_a_file_that_a_broken_commit_shares_with_another_row_stays(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the lost commit and the clearing up, another writer publishes the same frozen file."""
    shared = {"frozen/abc.csv": b"prices"}
    real = sa.Connection.invalidate

    def meanwhile(connection: sa.Connection, *given: Any) -> None:
        real(connection, *given)
        patched.undo()
        ledger.publish("b", "close", DAY, shared, {}, published_at=NOW)

    with monkeypatch.context() as patched:
        patched.setattr(sa.Connection, "commit", nth(sa.Connection.commit, 1, errno.EIO))
        patched.setattr(sa.Connection, "invalidate", meanwhile)
        with pytest.raises(PublicationError, match="nothing was published"):
            ledger.publish("a", "close", DAY, shared, {}, published_at=NOW)
    assert [row.index_id for row in ledger.entries()][3:] == ["b"]
    assert ledger.verify() == []


def test_nothing_is_written_over_a_ledger_that_was_spoilt(ledger: Ledger) -> None:
    unguarded(ledger, "UPDATE publications SET hash = 'x' WHERE sequence = 3")
    with pytest.raises(PublicationError, match="row 3: was changed"):
        publish(ledger, NEXT)
    assert not (ledger.folder / FILE).exists()
