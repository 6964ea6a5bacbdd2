"""The most that companies leaning on one sponsor may weigh."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import cap


@cap("policy_sponsor", "groups")
def policy_sponsor(universe: pl.DataFrame, *, at_most: Annotated[float, Field(gt=0, le=1)]) -> pl.DataFrame:
    """sum of w over the companies with the same lead sponsor <= at_most.

    The lead sponsor of a company is the one that adds most to its backing score; a company without one has no bound.

    Args:
        universe: selected companies; reads lead_sponsor and company_id.
        at_most: largest weight of one sponsor's companies, as a fraction of the index.

    Example:
        >>> table = pl.DataFrame({"lead_sponsor": ["Japan", None], "company_id": ["a", "b"]})
        >>> policy_sponsor(table, at_most=0.4).rows()
        [('Japan', 0.4), ('b', 1.0)]
    """
    backed = pl.col("lead_sponsor").is_not_null()
    return universe.select(
        group=pl.coalesce("lead_sponsor", "company_id"), at_most=pl.when(backed).then(at_most).otherwise(1.0)
    )
