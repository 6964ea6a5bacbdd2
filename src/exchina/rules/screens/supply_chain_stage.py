"""Stage of the supply chain, from ore to sintered magnet."""

from typing import Literal

import polars as pl

from exchina.rules.registers import screen
from exchina.rules.verdict import verdict, words
from exchina.tables.reference_words import Stage


@screen("supply_chain_stage")
def supply_chain_stage(
    universe: pl.DataFrame, *, any_of: list[Stage], roles: Literal["primary", "any"] = "primary"
) -> pl.DataFrame:
    """Keep companies at one of the named stages on the data cut-off.

    Args:
        universe: reads stage (the primary one) and stages (all of them).
        any_of: the stages that count.
        roles: whether only the primary stage counts, or any.

    Example:
        >>> table = pl.DataFrame({"stage": ["producer", None], "stages": [["producer"], None]})
        >>> supply_chain_stage(table, any_of=["producer"])["passed"].to_list()
        [True, False]
    """
    held = pl.concat_list("stage") if roles == "primary" else pl.col("stages")
    known = held.list.drop_nulls()
    passed = known.list.eval(pl.element().is_in(any_of)).list.any()
    return verdict(universe, passed, found=words(known), needed="any of " + ", ".join(any_of))
