"""PURE. What has to be sent to whom now: the ledger less the log of deliveries, at least once and in order."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from exchina.delivery.message import State
from exchina.delivery.subscribers import Subscriber
from exchina.errors import Problem
from exchina.model import Publication

FIRST_WAIT, LONGEST_WAIT, PATIENCE = timedelta(minutes=1), timedelta(hours=6), timedelta(days=3)
ENDED: Collection[State] = ("ok", "given_up", "gone")


def _waits() -> Iterator[timedelta]:
    wait, waited = FIRST_WAIT, timedelta(0)
    while waited < PATIENCE:
        yield wait
        waited += wait
        wait = min(2 * wait, LONGEST_WAIT)


WAITS = tuple(_waits())
MOST_ATTEMPTS = len(WAITS) + 1


@dataclass(frozen=True, slots=True)
class Attempt:
    """A row of the log: which row of the ledger was sent to whom, the how-manieth attempt it was, when, and its end."""

    row_hash: str
    subscriber: str
    number: int
    at: datetime
    outcome: State
    detail: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the ledger that a subscriber has not been told of."""

    subscriber: Subscriber
    row: Publication


History: TypeAlias = Mapping[tuple[str, str], Sequence[Attempt]]
NEVER: Sequence[Attempt] = ()


def undelivered(
    rows: Sequence[Publication], subscribers: Iterable[Subscriber], log: Iterable[Attempt], now: datetime
) -> list[Delivery]:
    """What has to be sent now, by subscriber and in the order of the ledger; one who fails holds up nobody else.

    A row is sent when those before it have been told or given up. After a failure it waits a minute, then twice as
    long each time up to six hours, and is given up with the 21st: a little over three days, and never less often
    because the service stood still. If the clock was moved to before the last attempt, it does not wait.

    Args:
        rows: the ledger, oldest first.
        subscribers: everybody.
        log: every attempt, in any order.
        now: with a time zone.
    """
    history = _by_row(log)
    gone = {attempt.subscriber for tries in history.values() for attempt in tries if attempt.outcome == "gone"}
    found: list[Delivery] = []
    for one in subscribers:
        left = [row for row in rows if not _ended(history.get((one.id, row.hash), NEVER)) and one.files(row)]
        if left and one.id not in gone and _ready(history.get((one.id, left[0].hash), NEVER), now):
            found += [Delivery(one, row) for row in left]
    return found


def stopped(
    rows: Sequence[Publication], subscribers: Iterable[Subscriber], log: Iterable[Attempt]
) -> Iterator[Problem]:
    """Subscribers whose last row was given up, or whose server said that it is gone; not what is yet to be tried again.

    Args:
        rows: the ledger, oldest first.
        subscribers: everybody.
        log: every attempt, in any order.
    """
    history = _by_row(log)
    for one in subscribers:
        tries = ((row, history.get((one.id, row.hash), NEVER)) for row in reversed(rows))
        row, last = next(((row, tried) for row, tried in tries if _ended(tried)), (None, NEVER))
        if row is not None and all(attempt.outcome != "ok" for attempt in last):
            yield _missed(one, row, last[-1])


def _missed(one: Subscriber, row: Publication, last: Attempt) -> Problem:
    if last.outcome == "gone":
        what = f"answered row {row.sequence} on {last.at:%Y-%m-%d} with {last.detail}: nothing more is sent to it"
        return Problem(f"subscriber {one.id}", what, "take it out of subscribers.toml, or give it a new id and since")
    what = f"row {row.sequence} was given up on {last.at:%Y-%m-%d} after {last.number} attempts: {last.detail}"
    cure = "mend its settings; what was given up is sent again only under a new id with an earlier since"
    return Problem(f"subscriber {one.id}", what, cure)


def _by_row(log: Iterable[Attempt]) -> History:
    found: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for attempt in sorted(log, key=lambda attempt: attempt.number):
        found[attempt.subscriber, attempt.row_hash].append(attempt)
    return found


def _ended(tries: Sequence[Attempt]) -> bool:
    return any(one.outcome in ENDED for one in tries)


def _ready(tries: Sequence[Attempt], now: datetime) -> bool:
    if not tries:
        return True
    last = tries[-1]
    return now < last.at or now >= last.at + WAITS[min(last.number, len(WAITS)) - 1]
