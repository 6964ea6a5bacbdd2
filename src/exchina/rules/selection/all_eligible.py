"""Every company that passes the screens."""

import polars as pl

from exchina.rules.order import Count
from exchina.rules.registers import selection
from exchina.rules.verdict import verdict


@selection("all")
def all_eligible(
    universe: pl.DataFrame,
    *,
    at_least: Count = 1,  # noqa: ARG001 - read by the pipeline, which knows what to do if too few pass
) -> pl.DataFrame:
    """Take every eligible company.

    Args:
        universe: eligible companies; reads company_id.
        at_least: fewest members with which the index can be formed.

    Example:
        >>> all_eligible(pl.DataFrame({"review": [1, 1], "company_id": ["a", "b"]}))["passed"].to_list()
        [True, True]
    """
    eligible = pl.col("company_id").is_not_null()
    return verdict(universe, eligible, found=pl.lit("eligible"), needed="passes every screen")
