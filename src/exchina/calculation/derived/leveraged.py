"""A multiple of the daily return of an index, long or short."""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from exchina.calculation.derived_register import Parent, cash_rate, compounded, days_between, derived, growth


@derived("leveraged")
def leveraged(
    parent: Parent, *, factor: Annotated[float, Field(ge=-5, le=5)], day_count: Literal[360, 365] = 360
) -> NDArray[np.float64]:
    """L times the return of each session, with what is borrowed or lent at the money-market rate.

        LI_t = LI_{t-1} (1 + L (I_t / I_{t-1} - 1) - (L - 1) r_{t-1} x days / day_count)

    The multiple holds session by session, not over longer spans. L below zero is the short side: it earns interest on
    the level and on the proceeds. A level that would fall to zero or below is 0, and stays 0 for ever.

    Args:
        parent: the index, as a rule its gross or net total return.
        factor: L, dimensionless.
        day_count: days in a year of the money market of the index currency.

    Raises:
        DataError: no rate is known on the base date.
    """
    years = days_between(parent) / day_count
    return compounded(parent, 1 + factor * (growth(parent) - 1) - (factor - 1) * cash_rate(parent) * years)
