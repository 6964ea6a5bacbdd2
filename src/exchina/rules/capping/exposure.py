"""The most that pure, quasi or marginal rare-earth companies may weigh, together and each."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import cap
from exchina.tables.reference_words import Exposure

Share = Annotated[float, Field(gt=0, le=1)]


@cap("exposure", "groups")
def exposure(
    universe: pl.DataFrame, *, at_most: dict[Exposure, Share], each_at_most: dict[Exposure, Share] | None = None
) -> pl.DataFrame:
    """sum of w over the companies of one exposure <= at_most, and w_i <= each_at_most; one that is not named is free.

    A company whose exposure is not known counts as marginal.

    Args:
        universe: selected companies; reads rare_earth_exposure and company_id.
        at_most: largest weight of all companies of each named exposure, as a fraction of the index.
        each_at_most: largest weight of each single company of a named exposure.

    Example:
        >>> table = pl.DataFrame({"rare_earth_exposure": ["pure", "marginal"], "company_id": ["a", "b"]})
        >>> capped = exposure(table, at_most={"marginal": 0.15}, each_at_most={"marginal": 0.03})
        >>> capped["at_most"].to_list(), capped["also"].to_list()[1]
        ([1.0, 0.15], [{'group': 'b', 'at_most': 0.03, 'at_least': 0.0}])
    """
    group = pl.col("rare_earth_exposure").fill_null("marginal")
    each = group.replace_strict(each_at_most or {}, default=1.0, return_dtype=pl.Float64)
    alone = pl.struct(group="company_id", at_most=each, at_least=pl.lit(0.0))
    return universe.select(
        group=group,
        at_most=group.replace_strict(at_most, default=1.0, return_dtype=pl.Float64),
        also=pl.concat_list(alone),
    )
