"""Total return from price levels and dividend points."""

import numpy as np

from exchina.calculation.board import Numbers
from exchina.errors import DataError, Problem
from exchina.model import CalculationRule


def daily_factors(levels: Numbers, points: Numbers, rule: CalculationRule) -> Numbers:
    """Growth of a total-return index over each session, from its price index.

        close_points    (I_t + DP_t) / I_{t-1}     reinvested across the index at the close of the ex-date
        open_divisor    I_t / (I_{t-1} - DP_t)     reinvested across the index before the open of the ex-date

    Args:
        levels: I, price index (n), the first of the session before.
        points: DP, dividend points of the n - 1 sessions after it; below zero where tax is due on cash that the price
            index has already made good.
        rule: ``dividends``.

    Raises:
        DataError: under ``open_divisor``, more is paid than the index was worth.

    Example:
        >>> rule = CalculationRule(family="market_cap", dividends="open_divisor")
        >>> (1500 * daily_factors(np.array([1000.0, 1010.0]), np.array([5.0]), rule)).round(4).tolist()
        [1522.6131]
    """
    before, after = levels[:-1], levels[1:]
    if rule.dividends == "open_divisor" and (points >= before).any():
        row = int(np.argmax(points >= before))
        what = f"{points[row]:g} dividend points are paid on a level of {before[row]:g}"
        raise DataError(Problem(f"session {row + 1}", what, "correct the dividends of that session"))
    return after / (before - points) if rule.dividends == "open_divisor" else (after + points) / before


def compounded(start: float, factors: Numbers) -> Numbers:
    """Levels after each session, one product after the other, so that a day alone gives the same bits as all days."""
    return np.multiply.accumulate(np.concatenate([[start], factors]))[1:]
