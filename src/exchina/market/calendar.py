"""Trading sessions of exchange calendars: the only module that knows the calendar library."""

import warnings
from collections.abc import Iterable
from datetime import date
from typing import Any

import exchange_calendars
import polars as pl
from exchange_calendars.errors import CalendarError

from exchina.errors import DataError, Problem
from exchina.model import Reference
from exchina.tables.market import SCHEMAS

ALWAYS = ("XNYS", "24/5")


def market_sessions(reference: Reference, first: date, last: date) -> pl.DataFrame:
    """Sessions of every venue of the reference, of New York and of all weekdays (``24/5``).

    Args:
        reference: its venues name the calendars.
        first: first day with data; the table starts on 1 January of its year.
        last: last day with data; the table ends on 31 December of the year after.

    Returns:
        A table by the contract `exchina.tables.market.SESSIONS`.
    """
    calendars = {*reference.venues["calendar"], *ALWAYS}
    return sessions_table(calendars, date(first.year, 1, 1), date(last.year + 1, 12, 31))


def sessions_table(calendars: Iterable[str], start: date, end: date) -> pl.DataFrame:
    """Sessions of several calendars and the instant at which each closes; half days close early.

    Args:
        calendars: names of the library `exchange_calendars`, mostly market identifier codes.
        start: first day, included.
        end: last day, included.

    Returns:
        calendar, session, close_at (UTC), sorted; contract `exchina.tables.market.SESSIONS`.

    Raises:
        DataError: naming each calendar that is unknown or does not reach that far.

    Example:
        >>> sessions_table(["XNYS"], date(2025, 11, 27), date(2025, 11, 28)).row(0)[2].isoformat()
        '2025-11-28T18:00:00+00:00'
    """
    frames: list[pl.DataFrame] = []
    problems: list[Problem] = []
    for name in sorted(set(calendars)):
        try:
            frames.append(_sessions(name, start, end))
        except (ValueError, CalendarError) as fault:
            hint = "name a calendar that the library exchange_calendars knows and a range that it covers"
            problems.append(Problem(f"calendar {name!r}, {start} to {end}", " ".join(str(fault).split()), hint))
    if problems:
        raise DataError(*problems)
    return pl.concat([pl.DataFrame(schema=SCHEMAS["sessions"]), *frames])


def _sessions(name: str, start: date, end: date) -> pl.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library runs ahead of its pandas
        calendar: Any = exchange_calendars.get_calendar(name, start=start.isoformat(), end=end.isoformat())
        sessions = calendar.sessions.to_numpy().astype("datetime64[D]")
        closes = calendar.closes.to_numpy("datetime64[us]")
    frame = pl.DataFrame({"session": sessions, "close_at": pl.Series(closes).dt.replace_time_zone("UTC")})
    return frame.select(pl.lit(name).alias("calendar"), "session", "close_at")
