"""The same thing twice."""

import polars as pl

from exchina.market.gates.case import DAY, FIELD, Case, gate, held
from exchina.tables.market import CONTRACTS

REPEAT_DAYS = 10  # nobody pays the same amount twice within ten days; monthly payers pay every 28


@gate("duplicate")
def duplicate(case: Case) -> pl.DataFrame:
    """Rows of one key with different values on one known date, and a dividend of the same amount a few days before.

    Of rows that contradict each other all are held; of rows that are alike, all but one. Of two equal dividends the
    stored one stays, else the later one: a vendor keeps a first, wrong ex-date beside the right one.

    Evidence: SAND paid 0.015 on 2024-01-16; the vendor has it on 2024-01-12 as well, the Friday before a holiday.

    Args:
        case: what asks to enter.
    """
    rows = [_repeats(case, table) for table in DAY]
    return pl.concat([*rows, _twice_paid(case)])


def _repeats(case: Case, table: str) -> pl.DataFrame:
    given, key = case.rows(table), CONTRACTS[table].unique or []
    whole = [column for column in given.columns if column != "row"]
    alike = given.filter(~pl.struct(whole).is_first_distinct())
    apart = given.unique(whole, keep="first", maintain_order=True).filter(pl.struct(key).is_duplicated())
    found = pl.format("{} {}", pl.lit(FIELD[table]), pl.col(FIELD[table]))
    return pl.concat(
        [
            held(table, alike, found, "one row, not two alike"),
            held(table, apart, found, "one value for one day"),
        ]
    )


def _twice_paid(case: Case) -> pl.DataFrame:
    paid = case.known("dividends").filter(pl.col("status") != "retracted")
    pairs = paid.join(paid, on=["symbol", "amount", "currency", "type"], suffix="_again").filter(
        (pl.col("ex_date_again") - pl.col("ex_date")).dt.total_days().is_between(1, REPEAT_DAYS)
    )
    first_is_stored = pl.col("row").is_null()
    extra = pairs.with_columns(
        row=pl.when(first_is_stored).then("row_again").otherwise("row"),
        ex_date=pl.when(first_is_stored).then("ex_date_again").otherwise("ex_date"),
        other=pl.when(first_is_stored).then("ex_date").otherwise("ex_date_again"),
    )
    found = pl.format("{} {}, as on {}", "amount", "currency", "other")
    return held("dividends", extra.unique("row", keep="first", maintain_order=True), found, "one of the two")
