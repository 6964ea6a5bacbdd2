from datetime import UTC, date, datetime

import pytest

from exchina.errors import DataError
from exchina.market.calendar import market_sessions, sessions_table
from exchina.model import Reference


def closes(calendar: str, start: date, end: date) -> dict[date, datetime]:
    return {day: at for _, day, at in sessions_table([calendar], start, end).iter_rows()}


def test_closes_follow_daylight_saving_and_half_days() -> None:
    found = closes("XNYS", date(2025, 11, 26), date(2026, 6, 30))
    assert found[date(2025, 11, 26)] == datetime(2025, 11, 26, 21, tzinfo=UTC)
    assert found[date(2025, 11, 28)] == datetime(2025, 11, 28, 18, tzinfo=UTC)
    assert found[date(2026, 6, 18)] == datetime(2026, 6, 18, 20, tzinfo=UTC)
    assert date(2026, 6, 19) not in found
    assert date(2025, 11, 27) not in found


def test_tokyo_closes_half_an_hour_later_since_november_2024() -> None:
    found = closes("XTKS", date(2024, 11, 1), date(2024, 11, 5))
    assert found[date(2024, 11, 1)] == datetime(2024, 11, 1, 6, 0, tzinfo=UTC)
    assert found[date(2024, 11, 5)] == datetime(2024, 11, 5, 6, 30, tzinfo=UTC)


def test_every_weekday_is_a_session_of_the_rates_calendar() -> None:
    days = list(closes("24/5", date(2025, 12, 22), date(2025, 12, 28)))
    assert days == [date(2025, 12, day) for day in range(22, 27)]


def test_sessions_reach_into_the_coming_year(reference: Reference) -> None:
    table = market_sessions(reference, date(2026, 3, 2), date(2026, 3, 3))
    assert set(table["calendar"]) == {*reference.venues["calendar"], "XNYS", "24/5"}
    assert table.filter(calendar="XNYS")["session"].min() == date(2026, 1, 2)
    assert table.filter(calendar="XNYS")["session"].max() == date(2027, 12, 31)


def test_every_calendar_that_cannot_be_had_is_named() -> None:
    with pytest.raises(DataError) as caught:
        sessions_table(["XNYS", "XBOM", "NOPE"], date(2026, 1, 1), date(2028, 12, 31))
    assert [problem.where.split(",")[0] for problem in caught.value.problems] == ["calendar 'NOPE'", "calendar 'XBOM'"]
