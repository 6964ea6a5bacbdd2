"""PURE. Faults in the terms of corporate actions, where one event may stand in several versions."""

from collections.abc import Sequence

import polars as pl

from exchina.errors import Problem
from exchina.tables.actions import term_problems


def event_problems(actions: pl.DataFrame, where: str, rows: Sequence[int]) -> list[Problem]:
    """What `exchina.tables.actions.term_problems` finds, each at its own row of a file or table.

    An event that was revised stands in several rows of one id. Each row must have its terms; only the last known row
    of each id is held against the other events.

    Args:
        actions: sound rows by the contract `exchina.tables.market.ACTIONS`, in any order.
        where: what a person calls the table.
        rows: number of each row there.
    """
    if actions.is_empty():
        return []
    numbered = actions.with_columns(_place=pl.Series(rows, dtype=pl.Int64))
    last = numbered.sort("known_date").unique("id", keep="last", maintain_order=True)
    earlier = numbered.join(last, on="_place", how="anti", maintain_order="left")
    places = pl.DataFrame({"_place": range(min(rows), max(rows) + 1)}, schema={"_place": pl.Int64})
    filled = places.join(last, on="_place", how="left", maintain_order="left").with_columns(
        pl.col("status").fill_null("withdrawn")  # a place between two rows is an event that is not applied
    )
    faults = term_problems(filled.drop("_place"), where, min(rows))
    for row in earlier.partition_by("_place", maintain_order=True):
        faults += term_problems(row.drop("_place"), where, row["_place"].item())
    return faults
