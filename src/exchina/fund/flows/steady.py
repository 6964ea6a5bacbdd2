"""Steady growth or decline: the same fraction of the fund each month."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import Field

from exchina.fund.flow_plan import FlowPlan
from exchina.fund.path import BoolArray, FloatArray
from exchina.fund.registers import flows

SATURDAY = 5


@flows("steady")
def steady(
    sessions: Sequence[date], returns: FloatArray, *, per_year: Annotated[float, Field(gt=-1, le=10)]
) -> FlowPlan:
    """(1 + per_year)^(1/12) - 1 of net assets at the close of the last session of each month after the launch.

    Args:
        sessions: n.
        returns: (n,) not read.
        per_year: net flow of a year as a fraction of net assets, above -1.

    Returns:
        (n,) growth; no money.

    Example:
        >>> sessions = [date(2026, 1, 29), date(2026, 1, 30), date(2026, 2, 2)]
        >>> steady(sessions, np.zeros(3), per_year=1.01**12 - 1).growth.round(12).tolist()
        [0.0, 0.01, 0.0]
    """
    monthly = (1 + per_year) ** (1 / 12) - 1
    return FlowPlan(np.zeros(len(returns)), np.where(month_closes(sessions), monthly, 0.0))


def month_closes(sessions: Sequence[date]) -> BoolArray:
    """(n,) the last sessions of months after the first; of the last known it is one if no weekday of its month is left.

    Example:
        >>> month_closes([date(2026, 1, 29), date(2026, 1, 30), date(2026, 2, 2)]).tolist()
        [False, True, False]
        >>> month_closes([date(2026, 1, 29), date(2026, 1, 30)]).tolist()
        [False, True]
    """
    last = sessions[-1]
    days = (last + timedelta(days=ahead) for ahead in (1, 2, 3))
    following = next(day for day in days if day.weekday() < SATURDAY)
    closes = np.array([one.month != after.month for one, after in pairwise([*sessions, following])])
    closes[0] = False
    return closes
