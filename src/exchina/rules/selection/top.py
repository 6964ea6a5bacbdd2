"""The first so many by a column, with buffers for present members."""

import polars as pl

from exchina.rules.order import By, Count, Reserve, ranked, seats
from exchina.rules.registers import selection
from exchina.rules.verdict import verdict


def _within_reach(
    *, count: int, enter_within_rank: int | None, keep_until_rank: int | None, at_least: int, **_: object
) -> str | None:
    if at_least > count:
        return f"at least {at_least} members cannot come from a count of {count}"
    if keep_until_rank is not None and keep_until_rank < count:
        return f"keep_until_rank {keep_until_rank} lies before the count of {count}"
    if enter_within_rank is not None and enter_within_rank > count:
        return f"enter_within_rank {enter_within_rank} lies after the count of {count}"
    return None


@selection("top", check=_within_reach)
def top(
    universe: pl.DataFrame,
    *,
    by: By,
    count: Count,
    enter_within_rank: Count | None = None,
    keep_until_rank: int | None = None,
    at_least: Count = 1,  # noqa: ARG001 - read by the pipeline, which knows what to do if too few pass
    reserve: Reserve = 0,  # noqa: ARG001 - read by the pipeline, which keeps the list
) -> pl.DataFrame:
    """Take the first ``count`` by a column; a present member stays while its rank is within ``keep_until_rank``.

    The seats go, in this order, to every company to rank ``enter_within_rank``, to members to rank
    ``keep_until_rank``, to the best others; each group in the order of `exchina.rules.order.ranked`. A company whose
    column is unknown is not taken.

    Args:
        universe: eligible companies; reads ``by``, free_float_market_cap_usd, traded_values_usd, is_member, company_id.
        by: the column to rank by, largest first.
        count: how many are wanted.
        enter_within_rank: last rank at which a newcomer displaces a member within its buffer; none where not given.
        keep_until_rank: last rank at which a present member stays; ``count`` where not given.
        at_least: fewest members with which the index can be formed.
        reserve: how many of the next companies in order are kept as the reserve list.

    Example:
        >>> table = pl.DataFrame({
        ...     "review": [1] * 3, "company_id": ["a", "b", "c"], "policy_score": [0.3, 0.2, 0.1],
        ...     "free_float_market_cap_usd": [1.0] * 3, "traded_values_usd": [[1.0]] * 3,
        ...     "is_member": [False, False, True],
        ... })
        >>> top(table, by="policy_score", count=2, keep_until_rank=3)["passed"].to_list()
        [True, False, True]
    """
    ranks = ranked(universe, by)
    known = pl.col("_by").is_not_null()
    last = keep_until_rank or count
    stays = pl.col("is_member") & (pl.col("_rank") <= last)
    group = (
        pl.when(~known)
        .then(3)
        .when(pl.col("_rank") <= (enter_within_rank or 0))
        .then(0)
        .when(stays)
        .then(1)
        .otherwise(2)
    )
    seated = ranks.with_columns(_seat=seats(ranks, group))
    needed = f"first {count}" + (f", members to rank {keep_until_rank}" if keep_until_rank else "")
    needed += f", newcomers before members to rank {enter_within_rank}" if enter_within_rank else ""
    limit = pl.when(stays).then(last).otherwise(count)
    return verdict(
        seated,
        (pl.col("_seat") <= count) & known,
        found=pl.when(known).then(pl.format("rank {} by {}", "_rank", pl.lit(by))),
        needed=needed,
        margin=pl.when(known).then(1 - pl.col("_rank") / (limit + 1)),
    )
