"""What the companies of one country may weigh at most and must weigh at least."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.capping.stage import in_order
from exchina.rules.registers import cap

Share = Annotated[float, Field(gt=0, le=1)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


@cap("country", "groups", "bands", check=in_order)
def country(
    universe: pl.DataFrame, *, at_most: Share | dict[Country, Share], at_least: dict[Country, Share] | None = None
) -> pl.DataFrame:
    """at_least <= sum of w over the companies of a country <= at_most.

    Companies whose country is not known count together, under the one number where at_most is one.

    Args:
        universe: selected companies; reads country (of domicile).
        at_most: largest weight of each named country, or one number for every country, as a fraction of the index.
        at_least: smallest weight of each named country; a country without a member cannot meet it, which is said.

    Example:
        >>> country(pl.DataFrame({"country": ["AU", "US"]}), at_most={"AU": 0.5}, at_least={"US": 0.1}).rows()
        [('AU', 0.5, 0.0), ('US', 1.0, 0.1)]
    """
    group = pl.col("country").fill_null("unknown")
    named, other = (at_most, 1.0) if isinstance(at_most, dict) else ({}, at_most)
    return universe.select(
        group=group,
        at_most=group.replace_strict(named, default=other, return_dtype=pl.Float64),
        at_least=group.replace_strict(at_least or {}, default=0.0, return_dtype=pl.Float64),
    )
