"""A real PostgreSQL server on loopback, for tests of what several machines share."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

PASSWORD = "s3cret/word"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server that this session starts and stops; it runs as nobody special when we are root."""
    pytest.importorskip("psycopg", reason="needs exchina[postgres]")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not found:
        pytest.skip("needs the Debian package postgresql")
    programs, folder = found[-1].parent, Path(tempfile.mkdtemp(prefix="exchina-postgres-"))
    try:
        rights = unprivileged(folder)
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        options = ["--username=exchina", "--auth=scram-sha-256", f"--pwfile={secret}", "--locale=C", "--encoding=UTF8"]
        made = [programs / "initdb", "--no-sync", "-D", folder / "data", *options]
        subprocess.run(made, check=True, capture_output=True, cwd=folder, **rights)
        port = free_port()
        settings = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"]
        flags = [word for setting in settings for word in ("-c", setting)]
        server = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", *flags], cwd=folder, stderr=subprocess.DEVNULL, **rights
        )
        try:
            url = f"postgresql://exchina:{PASSWORD.replace('/', '%2F')}@127.0.0.1:{port}/postgres"
            wait_for(url)
            yield url
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(folder)


def unprivileged(folder: Path) -> dict[str, Any]:
    """Whom the server runs as: it refuses to be root; the folder is given to that user."""
    if os.geteuid() != 0:
        return {}
    names = {user.pw_name for user in pwd.getpwall()}
    user = "postgres" if "postgres" in names else "nobody"
    shutil.chown(folder, user)
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def run(url: str, *statements: str) -> None:
    """Statements in a database, each committed by itself."""
    driver = sa.make_url(url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(driver, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def wait_for(url: str) -> None:
    deadline = monotonic() + 30
    while True:
        try:
            return run(url)
        except sa.exc.OperationalError:
            if monotonic() > deadline:
                raise
            sleep(0.05)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of each kind, as `exchina.ledger.open_ledger` takes it."""
    return "" if request.param == "sqlite" else empty(request.getfixturevalue("postgres"))


def empty(server: str) -> str:
    """The URL of a new schema: what is in the others is not seen there."""
    schema = f"t{uuid4().hex}"
    run(server, f"CREATE SCHEMA {schema}")
    return f"{server}?options=-csearch_path%3D{schema}"
