"""The most that a fund of a stated size may hold of a company's votes."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import cap


@cap("votes")
def votes(
    universe: pl.DataFrame,
    *,
    fund_usd: Annotated[float, Field(gt=0)],
    share_at_most: Annotated[float, Field(gt=0, le=1)] = 0.10,
) -> pl.DataFrame:
    """w_i x fund <= share_at_most x market value of the voting shares (IRC 851(b)(3) and 1940 Act: 10 % of the votes).

    All shares are taken to vote alike. With small rare-earth miners this binds before any percentage test.

    Args:
        universe: selected companies; reads company_id and market_cap_usd (US dollars); a company of unknown size has no
            room, which its verdict says.
        fund_usd: size of the fund, US dollars.
        share_at_most: largest share of the votes, from 0 to 1.

    Example:
        >>> votes(pl.DataFrame({"company_id": ["a"], "market_cap_usd": [40e6]}), fund_usd=50e6).rows()
        [('a', 0.08)]
    """
    most = share_at_most * pl.col("market_cap_usd") / fund_usd
    return universe.select(group="company_id", at_most=most.fill_null(0.0).clip(0.0, 1.0))
