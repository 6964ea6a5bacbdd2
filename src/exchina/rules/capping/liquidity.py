"""The most that a fund of a stated size could leave in time."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import cap


@cap("liquidity")
def liquidity(
    universe: pl.DataFrame,
    *,
    fund_usd: Annotated[float, Field(gt=0)],
    sessions: Annotated[int, Field(ge=1)],
    participation: Annotated[float, Field(gt=0, le=1)],
    median_of_sessions: Annotated[int, Field(ge=1, le=126)] = 63,
) -> pl.DataFrame:
    """w_i <= participation x median daily traded value_i x sessions / fund.

    Args:
        universe: selected companies; reads company_id and traded_values_usd (US dollars, oldest first).
        fund_usd: size of the fund, US dollars.
        sessions: how many sessions the fund may take to leave.
        participation: share of each session's trading that the fund may be.
        median_of_sessions: how many of the last sessions count for the median.

    Example:
        >>> table = pl.DataFrame({"company_id": ["a"], "traded_values_usd": [[1e6, 3e6]]})
        >>> liquidity(table, fund_usd=40e6, sessions=10, participation=0.2).rows()
        [('a', 0.1)]
    """
    median = pl.col("traded_values_usd").list.tail(median_of_sessions).list.median()
    return universe.select(group="company_id", at_most=(participation * median * sessions / fund_usd).fill_null(0.0))
