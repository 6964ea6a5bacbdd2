"""What one unit of each line is worth on each index session: raw close x splits since the start x exchange rate."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from exchina.currency import with_rate
from exchina.errors import DataError, Problem
from exchina.model import MarketData


@dataclass(frozen=True)
class Values:
    """Unit values of lines, index sessions down and symbols across.

    Attributes:
        sessions: index sessions, ascending (n).
        symbols: sorted (m).
        values: V, index currency per unit held since before any split (n x m); NaN before the first close.
        price_days: day of the close behind each value, as days since 1970-01-01 (n x m); the smallest integer where
            there is none.
    """

    sessions: tuple[date, ...]
    symbols: tuple[str, ...]
    values: NDArray[np.float64]
    price_days: NDArray[np.int64]

    def row(self, session: date) -> int:
        """Position of a session; `DataError` if it is not an index session of these values."""
        at = bisect_left(self.sessions, session)
        if at == len(self.sessions) or self.sessions[at] != session:
            raise DataError(Problem(str(session), "is no index session", f"sessions run to {self.sessions[-1]}"))
        return at

    def of(self, symbols: list[str]) -> NDArray[np.float64]:
        """The columns of some symbols (n x k)."""
        return self.values[:, [self.symbols.index(symbol) for symbol in symbols]]


def unit_values(market: MarketData, currencies: Mapping[str, str], sessions: list[date], into: str) -> Values:
    """Value every line on every index session.

    V_t = P_s x F_s x X_t, with s the last session of the line's own market at or before t, P its raw close, F the
    product of its split ratios with ex-date at or before s (so price and quantity move together, also when the
    ex-date is a holiday of the index calendar), X the exchange rate of t.

    Args:
        market: prices, splits and exchange rates.
        currencies: listing currency of each symbol; only these symbols are valued.
        sessions: index sessions, ascending.
        into: index currency.

    Raises:
        DataError: an exchange rate is missing.
    """
    lines = pl.DataFrame({"symbol": list(currencies), "currency": list(currencies.values())}).sort("symbol")
    days = pl.DataFrame({"session": sessions}, schema={"session": pl.Date})
    closes = _split_adjusted(market, lines).rename({"session": "price_day"})
    grid = days.join(lines, how="cross").sort("session", maintain_order=True)
    seen = grid.join_asof(closes, left_on="session", right_on="price_day", by="symbol", check_sortedness=False)
    priced = seen.filter(pl.col("units_close").is_not_null())
    rated = with_rate(priced, market.fx, day="session", currency="currency", into=into)
    rates = rated.select("session", "symbol", "rate")
    table = seen.join(rates, on=["session", "symbol"], how="left", maintain_order="left")
    shape = (len(sessions), lines.height)
    values = table.select((pl.col("units_close") * pl.col("rate")).fill_null(float("nan"))).to_series().to_numpy()
    day = table.select(pl.col("price_day").cast(pl.Int32).cast(pl.Int64).fill_null(np.iinfo(np.int64).min))
    return Values(
        tuple(sessions), tuple(lines["symbol"]), values.reshape(shape), day.to_series().to_numpy().reshape(shape)
    )


def _split_adjusted(market: MarketData, lines: pl.DataFrame) -> pl.DataFrame:
    """Closes times the cumulative split ratio of their own day, sorted by session."""
    names = lines["symbol"].to_list()
    ratios = market.splits.filter(pl.col("symbol").is_in(names)).sort("symbol", "ex_date")
    factors = ratios.select("symbol", "ex_date", factor=pl.col("ratio").cum_prod().over("symbol")).sort("ex_date")
    closes = market.prices.filter(pl.col("symbol").is_in(names)).sort("session", "symbol")
    joined = closes.join_asof(factors, left_on="session", right_on="ex_date", by="symbol", check_sortedness=False)
    return joined.select("symbol", "session", units_close=pl.col("close") * pl.col("factor").fill_null(1.0))
