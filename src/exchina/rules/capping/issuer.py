"""The most that one company may weigh."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import cap


@cap("issuer")
def issuer(universe: pl.DataFrame, *, at_most: Annotated[float, Field(gt=0, le=1)]) -> pl.DataFrame:
    """w_i <= at_most for every company.

    Args:
        universe: selected companies; reads company_id.
        at_most: largest weight, as a fraction of the index.

    Example:
        >>> issuer(pl.DataFrame({"company_id": ["a"]}), at_most=0.1).rows()
        [('a', 0.1)]
    """
    return universe.select(group="company_id", at_most=pl.lit(at_most))
