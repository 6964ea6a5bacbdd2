"""Pence for pounds, cents for dollars: numbers a hundred times too large or too small."""

import polars as pl

from exchina.market.gates.case import Case, gate, held, moves
from exchina.market.gates.shifts import HUNDRED, UNIT_TOLERANCE, shifts_of
from exchina.tables.market import SCHEMAS


@gate("wrong_unit")
def wrong_unit(case: Case) -> pl.DataFrame:
    """Closes, rates and benchmark levels that are 100 times, or a hundredth of, what their neighbours or the stored
    row of the same day say.

    Evidence: AET.L of May 2022 jumps between 0.1455 and 14.55 pence within a month, without a trade. Which side is
    right: that of the last stored row; else the one with twice the traded sessions; else the latest.

    Args:
        case: what asks to enter.
    """
    no_splits = case.known("splits").clear()
    rates = _as_lines(case.known("fx").rename({"currency": "symbol", "usd_per_unit": "close"}))
    levels = _as_lines(case.known("benchmarks").rename({"level": "close"}))
    tables = {
        "prices": _hundreds(case.shifts.lines, "close"),
        "fx": _hundreds(shifts_of(rates, no_splits).lines, "usd_per_unit").rename({"symbol": "currency"}),
        "benchmarks": _hundreds(shifts_of(levels, no_splits).lines, "level"),
    }
    needed = "the unit of the rows around it, or of the stored one"
    return pl.concat([held(name, rows, pl.col("found"), needed) for name, rows in tables.items()])


def _as_lines(rows: pl.DataFrame) -> pl.DataFrame:
    whole = rows.with_columns(volume=pl.lit(None, pl.Float64), was=pl.lit(None, pl.Float64))
    none = {name: pl.DataFrame(schema=SCHEMAS[name]) for name in ("splits", "dividends")}
    return moves(whole.sort("symbol", "session"), none["splits"], none["dividends"])


def _hundreds(lines: pl.DataFrame, field: str) -> pl.DataFrame:
    beside = (pl.col("level").abs() - HUNDRED).abs() < UNIT_TOLERANCE
    changed = ((pl.col("close") / pl.col("was")).log().abs() - HUNDRED).abs() < UNIT_TOLERANCE
    off = lines.filter(beside | changed.fill_null(value=False))
    factor = (
        pl.when(changed.fill_null(value=False)).then(pl.col("close") / pl.col("was")).otherwise(pl.col("level").exp())
    )
    return off.with_columns(
        found=pl.format(f"a {field} of {{}}, {{}} times too large", pl.col("close").round(6), factor.round(4))
    )
