"""Event-study case on sessions: the first that could react to an announcement, in every market."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from exchina.analytics.event_days import event_days
from tests.answers.given import Given, given

MARGIN = timedelta(days=30)
INSTANT = pl.Datetime("us", "UTC")
BOUNDS = {"calendar": pl.String, "session": pl.Date, "open_at": INSTANT, "close_at": INSTANT}


def sessions(inputs: Given) -> dict[str, Any]:
    instants = {event["id"]: datetime.fromisoformat(event["instant"]).astimezone(UTC) for event in inputs["events"]}
    span = min(instants.values()).date() - MARGIN, max(instants.values()).date() + MARGIN
    venues = given(inputs, "exchanges", "markets", "venues")
    calendar = pl.DataFrame(
        [row for name in venues for row in venue_sessions(name, venues[name], *span)], schema=BOUNDS, orient="row"
    )
    events = pl.DataFrame(
        {
            "id": list(instants),
            "event_date": [instant.date() for instant in instants.values()],
            "announced_at": list(instants.values()),
            "announced_zone": "UTC",
        }
    )
    found = event_days(events, calendar.drop("open_at")).join(
        calendar, left_on=["calendar", "day0"], right_on=["calendar", "session"], how="left", maintain_order="left"
    )
    answer: dict[str, Any] = {event: {} for event in instants}
    columns = ("event_id", "calendar", "day0", "open_at", "close_at")
    for event, venue, day, open_at, close_at in found.select(columns).iter_rows():
        instant = instants[event]
        answer[event][venue] = {
            "session": str(day),
            "position": "before_open" if instant < open_at else "in_session",
            "hours_to_close": (close_at - instant) / timedelta(hours=1),
        }
    return answer


def venue_sessions(name: str, venue: Given, first: date, last: date) -> Iterator[tuple[str, date, datetime, datetime]]:
    """Weekdays but the closed days, from the venue's usual local open to its close."""
    zone, opens, closes = ZoneInfo(venue["tz"]), time.fromisoformat(venue["open"]), time.fromisoformat(venue["close"])
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if day.weekday() < 5 and str(day) not in venue["closed_days"]:
            yield name, day, *(datetime.combine(day, at, zone).astimezone(UTC) for at in (opens, closes))
