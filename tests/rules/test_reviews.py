from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from exchina.errors import DataError
from exchina.market.calendar import sessions_table
from exchina.model import Before, NthSession, NthWeekday, Review, ReviewEvent, ReviewRule, SpecialReview, Trigger
from exchina.rules.events import placed
from exchina.rules.review_presets import PRESETS, expanded, in_words
from exchina.rules.reviews import day_before, reviews

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


@pytest.fixture(scope="module")
def new_york() -> list[date]:
    return sessions_table(["XNYS"], date(2014, 1, 1), date(2027, 12, 31))["session"].to_list()


def calendar_of(provider: str, **settings: Any) -> ReviewRule:
    table, problems = expanded({"provider": provider, "calendar": "XNYS", **settings})
    assert problems == []
    return TypeAdapter(ReviewRule).validate_python(table)


def days(rule: ReviewRule, sessions: list[date], base: date, effective: date) -> Review:
    return next(one for one in reviews(rule, sessions, base, effective) if one.effective == effective)


def test_msci_announces_on_the_published_day(new_york) -> None:
    """MSCI announced on 12 May 2020 what took effect at the close of 29 May, as of 1 June (index.md 3.1)."""
    may = days(calendar_of("msci"), new_york, date(2019, 11, 29), date(2020, 5, 29))
    assert may.announced == date(2020, 5, 12)
    april = [day for day in new_york if (day.year, day.month) == (2020, 4)]
    assert may.cutoff == april[-10]


def test_marketvector_and_sp_count_fridays(new_york) -> None:
    june = days(calendar_of("marketvector"), new_york, date(2025, 3, 21), date(2026, 6, 18))
    assert (june.announced, june.cutoff) == (date(2026, 6, 12), date(2026, 5, 29)), "19 June is a holiday"
    sp = days(calendar_of("sp_dji"), new_york, date(2025, 3, 21), date(2026, 9, 18))
    assert (sp.announced, sp.cutoff, sp.selection_cutoff) == (date(2026, 9, 11), date(2026, 9, 9), date(2026, 8, 14))


def test_russell_chooses_members_only_in_june_on_another_friday(new_york) -> None:
    made = reviews(calendar_of("ftse_russell"), new_york, date(2024, 12, 20), date(2025, 12, 31))
    assert [(one.effective, one.scope) for one in made] == [
        (date(2024, 12, 20), "whole"),
        (date(2025, 3, 21), "weights"),
        (date(2025, 6, 27), "whole"),
        (date(2025, 9, 19), "weights"),
        (date(2025, 12, 19), "weights"),
    ]
    assert made[2].cutoff == date(2025, 5, 30)


def test_nasdaq_selects_a_month_before_it_weighs(new_york) -> None:
    december = days(calendar_of("nasdaq"), new_york, date(2024, 12, 20), date(2025, 12, 19))
    assert (december.selection_cutoff, december.cutoff) == (date(2025, 10, 31), date(2025, 11, 28))


def test_the_nasdaq_special_rebalance_of_2023(new_york) -> None:
    """Shares and members of 3 July, announced 7 July, before the open of 24 July (index.md 3.1, published)."""
    special = SpecialReview(
        effective=date(2023, 7, 21), announced=date(2023, 7, 7), data_cutoff=date(2023, 7, 3), why="Concentration."
    )
    rule = replace(calendar_of("nasdaq"), special=(special,))
    made = reviews(rule, new_york, date(2022, 12, 16), date(2023, 9, 30))
    assert [(one.effective, one.kind) for one in made][2:] == [
        (date(2023, 6, 16), "scheduled"),
        (date(2023, 7, 21), "special"),
        (date(2023, 9, 15), "scheduled"),
    ]
    assert made[3].why == "special: Concentration."
    clash = replace(rule, special=(replace(special, effective=date(2023, 9, 8)),))
    with pytest.raises(DataError, match="while the review of 2023-09-08 is pending"):
        reviews(clash, new_york, date(2022, 12, 16), date(2023, 9, 30))
    holiday = replace(rule, special=(replace(special, data_cutoff=date(2023, 7, 4)),))
    with pytest.raises(DataError, match="2023-07-04 is no session"):
        reviews(holiday, new_york, date(2022, 12, 16), date(2023, 9, 30))


@pytest.mark.parametrize("provider", PRESETS)
def test_every_preset_keeps_its_days_in_order_for_years(provider: str, new_york) -> None:
    made = reviews(calendar_of(provider), new_york, date(2015, 12, 18), date(2026, 12, 31))
    assert len(made) == 1 + 44, "eleven years of quarters after the base"
    for one in made:
        assert (one.selection_cutoff or one.cutoff) <= one.cutoff <= one.announced <= one.effective
    said = " ".join(in_words(calendar_of(provider)))
    assert "Reviewed in months" in said


def test_what_the_table_says_wins_over_the_provider() -> None:
    rule = calendar_of("stoxx", announced_sessions_before=8)
    assert (rule.announced_on, rule.announced_sessions_before) == (None, 8)
    assert expanded({"provider": "msic"})[1][0].hint == "did you mean 'msci'?"


def test_a_calendar_is_said_in_words() -> None:
    said = in_words(calendar_of("sp_dji"))
    days = "the third Friday of the month, announced the second Friday of the month"
    assert f"{days}, data cut off 7 sessions before the effective day." in said[0]
    assert said[1] == "Members are chosen on data of 5 weeks before the effective day, weights on that of the cut-off."
    assert (
        "the last session of the month, announced 12 sessions before the effective day, data cut off session 10 from "
        "the end of the month before" in in_words(calendar_of("msci"))[0]
    )


def test_days_that_cross_are_refused(new_york) -> None:
    rule = replace(calendar_of("marketvector"), announced_on=NthWeekday(nth=4, weekday="friday"))
    with pytest.raises(DataError, match="announced 2025-06-27: out of order"):
        reviews(rule, new_york, date(2025, 3, 21), date(2025, 6, 30))


@given(st.integers(2015, 2026), st.integers(1, 12), st.integers(1, 10))
def test_a_session_counted_from_the_end_is_one_of_the_month_before(year: int, month: int, back: int) -> None:
    sessions = [date(2014, 1, 1) + timedelta(days=n) for n in range(365 * 14)]
    sessions = [day for day in sessions if day.weekday() < 5]
    found = day_before(NthSession(session=-back, months_before=1), sessions, (year, month), date(year, month, 1))
    assert found is not None
    assert found < date(year, month, 1) <= found + timedelta(days=31)
    assert len([day for day in sessions if found <= day < date(year, month, 1)]) == back


def test_weeks_before_are_calendar_weeks_moved_to_a_session(new_york) -> None:
    assert day_before(Before(weeks_before=2), new_york, (2026, 7), date(2026, 7, 17)) == date(2026, 7, 2)


LEAVE = Trigger("takeover_closes", {}, "leave", 1, 5, "why")
WHOLE = Trigger("price_floor_signed", {}, "whole", 2, 5, "why")
PLANNED = [Review(date(2026, 3, 20), date(2026, 3, 13), date(2026, 3, 6))]


def called(day: date, trigger: Trigger, company: str = "a") -> ReviewEvent:
    return ReviewEvent(day, company, trigger.name, trigger.scope, f"{company} on {day}")


def put(calendar: list[Review], trigger: Trigger, day: date, company: str = "a") -> tuple[list[Review], date | None]:
    return placed(calendar, trigger, called(day, trigger, company), day, SESSIONS)


def test_an_event_calls_a_review_of_its_own() -> None:
    made, later = put(PLANNED, LEAVE, date(2026, 2, 7))
    assert later is None
    assert (made[0].cutoff, made[0].announced, made[0].effective) == (
        date(2026, 2, 9),
        date(2026, 2, 10),
        date(2026, 2, 16),
    ), "known on a Saturday: data of Monday"
    assert (made[0].scope, made[0].kind, made[0].why) == ("companies", "event", "a on 2026-02-07")


def test_two_events_of_one_day_are_one_review_with_the_shorter_notice() -> None:
    made, _ = put(PLANNED, WHOLE, date(2026, 2, 9))
    made, _ = put(made, LEAVE, date(2026, 2, 9), "b")
    assert len(made) == 2
    assert (made[0].announced, made[0].scope) == (date(2026, 2, 10), "whole")
    assert made[0].why == "a on 2026-02-09; b on 2026-02-09"


def test_an_event_that_the_next_review_sees_is_merged_into_it() -> None:
    made, later = put(PLANNED, WHOLE, date(2026, 3, 4))
    assert (len(made), later) == (1, None)
    assert (made[0].effective, made[0].kind, made[0].why) == (date(2026, 3, 20), "scheduled", "a on 2026-03-04")


def test_an_event_after_the_cut_off_waits_for_the_effective_day() -> None:
    """The pending review cannot see it, and is not changed: what was known before stays bit-identical."""
    made, later = put(PLANNED, WHOLE, date(2026, 3, 11))
    assert (made, later) == (PLANNED, date(2026, 3, 20))
    made, later = placed(made, WHOLE, called(date(2026, 3, 11), WHOLE), date(2026, 3, 20), SESSIONS)
    assert (made[1].cutoff, made[1].effective, later) == (date(2026, 3, 20), date(2026, 3, 27), None)


def test_a_company_leaves_once() -> None:
    made, _ = put(PLANNED, LEAVE, date(2026, 2, 9))
    assert put(made, LEAVE, date(2026, 2, 11)) == (made, None)
    assert put(made, LEAVE, date(2026, 2, 11), "b") == (made, date(2026, 2, 16))


def test_an_event_beyond_the_known_sessions_calls_nothing() -> None:
    assert put(PLANNED, LEAVE, date(2026, 12, 29)) == (PLANNED, None)
