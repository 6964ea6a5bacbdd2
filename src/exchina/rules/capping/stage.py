"""What one stage of the supply chain may weigh at most and must weigh at least."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.registers import cap
from exchina.tables.reference_words import Stage

Share = Annotated[float, Field(gt=0, le=1)]


def in_order(*, at_most: float | dict[str, float], at_least: dict[str, float] | None) -> str | None:
    """The fault of bands that are empty or ask for more than the whole index, in words."""
    floors = at_least or {}
    most = at_most if isinstance(at_most, dict) else dict.fromkeys(floors, at_most)
    wrong = [name for name, share in floors.items() if share > most.get(name, 1.0)]
    if wrong:
        return f"at_least lies above at_most for {', '.join(wrong)}"
    return "at_least adds up to more than the whole index" if sum(floors.values()) > 1 + 1e-12 else None


@cap("stage", "groups", "bands", check=in_order)
def stage(
    universe: pl.DataFrame, *, at_most: dict[Stage, Share], at_least: dict[Stage, Share] | None = None
) -> pl.DataFrame:
    """at_least <= sum of w over a stage <= at_most; a stage that is not named has no bound.

    Companies whose stage is not known count as a stage ``unknown`` of their own, without a bound.

    Args:
        universe: selected companies; reads stage.
        at_most: largest weight of each named stage, as a fraction of the index.
        at_least: smallest weight of each named stage; a stage without a member cannot meet it, which is said.

    Example:
        >>> stage(pl.DataFrame({"stage": ["developer", "producer"]}), at_most={"developer": 0.4}).rows()
        [('developer', 0.4, 0.0), ('producer', 1.0, 0.0)]
    """
    group = pl.col("stage").fill_null("unknown")
    return universe.select(
        group=group,
        at_most=group.replace_strict(at_most, default=1.0, return_dtype=pl.Float64),
        at_least=group.replace_strict(at_least or {}, default=0.0, return_dtype=pl.Float64),
    )
