from datetime import date, timedelta

import pytest

from exchina.errors import DataError
from exchina.model import NthWeekday, ReviewRule
from exchina.rules.reviews import reviews

HOLIDAYS = {date(2026, 6, 19), date(2026, 7, 3)}
WEEKDAYS = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
SESSIONS = [day for day in WEEKDAYS if day.weekday() < 5 and day not in HOLIDAYS]
RULE = ReviewRule(
    months=(3, 6, 9, 12),
    effective_after_close_of=NthWeekday(nth=3, weekday="friday"),
    announced_sessions_before=5,
    data_cutoff_sessions_before=10,
    calendar="XNYS",
)


def test_a_holiday_moves_the_review_to_the_session_before() -> None:
    june = reviews(RULE, SESSIONS, date(2026, 3, 20), date(2026, 6, 30))[-1]
    assert (june.effective, june.announced, june.cutoff) == (date(2026, 6, 18), date(2026, 6, 11), date(2026, 6, 4))


def test_the_base_date_opens_the_calendar() -> None:
    days = [review.effective for review in reviews(RULE, SESSIONS, date(2026, 2, 2), date(2026, 12, 31))]
    assert days == [date(2026, 2, 2), date(2026, 3, 20), date(2026, 6, 18), date(2026, 9, 18), date(2026, 12, 18)]


def test_a_base_date_without_session_is_refused_with_a_cure() -> None:
    with pytest.raises(DataError, match=r"2026-06-19 is no session of XNYS \(try 2026-06-18\)"):
        reviews(RULE, SESSIONS, date(2026, 6, 19), date(2026, 12, 31))


def test_a_calendar_that_starts_too_late_is_refused() -> None:
    with pytest.raises(DataError, match="starts only on 2026-01-01"):
        reviews(RULE, SESSIONS, date(2026, 1, 5), date(2026, 12, 31))
