"""Everything known of each company with a listing on a day, one row a company."""

from datetime import date

import polars as pl

from exchina import policy
from exchina.currency import with_rate
from exchina.model import MarketData, Reference
from exchina.universe.backing import with_backing
from exchina.universe.china import china_domicile, china_on
from exchina.universe.facts import exposures_on, stages_on
from exchina.universe.lines import lines_on
from exchina.universe.seasoning import seasoned_on, time_since
from exchina.universe.sizes import carried_over_splits, floats, free_float_cap, share_counts, sizes
from exchina.universe.trading import first_prices, traded

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
    "revenue_share_rare_earth",
    "close",
    "price_date",
    "close_usd",
    "market_cap_usd",
    "free_float_factor",
    "float_basis",
    "free_float_market_cap_usd",
    "foreign_room",
    "government_stake",
    "traded_values_usd",
    "daily_returns",
    "price_sessions",
    "seasoned_on",
    "seasoned_months",
    "seasoned_sessions",
    "china_domicile",
    "china_ownership_share",
    "china_ownership_holder",
    "china_operations",
    "china_revenue_share",
    "china_domicile_evidence",
    "china_ownership_evidence",
    "china_operations_evidence",
    "china_revenue_evidence",
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
        Of the company: company_id, symbol, name, country (of incorporation), mic (venue of the line), currency, stage
        (primary), stages (list), rare_earth_exposure (pure, quasi, marginal), revenue_share_rare_earth.
        Its size: close (listing currency), price_date, close_usd, market_cap_usd, free_float_factor, float_basis
        (reported or assumed), free_float_market_cap_usd, foreign_room, government_stake (fractions).
        Its trading: traded_values_usd and daily_returns (lists of the last 252 sessions, oldest first:
        `exchina.universe.trading.traded`), price_sessions (sessions with a close since the first price of the line),
        seasoned_on, seasoned_months and seasoned_sessions since (`exchina.universe.seasoning`).
        Its links to China (`exchina.universe.china.china_on`): china_domicile (true or false), china_ownership_share,
        china_ownership_holder, china_operations (none, minor, material), china_revenue_share, and the evidence of each.
        Its backing (`exchina.universe.backing.with_backing`): floor_part, offtake_part, capital_part, policy_score,
        lead_sponsor, commitments (list of structs). Unknown is null, never zero; the score of a company without a
        commitment is zero.

    Raises:
        DataError: an exchange rate is missing.
    """
    lines = lines_on(market, reference, day)
    firsts = first_prices(market)
    table = _facts(market, reference, lines, day)
    valued = table.with_columns(*sizes(), china_domicile()).with_columns(free_float_cap())
    seasoned = lines.select("company_id", "symbol", "calendar").join(
        seasoned_on(reference, firsts, day), on="company_id", how="left", maintain_order="left"
    )
    return (
        with_backing(valued, market, reference, day)
        .join(seasoned.select("company_id", "seasoned_on"), on="company_id", how="left", maintain_order="left")
        .join(time_since(seasoned, market, day), on="company_id", how="left", maintain_order="left")
        .join(firsts.select("symbol", "price_sessions"), on="symbol", how="left", maintain_order="left")
        .join(traded(market, lines, firsts, day), on="symbol", how="left", maintain_order="left")
        .select(COLUMNS)
    )


def _facts(market: MarketData, reference: Reference, lines: pl.DataFrame, day: date) -> pl.DataFrame:
    """Each line with the facts of its company, share counts, floats and the rate of its currency on the day."""
    companies = reference.companies.select(
        "name", "rare_earth_exposure", company_id="id", country="country_of_domicile"
    )
    table = (
        lines.join(companies, on="company_id", maintain_order="left")
        .join(stages_on(reference, day), on="company_id", how="left", maintain_order="left")
        .join(exposures_on(reference, day), on="company_id", how="left", maintain_order="left")
        .join(china_on(reference, day), on="company_id", how="left", maintain_order="left")
        .join(share_counts(market, day), on="symbol", how="left", maintain_order="left")
        .join(floats(market, day), on="symbol", how="left", maintain_order="left")
    )
    table = carried_over_splits(table, "counted_on", "company_shares", market, day)
    priced = table.filter(pl.col("close").is_not_null()).select("company_id", "currency", _day=pl.lit(day))
    rates = with_rate(priced, market.fx, day="_day", currency="currency").select("company_id", "rate")
    return table.join(rates, on="company_id", how="left", maintain_order="left")
