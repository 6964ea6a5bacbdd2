"""A lease: who of several processes does a job until a moment; the one table that is changed."""

import os
import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from exchina.errors import Problem, PublicationError
from exchina.ledger.database import Connection, connected, file_of, refusing
from exchina.ledger.store import RETRY, Chain

LEASES = sa.Table(
    "leases",
    sa.MetaData(),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("owner", sa.String, nullable=False),
    sa.Column("taken_at", sa.String, nullable=False),
    sa.Column("expires_at", sa.String, nullable=False),
)
TIMES = ("taken_at", "expires_at")
PROCESSES = Path("/proc")


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds what until when; of an owner that runs on it is held until it expires, is renewed or released."""

    name: str
    owner: str
    taken_at: datetime
    expires_at: datetime


def this_process() -> str:
    """``host:pid:start``: tells this process from every other one, also from a later one with its number.

    The host is its name, the run of its kernel and the process namespace, so that two containers of one name differ;
    the start is in clock ticks since the kernel began to run. Where ``/proc`` is missing, both are left out.
    """
    pid = os.getpid()
    return f"{_host()}:{pid}:{_start(pid)}"


def hold(ledger: Chain[Any], name: str, owner: str, now: datetime, seconds: float) -> Lease:
    """Take or prolong a lease if it is free, expired, mine, or of a process of this host that has ended.

    Args:
        ledger: whose database keeps it.
        name: what is held.
        owner: who asks, of `this_process`.
        now: with a time zone.
        seconds: for how long from now.

    Returns:
        The lease as it stands now; it is held if its ``owner`` is the one who asked.

    Raises:
        PublicationError: the database cannot be written.
    """
    with _leases(ledger, name) as (connection, found):
        mine = found is not None and found.owner == owner
        if found is not None and not mine and found.expires_at > now and not has_ended(found.owner):
            return found
        taken_at = found.taken_at if found is not None and mine else now
        lease = Lease(name, owner, taken_at, now + timedelta(seconds=seconds))
        _put(connection, lease)
        return lease


def renew(ledger: Chain[Any], lease: Lease, now: datetime, seconds: float) -> Lease:
    """Prolong a lease that is still held.

    Raises:
        PublicationError: another has it, or nobody; or the database cannot be written.
    """
    with _leases(ledger, lease.name) as (connection, found):
        if found is None or (found.owner, found.taken_at) != (lease.owner, lease.taken_at):
            holder = f"{found.owner} since {_text(found.taken_at)}" if found else "nobody"
            what = f"is no longer held by {lease.owner}: it is held by {holder}"
            raise PublicationError(Problem(f"lease {lease.name}", what, "stop, and take it anew when it is free"))
        longer = Lease(lease.name, lease.owner, lease.taken_at, now + timedelta(seconds=seconds))
        _put(connection, longer)
        return longer


def release(ledger: Chain[Any], lease: Lease) -> None:
    """Give a lease back, unless another has it by now; `PublicationError` if the database cannot be written."""
    with _leases(ledger, lease.name) as (connection, found):
        if found is not None and found.owner == lease.owner:
            connection.execute(LEASES.delete().where(LEASES.c.name == lease.name))
            connection.commit()


def has_ended(owner: str) -> bool:
    """Whether an owner is known to run no more: a process of this host that has ended, or whose number has another."""
    before, _, start = owner.rpartition(":")
    host, _, pid = before.rpartition(":")
    return bool(start) and host == _host() and pid.isdecimal() and _start(int(pid)) not in ("", start)


@contextmanager
def _leases(ledger: Chain[Any], name: str) -> Generator[tuple[Connection, Lease | None]]:
    """In one transaction that shuts out others: the connection, and the lease of that name."""
    with refusing(ledger.place, ledger.folder, f"the lease {name} was not changed", RETRY.format("try")):
        file = file_of(ledger.place)
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
        with connected(ledger.place, write=True) as connection:
            LEASES.create(connection, checkfirst=True)
            row = connection.execute(LEASES.select().where(LEASES.c.name == name)).mappings().first()
            yield connection, _lease(row) if row else None


def _lease(row: Mapping[Any, Any]) -> Lease:
    taken_at, expires_at = (datetime.fromisoformat(row[at]) for at in TIMES)
    return Lease(row["name"], row["owner"], taken_at, expires_at)


def _put(connection: Connection, lease: Lease) -> None:
    connection.execute(LEASES.delete().where(LEASES.c.name == lease.name))
    times = {at: _text(getattr(lease, at)) for at in TIMES}
    connection.execute(LEASES.insert().values(name=lease.name, owner=lease.owner, **times))
    connection.commit()


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _host() -> str:
    try:
        run = (PROCESSES / "sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()}/{run}/{(PROCESSES / 'self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _start(pid: int) -> str:
    """When a process began, in ticks; empty where that cannot be known, ``ended`` where it runs no more."""
    if os.name != "posix":
        return ""
    try:
        os.kill(pid, 0)  # asks only whether there is one
    except ProcessLookupError:
        return "ended"
    except (OSError, OverflowError):
        pass
    try:
        after_name = (PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "ended" if after_name[0] in ("Z", "X") else after_name[19]
