"""A split in the prices and not in the table, or in the table and not in the prices."""

import polars as pl

from exchina.market.gates.case import Case, gate, held
from exchina.market.gates.shifts import HUNDRED, LEAST_RATIO, UNIT_TOLERANCE, factor_from
from exchina.market.gates.spin_off_as_split import usual_ratio


@gate("split_one_side")
def split_one_side(case: Case) -> pl.DataFrame:
    """Closes on another level than their line's by the ratio of a split, and splits after which no close moves.

    After the recorded splits are undone, a close that jumps by the ratio of a split near by, or by a usual ratio of
    4 or more without the volume of news, tells of a split that reached one side only. The level of the stored closes
    is right; else the one with twice the traded sessions; else the latest. A split that no close follows is held.

    Evidence: 4063.T (5 for 1 on 2023-03-30, closes before 2023-03-29 not adjusted), ALPHA.PA (1 for 10,000, one day
    of May 2023 adjusted twice), DEX.AX (0.4406, closes before 2023-05-22 not adjusted). Real moves reach +211 %
    (TMQ, 2025-10-07) and MP's +50.6 % is within half a per cent of 3 for 2: so 2 and 3 need a split on record.

    Args:
        case: what asks to enter.
    """
    lines = case.shifts.lines
    unit = (pl.col("level").abs() - HUNDRED).abs() < UNIT_TOLERANCE
    off = lines.filter((pl.col("level") != 0) & ~unit)
    beside = held(
        "prices",
        off,
        pl.format("{}, {} times the line's level", pl.col("close").round(6), pl.col("level").exp().round(4)),
        NEED,
    )
    return pl.concat(
        [
            beside,
            held("prices", _revised(lines), pl.format("{} where {} is stored", pl.col("close").round(6), "was"), NEED),
            _lone(case),
        ]
    )


NEED = "a split of that ratio on that day, or a close on the line's level"


def _revised(lines: pl.DataFrame) -> pl.DataFrame:
    """Delivered closes that differ from the stored one of the same day by a split ratio."""
    apart = (pl.col("close") / pl.col("was")).log().abs()
    off = lines.filter(apart.is_between(LEAST_RATIO, HUNDRED - UNIT_TOLERANCE))
    ratios = [factor_from(was, now) is not None for was, now in off.select("was", "close").iter_rows()]
    return off.filter(pl.Series(ratios, dtype=pl.Boolean))


def _lone(case: Case) -> pl.DataFrame:
    splits = case.rows("splits").filter(usual_ratio())
    lone = splits.join(case.shifts.lone_splits.select("symbol", "ex_date", "raw"), on=["symbol", "ex_date"])
    move = ((pl.col("raw").exp() - 1) * 100).round(2)
    found = pl.format("a ratio of {}, and a close that moves {} %", pl.col("ratio"), move)
    needed = pl.format("a close of about 1/{} of the one before", "ratio")
    return held("splits", lone, found, needed)
