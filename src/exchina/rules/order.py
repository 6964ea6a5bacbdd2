"""The declared total order of companies: every selection and the reserve list rank by it."""

from typing import Annotated, Literal, TypeAlias

import polars as pl
from pydantic import Field

By: TypeAlias = Literal[
    "policy_score",
    "floor_part",
    "offtake_part",
    "capital_part",
    "free_float_market_cap_usd",
    "market_cap_usd",
    "free_float_factor",
    "median_traded_value_usd",
]
Size: TypeAlias = Literal["free_float_market_cap_usd", "market_cap_usd", "median_traded_value_usd"]
Count: TypeAlias = Annotated[int, Field(ge=1)]
Reserve: TypeAlias = Annotated[int, Field(ge=0, le=500)]
DIGITS = 12
MEDIAN_SESSIONS = 63


def score(by: str) -> pl.Expr:
    """A column to rank by, to 12 significant digits so that two machines agree; null where unknown.

    ``median_traded_value_usd`` is the median of the last 63 values of traded_values_usd.
    """
    column = traded() if by == "median_traded_value_usd" else pl.col(by)
    return column.fill_nan(None).round_sig_figs(DIGITS)


def traded() -> pl.Expr:
    """Median value traded a session over the last 63, US dollars."""
    return pl.col("traded_values_usd").list.tail(MEDIAN_SESSIONS).list.median()


def ranked(universe: pl.DataFrame, by: str) -> pl.DataFrame:
    """The universe in its own order with ``_by`` (the score) and ``_rank`` (1, 2, ... within each review).

    The order is total: the score, free-float market value, traded value, present members before others, company id;
    the numbers largest first, to 12 significant digits, unknown last.

    Args:
        universe: reads ``by``, free_float_market_cap_usd, traded_values_usd, is_member and company_id.
        by: a column of `By`.
    """
    keys = [score(by), score("free_float_market_cap_usd"), score("median_traded_value_usd")]
    marked = universe.with_row_index("_row").with_columns(_by=keys[0], _float=keys[1], _traded=keys[2])
    down = [True, True, True, True, False]
    order = marked.sort("_by", "_float", "_traded", "is_member", "company_id", descending=down, nulls_last=True)
    return order.with_columns(_rank=(pl.int_range(pl.len()) + 1).over("review")).sort("_row").drop("_float", "_traded")


def seats(ranks: pl.DataFrame, first: pl.Expr, *within: str) -> pl.Series:
    """The place 1, 2, ... of each row within each review (and group): by ``first``, smallest first, then by rank.

    Args:
        ranks: from `ranked`.
        first: a number or truth value that goes before the rank; False before True.
        within: further columns, such as stage.
    """
    order = ranks.sort(first, "_rank")
    return order.with_columns(_seat=(pl.int_range(pl.len()) + 1).over("review", *within)).sort("_row")["_seat"]
