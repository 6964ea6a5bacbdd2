"""Weekly returns of lines from several markets: their closes fall at different hours, so that days do not compare."""

from datetime import timedelta

import numpy as np
import polars as pl

from exchina.analytics.session_returns import total_returns
from exchina.analytics.stress.floor import FloatArray
from exchina.model import MarketData

WEEKS = 104
FEWEST_WEEKS = 26


def weekly_returns(lines: pl.DataFrame, market: MarketData, *, weeks: int = WEEKS) -> FloatArray:
    """Returns of the last complete weeks (Monday to Sunday), dividends included, in the currency of each line.

    Args:
        lines: symbol, currency, calendar (null: no line of today, NaN throughout), one row a line.
        market: prices, dividends, splits and sessions as known on a day.
        weeks: how many weeks back.

    Returns:
        (weeks, lines), oldest first; NaN for a week in which a session of the line's market has no return.
    """
    last = market.prices.select(pl.col("session").max(), week=pl.col("session").max().dt.truncate("1w")).row(0)
    first = last[1] - timedelta(weeks=weeks)
    out = np.full((weeks, lines.height), np.nan)
    listed = lines.with_row_index("place").drop_nulls("calendar")
    for (calendar,), names in listed.partition_by("calendar", as_dict=True).items():
        days = market.sessions.filter(pl.col("calendar") == calendar)["session"].sort().to_numpy()
        currencies = dict(names.select("symbol", "currency").iter_rows())
        daily = total_returns(market.prices, market.dividends, market.splits, currencies=currencies, sessions=days)
        inside = (days >= np.datetime64(first)) & (days < np.datetime64(last[1]))
        week = (days[inside] - np.datetime64(first)).astype("timedelta64[D]").astype(int) // 7
        grown = np.ones((weeks, names.height))
        np.multiply.at(grown, week, 1 + daily[inside])
        grown[np.bincount(week, minlength=weeks) == 0] = np.nan
        out[:, names["place"].to_numpy()] = grown - 1
    return out


def beta_to(returns: FloatArray, factor: FloatArray) -> FloatArray:
    """Slope of each column on a factor over the weeks both have: cov / var; NaN with fewer than 26 such weeks.

    Args:
        returns: (T, n), NaN where missing.
        factor: (T,), or (T, n) with a factor of its own for each column.
    """
    x = np.broadcast_to(factor.reshape(len(factor), -1), returns.shape)
    both = np.isfinite(x) & np.isfinite(returns)
    count = both.sum(axis=0)
    enough = count >= FEWEST_WEEKS
    n = np.where(enough, count, 1)
    xs, ys = np.where(both, x, 0.0), np.where(both, returns, 0.0)
    dx = np.where(both, x - xs.sum(axis=0) / n, 0.0)
    variance = (dx**2).sum(axis=0)
    moves = enough & (variance > 0)
    return np.where(moves, (dx * ys).sum(axis=0) / np.where(moves, variance, 1.0), np.nan)
