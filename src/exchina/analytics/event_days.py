"""From the instant of an announcement to the sessions of each market: the day that reacts, the days that are clean.

Day 0 in a market is its first session whose close is strictly later than the announcement; a time equal to the close
belongs to the next session. An event of which only the date is known is mapped from 00:00 and from 23:59 of that date
in its own time zone. Where the two give different sessions, only a window that covers both may be reported.

``event_date`` of such an event is the first day on which the market could know (late by design). News of the evening
or weekend before can have moved a market that traded in between one session earlier; only a time cures that.
"""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import polars as pl

from exchina.errors import DataError, Problem

IntArray = npt.NDArray[np.int64]
InstantArray = npt.NDArray[np.datetime64]
INSTANT = pl.Datetime("us", "UTC")
NOT_ON_RECORD = -1
LAST_MINUTE = time(23, 59)


def announcement_bounds(events: pl.DataFrame) -> pl.DataFrame:
    """The earliest and the latest instant at which each event can have been announced.

    Args:
        events: ``id``, ``event_date``, ``announced_at`` (UTC; null when only the date is known) and ``announced_zone``
            (IANA name), one row per event.

    Returns:
        ``event_id``, ``earliest``, ``latest`` (UTC), in the order of ``events``.

    Raises:
        DataError: a time zone does not exist; every such event is named.
    """
    problems: list[Problem] = []
    rows: list[tuple[str, datetime, datetime]] = []
    for event, day, instant, zone in events.select("id", "event_date", "announced_at", "announced_zone").iter_rows():
        try:
            earliest, latest = (instant, instant) if instant else _whole_day(day, zone)
            rows.append((event, earliest, latest))
        except (KeyError, TypeError, ValueError):
            problems.append(Problem(f"policy_shocks {event}", f"announced_zone {zone!r} is not a time zone"))
    if problems:
        raise DataError(*problems)
    return pl.DataFrame(rows, schema={"event_id": pl.String, "earliest": INSTANT, "latest": INSTANT}, orient="row")


def event_days(events: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """Day 0 of every event in every market.

    Args:
        events: as for `announcement_bounds`.
        sessions: ``calendar``, ``session``, ``close_at`` (UTC), one row per calendar and session.

    Returns:
        One row per event and calendar: ``event_id``, ``calendar``, ``day0`` and ``day0_latest`` (the sessions for the
        earliest and the latest instant), ``position`` and ``position_latest`` (their places among the sessions of
        the calendar in date order, from 0), ``ambiguous`` (the two differ). All null where the sessions on record
        do not bracket the announcement.
    """
    bounds = announcement_bounds(events)
    frames = [
        _days_in(bounds, calendar, sessions.filter(pl.col("calendar") == calendar).sort("session"))
        for calendar in sessions["calendar"].unique().sort()
    ]
    return pl.concat(frames) if frames else _days_in(bounds, "", sessions).clear()


def first_reacting(instants: InstantArray, closes: InstantArray) -> IntArray:
    """Place of the first close strictly later than each instant; -1 where ``closes`` does not bracket the instant.

    Args:
        instants: any shape, UTC.
        closes: ascending closes of one market, UTC.
    """
    found = np.searchsorted(closes, instants, side="right")
    return np.where((found == 0) | (found == closes.size), NOT_ON_RECORD, found)


def near_events(
    first: IntArray, latest: IntArray, sessions: int, *, before: int = 1, after: int = 3
) -> npt.NDArray[np.bool_]:
    """Which sessions of a market lie around an event: from ``before`` ahead of day 0 to ``after`` behind it.

    Args:
        first: place of each event's day 0 (the earliest, if ambiguous).
        latest: place of each event's latest possible day 0.
        sessions: number of sessions of the market.
        before: sessions ahead of day 0 that an event disturbs.
        after: sessions behind the latest day 0 that it disturbs.
    """
    near = np.zeros(sessions, bool)
    for start, stop in zip(first - before, latest + after + 1, strict=True):
        near[max(start, 0) : stop] = True
    return near


def clean_sessions(near: npt.NDArray[np.bool_], day0: int, *, count: int = 120, end: int = -11) -> IntArray:
    """The estimation window: walking back from day ``end``, the nearest ``count`` sessions away from any event.

    Args:
        near: result of `near_events` over the whole ledger.
        day0: place of the event's day 0.
        count: sessions wanted; fewer are returned where the record begins later.
        end: last estimation day, counted from day 0.

    Returns:
        Places in ascending order.
    """
    return np.flatnonzero(~near[: max(day0 + end + 1, 0)])[-count:]


def _whole_day(day: date, zone: str) -> tuple[datetime, datetime]:
    place = ZoneInfo(zone)
    start, end = (datetime.combine(day, hour, place).astimezone(UTC) for hour in (time(0), LAST_MINUTE))
    return start, end


def _days_in(bounds: pl.DataFrame, calendar: str, sessions: pl.DataFrame) -> pl.DataFrame:
    closes = sessions["close_at"].dt.replace_time_zone(None).to_numpy()
    places = [first_reacting(bounds[c].dt.replace_time_zone(None).to_numpy(), closes) for c in ("earliest", "latest")]
    unknown = pl.Series(np.minimum(*places) == NOT_ON_RECORD)
    position, position_latest = (pl.Series(place).set(unknown, None) for place in places)
    return pl.DataFrame(
        {
            "event_id": bounds["event_id"],
            "calendar": pl.repeat(calendar, bounds.height, dtype=pl.String, eager=True),
            "day0": sessions["session"].gather(position),
            "day0_latest": sessions["session"].gather(position_latest),
            "position": position,
            "position_latest": position_latest,
            "ambiguous": position != position_latest,
        }
    )
