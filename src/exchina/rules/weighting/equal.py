"""The same weight for every member."""

import polars as pl

from exchina.rules.registers import weighting


@weighting("equal")
def equal(universe: pl.DataFrame) -> pl.Series:
    """Weight every member alike, within each review: w_i = 1 / n.

    Args:
        universe: selected companies.

    Example:
        >>> equal(pl.DataFrame({"review": [1, 1, 2]})).to_list()
        [0.5, 0.5, 1.0]
    """
    return universe.select(weight=1 / pl.len().over("review"))["weight"]
