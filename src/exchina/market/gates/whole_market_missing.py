"""A session of a venue without a bar of any line."""

import polars as pl

from exchina.market.gates.case import HELD, Case, gate
from exchina.market.gates.unfinished_session import SETTLED_AFTER

STILL_DAYS = 10  # a line with a bar so lately is still alive
LEAST_LINES = 2  # of one line alone a missing day says nothing of its market


@gate("whole_market_missing")
def whole_market_missing(case: Case) -> pl.DataFrame:
    """Sessions on which every line of a calendar lacks a bar, though at least two had one before.

    The newest session counts too, as soon as another market has a bar of it.

    There is no row to hold: the day is noted under the name of the calendar, and cleared when it arrives. Until then
    the index carries the last closes, and its own rules say whether the day counts as delayed.

    Evidence: a feed that fails for one country fails for all its lines, and none of them looks wrong by itself.

    Args:
        case: what asks to enter.
    """
    lines = case.lines.drop_nulls("calendar")
    newest = lines["session"].max()
    spans = lines.group_by("calendar", "symbol").agg(since=pl.col("session").min(), until=pl.col("session").max())
    over = case.open_days.filter(
        (pl.col("close_at") + SETTLED_AFTER <= case.now) & (pl.col("session") <= pl.lit(newest, pl.Date))
    )
    due = over.join(spans, on="calendar").filter(
        (pl.col("session") > pl.col("since")) & (pl.col("session") <= pl.col("until") + pl.duration(days=STILL_DAYS))
    )
    counts = due.group_by("calendar", "session").agg(lines=pl.len()).filter(pl.col("lines") >= LEAST_LINES)
    absent = counts.join(lines, on=["calendar", "session"], how="anti").sort("calendar", "session")
    return absent.select(
        table=pl.lit("prices"),
        row=pl.lit(None, pl.UInt32),
        symbol="calendar",
        day="session",
        found=pl.format("no bar of {} lines", "lines"),
        needed=pl.lit("a bar of at least one: the calendar says open"),
    ).cast(HELD)  # pyright: ignore[reportArgumentType]
