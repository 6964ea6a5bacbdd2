"""A lease is held by one, and falls free when it expires, is given back, or its process is killed."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exchina.errors import PublicationError
from exchina.ledger import Ledger, open_ledger
from exchina.ledger.lease import has_ended, hold, release, renew, this_process

NOW = datetime(2026, 6, 3, 22, 15, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def ledger(tmp_path: Path, ledger_url: str) -> Ledger:
    """An empty ledger."""
    return open_ledger(tmp_path / "reports", ledger_url)


def held(ledger: Ledger, owner: str, now: datetime = NOW) -> str:
    return hold(ledger, "service", owner, now, 60).owner


def test_one_holds_it_until_it_expires(ledger: Ledger) -> None:
    lease = hold(ledger, "service", "a:1:1", NOW, 60)
    assert (lease.owner, lease.taken_at, lease.expires_at) == ("a:1:1", NOW, NOW + MINUTE)
    assert hold(ledger, "service", "b:1:1", NOW + MINUTE / 2, 60) == lease
    assert held(ledger, "b:1:1", NOW + MINUTE) == "b:1:1"
    assert held(ledger, "a:1:1", NOW + MINUTE) == "b:1:1"
    assert hold(ledger, "other", "a:1:1", NOW, 60).owner == "a:1:1"
    assert ledger.entries() == []
    assert ledger.verify() == []


def test_who_holds_it_prolongs_it(ledger: Ledger) -> None:
    lease = hold(ledger, "service", "a:1:1", NOW, 60)
    longer = renew(ledger, lease, NOW + MINUTE / 2, 60)
    assert (longer.taken_at, longer.expires_at) == (NOW, NOW + 1.5 * MINUTE)
    assert hold(ledger, "service", "a:1:1", NOW + MINUTE, 60).taken_at == NOW
    assert held(ledger, "b:1:1", NOW + 1.9 * MINUTE) == "a:1:1"


def test_a_lost_lease_is_not_renewed(ledger: Ledger) -> None:
    lease = hold(ledger, "service", "a:1:1", NOW, 60)
    assert held(ledger, "b:1:1", NOW + MINUTE) == "b:1:1"
    with pytest.raises(PublicationError, match=r"no longer held by a:1:1: it is held by b:1:1 since 2026-06-03T22:16"):
        renew(ledger, lease, NOW + MINUTE, 60)
    release(ledger, lease)
    assert held(ledger, "a:1:1", NOW + MINUTE) == "b:1:1"


def test_a_lease_given_back_is_free(ledger: Ledger) -> None:
    lease = hold(ledger, "service", "a:1:1", NOW, 60)
    release(ledger, lease)
    with pytest.raises(PublicationError, match="it is held by nobody"):
        renew(ledger, lease, NOW, 60)
    assert held(ledger, "b:1:1") == "b:1:1"


def sleeper(folder: Path, url: str, tell: Any) -> None:
    """Run in a process of its own: take the lease for a day and sleep."""
    tell.put(hold(open_ledger(folder, url), "service", this_process(), NOW, 86400).owner)
    signal.pause()


@pytest.fixture
def process(ledger: Ledger) -> Iterator[tuple[Any, str]]:
    """A process that holds the lease, and its owner text."""
    context = multiprocessing.get_context("spawn")
    tell = context.Queue()
    process = context.Process(target=sleeper, args=(ledger.folder, ledger.url, tell))
    process.start()
    yield process, tell.get(timeout=60)
    process.kill()
    process.join()


def test_the_lease_of_a_killed_process_is_free_at_once(ledger: Ledger, process: tuple[Any, str]) -> None:
    other, owner = process
    assert owner.split(":")[-2] == str(other.pid)
    assert held(ledger, this_process()) == owner
    assert not has_ended(owner)
    os.kill(other.pid, signal.SIGKILL)
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # dead, and nobody has asked how: a zombie
    assert has_ended(owner)
    assert held(ledger, this_process()) == this_process()
    other.join()
    assert has_ended(owner)


def test_a_number_used_again_is_another_process() -> None:
    host, pid, start = this_process().rsplit(":", 2)
    assert not has_ended(this_process())
    assert has_ended(f"{host}:{pid}:{int(start) + 1}")


@pytest.mark.parametrize("owner", ["", "me", "host:1:1", "a:b:c", ":::", f"{'x' * 9}:999999999999999999999:1"])
def test_of_another_host_nothing_is_known(owner: str) -> None:
    assert not has_ended(owner)


def test_a_stranger_of_this_host_lives() -> None:
    host = this_process().rsplit(":", 2)[0]
    assert not has_ended(f"{host}:{10**30}:1")
    assert has_ended(f"{host}:1:0")


def contender(folder: Path, url: str, name: str, start: Any, won: Any) -> None:
    """Run in a process of its own: ask for each lease as soon as the other does too."""
    for number in range(10):
        start.wait(60)
        won.put((number, hold(open_ledger(folder, url), f"job {number}", name, NOW, 60).owner))


def test_two_who_ask_at_once_hear_the_same(ledger: Ledger) -> None:
    context = multiprocessing.get_context("spawn")
    start, won = context.Barrier(2), context.Queue()
    given = (ledger.folder, ledger.url)
    both = [context.Process(target=contender, args=(*given, name, start, won)) for name in ("a:1:1", "b:1:1")]
    for one in both:
        one.start()
    heard = {won.get(timeout=60) for _ in range(20)}
    for one in both:
        one.join()
    assert len(heard) == 10
