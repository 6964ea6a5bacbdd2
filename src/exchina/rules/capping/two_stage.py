"""A cap that waits: limits with a buffer, applied only where a wider trigger has been crossed."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.capping.issuer import by_issuer
from exchina.rules.registers import cap

Share = Annotated[float, Field(gt=0, le=1)]


def _inside(
    *, threshold: float, above_at_most: float, at_most: float, trigger_one: float, trigger_above: float, **_: object
) -> str | None:
    if trigger_one >= 1 and trigger_above >= 1:
        return "nothing can cross a trigger of 1: state trigger_one or trigger_above"
    if trigger_above < above_at_most or trigger_one < at_most < 1:
        return "the trigger lies inside the limit it resets to"
    return None if threshold <= above_at_most else f"threshold {threshold:g} lies above above_at_most {above_at_most:g}"


@cap("two_stage", check=_inside)
def two_stage(
    universe: pl.DataFrame,
    *,
    threshold: Share,
    above_at_most: Share,
    at_most: Share = 1.0,
    trigger_one: Share = 1.0,
    trigger_threshold: Share | None = None,
    trigger_above: Share = 1.0,
) -> pl.DataFrame:
    """Where the trigger is crossed: w_i <= at_most, and the sum of the weights above threshold <= above_at_most.

    The trigger looks at the weights that the index would have without this cap: it is crossed where one company weighs
    more than trigger_one, or those above trigger_threshold together more than trigger_above. The reset is the optimum
    under its limits, so that no company is lifted over the threshold by what others gave up without being counted.
    Nasdaq-100: threshold 0.045, above_at_most 0.40, trigger_above 0.48. Copenhagen: at_most 0.09, threshold 0.045,
    above_at_most 0.36, trigger_one 0.10, trigger_threshold 0.05, trigger_above 0.40.

    Args:
        universe: selected companies; reads company_id, and issuer where the table has that column.
        threshold: above which (strictly) a company is large after the reset.
        above_at_most: the most that the large companies may then weigh together.
        at_most: largest weight of one company after the reset.
        trigger_one: a company above this triggers the reset.
        trigger_threshold: above which a company counts for trigger_above; threshold where not given.
        trigger_above: companies above trigger_threshold that weigh together more than this trigger the reset.

    Example:
        >>> table = pl.DataFrame({"company_id": ["a"]})
        >>> two_stage(table, threshold=0.045, above_at_most=0.4, trigger_above=0.48).row(0)
        ('a', 1.0, 0.045, 0.4, 1.0, 0.045, 0.48)
    """
    return universe.select(
        group=by_issuer(universe),
        at_most=pl.lit(at_most),
        threshold=pl.lit(threshold),
        above_at_most=pl.lit(above_at_most),
        trigger_one=pl.lit(trigger_one),
        trigger_threshold=pl.lit(threshold if trigger_threshold is None else trigger_threshold),
        trigger_above=pl.lit(trigger_above),
    )
