"""Value traded a day."""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from exchina.rules.registers import screen
from exchina.rules.verdict import Amount, at_least, no_higher_bar_for_members

MOST_SESSIONS = 252
Sessions = Annotated[int, Field(ge=1, le=MOST_SESSIONS)]


def _one_measure(**settings: object) -> str | None:
    """One window, all windows within the sessions that a universe holds, and no higher bar for members."""
    short = settings["median_of_sessions"]
    if short is not None and (settings["sessions"] is not None or settings["measure"] != "median"):
        return "median_of_sessions says measure and sessions in one; give it or them"
    length, windows = short or settings["sessions"] or 63, settings["windows"]
    if isinstance(length, int) and isinstance(windows, int) and length * windows > MOST_SESSIONS:
        return f"{windows} windows of {length} sessions are more than the {MOST_SESSIONS} sessions known"
    return no_higher_bar_for_members(**settings)


@screen("daily_traded_value", check=_one_measure)
def daily_traded_value(
    universe: pl.DataFrame,
    *,
    at_least_usd: Amount,
    members_at_least_usd: Amount | None = None,
    measure: Literal["median", "mean"] = "median",
    sessions: Sessions | None = None,
    windows: Annotated[int, Field(ge=1, le=12)] = 1,
    median_of_sessions: Sessions | None = None,
) -> pl.DataFrame:
    """Keep companies whose median or mean traded value a session reaches a threshold, in each of the last windows.

    A session without a trade counts as zero; a holiday is no session; a session of unknown volume is left out and
    noted.

    Args:
        universe: reads traded_values_usd (list, oldest first, US dollars) and is_member.
        at_least_usd: threshold to enter, US dollars a session.
        members_at_least_usd: threshold to stay; the one to enter where not given.
        measure: median or mean of the sessions of a window.
        sessions: length of a window, 63 where not given; a line with fewer is judged on those it has.
        windows: how many windows, one before the other, must each reach the threshold; a line that lacks some is
            judged on those it has, and the verdict says so.
        median_of_sessions: short for measure median and that many sessions.

    Example:
        >>> table = pl.DataFrame({"traded_values_usd": [[9.0, 1.0, 2.0, 3.0]], "is_member": [False]})
        >>> daily_traded_value(table, at_least_usd=2.5, median_of_sessions=3)["passed"].to_list()
        [False]
        >>> daily_traded_value(table, at_least_usd=2.5, measure="mean", sessions=4)["passed"].to_list()
        [True]
    """
    length = median_of_sessions or sessions or 63
    values = pl.col("traded_values_usd")
    parts = [_part(values, length, back) for back in range(windows)]
    worst = pl.min_horizontal(part.list.median() if measure == "median" else part.list.mean() for part in parts)
    unknown = pl.sum_horizontal(part.list.len() - part.list.drop_nulls().list.len() for part in parts)
    there = pl.sum_horizontal((part.list.len() > 0).cast(pl.Int64) for part in parts)
    notes = [
        pl.when(unknown > 0).then(pl.format("{} sessions of unknown volume left out", unknown)),
        pl.when(there < windows).then(pl.format(f"only {{}} of {windows} windows", there)),
    ]
    note = pl.concat_str(notes, separator="; ", ignore_nulls=True)
    note = pl.when(note != "").then(note)
    return at_least(universe, worst, newcomer=at_least_usd, member=members_at_least_usd, note=note)


def _part(values: pl.Expr, length: int, back: int) -> pl.Expr:
    """The window that ends ``back`` windows ago; shorter, or empty, where the line is younger."""
    if back == 0:
        return values.list.tail(length)
    end = pl.max_horizontal(values.list.len().cast(pl.Int64) - length * back, pl.lit(0))
    start = pl.max_horizontal(end - length, pl.lit(0))
    return values.list.slice(start, end - start)
