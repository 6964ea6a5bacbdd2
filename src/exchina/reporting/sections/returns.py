"""Returns over the usual periods and of each calendar year."""

import polars as pl

from exchina.analytics.performance import calendar_year_returns, trailing_returns
from exchina.reporting import section
from exchina.reporting.document import Block, Column, Heading, Table, Text
from exchina.reporting.parts import Parts
from exchina.reporting.wording import percent

MARK = "*"


@section("returns")
def returns(parts: Parts, *, years: int = 6) -> list[Block]:
    """Two tables of one row: periods that end at the last session, and calendar years.

    Args:
        parts: reads the levels.
        years: how many calendar years, counted back from the last.
    """
    levels = parts.levels("returns")
    if levels is None:
        return []
    index = parts.book.index
    by_year = calendar_year_returns(levels).tail(years)
    names = [f"{year}{MARK if partial else ''}" for year, partial in by_year.select("year", "partial").iter_rows()]
    periods = trailing_returns(levels)
    note = f"{index.returns[0]} in {index.currency}; hypothetical, no fees"
    remark = f"p.a.: annualised by calendar days. n/a: history too short. {MARK} part of a year only."
    return [
        Heading("Returns", note=note if index.live_date is None else f"{note} before {index.live_date}"),
        _one_row("Return", periods["period"].to_list(), periods["return"], "Returns over periods to the last session"),
        _one_row("Calendar year", names, by_year["return"], "Returns of calendar years"),
        Text(remark, quiet=True),
    ]


def _one_row(first: str, names: list[str], values: pl.Series, caption: str) -> Table:
    columns = (Column(first, wide=True), *(Column(name, align="right") for name in names))
    return Table(columns, (("Index", *(percent(value, signed=True) for value in values)),), caption)
