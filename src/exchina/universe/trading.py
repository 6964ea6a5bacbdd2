"""What was traded: values of the last sessions of each line."""

from datetime import date, timedelta

import polars as pl

from exchina.model import MarketData

TRADED_SESSIONS = 126


def traded(market: MarketData, lines: pl.DataFrame, day: date) -> pl.DataFrame:
    """close x volume on each of the last sessions of the line's market since its first price; no trade is zero, an
    unknown volume is unknown."""
    firsts = market.prices.group_by("symbol").agg(first=pl.col("session").min())
    last = (
        market.sessions.filter(pl.col("session") <= day)
        .sort("calendar", "session")
        .group_by("calendar")
        .tail(TRADED_SESSIONS)
    )
    held = lines.select("symbol", "calendar").join(firsts, on="symbol").join(last, on="calendar")
    span = pl.col("session").is_between(day - timedelta(days=TRADED_SESSIONS * 2), day)
    values = market.prices.filter(span).select("symbol", "session", "close", value=pl.col("close") * pl.col("volume"))
    joined = held.filter(pl.col("session") >= pl.col("first")).join(values, on=["symbol", "session"], how="left")
    value = pl.when(pl.col("close").is_null()).then(0.0).otherwise("value")
    return joined.group_by("symbol").agg(traded_values=value.sort_by("session"))
