"""Weight by how steady the share price was."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import weighting
from exchina.rules.weighting.nested import shares


def _enough(*, sessions: int, at_least_sessions: int, **_: object) -> str | None:
    if at_least_sessions > sessions:
        return f"at_least_sessions, {at_least_sessions}, is above sessions, {sessions}"
    return None


@weighting("inverse_volatility", check=_enough)
def inverse_volatility(
    universe: pl.DataFrame,
    *,
    sessions: Annotated[int, Field(ge=2, le=252)] = 252,
    at_least_sessions: Annotated[int, Field(ge=2, le=252)] = 60,
    power: Annotated[float, Field(gt=0, le=2)] = 1.0,
) -> pl.Series:
    """Weight by the inverse of volatility, within each review: w_i = v_i^-p / sum_j v_j^-p.

    v is the sample standard deviation (n - 1) of the simple daily returns of the last sessions. A company with too few
    of them, or whose price never moved, gets no weight.

    Args:
        universe: selected companies; reads daily_returns (list of simple returns, oldest first).
        sessions: how many of the last sessions count.
        at_least_sessions: the fewest returns that a volatility may be measured on.
        power: exponent p: 1 is inverse volatility, 2 inverse variance.

    Example:
        >>> table = pl.DataFrame({"review": [1, 1], "daily_returns": [[0.01, -0.01], [0.03, -0.03]]})
        >>> inverse_volatility(table, sessions=2, at_least_sessions=2).round(12).to_list()
        [0.75, 0.25]
    """
    last = pl.col("daily_returns").list.tail(sessions).list.drop_nulls()
    volatility = last.list.std()
    measured = (last.list.len() >= at_least_sessions) & volatility.is_finite() & (volatility > 0)
    return shares(universe, pl.when(measured).then(volatility.pow(-power)))
