"""Returns over the usual periods and of each calendar year."""

from collections.abc import Mapping

import polars as pl

from exchina.analytics.performance import calendar_year_returns, trailing_returns
from exchina.reporting import section
from exchina.reporting.document import Block, Column, Heading, Table, Text
from exchina.reporting.parts import Parts
from exchina.reporting.wording import percent

MARK = "*"


@section("returns")
def returns(parts: Parts, *, years: int = 6) -> list[Block]:
    """Two tables of one row a return variant: periods that end at the last session, and calendar years.

    Args:
        parts: reads the levels.
        years: how many calendar years, counted back from the last.
    """
    index = parts.book.index
    levels = {variant: parts.levels("returns", variant) for variant in index.returns}
    shown = {variant: table for variant, table in levels.items() if table is not None}
    if not shown:
        return []
    by_year = {variant: calendar_year_returns(table).tail(years) for variant, table in shown.items()}
    periods = {variant: trailing_returns(table) for variant, table in shown.items()}
    first = index.returns[0]
    partial = by_year[first].select("year", "partial").iter_rows()
    names = [f"{year}{MARK if incomplete else ''}" for year, incomplete in partial]
    note = f"in {index.currency}; hypothetical, no fees"
    remark = f"p.a.: annualised by calendar days. n/a: history too short. {MARK} part of a year only."
    return [
        Heading("Returns", note=note if index.live_date is None else f"{note} before {index.live_date}"),
        _table("Return", periods[first]["period"].to_list(), periods, "Returns over periods to the last session"),
        _table("Calendar year", names, by_year, "Returns of calendar years"),
        Text(remark, quiet=True),
    ]


def _table(first: str, names: list[str], values: Mapping[str, pl.DataFrame], caption: str) -> Table:
    """One row a return variant."""
    columns = (Column(first, wide=True), *(Column(name, align="right") for name in names))
    rows = tuple(
        (variant, *(percent(value, signed=True) for value in table["return"])) for variant, table in values.items()
    )
    return Table(columns, rows, caption)
