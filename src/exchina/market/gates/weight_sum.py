"""Parts that are more than their whole."""

import polars as pl

from exchina.market.gates.case import Case, gate, held

ROOM = 0.0005  # published weights are rounded at 0.01 %; 50 lines may add up to 0.05 % at worst in practice


@gate("weight_sum")
def weight_sum(case: Case) -> pl.DataFrame:
    """Free-float factors over 1: a float larger than the shares is a count of another class or another day.

    Evidence: the weights of a scraped fund list add up to 101.44 % (`days_over_whole`); floats are the parts of a whole
    that a market holds.

    Args:
        case: what asks to enter.
    """
    over = case.rows("floats").filter(pl.col("free_float_factor") > 1)
    return held("floats", over, pl.format("a factor of {}", "free_float_factor"), "at most 1, the whole")


def days_over_whole(weights: pl.DataFrame) -> pl.DataFrame:
    """Days on which the weights of a composition add up to more than 1.

    Evidence: REMX of 2021 in a scraped file adds up to 101.44 % on three of four days, because the line that was
    dropped and the one that was added both stand in it.

    Args:
        weights: day, weight as a fraction of 1, one row a line and day.

    Returns:
        day, weight (the sum), sorted.

    Example:
        >>> days_over_whole(pl.DataFrame({"day": [1, 1, 2], "weight": [0.6, 0.5, 1.0]})).rows()
        [(1, 1.1)]
    """
    sums = weights.group_by("day").agg(pl.col("weight").sum()).sort("day")
    return sums.filter(pl.col("weight") > 1 + ROOM)
