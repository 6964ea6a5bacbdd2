"""The backing score and its parts.

    score = 0.5 F + 0.2 O + 0.3 C,   each part between 0 and 1
    F  floor     sum of  share of revenue under the floor x bind x credit x T x S
    O  offtake   sum of  share of planned tonnes with a duty to buy x stage weight x bind x credit x T x S
    C  capital   sum of  amount x quality x bind x credit x scope weight  /  max(programme capex, 10 % of market value)

``bind`` is how firm the commitment is, ``credit`` who stands behind it, T = min(1, years left / 10),
S = max(0, 1 - years to start / 5). The weights are a house choice, not fitted to returns; each set has a version
(`SCORE_VERSIONS`). Money of one package is added once (`exchina.policy.packages`). An unknown length or revenue
share, and an unknown volume of an offtake, counts as zero cover: the score is not raised by what nobody disclosed. A
floor for which neither a volume nor an amount is stated covers all that is made, as the one of MP does.
"""

from datetime import date, timedelta
from typing import Literal, TypeAlias

import polars as pl

from exchina.policy.packages import once
from exchina.policy.registry import in_force
from exchina.policy.strength import DAYS_PER_YEAR, bind, credit, years_left, years_to_start

ScoreVersion: TypeAlias = Literal["1", "1-even"]
SCORE_VERSION: ScoreVersion = "1"
SCORE_VERSIONS: dict[ScoreVersion, dict[str, float]] = {
    "1": {"floor_part": 0.5, "offtake_part": 0.2, "capital_part": 0.3},
    "1-even": {"floor_part": 0.4, "offtake_part": 0.3, "capital_part": 0.3},
}
SCORE_WEIGHTS = SCORE_VERSIONS[SCORE_VERSION]
SCORE_COLUMNS = [*SCORE_WEIGHTS, "policy_score", "lead_sponsor"]
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
MAGNETS = pl.col("product").str.contains("(?i)magnet")
NDPR_OXIDE = pl.col("product").str.contains("(?i)ndpr") & ~pl.col("product").str.contains("(?i)mixed")


def score_of(version: ScoreVersion = SCORE_VERSION) -> pl.Expr:
    """The score from its parts: sum of weight x part, with the weights of a version.

    Args:
        version: a key of `SCORE_VERSIONS`.
    """
    return pl.sum_horizontal(pl.col(part) * weight for part, weight in SCORE_VERSIONS[version].items())


def backing(
    measures: pl.DataFrame,
    sponsors: pl.DataFrame,
    companies: pl.DataFrame,
    day: date,
    *,
    version: ScoreVersion = SCORE_VERSION,
    recorded_by: date | None = None,
) -> pl.DataFrame:
    """The backing score of every company that holds a commitment, as of ``day``.

    Args:
        measures: policy measures, as in `exchina.tables.reference`, with amount_usd (US dollars at that day's rate).
        sponsors: sponsor, sponsor_group, credit_class.
        companies: company_id, stage and what is known of each company: market_cap_usd, programme_capex_usd,
            ndpr_tonnes_per_year, planned_ndpr_tonnes_per_year, planned_magnet_tonnes_per_year, revenue_share_ndpr
            (null where unknown).
        day: the data cut-off.
        version: which weights.
        recorded_by: read only measures written down by then; None reads all.

    Returns:
        company_id, floor_part, offtake_part, capital_part, policy_score (0 to 1), lead_sponsor (the sponsor group
        that adds most to the score), one row a company.
    """
    firm = (
        in_force(measures, day, recorded_by=recorded_by)
        .join(sponsors.select("sponsor", "sponsor_group", "credit_class"), on="sponsor", maintain_order="left")
        .join(companies, on="company_id", maintain_order="left")
        .with_columns(_strength(day))
    )
    parts = firm.with_columns(floor_part=_floor(), offtake_part=_offtake(), capital_part=_capital(day))
    parts = parts.with_columns(once(pl.col("capital_part")))
    capped = [pl.col(part).sum().clip(0, 1) for part in SCORE_WEIGHTS]
    score = parts.group_by("company_id").agg(capped).with_columns(policy_score=score_of(version))
    leads = _lead_sponsor(parts, version)
    return score.join(leads, on="company_id").sort("company_id").select("company_id", *SCORE_COLUMNS)


def _strength(day: date) -> list[pl.Expr]:
    length = (years_left(day) / 10).clip(0, 1)
    return [
        (bind() * credit()).alias("_firmness"),
        (length * (1 - years_to_start(day) / 5).clip(0, 1)).fill_null(0.0).alias("_time"),
    ]


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


def _lead_sponsor(parts: pl.DataFrame, version: ScoreVersion) -> pl.DataFrame:
    return (
        parts.group_by("company_id", "sponsor_group", maintain_order=True)
        .agg(score_of(version).sum().alias("_share"))
        .sort("company_id", "_share", "sponsor_group", descending=[False, True, False])
        .unique("company_id", keep="first", maintain_order=True)
        .select("company_id", lead_sponsor=pl.when(pl.col("_share") > 0).then("sponsor_group"))
    )
