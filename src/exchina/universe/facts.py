"""Dated facts of companies: stages and exposures."""

from datetime import date

import polars as pl

from exchina.model import Reference

EXPOSURES = {
    "programme_capex": "programme_capex",
    "ndpr_tonnes_per_year": "ndpr_tonnes_per_year",
    "planned_ndpr_tonnes_per_year": "planned_ndpr_tonnes_per_year",
    "planned_magnet_tonnes_per_year": "planned_magnet_tonnes_per_year",
    "revenue_share_ndpr": "revenue_share_ndpr",
    "revenue_share_rare_earth": "revenue_share_rare_earth",
    "government_stake": "government_stake",
    "foreign_room": "foreign_room",
    "shares_outstanding": "company_shares",
    "free_float_factor": "company_float",
}


def stages_on(reference: Reference, day: date) -> pl.DataFrame:
    """The primary stage of each company on a day, and all of its stages."""
    held = reference.stages.filter(
        (pl.col("valid_from") <= day) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > day))
    )
    primary = pl.col("stage").filter(pl.col("role") == "primary").first()
    return held.group_by("company_id").agg(stage=primary, stages=pl.col("stage").unique().sort())


def exposures_on(reference: Reference, day: date) -> pl.DataFrame:
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
