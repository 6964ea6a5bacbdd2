"""A market model for a thinly traded security: returns from trade to trade, weighted by the days they span.

Nothing is filled on a day without trade: the return from one trade to the next is set against the benchmark's return
over the same days (Maynes and Rumsey 1993). Log returns, because only these add up over days.
"""

from dataclasses import dataclass
from math import sqrt
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from exchina.errors import DataError, Problem

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
COEFFICIENTS = 2


@dataclass(frozen=True, slots=True)
class TradeToTrade:
    """The fit and the abnormal return of one security around one event; log returns.

    Attributes:
        alpha: a, per session.
        beta: b.
        s: residual standard deviation per square root of a session.
        intervals: estimation intervals, m.
        event_sessions: sessions that the event interval spans, n*.
        ar: abnormal return of the event interval, R* - a n* - b Rm*.
        se_ar: its standard error as a forecast.
        t: ar / se_ar, Student t with ``df`` degrees of freedom.
        df: m - 2.
        p: two-sided.
        estimation_sessions: sessions of the estimation window.
        sessions_without_trade: those of them on which the security did not trade.
    """

    alpha: float
    beta: float
    s: float
    intervals: int
    event_sessions: int
    ar: float
    se_ar: float
    t: float
    df: int
    p: float
    estimation_sessions: int
    sessions_without_trade: int

    @property
    def share_without_trade(self) -> float:
        """Share of estimation sessions without trade; above 25 % a security is dropped from a sample test."""
        return self.sessions_without_trade / self.estimation_sessions


def trade_to_trade(
    closes: FloatArray, benchmark: FloatArray, *, estimation: IntArray, window: tuple[int, int]
) -> TradeToTrade:
    """Fit R = a n + b Rm + e, var(e) = s^2 n, over the intervals between trades and forecast the event interval.

    (a, b)' = (X'WX)^-1 X'W R with rows x = (n, Rm), W = diag(1/n);  s^2 = sum e^2/n / (m - 2)
    se(AR)^2 = s^2 (n* + x*' (X'WX)^-1 x*)

    An estimation interval counts if every session it spans, from the one after a trade to that of the next trade, is an
    estimation session. The event interval runs from the last trade before the window to the first trade at or after its
    last session. A session on which the benchmark has no level is treated as one without trade.

    Args:
        closes: (T,) close of the security, with dividends reinvested, > 0; NaN on a session without trade.
        benchmark: (T,) level of the benchmark, > 0; NaN where missing.
        estimation: places of the estimation sessions.
        window: places of the first and the last session of the event window.

    Raises:
        DataError: a price is not above zero, there is no trade on one side of the window, the event interval reaches
            into the estimation window, too few intervals remain, their benchmark does not move or nothing is left over.
    """
    _check_prices(closes, benchmark)
    trades: IntArray = np.flatnonzero(np.isfinite(closes) & np.isfinite(benchmark))
    before, after = trades[trades < window[0]], trades[trades >= window[1]]
    inside = np.isin(np.arange(len(closes)), estimation)
    spans = np.diff(trades)
    kept = np.diff(np.cumsum(inside)[trades]) == spans
    _check_intervals(before, after, inside, intervals=int(kept.sum()))

    n = spans[kept].astype(float)
    prices, levels = np.log(closes), np.log(benchmark)
    r, rm = np.diff(prices[trades])[kept], np.diff(levels[trades])[kept]
    x = np.column_stack([n, rm])
    inverse = _inverse(x, n)
    alpha, beta = inverse @ (x * (r / n)[:, None]).sum(axis=0)
    s = sqrt(np.sum((r - alpha * n - beta * rm) ** 2 / n) / (n.size - COEFFICIENTS))

    first, last = before[-1], after[0]
    at = np.array([last - first, levels[last] - levels[first]])
    ar = float(prices[last] - prices[first] - alpha * at[0] - beta * at[1])
    se = s * sqrt(at[0] + at @ inverse @ at)
    if se == 0:
        raise DataError(Problem("trade-to-trade model", "the fit leaves no residual", "a price that stays is no trade"))
    df = n.size - COEFFICIENTS
    return TradeToTrade(
        alpha=float(alpha),
        beta=float(beta),
        s=s,
        intervals=n.size,
        event_sessions=int(at[0]),
        ar=ar,
        se_ar=se,
        t=ar / se,
        df=df,
        p=float(2 * stdtr(df, -abs(ar / se))),
        estimation_sessions=int(inside.sum()),
        sessions_without_trade=int(np.isnan(closes[inside]).sum()),
    )


def _inverse(x: FloatArray, n: FloatArray) -> FloatArray:
    """(X'WX)^-1 with W = diag(1/n)."""
    if np.linalg.matrix_rank(x / np.sqrt(n)[:, None]) < COEFFICIENTS:
        hint = "give it a benchmark whose level changes"
        raise DataError(Problem("trade-to-trade model", "the benchmark moves in step with the days alone", hint))
    return np.linalg.inv((x[:, :, None] * x[:, None, :] / n[:, None, None]).sum(axis=0))


def _check_prices(closes: FloatArray, benchmark: FloatArray) -> None:
    problems = [
        Problem(name, f"{int(wrong.sum())} values are not finite and above zero", "leave NaN where there is none")
        for name, values in (("closes", closes), ("benchmark", benchmark))
        if (wrong := ~np.isnan(values) & ~(np.isfinite(values) & (values > 0))).any()
    ]
    if closes.shape != benchmark.shape:
        problems.append(Problem("benchmark", f"{benchmark.size} levels for {closes.size} closes", "align by session"))
    if problems:
        raise DataError(*problems)


def _check_intervals(before: IntArray, after: IntArray, inside: npt.NDArray[np.bool_], *, intervals: int) -> None:
    problems: list[Problem] = []
    if intervals <= COEFFICIENTS:
        what = f"{intervals} intervals between trades in the estimation window"
        problems.append(Problem("trade-to-trade model", what, f"it needs more than {COEFFICIENTS}; leave the name out"))
    if not before.size or not after.size:
        side = "after the window opens" if before.size else "before the window"
        problems.append(Problem("event interval", f"no trade {side}", "leave the security out"))
    elif inside[before[-1] + 1 : after[0] + 1].any():
        what = "it reaches into the estimation window"
        problems.append(Problem("event interval", what, "end the estimation window earlier, or leave the security out"))
    if problems:
        raise DataError(*problems)
