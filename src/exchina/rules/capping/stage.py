"""The most that one stage of the supply chain may weigh."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import cap
from exchina.tables.reference_words import Stage

Share = Annotated[float, Field(gt=0, le=1)]


@cap("stage", "groups")
def stage(universe: pl.DataFrame, *, at_most: dict[Stage, Share]) -> pl.DataFrame:
    """sum of w over a stage <= its bound; a stage that is not named has none.

    Args:
        universe: selected companies; reads stage.
        at_most: largest weight of each named stage, as a fraction of the index.

    Example:
        >>> stage(pl.DataFrame({"stage": ["developer", "producer"]}), at_most={"developer": 0.4}).rows()
        [('developer', 0.4), ('producer', 1.0)]
    """
    bound = pl.col("stage").replace_strict(at_most, default=1.0, return_dtype=pl.Float64)
    return universe.select(group="stage", at_most=bound)
