"""Weight by full market value."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import weighting
from exchina.rules.weighting.nested import known, shares


@weighting("market_cap")
def market_cap(universe: pl.DataFrame, *, power: Annotated[float, Field(ge=0, le=1)] = 1.0) -> pl.Series:
    """Weight by a power of the value of all shares, freely held or not, within each review: w_i = M_i^p / sum_j M_j^p.

    A company whose market value is not known gets no weight.

    Args:
        universe: selected companies; reads market_cap_usd (M, US dollars).
        power: exponent p, from 0 (equal weight) to 1 (proportional to market value).

    Example:
        >>> market_cap(pl.DataFrame({"review": [1, 1, 1], "market_cap_usd": [3.0, 1.0, None]})).to_list()
        [0.75, 0.25, None]
    """
    return shares(universe, known("market_cap_usd").pow(power))
