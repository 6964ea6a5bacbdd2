"""How bad it got: drawdowns, tails, and volatility as time goes by.

Every function takes ``levels`` as in `performance`: ``session`` and ``level`` of one return variant. Returns are simple
returns from session to session, fractions of 1; losses are negative.
"""

from datetime import date
from typing import TypedDict

import numpy as np
import polars as pl

from exchina.analytics.performance import DAYS_PER_YEAR, SESSIONS_PER_YEAR, FloatArray, checked_series

TAIL = 0.05


class Downside(TypedDict):
    """Losses of a series; see `downside`."""

    return_per_year: float
    downside_deviation: float
    value_at_risk: float
    expected_shortfall: float
    worst_month: float | None
    ulcer_index: float
    calmar: float | None


def downside(levels: pl.DataFrame) -> Downside:
    """Losses of a series in one look.

    Args:
        levels: ``session`` and ``level`` of one variant.

    Returns:
        ``return_per_year``: (L_end / L_first)^(365.25 / d) - 1 over d calendar days, also for less than a year.
        ``downside_deviation``: sqrt(mean(min(r, 0)^2)) sqrt(252), over all returns, against a target of 0.
        ``value_at_risk``: the 5 % quantile of the returns of one session as they were (historical), interpolated.
        ``expected_shortfall``: mean of the returns at or below it.
        ``worst_month``: lowest return of a calendar month, from the last session before it to its last session, both in
        the series; the month of the last session is not over and does not count. None without one.
        ``ulcer_index``: sqrt(mean(drawdown^2)) over all levels, the first included.
        ``calmar``: return per year over the depth of the deepest drawdown; None without a drawdown.

    Raises:
        DataError: the levels are not a series.
    """
    sessions, values = checked_series(levels)
    returns = values[1:] / values[:-1] - 1
    depth = _drawdown(values)
    years = (sessions[-1] - sessions[0]).days / DAYS_PER_YEAR
    yearly = float((values[-1] / values[0]) ** (1 / years) - 1)
    quantile = float(np.quantile(returns, TAIL))
    deepest = float(depth.min())
    return {
        "return_per_year": yearly,
        "downside_deviation": float(np.sqrt(np.mean(np.minimum(returns, 0) ** 2) * SESSIONS_PER_YEAR)),
        "value_at_risk": quantile,
        "expected_shortfall": float(returns[returns <= quantile].mean()),
        "worst_month": _worst_month(levels),
        "ulcer_index": float(np.sqrt(np.mean(depth**2))),
        "calmar": yearly / -deepest if deepest < 0 else None,
    }


def drawdowns(levels: pl.DataFrame, *, deepest: int = 5) -> pl.DataFrame:
    """The deepest drawdowns, each from its peak to the first session at or above it.

    Args:
        levels: ``session`` and ``level`` of one variant.
        deepest: how many.

    Returns:
        ``peak``, ``trough``, ``recovered`` (null while under water), ``depth`` (fraction, negative), ``days_to_trough``
        and ``days_under_water`` (calendar days from the peak to the recovery, or to the last session); deepest first,
        the earlier of equals.

    Raises:
        DataError: the levels are not a series.
    """
    sessions, values = checked_series(levels)
    under = _drawdown(values) < 0
    starts = np.flatnonzero(under & ~np.append(False, under[:-1])) - 1
    ends = np.flatnonzero(under & ~np.append(under[1:], False)) + 1
    rows = [_one(sessions, values, int(start), int(end)) for start, end in zip(starts, ends, strict=True)]
    schema = {"peak": pl.Date, "trough": pl.Date, "recovered": pl.Date, "depth": pl.Float64}
    days = {"days_to_trough": pl.Int64, "days_under_water": pl.Int64}
    table = pl.DataFrame(rows, schema={**schema, **days}, orient="row")
    return table.sort("depth", maintain_order=True).head(deepest)


def rolling_volatility(levels: pl.DataFrame, *, sessions: int = SESSIONS_PER_YEAR) -> pl.DataFrame:
    """Volatility of the last returns as of each session: standard deviation (n - 1) times sqrt(252).

    Args:
        levels: ``session`` and ``level`` of one variant.
        sessions: returns in the window, 2 or more.

    Returns:
        ``session``, ``volatility``, from the first session with a full window; no rows where there is none.

    Raises:
        DataError: the levels are not a series.
    """
    days, values = checked_series(levels)
    returns = values[1:] / values[:-1] - 1
    schema = {"session": pl.Date, "volatility": pl.Float64}
    if returns.size < sessions:
        return pl.DataFrame(schema=schema)
    windows = np.lib.stride_tricks.sliding_window_view(returns, sessions)
    yearly = windows.std(axis=1, ddof=1) * np.sqrt(SESSIONS_PER_YEAR)
    return pl.DataFrame({"session": days[sessions:], "volatility": yearly}, schema=schema)


def _drawdown(values: FloatArray) -> FloatArray:
    return values / np.maximum.accumulate(values) - 1


def _worst_month(levels: pl.DataFrame) -> float | None:
    """Over months between two month-ends; the last month counts once a session of the next one is there."""
    ends = levels.group_by(month=pl.col("session").dt.truncate("1mo"), maintain_order=True).agg(pl.col("level").last())
    whole = (ends["level"] / ends["level"].shift(1) - 1).to_numpy()[1:-1]
    return float(whole.min()) if whole.size else None


def _one(sessions: list[date], values: FloatArray, peak: int, end: int) -> tuple[object, ...]:
    """A drawdown from its peak to the row after its last session under water."""
    trough = peak + int(np.argmin(values[peak:end]))
    recovered = sessions[end] if end < len(sessions) else None
    last = recovered or sessions[-1]
    depth = float(values[trough] / values[peak] - 1)
    days = (sessions[trough] - sessions[peak]).days, (last - sessions[peak]).days
    return sessions[peak], sessions[trough], recovered, depth, *days
