"""The marks of a monthly currency hedge: what one unit of fund currency sold forward gains each session."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from exchina.calculation.derived.hedged import contracts
from exchina.errors import DataError, Problem
from exchina.fund.path import BoolArray, FloatArray

CURE = "bring its rates in: tables `fx` and `forwards` of the market"


def hedge_marks(
    sessions: Sequence[date], spot: FloatArray, forward: FloatArray, codes: Sequence[str], needed: BoolArray
) -> tuple[FloatArray, BoolArray]:
    """Gain of a one-month forward on each session, per unit of fund currency of notional, and where it is sold.

        gain_t = (IF_{t-1} - IF_t) / S_m,   IF_m = F_m,   IF_t = S_t + left_t (F_t - S_t)

    m is the last session of the month before, ``left`` the share of the contract's days still to come
    (`exchina.calculation.derived.hedged` has the convention and its stub).

    Args:
        sessions: n, ascending.
        spot: (n, k) fund currency per unit of each currency.
        forward: (n, k) the same one month forward.
        codes: the currencies.
        needed: (n, k) whether the fund holds and hedges it then.

    Returns:
        (n, k) gains, 0 where nothing is needed, and (n,) the sessions at whose close forwards are sold.

    Raises:
        DataError: a rate that is needed is not known; each currency with its first day.
    """
    gain, rolls, missing = np.zeros_like(spot), np.zeros(len(sessions), bool), dict[str, Problem]()
    for month in contracts(sessions, 0):
        rows = slice(month.sold, month.last + 1)
        near, far, left = spot[rows], forward[rows], month.left[:, None]
        price = near + left * (np.where(left > 0, far, near) - near)
        asked = needed[rows].any(axis=0)
        lacks = asked & ~np.isfinite(price)
        for at in np.flatnonzero(lacks.any(axis=0)).tolist():
            day = sessions[month.sold + int(np.argmax(lacks[:, at]))]
            missing.setdefault(codes[at], Problem(f"hedge of {codes[at]} on {day}", "a rate is not known", CURE))
        change = (price[:-1] - price[1:]) / near[0]
        gain[month.sold + 1 : month.last + 1] = np.where(asked & np.isfinite(change), change, 0.0)
        rolls[month.sold] = True
    if missing:
        raise DataError(*missing.values())
    return gain, rolls
