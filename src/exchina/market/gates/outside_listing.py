"""Prices that a symbol had before or after it stood for this company."""

import polars as pl

from exchina.market.gates.case import Case, gate, held


@gate("outside_listing")
def outside_listing(case: Case) -> pl.DataFrame:
    """Closes, dividends and splits before the first or after the last trade date of their listing.

    Evidence: before 2025-03-14 the history under USAR is that of a blank-cheque company (near 10 dollars, beta about 0;
    +72 % on the first day of the new business); MP before 2020-11-18 and TMC before 2021-09-10 likewise. Vendors splice
    a shell's history, or that of whoever used the symbol before, without a mark.

    Args:
        case: what asks to enter.
    """
    rows: list[pl.DataFrame] = []
    for table, day in (("prices", "session"), ("dividends", "ex_date"), ("splits", "ex_date")):
        placed = case.rows(table).join(case.places, on="symbol", how="left", suffix="_listed")
        early, late = pl.col(day) < pl.col("first"), pl.col(day) > pl.col("last")
        unknown = pl.col("mic").is_null()
        out = placed.filter(early | late | unknown)
        needed = (
            pl.when(pl.col("mic").is_null())
            .then(pl.lit("a listing of the reference"))
            .when(early)
            .then(pl.format("a day from {} on", "first"))
            .otherwise(pl.format("a day up to {}", "last"))
        )
        found = pl.when(unknown).then(pl.lit("no listing has this symbol")).otherwise(pl.format("{}", day))
        rows.append(held(table, out, found, needed))
    return pl.concat(rows)
