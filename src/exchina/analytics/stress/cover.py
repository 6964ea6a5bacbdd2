"""Which price floors and duties to buy count in a stress on a day, who pays them, and why the others do not count."""

from datetime import date

import polars as pl

from exchina.policy import floor_burden, in_force
from exchina.policy.score import NDPR_OXIDE
from exchina.policy.strength import years_left

FIRM = ("signed", "closed", "drawn")
TREASURY, MAGNETS = "treasury", "magnet_maker"


def measures_counted(measures: pl.DataFrame, sponsors: pl.DataFrame, day: date) -> pl.DataFrame:
    """Every floor and offtake in force on a day, and whether it counts.

    A floor counts from the day its protection begins, when it is signed, closed or drawn, its level is known in USD per
    kg, and its end is known. A duty to buy counts when it is firm, in tonnes of NdPr oxide, and has begun: it secures
    volume, not price, so that it matters only where a scenario lets buyers default. An offtake at the market price does
    nothing in a slump, and fixed prices are not in the registry.

    Args:
        measures: policy measures, as in `exchina.tables.reference`.
        sponsors: the sponsors that they name.
        day: the data cut-off; rows known later are not read.

    Returns:
        By company and id: id, company_id, instrument, sponsor, sponsor_country, status, floor (USD per kg),
        volume_kg (a year; null: no limit stated, or none known), unlimited (a floor on all that is made), years_left,
        bears (who pays the floor: ``treasury``, a company or ``magnet_maker``; null for an offtake), as_floor and
        as_offtake (whether it counts as such), note (why not; null if it counts).
    """
    standing = in_force(measures, day).filter(
        pl.col("instrument").is_in(["price_floor", "offtake"]) | (pl.col("floor_payer") != "none")
    )
    bears = floor_burden(standing, sponsors).select("id", "bears")
    country = sponsors.select("sponsor", sponsor_country="country")
    table = (
        standing.join(bears, on="id", how="left", maintain_order="left")
        .join(country, on="sponsor", how="left", maintain_order="left")
        .with_columns(
            floor=pl.col("price_floor_value").cast(pl.Float64),
            volume_kg=pl.col("volume_t_per_year").cast(pl.Float64) * 1000,
            years_left=years_left(day),
            unlimited=pl.col("volume_t_per_year").is_null() & pl.col("amount_value").is_null(),
        )
        .with_columns(note=_reason(day))
    )
    counts = pl.col("note").is_null()
    duty = (
        counts & (pl.col("take_obligation") == "true") & pl.col("volume_kg").is_not_null() & NDPR_OXIDE.fill_null(False)
    )
    return (
        table.with_columns(as_floor=counts & (pl.col("instrument") == "price_floor"), as_offtake=duty)
        .sort("company_id", "id")
        .select(
            *("id", "company_id", "instrument", "sponsor", "sponsor_country", "status", "floor", "volume_kg"),
            *("unlimited", "years_left", "bears", "as_floor", "as_offtake", "note"),
        )
    )


def _reason(day: date) -> pl.Expr:
    """Why a measure does not count, in words; the first that applies."""
    floor = pl.col("instrument") == "price_floor"
    tests = [
        (~pl.col("status").is_in(FIRM), pl.format("only {}", "status")),
        (pl.col("valid_from") > day, pl.format("begins on {}", "valid_from")),
        (floor & pl.col("price_floor_value").is_null(), pl.lit("floor level not seen")),
        (floor & (pl.col("price_floor_unit") != "USD/kg"), pl.format("floor in {}", "price_floor_unit")),
        (floor & pl.col("years_left").is_null(), pl.lit("no end published")),
        (floor & ~pl.col("unlimited") & pl.col("volume_kg").is_null(), pl.lit("limited by an unstated volume")),
        (~floor & (pl.col("floor_payer") != "none"), pl.lit("assured minimum whose level or margin was not seen")),
        (~floor & (pl.col("take_obligation") != "true"), pl.lit("no duty to buy, or its text not seen")),
        (~floor & ~NDPR_OXIDE.fill_null(value=False), pl.lit("not in tonnes of NdPr oxide")),
        (~floor & pl.col("volume_kg").is_null(), pl.lit("volume not seen")),
    ]
    return pl.coalesce(*(pl.when(test).then(words) for test, words in tests), pl.lit(None, pl.String))
