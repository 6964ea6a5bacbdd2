"""Policy backing of each company of the universe: commitments in force, the score and its parts."""

from datetime import date

import polars as pl

from exchina import policy
from exchina.currency import with_rate
from exchina.model import MarketData, Reference


def with_backing(table: pl.DataFrame, market: MarketData, reference: Reference, day: date) -> pl.DataFrame:
    """The table with the score, its parts and the commitments of each company as known on ``day``.

    Adds floor_part, offtake_part, capital_part, policy_score, lead_sponsor and commitments: a list of structs with the
    fields of `exchina.policy.COMMITMENT`, null for a company of which none was known.
    """
    on_day = pl.lit(day).alias("_day")
    priced = table.filter(pl.col("close").is_not_null())
    capex = priced.filter(pl.col("programme_capex").is_not_null()).with_columns(on_day)
    capex = with_rate(capex.drop("rate"), market.fx, day="_day", currency="capex_currency").select(
        "company_id", programme_capex_usd=pl.col("programme_capex") * pl.col("rate")
    )
    backed = reference.policy_measures.join(priced.select("company_id"), on="company_id", how="semi")
    measures = _in_usd(policy.as_known(backed, day), market, day)
    table = table.join(capex, on="company_id", how="left", maintain_order="left")
    score = policy.backing(measures, reference.sponsors, table, day)
    standing = policy.commitments(measures, reference.sponsors, day)
    held = standing.group_by("company_id", maintain_order=True).agg(commitments=pl.struct(*policy.COMMITMENT))
    parts = [pl.col(part).fill_null(0.0) for part in (*policy.SCORE_WEIGHTS, "policy_score")]
    return (
        table.join(score, on="company_id", how="left", maintain_order="left")
        .join(held, on="company_id", how="left", maintain_order="left")
        .with_columns(parts)
    )


def standing_on(
    market: MarketData, reference: Reference, day: date, *, recorded_by: date | None = None
) -> pl.DataFrame:
    """Every commitment in force on a day, also those of companies without a price and of related entities.

    Args:
        market: exchange rates as known on ``day``.
        reference: the reference tables.
        day: the data cut-off.
        recorded_by: read only rows written down by then; None reads all.

    Returns:
        company_id and the columns of `exchina.policy.COMMITMENT`.

    Raises:
        DataError: an exchange rate is missing.
    """
    known = policy.as_known(reference.policy_measures, day, recorded_by=recorded_by)
    return policy.commitments(_in_usd(known, market, day), reference.sponsors, day)


def _in_usd(measures: pl.DataFrame, market: MarketData, day: date) -> pl.DataFrame:
    dated = measures.with_columns(_day=pl.lit(day), _currency=pl.col("amount_currency").fill_null("USD"))
    rated = with_rate(dated, market.fx, day="_day", currency="_currency")
    return rated.with_columns(amount_usd=pl.col("amount_value") * pl.col("rate")).drop("_day", "_currency", "rate")
