"""How firm a commitment is, who stands behind it, and how long it still runs."""

from datetime import date

import polars as pl

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
DAYS_PER_YEAR = 365.25


def bind() -> pl.Expr:
    """The binding strength of each status, from 0 (gone) to 1 (money has moved)."""
    return pl.col("status").replace_strict(BIND, return_dtype=pl.Float64)


def credit() -> pl.Expr:
    """The weight of each credit class, from 0 to 1."""
    return pl.col("credit_class").replace_strict(CREDIT, return_dtype=pl.Float64)


def end_of_protection() -> pl.Expr:
    """The first day without protection: valid_to, else valid_from plus the tenor, else null (not published)."""
    by_tenor = pl.col("valid_from") + pl.duration(days=(pl.col("tenor_years") * DAYS_PER_YEAR).cast(pl.Int64))
    return pl.coalesce("valid_to", by_tenor)


def years_left(day: date) -> pl.Expr:
    """Years from ``day`` to the end of protection; null where no end was published."""
    return (end_of_protection() - day).dt.total_days() / DAYS_PER_YEAR


def years_to_start(day: date) -> pl.Expr:
    """Years from ``day`` until protection begins; negative once it has begun."""
    return (pl.col("valid_from") - day).dt.total_days() / DAYS_PER_YEAR
