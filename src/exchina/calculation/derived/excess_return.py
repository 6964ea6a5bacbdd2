"""The return of an index over cash."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exchina.calculation.derived_register import Parent, cash_rate, compounded, days_between, derived, growth


@derived("excess_return")
def excess_return(parent: Parent, *, day_count: Literal[360, 365] = 360) -> NDArray[np.float64]:
    """What the index earns beyond the money market of its currency, as if bought with borrowed cash.

        ER_t = ER_{t-1} (I_t / I_{t-1} - r_{t-1} x days / day_count)

    r_{t-1} is the money-market rate of the index currency at the session before, or the last known by then. A level
    that would fall to zero or below is 0, and stays 0 for ever.

    Args:
        parent: the index, as a rule its gross or net total return.
        day_count: days in a year of the money market: 360 for USD and EUR, 365 for AUD, CAD, GBP and JPY.

    Raises:
        DataError: no rate is known on the base date.
    """
    return compounded(parent, growth(parent) - cash_rate(parent) * days_between(parent) / day_count)
