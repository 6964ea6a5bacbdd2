"""Two years of days against outside answers: holidays of five exchanges, reviews of providers, our own schedule."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from pydantic import TypeAdapter

from exchina.market.calendar import sessions_table
from exchina.model import Review, ReviewRule
from exchina.rules.review_presets import expanded
from exchina.rules.reviews import reviews
from exchina.schedule import Days, Due, calendar_days, closes_early, parse_schedule, planned
from exchina.workflow import read_rulebook

WEEKDAYS = [day for n in range(730) if (day := date(2026, 1, 1) + timedelta(days=n)).weekday() < 5]
HOLIDAYS = {
    # NYSE Group, "2026 and 2027 Holidays and Trading Hours"; in 2027 three of them are kept on other days.
    "XNYS": "0101 0119 0216 0403 0525 0619 0703 0907 1126 1225 | 0101 0118 0215 0326 0531 0618 0705 0906 1125 1224",
    # ASX, cash market trading calendar; 2027 by the same rules: Anzac Day at a weekend is not moved.
    "XASX": "0101 0126 0403 0406 0608 1225 1228 | 0101 0126 0326 0329 0614 1227 1228",
    # TMX Group, holiday schedule of the Toronto Stock Exchange; 2027 by the same rules.
    "XTSE": "0101 0216 0403 0518 0701 0803 0907 1012 1225 1228 | 0101 0215 0326 0524 0701 0802 0906 1011 1227 1228",
    # Japan Exchange Group, market holidays: the public holidays of the Cabinet Office, 2-3 January and 31 December.
    "XTKS": "0101 0102 0112 0211 0223 0320 0429 0504 0505 0506 0720 0811 0921 0922 0923 1012 1103 1123 1231 | "
    "0101 0111 0211 0223 0322 0429 0503 0504 0505 0719 0811 0920 0923 1011 1103 1123 1231",
    # London Stock Exchange, business days: the bank holidays of England and Wales.
    "XLON": "0101 0403 0406 0504 0525 0831 1225 1228 | 0101 0326 0329 0503 0531 0830 1227 1228",
}
ZONES = {
    "XNYS": ("America/New_York", time(16)),
    "XASX": ("Australia/Sydney", time(16)),
    "XTSE": ("America/Toronto", time(16)),
    "XTKS": ("Asia/Tokyo", time(15, 30)),
    "XLON": ("Europe/London", time(16, 30)),
}
HALF_DAYS = {  # the same sources
    "XNYS": ("1127 1224 | 1126", time(13)),
    "XASX": ("1224 1231 | 1224 1231", time(14, 10)),
    "XTSE": ("1224 | 1224", time(13)),
    "XTKS": ("|", time(15, 30)),
    "XLON": ("1224 1231 | 1224 1231", time(12, 30)),
}
INDICES = ("ex-china-core", "magnet-chain")
FROM, UNTIL = datetime(2026, 9, 1, tzinfo=UTC), datetime(2028, 1, 1, 12, tzinfo=UTC)


def dates(text: str) -> list[date]:
    """The days of both years: "MMDD MMDD | MMDD"."""
    years = zip((2026, 2027), text.split("|"), strict=True)
    return [date(year, int(day[:2]), int(day[2:])) for year, days in years for day in days.split()]


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return sessions_table(HOLIDAYS, date(2025, 6, 1), date(2028, 1, 31))


@pytest.mark.parametrize("venue", HOLIDAYS)
def test_the_library_knows_the_official_holidays_and_half_days(venue: str, table: pl.DataFrame) -> None:
    days = calendar_days(table, venue)
    zone, usual = ZONES[venue]
    short, earlier = HALF_DAYS[venue]
    closed, early = dates(HOLIDAYS[venue]), dates(short)
    sessions = dict(zip(days.sessions, days.closes, strict=True))
    assert [day for day in WEEKDAYS if day not in sessions] == closed
    for day in set(WEEKDAYS) - set(closed):
        assert sessions[day].astimezone(ZoneInfo(zone)).time() == (earlier if day in early else usual), day
    assert [day for day in WEEKDAYS if closes_early(days, day)] == early


FRIDAYS_2 = "0313 0612 0911 1211 | 0312 0611 0910 1210"
FRIDAYS_3 = "0320 0619 0918 1218 | 0319 0618 0917 1217"
NEW_YORK_3 = "0320 0618 0918 1218 | 0319 0617 0917 1217"  # Juneteenth, or its day in lieu, is the third Friday
PROVIDERS = [
    ("sp_dji", "XNYS", FRIDAYS_2, NEW_YORK_3),
    ("marketvector", "XLON", FRIDAYS_2, FRIDAYS_3),
    ("stoxx", "XLON", "0306 0605 0904 1204 | 0305 0604 0903 1203", FRIDAYS_3),
    # Russell reconstitution after the fourth Friday of June; announced on the Friday two weeks before
    ("ftse_russell", "XNYS", "0306 0612 0904 1204 | 0305 0611 0903 1203", "0320 0626 0918 1218 | 0319 0625 0917 1217"),
]


@pytest.mark.parametrize(
    ("provider", "calendar", "announced", "effective"), PROVIDERS, ids=[one[0] for one in PROVIDERS]
)
def test_the_reviews_of_the_providers(
    provider: str, calendar: str, announced: str, effective: str, table: pl.DataFrame
) -> None:
    """Announcement and effective days of index.md 3.1 for two years."""
    made = of_provider(provider, calendar, table)
    assert [one.effective for one in made] == dates(effective)
    assert [one.announced for one in made] == dates(announced)


def test_the_reviews_that_msci_has_published(table: pl.DataFrame) -> None:
    """Announced on 10 February and 12 May 2026, as of the closes of 27 February and 29 May."""
    made = of_provider("msci", "XNYS", table)
    assert [(one.announced, one.effective) for one in made[:2]] == [
        (date(2026, 2, 10), date(2026, 2, 27)),
        (date(2026, 5, 12), date(2026, 5, 29)),
    ]
    assert [one.effective for one in made[4:]] == [
        date(2027, 2, 26),
        date(2027, 5, 28),
        date(2027, 8, 31),
        date(2027, 11, 30),
    ]


def of_provider(provider: str, calendar: str, table: pl.DataFrame) -> list[Review]:
    rule = TypeAdapter(ReviewRule).validate_python(expanded({"provider": provider, "calendar": calendar})[0])
    sessions = calendar_days(table, calendar).sessions
    return reviews(rule, list(sessions), date(2025, 12, 19), date(2027, 12, 31))[1:]


# --- the schedule that is shipped -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def days(root: Path, table: pl.DataFrame) -> dict[str, Days]:
    known = calendar_days(table, "XNYS", HOLIDAYS)
    sessions, found = list(known.sessions), dict[str, Days]()
    for index in INDICES:
        book = read_rulebook(root / "indices" / index / "rulebook.toml")
        assert book.review.calendar == "XNYS"
        made = reviews(book.review, sessions, date(2025, 12, 19), date(2027, 12, 31))
        found[index] = replace(known, reviews=made, events=[date(2026, 11, 27), date(2027, 1, 2)])
    return found


@pytest.fixture(scope="module")
def year(root: Path, days: dict[str, Days]) -> list[Due]:
    jobs = parse_schedule((root / "scheduler" / "schedule.toml").read_text(encoding="utf-8"), INDICES)
    return planned(jobs, days, FROM, UNTIL)


def test_each_index_has_its_whole_cycle(year: list[Due]) -> None:
    closed = dates(HOLIDAYS["XNYS"])
    sessions = [day for day in WEEKDAYS if day >= FROM.date() and day not in closed]
    ends = [max(day for day in sessions if (day.year, day.month) == month) for month in months(sessions)]
    effective = [day for day in dates(NEW_YORK_3) if day >= FROM.date()]
    wanted = {
        "close": sessions,
        "factsheet": ends,
        "notice": [date(2026, 11, 27), date(2027, 1, 4)],
        **dict.fromkeys(["snapshot", "draft", "announcement", "post_trade"], effective),
    }
    for index in INDICES:
        for what, made in wanted.items():
            assert [one.for_day for one in year if (one.index, one.what) == (index, what)] == made, (index, what)
    assert len(year) == 2 * sum(len(made) for made in wanted.values())


def months(sessions: list[date]) -> list[tuple[int, int]]:
    return sorted({(day.year, day.month) for day in sessions})


def test_the_days_of_a_review(year: list[Due]) -> None:
    """Ten sessions and five before the third Friday, Labor Day left out; the day before Juneteenth in lieu."""
    zone = ZoneInfo("America/New_York")
    found = {(one.what, one.for_day): one.at.astimezone(zone).strftime("%m-%d %H:%M") for one in year}
    for effective, said in {
        date(2026, 9, 18): ("09-03 17:30", "09-04 18:30", "09-11 18:00", "09-21 09:00"),
        date(2026, 12, 18): ("12-04 17:30", "12-07 18:30", "12-11 18:00", "12-21 09:00"),
        date(2027, 6, 17): ("06-03 17:30", "06-04 18:30", "06-10 18:00", "06-21 09:00"),
    }.items():
        assert tuple(found[what, effective] for what in ("snapshot", "draft", "announcement", "post_trade")) == said


def test_nothing_is_due_on_a_holiday_or_before_the_closes_it_needs(year: list[Due], table: pl.DataFrame) -> None:
    """Every exchange that trades on the day has had its close; so has, for a review's paper, the day before."""
    closed = set(dates(HOLIDAYS["XNYS"]))
    last = dict(table.group_by("session").agg(pl.max("close_at")).iter_rows())
    sessions = [day for day in WEEKDAYS if day not in closed]
    for one in year:
        assert one.day in sessions
        needed = one.day if one.job.after_close else sessions[sessions.index(one.day) - 1]
        assert last[needed] < one.at, one
        assert one.at.astimezone(ZoneInfo("America/New_York")).date() == one.day
    at = {(one.index, one.what, one.for_day): one.at for one in year}
    for one in year:
        if one.what in ("notice", "factsheet"):
            assert at[one.index, "close", one.for_day] < one.at
        if one.what == "announcement":
            assert at[one.index, "close", one.day] < one.at
            assert at[one.index, "snapshot", one.for_day] < at[one.index, "draft", one.for_day] < one.at
        if one.what == "post_trade":
            assert at[one.index, "close", one.for_day] < one.at


def test_the_friday_after_thanksgiving_waits_for_toronto(year: list[Due]) -> None:
    closes = {one.for_day: one.at for one in year if one.what == "close"}
    assert closes[date(2026, 11, 27)] == datetime(2026, 11, 27, 22, 30, tzinfo=UTC)
    assert closes[date(2026, 12, 24)] == datetime(2026, 12, 24, 19, 30, tzinfo=UTC)
