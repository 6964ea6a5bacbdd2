"""PURE. The policy registry as of a day, and the backing score with its parts.

    score = 0.5 F + 0.2 O + 0.3 C,   each part between 0 and 1
    F  floor     sum of  share of revenue under the floor x bind x credit x T x S
    O  offtake   sum of  share of planned tonnes with a duty to buy x stage weight x bind x credit x T x S
    C  capital   sum of  amount x quality x bind x credit x scope weight  /  max(programme capex, 10 % of market value)

``bind`` is how firm the commitment is, ``credit`` who stands behind it, T = min(1, years left / 10),
S = max(0, 1 - years to start / 5). The weights are a house choice (version 1), not fitted to returns. An unknown
volume, length or revenue share counts as zero cover: the score is never raised by what nobody disclosed.
"""

from datetime import date, timedelta

import polars as pl

SCORE_VERSION = "1"
SCORE_WEIGHTS = {"floor_part": 0.5, "offtake_part": 0.2, "capital_part": 0.3}

BIND = {
    "proposed": 0.05,
    "letter_of_interest": 0.10,
    "conditional": 0.40,
    "signed": 0.80,
    "closed": 0.90,
    "drawn": 1.0,
    "terminated": 0.0,
    "expired": 0.0,
}
CREDIT = {"national_government": 1.0, "state_government": 0.85, "investment_grade": 0.8, "other_private": 0.4}
CAPITAL_QUALITY = {
    "grant": 1.0,
    "tax_credit": 0.9,
    "equity": 0.6,
    "loan": 0.5,
    "letter_of_interest": 0.5,
    "loan_guarantee": 0.4,
}
LAPSING = ["grant", "tax_credit", "equity"]
LAPSE_YEARS = 5
DAYS_PER_YEAR = 365.25
SCORE_COLUMNS = ["floor_part", "offtake_part", "capital_part", "policy_score", "lead_sponsor"]


def in_force(measures: pl.DataFrame, day: date) -> pl.DataFrame:
    """The last known status of each commitment that still stands on ``day``.

    A commitment leaves when its last status is expired or terminated, or when its protection has ended.

    Args:
        measures: policy measures; rows known after ``day`` are not read.
        day: the data cut-off.
    """
    last = (
        measures.filter(pl.col("known_date") <= day)
        .sort("id", "known_date", maintain_order=True)
        .unique("id", keep="last", maintain_order=True)
    )
    alive = pl.col("status").replace_strict(BIND, return_dtype=pl.Float64) > 0
    return last.with_columns(_end=_end_of_protection()).filter(
        alive & (pl.col("_end").is_null() | (pl.col("_end") > day))
    )


def _end_of_protection() -> pl.Expr:
    by_tenor = pl.col("valid_from") + pl.duration(days=(pl.col("tenor_years") * DAYS_PER_YEAR).cast(pl.Int64))
    return pl.coalesce("valid_to", by_tenor)


def backing(measures: pl.DataFrame, sponsors: pl.DataFrame, companies: pl.DataFrame, day: date) -> pl.DataFrame:
    """The backing score of every company that holds a commitment, as of ``day``.

    Args:
        measures: policy measures, as in `exchina.tables.reference`, with amount_usd (US dollars at that day's rate).
        sponsors: sponsor, sponsor_group, credit_class.
        companies: company_id, stage and what is known of each company: market_cap_usd, programme_capex_usd,
            ndpr_tonnes_per_year, planned_ndpr_tonnes_per_year, planned_magnet_tonnes_per_year, revenue_share_ndpr
            (null where unknown).
        day: the data cut-off.

    Returns:
        company_id, floor_part, offtake_part, capital_part, policy_score (0 to 1), lead_sponsor (the sponsor group
        that adds most to the score), one row a company.
    """
    firm = (
        in_force(measures, day)
        .join(sponsors.select("sponsor", "sponsor_group", "credit_class"), on="sponsor", maintain_order="left")
        .join(companies, on="company_id", maintain_order="left")
        .with_columns(_strength(day))
    )
    parts = firm.with_columns(floor_part=_floor(), offtake_part=_offtake(), capital_part=_capital(day))
    capped = [pl.col(part).sum().clip(0, 1) for part in SCORE_WEIGHTS]
    score = parts.group_by("company_id").agg(capped).with_columns(policy_score=_weighted())
    return score.join(_lead_sponsor(parts), on="company_id").sort("company_id").select("company_id", *SCORE_COLUMNS)


def _weighted() -> pl.Expr:
    return pl.sum_horizontal(pl.col(part) * weight for part, weight in SCORE_WEIGHTS.items())


def _strength(day: date) -> list[pl.Expr]:
    bind = pl.col("status").replace_strict(BIND, return_dtype=pl.Float64)
    credit = pl.col("credit_class").replace_strict(CREDIT, return_dtype=pl.Float64)
    years_left = (pl.col("_end") - day).dt.total_days() / DAYS_PER_YEAR
    years_to_start = (pl.col("valid_from") - day).dt.total_days() / DAYS_PER_YEAR
    return [
        (bind * credit).alias("_firmness"),
        ((years_left / 10).clip(0, 1) * (1 - years_to_start / 5).clip(0, 1)).fill_null(0.0).alias("_time"),
    ]


MAGNETS = pl.col("product").str.contains("(?i)magnet")
NDPR_OXIDE = pl.col("product").str.contains("(?i)ndpr") & ~pl.col("product").str.contains("(?i)mixed")


def _planned_tonnes() -> pl.Expr:
    """What a volume is a share of: only magnets and NdPr are counted in the unit in which output is known; tonnes of
    concentrate, carbonate or total oxides are a share of nothing that the registry holds."""
    oxides = pl.coalesce("planned_ndpr_tonnes_per_year", "ndpr_tonnes_per_year")
    tonnes = pl.when(MAGNETS).then("planned_magnet_tonnes_per_year").when(NDPR_OXIDE).then(oxides)
    return pl.when(tonnes > 0).then(tonnes)


def _floor() -> pl.Expr:
    """Without a stated volume or amount a floor covers the whole product; limited by an amount alone, nothing."""
    unlimited = pl.col("volume_t_per_year").is_null() & pl.col("amount_value").is_null()
    made = pl.when(pl.col("ndpr_tonnes_per_year") > 0).then("ndpr_tonnes_per_year")
    share = pl.col("volume_t_per_year") / made
    covered = pl.when(unlimited).then(1.0).otherwise(share.clip(0, 1)).fill_null(0.0)
    floored = covered * pl.col("revenue_share_ndpr").fill_null(0.0) * pl.col("_firmness") * pl.col("_time")
    return pl.when(pl.col("instrument") == "price_floor").then(floored).otherwise(0.0)


def _offtake() -> pl.Expr:
    share = (pl.col("volume_t_per_year") / _planned_tonnes()).clip(0, 1).fill_null(0.0)
    side_line = MAGNETS & (pl.col("stage") != "magnet_maker")
    of_revenue = pl.col("revenue_share_ndpr").fill_null(0.0)
    stage_weight = pl.when(side_line).then(0.5).when(MAGNETS).then(1.0).otherwise(of_revenue)
    must_buy = (pl.col("take_obligation") == "true") & pl.col("instrument").is_in(["offtake", "price_floor"])
    return pl.when(must_buy).then(share * stage_weight * pl.col("_firmness") * pl.col("_time")).otherwise(0.0)


def _capital(day: date) -> pl.Expr:
    quality = pl.col("instrument").replace_strict(CAPITAL_QUALITY, default=0.0, return_dtype=pl.Float64)
    lapsed_before = day - timedelta(days=int(LAPSE_YEARS * DAYS_PER_YEAR))
    lapsed = pl.col("instrument").is_in(LAPSING) & (pl.col("known_date") < lapsed_before)
    need = pl.max_horizontal("programme_capex_usd", pl.col("market_cap_usd") * 0.1)
    need = pl.when(need > 0).then(need)
    money = pl.col("amount_usd") * quality * pl.col("_firmness") * pl.col("scope_weight")
    return pl.when(lapsed).then(0.0).otherwise(money / need).fill_null(0.0)


def _lead_sponsor(parts: pl.DataFrame) -> pl.DataFrame:
    return (
        parts.group_by("company_id", "sponsor_group")
        .agg(_weighted().sum().alias("_share"))
        .sort("company_id", "_share", "sponsor_group", descending=[False, True, False])
        .unique("company_id", keep="first", maintain_order=True)
        .select("company_id", lead_sponsor=pl.when(pl.col("_share") > 0).then("sponsor_group"))
    )
