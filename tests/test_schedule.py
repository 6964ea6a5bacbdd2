"""What is due: the schedule less the ledger."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.errors import RulebookError
from exchina.model import Publication, Review
from exchina.schedule import Job, due, parse_schedule

TEXT = """
[[job]]
do = "publish"
index = "a"
market = "sample"
on = "announcement_day"
at = "18:00"
zone = "America/New_York"
since = 2026-01-01
"""
REVIEWS = [
    Review(effective=day, announced=day - timedelta(days=7), cutoff=day - timedelta(days=14))
    for day in (date(2026, 3, 20), date(2026, 6, 18), date(2026, 9, 18), date(2026, 12, 18))
]


def entry(review: Review) -> Publication:
    return Publication(1, "a", "review", review.effective, 0, "", {}, {}, "", "")


def jobs() -> tuple[Job, ...]:
    return parse_schedule(TEXT, ["a"])


def test_a_review_is_due_from_the_local_time_of_its_announcement() -> None:
    just_before, then = datetime(2026, 3, 13, 21, 59, tzinfo=UTC), datetime(2026, 3, 13, 22, 0, tzinfo=UTC)
    assert due(jobs(), {"a": REVIEWS}, [], just_before) == []
    assert [item.review for item in due(jobs(), {"a": REVIEWS}, [], then)] == REVIEWS[:1]


def test_what_the_ledger_holds_is_not_due() -> None:
    now = datetime(2026, 10, 1, tzinfo=UTC)
    assert [item.review for item in due(jobs(), {"a": REVIEWS}, [entry(REVIEWS[1])], now)] == [REVIEWS[0], REVIEWS[2]]


def test_reviews_before_since_are_never_due() -> None:
    late = parse_schedule(TEXT.replace("2026-01-01", "2026-06-01"), ["a"])
    assert [item.review for item in due(late, {"a": REVIEWS}, [], datetime(2026, 7, 1, tzinfo=UTC))] == [REVIEWS[1]]


@given(st.lists(st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1)), max_size=12))
def test_whatever_the_moments_of_the_ticks_nothing_is_missed_or_repeated(ticks: list[datetime]) -> None:
    done: list[Publication] = []
    for tick in [*sorted(ticks), datetime(2027, 6, 1)]:
        done += [entry(item.review) for item in due(jobs(), {"a": REVIEWS}, done, tick.replace(tzinfo=UTC))]
    assert [publication.for_day for publication in done] == [review.effective for review in REVIEWS]


def test_all_faults_of_a_schedule_are_reported_at_once() -> None:
    broken = TEXT.replace('"publish"', '"publsh"').replace('index = "a"', 'index = "b"').replace("New_York", "New_Yorl")
    with pytest.raises(RulebookError) as caught:
        parse_schedule(broken.replace("since", "sinse") + "[extra]\n", ["a"])
    said = "\n".join(str(problem) for problem in caught.value.problems)
    for fault in ("no index called 'b'", "'publish'", "America/New_York", "since", "sinse", "no table called 'extra'"):
        assert fault in said
