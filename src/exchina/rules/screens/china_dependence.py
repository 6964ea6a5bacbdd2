"""Share of revenue earned in China."""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from exchina.rules.registers import screen
from exchina.rules.verdict import verdict


@screen("china_dependence")
def china_dependence(
    universe: pl.DataFrame,
    *,
    revenue_at_most: Annotated[float, Field(ge=0, le=1)],
    unknown: Literal["pass_and_flag", "fail"] = "pass_and_flag",
) -> pl.DataFrame:
    """Keep companies that earn at most a share of their revenue in China.

    Args:
        universe: reads china_revenue_share (fraction, null where nobody published one).
        revenue_at_most: largest share of revenue, as a fraction.
        unknown: what an unpublished share means; ``pass_and_flag`` writes a note that travels into print.

    Example:
        >>> table = pl.DataFrame({"china_revenue_share": [0.5, 0.1, None]})
        >>> china_dependence(table, revenue_at_most=0.25)["passed"].to_list()
        [False, True, True]
    """
    share = pl.col("china_revenue_share")
    passed = (share <= revenue_at_most).fill_null(unknown == "pass_and_flag")
    return verdict(
        universe,
        passed,
        found=pl.format("{} % of revenue", (share * 100).round(1)),
        needed=f"at most {revenue_at_most * 100:g} % of revenue",
        margin=1 - share / revenue_at_most if revenue_at_most > 0 else None,
        note=pl.when(share.is_null()).then(pl.lit("no published share of revenue from China")),
    )
