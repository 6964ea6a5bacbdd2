"""The schedule for people: a table of what is planned, and an iCalendar file to subscribe to (RFC 5545 and 7986)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from icalendar import Calendar, Event, vText

from exchina.errors import DataError, Problem
from exchina.model import Publication
from exchina.schedule import Days, Due, closes_early, lateness

PUBLIC = ("announcement", "notice", "post_trade", "factsheet")
REVIEW_DAYS = {"data_cutoff": "data cut-off", "announcement": "announcement", "effective_day": "effective after close"}
REFRESH = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the calendar: an instant, or a whole day.

    Attributes:
        key: the index, what, and for which day; the identity of the event for as long as there is a calendar.
        start: when.
        summary: in a line.
        details: in a few more.
        stamp: when this was first said: the start of its job, or its publication.
    """

    key: tuple[str, str, date]
    start: date | datetime
    summary: str
    details: Sequence[str]
    stamp: datetime

    @property
    def uid(self) -> str:
        """The same text in every version of the calendar."""
        index, what, for_day = self.key
        return f"{what}-{for_day}.{index}@exchina"


@dataclass(frozen=True, slots=True)
class Said:
    """What an earlier calendar file says of an event."""

    start: date | datetime
    sequence: int
    stamp: datetime


def planned_table(planned: Sequence[Due], days: Mapping[str, Days]) -> pl.DataFrame:
    """What is planned, a row each, in the given order.

    Args:
        planned: `exchina.schedule.planned`.
        days: those that it was planned with.

    Returns:
        local ("2026-09-11 18:00"), zone (of the job, or of the exchange where it follows the close), utc, do, what,
        index, for_day, remark (``half day``; why a review was called).
    """
    schema = {"local": pl.String, "zone": pl.String, "utc": pl.Datetime("us", "UTC")}
    schema |= {**dict.fromkeys(["do", "what", "index"], pl.String), "for_day": pl.Date, "remark": pl.String}
    rows = [
        (*_local(one, days), one.at, one.job.do, one.what, one.index, one.for_day, "; ".join(_remarks(one, days)))
        for one in planned
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def calendar_ics(
    planned: Sequence[Due],
    days: Mapping[str, Days],
    entries: Collection[Publication],
    *,
    name: str,
    url: str,
    before: bytes = b"",
) -> bytes:
    """The days of each review and every public publication that is not daily, as a calendar file to subscribe to.

    Cut-off and effective day are whole days, publications are instants in UTC. What is published keeps the moment at
    which it was due then. The same arguments give the same bytes: nothing comes from the clock.

    Args:
        planned: `exchina.schedule.planned`, best from the beginning of the schedule on.
        days: those that it was planned with.
        entries: the ledger.
        name: of the calendar, as readers see it.
        url: where the publications are; may be empty.
        before: the file that was public until now. An event whose moment has changed since has a SEQUENCE one higher,
            so that programs move it; without it every SEQUENCE is 0.

    Raises:
        DataError: ``before`` is no calendar file.
    """
    said = _said(before)
    latest = max((_instant(row.published_at) for row in entries), default=None)
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "-//exchina//publication calendar//EN")
    calendar.add("CALSCALE", "GREGORIAN")
    for title in ("NAME", "X-WR-CALNAME"):
        calendar.add(title, vText(name))
    for refresh in ("REFRESH-INTERVAL", "X-PUBLISHED-TTL"):
        calendar.add(refresh, REFRESH, parameters={"VALUE": "DURATION"})
    if url:
        calendar.add("URL", url)
    found = [*_publications(planned, days, entries), *_review_days(planned)]
    for one in sorted(found, key=lambda one: (_utc(one.start), one.uid)):
        calendar.add_component(_event(one, said.get(one.uid), latest, url))
    return calendar.to_ical()


def _publications(
    planned: Sequence[Due], days: Mapping[str, Days], entries: Collection[Publication]
) -> Iterator[Entry]:
    rows = {(row.index_id, row.what, row.for_day): row for row in entries if not row.revision}
    for one in planned:
        if one.what not in PUBLIC:
            continue
        key = (one.index, one.what, one.for_day)
        start, stamp, said = one.at, _began(one), " ".join(_local(one, days))
        if (row := rows.get(key)) is not None:
            start, stamp = _instant(row.due_at or row.published_at), _instant(row.published_at)
            said = f"published {stamp:%Y-%m-%d %H:%M} UTC{', late' if lateness(row, [one.job]) else ''}"
        of = f"review effective {one.for_day}" if one.review else str(one.for_day)
        title = f"{one.index}: {one.what.replace('_', '-')}, {of}"
        yield Entry(key, start, title, [said, *_remarks(one, days)], stamp)


def _review_days(planned: Sequence[Due]) -> Iterator[Entry]:
    """The days of each review that the schedule knows of; its announcement only where that is no publication."""
    announced = {(one.index, one.for_day) for one in planned if one.what == "announcement"}
    reviews = {(one.index, one.review): _began(one) for one in reversed(planned) if one.review}
    for (index, review), began in reviews.items():
        starts = (review.cutoff, review.announced, review.effective)
        for (what, title), start in zip(REVIEW_DAYS.items(), starts, strict=True):
            if what != "announcement" or (index, review.effective) not in announced:
                summary = f"{index}: {title}, review effective {review.effective}"
                yield Entry((index, what, review.effective), start, summary, [review.why] * bool(review.why), began)


def _event(one: Entry, said: Said | None, latest: datetime | None, url: str) -> Event:
    """An event of the file, with a higher number than before where its moment has changed."""
    moved = said is not None and said.start != one.start
    stamps = [one.stamp, *([said.stamp] if said else []), *([latest] if moved and latest else [])]
    event = Event()
    event.add("UID", one.uid)
    event.add("DTSTAMP", max(stamps))
    event.add("SEQUENCE", said.sequence + moved if said else 0)
    event.add("DTSTART", one.start)
    event.add("SUMMARY", one.summary)
    if one.details:
        event.add("DESCRIPTION", "\n".join(one.details))
    event.add("CATEGORIES", [one.key[1]])
    event.add("TRANSP", "TRANSPARENT")
    if url:
        event.add("URL", url)
    return event


def _said(before: bytes) -> dict[str, Said]:
    """What an earlier file says of each event."""
    if not before:
        return {}
    try:
        events = Calendar.from_ical(before).walk("VEVENT")
        return {one.uid: Said(one.start, one.sequence, one.stamp) for one in events if isinstance(one, Event)}
    except ValueError as fault:
        what = f"is no calendar file of exchina: {fault}"
        raise DataError(Problem("calendar.ics", what, "remove it; it is made again")) from fault


def _local(one: Due, days: Mapping[str, Days]) -> tuple[str, str]:
    zone = one.job.zone or days[one.job.follows].zone
    return f"{one.at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}", zone


def _remarks(one: Due, days: Mapping[str, Days]) -> Iterator[str]:
    if closes_early(days[one.job.follows], one.day):
        yield "half day"
    if one.review is not None and one.review.why:
        yield one.review.why


def _began(one: Due) -> datetime:
    return datetime.combine(one.job.since, time(), UTC)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)


def _utc(start: date | datetime) -> datetime:
    return start if isinstance(start, datetime) else datetime.combine(start, time(), UTC)
