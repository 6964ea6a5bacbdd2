"""Events whose windows overlap cannot be told apart: they are one compound event and are reported as one."""

import polars as pl

from exchina.errors import DataError, Problem

JOIN = "+"


def compound_events(days: pl.DataFrame, window: tuple[int, int]) -> pl.DataFrame:
    """Group events whose windows overlap in a market; overlap carries over from one event to the next.

    Give only the days of markets in which names are measured: two events that meet on a calendar without names do not
    concern each other.

    Args:
        days: from `exchina.analytics.event_days.event_days`: event_id, calendar, day0, position (both null where the
            event has no day 0 on record); one row per event and calendar.
        window: first and last day, counted in sessions from day 0.

    Returns:
        One row per event, in the order of ``days``: event_id, compound_id (the ids of its members joined by ``+``; the
        event's own id where it stands alone), members (by first day 0, then id).

    Raises:
        DataError: the window ends before it begins, or an event has two rows on one calendar.
    """
    _check(days, window)
    order = days.group_by("event_id").agg(pl.col("day0").min()).sort("day0", "event_id", nulls_last=True)
    order = order.select("event_id", label=pl.int_range(pl.len(), dtype=pl.Int64))
    spread, linked = _blocks(days, window).join(order, on="event_id", maintain_order="left"), None
    while linked is None or not spread.equals(linked):
        linked = spread
        spread = linked.with_columns(pl.col("label").min().over("calendar", "block"))
        spread = spread.with_columns(pl.col("label").min().over("event_id"))
    lowest = spread.group_by("event_id").agg(lowest=pl.col("label").min())
    groups = (
        order.join(lowest, on="event_id", how="left", maintain_order="left")
        .group_by(pl.coalesce("lowest", "label"), maintain_order=True)
        .agg(members="event_id")
        .with_columns(compound_id=pl.col("members").list.join(JOIN), event_id="members")
        .explode("event_id")
    )
    return (
        days.select("event_id")
        .unique(maintain_order=True)
        .join(groups, on="event_id", maintain_order="left")
        .select("event_id", "compound_id", "members")
    )


def compound_windows(days: pl.DataFrame, compounds: pl.DataFrame, window: tuple[int, int]) -> pl.DataFrame:
    """Day 0 and window of each compound event in each market.

    Day 0 is that of the earliest member in the market. The window runs from the first member's start to the last
    member's end there.

    Args:
        days: as for `compound_events`.
        compounds: result of `compound_events`.
        window: as for `compound_events`.

    Returns:
        compound_id, calendar, day0, position, start, stop (first and last day of the window, counted in sessions from
        day 0); in the order of ``days``. No row where no member has a day 0.
    """
    placed = days.drop_nulls("position").join(compounds, on="event_id", maintain_order="left")
    return placed.group_by("compound_id", "calendar", maintain_order=True).agg(
        day0=pl.col("day0").min(),
        position=pl.col("position").min(),
        start=pl.lit(window[0], pl.Int64),
        stop=pl.col("position").max().cast(pl.Int64) - pl.col("position").min() + window[1],
    )


def _blocks(days: pl.DataFrame, window: tuple[int, int]) -> pl.DataFrame:
    """Per calendar, runs of windows that touch the same sessions: event_id, calendar, block."""
    gap = pl.col("position").diff().over("calendar") > window[1] - window[0]
    return (
        days.drop_nulls("position")
        .sort("calendar", "position", "event_id")
        .with_columns(block=gap.fill_null(value=True).cum_sum().over("calendar"))
        .select("event_id", "calendar", "block")
    )


def _check(days: pl.DataFrame, window: tuple[int, int]) -> None:
    problems: list[Problem] = []
    if window[0] > window[1]:
        problems.append(Problem("window", f"{window[0]} to {window[1]}", "the first day comes first"))
    twice = days.filter(days.select("event_id", "calendar").is_duplicated())
    problems += [
        Problem(f"event {event} on {calendar}", "more than one day 0", "give one row per event and calendar")
        for event, calendar in twice.select("event_id", "calendar").unique(maintain_order=True).iter_rows()
    ]
    if problems:
        raise DataError(*problems)
