"""PURE. The schedule: what is due when. Due is the schedule less the ledger, so nothing is missed or repeated."""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from statistics import median_low
from typing import TypeAlias
from zoneinfo import ZoneInfo

import polars as pl

from exchina.errors import DataError, Problem, did_you_mean
from exchina.model import Publication, Review
from exchina.schedule.jobs import GRACE_MINUTES, KINDS, Job, parse_schedule

__all__ = ["Days", "Due", "Job", "calendar_days", "closes_early", "due", "lateness", "parse_schedule", "planned"]

BEGINNING = datetime.min.replace(tzinfo=UTC)
IN_TIME = timedelta(0)
Occasion: TypeAlias = tuple[date, date, Review | None]


@dataclass(frozen=True, slots=True)
class Days:
    """The days of an index, or of an exchange calendar: all that can make a job due.

    Attributes:
        sessions: of its calendar, ascending, as far as they are known.
        closes: the instant of each at which its last price is there.
        reviews: every review known.
        events: the days on which something ad hoc became known.
        zone: time zone of the calendar, in which people read what is due so long after a close.
    """

    sessions: Sequence[date]
    closes: Sequence[datetime]
    reviews: Collection[Review] = ()
    events: Collection[date] = ()
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if len(self.sessions) != len(self.closes):
            what = f"{len(self.sessions)} sessions have {len(self.closes)} closes"
            raise DataError(Problem("days of a schedule", what, "give one close for each session"))


@dataclass(frozen=True, slots=True)
class Due:
    """Something that a job asks for, and since when.

    Attributes:
        job: which asks for it.
        index: the index, or the market of a fetch.
        what: the kind of publication, or ``fetch``.
        for_day: the effective day of the review, or the session that it is for.
        day: the session on which it is due.
        at: the instant from which it is due, UTC.
        review: the review that it belongs to; None for what belongs to a session.
    """

    job: Job
    index: str
    what: str
    for_day: date
    day: date
    at: datetime
    review: Review | None = None

    def late_by(self, now: datetime) -> timedelta:
        """How long it has been due where that is longer than its job allows; else zero, which is false."""
        return _beyond(now - self.at, self.job.grace)


def calendar_days(sessions: pl.DataFrame, calendar: str, venues: Collection[str] = ()) -> Days:
    """The sessions of a calendar; each closes when the last of its own and the venues' markets does.

    On the Friday after Thanksgiving New York closes at 13:00 and Toronto at 16:00: an index with prices from both has
    its close only then.

    Args:
        sessions: a table by the contract `exchina.tables.market.SESSIONS`.
        calendar: whose sessions count.
        venues: calendars of the other venues whose prices are read.

    Raises:
        DataError: the table lacks one of the calendars.
    """
    known = sessions["calendar"].unique().to_list()
    strange = sorted({calendar, *venues}.difference(known))
    if strange:
        raise DataError(
            *(Problem(name, "the market has no such calendar", did_you_mean(name, known)) for name in strange)
        )
    own = sessions.filter(pl.col("calendar") == calendar).select("session")
    closes = sessions.filter(pl.col("calendar").is_in([calendar, *venues])).group_by("session").agg(pl.max("close_at"))
    table = own.join(closes, on="session").sort("session")
    return Days(table["session"].to_list(), table["close_at"].to_list())


def closes_early(days: Days, session: date) -> bool:
    """Whether a session is a half day: it closes over an hour earlier than the median of the eleven sessions around it.

    Daylight saving moves a close by an hour in UTC, and no exchange that ends early does so by less than that.
    """
    at = bisect_left(days.sessions, session)
    near = range(max(0, at - 5), min(len(days.sessions), at + 6))
    waits = {one: days.closes[one] - datetime.combine(days.sessions[one], time(), UTC) for one in near}
    known = session in days.sessions[at : at + 1]
    return known and median_low(waits.values()) - waits[at] > timedelta(hours=1)


def planned(jobs: Collection[Job], days: Mapping[str, Days], after: datetime, until: datetime) -> list[Due]:
    """Everything that the schedule asks for between two instants, oldest first, whatever has been done.

    Within an instant the order is that of `exchina.schedule.jobs.KINDS`, then of the indices. What lies beyond the
    known sessions is not planned yet. A local time that a change of clocks skips moves on by as much as it skips; of
    one that comes twice the first counts. What became known on a day without session is told on the next one.

    Args:
        jobs: the schedule.
        days: by index, and by the calendar of each fetch.
        after: with a time zone; what is due at this instant is left out.
        until: with a time zone; what is due at this instant is the last.

    Raises:
        DataError: naming each index and calendar whose days are not given.
    """
    strange = sorted({job.follows for job in jobs} - days.keys())
    if strange:
        raise DataError(*(Problem(f"schedule: {name}", "its days are not known", "give its days") for name in strange))
    found = (one for job in jobs for one in _asked(job, days[job.follows]))
    return sorted((one for one in found if after < one.at <= until), key=_order)


def due(jobs: Collection[Job], days: Mapping[str, Days], entries: Collection[Publication], now: datetime) -> list[Due]:
    """What has to be done now, oldest first: the schedule less what the ledger already holds; raises as `planned`.

    Args:
        jobs: the schedule.
        days: as for `planned`.
        entries: the ledger, in any order.
        now: the present moment, with a time zone.
    """
    done = {(entry.index_id, entry.what, entry.for_day) for entry in entries}
    return [one for one in planned(jobs, days, BEGINNING, now) if (one.index, one.what, one.for_day) not in done]


def lateness(entry: Publication, jobs: Collection[Job]) -> timedelta:
    """How long after it was due a row was published, where that is more than its job allows; else zero, which is false.

    The grace is the one that its row has kept. One that somebody published by hand was never due.
    """
    if not entry.due_at:
        return IN_TIME
    if "grace_minutes" in entry.inputs:
        grace = timedelta(minutes=int(entry.inputs["grace_minutes"]))
    else:
        usual = timedelta(minutes=GRACE_MINUTES)
        grace = next((job.grace for job in jobs if (job.subject, job.kind) == (entry.index_id, entry.what)), usual)
    return _beyond(datetime.fromisoformat(entry.published_at) - datetime.fromisoformat(entry.due_at), grace)


def _beyond(wait: timedelta, grace: timedelta) -> timedelta:
    return wait if wait > grace else IN_TIME


def _order(one: Due) -> tuple[datetime, int, str, date]:
    return one.at, KINDS.index(one.what), one.index, one.for_day


def _asked(job: Job, days: Days) -> Iterator[Due]:
    """Every occasion on which a job is due, as far as sessions are known."""
    for for_day, near, review in _occasions(job.on, days):
        start = bisect_left(days.sessions, near)
        at = start + job.sessions_after
        known = near in days.sessions[start : start + 1] and 0 <= at < len(days.sessions)
        if known and job.since <= days.sessions[at] <= job.until:
            yield Due(job, job.subject, job.kind, for_day, days.sessions[at], _instant(job, days, at), review)


def _occasions(on: str, days: Days) -> Iterator[Occasion]:
    """For which day, near which day, and of which review something can be due."""
    match on:
        case "every_session":
            yield from ((day, day, None) for day in days.sessions)
        case "month_end" | "quarter_end":
            months = (3, 6, 9, 12) if on == "quarter_end" else range(1, 13)
            ends = (day for day, following in pairwise(days.sessions) if day.month != following.month)
            yield from ((day, day, None) for day in ends if day.month in months)
        case "event":
            known = (day for day in days.events if days.sessions and days.sessions[0] <= day <= days.sessions[-1])
            told = {days.sessions[bisect_left(days.sessions, day)] for day in known}
            yield from ((day, day, None) for day in sorted(told))
        case _:
            for review in days.reviews:
                near = {"data_cutoff": review.cutoff, "announcement_day": review.announced}.get(on, review.effective)
                yield review.effective, near, review


def _instant(job: Job, days: Days, at: int) -> datetime:
    if job.after_close is not None:
        wait = timedelta(hours=job.after_close.hour, minutes=job.after_close.minute, seconds=job.after_close.second)
        return days.closes[at].astimezone(UTC) + wait
    if job.at is None or job.zone is None:
        where = f"{job.kind} of {job.subject}"
        raise DataError(Problem(where, "has no time of day", "set at and zone, or after_close"))
    return datetime.combine(days.sessions[at], job.at, ZoneInfo(job.zone)).astimezone(UTC)
