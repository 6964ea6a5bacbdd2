"""What only a server can do wrong, and that its password is told to nobody."""

import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from exchina.errors import PublicationError
from exchina.ledger import database as databases
from exchina.ledger import open_ledger
from exchina.ledger.database import connected
from tests import postgres as server
from tests.ledgers import DAY, NOW, on_disk, publish, three

WORDS = ("s3cret",)


def refused(folder: Path, url: str) -> str:
    """What is said, and the whole traceback with it, so that no password hides in either."""
    with pytest.raises(PublicationError) as caught:
        publish(open_ledger(folder, url))
    said = "".join(traceback.format_exception(caught.value))
    assert not any(word in said for word in WORDS)
    return str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:s3cret@host/x",
        "postgres://me:s3cret@host/x",
        "s3cret",
        "postgresql://me:s3cret@word@host/x",
        "postgresql://me:s3@host:s3cret/x",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_a_database_of_another_kind_is_refused(tmp_path: Path, url: str) -> None:
    assert "is not that of an SQLite file or a PostgreSQL one (leave it empty" in refused(tmp_path, url)
    assert "s3cret" not in repr(open_ledger(tmp_path, url))


def test_an_sqlite_file_elsewhere(tmp_path: Path) -> None:
    ledger = three(open_ledger(tmp_path / "reports", f"sqlite:///{tmp_path}/other.sqlite"))
    assert (tmp_path / "other.sqlite").exists()
    assert not (tmp_path / "reports/ledger.sqlite").exists()
    assert ledger.verify() == []


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    said = refused(tmp_path, f"postgresql://me:s3cret@127.0.0.1:{server.free_port()}/x")
    assert "postgresql://127.0.0.1:" in said
    assert "refused" in said
    assert "(see that the server runs" in said


def test_a_wrong_password_or_database(tmp_path: Path, postgres: str) -> None:
    assert 'password authentication failed for user "exchina"' in refused(tmp_path, postgres.replace("%2Fword", "2"))
    assert 'database "none" does not exist' in refused(tmp_path, postgres.replace("/postgres", "/none"))
    assert 'invalid sslmode value: "***"' in refused(tmp_path, f"{postgres}?sslmode=s3cret")


def test_the_library_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    databases._engine.cache_clear()
    monkeypatch.setitem(sys.modules, "psycopg", None)
    said = refused(tmp_path, "postgresql://me:s3cret@127.0.0.1/x")
    assert "a library is missing" in said
    assert "(pip install 'exchina[postgres]')" in said


def test_the_password_is_written_nowhere(tmp_path: Path, schema: str) -> None:
    ledger = three(open_ledger(tmp_path, schema))
    assert not any(word.encode() in content for content in on_disk(tmp_path).values() for word in WORDS)
    assert not any(word in str(ledger) for word in WORDS)


@pytest.fixture
def schema(postgres: str) -> str:
    """The URL of an empty database."""
    return server.empty(postgres)


def test_tables_of_another_program_are_named(tmp_path: Path, schema: str) -> None:
    server.run(schema, "CREATE TABLE publications (sequence integer)")
    assert "another version of exchina, or another program, made the tables" in refused(tmp_path, schema)


def test_a_user_who_may_only_add_can_publish(tmp_path: Path, postgres: str, schema: str) -> None:
    """The tables belong to the administrator, who made them with the first publication."""
    publish(open_ledger(tmp_path, schema))
    name = schema.rpartition("search_path%3D")[2]
    server.run(
        schema,
        f"CREATE ROLE w{name[1:20]} LOGIN PASSWORD 's3cret'",
        f"GRANT USAGE ON SCHEMA {name} TO w{name[1:20]}",
        f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA {name} TO w{name[1:20]}",
    )
    url = sa.make_url(schema).set(username=f"w{name[1:20]}", password="s3cret").render_as_string(hide_password=False)
    ledger = open_ledger(tmp_path, url)
    entry, new = ledger.publish("a", "close", NOW.date(), {"a/x.csv": b"1"}, {}, published_at=NOW)
    assert (entry.sequence, new) == (2, True)
    assert ledger.verify() == []


def test_a_writer_waits_for_the_one_before_and_not_for_ever(
    tmp_path: Path, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = open_ledger(tmp_path, schema)
    databases._engine.cache_clear()
    impatient = tuple(statement.replace("'30s'", "'200ms'") for statement in databases.LOCKED)
    monkeypatch.setattr(databases, "LOCKED", impatient)
    with connected(ledger.place, write=True) as first:
        first.begin()
        assert "nothing was published: canceling statement due to lock timeout" in refused(tmp_path, schema)
    databases._engine.cache_clear()
    assert publish(ledger)[1]


def test_a_connection_cut_before_the_commit(tmp_path: Path, schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = three(open_ledger(tmp_path, schema))
    before, real = on_disk(tmp_path), sa.Connection.commit

    def cut(connection: sa.Connection) -> None:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        server.run(schema, f"SELECT pg_terminate_backend({pid}, 5000)")
        real(connection)

    with monkeypatch.context() as patched:
        patched.setattr(sa.Connection, "commit", cut)
        with pytest.raises(PublicationError, match=r"nothing was published: .*\(see that the server runs"):
            publish(ledger, DAY.replace(month=7))
    assert on_disk(tmp_path) == before
    assert publish(ledger, DAY.replace(month=7))[0].sequence == 4
    assert ledger.verify() == []


@pytest.mark.parametrize("setting", ["off", "local", "on"])
def test_a_commit_is_on_disk(schema: str, tmp_path: Path, setting: str) -> None:
    ledger = open_ledger(tmp_path, f"{schema}%20-csynchronous_commit%3D{setting}")
    with connected(ledger.place, write=True) as connection:
        found: Any = connection.exec_driver_sql("SHOW synchronous_commit").scalar()
    assert found == ("on" if setting == "off" else setting)


def test_two_folders_cannot_share_one_chain_unnoticed(tmp_path: Path, schema: str) -> None:
    three(open_ledger(tmp_path / "here", schema))
    other = open_ledger(tmp_path / "there", schema)
    assert "published in row 1, cannot be read: No such file or directory" in {fault.what for fault in other.faults()}
