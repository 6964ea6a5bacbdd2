"""The calendar file: read back by two parsers, the same bytes again, and events that move."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest
from icalendar import Calendar

from exchina.errors import DataError
from exchina.market.calendar import sessions_table
from exchina.model import Publication, Review
from exchina.schedule import Days, Due, calendar_days, parse_schedule, planned
from exchina.site.calendar_file import calendar_ics, planned_table

TEXT = """
[[job]]
do = "publish"
what = "announcement"
index = ["a", "b"]
market = "sample"
on = "announcement_day"
at = "18:00"
zone = "America/New_York"
since = 2026-09-01
[[job]]
do = "publish"
what = "draft"
index = "b"
market = "sample"
on = "data_cutoff"
at = "09:00"
zone = "America/New_York"
since = 2026-09-01
[[job]]
do = "publish"
what = "close"
index = "a"
market = "sample"
on = "every_session"
after_close = "01:30"
since = 2026-09-01
[[job]]
do = "publish"
what = "notice"
index = "a"
market = "sample"
on = "event"
after_close = "02:00"
since = 2026-09-01
"""
WHY = "Größe, Streubesitz; and a reason, 新しい, that is long enough to be folded more than once in the file " * 2
REVIEWS = [
    Review(date(2026, 9, 18), date(2026, 9, 11), date(2026, 9, 3)),
    Review(date(2026, 12, 18), date(2026, 12, 11), date(2026, 12, 4), kind="special", why=WHY),
]
NAME = "Indices, ours; and yours"


@cache
def days() -> dict[str, Days]:
    known = calendar_days(sessions_table(["XNYS"], date(2026, 7, 1), date(2027, 1, 31)), "XNYS")
    return dict.fromkeys(
        ["a", "b"], replace(known, reviews=REVIEWS, events=[date(2026, 11, 27)], zone="America/New_York")
    )


def plan(text: str = TEXT) -> list[Due]:
    until = datetime(2027, 1, 1, tzinfo=UTC)
    return planned(parse_schedule(text, ["a", "b"]), days(), datetime(2026, 1, 1, tzinfo=UTC), until)


def made(text: str = TEXT, entries: list[Publication] | None = None, before: bytes = b"") -> bytes:
    return calendar_ics(plan(text), days(), entries or [], name=NAME, url="https://index.example/", before=before)


def events(content: bytes) -> dict[str, tuple[date | datetime, int, datetime]]:
    found = Calendar.from_ical(content).walk("VEVENT")
    return {str(one["UID"]): (one["DTSTART"].dt, one["SEQUENCE"], one["DTSTAMP"].dt) for one in found}


def row(one: Due, late: timedelta = timedelta(0)) -> Publication:
    moments = one.at.isoformat(), (one.at + late).isoformat()
    return Publication(1, one.index, one.what, one.for_day, 0, *moments, {}, {}, "", "", "")


SINCE = datetime(2026, 9, 1, tzinfo=UTC)
ANNOUNCED = "announcement-2026-12-18.a@exchina"


def test_each_review_day_and_each_publication_that_is_not_daily_is_an_event() -> None:
    at_six = {date(2026, 9, 18): datetime(2026, 9, 11, 22, tzinfo=UTC)}
    at_six[date(2026, 12, 18)] = datetime(2026, 12, 11, 23, tzinfo=UTC)
    wanted: dict[str, date | datetime] = {
        "notice-2026-11-27.a@exchina": datetime(2026, 11, 27, 20, tzinfo=UTC),
    }
    for index in "ab":
        for review in REVIEWS:
            wanted |= {
                f"data_cutoff-{review.effective}.{index}@exchina": review.cutoff,
                f"announcement-{review.effective}.{index}@exchina": at_six[review.effective],
                f"effective_day-{review.effective}.{index}@exchina": review.effective,
            }
    assert events(made()) == {uid: (start, 0, SINCE) for uid, start in wanted.items()}


def test_an_announcement_that_is_not_published_by_the_schedule_is_a_whole_day() -> None:
    found = events(made(TEXT.replace('["a", "b"]', '"a"')))
    assert found["announcement-2026-12-18.b@exchina"][0] == date(2026, 12, 11)
    assert found[ANNOUNCED][0] == datetime(2026, 12, 11, 23, tzinfo=UTC)


def test_the_file_keeps_to_the_standard() -> None:
    """RFC 5545: CRLF, lines of at most 75 octets, the required properties once; RFC 7986: name and refresh interval."""
    content = made()
    lines = content.split(b"\r\n")
    assert lines.pop() == b""
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(map(len, lines)) <= 75
    text = content.replace(b"\r\n ", b"").decode()
    head, *found = text.split("BEGIN:VEVENT\r\n")
    assert r"NAME:Indices\, ours\; and yours" in head
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT12H\r\n" in head
    assert head.startswith("BEGIN:VCALENDAR\r\n")
    assert text.endswith("END:VEVENT\r\nEND:VCALENDAR\r\n")
    for required in ("VERSION:2.0", "PRODID:"):
        assert head.count(f"\r\n{required}") == 1
    for one in found:
        for required in ("UID:", "DTSTAMP:", "SEQUENCE:", "SUMMARY:"):
            assert f"\r\n{one}".count(f"\r\n{required}") == 1
        assert re.search(r"^DTSTAMP:\d{8}T\d{6}Z\r$", one, re.MULTILINE)
        assert re.search(r"^DTSTART(;VALUE=DATE:\d{8}|:\d{8}T\d{6}Z)\r$", one, re.MULTILINE)
        assert "URL:https://index.example/\r\n" in one


def test_another_parser_reads_the_same() -> None:
    vobject = pytest.importorskip("vobject", reason="needs the second iCalendar parser, vobject")
    content = made()
    calendar = vobject.readOne(content.decode())
    calendar.validate(raiseException=True)
    assert calendar.contents["x-wr-calname"][0].value == NAME
    found = {one.uid.value: one for one in calendar.vevent_list}
    assert {uid: one.dtstart.value for uid, one in found.items()} == {
        uid: start for uid, (start, _, _) in events(content).items()
    }
    assert found[ANNOUNCED].summary.value == "a: announcement, review effective 2026-12-18"
    assert found[ANNOUNCED].description.value == f"2026-12-11 18:00 America/New_York\n{WHY}"
    assert found["notice-2026-11-27.a@exchina"].description.value == "2026-11-27 15:00 America/New_York\nhalf day"


def test_the_same_arguments_give_the_same_bytes_in_any_order_of_the_ledger() -> None:
    rows = [row(one) for one in plan()[:30]]
    first = made(entries=rows)
    assert made(entries=rows[::-1]) == first == made(entries=rows, before=first)


def test_an_event_whose_moment_changes_has_a_higher_sequence() -> None:
    early = TEXT.replace('"18:00"', '"17:00"')
    rows = [row(one) for one in plan()[:3]]
    first = made()
    second = made(early, rows, first)
    third = made(TEXT, rows, second)
    for content, hour, sequence in ((first, 23, 0), (second, 22, 1), (third, 23, 2)):
        start, number, stamp = events(content)[ANNOUNCED]
        assert (start, number) == (datetime(2026, 12, 11, hour, tzinfo=UTC), sequence)
        assert stamp == (plan()[2].at if sequence else SINCE), "the last moment of the ledger"
        assert events(content)["effective_day-2026-12-18.a@exchina"][1] == 0
    assert made(TEXT, rows, third) == third
    assert events(made(early, rows))[ANNOUNCED][1] == 0, "without the file before nothing is known to have moved"


def test_what_is_published_keeps_its_moment_and_says_when_it_came() -> None:
    one = next(item for item in plan() if item.what == "announcement")
    uid = "announcement-2026-09-18.a@exchina"
    for late, said in ((timedelta(minutes=5), "22:05 UTC"), (timedelta(hours=2), r"2026-09-12 00:00 UTC\, late")):
        content = made(TEXT.replace('"18:00"', '"12:00"'), [row(one, late)], made())
        assert events(content)[uid] == (one.at, 0, one.at + late)
        assert said in content.replace(b"\r\n ", b"").decode()
    assert events(made(entries=[replace(row(one), revision=1)]))[uid][2] == SINCE, "a revision moves nothing"


def test_a_file_that_is_no_calendar_is_named() -> None:
    with pytest.raises(DataError, match=r"calendar\.ics: is no calendar file of exchina"):
        made(before=b"not a calendar")


def test_the_plan_as_a_table() -> None:
    table = planned_table(plan(), days())
    assert table.columns == ["local", "zone", "utc", "do", "what", "index", "for_day", "remark"]
    assert table.height == len(plan())
    assert table["utc"].is_sorted()
    rows = table.filter(for_day=date(2026, 11, 27)).rows()
    york, friday = "America/New_York", date(2026, 11, 27)
    at = [datetime(2026, 11, 27, 19, 30, tzinfo=UTC), datetime(2026, 11, 27, 20, tzinfo=UTC)]
    assert rows == [
        ("2026-11-27 14:30", york, at[0], "publish", "close", "a", friday, "half day"),
        ("2026-11-27 15:00", york, at[1], "publish", "notice", "a", friday, "half day"),
    ]
    assert table.filter(what="announcement", for_day=date(2026, 12, 18))["remark"].to_list() == [WHY, WHY]
    assert planned_table([], {}).columns == table.columns
