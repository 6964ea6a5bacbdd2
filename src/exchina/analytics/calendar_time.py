"""Long horizons in calendar time: hold each name for some sessions after its event and ask for the portfolio's alpha.

The portfolio's return on each session absorbs the correlation between the names held on it (Jaffe 1974, Mandelker 1974;
Fama 1998). For an appendix: windows of weeks hold much that is not the event.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from exchina.errors import DataError, Problem

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
COEFFICIENTS = 2


@dataclass(frozen=True, slots=True)
class CalendarTimeAlpha:
    """Alpha of a calendar-time portfolio per session, fraction of 1.

    Attributes:
        alpha: intercept per session.
        beta: slope on the benchmark.
        se_alpha: standard error of alpha.
        t: alpha / se_alpha, Student t with ``df`` degrees of freedom.
        df: T - 2.
        p: two-sided.
        sessions: sessions used, T.
        weighted: by the number of names held (WLS); else every session counts the same (OLS).
        lags: Newey-West lags; None: the textbook error, residuals independent.
    """

    alpha: float
    beta: float
    se_alpha: float
    t: float
    df: int
    p: float
    sessions: int
    weighted: bool
    lags: int | None


def calendar_time_portfolio(
    returns: FloatArray, *, positions: IntArray, names: IntArray, sessions: int, start: int = 1
) -> tuple[FloatArray, IntArray]:
    """Equal-weighted return of the names held on each session.

    A name is held on days ``start`` to ``start + sessions - 1`` from its event, day 0; once where its events overlap.

    Args:
        returns: (T, n) excess returns, NaN where missing; a name without a return on a session is not held on it.
        positions: (E,) place of day 0 of each event.
        names: (E,) column of the name that each event concerns.
        sessions: h, how long a name is held.
        start: first day held, counted from day 0.

    Returns:
        (T,) mean return of the names held, NaN where none is; (T,) number of names held.
    """
    days = np.arange(len(returns))[:, None] - positions
    inside = (days >= start) & (days < start + sessions)
    held = np.zeros(returns.shape, bool)
    session, event = np.nonzero(inside)
    held[session, names[event]] = True
    held &= np.isfinite(returns)
    count = held.sum(axis=1)
    total = np.where(held, returns, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(returns), np.nan), where=count > 0), count


def calendar_time_alpha(
    portfolio: FloatArray, benchmark: FloatArray, *, held: IntArray | None = None, lags: int | None = None
) -> CalendarTimeAlpha:
    """Regress the portfolio's excess return on the benchmark's: y_t = alpha + beta x_t + e_t.

    OLS, or with ``held`` WLS, weights w_t = names held. Without ``lags`` the covariance is s^2 (X'WX)^-1 with
    s^2 = sum w e^2 / (T - 2). With ``lags`` q it is Newey and West's (1987), for holding periods that overlap:

        (X'WX)^-1 S (X'WX)^-1 T / (T - 2),  S = G_0 + sum_{l=1..q} (1 - l/(q+1)) (G_l + G_l'),
        G_l = sum_t u_t u_{t-l}',  u_t = w_t e_t x_t

    A session without a portfolio or benchmark return takes no part; lags count sessions, so a gap is not closed up.

    Args:
        portfolio: (T,) excess returns of the portfolio in session order, NaN where no name is held.
        benchmark: (T,) excess returns of the benchmark, NaN where missing.
        held: (T,) names held on each session: weights. None: OLS.
        lags: q; holding period less one is the usual choice. None: the textbook error.

    Raises:
        DataError: lengths that differ, too few sessions, a benchmark that does not move, no name held on a session that
            has a return, lags out of range, or nothing left over by the fit.
    """
    used = np.isfinite(portfolio) & np.isfinite(benchmark) if portfolio.shape == benchmark.shape else np.zeros(0, bool)
    _check(portfolio, benchmark, used, held=held, lags=lags)
    weights = np.where(used, 1.0 if held is None else held, 0.0)
    y, x = np.where(used, portfolio, 0.0), np.where(used, benchmark, 0.0)
    design = np.column_stack([np.ones(len(x)), x])
    inverse = np.linalg.inv(_cross(weights[:, None] * design, design))
    alpha, beta = inverse @ (design * (weights * y)[:, None]).sum(axis=0)
    errors = np.where(used, y - alpha - beta * x, 0.0)
    count = int(used.sum())
    df = count - COEFFICIENTS
    if lags is None:
        variance = np.sum(weights * errors**2) / df * inverse[0, 0]
    else:
        middle = _long_run((weights * errors)[:, None] * design, lags)
        variance = (inverse @ middle @ inverse)[0, 0] * count / df
    if not variance > 0:
        hint = "returns that never move are missing; give NaN"
        raise DataError(Problem("calendar-time portfolio", "the fit leaves no residual", hint))
    t = float(alpha / np.sqrt(variance))
    return CalendarTimeAlpha(
        alpha=float(alpha),
        beta=float(beta),
        se_alpha=float(np.sqrt(variance)),
        t=t,
        df=df,
        p=float(2 * stdtr(df, -abs(t))),
        sessions=count,
        weighted=held is not None,
        lags=lags,
    )


def _cross(left: FloatArray, right: FloatArray) -> FloatArray:
    return (left[:, :, None] * right[:, None, :]).sum(axis=0)


def _long_run(scores: FloatArray, lags: int) -> FloatArray:
    """S of the Newey-West covariance, Bartlett weights."""
    total = _cross(scores, scores)
    for lag in range(1, lags + 1):
        shifted = _cross(scores[lag:], scores[:-lag])
        total += (1 - lag / (lags + 1)) * (shifted + shifted.T)
    return total


def _check(
    portfolio: FloatArray,
    benchmark: FloatArray,
    used: npt.NDArray[np.bool_],
    *,
    held: IntArray | None,
    lags: int | None,
) -> None:
    shapes = {portfolio.shape, benchmark.shape} | ({held.shape} if held is not None else set())
    if len(shapes) > 1:
        raise DataError(Problem("calendar-time portfolio", "the columns differ in length", "align them by session"))
    problems: list[Problem] = []
    if used.sum() <= COEFFICIENTS:
        what = f"{int(used.sum())} sessions with a portfolio and a benchmark return"
        problems.append(Problem("calendar-time portfolio", what, f"it needs more than {COEFFICIENTS}"))
    elif np.ptp(benchmark[used]) == 0:
        problems.append(Problem("benchmark", "it does not move", "give one whose level changes"))
    if held is not None and (held[used] <= 0).any():
        problems.append(Problem("held", "no name is held on a session that has a return", "give NaN as its return"))
    if lags is not None and not 0 <= lags < max(int(used.sum()), 1):
        problems.append(Problem("lags", f"{lags}", "at least 0 and less than the number of sessions"))
    if problems:
        raise DataError(*problems)
