"""PURE. Quote direction and the as-of join of exchange rates: a missing rate is an error, never a number."""

from datetime import date, timedelta

import polars as pl

from exchina.errors import DataError, Problem

STALE_AFTER_DAYS = 10


def with_rate(frame: pl.DataFrame, fx: pl.DataFrame, *, day: str, currency: str, into: str = "USD") -> pl.DataFrame:
    """Add ``rate``: units of ``into`` per one unit of the row's currency, by the last fixing at or before its day.

    X = usd_per_unit(row's currency) / usd_per_unit(into), both as of the row's day.

    Args:
        frame: rows to convert; keeps its order.
        fx: currency, session, usd_per_unit (USD per one unit), as in `exchina.tables.market`.
        day: name of the date column of ``frame``.
        currency: name of the currency column of ``frame``.
        into: the currency to convert into.

    Raises:
        DataError: a currency has no fixing at or within 10 calendar days before a day that needs one.
    """
    rows = frame.with_row_index("_row").with_columns(_into=pl.lit(into))
    for by, name in ((currency, "_usd"), ("_into", "_into_usd")):
        rows = _usd_as_of(rows, fx, day, by).rename({"usd_per_unit": name, "_fixed": f"{name}_fixed"})
    missing = rows.filter(pl.col("_usd").is_null() | pl.col("_into_usd").is_null())
    if missing.height:
        raise DataError(*_missing(missing, day, currency, into))
    rate = pl.when(pl.col(currency) == into).then(1.0).otherwise(pl.col("_usd") / pl.col("_into_usd"))
    return rows.with_columns(rate=rate).sort("_row").select(*frame.columns, "rate")


def _usd_as_of(rows: pl.DataFrame, fx: pl.DataFrame, day: str, by: str) -> pl.DataFrame:
    dollar = pl.DataFrame({"currency": ["USD"], "session": [date(1900, 1, 1)], "usd_per_unit": [1.0]})
    fixings = pl.concat([fx.select("currency", "session", "usd_per_unit"), dollar]).sort("session")
    joined = rows.sort(day).join_asof(
        fixings.rename({"session": "_fixed"}),
        left_on=day,
        right_on="_fixed",
        by_left=by,
        by_right="currency",
        check_sortedness=False,
    )
    stale = (pl.col(by) != "USD") & (pl.col(day) - pl.col("_fixed") > timedelta(days=STALE_AFTER_DAYS))
    return joined.with_columns(usd_per_unit=pl.when(~stale).then(pl.col("usd_per_unit")))


def _missing(rows: pl.DataFrame, day: str, currency: str, into: str) -> list[Problem]:
    lacking = pl.when(pl.col("_usd").is_null()).then(pl.col(currency)).otherwise(pl.lit(into))
    first = rows.group_by(lacking.alias("lacks")).agg(pl.col(day).min(), pl.len()).sort("lacks")
    return [
        Problem(
            f"fx {code}",
            f"no rate for {code} on {since}; rows that need one: {count}",
            f"bring {code} rates from {since} on into the market: exchina fetch files",
        )
        for code, since, count in first.iter_rows()
    ]
