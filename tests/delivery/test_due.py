"""Whatever fails, whenever it is tried: nobody is left out, repeated or served out of order."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from hashlib import sha256
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from exchina.delivery import Attempt, Subscriber, undelivered
from exchina.delivery.due import MOST_ATTEMPTS, WAITS, stopped
from exchina.delivery.message import State
from exchina.model import Publication
from tests.delivery.desk import AT

NAMES = ("a", "b")


def row(number: int, what: str = "close", published_at: datetime = AT) -> Publication:
    digest = sha256(str(number).encode()).hexdigest()
    files = {f"x/{what}/{number}/levels.csv": "0"}
    return Publication(number, "x", what, date(2026, 9, 18), 0, "", published_at.isoformat(), files, {}, "", digest, "")


def subscriber(name: str, since: date = date(2026, 9, 1), index: tuple[str, ...] | None = None) -> Subscriber:
    return Subscriber(id=name, kind="webhook", since=since, index=index)


ROWS = [row(1), row(2, "draft"), row(3), row(4, "close_delayed"), row(5)]
PUBLIC = [1, 3, 4, 5]
PEOPLE = [subscriber(name) for name in NAMES]


def test_waits_double_from_a_minute_to_six_hours_and_end_after_three_days() -> None:
    minutes = [wait / timedelta(minutes=1) for wait in WAITS]
    assert minutes == [1, 2, 4, 8, 16, 32, 64, 128, 256, *[360] * 11]
    assert timedelta(days=3) < sum(WAITS, timedelta(0)) < timedelta(days=3, hours=6)
    assert MOST_ATTEMPTS == 21


def run(outcome: Callable[[str, int], State], steps: list[timedelta], people: list[Subscriber]) -> list[Attempt]:
    """Passes at moments that the steps lead to; the log that they leave."""
    log: list[Attempt] = []
    now = AT
    for step in steps:
        now += step
        stop: set[str] = set()
        for one in undelivered(ROWS, people, log, now):
            name = one.subscriber.id
            if name in stop:
                continue
            number = 1 + sum((a.row_hash, a.subscriber) == (one.row.hash, name) for a in log)
            state = outcome(name, one.row.sequence)
            state = "given_up" if state == "failed" and number >= MOST_ATTEMPTS else state
            log.append(Attempt(one.row.hash, name, number, now, state, ""))
            if state != "ok":
                stop.add(name)
    return log


def numbers(log: list[Attempt], name: str, *outcomes: str) -> list[int]:
    by_hash = {one.hash: one.sequence for one in ROWS}
    return [by_hash[a.row_hash] for a in log if a.subscriber == name and (not outcomes or a.outcome in outcomes)]


@given(
    st.integers(0, 2**32),
    st.lists(st.integers(-500, 3000), min_size=1, max_size=60),
    st.floats(0, 1),
)
def test_each_row_arrives_once_in_order_or_is_given_up(seed: int, minutes: list[int], ill: float) -> None:
    chance = Random(seed)
    steps = [timedelta(minutes=step) for step in minutes]
    log = run(lambda *_: "failed" if chance.random() < ill else "ok", [*steps, *[timedelta(days=1)] * 100], PEOPLE)
    for name in NAMES:
        assert numbers(log, name, "ok", "given_up") == PUBLIC
        assert numbers(log, name) == sorted(numbers(log, name))
    assert undelivered(ROWS, PEOPLE, log, AT + timedelta(days=9999)) == []


@given(st.lists(st.integers(0, 3000), max_size=40))
def test_who_fails_changes_nothing_for_others(minutes: list[int]) -> None:
    steps = [timedelta(minutes=step) for step in minutes]
    alone = run(lambda *_: "ok", steps, PEOPLE[1:])
    beside = run(lambda name, _: "failed" if name == "a" else "ok", steps, PEOPLE)
    assert [one for one in beside if one.subscriber == "b"] == alone


@given(st.permutations(range(21)), st.integers(0, 5000))
def test_the_order_of_the_log_says_nothing(order: list[int], minutes: int) -> None:
    log = run(lambda *_: "failed", [timedelta(hours=6)] * 21, PEOPLE[:1])
    now = AT + timedelta(days=5, minutes=minutes)
    assert undelivered(ROWS, PEOPLE, [log[place] for place in order], now) == undelivered(ROWS, PEOPLE, log, now)


def test_nothing_from_before_since_and_only_the_indices_asked_for() -> None:
    rows = [row(1, published_at=datetime.fromisoformat("2026-09-17T23:59:59+00:00")), row(2), row(3, "snapshot")]
    people = [
        subscriber("all", date(2026, 9, 18)),
        subscriber("later", date(2026, 9, 19)),
        subscriber("y", index=("y",)),
    ]
    assert [(one.subscriber.id, one.row.sequence) for one in undelivered(rows, people, [], AT)] == [("all", 2)]


def test_one_who_is_gone_is_told_of_until_it_has_another_name() -> None:
    log = run(lambda _, number: "gone" if number == 3 else "ok", [timedelta(0)] * 3, PEOPLE[:1])
    assert numbers(log, "a") == [1, 3]
    assert undelivered(ROWS, PEOPLE[:1], log, AT + timedelta(days=99)) == []
    assert [problem.where for problem in stopped(ROWS, PEOPLE, log)] == ["subscriber a"]
    assert list(stopped(ROWS, PEOPLE[1:], log)) == []
    assert [one.row.sequence for one in undelivered(ROWS, PEOPLE[1:], log, AT)] == PUBLIC
