"""A monthly currency hedge by one-month forwards, marked to market each session."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from exchina.calculation.derived_register import Parent, derived, in_currency, quoted, unknown
from exchina.errors import DataError, Problem, did_you_mean

Currency: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Contract(NamedTuple):
    """One month of the hedge: rows of the sessions at which it is decided, sold and last held, and its time left.

    ``left`` is (DD - d) / DD from the row at which it is sold to the last at which it is held.
    """

    decided: int
    sold: int
    last: int
    left: NDArray[np.float64]


@derived("hedged")
def hedged(
    parent: Parent,
    *,
    into: Currency | None = None,
    ratio: Annotated[float, Field(ge=0, le=1)] = 1.0,
    currencies: tuple[Currency, ...] = (),
    decided_sessions_before: Annotated[int, Field(ge=0, le=10)] = 0,
) -> NDArray[np.float64]:
    """Sell foreign currency held by the index one month forward at each month end; quotes are base per unit of foreign.

        HI_t = HI_m (I_t / I_m + HR_t),   HR_t = sum_c h a_c w_c (F_c,m - IF_c,t) / S_c,m
        IF_c,t = S_c,t + (DD - d) / DD (F_c,t - S_c,t),   a_c = (HI_r / HI_m) (S_c,m / S_c,r)

    m is the last index session of the month before and r the session at which the notional is decided: weights w, the
    level and the spot rate that turns it into units of c are those of r, and a_c = 1 if r = m. The hedge is not reset
    inside the month. d is calendar days since m, DD those from m to the last weekday of the month (the exchange-rate
    market's month end, known in advance, so that no later session changes a level; none is left after it).

    An index that begins inside a month first sells what is left of that month's contract: with d counted from the last
    weekday of the month before, IF_c,0 takes the place of F_c,m. No session before the base date decides anything.

    Args:
        parent: the index, unhedged.
        into: currency of the investor; the index currency if not given. For another one the levels are first converted
            and the quotes crossed: S_c / S_into, F_c / F_into.
        ratio: h, share of the exposure hedged.
        currencies: the foreign currencies to hedge; all if empty.
        decided_sessions_before: index sessions from r to m.

    Raises:
        DataError: a needed spot or forward rate is missing, a currency to hedge is unknown or the investor's own, or
            the hedge costs more than the index is worth, as wrong quotes make it.
    """
    home = into or parent.currency
    chosen = _chosen(parent, home, currencies)
    weights = ratio * np.where([code in chosen for code in parent.currencies], parent.weights, 0.0)
    months = contracts(parent.sessions, decided_sessions_before)
    if faults := _unquoted(parent, home, weights, months):
        raise DataError(*faults)
    at_home = in_currency(parent, home)
    levels = at_home.levels.copy()
    for month in months:
        held = slice(month.sold + 1, month.last + 1)
        grown = at_home.levels[held] / at_home.levels[month.sold] + _hedge_return(at_home, levels, weights, month)
        levels[held] = levels[month.sold] * grown
    if lost := [row for row, level in enumerate(levels.tolist()) if level <= 0]:
        where, cure = f"hedged level on {parent.sessions[lost[0]]}", "check spot and forward rates of that month"
        raise DataError(Problem(where, f"falls to {levels[lost[0]]:g}", cure))
    return levels


def contracts(sessions: Sequence[date], before: int) -> list[Contract]:
    """The contracts of a hedge, one a month, oldest first.

    Args:
        sessions: index sessions, ascending; the first is the base date.
        before: index sessions from the decision to the sale.
    """
    starts = [row for row in range(len(sessions) - 1) if row == 0 or not _same_month(sessions[row], sessions[row + 1])]
    made: list[Contract] = []
    for sold, last in pairwise([*starts, len(sessions) - 1]):
        expires = last_weekday(sessions[sold + 1])
        stub = _same_month(sessions[sold], expires)
        begins = last_weekday(expires.replace(day=1) - timedelta(days=1)) if stub else sessions[sold]
        days = [max((expires - day).days, 0) for day in sessions[sold : last + 1]]
        made.append(Contract(max(sold - before, 0), sold, last, np.array(days) / (expires - begins).days))
    return made


def last_weekday(day: date) -> date:
    """The last Monday to Friday of a day's month.

    Example:
        >>> print(last_weekday(date(2026, 5, 4)))
        2026-05-29
    """
    end = day.replace(day=monthrange(day.year, day.month)[1])
    return end - timedelta(days=max(end.weekday() - 4, 0))


def _hedge_return(
    parent: Parent, levels: NDArray[np.float64], weights: NDArray[np.float64], month: Contract
) -> NDArray[np.float64]:
    """HR on each session of a contract, currencies added one by one in alphabetical order."""
    spot, forward = quoted(parent)
    rows = slice(month.sold, month.last + 1)
    adjust = levels[month.decided] / levels[month.sold]
    total = np.zeros(month.last - month.sold)
    for column in np.flatnonzero(weights[month.decided]).tolist():
        near, far = spot[rows, column], forward[rows, column]
        price = near + month.left * (np.where(month.left > 0, far, near) - near)
        total += weights[month.decided, column] * adjust * (price[0] - price[1:]) / spot[month.decided, column]
    return total


def _chosen(parent: Parent, home: str, currencies: Sequence[str]) -> set[str]:
    foreign = set(parent.currencies) - {home}
    faults = [
        Problem(f"hedge of {code}", "is the investor's own currency", "leave it out of currencies")
        if code == home
        else Problem(f"hedge of {code}", "the index neither holds nor quotes it", did_you_mean(code, foreign))
        for code in currencies
        if code not in foreign
    ]
    if faults:
        raise DataError(*faults)
    return set(currencies) or foreign


def _unquoted(parent: Parent, home: str, weights: NDArray[np.float64], months: Sequence[Contract]) -> list[Problem]:
    """Every spot and forward rate that is needed and missing, the investor's own currency included."""
    own = np.array([code == home for code in parent.currencies])
    near = np.tile(own, (len(parent.sessions), 1))
    far = np.zeros_like(near)
    for month in months:
        sold = weights[month.decided] != 0
        used = (sold | own) & sold.any()
        rows = slice(month.sold, month.last + 1)
        near[rows] |= used
        near[month.decided] |= used
        far[rows] |= used & (month.left > 0)[:, None]
    spot, forward = quoted(parent)
    return [
        problem
        for quote, missing in (("spot", near & np.isnan(spot)), ("forward", far & np.isnan(forward)))
        for column, code in enumerate(parent.currencies)
        for problem in unknown(parent, quote, code, missing[:, column])
    ]


def _same_month(one: date, other: date) -> bool:
    return (one.year, one.month) == (other.year, other.month)
