"""Policy backing of each company of the universe: commitments in force, the score and its parts."""

from datetime import date

import polars as pl

from exchina import policy
from exchina.currency import with_rate
from exchina.model import MarketData, Reference


def with_backing(table: pl.DataFrame, market: MarketData, reference: Reference, day: date) -> pl.DataFrame:
    """The table with the score, its parts and the commitments of each company as known on ``day``."""
    on_day = pl.lit(day).alias("_day")
    priced = table.filter(pl.col("close").is_not_null())
    capex = priced.filter(pl.col("programme_capex").is_not_null()).with_columns(on_day)
    capex = with_rate(capex.drop("rate"), market.fx, day="_day", currency="capex_currency").select(
        "company_id", programme_capex_usd=pl.col("programme_capex") * pl.col("rate")
    )
    known = reference.policy_measures.filter(pl.col("known_date") <= day)
    measures = _in_usd(known.join(priced.select("company_id"), on="company_id", how="semi"), market, day)
    table = table.join(capex, on="company_id", how="left", maintain_order="left")
    score = policy.backing(measures, reference.sponsors, table, day)
    firm = policy.in_force(measures, day).select(
        "company_id",
        commitment=pl.struct(
            "instrument", "status", bind=pl.col("status").replace_strict(policy.BIND, return_dtype=pl.Float64)
        ),
    )
    held = firm.group_by("company_id", maintain_order=True).agg(commitments="commitment")
    parts = [pl.col(part).fill_null(0.0) for part in (*policy.SCORE_WEIGHTS, "policy_score")]
    return (
        table.join(score, on="company_id", how="left", maintain_order="left")
        .join(held, on="company_id", how="left", maintain_order="left")
        .with_columns(parts)
    )


def _in_usd(measures: pl.DataFrame, market: MarketData, day: date) -> pl.DataFrame:
    dated = measures.with_columns(_day=pl.lit(day), _currency=pl.col("amount_currency").fill_null("USD"))
    rated = with_rate(dated, market.fx, day="_day", currency="_currency")
    return rated.with_columns(amount_usd=pl.col("amount_value") * pl.col("rate")).drop("_day", "_currency", "rate")
