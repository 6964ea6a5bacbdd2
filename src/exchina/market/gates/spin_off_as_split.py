"""A spin-off that a vendor wrote down as a split."""

from fractions import Fraction

import polars as pl

from exchina.market.gates.case import Case, gate, held

LARGEST_TERM = 20  # 3 for 2, 21 for 20 (a stock dividend of 5 %), 1 for 15: splits are made of small whole numbers
ROUNDING = 1e-4  # vendors print 1.3333
DAYS = 5  # vendors date a spin-off by record, pay or ex-date
LEAST_MISS = 0.10  # a day's move beside the split: at least so much, or three ordinary moves of the line
MOVES = 3.0


@gate("spin_off_as_split")
def spin_off_as_split(case: Case) -> pl.DataFrame:
    """Splits of no usual ratio that the close does not confirm, or beside a registered spin-off.

    A split of ratio s moves the close by 1/s. A spin-off's price adjustment written as a split points the wrong way:
    the close falls although the ratio is below one.

    Evidence: COP 2012-05-01, split 0.734375, close 71.63 to 56.51; the spin-off of Phillips 66; adjusted return -42 %.
    DEX.AX 0.4406 is no usual ratio either, but its closes follow it: it passes.

    Args:
        case: what asks to enter.
    """
    splits = case.rows("splits").filter(~usual_ratio())
    days = case.lines.select("symbol", "session", "move", "usual", "raw").sort("session")
    met = splits.with_columns(session=pl.col("ex_date")).sort("session")
    met = met.join_asof(days, on="session", by="symbol", strategy="forward", check_sortedness=False)
    miss = pl.max_horizontal(pl.lit(LEAST_MISS), MOVES * pl.col("usual"))
    unlike = met.filter(pl.col("move").abs() > miss)
    moved = ((pl.col("raw").exp() - 1) * 100).round(2)
    found = pl.format("a ratio of {}, and a close that moves {} %", "ratio", moved)
    registered = _beside_spin_off(case, splits)
    return pl.concat(
        [
            held("splits", unlike, found, pl.format("a close of 1/{} of the one before", "ratio")),
            held(
                "splits", registered, pl.format("a ratio of {} beside the spin-off {}", "ratio", "id"), "one of the two"
            ),
        ]
    ).unique("row", keep="first", maintain_order=True)


def usual_ratio() -> pl.Expr:
    """Whether ``ratio`` is one of small whole numbers, or n for 1 either way."""
    return pl.col("ratio").map_elements(_is_usual, return_dtype=pl.Boolean)


def _is_usual(ratio: float) -> bool:
    if not ratio > 0:
        return False
    large = max(ratio, 1 / ratio)
    if abs(large / round(large) - 1) < ROUNDING:
        return True
    near = Fraction(large).limit_denominator(LARGEST_TERM)
    return near.numerator <= LARGEST_TERM + 1 and abs(float(near) / large - 1) < ROUNDING


def _beside_spin_off(case: Case, splits: pl.DataFrame) -> pl.DataFrame:
    own = case.reference.corporate_actions.filter(pl.col("type") == "spinoff").select(
        "id", "ex_date", symbol="yahoo_symbol"
    )
    paired = splits.join(own.drop_nulls("ex_date"), on="symbol", suffix="_spin")
    return paired.filter((pl.col("ex_date") - pl.col("ex_date_spin")).dt.total_days().abs() <= DAYS)
