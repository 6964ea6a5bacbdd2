"""What is due: the schedule less the ledger."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchina.errors import DataError, RulebookError
from exchina.market.calendar import sessions_table
from exchina.model import Publication, Review
from exchina.schedule import Days, Due, Job, calendar_days, closes_early, due, lateness, parse_schedule, planned
from exchina.schedule.jobs import FITTING, KINDS

ANNOUNCEMENT = """
[[job]]
do = "publish"
what = "announcement"
index = "a"
market = "sample"
on = "announcement_day"
at = "18:00"
zone = "America/New_York"
since = 2026-01-01
"""
FETCH = """
[[job]]
do = "fetch"
market = "live"
provider = "yahoo"
calendar = "XNYS"
on = "every_session"
after_close = 01:00:00
since = 2026-01-01
"""
CLOSE = FETCH.replace('provider = "yahoo"\ncalendar = "XNYS"', 'what = "close"\nindex = "a"').replace(
    "fetch", "publish"
)
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 7, 1, tzinfo=UTC)
REVIEWS = [
    Review(date(2026, 3, 20), date(2026, 3, 13), date(2026, 3, 6)),
    Review(date(2026, 6, 18), date(2026, 6, 11), date(2026, 6, 4)),
    Review(date(2026, 9, 18), date(2026, 9, 11), date(2026, 9, 3)),
    Review(date(2026, 12, 18), date(2026, 12, 11), date(2026, 12, 4)),
]
EVENTS = (date(2026, 2, 7), date(2026, 2, 9), date(2026, 3, 18))


@cache
def new_york() -> Days:
    table = sessions_table(["XNYS"], date(2026, 1, 1), date(2027, 6, 30))
    return replace(calendar_days(table, "XNYS"), reviews=REVIEWS, events=EVENTS)


def days() -> dict[str, Days]:
    return dict.fromkeys(["a", "b", "XNYS"], new_york())


def row(one: Due, published: datetime | None = None) -> Publication:
    moments = one.at.isoformat(), (published or one.at).isoformat()
    return Publication(1, one.index, one.what, one.for_day, 0, *moments, {}, {}, "", "", "")


def cycle(index: str, hour: int = 18, zone: str = "America/New_York", wait: int = 90) -> list[Job]:
    """The whole cycle of an index."""
    at = {"market": "sample", "index": index, "since": date(2026, 2, 1), "at": time(hour), "zone": zone}
    close = {**at, "after_close": time(wait // 60, wait % 60), "at": None, "zone": None}
    return [
        Job(do="publish", what="snapshot", on="data_cutoff", **close),
        Job(do="publish", what="draft", on="announcement_day", sessions_after=-3, **at),
        Job(do="publish", what="announcement", on="announcement_day", **at),
        Job(do="publish", what="close", on="every_session", **close),
        Job(do="publish", what="notice", on="event", **close),
        Job(do="publish", what="post_trade", on="effective_day", sessions_after=1, **at),
        Job(do="publish", what="factsheet", on="quarter_end", **close),
    ]


def parsed(text: str) -> tuple[Job, ...]:
    return parse_schedule(text, ["a", "b"])


def asked(text: str, given: dict[str, Days] | None = None, until: datetime = END) -> list[Due]:
    return planned(parsed(text), given or days(), START, until)


# --- the file ---------------------------------------------------------------------------------------------------------


def test_a_job_that_names_several_indices_is_as_many_jobs() -> None:
    jobs = parsed(ANNOUNCEMENT.replace('"a"', '["b", "a"]') + FETCH)
    assert [(job.subject, job.kind, job.follows) for job in jobs] == [
        ("b", "announcement", "b"),
        ("a", "announcement", "a"),
        ("live", "fetch", "XNYS"),
    ]
    assert jobs[0].grace == timedelta(hours=1)


def test_all_faults_of_a_schedule_are_reported_at_once() -> None:
    broken = ANNOUNCEMENT.replace('"publish"', '"publsh"').replace('"a"', '"c"').replace("New_York", "New_Yorl")
    broken = broken.replace("since", "sinse") + CLOSE.replace("01:00:00", '"1:30"') + "[extra]\n"
    with pytest.raises(RulebookError) as caught:
        parsed(broken)
    said = "\n".join(str(problem) for problem in caught.value.problems)
    for fault in (
        "schedule: job 1.index: no index called 'c' (known: a, b)",
        "'publish' or 'fetch', found 'publsh'",
        "did you mean 'America/New_York'?",
        "schedule: job 1.since: this setting is required",
        "did you mean 'since'?",
        "schedule: job 2.after_close: Input should be in a valid time format",
        "no table called 'extra'",
    ):
        assert fault in said


BAD = [
    (ANNOUNCEMENT, 'on = "announcement_day"', 'on = "every_session"', "cannot be due on 'every_session' (one of: ann"),
    (ANNOUNCEMENT, "since", "sessions_after = 1\nsince", "1 sessions after 'announcement_day' (from 0 to 0)"),
    (ANNOUNCEMENT, 'what = "announcement"\n', "", "job 1.what: this setting is required to publish"),
    (ANNOUNCEMENT, 'what = "announcement"', 'what = "anouncement"', "found 'anouncement'"),
    (ANNOUNCEMENT, 'index = "a"\n', "", "job 1.index: this setting is required to publish"),
    (ANNOUNCEMENT, '"a"', '["a", "a"]', "announcement of a: 2 jobs do this (keep one)"),
    (ANNOUNCEMENT, '"a"', '["a", 5]', "no index called '5'"),
    (ANNOUNCEMENT, "since", 'after_close = "01:00"\nsince', "either at or after_close"),
    (ANNOUNCEMENT, 'at = "18:00"\n', "", "either at or after_close"),
    (ANNOUNCEMENT, 'zone = "America/New_York"\n', "", "job 1.zone: this setting is required beside at"),
    (ANNOUNCEMENT, '"18:00"', '"18:00Z"', "a time of day without offset"),
    (ANNOUNCEMENT, '"18:00"', "1800", "job 1.at: Input should be in a valid time format"),
    (ANNOUNCEMENT, "since", "until = 2025-12-31\nsince", "2025-12-31 lies before since = 2026-01-01"),
    (ANNOUNCEMENT, "since", 'provider = "yahoo"\nsince', "provider: says nothing to a job that does 'publish'"),
    (
        ANNOUNCEMENT,
        "since",
        "identifiers = true\nsince",
        "says nothing to 'announcement' (only to: close)",
    ),
    (ANNOUNCEMENT, "since", 'audience = "internal"\nsince', "'retail' or 'institutional', found 'internal'"),
    (ANNOUNCEMENT, "since", "grace_minutes = -1\nsince", "grace_minutes: Input should be greater than or equal to 0"),
    (CLOSE, "since", 'zone = "UTC"\nsince', "zone: says nothing beside after_close"),
    (CLOSE, "since", "sessions_after = -1\nsince", "cannot be due -1 sessions after 'every_session' (from 0 to 5)"),
    (ANNOUNCEMENT, '"announcement"\n', '"draft"\nsessions_after = 1\n', "after 'announcement_day' (from -20 to 0)"),
    (CLOSE, '"every_session"', '["every_session"]', "job 1.on: Input should be"),
    (FETCH, 'provider = "yahoo"\n', "", "job 1.provider: this setting is required to fetch"),
    (FETCH, "since", 'index = "a"\nsince', "index: says nothing to a job that does 'fetch'"),
    (FETCH, "since", 'what = "close"\nsince', "what: says nothing to a job that does 'fetch'"),
    (FETCH, '"every_session"', '"effective_day"', "'fetch' cannot be due on 'effective_day'"),
    (FETCH, "[[job]]", "[job]", "schedule: job: is no list of tables"),
    (FETCH, "[[job]]", "job = [1]\n[x]", "schedule: job: is no list of tables"),
    (FETCH, "[[job]]", "[[job]", "not valid TOML"),
]


@pytest.mark.parametrize(("text", "old", "new", "fault"), BAD, ids=[bad[3][:40] for bad in BAD])
def test_contradictions_are_refused(text: str, old: str, new: str, fault: str) -> None:
    assert parsed(text)
    with pytest.raises(RulebookError) as caught:
        parsed(text.replace(old, new))
    assert fault in str(caught.value)


def test_every_kind_of_publication_has_its_days() -> None:
    whats = Job.__dataclass_fields__["what"].type.__args__[0].__args__
    assert {"fetch", *whats} == set(KINDS) == FITTING.keys()
    assert KINDS == ("fetch", "snapshot", "draft", "close", "announcement", "notice", "post_trade", "factsheet")


# --- the instants -----------------------------------------------------------------------------------------------------


def test_a_local_time_keeps_to_daylight_saving() -> None:
    assert [one.at for one in asked(ANNOUNCEMENT)] == [
        datetime(2026, 3, 13, 22, tzinfo=UTC),
        datetime(2026, 6, 11, 22, tzinfo=UTC),
        datetime(2026, 9, 11, 22, tzinfo=UTC),
        datetime(2026, 12, 11, 23, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("day", "at", "zone", "then"),
    [
        (date(2026, 3, 8), "02:30", "America/New_York", datetime(2026, 3, 8, 7, 30)),  # does not exist: 03:30 EDT
        (date(2026, 11, 1), "01:30", "America/New_York", datetime(2026, 11, 1, 5, 30)),  # twice: the first, EDT
        (date(2026, 3, 29), "01:15", "Europe/London", datetime(2026, 3, 29, 1, 15)),  # does not exist: 02:15 BST
        (date(2026, 10, 25), "01:15", "Europe/London", datetime(2026, 10, 25, 0, 15)),  # twice: the first, BST
        (date(2026, 10, 4), "02:15", "Australia/Lord_Howe", datetime(2026, 10, 3, 15, 45)),  # by half an hour: 02:45
        (date(2026, 4, 5), "02:30", "Australia/Sydney", datetime(2026, 4, 4, 15, 30)),  # twice: the first, AEDT
    ],
)
def test_a_time_that_the_clocks_skip_or_repeat(day: date, at: str, zone: str, then: datetime) -> None:
    text = ANNOUNCEMENT.replace("18:00", at).replace("America/New_York", zone)
    given = Days([day], [START], [Review(day, day, day)])
    assert [one.at for one in asked(text, {"a": given})] == [then.replace(tzinfo=UTC)]


@given(
    st.integers(0, 540),
    st.times(),
    st.sampled_from(["America/New_York", "Europe/London", "Australia/Sydney", "Australia/Lord_Howe", "Asia/Tokyo"]),
)
def test_no_change_of_clocks_makes_a_day_earlier_than_the_one_before(n: int, at: time, zone: str) -> None:
    two = [date(2026, 1, 1) + timedelta(days=n + more) for more in range(2)]
    job = replace(parsed(ANNOUNCEMENT)[0], at=at, zone=zone, since=two[0])
    given = Days(two, [START] * 2, [Review(day, day, day) for day in two])
    found = planned([job], {"a": given}, START - timedelta(days=2), END)
    assert [one.day for one in found] == two
    for one in found:
        local = one.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - datetime.combine(one.day, at)
        assert local in (timedelta(0), timedelta(minutes=30), timedelta(hours=1))


def test_after_the_close_a_half_day_is_done_earlier() -> None:
    at = {one.for_day: one.at for one in asked(CLOSE)}
    assert at[date(2026, 11, 25)] == datetime(2026, 11, 25, 22, tzinfo=UTC)
    assert at[date(2026, 11, 27)] == datetime(2026, 11, 27, 19, tzinfo=UTC), "New York closes at 13:00"
    assert date(2026, 11, 26) not in at, "Thanksgiving"
    early = [day for day in new_york().sessions if closes_early(new_york(), day)]
    assert early == [date(2026, 11, 27), date(2026, 12, 24)]
    autumn = calendar_days(sessions_table(["XNYS"], date(2026, 10, 30), date(2026, 11, 20)), "XNYS")
    assert not any(closes_early(autumn, day) for day in autumn.sessions), "the clocks change on 1 November"


def test_the_last_of_several_venues_decides_when_a_session_is_closed() -> None:
    """Toronto trades to 16:00 on the Friday after Thanksgiving, and to 13:00 on Christmas Eve, as New York does."""
    table = sessions_table(["XNYS", "XTSE", "XASX", "XLON"], date(2026, 11, 1), date(2026, 12, 31))
    given = calendar_days(table.sample(fraction=1, shuffle=True, seed=1), "XNYS", ["XTSE", "XASX", "XLON"])
    assert list(given.sessions) == calendar_days(table, "XNYS").sessions
    at = {one.for_day: one.at for one in asked(CLOSE, {"a": given})}
    assert at[date(2026, 11, 27)] == datetime(2026, 11, 27, 22, tzinfo=UTC)
    assert at[date(2026, 12, 24)] == datetime(2026, 12, 24, 19, tzinfo=UTC)
    with pytest.raises(DataError, match=r"XTSX: the market has no such calendar \(did you mean 'XTSE'\?\)"):
        calendar_days(table, "XNYS", ["XTSX"])


def test_sessions_are_counted_from_the_day_in_either_direction() -> None:
    found = {(one.what, one.for_day): one.day for one in planned(cycle("a"), days(), START, END) if one.review}
    june = date(2026, 6, 18)
    assert found["snapshot", june] == date(2026, 6, 4)
    assert found["draft", june] == date(2026, 6, 8)
    assert found["announcement", june] == date(2026, 6, 11)
    assert found["post_trade", june] == date(2026, 6, 22), "19 June is a holiday, then a weekend"


def test_what_lies_beyond_the_known_sessions_is_not_planned_yet() -> None:
    given = replace(
        new_york(), sessions=new_york().sessions[:53], closes=new_york().closes[:53], events=[date(2026, 3, 21)]
    )
    assert given.sessions[-1] == date(2026, 3, 19)
    found = {one.what for one in planned(cycle("a"), {"a": given}, START, END)}
    assert found == {"snapshot", "draft", "announcement", "close"}, "March has not ended, and the 20th is not known"
    at = given.sessions.index(date(2026, 3, 12))
    given = replace(given, sessions=given.sessions[at:], closes=given.closes[at:])
    found = {one.what for one in planned(cycle("a"), {"a": given}, START, END) if one.review}
    assert found == {"announcement"}, "neither the cut-off nor the third session before the announcement is known"
    told = [
        one for one in planned(cycle("a"), {"a": replace(given, events=EVENTS)}, START, END) if one.what == "notice"
    ]
    assert [one.day for one in told] == [date(2026, 3, 18)]


def test_months_and_quarters_end_with_their_last_session() -> None:
    month = CLOSE.replace('"close"', '"factsheet"').replace("every_session", "month_end")
    ends = [one.for_day for one in asked(month)]
    assert ends[:5] == [date(2026, 1, 30), date(2026, 2, 27), date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 29)]
    assert len(ends) == 17, "whether June 2027 ends on its 30th is not known before July"
    quarters = [one.for_day for one in asked(month.replace("month", "quarter"))]
    assert quarters == [day for day in ends if day.month % 3 == 0]


def test_what_becomes_known_at_a_weekend_is_told_once_on_monday() -> None:
    notice = CLOSE.replace('"close"', '"notice"').replace("every_session", "event")
    assert [one.for_day for one in asked(notice)] == [date(2026, 2, 9), date(2026, 3, 18)]


def test_since_and_until_count_the_day_on_which_it_is_due() -> None:
    text = ANNOUNCEMENT.replace("2026-01-01", "2026-06-11\nuntil = 2026-09-11")
    assert [one.review for one in asked(text)] == REVIEWS[1:3]
    assert asked(text.replace("2026-06-11", "2026-06-12").replace("2026-09-11", "2026-09-10")) == []


def test_within_an_instant_the_order_is_stated() -> None:
    """One session is every day of a review, the end of a quarter, and that of an event."""
    day, after = date(2026, 6, 30), date(2026, 7, 1)
    given = Days([day, after], [START] * 2, [Review(day, day, day)], [day])
    late = [
        replace(one, at=time(20), zone="UTC", after_close=None, sessions_after=0)
        for index in ("b", "a")
        for one in reversed(cycle(index))
    ]
    fetch = replace(parsed(FETCH)[0], at=time(20), zone="UTC", after_close=None)
    found = planned([*late, fetch], dict.fromkeys(["a", "b", "XNYS"], given), START, datetime(2026, 7, 1, tzinfo=UTC))
    assert [(one.what, one.index) for one in found] == [
        ("fetch", "live"),
        *((what, index) for what in KINDS[1:] for index in ("a", "b")),
    ]


def test_days_that_are_missing_or_do_not_fit_are_named() -> None:
    with pytest.raises(DataError, match="XNYS: its days are not known.*\n.*schedule: b: its days"):
        planned([*parsed(FETCH), *cycle("b")], {"a": new_york()}, START, END)
    with pytest.raises(DataError, match="2 sessions have 1 closes"):
        Days([date(2026, 1, 2), date(2026, 1, 5)], [START])


# --- the schedule less the ledger -------------------------------------------------------------------------------------


def test_a_publication_is_due_from_its_instant_on() -> None:
    then = datetime(2026, 3, 13, 22, 0, tzinfo=UTC)
    assert due(parsed(ANNOUNCEMENT), days(), [], then - timedelta(seconds=1)) == []
    assert [one.review for one in due(parsed(ANNOUNCEMENT), days(), [], then)] == REVIEWS[:1]


def test_what_the_ledger_holds_is_not_due() -> None:
    everything = asked(ANNOUNCEMENT)
    held = [row(everything[1]), replace(row(everything[2]), what="announcement_delayed")]
    assert due(parsed(ANNOUNCEMENT), days(), held, END) == [everything[0], *everything[2:]]


moments = st.lists(st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1)), max_size=12)
hours = st.integers(0, 23)
zones = st.sampled_from(["America/New_York", "Australia/Sydney", "Europe/London"])
schedules = st.builds(cycle, st.just("a"), hours, zones, st.integers(0, 600))


@given(schedules, moments, st.lists(st.integers(0, 40), min_size=12, max_size=12), st.randoms())
def test_whatever_ticks_and_crashes_nothing_is_missed_repeated_or_out_of_order(
    jobs: list[Job], ticks: list[datetime], crashes: list[int], random
) -> None:
    """At each tick only so many are done before a crash; the next tick goes on."""
    done: list[Publication] = []
    for tick, most in zip(sorted(ticks), crashes, strict=False):
        now = tick.replace(tzinfo=UTC)
        found = due(jobs, days(), random.sample(done, len(done)), now)
        assert all(one.at <= now for one in found)
        done += [row(one, now) for one in found[:most]]
    done += [row(one, END) for one in due(jobs, days(), done, END)]
    wanted = planned(jobs, days(), START, END)
    assert len(done) == len(wanted) > 300
    for job in jobs:
        made = [one.for_day for one in done if one.what == job.kind]
        assert made == [one.for_day for one in wanted if one.what == job.kind]
        assert made == sorted(set(made))
    assert due(jobs, days(), done, END) == []


@given(schedules, schedules, st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1)))
def test_more_jobs_never_take_away_what_is_due(mine: list[Job], others: list[Job], moment: datetime) -> None:
    theirs = [replace(job, index="b") for job in others]
    now = moment.replace(tzinfo=UTC)
    together = due([*theirs, *mine], days(), [], now)
    assert [one for one in together if one.index == "a"] == due(mine, days(), [], now)
    assert together == sorted(together, key=lambda one: (one.at, KINDS.index(one.what), one.index, one.for_day))


@given(schedules, st.integers(0, 300))
def test_a_span_is_planned_in_pieces_as_in_one(jobs: list[Job], n: int) -> None:
    whole = planned(jobs, days(), START, END)
    between = whole[n].at
    assert planned(jobs, days(), START, between) + planned(jobs, days(), between, END) == whole


# --- late -------------------------------------------------------------------------------------------------------------


def test_late_is_what_comes_after_the_grace_of_its_job() -> None:
    jobs = parsed(ANNOUNCEMENT.replace("since", "grace_minutes = 15\nsince"))
    one = planned(jobs, days(), START, END)[0]
    for minutes, late in ((0, 0), (15, 0), (16, 16), (600, 600)):
        moment, wait = one.at + timedelta(minutes=minutes), timedelta(minutes=late)
        assert one.late_by(moment) == lateness(row(one, moment), jobs) == wait
    assert lateness(row(one, one.at + timedelta(minutes=59)), []) == timedelta(0), "the usual hour"
    assert lateness(row(one, one.at + timedelta(minutes=61)), []) == timedelta(minutes=61)
    assert lateness(replace(row(one, END), due_at=""), jobs) == timedelta(0), "published by hand"
