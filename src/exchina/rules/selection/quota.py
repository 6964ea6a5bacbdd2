"""So many companies of each stage of the supply chain."""

from collections.abc import Mapping
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from exchina.rules.order import By, Count, Reserve, ranked, seats
from exchina.rules.registers import selection
from exchina.rules.verdict import verdict
from exchina.tables.reference_words import Stage

Counts = Annotated[dict[Stage, Count], Field(min_length=1)]


def _possible(
    *, counts: Mapping[str, int], keep_until_rank: Mapping[str, int], at_least: int, **_: object
) -> str | None:
    for stage, rank in keep_until_rank.items():
        if stage not in counts:
            return f"keep_until_rank names {stage}, which has no count"
        if rank < counts[stage]:
            return f"keep_until_rank {rank} of {stage} lies before its count of {counts[stage]}"
    total = sum(counts.values())
    return f"at least {at_least} members cannot come from {total} seats" if at_least > total else None


@selection("quota", check=_possible)
def quota(
    universe: pl.DataFrame,
    *,
    by: By,
    counts: Counts,
    keep_until_rank: dict[Stage, Count] = {},  # noqa: B006 - settings are never changed
    fill: Literal["next_best", "leave_empty"] = "leave_empty",
    at_least: Count = 1,  # noqa: ARG001 - read by the pipeline, which knows what to do if too few pass
    reserve: Reserve = 0,  # noqa: ARG001 - read by the pipeline, which keeps the list
) -> pl.DataFrame:
    """Take a number of companies of each stage, the best of the stage by a column.

    Within a stage a present member keeps its seat while its rank in the stage is within ``keep_until_rank``; the
    other seats go by rank. Seats that a stage cannot fill stay empty, or go to the best companies left, whatever
    their stage. A company of unknown stage has no quota; one whose column is unknown is not taken.

    Args:
        universe: eligible companies; reads ``by``, stage, free_float_market_cap_usd, traded_values_usd, is_member and
            company_id.
        by: the column to rank by, largest first.
        counts: seats of each stage; a stage that is not named has none.
        keep_until_rank: last rank within its stage at which a member stays; the stage's count where not given.
        fill: what becomes of seats that a stage cannot fill.
        at_least: fewest members with which the index can be formed.
        reserve: how many of the next companies in order are kept as the reserve list.

    Example:
        >>> table = pl.DataFrame({
        ...     "review": [1] * 3, "company_id": ["a", "b", "c"], "stage": ["producer", "producer", "magnet_maker"],
        ...     "policy_score": [0.3, 0.2, 0.1], "free_float_market_cap_usd": [1.0] * 3,
        ...     "traded_values_usd": [[1.0]] * 3, "is_member": [False] * 3,
        ... })
        >>> quota(table, by="policy_score", counts={"producer": 1, "magnet_maker": 1})["passed"].to_list()
        [True, False, True]
        >>> quota(table, by="policy_score", counts={"producer": 1, "magnet_maker": 2}, fill="next_best")["passed"].sum()
        3
    """
    ranks = ranked(universe, by).with_columns(
        _seats=pl.col("stage").replace_strict(counts, default=0, return_dtype=pl.Int64).fill_null(0),
        _last=pl.col("stage")
        .replace_strict({**counts, **keep_until_rank}, default=0, return_dtype=pl.Int64)
        .fill_null(0),
        _known=pl.col("_by").is_not_null(),
    )
    ranks = ranks.with_columns(_in_stage=seats(ranks, ~pl.col("_known"), "stage"))
    stays = pl.col("is_member") & (pl.col("_in_stage") <= pl.col("_last"))
    group = pl.when(~pl.col("_known")).then(2).when(stays).then(0).otherwise(1)
    ranks = ranks.with_columns(_seat=seats(ranks, group, "stage"))
    ranks = ranks.with_columns(_own=(pl.col("_seat") <= pl.col("_seats")) & pl.col("_known"))
    left = (sum(counts.values()) - pl.col("_own").sum().over("review")).alias("left")
    next_best = seats(ranks, pl.col("_own") | ~pl.col("_known"))
    moved = (next_best <= ranks.select(left)["left"]) if fill == "next_best" else pl.Series([False] * ranks.height)
    ranks = ranks.with_columns(_moved=moved & ~ranks["_own"] & ranks["_known"])
    place = pl.format("rank {} of {} by {}", "_in_stage", pl.col("stage").fill_null("unknown stage"), pl.lit(by))
    return verdict(
        ranks,
        pl.col("_own") | pl.col("_moved"),
        found=pl.when("_known").then(place),
        needed=pl.format("{} of the stage", "_seats"),
        margin=pl.when(pl.col("_known") & (pl.col("_last") > 0)).then(1 - pl.col("_in_stage") / (pl.col("_last") + 1)),
        note=pl.when("_moved").then(pl.lit("takes a seat that another stage could not fill")),
    )
