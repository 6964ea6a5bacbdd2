"""The one listing that stands for each company on a day."""

from datetime import date, timedelta

import polars as pl

from exchina.model import MarketData, Reference

PRICED_WITHIN_DAYS = 30


def lines_on(market: MarketData, reference: Reference, day: date) -> pl.DataFrame:
    """The one listing that stands for each company: priced before unpriced, then primary, then by symbol."""
    recent = market.prices.filter(pl.col("session").is_between(day - timedelta(days=PRICED_WITHIN_DAYS), day))
    last = recent.group_by("symbol").agg(pl.col("close").sort_by("session").last(), price_date=pl.col("session").max())
    started = pl.col("first_trade_date").is_null() | (pl.col("first_trade_date") <= day)
    live = pl.col("last_trade_date").is_null() | (pl.col("last_trade_date") >= day)
    return (
        reference.listings.filter(started & live)
        .select("company_id", "mic", "currency", "primary", symbol="yahoo_symbol")
        .join(last, on="symbol", how="left", maintain_order="left")
        .sort(pl.col("close").is_null(), ~pl.col("primary"), "symbol")
        .unique("company_id", keep="first", maintain_order=True)
        .sort("company_id")
        .drop("primary")
        .join(reference.venues.select("mic", "calendar"), on="mic", maintain_order="left")
    )
