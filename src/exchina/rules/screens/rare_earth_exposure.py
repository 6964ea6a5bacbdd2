"""How much of the business is rare earths."""

import polars as pl

from exchina.rules.registers import screen
from exchina.rules.verdict import verdict
from exchina.tables.reference_words import Exposure


@screen("rare_earth_exposure")
def rare_earth_exposure(universe: pl.DataFrame, *, any_of: list[Exposure]) -> pl.DataFrame:
    """Keep companies of the named exposures: pure is half or more of revenue or project value, quasi a large part.

    Args:
        universe: reads rare_earth_exposure.
        any_of: the exposures that count.

    Example:
        >>> table = pl.DataFrame({"rare_earth_exposure": ["pure", "marginal"]})
        >>> rare_earth_exposure(table, any_of=["pure", "quasi"])["passed"].to_list()
        [True, False]
    """
    exposure = pl.col("rare_earth_exposure")
    return verdict(universe, exposure.is_in(any_of), found=exposure, needed="any of " + ", ".join(any_of))
