"""How each price behind a level came about: its own session's close, or one that was carried, and why."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from exchina.calculation.values import Values


def carried_prices(values: Values, shares: pl.DataFrame, lines: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """Every price of a member that was not that session's own official close.

    ``holiday_carry``: the line's market was closed. ``line_ended``: the line no longer trades. ``stale``: the market
    was open and the line has no close.

    Args:
        values: unit values with the day of the close behind each.
        shares: session of the reset, symbol: who is a member from when.
        lines: symbol, calendar, last_trade_date (null while it trades).
        sessions: calendar, session.

    Returns:
        session, symbol, status, price_day, sorted.
    """
    days = np.array(values.sessions, "datetime64[D]")
    rows, columns = np.nonzero((values.price_days != days.astype(np.int64)[:, None]) & _held(values, shares))
    price_days = values.price_days[rows, columns].astype("datetime64[D]")
    symbols = np.array(values.symbols, object)[columns]
    carried = pl.DataFrame(
        {"session": days[rows], "symbol": pl.Series(symbols, dtype=pl.String), "price_day": price_days}
    )
    known = carried.join(lines.select("symbol", "calendar", "last_trade_date"), on="symbol", maintain_order="left")
    opened = sessions.select("calendar", "session", opened=pl.lit(True))
    known = known.join(opened, on=["calendar", "session"], how="left", maintain_order="left")
    status = (
        pl.when(pl.col("session") > pl.col("last_trade_date"))
        .then(pl.lit("line_ended"))
        .when(pl.col("opened"))
        .then(pl.lit("stale"))
        .otherwise(pl.lit("holiday_carry"))
    )
    return known.select("session", "symbol", status.alias("status"), "price_day").sort("session", "symbol")


def _held(values: Values, shares: pl.DataFrame) -> NDArray[np.bool_]:
    """Whether a line is a member on a session: from its reset to the next one, both closes included."""
    held = np.zeros(values.values.shape, bool)
    resets = shares["session"].unique().sort().to_list()
    for start, end in zip(resets, [*resets[1:], values.sessions[-1]], strict=True):
        members = shares.filter(pl.col("session") == start)["symbol"]
        columns = [values.symbols.index(symbol) for symbol in members]
        held[values.row(start) : values.row(end) + 1, columns] = True
    return held
