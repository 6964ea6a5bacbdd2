from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from exchina.analytics.event_days import announcement_bounds, clean_sessions, event_days, near_events
from exchina.errors import DataError

SYDNEY_CLOSE, NEW_YORK_CLOSE = 5, 21  # UTC, southern summer and northern winter


def ledger(*rows: tuple[str, date, datetime | None, str]) -> pl.DataFrame:
    schema = {
        "id": pl.String,
        "event_date": pl.Date,
        "announced_at": pl.Datetime("us", "UTC"),
        "announced_zone": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def january(calendar: str, hour: int, *closed: int) -> pl.DataFrame:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(31)]
    open_days = [day for day in days if day.weekday() < 5 and day.day not in closed]
    rows = [(calendar, day, datetime(day.year, day.month, day.day, hour, tzinfo=UTC)) for day in open_days]
    schema = {"calendar": pl.String, "session": pl.Date, "close_at": pl.Datetime("us", "UTC")}
    return pl.DataFrame(rows, schema=schema, orient="row")


SESSIONS = pl.concat([january("XNYS", NEW_YORK_CLOSE, 19), january("XASX", SYDNEY_CLOSE, 26)])


def day0(*rows: tuple[str, date, datetime | None, str]) -> dict[str, tuple[date, date, bool]]:
    found = event_days(ledger(*rows), SESSIONS)
    return {calendar: (first, last, both) for _, calendar, first, last, *_, both in found.iter_rows()}


def test_a_date_without_a_time_spans_the_whole_day_of_its_zone() -> None:
    bounds = announcement_bounds(ledger(("E", date(2026, 1, 14), None, "Asia/Shanghai")))
    assert bounds.row(0)[1:] == (datetime(2026, 1, 13, 16, tzinfo=UTC), datetime(2026, 1, 14, 15, 59, tzinfo=UTC))


def test_the_length_of_a_day_follows_daylight_saving() -> None:
    bounds = announcement_bounds(ledger(("E", date(2026, 3, 8), None, "America/New_York")))
    assert bounds["latest"][0] - bounds["earliest"][0] == timedelta(hours=22, minutes=59)


def test_a_date_without_a_time_is_ambiguous_where_a_close_falls_within_it() -> None:
    wednesday = day0(("E", date(2026, 1, 14), None, "Asia/Shanghai"))
    assert wednesday["XNYS"] == (date(2026, 1, 13), date(2026, 1, 14), True)
    assert wednesday["XASX"] == (date(2026, 1, 14), date(2026, 1, 15), True)
    saturday = day0(("E", date(2026, 1, 17), None, "America/New_York"))
    assert saturday["XASX"] == (date(2026, 1, 19), date(2026, 1, 19), False)
    assert saturday["XNYS"] == (date(2026, 1, 20), date(2026, 1, 20), False), "Monday 19 is a holiday"


def test_a_time_is_never_ambiguous() -> None:
    found = day0(("E", date(2026, 1, 23), datetime(2026, 1, 23, 12, tzinfo=UTC), "America/New_York"))
    assert found["XNYS"] == (date(2026, 1, 23), date(2026, 1, 23), False)
    assert found["XASX"] == (date(2026, 1, 27), date(2026, 1, 27), False), "Monday 26 is a holiday"


def test_sessions_that_do_not_bracket_the_announcement_give_no_day() -> None:
    for instant in (datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC)):
        found = event_days(ledger(("E", instant.date(), instant, "UTC")), SESSIONS)
        assert found.drop_nulls().is_empty()
        assert found.drop("event_id", "calendar").null_count().row(0) == (2,) * 5


def test_positions_count_sessions_whatever_the_order_of_the_rows() -> None:
    event = ledger(("E", date(2026, 1, 7), datetime(2026, 1, 7, 12, tzinfo=UTC), "UTC"))
    shuffled = event_days(event, SESSIONS.sample(fraction=1, shuffle=True, seed=1))
    assert shuffled.rows() == event_days(event, SESSIONS).rows()
    assert dict(shuffled.select("calendar", "position").iter_rows()) == {"XASX": 5, "XNYS": 4}


def test_every_unknown_zone_is_named() -> None:
    rows = [("A", date(2026, 1, 7), None, "Asia/Pekin"), ("B", date(2026, 1, 7), None, "")]
    with pytest.raises(DataError) as caught:
        announcement_bounds(ledger(*rows))
    assert [problem.where for problem in caught.value.problems] == ["policy_shocks A", "policy_shocks B"]


def test_an_event_disturbs_one_session_before_and_three_after() -> None:
    near = near_events(np.array([5, 0]), np.array([6, 0]), 12)
    assert np.flatnonzero(near).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_estimation_walks_back_over_clean_sessions_until_it_has_enough() -> None:
    near = np.isin(np.arange(40), [20, 21, 22])
    assert clean_sessions(near, 35, count=5, end=-11).tolist() == [17, 18, 19, 23, 24]
    assert clean_sessions(near, 35, count=5, end=-1).tolist() == [30, 31, 32, 33, 34]
    assert clean_sessions(near, 13, count=5, end=-11).tolist() == [0, 1, 2]
    assert clean_sessions(near, 4, count=5, end=-11).tolist() == []
