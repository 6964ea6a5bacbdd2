"""The running sum of the dividend points of the price index."""

from datetime import date, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exchina.calculation.derived_register import Parent, derived

RESET_MONTHS = {"quarterly": (3, 6, 9, 12), "yearly": (12,)}


@derived("dividend_points")
def dividend_points(parent: Parent, *, reset: Literal["never", "quarterly", "yearly"] = "never") -> NDArray[np.float64]:
    """Gross dividend points since the base date, or since the last reset; 0 on the base date.

        DS_t = DS_{t-1} + DP_t;   DS_t = DP_t on the first session after a reset day

    Reset days are third Fridays. The sum runs through the session of that Friday, or the last one before it if the
    Friday is none. Points that go ex on the base date were earned before it and do not count.

    Args:
        parent: the index; reads its points only.
        reset: ``quarterly`` after the third Friday of March, June, September and December, ``yearly`` after that of
            December.
    """
    sums = [0.0]
    for before, session, points in zip(parent.sessions, parent.sessions[1:], parent.points[1:].tolist(), strict=False):
        starts_anew = reset != "never" and session > next_reset_day(before, RESET_MONTHS[reset])
        sums.append(points if starts_anew else sums[-1] + points)
    return np.array(sums)


def next_reset_day(day: date, months: tuple[int, ...]) -> date:
    """The first third Friday of one of the months, on or after a day.

    Example:
        >>> print(next_reset_day(date(2026, 3, 20), (3, 6, 9, 12)), next_reset_day(date(2026, 3, 21), (3, 6, 9, 12)))
        2026-03-20 2026-06-19
    """
    fridays = (third_friday(year, month) for year in (day.year, day.year + 1) for month in months)
    return next(friday for friday in fridays if friday >= day)


def third_friday(year: int, month: int) -> date:
    """The third Friday of a month, which falls on its 15th to 21st."""
    mid = date(year, month, 15)
    return mid + timedelta(days=(4 - mid.weekday()) % 7)
