"""Go only part of the way to the new weights."""

from typing import Annotated

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from exchina.rules.registers import turnover

Weights = NDArray[np.float64]


@turnover("partial_step")
def partial_step(universe: pl.DataFrame, *, one_way_at_most: Annotated[float, Field(gt=0, le=1)]) -> pl.DataFrame:
    """w = w_old + t (w_new - w_old), with the largest t in [0, 1] that keeps one-way turnover within the limit.

    One-way turnover is 0.5 sum |w - w_held|, against the drifted weights. Companies that must leave go in full first:
    w_old is what was held of the others, made whole in proportion. Where that alone is more than the limit, t is 0.

    Args:
        universe: one row for each company held or wanted; reads company_id, held, wanted, must_leave.
        one_way_at_most: the limit, as a fraction of the index.

    Returns:
        weight (fraction of 1) and step, in the order of the rows.

    Example:
        >>> table = pl.DataFrame({"review": [1] * 3, "company_id": ["a", "b", "c"], "held": [0.6, 0.4, 0.0],
        ...     "wanted": [0.4, 0.0, 0.6], "must_leave": [False] * 3})
        >>> partial_step(table, one_way_at_most=0.15)["weight"].round(12).to_list()
        [0.55, 0.3, 0.15]
    """
    rows = universe.with_row_index("_row").sort("company_id")
    answers = [_stepped(part, one_way_at_most) for part in rows.partition_by("review", maintain_order=True)]
    return pl.concat(answers).sort("_row").drop("_row")


def _stepped(rows: pl.DataFrame, limit: float) -> pl.DataFrame:
    held, wanted = (rows[name].to_numpy() for name in ("held", "wanted"))
    kept = np.where(rows["must_leave"].to_numpy(), 0.0, held)
    start = kept / kept.sum() if kept.sum() > 0 else wanted
    share = _share(start, wanted, held, limit)
    weight = start + share * (wanted - start) if share < 1 else wanted
    said = _words(share, start, wanted, held, limit)
    return rows.select("_row", weight=pl.Series(weight), step=pl.lit(said, pl.String))


def _one_way(weights: Weights, held: Weights) -> float:
    return float(0.5 * np.abs(weights - held).sum())


def _share(start: Weights, wanted: Weights, held: Weights, limit: float) -> float:
    """The largest t: turnover is convex and piecewise linear in t, least at 0, and bends where a weight is as held."""
    away = wanted - start
    bends = (held - start)[away != 0] / away[away != 0]
    places = np.unique(np.concatenate([[0.0, 1.0], bends[(bends > 0) & (bends < 1)]]))
    turned = np.array([_one_way(start + place * away, held) for place in places])
    within = np.flatnonzero(turned <= limit + 1e-15)
    if within.size == 0:
        return 0.0
    last = int(within[-1])
    if last + 1 == len(places):
        return 1.0
    slope = (turned[last + 1] - turned[last]) / (places[last + 1] - places[last])
    return float(places[last] + (limit - turned[last]) / slope)


def _words(share: float, start: Weights, wanted: Weights, held: Weights, limit: float) -> str | None:
    if share >= 1:
        return None
    whole = f"one-way turnover would be {_one_way(wanted, held):.2%}, the limit is {limit:.2%}"
    if share > 0:
        return f"{whole}; every weight goes {share:.2%} of the way"
    forced = _one_way(start, held)
    return f"{whole}; what must leave turns {forced:.2%} by itself, the others keep their proportions"
