"""20/35: one company may weigh more than all others may."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.capping.issuer import by_issuer
from exchina.rules.registers import cap

Share = Annotated[float, Field(gt=0, le=1)]


def _above(*, at_most: float, one_at_most: float) -> str | None:
    return None if one_at_most >= at_most else f"one_at_most {one_at_most:g} lies below at_most {at_most:g}"


@cap("exceptional", check=_above)
def exceptional(universe: pl.DataFrame, *, at_most: Share = 0.20, one_at_most: Share = 0.35) -> pl.DataFrame:
    """w_i <= at_most for every company but one, which may reach one_at_most (UCITS Art. 53: 20 % and 35 %).

    Args:
        universe: selected companies; reads company_id, and issuer where the table has that column.
        at_most: largest weight of all but one, as a fraction of the index.
        one_at_most: largest weight of the one.

    Example:
        >>> exceptional(pl.DataFrame({"company_id": ["a"]})).rows()
        [('a', 0.2, 0.35)]
    """
    return universe.select(group=by_issuer(universe), at_most=pl.lit(at_most), one_at_most=pl.lit(one_at_most))
