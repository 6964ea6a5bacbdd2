"""The largest companies up to a share of the value of all."""

from typing import Annotated

import polars as pl
from pydantic import Field

from exchina.rules.order import DIGITS, Count, Reserve, Size, ranked, seats
from exchina.rules.registers import selection
from exchina.rules.verdict import verdict

Part = Annotated[float, Field(gt=0, le=1)]


def _in_order(
    *,
    enter_up_to: float,
    stay_up_to: float | None,
    fill_to_count: int,
    at_most_count: int | None,
    at_least: int,
    **_: object,
) -> str | None:
    if stay_up_to is not None and stay_up_to < enter_up_to:
        return f"members would stay only to {stay_up_to:g}, newcomers enter to {enter_up_to:g}"
    if at_most_count is not None and at_most_count < max(fill_to_count, at_least):
        return f"at_most_count {at_most_count} is less than the {max(fill_to_count, at_least)} wanted"
    return None


@selection("coverage", check=_in_order)
def coverage(
    universe: pl.DataFrame,
    *,
    by: Size = "free_float_market_cap_usd",
    enter_up_to: Part,
    stay_up_to: Part | None = None,
    fill_to_count: Count = 1,
    at_most_count: Count | None = None,
    at_least: Count = 1,  # noqa: ARG001 - read by the pipeline, which knows what to do if too few pass
    reserve: Reserve = 0,  # noqa: ARG001 - read by the pipeline, which keeps the list
) -> pl.DataFrame:
    """Take companies by falling size while all so far, the company included, are within a share of the whole.

    A newcomer enters where S_i <= enter_up_to, a member stays where S_i <= stay_up_to, with
    S_i = sum of c_j over rank j <= rank i / sum of all c, to 12 significant digits, over the eligible companies of the
    review. Fewer than ``fill_to_count`` are filled by rank; more than ``at_most_count`` are cut by rank. A company of
    unknown size is not taken and counts for nothing.

    Args:
        universe: eligible companies; reads ``by`` (c), free_float_market_cap_usd, traded_values_usd, is_member and
            company_id.
        by: the size.
        enter_up_to: cumulative share to enter, 0 to 1, boundary included.
        stay_up_to: cumulative share to stay; the one to enter where not given.
        fill_to_count: fewest to take, by rank, however large the first are.
        at_most_count: most to take, by rank; no limit where not given.
        at_least: fewest members with which the index can be formed.
        reserve: how many of the next companies in order are kept as the reserve list.

    Example:
        >>> table = pl.DataFrame({
        ...     "review": [1] * 3, "company_id": ["a", "b", "c"], "free_float_market_cap_usd": [6.0, 3.0, 1.0],
        ...     "traded_values_usd": [[1.0]] * 3, "is_member": [False, False, True],
        ... })
        >>> coverage(table, enter_up_to=0.6, stay_up_to=1.0)["passed"].to_list()
        [True, False, True]
    """
    ranks = ranked(universe, by)
    total = pl.col("_by").sum().over("review")
    summed = ranks.sort("_rank").with_columns(_sum=pl.col("_by").cum_sum().over("review")).sort("_row")
    share = pl.when(total > 0).then(pl.col("_sum") / total).round_sig_figs(DIGITS)
    limit = pl.when("is_member").then(stay_up_to or enter_up_to).otherwise(enter_up_to)
    summed = summed.with_columns(_share=share, _limit=limit, _inside=(share <= limit).fill_null(False))
    seated = summed.with_columns(_seat=seats(summed, ~pl.col("_inside")))
    enough = pl.col("_inside") | ((pl.col("_seat") <= fill_to_count) & pl.col("_by").is_not_null())
    kept = enough if at_most_count is None else enough & (pl.col("_seat") <= at_most_count)
    filled = pl.when(kept & ~pl.col("_inside")).then(pl.lit(f"filled by rank to {fill_to_count}"))
    cut = pl.when(enough & ~kept).then(pl.lit(f"cut by rank to {at_most_count}"))
    return verdict(
        seated,
        kept,
        found=pl.format("rank {}, cumulative share {}", "_rank", pl.col("_share").round(6)),
        needed=pl.format("cumulative share to {}", "_limit"),
        margin=pl.col("_limit") / pl.col("_share") - 1,
        note=pl.coalesce(filled, cut),
    )
