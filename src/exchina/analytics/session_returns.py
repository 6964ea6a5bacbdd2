"""Simple returns from session to session of a market's own calendar, as matrices of sessions by securities."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
DayArray = npt.NDArray[np.datetime64]
COLUMN = {"symbol": pl.String, "column": pl.Int64}


def total_returns(
    prices: pl.DataFrame,
    dividends: pl.DataFrame,
    splits: pl.DataFrame,
    *,
    currencies: dict[str, str],
    sessions: DayArray,
) -> FloatArray:
    """Returns in the currency of each listing, dividends included.

        R_t = (P_t + D_t) x_t / P_(t-1) - 1

    with the raw close P, the cash D per share that goes ex at t and x_t new shares per old share. An ex-date that is
    not a session counts for the next one. NaN where either close is missing (nothing is carried forward), and on the
    ex-date of a dividend that is not paid in the currency of the listing.

    Args:
        prices: ``symbol``, ``session``, ``close``; rows off the calendar are not read.
        dividends: ``symbol``, ``ex_date``, ``amount``, ``currency``.
        splits: ``symbol``, ``ex_date``, ``ratio``.
        currencies: currency of each listing by symbol; its order is the order of the columns.
        sessions: the calendar's sessions, ascending.

    Returns:
        (sessions, symbols); the first row is NaN.
    """
    symbols = list(currencies)
    shape = (len(sessions), len(symbols))
    close = _closes(prices, "close", symbols, sessions)
    cash, ratio = np.zeros(shape), np.ones(shape)
    currency = pl.col("symbol").replace_strict(currencies, default=None, return_dtype=pl.String)
    foreign = pl.col("currency") != currency
    paid = dividends.with_columns(amount=pl.when(foreign).then(float("nan")).otherwise("amount"))
    np.add.at(cash, *_cells(paid, "ex_date", "amount", symbols, sessions))
    np.multiply.at(ratio, *_cells(splits, "ex_date", "ratio", symbols, sessions))
    return _changes((close + cash) * ratio, close)


def level_returns(benchmarks: pl.DataFrame, *, symbols: Sequence[str], sessions: DayArray) -> FloatArray:
    """Returns of benchmark levels over a market's sessions; NaN where either level is missing.

    Args:
        benchmarks: ``symbol``, ``session``, ``level``.
        symbols: order of the columns.
        sessions: the calendar's sessions, ascending.

    Returns:
        (sessions, symbols); the first row is NaN.
    """
    levels = _closes(benchmarks, "level", symbols, sessions)
    return _changes(levels, levels)


def _closes(frame: pl.DataFrame, value: str, symbols: Sequence[str], sessions: DayArray) -> FloatArray:
    on_calendar = frame.filter(pl.col("session").is_in(pl.Series(sessions).implode()))
    closes = np.full((len(sessions), len(symbols)), np.nan)
    cells, values = _cells(on_calendar, "session", value, symbols, sessions)
    closes[cells] = values
    return closes


def _cells(
    frame: pl.DataFrame, day: str, value: str, symbols: Sequence[str], sessions: DayArray
) -> tuple[tuple[IntArray, IntArray], FloatArray]:
    """Row and column of each value, by symbol and by the first session at or after its day; later ones are dropped."""
    column = pl.DataFrame({"symbol": symbols, "column": range(len(symbols))}, schema=COLUMN)
    known = frame.join(column, on="symbol", maintain_order="left").sort("symbol", day, value)
    rows = np.searchsorted(sessions, known[day].to_numpy())
    inside = rows < len(sessions)
    return (rows[inside], known["column"].to_numpy()[inside]), known[value].to_numpy()[inside]


def _changes(now: FloatArray, before: FloatArray) -> FloatArray:
    returns = np.full(now.shape, np.nan)
    returns[1:] = now[1:] / before[:-1] - 1
    return returns
