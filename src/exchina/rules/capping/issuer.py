"""The most that one company may weigh."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import cap


@cap("issuer")
def issuer(universe: pl.DataFrame, *, at_most: Annotated[float, Field(gt=0, le=1)]) -> pl.DataFrame:
    """w_i <= at_most for every company; lines of one issuer count together.

    Args:
        universe: selected companies; reads company_id, and issuer where the table has that column.
        at_most: largest weight, as a fraction of the index.

    Example:
        >>> issuer(pl.DataFrame({"company_id": ["a"]}), at_most=0.1).rows()
        [('a', 0.1)]
    """
    return universe.select(group=by_issuer(universe), at_most=pl.lit(at_most))


def by_issuer(universe: pl.DataFrame) -> pl.Expr:
    """What counts as one issuer: the column issuer where there is one and it is known, else the company."""
    return pl.coalesce("issuer", "company_id") if "issuer" in universe.columns else pl.col("company_id")
