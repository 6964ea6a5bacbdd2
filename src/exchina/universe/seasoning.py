"""Since when a company has traded in its present form."""

from datetime import date

import polars as pl

from exchina.model import MarketData, Reference


def seasoned_on(reference: Reference, firsts: pl.DataFrame, day: date) -> pl.DataFrame:
    """The day from which each company is seasoned: company_id, seasoned_on.

    The day of its last business combination, first offering or move to a larger market (corporate actions of type
    ``ipo``) known by ``day``; else the first trading day of its oldest listing, or, where that lies before 2010 and so
    is not given, its first price; null where neither is known.

    Args:
        reference: the reference tables.
        firsts: `exchina.universe.trading.first_prices`.
        day: the data cut-off.
    """
    done = pl.col("status").is_in(["completed", "confirmed"]) & (pl.col("type") == "ipo")
    told = (pl.col("effective_date") <= day) & (pl.col("known_date") <= day)
    floated = reference.corporate_actions.filter(done & told)
    floated = floated.group_by("company_id").agg(floated=pl.col("effective_date").max())
    begun = pl.col("first_trade_date").is_null() | (pl.col("first_trade_date") <= day)
    lines = reference.listings.filter(begun).join(
        firsts, left_on="yahoo_symbol", right_on="symbol", how="left", maintain_order="left"
    )
    traded = lines.group_by("company_id").agg(
        started=pl.coalesce("first_trade_date", "first").min(),
    )
    return traded.join(floated, on="company_id", how="left", maintain_order="left").select(
        "company_id", seasoned_on=pl.coalesce("floated", "started")
    )


def time_since(table: pl.DataFrame, market: MarketData, day: date) -> pl.DataFrame:
    """The time since seasoned_on: company_id, seasoned_months (whole ones), seasoned_sessions.

    Sessions are those of the line's own market after that day and to ``day``; those before the first session of the
    market are not counted.

    Args:
        table: company_id, calendar, seasoned_on.
        market: a market cut to ``day``.
        day: the data cut-off.
    """
    since = pl.col("seasoned_on")
    counted = (
        market.sessions.filter(pl.col("session") <= day)
        .group_by("calendar")
        .agg(seasoned_on=pl.col("session").sort(), _passed=pl.int_range(1, pl.len() + 1))
    )
    last = counted.select("calendar", _all=pl.col("_passed").list.len().cast(pl.Int64))
    numbered = counted.explode("seasoned_on", "_passed")
    rows = table.select("company_id", "calendar", "seasoned_on").filter(since.is_not_null()).sort("seasoned_on")
    rows = rows.join_asof(numbered, on="seasoned_on", by="calendar", check_sortedness=False)
    months = (
        (day.year - since.dt.year()) * 12 + day.month - since.dt.month() - (since.dt.day() > day.day).cast(pl.Int32)
    )
    return rows.join(last, on="calendar", how="left", maintain_order="left").select(
        "company_id",
        seasoned_months=months.cast(pl.Int64),
        seasoned_sessions=pl.col("_all") - pl.col("_passed").fill_null(0),
    )
