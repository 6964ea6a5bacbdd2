"""Everything known of each company with a listing on a day, one row a company."""

from datetime import date

import polars as pl

from exchina import policy
from exchina.currency import with_rate
from exchina.model import MarketData, Reference
from exchina.universe.backing import with_backing
from exchina.universe.facts import dated_china, exposures_on, stages_on
from exchina.universe.lines import lines_on
from exchina.universe.sizes import carried_over_splits, floats, free_float_cap, share_counts, sizes
from exchina.universe.trading import traded

COLUMNS = [
    "company_id",
    "symbol",
    "name",
    "country",
    "mic",
    "currency",
    "stage",
    "stages",
    "rare_earth_exposure",
    "close",
    "price_date",
    "close_usd",
    "market_cap_usd",
    "free_float_factor",
    "float_basis",
    "free_float_market_cap_usd",
    "traded_values_usd",
    "china_revenue_share",
    *policy.SCORE_COLUMNS,
    "commitments",
]


def universe_on(market: MarketData, reference: Reference, day: date) -> pl.DataFrame:
    """Every company with a listing on ``day`` and what was known of it.

    Args:
        market: a market cut to what was known on ``day``.
        reference: the reference tables cut to the same day.
        day: the data cut-off.

    Returns:
        company_id, symbol, name, country, mic, currency, stage (primary), stages (list), rare_earth_exposure, close
        (listing currency), price_date, close_usd, market_cap_usd, free_float_factor, float_basis (reported or
        assumed), free_float_market_cap_usd, traded_values_usd (list of close x volume at the cut-off's exchange rate,
        the last 126 sessions, oldest first), china_revenue_share, floor_part, offtake_part, capital_part,
        policy_score, lead_sponsor, commitments (list of instrument, status, bind). Unknown is null, never zero;
        the score of a company without a commitment is zero.

    Raises:
        DataError: an exchange rate is missing.
    """
    lines = lines_on(market, reference, day)
    known = exposures_on(reference, day)
    companies = reference.companies.select(
        "name",
        "rare_earth_exposure",
        company_id="id",
        country="country_of_domicile",
        dated_china_share=dated_china(day),
    )
    table = (
        lines.join(companies, on="company_id", maintain_order="left")
        .join(stages_on(reference, day), on="company_id", how="left", maintain_order="left")
        .join(known, on="company_id", how="left", maintain_order="left")
        .join(share_counts(market, day), on="symbol", how="left", maintain_order="left")
        .join(floats(market, day), on="symbol", how="left", maintain_order="left")
        .join(traded(market, lines, day), on="symbol", how="left", maintain_order="left")
    )
    table = carried_over_splits(table, "counted_on", "company_shares", market, day)
    priced = table.filter(pl.col("close").is_not_null()).select("company_id", "currency", _day=pl.lit(day))
    rates = with_rate(priced, market.fx, day="_day", currency="currency").select("company_id", "rate")
    valued = table.join(rates, on="company_id", how="left", maintain_order="left")
    return with_backing(valued.with_columns(sizes()).with_columns(free_float_cap()), market, reference, day).select(
        COLUMNS
    )
