"""Every company above a size, with a band around it that newcomers must clear and members may fall into."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.order import Count, Reserve, Size, ranked
from exchina.rules.registers import selection
from exchina.rules.verdict import usd, verdict

Band = Annotated[float, Field(ge=0, lt=1)]


@selection("value_band")
def value_band(
    universe: pl.DataFrame,
    *,
    by: Size = "market_cap_usd",
    percentile: Annotated[float, Field(ge=0, le=100)],
    round_to_usd: Annotated[float, Field(gt=0)] | None = None,
    enter_above: Band = 0.20,
    leave_below: Band = 0.20,
    at_least: Count = 1,  # noqa: ARG001 - read by the pipeline, which knows what to do if too few pass
    reserve: Reserve = 0,  # noqa: ARG001 - read by the pipeline, which keeps the list
) -> pl.DataFrame:
    """Take companies whose size clears a percentile of the eligible companies' sizes.

    T = the percentile (between two sizes: on the straight line), rounded to a multiple of ``round_to_usd``. A newcomer
    enters at c >= T (1 + enter_above), a member stays at c >= T (1 - leave_below). Unknown size is not taken.

    Args:
        universe: eligible companies; reads ``by`` (c), free_float_market_cap_usd, traded_values_usd, is_member and
            company_id.
        by: the size, US dollars.
        percentile: 0 to 100, of the eligible companies of the review.
        round_to_usd: step to which the threshold is rounded; not rounded where not given.
        enter_above: how far above the threshold a newcomer must be, a fraction of it.
        leave_below: how far below the threshold a member may fall, a fraction of it.
        at_least: fewest members with which the index can be formed.
        reserve: how many of the next companies in order are kept as the reserve list.

    Example:
        >>> table = pl.DataFrame({
        ...     "review": [1] * 3, "company_id": ["a", "b", "c"], "free_float_market_cap_usd": [11.0, 10.0, 9.0],
        ...     "traded_values_usd": [[1.0]] * 3, "is_member": [False, False, True],
        ... })
        >>> value_band(table, by="free_float_market_cap_usd", percentile=50)["passed"].to_list()
        [False, False, True]
    """
    ranks = ranked(universe, by)
    threshold = pl.col("_by").quantile(percentile / 100, interpolation="linear").over("review")
    if round_to_usd is not None:
        threshold = (threshold / round_to_usd).round() * round_to_usd
    wanted = threshold * pl.when("is_member").then(1 - leave_below).otherwise(1 + enter_above)
    ranks = ranks.with_columns(_wanted=wanted.round_sig_figs(12))
    bar = pl.col("_wanted")
    return verdict(
        ranks,
        pl.col("_by") >= bar,
        found=usd(pl.col("_by")),
        needed=pl.format("at least {}", usd(bar)).fill_null("a known size"),
        margin=pl.when(bar > 0).then(pl.col("_by") / bar - 1),
    )
