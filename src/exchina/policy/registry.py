"""The registry on its two axes of time: what the market could know by a day, and what we had written down by a day."""

from datetime import date

import polars as pl

from exchina.policy.strength import bind, end_of_protection


def as_known(measures: pl.DataFrame, day: date, *, recorded_by: date | None = None) -> pl.DataFrame:
    """The last status of each commitment that was known by ``day``, whether it still stands or not.

    Of several rows of one commitment and one ``known_date``, the one recorded last holds: it mends the others.

    Args:
        measures: policy measures, rows in any order.
        day: the data cut-off; a row with a later ``known_date`` is not read.
        recorded_by: read only rows written down by then, to see what a run on that day could have used; None reads
            all. Neither day stands for the other: a measure of 2011 was recorded years later.

    Returns:
        One row a commitment, by id, with the columns of ``measures``.
    """
    known = measures.filter(pl.col("known_date") <= day)
    if recorded_by is not None:
        known = known.filter(pl.col("recorded_at") <= recorded_by)
    return known.sort("id", "known_date", "recorded_at").unique("id", keep="last", maintain_order=True)


def in_force(measures: pl.DataFrame, day: date, *, recorded_by: date | None = None) -> pl.DataFrame:
    """The last known status of each commitment that still stands on ``day``.

    A commitment leaves when its last status is expired or terminated, or when its protection has ended.

    Args:
        measures: policy measures, rows in any order.
        day: the data cut-off; rows known later are not read.
        recorded_by: as for `as_known`.

    Returns:
        One row a commitment, by id, with the columns of ``measures``.
    """
    end = end_of_protection()
    return as_known(measures, day, recorded_by=recorded_by).filter((bind() > 0) & (end.is_null() | (end > day)))
