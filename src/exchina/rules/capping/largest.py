"""The most that the few heaviest companies may weigh together."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.capping.issuer import by_issuer
from exchina.rules.registers import cap


@cap("largest")
def largest(
    universe: pl.DataFrame, *, count: Annotated[int, Field(ge=1)], at_most: Annotated[float, Field(gt=0, le=1)]
) -> pl.DataFrame:
    """The sum of the ``count`` largest weights <= at_most; not the same rule as 4.5/45, which counts names above 4.5 %.

    SEBI's test of an index for derivatives, for example, is ``issuer`` at most 0.20 with ``largest`` 3 at most 0.45.

    Args:
        universe: selected companies; reads company_id, and issuer where the table has that column.
        count: how many of the heaviest companies.
        at_most: the most that they may weigh together, as a fraction of the index.

    Example:
        >>> largest(pl.DataFrame({"company_id": ["a"]}), count=5, at_most=0.45).rows()
        [('a', 1.0, 5, 0.45)]
    """
    return universe.select(
        group=by_issuer(universe), at_most=pl.lit(1.0), largest=pl.lit(count), largest_at_most=pl.lit(at_most)
    )
