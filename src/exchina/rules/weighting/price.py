"""Weight by price, as an index of one share of each company has it."""

import polars as pl

from exchina.rules.registers import weighting
from exchina.rules.weighting.nested import known, shares


@weighting("price")
def price(universe: pl.DataFrame) -> pl.Series:
    """Weight by the price of one share in US dollars, within each review: w_i = P_i / sum_j P_j.

    Args:
        universe: selected companies; reads close_usd (P, US dollars).

    Example:
        >>> price(pl.DataFrame({"review": [1, 1], "close_usd": [30.0, 10.0]})).to_list()
        [0.75, 0.25]
    """
    return shares(universe, known("close_usd"))
