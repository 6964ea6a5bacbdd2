"""PURE. The universe on a day: one row a company, with everything that a rule may read.

Reads tables that were already cut to what was known on that day, so a rule cannot see the future.
"""

from datetime import date, timedelta

import polars as pl

from exchina import policy
from exchina.currency import with_rate
from exchina.model import MarketData, Reference
from exchina.tables.actions import share_ratios

PRICED_WITHIN_DAYS = 30
TRADED_SESSIONS = 126
EXPOSURES = {
    "programme_capex": "programme_capex",
    "ndpr_tonnes_per_year": "ndpr_tonnes_per_year",
    "planned_ndpr_tonnes_per_year": "planned_ndpr_tonnes_per_year",
    "planned_magnet_tonnes_per_year": "planned_magnet_tonnes_per_year",
    "revenue_share_ndpr": "revenue_share_ndpr",
    "revenue_share_china": "china_revenue_share",
    "shares_outstanding": "company_shares",
    "free_float_factor": "company_float",
}


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
    lines = _lines(market, reference, day)
    known = _exposures(reference, day)
    companies = reference.companies.select(
        "name",
        "rare_earth_exposure",
        company_id="id",
        country="country_of_domicile",
        dated_china_share=_dated_china(day),
    )
    table = (
        lines.join(companies, on="company_id", maintain_order="left")
        .join(_stages(reference, day), on="company_id", how="left", maintain_order="left")
        .join(known, on="company_id", how="left", maintain_order="left")
        .join(_share_counts(market, day), on="symbol", how="left", maintain_order="left")
        .join(_floats(market, day), on="symbol", how="left", maintain_order="left")
        .join(_traded(market, lines, day), on="symbol", how="left", maintain_order="left")
    )
    table = _carried_over_splits(table, "counted_on", "company_shares", market, day)
    priced = table.filter(pl.col("close").is_not_null()).select("company_id", "currency", _day=pl.lit(day))
    rates = with_rate(priced, market.fx, day="_day", currency="currency").select("company_id", "rate")
    valued = table.join(rates, on="company_id", how="left", maintain_order="left")
    return _with_backing(valued.with_columns(_sizes()).with_columns(_free_float_cap()), market, reference, day)


def _lines(market: MarketData, reference: Reference, day: date) -> pl.DataFrame:
    """The one listing that stands for each company: priced before unpriced, then primary, then file order."""
    recent = market.prices.filter(pl.col("session").is_between(day - timedelta(days=PRICED_WITHIN_DAYS), day))
    last = recent.group_by("symbol").agg(pl.col("close").sort_by("session").last(), price_date=pl.col("session").max())
    started = pl.col("first_trade_date").is_null() | (pl.col("first_trade_date") <= day)
    live = pl.col("last_trade_date").is_null() | (pl.col("last_trade_date") >= day)
    return (
        reference.listings.filter(started & live)
        .select("company_id", "mic", "currency", "primary", symbol="yahoo_symbol")
        .join(last, on="symbol", how="left", maintain_order="left")
        .sort(pl.col("close").is_null(), ~pl.col("primary"), maintain_order=True)
        .unique("company_id", keep="first", maintain_order=True)
        .sort("company_id")
        .drop("primary")
        .join(reference.venues.select("mic", "calendar"), on="mic", maintain_order="left")
    )


def _stages(reference: Reference, day: date) -> pl.DataFrame:
    held = reference.stages.filter(
        (pl.col("valid_from") <= day) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > day))
    )
    primary = pl.col("stage").filter(pl.col("role") == "primary").first()
    return held.group_by("company_id").agg(stage=primary, stages=pl.col("stage").unique().sort())


def _exposures(reference: Reference, day: date) -> pl.DataFrame:
    """The latest known value of each metric, one column a metric (keep known by ``day``, then the last ``as_of``)."""
    known = reference.exposures.filter((pl.col("known_date") <= day) & pl.col("metric").is_in(list(EXPOSURES)))
    last = known.sort("company_id", "metric", "as_of").unique(
        ["company_id", "metric"], keep="last", maintain_order=True
    )
    wide = last.pivot("metric", index="company_id", values="value", maintain_order=True)
    absent = [pl.lit(None, pl.Float64).alias(metric) for metric in EXPOSURES if metric not in wide.columns]
    currency = last.filter(pl.col("metric") == "programme_capex").select("company_id", capex_currency="unit")
    counted = last.filter(pl.col("metric") == "shares_outstanding").select("company_id", counted_on="as_of")
    named = wide.with_columns(absent).rename(EXPOSURES).select("company_id", *EXPOSURES.values())
    for extra in (currency, counted):
        named = named.join(extra, on="company_id", how="left", maintain_order="left")
    return named


def _dated_china(day: date) -> pl.Expr:
    """An estimate for a year counts from the middle of the next one, when annual reports are out."""
    told = pl.date(pl.col("china_revenue_share_year") + 1, 7, 1) <= day
    return pl.when(told).then(pl.col("china_revenue_share_estimate"))


def _share_counts(market: MarketData, day: date) -> pl.DataFrame:
    """The last share count known, carried over the splits since."""
    last = _latest(market.shares.filter(_in_force(day)), "symbol")
    return _carried_over_splits(last, "effective_date", "shares", market, day).select("symbol", "shares")


def _carried_over_splits(
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


def _floats(market: MarketData, day: date) -> pl.DataFrame:
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


def _traded(market: MarketData, lines: pl.DataFrame, day: date) -> pl.DataFrame:
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


def _sizes() -> list[pl.Expr]:
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
        (pl.col("traded_values") * pl.col("rate")).alias("traded_values_usd"),
        pl.coalesce("china_revenue_share", "dated_china_share").alias("china_revenue_share"),
    ]


def _free_float_cap() -> pl.Expr:
    return (pl.col("market_cap_usd") * pl.col("free_float_factor")).alias("free_float_market_cap_usd")


def _with_backing(table: pl.DataFrame, market: MarketData, reference: Reference, day: date) -> pl.DataFrame:
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
        .select(COLUMNS)
    )


def _in_usd(measures: pl.DataFrame, market: MarketData, day: date) -> pl.DataFrame:
    dated = measures.with_columns(_day=pl.lit(day), _currency=pl.col("amount_currency").fill_null("USD"))
    rated = with_rate(dated, market.fx, day="_day", currency="_currency")
    return rated.with_columns(amount_usd=pl.col("amount_value") * pl.col("rate")).drop("_day", "_currency", "rate")


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
