"""The first so many by a column, with a buffer for present members."""

from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from exchina.rules.registers import selection
from exchina.rules.verdict import verdict


def _within_reach(*, count: int, keep_until_rank: int | None, at_least: int, **_: object) -> str | None:
    if at_least > count:
        return f"at least {at_least} members cannot come from a count of {count}"
    if keep_until_rank is not None and keep_until_rank < count:
        return f"keep_until_rank {keep_until_rank} lies before the count of {count}"
    return None


@selection("top", check=_within_reach)
def top(
    universe: pl.DataFrame,
    *,
    by: Literal["policy_score", "free_float_market_cap_usd"],
    count: Annotated[int, Field(ge=1)],
    keep_until_rank: int | None = None,
    at_least: Annotated[int, Field(ge=1)] = 1,  # noqa: ARG001 - read by the pipeline, which knows what to do if too few pass
) -> pl.DataFrame:
    """Take the first ``count`` by a column; a present member stays while its rank is within ``keep_until_rank``.

    The order is total, so that two machines agree: the column, then free-float market value, then present members
    before others, then the company id.

    Args:
        universe: eligible companies; reads ``by``, free_float_market_cap_usd, is_member and company_id.
        by: the column to rank by, largest first.
        count: how many are wanted.
        keep_until_rank: last rank at which a present member stays; ``count`` where not given.
        at_least: fewest members with which the index can be formed.

    Example:
        >>> table = pl.DataFrame({
        ...     "review": [1] * 3, "company_id": ["a", "b", "c"], "policy_score": [0.3, 0.2, 0.1],
        ...     "free_float_market_cap_usd": [1.0] * 3, "is_member": [False, False, True],
        ... })
        >>> top(table, by="policy_score", count=2, keep_until_rank=3)["passed"].to_list()
        [True, False, True]
    """
    keys = [by, "free_float_market_cap_usd", "is_member", "company_id"]
    order = universe.with_row_index("_row").sort(keys, descending=[True, True, True, False], nulls_last=True)
    ranked = order.with_columns(_rank=(pl.int_range(pl.len()) + 1).over("review"))
    stays = pl.col("is_member") & (pl.col("_rank") <= (keep_until_rank or count))
    seated = ranked.sort(stays, "_rank", descending=[True, False])
    seated = seated.with_columns(_seat=(pl.int_range(pl.len()) + 1).over("review")).sort("_row")
    needed = f"first {count}" + (f", members to rank {keep_until_rank}" if keep_until_rank else "")
    found = pl.format("rank {} by {}", "_rank", pl.lit(by))
    last = pl.when(stays).then(keep_until_rank or count).otherwise(count)
    return verdict(
        seated, pl.col("_seat") <= count, found=found, needed=needed, margin=1 - pl.col("_rank") / (last + 1)
    )
