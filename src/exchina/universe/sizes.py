"""Share counts and free float as known on a day, carried over the splits since."""

from datetime import date

import polars as pl

from exchina.model import MarketData
from exchina.tables.actions import share_ratios


def share_counts(market: MarketData, day: date) -> pl.DataFrame:
    """The last share count known, carried over the splits since."""
    last = _latest(market.shares.filter(_in_force(day)), "symbol")
    return carried_over_splits(last, "effective_date", "shares", market, day).select("symbol", "shares")


def carried_over_splits(
    counts: pl.DataFrame, counted_on: str, count: str, market: MarketData, day: date
) -> pl.DataFrame:
    """Share counts times the split ratios between the day they were counted on and ``day``."""
    later = (
        share_ratios(market.splits, market.actions)
        .filter(pl.col("ex_date") <= day)
        .join(counts.select("symbol", counted_on), on="symbol")
        .filter(pl.col("ex_date") > pl.col(counted_on))
        .group_by("symbol")
        .agg(_ratio=pl.col("ratio").product())
    )
    joined = counts.join(later, on="symbol", how="left", maintain_order="left")
    return joined.with_columns(pl.col(count) * pl.col("_ratio").fill_null(1.0)).drop("_ratio")


def _in_force(day: date) -> pl.Expr:
    return (pl.col("known_date") <= day) & (pl.col("effective_date") <= day)


def floats(market: MarketData, day: date) -> pl.DataFrame:
    """The last known float of each line, reported and assumed."""
    known = market.floats.filter(_in_force(day))
    split = {
        basis: _latest(known.filter(pl.col("basis") == basis), "symbol").select(
            "symbol", pl.col("free_float_factor").alias(basis)
        )
        for basis in ("reported", "assumed")
    }
    return split["reported"].join(split["assumed"], on="symbol", how="full", coalesce=True)


def _latest(rows: pl.DataFrame, by: str) -> pl.DataFrame:
    return rows.sort(by, "effective_date", "known_date").unique(by, keep="last", maintain_order=True)


def sizes() -> list[pl.Expr]:
    """Prices and market values in US dollars, free float and its basis."""
    shares = pl.coalesce("shares", "company_shares")
    reported = pl.coalesce("reported", "company_float")
    return [
        (pl.col("close") * pl.col("rate")).alias("close_usd"),
        (pl.col("close") * pl.col("rate") * shares).alias("market_cap_usd"),
        pl.coalesce(reported, "assumed").alias("free_float_factor"),
        pl.when(reported.is_not_null())
        .then(pl.lit("reported"))
        .when(pl.col("assumed").is_not_null())
        .then(pl.lit("assumed"))
        .alias("float_basis"),
    ]


def free_float_cap() -> pl.Expr:
    """Market value of the free float, US dollars."""
    return (pl.col("market_cap_usd") * pl.col("free_float_factor")).alias("free_float_market_cap_usd")
