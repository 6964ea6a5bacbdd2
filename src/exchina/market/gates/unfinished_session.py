"""A bar of a session that is not over."""

from datetime import timedelta

import polars as pl

from exchina.market.gates.case import Case, gate, held

SETTLED_AFTER = timedelta(minutes=30)  # closing auctions end up to 10 minutes late, free feeds lag by 15 to 20


@gate("unfinished_session")
def unfinished_session(case: Case) -> pl.DataFrame:
    """Closes and benchmark levels of a session whose end, and half an hour more, still lies ahead.

    Evidence: a download taken during the session of 2026-08-03 gave MP at 43.48; it closed at 43.84.

    Args:
        case: what asks to enter.
    """
    ends = case.open_days.select("calendar", "session", "close_at")
    running = pl.col("close_at") + SETTLED_AFTER > case.now
    found = pl.format("the session closes at {}", pl.col("close_at").dt.strftime("%Y-%m-%d %H:%M UTC"))
    ahead = (pl.col("session") > case.now.date()) & pl.col("close_at").is_null()
    said = pl.when(ahead).then(pl.lit("a day that has not come")).otherwise(found)
    calendars = case.places.select("symbol", "calendar")
    venues = case.reference.venues.select("calendar", symbol="local_benchmark_symbol").unique("symbol")
    rows: list[pl.DataFrame] = []
    for table, known in (("prices", calendars), ("benchmarks", venues)):
        timed = case.rows(table).join(known, on="symbol", how="left").join(ends, on=["calendar", "session"], how="left")
        open_yet = timed.filter(running | ahead)
        rows.append(held(table, open_yet, said, f"an end at least {SETTLED_AFTER.seconds // 60} minutes ago"))
    return pl.concat(rows)
