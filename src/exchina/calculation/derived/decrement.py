"""An index less a fixed yearly deduction, in percent or in points."""

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from exchina.calculation.derived_register import Parent, compounded, days_between, derived, growth
from exchina.errors import DataError, Problem

ONE = "give exactly one of rate_per_year and points_per_year"


def _one(*, rate_per_year: float | None, points_per_year: float | None, **_: object) -> str | None:
    return ONE if (rate_per_year is None) == (points_per_year is None) else None


@derived("decrement", check=_one)
def decrement(
    parent: Parent,
    *,
    rate_per_year: Annotated[float, Field(gt=0, le=1)] | None = None,
    points_per_year: Annotated[float, Field(gt=0)] | None = None,
    day_count: Literal[360, 365] = 365,
) -> NDArray[np.float64]:
    """Deduct a fixed percentage or a fixed number of points a year, day by day.

        percent   DI_t = DI_{t-1} (I_t / I_{t-1} - rate x days / day_count)
        points    DI_t = DI_{t-1} I_t / I_{t-1} - points x days / day_count

    A level that would fall to zero or below is 0, and stays 0 for ever: points bite harder the lower the index stands.

    Args:
        parent: the index, as a rule its gross or net total return.
        rate_per_year: fraction of the level, 0.05 for 5 %.
        points_per_year: index points.
        day_count: days in a year; days are calendar days since the session before.

    Raises:
        DataError: both or neither of the two deductions is given.
    """
    if fault := _one(rate_per_year=rate_per_year, points_per_year=points_per_year):
        raise DataError(Problem("decrement", fault, "change one of the settings"))
    years = days_between(parent) / day_count
    if rate_per_year is not None:
        return compounded(parent, growth(parent) - rate_per_year * years)
    levels = [float(parent.levels[0])]
    for factor, points in zip(growth(parent).tolist(), ((points_per_year or 0.0) * years).tolist(), strict=True):
        levels.append(max(levels[-1] * factor - points, 0.0))
    return np.array(levels)
