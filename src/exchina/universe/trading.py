"""What was traded and how prices moved: the last sessions of each line on its own market."""

from datetime import date, timedelta

import polars as pl

from exchina.model import MarketData
from exchina.tables.actions import share_ratios

TRADED_SESSIONS = 252
DAYS_BACK = timedelta(days=740)  # a close older than that is not carried into the first return
FIXED_WITHIN = "10d"


def first_prices(market: MarketData) -> pl.DataFrame:
    """The first session of each line with a close, and how many there are: symbol, first, price_sessions."""
    return market.prices.group_by("symbol").agg(first=pl.col("session").min(), price_sessions=pl.len().cast(pl.Int64))


def traded(market: MarketData, lines: pl.DataFrame, firsts: pl.DataFrame, day: date) -> pl.DataFrame:
    """Values traded and returns on each of the last sessions of the line's market since its first price.

    Returns:
        symbol, traded_values_usd (list: close x volume in US dollars at the session's own rate; no trade is zero, an
        unknown volume or rate is unknown) and daily_returns (list: P_t F_t / (P_s F_s) - 1, closes P of the session and
        of the one before, F the product of all share ratios of splits and stock dividends up to the day of the close;
        zero where the close is carried; the first session of a line has none). Oldest first.
    """
    grid = _sessions(market, lines, firsts, day)
    closes = market.prices.filter(pl.col("session") > day - DAYS_BACK).select(
        "symbol", "close", "volume", session="session", priced="session"
    )
    carried = grid.join_asof(closes, on="session", by="symbol", check_sortedness=False)
    value = pl.col("close") * pl.col("volume") * pl.col("rate")
    before = pl.when(pl.col("symbol") == pl.col("symbol").shift()).then(pl.col("adjusted").shift())
    return (
        _adjusted(carried, market, day)
        .select(
            "symbol",
            _value=pl.when(pl.col("priced") == pl.col("session")).then(value).otherwise(0.0),
            _return=pl.col("adjusted") / before - 1,
        )
        .group_by("symbol", maintain_order=True)
        .agg(
            traded_values_usd=pl.col("_value").tail(TRADED_SESSIONS),
            daily_returns=pl.col("_return").slice(1, None),
        )
    )


def _sessions(market: MarketData, lines: pl.DataFrame, firsts: pl.DataFrame, day: date) -> pl.DataFrame:
    """symbol, session (ascending within each line, one more than are counted) and the rate of its currency."""
    last = (
        market.sessions.filter(pl.col("session").is_between(day - DAYS_BACK, day))
        .group_by("calendar")
        .agg(pl.col("session").sort().tail(TRADED_SESSIONS + 1))
    )
    pairs = lines.select("calendar", "currency").unique()
    rated = _rated(pairs.join(last, on="calendar").explode("session"), market, day)
    held = lines.select("symbol", "calendar", "currency").join(firsts, on="symbol", maintain_order="left")
    grid = held.join(rated, on=["calendar", "currency"], maintain_order="left_right")
    return grid.filter(pl.col("session") >= pl.col("first")).select("symbol", "session", "rate")


def _rated(rows: pl.DataFrame, market: MarketData, day: date) -> pl.DataFrame:
    """The rows with the US dollars per unit of their currency, in order of the sessions; null where the last fixing is
    more than ten days old."""
    fixings = market.fx.filter(pl.col("session") > day - DAYS_BACK)
    fixings = fixings.select("currency", "session", rate="usd_per_unit").sort("session")
    rated = rows.sort("session").join_asof(
        fixings, on="session", by="currency", tolerance=FIXED_WITHIN, check_sortedness=False
    )
    return rated.with_columns(rate=pl.when(pl.col("currency") == "USD").then(1.0).otherwise("rate"))


def _adjusted(rows: pl.DataFrame, market: MarketData, day: date) -> pl.DataFrame:
    """The rows with the close times every share ratio since the first of these sessions."""
    ratios = share_ratios(market.splits, market.actions).filter(pl.col("ex_date").is_between(day - DAYS_BACK, day))
    if ratios.is_empty():
        return rows.with_columns(adjusted="close")
    factors = ratios.select("symbol", priced="ex_date", _factor=pl.col("ratio").cum_prod().over("symbol"))
    joined = rows.join_asof(factors, on="priced", by="symbol", check_sortedness=False)
    return joined.with_columns(adjusted=pl.col("close") * pl.col("_factor").fill_null(1.0))
